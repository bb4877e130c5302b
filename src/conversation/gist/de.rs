//! How people ask for a human in German. The verb often comes last.

use super::tongue::Written;

pub(super) const WRITTEN: Written = Written {
    code: "de",
    wish: "ich will, ich mochte, ich moechte, mochte ich, moechte ich, will ich, ich wurde, ich wuerde, wurde ich, wuerde ich, \
           kann ich, konnte ich, koennte ich, darf ich, durfte ich, duerfte ich, kann man, konnen sie, koennen sie, \
           konnten sie, koennten sie, kannst du, konntest du, koenntest du, konnt ihr, koennt ihr, wurden sie, wuerden sie, \
           ich muss, ich hatte gern, ich haette gern, ich hatte gerne, ich haette gerne, bitte, lieber, mochte gern, \
           mochte gerne, wie kann ich, wo kann ich, ich wunsche, ich wuensche, lass mich, lassen sie mich, ich bevorzuge, \
           wir mochten, wir moechten, wir wollen, mochte, moechte, will, kann ich bitte, ich verlange, ist es moglich, \
           ist es moeglich, besteht die moglichkeit, wollte ich, wurde gern, wuerde gern, wurde gerne, wuerde gerne",
    want: "ich brauche, ich will, ich mochte, ich moechte, ich benotige, ich benoetige, brauche, mochte, moechte, will, \
           ich hatte gern, ich haette gern, ich hatte gerne, ich haette gerne, geben sie mir, gib mir, gebt mir, \
           ich verlange, wir brauchen, kann ich, konnte ich, koennte ich, ich bevorzuge, brauche dringend, ich brauche dringend, \
           ich brauche bitte, ich brauche jetzt, ich mochte bitte, ich will jetzt, schicken sie mir, holen sie mir, \
           ich mochte lieber, ich will lieber",
    fill: "ein, nen, ne, eine, einen, einem, einer, eines, der, die, den, dem, das, ihr, ihre, ihren, ihrem, ihrer, echt, echte, echten, \
           echtem, echter, echtes, richtig, richtige, richtigen, richtiger, menschlich, menschliche, menschlichen, \
           menschlicher, wirklich, wirkliche, wirklichen, lebend, lebende, lebenden, real, reale, realen, it, support, live, \
           kompetente, kompetenten, technischen, technische, personlichen, persoenlichen, personliche, so, euer, eurer, eurem, \
           euren, lebendigen, lebendige, physische, helpdesk",
    people: "mensch, menschen, mitarbeiter, mitarbeiterin, mitarbeitenden, mitarbeitender, techniker, technikerin, agent, agenten, \
             agentin, berater, beraterin, operator, person, supportmitarbeiter, supportmitarbeiterin, kundenberater, \
             ansprechpartner, ansprechpartnerin, ansprechperson, sachbearbeiter, sachbearbeiterin, servicemitarbeiter, \
             ihrer kollegen, ihrer kolleginnen, ihren kollegen, ihrer mitarbeiter, menschlichen support, it ler, fachmann, \
             menschliches wesen, live chat, livechat, spezialisten",
    loose: "jemand, jemandem, jemanden, jemand anderen, jemand anderem, support, dem support, helpdesk, servicedesk, service desk, \
            it support, it abteilung, it team, technik, kundendienst, kundenservice, technischen support, \
            technischer support, einem vorgesetzten",
    follow: "bitte, jetzt, sofort, sprechen, haben, statt, und, oder, kein, keine, keinen, der mir, die mir, der sich, die sich, \
             nicht, aus der it, aus der technik, vom support, von der it, aus dem support, am telefon, dringend, anstatt, \
             aus fleisch, weil, gleich, asap, zum reden, zum sprechen, hier, erreichen, danke, mit dem ich, mit der ich",
    follow_loose: "bitte, jetzt, sofort, sprechen, und, oder, aus der it, aus der technik, vom support, von der it, echtem, echten, \
                   am telefon, dringend, direkt",
    denial: "nicht, kein, keine, keinen, keinem, keiner, nie, niemals, ohne, muss ich, soll ich, sollte ich, wenn ich, falls ich, \
             ob ich, bevor ich, sobald ich, statt, anstatt, niemanden, niemandem, damals, immer wenn, wahrend ich, waehrend ich, \
             nachdem, wollte er, wollte sie",
    link: "und, aber, sondern, deshalb, daher, also, darum, denn",
    patterns: &[
        "<wish> * mit <any> * sprechen|reden|telefonieren|chatten|schreiben|unterhalten|kommunizieren|verbunden|verbinden|\
         weiterverbunden|quatschen|kontakt",
        "<wish> * zu|an <any> * durchgestellt|weitergeleitet|weiterverbunden|ubergeben|uebergeben|durchstellen|weiterleiten|wenden",
        "<wish> * an|mit|zu <np> * ubergeben|uebergeben|weitergeben|sprechen|reden",
        "<wish> * <np> * sprechen|erreichen|kontaktieren",
        "bitte * mit <any> * sprechen|verbinden|reden",
        "^ mit <any> * sprechen|reden|verbinden|chatten|telefonieren",
        "^ bitte|jetzt|lieber mit <any>",
        "^ bitte|jetzt|lieber mich mit <any>",
        "verbinde|verbinden|verbindet|verbind * mich|uns * mit <any>",
        "mich|uns * mit <any> * verbinden|weiterverbinden|verbindest",
        "stelle|stellen|stell|stellt * mich|uns * zu|an <any> * durch",
        "mich|uns * zu|an <any> * durchstellen|weiterleiten|weiterverbinden|ubergeben|uebergeben|weitergeben",
        "leite|leiten|leitet|geben|gib|ubergeben|uebergeben * mich|das|es|dies * an <any>",
        "leite|leiten|leitet|geben|gib * mich|das|es|dies * an <any> weiter",
        "^ verbindung|gespraech|gesprach|kontakt * mit|zu <np>",
        "<wish> jemand|jemanden * sprechen",
        "sprechen|reden mit <any> $",
        "<want> * mit <any> sprechen|reden",
        "<want> <np>",
        "<want> mal|jetzt|bitte|dringend|sofort|hier|endlich <np>",
        "gibt es|s * <np>",
        "ist|sind * da|hier <np>",
        "kann|konnte|koennte|konnen|koennen|darf|soll * <np> * helfen|anrufen|kontaktieren|ubernehmen|uebernehmen|melden|ansehen|\
         anschauen|antworten|schauen|kummern|kuemmern|zuruckrufen|zurueckrufen",
        "^ <np> bitte|jetzt|sofort $",
        "^ bitte <np> $",
        "^ <np> sprechen $",
    ],
    whole: "mensch, mensch bitte, ein mensch bitte, menschen sprechen, echter mensch, mitarbeiter, mitarbeiter bitte, \
            mitarbeiter sprechen, agent bitte, techniker bitte, operator, mit mensch sprechen, mit menschen sprechen, \
            mit mitarbeiter sprechen, mit techniker sprechen, live chat, echte person, menschlicher kontakt, support mitarbeiter",
};

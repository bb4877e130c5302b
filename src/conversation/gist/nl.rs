//! How people ask for a human in Dutch. The verb often comes last.

use super::tongue::Written;

pub(super) const WRITTEN: Written = Written {
    code: "nl",
    wish: "ik wil, ik wil graag, ik zou, ik zou graag, wil ik, mag ik, kan ik, zou ik, kunt u, kun je, kan je, kunnen jullie, ik moet, \
           graag, ik heb liever, liever, ik wens, ik spreek liever, alsjeblieft, alstublieft, laat me, hoe kan ik, is het mogelijk, \
           we willen, wil graag, wil",
    want: "ik wil, ik wil graag, ik wens, geef me, geef mij, graag, ik zou graag, liever, doe mij, ik heb liever, ik eis, mag ik, \
           kan ik, ik zoek",
    fill: "een, de, het, echte, echt, menselijke, menselijk, levende, levend, uw, jullie, je, it, support, andere, n, iemand van",
    people: "mens, mensen, medewerker, medewerkster, technicus, persoon, agent, operator, adviseur, specialist, helpdeskmedewerker, \
             supportmedewerker, menselijke hulp, live chat, collega van de helpdesk, monteur",
    loose: "iemand, iemand anders, support, helpdesk, de helpdesk, servicedesk, service desk, klantenservice, de it afdeling, ict",
    follow: "alsjeblieft, alstublieft, nu, aub, spreken, van de, die me, die mij, in plaats, en geen, aan de telefoon, direct, \
             meteen, graag, nodig, hier, omdat, zo snel, svp",
    follow_loose: "alsjeblieft, alstublieft, nu, aub, van de helpdesk, van it, van de it, van support, aan de telefoon, die me, die mij, \
                   echt, spreken, graag",
    denial: "niet, geen, nooit, zonder, moet ik, als ik, wanneer ik, voordat ik, of ik, in plaats van, zodra ik, terwijl, hoef, niemand",
    link: "en, maar, dus, want, daarom",
    patterns: &[
        "<wish> * met <any> * spreken|praten|chatten|bellen|verbinden|doorverbonden|verbonden|overleggen|doorverbinden|contact",
        "<wish> * <np> * spreken|bereiken",
        "^ met <any> * spreken|praten|chatten|verbinden",
        "verbind|verbindt me|mij|ons * met <any>",
        "me|mij|ons * met <any> * verbinden|doorverbinden",
        "verbind me|mij * door * met <any>",
        "me|mij * naar|aan <any> * doorverbinden|doorsturen|doorzetten",
        "<want> <np>",
        "ik heb * <np> nodig",
        "kan|zou * <np> * helpen|bellen|contacteren|antwoorden|meekijken",
        "is er <np>",
        "^ <np> alsjeblieft|alstublieft|aub|graag $",
        "^ graag <np> $",
    ],
    whole: "mens, medewerker, een mens, echt persoon, echte persoon, medewerker aub, medewerker spreken, mens aub, \
            met medewerker spreken, met mens praten, operator, live chat, agent",
};

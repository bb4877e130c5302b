//! How people ask for a human in French. `personne` without an article means nobody.

use super::tongue::Written;

pub(super) const WRITTEN: Written = Written {
    code: "fr",
    wish: "je veux, je voudrais, j aimerais, je souhaite, je souhaiterais, je desire, puis je, pourrais je, je peux, je dois, \
           j ai besoin de, je prefere, je prefererais, on peut, laissez moi, laisse moi, possible de, comment, veux, voudrais, \
           merci de, svp, s il vous plait, s il te plait, pouvez vous, pourriez vous, peux tu, pourrais tu, est ce que je peux, \
           j exige, je demande a, nous voudrions, besoin de, moyen de, aimerais, veuillez, peut on, j insiste pour, il faut que je",
    want: "je veux, je voudrais, j aimerais, j aimerais avoir, je souhaite, j ai besoin, il me faut, donnez moi, donne moi, appelez moi, \
           je prefere, je prefererais, passez moi, passe moi, j exige, je demande, besoin, je veux avoir, je voudrais avoir, \
           il nous faut, envoyez moi, trouvez moi, je reclame, je cherche, je souhaite avoir, me passer, m envoyer",
    fill: "un, une, le, la, les, des, d, l, de, du, au, vrai, vraie, veritable, votre, vos, reel, reelle, autre, bon, bonne, \
           support, service, it, technique",
    people: "humain, humaine, humains, technicien, technicienne, agent, conseiller, conseillere, operateur, operatrice, etre humain, \
             interlocuteur, interlocutrice, representant, une personne, vraie personne, personne reelle, personne physique, \
             personne humaine, vraies personnes, specialiste, informaticien, informaticienne, aide humaine, assistance humaine, \
             teleconseiller, collaborateur, vrai conseiller, chat en direct, expert",
    loose: "quelqu un, quelqu un d autre, support, service informatique, support technique, support informatique, service client, \
            l equipe, votre equipe, helpdesk, help desk, service desk, assistance technique, l assistance, l informatique, \
            le service technique, un responsable, un superieur",
    follow: "humain, humaine, reel, reelle, svp, s il vous, s il te, maintenant, tout de suite, rapidement, immediatement, \
             qui puisse, qui peut, qui m, et pas, et non, pas un, plutot, au telephone, du support, du service, de l equipe, \
             de l informatique, de l assistance, informatique, en chair, directement, urgemment, parce que, car, au lieu, \
             pour m, pour me, merci, ici, des que, au plus, en ligne, de votre, de vive, d urgence, aujourd, pour parler, vite, \
             competent, competente, a qui",
    follow_loose: "humain, reel, de reel, d humain, svp, s il vous, s il te, maintenant, tout de suite, qui puisse, qui peut, qui m, \
                   et pas, et non, plutot, au telephone, du support, du service, de l equipe, de l informatique, de competent, \
                   directement, rapidement, de vrai, de votre, en chair, d autre, de vivant, de la dsi, au plus, des que, merci",
    denial: "pas, ne, n ai, n est, jamais, sans, aucun, aucune, ni, dois je, est ce que je dois, faut il, si je, quand je, lorsque je, \
             avant de, au lieu de, plutot que, des que je, inutile, pendant que, lorsque, quand",
    link: "et, mais, donc, alors, car, du coup, sinon",
    patterns: &[
        "<wish> * parler|discuter|echanger|dialoguer|communiquer|chatter|tchatter|converser a|avec|au|aux <any>",
        "<wish> * contacter|joindre|voir|avoir <np>",
        "^ parler|discuter a|avec|au <any>",
        "^ juste|bonjour|plutot parler a|avec|au <any>",
        "mettez|mets|mettre|mettriez|mette * en|au relation|contact|lien avec <any>",
        "mis|mise en relation|contact avec <any>",
        "me|m|nous mettre|transferer|rediriger|connecter|passer|orienter|renvoyer|adresser * avec|a|vers|au <any>",
        "transferez|transfere|redirigez|redirige|connectez|connecte|orientez|passez|passe|mettez|mets moi|nous|le|la * avec|a|vers|au <any>",
        "passez|passe moi <any>",
        "transferez|transferer|escaladez|escalader|transmettez * a|vers <np>",
        "<want> <np>",
        "<want> quelqu un de|d reel|humain|vivant|vrai",
        "<want> * l|de|d aide|assistance|intervention d|un|de <np>",
        "<want> qu un|une <np> * aide|rappelle|contacte|reponde|appelle",
        "est ce qu|que <np> * peut|pourrait",
        "<np> peut|pourrait il|elle * aider|rappeler|repondre|contacter|appeler|regarder",
        "y a t il <np>",
        "y a t il quelqu un * a|avec qui|reel|humain",
        "y a t il quelqu un de|d reel|humain|vivant",
        "^ <np> svp|stp|maintenant $",
        "^ <np> s il vous|te plait $",
        "^ s il vous|te plait <np> $",
        "^ svp <np> $",
    ],
    whole: "humain, un humain, agent, un agent, conseiller, un conseiller, operateur, vraie personne, une vraie personne, \
            conseiller humain, agent humain, etre humain, parler a un humain, parler humain, parler agent, parler conseiller, \
            technicien, un technicien svp, aide humaine, assistance humaine, parler a quelqu un, chat en direct",
};

//! How people ask for a human in Italian.

use super::tongue::Written;

pub(super) const WRITTEN: Written = Written {
    code: "it",
    wish: "voglio, vorrei, posso, potrei, ho bisogno di, devo, preferisco, preferirei, desidero, mi piacerebbe, e possibile, si puo, \
           come posso, per favore, fammi, mi faccia, puo, puoi, potrebbe, potete, mi fate, gradirei, bisogno di",
    want: "voglio, vorrei, ho bisogno di, mi serve, preferisco, dammi, mi dia, desidero, passami, mi passi, mi puo passare, \
           mi puoi passare, serve, preferirei, esigo, chiedo, cerco",
    fill: "un, una, uno, il, lo, la, l, gli, i, vero, vera, reale, vostro, vostra, suo, di, del, altro, con",
    people: "umano, umana, persona, operatore, operatrice, tecnico, agente, essere umano, addetto, addetta, consulente, \
             rappresentante, persona reale, persona vera, operatore umano, assistenza umana, specialista, persone vere",
    loose: "qualcuno, assistenza, supporto, helpdesk, help desk, service desk, supporto tecnico, assistenza tecnica, servizio clienti, \
            il reparto it",
    follow: "umano, umana, reale, vero, vera, in carne, dell assistenza, del supporto, dell it, per favore, adesso, ora, subito, che mi, \
             che possa, invece, e non, al telefono, immediatamente, perche, urgente, oggi, qui, grazie, direttamente, per piacere, \
             al piu",
    follow_loose: "umano, reale, di reale, di vero, per favore, adesso, ora, subito, dell assistenza, del supporto, dell it, che mi, \
                   che possa, al telefono, e non, tecnica, in carne, urgente",
    denial: "non, mai, senza, ne, devo per forza, devo proprio, quando, se voglio, se devo, prima di, invece di, anziche, mentre",
    link: "e, ma, quindi, percio, perche, allora",
    patterns: &[
        "<wish> * parlare|chattare|comunicare|conversare|discutere con <any>",
        "<wish> * contattare <np>",
        "^ parlare|chattare con <any>",
        "mettimi|mi|ci metta|mettimi|mette|mettere|puo|puoi * in contatto|comunicazione con <any>",
        "mettimi|mettetemi|mettermi in contatto|comunicazione con <any>",
        "passami|passatemi|trasferiscimi|collegami|trasferitemi a|ad|con|al <any>",
        "mi passi|passa|passate|trasferisca|trasferisci|colleghi|collega|passare|trasferire|collegare * a|ad|con|al <any>",
        "mi puo|puoi|potete|potrebbe * passare|trasferire|collegare * a|ad|con|al <any>",
        "passatemi|passami <np>",
        "<want> <np>",
        "<want> * aiuto|assistenza da|di <np>",
        "puo|potrebbe <np> * aiutarmi|chiamarmi|rispondermi|contattarmi|aiutare",
        "c e <np>",
        "^ <np> per favore|piacere $",
        "^ per favore <np> $",
    ],
    whole: "umano, operatore, un operatore, agente, persona reale, una persona reale, operatore umano, essere umano, \
            parlare con operatore, parlare con umano, parlare con qualcuno, assistenza umana, operatore per favore",
};

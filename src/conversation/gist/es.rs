//! How people ask for a human in Spanish.

use super::tongue::Written;

pub(super) const WRITTEN: Written = Written {
    code: "es",
    wish: "quiero, quisiera, necesito, me gustaria, puedo, podria, puede, puedes, podrias, deseo, prefiero, preferiria, dejame, \
           dejeme, por favor, se puede, como puedo, podemos, tengo que, debo, hay forma de, hay manera de, es posible, \
           queremos, exijo, solicito, desearia, ocupo, como hago para, donde puedo, permitame",
    want: "quiero, necesito, quisiera, prefiero, me gustaria, dame, deme, solicito, exijo, deseo, preferiria, pasame, paseme, \
           mandame, mandeme, ocupo, necesitamos, enviame, comuniqueme, quiero a, busco, pido",
    fill: "un, una, el, la, los, las, algun, alguna, real, verdadero, verdadera, tu, su, vuestro, a, al, verdad, de, soporte, con",
    people: "humano, humana, persona, agente, tecnico, tecnica, operador, operadora, representante, asesor, asesora, \
             ser humano, especialista, ejecutivo, personas reales, agente humano, persona real, ayuda humana, atencion humana, \
             informatico, chat en vivo, operario",
    loose: "alguien, soporte, mesa de ayuda, servicio tecnico, soporte tecnico, atencion al cliente, el equipo de soporte, \
            equipo de soporte, servicio de asistencia, un supervisor, helpdesk, service desk, departamento de informatica, \
            informatica, sistemas",
    follow: "real, humano, humana, de verdad, de carne, de soporte, de it, del soporte, del equipo, de la mesa, de ayuda, fisica, \
             por favor, porfavor, ya, ahora, que me, que pueda, que sepa, en lugar, en vez, y no, no un, no una, urgente, hoy, \
             aqui, cuanto antes, por telefono, inmediatamente, porque, directamente, pero ya, gracias, para que me, en linea, \
             de informatica, del departamento, para hablar, con quien, y, ni",
    follow_loose: "real, humano, por favor, porfavor, ya, ahora, de verdad, de soporte, de it, del soporte, de informatica, \
                   de sistemas, que me, que pueda, que sepa, por telefono, y no, de carne, tecnico, del equipo, urgente, \
                   directamente, de la mesa, en persona",
    denial: "no, nunca, jamas, sin, tampoco, tengo que, debo, si quiero, cuando quiero, cuando, si necesito, antes de, \
             en vez de, en lugar de, si tengo, mientras, ni",
    link: "y, pero, sino, asi que, por eso, entonces, mejor, que",
    patterns: &[
        "<wish> * hablar|hablo|chatear|comunicarme|contactar|conversar|platicar|charlar|comunicar|contactarme con <any>",
        "<wish> * contactar|llamar a <np>",
        "^ hablar|comunicarme|chatear con <any>",
        "^ solo|mejor|hola hablar con <any>",
        "pasame|paseme|comunicame|comuniqueme|conectame|conecteme|transfiereme|transfierame|poneme|ponme|pongame|derivame|\
         deriveme|comunicarme|pasarme|conectarme|transferirme|ponerme|derivarme|redirigeme|contactame * con|a|al <any>",
        "me comunicas|pasas|conectas|transfieres|pones|derivas * con|a|al <any>",
        "me puede|puedes|podria|podrias|pueden * pasar|comunicar|conectar|transferir|poner|derivar * con|a|al <any>",
        "me pase|pasen|pases|comunique|comuniquen|conecte|conecten|transfiera|transfieran|pongan|ponga|ponga|atienda|atiendan * \
         con|a|al <any>",
        "<want> <np>",
        "<want> * atienda|ayude|ayuden|llame|conteste|responda <np>",
        "<want> que <np> * atienda|ayude|llame|conteste|responda|revise",
        "<want> * atencion|ayuda|asistencia|contacto de|con <np>",
        "puede|podria|pueden|podrian * <np> * ayudarme|llamarme|atenderme|contactarme|responderme|ayudar|atender|mirar|revisar",
        "puede|podria ayudarme|atenderme|llamarme <np>",
        "hay <np> * hablar|ahi|aqui|disponible|hable|pueda",
        "hay <np> $",
        "hay alguien real|humano",
        "^ <np> por favor $",
        "^ <np> porfavor|ya|ahora $",
        "^ por favor <np> $",
        "^ hablar con <np>",
    ],
    whole: "humano, agente, operador, persona real, una persona real, agente humano, un humano, un agente, asesor, hablar con agente, \
            hablar con humano, hablar con persona, hablar con alguien, atencion humana, ayuda humana, hablar con asesor, \
            chat en vivo, ser humano, tecnico por favor, representante",
};

//! How people ask for a human in Portuguese.

use super::tongue::Written;

pub(super) const WRITTEN: Written = Written {
    code: "pt",
    wish: "quero, queria, gostaria de, gostaria, preciso, preciso de, posso, poderia, pode, desejo, prefiro, como posso, por favor, \
           da para, tenho que, me deixa, deixe me, podemos, consigo, e possivel, como faco para, exijo, necessito",
    want: "quero, preciso de, preciso, queria, prefiro, gostaria de, me de, me da, de me, exijo, solicito, necessito de, \
           quero um atendimento com, chama, chame, necessito",
    fill: "um, uma, o, a, os, as, algum, alguma, real, verdadeiro, verdadeira, seu, sua, de verdade, do suporte, de, outro",
    people: "humano, humana, pessoa, atendente, agente, tecnico, tecnica, operador, operadora, representante, ser humano, \
             especialista, analista, pessoa real, atendimento humano, ajuda humana, atendente humano, consultor",
    loose: "alguem, suporte, help desk, helpdesk, service desk, equipe de suporte, suporte tecnico, a equipe, o suporte",
    follow: "real, humano, humana, de verdade, do suporte, de suporte, da ti, da equipe, por favor, agora, ja, que possa, que me, \
             em vez, e nao, urgente, hoje, aqui, por telefone, imediatamente, porque, diretamente, obrigado, para me, de carne",
    follow_loose: "real, humano, por favor, agora, ja, de verdade, do suporte, da ti, da equipe, que possa, que me, por telefone, e nao, \
                   tecnico, urgente, de carne",
    denial: "nao, nunca, jamais, sem, nem, preciso mesmo, quando, se eu, antes de, em vez de, enquanto, tenho mesmo",
    link: "e, mas, entao, por isso, porque",
    patterns: &[
        "<wish> * falar|conversar|contatar|contactar|comunicar|teclar|conectar com|a <any>",
        "^ falar|conversar com <any>",
        "passa|passe|transfira|transfere|conecta|conecte|coloca|coloque|encaminha|encaminhe me|nos * para|a|com|ao <any>",
        "me|nos passa|passe|transfira|transfere|conecta|conecte|coloca|coloque|passar|transferir|conectar|colocar|encaminhar * \
         para|a|com|ao <any>",
        "passar|transferir|ligar me * a|para|com <any>",
        "<want> <np>",
        "<want> * atendimento|ajuda|contato|contacto de|com <np>",
        "pode|poderia|podem <np> * ajudar|ligar|atender|responder",
        "tem|ha <np> * falar|ai|aqui|disponivel",
        "^ <np> por favor $",
        "^ por favor <np> $",
    ],
    whole: "humano, atendente, atendente humano, atendimento humano, agente, pessoa real, uma pessoa real, operador, \
            falar com atendente, falar com humano, falar com pessoa, falar com alguem, ser humano, ajuda humana",
};

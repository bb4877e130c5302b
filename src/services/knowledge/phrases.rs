//! Every text that the knowledge engine says itself, per language.
//! Not here: article texts, and the notices about a handover, which the core sends when it happens.

/// What the engine says in one language. Lists hold a first wording and another one for when it was already
/// said.
///
/// Nothing here may claim that a handover has happened or is happening: a text cannot know (T20).
#[derive(Debug)]
pub(super) struct Phrases {
    pub(super) greeting: [&'static str; 2],
    /// Nothing in the message says what it is about.
    pub(super) tell_me_more: [&'static str; 2],
    pub(super) glad: [&'static str; 2],
    /// Before a second try.
    pub(super) next_try: &'static str,
    pub(super) source: &'static str,
    pub(super) did_this_help: &'static str,
    pub(super) which_one: &'static str,
    pub(super) answer_with_number: &'static str,
    /// "Yes" to a question between articles.
    pub(super) pick_one: [&'static str; 2],
    pub(super) nothing_found: [&'static str; 2],
    pub(super) exhausted: [&'static str; 2],
    pub(super) policy: [&'static str; 2],
}

/// The phrases for a language tag such as `de`, `de-AT` or `fr_CA`; English for any other.
pub(super) fn phrases(language: &str) -> &'static Phrases {
    let primary = language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    match primary.as_str() {
        "de" => &DE,
        "es" => &ES,
        "fr" => &FR,
        _ => &EN,
    }
}

static EN: Phrases = Phrases {
    greeting: [
        "Hello! What can I help you with? Tell me in a sentence what does not work, and on which device.",
        "Hello again! What does not work, and on which device?",
    ],
    tell_me_more: [
        "Please tell me a little more: which program or device is it, and what does the message on the screen say?",
        "I need a few words about the problem itself: the program or device, what you did, and what you see now.",
    ],
    glad: [
        "Glad to hear it! Write again whenever something else comes up.",
        "You are welcome. I am here if anything else comes up.",
    ],
    next_try: "Sorry that it is not solved yet. Please try this next:",
    source: "Source",
    did_this_help: "Did this help?",
    which_one: "More than one article could fit. Which one is it?",
    answer_with_number: "Answer with the number, or tell me a little more.",
    pick_one: [
        "Which of them: the first or the second?",
        "Please answer with the number of the one that fits.",
    ],
    nothing_found: [
        "I have no article that fits this well enough. A technician can look at it with you.",
        "I found nothing for this either. A technician can help you better here.",
    ],
    exhausted: [
        "That was everything I know about this. A technician can look at it with you; the steps you already tried are noted.",
        "I have no further steps for this. A technician can take a closer look with you.",
    ],
    policy: [
        "This is something that a technician has to take care of together with you.",
        "A technician has to take care of this; I must not go further here. Please keep to the steps above.",
    ],
};

static DE: Phrases = Phrases {
    greeting: [
        "Hallo! Wobei kann ich helfen? Schreiben Sie mir in einem Satz, was nicht funktioniert und auf welchem Gerät.",
        "Hallo noch einmal! Was funktioniert nicht, und auf welchem Gerät?",
    ],
    tell_me_more: [
        "Bitte beschreiben Sie es etwas genauer: Um welches Programm oder Gerät geht es, und welche Meldung sehen Sie?",
        "Ich brauche ein paar Worte zum Problem selbst: Programm oder Gerät, was Sie getan haben und was Sie jetzt sehen.",
    ],
    glad: [
        "Das freut mich! Schreiben Sie einfach wieder, wenn noch etwas ist.",
        "Gern geschehen. Ich bin da, wenn noch etwas ist.",
    ],
    next_try: "Schade, dass es noch nicht gelöst ist. Bitte versuchen Sie als Nächstes:",
    source: "Quelle",
    did_this_help: "Hat das geholfen?",
    which_one: "Mehrere Artikel könnten passen. Welcher ist es?",
    answer_with_number: "Antworten Sie mit der Nummer, oder beschreiben Sie es etwas genauer.",
    pick_one: [
        "Welcher davon: der erste oder der zweite?",
        "Bitte antworten Sie mit der Nummer des passenden Artikels.",
    ],
    nothing_found: [
        "Dazu habe ich keinen Artikel, der gut genug passt. Ein Techniker kann es sich mit Ihnen ansehen.",
        "Auch dazu habe ich nichts gefunden. Ein Techniker kann hier besser helfen.",
    ],
    exhausted: [
        "Das war alles, was ich dazu weiß. Ein Techniker kann es sich mit Ihnen ansehen; was Sie schon versucht haben, ist festgehalten.",
        "Weitere Schritte habe ich dazu nicht. Ein Techniker kann es sich genauer ansehen.",
    ],
    policy: [
        "Darum muss sich ein Techniker gemeinsam mit Ihnen kümmern.",
        "Darum muss sich ein Techniker kümmern; weiter darf ich hier nicht gehen. Bitte bleiben Sie bei den Schritten oben.",
    ],
};

static ES: Phrases = Phrases {
    greeting: [
        "¡Hola! ¿En qué puedo ayudarle? Dígame en una frase qué no funciona y en qué dispositivo.",
        "¡Hola de nuevo! ¿Qué no funciona y en qué dispositivo?",
    ],
    tell_me_more: [
        "Cuénteme un poco más, por favor: ¿qué programa o dispositivo es y qué dice el mensaje en la pantalla?",
        "Necesito unas palabras sobre el problema: el programa o dispositivo, qué hizo y qué ve ahora.",
    ],
    glad: ["¡Me alegro! Escriba de nuevo si surge algo más.", "De nada. Aquí estoy si surge algo más."],
    next_try: "Siento que todavía no esté resuelto. Pruebe ahora lo siguiente:",
    source: "Fuente",
    did_this_help: "¿Le ha ayudado?",
    which_one: "Hay más de un artículo que podría servir. ¿Cuál es?",
    answer_with_number: "Responda con el número o cuénteme un poco más.",
    pick_one: [
        "¿Cuál de ellos: el primero o el segundo?",
        "Responda, por favor, con el número del que corresponda.",
    ],
    nothing_found: [
        "No tengo ningún artículo que encaje lo suficiente. Un técnico puede verlo con usted.",
        "Tampoco he encontrado nada para esto. Un técnico podrá ayudarle mejor.",
    ],
    exhausted: [
        "Eso es todo lo que sé sobre esto. Un técnico puede verlo con usted; lo que ya ha probado queda anotado.",
        "No tengo más pasos para esto. Un técnico puede mirarlo con más detalle.",
    ],
    policy: [
        "De esto tiene que ocuparse un técnico junto con usted.",
        "De esto tiene que ocuparse un técnico; yo no debo ir más lejos. Siga, por favor, los pasos de arriba.",
    ],
};

static FR: Phrases = Phrases {
    greeting: [
        "Bonjour ! En quoi puis-je vous aider ? Dites-moi en une phrase ce qui ne marche pas, et sur quel appareil.",
        "Rebonjour ! Qu'est-ce qui ne marche pas, et sur quel appareil ?",
    ],
    tell_me_more: [
        "Dites-m'en un peu plus, s'il vous plaît : de quel programme ou appareil s'agit-il, et que dit le message à l'écran ?",
        "Il me faut quelques mots sur le problème : le programme ou l'appareil, ce que vous avez fait et ce que vous voyez.",
    ],
    glad: [
        "Tant mieux ! Écrivez-moi de nouveau si autre chose se présente.",
        "Je vous en prie. Je suis là si autre chose se présente.",
    ],
    next_try: "Désolé que ce ne soit pas encore résolu. Essayez maintenant ceci :",
    source: "Source",
    did_this_help: "Cela vous a-t-il aidé ?",
    which_one: "Plusieurs articles pourraient convenir. Lequel est-ce ?",
    answer_with_number: "Répondez par le numéro, ou dites-m'en un peu plus.",
    pick_one: [
        "Lequel : le premier ou le deuxième ?",
        "Répondez, s'il vous plaît, par le numéro de celui qui convient.",
    ],
    nothing_found: [
        "Je n'ai pas d'article qui convienne assez bien. Un technicien peut regarder avec vous.",
        "Je n'ai rien trouvé pour cela non plus. Un technicien pourra mieux vous aider.",
    ],
    exhausted: [
        "C'est tout ce que je sais à ce sujet. Un technicien peut regarder avec vous ; ce que vous avez essayé est noté.",
        "Je n'ai pas d'autres étapes pour cela. Un technicien peut regarder de plus près.",
    ],
    policy: [
        "Un technicien doit s'en occuper avec vous.",
        "Un technicien doit s'en occuper ; je ne dois pas aller plus loin. Tenez-vous-en aux étapes ci-dessus.",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_tag_finds_its_table_and_anything_else_is_english() {
        assert_eq!(phrases("de-AT").source, "Quelle");
        assert_eq!(phrases("FR_ca").did_this_help, FR.did_this_help);
        for other in ["", "en", "pt-BR", "🦀", "-"] {
            assert_eq!(phrases(other).greeting, EN.greeting);
        }
    }

    /// T20: "I'm connecting you" was said and nothing happened.
    #[test]
    fn t20_no_text_claims_a_handover() {
        for table in [&EN, &DE, &ES, &FR] {
            for text in [table.nothing_found, table.exhausted, table.policy].concat() {
                let text = text.to_lowercase();
                for claim in [
                    "connect",
                    "transfer",
                    "passing",
                    "verbinde",
                    "weitergeleitet",
                    "conecto",
                    "transfi",
                    "transfér",
                    "mets en relation",
                ] {
                    assert!(!text.contains(claim), "`{claim}` in `{text}`");
                }
            }
        }
    }
}

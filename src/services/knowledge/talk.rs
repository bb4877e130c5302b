//! What a requester's message is in a conversation: a greeting, thanks, "that did not help", a choice, or a
//! question.
//! Not here: what to reply (`answer.rs`); the wish for a human and yes/no to an offer, which the core
//! understands.

use super::words;

/// What a message says apart from its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// No words at all: a picture, an emoji, punctuation.
    Nothing,
    Greeting,
    Thanks,
    Yes,
    No,
    /// The last answer was tried, or known, and did not solve it.
    NotHelped,
    Question,
}

/// Which of the offered articles was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Counted from 0.
    Number(usize),
    Neither,
    /// Not by number; perhaps by its words.
    Unclear,
}

const GREETING: &str = "\
hi hello hey hiya yo howdy greetings good morning afternoon evening day there team all everyone \
everybody guys folks is anyone anybody how are you hallo moin servus guten tag morgen abend gruss \
gott zusammen hola buenos dias buenas tardes noches que tal bonjour bonsoir salut coucou a tous to \
the bot assistant sir madam dear";

const THANKS: &str = "\
thanks thank thx ty cheers great perfect awesome excellent brilliant super wonderful nice cool works \
worked fixed solved helped resolved danke dankeschon prima toll geklappt funktioniert geloest gelost \
geholfen erledigt gracias perfecto genial resuelto funciona merci parfait resolu marche";

const YES: &str = "\
yes yep yeah yup y ja jawohl jep si oui ok okay sure correct right genau vale claro daccord";

const NO: &str = "\
no nope nah n nein nee ne non not really leider nicht";

/// A message with one of these is not thanks, whatever else it says.
const NEGATIONS: &str = "\
not no nope never cant cannot didnt doesnt dont isnt wont hasnt havent nothing neither still but \
however except nicht kein keine nein nichts nie immer aber sin pero sigue todavia tampoco nada ne \
pas non rien toujours encore jamais mais";

const NOT_HELPED: [&str; 74] = [
    "not work",
    "not working",
    "not help",
    "not helped",
    "not fix",
    "not fixed",
    "not solve",
    "not solved",
    "not better",
    "didnt work",
    "didnt help",
    "didnt fix",
    "didnt solve",
    "doesnt work",
    "doesnt help",
    "dont work",
    "isnt working",
    "isnt fixed",
    "hasnt helped",
    "havent helped",
    "havent worked",
    "wont work",
    "still",
    "no luck",
    "no change",
    "no difference",
    "no effect",
    "no success",
    "nothing changed",
    "nothing happens",
    "nothing happened",
    "nothing helped",
    "same problem",
    "same error",
    "same issue",
    "same thing",
    "same result",
    "same message",
    "already tried",
    "already did",
    "already done",
    "tried that",
    "tried this",
    "tried it",
    "tried all",
    "tried everything",
    "did all",
    "did that",
    "not resolved",
    "unsolved",
    "nicht geholfen",
    "hilft nicht",
    "half nicht",
    "geht nicht",
    "ging nicht",
    "klappt nicht",
    "nicht geklappt",
    "funktioniert nicht",
    "immer noch",
    "noch immer",
    "nichts gebracht",
    "schon versucht",
    "schon probiert",
    "gleicher fehler",
    "no funciona",
    "no funciono",
    "no ayuda",
    "no ayudo",
    "sigue",
    "mismo error",
    "marche pas",
    "fonctionne pas",
    "pas aide",
    "toujours",
];

/// Words of a follow-up that are no topic.
const FOLLOW_UP: &str = "\
yes yep yeah no nope nah step steps first second third last one two three number option article luck \
difference effect success change changed result same message already instructions above below solved \
unsolved resolved fixed works article thing either neither both none other ja nein si oui non \
schritt schritte erste ersten zweite erster zweiten zweiter dritte letzte versucht probiert geholfen \
geklappt gebracht half ging immer fehler gleicher paso pasos primero primera segundo segunda ultimo \
ultima premier premiere deuxieme troisieme tercero dernier derniere 1st 2nd 3rd former latter etape \
etapes ayudo ayuda funciono sigue mismo meme essaye toujours pas aide nothing everything";

const ORDINALS: [(&str, Option<usize>); 33] = [
    ("1", Some(0)),
    ("first", Some(0)),
    ("1st", Some(0)),
    ("one", Some(0)),
    ("former", Some(0)),
    ("erste", Some(0)),
    ("ersten", Some(0)),
    ("erster", Some(0)),
    ("primero", Some(0)),
    ("primera", Some(0)),
    ("premier", Some(0)),
    ("premiere", Some(0)),
    ("2", Some(1)),
    ("second", Some(1)),
    ("2nd", Some(1)),
    ("two", Some(1)),
    ("zweite", Some(1)),
    ("zweiten", Some(1)),
    ("zweiter", Some(1)),
    ("segundo", Some(1)),
    ("segunda", Some(1)),
    ("deuxieme", Some(1)),
    ("3", Some(2)),
    ("third", Some(2)),
    ("3rd", Some(2)),
    ("three", Some(2)),
    ("dritte", Some(2)),
    ("tercero", Some(2)),
    ("troisieme", Some(2)),
    ("last", None),
    ("latter", None),
    ("letzte", None),
    ("dernier", None),
];

const NEITHER: [&str; 16] = [
    "neither",
    "none",
    "something else",
    "another problem",
    "keiner",
    "keine",
    "keines",
    "weder",
    "etwas anderes",
    "ninguno",
    "ninguna",
    "otra cosa",
    "aucun",
    "aucune",
    "autre chose",
    "ni l un",
];

fn is_in(list: &str, token: &str) -> bool {
    list.split_ascii_whitespace().any(|word| word == token)
}

/// ` a b c `, so that a phrase is found on word borders only.
fn padded(tokens: &[String]) -> String {
    format!(" {} ", tokens.join(" "))
}

fn holds(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| text.contains(&format!(" {phrase} ")))
}

/// Reads a message. Long ones are questions: the short forms below are only looked for where they can be the
/// point.
pub(super) fn said(text: &str) -> Said {
    let tokens = words::tokens(text);
    if tokens.is_empty() {
        return Said::Nothing;
    }
    let all_in = |lists: &[&str]| tokens.iter().all(|token| lists.iter().any(|list| is_in(list, token)));
    let any_in = |list: &str| tokens.iter().any(|token| is_in(list, token));
    if tokens.len() <= 3 && all_in(&[NO]) {
        return Said::No;
    }
    if tokens.len() <= 3 && all_in(&[YES]) {
        return Said::Yes;
    }
    if tokens.len() <= 8 && all_in(&[GREETING]) {
        return Said::Greeting;
    }
    let is_plain = topic(text).iter().all(|word| is_in(THANKS, word) || is_in(YES, word));
    if is_plain && any_in(THANKS) && !any_in(NEGATIONS) {
        return Said::Thanks;
    }
    if holds(&padded(&tokens), &NOT_HELPED) || is_in(NO, &tokens[0]) {
        return Said::NotHelped;
    }
    Said::Question
}

/// The words of a message that name something, without those that only refer to what was said before.
pub(super) fn topic(text: &str) -> Vec<String> {
    let mut topic = words::content(text, 200);
    topic.retain(|word| !is_in(FOLLOW_UP, word));
    topic
}

/// Reads the answer to "which of these `count` articles is it?".
pub(super) fn choice(text: &str, count: usize) -> Choice {
    let tokens = words::tokens(text);
    if holds(&padded(&tokens), &NEITHER) {
        return Choice::Neither;
    }
    // "the one with the paper jam" and "first I restarted it" are no numbers.
    if tokens.len() > 5 || !topic(text).iter().all(|word| word.bytes().all(|b| b.is_ascii_digit())) {
        return Choice::Unclear;
    }
    let number = |(_, number): &(&str, Option<usize>)| number.or(count.checked_sub(1));
    let named = |token: &String| ORDINALS.iter().find(|(word, _)| word == token);
    // "the second one": the ordinal is meant, not the pronoun.
    let found = tokens
        .iter()
        .filter(|token| *token != "one")
        .find_map(named)
        .or_else(|| tokens.iter().find_map(named));
    match found.and_then(number) {
        Some(number) if number < count => Choice::Number(number),
        _ => Choice::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart() {
        for (text, expected) in [
            ("", Said::Nothing),
            ("👍 …", Said::Nothing),
            ("Hello!", Said::Greeting),
            ("Good morning everyone", Said::Greeting),
            ("Guten Tag", Said::Greeting),
            ("hola, buenos días", Said::Greeting),
            ("Thanks, that worked!", Said::Thanks),
            ("Danke, hat geklappt", Said::Thanks),
            ("perfect", Said::Thanks),
            ("yes", Said::Yes),
            ("Nein", Said::No),
            ("not really", Said::No),
            ("That did not work", Said::NotHelped),
            ("thanks but still broken", Said::NotHelped),
            ("still the same error", Said::NotHelped),
            ("No, same problem", Said::NotHelped),
            ("hat leider nicht geholfen", Said::NotHelped),
            ("ça ne marche pas", Said::NotHelped),
            ("sigue igual", Said::NotHelped),
            ("hi, my printer is jammed", Said::Question),
            ("How do I reset my password?", Said::Question),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }

    #[test]
    fn a_follow_up_has_no_topic_of_its_own() {
        assert_eq!(topic("No, I already tried that, same result"), Vec::<String>::new());
        assert_eq!(topic("still not working on my mac"), ["mac"]);
    }

    #[test]
    fn choices_are_numbers_ordinals_or_neither() {
        for (text, expected) in [
            ("2", Choice::Number(1)),
            ("the first one", Choice::Number(0)),
            ("the second one please", Choice::Number(1)),
            ("number 1.", Choice::Number(0)),
            ("der zweite", Choice::Number(1)),
            ("la primera", Choice::Number(0)),
            ("the last", Choice::Number(1)),
            ("neither of them", Choice::Neither),
            ("3", Choice::Unclear),
            ("the one with the jam", Choice::Unclear),
            ("the one with error 691 after I changed it", Choice::Unclear),
            ("", Choice::Unclear),
        ] {
            assert_eq!(choice(text, 2), expected, "{text}");
        }
    }
}

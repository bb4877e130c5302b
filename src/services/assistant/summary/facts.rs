//! Devices, places and error codes that a text names, by simple patterns.
//!
//! Not here: what is known of the requester elsewhere. A miss costs a question, a false find costs a glance.

/// Of each kind.
const MOST: usize = 5;

/// What was found, each once, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) devices: Vec<String>,
    pub(super) places: Vec<String>,
    pub(super) codes: Vec<String>,
    /// It was said when it began.
    pub(super) has_time: bool,
}

const DEVICES: [&str; 34] = [
    "laptop",
    "notebook",
    "pc",
    "computer",
    "desktop",
    "macbook",
    "imac",
    "thinkpad",
    "surface",
    "iphone",
    "ipad",
    "android",
    "tablet",
    "phone",
    "printer",
    "scanner",
    "monitor",
    "dock",
    "docking",
    "headset",
    "webcam",
    "projector",
    "router",
    "rechner",
    "drucker",
    "bildschirm",
    "handy",
    "ordenador",
    "portátil",
    "impresora",
    "ordinateur",
    "imprimante",
    "téléphone",
    "mac",
];

/// A place follows.
const PLACES: [&str; 24] = [
    "room",
    "floor",
    "building",
    "site",
    "office",
    "desk",
    "raum",
    "zimmer",
    "etage",
    "stock",
    "gebäude",
    "büro",
    "sala",
    "planta",
    "piso",
    "edificio",
    "oficina",
    "salle",
    "bureau",
    "étage",
    "bâtiment",
    "level",
    "wing",
    "standort",
];

/// A code follows.
const ERRORS: [&str; 11] = [
    "error",
    "code",
    "fehler",
    "fehlercode",
    "stopcode",
    "erreur",
    "código",
    "codigo",
    "event",
    "stop",
    "status",
];

const TIMES: [&str; 34] = [
    "since",
    "today",
    "yesterday",
    "morning",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "week",
    "update",
    "seit",
    "heute",
    "gestern",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "woche",
    "desde",
    "hoy",
    "ayer",
    "lunes",
    "martes",
    "viernes",
    "semana",
    "depuis",
    "hier",
    "aujourd",
    "lundi",
    "mardi",
    "vendredi",
    "semaine",
];

/// Reads at most the first 20 000 characters.
pub(super) fn find(text: &str) -> Found {
    let end = text.char_indices().nth(20_000).map_or(text.len(), |(end, _)| end);
    let words: Vec<&str> = text[..end].split_whitespace().map(bare).filter(|word| !word.is_empty()).collect();
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let mut found = Found::default();
    for (at, word) in words.iter().enumerate() {
        let is = |list: &[&str]| list.contains(&lower[at].as_str());
        let next = words.get(at + 1).copied();
        if is(&TIMES) {
            found.has_time = true;
        }
        if is_asset(word) {
            note(&mut found.devices, word);
        } else if is(&DEVICES) {
            // `iPhone 13`, `printer PRT-0042`: the latter is found by itself.
            let model = next.filter(|next| is_number(next) && next.len() <= 4);
            note(&mut found.devices, &joined(word, model));
        } else if is(&PLACES) {
            let before = at.checked_sub(1).map(|at| words[at]).filter(|word| is_ordinal(word));
            match (next.filter(|next| is_spot(next)), before) {
                (Some(next), _) => note(&mut found.places, &joined(word, Some(next))),
                (None, Some(before)) => note(&mut found.places, &joined(before, Some(word))),
                (None, None) => {}
            }
        }
        if is_home(&lower, at) {
            note(&mut found.places, "at home");
        }
        if is_code(word) {
            note(&mut found.codes, word);
        } else if is(&ERRORS)
            && let Some(code) = words[at + 1..].iter().take(2).find(|next| is_number(next) && next.len() >= 2)
        {
            note(&mut found.codes, code);
        }
    }
    found
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric() && c != 'º').trim_end_matches("'s")
}

fn note(list: &mut Vec<String>, word: &str) {
    let word: String = word.chars().take(60).collect();
    if list.len() < MOST && !list.iter().any(|known| known.eq_ignore_ascii_case(&word)) {
        list.push(word);
    }
}

fn joined(one: &str, two: Option<&str>) -> String {
    two.map_or_else(|| one.to_owned(), |two| format!("{one} {two}"))
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

/// `NB-20931`, `PRT-0042`.
fn is_asset(word: &str) -> bool {
    let Some((letters, digits)) = word.split_once('-') else { return false };
    let is_kind = (1..=5).contains(&letters.len()) && letters.bytes().all(|b| b.is_ascii_uppercase());
    is_kind && (3..=8).contains(&digits.len()) && is_number(digits)
}

/// `0x80070005`, `ERR_CONNECTION_RESET`, `AADSTS50126`, `INACCESSIBLE_BOOT_DEVICE`.
fn is_code(word: &str) -> bool {
    let hex = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    if hex.is_some_and(|hex| hex.len() >= 4 && hex.bytes().all(|b| b.is_ascii_hexdigit())) {
        return true;
    }
    let is_loud = word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let letters = word.bytes().filter(u8::is_ascii_uppercase).count();
    is_loud && word.len() >= 6 && letters >= 2 && (digits >= 3 || (word.contains('_') && letters >= 6))
}

/// `3`, `4.12`, `B`, `B2`.
fn is_spot(word: &str) -> bool {
    let has_digit = word.bytes().any(|b| b.is_ascii_digit());
    let is_letter = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    word.len() <= 10 && (has_digit || is_letter)
}

/// `3rd`, `2º`, `3`.
fn is_ordinal(word: &str) -> bool {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < word.len() && ["", "st", "nd", "rd", "th", "º", "er", "e", "ème"].contains(&rest)
}

fn is_home(lower: &[String], at: usize) -> bool {
    let pair = (lower[at].as_str(), lower.get(at + 1).map(String::as_str));
    matches!(
        pair,
        ("home", Some("office"))
            | ("homeoffice" | "teletrabajo" | "télétravail", _)
            | ("from" | "at", Some("home"))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_things_are_found() {
        let found = find(
            "Since Monday my laptop NB-20931 (3rd floor, room 4.12) shows error 0x80070005. The printer PRT-0042 says Error 691, \
             then ERR_CONNECTION_RESET. I work from home with an iPhone 13.",
        );
        assert_eq!(found.devices, ["laptop", "NB-20931", "printer", "PRT-0042", "iPhone 13"]);
        assert_eq!(found.places, ["3rd floor", "room 4.12", "at home"]);
        assert_eq!(found.codes, ["0x80070005", "691", "ERR_CONNECTION_RESET"]);
        assert!(found.has_time);
    }

    #[test]
    fn ordinary_words_are_not() {
        for text in [
            "",
            "I have no desk",
            "the office is cold",
            "IMPORTANT PLEASE HELP",
            "a code",
            "5 minutes",
            "🦀 ó",
        ] {
            assert_eq!(find(text), Found::default(), "{text}");
        }
    }
}

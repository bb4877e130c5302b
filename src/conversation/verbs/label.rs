//! Labels and priorities as people write them: `!label vpn floor-2 -printer`, `!priority high`.
//!
//! Not here: how many a conversation may have (`desk.rs`).

use super::Verb;
use super::names::unescape;

/// Letters of one label.
const LONGEST: usize = 40;
/// Words of one verb.
const MOST: usize = 40;
/// The level that `urgent` is.
pub const URGENT: u8 = 2;
const LEVELS: [(&str, u8); 4] = [("normal", 0), ("high", 1), ("urgent", URGENT), ("critical", 3)];

/// A label as it is kept: lower case letters and digits, `-`, `_` and `.`; `None` when nothing is left or it is too long.
pub fn label(written: &str) -> Option<String> {
    let mut kept = String::new();
    for letter in written.trim().trim_start_matches('#').chars().flat_map(char::to_lowercase) {
        if letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.') {
            kept.push(letter);
        } else if letter.is_whitespace() {
            kept.push('-');
        } else {
            return None;
        }
    }
    let kept = kept.trim_matches(['-', '.', '_']);
    (!kept.is_empty() && kept.chars().count() <= LONGEST).then(|| kept.to_owned())
}

/// Words between blanks or commas; one behind `-` is taken off, others are put on.
pub(super) fn labels(rest: &str) -> Result<Verb, String> {
    let text = unescape(rest);
    let words: Vec<&str> =
        text.split(|c: char| c == ',' || c.is_whitespace()).filter(|w| !w.is_empty()).collect();
    if words.is_empty() || words.len() > MOST {
        return Err("say which, for example vpn, or -vpn to take it off".to_owned());
    }
    let (mut add, mut remove) = (Vec::new(), Vec::new());
    for word in words {
        let (list, word) = match word.strip_prefix('-') {
            Some(off) => (&mut remove, off),
            None => (&mut add, word.strip_prefix('+').unwrap_or(word)),
        };
        let found = label(word);
        list.push(found.ok_or_else(|| format!("a label is at most {LONGEST} letters, digits, - _ or ."))?);
    }
    Ok(Verb::Label { add, remove })
}

/// A number, or one of four words.
pub(super) fn priority(rest: &str) -> Result<Verb, String> {
    let text = rest.trim().to_lowercase();
    let named = LEVELS.iter().find(|(name, _)| *name == text).map(|(_, level)| *level);
    let level = named.or_else(|| text.trim_start_matches('p').parse().ok());
    match level {
        Some(level) => Ok(Verb::Priority { level }),
        None => Err("say normal, high, urgent, critical, or a number from 0 to 255".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_one_spelling() {
        assert_eq!(label(" #VPN "), Some("vpn".into()));
        assert_eq!(label("Floor 2"), Some("floor-2".into()));
        assert_eq!(label("Größe"), Some("größe".into()));
        for bad in ["", "#", "--", "a:b", "<b>", &"x".repeat(LONGEST + 1)] {
            assert_eq!(label(bad), None, "{bad}");
        }
    }

    #[test]
    fn words_are_put_on_and_taken_off() {
        let made = labels("vpn, +wifi -printer\\_2").expect("readable");
        let expected =
            Verb::Label { add: vec!["vpn".into(), "wifi".into()], remove: vec!["printer_2".into()] };
        assert_eq!(made, expected);
        assert!(labels(" , ").is_err() && labels("a:b").is_err());
        assert_eq!(priority("High"), Ok(Verb::Priority { level: 1 }));
        assert_eq!(priority("p200"), Ok(Verb::Priority { level: 200 }));
        assert!(priority("256").is_err() && priority("").is_err() && priority("-1").is_err());
    }
}

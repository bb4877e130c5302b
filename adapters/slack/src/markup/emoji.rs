//! Emoji by Slack's names and by their characters, in both directions.
//!
//! Not here: where in a text they stand. Names that a workspace made itself have no characters and stay names.

use std::collections::HashMap;
use std::sync::LazyLock;

const LIST: &str = include_str!("emoji.txt");

/// Longest name looked for; the list's longest, with its tone, is 65 characters.
pub(crate) const MAX_NAME: usize = 72;

const TONES: [(&str, char); 5] = [
    ("skin-tone-2", '\u{1f3fb}'),
    ("skin-tone-3", '\u{1f3fc}'),
    ("skin-tone-4", '\u{1f3fd}'),
    ("skin-tone-5", '\u{1f3fe}'),
    ("skin-tone-6", '\u{1f3ff}'),
];

static TABLE: LazyLock<Table> = LazyLock::new(Table::read);

struct Table {
    emoji: HashMap<String, String>,
    /// By the characters without variation selectors.
    names: HashMap<String, String>,
}

impl Table {
    fn read() -> Table {
        let mut table = Table { emoji: HashMap::new(), names: HashMap::new() };
        for line in LIST.lines().filter(|line| !line.starts_with('#')) {
            let mut columns = line.split('\t');
            let (Some(emoji), Some(names)) = (columns.next(), columns.next()) else { continue };
            table.add(emoji, names, "");
            if columns.next() == Some("tones") {
                for (suffix, tone) in TONES {
                    table.add(&toned(emoji, tone), names, suffix);
                }
            }
        }
        table
    }

    fn add(&mut self, emoji: &str, names: &str, tone: &str) {
        for name in names.split(' ') {
            let name = if tone.is_empty() { name.to_owned() } else { format!("{name}::{tone}") };
            self.names.entry(plain(emoji)).or_insert_with(|| name.clone());
            self.emoji.insert(name, emoji.to_owned());
        }
    }
}

/// The tone stands after the first character, in place of a variation selector.
fn toned(emoji: &str, tone: char) -> String {
    let mut chars = emoji.chars();
    let mut out: String = chars.next().into_iter().collect();
    out.push(tone);
    let rest = chars.as_str();
    out.push_str(rest.strip_prefix('\u{fe0f}').unwrap_or(rest));
    out
}

fn plain(emoji: &str) -> String {
    emoji.replace('\u{fe0f}', "")
}

/// The characters of a name as Slack writes it, `+1` or `+1::skin-tone-3`; `None` when it is not one of Slack's own.
pub(crate) fn known(name: &str) -> Option<&'static str> {
    if let Some(emoji) = TABLE.emoji.get(name) {
        return Some(emoji);
    }
    // A tone on something that has none.
    let (base, tone) = name.split_once("::")?;
    if tone.starts_with("skin-tone-") { TABLE.emoji.get(base).map(String::as_str) } else { None }
}

/// A name as people see it: its characters, or `:name:` when a workspace made it.
pub(crate) fn emoji_of(name: &str) -> String {
    let name = name.trim_matches(':');
    known(name).map_or_else(|| format!(":{name}:"), str::to_owned)
}

/// The name under which `reactions.add` takes an emoji, with its tone; a workspace's own come as `:name:`.
pub(crate) fn name_of(emoji: &str) -> Option<&str> {
    if let Some(name) = TABLE.names.get(&plain(emoji)) {
        return Some(name);
    }
    let name = emoji.strip_prefix(':')?.strip_suffix(':')?;
    (!name.is_empty() && name.len() <= MAX_NAME && name.chars().all(|c| is_name(c) || c == ':'))
        .then_some(name)
}

pub(crate) fn is_name(c: char) -> bool {
    c.is_ascii_lowercase()
        || c.is_ascii_digit()
        || "_+'-".contains(c)
        || (!c.is_ascii() && c.is_alphanumeric())
}

/// The name that begins after a colon, and its length in characters with the closing colon: `+1::skin-tone-2:`.
/// Only names with characters of their own count: `10:30:45` is a time.
pub(crate) fn at(after_colon: &[char]) -> Option<(&'static str, usize)> {
    let window = &after_colon[..after_colon.len().min(MAX_NAME)];
    let first = window.iter().position(|c| *c == ':')?;
    let name: String = window[..first].iter().collect();
    let emoji = known(&name)?;
    if let Some(rest) = window.get(first + 1..)
        && rest.first() == Some(&':')
        && let Some(second) = rest[1..].iter().position(|c| *c == ':')
    {
        let tone: String = rest[1..=second].iter().collect();
        if tone.starts_with("skin-tone-")
            && let Some(with_tone) = known(&format!("{name}::{tone}"))
        {
            return Some((with_tone, first + 1 + 1 + second + 1));
        }
    }
    Some((emoji, first + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        for (name, emoji) in [
            ("+1", "👍"),
            ("eyes", "👀"),
            ("white_check_mark", "✅"),
            ("admission_tickets", "🎟️"),
            ("ticket", "🎫"),
            ("zzz", "💤"),
            ("lock", "🔒"),
            ("hourglass_flowing_sand", "⏳"),
            ("warning", "⚠️"),
            ("incoming_envelope", "📨"),
            ("eye", "👁️"),
            ("heart", "❤️"),
            ("+1::skin-tone-4", "👍🏽"),
            ("female-technologist::skin-tone-2", "👩🏻‍💻"),
        ] {
            assert_eq!(emoji_of(name), emoji);
            assert_eq!(name_of(emoji), Some(name));
            assert_eq!(name_of(&plain(emoji)), Some(name));
        }
        assert_eq!(emoji_of("thumbsup"), "👍");
        assert_eq!(emoji_of(":heart::skin-tone-3:"), "❤️");
        assert_eq!(emoji_of("partyparrot"), ":partyparrot:");
        assert_eq!(name_of(":partyparrot:"), Some("partyparrot"));
        for nothing in ["", ":", "::", "x", ":a b:", ":A:"] {
            assert_eq!(name_of(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn every_name_fits_and_leads_back() {
        for (name, emoji) in &TABLE.emoji {
            assert!(name.len() < MAX_NAME && name.chars().all(|c| is_name(c) || c == ':'), "{name}");
            let back = name_of(emoji).unwrap();
            assert_eq!(known(back), Some(emoji.as_str()), "{name}");
        }
        assert!(TABLE.emoji.len() > 3000);
    }

    #[test]
    fn within_text() {
        let at = |text: &str| super::at(&text.chars().collect::<Vec<_>>());
        assert_eq!(at("+1: x"), Some(("👍", 3)));
        assert_eq!(at("+1::skin-tone-2: x"), Some(("👍🏻", 16)));
        assert_eq!(at("+1::skin-tone-9:"), Some(("👍", 16)));
        assert_eq!(at("+1::other:"), Some(("👍", 3)));
        assert_eq!(at("30:45"), None);
        assert_eq!(at(""), None);
        assert_eq!(at("+1"), None);
    }
}

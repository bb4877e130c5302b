//! Who may be named by a payload that nobody could read.
//!
//! Not here: reading it (the adapters), who was erased (`batch`), looking through what is kept (the runtime).

use std::collections::BTreeSet;
use std::time::Duration;

use deskbridge_contract::ChannelName;
use deskbridge_conversation::RequesterId;

/// How long after an erasure a payload that names the person is taken for one of before: no platform keeps what it could not
/// deliver for longer than a day.
pub(crate) const SENT_AGAIN: Duration = Duration::from_secs(24 * 3600);
/// Instead of why it could not be read, which may repeat a part of it.
pub(crate) const ERASED: &str = "of somebody who was erased";

/// Names that are looked for in one payload at most, and the bytes of a name.
const MOST: usize = 2_000;
const LONGEST: usize = 200;

/// Everybody whose id stands in it: each text and number of a JSON document, and each word of anything else.
pub(crate) fn people(channel: &ChannelName, raw: &[u8]) -> BTreeSet<RequesterId> {
    let mut words = BTreeSet::new();
    let text = String::from_utf8_lossy(raw);
    // Ids of some platforms hold signs that end a word elsewhere; in JSON they are a text of their own.
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(raw) {
        leaves(&value, &mut words);
    }
    for word in text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))) {
        add(&mut words, word);
    }
    words.into_iter().map(|word| RequesterId(format!("{channel}:{word}"))).collect()
}

/// Its depth is bounded by the parser's.
fn leaves(value: &serde_json::Value, words: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::String(text) => add(words, text),
        serde_json::Value::Number(number) => add(words, &number.to_string()),
        serde_json::Value::Array(all) => all.iter().for_each(|one| leaves(one, words)),
        serde_json::Value::Object(all) => all.values().for_each(|one| leaves(one, words)),
        serde_json::Value::Null | serde_json::Value::Bool(_) => {}
    }
}

fn add(words: &mut BTreeSet<String>, word: &str) {
    if !word.is_empty() && word.len() <= LONGEST && words.len() < MOST {
        words.insert(word.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_whatever_it_is() {
        let channel = ChannelName::from("teams");
        for (raw, id) in [
            (r#"{"from":{"id":"29:1aB-_x/y="},"text":7}"#, "29:1aB-_x/y="),
            (r#"{"from":{"id":770055003}}"#, "770055003"),
            (r#"{"from":{"id":770055003},"#, "770055003"),
            ("<user>U1ANA</user>", "U1ANA"),
        ] {
            let found = people(&channel, raw.as_bytes());
            assert!(found.contains(&RequesterId(format!("teams:{id}"))), "{raw}: {found:?}");
        }
        assert!(people(&channel, b"").is_empty() && people(&channel, &[0xff, 0xfe]).len() <= 1);
        let long: String = (0..5_000).map(|n| format!("{n} ")).collect();
        assert!(people(&channel, long.as_bytes()).len() <= MOST);
        assert!(people(&channel, "x".repeat(5_000).as_bytes()).is_empty());
    }
}

//! Small parts of blocks: text objects, cut to what their place takes.
//!
//! Not here: whole blocks with a meaning.

use serde_json::{Value, json};

use super::limits::units;
use crate::markup::literal;

/// At most `most` UTF-16 units on one line, with an ellipsis where something was left out.
pub(super) fn line(text: &str, most: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    clip(&words.join(" "), most)
}

/// At most `most` UTF-16 units, with an ellipsis where something was left out.
pub(super) fn clip(text: &str, most: usize) -> String {
    if units(text) <= most {
        return text.to_owned();
    }
    let mut used = 1;
    let mut kept: String = text
        .chars()
        .take_while(|c| {
            used += c.len_utf16();
            used <= most
        })
        .collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

/// Somebody's words for a place that only takes `mrkdwn`, on one line, letter by letter; at most `most` units when written.
pub(super) fn words(text: &str, most: usize) -> String {
    let mut keep = most;
    loop {
        let written = literal(&line(text, keep));
        let size = units(&written);
        if size <= most || keep < 2 {
            return written;
        }
        keep = (keep * most / size).min(keep - 1);
    }
}

/// Never empty: Slack refuses that.
pub(super) fn plain(text: &str, most: usize) -> Value {
    let text = clip(text, most);
    let text = if text.trim().is_empty() { "–" } else { &text };
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

/// `text` is `mrkdwn` that fits already. Verbatim: Slack must not look for names of people and rooms in it.
pub(super) fn mrkdwn(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

pub(super) fn section(text: &str) -> Value {
    json!({ "type": "section", "text": mrkdwn(text) })
}

pub(super) fn header(text: &str) -> Value {
    json!({ "type": "header", "text": plain(text, super::limits::HEADER_TEXT) })
}

/// One quiet line of plain text.
pub(super) fn context(text: &str) -> Value {
    json!({ "type": "context", "elements": [plain(text, 600)] })
}

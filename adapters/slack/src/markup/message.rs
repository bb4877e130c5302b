//! What a message of Slack's says: its rich text, else its text, else its other blocks or its attachments.
//!
//! Not here: who wrote it, its files, whether anybody may read it.

use serde_json::Value;

use super::commonmark::to_commonmark;
use super::doc::{self, BOLD, Block, Doc, ITALIC, Run};
use super::mention::Names;
use super::rich::{Reader, array, kind, string};
use super::{mrkdwn, parse};

/// Attachments and blocks beyond these are not read; Slack takes at most 100 and 50.
const MOST: usize = 100;

/// The text of a message as CommonMark. `message` is Slack's message object, as in an event or in a history. Total: any
/// value gives a text, and what a person typed is never markup in it.
pub(crate) fn read_message(message: &Value, names: &dyn Names) -> String {
    to_commonmark(&Doc(read(message, names)))
}

/// A text in `mrkdwn` as CommonMark: a slash command's, a shortcut's, a modal's.
pub(crate) fn read_mrkdwn(text: &str, names: &dyn Names) -> String {
    to_commonmark(&mrkdwn::read(text, names))
}

/// Text without any markup (a modal's input) as CommonMark that shows it letter by letter.
pub(crate) fn read_plain(text: &str) -> String {
    let mut runs = Vec::new();
    doc::push(&mut runs, Run::plain(text));
    to_commonmark(&Doc(vec![Block::Text(doc::trimmed(runs))]))
}

fn read(message: &Value, names: &dyn Names) -> Vec<Block> {
    let text = string(message, "text").unwrap_or_default();
    let reader = Reader { names, escaped: is_escaped(message, text) };
    let rich = array(message, "blocks").any(|block| kind(block) == "rich_text");
    let mut out = if rich { blocks(message, &reader) } else { mrkdwn::read(text, names).0 };
    if out.is_empty() {
        out = if rich { mrkdwn::read(text, names).0 } else { blocks(message, &reader) };
    }
    // A shared message is what the person wanted to show; the preview of a link is not.
    let empty = out.is_empty();
    let shared = |attachment: &Value| attachment.get("is_share").and_then(Value::as_bool) == Some(true);
    for attachment in array(message, "attachments").take(MOST) {
        if shared(attachment) {
            out.push(Block::Quote(attached(attachment, &reader)));
        } else if empty {
            out.extend(attached(attachment, &reader));
        }
    }
    out.retain(|block| !matches!(block, Block::Quote(inside) if inside.is_empty()));
    out
}

/// `text` is always escaped. Where it shows an escape of an escape, the blocks' `&amp;` is what the person typed.
fn is_escaped(message: &Value, text: &str) -> bool {
    let in_blocks = message.get("blocks").is_some_and(|blocks| contains_entity(blocks, 0));
    in_blocks
        && !text.is_empty()
        && !["&amp;amp;", "&amp;lt;", "&amp;gt;"].iter().any(|twice| text.contains(twice))
}

fn contains_entity(value: &Value, depth: usize) -> bool {
    match value {
        Value::String(text) => ["&amp;", "&lt;", "&gt;"].iter().any(|entity| text.contains(entity)),
        Value::Array(values) if depth < 32 => values.iter().any(|value| contains_entity(value, depth + 1)),
        Value::Object(fields) if depth < 32 => fields.values().any(|value| contains_entity(value, depth + 1)),
        _ => false,
    }
}

fn blocks(message: &Value, reader: &Reader<'_>) -> Vec<Block> {
    let mut out = Vec::new();
    for block in array(message, "blocks").take(MOST) {
        match kind(block) {
            "rich_text" => out.extend(reader.read(block)),
            "section" => {
                out.extend(block.get("text").map(|text| words(text, reader)).unwrap_or_default());
                array(block, "fields").for_each(|field| out.extend(words(field, reader)));
            }
            "header" => {
                let title = string(block, "text").or_else(|| block.pointer("/text/text")?.as_str());
                out.extend(line(title.unwrap_or_default(), BOLD.0));
            }
            "context" => array(block, "elements").for_each(|part| out.extend(words(part, reader))),
            "markdown" => out.extend(parse::parse(string(block, "text").unwrap_or_default()).0),
            "image" | "video" => {
                let title = block.pointer("/title/text").and_then(Value::as_str);
                out.extend(line(title.or_else(|| string(block, "alt_text")).unwrap_or_default(), ITALIC.0));
            }
            _ => {}
        }
    }
    out
}

/// A text object: `mrkdwn` or `plain_text`; of a picture its description.
fn words(object: &Value, reader: &Reader<'_>) -> Vec<Block> {
    match (kind(object), string(object, "text")) {
        ("mrkdwn", Some(text)) => mrkdwn::read(text, reader.names).0,
        (_, Some(text)) => line(text, 0),
        (_, None) => line(string(object, "alt_text").unwrap_or_default(), ITALIC.0),
    }
}

fn line(text: &str, look: u8) -> Vec<Block> {
    let mut runs = Vec::new();
    doc::push(&mut runs, Run::looking(text, doc::Look(look)));
    let runs = doc::trimmed(runs);
    if runs.is_empty() { Vec::new() } else { vec![Block::Text(runs)] }
}

/// An attachment of the older kind ("Secondary message attachments"), or a shared message.
fn attached(attachment: &Value, reader: &Reader<'_>) -> Vec<Block> {
    let mrkdwn = |key: &str| mrkdwn::read(string(attachment, key).unwrap_or_default(), reader.names).0;
    let mut out = mrkdwn("pretext");
    out.extend(line(string(attachment, "author_name").unwrap_or_default(), BOLD.0));
    if let Some(title) = string(attachment, "title") {
        let link = string(attachment, "title_link").and_then(doc::address);
        let mut runs = Vec::new();
        doc::push(&mut runs, Run { text: mrkdwn::unescape(title), look: BOLD, link });
        let runs = doc::honest(doc::trimmed(runs));
        out.extend((!runs.is_empty()).then_some(Block::Text(runs)));
    }
    out.extend(mrkdwn("text"));
    for field in array(attachment, "fields").take(MOST) {
        out.extend(line(string(field, "title").unwrap_or_default(), BOLD.0));
        out.extend(mrkdwn::read(string(field, "value").unwrap_or_default(), reader.names).0);
    }
    if out.is_empty() {
        out = blocks(attachment, reader);
    }
    if out.is_empty() {
        out = line(&mrkdwn::unescape(string(attachment, "fallback").unwrap_or_default()), 0);
    }
    out
}

//! Suits content to what a channel can carry: splits long texts, spreads files, writes out buttons, cleans names.
//!
//! Not here: any platform's dialect (the adapters), what is said. Lengths are UTF-16 code units, as platforms count.

mod clean;
mod fence;
mod look;
mod marks;
mod split;
#[cfg(test)]
mod tests;

use deskbridge_contract::{Action, Attachment, AttachmentSource, Capabilities, Content};

use crate::notices::plain;
pub(crate) use clean::is_invisible;
pub use clean::{cannot_impersonate, clean_name};

/// Longer texts are cut, with a notice (S43).
const LONGEST_TEXT: usize = 50_000;
const CUT: &str = "… *(cut here: the message was too long)*";
/// Kept free for the number of a part: what [`numbered`] adds, up to `999/999`.
const NUMBER: usize = 16;
/// More combining marks on one character are decoration that covers the lines around it.
const MOST_MARKS: usize = 8;

/// The messages that together say `content`, each within the channel's limits, in order. Text comes before files unless
/// it fits beside them; buttons stand under the last message, a card on the first. Empty content gives no message.
pub fn fit(content: &Content, caps: &Capabilities) -> Vec<Content> {
    let (files, unsent) = sendable(&content.attachments, caps.max_attachments);
    let (buttons, listed) = content.actions.split_at(content.actions.len().min(caps.max_actions));
    let text = [shorten(&tidy(&content.text)), unsent, list(listed, buttons.len())];
    let text: Vec<&str> =
        text.iter().map(|text| text.trim_end()).filter(|text| !text.trim().is_empty()).collect();
    let text = text.join("\n\n");

    let mut files = files.chunks(caps.max_attachments.max(1));
    let mut parts = Vec::new();
    if files.len() > 0 && units(&text) <= caps.max_caption.min(caps.max_text) {
        let beside = files.next().unwrap_or_default().to_vec();
        parts.push(Content { text, attachments: beside, ..Content::default() });
    } else {
        parts.extend(
            split::split(&text, caps.max_text).into_iter().map(|piece| Content::text(piece.into_text())),
        );
    }
    parts.extend(files.map(|files| Content { attachments: files.to_vec(), ..Content::default() }));

    if parts.is_empty() && (content.card.is_some() || !buttons.is_empty()) {
        parts.push(Content::default());
    }
    if let Some(first) = parts.first_mut() {
        first.card.clone_from(&content.card);
        first.mentions.clone_from(&content.mentions);
    }
    if let Some(last) = parts.last_mut() {
        last.actions = buttons.to_vec();
    }
    parts
}

/// As [`fit`]; a text that needs several messages leaves room in each for its [`numbered`] place among them.
pub fn fit_numbered(content: &Content, caps: &Capabilities) -> Vec<Content> {
    let parts = fit(content, caps);
    if parts.iter().filter(|part| !part.text.is_empty()).count() < 2 {
        return parts;
    }
    let room = Capabilities { max_text: caps.max_text.saturating_sub(NUMBER).max(NUMBER), ..caps.clone() };
    fit(content, &room)
}

/// Part `nth`, counted from 1, of a text of so many: whoever reads it sees what is missing, and what is there twice.
pub fn numbered(text: &str, nth: usize, of: usize) -> String {
    format!("{text}\n\n*({nth}/{of})*")
}

/// Whether a text can be joined with others: a line that begins with `<` may open a block that no paragraph ends.
pub fn stands_alone(text: &str) -> bool {
    !text.lines().any(|line| line.trim_start_matches([' ', '\t', '>']).starts_with('<'))
}

/// Several texts as one, each a paragraph of its own: none reaches into the next one's code.
pub fn join<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut joined = String::new();
    for text in texts {
        let text = text.trim_end();
        if text.trim().is_empty() {
            continue;
        }
        if !joined.is_empty() {
            joined.push_str("\n\n");
        }
        joined.push_str(text);
        if let Some(fence) = fence::open_at_end(text) {
            joined.push_str(&fence.closing());
        }
    }
    joined
}

/// UTF-16 code units.
fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The files that can be sent, and a line about each that cannot.
fn sendable(attachments: &[Attachment], most: usize) -> (Vec<Attachment>, String) {
    let mut files = Vec::new();
    let mut lines = Vec::new();
    for file in attachments {
        let name = plain(&file.name);
        match &file.source {
            AttachmentSource::Missing { why } => {
                lines.push(format!("📎 {name}: not available, {}", plain(why)))
            }
            AttachmentSource::Remote(_) | AttachmentSource::Blob { .. } if most == 0 => {
                lines.push(format!("📎 {name}: files cannot be shown here"));
            }
            AttachmentSource::Remote(_) | AttachmentSource::Blob { .. } => files.push(file.clone()),
        }
    }
    (files, lines.join("\n"))
}

/// Buttons that have no place, numbered as they stand among all of them.
fn list(actions: &[Action], before: usize) -> String {
    let lines = actions.iter().enumerate();
    let lines: Vec<String> =
        lines.map(|(at, action)| format!("{}. {}", before + at + 1, plain(&action.label))).collect();
    lines.join("\n")
}

/// Without towers of combining marks.
fn tidy(text: &str) -> String {
    let mut marks = 0;
    let mut keep = |c: char| {
        marks = if marks::is_mark(c) { marks + 1 } else { 0 };
        marks <= MOST_MARKS
    };
    text.chars().filter(|c| keep(*c)).collect()
}

fn shorten(text: &str) -> String {
    if text.len() <= LONGEST_TEXT || units(text) <= LONGEST_TEXT {
        return text.to_owned();
    }
    let kept = &text[..split::within(text, LONGEST_TEXT)];
    let closing = fence::open_at_end(kept).map(|fence| fence.closing()).unwrap_or_default();
    format!("{}{closing}\n\n{CUT}", kept.trim_end())
}

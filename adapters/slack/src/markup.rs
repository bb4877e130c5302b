//! Formatted text as Slack has it, in two forms: `mrkdwn`, a line of signs, and `rich_text`, a tree of blocks.
//!
//! Not here: messages as they are sent (`blocks`). Both forms and CommonMark are read into one tree ([`doc`]) and written
//! from it. Words for people go out as `rich_text`, where nothing in them can mean anything; `mrkdwn` is the text beside
//! it that notifications show, and the form of the places that take no other.

mod commonmark;
mod doc;
mod emoji;
mod flow;
mod line;
mod mention;
mod message;
mod mrkdwn;
mod parse;
mod rich;
mod rich_write;
mod table;
mod write;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use doc::{BOLD, ITALIC, Look, Run};
pub(crate) use emoji::{emoji_of, name_of};
pub(crate) use flow::{Flow, Piece, Sign};
pub(crate) use mention::{Names, NoNames};
pub(crate) use message::{read_message, read_mrkdwn, read_plain};
pub(crate) use write::{literal, to_mrkdwn};

/// Put beside a sign that somebody wrote, so that Slack does not take it for one of its own. Has no width.
const WORD_JOINER: char = '\u{2060}';

/// The border of a word where there is none, for Slack's signs inside words. Has no width.
const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// CommonMark for the places that take Markdown of their own (`markdown_text` of a stream), where Slack still looks for
/// its angle brackets: none of them can mention anybody.
pub(crate) fn to_markdown(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        if c == '<' && chars.peek().is_some_and(|next| "!@#".contains(*next)) {
            out.push(WORD_JOINER);
        }
    }
    out
}

impl Flow {
    /// CommonMark as Slack can show it.
    pub(crate) fn read(source: &str) -> Flow {
        Flow::of(parse::parse(source))
    }
}

//! Formatted text as Discord has it: a dialect of Markdown in which much is different from CommonMark.
//!
//! Not here: messages as they are sent (`cards.rs`, `send`). What people wrote is read into a tree ([`read`]) and written as
//! CommonMark; CommonMark is written for Discord by [`write`], in which nothing that somebody wrote can mean anything else.

mod escape;
mod inline;
mod read;
mod split;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use escape::literal;
pub(crate) use read::{Names, to_commonmark};
pub(crate) use split::split;
pub(crate) use write::to_discord;

/// Put behind `@`, so that Discord does not take what follows for everybody. Has no width.
const WORD_JOINER: char = '\u{2060}';

/// Put between signs that would mean something together and cannot be escaped. Has no width.
const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// Stands for a `|` of the source that may be half of a spoiler's `||`. A noncharacter: never in real text.
const PIPE: char = '\u{fdd0}';

//! Formatted text as Teams has it: a subset of HTML (`textFormat` "xml"), read and written.
//!
//! Not here: which messages there are. Everything that is not a mark of ours is escaped, so that text stays what it is,
//! and nobody is mentioned: that takes an entity beside the text, which relayed text never gets (C13).

mod pieces;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use read::{from_html, from_plain};
pub(crate) use write::{escape, plain, to_html};

/// Words that mean nothing but themselves, as CommonMark.
pub(crate) fn literal(words: &str) -> String {
    from_plain(words)
}

/// Longest text of one message, in UTF-16 units. The limit is 100 KB of UTF-16 for the whole payload ("Format your bot
/// messages"), and a letter may become five (`&amp;`).
pub(crate) const MAX_TEXT: usize = 8000;

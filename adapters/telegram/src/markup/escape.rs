//! What a character or a line would mean in CommonMark, and how to say that it does not.
//!
//! Not here: where the entities of a message are; what CommonMark is (the contract).

use deskbridge_contract::commonmark::is_special;

pub(super) fn code_span(text: &str) -> String {
    let ticks = "`".repeat(backticks(text) + 1);
    let pad = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    if pad { format!("{ticks} {text} {ticks}") } else { format!("{ticks}{text}{ticks}") }
}

pub(super) fn is_autolink(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    (lower.starts_with("http://") || lower.starts_with("https://"))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '<' || c == '>')
}

/// Whether a character would be more than itself in CommonMark; two bars make a spoiler.
pub(super) fn needs_escape(c: char, before: Option<char>, after: &[char], in_link: bool) -> bool {
    match c {
        ']' => in_link,
        '|' => before == Some('|') || after.first() == Some(&'|'),
        _ => is_special(c, before, after),
    }
}

/// The longest run of backticks.
pub(super) fn backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

//! A text as CommonMark: its look becomes marks, everything else is escaped to stay literal.
//!
//! Not here: what CommonMark is (the contract), one line's marks ([`super::line`]).

use deskbridge_contract::commonmark::block_start;

use super::doc::{self, Block, Doc, Run};
use super::flow::Flow;
use super::line::Line;
use super::parse;

/// How much of the formatting is tried. CommonMark cannot express every placement of marks (a bold sign inside a word,
/// say), so the result is read back, and formatting is given up before a character of the text is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Text,
    Blocks,
    All,
}

/// The same text with the same look, as far as CommonMark can say it.
pub(crate) fn to_commonmark(doc: &Doc) -> String {
    let wanted = Flow::of(doc.clone()).bare();
    for level in [Level::All, Level::Blocks] {
        let markdown = blocks(&doc.0, level).join("\n");
        if Flow::of(parse::parse(&markdown)).bare() == wanted {
            return markdown;
        }
    }
    let mut runs = Vec::new();
    doc::push(&mut runs, Run::plain(Flow::of(doc.clone()).plain()));
    text(&doc::trimmed(runs), Level::Text).join("\n")
}

/// The lines of some blocks, an empty one between each two.
fn blocks(blocks: &[Block], level: Level) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut before: Option<(&Block, bool)> = None;
    for block in blocks {
        // Two lists that follow each other would be one; with another sign they are two.
        let other = matches!((before, block),
            (Some((Block::List { first: a, .. }, other)), Block::List { first: b, .. })
                if a.is_some() == b.is_some() && !other);
        let lines = match block {
            Block::Text(runs) => text(runs, level),
            Block::Code { language, text } => code(language.as_deref(), text),
            Block::Quote(inside) => quoted(self::blocks(inside, level)),
            Block::List { first, items } => list(*first, items, other, level),
        };
        if !out.is_empty() && !lines.is_empty() {
            out.push(String::new());
        }
        out.extend(lines);
        before = Some((block, other));
    }
    out
}

fn quoted(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| if line.is_empty() { ">".to_owned() } else { format!("> {line}") }).collect()
}

fn list(first: Option<u64>, items: &[Vec<Block>], other: bool, level: Level) -> Vec<String> {
    let mut out = Vec::new();
    for (nth, item) in (0u64..).zip(items) {
        let sign = match (first, other) {
            (Some(first), false) => format!("{}. ", first.saturating_add(nth)),
            (Some(first), true) => format!("{}) ", first.saturating_add(nth)),
            (None, false) => "- ".to_owned(),
            (None, true) => "* ".to_owned(),
        };
        let indent = " ".repeat(sign.len());
        let mut lines = compact(item, level);
        if lines.first().is_none_or(String::is_empty) {
            lines.insert(0, "\u{a0}".to_owned());
        }
        for (nth, line) in lines.into_iter().enumerate() {
            out.push(match (nth, line.is_empty()) {
                (0, _) => format!("{sign}{line}"),
                (_, true) => line,
                (_, false) => format!("{indent}{line}"),
            });
        }
    }
    out
}

/// An item's lines. A list inside stands right under the item's words, or all items would be spread out.
fn compact(item: &[Block], level: Level) -> Vec<String> {
    match item {
        [Block::Text(runs), rest @ ..]
            if matches!(rest.first(), Some(Block::List { first: None | Some(1), .. })) =>
        {
            let mut lines = text(runs, level);
            lines.extend(blocks(rest, level));
            lines
        }
        // Code that begins an item would be read as the item's indent.
        [Block::Code { .. } | Block::Quote(_) | Block::List { .. }, ..] => {
            let mut lines = vec!["\u{a0}".to_owned(), String::new()];
            lines.extend(blocks(item, level));
            lines
        }
        _ => blocks(item, level),
    }
}

fn code(language: Option<&str>, text: &str) -> Vec<String> {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let language: String = language
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "_+#.-".contains(*c))
        .collect();
    let mut lines = vec![format!("{fence}{language}")];
    lines.extend(text.split('\n').map(str::to_owned));
    lines.push(fence);
    lines
}

/// Lines of text: marks end with each and begin again on the next, so that none spans a paragraph.
fn text(runs: &[Run], level: Level) -> Vec<String> {
    doc::lines(runs)
        .into_iter()
        .map(|line| {
            let whole: String = line.iter().map(|run| run.text.as_str()).collect();
            let indent = whole.chars().take_while(|c| c.is_whitespace()).count();
            let chars: Vec<char> = whole.trim_end().chars().collect();
            let guard =
                chars.get(indent..).filter(|_| indent == 0).and_then(block_start).map(|at| indent + at);
            Line::new(&line, level, guard).write()
        })
        .collect()
}

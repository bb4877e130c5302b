//! Discord's Markdown, as people write it, as CommonMark.
//!
//! Not here: what a message has besides its text (`translate/content.rs`). Styles are written as CommonMark's and read back:
//! where they would not be what was meant, the words are kept and the styles go.

use deskbridge_contract::commonmark::{block_start, is_special};
use pulldown_cmark::{Event, Options, Parser, TagEnd};

use super::inline::{Node, Style, parse};
use super::{PIPE, WORD_JOINER};

/// What the ids in a text are called.
pub(crate) trait Names {
    fn person(&self, id: &str) -> Option<String>;
    fn role(&self, id: &str) -> Option<String>;
    fn channel(&self, id: &str) -> Option<String>;
}

/// Where nobody can be asked.
#[cfg(test)]
pub(super) struct NoNames;

#[cfg(test)]
impl Names for NoNames {
    fn person(&self, _: &str) -> Option<String> {
        None
    }
    fn role(&self, _: &str) -> Option<String> {
        None
    }
    fn channel(&self, _: &str) -> Option<String> {
        None
    }
}

pub(crate) fn to_commonmark(source: &str, names: &dyn Names) -> String {
    let source = source.replace("\r\n", "\n").replace([PIPE, '\0'], "\u{fffd}");
    let mut out: Vec<String> = Vec::new();
    for (nth, piece) in fences(&source).into_iter().enumerate() {
        match piece {
            Piece::Code { language, text } => out.push(fence(&language, &text)),
            Piece::Words(words) => {
                let words = if nth > 0 { words.trim_start_matches('\n') } else { words };
                let words = words.trim_end();
                if !words.trim().is_empty() {
                    out.push(paragraphs(words, names));
                }
            }
        }
    }
    out.join("\n\n").trim().to_owned()
}

enum Piece<'a> {
    Words(&'a str),
    Code { language: String, text: String },
}

/// Code blocks stand anywhere, also in the middle of a line.
fn fences(source: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut rest, mut from) = (source, 0);
    while let Some(at) = rest[from..].find("```").map(|at| at + from) {
        let escaped = rest[..at].bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1;
        let inside = &rest[at + 3..];
        let end = inside.find("```").filter(|end| !escaped && !inside[..*end].trim().is_empty());
        let Some(end) = end else {
            from = at + 3;
            continue;
        };
        pieces.push(Piece::Words(&rest[..at]));
        pieces.push(code(&inside[..end]));
        rest = &inside[end + 3..];
        from = 0;
    }
    pieces.push(Piece::Words(rest));
    pieces
}

fn code(inside: &str) -> Piece<'static> {
    let sound = |c: char| c.is_ascii_alphanumeric() || "_+-.#".contains(c);
    let (language, text) = match inside.split_once('\n') {
        Some((language, text)) if language.chars().all(sound) && !text.trim().is_empty() => (language, text),
        _ => ("", inside),
    };
    Piece::Code { language: language.to_owned(), text: text.trim_matches('\n').to_owned() }
}

fn fence(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat((longest + 1).max(3));
    format!("{ticks}{language}\n{text}\n{ticks}")
}

/// Lines with their blocks. What is no sign of a block to Discord must be none to CommonMark.
fn paragraphs(words: &str, names: &dyn Names) -> String {
    let mut out = String::new();
    let mut before = Kind::Plain;
    let mut run: Vec<&str> = Vec::new();
    let mut quoting = false;
    let flush = |run: &mut Vec<&str>, out: &mut String| {
        if !run.is_empty() {
            out.push_str(&inline(&run.join("\n"), names, true));
            run.clear();
        }
    };
    for (nth, line) in words.split('\n').enumerate() {
        let (kind, text) = if quoting { (Kind::Quote, line) } else { Kind::of(line) };
        quoting |= line.starts_with(">>> ");
        let joined = kind == Kind::Plain && before == Kind::Plain;
        if joined && nth > 0 && !text.trim().is_empty() {
            run.push(text);
            continue;
        }
        flush(&mut run, &mut out);
        if nth > 0 {
            // A block that is followed by another kind needs an empty line to end.
            let apart = kind.group() != before.group();
            let ended = out.is_empty() || out.ends_with("\n\n");
            out.push_str(if ended {
                ""
            } else if apart {
                "\n\n"
            } else {
                "\n"
            });
        }
        if kind == Kind::Plain {
            if text.trim().is_empty() {
                if !out.is_empty() && !out.ends_with("\n\n") {
                    out.push_str(if out.ends_with('\n') { "\n" } else { "\n\n" });
                }
            } else {
                run.push(text);
            }
        } else {
            out.push_str(&kind.written(text, names));
        }
        before = kind;
    }
    flush(&mut run, &mut out);
    out
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Heading(usize),
    Small,
    Quote,
    Bullet(usize),
    Number(usize, u32),
}

impl Kind {
    /// Kinds that may stand below each other without an empty line.
    fn group(self) -> u8 {
        match self {
            Kind::Plain => 0,
            Kind::Heading(_) => 1,
            Kind::Small => 2,
            Kind::Quote => 3,
            Kind::Bullet(_) | Kind::Number(..) => 4,
        }
    }

    /// What a line begins, and the words in it.
    fn of(line: &str) -> (Kind, &str) {
        if let Some(text) = line.strip_prefix(">>> ").or_else(|| line.strip_prefix("> ")) {
            return (Kind::Quote, text);
        }
        for level in 1..=3 {
            let sign = &"### "[3 - level..];
            if let Some(text) = line.strip_prefix(sign).filter(|text| !text.trim().is_empty()) {
                return (Kind::Heading(level), text);
            }
        }
        if let Some(text) = line.strip_prefix("-# ").filter(|text| !text.trim().is_empty()) {
            return (Kind::Small, text);
        }
        let text = line.trim_start_matches(' ');
        let depth = ((line.len() - text.len()) / 2).min(4);
        if let Some(item) = text.strip_prefix("- ").or_else(|| text.strip_prefix("* "))
            && !item.trim().is_empty()
        {
            return (Kind::Bullet(depth), item);
        }
        if let Some((number, item)) = text.split_once(". ")
            && (1..=6).contains(&number.len())
            && !item.trim().is_empty()
            && let Ok(number) = number.parse::<u32>()
        {
            return (Kind::Number(depth, number), item);
        }
        (Kind::Plain, line)
    }

    fn written(self, text: &str, names: &dyn Names) -> String {
        let words = inline(text, names, true);
        match self {
            Kind::Plain => words,
            Kind::Heading(level) => format!("{} {words}", "#".repeat(level)),
            Kind::Small => words,
            Kind::Quote if words.trim().is_empty() => ">".to_owned(),
            Kind::Quote => format!("> {words}"),
            Kind::Bullet(depth) => format!("{}- {words}", "  ".repeat(depth)),
            Kind::Number(depth, number) => format!("{}{number}. {words}", "   ".repeat(depth)),
        }
    }
}

/// One stretch of words. Read back, it says the same, or it is written without its styles.
fn inline(text: &str, names: &dyn Names, front: bool) -> String {
    let nodes = parse(text, names);
    let mut styled = String::new();
    write(&nodes, &mut styled);
    let styled = guarded(&styled, front);
    let wanted = squeezed(&said(&nodes));
    if squeezed(&shown(&styled)) == wanted {
        return styled;
    }
    let mut plain = String::new();
    escape(&said(&nodes), &mut plain, false);
    guarded(&plain, front)
}

/// The words alone.
fn said(nodes: &[Node]) -> String {
    let mut out = String::new();
    for node in nodes {
        match node {
            Node::Text(text) | Node::Code(text) | Node::Address(text) => out.push_str(text),
            Node::Styled(Style::Spoiler, inner) => out.push_str(&format!("||{}||", said(inner))),
            Node::Styled(_, inner) | Node::Link(inner, _) => out.push_str(&said(inner)),
        }
    }
    out
}

/// What a reader of CommonMark sees.
fn shown(source: &str) -> String {
    let mut out = String::new();
    for event in Parser::new_ext(source, Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                out.push_str(&text)
            }
            Event::SoftBreak | Event::HardBreak => out.push('\n'),
            Event::End(TagEnd::Paragraph) => out.push('\n'),
            _ => {}
        }
    }
    out
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn write(nodes: &[Node], out: &mut String) {
    for (nth, node) in nodes.iter().enumerate() {
        match node {
            Node::Text(text) => escape(text, out, false),
            Node::Code(text) => out.push_str(&code_span(text)),
            Node::Address(url) => out.push_str(&format!("<{}>", target(url))),
            Node::Link(inner, url) => {
                let mut words = String::new();
                escape(&said(inner), &mut words, true);
                out.push_str(&format!("[{words}]({})", target(url)));
            }
            Node::Styled(style, inner) => {
                let mut words = String::new();
                write(inner, &mut words);
                let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                let after = nodes.get(nth + 1).and_then(first);
                let sign = match style {
                    Style::Bold => "**",
                    Style::Strike => "~~",
                    Style::Spoiler => "||",
                    // `_` does not work inside words, `*` runs together with bold's.
                    Style::Italic if word(out.chars().last()) || word(after) => "*",
                    Style::Italic => "_",
                };
                let core = words.trim();
                if core.is_empty() {
                    out.push_str(&words);
                    continue;
                }
                // Signs must not touch blanks.
                let lead = &words[..words.len() - words.trim_start().len()];
                let tail = &words[words.trim_end().len()..];
                out.push_str(&format!("{lead}{sign}{core}{sign}{tail}"));
            }
        }
    }
}

fn first(node: &Node) -> Option<char> {
    match node {
        Node::Text(text) | Node::Code(text) | Node::Address(text) => text.chars().next(),
        Node::Styled(..) | Node::Link(..) => None,
    }
}

fn escape(text: &str, out: &mut String, in_link: bool) {
    let chars: Vec<char> = text.chars().filter(|c| *c != WORD_JOINER).collect();
    for (at, c) in chars.iter().enumerate() {
        let before = if at > 0 { chars.get(at - 1).copied() } else { out.chars().last() };
        let after = &chars[at + 1..];
        let special = match c {
            ']' => in_link,
            '!' => after.first() == Some(&'['),
            '|' => before == Some('|') || after.first() == Some(&'|'),
            '\n' => false,
            c => is_special(*c, before, after),
        };
        if special {
            out.push('\\');
        }
        out.push(*c);
    }
}

/// Lines that would begin a block are kept from it.
fn guarded(text: &str, front: bool) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    for (nth, line) in text.split('\n').enumerate() {
        if nth > 0 {
            out.push('\n');
        }
        // Four blanks at the front would make it code.
        let line = line.trim_start_matches([' ', '\t']);
        let chars: Vec<char> = line.chars().collect();
        match block_start(&chars).filter(|_| front || nth > 0) {
            Some(at) => {
                out.extend(&chars[..at]);
                out.push('\\');
                out.extend(&chars[at..]);
            }
            None => out.push_str(line),
        }
    }
    out
}

fn code_span(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest + 1);
    let pad = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    if pad { format!("{ticks} {text} {ticks}") } else { format!("{ticks}{text}{ticks}") }
}

fn target(url: &str) -> String {
    let mut safe = String::with_capacity(url.len());
    for c in url.chars() {
        match c {
            '<' | '>' | '\\' | '(' | ')' | '"' | '`' => safe.push_str(&format!("%{:02X}", u32::from(c))),
            c if c.is_whitespace() || c.is_control() => safe.push_str("%20"),
            c => safe.push(c),
        }
    }
    safe
}

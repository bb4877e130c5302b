//! Telegram text and entities as CommonMark: styles become marks, everything else is escaped to stay literal.
//!
//! Not here: which messages there are. Entities come from the network and may overlap, nest or lie outside the text.

use deskbridge_contract::commonmark::block_start;

use super::escape::{backticks, code_span, is_autolink, needs_escape};
use super::{PIPE, WORD_JOINER, write};

/// One entity of a message, in UTF-16 units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub style: Style,
    pub offset: usize,
    pub length: usize,
}

/// Underline has no CommonMark and is left out; so are mentions, tags and commands, which are just text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Bold,
    Italic,
    Strike,
    /// Written `||like this||`, as Discord does; elsewhere it is seen as it stands.
    Spoiler,
    Code,
    Pre(Option<String>),
    Link(String),
    /// An address that is its own text.
    Url,
    Quote,
}

const BOLD: u8 = 1;
const ITALIC: u8 = 2;
const STRIKE: u8 = 4;
const SPOILER: u8 = 8;

/// How much of the formatting is tried. CommonMark cannot express every placement of marks (a bold sign inside a word,
/// say), so the result is read back, and formatting is given up before a character of the text is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Text,
    Blocks,
    All,
}

/// The same text with the same look, as far as CommonMark can say it.
pub(crate) fn to_commonmark(text: &str, spans: &[Span]) -> String {
    // Each replacement has one unit too, so that offsets stay right. A carriage return would end a line.
    let text = text.replace(['\0', PIPE], "\u{fffd}").replace('\r', " ");
    let page = Page::new(&text, spans);
    let wanted = bare(&text);
    for level in [Level::All, Level::Blocks] {
        let markdown = page.write(level);
        if bare(&write::from_commonmark(&markdown).text) == wanted {
            return markdown;
        }
    }
    page.write(Level::Text)
}

/// The characters that must survive: spacing may change, list signs and joiners may come and go.
pub(super) fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != WORD_JOINER).collect()
}

/// A message laid out by character.
struct Page<'a> {
    chars: Vec<char>,
    cells: Vec<Cell>,
    spans: &'a [Span],
}

/// What covers one character; spans by their number plus one, 0 for none.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Cell {
    look: u8,
    link: usize,
    code: usize,
    url: usize,
    pre: usize,
    quote: bool,
}

impl<'a> Page<'a> {
    fn new(text: &str, spans: &'a [Span]) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let mut units = Vec::with_capacity(chars.len() + 1);
        let mut at = 0;
        for c in &chars {
            units.push(at);
            at += c.len_utf16();
        }
        let mut cells = vec![Cell::default(); chars.len()];
        for (nth, span) in spans.iter().enumerate() {
            let start = units.partition_point(|unit| *unit < span.offset);
            let end = units.partition_point(|unit| *unit < span.offset.saturating_add(span.length));
            if start >= end {
                continue;
            }
            let mut range = start..end;
            if !matches!(span.style, Style::Quote | Style::Pre(_) | Style::Code) {
                range = trimmed(&chars, range);
            }
            // CommonMark folds the lines of a code span into one: several lines are a block.
            let lines = span.style == Style::Code && chars[range.clone()].contains(&'\n');
            for cell in &mut cells[range] {
                match span.style {
                    Style::Bold => cell.look |= BOLD,
                    Style::Italic => cell.look |= ITALIC,
                    Style::Strike => cell.look |= STRIKE,
                    Style::Spoiler => cell.look |= SPOILER,
                    Style::Code if lines => cell.pre = nth + 1,
                    Style::Code => cell.code = nth + 1,
                    Style::Pre(_) => cell.pre = nth + 1,
                    Style::Link(_) => cell.link = nth + 1,
                    Style::Url => cell.url = nth + 1,
                    Style::Quote => cell.quote = true,
                }
            }
        }
        Page { chars, cells, spans }
    }

    fn write(&self, level: Level) -> String {
        let mut out = String::new();
        let mut start = 0;
        while start < self.chars.len() {
            let block = |cell: &Cell| if level == Level::Text { (0, false) } else { (cell.pre, cell.quote) };
            let kind = block(&self.cells[start]);
            let length = self.cells[start..].iter().take_while(|cell| block(cell) == kind).count();
            let lines = self.block(start..start + length, kind.0, level);
            start += length;
            if lines.is_empty() {
                continue;
            }
            if !out.is_empty() {
                out.push_str("\n\n");
            }
            let quoted = |line: &String| if line.is_empty() { ">".to_owned() } else { format!("> {line}") };
            let lines = if kind.1 { lines.iter().map(quoted).collect() } else { lines };
            out.push_str(&lines.join("\n"));
        }
        out
    }

    /// The lines of a stretch that is in one block.
    fn block(&self, range: std::ops::Range<usize>, pre: usize, level: Level) -> Vec<String> {
        let blank = |line: &(usize, usize)| self.chars[line.0..line.1].iter().all(|c| c.is_whitespace());
        let mut lines: Vec<(usize, usize)> = Vec::new();
        let mut start = range.start;
        for at in range.clone() {
            if self.chars[at] == '\n' {
                lines.push((start, at));
                start = at + 1;
            }
        }
        lines.push((start, range.end));
        let first = lines.iter().position(|line| !blank(line)).unwrap_or(lines.len());
        let last = lines.iter().rposition(|line| !blank(line)).map_or(first, |last| last + 1);
        let lines = &lines[first..last];
        if lines.is_empty() {
            return Vec::new();
        }
        if pre == 0 {
            return lines.iter().map(|line| Line { page: self, end: line.1, level }.write(line.0)).collect();
        }
        let text: Vec<String> =
            lines.iter().map(|line| self.chars[line.0..line.1].iter().collect()).collect();
        let longest = text.iter().map(|line| backticks(line)).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        let language = match &self.spans[pre - 1].style {
            Style::Pre(Some(language)) => language.chars().filter(|c| info_char(*c)).collect(),
            _ => String::new(),
        };
        let opening = format!("{fence}{language}");
        [opening].into_iter().chain(text).chain([fence]).collect()
    }
}

fn info_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+#.-".contains(c)
}

fn trimmed(chars: &[char], mut range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    while range.start < range.end && chars[range.start].is_whitespace() {
        range.start += 1;
    }
    while range.start < range.end && chars[range.end - 1].is_whitespace() {
        range.end -= 1;
    }
    range
}

/// One mark around text, from the outermost kind to the innermost.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Link(usize),
    Look(u8, &'static str),
}

/// One line of text: styles end with it and start again on the next, so that none spans a paragraph.
struct Line<'a> {
    page: &'a Page<'a>,
    end: usize,
    level: Level,
}

impl Line<'_> {
    fn write(mut self, start: usize) -> String {
        let chars = &self.page.chars;
        while self.end > start && chars[self.end - 1].is_whitespace() {
            self.end -= 1;
        }
        let indent = chars[start..self.end].iter().take_while(|c| c.is_whitespace()).count();
        // CommonMark strips leading spaces or makes code of them; a hard space is neither.
        let mut out: String = chars[start..start + indent]
            .iter()
            .map(|c| if *c == '\t' { "\u{a0}\u{a0}\u{a0}\u{a0}" } else { "\u{a0}" })
            .collect();
        let first = start + indent;
        let guard =
            if indent == 0 { block_start(&chars[first..self.end]).map(|at| first + at) } else { None };
        let mut open: Vec<Open> = Vec::new();
        let mut at = first;
        while at < self.end {
            self.turn(&mut open, at, first, &mut out);
            at = self.piece(at, guard, &open, &mut out);
        }
        self.close(&mut open, 0, &mut out);
        out
    }

    /// Closes and opens marks for the character at `at`.
    fn turn(&self, open: &mut Vec<Open>, at: usize, first: usize, out: &mut String) {
        let chars = &self.page.chars;
        if chars[at].is_whitespace() && at > first {
            // Marks must not touch spaces: they end before one unless what follows goes on with them.
            let next = (at..self.end).find(|i| !chars[*i].is_whitespace()).unwrap_or(at);
            let keep = self.common(open, next);
            let here = self.common(open, at);
            self.close(open, keep.min(here), out);
            return;
        }
        let wanted = self.wanted(open, at);
        let keep = open.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
        self.close(open, keep, out);
        for mark in &wanted[keep..] {
            out.push_str(match mark {
                Open::Link(_) => "[",
                Open::Look(_, sign) => sign,
            });
            open.push(*mark);
        }
    }

    fn common(&self, open: &[Open], at: usize) -> usize {
        let wanted = self.wanted(open, at);
        open.iter().zip(&wanted).take_while(|(a, b)| a == b).count()
    }

    fn wanted(&self, open: &[Open], at: usize) -> Vec<Open> {
        let cell = self.page.cells[at];
        let mut wanted = Vec::new();
        if self.level < Level::Blocks {
            return wanted;
        }
        if cell.link != 0 && self.target(cell.link).is_some() {
            wanted.push(Open::Link(cell.link));
        }
        if self.level == Level::All {
            for (look, sign) in [(SPOILER, "||"), (STRIKE, "~~"), (BOLD, "**"), (ITALIC, "_")] {
                if cell.look & look != 0 {
                    let going_on = open.iter().find(|mark| matches!(mark, Open::Look(l, _) if *l == look));
                    let fresh = Open::Look(look, if look == ITALIC { self.italic(at) } else { sign });
                    wanted.push(going_on.copied().unwrap_or(fresh));
                }
            }
        }
        wanted
    }

    /// `_` does not work inside words, `*` runs together with bold's.
    fn italic(&self, at: usize) -> &'static str {
        let chars = &self.page.chars;
        let run = self.page.cells[at..self.end].iter().take_while(|cell| cell.look & ITALIC != 0).count();
        let word = |i: usize| chars.get(i).is_some_and(|c| c.is_alphanumeric());
        if (at > 0 && word(at - 1)) || (at + run < self.end && word(at + run)) { "*" } else { "_" }
    }

    fn close(&self, open: &mut Vec<Open>, keep: usize, out: &mut String) {
        while open.len() > keep {
            match open.pop() {
                Some(Open::Link(nth)) => {
                    out.push_str(&format!("]({})", self.target(nth).unwrap_or_default()));
                }
                Some(Open::Look(_, sign)) => out.push_str(sign),
                None => {}
            }
        }
    }

    /// Writes the code span, the address or the character at `at`; returns what comes after it.
    fn piece(&self, at: usize, guard: Option<usize>, open: &[Open], out: &mut String) -> usize {
        let (chars, cells) = (&self.page.chars, &self.page.cells);
        let run = |field: fn(&Cell) -> usize| {
            let end = (at..self.end).find(|i| field(&cells[*i]) != field(&cells[at])).unwrap_or(self.end);
            (end, chars[at..end].iter().collect::<String>())
        };
        if self.level >= Level::Blocks && cells[at].code != 0 {
            let (end, text) = run(|cell| cell.code);
            if !text.trim().is_empty() {
                out.push_str(&code_span(&text));
                return end;
            }
        }
        if self.level >= Level::Blocks
            && cells[at].url != 0
            && !open.iter().any(|o| matches!(o, Open::Link(_)))
        {
            let (end, text) = run(|cell| cell.url);
            if is_autolink(&text) {
                out.push_str(&format!("<{text}>"));
                return end;
            }
        }
        let in_link = open.iter().any(|o| matches!(o, Open::Link(_)));
        let before = if at > 0 { chars.get(at - 1).copied() } else { None };
        let after = &chars[at + 1..self.end];
        let before_link = chars[at] == '!' && at + 1 < self.end && cells[at + 1].link != 0;
        if guard == Some(at) || before_link || needs_escape(chars[at], before, after, in_link) {
            out.push('\\');
        }
        out.push(chars[at]);
        at + 1
    }

    /// Where a link leads, when it may. `tg://user?id=` and the like are not carried to other platforms.
    fn target(&self, nth: usize) -> Option<String> {
        let Style::Link(target) = &self.page.spans[nth - 1].style else { return None };
        let allowed = ["http://", "https://", "mailto:", "tel:"];
        if !allowed.iter().any(|scheme| target.to_ascii_lowercase().starts_with(scheme)) {
            return None;
        }
        let mut safe = String::with_capacity(target.len());
        for c in target.chars() {
            match c {
                '<' | '>' | '\\' | '(' | ')' | '"' | '`' => safe.push_str(&format!("%{:02X}", u32::from(c))),
                c if c.is_whitespace() || c.is_control() => safe.push_str("%20"),
                c => safe.push(c),
            }
        }
        Some(safe)
    }
}

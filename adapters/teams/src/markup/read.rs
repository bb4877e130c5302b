//! What people write in Teams as CommonMark: their HTML, or plain text. Total on any input.
//!
//! Not here: which of the two is read, and who was mentioned beside the bot (`translate`).

use deskbridge_contract::commonmark::{block_start, is_special};

use super::pieces::{Piece, pieces};
use super::write;

const BOLD: u8 = 1;
const ITALIC: u8 = 2;
const STRIKE: u8 = 4;
const CODE: u8 = 8;

/// Deepest quote or list that is shown as such.
const MAX_DEPTH: usize = 6;

/// Links within links that are told apart; there are none in good HTML.
const MAX_LINKS: usize = 16;
/// Longest address of a link: it is repeated with every run of text in it.
const MAX_HREF: usize = 2048;

/// Plain text, every character of it literal.
pub(crate) fn from_plain(text: &str) -> String {
    let mut page = Page::default();
    for (nth, line) in text.replace("\r\n", "\n").split(['\n', '\r']).enumerate() {
        if nth > 0 {
            page.next_line();
        }
        page.push(line, 0, None);
    }
    page.write()
}

/// HTML of Teams' editor; unknown tags are left out, their text stays. `bot`: the name by which the bot was called in it,
/// which is not part of what was said.
pub(crate) fn from_html(html: &str, bot: Option<&str>) -> String {
    let mut reader = Reader { bot, ..Reader::default() };
    pieces(html, html.match_indices('>').map(|(at, _)| at), |piece| match piece {
        Piece::Text(text) => reader.text(text),
        Piece::Tag(tag) => reader.tag(tag),
    });
    reader.page.write()
}

/// One run of text of one look.
#[derive(Debug, Clone, PartialEq)]
struct Run {
    text: String,
    style: u8,
    link: Option<String>,
}

#[derive(Debug, Default)]
struct Line {
    /// `> `, `- `, `1. ` and blanks before them.
    prefix: String,
    runs: Vec<Run>,
    /// Inside a code block: written as it is.
    code: bool,
    /// A paragraph ends here.
    gap: bool,
}

#[derive(Debug, Default)]
struct Page {
    done: Vec<Line>,
    line: Line,
}

impl Page {
    fn push(&mut self, text: &str, style: u8, link: Option<&str>) {
        if text.is_empty() {
            return;
        }
        let text = text.replace('\0', "\u{fffd}");
        match self.line.runs.last_mut() {
            Some(run) if run.style == style && run.link.as_deref() == link => run.text.push_str(&text),
            _ => self.line.runs.push(Run { text, style, link: link.map(str::to_owned) }),
        }
    }

    fn next_line(&mut self) {
        let (prefix, code) = (self.line.prefix.clone(), self.line.code);
        let line = std::mem::replace(&mut self.line, Line { prefix, code, ..Line::default() });
        self.done.push(line);
    }

    fn blank(&self) -> bool {
        self.line.runs.iter().all(|run| run.text.trim().is_empty())
    }

    /// Ends the line if anything is on it.
    fn end_line(&mut self, gap: bool) {
        if !self.blank() {
            self.next_line();
        }
        self.line.runs.clear();
        if gap && let Some(last) = self.done.last_mut() {
            last.gap = true;
        }
    }

    /// The whole in CommonMark. It is read back: formatting is given up before a character of the text is.
    fn write(mut self) -> String {
        self.next_line();
        let wanted: String =
            self.done.iter().flat_map(|line| line.runs.iter().map(|run| run.text.as_str())).collect();
        let marked = self.render(true);
        let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        if bare(&write::plain(&marked)) == bare(&wanted) { marked } else { self.render(false) }
    }

    fn render(&self, marks: bool) -> String {
        let mut out = String::new();
        let mut fenced = false;
        for (nth, line) in self.done.iter().enumerate() {
            let code = line.code && marks;
            if code != fenced {
                out.push_str("```\n");
                fenced = code;
            }
            if code {
                line.runs.iter().for_each(|run| out.push_str(&run.text));
            } else {
                if marks {
                    out.push_str(&line.prefix);
                }
                out.push_str(&inline(&line.runs, marks));
            }
            out.push('\n');
            if line.gap && !code {
                // A quote that goes on does so over an empty line of its own.
                let quotes = |line: Option<&Line>| line.map_or(0, |line| line.prefix.matches('>').count());
                let on = quotes(Some(line)).min(quotes(self.done.get(nth + 1)));
                out.push_str("> ".repeat(if marks { on } else { 0 }).trim_end());
                out.push('\n');
            }
        }
        if fenced {
            out.push_str("```");
        }
        out.trim_end_matches(['\n', ' ']).trim_start_matches('\n').to_owned()
    }
}

fn inline(runs: &[Run], marks: bool) -> String {
    let mut out = String::new();
    let all: Vec<char> = runs.iter().flat_map(|run| run.text.chars()).collect();
    let lead = all.iter().take_while(|c| c.is_whitespace()).count();
    let block = all.get(lead..).filter(|rest| !rest.is_empty()).and_then(block_start).map(|at| lead + at);
    let mut at = 0_usize;
    for run in runs {
        let mut words = String::new();
        let code = run.style & CODE != 0 && marks && !run.text.contains('`');
        for c in run.text.chars() {
            let before = at.checked_sub(1).and_then(|before| all.get(before)).copied();
            let after = all.get(at + 1..).unwrap_or(&[]);
            // A bracket in a link would end it; a bar alone means nothing.
            let special =
                is_special(c, before, after) || block == Some(at) || (c == ']' && run.link.is_some());
            if special && !code {
                words.push('\\');
            }
            words.push(if c.is_whitespace() { ' ' } else { c });
            at += 1;
        }
        out.push_str(&dressed(&words, run, marks, code));
    }
    // Blanks at the ends of a line mean something; those of people do not.
    out.trim_matches(' ').to_owned()
}

/// A run in its marks; blanks at its ends stay outside of them.
fn dressed(words: &str, run: &Run, marks: bool, code: bool) -> String {
    let core = words.trim();
    if !marks || core.is_empty() {
        return words.to_owned();
    }
    let (lead, tail) = (words.len() - words.trim_start().len(), words.trim_end().len());
    let mut dressed = if code { format!("`{core}`") } else { core.to_owned() };
    if let Some(link) = &run.link {
        dressed = format!("[{dressed}](<{link}>)");
    }
    for (bit, mark) in [(STRIKE, "~~"), (ITALIC, "*"), (BOLD, "**")] {
        if run.style & bit != 0 {
            dressed = format!("{mark}{dressed}{mark}");
        }
    }
    format!("{}{dressed}{}", &words[..lead], &words[tail..])
}

#[derive(Default)]
struct Reader<'a> {
    page: Page,
    bot: Option<&'a str>,
    bold: usize,
    italic: usize,
    strike: usize,
    code: usize,
    pre: usize,
    links: Vec<Option<String>>,
    /// `None`: bullets; else the number of the next item.
    lists: Vec<Option<u64>>,
    quotes: usize,
    /// The text of a mention that is open.
    mention: Option<String>,
    mention_tag: String,
}

impl Reader<'_> {
    fn text(&mut self, raw: &str) {
        if raw.is_empty() {
            return;
        }
        let text = decode(raw);
        if let Some(name) = &mut self.mention {
            name.push_str(&text);
            return;
        }
        if self.pre > 0 {
            for (nth, line) in text.replace("\r\n", "\n").split('\n').enumerate() {
                if nth > 0 {
                    self.page.next_line();
                }
                self.page.push(line, 0, None);
            }
            return;
        }
        let mut folded = String::with_capacity(text.len());
        for c in text.chars() {
            // White space of the source is one blank; the ones that people typed come as `&nbsp;`.
            if c.is_ascii_whitespace() {
                if !folded.ends_with(' ') {
                    folded.push(' ');
                }
            } else {
                folded.push(c);
            }
        }
        if self.page.line.runs.is_empty() && folded.trim_matches(' ').is_empty() {
            return;
        }
        let look = |on: usize, bit| if on > 0 { bit } else { 0 };
        let style = look(self.bold, BOLD)
            | look(self.italic, ITALIC)
            | look(self.strike, STRIKE)
            | look(self.code, CODE);
        let link = self.links.iter().rev().find_map(|link| link.clone());
        self.page.push(&folded, style, link.as_deref());
    }

    fn tag(&mut self, raw: &str) {
        let (closes, body) = match raw.strip_prefix('/') {
            Some(body) => (true, body),
            None => (false, raw),
        };
        let end = body.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(body.len());
        let name = body[..end].to_ascii_lowercase();
        let open = |count: &mut usize| *count = if closes { count.saturating_sub(1) } else { *count + 1 };
        match name.as_str() {
            "b" | "strong" => open(&mut self.bold),
            "i" | "em" => open(&mut self.italic),
            "s" | "strike" | "del" => open(&mut self.strike),
            "code" => open(&mut self.code),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.page.end_line(true);
                open(&mut self.bold);
            }
            "br" if self.mention.is_none() => self.page.next_line(),
            "p" => self.page.end_line(true),
            "div" | "tr" | "table" => self.page.end_line(false),
            "td" | "th" if closes => self.page.push(" ", 0, None),
            "hr" => self.page.end_line(true),
            "pre" | "codeblock" => self.code_block(closes),
            "blockquote" => self.quote(closes),
            "ul" | "ol" => self.list(closes, name == "ol"),
            "li" if !closes => self.item(),
            "a" => self.link(closes, body),
            "img" => {
                let alt = attribute(body, "alt").unwrap_or_default();
                self.text(&alt);
            }
            "at" | "span" => self.mention(closes, &name, body),
            _ => {}
        }
    }

    fn code_block(&mut self, closes: bool) {
        self.page.end_line(true);
        self.pre = if closes { self.pre.saturating_sub(1) } else { self.pre + 1 };
        self.page.line.code = self.pre > 0;
        self.page.line.prefix = if self.pre > 0 { String::new() } else { self.prefix(None) };
    }

    fn quote(&mut self, closes: bool) {
        self.page.end_line(true);
        self.quotes = if closes { self.quotes.saturating_sub(1) } else { self.quotes + 1 };
        self.page.line.prefix = self.prefix(None);
    }

    fn list(&mut self, closes: bool, numbered: bool) {
        self.page.end_line(closes && self.lists.len() <= 1);
        if closes {
            self.lists.pop();
        } else {
            // A paragraph before a list ends there.
            if self.lists.is_empty()
                && let Some(last) = self.page.done.last_mut()
            {
                last.gap = true;
            }
            self.lists.push(numbered.then_some(1));
        }
        self.page.line.prefix = self.prefix(None);
    }

    fn item(&mut self) {
        self.page.end_line(false);
        let sign = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            _ => "- ".to_owned(),
        };
        self.page.line.prefix = self.prefix(Some(&sign));
    }

    fn prefix(&self, item: Option<&str>) -> String {
        let quotes = "> ".repeat(self.quotes.min(MAX_DEPTH));
        let depth = self.lists.len().min(MAX_DEPTH);
        match item {
            Some(sign) => format!("{quotes}{}{sign}", "   ".repeat(depth.saturating_sub(1))),
            None => format!("{quotes}{}", "   ".repeat(depth)),
        }
    }

    fn link(&mut self, closes: bool, body: &str) {
        if closes {
            self.links.pop();
            return;
        }
        if self.links.len() >= MAX_LINKS {
            return;
        }
        let to = attribute(body, "href").filter(|to| to.len() <= MAX_HREF).filter(|to| {
            let web = ["https://", "http://", "mailto:"].iter().any(|scheme| to.starts_with(scheme));
            web && !to.contains(|c: char| c.is_control() || c.is_whitespace() || "<>\\".contains(c))
        });
        self.links.push(to);
    }

    /// A person is shown with `@`; the bot's own name goes away.
    fn mention(&mut self, closes: bool, name: &str, body: &str) {
        if !closes {
            let is_mention = name == "at" || body.contains("schema.skype.com/Mention");
            if is_mention && self.mention.is_none() {
                self.mention = Some(String::new());
                self.mention_tag = name.to_owned();
            }
            return;
        }
        if self.mention_tag != name {
            return;
        }
        let Some(called) = self.mention.take() else { return };
        if self.bot.is_some_and(|bot| bot.trim() == called.trim()) {
            return;
        }
        self.page.push(&format!("@{}", called.trim()), 0, None);
    }
}

/// The value of an attribute of a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let mut from = 0;
    loop {
        let at = from + lower.get(from..)?.find(name)?;
        from = at + name.len();
        let bounded = lower[..at].ends_with(|c: char| c.is_whitespace() || c == '"' || c == '\'');
        let Some(value) = tag.get(from..)?.trim_start().strip_prefix('=') else { continue };
        if !bounded {
            continue;
        }
        let value = value.trim_start();
        let inner = match value.chars().next()? {
            quote @ ('"' | '\'') => value[1..].split(quote).next()?,
            _ => value.split(|c: char| c.is_whitespace()).next()?,
        };
        return Some(decode(inner));
    }
}

/// Character references; what is none stays.
fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.char_indices().take(12).find(|(_, c)| *c == ';').map(|(end, _)| end);
        match end.and_then(|end| Some((reference(&rest[1..end])?, end))) {
            Some((c, end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn reference(name: &str) -> Option<char> {
    let code = match name.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        },
        None => {
            return Some(match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                "nbsp" => '\u{a0}',
                _ => return None,
            });
        }
    };
    char::from_u32(code).map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c })
}

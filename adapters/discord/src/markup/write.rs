//! CommonMark as Discord's Markdown.
//!
//! Not here: splitting (`split.rs`). "Markdown Text 101" and the open parsers of the client say what means something:
//! every such sign of a person's is escaped, and what cannot be escaped is broken by a character without width.

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};
use std::ops::Range;
use url::Url;

use super::escape::{address, code_span, guard, pair_spoilers, plain};
use super::{PIPE, ZERO_WIDTH_SPACE};

/// Deepest list that is shown by its indentation.
const MAX_DEPTH: usize = 4;

/// CommonMark (with strikethrough, tables, task lists and `||spoilers||`) as Discord's Markdown.
pub(crate) fn to_discord(source: &str) -> String {
    let source = source.replace([PIPE, '\0'], "\u{fffd}");
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS;
    let mut writer = Writer { source: &source, ..Writer::default() };
    for (event, range) in Parser::new_ext(&source, options).into_offset_iter() {
        writer.event(event, range);
    }
    let fronts = std::mem::take(&mut writer.fronts);
    for front in fronts.into_iter().rev() {
        // A link that was written anew may have made it shorter.
        if writer.out.is_char_boundary(front) {
            guard(&mut writer.out, front);
        }
    }
    pair_spoilers(writer.out.trim_end())
}

#[derive(Default)]
struct Writer<'a> {
    source: &'a str,
    out: String,
    /// Line breaks to write before the next text: 1 ends a line, 2 leaves one empty.
    breaks: usize,
    lists: Vec<Option<u64>>,
    quotes: usize,
    code: bool,
    /// Nothing but prefixes stands on the line.
    fresh: bool,
    /// Set while a heading is open.
    heading: Option<&'static str>,
    links: Vec<Link>,
    cells: usize,
    /// Signs of styles that are open and have not been written yet: an empty style is none.
    pending: Vec<&'static str>,
    written: Vec<&'static str>,
    /// Where the previous text of the source ended: a backslash before that is not an escape.
    seen: usize,
    /// Where in `out` words begin a line.
    fronts: Vec<usize>,
}

struct Link {
    target: Option<Url>,
    /// Where its words begin in `out`.
    start: usize,
    auto: bool,
}

impl Writer<'_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text, &range),
            Event::Code(text) => {
                self.flush();
                self.out.push_str(&code_span(&text));
                self.fresh = false;
            }
            Event::SoftBreak | Event::HardBreak => self.new_line(),
            Event::Rule => {
                self.at_least(2);
                self.flush();
                self.out.push_str("———");
                self.at_least(2);
            }
            Event::TaskListMarker(done) => {
                self.flush();
                self.out.push_str(if done { "☑ " } else { "☐ " });
                self.fresh = false;
            }
            // Raw HTML is text: nothing here interprets it.
            Event::Html(text)
            | Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::FootnoteReference(text) => self.put(&text),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => self.open_heading(level as usize),
            // What is bold in a bold heading is no bolder; its signs would end the heading's.
            Tag::Strong if self.heading != Some("**") => self.enter("**"),
            Tag::Emphasis => self.enter("*"),
            Tag::Strikethrough => self.enter("~~"),
            Tag::BlockQuote(_) => {
                self.breaks = self.breaks.max(1);
                self.flush_breaks();
                self.quotes += 1;
                self.prefix_here();
            }
            Tag::CodeBlock(kind) => self.open_code(&kind),
            Tag::List(first) => {
                self.at_least(1);
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::Link { link_type, dest_url, .. } => self.open_link(link_type, &dest_url),
            Tag::Image { dest_url, .. } => {
                // Remote images are never loaded (S49): the picture becomes a link.
                self.put("🖼 ");
                self.open_link(LinkType::Inline, &dest_url);
            }
            Tag::TableHead | Tag::TableRow => {
                self.at_least(1);
                self.cells = 0;
            }
            Tag::TableCell => {
                self.cells += 1;
                if self.cells > 1 {
                    self.flush();
                    self.out.push_str(" \\| ");
                }
            }
            _ => {}
        }
    }

    /// Discord has three sizes, and none within a list.
    fn open_heading(&mut self, level: usize) {
        self.flush();
        let signs = match level {
            1 => "# ",
            2 => "## ",
            3 => "### ",
            _ => "",
        };
        if signs.is_empty() || !self.lists.is_empty() {
            self.enter("**");
            self.heading = Some("**");
        } else {
            self.out.push_str(signs);
            self.heading = Some("");
        }
    }

    fn open_code(&mut self, kind: &CodeBlockKind<'_>) {
        self.at_least(1);
        self.flush();
        let language = match kind {
            CodeBlockKind::Fenced(info) => info.split_whitespace().next().unwrap_or_default(),
            CodeBlockKind::Indented => "",
        };
        let sound = |c: char| c.is_ascii_alphanumeric() || "_+-.#".contains(c);
        let language: String = language.chars().take(20).filter(|c| sound(*c)).collect();
        self.out.push_str("```");
        self.out.push_str(&language);
        self.new_line();
        self.code = true;
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Table => self.at_least(2),
            TagEnd::Heading(_) => {
                if self.heading.take() == Some("**") {
                    self.leave("**");
                }
                self.at_least(1);
            }
            TagEnd::Strong if self.heading != Some("**") => self.leave("**"),
            TagEnd::Emphasis => self.leave("*"),
            TagEnd::Strikethrough => self.leave("~~"),
            TagEnd::Link | TagEnd::Image => self.close_link(),
            TagEnd::BlockQuote(_) => {
                self.quotes = self.quotes.saturating_sub(1);
                // A quote goes on over an empty line only by its own sign: one break ends it.
                self.breaks = if self.quotes == 0 { 1 } else { 2 };
            }
            TagEnd::CodeBlock => {
                self.code = false;
                if !self.fresh {
                    self.new_line();
                }
                self.out.push_str("```");
                self.fresh = false;
                self.breaks = 1;
            }
            TagEnd::Item | TagEnd::HtmlBlock => self.breaks = 1,
            TagEnd::List(_) => {
                self.lists.pop();
                self.breaks = if self.lists.is_empty() { 2 } else { 1 };
            }
            _ => {}
        }
    }

    fn item(&mut self) {
        self.at_least(1);
        self.flush_breaks();
        let depth = self.lists.len().saturating_sub(1).min(MAX_DEPTH);
        self.out.push_str(&"  ".repeat(depth));
        match self.lists.last_mut() {
            Some(Some(number)) => {
                let marker = format!("{number}. ");
                *number = number.saturating_add(1);
                self.out.push_str(&marker);
            }
            _ => self.out.push_str("- "),
        }
        self.fresh = true;
    }

    fn text(&mut self, text: &str, range: &Range<usize>) {
        if self.code {
            for (nth, line) in text.split('\n').enumerate() {
                if nth > 0 {
                    self.new_line();
                }
                // A fence within would end the block.
                let line = line.replace("```", &format!("``{ZERO_WIDTH_SPACE}`"));
                self.fresh = self.fresh && line.is_empty();
                self.out.push_str(&line);
            }
            return;
        }
        let source = self.source;
        let literal = source.get(range.clone()) == Some(text);
        let escaped = range.start > self.seen && source[..range.start].ends_with('\\');
        let bars: String = if literal && text.contains("||") {
            let keep = usize::from(escaped && text.starts_with('|'));
            let (head, rest) = text.split_at(keep);
            format!("{head}{}", rest.replace("||", &format!("{PIPE}{PIPE}")))
        } else {
            text.to_owned()
        };
        self.seen = range.end;
        self.put(&bars);
    }

    fn put(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.flush();
        for (nth, line) in text.split('\n').enumerate() {
            if nth > 0 {
                self.new_line();
            }
            let before = self.out.chars().last().filter(|_| !self.fresh);
            let from = self.out.len();
            plain(line, before, &mut self.out);
            if self.fresh && self.fronts.last() != Some(&from) {
                self.fronts.push(from);
            }
            self.fresh = self.fresh && line.is_empty();
        }
    }

    fn open_link(&mut self, kind: LinkType, target: &str) {
        self.flush();
        let auto = matches!(kind, LinkType::Autolink | LinkType::Email);
        // Other schemes do nothing good: their text stays, the link goes.
        let url = Url::parse(target).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        self.links.push(Link { target: url, start: self.out.len(), auto });
    }

    fn close_link(&mut self) {
        let Some(link) = self.links.pop() else { return };
        let Some(target) = link.target else { return };
        let target = address(&target);
        let words = self.out[link.start.min(self.out.len())..].to_owned();
        if link.auto || words.trim().is_empty() {
            self.out.truncate(link.start);
            self.out.push_str(&target);
        } else if words.contains("://") || words.contains('[') || words.contains(']') || words.contains('\n')
        {
            // Discord refuses to mask an address by another one: both are shown.
            self.out.push_str(&format!(" (<{target}>)"));
        } else {
            self.out.truncate(link.start);
            self.out.push_str(&format!("[{words}](<{target}>)"));
        }
        self.fresh = false;
    }

    fn enter(&mut self, sign: &'static str) {
        self.flush_breaks();
        self.pending.push(sign);
    }

    fn leave(&mut self, sign: &'static str) {
        if self.pending.last() == Some(&sign) {
            self.pending.pop();
        } else if self.written.last() == Some(&sign) {
            self.written.pop();
            self.out.push_str(sign);
        }
    }

    fn new_line(&mut self) {
        self.out.push('\n');
        self.prefix_here();
        if !self.code && !self.lists.is_empty() {
            self.out.push_str(&"  ".repeat(self.lists.len().min(MAX_DEPTH)));
        }
        self.fresh = true;
    }

    fn prefix_here(&mut self) {
        // Discord knows one level of quotes.
        if self.quotes > 0 && (self.out.is_empty() || self.out.ends_with('\n')) {
            self.out.push_str("> ");
        }
        self.fresh = true;
    }

    fn at_least(&mut self, breaks: usize) {
        self.breaks = self.breaks.max(breaks);
    }

    fn flush_breaks(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("> ") {
            for _ in 0..self.breaks {
                self.out.push('\n');
                self.prefix_here();
            }
        }
        if self.out.is_empty() {
            self.fresh = true;
        }
        self.breaks = 0;
    }

    fn flush(&mut self) {
        self.flush_breaks();
        for sign in std::mem::take(&mut self.pending) {
            self.out.push_str(sign);
            self.written.push(sign);
            self.fresh = false;
        }
    }
}

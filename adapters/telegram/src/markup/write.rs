//! CommonMark as Telegram text: an event stream becomes literal text and entities.
//!
//! Not here: rules about entities as such, and keeping `@name` from pinging (`Draft::finish`).

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};
use std::ops::Range;
use teloxide_core::types::MessageEntityKind as Kind;
use url::Url;

use super::{Draft, Formatted, PIPE};

/// CommonMark (with strikethrough, tables, task lists and `||spoilers||`) as text and entities.
pub(crate) fn from_commonmark(source: &str) -> Formatted {
    let source = source.replace([PIPE, '\0'], "\u{fffd}");
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS;
    let mut writer = Writer { source: &source, ..Writer::default() };
    for (event, range) in Parser::new_ext(&source, options).into_offset_iter() {
        writer.event(event, range);
    }
    writer.draft.finish()
}

#[derive(Default)]
struct Writer<'a> {
    source: &'a str,
    draft: Draft,
    /// Line breaks to write before the next text: 1 ends a line, 2 leaves one empty.
    breaks: usize,
    /// Entities that are open, innermost last; `None` for those that are not shown.
    open: Vec<Option<(Kind, usize)>>,
    /// The next number of every open list; `None` for bullets.
    lists: Vec<Option<u64>>,
    quotes: usize,
    in_code: bool,
    cells: usize,
    /// Where the previous text of the source ended: a backslash before that is not an escape.
    seen: usize,
}

impl Writer<'_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text, &range),
            Event::Code(text) => {
                self.flush();
                self.draft.styled(Kind::Code, &text);
            }
            Event::SoftBreak | Event::HardBreak => {
                self.flush();
                self.draft.push("\n");
                self.draft.push(&"  ".repeat(self.lists.len()));
            }
            Event::Rule => {
                self.at_least(2);
                self.flush();
                self.draft.push("———");
                self.at_least(2);
            }
            Event::TaskListMarker(done) => {
                self.flush();
                self.draft.push(if done { "☑ " } else { "☐ " });
            }
            // Raw HTML is text: nothing here interprets it.
            Event::Html(text) | Event::InlineHtml(text) => {
                self.flush();
                self.draft.push(&text);
            }
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.flush();
                self.draft.push(&text);
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { .. } => self.enter(Kind::Bold),
            Tag::Strong => self.enter(Kind::Bold),
            Tag::Emphasis => self.enter(Kind::Italic),
            Tag::Strikethrough => self.enter(Kind::Strikethrough),
            // Both are blocks on the screen: an empty line around them would be one too many.
            Tag::BlockQuote(_) => {
                self.breaks = 1;
                self.quotes += 1;
                if self.quotes == 1 { self.enter(Kind::Blockquote) } else { self.open.push(None) }
            }
            Tag::CodeBlock(kind) => {
                self.breaks = 1;
                let language = match kind {
                    CodeBlockKind::Fenced(info) => {
                        info.split_whitespace().next().filter(|word| !word.is_empty()).map(str::to_owned)
                    }
                    CodeBlockKind::Indented => None,
                };
                self.in_code = true;
                self.enter(Kind::Pre { language });
            }
            Tag::List(first) => {
                self.at_least(1);
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::Link { link_type, dest_url, .. } => {
                let shown = link(link_type, &dest_url);
                self.flush();
                let start = self.draft.units;
                self.open.push(shown.map(|url| (Kind::TextLink { url }, start)));
            }
            Tag::Image { dest_url, .. } => {
                // Remote images are never loaded (S49): the picture becomes a link.
                self.flush();
                self.draft.push("🖼 ");
                let start = self.draft.units;
                self.open.push(link(LinkType::Inline, &dest_url).map(|url| (Kind::TextLink { url }, start)));
            }
            Tag::TableHead | Tag::TableRow => {
                self.at_least(1);
                self.cells = 0;
            }
            Tag::TableCell => {
                self.cells += 1;
                if self.cells > 1 {
                    self.flush();
                    self.draft.push(" | ");
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.at_least(2),
            TagEnd::Heading(_) => {
                self.leave();
                self.at_least(2);
            }
            TagEnd::Strong | TagEnd::Emphasis | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image => {
                self.leave()
            }
            TagEnd::BlockQuote(_) => {
                self.quotes -= 1;
                self.leave();
                self.breaks = 1;
            }
            TagEnd::CodeBlock => {
                self.in_code = false;
                self.draft.unbreak();
                self.leave();
                self.breaks = 1;
            }
            TagEnd::Item => self.breaks = 1,
            TagEnd::List(_) => {
                self.lists.pop();
                self.breaks = if self.lists.is_empty() { 2 } else { 1 };
            }
            TagEnd::HtmlBlock => self.at_least(1),
            TagEnd::Table => self.at_least(2),
            _ => {}
        }
    }

    fn item(&mut self) {
        self.at_least(1);
        self.flush();
        let depth = self.lists.len().saturating_sub(1);
        self.draft.push(&"  ".repeat(depth));
        match self.lists.last_mut() {
            Some(Some(number)) => {
                let marker = format!("{number}. ");
                *number = number.saturating_add(1);
                self.draft.push(&marker);
            }
            _ => self.draft.push(if depth == 0 { "• " } else { "◦ " }),
        }
    }

    fn text(&mut self, text: &str, range: &Range<usize>) {
        self.flush();
        if self.in_code {
            self.draft.push(text);
            return;
        }
        let source = self.source;
        let literal = source.get(range.clone()) == Some(text);
        let escaped = range.start > self.seen && source[..range.start].ends_with('\\');
        for (nth, c) in text.chars().enumerate() {
            let bar = c == '|' && literal && !(nth == 0 && escaped);
            self.draft.put(if bar { PIPE } else { c });
        }
        self.seen = range.end;
    }

    fn enter(&mut self, kind: Kind) {
        self.flush();
        self.open.push(Some((kind, self.draft.units)));
    }

    fn leave(&mut self) {
        if let Some(Some((kind, start))) = self.open.pop() {
            self.draft.mark(kind, start);
        }
    }

    fn at_least(&mut self, breaks: usize) {
        self.breaks = self.breaks.max(breaks);
    }

    fn flush(&mut self) {
        if !self.draft.is_empty() {
            self.draft.push(&"\n".repeat(self.breaks));
        }
        self.breaks = 0;
    }
}

/// Where a link may lead. `tg://user?id=` would mention a person, other schemes do nothing good: their text stays, the
/// link goes. An address that is its own text is found by Telegram itself.
fn link(kind: LinkType, target: &str) -> Option<Url> {
    if matches!(kind, LinkType::Autolink | LinkType::Email) {
        return None;
    }
    let url = Url::parse(target).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

//! CommonMark by its parts: with strikethrough, tables and task lists. HTML is text.
//!
//! Not here: writing it for Slack.

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::doc::{self, BOLD, Block, CODE, Doc, ITALIC, Look, Run, STRIKE};
use super::table::Table;

/// Containers deeper than this are taken as if they were not nested: Slack shows no more, and nothing here may recurse
/// without end.
const MAX_DEPTH: usize = 24;

pub(crate) fn parse(source: &str) -> Doc {
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS;
    let mut builder = Builder { stack: vec![Frame::Page(Vec::new())], ..Builder::default() };
    for event in Parser::new_ext(source, options) {
        builder.event(event);
    }
    builder.finish()
}

enum Frame {
    Page(Vec<Block>),
    Quote(Vec<Block>),
    List {
        first: Option<u64>,
        items: Vec<Vec<Block>>,
    },
    Item(Vec<Block>),
    /// Too deep: what is in it belongs to the container around it.
    Flat,
}

#[derive(Default)]
struct Builder {
    stack: Vec<Frame>,
    runs: Vec<Run>,
    looks: Vec<Look>,
    /// Open links; `None` for those that lead nowhere we may point to.
    links: Vec<Option<String>>,
    code: Option<(Option<String>, String)>,
    table: Option<Table>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some((_, code)) => code.push_str(&text),
                None => self.text(&text, Look::default()),
            },
            Event::Code(text) => self.text(&text, CODE),
            Event::SoftBreak | Event::HardBreak => self.text("\n", Look::default()),
            Event::Rule => {
                self.close_text();
                self.add(Block::Text(vec![Run::plain("———")]));
            }
            Event::Html(text) | Event::InlineHtml(text) => self.text(&text, Look::default()),
            Event::TaskListMarker(done) => self.text(if done { "☑ " } else { "☐ " }, Look::default()),
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.text(&text, Look::default());
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { .. } => {
                self.close_text();
                self.looks.push(BOLD);
            }
            Tag::Strong => self.looks.push(BOLD),
            Tag::Emphasis => self.looks.push(ITALIC),
            Tag::Strikethrough => self.looks.push(STRIKE),
            Tag::BlockQuote(_) => self.open(Frame::Quote(Vec::new())),
            Tag::List(first) => self.open(Frame::List { first, items: Vec::new() }),
            Tag::Item => self.open(Frame::Item(Vec::new())),
            Tag::CodeBlock(kind) => {
                self.close_text();
                let language = match kind {
                    CodeBlockKind::Fenced(info) => {
                        info.split_whitespace().next().filter(|word| !word.is_empty()).map(str::to_owned)
                    }
                    CodeBlockKind::Indented => None,
                };
                self.code = Some((language, String::new()));
            }
            Tag::Link { link_type, dest_url, .. } => {
                let target = match link_type {
                    LinkType::Email => format!("mailto:{dest_url}"),
                    _ => dest_url.to_string(),
                };
                self.links.push(doc::address(&target));
            }
            Tag::Image { dest_url, .. } => {
                // Remote pictures are never loaded (S49): the picture becomes a link.
                self.links.push(doc::address(&dest_url));
                self.text("🖼 ", Look::default());
            }
            Tag::Table(_) => {
                self.close_text();
                self.table = Some(Table::default());
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.row();
                }
            }
            Tag::Paragraph => self.close_text(),
            Tag::TableCell
            | Tag::HtmlBlock
            | Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.close_text(),
            TagEnd::Heading(_) => {
                self.close_text();
                self.looks.pop();
            }
            TagEnd::Strong | TagEnd::Emphasis | TagEnd::Strikethrough => {
                self.looks.pop();
            }
            TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item => self.close(),
            TagEnd::CodeBlock => {
                if let Some((language, text)) = self.code.take() {
                    self.add(Block::code(language, text.strip_suffix('\n').unwrap_or(&text)));
                }
            }
            TagEnd::Link | TagEnd::Image => {
                self.links.pop();
            }
            TagEnd::TableCell => {
                let cell = doc::honest(std::mem::take(&mut self.runs));
                if let Some(table) = &mut self.table {
                    table.cell(cell);
                }
            }
            TagEnd::Table => {
                if let Some(table) = self.table.take() {
                    self.add(table.into_block());
                }
            }
            TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::MetadataBlock(_) => {}
        }
    }

    fn text(&mut self, text: &str, look: Look) {
        let look = self.looks.iter().fold(look, |sum, look| sum.with(*look));
        let link = self.links.iter().rev().find_map(Clone::clone);
        doc::push(&mut self.runs, Run { text: text.to_owned(), look, link });
    }

    fn open(&mut self, frame: Frame) {
        self.close_text();
        let deep = self.stack.len() >= MAX_DEPTH;
        self.stack.push(if deep { Frame::Flat } else { frame });
    }

    fn close(&mut self) {
        self.close_text();
        match self.stack.pop() {
            Some(Frame::Quote(blocks)) if !blocks.is_empty() => self.add(Block::Quote(blocks)),
            Some(Frame::List { first, items }) if !items.is_empty() => self.add(Block::List { first, items }),
            Some(Frame::Item(blocks)) => self.add_item(blocks),
            Some(Frame::Page(blocks)) => self.stack.push(Frame::Page(blocks)),
            Some(Frame::Quote(_) | Frame::List { .. } | Frame::Flat) | None => {}
        }
    }

    fn close_text(&mut self) {
        let runs = doc::honest(doc::trimmed(std::mem::take(&mut self.runs)));
        if !runs.is_empty() {
            self.add(Block::Text(runs));
        }
    }

    fn add(&mut self, block: Block) {
        for frame in self.stack.iter_mut().rev() {
            match frame {
                Frame::Page(blocks) | Frame::Quote(blocks) | Frame::Item(blocks) => {
                    blocks.push(block);
                    return;
                }
                Frame::List { .. } | Frame::Flat => {}
            }
        }
    }

    fn add_item(&mut self, blocks: Vec<Block>) {
        match self.stack.last_mut() {
            Some(Frame::List { items, .. }) => items.push(blocks),
            _ => blocks.into_iter().for_each(|block| self.add(block)),
        }
    }

    fn finish(mut self) -> Doc {
        while self.stack.len() > 1 {
            self.close();
        }
        self.close_text();
        match self.stack.pop() {
            Some(Frame::Page(blocks)) => Doc(blocks),
            _ => Doc::default(),
        }
    }
}

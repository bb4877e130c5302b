//! CommonMark as Teams' HTML, and as plain words.
//!
//! Not here: cards, whose text blocks have a Markdown of their own (`cards.rs`).

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

fn parse(source: &str) -> Parser<'_> {
    Parser::new_ext(
        source,
        Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS,
    )
}

/// Text as text: no mark of it means anything, and double blanks stay.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut blank = false;
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            ' ' if blank => out.push_str("&nbsp;"),
            // Not allowed in XML, and seen by nobody.
            c if c.is_control() && !matches!(c, '\n' | '\t') => {}
            c => out.push(c),
        }
        blank = c == ' ';
    }
    out
}

/// Whether a link leads where it says; others are shown as their text.
fn sound(link: &str) -> bool {
    let scheme = link.split(':').next().unwrap_or_default().to_ascii_lowercase();
    matches!(scheme.as_str(), "http" | "https" | "mailto") && !link.contains(char::is_control)
}

/// CommonMark as HTML of the kinds that Teams shows in messages of bots.
pub(crate) fn to_html(source: &str) -> String {
    let mut writer = Writer::default();
    for event in parse(source) {
        writer.event(event);
    }
    writer.out.trim_end_matches("<br>").to_owned()
}

#[derive(Default)]
struct Writer {
    out: String,
    /// Links that are open; false: not shown as one.
    links: Vec<bool>,
    in_code: bool,
    cells: usize,
}

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.in_code => self.out.push_str(&escape(&text)),
            Event::Text(text) => self.text(&text),
            Event::Code(text) => {
                let text = escape(&text);
                self.out.push_str(&format!("<code>{text}</code>"));
            }
            Event::SoftBreak | Event::HardBreak => self.out.push_str("<br>"),
            Event::Rule => self.out.push_str("<p>———</p>"),
            Event::TaskListMarker(done) => self.out.push_str(if done { "☑ " } else { "☐ " }),
            // Raw HTML is text: nothing here interprets it.
            Event::Html(text)
            | Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::FootnoteReference(text) => self.text(&text),
        }
    }

    fn text(&mut self, text: &str) {
        let text = escape(text);
        self.out.push_str(&text.replace('\n', "<br>"));
    }

    fn start(&mut self, tag: Tag<'_>) {
        let mark = match tag {
            Tag::Paragraph | Tag::HtmlBlock => "<p>",
            Tag::Heading { .. } => "<p><b>",
            Tag::Strong => "<b>",
            Tag::Emphasis => "<i>",
            Tag::Strikethrough => "<s>",
            Tag::BlockQuote(_) => "<blockquote>",
            Tag::CodeBlock(_) => {
                self.in_code = true;
                "<pre>"
            }
            Tag::List(None) => "<ul>",
            Tag::List(Some(first)) => {
                self.out.push_str(&if first == 1 {
                    "<ol>".to_owned()
                } else {
                    format!("<ol start=\"{first}\">")
                });
                ""
            }
            Tag::Item => "<li>",
            Tag::TableHead => {
                self.cells = 0;
                "<p><b>"
            }
            Tag::TableRow => {
                self.cells = 0;
                "<p>"
            }
            Tag::TableCell => {
                self.cells += 1;
                if self.cells > 1 { " | " } else { "" }
            }
            Tag::Link { dest_url, link_type, .. } => return self.link(&dest_url, link_type),
            _ => "",
        };
        self.out.push_str(mark);
    }

    fn link(&mut self, to: &CowStr<'_>, kind: LinkType) {
        let to = if kind == LinkType::Email { format!("mailto:{to}") } else { to.to_string() };
        let shown = sound(&to);
        if shown {
            self.out.push_str(&format!("<a href=\"{}\">", escape(&to)));
        }
        self.links.push(shown);
    }

    fn end(&mut self, tag: TagEnd) {
        let mark = match tag {
            TagEnd::Paragraph | TagEnd::TableRow | TagEnd::HtmlBlock => "</p>",
            TagEnd::Heading(_) | TagEnd::TableHead => "</b></p>",
            TagEnd::Strong => "</b>",
            TagEnd::Emphasis => "</i>",
            TagEnd::Strikethrough => "</s>",
            TagEnd::BlockQuote(_) => "</blockquote>",
            TagEnd::CodeBlock => {
                self.in_code = false;
                while self.out.ends_with('\n') {
                    self.out.pop();
                }
                "</pre>"
            }
            TagEnd::List(true) => "</ol>",
            TagEnd::List(false) => "</ul>",
            TagEnd::Item => "</li>",
            TagEnd::Link if self.links.pop() == Some(true) => "</a>",
            _ => "",
        };
        self.out.push_str(mark);
    }
}

/// The words of a CommonMark text, without any mark.
pub(crate) fn plain(source: &str) -> String {
    let mut out = String::new();
    for event in parse(source) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                out.push_str(&text)
            }
            Event::SoftBreak | Event::HardBreak => out.push('\n'),
            Event::End(
                TagEnd::Paragraph
                | TagEnd::Heading(_)
                | TagEnd::Item
                | TagEnd::TableRow
                | TagEnd::TableHead
                | TagEnd::CodeBlock,
            ) if !out.ends_with('\n') => out.push('\n'),
            Event::End(TagEnd::TableCell) => out.push(' '),
            _ => {}
        }
    }
    out.trim_end().to_owned()
}

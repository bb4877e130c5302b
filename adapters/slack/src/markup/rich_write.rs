//! A text as a `rich_text` block ("Rich text block"): literal words with their look, so nothing in them can be markup,
//! a mention or a name of an emoji.
//!
//! Not here: the text beside it that notifications show ([`super::write`]).

use serde_json::{Map, Value, json};

use super::doc::{BOLD, CODE, ITALIC, Look, Run, STRIKE, push};
use super::flow::{Flow, Piece, Sign};

impl Flow {
    /// The elements of a `rich_text` block; people in `calls` are mentioned at its beginning. Empty for an empty text.
    pub(crate) fn rich_elements(&self, calls: &[&str]) -> Vec<Value> {
        let mut out: Vec<Value> = Vec::new();
        let mut open: Option<Open> = None;
        if !calls.is_empty() {
            let mut section = Section::default();
            section.call(calls);
            open = Some(Open::Text { quote: false, section });
        }
        for piece in &self.0 {
            open = match (open.take(), piece) {
                (Some(Open::Text { quote, mut section }), Piece::Text { quote: further, runs })
                    if quote == *further =>
                {
                    section.paragraph(runs);
                    Some(Open::Text { quote, section })
                }
                (Some(Open::List(mut list)), Piece::Item { depth, sign, runs })
                    if list.takes(*depth, *sign) =>
                {
                    list.items.push(section(runs));
                    Some(Open::List(list))
                }
                (before, piece) => {
                    out.extend(before.and_then(Open::close));
                    match piece {
                        Piece::Text { quote, runs } => {
                            let mut section = Section::default();
                            section.paragraph(runs);
                            Some(Open::Text { quote: *quote, section })
                        }
                        // Slack counts from one.
                        Piece::Item { depth, sign: sign @ (Sign::None | Sign::Number(0)), runs } => {
                            let mut section = Section::default();
                            let first = format!("{}{}", "    ".repeat(*depth), sign.text(*depth));
                            section.paragraph(&[&[Run::plain(first)], runs.as_slice()].concat());
                            Some(Open::Text { quote: false, section })
                        }
                        Piece::Item { depth, sign, runs } => {
                            Some(Open::List(List { depth: *depth, first: *sign, items: vec![section(runs)] }))
                        }
                        Piece::Code { text, .. } => {
                            out.push(code(text));
                            None
                        }
                    }
                }
            };
        }
        out.extend(open.and_then(Open::close));
        out
    }

    /// The block, or `None` for a text that says nothing.
    pub(crate) fn rich_text(&self, calls: &[&str]) -> Option<Value> {
        let elements = self.rich_elements(calls);
        (!elements.is_empty()).then(|| json!({ "type": "rich_text", "elements": elements }))
    }
}

enum Open {
    Text { quote: bool, section: Section },
    List(List),
}

impl Open {
    fn close(self) -> Option<Value> {
        match self {
            Open::Text { section, .. } if section.elements.is_empty() => None,
            Open::Text { quote: true, section } => {
                Some(json!({ "type": "rich_text_quote", "elements": section.elements }))
            }
            Open::Text { quote: false, section } => {
                Some(json!({ "type": "rich_text_section", "elements": section.elements }))
            }
            Open::List(list) => Some(list.close()),
        }
    }
}

struct List {
    depth: usize,
    first: Sign,
    items: Vec<Value>,
}

impl List {
    /// Whether an item goes on with this list: same depth, and the next number.
    fn takes(&self, depth: usize, sign: Sign) -> bool {
        depth == self.depth
            && match (self.first, sign) {
                (Sign::Bullet, Sign::Bullet) => true,
                (Sign::Number(first), Sign::Number(number)) => {
                    number == first.saturating_add(self.items.len() as u64)
                }
                _ => false,
            }
    }

    fn close(self) -> Value {
        let (style, offset) = match self.first {
            Sign::Number(first) => ("ordered", first.saturating_sub(1)),
            Sign::Bullet | Sign::None => ("bullet", 0),
        };
        let mut list = Map::new();
        list.insert("type".into(), "rich_text_list".into());
        list.insert("style".into(), style.into());
        list.insert("indent".into(), self.depth.into());
        if offset > 0 {
            list.insert("offset".into(), offset.into());
        }
        list.insert("elements".into(), self.items.into());
        Value::Object(list)
    }
}

fn section(runs: &[Run]) -> Value {
    let mut section = Section::default();
    section.paragraph(runs);
    json!({ "type": "rich_text_section", "elements": section.elements })
}

fn code(text: &str) -> Value {
    // Slack refuses a text without characters.
    let text = if text.is_empty() { " " } else { text };
    json!({ "type": "rich_text_preformatted", "border": 0, "elements": [{ "type": "text", "text": text }] })
}

#[derive(Default)]
struct Section {
    elements: Vec<Value>,
    started: bool,
}

impl Section {
    fn call(&mut self, people: &[&str]) {
        for person in people {
            self.elements.push(json!({ "type": "user", "user_id": person }));
            self.elements.push(json!({ "type": "text", "text": " " }));
        }
    }

    fn paragraph(&mut self, runs: &[Run]) {
        let mut all = Vec::new();
        if self.started {
            push(&mut all, Run::plain("\n\n"));
        }
        runs.iter().cloned().for_each(|run| push(&mut all, run));
        self.started = true;
        self.elements.extend(all.into_iter().map(element));
    }
}

fn element(run: Run) -> Value {
    let mut out = Map::new();
    match run.link {
        Some(link) => {
            out.insert("type".into(), "link".into());
            // Slack shows a mail address without its scheme.
            let labelled = link != run.text || link.starts_with("mailto:");
            out.insert("url".into(), link.into());
            if labelled {
                out.insert("text".into(), run.text.into());
            }
        }
        None => {
            out.insert("type".into(), "text".into());
            out.insert("text".into(), run.text.into());
        }
    }
    if run.look != Look::default() {
        let names = [("bold", BOLD), ("italic", ITALIC), ("strike", STRIKE), ("code", CODE)];
        let style: Map<String, Value> = names
            .into_iter()
            .filter(|(_, look)| run.look.has(*look))
            .map(|(name, _)| (name.to_owned(), Value::Bool(true)))
            .collect();
        out.insert("style".into(), style.into());
    }
    Value::Object(out)
}

//! `rich_text` blocks, Slack's own form of formatted text ("Rich text block"), by their parts.
//!
//! Not here: writing them ([`super::rich_write`]), other blocks. They come from the network: everything unknown in them
//! that has words stays as its words.

use serde_json::Value;

use super::doc::{self, BOLD, Block, CODE, ITALIC, Look, Run, STRIKE};
use super::mention::{self, Names};
use super::{emoji, mrkdwn};

/// Deeper lists are read at this depth.
const MAX_INDENT: u64 = 20;

pub(super) struct Reader<'a> {
    pub names: &'a dyn Names,
    /// Whether text in the blocks is escaped as it is in `mrkdwn`; Slack's own clients do not, some senders do.
    pub escaped: bool,
}

impl Reader<'_> {
    /// The blocks of one `rich_text` block.
    pub(super) fn read(&self, block: &Value) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut lists: Vec<List> = Vec::new();
        for element in array(block, "elements") {
            if kind(element) == "rich_text_list" {
                self.list(element, &mut lists, &mut blocks);
                continue;
            }
            close(&mut lists, 0, &mut blocks);
            match kind(element) {
                "rich_text_preformatted" => blocks.extend(self.code(element)),
                "rich_text_quote" => {
                    blocks.extend(self.text(element).map(|text| Block::Quote(vec![text])));
                }
                _ => blocks.extend(self.text(element)),
            }
        }
        close(&mut lists, 0, &mut blocks);
        blocks
    }

    fn text(&self, element: &Value) -> Option<Block> {
        let mut runs = Vec::new();
        match element.get("elements") {
            Some(_) => array(element, "elements").for_each(|part| self.inline(part, &mut runs)),
            None => self.inline(element, &mut runs),
        }
        let runs = doc::honest(doc::trimmed(runs));
        (!runs.is_empty()).then_some(Block::Text(runs))
    }

    fn code(&self, element: &Value) -> Option<Block> {
        let mut runs = Vec::new();
        array(element, "elements").for_each(|part| self.inline(part, &mut runs));
        let text: String = runs.iter().map(|run| run.text.as_str()).collect();
        let text = text.trim_matches('\n');
        let language = string(element, "language").map(str::to_owned);
        (!text.trim().is_empty()).then(|| Block::code(language, text))
    }

    /// Lists come one after the other, each with its indent; deeper ones belong to the item before them.
    fn list(&self, element: &Value, lists: &mut Vec<List>, blocks: &mut Vec<Block>) {
        let indent = element.get("indent").and_then(Value::as_u64).unwrap_or(0).min(MAX_INDENT);
        let offset = element.get("offset").and_then(Value::as_u64).unwrap_or(0).min(999_999_000);
        let ordered = string(element, "style") == Some("ordered");
        while lists.last().is_some_and(|list| list.indent > indent) {
            close(lists, lists.len() - 1, blocks);
        }
        let first = ordered.then_some(offset + 1);
        if lists.last().is_some_and(|list| list.indent == indent && list.next() != first) {
            close(lists, lists.len() - 1, blocks);
        }
        if lists.last().is_none_or(|list| list.indent < indent) {
            lists.push(List { indent, first, items: Vec::new() });
        }
        let Some(list) = lists.last_mut() else { return };
        for item in array(element, "elements") {
            list.items.push(self.text(item).into_iter().collect());
        }
    }

    fn inline(&self, part: &Value, runs: &mut Vec<Run>) {
        let look = look(part);
        let plain = |text: String| Run { text, look, link: None };
        let label = string(part, "text").map(|text| self.words(text));
        let id = |name: &str| string(part, name).unwrap_or_default();
        let run = match kind(part) {
            "link" => {
                let url = self.words(id("url"));
                let text = label.unwrap_or_else(|| url.strip_prefix("mailto:").unwrap_or(&url).to_owned());
                Run { text, look, link: doc::address(&url) }
            }
            "user" => plain(mention::person(id("user_id"), label.as_deref(), self.names)),
            "usergroup" => plain(mention::group(id("usergroup_id"), label.as_deref(), self.names)),
            "channel" => plain(mention::room(id("channel_id"), label.as_deref(), self.names)),
            "broadcast" => plain(mention::everybody(id("range"))),
            "emoji" => plain(emoji_text(part)),
            "date" => {
                plain(match (string(part, "fallback"), part.get("timestamp").and_then(Value::as_i64)) {
                    (Some(words), _) => self.words(words),
                    (None, Some(stamp)) => mention::moment(stamp),
                    (None, None) => String::new(),
                })
            }
            "color" => plain(id("value").to_owned()),
            "team" => plain(label.unwrap_or_else(|| id("team_id").to_owned())),
            _ => plain(self.unknown(part)),
        };
        doc::push(runs, run);
    }

    /// The words of something that is not known, as far as it has any.
    fn unknown(&self, part: &Value) -> String {
        let words =
            ["text", "fallback", "name", "value", "url"].into_iter().find_map(|key| string(part, key));
        words.map(|words| self.words(words)).unwrap_or_default()
    }

    fn words(&self, text: &str) -> String {
        if self.escaped { mrkdwn::unescape(text) } else { text.to_owned() }
    }
}

struct List {
    indent: u64,
    first: Option<u64>,
    items: Vec<Vec<Block>>,
}

impl List {
    /// The number that goes on with it; `None` for bullets.
    fn next(&self) -> Option<u64> {
        self.first.map(|first| first + self.items.len() as u64)
    }
}

/// Ends the innermost lists until `keep` are left.
fn close(lists: &mut Vec<List>, keep: usize, blocks: &mut Vec<Block>) {
    while lists.len() > keep {
        let Some(List { first, items, .. }) = lists.pop() else { return };
        if items.is_empty() {
            continue;
        }
        let block = Block::List { first, items };
        match lists.last_mut() {
            Some(outer) => match outer.items.last_mut() {
                Some(item) => item.push(block),
                None => outer.items.push(vec![block]),
            },
            None => blocks.push(block),
        }
    }
}

fn emoji_text(part: &Value) -> String {
    let name = string(part, "name").unwrap_or_default();
    let tone = part.get("skin_tone").and_then(Value::as_u64).filter(|tone| (2..=6).contains(tone));
    let toned = tone.map(|tone| format!("{name}::skin-tone-{tone}"));
    if let Some(known) = toned.as_deref().and_then(emoji::known).or_else(|| emoji::known(name)) {
        return known.to_owned();
    }
    // Newer than our list: Slack gives the characters, as hexadecimal numbers.
    let chars =
        string(part, "unicode").map(|codes| codes.split('-').map(from_hex).collect::<Option<String>>());
    match chars.flatten().filter(|chars| !chars.is_empty()) {
        Some(chars) => chars,
        None => emoji::emoji_of(name),
    }
}

fn from_hex(code: &str) -> Option<char> {
    u32::from_str_radix(code, 16).ok().and_then(char::from_u32)
}

fn look(part: &Value) -> Look {
    let on = |name: &str| part.pointer(&format!("/style/{name}")).and_then(Value::as_bool) == Some(true);
    [("bold", BOLD), ("italic", ITALIC), ("strike", STRIKE), ("code", CODE)]
        .into_iter()
        .filter(|(name, _)| on(name))
        .fold(Look::default(), |sum, (_, look)| sum.with(look))
}

pub(super) fn kind(value: &Value) -> &str {
    string(value, "type").unwrap_or_default()
}

pub(super) fn string<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

pub(super) fn array<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

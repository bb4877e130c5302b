//! How a conversation looks in a desk's channel, and buttons under a message: Adaptive Cards 1.5. Pure.
//!
//! Not here: when any of it is posted. Text of people is in `RichTextBlock`s, in which nothing is Markdown (C13).

#[cfg(test)]
mod judged;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod tests;

use deskbridge_contract::{Action, Card, CardState};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};
use url::Url;

pub(crate) const CONTENT_TYPE: &str = "application/vnd.microsoft.card.adaptive";
/// What the card's own text box invokes; not a verb of the bridge, the words are posted in the card's thread.
pub(crate) const SAY: &str = "teams:say";
/// The same as a note.
pub(crate) const NOTE: &str = "teams:note";
/// Asks for the card as the viewer may see it; by the client itself, or by a button.
pub(crate) const LOOK: &str = "teams:look";
/// The text box's name in what comes back.
pub(crate) const SAID: &str = "teams_text";
/// More than this many buttons are put behind "…" ("Cards reference": six primary actions).
const PRIMARY: usize = 6;
/// Most buttons under one message, those behind "…" included.
pub(crate) const MAX_ACTIONS: usize = 10;
const MAX_LABEL: usize = 80;
/// Longest part of a card, in letters.
const MAX_PART: usize = 4000;
/// Largest card, in UTF-16 units of JSON. A message may have 100 KB, which are 51 200 of them; the rest is for what is around it.
const MAX_CARD: usize = 48_000;
/// Parts are not shortened below this, in letters.
const LEAST_PART: usize = 64;
/// Facts at most.
const MAX_FACTS: usize = 20;

/// What is said of a conversation, without anything to press.
pub(crate) fn body(card: &Card) -> Vec<Value> {
    body_within(card, MAX_PART)
}

/// With no part longer than `most` letters.
fn body_within(card: &Card, most: usize) -> Vec<Value> {
    let title = format!("{} {} {} · {}", card.state.sign(), card.reference, card.requester, card.title);
    let mut body = vec![
        block(vec![run(&cut(&title, most), &[("weight", json!("Bolder")), ("size", json!("Medium"))])]),
        block(vec![run(&cut(&card.status, most), &[("isSubtle", json!(true))])]),
    ];
    body.extend(card.facts.iter().take(MAX_FACTS).map(|fact| {
        let label = format!("{}: ", cut(&fact.label, most));
        block(vec![run(&label, &[("weight", json!("Bolder"))]), run(&cut(&fact.value, most), &[])])
    }));
    body.extend(rich(&cut(&card.summary, most)));
    if !card.hint.is_empty() {
        let looks = [("isSubtle", json!(true)), ("size", json!("Small"))];
        body.push(block(vec![run(&cut(&card.hint, most), &looks)]));
    }
    body
}

/// What a card shows beside its conversation.
pub(crate) struct Extras<'a> {
    /// Who gets a view of their own, by the Connector's names.
    pub viewers: &'a [String],
    /// How the latest reply went.
    pub line: Option<&'a str>,
    /// Whether the viewer's words mean anything.
    pub may_write: bool,
}

/// The card of a conversation, as an attachment. Where it would be larger than Teams takes, its longest parts are shortened:
/// letters that JSON escapes, and text of a thousand marks, take many times their length.
pub(crate) fn conversation(card: &Card, actions: &[Action], extras: &Extras<'_>) -> Value {
    let mut most = MAX_PART;
    loop {
        let made = conversation_within(card, actions, extras, most);
        if most <= LEAST_PART || made.to_string().encode_utf16().count() <= MAX_CARD {
            return made;
        }
        most /= 2;
    }
}

fn conversation_within(card: &Card, actions: &[Action], extras: &Extras<'_>, most: usize) -> Value {
    let mut body = body_within(card, most);
    if let Some(line) = extras.line {
        body.push(subtle(line));
    }
    if extras.may_write && !matches!(card.state, CardState::Closed) {
        body.push(json!({
            "type": "Input.Text", "id": SAID, "isMultiline": true, "maxLength": MAX_PART,
            "label": "Write here", "placeholder": "As if written in this thread; with 🔒 in front it is a note",
        }));
        let send = |title: &str, verb: &str| json!({ "type": "Action.Execute", "title": title, "verb": verb, "data": {} });
        body.push(json!({ "type": "ActionSet", "actions": [send("Send", SAY), send("Note", NOTE)] }));
    }
    let mut card_of_all = attachment(body, actions);
    let buttons = card_of_all.pointer_mut("/content/actions").and_then(Value::as_array_mut);
    for button in buttons.into_iter().flatten() {
        // By it one finds back from what an answer shows in the card's place.
        button["data"]["reference"] = json!(card.reference);
    }
    if !extras.viewers.is_empty() {
        // "User Specific Views": the client asks for each of these people when it shows the card.
        card_of_all["content"]["refresh"] = json!({
            "action": look(&card.reference, "Refresh"), "userIds": extras.viewers,
        });
    }
    card_of_all
}

fn look(reference: &str, title: &str) -> Value {
    json!({
        "type": "Action.Execute", "title": title, "verb": LOOK, "data": { "reference": reference },
        "associatedInputs": "none",
    })
}

/// Words for one person in the place of the card, with what they may press, until they look at the card again (D24).
pub(crate) fn whisper(text: &str, actions: &[Action], reference: Option<&str>) -> Value {
    let mut made = content(rich(text), actions);
    if let Some(reference) = reference {
        let back = look(reference, "Back to the card");
        match made["actions"].as_array_mut() {
            Some(actions) => actions.push(back),
            None => made["actions"] = json!([back]),
        }
    }
    made
}

/// Buttons under a message, as an attachment.
pub(crate) fn buttons(actions: &[Action]) -> Value {
    attachment(Vec::new(), actions)
}

/// A card of words only: the answer to a pressed button.
pub(crate) fn attachment(body: Vec<Value>, actions: &[Action]) -> Value {
    json!({ "contentType": CONTENT_TYPE, "content": content(body, actions) })
}

fn content(body: Vec<Value>, actions: &[Action]) -> Value {
    let mut content = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "msteams": { "width": "Full" },
        "body": body,
    });
    if !actions.is_empty() {
        let buttons = actions.iter().take(MAX_ACTIONS).enumerate().map(|(nth, action)| button(nth, action));
        content["actions"] = buttons.collect();
    }
    content
}

fn button(nth: usize, action: &Action) -> Value {
    // What was typed on the card and not sent must not go with another button.
    let mut button = json!({
        "type": "Action.Execute", "title": cut(&action.label, MAX_LABEL), "verb": action.id,
        "data": {}, "associatedInputs": "none",
    });
    if let Some(value) = &action.value {
        button["data"] = json!({ "value": value });
    }
    if nth >= PRIMARY {
        button["mode"] = json!("secondary");
    }
    button
}

/// A line of small print.
pub(crate) fn subtle(text: &str) -> Value {
    block(vec![run(text, &[("isSubtle", json!(true))])])
}

pub(crate) fn bold(text: &str) -> Value {
    block(vec![run(text, &[("weight", json!("Bolder"))])])
}

/// Words that lead somewhere, where it is known to where.
pub(crate) fn link(text: &str, url: Option<&Url>) -> Value {
    match url {
        Some(url) => {
            let open = json!({ "type": "Action.OpenUrl", "url": url.as_str() });
            block(vec![run(text, &[("selectAction", open)])])
        }
        None => block(vec![run(text, &[])]),
    }
}

/// A name on one line.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Half of a block's words; false when there is nothing left to be shortened.
pub(crate) fn halve(block: &mut Value) -> bool {
    let Some(runs) = block["inlines"].as_array_mut() else { return false };
    if runs.len() > 1 {
        runs.truncate(runs.len() / 2);
        return true;
    }
    let Some(text) = runs.first_mut().and_then(|run| run.get_mut("text")) else { return false };
    let words = text.as_str().unwrap_or_default();
    let half = words.chars().count() / 2;
    if half < 2 {
        return false;
    }
    *text = json!(cut(words, half));
    true
}

fn block(runs: Vec<Value>) -> Value {
    json!({ "type": "RichTextBlock", "inlines": runs })
}

fn run(text: &str, more: &[(&str, Value)]) -> Value {
    let mut run = json!({ "type": "TextRun", "text": cut(text, MAX_PART) });
    for (key, value) in more {
        run[*key] = value.clone();
    }
    run
}

pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// CommonMark as blocks of runs; of its marks, what a run can show.
pub(crate) fn rich(source: &str) -> Vec<Value> {
    let source = cut(source, MAX_PART);
    let mut blocks = Vec::new();
    let mut runs: Vec<Value> = Vec::new();
    let (mut bold, mut italic, mut strike) = (0_usize, 0_usize, 0_usize);
    let mut lists = Vec::new();
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES;
    for event in Parser::new_ext(&source, options) {
        match event {
            Event::Start(Tag::Strong | Tag::Heading { .. }) => bold += 1,
            Event::End(TagEnd::Strong) => bold = bold.saturating_sub(1),
            Event::Start(Tag::Emphasis) => italic += 1,
            Event::End(TagEnd::Emphasis) => italic = italic.saturating_sub(1),
            Event::Start(Tag::Strikethrough) => strike += 1,
            Event::End(TagEnd::Strikethrough) => strike = strike.saturating_sub(1),
            Event::Start(Tag::List(first)) => lists.push(first),
            Event::End(TagEnd::List(_)) => {
                lists.pop();
            }
            Event::Start(Tag::Item) => {
                flush(&mut runs, &mut blocks);
                runs.push(run(&bullet(&mut lists), &[]));
            }
            Event::End(TagEnd::TableCell) => runs.push(run("  ", &[])),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) if !text.is_empty() => {
                let mut looks = Vec::new();
                if bold > 0 {
                    looks.push(("weight", json!("Bolder")));
                }
                if italic > 0 {
                    looks.push(("italic", json!(true)));
                }
                if strike > 0 {
                    looks.push(("strikethrough", json!(true)));
                }
                runs.push(run(&text, &looks));
            }
            Event::Code(text) => runs.push(run(&text, &[("fontType", json!("Monospace"))])),
            Event::End(TagEnd::Heading(_)) => {
                bold = bold.saturating_sub(1);
                flush(&mut runs, &mut blocks);
            }
            Event::SoftBreak
            | Event::HardBreak
            | Event::End(
                TagEnd::Paragraph | TagEnd::Item | TagEnd::CodeBlock | TagEnd::TableRow | TagEnd::TableHead,
            ) => {
                flush(&mut runs, &mut blocks);
            }
            _ => {}
        }
    }
    flush(&mut runs, &mut blocks);
    blocks
}

/// What stands before an item of the innermost list, further in the deeper it is. Runs know no Markdown, so numbers and
/// bullets are written out; `lists`: the next number of each list, none where it has bullets.
fn bullet(lists: &mut [Option<u64>]) -> String {
    let deep = "\u{2003}".repeat(lists.len().saturating_sub(1));
    match lists.last_mut() {
        Some(Some(next)) => {
            let number = *next;
            *next = next.saturating_add(1);
            format!("{deep}{number}. ")
        }
        Some(None) | None => format!("{deep}• "),
    }
}

fn flush(runs: &mut Vec<Value>, blocks: &mut Vec<Value>) {
    if !runs.is_empty() {
        blocks.push(block(std::mem::take(runs)));
    }
}

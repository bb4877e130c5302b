//! How a conversation looks in a desk's channel, and buttons under a message: Adaptive Cards 1.5. Pure.
//!
//! Not here: when any of it is posted. Text of people is in `RichTextBlock`s, in which nothing is Markdown (C13).

use deskbridge_contract::{Action, Card, CardState};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};
use url::Url;

pub(crate) const CONTENT_TYPE: &str = "application/vnd.microsoft.card.adaptive";
/// What the card's own text box invokes; not a verb of the bridge, the words are posted in the card's thread.
pub(crate) const SAY: &str = "teams:say";
/// The text box's name in what comes back.
pub(crate) const SAID: &str = "teams_text";
/// More than this many buttons are put behind "…" ("Cards reference": six primary actions).
const PRIMARY: usize = 6;
/// Most buttons under one message, those behind "…" included.
pub(crate) const MAX_ACTIONS: usize = 10;
const MAX_LABEL: usize = 80;
/// Longest part of a card, in letters, so that the whole stays far below the 100 KB of a message.
const MAX_PART: usize = 4000;

/// What is said of a conversation, without anything to press.
pub(crate) fn body(card: &Card) -> Vec<Value> {
    let title = format!("{} {} {} · {}", card.state.sign(), card.reference, card.requester, card.title);
    let mut body = vec![
        block(vec![run(&title, &[("weight", json!("Bolder")), ("size", json!("Medium"))])]),
        block(vec![run(&card.status, &[("isSubtle", json!(true))])]),
    ];
    body.extend(card.facts.iter().take(20).map(|fact| {
        block(vec![run(&format!("{}: ", fact.label), &[("weight", json!("Bolder"))]), run(&fact.value, &[])])
    }));
    body.extend(rich(&card.summary));
    if !card.hint.is_empty() {
        body.push(block(vec![run(&card.hint, &[("isSubtle", json!(true)), ("size", json!("Small"))])]));
    }
    body
}

/// The card of a conversation, as an attachment.
pub(crate) fn conversation(card: &Card, actions: &[Action]) -> Value {
    let mut body = body(card);
    if !matches!(card.state, CardState::Closed) {
        body.push(json!({
            "type": "Input.Text", "id": SAID, "isMultiline": true, "maxLength": MAX_PART,
            "label": "Write here", "placeholder": "As if written in this thread; with 🔒 in front it is a note",
        }));
        let send = json!({ "type": "Action.Execute", "title": "Send", "verb": SAY, "data": {} });
        body.push(json!({ "type": "ActionSet", "actions": [send] }));
    }
    attachment(body, actions)
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

fn cut(text: &str, most: usize) -> String {
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
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES;
    for event in Parser::new_ext(&source, options) {
        match event {
            Event::Start(Tag::Strong | Tag::Heading { .. }) => bold += 1,
            Event::End(TagEnd::Strong) => bold = bold.saturating_sub(1),
            Event::Start(Tag::Emphasis) => italic += 1,
            Event::End(TagEnd::Emphasis) => italic = italic.saturating_sub(1),
            Event::Start(Tag::Strikethrough) => strike += 1,
            Event::End(TagEnd::Strikethrough) => strike = strike.saturating_sub(1),
            Event::Start(Tag::Item) => {
                flush(&mut runs, &mut blocks);
                runs.push(run("• ", &[]));
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

fn flush(runs: &mut Vec<Value>, blocks: &mut Vec<Value>) {
    if !runs.is_empty() {
        blocks.push(block(std::mem::take(runs)));
    }
}

#[cfg(test)]
mod tests {
    use deskbridge_contract::Fact;

    use super::*;

    fn card(state: CardState, text: &str) -> Card {
        Card {
            reference: "#1042".into(),
            title: text.into(),
            state,
            status: text.into(),
            requester: text.into(),
            facts: (0..50).map(|_| Fact { label: text.into(), value: text.into() }).collect(),
            summary: format!("**Problem:** {text}\n\n- one\n- two"),
            hint: text.into(),
        }
    }

    #[test]
    fn a_card_says_everything_and_has_its_box_and_buttons() {
        let actions: Vec<Action> =
            (0..8).map(|n| Action::new(format!("verb:{n}"), format!("Verb {n}"))).collect();
        let made = conversation(&card(CardState::Offered, "VPN"), &actions);
        let text = made.to_string();
        for part in ["🟠 #1042 VPN · VPN", "\"Problem:\"", "\"• \"", "Input.Text", SAY, "verb:7"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let buttons = made.pointer("/content/actions").and_then(Value::as_array).unwrap();
        assert_eq!(buttons.iter().filter(|button| button["mode"] == "secondary").count(), 2);
        assert!(buttons.iter().all(|button| button["associatedInputs"] == "none"));
        let closed = conversation(&card(CardState::Closed, "VPN"), &[]).to_string();
        assert!(!closed.contains("Input.Text") && !closed.contains("\"actions\":[]"));
    }

    /// C13: text of people is in runs, which have no Markdown; a `TextBlock` would read it.
    #[test]
    fn text_is_never_markdown() {
        let made = conversation(&card(CardState::Waiting, "[x](javascript:alert(1)) **b**"), &[]).to_string();
        assert!(!made.contains("TextBlock\"") || !made.contains("\"type\":\"TextBlock\""));
        assert!(made.contains("[x](javascript:alert(1)) **b**"));
    }

    /// The limit is 100 KB of UTF-16; a card with the longest parts must be within.
    #[test]
    fn the_largest_card_fits() {
        let most = conversation(&card(CardState::Waiting, &"😀".repeat(200)), &[]).to_string();
        assert!(most.encode_utf16().count() * 2 < 100 << 10, "{}", most.encode_utf16().count());
    }
}

//! Buttons and menus: how actions are shown, and what a pressed one says.
//!
//! Not here: what actions do (the core), and the payload around a pressed one (`translate`).

use deskbridge_contract::{Action, SendError};
use serde_json::{Map, Value, json};

use super::history::{self, Page};
use super::limits::{
    ACTION_ELEMENTS, ACTION_ID, BUTTON_TEXT, BUTTON_VALUE, OPTION_TEXT, OPTION_VALUE, OVERFLOW_OPTIONS,
};
use super::modals::Modal;
use super::parts::{line, plain};

/// Between an action and its value, or its number. Action ids are `[a-z0-9:#@._-]`, so it is in none of them.
const BORDER: char = '|';
/// Before the name of a modal that the adapter opens by itself.
const OPEN: &str = "open:";
const MENU: &str = "more";
const FEEDBACK: &str = "feedback";
/// Blocks of buttons under one message; more actions are refused.
const MOST_ROWS: usize = 4;

/// What somebody pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pressed {
    /// An action of the core's, as it was given.
    Act { action: String, value: Option<String> },
    /// Asks for a modal: it must be opened by the `trigger_id` within three seconds.
    Open(Modal),
    /// Asks for a page of the conversation's history, in a modal that it opens, or that is turned to it.
    Show(Page),
}

/// One of the `actions` of a `block_actions` payload. `None`: not ours, or something that does nothing by itself (an
/// input that changed).
pub(crate) fn pressed(action: &Value) -> Option<Pressed> {
    let text = |pointer: &str| action.pointer(pointer).and_then(Value::as_str);
    let id = text("/action_id")?;
    match text("/type")? {
        "button" => {
            let id = id.split_once(BORDER).map_or(id, |(id, _)| id);
            let value = text("/value").filter(|value| !value.is_empty()).map(str::to_owned);
            means(id, value)
        }
        "overflow" => packed(text("/selected_option/value")?),
        "feedback_buttons" => packed(text("/value")?),
        _ => None,
    }
}

fn packed(text: &str) -> Option<Pressed> {
    match text.split_once(BORDER) {
        Some((id, value)) => means(id, Some(value.to_owned())),
        None => means(text, None),
    }
}

fn means(id: &str, value: Option<String>) -> Option<Pressed> {
    match id.strip_prefix(OPEN) {
        Some(history::NAME) => Page::read(value.as_deref()?).map(Pressed::Show),
        Some(name) => Modal::named(name).map(Pressed::Open),
        None if id.is_empty() => None,
        None => Some(Pressed::Act { action: id.to_owned(), value }),
    }
}

/// The blocks of buttons under a message: thumbs as Slack's own feedback buttons, the rest beside each other, at most 25
/// to a block. The error says which action has no place.
pub(super) fn rows(actions: &[Action]) -> Result<Vec<Value>, SendError> {
    let (thumbs, others) = thumbs(actions);
    let mut elements = Vec::with_capacity(others.len());
    for (nth, action) in others.iter().enumerate() {
        let twice = others[..nth].iter().any(|other| other.id == action.id);
        elements.push(button(action, twice.then_some(nth))?);
    }
    let mut rows = in_rows(elements)?;
    rows.extend(thumbs);
    Ok(rows)
}

fn in_rows(elements: Vec<Value>) -> Result<Vec<Value>, SendError> {
    if elements.len() > MOST_ROWS * ACTION_ELEMENTS {
        let why = format!("Slack shows at most {} buttons under a message here", MOST_ROWS * ACTION_ELEMENTS);
        return Err(SendError::Rejected { why, fixable: true });
    }
    Ok(elements.chunks(ACTION_ELEMENTS).map(|row| json!({ "type": "actions", "elements": row })).collect())
}

/// The pair that rates an answer, as one element ("Feedback buttons"), and the other actions.
fn thumbs(actions: &[Action]) -> (Option<Value>, Vec<&Action>) {
    let find = |prefix: &str| actions.iter().find(|action| action.id.starts_with(prefix));
    let (Some(up), Some(down)) = (find("fb:up:"), find("fb:down:")) else {
        return (None, actions.iter().collect());
    };
    let side = |action: &Action| json!({ "text": plain(&line(&action.label, BUTTON_TEXT), BUTTON_TEXT), "value": action.id });
    let element = json!({ "type": "feedback_buttons", "action_id": FEEDBACK,
        "positive_button": side(up), "negative_button": side(down) });
    let others = actions.iter().filter(|action| !std::ptr::eq(*action, up) && !std::ptr::eq(*action, down));
    (Some(json!({ "type": "context_actions", "elements": [element] })), others.collect())
}

/// A card's buttons: the first ones as buttons, the rest in a menu behind what opens a modal there. Nothing is lost.
/// `more`: a button of the adapter's own, before the menu.
pub(super) fn of_card(
    actions: &[Action],
    opens: &[Modal],
    more: Option<Value>,
) -> Result<Vec<Value>, SendError> {
    let room = OVERFLOW_OPTIONS.saturating_sub(opens.len());
    let first = if actions.len() <= BUTTONS_FIRST + 1 { actions.len() } else { BUTTONS_FIRST };
    let (shown, rest) = actions.split_at(first);
    let (menu, further): (Vec<&Action>, Vec<&Action>) = {
        let mut left = room;
        rest.iter().partition(|action| {
            let fits = left > 0 && pack(action).len() <= OPTION_VALUE;
            left -= usize::from(fits);
            fits
        })
    };
    let mut elements = Vec::new();
    for (nth, action) in shown.iter().chain(further).enumerate() {
        let twice = actions.iter().filter(|other| other.id == action.id).count() > 1;
        elements.push(button(action, twice.then_some(nth))?);
    }
    elements.extend(more);
    let options: Vec<Value> = opens
        .iter()
        .map(|modal| option(modal.label(), &format!("{OPEN}{}", modal.name())))
        .chain(menu.iter().map(|action| option(&label(action), &pack(action))))
        .collect();
    if !options.is_empty() {
        elements.push(json!({ "type": "overflow", "action_id": MENU, "options": options }));
    }
    in_rows(elements)
}

/// Buttons of a card that stand before the menu; one more when it is the last.
const BUTTONS_FIRST: usize = 4;

/// The id of a button that opens something; `which` tells several of them apart.
pub(super) fn opening(name: &str, which: &str) -> String {
    if which.is_empty() { format!("{OPEN}{name}") } else { format!("{OPEN}{name}{BORDER}{which}") }
}

fn pack(action: &Action) -> String {
    match &action.value {
        Some(value) => format!("{}{BORDER}{value}", action.id),
        None => action.id.clone(),
    }
}

fn option(label: &str, value: &str) -> Value {
    json!({ "text": plain(&line(label, OPTION_TEXT), OPTION_TEXT), "value": value })
}

fn label(action: &Action) -> String {
    let text = line(&action.label, BUTTON_TEXT);
    if text.is_empty() { line(&action.id, BUTTON_TEXT) } else { text }
}

/// `nth` is set where another button has the same id: Slack wants them all different.
fn button(action: &Action, nth: Option<usize>) -> Result<Value, SendError> {
    let id = match nth {
        Some(nth) => format!("{}{BORDER}{nth}", action.id),
        None => action.id.clone(),
    };
    let value = action.value.as_deref().unwrap_or_default();
    if action.id.is_empty() || id.len() > ACTION_ID || value.len() > BUTTON_VALUE {
        // Cutting it would press a different button.
        let why = format!("a button's id must have 1 to {ACTION_ID} bytes, its value at most {BUTTON_VALUE}");
        return Err(SendError::Rejected { why, fixable: true });
    }
    let mut button = Map::new();
    button.insert("type".into(), "button".into());
    button.insert("action_id".into(), id.into());
    button.insert("text".into(), plain(&label(action), BUTTON_TEXT));
    if !value.is_empty() {
        button.insert("value".into(), value.into());
    }
    if matches!(action.id.as_str(), "accept" | "yes") {
        button.insert("style".into(), "primary".into());
    }
    Ok(Value::Object(button))
}

/// A button of the adapter's own that opens a modal.
pub(super) fn opener(modal: Modal, label: &str) -> Value {
    json!({ "type": "button", "action_id": format!("{OPEN}{}", modal.name()), "style": "primary",
        "text": plain(label, BUTTON_TEXT) })
}

/// A button of the adapter's own that does something without asking.
pub(super) fn doer(action: &str, label: &str, primary: bool) -> Value {
    let mut button = json!({ "type": "button", "action_id": action, "text": plain(label, BUTTON_TEXT) });
    if primary {
        button["style"] = "primary".into();
    }
    button
}

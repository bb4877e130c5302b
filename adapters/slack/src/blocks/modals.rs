//! Modals: what they ask, and what was filled in.
//!
//! Not here: opening them, and what their answers do.

use deskbridge_contract::{Address, RemoteMessageId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::limits::{INPUT_TEXT, METADATA, VIEW_TITLE};
use super::parts::{clip, line, plain, section};
use crate::markup::{Flow, read_plain};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Modal {
    Transfer,
    Invite,
    Snooze,
    Note,
    Ticket,
    Ask,
}

impl Modal {
    const ALL: [Modal; 6] =
        [Modal::Transfer, Modal::Invite, Modal::Snooze, Modal::Note, Modal::Ticket, Modal::Ask];

    /// Its `callback_id`, and what stands behind `open:` on a button.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Modal::Transfer => "transfer",
            Modal::Invite => "invite",
            Modal::Snooze => "snooze",
            Modal::Note => "note",
            Modal::Ticket => "ticket",
            Modal::Ask => "ask",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Modal> {
        Modal::ALL.into_iter().find(|modal| modal.name() == name)
    }

    /// How a menu offers it.
    pub(super) fn label(self) -> &'static str {
        match self {
            Modal::Transfer => "Transfer…",
            Modal::Invite => "Invite…",
            Modal::Snooze => "Snooze…",
            Modal::Note => "Internal note…",
            Modal::Ticket => "Create ticket…",
            Modal::Ask => "Ask IT…",
        }
    }
}

/// What a modal is about; travels in its `private_metadata`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Anchor {
    pub address: Address,
    /// The message that it was opened on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<RemoteMessageId>,
}

impl Anchor {
    /// Empty when it would not fit, which Slack's ids never come near: the submission is then refused as malformed.
    pub(super) fn packed(&self) -> String {
        serde_json::to_string(self).ok().filter(|text| text.len() <= METADATA).unwrap_or_default()
    }
}

/// What stands in a modal before anybody typed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given<'a> {
    /// `#1042`, shown in the title.
    pub reference: &'a str,
    /// The text of the message a ticket or a question is made of, CommonMark.
    pub text: &'a str,
}

/// The view for `views.open`.
pub(crate) fn modal(kind: Modal, anchor: &Anchor, given: &Given<'_>) -> Value {
    let (title, submit) = match kind {
        Modal::Transfer => ("Transfer", "Ask them"),
        Modal::Invite => ("Invite", "Invite"),
        Modal::Snooze => ("Snooze", "Snooze"),
        Modal::Note => ("Internal note", "Keep"),
        Modal::Ticket => ("Create ticket", "Create"),
        Modal::Ask => ("Ask IT", "Send"),
    };
    let title = format!("{title} {}", line(given.reference, VIEW_TITLE)).trim_end().to_owned();
    json!({
        "type": "modal",
        "callback_id": kind.name(),
        "private_metadata": anchor.packed(),
        "title": plain(&title, VIEW_TITLE),
        "submit": plain(submit, VIEW_TITLE),
        "close": plain("Cancel", VIEW_TITLE),
        "blocks": body(kind, given),
    })
}

fn body(kind: Modal, given: &Given<'_>) -> Vec<Value> {
    match kind {
        Modal::Transfer => vec![
            section("You keep it until they accept. Choose a person or a queue."),
            input("person", "Technician", people(), true, None),
            input("queue", "Queue", one_line("network"), true, Some("The name of the queue, without #.")),
        ],
        Modal::Invite => vec![
            section("Whoever is invited may reply to the requester too."),
            input("person", "Technician", people(), false, None),
        ],
        Modal::Snooze => vec![
            input("period", "For how long", periods(), true, None),
            input(
                "other",
                "Or",
                one_line("45m, 3h, 2d, tomorrow"),
                true,
                Some("A message of the requester's ends it."),
            ),
        ],
        Modal::Note => {
            vec![input("text", "Note", lines("", ""), false, Some("Stays with the technicians, always."))]
        }
        Modal::Ticket => {
            let text = Flow::read(given.text).plain();
            vec![input("text", "What it is about", lines("", &text), false, None)]
        }
        Modal::Ask => {
            let text = Flow::read(given.text).plain();
            vec![
                input("text", "What happened?", lines("My VPN does not connect…", &text), false, None),
                input("human", "Who should answer", human(), true, None),
            ]
        }
    }
}

fn input(id: &str, label: &str, element: Value, optional: bool, hint: Option<&str>) -> Value {
    let mut block = json!({ "type": "input", "block_id": id, "label": plain(label, 200), "optional": optional,
        "element": element });
    if let Some(hint) = hint {
        block["hint"] = plain(hint, 200);
    }
    block
}

/// The action id of every element: one to a block, found by the block.
const FIELD: &str = "field";

fn people() -> Value {
    json!({ "type": "users_select", "action_id": FIELD, "placeholder": plain("Somebody", 150) })
}

fn one_line(example: &str) -> Value {
    json!({ "type": "plain_text_input", "action_id": FIELD, "max_length": 100, "placeholder": plain(example, 150) })
}

fn lines(example: &str, text: &str) -> Value {
    let mut element = json!({ "type": "plain_text_input", "action_id": FIELD, "multiline": true, "max_length": INPUT_TEXT });
    if !example.is_empty() {
        element["placeholder"] = plain(example, 150);
    }
    if !text.trim().is_empty() {
        element["initial_value"] = clip(text, INPUT_TEXT).into();
    }
    element
}

fn periods() -> Value {
    let options: Vec<Value> = [
        ("30 minutes", "30m"),
        ("1 hour", "1h"),
        ("2 hours", "2h"),
        ("4 hours", "4h"),
        ("1 day", "1d"),
        ("3 days", "3d"),
        ("1 week", "1w"),
    ]
    .iter()
    .map(|(label, value)| json!({ "text": plain(label, 75), "value": value }))
    .collect();
    json!({ "type": "static_select", "action_id": FIELD, "options": options, "placeholder": plain("Choose", 150) })
}

fn human() -> Value {
    let option = json!({ "text": plain("A technician, not the assistant", 75), "value": "human" });
    json!({ "type": "checkboxes", "action_id": FIELD, "options": [option] })
}

/// What was filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// A verb with its argument, as a button would send it.
    Act { action: &'static str, value: String },
    /// Make a ticket of this, CommonMark.
    Ticket { text: String },
    /// A request of the person's own, CommonMark; `human`: not to the assistant.
    Ask { text: String, human: bool },
}

/// Why a submission cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfilled {
    /// Something is missing: the body that answers the submission and shows what, at its field.
    Ask(Value),
    /// Not a modal of ours, or not as we made it.
    Malformed,
}

/// Reads the `view` of a `view_submission`.
pub(crate) fn filled(view: &Value) -> Result<(Anchor, Filled), Unfilled> {
    let text = |key: &str| view.get(key).and_then(Value::as_str);
    let kind = text("callback_id").and_then(Modal::named).ok_or(Unfilled::Malformed)?;
    let anchor = text("private_metadata").and_then(|packed| serde_json::from_str(packed).ok());
    let anchor: Anchor = anchor.ok_or(Unfilled::Malformed)?;
    let field = |block: &str, pointer: &str| {
        let value = view.pointer(&format!("/state/values/{block}/{FIELD}{pointer}")).and_then(Value::as_str);
        value.map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let act = |action, value: String| Ok(Filled::Act { action, value });
    let missing = |block: &str, why: &str| {
        Err(Unfilled::Ask(json!({ "response_action": "errors", "errors": { block: why } })))
    };
    let long =
        || field("text", "/value").map(|text| read_plain(&text)).filter(|text| !text.trim().is_empty());
    let filled = match kind {
        Modal::Transfer => match (field("person", "/selected_user"), field("queue", "/value")) {
            (Some(person), None) => act("transfer", format!("@{person}")),
            (None, Some(queue)) => act("transfer", format!("#{}", queue.trim_start_matches('#'))),
            (Some(_), Some(_)) => missing("queue", "Either a technician or a queue"),
            (None, None) => missing("queue", "Choose a technician or a queue"),
        },
        Modal::Invite => match field("person", "/selected_user") {
            Some(person) => act("invite", format!("@{person}")),
            None => missing("person", "Choose somebody"),
        },
        Modal::Snooze => match field("other", "/value").or_else(|| field("period", "/selected_option/value"))
        {
            Some(period) => act("snooze", period),
            None => missing("period", "Say for how long"),
        },
        Modal::Note => long().map_or_else(|| missing("text", "Write something"), |text| act("note", text)),
        Modal::Ticket => {
            long().map_or_else(|| missing("text", "Write something"), |text| Ok(Filled::Ticket { text }))
        }
        Modal::Ask => {
            let chosen = view.pointer(&format!("/state/values/human/{FIELD}/selected_options"));
            let human = chosen.and_then(Value::as_array).is_some_and(|chosen| !chosen.is_empty());
            long().map_or_else(|| missing("text", "Write something"), |text| Ok(Filled::Ask { text, human }))
        }
    }?;
    Ok((anchor, filled))
}

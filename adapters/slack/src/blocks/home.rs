//! App Home: a requester's own requests, a technician's presence.
//!
//! Not here: who sees which, and publishing it.

use deskbridge_contract::{Content, DeskHours, Standing};
use serde_json::{Value, json};

use super::actions::{doer, opener};
use super::modals::Modal;
use super::parts::{context, header, section};
use super::{Voice, single, standing};

/// Requests that are listed; a view takes 100 blocks.
const MOST: usize = 40;

/// A technician's presence, as the verbs name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    On,
    Busy,
    Off,
}

impl Duty {
    const ALL: [Duty; 3] = [Duty::On, Duty::Busy, Duty::Off];

    /// The action that sets it.
    pub(crate) fn action(self) -> &'static str {
        match self {
            Duty::On => "on",
            Duty::Busy => "busy",
            Duty::Off => "off",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Duty::On => "🟢 On",
            Duty::Busy => "🟡 Busy",
            Duty::Off => "⚪ Off",
        }
    }

    fn says(self) -> &'static str {
        match self {
            Duty::On => "You are on duty: conversations are offered to you.",
            Duty::Busy => "You are busy: nothing new is offered to you.",
            Duty::Off => "You are off duty: what is yours is offered to others.",
        }
    }
}

/// The view of somebody who asks for help. `question`: what has to be answered before they are more than that. `requests`:
/// newest first.
pub(crate) fn of_requester(question: Option<&Content>, requests: &[Standing], hours: &DeskHours) -> Value {
    let mut blocks = question.map(asking).unwrap_or_default();
    blocks.extend([header("How can we help?"), context(&people(hours))]);
    blocks.push(json!({ "type": "actions", "elements": [opener(Modal::Ask, "Ask IT")] }));
    blocks.extend(list(requests));
    view(blocks)
}

/// A question with its answers as buttons. One that cannot be shown is asked elsewhere, and only there.
fn asking(question: &Content) -> Vec<Value> {
    let asked = single(question, Voice::Own).ok().flatten();
    let mut blocks = asked.map(|message| message.blocks).unwrap_or_default();
    if !blocks.is_empty() {
        blocks.push(json!({ "type": "divider" }));
    }
    blocks
}

/// The view of a technician: the switch first, then their own requests as anybody's. `duty`: `None` while it is not known.
pub(crate) fn of_technician(duty: Option<Duty>, requests: &[Standing], hours: &DeskHours) -> Value {
    let mut blocks = vec![header("Your presence")];
    let buttons = Duty::ALL.map(|to| doer(to.action(), to.label(), duty == Some(to)));
    blocks.push(json!({ "type": "actions", "elements": buttons }));
    blocks.push(context(duty.map_or("Choose whether conversations are offered to you.", Duty::says)));
    blocks.push(context(&people(hours)));
    blocks.push(json!({ "type": "actions", "elements": [opener(Modal::Ask, "Ask IT")] }));
    if !requests.is_empty() {
        blocks.extend(list(requests));
    }
    view(blocks)
}

fn view(blocks: Vec<Value>) -> Value {
    json!({ "type": "home", "callback_id": "home", "blocks": blocks })
}

fn list(requests: &[Standing]) -> Vec<Value> {
    let mut blocks = vec![json!({ "type": "divider" }), header("My requests")];
    if requests.is_empty() {
        blocks.push(context("Nothing yet. Ask, and what you asked is kept here with its state."));
    }
    blocks.extend(requests.iter().take(MOST).map(|request| section(&standing(request))));
    if requests.len() > MOST {
        blocks.push(context(&format!("… and {} earlier ones", requests.len() - MOST)));
    }
    blocks
}

/// "3 technicians online · usually 4 min"
fn people(hours: &DeskHours) -> String {
    if !hours.open {
        return match &hours.back {
            Some(back) => format!(
                "🌙 Technicians are back {}. The assistant can help now.",
                super::parts::line(back, 200)
            ),
            None => "🌙 No technicians now. The assistant can help.".to_owned(),
        };
    }
    let online = match hours.online {
        0 => "The assistant answers at once".to_owned(),
        1 => "🟢 1 technician online".to_owned(),
        many => format!("🟢 {many} technicians online"),
    };
    match hours.wait {
        Some(seconds) => {
            format!("{online} · a technician usually answers in {} min", seconds.div_ceil(60).max(1))
        }
        None => online,
    }
}

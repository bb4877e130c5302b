//! How a conversation looks to technicians: state, status line, card, buttons, the requester's name.
//!
//! Not here: how a platform draws a card (the adapters).

use deskbridge_contract::{Action, Address, Card, CardState, Fact, Timestamp};

use crate::policy::{AssistantMode, RequesterIdentity};
use crate::*;

pub fn state(conversation: &Conversation) -> CardState {
    match &conversation.stage {
        Stage::Assisting(_) => CardState::Assisting,
        Stage::Handover(Handover { offer: Some(Offer { to: OfferTo::One(_), .. }), .. }) => {
            CardState::Offered
        }
        Stage::Handover(_) => CardState::Waiting,
        Stage::Assigned(Assigned { snoozed: Some(_), .. }) => CardState::Snoozed,
        Stage::Assigned(_) => CardState::Assigned,
        Stage::Closed(Closed { how: CloseReason::Resolved { .. }, .. }) => CardState::Resolved,
        Stage::Closed(_) => CardState::Closed,
    }
}

/// The state in words.
pub fn status(conversation: &Conversation, policy: &Policy) -> String {
    match &conversation.stage {
        Stage::Assisting(Assisting { queue_at: Some(_), .. }) => match policy.mode(&conversation.queue) {
            AssistantMode::First | AssistantMode::Choice => {
                "With the assistant · goes to the queue at opening time".into()
            }
            AssistantMode::DraftOnly | AssistantMode::Off => "Goes to the queue at opening time".into(),
        },
        Stage::Assisting(_) => "With the assistant".into(),
        Stage::Handover(handover) => match &handover.offer {
            Some(Offer { to: OfferTo::One(technician), .. }) => {
                format!("Waiting · offered to {}", policy.name(technician))
            }
            Some(Offer { to: OfferTo::Everyone, .. }) => "Waiting · offered to everyone".into(),
            None => "Waiting".into(),
        },
        Stage::Assigned(assigned) => {
            let owner = policy.name(&assigned.technician);
            let mut status = match assigned.snoozed {
                Some(_) => format!("Snoozed by {owner}"),
                None => format!("{owner} has it"),
            };
            for with in &assigned.co_repliers {
                status.push_str(&format!(" · with {}", policy.name(with)));
            }
            if let Some(transfer) = &assigned.transfer {
                status.push_str(&format!(" · {} is asked to take over", policy.name(&transfer.to)));
            }
            status
        }
        Stage::Closed(closed) => match &closed.how {
            CloseReason::Resolved { by } => format!("Resolved by {}", policy.name(by)),
            CloseReason::ByRequester => "Closed by the requester".into(),
            CloseReason::TimedOut => "Closed: no answer from the requester".into(),
            CloseReason::Abandoned => "Closed: the requester left".into(),
            CloseReason::Erased => "Closed: the requester's data was erased".into(),
        },
    }
}

/// What the runtime adds to the state when a card is drawn: words from the store.
#[derive(Clone, Debug, Default)]
pub struct Words<'a> {
    /// A few words of the matter, from the requester's first message.
    pub subject: &'a str,
    /// The four-part summary, once it is there.
    pub summary: Option<&'a str>,
    /// The requester's name as this room may show it (`requester_identity`).
    pub requester: &'a str,
    /// The channel the requester writes from.
    pub channel: &'a str,
    /// The same person's other open conversations (D4): "#1042 on widget".
    pub also_open: &'a str,
}

/// The card of a conversation, with its buttons.
pub fn card(
    conversation: &Conversation,
    policy: &Policy,
    words: &Words<'_>,
    now: Timestamp,
) -> (Card, Vec<Action>) {
    let mut facts = vec![fact("Channel", words.channel), fact("Queue", conversation.queue.as_str())];
    if let Stage::Handover(handover) = &conversation.stage {
        facts.push(fact("Waiting", &minutes(now, handover.since)));
    }
    if conversation.priority > 0 {
        facts.push(fact("Priority", &conversation.priority.to_string()));
    }
    if !conversation.labels.is_empty() {
        facts.push(fact("Labels", &conversation.labels.join(", ")));
    }
    if let Some(number) = ticket::number(conversation) {
        facts.push(fact("Ticket", number));
    }
    if !words.also_open.is_empty() {
        facts.push(fact("Also open", words.also_open));
    }
    if conversation.stretch.answers > 0 {
        facts.push(fact("Assistant answers", &conversation.stretch.answers.to_string()));
    }
    if let Some(score) = conversation.rating {
        facts.push(fact("Rating", &format!("{score}/5")));
    }
    let summary = match words.summary {
        Some(summary) => summary.to_owned(),
        None if matches!(conversation.stage, Stage::Assisting(_)) => {
            "A summary is written when people are called.".to_owned()
        }
        None => "Summary is being written…".to_owned(),
    };
    let card = Card {
        reference: conversation.id.to_string(),
        title: words.subject.to_owned(),
        state: state(conversation),
        status: status(conversation, policy),
        requester: words.requester.to_owned(),
        facts,
        summary,
        hint: hint(conversation).to_owned(),
    };
    (card, actions(conversation))
}

fn fact(label: &str, value: &str) -> Fact {
    Fact { label: label.to_owned(), value: value.to_owned() }
}

fn minutes(now: Timestamp, since: Timestamp) -> String {
    let seconds = now.since(since).as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn hint(conversation: &Conversation) -> &'static str {
    match &conversation.stage {
        Stage::Assisting(_) => {
            "The assistant answers. Everything written here stays internal until somebody takes over."
        }
        Stage::Handover(_) => {
            "Before Accept, this thread is internal. Afterwards the owner's replies go to the requester; 🔒 keeps one private."
        }
        Stage::Assigned(_) => {
            "The owner's replies go to the requester; 🔒 keeps one private. Everybody else's stay internal."
        }
        Stage::Closed(_) => "Closed. Reopen to write to the requester again.",
    }
}

/// The buttons that make sense now; the rest are verbs.
pub fn actions(conversation: &Conversation) -> Vec<Action> {
    let button = |id: &str, label: &str| Action::new(id, label);
    match &conversation.stage {
        Stage::Assisting(_) => vec![button("takeover", "Take over"), button("suggest", "Suggest reply")],
        Stage::Handover(_) => {
            let mut actions = vec![
                button("accept", "Accept"),
                button("decline", "Decline"),
                button("suggest", "Suggest reply"),
            ];
            if matches!(conversation.ticket, TicketLink::None | TicketLink::Failed { .. }) {
                actions.push(button("ticket", "Create ticket"));
            }
            actions
        }
        Stage::Assigned(assigned) => {
            let mut actions = Vec::new();
            if assigned.transfer.is_some() {
                actions.push(button("accept", "Accept transfer"));
                actions.push(button("decline", "Decline"));
            }
            actions.push(button("resolve", "Resolve"));
            actions.push(button("suggest", "Suggest reply"));
            if matches!(conversation.ticket, TicketLink::None | TicketLink::Failed { .. }) {
                actions.push(button("ticket", "Create ticket"));
            }
            actions.push(button("snooze:1h", "Snooze 1 h"));
            actions.push(button("handback", "Hand back"));
            actions
        }
        Stage::Closed(_) => vec![button("reopen", "Reopen")],
    }
}

/// The requester's picture, where the room may know who it is.
pub fn requester_picture(conversation: &Conversation, policy: &Policy, room: &Address) -> Option<String> {
    match policy.desk(room).map(|desk| desk.requester_identity).unwrap_or_default() {
        RequesterIdentity::Name => conversation.requester.picture.clone(),
        RequesterIdentity::Alias | RequesterIdentity::Anonymous => None,
    }
}

/// The name of somebody else at the requester's place, as a room may show it: where it does not learn who asks, it does
/// not learn who is with them. A namesake of the requester is told apart.
pub fn bystander_name(conversation: &Conversation, policy: &Policy, room: &Address, name: &str) -> String {
    match policy.desk(room).map(|desk| desk.requester_identity).unwrap_or_default() {
        RequesterIdentity::Name if !name.is_empty() => {
            let known = policy.technicians.values().map(|technician| technician.name.as_str());
            let known: Vec<&str> = known.collect();
            let shown = fit::cannot_impersonate(name, &known);
            let requester = fit::cannot_impersonate(conversation.requester_name(), &known);
            if shown.to_lowercase() == requester.to_lowercase() {
                format!("{shown} ({SOMEBODY})")
            } else {
                shown
            }
        }
        RequesterIdentity::Name | RequesterIdentity::Alias | RequesterIdentity::Anonymous => {
            SOMEBODY.to_owned()
        }
    }
}

/// As desk rooms read of somebody without a name; English.
pub const SOMEBODY: &str = "somebody else";

/// The requester's name as a room may show it (D19), tagged with nothing that could be taken for a technician (S41).
pub fn requester_name(conversation: &Conversation, policy: &Policy, room: &Address) -> String {
    match policy.desk(room).map(|desk| desk.requester_identity).unwrap_or_default() {
        RequesterIdentity::Name => {
            let technicians: Vec<&str> = policy.technicians.values().map(|t| t.name.as_str()).collect();
            fit::cannot_impersonate(&conversation.requester.name, &technicians)
        }
        RequesterIdentity::Alias => format!("Requester {}", conversation.id),
        RequesterIdentity::Anonymous => "Requester".to_owned(),
    }
}

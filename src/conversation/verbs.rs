//! One set of verbs everywhere: parsing, and who may use which (D17).
//!
//! Not here: what a verb does (the stages), how a platform spells its buttons (the adapters).

mod action;
mod label;
mod names;
mod parse;
mod permit;
#[cfg(test)]
mod permit_tests;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::{MessageId, QueueId, TechnicianId};

pub use action::from_action;
pub use label::{URGENT, label};
pub use names::Names;
pub use parse::{Parsed, parse, parse_explicit};
pub use permit::{may_reply, permitted};

/// A technician's verb. The text of `note` and `reply` travels as the message's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    Accept,
    Decline,
    Transfer {
        to: TransferTo,
    },
    Invite {
        who: TechnicianId,
    },
    Leave,
    /// Calls the colleagues of the queue; nothing else changes.
    Backup,
    /// Invites oneself.
    Join,
    Snooze {
        #[serde(rename = "for")]
        period: Duration,
    },
    Ticket,
    /// Higher goes first in the queue.
    Priority {
        level: u8,
    },
    /// Words that conversations are found by; kept as [`label`] spells them.
    Label {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        add: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        remove: Vec<String>,
    },
    Summary,
    Suggest,
    Handback,
    Resolve {
        silently: bool,
    },
    Reopen,
    Csat,
    Info,
    Help,
    Undo,
    /// Send a message that was kept internal ("Send anyway").
    Send {
        message: MessageId,
    },
    /// Become the owner of an assigned conversation.
    TakeOver,
    On,
    Busy,
    Off,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransferTo {
    /// `available`: whether they were on when it was asked (T38); stamped where the verb is read.
    Technician {
        who: TechnicianId,
        available: bool,
    },
    Queue(QueueId),
}

/// What a requester can do besides writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequesterVerb {
    Human,
    /// Cancels a handover that nobody accepted yet (D1).
    KeepAssistant,
    Yes,
    No,
    SameIssue,
    NewRequest,
    StartOver,
    Status,
    Close,
    Rate {
        score: u8,
    },
    Feedback {
        message: MessageId,
        helpful: bool,
    },
    /// The requester's page puts a word on the conversation, or takes it off; as [`label`] spells it.
    Tag {
        word: String,
        on: bool,
    },
}

impl Verb {
    /// The word that people type, and the name of the action in the API.
    pub fn name(&self) -> &'static str {
        match self {
            Verb::Accept => "accept",
            Verb::Decline => "decline",
            Verb::Transfer { .. } => "transfer",
            Verb::Invite { .. } => "invite",
            Verb::Leave => "leave",
            Verb::Backup => "backup",
            Verb::Join => "join",
            Verb::Snooze { .. } => "snooze",
            Verb::Ticket => "ticket",
            Verb::Priority { .. } => "priority",
            Verb::Label { .. } => "label",
            Verb::Summary => "summary",
            Verb::Suggest => "suggest",
            Verb::Handback => "handback",
            Verb::Resolve { .. } => "resolve",
            Verb::Reopen => "reopen",
            Verb::Csat => "csat",
            Verb::Info => "info",
            Verb::Help => "help",
            Verb::Undo => "undo",
            Verb::Send { .. } => "send",
            Verb::TakeOver => "takeover",
            Verb::On => "on",
            Verb::Busy => "busy",
            Verb::Off => "off",
        }
    }
}

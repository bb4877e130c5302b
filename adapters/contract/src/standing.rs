//! How a matter stands, for channels that show more of it to the requester than messages.
//!
//! Not here: how a channel shows it, when it changes (the runtime tells).

use serde::{Deserialize, Serialize};

use crate::address::{RemoteMessageId, RemoteUserId};
use crate::content::{Action, Card};

/// Where a requester's conversation is, as the requester may know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// `#1042`
    pub reference: String,
    pub state: StandingState,
    /// Who helps, by the name that the requester may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub technician: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<TicketShown>,
    /// Place in the queue, from 1, while waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
    /// A few words of the matter; may be empty.
    #[serde(default)]
    pub subject: String,
    /// The requester's rating, once given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StandingState {
    Assistant,
    Waiting,
    Human,
    Closed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketShown {
    pub number: String,
    /// `open`, `resolved`, `closed`.
    pub status: String,
}

/// The card of a conversation as one person may see it (D35: a refreshed card).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonalCard {
    pub card: Card,
    /// What this person may press.
    pub actions: Vec<Action>,
    /// Whether words of theirs mean anything in the thread.
    pub may_write: bool,
}

/// A message of somebody's that the host has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub message: RemoteMessageId,
    pub by: RemoteUserId,
}

impl Known {
    /// Messages of one answer.
    pub const MOST: usize = 1_000;
}

/// A technician's presence, for their own switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duty {
    On,
    Busy,
    /// Was on, and let an offer pass twice.
    Away,
    Off,
}

/// Whom somebody may hand a conversation to or call into it, by name: for platforms that suggest while one types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Colleagues {
    /// Whoever is on comes first.
    pub technicians: Vec<Colleague>,
    /// Without a sign in front.
    pub queues: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colleague {
    /// By which verbs know them, without a sign in front.
    pub id: String,
    pub name: String,
    pub duty: Duty,
}

/// Whether people are there, for whoever is about to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskHours {
    pub open: bool,
    /// When people are back, in words; only while closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<String>,
    /// Technicians that are available now.
    pub online: u32,
    /// The usual wait, in seconds, where enough was seen to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<u64>,
}

impl Default for DeskHours {
    fn default() -> Self {
        DeskHours { open: true, back: None, online: 0, wait: None }
    }
}

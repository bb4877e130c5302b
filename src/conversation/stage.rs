//! The stages of a conversation and what each of them knows.
//!
//! Not here: what events do to them (`assisting`, `handover`, `assigned`, `closed`).

use deskbridge_contract::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{HandoverReason, OfferTo, SessionId, TechnicianId, is_default};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Assisting(Assisting),
    Handover(Handover),
    Assigned(Assigned),
    Closed(Closed),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assisting {
    pub since: Timestamp,
    pub phase: Phase,
    /// Open question to the requester; dies with its turn (D7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// Out of hours: the conversation goes to the queue then (D1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Waiting for the requester.
    Idle,
    /// Messages of one burst are coming in (D6).
    Gathering { first: Timestamp, last: Timestamp },
    /// The assistant has the turn.
    Thinking { since: Timestamp },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// "Shall I connect you with a technician?"
    Connect { reason: HandoverReason },
    /// Mode `choice`: assistant or people.
    Choice,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// Waiting since; kept when re-queued (D10).
    pub since: Timestamp,
    pub reason: HandoverReason,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// Technicians that declined or missed in this round (D8).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<TechnicianId>,
    /// When a new round starts at the latest, once somebody was excluded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<Timestamp>,
    /// When max wait is reached in this queue; `None`: it was, and that was said (once).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue: Option<Timestamp>,
    /// Put ahead of those of equal priority (technician went offline).
    #[serde(default, skip_serializing_if = "is_default")]
    pub front: bool,
}

impl Handover {
    /// Whether it is offered to this technician alone.
    pub fn is_offered_to(&self, technician: &TechnicianId) -> bool {
        matches!(&self.offer, Some(Offer { to: OfferTo::One(offered), .. }) if offered == technician)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub to: OfferTo,
    pub until: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    pub technician: TechnicianId,
    pub since: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub co_repliers: Vec<TechnicianId>,
    /// The desk session where it was accepted: requester content goes there (D3). `None`: console only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Transfer>,
    /// The technician went offline then; grace runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline: Option<Timestamp>,
    /// Waiting since, before acceptance; a re-queue keeps the age (D10).
    pub waited_since: Timestamp,
}

/// An offer reserved for one technician while the sender keeps the conversation (D12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    pub to: TechnicianId,
    pub until: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    pub at: Timestamp,
    pub how: CloseReason,
    /// "Same issue or new request?" is open until then (D5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<LateQuestion>,
    /// The requester said that the next message is something new: no question is asked about it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub anew: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CloseReason {
    Resolved {
        by: TechnicianId,
    },
    /// The requester closed it, or the assistant's answer was enough.
    ByRequester,
    TimedOut,
    /// The requester left (blocked us) before anybody took it.
    Abandoned,
    /// What the requester said, and who it was, is gone (S111). It cannot be opened again.
    Erased,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateQuestion {
    pub until: Timestamp,
    /// The late messages that wait for the answer.
    pub first_seq: u64,
}

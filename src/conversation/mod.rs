//! The core: what a conversation is and what an event does to it. Pure and total: no clock, no I/O, no randomness.
//!
//! Not here: texts of messages (they live in the store), how anything is sent, who is online (facts come in with events).
//! `step` is the product logic; each stage has its own file and names every event.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod airlock;
pub mod allocation;
pub mod assigned;
pub mod assisting;
pub mod bystander;
pub mod card;
pub mod closed;
pub mod colleagues;
pub mod context;
pub mod delivery;
pub mod desk;
pub mod effect;
pub mod erasure;
pub mod event;
pub mod fit;
pub mod gist;
pub mod handover;
pub mod identity;
pub mod ids;
pub mod notices;
pub mod policy;
pub mod requester;
pub mod stage;
pub mod ticket;
pub mod timers;
pub mod verbs;

use deskbridge_contract::{Address, Timestamp};
use serde::{Deserialize, Serialize};

pub use context::{Context, step};
pub use effect::{
    Audience, Author, Body, CancelWhat, Delivery, DeliveryOp, Effect, Made, NewMessage, NoticeKind, Presence,
    RosterChange, Weight,
};
pub use event::{
    Answer, AssistantEvent, DeliveryEvent, DeskActor, DeskEvent, Event, EventBody, HandoverReason, Joined,
    OfferTo, Outcome, PostIntent, QueueFacts, ReactionTarget, Reopening, RequesterEvent, RosterEvent,
    TicketEvent, TicketStatus, Via,
};
pub use gist::{Gist, Wish};
pub use ids::{ConversationId, Derived, EffectId, MessageId, QueueId, RequesterId, SessionId, TechnicianId};
pub use policy::Policy;
pub use stage::{
    Asked, Assigned, Assisting, CloseReason, Closed, Handover, LateQuestion, Offer, Phase, Stage, Transfer,
};
pub use timers::TimerKind;
pub use verbs::{RequesterVerb, TransferTo, Verb};

/// The version of the stored form; a test reads samples of every earlier one (D28).
pub const STATE_VERSION: u32 = 1;

/// One requester's matter from first message to close.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conversation {
    pub id: ConversationId,
    /// Events applied so far; the next event is `seq + 1`.
    pub seq: u64,
    pub requester: Requester,
    pub queue: QueueId,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<Session>,
    pub stage: Stage,
    #[serde(default, skip_serializing_if = "is_default")]
    pub ticket: TicketLink,
    /// Number of the latest assistant turn; answers of others are stale.
    #[serde(default, skip_serializing_if = "is_default")]
    pub turn: u32,
    pub stretch: Stretch,
    #[serde(default, skip_serializing_if = "is_default")]
    pub clocks: Clocks,
    /// Technicians' texts that are not with the requester yet, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relays: Vec<Relay>,
    /// Technicians' texts that may still be sent: kept inside, or refused by the platform. The latest few.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
    /// Higher goes first in the queue.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: u8,
    /// What technicians find it by; in order, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Who helped last; asked first when the requester returns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_technician: Option<TechnicianId>,
    /// Who helped this requester in the conversation before; asked first as long as nobody helped in this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub familiar: Option<TechnicianId>,
    /// The four-part summary, when it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<MessageId>,
    pub opened: Timestamp,
    /// The requester's rating, 1 to 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requester {
    pub id: RequesterId,
    /// As shown to technicians, cleaned, and tagged with the channel by whoever shows it.
    pub name: String,
    /// Two letters; the language of notices.
    pub language: String,
    /// A public picture, for surfaces that show one beside the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// True after `Left`: sending would fail, technicians are told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub away: bool,
}

/// The part of a conversation that the assistant may see (A5): since opening, reopening or hand-back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The first seq that belongs to it.
    pub from: u64,
    /// The first assistant turn that belongs to it; words of earlier turns are not shown any more (L6).
    #[serde(default, skip_serializing_if = "is_default")]
    pub first_turn: u32,
    /// Assistant answers given in it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub answers: u32,
    /// Articles used in it; none is used twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cited: Vec<String>,
}

/// When each side last spoke. Notices and reminders do not count (D10).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<Timestamp>,
    /// The assistant or the technician.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helper: Option<Timestamp>,
    /// It is the helpers' turn since then: the first word of the requester that nobody answered, or the acceptance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<Timestamp>,
    /// The reminder of this silence was sent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reminded: bool,
    /// The technician was nudged about this silence.
    #[serde(default, skip_serializing_if = "is_default")]
    pub nudged: bool,
}

/// Binding of one address to this conversation, in one role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    pub role: SessionRole,
    /// For desks: the room, and the thread once it is open.
    pub address: Address,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionRole {
    /// `active`: the one that spoke last (D3).
    Requester { active: bool },
    Desk {
        thread: DeskThread,
        /// Everything public up to this seq is shown there.
        shown: u64,
        /// The latest post there failed, and that was said as far as it can be.
        #[serde(default, skip_serializing_if = "is_default")]
        failing: bool,
        /// What stands in the thread as a transcript, from seq to seq: it is drawn anew when a word of it changes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        transcripts: Vec<(u64, u64)>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeskThread {
    Opening,
    Open,
    /// Could not be opened; the conversation is offered by the console and other rooms (D34).
    Lost,
}

/// A technician's text on its way to the requester; forgotten when its delivery ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relay {
    pub message: MessageId,
    pub by: TechnicianId,
    /// Where it was written, so that its mark and a failure are shown there.
    pub origin: Option<SessionId>,
    /// The end of the undo window (D13).
    pub held_until: Timestamp,
    /// Since when the requester waited for these words; they wait again if the words are taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<Timestamp>,
}

/// A technician's text that did not reach the requester; "send anyway" and "try again" are for nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub message: MessageId,
    pub by: TechnicianId,
}

/// Conversation ↔ ticket, one to one (D15).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketLink {
    #[default]
    None,
    /// Asked for; at most one request is under way.
    Opening,
    Linked {
        desk: String,
        key: String,
        number: String,
        status: TicketStatus,
        resolved_at: Option<Timestamp>,
    },
    /// Could not be opened; the conversation goes on without (it can be asked for again).
    Failed {
        why: String,
    },
}

/// What says nothing is not stored: the state is written with every event.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Conversation {
    /// A new conversation, before its first event.
    pub fn open(
        id: ConversationId,
        requester: Requester,
        address: Address,
        queue: QueueId,
        priority: u8,
        now: Timestamp,
    ) -> Self {
        Conversation {
            id,
            seq: 0,
            requester,
            queue,
            sessions: vec![Session {
                id: SessionId(0),
                role: SessionRole::Requester { active: true },
                address,
            }],
            stage: Stage::Assisting(Assisting {
                since: now,
                phase: Phase::Idle,
                asked: None,
                queue_at: None,
            }),
            ticket: TicketLink::None,
            turn: 0,
            stretch: Stretch { from: 1, first_turn: 1, ..Stretch::default() },
            clocks: Clocks::default(),
            relays: Vec::new(),
            kept: Vec::new(),
            priority,
            labels: Vec::new(),
            last_technician: None,
            familiar: None,
            summary: None,
            opened: now,
            rating: None,
        }
    }

    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.iter().find(|session| session.id == id)
    }

    /// The one requester session that content goes to (D3).
    pub fn requester_session(&self) -> Option<&Session> {
        self.sessions
            .iter()
            .find(|s| matches!(s.role, SessionRole::Requester { active: true }))
            .or_else(|| self.sessions.iter().find(|s| matches!(s.role, SessionRole::Requester { .. })))
    }

    pub fn desk_sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().filter(|s| matches!(s.role, SessionRole::Desk { .. }))
    }

    /// Who this conversation counts against: open offers + assigned − snoozed (D9).
    /// The writer compares it before and after a step, so that no load is ever forgotten.
    pub fn occupies(&self) -> Vec<TechnicianId> {
        match &self.stage {
            Stage::Assisting(_) | Stage::Closed(_) => Vec::new(),
            Stage::Handover(handover) => match &handover.offer {
                Some(Offer { to: OfferTo::One(technician), .. }) => vec![technician.clone()],
                Some(Offer { to: OfferTo::Everyone, .. }) | None => Vec::new(),
            },
            Stage::Assigned(assigned) => {
                let mut loads = Vec::new();
                if assigned.snoozed.is_none() {
                    loads.push(assigned.technician.clone());
                }
                if let Some(transfer) = &assigned.transfer {
                    loads.push(transfer.to.clone());
                }
                loads
            }
        }
    }

    /// Whether words of the assistant's turn `turn` may still be shown to the requester (L6).
    pub fn assistant_may_speak(&self, turn: u32) -> bool {
        matches!(self.stage, Stage::Assisting(_)) && turn >= self.stretch.first_turn
    }

    /// Waiting in the queue without an offer: what allocation looks for.
    pub fn is_waiting(&self) -> bool {
        matches!(&self.stage, Stage::Handover(Handover { offer: None, .. }))
    }

    pub fn assignee(&self) -> Option<&TechnicianId> {
        match &self.stage {
            Stage::Assigned(assigned) => Some(&assigned.technician),
            Stage::Assisting(_) | Stage::Handover(_) | Stage::Closed(_) => None,
        }
    }

    /// As technicians read it.
    pub fn requester_name(&self) -> &str {
        if self.is_erased() { "Erased requester" } else { &self.requester.name }
    }

    /// Who it was, and what was said, is gone (S111).
    pub fn is_erased(&self) -> bool {
        matches!(&self.stage, Stage::Closed(Closed { how: CloseReason::Erased, .. }))
    }

    /// The number of the event by which its requester was erased.
    pub fn erased_at(&self) -> Option<u64> {
        // What anybody may still see of it begins there, and it is never opened again.
        self.is_erased().then_some(self.stretch.from)
    }

    /// The stage's name, for lists and filters.
    pub fn stage_name(&self) -> &'static str {
        match &self.stage {
            Stage::Assisting(_) => "assisting",
            Stage::Handover(_) => "handover",
            Stage::Assigned(_) => "assigned",
            Stage::Closed(_) => "closed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// States that say what nothing is, as they were stored at first, are read like those that leave it out.
    #[test]
    fn stored_states_are_read_in_both_spellings() {
        let long = r#"{"id":996,"seq":22,"requester":{"id":"bench:995","name":"R995","language":"en","away":false},
            "queue":"default","sessions":[{"id":0,"role":{"requester":{"active":true}},"address":{"channel":"bench",
            "room":"995"}},{"id":1,"role":{"desk":{"thread":"opening","shown":22,"failing":false,"transcripts":[[1,1]]}},
            "address":{"channel":"bench","room":"desk"}}],"stage":{"assigned":{"technician":"bench","since":5,
            "co_repliers":[],"working":1,"snoozed":null,"transfer":null,"offline":null,"waited_since":4}},"ticket":"none",
            "turn":0,"stretch":{"from":1,"first_turn":1,"answers":0,"cited":[]},"clocks":{"requester":7,"helper":null,
            "unanswered":7,"reminded":false,"nudged":false},"priority":0,"last_technician":null,"summary":null,
            "opened":4,"rating":null}"#;
        let read: Conversation = serde_json::from_str(long).expect("the long spelling");
        assert!(matches!(&read.stage, Stage::Assigned(assigned) if assigned.working == Some(SessionId(1))));
        let short = serde_json::to_string(&read).expect("a state can be written");
        assert!(!short.contains("null") && !short.contains("false"), "{short}");
        assert_eq!(serde_json::from_str::<Conversation>(&short).expect("the short spelling"), read);
    }
}

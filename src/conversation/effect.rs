//! What must go out: rows for the outbox, messages for the store. Effects name sessions, never addresses.

use deskbridge_contract::{Content, Interaction, Mark, RemoteMessageId, RemoteUserId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::event::{TicketStatus, Via};
use crate::ids::{EffectId, MessageId, RequesterId, SessionId, TechnicianId};

/// What a step asks for. The n-th effect of event `seq` has the id (conversation, seq, n).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// One operation on one session; FIFO per session (D34).
    Deliver(Delivery),
    /// Let the assistant take the turn. The answer carries the same number back; a stale one dies by it.
    AskAssistant {
        turn: u32,
    },
    /// Build the four-part summary of the stretch that began at `stretch` (A6).
    Summarise {
        stretch: u64,
    },
    /// Draft a reply for a technician (A7).
    Suggest {
        to: TechnicianId,
        via: Via,
    },
    OpenTicket {
        note: String,
    },
    SetTicketStatus {
        status: TicketStatus,
    },
    AssignTicket {
        technician: TechnicianId,
    },
    CommentTicket {
        message: MessageId,
        public: bool,
    },
    /// Tell a technician privately, outside the desk room (direct message, desktop).
    Notify {
        technician: TechnicianId,
        kind: NoticeKind,
    },
    /// Deliveries of these messages that are still queued or held are not sent.
    Cancel {
        what: CancelWhat,
    },
    /// Held deliveries of this conversation go out now, in order (D13).
    ReleaseHolds,
    /// Change of the roster in the same transaction.
    Roster(RosterChange),
    /// The late messages from `first_seq` on become a new conversation of the same requester (D5).
    OpenAnew {
        first_seq: u64,
    },
    /// The requester's rating.
    Rated {
        score: u8,
    },
    /// 👍 or 👎 on an assistant message.
    Feedback {
        message: MessageId,
        helpful: bool,
    },
    /// A security-relevant act: one audit row.
    Audit {
        by: Option<TechnicianId>,
        act: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub session: SessionId,
    pub op: DeliveryOp,
    /// Not sent before this (the undo window).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// The assistant turn whose words these are; checked again when the attempt begins (L6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
    pub weight: Weight,
}

/// What an ambiguous outcome may cost (D33), and what goes first in a paced room (D23).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// Words of a person, cards, transcripts: sent again once after an ambiguous failure.
    Person,
    /// Notices and assistant messages: never sent twice.
    Notice,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryOp {
    /// Shows a message of the conversation in the session.
    Post {
        message: MessageId,
    },
    Edit {
        message: MessageId,
    },
    Delete {
        message: MessageId,
    },
    React {
        message: MessageId,
        emoji: String,
        on: bool,
    },
    Mark {
        message: MessageId,
        mark: Mark,
    },
    OpenThread,
    /// Posts the session's card, or edits it when it is there; rendered from the state at that moment.
    Card,
    /// Title and state of the thread, rendered from the state at that moment; closes or reopens it.
    Thread {
        closed: bool,
    },
    /// Everything public from seq `from` to `to`, as one message (D23).
    Transcript {
        from: u64,
        to: u64,
    },
    Whisper {
        to: RemoteUserId,
        message: MessageId,
        interaction: Option<Interaction>,
    },
}

impl DeliveryOp {
    /// Deliveries with the same key in the same session are needed only once while queued: they are rendered late.
    pub fn coalesces(&self) -> Option<&'static str> {
        match self {
            DeliveryOp::Card => Some("card"),
            DeliveryOp::Thread { .. } => Some("thread"),
            DeliveryOp::Post { .. }
            | DeliveryOp::Edit { .. }
            | DeliveryOp::Delete { .. }
            | DeliveryOp::React { .. }
            | DeliveryOp::Mark { .. }
            | DeliveryOp::OpenThread
            | DeliveryOp::Transcript { .. }
            | DeliveryOp::Whisper { .. } => None,
        }
    }

    /// Whether a requester's session may have it as well as a desk's.
    pub fn is_for_everybody(&self) -> bool {
        match self {
            DeliveryOp::Post { .. }
            | DeliveryOp::Edit { .. }
            | DeliveryOp::Delete { .. }
            | DeliveryOp::React { .. } => true,
            DeliveryOp::Mark { .. }
            | DeliveryOp::OpenThread
            | DeliveryOp::Card
            | DeliveryOp::Thread { .. }
            | DeliveryOp::Transcript { .. }
            | DeliveryOp::Whisper { .. } => false,
        }
    }

    /// The message that this delivery shows or touches.
    pub fn message(&self) -> Option<MessageId> {
        match self {
            DeliveryOp::Post { message }
            | DeliveryOp::Edit { message }
            | DeliveryOp::Delete { message }
            | DeliveryOp::React { message, .. }
            | DeliveryOp::Mark { message, .. }
            | DeliveryOp::Whisper { message, .. } => Some(*message),
            DeliveryOp::OpenThread
            | DeliveryOp::Card
            | DeliveryOp::Thread { .. }
            | DeliveryOp::Transcript { .. } => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    Offered,
    Transferred,
    TakenOver,
    Invited,
    Reopened,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CancelWhat {
    /// Everything of the assistant that is not yet with the platform (L6).
    Assistant,
    /// One message, in every session (undo, deletion while queued: D13, D14).
    Message(MessageId),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RosterChange {
    /// The offer ran out; the second in a row makes the technician Away (D8).
    Missed(TechnicianId),
    /// An act of one's own ends Away and forgets missed offers (D11).
    Acted(TechnicianId),
    SetPresence(TechnicianId, Presence),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    Available,
    Busy,
    Away,
    #[default]
    Offline,
}

/// A message to be stored with the step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewMessage {
    pub id: MessageId,
    pub author: Author,
    pub audience: Audience,
    pub body: Body,
    pub reply_to: Option<MessageId>,
    /// Where it was written, when on a platform: makes the first link.
    pub origin: Option<(SessionId, RemoteMessageId)>,
}

/// Where the words come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// The content that came with the event. The core never looks into it.
    Incoming,
    /// Written by the core itself: a notice.
    Own(Content),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Author {
    Requester(RequesterId),
    /// Somebody else at the requester's place. The name is not the core's: the store puts in what came with the event.
    Bystander {
        id: RequesterId,
        name: String,
    },
    Technician(TechnicianId),
    /// Somebody in a desk room who is no technician.
    Outsider,
    Assistant,
    /// The bridge itself.
    Desk,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// The requester and the technicians.
    Public,
    /// Technicians only.
    Internal,
    /// One technician only (whispers, suggestions).
    Private,
    /// The requester only (notices that desks see on the card).
    Requester,
}

/// What one event came to. Messages in order; effects get their ids by their place in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    pub messages: Vec<NewMessage>,
    pub effects: Vec<(EffectId, Effect)>,
    /// Messages whose stored content is replaced by the event's content (an edit).
    pub edited: Vec<MessageId>,
    pub deleted: Vec<MessageId>,
    /// Stored messages whose audience changes: "send anyway" makes an internal one public.
    pub audience: Vec<(MessageId, Audience)>,
    /// Sessions whose thread is gone: their links mean nothing any more.
    pub unlinked: Vec<SessionId>,
    /// For the person who pressed a button; not stored.
    pub toast: Option<String>,
}

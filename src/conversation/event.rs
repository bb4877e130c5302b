//! What comes in: facts, already translated and classified. The log keeps them; no message text is in them (D28).

use std::time::Duration;

use deskbridge_contract::{
    Address, DeliveryId, Interaction, RemoteMessageId, RemoteUserId, ThreadChange, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::effect::DeliveryOp;
use crate::gist::Gist;
use crate::ids::{MessageId, RequesterId, SessionId, TechnicianId};
use crate::timers::TimerKind;
use crate::verbs::{RequesterVerb, Verb};

/// One event as the core sees it and the log keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Stamped by the writer; drives timers and windows (D2).
    pub now: Timestamp,
    /// The platform's time; only shown.
    pub at: Timestamp,
    /// Facts about the queue at that moment, stamped by the writer so that replay needs nothing else.
    pub facts: QueueFacts,
    pub body: EventBody,
}

/// What the writer knows of the conversation's queue when the event happens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueFacts {
    /// Set when the queue is outside its business hours: when people are back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopening: Option<Reopening>,
    /// Other conversations waiting in the queue.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub waiting: u32,
    /// Those that go before this one, while it waits itself and its requester does something.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ahead: u32,
    /// From recent waits; unknown when there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_wait: Option<Duration>,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventBody {
    Requester {
        session: SessionId,
        what: RequesterEvent,
    },
    /// Somebody else did it at the requester's place, in a thread or a group that is open to others.
    Bystander {
        session: SessionId,
        by: RequesterId,
        what: RequesterEvent,
    },
    Desk {
        by: DeskActor,
        via: Via,
        what: DeskEvent,
    },
    Assistant(AssistantEvent),
    Roster(RosterEvent),
    Ticket(TicketEvent),
    Delivery(DeliveryEvent),
    Timer {
        kind: TimerKind,
        due: Timestamp,
    },
    /// The requester is erased (S111). `messages`: what desk rooms show and nobody wrote there: theirs, the assistant's, the
    /// bridge's own. `relayed`: technicians' words in rooms where the bridge posted them for their author.
    Erased {
        by: Option<TechnicianId>,
        messages: Vec<MessageId>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        relayed: Vec<(SessionId, MessageId)>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequesterEvent {
    Started,
    Posted {
        remote: RemoteMessageId,
        gist: Gist,
        reply_to: Option<MessageId>,
    },
    /// `message` is `None` when the platform's message is unknown to us.
    Edited {
        message: Option<MessageId>,
    },
    Deleted {
        message: Option<MessageId>,
    },
    Reacted {
        message: Option<MessageId>,
        emoji: String,
        added: bool,
    },
    Pressed {
        verb: RequesterVerb,
    },
    Left,
    Returned,
    RoomMoved {
        to: Address,
    },
}

/// When a queue's people are back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopening {
    pub at: Timestamp,
    /// As said to people, in the queue's time zone: "Wed 08:00 (Europe/Lisbon)".
    pub said: String,
}

/// Who did something on the technicians' side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeskActor {
    Technician(TechnicianId),
    /// Has the technician's address, and has not confirmed yet to be that technician: may do nothing, and is asked.
    Unconfirmed(TechnicianId),
    /// Guests, bots, external users, people mapped to nobody (D17).
    Outsider,
}

/// By which surface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// A desk room's thread of this conversation.
    Room {
        session: SessionId,
        user: RemoteUserId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interaction: Option<Interaction>,
    },
    /// The console or the API (D20).
    Console,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeskEvent {
    /// A message without a verb, or with one that carries its text (`note`, `reply`).
    Posted {
        /// `None` from the console.
        remote: Option<RemoteMessageId>,
        intent: PostIntent,
        reply_to: Option<MessageId>,
    },
    /// `intent`: what the message is meant to be with its new words.
    Edited {
        message: Option<MessageId>,
        #[serde(default)]
        intent: PostIntent,
    },
    Deleted {
        message: Option<MessageId>,
    },
    Reacted {
        target: ReactionTarget,
        emoji: String,
        added: bool,
    },
    Verb {
        verb: Verb,
    },
    /// It began like a verb but was none; the person is told why.
    Misread {
        why: String,
    },
    Thread {
        change: ThreadChange,
    },
    RoomMoved {
        to: Address,
    },
}

/// What a technician's message is meant to be, before the airlock decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PostIntent {
    #[default]
    Plain,
    /// `reply …`, `!r …`, the console's composer.
    Reply,
    /// 🔒, `note …`.
    Note,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReactionTarget {
    Card,
    Message(MessageId),
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssistantEvent {
    /// The turn is over. `content` of the event's job is the visible text, when there is one.
    Answered { turn: u32, answer: Answer },
    /// The four-part summary is there; its text is the event's content.
    Summarised { stretch: u64 },
    /// A suggested reply for one technician; its text is the event's content.
    Suggested { to: TechnicianId, via: Via },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// A visible answer. `cites`: slugs of the articles used, so that none is used twice.
    Said {
        cites: Vec<String>,
    },
    /// A visible question between choices.
    AskedBack {
        cites: Vec<String>,
    },
    /// The assistant decided for people: policy topic, nothing good enough, a tool call. The text, if any, is advice.
    HandOver {
        reason: HandoverReason,
    },
    Failed {
        why: String,
    },
}

/// Why people are needed (L3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HandoverReason {
    Asked,
    PolicyTopic,
    LowConfidence,
    ToolCall,
    MaxTurns,
    AssistantFailed,
    AssistantOff,
    Taken,
    Transferred,
    Reopened,
    OpeningTime,
    /// Back in the queue: the technician went silent or offline.
    Requeued,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RosterEvent {
    /// Allocation proposes; the capacity guard held.
    Proposed {
        to: OfferTo,
    },
    /// Allocation proposed, but the technician is full or gone meanwhile (D9).
    ClaimRefused {
        technician: TechnicianId,
    },
    /// The owner, the offered or the transfer target went offline.
    WentOffline {
        technician: TechnicianId,
    },
    CameBack {
        technician: TechnicianId,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OfferTo {
    One(TechnicianId),
    Everyone,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketEvent {
    /// `key` is the ticket system's own id, `number` what people say.
    Opened {
        desk: String,
        key: String,
        number: String,
    },
    Failed {
        why: String,
    },
    /// The ticket was changed in its own system.
    StatusChanged {
        status: TicketStatus,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketStatus {
    Open,
    Resolved,
    Closed,
}

/// How a delivery ended. The effect's row is retired by the same transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryEvent {
    pub delivery: DeliveryId,
    pub session: SessionId,
    pub op: DeliveryOp,
    pub outcome: Outcome,
    /// Sent in the post of another message (D23).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Joined>,
}

/// The place of a message in the post of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The message that the post belongs to, its first part.
    pub lead: MessageId,
    /// Counted from 1; the lead is before all.
    pub nth: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// On the platform. `address` is where answers arrive.
    Sent {
        remote: Option<RemoteMessageId>,
        more: Vec<RemoteMessageId>,
        address: Address,
        /// Whoever took it will not tell whether it was shown.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        accepted: bool,
        note: Option<String>,
    },
    Failed {
        why: String,
    },
    /// The first of several operations are on the platform, the others will not be.
    Partly {
        remote: Option<RemoteMessageId>,
        more: Vec<RemoteMessageId>,
        address: Address,
        why: String,
    },
    /// Nobody knows, and it is not tried again (D33).
    Unknown {
        why: String,
    },
    /// The place is gone: blocked, kicked.
    Gone {
        why: String,
    },
    /// The desk thread is gone, the room is there (D22).
    ThreadGone {
        why: String,
    },
    /// The room has a new address.
    Moved {
        to: Address,
    },
}

impl EventBody {
    /// Fills in what the platform's message ids mean to us. `target`: the edited, deleted or reacted-to message;
    /// `card`: that message is the session's card.
    pub fn resolve(&mut self, target: Option<MessageId>, card: bool, reply: Option<MessageId>) {
        match self {
            EventBody::Requester { what, .. } | EventBody::Bystander { what, .. } => match what {
                RequesterEvent::Posted { reply_to, .. } => *reply_to = reply,
                RequesterEvent::Edited { message }
                | RequesterEvent::Deleted { message }
                | RequesterEvent::Reacted { message, .. } => *message = target,
                RequesterEvent::Started
                | RequesterEvent::Pressed { .. }
                | RequesterEvent::Left
                | RequesterEvent::Returned
                | RequesterEvent::RoomMoved { .. } => {}
            },
            EventBody::Desk { what, .. } => match what {
                DeskEvent::Posted { reply_to, .. } => *reply_to = reply,
                DeskEvent::Edited { message, .. } | DeskEvent::Deleted { message } => *message = target,
                DeskEvent::Reacted { target: reacted, .. } => {
                    *reacted = match (card, target) {
                        (true, _) => ReactionTarget::Card,
                        (false, Some(message)) => ReactionTarget::Message(message),
                        (false, None) => ReactionTarget::Unknown,
                    };
                }
                DeskEvent::Verb { .. }
                | DeskEvent::Misread { .. }
                | DeskEvent::Thread { .. }
                | DeskEvent::RoomMoved { .. } => {}
            },
            EventBody::Assistant(_)
            | EventBody::Roster(_)
            | EventBody::Ticket(_)
            | EventBody::Delivery(_)
            | EventBody::Timer { .. }
            | EventBody::Erased { .. } => {}
        }
    }
}

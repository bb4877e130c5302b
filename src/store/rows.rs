//! The rows, the same on every backend. Times are microseconds UTC; JSON columns hold the serde form.

use std::sync::Arc;

use deskbridge_contract::{ChannelName, Content, RemoteMessageId, RoomId, Sent, Timestamp};
use deskbridge_conversation::{
    Audience, Author, Conversation, ConversationId, Effect, EffectId, Event, MessageId, Presence,
    RequesterId, SessionId, TechnicianId, TicketStatus, Weight,
};
use serde::{Deserialize, Serialize};

/// `conversations`: the state, and columns that lists and scans need. All columns derive from the state.
#[derive(Clone, Debug)]
pub struct ConversationRow {
    pub state: Arc<Conversation>,
    pub wake_at: Option<Timestamp>,
    pub updated: Timestamp,
}

/// `sessions`: finds a conversation by address. `address` is [`deskbridge_contract::Address::key`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    pub conversation: ConversationId,
    pub session: SessionId,
    pub requester: bool,
    pub address: String,
}

/// A requester, as they are found by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    pub id: RequesterId,
    pub name: String,
    pub language: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageRow {
    pub id: MessageId,
    pub author: Author,
    pub audience: Audience,
    pub content: Content,
    pub reply_to: Option<MessageId>,
    /// Stamped by the writer.
    pub now: Timestamp,
    /// The platform's time.
    pub at: Timestamp,
    pub edited: Option<Timestamp>,
    pub deleted: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogRow {
    pub conversation: ConversationId,
    pub seq: u64,
    pub cause: String,
    pub event: Event,
    pub policy: String,
}

/// `outbox`: every effect, from enqueued to its end; a delivery's row is its visible state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboxRow {
    pub id: EffectId,
    /// FIFO: one under way per lane. Deliveries: `d:<conversation>:<session>`; services: `s:<conversation>:<kind>`.
    pub lane: String,
    pub effect: Effect,
    pub state: DeliveryState,
    pub not_before: Option<Timestamp>,
    pub turn: Option<u32>,
    pub weight: Weight,
    pub attempts: u32,
    pub error: Option<String>,
    pub lease_until: Option<Timestamp>,
    pub created: Timestamp,
    pub updated: Timestamp,
    /// What is on the platform of a delivery that became several operations and has not ended: the first of them, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<Sent>,
}

impl OutboxRow {
    pub fn conversation(&self) -> ConversationId {
        self.id.conversation
    }
    pub fn is_delivery(&self) -> bool {
        matches!(self.effect, Effect::Deliver(_))
    }
}

/// Visible to people (D32). `Held` is `Queued` with a time in the future.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    Queued,
    Attempting,
    /// Taken by something that will not tell more (a workflow).
    Accepted,
    Sent,
    Delivered,
    Seen,
    Unknown,
    Failed,
    Cancelled,
}

impl DeliveryState {
    pub const ALL: [DeliveryState; 9] = [
        DeliveryState::Queued,
        DeliveryState::Attempting,
        DeliveryState::Accepted,
        DeliveryState::Sent,
        DeliveryState::Delivered,
        DeliveryState::Seen,
        DeliveryState::Unknown,
        DeliveryState::Failed,
        DeliveryState::Cancelled,
    ];
    pub fn name(self) -> &'static str {
        match self {
            DeliveryState::Queued => "queued",
            DeliveryState::Attempting => "attempting",
            DeliveryState::Accepted => "accepted",
            DeliveryState::Sent => "sent",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Seen => "seen",
            DeliveryState::Unknown => "unknown",
            DeliveryState::Failed => "failed",
            DeliveryState::Cancelled => "cancelled",
        }
    }
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
    /// Nothing more will be done by the outbox.
    pub fn is_terminal(self) -> bool {
        !matches!(self, DeliveryState::Queued | DeliveryState::Attempting)
    }
}

impl AttemptRow {
    /// The outcome of one whose own words named somebody who was erased.
    pub(crate) const ERASED: &'static str = "erased";
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptRow {
    pub effect: EffectId,
    pub attempt: u32,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
    pub outcome: Option<String>,
}

/// `links`: our message in a session ↔ the platform's message. `message` is `None` for the session's card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRow {
    pub conversation: ConversationId,
    pub session: SessionId,
    pub message: Option<MessageId>,
    pub channel: ChannelName,
    pub room: RoomId,
    pub remote: RemoteMessageId,
    /// 0 for the first part; further parts when one message became several.
    pub part: u16,
}

/// `joints`: a message that is shown in the post of another; that one's links are its own (D23).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JointRow {
    pub conversation: ConversationId,
    pub session: SessionId,
    pub message: MessageId,
    pub lead: MessageId,
    /// Counted from 1, in the order in which they are shown.
    pub nth: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TechnicianRow {
    pub id: TechnicianId,
    pub presence: Presence,
    pub since: Timestamp,
    /// Open offers + assigned − snoozed (D9).
    pub load: u32,
    /// Missed offers in a row.
    pub missed: u32,
    pub last_assigned: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRow {
    /// Random, 128 bits or more; also the name under which the bytes are kept.
    pub id: String,
    pub conversation: Option<ConversationId>,
    pub name: String,
    pub mime: String,
    pub size: u64,
    pub sha256: String,
    pub created: Timestamp,
}

/// An API token; only its SHA-256 is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    pub id: String,
    pub name: String,
    pub sha256: String,
    pub scopes: Vec<String>,
    /// The technician on whose behalf actions are done.
    pub technician: Option<TechnicianId>,
    pub created: Timestamp,
    pub expires: Option<Timestamp>,
    pub revoked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineRow {
    pub id: i64,
    pub channel: ChannelName,
    pub raw: Vec<u8>,
    pub why: String,
    pub now: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketRow {
    /// Counted from 1; shown as `T-000001`.
    pub number: i64,
    /// Our idempotency key.
    pub key: String,
    pub conversation: Option<ConversationId>,
    pub summary: String,
    pub description: String,
    pub status: TicketStatus,
    pub priority: u8,
    pub requester: String,
    pub technician: Option<String>,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub comments: Vec<TicketComment>,
    pub history: Vec<TicketChange>,
    pub attachments: Vec<TicketAttachment>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketComment {
    pub author: String,
    pub text: String,
    pub public: bool,
    pub now: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketChange {
    pub by: String,
    pub what: String,
    pub now: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketAttachment {
    pub blob: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    pub id: i64,
    pub now: Timestamp,
    pub by: Option<String>,
    pub act: String,
    pub conversation: Option<ConversationId>,
    /// SHA-256 over the previous row's hash and this row: a changed or missing row breaks the chain.
    pub hash: String,
}

/// The account of a technician at the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    pub technician: TechnicianId,
    /// What is typed to sign in; in small letters, unique.
    pub login: String,
    /// In the PHC string form; `None` until the person has chosen one.
    pub password: Option<String>,
    pub disabled: bool,
    pub created: Timestamp,
    /// The password.
    pub changed: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginKind {
    /// Of a browser.
    Session,
    /// A one-time link by which a password is chosen.
    Link,
    /// A sign-in that was begun and is with the company's provider.
    Oidc,
}

impl LoginKind {
    pub fn name(self) -> &'static str {
        match self {
            LoginKind::Session => "session",
            LoginKind::Link => "link",
            LoginKind::Oidc => "oidc",
        }
    }
    pub fn from_name(name: &str) -> Option<Self> {
        [LoginKind::Session, LoginKind::Link, LoginKind::Oidc].into_iter().find(|kind| kind.name() == name)
    }
}

/// An open session, or a link or a sign-in that was not used yet; only the SHA-256 of its secret is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginRow {
    pub sha256: String,
    pub kind: LoginKind,
    /// `None`: the link that makes the first admin, or a sign-in of which nobody knows yet whose it is.
    pub technician: Option<TechnicianId>,
    pub created: Timestamp,
    pub seen: Timestamp,
    pub expires: Timestamp,
}

impl KeptRow {
    /// A second factor of an account: a secret.
    pub const FACTOR: &'static str = "factor";
    /// What a request was answered, by its idempotency key.
    pub const ANSWERED: &'static str = "answered";
    /// What somebody has written and not sent; the key is the conversation's number.
    pub const DRAFT: &'static str = "draft";
    /// Whether an identity is somebody's who works here; the key is the identity.
    pub const IDENTITY: &'static str = "identity";
    /// By which account of the company's provider a technician signs in; the key is a hash of it.
    pub const SUBJECT: &'static str = "subject";
    /// An erasure that is under way: what is left of it.
    pub const ERASURE: &'static str = "erasure";
    /// By which the key that secrets are sealed with is known again.
    pub const SEAL: &'static str = "seal";
    /// Kinds that are in no export.
    pub const SECRET: [&'static str; 5] =
        [KeptRow::FACTOR, KeptRow::ANSWERED, KeptRow::SUBJECT, KeptRow::ERASURE, KeptRow::SEAL];

    /// A request's answer without its words: that it was carried out stays. `None`: there are none.
    pub fn without_answer(&self) -> Option<KeptRow> {
        let mut value: serde_json::Value = serde_json::from_str(self.value.as_deref()?).ok()?;
        value.as_object_mut()?.remove("answer")?;
        Some(KeptRow { value: Some(value.to_string()), ..self.clone() })
    }

    /// The conversation that a draft is for.
    pub fn drafted(&self) -> Option<ConversationId> {
        if self.kind == KeptRow::DRAFT { self.key.parse().ok().map(ConversationId) } else { None }
    }
}

/// Something written in the console: a canned reply, a draft, a setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRow {
    pub kind: String,
    /// Empty: everybody's.
    pub owner: String,
    pub key: String,
    /// JSON. `None`, when written: it is dropped.
    pub value: Option<String>,
    pub updated: Timestamp,
}

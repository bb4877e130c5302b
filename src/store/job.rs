//! Jobs for the writer, their causes and their answers.

use std::sync::Arc;

use deskbridge_contract::{
    Address, Attachment, ChannelName, Content, RemoteEventId, RemoteMessageId, RoomId, Sent, Timestamp,
};
use deskbridge_conversation::{
    Conversation, ConversationId, EffectId, EventBody, MessageId, Presence, QueueFacts, QueueId, Requester,
    RequesterId, TechnicianId, TicketStatus, TimerKind,
};

use crate::rows::{
    AccountRow, BlobRow, DeliveryState, KeptRow, LogRow, LoginRow, MessageRow, OutboxRow, TokenRow,
};

/// An event's idempotency key (D29). Stored in the same transaction as what it caused; a second one is answered
/// `Duplicate` and does nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    Inbound(ChannelName, RemoteEventId),
    /// The terminal event of an effect; retires the effect's row.
    Effect(EffectId),
    Timer(ConversationId, TimerKind, Timestamp),
    /// A console or API request, by its idempotency key.
    Console(String),
    Ticket(String, String),
    /// The roster's n-th change as it concerns one conversation, or allocation's proposal at a given seq.
    Roster(ConversationId, String),
}

impl Cause {
    /// The stored form; unambiguous because the parts that may hold anything come last.
    pub fn key(&self) -> String {
        match self {
            Cause::Inbound(channel, id) => format!("in:{channel}:{id}"),
            Cause::Effect(id) => format!("fx:{id}"),
            Cause::Timer(conversation, kind, due) => format!("tm:{}:{kind:?}:{}", conversation.0, due.0),
            Cause::Console(id) => format!("co:{id}"),
            Cause::Ticket(desk, id) => format!("tk:{desk}:{id}"),
            Cause::Roster(conversation, id) => format!("ro:{}:{id}", conversation.0),
        }
    }
}

/// One event for one conversation.
#[derive(Clone, Debug)]
pub struct Apply {
    pub cause: Cause,
    pub target: Target,
    /// The platform's time.
    pub at: Timestamp,
    /// Session ids inside are placeholders where the target is an address; the writer fills them in.
    pub body: EventBody,
    /// The words that came with the event; stored as the message that the step makes of it, or as an edit.
    pub content: Option<Content>,
    pub refs: Refs,
    pub guard: Option<Guard>,
}

/// Platform message ids in the event that the writer turns into ours.
#[derive(Clone, Debug, Default)]
pub struct Refs {
    /// The edited, deleted or reacted-to message.
    pub target: Option<RemoteRef>,
    pub reply_to: Option<RemoteRef>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RemoteRef {
    pub channel: ChannelName,
    pub room: RoomId,
    pub remote: RemoteMessageId,
}

/// Which conversation an event belongs to.
#[derive(Clone, Debug)]
pub enum Target {
    Conversation(ConversationId),
    /// The latest conversation of a requester's address; opened when there is none, or when the latest was closed
    /// longer ago than the reopen window (L1, L8, D4). `force_new`: open another in any case (D5). Who is somebody else at
    /// a shared place is a bystander there.
    Requester {
        address: Address,
        requester: Requester,
        queue: QueueId,
        priority: u8,
        force_new: bool,
        /// Others speak there as well: only the conversation's own requester is taken for the requester.
        shared: bool,
    },
    /// The conversation whose desk session has this address (room and thread).
    Desk {
        address: Address,
    },
}

/// What must hold in the transaction for the event to be what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The conversation has not moved since the decision was made; else `Refused`, nothing is stored.
    Seq(u64),
    /// As `Seq`, and the technician is available with free capacity (D9); else the event becomes `ClaimRefused`.
    Capacity { seq: u64, technician: TechnicianId, capacity: u32 },
}

/// Asks for permission to attempt a delivery, and leaves the attempt's row (D31).
#[derive(Clone, Debug)]
pub struct Begin {
    pub effect: EffectId,
    /// When the attempt is taken for lost (a crash), and its outcome for ambiguous.
    pub lease_until: Timestamp,
}

/// One of several operations of a delivery is on the platform, and it is not the last: kept before the next one is sent,
/// which this asks permission for.
#[derive(Clone, Debug)]
pub struct Advance {
    pub effect: EffectId,
    /// How many were there before. A second word about the same operation changes nothing.
    pub after: usize,
    /// How many messages those became: which part of it this is, whatever the row still knows of them.
    pub before: usize,
    /// Whose words they are: once it is taken back, nothing more of it is sent.
    pub message: Option<MessageId>,
    pub shown: Sent,
    /// As [`Begin::lease_until`].
    pub lease_until: Timestamp,
}

/// Progress of a delivery that is not its end: put back for a retry, or later word from the platform.
#[derive(Clone, Debug)]
pub struct Mark {
    pub effect: EffectId,
    pub state: DeliveryState,
    /// For `Queued`: not before.
    pub not_before: Option<Timestamp>,
    pub error: Option<String>,
}

/// Changes that no conversation steps for.
#[derive(Clone, Debug)]
pub enum Admin {
    SetPresence {
        technician: TechnicianId,
        presence: Presence,
    },
    /// The configuration's technicians; those that are new start Offline.
    EnsureTechnicians(Vec<TechnicianId>),
    PutShelf {
        channel: ChannelName,
        key: String,
        value: String,
    },
    /// Answered `Unknown`, and not stored, where the key's value is not `expected` (`None`: there is none), whichever
    /// process changed it.
    SwapShelf {
        channel: ChannelName,
        key: String,
        expected: Option<String>,
        value: String,
    },
    /// Keys that are not there are no fault.
    DropShelf {
        channel: ChannelName,
        keys: Vec<String>,
    },
    Quarantine {
        channel: ChannelName,
        raw: Vec<u8>,
        why: String,
    },
    /// Answered `Unknown`, and not stored, where its conversation was erased meanwhile.
    PutBlob(BlobRow),
    /// Attachments of a stored message were copied (or could not be). Answered `Unknown`, and nothing is replaced, where
    /// the stored ones are not `from` any more; words that were edited meanwhile stay in any case.
    ReplaceAttachments {
        message: deskbridge_conversation::MessageId,
        from: Vec<Attachment>,
        to: Vec<Attachment>,
    },
    CreateToken(TokenRow),
    RevokeToken {
        id: String,
    },
    PutAccount(AccountRow),
    PutLogin(LoginRow),
    /// By the hashes of their secrets.
    EndLogins(Vec<String>),
    /// `updated` is stamped by the writer. Answered `Unknown`, and not stored, where it is a draft for a conversation whose
    /// requester was erased.
    Keep(KeptRow),
    /// As `Keep`, where the stored value is `before` (`None`: there is none). Answered `Unknown`, and not stored, where it is
    /// another by now: of several who take the same value, on whatever node, one wins.
    Swap {
        before: Option<String>,
        row: KeptRow,
    },
    Audit {
        by: Option<String>,
        act: String,
        conversation: Option<ConversationId>,
    },
    /// From now on, nothing that these requesters did until now is taken in (S111).
    Bury {
        requesters: Vec<RequesterId>,
    },
    /// What of a requester is outside their conversations.
    Forget(Forgotten),
    /// The embedded ticket desk (see `tickets.rs`). Answered `Unknown`, and not stored, where it would bring words into a ticket
    /// whose requester was erased.
    Ticket(TicketOp),
    /// Links of a message that was sent in answer to an interaction, or by other means than the outbox.
    Feedback {
        message: deskbridge_conversation::MessageId,
        helpful: bool,
    },
}

/// What goes with a requester, beside what goes with each of their conversations' `Erased` event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forgotten {
    /// Dropped where no conversation names them (any more).
    pub requesters: Vec<RequesterId>,
    /// By id.
    pub quarantine: Vec<i64>,
    /// By id. Their bytes are somebody else's to remove.
    pub blobs: Vec<String>,
    /// (kind, key), whoever owns it.
    pub kept: Vec<(String, String)>,
    /// (kind, time): what was written before that, whoever owns it.
    pub old_kept: Vec<(String, Timestamp)>,
    /// Log rows whose event names a place or a word of the requester, with a blank in its stead.
    pub log: Vec<LogRow>,
}

/// Operations of the embedded ticket desk; each leaves a history row.
#[derive(Clone, Debug)]
pub enum TicketOp {
    /// Idempotent by `key`: a second one answers the first one's number.
    Create {
        key: String,
        conversation: Option<ConversationId>,
        summary: String,
        description: String,
        priority: u8,
        requester: String,
        technician: Option<String>,
    },
    SetStatus {
        number: i64,
        status: TicketStatus,
        by: String,
    },
    Comment {
        number: i64,
        key: String,
        author: String,
        text: String,
        public: bool,
    },
    Attach {
        number: i64,
        blob: String,
        name: String,
    },
    SetTechnician {
        number: i64,
        technician: Option<String>,
        by: String,
    },
}

#[derive(Clone, Debug)]
pub enum Job {
    Apply(Box<Apply>),
    Begin(Begin),
    /// Several deliveries that are attempted as one; see `Writer::begin_joint`.
    BeginJoint(Vec<Begin>),
    Advance(Box<Advance>),
    Mark(Mark),
    Admin(Box<Admin>),
}

/// What became of an `Apply`.
#[derive(Clone, Debug)]
pub enum Applied {
    Done {
        conversation: Arc<Conversation>,
        seq: u64,
        opened: bool,
        toast: Option<String>,
    },
    /// The cause was stored before.
    Duplicate,
    /// Nothing to do: an edit that changes nothing, a timer whose clock does not run any more.
    Ignored,
    /// A guard did not hold.
    Refused,
    /// No such conversation, or no conversation at this address.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Go ahead; this is the n-th attempt.
    Go { attempt: u32 },
    /// Cancelled, finished, held, or not the assistant's turn any more.
    No,
}

/// What became of an `Admin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminDone {
    Done,
    /// The ticket that was created or changed. `created` is false when this key had created it before.
    Ticket {
        number: i64,
        created: bool,
    },
    /// No such ticket.
    Unknown,
}

/// Classed by what the caller does next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Somebody else changed the same rows; try the whole job again.
    #[error("conflict: {0}")]
    Conflict(String),
    /// Not now: nothing was stored, the sender must try again.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The file or a row cannot be read; a person has to look.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
}

/// Told to the bus after every commit, in commit order.
#[derive(Clone, Debug, Default)]
pub struct Committed {
    pub changes: Vec<Change>,
    /// The roster changed: presence or load.
    pub roster: bool,
}

/// One conversation's part of a commit.
#[derive(Clone, Debug)]
pub struct Change {
    pub conversation: Arc<Conversation>,
    /// The stage's name before, `None` when it was opened.
    pub before: Option<&'static str>,
    pub wake_at: Option<Timestamp>,
    pub now: Timestamp,
    /// New messages, so that the outbox need not read them back.
    pub messages: Vec<Arc<MessageRow>>,
    /// New outbox rows.
    pub enqueued: Vec<Arc<OutboxRow>>,
    /// Rows before this seq may have been cancelled, released or rewritten: drop what is known of them and read again.
    pub outbox_touched: bool,
    pub edited: Vec<deskbridge_conversation::MessageId>,
}

/// Where the writer gets the queue's facts from; must be quick and must not block.
pub trait FactSource: Send + Sync {
    fn facts(&self, queue: &QueueId, now: Timestamp) -> QueueFacts;
    /// How many go before a conversation that waits; asked when its requester does something.
    fn ahead(&self, _conversation: &Conversation) -> u32 {
        0
    }
}

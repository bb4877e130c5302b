//! What a database must do for the writer: one load and one set-based write per batch, in one transaction.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use deskbridge_contract::{Content, Sent, Timestamp};
use deskbridge_conversation::{
    Audience, Author, Conversation, ConversationId, EffectId, MessageId, Presence, RequesterId, SessionId,
    TechnicianId,
};

use crate::job::{Forgotten, RemoteRef, StoreError, TicketOp};
use crate::rows::*;

/// Everything a batch may need, asked for at once: a constant number of statements whatever the batch's size.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    pub causes: Vec<String>,
    pub conversations: Vec<ConversationId>,
    /// Address keys; answered with the latest conversation that has a session there.
    pub addresses: Vec<String>,
    pub remotes: Vec<RemoteRef>,
    /// Outbox rows for `Begin`, `Mark` and terminal events.
    pub effects: Vec<EffectId>,
    /// All technicians, when anything in the batch can touch the roster.
    pub roster: bool,
    /// Tokens, tickets and the like are written without being loaded.
    pub ticket_keys: Vec<String>,
    /// Tickets that are written to; their conversations are loaded as well.
    pub ticket_numbers: Vec<i64>,
    /// Requesters who may have been erased.
    pub requesters: Vec<RequesterId>,
    /// Somebody is buried: whoever opens a conversation meanwhile, on whatever node, is waited for, or waits.
    pub burial: bool,
    /// What is kept under (kind, owner, key), and compared before it is replaced.
    pub kept: Vec<KeptKey>,
    /// (channel, key) of values that are to be compared.
    pub shelf: Vec<(String, String)>,
    /// Messages whose stored words, and who may see them, are wanted; their conversations have to be among `conversations`.
    pub messages: Vec<MessageId>,
}

#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Those of `Keys::causes` that are stored.
    pub causes: Vec<String>,
    /// Includes the conversations found by address, by remote and by effect.
    pub conversations: HashMap<ConversationId, Arc<Conversation>>,
    pub addresses: HashMap<String, ConversationId>,
    pub remotes: HashMap<RemoteRef, RemoteHit>,
    pub effects: HashMap<EffectId, OutboxRow>,
    pub technicians: HashMap<TechnicianId, TechnicianRow>,
    /// The highest conversation id given out (0 when none); the writer numbers on from it.
    pub last_conversation: i64,
    pub last_ticket: i64,
    pub tickets: HashMap<String, i64>,
    /// Of those of `Keys::ticket_numbers` that have one.
    pub ticket_conversations: HashMap<i64, ConversationId>,
    /// Those of `Keys::requesters` that were erased, and when.
    pub buried: HashMap<RequesterId, Timestamp>,
    /// Those of `Keys::shelf` that have a value.
    pub shelf: HashMap<(String, String), String>,
    /// Of those of `Keys::messages` that are stored.
    pub contents: HashMap<MessageId, Content>,
    /// For whom the same messages are by now; `None`: for nobody, they were deleted.
    pub audiences: HashMap<MessageId, Option<Audience>>,
    /// Who wrote the messages among `remotes`.
    pub authors: HashMap<MessageId, Author>,
    /// Those of `Keys::kept` that are stored, with their values.
    pub kept: HashMap<KeptKey, String>,
}

/// (kind, owner, key)
pub type KeptKey = (String, String, String);

#[derive(Clone, Debug)]
pub struct RemoteHit {
    pub conversation: ConversationId,
    pub session: SessionId,
    /// `None`: the session's card.
    pub message: Option<MessageId>,
    /// The stored words, to tell an edit that changes nothing.
    pub content: Option<Content>,
}

/// Everything a batch writes. Each field is one statement (or a constant few). Applied in the order of the fields.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// (key, conversation or 0, now)
    pub causes: Vec<(String, i64, Timestamp)>,
    /// Insert or replace by id; on PostgreSQL an existing row only where its seq is the one that was loaded.
    pub conversations: Vec<ConversationRow>,
    /// The seq that each of `conversations` had when loaded (0: new).
    pub loaded_seqs: Vec<u64>,
    /// Insert or replace by (conversation, session).
    pub sessions: Vec<SessionRow>,
    pub messages: Vec<MessageRow>,
    /// (message, content, now): replaces the stored words.
    pub edits: Vec<(MessageId, Content, Timestamp)>,
    pub deletes: Vec<(MessageId, Timestamp)>,
    /// Replaces the stored words without being an edit by a person (`edited` stays as it is): an attachment was copied.
    pub replaced: Vec<(MessageId, Content)>,
    /// Stored messages whose audience changes.
    pub audiences: Vec<(MessageId, Audience)>,
    pub log: Vec<LogRow>,
    /// New values of existing outbox rows: id, state, not_before, attempts, error, lease_until, updated, shown.
    /// Before the inserts: a card that is being sent, or that just ended, does not stand for one that is due now.
    pub outbox_updates: Vec<OutboxUpdate>,
    /// Inserted unless a queued row with the same lane and coalescing key exists (then skipped).
    pub outbox: Vec<OutboxRow>,
    /// Queued rows of these conversations with a turn and seq below the given become cancelled (L6).
    pub cancel_assistant: Vec<(ConversationId, u64, Timestamp)>,
    /// Queued Post rows of these messages become cancelled (seq below the given).
    pub cancel_messages: Vec<(MessageId, u64, Timestamp)>,
    /// Queued rows of these conversations with seq below the given lose their `not_before`.
    pub release_holds: Vec<(ConversationId, u64)>,
    pub attempts: Vec<AttemptRow>,
    /// Ends the open attempt of an effect: effect, ended, outcome.
    pub attempt_ends: Vec<(EffectId, Timestamp, String)>,
    /// Insert or replace by (channel, room, remote).
    pub links: Vec<LinkRow>,
    /// Insert or replace by (conversation, session, message).
    pub joints: Vec<JointRow>,
    /// Removes the links and joints of a session (its thread is gone).
    pub unlink: Vec<(ConversationId, SessionId)>,
    pub technicians: Vec<TechnicianRow>,
    pub presence_log: Vec<(TechnicianId, Presence, Timestamp)>,
    /// (channel, key, expected, value), once for a key: written where the value is the expected one. Before `shelf`.
    pub swapped_shelf: Vec<(String, String, Option<String>, String)>,
    pub shelf: Vec<(String, String, String)>,
    pub quarantine: Vec<(String, Vec<u8>, String, Timestamp)>,
    pub blobs: Vec<BlobRow>,
    pub tokens: Vec<TokenRow>,
    pub revoked_tokens: Vec<String>,
    pub accounts: Vec<AccountRow>,
    /// Before `logins`.
    pub ended_logins: Vec<String>,
    pub logins: Vec<LoginRow>,
    /// Without a value: deleted.
    pub kept: Vec<KeptRow>,
    /// (what is stored, what replaces it), each key once: written only where that is so, else a conflict.
    pub swapped: Vec<(Option<String>, KeptRow)>,
    /// (now, by, act, conversation); the backend chains the hashes.
    pub audit: Vec<(Timestamp, Option<String>, String, Option<ConversationId>)>,
    /// In order; `Create` already has its number.
    pub tickets: Vec<(i64, TicketOp, Timestamp)>,
    pub feedback: Vec<(MessageId, bool, Timestamp)>,
    /// (channel, key)
    pub dropped_shelf: Vec<(String, String)>,
    /// What the conversations held before that.
    pub erased: Vec<ErasedRow>,
    /// Until when nothing of them is taken in.
    pub buried: Vec<(RequesterId, Timestamp)>,
    pub forgotten: Forgotten,
}

/// A conversation without its requester: whatever was stored before `seq` loses words, files, names and addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasedRow {
    pub conversation: ConversationId,
    pub seq: u64,
    /// Who wrote what the requester wrote.
    pub requester: RequesterId,
    /// Those of the requester: nothing links to them any more.
    pub sessions: Vec<SessionId>,
    pub now: Timestamp,
}

impl Changes {
    /// Nothing to write: the transaction need not be committed.
    pub fn is_empty(&self) -> bool {
        let Changes {
            causes,
            conversations,
            loaded_seqs: _,
            sessions,
            messages,
            edits,
            deletes,
            replaced,
            audiences,
            log,
            outbox,
            outbox_updates,
            cancel_assistant,
            cancel_messages,
            release_holds,
            attempts,
            attempt_ends,
            links,
            joints,
            unlink,
            technicians,
            presence_log,
            swapped_shelf,
            shelf,
            quarantine,
            blobs,
            tokens,
            revoked_tokens,
            accounts,
            ended_logins,
            logins,
            kept,
            swapped,
            audit,
            tickets,
            feedback,
            dropped_shelf,
            erased,
            buried,
            forgotten,
        } = self;
        let conversation = causes.is_empty()
            && conversations.is_empty()
            && sessions.is_empty()
            && messages.is_empty()
            && edits.is_empty()
            && deletes.is_empty()
            && replaced.is_empty()
            && audiences.is_empty()
            && log.is_empty();
        let deliveries = outbox.is_empty()
            && outbox_updates.is_empty()
            && cancel_assistant.is_empty()
            && cancel_messages.is_empty()
            && release_holds.is_empty()
            && attempts.is_empty()
            && attempt_ends.is_empty()
            && links.is_empty()
            && joints.is_empty()
            && unlink.is_empty();
        let rest = technicians.is_empty()
            && presence_log.is_empty()
            && swapped_shelf.is_empty()
            && shelf.is_empty()
            && quarantine.is_empty()
            && blobs.is_empty()
            && tokens.is_empty()
            && revoked_tokens.is_empty()
            && accounts.is_empty()
            && ended_logins.is_empty()
            && logins.is_empty()
            && kept.is_empty()
            && swapped.is_empty()
            && audit.is_empty()
            && tickets.is_empty()
            && feedback.is_empty();
        let erasing = dropped_shelf.is_empty()
            && erased.is_empty()
            && buried.is_empty()
            && *forgotten == Forgotten::default();
        conversation && deliveries && rest && erasing
    }
}

#[derive(Clone, Debug)]
pub struct OutboxUpdate {
    pub id: EffectId,
    pub state: DeliveryState,
    pub not_before: Option<Timestamp>,
    pub attempts: u32,
    pub error: Option<String>,
    pub lease_until: Option<Timestamp>,
    pub updated: Timestamp,
    pub shown: Vec<Sent>,
}

/// One transaction at a time: `load`, then `commit` or `rollback`. Used by the writer's task only.
#[async_trait]
pub trait Backend: Send {
    /// Begins the transaction and reads. PostgreSQL locks the conversations in id order.
    async fn load(&mut self, keys: &Keys) -> Result<Loaded, StoreError>;
    /// Writes and commits. On an error nothing is stored and the transaction is over.
    async fn commit(&mut self, changes: &Changes) -> Result<(), StoreError>;
    async fn rollback(&mut self);
    /// Called off the acknowledging path: indexes up to `limit` new messages for search; returns how many.
    async fn index_search(&mut self, limit: u32) -> Result<u32, StoreError>;
    /// Called between batches: what was deleted is overwritten, as far as the database lets us. Default: deleting is enough.
    async fn scrub(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

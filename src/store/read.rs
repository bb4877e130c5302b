//! The read side: for the runtime, the API and the command line. Never on the writer's connection.

use std::collections::HashMap;

use async_trait::async_trait;
use deskbridge_contract::{ChannelName, RemoteMessageId, RoomId, Timestamp};
use deskbridge_conversation::{
    Conversation, ConversationId, EffectId, MessageId, QueueId, RequesterId, SessionId, TechnicianId,
};
use serde::Serialize;

use crate::job::StoreError;
use crate::rows::*;

/// A page of a list. `after` is the last id of the page before.
#[derive(Clone, Debug, Default)]
pub struct ConversationFilter {
    pub stage: Option<String>,
    pub queue: Option<QueueId>,
    pub assignee: Option<TechnicianId>,
    pub requester: Option<String>,
    pub label: Option<String>,
    /// Newest first: ids below this.
    pub before: Option<ConversationId>,
    pub limit: u32,
}

#[derive(Clone, Debug, Serialize)]
pub struct SearchHit {
    pub conversation: ConversationId,
    pub message: MessageId,
    /// A piece of the text around the match; plain text.
    pub snippet: String,
    pub now: Timestamp,
}

#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub struct Counts {
    pub conversations: i64,
    pub messages: i64,
    pub outbox_open: i64,
    pub outbox_failed: i64,
    pub quarantine: i64,
}

#[async_trait]
pub trait Read: Send + Sync {
    async fn conversation(&self, id: ConversationId) -> Result<Option<Conversation>, StoreError>;
    async fn conversations(&self, filter: &ConversationFilter) -> Result<Vec<Conversation>, StoreError>;
    /// In order of (seq, n). `internal`: also what the requester must not see (S68).
    async fn messages(
        &self,
        id: ConversationId,
        from_seq: u64,
        internal: bool,
        limit: u32,
    ) -> Result<Vec<MessageRow>, StoreError>;
    async fn message(&self, id: MessageId) -> Result<Option<MessageRow>, StoreError>;
    async fn log(&self, id: ConversationId, from_seq: u64, limit: u32) -> Result<Vec<LogRow>, StoreError>;
    /// Outbox rows of one conversation, in order.
    async fn deliveries(&self, id: ConversationId) -> Result<Vec<OutboxRow>, StoreError>;
    async fn attempts(&self, id: ConversationId) -> Result<Vec<AttemptRow>, StoreError>;
    /// Rows not yet ended, in order of id within each lane, after a given (conversation, seq, n).
    async fn open_outbox(&self, after: Option<EffectId>, limit: u32) -> Result<Vec<OutboxRow>, StoreError>;
    /// Open rows of one conversation.
    async fn open_outbox_of(&self, id: ConversationId) -> Result<Vec<OutboxRow>, StoreError>;
    /// Platform message ids of a message in a session, by part. `message: None` asks for the card.
    async fn links(
        &self,
        id: ConversationId,
        session: SessionId,
        message: Option<MessageId>,
    ) -> Result<Vec<LinkRow>, StoreError>;
    /// What is linked in a room with an id of the platform's behind `after` and up to `until`, compared as texts.
    async fn links_between(
        &self,
        channel: &ChannelName,
        room: &RoomId,
        after: &RemoteMessageId,
        until: &RemoteMessageId,
        limit: u32,
    ) -> Result<Vec<LinkRow>, StoreError>;
    /// Every message that is shown in the same post of another as this one, or in this one's own, in order; the lead
    /// itself is not listed. Empty: the message has its post for itself.
    async fn joint(
        &self,
        id: ConversationId,
        session: SessionId,
        message: MessageId,
    ) -> Result<Vec<JointRow>, StoreError>;
    /// Conversations whose clock is due, earliest first.
    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<(ConversationId, Timestamp)>, StoreError>;
    /// The next clock of all.
    async fn next_wake(&self) -> Result<Option<Timestamp>, StoreError>;
    /// Waiting without an offer; priority, front, then oldest first.
    async fn waiting(&self, limit: u32) -> Result<Vec<Conversation>, StoreError>;
    /// Offered to, assigned to, or transferred to a technician.
    async fn of_technician(&self, technician: &TechnicianId) -> Result<Vec<Conversation>, StoreError>;
    async fn technicians(&self) -> Result<Vec<TechnicianRow>, StoreError>;
    /// Newest first; `internal` as in `messages`.
    async fn search(
        &self,
        query: &str,
        internal: bool,
        before: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<SearchHit>, StoreError>;
    /// Requesters by name, the latest to write first; all words must occur as beginnings of words.
    async fn people(&self, query: &str, limit: u32) -> Result<Vec<PersonRow>, StoreError>;
    async fn requester(&self, id: &RequesterId) -> Result<Option<PersonRow>, StoreError>;
    async fn ticket(&self, number: i64) -> Result<Option<TicketRow>, StoreError>;
    async fn tickets(&self, before: Option<i64>, limit: u32) -> Result<Vec<TicketRow>, StoreError>;
    /// As `tickets`, only those found by number, summary or requester.
    async fn tickets_found(
        &self,
        query: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<TicketRow>, StoreError>;
    async fn ticket_of(&self, id: ConversationId) -> Result<Option<TicketRow>, StoreError>;
    /// Conversations that have a session at this address (its key), oldest first.
    async fn conversations_at(&self, address: &str) -> Result<Vec<ConversationId>, StoreError>;
    /// Conversations of others in which somebody spoke, oldest first. Looks at every message: for rare questions.
    async fn spoke_in(&self, id: &RequesterId) -> Result<Vec<ConversationId>, StoreError>;
    /// Files of a conversation, by id.
    async fn blobs_of(&self, id: ConversationId) -> Result<Vec<BlobRow>, StoreError>;
    async fn blob(&self, id: &str) -> Result<Option<BlobRow>, StoreError>;
    async fn shelf(&self, channel: &ChannelName, key: &str) -> Result<Option<String>, StoreError>;
    /// Those of the keys that there are.
    async fn shelf_many(
        &self,
        channel: &ChannelName,
        keys: &[String],
    ) -> Result<HashMap<String, String>, StoreError>;
    /// Keys that begin with `prefix` and whose value contains `word`, in order.
    async fn shelf_find(
        &self,
        channel: &ChannelName,
        prefix: &str,
        word: &str,
    ) -> Result<Vec<String>, StoreError>;
    async fn token_by_hash(&self, sha256: &str) -> Result<Option<TokenRow>, StoreError>;
    async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError>;
    async fn account(&self, technician: &TechnicianId) -> Result<Option<AccountRow>, StoreError>;
    async fn account_by_login(&self, login: &str) -> Result<Option<AccountRow>, StoreError>;
    async fn accounts(&self) -> Result<Vec<AccountRow>, StoreError>;
    async fn login(&self, sha256: &str) -> Result<Option<LoginRow>, StoreError>;
    async fn logins_of(&self, technician: &TechnicianId) -> Result<Vec<LoginRow>, StoreError>;
    /// Oldest first.
    async fn logins_expired(&self, now: Timestamp, limit: u32) -> Result<Vec<LoginRow>, StoreError>;
    /// By key.
    async fn kept(&self, kind: &str, owner: &str) -> Result<Vec<KeptRow>, StoreError>;
    async fn kept_one(&self, kind: &str, owner: &str, key: &str) -> Result<Option<KeptRow>, StoreError>;
    /// This installation's own, for fingerprints of requests; in no export.
    async fn fingerprint_key(&self) -> Result<String, StoreError>;
    async fn quarantine(&self, limit: u32) -> Result<Vec<QuarantineRow>, StoreError>;
    async fn audit(&self, limit: u32) -> Result<Vec<AuditRow>, StoreError>;
    /// 👍 and 👎 on messages of one conversation.
    async fn feedback(&self, id: ConversationId) -> Result<Vec<(MessageId, bool)>, StoreError>;
    async fn counts(&self) -> Result<Counts, StoreError>;
    /// Waits of handovers accepted since `since`: (queue, seconds), newest first.
    async fn recent_waits(&self, since: Timestamp, limit: u32) -> Result<Vec<(QueueId, u64)>, StoreError>;
    /// A trivial round trip, for readiness.
    async fn ping(&self) -> Result<(), StoreError>;
}

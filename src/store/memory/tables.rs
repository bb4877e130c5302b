//! The tables as ordered maps, in the order in which the export lists them.
//!
//! Not here: reading and writing them.

use std::collections::{BTreeMap, BTreeSet};

use deskbridge_contract::Timestamp;
use deskbridge_conversation::{
    ConversationId, EffectId, MessageId, Presence, RequesterId, SessionId, TechnicianId,
};

use crate::rows::*;

/// (channel, room, remote)
pub(super) type RemoteKey = (String, String, String);

/// Everything committed. A clone is a snapshot to start again from.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    pub(super) causes: BTreeMap<String, (i64, Timestamp)>,
    pub(super) last_conversation: i64,
    pub(super) conversations: BTreeMap<ConversationId, ConversationRow>,
    /// The latest wait that ended with a technician: since when, and accepted when. Stays when the stage moves on.
    pub(super) waits: BTreeMap<ConversationId, Wait>,
    pub(super) sessions: BTreeMap<(ConversationId, SessionId), SessionRow>,
    /// Conversations with a session at an address.
    pub(super) addresses: BTreeMap<String, BTreeSet<ConversationId>>,
    pub(super) messages: BTreeMap<MessageId, MessageRow>,
    pub(super) log: BTreeMap<(ConversationId, u64), LogRow>,
    pub(super) outbox: BTreeMap<EffectId, OutboxRow>,
    /// Rows that have not ended.
    pub(super) open: BTreeSet<EffectId>,
    pub(super) attempts: BTreeMap<(EffectId, u32), AttemptRow>,
    pub(super) links: BTreeMap<RemoteKey, LinkRow>,
    /// The message as it is written, for the order of the export.
    pub(super) joints: BTreeMap<(ConversationId, SessionId, String), JointRow>,
    pub(super) technicians: BTreeMap<TechnicianId, TechnicianRow>,
    pub(super) presences: Vec<(TechnicianId, Presence, Timestamp)>,
    pub(super) shelf: BTreeMap<(String, String), String>,
    pub(super) quarantine: Vec<QuarantineRow>,
    pub(super) blobs: BTreeMap<String, BlobRow>,
    pub(super) tokens: BTreeMap<String, TokenRow>,
    pub(super) accounts: BTreeMap<TechnicianId, AccountRow>,
    pub(super) logins: BTreeMap<String, LoginRow>,
    /// By (kind, owner, key).
    pub(super) kept: BTreeMap<(String, String, String), KeptRow>,
    pub(super) audit: Vec<AuditRow>,
    pub(super) tickets: BTreeMap<i64, TicketRow>,
    pub(super) ticket_comments: BTreeSet<String>,
    pub(super) feedback: BTreeMap<MessageId, (bool, Timestamp)>,
    /// Nothing that they did until then is taken in.
    pub(super) buried: BTreeMap<RequesterId, Timestamp>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) from: Timestamp,
    pub(super) accepted: Timestamp,
}

impl Tables {
    /// Keeps the index of open rows true.
    pub(super) fn put_outbox(&mut self, row: OutboxRow) {
        if row.state.is_terminal() {
            self.open.remove(&row.id);
        } else {
            self.open.insert(row.id);
        }
        self.outbox.insert(row.id, row);
    }

    /// Rows of one conversation that have not ended.
    pub(super) fn open_of(&self, conversation: ConversationId) -> Vec<EffectId> {
        let first = EffectId { conversation, seq: 0, n: 0 };
        let last = EffectId { conversation, seq: u64::MAX, n: u32::MAX };
        self.open.range(first..=last).copied().collect()
    }
}

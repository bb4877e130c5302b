//! Everything but tokens, accounts and logins as JSON lines in one canonical order: the same history gives the same bytes on every backend.
//!
//! Not here: reading it back, files and compression (the command line).
//!
//! A line is `{"table":"messages","row":{…}}`. Tables come in the order of [`Lines`]' methods, rows in the order that
//! each method names. What can be derived from these rows (requesters, the search index, counters) is left out.

use std::io::Write;

use async_trait::async_trait;
use deskbridge_contract::{Shelf, Timestamp};
use deskbridge_conversation::{Conversation, ConversationId, MessageId, Presence, TechnicianId};
use serde::Serialize;

use crate::job::StoreError;
use crate::rows::*;
use crate::tombstone;

#[async_trait]
pub trait Export: Send + Sync {
    /// Writes one consistent state; what is committed meanwhile is not in it. A failing `out` is `Unavailable`.
    async fn export(&self, out: &mut (dyn Write + Send)) -> Result<(), StoreError>;
}

/// The canonical form of every row. Call the methods in the order in which they stand here.
pub struct Lines<'a> {
    out: &'a mut (dyn Write + Send),
}

#[derive(Serialize)]
struct Line<'a, T> {
    table: &'a str,
    row: T,
}

#[derive(Serialize)]
struct CauseLine<'a> {
    key: &'a str,
    conversation: i64,
    now: Timestamp,
}

#[derive(Serialize)]
struct ConversationLine<'a> {
    state: &'a Conversation,
    wake_at: Option<Timestamp>,
    updated: Timestamp,
}

#[derive(Serialize)]
struct SessionLine<'a> {
    conversation: ConversationId,
    session: u16,
    requester: bool,
    address: &'a str,
}

#[derive(Serialize)]
struct PresenceLine<'a> {
    technician: &'a TechnicianId,
    presence: Presence,
    now: Timestamp,
}

#[derive(Serialize)]
struct ShelfLine<'a> {
    channel: &'a str,
    key: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct QuarantineLine<'a> {
    id: i64,
    channel: &'a str,
    /// Hexadecimal: the bytes may be anything.
    raw: String,
    why: &'a str,
    now: Timestamp,
}

#[derive(Serialize)]
struct FeedbackLine {
    message: MessageId,
    helpful: bool,
    now: Timestamp,
}

impl<'a> Lines<'a> {
    pub fn new(out: &'a mut (dyn Write + Send)) -> Self {
        Lines { out }
    }

    fn line<T: Serialize>(&mut self, table: &str, row: T) -> Result<(), StoreError> {
        let mut bytes = serde_json::to_vec(&Line { table, row })
            .map_err(|fault| StoreError::Corrupt(fault.to_string()))?;
        bytes.push(b'\n');
        self.out
            .write_all(&bytes)
            .map_err(|fault| StoreError::Unavailable(format!("writing the export: {fault}")))
    }

    /// By key, as bytes; without tombstones.
    pub fn cause(&mut self, key: &str, conversation: i64, now: Timestamp) -> Result<(), StoreError> {
        // Whose hash it is, nobody but this database can tell.
        if key.starts_with(tombstone::PREFIX) {
            return Ok(());
        }
        self.line("causes", CauseLine { key, conversation, now })
    }
    /// By (conversation, seq).
    pub fn log(&mut self, row: &LogRow) -> Result<(), StoreError> {
        self.line("log", row)
    }
    /// By id.
    pub fn conversation(&mut self, row: &ConversationRow) -> Result<(), StoreError> {
        let ConversationRow { state, wake_at, updated } = row;
        self.line("conversations", ConversationLine { state, wake_at: *wake_at, updated: *updated })
    }
    /// By (conversation, session).
    pub fn session(&mut self, row: &SessionRow) -> Result<(), StoreError> {
        let SessionRow { conversation, session, requester, address } = row;
        let line =
            SessionLine { conversation: *conversation, session: session.0, requester: *requester, address };
        self.line("sessions", line)
    }
    /// By id.
    pub fn message(&mut self, row: &MessageRow) -> Result<(), StoreError> {
        self.line("messages", row)
    }
    /// By id.
    pub fn outbox(&mut self, row: &OutboxRow) -> Result<(), StoreError> {
        self.line("outbox", row)
    }
    /// By (effect, attempt).
    pub fn attempt(&mut self, row: &AttemptRow) -> Result<(), StoreError> {
        self.line("attempts", row)
    }
    /// By (channel, room, remote), as bytes.
    pub fn link(&mut self, row: &LinkRow) -> Result<(), StoreError> {
        self.line("links", row)
    }
    /// By (conversation, session, message), the last as bytes.
    pub fn joint(&mut self, row: &JointRow) -> Result<(), StoreError> {
        self.line("joints", row)
    }
    /// By id, as bytes.
    pub fn technician(&mut self, row: &TechnicianRow) -> Result<(), StoreError> {
        self.line("technicians", row)
    }
    /// In the order in which they were stored.
    pub fn presence(
        &mut self,
        technician: &TechnicianId,
        presence: Presence,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.line("presence_log", PresenceLine { technician, presence, now })
    }
    /// By (channel, key), as bytes; without what is secret.
    pub fn shelf(&mut self, channel: &str, key: &str, value: &str) -> Result<(), StoreError> {
        if key.starts_with(Shelf::SECRET) {
            return Ok(());
        }
        self.line("shelves", ShelfLine { channel, key, value })
    }
    /// By id; counted from 1 without gaps.
    pub fn quarantine(&mut self, row: &QuarantineRow) -> Result<(), StoreError> {
        let line = QuarantineLine {
            id: row.id,
            channel: row.channel.as_str(),
            raw: hex::encode(&row.raw),
            why: &row.why,
            now: row.now,
        };
        self.line("quarantine", line)
    }
    /// By id, as bytes.
    pub fn blob(&mut self, row: &BlobRow) -> Result<(), StoreError> {
        self.line("blobs", row)
    }
    /// By (kind, owner, key), as bytes; without what is secret.
    pub fn kept(&mut self, row: &KeptRow) -> Result<(), StoreError> {
        if KeptRow::SECRET.contains(&row.kind.as_str()) {
            return Ok(());
        }
        self.line("kept", row)
    }
    /// By id; counted from 1 without gaps.
    pub fn audit(&mut self, row: &AuditRow) -> Result<(), StoreError> {
        self.line("audit", row)
    }
    /// By number; comments, history and attachments inside, in the order in which they were stored.
    pub fn ticket(&mut self, row: &TicketRow) -> Result<(), StoreError> {
        self.line("tickets", row)
    }
    /// By message.
    pub fn feedback(&mut self, message: MessageId, helpful: bool, now: Timestamp) -> Result<(), StoreError> {
        self.line("feedback", FeedbackLine { message, helpful, now })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_shelves_are_left_out() {
        let mut out = Vec::new();
        let mut lines = Lines::new(&mut out);
        lines.shelf("slack", "cursor", "7").unwrap();
        lines.shelf("slack", "secret:tokens", "planted").unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("cursor") && !text.contains("planted") && text.lines().count() == 1, "{text}");
    }
}

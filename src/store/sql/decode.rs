//! Result rows into the structs of `rows.rs`.
//!
//! Not here: the select lists, which name their columns in the order that is read here (`reader.rs`, `lookups.rs`).

use std::str::FromStr;

use deskbridge_contract::{ChannelName, RemoteMessageId, RoomId, Timestamp};
use deskbridge_conversation::{
    Audience, ConversationId, Derived, MessageId, Presence, SessionId, TechnicianId, Weight,
};
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use crate::job::StoreError;
use crate::rows::*;

pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! get {
    ($row:expr, $at:expr, $kind:ty) => {
        match $row {
            Row::Sqlite(row) => row.try_get::<$kind, usize>($at),
            Row::Postgres(row) => row.try_get::<$kind, usize>($at),
        }
        .map_err(|error| StoreError::Corrupt(format!("column {}: {error}", $at)))
    };
}

/// A value that nothing of ours wrote. The value itself is not shown: it may be somebody's words.
pub(crate) fn damaged(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} is not readable"))
}

impl Row {
    pub(crate) fn int(&self, at: usize) -> Result<i64, StoreError> {
        get!(self, at, i64)
    }
    pub(crate) fn maybe_int(&self, at: usize) -> Result<Option<i64>, StoreError> {
        get!(self, at, Option<i64>)
    }
    /// An integer of a smaller type.
    pub(crate) fn small<T: TryFrom<i64>>(&self, at: usize) -> Result<T, StoreError> {
        T::try_from(self.int(at)?).map_err(|_| damaged("a number"))
    }
    pub(crate) fn flag(&self, at: usize) -> Result<bool, StoreError> {
        Ok(self.int(at)? != 0)
    }
    pub(crate) fn str(&self, at: usize) -> Result<&str, StoreError> {
        get!(self, at, &str)
    }
    pub(crate) fn text(&self, at: usize) -> Result<String, StoreError> {
        self.str(at).map(str::to_owned)
    }
    pub(crate) fn maybe_text(&self, at: usize) -> Result<Option<String>, StoreError> {
        get!(self, at, Option<String>)
    }
    pub(crate) fn bytes(&self, at: usize) -> Result<Vec<u8>, StoreError> {
        get!(self, at, Vec<u8>)
    }
    pub(crate) fn time(&self, at: usize) -> Result<Timestamp, StoreError> {
        self.int(at).map(Timestamp)
    }
    pub(crate) fn maybe_time(&self, at: usize) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.maybe_int(at)?.map(Timestamp))
    }
    pub(crate) fn conversation(&self, at: usize) -> Result<ConversationId, StoreError> {
        self.int(at).map(ConversationId)
    }
    /// A name in its serde form without the quotes, such as `public`.
    pub(crate) fn named<T: DeserializeOwned>(&self, at: usize) -> Result<T, StoreError> {
        serde_json::from_value(serde_json::Value::String(self.text(at)?)).map_err(|_| damaged("a name"))
    }
    pub(crate) fn json<T: DeserializeOwned>(&self, at: usize) -> Result<T, StoreError> {
        serde_json::from_str(self.str(at)?).map_err(|_| damaged("a JSON column"))
    }
    pub(crate) fn maybe_json<T: DeserializeOwned>(&self, at: usize) -> Result<Option<T>, StoreError> {
        let text = self.maybe_text(at)?;
        text.map(|text| serde_json::from_str(&text).map_err(|_| damaged("a JSON column"))).transpose()
    }
    /// Three columns from `at` on.
    pub(crate) fn id(&self, at: usize) -> Result<Derived, StoreError> {
        Ok(Derived { conversation: self.conversation(at)?, seq: self.small(at + 1)?, n: self.small(at + 2)? })
    }

    pub(crate) fn message(&self) -> Result<MessageRow, StoreError> {
        Ok(MessageRow {
            id: self.id(0)?,
            author: self.json(3)?,
            audience: self.named(4)?,
            content: self.json(5)?,
            reply_to: self.maybe_text(6)?.map(|id| parse_id(&id)).transpose()?,
            now: self.time(7)?,
            at: self.time(8)?,
            edited: self.maybe_time(9)?,
            deleted: self.flag(10)?,
        })
    }

    pub(crate) fn outbox(&self) -> Result<OutboxRow, StoreError> {
        Ok(OutboxRow {
            id: self.id(0)?,
            lane: self.text(3)?,
            effect: self.json(4)?,
            state: DeliveryState::from_name(self.str(5)?).ok_or_else(|| damaged("a delivery's state"))?,
            not_before: self.maybe_time(6)?,
            turn: self.maybe_int(7)?.map(u32::try_from).transpose().map_err(|_| damaged("a turn"))?,
            weight: self.named(8)?,
            attempts: self.small(9)?,
            error: self.maybe_text(10)?,
            lease_until: self.maybe_time(11)?,
            created: self.time(12)?,
            updated: self.time(13)?,
            shown: self.maybe_json(14)?.unwrap_or_default(),
        })
    }

    pub(crate) fn log(&self) -> Result<LogRow, StoreError> {
        Ok(LogRow {
            conversation: self.conversation(0)?,
            seq: self.small(1)?,
            cause: self.text(2)?,
            event: self.json(3)?,
            policy: self.text(4)?,
        })
    }

    pub(crate) fn attempt(&self) -> Result<AttemptRow, StoreError> {
        Ok(AttemptRow {
            effect: self.id(0)?,
            attempt: self.small(3)?,
            started: self.time(4)?,
            ended: self.maybe_time(5)?,
            outcome: self.maybe_text(6)?,
        })
    }

    pub(crate) fn link(&self) -> Result<LinkRow, StoreError> {
        Ok(LinkRow {
            conversation: self.conversation(0)?,
            session: SessionId(self.small(1)?),
            message: card_or_message(self.str(2)?)?,
            channel: ChannelName(self.text(3)?),
            room: RoomId(self.text(4)?),
            remote: RemoteMessageId(self.text(5)?),
            part: self.small(6)?,
        })
    }

    pub(crate) fn joint(&self) -> Result<JointRow, StoreError> {
        Ok(JointRow {
            conversation: self.conversation(0)?,
            session: SessionId(self.small(1)?),
            message: parse_id(self.str(2)?)?,
            lead: parse_id(self.str(3)?)?,
            nth: self.small(4)?,
        })
    }

    pub(crate) fn technician(&self) -> Result<TechnicianRow, StoreError> {
        Ok(TechnicianRow {
            id: TechnicianId(self.text(0)?),
            presence: self.named(1)?,
            since: self.time(2)?,
            load: self.small(3)?,
            missed: self.small(4)?,
            last_assigned: self.maybe_time(5)?,
        })
    }

    pub(crate) fn blob(&self) -> Result<BlobRow, StoreError> {
        Ok(BlobRow {
            id: self.text(0)?,
            conversation: self.maybe_int(1)?.map(ConversationId),
            name: self.text(2)?,
            mime: self.text(3)?,
            size: self.small(4)?,
            sha256: self.text(5)?,
            created: self.time(6)?,
        })
    }

    pub(crate) fn token(&self) -> Result<TokenRow, StoreError> {
        Ok(TokenRow {
            id: self.text(0)?,
            name: self.text(1)?,
            sha256: self.text(2)?,
            scopes: self.json(3)?,
            technician: self.maybe_text(4)?.map(TechnicianId),
            created: self.time(5)?,
            expires: self.maybe_time(6)?,
            revoked: self.flag(7)?,
        })
    }

    pub(crate) fn quarantine(&self) -> Result<QuarantineRow, StoreError> {
        Ok(QuarantineRow {
            id: self.int(0)?,
            channel: ChannelName(self.text(1)?),
            raw: self.bytes(2)?,
            why: self.text(3)?,
            now: self.time(4)?,
        })
    }

    pub(crate) fn audit(&self) -> Result<AuditRow, StoreError> {
        Ok(AuditRow {
            id: self.int(0)?,
            now: self.time(1)?,
            by: self.maybe_text(2)?,
            act: self.text(3)?,
            conversation: self.maybe_int(4)?.map(ConversationId),
            hash: self.text(5)?,
        })
    }

    /// Without comments, history and attachments.
    pub(crate) fn ticket(&self) -> Result<TicketRow, StoreError> {
        Ok(TicketRow {
            number: self.int(0)?,
            key: self.text(1)?,
            conversation: self.maybe_int(2)?.map(ConversationId),
            summary: self.text(3)?,
            description: self.text(4)?,
            status: crate::tickets::status_from_name(self.str(5)?)
                .ok_or_else(|| damaged("a ticket's status"))?,
            priority: self.small(6)?,
            requester: self.text(7)?,
            technician: self.maybe_text(8)?,
            created: self.time(9)?,
            updated: self.time(10)?,
            comments: Vec::new(),
            history: Vec::new(),
            attachments: Vec::new(),
        })
    }
}

pub(crate) fn parse_id(text: &str) -> Result<Derived, StoreError> {
    Derived::from_str(text).map_err(|_| damaged("an id"))
}

/// `links.message`: '' is the session's card.
pub(crate) fn card_or_message(text: &str) -> Result<Option<MessageId>, StoreError> {
    if text.is_empty() { Ok(None) } else { parse_id(text).map(Some) }
}

pub(crate) fn audience_name(audience: Audience) -> &'static str {
    match audience {
        Audience::Public => "public",
        Audience::Internal => "internal",
        Audience::Private => "private",
        Audience::Requester => "requester",
    }
}

pub(crate) fn presence_name(presence: Presence) -> &'static str {
    match presence {
        Presence::Available => "available",
        Presence::Busy => "busy",
        Presence::Away => "away",
        Presence::Offline => "offline",
    }
}

pub(crate) fn weight_name(weight: Weight) -> &'static str {
    match weight {
        Weight::Person => "person",
        Weight::Notice => "notice",
    }
}

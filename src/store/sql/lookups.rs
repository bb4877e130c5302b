//! What a batch loads: the texts, their arguments, and what their rows mean.
//!
//! Not here: in which order and under which locks they run (`sqlite.rs`, `postgres.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;

use deskbridge_conversation::{ConversationId, Derived, MessageId, SessionId};

use super::decode::{Row, card_or_message, damaged};
use super::rows::Rows;
use super::{On, Text, text};
use crate::backend::{Keys, Loaded, RemoteHit};
use crate::job::StoreError;
use crate::tombstone;

// `cross join`: from the rows to the table, never the other way; SQLite obeys the order it is given then.
pub(crate) static CAUSES: Text = text!(
    "causes: look up",
    "select ",
    NR,
    ", causes.now from ",
    KEYS,
    " cross join causes where causes.key = rows.value"
);
pub(crate) static ADDRESSES: Text = text!(
    "sessions: look up",
    "select ",
    NR,
    ", (select max(s.conversation) from sessions as s where s.address = rows.value) from ",
    KEYS
);
pub(crate) static REMOTES: Text = text!(
    "links: look up",
    "select ",
    NR,
    ", l.conversation, l.session, l.message from ",
    ROWS,
    " cross join links as l where l.channel = value->>0 and l.room = value->>1 and l.remote = value->>2"
);
pub(crate) static CONTENTS: Text = text!(
    "messages: look up",
    "select m.conversation, m.seq, m.n, m.content from ",
    ROWS,
    " cross join messages as m where m.conversation = cast(value->>0 as bigint)
         and m.seq = cast(value->>1 as bigint) and m.n = cast(value->>2 as bigint)"
);
pub(crate) static EFFECTS: Text = text!(
    "outbox: look up",
    "select ",
    OUTBOX,
    " from ",
    ROWS,
    " cross join outbox as o where o.conversation = cast(value->>0 as bigint)
         and o.seq = cast(value->>1 as bigint) and o.n = cast(value->>2 as bigint)"
);
pub(crate) static TICKETS: Text = text!(
    "tickets: look up",
    "select ",
    NR,
    ", t.number from ",
    KEYS,
    " cross join tickets as t where t.key = rows.value"
);
pub(crate) static CONVERSATIONS: Text = text!(
    "conversations: look up",
    "select id, state from conversations where id in (select cast(value as bigint) from ",
    KEYS,
    ") order by id",
    LOCK
);
pub(crate) static TECHNICIANS: Text =
    text!("technicians: look up", "select ", TECHNICIAN, " from technicians order by id", LOCK);
pub(crate) static COUNTERS: Text = text!("counters: look up", "select name, number from counters");
pub(crate) static COUNTERS_LOCKED: Text =
    text!("counters: lock", "select name, number from counters order by name", LOCK);
pub(crate) static LAST_AUDIT: Text =
    text!("audit: look up", "select id, hash from audit order by id desc limit 1");

pub(crate) fn keys<'a>(keys: impl IntoIterator<Item = &'a String>) -> String {
    let mut rows = Rows::new();
    keys.into_iter().for_each(|key| rows.push_key(key));
    rows.finish()
}

/// The causes, and the tombstones of the requesters.
pub(crate) fn keys_of_causes(keys: &Keys, salt: &str) -> String {
    let mut rows = Rows::new();
    keys.causes.iter().for_each(|key| rows.push_key(key));
    keys.requesters.iter().for_each(|requester| rows.push_key(&tombstone::key(salt, requester)));
    rows.finish()
}

pub(crate) static SALT: Text = text!("salts: look up", "select value from salts where name = 'tombstones'");

pub(crate) static KEYED: Text =
    text!("salts: of fingerprints", "select value from salts where name = 'fingerprints'");

pub(crate) async fn salt(on: &mut On<'_>) -> Result<String, StoreError> {
    let row = on.row(&SALT, &[]).await?.ok_or_else(|| damaged("the salt"))?;
    row.text(0)
}

pub(crate) fn conversation_keys<'a>(ids: impl IntoIterator<Item = &'a ConversationId>) -> String {
    let mut rows = Rows::new();
    ids.into_iter().for_each(|id| rows.push_number(id.0));
    rows.finish()
}

pub(crate) fn remote_keys(keys: &Keys) -> String {
    let mut rows = Rows::new();
    for remote in &keys.remotes {
        rows.push([
            remote.channel.as_str().into(),
            remote.room.as_str().into(),
            remote.remote.as_str().into(),
        ]);
    }
    rows.finish()
}

pub(crate) fn id_keys<'a>(ids: impl IntoIterator<Item = &'a Derived>) -> String {
    let mut rows = Rows::new();
    ids.into_iter().for_each(|id| rows.push_id(*id, []));
    rows.finish()
}

/// Collects the answers. Rows name keys by their number, so that a key is found as it was asked for.
pub(crate) struct Answers<'k> {
    pub keys: &'k Keys,
    pub loaded: Loaded,
    /// Conversations that the batch touches, in the order in which they are locked.
    pub touched: BTreeSet<ConversationId>,
}

impl<'k> Answers<'k> {
    pub(crate) fn new(keys: &'k Keys) -> Self {
        let touched = keys.conversations.iter().copied().chain(keys.effects.iter().map(|id| id.conversation));
        Answers { keys, loaded: Loaded::default(), touched: touched.collect() }
    }

    /// Of `keys_of_causes`: tombstones come behind the causes.
    pub(crate) fn causes(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        let (causes, requesters) = (&self.keys.causes, &self.keys.requesters);
        for row in rows {
            let nr: usize = row.small(0)?;
            if nr <= causes.len() {
                self.loaded.causes.push(numbered(causes, row)?.clone());
            } else if let Some(requester) = requesters.get(nr - causes.len() - 1) {
                self.loaded.buried.insert(requester.clone(), row.time(1)?);
            } else {
                return Err(damaged("an answer's number"));
            }
        }
        Ok(())
    }

    pub(crate) fn addresses(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        for row in rows {
            if let Some(conversation) = row.maybe_int(1)?.map(ConversationId) {
                self.loaded.addresses.insert(numbered(&self.keys.addresses, row)?.clone(), conversation);
                self.touched.insert(conversation);
            }
        }
        Ok(())
    }

    pub(crate) fn remotes(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        for row in rows {
            let hit = RemoteHit {
                conversation: row.conversation(1)?,
                session: SessionId(row.small(2)?),
                message: card_or_message(row.str(3)?)?,
                content: None,
            };
            self.touched.insert(hit.conversation);
            self.loaded.remotes.insert(numbered(&self.keys.remotes, row)?.clone(), hit);
        }
        Ok(())
    }

    /// The messages whose words are still to be loaded.
    pub(crate) fn wanted_contents(&self) -> BTreeSet<MessageId> {
        let hits = self.loaded.remotes.values().filter_map(|hit| hit.message);
        hits.chain(self.keys.messages.iter().copied()).collect()
    }

    pub(crate) fn contents(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        for row in rows {
            let id = row.id(0)?;
            for hit in self.loaded.remotes.values_mut().filter(|hit| hit.message == Some(id)) {
                hit.content = Some(row.json(3)?);
            }
            if self.keys.messages.contains(&id) {
                self.loaded.contents.insert(id, row.json(3)?);
            }
        }
        Ok(())
    }

    pub(crate) fn effects(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        for row in rows {
            let row = row.outbox()?;
            self.loaded.effects.insert(row.id, row);
        }
        Ok(())
    }

    pub(crate) fn tickets(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        for row in rows {
            self.loaded.tickets.insert(numbered(&self.keys.ticket_keys, row)?.clone(), row.int(1)?);
        }
        Ok(())
    }

    pub(crate) fn conversations(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        for row in rows {
            self.loaded.conversations.insert(row.conversation(0)?, Arc::new(row.json(1)?));
        }
        Ok(())
    }

    pub(crate) fn technicians(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        for row in rows {
            let row = row.technician()?;
            self.loaded.technicians.insert(row.id.clone(), row);
        }
        Ok(())
    }
}

fn numbered<'k, T>(keys: &'k [T], row: &Row) -> Result<&'k T, StoreError> {
    let nr: usize = row.small(0)?;
    keys.get(nr.wrapping_sub(1)).ok_or_else(|| damaged("an answer's number"))
}

/// (conversation, ticket)
pub(crate) fn counters(rows: &[Row]) -> Result<(i64, i64), StoreError> {
    let (mut conversation, mut ticket) = (0, 0);
    for row in rows {
        match row.str(0)? {
            "conversation" => conversation = row.int(1)?,
            "ticket" => ticket = row.int(1)?,
            _ => {}
        }
    }
    Ok((conversation, ticket))
}

/// For the test that looks at their plans.
#[cfg(test)]
pub(super) static TEXTS: &[&Text] = &[
    &CAUSES,
    &ADDRESSES,
    &REMOTES,
    &CONTENTS,
    &EFFECTS,
    &TICKETS,
    &CONVERSATIONS,
    &TECHNICIANS,
    &COUNTERS,
    &COUNTERS_LOCKED,
    &LAST_AUDIT,
    &SALT,
    &KEYED,
];

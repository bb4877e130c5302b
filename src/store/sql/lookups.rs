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
    "select m.conversation, m.seq, m.n, m.content, m.author, m.audience, m.deleted from ",
    ROWS,
    " cross join messages as m where m.conversation = cast(value->>0 as bigint)
         and m.seq = cast(value->>1 as bigint) and m.n = cast(value->>2 as bigint)"
);
pub(crate) static SHELF: Text = text!(
    "shelves: look up",
    "select s.channel, s.key, s.value from ",
    ROWS,
    " cross join shelves as s where s.channel = rows.value->>0 and s.key = rows.value->>1"
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
/// Those that belong to no conversation are not among them.
pub(crate) static TICKETS_OF: Text = text!(
    "tickets: look up whose",
    "select t.number, t.conversation from ",
    KEYS,
    " cross join tickets as t where t.number = cast(rows.value as bigint) and t.conversation is not null"
);
pub(crate) static KEPT: Text = text!(
    "kept: look up",
    "select kind, owner, key, value from kept where (kind, owner, key) in
         (select value->>0, value->>1, value->>2 from ",
    ROWS,
    ") order by kind, owner, key",
    LOCK
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

/// Before the conversations: those of tickets that are written to are touched as well.
pub(crate) async fn whose_tickets(on: &mut On<'_>, answers: &mut Answers<'_>) -> Result<(), StoreError> {
    if answers.keys.ticket_numbers.is_empty() {
        return Ok(());
    }
    let mut numbers = Rows::new();
    answers.keys.ticket_numbers.iter().for_each(|number| numbers.push_number(*number));
    for row in on.rows(&TICKETS_OF, &[numbers.finish().as_str().into()]).await? {
        let conversation = row.conversation(1)?;
        answers.loaded.ticket_conversations.insert(row.int(0)?, conversation);
        answers.touched.insert(conversation);
    }
    Ok(())
}

/// Words of messages, and what is kept; on PostgreSQL after the conversations, which nobody else changes from then on.
pub(crate) async fn values(on: &mut On<'_>, answers: &mut Answers<'_>) -> Result<(), StoreError> {
    let wanted = answers.wanted_contents();
    if !wanted.is_empty() {
        let ids = id_keys(&wanted);
        answers.contents(&on.rows(&CONTENTS, &[ids.as_str().into()]).await?)?;
    }
    if !answers.keys.kept.is_empty() {
        let mut keys = Rows::new();
        for (kind, owner, key) in &answers.keys.kept {
            keys.push([kind.into(), owner.into(), key.into()]);
        }
        for row in on.rows(&KEPT, &[keys.finish().as_str().into()]).await? {
            answers.loaded.kept.insert((row.text(0)?, row.text(1)?, row.text(2)?), row.text(3)?);
        }
    }
    if !answers.keys.shelf.is_empty() {
        let keys = shelf_keys(answers.keys);
        answers.shelf(&on.rows(&SHELF, &[keys.as_str().into()]).await?)?;
    }
    Ok(())
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

pub(crate) fn shelf_keys(keys: &Keys) -> String {
    let mut rows = Rows::new();
    for (channel, key) in &keys.shelf {
        rows.push([channel.into(), key.into()]);
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
                self.loaded.authors.insert(id, row.json(4)?);
            }
            if self.keys.messages.contains(&id) {
                self.loaded.contents.insert(id, row.json(3)?);
                let audience = if row.flag(6)? { None } else { Some(row.named(5)?) };
                self.loaded.audiences.insert(id, audience);
            }
        }
        Ok(())
    }

    pub(crate) fn shelf(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        for row in rows {
            self.loaded.shelf.insert((row.text(0)?, row.text(1)?), row.text(2)?);
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
    &SHELF,
    &EFFECTS,
    &TICKETS,
    &TICKETS_OF,
    &KEPT,
    &CONVERSATIONS,
    &TECHNICIANS,
    &COUNTERS,
    &COUNTERS_LOCKED,
    &LAST_AUDIT,
    &SALT,
    &KEYED,
];

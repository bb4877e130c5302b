//! The read side over either database, on its own connections.
//!
//! Not here: the texts of lists and searches (`lists.rs`), the export (`dump.rs`).

use std::collections::HashMap;

use async_trait::async_trait;
use deskbridge_contract::{ChannelName, RemoteMessageId, RoomId, Timestamp};
use deskbridge_conversation::{
    Conversation, ConversationId, EffectId, MessageId, QueueId, RequesterId, SessionId, TechnicianId,
};
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;

use super::decode::{Row, damaged};
use super::rows::Rows;
use super::{Arg, On, Text, find, lists, lookups, staff};
use crate::job::StoreError;
use crate::read::{ConversationFilter, Counts, Read, SearchHit};
use crate::rows::*;
use crate::search::{self, Terms};

#[derive(Clone, Debug)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub pool: Pool,
}

impl Reader {
    fn on(&self) -> On<'_> {
        match &self.pool {
            Pool::Sqlite(pool) => On::SqlitePool(pool),
            Pool::Postgres(pool) => On::PostgresPool(pool),
        }
    }

    async fn all<T>(
        &self,
        text: &'static Text,
        args: &[Arg<'_>],
        decode: impl Fn(&Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.on().rows(text, args).await?.iter().map(decode).collect()
    }

    async fn one<T>(
        &self,
        text: &'static Text,
        args: &[Arg<'_>],
        decode: impl Fn(&Row) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.on().row(text, args).await?.as_ref().map(decode).transpose()
    }

    async fn with_details(&self, tickets: Vec<TicketRow>) -> Result<Vec<TicketRow>, StoreError> {
        lists::with_details(&mut self.on(), tickets).await
    }
}

/// Seqs are `u64` and stored as `i64`.
fn seq(value: u64) -> Arg<'static> {
    Arg::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

/// Words of a query for columns of [`search::found_by`]; `None`: there are none, so nothing is found.
fn beginnings(query: &str) -> Option<String> {
    let mut rows = Rows::new();
    search::beginnings(query).iter().for_each(|word| rows.push_key(word));
    (rows.count() > 0).then(|| rows.finish())
}

fn state(row: &Row) -> Result<Conversation, StoreError> {
    row.json(0)
}

#[async_trait]
impl Read for Reader {
    async fn conversation(&self, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
        self.one(&lists::CONVERSATION, &[id.0.into()], state).await
    }

    async fn conversations(&self, filter: &ConversationFilter) -> Result<Vec<Conversation>, StoreError> {
        let queue = filter.queue.as_ref().map(QueueId::as_str);
        let assignee = filter.assignee.as_ref().map(TechnicianId::as_str);
        // The narrowest first: which index is used must not depend on the database's guess about a null.
        let text = match (&filter.requester, assignee, &filter.label, &filter.stage) {
            (Some(_), _, _, _) => &lists::CONVERSATIONS_OF_REQUESTER,
            (None, Some(_), _, _) => &lists::CONVERSATIONS_OF_ASSIGNEE,
            (None, None, Some(_), _) => &lists::CONVERSATIONS_LABELLED,
            (None, None, None, Some(_)) => &lists::CONVERSATIONS_IN_STAGE,
            (None, None, None, None) => &lists::CONVERSATIONS,
        };
        let args = [
            filter.stage.as_deref().into(),
            queue.into(),
            assignee.into(),
            filter.requester.as_deref().into(),
            filter.before.map_or(i64::MAX, |before| before.0).into(),
            i64::from(filter.limit).into(),
            filter.label.as_deref().into(),
        ];
        self.all(text, &args, state).await
    }

    async fn messages(
        &self,
        id: ConversationId,
        from_seq: u64,
        internal: bool,
        limit: u32,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let args = [id.0.into(), seq(from_seq), i64::from(internal).into(), i64::from(limit).into()];
        self.all(&lists::MESSAGES, &args, Row::message).await
    }

    async fn message(&self, id: MessageId) -> Result<Option<MessageRow>, StoreError> {
        let args = [id.conversation.0.into(), seq(id.seq), i64::from(id.n).into()];
        self.one(&lists::MESSAGE, &args, Row::message).await
    }

    async fn log(&self, id: ConversationId, from_seq: u64, limit: u32) -> Result<Vec<LogRow>, StoreError> {
        self.all(&lists::LOG, &[id.0.into(), seq(from_seq), i64::from(limit).into()], Row::log).await
    }

    async fn deliveries(&self, id: ConversationId) -> Result<Vec<OutboxRow>, StoreError> {
        self.all(&lists::DELIVERIES, &[id.0.into()], Row::outbox).await
    }

    async fn attempts(&self, id: ConversationId) -> Result<Vec<AttemptRow>, StoreError> {
        self.all(&lists::ATTEMPTS, &[id.0.into()], Row::attempt).await
    }

    async fn open_outbox(&self, after: Option<EffectId>, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let (conversation, after_seq, n) = match after {
            Some(id) => (id.conversation.0, id.seq, i64::from(id.n)),
            None => (i64::MIN, 0, 0),
        };
        let args = [conversation.into(), seq(after_seq), n.into(), i64::from(limit).into()];
        self.all(&lists::OPEN_OUTBOX, &args, Row::outbox).await
    }

    async fn open_outbox_of(&self, id: ConversationId) -> Result<Vec<OutboxRow>, StoreError> {
        self.all(&lists::OPEN_OUTBOX_OF, &[id.0.into()], Row::outbox).await
    }

    async fn links(
        &self,
        id: ConversationId,
        session: SessionId,
        message: Option<MessageId>,
    ) -> Result<Vec<LinkRow>, StoreError> {
        let message = message.map(|id| id.to_string()).unwrap_or_default();
        let args = [id.0.into(), i64::from(session.0).into(), message.as_str().into()];
        self.all(&lists::LINKS, &args, Row::link).await
    }

    async fn links_between(
        &self,
        channel: &ChannelName,
        room: &RoomId,
        after: &RemoteMessageId,
        until: &RemoteMessageId,
        limit: u32,
    ) -> Result<Vec<LinkRow>, StoreError> {
        let args = [
            channel.as_str().into(),
            room.as_str().into(),
            after.as_str().into(),
            until.as_str().into(),
            i64::from(limit).into(),
        ];
        self.all(&lists::LINKS_BETWEEN, &args, Row::link).await
    }

    async fn joint(
        &self,
        id: ConversationId,
        session: SessionId,
        message: MessageId,
    ) -> Result<Vec<JointRow>, StoreError> {
        let message = message.to_string();
        let args = [id.0.into(), i64::from(session.0).into(), message.as_str().into()];
        self.all(&lists::JOINT, &args, Row::joint).await
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<(ConversationId, Timestamp)>, StoreError> {
        self.all(&lists::DUE, &[now.0.into(), i64::from(limit).into()], |row| {
            Ok((row.conversation(0)?, row.time(1)?))
        })
        .await
    }

    async fn next_wake(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.one(&lists::NEXT_WAKE, &[], |row| row.maybe_time(0)).await?.flatten())
    }

    async fn waiting(&self, limit: u32) -> Result<Vec<Conversation>, StoreError> {
        self.all(&lists::WAITING, &[i64::from(limit).into()], state).await
    }

    async fn of_technician(&self, technician: &TechnicianId) -> Result<Vec<Conversation>, StoreError> {
        self.all(&lists::OF_TECHNICIAN, &[technician.as_str().into()], state).await
    }

    async fn technicians(&self) -> Result<Vec<TechnicianRow>, StoreError> {
        self.all(&lists::TECHNICIANS, &[], Row::technician).await
    }

    async fn search(
        &self,
        query: &str,
        internal: bool,
        before: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<SearchHit>, StoreError> {
        let Some(terms) = Terms::parse(query) else { return Ok(Vec::new()) };
        let query = match &self.pool {
            Pool::Sqlite(_) => terms.fts5(),
            Pool::Postgres(_) => terms.tsquery(),
        };
        let before = before.map_or(i64::MAX, |before| before.0);
        let args =
            [query.as_str().into(), i64::from(internal).into(), before.into(), i64::from(limit).into()];
        self.all(&lists::SEARCH, &args, |row| {
            let row = row.message()?;
            let snippet = search::snippet(&search::text_of(&row.content), &terms);
            Ok(SearchHit { conversation: row.id.conversation, message: row.id, snippet, now: row.now })
        })
        .await
    }

    async fn people(&self, query: &str, limit: u32) -> Result<Vec<PersonRow>, StoreError> {
        let Some(terms) = beginnings(query) else { return Ok(Vec::new()) };
        self.all(&find::PEOPLE, &[terms.as_str().into(), i64::from(limit).into()], Row::person).await
    }

    async fn ticket(&self, number: i64) -> Result<Option<TicketRow>, StoreError> {
        let found = self.all(&lists::TICKET, &[number.into()], Row::ticket).await?;
        Ok(self.with_details(found).await?.pop())
    }

    async fn tickets(&self, before: Option<i64>, limit: u32) -> Result<Vec<TicketRow>, StoreError> {
        let args = [before.unwrap_or(i64::MAX).into(), i64::from(limit).into()];
        let found = self.all(&lists::TICKETS, &args, Row::ticket).await?;
        self.with_details(found).await
    }

    async fn tickets_found(
        &self,
        query: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<TicketRow>, StoreError> {
        let Some(terms) = beginnings(query) else { return Ok(Vec::new()) };
        let args = [terms.as_str().into(), before.unwrap_or(i64::MAX).into(), i64::from(limit).into()];
        let found = self.all(&find::TICKETS, &args, Row::ticket).await?;
        self.with_details(found).await
    }

    async fn ticket_of(&self, id: ConversationId) -> Result<Option<TicketRow>, StoreError> {
        let found = self.all(&lists::TICKET_OF, &[id.0.into()], Row::ticket).await?;
        Ok(self.with_details(found).await?.pop())
    }

    async fn requester(&self, id: &RequesterId) -> Result<Option<PersonRow>, StoreError> {
        self.one(&find::REQUESTER, &[id.as_str().into()], Row::person).await
    }

    async fn conversations_at(&self, address: &str) -> Result<Vec<ConversationId>, StoreError> {
        self.all(&lists::CONVERSATIONS_AT, &[address.into()], |row| row.conversation(0)).await
    }

    async fn spoke_in(&self, id: &RequesterId) -> Result<Vec<ConversationId>, StoreError> {
        let begins = lists::bystander(id);
        self.all(&lists::SPOKE_IN, &[begins.as_str().into()], |row| row.conversation(0)).await
    }

    async fn blobs_of(&self, id: ConversationId) -> Result<Vec<BlobRow>, StoreError> {
        self.all(&lists::BLOBS_OF, &[id.0.into()], Row::blob).await
    }

    async fn blob(&self, id: &str) -> Result<Option<BlobRow>, StoreError> {
        self.one(&lists::BLOB, &[id.into()], Row::blob).await
    }

    async fn shelf(&self, channel: &ChannelName, key: &str) -> Result<Option<String>, StoreError> {
        self.one(&lists::SHELF, &[channel.as_str().into(), key.into()], |row| row.text(0)).await
    }

    async fn shelf_many(
        &self,
        channel: &ChannelName,
        keys: &[String],
    ) -> Result<HashMap<String, String>, StoreError> {
        let list = lookups::keys(keys);
        let args = [list.as_str().into(), channel.as_str().into()];
        let found = self.all(&lists::SHELF_MANY, &args, |row| Ok((row.text(0)?, row.text(1)?))).await?;
        Ok(found.into_iter().collect())
    }

    async fn shelf_find(
        &self,
        channel: &ChannelName,
        prefix: &str,
        word: &str,
    ) -> Result<Vec<String>, StoreError> {
        let end = format!("{prefix}\u{10ffff}");
        let args = [channel.as_str().into(), prefix.into(), end.as_str().into(), word.into()];
        self.all(&lists::SHELF_FIND, &args, |row| row.text(0)).await
    }

    async fn token_by_hash(&self, sha256: &str) -> Result<Option<TokenRow>, StoreError> {
        self.one(&lists::TOKEN_BY_HASH, &[sha256.into()], Row::token).await
    }

    async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        self.all(&lists::TOKENS, &[], Row::token).await
    }

    async fn account(&self, technician: &TechnicianId) -> Result<Option<AccountRow>, StoreError> {
        self.one(&staff::ACCOUNT, &[technician.as_str().into()], Row::account).await
    }

    async fn account_by_login(&self, login: &str) -> Result<Option<AccountRow>, StoreError> {
        self.one(&staff::ACCOUNT_BY_LOGIN, &[login.into()], Row::account).await
    }

    async fn accounts(&self) -> Result<Vec<AccountRow>, StoreError> {
        self.all(&staff::ACCOUNTS, &[], Row::account).await
    }

    async fn login(&self, sha256: &str) -> Result<Option<LoginRow>, StoreError> {
        self.one(&staff::LOGIN, &[sha256.into()], Row::login).await
    }

    async fn logins_of(&self, technician: &TechnicianId) -> Result<Vec<LoginRow>, StoreError> {
        self.all(&staff::LOGINS_OF, &[technician.as_str().into()], Row::login).await
    }

    async fn logins_expired(&self, now: Timestamp, limit: u32) -> Result<Vec<LoginRow>, StoreError> {
        self.all(&staff::LOGINS_EXPIRED, &[now.0.into(), i64::from(limit).into()], Row::login).await
    }

    async fn kept(&self, kind: &str, owner: &str) -> Result<Vec<KeptRow>, StoreError> {
        self.all(&staff::KEPT, &[kind.into(), owner.into()], Row::kept).await
    }

    async fn kept_one(&self, kind: &str, owner: &str, key: &str) -> Result<Option<KeptRow>, StoreError> {
        self.one(&staff::KEPT_ONE, &[kind.into(), owner.into(), key.into()], Row::kept).await
    }

    async fn fingerprint_key(&self) -> Result<String, StoreError> {
        let key = self.one(&lookups::KEYED, &[], |row| row.text(0)).await?;
        key.ok_or_else(|| damaged("the key of fingerprints"))
    }

    async fn quarantine(&self, limit: u32) -> Result<Vec<QuarantineRow>, StoreError> {
        self.all(&lists::QUARANTINE, &[i64::from(limit).into()], Row::quarantine).await
    }

    async fn audit(&self, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        self.all(&lists::AUDIT, &[i64::from(limit).into()], Row::audit).await
    }

    async fn feedback(&self, id: ConversationId) -> Result<Vec<(MessageId, bool)>, StoreError> {
        self.all(&lists::FEEDBACK, &[id.0.into()], |row| Ok((row.id(0)?, row.flag(3)?))).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        let counts = self.one(&lists::COUNTS, &[], |row| {
            Ok(Counts {
                conversations: row.int(0)?,
                messages: row.int(1)?,
                outbox_open: row.int(2)?,
                outbox_failed: row.int(3)?,
                quarantine: row.int(4)?,
            })
        });
        counts.await?.ok_or_else(|| damaged("the counts"))
    }

    async fn recent_waits(&self, since: Timestamp, limit: u32) -> Result<Vec<(QueueId, u64)>, StoreError> {
        let args = [since.0.into(), i64::from(limit).into()];
        self.all(&lists::RECENT_WAITS, &args, |row| {
            Ok((QueueId(row.text(0)?), row.time(1)?.since(row.time(2)?).as_secs()))
        })
        .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.one(&lists::PING, &[], |row| row.int(0)).await.map(|_| ())
    }
}

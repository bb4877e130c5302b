//! SQLite: one dedicated connection for the writer, WAL, durable at every commit.
//!
//! Not here: statements (`sql/`), reading (`sql/reader.rs`), the file's lock (`sqlite/file.rs`).
//!
//! A statement costs a hop to the connection's thread (about 60 µs), so a batch travels as one text of several
//! statements: one hop to begin and look up, one to write and commit. The backend is the only writer of
//! conversations, technicians and counters; those that it has seen are answered from memory. Tokens, shelves and the
//! audit trail may also be written from the command line meanwhile, which `data_version` tells.

mod cache;
mod checkpoint;
pub(crate) mod file;
pub(crate) mod index;
pub(crate) mod open;
mod scrub;

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use async_trait::async_trait;
use deskbridge_conversation::{Conversation, ConversationId, TechnicianId};
use futures_util::TryStreamExt;
use sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Either, Executor};

use crate::backend::{Backend, Changes, Keys, Loaded};
use crate::job::StoreError;
use crate::rows::TechnicianRow;
use crate::sql::changes::{Dialect, Known, Plan, Write, plan};
use crate::sql::decode::Row;
use crate::sql::fault::fault;
use crate::sql::lookups::{self, Answers};
use crate::sql::{On, Text, write_admin, write_delivery, write_talk};
use cache::Cache;
use checkpoint::Checkpoints;
use file::FileLock;

pub struct SqliteBackend {
    options: SqliteConnectOptions,
    /// `None` after a failure: opened again by the next `load`.
    conn: Option<SqliteConnection>,
    /// A transaction is, or may be, under way.
    open: bool,
    memory: Memory,
    /// `data_version` when `memory` was last right: another number says that another connection has written.
    seen: Option<i64>,
    checkpoints: Checkpoints,
    /// Dropped last: the connection is closed before the lock is given up. `None`: beside the one that holds it.
    _lock: Option<FileLock>,
}

/// What is stored, as far as this backend has seen it.
#[derive(Debug, Default)]
struct Memory {
    conversations: Cache,
    technicians: BTreeMap<TechnicianId, TechnicianRow>,
    last_conversation: i64,
    last_ticket: i64,
    last_audit: (i64, String),
    /// Of tombstones.
    salt: String,
}

impl Memory {
    /// What a write from the command line may have moved on; inside a transaction it stays as it is then.
    async fn look_again(&mut self, on: &mut On<'_>) -> Result<(), StoreError> {
        (self.last_conversation, self.last_ticket) =
            lookups::counters(&on.rows(&lookups::COUNTERS, &[]).await?)?;
        if let Some(row) = on.row(&lookups::LAST_AUDIT, &[]).await? {
            self.last_audit = (row.int(0)?, row.text(1)?);
        }
        Ok(())
    }
}

impl Known for Memory {
    fn before(&self, id: ConversationId) -> Option<&Conversation> {
        self.conversations.peek(id)
    }
    fn last_conversation(&self) -> i64 {
        self.last_conversation
    }
    fn last_ticket(&self) -> i64 {
        self.last_ticket
    }
    fn last_audit(&self) -> (i64, &str) {
        (self.last_audit.0, &self.last_audit.1)
    }
    fn salt(&self) -> &str {
        &self.salt
    }
}

/// Several statements as one text; the n-th one's argument is `$n`. Constants only, so `AssertSqlSafe` is not needed.
struct Many(String);

impl Many {
    fn of<'t>(first: &str, texts: impl IntoIterator<Item = &'t Text>, last: &str) -> Many {
        let mut all = String::from(first);
        for (nr, text) in texts.into_iter().enumerate() {
            all.push_str(&text.sqlite.replace("$1", &format!("${}", nr + 1)));
            all.push_str(";\n");
        }
        all.push_str(last);
        Many(all)
    }
}

static LOAD: LazyLock<Many> = LazyLock::new(|| {
    let lookups =
        [&lookups::CAUSES, &lookups::ADDRESSES, &lookups::REMOTES, &lookups::EFFECTS, &lookups::TICKETS];
    Many::of("begin immediate;\n", lookups, "pragma data_version")
});

/// The statements of nearly every batch, in the order of `Changes`. Running one over no rows costs a few µs, a hop ten
/// times as much.
static USUAL: [&Text; 12] = [
    &write_talk::CAUSES,
    &write_talk::OPEN,
    &write_talk::MOVE,
    &write_talk::TOUCH,
    &write_talk::SESSIONS,
    &write_talk::MESSAGES,
    &write_talk::LOG,
    &write_delivery::PROGRESS,
    &write_delivery::ENQUEUE,
    &write_delivery::ATTEMPTS,
    &write_delivery::ATTEMPT_ENDS,
    &write_delivery::LINKS,
];
static WRITE_USUAL: LazyLock<Many> = LazyLock::new(|| Many::of("", USUAL, ""));
static WRITE_USUAL_AND_COMMIT: LazyLock<Many> = LazyLock::new(|| Many::of("", USUAL, "commit"));

/// Runs a text of several statements; answers the rows and the number of written rows of each.
async fn many(
    conn: &mut SqliteConnection,
    during: &'static str,
    text: &'static Many,
    args: Vec<String>,
) -> Result<Vec<(Vec<Row>, u64)>, StoreError> {
    let mut query = sqlx::query::<Sqlite>(text.0.as_str());
    for arg in args {
        query = query.bind(arg);
    }
    let mut results = Vec::new();
    let mut rows = Vec::new();
    let mut stream = conn.fetch_many(query);
    while let Some(item) = stream.try_next().await.map_err(|error| fault(during, &error))? {
        match item {
            Either::Left(done) => results.push((std::mem::take(&mut rows), done.rows_affected())),
            Either::Right(row) => rows.push(Row::Sqlite(row)),
        }
    }
    Ok(results)
}

impl SqliteBackend {
    /// Connects (again) and forgets what it knew: after a failed commit nobody knows what is stored.
    async fn connect(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        let mut conn = self.options.connect().await.map_err(|error| fault("opening the database", &error))?;
        self.memory = Memory::default();
        let mut on = On::Sqlite(&mut conn);
        self.seen = None;
        self.memory.look_again(&mut on).await?;
        self.memory.salt = lookups::salt(&mut on).await?;
        for row in on.rows(&lookups::TECHNICIANS, &[]).await? {
            let row = row.technician()?;
            self.memory.technicians.insert(row.id.clone(), row);
        }
        Ok(self.conn.insert(conn))
    }

    async fn read(&mut self, keys: &Keys) -> Result<Loaded, StoreError> {
        // Whoever began the last one has gone away in the middle.
        self.rollback().await;
        if self.conn.is_none() {
            self.connect().await?;
        }
        let Some(conn) = &mut self.conn else { return Err(closed()) };
        self.open = true;
        let args = vec![
            lookups::keys_of_causes(keys, &self.memory.salt),
            lookups::keys(&keys.addresses),
            lookups::remote_keys(keys),
            lookups::id_keys(&keys.effects),
            lookups::keys(&keys.ticket_keys),
        ];
        let results = many(conn, "looking up a batch", &LOAD, args).await?;
        let [_, (causes, _), (addresses, _), (remotes, _), (effects, _), (tickets, _), (version, _)] =
            results.as_slice()
        else {
            return Err(StoreError::Corrupt("looking up a batch: answers are missing".into()));
        };
        let mut answers = Answers::new(keys);
        answers.causes(causes)?;
        answers.addresses(addresses)?;
        answers.remotes(remotes)?;
        answers.effects(effects)?;
        answers.tickets(tickets)?;
        let mut on = On::Sqlite(conn);
        let version = version.first().map(|row| row.int(0)).transpose()?;
        if self.seen != version {
            self.memory.look_again(&mut on).await?;
            self.seen = version;
        }
        let wanted = answers.wanted_contents();
        if !wanted.is_empty() {
            let rows = on.rows(&lookups::CONTENTS, &[lookups::id_keys(&wanted).as_str().into()]).await?;
            answers.contents(&rows)?;
        }
        if !keys.shelf.is_empty() {
            let rows = on.rows(&lookups::SHELF, &[lookups::shelf_keys(keys).as_str().into()]).await?;
            answers.shelf(&rows)?;
        }
        let memory = &mut self.memory;
        let (mut hot, mut cold) = (HashMap::new(), Vec::new());
        for id in &answers.touched {
            match memory.conversations.get(*id) {
                Some(state) => drop(hot.insert(*id, state.clone())),
                None => cold.push(*id),
            }
        }
        if !cold.is_empty() {
            let rows = on
                .rows(&lookups::CONVERSATIONS, &[lookups::conversation_keys(&cold).as_str().into()])
                .await?;
            answers.conversations(&rows)?;
            for state in answers.loaded.conversations.values() {
                memory.conversations.put(state.clone());
            }
        }
        let mut loaded = answers.loaded;
        loaded.conversations.extend(hot);
        if keys.roster {
            loaded.technicians =
                memory.technicians.iter().map(|(id, row)| (id.clone(), row.clone())).collect();
        }
        loaded.last_conversation = memory.last_conversation;
        loaded.last_ticket = memory.last_ticket;
        Ok(loaded)
    }

    /// Usual statements first: those that are not come after them in `Changes`, or do not touch what they touch.
    async fn write(&mut self, writes: Vec<Write>) -> Result<(), StoreError> {
        let Some(conn) = &mut self.conn else { return Err(closed()) };
        let bytes = writes.iter().map(|write| write.rows.len()).sum();
        let mut args = vec!["[]".to_owned(); USUAL.len()];
        let mut expected = vec![None; USUAL.len()];
        let mut unusual = Vec::new();
        for write in writes {
            match USUAL.iter().position(|usual| usual.name == write.text.name) {
                Some(at) => (args[at], expected[at]) = (write.rows, write.expect),
                None => unusual.push(write),
            }
        }
        let text = if unusual.is_empty() { &WRITE_USUAL_AND_COMMIT } else { &WRITE_USUAL };
        let results = many(conn, "writing a batch", text, args).await?;
        for ((_, written), expected) in results.iter().zip(expected) {
            // Perhaps committed already; impossible while we are the only writer.
            if expected.is_some_and(|expected| expected != *written) {
                tracing::error!("a conversation changed under its only writer");
            }
        }
        if unusual.is_empty() {
            self.checkpoints.hint(bytes);
            return Ok(());
        }
        let mut on = On::Sqlite(conn);
        for write in unusual {
            let written = on.run(write.text, &[write.rows.as_str().into()]).await?;
            if write.expect.is_some_and(|expected| expected != written) {
                return Err(StoreError::Conflict(format!(
                    "{}: somebody else changed the rows",
                    write.text.name
                )));
            }
        }
        on.plain("commit").await?;
        self.checkpoints.hint(bytes);
        Ok(())
    }

    fn remember(&mut self, changes: &Changes, last_audit: Option<crate::rows::AuditRow>) {
        for row in &changes.conversations {
            self.memory.conversations.put(row.state.clone());
        }
        for row in &changes.technicians {
            self.memory.technicians.insert(row.id.clone(), row.clone());
        }
        let (conversation, ticket) = write_admin::highest(changes);
        self.memory.last_conversation = self.memory.last_conversation.max(conversation);
        self.memory.last_ticket = self.memory.last_ticket.max(ticket);
        if let Some(row) = last_audit {
            self.memory.last_audit = (row.id, row.hash);
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the database is not open".into())
}

#[async_trait]
impl Backend for SqliteBackend {
    async fn load(&mut self, keys: &Keys) -> Result<Loaded, StoreError> {
        let loaded = self.read(keys).await;
        if loaded.is_err() {
            self.rollback().await;
        }
        loaded
    }

    async fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let planned = plan(changes, Dialect::Sqlite, &self.memory)
            .map(|Plan { writes, last_audit, .. }| (writes, last_audit));
        let done = match planned {
            Ok((writes, last_audit)) => self.write(writes).await.map(|()| last_audit),
            Err(fault) => Err(fault),
        };
        match done {
            Ok(last_audit) => {
                self.open = false;
                self.remember(changes, last_audit);
                Ok(())
            }
            Err(fault) => {
                // What is stored now is known again when it has been read again.
                self.memory.conversations.clear();
                self.rollback().await;
                Err(fault)
            }
        }
    }

    async fn rollback(&mut self) {
        let Some(conn) = self.conn.as_mut().filter(|_| std::mem::take(&mut self.open)) else { return };
        if On::Sqlite(conn).plain("rollback").await.is_err() {
            // Not even that works, or SQLite has rolled back by itself: start afresh.
            self.conn = None;
        }
    }

    async fn index_search(&mut self, limit: u32) -> Result<u32, StoreError> {
        index::index(self, limit).await
    }

    async fn scrub(&mut self) -> Result<(), StoreError> {
        self.rollback().await;
        if self.conn.is_none() {
            self.connect().await?;
        }
        let Some(conn) = &mut self.conn else { return Err(closed()) };
        scrub::scrub(conn).await
    }
}

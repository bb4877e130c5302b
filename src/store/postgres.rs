//! PostgreSQL: one dedicated connection per node for the writer; several nodes may write.
//!
//! Not here: statements (`sql/`), reading (`sql/reader.rs`).
//!
//! The writer has a connection of its own and not one of a pool: a transaction that is given up in the middle ends with
//! its connection and can poison nobody (sqlx 0.9.0 leaves a cancelled `begin` open in the pool). Between nodes: rows
//! are locked in the order of their ids, and every write of a conversation or a counter is conditional on what was read.

mod index;
pub(crate) mod open;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbridge_conversation::{Conversation, ConversationId};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use crate::backend::{Backend, Changes, Keys, Loaded};
use crate::job::StoreError;
use crate::sql::On;
use crate::sql::changes::{Dialect, Known, Write, plan};
use crate::sql::fault::fault;
use crate::sql::lookups::{self, Answers};

pub struct PostgresBackend {
    options: PgConnectOptions,
    /// `None` after a failure: opened again by the next `load`.
    conn: Option<PgConnection>,
    /// A transaction is, or may be, under way.
    open: bool,
    transaction: Transaction,
    /// Of tombstones; read once.
    salt: Option<String>,
}

/// What the transaction under way has read.
#[derive(Debug, Default)]
struct Transaction {
    conversations: HashMap<ConversationId, Arc<Conversation>>,
    last_conversation: i64,
    last_ticket: i64,
    last_audit: (i64, String),
    salt: String,
}

impl Known for Transaction {
    fn before(&self, id: ConversationId) -> Option<&Conversation> {
        self.conversations.get(&id).map(|state| &**state)
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

impl PostgresBackend {
    async fn begin(&mut self) -> Result<On<'_>, StoreError> {
        // Whoever began the last one has gone away in the middle.
        self.rollback().await;
        self.transaction = Transaction::default();
        // A server that was started again has closed the connection meanwhile; nothing is lost yet.
        let held = match self.conn.take() {
            Some(mut conn) => On::Postgres(&mut conn).plain("begin").await.is_ok().then_some(conn),
            None => None,
        };
        let conn = match held {
            Some(conn) => conn,
            None => {
                let mut conn = self.options.connect().await.map_err(|error| fault("connecting", &error))?;
                On::Postgres(&mut conn).plain("begin").await?;
                conn
            }
        };
        self.open = true;
        Ok(On::Postgres(self.conn.insert(conn)))
    }

    async fn read(&mut self, keys: &Keys) -> Result<Loaded, StoreError> {
        let known = self.salt.take();
        let mut on = self.begin().await?;
        let salt = match known {
            Some(salt) => salt,
            None => lookups::salt(&mut on).await?,
        };
        let mut answers = Answers::new(keys);
        if !(keys.causes.is_empty() && keys.requesters.is_empty()) {
            let causes = lookups::keys_of_causes(keys, &salt);
            answers.causes(&on.rows(&lookups::CAUSES, &[causes.as_str().into()]).await?)?;
        }
        let (conversation, ticket) = numbers(&mut on, &mut answers).await?;
        if !keys.remotes.is_empty() {
            answers
                .remotes(&on.rows(&lookups::REMOTES, &[lookups::remote_keys(keys).as_str().into()]).await?)?;
        }
        if !answers.touched.is_empty() {
            let ids = lookups::conversation_keys(&answers.touched);
            answers.conversations(&on.rows(&lookups::CONVERSATIONS, &[ids.as_str().into()]).await?)?;
        }
        // From here on nobody else changes these conversations, nor what belongs to them.
        let wanted = answers.wanted_contents();
        if !wanted.is_empty() {
            let ids = lookups::id_keys(&wanted);
            answers.contents(&on.rows(&lookups::CONTENTS, &[ids.as_str().into()]).await?)?;
        }
        if !keys.shelf.is_empty() {
            answers.shelf(&on.rows(&lookups::SHELF, &[lookups::shelf_keys(keys).as_str().into()]).await?)?;
        }
        if !keys.effects.is_empty() {
            answers.effects(
                &on.rows(&lookups::EFFECTS, &[lookups::id_keys(&keys.effects).as_str().into()]).await?,
            )?;
        }
        if keys.roster {
            answers.technicians(&on.rows(&lookups::TECHNICIANS, &[]).await?)?;
        }
        let mut loaded = answers.loaded;
        loaded.last_conversation = conversation;
        loaded.last_ticket = ticket;
        self.transaction.conversations.clone_from(&loaded.conversations);
        self.transaction.last_conversation = conversation;
        self.transaction.last_ticket = ticket;
        self.transaction.salt.clone_from(&salt);
        self.salt = Some(salt);
        Ok(loaded)
    }

    async fn write(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let Some(conn) = &mut self.conn else {
            return Err(StoreError::Unavailable("the connection was lost before the commit".into()));
        };
        let mut on = On::Postgres(conn);
        if !changes.audit.is_empty()
            && let Some(row) = on.row(&lookups::LAST_AUDIT, &[]).await?
        {
            self.transaction.last_audit = (row.int(0)?, row.text(1)?);
        }
        let writes = plan(changes, Dialect::Postgres, &self.transaction)?.writes;
        for Write { text, rows, expect } in writes {
            let written = on.run(text, &[rows.as_str().into()]).await?;
            if expect.is_some_and(|expected| expected != written) {
                return Err(StoreError::Conflict(format!("{}: somebody else changed the rows", text.name)));
            }
        }
        on.plain("commit").await
    }
}

/// Looks up addresses and tickets, and the highest numbers given out. Where something may be opened, the numbers are
/// locked first: two nodes must not open two conversations for one address, nor give out one number twice. (A
/// conversation that is opened without that is caught at the commit.)
async fn numbers(on: &mut On<'_>, answers: &mut Answers<'_>) -> Result<(i64, i64), StoreError> {
    let keys = answers.keys;
    let addresses = lookups::keys(&keys.addresses);
    if !keys.addresses.is_empty() {
        answers.addresses(&on.rows(&lookups::ADDRESSES, &[addresses.as_str().into()]).await?)?;
    }
    let unknown = keys.addresses.iter().any(|address| !answers.loaded.addresses.contains_key(address));
    if !unknown && keys.ticket_keys.is_empty() {
        return lookups::counters(&on.rows(&lookups::COUNTERS, &[]).await?);
    }
    let numbers = lookups::counters(&on.rows(&lookups::COUNTERS_LOCKED, &[]).await?)?;
    if unknown {
        // Perhaps opened by the one we have waited for.
        answers.addresses(&on.rows(&lookups::ADDRESSES, &[addresses.as_str().into()]).await?)?;
    }
    if !keys.ticket_keys.is_empty() {
        answers.tickets(
            &on.rows(&lookups::TICKETS, &[lookups::keys(&keys.ticket_keys).as_str().into()]).await?,
        )?;
    }
    Ok(numbers)
}

/// A server that does not answer at all. Far beyond what it may wait for a lock.
const PATIENCE: Duration = Duration::from_secs(30);
const SHORT_PATIENCE: Duration = Duration::from_secs(3);

/// Whether a commit that was given up has happened shows when its causes come again.
async fn in_time<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    tokio::time::timeout(patience, work)
        .await
        .unwrap_or_else(|_| Err(StoreError::Unavailable("the database does not answer".into())))
}

#[async_trait]
impl Backend for PostgresBackend {
    async fn load(&mut self, keys: &Keys) -> Result<Loaded, StoreError> {
        let loaded = in_time(PATIENCE, self.read(keys)).await;
        if loaded.is_err() {
            self.rollback().await;
        }
        loaded
    }

    async fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let done = in_time(PATIENCE, self.write(changes)).await;
        match done {
            Ok(()) => self.open = false,
            Err(_) => self.rollback().await,
        }
        done
    }

    async fn rollback(&mut self) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let Some(mut conn) = self.conn.take() else { return };
        // A connection that fails here is dropped, and the server rolls back by itself.
        if in_time(SHORT_PATIENCE, On::Postgres(&mut conn).plain("rollback")).await.is_ok() {
            self.conn = Some(conn);
        }
    }

    async fn index_search(&mut self, limit: u32) -> Result<u32, StoreError> {
        let done = in_time(PATIENCE, index::index(self, limit)).await;
        match done {
            Ok(_) => self.open = false,
            Err(_) => self.rollback().await,
        }
        done
    }
}

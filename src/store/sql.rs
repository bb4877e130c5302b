//! One SQL for two databases: texts, rows as JSON, result rows, and the class of every database error.
//!
//! Not here: connections and transactions (`sqlite.rs`, `postgres.rs`). Texts stand beside the code that uses them, in
//! `sql/`; a [`Text`] has two forms only where the databases differ.
//!
//! Every write is one statement with one argument: a JSON array of rows, each row an array (`value->>0` is its first
//! cell). Row by row, a hop to the database per row would be the ceiling (performance.md §7).

pub(crate) mod changes;
pub(crate) mod decode;
pub(crate) mod dump;
pub(crate) mod fault;
pub(crate) mod find;
pub(crate) mod lists;
pub(crate) mod lookups;
#[cfg(test)]
mod plans;
pub(crate) mod reader;
pub(crate) mod rows;
pub(crate) mod staff;
pub(crate) mod write_admin;
pub(crate) mod write_delivery;
pub(crate) mod write_erasure;
pub(crate) mod write_talk;
pub(crate) mod write_tickets;

use futures_util::TryStreamExt;
use sqlx::postgres::{PgConnection, PgPool, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnection, SqlitePool};
use sqlx::{Executor, SqlSafeStr};

use crate::job::StoreError;
use decode::Row;
use fault::fault;

/// One statement in both dialects.
#[derive(Debug)]
pub(crate) struct Text {
    /// For error messages, and to tell texts apart.
    pub name: &'static str,
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

/// `text!("log: insert", "insert into log … from ", ROWS)`. Capital words are what differs:
/// `ROWS` the rows of `$1`, one `value` each, and `NR` their numbers from 1; `KEYS` the same for an array of texts, as `value`.
macro_rules! text {
    ($name:literal, $($part:tt),+ $(,)?) => {
        $crate::sql::Text {
            name: $name,
            sqlite: concat!($($crate::sql::sqlite_part!($part)),+),
            postgres: concat!($($crate::sql::postgres_part!($part)),+),
        }
    };
}
macro_rules! sqlite_part {
    // Half the time of `json_each`, which writes each row out as text for every cell that is taken from it.
    (ROWS) => {
        "jsonb_each($1) as rows"
    };
    (KEYS) => {
        "json_each($1) as rows"
    };
    (NR) => {
        "(rows.key + 1)"
    };
    // SQLite takes `on` for a join's without a `where` before it.
    (UPSERT) => {
        " where true on conflict "
    };
    // The only writer there is.
    (LOCK) => {
        ""
    };
    ($part:tt) => {
        $crate::sql::part!($part)
    };
}
macro_rules! postgres_part {
    (ROWS) => {
        "jsonb_array_elements($1::text::jsonb) with ordinality as rows (value, nr)"
    };
    (KEYS) => {
        "jsonb_array_elements_text($1::text::jsonb) with ordinality as rows (value, nr)"
    };
    (NR) => {
        "rows.nr"
    };
    (UPSERT) => {
        " on conflict "
    };
    (LOCK) => {
        " for update"
    };
    ($part:tt) => {
        $crate::sql::part!($part)
    };
}
/// Select lists in the order in which `decode.rs` reads them.
macro_rules! part {
    (MESSAGE) => {
        "m.conversation, m.seq, m.n, m.author, m.audience, m.content, m.reply_to, m.now, m.at, m.edited, m.deleted"
    };
    (OUTBOX) => {
        "o.conversation, o.seq, o.n, o.lane, o.effect, o.state, o.not_before, o.turn, o.weight, o.attempts, o.error,
         o.lease_until, o.created, o.updated, o.shown"
    };
    (LOG) => {
        "conversation, seq, cause, event, policy"
    };
    (ATTEMPT) => {
        "conversation, seq, n, attempt, started, ended, outcome"
    };
    (LINK) => {
        "conversation, session, message, channel, room, remote, part"
    };
    (JOINT) => {
        "conversation, session, message, lead, nth"
    };
    (TECHNICIAN) => {
        "id, presence, since, load, missed, last_assigned"
    };
    (BLOB) => {
        "id, conversation, name, mime, size, sha256, created"
    };
    (TOKEN) => {
        "id, name, sha256, scopes, technician, created, expires, revoked"
    };
    (ACCOUNT) => {
        "technician, login, password, disabled, created, changed"
    };
    (LOGIN) => {
        "sha256, kind, technician, created, seen, expires"
    };
    (KEPT) => {
        "kind, owner, key, value, updated"
    };
    (QUARANTINE) => {
        "id, channel, raw, why, now"
    };
    (AUDIT) => {
        "id, now, who, act, conversation, hash"
    };
    (TICKET) => {
        "number, key, conversation, summary, description, status, priority, requester, technician, created, updated"
    };
    ($text:literal) => {
        $text
    };
}
pub(crate) use {part, postgres_part, sqlite_part, text};

/// A statement's argument.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arg<'a> {
    Int(i64),
    MaybeInt(Option<i64>),
    Text(&'a str),
    MaybeText(Option<&'a str>),
}

impl From<i64> for Arg<'_> {
    fn from(value: i64) -> Self {
        Arg::Int(value)
    }
}
impl<'a> From<&'a str> for Arg<'a> {
    fn from(value: &'a str) -> Self {
        Arg::Text(value)
    }
}
impl From<Option<i64>> for Arg<'_> {
    fn from(value: Option<i64>) -> Self {
        Arg::MaybeInt(value)
    }
}
impl<'a> From<Option<&'a str>> for Arg<'a> {
    fn from(value: Option<&'a str>) -> Self {
        Arg::MaybeText(value)
    }
}

macro_rules! bound {
    ($db:ty, $text:expr, $args:expr) => {{
        let mut query = sqlx::query::<$db>($text);
        for arg in $args {
            query = match *arg {
                Arg::Int(value) => query.bind(value),
                Arg::MaybeInt(value) => query.bind(value),
                Arg::Text(value) => query.bind(value.to_owned()),
                Arg::MaybeText(value) => query.bind(value.map(str::to_owned)),
            };
        }
        query
    }};
}

/// Where a statement runs: a connection of either kind, or the readers' pool.
pub(crate) enum On<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
    SqlitePool(&'c SqlitePool),
    PostgresPool(&'c PgPool),
}

impl On<'_> {
    pub(crate) async fn rows(
        &mut self,
        text: &'static Text,
        args: &[Arg<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let rows = match self {
            On::Sqlite(conn) => collect(&mut **conn, bound!(Sqlite, text.sqlite, args), Row::Sqlite).await,
            On::SqlitePool(pool) => collect(*pool, bound!(Sqlite, text.sqlite, args), Row::Sqlite).await,
            On::Postgres(conn) => {
                collect(&mut **conn, bound!(Postgres, text.postgres, args), Row::Postgres).await
            }
            On::PostgresPool(pool) => {
                collect(*pool, bound!(Postgres, text.postgres, args), Row::Postgres).await
            }
        };
        rows.map_err(|error| fault(text.name, &error))
    }

    pub(crate) async fn row(
        &mut self,
        text: &'static Text,
        args: &[Arg<'_>],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(text, args).await?.pop())
    }

    /// Answers the number of rows written.
    pub(crate) async fn run(&mut self, text: &'static Text, args: &[Arg<'_>]) -> Result<u64, StoreError> {
        let done = match self {
            On::Sqlite(conn) => {
                conn.execute(bound!(Sqlite, text.sqlite, args)).await.map(|done| done.rows_affected())
            }
            On::Postgres(conn) => {
                conn.execute(bound!(Postgres, text.postgres, args)).await.map(|done| done.rows_affected())
            }
            On::SqlitePool(_) | On::PostgresPool(_) => {
                return Err(StoreError::Corrupt(format!("{}: readers do not write", text.name)));
            }
        };
        done.map_err(|error| fault(text.name, &error))
    }

    /// A statement without arguments and rows, such as `begin`.
    pub(crate) async fn plain(&mut self, text: &'static str) -> Result<(), StoreError> {
        let done = match self {
            On::Sqlite(conn) => conn.execute(sqlx::raw_sql(text.into_sql_str())).await.map(|_| ()),
            On::Postgres(conn) => conn.execute(sqlx::raw_sql(text.into_sql_str())).await.map(|_| ()),
            On::SqlitePool(_) | On::PostgresPool(_) => Ok(()),
        };
        done.map_err(|error| fault(text, &error))
    }
}

async fn collect<'c, E, Q, R>(on: E, query: Q, row: fn(R) -> Row) -> Result<Vec<Row>, sqlx::Error>
where
    E: Executor<'c>,
    E::Database: sqlx::Database<Row = R>,
    Q: sqlx::Execute<'c, E::Database> + 'c,
    R: Send + Unpin + 'c,
{
    on.fetch(query).map_ok(row).try_collect().await
}

//! The plainest durable insert of a message, set-based, on SQLite: what `deskbridge bench apply` is measured against.
//!
//! Not here: the product's tables. It writes a scratch file of its own.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor};

use crate::job::StoreError;

const TABLES: &str = "create table causes (key text primary key) without rowid;
    create table messages (id integer primary key, conversation integer, seq integer, body text);
    create unique index messages_id on messages (conversation, seq);
    create index messages_seq on messages (seq);
    create table outbox (id integer primary key, message integer, state text)";
const CAUSES: &str = "insert into causes select value from json_each($1)";
const MESSAGES: &str = "insert into messages (conversation, seq, body) select value->>0, value->>1, value->>2 from json_each($1)";
const OUTBOX: &str = "insert into outbox (message, state) select value->>0, value->>1 from json_each($1)";

fn away(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// `count` messages of `body` over 1 000 conversations, `batch` in a transaction, synchronous=FULL; how long it took.
pub async fn plain_inserts(
    file: &Path,
    count: usize,
    batch: usize,
    body: &str,
) -> Result<Duration, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    let mut conn = options.connect().await.map_err(away)?;
    conn.execute(TABLES).await.map_err(away)?;
    let began = Instant::now();
    let mut next = 0;
    while next < count {
        let rows: Vec<usize> = (next..(next + batch).min(count)).collect();
        next += rows.len();
        let causes: Vec<String> = rows.iter().map(|nr| format!("in:bench:event-{nr}")).collect();
        let messages: Vec<_> = rows.iter().map(|nr| (nr % 1_000, nr, body)).collect();
        let outbox: Vec<_> = rows.iter().map(|nr| (nr, "queued")).collect();
        conn.execute("begin immediate").await.map_err(away)?;
        let lists = [
            (CAUSES, serde_json::to_string(&causes)),
            (MESSAGES, serde_json::to_string(&messages)),
            (OUTBOX, serde_json::to_string(&outbox)),
        ];
        for (text, list) in lists {
            sqlx::query(text).bind(list.map_err(away)?).execute(&mut conn).await.map_err(away)?;
        }
        conn.execute("commit").await.map_err(away)?;
    }
    let took = began.elapsed();
    conn.close().await.map_err(away)?;
    Ok(took)
}

//! Brings the FTS5 index up to date, in batches and off the acknowledging path.
//!
//! Not here: how words are cut (`crate::search`), queries (`sql/lists.rs`).

use std::sync::LazyLock;

use deskbridge_contract::Content;

use super::{Many, SqliteBackend, closed, many};
use crate::backend::Backend;
use crate::job::StoreError;
use crate::search;
use crate::sql::rows::{Cell, Rows};
use crate::sql::{On, Text, text};

/// New messages by their place in the table; those that changed since, only up to that place.
static NEW: Text = text!(
    "search: new messages",
    "select m.pos, m.deleted, m.content, m.conversation, m.seq, m.n from messages as m
     where m.pos > (select number from counters where name = 'search') order by m.pos limit $1"
);
static CHANGED: Text = text!(
    "search: changed messages",
    "select m.pos, m.deleted, m.content, m.conversation, m.seq, m.n from search_queue as q
     cross join messages as m on m.conversation = q.conversation and m.seq = q.seq and m.n = q.n
     where m.pos <= (select number from counters where name = 'search') limit $1"
);
static PUT: Text = text!(
    "search: put",
    "insert or replace into search (rowid, words) select value->>0, value->>1 from ",
    ROWS
);
static DROP: Text =
    text!("search: drop", "delete from search where rowid in (select value->>0 from ", ROWS, ")");
static DONE: Text = text!(
    "search: done",
    "delete from search_queue where (conversation, seq, n) in (select value->>0, value->>1, value->>2 from ",
    ROWS,
    ")"
);
static SEEN: Text = text!(
    "search: seen",
    "update counters set number = value->>0 from ",
    ROWS,
    " where counters.name = 'search'"
);
static INDEX: LazyLock<Many> =
    LazyLock::new(|| Many::of("begin immediate;\n", [&PUT, &DROP, &DONE, &SEEN], "commit"));

/// Reading needs no transaction: nobody else writes.
pub(super) async fn index(backend: &mut SqliteBackend, limit: u32) -> Result<u32, StoreError> {
    if backend.conn.is_none() {
        backend.connect().await?;
    }
    let Some(conn) = &mut backend.conn else { return Err(closed()) };
    let mut on = On::Sqlite(conn);
    let new = on.rows(&NEW, &[i64::from(limit).into()]).await?;
    let rest = limit - u32::try_from(new.len()).unwrap_or(limit).min(limit);
    let changed = if rest == 0 { Vec::new() } else { on.rows(&CHANGED, &[i64::from(rest).into()]).await? };
    if new.is_empty() && changed.is_empty() {
        return Ok(0);
    }
    let (mut put, mut drop, mut done, mut seen) = (Rows::new(), Rows::new(), Rows::new(), Rows::new());
    for row in new.iter().chain(&changed) {
        let pos = row.int(0)?;
        if row.flag(1)? {
            drop.push([pos.into()]);
        } else {
            let words = search::words(&search::text_of(&row.json::<Content>(2)?)).join(" ");
            put.push([pos.into(), Cell::Own(words)]);
        }
    }
    for row in &changed {
        done.push([row.int(3)?.into(), row.int(4)?.into(), row.int(5)?.into()]);
    }
    if let Some(last) = new.last() {
        seen.push([last.int(0)?.into()]);
    }
    let args = [put, drop, done, seen].map(Rows::finish).to_vec();
    backend.open = true;
    let written = many(conn, "indexing for search", &INDEX, args).await;
    if let Err(fault) = written {
        backend.rollback().await;
        return Err(fault);
    }
    backend.open = false;
    Ok(u32::try_from(new.len() + changed.len()).unwrap_or(limit))
}

/// For the test that looks at their plans.
#[cfg(test)]
pub(crate) static TEXTS: &[&Text] = &[&NEW, &CHANGED, &PUT, &DROP, &DONE, &SEEN];

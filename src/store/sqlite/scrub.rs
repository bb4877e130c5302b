//! Overwrites what was deleted: in the file, in the search index, in the write-ahead log.
//!
//! Not here: deleting. SQLite only unlinks a deleted row; its bytes stay in the page, in free pages, and in segments of
//! the full-text index that were not merged yet. A new file has none of them.

use std::time::Duration;

use sqlx::sqlite::SqliteConnection;

use crate::job::StoreError;
use crate::sql::{On, Text, text};

/// Merges the index into one segment, without the entries of what was deleted.
static OPTIMIZE: Text = text!("search: optimize", "insert into search (search) values ('optimize')");
/// Everything into the database, and the log cut to nothing. Answers whether somebody was in the way.
static TRUNCATE: Text = text!("check point: truncate", "pragma wal_checkpoint(truncate)");

/// How often the log is tried to be cut while others read from it, and how long is waited in between.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);

pub(super) async fn scrub(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut on = On::Sqlite(conn);
    on.run(&OPTIMIZE, &[]).await?;
    // The copy is as large as the database: not in memory.
    on.plain("pragma temp_store = file").await?;
    let vacuumed = on.plain("vacuum").await;
    on.plain("pragma temp_store = memory").await?;
    vacuumed?;
    for _ in 0..TRIES {
        let row = on.row(&TRUNCATE, &[]).await?;
        if row.is_some_and(|row| row.int(0).is_ok_and(|busy| busy == 0)) {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(StoreError::Unavailable("somebody reads from the write-ahead log; it could not be cut".to_owned()))
}

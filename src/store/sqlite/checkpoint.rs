//! Moves pages from the write-ahead log into the database, beside the writer and not in somebody's commit.
//!
//! Not here: the limit at which the writer does it itself (`open.rs`): under steady load the log begins anew only when
//! a check point has caught up with it, and then there is little left to do.

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::sync::mpsc;

use crate::job::StoreError;
use crate::sql::fault::fault;
use crate::sql::{On, Text, text};

/// After so many bytes of rows. The log grows to about three times as much (whole pages), and pages that were written again
/// and again until then are moved once.
const EVERY: usize = 12 << 20;

static CHECKPOINT: Text = text!("check point", "pragma wal_checkpoint(passive)");

#[derive(Debug)]
pub(super) struct Checkpoints {
    wake: mpsc::Sender<()>,
    written: usize,
}

impl Checkpoints {
    /// The task ends with the last hint's sender.
    pub(super) fn start(options: SqliteConnectOptions) -> Checkpoints {
        let (wake, woken) = mpsc::channel(1);
        tokio::spawn(run(options, woken));
        Checkpoints { wake, written: 0 }
    }

    /// Called after each commit with the size of what it wrote.
    pub(super) fn hint(&mut self, bytes: usize) {
        self.written += bytes;
        // Full: one is under way and another waits already.
        if self.written > EVERY && self.wake.try_send(()).is_ok() {
            self.written = 0;
        }
    }
}

async fn run(options: SqliteConnectOptions, mut woken: mpsc::Receiver<()>) {
    let mut conn = None;
    while woken.recv().await.is_some() {
        if let Err(error) = checkpoint(&options, &mut conn).await {
            // The writer's own limit remains.
            tracing::debug!(%error, "no check point");
            conn = None;
        }
    }
}

async fn checkpoint(
    options: &SqliteConnectOptions,
    conn: &mut Option<SqliteConnection>,
) -> Result<(), StoreError> {
    let conn = match conn {
        Some(conn) => conn,
        None => conn.insert(options.connect().await.map_err(|error| fault("connecting", &error))?),
    };
    On::Sqlite(conn).row(&CHECKPOINT, &[]).await.map(|_| ())
}

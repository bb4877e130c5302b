//! Opening a SQLite database: settings, checks, migrations, the readers' pool.
//!
//! Not here: URLs of other databases (`crate::open`).

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};

use super::checkpoint::Checkpoints;
use super::file::{self, FileLock};
use super::{Memory, SqliteBackend};
use crate::job::StoreError;
use crate::migrate::{self, Status};
use crate::sql::fault::fault;
use crate::sql::reader::{Pool, Reader};
use crate::sql::{On, Text, text};

/// Readers beside the writer; on WAL they never wait for it.
const READERS: u32 = 4;

/// How long a short write beside the writer waits for its turn.
const PATIENCE: Duration = Duration::from_secs(15);

fn options(path: &Path, relaxed: bool) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: what is acknowledged survives a power cut. NORMAL: only a crash of the program.
        .synchronous(if relaxed { SqliteSynchronous::Normal } else { SqliteSynchronous::Full })
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        // Our texts, with room; a text that falls out is compiled again at every use.
        .statement_cache_capacity(200)
        .row_buffer_size(256)
        .pragma("temp_store", "memory")
        // A long reader may make the log grow; it is cut back to 64 MiB afterwards.
        .pragma("journal_size_limit", "67108864")
        .disable_statement_logging()
}

fn writer_options(path: &Path, relaxed: bool) -> SqliteConnectOptions {
    options(path, relaxed)
        // 64 MiB of log; check points are made earlier, beside the writer.
        .pragma("wal_autocheckpoint", "16000")
        .pragma("cache_size", "-32768")
}

pub(crate) async fn open(
    path: &Path,
    relaxed: bool,
    migrate: bool,
) -> Result<(SqliteBackend, Reader), StoreError> {
    let lock = FileLock::take(path)?;
    file::create(path)?;
    let options = writer_options(path, relaxed);
    let mut conn = connect(&options).await?;
    if lock.unclean {
        check(&mut conn).await?;
    }
    if migrate {
        migrate::sqlite(&mut conn).await?;
    }
    migrate::status(On::Sqlite(&mut conn)).await?.check()?;
    close(conn).await;
    let checkpoints = Checkpoints::start(self::options(path, relaxed));
    let mut backend = SqliteBackend {
        options,
        conn: None,
        open: false,
        memory: Memory::default(),
        seen: None,
        checkpoints,
        _lock: Some(lock),
    };
    backend.connect().await?;
    Ok((backend, readers(path, relaxed)))
}

/// Beside a process that holds the lock, for short writes to what the writer does not keep in memory.
pub(crate) async fn open_beside(path: &Path) -> Result<(SqliteBackend, Reader), StoreError> {
    let reader = look(path).await?;
    // The one that serves commits again and again; in between there is room.
    let options = options(path, false).busy_timeout(PATIENCE);
    let checkpoints = Checkpoints::start(self::options(path, false));
    let backend = SqliteBackend {
        options,
        conn: None,
        open: false,
        memory: Memory::default(),
        seen: None,
        checkpoints,
        _lock: None,
    };
    Ok((backend, reader))
}

/// For reading alone: takes no lock, brings no schema up to date, and may run beside a running deskbridge.
pub(crate) async fn look(path: &Path) -> Result<Reader, StoreError> {
    status(path).await?.check()?;
    Ok(readers(path, false))
}

fn readers(path: &Path, relaxed: bool) -> Reader {
    let pool = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(Duration::from_secs(5))
        .connect_lazy_with(options(path, relaxed).read_only(true));
    Reader { pool: Pool::Sqlite(pool) }
}

pub(crate) async fn migrate(path: &Path) -> Result<Status, StoreError> {
    let _lock = FileLock::take(path)?;
    file::create(path)?;
    let mut conn = connect(&writer_options(path, false)).await?;
    migrate::sqlite(&mut conn).await?;
    let status = migrate::status(On::Sqlite(&mut conn)).await?;
    close(conn).await;
    Ok(status)
}

/// Changes nothing, and may run beside a running deskbridge.
pub(crate) async fn status(path: &Path) -> Result<Status, StoreError> {
    if !path.exists() {
        return Err(StoreError::Unavailable(format!("there is no {}", path.display())));
    }
    let mut conn = connect(&options(path, false).read_only(true)).await?;
    let status = migrate::status(On::Sqlite(&mut conn)).await?;
    close(conn).await;
    Ok(status)
}

async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
    let mut conn = options.connect().await.map_err(|error| fault("opening the database", &error))?;
    let row = On::Sqlite(&mut conn).row(&VERSION, &[]).await?;
    let version = row.map(|row| row.text(0)).transpose()?.unwrap_or_default();
    if numbers(&version) < numbers(OLDEST) {
        return Err(StoreError::Unavailable(format!("SQLite {version} is too old; {OLDEST} is needed")));
    }
    Ok(conn)
}

async fn close(conn: SqliteConnection) {
    // Everything that matters is committed.
    let _ = conn.close().await;
}

/// The first one that mends a WAL fault which could corrupt the file (reset while another connection checkpoints).
const OLDEST: &str = "3.51.3";
static VERSION: Text = text!("version", "select sqlite_version()");
static QUICK_CHECK: Text = text!("quick check", "pragma quick_check(1)");

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').filter_map(|part| part.parse().ok()).collect()
}

/// After an unclean end only: it reads the whole file (F10).
async fn check(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let said = match On::Sqlite(conn).row(&QUICK_CHECK, &[]).await? {
        Some(row) => row.text(0)?,
        None => String::new(),
    };
    if said == "ok" {
        return Ok(());
    }
    Err(StoreError::Corrupt(format!("{said}; restore a backup (see docs/operating.md)")))
}

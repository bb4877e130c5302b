//! Opening a PostgreSQL database: settings, migrations, the readers' pool.
//!
//! Not here: URLs of other databases (`crate::open`).

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};

use super::{PostgresBackend, Transaction};
use crate::job::StoreError;
use crate::migrate::{self, Status};
use crate::sql::On;
use crate::sql::fault::fault;
use crate::sql::reader::{Pool, Reader};

const READERS: u32 = 8;

fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(|error| fault("the URL", &error))?;
    Ok(options
        .application_name("deskbridge")
        .statement_cache_capacity(200)
        // Whatever the server's default: what is acknowledged is on its disk.
        .options([("synchronous_commit", "on"), ("default_transaction_isolation", "read committed")])
        .disable_statement_logging())
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    options.connect().await.map_err(|error| fault("connecting", &error))
}

pub(crate) async fn open(url: &str, migrate: bool) -> Result<(PostgresBackend, Reader), StoreError> {
    let options = options(url)?;
    let mut conn = connect(&options).await?;
    if migrate {
        migrate::postgres(&mut conn).await?;
    }
    migrate::status(On::Postgres(&mut conn)).await?.check()?;
    close(conn).await;
    let pool = PgPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(Duration::from_secs(5))
        .connect_lazy_with(options.clone());
    let backend =
        PostgresBackend { options, conn: None, open: false, transaction: Transaction::default(), salt: None };
    Ok((backend, Reader { pool: Pool::Postgres(pool) }))
}

/// On a failure the connection is dropped, and with it sqlx's advisory lock.
pub(crate) async fn migrate(url: &str) -> Result<Status, StoreError> {
    let mut conn = connect(&options(url)?).await?;
    migrate::postgres(&mut conn).await?;
    let status = migrate::status(On::Postgres(&mut conn)).await?;
    close(conn).await;
    Ok(status)
}

/// Changes nothing.
pub(crate) async fn status(url: &str) -> Result<Status, StoreError> {
    let mut conn = connect(&options(url)?).await?;
    let status = migrate::status(On::Postgres(&mut conn)).await?;
    close(conn).await;
    Ok(status)
}

async fn close(conn: PgConnection) {
    // Everything that matters is committed.
    let _ = conn.close().await;
}

//! Where the stores of the suite are: each test has one of its own.
//!
//! Not here: what they must do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use sqlx::{ConnectOptions, Connection, SqlSafeStr};

use super::rig::{Fresh, Opened, Place};
use crate::{Memory, OpenOptions, open};

struct InMemory(Memory);

#[async_trait]
impl Place for InMemory {
    async fn open(&self) -> Opened {
        let Self(memory) = self;
        Opened {
            backend: Box::new(memory.backend()),
            read: Arc::new(memory.clone()),
            export: Arc::new(memory.clone()),
        }
    }
}

pub(super) fn memory() -> Fresh {
    Box::new(InMemory(Memory::new()))
}

/// Gone with the last handle.
struct InFile(tempfile::TempDir);

#[async_trait]
impl Place for InFile {
    async fn open(&self) -> Opened {
        open_url(&format!("sqlite:{}", self.0.path().join("bridge.db").display())).await
    }

    fn folder(&self) -> Option<&std::path::Path> {
        Some(self.0.path())
    }
}

pub(super) fn sqlite() -> Fresh {
    Box::new(InFile(tempfile::tempdir().unwrap()))
}

async fn open_url(url: &str) -> Opened {
    // What a power cut costs is not what the suite is about, and a flush costs more than all the rest.
    let opened = open(url, OpenOptions { relaxed: true, migrate: true }).await.unwrap();
    Opened { backend: opened.backend, read: opened.read, export: opened.export }
}

/// A database of its own on the server, dropped with it.
struct OnServer {
    server: String,
    name: String,
}

#[async_trait]
impl Place for OnServer {
    async fn open(&self) -> Opened {
        let mut url = url::Url::parse(&self.server).unwrap();
        url.set_path(&self.name);
        open_url(url.as_str()).await
    }

    async fn raw(&self) -> Option<sqlx::postgres::PgConnection> {
        let options: sqlx::postgres::PgConnectOptions = self.server.parse().unwrap();
        Some(options.database(&self.name).connect().await.unwrap())
    }
}

impl Drop for OnServer {
    fn drop(&mut self) {
        let (server, text) =
            (self.server.clone(), format!("drop database if exists {} with (force)", self.name));
        // A runtime of its own: this may run inside one. A database that stays costs a little disk, and no test.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(tell(&server, text)).unwrap();
        });
        let _ = dropping.join();
    }
}

async fn tell(server: &str, text: String) -> Result<(), sqlx::Error> {
    let mut conn = server.parse::<sqlx::postgres::PgConnectOptions>()?.connect().await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(text).into_sql_str()).execute(&mut conn).await?;
    conn.close().await
}

/// `None` where there is no PostgreSQL: the test does nothing.
pub(super) async fn postgres() -> Option<Fresh> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Ok(server) = std::env::var("DESKBRIDGE_TEST_PG") else {
        eprintln!("skipped: needs PostgreSQL (DESKBRIDGE_TEST_PG is not set)");
        return None;
    };
    let name = format!("store_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    tell(&server, format!("create database {name}")).await.unwrap();
    Some(Box::new(OnServer { server, name }))
}

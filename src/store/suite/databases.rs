//! The suite's databases: a file each, and a PostgreSQL database each where there is a server.
//!
//! Not here: what they must do.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use tempfile::TempDir;

use super::rig::{Fresh, Opened, Place};
use crate::open::{OpenOptions, open};

struct InFile(TempDir);

#[async_trait]
impl Place for InFile {
    async fn open(&self) -> Opened {
        opened(&format!("sqlite:{}", self.0.path().join("bridge.db").display())).await
    }
}

async fn opened(url: &str) -> Opened {
    // Durability is not what the suite is about, and a flush costs more than all the rest.
    let opened = open(url, OpenOptions { relaxed: true, migrate: true }).await.unwrap();
    Opened { backend: opened.backend, read: opened.read, export: opened.export }
}

pub(crate) fn sqlite() -> Fresh {
    Box::new(InFile(tempfile::tempdir().unwrap()))
}

/// A database of its own, gone when the test ends.
pub(crate) struct Database {
    server: PgConnectOptions,
    name: String,
    pub(crate) url: String,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Database {
    /// `None`, and said so, where there is no server.
    pub(crate) async fn create() -> Option<Database> {
        let Ok(server_url) = std::env::var("DESKBRIDGE_TEST_PG") else {
            #[allow(clippy::print_stdout, reason = "xtask counts these lines")]
            {
                println!("skipped: needs DESKBRIDGE_TEST_PG");
            }
            return None;
        };
        let server: PgConnectOptions = server_url.parse().unwrap();
        let name =
            format!("deskbridge_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut conn = server.connect().await.unwrap();
        run(&mut conn, format!("create database {name}")).await;
        conn.close().await.unwrap();
        let url = server.clone().database(&name).to_url_lossy().to_string();
        Some(Database { server, name, url })
    }
}

async fn run(conn: &mut PgConnection, text: String) {
    conn.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.unwrap();
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // Dropping is not async, and the test's runtime may be ending.
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut conn = server.connect().await.unwrap();
                run(&mut conn, format!("drop database if exists {name} with (force)")).await;
            });
        });
        // A panic here would hide the test's own.
        let _ = cleaning.join();
    }
}

#[async_trait]
impl Place for Database {
    async fn open(&self) -> Opened {
        opened(&self.url).await
    }
}

pub(crate) async fn postgres() -> Option<Fresh> {
    Database::create().await.map(|database| Box::new(database) as Fresh)
}

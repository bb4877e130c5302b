//! PostgreSQL: every table against the memory store, several nodes, lost connections.

use std::sync::atomic::{AtomicU32, Ordering};

use deskbridge_conversation::ConversationId;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};

use super::everything::{conversation, row};
use super::file::{compare, failures_leave_nothing, look, nul_is_replaced};
use super::*;
use crate::job::StoreError;
use crate::rows::SessionRow;

/// A database of its own, gone with it.
struct Database {
    server: PgConnectOptions,
    name: String,
}

async fn run(conn: &mut PgConnection, text: String) {
    conn.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.unwrap();
}

impl Database {
    async fn create() -> Option<Database> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var("DESKBRIDGE_TEST_PG") else {
            eprintln!("skipped: needs PostgreSQL (DESKBRIDGE_TEST_PG is not set)");
            return None;
        };
        let server: PgConnectOptions = server.parse().unwrap();
        let name = format!("open_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        run(&mut server.connect().await.unwrap(), format!("create database {name}")).await;
        Some(Database { server, name })
    }

    fn url(&self) -> String {
        self.server.clone().database(&self.name).to_url_lossy().to_string()
    }

    async fn open(&self) -> Opened {
        open(&self.url(), OpenOptions::default()).await.unwrap()
    }

    async fn tell(&self, text: String) {
        run(&mut self.server.clone().database(&self.name).connect().await.unwrap(), text).await;
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, text) =
            (self.server.clone(), format!("drop database if exists {} with (force)", self.name));
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { run(&mut server.connect().await.unwrap(), text).await });
        });
        let _ = dropping.join();
    }
}

/// Opens a conversation as the writer would.
fn opening(number: i64) -> Changes {
    let mut state = conversation(number);
    state.seq = 1;
    Changes {
        causes: vec![(format!("in:sim:{number}"), number, Default::default())],
        sessions: vec![SessionRow {
            conversation: state.id,
            session: deskbridge_conversation::SessionId(0),
            requester: true,
            address: ADDRESS.into(),
        }],
        conversations: vec![row(&state)],
        loaded_seqs: vec![0],
        ..Changes::default()
    }
}

const ADDRESS: &str = "sim\u{1f}1";

fn at_address() -> Keys {
    Keys { addresses: vec![ADDRESS.into()], ..Keys::default() }
}

#[tokio::test]
async fn pg_every_table_comes_back() {
    let Some(database) = Database::create().await else { return };
    let mut opened = compare(database.open().await).await;
    look(&mut opened).await;
    drop(opened);
    look(&mut database.open().await).await;
}

#[tokio::test]
async fn pg_a_failed_commit_leaves_nothing() {
    let Some(database) = Database::create().await else { return };
    failures_leave_nothing(database.open().await).await;
}

#[tokio::test]
async fn pg_nul_is_replaced_in_texts() {
    let Some(database) = Database::create().await else { return };
    nul_is_replaced(database.open().await).await;
}

#[tokio::test]
async fn pg_migrations_are_applied_once() {
    let Some(database) = Database::create().await else { return };
    assert_eq!(status(&database.url()).await.unwrap().pending.first(), Some(&1));
    let url = database.url();
    // Several nodes start at once.
    let (a, b, c) = tokio::join!(migrate(&url), migrate(&url), migrate(&url));
    let done = a.unwrap();
    assert!(done.applied.contains(&1) && done.pending.is_empty());
    assert_eq!((b.unwrap(), c.unwrap()), (done.clone(), done));
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                 values (9999, 'x', true, '\\x00', 0)";
    database.tell(newer.into()).await;
    let refused = open(&url, OpenOptions::default()).await.map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("newer deskbridge (migration 9999"), "{refused}");
    assert!(!refused.to_string().contains("password"), "{refused}");
}

#[tokio::test]
async fn pg_two_nodes_open_one_conversation() {
    let Some(database) = Database::create().await else { return };
    let (mut a, mut b) = (database.open().await, database.open().await);
    assert!(a.backend.load(&at_address()).await.unwrap().addresses.is_empty());
    let other = tokio::spawn(async move {
        let loaded = b.backend.load(&at_address()).await;
        b.backend.rollback().await;
        loaded
    });
    a.backend.commit(&opening(1)).await.unwrap();
    // It has waited for the first one, whether it asked before or after the commit.
    let loaded = other.await.unwrap().unwrap();
    assert_eq!(loaded.addresses[ADDRESS], ConversationId(1));
    assert_eq!(loaded.conversations[&ConversationId(1)].seq, 1);
    assert_eq!(loaded.last_conversation, 1);
}

#[tokio::test]
async fn pg_a_number_is_given_out_once() {
    let Some(database) = Database::create().await else { return };
    let (mut a, mut b) = (database.open().await, database.open().await);
    a.backend.load(&Keys::default()).await.unwrap();
    b.backend.load(&Keys::default()).await.unwrap();
    a.backend.commit(&opening(1)).await.unwrap();
    let mut late = opening(1);
    late.causes[0].0 = "in:sim:other".into();
    late.sessions.clear();
    assert!(matches!(b.backend.commit(&late).await, Err(StoreError::Conflict(_))));
    assert_eq!(b.backend.load(&Keys::default()).await.unwrap().last_conversation, 1);
}

#[tokio::test]
async fn pg_a_conversation_that_moved_is_a_conflict() {
    let Some(database) = Database::create().await else { return };
    let mut a = database.open().await;
    store(a.backend.as_mut(), &opening(1)).await;
    let mut state = conversation(1);
    state.seq = 6;
    // Loaded at 5; stored is 1.
    let moved = Changes { conversations: vec![row(&state)], loaded_seqs: vec![5], ..Changes::default() };
    a.backend.load(&Keys { conversations: vec![ConversationId(1)], ..Keys::default() }).await.unwrap();
    assert!(matches!(a.backend.commit(&moved).await, Err(StoreError::Conflict(_))));
}

#[tokio::test]
async fn pg_a_lost_connection_comes_back() {
    let Some(database) = Database::create().await else { return };
    let mut opened = database.open().await;
    store(opened.backend.as_mut(), &opening(1)).await;
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and pid <> pg_backend_pid()";
    opened.backend.load(&at_address()).await.unwrap();
    database.tell(cut.into()).await;
    let mut more = opening(2);
    more.sessions.clear();
    let lost = opened.backend.commit(&more).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    database.tell(cut.into()).await;
    let loaded = opened.backend.load(&at_address()).await.unwrap();
    assert_eq!(loaded.last_conversation, 1);
    opened.backend.commit(&more).await.unwrap();
    // Between two batches nobody need notice.
    database.tell(cut.into()).await;
    assert_eq!(opened.backend.load(&at_address()).await.unwrap().last_conversation, 2);
    opened.backend.rollback().await;
    assert!(opened.read.conversation(ConversationId(2)).await.unwrap().is_some());
}

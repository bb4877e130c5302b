//! A test that no statement reads a whole table: SQLite says beforehand how it will find the rows.
//!
//! Not here: PostgreSQL's plans, which depend on what is in the tables.

use sqlx::{AssertSqlSafe, ConnectOptions, Row as _};

use super::{
    dump, find, lists, lookups, staff, write_admin, write_delivery, write_erasure, write_talk, write_tickets,
};
use crate::open::{OpenOptions, open};

/// Small by nature, or asked for as a whole.
const WHOLE: &[&str] = &[
    "technicians: list",
    "technicians: look up",
    "tokens: list",
    "accounts: list",
    "counters: look up",
    "counters: lock",
    "counts",
    // Once in a long while.
    "messages: of somebody in others' conversations",
    "kept: forget",
    "salts: look up",
    "salts: of fingerprints",
];

#[tokio::test]
async fn no_statement_reads_a_whole_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bridge.db");
    drop(open(path.to_str().unwrap(), OpenOptions::default()).await.unwrap());
    let mut conn = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    let texts = [
        lists::TEXTS,
        find::TEXTS,
        lookups::TEXTS,
        dump::TEXTS,
        staff::TEXTS,
        write_admin::TEXTS,
        write_delivery::TEXTS,
        write_erasure::TEXTS,
        write_talk::TEXTS,
        write_tickets::TEXTS,
        crate::sqlite::index::TEXTS,
    ];
    let mut faults = Vec::new();
    for text in texts.concat() {
        let explain = AssertSqlSafe(format!("explain query plan {}", text.sqlite));
        let plan = sqlx::query(explain).bind("[]").fetch_all(&mut conn).await.unwrap();
        let steps: Vec<String> = plan.iter().map(|row| row.get(3)).collect();
        // Walked in the wanted order, and only as far as the limit.
        let limited =
            text.sqlite.contains("limit") && !steps.iter().any(|step| step.contains("USE TEMP B-TREE"));
        for step in steps {
            let given = ["SCAN rows", "SCAN q", "SCAN CONSTANT ROW"].contains(&step.as_str());
            let whole = step.starts_with("SCAN ") && !given && !step.contains("VIRTUAL TABLE") && !limited;
            if (whole && !WHOLE.contains(&text.name)) || step.contains("AUTOMATIC") {
                faults.push(format!("{}: {step}", text.name));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

//! The schema's steps, built into the program: forward only, the same numbers for both databases.
//!
//! Not here: the steps themselves (`migrations/`).

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;

use crate::job::StoreError;
use crate::sql::fault::fault;
use crate::sql::{On, Text};

/// Number, name, the text for SQLite, the text for PostgreSQL.
const STEPS: &[(i64, &str, &str, &str)] = &[
    (
        1,
        "start",
        include_str!("../../migrations/sqlite/0001_start.sql"),
        include_str!("../../migrations/postgres/0001_start.sql"),
    ),
    (
        2,
        "console",
        include_str!("../../migrations/sqlite/0002_console.sql"),
        include_str!("../../migrations/postgres/0002_console.sql"),
    ),
    (
        3,
        "found",
        include_str!("../../migrations/sqlite/0003_found.sql"),
        include_str!("../../migrations/postgres/0003_found.sql"),
    ),
    (
        4,
        "joints",
        include_str!("../../migrations/sqlite/0004_joints.sql"),
        include_str!("../../migrations/postgres/0004_joints.sql"),
    ),
    (
        5,
        "erasure",
        include_str!("../../migrations/sqlite/0005_erasure.sql"),
        include_str!("../../migrations/postgres/0005_erasure.sql"),
    ),
    (
        6,
        "fingerprints",
        include_str!("../../migrations/sqlite/0006_fingerprints.sql"),
        include_str!("../../migrations/postgres/0006_fingerprints.sql"),
    ),
    (
        7,
        "parts",
        include_str!("../../migrations/sqlite/0007_parts.sql"),
        include_str!("../../migrations/postgres/0007_parts.sql"),
    ),
];

/// How a database's schema relates to this program's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    pub applied: Vec<i64>,
    pub pending: Vec<i64>,
    /// Applied by a newer deskbridge; this one does not open such a database.
    pub newer: Vec<i64>,
}

impl Status {
    fn of(stored: Vec<i64>) -> Status {
        let known = |number: &i64| STEPS.iter().any(|step| step.0 == *number);
        let pending = STEPS.iter().map(|step| step.0).filter(|number| !stored.contains(number)).collect();
        let (applied, newer) = stored.into_iter().partition(known);
        Status { applied, pending, newer }
    }

    /// Refuses what this program cannot work on.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if let Some(newest) = self.newer.last() {
            return Err(newer(*newest));
        }
        if let Some(first) = self.pending.first() {
            return Err(StoreError::Unavailable(format!(
                "the database lacks migration {first} and later; run `deskbridge migrate`"
            )));
        }
        Ok(())
    }
}

fn newer(number: i64) -> StoreError {
    let known = STEPS.last().map_or(0, |step| step.0);
    StoreError::Unavailable(format!(
        "the database was changed by a newer deskbridge (migration {number}; this one knows up to {known}): \
         start the newer one, or restore a backup from before the update"
    ))
}

fn migrator(text: impl Fn(&(i64, &str, &'static str, &'static str)) -> &'static str) -> Migrator {
    let steps = STEPS.iter().map(|step| {
        let name = Cow::Borrowed(step.1);
        Migration::new(step.0, name, MigrationType::Simple, text(step).into_sql_str(), false)
    });
    Migrator::with_migrations(steps.collect())
}

async fn run<C: Migrate>(migrator: &Migrator, conn: &mut C) -> Result<(), StoreError> {
    migrator.run_direct(None, conn, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(number) => newer(number),
        MigrateError::Execute(error) => fault("migrating", &error),
        MigrateError::ExecuteMigration(error, number) => match fault("migrating", &error) {
            StoreError::Corrupt(said) => StoreError::Corrupt(format!("migration {number}: {said}")),
            other => other,
        },
        other => StoreError::Corrupt(other.to_string()),
    })
}

/// Harmless when there is nothing to do; safe while others do the same (sqlx takes an advisory lock on PostgreSQL, the
/// caller holds the file's lock on SQLite).
pub(crate) async fn sqlite(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    run(&migrator(|step| step.2), conn).await
}

pub(crate) async fn postgres(conn: &mut PgConnection) -> Result<(), StoreError> {
    run(&migrator(|step| step.3), conn).await
}

static EXISTS: Text = Text {
    name: "migrations: look",
    sqlite: "select count(*) from sqlite_master where name = '_sqlx_migrations'",
    postgres: "select count(*) from pg_class where oid = to_regclass('_sqlx_migrations')",
};
static APPLIED: Text = Text {
    name: "migrations: list",
    sqlite: "select version from _sqlx_migrations where success order by version",
    postgres: "select version from _sqlx_migrations where success order by version",
};

/// Changes nothing.
pub(crate) async fn status(mut on: On<'_>) -> Result<Status, StoreError> {
    let mut stored = Vec::new();
    if on.row(&EXISTS, &[]).await?.is_some_and(|row| row.int(0).is_ok_and(|count| count > 0)) {
        for row in on.rows(&APPLIED, &[]).await? {
            stored.push(row.int(0)?);
        }
    }
    Ok(Status::of(stored))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sqlx::migrate!` would find files by itself but needs its macros; so a test finds what was forgotten.
    #[test]
    fn every_file_is_a_step() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
        for kind in ["sqlite", "postgres"] {
            let mut names: Vec<String> = std::fs::read_dir(folder.join(kind))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            let expected: Vec<String> =
                STEPS.iter().map(|step| format!("{:04}_{}.sql", step.0, step.1)).collect();
            assert_eq!(names, expected, "{kind}");
        }
    }
}

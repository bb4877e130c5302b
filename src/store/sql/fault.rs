//! The class of every database error: what the caller does next.
//!
//! Not here: retrying (the writer). Messages name the statement and the database's own words, never arguments.

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

use crate::job::StoreError;

/// `during`: the statement's name.
pub(crate) fn fault(during: &str, error: &sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(inner) => match inner.try_downcast_ref::<PgDatabaseError>() {
            Some(postgres) => of_postgres(during, postgres),
            None => of_sqlite(during, inner.as_ref()),
        },
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => StoreError::Unavailable(format!("{during}: {error}")),
        // The other side hung up in the middle of a message: sqlx calls that a protocol error.
        sqlx::Error::Protocol(_) => StoreError::Unavailable(format!("{during}: {error}")),
        sqlx::Error::Configuration(_) => {
            StoreError::Unavailable(format!("{during}: the URL is not understood"))
        }
        _ => StoreError::Corrupt(format!("{during}: {error}")),
    }
}

/// <https://www.sqlite.org/rescode.html>; the low byte is the primary code.
fn of_sqlite(during: &str, error: &dyn DatabaseError) -> StoreError {
    let code = error.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or(1);
    let said = format!("{during}: {}", error.message());
    match code & 0xff {
        // constraint
        19 => StoreError::Conflict(said),
        // corrupt, format, not a database
        11 | 24 | 26 => StoreError::Corrupt(said),
        // perm, busy, locked, out of memory, read-only, interrupted, input/output, full, cannot open, protocol, auth
        3 | 5 | 6 | 7 | 8 | 9 | 10 | 13 | 14 | 15 | 23 => StoreError::Unavailable(said),
        _ => StoreError::Corrupt(said),
    }
}

/// <https://www.postgresql.org/docs/15/errcodes-appendix.html>
fn of_postgres(during: &str, error: &PgDatabaseError) -> StoreError {
    let said = format!("{during}: {}", error.message());
    match error.code() {
        "23505" => StoreError::Conflict(said),
        code => match &code[..2] {
            // rolled back: serialization failure, deadlock
            "40" => StoreError::Conflict(said),
            // connection, authorization, no such database, resources (disk full, too many connections), object in use,
            // operator intervention (shutdown, cancelled), system error, read-only transaction
            "08" | "28" | "3D" | "53" | "55" | "57" | "58" | "25" => StoreError::Unavailable(said),
            _ => StoreError::Corrupt(said),
        },
    }
}

/// A URL without its password and parameters (which may hold one too), for messages.
pub(crate) fn redact(url: &str) -> String {
    let url = url.split('?').next().unwrap_or("");
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // The last `@`: a password may hold others.
    match rest.rsplit_once('@') {
        Some((who, place)) => format!("{scheme}://{}@{place}", who.split(':').next().unwrap_or("")),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(redact("postgres://ana:s3cret@db/bridge"), "postgres://ana@db/bridge");
        assert_eq!(redact("postgres://ana:s@cr/et@db/bridge?password=x"), "postgres://ana@db/bridge");
        assert_eq!(redact("postgres://db/bridge?user=a&password=x"), "postgres://db/bridge");
        assert_eq!(redact("sqlite:bridge.db"), "sqlite:bridge.db");
    }
}

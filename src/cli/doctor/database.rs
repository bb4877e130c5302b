//! The database: is it there, does it fit this program, can it be written?
//!
//! Not here: SQL. Nothing is changed, and deskbridge may be serving from it meanwhile.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use deskbridge_store::StoreError;

use crate::config::{Config, Database};
use crate::kits::Check;

pub async fn checks(config: &Config) -> Vec<Check> {
    let shown = config.store.url.shown();
    if let Database::Sqlite(path) = &config.store.url
        && !path.exists()
    {
        let mut checks =
            vec![Check::skip("db.open", format!("there is no {} yet; serve makes it", path.display()))];
        checks.push(writable(path));
        return checks;
    }
    let mut checks = Vec::new();
    match deskbridge_store::open::status(&config.store.url.url()).await {
        Err(error) => {
            let (why, fix) = reason(&error);
            return vec![Check::fail("db.open", error.to_string(), why, fix)];
        }
        Ok(status) => {
            checks.push(Check::pass("db.open", shown));
            checks.push(if let Some(newest) = status.newer.last() {
                let what = format!("migration {newest} is of a newer deskbridge");
                Check::fail(
                    "db.migrations",
                    what,
                    "this program does not know what it means",
                    "start the newer deskbridge, or restore a backup",
                )
            } else if status.pending.is_empty() {
                Check::pass("db.migrations", format!("{} applied, none pending", status.applied.len()))
            } else {
                let what = format!("{} pending", status.pending.len());
                Check::warn(
                    "db.migrations",
                    what,
                    "serve applies them when it starts, unless --no-migrate",
                    "deskbridge migrate up",
                )
            });
        }
    }
    if let Database::Sqlite(path) = &config.store.url {
        checks.push(journal(path));
        checks.push(writable(path));
    }
    checks
}

fn reason(error: &StoreError) -> (&'static str, &'static str) {
    match error {
        StoreError::Corrupt(_) => {
            ("what is stored cannot be read", "restore a backup, see docs/operating.md")
        }
        StoreError::Unavailable(_) | StoreError::Conflict(_) => (
            "nothing can be received while the database is away",
            "check store.url, and that the file or server is there",
        ),
    }
}

/// Bytes 18 and 19 of a SQLite file are 2 in WAL mode (SQLite's file format, "The Database Header").
fn journal(path: &Path) -> Check {
    let mut header = [0; 20];
    match File::open(path).and_then(|mut file| file.read_exact(&mut header)) {
        Ok(()) if header[18..] == [2, 2] => Check::pass("db.wal", "write-ahead log, readers do not wait"),
        Ok(()) => Check::warn(
            "db.wal",
            "not in WAL mode",
            "readers and the writer wait for each other; serve sets it when it starts",
            "deskbridge migrate up",
        ),
        Err(error) => {
            Check::fail("db.wal", error.to_string(), "the file cannot be read", "check its owner and mode")
        }
    }
}

fn writable(path: &Path) -> Check {
    let mut folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A folder that is not there yet is made in the nearest one that is.
    while !folder.exists() {
        match folder.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(above) => folder = above,
            None => folder = Path::new("."),
        }
    }
    let shown = folder.display();
    match tempfile::tempfile_in(folder) {
        Ok(_) => Check::pass("db.writable", format!("{shown} can be written")),
        Err(error) => Check::fail(
            "db.writable",
            format!("{shown}: {error}"),
            "SQLite writes its log beside the database",
            format!("make {shown} writable for the user that runs deskbridge"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kits::Outcome;

    fn config(path: &Path) -> Config {
        let url = format!("sqlite:{}", path.display());
        Config::load(None, [("DESKBRIDGE__STORE__URL".to_owned(), url)].into_iter()).unwrap()
    }

    fn outcome(checks: &[Check], id: &str) -> Option<Outcome> {
        checks.iter().find(|check| check.id == id).map(|check| check.outcome)
    }

    #[tokio::test]
    async fn from_nothing_to_sound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/desk.db");
        let config = config(&path);
        let before = checks(&config).await;
        assert_eq!(outcome(&before, "db.open"), Some(Outcome::Skip));
        assert_eq!(outcome(&before, "db.writable"), Some(Outcome::Pass));
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        deskbridge_store::open::migrate(&config.store.url.url()).await.unwrap();
        let after = checks(&config).await;
        assert!(after.iter().all(|check| check.outcome == Outcome::Pass), "{after:?}");
        assert_eq!(after.len(), 4);
    }

    #[tokio::test]
    async fn rubbish_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.db");
        std::fs::write(&path, "this is not a database, whatever its name says").unwrap();
        assert_eq!(outcome(&checks(&config(&path)).await, "db.open"), Some(Outcome::Fail));
    }
}

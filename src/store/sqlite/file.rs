//! The database file: its name in a URL, its mode, and the lock that keeps a second process out (F31).
//!
//! Not here: what is in it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::job::StoreError;

/// `sqlite:path`, `sqlite://path` or a path that ends in `.db`.
pub(crate) fn path_of(url: &str) -> Option<PathBuf> {
    let path = match url.strip_prefix("sqlite:") {
        Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
        None if url.ends_with(".db") && !url.contains("://") => url,
        None => return None,
    };
    let path = path.split('?').next().unwrap_or("");
    // In memory would mean: gone with the connection. The memory backend is for that.
    (!path.is_empty() && path != ":memory:").then(|| PathBuf::from(path))
}

/// Held as long as the database is open for writing.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
    /// The process before us did not end in order.
    pub unclean: bool,
}

const OPEN: &str = "open\n";
const CLOSED: &str = "closed\n";

impl FileLock {
    /// The lock is on a file beside the database: locks on the database itself belong to SQLite.
    pub(crate) fn take(database: &Path) -> Result<FileLock, StoreError> {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        let unavailable =
            |fault: std::io::Error| StoreError::Unavailable(format!("{}: {fault}", path.display()));
        let mut file = private().create(true).truncate(false).open(&path).map_err(unavailable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Unavailable(format!(
                    "{} is in use by another deskbridge; stop it first, or give this one a database of its own",
                    database.display()
                )));
            }
            Err(TryLockError::Error(fault)) => return Err(unavailable(fault)),
        }
        let mut before = String::new();
        file.read_to_string(&mut before).map_err(unavailable)?;
        let mut lock = FileLock { file, unclean: before == OPEN };
        lock.note(OPEN).map_err(unavailable)?;
        Ok(lock)
    }

    fn note(&mut self, state: &str) -> std::io::Result<()> {
        self.file.rewind()?;
        self.file.set_len(0)?;
        self.file.write_all(state.as_bytes())
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Failing to say "closed" only makes the next start check more.
        let _ = self.note(CLOSED);
    }
}

/// Creates the database file if need be; it and its journal are for their owner only.
pub(crate) fn create(database: &Path) -> Result<(), StoreError> {
    let unavailable =
        |fault: std::io::Error| StoreError::Unavailable(format!("{}: {fault}", database.display()));
    let file = private().create(true).truncate(false).open(database).map_err(unavailable)?;
    restrict(&file).map_err(unavailable)
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options
}

/// A file that was copied here may be open to others.
#[cfg(unix)]
fn restrict(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 == 0 { Ok(()) } else { file.set_permissions(std::fs::Permissions::from_mode(0o600)) }
}

#[cfg(not(unix))]
fn restrict(_: &File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_files() {
        assert_eq!(path_of("sqlite:a/b.db"), Some("a/b.db".into()));
        assert_eq!(path_of("sqlite:///srv/b?mode=rwc"), Some("/srv/b".into()));
        assert_eq!(path_of("bridge.db"), Some("bridge.db".into()));
        assert_eq!(path_of("sqlite::memory:"), None);
        assert_eq!(path_of("postgres://db/x.db"), None);
        assert_eq!(path_of("sqlite:"), None);
    }

    #[test]
    fn one_at_a_time_and_unclean_ends_show() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("bridge.db");
        let lock = FileLock::take(&database).unwrap();
        assert!(!lock.unclean);
        let second = FileLock::take(&database).unwrap_err();
        assert!(second.to_string().contains("in use by another deskbridge"), "{second}");
        drop(lock);
        let lock = FileLock::take(&database).unwrap();
        assert!(!lock.unclean);
        std::mem::forget(lock.file.try_clone().unwrap());
        drop(lock);
        std::fs::write(folder.path().join("other.db.lock"), OPEN).unwrap();
        assert!(FileLock::take(&folder.path().join("other.db")).unwrap().unclean);
    }
}

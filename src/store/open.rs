//! Opens a store by its URL.
//!
//! Not here: the configuration (`config.rs` of the program), the memory store.

use std::sync::Arc;

use crate::backend::Backend;
use crate::export::Export;
use crate::job::StoreError;
use crate::migrate::Status;
use crate::read::Read;
use crate::sql::fault::redact;
use crate::{postgres, sqlite};

#[derive(Clone, Copy, Debug)]
pub struct OpenOptions {
    /// SQLite: `synchronous=NORMAL`. A power cut may cost the last moments; a crash of the program costs nothing.
    pub relaxed: bool,
    /// Bring the schema up to date first; else a database that lacks a migration is refused.
    pub migrate: bool,
}

impl Default for OpenOptions {
    fn default() -> Self {
        OpenOptions { relaxed: false, migrate: true }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

pub struct Opened {
    /// For the writer alone.
    pub backend: Box<dyn Backend>,
    pub read: Arc<dyn Read>,
    pub export: Arc<dyn Export>,
    pub kind: Kind,
}

/// `sqlite:path`, `sqlite://path`, a path ending in `.db`, or `postgres://…`. Errors show no password.
pub async fn open(url: &str, options: OpenOptions) -> Result<Opened, StoreError> {
    match place(url)? {
        Place::File(path) => {
            let (backend, reader) = sqlite::open::open(&path, options.relaxed, options.migrate)
                .await
                .map_err(|fault| at(url, fault))?;
            let reader = Arc::new(reader);
            Ok(Opened {
                backend: Box::new(backend),
                read: reader.clone(),
                export: reader,
                kind: Kind::Sqlite,
            })
        }
        Place::Server => {
            let (backend, reader) =
                postgres::open::open(url, options.migrate).await.map_err(|fault| at(url, fault))?;
            let reader = Arc::new(reader);
            Ok(Opened {
                backend: Box::new(backend),
                read: reader.clone(),
                export: reader,
                kind: Kind::Postgres,
            })
        }
    }
}

/// For short writes of what no conversation steps for, also while another deskbridge serves from the database: no lock is
/// taken and no schema changed.
pub async fn open_beside(url: &str) -> Result<Opened, StoreError> {
    match place(url)? {
        Place::File(path) => {
            let (backend, reader) = sqlite::open::open_beside(&path).await.map_err(|fault| at(url, fault))?;
            let reader = Arc::new(reader);
            Ok(Opened {
                backend: Box::new(backend),
                read: reader.clone(),
                export: reader,
                kind: Kind::Sqlite,
            })
        }
        // Several processes are at home there.
        Place::Server => open(url, OpenOptions { migrate: false, ..OpenOptions::default() }).await,
    }
}

/// For reading alone: no lock, no change, also while another deskbridge serves from the database.
pub async fn look(url: &str) -> Result<(Arc<dyn Read>, Arc<dyn Export>), StoreError> {
    match place(url)? {
        Place::File(path) => {
            let reader = Arc::new(sqlite::open::look(&path).await.map_err(|fault| at(url, fault))?);
            Ok((reader.clone(), reader))
        }
        Place::Server => open_beside(url).await.map(|opened| (opened.read, opened.export)),
    }
}

/// Brings the schema up to date; harmless when it is.
pub async fn migrate(url: &str) -> Result<Status, StoreError> {
    let status = match place(url)? {
        Place::File(path) => sqlite::open::migrate(&path).await,
        Place::Server => postgres::open::migrate(url).await,
    };
    status.map_err(|fault| at(url, fault))
}

/// What is applied and what is pending; changes nothing.
pub async fn status(url: &str) -> Result<Status, StoreError> {
    let status = match place(url)? {
        Place::File(path) => sqlite::open::status(&path).await,
        Place::Server => postgres::open::status(url).await,
    };
    status.map_err(|fault| at(url, fault))
}

enum Place {
    File(std::path::PathBuf),
    Server,
}

fn place(url: &str) -> Result<Place, StoreError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Place::Server);
    }
    match sqlite::file::path_of(url) {
        Some(path) => Ok(Place::File(path)),
        None => Err(StoreError::Unavailable(format!(
            "{}: expected sqlite:PATH, a path ending in .db, or postgres://USER@HOST/DATABASE",
            redact(url)
        ))),
    }
}

fn at(url: &str, fault: StoreError) -> StoreError {
    let url = redact(url);
    match fault {
        StoreError::Conflict(said) => StoreError::Conflict(format!("{url}: {said}")),
        StoreError::Unavailable(said) => StoreError::Unavailable(format!("{url}: {said}")),
        StoreError::Corrupt(said) => StoreError::Corrupt(format!("{url}: {said}")),
    }
}

#[cfg(test)]
mod tests;

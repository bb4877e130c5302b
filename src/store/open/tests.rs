//! What is asked of a database and not of every store: schema steps, locks, damage, other nodes.
//!
//! Not here: what a store does with jobs (`suite`).

mod everything;
mod file;
mod server;

use std::sync::Arc;

use crate::backend::{Backend, Changes, Keys};
use crate::export::Export;

use super::{OpenOptions, Opened, migrate, open, open_beside, status};

async fn exported(export: &Arc<dyn Export>) -> String {
    let mut out = Vec::new();
    export.export(&mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

async fn store(backend: &mut dyn Backend, changes: &Changes) {
    backend.load(&Keys::default()).await.unwrap();
    backend.commit(changes).await.unwrap();
}

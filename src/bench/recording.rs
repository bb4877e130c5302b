//! A database that also keeps in memory what it was told to write, so that the same rows can be written once more.
//!
//! Not here: measuring.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use deskbridge_store::{Backend, Changes, Keys, Loaded, StoreError};

pub(super) struct Recording {
    inner: Box<dyn Backend>,
    batches: Batches,
}

#[derive(Clone, Default)]
pub(super) struct Batches(Arc<Mutex<Vec<Changes>>>);

impl Batches {
    pub(super) fn take(&self) -> Vec<Changes> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Recording {
    pub(super) fn of(inner: Box<dyn Backend>) -> (Box<dyn Backend>, Batches) {
        let batches = Batches::default();
        (Box::new(Recording { inner, batches: batches.clone() }), batches)
    }
}

#[async_trait]
impl Backend for Recording {
    async fn load(&mut self, keys: &Keys) -> Result<Loaded, StoreError> {
        self.inner.load(keys).await
    }

    async fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.inner.commit(changes).await?;
        self.batches.0.lock().unwrap_or_else(PoisonError::into_inner).push(changes.clone());
        Ok(())
    }

    async fn rollback(&mut self) {
        self.inner.rollback().await;
    }

    async fn index_search(&mut self, limit: u32) -> Result<u32, StoreError> {
        self.inner.index_search(limit).await
    }
}

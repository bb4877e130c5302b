//! A backend that fails as it is told.
//!
//! Not here: expectations.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

use async_trait::async_trait;

use crate::*;

#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The database is away: neither loads nor commits.
    pub(super) away: AtomicBool,
    /// Commits fail as if the disk were full.
    pub(super) full: AtomicBool,
    /// So many commits conflict.
    pub(super) conflicts: AtomicU32,
    /// Commits that went through.
    pub(super) commits: AtomicU32,
    pub(super) tries: AtomicU32,
}

pub(super) struct Faulty {
    inner: Box<dyn Backend>,
    plan: Arc<Plan>,
}

impl Plan {
    pub(super) fn wrap(self: &Arc<Self>, inner: Box<dyn Backend>) -> Box<dyn Backend> {
        Box::new(Faulty { inner, plan: self.clone() })
    }
}

impl Faulty {
    fn fault(&self, changes: &Changes) -> Option<StoreError> {
        let has = |what: &str| changes.causes.iter().any(|(key, _, _)| key.contains(what));
        if self.plan.full.load(SeqCst) {
            return Some(StoreError::Unavailable("disk full".to_owned()));
        }
        if has("unwritable") {
            return Some(StoreError::Corrupt("as the test wants it".to_owned()));
        }
        if has("contended") {
            return Some(StoreError::Conflict("as the test wants it".to_owned()));
        }
        let conflict = self.plan.conflicts.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        conflict.then(|| StoreError::Conflict("somebody was faster".to_owned()))
    }
}

#[async_trait]
impl Backend for Faulty {
    async fn load(&mut self, keys: &Keys) -> Result<Loaded, StoreError> {
        if self.plan.away.load(SeqCst) {
            return Err(StoreError::Unavailable("away".to_owned()));
        }
        self.inner.load(keys).await
    }

    async fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.plan.tries.fetch_add(1, SeqCst);
        if let Some(fault) = self.fault(changes) {
            self.inner.rollback().await;
            return Err(fault);
        }
        self.inner.commit(changes).await?;
        self.plan.commits.fetch_add(1, SeqCst);
        Ok(())
    }

    async fn rollback(&mut self) {
        self.inner.rollback().await;
    }

    async fn index_search(&mut self, limit: u32) -> Result<u32, StoreError> {
        self.inner.index_search(limit).await
    }
}

//! The store without a database: for scenarios and simulation, and the plainest statement of what a backend does.
//!
//! Not here: durability; faults (tests wrap the backend, or start again from a snapshot).

mod apply;
mod dump;
mod erasure;
mod load;
mod read;
mod tables;
mod tickets;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::backend::{Backend, Changes, Keys, Loaded};
use crate::job::StoreError;

pub use tables::Tables;

/// What is committed, shared by the backend and its readers. A clone is the same store.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Tables>>);

impl Memory {
    pub fn new() -> Self {
        Memory::default()
    }

    /// A store that begins with what another one had committed: the same program after a crash.
    pub fn of(tables: Tables) -> Self {
        Memory(Arc::new(Mutex::new(tables)))
    }

    /// What is committed now.
    pub fn snapshot(&self) -> Tables {
        self.tables().clone()
    }

    /// The writer's side. Several writers on one store conflict as they do on PostgreSQL.
    pub fn backend(&self) -> MemoryBackend {
        MemoryBackend { memory: self.clone() }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // Commits check before they write, so what a panic left behind is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Debug)]
pub struct MemoryBackend {
    memory: Memory,
}

#[async_trait]
impl Backend for MemoryBackend {
    async fn load(&mut self, keys: &Keys) -> Result<Loaded, StoreError> {
        Ok(self.memory.tables().load(keys))
    }

    async fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let mut tables = self.memory.tables();
        tables.check(changes)?;
        tables.apply(changes);
        Ok(())
    }

    async fn rollback(&mut self) {}

    /// Search reads the messages themselves.
    async fn index_search(&mut self, _limit: u32) -> Result<u32, StoreError> {
        Ok(0)
    }
}

//! Wakes and fans out: who was changed by a commit. In-process here; another implementation can carry it between nodes.
//!
//! Not here: anything that must not be lost. A listener that lags reads the database again.

use std::sync::Arc;

use deskbridge_store::Committed;
use tokio::sync::broadcast;

/// Carries hints; may lose them, may never invent them.
pub trait Bus: Send + Sync {
    /// Called after every commit, in commit order.
    fn publish(&self, committed: Arc<Committed>);
    /// Everything published from now on. A receiver that lags gets `Lagged` and must read the database.
    fn subscribe(&self) -> broadcast::Receiver<Arc<Committed>>;
}

/// The bus of a single process.
pub struct InProcess {
    sender: broadcast::Sender<Arc<Committed>>,
}

impl InProcess {
    /// `capacity`: commits a listener may be behind.
    pub fn new(capacity: usize) -> Self {
        InProcess { sender: broadcast::channel(capacity).0 }
    }
}

impl Bus for InProcess {
    fn publish(&self, committed: Arc<Committed>) {
        // Nobody listening is fine.
        let _ = self.sender.send(committed);
    }

    fn subscribe(&self) -> broadcast::Receiver<Arc<Committed>> {
        self.sender.subscribe()
    }
}

//! Tells every part of the runtime what a commit changed, in commit order.
//!
//! Not here: doing anything about it.

use std::sync::Arc;

use deskbridge_store::Committed;
use tokio::sync::mpsc;

use super::Bridge;

/// Who is told. Unbounded, because the writer must never wait for a listener; each drains at once into its own state.
pub struct Listeners {
    pub outbox: mpsc::UnboundedSender<Arc<Committed>>,
    pub timers: mpsc::UnboundedSender<Arc<Committed>>,
    pub allocator: mpsc::UnboundedSender<Arc<Committed>>,
}

pub async fn run(
    bridge: Arc<Bridge>,
    mut committed: mpsc::UnboundedReceiver<Committed>,
    listeners: Listeners,
) {
    loop {
        let next = tokio::select! {
            next = committed.recv() => next,
            () = bridge.stop.cancelled() => None,
        };
        let Some(next) = next else { break };
        let next = Arc::new(next);
        bridge.board.committed(&next);
        super::health::count(&next);
        for change in &next.changes {
            for message in &change.messages {
                bridge.copy_soon(&change.conversation, message);
            }
        }
        let _ = listeners.outbox.send(next.clone());
        let _ = listeners.timers.send(next.clone());
        let _ = listeners.allocator.send(next.clone());
        bridge.bus.publish(next);
    }
}

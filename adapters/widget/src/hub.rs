//! Who is connected, and what they are told at once. Nothing here is durable: what is lost, the journal has.
//!
//! Not here: the connections themselves.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc};

use crate::ids::{TokenDigest, Visitor};

/// Frames that a connection may be behind; beyond, it is cut and catches up by its cursor.
const BEHIND: usize = 128;

struct Line {
    id: u64,
    session: TokenDigest,
    out: mpsc::Sender<Arc<str>>,
    cut: Arc<Notify>,
}

#[derive(Default)]
pub struct Hub {
    lines: Mutex<HashMap<Visitor, Vec<Line>>>,
    next: AtomicU64,
}

/// One connection's end; it leaves the hub when dropped.
pub struct Listener {
    pub frames: mpsc::Receiver<Arc<str>>,
    /// Told when the connection has to end.
    pub cut: Arc<Notify>,
    id: u64,
    visitor: Visitor,
    hub: Arc<Hub>,
}

impl Hub {
    fn lines(&self) -> MutexGuard<'_, HashMap<Visitor, Vec<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn listen(self: &Arc<Self>, visitor: &Visitor, session: &TokenDigest) -> Listener {
        let (out, frames) = mpsc::channel(BEHIND);
        let (id, cut) = (self.next.fetch_add(1, Ordering::Relaxed), Arc::new(Notify::new()));
        let line = Line { id, session: session.clone(), out, cut: cut.clone() };
        self.lines().entry(visitor.clone()).or_default().push(line);
        Listener { frames, cut, id, visitor: visitor.clone(), hub: self.clone() }
    }

    pub fn tell(&self, visitor: &Visitor, frame: &Arc<str>) {
        for line in self.lines().get(visitor).into_iter().flatten() {
            if line.out.try_send(frame.clone()).is_err() {
                line.cut.notify_one();
            }
        }
    }

    /// Cuts every connection of a session.
    pub fn cut(&self, session: &TokenDigest) {
        for line in self.lines().values().flatten().filter(|line| line.session == *session) {
            line.cut.notify_one();
        }
    }

    pub fn len(&self) -> usize {
        self.lines().values().map(Vec::len).sum()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut lines = self.hub.lines();
        if let Some(own) = lines.get_mut(&self.visitor) {
            own.retain(|line| line.id != self.id);
            if own.is_empty() {
                lines.remove(&self.visitor);
            }
        }
    }
}

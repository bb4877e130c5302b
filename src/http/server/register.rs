//! Who is connected, whether a request is under way, and since when there is none.
//!
//! Not here: reading and writing (`connection`).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::http::limits::Limits;

/// Whoever is silent for less may have a request on the way.
const YOUNG: Duration = Duration::from_millis(250);

#[derive(Default)]
pub(super) struct Register {
    lines: Mutex<BTreeMap<u64, Arc<State>>>,
    next: AtomicU64,
}

struct State {
    opened: Instant,
    /// Milliseconds from `opened` to when nothing was under way any more.
    quiet: AtomicU64,
    under_way: AtomicUsize,
    asked: AtomicBool,
    close: CancellationToken,
}

/// One connection; leaves the register when dropped.
pub(super) struct Line {
    pub(super) peer: SocketAddr,
    id: u64,
    state: Arc<State>,
    register: Arc<Register>,
}

/// A request with its answer, until the last byte of the answer was handed over.
pub(super) struct Busy(Arc<State>);

impl Register {
    fn lines(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<State>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn len(&self) -> usize {
        self.lines().len()
    }

    /// Whether there is a place for one more. Whoever was idle longest is closed to make one (S31): ten thousand
    /// silent connections keep nobody out. False: everybody has a request under way, or may have.
    pub(super) fn make_room(&self, limit: usize) -> bool {
        let lines = self.lines();
        if lines.len() < limit {
            return true;
        }
        let open = lines.values().filter(|state| !state.close.is_cancelled());
        if open.clone().count() < limit {
            return true;
        }
        let idle = open.filter(|s| s.under_way.load(Ordering::Acquire) == 0 && s.quiet_for() >= YOUNG);
        let useless = idle.max_by_key(|state| (!state.asked.load(Ordering::Relaxed), state.quiet_for()));
        if let Some(state) = useless {
            state.close.cancel();
        }
        useless.is_some()
    }

    pub(super) fn open(self: &Arc<Self>, peer: SocketAddr) -> Line {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let state = Arc::new(State {
            opened: Instant::now(),
            quiet: AtomicU64::new(0),
            under_way: AtomicUsize::new(0),
            asked: AtomicBool::new(false),
            close: CancellationToken::new(),
        });
        self.lines().insert(id, state.clone());
        Line { peer, id, state, register: self.clone() }
    }

    pub(super) fn close_all(&self) {
        for state in self.lines().values() {
            state.close.cancel();
        }
    }
}

impl State {
    fn elapsed(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn quiet_for(&self) -> Duration {
        Duration::from_millis(self.elapsed().saturating_sub(self.quiet.load(Ordering::Acquire)))
    }
}

impl Line {
    pub(super) fn begin(&self) -> Busy {
        self.state.asked.store(true, Ordering::Relaxed);
        self.state.under_way.fetch_add(1, Ordering::AcqRel);
        Busy(self.state.clone())
    }

    /// How long it may still stay silent; `None`: it was silent for too long.
    pub(super) fn patience(&self, limits: &Limits) -> Option<Duration> {
        let limit = if self.state.asked.load(Ordering::Relaxed) { limits.idle } else { limits.first_request };
        if self.state.under_way.load(Ordering::Acquire) > 0 {
            return Some(limit);
        }
        limit.checked_sub(self.state.quiet_for()).filter(|left| !left.is_zero())
    }

    /// Ends when the register needs the place.
    pub(super) async fn closed(&self) {
        self.state.close.cancelled().await;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.register.lines().remove(&self.id);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.quiet.store(self.0.elapsed(), Ordering::Release);
        self.0.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_most_useless_connection_makes_room() {
        let register = Arc::new(Register::default());
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let asked = register.open(peer);
        drop(asked.begin());
        let silent = register.open(peer);
        tokio::time::advance(Duration::from_secs(1)).await;
        let later = register.open(peer);
        let busy = later.begin();
        let young = register.open(peer);
        assert!(register.make_room(5));
        assert!(register.make_room(4) && silent.state.close.is_cancelled(), "who never asked goes first");
        assert!(register.make_room(3) && asked.state.close.is_cancelled());
        assert!(!register.make_room(2), "one has a request under way, the other may have");
        assert!(!later.state.close.is_cancelled() && !young.state.close.is_cancelled());
        drop(busy);
        assert_eq!(register.len(), 4);
        drop((asked, silent, young));
        assert_eq!(register.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_runs_out() {
        let register = Arc::new(Register::default());
        let limits = Limits::default();
        let line = register.open(SocketAddr::from(([127, 0, 0, 1], 1)));
        assert_eq!(line.patience(&limits), Some(limits.first_request));
        tokio::time::advance(limits.first_request).await;
        assert_eq!(line.patience(&limits), None);
        let busy = line.begin();
        tokio::time::advance(limits.idle * 2).await;
        assert!(line.patience(&limits).is_some());
        drop(busy);
        assert_eq!(line.patience(&limits), Some(limits.idle));
    }
}

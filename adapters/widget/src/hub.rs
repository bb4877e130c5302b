//! Who is connected, and what they are told at once. Nothing here is durable: what is lost, the journal has.
//!
//! Not here: the connections themselves. One that has nothing to hear holds no buffer.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::ids::{TokenDigest, Visitor};
use crate::people::Session;

/// Frames, and bytes of them, that a connection may be behind; beyond, it is cut and catches up by its cursor.
const BEHIND: usize = 128;
const BEHIND_BYTES: usize = 256 << 10;

/// Why a connection has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Its session's rights ended.
    Ended,
    /// It did not read what it was told.
    Behind,
    /// The program stops.
    Stopping,
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<Arc<str>>,
    bytes: usize,
    cut: Option<Cut>,
}

struct Line {
    session: Arc<Session>,
    waiting: Mutex<Waiting>,
    woken: Notify,
}

impl Line {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, frame: &Arc<str>) {
        let mut waiting = self.waiting();
        if waiting.cut.is_some() {
            return;
        }
        waiting.bytes += frame.len();
        // However long it is, a single frame gets through.
        if waiting.frames.len() >= BEHIND || (waiting.bytes > BEHIND_BYTES && !waiting.frames.is_empty()) {
            *waiting = Waiting { cut: Some(Cut::Behind), ..Waiting::default() };
        } else {
            waiting.frames.push_back(frame.clone());
        }
        drop(waiting);
        self.woken.notify_one();
    }

    fn cut(&self, why: Cut) {
        *self.waiting() = Waiting { cut: Some(why), ..Waiting::default() };
        self.woken.notify_one();
    }
}

#[derive(Default)]
pub struct Hub {
    lines: Mutex<HashMap<Visitor, Vec<Arc<Line>>>>,
}

/// One connection's end; it leaves the hub when dropped.
pub struct Listener {
    line: Arc<Line>,
    hub: Arc<Hub>,
}

impl Hub {
    fn lines(&self) -> MutexGuard<'_, HashMap<Visitor, Vec<Arc<Line>>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn listen(self: &Arc<Self>, session: &Arc<Session>) -> Listener {
        let line =
            Arc::new(Line { session: session.clone(), waiting: Mutex::default(), woken: Notify::new() });
        let mut lines = self.lines();
        // Nearly everybody has one.
        lines.entry(session.visitor.clone()).or_insert_with(|| Vec::with_capacity(1)).push(line.clone());
        drop(lines);
        Listener { line, hub: self.clone() }
    }

    pub fn tell(&self, visitor: &Visitor, frame: &Arc<str>) {
        self.lines().get(visitor).into_iter().flatten().for_each(|line| line.tell(frame));
    }

    /// Cuts every connection of a session.
    pub fn cut(&self, visitor: &Visitor, session: &TokenDigest) {
        let lines = self.lines();
        let own = lines.get(visitor).into_iter().flatten();
        own.filter(|line| line.session.digest == *session).for_each(|line| line.cut(Cut::Ended));
    }

    /// Cuts every connection of a visitor.
    pub fn cut_all(&self, visitor: &Visitor) {
        self.lines().get(visitor).into_iter().flatten().for_each(|line| line.cut(Cut::Ended));
    }

    /// Cuts everybody.
    pub fn stop(&self) {
        self.lines().values().flatten().for_each(|line| line.cut(Cut::Stopping));
    }

    pub fn len(&self) -> usize {
        self.lines().values().map(Vec::len).sum()
    }
}

impl Listener {
    /// The next frame, or why the connection ends. Whoever stops waiting loses nothing.
    pub async fn next(&self) -> Result<Arc<str>, Cut> {
        loop {
            if let Some(next) = self.ready() {
                return next;
            }
            self.line.woken.notified().await;
        }
    }

    fn ready(&self) -> Option<Result<Arc<str>, Cut>> {
        let mut waiting = self.line.waiting();
        if let Some(cut) = waiting.cut {
            return Some(Err(cut));
        }
        let frame = waiting.frames.pop_front()?;
        waiting.bytes = waiting.bytes.saturating_sub(frame.len());
        if waiting.frames.is_empty() {
            waiting.frames = VecDeque::new();
        }
        Some(Ok(frame))
    }

    /// Returns when the connection has to end, whatever waits before that.
    pub async fn cut(&self) -> Cut {
        loop {
            let cut = self.line.waiting().cut;
            if let Some(cut) = cut {
                return cut;
            }
            self.line.woken.notified().await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut lines = self.hub.lines();
        let visitor = &self.line.session.visitor;
        if let Some(own) = lines.get_mut(visitor) {
            own.retain(|line| !Arc::ptr_eq(line, &self.line));
            if own.is_empty() {
                lines.remove(visitor);
            }
        }
        // What ten thousand visitors needed is given back when they are gone.
        if lines.len() < lines.capacity() / 4 {
            let room = lines.len() * 2;
            lines.shrink_to(room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::tests::session;

    fn frame(text: &str) -> Arc<str> {
        text.into()
    }

    #[tokio::test]
    async fn who_listens_is_told_in_order_and_nobody_else() {
        let hub = Arc::new(Hub::default());
        let (one, other) = (session("v1", "a"), session("v2", "b"));
        let (first, second, stranger) = (hub.listen(&one), hub.listen(&one), hub.listen(&other));
        hub.tell(&one.visitor, &frame("1"));
        hub.tell(&one.visitor, &frame("2"));
        for listener in [&first, &second] {
            assert_eq!(listener.next().await.as_deref(), Ok("1"));
            assert_eq!(listener.next().await.as_deref(), Ok("2"));
        }
        assert_eq!(first.line.waiting().frames.capacity(), 0, "idle again, it holds nothing");
        assert!(stranger.ready().is_none());
        drop(first);
        assert_eq!(hub.len(), 2);
        drop((second, stranger));
        assert!(hub.len() == 0 && hub.lines().is_empty());
    }

    #[tokio::test]
    async fn who_does_not_read_is_cut_and_costs_no_more() {
        let hub = Arc::new(Hub::default());
        let slow = session("v1", "a");
        let listener = hub.listen(&slow);
        for n in 0..10 * BEHIND {
            hub.tell(&slow.visitor, &frame(&n.to_string()));
            assert!(listener.line.waiting().frames.len() <= BEHIND);
        }
        assert_eq!(listener.next().await, Err(Cut::Behind));
        assert_eq!(listener.line.waiting().frames.capacity(), 0);
        let listener = hub.listen(&slow);
        let long = frame(&"x".repeat(BEHIND_BYTES + 1));
        hub.tell(&slow.visitor, &long);
        assert_eq!(listener.next().await.map(|text| text.len()), Ok(BEHIND_BYTES + 1));
        hub.tell(&slow.visitor, &long);
        hub.tell(&slow.visitor, &long);
        assert_eq!(listener.next().await, Err(Cut::Behind), "bytes count too");
    }

    #[tokio::test]
    async fn an_ended_session_is_cut_before_what_waits() {
        let hub = Arc::new(Hub::default());
        let (one, also) = (session("v1", "a"), session("v1", "b"));
        let (first, second) = (hub.listen(&one), hub.listen(&also));
        hub.tell(&one.visitor, &frame("1"));
        hub.cut(&one.visitor, &one.digest);
        assert_eq!(first.next().await, Err(Cut::Ended));
        assert_eq!(first.cut().await, Cut::Ended);
        assert_eq!(second.next().await.as_deref(), Ok("1"), "the other device stays");
        hub.stop();
        assert_eq!(second.next().await, Err(Cut::Stopping));
    }
}

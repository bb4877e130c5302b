//! A fake's world behind its lock, and the bell that rings on every change so that nobody has to poll.
//! What a world is, each platform says for itself.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// What a world can tell when a test waited in vain.
pub(crate) trait Story {
    fn story(&self) -> String;
}

#[derive(Debug)]
pub(crate) struct Shared<W> {
    world: Mutex<W>,
    bell: watch::Sender<u64>,
}

/// What was waited for did not happen; its text is the whole story so far.
pub struct TimedOut {
    pub after: Duration,
    pub report: String,
}

impl fmt::Debug for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing of the kind within {:?}; so far:\n{}", self.after, self.report)
    }
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for TimedOut {}

impl<W: Story> Shared<W> {
    pub fn new(world: W) -> Self {
        Shared { world: Mutex::new(world), bell: watch::Sender::new(0) }
    }

    // A test that panics while it looks must not take the server down with it.
    fn lock(&self) -> MutexGuard<'_, W> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn read<R>(&self, look: impl FnOnce(&W) -> R) -> R {
        look(&self.lock())
    }

    pub fn change<R>(&self, change: impl FnOnce(&mut W) -> R) -> R {
        let result = change(&mut self.lock());
        self.ring();
        result
    }

    /// A change that rings only if the caller rings: for those who listen to the bell themselves.
    pub fn quietly<R>(&self, change: impl FnOnce(&mut W) -> R) -> R {
        change(&mut self.lock())
    }

    pub fn ring(&self) {
        self.bell.send_modify(|rung| *rung += 1);
    }

    pub fn bell(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    pub async fn wait_for<T>(
        &self,
        timeout: Duration,
        mut look: impl FnMut(&W) -> Option<T>,
    ) -> Result<T, TimedOut> {
        let deadline = Instant::now() + timeout;
        let mut bell = self.bell();
        loop {
            if let Some(found) = self.read(&mut look) {
                return Ok(found);
            }
            if timeout_at(deadline, bell.changed()).await.is_err() {
                return Err(TimedOut { after: timeout, report: self.read(W::story) });
            }
        }
    }
}

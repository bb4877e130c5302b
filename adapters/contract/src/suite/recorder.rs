//! The bridge's side of the inbox during the suite: takes, holds or refuses what the adapter pushes.
//!
//! Not here: any judgement.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::adapter::{InboxSink, PushError, Receipt};
use crate::address::ChannelName;
use crate::error::TranslateError;
use crate::inbound::Inbound;
use crate::shelf::{ShelfError, ShelfStore};

/// Longest wait for something that must happen.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Take,
    /// Pushes do not return until the mode changes.
    Hold,
    /// As when the store cannot be written.
    Refuse,
}

/// Records everything; also a shelf in memory. Usable by other tests of adapters.
#[derive(Debug)]
pub struct Recorder {
    kept: Mutex<Kept>,
    mode: watch::Sender<Mode>,
    /// Rises with everything that comes in.
    arrivals: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    begun: usize,
    pushed: Vec<Inbound>,
    quarantined: Vec<(Vec<u8>, TranslateError)>,
    shelf: BTreeMap<String, String>,
}

impl Default for Recorder {
    fn default() -> Self {
        Recorder { kept: Mutex::default(), mode: watch::channel(Mode::Take).0, arrivals: watch::channel(0).0 }
    }
}

impl Recorder {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Events that were taken, in order, duplicates included.
    pub fn pushed(&self) -> Vec<Inbound> {
        self.kept().pushed.clone()
    }

    pub fn quarantined(&self) -> Vec<(Vec<u8>, TranslateError)> {
        self.kept().quarantined.clone()
    }

    pub(super) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    pub(super) fn begun(&self) -> usize {
        self.kept().begun
    }

    /// Waits until more than `count` pushes have begun, taken or not. False: it took too long.
    pub(super) async fn more_begun_than(&self, count: usize) -> bool {
        self.until(|kept| (kept.begun > count).then_some(())).await.is_some()
    }

    /// Waits for the push after the first `count` ones that were taken.
    pub(super) async fn next_after(&self, count: usize) -> Option<Inbound> {
        self.until(|kept| kept.pushed.get(count).cloned()).await
    }

    /// The same, but for an event that came before: a platform may bring one once more at any time, by its id (C1).
    pub(super) async fn new_after(&self, count: usize) -> Option<Inbound> {
        self.until(|kept| {
            let (before, since) = kept.pushed.split_at_checked(count)?;
            since.iter().find(|event| before.iter().all(|old| old.id != event.id)).cloned()
        })
        .await
    }

    async fn until<T>(&self, mut look: impl FnMut(&Kept) -> Option<T>) -> Option<T> {
        let mut arrivals = self.arrivals.subscribe();
        let wait = async {
            loop {
                arrivals.borrow_and_update();
                if let Some(found) = look(&self.kept()) {
                    return Some(found);
                }
                arrivals.changed().await.ok()?;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.ok().flatten()
    }

    fn note(&self, change: impl FnOnce(&mut Kept)) {
        change(&mut self.kept());
        self.arrivals.send_modify(|n| *n += 1);
    }
}

#[async_trait]
impl InboxSink for Recorder {
    async fn push(&self, event: Inbound) -> Result<Receipt, PushError> {
        self.note(|kept| kept.begun += 1);
        let mut mode = self.mode.subscribe();
        let now = *mode.wait_for(|m| *m != Mode::Hold).await.map_err(|_| PushError::Closed)?;
        if now == Mode::Refuse {
            return Err(PushError::Unavailable);
        }
        let duplicate = self.kept().pushed.iter().any(|known| known.id == event.id);
        self.note(|kept| kept.pushed.push(event));
        Ok(Receipt { duplicate, ..Receipt::default() })
    }

    async fn quarantine(&self, _: &ChannelName, raw: &[u8], why: &TranslateError) -> Result<(), PushError> {
        self.note(|kept| kept.quarantined.push((raw.to_vec(), why.clone())));
        Ok(())
    }
}

#[async_trait]
impl ShelfStore for Recorder {
    async fn get(&self, _: &ChannelName, key: &str) -> Result<Option<String>, ShelfError> {
        Ok(self.kept().shelf.get(key).cloned())
    }

    async fn put(&self, _: &ChannelName, key: &str, value: &str) -> Result<(), ShelfError> {
        self.kept().shelf.insert(key.to_owned(), value.to_owned());
        Ok(())
    }
    async fn delete(&self, _: &ChannelName, keys: &[String]) -> Result<(), ShelfError> {
        self.kept().shelf.retain(|key, _| !keys.contains(key));
        Ok(())
    }

    async fn compare_and_swap(
        &self,
        _: &ChannelName,
        key: &str,
        expected: Option<&str>,
        value: &str,
    ) -> Result<bool, ShelfError> {
        let mut kept = self.kept();
        if kept.shelf.get(key).map(String::as_str) != expected {
            return Ok(false);
        }
        kept.shelf.insert(key.to_owned(), value.to_owned());
        Ok(true)
    }

    async fn find(&self, _: &ChannelName, prefix: &str, word: &str) -> Result<Vec<String>, ShelfError> {
        let kept = self.kept();
        let found = kept.shelf.iter().filter(|(key, value)| key.starts_with(prefix) && value.contains(word));
        Ok(found.map(|(key, _)| key.clone()).collect())
    }
}

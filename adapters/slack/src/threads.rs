//! Which threads are conversations of requesters, and in which thread a message is: Slack tells neither with every event.
//!
//! Not here: desk threads (the host knows these), what is said in a thread.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deskbridge_contract::{Shelf, ShelfError};
use tokio::time::Instant;

/// Threads and messages that are remembered; older threads are on the shelf, older messages are forgotten.
const MOST: usize = 20_000;
/// How long a thread stays nobody's without another look: another process of the store may hear the call in it.
const NOBODYS: Duration = Duration::from_secs(30);

type Key = (String, String);

#[derive(Default)]
struct Inner {
    /// Whose conversation a thread is.
    roots: Bounded<Owner>,
    /// The thread of a message.
    places: Bounded<String>,
}

enum Owner {
    Somebody(String),
    /// And when that was looked up.
    Nobody(Instant),
}

impl Owner {
    fn of(known: Option<String>) -> Owner {
        known.map_or_else(|| Owner::Nobody(Instant::now()), Owner::Somebody)
    }

    fn name(&self) -> Option<&str> {
        match self {
            Owner::Somebody(name) => Some(name),
            Owner::Nobody(_) => None,
        }
    }
}

#[derive(Default)]
pub(crate) struct Threads(Mutex<Inner>);

impl Threads {
    /// Whether this thread began with a call for us, as far as it is known in memory.
    pub(crate) fn holds(&self, channel: &str, root: &str) -> bool {
        self.lock().roots.get(channel, root).is_some_and(|owner| owner.name().is_some())
    }

    /// Who called for us there.
    pub(crate) fn owner(&self, channel: &str, root: &str) -> Option<String> {
        self.lock().roots.get(channel, root).and_then(Owner::name).map(str::to_owned)
    }

    pub(crate) fn thread_of(&self, channel: &str, ts: &str) -> Option<String> {
        let inner = self.lock();
        let own = inner.roots.get(channel, ts).and_then(Owner::name).map(|_| ts.to_owned());
        own.or_else(|| inner.places.get(channel, ts).cloned())
    }

    /// A message is in this thread.
    pub(crate) fn note(&self, channel: &str, ts: &str, root: &str) {
        self.lock().places.insert(channel, ts, root.to_owned());
    }

    /// From now on this thread is a conversation, also after a restart.
    pub(crate) async fn begin(
        &self,
        shelf: &Shelf,
        channel: &str,
        root: &str,
        owner: &str,
    ) -> Result<(), ShelfError> {
        self.recall(shelf, channel, root).await?;
        if self.holds(channel, root) {
            return Ok(());
        }
        shelf.put(&key(channel, root), owner).await?;
        self.lock().roots.insert(channel, root, Owner::Somebody(owner.to_owned()));
        Ok(())
    }

    /// Makes sure that [`Threads::holds`] knows about this thread.
    pub(crate) async fn recall(&self, shelf: &Shelf, channel: &str, root: &str) -> Result<(), ShelfError> {
        let known = |owner: &Owner| match owner {
            Owner::Somebody(_) => true,
            Owner::Nobody(since) => since.elapsed() < NOBODYS,
        };
        if self.lock().roots.get(channel, root).is_some_and(known) {
            return Ok(());
        }
        let owner = shelf.get(&key(channel, root)).await?;
        self.lock().roots.insert(channel, root, Owner::of(owner));
        Ok(())
    }

    /// Nobody's thread is this person's any more.
    pub(crate) fn forget(&self, owner: &str) {
        for known in self.lock().roots.entries.values_mut() {
            if known.name() == Some(owner) {
                *known = Owner::of(None);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(channel: &str, root: &str) -> String {
    format!("thread:{channel}:{root}")
}

/// A map that forgets what came first when it is full.
struct Bounded<V> {
    entries: HashMap<Key, V>,
    order: VecDeque<Key>,
}

impl<V> Default for Bounded<V> {
    fn default() -> Self {
        Bounded { entries: HashMap::new(), order: VecDeque::new() }
    }
}

impl<V> Bounded<V> {
    fn get(&self, channel: &str, ts: &str) -> Option<&V> {
        self.entries.get(&(channel.to_owned(), ts.to_owned()))
    }

    fn insert(&mut self, channel: &str, ts: &str, value: V) {
        let key = (channel.to_owned(), ts.to_owned());
        if self.entries.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > MOST {
            if let Some(first) = self.order.pop_front() {
                self.entries.remove(&first);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn what_came_first_is_forgotten_first() {
        let mut map = Bounded::default();
        for n in 0..MOST + 5 {
            map.insert("C1", &n.to_string(), n);
        }
        assert_eq!(map.entries.len(), MOST);
        assert_eq!(map.get("C1", "4"), None);
        assert_eq!(map.get("C1", "5"), Some(&5));
        assert_eq!(map.order.iter().collect::<HashSet<_>>().len(), MOST);
    }

    #[test]
    fn a_message_leads_to_its_thread() {
        let threads = Threads::default();
        threads.note("C1", "1.000002", "1.000001");
        assert_eq!(threads.thread_of("C1", "1.000002").as_deref(), Some("1.000001"));
        assert_eq!(threads.thread_of("C2", "1.000002"), None);
        assert!(!threads.holds("C1", "1.000001"));
    }
}

//! How far each room and thread was read, so that what was missed can be asked for after an outage.
//!
//! Not here: asking (`catch_up.rs`).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use deskbridge_contract::{Shelf, ShelfError};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// Where the shelf keeps them.
const KEY: &str = "seen";
/// Rooms and threads that are read after an outage; those in which something was said last.
const MOST_ROOMS: usize = 300;
const MOST_THREADS: usize = 500;

/// By `ts`, which are compared as texts: all of a time have the same length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// Room, the last message that was stored.
    pub rooms: BTreeMap<String, String>,
    /// `room/root`, the last message that was stored.
    pub threads: BTreeMap<String, String>,
}

impl Seen {
    /// As it was some seconds before.
    pub fn earlier(mut self, seconds: i64) -> Seen {
        for ts in self.rooms.values_mut().chain(self.threads.values_mut()) {
            *ts = before(ts, seconds);
        }
        self
    }
}

/// A `ts` some seconds before another; what is none stays as it is.
pub(super) fn before(ts: &str, seconds: i64) -> String {
    match ts.split_once('.').and_then(|(at, unique)| Some((at.parse::<i64>().ok()?, unique))) {
        Some((at, unique)) => format!("{:010}.{unique}", at.saturating_sub(seconds).max(0)),
        None => ts.to_owned(),
    }
}

/// When a message was said, in seconds since 1970; `None`: no `ts`.
pub(super) fn seconds(ts: &str) -> Option<i64> {
    ts.split_once('.')?.0.parse().ok()
}

#[derive(Default)]
pub(crate) struct Marks {
    /// And whether some of it is not written yet.
    seen: Mutex<(Seen, bool)>,
    /// There is a room or thread that the shelf knows nothing of.
    fresh: Notify,
}

impl Marks {
    /// True: the room or thread was not known. Until that is written, an outage would leave no place to read on from.
    pub(super) fn note(&self, room: &str, thread: Option<&str>, ts: &str) -> bool {
        let mut inner = self.lock();
        let (seen, dirty) = &mut *inner;
        let (map, key, most) = match thread {
            Some(root) => (&mut seen.threads, format!("{room}/{root}"), MOST_THREADS),
            None => (&mut seen.rooms, room.to_owned(), MOST_ROOMS),
        };
        let fresh = !map.contains_key(&key);
        *dirty |= later(map, key, ts);
        // The root of a thread is a message of the room as well.
        if thread == Some(ts) {
            *dirty |= later(&mut seen.rooms, room.to_owned(), ts);
        }
        thin(&mut seen.rooms, MOST_ROOMS);
        if thread.is_some() {
            thin(&mut seen.threads, most);
        }
        fresh
    }

    /// A thread is there, and nothing was read of it yet.
    pub(super) fn begin(&self, room: &str, root: &str) {
        let mut inner = self.lock();
        let (seen, dirty) = &mut *inner;
        let key = format!("{room}/{root}");
        if !seen.threads.contains_key(&key) {
            *dirty |= later(&mut seen.threads, key, root);
            thin(&mut seen.threads, MOST_THREADS);
            self.fresh.notify_one();
        }
    }

    /// When a thread was begun that is to be written soon.
    pub(super) async fn freshened(&self) {
        self.fresh.notified().await;
    }

    pub(super) fn snapshot(&self) -> Seen {
        self.lock().0.clone()
    }

    /// What an earlier run left: from there on something may have been missed.
    pub(super) async fn load(&self, shelf: &Shelf) -> Result<Option<Seen>, ShelfError> {
        let Some(kept) = shelf.get(KEY).await? else { return Ok(None) };
        // Written by another version, it is worth less than what comes from now on.
        let Ok(kept) = serde_json::from_str::<Seen>(&kept) else { return Ok(None) };
        let mut inner = self.lock();
        for (key, ts) in &kept.rooms {
            later(&mut inner.0.rooms, key.clone(), ts);
        }
        for (key, ts) in &kept.threads {
            later(&mut inner.0.threads, key.clone(), ts);
        }
        Ok(Some(kept))
    }

    /// Writes what is new since the last time. For rooms that are known, a crash before costs only reading a little twice.
    pub(super) async fn flush(&self, shelf: &Shelf) -> Result<(), ShelfError> {
        let seen = {
            let mut inner = self.lock();
            if !std::mem::take(&mut inner.1) {
                return Ok(());
            }
            inner.0.clone()
        };
        let written = serde_json::to_string(&seen).unwrap_or_default();
        let done = shelf.put(KEY, &written).await;
        if done.is_err() {
            self.lock().1 = true;
        }
        done
    }

    /// How far these rooms were read is nobody's business any more.
    pub(crate) async fn forget(&self, shelf: &Shelf, rooms: &[String]) -> Result<(), ShelfError> {
        {
            let mut inner = self.lock();
            let (seen, dirty) = &mut *inner;
            let before = seen.rooms.len() + seen.threads.len();
            seen.rooms.retain(|room, _| !rooms.contains(room));
            let gone = |key: &str| key.split('/').next().is_some_and(|room| rooms.iter().any(|r| r == room));
            seen.threads.retain(|key, _| !gone(key));
            *dirty |= before != seen.rooms.len() + seen.threads.len();
        }
        self.flush(shelf).await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Seen, bool)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn later(map: &mut BTreeMap<String, String>, key: String, ts: &str) -> bool {
    match map.get_mut(&key) {
        Some(known) if known.as_str() >= ts => false,
        Some(known) => {
            ts.clone_into(known);
            true
        }
        None => {
            map.insert(key, ts.to_owned());
            true
        }
    }
}

fn thin(map: &mut BTreeMap<String, String>, most: usize) {
    while map.len() > most {
        let oldest = map.iter().min_by_key(|(_, ts)| ts.as_str()).map(|(key, _)| key.clone());
        if let Some(oldest) = oldest {
            map.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_message_counts_and_old_rooms_go_first() {
        let marks = Marks::default();
        assert!(marks.note("D1", None, "1700000002.000000"));
        assert!(!marks.note("D1", None, "1700000001.000000"), "known");
        assert!(marks.note("C1", Some("1700000000.000000"), "1700000003.000000"));
        assert!(marks.note("C1", Some("1700000004.000000"), "1700000004.000000"));
        let seen = marks.snapshot();
        assert_eq!(seen.rooms["D1"], "1700000002.000000");
        assert_eq!(seen.rooms["C1"], "1700000004.000000");
        assert_eq!(seen.threads["C1/1700000000.000000"], "1700000003.000000");
        for n in 0..MOST_ROOMS {
            marks.note(&format!("D9{n}"), None, "1700000009.000000");
        }
        let seen = marks.snapshot();
        assert_eq!(seen.clone().earlier(120).threads["C1/1700000000.000000"], "1699999883.000000");
        assert_eq!(seen.rooms.len(), MOST_ROOMS);
        assert!(!seen.rooms.contains_key("D1"));
    }
}

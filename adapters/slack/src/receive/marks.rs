//! How far each room and thread was read, and from where on something may be missing there: after an outage that is asked
//! for. A place with such a gap keeps it, on the shelf too, until it was read; what comes in meanwhile hides nothing.
//!
//! Not here: asking (`catch_up.rs`), what is a sign of a gap (`doubt.rs`).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use deskbridge_contract::{Shelf, ShelfError, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::doubt::GIVEN_UP;

/// Where the shelf keeps them.
const KEY: &str = "seen";
const GAPS: &str = "unread";
/// Rooms and threads that are read after an outage; those in which something was said last.
const MOST_ROOMS: usize = 300;
const MOST_THREADS: usize = 500;
/// Another process may write its marks at the same time.
const SWAPS: usize = 5;

/// By `ts`, which are compared as texts: all of a time have the same length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// Room, the last message that was stored.
    pub rooms: BTreeMap<String, String>,
    /// `room/root`, the last message that was stored.
    pub threads: BTreeMap<String, String>,
    /// The last message of all that came in. Threads that we begin ourselves have a mark, and prove nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
}

impl Seen {
    /// As it was some seconds before.
    pub fn earlier(mut self, seconds: i64) -> Seen {
        for ts in self.rooms.values_mut().chain(self.threads.values_mut()).chain(&mut self.newest) {
            *ts = before(ts, seconds);
        }
        self
    }

    /// The last message of all; by an earlier version, as well as that is known.
    pub fn newest(&self) -> Option<&str> {
        let marked = || self.rooms.values().chain(self.threads.values()).map(String::as_str).max();
        self.newest.as_deref().or_else(marked)
    }

    pub fn is_empty(&self) -> bool {
        self.rooms.is_empty() && self.threads.is_empty()
    }

    /// Takes what another process noted, where that is later.
    fn merge(&mut self, other: &Seen) {
        for (key, ts) in &other.rooms {
            later(&mut self.rooms, key.clone(), ts);
        }
        for (key, ts) in &other.threads {
            later(&mut self.threads, key.clone(), ts);
        }
        if other.newest > self.newest {
            self.newest.clone_from(&other.newest);
        }
        thin(&mut self.rooms, MOST_ROOMS);
        thin(&mut self.threads, MOST_THREADS);
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

/// A place to be read, in the order in which that is done: a room, a thread of it, wherever nothing was noted; and what that
/// comes to, a room of which nothing was noted, and old threads of a direct message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Room(String),
    Thread(String, String),
    Elsewhere,
    Unnoted(String),
    OldThreads(String),
}

impl Place {
    fn of_thread(key: &str) -> Option<Place> {
        let (room, root) = key.split_once('/')?;
        Some(Place::Thread(room.to_owned(), root.to_owned()))
    }

    /// As the shelf has it.
    fn key(&self) -> String {
        match self {
            Place::Room(room) => room.clone(),
            Place::Thread(room, root) => format!("{room}/{root}"),
            Place::Elsewhere => "*".to_owned(),
            Place::Unnoted(room) => format!("?{room}"),
            Place::OldThreads(room) => format!("^{room}"),
        }
    }

    fn read(key: &str) -> Place {
        if let Some(room) = key.strip_prefix('?') {
            return Place::Unnoted(room.to_owned());
        }
        if let Some(room) = key.strip_prefix('^') {
            return Place::OldThreads(room.to_owned());
        }
        match Place::of_thread(key) {
            Some(thread) => thread,
            None if key == "*" => Place::Elsewhere,
            None => Place::Room(key.to_owned()),
        }
    }

    fn room(&self) -> Option<&str> {
        match self {
            Place::Room(room) | Place::Thread(room, _) | Place::Unnoted(room) | Place::OldThreads(room) => {
                Some(room)
            }
            Place::Elsewhere => None,
        }
    }
}

/// After which message something may be missing; `doubt`: which doubt said so last. Reading that began before is no answer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub after: String,
    doubt: u64,
}

#[derive(Default)]
struct Inner {
    seen: Seen,
    /// Some of `seen` is not written yet.
    dirty: bool,
    gaps: BTreeMap<Place, Gap>,
    gaps_dirty: bool,
    /// Places that were read, each from where; the shelf does not know it yet.
    closed: BTreeMap<Place, String>,
    doubts: u64,
    /// What earlier runs left is known. Before that nothing is written: it would hide what is to be read.
    loaded: bool,
}

#[derive(Default)]
pub(crate) struct Marks {
    inner: Mutex<Inner>,
    /// There is a thread or a gap that the shelf knows nothing of.
    fresh: Notify,
    /// One writer at a time: what is written later is newer.
    writing: tokio::sync::Mutex<()>,
}

impl Marks {
    /// True: the room or thread was not known. Until that is written, an outage would leave no place to read on from.
    pub(super) fn note(&self, room: &str, thread: Option<&str>, ts: &str) -> bool {
        let mut inner = self.lock();
        let Inner { seen, dirty, .. } = &mut *inner;
        let (map, key, most) = match thread {
            Some(root) => (&mut seen.threads, format!("{room}/{root}"), MOST_THREADS),
            None => (&mut seen.rooms, room.to_owned(), MOST_ROOMS),
        };
        let fresh = !map.contains_key(&key);
        *dirty |= later(map, key, ts);
        if seen.newest.as_deref().is_none_or(|newest| newest < ts) {
            seen.newest = Some(ts.to_owned());
        }
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
        let key = format!("{room}/{root}");
        if !inner.seen.threads.contains_key(&key) {
            inner.dirty |= later(&mut inner.seen.threads, key, root);
            thin(&mut inner.seen.threads, MOST_THREADS);
            self.fresh.notify_one();
        }
    }

    /// When there is something to be written soon.
    pub(super) async fn freshened(&self) {
        self.fresh.notified().await;
    }

    pub(super) fn snapshot(&self) -> Seen {
        self.lock().seen.clone()
    }

    /// Something may be missing after what had been seen then, in every place of it; and, with `elsewhere`, where nothing
    /// was noted.
    pub(super) fn doubt(&self, then: &Seen, elsewhere: bool) {
        let rooms = then.rooms.iter().map(|(room, ts)| (Place::Room(room.clone()), ts.as_str()));
        let threads = then.threads.iter().filter_map(|(key, ts)| Some((Place::of_thread(key)?, ts.as_str())));
        let rest = then.newest().filter(|_| elsewhere).map(|ts| (Place::Elsewhere, ts));
        let places: Vec<_> = rooms.chain(threads).chain(rest).collect();
        let mut inner = self.lock();
        inner.doubts += 1;
        let doubt = inner.doubts;
        for (place, ts) in places {
            widen(&mut inner.gaps, place, ts, doubt);
        }
        inner.gaps_dirty = true;
        self.fresh.notify_one();
    }

    /// These are to be read as well, for the same reason.
    pub(super) fn also(&self, places: impl IntoIterator<Item = Place>, gap: &Gap) {
        let mut inner = self.lock();
        for place in places {
            widen(&mut inner.gaps, place, &gap.after, gap.doubt);
        }
        inner.gaps_dirty = true;
    }

    /// What is to be read, known places first.
    pub(super) fn gaps(&self) -> Vec<(Place, Gap)> {
        self.lock().gaps.iter().map(|(place, gap)| (place.clone(), gap.clone())).collect()
    }

    /// The place was read. If there was another doubt meanwhile, it is to be read again.
    pub(super) fn closed(&self, place: &Place, gap: &Gap) {
        let mut inner = self.lock();
        if inner.gaps.get(place).is_some_and(|now| now.doubt == gap.doubt) {
            inner.gaps.remove(place);
            inner.closed.insert(place.clone(), gap.after.clone());
            inner.gaps_dirty = true;
            self.fresh.notify_one();
        }
    }

    /// What an earlier run left: from there on something may have been missed; nobody knows for how long. False: nothing.
    pub(super) async fn load(&self, shelf: &Shelf, now: Timestamp) -> Result<bool, ShelfError> {
        let kept = shelf.get_many(&[KEY.to_owned(), GAPS.to_owned()]).await?;
        // Written by another version, it is worth less than what comes from now on.
        let seen: Option<Seen> =
            kept.first().and_then(Option::as_deref).and_then(|kept| serde_json::from_str(kept).ok());
        let gaps: BTreeMap<String, String> = kept
            .get(1)
            .and_then(Option::as_deref)
            .and_then(|kept| serde_json::from_str(kept).ok())
            .unwrap_or_default();
        self.lock().loaded = true;
        let Some(seen) = seen else { return Ok(false) };
        let silence =
            seen.newest().and_then(seconds).map(|newest| now.since(Timestamp::from_seconds(newest)));
        self.doubt(&seen, silence.is_some_and(|silence| silence > GIVEN_UP));
        let mut inner = self.lock();
        inner.seen.merge(&seen);
        let doubt = inner.doubts;
        for (key, after) in &gaps {
            widen(&mut inner.gaps, Place::read(key), after, doubt);
        }
        Ok(true)
    }

    /// Writes what is new since the last time. For rooms that are known, a crash before costs only reading a little twice.
    pub(super) async fn flush(&self, shelf: &Shelf) -> Result<(), ShelfError> {
        let _turn = self.writing.lock().await;
        if !self.lock().loaded {
            return Ok(());
        }
        // Gaps first: a mark must never be on the shelf without the gap behind it.
        self.write_gaps(shelf).await?;
        if !std::mem::take(&mut self.lock().dirty) {
            return Ok(());
        }
        let done = self.write(shelf).await;
        if done.is_err() {
            self.lock().dirty = true;
        }
        done
    }

    /// Processes that share a store have doubts of their own: none takes away another's but by reading from where that began.
    async fn write_gaps(&self, shelf: &Shelf) -> Result<(), ShelfError> {
        let (gaps, closed) = {
            let mut inner = self.lock();
            if !std::mem::take(&mut inner.gaps_dirty) {
                return Ok(());
            }
            let gaps = inner.gaps.iter().map(|(place, gap)| (place.key(), gap.after.clone()));
            (gaps.collect::<BTreeMap<_, _>>(), inner.closed.clone())
        };
        let done = write_gaps(shelf, &gaps, &closed).await;
        let mut inner = self.lock();
        match &done {
            Ok(()) => inner.closed.retain(|place, after| closed.get(place) != Some(after)),
            Err(_) => inner.gaps_dirty = true,
        }
        done
    }

    /// Processes that share a store note what each of them hears: nobody takes away another's.
    async fn write(&self, shelf: &Shelf) -> Result<(), ShelfError> {
        for _ in 0..SWAPS {
            let kept = shelf.get(KEY).await?;
            let mut seen = self.snapshot();
            if let Some(others) = kept.as_deref().and_then(|kept| serde_json::from_str(kept).ok()) {
                seen.merge(&others);
            }
            let written = serde_json::to_string(&seen).unwrap_or_default();
            if shelf.compare_and_swap(KEY, kept.as_deref(), &written).await? {
                return Ok(());
            }
        }
        Err(ShelfError("other processes write their marks all the time".to_owned()))
    }

    /// How far these rooms were read is nobody's business any more.
    pub(crate) async fn forget(&self, shelf: &Shelf, rooms: &[String]) -> Result<(), ShelfError> {
        let gone = |room: &str| rooms.iter().any(|gone| gone == room);
        let of_thread = |key: &str| key.split('/').next().is_some_and(gone);
        {
            let mut inner = self.lock();
            inner.seen.rooms.retain(|room, _| !gone(room));
            inner.seen.threads.retain(|key, _| !of_thread(key));
            let theirs: Vec<Place> =
                inner.gaps.keys().filter(|place| place.room().is_some_and(gone)).cloned().collect();
            for place in theirs {
                inner.gaps.remove(&place);
                // From wherever it began.
                inner.closed.insert(place, String::new());
            }
            inner.gaps_dirty = true;
        }
        // Writing merges what is on the shelf: they are taken away there first.
        for _ in 0..SWAPS {
            let Some(kept) = shelf.get(KEY).await? else { return self.flush(shelf).await };
            let Ok(mut seen) = serde_json::from_str::<Seen>(&kept) else { return self.flush(shelf).await };
            seen.rooms.retain(|room, _| !gone(room));
            seen.threads.retain(|key, _| !of_thread(key));
            let written = serde_json::to_string(&seen).unwrap_or_default();
            if written == kept || shelf.compare_and_swap(KEY, Some(&kept), &written).await? {
                return self.flush(shelf).await;
            }
        }
        Err(ShelfError("other processes write their marks all the time".to_owned()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write_gaps(
    shelf: &Shelf,
    gaps: &BTreeMap<String, String>,
    closed: &BTreeMap<Place, String>,
) -> Result<(), ShelfError> {
    for _ in 0..SWAPS {
        let kept = shelf.get(GAPS).await?;
        let mut all: BTreeMap<String, String> =
            kept.as_deref().and_then(|kept| serde_json::from_str(kept).ok()).unwrap_or_default();
        for (place, after) in closed {
            let key = place.key();
            if all.get(&key).is_some_and(|theirs| theirs >= after) {
                all.remove(&key);
            }
        }
        for (key, after) in gaps {
            let known = all.entry(key.clone()).or_insert_with(|| after.clone());
            if after < known {
                known.clone_from(after);
            }
        }
        let written = serde_json::to_string(&all).unwrap_or_default();
        if shelf.compare_and_swap(GAPS, kept.as_deref(), &written).await? {
            return Ok(());
        }
    }
    Err(ShelfError("other processes write their gaps all the time".to_owned()))
}

/// A gap never gets smaller but by reading.
fn widen(gaps: &mut BTreeMap<Place, Gap>, place: Place, after: &str, doubt: u64) {
    let gap = gaps.entry(place).or_insert_with(|| Gap { after: after.to_owned(), doubt });
    gap.doubt = doubt;
    if after < gap.after.as_str() {
        after.clone_into(&mut gap.after);
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

    #[test]
    fn a_gap_is_closed_by_reading_that_began_after_the_doubt() {
        let marks = Marks::default();
        marks.note("D1", None, "1700000001.000000");
        marks.doubt(&marks.snapshot(), false);
        let first = marks.gaps();
        assert_eq!(first.len(), 1);
        // What comes in meanwhile hides nothing.
        marks.note("D1", None, "1700000009.000000");
        marks.doubt(&marks.snapshot(), false);
        let second = marks.gaps();
        assert_eq!(second[0].1.after, "1700000001.000000");
        marks.closed(&first[0].0, &first[0].1);
        assert_eq!(marks.gaps(), second, "there was a doubt while it was read");
        marks.closed(&second[0].0, &second[0].1);
        assert!(marks.gaps().is_empty());
    }

    /// Two processes with one store.
    #[tokio::test]
    async fn nobody_takes_away_anothers_gap() {
        let sink = std::sync::Arc::new(crate::receive::tests::Sink::default());
        let shelf = sink.inbox().shelf();
        let (one, other) = (Marks::default(), Marks::default());
        for marks in [&one, &other] {
            marks.load(&shelf, Timestamp::from_seconds(1_700_000_000)).await.unwrap();
        }
        for (marks, room) in [(&one, "D1"), (&other, "D2")] {
            marks.note(room, None, "1700000001.000000");
            marks.doubt(&marks.snapshot(), false);
            marks.flush(&shelf).await.unwrap();
        }
        let (place, gap) = other.gaps().remove(0);
        other.closed(&place, &gap);
        other.flush(&shelf).await.unwrap();
        let kept = || sink.shelf.lock().unwrap()[GAPS].clone();
        assert_eq!(kept(), "{\"D1\":\"1700000001.000000\"}");
        one.forget(&shelf, &["D1".to_owned()]).await.unwrap();
        assert_eq!(kept(), "{}");
    }

    #[test]
    fn places_are_kept_by_name() {
        for place in [
            Place::Room("D1".into()),
            Place::Thread("C1".into(), "1700000000.000000".into()),
            Place::Elsewhere,
            Place::Unnoted("D9".into()),
            Place::OldThreads("D1".into()),
        ] {
            assert_eq!(Place::read(&place.key()), place);
        }
    }
}

//! Rooms that still have to be read after a gap: on the shelf, so that an end in the middle of it loses nothing.
//!
//! Not here: reading them (`catch_up.rs`).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deskbridge_contract::{Shelf, ShelfError, Timestamp};
use serde_json::Value;

use super::marks::{MOST, Seen};
use crate::send::forums::Lies;
use crate::translate::text;
use crate::{Discord, ids};

/// Where the shelf keeps them.
const KEY: &str = "gap";
/// By how much events may come later than they happened, and clocks differ. What was stored before is known by its id.
const LATE: Duration = Duration::from_secs(120);

/// How far each was read before, and in which gap that was; the number of the latest gap.
type Rooms = (BTreeMap<String, (Seen, u64)>, u64);

/// From where the earliest of both begins.
fn add(rooms: &mut BTreeMap<String, (Seen, u64)>, channel: String, seen: Seen, number: u64) {
    let unread = rooms.remove(&channel).map(|(unread, _)| unread);
    let edits = unread.iter().chain([&seen]).filter_map(|seen| seen.edits).min();
    let from = unread.filter(|unread| ids::number(&unread.last) < ids::number(&seen.last)).unwrap_or(seen);
    rooms.insert(channel, (Seen { edits, ..from }, number));
}

fn bound(rooms: &mut BTreeMap<String, (Seen, u64)>) {
    while rooms.len() > MOST {
        let oldest = rooms.iter().min_by_key(|(_, (seen, _))| ids::number(&seen.last));
        let Some(oldest) = oldest.map(|(channel, _)| channel.clone()) else { break };
        rooms.remove(&oldest);
    }
}

#[derive(Default)]
pub(crate) struct Gap {
    rooms: Mutex<Rooms>,
    /// One write at a time, so that an older state never comes last.
    writing: tokio::sync::Mutex<()>,
    readers: AtomicUsize,
    /// The last room could not be read.
    in_vain: AtomicBool,
}

/// When a message was edited last.
pub(super) fn edited(message: &Value) -> Option<Timestamp> {
    let at: jiff::Timestamp = text(message, "edited_timestamp")?.parse().ok()?;
    Some(Timestamp(at.as_microsecond()))
}

/// Somebody reads them, until this is dropped.
pub(super) struct Reading<'a>(&'a Gap);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.readers.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Gap {
    /// A session was lost: everything that is known is to be read, from where the earliest unread gap began. `since`: when all
    /// that had happened was stored, where that is known.
    pub(super) fn open(&self, marks: BTreeMap<String, Seen>, since: Option<Timestamp>) {
        let edits = since.map(|since| (since - LATE).0);
        let mut inner = self.lock();
        let (rooms, number) = &mut *inner;
        *number += 1;
        for (channel, seen) in marks {
            add(rooms, channel, Seen { edits, ..seen }, *number);
        }
        bound(rooms);
    }

    /// A message, or an edit of one, could not be stored: its room is to be read from just before it, also where nothing was
    /// known of it yet.
    pub(super) fn owe(&self, discord: &Discord, event: &Value) {
        let d = &event["d"];
        let (Some(kind), Some(id), Some(channel)) = (text(event, "t"), text(d, "id"), text(d, "channel_id"))
        else {
            return;
        };
        let (last, edits) = match (kind, edited(d)) {
            ("MESSAGE_CREATE", _) => (ids::number(id).saturating_sub(1).to_string(), None),
            // What was said since was stored: it is not read again for that.
            ("MESSAGE_UPDATE", Some(at)) => {
                let known = discord.receiving.marks.of(channel).map(|seen| seen.last);
                (known.unwrap_or_else(|| id.to_owned()), Some(at.0))
            }
            _ => return,
        };
        if !ids::is_snowflake(id) || !ids::is_snowflake(channel) {
            return;
        }
        let server = text(d, "guild_id").is_some();
        let forum = match discord.sending.forums.place_of(channel) {
            Some(Lies::In(forum)) => Some(forum),
            Some(Lies::Room | Lies::Direct) | None => None,
        };
        let person = d.get("author").and_then(|author| text(author, "id")).filter(|_| !server);
        let seen = Seen { last, forum, person: person.map(str::to_owned), server, edits };
        let mut inner = self.lock();
        let (rooms, number) = &mut *inner;
        *number += 1;
        add(rooms, channel.to_owned(), seen, *number);
        bound(rooms);
    }

    /// What is to be read, and in which gap; where something was said last comes first.
    pub(super) fn rooms(&self) -> Vec<(String, Seen, u64)> {
        let inner = self.lock();
        let all = inner.0.iter().map(|(channel, (seen, gap))| (channel.clone(), seen.clone(), *gap));
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(_, seen, _)| std::cmp::Reverse(ids::number(&seen.last)));
        all
    }

    /// A room was read, unless there was another gap meanwhile.
    pub(super) fn close(&self, channel: &str, gap: u64) {
        let mut inner = self.lock();
        if inner.0.get(channel).is_some_and(|(_, of)| *of == gap) {
            inner.0.remove(channel);
        }
    }

    pub(super) fn read(&self) -> Reading<'_> {
        self.readers.fetch_add(1, Ordering::SeqCst);
        Reading(self)
    }

    pub(super) fn is_read(&self) -> bool {
        self.readers.load(Ordering::SeqCst) > 0
    }

    /// Whether a room could not be read, just now.
    pub(super) fn in_vain(&self, failed: bool) {
        self.in_vain.store(failed, Ordering::SeqCst);
    }

    pub(super) fn is_in_vain(&self) -> bool {
        self.in_vain.load(Ordering::SeqCst)
    }

    /// Nothing of a person stays.
    pub(crate) async fn forget(&self, shelf: &Shelf, person: &str) -> Result<(), ShelfError> {
        self.lock().0.retain(|_, (seen, _)| seen.person.as_deref() != Some(person));
        self.keep(shelf).await
    }

    /// What an earlier run left.
    pub(super) async fn load(&self, shelf: &Shelf) -> Result<(), ShelfError> {
        let Some(kept) = shelf.get(KEY).await? else { return Ok(()) };
        let Ok(kept) = serde_json::from_str::<BTreeMap<String, Seen>>(&kept) else { return Ok(()) };
        let sound = kept
            .into_iter()
            .filter(|(channel, seen)| ids::is_snowflake(channel) && ids::is_snowflake(&seen.last));
        let mut inner = self.lock();
        for (channel, seen) in sound {
            inner.0.entry(channel).or_insert((seen, 0));
        }
        Ok(())
    }

    pub(super) async fn keep(&self, shelf: &Shelf) -> Result<(), ShelfError> {
        let _writing = self.writing.lock().await;
        let rooms: BTreeMap<String, Seen> =
            self.lock().0.iter().map(|(channel, (seen, _))| (channel.clone(), seen.clone())).collect();
        shelf.put(KEY, &serde_json::to_string(&rooms).unwrap_or_default()).await
    }

    fn lock(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_something_was_said_last_is_read_first() {
        let gap = Gap::default();
        let all = [("1", "90"), ("2", "1000"), ("3", "200")].map(|(id, last)| (id.into(), seen(last, None)));
        gap.open(all.into(), None);
        let order: Vec<String> = gap.rooms().into_iter().map(|(channel, _, _)| channel).collect();
        assert_eq!(order, ["2", "3", "1"]);
    }

    #[test]
    fn of_two_gaps_the_earlier_beginnings_count() {
        let gap = Gap::default();
        gap.open([("1".into(), seen("90", None))].into(), None);
        gap.open([("1".into(), seen("200", None))].into(), Some(Timestamp::from_seconds(1000)));
        gap.open([("1".into(), seen("300", None))].into(), Some(Timestamp::from_seconds(2000)));
        let found = gap.rooms().into_iter().map(|(_, seen, of)| (seen, of));
        assert_eq!(found.collect::<Vec<_>>(), [(seen("90", Some(880_000_000)), 3)]);
    }

    fn seen(last: &str, edits: Option<i64>) -> Seen {
        Seen { last: last.into(), forum: None, person: None, server: false, edits }
    }
}

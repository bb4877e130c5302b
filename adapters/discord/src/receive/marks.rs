//! How far each room and post was read, so that what was missed can be asked for after a gap.
//!
//! Not here: asking (`catch_up.rs`).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use deskbridge_contract::{Shelf, ShelfError};
use serde::{Deserialize, Serialize};

use crate::ids;

/// Where the shelf keeps them.
const KEY: &str = "seen";
/// Rooms and posts that are read after a gap; those in which something was said last.
pub(super) const MOST: usize = 600;

/// One channel of Discord's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// The last message that was stored, or the one at which it began.
    pub last: String,
    /// The forum, where it is a post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forum: Option<String>,
    /// Whose direct message it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// On a server; in which forum was not known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub server: bool,
    /// Where it is to be read: since when edits are looked for, in microseconds of 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edits: Option<i64>,
}

#[derive(Default)]
struct Inner {
    all: BTreeMap<String, Seen>,
    /// Something is not written yet.
    dirty: bool,
    /// What an earlier run left is among them. What is written replaces it as a whole: not before.
    loaded: bool,
}

#[derive(Default)]
pub(crate) struct Marks(Mutex<Inner>);

impl Marks {
    /// True: nothing was known of it. Until that is written, a gap would leave no place to read on from.
    pub(super) fn note(
        &self,
        channel: &str,
        forum: Option<&str>,
        person: Option<&str>,
        message: &str,
    ) -> bool {
        if !ids::is_snowflake(message) {
            return false;
        }
        let mut inner = self.lock();
        let Inner { all, dirty, .. } = &mut *inner;
        let fresh = !all.contains_key(channel);
        let seen = all.entry(channel.to_owned()).or_insert_with(|| Seen {
            last: "0".into(),
            forum: forum.map(str::to_owned),
            person: None,
            server: false,
            edits: None,
        });
        if ids::number(message) > ids::number(&seen.last) {
            message.clone_into(&mut seen.last);
            *dirty = true;
        }
        if seen.person.is_none() && person.is_some() {
            seen.person = person.map(str::to_owned);
            *dirty = true;
        }
        bound(all);
        fresh
    }

    pub(super) fn of(&self, channel: &str) -> Option<Seen> {
        self.lock().all.get(channel).cloned()
    }

    /// Nothing of a person stays: how far their direct messages were read, and that they are theirs.
    pub(crate) async fn forget(&self, shelf: &Shelf, person: &str) -> Result<(), ShelfError> {
        if !self.lock().loaded {
            self.load(shelf).await?;
        }
        {
            let mut inner = self.lock();
            let Inner { all, dirty, .. } = &mut *inner;
            let before = all.len();
            all.retain(|_, seen| seen.person.as_deref() != Some(person));
            *dirty |= all.len() < before;
        }
        self.flush(shelf).await
    }

    pub(super) fn snapshot(&self) -> BTreeMap<String, Seen> {
        self.lock().all.clone()
    }

    /// What an earlier run left. Until then nothing is written. Of a room in which something was noted before, it says from
    /// where on it was read: what lies between the two may have been missed.
    pub(super) async fn load(&self, shelf: &Shelf) -> Result<(), ShelfError> {
        let kept = shelf.get(KEY).await?;
        // Written by another version, it is worth less than what comes from now on.
        let kept: BTreeMap<String, Seen> =
            kept.and_then(|kept| serde_json::from_str(&kept).ok()).unwrap_or_default();
        let sound =
            |(channel, seen): &(String, Seen)| ids::is_snowflake(channel) && ids::is_snowflake(&seen.last);
        let mut inner = self.lock();
        let first = !std::mem::replace(&mut inner.loaded, true);
        for (channel, kept) in kept.into_iter().filter(sound) {
            let kept = Seen { server: false, edits: None, ..kept };
            let known = inner.all.entry(channel).or_insert_with(|| kept.clone());
            if first || ids::number(&kept.last) > ids::number(&known.last) {
                known.last = kept.last;
            }
            known.forum = known.forum.take().or(kept.forum);
            known.person = known.person.take().or(kept.person);
        }
        bound(&mut inner.all);
        Ok(())
    }

    /// Writes what is new since the last time. For rooms that are known, a crash before costs only reading a little twice.
    pub(crate) async fn flush(&self, shelf: &Shelf) -> Result<(), ShelfError> {
        let all = {
            let mut inner = self.lock();
            if !inner.loaded || !std::mem::take(&mut inner.dirty) {
                return Ok(());
            }
            inner.all.clone()
        };
        let written = serde_json::to_string(&all).unwrap_or_default();
        let done = shelf.put(KEY, &written).await;
        if done.is_err() {
            self.lock().dirty = true;
        }
        done
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bound(all: &mut BTreeMap<String, Seen>) {
    while all.len() > MOST {
        let oldest = all.iter().min_by_key(|(_, seen)| ids::number(&seen.last)).map(|(key, _)| key.clone());
        let Some(oldest) = oldest else { break };
        all.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_message_counts_and_old_rooms_go_first() {
        let marks = Marks::default();
        assert!(marks.note("1", None, Some("7"), "90"));
        assert!(!marks.note("1", None, None, "9"), "an older one, by number");
        let seen = marks.snapshot()["1"].clone();
        assert_eq!((seen.last.as_str(), seen.person.as_deref()), ("90", Some("7")));
        for n in 0..MOST {
            marks.note(&format!("2{n}"), Some("3"), None, "100");
        }
        assert!(!marks.snapshot().contains_key("1"));
        assert!(!marks.note("5", None, None, "made:x"));
    }
}

//! The journal of every conversation: what its requester was shown, numbered, so that a browser can ask for what it
//! missed. Kept on the shelf as a ring of single entries: an entry is written once and never again.
//!
//! Not here: who may read it (`receive`), what an entry looks like (`cards`).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use deskbridge_contract::{Shelf, ShelfError, Standing, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::cards::{Entry, What};
use crate::ids::{ThreadKey, Visitor};
use crate::people::{read, unreadable, write};

/// Entries that are kept of a conversation; a newer one takes the place of the oldest.
const RING: u64 = 512;
/// The head names every so-many-th entry, so that the end is found again without reading the whole ring.
const STEP: u64 = 16;
/// Entries that are read at once when a conversation is looked up.
const LOOK: u64 = 2 * STEP;
/// Messages by whose ids repetitions are known without asking the shelf.
const KNOWN: usize = 32;
/// Characters of the latest words, for lists.
const WORDS: usize = 120;
/// Conversations in memory.
const HOT: usize = 4_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Meta {
    /// The room of its address: the visitor who began it.
    pub room: Visitor,
    /// Who it belongs to now.
    pub owner: Visitor,
    pub title: String,
    pub standing: Option<Standing>,
    /// Read by the requester up to this entry.
    #[serde(default)]
    pub read: u64,
    /// There is an entry with this number, and there may be later ones.
    #[serde(default)]
    seq: u64,
}

impl Serialize for Visitor {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Visitor {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Visitor)
    }
}

/// One conversation: its head, and what is asked of its latest entries. The entries themselves stay on the shelf.
pub struct Thread {
    pub key: ThreadKey,
    pub meta: Meta,
    seq: u64,
    at: i64,
    words: String,
    last: Option<What>,
    known: VecDeque<(String, u64)>,
}

fn slot(key: &ThreadKey, seq: u64) -> String {
    format!("e:{}:{}", key.0, seq % RING)
}

/// Every place of a conversation's ring.
pub fn slots(key: &ThreadKey) -> Vec<String> {
    (0..RING).map(|seq| slot(key, seq)).collect()
}

/// Those of the numbers that are kept; a place in the ring may hold an older entry.
async fn load(
    shelf: &Shelf,
    key: &ThreadKey,
    numbers: std::ops::RangeInclusive<u64>,
) -> Result<Vec<Entry>, ShelfError> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let slots: Vec<String> = numbers.clone().map(|seq| slot(key, seq)).collect();
    let found = shelf.get_many(&slots).await?;
    let mut entries = Vec::with_capacity(found.len());
    for (seq, text) in numbers.zip(found) {
        let Some(text) = text else { continue };
        let entry: Entry = serde_json::from_str(&text).map_err(|e| unreadable(&e))?;
        if entry.seq == seq {
            entries.push(entry);
        }
    }
    Ok(entries)
}

impl Thread {
    async fn load(shelf: &Shelf, key: &ThreadKey) -> Result<Option<Thread>, ShelfError> {
        let Some(meta) = read::<Meta>(shelf, &format!("c:{}", key.0)).await? else { return Ok(None) };
        let mut thread = Thread::at_its_beginning(key, meta);
        let mut from = (thread.meta.seq + 1).saturating_sub(STEP).max(1);
        // An entry is written before the head says so, however many of them.
        loop {
            let to = from + LOOK - 1;
            for entry in load(shelf, key, from..=to).await? {
                thread.note(&entry);
            }
            if thread.seq < to {
                return Ok(Some(thread));
            }
            from = to + 1;
        }
    }

    fn at_its_beginning(key: &ThreadKey, meta: Meta) -> Thread {
        let (words, known) = (String::new(), VecDeque::new());
        Thread { key: key.clone(), meta, seq: 0, at: 0, words, last: None, known }
    }

    fn note(&mut self, entry: &Entry) {
        (self.seq, self.at) = (entry.seq, entry.at);
        if let What::Message { id, text, .. } = &entry.what {
            self.words = text.chars().take(WORDS).collect();
            if self.known.len() >= KNOWN {
                self.known.pop_front();
            }
            self.known.push_back((id.clone(), entry.seq));
        }
        self.last = Some(entry.what.clone());
    }

    /// The number of the latest entry.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// When something last happened.
    pub fn at(&self) -> i64 {
        self.at
    }

    /// The latest words, for lists.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// The number of a message's entry, among those that a repeated delivery can be: lanes are short, and a lane has one
    /// under way.
    pub fn message(&self, id: &str) -> Option<u64> {
        self.known.iter().rev().find(|(known, _)| known == id).map(|(_, seq)| *seq)
    }

    /// Whether an entry says exactly this and nothing came after that changed it.
    pub fn ends_with(&self, what: &What) -> bool {
        self.last.as_ref() == Some(what)
    }

    /// Everywhere in the ring; for what may be long ago.
    pub async fn find_message(&self, shelf: &Shelf, id: &str) -> Result<Option<u64>, ShelfError> {
        if let Some(seq) = self.message(id) {
            return Ok(Some(seq));
        }
        let (_, entries) = self.since(shelf, 0).await?;
        let is_it = |entry: &&Entry| matches!(&entry.what, What::Message { id: known, .. } if known == id);
        Ok(entries.iter().find(is_it).map(|entry| entry.seq))
    }

    /// Whether an entry that is kept says exactly this.
    pub async fn says(&self, shelf: &Shelf, what: &What) -> Result<bool, ShelfError> {
        let (_, entries) = self.since(shelf, 0).await?;
        Ok(entries.iter().any(|entry| entry.what == *what))
    }

    /// Files of the messages that are kept.
    pub async fn files(&self, shelf: &Shelf) -> Result<Vec<String>, ShelfError> {
        let (_, entries) = self.since(shelf, 0).await?;
        let files = entries.into_iter().flat_map(|entry| match entry.what {
            What::Message { files, .. } => files,
            _ => Vec::new(),
        });
        Ok(files.map(|file| file.id).collect())
    }

    /// Appends durably. Nobody is told here.
    pub async fn append(&mut self, shelf: &Shelf, what: What, at: Timestamp) -> Result<Entry, ShelfError> {
        if self.seq >= self.meta.seq + STEP {
            self.keep(shelf).await?;
        }
        let entry = Entry { seq: self.seq + 1, at: at.0 / 1000, what };
        write(shelf, &slot(&self.key, entry.seq), &entry).await?;
        self.note(&entry);
        Ok(entry)
    }

    /// Writes the head.
    pub async fn keep(&mut self, shelf: &Shelf) -> Result<(), ShelfError> {
        let before = std::mem::replace(&mut self.meta.seq, self.seq);
        let kept = write(shelf, &format!("c:{}", self.key.0), &self.meta).await;
        if kept.is_err() {
            self.meta.seq = before;
        }
        kept
    }

    /// What came after `cursor`, in order. True: some of it is not kept any more.
    pub async fn since(&self, shelf: &Shelf, cursor: u64) -> Result<(bool, Vec<Entry>), ShelfError> {
        let oldest = (self.seq + 1).saturating_sub(RING).max(1);
        // A cursor from beyond the end is of another journal.
        let lost = cursor.saturating_add(1) < oldest || cursor > self.seq;
        let entries = load(shelf, &self.key, cursor.saturating_add(1).max(oldest)..=self.seq).await?;
        Ok((lost, entries))
    }
}

type Slot = Arc<AsyncMutex<Option<Thread>>>;

/// The conversations of a site.
#[derive(Default)]
pub struct Threads(Mutex<HashMap<ThreadKey, Slot>>);

/// A conversation that nobody else changes meanwhile.
pub struct Held(OwnedMutexGuard<Option<Thread>>);

impl std::ops::Deref for Held {
    type Target = Option<Thread>;
    fn deref(&self) -> &Option<Thread> {
        &self.0
    }
}
impl std::ops::DerefMut for Held {
    fn deref_mut(&mut self) -> &mut Option<Thread> {
        &mut self.0
    }
}

impl Threads {
    /// `None` inside: there is no such conversation yet.
    pub async fn hold(&self, shelf: &Shelf, key: &ThreadKey) -> Result<Held, ShelfError> {
        let slot = {
            let mut threads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if threads.len() >= HOT {
                threads.retain(|_, slot| Arc::strong_count(slot) > 1);
            }
            threads.entry(key.clone()).or_default().clone()
        };
        let mut held = slot.lock_owned().await;
        if held.is_none() {
            *held = Thread::load(shelf, key).await?;
        }
        Ok(Held(held))
    }

    pub fn begin(key: &ThreadKey, visitor: &Visitor, title: String) -> Thread {
        let (room, owner) = (visitor.clone(), visitor.clone());
        Thread::at_its_beginning(key, Meta { room, owner, title, standing: None, read: 0, seq: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cards::From;
    use crate::testing::{Broken, shelf};

    fn said(n: u64) -> What {
        What::Deleted { id: format!("m{n}") }
    }

    fn message(n: u64) -> What {
        What::Message {
            id: format!("m{n}"),
            from: From::Me,
            name: None,
            body: Vec::new(),
            text: format!("message {n}"),
            actions: Vec::new(),
            files: Vec::new(),
            reply_to: None,
        }
    }

    fn numbers(entries: &[Entry]) -> Vec<u64> {
        entries.iter().map(|entry| entry.seq).collect()
    }

    fn key() -> ThreadKey {
        ThreadKey::parse(&"0a".repeat(16)).unwrap()
    }

    async fn begun(shelf: &Shelf) -> Thread {
        let mut thread = Threads::begin(&key(), &Visitor::unknown().unwrap(), "VPN".into());
        thread.keep(shelf).await.unwrap();
        thread
    }

    async fn again(shelf: &Shelf) -> Thread {
        Thread::load(shelf, &key()).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn what_was_missed_is_found_again_also_after_a_restart() {
        let shelf = shelf();
        {
            let threads = Threads::default();
            let mut held = threads.hold(&shelf, &key()).await.unwrap();
            assert!(held.is_none());
            let mut thread = begun(&shelf).await;
            for n in 1..=40 {
                let entry = thread.append(&shelf, message(n), Timestamp(n as i64 * 1000)).await.unwrap();
                assert_eq!(entry.seq, n);
            }
            *held = Some(thread);
        }
        let threads = Threads::default();
        let held = threads.hold(&shelf, &key()).await.unwrap();
        let thread = held.as_ref().unwrap();
        assert_eq!((thread.seq(), thread.at(), thread.words()), (40, 40, "message 40"));
        for cursor in [0, 1, 15, 16, 17, 31, 32, 39, 40] {
            let (lost, entries) = thread.since(&shelf, cursor).await.unwrap();
            assert!(!lost);
            assert_eq!(numbers(&entries), (cursor + 1..=40).collect::<Vec<_>>());
        }
        for foreign in [41, u64::MAX - 1, u64::MAX] {
            let (lost, entries) = thread.since(&shelf, foreign).await.unwrap();
            assert!(lost && entries.is_empty(), "a cursor of another journal");
        }
    }

    /// Killed after every single write, with the head as old as it can be.
    #[tokio::test]
    async fn the_end_is_found_wherever_it_was_cut() {
        let shelf = shelf();
        let mut thread = begun(&shelf).await;
        assert_eq!(again(&shelf).await.seq(), 0);
        for n in 1..=RING + 70 {
            thread.append(&shelf, said(n), Timestamp(0)).await.unwrap();
            assert_eq!(again(&shelf).await.seq(), n);
        }
    }

    #[tokio::test]
    async fn the_ring_has_an_end_and_says_so() {
        let shelf = shelf();
        let mut thread = begun(&shelf).await;
        let last = RING + 40;
        for n in 1..=last {
            thread.append(&shelf, said(n), Timestamp(0)).await.unwrap();
        }
        let (lost, entries) = thread.since(&shelf, 3).await.unwrap();
        assert!(lost, "the oldest are gone");
        assert_eq!(numbers(&entries), (last - RING + 1..=last).collect::<Vec<_>>(), "without a gap");
        assert!(!thread.since(&shelf, last - RING).await.unwrap().0, "exactly what is kept is not too old");
        assert!(thread.since(&shelf, last - RING - 1).await.unwrap().0);
    }

    #[tokio::test]
    async fn an_entry_is_written_once_whatever_is_there_already() {
        let (store, shelf) = Broken::shelf();
        let mut thread = begun(&shelf).await;
        for n in 1..=STEP {
            thread.append(&shelf, message(n), Timestamp(0)).await.unwrap();
        }
        let before = store.bytes();
        thread.append(&shelf, message(STEP + 1), Timestamp(0)).await.unwrap();
        thread.append(&shelf, message(STEP + 2), Timestamp(0)).await.unwrap();
        let two = store.bytes() - before;
        assert!(two < 1_000, "{two} bytes for two short messages and a head");
    }

    #[tokio::test]
    async fn a_repetition_is_known_and_a_failure_changes_nothing() {
        let (store, shelf) = Broken::shelf();
        let mut thread = begun(&shelf).await;
        thread.append(&shelf, message(1), Timestamp(0)).await.unwrap();
        store.fail(true);
        assert!(thread.append(&shelf, message(2), Timestamp(0)).await.is_err());
        assert!((thread.seq(), thread.message("m2")) == (1, None) && thread.ends_with(&message(1)));
        store.fail(false);
        for n in 2..=100 {
            assert_eq!(thread.append(&shelf, message(n), Timestamp(0)).await.unwrap().seq, n);
        }
        assert_eq!((thread.message("m100"), thread.message("m1")), (Some(100), None));
        assert_eq!(thread.find_message(&shelf, "m1").await.unwrap(), Some(1));
        assert_eq!(thread.find_message(&shelf, "m101").await.unwrap(), None);
        let back = again(&shelf).await;
        assert_eq!(back.message("m100"), Some(100), "after a restart too");
        assert!(back.says(&shelf, &message(7)).await.unwrap() && back.ends_with(&message(100)));
    }
}

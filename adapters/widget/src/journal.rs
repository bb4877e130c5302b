//! The journal of every conversation: what its requester was shown, numbered, so that a browser can ask for what it
//! missed. Kept on the shelf in pages, as a ring of bounded length.
//!
//! Not here: who may read it (`receive`), what an entry looks like (`cards`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use deskbridge_contract::{Shelf, ShelfError, Standing, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::cards::{Entry, What};
use crate::ids::{ThreadKey, Visitor};
use crate::people::{read, write};

/// Entries of a page, which is written as one.
const PAGE: u64 = 16;
/// Pages of the ring.
const PAGES: u64 = 32;
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
    /// The number of the latest page that was begun.
    #[serde(default)]
    page: u64,
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

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Page {
    number: u64,
    entries: Vec<Entry>,
}

/// One conversation: its head, and the two latest pages.
pub struct Thread {
    pub key: ThreadKey,
    pub meta: Meta,
    page: Page,
    before: Page,
}

fn slot(key: &ThreadKey, number: u64) -> String {
    format!("j:{}:{}", key.0, number % PAGES)
}

async fn load_page(shelf: &Shelf, key: &ThreadKey, number: u64) -> Result<Page, ShelfError> {
    let found: Option<Page> = read(shelf, &slot(key, number)).await?;
    Ok(found.filter(|page| page.number == number).unwrap_or(Page { number, entries: Vec::new() }))
}

impl Thread {
    async fn load(shelf: &Shelf, key: &ThreadKey) -> Result<Option<Thread>, ShelfError> {
        let Some(mut meta) = read::<Meta>(shelf, &format!("c:{}", key.0)).await? else { return Ok(None) };
        // A page is written before the head says so.
        let next = load_page(shelf, key, meta.page + 1).await?;
        let page = if next.entries.is_empty() {
            load_page(shelf, key, meta.page).await?
        } else {
            meta.page += 1;
            next
        };
        let before = match meta.page.checked_sub(1) {
            Some(number) => load_page(shelf, key, number).await?,
            None => Page::default(),
        };
        Ok(Some(Thread { key: key.clone(), meta, page, before }))
    }

    /// The number of the latest entry.
    pub fn seq(&self) -> u64 {
        self.page.number * PAGE + u64::try_from(self.page.entries.len()).unwrap_or(0)
    }

    fn latest(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.before.entries.iter().chain(&self.page.entries)
    }

    /// When something last happened.
    pub fn at(&self) -> i64 {
        self.latest().next_back().map_or(0, |entry| entry.at)
    }

    /// The latest words, for lists.
    pub fn words(&self) -> String {
        let said = self.latest().rev().find_map(|entry| match &entry.what {
            What::Message { text, .. } => Some(text.as_str()),
            _ => None,
        });
        said.unwrap_or_default().chars().take(120).collect()
    }

    /// Among the entries that a repeated delivery can be: lanes are short, and a lane has one under way.
    pub fn message(&self, id: &str) -> Option<&Entry> {
        self.latest()
            .rev()
            .find(|entry| matches!(&entry.what, What::Message { id: known, .. } if known == id))
    }

    /// Whether an entry says exactly this and nothing came after that changed it.
    pub fn ends_with(&self, what: &What) -> bool {
        self.latest().next_back().is_some_and(|entry| entry.what == *what)
    }

    /// Everywhere in the ring; for what may be long ago.
    pub async fn find_message(&self, shelf: &Shelf, id: &str) -> Result<Option<Entry>, ShelfError> {
        if let Some(entry) = self.message(id) {
            return Ok(Some(entry.clone()));
        }
        let (_, entries) = self.since(shelf, 0).await?;
        Ok(entries
            .into_iter()
            .find(|entry| matches!(&entry.what, What::Message { id: known, .. } if known == id)))
    }

    /// Whether an entry that is kept says exactly this.
    pub async fn says(&self, shelf: &Shelf, what: &What) -> Result<bool, ShelfError> {
        let (_, entries) = self.since(shelf, 0).await?;
        Ok(entries.iter().any(|entry| entry.what == *what))
    }

    /// Appends durably. Nobody is told here.
    pub async fn append(&mut self, shelf: &Shelf, what: What, at: Timestamp) -> Result<Entry, ShelfError> {
        if u64::try_from(self.page.entries.len()).unwrap_or(PAGE) >= PAGE {
            let number = self.page.number + 1;
            self.before = std::mem::replace(&mut self.page, Page { number, entries: Vec::new() });
            self.meta.page = number;
            self.keep(shelf).await?;
        }
        let entry = Entry { seq: self.seq() + 1, at: at.0 / 1000, what };
        let mut page = self.page.clone();
        page.entries.push(entry.clone());
        write(shelf, &slot(&self.key, page.number), &page).await?;
        self.page = page;
        Ok(entry)
    }

    /// Writes the head.
    pub async fn keep(&self, shelf: &Shelf) -> Result<(), ShelfError> {
        write(shelf, &format!("c:{}", self.key.0), &self.meta).await
    }

    /// What came after `cursor`, in order. True: some of it is not kept any more.
    pub async fn since(&self, shelf: &Shelf, cursor: u64) -> Result<(bool, Vec<Entry>), ShelfError> {
        let last = self.page.number;
        let oldest = (last + 1).saturating_sub(PAGES);
        let mut entries = Vec::new();
        for number in (cursor / PAGE).max(oldest)..=last {
            if number == last {
                entries.extend(self.page.entries.iter().cloned());
            } else if number + 1 == last {
                entries.extend(self.before.entries.iter().cloned());
            } else {
                entries.extend(load_page(shelf, &self.key, number).await?.entries);
            }
        }
        entries.retain(|entry| entry.seq > cursor);
        // A cursor from beyond the end is of another journal.
        let lost = cursor / PAGE < oldest || cursor > self.seq();
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
        let meta =
            Meta { room: visitor.clone(), owner: visitor.clone(), title, standing: None, read: 0, page: 0 };
        Thread { key: key.clone(), meta, page: Page::default(), before: Page::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shelf;

    fn said(n: u64) -> What {
        What::Deleted { id: format!("m{n}") }
    }

    fn numbers(entries: &[Entry]) -> Vec<u64> {
        entries.iter().map(|entry| entry.seq).collect()
    }

    #[tokio::test]
    async fn what_was_missed_is_found_again_also_after_a_restart() {
        let shelf = shelf();
        let key = ThreadKey::parse(&"0a".repeat(16)).unwrap();
        let visitor = Visitor::unknown().unwrap();
        {
            let threads = Threads::default();
            let mut held = threads.hold(&shelf, &key).await.unwrap();
            assert!(held.is_none());
            let mut thread = Threads::begin(&key, &visitor, "VPN".into());
            thread.keep(&shelf).await.unwrap();
            for n in 1..=40 {
                assert_eq!(thread.append(&shelf, said(n), Timestamp(n as i64 * 1000)).await.unwrap().seq, n);
            }
            *held = Some(thread);
        }
        let threads = Threads::default();
        let held = threads.hold(&shelf, &key).await.unwrap();
        let thread = held.as_ref().unwrap();
        assert_eq!((thread.seq(), thread.at()), (40, 40));
        for cursor in [0, 1, 15, 16, 17, 31, 32, 39, 40] {
            let (lost, entries) = thread.since(&shelf, cursor).await.unwrap();
            assert!(!lost);
            assert_eq!(numbers(&entries), (cursor + 1..=40).collect::<Vec<_>>());
        }
        assert!(thread.since(&shelf, 41).await.unwrap().0, "a cursor of another journal");
    }

    #[tokio::test]
    async fn the_ring_has_an_end_and_says_so() {
        let shelf = shelf();
        let key = ThreadKey::parse(&"0b".repeat(16)).unwrap();
        let mut thread = Threads::begin(&key, &Visitor::unknown().unwrap(), String::new());
        thread.keep(&shelf).await.unwrap();
        for n in 1..=PAGE * PAGES + 40 {
            thread.append(&shelf, said(n), Timestamp(0)).await.unwrap();
        }
        let (lost, entries) = thread.since(&shelf, 3).await.unwrap();
        assert!(
            lost && entries.len() as u64 <= PAGE * PAGES && entries.last().unwrap().seq == PAGE * PAGES + 40
        );
        let numbers = numbers(&entries);
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "without a gap");
    }
}

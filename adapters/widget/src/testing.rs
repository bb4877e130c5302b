//! Shelves in memory, for the tests of this crate.
//!
//! Not here: anything that runs in the program.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use deskbridge_contract::suite::Recorder;
use deskbridge_contract::{ChannelName, Inbox, Shelf, ShelfError, ShelfStore};

pub(crate) fn shelf() -> Shelf {
    Broken::shelf().1
}

/// A shelf that can be told to fail, and counts the bytes that it was given.
#[derive(Default)]
pub(crate) struct Broken {
    values: Mutex<HashMap<String, String>>,
    failing: AtomicBool,
    bytes: AtomicUsize,
    /// Fails when so many values were written.
    last: Mutex<Option<usize>>,
}

impl Broken {
    pub(crate) fn shelf() -> (Arc<Broken>, Shelf) {
        let store = Arc::new(Broken::default());
        let inbox = Inbox::new("widget".into(), Arc::new(Recorder::default()), store.clone());
        (store, inbox.shelf())
    }

    pub(crate) fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::Relaxed);
    }

    /// As if the program ended after `count` more writes.
    pub(crate) fn end_after(&self, count: usize) {
        *self.last.lock().unwrap() = Some(count);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn len(&self) -> usize {
        self.values.lock().unwrap().len()
    }

    /// Whether a key or a value contains this.
    pub(crate) fn holds(&self, word: &str) -> bool {
        self.values.lock().unwrap().iter().any(|(key, value)| key.contains(word) || value.contains(word))
    }

    fn works(&self) -> Result<(), ShelfError> {
        if self.failing.load(Ordering::Relaxed) { Err(ShelfError("told to fail".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl ShelfStore for Broken {
    async fn get(&self, _: &ChannelName, key: &str) -> Result<Option<String>, ShelfError> {
        self.works()?;
        Ok(self.values.lock().unwrap().get(key).cloned())
    }

    async fn put(&self, _: &ChannelName, key: &str, value: &str) -> Result<(), ShelfError> {
        self.works()?;
        if let Some(left) = &mut *self.last.lock().unwrap() {
            *left = left.checked_sub(1).ok_or_else(|| ShelfError("told to end".into()))?;
        }
        self.bytes.fetch_add(key.len() + value.len(), Ordering::Relaxed);
        self.values.lock().unwrap().insert(key.to_owned(), value.to_owned());
        Ok(())
    }
    async fn delete(&self, _: &ChannelName, keys: &[String]) -> Result<(), ShelfError> {
        self.values.lock().unwrap().retain(|key, _| !keys.contains(key));
        Ok(())
    }

    async fn find(&self, _: &ChannelName, prefix: &str, word: &str) -> Result<Vec<String>, ShelfError> {
        let all = self.values.lock().unwrap();
        let found = all.iter().filter(|(key, value)| key.starts_with(prefix) && value.contains(word));
        Ok(found.map(|(key, _)| key.clone()).collect())
    }
}

//! Who wrote the latest messages: Discord tells of a deletion without saying whose message it was.
//!
//! Not here: whether anybody may delete anything.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Messages that are remembered.
const MOST: usize = 8192;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    /// The bot, or one of its webhooks.
    Us,
    /// One of our webhooks, which alone may change it.
    Hook,
    Person {
        id: String,
        name: Option<String>,
    },
}

#[derive(Default)]
pub(crate) struct Authors(Mutex<(HashMap<String, Author>, VecDeque<String>)>);

impl Authors {
    pub(crate) fn note(&self, message: &str, author: Author) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, order) = &mut *inner;
        if known.insert(message.to_owned(), author).is_some() {
            return;
        }
        order.push_back(message.to_owned());
        if order.len() > MOST
            && let Some(oldest) = order.pop_front()
        {
            known.remove(&oldest);
        }
    }

    /// Nothing of a person stays.
    pub(crate) fn forget(&self, person: &str) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, order) = &mut *inner;
        known.retain(|_, author| !matches!(author, Author::Person { id, .. } if id == person));
        order.retain(|message| known.contains_key(message));
    }

    pub(crate) fn of(&self, message: &str) -> Option<Author> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.get(message).cloned()
    }
}

//! Who wrote the latest messages: Discord tells of a deletion without saying whose message it was.
//!
//! Not here: whether anybody may delete anything.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Messages that are remembered.
const MOST: usize = 8192;
const MOST_NONCES: usize = 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    /// The bot, or one of its webhooks.
    Us,
    /// The webhook of ours with this id, which alone may change it.
    Hook(String),
    Person {
        id: String,
        name: Option<String>,
    },
}

/// Nonces of our latest messages: Discord tells them once, and not in its history.
#[derive(Default)]
pub(crate) struct Nonces(Mutex<VecDeque<(String, String)>>);

impl Nonces {
    pub(crate) fn note(&self, nonce: &str, message: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.iter().any(|(other, at)| other == nonce && at == message) {
            return;
        }
        if known.len() >= MOST_NONCES {
            known.pop_front();
        }
        known.push_back((nonce.to_owned(), message.to_owned()));
    }

    /// The message that was sent with it.
    pub(crate) fn message(&self, nonce: &str) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(other, _)| other == nonce).map(|(_, message)| message.clone())
    }

    /// Whether it is known with which one a message was sent.
    pub(crate) fn is_known(&self, message: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|(_, at)| at == message)
    }
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

//! Answers that are waited for in a response (D35), and those that were given, for repeats of the same request.
//!
//! Not here: how long is waited (`door.rs`).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use deskbridge_contract::{Address, Shelf, ShelfError};
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// Given answers that are kept; an older one's place is taken by a newer one's.
const KEPT: u64 = 4096;

/// Requests that wait, by the conversation in which they were made.
#[derive(Default)]
pub(crate) struct Slots(Mutex<HashMap<String, Waiting>>);

struct Waiting {
    event: String,
    slot: oneshot::Sender<Value>,
}

impl Slots {
    /// Whoever waited there before waits no more: the newer question gets the answer. `None`: the very same request
    /// waits already, and a repeat takes nothing from it.
    pub(crate) fn wait(&self, at: &Address, event: &str) -> Option<oneshot::Receiver<Value>> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.get(&at.key()).is_some_and(|other| other.event == event && !other.slot.is_closed()) {
            return None;
        }
        let (slot, receiver) = oneshot::channel();
        waiting.insert(at.key(), Waiting { event: event.to_owned(), slot });
        Some(receiver)
    }

    /// Closes the slot, unless somebody else waits there by now. What had been answered until this moment is given.
    pub(crate) fn close(&self, at: &Address, mut receiver: oneshot::Receiver<Value>) -> Option<Value> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // With the lock held nobody can be answering: either it was answered before, or it never will be.
        receiver.close();
        if waiting.get(&at.key()).is_some_and(|waiting| waiting.slot.is_closed()) {
            waiting.remove(&at.key());
        }
        receiver.try_recv().ok()
    }

    /// False when nobody waits there any more.
    pub(crate) fn answer(&self, at: &Address, answer: Value) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(&at.key()).is_some_and(|waiting| waiting.slot.send(answer).is_ok())
    }
}

/// The place of an answer: a fixed number of them, so that the shelf does not grow.
fn place(event: &str) -> String {
    let hex: String = event.chars().rev().take_while(char::is_ascii_hexdigit).take(8).collect();
    let number = u64::from_str_radix(&hex, 16).unwrap_or(0) % KEPT;
    format!("answer:{number}")
}

pub(crate) async fn keep(shelf: &Shelf, event: &str, answer: &Value) -> Result<(), ShelfError> {
    shelf.put(&place(event), &json!({ "event": event, "answer": answer }).to_string()).await
}

/// What this very request was answered, where it is still known.
pub(crate) async fn given(shelf: &Shelf, event: &str) -> Result<Option<Value>, ShelfError> {
    let kept = shelf.get(&place(event)).await?.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    Ok(kept.filter(|kept| kept["event"] == event).map(|mut kept| kept["answer"].take()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_answer_to_one_question() {
        let slots = Slots::default();
        let at = Address::room(&"teams".into(), "19:a@thread.tacv2").thread("1");
        assert!(!slots.answer(&at, json!("nobody asked")));
        let mut first = slots.wait(&at, "1").unwrap();
        assert!(slots.answer(&at, json!("first")));
        assert!(!slots.answer(&at, json!("second")));
        assert_eq!(first.try_recv().ok(), Some(json!("first")));
        // Given up in the moment of the answer: it is not lost.
        let late = slots.wait(&at, "2").unwrap();
        assert!(slots.answer(&at, json!("just in time")));
        assert_eq!(slots.close(&at, late), Some(json!("just in time")));
        let never = slots.wait(&at, "2").unwrap();
        assert!(slots.wait(&at, "2").is_none());
        assert_eq!(slots.close(&at, never), None);
        assert!(!slots.answer(&at, json!("too late")));
        // Closing an old question leaves a newer one open.
        let (old, mut new) = (slots.wait(&at, "3").unwrap(), slots.wait(&at, "4").unwrap());
        assert_eq!(slots.close(&at, old), None);
        assert!(slots.answer(&at, json!("new")));
        assert_eq!(new.try_recv().ok(), Some(json!("new")));
    }

    #[test]
    fn places_are_few() {
        for event in ["message:00ff", "message:", "ü", "", "message:ffffffffffffffffffffffff"] {
            let number: u64 = place(event).strip_prefix("answer:").unwrap().parse().unwrap();
            assert!(number < KEPT);
        }
    }
}

//! Events that could not be stored. After a resume they come again by themselves; when their session is lost nobody sends
//! them again, and they are taken from here.
//!
//! Not here: messages that even an end of the process must not lose: their rooms are read back (`gap.rs`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deskbridge_contract::Shelf;
use serde_json::Value;

use crate::Discord;
use crate::translate::text;

/// Events that are kept; of more, only the messages are found again, in the history of their rooms.
const MOST: usize = 1024;

/// In the order in which they came.
#[derive(Default)]
pub(crate) struct Owed(Mutex<Vec<Arc<Value>>>);

impl Owed {
    pub(super) fn take(&self) -> Vec<Arc<Value>> {
        std::mem::take(&mut *self.lock())
    }

    /// One that came again before is there once.
    fn add(&self, events: Vec<Arc<Value>>) {
        let mut all = self.lock();
        for event in events {
            let again = all.iter().any(|known| key_of(known) == key_of(&event));
            if !again && all.len() < MOST {
                all.push(event);
            }
        }
    }

    /// Nothing of a person stays.
    pub(crate) fn forget(&self, person: &str) {
        let quoted = format!("\"{person}\"");
        self.lock().retain(|event| !event.to_string().contains(&quoted));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Value>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which event of which session.
fn key_of(event: &Value) -> (Option<&str>, Option<u64>) {
    (text(event, "session"), event["s"].as_u64())
}

/// Keeps what a connection leaves behind.
pub(super) async fn keep(discord: &Discord, shelf: &Shelf, events: Vec<Arc<Value>>) {
    let gap = &discord.receiving.gap;
    events.iter().for_each(|event| gap.owe(discord, event));
    discord.receiving.owed.add(events);
    if let Err(error) = gap.keep(shelf).await {
        // It is written before the next session is.
        tracing::debug!(channel = %discord.channel, %error, "rooms that have to be read were not noted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_once_in_order_within_bounds_and_of_nobody_who_is_forgotten() {
        let owed = Owed::default();
        let event = |session: &str, s: u64, who: &str| {
            Arc::new(json!({ "session": session, "s": s, "d": { "author": { "id": who } } }))
        };
        owed.add(vec![event("a", 1, "7"), event("a", 2, "70")]);
        owed.add(vec![event("a", 1, "7"), event("b", 1, "7")]);
        let known: Vec<_> = owed.lock().iter().map(|event| event["s"].as_u64()).collect();
        assert_eq!(known, [Some(1), Some(2), Some(1)]);
        owed.forget("7");
        assert_eq!(owed.take(), vec![event("a", 2, "70")]);
        owed.add((0..5000).map(|s| event("c", s, "7")).collect());
        assert_eq!(owed.take().len(), MOST);
        assert!(owed.take().is_empty());
    }
}

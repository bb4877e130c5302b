//! Desk channels that take nothing by now: archived, deleted, or left by the app. Slack says so to whoever posts.
//!
//! Not here: what was wrong from the beginning (`doctor.rs`), what becomes of the message (the core).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use deskbridge_contract::{SendError, Sent};

/// The channels, each with Slack's word for it.
#[derive(Default)]
pub(crate) struct Shut(Mutex<BTreeMap<String, String>>);

impl Shut {
    /// What came of something that was sent there. Where anything arrives, the channel is open again.
    pub(crate) fn note(&self, room: &str, outcome: &Result<Sent, SendError>) {
        match outcome {
            Ok(_) => drop(self.lock().remove(room)),
            Err(SendError::Gone { why }) => {
                if self.lock().insert(room.to_owned(), why.clone()).is_none() {
                    tracing::error!(room, why, "a desk channel takes no messages any more");
                }
            }
            Err(_) => {}
        }
    }

    /// For whoever looks after the channel.
    pub(crate) fn said(&self) -> Vec<String> {
        self.lock().iter().map(|(room, why)| format!("the desk {room} takes no messages: {why}")).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

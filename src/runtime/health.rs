//! How each channel is, for `/readyz`, the metrics and the log; and the counters of what was committed.
//!
//! Not here: deciding what to do about a sick channel (the supervisor, the outbox).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use deskbridge_contract::{ChannelName, Timestamp};
use deskbridge_store::Committed;
use serde::Serialize;

/// A channel's health as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum State {
    Starting,
    Up {
        since: Timestamp,
        detail: String,
    },
    /// Receiving failed; tried again at the given time.
    Down {
        since: Timestamp,
        why: String,
        retry_at: Timestamp,
    },
    /// Credentials refused: nothing is sent until they work again.
    Paused {
        since: Timestamp,
        why: String,
    },
}

#[derive(Default)]
pub struct Health {
    channels: Mutex<BTreeMap<ChannelName, State>>,
}

impl Health {
    pub fn set(&self, channel: &ChannelName, state: State) {
        let up = matches!(state, State::Up { .. });
        metrics::gauge!("deskbridge_channel_up", "channel" => channel.0.clone()).set(if up {
            1.0
        } else {
            0.0
        });
        self.channels.lock().unwrap_or_else(PoisonError::into_inner).insert(channel.clone(), state);
    }

    pub fn get(&self, channel: &ChannelName) -> Option<State> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner).get(channel).cloned()
    }

    pub fn all(&self) -> BTreeMap<ChannelName, State> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Counts a commit. No names of people, rooms or tenants in labels (S109).
pub fn count(committed: &Committed) {
    for change in &committed.changes {
        let messages = u64::try_from(change.messages.len()).unwrap_or(u64::MAX);
        metrics::counter!("deskbridge_events_total").increment(1);
        metrics::counter!("deskbridge_messages_total").increment(messages);
        let stage = change.conversation.stage_name();
        if change.before != Some(stage) {
            metrics::counter!("deskbridge_stage_changes_total", "to" => stage).increment(1);
        }
    }
}

//! Reactions: those that people are to see as ours, and the bridge's one mark per technician's message (D21).
//!
//! Not here: which mark a message has earned (the core).

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use deskbridge_contract::{Address, Mark, RemoteMessageId, SendError, Sent};
use serde_json::json;

use super::{Sending, noted};
use crate::api::Fault;
use crate::ids::{self, Place};
use crate::markup;

/// Messages whose mark is remembered; of one that was forgotten Slack is asked.
const REMEMBERED: usize = 2048;

/// D21, by Slack's names: 📨 👁️ 🔒 ⏳ ⚠️.
const MARKS: [(Mark, &str); 5] = [
    (Mark::Delivered, "incoming_envelope"),
    (Mark::Seen, "eye"),
    (Mark::Internal, "lock"),
    (Mark::Held, "hourglass_flowing_sand"),
    (Mark::Failed, "warning"),
];

pub(crate) fn name(mark: Mark) -> &'static str {
    MARKS.into_iter().find(|(known, _)| *known == mark).map_or("warning", |(_, name)| name)
}

/// Which message carries which of our marks, the latest last.
#[derive(Default)]
pub(super) struct Known(Mutex<VecDeque<((String, String), &'static str)>>);

impl Known {
    fn of(&self, key: &(String, String)) -> Option<&'static str> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().rev().find(|(message, _)| message == key).map(|(_, name)| *name)
    }

    fn set(&self, key: (String, String), name: &'static str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(message, _)| *message != key);
        if known.len() >= REMEMBERED {
            known.pop_front();
        }
        known.push_back((key, name));
    }
}

impl Sending {
    pub(super) async fn react(
        &self,
        at: &Address,
        message: &RemoteMessageId,
        emoji: &str,
        on: bool,
    ) -> Result<Sent, SendError> {
        let (place, ts) = (ids::place(at)?, ids::message(message)?);
        let Some(name) = markup::name_of(emoji) else {
            return Ok(noted(at, message, "Slack has no such reaction"));
        };
        match self.set_reaction(place, ts, name, on).await {
            Err(fault) if fault.is(&["invalid_name", "too_many_emoji", "too_many_reactions"]) => {
                Ok(noted(at, message, "this reaction is not possible here"))
            }
            other => other.map(|()| Sent::at(at, Some(message.clone()))).map_err(SendError::from),
        }
    }

    /// The new mark first, so that there is always one; then the old one goes.
    pub(super) async fn mark(
        &self,
        at: &Address,
        message: &RemoteMessageId,
        mark: Mark,
    ) -> Result<Sent, SendError> {
        let (place, ts) = (ids::place(at)?, ids::message(message)?);
        let key = (place.channel.to_owned(), ts.to_owned());
        let new = name(mark);
        let old = match self.marks.of(&key) {
            Some(old) => vec![old],
            // The first mark of a message that is held; nothing can be there before it.
            None if mark == Mark::Held => Vec::new(),
            None => self.own_marks(place, ts).await?,
        };
        self.set_reaction(place, ts, new, true).await?;
        for old in old.into_iter().filter(|old| *old != new) {
            self.set_reaction(place, ts, old, false).await?;
        }
        self.marks.set(key, new);
        Ok(Sent::at(at, Some(message.clone())))
    }

    /// Our marks on a message that this process has not marked yet.
    async fn own_marks(&self, place: Place<'_>, ts: &str) -> Result<Vec<&'static str>, SendError> {
        let own = self.identity().await?.user_id;
        let query = [
            ("channel", place.channel.to_owned()),
            ("timestamp", ts.to_owned()),
            ("full", "true".to_owned()),
        ];
        let answer = match self.api.get("reactions.get", &query).await {
            Ok(answer) => answer,
            Err(Fault { error: error @ SendError::Retry { .. }, .. }) => return Err(error),
            Err(Fault { error: SendError::Ambiguous { why }, .. }) => {
                return Err(SendError::Retry { after: None, why });
            }
            // Without the right to look, an old mark may stay beside the new one.
            Err(_) => return Ok(Vec::new()),
        };
        let reactions = answer["message"]["reactions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ours = reactions.iter().filter(|reaction| {
            let users = reaction["users"].as_array().map(Vec::as_slice).unwrap_or_default();
            users.iter().any(|user| user == own.as_str())
        });
        let named = ours.filter_map(|reaction| {
            let name = reaction["name"].as_str()?;
            MARKS.into_iter().find(|(_, mark)| *mark == name).map(|(_, mark)| mark)
        });
        Ok(named.collect())
    }

    /// That nothing had to be changed is success: the wish is fulfilled.
    pub(crate) async fn set_reaction(
        &self,
        place: Place<'_>,
        ts: &str,
        name: &str,
        on: bool,
    ) -> Result<(), Fault> {
        let body = json!({ "channel": place.channel, "timestamp": ts, "name": name });
        let method = if on { "reactions.add" } else { "reactions.remove" };
        match self.api.post(method, &body).await {
            Ok(_) => Ok(()),
            Err(fault) if fault.is(&["already_reacted", "no_reaction"]) => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}

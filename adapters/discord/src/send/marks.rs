//! Reactions: those that people are to see as ours, and the bridge's one mark per technician's message (D21).
//!
//! Not here: which mark a message has earned (the core).

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use deskbridge_contract::{Address, Mark, RemoteMessageId, Sent};
use reqwest::Method;
use serde_json::Value;

use super::{Sending, noted};
use crate::api::{Call, Fault, code};
use crate::cards;
use crate::ids::{self, Place};

/// Messages whose mark is remembered; of one that was forgotten Discord is asked.
const REMEMBERED: usize = 2048;

/// Which message carries which of our marks.
#[derive(Default)]
pub(super) struct Known(Mutex<VecDeque<(String, Vec<&'static str>)>>);

impl Known {
    fn of(&self, message: &str) -> Option<Vec<&'static str>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(id, _)| id == message).map(|(_, marks)| marks.clone())
    }

    fn set(&self, message: &str, marks: Vec<&'static str>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(id, _)| id != message);
        if known.len() >= REMEMBERED {
            known.pop_front();
        }
        known.push_back((message.to_owned(), marks));
    }
}

impl Sending {
    pub(super) async fn react(
        &self,
        at: &Address,
        message: &RemoteMessageId,
        emoji: &str,
        on: bool,
    ) -> Result<Sent, Fault> {
        let (place, id) = (ids::place(at)?, ids::message(message)?);
        if emoji.is_empty() || emoji.is_ascii() || emoji.len() > 64 {
            return Ok(noted(at, message, "Discord has no such reaction"));
        }
        match self.set_reaction(place, id, emoji, on).await {
            Err(fault) if fault.is(&[code::UNKNOWN_EMOJI, code::MOST_REACTIONS, code::REACTION_BLOCKED]) => {
                Ok(noted(at, message, "this reaction is not possible here"))
            }
            other => other.map(|()| Sent::at(at, Some(message.clone()))),
        }
    }

    /// The new mark first, so that there is always one; then the old one goes.
    pub(super) async fn mark(
        &self,
        at: &Address,
        message: &RemoteMessageId,
        mark: Mark,
    ) -> Result<Sent, Fault> {
        let (place, id) = (ids::place(at)?, ids::message(message)?);
        let new = cards::mark(mark);
        let mut there = match self.marks.of(id) {
            Some(there) => there,
            // The first mark of a message that is held; nothing can be there before it.
            None if mark == Mark::Held => Vec::new(),
            None => self.own_marks(place, id).await?,
        };
        if !there.contains(&new) {
            self.set_reaction(place, id, new, true).await?;
            there.push(new);
            self.marks.set(id, there.clone());
        }
        // What was done is remembered at once: a reaction has a limit of its own, and the rest may have to wait.
        for old in there.clone().into_iter().filter(|old| *old != new) {
            self.set_reaction(place, id, old, false).await?;
            there.retain(|known| *known != old);
            self.marks.set(id, there.clone());
        }
        Ok(Sent::at(at, Some(message.clone())))
    }

    /// Our marks on a message that this process has not marked yet.
    async fn own_marks(&self, place: Place<'_>, message: &str) -> Result<Vec<&'static str>, Fault> {
        let route = format!("channels/{}/messages/{message}", place.channel);
        let found = self
            .api
            .get(route, &[])
            .await
            .map_err(|fault| Fault { code: fault.code, error: fault.harmless() })?;
        let reactions = found["reactions"].as_array().into_iter().flatten();
        let ours = reactions.filter(|reaction| reaction["me"] == Value::Bool(true));
        let plain = |text: &str| text.replace('\u{fe0f}', "");
        let named = ours.filter_map(|reaction| {
            let name = plain(reaction["emoji"]["name"].as_str()?);
            cards::MARKS.into_iter().find(|(_, emoji)| plain(emoji) == name).map(|(_, emoji)| emoji)
        });
        Ok(named.collect())
    }

    async fn set_reaction(
        &self,
        place: Place<'_>,
        message: &str,
        emoji: &str,
        on: bool,
    ) -> Result<(), Fault> {
        let encoded: String = emoji.bytes().map(|b| format!("%{b:02X}")).collect();
        let route = format!("channels/{}/messages/{message}/reactions/{encoded}/@me", place.channel);
        let method = if on { Method::PUT } else { Method::DELETE };
        self.in_place(place, &Call::new(method, route)).await.map(|_| ())
    }
}

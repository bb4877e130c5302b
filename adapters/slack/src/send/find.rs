//! Reading back: which messages of a delivery are on Slack, by what is written into them.
//!
//! Not here: when it is looked (the runtime, after an attempt of which nobody knows the outcome).
//!
//! A caveat of Slack's own (platform-contracts §1.4): "conversations.history" has no replies, and the page of
//! "conversations.replies" says that a bot may read threads only in direct messages. Where Slack holds to that, or the app
//! lacks a scope, this says that it cannot be read back, and the runtime does what it does without.

use std::collections::BTreeMap;
use std::sync::Arc;

use deskbridge_contract::{Address, Outbound, OutboundOp, RemoteMessageId, SendError, Sent};
use serde_json::Value;

use super::plan::{self, EVENT, Part};
use super::{Portion, Sending, posts};
use crate::api::Fault;
use crate::ids::{self, Place};

/// "no more than 200 results at a time" is recommended.
const PAGE: usize = 200;
/// Pages of a thread, or of a room's latest messages, that are looked through.
const PAGES: usize = 10;

/// Part by part: where it is.
type Seen = BTreeMap<usize, String>;

impl Sending {
    pub(crate) async fn find(self: &Arc<Self>, out: &Outbound) -> Result<Option<Sent>, SendError> {
        let place = ids::place(&out.to)?;
        match &out.op {
            OutboundOp::OpenThread { .. } => {
                let root = Place { thread: None, ..place };
                let seen = self.written(root, out.id.as_str()).await?;
                let Some(ts) = seen.get(&1) else { return Ok(None) };
                let at = Address { thread: None, ..out.to.clone() }.thread(ts.clone());
                Ok(Some(Sent::at(&at, Some(RemoteMessageId(ts.clone())))))
            }
            OutboundOp::Post { content, files, persona, .. } => {
                let parts = plan::parts(content, files, persona.as_ref(), None)?;
                self.find_post(out, place, &parts).await
            }
            OutboundOp::Edit { .. }
            | OutboundOp::Delete { .. }
            | OutboundOp::React { .. }
            | OutboundOp::Mark { .. }
            | OutboundOp::SetThread { .. }
            | OutboundOp::Whisper { .. } => Err(SendError::rejected("only posts can be read back")),
        }
    }

    async fn find_post(
        &self,
        out: &Outbound,
        place: Place<'_>,
        parts: &[Part],
    ) -> Result<Option<Sent>, SendError> {
        let mut seen = Seen::new();
        if parts.iter().any(|part| matches!(part, Part::Message(_))) {
            seen = self.written(place, out.id.as_str()).await?;
        }
        if let Some(nth) = parts.iter().position(|part| matches!(part, Part::Files(_)))
            && let Some(ts) = self.posted_before(out, place).await.map_err(unreadable)?
        {
            seen.insert(nth + 1, ts);
        }
        // From the first on: a later part without an earlier one would be shown in the wrong order anyway.
        let there: Vec<RemoteMessageId> =
            (1..=parts.len()).map_while(|nth| seen.get(&nth).cloned()).map(RemoteMessageId).collect();
        if there.len() == parts.len() {
            return Ok(Some(posts::all(out.to.clone(), there, None)));
        }
        if !there.is_empty() {
            // The next attempt goes on behind them.
            let portion = Portion { id: out.id.clone(), to: out.to.clone(), parts: parts.len() };
            self.remember(portion, there);
        }
        Ok(None)
    }

    async fn written(&self, place: Place<'_>, delivery: &str) -> Result<Seen, SendError> {
        let mut seen = Seen::new();
        self.read_through(place, |messages| {
            let total = messages.iter().filter_map(|message| part_in(message, delivery, &mut seen)).max();
            total.is_some_and(|total| seen.len() >= total)
        })
        .await?;
        Ok(seen)
    }

    /// Looks through a thread from its beginning, or through a room from its end; that is how Slack turns the pages. Ends
    /// where `enough` says so of a page.
    pub(super) async fn read_through(
        &self,
        place: Place<'_>,
        mut enough: impl FnMut(&[Value]) -> bool,
    ) -> Result<(), SendError> {
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let mut query = vec![
                ("channel", place.channel.to_owned()),
                ("limit", PAGE.to_string()),
                ("include_all_metadata", "true".to_owned()),
            ];
            if let Some(thread) = place.thread {
                query.push(("ts", thread.to_owned()));
            }
            if !cursor.is_empty() {
                query.push(("cursor", cursor.clone()));
            }
            let method =
                if place.thread.is_some() { "conversations.replies" } else { "conversations.history" };
            let page = match self.api.get(method, &query).await {
                Ok(page) => page,
                // Neither is what was posted there: sending again will say what is wrong.
                Err(fault) if fault.is(&["thread_not_found"]) => return Ok(()),
                Err(fault) => return Err(unreadable(fault)),
            };
            let messages = page["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
            if enough(messages) {
                return Ok(());
            }
            cursor = page["response_metadata"]["next_cursor"].as_str().unwrap_or_default().to_owned();
            if cursor.is_empty() {
                return Ok(());
            }
        }
        match place.thread {
            // What is looked for is new, and all of the latest were seen.
            None => Ok(()),
            Some(_) => Err(SendError::rejected("the thread is too long to be read back")),
        }
    }
}

/// Notes a message that belongs to the delivery; how many there should be.
fn part_in(message: &Value, delivery: &str, seen: &mut Seen) -> Option<usize> {
    let metadata = &message["metadata"];
    let payload = &metadata["event_payload"];
    if metadata["event_type"] != EVENT || payload["delivery_id"] != delivery {
        return None;
    }
    let ts = message["ts"].as_str().filter(|ts| ids::is_ts(ts))?;
    let number = |key: &str| payload[key].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
    seen.entry(number("part")).or_insert_with(|| ts.to_owned());
    Some(number("parts"))
}

/// A right that is missing for reading is none that is missing for sending: the channel goes on, without reading back.
fn unreadable(fault: Fault) -> SendError {
    match fault.error {
        _ if fault.is(&["missing_scope", "not_allowed_token_type", "no_permission"]) => {
            SendError::rejected("the app may not read here")
        }
        SendError::Ambiguous { why } => SendError::Retry { after: None, why },
        other => other,
    }
}

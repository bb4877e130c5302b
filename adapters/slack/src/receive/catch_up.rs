//! What was said while nothing could be received: read from the history of the rooms and threads that are ours, and
//! pushed like anything else. What had been stored before has the same ids, and changes nothing. What was edited meanwhile
//! says so in the history; what was deleted is gone from it (`gone.rs`). Places that are not known are looked for
//! (`elsewhere.rs`).
//!
//! Not here: what is kept of how far rooms were read (`marks.rs`).

mod elsewhere;
mod gone;

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::{Inbox, PushError, SendError};
use serde_json::{Value, json};

use super::{marks, push, unavailable, view};
use crate::ids;
use crate::translate::{self, text};
use crate::{Me, Slack};

/// How often it is noted how far rooms were read that are known; new ones are noted at once.
const NOTE: Duration = Duration::from_secs(5);
/// Messages of one page ("conversations.history": at most 999, 200 recommended).
const PAGE: usize = 200;
/// Pages of one room. Who was away for longer than 2 000 messages of a room is told in the log.
const MAX_PAGES: usize = 10;
/// How long before the last known message edits are looked for, in seconds: people change what they wrote just now
/// (conventions.md §3.3).
const EDITABLE: i64 = 15 * 60;
/// Tier 3 allows 50 calls in a minute.
const PACE: Duration = Duration::from_millis(1250);
/// Waited at most when Slack asks to slow down.
const LONGEST: Duration = Duration::from_secs(120);

/// Reads what was missed, then keeps notes until the inbox is closed. Reads again when Slack left events out.
pub(super) async fn keep(slack: &Arc<Slack>, inbox: &Inbox) -> Result<(), SendError> {
    let marks = &slack.receiving.marks;
    let shelf = inbox.shelf();
    match marks.load(&shelf).await {
        Ok(Some(kept)) => {
            slack.receiving.floor().get_or_insert(kept);
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(channel = %slack.channel, %error, "it is not known what was missed"),
    }
    let mut reading = true;
    let mut tick = tokio::time::interval(NOTE);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let now = reading;
        let read = async {
            if now {
                let seen = slack.receiving.last_known();
                let done = all(slack, inbox, &seen).await;
                if done.is_err() {
                    // Once more, from the same place.
                    slack.receiving.floor().get_or_insert(seen);
                }
                done
            } else {
                slack.receiving.missed.notified().await;
                Ok(true)
            }
        };
        tokio::pin!(read);
        let done = loop {
            tokio::select! {
                done = &mut read => break done,
                _ = tick.tick() => {}
                () = marks.freshened() => {}
            }
            if let Err(error) = marks.flush(&shelf).await {
                tracing::debug!(channel = %slack.channel, %error, "it was not noted how far rooms were read");
            }
        };
        match done {
            // Having waited, it reads; having read, it waits.
            Ok(again) => reading = again,
            Err(PushError::Closed) => return Ok(()),
            Err(PushError::Unavailable) => tokio::time::sleep(NOTE).await,
        }
    }
}

async fn all(slack: &Arc<Slack>, inbox: &Inbox, seen: &super::marks::Seen) -> Result<bool, PushError> {
    let me = slack.me().await.map_err(unavailable)?;
    let mut found = 0;
    for (room, last) in &seen.rooms {
        found += read(slack, inbox, &me, (room, None), last).await?;
    }
    for (thread, last) in &seen.threads {
        if let Some((room, root)) = thread.split_once('/') {
            found += read(slack, inbox, &me, (room, Some(root)), last).await?;
        }
    }
    found += elsewhere::all(slack, inbox, &me, seen).await?;
    if found > 0 {
        tracing::info!(channel = %slack.channel, messages = found, "messages from an outage were read");
    }
    Ok(false)
}

/// One room, or one thread of it; returns how many messages were new.
async fn read(
    slack: &Arc<Slack>,
    inbox: &Inbox,
    me: &Me,
    (room, root): (&str, Option<&str>),
    last: &str,
) -> Result<usize, PushError> {
    let Read { mut messages, whole } = match pages(slack, room, root, last).await {
        Ok(read) => read,
        // Nothing of it is left, and Slack says so.
        Err(SendError::ThreadGone { .. }) if root.is_some() => Read { messages: Vec::new(), whole: true },
        Err(error) => {
            // A room that is gone is no reason to leave out the others.
            tracing::debug!(channel = %slack.channel, %error, "a room could not be read after an outage");
            return Ok(0);
        }
    };
    messages.sort_by(|a, b| text(a, "ts").cmp(&text(b, "ts")));
    let mut new = 0;
    if whole {
        new += gone::read(slack, inbox, me, (room, root), &messages, last).await?;
    }
    for message in messages {
        // A thread of a direct message, which its history leaves out.
        let answered = root.is_none()
            && room.starts_with('D')
            && text(&message, "latest_reply").is_some_and(|latest| latest > last);
        // "conversations.replies" begins with the root, whatever was asked for.
        let Some(ts) = text(&message, "ts").filter(|ts| *ts > last) else {
            new += changed(slack, inbox, me, room, &message, last).await?;
            if answered && let Some(ts) = text(&message, "ts") {
                new += Box::pin(read(slack, inbox, me, (room, Some(ts)), last)).await?;
            }
            continue;
        };
        let begun = root.is_none()
            && translate::calls(&message, &me.user_id)
            && message.get("reply_count").and_then(Value::as_u64).is_some_and(|replies| replies > 0);
        match one(slack, inbox, me, room, &message).await? {
            // It was known, with its first words.
            0 => new += changed(slack, inbox, me, room, &message, last).await?,
            some => new += some,
        }
        // Somebody called for us and went on in the thread: nobody has read any of it.
        if answered || (begun && !room.starts_with('D')) {
            new += Box::pin(read(slack, inbox, me, (room, Some(ts)), ts)).await?;
        }
    }
    Ok(new)
}

/// What a known message says since it was edited.
async fn changed(
    slack: &Arc<Slack>,
    inbox: &Inbox,
    me: &Me,
    room: &str,
    message: &Value,
    last: &str,
) -> Result<usize, PushError> {
    match edited_since(message, last) {
        Some(change) => one(slack, inbox, me, room, &change).await,
        None => Ok(0),
    }
}

/// A known message that was changed after the last known one: the event that told so, and that may not have come.
fn edited_since(message: &Value, last: &str) -> Option<Value> {
    let edited = text(message.get("edited")?, "ts").filter(|edited| *edited > last)?;
    let ts = text(message, "ts")?;
    Some(
        json!({ "subtype": "message_changed", "hidden": true, "ts": edited, "event_ts": edited, "message": message,
        "previous_message": { "type": "message", "ts": ts } }),
    )
}

/// A message of the history as the event it would have been.
async fn one(
    slack: &Arc<Slack>,
    inbox: &Inbox,
    me: &Me,
    room: &str,
    message: &Value,
) -> Result<usize, PushError> {
    let mut event = message.clone();
    event["channel"] = room.into();
    event["type"] = "message".into();
    let mut turn = slack.receiving.turn(&event);
    turn.come().await;
    super::prepare(slack, inbox, &me.user_id, &event).await?;
    let body = json!({
        "type": "event_callback", "team_id": me.team_id, "event_id": "history", "event": event,
    });
    let people = slack.people.named_in(&slack.sending.api, me, &body["event"], (slack.clock)()).await;
    let events = match translate::translate(&view(slack, me, &people), &body) {
        Ok(events) => events,
        Err(why) => {
            inbox.quarantine(body.to_string().as_bytes(), &why).await?;
            return Ok(0);
        }
    };
    let mut new = 0;
    for event in events {
        new += usize::from(!push(slack, inbox, event).await?.duplicate);
    }
    Ok(new)
}

/// What a room's history says.
struct Read {
    messages: Vec<Value>,
    /// There is nothing else behind where it was read from.
    whole: bool,
}

async fn pages(slack: &Slack, room: &str, root: Option<&str>, last: &str) -> Result<Read, SendError> {
    let mut messages = Vec::new();
    let mut cursor: Option<String> = None;
    if !ids::is_channel(room) {
        return Err(SendError::rejected("not a Slack channel id"));
    }
    let from = marks::before(last, EDITABLE);
    for _ in 0..MAX_PAGES {
        let mut query =
            vec![("channel", room.to_owned()), ("oldest", from.clone()), ("limit", PAGE.to_string())];
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let method = match root {
            Some(root) => {
                query.push(("ts", root.to_owned()));
                "conversations.replies"
            }
            None => "conversations.history",
        };
        let answer = patient(slack, method, &query).await?;
        let page = answer.get("messages").and_then(Value::as_array);
        messages.extend(page.into_iter().flatten().filter(|message| message.is_object()).cloned());
        let next = answer.get("response_metadata").and_then(|more| text(more, "next_cursor"));
        match next {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(Read { messages, whole: true }),
        }
    }
    tracing::warn!(channel = %slack.channel, room, "more was missed in a room than is read");
    Ok(Read { messages, whole: false })
}

/// One call, in the pace that Slack allows; waits when it asks to.
async fn patient(slack: &Slack, method: &str, query: &[(&str, String)]) -> Result<Value, SendError> {
    let mut waited = Duration::ZERO;
    loop {
        if slack.config.paced {
            tokio::time::sleep(PACE).await;
        }
        match slack.sending.api.get(method, query).await.map_err(SendError::from) {
            Err(SendError::Retry { after, .. }) if waited < LONGEST => {
                let wait = after.unwrap_or(PACE).clamp(PACE, LONGEST);
                waited += wait;
                tokio::time::sleep(wait).await;
            }
            other => return other,
        }
    }
}

//! What was said while nothing could be received: read from the history of the rooms and threads that are ours, and
//! pushed like anything else. What had been stored before has the same ids, and changes nothing. What was edited meanwhile
//! says so in the history; what was deleted is gone from it (`gone.rs`). Places that are not known are looked for
//! (`elsewhere.rs`).
//!
//! Not here: what is kept of how far rooms were read (`marks.rs`).

mod elsewhere;
mod gone;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deskbridge_contract::{Inbox, PushError, SendError};
use serde_json::{Value, json};

use super::marks::{Gap, Place};
use super::{marks, push, unavailable, view};
use crate::config::Receive;
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
/// When places that could not be read are tried again; twice as long each time, up to a quarter of an hour.
const AGAIN: Duration = Duration::from_secs(60);
/// A call that ends without Slack's word is made again this often before its place has to wait.
const TRIES: u32 = 2;
/// Slack's word for methods that it keeps from bots.
const NO_BOTS: &str = "not_allowed_token_type";
/// Tier 3 allows 50 calls in a minute.
const PACE: Duration = Duration::from_millis(1250);
/// Waited at most when Slack asks to slow down.
const LONGEST: Duration = Duration::from_secs(120);

/// What reading a place came to nothing by.
#[derive(Debug)]
enum Unread {
    Host(PushError),
    /// Slack could not be asked now: the place is read again later.
    Later(SendError),
}

impl From<PushError> for Unread {
    fn from(error: PushError) -> Self {
        Unread::Host(error)
    }
}

/// What cannot be read back with this app's rights, by method.
#[derive(Default)]
pub(super) struct Unreadable(Mutex<BTreeMap<String, String>>);

impl Unreadable {
    fn note(&self, method: &str, why: Option<String>) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match why {
            Some(why) => drop(inner.insert(method.to_owned(), why)),
            None => drop(inner.remove(method)),
        }
    }

    pub(super) fn said(&self) -> Vec<String> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let said = inner.iter().map(|(method, why)| {
            format!("what was said while deskbridge was away cannot all be read: {method}: {why}")
        });
        said.collect()
    }
}

/// Learns what earlier runs left. Before that nothing is noted for the next one: what came in first would hide it.
pub(super) async fn know(slack: &Slack, inbox: &Inbox) {
    let doubts = &slack.receiving.doubts;
    while let Err(error) = doubts.marks.load(&inbox.shelf(), (slack.clock)()).await {
        tracing::warn!(channel = %slack.channel, %error, "it is not known yet what was missed");
        tokio::time::sleep(NOTE).await;
    }
    doubts.attend((slack.clock)());
}

/// Reads what was missed, then keeps notes until the inbox is closed. Reads again when there is a doubt.
pub(super) async fn keep(slack: &Arc<Slack>, inbox: &Inbox) -> Result<(), SendError> {
    let doubts = &slack.receiving.doubts;
    let shelf = inbox.shelf();
    let by_http = matches!(slack.config.receive, Receive::Http { .. });
    let mut tick = tokio::time::interval(NOTE);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let reading = reading(slack, inbox);
    tokio::pin!(reading);
    loop {
        tokio::select! {
            ended = &mut reading => return ended,
            _ = tick.tick() => doubts.tick((slack.clock)(), by_http),
            () = doubts.marks.freshened() => {}
        }
        if let Err(error) = doubts.marks.flush(&shelf).await {
            tracing::debug!(channel = %slack.channel, %error, "it was not noted how far rooms were read");
        }
    }
}

/// Reads every place that has a gap, and those again that could not be read, later each time.
async fn reading(slack: &Arc<Slack>, inbox: &Inbox) -> Result<(), SendError> {
    let doubts = &slack.receiving.doubts;
    let first = if slack.config.paced { AGAIN } else { AGAIN / 300 };
    let mut wait = first;
    loop {
        match round(slack, inbox).await {
            Ok(0) => {
                wait = first;
                doubts.missed.notified().await;
            }
            Ok(left) => {
                tracing::warn!(channel = %slack.channel, left, again_in = ?wait, "places could not be read after an outage");
                let _ = tokio::time::timeout(wait, doubts.missed.notified()).await;
                wait = (wait * 2).min(AGAIN * 15);
            }
            Err(PushError::Closed) => return Ok(()),
            Err(PushError::Unavailable) => tokio::time::sleep(NOTE).await,
        }
    }
}

/// Answers how many places are left. Each is tried once, and again where there was another doubt meanwhile; what is known
/// goes before what has to be looked for.
async fn round(slack: &Arc<Slack>, inbox: &Inbox) -> Result<usize, PushError> {
    let marks = &slack.receiving.doubts.marks;
    let (mut tried, mut found) = (BTreeMap::new(), 0);
    let next = |tried: &BTreeMap<Place, Gap>| {
        marks.gaps().into_iter().find(|(place, gap)| tried.get(place) != Some(gap))
    };
    while let Some((place, gap)) = next(&tried) {
        let me = slack.me().await.map_err(unavailable)?;
        let read = match &place {
            Place::Room(room) | Place::Unnoted(room) => {
                read(slack, inbox, &me, (room, None), &gap.after).await
            }
            Place::Thread(room, root) => read(slack, inbox, &me, (room, Some(root)), &gap.after).await,
            Place::Elsewhere => elsewhere::look(slack, &gap).await,
            Place::OldThreads(room) => elsewhere::old_threads(slack, room, &gap).await,
        };
        match read {
            Ok(new) => {
                found += new;
                marks.closed(&place, &gap);
            }
            Err(Unread::Host(error)) => return Err(error),
            Err(Unread::Later(error)) => {
                tracing::debug!(channel = %slack.channel, ?place, %error, "a place could not be read after an outage");
            }
        }
        tried.insert(place, gap);
    }
    if found > 0 {
        tracing::info!(channel = %slack.channel, messages = found, "messages from an outage were read");
    }
    Ok(marks.gaps().len())
}

/// One room, or one thread of it; returns how many messages were new.
async fn read(
    slack: &Arc<Slack>,
    inbox: &Inbox,
    me: &Me,
    (room, root): (&str, Option<&str>),
    last: &str,
) -> Result<usize, Unread> {
    let Read { mut messages, whole } = match pages(slack, room, root, last).await {
        Ok(read) => read,
        // Nothing of it is left, and Slack says so.
        Err(SendError::ThreadGone { .. }) if root.is_some() => Read { messages: Vec::new(), whole: true },
        Err(error) if is_for_later(&error) => return Err(Unread::Later(error)),
        Err(error) => {
            // A room that is gone, or may not be read: no later reading changes that.
            tracing::warn!(channel = %slack.channel, room, %error, "a room cannot be read after an outage");
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

/// Slack could not be asked, or refuses the app as a whole, until somebody lets it in again. That it may not read this kind
/// of place at all is for good.
fn is_for_later(error: &SendError) -> bool {
    match error {
        SendError::Retry { .. } | SendError::Ambiguous { .. } => true,
        SendError::Unauthorized { why } => !why.contains(NO_BOTS),
        _ => false,
    }
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

/// One call, in the pace that Slack allows; waits when it asks to. Reading twice changes nothing: what ended without Slack's
/// word is asked again.
async fn patient(slack: &Slack, method: &str, query: &[(&str, String)]) -> Result<Value, SendError> {
    let (mut waited, mut tries) = (Duration::ZERO, 0);
    loop {
        if slack.config.paced {
            tokio::time::sleep(PACE).await;
        }
        let fault = match slack.sending.api.get(method, query).await {
            Ok(answer) => {
                slack.receiving.unreadable.note(method, None);
                return Ok(answer);
            }
            Err(fault) => fault,
        };
        if fault.is(&[NO_BOTS]) {
            slack.receiving.unreadable.note(method, Some(fault.error.to_string()));
        }
        let wait = match &fault.error {
            SendError::Retry { after, .. } if waited < LONGEST => after.unwrap_or(PACE),
            SendError::Ambiguous { .. } if tries < TRIES => PACE,
            _ => return Err(fault.error),
        };
        let wait = wait.clamp(PACE, LONGEST);
        tries += 1;
        waited += wait;
        tokio::time::sleep(wait).await;
    }
}

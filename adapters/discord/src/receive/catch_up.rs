//! What was said while nothing could be received and the session was lost: read from the history of the rooms and posts that
//! are ours, and pushed like anything else. What had been stored before has the same ids, and changes nothing.
//!
//! Not here: what is kept of how far rooms were read (`marks.rs`). Edits, deletions and reactions of that time are in no
//! history.

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::lanes::Turn;
use deskbridge_contract::{Inbox, PushError, SendError};
use serde_json::{Value, json};
use tokio::task::{JoinError, JoinSet};

use super::marks::Seen;
use super::{before, push, view};
use crate::send::Me;
use crate::send::forums::Lies;
use crate::{Discord, ids, translate};

/// "Get Channel Messages": at most a hundred.
const PAGE: usize = 100;
/// Who was away for longer than 2 000 messages of a room is told in the log.
const MAX_PAGES: usize = 20;
/// How often a room is tried while Discord or the store does not answer. Where that was in vain for another one, once: the
/// words of now wait for it.
const TRIES: u32 = 6;
const AGAIN: Duration = Duration::from_secs(2);
/// Rooms that are read beside each other: their limits are apart from each other, and one that does not answer holds up none.
const AT_ONCE: usize = 10;
/// Between the beginnings of two, so that less than half of "50 requests per second" goes into it.
const APART: Duration = Duration::from_millis(50);
/// After that, all that are left are tried again, at growing distances.
const LATER: Duration = Duration::from_secs(5);
const LATEST: Duration = Duration::from_secs(120);

/// A room, how far it was read, in which gap that was, and its place in the order.
type Unread = (String, Seen, u64, Turn);

/// Takes the place of every room in its order at once, so that nothing that comes now is pushed before what was missed.
/// `here`: as long as the connection lasts, rooms that could not be read are tried again.
pub(super) fn start(discord: &Arc<Discord>, inbox: &Inbox, me: &Me, here: &Arc<()>) {
    let mut rooms = queue(discord);
    if rooms.is_empty() {
        return;
    }
    let (discord, inbox, me, here) = (discord.clone(), inbox.clone(), me.clone(), Arc::downgrade(here));
    tokio::spawn(async move {
        let mut wait = LATER;
        while !rooms.is_empty() {
            if let Err(PushError::Closed) = read(&discord, &inbox, &me, rooms).await {
                return;
            }
            if discord.receiving.gap.rooms().is_empty() {
                return;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LATEST);
            if here.strong_count() == 0 || discord.receiving.gap.is_read() {
                // Whoever connects next reads them.
                return;
            }
            rooms = queue(&discord);
        }
    });
}

fn queue(discord: &Discord) -> Vec<Unread> {
    let rooms = discord.receiving.gap.rooms().into_iter();
    rooms
        .map(|(channel, seen, gap)| {
            let turn = discord.receiving.lanes.queue(&channel);
            (channel, seen, gap, turn)
        })
        .collect()
}

/// Some beside each other, those with the latest words first. What could not be read stays to be read.
async fn read(discord: &Arc<Discord>, inbox: &Inbox, me: &Me, rooms: Vec<Unread>) -> Result<(), PushError> {
    let _reading = discord.receiving.gap.read();
    let mut pace = tokio::time::interval(if discord.config.paced { APART } else { Duration::from_micros(1) });
    let mut under_way = JoinSet::new();
    let mut found = 0;
    for unread in rooms {
        if under_way.len() >= AT_ONCE {
            found += done(under_way.join_next().await)?;
        }
        pace.tick().await;
        let (discord, inbox, me) = (discord.clone(), inbox.clone(), me.clone());
        under_way.spawn(async move { one_room(&discord, &inbox, &me, unread).await });
    }
    while !under_way.is_empty() {
        found += done(under_way.join_next().await)?;
    }
    if found > 0 {
        tracing::info!(channel = %discord.channel, messages = found, "messages from a gap were read");
    }
    Ok(())
}

/// How many messages were found; an error when the inbox takes nothing any more.
fn done(ended: Option<Result<Result<usize, PushError>, JoinError>>) -> Result<usize, PushError> {
    match ended {
        Some(Ok(Ok(new))) => Ok(new),
        Some(Ok(Err(PushError::Closed))) => Err(PushError::Closed),
        // It was said, and its room stays to be read.
        Some(Ok(Err(PushError::Unavailable)) | Err(_)) | None => Ok(0),
    }
}

async fn one_room(
    discord: &Arc<Discord>,
    inbox: &Inbox,
    me: &Me,
    (channel, seen, of, mut turn): Unread,
) -> Result<usize, PushError> {
    turn.come().await;
    let gap = &discord.receiving.gap;
    let read = room(discord, inbox, me, &channel, &seen).await;
    gap.in_vain(read.is_err());
    let new = read.inspect_err(|error| {
        if *error == PushError::Unavailable {
            tracing::error!(channel = %discord.channel, "a room could not be read after a gap");
        }
    })?;
    gap.close(&channel, of);
    if let Err(error) = gap.keep(&inbox.shelf()).await {
        tracing::debug!(channel = %discord.channel, %error, "a room that was read is read again");
    }
    Ok(new)
}

async fn room(
    discord: &Arc<Discord>,
    inbox: &Inbox,
    me: &Me,
    channel: &str,
    seen: &Seen,
) -> Result<usize, PushError> {
    if let Some(forum) = &seen.forum {
        discord.sending.forums.note(channel, Lies::In(forum.clone()));
    } else if seen.server {
        discord.sending.locate(channel).await.map_err(|fault| super::unavailable(fault.error))?;
    }
    let mut last = seen.last.clone();
    let mut new = 0;
    let mut tries = 0;
    let mut pages = 0;
    while pages < MAX_PAGES {
        let mut messages = match page(discord, channel, &last).await {
            Ok(messages) => messages,
            // A room that is gone is no reason to leave out the others.
            Err(SendError::Gone { .. } | SendError::Rejected { .. }) => return Ok(new),
            Err(error) => {
                tries += 1;
                if tries >= most(discord) {
                    return Err(super::unavailable(error));
                }
                let wait = if let SendError::Retry { after: Some(after), .. } = &error {
                    *after
                } else {
                    AGAIN * tries
                };
                tokio::time::sleep(wait.min(Duration::from_secs(60))).await;
                continue;
            }
        };
        pages += 1;
        let count = messages.len();
        messages.sort_by_key(|message| ids::number(message["id"].as_str().unwrap_or_default()));
        for mut message in messages {
            let Some(id) = message["id"].as_str().map(str::to_owned) else { continue };
            if seen.forum.is_some() || seen.server {
                // History does not say the server; only that it is one matters.
                message["guild_id"] = "1".into();
            }
            while let Err(error) = one(discord, inbox, me, &message, &mut new).await {
                tries += 1;
                if error == PushError::Closed || tries >= most(discord) {
                    return Err(error);
                }
                tokio::time::sleep(AGAIN * tries).await;
            }
            last = id;
        }
        if count < PAGE {
            return Ok(new);
        }
    }
    tracing::warn!(channel = %discord.channel, "a room has more from a gap than is read");
    Ok(new)
}

fn most(discord: &Discord) -> u32 {
    if discord.receiving.gap.is_in_vain() { 1 } else { TRIES }
}

async fn page(discord: &Discord, channel: &str, after: &str) -> Result<Vec<Value>, SendError> {
    let query = [("after", after.to_owned()), ("limit", PAGE.to_string())];
    let route = format!("channels/{channel}/messages");
    let found = discord.sending.api.get(route, &query).await.map_err(crate::api::Fault::harmless)?;
    Ok(found.as_array().cloned().unwrap_or_default())
}

async fn one(
    discord: &Arc<Discord>,
    inbox: &Inbox,
    me: &Me,
    message: &Value,
    new: &mut usize,
) -> Result<(), PushError> {
    before(discord, me, "MESSAGE_CREATE", message);
    let frame = json!({ "t": "MESSAGE_CREATE", "d": message });
    match translate::translate(&view(discord, me), &frame) {
        Ok(events) => {
            for event in events {
                *new += usize::from(!push(discord, inbox, message, event).await?.duplicate);
            }
            Ok(())
        }
        Err(why) => inbox.quarantine(frame.to_string().as_bytes(), &why).await,
    }
}

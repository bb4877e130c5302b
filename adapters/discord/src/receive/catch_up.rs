//! What was said while nothing could be received and the session was lost: read from the history of the rooms and posts that
//! are ours, and pushed like anything else. What had been stored before has the same ids, and changes nothing.
//! History tells when a message was edited last: that is how edits of the time are found. Deletions, reactions and presses
//! are in no history.
//!
//! Not here: what is kept of how far rooms were read (`marks.rs`, `gap.rs`).

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::lanes::Turn;
use deskbridge_contract::{Inbox, PushError, SendError, Timestamp};
use serde_json::{Value, json};
use tokio::task::{JoinError, JoinSet};

use super::marks::Seen;
use super::{before, gap, push, view};
use crate::send::Me;
use crate::send::forums::Lies;
use crate::{Discord, ids, translate};

/// "Get Channel Messages": at most a hundred.
const PAGE: usize = 100;
/// Messages that are looked through for edits, the latest of each room.
const KNOWN: usize = 50;
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
    let mut reader = Reader { discord, inbox, me, channel, seen, tries: 0, new: 0 };
    reader.read().await?;
    Ok(reader.new)
}

/// One room that is read.
struct Reader<'a> {
    discord: &'a Arc<Discord>,
    inbox: &'a Inbox,
    me: &'a Me,
    channel: &'a str,
    seen: &'a Seen,
    /// That were in vain.
    tries: u32,
    /// Messages and edits that nobody had seen.
    new: usize,
}

impl Reader<'_> {
    async fn read(&mut self) -> Result<(), PushError> {
        let last = ids::number(&self.seen.last);
        if self.seen.edits.is_some() {
            // Mostly enough for both: for what was edited before the gap's beginning, and for what was said in it.
            let latest = self.page(KNOWN, None).await?;
            let first = latest.first().map(number_of);
            if latest.len() < KNOWN || first.is_some_and(|first| first <= last) {
                return self.take(latest).await;
            }
            let known = self.page(KNOWN, Some(("before", last.saturating_add(1)))).await?;
            self.take(known).await?;
        }
        let mut after = last;
        for _ in 0..MAX_PAGES {
            let page = self.page(PAGE, Some(("after", after))).await?;
            let Some(end) = page.last().map(number_of) else { return Ok(()) };
            let whole = page.len() < PAGE;
            self.take(page).await?;
            if whole {
                return Ok(());
            }
            after = after.max(end);
        }
        tracing::warn!(channel = %self.discord.channel, "a room has more from a gap than is read");
        Ok(())
    }

    /// Some of its messages, the oldest first. There are none in a room that is gone: no reason to leave out the others.
    async fn page(
        &mut self,
        most: usize,
        bound: Option<(&'static str, u64)>,
    ) -> Result<Vec<Value>, PushError> {
        let mut query = vec![("limit", most.to_string())];
        query.extend(bound.map(|(key, id)| (key, id.to_string())));
        let route = format!("channels/{}/messages", self.channel);
        loop {
            let found = self.discord.sending.api.get(route.clone(), &query).await;
            let error = match found.map_err(crate::api::Fault::harmless) {
                Ok(found) => {
                    let mut messages = found.as_array().cloned().unwrap_or_default();
                    messages.retain(|message| number_of(message) > 0);
                    messages.sort_by_key(number_of);
                    return Ok(messages);
                }
                Err(SendError::Gone { .. } | SendError::Rejected { .. }) => return Ok(Vec::new()),
                Err(error) => error,
            };
            let wait = match &error {
                SendError::Retry { after: Some(after), .. } => Some(*after),
                _ => None,
            };
            self.again(super::unavailable(error), wait).await?;
        }
    }

    async fn take(&mut self, messages: Vec<Value>) -> Result<(), PushError> {
        for mut message in messages {
            if self.seen.forum.is_some() || self.seen.server {
                // History does not say the server; only that it is one matters.
                message["guild_id"] = "1".into();
            }
            while let Err(error) = self.one(&message).await {
                self.again(error, None).await?;
            }
        }
        Ok(())
    }

    /// What was said in the gap, as it stands by now, and what was edited in it.
    async fn one(&mut self, message: &Value) -> Result<(), PushError> {
        let since = self.seen.edits.map(Timestamp);
        let edited = gap::edited(message).zip(since).is_some_and(|(at, since)| at >= since);
        if number_of(message) > ids::number(&self.seen.last) {
            let news = self.push("MESSAGE_CREATE", message).await?;
            if news != News::Known {
                return Ok(());
            }
        }
        if edited {
            self.push("MESSAGE_UPDATE", message).await?;
        }
        Ok(())
    }

    async fn push(&mut self, kind: &str, message: &Value) -> Result<News, PushError> {
        let Reader { discord, inbox, me, .. } = *self;
        before(discord, me, kind, message);
        let frame = json!({ "t": kind, "d": message });
        let events = match translate::translate(&view(discord, me), &frame) {
            Ok(events) => events,
            Err(why) => {
                inbox.quarantine(frame.to_string().as_bytes(), &why).await?;
                return Ok(News::None);
            }
        };
        let mut news = News::None;
        for event in events {
            if push(discord, inbox, message, event).await?.duplicate {
                news = News::Known;
            } else {
                self.new += 1;
                news = News::New;
            }
        }
        Ok(news)
    }

    /// Waits until it may be tried again.
    async fn again(&mut self, error: PushError, wait: Option<Duration>) -> Result<(), PushError> {
        self.tries += 1;
        let most = if self.discord.receiving.gap.is_in_vain() { 1 } else { TRIES };
        if error == PushError::Closed || self.tries >= most {
            return Err(error);
        }
        let wait = wait.unwrap_or(AGAIN * self.tries);
        tokio::time::sleep(wait.min(Duration::from_secs(60))).await;
        Ok(())
    }
}

/// What became of something that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    /// It is nothing for a conversation.
    None,
    /// It had been stored before.
    Known,
    New,
}

/// Zero: it has none.
fn number_of(message: &Value) -> u64 {
    message["id"].as_str().map_or(0, ids::number)
}

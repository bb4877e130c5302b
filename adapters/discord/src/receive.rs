//! How events come in: over the gateway, and interactions by HTTP where the application says so; stored, then acknowledged
//! (clause C4).
//!
//! Not here: what an event means (`translate.rs`), and starting over after a failure, which the supervisor does.

mod acts;
mod budget;
mod catch_up;
mod door;
mod gap;
mod gateway;
mod link;
mod listening;
mod marks;
mod notes;
mod owed;
pub(crate) mod signature;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use deskbridge_contract::lanes::{Lanes, Turn};
use deskbridge_contract::{Inbound, InboundEvent, Inbox, Intake, PushError, SendError, TranslateError};
use futures_util::FutureExt as _;
use serde_json::{Value, json};

use crate::send::{Author, Me};
use crate::translate::{self, View, text};
use crate::{Discord, ids};

/// Everything that receiving keeps in memory.
#[derive(Default)]
pub(crate) struct Receiving {
    lanes: Lanes,
    pub(crate) marks: marks::Marks,
    pub(crate) gap: gap::Gap,
    pub(crate) owed: owed::Owed,
    notes: notes::Notes,
    pub(crate) listening: listening::Listening,
}

/// A place in the order of a room, and whether the connection by which it came takes anything any more.
struct Slot {
    turn: Turn,
    halted: Arc<AtomicBool>,
}

impl Slot {
    fn new(turn: Turn, halted: Arc<AtomicBool>) -> Slot {
        Slot { turn, halted }
    }

    /// Waits until everything before it is done.
    ///
    /// # Errors
    /// When something before it could not be stored: it comes again, and this has to come after it.
    async fn come(&mut self) -> Result<(), PushError> {
        self.turn.come().await;
        if self.halted.load(Ordering::SeqCst) { Err(PushError::Unavailable) } else { Ok(()) }
    }

    fn halt(&self) {
        self.halted.store(true, Ordering::SeqCst);
    }
}

pub(crate) fn intake(discord: Arc<Discord>, inbox: Inbox) -> Intake {
    discord.attach(inbox.clone());
    let key = discord.config.public_key.clone();
    let webhook = key.map(|key| door::route(discord.clone(), inbox.clone(), key));
    Intake { connect: Some(gateway::run(discord, inbox).boxed()), webhook, ..Intake::default() }
}

/// Stores one dispatch of the gateway. Returns after the commit.
async fn take(
    discord: &Arc<Discord>,
    inbox: &Inbox,
    me: &Me,
    frame: &Value,
    slot: &mut Slot,
) -> Result<(), PushError> {
    let kind = text(frame, "t").unwrap_or_default();
    let d = &frame["d"];
    if kind == "INTERACTION_CREATE" {
        return acts::by_gateway(discord, inbox, me, d, slot).await;
    }
    if kind == "TYPING_START" {
        return hint(discord, inbox, me, frame).await;
    }
    locate(discord, d).await?;
    slot.come().await?;
    before(discord, me, kind, d);
    match translate::translate(&view(discord, me), frame) {
        Ok(events) => {
            for event in events {
                push(discord, inbox, d, event).await?;
            }
            Ok(())
        }
        Err(why) => inbox.quarantine(frame.to_string().as_bytes(), &why).await,
    }
}

/// Typing passes by: it waits for nothing, asks nobody, and one that is not taken is not missed.
async fn hint(discord: &Discord, inbox: &Inbox, me: &Me, frame: &Value) -> Result<(), PushError> {
    let events = translate::translate(&view(discord, me), frame).unwrap_or_default();
    for event in events {
        if inbox.push(event).await == Err(PushError::Closed) {
            return Err(PushError::Closed);
        }
    }
    Ok(())
}

/// Makes sure that it is known where a channel of a server lies.
async fn locate(discord: &Discord, d: &Value) -> Result<(), PushError> {
    let Some(channel) = text(d, "channel_id").filter(|id| ids::is_snowflake(id)) else { return Ok(()) };
    // An interaction says it itself.
    if let Some(described) = d.get("channel").filter(|channel| channel.get("parent_id").is_some()) {
        discord.sending.forums.learn(described);
    }
    if text(d, "guild_id").is_some() {
        discord.sending.locate(channel).await.map_err(|fault| unavailable(fault.error))?;
    }
    Ok(())
}

/// What has to be remembered of a message: whose it is.
fn before(discord: &Discord, me: &Me, kind: &str, d: &Value) {
    if !matches!(kind, "MESSAGE_CREATE" | "MESSAGE_UPDATE") {
        return;
    }
    let (Some(id), Some(author)) = (text(d, "id"), d.get("author")) else { return };
    let Some(user) = text(author, "id") else { return };
    let own = view(discord, me).is_own(d);
    if own {
        // That a delivery knows it for its own is noted where it was sent: its echo may be the only answer there is, and must
        // not hide it from whoever looks for it.
        if discord.sending.authors.of(id).is_none() {
            discord.sending.authors.note(id, Author::Us);
        }
        if let Some(nonce) = text(d, "nonce") {
            discord.sending.nonces.note(nonce, id);
        }
        return;
    }
    let name = text(author, "global_name").or_else(|| text(author, "username"));
    let name = name.and_then(deskbridge_contract::names::clean);
    discord.sending.authors.note(id, Author::Person { id: user.to_owned(), name });
    if text(d, "guild_id").is_none()
        && let Some(channel) = text(d, "channel_id")
        && author.get("bot") != Some(&Value::Bool(true))
    {
        discord.sending.note_direct(user, channel);
    }
}

fn view<'a>(discord: &'a Discord, me: &'a Me) -> View<'a> {
    View { channel: &discord.channel, me, sending: &discord.sending, received: (discord.clock)() }
}

/// Pushes one event, and remembers how far its room was read.
async fn push(
    discord: &Discord,
    inbox: &Inbox,
    d: &Value,
    event: Inbound,
) -> Result<deskbridge_contract::Receipt, PushError> {
    let said = match &event.event {
        InboundEvent::Posted { message, .. } => Some(message.as_str().to_owned()),
        _ => None,
    };
    let (room, thread) = (event.address.room.to_string(), event.address.thread.is_some());
    let person = ids::is_direct(&event.address).then(|| event.from.id.to_string());
    let receipt = inbox.push(event).await?;
    if let (Some(message), Some(channel)) = (said, text(d, "channel_id")) {
        let forum = thread.then_some(room.as_str());
        let marks = &discord.receiving.marks;
        if marks.note(channel, forum, person.as_deref(), &message)
            && let Err(error) = marks.flush(&inbox.shelf()).await
        {
            tracing::warn!(channel = %discord.channel, %error, "after a gap now, a room would not be read");
        }
    }
    Ok(receipt)
}

fn unavailable(error: impl std::fmt::Display) -> PushError {
    tracing::debug!(%error, "an event could not be taken");
    PushError::Unavailable
}

impl Discord {
    /// A post of ours is there; nothing was read of it yet.
    pub(crate) async fn opened(&self, forum: &str, post: &str) {
        let marks = &self.receiving.marks;
        marks.note(post, Some(forum), None, post);
        let inbox = self.inbox.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(inbox) = inbox
            && let Err(error) = marks.flush(&inbox.shelf()).await
        {
            tracing::debug!(channel = %self.channel, %error, "that a post was opened is noted later");
        }
    }

    /// Events of a raw payload, without asking anybody: for replays, and for whoever looks into the quarantine.
    pub(crate) fn translated(&self, raw: &[u8]) -> Result<Vec<Inbound>, TranslateError> {
        let payload: Value = serde_json::from_slice(raw)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| TranslateError::Malformed("not a JSON object".into()))?;
        let me = self.sending.known_me().unwrap_or_default();
        let view = view(self, &me);
        let by_http = payload.get("t").is_none() && payload.get("token").is_some();
        let frame = if by_http { json!({ "t": "INTERACTION_CREATE", "d": payload }) } else { payload };
        if text(&frame, "t") != Some("INTERACTION_CREATE") {
            return translate::translate(&view, &frame);
        }
        let act = translate::interactions::act(&view, &frame["d"])?;
        Ok(acts::events_of(act, &self.channel))
    }
}

/// The error of whoever could not be reached when it had to be known who we are.
fn again(error: SendError) -> SendError {
    match error {
        SendError::Ambiguous { why } => SendError::Retry { after: None, why },
        other => other,
    }
}

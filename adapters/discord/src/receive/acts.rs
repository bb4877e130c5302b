//! Doing what an interaction asks for, and answering it within its three seconds: after the commit, never before; what takes
//! longer is answered with "is thinking…" once it is on disk that it was begun.
//!
//! Not here: reading it (`translate/interactions.rs`), later words to the same person (`send/whisper.rs`).

mod noted;
mod personal;

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::{
    ChannelName, Content, Inbound, InboundEvent, Inbox, PushError, Receipt, RemoteMessageId,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Slot, locate, push, unavailable, view};
use crate::ids::Handle;
use crate::send::Me;
use crate::send::whisper::EPHEMERAL;
use crate::translate::interactions::{self, Act, Direct, Note, Typing, handle};
use crate::translate::text;
use crate::{Discord, cards, forms, ids, markup};

use noted::{Asked, Said};

/// How long "is thinking…" stands before it is said that the command was taken.
const THINKING: Duration = Duration::from_millis(2500);

/// Of the three seconds that there are, what is left to the way of the answer is one.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long names are looked up while somebody types; of three seconds that there are.
const SUGGESTED: Duration = Duration::from_secs(2);

const TAKEN: &str = "👌";
const NOT_READ: &str = "This could not be understood. It was kept for somebody to look at.";
const NOT_STORED: &str = "This could not be stored. Please try again in a minute.";
const NOT_NOW: &str = "Discord does not answer me right now. Please try again in a minute.";

/// What there is to say to an interaction.
enum Taken {
    Said(Value),
    /// It takes what it takes.
    Note(Box<Note>, Option<Box<Inbound>>),
}

/// Over the gateway the answer is a call of ours.
pub(super) async fn by_gateway(
    discord: &Arc<Discord>,
    inbox: &Inbox,
    me: &Me,
    payload: &Value,
    slot: &mut Slot,
) -> Result<(), PushError> {
    let until = Instant::now() + PATIENCE;
    match taken(discord, inbox, me, payload, slot).await? {
        None => {}
        Some(Taken::Said(answer)) => respond(discord, payload, answer).await,
        Some(Taken::Note(note, then)) => {
            let asked = Asked::begin(discord, inbox, payload, *note, then.map(|then| *then)).await?;
            let work = asked.put(slot);
            tokio::pin!(work);
            match tokio::time::timeout_at(until, &mut work).await {
                Ok(said) => respond(discord, payload, asked.first(said?)).await,
                Err(_) => {
                    respond(discord, payload, asked.later()).await;
                    asked.settle(work.await?).await;
                }
            }
        }
    }
    Ok(())
}

async fn respond(discord: &Discord, payload: &Value, answer: Value) {
    let (Some(id), Some(token)) = (text(payload, "id"), text(payload, "token")) else { return };
    if !ids::is_snowflake(id) || handle(payload).is_none_or(|h| Handle::of(&h.interaction()).is_none()) {
        return;
    }
    if let Err(error) = discord.sending.respond(id, token, answer).await {
        // It is stored; the person sees that nothing answered, and may press again.
        tracing::debug!(channel = %discord.channel, %error, "an interaction was not answered");
    }
}

/// By HTTP the answer is the response.
pub(super) async fn by_http(
    discord: &Arc<Discord>,
    inbox: &Inbox,
    payload: &Value,
) -> Result<Option<Value>, PushError> {
    let until = Instant::now() + PATIENCE;
    let me = discord.sending.me().await.map_err(unavailable)?;
    let turn = discord.receiving.lanes.queue(text(payload, "channel_id").unwrap_or_default());
    let mut slot = Slot::new(turn, Arc::default());
    let (note, then) = match taken(discord, inbox, &me, payload, &mut slot).await? {
        None => return Ok(None),
        Some(Taken::Said(answer)) => return Ok(Some(answer)),
        Some(Taken::Note(note, then)) => (*note, then.map(|then| *then)),
    };
    let asked = Arc::new(Asked::begin(discord, inbox, payload, note, then).await?);
    let at_work = asked.clone();
    let mut work = tokio::spawn(async move { at_work.put(&mut slot).await });
    match tokio::time::timeout_at(until, &mut work).await {
        Ok(said) => Ok(Some(asked.first(said.map_err(unavailable)??))),
        Err(_) => {
            let answer = asked.later();
            tokio::spawn(async move {
                // Nobody sends it again: whoever wrote it is told that it has to be.
                let said = work.await.ok().and_then(Result::ok);
                asked.settle(said.unwrap_or_else(|| Said::Words(NOT_STORED.to_owned()))).await;
            });
            Ok(Some(answer))
        }
    }
}

async fn taken(
    discord: &Arc<Discord>,
    inbox: &Inbox,
    me: &Me,
    payload: &Value,
    slot: &mut Slot,
) -> Result<Option<Taken>, PushError> {
    if located(discord, payload).await.is_err() {
        // Not to be had again: its three seconds are over by then, and everybody else's events would wait for it.
        return Ok(Some(Taken::Said(not_now(payload))));
    }
    let act = match interactions::act(&view(discord, me), payload) {
        Ok(act) => act,
        Err(why) => {
            inbox.quarantine(payload.to_string().as_bytes(), &why).await?;
            return Ok(text(payload, "token").map(|_| Taken::Said(told(NOT_READ))));
        }
    };
    let said = match act {
        // What only shows something does not wait for the room's order.
        Act::Pong => json!({ "type": 1 }),
        Act::Suggest(typing) => suggested(inbox, &typing).await,
        Act::Open(form, words) => json!({ "type": 9, "data": form.modal(&words) }),
        Act::Tell(words) => told(words),
        Act::Push { inbound, command } => {
            slot.come().await?;
            if let Some(handle) = handle(payload) {
                discord.sending.waiting.born(&handle);
            }
            let receipt = push(discord, inbox, payload, *inbound).await?;
            answer(discord, payload, receipt, command)
        }
        Act::Direct { direct, here } => {
            slot.come().await?;
            personal::take(discord, inbox, payload, *direct, here).await?
        }
        Act::Note { note, then } => return Ok(Some(Taken::Note(note, then))),
    };
    Ok(Some(Taken::Said(said)))
}

/// Makes sure that it is known where everything lies that it is about.
async fn located(discord: &Discord, payload: &Value) -> Result<(), PushError> {
    locate(discord, payload).await?;
    if let Some(post) = interactions::about(payload) {
        discord.sending.locate(post).await.map_err(|fault| unavailable(fault.error))?;
    }
    Ok(())
}

fn not_now(payload: &Value) -> Value {
    // To whoever is typing nothing can be said.
    if payload["type"] == 4 { choices(&[]) } else { told(NOT_NOW) }
}

/// What to choose from. Names are only for whoever may choose among them.
async fn suggested(inbox: &Inbox, typing: &Typing) -> Value {
    let known = match &typing.at {
        Some(at) if forms::asks_for_people(&typing.command, &typing.option) => {
            tokio::time::timeout(SUGGESTED, inbox.colleagues(at, &typing.by)).await.ok().flatten()
        }
        Some(_) | None => None,
    };
    let known = known.unwrap_or_default();
    choices(&forms::suggestions(&typing.command, &typing.option, &typing.typed, &known))
}

fn choices(of: &[Value]) -> Value {
    json!({ "type": 8, "data": { "choices": of } })
}

/// A toast at once; else a button is only let go, and a command waits a moment for what it brings.
fn answer(discord: &Arc<Discord>, payload: &Value, receipt: Receipt, command: Option<String>) -> Value {
    if let Some(toast) = receipt.toast {
        return told(&toast.text);
    }
    let Some(command) = command else { return json!({ "type": 6 }) };
    thinking(discord, handle(payload), &format!("{TAKEN} `/{command}`"))
}

/// "is thinking…", which whatever follows replaces; these words, when nothing does.
fn thinking(discord: &Arc<Discord>, handle: Option<Handle>, words: &str) -> Value {
    if let Some(handle) = handle {
        discord.sending.waiting.begin(&handle);
        settle(discord, handle, words.to_owned());
    }
    deferred()
}

/// "Interaction Callback Type" 5: "is thinking…", for this person alone.
fn deferred() -> Value {
    json!({ "type": 5, "data": { "flags": EPHEMERAL } })
}

fn settle(discord: &Arc<Discord>, handle: Handle, words: String) {
    let discord = discord.clone();
    tokio::spawn(async move {
        tokio::time::sleep(THINKING).await;
        discord.sending.settle(&handle, &words).await;
    });
}

/// Seen by this person alone ("Interaction Callback Type" 4).
fn told(words: &str) -> Value {
    json!({ "type": 4, "data": {
        "content": cards::cut(&markup::to_discord(words), 2000),
        "flags": EPHEMERAL,
        "allowed_mentions": { "parse": [] },
    } })
}

/// What an act would push, for whoever only looks: replays, the quarantine.
pub(super) fn events_of(act: Act, channel: &ChannelName) -> Vec<Inbound> {
    match act {
        Act::Push { inbound, .. } => vec![*inbound],
        Act::Direct { direct, .. } => {
            let Direct { id, at, from, event, shown: _ } = *direct;
            // Which direct message it is only Discord knows: the person stands for it.
            let address = deskbridge_contract::Address::room(channel, ids::direct_room(from.id.as_str()));
            vec![Inbound { id, at, from, address, event, interaction: None }]
        }
        Act::Note { note, then } => {
            let Note { id, at, from, address, text, internal } = *note;
            let said = if internal { format!("🔒 {text}") } else { format!("!reply {text}") };
            let message: RemoteMessageId = ids::made(id.as_str());
            let event = InboundEvent::Posted { message, content: Content::text(said), reply_to: None };
            let first = Inbound { id, at, from, address, event, interaction: None };
            std::iter::once(first).chain(then.map(|then| *then)).collect()
        }
        Act::Open(..) | Act::Suggest(_) | Act::Tell(_) | Act::Pong => Vec::new(),
    }
}

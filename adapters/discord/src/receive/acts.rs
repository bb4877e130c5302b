//! Doing what an interaction asks for, and answering it within its three seconds: after the commit, never before.
//!
//! Not here: reading it (`translate/interactions.rs`), later words to the same person (`send/whisper.rs`).

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::{
    ChannelName, Content, Inbound, InboundEvent, Inbox, Persona, PushError, Receipt, RemoteMessageId,
    SendError, Shelf,
};
use serde_json::{Value, json};

use super::notes::Put;
use super::{Slot, locate, push, unavailable, view};
use crate::ids::Handle;
use crate::send::Me;
use crate::send::whisper::EPHEMERAL;
use crate::translate::interactions::{self, Act, Direct, Note, Typing, handle};
use crate::translate::text;
use crate::{Discord, cards, forms, ids, markup};

/// How long "is thinking…" stands before it is said that the command was taken.
const THINKING: Duration = Duration::from_millis(2500);

/// How long names are looked up while somebody types; of three seconds that there are.
const SUGGESTED: Duration = Duration::from_secs(2);

const ELSEWHERE: &str = "Thank you. The answer comes in our direct messages.";
const TAKEN: &str = "👌";
const NO_DIRECT: &str =
    "I may not write to you. Allow direct messages from members of this server, and try again.";
const NO_NOTE: &str = "Discord did not take it. Please write it into the post.";
const NOT_READ: &str = "This could not be understood. It was kept for somebody to look at.";

/// Over the gateway the answer is a call of ours.
pub(super) async fn by_gateway(
    discord: &Arc<Discord>,
    inbox: &Inbox,
    me: &Me,
    payload: &Value,
    slot: &mut Slot,
) -> Result<(), PushError> {
    let answer = taken(discord, inbox, me, payload, slot).await?;
    let (Some(answer), Some(id), Some(token)) = (answer, text(payload, "id"), text(payload, "token")) else {
        return Ok(());
    };
    if !ids::is_snowflake(id) || handle(payload).is_none_or(|h| Handle::of(&h.interaction()).is_none()) {
        return Ok(());
    }
    if let Err(error) = discord.sending.respond(id, token, answer).await {
        // It is stored; the person sees that nothing answered, and may press again.
        tracing::debug!(channel = %discord.channel, %error, "an interaction was not answered");
    }
    Ok(())
}

/// By HTTP the answer is the response.
pub(super) async fn by_http(
    discord: &Arc<Discord>,
    inbox: &Inbox,
    payload: &Value,
) -> Result<Option<Value>, PushError> {
    let me = discord.sending.me().await.map_err(unavailable)?;
    let turn = discord.receiving.lanes.queue(text(payload, "channel_id").unwrap_or_default());
    taken(discord, inbox, &me, payload, &mut Slot::new(turn, Arc::default())).await
}

async fn taken(
    discord: &Arc<Discord>,
    inbox: &Inbox,
    me: &Me,
    payload: &Value,
    slot: &mut Slot,
) -> Result<Option<Value>, PushError> {
    locate(discord, payload).await?;
    let act = match interactions::act(&view(discord, me), payload) {
        Ok(act) => act,
        Err(why) => {
            inbox.quarantine(payload.to_string().as_bytes(), &why).await?;
            return Ok(text(payload, "token").map(|_| told(NOT_READ)));
        }
    };
    // What only shows something does not wait for the room's order.
    if !matches!(act, Act::Open(..) | Act::Suggest(_) | Act::Tell(_) | Act::Pong) {
        slot.come().await?;
    }
    perform(discord, inbox, payload, act).await.map(Some)
}

async fn perform(
    discord: &Arc<Discord>,
    inbox: &Inbox,
    payload: &Value,
    act: Act,
) -> Result<Value, PushError> {
    match act {
        Act::Pong => Ok(json!({ "type": 1 })),
        Act::Suggest(typing) => Ok(suggested(inbox, &typing).await),
        Act::Open(form, words) => Ok(json!({ "type": 9, "data": form.modal(&words) })),
        Act::Tell(words) => Ok(told(words)),
        Act::Push { inbound, command } => {
            if let Some(handle) = handle(payload) {
                discord.sending.waiting.born(&handle);
            }
            let receipt = push(discord, inbox, payload, *inbound).await?;
            Ok(answer(discord, payload, receipt, command))
        }
        Act::Direct { direct, here } => personal(discord, inbox, payload, *direct, here).await,
        Act::Note { note, then } => noted(discord, inbox, payload, *note, then.map(|then| *then)).await,
    }
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
    let choices = forms::suggestions(&typing.command, &typing.option, &typing.typed, &known);
    json!({ "type": 8, "data": { "choices": choices } })
}

/// A toast at once; else a button is only let go, and a command waits a moment for what it brings.
fn answer(discord: &Arc<Discord>, payload: &Value, receipt: Receipt, command: Option<String>) -> Value {
    if let Some(toast) = receipt.toast {
        return told(&toast.text);
    }
    let Some(command) = command else { return json!({ "type": 6 }) };
    if let Some(handle) = handle(payload) {
        discord.sending.waiting.begin(&handle);
        let discord = discord.clone();
        tokio::spawn(async move {
            tokio::time::sleep(THINKING).await;
            discord.sending.settle(&handle, &format!("{TAKEN} `/{command}`")).await;
        });
    }
    json!({ "type": 5, "data": { "flags": EPHEMERAL } })
}

/// Somebody's own matter goes into the direct messages with them, wherever it was asked.
async fn personal(
    discord: &Arc<Discord>,
    inbox: &Inbox,
    payload: &Value,
    direct: Direct,
    here: bool,
) -> Result<Value, PushError> {
    let user = direct.from.id.clone();
    let channel = text(payload, "channel_id").filter(|_| here).filter(|id| ids::is_snowflake(id));
    let address = match channel {
        Some(channel) => {
            discord.sending.note_direct(user.as_str(), channel);
            deskbridge_contract::Address::room(&discord.channel, ids::direct_room(channel))
        }
        None => match discord.sending.open_direct(&user).await {
            Ok(address) => address,
            Err(SendError::Retry { .. } | SendError::Ambiguous { .. }) => return Err(PushError::Unavailable),
            Err(error) => {
                tracing::warn!(channel = %discord.channel, %error, "no direct message could be opened for a command");
                return Ok(told(NO_DIRECT));
            }
        },
    };
    let Direct { id, at, from, event, shown } = direct;
    let inbound = Inbound { id, at, from, address: address.clone(), event, interaction: None };
    let receipt = push(discord, inbox, &json!({}), inbound).await?;
    if let Some(toast) = receipt.toast {
        return Ok(told(&toast.text));
    }
    let quoted = shown.map(|words| {
        let words = cards::cut(&markup::to_discord(&words), 1800);
        let lines: Vec<String> = words.lines().map(|line| format!("> {line}")).collect();
        format!("You asked:\n{}", lines.join("\n"))
    });
    match (quoted, here) {
        // Shown where the answer comes, so that it makes sense: here it is the answer to the command.
        (Some(quoted), true) => Ok(
            json!({ "type": 4, "data": { "content": cards::cut(&quoted, 2000), "allowed_mentions": { "parse": [] } } }),
        ),
        (Some(quoted), false) => {
            if !receipt.duplicate {
                echo(discord, &address, quoted);
            }
            Ok(told(ELSEWHERE))
        }
        (None, true) => Ok(told(TAKEN)),
        (None, false) => Ok(told(ELSEWHERE)),
    }
}

/// Only decoration.
fn echo(discord: &Arc<Discord>, address: &deskbridge_contract::Address, quoted: String) {
    let Ok(place) = ids::place(address) else { return };
    let route = format!("channels/{}/messages", place.channel);
    let discord = discord.clone();
    tokio::spawn(async move {
        let body = json!({ "content": cards::cut(&quoted, 2000), "allowed_mentions": cards::nobody() });
        if let Err(fault) = discord.sending.api.post(route, body).await {
            tracing::debug!(channel = %discord.channel, error = %fault.error, "a question was not shown again");
        }
    });
}

/// What was written in a form is put into the post under its writer's name, and then comes in as theirs.
async fn noted(
    discord: &Arc<Discord>,
    inbox: &Inbox,
    payload: &Value,
    note: Note,
    then: Option<Inbound>,
) -> Result<Value, PushError> {
    let shown = if note.internal { format!("🔒 {}", note.text) } else { note.text.clone() };
    let message = match put(discord, inbox, payload, &note, &shown).await? {
        Ok(message) => message,
        Err(error) => {
            tracing::debug!(channel = %discord.channel, %error, "a note was not posted");
            return Ok(told(NO_NOTE));
        }
    };
    let said = if note.internal { shown } else { format!("!reply {}", note.text) };
    let Note { id, at, from, address, internal, text: _ } = note;
    let event = InboundEvent::Posted { message, content: Content::text(said), reply_to: None };
    let inbound = Inbound { id, at, from, address, event, interaction: None };
    let receipt = push(discord, inbox, payload, inbound).await?;
    if let Some(then) = then {
        let receipt = push(discord, inbox, payload, then).await?;
        return Ok(answer(discord, payload, receipt, Some("ticket".into())));
    }
    let words = if internal { "🔒 Kept in this post." } else { TAKEN };
    Ok(told(receipt.toast.map_or(words, |_| words)))
}

/// The message of a note in its post. An interaction may come again, after a resume or a new start: its note stands there
/// once. The inner error: Discord does not take it.
async fn put(
    discord: &Arc<Discord>,
    inbox: &Inbox,
    payload: &Value,
    note: &Note,
    shown: &str,
) -> Result<Result<RemoteMessageId, SendError>, PushError> {
    let (shelf, notes) = (inbox.shelf(), &discord.receiving.notes);
    let id = text(payload, "id").unwrap_or_default();
    let known = notes.begin(&shelf, id).await.map_err(unavailable)?;
    let found = match known {
        Some(Put::There(message)) => return Ok(Ok(RemoteMessageId(message))),
        Some(Put::Refused) => return Ok(Err(SendError::rejected("it was refused before"))),
        Some(Put::Begun) => seen(discord, &shelf, id, note, shown).await?,
        None => None,
    };
    let mut done = match found {
        Some(message) => Ok(message),
        None => {
            let writer = writer(note);
            discord.sending.say_for(&note.address, note.id.as_str(), &writer, shown).await
        }
    };
    if matches!(done, Err(SendError::Ambiguous { .. }))
        && let Some(message) = seen(discord, &shelf, id, note, shown).await?
    {
        done = Ok(message);
    }
    let put = match &done {
        Ok(message) => Put::There(message.to_string()),
        Err(_) => Put::Refused,
    };
    if let Err(error) = notes.end(&shelf, id, put).await {
        tracing::debug!(channel = %discord.channel, %error, "where a note stands was not noted");
    }
    Ok(done)
}

fn writer(note: &Note) -> Persona {
    Persona::person(note.from.display_name.clone().unwrap_or_else(|| note.from.id.to_string()))
}

/// Whether a note of this interaction stands in its post.
async fn seen(
    discord: &Arc<Discord>,
    shelf: &Shelf,
    interaction: &str,
    note: &Note,
    shown: &str,
) -> Result<Option<RemoteMessageId>, PushError> {
    let others = discord.receiving.notes.messages(shelf).await.map_err(unavailable)?;
    let (sending, writer) = (&discord.sending, writer(note));
    sending.find_said(&note.address, &writer, shown, interaction, &others).await.map_err(unavailable)
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

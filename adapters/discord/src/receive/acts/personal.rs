//! Somebody's own matter goes into the direct messages with them, wherever it was asked.
//!
//! Not here: what is asked (`translate/interactions.rs`).

use std::sync::Arc;

use deskbridge_contract::{Address, Inbound, Inbox, PushError, RemoteEventId, RemoteUserId, SendError};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::{PATIENCE, TAKEN, told};
use crate::receive::push;
use crate::translate::interactions::Direct;
use crate::translate::text;
use crate::{Discord, cards, ids, markup};

const ELSEWHERE: &str = "Thank you. The answer comes in our direct messages.";
const NO_DIRECT: &str =
    "I may not write to you. Allow direct messages from members of this server, and try again.";
const LATER: &str = "I cannot write to you right now. Please try again in a minute.";

pub(super) async fn take(
    discord: &Arc<Discord>,
    inbox: &Inbox,
    payload: &Value,
    direct: Direct,
    here: bool,
) -> Result<Value, PushError> {
    let Direct { id, at, from, event, shown } = direct;
    let channel = text(payload, "channel_id").filter(|_| here).filter(|id| ids::is_snowflake(id));
    let address = match channel {
        Some(channel) => {
            discord.sending.note_direct(from.id.as_str(), channel);
            Address::room(&discord.channel, ids::direct_room(channel))
        }
        // An answer, whatever it is: what is not taken would come again and again, before everybody else's events.
        None => match reach(discord, &from.id, &id, shown.as_deref()).await {
            Ok(address) => address,
            Err(why) => return Ok(told(&with_words(why, shown.as_deref()))),
        },
    };
    let inbound = Inbound { id, at, from, address, event, interaction: None };
    let receipt = push(discord, inbox, &json!({}), inbound).await?;
    if let Some(toast) = receipt.toast {
        return Ok(told(&toast.text));
    }
    Ok(match (shown, here) {
        // Shown where the answer comes, so that it makes sense: here it is the answer to the command.
        (Some(words), true) => json!({ "type": 4, "data": {
            "content": asked(&words), "allowed_mentions": { "parse": [] } } }),
        (None, true) => told(TAKEN),
        (_, false) => told(ELSEWHERE),
    })
}

/// The direct message with a person, with their words in it: only a message shows whether they take any. The error is what
/// they are told instead.
async fn reach(
    discord: &Discord,
    user: &RemoteUserId,
    id: &RemoteEventId,
    shown: Option<&str>,
) -> Result<Address, &'static str> {
    let until = Instant::now() + PATIENCE;
    let opened = timeout_at(until, discord.sending.open_direct(user)).await;
    let address = match opened {
        Ok(Ok(address)) => address,
        Ok(Err(error @ (SendError::Gone { .. } | SendError::Rejected { .. }))) => {
            tracing::info!(channel = %discord.channel, %error, "no direct message could be opened for a command");
            return Err(NO_DIRECT);
        }
        Ok(Err(error)) => {
            tracing::info!(channel = %discord.channel, %error, "a command was not taken");
            return Err(LATER);
        }
        Err(_) => return Err(LATER),
    };
    let Some(words) = shown else { return Ok(address) };
    match timeout_at(until, discord.sending.show(&address, id.as_str(), &asked(words))).await {
        Ok(Err(error @ SendError::Gone { .. })) => {
            tracing::debug!(channel = %discord.channel, %error, "a person takes no direct messages");
            Err(NO_DIRECT)
        }
        // Else it is only decoration.
        Ok(Ok(()) | Err(_)) | Err(_) => Ok(address),
    }
}

fn asked(words: &str) -> String {
    cards::cut(&format!("You asked:\n{}", quoted(&markup::to_discord(words))), 2000)
}

/// Nobody has to write it a second time.
fn with_words(why: &str, words: Option<&str>) -> String {
    words.map_or_else(|| why.to_owned(), |words| format!("{why}\n\n{}", quoted(words)))
}

fn quoted(words: &str) -> String {
    let lines: Vec<String> = cards::cut(words, 1800).lines().map(|line| format!("> {line}")).collect();
    lines.join("\n")
}

//! `chat.startStream`, `appendStream`, `stopStream`: a message that grows.
//! Other posts are in `chat`.

use serde_json::json;

use super::Caller;
use super::chat;
use crate::slack::blocks::{self, MAX_MARKDOWN, Surface};
use crate::slack::error::{Answer, ApiError, refuse};
use crate::slack::message::Message;
use crate::slack::params::Params;
use crate::slack::team::ChannelKind;
use crate::slack::world::World;

pub(super) fn start(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let channel = chat::target(world, caller, params)?;
    chat::may_write(world, caller, &channel)?;
    let kind = world.channel_mut(&caller.team, &channel)?.kind;
    let thread = chat::thread(world, caller, &channel, params)?;
    if kind == ChannelKind::Im {
        if thread.is_none() {
            return refuse("invalid_thread_ts");
        }
    } else {
        for (name, error) in [
            ("recipient_user_id", "missing_recipient_user_id"),
            ("recipient_team_id", "missing_recipient_team_id"),
        ] {
            params.text(name).ok_or_else(|| ApiError::new(error))?;
        }
    }
    let text = piece(params)?.unwrap_or_default();
    world.pace(&caller.team, &channel)?;
    let author = chat::author(world, caller, params);
    let message = Message { thread, streaming: true, ..Message::new(String::new(), author, text) };
    let ts = world.place(&caller.team, &channel, message)?;
    world.announce_message(&caller.team, &channel, &ts)?;
    Ok(json!({ "channel": channel, "ts": ts }))
}

/// `markdown_text`, or the markdown of `chunks`.
fn piece(params: &Params) -> Result<Option<String>, ApiError> {
    let chunks = params.structured("chunks", "invalid_chunks")?;
    let texts = chunks
        .as_ref()
        .and_then(serde_json::Value::as_array)
        .map(|chunks| chunks.iter().filter_map(|chunk| chunk["text"].as_str()).collect::<Vec<_>>().concat());
    let text = params.text("markdown_text").or(texts);
    match text {
        Some(text) if text.chars().count() > MAX_MARKDOWN => refuse("msg_too_long"),
        text => Ok(text),
    }
}

fn running(world: &mut World, caller: &Caller, channel: &str, ts: &str) -> Result<(), ApiError> {
    chat::own(world, caller, channel, ts, "message_not_owned_by_app")?;
    if world.message_mut(&caller.team, channel, ts)?.streaming {
        Ok(())
    } else {
        refuse("message_not_in_streaming_state")
    }
}

pub(super) fn append(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let (channel, ts) = (chat::target(world, caller, params)?, params.need("ts")?);
    running(world, caller, &channel, &ts)?;
    let Some(text) = piece(params)? else { return refuse("no_text") };
    let message = world.message_mut(&caller.team, &channel, &ts)?;
    if message.text.chars().count() + text.chars().count() > MAX_MARKDOWN {
        return refuse("msg_too_long");
    }
    message.text.push_str(&text);
    Ok(json!({ "channel": channel, "ts": ts }))
}

/// The last piece, and blocks below it; from then on it is a message like any other.
pub(super) fn stop(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let (channel, ts) = (chat::target(world, caller, params)?, params.need("ts")?);
    running(world, caller, &channel, &ts)?;
    let text = piece(params)?.unwrap_or_default();
    let metadata = chat::metadata(params)?;
    let blocks = match params.structured("blocks", "invalid_blocks_format")? {
        Some(given) => Some(blocks::accept(given, Surface::Message, &mut world.serial)?),
        None => None,
    };
    let before = world.before(&caller.team, &channel, &ts)?;
    let message = world.message_mut(&caller.team, &channel, &ts)?;
    message.text.push_str(&text);
    message.streaming = false;
    // The blocks come below the text that was streamed.
    message.blocks = blocks.map(|blocks| {
        let mut all = vec![json!({ "type": "markdown", "text": message.text, "block_id": "streamed" })];
        all.extend(blocks.as_array().cloned().unwrap_or_default());
        json!(all)
    });
    message.metadata = metadata.or(message.metadata.take());
    let message = message.clone();
    world.note_pings(&caller.team, &channel, &message);
    world.announce_change(&caller.team, &channel, before, &ts)?;
    chat::answer(world, caller, &channel, &ts)
}

//! `chat.*`: posting, changing, deleting, whispering, unfurling.
//! Streams are in `stream`.

use serde_json::{Value, json};

use super::Caller;
use crate::slack::blocks::{self, Surface};
use crate::slack::error::{Answer, ApiError, refuse};
use crate::slack::message::{Author, Message};
use crate::slack::params::Params;
use crate::slack::team::{Channel, ChannelKind, Ts};
use crate::slack::world::World;

/// Above this the platform cuts; a caller who sends it did not split.
pub const MAX_TEXT: usize = 40_000;
/// `chat.update` refuses above it.
pub const MAX_UPDATE: usize = 4_000;
/// Serialised `event_payload` of a message's metadata.
const MAX_METADATA: usize = 8_000;

/// The channel that a parameter means: an id, a person's id (their direct message), a name with `#`.
pub(super) fn target(world: &mut World, caller: &Caller, params: &Params) -> Result<String, ApiError> {
    let given = params.text("channel").ok_or_else(|| ApiError::new("channel_not_found"))?;
    if given.starts_with('U') {
        return world.open_im(&caller.team, &given, &caller.bot_user);
    }
    let team = world.known(&caller.team)?;
    let by_name = |channel: &&Channel| given.strip_prefix('#') == Some(channel.name.as_str());
    let found = team.channels.get(&given).or_else(|| team.channels.values().find(by_name));
    found.map(|channel| channel.id.clone()).ok_or_else(|| ApiError::new("channel_not_found"))
}

/// May the bot write there?
pub(super) fn may_write(world: &World, caller: &Caller, id: &str) -> Result<(), ApiError> {
    let channel =
        world.known(&caller.team)?.channels.get(id).ok_or_else(|| ApiError::new("channel_not_found"))?;
    if !channel.members.contains(&caller.bot_user) {
        let everywhere = caller.scopes.iter().any(|scope| scope == "chat:write.public");
        match channel.kind {
            ChannelKind::Public if everywhere => {}
            ChannelKind::Public => return refuse("not_in_channel"),
            _ => return refuse("channel_not_found"),
        }
    }
    if channel.archived { refuse("is_archived") } else { Ok(()) }
}

/// Text, blocks and attachments of a call.
pub(super) struct Body {
    pub text: Option<String>,
    pub blocks: Option<Value>,
    pub attachments: Option<Value>,
}

pub(super) fn body(world: &mut World, params: &Params, most: usize) -> Result<Body, ApiError> {
    let mut text = params.text("text");
    let given = params.structured("blocks", "invalid_blocks_format")?;
    let attachments = params.structured("attachments", "invalid_attachments")?;
    if let Some(markdown) = params.text("markdown_text") {
        if text.is_some() || given.is_some() {
            return refuse("markdown_text_conflict");
        }
        if markdown.chars().count() > blocks::MAX_MARKDOWN {
            return refuse("msg_too_long");
        }
        text = Some(markdown);
    }
    if text.as_ref().is_some_and(|text| text.chars().count() > most) {
        return refuse("msg_too_long");
    }
    if attachments.as_ref().and_then(Value::as_array).is_some_and(|all| all.len() > 100) {
        return refuse("too_many_attachments");
    }
    let blocks = match given {
        Some(given) => Some(blocks::accept(given, Surface::Message, &mut world.serial)?),
        None => None,
    };
    watch(world, params, text.as_deref());
    Ok(Body { text, blocks, attachments })
}

/// Things that the platform lets pass and a bridge must not do.
fn watch(world: &mut World, params: &Params, text: Option<&str>) {
    if params.flag("link_names") || params.text("parse").is_some_and(|parse| parse == "full") {
        world.ledger.violation("link_names or parse=full: plain words would ring");
    }
    // A bare ">" quotes; a bare "<" opens what is never closed.
    let open = text.is_some_and(|text| text.matches('<').count() > text.matches('>').count());
    if open {
        world.ledger.violation(format!("an angle bracket that is not closed: {text:?}"));
    }
}

pub(super) fn metadata(params: &Params) -> Result<Option<Value>, ApiError> {
    let Some(metadata) = params.structured("metadata", "invalid_metadata_format")? else { return Ok(None) };
    let named = metadata["event_type"].as_str().is_some_and(|kind| !kind.is_empty());
    if !named || !metadata["event_payload"].is_object() {
        return refuse("invalid_metadata_format");
    }
    if metadata["event_payload"].to_string().len() > MAX_METADATA {
        return refuse("metadata_too_large");
    }
    Ok(Some(metadata))
}

/// The thread to answer in: a root's `ts`. A reply's `ts` is taken for its root's, and written down.
pub(super) fn thread(
    world: &mut World,
    caller: &Caller,
    channel: &str,
    params: &Params,
) -> Result<Option<Ts>, ApiError> {
    let Some(Value::String(given)) = params.values.get("thread_ts") else { return Ok(None) };
    let found = world.channel_mut(&caller.team, channel)?.messages.get(given);
    match found.map(|message| message.thread.clone()) {
        Some(Some(root)) => {
            world.ledger.violation(format!("thread_ts {given} is a reply's"));
            Ok(Some(root))
        }
        Some(None) => Ok(Some(given.clone())),
        None if given.is_empty() => refuse("invalid_thread_ts"),
        None => refuse("thread_not_found"),
    }
}

pub(super) fn author(world: &World, caller: &Caller, params: &Params) -> Author {
    let customizes = caller.scopes.iter().any(|scope| scope == "chat:write.customize");
    let own = &world.app(&caller.team, &caller.app).name;
    let username = params.text("username").filter(|name| customizes && name != own);
    let icon = params.text("icon_url").or_else(|| params.text("icon_emoji")).filter(|_| customizes);
    Author::App { app: caller.app.clone(), username, icon }
}

pub(super) fn post_message(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let channel = target(world, caller, params)?;
    may_write(world, caller, &channel)?;
    let body = body(world, params, MAX_TEXT)?;
    if body.text.is_none() && body.blocks.is_none() && body.attachments.is_none() {
        return refuse("no_text");
    }
    let metadata = metadata(params)?;
    let thread = thread(world, caller, &channel, params)?;
    world.pace(&caller.team, &channel)?;
    let author = author(world, caller, params);
    let message = Message {
        broadcast: thread.is_some() && params.flag("reply_broadcast"),
        thread,
        blocks: body.blocks,
        attachments: body.attachments,
        metadata,
        ..Message::new(String::new(), author, body.text.unwrap_or_default())
    };
    let ts = world.place(&caller.team, &channel, message)?;
    world.announce_message(&caller.team, &channel, &ts)?;
    answer(world, caller, &channel, &ts)
}

pub(super) fn answer(world: &mut World, caller: &Caller, channel: &str, ts: &str) -> Answer {
    let message = world.message_mut(&caller.team, channel, ts)?.clone();
    let shown = message.json(world.known(&caller.team)?, true);
    Ok(json!({ "channel": channel, "ts": ts, "message": shown }))
}

/// A message of the caller's own.
pub(super) fn own(
    world: &mut World,
    caller: &Caller,
    channel: &str,
    ts: &str,
    error: &str,
) -> Result<(), ApiError> {
    let message = world.message_mut(&caller.team, channel, ts)?;
    if message.is_from_app(&caller.app) { Ok(()) } else { refuse(error) }
}

pub(super) fn update(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let (channel, ts) = (target(world, caller, params)?, params.need("ts")?);
    own(world, caller, &channel, &ts, "cant_update_message")?;
    may_write(world, caller, &channel)?;
    let body = body(world, params, MAX_UPDATE)?;
    if body.text.is_none() && body.blocks.is_none() && body.attachments.is_none() {
        return refuse("no_text");
    }
    let metadata = metadata(params)?;
    let before = world.before(&caller.team, &channel, &ts)?;
    let edited_at = world.next_ts(&caller.team, &channel)?;
    let message = world.message_mut(&caller.team, &channel, &ts)?;
    if message.streaming {
        return refuse("streaming_state_conflict");
    }
    if let Some(text) = body.text {
        message.earlier.push(std::mem::replace(&mut message.text, text));
    }
    // What is left out stays; an empty list takes it away.
    let keep = |new: Option<Value>, old: &mut Option<Value>| {
        if let Some(new) = new {
            *old = Some(new).filter(|new| new.as_array().is_none_or(|all| !all.is_empty()));
        }
    };
    keep(body.blocks, &mut message.blocks);
    keep(body.attachments, &mut message.attachments);
    if metadata.is_some() {
        message.metadata = metadata;
    }
    message.edited = Some((caller.bot_user.clone(), edited_at));
    let message = message.clone();
    world.note_pings(&caller.team, &channel, &message);
    world.announce_change(&caller.team, &channel, before, &ts)?;
    let shown = message.json(world.known(&caller.team)?, true);
    Ok(json!({ "channel": channel, "ts": ts, "text": message.text, "message": shown }))
}

pub(super) fn delete(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let (channel, ts) = (target(world, caller, params)?, params.need("ts")?);
    own(world, caller, &channel, &ts, "cant_delete_message")?;
    world.announce_deletion(&caller.team, &channel, &ts)?;
    world.message_mut(&caller.team, &channel, &ts)?.deleted = true;
    world.ledger.deleted.push((channel.clone(), ts.clone()));
    Ok(json!({ "channel": channel, "ts": ts }))
}

pub(super) fn post_ephemeral(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let channel = target(world, caller, params)?;
    may_write(world, caller, &channel)?;
    let user = params.text("user").ok_or_else(|| ApiError::new("invalid_arguments"))?;
    if !world.channel_mut(&caller.team, &channel)?.members.contains(&user) {
        return refuse("user_not_in_channel");
    }
    let body = body(world, params, MAX_TEXT)?;
    if body.text.is_none() && body.blocks.is_none() && body.attachments.is_none() {
        return refuse("no_text");
    }
    let thread = thread(world, caller, &channel, params)?;
    let text = body.text.unwrap_or_default();
    let ts = world.whisper(&caller.team, &caller.app, &channel, &user, thread, text, body.blocks)?;
    Ok(json!({ "message_ts": ts }))
}

pub(super) fn permalink(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let (channel, ts) = (params.need("channel")?, params.need("message_ts")?);
    world.message_mut(&caller.team, &channel, &ts)?;
    let domain = world.known(&caller.team)?.domain();
    let link = format!("https://{domain}.slack.com/archives/{channel}/p{}", ts.replace('.', ""));
    Ok(json!({ "channel": channel, "permalink": link }))
}

/// Cards under the links of a message; told to everybody as a change of it, by whoever wrote it.
pub(super) fn unfurl(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let unfurls = params.structured("unfurls", "invalid_unfurls_format")?;
    let Some(Value::Object(unfurls)) = unfurls else { return refuse("missing_unfurls") };
    let (channel, ts) = (params.need("channel")?, params.need("ts")?);
    let before = world.before(&caller.team, &channel, &ts)?;
    let bot_id = world.app(&caller.team, &caller.app).bot_id.clone();
    let mut attachments = Vec::new();
    for (url, card) in &unfurls {
        let mut card = card.clone();
        if let Some(given) = card.get("blocks").cloned() {
            card["blocks"] = blocks::accept(given, Surface::Message, &mut world.serial)?;
        }
        card["from_url"] = json!(url);
        card["app_unfurl_url"] = json!(url);
        card["is_app_unfurl"] = json!(true);
        card["app_id"] = json!(caller.app);
        card["bot_id"] = json!(bot_id);
        attachments.push(card);
    }
    let message = world.message_mut(&caller.team, &channel, &ts)?;
    if unfurls.keys().any(|url| !crate::slack::compose::links(&message.text).contains(url)) {
        return refuse("cannot_unfurl_url");
    }
    message.unfurls.extend(unfurls);
    message.attachments = Some(json!(attachments));
    world.announce_change(&caller.team, &channel, before, &ts)?;
    Ok(json!({}))
}

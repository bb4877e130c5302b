//! `conversations.*`: reading back, membership, opening direct messages.
//! Writing is in `chat`.

use serde_json::{Value, json};

use super::{Caller, page};
use crate::slack::error::{Answer, ApiError, refuse};
use crate::slack::message::Message;
use crate::slack::params::Params;
use crate::slack::team::{Channel, ChannelKind};
use crate::slack::world::World;

/// A channel that the bot can look into.
fn readable<'w>(world: &'w World, caller: &Caller, params: &Params) -> Result<&'w Channel, ApiError> {
    let id = params.text("channel").unwrap_or_default();
    let found =
        world.known(&caller.team)?.channels.get(&id).ok_or_else(|| ApiError::new("channel_not_found"))?;
    if found.members.contains(&caller.bot_user) {
        return Ok(found);
    }
    refuse(if found.kind == ChannelKind::Public { "not_in_channel" } else { "channel_not_found" })
}

fn bound(params: &Params, name: &str) -> Result<Option<String>, ApiError> {
    let Some(given) = params.text(name) else { return Ok(None) };
    let good = given.chars().all(|c| c.is_ascii_digit() || c == '.')
        && given.starts_with(|c: char| c.is_ascii_digit());
    if !good {
        return refuse(&format!("invalid_ts_{name}"));
    }
    // "0" and "1700000000" are times as well.
    let (seconds, rest) = given.split_once('.').unwrap_or((&given, ""));
    Ok(Some(format!("{seconds:0>10}.{rest:0<6}")))
}

fn within(message: &Message, oldest: Option<&String>, latest: Option<&String>, inclusive: bool) -> bool {
    let from = oldest.is_none_or(|oldest| message.ts > *oldest || (inclusive && message.ts == *oldest));
    from && latest.is_none_or(|latest| message.ts < *latest || (inclusive && message.ts == *latest))
}

/// A message with what only reading back shows: how a thread stands.
fn with_thread(
    world: &World,
    caller: &Caller,
    channel: &Channel,
    message: &Message,
    metadata: bool,
) -> Result<Value, ApiError> {
    let mut object = message.json(world.known(&caller.team)?, metadata);
    if message.deleted {
        object = json!({
            "type": "message", "subtype": "tombstone", "text": "This message was deleted.", "user": "USLACKBOT",
            "hidden": true, "ts": message.ts,
        });
    }
    let replies: Vec<&Message> = channel.thread(&message.ts).filter(|reply| reply.ts != message.ts).collect();
    if let Some(last) = replies.last() {
        object["thread_ts"] = json!(message.ts);
        object["reply_count"] = json!(replies.len());
        object["latest_reply"] = json!(last.ts);
        object["is_locked"] = json!(false);
        object["subscribed"] = json!(false);
    }
    Ok(object)
}

pub(super) fn history(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let channel = readable(world, caller, params)?;
    let (oldest, latest) = (bound(params, "oldest")?, bound(params, "latest")?);
    let metadata = params.flag("include_all_metadata");
    let inclusive = params.flag("inclusive");
    let shown = channel.messages.values().filter(|it| channel.shows(it));
    let top_level = shown.filter(|it| it.thread.is_none() || it.broadcast);
    let wanted = top_level.filter(|it| within(it, oldest.as_ref(), latest.as_ref(), inclusive));
    let newest_first: Vec<&Message> = wanted.collect::<Vec<_>>().into_iter().rev().collect();
    let shown: Result<Vec<Value>, ApiError> =
        newest_first.iter().map(|message| with_thread(world, caller, channel, message, metadata)).collect();
    let mut answer = page(shown?, params, "messages")?;
    answer["pin_count"] = json!(0);
    Ok(answer)
}

pub(super) fn replies(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let channel = readable(world, caller, params)?;
    if channel.kind != ChannelKind::Im && !world.settings.threads_readable {
        return refuse("not_allowed_token_type");
    }
    let ts = params.need("ts")?;
    let asked = channel.messages.get(&ts).filter(|asked| channel.shows(asked));
    let Some(asked) = asked else { return refuse("thread_not_found") };
    let root = asked.thread.clone().unwrap_or(ts);
    let (oldest, latest) = (bound(params, "oldest")?, bound(params, "latest")?);
    let metadata = params.flag("include_all_metadata");
    let inclusive = params.flag("inclusive");
    let wanted = |message: &&Message| {
        // The root is always there.
        message.ts == root || within(message, oldest.as_ref(), latest.as_ref(), inclusive)
    };
    let shown: Result<Vec<Value>, ApiError> = channel
        .messages
        .values()
        .filter(|it| (it.ts == root || it.thread.as_ref() == Some(&root)) && channel.shows(it))
        .filter(wanted)
        .map(|message| match &message.thread {
            None => with_thread(world, caller, channel, message, metadata),
            Some(_) => Ok(message.json(world.known(&caller.team)?, metadata)),
        })
        .collect();
    page(shown?, params, "messages")
}

pub(super) fn info(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let id = params.text("channel").unwrap_or_default();
    let found =
        world.known(&caller.team)?.channels.get(&id).ok_or_else(|| ApiError::new("channel_not_found"))?;
    let hidden = found.kind != ChannelKind::Public && !found.members.contains(&caller.bot_user);
    if hidden {
        return refuse("channel_not_found");
    }
    Ok(json!({ "channel": found.json(&caller.bot_user) }))
}

pub(super) fn members(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let id = params.text("channel").unwrap_or_default();
    let found =
        world.known(&caller.team)?.channels.get(&id).ok_or_else(|| ApiError::new("channel_not_found"))?;
    if found.kind != ChannelKind::Public && !found.members.contains(&caller.bot_user) {
        return refuse("channel_not_found");
    }
    page(found.members.iter().map(|member| json!(member)).collect(), params, "members")
}

pub(super) fn open(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let Some(users) = params.text("users") else { return refuse("users_list_not_supplied") };
    if users.contains(',') {
        return refuse("too_many_users");
    }
    let known = world.known(&caller.team)?.im(&users, &caller.bot_user).is_some();
    let id = world.open_im(&caller.team, &users, &caller.bot_user)?;
    let full = params.flag("return_im");
    let channel = world.channel_mut(&caller.team, &id)?.json(&caller.bot_user);
    let shown = if full { channel } else { json!({ "id": id }) };
    Ok(json!({ "channel": shown, "no_op": known, "already_open": known }))
}

pub(super) fn join(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let id = params.need("channel")?;
    let bot = caller.bot_user.clone();
    let channel = world.channel_mut(&caller.team, &id)?;
    match channel.kind {
        ChannelKind::Public if channel.archived => return refuse("is_archived"),
        ChannelKind::Public => {}
        ChannelKind::Private => return refuse("channel_not_found"),
        _ => return refuse("method_not_supported_for_channel_type"),
    }
    world.join(&caller.team, &id, &bot, None)?;
    let channel = world.channel_mut(&caller.team, &id)?.json(&bot);
    Ok(json!({ "channel": channel }))
}

pub(super) fn leave(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let id = params.need("channel")?;
    if !world.channel_mut(&caller.team, &id)?.members.remove(&caller.bot_user) {
        return Ok(json!({ "not_in_channel": true }));
    }
    Ok(json!({}))
}

fn kind_named(name: &str) -> Result<ChannelKind, ApiError> {
    match name {
        "public_channel" => Ok(ChannelKind::Public),
        "private_channel" => Ok(ChannelKind::Private),
        "im" => Ok(ChannelKind::Im),
        "mpim" => Ok(ChannelKind::Mpim),
        _ => refuse("invalid_types"),
    }
}

/// Of each kind that is asked for the scope must be there.
fn kinds(caller: &Caller, params: &Params) -> Result<Vec<ChannelKind>, ApiError> {
    let given = params.text("types").unwrap_or_else(|| "public_channel".into());
    let kinds: Result<Vec<ChannelKind>, ApiError> =
        given.split(',').map(|name| kind_named(name.trim())).collect();
    let kinds = kinds?;
    for kind in &kinds {
        let needed = format!("{}:read", kind.scope());
        if !caller.scopes.contains(&needed) {
            return Err(ApiError::missing_scope(&needed, &caller.scopes));
        }
    }
    Ok(kinds)
}

fn listed(world: &World, caller: &Caller, params: &Params, only_joined: bool) -> Answer {
    let kinds = kinds(caller, params)?;
    let without_archived = params.flag("exclude_archived");
    let visible = |channel: &&Channel| {
        let joined = channel.members.contains(&caller.bot_user);
        kinds.contains(&channel.kind)
            && (joined || (channel.kind == ChannelKind::Public && !only_joined))
            && !(without_archived && channel.archived)
    };
    let channels = world.known(&caller.team)?.channels.values().filter(visible);
    page(channels.map(|channel| channel.json(&caller.bot_user)).collect(), params, "channels")
}

pub(super) fn list(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    listed(world, caller, params, false)
}

/// `users.conversations` of the bot itself.
pub(super) fn of_bot(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    listed(world, caller, params, true)
}

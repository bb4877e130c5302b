//! `/channels/{id}/messages`: write, read, change, delete; typing and pins ("Message" resource).
//! What a message may hold is in `compose`.

use serde_json::{Value, json};

use super::{Caller, Method, method};
use crate::discord::compose::{Allowed, Draft};
use crate::discord::error::{Answer, ApiError, Good, refuse};
use crate::discord::files::MAX_REQUEST;
use crate::discord::guild::ChannelKind;
use crate::discord::message::{Author, DEFAULT, EPHEMERAL, Message, PIN_ADDED, REPLY, Reference};
use crate::discord::params::Params;
use crate::discord::permissions::{
    ATTACH_FILES, MANAGE_MESSAGES, MANAGE_THREADS, READ_MESSAGE_HISTORY, SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS, VIEW_CHANNEL,
};
use crate::discord::snowflake::Snowflake;
use crate::discord::world::World;

const MAX_PINS: usize = 50;

pub(super) const METHODS: &[Method] = &[
    method("POST", "channels/{channel_id}/messages", "create_message", create),
    method("GET", "channels/{channel_id}/messages", "list_messages", list),
    method("GET", "channels/{channel_id}/messages/pins", "list_pins", list_pins),
    method("PUT", "channels/{channel_id}/messages/pins/{message_id}", "create_pin", pin),
    method("DELETE", "channels/{channel_id}/messages/pins/{message_id}", "delete_pin", unpin),
    // The same by their earlier paths, which clients still use.
    method("GET", "channels/{channel_id}/pins", "deprecated_list_pins", list_pins_bare),
    method("PUT", "channels/{channel_id}/pins/{message_id}", "deprecated_create_pin", pin),
    method("DELETE", "channels/{channel_id}/pins/{message_id}", "deprecated_delete_pin", unpin),
    method("GET", "channels/{channel_id}/messages/{message_id}", "get_message", get),
    method("PATCH", "channels/{channel_id}/messages/{message_id}", "update_message", update),
    method("DELETE", "channels/{channel_id}/messages/{message_id}", "delete_message", delete),
    method("POST", "channels/{channel_id}/typing", "trigger_typing_indicator", typing),
];

impl World {
    /// The channel when this bot sees it.
    ///
    /// # Errors
    /// `10003`, `50001`.
    pub(in crate::discord) fn visible(&self, bot: Snowflake, channel: Snowflake) -> Result<(), ApiError> {
        self.channel_known(channel)?;
        if self.may(bot, channel, VIEW_CHANNEL) { Ok(()) } else { refuse(50_001) }
    }

    /// # Errors
    /// Why this bot may not write there: not seen, no rights, a person who takes nothing, a closed thread.
    pub(in crate::discord) fn writable(&self, bot: Snowflake, channel: Snowflake) -> Result<(), ApiError> {
        self.visible(bot, channel)?;
        let found = self.channel_known(channel)?;
        if !found.kind.takes_messages() {
            return refuse(50_008);
        }
        if found.kind == ChannelKind::Dm {
            let mut others = found.people.iter().filter(|id| **id != bot);
            let closed = others.any(|id| !self.reaches(bot, *id));
            return if closed { refuse(50_007) } else { Ok(()) };
        }
        let wanted = if found.is_thread() { SEND_MESSAGES_IN_THREADS } else { SEND_MESSAGES };
        if !self.may(bot, channel, wanted) {
            return refuse(50_013);
        }
        match (found.archived, found.locked) {
            (true, true) => refuse(50_083),
            (false, true) if !self.may(bot, channel, MANAGE_THREADS) => refuse(160_005),
            _ => Ok(()),
        }
    }

    /// Does a person take direct messages from this bot? They must share a server, and be open to it.
    fn reaches(&self, bot: Snowflake, user: Snowflake) -> bool {
        let both = |guild: &crate::discord::guild::Guild| {
            guild.members.contains_key(&bot) && guild.members.contains_key(&user)
        };
        let open = self.users.get(&user).is_some_and(|user| !user.closed && !user.bot);
        open && self.guilds.values().any(both)
    }
}

fn create(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let channel = params.id("channel_id")?;
    world.writable(caller.bot, channel)?;
    let size: usize = params.files.iter().map(|file| file.bytes.len()).sum();
    if size > MAX_REQUEST {
        return refuse(40_005);
    }
    let draft = Draft::read(&params.body, params.files.len(), &Allowed::everything())?;
    if draft.flags & EPHEMERAL != 0 {
        return Err(ApiError::form("flags", "INVALID_BITFIELD_FLAG", "The bitfield contains invalid flags."));
    }
    if !params.files.is_empty() && !world.may(caller.bot, channel, ATTACH_FILES) {
        return refuse(50_013);
    }
    if draft.answers.is_some() && !world.may(caller.bot, channel, READ_MESSAGE_HISTORY) {
        return refuse(160_002);
    }
    let nonce = draft.nonce.clone().filter(|_| draft.enforce_nonce);
    if let Some((there, first)) = nonce.as_ref().and_then(|nonce| world.remembered(caller.bot, nonce)) {
        let first = world.message(there, first).ok_or_else(|| ApiError::coded(10_008))?;
        return Good::with(world.message_json(first, caller.app));
    }
    let message =
        world.message_from(channel, Author::User(caller.bot), &draft, &params.files, &params.body)?;
    let id = world.place(message);
    if let Some(nonce) = &draft.nonce {
        world.remember(caller.bot, nonce, channel, id);
    }
    let message = world.message_known(channel, id)?;
    Good::with(world.message_json(message, caller.app))
}

/// What history shows to a bot: everything but what is for one person alone.
fn shown(world: &World, bot: Snowflake, channel: Snowflake) -> Result<Vec<&Message>, ApiError> {
    world.visible(bot, channel)?;
    // Without the right to read history there is none.
    if !world.may(bot, channel, READ_MESSAGE_HISTORY) {
        return Ok(Vec::new());
    }
    if !world.channel_known(channel)?.kind.takes_messages() {
        return refuse(50_008);
    }
    Ok(world.messages_in(channel))
}

fn list(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let channel = params.id("channel_id")?;
    let limit = params.limit(50, 100)?;
    let all = shown(world, caller.bot, channel)?;
    let (before, after) = (params.query_id("before")?, params.query_id("after")?);
    let around = params.query_id("around")?;
    let mut picked: Vec<&Message> = match (around, before, after) {
        (Some(around), _, _) => {
            let half = limit / 2;
            let at = all.iter().position(|message| message.id >= around).unwrap_or(all.len());
            all[at.saturating_sub(half)..(at + half + 1).min(all.len())].to_vec()
        }
        (None, Some(before), _) => {
            let older: Vec<&Message> = all.into_iter().filter(|message| message.id < before).collect();
            older[older.len().saturating_sub(limit)..].to_vec()
        }
        (None, None, Some(after)) => {
            // The oldest of the newer ones; the answer is newest first all the same.
            all.into_iter().filter(|message| message.id > after).take(limit).collect()
        }
        (None, None, None) => all[all.len().saturating_sub(limit)..].to_vec(),
    };
    picked.reverse();
    Good::with(picked.into_iter().map(|message| fetched(world, message, caller)).collect())
}

/// The message when this bot may read it.
fn readable(world: &World, caller: Caller, params: &Params) -> Result<(Snowflake, Snowflake), ApiError> {
    let (channel, id) = (params.id("channel_id")?, params.id("message_id")?);
    world.visible(caller.bot, channel)?;
    if !world.may(caller.bot, channel, READ_MESSAGE_HISTORY) {
        return refuse(50_001);
    }
    let message = world.message_known(channel, id)?;
    if message.only_for.is_some() { refuse(10_008) } else { Ok((channel, id)) }
}

/// A message that is asked for: its nonce is told only to whoever sends it, and on the gateway.
fn fetched(world: &World, message: &Message, caller: Caller) -> Value {
    let mut json = world.message_json(message, caller.app);
    if let Some(json) = json.as_object_mut() {
        json.remove("nonce");
    }
    json
}

fn get(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let (channel, id) = readable(world, caller, params)?;
    Good::with(fetched(world, world.message_known(channel, id)?, caller))
}

fn update(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let (channel, id) = readable(world, caller, params)?;
    if world.message_known(channel, id)?.author != Author::User(caller.bot) {
        return refuse(50_005);
    }
    world.revise(channel, id, &params.body, &params.files, &Allowed::everything())?;
    let message = world.message_known(channel, id)?;
    Good::with(world.message_json(message, caller.app))
}

fn delete(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let (channel, id) = (params.id("channel_id")?, params.id("message_id")?);
    world.visible(caller.bot, channel)?;
    let message = world.message_known(channel, id)?;
    let own = message.author == Author::User(caller.bot);
    if !matches!(message.kind, DEFAULT | REPLY | PIN_ADDED | 18..=23) {
        return refuse(50_021);
    }
    if !own && world.channel_known(channel)?.kind == ChannelKind::Dm {
        return refuse(50_003);
    }
    if !own && !world.may(caller.bot, channel, MANAGE_MESSAGES) {
        return refuse(50_013);
    }
    if world.channel_known(channel)?.archived {
        return refuse(50_083);
    }
    world.erase(channel, id)?;
    Good::empty()
}

fn typing(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let channel = params.id("channel_id")?;
    world.writable(caller.bot, channel)?;
    world.announce_typing(channel, caller.bot);
    Good::empty()
}

fn list_pins(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let channel = params.id("channel_id")?;
    let pinned: Vec<&Message> =
        shown(world, caller.bot, channel)?.into_iter().rev().filter(|message| message.pinned).collect();
    let json = |message: &&Message| {
        let at = crate::discord::snowflake::stamp(message.id.at());
        json!({ "pinned_at": at, "message": world.message_json(message, caller.app) })
    };
    let items: Vec<Value> = pinned.iter().map(json).collect();
    Good::with(json!({ "items": items, "has_more": false }))
}

fn list_pins_bare(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let mut answer = list_pins(world, caller, params)?;
    if let Some(body) = &mut answer.body {
        let items = body["items"].as_array().into_iter().flatten();
        *body = items.map(|item| item["message"].clone()).collect();
    }
    Ok(answer)
}

fn may_pin(world: &World, caller: Caller, params: &Params) -> Result<(Snowflake, Snowflake), ApiError> {
    let (channel, id) = readable(world, caller, params)?;
    if !world.may(caller.bot, channel, crate::discord::permissions::PIN_MESSAGES) {
        return refuse(50_013);
    }
    if world.channel_known(channel)?.archived {
        return refuse(50_083);
    }
    Ok((channel, id))
}

fn pin(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let (channel, id) = may_pin(world, caller, params)?;
    let pins = world.messages_in(channel).iter().filter(|message| message.pinned).count();
    let message = world.message_known(channel, id)?;
    if message.pinned {
        return Good::empty();
    }
    if pins >= MAX_PINS {
        return refuse(30_003);
    }
    world.message_mut(channel, id)?.pinned = true;
    world.announce_message(channel, id, "MESSAGE_UPDATE");
    let guild = world.channel_known(channel)?.guild;
    let mut notice = Message::new(channel, Author::User(caller.bot), "");
    notice.kind = PIN_ADDED;
    notice.reference = Some(Reference { guild, channel, message: Some(id) });
    world.place(notice);
    Good::empty()
}

fn unpin(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let (channel, id) = may_pin(world, caller, params)?;
    world.message_mut(channel, id)?.pinned = false;
    world.announce_message(channel, id, "MESSAGE_UPDATE");
    Good::empty()
}

//! Questions about chats and their members, pins, leaving.
//! Topics are in `topics`.

use serde_json::Value;

use super::super::chat::{ChatKind, Standing};
use super::super::error::{Answer, ApiError};
use super::super::params::Params;
use super::super::world::World;
use super::done;

pub(super) fn get(world: &mut World, params: &Params) -> Answer {
    let chat = world.named_chat(params)?;
    // A chat that the bot cannot enter does not exist for it, except a user who blocked it.
    if chat.kind == ChatKind::Private && chat.standing(world.bot.id).is_none() {
        return Err(ApiError::bad("chat not found"));
    }
    let chat = if chat.kind == ChatKind::Private { chat } else { world.open_chat(params)? };
    Ok(world.full_chat_json(chat))
}

pub(super) fn member(world: &mut World, params: &Params) -> Answer {
    let chat = world.open_chat(params)?;
    let user = params.int("user_id").ok_or_else(|| ApiError::bad("user_id is not specified"))?;
    let known = if user == world.bot.id { Some(&world.bot) } else { world.users.get(&user) };
    let known = known.ok_or_else(|| ApiError::bad("PARTICIPANT_ID_INVALID"))?;
    Ok(chat.standing(user).unwrap_or(Standing::Left).json(known))
}

pub(super) fn member_count(world: &mut World, params: &Params) -> Answer {
    let chat = world.open_chat(params)?;
    Ok(chat.members.values().filter(|standing| standing.is_present()).count().into())
}

pub(super) fn administrators(world: &mut World, params: &Params) -> Answer {
    let chat = world.open_chat(params)?;
    if chat.kind == ChatKind::Private {
        return Err(ApiError::bad("there are no administrators in the private chat"));
    }
    let with_bots = params.flag("return_bots");
    let mut found = Vec::new();
    for (id, standing) in chat.members.iter().filter(|(_, standing)| standing.rights().is_some()) {
        // The vendor leaves out other bots, never the asking one.
        let user = if *id == world.bot.id { Some(&world.bot) } else { world.users.get(id) };
        let Some(user) = user.filter(|user| with_bots || !user.is_bot || user.id == world.bot.id) else {
            continue;
        };
        found.push(standing.json(user));
    }
    Ok(Value::Array(found))
}

pub(super) fn leave(world: &mut World, params: &Params) -> Answer {
    let chat = world.open_chat(params)?.id;
    let bot = world.bot.id;
    if let Some(chat) = world.chats.get_mut(&chat) {
        chat.members.insert(bot, Standing::Left);
    }
    done()
}

pub(super) fn pin(world: &mut World, params: &Params) -> Answer {
    let chat = world.open_chat(params)?;
    let message = world.named_message(chat, params, "message to pin")?;
    let pins = world.bot_rights(chat).is_some_and(|rights| rights.can_pin_messages);
    if chat.kind != ChatKind::Private && !pins {
        return Err(ApiError::bad("not enough rights to manage pinned messages in the chat"));
    }
    let (chat, id, topic) = (chat.id, message.id, message.topic);
    let pinned = world.message_json(message);
    if let Some(chat) = world.chats.get_mut(&chat) {
        chat.pinned.insert(id);
    }
    let bot = world.bot.id;
    world.place_service(chat, bot, topic, "pinned_message", pinned);
    done()
}

pub(super) fn unpin(world: &mut World, params: &Params) -> Answer {
    let chat = world.open_chat(params)?;
    let id = params.int("message_id").or_else(|| chat.pinned.last().copied());
    let id = id.ok_or_else(|| ApiError::bad("message to unpin not found"))?;
    let chat = chat.id;
    let unpinned = world.chats.get_mut(&chat).is_some_and(|chat| chat.pinned.remove(&id));
    if unpinned { done() } else { Err(ApiError::bad("message to unpin not found")) }
}

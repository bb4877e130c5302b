//! `reactions.*`.
//! People's reactions are in `people`.

use serde_json::json;

use super::Caller;
use crate::slack::error::{Answer, ApiError, refuse};
use crate::slack::params::Params;
use crate::slack::world::World;

fn item(world: &mut World, caller: &Caller, params: &Params) -> Result<(String, String), ApiError> {
    let (Some(channel), Some(ts)) = (params.text("channel"), params.text("timestamp")) else {
        return refuse("no_item_specified");
    };
    if !ts.contains('.') {
        return refuse("bad_timestamp");
    }
    let found = world.channel_mut(&caller.team, &channel)?;
    if !found.members.contains(&caller.bot_user) {
        return refuse("channel_not_found");
    }
    if found.archived {
        return refuse("is_archived");
    }
    world.message_mut(&caller.team, &channel, &ts)?;
    Ok((channel, ts))
}

/// A shortcode without colons; skin tones come after two.
fn name(params: &Params) -> Result<String, ApiError> {
    let name = params.need("name")?;
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_+-':".contains(c);
    if name.starts_with(':') || !name.chars().all(known) { refuse("invalid_name") } else { Ok(name) }
}

pub(super) fn add(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let (name, (channel, ts)) = (name(params)?, item(world, caller, params)?);
    if !world.set_reaction(&caller.team, &channel, &ts, &caller.bot_user, &name, true)? {
        return refuse("already_reacted");
    }
    Ok(json!({}))
}

pub(super) fn remove(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let (name, (channel, ts)) = (name(params)?, item(world, caller, params)?);
    if !world.set_reaction(&caller.team, &channel, &ts, &caller.bot_user, &name, false)? {
        return refuse("no_reaction");
    }
    Ok(json!({}))
}

pub(super) fn get(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let (channel, ts) = item(world, caller, params)?;
    let message = world.message_mut(&caller.team, &channel, &ts)?.clone();
    let shown = message.json(world.known(&caller.team)?, false);
    Ok(json!({ "type": "message", "channel": channel, "message": shown }))
}

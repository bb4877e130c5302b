//! `assistant.threads.*`: the agent view's status, prompts and title.
//! They leave no message; the ledger remembers them.

use serde_json::{Value, json};

use super::Caller;
use crate::slack::error::{Answer, ApiError, refuse};
use crate::slack::params::Params;
use crate::slack::world::World;

fn thread(world: &mut World, caller: &Caller, params: &Params) -> Result<(String, String), ApiError> {
    let (channel, ts) = (params.need("channel_id")?, params.need("thread_ts")?);
    let found = world.channel_mut(&caller.team, &channel)?;
    if !found.members.contains(&caller.bot_user) {
        return refuse("channel_not_found");
    }
    if !found.messages.contains_key(&ts) {
        return refuse("invalid_thread_ts");
    }
    Ok((channel, ts))
}

pub(super) fn set_status(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let (channel, ts) = thread(world, caller, params)?;
    // Empty takes it away; left out is a mistake.
    let Some(status) = params.values.get("status").and_then(Value::as_str) else {
        return Err(ApiError::missing("status"));
    };
    world.ledger.statuses.push((channel, ts, status.to_owned()));
    Ok(json!({}))
}

pub(super) fn set_prompts(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let channel = params.need("channel_id")?;
    world.channel_mut(&caller.team, &channel)?;
    // In the agent view prompts may be set before there is a thread.
    let ts = params.text("thread_ts").unwrap_or_default();
    let prompts = params.structured("prompts", "invalid_arguments")?.unwrap_or_default();
    let Some(all) = prompts.as_array() else { return Err(ApiError::missing("prompts")) };
    let whole = |prompt: &Value| prompt["title"].is_string() && prompt["message"].is_string();
    if all.is_empty() || all.len() > 4 || !all.iter().all(whole) {
        return refuse("invalid_arguments");
    }
    world.ledger.prompts.push((channel, ts, prompts));
    Ok(json!({}))
}

pub(super) fn set_title(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let (channel, ts) = thread(world, caller, params)?;
    world.ledger.titles.push((channel, ts, params.need("title")?));
    Ok(json!({}))
}

//! What the bot says about itself: getMe, commands, names and descriptions.
//! Nothing here changes a chat.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::error::{Answer, ApiError};
use super::super::params::Params;
use super::super::world::World;
use super::done;

/// Methods that only need a yes.
pub(super) fn accepted(_: &mut World, _: &Params) -> Answer {
    done()
}

pub(super) fn get_me(world: &mut World, _: &Params) -> Answer {
    let mut me = world.bot.json();
    me["can_join_groups"] = json!(true);
    me["can_read_all_group_messages"] = json!(!world.settings.privacy);
    for no in [
        "supports_guest_queries",
        "supports_inline_queries",
        "can_connect_to_business",
        "has_main_web_app",
        "has_topics_enabled",
        "allows_users_to_create_topics",
        "can_manage_bots",
        "supports_join_request_queries",
    ] {
        me[no] = json!(false);
    }
    Ok(me)
}

fn commands_key(params: &Params) -> Result<(String, String), ApiError> {
    let scope: Option<Value> = params.structured("scope")?;
    let scope = scope.unwrap_or_else(|| json!({ "type": "default" }));
    Ok((scope.to_string(), params.text("language_code").unwrap_or_default()))
}

#[derive(Deserialize)]
struct Command {
    command: String,
    description: String,
}

pub(super) fn set_commands(world: &mut World, params: &Params) -> Answer {
    let key = commands_key(params)?;
    let list: Vec<Command> = params.structured("commands")?.unwrap_or_default();
    if list.len() > 100 {
        return Err(ApiError::bad("BOT_COMMANDS_TOO_MUCH"));
    }
    for command in &list {
        let name = command.command.trim_start_matches('/');
        let fits = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !fits || !(1..=32).contains(&name.len()) {
            return Err(ApiError::bad("BOT_COMMAND_INVALID"));
        }
        if !(1..=256).contains(&command.description.chars().count()) {
            return Err(ApiError::bad("BOT_COMMAND_DESCRIPTION_INVALID"));
        }
    }
    let list: Vec<Value> = list
        .iter()
        .map(|c| json!({ "command": c.command.trim_start_matches('/'), "description": c.description }))
        .collect();
    world.commands.insert(key, Value::Array(list));
    done()
}

pub(super) fn delete_commands(world: &mut World, params: &Params) -> Answer {
    world.commands.remove(&commands_key(params)?);
    done()
}

pub(super) fn get_commands(world: &mut World, params: &Params) -> Answer {
    Ok(world.commands.get(&commands_key(params)?).cloned().unwrap_or_else(|| json!([])))
}

fn set_text(world: &mut World, params: &Params, field: &str, limit: usize) -> Answer {
    let text = params.text(field).unwrap_or_default();
    if text.chars().count() > limit {
        return Err(ApiError::bad(format!("{field} is too long")));
    }
    let language = params.text("language_code").unwrap_or_default();
    world.profile.insert((field.to_owned(), language), text);
    done()
}

fn get_text(world: &World, params: &Params, field: &str) -> Answer {
    let own = (field.to_owned(), params.text("language_code").unwrap_or_default());
    let default = (field.to_owned(), String::new());
    let text = world.profile.get(&own).or_else(|| world.profile.get(&default));
    Ok(json!({ field: text.cloned().unwrap_or_default() }))
}

pub(super) fn set_name(world: &mut World, params: &Params) -> Answer {
    set_text(world, params, "name", 64)
}

pub(super) fn get_name(world: &mut World, params: &Params) -> Answer {
    get_text(world, params, "name")
}

pub(super) fn set_description(world: &mut World, params: &Params) -> Answer {
    set_text(world, params, "description", 512)
}

pub(super) fn get_description(world: &mut World, params: &Params) -> Answer {
    get_text(world, params, "description")
}

pub(super) fn set_short_description(world: &mut World, params: &Params) -> Answer {
    set_text(world, params, "short_description", 120)
}

pub(super) fn get_short_description(world: &mut World, params: &Params) -> Answer {
    get_text(world, params, "short_description")
}

//! Application commands: listed and written as a whole ("Application Commands").
//! Calling them is in `people`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Caller, Method, method};
use crate::discord::error::{Answer, ApiError, Good, refuse};
use crate::discord::params::Params;
use crate::discord::snowflake::Snowflake;
use crate::discord::world::World;

const EVERYWHERE: &str = "applications/{application_id}/commands";
const ONE: &str = "applications/{application_id}/commands/{command_id}";
const IN_GUILD: &str = "applications/{application_id}/guilds/{guild_id}/commands";
const ONE_IN_GUILD: &str = "applications/{application_id}/guilds/{guild_id}/commands/{command_id}";

/// Commands of one kind: slash commands; those on users and on messages are five each.
const MAX_COMMANDS: usize = 100;
const MAX_MENU: usize = 5;

pub(super) const METHODS: &[Method] = &[
    method("GET", EVERYWHERE, "list_application_commands", list),
    method("PUT", EVERYWHERE, "bulk_set_application_commands", replace),
    method("POST", EVERYWHERE, "create_application_command", create),
    method("DELETE", ONE, "delete_application_command", delete),
    method("GET", IN_GUILD, "list_guild_application_commands", list),
    method("PUT", IN_GUILD, "bulk_set_guild_application_commands", replace),
    method("POST", IN_GUILD, "create_guild_application_command", create),
    method("DELETE", ONE_IN_GUILD, "delete_guild_application_command", delete),
];

/// Whose commands, and where.
fn scope(world: &World, caller: Caller, params: &Params) -> Result<Option<Snowflake>, ApiError> {
    if params.id("application_id")? != caller.app {
        return refuse(20_012);
    }
    if params.at("guild_id").is_empty() {
        return Ok(None);
    }
    let guild = params.id("guild_id")?;
    if world.guild_known(guild)?.members.contains_key(&caller.bot) { Ok(Some(guild)) } else { refuse(50_001) }
}

fn bad(path: &str, text: &str) -> ApiError {
    ApiError::form(path, "APPLICATION_COMMAND_INVALID_NAME", text)
}

/// # Errors
/// `50035` for a name that a slash command or an option may not have.
fn check_name(name: &str, path: &str, slash: bool) -> Result<(), ApiError> {
    let length = name.chars().count();
    if !(1..=32).contains(&length) {
        return Err(ApiError::form(path, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 32 in length."));
    }
    let allowed = |letter: char| letter.is_alphanumeric() || "-_'".contains(letter);
    if slash && (name.to_lowercase() != name || !name.chars().all(allowed)) {
        return Err(bad(path, "Command name is invalid"));
    }
    Ok(())
}

fn check_description(holder: &Value, path: &str) -> Result<(), ApiError> {
    let length = holder["description"].as_str().map_or(0, |text| text.chars().count());
    if (1..=100).contains(&length) {
        return Ok(());
    }
    let path = format!("{path}description");
    Err(ApiError::form(&path, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length."))
}

fn check_options(options: &Value, path: &str) -> Result<(), ApiError> {
    let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
    if options.len() > 25 {
        return Err(ApiError::too_long(&format!("{path}options"), 25));
    }
    let (mut optional, mut names) = (false, BTreeSet::new());
    for (at, option) in options.iter().enumerate() {
        let path = format!("{path}options.{at}.");
        let name = option["name"].as_str().unwrap_or_default();
        check_name(name, &format!("{path}name"), true)?;
        check_description(option, &path)?;
        if !names.insert(name) {
            let text = "Option names must be unique";
            return Err(ApiError::form(&path, "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", text));
        }
        if !matches!(option["type"].as_u64(), Some(1..=11)) {
            return Err(ApiError::form(
                &format!("{path}type"),
                "BASE_TYPE_CHOICES",
                "Unknown type of option.",
            ));
        }
        let required = option["required"] == true;
        if required && optional {
            let text = "Required options must be placed before non-required options";
            return Err(ApiError::form(&path, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", text));
        }
        optional |= !required;
        let choices = option["choices"].as_array().map_or(0, Vec::len);
        if choices > 25 {
            return Err(ApiError::too_long(&format!("{path}choices"), 25));
        }
        if option["autocomplete"] == true && choices > 0 {
            let text = "Autocomplete and choices exclude each other.";
            return Err(ApiError::form(&path, "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE", text));
        }
        check_options(&option["options"], &path)?;
    }
    Ok(())
}

/// A command as Discord keeps it; one of the same name and kind keeps its id.
fn accept(
    world: &mut World,
    app: Snowflake,
    guild: Option<Snowflake>,
    given: &Value,
    path: &str,
) -> Result<Value, ApiError> {
    let kind = given["type"].as_u64().unwrap_or(1);
    let name = given["name"].as_str().unwrap_or_default();
    check_name(name, &format!("{path}name"), kind == 1)?;
    if kind == 1 {
        check_description(given, path)?;
        check_options(&given["options"], path)?;
    } else if given["description"].as_str().is_some_and(|text| !text.is_empty()) {
        let text = "Context menu commands cannot have description";
        return Err(ApiError::form(
            &format!("{path}description"),
            "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION",
            text,
        ));
    }
    let same = |it: &&Value| it["name"] == name && it["type"] == kind;
    let before = world.app(app).commands.get(&guild).and_then(|all| all.iter().find(same)).cloned();
    let id = before.and_then(|it| Snowflake::of(&it["id"])).unwrap_or_else(|| world.fresh());
    let version = world.fresh();
    let mut kept = given.clone();
    let mut put = |name: &str, value: Value| kept[name] = value;
    put("id", json!(id));
    put("application_id", json!(app));
    put("version", json!(version));
    put("type", json!(kind));
    put("description", json!(given["description"].as_str().unwrap_or_default()));
    put("dm_permission", json!(given["dm_permission"] != false));
    put("nsfw", json!(given["nsfw"] == true));
    if given["default_member_permissions"].is_null() {
        put("default_member_permissions", Value::Null);
    }
    if guild.is_some() {
        put("guild_id", json!(guild));
    }
    Ok(kept)
}

fn list(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let guild = scope(world, caller, params)?;
    let all = world.app(caller.app).commands.get(&guild).cloned().unwrap_or_default();
    Good::with(all.into())
}

fn check_counts(all: &[Value]) -> Result<(), ApiError> {
    for (kind, most) in [(1, MAX_COMMANDS), (2, MAX_MENU), (3, MAX_MENU)] {
        if all.iter().filter(|command| command["type"] == kind).count() > most {
            return refuse(30_032);
        }
    }
    Ok(())
}

fn replace(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let guild = scope(world, caller, params)?;
    let Value::Array(given) = &params.body else {
        return Err(ApiError::form("", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType"));
    };
    let (mut kept, mut names) = (Vec::new(), BTreeSet::new());
    for (at, command) in given.iter().enumerate() {
        let command = accept(world, caller.app, guild, command, &format!("{at}."))?;
        if !names.insert((command["name"].to_string(), command["type"].to_string())) {
            let text = "Application command names must be unique";
            return Err(ApiError::form(&at.to_string(), "APPLICATION_COMMANDS_DUPLICATE_NAME", text));
        }
        kept.push(command);
    }
    check_counts(&kept)?;
    set(world, caller.app, guild, kept.clone());
    Good::with(kept.into())
}

fn set(world: &mut World, app: Snowflake, guild: Option<Snowflake>, commands: Vec<Value>) {
    if let Some(app) = world.apps.get_mut(&app) {
        app.commands.insert(guild, commands);
    }
}

fn create(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let guild = scope(world, caller, params)?;
    let command = accept(world, caller.app, guild, &params.body, "")?;
    let mut all = world.app(caller.app).commands.get(&guild).cloned().unwrap_or_default();
    let before = all.len();
    all.retain(|it| it["id"] != command["id"]);
    let new = all.len() == before;
    all.push(command.clone());
    check_counts(&all)?;
    set(world, caller.app, guild, all);
    if new { Good::created(command) } else { Good::with(command) }
}

fn delete(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let guild = scope(world, caller, params)?;
    let id = params.id("command_id")?;
    let mut all = world.app(caller.app).commands.get(&guild).cloned().unwrap_or_default();
    let before = all.len();
    all.retain(|it| it["id"] != id);
    if all.len() == before {
        return refuse(10_063);
    }
    set(world, caller.app, guild, all);
    Good::empty()
}

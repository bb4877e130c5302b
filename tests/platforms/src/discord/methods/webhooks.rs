//! Webhooks: making them, posting through them, changing what was posted; follow-ups to interactions come by the same
//! paths, with the application's id and the interaction's token ("Webhook" resource, "Followup Messages").
//! What an answer to an interaction is, is in `interact`.

use super::threads::name_of;
use super::{Caller, Method, method};
use crate::discord::compose::{Allowed, Draft};
use crate::discord::error::{Answer, ApiError, Good, refuse};
use crate::discord::guild::{Channel, ChannelKind};
use crate::discord::message::{Author, EPHEMERAL, Message};
use crate::discord::params::Params;
use crate::discord::permissions::MANAGE_WEBHOOKS;
use crate::discord::snowflake::Snowflake;
use crate::discord::webhook::Webhook;
use crate::discord::world::World;

const MAX_WEBHOOKS: usize = 15;

const ONE: &str = "webhooks/{webhook_id}/{webhook_token}";
const MESSAGE: &str = "webhooks/{webhook_id}/{webhook_token}/messages/{message_id}";

pub(super) const METHODS: &[Method] = &[
    method("POST", "channels/{channel_id}/webhooks", "create_webhook", create),
    method("GET", "channels/{channel_id}/webhooks", "list_channel_webhooks", list),
    method("GET", "guilds/{guild_id}/webhooks", "get_guild_webhooks", list_guild),
    method("GET", "webhooks/{webhook_id}", "get_webhook", get),
    method("PATCH", "webhooks/{webhook_id}", "update_webhook", update),
    method("DELETE", "webhooks/{webhook_id}", "delete_webhook", delete),
    method("GET", ONE, "get_webhook_by_token", get_by_token),
    method("DELETE", ONE, "delete_webhook_by_token", delete_by_token),
    method("POST", ONE, "execute_webhook", execute),
    method("GET", MESSAGE, "get_webhook_message", get_message),
    method("PATCH", MESSAGE, "update_webhook_message", update_message),
    method("DELETE", MESSAGE, "delete_webhook_message", delete_message),
];

/// # Errors
/// `50035` for a name that Discord does not let a webhook have.
fn webhook_name(path: &str, given: &str) -> Result<String, ApiError> {
    let name = given.trim();
    if name.is_empty() || name.chars().count() > 80 {
        return Err(ApiError::form(path, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 80 in length."));
    }
    let lower = name.to_lowercase();
    for banned in ["clyde", "discord"] {
        if lower.contains(banned) {
            let text = format!("Username cannot contain \"{banned}\"");
            return Err(ApiError::form(path, "USERNAME_INVALID_CONTAINS", &text));
        }
    }
    if ["everyone", "here"].contains(&lower.as_str()) {
        let text = format!("Username cannot be \"{lower}\"");
        return Err(ApiError::form(path, "USERNAME_INVALID_EXACT", &text));
    }
    Ok(name.to_owned())
}

fn create(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let channel = params.id("channel_id")?;
    world.visible(caller.bot, channel)?;
    let found = world.channel_known(channel)?;
    if !matches!(found.kind, ChannelKind::Text | ChannelKind::Forum | ChannelKind::Voice) {
        return refuse(50_024);
    }
    let guild = found.guild;
    if !world.may(caller.bot, channel, MANAGE_WEBHOOKS) {
        return refuse(50_013);
    }
    if world.webhooks.values().filter(|webhook| webhook.channel == channel).count() >= MAX_WEBHOOKS {
        return refuse(30_007);
    }
    let name = webhook_name("name", params.body["name"].as_str().unwrap_or_default())?;
    let id = world.fresh();
    let webhook = Webhook {
        id,
        token: format!("fake-webhook-token-{:x}", id.0.rotate_left(29)),
        channel,
        guild,
        name,
        avatar: params.body["avatar"].as_str().map(|_| format!("{:032x}", id.0)),
        app: Some(caller.app),
        creator: caller.bot,
    };
    world.webhooks.insert(id, webhook.clone());
    world.announce_webhooks(channel);
    Good::with(world.webhook_json(&webhook, true))
}

fn listed(world: &World, caller: Caller, wanted: impl Fn(&Webhook) -> bool) -> Answer {
    let found = world.webhooks.values().filter(|webhook| wanted(webhook));
    // The token is told to the app that made it.
    Good::with(found.map(|it| world.webhook_json(it, it.app.is_none_or(|app| app == caller.app))).collect())
}

fn list(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let channel = params.id("channel_id")?;
    world.visible(caller.bot, channel)?;
    if !world.may(caller.bot, channel, MANAGE_WEBHOOKS) {
        return refuse(50_013);
    }
    listed(world, caller, |webhook| webhook.channel == channel)
}

fn list_guild(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let guild = params.id("guild_id")?;
    let found = world.guild_known(guild)?;
    if crate::discord::permissions::base(found, caller.bot) & MANAGE_WEBHOOKS == 0 {
        return refuse(50_013);
    }
    listed(world, caller, |webhook| webhook.guild == Some(guild))
}

/// The webhook when this bot may manage it.
fn managed(world: &World, caller: Caller, params: &Params) -> Result<Webhook, ApiError> {
    let id = params.id("webhook_id")?;
    let webhook = world.webhooks.get(&id).ok_or_else(|| ApiError::coded(10_015))?;
    if world.may(caller.bot, webhook.channel, MANAGE_WEBHOOKS) { Ok(webhook.clone()) } else { refuse(50_013) }
}

fn get(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let webhook = managed(world, caller, params)?;
    let own = webhook.app == Some(caller.app);
    Good::with(world.webhook_json(&webhook, own))
}

fn update(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let mut webhook = managed(world, caller, params)?;
    if let Some(name) = params.body["name"].as_str() {
        webhook.name = webhook_name("name", name)?;
    }
    if let Some(channel) = Snowflake::of(&params.body["channel_id"]) {
        world.visible(caller.bot, channel)?;
        webhook.channel = channel;
    }
    world.webhooks.insert(webhook.id, webhook.clone());
    world.announce_webhooks(webhook.channel);
    Good::with(world.webhook_json(&webhook, webhook.app == Some(caller.app)))
}

fn delete(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let webhook = managed(world, caller, params)?;
    world.webhooks.remove(&webhook.id);
    world.announce_webhooks(webhook.channel);
    Good::empty()
}

/// # Errors
/// `10015`, `50027`.
fn by_token(world: &mut World, params: &Params) -> Result<Webhook, ApiError> {
    let id = params.id("webhook_id")?;
    if !world.webhooks.contains_key(&id) && !world.dead_webhooks.insert(id) {
        // "Rate Limits": who goes on calling it is taken for one who means harm.
        world.ledger.violation(format!("webhook {id} was called again though it is gone"));
    }
    let webhook = world.webhooks.get(&id).ok_or_else(|| ApiError::coded(10_015))?;
    if webhook.token == params.at("webhook_token") { Ok(webhook.clone()) } else { refuse(50_027) }
}

fn get_by_token(world: &mut World, _: Caller, params: &Params) -> Answer {
    let webhook = by_token(world, params)?;
    let mut json = world.webhook_json(&webhook, true);
    json.as_object_mut().map(|fields| fields.remove("user"));
    Good::with(json)
}

fn delete_by_token(world: &mut World, _: Caller, params: &Params) -> Answer {
    let webhook = by_token(world, params)?;
    world.webhooks.remove(&webhook.id);
    world.announce_webhooks(webhook.channel);
    Good::empty()
}

/// Where a webhook writes: its channel, or a thread there that is named.
fn target(
    world: &mut World,
    webhook: &Webhook,
    params: &Params,
) -> Result<(Snowflake, Option<Channel>), ApiError> {
    let forum = world.channel_known(webhook.channel)?.kind == ChannelKind::Forum;
    let thread = params.query_id("thread_id")?;
    let named = !params.body["thread_name"].is_null();
    match (forum, thread, named) {
        (_, Some(thread), false) => {
            let found = world.channel_known(thread)?;
            if found.parent != Some(webhook.channel) || !found.is_thread() {
                return refuse(10_003);
            }
            // A webhook has no rights of a moderator.
            match (found.archived, found.locked) {
                (true, true) => refuse(50_083),
                (false, true) => refuse(160_005),
                _ => Ok((thread, None)),
            }
        }
        (_, Some(_), true) => refuse(220_002),
        (true, None, true) => {
            let id = world.fresh();
            let mut post =
                Channel::new(id, ChannelKind::Thread, webhook.guild, &name_of(&params.body["thread_name"])?);
            (post.parent, post.owner) = (Some(webhook.channel), webhook.id);
            Ok((id, Some(post)))
        }
        (true, None, false) => refuse(220_001),
        (false, None, _) => Ok((webhook.channel, None)),
    }
}

fn execute(world: &mut World, _: Caller, params: &Params) -> Answer {
    let id = params.id("webhook_id")?;
    if world.apps.contains_key(&id) {
        return world.follow_up(id, params);
    }
    let webhook = by_token(world, params)?;
    let draft = Draft::read(&params.body, params.files.len(), &Allowed::everything())?;
    if draft.flags & EPHEMERAL != 0 {
        return Err(ApiError::form("flags", "INVALID_BITFIELD_FLAG", "The bitfield contains invalid flags."));
    }
    let name = match params.body["username"].as_str() {
        Some(name) => webhook_name("username", name)?,
        None => webhook.name.clone(),
    };
    let (channel, post) = target(world, &webhook, params)?;
    let avatar = params.body["avatar_url"].as_str().map(str::to_owned).or_else(|| webhook.avatar.clone());
    let author = Author::Webhook { id: webhook.id, name, avatar, app: webhook.app };
    let opened = post.is_some();
    if let Some(post) = post {
        world.channels.insert(channel, post);
    }
    let message = world.message_from(channel, author, &draft, &params.files, &params.body);
    let mut message = match message {
        Ok(message) => message,
        Err(error) => {
            if opened {
                world.channels.remove(&channel);
            }
            return Err(error);
        }
    };
    if opened {
        message.id = channel;
        world.announce_channel(channel, "CREATE");
    }
    // A nonce is not for webhooks; it is neither kept nor looked at.
    message.nonce = None;
    let placed = world.place(message);
    // Without `wait` nothing is told, not even that it failed.
    if params.flag("wait") {
        let message = world.message_known(channel, placed)?;
        Good::with(world.message_json(message, webhook.app.unwrap_or_default()))
    } else {
        Good::empty()
    }
}

/// One message that this webhook wrote.
fn own_message(
    world: &World,
    webhook: &Webhook,
    params: &Params,
) -> Result<(Snowflake, Snowflake), ApiError> {
    let channel = params.query_id("thread_id")?.unwrap_or(webhook.channel);
    let id = params.id("message_id")?;
    let message: &Message = world.message_known(channel, id)?;
    if message.author.id() == webhook.id { Ok((channel, id)) } else { refuse(10_008) }
}

/// The message that a path means: a webhook's, or an interaction's.
fn meant(world: &mut World, params: &Params) -> Result<(Snowflake, Snowflake, Snowflake), ApiError> {
    let id = params.id("webhook_id")?;
    if world.apps.contains_key(&id) {
        let (channel, message) = world.answer_of(id, params.at("webhook_token"), params.at("message_id"))?;
        return Ok((channel, message, id));
    }
    let webhook = by_token(world, params)?;
    let (channel, message) = own_message(world, &webhook, params)?;
    Ok((channel, message, webhook.app.unwrap_or_default()))
}

pub(super) fn get_message(world: &mut World, _: Caller, params: &Params) -> Answer {
    let (channel, id, app) = meant(world, params)?;
    Good::with(world.message_json(world.message_known(channel, id)?, app))
}

pub(super) fn update_message(world: &mut World, _: Caller, params: &Params) -> Answer {
    let (channel, id, app) = meant(world, params)?;
    let usual = if world.apps.contains_key(&params.id("webhook_id")?) {
        Allowed::people()
    } else {
        Allowed::everything()
    };
    world.revise(channel, id, &params.body, &params.files, &usual)?;
    world.settle_answer(id);
    Good::with(world.message_json(world.message_known(channel, id)?, app))
}

pub(super) fn delete_message(world: &mut World, _: Caller, params: &Params) -> Answer {
    let (channel, id, _) = meant(world, params)?;
    world.erase(channel, id)?;
    Good::empty()
}

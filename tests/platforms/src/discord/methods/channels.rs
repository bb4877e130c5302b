//! `/channels/{id}`: look, change, delete; for threads, close, lock, rename, tag ("Channel › Modify Channel").
//! Making channels is in `guilds`, making threads in `threads`.

use serde_json::Value;

use super::threads::{archive_of, name_of, tags_of};
use super::{Caller, Method, method};
use crate::discord::error::{Answer, ApiError, Good, refuse};
use crate::discord::guild::{Channel, ChannelKind, Overwrite, Tag};
use crate::discord::message::{Author, CHANNEL_NAME_CHANGE, Message};
use crate::discord::params::Params;
use crate::discord::permissions::{MANAGE_CHANNELS, MANAGE_THREADS};
use crate::discord::snowflake::{Snowflake, now};
use crate::discord::world::World;

const MAX_TAGS: usize = 20;

pub(super) const METHODS: &[Method] = &[
    method("GET", "channels/{channel_id}", "get_channel", get),
    method("PATCH", "channels/{channel_id}", "update_channel", update),
    method("DELETE", "channels/{channel_id}", "delete_channel", delete),
];

fn get(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let id = params.id("channel_id")?;
    world.visible(caller.bot, id)?;
    Good::with(world.channel_json(world.channel_known(id)?))
}

fn update(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let id = params.id("channel_id")?;
    world.visible(caller.bot, id)?;
    let before = world.channel_known(id)?.clone();
    let after = if before.is_thread() {
        thread_with(world, caller, &before, &params.body)?
    } else if before.guild.is_some() {
        if !world.may(caller.bot, id, MANAGE_CHANNELS) {
            return refuse(50_013);
        }
        with(world, before.clone(), &params.body)?
    } else {
        return refuse(50_003);
    };
    let renamed = before.is_thread() && after.name != before.name;
    let name = after.name.clone();
    *world.channel_mut(id)? = after;
    world.announce_channel(id, "UPDATE");
    if renamed {
        let mut notice = Message::new(id, Author::User(caller.bot), &name);
        notice.kind = CHANNEL_NAME_CHANGE;
        world.place(notice);
    }
    Good::with(world.channel_json(world.channel_known(id)?))
}

/// A thread changed: its own bot may change what it opened, moderators everything; what is archived stays as it is
/// unless it is brought back in the same request.
fn thread_with(world: &World, caller: Caller, before: &Channel, body: &Value) -> Result<Channel, ApiError> {
    let moderator = world.may(caller.bot, before.id, MANAGE_THREADS);
    let mut thread = before.clone();
    if let Some(locked) = body["locked"].as_bool() {
        if !moderator {
            return refuse(50_013);
        }
        thread.locked = locked;
    }
    if let Some(archived) = body["archived"].as_bool() {
        if before.locked && !moderator {
            return refuse(50_083);
        }
        if !moderator && before.owner != caller.bot && archived {
            return refuse(50_013);
        }
        if archived != before.archived {
            (thread.archived, thread.archive_at) = (archived, now());
        }
    }
    let others = ["name", "applied_tags", "auto_archive_duration", "rate_limit_per_user"];
    if !others.iter().any(|name| body.get(*name).is_some()) {
        return Ok(thread);
    }
    if before.archived && body["archived"] != false {
        return refuse(50_083);
    }
    if !moderator && before.owner != caller.bot {
        return refuse(50_013);
    }
    if body.get("name").is_some() {
        thread.name = name_of(&body["name"])?;
    }
    if body.get("applied_tags").is_some() {
        let forum = before.parent.ok_or_else(|| ApiError::coded(50_024))?;
        thread.applied_tags = tags_of(&body["applied_tags"], world.channel_known(forum)?, moderator)?;
    }
    thread.auto_archive = archive_of(&body["auto_archive_duration"])?.unwrap_or(before.auto_archive);
    thread.slowmode = body["rate_limit_per_user"].as_u64().unwrap_or(before.slowmode);
    Ok(thread)
}

/// A channel of a server with what a request says of it.
///
/// # Errors
/// `50035`.
pub(super) fn with(world: &mut World, mut channel: Channel, body: &Value) -> Result<Channel, ApiError> {
    let had = |name: &str| body.get(name).is_some();
    if had("name") {
        channel.name = name_of(&body["name"])?;
    }
    if had("topic") {
        let topic = body["topic"].as_str();
        let most = if channel.kind == ChannelKind::Forum { 4096 } else { 1024 };
        if topic.is_some_and(|topic| topic.chars().count() > most) {
            return Err(ApiError::too_long("topic", most));
        }
        channel.topic = topic.map(str::to_owned);
    }
    if had("parent_id") {
        channel.parent = Snowflake::of(&body["parent_id"]);
    }
    if had("rate_limit_per_user") {
        channel.slowmode = body["rate_limit_per_user"].as_u64().unwrap_or(0);
    }
    if had("flags") {
        channel.tag_required = body["flags"].as_u64().is_some_and(|flags| flags & (1 << 4) != 0);
    }
    if had("permission_overwrites") {
        channel.overwrites = overwrites(&body["permission_overwrites"]);
    }
    if had("available_tags") && channel.kind == ChannelKind::Forum {
        channel.tags = tags(world, &body["available_tags"])?;
    }
    Ok(channel)
}

fn overwrites(given: &Value) -> Vec<Overwrite> {
    let bits =
        |value: &Value| value.as_str().and_then(|text| text.parse().ok()).or(value.as_u64()).unwrap_or(0);
    let one = |it: &Value| {
        let id = Snowflake::of(&it["id"])?;
        Some(Overwrite { id, member: it["type"] == 1, allow: bits(&it["allow"]), deny: bits(&it["deny"]) })
    };
    given.as_array().into_iter().flatten().filter_map(one).collect()
}

fn tags(world: &mut World, given: &Value) -> Result<Vec<Tag>, ApiError> {
    let given = given.as_array().map(Vec::as_slice).unwrap_or_default();
    if given.len() > MAX_TAGS {
        return Err(ApiError::too_long("available_tags", MAX_TAGS));
    }
    let mut tags: Vec<Tag> = Vec::new();
    for (at, tag) in given.iter().enumerate() {
        let path = format!("available_tags.{at}.name");
        let name = tag["name"].as_str().unwrap_or_default();
        if name.is_empty() || name.chars().count() > 50 {
            return Err(ApiError::form(&path, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 50 in length."));
        }
        if tags.iter().any(|other| other.name == name) {
            return Err(ApiError::form(&path, "FORUM_TAG_NAMES_NOT_UNIQUE", "Tag names must be unique"));
        }
        let id = Snowflake::of(&tag["id"]).unwrap_or_else(|| world.fresh());
        let emoji = tag["emoji_name"].as_str().map(str::to_owned);
        tags.push(Tag { id, name: name.to_owned(), moderated: tag["moderated"] == true, emoji });
    }
    Ok(tags)
}

fn delete(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let id = params.id("channel_id")?;
    world.visible(caller.bot, id)?;
    let found = world.channel_known(id)?;
    let wanted = if found.is_thread() { MANAGE_THREADS } else { MANAGE_CHANNELS };
    let dm = found.kind == ChannelKind::Dm;
    if !dm && !world.may(caller.bot, id, wanted) {
        return refuse(50_013);
    }
    let json = world.channel_json(found);
    // A direct message is only closed; it is there again when somebody writes.
    if !dm {
        world.delete_channel(id);
    }
    Good::with(json)
}

impl World {
    /// With all threads in it.
    pub(in crate::discord) fn delete_channel(&mut self, id: Snowflake) {
        let inside: Vec<Snowflake> = self.threads_of(id).iter().map(|thread| thread.id).collect();
        for thread in inside {
            self.delete_channel(thread);
        }
        self.announce_channel(id, "DELETE");
        self.webhooks.retain(|_, webhook| webhook.channel != id);
        if let Some(channel) = self.channels.get_mut(&id) {
            channel.deleted = true;
        }
    }
}

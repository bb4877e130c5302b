//! Threads and posts in forums ("Threads", "Start Thread in Forum or Media Channel").
//! Closing and renaming them is a change of a channel, in `channels`.

use serde_json::{Value, json};

use super::{Caller, Method, method};
use crate::discord::compose::{Allowed, Draft};
use crate::discord::error::{Answer, ApiError, Good, refuse};
use crate::discord::guild::{Channel, ChannelKind};
use crate::discord::message::{Author, HAS_THREAD, Message, Reference, THREAD_CREATED, THREAD_STARTER};
use crate::discord::params::Params;
use crate::discord::permissions::{
    CREATE_PRIVATE_THREADS, CREATE_PUBLIC_THREADS, MANAGE_THREADS, READ_MESSAGE_HISTORY, SEND_MESSAGES,
    VIEW_CHANNEL,
};
use crate::discord::snowflake::Snowflake;
use crate::discord::world::World;

pub(super) const METHODS: &[Method] = &[
    method("POST", "channels/{channel_id}/threads", "create_thread", create),
    method(
        "POST",
        "channels/{channel_id}/messages/{message_id}/threads",
        "create_thread_from_message",
        from_message,
    ),
    method(
        "GET",
        "channels/{channel_id}/threads/archived/public",
        "list_public_archived_threads",
        list_archived,
    ),
    method("GET", "guilds/{guild_id}/threads/active", "get_active_guild_threads", list_active),
    method("GET", "channels/{channel_id}/thread-members", "list_thread_members", members),
    method("PUT", "channels/{channel_id}/thread-members/@me", "join_thread", join),
    method("DELETE", "channels/{channel_id}/thread-members/@me", "leave_thread", leave),
    method("PUT", "channels/{channel_id}/thread-members/{user_id}", "add_thread_member", add),
    method("DELETE", "channels/{channel_id}/thread-members/{user_id}", "delete_thread_member", remove),
];

/// Minutes after which a thread may archive itself.
const ARCHIVE: [u64; 4] = [60, 1440, 4320, 10_080];

/// # Errors
/// `50035` for an empty or too long name.
pub(super) fn name_of(given: &Value) -> Result<String, ApiError> {
    let name = given.as_str().map(str::trim).unwrap_or_default();
    match name.chars().count() {
        0 => Err(ApiError::form("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")),
        1..=100 => Ok(name.to_owned()),
        _ => Err(ApiError::form("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")),
    }
}

/// # Errors
/// `50035` for a time that there is not.
pub(super) fn archive_of(given: &Value) -> Result<Option<u64>, ApiError> {
    if given.is_null() {
        return Ok(None);
    }
    let minutes = given.as_u64().filter(|minutes| ARCHIVE.contains(minutes));
    let text = "Value must be one of (60, 1440, 4320, 10080).";
    minutes.map(Some).ok_or_else(|| ApiError::form("auto_archive_duration", "BASE_TYPE_CHOICES", text))
}

/// Tags of a post: at most five, all of the forum; those for moderators only by one.
///
/// # Errors
/// `50035`, `40066`, `40067`.
pub(super) fn tags_of(given: &Value, forum: &Channel, moderator: bool) -> Result<Vec<Snowflake>, ApiError> {
    let ids: Vec<Snowflake> = given.as_array().into_iter().flatten().filter_map(Snowflake::of).collect();
    if ids.len() > 5 {
        return Err(ApiError::too_long("applied_tags", 5));
    }
    for id in &ids {
        let Some(tag) = forum.tags.iter().find(|tag| tag.id == *id) else {
            return Err(ApiError::form("applied_tags", "INVALID_FORUM_TAG", "Invalid tag"));
        };
        if tag.moderated && !moderator {
            return refuse(40_066);
        }
    }
    if ids.is_empty() && forum.tag_required && !moderator { refuse(40_067) } else { Ok(ids) }
}

fn new_thread(
    world: &mut World,
    parent: Snowflake,
    owner: Snowflake,
    body: &Value,
) -> Result<Channel, ApiError> {
    let id = world.fresh();
    let found = world.channel_known(parent)?;
    let mut thread = Channel::new(id, ChannelKind::Thread, found.guild, &name_of(&body["name"])?);
    thread.parent = Some(parent);
    thread.owner = owner;
    thread.people.insert(owner);
    thread.auto_archive = archive_of(&body["auto_archive_duration"])?.unwrap_or(4320);
    thread.slowmode = body["rate_limit_per_user"].as_u64().unwrap_or(0);
    Ok(thread)
}

fn create(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let parent = params.id("channel_id")?;
    world.visible(caller.bot, parent)?;
    match world.channel_known(parent)?.kind {
        ChannelKind::Forum => create_post(world, caller, params, parent),
        ChannelKind::Text => create_plain(world, caller, params, parent),
        _ => refuse(50_024),
    }
}

fn create_post(world: &mut World, caller: Caller, params: &Params, forum: Snowflake) -> Answer {
    if !world.may(caller.bot, forum, SEND_MESSAGES) {
        return refuse(50_013);
    }
    let body = &params.body;
    if body["message"].is_null() && params.files.is_empty() {
        return Err(ApiError::required("message"));
    }
    let draft =
        Draft::read(&body["message"], params.files.len(), &Allowed::everything()).map_err(inside_message)?;
    let mut thread = new_thread(world, forum, caller.bot, body)?;
    let moderator = world.may(caller.bot, forum, MANAGE_THREADS);
    thread.applied_tags = tags_of(&body["applied_tags"], world.channel_known(forum)?, moderator)?;
    let id = thread.id;
    let author = Author::User(caller.bot);
    // The post must be there for its first message, but nobody hears of it before the message is accepted.
    world.channels.insert(id, thread);
    let message = world.message_from(id, author, &draft, &params.files, &body["message"]);
    let mut message = match message {
        Ok(message) => message,
        Err(error) => {
            world.channels.remove(&id);
            return Err(error);
        }
    };
    // The first message has the post's own id.
    message.id = id;
    world.announce_channel(id, "CREATE");
    world.place(message);
    let mut json = thread_json(world, id, caller.bot)?;
    json["message"] = world.message_json(world.message_known(id, id)?, caller.app);
    Good::created(json)
}

/// What is wrong inside `message` is told from there.
fn inside_message(mut error: ApiError) -> ApiError {
    error.errors = error.errors.map(|errors| json!({ "message": errors }));
    error
}

fn create_plain(world: &mut World, caller: Caller, params: &Params, parent: Snowflake) -> Answer {
    let kind = match params.body["type"].as_u64() {
        Some(11) => ChannelKind::Thread,
        Some(12) | None => ChannelKind::PrivateThread,
        Some(_) => {
            return Err(ApiError::form("type", "BASE_TYPE_CHOICES", "Value must be one of {10, 11, 12}."));
        }
    };
    let wanted = if kind == ChannelKind::Thread { CREATE_PUBLIC_THREADS } else { CREATE_PRIVATE_THREADS };
    if !world.may(caller.bot, parent, wanted) {
        return refuse(50_013);
    }
    let mut thread = new_thread(world, parent, caller.bot, &params.body)?;
    thread.kind = kind;
    let (name, guild) = (thread.name.clone(), thread.guild);
    let id = world.add_channel(thread);
    if kind == ChannelKind::Thread {
        let mut notice = Message::new(parent, Author::User(caller.bot), &name);
        notice.kind = THREAD_CREATED;
        notice.reference = Some(Reference { guild, channel: id, message: None });
        world.place(notice);
    }
    Good::created(thread_json(world, id, caller.bot)?)
}

fn from_message(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let (parent, root) = (params.id("channel_id")?, params.id("message_id")?);
    world.visible(caller.bot, parent)?;
    let found = world.channel_known(parent)?;
    if found.kind != ChannelKind::Text {
        return refuse(50_024);
    }
    if !world.may(caller.bot, parent, CREATE_PUBLIC_THREADS) {
        return refuse(50_013);
    }
    if world.message_known(parent, root)?.flags & HAS_THREAD != 0 {
        return refuse(160_004);
    }
    let mut thread = new_thread(world, parent, caller.bot, &params.body)?;
    thread.id = root;
    let guild = thread.guild;
    world.add_channel(thread);
    world.message_mut(parent, root)?.flags |= HAS_THREAD;
    world.announce_message(parent, root, "MESSAGE_UPDATE");
    let mut starter = Message::new(root, Author::User(caller.bot), "");
    starter.kind = THREAD_STARTER;
    starter.reference = Some(Reference { guild, channel: parent, message: Some(root) });
    world.place(starter);
    Good::created(thread_json(world, root, caller.bot)?)
}

fn member_json(thread: Snowflake, user: Snowflake) -> Value {
    let joined = crate::discord::snowflake::stamp(thread.at());
    json!({ "id": thread, "user_id": user, "join_timestamp": joined, "flags": 0 })
}

fn thread_json(world: &World, id: Snowflake, bot: Snowflake) -> Result<Value, ApiError> {
    let thread = world.channel_known(id)?;
    let mut json = world.channel_json(thread);
    if thread.people.contains(&bot) {
        json["member"] = member_json(id, bot);
    }
    Ok(json)
}

fn threads_json(world: &World, bot: Snowflake, threads: &[&Channel]) -> Answer {
    let all: Result<Vec<Value>, ApiError> =
        threads.iter().map(|thread| thread_json(world, thread.id, bot)).collect();
    let joined = threads.iter().filter(|thread| thread.people.contains(&bot));
    let members: Vec<Value> = joined.map(|thread| member_json(thread.id, bot)).collect();
    Good::with(json!({ "threads": all?, "members": members, "has_more": false }))
}

fn list_archived(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let parent = params.id("channel_id")?;
    world.visible(caller.bot, parent)?;
    if !world.may(caller.bot, parent, READ_MESSAGE_HISTORY) {
        return refuse(50_013);
    }
    let limit = params.limit(50, 100)?;
    let mut found = world.threads_of(parent);
    found.retain(|thread| thread.archived && thread.kind == ChannelKind::Thread);
    found.sort_by_key(|thread| std::cmp::Reverse(thread.archive_at));
    if let Some(before) = params.query("before") {
        found.retain(|thread| crate::discord::snowflake::stamp(thread.archive_at).as_str() < before);
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let mut answer = threads_json(world, caller.bot, &found)?;
    if let Some(body) = &mut answer.body {
        body["has_more"] = json!(more);
    }
    Ok(answer)
}

fn list_active(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let guild = params.id("guild_id")?;
    if !world.guild_known(guild)?.members.contains_key(&caller.bot) {
        return refuse(50_001);
    }
    let active = |it: &&Channel| {
        let here = it.guild == Some(guild) && it.is_thread() && !it.archived && !it.deleted;
        here && world.may(caller.bot, it.id, VIEW_CHANNEL)
    };
    let found: Vec<&Channel> = world.channels.values().filter(active).collect();
    threads_json(world, caller.bot, &found)
}

/// The thread, when it is one that this bot sees.
fn thread(world: &World, caller: Caller, params: &Params) -> Result<Snowflake, ApiError> {
    let id = params.id("channel_id")?;
    world.visible(caller.bot, id)?;
    if world.channel_known(id)?.is_thread() { Ok(id) } else { refuse(50_024) }
}

fn members(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let id = thread(world, caller, params)?;
    let people = &world.channel_known(id)?.people;
    Good::with(people.iter().map(|user| member_json(id, *user)).collect())
}

fn change_member(world: &mut World, id: Snowflake, user: Snowflake, joins: bool) -> Answer {
    if world.channel_known(id)?.archived {
        return refuse(50_083);
    }
    let people = &mut world.channel_mut(id)?.people;
    if joins {
        people.insert(user);
    } else {
        people.remove(&user);
    }
    Good::empty()
}

fn join(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let id = thread(world, caller, params)?;
    change_member(world, id, caller.bot, true)
}

fn leave(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let id = thread(world, caller, params)?;
    change_member(world, id, caller.bot, false)
}

fn add(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let (id, user) = (thread(world, caller, params)?, params.id("user_id")?);
    if !world.may(user, id, VIEW_CHANNEL) {
        return refuse(50_001);
    }
    change_member(world, id, user, true)
}

fn remove(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let (id, user) = (thread(world, caller, params)?, params.id("user_id")?);
    if !world.may(caller.bot, id, MANAGE_THREADS) {
        return refuse(50_013);
    }
    change_member(world, id, user, false)
}

//! `/guilds/{id}`: the server, its channels, members, roles.
//! Changing channels is in `channels`.

use serde_json::{Value, json};

use super::channels::with;
use super::{Caller, Method, method};
use crate::discord::error::{Answer, ApiError, Good, refuse};
use crate::discord::guild::{Channel, ChannelKind, Member};
use crate::discord::params::Params;
use crate::discord::permissions::{MANAGE_CHANNELS, VIEW_CHANNEL, base};
use crate::discord::snowflake::Snowflake;
use crate::discord::world::World;

const MAX_CHANNELS: usize = 500;

pub(super) const METHODS: &[Method] = &[
    method("GET", "guilds/{guild_id}", "get_guild", get),
    method("GET", "guilds/{guild_id}/channels", "list_guild_channels", channels),
    method("POST", "guilds/{guild_id}/channels", "create_guild_channel", create_channel),
    method("GET", "guilds/{guild_id}/members", "list_guild_members", members),
    method("GET", "guilds/{guild_id}/members/search", "search_guild_members", search),
    method("GET", "guilds/{guild_id}/members/{user_id}", "get_guild_member", member),
    method("GET", "guilds/{guild_id}/roles", "list_guild_roles", roles),
];

/// The server when this bot is in it.
fn own(world: &World, caller: Caller, params: &Params) -> Result<Snowflake, ApiError> {
    let id = params.id("guild_id")?;
    // A server that the bot is not in is as good as none.
    if world.guilds.get(&id).is_some_and(|guild| guild.members.contains_key(&caller.bot)) {
        Ok(id)
    } else {
        refuse(10_004)
    }
}

fn get(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let id = own(world, caller, params)?;
    Good::with(world.guild_json(world.guild_known(id)?))
}

fn channels(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let id = own(world, caller, params)?;
    let listed = |it: &&Channel| {
        it.guild == Some(id) && !it.is_thread() && !it.deleted && world.may(caller.bot, it.id, VIEW_CHANNEL)
    };
    Good::with(world.channels.values().filter(listed).map(|it| world.channel_json(it)).collect())
}

fn create_channel(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let guild = own(world, caller, params)?;
    if base(world.guild_known(guild)?, caller.bot) & MANAGE_CHANNELS == 0 {
        return refuse(50_013);
    }
    if world.channels.values().filter(|it| it.guild == Some(guild) && !it.deleted).count() >= MAX_CHANNELS {
        return refuse(30_013);
    }
    let kind = match params.body["type"].as_u64() {
        None | Some(0) => ChannelKind::Text,
        Some(2) => ChannelKind::Voice,
        Some(4) => ChannelKind::Category,
        Some(15) => ChannelKind::Forum,
        Some(_) => {
            return Err(ApiError::form("type", "BASE_TYPE_CHOICES", "Value must be one of {0, 2, 4, 15}."));
        }
    };
    if params.body["name"].is_null() {
        return Err(ApiError::required("name"));
    }
    let id = world.fresh();
    let channel = with(world, Channel::new(id, kind, Some(guild), ""), &params.body)?;
    world.add_channel(channel);
    Good::created(world.channel_json(world.channel_known(id)?))
}

fn member_json(world: &World, member: &Member) -> Value {
    let mut json = member.json();
    json["user"] = world.user_json(member.user);
    json
}

/// Listing all members takes the intent, over HTTP too.
fn members(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let guild = own(world, caller, params)?;
    if world.app(caller.app).privileged & crate::discord::events::GUILD_MEMBERS == 0 {
        return refuse(50_001);
    }
    let limit = params.limit(1, 1000)?;
    let after = params.query_id("after")?.unwrap_or_default();
    let found = world.guild_known(guild)?.members.values().filter(|member| member.user > after);
    Good::with(found.take(limit).map(|member| member_json(world, member)).collect())
}

fn search(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let guild = own(world, caller, params)?;
    let limit = params.limit(1, 1000)?;
    let start = params.query("query").ok_or_else(|| ApiError::required("query"))?.to_lowercase();
    let fits = |member: &&Member| {
        let user = world.users.get(&member.user);
        let names = [user.map(|user| user.username.clone()), member.nick.clone()];
        names.into_iter().flatten().any(|name| name.to_lowercase().starts_with(&start))
    };
    let found = world.guild_known(guild)?.members.values().filter(fits);
    Good::with(found.take(limit).map(|member| member_json(world, member)).collect())
}

fn member(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let (guild, user) = (own(world, caller, params)?, params.id("user_id")?);
    if !world.users.contains_key(&user) {
        return refuse(10_013);
    }
    let member = world.guild_known(guild)?.members.get(&user).ok_or_else(|| ApiError::coded(10_007))?;
    Good::with(member_json(world, member))
}

fn roles(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let guild = own(world, caller, params)?;
    Good::with(world.guild_known(guild)?.roles_json())
}

/// A server as `/users/@me/guilds` lists it.
pub(super) fn brief(world: &World, bot: Snowflake) -> Value {
    let own = world.guilds.values().filter(|guild| guild.members.contains_key(&bot));
    let json = |guild: &crate::discord::guild::Guild| {
        json!({
            "id": guild.id, "name": guild.name, "icon": null, "banner": null, "owner": guild.owner == bot,
            "permissions": base(guild, bot).to_string(), "features": [],
        })
    };
    own.map(json).collect()
}

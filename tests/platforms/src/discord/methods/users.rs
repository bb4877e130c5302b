//! `/users` and `/applications/@me`: who the bot is, who others are, direct messages.
//! What is written in direct messages is in `messages`.

use serde_json::{Value, json};

use super::{Caller, Method, guilds, method};
use crate::discord::error::{Answer, ApiError, Good, refuse};
use crate::discord::events::{GUILD_MEMBERS, GUILD_PRESENCES, MESSAGE_CONTENT};
use crate::discord::params::Params;
use crate::discord::snowflake::Snowflake;
use crate::discord::world::World;

pub(super) const METHODS: &[Method] = &[
    method("GET", "users/@me", "get_my_user", me),
    method("GET", "users/@me/guilds", "list_my_guilds", my_guilds),
    method("POST", "users/@me/channels", "create_dm", create_dm),
    method("GET", "users/{user_id}", "get_user", user),
    method("GET", "applications/@me", "get_my_application", application),
    method("GET", "oauth2/applications/@me", "get_my_oauth2_application", application),
];

fn me(world: &mut World, caller: Caller, _: &Params) -> Answer {
    let mut json = world.user_json(caller.bot);
    let mut put = |name: &str, value: Value| json[name] = value;
    put("mfa_enabled", json!(false));
    put("locale", json!("en-US"));
    put("email", Value::Null);
    put("verified", json!(true));
    Good::with(json)
}

fn my_guilds(world: &mut World, caller: Caller, _: &Params) -> Answer {
    Good::with(guilds::brief(world, caller.bot))
}

fn user(world: &mut World, _: Caller, params: &Params) -> Answer {
    let id = params.id("user_id")?;
    match world.users.get(&id) {
        Some(user) => Good::with(user.json()),
        None => refuse(10_013),
    }
}

/// Opens the direct message of a person, whether they will take anything or not.
fn create_dm(world: &mut World, caller: Caller, params: &Params) -> Answer {
    let wanted = &params.body["recipient_id"];
    let user = Snowflake::of(wanted).ok_or_else(|| ApiError::required("recipient_id"))?;
    match world.users.get(&user) {
        None => return refuse(50_033),
        Some(user) if user.bot => return refuse(50_007),
        Some(_) => {}
    }
    let id = world.open_dm(user, caller.bot);
    Good::with(world.channel_json(world.channel_known(id)?))
}

impl World {
    /// Which privileged intents an application has, as its flags tell it ("Application Flags"): the lesser ones, for
    /// few servers.
    pub(in crate::discord) fn app_flags(&self, app: Snowflake) -> u64 {
        let privileged = self.app(app).privileged;
        let pairs = [(GUILD_PRESENCES, 1 << 13), (GUILD_MEMBERS, 1 << 15), (MESSAGE_CONTENT, 1 << 19)];
        pairs.iter().filter(|(intent, _)| privileged & intent != 0).map(|(_, flag)| flag).sum()
    }
}

fn application(world: &mut World, caller: Caller, _: &Params) -> Answer {
    let app = world.app(caller.app);
    let installed = world.guilds.values().filter(|guild| guild.members.contains_key(&app.bot)).count();
    let owner = json!({
        "id": "1", "username": "owner", "discriminator": "0", "global_name": "Owner", "avatar": null,
        "public_flags": 0, "flags": 0, "primary_guild": null,
    });
    let flags = world.app_flags(caller.app);
    Good::with(json!({
        "id": app.id, "name": app.name, "icon": null, "description": "", "type": null, "summary": "",
        "bot": world.user_json(app.bot), "bot_public": false, "bot_require_code_grant": false,
        "verify_key": app.public_key(), "flags": flags, "flags_new": flags.to_string(), "redirect_uris": [],
        "interactions_endpoint_url": app.endpoint, "role_connections_verification_url": null, "owner": owner,
        "approximate_guild_count": installed, "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0, "explicit_content_filter": 0, "team": null,
        "eligible_oauth2_scopes": [], "integration_types_config": { "0": {} },
    }))
}

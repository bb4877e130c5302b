//! What happened, as events for the gateway: who gets them, and what an app may read ("Gateway Events", "Gateway
//! Intents"). How they travel and are kept for a Resume is in `gateway`.

use serde_json::{Value, json};

use super::guild::{App, Channel, ChannelKind};
use super::message::{Author, Message, emoji_json};
use super::permissions::VIEW_CHANNEL;
use super::snowflake::{Snowflake, now};
use super::world::World;

/// Intents ("Gateway › List of Intents").
pub const GUILDS: u64 = 1;
pub const GUILD_MEMBERS: u64 = 1 << 1;
pub const GUILD_WEBHOOKS: u64 = 1 << 5;
pub const GUILD_PRESENCES: u64 = 1 << 8;
pub const GUILD_MESSAGES: u64 = 1 << 9;
pub const GUILD_MESSAGE_REACTIONS: u64 = 1 << 10;
pub const GUILD_MESSAGE_TYPING: u64 = 1 << 11;
pub const DIRECT_MESSAGES: u64 = 1 << 12;
pub const DIRECT_MESSAGE_REACTIONS: u64 = 1 << 13;
pub const DIRECT_MESSAGE_TYPING: u64 = 1 << 14;
pub const MESSAGE_CONTENT: u64 = 1 << 15;
/// Those that must be switched on in the portal.
pub const PRIVILEGED: u64 = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT;
/// Every intent that there is.
pub const KNOWN: u64 = 0x1_FFFF | 0b11 << 20 | 0b11 << 24;

/// One app that is told of something.
#[derive(Debug, Clone)]
pub(super) struct Listener {
    pub session: String,
    pub app: Snowflake,
    pub bot: Snowflake,
    pub intents: u64,
}

impl World {
    /// Sessions whose app sees this channel and asked for it: by `in_guild` there, by `in_dm` in a direct message.
    fn listeners(&self, channel: Snowflake, in_guild: u64, in_dm: u64) -> Vec<Listener> {
        let dm = self.channels.get(&channel).is_some_and(|it| it.kind == ChannelKind::Dm);
        let wanted = if dm { in_dm } else { in_guild };
        let hears = |it: &Listener| it.intents & wanted != 0 && self.may(it.bot, channel, VIEW_CHANNEL);
        self.all_listeners().into_iter().filter(hears).collect()
    }

    pub(super) fn all_listeners(&self) -> Vec<Listener> {
        let of = |(id, session): (&String, &super::gateway::Session)| {
            let app = self.apps.get(&session.app)?;
            Some(Listener { session: id.clone(), app: app.id, bot: app.bot, intents: session.intents })
        };
        let life = self.settings.session_life;
        self.gateway.sessions.iter().filter(|(_, it)| it.is_alive(life)).filter_map(of).collect()
    }

    fn tell(&mut self, listeners: Vec<Listener>, kind: &str, payload: &Value) {
        for listener in listeners {
            self.push(&listener.session, kind, payload.clone());
        }
    }

    /// A message as an app is told of it: without the intent its text is empty, but for its own, for direct
    /// messages and for those that mention it.
    fn message_event(&self, message: &Message, listener: &Listener) -> Value {
        let mut event = self.message_json(message, listener.app);
        let readable = listener.intents & MESSAGE_CONTENT != 0
            || message.author == Author::User(listener.bot)
            || message.mentions_user(listener.bot)
            || self.channels.get(&message.channel).is_some_and(|it| it.kind == ChannelKind::Dm);
        if !readable {
            blank(&mut event);
            if event["referenced_message"].is_object() {
                blank(&mut event["referenced_message"]);
            }
        }
        let channel = self.channels.get(&message.channel);
        // By this, clients tell a direct message of a channel that they never heard of.
        event["channel_type"] = json!(channel.map(|channel| channel.kind.number()));
        if let Some(guild) = channel.and_then(|channel| channel.guild).and_then(|id| self.guilds.get(&id)) {
            event["guild_id"] = json!(guild.id);
            if let Some(member) = guild.members.get(&message.author.id()) {
                event["member"] = member.json();
            }
            self.add_members(&mut event, guild.id);
        }
        event
    }

    /// In events, mentioned people come with their membership.
    fn add_members(&self, event: &mut Value, guild: Snowflake) {
        let Some(guild) = self.guilds.get(&guild) else { return };
        for user in event["mentions"].as_array_mut().into_iter().flatten() {
            let member = Snowflake::of(&user["id"]).and_then(|id| guild.members.get(&id));
            if let Some(member) = member {
                user["member"] = member.json();
            }
        }
    }

    /// `MESSAGE_CREATE` or `MESSAGE_UPDATE`; own posts come back to their author, too.
    pub(super) fn announce_message(&mut self, channel: Snowflake, id: Snowflake, kind: &str) {
        let Some(message) = self.message(channel, id).cloned() else { return };
        // What one person alone is shown is no event for the gateway.
        if message.only_for.is_some() {
            return;
        }
        for listener in self.listeners(channel, GUILD_MESSAGES, DIRECT_MESSAGES) {
            let event = self.message_event(&message, &listener);
            self.push(&listener.session, kind, event);
        }
    }

    pub(super) fn announce_deletion(&mut self, channel: Snowflake, id: Snowflake) {
        let mut event = json!({ "id": id, "channel_id": channel });
        self.put_guild(&mut event, channel);
        let listeners = self.listeners(channel, GUILD_MESSAGES, DIRECT_MESSAGES);
        self.tell(listeners, "MESSAGE_DELETE", &event);
    }

    fn put_guild(&self, event: &mut Value, channel: Snowflake) {
        if let Some(guild) = self.channels.get(&channel).and_then(|channel| channel.guild) {
            event["guild_id"] = json!(guild);
        }
    }

    /// `MESSAGE_REACTION_ADD` or `…_REMOVE`.
    pub(super) fn announce_reaction(
        &mut self,
        (channel, message): (Snowflake, Snowflake),
        user: Snowflake,
        emoji: &str,
        added: bool,
    ) {
        let mut event = json!({
            "user_id": user, "channel_id": channel, "message_id": message, "emoji": emoji_json(emoji),
            "burst": false, "type": 0,
        });
        self.put_guild(&mut event, channel);
        if added {
            let author = self.message(channel, message).map(|message| message.author.clone());
            if let Some(Author::User(author)) = author {
                event["message_author_id"] = json!(author);
            }
            self.put_member(&mut event, channel, user);
        }
        let kind = if added { "MESSAGE_REACTION_ADD" } else { "MESSAGE_REACTION_REMOVE" };
        let listeners = self.listeners(channel, GUILD_MESSAGE_REACTIONS, DIRECT_MESSAGE_REACTIONS);
        self.tell(listeners, kind, &event);
    }

    /// `MESSAGE_REACTION_REMOVE_ALL`.
    pub(super) fn announce_no_reactions(&mut self, (channel, message): (Snowflake, Snowflake)) {
        let mut event = json!({ "channel_id": channel, "message_id": message });
        self.put_guild(&mut event, channel);
        let listeners = self.listeners(channel, GUILD_MESSAGE_REACTIONS, DIRECT_MESSAGE_REACTIONS);
        self.tell(listeners, "MESSAGE_REACTION_REMOVE_ALL", &event);
    }

    /// `member` with its `user`, where the channel is in a server.
    pub(super) fn put_member(&self, event: &mut Value, channel: Snowflake, user: Snowflake) {
        let guild = self.channels.get(&channel).and_then(|channel| self.guilds.get(&channel.guild?));
        if let Some(member) = guild.and_then(|guild| guild.members.get(&user)) {
            event["member"] = member.json();
            event["member"]["user"] = self.user_json(user);
        }
    }

    pub(super) fn announce_typing(&mut self, channel: Snowflake, user: Snowflake) {
        let at = self.ledger.now();
        self.ledger.typing.push((channel, user, at));
        let mut event = json!({ "channel_id": channel, "user_id": user, "timestamp": now() / 1000 });
        self.put_guild(&mut event, channel);
        self.put_member(&mut event, channel, user);
        let listeners = self.listeners(channel, GUILD_MESSAGE_TYPING, DIRECT_MESSAGE_TYPING);
        self.tell(listeners, "TYPING_START", &event);
    }

    /// `CHANNEL_…` or `THREAD_…`, with what happened: `CREATE`, `UPDATE`, `DELETE`.
    pub(super) fn announce_channel(&mut self, id: Snowflake, what: &str) {
        let Some(channel) = self.channels.get(&id).cloned() else { return };
        let mut event = self.channel_json(&channel);
        if channel.is_thread() && what == "DELETE" {
            event = json!({
                "id": id, "guild_id": channel.guild, "parent_id": channel.parent, "type": channel.kind.number(),
            });
        }
        if channel.is_thread() && what == "CREATE" {
            event["newly_created"] = json!(true);
        }
        let family = if channel.is_thread() { "THREAD" } else { "CHANNEL" };
        let listeners = self.listeners(id, GUILDS, DIRECT_MESSAGES);
        self.tell(listeners, &format!("{family}_{what}"), &event);
    }

    /// Some webhook of the channel changed; which one, the event does not tell.
    pub(super) fn announce_webhooks(&mut self, channel: Snowflake) {
        let mut event = json!({ "channel_id": channel });
        self.put_guild(&mut event, channel);
        let listeners = self.listeners(channel, GUILD_WEBHOOKS, 0);
        self.tell(listeners, "WEBHOOKS_UPDATE", &event);
    }

    /// What an app gets when it comes to a server, or connects being in it.
    pub(super) fn guild_event(&self, id: Snowflake, app: &App) -> Value {
        let Some(guild) = self.guilds.get(&id) else { return Value::Null };
        let visible =
            |it: &&Channel| it.guild == Some(id) && !it.deleted && self.may(app.bot, it.id, VIEW_CHANNEL);
        let all: Vec<&Channel> = self.channels.values().filter(visible).collect();
        let json = |threads: bool| -> Vec<Value> {
            let wanted = |it: &&&Channel| it.is_thread() == threads && !(threads && it.archived);
            all.iter().filter(wanted).map(|channel| self.channel_json(channel)).collect()
        };
        let member = |member: &super::guild::Member| {
            let mut json = member.json();
            json["user"] = self.user_json(member.user);
            json
        };
        // Without the intent for members, only the bot itself is listed.
        let members = guild.members.get(&app.bot).map(member);
        let mut event = self.guild_json(guild);
        let mut put = |name: &str, value: Value| event[name] = value;
        put(
            "joined_at",
            guild.members.get(&app.bot).map_or(Value::Null, |it| it.json()["joined_at"].clone()),
        );
        put("large", json!(false));
        put("unavailable", json!(false));
        put("member_count", json!(guild.members.len()));
        put("members", members.into_iter().collect());
        put("channels", json(false).into());
        put("threads", json(true).into());
        for name in
            ["voice_states", "presences", "stage_instances", "guild_scheduled_events", "soundboard_sounds"]
        {
            put(name, json!([]));
        }
        event
    }

    pub(super) fn guild_json(&self, guild: &super::guild::Guild) -> Value {
        json!({
            "id": guild.id, "name": guild.name, "icon": null, "description": null, "home_header": null,
            "splash": null, "discovery_splash": null, "features": [], "banner": null, "owner_id": guild.owner,
            "application_id": null, "region": "us-west", "afk_channel_id": null, "afk_timeout": 300,
            "system_channel_id": null, "system_channel_flags": 0, "widget_enabled": false,
            "widget_channel_id": null, "verification_level": 0, "roles": guild.roles_json(),
            "default_message_notifications": 0, "mfa_level": 0, "explicit_content_filter": 0,
            "max_presences": null, "max_members": 500_000, "max_stage_video_channel_users": 50,
            "max_video_channel_users": 25, "vanity_url_code": null, "premium_tier": 0,
            "premium_subscription_count": 0, "preferred_locale": "en-US", "rules_channel_id": null,
            "safety_alerts_channel_id": null, "public_updates_channel_id": null,
            "premium_progress_bar_enabled": false, "nsfw": false, "nsfw_level": 0, "emojis": [],
            "stickers": [], "incidents_data": null,
        })
    }

    /// `GUILD_MEMBER_ADD` or `GUILD_MEMBER_REMOVE`.
    pub(super) fn announce_member(&mut self, guild: Snowflake, user: Snowflake, came: bool) {
        let Some(found) = self.guilds.get(&guild) else { return };
        let member = found.members.get(&user).map(super::guild::Member::json);
        let bots: Vec<Snowflake> = found.members.keys().copied().collect();
        let mut event = if came { member.unwrap_or_else(|| json!({})) } else { json!({}) };
        (event["guild_id"], event["user"]) = (json!(guild), self.user_json(user));
        let mut listeners = self.all_listeners();
        listeners.retain(|it| it.intents & GUILD_MEMBERS != 0 && bots.contains(&it.bot));
        let kind = if came { "GUILD_MEMBER_ADD" } else { "GUILD_MEMBER_REMOVE" };
        self.tell(listeners, kind, &event);
    }

    /// `GUILD_CREATE` to an app that has just been installed there.
    pub(super) fn announce_guild(&mut self, guild: Snowflake, app: Snowflake) {
        let Some(event) = self.apps.get(&app).map(|app| self.guild_event(guild, app)) else { return };
        for listener in self.all_listeners() {
            if listener.app == app && listener.intents & GUILDS != 0 {
                self.push(&listener.session, "GUILD_CREATE", event.clone());
            }
        }
    }

    /// `GUILD_DELETE`: the app was thrown out.
    pub(super) fn announce_removal(&mut self, guild: Snowflake, app: Snowflake) {
        for listener in self.all_listeners() {
            if listener.app == app && listener.intents & GUILDS != 0 {
                self.push(&listener.session, "GUILD_DELETE", json!({ "id": guild }));
            }
        }
    }
}

/// What an app without the intent does not see.
fn blank(message: &mut Value) {
    message["content"] = json!("");
    for name in ["attachments", "embeds", "components"] {
        message[name] = json!([]);
    }
}

//! Who and what is there: people, servers, roles, channels, threads, apps.
//! How they change is in `methods` (apps) and `people` (persons).

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use super::message::Message;
use super::permissions;
use super::snowflake::{Snowflake, stamp};

#[derive(Debug, Clone)]
pub struct User {
    pub id: Snowflake,
    pub username: String,
    pub global_name: Option<String>,
    pub bot: bool,
    pub locale: String,
    /// Takes no direct messages from apps.
    pub closed: bool,
}

impl User {
    pub fn json(&self) -> Value {
        json!({
            "id": self.id, "username": self.username, "discriminator": if self.bot { "4242" } else { "0" },
            "global_name": self.global_name, "avatar": null, "bot": self.bot, "public_flags": 0, "flags": 0,
            "primary_guild": null,
        })
    }

    /// As people see it.
    pub fn shown(&self) -> &str {
        self.global_name.as_deref().unwrap_or(&self.username)
    }
}

#[derive(Debug, Clone)]
pub struct Role {
    pub id: Snowflake,
    pub name: String,
    pub permissions: u64,
    pub mentionable: bool,
    pub managed: bool,
}

impl Role {
    pub fn json(&self, position: usize) -> Value {
        json!({
            "id": self.id, "name": self.name, "permissions": self.permissions.to_string(),
            "position": position, "color": 0, "hoist": false, "managed": self.managed,
            "colors": { "primary_color": 0, "secondary_color": null, "tertiary_color": null },
            "mentionable": self.mentionable, "icon": null, "unicode_emoji": null, "flags": 0,
        })
    }
}

#[derive(Debug, Clone)]
pub struct Member {
    pub user: Snowflake,
    pub nick: Option<String>,
    pub roles: BTreeSet<Snowflake>,
    pub joined: u64,
}

impl Member {
    /// Without `user`, as a message carries it.
    pub fn json(&self) -> Value {
        json!({
            "nick": self.nick, "avatar": null, "banner": null, "roles": self.roles, "joined_at": stamp(self.joined),
            "premium_since": null, "deaf": false, "mute": false, "flags": 0, "pending": false,
            "communication_disabled_until": null,
        })
    }
}

#[derive(Debug, Clone)]
pub struct Guild {
    pub id: Snowflake,
    pub name: String,
    pub owner: Snowflake,
    /// In their order; the first is `@everyone`, with the server's own id.
    pub roles: Vec<Role>,
    pub members: BTreeMap<Snowflake, Member>,
}

impl Guild {
    pub fn role(&self, id: Snowflake) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == id)
    }

    pub fn roles_json(&self) -> Value {
        self.roles.iter().enumerate().map(|(position, role)| role.json(position)).collect()
    }
}

/// The kinds of channel ("Channel › Channel Types").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelKind {
    Text,
    Dm,
    Voice,
    Category,
    Thread,
    PrivateThread,
    Forum,
}

impl ChannelKind {
    pub fn number(self) -> u8 {
        match self {
            ChannelKind::Text => 0,
            ChannelKind::Dm => 1,
            ChannelKind::Voice => 2,
            ChannelKind::Category => 4,
            ChannelKind::Thread => 11,
            ChannelKind::PrivateThread => 12,
            ChannelKind::Forum => 15,
        }
    }

    pub fn is_thread(self) -> bool {
        matches!(self, ChannelKind::Thread | ChannelKind::PrivateThread)
    }

    pub fn takes_messages(self) -> bool {
        !matches!(self, ChannelKind::Category | ChannelKind::Forum)
    }
}

/// A forum's tag.
#[derive(Debug, Clone)]
pub struct Tag {
    pub id: Snowflake,
    pub name: String,
    pub moderated: bool,
    pub emoji: Option<String>,
}

impl Tag {
    pub fn json(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "moderated": self.moderated, "emoji_id": null,
            "emoji_name": self.emoji,
        })
    }
}

/// What a role or a member may or may not in one channel.
#[derive(Debug, Clone)]
pub struct Overwrite {
    pub id: Snowflake,
    /// A member's; else a role's.
    pub member: bool,
    pub allow: u64,
    pub deny: u64,
}

#[derive(Debug, Clone)]
pub struct Channel {
    pub id: Snowflake,
    pub kind: ChannelKind,
    pub guild: Option<Snowflake>,
    pub name: String,
    /// Of a thread: the channel that it is in; of a channel: its category.
    pub parent: Option<Snowflake>,
    pub topic: Option<String>,
    /// Who is in a direct message or a thread.
    pub people: BTreeSet<Snowflake>,
    /// Who opened a thread.
    pub owner: Snowflake,
    pub overwrites: Vec<Overwrite>,
    /// Of a forum.
    pub tags: Vec<Tag>,
    /// Of a forum: a post must have a tag.
    pub tag_required: bool,
    /// Of a post in a forum.
    pub applied_tags: Vec<Snowflake>,
    pub archived: bool,
    pub locked: bool,
    /// When it was last archived or brought back.
    pub archive_at: u64,
    /// Minutes.
    pub auto_archive: u64,
    /// Seconds between two messages of one person.
    pub slowmode: u64,
    pub messages: BTreeMap<Snowflake, Message>,
    pub deleted: bool,
}

impl Channel {
    pub(super) fn new(id: Snowflake, kind: ChannelKind, guild: Option<Snowflake>, name: &str) -> Self {
        Channel {
            id,
            kind,
            guild,
            name: name.to_owned(),
            parent: None,
            topic: None,
            people: BTreeSet::new(),
            owner: Snowflake::default(),
            overwrites: Vec::new(),
            tags: Vec::new(),
            tag_required: false,
            applied_tags: Vec::new(),
            archived: false,
            locked: false,
            archive_at: id.at(),
            auto_archive: 4320,
            slowmode: 0,
            messages: BTreeMap::new(),
            deleted: false,
        }
    }

    pub fn is_thread(&self) -> bool {
        self.kind.is_thread()
    }

    /// Messages that are there for everybody, oldest first.
    pub fn shown(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.values().filter(|message| !message.deleted && message.only_for.is_none())
    }

    fn last_message(&self) -> Option<Snowflake> {
        // Discord's `last_message_id` may point at a deleted one.
        self.messages.values().rev().find(|message| message.only_for.is_none()).map(|message| message.id)
    }

    pub fn json(&self, people: Vec<Value>) -> Value {
        let mut json = json!({
            "id": self.id, "type": self.kind.number(), "flags": if self.tag_required { 1 << 4 } else { 0 },
            "last_message_id": self.last_message(),
        });
        let mut put = |name: &str, value: Value| json[name] = value;
        if self.kind == ChannelKind::Dm {
            put("recipients", people.into());
            return json;
        }
        put("guild_id", json!(self.guild));
        put("name", json!(self.name));
        if self.kind == ChannelKind::Category {
            put("last_message_id", Value::Null);
        }
        put("parent_id", json!(self.parent));
        put("rate_limit_per_user", json!(self.slowmode));
        if self.is_thread() {
            let total = self.messages.values().filter(|message| message.only_for.is_none()).count();
            // The post's first message is not counted ("Channel › message_count").
            put("message_count", json!(self.shown().count().saturating_sub(1)));
            put("member_count", json!(self.people.len().min(50)));
            put("total_message_sent", json!(total.saturating_sub(1)));
            put("owner_id", json!(self.owner));
            put("applied_tags", json!(self.applied_tags));
            put("thread_metadata", self.metadata());
            return json;
        }
        put("position", json!(0));
        put("nsfw", json!(false));
        put("permission_overwrites", self.overwrites_json());
        if self.kind != ChannelKind::Category {
            put("topic", json!(self.topic));
        }
        if self.kind == ChannelKind::Forum {
            put("available_tags", self.tags.iter().map(Tag::json).collect());
            put("default_reaction_emoji", Value::Null);
            put("default_sort_order", Value::Null);
            put("default_forum_layout", json!(0));
        }
        json
    }

    fn metadata(&self) -> Value {
        json!({
            "archived": self.archived, "archive_timestamp": stamp(self.archive_at),
            "auto_archive_duration": self.auto_archive, "locked": self.locked,
            "create_timestamp": stamp(self.id.at()),
        })
    }

    fn overwrites_json(&self) -> Value {
        let json = |it: &Overwrite| {
            json!({
                "id": it.id, "type": u8::from(it.member), "allow": it.allow.to_string(),
                "deny": it.deny.to_string(),
            })
        };
        self.overwrites.iter().map(json).collect()
    }
}

/// An application and its bot.
#[derive(Debug, Clone)]
pub struct App {
    pub id: Snowflake,
    pub name: String,
    pub bot: Snowflake,
    pub token: String,
    pub key: SigningKey,
    /// The privileged intents that are switched on in the portal.
    pub privileged: u64,
    /// Interactions are posted there; without it they come through the gateway.
    pub endpoint: Option<String>,
    /// Commands by their scope: everywhere, or one server.
    pub commands: BTreeMap<Option<Snowflake>, Vec<Value>>,
    /// Identifies since the budget was last filled.
    pub identifies: u32,
    /// Why the platform switched something off: a reset token, a removed endpoint.
    pub notices: Vec<String>,
}

impl App {
    /// Ed25519 key that signatures are checked with, hexadecimal.
    pub fn public_key(&self) -> String {
        hex::encode(self.key.verifying_key().as_bytes())
    }

    /// The bot's own role when it is installed.
    pub(super) fn role(&self, id: Snowflake) -> Role {
        let (name, permissions) = (self.name.clone(), permissions::INSTALLED);
        Role { id, name, permissions, mentionable: false, managed: true }
    }
}

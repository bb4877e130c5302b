//! A message as it stands in a channel, and as the API shows it ("Message" resource).
//! How it comes to be is in `compose`.

use serde_json::{Value, json};

use super::guild::User;
use super::snowflake::{Snowflake, stamp};
use super::world::World;

/// Kinds of message that the fake makes ("Message › Message Types").
pub const DEFAULT: u8 = 0;
pub const CHANNEL_NAME_CHANGE: u8 = 4;
pub const PIN_ADDED: u8 = 6;
pub const THREAD_CREATED: u8 = 18;
pub const REPLY: u8 = 19;
pub const COMMAND: u8 = 20;
pub const THREAD_STARTER: u8 = 21;

/// Flags of a message.
pub const SUPPRESS_EMBEDS: u64 = 1 << 2;
pub const HAS_THREAD: u64 = 1 << 5;
pub const EPHEMERAL: u64 = 1 << 6;
pub const LOADING: u64 = 1 << 7;
pub const SUPPRESS_NOTIFICATIONS: u64 = 1 << 12;
pub const COMPONENTS_V2: u64 = 1 << 15;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    User(Snowflake),
    /// Through a webhook, under this name; the app that owns it, if one does.
    Webhook {
        id: Snowflake,
        name: String,
        avatar: Option<String>,
        app: Option<Snowflake>,
    },
}

impl Author {
    pub fn id(&self) -> Snowflake {
        match self {
            Author::User(id) | Author::Webhook { id, .. } => *id,
        }
    }
}

/// What a message answers, or the message that a thread hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    pub guild: Option<Snowflake>,
    pub channel: Snowflake,
    pub message: Option<Snowflake>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// The character itself, or `name:id`.
    pub emoji: String,
    pub users: Vec<Snowflake>,
}

/// A button, as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    pub label: String,
    pub custom_id: Option<String>,
    pub url: Option<String>,
    pub disabled: bool,
}

/// Who is pinged.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Mentions {
    pub users: Vec<Snowflake>,
    pub roles: Vec<Snowflake>,
    pub everyone: bool,
}

#[derive(Debug, Clone)]
pub struct Message {
    pub id: Snowflake,
    pub channel: Snowflake,
    pub author: Author,
    pub kind: u8,
    pub content: String,
    pub embeds: Vec<Value>,
    pub components: Vec<Value>,
    /// Ids of the files.
    pub attachments: Vec<Snowflake>,
    pub nonce: Option<Value>,
    pub flags: u64,
    pub reference: Option<Reference>,
    pub mentions: Mentions,
    /// Unix milliseconds.
    pub edited_at: Option<u64>,
    /// Texts that it had before.
    pub earlier: Vec<String>,
    pub pinned: bool,
    pub reactions: Vec<Reaction>,
    pub deleted: bool,
    /// Shown to this person alone.
    pub only_for: Option<Snowflake>,
    /// The interaction that it answers.
    pub interaction: Option<Snowflake>,
}

impl Message {
    pub(super) fn new(channel: Snowflake, author: Author, content: &str) -> Self {
        Message {
            id: Snowflake::default(),
            channel,
            author,
            kind: DEFAULT,
            content: content.to_owned(),
            embeds: Vec::new(),
            components: Vec::new(),
            attachments: Vec::new(),
            nonce: None,
            flags: 0,
            reference: None,
            mentions: Mentions::default(),
            edited_at: None,
            earlier: Vec::new(),
            pinned: false,
            reactions: Vec::new(),
            deleted: false,
            only_for: None,
            interaction: None,
        }
    }

    /// Every button in it, from the top.
    pub fn buttons(&self) -> Vec<Button> {
        let mut found = Vec::new();
        for component in &self.components {
            collect_buttons(component, &mut found);
        }
        found
    }

    /// The component with this `custom_id`.
    pub fn component(&self, custom_id: &str) -> Option<&Value> {
        self.components.iter().find_map(|component| find_component(component, custom_id))
    }

    /// Its text, else what its embeds and text components say.
    pub fn said(&self) -> String {
        let mut parts = vec![self.content.clone()];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        for embed in &self.embeds {
            parts.extend([text(&embed["title"]), text(&embed["description"])].into_iter().flatten());
            for field in embed["fields"].as_array().into_iter().flatten() {
                let (name, value) = (text(&field["name"]), text(&field["value"]));
                parts.push(format!("{}: {}", name.unwrap_or_default(), value.unwrap_or_default()));
            }
        }
        for component in &self.components {
            collect_texts(component, &mut parts);
        }
        parts.retain(|part| !part.is_empty());
        parts.join(" | ")
    }

    /// Is this person or bot mentioned so that an app without the intent may read it?
    pub fn mentions_user(&self, user: Snowflake) -> bool {
        self.mentions.users.contains(&user)
    }
}

fn children(component: &Value) -> impl Iterator<Item = &Value> {
    let listed = component["components"].as_array().into_iter().flatten();
    let single = ["accessory", "component"].into_iter().filter_map(|name| component.get(name));
    listed.chain(single)
}

fn collect_buttons(component: &Value, found: &mut Vec<Button>) {
    if component["type"] == 2 {
        let text = |name: &str| component[name].as_str().map(str::to_owned);
        let emoji = component["emoji"]["name"].as_str().map(str::to_owned);
        found.push(Button {
            label: text("label").or(emoji).unwrap_or_default(),
            custom_id: text("custom_id"),
            url: text("url"),
            disabled: component["disabled"] == true,
        });
    }
    children(component).for_each(|child| collect_buttons(child, found));
}

fn collect_texts(component: &Value, found: &mut Vec<String>) {
    if component["type"] == 10 {
        found.extend(component["content"].as_str().map(str::to_owned));
    }
    children(component).for_each(|child| collect_texts(child, found));
}

/// The component with this `custom_id`, at any depth.
pub(super) fn find_component<'a>(component: &'a Value, custom_id: &str) -> Option<&'a Value> {
    if component["custom_id"] == custom_id {
        return Some(component);
    }
    children(component).find_map(|child| find_component(child, custom_id))
}

/// An emoji as events and reactions name it.
pub(super) fn emoji_json(emoji: &str) -> Value {
    match emoji.rsplit_once(':') {
        Some((name, id)) => json!({ "id": id, "name": name }),
        None => json!({ "id": null, "name": emoji }),
    }
}

impl World {
    pub(super) fn user_json(&self, id: Snowflake) -> Value {
        self.users.get(&id).map_or(Value::Null, User::json)
    }

    fn author_json(&self, author: &Author) -> Value {
        match author {
            Author::User(id) => self.user_json(*id),
            Author::Webhook { id, name, avatar, .. } => json!({
                "id": id, "username": name, "discriminator": "0000", "global_name": null, "avatar": avatar,
                "bot": true, "public_flags": 0, "flags": 0, "primary_guild": null,
            }),
        }
    }

    /// As the app `viewer` is shown it over HTTP.
    pub(super) fn message_json(&self, message: &Message, viewer: Snowflake) -> Value {
        let mut json = self.bare_json(message, viewer);
        let referenced = message.reference.filter(|_| message.kind == REPLY);
        if let Some(original) = referenced.and_then(|it| Some((it.channel, it.message?))) {
            let original = self.message(original.0, original.1);
            json["referenced_message"] = original.map_or(Value::Null, |it| self.bare_json(it, viewer));
        }
        json
    }

    fn bare_json(&self, message: &Message, viewer: Snowflake) -> Value {
        let users: Vec<Value> = message.mentions.users.iter().map(|user| self.user_json(*user)).collect();
        let files = message.attachments.iter().filter_map(|id| self.files.get(id));
        let files: Vec<Value> = files.map(|file| file.json(&self.link(file))).collect();
        let embeds = if message.flags & SUPPRESS_EMBEDS == 0 { message.embeds.as_slice() } else { &[] };
        let mut json = json!({
            "id": message.id, "channel_id": message.channel, "type": message.kind,
            "author": self.author_json(&message.author), "content": message.content,
            "timestamp": stamp(message.id.at()), "edited_timestamp": message.edited_at.map(stamp),
            "tts": false, "mention_everyone": message.mentions.everyone, "mentions": users,
            "mention_roles": message.mentions.roles, "attachments": files, "embeds": embeds,
            "components": message.components, "pinned": message.pinned, "flags": message.flags,
        });
        let mut put = |name: &str, value: Value| json[name] = value;
        if let Some(nonce) = &message.nonce {
            put("nonce", nonce.clone());
        }
        if let Some(reference) = &message.reference {
            put("message_reference", reference_json(reference));
        }
        if let Author::Webhook { id, app, .. } = &message.author {
            put("webhook_id", json!(id));
            if let Some(app) = app {
                put("application_id", json!(app));
            }
        }
        if let Some(interaction) = message.interaction.and_then(|id| self.interactions.get(&id)) {
            put("application_id", json!(interaction.app));
            put("webhook_id", json!(interaction.app));
            put("interaction_metadata", self.metadata_json(interaction));
        }
        if !message.reactions.is_empty() {
            put("reactions", self.reactions_json(message, viewer));
        }
        if message.flags & HAS_THREAD != 0
            && let Some(thread) = self.channels.get(&message.id)
        {
            put("thread", self.channel_json(thread));
        }
        json
    }

    fn reactions_json(&self, message: &Message, viewer: Snowflake) -> Value {
        let bot = self.apps.get(&viewer).map(|app| app.bot);
        let json = |reaction: &Reaction| {
            let count = reaction.users.len();
            json!({
                "emoji": emoji_json(&reaction.emoji), "count": count,
                "count_details": { "burst": 0, "normal": count }, "burst_colors": [], "me_burst": false,
                "burst_me": false, "me": bot.is_some_and(|bot| reaction.users.contains(&bot)), "burst_count": 0,
            })
        };
        message.reactions.iter().map(json).collect()
    }
}

fn reference_json(reference: &Reference) -> Value {
    let mut json = json!({ "type": 0, "channel_id": reference.channel });
    if let Some(message) = reference.message {
        json["message_id"] = json!(message);
    }
    if let Some(guild) = reference.guild {
        json["guild_id"] = json!(guild);
    }
    json
}

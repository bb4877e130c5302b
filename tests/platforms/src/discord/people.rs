//! What people do to the world: write, change, delete, react, and use what apps offer them.
//! The handle for it is in `acts`.

use std::time::Instant;

use bytes::Bytes;
use serde_json::{Value, json};

use super::compose::Allowed;
use super::error::{ApiError, refuse};
use super::interact::{AUTOCOMPLETE, COMMAND_CALL, COMPONENT, Interaction, SUBMISSION, State};
use super::ledger::{Delivery, Way};
use super::message::{Author, Message, REPLY, Reference, find_component};
use super::params::Upload;
use super::permissions::MANAGE_THREADS;
use super::snowflake::{Snowflake, now};
use super::world::World;

/// What a person writes.
#[derive(Debug, Default, Clone)]
pub struct Post {
    pub text: String,
    pub files: Vec<(String, Bytes)>,
    pub reply_to: Option<Snowflake>,
    pub embeds: Vec<Value>,
}

impl Post {
    pub fn text(text: impl Into<String>) -> Self {
        Post { text: text.into(), ..Post::default() }
    }

    pub fn file(mut self, name: &str, bytes: impl Into<Bytes>) -> Self {
        self.files.push((name.to_owned(), bytes.into()));
        self
    }

    pub fn replying(mut self, to: Snowflake) -> Self {
        self.reply_to = Some(to);
        self
    }
}

impl From<&str> for Post {
    fn from(text: &str) -> Self {
        Post::text(text)
    }
}

fn mime(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

impl World {
    /// # Errors
    /// Where it is not to be had: no such channel, or a locked thread.
    pub(super) fn say(
        &mut self,
        user: Snowflake,
        channel: Snowflake,
        post: &Post,
    ) -> Result<Snowflake, ApiError> {
        let found = self.channel_known(channel)?;
        let guild = found.guild;
        if !found.kind.takes_messages() {
            return refuse(50_008);
        }
        if found.locked && !self.may(user, channel, MANAGE_THREADS) {
            return refuse(160_005);
        }
        let mut message = Message::new(channel, Author::User(user), &post.text);
        let mut replied = None;
        if let Some(original) = post.reply_to {
            replied = Some(self.message_known(channel, original)?.author.id());
            message.kind = REPLY;
            message.reference = Some(Reference { guild, channel, message: Some(original) });
        }
        for (name, bytes) in &post.files {
            let upload = Upload {
                number: None,
                name: name.clone(),
                mime: mime(name).to_owned(),
                bytes: bytes.clone(),
            };
            message.attachments.push(self.store(channel, &upload, None));
        }
        message.embeds.clone_from(&post.embeds);
        message.mentions = Allowed::everything().mentions(&post.text, replied);
        message.mentions.users.retain(|id| self.users.contains_key(id));
        // The person's own program sends a number; it comes back in the event.
        message.nonce = Some(json!(self.fresh().to_string()));
        Ok(self.place(message))
    }

    fn own(&mut self, user: Snowflake, channel: Snowflake, id: Snowflake) -> Result<&mut Message, ApiError> {
        let message = self.message_mut(channel, id)?;
        if message.author == Author::User(user) { Ok(message) } else { refuse(50_005) }
    }

    /// # Errors
    /// When it is not this person's.
    pub(super) fn rewrite(
        &mut self,
        user: Snowflake,
        (channel, id): (Snowflake, Snowflake),
        text: &str,
    ) -> Result<(), ApiError> {
        let message = self.own(user, channel, id)?;
        let before = std::mem::replace(&mut message.content, text.to_owned());
        message.earlier.push(before);
        message.edited_at = Some(now());
        self.announce_message(channel, id, "MESSAGE_UPDATE");
        Ok(())
    }

    /// A preview of a link appears: an update that is no edit.
    ///
    /// # Errors
    /// When there is no such message.
    pub(super) fn unfurl(&mut self, channel: Snowflake, id: Snowflake, embed: Value) -> Result<(), ApiError> {
        self.message_mut(channel, id)?.embeds.push(embed);
        self.announce_message(channel, id, "MESSAGE_UPDATE");
        Ok(())
    }

    /// # Errors
    /// When it is not this person's.
    pub(super) fn withdraw(
        &mut self,
        user: Snowflake,
        channel: Snowflake,
        id: Snowflake,
    ) -> Result<(), ApiError> {
        self.own(user, channel, id)?;
        self.erase(channel, id)
    }

    /// Changes a thread as a moderator does.
    ///
    /// # Errors
    /// When there is no such channel.
    pub(super) fn set_thread(
        &mut self,
        id: Snowflake,
        change: impl FnOnce(&mut super::guild::Channel),
    ) -> Result<(), ApiError> {
        let thread = self.channel_mut(id)?;
        let before = thread.archived;
        change(thread);
        if thread.archived != before {
            thread.archive_at = now();
        }
        self.announce_channel(id, "UPDATE");
        Ok(())
    }
}

/// Using what apps offer.
impl World {
    /// A person uses something of an app; the interaction is to be handed out by the way that it says.
    fn interaction(
        &mut self,
        (app, user, channel): (Snowflake, Snowflake, Snowflake),
        kind: u8,
        data: Value,
        source: Option<Snowflake>,
    ) -> Result<Snowflake, ApiError> {
        let id = self.fresh();
        let found = self.apps.get(&app).ok_or_else(|| ApiError::coded(10_002))?;
        let way = if found.endpoint.is_some() { Way::Posted } else { Way::Gateway };
        let (bot, token) = (found.bot, format!("fake-interaction-token-{:x}", id.0.rotate_left(31)));
        let payload = self.interaction_json((id, app, bot), (user, channel), kind, data, source, &token)?;
        let interaction = Interaction {
            id,
            app,
            token,
            kind,
            user,
            channel,
            source,
            payload: payload.clone(),
            way,
            born: Instant::now(),
            state: State::Open,
            original: None,
            answers: Vec::new(),
            modal: None,
            choices: None,
            took: None,
        };
        self.interactions.insert(id, interaction);
        if way == Way::Gateway {
            // Interactions need no intent.
            let sessions: Vec<String> =
                self.all_listeners().into_iter().filter(|it| it.app == app).map(|it| it.session).collect();
            let at = self.ledger.now();
            let answer = if sessions.is_empty() { "no session" } else { "" }.to_owned();
            self.ledger.deliveries.push(Delivery { id, app, way, at, status: None, answer });
            for session in sessions {
                self.push(&session, "INTERACTION_CREATE", payload.clone());
            }
        }
        Ok(id)
    }

    fn interaction_json(
        &self,
        (id, app, bot): (Snowflake, Snowflake, Snowflake),
        (user, channel): (Snowflake, Snowflake),
        kind: u8,
        data: Value,
        source: Option<Snowflake>,
        token: &str,
    ) -> Result<Value, ApiError> {
        let found = self.channel_known(channel)?;
        let person = self.users.get(&user).ok_or_else(|| ApiError::coded(10_013))?;
        let mut channel_json = self.channel_json(found);
        channel_json["permissions"] = json!(self.permissions(user, channel).to_string());
        let mut payload = json!({
            "id": id, "application_id": app, "type": kind, "data": data, "channel_id": channel,
            "channel": channel_json, "token": token, "version": 1, "locale": person.locale, "entitlements": [],
            "app_permissions": self.permissions(bot, channel).to_string(),
            "attachment_size_limit": super::files::MAX_FILE, "context": if found.guild.is_some() { 0 } else { 1 },
            "authorizing_integration_owners": { "0": found.guild.map_or_else(|| "0".into(), |it| it.to_string()) },
        });
        let mut put = |name: &str, value: Value| payload[name] = value;
        match found.guild.and_then(|id| self.guilds.get(&id)) {
            Some(guild) => {
                put("guild_id", json!(guild.id));
                put("guild", json!({ "id": guild.id, "locale": "en-US", "features": [] }));
                put("guild_locale", json!("en-US"));
                let mut member = guild.members.get(&user).ok_or_else(|| ApiError::coded(10_007))?.json();
                member["user"] = person.json();
                member["permissions"] = json!(self.permissions(user, channel).to_string());
                put("member", member);
            }
            None => put("user", person.json()),
        }
        if let Some(source) = source {
            let message = self.message_known(channel, source)?;
            put("message", self.message_json(message, app));
        }
        Ok(payload)
    }

    /// # Errors
    /// When the app has no such command there.
    pub(super) fn call_command(
        &mut self,
        (app, user, channel): (Snowflake, Snowflake, Snowflake),
        kind: u8,
        name: &str,
        options: &[(&str, Value)],
    ) -> Result<Snowflake, ApiError> {
        // "verb sub" calls a subcommand.
        let (name, sub) = name.split_once(' ').map_or((name, None), |(name, sub)| (name, Some(sub)));
        let command = self.command(app, channel, name).ok_or_else(|| ApiError::coded(10_063))?;
        let described = match sub {
            None => &command["options"],
            Some(sub) => {
                let all = command["options"].as_array().into_iter().flatten();
                let found = all.into_iter().find(|it| it["name"] == sub && it["type"] == 1);
                &found.ok_or_else(|| ApiError::coded(10_063))?["options"]
            }
        };
        let mut given = Vec::new();
        for (name, value) in options {
            let known = described.as_array().into_iter().flatten().find(|it| it["name"] == *name);
            let known = known.ok_or_else(|| ApiError::required(name))?;
            let mut option = json!({ "name": name, "type": known["type"], "value": value });
            if kind == AUTOCOMPLETE && known["autocomplete"] == true {
                option["focused"] = json!(true);
            }
            given.push(option);
        }
        if let Some(sub) = sub {
            given = vec![json!({ "name": sub, "type": 1, "options": given })];
        }
        let mut data =
            json!({ "id": command["id"], "name": name, "type": command["type"], "options": given });
        if !command["guild_id"].is_null() {
            data["guild_id"] = command["guild_id"].clone();
        }
        self.add_resolved(&mut data, channel, options);
        self.interaction((app, user, channel), kind, data, None)
    }

    /// The whole of what options name only by id: people.
    fn add_resolved(&self, data: &mut Value, channel: Snowflake, options: &[(&str, Value)]) {
        let ids = options.iter().filter_map(|(_, value)| Snowflake::of(value));
        for id in ids.filter(|id| self.users.contains_key(id)) {
            data["resolved"]["users"][id.to_string()] = self.user_json(id);
            let guild = self.channels.get(&channel).and_then(|channel| self.guilds.get(&channel.guild?));
            if let Some(member) = guild.and_then(|guild| guild.members.get(&id)) {
                let mut member = member.json();
                member["permissions"] = json!(self.permissions(id, channel).to_string());
                data["resolved"]["members"][id.to_string()] = member;
            }
        }
    }

    /// The command that a person sees under this name there: the server's own, else one from everywhere.
    fn command(&self, app: Snowflake, channel: Snowflake, name: &str) -> Option<Value> {
        let guild = self.channels.get(&channel)?.guild;
        let commands = &self.apps.get(&app)?.commands;
        let scopes = [guild.filter(|id| commands.contains_key(&Some(*id))).map(Some), Some(None)];
        let all = scopes.into_iter().flatten().filter_map(|scope| commands.get(&scope)).flatten();
        let fits = |it: &&Value| {
            it["name"] == name
                && (guild.is_some() || (it["dm_permission"] != false && it["contexts"] != json!([0])))
        };
        all.into_iter().find(fits).cloned()
    }

    /// A command on a message, from its context menu.
    ///
    /// # Errors
    /// When the app has no such command there.
    pub(super) fn call_on_message(
        &mut self,
        (app, user, channel): (Snowflake, Snowflake, Snowflake),
        name: &str,
        target: Snowflake,
    ) -> Result<Snowflake, ApiError> {
        let command = self.command(app, channel, name).filter(|it| it["type"] == 3);
        let command = command.ok_or_else(|| ApiError::coded(10_063))?;
        let message = self.message_json(self.message_known(channel, target)?, app);
        let data = json!({
            "id": command["id"], "name": name, "type": 3, "target_id": target,
            "resolved": { "messages": { target.to_string(): message } },
        });
        self.interaction((app, user, channel), COMMAND_CALL, data, None)
    }

    /// Presses a button, or picks `values` in a select.
    ///
    /// # Errors
    /// When there is no such component, or it is switched off.
    pub(super) fn use_component(
        &mut self,
        user: Snowflake,
        (channel, id): (Snowflake, Snowflake),
        custom_id: &str,
        values: Option<&[&str]>,
    ) -> Result<Snowflake, ApiError> {
        let message = self.message_known(channel, id)?;
        if message.only_for.is_some_and(|alone| alone != user) {
            return refuse(10_008);
        }
        let component = message.component(custom_id).ok_or_else(|| ApiError::required(custom_id))?;
        if component["disabled"] == true {
            return refuse(50_013);
        }
        let app = match &message.author {
            Author::User(bot) => self.app_of(*bot).map(|app| app.id),
            Author::Webhook { app, .. } => *app,
        };
        let app = app.ok_or_else(|| ApiError::coded(10_002))?;
        let mut data = json!({
            "custom_id": custom_id, "component_type": component["type"], "id": component["id"],
        });
        if let Some(values) = values {
            data["values"] = json!(values);
        }
        self.interaction((app, user, channel), COMPONENT, data, Some(id))
    }

    /// Fills in the modal that an interaction brought and sends it.
    ///
    /// # Errors
    /// When there is none, or a field that must be filled in is not.
    pub(super) fn submit(
        &mut self,
        interaction: Snowflake,
        fields: &[(&str, &str)],
    ) -> Result<Snowflake, ApiError> {
        let before = self.interactions.get(&interaction).ok_or_else(|| ApiError::coded(10_062))?.clone();
        let modal = before.modal.clone().ok_or_else(|| ApiError::required("modal"))?;
        for (name, _) in fields {
            find_component(&modal, name).ok_or_else(|| ApiError::required(name))?;
        }
        let mut rows = Vec::new();
        for row in modal["components"].as_array().into_iter().flatten() {
            match row["type"].as_u64() {
                Some(1) => {
                    let input = filled(&row["components"][0], fields)?;
                    rows.push(json!({ "type": 1, "id": rows.len() + 1, "components": [input] }));
                }
                Some(18) => {
                    let input = filled(&row["component"], fields)?;
                    rows.push(json!({ "type": 18, "id": rows.len() + 1, "component": input }));
                }
                _ => {}
            }
        }
        let data = json!({ "custom_id": modal["custom_id"], "components": rows });
        self.interaction((before.app, before.user, before.channel), SUBMISSION, data, before.source)
    }
}

/// A field as it comes back.
fn filled(input: &Value, fields: &[(&str, &str)]) -> Result<Value, ApiError> {
    let name = input["custom_id"].as_str().unwrap_or_default();
    let given = fields.iter().find(|(field, _)| *field == name).map(|(_, text)| *text);
    let text = given.or_else(|| input["value"].as_str()).unwrap_or_default();
    let length = text.chars().count() as u64;
    let least = input["min_length"].as_u64().unwrap_or(u64::from(input["required"] != false));
    let most = input["max_length"].as_u64().unwrap_or(4000);
    let may_be_empty = input["required"] == false && length == 0;
    if !may_be_empty && !(least..=most).contains(&length) {
        return Err(ApiError::required(name));
    }
    let mut json = json!({ "type": input["type"], "custom_id": name, "id": 1 });
    if input["type"] == 4 {
        json["value"] = json!(text);
    } else {
        json["values"] = json!(text.split(',').filter(|it| !it.is_empty()).collect::<Vec<_>>());
    }
    Ok(json)
}

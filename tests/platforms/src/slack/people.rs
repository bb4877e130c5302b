//! What people do to the world: write, edit, delete, react, press, submit, run commands.
//! The handle that a test holds is in `acts`; what apps do is in `methods`.

use bytes::Bytes;
use serde_json::{Value, json};

use super::compose;
use super::error::ApiError;
use super::interact::Hook;
use super::message::{self, Author, Button, Message};
use super::outgoing::Then;
use super::team::{ChannelKind, Kind, TeamId, Ts};
use super::world::World;

/// What a test asks for may be impossible; the text says why.
pub type Drive<T> = Result<T, String>;

impl From<ApiError> for String {
    fn from(error: ApiError) -> String {
        format!("{} {:?}", error.name, error.details)
    }
}

/// What a person sends.
#[derive(Debug, Clone, Default)]
pub struct Post {
    /// On the wire: escaped, mentions and links in angle brackets.
    pub wire: String,
    pub thread: Option<Ts>,
    pub broadcast: bool,
    pub files: Vec<(String, Bytes)>,
    /// As Slack Connect hands files over: nothing but their ids.
    pub hidden_files: bool,
    /// Instead of the `rich_text` that the client would make of the text.
    pub blocks: Option<Value>,
}

impl From<&str> for Post {
    fn from(text: &str) -> Self {
        Post::text(text)
    }
}

impl From<String> for Post {
    fn from(text: String) -> Self {
        Post::text(&text)
    }
}

impl Post {
    /// As typed.
    pub fn text(text: &str) -> Self {
        Post::wire(&compose::escaped(text))
    }

    /// As it is on the wire.
    pub fn wire(wire: &str) -> Self {
        Post { wire: wire.to_owned(), ..Post::default() }
    }

    /// `@somebody` in front.
    pub fn mentioning(mut self, user: &str) -> Self {
        self.wire = format!("<@{user}> {}", self.wire);
        self
    }

    pub fn in_thread(mut self, root: &str) -> Self {
        self.thread = Some(root.to_owned());
        self
    }

    /// "Also send to channel".
    pub fn to_channel(mut self) -> Self {
        self.broadcast = true;
        self
    }

    pub fn file(mut self, name: &str, bytes: impl Into<Bytes>) -> Self {
        self.files.push((name.to_owned(), bytes.into()));
        self
    }

    pub fn hide_files(mut self) -> Self {
        self.hidden_files = true;
        self
    }

    pub fn blocks(mut self, blocks: Value) -> Self {
        self.blocks = Some(blocks);
        self
    }
}

/// Something that can be acted on: a message, or what one person was shown.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub app: String,
    pub ts: Ts,
    pub thread: Option<Ts>,
    pub ephemeral: bool,
    pub buttons: Vec<Button>,
}

/// Writing.
impl World {
    pub(super) fn join(
        &mut self,
        team: &str,
        channel: &str,
        user: &str,
        inviter: Option<&str>,
    ) -> Result<(), ApiError> {
        let found = self.channel_mut(team, channel)?;
        if !found.members.insert(user.to_owned()) {
            return Ok(());
        }
        let kind = if found.kind == ChannelKind::Public { "C" } else { "G" };
        let ts = self.next_ts(team, channel)?;
        let mut event = json!({
            "type": "member_joined_channel", "user": user, "channel": channel, "channel_type": kind,
            "team": team, "event_ts": ts,
        });
        if let Some(inviter) = inviter {
            event["inviter"] = json!(inviter);
        }
        self.announce(team, channel, "member_joined_channel", &event);
        let message = Message {
            subtype: Some("channel_join".into()),
            ..Message::new(
                String::new(),
                Author::User(user.to_owned()),
                format!("<@{user}> has joined the channel"),
            )
        };
        let ts = self.place(team, channel, message)?;
        self.announce_message(team, channel, &ts)
    }

    /// `false` when it was so already.
    pub(super) fn set_reaction(
        &mut self,
        team: &str,
        channel: &str,
        ts: &str,
        user: &String,
        name: &str,
        on: bool,
    ) -> Result<bool, ApiError> {
        let message = self.message_mut(team, channel, ts)?;
        let there = message.reacted(name).contains(user);
        if there == on {
            return Ok(false);
        }
        if on {
            match message.reactions.iter_mut().find(|(reaction, _)| reaction == name) {
                Some((_, users)) => users.push(user.clone()),
                None => message.reactions.push((name.to_owned(), vec![user.clone()])),
            }
        } else {
            message.reactions.iter_mut().for_each(|(reaction, users)| {
                users.retain(|other| reaction != name || other != user);
            });
            message.reactions.retain(|(_, users)| !users.is_empty());
        }
        self.announce_reaction(team, channel, ts, user, name, on);
        Ok(true)
    }

    fn author_of(&self, team: &str, user: &str) -> Drive<Author> {
        let found = self.team(team).users.get(user).ok_or_else(|| format!("no person {user}"))?;
        Ok(match &found.kind {
            Kind::Bot { app: Some(app) } => Author::App { app: app.clone(), username: None, icon: None },
            Kind::Bot { app: None } => Author::OtherBot {
                user: user.to_owned(),
                bot_id: format!("B{}", user.trim_start_matches('U')),
            },
            _ => Author::User(user.to_owned()),
        })
    }

    pub(super) fn say(&mut self, team: &str, user: &str, channel: &str, post: &Post) -> Drive<Ts> {
        let author = self.author_of(team, user)?;
        let found = self.channel_mut(team, channel)?;
        if !found.members.contains(user) {
            return Err(format!("{user} is not in {channel}"));
        }
        if found.archived {
            return Err(format!("{channel} is archived"));
        }
        let mut files = Vec::new();
        for (name, bytes) in &post.files {
            let id = self.keep(team, user, name, bytes.clone())?;
            let kept = self.files.kept.get(&(team.to_owned(), id)).ok_or("no file")?;
            files.push(if post.hidden_files { kept.hidden_json() } else { kept.json(&self.base) });
        }
        let serial = self.next_serial();
        let human = matches!(author, Author::User(_));
        let blocks = post
            .blocks
            .clone()
            .or_else(|| (human && !post.wire.is_empty()).then(|| json!([compose::rich_text(&post.wire)])));
        let message = Message {
            thread: post.thread.clone(),
            broadcast: post.broadcast,
            blocks,
            subtype: (!files.is_empty()).then(|| "file_share".to_owned()),
            files,
            client_msg_id: human.then(|| format!("00000000-0000-4000-8000-{serial:012}")),
            ..Message::new(String::new(), author, post.wire.clone())
        };
        let ts = self.place(team, channel, message)?;
        self.announce_message(team, channel, &ts)?;
        Ok(ts)
    }

    /// Their own message says something else now.
    pub(super) fn edit(&mut self, team: &str, user: &str, channel: &str, ts: &str, wire: &str) -> Drive<()> {
        let before = self.before(team, channel, ts)?;
        let edited_at = self.next_ts(team, channel)?;
        let message = self.message_mut(team, channel, ts)?;
        if message.author != Author::User(user.to_owned()) {
            return Err(format!("{ts} is not {user}'s"));
        }
        message.earlier.push(std::mem::replace(&mut message.text, wire.to_owned()));
        message.blocks = Some(json!([compose::rich_text(wire)]));
        message.edited = Some((user.to_owned(), edited_at));
        Ok(self.announce_change(team, channel, before, ts)?)
    }

    /// A preview of a link appears: told as a change, without `edited`.
    pub(super) fn preview(&mut self, team: &str, channel: &str, ts: &str) -> Drive<()> {
        let before = self.before(team, channel, ts)?;
        let message = self.message_mut(team, channel, ts)?;
        let links = compose::links(&message.text);
        let card = |url: &String| json!({ "from_url": url, "original_url": url, "title": "A page", "text": "About it", "id": 1 });
        message.attachments = Some(links.iter().map(card).collect());
        Ok(self.announce_change(team, channel, before, ts)?)
    }

    pub(super) fn delete(&mut self, team: &str, channel: &str, ts: &str) -> Drive<()> {
        self.message_mut(team, channel, ts)?;
        self.announce_deletion(team, channel, ts)?;
        self.message_mut(team, channel, ts)?.deleted = true;
        Ok(())
    }
}

/// Acting.
impl World {
    fn place_of(&self, team: &str, user: &str, channel: &str, ts: &str) -> Drive<Place> {
        if let Some(message) = self.message(team, channel, ts).filter(|message| !message.deleted) {
            let Author::App { app, .. } = &message.author else { return Err(format!("{ts} is no app's")) };
            let (app, buttons) = (app.clone(), message.buttons());
            return Ok(Place {
                app,
                ts: ts.to_owned(),
                thread: message.thread.clone(),
                ephemeral: false,
                buttons,
            });
        }
        let whispers = self.whispers(team, channel, user);
        let whisper = whispers.into_iter().find(|whisper| whisper.ts == ts).ok_or("no such message")?;
        Ok(Place {
            app: whisper.app.clone(),
            ts: ts.to_owned(),
            thread: whisper.thread.clone(),
            ephemeral: true,
            buttons: whisper.blocks.as_ref().map(message::buttons).unwrap_or_default(),
        })
    }

    /// Presses a button, or chooses an option, by its label or `action_id`; the interaction's id.
    pub(super) fn press(
        &mut self,
        team: &str,
        user: &str,
        channel: &str,
        ts: &str,
        what: &str,
    ) -> Drive<String> {
        let place = self.place_of(team, user, channel, ts)?;
        let button = place.buttons.iter().find(|button| button.label == what || button.action_id == what);
        let labels: Vec<&str> = place.buttons.iter().map(|button| button.label.as_str()).collect();
        let button = button.cloned().ok_or_else(|| format!("no “{what}” among {labels:?}"))?;
        Ok(self.act(team, user, channel, &place, &button))
    }

    pub(super) fn act(
        &mut self,
        team: &str,
        user: &str,
        channel: &str,
        place: &Place,
        button: &Button,
    ) -> String {
        let mut payload = self.interaction(team, &place.app, user, "block_actions");
        let hook = Hook {
            source: Some(place.ts.clone()),
            thread: place.thread.clone(),
            ..self.hook_for(team, &place.app, channel, user)
        };
        payload["response_url"] = json!(self.new_hook(hook));
        payload["channel"] = self.channel_ref(team, channel);
        payload["container"] = json!({
            "type": "message", "message_ts": place.ts, "channel_id": channel, "is_ephemeral": place.ephemeral,
        });
        if let Some(root) = &place.thread {
            payload["container"]["thread_ts"] = json!(root);
        }
        // What only one person sees is not sent along.
        if let Some(message) = self.message(team, channel, &place.ts).filter(|_| !place.ephemeral) {
            payload["message"] = message.json(self.team(team), true);
        }
        payload["state"] = json!({ "values": {} });
        payload["actions"] = json!([self.action(button)]);
        self.hand_over(team, &place.app, "block_actions", payload, Then::Nothing)
    }

    fn channel_ref(&self, team: &str, channel: &str) -> Value {
        let found = self.team(team).channels.get(channel);
        let name = found.map_or(String::new(), |channel| match channel.kind {
            ChannelKind::Im => "directmessage".to_owned(),
            ChannelKind::Private => "privategroup".to_owned(),
            _ => channel.name.clone(),
        });
        json!({ "id": channel, "name": name })
    }

    fn action(&mut self, button: &Button) -> Value {
        let kind = button.element["type"].clone();
        let at = format!("{}.{:06}", self.unix_now(), self.next_serial());
        let mut action = json!({
            "type": kind, "action_id": button.action_id, "block_id": button.block_id, "action_ts": at,
        });
        match kind.as_str().unwrap_or_default() {
            "overflow" | "static_select" | "radio_buttons" => {
                action["selected_option"] = button.element["selected_option"].clone();
            }
            "feedback_buttons" => {
                let chosen = &button.element["selected"];
                action["value"] = chosen["value"].clone();
                action["text"] = chosen["text"].clone();
            }
            _ => {
                action["text"] = button.element["text"].clone();
                for name in ["value", "style", "url"] {
                    if !button.element[name].is_null() {
                        action[name] = button.element[name].clone();
                    }
                }
            }
        }
        action
    }

    /// Presses something on a Home tab or in a modal.
    pub(super) fn press_in_view(
        &mut self,
        team: &str,
        app: &str,
        user: &str,
        view: &Value,
        what: &str,
    ) -> Drive<String> {
        let all = message::buttons(&view["blocks"]);
        let button = all.iter().find(|button| button.label == what || button.action_id == what).cloned();
        let labels: Vec<&str> = all.iter().map(|button| button.label.as_str()).collect();
        let button = button.ok_or_else(|| format!("no “{what}” among {labels:?}"))?;
        let mut payload = self.interaction(team, app, user, "block_actions");
        payload["container"] = json!({ "type": "view", "view_id": view["id"] });
        payload["view"] = view.clone();
        payload["actions"] = json!([self.action(&button)]);
        Ok(self.hand_over(team, app, "block_actions", payload, Then::Nothing))
    }

    /// Fills in a modal by `action_id` and submits it.
    pub(super) fn submit(&mut self, id: &str, values: &[(&str, Value)]) -> Drive<String> {
        let open = self.views.get(id).filter(|view| !view.closed).cloned().ok_or("no such modal")?;
        let mut state = json!({});
        for block in
            open.view["blocks"].as_array().into_iter().flatten().filter(|block| block["type"] == "input")
        {
            let element = &block["element"];
            let action = element["action_id"].as_str().unwrap_or_default();
            let given = values.iter().find(|(name, _)| *name == action).map(|(_, value)| value.clone());
            let value = input(element, given);
            if value.is_null() && block["optional"] != true {
                return Err(format!("{action} must be filled in"));
            }
            let mut entry = json!({ "type": element["type"] });
            let field = match element["type"].as_str().unwrap_or_default() {
                "static_select" | "external_select" | "radio_buttons" => "selected_option",
                "users_select" => "selected_user",
                "conversations_select" => "selected_conversation",
                "channels_select" => "selected_channel",
                "checkboxes" | "multi_static_select" => "selected_options",
                "datepicker" => "selected_date",
                "timepicker" => "selected_time",
                "datetimepicker" => "selected_date_time",
                _ => "value",
            };
            entry[field] = value;
            state[block["block_id"].as_str().unwrap_or_default()][action] = entry;
        }
        let (team, app, user) = (open.team.clone(), open.app.clone(), open.user.clone());
        let bot_id = self.app(&team, &app).bot_id.clone();
        let mut payload = self.interaction(&team, &app, &user, "view_submission");
        payload["view"] = open.json(&bot_id, state);
        payload["response_urls"] = json!([]);
        let then = Then::Submission { view: id.to_owned() };
        Ok(self.hand_over(&team, &app, "view_submission", payload, then))
    }

    pub(super) fn dismiss(&mut self, id: &str) -> Drive<()> {
        let open = self.views.get_mut(id).filter(|view| !view.closed).ok_or("no such modal")?;
        open.closed = true;
        let open = open.clone();
        if open.view["notify_on_close"] != true {
            return Ok(());
        }
        let bot_id = self.app(&open.team, &open.app).bot_id.clone();
        let mut payload = self.interaction(&open.team, &open.app, &open.user, "view_closed");
        payload["view"] = open.json(&bot_id, json!({}));
        payload["is_cleared"] = json!(false);
        if let Some(fields) = payload.as_object_mut() {
            fields.remove("trigger_id");
        }
        self.hand_over(&open.team, &open.app, "view_closed", payload, Then::Nothing);
        Ok(())
    }

    /// A global shortcut, or one on a message.
    pub(super) fn shortcut(
        &mut self,
        team: &TeamId,
        app: &str,
        user: &str,
        callback: &str,
        on: Option<(&str, &str)>,
    ) -> Drive<String> {
        let kind = if on.is_some() { "message_action" } else { "shortcut" };
        let mut payload = self.interaction(team, app, user, kind);
        payload["callback_id"] = json!(callback);
        payload["action_ts"] = json!(format!("{}.000001", self.unix_now()));
        if let Some((channel, ts)) = on {
            let found = self.message(team, channel, ts).ok_or("no such message")?;
            payload["message"] = found.json(self.team(team), true);
            payload["message_ts"] = json!(ts);
            payload["channel"] = self.channel_ref(team, channel);
            let thread = found.thread.clone();
            let hook = Hook { source: None, thread, ..self.hook_for(team, app, channel, user) };
            payload["response_url"] = json!(self.new_hook(hook));
        }
        Ok(self.hand_over(team, app, kind, payload, Then::Nothing))
    }

    pub(super) fn command(
        &mut self,
        team: &str,
        app: &str,
        user: &str,
        channel: &str,
        command: &str,
        text: &str,
    ) -> Drive<String> {
        let trigger = self.new_trigger(app, user);
        let hook = self.hook_for(team, app, channel, user);
        let url = self.new_hook(hook);
        let found = self.team(team);
        let name = found.users.get(user).map(|user| user.name.clone()).ok_or("no such person")?;
        let place = self.channel_ref(team, channel);
        let payload = json!({
            "token": self.app(team, app).verification_token, "team_id": team, "team_domain": found.domain(),
            "channel_id": channel, "channel_name": place["name"], "user_id": user, "user_name": name,
            "command": command, "text": text, "api_app_id": app, "is_enterprise_install": "false",
            "response_url": url, "trigger_id": trigger,
        });
        let then = Then::Command { channel: channel.to_owned(), user: user.to_owned() };
        Ok(self.hand_over(team, app, command, payload, then))
    }
}

/// What an input holds: what was filled in, else what it began with.
fn input(element: &Value, given: Option<Value>) -> Value {
    let kind = element["type"].as_str().unwrap_or_default();
    let Some(given) = given else {
        let initial =
            ["initial_value", "initial_option", "initial_options", "initial_user", "initial_conversation"];
        return initial
            .iter()
            .map(|name| element[*name].clone())
            .find(|value| !value.is_null())
            .unwrap_or_default();
    };
    if !matches!(kind, "static_select" | "radio_buttons") {
        return given;
    }
    // An option, by its value or its label.
    let grouped = element["option_groups"].as_array().into_iter().flatten().map(|group| &group["options"]);
    let lists = std::iter::once(&element["options"]).chain(grouped);
    let mut options = lists.filter_map(Value::as_array).flatten();
    options
        .find(|option| option["value"] == given || option["text"]["text"] == given)
        .cloned()
        .unwrap_or_default()
}

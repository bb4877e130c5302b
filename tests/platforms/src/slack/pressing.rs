//! What people press, submit and run, and the payloads that it makes.
//! Writing is in `people`; what the app's answer does is in `interact`.

use serde_json::{Value, json};

use super::interact::Hook;
use super::message::{self, Author, Button};
use super::outgoing::Then;
use super::people::Drive;
use super::team::{ChannelKind, TeamId, Ts};
use super::world::World;

/// Something that can be acted on: a message, or what one person was shown.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub app: String,
    pub ts: Ts,
    pub thread: Option<Ts>,
    pub ephemeral: bool,
    pub buttons: Vec<Button>,
}

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

    pub(super) fn press_in_modal(&mut self, id: &str, what: &str) -> Drive<String> {
        let open = self.views.get(id).filter(|view| !view.closed).cloned().ok_or("no such modal")?;
        let bot_id = self.app(&open.team, &open.app).bot_id.clone();
        let shown = open.json(&bot_id, json!({}));
        self.press_in_view(&open.team, &open.app, &open.user, &shown, what)
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

//! Interactivity: trigger ids, response URLs, views, and what an app's answers do (docs.slack.dev, "Handling user
//! interaction", "Slash commands", "Modals"). Who presses what is in `people`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::blocks::{self, Surface};
use super::error::{ApiError, refuse};
use super::message::{Author, Ephemeral, Message};
use super::outgoing::{Envelope, Letter, Then};
use super::team::{AppId, ChannelId, TeamId, Ts, UserId};
use super::world::World;

/// A response URL lives so long and takes so many answers.
const HOOK_LIFE: Duration = Duration::from_secs(30 * 60);
const HOOK_USES: u32 = 5;

/// A `trigger_id`: one use, 3 s.
#[derive(Debug, Clone)]
pub struct Trigger {
    pub app: AppId,
    pub user: UserId,
    pub until: Instant,
    pub used: bool,
}

/// A `response_url`.
#[derive(Debug, Clone)]
pub struct Hook {
    pub team: TeamId,
    pub app: AppId,
    pub channel: ChannelId,
    pub user: UserId,
    /// The message that was acted on.
    pub source: Option<Ts>,
    pub thread: Option<Ts>,
    pub uses: u32,
    pub until: Instant,
}

/// An open modal.
#[derive(Debug, Clone)]
pub struct View {
    pub id: String,
    pub team: TeamId,
    pub app: AppId,
    pub user: UserId,
    /// As it was accepted: title, blocks, `private_metadata` …
    pub view: Value,
    pub hash: String,
    pub root: String,
    pub previous: Option<String>,
    pub closed: bool,
    /// `response_action: errors`: block id and what is wrong.
    pub errors: Value,
}

impl View {
    /// As answers and payloads carry it, with the state of its inputs.
    pub fn json(&self, bot_id: &str, state: Value) -> Value {
        let mut view = self.view.clone();
        let mut put = |name: &str, value: Value| view[name] = value;
        put("id", json!(self.id));
        put("team_id", json!(self.team));
        put("state", json!({ "values": state }));
        put("hash", json!(self.hash));
        put("root_view_id", json!(self.root));
        put("previous_view_id", json!(self.previous));
        put("app_id", json!(self.app));
        put("bot_id", json!(bot_id));
        for (name, empty) in [("private_metadata", ""), ("callback_id", ""), ("external_id", "")] {
            if view[name].is_null() {
                view[name] = json!(empty);
            }
        }
        for name in ["clear_on_close", "notify_on_close"] {
            if view[name].is_null() {
                view[name] = json!(false);
            }
        }
        view
    }
}

/// Triggers and what is queued.
impl World {
    pub(super) fn new_trigger(&mut self, app: &str, user: &str) -> String {
        let serial = self.next_serial();
        let id = format!("{serial}.{}.fake{serial:08x}", self.unix_now());
        let until = Instant::now() + self.settings.trigger_life;
        let trigger = Trigger { app: app.to_owned(), user: user.to_owned(), until, used: false };
        self.triggers.insert(id.clone(), trigger);
        id
    }

    /// Spends a trigger; whose it was.
    pub(super) fn take_trigger(&mut self, id: &str, app: &str) -> Result<UserId, ApiError> {
        let Some(trigger) = self.triggers.get_mut(id).filter(|trigger| trigger.app == app) else {
            return refuse("invalid_trigger_id");
        };
        if trigger.used {
            return refuse("exchanged_trigger_id");
        }
        if trigger.until < Instant::now() {
            return refuse("expired_trigger_id");
        }
        trigger.used = true;
        Ok(trigger.user.clone())
    }

    /// A response URL for something that happened in a channel.
    pub(super) fn new_hook(&mut self, hook: Hook) -> String {
        let serial = self.next_serial();
        let path = format!("/actions/{}/{serial}/fakeSecret{serial:016x}", hook.team);
        let url = format!("{}{path}", self.base);
        self.hooks.insert(path, hook);
        url
    }

    pub(super) fn hook_for(&self, team: &str, app: &str, channel: &str, user: &str) -> Hook {
        Hook {
            team: team.to_owned(),
            app: app.to_owned(),
            channel: channel.to_owned(),
            user: user.to_owned(),
            source: None,
            thread: None,
            uses: 0,
            until: Instant::now() + HOOK_LIFE.mul_f64(self.settings.time_scale),
        }
    }

    /// Queues an interaction or a command; returns its id in the ledger.
    pub(super) fn hand_over(
        &mut self,
        team: &str,
        app: &str,
        kind: &str,
        payload: Value,
        then: Then,
    ) -> String {
        let id = self.fresh("In");
        let envelope = match then {
            Then::Command { .. } => Envelope::Command,
            _ => Envelope::Interactive,
        };
        self.outgoing.add(Letter {
            ticket: 0,
            id: id.clone(),
            team: team.to_owned(),
            app: app.to_owned(),
            kind: kind.to_owned(),
            envelope,
            payload,
            then,
            lane: None,
            attempts: 0,
            reason: "",
            wake_at: Instant::now(),
            in_flight: false,
        });
        id
    }

    /// What every interaction's payload begins with.
    pub(super) fn interaction(&mut self, team: &str, app: &str, user: &str, kind: &str) -> Value {
        let trigger = self.new_trigger(app, user);
        let found = self.team(team);
        let name = found.users.get(user).map(|user| user.name.clone()).unwrap_or_default();
        let token = found.apps.get(app).map(|app| app.verification_token.clone()).unwrap_or_default();
        json!({
            "type": kind, "team": { "id": team, "domain": found.domain() }, "enterprise": null,
            "user": { "id": user, "username": name, "name": name, "team_id": team },
            "api_app_id": app, "token": token, "trigger_id": trigger, "is_enterprise_install": false,
        })
    }
}

/// What an app answers.
impl World {
    /// The body of a 200 to an interaction or a command.
    pub(super) fn follow(&mut self, letter: &Letter, body: &str) {
        match &letter.then {
            Then::Nothing | Then::Challenge { .. } => {}
            Then::Command { channel, user } => self.command_answered(letter, channel, user, body),
            Then::Submission { view } => {
                if let Err(error) = self.submission_answered(letter, view, body) {
                    self.ledger.violation(format!("the answer to a submission is no good: {error:?}"));
                }
            }
        }
    }

    fn command_answered(&mut self, letter: &Letter, channel: &str, user: &str, body: &str) {
        if body.trim().is_empty() {
            return;
        }
        let message: Value = serde_json::from_str(body).unwrap_or_else(|_| json!({ "text": body }));
        let hook = self.hook_for(&letter.team, &letter.app, channel, user);
        if let Err(error) = self.respond(&hook, &message) {
            self.ledger.violation(format!("the answer to a command is no good: {error:?}"));
        }
    }

    /// An empty answer closes the modal, else `response_action` says what becomes of it.
    fn submission_answered(&mut self, letter: &Letter, id: &str, body: &str) -> Result<(), ApiError> {
        let answer: Value = match body.trim() {
            "" => json!({}),
            text => serde_json::from_str(text).map_err(|_| ApiError::new("invalid_json"))?,
        };
        let replace = |world: &mut World, pushed: bool| -> Result<(), ApiError> {
            let view = blocks::accept_view(answer["view"].clone(), &mut world.serial)?;
            if pushed {
                let user = world.views.get(id).map(|view| view.user.clone()).unwrap_or_default();
                world.show_view(&letter.team, &letter.app, &user, view, Some(id));
                return Ok(());
            }
            let hash = world.fresh("h");
            let open = world.views.get_mut(id).ok_or_else(|| ApiError::new("not_found"))?;
            (open.view, open.hash, open.errors) = (view, hash, Value::Null);
            Ok(())
        };
        match answer["response_action"].as_str() {
            None if answer.as_object().is_some_and(|fields| fields.is_empty()) => self.close_views(id, false),
            Some("clear") => self.close_views(id, true),
            Some("errors") => {
                if let Some(open) = self.views.get_mut(id) {
                    open.errors = answer["errors"].clone();
                }
            }
            Some("update") => replace(self, false)?,
            Some("push") => replace(self, true)?,
            _ => return Err(ApiError::new("invalid_response_action")),
        }
        Ok(())
    }

    fn close_views(&mut self, id: &str, all: bool) {
        let Some(root) = self.views.get(id).map(|view| view.root.clone()) else { return };
        for view in self.views.values_mut().filter(|view| view.id == id || (all && view.root == root)) {
            view.closed = true;
        }
    }

    pub(super) fn show_view(
        &mut self,
        team: &str,
        app: &str,
        user: &str,
        view: Value,
        on: Option<&str>,
    ) -> View {
        let (id, hash) = (self.fresh("V"), self.fresh("h"));
        let root =
            on.and_then(|on| self.views.get(on)).map_or_else(|| id.clone(), |below| below.root.clone());
        let shown = View {
            id: id.clone(),
            team: team.to_owned(),
            app: app.to_owned(),
            user: user.to_owned(),
            view,
            hash,
            root,
            previous: on.map(str::to_owned),
            closed: false,
            errors: Value::Null,
        };
        self.views.insert(id, shown.clone());
        shown
    }

    /// A POST to a response URL: status and body as the vendor answers.
    pub(super) fn use_hook(&mut self, path: &str, message: &Value) -> (u16, Value) {
        let now = Instant::now();
        let Some(hook) = self.hooks.get_mut(path) else {
            return (404, json!({ "ok": false, "error": "no_such_hook" }));
        };
        if hook.until < now {
            return (404, json!({ "ok": false, "error": "expired_url" }));
        }
        if hook.uses >= HOOK_USES {
            return (404, json!({ "ok": false, "error": "used_url" }));
        }
        hook.uses += 1;
        let hook = hook.clone();
        match self.respond(&hook, message) {
            Ok(()) => (200, json!({ "ok": true })),
            Err(error) => (400, error.body()),
        }
    }

    fn respond(&mut self, hook: &Hook, message: &Value) -> Result<(), ApiError> {
        let flag = |name: &str| message[name] == true || message[name] == "true";
        if flag("delete_original") {
            return self.replace_source(hook, None);
        }
        let text = message["text"].as_str().unwrap_or_default().to_owned();
        let given = message["blocks"].clone();
        let blocks = match given {
            Value::Null => None,
            given => Some(blocks::accept(given, Surface::Message, &mut self.serial)?),
        };
        if text.is_empty() && blocks.is_none() {
            return refuse("no_text");
        }
        if flag("replace_original") {
            return self.replace_source(hook, Some((text, blocks)));
        }
        let thread = message["thread_ts"].as_str().map(str::to_owned).or_else(|| hook.thread.clone());
        if message["response_type"] == "in_channel" {
            let author = Author::App { app: hook.app.clone(), username: None, icon: None };
            let post = Message { blocks, thread, ..Message::new(String::new(), author, text) };
            let ts = self.place(&hook.team, &hook.channel, post)?;
            return self.announce_message(&hook.team, &hook.channel, &ts);
        }
        self.whisper(&hook.team, &hook.app, &hook.channel, &hook.user, thread, text, blocks).map(drop)
    }

    #[expect(clippy::too_many_arguments, reason = "a message has so many parts")]
    pub(super) fn whisper(
        &mut self,
        team: &str,
        app: &str,
        channel: &str,
        user: &str,
        thread: Option<Ts>,
        text: String,
        blocks: Option<Value>,
    ) -> Result<Ts, ApiError> {
        let ts = self.next_ts(team, channel)?;
        self.ephemerals.entry(team.to_owned()).or_default().push(Ephemeral {
            channel: channel.to_owned(),
            user: user.to_owned(),
            ts: ts.clone(),
            thread,
            app: app.to_owned(),
            text,
            blocks,
            gone: false,
        });
        Ok(ts)
    }

    /// Changes or removes what was acted on: a message, or what one person was shown.
    fn replace_source(&mut self, hook: &Hook, with: Option<(String, Option<Value>)>) -> Result<(), ApiError> {
        let Some(source) = &hook.source else { return refuse("no_original") };
        let shown = self.ephemerals.entry(hook.team.clone()).or_default();
        let whisper =
            shown.iter_mut().find(|whisper| whisper.channel == hook.channel && &whisper.ts == source);
        if let Some(whisper) = whisper {
            match with {
                Some((text, blocks)) => (whisper.text, whisper.blocks) = (text, blocks),
                None => whisper.gone = true,
            }
            return Ok(());
        }
        match with {
            Some((text, blocks)) => {
                let before = self.before(&hook.team, &hook.channel, source)?;
                let message = self.message_mut(&hook.team, &hook.channel, source)?;
                message.earlier.push(std::mem::replace(&mut message.text, text));
                message.blocks = blocks;
                self.announce_change(&hook.team, &hook.channel, before, source)
            }
            None => {
                self.message_mut(&hook.team, &hook.channel, source)?.deleted = true;
                self.announce_deletion(&hook.team, &hook.channel, source)
            }
        }
    }

    /// A message as it was, for `previous_message`.
    pub(super) fn before(&mut self, team: &str, channel: &str, ts: &str) -> Result<Value, ApiError> {
        let message = self.message_mut(team, channel, ts)?.clone();
        Ok(message.json(self.known(team)?, true))
    }
}

//! What people do, as the handle of `drive` offers it.
//! What it does to the world is in `people`.

use serde_json::{Value, json};

use super::drive::{Installed, Workspace};
use super::interact::View;
use super::message::{Ephemeral, Message};
use super::outgoing::{Envelope, Letter, Then};
use super::people::Post;
use super::postman;
use super::sign::signature;
use super::team::{ChannelId, ChannelKind, Kind, Ts, User, UserId};
use super::world::World;

/// Who is there.
impl Workspace {
    /// A full member, with an address made of the name.
    pub fn user(&self, name: &str) -> UserId {
        self.user_of(name, Kind::Member)
    }

    pub fn guest(&self, name: &str) -> UserId {
        self.user_of(name, Kind::Guest)
    }

    pub fn single_channel_guest(&self, name: &str) -> UserId {
        self.user_of(name, Kind::SingleChannelGuest)
    }

    /// Somebody from another workspace, through Slack Connect.
    pub fn stranger(&self, name: &str) -> UserId {
        self.user_of(name, Kind::Stranger { home: "T9999999999".into() })
    }

    /// Somebody else's bot.
    pub fn bot(&self, name: &str) -> UserId {
        self.user_of(name, Kind::Bot { app: None })
    }

    fn user_of(&self, name: &str, kind: Kind) -> UserId {
        self.fake.shared.change(|world| {
            let team = world.teams.get_mut(&self.team).expect("a workspace of this fake");
            let id = team.next('U');
            let handle = name.to_lowercase().replace(' ', ".");
            let person = !matches!(kind, Kind::Bot { .. });
            let user = User {
                id: id.clone(),
                email: person.then(|| format!("{handle}@{}.example", team.domain())),
                email_confirmed: person,
                name: handle,
                real_name: name.to_owned(),
                locale: "en-US".into(),
                kind,
                deleted: false,
                active: true,
            };
            team.users.insert(id.clone(), user);
            id
        })
    }

    /// Any change of a person: address, language, presence.
    pub fn change_user(&self, user: &str, change: impl FnOnce(&mut User)) {
        self.fake.shared.change(|world| {
            if let Some(user) = world.teams.get_mut(&self.team).and_then(|team| team.users.get_mut(user)) {
                change(user);
            }
        });
    }

    /// A public channel with these people in it; nobody is told.
    pub fn channel(&self, name: &str, members: &[&str]) -> ChannelId {
        self.fake.shared.change(|world| world.add_channel(&self.team, ChannelKind::Public, name, members))
    }

    pub fn private_channel(&self, name: &str, members: &[&str]) -> ChannelId {
        self.fake.shared.change(|world| world.add_channel(&self.team, ChannelKind::Private, name, members))
    }

    /// Somebody comes in, the apps there are told.
    #[track_caller]
    pub fn join(&self, channel: &str, user: &str) {
        self.drive(|world| Ok(world.join(&self.team, channel, user, None)?));
    }

    /// Somebody goes without a word (an app is not told that it was removed from a channel).
    pub fn remove(&self, channel: &str, user: &str) {
        self.fake.shared.change(|world| {
            if let Ok(channel) = world.channel_mut(&self.team, channel) {
                channel.members.remove(user);
            }
        });
    }

    #[track_caller]
    pub fn archive(&self, channel: &str, user: &str) {
        self.drive(|world| {
            let ts = world.next_ts(&self.team, channel)?;
            let event =
                json!({ "type": "channel_archive", "channel": channel, "user": user, "event_ts": ts });
            world.announce(&self.team, channel, "channel_archive", &event);
            world.channel_mut(&self.team, channel)?.archived = true;
            Ok(())
        });
    }

    #[track_caller]
    pub fn rename(&self, channel: &str, name: &str) {
        self.drive(|world| {
            let ts = world.next_ts(&self.team, channel)?;
            name.clone_into(&mut world.channel_mut(&self.team, channel)?.name);
            let event = json!({ "type": "channel_rename", "event_ts": ts,
                "channel": { "id": channel, "name": name, "name_normalized": name, "created": 1_700_000_000 } });
            // The channel is an object in it, so the audience is found by hand.
            world.announce(&self.team, channel, "channel_rename", &event);
            Ok(())
        });
    }

    /// The direct message of a person with an app.
    #[track_caller]
    pub fn im(&self, user: &str, app: &Installed) -> ChannelId {
        self.drive(|world| Ok(world.open_im(&self.team, user, &app.bot_user)?))
    }
}

/// What they write.
impl Workspace {
    #[track_caller]
    pub fn say(&self, user: &str, channel: &str, post: impl Into<Post>) -> Ts {
        let post = post.into();
        self.drive(|world| world.say(&self.team, user, channel, &post))
    }

    /// To an app, in their direct message.
    #[track_caller]
    pub fn dm(&self, user: &str, app: &Installed, post: impl Into<Post>) -> Ts {
        let channel = self.im(user, app);
        self.say(user, &channel, post)
    }

    /// Into a thread.
    #[track_caller]
    pub fn reply(&self, user: &str, channel: &str, root: &str, post: impl Into<Post>) -> Ts {
        self.say(user, channel, post.into().in_thread(root))
    }

    /// `text` as typed.
    #[track_caller]
    pub fn edit(&self, user: &str, channel: &str, ts: &str, text: &str) {
        let wire = super::compose::escaped(text);
        self.drive(|world| world.edit(&self.team, user, channel, ts, &wire));
    }

    #[track_caller]
    pub fn delete(&self, channel: &str, ts: &str) {
        self.drive(|world| world.delete(&self.team, channel, ts));
    }

    /// The preview of a link in it appears.
    #[track_caller]
    pub fn preview(&self, channel: &str, ts: &str) {
        self.drive(|world| world.preview(&self.team, channel, ts));
    }

    #[track_caller]
    pub fn react(&self, user: &str, channel: &str, ts: &str, name: &str) {
        let user = user.to_owned();
        self.drive(|world| Ok(world.set_reaction(&self.team, channel, ts, &user, name, true)?));
    }

    #[track_caller]
    pub fn unreact(&self, user: &str, channel: &str, ts: &str, name: &str) {
        let user = user.to_owned();
        self.drive(|world| Ok(world.set_reaction(&self.team, channel, ts, &user, name, false)?));
    }
}

/// What they press. Every act returns the interaction's id in the ledger.
impl Workspace {
    /// A button or option by its label or `action_id`, on a message or on what only this person sees.
    #[track_caller]
    pub fn press(&self, user: &str, channel: &str, ts: &str, what: &str) -> String {
        self.drive(|world| world.press(&self.team, user, channel, ts, what))
    }

    #[track_caller]
    pub fn press_on_home(&self, user: &str, app: &Installed, what: &str) -> String {
        self.drive(|world| {
            let key = (self.team.clone(), app.id.clone(), user.to_owned());
            let home = world.homes.get(&key).cloned().ok_or("no Home tab")?;
            world.press_in_view(&self.team, &app.id, user, &home, what)
        })
    }

    /// In a modal that is open.
    #[track_caller]
    pub fn press_in_modal(&self, view: &str, what: &str) -> String {
        self.drive(|world| world.press_in_modal(view, what))
    }

    /// Submits a modal with these values by `action_id`; a menu's option by value or label.
    #[track_caller]
    pub fn submit(&self, view: &str, values: &[(&str, Value)]) -> String {
        self.drive(|world| world.submit(view, values))
    }

    #[track_caller]
    pub fn dismiss(&self, view: &str) {
        self.drive(|world| world.dismiss(view));
    }

    #[track_caller]
    pub fn shortcut(&self, user: &str, app: &Installed, callback: &str) -> String {
        self.drive(|world| world.shortcut(&self.team, &app.id, user, callback, None))
    }

    #[track_caller]
    pub fn message_shortcut(
        &self,
        user: &str,
        app: &Installed,
        callback: &str,
        channel: &str,
        ts: &str,
    ) -> String {
        self.drive(|world| world.shortcut(&self.team, &app.id, user, callback, Some((channel, ts))))
    }

    #[track_caller]
    pub fn command(&self, user: &str, app: &Installed, channel: &str, command: &str, text: &str) -> String {
        self.drive(|world| world.command(&self.team, &app.id, user, channel, command, text))
    }

    /// Opens the app's `home` or `messages` tab; the event's id.
    #[track_caller]
    pub fn open_tab(&self, user: &str, app: &Installed, tab: &str) -> String {
        let channel = self.im(user, app);
        self.drive(|world| {
            let ts = world.next_ts(&self.team, &channel)?;
            let mut event = json!({ "type": "app_home_opened", "user": user, "channel": channel, "tab": tab, "event_ts": ts });
            let key = (self.team.clone(), app.id.clone(), user.to_owned());
            if let Some(home) = world.homes.get(&key).filter(|_| tab == "home") {
                event["view"] = home.clone();
            }
            Ok(world.emit(&self.team, &app.id, event))
        })
    }
}

/// What an app's owner and the platform do.
impl Installed {
    /// Any event, whether it is subscribed or not; its `event_id`.
    pub fn event(&self, event: Value) -> String {
        self.workspace.fake.shared.change(|world| world.emit(&self.workspace.team, &self.id, event))
    }

    /// Any payload in place of an event's envelope.
    pub fn raw_event(&self, payload: Value) -> String {
        self.workspace.fake.shared.change(|world| {
            let id = payload["event_id"].as_str().map_or_else(|| world.fresh("Ev"), str::to_owned);
            world.emit_raw(&self.workspace.team, &self.id, &id, payload)
        })
    }

    /// Any interaction's payload.
    pub fn raw_interaction(&self, payload: Value) -> String {
        self.workspace.fake.shared.change(|world| {
            let kind = payload["type"].as_str().unwrap_or("unknown").to_owned();
            world.hand_over(&self.workspace.team, &self.id, &kind, payload, Then::Nothing)
        })
    }

    /// Takes every token back; an app that subscribed to it is told (`tokens_revoked`).
    pub fn revoke_tokens(&self) {
        self.configure(|app| {
            let taken: Vec<String> = app.tokens.drain(..).map(|(token, _)| token).collect();
            app.revoked.extend(taken);
        });
        self.told(json!({ "type": "tokens_revoked", "tokens": { "oauth": [], "bot": [self.bot_user] } }));
    }

    /// What was revoked is good again, as after the app was installed once more.
    pub fn reinstall(&self) {
        self.configure(|app| {
            app.uninstalled = false;
            let given: Vec<String> = app.revoked.drain(..).collect();
            app.tokens.extend(given.into_iter().map(|token| (token, None)));
        });
    }

    /// An event that is about no channel.
    fn told(&self, event: Value) {
        let listens = |world: &World| {
            let kind = event["type"].as_str().unwrap_or_default();
            world.app(&self.workspace.team, &self.id).subscriptions.contains(kind)
        };
        if self.workspace.fake.read(listens) {
            self.event(event);
        }
    }

    /// An app that subscribed to it is told (`app_uninstalled`).
    pub fn uninstall(&self) {
        self.told(json!({ "type": "app_uninstalled" }));
        self.configure(|app| {
            app.uninstalled = true;
            let taken: Vec<String> = app.tokens.drain(..).map(|(token, _)| token).collect();
            app.revoked.extend(taken);
        });
    }

    /// `url_verification`, signed; whether its challenge came back is `verified`.
    pub fn verify_url(&self) -> String {
        let (team, app) = (self.workspace.team.clone(), self.id.clone());
        self.workspace.fake.shared.change(|world| {
            let challenge = world.fresh("challenge");
            let token = world.app(&team, &app).verification_token.clone();
            let payload = json!({ "token": token, "challenge": challenge, "type": "url_verification" });
            let id = world.fresh("Ev");
            world.outgoing.add(Letter {
                ticket: 0,
                id: id.clone(),
                team,
                app,
                kind: "url_verification".into(),
                envelope: Envelope::Events,
                payload,
                then: Then::Challenge { challenge },
                lane: None,
                attempts: 0,
                reason: "",
                wake_at: std::time::Instant::now(),
                in_flight: false,
            });
            id
        })
    }

    pub fn verified(&self) -> bool {
        self.workspace.fake.read(|world| {
            let url = world.app(&self.workspace.team, &self.id).events_url.clone().unwrap_or_default();
            world.outgoing.verified.contains(&(self.id.clone(), url))
        })
    }

    /// `warning`, `refresh_requested` or `link_disabled` to every connection.
    pub fn disconnect(&self, reason: &str) {
        self.workspace.fake.shared.change(|world| world.disconnect(&self.id, reason));
    }

    /// Cuts every connection without a word.
    pub fn cut_sockets(&self) {
        self.workspace.fake.shared.change(|world| world.cut_sockets(&self.id));
    }

    pub fn sockets(&self) -> usize {
        self.workspace.fake.read(|world| world.sockets_of(&self.id))
    }

    /// Body, content type and headers of something that went out, signed anew with this timestamp.
    #[track_caller]
    pub fn signed(&self, id: &str, timestamp: &str) -> (String, &'static str, String) {
        let letter = self.workspace.fake.read(|world| world.outgoing.archive.get(id).cloned());
        let letter = letter.expect("something that went out");
        let (body, kind) = postman::body_of(&letter);
        let signature = signature(&self.signing_secret, timestamp, body.as_bytes());
        (body, kind, signature)
    }
}

/// Handing out again.
impl super::drive::FakeSlack {
    /// `copies` of something that went out before, same id, same content, all at once.
    #[track_caller]
    pub fn redeliver(&self, id: &str, copies: usize) {
        let found = self.shared.change(|world| world.outgoing.again(id, copies));
        assert!(found, "{id} never went out");
    }
}

/// Looking.
impl Workspace {
    /// Ids of the events about a message, in the order of their making.
    pub fn events_about(&self, channel: &str, ts: &str) -> Vec<String> {
        let key = (self.team.clone(), channel.to_owned(), ts.to_owned());
        self.fake.read(|world| world.outgoing.by_message.get(&key).cloned().unwrap_or_default())
    }

    pub fn messages_in(&self, channel: &str, thread: Option<&str>) -> Vec<Message> {
        self.fake.read(|world| world.messages_in(&self.team, channel, thread).into_iter().cloned().collect())
    }

    pub fn message(&self, channel: &str, ts: &str) -> Option<Message> {
        self.fake.read(|world| world.message(&self.team, channel, ts).cloned())
    }

    pub fn transcript(&self, channel: &str, thread: Option<&str>) -> Vec<String> {
        self.fake.read(|world| world.transcript(&self.team, channel, thread))
    }

    pub fn whispers(&self, channel: &str, user: &str) -> Vec<Ephemeral> {
        self.fake.read(|world| world.whispers(&self.team, channel, user).into_iter().cloned().collect())
    }

    /// Modals that a person has open.
    pub fn views(&self, user: &str) -> Vec<View> {
        let open = |view: &&View| view.team == self.team && view.user == user && !view.closed;
        self.fake.read(|world| world.views.values().filter(open).cloned().collect())
    }

    pub fn home(&self, user: &str, app: &Installed) -> Option<Value> {
        let key = (self.team.clone(), app.id.clone(), user.to_owned());
        self.fake.read(|world: &World| world.homes.get(&key).cloned())
    }
}

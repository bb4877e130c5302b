//! Events: which app is told what, and in what words (docs.slack.dev/reference/events and the published samples).
//! How they travel is in `postman` and `sockets`.

use std::time::Instant;

use serde_json::{Value, json};

use super::compose;
use super::error::ApiError;
use super::message::{Author, Message};
use super::outgoing::{Envelope, Letter, Then};
use super::team::{AppId, Channel, ChannelKind, UserId};
use super::world::{Ping, World};

impl World {
    /// Wraps an event for an app and queues it, subscribed or not; returns its `event_id`.
    pub(super) fn emit(&mut self, team: &str, app: &str, event: Value) -> String {
        let id = self.fresh("Ev");
        let now = self.unix_now();
        let Some(found) = self.teams.get(team).and_then(|team| team.apps.get(app)) else { return id };
        let shared = event["channel"].as_str().and_then(|id| self.teams.get(team)?.channels.get(id));
        let payload = json!({
            "token": found.verification_token, "team_id": team, "context_team_id": team,
            "context_enterprise_id": null, "api_app_id": app, "event": event, "type": "event_callback",
            "event_id": id, "event_time": now,
            "authorizations": [{ "enterprise_id": null, "team_id": team, "user_id": found.bot_user,
                "is_bot": true, "is_enterprise_install": false }],
            "is_ext_shared_channel": shared.is_some_and(|channel| channel.shared),
            "event_context": format!("4-{id}"),
        });
        self.emit_raw(team, app, &id, payload)
    }

    /// Queues any payload as an event.
    pub(super) fn emit_raw(&mut self, team: &str, app: &str, id: &str, payload: Value) -> String {
        let event = &payload["event"];
        let kind = event["type"].as_str().or(payload["type"].as_str()).unwrap_or("unknown").to_owned();
        let channel = event["channel"].as_str().or(event["item"]["channel"].as_str()).map(str::to_owned);
        let ts =
            [&event["ts"], &event["item"]["ts"], &event["message_ts"]].into_iter().find_map(Value::as_str);
        if let (Some(channel), Some(ts)) = (&channel, ts) {
            let key = (team.to_owned(), channel.clone(), ts.to_owned());
            self.outgoing.by_message.entry(key).or_default().push(id.to_owned());
        }
        self.outgoing.add(Letter {
            ticket: 0,
            id: id.to_owned(),
            team: team.to_owned(),
            app: app.to_owned(),
            kind,
            envelope: Envelope::Events,
            payload,
            then: Then::Nothing,
            lane: channel.map(|channel| format!("{app} {team} {channel}")),
            attempts: 0,
            reason: "",
            wake_at: Instant::now(),
            in_flight: false,
        });
        id.to_owned()
    }

    /// Apps whose bot is in the channel and that subscribed to this.
    fn audience(&self, team: &str, channel: &str, subscription: &str) -> Vec<AppId> {
        let Some(team) = self.teams.get(team) else { return Vec::new() };
        let Some(channel) = team.channels.get(channel) else { return Vec::new() };
        let listens = |app: &&super::team::App| {
            channel.members.contains(&app.bot_user) && app.subscriptions.contains(subscription)
        };
        team.apps.values().filter(listens).map(|app| app.id.clone()).collect()
    }

    /// An event for every app in the channel that subscribed to it.
    pub(super) fn announce(
        &mut self,
        team: &str,
        channel: &str,
        subscription: &str,
        event: &Value,
    ) -> Vec<String> {
        let apps = self.audience(team, channel, subscription);
        apps.iter().map(|app| self.emit(team, app, event.clone())).collect()
    }

    fn message_kind(&self, team: &str, channel: &str) -> Result<ChannelKind, ApiError> {
        let channel = self.known(team)?.channels.get(channel);
        channel.map(|channel| channel.kind).ok_or_else(|| ApiError::new("channel_not_found"))
    }

    /// A new message: `message`, and `app_mention` and `link_shared` where they apply. Own posts come back, too.
    pub(super) fn announce_message(&mut self, team: &str, channel: &str, ts: &str) -> Result<(), ApiError> {
        let kind = self.message_kind(team, channel)?;
        let found = self.known(team)?;
        let Some(message) = found.channels.get(channel).and_then(|channel| channel.messages.get(ts)) else {
            return Ok(());
        };
        let mut event = message.json(found, true);
        event["channel"] = json!(channel);
        event["event_ts"] = json!(ts);
        let mut mention = event.clone();
        event["channel_type"] = json!(kind.name());
        if let Some(root) = message.broadcast.then_some(message.thread.as_ref()).flatten() {
            let root = found.channels.get(channel).and_then(|channel| channel.messages.get(root));
            event["root"] = root.map(|root| root.json(found, false)).unwrap_or_default();
        }
        let message = message.clone();
        let mentioned: Vec<AppId> = found
            .apps
            .values()
            .filter(|app| {
                message.text.contains(&format!("<@{}>", app.bot_user)) && !message.is_from_app(&app.id)
            })
            .map(|app| app.id.clone())
            .collect();
        self.announce(team, channel, kind.subscription(), &event);
        mention["type"] = json!("app_mention");
        if let Some(mention) = mention.as_object_mut() {
            mention.remove("subtype");
        }
        if kind != ChannelKind::Im {
            let listening = self.audience(team, channel, "app_mention");
            for app in listening.iter().filter(|app| mentioned.contains(app)) {
                self.emit(team, app, mention.clone());
            }
        }
        self.announce_links(team, channel, &message);
        self.note_pings(team, channel, &message);
        Ok(())
    }

    fn announce_links(&mut self, team: &str, channel: &str, message: &Message) {
        let Author::User(user) = &message.author else { return };
        let apps: Vec<(AppId, Vec<String>)> =
            self.team(team).apps.values().map(|app| (app.id.clone(), app.unfurl_domains.clone())).collect();
        for (app, domains) in apps {
            let links: Vec<Value> = compose::links(&message.text)
                .into_iter()
                .filter_map(|url| {
                    let domain = domains.iter().find(|domain| compose::host(&url) == domain.as_str())?;
                    Some(json!({ "domain": domain, "url": url }))
                })
                .collect();
            if links.is_empty() || !self.audience(team, channel, "link_shared").contains(&app) {
                continue;
            }
            let unfurl = self.fresh("Uf");
            let mut event = json!({
                "type": "link_shared", "channel": channel, "user": user, "message_ts": message.ts, "links": links,
                "is_bot_user_member": true, "unfurl_id": unfurl, "source": "conversations_history",
                "event_ts": message.ts,
            });
            if let Some(root) = &message.thread {
                event["thread_ts"] = json!(root);
            }
            self.emit(team, &app, event);
        }
    }

    /// Whom an app's message makes ring.
    pub(super) fn note_pings(&mut self, team: &str, channel: &str, message: &Message) {
        if !matches!(message.author, Author::App { .. }) {
            return;
        }
        let mut found = compose::pings(&message.text);
        compose::pings_in(message.blocks.as_ref().unwrap_or(&Value::Null), &mut found);
        compose::pings_in(message.attachments.as_ref().unwrap_or(&Value::Null), &mut found);
        let ping =
            |whom| Ping { team: team.to_owned(), channel: channel.to_owned(), ts: message.ts.clone(), whom };
        self.pings.extend(found.into_iter().map(ping));
    }

    /// A changed message: an edit, an unfurl, a link's preview. Only an edit carries `edited`.
    pub(super) fn announce_change(
        &mut self,
        team: &str,
        channel: &str,
        before: Value,
        ts: &str,
    ) -> Result<(), ApiError> {
        let kind = self.message_kind(team, channel)?;
        let event_ts = self.next_ts(team, channel)?;
        let found = self.known(team)?;
        let after = found.channels.get(channel).and_then(|channel| channel.messages.get(ts));
        let Some(after) = after.map(|message| message.json(found, true)) else { return Ok(()) };
        let event = json!({
            "type": "message", "subtype": "message_changed", "hidden": true, "channel": channel,
            "channel_type": kind.name(), "ts": event_ts, "event_ts": event_ts,
            "message": after, "previous_message": before,
        });
        let ids = self.announce(team, channel, kind.subscription(), &event);
        self.link(team, channel, ts, ids);
        Ok(())
    }

    /// A deleted message. A root that has replies stays as a tombstone, and that is told as a change.
    pub(super) fn announce_deletion(&mut self, team: &str, channel: &str, ts: &str) -> Result<(), ApiError> {
        let kind = self.message_kind(team, channel)?;
        let event_ts = self.next_ts(team, channel)?;
        let found = self.known(team)?;
        let Some((place, message)) =
            found.channels.get(channel).and_then(|channel| Some((channel, channel.messages.get(ts)?)))
        else {
            return Ok(());
        };
        let before = message.json(found, true);
        let mut event = json!({
            "type": "message", "subtype": "message_deleted", "hidden": true, "channel": channel,
            "channel_type": kind.name(), "ts": event_ts, "event_ts": event_ts, "deleted_ts": ts,
            "previous_message": before,
        });
        if has_replies(place, ts) {
            event["subtype"] = json!("message_changed");
            event["message"] = json!({
                "type": "message", "subtype": "tombstone", "text": "This message was deleted.",
                "user": "USLACKBOT", "hidden": true, "ts": ts, "thread_ts": ts, "is_locked": false,
            });
            if let Some(event) = event.as_object_mut() {
                event.remove("deleted_ts");
            }
        }
        let ids = self.announce(team, channel, kind.subscription(), &event);
        self.link(team, channel, ts, ids);
        Ok(())
    }

    /// Also found by the message that it is about.
    fn link(&mut self, team: &str, channel: &str, ts: &str, ids: Vec<String>) {
        let key = (team.to_owned(), channel.to_owned(), ts.to_owned());
        self.outgoing.by_message.entry(key).or_default().extend(ids);
    }

    pub(super) fn announce_reaction(
        &mut self,
        team: &str,
        channel: &str,
        ts: &str,
        user: &UserId,
        name: &str,
        added: bool,
    ) {
        let Ok(event_ts) = self.next_ts(team, channel) else { return };
        let found = self.teams.get(team);
        let message = found.and_then(|team| team.channels.get(channel)?.messages.get(ts));
        let author = message.zip(found).map(|(message, team)| message.json(team, false)["user"].clone());
        let kind = if added { "reaction_added" } else { "reaction_removed" };
        let event = json!({
            "type": kind, "user": user, "reaction": name, "item_user": author, "event_ts": event_ts,
            "item": { "type": "message", "channel": channel, "ts": ts },
        });
        self.announce(team, channel, kind, &event);
    }
}

fn has_replies(channel: &Channel, ts: &str) -> bool {
    channel.messages.values().any(|message| message.thread.as_deref() == Some(ts) && !message.deleted)
}

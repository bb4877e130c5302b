//! Messages in all their forms: said, changed, deleted, in threads, in direct messages, and our own coming back.
//!
//! Not here: what they say (`content.rs`).

use deskbridge_contract::names;
use deskbridge_contract::{
    Address, InboundEvent, RemoteMessageId, RemoteUserId, Sender, SenderKind, TranslateError,
};
use serde_json::Value;

use super::{Fact, Found, View, channel_of, content, malformed, notices, text, timestamp, unknown};
use crate::ids::{self, events};
use crate::people;

impl Fact<'_> {
    /// "message" by its subtype; "app_mention" is the same message once more.
    pub(super) fn message(&self, message: &Value) -> Found {
        match text(message, "subtype") {
            Some("message_changed") => self.changed(),
            Some("message_deleted") => self.deleted(message.get("previous_message")),
            None
            | Some("file_share" | "me_message" | "thread_broadcast" | "reply_broadcast" | "bot_message") => {
                self.posted(message)
            }
            Some(subtype) if notices::is_service(subtype) => Ok(Vec::new()),
            Some(subtype) => Err(unknown(&format!("message subtype {subtype}"))),
        }
    }

    fn posted(&self, message: &Value) -> Found {
        let channel = channel_of(message)?;
        let ts = timestamp(message, "ts")?;
        if self.is_own(message) {
            return Ok(Vec::new());
        }
        let content = content::read(self.view, message);
        let address = self.view.address(channel, message);
        let reply_to = text(message, "thread_ts").filter(|root| {
            // In a thread of its own every message answers the root: that is no quotation.
            ids::is_ts(root) && *root != ts && address.thread.is_none()
        });
        let event = if !content.is_empty() {
            let reply_to = reply_to.map(RemoteMessageId::from);
            InboundEvent::Posted { message: RemoteMessageId::new(ts), content, reply_to }
        } else if self.view.calls_us(message) {
            // Somebody calls, and says nothing yet.
            InboundEvent::Started { payload: None }
        } else {
            return Err(unknown("message with nothing in it"));
        };
        let id = events::posted(self.team(), channel, ts);
        let mut inbound = self.inbound(id, self.author(message)?, address, event);
        inbound.at = ids::time(ts).unwrap_or(inbound.at);
        Ok(vec![inbound])
    }

    /// A person's edit says so. Unfurled links, reply counts and pins change a message as well, and say nothing new.
    fn changed(&self) -> Found {
        let message = self.event.get("message").filter(|message| message.is_object());
        let message = message.ok_or_else(|| malformed("message"))?;
        let previous = self.event.get("previous_message");
        match text(message, "subtype") {
            // The root of a thread leaves a stone behind when it is deleted.
            Some("tombstone") => return self.deleted(previous),
            Some(subtype) if notices::is_service(subtype) => return Ok(Vec::new()),
            _ => {}
        }
        if self.is_own(message) {
            return Ok(Vec::new());
        }
        let version = |message: &Value| text(message.get("edited")?, "ts").map(str::to_owned);
        let Some(edited) = version(message) else { return Ok(Vec::new()) };
        if previous.and_then(version).as_ref() == Some(&edited) {
            return Ok(Vec::new());
        }
        let channel = channel_of(self.event)?;
        let ts = timestamp(message, "ts")?;
        let content = content::read(self.view, message);
        let event = InboundEvent::Edited { message: RemoteMessageId::new(ts), content };
        let id = events::edited(self.team(), channel, ts, &edited);
        let address = self.view.address(channel, message);
        let mut inbound = self.inbound(id, self.author(message)?, address, event);
        inbound.at = ids::time(&edited).unwrap_or(inbound.at);
        Ok(vec![inbound])
    }

    /// Slack does not say who deleted it: it is taken for the author.
    fn deleted(&self, previous: Option<&Value>) -> Found {
        let channel = channel_of(self.event)?;
        let previous = previous.filter(|message| message.is_object());
        let previous = previous.ok_or_else(|| malformed("previous_message"))?;
        let ts = match text(self.event, "deleted_ts") {
            Some(_) => timestamp(self.event, "deleted_ts")?,
            None => timestamp(previous, "ts")?,
        };
        let service = text(previous, "subtype").is_some_and(notices::is_service);
        if service || self.is_own(previous) {
            return Ok(Vec::new());
        }
        let address = self.view.address(channel, previous);
        let event = InboundEvent::Deleted { message: RemoteMessageId::new(ts) };
        let id = events::deleted(self.team(), channel, ts);
        Ok(vec![self.inbound(id, self.author(previous)?, address, event)])
    }

    /// Our own words never come in (clause C3). Slack shows them in several forms: by the bot's user, by the bot's id, or
    /// only by the app's id, and inside the events that tell of a change.
    fn is_own(&self, message: &Value) -> bool {
        let me = self.view.me;
        let app = |value: Option<&Value>| {
            let id = value.and_then(|value| text(value, "app_id"));
            id.is_some() && id == self.envelope.app.as_deref()
        };
        text(message, "user") == Some(me.user_id.as_str())
            || (me.bot_id.is_some() && text(message, "bot_id") == me.bot_id.as_deref())
            || app(Some(message))
            || app(message.get("bot_profile"))
    }

    fn author(&self, message: &Value) -> Result<Sender, TranslateError> {
        let user = text(message, "user");
        let bot = text(message, "bot_id");
        if bot.is_some() || text(message, "subtype") == Some("bot_message") {
            let profile = message.get("bot_profile").and_then(|profile| text(profile, "name"));
            return Ok(Sender {
                // Old integrations have no id at all; nobody ever answers a bot.
                id: RemoteUserId::from(user.or(bot).unwrap_or("bot")),
                display_name: text(message, "username").or(profile).and_then(names::clean),
                email: None,
                email_verified: false,
                picture: None,
                language: None,
                kind: SenderKind::Bot,
            });
        }
        let user = user.ok_or_else(|| malformed("user"))?;
        let mut sender = self.view.person(user);
        if !self.view.people.knows(user) {
            // Nobody could be asked; the message itself says a little.
            let elsewhere = |team: &str| team != self.view.me.team_id;
            if text(message, "user_team").is_some_and(elsewhere) {
                sender.kind = SenderKind::External;
            }
            if let Some(profile) = message.get("user_profile") {
                let name = text(profile, "display_name").or_else(|| text(profile, "real_name"));
                sender.display_name = name.and_then(names::clean).or(sender.display_name);
                if people::is_guest(profile) {
                    sender.kind = SenderKind::External;
                }
            }
        }
        Ok(sender)
    }
}

impl View<'_> {
    /// Where a message belongs. A direct message is one conversation, whatever people reply to in it, but for the
    /// assistant's own threads; in a channel a thread is one, and a call for us begins it.
    pub(super) fn address(&self, channel: &str, message: &Value) -> Address {
        let room = Address::room(self.channel, channel);
        let ts = text(message, "ts").filter(|ts| ids::is_ts(ts));
        let root = text(message, "thread_ts").filter(|root| ids::is_ts(root));
        if ids::is_direct(&room) {
            return match root {
                Some(root)
                    if message.get("assistant_thread").is_some() || self.threads.holds(channel, root) =>
                {
                    room.thread(root)
                }
                _ => room,
            };
        }
        if let Some(root) = root.filter(|root| Some(*root) != ts) {
            return room.thread(root);
        }
        let begins =
            |ts: &&str| self.threads.holds(channel, ts) || (self.calls_us(message) && !self.is_desk(channel));
        match ts.filter(begins) {
            Some(ts) => room.thread(ts),
            None => room,
        }
    }

    /// Whether a message mentions the bot, in either of Slack's two forms.
    pub(crate) fn calls_us(&self, message: &Value) -> bool {
        calls(message, &self.me.user_id)
    }
}

/// Whether a message mentions this person.
pub(crate) fn calls(message: &Value, user: &str) -> bool {
    let mention = text(message, "text").is_some_and(|said| {
        said.match_indices("<@").any(|(at, _)| {
            let rest = &said[at + 2..];
            rest.strip_prefix(user).is_some_and(|after| after.starts_with(['>', '|']))
        })
    });
    mention || message.get("blocks").is_some_and(|blocks| names(blocks, user, 0))
}

/// Rich text is nested, and what comes from the network may be nested without end.
fn names(value: &Value, user: &str, depth: usize) -> bool {
    if depth > 16 {
        return false;
    }
    match value {
        Value::Array(items) => items.iter().any(|item| names(item, user, depth + 1)),
        Value::Object(_) => {
            (text(value, "type") == Some("user") && text(value, "user_id") == Some(user))
                || value.get("elements").is_some_and(|inner| names(inner, user, depth + 1))
        }
        _ => false,
    }
}

/// The message that an event brings, where it brings one.
pub(crate) fn said(event: &InboundEvent) -> Option<&RemoteMessageId> {
    match event {
        InboundEvent::Posted { message, .. } => Some(message),
        _ => None,
    }
}

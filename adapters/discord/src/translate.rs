//! Raw events as contract events. Pure and total: any JSON is either events, nothing for us, or an error to keep.
//!
//! Not here: what a message says (`translate/content.rs`), buttons, commands and forms (`translate/interactions.rs`); where a
//! channel lies has been looked up before.

mod content;
pub(crate) mod interactions;
#[cfg(test)]
mod tests;

use deskbridge_contract::names::{self, clean};
use deskbridge_contract::{
    Address, ChannelName, Inbound, InboundEvent, RemoteEventId, RemoteMessageId, RemoteUserId, Sender,
    SenderKind, ThreadChange, Timestamp, TranslateError,
};
use serde_json::Value;

use crate::ids::{self, events};
use crate::send::forums::Lies;
use crate::send::{Author, Me, Sending};

pub(crate) type Found = Result<Vec<Inbound>, TranslateError>;

/// From where an event is looked at.
pub(crate) struct View<'a> {
    pub channel: &'a ChannelName,
    pub me: &'a Me,
    /// What is known of channels, of authors, of own webhooks.
    pub sending: &'a Sending,
    /// Only for what carries no time of its own.
    pub received: Timestamp,
}

/// A dispatch of the gateway that brings events for us.
pub(crate) fn translate(view: &View<'_>, frame: &Value) -> Found {
    let kind = text(frame, "t").ok_or_else(|| malformed("t"))?;
    let d = frame.get("d").filter(|d| d.is_object());
    if is_notice(kind) {
        return Ok(Vec::new());
    }
    let d = d.ok_or_else(|| malformed("d"))?;
    let fact = Fact { view, d, moment: moment(frame) };
    match kind {
        "MESSAGE_CREATE" => fact.posted(),
        "MESSAGE_UPDATE" => fact.edited(),
        "MESSAGE_DELETE" => fact.deleted(id_of(d, "id")?),
        "MESSAGE_DELETE_BULK" => {
            let all = d.get("ids").and_then(Value::as_array).ok_or_else(|| malformed("ids"))?;
            let mut found = Vec::new();
            for id in all.iter().filter_map(Value::as_str).filter(|id| ids::is_snowflake(id)) {
                found.extend(fact.deleted(id)?);
            }
            Ok(found)
        }
        "MESSAGE_REACTION_ADD" => fact.reaction(true),
        "MESSAGE_REACTION_REMOVE" => fact.reaction(false),
        "TYPING_START" => fact.typing(),
        "THREAD_UPDATE" => fact.thread(),
        "THREAD_DELETE" => fact.thread_deleted(),
        other => Err(unknown(other)),
    }
}

/// Told, and nothing for a conversation. Interactions go their own way.
fn is_notice(kind: &str) -> bool {
    const PREFIXES: [&str; 16] = [
        "GUILD_",
        "CHANNEL_",
        "THREAD_CREATE",
        "THREAD_LIST_SYNC",
        "THREAD_MEMBER",
        "PRESENCE_",
        "USER_",
        "VOICE_",
        "WEBHOOKS_",
        "INTEGRATION_",
        "INVITE_",
        "APPLICATION_",
        "AUTO_MODERATION_",
        "ENTITLEMENT_",
        "STAGE_",
        "MESSAGE_POLL_",
    ];
    const WHOLE: [&str; 5] = [
        "READY",
        "RESUMED",
        "INTERACTION_CREATE",
        "MESSAGE_REACTION_REMOVE_ALL",
        "MESSAGE_REACTION_REMOVE_EMOJI",
    ];
    PREFIXES.iter().any(|prefix| kind.starts_with(prefix)) || WHOLE.contains(&kind)
}

/// The channel whose order an event belongs to.
pub(crate) fn room_of(frame: &Value) -> Option<&str> {
    let d = frame.get("d")?;
    if text(frame, "t").is_some_and(|kind| kind.starts_with("THREAD_")) {
        return text(d, "id");
    }
    text(d, "channel_id")
}

/// What tells two equal reactions of one person apart: where the event stands in the gateway's own order. A copy after a
/// resume has the same.
fn moment(frame: &Value) -> String {
    let session = text(frame, "session").unwrap_or_default();
    format!("{session}.{}", frame.get("s").and_then(Value::as_u64).unwrap_or_default())
}

struct Fact<'a> {
    view: &'a View<'a>,
    d: &'a Value,
    moment: String,
}

impl Fact<'_> {
    /// "Message Types": said, or an answer to something.
    fn posted(&self) -> Found {
        let id = id_of(self.d, "id")?;
        let Some(address) = self.view.address(self.d)? else { return Ok(Vec::new()) };
        if self.view.is_own(self.d) || !self.is_said() {
            return Ok(Vec::new());
        }
        let content = content::read(self.view, self.d)?;
        if content.is_empty() {
            return Err(unknown("message with nothing in it"));
        }
        let reference =
            self.d.get("message_reference").filter(|r| r.get("type").and_then(Value::as_u64) != Some(1));
        let reply_to = reference.and_then(|r| text(r, "message_id")).filter(|id| ids::is_snowflake(id));
        let event = InboundEvent::Posted {
            message: RemoteMessageId::from(id),
            content,
            reply_to: reply_to.map(RemoteMessageId::from),
        };
        let at = time(self.d, "timestamp").or_else(|| ids::time(id));
        Ok(vec![self.inbound(events::posted(id), at, self.author()?, address, event)])
    }

    /// A person's edit says when. Embeds that appear, pins and thread counts change a message as well, and say nothing new.
    fn edited(&self) -> Found {
        let id = id_of(self.d, "id")?;
        let Some(address) = self.view.address(self.d)? else { return Ok(Vec::new()) };
        let Some(version) = text(self.d, "edited_timestamp") else { return Ok(Vec::new()) };
        // A partial update says nothing of words or author.
        if self.d.get("author").is_none() || self.d.get("content").is_none() {
            return Ok(Vec::new());
        }
        if self.view.is_own(self.d) || !self.is_said() {
            return Ok(Vec::new());
        }
        let content = content::read(self.view, self.d)?;
        let event = InboundEvent::Edited { message: RemoteMessageId::from(id), content };
        let at = time(self.d, "edited_timestamp");
        Ok(vec![self.inbound(events::edited(id, version), at, self.author()?, address, event)])
    }

    /// Discord does not say whose it was, nor who did it: it is taken for the author, where that is known.
    fn deleted(&self, id: &str) -> Found {
        let Some(address) = self.view.address(self.d)? else { return Ok(Vec::new()) };
        let stranger = |id: &str| Sender {
            id: RemoteUserId::from(id),
            display_name: None,
            email: None,
            email_verified: false,
            picture: None,
            language: None,
            kind: SenderKind::External,
        };
        let from = match self.view.sending.authors.of(id) {
            Some(Author::Us | Author::Hook(_)) => return Ok(Vec::new()),
            Some(Author::Person { id, name }) => {
                Sender { display_name: name, kind: SenderKind::Human, ..stranger(&id) }
            }
            // In a direct message there is one person; what the bot deletes there is known.
            None if ids::is_direct(&address) => {
                let room = text(self.d, "channel_id").unwrap_or_default();
                let Some(user) = self.view.sending.direct_with(room) else { return Ok(Vec::new()) };
                Sender { kind: SenderKind::Human, ..stranger(&user) }
            }
            None => stranger("0"),
        };
        let event = InboundEvent::Deleted { message: RemoteMessageId::from(id) };
        Ok(vec![self.inbound(events::deleted(id), None, from, address, event)])
    }

    /// Human reactions. Custom emoji have no character to relay.
    fn reaction(&self, added: bool) -> Found {
        let message = id_of(self.d, "message_id")?;
        let user = id_of(self.d, "user_id")?;
        let Some(address) = self.view.address(self.d)? else { return Ok(Vec::new()) };
        let emoji = self.d.get("emoji").ok_or_else(|| malformed("emoji"))?;
        if user == self.view.me.user || text(emoji, "id").is_some() {
            return Ok(Vec::new());
        }
        let name = text(emoji, "name").ok_or_else(|| malformed("emoji.name"))?;
        let member = self.d.get("member");
        let mut from = match member.and_then(|member| member.get("user")) {
            Some(_) => person(self.d)?,
            None => Sender {
                id: RemoteUserId::from(user),
                display_name: None,
                email: None,
                email_verified: false,
                picture: None,
                language: None,
                kind: SenderKind::Human,
            },
        };
        from.id = RemoteUserId::from(user);
        let sign = if added { "+" } else { "-" };
        let id = events::reacted(message, user, &format!("{sign}{name}"), &self.moment);
        let event =
            InboundEvent::Reacted { message: RemoteMessageId::from(message), emoji: name.to_owned(), added };
        Ok(vec![self.inbound(id, None, from, address, event)])
    }

    fn typing(&self) -> Found {
        let user = id_of(self.d, "user_id")?;
        let Some(address) = self.view.address(self.d)? else { return Ok(Vec::new()) };
        if user == self.view.me.user {
            return Ok(Vec::new());
        }
        let from = Sender {
            id: RemoteUserId::from(user),
            display_name: None,
            email: None,
            email_verified: false,
            picture: None,
            language: None,
            kind: SenderKind::Human,
        };
        let at = self.d.get("timestamp").and_then(Value::as_i64).map(Timestamp::from_seconds);
        Ok(vec![self.inbound(events::typing(user, &self.moment), at, from, address, InboundEvent::Typing)])
    }

    /// Somebody closed or opened a post. What we did ourselves is expected, and a post that sleeps for want of words was
    /// closed by nobody.
    fn thread(&self) -> Found {
        let thread = id_of(self.d, "id")?;
        let Some(address) = self.view.post(self.d, thread) else { return Ok(Vec::new()) };
        let data = self.d.get("thread_metadata").ok_or_else(|| malformed("thread_metadata"))?;
        let archived = data.get("archived").and_then(Value::as_bool).ok_or_else(|| malformed("archived"))?;
        if !self.view.sending.threads.saw(thread, archived) {
            return Ok(Vec::new());
        }
        if archived && self.fell_asleep(data) {
            return Ok(Vec::new());
        }
        let change = if archived { ThreadChange::Closed } else { ThreadChange::Reopened };
        let version = text(data, "archive_timestamp").unwrap_or(&self.moment).to_owned();
        let id = events::thread(thread, &format!("{archived}.{version}"));
        let at = time(data, "archive_timestamp");
        Ok(vec![self.inbound(id, at, nobody(), address, InboundEvent::ThreadChanged { change })])
    }

    /// "auto_archive_duration": minutes without a word.
    fn fell_asleep(&self, data: &Value) -> bool {
        let minutes = data.get("auto_archive_duration").and_then(Value::as_u64).unwrap_or(u64::MAX / 60);
        let last = text(self.d, "last_message_id").and_then(ids::time);
        let at = time(data, "archive_timestamp").unwrap_or(self.view.received);
        let locked = data.get("locked").and_then(Value::as_bool).unwrap_or(false);
        !locked && last.is_some_and(|last| at.since(last).as_secs() >= minutes.saturating_mul(60))
    }

    fn thread_deleted(&self) -> Found {
        let thread = id_of(self.d, "id")?;
        let Some(address) = self.view.post(self.d, thread) else { return Ok(Vec::new()) };
        let event = InboundEvent::ThreadChanged { change: ThreadChange::Deleted };
        Ok(vec![self.inbound(events::thread(thread, "deleted"), None, nobody(), address, event)])
    }

    fn is_said(&self) -> bool {
        // Default, reply, and the two that the application's own commands leave, which are ours.
        matches!(self.d.get("type").and_then(Value::as_u64), None | Some(0 | 19))
    }

    fn author(&self) -> Result<Sender, TranslateError> {
        person(self.d)
    }

    fn inbound(
        &self,
        id: RemoteEventId,
        at: Option<Timestamp>,
        from: Sender,
        address: Address,
        event: InboundEvent,
    ) -> Inbound {
        Inbound { id, at: at.unwrap_or(self.view.received), from, address, event, interaction: None }
    }
}

/// Discord does not say who archived, opened or deleted a post.
fn nobody() -> Sender {
    Sender {
        id: RemoteUserId::from("0"),
        display_name: None,
        email: None,
        email_verified: false,
        picture: None,
        language: None,
        kind: SenderKind::External,
    }
}

impl View<'_> {
    pub(crate) fn is_desk(&self, channel: &str) -> bool {
        self.sending.desks.iter().any(|desk| desk == channel)
    }

    /// Where something was said; `None`: nowhere of ours.
    pub(crate) fn address(&self, d: &Value) -> Result<Option<Address>, TranslateError> {
        let channel = id_of(d, "channel_id")?;
        if text(d, "guild_id").is_none() {
            let direct = !matches!(self.sending.forums.place_of(channel), Some(Lies::Room | Lies::In(_)));
            return Ok(direct.then(|| Address::room(self.channel, ids::direct_room(channel))));
        }
        let forum = || self.is_desk(channel).then(|| Address::room(self.channel, channel));
        Ok(self.post_at(channel).or_else(forum))
    }

    /// A post of a desk, by where it is known to lie.
    pub(crate) fn post_at(&self, channel: &str) -> Option<Address> {
        match self.sending.forums.place_of(channel) {
            Some(Lies::In(parent)) if self.is_desk(&parent) => {
                Some(Address::room(self.channel, parent).thread(channel))
            }
            _ => None,
        }
    }

    /// The address of a post of a desk.
    fn post(&self, d: &Value, thread: &str) -> Option<Address> {
        let parent = text(d, "parent_id").filter(|parent| self.is_desk(parent))?;
        Some(Address::room(self.channel, parent).thread(thread))
    }

    /// Our own words never come in (clause C3): the bot's, those of our webhooks, those of our application.
    pub(crate) fn is_own(&self, message: &Value) -> bool {
        let author = message.get("author").and_then(|author| text(author, "id"));
        let hook = text(message, "webhook_id");
        let application = text(message, "application_id");
        author == Some(self.me.user.as_str())
            || (application.is_some() && application == Some(self.me.application.as_str()))
            || hook.is_some_and(|hook| self.sending.is_own_hook(hook))
    }
}

/// Who did it, as the event says: the nickname here before the name everywhere.
pub(crate) fn person(d: &Value) -> Result<Sender, TranslateError> {
    let member = d.get("member").filter(|member| member.is_object());
    let user = d.get("author").or_else(|| member?.get("user")).or_else(|| d.get("user"));
    let user = user.filter(|user| user.is_object()).ok_or_else(|| malformed("author"))?;
    let id = id_of(user, "id")?;
    let nick = member.and_then(|member| text(member, "nick"));
    let name = nick.or_else(|| text(user, "global_name")).or_else(|| text(user, "username"));
    let is_bot = user.get("bot") == Some(&Value::Bool(true))
        || text(d, "webhook_id").is_some()
        || user.get("system") == Some(&Value::Bool(true));
    Ok(Sender {
        id: RemoteUserId::from(id),
        display_name: name.and_then(clean),
        email: None,
        email_verified: false,
        picture: text(user, "avatar").and_then(|avatar| avatar_of(id, avatar)),
        language: text(d, "locale").map(str::to_owned),
        kind: if is_bot { SenderKind::Bot } else { SenderKind::Human },
    })
}

/// Pictures of users are public ("Image Formatting").
fn avatar_of(user: &str, avatar: &str) -> Option<String> {
    let is_hash = avatar.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_hash.then(|| names::picture(&format!("https://cdn.discordapp.com/avatars/{user}/{avatar}.png")))?
}

/// ISO 8601, as Discord writes times.
fn time(value: &Value, key: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text(value, key)?.parse().ok()?;
    Some(Timestamp(at.as_microsecond()))
}

pub(crate) fn id_of<'a>(value: &'a Value, key: &str) -> Result<&'a str, TranslateError> {
    text(value, key).filter(|id| ids::is_snowflake(id)).ok_or_else(|| malformed(key))
}

/// Empty texts are as good as none.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str().filter(|text| !text.is_empty())
}

pub(crate) fn malformed(what: &str) -> TranslateError {
    TranslateError::Malformed(what.to_owned())
}

pub(crate) fn unknown(what: &str) -> TranslateError {
    TranslateError::Unknown(what.chars().take(80).collect())
}

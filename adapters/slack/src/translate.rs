//! Raw events as contract events. Pure and total: any JSON is either events, nothing for us, or an error to keep.
//!
//! Not here: what a message says (`translate/content.rs`), buttons and forms (`translate/interactions.rs`), and who
//! somebody is (`people.rs`), which has been looked up before.

mod content;
pub(crate) mod interactions;
mod message;
mod notices;

#[cfg(test)]
mod tests;

use deskbridge_contract::{
    Address, ChannelName, Inbound, InboundEvent, RemoteEventId, RemoteMessageId, Sender, Timestamp,
    TranslateError,
};
use serde_json::Value;

use crate::Me;
use crate::ids::{self, events};
use crate::people::Known;
use crate::threads::Threads;
pub(crate) use message::{calls, said};

pub(crate) type Found = Result<Vec<Inbound>, TranslateError>;

/// From where an event is looked at.
pub(crate) struct View<'a> {
    pub channel: &'a ChannelName,
    pub me: &'a Me,
    /// Everybody who is named in the payload, as far as they could be looked up.
    pub people: &'a Known,
    pub threads: &'a Threads,
    pub desks: &'a [String],
    /// Only for what carries no time of its own.
    pub received: Timestamp,
}

/// The outer part of an event ("The Events API": callback fields).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub event_id: String,
    /// The workspaces that Slack names: where it happened, and through whose installation we hear of it.
    pub teams: Vec<String>,
    /// This app, as the sender of its own posts is named in them.
    pub app: Option<String>,
    /// When it was dispatched.
    pub time: Option<Timestamp>,
    pub kind: String,
}

impl Envelope {
    pub(crate) fn read(body: &Value) -> Result<Envelope, TranslateError> {
        match text(body, "type") {
            Some("event_callback") => {}
            Some(other) => return Err(unknown(other)),
            None => return Err(malformed("type")),
        }
        let event = body.get("event").filter(|event| event.is_object()).ok_or_else(|| malformed("event"))?;
        let kind = text(event, "type").ok_or_else(|| malformed("event.type"))?.to_owned();
        let event_id = text(body, "event_id").ok_or_else(|| malformed("event_id"))?.to_owned();
        let own = ["team_id", "context_team_id"].into_iter().filter_map(|key| text(body, key));
        let installed = body.get("authorizations").and_then(Value::as_array).into_iter().flatten();
        let teams = own.chain(installed.filter_map(|one| text(one, "team_id"))).map(str::to_owned).collect();
        Ok(Envelope {
            event_id,
            teams,
            app: text(body, "api_app_id").map(str::to_owned),
            time: body.get("event_time").and_then(Value::as_i64).map(Timestamp::from_seconds),
            kind,
        })
    }

    /// Workspaces are never mixed: what belongs to another one is refused, however well it is signed.
    pub(crate) fn check(&self, me: &Me) -> Result<(), TranslateError> {
        if self.teams.contains(&me.team_id) {
            return Ok(());
        }
        Err(TranslateError::Malformed("an event of another workspace than the bot token's".into()))
    }
}

/// Events of one callback, in order.
pub(crate) fn translate(view: &View<'_>, body: &Value) -> Found {
    let envelope = Envelope::read(body)?;
    envelope.check(view.me)?;
    let event = &body["event"];
    let at = Fact { view, envelope: &envelope, event };
    match envelope.kind.as_str() {
        "message" | "app_mention" => at.message(event),
        "reaction_added" => at.reaction(true),
        "reaction_removed" => at.reaction(false),
        "member_joined_channel" => at.membership(InboundEvent::Returned),
        "member_left_channel" => at.membership(InboundEvent::Left),
        "channel_left" | "group_left" | "channel_archive" | "group_archive" | "channel_deleted"
        | "group_deleted" => at.room(InboundEvent::Left),
        "channel_unarchive" | "group_unarchive" => at.room(InboundEvent::Returned),
        "channel_id_changed" => at.moved(),
        "app_home_opened" => at.home(),
        "assistant_thread_started" => at.thread_started(),
        other if notices::is_notice(other) => Ok(Vec::new()),
        other => Err(unknown(other)),
    }
}

/// The room whose order an event belongs to: the channel, or the person where there is none.
pub(crate) fn room_of(body: &Value) -> Option<&str> {
    let event = body.get("event").unwrap_or(body);
    let item = event.get("item").and_then(|item| text(item, "channel"));
    let thread = event.get("assistant_thread").and_then(|thread| text(thread, "channel_id"));
    let nested = |key: &str| event.get(key).and_then(|inner| text(inner, "id"));
    text(event, "channel")
        .or(item)
        .or(thread)
        .or_else(|| nested("channel"))
        .or_else(|| text(event, "channel_id"))
        .or_else(|| text(event, "user"))
        .or_else(|| nested("user"))
        .or_else(|| text(event, "user_id"))
}

struct Fact<'a> {
    view: &'a View<'a>,
    envelope: &'a Envelope,
    event: &'a Value,
}

impl Fact<'_> {
    /// Human reactions. Custom emoji have no character to relay, and files and comments are no messages.
    fn reaction(&self, added: bool) -> Found {
        let item = self.event.get("item").ok_or_else(|| malformed("item"))?;
        if text(item, "type").is_some_and(|kind| kind != "message") {
            return Ok(Vec::new());
        }
        let channel = text(item, "channel").filter(|id| ids::is_channel(id));
        let channel = channel.ok_or_else(|| malformed("item.channel"))?;
        let ts = timestamp(item, "ts")?;
        let name = text(self.event, "reaction").ok_or_else(|| malformed("reaction"))?;
        let user = text(self.event, "user").ok_or_else(|| malformed("user"))?;
        if user == self.view.me.user_id {
            return Ok(Vec::new());
        }
        let emoji = crate::markup::emoji_of(name);
        if emoji.starts_with(':') {
            return Ok(Vec::new());
        }
        let moment = text(self.event, "event_ts").unwrap_or(&self.envelope.event_id);
        let sign = if added { "+" } else { "-" };
        let name = format!("{sign}{name}");
        let id = events::reacted(self.team(), (channel, ts), user, &name, moment);
        let message = RemoteMessageId::new(ts);
        let address = self.view.place_of(channel, ts);
        let event = InboundEvent::Reacted { message, emoji, added };
        Ok(vec![self.inbound(id, self.view.person(user), address, event)])
    }

    /// Only our own coming and going means anything; a room full of people has plenty of both.
    fn membership(&self, event: InboundEvent) -> Found {
        let user = text(self.event, "user").ok_or_else(|| malformed("user"))?;
        if user == self.view.me.user_id { self.room(event) } else { Ok(Vec::new()) }
    }

    fn room(&self, event: InboundEvent) -> Found {
        let channel = channel_of(self.event)?;
        let from = match text(self.event, "user").or_else(|| text(self.event, "actor_id")) {
            Some(user) => self.view.person(user),
            None => self.view.person(&self.view.me.user_id),
        };
        Ok(vec![self.inbound(self.other(), from, Address::room(self.view.channel, channel), event)])
    }

    /// A channel got another id: it was shared with, or moved to, another workspace.
    fn moved(&self) -> Found {
        let id =
            |key: &str| text(self.event, key).filter(|id| ids::is_channel(id)).ok_or_else(|| malformed(key));
        let (old, new) = (id("old_channel_id")?, id("new_channel_id")?);
        let event = InboundEvent::RoomMoved { to: Address::room(self.view.channel, new) };
        let from = self.view.person(&self.view.me.user_id);
        Ok(vec![self.inbound(self.other(), from, Address::room(self.view.channel, old), event)])
    }

    /// The messages tab was opened: once per person that is a beginning, afterwards it is only somebody who looks.
    fn home(&self) -> Found {
        if text(self.event, "tab") != Some("messages") {
            return Ok(Vec::new());
        }
        let channel = channel_of(self.event)?;
        let user = text(self.event, "user").ok_or_else(|| malformed("user"))?;
        let id = RemoteEventId(format!("{}.s.{user}", self.team()));
        let address = Address::room(self.view.channel, channel);
        Ok(vec![self.inbound(id, self.view.person(user), address, InboundEvent::Started { payload: None })])
    }

    fn thread_started(&self) -> Found {
        let thread = self.event.get("assistant_thread").ok_or_else(|| malformed("assistant_thread"))?;
        let channel = text(thread, "channel_id").filter(|id| ids::is_channel(id));
        let channel = channel.ok_or_else(|| malformed("assistant_thread.channel_id"))?;
        let root = timestamp(thread, "thread_ts")?;
        let user = text(thread, "user_id").ok_or_else(|| malformed("assistant_thread.user_id"))?;
        let id = RemoteEventId(format!("{}.t.{channel}.{root}", self.team()));
        let address = Address::room(self.view.channel, channel).thread(root);
        let event = InboundEvent::Started { payload: None };
        Ok(vec![self.inbound(id, self.view.person(user), address, event)])
    }

    fn team(&self) -> &str {
        &self.view.me.team_id
    }

    fn other(&self) -> RemoteEventId {
        events::other(self.team(), &self.envelope.event_id)
    }

    /// When it happened, as Slack says.
    fn at(&self) -> Timestamp {
        let told = text(self.event, "event_ts").and_then(ids::time);
        told.or(self.envelope.time).unwrap_or(self.view.received)
    }

    fn inbound(&self, id: RemoteEventId, from: Sender, address: Address, event: InboundEvent) -> Inbound {
        Inbound { id, at: self.at(), from, address, event, interaction: None }
    }
}

impl View<'_> {
    pub(crate) fn person(&self, id: &str) -> Sender {
        self.people.sender(id)
    }

    /// Where a message is that is only known by its `ts`: Slack tells no thread with a reaction or a press.
    pub(crate) fn place_of(&self, channel: &str, ts: &str) -> Address {
        let room = Address::room(self.channel, channel);
        match self.threads.thread_of(channel, ts) {
            Some(root) => room.thread(root),
            None => room,
        }
    }

    pub(crate) fn is_desk(&self, channel: &str) -> bool {
        self.desks.iter().any(|desk| desk == channel)
    }
}

/// `channel` is an id in most events, and an object in `channel_rename` and its like.
fn channel_of(event: &Value) -> Result<&str, TranslateError> {
    let given = text(event, "channel").or_else(|| text(event.get("channel")?, "id"));
    given.filter(|id| ids::is_channel(id)).ok_or_else(|| malformed("channel"))
}

fn timestamp<'a>(value: &'a Value, key: &str) -> Result<&'a str, TranslateError> {
    text(value, key).filter(|ts| ids::is_ts(ts)).ok_or_else(|| malformed(key))
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

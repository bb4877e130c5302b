//! Raw updates as contract events. Pure and total: any JSON is either events, nothing for us, or an error to keep.
//!
//! Not here: what a message says (`translate/content.rs`); whether anything is a command, allowed, or meant for the
//! other side, which the core decides.

mod content;
mod people;

#[cfg(test)]
mod tests;

use deskbridge_contract::{
    Address, ChannelName, Inbound, InboundEvent, Interaction, RemoteMessageId, Sender, ThreadChange,
    Timestamp, TranslateError,
};
use serde_json::Value;

use crate::ids;
use content::Words;

type Found = Result<Vec<Inbound>, TranslateError>;

/// From where an update is looked at.
pub(crate) struct Viewpoint<'a> {
    pub channel: &'a ChannelName,
    pub bot: u64,
    /// Without `@`; known once `getMe` has answered.
    pub username: Option<&'a str>,
    /// Only for pressed buttons: Telegram gives them no time of their own.
    pub received: Timestamp,
}

const KINDS: [&str; 5] =
    ["message", "edited_message", "callback_query", "message_reaction", "my_chat_member"];

/// Events of one update, in order.
pub(crate) fn translate(view: &Viewpoint<'_>, update: &Value) -> Found {
    let Some(id) = update.get("update_id").and_then(Value::as_i64) else {
        return Err(malformed("update_id"));
    };
    let kind = |name: &str| update.get(name).filter(|value| value.is_object());
    let at = Update { view, id };
    if let Some(message) = kind("message") {
        return at.message(message);
    }
    if let Some(message) = kind("edited_message") {
        return at.edited(message);
    }
    if let Some(query) = kind("callback_query") {
        return at.pressed(query);
    }
    if let Some(reaction) = kind("message_reaction") {
        return at.reactions(reaction);
    }
    if let Some(member) = kind("my_chat_member") {
        return at.membership(member);
    }
    if let Some(known) = KINDS.iter().find(|known| update.get(**known).is_some()) {
        return Err(malformed(known));
    }
    let names = update.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let other: Vec<&str> = names.filter(|name| *name != "update_id").take(3).collect();
    Err(TranslateError::Unknown(other.join(", ").chars().take(80).collect()))
}

/// The chat whose order an update belongs to.
pub(crate) fn chat_of(update: &Value) -> Option<i64> {
    let body = update.as_object()?.values().find(|value| value.is_object())?;
    let chat = body.get("chat").or_else(|| body.get("message")?.get("chat"));
    chat.or_else(|| body.get("from"))?.get("id")?.as_i64()
}

struct Update<'a> {
    view: &'a Viewpoint<'a>,
    id: i64,
}

impl Update<'_> {
    fn message(&self, message: &Value) -> Found {
        let chat = integer(message, &["chat", "id"])?;
        let date = integer(message, &["date"])?;
        if let Some(events) = self.moved(message, chat, date)? {
            return Ok(events);
        }
        if self.is_own(message) {
            return Ok(Vec::new());
        }
        if let Some(change) = thread_change(message) {
            let address = self.address(chat, message.get("message_thread_id"));
            let from = people::sender(message)?;
            return Ok(vec![self.event(0, date, from, address, InboundEvent::ThreadChanged { change })]);
        }
        let words = match content::read(message, self.view.username) {
            Words::Said(content) => content,
            Words::NotForUs | Words::Service => return Ok(Vec::new()),
            Words::Unknown(what) => return Err(TranslateError::Unknown(what)),
        };
        let from = people::sender(message)?;
        let address = self.address(chat, topic(message));
        if let Some(payload) = content::started(message).filter(|_| chat > 0) {
            return Ok(vec![self.event(0, date, from, address, InboundEvent::Started { payload })]);
        }
        let event = InboundEvent::Posted {
            message: message_id(message)?,
            content: words,
            reply_to: reply_to(message),
        };
        Ok(vec![self.event(0, date, from, address, event)])
    }

    fn edited(&self, message: &Value) -> Found {
        let chat = integer(message, &["chat", "id"])?;
        let date = integer(message, &["edit_date"]).or_else(|_| integer(message, &["date"]))?;
        if self.is_own(message) {
            return Ok(Vec::new());
        }
        let content = match content::read(message, self.view.username) {
            Words::Said(content) => content,
            Words::NotForUs | Words::Service => return Ok(Vec::new()),
            Words::Unknown(what) => return Err(TranslateError::Unknown(what)),
        };
        let event = InboundEvent::Edited { message: message_id(message)?, content };
        let from = people::sender(message)?;
        Ok(vec![self.event(0, date, from, self.address(chat, topic(message)), event)])
    }

    fn pressed(&self, query: &Value) -> Found {
        let id = text(query, "id").ok_or_else(|| malformed("callback_query.id"))?;
        let from = people::user(query.get("from").ok_or_else(|| malformed("callback_query.from"))?)?;
        let data = text(query, "data")
            .ok_or_else(|| TranslateError::Unknown("callback_query without data".into()))?;
        let message = query.get("message").filter(|message| message.is_object());
        let message =
            message.ok_or_else(|| TranslateError::Unknown("callback_query without a message".into()))?;
        let address = self.address(integer(message, &["chat", "id"])?, topic(message));
        let (action, value) = ids::pressed(data);
        let event = InboundEvent::Invoked { action, value, message: Some(message_id(message)?) };
        let mut inbound = self.event(0, 0, from, address, event);
        inbound.at = self.view.received;
        inbound.interaction = Some(Interaction { id: id.to_owned() });
        Ok(vec![inbound])
    }

    /// What the person's set of reactions lost and gained. The update does not say in which topic the message is.
    fn reactions(&self, update: &Value) -> Found {
        let address = self.address(integer(update, &["chat", "id"])?, None);
        let date = integer(update, &["date"])?;
        let message = message_id(update)?;
        let from = match (update.get("user"), update.get("actor_chat")) {
            (Some(user), _) => people::user(user)?,
            (None, Some(chat)) => people::chat(chat)?,
            (None, None) => return Err(malformed("message_reaction.user")),
        };
        if from.id.as_str() == self.view.bot.to_string() {
            return Ok(Vec::new());
        }
        let (old, new) = (emoji(update.get("old_reaction")), emoji(update.get("new_reaction")));
        let lost = old.iter().filter(|emoji| !new.contains(emoji)).map(|emoji| (emoji, false));
        let gained = new.iter().filter(|emoji| !old.contains(emoji)).map(|emoji| (emoji, true));
        let events = lost.chain(gained).enumerate().map(|(nth, (emoji, added))| {
            let event = InboundEvent::Reacted { message: message.clone(), emoji: (*emoji).to_owned(), added };
            self.event(nth, date, from.clone(), address.clone(), event)
        });
        Ok(events.collect())
    }

    fn membership(&self, update: &Value) -> Found {
        let chat = integer(update, &["chat", "id"])?;
        let date = integer(update, &["date"])?;
        let from = people::user(update.get("from").ok_or_else(|| malformed("my_chat_member.from"))?)?;
        let here = |name: &str| {
            let member =
                update.get(name).filter(|member| member.is_object()).ok_or_else(|| malformed(name))?;
            let status = text(member, "status").ok_or_else(|| malformed(name))?;
            let restricted_out =
                status == "restricted" && member.get("is_member") == Some(&Value::Bool(false));
            Ok::<bool, TranslateError>(!(matches!(status, "left" | "kicked") || restricted_out))
        };
        let event = match (here("old_chat_member")?, here("new_chat_member")?) {
            (true, false) => InboundEvent::Left,
            (false, true) => InboundEvent::Returned,
            _ => return Ok(Vec::new()),
        };
        Ok(vec![self.event(0, date, from, self.address(chat, None), event)])
    }

    /// A group became a supergroup: told once in the old chat and once in the new one; both say the same.
    fn moved(&self, message: &Value, chat: i64, date: i64) -> Result<Option<Vec<Inbound>>, TranslateError> {
        let (from, to) = match (message.get("migrate_to_chat_id"), message.get("migrate_from_chat_id")) {
            (Some(to), _) => (chat, to.as_i64().ok_or_else(|| malformed("migrate_to_chat_id"))?),
            (None, Some(from)) => (from.as_i64().ok_or_else(|| malformed("migrate_from_chat_id"))?, chat),
            (None, None) => return Ok(None),
        };
        let event = InboundEvent::RoomMoved { to: self.address(to, None) };
        Ok(Some(vec![self.event(0, date, people::sender(message)?, self.address(from, None), event)]))
    }

    /// Our own words never come in: neither as the sender nor by inline mode (clause C3).
    fn is_own(&self, message: &Value) -> bool {
        let bot = i64::try_from(self.view.bot).ok();
        let is_us =
            |name: &str| bot.is_some() && message.get(name).and_then(|user| user.get("id")?.as_i64()) == bot;
        is_us("from") || is_us("via_bot")
    }

    fn address(&self, chat: i64, topic: Option<&Value>) -> Address {
        let room = Address::room(self.view.channel, chat.to_string());
        match topic.and_then(Value::as_i64) {
            Some(topic) => room.thread(topic.to_string()),
            None => room,
        }
    }

    fn event(&self, nth: usize, date: i64, from: Sender, address: Address, event: InboundEvent) -> Inbound {
        let id = ids::event(self.view.bot, self.id, nth);
        Inbound { id, at: Timestamp::from_seconds(date), from, address, event, interaction: None }
    }
}

/// `message_thread_id` also stands on plain chains of replies, where it is no place to write to.
fn topic(message: &Value) -> Option<&Value> {
    if message.get("is_topic_message") == Some(&Value::Bool(true)) {
        message.get("message_thread_id")
    } else {
        None
    }
}

fn thread_change(message: &Value) -> Option<ThreadChange> {
    if message.get("forum_topic_closed").is_some() {
        return Some(ThreadChange::Closed);
    }
    message.get("forum_topic_reopened").map(|_| ThreadChange::Reopened)
}

/// In a topic, everything that answers nothing answers the service message that opened it.
fn reply_to(message: &Value) -> Option<RemoteMessageId> {
    let original = message.get("reply_to_message")?;
    if original.get("forum_topic_created").is_some() {
        return None;
    }
    message_id(original).ok()
}

fn emoji(reactions: Option<&Value>) -> Vec<&str> {
    // Custom emoji and paid stars have no character to relay.
    let reactions = reactions.and_then(Value::as_array).into_iter().flatten();
    reactions.filter_map(|reaction| text(reaction, "emoji")).collect()
}

fn message_id(message: &Value) -> Result<RemoteMessageId, TranslateError> {
    Ok(RemoteMessageId(integer(message, &["message_id"])?.to_string()))
}

fn integer(value: &Value, path: &[&str]) -> Result<i64, TranslateError> {
    let found = path.iter().try_fold(value, |value, key| value.get(key));
    found.and_then(Value::as_i64).ok_or_else(|| malformed(&path.join(".")))
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

fn malformed(what: &str) -> TranslateError {
    TranslateError::Malformed(what.to_owned())
}

//! The only parser of Telegram's ids: chats, topics, messages, people, updates and what a button carries back.
//!
//! Not here: what the things with these ids are; nothing here touches the network.

use deskbridge_contract::{Action, Address, RemoteEventId, RemoteMessageId, RemoteUserId, SendError};
use teloxide_core::types::{ChatId, MessageId, ThreadId};

/// `GroupAnonymousBot`: stands in as the sender of anonymous administrators (D25).
pub(crate) const ANONYMOUS_ADMIN: i64 = 1_087_968_824;

/// Longest `callback_data` of a button, in bytes ("InlineKeyboardButton").
const MAX_CALLBACK: usize = 64;

/// Between an action and its value. Action ids are `[a-z0-9:#@._-]`, so it is in none of them.
const VALUE: char = '|';

/// A chat and, in a forum, one of its topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub chat: ChatId,
    pub topic: Option<ThreadId>,
}

impl Place {
    /// A private chat carries its person's id, which is positive; groups are negative.
    pub(crate) fn is_private(self) -> bool {
        self.chat.0 > 0
    }
}

pub(crate) fn place(address: &Address) -> Result<Place, SendError> {
    let chat = address.room.as_str().parse().map_err(|_| strange("chat"))?;
    let topic = match &address.thread {
        Some(thread) => Some(topic(thread.as_str().parse().map_err(|_| strange("topic"))?)),
        None => None,
    };
    Ok(Place { chat: ChatId(chat), topic })
}

pub(crate) fn topic(id: i32) -> ThreadId {
    ThreadId(MessageId(id))
}

/// The place of an operation that only makes sense inside a topic.
pub(crate) fn topic_of(address: &Address) -> Result<(ChatId, ThreadId), SendError> {
    let place = place(address)?;
    let topic = place.topic.ok_or_else(|| SendError::rejected("this address has no topic"))?;
    Ok((place.chat, topic))
}

pub(crate) fn message(id: &RemoteMessageId) -> Result<MessageId, SendError> {
    id.as_str().parse().map(MessageId).map_err(|_| strange("message"))
}

/// The private chat with a person has the person's id.
pub(crate) fn private_chat(user: &RemoteUserId) -> Result<ChatId, SendError> {
    match user.as_str().parse() {
        Ok(id) if id > 0 && id != ANONYMOUS_ADMIN => Ok(ChatId(id)),
        _ => Err(strange("person")),
    }
}

/// Whether the address is a group: it has a pace of its own (20 messages a minute).
pub(crate) fn is_group(address: &Address) -> bool {
    address.room.as_str().starts_with('-')
}

/// The de-duplication key: `update_id` is only unique per bot, and a channel's token may be exchanged for another bot's.
/// One update may be several events (a changed set of reactions); the first carries the plain id.
pub(crate) fn event(bot: u64, update: i64, nth: usize) -> RemoteEventId {
    match nth {
        0 => RemoteEventId(format!("{bot}.u{update}")),
        _ => RemoteEventId(format!("{bot}.u{update}.{nth}")),
    }
}

/// The bot's own id is the part of its token before the colon.
pub(crate) fn bot_of_token(token: &str) -> Option<u64> {
    let (id, secret) = token.split_once(':')?;
    let sound =
        !secret.is_empty() && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if sound { id.parse().ok() } else { None }
}

/// What a button sends back when it is pressed.
pub(crate) fn callback_data(action: &Action) -> Result<String, SendError> {
    let data = match &action.value {
        Some(value) => format!("{}{VALUE}{value}", action.id),
        None => action.id.clone(),
    };
    if data.is_empty() || data.len() > MAX_CALLBACK {
        // Cutting it would press a different button.
        let why = format!("a button's id and value must have 1 to {MAX_CALLBACK} bytes together");
        return Err(SendError::Rejected { why, fixable: true });
    }
    Ok(data)
}

/// The action and value of a pressed button.
pub(crate) fn pressed(data: &str) -> (String, Option<String>) {
    match data.split_once(VALUE) {
        Some((action, value)) => (action.to_owned(), Some(value.to_owned())),
        None => (data.to_owned(), None),
    }
}

fn strange(what: &str) -> SendError {
    SendError::rejected(format!("not a Telegram {what} id"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use deskbridge_contract::ChannelName;

    #[test]
    fn places() {
        let channel = ChannelName::new("telegram");
        let group = Address::room(&channel, "-1001234567890").thread("17");
        let found = place(&group).unwrap();
        assert_eq!(found, Place { chat: ChatId(-1_001_234_567_890), topic: Some(topic(17)) });
        assert!(is_group(&group) && !found.is_private());
        let private = Address::room(&channel, "42");
        assert!(place(&private).unwrap().is_private() && !is_group(&private));
        for bad in ["", "abc", "@name", "9223372036854775808", "1 "] {
            assert!(place(&Address::room(&channel, bad)).is_err(), "{bad:?}");
        }
        assert!(place(&private.thread("x")).is_err());
        assert!(topic_of(&private).is_err());
    }

    #[test]
    fn buttons_come_back_as_they_were() {
        for (id, value) in
            [("accept:1042", None), ("csat:1042", Some("5")), ("pick", Some("a|b")), ("x", Some(""))]
        {
            let action = Action { id: id.into(), label: "L".into(), value: value.map(str::to_owned) };
            let (back, back_value) = pressed(&callback_data(&action).unwrap());
            assert_eq!((back.as_str(), back_value.as_deref()), (id, value));
        }
        let long = Action { id: "a".repeat(48), label: "L".into(), value: Some("b".repeat(16)) };
        assert!(matches!(callback_data(&long), Err(SendError::Rejected { fixable: true, .. })));
        assert!(callback_data(&Action::new("a".repeat(64), "L")).is_ok());
        assert!(callback_data(&Action::new("", "L")).is_err());
    }

    #[test]
    fn tokens_and_events() {
        assert_eq!(bot_of_token("7001:AAE-x_1"), Some(7001));
        for bad in ["", "7001", "7001:", ":abc", "x:abc", "7001:a/b", "7001:a b"] {
            assert_eq!(bot_of_token(bad), None, "{bad:?}");
        }
        assert_eq!(event(7001, 5, 0).as_str(), "7001.u5");
        assert_eq!(event(7001, 5, 2).as_str(), "7001.u5.2");
        assert!(private_chat(&"1087968824".into()).is_err());
        assert!(private_chat(&"-5".into()).is_err());
    }
}

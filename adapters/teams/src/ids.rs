//! Teams' ids: conversations with and without a message in them, people, files. The only parser of them.
//!
//! Not here: what is sent to them.

use deskbridge_contract::{Address, ChannelName, RemoteFileId, SendError};

/// Between a channel and the root message of one of its threads.
const ROOT: &str = ";messageid=";

/// Longest id that is taken; theirs have at most a few hundred letters.
const MAX_ID: usize = 2048;

/// What kind of conversation it is, by the shape of its id; the activity says it too, but a send has only the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Personal,
    Group,
    Channel,
}

pub(crate) fn kind(room: &str) -> Kind {
    if room.ends_with("@thread.tacv2") || room.ends_with("@thread.skype") {
        Kind::Channel
    } else if room.contains("@thread.") {
        Kind::Group
    } else {
        Kind::Personal
    }
}

/// The address of a conversation as an activity names it.
pub(crate) fn address(channel: &ChannelName, conversation: &str) -> Option<Address> {
    if conversation.len() > MAX_ID || conversation.chars().any(char::is_control) {
        return None;
    }
    let (room, root) = match conversation.split_once(ROOT) {
        Some((room, root)) => (room, Some(root)),
        None => (conversation, None),
    };
    if room.is_empty() || root.is_some_and(str::is_empty) {
        return None;
    }
    let at = Address::room(channel, room);
    Some(match root {
        Some(root) => at.thread(root),
        None => at,
    })
}

/// The conversation as the Connector's paths name it.
pub(crate) fn conversation(at: &Address) -> String {
    match &at.thread {
        Some(root) => format!("{}{ROOT}{root}", at.room),
        None => at.room.to_string(),
    }
}

/// Where the bytes of a file are, and whether the bot's token is needed for them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FilePlace<'a> {
    /// The platform's attachment service.
    Service(&'a str),
    /// An address that needs nothing else, for a short time.
    Direct(&'a str),
}

pub(crate) fn service_file(url: &str) -> RemoteFileId {
    RemoteFileId(format!("s:{url}"))
}

pub(crate) fn direct_file(url: &str) -> RemoteFileId {
    RemoteFileId(format!("d:{url}"))
}

pub(crate) fn file(id: &RemoteFileId) -> Result<FilePlace<'_>, SendError> {
    match id.as_str().split_once(':') {
        Some(("s", url)) => Ok(FilePlace::Service(url)),
        Some(("d", url)) => Ok(FilePlace::Direct(url)),
        _ => Err(SendError::rejected("not a file of Teams")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversations_there_and_back() {
        let teams = ChannelName::new("teams");
        for (text, kind_of, thread) in [
            ("a:1-personal", Kind::Personal, None),
            ("19:abc@thread.v2", Kind::Group, None),
            ("19:abc@thread.tacv2;messageid=1700000000000", Kind::Channel, Some("1700000000000")),
        ] {
            let at = address(&teams, text).unwrap();
            assert_eq!(kind(at.room.as_str()), kind_of, "{text}");
            assert_eq!(at.thread.as_ref().map(|thread| thread.as_str()), thread);
            assert_eq!(conversation(&at), text);
        }
        for odd in ["", ";messageid=1", "19:a@thread.tacv2;messageid=", "a\u{1f}b"] {
            assert_eq!(address(&teams, odd), None, "{odd:?}");
        }
        assert_eq!(address(&teams, &"x".repeat(MAX_ID + 1)), None);
    }

    #[test]
    fn files() {
        assert_eq!(file(&service_file("https://a/b")).unwrap(), FilePlace::Service("https://a/b"));
        assert_eq!(file(&direct_file("https://a/b")).unwrap(), FilePlace::Direct("https://a/b"));
        assert!(file(&RemoteFileId::new("x:y")).is_err() && file(&RemoteFileId::new("")).is_err());
    }
}

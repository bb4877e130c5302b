//! The only parser of Slack's ids: places, messages, people, events, files, and what an interaction can be answered by.
//!
//! Not here: what the things with these ids are; nothing here touches the network.

use deskbridge_contract::{
    Address, Interaction, RemoteEventId, RemoteFileId, RemoteMessageId, RemoteUserId, SendError, Timestamp,
};
use serde::{Deserialize, Serialize};

/// No id of Slack's is nearly as long.
const MAX_ID: usize = 64;

/// Messages that are none on Slack: a question of `/desk`, the text of a modal.
const MADE: &str = "made:";

/// A conversation of Slack's (channel, group or direct message) and, in it, one thread by the `ts` of its root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub channel: &'a str,
    pub thread: Option<&'a str>,
}

pub(crate) fn place(address: &Address) -> Result<Place<'_>, SendError> {
    let channel = address.room.as_str();
    if !is_channel(channel) {
        return Err(strange("channel"));
    }
    let thread = match &address.thread {
        Some(thread) if is_ts(thread.as_str()) => Some(thread.as_str()),
        Some(_) => return Err(strange("thread")),
        None => None,
    };
    Ok(Place { channel, thread })
}

/// Whether the address is a direct message with one person.
pub(crate) fn is_direct(address: &Address) -> bool {
    address.room.as_str().starts_with('D')
}

pub(crate) fn is_channel(id: &str) -> bool {
    is_id(id) && id.starts_with(['C', 'D', 'G'])
}

fn is_id(id: &str) -> bool {
    (2..=MAX_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// A person's id, or a bot's.
pub(crate) fn user(id: &RemoteUserId) -> Result<&str, SendError> {
    if is_user(id.as_str()) { Ok(id.as_str()) } else { Err(strange("person")) }
}

pub(crate) fn is_user(id: &str) -> bool {
    is_id(id) && id.starts_with(['U', 'W', 'B'])
}

/// The `ts` of a message.
pub(crate) fn message(id: &RemoteMessageId) -> Result<&str, SendError> {
    match id.as_str() {
        made if made.starts_with(MADE) => {
            Err(SendError::rejected("this came by a command or a form: there is no message of it"))
        }
        ts if is_ts(ts) => Ok(ts),
        _ => Err(strange("message")),
    }
}

/// `1700000000.000100`: seconds, and six digits that make it unique in its channel.
pub(crate) fn is_ts(text: &str) -> bool {
    let Some((seconds, unique)) = text.split_once('.') else { return false };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    (1..=12).contains(&seconds.len()) && unique.len() == 6 && digits(seconds) && digits(unique)
}

/// When a `ts` was given out.
pub(crate) fn time(ts: &str) -> Option<Timestamp> {
    if !is_ts(ts) {
        return None;
    }
    let (seconds, unique) = ts.split_once('.')?;
    let seconds: i64 = seconds.parse().ok()?;
    Some(Timestamp(seconds.checked_mul(1_000_000)?.checked_add(unique.parse().ok()?)?))
}

/// A name for a message that is none on Slack.
pub(crate) fn made(from: &str) -> RemoteMessageId {
    RemoteMessageId(format!("{MADE}{from}"))
}

/// The de-duplication keys. A message may come as `message` and as `app_mention`, under two event ids, over two sockets
/// and once more by its channel's history: all of these are one fact, and get one key.
pub(crate) mod events {
    use super::RemoteEventId;

    pub(crate) fn posted(team: &str, channel: &str, ts: &str) -> RemoteEventId {
        RemoteEventId(format!("{team}.m.{channel}.{ts}"))
    }

    /// `version`: when it was edited; the same words in the same version are one edit.
    pub(crate) fn edited(team: &str, channel: &str, ts: &str, version: &str) -> RemoteEventId {
        RemoteEventId(format!("{team}.e.{channel}.{ts}.{version}"))
    }

    pub(crate) fn deleted(team: &str, channel: &str, ts: &str) -> RemoteEventId {
        RemoteEventId(format!("{team}.d.{channel}.{ts}"))
    }

    /// People put a reaction on, take it off and put it on again: only the moment tells these apart.
    pub(crate) fn reacted(
        team: &str,
        item: (&str, &str),
        user: &str,
        name: &str,
        moment: &str,
    ) -> RemoteEventId {
        let (channel, ts) = item;
        RemoteEventId(format!("{team}.r.{channel}.{ts}.{user}.{name}.{moment}"))
    }

    /// Anything else of the Events API: `event_id` is unique across all workspaces.
    pub(crate) fn other(team: &str, event_id: &str) -> RemoteEventId {
        RemoteEventId(format!("{team}.v.{event_id}"))
    }

    /// A press, a command, a shortcut: `trigger_id` is single use. A form is sent once, whatever triggers it: its view's id.
    pub(crate) fn interaction(team: &str, trigger: &str) -> RemoteEventId {
        RemoteEventId(format!("{team}.i.{trigger}"))
    }
}

/// By what one interaction can be answered: `response_url` five times within 30 minutes, `trigger_id` once within 3 s.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Handle {
    /// Where an answer goes; whoever posts to it has to look at its host first.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub response_url: Option<String>,
    /// Opens a modal.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub trigger_id: Option<String>,
}

impl Handle {
    pub(crate) fn interaction(&self) -> Interaction {
        Interaction { id: serde_json::to_string(self).unwrap_or_default() }
    }

    /// Anything that is no handle is an empty one: the answer then goes by the ordinary way.
    pub(crate) fn of(interaction: &Interaction) -> Handle {
        serde_json::from_str(&interaction.id).unwrap_or_default()
    }
}

/// A file on Slack, with what has to be known to fetch it and to notice a login page in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRef {
    pub id: String,
    /// Bytes; 0 when Slack does not say.
    #[serde(default)]
    pub size: u64,
    #[serde(default)]
    pub mime: String,
    /// `url_private_download` or `url_private`. Without one, `files.info` tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl FileRef {
    pub(crate) fn remote(&self) -> RemoteFileId {
        RemoteFileId(serde_json::to_string(self).unwrap_or_default())
    }

    pub(crate) fn of(file: &RemoteFileId) -> Result<FileRef, SendError> {
        let found: FileRef = serde_json::from_str(file.as_str()).map_err(|_| strange("file"))?;
        if is_id(&found.id) { Ok(found) } else { Err(strange("file")) }
    }
}

fn strange(what: &str) -> SendError {
    SendError::rejected(format!("not a Slack {what} id"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use deskbridge_contract::ChannelName;

    #[test]
    fn places() {
        let channel = ChannelName::new("slack");
        let thread = Address::room(&channel, "C024BE91L").thread("1700000000.000100");
        let found = place(&thread).unwrap();
        assert_eq!(found, Place { channel: "C024BE91L", thread: Some("1700000000.000100") });
        assert!(!is_direct(&thread));
        assert!(is_direct(&Address::room(&channel, "D024BE91L")));
        for room in ["", "C", "U024BE91L", "C02/../x", "#general", "C024 BE91L"] {
            assert!(place(&Address::room(&channel, room)).is_err(), "{room}");
        }
        assert!(place(&Address::room(&channel, "C1AB").thread("")).is_err());
        assert!(place(&Address::room(&channel, "C1AB").thread("17")).is_err());
    }

    #[test]
    fn times() {
        assert_eq!(time("1700000000.000100"), Some(Timestamp(1_700_000_000_000_100)));
        for text in ["", ".", "1.1", "1700000000", "1700000000.0001000", "-1.000000", "1700000000.00010x"] {
            assert!(!is_ts(text) && time(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_no_message_is_never_reacted_to() {
        assert!(message(&made("398738663015.47")).is_err());
        assert!(message(&RemoteMessageId::new("1700000000.000100")).is_ok());
        assert!(message(&RemoteMessageId::new("17")).is_err());
    }

    #[test]
    fn handles_and_files_survive_the_way() {
        let handle = Handle { response_url: Some("https://hooks.slack.com/x".into()), trigger_id: None };
        assert_eq!(Handle::of(&handle.interaction()), handle);
        assert_eq!(Handle::of(&Interaction { id: "anything".into() }), Handle::default());
        let file = FileRef { id: "F1A".into(), size: 7, mime: "text/plain".into(), url: None };
        assert_eq!(FileRef::of(&file.remote()).unwrap(), file);
        assert!(FileRef::of(&RemoteFileId::new("F1A")).is_err());
        let sly = FileRef { id: "../F1".into(), size: 0, mime: String::new(), url: None };
        assert!(FileRef::of(&sly.remote()).is_err());
    }
}

//! The only parser of Discord's ids: places, messages, people, events, files, and what an interaction can be answered by.
//!
//! Not here: what the things with these ids are; nothing here touches the network.

use deskbridge_contract::{
    Address, Interaction, RemoteEventId, RemoteFileId, RemoteMessageId, RemoteUserId, SendError, Timestamp,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Snowflakes count milliseconds from the first second of 2015 ("API Reference › Snowflakes").
const EPOCH_MS: i64 = 1_420_070_400_000;

/// Messages that are none on Discord: a question of `/ask`, the text of a form.
const MADE: &str = "made:";

/// Stands in front of the id of a direct message: by its number it looks like any other channel.
const DIRECT: char = 'D';

/// Between the id of a button and its value, in a `custom_id`.
const BORDER: char = '\u{1f}';
/// Between what a button carries and the post that it is about, where it stands elsewhere.
const ABOUT: char = '\u{1e}';
/// "Component": longest `custom_id`, in characters.
const MAX_CUSTOM_ID: usize = 100;

/// Where to write: the channel of Discord's that is meant (a direct message, a channel, a thread), and the one above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    /// The thread where there is one, else the room.
    pub channel: &'a str,
    /// The forum, where `channel` is a post of it.
    pub forum: Option<&'a str>,
    pub direct: bool,
}

pub(crate) fn place(address: &Address) -> Result<Place<'_>, SendError> {
    let room = address.room.as_str();
    let (direct, id) = match room.strip_prefix(DIRECT) {
        Some(id) => (true, id),
        None => (false, room),
    };
    if !is_snowflake(id) {
        return Err(strange("channel"));
    }
    match &address.thread {
        None => Ok(Place { channel: id, forum: None, direct }),
        Some(thread) if !direct && is_snowflake(thread.as_str()) => {
            Ok(Place { channel: thread.as_str(), forum: Some(id), direct })
        }
        Some(_) => Err(strange("thread")),
    }
}

/// The room of a direct message.
pub(crate) fn direct_room(channel: &str) -> String {
    format!("{DIRECT}{channel}")
}

/// Whether the address is a direct message with one person.
pub(crate) fn is_direct(address: &Address) -> bool {
    address.room.as_str().starts_with(DIRECT)
}

/// A number of 64 bits, in its one spelling.
pub(crate) fn is_snowflake(id: &str) -> bool {
    (1..=20).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_digit())
        && !id.starts_with('0')
        && id.parse::<u64>().is_ok()
}

/// When an id was given out.
pub(crate) fn time(id: &str) -> Option<Timestamp> {
    if !is_snowflake(id) {
        return None;
    }
    let ms = i64::try_from(id.parse::<u64>().ok()? >> 22).ok()?;
    Some(Timestamp::from_millis(ms.saturating_add(EPOCH_MS)))
}

/// By number, not by letters: one id is older than another.
pub(crate) fn number(id: &str) -> u64 {
    id.parse().unwrap_or(0)
}

pub(crate) fn user(id: &RemoteUserId) -> Result<&str, SendError> {
    if is_snowflake(id.as_str()) { Ok(id.as_str()) } else { Err(strange("person")) }
}

pub(crate) fn message(id: &RemoteMessageId) -> Result<&str, SendError> {
    match id.as_str() {
        made if made.starts_with(MADE) => {
            Err(SendError::rejected("this came by a command or a form: there is no message of it"))
        }
        id if is_snowflake(id) => Ok(id),
        _ => Err(strange("message")),
    }
}

/// A name for a message that is none on Discord.
pub(crate) fn made(from: &str) -> RemoteMessageId {
    RemoteMessageId(format!("{MADE}{from}"))
}

/// D40: the idempotency key of a message, and of each part of one; at most 25 characters.
pub(crate) fn nonce(delivery: &str, part: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let whole = if part == 0 { delivery.to_owned() } else { format!("{delivery}\u{1f}{part}") };
    let digest = Sha256::digest(whole.as_bytes());
    let mut out = String::with_capacity(25);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in digest {
        held = (held << 8) | u32::from(byte);
        bits += 8;
        while bits >= 6 && out.len() < 25 {
            bits -= 6;
            out.push(char::from(LETTERS[((held >> bits) & 63) as usize]));
        }
    }
    out
}

/// The de-duplication keys. A message may come by the gateway, once more after a resume, and by its channel's history: all
/// of these are one fact, and get one key.
pub(crate) mod events {
    use super::RemoteEventId;

    pub(crate) fn posted(message: &str) -> RemoteEventId {
        RemoteEventId(format!("m.{message}"))
    }

    /// `version`: when it was edited; the same words in the same version are one edit.
    pub(crate) fn edited(message: &str, version: &str) -> RemoteEventId {
        RemoteEventId(format!("e.{message}.{version}"))
    }

    pub(crate) fn deleted(message: &str) -> RemoteEventId {
        RemoteEventId(format!("d.{message}"))
    }

    /// People put a reaction on, take it off and put it on again: only the moment tells these apart.
    pub(crate) fn reacted(message: &str, user: &str, emoji: &str, moment: &str) -> RemoteEventId {
        RemoteEventId(format!("r.{message}.{user}.{emoji}.{moment}"))
    }

    pub(crate) fn thread(thread: &str, what: &str) -> RemoteEventId {
        RemoteEventId(format!("t.{thread}.{what}"))
    }

    pub(crate) fn typing(user: &str, moment: &str) -> RemoteEventId {
        RemoteEventId(format!("y.{user}.{moment}"))
    }

    pub(crate) fn interaction(id: &str) -> RemoteEventId {
        RemoteEventId(format!("i.{id}"))
    }
}

/// By what one interaction can be answered, for fifteen minutes ("Receiving and Responding").
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Handle {
    #[serde(rename = "a")]
    pub application: String,
    /// A secret while it lives.
    #[serde(rename = "t")]
    pub token: String,
    /// "is thinking…" stands there, and is to be replaced by the first answer.
    #[serde(rename = "w", default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
}

impl Handle {
    pub(crate) fn interaction(&self) -> Interaction {
        Interaction { id: serde_json::to_string(self).unwrap_or_default() }
    }

    /// `None`: not one of ours; the answer then goes by the ordinary way.
    pub(crate) fn of(interaction: &Interaction) -> Option<Handle> {
        let found: Handle = serde_json::from_str(&interaction.id).ok()?;
        let sound = |c: char| c.is_ascii_alphanumeric() || "-_.=:".contains(c);
        let token = (1..=512).contains(&found.token.len()) && found.token.chars().all(sound);
        (token && !found.token.contains("..") && is_snowflake(&found.application)).then_some(found)
    }
}

/// A file on Discord. Its address is signed and ends after a day; the message it belongs to has a fresh one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRef {
    #[serde(rename = "i")]
    pub id: String,
    #[serde(rename = "c")]
    pub channel: String,
    #[serde(rename = "m")]
    pub message: String,
    #[serde(rename = "u")]
    pub url: String,
    /// Bytes; 0 when Discord does not say.
    #[serde(rename = "s", default)]
    pub size: u64,
}

impl FileRef {
    pub(crate) fn remote(&self) -> RemoteFileId {
        RemoteFileId(serde_json::to_string(self).unwrap_or_default())
    }

    pub(crate) fn of(file: &RemoteFileId) -> Result<FileRef, SendError> {
        let found: FileRef = serde_json::from_str(file.as_str()).map_err(|_| strange("file"))?;
        let sound = is_snowflake(&found.id) && is_snowflake(&found.channel) && is_snowflake(&found.message);
        if sound { Ok(found) } else { Err(strange("file")) }
    }
}

/// What a button carries.
pub(crate) fn custom_id(id: &str, value: Option<&str>) -> Result<String, SendError> {
    let whole = match value {
        Some(value) if !value.is_empty() => format!("{id}{BORDER}{value}"),
        _ => id.to_owned(),
    };
    if id.is_empty() || whole.chars().count() > MAX_CUSTOM_ID {
        // Cutting it would press a different button.
        let why = format!("a button's id and value must have 1 to {MAX_CUSTOM_ID} characters");
        return Err(SendError::Rejected { why, fixable: true });
    }
    Ok(whole)
}

/// The same button where it stands outside the post that it is about. `None`: there is no room for that.
pub(crate) fn custom_id_about(custom_id: &str, post: &str) -> Option<String> {
    let whole = format!("{custom_id}{ABOUT}{post}");
    (!custom_id.contains(ABOUT) && whole.chars().count() <= MAX_CUSTOM_ID).then_some(whole)
}

/// What a button carries, and the post that it is about, where it stands elsewhere.
pub(crate) fn about(custom_id: &str) -> (&str, Option<&str>) {
    match custom_id.split_once(ABOUT) {
        Some((own, post)) if is_snowflake(post) => (own, Some(post)),
        _ => (custom_id, None),
    }
}

/// The id and the value of a button that was pressed.
pub(crate) fn pressed(custom_id: &str) -> (String, Option<String>) {
    match custom_id.split_once(BORDER) {
        Some((id, value)) => (id.to_owned(), Some(value.to_owned())),
        None => (custom_id.to_owned(), None),
    }
}

fn strange(what: &str) -> SendError {
    SendError::rejected(format!("not a Discord {what} id"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use deskbridge_contract::ChannelName;

    #[test]
    fn places() {
        let channel = ChannelName::new("discord");
        let forum = Address::room(&channel, "1290000000000000001");
        let post = forum.thread("1290000000000000002");
        let found = place(&post).unwrap();
        assert_eq!((found.channel, found.forum), ("1290000000000000002", Some("1290000000000000001")));
        let direct = Address::room(&channel, direct_room("1290000000000000003"));
        assert!(is_direct(&direct) && place(&direct).unwrap().direct);
        for room in ["", "D", "0", "-1", "1/../2", "99999999999999999999", "D1x"] {
            assert!(place(&Address::room(&channel, room)).is_err(), "{room}");
        }
        assert!(place(&direct.thread("5")).is_err());
        assert!(place(&forum.thread("")).is_err());
    }

    /// "API Reference › Snowflakes": the vendor's own example.
    #[test]
    fn the_time_of_a_snowflake() {
        assert_eq!(time("175928847299117063"), Some(Timestamp::from_millis(1_462_015_105_796)));
        assert_eq!(time("x"), None);
    }

    #[test]
    fn nonces_are_of_one_length_and_differ() {
        let all = [nonce("a", 0), nonce("a", 1), nonce("b", 0)];
        assert!(all.iter().all(|nonce| nonce.len() == 25), "{all:?}");
        assert!(all[0] != all[1] && all[0] != all[2]);
        // SHA-256 of the empty text, by base64url.
        assert_eq!(nonce("", 0), "47DEQpj8HBSa-_TImW-5JCeuQ");
    }

    #[test]
    fn handles_files_and_buttons_survive_the_way() {
        let handle = Handle { application: "17".into(), token: "aW50-_.x".into(), waits: true };
        assert_eq!(Handle::of(&handle.interaction()), Some(handle));
        assert_eq!(Handle::of(&Interaction { id: "anything".into() }), None);
        let sly = Handle { application: "17".into(), token: "../../users".into(), waits: false };
        assert_eq!(Handle::of(&sly.interaction()), None);
        let file = FileRef {
            id: "1".into(),
            channel: "2".into(),
            message: "3".into(),
            url: "https://cdn.discordapp.com/x".into(),
            size: 7,
        };
        assert_eq!(FileRef::of(&file.remote()).unwrap(), file);
        assert!(FileRef::of(&RemoteFileId::new("1")).is_err());
        assert_eq!(pressed(&custom_id("snooze", Some("2h")).unwrap()), ("snooze".into(), Some("2h".into())));
        assert_eq!(pressed("accept"), ("accept".into(), None));
        let elsewhere = custom_id_about("send:1042.7.0", "1290000000000000002").unwrap();
        assert_eq!(about(&elsewhere), ("send:1042.7.0", Some("1290000000000000002")));
        assert_eq!(custom_id_about(&elsewhere, "1290000000000000002"), None);
        assert_eq!(custom_id_about(&"x".repeat(90), "1290000000000000002"), None);
        for odd in ["accept", "accept\u{1e}", "accept\u{1e}x"] {
            assert_eq!(about(odd), (odd, None));
        }
        assert!(custom_id(&"x".repeat(101), None).is_err() && custom_id("", None).is_err());
    }

    #[test]
    fn what_is_no_message_is_never_reacted_to() {
        assert!(message(&made("i.5")).is_err());
        assert!(message(&RemoteMessageId::new("5")).is_ok());
    }
}

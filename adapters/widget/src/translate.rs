//! Between a browser's frames and the bridge's events; pure.
//!
//! Not here: whether somebody may do it (`receive`), what is answered.

use std::collections::BTreeMap;

use deskbridge_contract::{
    Address, Attachment, AttachmentSource, ChannelName, Content, Inbound, InboundEvent, RemoteEventId,
    RemoteFileId, RemoteMessageId, Sender, SenderKind, Timestamp, TranslateError,
};
use serde::Deserialize;

use crate::cards::{File, kind_of};
use crate::ids::{ThreadKey, Visitor, is_client_id, is_file};
use crate::markup;
use crate::people::Person;

/// Characters of one message.
pub const MAX_TEXT: usize = 8_000;
/// Files of one message.
pub const MAX_FILES: usize = 10;
/// What a page may tell with one message.
const MAX_FACTS: usize = 20;
/// Emoji are short, whatever they are joined from.
const MAX_EMOJI: usize = 32;

/// What a browser says, in one frame.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "t", rename_all = "kebab-case")]
pub enum Frame {
    /// The first one on a socket.
    Hello {
        token: String,
        #[serde(default)]
        cursors: BTreeMap<String, u64>,
    },
    /// Asks for everything after these cursors: on every connect, focus and wake-up.
    Resume {
        #[serde(default)]
        cursors: BTreeMap<String, u64>,
    },
    Send {
        c: String,
        id: String,
        #[serde(default)]
        text: String,
        #[serde(default)]
        files: Vec<String>,
        reply_to: Option<String>,
        /// What the page knows: its address, an asset's tag. Technicians read it below the words.
        #[serde(default)]
        context: Option<BTreeMap<String, String>>,
    },
    Edit {
        c: String,
        id: String,
        message: String,
        text: String,
    },
    Delete {
        c: String,
        id: String,
        message: String,
    },
    React {
        c: String,
        id: String,
        message: String,
        emoji: String,
        on: bool,
    },
    Press {
        c: String,
        id: String,
        action: String,
        value: Option<String>,
        message: Option<String>,
    },
    Typing {
        c: String,
    },
    Read {
        c: String,
        seq: u64,
        message: Option<String>,
    },
    Profile {
        name: Option<String>,
        email: Option<String>,
        language: Option<String>,
    },
    Ping,
    Logout,
}

/// What a frame does in one conversation, checked for its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    pub thread: ThreadKey,
    /// The browser's own name for this act; the key by which a repetition is known.
    pub id: String,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Send { text: String, files: Vec<String>, reply_to: Option<String>, context: BTreeMap<String, String> },
    Edit { message: String, text: String },
    Delete { message: String },
    React { message: String, emoji: String, on: bool },
    Press { action: String, value: Option<String>, message: Option<String> },
    Typing,
    Read { seq: u64, message: Option<String> },
}

pub fn frame(payload: &[u8]) -> Result<Frame, TranslateError> {
    let value: serde_json::Value =
        serde_json::from_slice(payload).map_err(|_| TranslateError::Malformed("not JSON".into()))?;
    let kind = value.get("t").and_then(serde_json::Value::as_str);
    if kind.is_none() {
        return Err(TranslateError::Unknown("a frame without t".into()));
    }
    // The reason quotes values, and those are people's words.
    serde_json::from_value(value).map_err(|_| TranslateError::Malformed("a frame's fields".into()))
}

fn malformed(what: &str) -> TranslateError {
    TranslateError::Malformed(what.to_owned())
}

fn message_id(text: String) -> Result<String, TranslateError> {
    let sound = text.len() <= 80 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    if sound && !text.is_empty() { Ok(text) } else { Err(malformed("message")) }
}

fn text_of(text: String) -> Result<String, TranslateError> {
    if text.chars().count() <= MAX_TEXT { Ok(text) } else { Err(malformed("text: too long")) }
}

/// `None`: the frame is about the connection, not about a conversation.
pub fn act(frame: Frame) -> Result<Option<Act>, TranslateError> {
    let thread = |c: &str| ThreadKey::parse(c).ok_or_else(|| malformed("c"));
    let own = |id: String| if is_client_id(&id) { Ok(id) } else { Err(malformed("id")) };
    let (c, id, what) = match frame {
        Frame::Send { c, id, text, files, reply_to, context } => {
            let text = text_of(text)?;
            if files.len() > MAX_FILES || !files.iter().all(|file| is_file(file)) {
                return Err(malformed("files"));
            }
            if text.trim().is_empty() && files.is_empty() {
                return Err(malformed("text: empty"));
            }
            let context = context.unwrap_or_default();
            if context.len() > MAX_FACTS
                || context.iter().any(|(key, value)| key.len() > 120 || value.len() > 1000)
            {
                return Err(malformed("context"));
            }
            (
                c,
                own(id)?,
                What::Send { text, files, reply_to: reply_to.map(message_id).transpose()?, context },
            )
        }
        Frame::Edit { c, id, message, text } => {
            let text = text_of(text)?;
            if text.trim().is_empty() {
                return Err(malformed("text: empty"));
            }
            (c, own(id)?, What::Edit { message: message_id(message)?, text })
        }
        Frame::Delete { c, id, message } => (c, own(id)?, What::Delete { message: message_id(message)? }),
        Frame::React { c, id, message, emoji, on } => {
            if emoji.is_empty()
                || emoji.len() > MAX_EMOJI
                || emoji.chars().any(|c| c.is_ascii() || c.is_control())
            {
                return Err(malformed("emoji"));
            }
            (c, own(id)?, What::React { message: message_id(message)?, emoji, on })
        }
        Frame::Press { c, id, action, value, message } => {
            let sound = |text: &str| text.len() <= 64 && text.bytes().all(|b| b.is_ascii_graphic());
            if !sound(&action) || action.is_empty() || !value.as_deref().is_none_or(sound) {
                return Err(malformed("action"));
            }
            (c, own(id)?, What::Press { action, value, message: message.map(message_id).transpose()? })
        }
        Frame::Typing { c } => (c, String::new(), What::Typing),
        Frame::Read { c, seq, message } => {
            (c, String::new(), What::Read { seq, message: message.map(message_id).transpose()? })
        }
        Frame::Hello { .. } | Frame::Resume { .. } | Frame::Profile { .. } | Frame::Ping | Frame::Logout => {
            return Ok(None);
        }
    };
    Ok(Some(Act { thread: thread(&c)?, id, what }))
}

/// Who does it, where and when.
pub struct Doer<'a> {
    pub channel: &'a ChannelName,
    /// The visitor whose room the conversation is in.
    pub room: &'a Visitor,
    pub visitor: &'a Visitor,
    pub person: &'a Person,
    pub now: Timestamp,
}

/// The event of an act. Files must have been looked up: only what this visitor uploaded is theirs to send.
pub fn inbound(act: &Act, doer: &Doer<'_>, files: &[File]) -> Inbound {
    let thread = &act.thread;
    let remote = |id: &String| RemoteMessageId(id.clone());
    let mut id = thread.own_message(&act.id).0;
    let event = match &act.what {
        What::Send { text, reply_to, context, .. } => InboundEvent::Posted {
            message: thread.own_message(&act.id),
            content: content(&with_facts(text, context), files),
            reply_to: reply_to.as_ref().map(remote),
        },
        What::Edit { message, text } => {
            InboundEvent::Edited { message: remote(message), content: content(text, &[]) }
        }
        What::Delete { message } => InboundEvent::Deleted { message: remote(message) },
        What::React { message, emoji, on } => {
            InboundEvent::Reacted { message: remote(message), emoji: emoji.clone(), added: *on }
        }
        What::Press { action, value, message } => InboundEvent::Invoked {
            action: action.clone(),
            value: value.clone(),
            message: message.as_ref().map(remote),
        },
        What::Typing => {
            id = format!("{}typing.{}", id, doer.now.0);
            InboundEvent::Typing
        }
        What::Read { seq, message } => {
            id = format!("{id}read.{seq}");
            InboundEvent::Read {
                up_to: message.as_ref().map_or_else(|| RemoteMessageId(String::new()), remote),
            }
        }
    };
    Inbound {
        id: RemoteEventId(id),
        at: doer.now,
        from: sender(doer),
        address: address(doer, thread),
        event,
        interaction: None,
    }
}

fn address(doer: &Doer<'_>, thread: &ThreadKey) -> Address {
    thread.address(doer.channel, doer.room)
}

fn sender(doer: &Doer<'_>) -> Sender {
    let person = doer.person;
    Sender {
        id: doer.visitor.user(),
        display_name: Some(person.name.clone().unwrap_or_else(|| doer.visitor.short())),
        email: person.email.clone(),
        // Visitors may change it themselves.
        email_verified: false,
        picture: None,
        language: person.language.clone(),
        kind: SenderKind::Human,
    }
}

/// What the page knows stands below the words, one fact a line.
fn with_facts(text: &str, context: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    for (at, (key, value)) in context.iter().enumerate() {
        let one_line = |text: &str| text.replace(['\n', '\r'], " ");
        text.push_str(if at == 0 { "\n\n" } else { "\n" });
        text.push_str(&format!("📍 {}: {}", one_line(key), one_line(value)));
    }
    text
}

fn content(text: &str, files: &[File]) -> Content {
    let attachments = files.iter().map(|file| Attachment {
        name: file.name.clone(),
        mime: file.mime.clone(),
        size: file.size,
        kind: kind_of(&file.mime),
        source: AttachmentSource::Remote(RemoteFileId(file.id.clone())),
    });
    Content { attachments: attachments.collect(), ..Content::text(markup::from_typed(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_checked_for_their_form() {
        let c = "0a".repeat(16);
        let sound = |text: &str| frame(text.as_bytes()).and_then(act);
        assert!(
            sound(&format!(r#"{{"t":"send","c":"{c}","id":"abcdefgh-1","text":"hi"}}"#))
                .is_ok_and(|a| a.is_some())
        );
        assert!(sound(r#"{"t":"ping"}"#).is_ok_and(|a| a.is_none()));
        for bad in [
            format!(r#"{{"t":"send","c":"{c}","id":"abcdefgh-1","text":"  "}}"#),
            format!(r#"{{"t":"send","c":"../{c}","id":"abcdefgh-1","text":"hi"}}"#),
            format!(r#"{{"t":"send","c":"{c}","id":"x","text":"hi"}}"#),
            format!(r#"{{"t":"send","c":"{c}","id":"abcdefgh-1","text":"hi","files":["../x"]}}"#),
            format!(r#"{{"t":"send","c":"{c}","id":"abcdefgh-1","text":"{}"}}"#, "x".repeat(MAX_TEXT + 1)),
            format!(r#"{{"t":"press","c":"{c}","id":"abcdefgh-1","action":"a b"}}"#),
            format!(r#"{{"t":"react","c":"{c}","id":"abcdefgh-1","message":"m","emoji":"<b>","on":true}}"#),
            r#"{"t":"nonsense"}"#.into(),
            "{}".into(),
            "[]".into(),
        ] {
            assert!(sound(&bad).is_err(), "{bad}");
        }
    }
}

//! Which messages one post becomes on Slack, and the body of the call that posts each. Pure.
//!
//! Not here: sending them; how text, cards and buttons look (`markup`, `blocks`).

use std::borrow::Cow;

use deskbridge_contract::{Content, DeliveryId, OutboundFile, Persona, SendError, names};
use serde_json::{Map, Value, json};

use crate::blocks::{self, Message, Voice};
use crate::files::MAX_FILE;
use crate::ids::Place;

/// Marks a message as one of ours; its payload says which delivery it is, for reading back (platform-contracts §1.4).
pub(crate) const EVENT: &str = "deskbridge_delivery";

/// One call that posts something.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Message(Message),
    /// All files of the post in one message, with these words.
    Files(String),
}

/// The speaker of the assistant's words, before there is a delivery that names it.
pub(crate) fn assistant() -> Persona {
    Persona::assistant("Assistant")
}

/// Puts the name and picture under which somebody's words appear into a call ("chat:write.customize"). Slack fetches the
/// picture, we never do; where there is none, a sign stands for a person.
pub(crate) fn speaks(body: &mut Map<String, Value>, persona: &Persona) {
    body.insert("username".into(), blocks::username(persona).into());
    let picture = persona.picture.as_deref().filter(|_| !persona.assistant).and_then(names::picture);
    match picture {
        Some(address) => body.insert("icon_url".into(), address.into()),
        None if persona.assistant => body.insert("icon_emoji".into(), ":sparkles:".into()),
        None => body.insert("icon_emoji".into(), ":bust_in_silhouette:".into()),
    };
}

/// Words under a name stay under it when they are edited; nothing has to be told in the text.
pub(crate) fn voice(persona: Option<&Persona>) -> Voice<'_> {
    persona.map_or(Voice::Own, Voice::Named)
}

/// `quoted`: where the message is that this one answers; Slack has no quotes of its own.
pub(crate) fn parts(
    content: &Content,
    files: &[OutboundFile],
    persona: Option<&Persona>,
    quoted: Option<&str>,
) -> Result<Vec<Part>, SendError> {
    if let Some(file) = files.iter().find(|file| file.size > MAX_FILE) {
        let why = format!("a file of {} MB; at most {} MB are carried", file.size >> 20, MAX_FILE >> 20);
        return Err(SendError::rejected(why));
    }
    let mut messages = blocks::messages(&callable(content, persona), voice(persona))?;
    if let (Some(link), Some(first)) = (quoted, messages.first_mut()) {
        quote(first, link);
    }
    if files.is_empty() {
        return if messages.is_empty() {
            Err(SendError::rejected("nothing to send"))
        } else {
            Ok(messages.into_iter().map(Part::Message).collect())
        };
    }
    // Beside files there is room for one text, and none for a card or buttons.
    let words_only = content.card.is_none() && content.actions.is_empty();
    let comment = match &mut messages[..] {
        [] => Some(String::new()),
        [only] if words_only => Some(std::mem::take(&mut only.text)),
        _ => None,
    };
    match comment {
        Some(comment) => Ok(vec![Part::Files(comment)]),
        None => Ok(messages.into_iter().map(Part::Message).chain([Part::Files(String::new())]).collect()),
    }
}

/// C13: only the bridge's own words call people.
pub(crate) fn callable<'c>(content: &'c Content, persona: Option<&Persona>) -> Cow<'c, Content> {
    if persona.is_none() || content.mentions.is_empty() {
        return Cow::Borrowed(content);
    }
    Cow::Owned(Content { mentions: Vec::new(), ..content.clone() })
}

/// A line before the words that leads to what they answer.
fn quote(message: &mut Message, link: &str) {
    let line = format!("<{link}|↩ in reply to this>");
    message.text = format!("{line}\n{}", message.text);
    if !message.blocks.is_empty() {
        let element = json!({ "type": "mrkdwn", "text": line, "verbatim": true });
        message.blocks.insert(0, json!({ "type": "context", "elements": [element] }));
    }
}

/// The n-th of so many parts of a delivery, as it is written into the message.
pub(crate) fn metadata(delivery: &DeliveryId, part: usize, parts: usize) -> Value {
    json!({
        "event_type": EVENT,
        "event_payload": { "delivery_id": delivery.as_str(), "part": part, "parts": parts },
    })
}

/// The body of "chat.postMessage". `link_names` and `parse` stay away, so that nothing in relayed words turns into a call
/// (S37); links are not unfolded: what they lead to was not said by anybody.
pub(crate) fn body(
    place: Place<'_>,
    message: &Message,
    persona: Option<&Persona>,
    metadata: Option<Value>,
) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("channel".into(), place.channel.into());
    if let Some(thread) = place.thread {
        body.insert("thread_ts".into(), thread.into());
    }
    body.insert("text".into(), message.text.clone().into());
    if !message.blocks.is_empty() {
        body.insert("blocks".into(), message.blocks.clone().into());
    }
    body.insert("unfurl_links".into(), false.into());
    body.insert("unfurl_media".into(), false.into());
    if let Some(persona) = persona {
        speaks(&mut body, persona);
    }
    if let Some(metadata) = metadata {
        body.insert("metadata".into(), metadata);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use deskbridge_contract::{Action, AttachmentKind, BlobId};
    use std::sync::Arc;

    fn file(size: u64) -> OutboundFile {
        OutboundFile {
            blob: BlobId::new("b"),
            name: "n".into(),
            mime: "text/plain".into(),
            size,
            sha256: String::new(),
            kind: AttachmentKind::File,
            open: Arc::new(|| Box::pin(async { Err(SendError::rejected("not opened here")) })),
        }
    }

    fn shape(content: &Content, files: &[OutboundFile]) -> Vec<String> {
        let one = |part: Part| match part {
            Part::Message(message) if message.blocks.iter().any(|b| b["type"] == "actions") => {
                "buttons".to_owned()
            }
            Part::Message(_) => "text".to_owned(),
            Part::Files(comment) => format!("files {comment:?}"),
        };
        parts(content, files, None, None).unwrap().into_iter().map(one).collect()
    }

    #[test]
    fn plans() {
        let hello = Content::text("hello");
        let buttons = Content::text("hello").with_actions(vec![Action::new("a", "b")]);
        let long = Content::text("word ".repeat(1500));
        assert_eq!(shape(&hello, &[]), ["text"]);
        assert_eq!(shape(&buttons, &[]), ["buttons"]);
        assert_eq!(shape(&hello, &[file(1), file(2)]), ["files \"hello\""]);
        assert_eq!(shape(&Content::default(), &[file(1)]), ["files \"\""]);
        assert_eq!(shape(&buttons, &[file(1)]), ["buttons", "files \"\""]);
        assert_eq!(shape(&long, &[]), ["text", "text", "text"]);
        assert_eq!(shape(&long, &[file(1)]), ["text", "text", "text", "files \"\""]);
    }

    #[test]
    fn refusals() {
        assert!(parts(&Content::default(), &[], None, None).is_err());
        assert!(parts(&Content::text("x"), &[file(MAX_FILE + 1)], None, None).is_err());
    }

    #[test]
    fn nothing_turns_words_into_calls() {
        let place = Place { channel: "C1", thread: None };
        let message = Message { text: "@here".into(), blocks: Vec::new() };
        let body = body(place, &message, None, None);
        assert!(!body.contains_key("link_names") && !body.contains_key("parse"));
    }
}

//! What a message looks like to the browser: entries of the journal, and the frames they travel in.
//!
//! Not here: keeping and sending them.

use deskbridge_contract::{Action, AttachmentKind, Card, Content, Mark, OutboundFile, Persona, Standing};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ids::ThreadKey;
use crate::markup;

/// One numbered entry. `at`: milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub seq: u64,
    pub at: i64,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    Message {
        id: String,
        from: From,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// A tree of elements (`markup`); own messages have only their text.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        body: Vec<Value>,
        text: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        actions: Vec<Action>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        files: Vec<File>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<String>,
    },
    Edited {
        id: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        body: Vec<Value>,
        text: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        actions: Vec<Action>,
    },
    Deleted {
        id: String,
    },
    Reacted {
        id: String,
        emoji: String,
        on: bool,
        mine: bool,
    },
    Marked {
        id: String,
        mark: Mark,
    },
    /// A button was pressed: it and its neighbours are done with.
    Pressed {
        id: String,
        action: String,
    },
    Standing(Standing),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum From {
    Me,
    Assistant,
    Technician,
    /// The bridge's own words.
    Desk,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    pub id: String,
    pub name: String,
    pub mime: String,
    pub size: u64,
}

/// What is asked of `sign`: the address under which a file can be had for a while.
pub type Sign<'a> = &'a dyn Fn(&str) -> String;

/// The frame of an entry, with addresses for its files.
pub fn event(thread: &ThreadKey, entry: &Entry, sign: Sign<'_>) -> Value {
    let mut frame = json!(entry);
    frame["t"] = "event".into();
    frame["c"] = thread.0.as_str().into();
    if let Some(files) = frame.get_mut("files").and_then(Value::as_array_mut) {
        for file in files {
            if let Some(id) = file["id"].as_str().map(str::to_owned) {
                file["url"] = sign(&id).into();
            }
        }
    }
    frame
}

/// Pictures that browsers show without running anything of them (S50).
pub fn is_picture(mime: &str) -> bool {
    matches!(mime, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

pub fn kind_of(mime: &str) -> AttachmentKind {
    match mime.split('/').next() {
        Some("image") if is_picture(mime) => AttachmentKind::Image,
        Some("video") => AttachmentKind::Video,
        Some("audio") => AttachmentKind::Audio,
        _ => AttachmentKind::File,
    }
}

/// A message of ours.
pub fn message(
    id: String,
    content: &Content,
    persona: Option<&Persona>,
    files: &[OutboundFile],
    reply_to: Option<String>,
) -> What {
    let (from, name) = match persona {
        None => (From::Desk, None),
        Some(persona) if persona.assistant => (From::Assistant, Some(persona.name.clone())),
        Some(persona) => (From::Technician, Some(persona.name.clone())),
    };
    let body = body(content);
    let files = files.iter().map(|file| File {
        id: file.blob.0.clone(),
        name: file.name.clone(),
        mime: file.mime.clone(),
        size: file.size,
    });
    What::Message {
        id,
        from,
        name,
        text: markup::plain(&body),
        body,
        actions: content.actions.clone(),
        files: files.collect(),
        reply_to,
    }
}

/// The words as a tree; a card, which requesters are not meant to get, as its title and state.
pub fn body(content: &Content) -> Vec<Value> {
    let mut tree = markup::to_tree(&content.text);
    if let Some(card) = &content.card {
        let Card { reference, title, status, .. } = card.as_ref();
        tree.push(json!(["p", {}, format!("{reference} {title} · {status}")]));
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_as_it_was_written() {
        let content = Content::text("**Bo** has joined.\n\nSee [guide](https://example.org/vpn)")
            .with_actions(vec![Action::new("yes", "Yes")]);
        let persona = Persona::assistant("Assistant");
        let entry = Entry { seq: 7, at: 1, what: message("m".into(), &content, Some(&persona), &[], None) };
        let text = serde_json::to_string(&entry).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry);
        let thread = ThreadKey::parse(&"0a".repeat(16)).unwrap();
        let frame = event(&thread, &entry, &|id| format!("files/{id}"));
        assert_eq!(frame["t"], "event");
        assert_eq!(frame["kind"], "message");
        assert_eq!(frame["from"], "assistant");
        assert_eq!(frame["text"], "Bo has joined.\nSee guide");
    }
}

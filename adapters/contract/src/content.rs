//! What a message says: CommonMark text, attachments, buttons, and the card that stands for a conversation in a desk.

use serde::{Deserialize, Serialize};

use crate::address::{BlobId, RemoteFileId, RemoteUserId};
use crate::time::Timestamp;

/// One message's content. Text is CommonMark without raw HTML; adapters convert to and from their own dialect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    pub text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<Box<Card>>,
    /// People of ours to be called to this message. Only the bridge's own messages have any: relayed text never does (C13).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Mention>,
    /// Set by the adapter where the platform sends several files at once as one message each: this is a part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub album: Option<Album>,
}

/// Several files that were sent at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Album {
    /// The platform's name for the whole.
    pub id: String,
    /// When its first part was stored; filled in by the store. Further parts join that message for a moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl Album {
    pub fn part_of(id: impl Into<String>) -> Album {
        Album { id: id.into(), since: None }
    }
}

/// A technician to be mentioned, so that the platform notifies them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// Our own name for the person.
    pub who: String,
    pub name: String,
    /// The person on this channel; filled in when sent. `None`: known by name only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<RemoteUserId>,
}

impl Content {
    pub fn text(text: impl Into<String>) -> Self {
        Content { text: text.into(), ..Content::default() }
    }

    pub fn with_actions(mut self, actions: Vec<Action>) -> Self {
        self.actions = actions;
        self
    }

    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && self.attachments.is_empty() && self.card.is_none()
    }
}

/// A file that belongs to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The name as the sender gave it; shown sanitised, never used as a path.
    pub name: String,
    /// Media type as declared or recognised; `application/octet-stream` when unknown.
    pub mime: String,
    /// Bytes; 0 when the platform does not say.
    pub size: u64,
    pub kind: AttachmentKind,
    pub source: AttachmentSource,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttachmentKind {
    Image,
    Video,
    Audio,
    File,
}

/// Where the bytes are. Attachments are copied into our own blobs and never hot-linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttachmentSource {
    /// Still only on the platform that the message came from.
    Remote(RemoteFileId),
    /// Copied; the bytes are ours.
    Blob { id: BlobId, sha256: String },
    /// Could not be had; the reason is shown in place of the file.
    Missing { why: String },
}

/// A button. `id` comes back in [`crate::InboundEvent::Invoked`]; where a platform has no buttons they become a numbered list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// At most 48 bytes of `[a-z0-9:#@._-]`, so that it fits every platform's callback data next to a message id.
    pub id: String,
    pub label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl Action {
    pub fn new(id: impl Into<String>, label: impl Into<String>) -> Self {
        Action { id: id.into(), label: label.into(), value: None }
    }
}

/// The state of a conversation as a desk room shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CardState {
    Assisting,
    Waiting,
    Offered,
    Assigned,
    Snoozed,
    Resolved,
    Closed,
}

impl CardState {
    /// The state at the front of a card or a title, where every client shows it.
    pub fn sign(self) -> &'static str {
        match self {
            CardState::Assisting => "✨",
            CardState::Waiting => "🟡",
            CardState::Offered => "🟠",
            CardState::Assigned => "🔵",
            CardState::Snoozed => "💤",
            CardState::Resolved => "🟢",
            CardState::Closed => "⚪",
        }
    }
}

/// The card of a conversation in a desk room: one per conversation, edited in place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// `#1042`.
    pub reference: String,
    pub title: String,
    pub state: CardState,
    /// The state in words: "Waiting · offered to Bob".
    pub status: String,
    pub requester: String,
    /// Label, value; in order.
    pub facts: Vec<Fact>,
    /// CommonMark: the four-part summary, or what is known until it is there.
    pub summary: String,
    /// One line that says which messages leave this room.
    pub hint: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub label: String,
    pub value: String,
}

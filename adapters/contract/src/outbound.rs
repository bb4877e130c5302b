//! What the runtime hands to an adapter: one operation on one address, with an idempotency key.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::adapter::ByteStream;
use crate::address::{Address, BlobId, DeliveryId, RemoteMessageId, RemoteUserId};
use crate::content::{AttachmentKind, Card, CardState, Content};
use crate::error::SendError;
use crate::inbound::Interaction;

/// One operation. `id` stays the same over every attempt.
#[derive(Clone, Debug)]
pub struct Outbound {
    pub id: DeliveryId,
    pub to: Address,
    pub op: OutboundOp,
}

#[derive(Clone, Debug)]
pub enum OutboundOp {
    Post {
        content: Content,
        files: Vec<OutboundFile>,
        persona: Option<Persona>,
        reply_to: Option<RemoteMessageId>,
    },
    /// The files that were posted beside the words stay; `content` names them, for platforms where they are a part of the
    /// words.
    Edit {
        message: RemoteMessageId,
        content: Content,
        persona: Option<Persona>,
    },
    Delete {
        message: RemoteMessageId,
    },
    React {
        message: RemoteMessageId,
        emoji: String,
        on: bool,
    },
    /// The bridge's own mark on a technician's message (D21). A message carries at most one; a new one replaces the old.
    Mark {
        message: RemoteMessageId,
        mark: Mark,
    },
    /// Opens the thread of a conversation in a desk room. `Sent.address` carries the thread.
    /// Where [`crate::ThreadStyle::RootIsCard`], `card` is posted as the thread's root and `Sent.message` is that card.
    OpenThread {
        title: ThreadTitle,
        card: Card,
        actions: Vec<crate::content::Action>,
    },
    /// State and title of the thread; `closed` closes or reopens it on the platform.
    SetThread {
        title: ThreadTitle,
        closed: bool,
    },
    /// Seen by one person only (D24). With an interaction it is that interaction's answer.
    Whisper {
        to: RemoteUserId,
        content: Content,
        interaction: Option<Interaction>,
    },
}

/// What a thread is called. Adapters render the state as their platform can (emoji prefix, icon, tag).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadTitle {
    pub state: CardState,
    /// `#1042`
    pub reference: String,
    pub requester: String,
    /// A few words of the matter; may be empty.
    pub subject: String,
}

/// Whose words these are, where the platform can show a name of its own; elsewhere it becomes a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    pub name: String,
    pub assistant: bool,
    /// A public picture to be shown beside the name, where the platform can; see [`crate::Sender::picture`].
    pub picture: Option<String>,
}

impl Persona {
    /// A person without a picture.
    pub fn person(name: impl Into<String>) -> Persona {
        Persona { name: name.into(), assistant: false, picture: None }
    }

    pub fn assistant(name: impl Into<String>) -> Persona {
        Persona { name: name.into(), assistant: true, picture: None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    Delivered,
    Seen,
    Internal,
    Held,
    Failed,
}

/// An attachment ready to be sent (D37).
#[derive(Clone)]
pub struct OutboundFile {
    pub blob: BlobId,
    pub name: String,
    pub mime: String,
    pub size: u64,
    pub sha256: String,
    pub kind: AttachmentKind,
    /// Opens the bytes; may be called once per attempt.
    pub open: Arc<dyn Fn() -> BoxFuture<'static, Result<ByteStream, SendError>> + Send + Sync>,
}

impl fmt::Debug for OutboundFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboundFile")
            .field("blob", &self.blob)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// What the platform made of an operation. `address` is where an answer to it will arrive (clause C7).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sent {
    pub message: Option<RemoteMessageId>,
    /// Further messages when one operation became several (split text, several files), in order.
    pub more: Vec<RemoteMessageId>,
    pub address: Address,
    /// Taken by something that never tells whether it was shown (a workflow). Never said to be delivered.
    pub accepted: bool,
    /// Set when the operation was done in a lesser way than asked, for the log and the thread: "thread lost".
    pub note: Option<String>,
}

impl Sent {
    /// The note of what went into the response to the message that it answers (D35): nothing less than was asked.
    pub const IN_RESPONSE: &'static str = "in the response";

    /// Everything that the platform made of it, in order.
    pub fn messages(&self) -> impl Iterator<Item = &RemoteMessageId> {
        self.message.iter().chain(&self.more)
    }

    pub fn at(address: &Address, message: Option<RemoteMessageId>) -> Self {
        Sent { message, more: Vec::new(), address: address.clone(), accepted: false, note: None }
    }
}

//! Opaque names for things on a platform. Only the adapter that minted one may look inside it (its `ids.rs`).

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! opaque {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            pub fn new(value: impl Into<String>) -> Self {
                $name(value.into())
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                $name(value.to_owned())
            }
        }
    )+};
}

opaque! {
    /// A configured connection to a platform, as named in the configuration (`[a-z0-9-]+`, D43): `telegram`, `slack-acme`.
    ChannelName,
    /// A place on the platform where messages appear: a private chat, a Slack channel, a supergroup.
    RoomId,
    /// A sub-place of a room: a forum topic, a Slack thread, a Discord post.
    ThreadId,
    /// A person or bot on the platform.
    RemoteUserId,
    /// A message on the platform, unique within its room.
    RemoteMessageId,
    /// One event as the platform names it. The de-duplication key: a redelivery carries the same id (clause C1).
    RemoteEventId,
    /// A file that the platform holds and [`crate::Adapter::fetch`] can read.
    RemoteFileId,
    /// One delivery of ours; the idempotency key of an outbound operation.
    DeliveryId,
    /// Attachment bytes in our own blob store.
    BlobId,
}

/// Where something is said: a channel, a room of it and, where the room has threads, one thread.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Address {
    pub channel: ChannelName,
    pub room: RoomId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<ThreadId>,
}

impl Address {
    pub fn room(channel: &ChannelName, room: impl Into<String>) -> Self {
        Address { channel: channel.clone(), room: RoomId(room.into()), thread: None }
    }

    pub fn thread(&self, thread: impl Into<String>) -> Self {
        Address { thread: Some(ThreadId(thread.into())), ..self.clone() }
    }

    /// A single text for indexes and maps; unambiguous because `\u{1f}` is in no id.
    pub fn key(&self) -> String {
        match &self.thread {
            Some(thread) => format!("{}\u{1f}{}\u{1f}{}", self.channel, self.room, thread),
            None => format!("{}\u{1f}{}", self.channel, self.room),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.channel, self.room)?;
        match &self.thread {
            Some(thread) => write!(f, "#{thread}"),
            None => Ok(()),
        }
    }
}

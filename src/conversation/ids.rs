//! Names of our own things. Derived from (conversation, seq, n), so that replaying the log gives the same ones (D27).

use std::fmt;
use std::str::FromStr;

use deskbridge_contract::DeliveryId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An integer given out by the store, shown as `#1042`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConversationId(pub i64);

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}
impl fmt::Debug for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The n-th thing that event `seq` of a conversation made: a message or an effect. Written `1042.7.0`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Derived {
    pub conversation: ConversationId,
    pub seq: u64,
    pub n: u32,
}

impl fmt::Display for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.conversation.0, self.seq, self.n)
    }
}
impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text was not of the form `conversation.seq.n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an id of the form 1042.7.0")
    }
}
impl std::error::Error for NotAnId {}

impl FromStr for Derived {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let mut parts = text.split('.');
        let (Some(conversation), Some(seq), Some(n), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotAnId);
        };
        Ok(Derived {
            conversation: ConversationId(conversation.parse().map_err(|_| NotAnId)?),
            seq: seq.parse().map_err(|_| NotAnId)?,
            n: n.parse().map_err(|_| NotAnId)?,
        })
    }
}

impl Serialize for Derived {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Derived {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One message of a conversation.
pub type MessageId = Derived;

/// A step never makes this many messages: above it are the transcripts.
const TRANSCRIPTS: u32 = 1 << 31;

impl Derived {
    /// The name of a transcript of what was said from seq `from` to `to`, among a session's messages.
    pub fn transcript(conversation: ConversationId, from: u64, to: u64) -> MessageId {
        let length = u32::try_from(to.saturating_sub(from)).unwrap_or(u32::MAX).min(TRANSCRIPTS - 1);
        Derived { conversation, seq: from, n: TRANSCRIPTS + length }
    }

    /// What a transcript covers; `None` where this names a message.
    pub fn covers(&self) -> Option<(u64, u64)> {
        let length = self.n.checked_sub(TRANSCRIPTS)?;
        Some((self.seq, self.seq.saturating_add(length.into())))
    }
}
/// One effect of a conversation: a row of the outbox. A delivery's id is its effect's id.
pub type EffectId = Derived;

impl Derived {
    /// The idempotency key that adapters see.
    pub fn delivery(&self) -> DeliveryId {
        DeliveryId(self.to_string())
    }
}

/// A session of a conversation, counted from 0 within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub u16);

macro_rules! named {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);
        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                $name(value.to_owned())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

named! {
    /// A technician, by the slug of the name in the configuration (`ana-lopez`).
    TechnicianId,
    /// A queue, by its name in the configuration.
    QueueId,
    /// A requester: `<channel>:<remote user id>` (D26), until two are joined explicitly (D4).
    RequesterId,
}

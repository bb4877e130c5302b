//! What an adapter hands in: one fact from the platform, translated, not judged.

use serde::{Deserialize, Serialize};

use crate::address::{Address, RemoteEventId, RemoteMessageId, RemoteUserId};
use crate::content::Content;
use crate::time::Timestamp;

/// One event from a platform. Pushed into [`crate::Inbox`]; acknowledged to the platform only after `push` returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbound {
    pub id: RemoteEventId,
    /// The platform's time (clause C10); shown to people, never used for timers (D2).
    pub at: Timestamp,
    pub from: Sender,
    pub address: Address,
    pub event: InboundEvent,
    /// Set when the platform expects an answer to this very event (a pressed button, a slash command).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction: Option<Interaction>,
}

/// The platform's handle for answering one interaction, valid for a short time and used once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interaction {
    pub id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    pub id: RemoteUserId,
    #[serde(default)]
    pub display_name: Option<String>,
    /// As the person or the platform gives it; shown to technicians, proof of nothing by itself (D4).
    #[serde(default)]
    pub email: Option<String>,
    /// The platform vouches for [`Sender::email`]: an administrator of the organisation entered it, or the person followed
    /// a link that was sent there. False wherever people may write it themselves.
    #[serde(default)]
    pub email_verified: bool,
    /// Where the platform shows everybody a picture of this person: an address that [`crate::names::picture`] let through.
    /// `None` where pictures need a token, or there is none.
    #[serde(default)]
    pub picture: Option<String>,
    /// BCP 47 as the platform gives it.
    #[serde(default)]
    pub language: Option<String>,
    pub kind: SenderKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SenderKind {
    Human,
    Bot,
    /// From outside the organisation, or with no personal identity (guests, federated users, anonymous admins: D25).
    External,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InboundEvent {
    Posted {
        message: RemoteMessageId,
        content: Content,
        reply_to: Option<RemoteMessageId>,
    },
    Edited {
        message: RemoteMessageId,
        content: Content,
    },
    Deleted {
        message: RemoteMessageId,
    },
    /// `added` is false when the reaction was taken back.
    Reacted {
        message: RemoteMessageId,
        emoji: String,
        added: bool,
    },
    /// A button was pressed, or a platform command was used. `message` is the one that carried the button.
    Invoked {
        action: String,
        value: Option<String>,
        message: Option<RemoteMessageId>,
    },
    /// The person opened the bot for the first time or came by a deep link.
    Started {
        payload: Option<String>,
    },
    Typing,
    Read {
        up_to: RemoteMessageId,
    },
    /// The person blocked us, or we were removed from the room: sending there will fail until `Returned`.
    Left,
    Returned,
    /// The platform moved the room (Telegram: group to supergroup). Everything addressed to it is re-keyed.
    RoomMoved {
        to: Address,
    },
    /// A thread was closed, reopened or deleted on the platform by somebody.
    ThreadChanged {
        change: ThreadChange,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThreadChange {
    Closed,
    Reopened,
    Deleted,
}

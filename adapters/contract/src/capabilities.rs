//! What a channel can do, as data. `docs/channels.md` is generated from it; `fit` and the outbox obey it.

use serde::Serialize;

/// A literal table per adapter; may differ by address (a private chat and a group of the same platform).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Capabilities {
    /// Longest text of one message, in UTF-16 code units (the unit that most platforms count).
    pub max_text: usize,
    /// Longest text beside an attachment, in UTF-16 code units.
    pub max_caption: usize,
    /// Largest file we may send, in bytes.
    pub max_upload_bytes: u64,
    /// Largest file we can read from the platform, in bytes.
    pub max_download_bytes: u64,
    /// Attachments in one message.
    pub max_attachments: usize,
    /// Buttons under one message.
    pub max_actions: usize,
    pub threads: ThreadStyle,
    pub formatting: Support,
    pub replies: Support,
    pub edits: Support,
    pub deletes: Support,
    pub reactions: Support,
    pub marks: Support,
    pub typing: Support,
    pub whisper: Support,
    pub persona: Support,
    /// Whether people's own edits, deletions, reactions and read marks reach us.
    pub hears_edits: bool,
    pub hears_deletes: bool,
    pub hears_reactions: bool,
    pub hears_reads: bool,
}

/// How a desk room holds several conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThreadStyle {
    /// The card is the root message and the thread hangs under it (Slack, Teams, Discord posts).
    RootIsCard,
    /// A thread exists by itself and the card is its first message (Telegram topics).
    Separate,
    /// No threads; a room is one conversation.
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Support {
    Native,
    /// Done by other means (a prefix, a numbered list, a direct message).
    Emulate,
    /// Not done, and `docs/channels.md` says so (D18).
    Drop,
}

/// What may be done when nobody knows whether an attempt worked (D33, D36: per operation).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resend {
    /// The platform drops a second one with the same id, or doing it twice is doing it once.
    SameIdIsSafe,
    /// `Adapter::find` can tell.
    ReadBack,
    /// It may appear twice.
    MayDuplicate,
}

/// The kinds of operation, for questions about them that need no payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationKind {
    Post,
    Edit,
    Delete,
    React,
    Mark,
    OpenThread,
    SetThread,
    Whisper,
}

impl crate::outbound::OutboundOp {
    pub fn kind(&self) -> OperationKind {
        use crate::outbound::OutboundOp as Op;
        match self {
            Op::Post { .. } => OperationKind::Post,
            Op::Edit { .. } => OperationKind::Edit,
            Op::Delete { .. } => OperationKind::Delete,
            Op::React { .. } => OperationKind::React,
            Op::Mark { .. } => OperationKind::Mark,
            Op::OpenThread { .. } => OperationKind::OpenThread,
            Op::SetThread { .. } => OperationKind::SetThread,
            Op::Whisper { .. } => OperationKind::Whisper,
        }
    }
}

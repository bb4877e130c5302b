//! Errors classed by what the caller does next, one vocabulary for all channels (D32).

use std::time::Duration;

/// Why an operation was not, or perhaps not, carried out.
///
/// `why` texts are for people and logs: never message text, tokens or addresses in them (clause C9).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Surely not sent; try again no earlier than `after` (the platform's word), or after the usual back-off.
    #[error("not sent, try again: {why}")]
    Retry { after: Option<Duration>, why: String },
    /// Refused for what it is. `fixable`: a plainer form of the same content may pass (once).
    #[error("refused: {why}")]
    Rejected { why: String, fixable: bool },
    /// Our credentials are not accepted: the channel pauses.
    #[error("credentials refused: {why}")]
    Unauthorized { why: String },
    /// The place does not exist for us any more: blocked, kicked, deleted.
    #[error("gone: {why}")]
    Gone { why: String },
    /// The thread of a desk room is gone while the room is there: it is opened again (D22).
    #[error("thread gone: {why}")]
    ThreadGone { why: String },
    /// The room has a new address; everything is re-keyed and sent there.
    #[error("room moved")]
    Moved { to: crate::address::Address },
    /// Nobody knows whether it was sent (D33).
    #[error("unknown outcome: {why}")]
    Ambiguous { why: String },
}

impl SendError {
    pub fn rejected(why: impl Into<String>) -> Self {
        SendError::Rejected { why: why.into(), fixable: false }
    }
}

/// Why a platform's payload did not become an [`crate::Inbound`]. The raw payload goes to quarantine and is answered 2xx.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TranslateError {
    /// A kind of event that this adapter does not know.
    #[error("unknown event: {0}")]
    Unknown(String),
    /// A known kind with a field missing or of the wrong type.
    #[error("malformed event: {0}")]
    Malformed(String),
}

//! Ticket desks: one trait, the embedded desk, and later one file per connector.
//!
//! Not here: when a ticket is due (the core), the mapping row (part of the conversation's state).

mod embedded;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use deskbridge_conversation::{ConversationId, TicketStatus};

pub use embedded::{EmbeddedDesk, shown};

/// What a ticket is made from. `key` is ours and stays the same over every attempt: search before re-create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTicket {
    pub key: String,
    pub conversation: ConversationId,
    pub summary: String,
    pub description: String,
    pub priority: u8,
    pub requester: String,
    pub technician: Option<String>,
}

/// A ticket in its desk: `key` is the desk's own id, `number` what people say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketRef {
    pub key: String,
    pub number: String,
}

/// Who may read a comment; always said, never a default (T62).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    Public,
    Internal,
}

/// Classed by what the caller does next; an outage never stops a conversation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    #[error("the ticket desk cannot be reached: {0}")]
    Retry(String),
    #[error("the ticket desk refused: {0}")]
    Refused(String),
}

#[async_trait]
pub trait TicketDesk: Send + Sync {
    /// As in the conversation's mapping: `embedded`, later a connector's name.
    fn name(&self) -> &str;
    /// Whether its tickets lose their words in our own store, with the conversation. Default: they are somebody else's.
    fn is_erased_with_the_conversation(&self) -> bool {
        false
    }
    /// Idempotent by `ticket.key`.
    async fn create(&self, ticket: &NewTicket) -> Result<TicketRef, TicketError>;
    /// Idempotent by `key`.
    async fn comment(
        &self,
        ticket: &str,
        key: &str,
        author: &str,
        text: &str,
        visibility: Visibility,
    ) -> Result<(), TicketError>;
    async fn set_status(&self, ticket: &str, status: TicketStatus, by: &str) -> Result<(), TicketError>;
    async fn assign(&self, ticket: &str, technician: &str) -> Result<(), TicketError>;
    async fn attach(&self, ticket: &str, blob: &str, name: &str) -> Result<(), TicketError>;
}

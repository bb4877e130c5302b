//! The ticket desk that comes with deskbridge: its tickets are rows of our own store.
//!
//! Not here: the rows themselves and their history (the store), when a ticket is due (the core).

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use deskbridge_conversation::{ConversationId, TicketStatus};
use deskbridge_store::job::TicketOp;
use deskbridge_store::rows::TicketRow;
use deskbridge_store::{Admin, AdminDone, Read, StoreError, Writer};

use super::{NewTicket, TicketDesk, TicketError, TicketRef, Visibility};

/// Characters of a ticket's first line.
const SUMMARY: usize = 200;
/// Characters of names: people, files.
const NAME: usize = 200;
/// Characters of a description or a comment; a whole transcript fits.
const TEXT: usize = 64_000;

/// How tickets of this desk are called: `T-000123`.
pub fn shown(number: i64) -> String {
    format!("T-{number:06}")
}

/// The embedded desk. Cheap to clone.
#[derive(Clone)]
pub struct EmbeddedDesk {
    writer: Writer,
    read: Arc<dyn Read>,
}

impl fmt::Debug for EmbeddedDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedDesk").finish_non_exhaustive()
    }
}

impl EmbeddedDesk {
    pub const NAME: &'static str = "embedded";

    pub fn new(writer: Writer, read: Arc<dyn Read>) -> Self {
        EmbeddedDesk { writer, read }
    }

    /// The conversation's ticket, if it has one.
    pub async fn of(&self, conversation: ConversationId) -> Result<Option<TicketRow>, TicketError> {
        self.read.ticket_of(conversation).await.map_err(class)
    }

    /// A ticket by its key (`123`) or its number (`T-000123`).
    pub async fn ticket(&self, ticket: &str) -> Result<Option<TicketRow>, TicketError> {
        self.read.ticket(number_of(ticket)?).await.map_err(class)
    }

    async fn change(&self, op: TicketOp) -> Result<(), TicketError> {
        match self.writer.admin(Admin::Ticket(op)).await.map_err(class)? {
            AdminDone::Ticket { .. } | AdminDone::Done => Ok(()),
            AdminDone::Unknown => Err(TicketError::Refused("no such ticket".to_owned())),
        }
    }
}

fn class(error: StoreError) -> TicketError {
    match error {
        StoreError::Unavailable(why) => TicketError::Retry(why),
        // A second open ticket for the same conversation (D15) stays refused however often it is tried.
        StoreError::Conflict(why) | StoreError::Corrupt(why) => TicketError::Refused(why),
    }
}

fn number_of(ticket: &str) -> Result<i64, TicketError> {
    let digits = ticket.strip_prefix("T-").unwrap_or(ticket);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| is_number);
    number.ok_or_else(|| TicketError::Refused("no such ticket".to_owned()))
}

/// On one line, at most `max` characters.
fn line(text: &str, max: usize) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    cut(&words.collect::<Vec<_>>().join(" "), max)
}

/// Line ends as `\n`, no other control characters, at most `max` characters.
fn text(text: &str, max: usize) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    cut(&kept, max)
}

fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[async_trait]
impl TicketDesk for EmbeddedDesk {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn is_erased_with_the_conversation(&self) -> bool {
        true
    }

    async fn create(&self, ticket: &NewTicket) -> Result<TicketRef, TicketError> {
        let summary = line(&ticket.summary, SUMMARY);
        let op = TicketOp::Create {
            key: ticket.key.clone(),
            conversation: Some(ticket.conversation),
            // A ticket without a first line cannot be clicked in a list.
            summary: if summary.is_empty() { ticket.conversation.to_string() } else { summary },
            description: text(&ticket.description, TEXT),
            priority: ticket.priority,
            requester: line(&ticket.requester, NAME),
            technician: ticket.technician.as_deref().map(|name| line(name, NAME)),
        };
        match self.writer.admin(Admin::Ticket(op)).await.map_err(class)? {
            AdminDone::Ticket { number, .. } => {
                Ok(TicketRef { key: number.to_string(), number: shown(number) })
            }
            AdminDone::Done | AdminDone::Unknown => {
                Err(TicketError::Refused("the store gave no number".to_owned()))
            }
        }
    }

    async fn comment(
        &self,
        ticket: &str,
        key: &str,
        author: &str,
        said: &str,
        visibility: Visibility,
    ) -> Result<(), TicketError> {
        let public = match visibility {
            Visibility::Public => true,
            Visibility::Internal => false,
        };
        let (author, said) = (line(author, NAME), text(said, TEXT));
        self.change(TicketOp::Comment {
            number: number_of(ticket)?,
            key: key.to_owned(),
            author,
            text: said,
            public,
        })
        .await
    }

    async fn set_status(&self, ticket: &str, status: TicketStatus, by: &str) -> Result<(), TicketError> {
        self.change(TicketOp::SetStatus { number: number_of(ticket)?, status, by: line(by, NAME) }).await
    }

    async fn assign(&self, ticket: &str, technician: &str) -> Result<(), TicketError> {
        let technician = line(technician, NAME);
        self.change(TicketOp::SetTechnician {
            number: number_of(ticket)?,
            technician: (!technician.is_empty()).then(|| technician.clone()),
            by: technician,
        })
        .await
    }

    async fn attach(&self, ticket: &str, blob: &str, name: &str) -> Result<(), TicketError> {
        self.change(TicketOp::Attach {
            number: number_of(ticket)?,
            blob: blob.to_owned(),
            name: line(name, NAME),
        })
        .await
    }
}

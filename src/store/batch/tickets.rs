//! Numbers of the embedded desk's tickets, given out within a batch.
//!
//! Not here: the rows (the backends), the desk itself (`services`).

use std::collections::{HashMap, HashSet};

use deskbridge_conversation::ConversationId;

use crate::job::{AdminDone, TicketOp};

pub(super) struct Tickets {
    /// By idempotency key.
    known: HashMap<String, i64>,
    /// Of those that are written to.
    conversations: HashMap<i64, ConversationId>,
    /// Keys of comments written in this batch; those of earlier ones the backend knows.
    comments: HashSet<String>,
    last: i64,
}

impl Tickets {
    pub(super) fn new(
        known: HashMap<String, i64>,
        conversations: HashMap<i64, ConversationId>,
        last: i64,
    ) -> Self {
        Tickets { known, conversations, comments: HashSet::new(), last }
    }

    /// The number that the operation concerns, whether it is to be written, and the answer.
    pub(super) fn work(&mut self, op: &TicketOp) -> (i64, bool, AdminDone) {
        match op {
            TicketOp::Create { key, conversation, .. } => match self.known.get(key) {
                Some(number) => (*number, false, AdminDone::Ticket { number: *number, created: false }),
                None => {
                    self.last += 1;
                    self.known.insert(key.clone(), self.last);
                    self.conversations.extend(conversation.map(|of| (self.last, of)));
                    (self.last, true, AdminDone::Ticket { number: self.last, created: true })
                }
            },
            TicketOp::Comment { number, key, .. } => {
                let first = self.comments.insert(key.clone());
                self.existing(*number, first)
            }
            TicketOp::SetStatus { number, .. }
            | TicketOp::Attach { number, .. }
            | TicketOp::SetTechnician { number, .. } => self.existing(*number, true),
        }
    }

    /// Whose ticket it is.
    pub(super) fn conversation(&self, number: i64) -> Option<ConversationId> {
        self.conversations.get(&number).copied()
    }

    fn existing(&self, number: i64, write: bool) -> (i64, bool, AdminDone) {
        // Numbers have no gaps and tickets are never removed.
        if (1..=self.last).contains(&number) {
            (number, write, AdminDone::Ticket { number, created: false })
        } else {
            (number, false, AdminDone::Unknown)
        }
    }
}

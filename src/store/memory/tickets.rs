//! The embedded ticket desk's rows.
//!
//! Not here: what a history line says (`crate::tickets`).

use std::collections::BTreeMap;

use deskbridge_contract::Timestamp;
use deskbridge_conversation::{ConversationId, TicketStatus};

use crate::job::{StoreError, TicketOp};
use crate::rows::{TicketAttachment, TicketComment, TicketRow};
use crate::tickets;

use super::tables::Tables;

impl Tables {
    /// One open ticket per conversation (D15), one ticket per key.
    pub(super) fn check_tickets(&self, ops: &[(i64, TicketOp, Timestamp)]) -> Result<(), StoreError> {
        if ops.is_empty() {
            return Ok(());
        }
        let mut open: BTreeMap<ConversationId, i64> = BTreeMap::new();
        let mut of: BTreeMap<i64, Option<ConversationId>> = BTreeMap::new();
        for ticket in self.tickets.values() {
            of.insert(ticket.number, ticket.conversation);
            if let (TicketStatus::Open, Some(conversation)) = (ticket.status, ticket.conversation) {
                open.insert(conversation, ticket.number);
            }
        }
        for (number, op, _) in ops {
            match op {
                TicketOp::Create { key, conversation, .. } => {
                    if self.tickets.contains_key(number)
                        || self.tickets.values().any(|ticket| ticket.key == *key)
                    {
                        return Err(StoreError::Conflict("a ticket of this key is stored".to_owned()));
                    }
                    of.insert(*number, *conversation);
                    opens(&mut open, *conversation, *number)?;
                }
                TicketOp::SetStatus { status, .. } => {
                    let conversation = of.get(number).copied().flatten();
                    match (status, conversation) {
                        (TicketStatus::Open, _) => opens(&mut open, conversation, *number)?,
                        (TicketStatus::Resolved | TicketStatus::Closed, Some(conversation)) => {
                            if open.get(&conversation) == Some(number) {
                                open.remove(&conversation);
                            }
                        }
                        (TicketStatus::Resolved | TicketStatus::Closed, None) => {}
                    }
                }
                TicketOp::Comment { .. } | TicketOp::Attach { .. } | TicketOp::SetTechnician { .. } => {}
            }
        }
        Ok(())
    }

    pub(super) fn put_ticket(&mut self, number: i64, op: &TicketOp, now: Timestamp) {
        if let TicketOp::Create { key, conversation, summary, description, priority, requester, technician } =
            op
        {
            let row = TicketRow {
                number,
                key: key.clone(),
                conversation: *conversation,
                summary: summary.clone(),
                description: description.clone(),
                status: TicketStatus::Open,
                priority: *priority,
                requester: requester.clone(),
                technician: technician.clone(),
                created: now,
                updated: now,
                comments: Vec::new(),
                history: vec![tickets::change(op, now)],
                attachments: Vec::new(),
            };
            self.tickets.insert(number, row);
            return;
        }
        let Some(ticket) = self.tickets.get_mut(&number) else { return };
        let changed = match op {
            TicketOp::Create { .. } => false,
            TicketOp::SetStatus { status, .. } => {
                ticket.status = *status;
                true
            }
            TicketOp::Comment { key, author, text, public, .. } => {
                let first = self.ticket_comments.insert(key.clone());
                if first {
                    let (author, text) = (author.clone(), text.clone());
                    ticket.comments.push(TicketComment { author, text, public: *public, now });
                }
                first
            }
            TicketOp::Attach { blob, name, .. } => {
                let first = ticket.attachments.iter().all(|there| there.blob != *blob);
                if first {
                    ticket.attachments.push(TicketAttachment { blob: blob.clone(), name: name.clone() });
                }
                first
            }
            TicketOp::SetTechnician { technician, .. } => {
                ticket.technician.clone_from(technician);
                true
            }
        };
        if changed {
            ticket.history.push(tickets::change(op, now));
            ticket.updated = now;
        }
    }
}

fn opens(
    open: &mut BTreeMap<ConversationId, i64>,
    conversation: Option<ConversationId>,
    number: i64,
) -> Result<(), StoreError> {
    let Some(conversation) = conversation else { return Ok(()) };
    match open.insert(conversation, number) {
        Some(other) if other != number => {
            Err(StoreError::Conflict("the conversation has an open ticket".to_owned()))
        }
        Some(_) | None => Ok(()),
    }
}

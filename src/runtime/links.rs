//! What a link to a conversation or a ticket shows where technicians work.
//!
//! Not here: which links are ours, how they unfold (the adapters); what a card says (the core).

use deskbridge_contract::{Address, Card, Fact};
use deskbridge_conversation::ConversationId;
use deskbridge_store::StoreError;

use super::Bridge;

/// What stands behind `#` or `T-`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reference {
    Conversation(i64),
    Ticket(i64),
}

impl Bridge {
    /// The card as that room shows it, with the requester's name as it may be known there. A room shows the conversations of
    /// its queues, and no others.
    pub async fn linked(&self, room: &Address, reference: &str) -> Result<Option<Card>, StoreError> {
        let policy = self.policy.current();
        let Some(desk) = policy.policy.desk(room) else { return Ok(None) };
        let Some(reference) = read(reference) else { return Ok(None) };
        let (id, ticket) = match reference {
            Reference::Conversation(number) => (ConversationId(number), None),
            Reference::Ticket(number) => match self.read.ticket(number).await? {
                Some(ticket) => match ticket.conversation {
                    Some(id) => (id, Some(ticket)),
                    None => return Ok(None),
                },
                None => return Ok(None),
            },
        };
        let Some(conversation) = self.board.conversation(self.read.as_ref(), id).await? else {
            return Ok(None);
        };
        if !desk.queues.is_empty() && !desk.queues.contains(&conversation.queue) {
            return Ok(None);
        }
        let (mut card, _) = self.card(&conversation, room).await?;
        if let Some(ticket) = ticket {
            let number = format!("T-{:06}", ticket.number);
            let status = serde_json::to_value(ticket.status).ok();
            let status = status.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
            card.facts.retain(|fact| !fact.value.contains(&number));
            card.facts.insert(0, Fact { label: "Ticket".to_owned(), value: format!("{number} · {status}") });
        }
        Ok(Some(card))
    }
}

fn read(reference: &str) -> Option<Reference> {
    let number = |digits: &str| -> Option<i64> {
        let sound = (1..=18).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse().ok().filter(|_| sound)
    };
    match reference.strip_prefix('#') {
        Some(digits) => number(digits).map(Reference::Conversation),
        None => number(reference.strip_prefix("T-")?).map(Reference::Ticket),
    }
}

#[cfg(test)]
mod tests {
    use super::{Reference, read};

    #[test]
    fn references() {
        assert_eq!(read("#1042"), Some(Reference::Conversation(1042)));
        assert_eq!(read("T-000042"), Some(Reference::Ticket(42)));
        for bad in ["", "#", "T-", "#-1", "#+1", "1042", "T-9999999999999999999", "#1042x", "t-1", "# 1"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}

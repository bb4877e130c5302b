//! Dropping what an erased requester left.
//!
//! Not here: what that is (`crate::batch`).

use deskbridge_conversation::{Author, EffectId};

use crate::backend::{Changes, ErasedRow};
use crate::rows::{AttemptRow, DeliveryState, OutboxRow};

use super::apply::coalesces;
use super::tables::Tables;

impl Tables {
    pub(super) fn erase(&mut self, changes: &Changes) {
        for row in &changes.erased {
            self.erase_words(row);
            self.erase_deliveries(row);
            self.erase_tickets(row);
        }
        for (requester, until) in &changes.buried {
            self.buried.insert(requester.clone(), *until);
        }
        for (channel, key) in &changes.dropped_shelf {
            self.shelf.remove(&(channel.clone(), key.clone()));
        }
        let gone = &changes.forgotten;
        self.quarantine.retain(|row| !gone.quarantine.contains(&row.id));
        self.blobs.retain(|id, _| !gone.blobs.contains(id));
        self.kept.retain(|(kind, _, key), _| {
            !gone.kept.iter().any(|(other, named)| kind == other && key == named)
        });
        self.kept
            .retain(|_, row| !gone.old_kept.iter().any(|(kind, at)| row.kind == *kind && row.updated < *at));
        for row in &gone.log {
            if let Some(stored) = self.log.get_mut(&(row.conversation, row.seq)) {
                stored.event = row.event.clone();
            }
        }
    }

    fn erase_words(&mut self, row: &ErasedRow) {
        let of =
            |id: &deskbridge_conversation::MessageId| id.conversation == row.conversation && id.seq < row.seq;
        for message in self.messages.values_mut().filter(|message| of(&message.id)) {
            message.content = Default::default();
            message.deleted = true;
            if matches!(message.author, Author::Requester(_) | Author::Bystander { .. }) {
                message.author = Author::Requester(row.requester.clone());
            }
        }
    }

    fn erase_deliveries(&mut self, row: &ErasedRow) {
        let of = |id: &EffectId| id.conversation == row.conversation && id.seq < row.seq;
        for attempt in self.attempts.values_mut().filter(|attempt| of(&attempt.effect)) {
            if attempt.outcome.as_deref().is_some_and(|said| DeliveryState::from_name(said).is_none()) {
                attempt.outcome = Some(AttemptRow::ERASED.to_owned());
            }
        }
        let ids: Vec<_> = self
            .outbox
            .keys()
            .filter(|id| id.conversation == row.conversation && id.seq < row.seq)
            .copied()
            .collect();
        for id in ids {
            let Some(old) = self.outbox.get(&id) else { continue };
            let mut new = OutboxRow { error: None, shown: Vec::new(), ..old.clone() };
            if new.state == DeliveryState::Queued && coalesces(&new).is_none() {
                new.state = DeliveryState::Cancelled;
                new.updated = row.now;
            }
            self.put_outbox(new);
        }
        self.links
            .retain(|_, link| link.conversation != row.conversation || !row.sessions.contains(&link.session));
    }

    fn erase_tickets(&mut self, row: &ErasedRow) {
        for ticket in self.tickets.values_mut().filter(|ticket| ticket.conversation == Some(row.conversation))
        {
            let who = std::mem::take(&mut ticket.requester);
            ticket.summary.clear();
            ticket.description.clear();
            ticket.attachments.clear();
            for comment in &mut ticket.comments {
                comment.text.clear();
                if comment.author == who {
                    comment.author.clear();
                }
            }
            for change in &mut ticket.history {
                if change.by == who {
                    change.by.clear();
                }
                if change.what.starts_with("attachment: ") {
                    change.what = "attachment".to_owned();
                }
            }
        }
    }
}

//! Writes a batch: first everything that could refuse it is checked, then nothing can fail.
//!
//! Not here: the ticket desk's rows (`tickets`).

use deskbridge_contract::Timestamp;
use deskbridge_conversation::{ConversationId, DeliveryOp, Effect, MessageId, SessionId, Stage};

use crate::audit;
use crate::backend::{Changes, OutboxUpdate};
use crate::job::StoreError;
use crate::rows::*;

use super::tables::{Tables, Wait};

impl Tables {
    /// What keys and conditional updates would refuse in a database.
    pub(super) fn check(&self, changes: &Changes) -> Result<(), StoreError> {
        let conflict = |what: &str| Err(StoreError::Conflict(what.to_owned()));
        if changes.causes.iter().any(|(key, _, _)| self.causes.contains_key(key)) {
            return conflict("a cause is stored");
        }
        for (row, loaded) in changes.conversations.iter().zip(&changes.loaded_seqs) {
            let stored = self.conversations.get(&row.state.id).map_or(0, |row| row.state.seq);
            if stored != *loaded {
                return conflict("a conversation has moved");
            }
        }
        if changes.messages.iter().any(|row| self.messages.contains_key(&row.id))
            || changes.log.iter().any(|row| self.log.contains_key(&(row.conversation, row.seq)))
            || changes.outbox.iter().any(|row| self.outbox.contains_key(&row.id))
        {
            return conflict("an id is taken");
        }
        for (before, row) in &changes.swapped {
            let stored = self.kept.get(&(row.kind.clone(), row.owner.clone(), row.key.clone()));
            if stored.and_then(|row| row.value.as_ref()) != before.as_ref() {
                return conflict("what is kept has changed");
            }
        }
        let differs = |(channel, key, expected, _): &(String, String, Option<String>, String)| {
            self.shelf.get(&(channel.clone(), key.clone())) != expected.as_ref()
        };
        if changes.swapped_shelf.iter().any(differs) {
            return conflict("a value has changed");
        }
        self.check_tickets(&changes.tickets)
    }

    pub(super) fn apply(&mut self, changes: &Changes) {
        for (key, conversation, now) in &changes.causes {
            self.causes.insert(key.clone(), (*conversation, *now));
        }
        for row in &changes.conversations {
            self.put_conversation(row);
        }
        for row in &changes.sessions {
            self.put_session(row);
        }
        self.put_messages(changes);
        for row in &changes.log {
            self.log.insert((row.conversation, row.seq), row.clone());
        }
        self.put_deliveries(changes);
        for link in &changes.links {
            let key = (link.channel.0.clone(), link.room.0.clone(), link.remote.0.clone());
            self.links.insert(key, link.clone());
        }
        for joint in &changes.joints {
            let key = (joint.conversation, joint.session, joint.message.to_string());
            self.joints.insert(key, joint.clone());
        }
        for gone in &changes.unlink {
            self.links.retain(|_, link| (link.conversation, link.session) != *gone);
            self.joints.retain(|_, joint| (joint.conversation, joint.session) != *gone);
        }
        self.put_rest(changes);
        for (number, op, now) in &changes.tickets {
            self.put_ticket(*number, op, *now);
        }
        for (message, helpful, now) in &changes.feedback {
            self.feedback.insert(*message, (*helpful, *now));
        }
        self.erase(changes);
    }

    fn put_conversation(&mut self, row: &ConversationRow) {
        let id = row.state.id;
        self.last_conversation = self.last_conversation.max(id.0);
        if let Stage::Assigned(assigned) = &row.state.stage {
            // Another owner of the same wait did not end it.
            let new = Wait { from: assigned.waited_since, accepted: assigned.since };
            let wait = self.waits.entry(id).or_insert(new);
            if wait.from != new.from {
                *wait = new;
            }
        }
        self.conversations.insert(id, row.clone());
    }

    fn put_session(&mut self, row: &SessionRow) {
        let id = (row.conversation, row.session);
        if let Some(old) = self.sessions.insert(id, row.clone()) {
            let all = (row.conversation, SessionId(0))..=(row.conversation, SessionId(u16::MAX));
            let still = self.sessions.range(all).any(|(_, session)| session.address == old.address);
            if let (false, Some(ids)) = (still, self.addresses.get_mut(&old.address)) {
                ids.remove(&row.conversation);
            }
        }
        self.addresses.entry(row.address.clone()).or_default().insert(row.conversation);
    }

    fn put_messages(&mut self, changes: &Changes) {
        for row in &changes.messages {
            self.messages.insert(row.id, row.clone());
        }
        for (id, content, now) in &changes.edits {
            if let Some(row) = self.messages.get_mut(id) {
                row.content = content.clone();
                row.edited = Some(*now);
            }
        }
        for (id, _) in &changes.deletes {
            if let Some(row) = self.messages.get_mut(id) {
                row.deleted = true;
            }
        }
        for (id, content) in &changes.replaced {
            if let Some(row) = self.messages.get_mut(id) {
                row.content = content.clone();
            }
        }
        for (id, audience) in &changes.audiences {
            if let Some(row) = self.messages.get_mut(id) {
                row.audience = *audience;
            }
        }
    }

    fn put_deliveries(&mut self, changes: &Changes) {
        for update in &changes.outbox_updates {
            self.update_outbox(update);
        }
        for row in &changes.outbox {
            if !self.is_repeated(row) {
                self.put_outbox(row.clone());
            }
        }
        for (conversation, seq, now) in &changes.cancel_assistant {
            self.cancel_where(*conversation, *seq, *now, |row| row.turn.is_some());
        }
        for (message, seq, now) in &changes.cancel_messages {
            self.cancel_where(message.conversation, *seq, *now, |row| posts(row) == Some(*message));
        }
        for (conversation, seq) in &changes.release_holds {
            for id in self.open_of(*conversation) {
                if let Some(row) = self.outbox.get_mut(&id)
                    && row.state == DeliveryState::Queued
                    && id.seq < *seq
                {
                    row.not_before = None;
                }
            }
        }
        for row in &changes.attempts {
            self.attempts.insert((row.effect, row.attempt), row.clone());
        }
        for (effect, now, outcome) in &changes.attempt_ends {
            for (_, row) in self.attempts.range_mut((*effect, 0)..=(*effect, u32::MAX)) {
                if row.ended.is_none() {
                    row.ended = Some(*now);
                    row.outcome = Some(outcome.clone());
                }
            }
        }
    }

    fn update_outbox(&mut self, update: &OutboxUpdate) {
        let Some(mut row) = self.outbox.get(&update.id).cloned() else { return };
        row.state = update.state;
        row.not_before = update.not_before;
        row.attempts = update.attempts;
        row.error.clone_from(&update.error);
        row.lease_until = update.lease_until;
        row.updated = update.updated;
        row.shown.clone_from(&update.shown);
        self.put_outbox(row);
    }

    /// The same is queued in this lane already, and is rendered late.
    fn is_repeated(&self, row: &OutboxRow) -> bool {
        let Some(key) = coalesces(row) else { return false };
        let mut queued = self.open_of(row.conversation()).into_iter().filter_map(|id| self.outbox.get(&id));
        queued.any(|other| {
            other.state == DeliveryState::Queued && other.lane == row.lane && coalesces(other) == Some(key)
        })
    }

    fn cancel_where(
        &mut self,
        conversation: ConversationId,
        seq: u64,
        now: Timestamp,
        what: impl Fn(&OutboxRow) -> bool,
    ) {
        for id in self.open_of(conversation) {
            let Some(row) = self.outbox.get(&id) else { continue };
            if row.state == DeliveryState::Queued && id.seq < seq && what(row) {
                let row = OutboxRow { state: DeliveryState::Cancelled, updated: now, ..row.clone() };
                self.put_outbox(row);
            }
        }
    }

    fn put_rest(&mut self, changes: &Changes) {
        for row in &changes.technicians {
            self.technicians.insert(row.id.clone(), row.clone());
        }
        self.presences.extend(changes.presence_log.iter().cloned());
        for (channel, key, _, value) in &changes.swapped_shelf {
            self.shelf.insert((channel.clone(), key.clone()), value.clone());
        }
        for (channel, key, value) in &changes.shelf {
            self.shelf.insert((channel.clone(), key.clone()), value.clone());
        }
        for (channel, raw, why, now) in &changes.quarantine {
            let id = self.quarantine.last().map_or(0, |row| row.id) + 1;
            let channel = deskbridge_contract::ChannelName(channel.clone());
            self.quarantine.push(QuarantineRow {
                id,
                channel,
                raw: raw.clone(),
                why: why.clone(),
                now: *now,
            });
        }
        for row in &changes.blobs {
            self.blobs.insert(row.id.clone(), row.clone());
        }
        for row in &changes.tokens {
            self.tokens.insert(row.id.clone(), row.clone());
        }
        for id in &changes.revoked_tokens {
            if let Some(row) = self.tokens.get_mut(id) {
                row.revoked = true;
            }
        }
        for row in &changes.accounts {
            self.accounts.insert(row.technician.clone(), row.clone());
        }
        for sha256 in &changes.ended_logins {
            self.logins.remove(sha256);
        }
        for row in &changes.logins {
            self.logins.insert(row.sha256.clone(), row.clone());
        }
        for row in changes.kept.iter().chain(changes.swapped.iter().map(|(_, row)| row)) {
            let key = (row.kind.clone(), row.owner.clone(), row.key.clone());
            match row.value {
                Some(_) => self.kept.insert(key, row.clone()),
                None => self.kept.remove(&key),
            };
        }
        for (now, by, act, conversation) in &changes.audit {
            let previous = self.audit.last().map_or(audit::GENESIS, |row| row.hash.as_str());
            let id = next_id(self.audit.len());
            let row = audit::next(previous, id, *now, by.clone(), act.clone(), *conversation);
            self.audit.push(row);
        }
    }
}

/// Counted from 1 without gaps.
fn next_id(stored: usize) -> i64 {
    i64::try_from(stored).unwrap_or(i64::MAX - 1) + 1
}

pub(super) fn coalesces(row: &OutboxRow) -> Option<&'static str> {
    match &row.effect {
        Effect::Deliver(delivery) => delivery.op.coalesces(),
        _ => None,
    }
}

fn posts(row: &OutboxRow) -> Option<MessageId> {
    match &row.effect {
        Effect::Deliver(delivery) => match &delivery.op {
            DeliveryOp::Post { message } => Some(*message),
            _ => None,
        },
        _ => None,
    }
}

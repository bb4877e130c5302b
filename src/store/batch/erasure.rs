//! What an erased requester leaves in a batch: rows to blank, rows to drop, and events that are refused from then on.
//!
//! Not here: the conversation's own state (the core), which requests lead here (the runtime).

use deskbridge_contract::ChannelName;
use deskbridge_conversation::{
    Conversation, ConversationId, EffectId, EventBody, Outcome, RequesterId, SessionId, SessionRole, erasure,
};

use crate::backend::ErasedRow;
use crate::job::{Apply, Forgotten, Mark, Target, TicketOp};
use crate::quarantine;
use crate::rows::{AttemptRow, DeliveryState};

use super::Batch;

impl Batch<'_> {
    /// Whatever a platform sends once more of an erased person's time before is dropped; what they do afterwards is new.
    pub(super) fn is_buried(&self, apply: &Apply) -> bool {
        match &apply.target {
            Target::Requester { requester, .. } => {
                self.buried.get(&requester.id).is_some_and(|until| apply.at <= *until)
            }
            Target::Conversation(_) | Target::Desk { .. } => false,
        }
    }

    pub(super) fn bury(&mut self, requesters: &[RequesterId]) {
        for requester in requesters {
            self.buried.insert(requester.clone(), self.now);
            self.changes.buried.retain(|(other, _)| other != requester);
            self.changes.buried.push((requester.clone(), self.now));
        }
    }

    /// Blanks what the store and this batch have of the conversation.
    pub(super) fn erase(&mut self, before: &Conversation, after: &Conversation) {
        let (conversation, seq) = (after.id, after.seq);
        let of_requester = |session: &&deskbridge_conversation::Session| match session.role {
            SessionRole::Requester { .. } => true,
            SessionRole::Desk { .. } => false,
        };
        for session in before.sessions.iter().filter(of_requester) {
            let key = session.address.key();
            if self.addresses.get(&key) == Some(&conversation) {
                self.addresses.remove(&key);
            }
        }
        let sessions: Vec<SessionId> =
            after.sessions.iter().filter(of_requester).map(|session| session.id).collect();
        self.remotes.retain(|_, hit| hit.conversation != conversation || !sessions.contains(&hit.session));
        self.changes
            .links
            .retain(|link| link.conversation != conversation || !sessions.contains(&link.session));
        self.outbox.cancel_all(conversation, seq, self.now);
        let part = self.touched.part(conversation, Some(before));
        part.outbox_touched = true;
        for message in part.messages.iter_mut().filter(|message| message.id.seq < seq) {
            message.content = Default::default();
            message.deleted = true;
        }
        self.changes.edits.retain(|(message, _, _)| message.conversation != conversation);
        self.changes.replaced.retain(|(message, _)| message.conversation != conversation);
        let requester = after.requester.id.clone();
        self.changes.erased.push(ErasedRow { conversation, seq, requester, sessions, now: self.now });
    }

    pub(super) fn is_erased(&self, conversation: Option<ConversationId>) -> bool {
        conversation.and_then(|id| self.conversations.get(&id)).is_some_and(|c| c.is_erased())
    }

    /// A delivery of before that would be tried again: it shows nobody's words any more. What is drawn late shows that nobody
    /// is there, and what takes words away is younger.
    pub(super) fn comes_too_late(&self, mark: &Mark) -> bool {
        mark.state == DeliveryState::Queued
            && self.is_before_the_end(mark.effect)
            && !self.outbox.is_drawn_late(mark.effect)
    }

    /// What a platform said may name a person or their file. `None`: the mark may stay as it is.
    pub(super) fn without_way_back(&self, mark: &Mark, is_over: bool) -> Option<Mark> {
        self.is_before_the_end(mark.effect).then(|| Mark {
            effect: mark.effect,
            state: if is_over { DeliveryState::Cancelled } else { mark.state },
            not_before: mark.not_before,
            error: mark.error.as_ref().map(|_| AttemptRow::ERASED.to_owned()),
        })
    }

    /// The effect is older than the erasure of its conversation.
    pub(super) fn is_before_the_end(&self, effect: EffectId) -> bool {
        let erased = self.conversations.get(&effect.conversation).and_then(|c| c.erased_at());
        erased.is_some_and(|seq| effect.seq < seq)
    }

    /// Words, or a file with its name, for a ticket whose requester was erased.
    pub(super) fn is_for_the_erased(&self, op: &TicketOp) -> bool {
        match op {
            TicketOp::Comment { number, .. } | TicketOp::Attach { number, .. } => {
                self.is_erased(self.tickets.conversation(*number))
            }
            // It gets its number, and no words: see `without_words_of_the_erased`.
            TicketOp::Create { .. } | TicketOp::SetStatus { .. } | TicketOp::SetTechnician { .. } => false,
        }
    }

    /// A payload that nobody could read. It says nothing of when it was made, so for as long as platforms send things again
    /// the words of somebody who was erased are not kept; that something was unreadable is.
    pub(super) fn quarantine(&mut self, channel: &ChannelName, raw: &[u8], why: &str) {
        let people = quarantine::people(channel, raw);
        let of_erased = people.iter().any(|who| {
            self.buried.get(who).is_some_and(|until| self.now.since(*until) < quarantine::SENT_AGAIN)
        });
        let (raw, why) = match of_erased {
            true => (Vec::new(), quarantine::ERASED.to_owned()),
            false => (raw.to_vec(), why.to_owned()),
        };
        self.changes.quarantine.push((channel.0.clone(), raw, why, self.now));
    }

    pub(super) fn is_of_the_erased(&self, conversation: ConversationId, session: SessionId) -> bool {
        self.conversations.get(&conversation).is_some_and(|c| is_gone(c, session))
    }

    /// A ticket that was being written when its requester was erased has a number and no words.
    pub(super) fn without_words_of_the_erased(&self, op: &TicketOp) -> TicketOp {
        let mut op = op.clone();
        if let TicketOp::Create { conversation, summary, description, requester, .. } = &mut op
            && self.is_erased(*conversation)
        {
            summary.clear();
            description.clear();
            requester.clear();
        }
        op
    }

    pub(super) fn drop_shelf(&mut self, channel: &ChannelName, keys: &[String]) {
        let named = |other: &str, key: &String| other == channel.as_str() && keys.contains(key);
        self.changes.shelf.retain(|(other, key, _)| !named(other, key));
        self.shelf.retain(|(other, key), _| !named(other, key));
        let new = keys.iter().map(|key| (channel.0.clone(), key.clone()));
        self.changes.dropped_shelf.extend(new);
    }

    pub(super) fn forget(&mut self, more: &Forgotten) {
        self.changes.blobs.retain(|blob| !more.blobs.contains(&blob.id));
        self.changes
            .kept
            .retain(|row| !more.kept.iter().any(|(kind, key)| row.kind == *kind && row.key == *key));
        let gone = |kind: &str, key: &str| more.kept.iter().any(|(k, named)| kind == k && key == named);
        self.changes.swapped.retain(|(_, row)| !gone(&row.kind, &row.key));
        self.kept.retain(|(kind, _, key), _| !gone(kind, key));
        let all = &mut self.changes.forgotten;
        let Forgotten { requesters, quarantine, blobs, kept, old_kept, log } = more;
        all.requesters.extend(requesters.iter().cloned());
        all.quarantine.extend(quarantine);
        all.blobs.extend(blobs.iter().cloned());
        all.kept.extend(kept.iter().cloned());
        all.old_kept.extend(old_kept.iter().cloned());
        all.log.extend(log.iter().cloned());
    }
}

/// What was under way when a requester was erased ends without saying where that was, and why it failed.
pub(super) fn forget_place(body: &mut EventBody, conversation: &Conversation) {
    if conversation.is_erased() {
        erasure::without_words(body);
    }
    let EventBody::Delivery(delivery) = body else { return };
    if !is_gone(conversation, delivery.session) {
        return;
    }
    let Some(session) = conversation.session(delivery.session) else { return };
    match &mut delivery.outcome {
        Outcome::Sent { address, .. } | Outcome::Partly { address, .. } | Outcome::Moved { to: address } => {
            *address = erasure::nowhere(conversation.id, session);
        }
        Outcome::Failed { .. }
        | Outcome::Unknown { .. }
        | Outcome::Gone { .. }
        | Outcome::ThreadGone { .. } => {}
    }
}

fn is_gone(conversation: &Conversation, session: SessionId) -> bool {
    let of_requester = conversation.session(session).is_some_and(|session| match session.role {
        SessionRole::Requester { .. } => true,
        SessionRole::Desk { .. } => false,
    });
    conversation.is_erased() && of_requester
}

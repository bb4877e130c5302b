//! One event: is it new, where does it belong, does it still hold, and what does the core make of it.
//!
//! Not here: laying down what came of it (`record`).

use std::panic::{AssertUnwindSafe, catch_unwind};

use deskbridge_contract::Timestamp;
use deskbridge_conversation::{
    Author, Conversation, DeskEvent, Event, EventBody, Made, MessageId, PostIntent, RequesterEvent,
    RosterEvent, step, timers,
};

use crate::job::{Applied, Apply, Cause, Guard, StoreError, Target};

use super::outbox::Ending;
use super::record::keeping;
use super::target::{Located, Place, set_session};
use super::{Batch, erasure};

/// What a step came to, before anything of it is laid down.
pub(super) struct Stepped {
    pub(super) event: Event,
    pub(super) after: Conversation,
    pub(super) made: Made,
}

impl Batch<'_> {
    pub(super) fn apply(&mut self, apply: &Apply) -> Result<Applied, StoreError> {
        let cause = apply.cause.key();
        if self.causes.contains(&cause) {
            return Ok(Applied::Duplicate);
        }
        if let Cause::Effect(id) = &apply.cause {
            match self.outbox.ending(*id, &apply.body) {
                Ending::Open => {}
                Ending::Over => return Ok(Applied::Duplicate),
                Ending::Unknown => return Ok(Applied::Unknown),
            }
        }
        if self.is_buried(apply) {
            self.store_cause(cause, None);
            return Ok(Applied::Ignored);
        }
        let apply = &*self.with_all_parts(apply);
        let place = match self.locate(&apply.target, &apply.body, &apply.refs) {
            Located::At(place) => place,
            Located::Nowhere => return Ok(Applied::Unknown),
            Located::Meaningless => {
                self.store_cause(cause, None);
                return Ok(Applied::Ignored);
            }
        };
        if !self.is_due(&apply.body, &place.conversation) {
            return Ok(Applied::Ignored);
        }
        if self.join_album(apply, &place) {
            let (conversation, seq) = (place.conversation.clone(), place.conversation.seq);
            self.store_cause(cause, Some(conversation.id));
            return Ok(Applied::Done { conversation, seq, opened: false, toast: None });
        }
        let Some(body) = self.understand(apply, &place) else {
            self.store_cause(cause, Some(place.conversation.id));
            return Ok(Applied::Ignored);
        };
        let Some(body) = self.guard(apply.guard.as_ref(), &place.conversation, body) else {
            return Ok(Applied::Refused);
        };
        let stepped = self.step(&apply.target, &place.conversation, body, apply.at)?;
        Ok(self.record(apply, cause, &place, stepped))
    }

    /// A timer that does not run any more is no event (its cause may come again, with another due time).
    fn is_due(&self, body: &EventBody, conversation: &Conversation) -> bool {
        match body {
            EventBody::Timer { kind, .. } => {
                timers::due(conversation, &self.policy.policy, self.now).is_some_and(|(due, _)| due == *kind)
            }
            EventBody::Requester { .. }
            | EventBody::Bystander { .. }
            | EventBody::Desk { .. }
            | EventBody::Assistant(_)
            | EventBody::Roster(_)
            | EventBody::Ticket(_)
            | EventBody::Delivery(_)
            | EventBody::Erased { .. } => true,
        }
    }

    /// The event in our own terms: session numbers and message ids. `None`: nothing comes of it.
    fn understand(&self, apply: &Apply, place: &Place) -> Option<EventBody> {
        let mut body = apply.body.clone();
        erasure::forget_place(&mut body, &place.conversation);
        if let Some(session) = place.session {
            set_session(&mut body, session);
        }
        tell_apart(&mut body, &apply.target, &place.conversation);
        let refs = &apply.refs;
        let here = place.conversation.id;
        let target = self.hit(refs.target.as_ref()).filter(|hit| hit.conversation == here);
        let reply = self.hit(refs.reply_to.as_ref()).filter(|hit| hit.conversation == here);
        // Without references the event names messages by our own ids already, as the console does.
        if refs.target.is_some() || refs.reply_to.is_some() {
            let card = target.is_some_and(|hit| hit.message.is_none());
            body.resolve(target.and_then(|hit| hit.message), card, reply.and_then(|hit| hit.message));
        }
        match rewritten(&body) {
            Rewritten::No => Some(body),
            // Edits of messages that we never had.
            Rewritten::Edit(None) | Rewritten::Deletion(None) => None,
            Rewritten::Deletion(Some(_)) => Some(body),
            Rewritten::Edit(Some(message)) => {
                if self.is_anothers(message, &apply.target) {
                    return None;
                }
                let stored = target.and_then(|hit| hit.content.as_ref());
                // Platforms send edits for link previews and the like; those change no words.
                let said = apply.content.as_ref().map(|said| keeping(said, stored));
                let same = said.is_none() || (stored.is_some() && stored == said.as_ref());
                // What makes them a note takes them back from the requester, whatever words are left.
                (!same || is_note(&body)).then_some(body)
            }
        }
    }

    /// At a shared place words are changed by whoever wrote them, and by nobody else.
    fn is_anothers(&self, message: MessageId, target: &Target) -> bool {
        let Target::Requester { requester, shared: true, .. } = target else { return false };
        match self.authors.get(&message) {
            Some(Author::Requester(id) | Author::Bystander { id, .. }) => *id != requester.id,
            Some(Author::Technician(_) | Author::Outsider | Author::Assistant | Author::Desk) => true,
            None => false,
        }
    }

    /// `None`: the guard did not hold.
    fn guard(
        &self,
        guard: Option<&Guard>,
        conversation: &Conversation,
        body: EventBody,
    ) -> Option<EventBody> {
        match guard {
            None => Some(body),
            Some(Guard::Seq(seq)) => (*seq == conversation.seq).then_some(body),
            Some(Guard::Capacity { seq, technician, capacity }) => {
                if *seq != conversation.seq {
                    None
                } else if self.roster.has_room(technician, *capacity) {
                    Some(body)
                } else {
                    Some(EventBody::Roster(RosterEvent::ClaimRefused { technician: technician.clone() }))
                }
            }
        }
    }

    /// Pure, so that a panic leaves nothing behind but its own job's answer (D30).
    fn step(
        &self,
        target: &Target,
        conversation: &Conversation,
        body: EventBody,
        at: Timestamp,
    ) -> Result<Stepped, StoreError> {
        let work = AssertUnwindSafe(|| {
            let mut before = conversation.clone();
            if let Target::Requester { requester, .. } = target {
                rename(&mut before, &requester.id.0, &requester.name, &requester.language);
            }
            let mut facts = self.facts.facts(&before.queue, self.now);
            if matches!(body, EventBody::Requester { .. }) {
                facts.ahead = self.facts.ahead(&before);
            }
            let event = Event { now: self.now, at, facts, body };
            let (after, made) = step(before, &event, &self.policy.policy);
            Stepped { event, after, made }
        });
        catch_unwind(work).map_err(|_| {
            tracing::error!(conversation = conversation.id.0, "a step panicked; the event is not stored");
            StoreError::Corrupt(format!("an event of {} could not be applied", conversation.id))
        })
    }
}

/// At a place where several people speak, the requester is who asked for help there, and nobody else.
fn tell_apart(body: &mut EventBody, target: &Target, conversation: &Conversation) {
    let Target::Requester { requester, shared: true, .. } = target else { return };
    if conversation.requester.id == requester.id {
        return;
    }
    if let EventBody::Requester { session, what } = body {
        let (session, by, what) = (*session, requester.id.clone(), what.clone());
        *body = EventBody::Bystander { session, by, what };
    }
}

/// People change their names; others who write in the same thread do not lend them theirs.
fn rename(conversation: &mut Conversation, id: &str, name: &str, language: &str) {
    let requester = &mut conversation.requester;
    if requester.id.0 != id {
        return;
    }
    if !name.is_empty() && requester.name != name {
        requester.name = name.to_owned();
    }
    if !language.is_empty() && requester.language != language {
        requester.language = language.to_owned();
    }
}

enum Rewritten {
    No,
    Edit(Option<MessageId>),
    Deletion(Option<MessageId>),
}

fn is_note(body: &EventBody) -> bool {
    matches!(body, EventBody::Desk { what: DeskEvent::Edited { intent: PostIntent::Note, .. }, .. })
}

fn rewritten(body: &EventBody) -> Rewritten {
    match body {
        EventBody::Requester { what: RequesterEvent::Edited { message }, .. }
        | EventBody::Bystander { what: RequesterEvent::Edited { message }, .. }
        | EventBody::Desk { what: DeskEvent::Edited { message, .. }, .. } => Rewritten::Edit(*message),
        EventBody::Requester { what: RequesterEvent::Deleted { message }, .. }
        | EventBody::Bystander { what: RequesterEvent::Deleted { message }, .. }
        | EventBody::Desk { what: DeskEvent::Deleted { message }, .. } => Rewritten::Deletion(*message),
        EventBody::Requester { .. }
        | EventBody::Bystander { .. }
        | EventBody::Desk { .. }
        | EventBody::Assistant(_)
        | EventBody::Roster(_)
        | EventBody::Ticket(_)
        | EventBody::Delivery(_)
        | EventBody::Timer { .. }
        | EventBody::Erased { .. } => Rewritten::No,
    }
}

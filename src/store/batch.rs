//! What one batch of jobs comes to, worked out in memory between the load and the commit.
//!
//! Not here: waiting, committing, answering (`writer`); which rows a job needs (`keys`).
//!
//! Jobs are worked in arrival order on the results of those before them, so a batch comes to what the same jobs would
//! have come to one by one. A job either lays down all that it causes or nothing.

mod admin;
pub mod album;
mod apply;
mod endings;
mod erasure;
pub(crate) mod keys;
mod outbox;
mod record;
mod roster;
mod target;
mod tickets;
mod touched;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use deskbridge_contract::{Content, Timestamp};
use deskbridge_conversation::{
    Audience, Author, Conversation, ConversationId, Delivery, DeliveryOp, Effect, EffectId, MessageId,
    RequesterId, SessionRole,
};

use crate::backend::{Changes, KeptKey, Loaded, RemoteHit};
use crate::job::{
    AdminDone, Advance, Applied, Begin, Begun, Committed, FactSource, Job, Mark, RemoteRef, StoreError,
};
use crate::policy::Stamped;
use crate::rows::{AttemptRow, DeliveryState};
use outbox::Outbox;
use roster::Roster;
use tickets::Tickets;
use touched::Touched;

pub use target::set_session;

/// The answer to one job, in the job's own kind.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Applied(Applied),
    Begun(Begun),
    BegunJoint(Vec<Begun>),
    Marked(bool),
    Admin(AdminDone),
}

pub(crate) struct Batch<'a> {
    policy: &'a Stamped,
    facts: &'a dyn FactSource,
    now: Timestamp,
    /// Causes that are stored, or will be with this batch.
    causes: HashSet<String>,
    conversations: HashMap<ConversationId, Arc<Conversation>>,
    touched: Touched,
    /// The latest conversation at an address.
    addresses: HashMap<String, ConversationId>,
    remotes: HashMap<RemoteRef, RemoteHit>,
    outbox: Outbox,
    roster: Roster,
    tickets: Tickets,
    /// Until when nothing of these requesters is taken in.
    buried: HashMap<RequesterId, Timestamp>,
    /// Stored words of messages whose attachments are replaced.
    contents: HashMap<MessageId, Content>,
    /// For whom messages are by now that are being sent; `None`: for nobody, they were deleted.
    audiences: HashMap<MessageId, Option<Audience>>,
    /// Of the messages among `remotes`.
    authors: HashMap<MessageId, Author>,
    /// Stored values that are compared before they are replaced.
    kept: HashMap<KeptKey, String>,
    /// Values that are compared, as they are by now.
    shelf: HashMap<(String, String), String>,
    last_conversation: i64,
    changes: Changes,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(
        loaded: Loaded,
        policy: &'a Stamped,
        facts: &'a dyn FactSource,
        now: Timestamp,
    ) -> Self {
        Batch {
            policy,
            facts,
            now,
            causes: loaded.causes.into_iter().collect(),
            conversations: loaded.conversations,
            touched: Touched::default(),
            addresses: loaded.addresses,
            remotes: loaded.remotes,
            outbox: Outbox::new(loaded.effects),
            roster: Roster::new(loaded.technicians, now),
            tickets: Tickets::new(loaded.tickets, loaded.ticket_conversations, loaded.last_ticket),
            buried: loaded.buried,
            contents: loaded.contents,
            audiences: loaded.audiences,
            authors: loaded.authors,
            kept: loaded.kept,
            shelf: loaded.shelf,
            last_conversation: loaded.last_conversation,
            changes: Changes::default(),
        }
    }

    pub(crate) fn work(&mut self, job: &Job) -> Result<Answer, StoreError> {
        match job {
            Job::Apply(apply) => self.apply(apply).map(Answer::Applied),
            Job::Begin(begin) => Ok(Answer::Begun(self.begin(begin))),
            Job::BeginJoint(begins) => Ok(Answer::BegunJoint(self.begin_joint(begins))),
            Job::Advance(advance) => Ok(Answer::Begun(self.advance(advance))),
            Job::Mark(mark) => Ok(Answer::Marked(self.mark(mark))),
            Job::Admin(admin) => Ok(Answer::Admin(self.admin(admin))),
        }
    }

    /// The rows to write, and what to tell the bus once they are.
    pub(crate) fn finish(mut self) -> (Changes, Committed) {
        self.outbox.write(&mut self.changes);
        let roster = self.roster.write(&mut self.changes);
        let changes =
            self.touched.write(&self.conversations, &self.outbox, self.policy, self.now, &mut self.changes);
        (self.changes, Committed { changes, roster })
    }

    /// Permission to attempt, given at most once per attempt, and never to words that may not be said any more (L6).
    fn begin(&mut self, begin: &Begin) -> Begun {
        let Some(row) = self.outbox.get(begin.effect) else { return Begun::No };
        let held = row.not_before.is_some_and(|at| at > self.now + GRACE);
        if row.state != DeliveryState::Queued || held {
            return Begun::No;
        }
        if self.is_silenced(begin.effect, row.turn) {
            self.outbox.cancel(begin.effect, self.now);
            return Begun::No;
        }
        let attempt = self.outbox.attempt(begin.effect, begin.lease_until, self.now);
        self.changes.attempts.push(AttemptRow {
            effect: begin.effect,
            attempt,
            started: self.now,
            ended: None,
            outcome: None,
        });
        Begun::Go { attempt }
    }

    /// Nothing begins without the first, whose id the post has.
    fn begin_joint(&mut self, begins: &[Begin]) -> Vec<Begun> {
        let mut begun = Vec::with_capacity(begins.len());
        for begin in begins {
            let refused = begun.first() == Some(&Begun::No);
            begun.push(if refused { Begun::No } else { self.begin(begin) });
        }
        begun
    }

    /// Words of a turn after which somebody else took over (L6).
    fn is_silenced(&self, effect: EffectId, turn: Option<u32>) -> bool {
        let conversation = self.conversations.get(&effect.conversation);
        turn.is_some_and(|turn| !conversation.is_some_and(|c| c.assistant_may_speak(turn)))
    }

    /// The message of a post was deleted meanwhile, or is not for that session any more (D13, D14).
    fn is_taken_back(&self, conversation: ConversationId, effect: &Effect) -> bool {
        let Effect::Deliver(Delivery { op: DeliveryOp::Post { message }, session, .. }) = effect else {
            return false;
        };
        let known = self.conversations.get(&conversation).and_then(|c| c.session(*session));
        let of_requester = known.is_some_and(|known| matches!(known.role, SessionRole::Requester { .. }));
        match self.audiences.get(message) {
            Some(None) => true,
            Some(Some(Audience::Internal | Audience::Private)) => of_requester,
            Some(Some(Audience::Public | Audience::Requester)) | None => false,
        }
    }

    /// What is there is known from now on, whatever becomes of the rest.
    fn advance(&mut self, advance: &Advance) -> Begun {
        let effect = advance.effect;
        let Some(row) = self.outbox.get(effect) else { return Begun::No };
        let (state, turn, delivery) = (row.state, row.turn, row.effect.clone());
        let known = row.shown.get(advance.after) == Some(&advance.shown);
        let expected = known || row.shown.len() == advance.after;
        // Whoever erased the requester, or ended the row, dropped what it knew; this part has to be found all the same.
        if let Effect::Deliver(delivery) = &delivery {
            let (session, before) = (delivery.session, advance.before);
            self.link_parts(effect.conversation, session, &delivery.op, before, &advance.shown);
        }
        if !matches!(state, DeliveryState::Queued | DeliveryState::Attempting) {
            return Begun::No;
        }
        let may_go_on = !self.is_before_the_end(effect)
            && !self.is_silenced(effect, turn)
            && !self.is_taken_back(effect.conversation, &delivery);
        if !may_go_on {
            self.outbox.cancel(effect, self.now);
            if state == DeliveryState::Attempting {
                self.end_attempt(effect, DeliveryState::Cancelled.name().to_owned());
            }
            return Begun::No;
        }
        if !expected {
            return Begun::No;
        }
        Begun::Go { attempt: self.outbox.advance(advance, known, self.now) }
    }

    fn mark(&mut self, mark: &Mark) -> bool {
        let is_over = self.comes_too_late(mark);
        let blanked = self.without_way_back(mark, is_over);
        let mark = blanked.as_ref().unwrap_or(mark);
        let Some(ended) = self.outbox.mark(mark, self.now) else { return false };
        if let Some(outcome) = ended {
            self.end_attempt(mark.effect, outcome);
        }
        !is_over
    }

    fn end_attempt(&mut self, effect: EffectId, outcome: String) {
        let says_more = DeliveryState::from_name(&outcome).is_none();
        let erased = says_more && self.is_erased(Some(effect.conversation));
        let outcome = if erased { AttemptRow::ERASED.to_owned() } else { outcome };
        self.changes.attempt_ends.retain(|(other, _, _)| *other != effect);
        self.changes.attempt_ends.push((effect, self.now, outcome));
    }
}

/// Whoever waits for `not_before` may wake a little early.
const GRACE: std::time::Duration = std::time::Duration::from_millis(1);

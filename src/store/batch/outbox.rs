//! The outbox rows of a batch: new ones, and stored ones whose deliveries begin, progress or end.
//!
//! Not here: sending, lanes in flight (the runtime); what an outcome means to the conversation (the core).

use std::collections::{BTreeSet, HashMap};

use deskbridge_contract::Timestamp;
use deskbridge_conversation::{
    ConversationId, DeliveryOp, Effect, EffectId, EventBody, MessageId, Outcome, Weight,
};

use crate::backend::{Changes, OutboxUpdate};
use crate::job::{Advance, Mark};
use crate::rows::{DeliveryState, OutboxRow};

pub(super) struct Outbox {
    rows: HashMap<EffectId, OutboxRow>,
    /// New with this batch, in order.
    fresh: Vec<EffectId>,
    /// Rows that later ones of the same lane and key need not repeat while they are queued.
    coalescing: HashMap<(String, &'static str), Vec<EffectId>>,
    /// Stored rows with new values.
    changed: BTreeSet<EffectId>,
}

/// Whether an effect can still end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Open,
    /// It ended before; a second end is a duplicate.
    Over,
    /// No such effect.
    Unknown,
}

impl Outbox {
    pub(super) fn new(rows: HashMap<EffectId, OutboxRow>) -> Self {
        let mut coalescing: HashMap<_, Vec<EffectId>> = HashMap::new();
        for row in rows.values() {
            if let Some(slot) = slot(row) {
                coalescing.entry(slot).or_default().push(row.id);
            }
        }
        Outbox { rows, fresh: Vec::new(), coalescing, changed: BTreeSet::new() }
    }

    pub(super) fn get(&self, id: EffectId) -> Option<&OutboxRow> {
        self.rows.get(&id)
    }

    /// False when a row that is still queued does the same (cards are rendered late). At rows that the batch does not
    /// know the backend looks.
    pub(super) fn push(&mut self, row: OutboxRow) -> bool {
        if let Some(slot) = slot(&row) {
            let same = self.coalescing.entry(slot).or_default();
            let queued =
                |id: &EffectId| self.rows.get(id).is_some_and(|row| row.state == DeliveryState::Queued);
            if same.iter().any(queued) {
                return false;
            }
            same.push(row.id);
        }
        self.fresh.push(row.id);
        self.rows.insert(row.id, row);
        true
    }

    /// Everything of the assistant that is not yet with the platform, made before `seq` (L6).
    pub(super) fn cancel_assistant(&mut self, conversation: ConversationId, seq: u64, now: Timestamp) {
        self.cancel_where(conversation, seq, now, |row| row.turn.is_some());
    }

    /// A message's posts, in every session, made before `seq` (D13, D14).
    pub(super) fn cancel_message(&mut self, message: MessageId, seq: u64, now: Timestamp) {
        self.cancel_where(message.conversation, seq, now, |row| match &row.effect {
            Effect::Deliver(delivery) => delivery.op == DeliveryOp::Post { message },
            _ => false,
        });
    }

    /// Only rows that the batch knows; the backend does the same to those it has (see `Changes::cancel_assistant`).
    fn cancel_where(
        &mut self,
        conversation: ConversationId,
        seq: u64,
        now: Timestamp,
        what: impl Fn(&OutboxRow) -> bool,
    ) {
        for row in self.rows.values_mut() {
            let early = row.id.conversation == conversation && row.id.seq < seq;
            if early && row.state == DeliveryState::Queued && what(row) {
                row.state = DeliveryState::Cancelled;
                row.updated = now;
            }
        }
    }

    /// Everything that is queued and was made before `seq`, but for what is drawn late and shows the new state (S111).
    pub(super) fn cancel_all(&mut self, conversation: ConversationId, seq: u64, now: Timestamp) {
        self.cancel_where(conversation, seq, now, |row| slot(row).is_none());
    }

    /// What it shows is composed when it goes out, so it shows the state of then.
    pub(super) fn is_drawn_late(&self, id: EffectId) -> bool {
        self.rows.get(&id).is_some_and(|row| slot(row).is_some())
    }

    /// Held rows made before `seq` go out now (D13).
    pub(super) fn release(&mut self, conversation: ConversationId, seq: u64) {
        for row in self.rows.values_mut() {
            let early = row.id.conversation == conversation && row.id.seq < seq;
            if early && row.state == DeliveryState::Queued {
                row.not_before = None;
            }
        }
    }

    pub(super) fn cancel(&mut self, id: EffectId, now: Timestamp) {
        self.change(id, now, |row| row.state = DeliveryState::Cancelled);
    }

    /// The row is being attempted; answers which attempt it is.
    pub(super) fn attempt(&mut self, id: EffectId, lease_until: Timestamp, now: Timestamp) -> u32 {
        self.change(id, now, |row| {
            row.state = DeliveryState::Attempting;
            row.attempts += 1;
            row.not_before = None;
            row.lease_until = Some(lease_until);
        });
        self.rows.get(&id).map_or(0, |row| row.attempts)
    }

    /// One more operation is there; answers which attempt it is. What went wrong before it was there is over.
    pub(super) fn advance(&mut self, advance: &Advance, known: bool, now: Timestamp) -> u32 {
        self.change(advance.effect, now, |row| {
            row.shown.extend((!known).then(|| advance.shown.clone()));
            row.error = None;
            row.lease_until = row.lease_until.map(|_| advance.lease_until);
        });
        self.rows.get(&advance.effect).map_or(0, |row| row.attempts)
    }

    /// `None`: the state does not go there. Else the outcome of the attempt that this ends, if one was open.
    pub(super) fn mark(&mut self, mark: &Mark, now: Timestamp) -> Option<Option<String>> {
        let before = self.rows.get(&mark.effect)?.state;
        if !leads(before, mark.state) {
            return None;
        }
        self.change(mark.effect, now, |row| {
            row.state = mark.state;
            row.not_before = mark.not_before.filter(|_| mark.state == DeliveryState::Queued);
            row.lease_until = None;
            if mark.error.is_some() {
                row.error.clone_from(&mark.error);
                // An attempt without permission, where the same id may be sent twice (D31).
                row.attempts += u32::from(before == DeliveryState::Queued);
            }
        });
        let open = before == DeliveryState::Attempting;
        Some(open.then(|| mark.error.clone().unwrap_or_else(|| mark.state.name().to_owned())))
    }

    pub(super) fn ending(&self, id: EffectId, body: &EventBody) -> Ending {
        let Some(row) = self.rows.get(&id) else { return Ending::Unknown };
        match row.state {
            DeliveryState::Queued | DeliveryState::Attempting => Ending::Open,
            // Later word from the platform overtook the answer to the call itself.
            DeliveryState::Accepted | DeliveryState::Delivered | DeliveryState::Seen => Ending::Open,
            // Cancelled too late: what is on the platform is on the platform, and has to be known to be taken back.
            DeliveryState::Cancelled if arrived(body) => Ending::Open,
            DeliveryState::Cancelled
            | DeliveryState::Sent
            | DeliveryState::Unknown
            | DeliveryState::Failed => Ending::Over,
        }
    }

    /// The row's end. Answers what to write into the open attempt, if there can be one.
    pub(super) fn end(
        &mut self,
        id: EffectId,
        state: DeliveryState,
        error: Option<String>,
        now: Timestamp,
    ) -> Option<String> {
        let before = self.rows.get(&id)?.state;
        let overtaken = matches!(before, DeliveryState::Delivered | DeliveryState::Seen)
            && matches!(state, DeliveryState::Sent | DeliveryState::Accepted);
        let outcome =
            error.clone().map_or_else(|| state.name().to_owned(), |why| format!("{}: {why}", state.name()));
        self.change(id, now, |row| {
            row.state = if overtaken { before } else { state };
            row.error = error;
            row.not_before = None;
            row.lease_until = None;
            row.shown.clear();
        });
        (before == DeliveryState::Attempting).then_some(outcome)
    }

    fn change(&mut self, id: EffectId, now: Timestamp, with: impl FnOnce(&mut OutboxRow)) {
        if let Some(row) = self.rows.get_mut(&id) {
            with(row);
            row.updated = now;
            self.changed.insert(id);
        }
    }

    pub(super) fn write(&self, changes: &mut Changes) {
        changes.outbox.extend(self.fresh.iter().filter_map(|id| self.rows.get(id)).cloned());
        let fresh: BTreeSet<&EffectId> = self.fresh.iter().collect();
        let stored = self.changed.iter().filter(|id| !fresh.contains(id)).filter_map(|id| self.rows.get(id));
        changes.outbox_updates.extend(stored.map(|row| OutboxUpdate {
            id: row.id,
            state: row.state,
            not_before: row.not_before,
            attempts: row.attempts,
            error: row.error.clone(),
            lease_until: row.lease_until,
            updated: row.updated,
            shown: row.shown.clone(),
        }));
    }
}

fn slot(row: &OutboxRow) -> Option<(String, &'static str)> {
    match &row.effect {
        Effect::Deliver(delivery) => delivery.op.coalesces().map(|key| (row.lane.clone(), key)),
        _ => None,
    }
}

fn arrived(body: &EventBody) -> bool {
    matches!(body, EventBody::Delivery(delivery) if matches!(delivery.outcome, Outcome::Sent { .. } | Outcome::Partly { .. }))
}

/// Where a delivery's state may go: forward (I10), and from an attempt back to the queue. A failed one stays failed;
/// trying it again is a new effect.
fn leads(from: DeliveryState, to: DeliveryState) -> bool {
    use DeliveryState::{Accepted, Attempting, Cancelled, Delivered, Failed, Queued, Seen, Sent, Unknown};
    match (from, to) {
        (Queued | Attempting, Attempting) => false,
        (Queued | Attempting, _) => true,
        (Accepted | Unknown, Sent | Delivered | Seen | Failed) => true,
        (Sent, Delivered | Seen | Failed) => true,
        (Delivered, Seen) => true,
        (Accepted | Sent | Delivered | Seen | Unknown | Failed | Cancelled, _) => false,
    }
}

/// The row that an effect is carried out from; `None` where the writer itself carries it out.
pub(super) fn row(id: EffectId, effect: &Effect, now: Timestamp) -> Option<OutboxRow> {
    let kind = match effect {
        Effect::Deliver(delivery) => {
            let lane = format!("d:{}:{}", id.conversation.0, delivery.session.0);
            return Some(queued(id, lane, effect, now));
        }
        Effect::AskAssistant { .. } => "assistant",
        Effect::Summarise { .. } => "summary",
        Effect::Suggest { .. } => "suggest",
        // One lane, so that a ticket is opened before it is commented on.
        Effect::OpenTicket { .. }
        | Effect::SetTicketStatus { .. }
        | Effect::AssignTicket { .. }
        | Effect::CommentTicket { .. } => "ticket",
        Effect::Notify { .. } => "notify",
        Effect::OpenAnew { .. } => "anew",
        Effect::Cancel { .. }
        | Effect::ReleaseHolds
        | Effect::Roster(_)
        | Effect::Rated { .. }
        | Effect::Feedback { .. }
        | Effect::Audit { .. } => return None,
    };
    Some(queued(id, format!("s:{}:{kind}", id.conversation.0), effect, now))
}

fn queued(id: EffectId, lane: String, effect: &Effect, now: Timestamp) -> OutboxRow {
    let (not_before, turn, weight) = match effect {
        Effect::Deliver(delivery) => (delivery.not_before, delivery.turn, delivery.weight),
        // A turn that nobody waits for any more need not be started either.
        Effect::AskAssistant { turn } => (None, Some(*turn), Weight::Notice),
        _ => (None, None, Weight::Notice),
    };
    OutboxRow {
        id,
        lane,
        effect: effect.clone(),
        state: DeliveryState::Queued,
        not_before,
        turn,
        weight,
        attempts: 0,
        error: None,
        lease_until: None,
        created: now,
        updated: now,
        shown: Vec::new(),
    }
}

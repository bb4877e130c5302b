//! How an effect's attempt ends: sent, put back, given up, or nobody knows (D33); and the event that says so.
//!
//! Not here: the attempt itself (`perform`).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use deskbridge_contract::{OperationKind, Resend, Sent, Timestamp};
use deskbridge_conversation::delivery::MAY_APPEAR_TWICE;
use deskbridge_conversation::{Delivery, DeliveryEvent, DeliveryOp, EventBody, Joined, Outcome, Weight};
use deskbridge_store::rows::{DeliveryState, OutboxRow};
use deskbridge_store::{Applied, Apply, Cause, Mark, Refs, StoreError, Target};

use super::perform::{LEASE, Place, Verdict, backoff, later};
use super::{Bridge, parts};

/// Before the one repetition after an unknown outcome (D33).
const AMBIGUOUS_WAIT: Duration = Duration::from_secs(30);
/// The mark of a row whose earlier attempt has an unknown outcome.
const AMBIGUOUS: &str = "ambiguous: ";

/// An earlier attempt may have arrived.
pub(super) fn is_uncertain(row: &OutboxRow) -> bool {
    row.error.as_deref().is_some_and(|error| error.starts_with(AMBIGUOUS))
}

/// Nobody knows whether it is on the platform, or nobody knows yet.
pub(super) fn is_open_to_doubt(row: &OutboxRow) -> bool {
    match row.state {
        DeliveryState::Unknown | DeliveryState::Attempting => true,
        DeliveryState::Queued => is_uncertain(row),
        DeliveryState::Accepted
        | DeliveryState::Sent
        | DeliveryState::Delivered
        | DeliveryState::Seen
        | DeliveryState::Failed
        | DeliveryState::Cancelled => false,
    }
}

/// The end of a delivery whose last operations were `sent`, behind those that the row knows of.
pub(super) fn sent(row: &OutboxRow, delivery: &Delivery, place: &Place, sent: Vec<Sent>) -> Outcome {
    let parts: Vec<&Sent> = row.shown.iter().chain(&sent).collect();
    let remark = |part: &&&Sent| {
        part.note.as_deref().is_some_and(|note| note != Sent::IN_RESPONSE && note != MAY_APPEAR_TWICE)
    };
    let remarked = parts.iter().find(remark);
    let twice = parts::may_be_twice(row, delivery, place)
        || parts.iter().any(|part| part.note.as_deref() == Some(MAY_APPEAR_TWICE));
    let note = remarked.and_then(|part| part.note.clone());
    let note = note.or_else(|| twice.then(|| MAY_APPEAR_TWICE.to_owned()));
    let note = note.or_else(|| parts.iter().find_map(|part| part.note.clone()));
    // Where answers arrive: where it is said that this is not where it was meant to go, or where it went last.
    let address = remarked.or(parts.last()).map_or(&place.session.address, |part| &part.address).clone();
    // As sure as its least sure part.
    let accepted = parts.iter().any(|part| part.accepted);
    let first = parts.first().and_then(|part| part.message.clone());
    let known = usize::from(first.is_some());
    let more = parts.iter().flat_map(|part| part.messages()).skip(known).cloned().collect();
    Outcome::Sent { remote: first, more, address, accepted, note }
}

/// Nobody knows whether it arrived: look first, then by operation (D33).
pub(super) async fn ambiguous(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    delivery: &Delivery,
    place: &Place,
    why: &str,
) -> Result<Verdict, StoreError> {
    let kind = kind_of(&delivery.op);
    match place.adapter.resend(kind) {
        Resend::SameIdIsSafe => {
            return put_back(bridge, row, backoff(row), format!("{AMBIGUOUS}{why}")).await;
        }
        Resend::ReadBack => {
            if let Some(verdict) = parts::look(bridge, row, delivery, place, why).await? {
                return Ok(verdict);
            }
        }
        Resend::MayDuplicate => {}
    }
    unknown(bridge, row, delivery, why, bridge.now()).await
}

/// The attempt stays open: it is looked for again later.
pub(super) fn still_open(bridge: &Bridge, row: &OutboxRow, why: &str) -> Verdict {
    let open = OutboxRow { state: DeliveryState::Attempting, ..row.clone() };
    later(bridge, &open, backoff(row), why)
}

/// What comes of it where nobody can look (D33); what is put back, so many seconds after `now`.
pub(super) async fn unknown(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    delivery: &Delivery,
    why: &str,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    let twice = is_uncertain(row) && row.state != DeliveryState::Attempting;
    let repeat = match (&delivery.op, delivery.weight) {
        // Doing it twice is doing it once.
        (
            DeliveryOp::Edit { .. }
            | DeliveryOp::Delete { .. }
            | DeliveryOp::React { .. }
            | DeliveryOp::Mark { .. }
            | DeliveryOp::Thread { .. },
            _,
        ) => Some(backoff(row)),
        (DeliveryOp::OpenThread, _) if !twice => Some(AMBIGUOUS_WAIT),
        (DeliveryOp::Post { .. } | DeliveryOp::Card | DeliveryOp::Transcript { .. }, Weight::Person)
            if !twice =>
        {
            Some(AMBIGUOUS_WAIT)
        }
        // Whoever reads the first parts waits for the rest, whosever words they are; a part has its number, so that two of
        // it are known for what they are.
        (DeliveryOp::Post { .. } | DeliveryOp::Transcript { .. }, Weight::Notice)
            if !twice && !row.shown.is_empty() =>
        {
            Some(AMBIGUOUS_WAIT)
        }
        (
            DeliveryOp::Post { .. }
            | DeliveryOp::Card
            | DeliveryOp::Transcript { .. }
            | DeliveryOp::OpenThread
            | DeliveryOp::Whisper { .. },
            _,
        ) => None,
    };
    match repeat {
        Some(wait) => put_back_until(bridge, row, now + wait, Some(format!("{AMBIGUOUS}{why}"))).await,
        None if matches!(delivery.op, DeliveryOp::OpenThread) => {
            outcome(bridge, row, delivery, Outcome::Failed { why: why.to_owned() }).await
        }
        None if !row.shown.is_empty() => {
            let why = format!("nobody knows whether the rest arrived ({why})");
            outcome(bridge, row, delivery, parts::not_sent(row, why)).await
        }
        None => outcome(bridge, row, delivery, Outcome::Unknown { why: why.to_owned() }).await,
    }
}

pub(super) fn kind_of(op: &DeliveryOp) -> OperationKind {
    match op {
        DeliveryOp::Post { .. } | DeliveryOp::Transcript { .. } | DeliveryOp::Card => OperationKind::Post,
        DeliveryOp::Edit { .. } => OperationKind::Edit,
        DeliveryOp::Delete { .. } => OperationKind::Delete,
        DeliveryOp::React { .. } => OperationKind::React,
        DeliveryOp::Mark { .. } => OperationKind::Mark,
        DeliveryOp::OpenThread => OperationKind::OpenThread,
        DeliveryOp::Thread { .. } => OperationKind::SetThread,
        DeliveryOp::Whisper { .. } => OperationKind::Whisper,
    }
}

/// Back into its lane, at the head, not before `wait` has passed.
pub async fn put_back(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    wait: Duration,
    why: String,
) -> Result<Verdict, StoreError> {
    put_back_until(bridge, row, bridge.now() + wait, Some(why)).await
}

/// `why`: `None` where nothing went wrong.
pub(super) async fn put_back_until(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    not_before: Timestamp,
    why: Option<String>,
) -> Result<Verdict, StoreError> {
    let attempts = row.attempts.max(1);
    let mark = Mark {
        effect: row.id,
        state: DeliveryState::Queued,
        not_before: Some(not_before),
        error: why.clone(),
    };
    let mut again = OutboxRow {
        attempts,
        state: DeliveryState::Queued,
        not_before: Some(not_before),
        error: why.or_else(|| row.error.clone()),
        ..(**row).clone()
    };
    if !bridge.mark_back(mark).await? {
        // Ended or cancelled meanwhile.
        return Ok(Verdict::Done);
    }
    again.lease_until = None;
    Ok(Verdict::Again(Arc::new(again)))
}

/// Ends a row that needs no event.
pub async fn end(
    bridge: &Arc<Bridge>,
    row: &OutboxRow,
    state: DeliveryState,
    why: &str,
) -> Result<Verdict, StoreError> {
    let error = (!why.is_empty()).then(|| why.to_owned());
    bridge.writer.mark(Mark { effect: row.id, state, not_before: None, error }).await?;
    Ok(Verdict::Done)
}

/// Ends a delivery by applying its outcome; the effect's row is retired in the same transaction.
pub(super) async fn outcome(
    bridge: &Arc<Bridge>,
    row: &OutboxRow,
    delivery: &Delivery,
    outcome: Outcome,
) -> Result<Verdict, StoreError> {
    outcome_within(bridge, row, delivery, outcome, None).await
}

/// As [`outcome`], of a delivery that may have been sent in the post of another.
pub(super) async fn outcome_within(
    bridge: &Arc<Bridge>,
    row: &OutboxRow,
    delivery: &Delivery,
    outcome: Outcome,
    joined: Option<Joined>,
) -> Result<Verdict, StoreError> {
    let event = DeliveryEvent {
        delivery: row.id.delivery(),
        session: delivery.session,
        op: delivery.op.clone(),
        outcome,
        joined,
    };
    bridge.finish(row, EventBody::Delivery(event), None).await?;
    Ok(Verdict::Done)
}

impl Bridge {
    /// Tried again while the store is away: the attempt is over, and a row that still says otherwise is taken for one that
    /// may have arrived. Not for longer than the attempt is surely this node's.
    async fn mark_back(&self, mark: Mark) -> Result<bool, StoreError> {
        let (mut wait, until) = (Duration::from_millis(50), Instant::now() + LEASE / 2);
        loop {
            match self.writer.mark(mark.clone()).await {
                Err(error @ (StoreError::Unavailable(_) | StoreError::Conflict(_)))
                    if !self.stop.is_cancelled() && Instant::now() + wait < until =>
                {
                    tracing::warn!(effect = %mark.effect, %error, "outbox: a row could not be put back yet");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(Duration::from_secs(5));
                }
                answer => return answer,
            }
        }
    }

    /// Applies an effect's terminal event. Tried again while the store is away: the result of something that was done
    /// in the world must not be forgotten; if the program ends first, the open attempt says so at the next start.
    pub async fn finish(
        &self,
        row: &OutboxRow,
        body: EventBody,
        content: Option<deskbridge_contract::Content>,
    ) -> Result<Applied, StoreError> {
        let mut wait = Duration::from_millis(50);
        loop {
            let apply = Apply {
                cause: Cause::Effect(row.id),
                target: Target::Conversation(row.conversation()),
                at: self.now(),
                body: body.clone(),
                content: content.clone(),
                refs: Refs::default(),
                guard: None,
            };
            match self.writer.apply(apply).await {
                Ok(applied) => {
                    if let Applied::Done { conversation, .. } = &applied {
                        self.board.learn(conversation.clone());
                    }
                    return Ok(applied);
                }
                Err(error) if self.stop.is_cancelled() => return Err(error),
                Err(error @ StoreError::Corrupt(_)) => return Err(error),
                Err(error) => {
                    tracing::warn!(effect = %row.id, %error, "outbox: a result could not be stored yet");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(Duration::from_secs(5));
                }
            }
        }
    }
}

//! One delivery that became several operations: sent one behind the other, each known before the next, so that whatever
//! interrupts them the rest goes on where it stopped.
//!
//! Not here: which operations those are (`compose`), what one failure means (`perform`), what the end means (the core).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use deskbridge_contract::{DeliveryId, Outbound, OutboundOp, Resend, SendError, Sent};
use deskbridge_conversation::delivery::MAY_APPEAR_TWICE;
use deskbridge_conversation::{Delivery, DeliveryOp, Effect, EffectId, Outcome};
use deskbridge_store::rows::OutboxRow;
use deskbridge_store::{Advance, Begun, StoreError};

use super::Bridge;
use super::ending::{ambiguous, is_uncertain, kind_of, outcome, put_back, put_back_until, sent};
use super::perform::{LEASE, Next, Place, Verdict, backoff, files, next, settle, yield_to_others};

/// The same over every attempt, and after a restart: a message splits the same way again.
pub(super) fn id(effect: EffectId, part: usize) -> DeliveryId {
    DeliveryId(if part == 0 { effect.to_string() } else { format!("{effect}#{part}") })
}

/// The row as it is by now; `None`: it ended.
pub(super) async fn as_stored(
    bridge: &Bridge,
    row: &OutboxRow,
) -> Result<Option<Arc<OutboxRow>>, StoreError> {
    let open = bridge.read.open_outbox_of(row.conversation()).await?;
    Ok(open.into_iter().find(|stored| stored.id == row.id).map(Arc::new))
}

/// Everything is there. An edit may have made a message shorter than what was sent of it; the edit itself follows.
pub(super) fn is_whole(row: &OutboxRow, operations: &[OutboundOp]) -> bool {
    !row.shown.is_empty() && operations.len() <= row.shown.len()
}

/// The end of what will not be sent: nothing of it is there, or the first parts are.
pub(super) fn not_sent(row: &OutboxRow, why: String) -> Outcome {
    let Some(last) = row.shown.last() else { return Outcome::Failed { why } };
    let mut messages = row.shown.iter().flat_map(Sent::messages).cloned();
    Outcome::Partly { remote: messages.next(), more: messages.collect(), address: last.address.clone(), why }
}

/// The operations that are not there yet, in order. Between two of them the pace is asked anew, and the store, which
/// remembers the one and permits the other.
pub(super) async fn send_on(
    bridge: &Arc<Bridge>,
    row: Arc<OutboxRow>,
    delivery: &Delivery,
    place: &Place,
    operations: Vec<OutboundOp>,
) -> Result<Verdict, StoreError> {
    let (mut row, of) = (row, operations.len());
    let first = row.shown.len();
    for (part, op) in operations.into_iter().enumerate().skip(first) {
        if part > first {
            let now = Instant::now();
            let paced = bridge.board.pace(&place.adapter, &place.session.address, op.kind(), files(&op), now);
            if let Err(free) = paced {
                let wait = free.saturating_duration_since(now) + yield_to_others(delivery);
                return put_back_until(bridge, &row, bridge.now() + wait, None).await;
            }
        }
        match send(place, &row, part, op).await {
            Ok(there) if part + 1 == of => return settle(bridge, &row, delivery, place, vec![there]).await,
            Ok(there) => match bridge.advance(&row, remarked(&row, delivery, place, there)).await? {
                Some(further) => row = further,
                // Taken back, or not the assistant's turn any more.
                None => return Ok(Verdict::Done),
            },
            Err((error, _)) if !row.shown.is_empty() => {
                return broken_off(bridge, &row, delivery, place, error).await;
            }
            Err((error, op)) => {
                return super::perform::refused(bridge, &row, delivery, place, error, op).await;
            }
        }
    }
    settle(bridge, &row, delivery, place, Vec::new()).await
}

/// One operation; where the platform could not read the formatting, once more without.
pub(super) async fn send(
    place: &Place,
    row: &OutboxRow,
    part: usize,
    op: OutboundOp,
) -> Result<Sent, (SendError, OutboundOp)> {
    let out = Outbound { id: id(row.id, part), to: place.session.address.clone(), op };
    let started = Instant::now();
    let mut sent = place.adapter.send(&out).await;
    if let (Err(SendError::Rejected { fixable: true, .. }), Some(plainer)) = (&sent, plainer(&out)) {
        sent = place.adapter.send(&plainer).await;
    }
    metrics::histogram!("deskbridge_delivery_seconds").record(started.elapsed().as_secs_f64());
    sent.map_err(|error| (error, out.op))
}

/// The same content with all marks shown as characters; tried once where the platform could not read the formatting.
fn plainer(out: &Outbound) -> Option<Outbound> {
    let mut plainer = out.clone();
    match &mut plainer.op {
        OutboundOp::Post { content, .. } | OutboundOp::Edit { content, .. } => {
            content.text = deskbridge_conversation::notices::plain(&content.text);
            Some(plainer)
        }
        OutboundOp::Delete { .. }
        | OutboundOp::React { .. }
        | OutboundOp::Mark { .. }
        | OutboundOp::OpenThread { .. }
        | OutboundOp::SetThread { .. }
        | OutboundOp::Whisper { .. } => None,
    }
}

/// An earlier attempt of what is there now may be there as well.
pub(super) fn may_be_twice(row: &OutboxRow, delivery: &Delivery, place: &Place) -> bool {
    let makes_one = matches!(
        delivery.op,
        DeliveryOp::Post { .. } | DeliveryOp::Transcript { .. } | DeliveryOp::OpenThread
    );
    makes_one && is_uncertain(row) && place.adapter.resend(kind_of(&delivery.op)) != Resend::SameIdIsSafe
}

/// What is to be said of one part at the end is kept with it.
fn remarked(row: &OutboxRow, delivery: &Delivery, place: &Place, there: Sent) -> Sent {
    let twice = may_be_twice(row, delivery, place).then(|| MAY_APPEAR_TWICE.to_owned());
    Sent { note: there.note.clone().or(twice), ..there }
}

/// A later operation failed: nothing of what is there is sent again.
async fn broken_off(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    delivery: &Delivery,
    place: &Place,
    error: SendError,
) -> Result<Verdict, StoreError> {
    match next(bridge, row, place, error).await? {
        Next::Back(wait, why) => put_back(bridge, row, wait, why).await,
        Next::Unknown(why) => ambiguous(bridge, row, delivery, place, &why).await,
        // The rest goes to the room's new address.
        Next::Ends(Outcome::Moved { .. }) => {
            put_back(bridge, row, backoff(row), "the room has a new address".to_owned()).await
        }
        Next::Ends(Outcome::Failed { why } | Outcome::Gone { why }) => {
            outcome(bridge, row, delivery, not_sent(row, why)).await
        }
        // All of it is shown in the thread that is opened in this one's place.
        Next::Ends(ended) => outcome(bridge, row, delivery, ended).await,
    }
}

/// Nobody knows about the next operation of several: each is looked for behind those that are known, and the first that
/// is not there is where sending goes on. `None`: the platform cannot be asked.
pub(super) async fn look(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    delivery: &Delivery,
    place: &Place,
    why: &str,
) -> Result<Option<Verdict>, StoreError> {
    let operations = bridge.operations(&place.conversation, &place.session, delivery, &place.adapter).await?;
    if is_whole(row, &operations) {
        return outcome(bridge, row, delivery, sent(row, delivery, place, Vec::new())).await.map(Some);
    }
    let (mut row, of) = (row.clone(), operations.len());
    for (part, op) in operations.into_iter().enumerate().skip(row.shown.len()) {
        let out = Outbound { id: id(row.id, part), to: place.session.address.clone(), op };
        match place.adapter.find(&out).await {
            Ok(Some(found)) if part + 1 == of => {
                let ended = sent(&row, delivery, place, vec![found]);
                return outcome(bridge, &row, delivery, ended).await.map(Some);
            }
            Ok(Some(found)) => match bridge.advance(&row, found).await? {
                Some(further) => row = further,
                None => return Ok(Some(Verdict::Done)),
            },
            Ok(None) => return put_back(bridge, &row, backoff(&row), why.to_owned()).await.map(Some),
            // Not seen is not "not there": the attempt stays open, here as in the store, and is looked for again before
            // anything is sent.
            Err(
                error @ (SendError::Retry { .. }
                | SendError::Unauthorized { .. }
                | SendError::Ambiguous { .. }),
            ) => return Ok(Some(super::ending::still_open(bridge, &row, &error.to_string()))),
            Err(_) => return Ok(None),
        }
    }
    Ok(None)
}

impl Bridge {
    /// Remembers one more operation that is there. Tried again while the store is away, as [`Bridge::finish`] is: it must
    /// not be sent once more. `None`: no further one may be sent.
    async fn advance(&self, row: &Arc<OutboxRow>, there: Sent) -> Result<Option<Arc<OutboxRow>>, StoreError> {
        let mut wait = Duration::from_millis(50);
        let message = match &row.effect {
            Effect::Deliver(Delivery { op: DeliveryOp::Post { message }, .. }) => Some(*message),
            _ => None,
        };
        loop {
            let advance = Advance {
                effect: row.id,
                after: row.shown.len(),
                before: row.shown.iter().map(|sent| sent.messages().count()).sum(),
                message,
                shown: there.clone(),
                lease_until: self.now() + LEASE,
            };
            match self.writer.advance(advance).await {
                Ok(Begun::Go { attempt }) => {
                    let mut further = OutboxRow { attempts: attempt, error: None, ..(**row).clone() };
                    further.shown.push(there);
                    return Ok(Some(Arc::new(further)));
                }
                Ok(Begun::No) => return Ok(None),
                Err(error) if self.stop.is_cancelled() => return Err(error),
                Err(error @ StoreError::Corrupt(_)) => return Err(error),
                Err(error) => {
                    tracing::warn!(effect = %row.id, %error, "outbox: a part that was sent could not be stored yet");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(Duration::from_secs(5));
                }
            }
        }
    }
}

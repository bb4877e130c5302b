//! Carries out one effect: a delivery through its adapter, anything else through a service; and sees to its end.
//!
//! Not here: order and pace between effects (the outbox), what an outcome means for the conversation (the core).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use deskbridge_contract::{Adapter, Content, OperationKind, Outbound, OutboundOp, Resend, SendError, Sent};
use deskbridge_conversation::{
    Conversation, Delivery, DeliveryOp, DeskThread, Effect, EffectId, Outcome, Session, SessionRole, Weight,
};
use deskbridge_store::rows::{DeliveryState, OutboxRow};
use deskbridge_store::{Begin, Begun, StoreError};

use super::ending::{ambiguous, end, outcome, put_back, sent};
use super::{Bridge, health, joint, parts, service};

/// What the outbox does with the row next.
pub enum Verdict {
    Done,
    /// Not yet: the row as it is now, with the time before which it may not go.
    Again(Arc<OutboxRow>),
}

/// After this a row is given up (F12).
const GIVE_UP: Duration = Duration::from_secs(24 * 3600);
/// An attempt that is open longer was lost with its process.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// Back-off of transient failures; the last is repeated (F12).
const BACKOFF: [u64; 7] = [2, 10, 30, 120, 600, 1800, 3600];

/// What the outbox does with each row that had a part in it.
pub type Ends = Vec<(EffectId, Verdict)>;

/// `behind`: what may go along with the row in one post; those that did not are not in the answer.
pub async fn perform(bridge: &Arc<Bridge>, row: Arc<OutboxRow>, behind: &[Arc<OutboxRow>]) -> Ends {
    let id = row.id;
    match &row.effect {
        Effect::Deliver(delivery) => match deliver(bridge, &row, delivery, behind).await {
            Ok(Done::One(verdict)) => vec![(id, verdict)],
            Ok(Done::Joint(ends)) => ends,
            Err(error) => vec![(id, put_off(bridge, &row, &error))],
        },
        _ => vec![(id, service::perform(bridge, row).await)],
    }
}

/// The store failed; the row is tried again soon.
pub(super) fn put_off(bridge: &Bridge, row: &OutboxRow, error: &StoreError) -> Verdict {
    later(bridge, row, Duration::from_secs(2), &error.to_string())
}

/// Keeps the row in memory for another try without telling the store (which may be what failed).
pub fn later(bridge: &Bridge, row: &OutboxRow, after: Duration, why: &str) -> Verdict {
    tracing::warn!(effect = %row.id, why, "outbox: put off");
    let mut again = row.clone();
    again.not_before = Some(bridge.now() + after);
    Verdict::Again(Arc::new(again))
}

/// A spread of ±20 %, so that what failed together does not come back together.
pub fn backoff(row: &OutboxRow) -> Duration {
    // Every part that is there took an attempt, or a share of one, that did not fail.
    let failed = (row.attempts as usize).saturating_sub(row.shown.len());
    let at = failed.saturating_sub(1).min(BACKOFF.len() - 1);
    let base = BACKOFF[at] * 1000;
    let spread = (u64::from(row.attempts) * 7919 + row.id.seq * 104_729 + u64::from(row.id.n) * 31) % 401;
    Duration::from_millis(base * 8 / 10 + base * spread / 1000)
}

pub(super) struct Place {
    pub(super) conversation: Arc<Conversation>,
    pub(super) session: Session,
    pub(super) adapter: Arc<dyn Adapter>,
}

/// A delivery by itself, or with others in one post.
enum Done {
    One(Verdict),
    Joint(Ends),
}

async fn deliver(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    delivery: &Delivery,
    behind: &[Arc<OutboxRow>],
) -> Result<Done, StoreError> {
    let place = match find_place(bridge, row, delivery).await? {
        Ok(place) => place,
        Err(ended) => return Ok(Done::One(ended)),
    };
    if row.state == DeliveryState::Attempting {
        return found_open(bridge, row, delivery, &place, behind).await;
    }
    if bridge.now().since(row.created) > GIVE_UP {
        let why = format!("not accepted for 24 hours: {}", row.error.as_deref().unwrap_or("no reason known"));
        return outcome(bridge, row, delivery, parts::not_sent(row, why)).await.map(Done::One);
    }
    // A room in trouble wakes everybody who waits for it: what cannot go is not read and drawn first, at others' cost.
    let now = Instant::now();
    let free = bridge.board.free_at(&place.adapter, &place.session.address, surely(&delivery.op), now);
    if free > now {
        return Ok(Done::One(put_off_until(bridge, row, delivery, free, now)));
    }
    let operations = bridge.operations(&place.conversation, &place.session, delivery, &place.adapter).await?;
    if parts::is_whole(row, &operations) {
        return settle(bridge, row, delivery, &place, Vec::new()).await.map(Done::One);
    }
    if operations.is_empty() {
        // Nothing to show, or nothing shown that could be changed.
        let ended = end(bridge, row, DeliveryState::Cancelled, "nothing to do").await;
        return ended.map(Done::One);
    }
    let following = &operations[row.shown.len()];
    if let Some(put_off) = put_off_for_pace(bridge, row, delivery, &place, following) {
        return Ok(Done::One(put_off));
    }
    match joint::gather(bridge, row, behind, &place).await? {
        Some(joint) => joint::send(bridge, &place, joint).await.map(Done::Joint),
        None => attempt(bridge, row, delivery, &place, operations).await.map(Done::One),
    }
}

/// Found open after a crash or a lost lease (D31).
async fn found_open(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    delivery: &Delivery,
    place: &Place,
    behind: &[Arc<OutboxRow>],
) -> Result<Done, StoreError> {
    let row = &match parts::as_stored(bridge, row).await? {
        Some(stored) if stored.state == DeliveryState::Attempting => stored,
        Some(stored) => return Ok(Done::One(Verdict::Again(stored))),
        None => return Ok(Done::One(Verdict::Done)),
    };
    if !bridge.board.sole_owner() && row.lease_until.is_some_and(|lease| lease > bridge.now()) {
        // Another node is at it, and has more to send than one operation.
        return Ok(Done::One(Verdict::Again(row.clone())));
    }
    let why = "the program ended while it was being sent";
    if !behind.is_empty() && place.adapter.resend(OperationKind::Post) == Resend::MayDuplicate {
        return Ok(Done::Joint(joint::lost(bridge, row, behind, why).await));
    }
    ambiguous(bridge, row, delivery, place, why).await.map(Done::One)
}

/// Where a delivery goes; `Err`: nowhere, and how it ended for that.
async fn find_place(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    delivery: &Delivery,
) -> Result<Result<Place, Verdict>, StoreError> {
    let Some(conversation) = bridge.board.conversation(bridge.read.as_ref(), row.conversation()).await?
    else {
        return end(bridge, row, DeliveryState::Cancelled, "no such conversation").await.map(Err);
    };
    let Some(session) = conversation.session(delivery.session).cloned() else {
        return end(bridge, row, DeliveryState::Failed, "no such session").await.map(Err);
    };
    let Some(adapter) = bridge.adapters.get(&session.address.channel).cloned() else {
        let why = "the channel is not configured any more".to_owned();
        return outcome(bridge, row, delivery, parts::not_sent(row, why)).await.map(Err);
    };
    if let Some(known) = desk_closed(&session, &delivery.op) {
        return outcome(bridge, row, delivery, known).await.map(Err);
    }
    Ok(Ok(Place { conversation, session, adapter }))
}

async fn attempt(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    delivery: &Delivery,
    place: &Place,
    mut operations: Vec<OutboundOp>,
) -> Result<Verdict, StoreError> {
    let mut row = row.clone();
    if needs_begin(&row, delivery, place) {
        let lease_until = bridge.now() + LEASE;
        match bridge.writer.begin(Begin { effect: row.id, lease_until }).await? {
            Begun::Go { attempt } => row = Arc::new(OutboxRow { attempts: attempt, ..(*row).clone() }),
            // Ended or cancelled meanwhile; or begun, and not put back because the store was away, or by another node.
            Begun::No => {
                let stored = parts::as_stored(bridge, &row).await?;
                return Ok(stored.map_or(Verdict::Done, Verdict::Again));
            }
        }
        if operations.len() > 1 {
            // Another node may have sent the first of them since this one read the row.
            let stored = parts::as_stored(bridge, &row).await?;
            let shown = stored.map(|stored| stored.shown.clone()).unwrap_or_default();
            row = Arc::new(OutboxRow { shown, ..(*row).clone() });
        }
        if delivery.op.coalesces().is_some() {
            operations = drawn_anew(bridge, delivery, place).await?;
        }
    }
    parts::send_on(bridge, row, delivery, place, operations).await
}

/// While it was queued this row stood for every later card or title; only what is drawn after it left the queue shows
/// them all. Read from the store, because the board may be a moment behind it.
async fn drawn_anew(
    bridge: &Arc<Bridge>,
    delivery: &Delivery,
    place: &Place,
) -> Result<Vec<OutboundOp>, StoreError> {
    let fresh = bridge.read.conversation(place.conversation.id).await?;
    let fresh = fresh.as_ref().unwrap_or(&place.conversation);
    bridge.operations(fresh, &place.session, delivery, &place.adapter).await
}

/// Nothing of a desk ever falls into the room's main thread (D22).
fn desk_closed(session: &Session, op: &DeliveryOp) -> Option<Outcome> {
    match (&session.role, op) {
        (SessionRole::Requester { .. }, _) | (SessionRole::Desk { .. }, DeliveryOp::OpenThread) => None,
        (SessionRole::Desk { thread: DeskThread::Open, .. }, _) => None,
        (SessionRole::Desk { thread: DeskThread::Opening, .. }, _) => {
            Some(Outcome::ThreadGone { why: "the thread is being opened again".to_owned() })
        }
        (SessionRole::Desk { thread: DeskThread::Lost, .. }, _) => {
            Some(Outcome::Failed { why: "the desk thread is not open".to_owned() })
        }
    }
}

/// Where a repetition with the same id shows once, an attempt needs no row of its own (D31); everything that may be
/// cancelled meanwhile is checked in the store in any case.
fn needs_begin(row: &OutboxRow, delivery: &Delivery, place: &Place) -> bool {
    let safe = place.adapter.resend(OperationKind::Post) == Resend::SameIdIsSafe;
    let plain =
        matches!(delivery.op, DeliveryOp::Post { .. }) && row.turn.is_none() && row.not_before.is_none();
    !(safe && plain)
}

/// Puts the row off while the room or the account has no room for it. Marks and notices let what matters go first (D23).
fn put_off_for_pace(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    delivery: &Delivery,
    place: &Place,
    op: &OutboundOp,
) -> Option<Verdict> {
    let now = Instant::now();
    let free = bridge.board.pace(&place.adapter, &place.session.address, op.kind(), files(op), now).err()?;
    Some(put_off_until(bridge, row, delivery, free, now))
}

fn put_off_until(
    bridge: &Bridge,
    row: &Arc<OutboxRow>,
    delivery: &Delivery,
    free: Instant,
    now: Instant,
) -> Verdict {
    let mut again = (**row).clone();
    again.not_before = Some(
        bridge.now()
            + (free.saturating_duration_since(now) + yield_to_others(delivery)).max(Duration::from_millis(5)),
    );
    Verdict::Again(Arc::new(again))
}

/// What a delivery begins with, where that is known before it is drawn.
fn surely(op: &DeliveryOp) -> Option<OperationKind> {
    match op {
        DeliveryOp::Post { .. } | DeliveryOp::Transcript { .. } => Some(OperationKind::Post),
        DeliveryOp::OpenThread => Some(OperationKind::OpenThread),
        DeliveryOp::Edit { .. }
        | DeliveryOp::Delete { .. }
        | DeliveryOp::React { .. }
        | DeliveryOp::Mark { .. }
        | DeliveryOp::Card
        | DeliveryOp::Thread { .. }
        | DeliveryOp::Whisper { .. } => None,
    }
}

pub(super) fn files(op: &OutboundOp) -> usize {
    match op {
        OutboundOp::Post { files, .. } => files.len(),
        _ => 0,
    }
}

pub(super) fn yield_to_others(delivery: &Delivery) -> Duration {
    match (&delivery.op, delivery.weight) {
        (DeliveryOp::OpenThread | DeliveryOp::Card, _) | (DeliveryOp::Post { .. }, Weight::Person) => {
            Duration::ZERO
        }
        (DeliveryOp::Transcript { .. }, _) => Duration::from_millis(20),
        (DeliveryOp::Post { .. } | DeliveryOp::Whisper { .. }, Weight::Notice)
        | (DeliveryOp::Edit { .. } | DeliveryOp::Delete { .. } | DeliveryOp::Whisper { .. }, _) => {
            Duration::from_millis(40)
        }
        (DeliveryOp::React { .. } | DeliveryOp::Mark { .. } | DeliveryOp::Thread { .. }, _) => {
            Duration::from_millis(80)
        }
    }
}

/// All of it is there; `last`: what the row does not know yet.
pub(super) async fn settle(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    delivery: &Delivery,
    place: &Place,
    last: Vec<Sent>,
) -> Result<Verdict, StoreError> {
    works(bridge, place);
    let mut ended = sent(row, delivery, place, last);
    if let Outcome::Sent { note, .. } = &mut ended
        && note.as_deref().is_none_or(|note| note == Sent::IN_RESPONSE)
        && let Some(missing) = bridge.missing_files(&delivery.op).await?
    {
        *note = Some(missing);
    }
    outcome(bridge, row, delivery, ended).await
}

/// Nothing of it is there.
pub(super) async fn refused(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    delivery: &Delivery,
    place: &Place,
    error: SendError,
    op: OutboundOp,
) -> Result<Verdict, StoreError> {
    if let (SendError::Gone { .. }, OutboundOp::Whisper { content, .. }) = (&error, &op) {
        return said_aloud(bridge, row, delivery, place, content.clone()).await;
    }
    match next(bridge, row, place, error).await? {
        Next::Ends(ended) => outcome(bridge, row, delivery, ended).await,
        Next::Back(wait, why) => put_back(bridge, row, wait, why).await,
        Next::Unknown(why) => ambiguous(bridge, row, delivery, place, &why).await,
    }
}

/// Something arrived: the channel is not paused any more.
pub(super) fn works(bridge: &Bridge, place: &Place) {
    let channel = &place.session.address.channel;
    bridge.board.works(&place.adapter);
    if matches!(bridge.health.get(channel), Some(health::State::Paused { .. })) {
        let detail = "sending works again".to_owned();
        bridge.health.set(channel, health::State::Up { since: bridge.now(), detail });
    }
}

/// What a failure means for the deliveries that were sent.
pub(super) enum Next {
    Ends(Outcome),
    /// Surely not sent: after so long, once more.
    Back(Duration, String),
    /// Nobody knows (D33).
    Unknown(String),
}

/// Does what a failure means for the room, the channel and the account, once for a whole post. `row`: the one whose
/// attempts count.
pub(super) async fn next(
    bridge: &Arc<Bridge>,
    row: &OutboxRow,
    place: &Place,
    error: SendError,
) -> Result<Next, StoreError> {
    metrics::counter!("deskbridge_send_errors_total", "class" => class(&error)).increment(1);
    let channel = &place.session.address.channel;
    Ok(match error {
        SendError::Retry { after, why } => {
            let wait = after.unwrap_or_else(|| backoff(row));
            if after.is_some() {
                bridge.board.block_room(&place.adapter, &place.session.address, Instant::now() + wait);
            }
            Next::Back(wait, why)
        }
        SendError::Rejected { why, .. } => Next::Ends(Outcome::Failed { why }),
        SendError::Unauthorized { why } => {
            let wait = Duration::from_secs(60);
            bridge.board.pause(&place.adapter, Instant::now() + wait);
            bridge.health.set(channel, health::State::Paused { since: bridge.now(), why: why.clone() });
            tracing::error!(channel = %channel, why, "channel paused: credentials refused");
            Next::Back(wait, why)
        }
        SendError::Gone { why } if super::render::is_requester(&place.session) => {
            Next::Ends(Outcome::Gone { why })
        }
        SendError::Gone { why } => Next::Ends(Outcome::Failed { why }),
        SendError::ThreadGone { why } => Next::Ends(Outcome::ThreadGone { why }),
        SendError::Moved { to } => {
            bridge.room_moved(&place.session.address, &to).await?;
            Next::Ends(Outcome::Moved { to })
        }
        SendError::Ambiguous { why } => Next::Unknown(why),
    })
}

fn class(error: &SendError) -> &'static str {
    match error {
        SendError::Retry { .. } => "retry",
        SendError::Rejected { .. } => "rejected",
        SendError::Unauthorized { .. } => "unauthorized",
        SendError::Gone { .. } => "gone",
        SendError::ThreadGone { .. } => "thread-gone",
        SendError::Moved { .. } => "moved",
        SendError::Ambiguous { .. } => "ambiguous",
    }
}

/// A whisper that cannot reach the person privately is said in the thread, which is internal too (D24).
async fn said_aloud(
    bridge: &Arc<Bridge>,
    row: &Arc<OutboxRow>,
    delivery: &Delivery,
    place: &Place,
    content: Content,
) -> Result<Verdict, StoreError> {
    metrics::counter!("deskbridge_send_errors_total", "class" => "gone").increment(1);
    let post = OutboundOp::Post { content, files: Vec::new(), persona: None, reply_to: None };
    let out = Outbound { id: row.id.delivery(), to: place.session.address.clone(), op: post };
    let said = match place.adapter.send(&out).await {
        Ok(sent_there) => sent(row, delivery, place, vec![sent_there]),
        Err(error) => Outcome::Failed { why: error.to_string() },
    };
    outcome(bridge, row, delivery, said).await
}

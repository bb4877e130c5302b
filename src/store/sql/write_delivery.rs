//! Writes of what goes out: the outbox, its progress, attempts, links to the platforms' messages.
//!
//! Not here: what was said (`write_talk.rs`).

use std::collections::HashSet;

use deskbridge_conversation::{DeliveryOp, Effect};

use super::changes::Plan;
use super::decode::weight_name;
use super::rows::{Cell, Rows, json, last_of};
use super::{Text, text};
use crate::backend::Changes;
use crate::rows::OutboxRow;

pub(crate) static ENQUEUE: Text = text!(
    "outbox: insert",
    "insert into outbox (conversation, seq, n, lane, state, weight, turn, not_before, attempts, lease_until, created,
         updated, posts, coalesces, error, effect)
     select cast(value->>0 as bigint), cast(value->>1 as bigint), cast(value->>2 as bigint), value->>3, value->>4,
         value->>5, cast(value->>6 as bigint), cast(value->>7 as bigint), cast(value->>8 as bigint),
         cast(value->>9 as bigint), cast(value->>10 as bigint), cast(value->>11 as bigint), value->>12, value->>13,
         value->>14, value->>15
     from ",
    ROWS
);

/// A text of its own, because a statement that looks into the table it fills costs every row a detour.
/// Not a unique index: a delivery that is put back for a retry may meet a newer one of its kind, and both may stay.
static ENQUEUE_ONCE: Text = text!(
    "outbox: insert once",
    "insert into outbox (conversation, seq, n, lane, state, weight, turn, not_before, attempts, lease_until, created,
         updated, posts, coalesces, error, effect)
     select cast(value->>0 as bigint), cast(value->>1 as bigint), cast(value->>2 as bigint), value->>3, value->>4,
         value->>5, cast(value->>6 as bigint), cast(value->>7 as bigint), cast(value->>8 as bigint),
         cast(value->>9 as bigint), cast(value->>10 as bigint), cast(value->>11 as bigint), value->>12, value->>13,
         value->>14, value->>15
     from ",
    ROWS,
    " where not exists (select 1 from outbox as o where o.lane = value->>3 and o.coalesces = value->>13
         and o.coalesces is not null and o.state = 'queued')"
);

/// The key under which a queued delivery makes another of its lane needless.
pub fn coalesces(row: &OutboxRow) -> Option<&'static str> {
    match &row.effect {
        Effect::Deliver(delivery) => delivery.op.coalesces(),
        _ => None,
    }
}

pub(crate) fn outbox(changes: &Changes, plan: &mut Plan<'_>) {
    let (mut plain, mut once) = (Rows::new(), Rows::new());
    let mut seen = HashSet::new();
    for row in &changes.outbox {
        let coalesces = coalesces(row);
        let rows = match coalesces {
            None => &mut plain,
            // The statement does not see its own rows.
            Some(key) if seen.insert((&row.lane, key)) => &mut once,
            Some(_) => continue,
        };
        let posts = match &row.effect {
            Effect::Deliver(delivery) => match &delivery.op {
                DeliveryOp::Post { message } => Cell::Own(message.to_string()),
                _ => Cell::Null,
            },
            _ => Cell::Null,
        };
        let rest = [
            (&row.lane).into(),
            row.state.name().into(),
            weight_name(row.weight).into(),
            row.turn.into(),
            row.not_before.into(),
            row.attempts.into(),
            row.lease_until.into(),
            row.created.into(),
            row.updated.into(),
            posts,
            coalesces.into(),
            row.error.as_deref().into(),
            json(&row.effect),
        ];
        rows.push_id(row.id, rest);
    }
    plan.add(&ENQUEUE, plain);
    plan.add(&ENQUEUE_ONCE, once);
}

pub(crate) static PROGRESS: Text = text!(
    "outbox: update",
    "update outbox set state = value->>3, not_before = cast(value->>4 as bigint),
         attempts = cast(value->>5 as bigint), error = value->>6, lease_until = cast(value->>7 as bigint),
         updated = cast(value->>8 as bigint), shown = value->>9
     from ",
    ROWS,
    " where outbox.conversation = cast(value->>0 as bigint) and outbox.seq = cast(value->>1 as bigint)
         and outbox.n = cast(value->>2 as bigint)"
);

pub(crate) fn progress(changes: &Changes, plan: &mut Plan<'_>) {
    let mut rows = Rows::new();
    for update in last_of(&changes.outbox_updates, |update| update.id) {
        let rest = [
            update.state.name().into(),
            update.not_before.into(),
            update.attempts.into(),
            update.error.as_deref().into(),
            update.lease_until.into(),
            update.updated.into(),
            if update.shown.is_empty() { Cell::Null } else { json(&update.shown) },
        ];
        rows.push_id(update.id, rest);
    }
    plan.add(&PROGRESS, rows);
}

static CANCEL_ASSISTANT: Text = text!(
    "outbox: cancel the assistant",
    "update outbox set state = 'cancelled', updated = cast(value->>2 as bigint) from ",
    ROWS,
    " where outbox.conversation = cast(value->>0 as bigint) and outbox.seq < cast(value->>1 as bigint)
         and outbox.turn is not null and outbox.state = 'queued' and outbox.state in ('queued', 'attempting')"
);
static CANCEL_MESSAGE: Text = text!(
    "outbox: cancel a message",
    "update outbox set state = 'cancelled', updated = cast(value->>3 as bigint) from ",
    ROWS,
    " where outbox.conversation = cast(value->>0 as bigint) and outbox.posts = value->>1
         and outbox.seq < cast(value->>2 as bigint)
         and outbox.state = 'queued' and outbox.state in ('queued', 'attempting')"
);
static RELEASE: Text = text!(
    "outbox: release holds",
    "update outbox set not_before = null from ",
    ROWS,
    " where outbox.conversation = cast(value->>0 as bigint) and outbox.seq < cast(value->>1 as bigint)
         and outbox.not_before is not null and outbox.state = 'queued' and outbox.state in ('queued', 'attempting')"
);

/// The second condition on `state` is the open index's own, which SQLite wants to see before it uses that index.
pub(crate) fn cancels(changes: &Changes, plan: &mut Plan<'_>) {
    let mut rows = Rows::new();
    for (conversation, below, now) in last_of(&changes.cancel_assistant, |cancel| cancel.0) {
        rows.push([conversation.0.into(), (*below).into(), (*now).into()]);
    }
    plan.add(&CANCEL_ASSISTANT, rows);
    let mut rows = Rows::new();
    for (message, below, now) in last_of(&changes.cancel_messages, |cancel| cancel.0) {
        let posts = Cell::Own(message.to_string());
        rows.push([message.conversation.0.into(), posts, (*below).into(), (*now).into()]);
    }
    plan.add(&CANCEL_MESSAGE, rows);
    let mut rows = Rows::new();
    for (conversation, below) in last_of(&changes.release_holds, |release| release.0) {
        rows.push([conversation.0.into(), (*below).into()]);
    }
    plan.add(&RELEASE, rows);
}

pub(crate) static ATTEMPTS: Text = text!(
    "attempts: insert",
    "insert into attempts (conversation, seq, n, attempt, started, ended, outcome)
     select cast(value->>0 as bigint), cast(value->>1 as bigint), cast(value->>2 as bigint),
         cast(value->>3 as bigint), cast(value->>4 as bigint), cast(value->>5 as bigint), value->>6
     from ",
    ROWS
);
pub(crate) static ATTEMPT_ENDS: Text = text!(
    "attempts: end",
    "update attempts set ended = cast(value->>3 as bigint), outcome = value->>4 from ",
    ROWS,
    " where attempts.conversation = cast(value->>0 as bigint) and attempts.seq = cast(value->>1 as bigint)
         and attempts.n = cast(value->>2 as bigint) and attempts.ended is null"
);

pub(crate) fn attempts(changes: &Changes, plan: &mut Plan<'_>) {
    let mut rows = Rows::new();
    for row in &changes.attempts {
        let rest = [row.attempt.into(), row.started.into(), row.ended.into(), row.outcome.as_deref().into()];
        rows.push_id(row.effect, rest);
    }
    plan.add(&ATTEMPTS, rows);
    let mut rows = Rows::new();
    for (effect, ended, outcome) in last_of(&changes.attempt_ends, |end| end.0) {
        rows.push_id(*effect, [(*ended).into(), outcome.into()]);
    }
    plan.add(&ATTEMPT_ENDS, rows);
}

pub(crate) static LINKS: Text = text!(
    "links: save",
    "insert into links (channel, room, remote, conversation, session, message, part)
     select value->>0, value->>1, value->>2, cast(value->>3 as bigint), cast(value->>4 as bigint), value->>5,
         cast(value->>6 as bigint)
     from ",
    ROWS,
    UPSERT,
    "(channel, room, remote) do update set conversation = excluded.conversation, session = excluded.session,
         message = excluded.message, part = excluded.part"
);
static UNLINK: Text = text!(
    "links: delete",
    "delete from links where (conversation, session) in
         (select cast(value->>0 as bigint), cast(value->>1 as bigint) from ",
    ROWS,
    ")"
);

pub(crate) static JOINTS: Text = text!(
    "joints: save",
    "insert into joints (conversation, session, message, lead, nth)
     select cast(value->>0 as bigint), cast(value->>1 as bigint), value->>2, value->>3, cast(value->>4 as bigint)
     from ",
    ROWS,
    UPSERT,
    "(conversation, session, message) do update set lead = excluded.lead, nth = excluded.nth"
);
static UNJOIN: Text = text!(
    "joints: delete",
    "delete from joints where (conversation, session) in
         (select cast(value->>0 as bigint), cast(value->>1 as bigint) from ",
    ROWS,
    ")"
);

/// Before `links`, which forgets what is unlinked.
pub(crate) fn joints(changes: &Changes, plan: &mut Plan<'_>) {
    let mut rows = Rows::new();
    for row in last_of(&changes.joints, |row| (row.conversation, row.session, row.message)) {
        rows.push([
            row.conversation.0.into(),
            row.session.0.into(),
            Cell::Own(row.message.to_string()),
            Cell::Own(row.lead.to_string()),
            row.nth.into(),
        ]);
    }
    plan.add(&JOINTS, rows);
}

pub(crate) fn links(changes: &Changes, plan: &mut Plan<'_>) {
    let mut rows = Rows::new();
    for row in last_of(&changes.links, |row| (&row.channel, &row.room, &row.remote)) {
        rows.push([
            row.channel.as_str().into(),
            row.room.as_str().into(),
            row.remote.as_str().into(),
            row.conversation.0.into(),
            row.session.0.into(),
            Cell::Own(row.message.map(|id| id.to_string()).unwrap_or_default()),
            row.part.into(),
        ]);
    }
    plan.add(&LINKS, rows);
    let mut rows = Rows::new();
    for (conversation, session) in &changes.unlink {
        rows.push([conversation.0.into(), session.0.into()]);
    }
    plan.add(&UNLINK, rows);
    let mut rows = Rows::new();
    for (conversation, session) in &changes.unlink {
        rows.push([conversation.0.into(), session.0.into()]);
    }
    plan.add(&UNJOIN, rows);
}

/// For the test that looks at their plans.
#[cfg(test)]
pub(super) static TEXTS: &[&Text] = &[
    &ENQUEUE,
    &ENQUEUE_ONCE,
    &PROGRESS,
    &CANCEL_ASSISTANT,
    &CANCEL_MESSAGE,
    &RELEASE,
    &ATTEMPTS,
    &ATTEMPT_ENDS,
    &LINKS,
    &UNLINK,
    &JOINTS,
    &UNJOIN,
];

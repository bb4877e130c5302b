//! Writes that no conversation steps for: roster, shelves, quarantine, blobs, tokens, audit, feedback; and counters.
//!
//! Not here: tickets (`write_tickets.rs`).

use super::changes::Plan;
use super::decode::presence_name;
use super::rows::{Cell, Rows, json, last_of};
use super::{Text, text};
use crate::audit;
use crate::backend::Changes;
use crate::job::TicketOp;

pub(crate) static TECHNICIANS: Text = text!(
    "technicians: save",
    "insert into technicians (id, presence, since, load, missed, last_assigned)
     select value->>0, value->>1, cast(value->>2 as bigint), cast(value->>3 as bigint), cast(value->>4 as bigint),
         cast(value->>5 as bigint)
     from ",
    ROWS,
    UPSERT,
    "(id) do update set presence = excluded.presence, since = excluded.since, load = excluded.load,
         missed = excluded.missed, last_assigned = excluded.last_assigned"
);
static PRESENCE: Text = text!(
    "presence_log: insert",
    "insert into presence_log (id, technician, presence, now)
     select (select coalesce(max(p.id), 0) from presence_log as p) + ",
    NR,
    ", value->>0, value->>1, cast(value->>2 as bigint) from ",
    ROWS
);

pub(crate) fn roster(changes: &Changes, plan: &mut Plan<'_>) {
    let mut rows = Rows::new();
    for row in last_of(&changes.technicians, |row| &row.id) {
        rows.push([
            row.id.as_str().into(),
            presence_name(row.presence).into(),
            row.since.into(),
            row.load.into(),
            row.missed.into(),
            row.last_assigned.into(),
        ]);
    }
    plan.add(&TECHNICIANS, rows);
    let mut rows = Rows::new();
    for (technician, presence, now) in &changes.presence_log {
        rows.push([technician.as_str().into(), presence_name(*presence).into(), (*now).into()]);
    }
    plan.add(&PRESENCE, rows);
}

static SHELVES: Text = text!(
    "shelves: save",
    "insert into shelves (channel, key, value) select value->>0, value->>1, value->>2 from ",
    ROWS,
    UPSERT,
    "(channel, key) do update set value = excluded.value"
);
static SWAP: Text = text!(
    "shelves: swap",
    "update shelves set value = rows.value->>3 from ",
    ROWS,
    " where shelves.channel = rows.value->>0 and shelves.key = rows.value->>1
         and shelves.value = rows.value->>2"
);
static BEGIN: Text = text!(
    "shelves: begin",
    "insert into shelves (channel, key, value) select value->>0, value->>1, value->>2 from ",
    ROWS,
    UPSERT,
    "(channel, key) do nothing"
);
static QUARANTINE: Text = Text {
    name: "quarantine: insert",
    sqlite: "insert into quarantine (id, channel, raw, why, now)
     select (select coalesce(max(q.id), 0) from quarantine as q) + rows.key + 1, value->>0, unhex(value->>1),
         value->>2, cast(value->>3 as bigint)
     from jsonb_each($1) as rows",
    postgres: "insert into quarantine (id, channel, raw, why, now)
     select (select coalesce(max(q.id), 0) from quarantine as q) + rows.nr, value->>0, decode(value->>1, 'hex'),
         value->>2, cast(value->>3 as bigint)
     from jsonb_array_elements($1::text::jsonb) with ordinality as rows (value, nr)",
};
static BLOBS: Text = text!(
    "blobs: save",
    "insert into blobs (id, conversation, size, created, sha256, mime, name)
     select value->>0, cast(value->>1 as bigint), cast(value->>2 as bigint), cast(value->>3 as bigint), value->>4,
         value->>5, value->>6
     from ",
    ROWS,
    UPSERT,
    "(id) do update set conversation = excluded.conversation, size = excluded.size, created = excluded.created,
         sha256 = excluded.sha256, mime = excluded.mime, name = excluded.name"
);

pub(crate) fn channels(changes: &Changes, plan: &mut Plan<'_>) {
    let (mut swapped, mut begun) = (Rows::new(), Rows::new());
    for (channel, key, expected, value) in &changes.swapped_shelf {
        match expected {
            Some(expected) => swapped.push([channel.into(), key.into(), expected.into(), value.into()]),
            None => begun.push([channel.into(), key.into(), value.into()]),
        }
    }
    // Whoever was faster is found out by the number of rows, on every database.
    plan.add_exact(&SWAP, swapped);
    plan.add_exact(&BEGIN, begun);
    let mut rows = Rows::new();
    for (channel, key, value) in last_of(&changes.shelf, |entry| (&entry.0, &entry.1)) {
        rows.push([channel.into(), key.into(), value.into()]);
    }
    plan.add(&SHELVES, rows);
    let mut rows = Rows::new();
    for (channel, raw, why, now) in &changes.quarantine {
        rows.push([channel.into(), Cell::Own(hex::encode(raw)), why.into(), (*now).into()]);
    }
    plan.add(&QUARANTINE, rows);
    let mut rows = Rows::new();
    for row in last_of(&changes.blobs, |row| &row.id) {
        rows.push([
            (&row.id).into(),
            row.conversation.map(|id| id.0).into(),
            row.size.into(),
            row.created.into(),
            (&row.sha256).into(),
            (&row.mime).into(),
            (&row.name).into(),
        ]);
    }
    plan.add(&BLOBS, rows);
}

static TOKENS: Text = text!(
    "tokens: save",
    "insert into tokens (id, name, sha256, scopes, technician, created, expires, revoked)
     select value->>0, value->>1, value->>2, value->>3, value->>4, cast(value->>5 as bigint),
         cast(value->>6 as bigint), cast(value->>7 as bigint)
     from ",
    ROWS,
    UPSERT,
    "(id) do update set name = excluded.name, sha256 = excluded.sha256, scopes = excluded.scopes,
         technician = excluded.technician, created = excluded.created, expires = excluded.expires,
         revoked = excluded.revoked"
);
static REVOKE: Text =
    text!("tokens: revoke", "update tokens set revoked = 1 where id in (select value from ", KEYS, ")");

pub(crate) fn tokens(changes: &Changes, plan: &mut Plan<'_>) {
    let mut rows = Rows::new();
    for row in last_of(&changes.tokens, |row| &row.id) {
        rows.push([
            (&row.id).into(),
            (&row.name).into(),
            (&row.sha256).into(),
            json(&row.scopes),
            row.technician.as_ref().map(|technician| technician.as_str()).into(),
            row.created.into(),
            row.expires.into(),
            row.revoked.into(),
        ]);
    }
    plan.add(&TOKENS, rows);
    let mut rows = Rows::new();
    for id in &changes.revoked_tokens {
        rows.push_key(id);
    }
    plan.add(&REVOKE, rows);
}

static AUDIT: Text = text!(
    "audit: insert",
    "insert into audit (id, now, who, act, conversation, hash)
     select cast(value->>0 as bigint), cast(value->>1 as bigint), value->>2, value->>3, cast(value->>4 as bigint),
         value->>5
     from ",
    ROWS
);

/// Another node's row in between takes the id: a conflict, and the batch is tried again after it.
pub(crate) fn audit(changes: &Changes, plan: &mut Plan<'_>) {
    let (mut id, hash) = plan.known.last_audit();
    let mut previous = hash.to_owned();
    let mut rows = Rows::new();
    for (now, by, act, conversation) in &changes.audit {
        id += 1;
        // As it will be read back.
        let clean = |text: &String| text.replace('\0', "\u{fffd}");
        let row = audit::next(&previous, id, *now, by.as_ref().map(clean), clean(act), *conversation);
        rows.push([
            row.id.into(),
            row.now.into(),
            row.by.as_deref().into(),
            (&row.act).into(),
            row.conversation.map(|id| id.0).into(),
            (&row.hash).into(),
        ]);
        previous.clone_from(&row.hash);
        plan.last_audit = Some(row);
    }
    plan.add(&AUDIT, rows);
}

static FEEDBACK: Text = text!(
    "feedback: save",
    "insert into feedback (conversation, seq, n, helpful, now)
     select cast(value->>0 as bigint), cast(value->>1 as bigint), cast(value->>2 as bigint),
         cast(value->>3 as bigint), cast(value->>4 as bigint)
     from ",
    ROWS,
    UPSERT,
    "(conversation, seq, n) do update set helpful = excluded.helpful, now = excluded.now"
);

pub(crate) fn feedback(changes: &Changes, plan: &mut Plan<'_>) {
    let mut rows = Rows::new();
    for (message, helpful, now) in last_of(&changes.feedback, |feedback| feedback.0) {
        rows.push_id(*message, [(*helpful).into(), (*now).into()]);
    }
    plan.add(&FEEDBACK, rows);
}

/// Only from the number that was loaded: two nodes never give out the same one.
pub(crate) static COUNTERS: Text = text!(
    "counters: update",
    "update counters set number = cast(value->>1 as bigint) from ",
    ROWS,
    " where counters.name = value->>0 and counters.number = cast(value->>2 as bigint)"
);

/// The highest conversation and ticket numbers that these changes give out.
pub(crate) fn highest(changes: &Changes) -> (i64, i64) {
    let conversation = changes.conversations.iter().map(|row| row.state.id.0).max().unwrap_or(0);
    let tickets = changes.tickets.iter().filter(|(_, op, _)| matches!(op, TicketOp::Create { .. }));
    (conversation, tickets.map(|(number, _, _)| *number).max().unwrap_or(0))
}

pub(crate) fn counters(changes: &Changes, plan: &mut Plan<'_>) {
    let (conversation, ticket) = highest(changes);
    let mut rows = Rows::new();
    for (name, new, old) in [
        ("conversation", conversation, plan.known.last_conversation()),
        ("ticket", ticket, plan.known.last_ticket()),
    ] {
        if new > old {
            rows.push([name.into(), new.into(), old.into()]);
        }
    }
    plan.add_exact(&COUNTERS, rows);
}

/// For the test that looks at their plans.
#[cfg(test)]
pub(super) static TEXTS: &[&Text] = &[
    &TECHNICIANS,
    &PRESENCE,
    &SWAP,
    &BEGIN,
    &SHELVES,
    &QUARANTINE,
    &BLOBS,
    &TOKENS,
    &REVOKE,
    &AUDIT,
    &FEEDBACK,
    &COUNTERS,
];

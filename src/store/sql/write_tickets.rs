//! Writes of the embedded ticket desk.
//!
//! Not here: the words of the history (`tickets.rs`).

use std::collections::BTreeMap;

use deskbridge_conversation::TicketStatus;

use super::changes::Plan;
use super::rows::{Cell, Rows, first_of};
use super::{Text, text};
use crate::backend::Changes;
use crate::job::TicketOp;
use crate::tickets::{change, status_name, words as ticket_words};

static STATUS: Text = text!(
    "tickets: status",
    "update tickets set status = value->>1 from ",
    ROWS,
    " where tickets.number = cast(value->>0 as bigint)"
);
static CREATE: Text = text!(
    "tickets: insert",
    "insert into tickets (number, key, conversation, status, priority, requester, technician, created, updated,
         summary, description, words)
     select cast(value->>0 as bigint), value->>1, cast(value->>2 as bigint), value->>3, cast(value->>4 as bigint),
         value->>5, value->>6, cast(value->>7 as bigint), cast(value->>7 as bigint), value->>8, value->>9, value->>10
     from ",
    ROWS
);
static TECHNICIAN: Text = text!(
    "tickets: technician",
    "update tickets set technician = value->>1 from ",
    ROWS,
    " where tickets.number = cast(value->>0 as bigint)"
);
/// Leaves none for a comment or an attachment that is there already; so it runs before those.
static HISTORY: Text = text!(
    "ticket_history: insert",
    "insert into ticket_history (ticket, who, what, now)
     select cast(value->>0 as bigint), value->>1, value->>2, cast(value->>3 as bigint) from ",
    ROWS,
    " where exists (select 1 from tickets as t where t.number = cast(value->>0 as bigint))
         and not exists (select 1 from ticket_comments as c where c.key = value->>4)
         and not exists (select 1 from ticket_attachments as a
             where a.ticket = cast(value->>0 as bigint) and a.blob = value->>5)
     order by ",
    NR
);
static COMMENTS: Text = Text {
    name: "ticket_comments: insert",
    sqlite: "insert into ticket_comments (ticket, key, author, public, now, text)
     select cast(value->>0 as bigint), value->>1, value->>2, cast(value->>3 as bigint), cast(value->>4 as bigint),
         value->>5
     from jsonb_each($1) as rows where exists (select 1 from tickets as t where t.number = cast(value->>0 as bigint))
     order by rows.key on conflict (key) do nothing",
    postgres: "insert into ticket_comments (ticket, key, author, public, now, text)
     select cast(value->>0 as bigint), value->>1, value->>2, cast(value->>3 as bigint), cast(value->>4 as bigint),
         value->>5
     from jsonb_array_elements($1::text::jsonb) with ordinality as rows (value, nr)
     where exists (select 1 from tickets as t where t.number = cast(value->>0 as bigint))
     order by rows.nr on conflict (key) do nothing",
};
static ATTACHMENTS: Text = Text {
    name: "ticket_attachments: insert",
    sqlite: "insert into ticket_attachments (ticket, blob, name)
     select cast(value->>0 as bigint), value->>1, value->>2
     from jsonb_each($1) as rows where exists (select 1 from tickets as t where t.number = cast(value->>0 as bigint))
     order by rows.key on conflict (ticket, blob) do nothing",
    postgres: "insert into ticket_attachments (ticket, blob, name)
     select cast(value->>0 as bigint), value->>1, value->>2
     from jsonb_array_elements($1::text::jsonb) with ordinality as rows (value, nr)
     where exists (select 1 from tickets as t where t.number = cast(value->>0 as bigint))
     order by rows.nr on conflict (ticket, blob) do nothing",
};
static UPDATED: Text = text!(
    "tickets: updated",
    "update tickets set updated = (select h.now from ticket_history as h where h.ticket = tickets.number
         order by h.id desc limit 1)
     where number in (select cast(value->>0 as bigint) from ",
    ROWS,
    ")"
);

/// Statuses first, and new tickets with the last one they get in this batch: so a ticket that is resolved makes room
/// for the next of its conversation, whichever order the index sees them in.
pub(crate) fn tickets(changes: &Changes, plan: &mut Plan<'_>) {
    if changes.tickets.is_empty() {
        return;
    }
    let mut last: BTreeMap<i64, TicketStatus> = BTreeMap::new();
    let mut technicians: BTreeMap<i64, Option<&str>> = BTreeMap::new();
    for (number, op, _) in &changes.tickets {
        match op {
            TicketOp::SetStatus { status, .. } => {
                last.insert(*number, *status);
            }
            TicketOp::SetTechnician { technician, .. } => {
                technicians.insert(*number, technician.as_deref());
            }
            TicketOp::Create { .. } | TicketOp::Comment { .. } | TicketOp::Attach { .. } => {}
        }
    }
    let mut rows = Rows::new();
    for (number, status) in &last {
        rows.push([(*number).into(), status_name(*status).into()]);
    }
    plan.add(&STATUS, rows);
    create(changes, &last, plan);
    let mut rows = Rows::new();
    for (number, technician) in &technicians {
        rows.push([(*number).into(), (*technician).into()]);
    }
    plan.add(&TECHNICIAN, rows);
    additions(changes, plan);
}

fn create(changes: &Changes, last: &BTreeMap<i64, TicketStatus>, plan: &mut Plan<'_>) {
    let mut rows = Rows::new();
    for (number, op, now) in &changes.tickets {
        let TicketOp::Create { key, conversation, summary, description, priority, requester, technician } =
            op
        else {
            continue;
        };
        let status = last.get(number).copied().unwrap_or(TicketStatus::Open);
        rows.push([
            (*number).into(),
            key.into(),
            conversation.map(|id| id.0).into(),
            status_name(status).into(),
            (*priority).into(),
            requester.into(),
            technician.as_deref().into(),
            (*now).into(),
            summary.into(),
            description.into(),
            Cell::Own(ticket_words(*number, summary, requester)),
        ]);
    }
    plan.add(&CREATE, rows);
}

/// What makes an addition the same as one before.
fn identity(number: i64, op: &TicketOp, place: usize) -> (i64, u8, String) {
    match op {
        TicketOp::Comment { key, .. } => (0, 1, key.clone()),
        TicketOp::Attach { blob, .. } => (number, 2, blob.clone()),
        TicketOp::Create { .. } | TicketOp::SetStatus { .. } | TicketOp::SetTechnician { .. } => {
            (number, 0, place.to_string())
        }
    }
}

fn additions(changes: &Changes, plan: &mut Plan<'_>) {
    let numbered: Vec<_> = changes.tickets.iter().enumerate().collect();
    let (mut history, mut comments, mut attachments, mut touched) =
        (Rows::new(), Rows::new(), Rows::new(), Rows::new());
    for (_, (number, op, now)) in
        first_of(&numbered, |(place, (number, op, _))| identity(*number, op, *place))
    {
        let (mut comment_key, mut attached) = (Cell::Null, Cell::Null);
        match op {
            TicketOp::Comment { key, author, text, public, .. } => {
                comment_key = key.into();
                comments.push([
                    (*number).into(),
                    key.into(),
                    author.into(),
                    (*public).into(),
                    (*now).into(),
                    text.into(),
                ]);
            }
            TicketOp::Attach { blob, name, .. } => {
                attached = blob.into();
                attachments.push([(*number).into(), blob.into(), name.into()]);
            }
            TicketOp::Create { .. } | TicketOp::SetStatus { .. } | TicketOp::SetTechnician { .. } => {}
        }
        let change = change(op, *now);
        history.push([
            (*number).into(),
            (&change.by).into(),
            (&change.what).into(),
            change.now.into(),
            comment_key,
            attached,
        ]);
        touched.push([(*number).into()]);
    }
    plan.add(&HISTORY, history);
    plan.add(&COMMENTS, comments);
    plan.add(&ATTACHMENTS, attachments);
    plan.add(&UPDATED, touched);
}

/// For the test that looks at their plans.
#[cfg(test)]
pub(super) static TEXTS: &[&Text] =
    &[&STATUS, &CREATE, &TECHNICIAN, &HISTORY, &COMMENTS, &ATTACHMENTS, &UPDATED];

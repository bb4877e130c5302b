//! Writes of what was said: causes, conversations, sessions, messages, the log.
//!
//! Not here: what goes out (`write_delivery.rs`).

use std::collections::HashSet;

use deskbridge_conversation::{Conversation, MessageId, OfferTo, Requester, STATE_VERSION, Stage};

use super::changes::{Dialect, Plan};
use super::decode::audience_name;
use super::rows::{Cell, Rows, json, last_of};
use super::{Text, text};
use crate::backend::Changes;
use crate::rows::ConversationRow;
use crate::search;

pub(crate) static CAUSES: Text = text!(
    "causes: insert",
    "insert into causes (key, conversation, now)
     select value->>0, cast(value->>1 as bigint), cast(value->>2 as bigint) from ",
    ROWS
);

pub(crate) fn causes(changes: &Changes, plan: &mut Plan<'_>) {
    let mut causes: Vec<_> = changes.causes.iter().collect();
    // One order on every node, so that two that store the same causes wait instead of locking each other out.
    causes.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let mut rows = Rows::new();
    for (key, conversation, now) in causes {
        rows.push([key.into(), (*conversation).into(), (*now).into()]);
    }
    plan.add(&CAUSES, rows);
}

pub(crate) static OPEN: Text = text!(
    "conversations: insert",
    "insert into conversations (id, seq, version, stage, queue, requester, assignee, offered, priority, front,
         waiting_since, waited_from, accepted, wake_at, opened, updated, closed, state)
     select cast(value->>0 as bigint), cast(value->>1 as bigint), cast(value->>2 as bigint), value->>3, value->>4,
         value->>5, value->>6, value->>7, cast(value->>8 as bigint), cast(value->>9 as bigint),
         cast(value->>10 as bigint), cast(value->>11 as bigint), cast(value->>12 as bigint),
         cast(value->>13 as bigint), cast(value->>14 as bigint), cast(value->>15 as bigint),
         cast(value->>16 as bigint), value->>17
     from ",
    ROWS
);

/// The wait that ended last stays when the stage moves on; a later wait replaces it.
pub(crate) static MOVE: Text = text!(
    "conversations: update",
    "update conversations set seq = cast(value->>1 as bigint), version = cast(value->>2 as bigint),
         stage = value->>3, queue = value->>4, requester = value->>5, assignee = value->>6, offered = value->>7,
         priority = cast(value->>8 as bigint), front = cast(value->>9 as bigint),
         waiting_since = cast(value->>10 as bigint),
         accepted = case when cast(value->>11 as bigint) is distinct from waited_from
             then coalesce(cast(value->>12 as bigint), accepted) else accepted end,
         waited_from = coalesce(cast(value->>11 as bigint), waited_from),
         wake_at = cast(value->>13 as bigint), opened = cast(value->>14 as bigint),
         updated = cast(value->>15 as bigint), closed = cast(value->>16 as bigint), state = value->>17
     from ",
    ROWS,
    " where conversations.id = cast(value->>0 as bigint) and conversations.seq = cast(value->>18 as bigint)"
);

/// Most events change nothing that a list needs; then most indexes need no visit.
pub(crate) static TOUCH: Text = text!(
    "conversations: touch",
    "update conversations set seq = cast(value->>1 as bigint), version = cast(value->>2 as bigint),
         wake_at = cast(value->>3 as bigint), updated = cast(value->>4 as bigint), state = value->>5
     from ",
    ROWS,
    " where conversations.id = cast(value->>0 as bigint) and conversations.seq = cast(value->>6 as bigint)"
);

/// The columns that lists and scans need and that most events leave alone.
#[derive(PartialEq)]
struct Columns<'a> {
    stage: &'static str,
    queue: &'a str,
    requester: &'a str,
    assignee: Option<&'a str>,
    offered: Option<&'a str>,
    priority: u8,
    front: bool,
    waiting_since: Option<i64>,
    waited_from: Option<i64>,
    accepted: Option<i64>,
    opened: i64,
    closed: Option<i64>,
}

impl<'a> Columns<'a> {
    fn of(state: &'a Conversation) -> Self {
        let mut columns = Columns {
            stage: state.stage_name(),
            queue: state.queue.as_str(),
            requester: state.requester.id.as_str(),
            assignee: state.assignee().map(|technician| technician.as_str()),
            offered: None,
            priority: state.priority,
            front: false,
            waiting_since: None,
            waited_from: None,
            accepted: None,
            opened: state.opened.0,
            closed: None,
        };
        match &state.stage {
            Stage::Assisting(_) => {}
            Stage::Handover(handover) => {
                columns.front = handover.front;
                columns.waiting_since = handover.offer.is_none().then_some(handover.since.0);
                columns.offered = handover.offer.as_ref().and_then(|offer| match &offer.to {
                    OfferTo::One(technician) => Some(technician.as_str()),
                    OfferTo::Everyone => None,
                });
            }
            Stage::Assigned(assigned) => {
                columns.offered = assigned.transfer.as_ref().map(|transfer| transfer.to.as_str());
                columns.waited_from = Some(assigned.waited_since.0);
                columns.accepted = Some(assigned.since.0);
            }
            Stage::Closed(closed) => columns.closed = Some(closed.at.0),
        }
        columns
    }
}

pub(crate) fn conversations(changes: &Changes, plan: &mut Plan<'_>) {
    let (mut opened, mut moved, mut touched) = (Rows::new(), Rows::new(), Rows::new());
    for (row, loaded_seq) in changes.conversations.iter().zip(&changes.loaded_seqs) {
        let columns = Columns::of(&row.state);
        let same = plan.known.before(row.state.id).is_some_and(|before| Columns::of(before) == columns);
        if *loaded_seq == 0 {
            opened.push(cells(row, &columns, *loaded_seq));
        } else if same {
            touched.push([
                row.state.id.0.into(),
                row.state.seq.into(),
                STATE_VERSION.into(),
                row.wake_at.into(),
                row.updated.into(),
                json(&row.state),
                (*loaded_seq).into(),
            ]);
        } else {
            moved.push(cells(row, &columns, *loaded_seq));
        }
    }
    plan.add_exact(&OPEN, opened);
    plan.add_exact(&MOVE, moved);
    plan.add_exact(&TOUCH, touched);
}

fn cells<'a>(row: &'a ConversationRow, columns: &Columns<'a>, loaded_seq: u64) -> [Cell<'a>; 19] {
    [
        row.state.id.0.into(),
        row.state.seq.into(),
        STATE_VERSION.into(),
        columns.stage.into(),
        columns.queue.into(),
        columns.requester.into(),
        columns.assignee.into(),
        columns.offered.into(),
        columns.priority.into(),
        columns.front.into(),
        columns.waiting_since.into(),
        columns.waited_from.into(),
        columns.accepted.into(),
        row.wake_at.into(),
        columns.opened.into(),
        row.updated.into(),
        columns.closed.into(),
        json(&row.state),
        loaded_seq.into(),
    ]
}

static REQUESTERS: Text = text!(
    "requesters: save",
    "insert into requesters (id, name, language, away, first_opened, last_opened, words)
     select value->>0, value->>1, value->>2, cast(value->>3 as bigint), cast(value->>4 as bigint),
         cast(value->>4 as bigint), value->>5
     from ",
    ROWS,
    UPSERT,
    "(id) do update set name = excluded.name, language = excluded.language, away = excluded.away,
         words = excluded.words,
         last_opened = case when excluded.last_opened > requesters.last_opened
             then excluded.last_opened else requesters.last_opened end"
);

static IDENTITIES: Text = text!(
    "identities: insert",
    "insert into identities (identity, requester) select value->>0, value->>0 from ",
    ROWS,
    UPSERT,
    "(identity) do nothing"
);

/// A requester is found by name, and by what their platform calls them.
fn found_by(requester: &Requester) -> String {
    let remote = requester.id.0.split_once(':').map_or("", |(_, remote)| remote);
    search::found_by(&[&requester.name, remote])
}

/// Only of conversations that are new or whose requester changed.
pub(crate) fn requesters(changes: &Changes, plan: &mut Plan<'_>) {
    let (mut saved, mut new) = (Rows::new(), Rows::new());
    for row in last_of(&changes.conversations, |row| &row.state.requester.id) {
        let (requester, opened) = (&row.state.requester, row.state.opened);
        let before = plan.known.before(row.state.id);
        if row.state.is_erased() {
            continue;
        }
        if before.is_none_or(|before| before.requester != *requester) {
            saved.push([
                requester.id.as_str().into(),
                (&requester.name).into(),
                (&requester.language).into(),
                requester.away.into(),
                opened.into(),
                Cell::Own(found_by(requester)),
            ]);
        }
        if before.is_none() {
            new.push([requester.id.as_str().into()]);
        }
    }
    plan.add(&REQUESTERS, saved);
    plan.add(&IDENTITIES, new);
}

pub(crate) static SESSIONS: Text = text!(
    "sessions: save",
    "insert into sessions (conversation, session, requester, address)
     select cast(value->>0 as bigint), cast(value->>1 as bigint), cast(value->>2 as bigint), value->>3 from ",
    ROWS,
    UPSERT,
    "(conversation, session) do update set requester = excluded.requester, address = excluded.address"
);

pub(crate) fn sessions(changes: &Changes, plan: &mut Plan<'_>) {
    let mut rows = Rows::new();
    for row in last_of(&changes.sessions, |row| (row.conversation, row.session)) {
        rows.push([
            row.conversation.0.into(),
            row.session.0.into(),
            row.requester.into(),
            (&row.address).into(),
        ]);
    }
    plan.add(&SESSIONS, rows);
}

pub(crate) static MESSAGES: Text = text!(
    "messages: insert",
    "insert into messages (conversation, seq, n, audience, deleted, now, at, edited, reply_to, author, content)
     select cast(value->>0 as bigint), cast(value->>1 as bigint), cast(value->>2 as bigint), value->>3,
         cast(value->>4 as bigint), cast(value->>5 as bigint), cast(value->>6 as bigint), cast(value->>7 as bigint),
         value->>8, value->>9, value->>10
     from ",
    ROWS
);

pub(crate) fn messages(changes: &Changes, plan: &mut Plan<'_>) {
    let mut rows = Rows::new();
    for row in &changes.messages {
        let rest = [
            audience_name(row.audience).into(),
            row.deleted.into(),
            row.now.into(),
            row.at.into(),
            row.edited.into(),
            row.reply_to.map_or(Cell::Null, |id| Cell::Own(id.to_string())),
            json(&row.author),
            json(&row.content),
        ];
        rows.push_id(row.id, rest);
    }
    plan.add(&MESSAGES, rows);
}

static EDIT: Text = text!(
    "messages: edit",
    "update messages set content = value->>3, edited = coalesce(cast(value->>4 as bigint), edited) from ",
    ROWS,
    " where messages.conversation = cast(value->>0 as bigint) and messages.seq = cast(value->>1 as bigint)
         and messages.n = cast(value->>2 as bigint)"
);
static DELETE: Text = text!(
    "messages: delete",
    "update messages set deleted = 1 from ",
    ROWS,
    " where messages.conversation = cast(value->>0 as bigint) and messages.seq = cast(value->>1 as bigint)
         and messages.n = cast(value->>2 as bigint)"
);
static AUDIENCE: Text = text!(
    "messages: audience",
    "update messages set audience = value->>3 from ",
    ROWS,
    " where messages.conversation = cast(value->>0 as bigint) and messages.seq = cast(value->>1 as bigint)
         and messages.n = cast(value->>2 as bigint)"
);
static QUEUE_SEARCH: Text = text!(
    "search_queue: insert",
    "insert into search_queue (conversation, seq, n)
     select cast(value->>0 as bigint), cast(value->>1 as bigint), cast(value->>2 as bigint) from ",
    ROWS,
    UPSERT,
    "(conversation, seq, n) do nothing"
);

/// Edits, deletions, copied attachments, changed audiences; and what search must look at again.
pub(crate) fn rewrites(changes: &Changes, plan: &mut Plan<'_>) {
    let mut edits = Rows::new();
    for (id, content, now) in last_of(&changes.edits, |edit| edit.0) {
        edits.push_id(*id, [json(content), (*now).into()]);
    }
    plan.add(&EDIT, edits);
    let mut deletes = Rows::new();
    for (id, _) in &changes.deletes {
        deletes.push_id(*id, []);
    }
    plan.add(&DELETE, deletes);
    let mut replaced = Rows::new();
    for (id, content) in last_of(&changes.replaced, |replaced| replaced.0) {
        replaced.push_id(*id, [json(content), Cell::Null]);
    }
    plan.add(&EDIT, replaced);
    let mut audiences = Rows::new();
    for (id, audience) in last_of(&changes.audiences, |audience| audience.0) {
        audiences.push_id(*id, [audience_name(*audience).into()]);
    }
    plan.add(&AUDIENCE, audiences);
    queue_search(changes, plan);
}

fn queue_search(changes: &Changes, plan: &mut Plan<'_>) {
    let edited = changes.edits.iter().map(|edit| edit.0);
    let replaced = changes.replaced.iter().map(|replaced| replaced.0);
    let deleted = changes.deletes.iter().map(|delete| delete.0);
    let mut ids: HashSet<MessageId> = edited.chain(replaced).chain(deleted).collect();
    // SQLite finds new messages by their place in the table; PostgreSQL has no such order between nodes.
    if plan.dialect == Dialect::Postgres {
        ids.extend(changes.messages.iter().map(|row| row.id));
    }
    let mut ids: Vec<MessageId> = ids.into_iter().collect();
    ids.sort_unstable();
    let mut rows = Rows::new();
    for id in ids {
        rows.push_id(id, []);
    }
    plan.add(&QUEUE_SEARCH, rows);
}

pub(crate) static LOG: Text = text!(
    "log: insert",
    "insert into log (conversation, seq, cause, policy, event)
     select cast(value->>0 as bigint), cast(value->>1 as bigint), value->>2, value->>3, value->>4 from ",
    ROWS
);

pub(crate) fn log(changes: &Changes, plan: &mut Plan<'_>) {
    let mut rows = Rows::new();
    for row in &changes.log {
        rows.push([
            row.conversation.0.into(),
            row.seq.into(),
            (&row.cause).into(),
            (&row.policy).into(),
            json(&row.event),
        ]);
    }
    plan.add(&LOG, rows);
}

/// For the test that looks at their plans.
#[cfg(test)]
pub(super) static TEXTS: &[&Text] = &[
    &CAUSES,
    &OPEN,
    &MOVE,
    &TOUCH,
    &REQUESTERS,
    &IDENTITIES,
    &SESSIONS,
    &MESSAGES,
    &EDIT,
    &DELETE,
    &AUDIENCE,
    &QUEUE_SEARCH,
    &LOG,
];

//! Erasing a requester: words, files, names and places out of every table; ids and facts stay.
//!
//! Not here: the bytes that a database leaves behind when it deletes (`sqlite/scrub.rs`).

use super::changes::Plan;
use super::rows::{Rows, json, last_of};
use super::{Text, text};
use crate::backend::Changes;
use crate::tombstone;
use deskbridge_contract::Content;
use deskbridge_conversation::Author;

static MESSAGES: Text = text!(
    "messages: erase",
    "update messages set deleted = 1, content = value->>2,
         author = case when author like '{\"requester\":%' or author like '{\"bystander\":%' then value->>3 else author end
     from ",
    ROWS,
    " where messages.conversation = cast(value->>0 as bigint) and messages.seq < cast(value->>1 as bigint)"
);
/// What is drawn late shows the new state, so it stays queued.
static OUTBOX: Text = text!(
    "outbox: erase",
    "update outbox set error = null, shown = null,
         updated = case when state = 'queued' and coalesces is null then cast(value->>2 as bigint) else updated end,
         state = case when state = 'queued' and coalesces is null then 'cancelled' else state end
     from ",
    ROWS,
    " where outbox.conversation = cast(value->>0 as bigint) and outbox.seq < cast(value->>1 as bigint)"
);
static SEARCH: Text = Text {
    name: "search: erase",
    sqlite: "delete from search where rowid in (select m.pos from jsonb_each($1) as rows
         cross join messages as m where m.conversation = value->>0 and m.seq < value->>1)",
    postgres: "delete from search where (conversation, seq, n) in (select m.conversation, m.seq, m.n
         from jsonb_array_elements($1::text::jsonb) as rows (value) cross join messages as m
         where m.conversation = cast(value->>0 as bigint) and m.seq < cast(value->>1 as bigint))",
};
/// How it ended stays, by the name of a state; what the platform said to it does not.
static ATTEMPTS: Text = text!(
    "attempts: erase",
    "update attempts set outcome = 'erased'
     from ",
    ROWS,
    " where attempts.conversation = cast(value->>0 as bigint) and attempts.seq < cast(value->>1 as bigint)
         and attempts.outcome not in ('queued', 'attempting', 'accepted', 'sent', 'delivered', 'seen', 'unknown',
             'failed', 'cancelled')"
);
static LINKS: Text = text!(
    "links: erase",
    "delete from links where (conversation, session) in
         (select cast(value->>0 as bigint), cast(value->>1 as bigint) from ",
    ROWS,
    ")"
);
/// Before the tickets: who the requester was is said there.
static COMMENTS: Text = text!(
    "ticket_comments: erase",
    "update ticket_comments set text = '', author = case when author =
             (select t.requester from tickets as t where t.number = ticket_comments.ticket) then '' else author end
     where ticket in (select t.number from ",
    ROWS,
    " cross join tickets as t where t.conversation = cast(value->>0 as bigint))"
);
static HISTORY: Text = text!(
    "ticket_history: erase",
    "update ticket_history set who = case when who =
             (select t.requester from tickets as t where t.number = ticket_history.ticket) then '' else who end,
         what = case when what like 'attachment: %' then 'attachment' else what end
     where ticket in (select t.number from ",
    ROWS,
    " cross join tickets as t where t.conversation = cast(value->>0 as bigint))"
);
static ATTACHMENTS: Text = text!(
    "ticket_attachments: erase",
    "delete from ticket_attachments where ticket in (select t.number from ",
    ROWS,
    " cross join tickets as t where t.conversation = cast(value->>0 as bigint))"
);
static TICKETS: Text = text!(
    "tickets: erase",
    "update tickets set summary = '', description = '', requester = '',
         words = ' t ' || case when number < 1000000 then substr(cast(1000000 + number as text), 2)
             else cast(number as text) end || ' ' || number || ' '
     from ",
    ROWS,
    " where tickets.conversation = cast(value->>0 as bigint)"
);

fn conversations(changes: &Changes, plan: &mut Plan<'_>) {
    let all = last_of(&changes.erased, |row| row.conversation);
    let (mut ids, mut links) = (Rows::new(), Rows::new());
    let (mut messages, mut outbox) = (Rows::new(), Rows::new());
    for row in all {
        let key = || [row.conversation.0.into(), row.seq.into()];
        ids.push(key());
        let ([a, b], [c, d]) = (key(), key());
        messages.push([a, b, json(&Content::default()), json(&Author::Requester(row.requester.clone()))]);
        outbox.push([c, d, row.now.into()]);
        for session in &row.sessions {
            links.push([row.conversation.0.into(), session.0.into()]);
        }
    }
    let rows = ids.finish();
    // First of all: it waits for whoever indexes one of them on another node, and what was indexed is there to be deleted then.
    plan.add(&MESSAGES, messages);
    for text in [&SEARCH, &ATTEMPTS, &COMMENTS, &HISTORY, &ATTACHMENTS, &TICKETS] {
        plan.add_same(text, &rows, !changes.erased.is_empty());
    }
    plan.add(&OUTBOX, outbox);
    plan.add(&LINKS, links);
}

static BURY: Text = text!(
    "causes: bury",
    "insert into causes (key, conversation, now) select value->>0, 0, cast(value->>1 as bigint) from ",
    ROWS,
    UPSERT,
    "(key) do update set now = excluded.now"
);
static DROP_SHELF: Text = text!(
    "shelves: drop",
    "delete from shelves where (channel, key) in (select value->>0, value->>1 from ",
    ROWS,
    ")"
);
static FORGET_REQUESTERS: Text = text!(
    "requesters: forget",
    "delete from requesters where id in (select value from ",
    KEYS,
    ") and not exists (select 1 from conversations as c where c.requester = requesters.id)"
);
static FORGET_IDENTITIES: Text = text!(
    "identities: forget",
    "delete from identities where requester in (select value from ",
    KEYS,
    ") and not exists (select 1 from conversations as c where c.requester = identities.requester)"
);
static FORGET_QUARANTINE: Text = text!(
    "quarantine: forget",
    "delete from quarantine where id in (select cast(value as bigint) from ",
    KEYS,
    ")"
);
static FORGET_BLOBS: Text =
    text!("blobs: forget", "delete from blobs where id in (select value from ", KEYS, ")");
static FORGET_KEPT: Text = text!(
    "kept: forget",
    "delete from kept where (kind, key) in (select value->>0, value->>1 from ",
    ROWS,
    ")"
);
static FORGET_OLD_KEPT: Text = text!(
    "kept: forget the old",
    "delete from kept where (kind, owner, key) in (select k.kind, k.owner, k.key from ",
    ROWS,
    " cross join kept as k where k.kind = rows.value->>0 and k.updated < cast(rows.value->>1 as bigint))"
);
static FORGET_LOG: Text = text!(
    "log: forget",
    "update log set event = value->>2 from ",
    ROWS,
    " where log.conversation = cast(value->>0 as bigint) and log.seq = cast(value->>1 as bigint)"
);

pub(crate) fn erasure(changes: &Changes, plan: &mut Plan<'_>) {
    conversations(changes, plan);
    let mut buried = Rows::new();
    for (requester, until) in last_of(&changes.buried, |(requester, _)| requester) {
        let key = tombstone::key(plan.known.salt(), requester);
        buried.push([key.as_str().into(), (*until).into()]);
    }
    plan.add(&BURY, buried);
    let mut shelf = Rows::new();
    for (channel, key) in &changes.dropped_shelf {
        shelf.push([channel.into(), key.into()]);
    }
    plan.add(&DROP_SHELF, shelf);
    let gone = &changes.forgotten;
    for text in [&FORGET_REQUESTERS, &FORGET_IDENTITIES] {
        let mut rows = Rows::new();
        gone.requesters.iter().for_each(|requester| rows.push_key(requester.as_str()));
        plan.add(text, rows);
    }
    let (mut quarantine, mut blobs, mut kept) = (Rows::new(), Rows::new(), Rows::new());
    gone.quarantine.iter().for_each(|id| quarantine.push_number(*id));
    gone.blobs.iter().for_each(|id| blobs.push_key(id));
    gone.kept.iter().for_each(|(kind, key)| kept.push([kind.into(), key.into()]));
    plan.add(&FORGET_QUARANTINE, quarantine);
    plan.add(&FORGET_BLOBS, blobs);
    plan.add(&FORGET_KEPT, kept);
    let mut old = Rows::new();
    gone.old_kept.iter().for_each(|(kind, at)| old.push([kind.into(), (*at).into()]));
    plan.add(&FORGET_OLD_KEPT, old);
    let mut log = Rows::new();
    for row in last_of(&gone.log, |row| (row.conversation, row.seq)) {
        log.push([row.conversation.0.into(), row.seq.into(), json(&row.event)]);
    }
    plan.add(&FORGET_LOG, log);
}

/// For the test that looks at their plans.
#[cfg(test)]
pub(super) static TEXTS: &[&Text] = &[
    &MESSAGES,
    &OUTBOX,
    &SEARCH,
    &ATTEMPTS,
    &LINKS,
    &COMMENTS,
    &HISTORY,
    &ATTACHMENTS,
    &TICKETS,
    &BURY,
    &DROP_SHELF,
    &FORGET_REQUESTERS,
    &FORGET_IDENTITIES,
    &FORGET_QUARANTINE,
    &FORGET_BLOBS,
    &FORGET_KEPT,
    &FORGET_OLD_KEPT,
    &FORGET_LOG,
];

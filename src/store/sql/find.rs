//! What people look for by a word: labels, names of requesters, tickets.
//!
//! Not here: words of messages, which have an index of their own (`sqlite/index.rs`, `postgres/index.rs`).

use deskbridge_conversation::RequesterId;

use super::changes::Plan;
use super::decode::Row;
use super::rows::{Rows, last_of};
use super::{Text, text};
use crate::backend::Changes;
use crate::job::StoreError;
use crate::rows::PersonRow;

static DROP_LABELS: Text = text!(
    "labels: drop",
    "delete from labels where conversation in (select cast(value as bigint) from ",
    KEYS,
    ")"
);
static LABELS: Text = text!(
    "labels: insert",
    "insert into labels (label, conversation) select value->>0, cast(value->>1 as bigint) from ",
    ROWS,
    UPSERT,
    "(label, conversation) do nothing"
);

/// Only of conversations whose labels changed.
pub(crate) fn labels(changes: &Changes, plan: &mut Plan<'_>) {
    let (mut dropped, mut put) = (Rows::new(), Rows::new());
    for row in last_of(&changes.conversations, |row| row.state.id) {
        let id = row.state.id;
        let before = plan.known.before(id).map(|before| before.labels.as_slice()).unwrap_or_default();
        if before == row.state.labels {
            continue;
        }
        if !before.is_empty() {
            dropped.push_number(id.0);
        }
        for label in &row.state.labels {
            put.push([label.into(), id.0.into()]);
        }
    }
    plan.add(&DROP_LABELS, dropped);
    plan.add(&LABELS, put);
}

/// Newest first. `$1`: beginnings of words, all of which must occur.
pub(crate) static PEOPLE: Text = Text {
    name: "requesters: find",
    sqlite: "select r.id, r.name, r.language from requesters as r
         where not exists (select 1 from json_each($1) as term where instr(r.words, ' ' || term.value) = 0)
         order by r.last_opened desc, r.id desc limit $2",
    postgres: "select r.id, r.name, r.language from requesters as r
         where not exists (select 1 from jsonb_array_elements_text($1::text::jsonb) as term (value)
             where strpos(r.words, ' ' || term.value) = 0)
         order by r.last_opened desc, r.id desc limit $2",
};

pub(crate) static REQUESTER: Text =
    text!("requesters: one", "select r.id, r.name, r.language from requesters as r where r.id = $1");

/// Newest first, below the number `$2`.
pub(crate) static TICKETS: Text = Text {
    name: "tickets: find",
    sqlite: concat!(
        "select ",
        super::part!(TICKET),
        " from tickets where number < $2
             and not exists (select 1 from json_each($1) as term where instr(tickets.words, ' ' || term.value) = 0)
         order by number desc limit $3"
    ),
    postgres: concat!(
        "select ",
        super::part!(TICKET),
        " from tickets where number < $2
             and not exists (select 1 from jsonb_array_elements_text($1::text::jsonb) as term (value)
                 where strpos(tickets.words, ' ' || term.value) = 0)
         order by number desc limit $3"
    ),
};

impl Row {
    pub(crate) fn person(&self) -> Result<PersonRow, StoreError> {
        Ok(PersonRow { id: RequesterId(self.text(0)?), name: self.text(1)?, language: self.text(2)? })
    }
}

/// For the test that looks at their plans.
#[cfg(test)]
pub(super) static TEXTS: &[&Text] = &[&DROP_LABELS, &LABELS, &PEOPLE, &REQUESTER, &TICKETS];

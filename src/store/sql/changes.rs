//! A batch's changes as statements: a constant few per table that has rows, in the order of `Changes`' fields.
//!
//! Not here: running them (the backends), the tables' cells (the `write_*` files).

use deskbridge_conversation::{Conversation, ConversationId};

use super::Text;
use super::rows::Rows;
use super::{find, staff, write_admin, write_delivery, write_erasure, write_talk, write_tickets};
use crate::backend::Changes;
use crate::job::StoreError;
use crate::rows::AuditRow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// One statement and its one argument.
#[derive(Debug)]
pub(crate) struct Write {
    pub text: &'static Text,
    pub rows: String,
    /// The number of rows that must be written; fewer means that somebody else changed them.
    pub expect: Option<u64>,
}

/// What the backend knows and the changes do not say.
pub(crate) trait Known {
    /// The conversation as it was loaded.
    fn before(&self, id: ConversationId) -> Option<&Conversation>;
    /// The highest number given out, when loaded.
    fn last_conversation(&self) -> i64;
    fn last_ticket(&self) -> i64;
    /// The latest audit row's id and hash.
    fn last_audit(&self) -> (i64, &str);
    /// Of tombstones.
    fn salt(&self) -> &str;
}

pub(crate) struct Plan<'a> {
    pub dialect: Dialect,
    pub known: &'a dyn Known,
    pub writes: Vec<Write>,
    /// The new end of the audit chain.
    pub last_audit: Option<AuditRow>,
    fault: Option<StoreError>,
}

impl Plan<'_> {
    pub(crate) fn add(&mut self, text: &'static Text, rows: Rows) {
        self.push(text, rows, false);
    }

    /// Every row must be written.
    pub(crate) fn add_exact(&mut self, text: &'static Text, rows: Rows) {
        self.push(text, rows, true);
    }

    /// Rows that several statements share; none of their cells can be at fault.
    pub(crate) fn add_same(&mut self, text: &'static Text, rows: &str, any: bool) {
        if any {
            self.writes.push(Write { text, rows: rows.to_owned(), expect: None });
        }
    }

    fn push(&mut self, text: &'static Text, mut rows: Rows, exact: bool) {
        self.fault = self.fault.take().or(rows.fault.take());
        if rows.count() > 0 {
            let expect = exact.then_some(rows.count());
            self.writes.push(Write { text, rows: rows.finish(), expect });
        }
    }
}

pub(crate) fn plan<'a>(
    changes: &Changes,
    dialect: Dialect,
    known: &'a dyn Known,
) -> Result<Plan<'a>, StoreError> {
    let mut plan = Plan { dialect, known, writes: Vec::with_capacity(16), last_audit: None, fault: None };
    write_talk::causes(changes, &mut plan);
    write_talk::conversations(changes, &mut plan);
    find::labels(changes, &mut plan);
    write_talk::requesters(changes, &mut plan);
    write_talk::sessions(changes, &mut plan);
    write_talk::messages(changes, &mut plan);
    write_talk::rewrites(changes, &mut plan);
    write_talk::log(changes, &mut plan);
    write_delivery::progress(changes, &mut plan);
    write_delivery::outbox(changes, &mut plan);
    write_delivery::cancels(changes, &mut plan);
    write_delivery::attempts(changes, &mut plan);
    write_delivery::joints(changes, &mut plan);
    write_delivery::links(changes, &mut plan);
    write_admin::roster(changes, &mut plan);
    write_admin::channels(changes, &mut plan);
    write_admin::tokens(changes, &mut plan);
    staff::write(changes, &mut plan);
    write_admin::audit(changes, &mut plan);
    write_tickets::tickets(changes, &mut plan);
    write_admin::feedback(changes, &mut plan);
    write_erasure::erasure(changes, &mut plan);
    write_admin::counters(changes, &mut plan);
    match plan.fault.take() {
        Some(fault) => Err(fault),
        None => Ok(plan),
    }
}

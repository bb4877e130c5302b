//! `tickets`: those of the embedded desk, as far as their conversations may be seen.
//!
//! Not here: tickets of other systems; conversations link to them.

use std::sync::Arc;

use deskbridge_conversation::TicketStatus;
use deskbridge_services::tickets::shown;
use deskbridge_store::rows::TicketRow;
use serde::Serialize;

use super::Api;
use super::ROOT;
use super::call::{Answer, Call};
use super::page::{Cursor, MOST, one, page};
use super::sight::sees;
use super::view::time;
use crate::http::problem::Problem;

/// Tickets that one request looks at.
const LOOKED_AT: usize = 2_000;
/// Characters of a query.
const LONGEST: usize = 200;

#[derive(Serialize)]
pub struct TicketView {
    number: String,
    conversation: Option<i64>,
    summary: String,
    description: String,
    status: TicketStatus,
    priority: u8,
    requester: String,
    technician: Option<String>,
    created: String,
    updated: String,
    comments: Vec<CommentView>,
    history: Vec<ChangeView>,
    attachments: Vec<FileView>,
}

#[derive(Serialize)]
struct CommentView {
    author: String,
    text: String,
    public: bool,
    at: String,
}

#[derive(Serialize)]
struct ChangeView {
    by: String,
    what: String,
    at: String,
}

#[derive(Serialize)]
struct FileView {
    name: String,
    url: String,
}

impl From<TicketRow> for TicketView {
    fn from(row: TicketRow) -> Self {
        let comment = |one: deskbridge_store::rows::TicketComment| CommentView {
            author: one.author,
            text: one.text,
            public: one.public,
            at: time(one.now),
        };
        let change = |one: deskbridge_store::rows::TicketChange| ChangeView {
            by: one.by,
            what: one.what,
            at: time(one.now),
        };
        let file = |one: deskbridge_store::rows::TicketAttachment| FileView {
            url: format!("{ROOT}/blobs/{}", one.blob),
            name: one.name,
        };
        TicketView {
            number: shown(row.number),
            conversation: row.conversation.map(|id| id.0),
            summary: row.summary,
            description: row.description,
            status: row.status,
            priority: row.priority,
            requester: row.requester,
            technician: row.technician,
            created: time(row.created),
            updated: time(row.updated),
            comments: row.comments.into_iter().map(comment).collect(),
            history: row.history.into_iter().map(change).collect(),
            attachments: row.attachments.into_iter().map(file).collect(),
        }
    }
}

/// Newest first; with `q` only those found by number, summary or requester.
pub async fn list(api: Arc<Api>, call: Call) -> Answer {
    let limit = usize::try_from(call.limit()?).unwrap_or(usize::MAX);
    let query = call.asked("q").map(str::to_owned);
    if query.as_ref().is_some_and(|query| query.chars().nth(LONGEST).is_some()) {
        return Err(Problem::bad("query", format!("`q` has more than {LONGEST} characters")));
    }
    let mut before = call.cursor()?.map(|cursor| cursor.at);
    let (mut found, mut looked_at) = (Vec::new(), 0);
    loop {
        let rows = match &query {
            Some(query) => api.bridge.read.tickets_found(query, before, MOST).await?,
            None => api.bridge.read.tickets(before, MOST).await?,
        };
        let last = rows.len() < usize::try_from(MOST).unwrap_or(usize::MAX);
        for row in rows {
            if found.len() == limit {
                return Ok(page(found, before.map(|at| Cursor { at, shown: 0 })));
            }
            looked_at += 1;
            before = Some(row.number);
            if api.sees_ticket(&call, &row).await? {
                found.push(TicketView::from(row));
            }
        }
        if last {
            return Ok(page(found, None));
        }
        if looked_at >= LOOKED_AT {
            return Ok(page(found, before.map(|at| Cursor { at, shown: 0 })));
        }
    }
}

/// By number: `T-000042` or `42`.
pub async fn get(api: Arc<Api>, call: Call) -> Answer {
    let text = call.part("ticket");
    let digits = text.strip_prefix("T-").unwrap_or(text);
    let sound = !digits.is_empty() && digits.len() <= 18 && digits.bytes().all(|b| b.is_ascii_digit());
    let number: i64 =
        if sound { digits.parse().unwrap_or_default() } else { return Err(Problem::not_found()) };
    let row = api.bridge.read.ticket(number).await?.ok_or_else(Problem::not_found)?;
    if !api.sees_ticket(&call, &row).await? {
        api.refused(&call, row.conversation);
        return Err(Problem::not_found());
    }
    Ok(one(TicketView::from(row)))
}

impl Api {
    /// A ticket is as visible as its conversation; one without any is for those who see everything.
    async fn sees_ticket(&self, call: &Call, row: &TicketRow) -> Result<bool, Problem> {
        let Some(id) = row.conversation else { return Ok(call.caller.oversees()) };
        let conversation = self.bridge.board.conversation(self.bridge.read.as_ref(), id).await?;
        let policy = self.bridge.policy.current();
        Ok(conversation.is_some_and(|conversation| sees(&call.caller, &conversation, &policy.policy)))
    }
}

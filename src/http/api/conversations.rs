//! `conversations`: the list, one of them, its summary and its ticket.
//!
//! Not here: messages, actions.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::response::IntoResponse as _;
use deskbridge_conversation::{Conversation, ConversationId, QueueId, TechnicianId, desk};
use deskbridge_store::read::ConversationFilter;
use serde::Serialize;

use super::Api;
use super::call::{Answer, Call};
use super::page::{Cursor, MOST, one, page};
use super::sight::sees;
use super::view::{CardView, ConversationView, TicketLinkView, ticket};
use crate::http::problem::Problem;

pub const STAGES: &[&str] = &["assisting", "handover", "assigned", "closed"];
/// Conversations that one request looks at; somebody who may see few of many gets short pages, and a cursor.
const LOOKED_AT: usize = 2_000;

/// Newest first.
pub async fn list(api: Arc<Api>, call: Call) -> Answer {
    let stage = call.asked("stage").map(str::to_owned);
    if stage.as_ref().is_some_and(|stage| !STAGES.contains(&stage.as_str())) {
        return Err(Problem::bad("query", format!("`stage` is one of {}", STAGES.join(", "))));
    }
    let filter = ConversationFilter {
        stage,
        queue: call.asked("queue").map(QueueId::from),
        assignee: call.asked("assignee").map(TechnicianId::from),
        requester: call.asked("requester").map(str::to_owned),
        label: call.asked("label").map(str::to_owned),
        before: call.cursor()?.map(|cursor| ConversationId(cursor.at)),
        limit: MOST,
    };
    let limit = usize::try_from(call.limit()?).unwrap_or(usize::MAX);
    let (found, next) = api.find(&call, filter, limit).await?;
    let mut views = Vec::with_capacity(found.len());
    for conversation in &found {
        views.push(api.view(&call.caller, conversation).await?);
    }
    Ok(page(views, next))
}

impl Api {
    /// What the caller may see of what the filter finds.
    async fn find(
        &self,
        call: &Call,
        mut filter: ConversationFilter,
        limit: usize,
    ) -> Result<(Vec<Conversation>, Option<Cursor>), Problem> {
        let policy = self.bridge.policy.current();
        let (mut found, mut looked_at) = (Vec::new(), 0);
        loop {
            let rows = self.bridge.read.conversations(&filter).await?;
            let last = rows.len() < usize::try_from(filter.limit).unwrap_or(usize::MAX);
            for row in rows {
                if found.len() == limit {
                    return Ok((found, filter.before.map(|id| Cursor { at: id.0, shown: 0 })));
                }
                looked_at += 1;
                filter.before = Some(row.id);
                if sees(&call.caller, &row, &policy.policy) {
                    found.push(row);
                }
            }
            if last {
                return Ok((found, None));
            }
            if looked_at >= LOOKED_AT {
                return Ok((found, filter.before.map(|id| Cursor { at: id.0, shown: 0 })));
            }
        }
    }
}

#[derive(Serialize)]
struct Detail {
    #[serde(flatten)]
    conversation: ConversationView,
    card: CardView,
}

/// The state for people, with what the card in a desk room says. Its ETag is what `If-Match` takes.
pub async fn get(api: Arc<Api>, call: Call) -> Answer {
    let conversation = api.seen(&call).await?;
    let summary = api.summary(&conversation).await?;
    let view = api.view(&call.caller, &conversation).await?;
    let policy = api.bridge.policy.current();
    let channel = conversation.requester_session().map_or("", |session| session.address.channel.as_str());
    // Of other queues, only those may know who see them all.
    let also_open = match call.caller.oversees() {
        true => api.bridge.also_open(&conversation).await?,
        false => String::new(),
    };
    let words = desk::Words {
        subject: &view.subject,
        summary: summary.as_deref(),
        requester: conversation.requester_name(),
        channel,
        also_open: &also_open,
    };
    let (card, _) = desk::card(&conversation, &policy.policy, &words, api.bridge.now());
    let card = CardView { title: card.title, facts: card.facts, summary: card.summary, hint: card.hint };
    let etag = format!("\"{}\"", conversation.seq);
    let body = BTreeMap::from([("data", Detail { conversation: view, card })]);
    Ok(([("etag", etag)], Json(body)).into_response())
}

#[derive(Serialize)]
struct Summary {
    /// CommonMark; `null` until it is written.
    text: Option<String>,
}

pub async fn summary(api: Arc<Api>, call: Call) -> Answer {
    let conversation = api.seen(&call).await?;
    Ok(one(Summary { text: api.summary(&conversation).await? }))
}

impl Api {
    async fn summary(&self, conversation: &Conversation) -> Result<Option<String>, Problem> {
        let Some(id) = conversation.summary else { return Ok(None) };
        let row = self.bridge.read.message(id).await?.filter(|row| !row.deleted);
        Ok(row.map(|row| row.content.text))
    }
}

#[derive(Serialize)]
struct Linked {
    link: TicketLinkView,
    /// The ticket itself, where it is kept here.
    ticket: Option<super::tickets::TicketView>,
}

pub async fn ticket_of(api: Arc<Api>, call: Call) -> Answer {
    let conversation = api.seen(&call).await?;
    let row = api.bridge.read.ticket_of(conversation.id).await?;
    Ok(one(Linked { link: ticket(&conversation.ticket), ticket: row.map(Into::into) }))
}

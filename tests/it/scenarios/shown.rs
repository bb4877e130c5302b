//! What no platform shows and a talk can ask for: `show roster`, `show tickets`, `show messages`, `show deliveries`.
//!
//! Not here: what people see (`seen`).

use deskbridge_conversation::{Audience, Author, Effect, Presence, Stage, TicketStatus};
use deskbridge_store::Read as _;
use deskbridge_store::read::ConversationFilter;
use deskbridge_store::rows::MessageRow;

use super::seen::one_line;
use crate::harness::Town;

pub async fn show(town: &Town, what: &str) -> Vec<String> {
    match what {
        "roster" => roster(town).await,
        "tickets" => tickets(town).await,
        "conversations" => conversations(town).await,
        "messages" => messages(town).await,
        "deliveries" => deliveries(town).await,
        other => panic!("nobody can show {other}"),
    }
}

async fn roster(town: &Town) -> Vec<String> {
    let rows = town.store.technicians().await.expect("readable");
    let line = |row: &deskbridge_store::rows::TechnicianRow| {
        let presence = match row.presence {
            Presence::Available => "available",
            Presence::Busy => "busy",
            Presence::Away => "away",
            Presence::Offline => "offline",
        };
        format!("roster@store < {} is {presence}, load {}", row.id, row.load)
    };
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    lines.sort();
    lines
}

async fn tickets(town: &Town) -> Vec<String> {
    let mut rows = town.store.tickets(None, 100).await.expect("readable");
    rows.sort_by_key(|row| row.number);
    let line = |row: &deskbridge_store::rows::TicketRow| {
        let status = match row.status {
            TicketStatus::Open => "open",
            TicketStatus::Resolved => "resolved",
            TicketStatus::Closed => "closed",
        };
        let technician = row.technician.as_deref().unwrap_or("nobody");
        let of = row.conversation.map(|id| format!(" of {id}")).unwrap_or_default();
        format!(
            "ticket@store < T-{:06}{of} · {status} · “{}” · {technician} · {} comment(s), {} file(s)",
            row.number,
            one_line(&row.summary),
            row.comments.len(),
            row.attachments.len()
        )
    };
    rows.iter().map(line).collect()
}

async fn conversations(town: &Town) -> Vec<String> {
    let filter = ConversationFilter { limit: 100, ..ConversationFilter::default() };
    let mut all = town.store.conversations(&filter).await.expect("readable");
    all.sort_by_key(|conversation| conversation.id);
    let line = |conversation: &deskbridge_conversation::Conversation| {
        let how = match &conversation.stage {
            Stage::Closed(closed) => format!(" ({:?})", closed.how),
            Stage::Handover(handover) => format!(" ({:?})", handover.reason),
            Stage::Assisting(_) | Stage::Assigned(_) => String::new(),
        };
        format!("{}@store < {} in {}{how}", conversation.id.0, conversation.stage_name(), conversation.queue)
    };
    all.iter().map(line).collect()
}

fn author(row: &MessageRow) -> String {
    match &row.author {
        Author::Requester(id) => id.to_string(),
        Author::Bystander { id, name } => format!("{id} “{name}” (bystander)"),
        Author::Technician(id) => id.to_string(),
        Author::Outsider => "outsider".to_owned(),
        Author::Assistant => "assistant".to_owned(),
        Author::Desk => "desk".to_owned(),
    }
}

/// Words of people and of the assistant, with who may see them. The bridge's own notices are left out.
async fn messages(town: &Town) -> Vec<String> {
    let filter = ConversationFilter { limit: 100, ..ConversationFilter::default() };
    let mut lines = Vec::new();
    let mut all = town.store.conversations(&filter).await.expect("readable");
    all.sort_by_key(|conversation| conversation.id);
    for conversation in all {
        for row in town.store.messages(conversation.id, 1, true, 1_000).await.expect("readable") {
            if row.author == Author::Desk {
                continue;
            }
            let audience = match row.audience {
                Audience::Public => "public",
                Audience::Internal => "internal",
                Audience::Private => "private",
                Audience::Requester => "requester",
            };
            let gone = if row.deleted { " (deleted)" } else { "" };
            let text = one_line(&row.content.text);
            lines.push(format!("{}@store < {} · {audience}{gone} · {text}", conversation.id.0, author(&row)));
        }
    }
    lines
}

/// Deliveries that did not simply arrive.
async fn deliveries(town: &Town) -> Vec<String> {
    let filter = ConversationFilter { limit: 100, ..ConversationFilter::default() };
    let mut lines = Vec::new();
    let mut all = town.store.conversations(&filter).await.expect("readable");
    all.sort_by_key(|conversation| conversation.id);
    for conversation in all {
        for row in town.store.deliveries(conversation.id).await.expect("readable") {
            let Effect::Deliver(delivery) = &row.effect else { continue };
            if row.state.name() == "sent" && row.error.is_none() {
                continue;
            }
            let what = match delivery.op.message() {
                Some(message) => format!("{} in session {}", message, delivery.session.0),
                None => format!("session {}", delivery.session.0),
            };
            let why = row.error.as_deref().unwrap_or("no reason given");
            lines.push(format!("{}@store < {what}: {} ({why})", conversation.id.0, row.state.name()));
        }
    }
    lines
}

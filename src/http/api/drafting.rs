//! What the assistant has for a technician: a draft in other words, feedback on suggestions, and how others were helped.
//!
//! Not here: suggestions (`actions`, they come as messages), the model (services).

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::StatusCode;
use deskbridge_conversation::{Audience, Author, CloseReason, Closed, Conversation, ConversationId, Stage};
use deskbridge_services::assistant::{Draft, Rewriting};
use deskbridge_services::knowledge::telling;
use deskbridge_store::Admin;
use serde::Serialize;

use super::Api;
use super::call::{Answer, Call};
use super::page::one;
use super::sight::sees;
use super::signin::done;
use super::view::ConversationView;
use crate::http::problem::Problem;

pub const HOWS: &[&str] = &["reword", "shorten", "translate"];

#[derive(Serialize)]
struct Rewritten {
    text: String,
}

pub async fn rewrite(api: Arc<Api>, call: Call) -> Answer {
    let conversation = api.seen(&call).await?;
    let by = call.caller.acts()?.clone();
    if !api.bridge.assistant.rewrites() {
        return Err(Problem::conflict("no-model", "no model is configured"));
    }
    let how = match call.text("how") {
        Some("shorten") => Rewriting::Shorten,
        Some("translate") => Rewriting::Translate,
        _ => Rewriting::Reword,
    };
    let language = call.text("language").map_or(conversation.requester.language, str::to_owned);
    let text = call.text("text").unwrap_or_default().to_owned();
    let draft = Draft { conversation: conversation.id, by, text, how, language };
    match api.bridge.assistant.rewrite(&draft).await {
        Ok(text) => Ok(one(Rewritten { text })),
        Err(why) => Err(Problem::new(StatusCode::BAD_GATEWAY, "assistant", why)),
    }
}

/// Of a suggestion that was made for the caller; the last word counts.
pub async fn feedback(api: Arc<Api>, call: Call) -> Answer {
    let conversation = api.seen(&call).await?;
    let row = api.message_in(&call, &conversation).await?;
    let own = api.own_drafts(&call.caller, &conversation, std::slice::from_ref(&row)).await?;
    if !own.contains(&row.id) {
        return Err(Problem::not_found());
    }
    api.bridge.writer.admin(Admin::Feedback { message: row.id, helpful: call.flag("helpful") }).await?;
    done()
}

/// Words that are looked for, hits of each, and what is answered at most.
const WORDS: usize = 8;
const HITS: u32 = 200;
const ALIKE: usize = 5;
/// Conversations that are read for it.
const READ: usize = 40;
const ANSWER: usize = 400;

#[derive(Serialize)]
struct Similar {
    conversation: ConversationView,
    /// What the technician said last; CommonMark.
    answer: String,
}

/// Words of the requester's that few conversations share count for more; one shared word of several is chance.
pub async fn similar(api: Arc<Api>, call: Call) -> Answer {
    let conversation = api.seen(&call).await?;
    let mut alike: HashMap<ConversationId, (usize, f64)> = HashMap::new();
    let words = api.telling_words(&conversation).await?;
    for word in &words {
        let hits = api.bridge.read.search(word, false, None, HITS).await?;
        let mut found: Vec<ConversationId> = hits.iter().map(|hit| hit.conversation).collect();
        found.sort_unstable();
        found.dedup();
        let weight = 1.0 / (1.0 + f64::from(u32::try_from(found.len()).unwrap_or(u32::MAX))).ln();
        for id in found.into_iter().filter(|id| *id != conversation.id) {
            let (shared, sum) = alike.entry(id).or_default();
            (*shared, *sum) = (*shared + 1, *sum + weight);
        }
    }
    let enough = words.len().min(2);
    let mut ranked: Vec<(ConversationId, f64)> = alike
        .into_iter()
        .filter(|(_, (shared, _))| *shared >= enough)
        .map(|(id, (_, sum))| (id, sum))
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
    let mut views = Vec::new();
    for (id, _) in ranked.into_iter().take(READ) {
        if views.len() == ALIKE {
            break;
        }
        if let Some(found) = api.resolved(&call, id).await? {
            views.push(found);
        }
    }
    Ok(one(views))
}

impl Api {
    async fn telling_words(&self, conversation: &Conversation) -> Result<Vec<String>, Problem> {
        let rows = self.bridge.read.messages(conversation.id, 0, false, 100).await?;
        let asked = |author: &Author| matches!(author, Author::Requester(_));
        let said: Vec<&str> = rows
            .iter()
            .filter(|row| asked(&row.author) && !row.deleted)
            .take(5)
            .map(|row| row.content.text.as_str())
            .collect();
        Ok(telling(&said.join("\n"), WORDS))
    }

    /// If it was resolved by a technician, and the caller may see it.
    async fn resolved(&self, call: &Call, id: ConversationId) -> Result<Option<Similar>, Problem> {
        let Some(found) = self.bridge.read.conversation(id).await? else { return Ok(None) };
        let policy = self.bridge.policy.current();
        let is_resolved =
            matches!(&found.stage, Stage::Closed(Closed { how: CloseReason::Resolved { .. }, .. }));
        if !is_resolved || !sees(&call.caller, &found, &policy.policy) {
            return Ok(None);
        }
        let rows = self.bridge.read.messages(id, 0, false, 500).await?;
        let last = rows.iter().rev().find(|row| {
            row.audience == Audience::Public && !row.deleted && matches!(row.author, Author::Technician(_))
        });
        let answer = last.map(|row| crate::runtime::render::cut(&row.content.text, ANSWER));
        let conversation = self.view(&call.caller, &found).await?;
        Ok(answer.map(|answer| Similar { conversation, answer }))
    }
}

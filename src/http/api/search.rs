//! `search`: over what was said, as far as the caller may see it (S70).
//!
//! Not here: the index (the store).

use std::collections::HashMap;
use std::sync::Arc;

use deskbridge_contract::Timestamp;
use deskbridge_conversation::ConversationId;
use deskbridge_store::read::SearchHit;
use serde::Serialize;

use super::Api;
use super::call::{Answer, Call};
use super::messages::is_shown;
use super::page::{Cursor, page};
use super::sight::sees;
use super::view::time;
use crate::http::problem::Problem;

const LONGEST: usize = 500;
/// Hits that one request asks the store for at a time, and looks at in all.
const STEP: u32 = 200;
const LOOKED_AT: usize = 1_000;

#[derive(Serialize)]
struct HitView {
    conversation: i64,
    message: String,
    snippet: String,
    at: String,
}

/// Newest first.
pub async fn list(api: Arc<Api>, call: Call) -> Answer {
    let query = call.asked("q").ok_or_else(|| Problem::bad("query", "`q` is missing"))?.to_owned();
    if query.chars().nth(LONGEST).is_some() {
        return Err(Problem::bad("query", format!("`q` has more than {LONGEST} characters")));
    }
    let limit = usize::try_from(call.limit()?).unwrap_or(usize::MAX);
    let mut place = call.cursor()?;
    let (mut found, mut looked_at, mut known) = (Vec::new(), 0, HashMap::new());
    loop {
        let hits = api.hits(&query, place).await?;
        if hits.is_empty() {
            return Ok(page(found, None));
        }
        for hit in hits {
            if found.len() == limit || looked_at >= LOOKED_AT {
                return Ok(page(found, place));
            }
            looked_at += 1;
            place = Some(after(place, hit.now));
            if api.sees_hit(&call, &hit, &mut known).await? {
                found.push(HitView {
                    conversation: hit.conversation.0,
                    message: hit.message.to_string(),
                    snippet: hit.snippet,
                    at: time(hit.now),
                });
            }
        }
    }
}

/// Messages of one commit have one time, so the place says how many of them were passed.
fn after(place: Option<Cursor>, now: Timestamp) -> Cursor {
    match place {
        Some(Cursor { at, shown }) if at == now.0 => Cursor { at, shown: shown + 1 },
        Some(_) | None => Cursor { at: now.0, shown: 1 },
    }
}

impl Api {
    /// The next hits behind a place.
    async fn hits(&self, query: &str, place: Option<Cursor>) -> Result<Vec<SearchHit>, Problem> {
        let Some(Cursor { at, shown }) = place else {
            return Ok(self.bridge.read.search(query, true, None, STEP).await?);
        };
        let before = Some(Timestamp(at.saturating_add(1)));
        let hits = self.bridge.read.search(query, true, before, STEP.saturating_add(shown.min(STEP))).await?;
        let mut passed = 0;
        let behind = |hit: &SearchHit| {
            passed += u32::from(hit.now.0 == at);
            hit.now.0 != at || passed > shown
        };
        Ok(hits
            .into_iter()
            .filter({
                let mut behind = behind;
                move |hit| behind(hit)
            })
            .collect())
    }

    async fn sees_hit(
        &self,
        call: &Call,
        hit: &SearchHit,
        known: &mut HashMap<ConversationId, bool>,
    ) -> Result<bool, Problem> {
        let seen = match known.get(&hit.conversation) {
            Some(seen) => *seen,
            None => {
                let found =
                    self.bridge.board.conversation(self.bridge.read.as_ref(), hit.conversation).await?;
                let policy = self.bridge.policy.current();
                let seen = found.is_some_and(|found| sees(&call.caller, &found, &policy.policy));
                known.insert(hit.conversation, seen);
                seen
            }
        };
        if !seen {
            return Ok(false);
        }
        let Some(row) = self.bridge.read.message(hit.message).await? else { return Ok(false) };
        let Some(of) = self.bridge.board.conversation(self.bridge.read.as_ref(), hit.conversation).await?
        else {
            return Ok(false);
        };
        let own = self.own_drafts(&call.caller, &of, std::slice::from_ref(&row)).await?;
        Ok(!row.deleted && is_shown(&row, &own))
    }
}

//! `people`: requesters by name, over all conversations that the caller may see; and erasing one of them.
//!
//! Not here: conversations of one of them (`conversations?requester=`), what is erased (`runtime/erasure.rs`).

use std::sync::Arc;

use deskbridge_conversation::RequesterId;
use deskbridge_store::read::ConversationFilter;
use serde::Serialize;

use super::Api;
use super::call::{Answer, Call};
use super::page::one;
use super::sight::sees;
use super::view::ConversationView;
use crate::http::problem::Problem;
use crate::runtime::erasure::ErasureError;

const LONGEST: usize = 200;
/// Requesters that one request looks at, and conversations of each.
const LOOKED_AT: u32 = 200;
const LATEST: u32 = 20;

#[derive(Serialize)]
struct PersonView {
    id: String,
    name: String,
    language: String,
    /// The latest that the caller may see.
    latest: ConversationView,
}

/// Whoever has written nothing that the caller may see is not there (S70).
pub async fn list(api: Arc<Api>, call: Call) -> Answer {
    let query = call.asked("q").ok_or_else(|| Problem::bad("query", "`q` is missing"))?;
    if query.chars().nth(LONGEST).is_some() {
        return Err(Problem::bad("query", format!("`q` has more than {LONGEST} characters")));
    }
    let limit = usize::try_from(call.limit()?).unwrap_or(usize::MAX);
    let policy = api.bridge.policy.current();
    let mut found = Vec::new();
    for person in api.bridge.read.people(query, LOOKED_AT).await? {
        if found.len() == limit {
            break;
        }
        let filter = ConversationFilter {
            requester: Some(person.id.0.clone()),
            limit: LATEST,
            ..ConversationFilter::default()
        };
        let theirs = api.bridge.read.conversations(&filter).await?;
        let Some(latest) = theirs.iter().find(|one| sees(&call.caller, one, &policy.policy)) else {
            continue;
        };
        let latest = api.view(&call.caller, latest).await?;
        found.push(PersonView { id: person.id.0, name: person.name, language: person.language, latest });
    }
    Ok(one(found))
}

/// For good. It goes on when the caller does not wait for it, when the program ends amid it, and one at a time.
pub async fn erase(api: Arc<Api>, call: Call) -> Answer {
    let requester = RequesterId(call.part("requester").to_owned());
    let (by, known_as) = (call.caller.technician.clone(), call.caller.known_as());
    let doing = api.clone();
    let done = api.bridge.tasks.spawn(async move {
        let erased = doing.bridge.erase(&requester, by.as_ref(), &known_as).await;
        doing.onces.forget_answers();
        erased
    });
    match done.await.map_err(|_| Problem::internal())? {
        Ok(Some(erased)) => Ok(one(erased)),
        Ok(None) => Err(Problem::not_found()),
        Err(ErasureError::Elsewhere) => Err(Problem::busy(30)),
        Err(error) => {
            tracing::error!(%error, "a requester is not erased completely yet; it goes on by itself");
            Err(Problem::busy(5))
        }
    }
}

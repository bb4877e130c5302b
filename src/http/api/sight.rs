//! What a caller may see: one rule for every route, lists, counts, search and the event stream (S66, S70).
//!
//! Not here: what may be done with what is seen (the verbs' permission check).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deskbridge_conversation::policy::Policy;
use deskbridge_conversation::verbs::permitted;
use deskbridge_conversation::{Conversation, ConversationId, QueueId, TechnicianId, Verb};
use deskbridge_store::Admin;
use tokio::time::Instant;

use super::Api;
use super::call::Call;
use super::routes::Route;
use crate::http::auth::Caller;
use crate::http::problem::Problem;

/// The same refusal by the same caller is written down once in this time: a loop must not fill the audit trail.
const QUIET: Duration = Duration::from_secs(600);
const REMEMBERED: usize = 10_000;

/// Whoever may ask what a conversation is about may see it: members of its queue, and those who were brought in (D17).
pub fn sees(caller: &Caller, conversation: &Conversation, policy: &Policy) -> bool {
    match &caller.technician {
        None => true,
        Some(technician) => permitted(&Verb::Info, technician, conversation, policy, None).is_ok(),
    }
}

pub fn sees_queue(caller: &Caller, queue: &QueueId, policy: &Policy) -> bool {
    match &caller.technician {
        None => true,
        Some(technician) => caller.oversees() || policy.is_member(technician, queue),
    }
}

/// Themselves, and the people of their queues.
pub fn sees_technician(caller: &Caller, other: &TechnicianId, policy: &Policy) -> bool {
    match &caller.technician {
        None => true,
        Some(technician) if technician == other => true,
        Some(_) => policy.queues.iter().any(|(queue, _)| {
            sees_queue(caller, queue, policy) && (caller.oversees() || policy.is_member(other, queue))
        }),
    }
}

impl Api {
    /// The conversation that the path names. Unknown and foreign ones are told apart by nobody but the audit trail.
    pub async fn seen(&self, call: &Call) -> Result<Conversation, Problem> {
        self.seen_by_id(call, call.conversation()?).await
    }

    pub async fn seen_by_id(&self, call: &Call, id: ConversationId) -> Result<Conversation, Problem> {
        // From the store and not from the board: what was committed a moment ago counts.
        let found = self.bridge.read.conversation(id).await?.ok_or_else(Problem::not_found)?;
        let policy = self.bridge.policy.current();
        if sees(&call.caller, &found, &policy.policy) {
            return Ok(found);
        }
        self.refused(call, Some(id));
        Err(Problem::not_found())
    }

    /// Writes down that somebody reached for what is not theirs. In the background, so that the answer takes no longer
    /// than the one for what does not exist.
    pub fn refused(&self, call: &Call, conversation: Option<ConversationId>) {
        if !self.refusals.is_new(&call.caller.token, call.route, conversation) {
            return;
        }
        let by = Some(call.caller.known_as());
        let (method, path, token) = (call.route.method.name(), call.route.path, &call.caller.token);
        let act = format!("refused: {method} {path} with token {token}");
        let bridge = self.bridge.clone();
        self.bridge.tasks.spawn(async move {
            if let Err(error) = bridge.writer.admin(Admin::Audit { by, act, conversation }).await {
                tracing::warn!(%error, "a refusal could not be written into the audit trail");
            }
        });
    }
}

type Refusal = (String, &'static str, &'static str, Option<ConversationId>);

/// Refusals that were written down lately.
#[derive(Default)]
pub struct Refusals(Mutex<HashMap<Refusal, Instant>>);

impl Refusals {
    fn is_new(&self, token: &str, route: &Route, conversation: Option<ConversationId>) -> bool {
        let now = Instant::now();
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lately.len() >= REMEMBERED {
            lately.retain(|_, at| now.duration_since(*at) < QUIET);
            if lately.len() >= REMEMBERED {
                // Somebody counts through all ids: the first ten thousand are on record.
                return false;
            }
        }
        let refusal = (token.to_owned(), route.method.name(), route.path, conversation);
        let before = lately.insert(refusal, now);
        before.is_none_or(|at| now.duration_since(at) >= QUIET)
    }
}

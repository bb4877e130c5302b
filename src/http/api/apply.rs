//! From a caller's wish to an event of a conversation: decided on the state as stored, committed only on that state.
//!
//! Not here: what the event means (the core). Each wish carries the seq it was decided on as a guard, so that whoever
//! comes second is refused before anything of theirs is stored: a thousand claims leave one row (Q15).

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use deskbridge_contract::{Attachment, Content};
use deskbridge_conversation::notices::{self, DeskNotice};
use deskbridge_conversation::policy::Policy;
use deskbridge_conversation::verbs::permitted;
use deskbridge_conversation::{
    Conversation, DeskActor, DeskEvent, EventBody, PostIntent, Stage, TechnicianId, Verb, Via,
};
use deskbridge_store::rows::MessageRow;
use deskbridge_store::{Applied, Apply, Guard, Refs, StoreError, Target};
use serde::Serialize;

use super::Api;
use super::call::{Answer, Call};
use super::once::replayed;
use super::view::{ConversationView, MessageView};
use crate::http::problem::Problem;

/// Other events of the same conversation may come in between; so many in a row do not.
const TRIES: u32 = 24;

/// What a caller wants to happen to a conversation.
#[derive(Clone)]
pub struct Wish {
    pub what: DeskEvent,
    pub text: Option<String>,
    pub files: Vec<Attachment>,
}

pub enum Outcome {
    Done(Done),
    /// The same request was carried out before; how things are now.
    Replayed(Box<Conversation>),
}

pub struct Done {
    pub conversation: Arc<Conversation>,
    /// The event's.
    pub seq: u64,
    pub toast: Option<String>,
}

/// What a write answers.
#[derive(Serialize)]
struct Written {
    conversation: ConversationView,
    message: Option<MessageView>,
    toast: Option<String>,
}

impl Api {
    pub async fn carry_out(&self, call: &Call, wish: Wish) -> Result<Outcome, Problem> {
        let technician = call.caller.acts()?;
        let id = call.conversation()?;
        self.onces.begin(&call.once)?;
        for attempt in 0..TRIES {
            let conversation = self.seen(call).await?;
            let policy = self.bridge.policy.current();
            if let Err(problem) = allowed(&wish.what, technician, &conversation, &policy.policy) {
                return self.unless_done(call, &wish, problem).await;
            }
            let guard = Guard::Seq(call.if_match.unwrap_or(conversation.seq));
            let applied = self.bridge.writer.apply(apply(call, technician, &wish, guard)?).await;
            match applied {
                Ok(Applied::Done { conversation, seq, toast, .. }) => {
                    self.bridge.board.learn(conversation.clone());
                    if let Some(problem) = refusal(&wish.what, toast.as_deref()) {
                        return Err(problem);
                    }
                    return Ok(Outcome::Done(Done { conversation, seq, toast }));
                }
                Ok(Applied::Duplicate) => {
                    return Ok(Outcome::Replayed(Box::new(self.seen_by_id(call, id).await?)));
                }
                Ok(Applied::Refused) if call.if_match.is_some() => {
                    return Err(Problem::conflict("moved", "the conversation has moved on"));
                }
                Ok(Applied::Unknown) => return Err(Problem::not_found()),
                Ok(Applied::Ignored | Applied::Refused) => {}
                Err(StoreError::Conflict(_)) => {
                    tokio::time::sleep(Duration::from_millis(u64::from(attempt))).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::busy(1))
    }

    /// A repeated request finds its own effect in its way; then it is no refusal but the answer again.
    async fn unless_done(&self, call: &Call, wish: &Wish, problem: Problem) -> Result<Outcome, Problem> {
        if !call.once.is_given() {
            return Err(problem);
        }
        // No conversation gets this far: whether the cause is known is all that is asked.
        let ask = apply(call, call.caller.acts()?, wish, Guard::Seq(u64::MAX))?;
        match self.bridge.writer.apply(ask).await? {
            Applied::Duplicate => Ok(Outcome::Replayed(Box::new(self.seen(call).await?))),
            Applied::Done { .. } | Applied::Ignored | Applied::Refused | Applied::Unknown => Err(problem),
        }
    }

    pub async fn answer(
        &self,
        call: &Call,
        status: StatusCode,
        conversation: &Conversation,
        message: Option<MessageRow>,
        toast: Option<String>,
    ) -> Answer {
        let written = Written {
            conversation: self.view(&call.caller, conversation).await?,
            message: message.map(|row| self.message(conversation, &row, Vec::new())),
            toast,
        };
        let etag = format!("\"{}\"", conversation.seq);
        Ok((status, [("etag", etag)], Json(serde_json::json!({"data": written}))).into_response())
    }

    pub async fn replay(&self, call: &Call, conversation: &Conversation) -> Answer {
        let message = match self.onces.made_before(&call.once) {
            Some(id) => self.bridge.read.message(id).await?,
            None => None,
        };
        let response: Response = self.answer(call, StatusCode::OK, conversation, message, None).await?;
        Ok(replayed(response))
    }
}

fn apply(call: &Call, technician: &TechnicianId, wish: &Wish, guard: Guard) -> Result<Apply, Problem> {
    let by = DeskActor::Technician(technician.clone());
    Ok(Apply {
        cause: call.once.cause(),
        target: Target::Conversation(call.conversation()?),
        at: call.at,
        body: EventBody::Desk { by, via: Via::Console, what: wish.what.clone() },
        content: wish
            .text
            .clone()
            .map(|text| Content { attachments: wish.files.clone(), ..Content::text(text) }),
        refs: Refs::default(),
        guard: Some(guard),
    })
}

/// 403 where the right is missing, 409 where the state is in the way; before anything is stored (S72).
fn allowed(
    what: &DeskEvent,
    by: &TechnicianId,
    conversation: &Conversation,
    policy: &Policy,
) -> Result<(), Problem> {
    match what {
        DeskEvent::Verb { verb } => {
            let refused = |why| Problem::forbidden("not-permitted", why);
            permitted(verb, by, conversation, policy, None).map_err(refused)?;
            match verb {
                Verb::Accept => free(by, conversation, policy),
                _ => Ok(()),
            }
        }
        DeskEvent::Posted { intent: PostIntent::Reply, .. } => may_write(by, conversation, policy),
        _ => Ok(()),
    }
}

fn free(by: &TechnicianId, conversation: &Conversation, policy: &Policy) -> Result<(), Problem> {
    let Stage::Assigned(assigned) = &conversation.stage else { return Ok(()) };
    if assigned.technician == *by {
        return Err(Problem::conflict("already-yours", "you have it already"));
    }
    if assigned.transfer.as_ref().is_some_and(|transfer| transfer.to == *by) {
        return Ok(());
    }
    Err(Problem::conflict("taken", format!("{} has it", policy.name(&assigned.technician))))
}

/// The airlock would keep these words inside; somebody who means them for the requester is told so instead.
fn may_write(by: &TechnicianId, conversation: &Conversation, policy: &Policy) -> Result<(), Problem> {
    match &conversation.stage {
        Stage::Assigned(assigned) if assigned.technician == *by || assigned.co_repliers.contains(by) => {
            Ok(())
        }
        Stage::Assigned(assigned) => {
            let owner = policy.name(&assigned.technician);
            let why = format!("{owner} owns this conversation; ask to be invited, or take it over");
            Err(Problem::forbidden("not-permitted", why))
        }
        Stage::Closed(_) => Err(Problem::conflict("closed", "it is closed; reopen it first")),
        Stage::Assisting(_) | Stage::Handover(_) => Ok(()),
    }
}

/// The core says in words that it did not do something; these are its words.
fn refusal(what: &DeskEvent, toast: Option<&str>) -> Option<Problem> {
    let (DeskEvent::Verb { verb }, Some(toast)) = (what, toast) else { return None };
    let said = |notice: &DeskNotice| notices::desk(notice).text;
    if toast == said(&DeskNotice::UndoTooLate) {
        return Some(Problem::conflict("too-late", toast));
    }
    let shape = said(&DeskNotice::Refused { verb: verb.name(), why: "why".into() });
    let lead = &shape[..shape.to_lowercase().rfind("why")?];
    toast.strip_prefix(lead).map(|why| Problem::conflict("state", why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_known_by_its_words() {
        let accept = DeskEvent::Verb { verb: Verb::Accept };
        let refused = DeskNotice::Refused { verb: "accept", why: "it is closed".into() };
        let problem = refusal(&accept, Some(&notices::desk(&refused).text)).unwrap();
        assert_eq!((problem.status, problem.code), (StatusCode::CONFLICT, "state"));
        assert!(problem.detail.to_lowercase().contains("it is closed") && !problem.detail.contains("accept"));
        assert!(refusal(&accept, Some("It is yours")).is_none() && refusal(&accept, None).is_none());
        let undo = DeskEvent::Verb { verb: Verb::Undo };
        assert_eq!(
            refusal(&undo, Some(&notices::desk(&DeskNotice::UndoTooLate).text)).unwrap().code,
            "too-late"
        );
    }
}

//! `conversations/{conversation}/messages/{message}`: one's own words, changed or taken away, wherever they are shown (L9).
//!
//! Not here: who follows (the core); saying something new (`messages`).

use std::sync::Arc;

use axum::http::StatusCode;
use deskbridge_conversation::{Audience, Author, DeskEvent, MessageId, PostIntent};
use deskbridge_store::rows::MessageRow;

use super::Api;
use super::apply::{Outcome, Wish};
use super::call::{Answer, Call};
use super::messages::is_shown;
use crate::http::problem::Problem;

pub async fn edit(api: Arc<Api>, call: Call) -> Answer {
    let row = api.own_words(&call).await?;
    let before = match row.audience {
        Audience::Internal | Audience::Private => PostIntent::Note,
        Audience::Public | Audience::Requester => PostIntent::Reply,
    };
    let (intent, text) = api.meant(before, call.text("text").unwrap_or_default());
    let what = DeskEvent::Edited { message: Some(row.id), intent };
    let wish = Wish { what, text: Some(text), files: row.content.attachments.clone() };
    api.rewritten(&call, row.id, wish).await
}

pub async fn delete(api: Arc<Api>, call: Call) -> Answer {
    let row = api.own_words(&call).await?;
    let what = DeskEvent::Deleted { message: Some(row.id) };
    api.rewritten(&call, row.id, Wish { what, text: None, files: Vec::new() }).await
}

impl Api {
    async fn rewritten(&self, call: &Call, message: MessageId, wish: Wish) -> Answer {
        match self.carry_out(call, wish).await? {
            Outcome::Done(done) => {
                self.onces.made(&call.once, message);
                let row = self.bridge.read.message(message).await?;
                self.answer(call, StatusCode::OK, &done.conversation, row, done.toast).await
            }
            Outcome::Replayed(conversation) => self.replay(call, &conversation).await,
        }
    }

    /// The message that the path names, which the caller wrote. What somebody cannot see is not there.
    async fn own_words(&self, call: &Call) -> Result<MessageRow, Problem> {
        let conversation = self.seen(call).await?;
        let row = self.message_in(call, &conversation).await?;
        let own = self.own_drafts(&call.caller, &conversation, std::slice::from_ref(&row)).await?;
        if !is_shown(&row, &own) {
            return Err(Problem::not_found());
        }
        if row.author != Author::Technician(call.caller.acts()?.clone()) {
            return Err(Problem::forbidden("not-permitted", "only one's own words can be changed"));
        }
        if row.deleted && !call.once.is_given() {
            return Err(Problem::conflict("deleted", "it is deleted already"));
        }
        Ok(row)
    }

    /// The message that the path names, if it is of this conversation.
    pub async fn message_in(
        &self,
        call: &Call,
        conversation: &deskbridge_conversation::Conversation,
    ) -> Result<MessageRow, Problem> {
        let id = call.part("message").parse::<MessageId>().map_err(|_| Problem::not_found())?;
        if id.conversation != conversation.id {
            // Whoever reaches into somebody else's by way of their own is on record like everybody (S66).
            self.seen_by_id(call, id.conversation).await?;
            return Err(Problem::not_found());
        }
        self.bridge.read.message(id).await?.ok_or_else(Problem::not_found)
    }
}

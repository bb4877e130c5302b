//! An answer that grows, shown as a draft in the requester's private chat ("sendMessageDraft").
//!
//! Not here: the answer itself; it comes as a message of its own, and Telegram takes the draft away then (or after 30 s).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deskbridge_contract::SendError;
use serde::Serialize;
use teloxide_core::requests::Payload;
use teloxide_core::types::{ChatId, MessageEntity, ThreadId};
use tokio::time::Instant;

use super::{MAX_TEXT, Sending};
use crate::ids::Place;
use crate::markup;

/// Between two drafts in one chat: a hint must not use up the second that Telegram grants to messages there.
const EVERY: Duration = Duration::from_millis(1_500);
/// After a draft that Telegram refused: the answer comes anyway.
const PAUSE: Duration = Duration::from_secs(60);
/// Chats remembered; old ones are forgotten first.
const CHATS: usize = 1_000;

/// teloxide-core does not know this method yet.
#[derive(Serialize)]
struct SendMessageDraft {
    chat_id: ChatId,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_thread_id: Option<ThreadId>,
    draft_id: u32,
    text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entities: Vec<MessageEntity>,
}

impl Payload for SendMessageDraft {
    type Output = bool;
    const NAME: &'static str = "SendMessageDraft";
}

#[derive(Clone, Copy)]
struct Shown {
    /// Not before this moment again.
    again: Instant,
    draft: u32,
    length: usize,
}

#[derive(Default)]
pub(super) struct Drafts(Mutex<HashMap<ChatId, Shown>>);

impl Drafts {
    /// The draft's id when one may be sent now. Text that shrank is another answer, and another draft.
    pub(super) fn due(&self, chat: ChatId, length: usize, now: Instant) -> Option<u32> {
        let mut chats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = chats.get(&chat).copied();
        if before.is_some_and(|before| now < before.again) {
            return None;
        }
        if chats.len() >= CHATS && before.is_none() {
            chats.retain(|_, shown| now < shown.again);
            if chats.len() >= CHATS {
                return None;
            }
        }
        let draft = match before {
            Some(before) if length >= before.length => before.draft,
            // Never 0 ("draft_id … must be non-zero").
            Some(before) => before.draft % 1_000_000 + 1,
            None => 1,
        };
        chats.insert(chat, Shown { again: now + EVERY, draft, length });
        Some(draft)
    }

    pub(super) fn pause(&self, chat: ChatId, until: Instant) {
        let mut chats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shown) = chats.get_mut(&chat) {
            shown.again = until;
        }
    }
}

impl Sending {
    /// Shows what there is of an answer. Drafts exist in private chats only; a hint that comes too soon is left out.
    pub(crate) async fn draft(&self, place: Place, text: &str) -> Result<(), SendError> {
        if !place.is_private() || text.trim().is_empty() {
            return Ok(());
        }
        let Some(draft_id) = self.drafts.due(place.chat, text.len(), Instant::now()) else {
            return Ok(());
        };
        let shown = markup::from_commonmark(text).cut(MAX_TEXT);
        let draft = SendMessageDraft {
            chat_id: place.chat,
            message_thread_id: place.topic,
            draft_id,
            text: shown.text,
            entities: shown.entities,
        };
        match self.api.call::<_, bool>(&draft).await {
            Ok(_) => Ok(()),
            Err(fault) => {
                let told = match &fault.error {
                    SendError::Retry { after, .. } => after.unwrap_or_default(),
                    _ => Duration::ZERO,
                };
                self.drafts.pause(place.chat, Instant::now() + told.max(PAUSE));
                Err(fault.error)
            }
        }
    }
}

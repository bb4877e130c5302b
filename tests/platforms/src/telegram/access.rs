//! Who may do what: finds the chat, topic and message a call names, or refuses in the vendor's words.
//! Doing it is `methods`' work.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use super::chat::{Chat, ChatId, ChatKind, MessageId, Rights, Standing, ThreadId};
use super::error::ApiError;
use super::message::{Author, Message};
use super::params::Params;
use super::world::World;

#[derive(Deserialize)]
struct ReplyParameters {
    message_id: Option<i64>,
    #[serde(default)]
    allow_sending_without_reply: bool,
    #[serde(default)]
    chat_id: Option<Value>,
}

impl World {
    /// The chat of `chat_id`.
    ///
    /// # Errors
    /// 400 when it is missing, unknown or has become a supergroup.
    pub(super) fn named_chat(&self, params: &Params) -> Result<&Chat, ApiError> {
        let named = params.text("chat_id").filter(|text| !text.is_empty());
        let named = named.ok_or_else(|| ApiError::bad("chat_id is empty"))?;
        let by_name = |name: &str| {
            self.chats
                .values()
                .find(|chat| chat.username.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name)))
        };
        let chat = match named.strip_prefix('@') {
            Some(name) => by_name(name),
            None => params.int("chat_id").and_then(|id| self.chats.get(&id)),
        };
        let chat = chat.ok_or_else(|| ApiError::bad("chat not found"))?;
        match chat.migrated_to {
            Some(to) => Err(ApiError::migrated(to)),
            None => Ok(chat),
        }
    }

    /// A chat the bot is in.
    ///
    /// # Errors
    /// 403 when it was blocked, banned, never let in, or the other one is gone.
    pub(super) fn open_chat(&self, params: &Params) -> Result<&Chat, ApiError> {
        let chat = self.named_chat(params)?;
        let standing = chat.standing(self.bot.id);
        let kind = chat.kind.name();
        if chat.kind == ChatKind::Private {
            let other = self.users.get(&chat.id);
            if other.is_some_and(|user| user.deactivated) {
                return Err(ApiError::forbidden("user is deactivated"));
            }
            if other.is_some_and(|user| user.is_bot) {
                return Err(ApiError::forbidden("bot can't send messages to bots"));
            }
            return match standing {
                Some(Standing::Kicked) => Err(ApiError::forbidden("bot was blocked by the user")),
                None => Err(ApiError::forbidden("bot can't initiate conversation with a user")),
                Some(_) => Ok(chat),
            };
        }
        match standing {
            Some(Standing::Kicked) => {
                Err(ApiError::forbidden(format!("bot was kicked from the {kind} chat")))
            }
            Some(standing) if standing.is_present() => Ok(chat),
            _ => Err(ApiError::forbidden(format!("bot is not a member of the {kind} chat"))),
        }
    }

    /// The topic a new message goes to.
    ///
    /// # Errors
    /// 400 for a topic that is unknown, deleted, or closed to a bot without the right to manage topics.
    pub(super) fn named_topic(&self, chat: &Chat, params: &Params) -> Result<Option<ThreadId>, ApiError> {
        let Some(thread) = params.int("message_thread_id").filter(|thread| *thread != 0) else {
            return Ok(None);
        };
        if chat.kind == ChatKind::Private && self.settings.private_topics_fall_through {
            return Ok(None);
        }
        // The General topic has no id of its own here: the vendor refuses 1 as well.
        let topic = chat.live_topic(thread).ok_or_else(|| ApiError::bad("message thread not found"))?;
        let manages = self.bot_rights(chat).is_some_and(|rights| rights.can_manage_topics);
        if topic.closed && !manages {
            return Err(ApiError::bad("TOPIC_CLOSED"));
        }
        Ok(Some(topic.id))
    }

    /// The message that the new one answers.
    ///
    /// # Errors
    /// 400 when it is gone and the caller did not allow for that.
    pub(super) fn named_reply(&self, chat: &Chat, params: &Params) -> Result<Option<MessageId>, ApiError> {
        let given: Option<ReplyParameters> = params.structured("reply_parameters")?;
        let (id, lenient) = match given {
            Some(reply) if reply.chat_id.is_some() => return Ok(None),
            Some(reply) => (reply.message_id, reply.allow_sending_without_reply),
            // The names from before Bot API 7.0 still work.
            None => (params.int("reply_to_message_id"), params.flag("allow_sending_without_reply")),
        };
        let Some(id) = id.filter(|id| *id != 0) else { return Ok(None) };
        match chat.messages.get(&id).filter(|message| !message.deleted) {
            Some(_) => Ok(Some(id)),
            None if lenient => Ok(None),
            None => Err(ApiError::bad("message to be replied not found")),
        }
    }

    /// A message that a call names, still there.
    ///
    /// # Errors
    /// 400 "`what` not found".
    pub(super) fn named_message<'a>(
        &self,
        chat: &'a Chat,
        params: &Params,
        what: &str,
    ) -> Result<&'a Message, ApiError> {
        let id =
            params.int("message_id").ok_or_else(|| ApiError::bad("message identifier is not specified"))?;
        let message = chat.messages.get(&id).filter(|message| !message.deleted);
        message.ok_or_else(|| ApiError::bad(format!("{what} not found")))
    }

    pub(super) fn bot_rights(&self, chat: &Chat) -> Option<Rights> {
        chat.standing(self.bot.id).and_then(Standing::rights)
    }

    /// Writes down a message to a chat and refuses it when the pace is enforced and exceeded.
    ///
    /// # Errors
    /// 429 with the seconds until the window has room.
    pub(super) fn keep_pace(&mut self, chat: ChatId, messages: usize) -> Result<(), ApiError> {
        let is_group = self.chats.get(&chat).is_some_and(|chat| chat.kind != ChatKind::Private);
        let window = Duration::from_secs(60).mul_f64(self.settings.time_scale);
        let now = Instant::now();
        let sent = self.pace.entry(chat).or_default();
        while sent.front().is_some_and(|at| now.duration_since(*at) >= window) {
            sent.pop_front();
        }
        if is_group && sent.len() + messages > self.settings.group_pace {
            self.ledger.over_pace.push((chat, self.ledger.now()));
            if self.settings.enforce_rate_limits {
                let oldest =
                    sent.front().map_or(Duration::ZERO, |at| window.saturating_sub(now.duration_since(*at)));
                let seconds = oldest.as_secs_f64().ceil() as u64;
                return Err(ApiError::too_many(seconds.max(1)));
            }
        }
        sent.extend(std::iter::repeat_n(now, messages));
        Ok(())
    }

    /// Privacy mode and the vendor's rule that bots do not hear bots.
    pub(super) fn bot_sees(&self, chat: &Chat, message: &Message) -> bool {
        let bot = self.bot.id;
        let author_is_bot = match message.author {
            Author::User(id) => id == bot || self.users.get(&id).is_some_and(|user| user.is_bot),
            Author::Anonymous | Author::Channel => false,
        };
        let present = chat.standing(bot).is_some_and(Standing::is_present);
        if author_is_bot || !present {
            return false;
        }
        if chat.kind == ChatKind::Private || message.is_service() || !self.settings.privacy {
            return true;
        }
        let is_command = message.entities().iter().any(|entity| entity["type"] == "bot_command");
        let answered = message.reply_to.and_then(|id| chat.messages.get(&id));
        let answers_bot = answered.is_some_and(|message| message.is_from(bot));
        is_command || answers_bot || self.bot_rights(chat).is_some()
    }
}

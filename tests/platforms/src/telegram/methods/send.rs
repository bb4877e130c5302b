//! Sending text, previews and copies, and what every sending method shares: target, reply and keyboard.
//! Files are in `media`.

use serde_json::{Value, json};

use super::super::chat::{ChatId, ChatKind, MessageId, ThreadId};
use super::super::error::{Answer, ApiError};
use super::super::message::{Author, Content};
use super::super::params::Params;
use super::super::text::{self, MAX_TEXT, utf16_len};
use super::super::world::{Draft, World};
use super::done;

/// Where a new message goes and what goes with it.
pub(super) struct Target {
    pub chat: ChatId,
    pub topic: Option<ThreadId>,
    pub reply_to: Option<MessageId>,
    pub markup: Option<Value>,
}

/// # Errors
/// Every reason why nothing can be sent there, in the vendor's order: chat, keyboard, topic, reply.
pub(super) fn target(world: &World, params: &Params) -> Result<Target, ApiError> {
    let chat = world.open_chat(params)?;
    let markup = reply_markup(params)?;
    let topic = world.named_topic(chat, params)?;
    let reply_to = world.named_reply(chat, params)?;
    // An answer goes where the answered message is.
    let topic =
        topic.or_else(|| reply_to.and_then(|id| chat.messages.get(&id)).and_then(|message| message.topic));
    Ok(Target { chat: chat.id, topic, reply_to, markup })
}

impl Target {
    /// Shows the bot's message and returns it.
    pub fn show(self, world: &mut World, content: Content, album: Option<String>) -> Answer {
        let author = Author::User(world.bot.id);
        let chat = self.chat;
        let Target { topic, reply_to, markup, .. } = self;
        let draft = Draft { author, topic, reply_to, content, markup, album };
        let id = world.place(chat, draft).ok_or_else(|| ApiError::bad("chat not found"))?;
        if let Some(chat) = world.chats.get_mut(&chat) {
            chat.draft = None;
        }
        message_answer(world, chat, id)
    }
}

pub(super) fn message_answer(world: &World, chat: ChatId, id: MessageId) -> Answer {
    let message = world.message(chat, id).ok_or_else(|| ApiError::bad("message not found"))?;
    Ok(world.message_json(message))
}

pub(super) fn message(world: &mut World, params: &Params) -> Answer {
    let shown = text::read(params, "text", "entities", MAX_TEXT, true)?;
    let target = target(world, params)?;
    world.keep_pace(target.chat, 1)?;
    target.show(world, Content::Text(shown), None)
}

/// Only a preview of 30 seconds, only in private chats.
pub(super) fn draft(world: &mut World, params: &Params) -> Answer {
    let shown = text::read(params, "text", "entities", MAX_TEXT, false)?;
    if params.int("draft_id").is_none_or(|id| id == 0) {
        return Err(ApiError::bad("draft_id must be non-zero"));
    }
    let chat = world.open_chat(params)?;
    if chat.kind != ChatKind::Private {
        return Err(ApiError::bad("TEXTDRAFT_PEER_INVALID"));
    }
    let chat = chat.id;
    world.ledger.drafts.push((chat, shown.text.clone()));
    if let Some(chat) = world.chats.get_mut(&chat) {
        chat.draft = Some(shown.text);
    }
    done()
}

const ACTIONS: &[&str] = &[
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
];

/// Says yes to a topic that is gone, as the vendor does (tdlib/telegram-bot-api#732).
pub(super) fn chat_action(world: &mut World, params: &Params) -> Answer {
    let chat = world.open_chat(params)?.id;
    let action = params.text("action").unwrap_or_default();
    if !ACTIONS.contains(&action.as_str()) {
        return Err(ApiError::bad("wrong parameter action in request"));
    }
    world.ledger.actions.push((chat, action));
    done()
}

fn original(world: &World, params: &Params, what: &str) -> Result<(Content, String), ApiError> {
    let mut from = params.clone();
    from.values.insert("chat_id".into(), params.values.get("from_chat_id").cloned().unwrap_or(Value::Null));
    let chat = world.named_chat(&from)?;
    let message = world.named_message(chat, &from, what)?;
    let name = match message.author {
        Author::User(id) => world.user_json(id)["first_name"].as_str().unwrap_or_default().to_owned(),
        Author::Anonymous | Author::Channel => chat.title.clone(),
    };
    Ok((message.content.clone(), name))
}

pub(super) fn forward(world: &mut World, params: &Params) -> Answer {
    let (content, name) = original(world, params, "message to forward")?;
    let target = target(world, params)?;
    let chat = target.chat;
    world.keep_pace(chat, 1)?;
    let answer = target.show(world, content, None)?;
    let id = answer["message_id"].as_i64().unwrap_or_default();
    let message = world.chats.get_mut(&chat).and_then(|chat| chat.messages.get_mut(&id));
    if let Some(message) = message {
        message.forwarded_from = Some(name);
    }
    message_answer(world, chat, id)
}

pub(super) fn copy(world: &mut World, params: &Params) -> Answer {
    let (content, _) = original(world, params, "message to copy")?;
    let target = target(world, params)?;
    world.keep_pace(target.chat, 1)?;
    let answer = target.show(world, content, None)?;
    Ok(json!({ "message_id": answer["message_id"] }))
}

/// `reply_markup`, checked. `None` when there is none.
///
/// # Errors
/// 400 for what is no keyboard, for a button without text, without or with two actions, and for callback data
/// outside 1–64 bytes.
pub(super) fn reply_markup(params: &Params) -> Result<Option<Value>, ApiError> {
    let Some(markup) = params.structured::<Value>("reply_markup")? else { return Ok(None) };
    if markup.as_object().is_none_or(|map| map.is_empty()) {
        return Ok(None);
    }
    let Some(rows) = markup.get("inline_keyboard") else {
        let known = ["keyboard", "remove_keyboard", "force_reply"];
        let fits = known.iter().any(|name| markup.get(name).is_some());
        return if fits { Ok(Some(markup)) } else { Err(ApiError::bad("object expected as reply markup")) };
    };
    let expected = || ApiError::bad("can't parse inline keyboard: expected an array of arrays of buttons");
    let rows = rows.as_array().ok_or_else(expected)?;
    let mut count = 0;
    for row in rows {
        let row = row.as_array().ok_or_else(expected)?;
        count += row.len();
        if row.len() > 8 {
            return Err(ApiError::bad("BUTTON_ROW_TOO_LONG"));
        }
        row.iter().try_for_each(check_button)?;
    }
    if count > 100 {
        return Err(ApiError::bad("reply markup is too long"));
    }
    // The vendor treats a keyboard without buttons as none.
    Ok((count > 0).then_some(markup))
}

const BUTTON_ACTIONS: &[&str] = &[
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
];

fn check_button(button: &Value) -> Result<(), ApiError> {
    let text = button["text"].as_str().unwrap_or_default();
    if text.trim().is_empty() {
        return Err(ApiError::bad("can't parse inline keyboard button: text must be non-empty"));
    }
    let actions =
        BUTTON_ACTIONS.iter().filter(|action| button.get(**action).is_some_and(|value| !value.is_null()));
    match actions.count() {
        0 => {
            return Err(ApiError::bad(
                "can't parse inline keyboard button: text buttons are unallowed in the inline keyboard",
            ));
        }
        1 => {}
        _ => {
            return Err(ApiError::bad(
                "can't parse inline keyboard button: exactly one of the optional fields must be used",
            ));
        }
    }
    if let Some(data) = button.get("callback_data").filter(|data| !data.is_null()) {
        let length = data.as_str().map_or(0, str::len);
        if !(1..=64).contains(&length) {
            return Err(ApiError::bad("BUTTON_DATA_INVALID"));
        }
    }
    if let Some(url) = button.get("url").and_then(Value::as_str) {
        let fits =
            ["http://", "https://", "tg://", "mailto:", "tel:"].iter().any(|start| url.starts_with(start));
        let bare_host = !url.contains(':') && url.contains('.');
        if !(fits || bare_host) || url.contains(char::is_whitespace) || utf16_len(url) > 2048 {
            return Err(ApiError::bad(format!(
                "inline keyboard button URL '{url}' is invalid: Wrong HTTP URL"
            )));
        }
    }
    Ok(())
}

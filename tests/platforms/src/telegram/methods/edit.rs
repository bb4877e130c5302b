//! Changing what is there: text, caption, keyboard, reactions, deletion, and the answer to a pressed button.
//! New messages are in `send` and `media`.

use serde::Deserialize;
use serde_json::Value;

use super::super::chat::{ChatId, ChatKind, MessageId};
use super::super::error::{Answer, ApiError};
use super::super::message::{Content, REACTIONS};
use super::super::params::Params;
use super::super::text::{self, MAX_CAPTION, MAX_TEXT};
use super::super::world::World;
use super::done;
use super::media::Item;
use super::send::{message_answer, reply_markup};

const NOT_MODIFIED: &str = "message is not modified: specified new message content and reply markup are exactly the same \
                            as a current content and reply markup of the message";

/// A message of the bot's own that may be edited.
fn own_message(world: &World, params: &Params) -> Result<(ChatId, MessageId), ApiError> {
    if params.has("inline_message_id") {
        return Err(ApiError::bad("MESSAGE_ID_INVALID"));
    }
    let chat = world.open_chat(params)?;
    let message = world.named_message(chat, params, "message to edit")?;
    if !message.is_from(world.bot.id) || message.is_service() {
        return Err(ApiError::bad("message can't be edited"));
    }
    Ok((chat.id, message.id))
}

/// Puts new content and keyboard in place; without `reply_markup` the keyboard goes.
fn replace(
    world: &mut World,
    (chat, id): (ChatId, MessageId),
    content: Content,
    markup: Option<Value>,
) -> Answer {
    let now = world.unix_now();
    let message = world.chats.get_mut(&chat).and_then(|chat| chat.messages.get_mut(&id));
    let message = message.ok_or_else(|| ApiError::bad("message to edit not found"))?;
    if message.content == content && message.markup == markup {
        return Err(ApiError::bad(NOT_MODIFIED));
    }
    if message.content != content {
        message.earlier.push(message.text().to_owned());
        message.edit_date = Some(now);
    }
    message.content = content;
    message.markup = markup;
    message_answer(world, chat, id)
}

fn content_of(world: &World, (chat, id): (ChatId, MessageId)) -> Result<Content, ApiError> {
    let message = world.message(chat, id);
    message.map(|message| message.content.clone()).ok_or_else(|| ApiError::bad("message to edit not found"))
}

pub(super) fn text(world: &mut World, params: &Params) -> Answer {
    let shown = text::read(params, "text", "entities", MAX_TEXT, true)?;
    let place = own_message(world, params)?;
    let markup = reply_markup(params)?;
    match content_of(world, place)? {
        Content::Text(_) => replace(world, place, Content::Text(shown), markup),
        _ => Err(ApiError::bad("there is no text in the message to edit")),
    }
}

pub(super) fn caption(world: &mut World, params: &Params) -> Answer {
    let caption = text::read(params, "caption", "caption_entities", MAX_CAPTION, false)?;
    let place = own_message(world, params)?;
    let markup = reply_markup(params)?;
    match content_of(world, place)? {
        Content::Media { kind, file, .. } => {
            replace(world, place, Content::Media { kind, file, caption }, markup)
        }
        _ => Err(ApiError::bad("there is no caption in the message to edit")),
    }
}

pub(super) fn media(world: &mut World, params: &Params) -> Answer {
    let item: Option<Item> = params.structured("media")?;
    let item = item.ok_or_else(|| ApiError::bad("media not found"))?;
    let place = own_message(world, params)?;
    let markup = reply_markup(params)?;
    let content = item.content(world, params)?;
    replace(world, place, content, markup)
}

pub(super) fn keyboard(world: &mut World, params: &Params) -> Answer {
    let place = own_message(world, params)?;
    let markup = reply_markup(params)?;
    let content = content_of(world, place)?;
    replace(world, place, content, markup)
}

fn delete_one(world: &mut World, params: &Params) -> Result<(), ApiError> {
    let chat = world.open_chat(params)?;
    let message = world.named_message(chat, params, "message to delete")?;
    let deletes = world.bot_rights(chat).is_some_and(|rights| rights.can_delete_messages);
    if !(message.is_from(world.bot.id) || chat.kind == ChatKind::Private || deletes) {
        return Err(ApiError::bad("message can't be deleted"));
    }
    let (chat, id) = (chat.id, message.id);
    if let Some(message) = world.chats.get_mut(&chat).and_then(|chat| chat.messages.get_mut(&id)) {
        message.deleted = true;
    }
    world.ledger.deleted.push((chat, id));
    Ok(())
}

pub(super) fn delete(world: &mut World, params: &Params) -> Answer {
    delete_one(world, params)?;
    done()
}

/// Messages that are not there are skipped, as the vendor promises.
pub(super) fn delete_many(world: &mut World, params: &Params) -> Answer {
    let ids: Vec<i64> = params.structured("message_ids")?.unwrap_or_default();
    if !(1..=100).contains(&ids.len()) {
        return Err(ApiError::bad("message identifiers are not specified"));
    }
    world.open_chat(params)?;
    for id in ids {
        let mut one = params.clone();
        one.values.insert("message_id".into(), id.into());
        // One that is gone or not the bot's to delete does not fail the call.
        let _ = delete_one(world, &one);
    }
    done()
}

#[derive(Deserialize)]
struct Reaction {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    emoji: Option<String>,
}

pub(super) fn reaction(world: &mut World, params: &Params) -> Answer {
    let reactions: Vec<Reaction> = params.structured("reaction")?.unwrap_or_default();
    let chat = world.open_chat(params)?;
    let message = world.named_message(chat, params, "message to react")?;
    let (chat, id) = (chat.id, message.id);
    // A bot is no premium user: one reaction, and no custom emoji unless it is there already.
    if reactions.len() > 1 {
        return Err(ApiError::bad("REACTIONS_TOO_MANY"));
    }
    let mut emoji = Vec::new();
    for reaction in reactions {
        let chosen =
            reaction.emoji.filter(|emoji| reaction.kind == "emoji" && REACTIONS.contains(&emoji.as_str()));
        emoji.push(chosen.ok_or_else(|| ApiError::bad("REACTION_INVALID"))?);
    }
    let bot = world.bot.id;
    if let Some(message) = world.chats.get_mut(&chat).and_then(|chat| chat.messages.get_mut(&id)) {
        message.reactions.insert(bot, emoji);
    }
    done()
}

pub(super) fn answer_press(world: &mut World, params: &Params) -> Answer {
    let id = params.text("callback_query_id").unwrap_or_default();
    if params.text("text").is_some_and(|text| text::utf16_len(&text) > 200) {
        return Err(ApiError::bad("MESSAGE_TOO_LONG"));
    }
    let life = std::time::Duration::from_secs(150).mul_f64(world.settings.time_scale);
    let press = world.presses.get_mut(&id).filter(|press| press.at.elapsed() < life);
    let press = press.ok_or_else(|| {
        ApiError::bad("query is too old and response timeout expired or query ID is invalid")
    })?;
    press.answered = true;
    world.ledger.toasts.push((id, params.values.clone()));
    done()
}

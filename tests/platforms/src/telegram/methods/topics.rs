//! Forum topics: open, rename, close, reopen, delete, icons.
//! Sending into them is in `send`.

use serde_json::{Value, json};

use super::super::chat::{Chat, ChatId, ChatKind, ThreadId, Topic};
use super::super::error::{Answer, ApiError};
use super::super::params::Params;
use super::super::world::World;
use super::done;

/// The colours the vendor's page lists; the first is what a topic gets without one.
const COLOURS: &[i64] = &[7_322_096, 16_766_590, 13_338_331, 9_367_192, 16_749_490, 16_478_047];

/// Some of the icons any bot may use.
const ICONS: &[(&str, &str)] = &[
    ("5312536423851630001", "💡"),
    ("5312016608254762256", "⚡️"),
    ("5377544228505134960", "📰"),
    ("5350481781306958339", "❓"),
    ("5379748062124056162", "❗️"),
    ("5237699328843200968", "✅"),
    ("5420216386448270341", "🔥"),
    ("5417915203100613993", "💬"),
    ("5350554349074391003", "💻"),
    ("5309832892262654231", "🤖"),
    ("5313107000000000012", "🆘"),
    ("5357107601584693888", "🎖"),
];

const MAX_NAME: usize = 128;

fn forum<'a>(world: &'a World, params: &Params) -> Result<&'a Chat, ApiError> {
    let chat = world.open_chat(params)?;
    if chat.kind != ChatKind::Supergroup || !chat.is_forum {
        return Err(ApiError::bad("the chat is not a forum"));
    }
    Ok(chat)
}

fn may_manage(world: &World, chat: &Chat, what: &str) -> Result<(), ApiError> {
    match world.bot_rights(chat).filter(|rights| rights.can_manage_topics) {
        Some(_) => Ok(()),
        None => Err(ApiError::bad(format!("not enough rights to {what}"))),
    }
}

fn name(world: &mut World, params: &Params) -> Option<String> {
    let name = params.text("name").map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())?;
    if name.chars().count() > MAX_NAME {
        world
            .ledger
            .violation(format!("a topic name of {} characters was cut to {MAX_NAME}", name.chars().count()));
    }
    Some(name.chars().take(MAX_NAME).collect())
}

fn icon(params: &Params) -> Result<Option<String>, ApiError> {
    let Some(icon) = params.text("icon_custom_emoji_id") else { return Ok(None) };
    if !icon.is_empty() && !ICONS.iter().any(|(id, _)| *id == icon) {
        return Err(ApiError::bad("DOCUMENT_INVALID"));
    }
    Ok(Some(icon))
}

pub(super) fn create(world: &mut World, params: &Params) -> Answer {
    let chat = forum(world, params)?;
    may_manage(world, chat, "create a topic")?;
    let chat = chat.id;
    let name = name(world, params).ok_or_else(|| ApiError::bad("title must be non-empty"))?;
    let icon_color = params.int("icon_color").unwrap_or(COLOURS[0]);
    if !COLOURS.contains(&icon_color) {
        return Err(ApiError::bad("TOPIC_ICON_COLOR_INVALID"));
    }
    let icon = icon(params)?.filter(|icon| !icon.is_empty());
    let bot = world.bot.id;
    let topic = open(world, chat, bot, &name, icon_color, icon)?;
    Ok(topic.json())
}

/// Opens a topic, by whomever.
///
/// # Errors
/// 400 when the chat is unknown.
pub(in crate::telegram) fn open(
    world: &mut World,
    chat: ChatId,
    by: i64,
    name: &str,
    icon_color: i64,
    icon: Option<String>,
) -> Result<Topic, ApiError> {
    let mut created = json!({ "name": name, "icon_color": icon_color });
    if let Some(icon) = &icon {
        created["icon_custom_emoji_id"] = json!(icon);
    }
    let unknown = || ApiError::bad("chat not found");
    let found = world.chats.get_mut(&chat).ok_or_else(unknown)?;
    // The topic's id is the id of the service message that opens it.
    let id = found.upcoming_message_id();
    let topic = Topic { id, name: name.to_owned(), icon_color, icon, closed: false, deleted: false };
    found.topics.insert(id, topic.clone());
    world.place_service(chat, by, Some(id), "forum_topic_created", created).ok_or_else(unknown)?;
    Ok(topic)
}

pub(super) fn topic_of(world: &World, params: &Params) -> Result<(ChatId, ThreadId), ApiError> {
    let chat = forum(world, params)?;
    may_manage(world, chat, "manage topics")?;
    let thread = params.int("message_thread_id").unwrap_or_default();
    if thread <= 0 {
        return Err(ApiError::bad("invalid message thread identifier specified"));
    }
    let topic = chat.live_topic(thread).ok_or_else(|| ApiError::bad("TOPIC_ID_INVALID"))?;
    Ok((chat.id, topic.id))
}

/// Changes a topic; the change says whether there was one.
fn change(
    world: &mut World,
    params: &Params,
    change: impl FnOnce(&mut Topic) -> Option<(&'static str, Value)>,
) -> Answer {
    let (chat, thread) = topic_of(world, params)?;
    let topic = world.chats.get_mut(&chat).and_then(|chat| chat.topics.get_mut(&thread));
    let changed = topic.and_then(change).ok_or_else(|| ApiError::bad("TOPIC_NOT_MODIFIED"))?;
    let bot = world.bot.id;
    world.place_service(chat, bot, Some(thread), changed.0, changed.1);
    done()
}

pub(super) fn edit(world: &mut World, params: &Params) -> Answer {
    let name = name(world, params);
    let icon = icon(params)?;
    change(world, params, |topic| {
        let mut edited = json!({});
        if let Some(name) = name.filter(|name| *name != topic.name) {
            edited["name"] = json!(name);
            topic.name = name;
        }
        // An empty id takes the icon away.
        if let Some(icon) = icon.filter(|icon| icon != topic.icon.as_deref().unwrap_or_default()) {
            edited["icon_custom_emoji_id"] = json!(icon);
            topic.icon = Some(icon).filter(|icon| !icon.is_empty());
        }
        let is_changed = edited.as_object().is_some_and(|fields| !fields.is_empty());
        is_changed.then_some(("forum_topic_edited", edited))
    })
}

pub(super) fn close(world: &mut World, params: &Params) -> Answer {
    change(world, params, |topic| {
        let was_open = !std::mem::replace(&mut topic.closed, true);
        was_open.then_some(("forum_topic_closed", json!({})))
    })
}

pub(super) fn reopen(world: &mut World, params: &Params) -> Answer {
    change(world, params, |topic| {
        let was_closed = std::mem::replace(&mut topic.closed, false);
        was_closed.then_some(("forum_topic_reopened", json!({})))
    })
}

pub(super) fn delete(world: &mut World, params: &Params) -> Answer {
    let (chat, thread) = topic_of(world, params)?;
    let rights = world.chats.get(&chat).and_then(|chat| world.bot_rights(chat));
    if !rights.is_some_and(|rights| rights.can_delete_messages) {
        return Err(ApiError::bad("not enough rights to delete the topic"));
    }
    world.remove_topic(chat, thread);
    done()
}

impl World {
    /// Deletes a topic and all that is in it. Nobody is told.
    pub(in crate::telegram) fn remove_topic(&mut self, chat: ChatId, thread: ThreadId) {
        let Some(chat) = self.chats.get_mut(&chat) else { return };
        if let Some(topic) = chat.topics.get_mut(&thread) {
            topic.deleted = true;
        }
        for message in chat.messages.values_mut().filter(|message| message.topic == Some(thread)) {
            message.deleted = true;
        }
    }
}

pub(super) fn icons(_: &mut World, _: &Params) -> Answer {
    let sticker = |(id, emoji): &(&str, &str)| {
        json!({
            "file_id": format!("CAACFake{id}"), "file_unique_id": format!("AgADFake{id}"), "type": "custom_emoji",
            "width": 100, "height": 100, "is_animated": true, "is_video": false, "emoji": emoji,
            "set_name": "Topics", "custom_emoji_id": id, "needs_repainting": false, "file_size": 4096,
        })
    };
    Ok(ICONS.iter().map(sticker).collect())
}

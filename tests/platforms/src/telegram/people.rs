//! What people do: write, edit, press, react, block, open and delete topics.
//! What the bot does is in `methods`; the handle that tests hold is in `drive`.

use std::time::Instant;

use bytes::Bytes;
use serde_json::{Value, json};

use super::chat::{Chat, ChatId, ChatKind, MessageId, Rights, Standing, ThreadId, User, UserId};
use super::message::{Author, Content, MediaKind};
use super::methods::open_topic;
use super::text::{self, Formatted};
use super::updates::Lane;
use super::world::{Draft, Press, World};

/// A mistake of the test, not of the bot.
pub type Drive<T> = Result<T, String>;

/// What a person sends. A text turns into one by itself.
#[derive(Debug, Clone, Default)]
pub struct Post {
    text: String,
    entities: Option<Vec<Value>>,
    reply_to: Option<MessageId>,
    file: Option<PostFile>,
    fields: Option<Value>,
}

#[derive(Debug, Clone)]
struct PostFile {
    kind: MediaKind,
    name: Option<String>,
    mime: Option<String>,
    bytes: Bytes,
    size: Option<u64>,
}

impl From<&str> for Post {
    fn from(text: &str) -> Self {
        Post::text(text)
    }
}

impl From<String> for Post {
    fn from(text: String) -> Self {
        Post::text(text)
    }
}

impl Post {
    pub fn text(text: impl Into<String>) -> Self {
        Post { text: text.into(), ..Post::default() }
    }

    /// A file of any kind; `text` becomes its caption.
    pub fn file(kind: MediaKind, name: Option<&str>, mime: Option<&str>, bytes: impl Into<Bytes>) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let file = PostFile { kind, name: owned(name), mime: owned(mime), bytes: bytes.into(), size: None };
        Post { file: Some(file), ..Post::default() }
    }

    pub fn photo(bytes: impl Into<Bytes>) -> Self {
        Post::file(MediaKind::Photo, None, None, bytes)
    }

    pub fn document(name: &str, mime: &str, bytes: impl Into<Bytes>) -> Self {
        Post::file(MediaKind::Document, Some(name), Some(mime), bytes)
    }

    pub fn voice(bytes: impl Into<Bytes>) -> Self {
        Post::file(MediaKind::Voice, None, Some("audio/ogg"), bytes)
    }

    /// A message of another kind by its own fields: `{"contact": {…}}`, `{"location": {…}}`, `{"dice": {…}}`.
    pub fn other(fields: Value) -> Self {
        Post { fields: Some(fields), ..Post::default() }
    }

    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.text = caption.into();
        self
    }

    /// Instead of those the platform finds by itself (commands, links, mentions).
    pub fn entities(mut self, entities: Vec<Value>) -> Self {
        self.entities = Some(entities);
        self
    }

    pub fn reply_to(mut self, message: MessageId) -> Self {
        self.reply_to = Some(message);
        self
    }

    /// Plays a file of this size without having the bytes.
    pub fn declared_size(mut self, bytes: u64) -> Self {
        if let Some(file) = &mut self.file {
            file.size = Some(bytes);
        }
        self
    }
}

impl World {
    fn content_of(&mut self, post: &Post) -> Content {
        let entities = post.entities.clone().unwrap_or_else(|| text::detected(&post.text));
        let shown = Formatted { text: post.text.clone(), entities };
        if let Some(fields) = &post.fields {
            return Content::Other(fields.clone());
        }
        match post.file.clone() {
            Some(PostFile { kind, name, mime, bytes, size }) => {
                let file = self.files.keep(kind, name, mime, bytes, size);
                Content::Media { kind, file, caption: shown }
            }
            None => Content::Text(shown),
        }
    }

    pub(super) fn add_user(&mut self, user: User) {
        let id = user.id;
        let name = user.first_name.clone();
        self.users.insert(id, user);
        self.chats.entry(id).or_insert_with(|| Chat::new(id, ChatKind::Private, name));
    }

    pub(super) fn add_chat(&mut self, kind: ChatKind, title: &str, bot: Standing) -> ChatId {
        let serial = self.next_serial() as i64;
        let id = if kind == ChatKind::Group { -4_000_000 - serial } else { -1_001_000_000_000 - serial };
        let mut chat = Chat::new(id, kind, title);
        chat.members.insert(self.bot.id, bot);
        // Message 1 of a group is the one that tells of its creation; so no topic has the id of General.
        chat.skip_message_ids(1);
        self.chats.insert(id, chat);
        id
    }

    pub(super) fn known_chat(&mut self, chat: ChatId) -> Drive<&mut Chat> {
        self.chats.get_mut(&chat).ok_or_else(|| format!("no chat {chat}"))
    }

    fn enter(&mut self, author: Author, chat: ChatId) -> Drive<()> {
        let Author::User(user) = author else { return self.known_chat(chat).map(|_| ()) };
        if !self.users.contains_key(&user) {
            return Err(format!("no user {user}"));
        }
        let bot = self.bot.id;
        let chat = self.known_chat(chat)?;
        let member = if chat.kind == ChatKind::Private { bot } else { user };
        match chat.standing(member) {
            Some(Standing::Kicked) => Err(format!("{user} cannot write to {}: blocked or banned", chat.id)),
            Some(standing) if standing.is_present() => Ok(()),
            _ => {
                chat.members.insert(member, Standing::Member);
                Ok(())
            }
        }
    }

    /// Anyone but the bot writes.
    pub(super) fn say(
        &mut self,
        author: Author,
        chat: ChatId,
        topic: Option<ThreadId>,
        post: &Post,
        album: Option<String>,
    ) -> Drive<MessageId> {
        self.enter(author, chat)?;
        let found = self.known_chat(chat)?;
        if let Some(to) = found.migrated_to {
            return Err(format!("{chat} has become {to}"));
        }
        if let Some(thread) = topic.filter(|thread| found.live_topic(*thread).is_none()) {
            return Err(format!("no topic {thread} in {chat}"));
        }
        let content = self.content_of(post);
        let draft = Draft { topic, reply_to: post.reply_to, album, ..Draft::new(author, content) };
        let id = self.place(chat, draft).ok_or("no such chat")?;
        self.announce("message", chat, id);
        Ok(id)
    }

    /// New text or caption; `None` leaves the content as it is, which the platform announces as an edit too.
    pub(super) fn change_message(&mut self, chat: ChatId, id: MessageId, text: Option<&str>) -> Drive<()> {
        let now = self.unix_now();
        let message =
            self.known_chat(chat)?.messages.get_mut(&id).ok_or_else(|| format!("no message {id}"))?;
        if let Some(text) = text {
            message.earlier.push(message.text().to_owned());
            if let Content::Text(shown) | Content::Media { caption: shown, .. } = &mut message.content {
                *shown = Formatted::plain(text);
            }
        }
        message.edit_date = Some(now);
        self.announce("edited_message", chat, id);
        Ok(())
    }

    /// Presses a button by its data or label; returns the query's id.
    pub(super) fn press(&mut self, user: UserId, chat: ChatId, id: MessageId, button: &str) -> Drive<String> {
        let message = self.message(chat, id).ok_or_else(|| format!("no message {id} in {chat}"))?;
        let found =
            message.button(button).ok_or_else(|| format!("no button {button:?} under message {id}"))?;
        let data = found.data.ok_or_else(|| format!("the button {button:?} sends nothing"))?;
        self.press_data(user, chat, id, &data)
    }

    /// Sends any callback data for a message, as a rogue client can.
    pub(super) fn press_data(
        &mut self,
        user: UserId,
        chat: ChatId,
        id: MessageId,
        data: &str,
    ) -> Drive<String> {
        if !self.users.contains_key(&user) {
            return Err(format!("no user {user}"));
        }
        let message = self.message(chat, id).ok_or_else(|| format!("no message {id} in {chat}"))?;
        let pressed = self.pressed_message_json(chat, message);
        let query = format!("{}", 4_382_000_000_000_000_000_u64 + self.next_serial());
        let press = Press {
            id: query.clone(),
            user,
            chat,
            message: id,
            data: data.to_owned(),
            answered: false,
            at: Instant::now(),
        };
        self.presses.insert(query.clone(), press);
        let payload = json!({
            "id": query, "from": self.user_json(user), "message": pressed,
            "chat_instance": format!("-{}", chat.unsigned_abs()), "data": data,
        });
        self.emit("callback_query", Lane::press(user), payload);
        Ok(query)
    }

    /// Sets a person's reaction, or takes it away.
    pub(super) fn react(
        &mut self,
        user: UserId,
        chat: ChatId,
        id: MessageId,
        emoji: Option<&str>,
    ) -> Drive<()> {
        let message =
            self.known_chat(chat)?.messages.get_mut(&id).ok_or_else(|| format!("no message {id}"))?;
        let new: Vec<String> = emoji.map(str::to_owned).into_iter().collect();
        let old = message.reactions.insert(user, new.clone()).unwrap_or_default();
        let list = |emoji: &[String]| -> Value {
            emoji.iter().map(|emoji| json!({ "type": "emoji", "emoji": emoji })).collect()
        };
        let found = self.chats.get(&chat).ok_or("no such chat")?;
        // Only administrators of a group hear of reactions.
        if found.kind != ChatKind::Private && self.bot_rights(found).is_none() {
            return Ok(());
        }
        let payload = json!({
            "chat": self.chat_json(found), "message_id": id, "user": self.user_json(user), "date": self.unix_now(),
            "old_reaction": list(&old), "new_reaction": list(&new),
        });
        self.emit("message_reaction", Lane::Other("message_reaction".into(), chat), payload);
        Ok(())
    }

    pub(super) fn open_topic(&mut self, by: UserId, chat: ChatId, name: &str) -> Drive<ThreadId> {
        self.enter(Author::User(by), chat)?;
        let topic = open_topic(self, chat, by, name, 7_322_096, None).map_err(|error| error.description)?;
        Ok(topic.id)
    }

    pub(super) fn rename_topic(
        &mut self,
        by: UserId,
        chat: ChatId,
        thread: ThreadId,
        name: &str,
    ) -> Drive<()> {
        let topic =
            self.known_chat(chat)?.topics.get_mut(&thread).ok_or_else(|| format!("no topic {thread}"))?;
        topic.name = name.to_owned();
        self.place_service(chat, by, Some(thread), "forum_topic_edited", json!({ "name": name }));
        Ok(())
    }

    pub(super) fn shut_topic(
        &mut self,
        by: UserId,
        chat: ChatId,
        thread: ThreadId,
        closed: bool,
    ) -> Drive<()> {
        let topic =
            self.known_chat(chat)?.topics.get_mut(&thread).ok_or_else(|| format!("no topic {thread}"))?;
        topic.closed = closed;
        let field = if closed { "forum_topic_closed" } else { "forum_topic_reopened" };
        self.place_service(chat, by, Some(thread), field, json!({}));
        Ok(())
    }

    /// A basic group becomes a supergroup: both chats say so, and the old id is good for nothing.
    pub(super) fn migrate(&mut self, old: ChatId) -> Drive<ChatId> {
        let serial = self.next_serial() as i64;
        let new = -1_001_500_000_000 - serial;
        let by = *self.users.keys().next().ok_or("nobody is there to migrate the group")?;
        let before = self.known_chat(old)?;
        let mut after = Chat::new(new, ChatKind::Supergroup, before.title.clone());
        after.is_forum = before.is_forum;
        after.members = before.members.clone();
        // Topics and their numbers stay, so that a forum can be migrated in a test though the vendor's cannot.
        after.topics = before.topics.clone();
        after.skip_message_ids(before.upcoming_message_id() - 1);
        self.chats.insert(new, after);
        self.place_service(old, by, None, "migrate_to_chat_id", json!(new));
        self.place_service(new, by, None, "migrate_from_chat_id", json!(old));
        self.known_chat(old)?.migrated_to = Some(new);
        Ok(new)
    }

    /// Makes someone administrator, or plain member.
    pub(super) fn appoint(&mut self, chat: ChatId, user: UserId, rights: Option<Rights>) -> Drive<()> {
        let standing = rights.map_or(Standing::Member, Standing::Administrator);
        if user == self.bot.id {
            let by = self.users.keys().next().copied().unwrap_or(user);
            self.known_chat(chat)?;
            self.set_bot_standing(chat, by, standing);
        } else {
            self.known_chat(chat)?.members.insert(user, standing);
        }
        Ok(())
    }
}

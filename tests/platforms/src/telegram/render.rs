//! Messages and chats as the Bot API shows them.
//! What changes them is in `methods` and `people`.

use serde_json::{Value, json};

use super::chat::{Chat, ChatId, ChatKind, GROUP_ANONYMOUS_BOT, User, UserId, set};
use super::message::{Author, Content, Message};
use super::world::World;

impl World {
    pub fn user_json(&self, id: UserId) -> Value {
        if id == self.bot.id {
            return self.bot.json();
        }
        if id == GROUP_ANONYMOUS_BOT {
            let mut anonymous = User::named(id, "Group");
            anonymous.is_bot = true;
            anonymous.username = Some("GroupAnonymousBot".into());
            return anonymous.json();
        }
        self.users.get(&id).map_or_else(|| User::named(id, "Unknown").json(), User::json)
    }

    /// A `Chat`.
    pub fn chat_json(&self, chat: &Chat) -> Value {
        let mut object = json!({ "id": chat.id, "type": chat.kind.name() });
        if chat.kind == ChatKind::Private {
            if let Some(user) = self.users.get(&chat.id) {
                object["first_name"] = json!(user.first_name);
                set(&mut object, "last_name", &user.last_name);
                set(&mut object, "username", &user.username);
            }
        } else {
            object["title"] = json!(chat.title);
            set(&mut object, "username", &chat.username);
            if chat.is_forum {
                object["is_forum"] = json!(true);
            }
        }
        object
    }

    /// A `ChatFullInfo`.
    pub fn full_chat_json(&self, chat: &Chat) -> Value {
        let mut object = self.chat_json(chat);
        object["accent_color_id"] = json!(3);
        object["max_reaction_count"] = json!(11);
        object["accepted_gift_types"] = json!({
            "unlimited_gifts": true, "limited_gifts": true, "unique_gifts": true,
            "premium_subscription": true, "gifts_from_channels": true,
        });
        if chat.kind != ChatKind::Private {
            object["permissions"] = json!({
                "can_send_messages": true, "can_send_audios": true, "can_send_documents": true,
                "can_send_photos": true, "can_send_videos": true, "can_send_video_notes": true,
                "can_send_voice_notes": true, "can_send_polls": true, "can_send_other_messages": true,
                "can_add_web_page_previews": true, "can_change_info": false, "can_invite_users": true,
                "can_pin_messages": false, "can_manage_topics": false,
            });
        }
        let pinned = chat.pinned.last().and_then(|id| chat.messages.get(id));
        if let Some(pinned) = pinned {
            object["pinned_message"] = self.message_json(pinned);
        }
        object
    }

    /// A `Message` with the one it answers.
    pub fn message_json(&self, message: &Message) -> Value {
        let mut object = self.lone_message_json(message);
        let Some(chat) = self.chats.get(&message.chat) else { return object };
        // In a topic every message without a reply of its own answers the one that opened the topic.
        let parent = message.reply_to.or(message.topic.filter(|topic| *topic != message.id));
        let parent = parent.and_then(|id| chat.messages.get(&id)).filter(|parent| !parent.deleted);
        if let Some(parent) = parent {
            object["reply_to_message"] = self.lone_message_json(parent);
        }
        object
    }

    fn lone_message_json(&self, message: &Message) -> Value {
        let chat = self.chats.get(&message.chat).map_or(Value::Null, |chat| self.chat_json(chat));
        let mut object = json!({ "message_id": message.id, "date": message.date, "chat": chat });
        match message.author {
            Author::User(user) => object["from"] = self.user_json(user),
            Author::Anonymous => {
                object["from"] = self.user_json(GROUP_ANONYMOUS_BOT);
                object["sender_chat"] = object["chat"].clone();
            }
            Author::Channel => object["sender_chat"] = object["chat"].clone(),
        }
        set(&mut object, "message_thread_id", &message.topic.or(message.reply_root));
        if message.topic.is_some() {
            object["is_topic_message"] = json!(true);
        }
        set(&mut object, "edit_date", &message.edit_date);
        set(&mut object, "media_group_id", &message.album);
        if let Some(name) = &message.forwarded_from {
            object["forward_origin"] =
                json!({ "type": "hidden_user", "sender_user_name": name, "date": message.date });
        }
        self.add_content(&mut object, message);
        let inline = message.markup.as_ref().filter(|markup| markup.get("inline_keyboard").is_some());
        set(&mut object, "reply_markup", &inline);
        object
    }

    fn add_content(&self, object: &mut Value, message: &Message) {
        match &message.content {
            Content::Text(shown) => {
                object["text"] = json!(shown.text);
                if !shown.entities.is_empty() {
                    object["entities"] = json!(shown.entities);
                }
            }
            Content::Media { kind, file, caption } => {
                object[kind.field()] = self.files.media_json(*kind, file);
                if !caption.text.is_empty() {
                    object["caption"] = json!(caption.text);
                }
                if !caption.entities.is_empty() {
                    object["caption_entities"] = json!(caption.entities);
                }
            }
            Content::Service { field, value } => object[field.as_str()] = value.clone(),
            Content::Other(fields) => {
                for (field, value) in fields.as_object().into_iter().flatten() {
                    object[field.as_str()] = value.clone();
                }
            }
        }
    }

    /// A message that a pressed button hangs on: whole, or only its place when it is gone.
    pub(super) fn pressed_message_json(&self, chat: ChatId, message: &Message) -> Value {
        if !message.deleted {
            return self.message_json(message);
        }
        let chat = self.chats.get(&chat).map_or(Value::Null, |chat| self.chat_json(chat));
        json!({ "chat": chat, "message_id": message.id, "date": 0 })
    }
}

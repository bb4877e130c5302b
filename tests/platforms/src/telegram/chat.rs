//! Users, chats, members and forum topics, and the Bot API objects made of them.
//! Messages are in `message`; who may do what is asked in `access`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::message::Message;

pub type UserId = i64;
pub type ChatId = i64;
pub type ThreadId = i64;
pub type MessageId = i64;

/// The user that stands for an administrator who writes as the group (vendor's constant).
pub const GROUP_ANONYMOUS_BOT: UserId = 1_087_968_824;

#[derive(Debug, Clone)]
pub struct User {
    pub id: UserId,
    pub is_bot: bool,
    pub first_name: String,
    pub last_name: Option<String>,
    pub username: Option<String>,
    pub language_code: Option<String>,
    /// A deleted account: sends to it are refused.
    pub deactivated: bool,
}

impl User {
    pub fn named(id: UserId, first_name: impl Into<String>) -> Self {
        User {
            id,
            is_bot: false,
            first_name: first_name.into(),
            last_name: None,
            username: None,
            language_code: None,
            deactivated: false,
        }
    }

    pub fn json(&self) -> Value {
        let mut user = json!({ "id": self.id, "is_bot": self.is_bot, "first_name": self.first_name });
        set(&mut user, "last_name", &self.last_name);
        set(&mut user, "username", &self.username);
        set(&mut user, "language_code", &self.language_code);
        user
    }
}

pub(super) fn set<T: Serialize>(object: &mut Value, field: &str, value: &Option<T>) {
    if let Some(value) = value {
        object[field] = json!(value);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    Private,
    Group,
    Supergroup,
    Channel,
}

impl ChatKind {
    pub fn name(self) -> &'static str {
        match self {
            ChatKind::Private => "private",
            ChatKind::Group => "group",
            ChatKind::Supergroup => "supergroup",
            ChatKind::Channel => "channel",
        }
    }
}

/// The administrator rights that matter to a service desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rights {
    pub can_manage_topics: bool,
    pub can_delete_messages: bool,
    pub can_pin_messages: bool,
    pub can_change_info: bool,
    pub can_invite_users: bool,
    pub is_anonymous: bool,
}

impl Default for Rights {
    fn default() -> Self {
        Rights {
            can_manage_topics: true,
            can_delete_messages: true,
            can_pin_messages: true,
            can_change_info: true,
            can_invite_users: true,
            is_anonymous: false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Creator,
    Administrator(Rights),
    Member,
    /// Not in the chat and free to come back.
    Left,
    /// Banned from the group; in a private chat: the user blocked the bot.
    Kicked,
}

impl Standing {
    pub fn is_present(self) -> bool {
        matches!(self, Standing::Creator | Standing::Administrator(_) | Standing::Member)
    }

    pub fn rights(self) -> Option<Rights> {
        match self {
            Standing::Creator => Some(Rights::default()),
            Standing::Administrator(rights) => Some(rights),
            _ => None,
        }
    }

    /// A `ChatMember`.
    pub fn json(self, user: &User) -> Value {
        let user = user.json();
        match self {
            Standing::Creator => json!({ "status": "creator", "user": user, "is_anonymous": false }),
            Standing::Administrator(rights) => json!({
                "status": "administrator", "user": user, "can_be_edited": false,
                "is_anonymous": rights.is_anonymous, "can_manage_chat": true,
                "can_delete_messages": rights.can_delete_messages, "can_manage_video_chats": false,
                "can_restrict_members": false, "can_promote_members": false,
                "can_change_info": rights.can_change_info, "can_invite_users": rights.can_invite_users,
                "can_post_stories": false, "can_edit_stories": false, "can_delete_stories": false,
                "can_pin_messages": rights.can_pin_messages, "can_manage_topics": rights.can_manage_topics,
            }),
            Standing::Member => json!({ "status": "member", "user": user }),
            Standing::Left => json!({ "status": "left", "user": user }),
            Standing::Kicked => json!({ "status": "kicked", "user": user, "until_date": 0 }),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Topic {
    /// Also the id of the service message that opened it.
    pub id: ThreadId,
    pub name: String,
    pub icon_color: i64,
    pub icon: Option<String>,
    pub closed: bool,
    pub deleted: bool,
}

impl Topic {
    /// A `ForumTopic`.
    pub fn json(&self) -> Value {
        let mut topic = json!({
            "message_thread_id": self.id, "name": self.name, "icon_color": self.icon_color,
        });
        set(&mut topic, "icon_custom_emoji_id", &self.icon);
        topic
    }
}

#[derive(Debug, Clone)]
pub struct Chat {
    pub id: ChatId,
    pub kind: ChatKind,
    pub title: String,
    pub username: Option<String>,
    pub is_forum: bool,
    pub members: BTreeMap<UserId, Standing>,
    pub topics: BTreeMap<ThreadId, Topic>,
    pub messages: BTreeMap<MessageId, Message>,
    pub pinned: BTreeSet<MessageId>,
    pub migrated_to: Option<ChatId>,
    /// The bot's last preview (`sendMessageDraft`), until a real message comes.
    pub draft: Option<String>,
    last_message: MessageId,
}

impl Chat {
    pub fn new(id: ChatId, kind: ChatKind, title: impl Into<String>) -> Self {
        Chat {
            id,
            kind,
            title: title.into(),
            username: None,
            is_forum: false,
            members: BTreeMap::new(),
            topics: BTreeMap::new(),
            messages: BTreeMap::new(),
            pinned: BTreeSet::new(),
            migrated_to: None,
            draft: None,
            last_message: 0,
        }
    }

    pub(super) fn next_message_id(&mut self) -> MessageId {
        self.last_message += 1;
        self.last_message
    }

    /// The id that the next message gets.
    pub(super) fn upcoming_message_id(&self) -> MessageId {
        self.last_message + 1
    }

    pub(super) fn skip_message_ids(&mut self, count: MessageId) {
        self.last_message += count;
    }

    pub fn live_topic(&self, thread: ThreadId) -> Option<&Topic> {
        self.topics.get(&thread).filter(|topic| !topic.deleted)
    }

    pub fn standing(&self, user: UserId) -> Option<Standing> {
        self.members.get(&user).copied()
    }

    /// Messages that a person in the chat still sees, oldest first.
    pub fn visible(&self) -> impl Iterator<Item = &Message> {
        self.messages.values().filter(|message| !message.deleted)
    }
}

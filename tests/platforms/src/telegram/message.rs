//! A message as everybody in the chat sees it now, and what it was before.
//! Its Bot API form is made in `render`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::chat::{ChatId, MessageId, ThreadId, UserId};
use super::text::Formatted;

/// The vendor's list (`ReactionTypeEmoji`), Bot API 10.1.
pub const REACTIONS: &[&str] = &[
    "❤",
    "👍",
    "👎",
    "🔥",
    "🥰",
    "👏",
    "😁",
    "🤔",
    "🤯",
    "😱",
    "🤬",
    "😢",
    "🎉",
    "🤩",
    "🤮",
    "💩",
    "🙏",
    "👌",
    "🕊",
    "🤡",
    "🥱",
    "🥴",
    "😍",
    "🐳",
    "❤\u{200d}🔥",
    "🌚",
    "🌭",
    "💯",
    "🤣",
    "⚡",
    "🍌",
    "🏆",
    "💔",
    "🤨",
    "😐",
    "🍓",
    "🍾",
    "💋",
    "🖕",
    "😈",
    "😴",
    "😭",
    "🤓",
    "👻",
    "👨\u{200d}💻",
    "👀",
    "🎃",
    "🙈",
    "😇",
    "😨",
    "🤝",
    "✍",
    "🤗",
    "🫡",
    "🎅",
    "🎄",
    "☃",
    "💅",
    "🤪",
    "🗿",
    "🆒",
    "💘",
    "🙉",
    "🦄",
    "😘",
    "💊",
    "🙊",
    "😎",
    "👾",
    "🤷\u{200d}♂",
    "🤷",
    "🤷\u{200d}♀",
    "😡",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    User(UserId),
    /// An administrator who writes as the group: `from` is GroupAnonymousBot, `sender_chat` the group.
    Anonymous,
    /// Nobody: a post of a channel.
    Channel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    Photo,
    Document,
    Video,
    Audio,
    Voice,
    Animation,
    Sticker,
    VideoNote,
}

impl MediaKind {
    pub fn field(self) -> &'static str {
        match self {
            MediaKind::Photo => "photo",
            MediaKind::Document => "document",
            MediaKind::Video => "video",
            MediaKind::Audio => "audio",
            MediaKind::Voice => "voice",
            MediaKind::Animation => "animation",
            MediaKind::Sticker => "sticker",
            MediaKind::VideoNote => "video_note",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        use MediaKind::*;
        [Photo, Document, Video, Audio, Voice, Animation, Sticker, VideoNote]
            .into_iter()
            .find(|kind| kind.field() == name)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Text(Formatted),
    Media {
        kind: MediaKind,
        file: String,
        caption: Formatted,
    },
    /// A service message: the field it has and that field's value (`forum_topic_created`, `migrate_to_chat_id` …).
    Service {
        field: String,
        value: Value,
    },
    /// Any other kind, given as the message's own fields (`{"contact": {…}}`).
    Other(Value),
}

#[derive(Debug, Clone)]
pub struct Message {
    pub id: MessageId,
    pub chat: ChatId,
    /// The forum topic it is in (`is_topic_message`).
    pub topic: Option<ThreadId>,
    /// The first message of the reply chain it belongs to; outside topics this is what `message_thread_id` shows.
    pub reply_root: Option<MessageId>,
    pub reply_to: Option<MessageId>,
    pub author: Author,
    /// Unix time, seconds.
    pub date: i64,
    pub edit_date: Option<i64>,
    pub content: Content,
    /// What the text or caption was before each edit, oldest first.
    pub earlier: Vec<String>,
    pub album: Option<String>,
    /// `reply_markup` as sent; only an inline keyboard is part of the message for others.
    pub markup: Option<Value>,
    pub reactions: BTreeMap<UserId, Vec<String>>,
    pub forwarded_from: Option<String>,
    pub deleted: bool,
}

impl Message {
    /// Text or caption; empty for service messages.
    pub fn text(&self) -> &str {
        match &self.content {
            Content::Text(shown) | Content::Media { caption: shown, .. } => &shown.text,
            Content::Service { .. } | Content::Other(_) => "",
        }
    }

    pub fn entities(&self) -> &[Value] {
        match &self.content {
            Content::Text(shown) | Content::Media { caption: shown, .. } => &shown.entities,
            Content::Service { .. } | Content::Other(_) => &[],
        }
    }

    pub fn is_from(&self, user: UserId) -> bool {
        self.author == Author::User(user)
    }

    pub fn is_service(&self) -> bool {
        matches!(self.content, Content::Service { .. })
    }

    pub fn media(&self) -> Option<(MediaKind, &str)> {
        match &self.content {
            Content::Media { kind, file, .. } => Some((*kind, file)),
            _ => None,
        }
    }

    /// Rows of inline buttons.
    pub fn keyboard(&self) -> Vec<Vec<Button>> {
        let rows = self.markup.as_ref().and_then(|markup| markup["inline_keyboard"].as_array());
        let row =
            |row: &Value| row.as_array().map(|row| row.iter().map(Button::of).collect()).unwrap_or_default();
        rows.map(|rows| rows.iter().map(row).collect()).unwrap_or_default()
    }

    pub fn buttons(&self) -> Vec<Button> {
        self.keyboard().into_iter().flatten().collect()
    }

    /// The button with this callback data, or with this label.
    pub fn button(&self, label_or_data: &str) -> Option<Button> {
        let buttons = self.buttons();
        let by_data = buttons.iter().find(|button| button.data.as_deref() == Some(label_or_data));
        by_data.or_else(|| buttons.iter().find(|button| button.text == label_or_data)).cloned()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    pub text: String,
    pub data: Option<String>,
    pub url: Option<String>,
}

impl Button {
    fn of(json: &Value) -> Self {
        let field = |name: &str| json[name].as_str().map(str::to_owned);
        Button { text: field("text").unwrap_or_default(), data: field("callback_data"), url: field("url") }
    }
}

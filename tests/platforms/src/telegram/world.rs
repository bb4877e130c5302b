//! The whole state of the fake platform, and the questions a test asks of it.
//! The bot changes it through `methods`, people through `people`.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::chat::{Chat, ChatId, ChatKind, MessageId, Standing, ThreadId, Topic, User, UserId};
use super::faults::FaultPlan;
use super::files::Files;
use super::ledger::{Call, Ledger};
use super::message::{Author, Content, Message};
use super::updates::{Lane, Updates};

pub(super) type Shared = crate::shared::Shared<World>;

impl crate::shared::Story for World {
    fn story(&self) -> String {
        self.report()
    }
}

/// How the platform behaves.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub token: String,
    pub bot_username: String,
    /// Length of the platform's own waits (webhook back-off, time to live, pace window) relative to the vendor's.
    pub time_scale: f64,
    /// What the platform's clock is ahead of ours, seconds.
    pub clock_ahead: i64,
    /// Privacy mode: in groups a bot without rights sees only what is meant for it.
    pub privacy: bool,
    /// Refuse with 429 what goes beyond the pace (else it is only written down).
    pub enforce_rate_limits: bool,
    /// Messages per minute to one group.
    pub group_pace: usize,
    /// Hand the bot the service messages that its own acts made. The vendor does not.
    pub echo_own_service_messages: bool,
    /// Take only webhooks that the vendor would: HTTPS, ports 443, 80, 88, 8443.
    pub strict_webhook_urls: bool,
    /// A send to a topic that is gone, in a private chat, is shown outside it (tdlib/telegram-bot-api#854)
    /// rather than refused.
    pub private_topics_fall_through: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            token: "123456789:AAFakeTelegramTokenForTestsOnly_000".into(),
            bot_username: "deskbridge_bot".into(),
            time_scale: 1.0,
            clock_ahead: 0,
            privacy: true,
            enforce_rate_limits: false,
            group_pace: 20,
            echo_own_service_messages: false,
            strict_webhook_urls: false,
            private_topics_fall_through: true,
        }
    }
}

/// A pressed button that waits for its answer.
#[derive(Debug, Clone)]
pub struct Press {
    pub id: String,
    pub user: UserId,
    pub chat: ChatId,
    pub message: MessageId,
    pub data: String,
    pub answered: bool,
    pub(super) at: Instant,
}

#[derive(Debug)]
pub struct World {
    pub settings: Settings,
    pub bot: User,
    pub users: BTreeMap<UserId, User>,
    pub chats: BTreeMap<ChatId, Chat>,
    pub files: Files,
    pub presses: BTreeMap<String, Press>,
    /// Command lists by scope and language, serialised.
    pub commands: BTreeMap<(String, String), Value>,
    /// `setMyName`, `setMyDescription` …: by field and language.
    pub profile: BTreeMap<(String, String), String>,
    pub updates: Updates,
    pub ledger: Ledger,
    pub faults: FaultPlan,
    pub(super) fields: Option<super::spec::Fields>,
    pub(super) pace: BTreeMap<ChatId, VecDeque<Instant>>,
    pub(super) serial: u64,
}

/// What a new message has; number and date come from the chat.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub author: Author,
    pub topic: Option<ThreadId>,
    pub reply_to: Option<MessageId>,
    pub content: Content,
    pub markup: Option<Value>,
    pub album: Option<String>,
}

impl Draft {
    pub fn new(author: Author, content: Content) -> Self {
        Draft { author, topic: None, reply_to: None, content, markup: None, album: None }
    }
}

impl World {
    pub(super) fn new(settings: Settings) -> Self {
        let id = settings.token.split(':').next().and_then(|id| id.parse().ok()).unwrap_or(123_456_789);
        let mut bot = User::named(id, "Deskbridge");
        bot.is_bot = true;
        bot.username = Some(settings.bot_username.clone());
        let time_scale = settings.time_scale;
        World {
            settings,
            bot,
            users: BTreeMap::new(),
            chats: BTreeMap::new(),
            files: Files::default(),
            presses: BTreeMap::new(),
            commands: BTreeMap::new(),
            profile: BTreeMap::new(),
            updates: Updates::new(time_scale),
            ledger: Ledger::new(),
            faults: FaultPlan::default(),
            fields: None,
            pace: BTreeMap::new(),
            serial: 0,
        }
    }

    /// The platform's clock, Unix seconds.
    pub fn unix_now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        since.as_secs() as i64 + self.settings.clock_ahead
    }

    pub(super) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    pub(super) fn place(&mut self, chat: ChatId, draft: Draft) -> Option<MessageId> {
        let date = self.unix_now();
        let chat = self.chats.get_mut(&chat)?;
        let id = chat.next_message_id();
        let parent = draft.reply_to.and_then(|id| chat.messages.get(&id));
        // Supergroups number reply chains by their first message, outside topics too.
        let chains = chat.kind == ChatKind::Supergroup && draft.topic.is_none();
        let reply_root = parent.filter(|_| chains).map(|parent| parent.reply_root.unwrap_or(parent.id));
        let message = Message {
            id,
            chat: chat.id,
            topic: draft.topic,
            reply_root,
            reply_to: draft.reply_to,
            author: draft.author,
            date,
            edit_date: None,
            content: draft.content,
            earlier: Vec::new(),
            album: draft.album,
            markup: draft.markup,
            reactions: BTreeMap::new(),
            forwarded_from: None,
            deleted: false,
        };
        chat.messages.insert(id, message);
        Some(id)
    }

    /// Places a service message and, where the vendor would, tells the bot.
    pub(super) fn place_service(
        &mut self,
        chat: ChatId,
        author: UserId,
        topic: Option<ThreadId>,
        field: &str,
        value: Value,
    ) -> Option<MessageId> {
        let content = Content::Service { field: field.to_owned(), value };
        let draft = Draft { topic, ..Draft::new(Author::User(author), content) };
        let id = self.place(chat, draft)?;
        if author != self.bot.id || self.settings.echo_own_service_messages {
            self.announce("message", chat, id);
        }
        Some(id)
    }

    /// Queues an update about a message unless the bot may not see it.
    pub(super) fn announce(&mut self, kind: &str, chat: ChatId, message: MessageId) -> Option<i64> {
        let found = self.chats.get(&chat)?;
        let message = found.messages.get(&message)?;
        let echo = message.is_service() && self.settings.echo_own_service_messages;
        if !echo && !self.bot_sees(found, message) {
            self.ledger.withheld.push(kind.to_owned());
            return None;
        }
        let payload = self.message_json(message);
        self.emit(kind, Lane::Chat(chat), payload)
    }

    pub(super) fn emit(&mut self, kind: &str, lane: Lane, payload: Value) -> Option<i64> {
        let id = self.updates.push(kind, lane, payload);
        if id.is_none() {
            self.ledger.withheld.push(kind.to_owned());
        }
        id
    }

    /// `my_chat_member`: what became of the bot in a chat.
    pub(super) fn set_bot_standing(&mut self, chat: ChatId, by: UserId, now: Standing) -> Option<i64> {
        let bot = self.bot.clone();
        let found = self.chats.get_mut(&chat)?;
        let before = found.members.insert(bot.id, now).unwrap_or(Standing::Left);
        let chat_json = self.chat_json(self.chats.get(&chat)?);
        let payload = json!({
            "chat": chat_json, "from": self.user_json(by), "date": self.unix_now(),
            "old_chat_member": before.json(&bot), "new_chat_member": now.json(&bot),
        });
        self.emit("my_chat_member", Lane::Other("my_chat_member".into(), chat), payload)
    }
}

/// Questions for tests.
impl World {
    pub fn message(&self, chat: ChatId, id: MessageId) -> Option<&Message> {
        self.chats.get(&chat)?.messages.get(&id)
    }

    /// What a person sees in a chat: in a private chat or group `thread` is `None`; in a forum `None` is the
    /// General topic. Service messages are left out.
    pub fn messages_in(&self, chat: ChatId, thread: Option<ThreadId>) -> Vec<&Message> {
        let Some(chat) = self.chats.get(&chat) else { return Vec::new() };
        chat.visible().filter(|message| message.topic == thread && !message.is_service()).collect()
    }

    /// The texts and captions of `messages_in`, who wrote what, for readable assertions: `bot: …`, `Ana: …`.
    pub fn transcript(&self, chat: ChatId, thread: Option<ThreadId>) -> Vec<String> {
        let line = |message: &&Message| {
            let media = message.media().map(|(kind, _)| format!("<{}>", kind.field())).unwrap_or_default();
            let buttons: Vec<String> =
                message.buttons().into_iter().map(|b| format!(" [{}]", b.text)).collect();
            format!("{}: {media}{}{}", self.author_name(message), message.text(), buttons.concat())
        };
        self.messages_in(chat, thread).iter().map(line).collect()
    }

    fn author_name(&self, message: &Message) -> String {
        match message.author {
            Author::User(id) if id == self.bot.id => "bot".to_owned(),
            Author::User(id) => self.users.get(&id).map_or_else(|| id.to_string(), |u| u.first_name.clone()),
            Author::Anonymous => "anonymous".to_owned(),
            Author::Channel => "channel".to_owned(),
        }
    }

    /// What the bot sent to a chat and is still there, all topics.
    pub fn sent_to(&self, chat: ChatId) -> Vec<&Message> {
        let bot = self.bot.id;
        let Some(chat) = self.chats.get(&chat) else { return Vec::new() };
        chat.visible().filter(|message| message.is_from(bot) && !message.is_service()).collect()
    }

    pub fn last_from_bot(&self, chat: ChatId) -> Option<&Message> {
        self.sent_to(chat).into_iter().next_back()
    }

    pub fn topic(&self, chat: ChatId, thread: ThreadId) -> Option<&Topic> {
        self.chats.get(&chat)?.topics.get(&thread)
    }

    /// Topics that exist, oldest first.
    pub fn topics(&self, chat: ChatId) -> Vec<&Topic> {
        let Some(chat) = self.chats.get(&chat) else { return Vec::new() };
        chat.topics.values().filter(|topic| !topic.deleted).collect()
    }

    pub fn reactions(&self, chat: ChatId, message: MessageId, user: UserId) -> Vec<String> {
        self.message(chat, message).and_then(|m| m.reactions.get(&user).cloned()).unwrap_or_default()
    }

    pub fn requests(&self, method: &str) -> Vec<&Call> {
        self.ledger.requests(method)
    }

    /// Updates that the bot has not confirmed.
    pub fn pending_updates(&self) -> usize {
        self.updates.queue.len()
    }

    /// Everything, for the message of a failed assertion.
    pub fn report(&self) -> String {
        let mut lines = Vec::new();
        for chat in self.chats.values() {
            lines.push(format!("chat {} {:?} \"{}\"", chat.id, chat.kind, chat.title));
            for topic in chat.topics.values() {
                lines.push(format!(
                    "  topic {} \"{}\" closed={} deleted={}",
                    topic.id, topic.name, topic.closed, topic.deleted
                ));
            }
            for message in chat.messages.values() {
                let gone = if message.deleted { " (deleted)" } else { "" };
                let thread = message.topic.map(|topic| format!(" in {topic}")).unwrap_or_default();
                let author = self.author_name(message);
                lines.push(format!("  {}{thread} {author}: {:?}{gone}", message.id, message.content));
            }
        }
        for call in self.ledger.calls.iter().filter(|call| call.method != "getUpdates") {
            let params = Value::Object(call.params.clone());
            let (status, fault) = (call.status, &call.fault);
            lines
                .push(format!("call {} {} {params} -> {status:?} fault {fault:?}", call.number, call.method));
        }
        lines.push(format!(
            "{} updates unconfirmed, violations: {:?}",
            self.pending_updates(),
            self.ledger.violations
        ));
        lines.join("\n")
    }
}

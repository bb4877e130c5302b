//! Telegram: requesters in private chats, technicians in the topics of a supergroup.
//!
//! Not here: any rule about conversations. This file only wires the parts together; each speaks for itself.

mod cards;
mod config;
mod doctor;
mod ids;
mod markup;
mod receive;
mod send;
#[cfg(test)]
mod testing;
mod translate;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use deskbridge_contract::check::Check;
use deskbridge_contract::{
    Adapter, Address, ByteStream, Capabilities, ChannelName, Health, Inbound, Inbox, Intake, Interaction,
    Limits, OperationKind, Outbound, Pace, RemoteFileId, RemoteUserId, Resend, RoomId, SendError, Sent,
    Shelf, ShelfError, Support, ThreadStyle, Timestamp, Toast, TranslateError,
};
use serde::Deserialize;
use teloxide_core::payloads::GetMe;

pub use config::{Config, Fault};

/// This adapter's section of the configuration, with every key and its default.
pub const EXAMPLE: &str = include_str!("../example.toml");

/// The time of day, from whoever owns the clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The adapter could not be built; says why, without secrets.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be set up: {0}")]
pub struct ConfigError(pub(crate) String);

/// One Telegram bot.
pub struct TelegramAdapter(Arc<Telegram>);

pub(crate) struct Telegram {
    channel: ChannelName,
    config: Config,
    clock: Clock,
    sending: send::Sending,
    /// The bot's own name, once Telegram has told it.
    username: RwLock<Option<String>>,
    menus: doctor::menus::Published,
}

#[derive(Deserialize)]
pub(crate) struct Me {
    pub username: Option<String>,
}

impl Telegram {
    /// Asks who we are: checks the token, and learns the name that commands in groups carry.
    pub(crate) async fn meet(&self) -> Result<Me, SendError> {
        let me: Me = self.sending.api.call(&GetMe::new()).await?;
        *self.username.write().unwrap_or_else(PoisonError::into_inner) = me.username.clone();
        Ok(me)
    }

    pub(crate) fn username(&self) -> Option<String> {
        self.username.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What Telegram can carry, by place; for `docs/channels.md`.
pub fn declared() -> [(&'static str, &'static Capabilities); 2] {
    [("private chat", &PRIVATE), ("supergroup with topics", &GROUP)]
}

impl TelegramAdapter {
    pub fn new(channel: ChannelName, config: Config, clock: Clock) -> Result<Self, ConfigError> {
        let api = send::api::Api::new(channel.clone(), &config, clock.clone())?;
        let sending = send::Sending::new(api);
        let (username, menus) = (RwLock::default(), doctor::menus::Published::default());
        Ok(TelegramAdapter(Arc::new(Telegram { channel, config, clock, sending, username, menus })))
    }

    /// Events of one raw update, as the intake would push them: for replays, and for whoever looks into the quarantine.
    pub fn translate(&self, payload: &[u8]) -> Result<Vec<Inbound>, TranslateError> {
        receive::translated(&self.0, payload)
    }

    /// Live checks of everything that is known to go wrong; `desks` are the rooms configured as desks.
    pub async fn doctor(&self, desks: &[RoomId]) -> Vec<Check> {
        doctor::examine(&self.0, desks).await
    }

    /// Does what can be set up from here: the webhook, or its removal for polling, and the commands menus.
    pub async fn setup(&self) -> Vec<Check> {
        doctor::setup(&self.0).await
    }
}

/// 4096 units ("sendMessage") less room for a name in front and joiners behind `@`.
const MAX_TEXT: usize = 4000;

const PRIVATE: Capabilities = Capabilities {
    max_text: MAX_TEXT,
    max_caption: markup::MAX_CAPTION,
    max_upload_bytes: send::MAX_UPLOAD,
    max_download_bytes: send::api::MAX_DOWNLOAD,
    max_attachments: 10,
    max_actions: cards::MAX_BUTTONS,
    threads: ThreadStyle::None,
    formatting: Support::Native,
    replies: Support::Native,
    edits: Support::Native,
    deletes: Support::Native,
    reactions: Support::Native,
    marks: Support::Native,
    typing: Support::Native,
    whisper: Support::Emulate,
    persona: Support::Emulate,
    hears_edits: true,
    hears_deletes: false,
    // In a group, "message_reaction" is for administrators only; a desk's bot is one (doctor: `telegram.topics`).
    hears_reactions: true,
    hears_reads: false,
};

const GROUP: Capabilities = Capabilities { threads: ThreadStyle::Separate, ..PRIVATE };

fn room_kind(at: &Address) -> Option<&'static str> {
    ids::is_group(at).then_some("group")
}

#[async_trait]
impl Adapter for TelegramAdapter {
    fn channel(&self) -> &ChannelName {
        &self.0.channel
    }

    fn capabilities(&self, at: &Address) -> &Capabilities {
        if ids::is_group(at) { &GROUP } else { &PRIVATE }
    }

    /// People ask for help in private chats; a group that is no desk is none of our business.
    fn takes_requesters(&self, at: &Address) -> bool {
        !ids::is_group(at)
    }

    /// No idempotency key and no way to read back what a bot wrote (platform-contracts §8).
    fn resend(&self, kind: OperationKind) -> Resend {
        match kind {
            OperationKind::Post | OperationKind::OpenThread | OperationKind::Whisper => Resend::MayDuplicate,
            OperationKind::Edit
            | OperationKind::Delete
            | OperationKind::React
            | OperationKind::Mark
            | OperationKind::SetThread => Resend::SameIdIsSafe,
        }
    }

    /// "Bots FAQ": about 30 a second overall, one a second per chat, 20 a minute per group, all topics together.
    fn limits(&self) -> Limits {
        if !self.0.config.paced {
            return Limits::default();
        }
        let pace = |count, seconds| vec![Pace { count, per: Duration::from_secs(seconds) }];
        Limits {
            account: pace(30, 1),
            room: pace(1, 1),
            room_kinds: BTreeMap::from([("group", pace(20, 60))]),
            room_kind: Some(room_kind),
            counted: vec![OperationKind::Post, OperationKind::Edit, OperationKind::OpenThread],
            per_file: true,
            shared: vec!["group"],
        }
    }

    fn intake(self: Arc<Self>, inbox: Inbox) -> Intake {
        receive::intake(self.0.clone(), inbox)
    }

    async fn send(&self, out: &Outbound) -> Result<Sent, SendError> {
        self.0.sending.perform(out).await
    }

    async fn fetch(&self, file: &RemoteFileId) -> Result<ByteStream, SendError> {
        self.0.sending.fetch(file).await
    }

    async fn typing(&self, at: &Address) -> Result<(), SendError> {
        self.0.sending.typing(at).await
    }

    async fn streaming(&self, at: &Address, text: &str) -> Result<(), SendError> {
        self.0.sending.draft(ids::place(at)?, text).await
    }

    async fn answer(&self, interaction: &Interaction, toast: Option<&Toast>) -> Result<(), SendError> {
        self.0.sending.answer(interaction, toast).await
    }

    /// The chat has the person's id; whether it exists shows when something is sent (403: they never started the bot).
    async fn open_direct(&self, user: &RemoteUserId) -> Result<Address, SendError> {
        Ok(Address::room(&self.0.channel, ids::private_chat(user)?.0.to_string()))
    }

    /// Nothing is kept of people but what the host has.
    async fn forget(
        &self,
        _shelf: &Shelf,
        _user: &RemoteUserId,
        _at: &[Address],
    ) -> Result<Vec<String>, ShelfError> {
        Ok(vec![format!(
            "Telegram ({}): their private chat with the bot, and what they wrote in groups.",
            self.0.channel
        )])
    }

    async fn probe(&self) -> Result<Health, SendError> {
        let me = self.0.meet().await?;
        let name = me.username.unwrap_or_else(|| self.0.config.bot.to_string());
        let how = match self.0.config.receive {
            config::Receive::Polling => "polling",
            config::Receive::Webhook { .. } => "webhook",
        };
        Ok(Health { summary: format!("bot @{name}, {how}"), warnings: Vec::new() })
    }
}

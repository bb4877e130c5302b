//! Microsoft Teams: requesters in chats with the bot or where they call it, technicians in the threads of a channel.
//!
//! Not here: any rule about conversations. This file only wires the parts together; each speaks for itself.

mod api;
mod boards;
mod cards;
mod config;
mod doctor;
mod doubts;
mod extension;
mod files;
mod ids;
mod jwt;
mod keys;
mod markup;
mod package;
mod receive;
mod references;
mod rights;
mod send;
mod tokens;
mod translate;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbridge_contract::check::Check;
use deskbridge_contract::{
    Adapter, Address, ByteStream, Capabilities, ChannelName, Content, Health, Inbound, Inbox, Intake,
    Interaction, Limits, OperationKind, Outbound, Pace, RemoteFileId, RemoteUserId, Resend, RoomId,
    SendError, Sent, Shelf, ShelfError, Support, ThreadStyle, Timestamp, Toast, TranslateError,
};

pub use config::Config;
pub use package::{PackageError, Rights, package};
pub use webhook::{WEBHOOK_EXAMPLE, WebhookAdapter, WebhookConfig, declared_webhooks};

/// This adapter's section of the configuration, with every key and its default.
pub const EXAMPLE: &str = include_str!("../example.toml");

/// The time of day, from whoever owns the clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The adapter could not be built; says why, without secrets.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be set up: {0}")]
pub struct ConfigError(pub(crate) String);

/// One Teams bot.
pub struct TeamsAdapter(Arc<Teams>);

pub(crate) struct Teams {
    channel: ChannelName,
    api: Arc<api::Api>,
    clock: Clock,
    keys: keys::Keys,
    references: references::References,
    pressed: receive::Pressed,
    links: Arc<files::Links>,
    boards: boards::Boards,
    doubts: doubts::Doubts,
    /// Where events go; from the first intake on.
    inbox: std::sync::RwLock<Option<Inbox>>,
}

impl Teams {
    fn inbox(&self) -> Option<Inbox> {
        self.inbox.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

/// What Teams can carry, by place; for `docs/channels.md`.
pub fn declared() -> [(&'static str, &'static Capabilities); 2] {
    [("chat with the bot", &CHAT), ("channel of a team", &CHANNEL)]
}

impl TeamsAdapter {
    pub fn new(channel: ChannelName, config: Config, clock: Clock) -> Result<Self, ConfigError> {
        let mut hook = config.public_url.clone();
        if let Some(mut segments) = hook.as_mut().and_then(|url| url.path_segments_mut().ok()) {
            segments.pop_if_empty().push("hooks").push(channel.as_str());
        }
        let links = Arc::new(files::Links::new(config.secret(), hook));
        Ok(TeamsAdapter(Arc::new(Teams {
            channel,
            api: Arc::new(api::Api::new(config, clock.clone())?),
            clock,
            keys: keys::Keys::default(),
            references: references::References::default(),
            pressed: receive::Pressed::default(),
            links,
            boards: boards::Boards::default(),
            doubts: doubts::Doubts::default(),
            inbox: std::sync::RwLock::default(),
        })))
    }

    /// Events of one raw activity, as the intake would push them: for replays, and for whoever looks into the quarantine.
    pub fn translate(&self, payload: &[u8]) -> Result<Vec<Inbound>, TranslateError> {
        let activity = deskbridge_contract::json::read_bytes(payload)
            .ok_or_else(|| TranslateError::Malformed("not JSON".into()))?;
        Ok(self.0.translated(&activity)?.events)
    }

    /// Live checks of everything that is known to go wrong; `desks` are the rooms configured as desks, `shelf` what the
    /// running bridge keeps, to be read only.
    pub async fn doctor(&self, desks: &[RoomId], shelf: Option<Shelf>) -> Vec<Check> {
        if let Some(shelf) = shelf {
            self.0.references.open(shelf);
        }
        doctor::examine(&self.0, desks).await
    }
}

const CHAT: Capabilities = Capabilities {
    max_text: markup::MAX_TEXT,
    max_caption: markup::MAX_TEXT,
    max_upload_bytes: send::MAX_UPLOAD,
    max_download_bytes: api::MAX_DOWNLOAD,
    max_attachments: 10,
    max_actions: cards::MAX_ACTIONS,
    threads: ThreadStyle::None,
    formatting: Support::Native,
    replies: Support::Drop,
    edits: Support::Native,
    deletes: Support::Native,
    // Bots cannot react; the state of a conversation is on its card (D21).
    reactions: Support::Drop,
    marks: Support::Drop,
    typing: Support::Native,
    whisper: Support::Emulate,
    persona: Support::Emulate,
    hears_edits: true,
    hears_deletes: true,
    // On messages of the bot.
    hears_reactions: true,
    // With the permission ChatMessageReadReceipt.Read.Chat, which the package asks for by `--read-receipts`.
    hears_reads: true,
};

const CHANNEL: Capabilities = Capabilities {
    threads: ThreadStyle::RootIsCard,
    // A line on the card, about the latest message.
    marks: Support::Emulate,
    hears_reads: false,
    ..CHAT
};

fn is_channel(at: &Address) -> bool {
    ids::kind(at.room.as_str()) == ids::Kind::Channel
}

#[async_trait]
impl Adapter for TeamsAdapter {
    fn channel(&self) -> &ChannelName {
        &self.0.channel
    }

    fn capabilities(&self, at: &Address) -> &Capabilities {
        if is_channel(at) { &CHANNEL } else { &CHAT }
    }

    /// In a channel, only threads in which somebody called the bot: with RSC, everything that is said there comes in.
    fn takes_requesters(&self, at: &Address) -> bool {
        !is_channel(at) || self.0.references.holds_call(&at.key())
    }

    fn is_shared(&self, at: &Address) -> bool {
        ids::kind(at.room.as_str()) != ids::Kind::Personal
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

    /// "Optimize your bot with rate limiting in Teams": per bot per conversation, and per app per tenant.
    fn limits(&self) -> Limits {
        if !self.0.api.config.paced {
            return Limits::default();
        }
        let pace = |count, seconds| Pace { count, per: Duration::from_secs(seconds) };
        Limits {
            account: vec![pace(50, 1)],
            room: vec![pace(7, 1), pace(8, 2), pace(60, 30), pace(1800, 3600)],
            counted: vec![
                OperationKind::Post,
                OperationKind::Edit,
                OperationKind::Delete,
                OperationKind::OpenThread,
                OperationKind::Mark,
                OperationKind::Whisper,
            ],
            ..Limits::default()
        }
    }

    fn intake(self: Arc<Self>, inbox: Inbox) -> Intake {
        receive::intake(self.0.clone(), inbox)
    }

    async fn send(&self, out: &Outbound) -> Result<Sent, SendError> {
        self.0.perform(out).await
    }

    async fn fetch(&self, file: &RemoteFileId) -> Result<ByteStream, SendError> {
        self.0.fetch(file).await
    }

    async fn typing(&self, at: &Address) -> Result<(), SendError> {
        self.0.typing(at).await
    }

    async fn answer(&self, interaction: &Interaction, toast: Option<&Toast>) -> Result<(), SendError> {
        // Nobody waiting any more is no fault: the button has been answered.
        let words = toast.map_or_else(|| "✓".into(), |toast| markup::literal(&toast.text));
        self.0.pressed.answer(&interaction.id, Content::text(words));
        Ok(())
    }

    async fn open_direct(&self, user: &RemoteUserId) -> Result<Address, SendError> {
        self.0.open_direct(user).await
    }

    async fn forget(
        &self,
        shelf: &Shelf,
        user: &RemoteUserId,
        at: &[Address],
    ) -> Result<Vec<String>, ShelfError> {
        // Files are copied by the host, and none is kept here.
        self.0.references.forget(shelf, user.as_str(), at).await?;
        Ok(vec![format!(
            "Teams ({}): their chat with the bot, and what they wrote in teams.",
            self.channel()
        )])
    }

    fn warnings(&self) -> Vec<String> {
        let desks = self
            .0
            .api
            .config
            .desks
            .iter()
            .filter(|desk| self.0.references.holds_removed(&RoomId::new(desk.as_str())));
        desks.map(|desk| format!("the desk {desk}: the app was removed from its team")).collect()
    }

    async fn probe(&self) -> Result<Health, SendError> {
        self.0.api.token(None).await?;
        for desk in &self.0.api.config.desks {
            // Looked up once, so that it is in memory when somebody asks for warnings.
            let _ = self.0.references.is_removed(&RoomId::new(desk.as_str())).await.map_err(send::shelf)?;
        }
        let config = &self.0.api.config;
        let mut warnings = Vec::new();
        if config.development {
            warnings.push("development: events from this machine are taken without a signature".into());
        } else if config.public_url.is_none() {
            warnings.push("server.public_url is not set: files can only be named".into());
        }
        // A store that cannot be read has its own sign.
        let reads = self.0.references.reads().await.unwrap_or(false);
        let how = if reads { "reads its channels" } else { "hears calls and cards only, so far" };
        warnings.extend(self.warnings());
        Ok(Health { summary: format!("bot {}, webhook, {how}", config.app_id), warnings })
    }
}

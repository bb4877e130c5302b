//! Discord: requesters in direct messages and by commands, technicians in the posts of a forum.
//!
//! Not here: any rule about conversations. This file only wires the parts together; each speaks for itself.

mod api;
mod cards;
mod config;
mod doctor;
mod files;
mod forms;
mod ids;
mod invite;
mod markup;
mod receive;
mod send;
mod translate;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use deskbridge_contract::check::Check;
use deskbridge_contract::{
    Adapter, Address, ByteStream, Capabilities, ChannelName, Health, Inbound, Inbox, Intake, Limits,
    OperationKind, Outbound, OutboundOp, Pace, RemoteFileId, RemoteUserId, Resend, RoomId, SendError, Sent,
    Shelf, ShelfError, Support, ThreadStyle, Timestamp, TranslateError,
};

pub use config::{Config, Fault};
pub use invite::Invite;

/// This adapter's section of the configuration, with every key and its default.
pub const EXAMPLE: &str = include_str!("../example.toml");

/// The time of day, from whoever owns the clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The adapter could not be built; says why, without secrets.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be set up: {0}")]
pub struct ConfigError(pub(crate) String);

/// One Discord bot.
pub struct DiscordAdapter(Arc<Discord>);

pub(crate) struct Discord {
    channel: ChannelName,
    config: Config,
    clock: Clock,
    sending: Arc<send::Sending>,
    inbox: RwLock<Option<Inbox>>,
    receiving: receive::Receiving,
}

impl Discord {
    /// From now on there is durable memory. Called at every intake.
    pub(crate) fn attach(&self, inbox: Inbox) {
        self.sending.keep_on(inbox.shelf());
        *self.inbox.write().unwrap_or_else(PoisonError::into_inner) = Some(inbox);
    }
}

/// What Discord can carry, by place; for `docs/channels.md`.
pub fn declared() -> [(&'static str, &'static Capabilities); 2] {
    [("direct message", &DIRECT), ("forum", &FORUM)]
}

impl DiscordAdapter {
    /// # Errors
    /// When the system does not let a client be made.
    pub fn new(channel: ChannelName, config: Config, clock: Clock) -> Result<Self, ConfigError> {
        let api = api::Api::new(channel.clone(), &config)?;
        let sending = send::Sending::new(api, config.desks.clone(), config.renames);
        let (inbox, receiving) = (RwLock::default(), receive::Receiving::default());
        Ok(DiscordAdapter(Arc::new(Discord { channel, config, clock, sending, inbox, receiving })))
    }

    /// Events of one raw payload, as the intake would push them: for replays, and for whoever looks into the quarantine.
    ///
    /// # Errors
    /// When it is nothing that is known.
    pub fn translate(&self, payload: &[u8]) -> Result<Vec<Inbound>, TranslateError> {
        self.0.translated(payload)
    }

    /// Live checks of everything that is known to go wrong; `desks` are the rooms configured as desks.
    pub async fn doctor(&self, desks: &[RoomId]) -> Vec<Check> {
        doctor::examine(&self.0.sending, &self.0.config, desks).await
    }

    /// Does what can be set up from here: commands, and the tags of the forums.
    pub async fn setup(&self, desks: &[RoomId]) -> Vec<Check> {
        doctor::setup(&self.0.sending, desks).await
    }
}

/// The route of a channel below deskbridge's public address.
pub(crate) fn hook(mut public: url::Url, channel: &ChannelName) -> Option<url::Url> {
    public.set_query(None);
    public.set_fragment(None);
    public.path_segments_mut().ok()?.pop_if_empty().push("hooks").push(channel.as_str());
    Some(public)
}

/// 2 000 characters ("Create Message"), less room for a name in front and for signs that are escaped.
const MAX_TEXT: usize = 1800;

const DIRECT: Capabilities = Capabilities {
    max_text: MAX_TEXT,
    max_caption: MAX_TEXT,
    max_upload_bytes: files::MAX_UPLOAD,
    max_download_bytes: files::MAX_DOWNLOAD,
    max_attachments: files::MOST,
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
    hears_deletes: true,
    hears_reactions: true,
    hears_reads: false,
};

/// The card is the post's first message, and has its id.
const FORUM: Capabilities =
    Capabilities { threads: ThreadStyle::RootIsCard, persona: Support::Native, ..DIRECT };

#[async_trait]
impl Adapter for DiscordAdapter {
    fn channel(&self) -> &ChannelName {
        &self.0.channel
    }

    fn capabilities(&self, at: &Address) -> &Capabilities {
        if ids::is_direct(at) { &DIRECT } else { &FORUM }
    }

    /// People ask for help in direct messages; what they ask elsewhere by a command is answered there.
    fn takes_requesters(&self, at: &Address) -> bool {
        ids::is_direct(at)
    }

    /// A bot's post has a nonce, for some minutes; afterwards, and for webhooks and new posts, it is looked for (D40).
    fn resend(&self, kind: OperationKind) -> Resend {
        match kind {
            OperationKind::Post | OperationKind::OpenThread => Resend::ReadBack,
            OperationKind::Whisper => Resend::MayDuplicate,
            OperationKind::Edit
            | OperationKind::Delete
            | OperationKind::React
            | OperationKind::Mark
            | OperationKind::SetThread => Resend::SameIdIsSafe,
        }
    }

    /// "Rate Limits": fifty a second over all; five in five seconds per channel, which the answers say themselves.
    fn limits(&self) -> Limits {
        if !self.0.config.paced {
            return Limits::default();
        }
        let pace = |count, seconds| vec![Pace { count, per: Duration::from_secs(seconds) }];
        Limits {
            account: pace(45, 1),
            room: Vec::new(),
            counted: vec![OperationKind::Post, OperationKind::OpenThread, OperationKind::Edit],
            ..Limits::default()
        }
    }

    fn intake(self: Arc<Self>, inbox: Inbox) -> Intake {
        receive::intake(self.0.clone(), inbox)
    }

    async fn send(&self, out: &Outbound) -> Result<Sent, SendError> {
        let sent = self.0.sending.perform(out).await?;
        if let (OutboundOp::OpenThread { .. }, Some(post)) = (&out.op, &sent.address.thread) {
            self.0.opened(sent.address.room.as_str(), post.as_str()).await;
        }
        Ok(sent)
    }

    async fn find(&self, out: &Outbound) -> Result<Option<Sent>, SendError> {
        self.0.sending.find(out, (self.0.clock)()).await
    }

    async fn fetch(&self, file: &RemoteFileId) -> Result<ByteStream, SendError> {
        self.0.sending.api.fetch(file).await
    }

    async fn typing(&self, at: &Address) -> Result<(), SendError> {
        self.0.sending.typing(at).await
    }

    async fn streaming(&self, at: &Address, text: &str) -> Result<(), SendError> {
        self.0.sending.streaming(at, text).await
    }

    async fn open_direct(&self, user: &RemoteUserId) -> Result<Address, SendError> {
        self.0.sending.open_direct(user).await
    }

    async fn forget(
        &self,
        shelf: &Shelf,
        user: &RemoteUserId,
        at: &[Address],
    ) -> Result<Vec<String>, ShelfError> {
        self.0.sending.forget(user.as_str());
        at.iter().for_each(|at| self.0.sending.growing.forget(at));
        self.0.receiving.owed.forget(user.as_str());
        // Files are copied by the host, and none is kept here.
        self.0.receiving.gap.forget(shelf, user.as_str()).await?;
        self.0.receiving.marks.forget(shelf, user.as_str()).await?;
        self.0.sending.forget_names(shelf).await?;
        Ok(vec![format!(
            "Discord ({}): their direct messages with the bot, and what they wrote themselves.",
            self.channel()
        )])
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.0.sending.api.warnings();
        warnings.extend(self.0.receiving.listening.said((self.0.clock)()));
        warnings
    }

    async fn probe(&self) -> Result<Health, SendError> {
        let me = self.0.sending.meet().await?;
        let how = if self.0.config.public_key.is_some() { "gateway and HTTP" } else { "gateway" };
        Ok(Health { summary: format!("bot {}, {how}", me.name), warnings: Vec::new() })
    }
}

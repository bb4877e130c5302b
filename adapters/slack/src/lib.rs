//! Slack: requesters in direct messages and channels, technicians in the threads of a desk channel.
//!
//! Not here: any rule about conversations. This file only wires the parts together; each speaks for itself.

mod api;
mod blocks;
mod config;
mod desks;
mod doctor;
mod files;
mod home;
mod ids;
mod manifest;
mod markup;
mod people;
mod receive;
mod send;
mod split;
mod threads;
mod tokens;
mod translate;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use deskbridge_contract::check::Check;
use deskbridge_contract::{
    Adapter, Address, ByteStream, Capabilities, ChannelName, Health, Inbound, Inbox, Intake, Interaction,
    Limits, OperationKind, Outbound, OutboundOp, Pace, RemoteFileId, RemoteUserId, Resend, RoomId, SendError,
    Sent, Shelf, ShelfError, Standing, Support, ThreadStyle, Timestamp, Toast, TranslateError,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use config::{Config, Fault};
pub use manifest::{Manifest, Wish};

/// This adapter's section of the configuration, with every key and its default.
pub const EXAMPLE: &str = include_str!("../example.toml");

/// The time of day, from whoever owns the clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The adapter could not be built; says why, without secrets.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be set up: {0}")]
pub struct ConfigError(pub(crate) String);

/// One Slack workspace.
pub struct SlackAdapter(Arc<Slack>);

pub(crate) struct Slack {
    channel: ChannelName,
    config: Config,
    clock: Clock,
    sending: Arc<send::Sending>,
    me: RwLock<Option<Me>>,
    inbox: RwLock<Option<Inbox>>,
    homes: home::Homes,
    people: people::People,
    threads: threads::Threads,
    receiving: receive::Receiving,
    desks: desks::Desks,
}

/// Who we are in the workspace: what own posts are known by, and whose events are ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Me {
    pub team_id: String,
    pub user_id: String,
    pub bot_id: Option<String>,
    /// As people see the bot in texts that mention it.
    pub name: Option<String>,
    /// Of the organisation, where the workspace is one of an Enterprise Grid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enterprise_id: Option<String>,
}

impl Me {
    /// Of the workspace that a payload is from, where nobody was asked yet.
    fn of(self, payload: &Value) -> Me {
        let team = payload.get("team").and_then(|team| translate::text(team, "id"));
        let team = team.or_else(|| translate::text(payload, "team_id"));
        Me { team_id: team.unwrap_or_default().to_owned(), ..self }
    }
}

/// Where the shelf keeps who we are, for a start while Slack does not answer.
const ME: &str = "me";

/// An event has three seconds.
const MEET: Duration = Duration::from_secs(2);

impl Slack {
    /// Asks who we are: checks the token.
    pub(crate) async fn meet(&self) -> Result<Me, SendError> {
        let identity = self.sending.meet().await?;
        let me = Me {
            team_id: identity.team_id,
            user_id: identity.user_id,
            bot_id: Some(identity.bot_id).filter(|id| !id.is_empty()),
            name: Some(identity.user).filter(|name| !name.is_empty()),
            enterprise_id: Some(identity.enterprise_id).filter(|id| !id.is_empty()),
        };
        let known = self.me.write().unwrap_or_else(PoisonError::into_inner).replace(me.clone());
        if known.as_ref() != Some(&me)
            && let Some(shelf) = self.shelf()
            && let Err(error) = shelf.put(ME, &serde_json::to_string(&me).unwrap_or_default()).await
        {
            tracing::debug!(channel = %self.channel, %error, "it was not noted who we are");
        }
        Ok(me)
    }

    /// Who we are, as it was last heard. Events are not turned away because Slack cannot be asked just now.
    pub(crate) async fn me(&self) -> Result<Me, SendError> {
        if let Some(me) = self.known_me() {
            return Ok(me);
        }
        let late = || SendError::Retry { after: None, why: "no answer in time".into() };
        let asked = tokio::time::timeout(MEET, self.meet()).await.unwrap_or_else(|_| Err(late()));
        let error = match asked {
            Ok(me) => return Ok(me),
            // The token may be another workspace's by now: nothing is taken on an old word.
            Err(error @ SendError::Unauthorized { .. }) => return Err(error),
            Err(error) => error,
        };
        let kept = match self.shelf() {
            Some(shelf) => shelf.get(ME).await.ok().flatten(),
            None => None,
        };
        kept.and_then(|kept| serde_json::from_str(&kept).ok()).ok_or(error)
    }

    pub(crate) fn known_me(&self) -> Option<Me> {
        self.me.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn shelf(&self) -> Option<Shelf> {
        self.inbox().map(|inbox| inbox.shelf())
    }

    pub(crate) fn inbox(&self) -> Option<Inbox> {
        self.inbox.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on there is durable memory, and somebody to ask. Called at every intake.
    pub(crate) fn attach(&self, inbox: Inbox) {
        self.sending.keep_on(inbox.shelf());
        *self.inbox.write().unwrap_or_else(PoisonError::into_inner) = Some(inbox);
    }
}

/// What Slack can carry, by place; for `docs/channels.md`.
pub fn declared() -> [(&'static str, &'static Capabilities); 3] {
    [("direct message", &DIRECT), ("thread of a requester", &THREAD), ("channel", &CHANNEL)]
}

impl SlackAdapter {
    pub fn new(channel: ChannelName, config: Config, clock: Clock) -> Result<Self, ConfigError> {
        let api = api::Api::new(channel.clone(), &config, clock.clone())?;
        let sending = send::Sending::new(api);
        Ok(SlackAdapter(Arc::new(Slack {
            channel,
            config,
            clock,
            sending,
            me: RwLock::default(),
            inbox: RwLock::default(),
            homes: home::Homes::default(),
            people: people::People::default(),
            threads: threads::Threads::default(),
            receiving: receive::Receiving::default(),
            desks: desks::Desks::default(),
        })))
    }

    /// Events of one raw payload, as the intake would push them: for replays, and for whoever looks into the quarantine.
    /// Names that would have to be asked for stay ids.
    pub fn translate(&self, payload: &[u8]) -> Result<Vec<Inbound>, TranslateError> {
        self.0.translated(payload)
    }

    /// Live checks of everything that is known to go wrong; `desks` are the rooms configured as desks.
    pub async fn doctor(&self, desks: &[RoomId]) -> Vec<Check> {
        doctor::examine(&self.0.sending, &self.0.config, desks).await
    }

    /// Does what can be set up from here: joins public desk channels.
    pub async fn setup(&self, desks: &[RoomId]) -> Vec<Check> {
        doctor::setup(&self.0.sending, desks).await
    }
}

/// Where Slack brings events, commands and presses, when it does so by HTTP.
pub(crate) fn hook_url(config: &Config, channel: &deskbridge_contract::ChannelName) -> Option<url::Url> {
    hook(config.public_url.clone()?, channel)
}

/// The route of a channel below deskbridge's public address.
pub(crate) fn hook(mut public: url::Url, channel: &deskbridge_contract::ChannelName) -> Option<url::Url> {
    public.set_query(None);
    public.set_fragment(None);
    public.path_segments_mut().ok()?.pop_if_empty().push("hooks").push(channel.as_str());
    Some(public)
}

/// "chat.postMessage": about 4 000 characters are recommended; longer ones are cut at 40 000.
const MAX_TEXT: usize = 3500;

const DIRECT: Capabilities = Capabilities {
    max_text: MAX_TEXT,
    max_caption: MAX_TEXT,
    max_upload_bytes: files::MAX_FILE,
    max_download_bytes: files::MAX_FILE,
    max_attachments: 10,
    max_actions: 25,
    threads: ThreadStyle::None,
    formatting: Support::Native,
    replies: Support::Emulate,
    edits: Support::Native,
    deletes: Support::Native,
    reactions: Support::Native,
    marks: Support::Native,
    // "assistant.threads.setStatus" needs a thread.
    typing: Support::Drop,
    whisper: Support::Native,
    persona: Support::Native,
    hears_edits: true,
    hears_deletes: true,
    hears_reactions: true,
    hears_reads: false,
};

/// Of a requester: under a mention in a channel, or the older assistant view's in a direct message.
const THREAD: Capabilities = Capabilities { typing: Support::Native, ..DIRECT };

const CHANNEL: Capabilities = Capabilities { threads: ThreadStyle::RootIsCard, ..DIRECT };

#[async_trait]
impl Adapter for SlackAdapter {
    fn channel(&self) -> &ChannelName {
        &self.0.channel
    }

    fn capabilities(&self, at: &Address) -> &Capabilities {
        match (ids::is_direct(at), &at.thread) {
            (true, None) => &DIRECT,
            (true, Some(_)) => &THREAD,
            (false, _) if self.takes_requesters(at) => &THREAD,
            (false, _) => &CHANNEL,
        }
    }

    /// People ask for help in direct messages, and in the threads of a channel where they called for us.
    fn takes_requesters(&self, at: &Address) -> bool {
        let thread = at.thread.as_ref().map(|thread| thread.as_str());
        ids::is_direct(at) || thread.is_some_and(|root| self.0.threads.holds(at.room.as_str(), root))
    }

    fn is_shared(&self, at: &Address) -> bool {
        !ids::is_direct(at)
    }

    /// No idempotency key; a message's metadata says which delivery it was, where it can be read back (§8).
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

    /// "Rate limits": one message a second per channel; edits are tier 3, 50 a minute and more, over the workspace.
    fn limits(&self) -> Limits {
        if !self.0.config.paced {
            return Limits::default();
        }
        let pace = |count, seconds| vec![Pace { count, per: Duration::from_secs(seconds) }];
        Limits {
            // "a workspace-wide ceiling" of several hundred a minute, which Slack does not name.
            account: pace(300, 60),
            room: pace(1, 1),
            counted: vec![OperationKind::Post, OperationKind::OpenThread],
            ..Limits::default()
        }
    }

    fn intake(self: Arc<Self>, inbox: Inbox) -> Intake {
        receive::intake(self.0.clone(), inbox)
    }

    async fn send(&self, out: &Outbound) -> Result<Sent, SendError> {
        let sent = self.0.sending.perform(out).await;
        let room = out.to.room.as_str();
        if self.0.config.desks.iter().any(|desk| desk == room) {
            self.0.desks.note(room, &sent);
        }
        let sent = sent?;
        if let OutboundOp::Post { .. } | OutboundOp::OpenThread { .. } = &out.op {
            for message in sent.message.iter().chain(&sent.more) {
                self.0.sent(&sent.address, message.as_str());
            }
        }
        Ok(sent)
    }

    async fn find(&self, out: &Outbound) -> Result<Option<Sent>, SendError> {
        self.0.sending.find(out).await
    }

    async fn fetch(&self, file: &RemoteFileId) -> Result<ByteStream, SendError> {
        self.0.sending.api.fetch(file).await
    }

    async fn typing(&self, at: &Address) -> Result<(), SendError> {
        // In a desk it would say that the bridge itself is typing.
        if !self.takes_requesters(at) {
            return Ok(());
        }
        self.0.sending.typing(at).await
    }

    async fn streaming(&self, at: &Address, text: &str) -> Result<(), SendError> {
        let root = at.thread.as_ref().map(|thread| thread.as_str());
        let reader = root.and_then(|root| self.0.threads.owner(at.room.as_str(), root));
        self.0.sending.streaming(at, text, reader.as_deref()).await
    }

    fn warnings(&self) -> Vec<String> {
        let lacking = self.0.sending.api.lacking().into_iter().map(|scope| {
            format!("the app lacks {scope}: add what `deskbridge slack manifest` has, and install it again")
        });
        let desks = self.0.desks.said((self.0.clock)());
        lacking.chain(desks).chain(self.0.receiving.warnings()).collect()
    }

    /// The home tab shows everybody their own requests.
    fn shows_standing(&self) -> bool {
        true
    }

    async fn standing(&self, at: &Address, standing: &Standing) -> Result<(), SendError> {
        home::stands(&self.0, at, standing).await
    }

    async fn is_away(&self, user: &RemoteUserId) -> Result<Option<bool>, SendError> {
        self.0.sending.is_away(user).await
    }

    async fn answer(&self, interaction: &Interaction, toast: Option<&Toast>) -> Result<(), SendError> {
        self.0.sending.answer(interaction, toast).await
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
        // Files are copied from Slack by the host, and none is kept here.
        home::forget(&self.0, shelf, user, at).await
    }

    async fn probe(&self) -> Result<Health, SendError> {
        self.0.meet().await?;
        let identity = self.0.sending.identity().await?;
        let how = match &self.0.config.receive {
            config::Receive::Socket { sockets, .. } => format!("Socket Mode, {sockets} connections"),
            config::Receive::Http { .. } => "HTTP".to_owned(),
        };
        let summary = format!("bot @{} of {}, {how}", identity.user, identity.team);
        Ok(Health { summary, warnings: Vec::new() })
    }
}

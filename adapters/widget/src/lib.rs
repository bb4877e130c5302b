//! The widget on web pages: requesters only, over a protocol of our own (docs/widget-protocol.md).
//!
//! Not here: the widget itself (web/widget), any rule about conversations. This file only wires the parts together.

mod cards;
mod config;
mod doctor;
mod forget;
mod hub;
mod identity;
mod ids;
mod journal;
mod limits;
mod markup;
mod people;
mod receive;
mod send;
#[cfg(test)]
mod testing;
mod translate;

use std::net::IpAddr;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use async_trait::async_trait;
use deskbridge_contract::check::Check;
use deskbridge_contract::{
    Adapter, Address, BlobId, ByteStream, Capabilities, ChannelName, Health, Inbound, Inbox, Intake,
    OperationKind, Outbound, RemoteFileId, RemoteUserId, Resend, RoomId, SendError, Sent, Shelf, ShelfError,
    Standing, Support, ThreadStyle, Timestamp, TranslateError,
};
use futures_util::FutureExt as _;

pub use config::{Config, Fault};

/// This adapter's section of the configuration, with every key and its default.
pub const EXAMPLE: &str = include_str!("../example.toml");

/// The time of day, from whoever owns the clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A file's address works for so long, in seconds.
const LINK: i64 = 24 * 3600;

/// One site.
pub struct WidgetAdapter(Arc<Widget>);

pub(crate) struct Widget {
    channel: ChannelName,
    config: Config,
    clock: Clock,
    inbox: RwLock<Option<Inbox>>,
    people: people::People,
    threads: journal::Threads,
    hub: Arc<hub::Hub>,
    vouching: identity::Vouching,
    limits: limits::Limits,
    visitors: limits::Places<String>,
    addresses: limits::Places<IpAddr>,
    links: OnceLock<Arc<identity::Links>>,
}

impl Widget {
    fn inbox(&self) -> Result<Inbox, SendError> {
        let inbox = self.inbox.read().unwrap_or_else(PoisonError::into_inner).clone();
        inbox.ok_or_else(|| SendError::Retry { after: None, why: "not started yet".into() })
    }

    fn shelf(&self) -> Result<Shelf, SendError> {
        self.inbox().map(|inbox| inbox.shelf())
    }

    /// Signs the addresses of files; the key is made once and kept.
    async fn links(&self, shelf: &Shelf) -> Result<Arc<identity::Links>, ShelfError> {
        if let Some(links) = self.links.get() {
            return Ok(links.clone());
        }
        let key = match shelf.get("k:files").await? {
            Some(key) => key,
            None => {
                let fresh = || Some(format!("{}{}", ids::random()?, ids::random()?));
                let key = fresh().ok_or_else(|| ShelfError("no randomness".into()))?;
                shelf.put("k:files", &key).await?;
                key
            }
        };
        let links =
            identity::Links::new(key.as_bytes()).ok_or_else(|| ShelfError("an unusable key".into()))?;
        Ok(self.links.get_or_init(|| Arc::new(links)).clone())
    }

    /// Relative to `/widget/v1/{channel}/`.
    fn address_of(&self, links: &identity::Links, file: &str) -> String {
        let until = (self.clock)().0 / 1_000_000 + LINK;
        format!("files/{file}?until={until}&sig={}", links.sign(file, until))
    }
}

/// What the widget can carry; for `docs/channels.md`.
pub fn declared() -> [(&'static str, &'static Capabilities); 1] {
    [("web page", &CAPABILITIES)]
}

const CAPABILITIES: Capabilities = Capabilities {
    max_text: 16_000,
    max_caption: 16_000,
    max_upload_bytes: 50 << 20,
    max_download_bytes: 50 << 20,
    max_attachments: translate::MAX_FILES,
    max_actions: 10,
    threads: ThreadStyle::None,
    formatting: Support::Native,
    replies: Support::Native,
    edits: Support::Native,
    deletes: Support::Native,
    reactions: Support::Native,
    marks: Support::Native,
    typing: Support::Native,
    whisper: Support::Drop,
    persona: Support::Native,
    hears_edits: true,
    hears_deletes: true,
    hears_reactions: true,
    hears_reads: true,
};

impl WidgetAdapter {
    pub fn new(channel: ChannelName, config: Config, clock: Clock) -> Self {
        let widget = Widget {
            vouching: identity::Vouching::new(channel.as_str(), &config.identity_keys),
            limits: limits::Limits::new(&config),
            visitors: limits::Places::new(config.sockets_per_visitor),
            addresses: limits::Places::new(config.sockets_per_address),
            inbox: RwLock::default(),
            people: people::People::default(),
            threads: journal::Threads::default(),
            hub: Arc::default(),
            links: OnceLock::new(),
            channel,
            config,
            clock,
        };
        WidgetAdapter(Arc::new(widget))
    }

    /// The event of one frame, as if a visitor of this conversation had sent it: for tests and replays.
    pub fn translate(&self, payload: &[u8]) -> Result<Option<Inbound>, TranslateError> {
        let Some(act) = translate::act(translate::frame(payload)?)? else { return Ok(None) };
        let nobody = ids::Visitor("v".repeat(33));
        let person = people::Person::default();
        let channel = &self.0.channel;
        let doer = translate::Doer {
            channel,
            room: &nobody,
            visitor: &nobody,
            person: &person,
            now: (self.0.clock)(),
        };
        Ok(Some(translate::inbound(&act, &doer, &[])))
    }

    /// Checks that need no browser.
    pub fn doctor(config: &Config, desks: &[RoomId]) -> Vec<Check> {
        doctor::examine(config, desks)
    }
}

#[async_trait]
impl Adapter for WidgetAdapter {
    fn channel(&self) -> &ChannelName {
        &self.0.channel
    }

    fn capabilities(&self, _at: &Address) -> &Capabilities {
        &CAPABILITIES
    }

    /// A message is known by its delivery, everything else says what is so.
    fn resend(&self, kind: OperationKind) -> Resend {
        match kind {
            OperationKind::OpenThread | OperationKind::Whisper => Resend::MayDuplicate,
            OperationKind::Post
            | OperationKind::Edit
            | OperationKind::Delete
            | OperationKind::React
            | OperationKind::Mark
            | OperationKind::SetThread => Resend::SameIdIsSafe,
        }
    }

    fn limits(&self) -> deskbridge_contract::Limits {
        deskbridge_contract::Limits::default()
    }

    fn intake(self: Arc<Self>, inbox: Inbox) -> Intake {
        let widget = self.0.clone();
        *widget.inbox.write().unwrap_or_else(PoisonError::into_inner) = Some(inbox);
        let connected = Stopper(widget.hub.clone());
        let connect = async move {
            // Dropped when the program stops; every connection is told.
            let _connected = connected;
            std::future::pending::<Result<(), SendError>>().await
        };
        Intake { connect: Some(connect.boxed()), page: Some(receive::page(widget)), ..Intake::default() }
    }

    async fn send(&self, out: &Outbound) -> Result<Sent, SendError> {
        self.0.perform(out).await
    }

    async fn fetch(&self, file: &RemoteFileId) -> Result<ByteStream, SendError> {
        let store = self.0.inbox()?.files();
        let store = store.ok_or_else(|| SendError::rejected("files cannot be taken here"))?;
        store.open(&BlobId(file.0.clone())).await
    }

    async fn typing(&self, at: &Address) -> Result<(), SendError> {
        self.0.show_typing(at).await
    }

    async fn streaming(&self, at: &Address, text: &str) -> Result<(), SendError> {
        self.0.show_streaming(at, text).await
    }

    fn shows_standing(&self) -> bool {
        true
    }

    async fn standing(&self, at: &Address, standing: &Standing) -> Result<(), SendError> {
        self.0.show_standing(at, standing).await
    }

    async fn also_at(&self, shelf: &Shelf, user: &RemoteUserId) -> Result<Vec<Address>, ShelfError> {
        self.0.addresses_of(shelf, &self.0.channel, &ids::Visitor(user.0.clone())).await
    }

    async fn handed_in(
        &self,
        shelf: &Shelf,
        user: &RemoteUserId,
        at: &[Address],
    ) -> Result<Vec<BlobId>, ShelfError> {
        self.0.handed_in_by(shelf, &ids::Visitor(user.0.clone()), at).await
    }

    async fn forget(
        &self,
        shelf: &Shelf,
        user: &RemoteUserId,
        at: &[Address],
    ) -> Result<Vec<String>, ShelfError> {
        // Their pages begin anew, and the chat is here and nowhere else.
        self.0.forget(shelf, &ids::Visitor(user.0.clone()), at).await.map(|()| Vec::new())
    }

    async fn probe(&self) -> Result<Health, SendError> {
        let config = &self.0.config;
        let summary = format!("{} origins, {} connections", config.origins.len(), self.0.hub.len());
        Ok(Health { summary, warnings: Vec::new() })
    }
}

struct Stopper(Arc<hub::Hub>);

impl Drop for Stopper {
    fn drop(&mut self) {
        self.0.stop();
    }
}

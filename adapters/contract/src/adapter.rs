//! The trait that every channel implements, and the inbox it pushes into.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::BoxFuture;

use crate::address::{Address, BlobId, ChannelName, RemoteFileId, RemoteMessageId, RemoteUserId};
use crate::capabilities::{Capabilities, OperationKind, Resend};
use crate::content::{Card, Content};
use crate::error::{SendError, TranslateError};
use crate::files::FileStore;
use crate::inbound::{Inbound, Interaction, Sender};
use crate::outbound::{Outbound, Sent};
use crate::shelf::{Shelf, ShelfError, ShelfStore};
use crate::standing::{Colleagues, DeskHours, Duty, Known, PersonalCard, Standing};

/// Bytes of a file, in order. An error ends it.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, SendError>> + Send>>;

/// One configured connection to a platform.
///
/// Adapters translate; they never decide what to say, to whom, or whether. They keep no state that must survive
/// a restart except through [`Inbox::shelf`].
#[async_trait]
pub trait Adapter: Send + Sync + 'static {
    /// The name under which the configuration lists this connection.
    fn channel(&self) -> &ChannelName;

    /// What the channel can do at an address. Called often: a constant, no I/O.
    fn capabilities(&self, at: &Address) -> &Capabilities;

    /// Whether somebody who writes at this address is asking for help: a private chat, or a room where the bot was
    /// called. Rooms that are desks are never asked about. Default: yes.
    fn takes_requesters(&self, _at: &Address) -> bool {
        true
    }

    /// Whether several people speak at this address, so that not everything done there is done by the requester: a
    /// thread in a channel, a group chat. Asked where requesters are taken. Default: no.
    fn is_shared(&self, _at: &Address) -> bool {
        false
    }

    /// What may be done after an ambiguous attempt, per operation (D33, D36).
    fn resend(&self, kind: OperationKind) -> Resend;

    /// How fast the platform lets us send; response headers override it.
    fn limits(&self) -> Limits;

    /// How events arrive. Called once per start; when a connection's future ends, the supervisor calls `intake` again
    /// after a back-off, so it must not reconnect for ever by itself.
    fn intake(self: Arc<Self>, inbox: Inbox) -> Intake;

    /// Carries out one operation. May be called again with the same id after a restart.
    /// Forbidden: retrying inside, except refreshing a credential once.
    async fn send(&self, out: &Outbound) -> Result<Sent, SendError>;

    /// Looks whether an earlier attempt of `out` arrived. Only called where [`Resend::ReadBack`].
    async fn find(&self, _out: &Outbound) -> Result<Option<Sent>, SendError> {
        Err(SendError::rejected("this channel cannot be read back"))
    }

    /// The bytes of a file that came in by this channel.
    async fn fetch(&self, file: &RemoteFileId) -> Result<ByteStream, SendError>;

    /// Shows "is typing" for a few seconds. Best effort, never queued (D31).
    async fn typing(&self, _at: &Address) -> Result<(), SendError> {
        Ok(())
    }

    /// What the assistant has of an answer so far, for channels that show it growing. A hint: the answer itself comes as
    /// a delivery, and replaces it. Best effort, never queued (D31).
    async fn streaming(&self, _at: &Address, _text: &str) -> Result<(), SendError> {
        Ok(())
    }

    /// Whether [`Adapter::standing`] is to be told at all. Default: no.
    fn shows_standing(&self) -> bool {
        false
    }

    /// How the matter of the requester at this address stands now; told after every change, and once more for the latest
    /// conversations at the start. May repeat what is known. Must not wait for anything but the shelf.
    async fn standing(&self, _at: &Address, _standing: &Standing) -> Result<(), SendError> {
        Ok(())
    }

    /// Whether the platform shows this person as away; `None`: it does not tell. Asked now and then about technicians who are
    /// on: a hint, which lets others go first and changes nobody's presence (D11). Default: it does not tell.
    async fn is_away(&self, _user: &RemoteUserId) -> Result<Option<bool>, SendError> {
        Ok(None)
    }

    /// Answers an interaction (a pressed button) with a short toast, or with nothing. Called at most once, soon after
    /// the event was committed. Best effort.
    async fn answer(&self, _interaction: &Interaction, _toast: Option<&Toast>) -> Result<(), SendError> {
        Ok(())
    }

    /// The address for private messages to a person, where one can be opened.
    async fn open_direct(&self, _user: &RemoteUserId) -> Result<Address, SendError> {
        Err(SendError::rejected("this channel cannot open private chats"))
    }

    /// Where this person has conversations that another of their names began, beside those that the host knows of.
    /// Default: nowhere.
    async fn also_at(&self, _shelf: &Shelf, _user: &RemoteUserId) -> Result<Vec<Address>, ShelfError> {
        Ok(Vec::new())
    }

    /// The files that a person handed in by the adapter's own surface, for the host to remove before [`Adapter::forget`].
    /// Default: none.
    async fn handed_in(
        &self,
        _shelf: &Shelf,
        _user: &RemoteUserId,
        _at: &[Address],
    ) -> Result<Vec<BlobId>, ShelfError> {
        Ok(Vec::new())
    }

    /// Drops whatever is kept of a person, on the shelf and in memory, ends what they have open, and takes away what the
    /// platform shows of them beside messages (a home tab). `at`: where they had conversations. Answers what stays on the
    /// platform, for people, a sentence each. Called once their conversations are erased, and again where it was cut. An
    /// error: not now; it is called again. Default: nothing is kept of anybody, and nothing is said.
    async fn forget(
        &self,
        _shelf: &Shelf,
        _user: &RemoteUserId,
        _at: &[Address],
    ) -> Result<Vec<String>, ShelfError> {
        Ok(Vec::new())
    }

    /// What does not work by now though the rest does, in words for whoever looks after it: "the desk 19:…: the app was
    /// removed". Called often: no I/O. Default: nothing.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// A cheap live call that says whether the credentials work; used by the supervisor's health and by `doctor`.
    async fn probe(&self) -> Result<Health, SendError>;
}

/// What a live probe saw, for people: "bot @it_desk, polling".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    pub summary: String,
    /// Things that work but need somebody's eye: "pending updates: 120".
    pub warnings: Vec<String>,
}

/// How an adapter receives: a connection that it keeps, a route of its own, or both.
#[derive(Default)]
pub struct Intake {
    /// Runs until the connection is lost or the inbox is closed; `Err` says why, for the log and the channel's health.
    pub connect: Option<BoxFuture<'static, Result<(), SendError>>>,
    /// Mounted at `/hooks/{channel}`. Limits of size and time are already in front of it.
    pub webhook: Option<axum::Router>,
    /// A surface for people's own browsers, mounted at `/widget/v1/{channel}`. The adapter keeps its limits itself: sizes,
    /// times and origins.
    pub page: Option<axum::Router>,
}

/// Who is at the other end of a request: an extension that the host puts into every one, after the word of trusted proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub address: std::net::IpAddr,
    /// On this machine, and not by way of a proxy or tunnel on it. An address of this machine alone does not say so.
    pub local: bool,
}

impl Peer {
    /// Somebody at this address, with nobody in between.
    pub fn at(address: std::net::IpAddr) -> Peer {
        Peer { address, local: address.to_canonical().is_loopback() }
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake")
            .field("connect", &self.connect.is_some())
            .field("webhook", &self.webhook.is_some())
            .field("page", &self.page.is_some())
            .finish()
    }
}

/// A short text over the platform's own surface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    pub text: String,
    /// Must be clicked away.
    pub alert: bool,
}

/// What a push came to. The event is on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// True when this event had been stored before; nothing new happened.
    pub duplicate: bool,
    /// What to show the person who pressed a button, where the platform has a place for it.
    pub toast: Option<Toast>,
    /// The conversation that it belongs to, as people call it: `#1042`. `None` where it belongs to none, or is repeated.
    pub reference: Option<String>,
}

/// Why an event could not be taken. Nothing is stored: the platform must be told to try again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The store cannot be written now. Answer 503 and do not advance.
    #[error("the store is unavailable")]
    Unavailable,
    /// The program is shutting down.
    #[error("shutting down")]
    Closed,
}

/// The receiving side of the bridge, implemented by the runtime.
#[async_trait]
pub trait InboxSink: Send + Sync {
    async fn push(&self, event: Inbound) -> Result<Receipt, PushError>;
    async fn quarantine(
        &self,
        channel: &ChannelName,
        raw: &[u8],
        why: &TranslateError,
    ) -> Result<(), PushError>;
    /// Whether people of the channel's queue are there now. Read-only.
    async fn desk_hours(&self, _channel: &ChannelName) -> DeskHours {
        DeskHours::default()
    }
    /// The card of the conversation that a desk's thread is about, as this person may see it. Read-only; `reference` is
    /// the card's own. Default: there is none.
    async fn personal_card(
        &self,
        _at: &Address,
        _reference: &str,
        _user: &RemoteUserId,
    ) -> Option<PersonalCard> {
        None
    }
    /// Whether this person is a technician, and on duty. Read-only. Default: nobody is.
    async fn duty(&self, _channel: &ChannelName, _user: &RemoteUserId) -> Option<Duty> {
        None
    }
    /// Whom this person may hand the conversation to that a desk's thread is about, or call into it. Read-only. `None`:
    /// nobody, because they are no technician who may, or the thread is about none. Default: nobody.
    async fn colleagues(&self, _at: &Address, _user: &RemoteUserId) -> Option<Colleagues> {
        None
    }
    /// How a conversation (`#1042`) or a ticket's conversation (`T-000042`) stands now, as this desk room may show it.
    /// `None`: no such, not a desk room, or not shown in it. Read-only. Default: nothing is known.
    async fn card(&self, _room: &Address, _reference: &str) -> Option<Card> {
        None
    }
    /// What people said at exactly this place (room and thread) in messages whose ids lie, compared as texts, behind
    /// `after` and up to `until`, as far as it is not deleted; without `except`. For finding out what was deleted while
    /// nothing was received. At most [`Known::MOST`], the earliest. Read-only. Default: nothing is known.
    async fn known(
        &self,
        _at: &Address,
        _after: &RemoteMessageId,
        _until: &RemoteMessageId,
        _except: &[RemoteMessageId],
    ) -> Result<Vec<Known>, PushError> {
        Ok(Vec::new())
    }
    /// Everything that was said in the conversation of a desk's thread, in CommonMark, one text a message, the earliest
    /// first, for a technician. `None`: this person is none, or there is no such conversation there. Read-only. Default:
    /// there is none.
    async fn history(&self, _at: &Address, _reference: &str, _user: &RemoteUserId) -> Option<Vec<String>> {
        None
    }
    /// What this person is to be asked before what they do counts as a technician's (an answer is a press of a button of
    /// it). `None`: nothing. Read-only. Default: nobody is asked.
    async fn identity_question(&self, _channel: &ChannelName, _who: &Sender) -> Option<Content> {
        None
    }
}

/// What an adapter gets at intake.
#[derive(Clone)]
pub struct Inbox {
    channel: ChannelName,
    sink: Arc<dyn InboxSink>,
    shelf: Arc<dyn ShelfStore>,
    files: Option<Arc<dyn FileStore>>,
}

impl Inbox {
    pub fn new(channel: ChannelName, sink: Arc<dyn InboxSink>, shelf: Arc<dyn ShelfStore>) -> Self {
        Inbox { channel, sink, shelf, files: None }
    }

    /// With a place for files that people hand in by the adapter's own surface.
    #[must_use]
    pub fn with_files(self, files: Arc<dyn FileStore>) -> Self {
        Inbox { files: Some(files), ..self }
    }

    /// `None`: files cannot be taken here.
    pub fn files(&self) -> Option<Arc<dyn FileStore>> {
        self.files.clone()
    }

    pub async fn desk_hours(&self) -> DeskHours {
        self.sink.desk_hours(&self.channel).await
    }

    /// `None`: no conversation of this reference is shown there.
    pub async fn personal_card(
        &self,
        at: &Address,
        reference: &str,
        user: &RemoteUserId,
    ) -> Option<PersonalCard> {
        self.sink.personal_card(at, reference, user).await
    }

    /// `None`: not a technician.
    pub async fn duty(&self, user: &RemoteUserId) -> Option<Duty> {
        self.sink.duty(&self.channel, user).await
    }

    /// Names to choose from; see [`InboxSink::colleagues`].
    pub async fn colleagues(&self, at: &Address, user: &RemoteUserId) -> Option<Colleagues> {
        self.sink.colleagues(at, user).await
    }

    /// What a link to `reference` shows in a desk room; see [`InboxSink::card`].
    pub async fn card(&self, room: &Address, reference: &str) -> Option<Card> {
        self.sink.card(room, reference).await
    }

    /// What is known of a place; see [`InboxSink::known`].
    pub async fn known(
        &self,
        at: &Address,
        after: &RemoteMessageId,
        until: &RemoteMessageId,
        except: &[RemoteMessageId],
    ) -> Result<Vec<Known>, PushError> {
        self.sink.known(at, after, until, except).await
    }

    /// Everything that was said in a conversation; see [`InboxSink::history`].
    pub async fn history(&self, at: &Address, reference: &str, user: &RemoteUserId) -> Option<Vec<String>> {
        self.sink.history(at, reference, user).await
    }

    /// What a person is to be asked about who they are; see [`InboxSink::identity_question`].
    pub async fn identity_question(&self, who: &Sender) -> Option<Content> {
        self.sink.identity_question(&self.channel, who).await
    }

    /// Returns after the event is committed. Only then may the platform be acknowledged (clause C4).
    /// Several pushes may be under way at once; events of one room must be pushed in their order.
    pub async fn push(&self, event: Inbound) -> Result<Receipt, PushError> {
        self.sink.push(event).await
    }

    /// Keeps a payload that could not be translated, for a person to look at. Committed when it returns.
    pub async fn quarantine(&self, raw: &[u8], why: &TranslateError) -> Result<(), PushError> {
        self.sink.quarantine(&self.channel, raw, why).await
    }

    pub fn shelf(&self) -> Shelf {
        Shelf::new(self.channel.clone(), self.shelf.clone())
    }
}

/// At most `count` operations in any window of `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub count: u32,
    pub per: Duration,
}

/// The limits table of a platform. Nothing else in the program knows a platform's figures.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Over all rooms of the account.
    pub account: Vec<Pace>,
    /// Per room, by default.
    pub room: Vec<Pace>,
    /// Per room of a kind that [`Limits::room_kind`] names, instead of `room`.
    pub room_kinds: BTreeMap<&'static str, Vec<Pace>>,
    /// The kind of a room, when it has limits of its own (a Telegram group: 20 a minute).
    pub room_kind: Option<fn(&Address) -> Option<&'static str>>,
    /// Which operations count against the room's pace. Empty: all.
    pub counted: Vec<OperationKind>,
    /// Every file of a post counts by itself: the platform makes a message of each.
    pub per_file: bool,
    /// Kinds of rooms whose pace all their threads share, and that is tight: words that would have to wait there are
    /// joined into one post. Obeyed only where a repeated post may appear twice ([`Resend::MayDuplicate`]): an id that
    /// the platform drops or finds again belongs to one message.
    pub shared: Vec<&'static str>,
}

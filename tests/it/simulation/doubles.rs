//! What stands between the bridge and the simulated platforms and store: it keeps the journal, strikes with crashes,
//! and, where a test plants a bug, has that bug (D49: production code has no hooks).
//!
//! Not here: what must hold (`invariants`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use deskbridge_contract::{
    Adapter, Address, ByteStream, Capabilities, ChannelName, DeliveryId, Health, Inbound, Inbox, InboxSink,
    Intake, Interaction, Limits, OperationKind, Outbound, OutboundOp, PushError, Receipt, RemoteEventId,
    RemoteFileId, RemoteUserId, Resend, SendError, Sent, ShelfError, ShelfStore, Timestamp, Toast,
    TranslateError,
};
use deskbridge_conversation::{ConversationId, EffectId, Stage, TechnicianId};
use deskbridge_sim::SimAdapter;
use deskbridge_store::backend::{Backend, Changes, Keys, Loaded};
use deskbridge_store::memory::MemoryBackend;
use deskbridge_store::rows::DeliveryState;
use deskbridge_store::{StoreError, writer::Clock};
use tokio::sync::Notify;

use super::plan::Crash;

/// A bug of a double.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    None,
    /// Every delivery of an event looks like a new event.
    NoDeduplication,
    /// The platform hears "received" before anything is stored.
    AcknowledgesEarly,
    /// Some sends go out later than those that follow them, as without lanes.
    LanesOff,
    /// The assistant's words wait, and go out whatever happened meanwhile.
    StaleTurn,
    /// "Nobody knows" is taken for "it did not happen".
    BlindResend,
    /// Of several words in one post only the first arrive.
    HalfAPost,
}

/// One thing that happened, in the one order in which everything did.
#[derive(Clone, Debug)]
pub enum Entry {
    Crash,
    Commit(Commit),
    /// The platform's `send` is called.
    Send {
        delivery: DeliveryId,
        at: Timestamp,
    },
}

#[derive(Clone, Debug)]
pub struct Commit {
    pub at: Timestamp,
    pub stages: Vec<Stood>,
    /// Attempts that may be made from now on.
    pub begins: Vec<EffectId>,
    /// New rows (`true`), and new states of old ones.
    pub rows: Vec<(EffectId, DeliveryState, bool)>,
}

/// Where a conversation stands after a commit.
#[derive(Clone, Debug)]
pub struct Stood {
    pub id: ConversationId,
    pub loaded: u64,
    pub seq: u64,
    pub people: bool,
    pub assignee: Option<TechnicianId>,
}

#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<Entry>>>);

impl Journal {
    pub fn note(&self, entry: Entry) {
        self.entries().push(entry);
    }

    pub fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the store does to the next commit.
#[derive(Default)]
pub struct Strike {
    next: Mutex<Option<Blow>>,
    pub fell: Notify,
}

#[derive(Clone, Copy, Debug)]
pub enum Blow {
    Refuse,
    Crash(Crash),
}

impl Strike {
    pub fn plan(&self, blow: Option<Blow>) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = blow;
    }

    fn take(&self) -> Option<Blow> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The memory store with a journal.
pub struct Watched {
    pub inner: MemoryBackend,
    pub journal: Journal,
    pub strike: Arc<Strike>,
    pub clock: Clock,
}

#[async_trait]
impl Backend for Watched {
    async fn load(&mut self, keys: &Keys) -> Result<Loaded, StoreError> {
        // Databases take a moment, in which others go on.
        tokio::task::yield_now().await;
        self.inner.load(keys).await
    }

    async fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        let blow = self.strike.take();
        match blow {
            Some(Blow::Refuse) => return Err(StoreError::Unavailable("planned".to_owned())),
            Some(Blow::Crash(Crash::BeforeCommit)) => {
                self.strike.fell.notify_one();
                std::future::pending::<()>().await;
            }
            _ => {}
        }
        self.inner.commit(changes).await?;
        self.journal.note(Entry::Commit(commit((self.clock)(), changes)));
        if matches!(blow, Some(Blow::Crash(_))) {
            self.strike.fell.notify_one();
            std::future::pending::<()>().await;
        }
        tokio::task::yield_now().await;
        Ok(())
    }

    async fn rollback(&mut self) {
        self.inner.rollback().await;
    }

    async fn index_search(&mut self, limit: u32) -> Result<u32, StoreError> {
        self.inner.index_search(limit).await
    }
}

fn commit(at: Timestamp, changes: &Changes) -> Commit {
    let stood = changes.conversations.iter().zip(&changes.loaded_seqs).map(|(row, loaded)| Stood {
        id: row.state.id,
        loaded: *loaded,
        seq: row.state.seq,
        people: matches!(row.state.stage, Stage::Handover(_) | Stage::Assigned(_)),
        assignee: match &row.state.stage {
            Stage::Assigned(assigned) => Some(assigned.technician.clone()),
            Stage::Assisting(_) | Stage::Handover(_) | Stage::Closed(_) => None,
        },
    });
    let updates = changes.outbox_updates.iter().map(|update| (update.id, update.state, false));
    let new = changes.outbox.iter().map(|row| (row.id, row.state, true));
    Commit {
        at,
        stages: stood.collect(),
        begins: changes.attempts.iter().map(|attempt| attempt.effect).collect(),
        rows: updates.chain(new).collect(),
    }
}

/// The simulated adapter with a journal, and perhaps a bug.
#[derive(Clone)]
pub struct Double {
    pub inner: Arc<SimAdapter>,
    pub journal: Journal,
    pub clock: Clock,
    pub bug: Bug,
    pub count: Arc<AtomicU64>,
}

impl Double {
    async fn carry(&self, out: &Outbound) -> Result<Sent, SendError> {
        self.journal.note(Entry::Send { delivery: out.id.clone(), at: (self.clock)() });
        // Networks take a moment, in which others go on.
        tokio::task::yield_now().await;
        let sent = self.inner.send(out).await;
        tokio::task::yield_now().await;
        sent
    }

    /// Says that it was done, and does it after a while.
    fn late(&self, out: &Outbound, after: Duration) -> Result<Sent, SendError> {
        let (double, out) = (self.clone(), out.clone());
        let sent = Sent::at(&out.to, None);
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let _ = double.carry(&out).await;
        });
        Ok(sent)
    }

    fn nth(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }
}

/// What the engine of this town says begins with this.
pub const SAID: &str = "You said";

fn words(out: &Outbound) -> &str {
    match &out.op {
        OutboundOp::Post { content, .. } => &content.text,
        _ => "",
    }
}

#[async_trait]
impl Adapter for Double {
    fn channel(&self) -> &ChannelName {
        self.inner.channel()
    }

    fn capabilities(&self, at: &Address) -> &Capabilities {
        self.inner.capabilities(at)
    }

    fn is_shared(&self, at: &Address) -> bool {
        self.inner.is_shared(at)
    }

    fn resend(&self, kind: OperationKind) -> Resend {
        self.inner.resend(kind)
    }

    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    fn intake(self: Arc<Self>, inbox: Inbox) -> Intake {
        let inbox = match self.bug {
            Bug::NoDeduplication | Bug::AcknowledgesEarly => {
                let sink = Arc::new(Forgetful { inbox, bug: self.bug, count: self.count.clone() });
                Inbox::new(self.channel().clone(), sink, Arc::new(NoShelf))
            }
            Bug::None | Bug::LanesOff | Bug::StaleTurn | Bug::BlindResend | Bug::HalfAPost => inbox,
        };
        self.inner.clone().intake(inbox)
    }

    async fn send(&self, out: &Outbound) -> Result<Sent, SendError> {
        let post = out.op.kind() == OperationKind::Post;
        match self.bug {
            Bug::LanesOff if post && self.nth().is_multiple_of(2) => self.late(out, Duration::from_secs(10)),
            Bug::StaleTurn if post && words(out).starts_with(SAID) => self.late(out, Duration::from_secs(10)),
            Bug::BlindResend => match self.carry(out).await {
                Err(SendError::Ambiguous { why }) => Err(SendError::Retry { after: None, why }),
                answer => answer,
            },
            Bug::HalfAPost => {
                let mut out = out.clone();
                if let OutboundOp::Post { content, persona: Some(_), .. } = &mut out.op {
                    content.text = content.text.split("\n\n").next().unwrap_or_default().to_owned();
                }
                self.carry(&out).await
            }
            _ => self.carry(out).await,
        }
    }

    async fn find(&self, out: &Outbound) -> Result<Option<Sent>, SendError> {
        self.inner.find(out).await
    }

    async fn fetch(&self, file: &RemoteFileId) -> Result<ByteStream, SendError> {
        self.inner.fetch(file).await
    }

    async fn typing(&self, at: &Address) -> Result<(), SendError> {
        self.inner.typing(at).await
    }

    async fn answer(&self, interaction: &Interaction, toast: Option<&Toast>) -> Result<(), SendError> {
        self.inner.answer(interaction, toast).await
    }

    async fn open_direct(&self, user: &RemoteUserId) -> Result<Address, SendError> {
        self.inner.open_direct(user).await
    }

    async fn probe(&self) -> Result<Health, SendError> {
        self.inner.probe().await
    }
}

/// An inbox with a bug.
struct Forgetful {
    inbox: Inbox,
    bug: Bug,
    count: Arc<AtomicU64>,
}

#[async_trait]
impl InboxSink for Forgetful {
    async fn push(&self, mut event: Inbound) -> Result<Receipt, PushError> {
        if self.bug == Bug::NoDeduplication {
            let nth = self.count.fetch_add(1, Ordering::Relaxed);
            event.id = RemoteEventId(format!("{}#{nth}", event.id));
            return self.inbox.push(event).await;
        }
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let _ = inbox.push(event).await;
        });
        Ok(Receipt::default())
    }

    async fn quarantine(
        &self,
        _channel: &ChannelName,
        raw: &[u8],
        why: &TranslateError,
    ) -> Result<(), PushError> {
        self.inbox.quarantine(raw, why).await
    }
}

struct NoShelf;

#[async_trait]
impl ShelfStore for NoShelf {
    async fn get(&self, _channel: &ChannelName, _key: &str) -> Result<Option<String>, ShelfError> {
        Ok(None)
    }

    async fn put(&self, _channel: &ChannelName, _key: &str, _value: &str) -> Result<(), ShelfError> {
        Ok(())
    }
    async fn delete(&self, _: &ChannelName, _: &[String]) -> Result<(), ShelfError> {
        Ok(())
    }
    async fn find(&self, _: &ChannelName, _: &str, _: &str) -> Result<Vec<String>, ShelfError> {
        Ok(Vec::new())
    }
}

/// The row that a delivery came from; parts of one message have the same.
pub fn row_of(delivery: &DeliveryId) -> &str {
    delivery.0.split('#').next().unwrap_or_default()
}

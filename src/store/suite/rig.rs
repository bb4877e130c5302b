//! A writer on a store, with a clock that the test moves.
//!
//! Not here: what is checked.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use deskbridge_contract::{Address, ChannelName, Content, RemoteMessageId, Timestamp};
use deskbridge_conversation::policy::{
    ChannelPolicy, DeskPolicy, ReplyMode, RequesterIdentity, TechnicianPolicy,
};
use deskbridge_conversation::{
    Conversation, ConversationId, DeliveryOp, Effect, EffectId, MessageId, Policy, Presence, QueueFacts,
    QueueId, TechnicianId,
};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::events;
use crate::rows::*;
use crate::writer::MAX_BATCH;
use crate::*;

/// What `open` gives: the writer's side, and the readers'.
pub(crate) struct Opened {
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) read: Arc<dyn Read>,
    pub(crate) export: Arc<dyn Export>,
}

/// A store that can be opened again: what was committed is there.
#[async_trait]
pub(crate) trait Place: Send + Sync {
    async fn open(&self) -> Opened;
    /// Past the store, on PostgreSQL.
    async fn raw(&self) -> Option<sqlx::postgres::PgConnection> {
        None
    }
    /// Where its files are, when it has any of its own.
    fn folder(&self) -> Option<&std::path::Path> {
        None
    }
}

pub(crate) type Fresh = Box<dyn Place>;

pub(super) struct Rig {
    pub(super) writer: Writer,
    pub(super) read: Arc<dyn Read>,
    pub(super) export: Arc<dyn Export>,
    pub(super) committed: mpsc::UnboundedReceiver<Committed>,
    pub(super) policy: PolicyHandle,
    clock: Arc<AtomicI64>,
    task: JoinHandle<()>,
}

/// Monday morning.
pub(super) const START: Timestamp = Timestamp(1_767_600_000_000_000);

struct Facts;

impl FactSource for Facts {
    /// Events of this queue cannot be stepped.
    fn facts(&self, queue: &QueueId, _now: Timestamp) -> QueueFacts {
        assert_ne!(queue.as_str(), "poison", "as the test wants it");
        QueueFacts::default()
    }
}

impl Rig {
    pub(super) async fn start(place: &Fresh) -> Rig {
        Rig::start_with(place, policy()).await
    }

    pub(super) async fn start_with(place: &Fresh, policy: Policy) -> Rig {
        Rig::start_at(place, policy, MAX_BATCH, START, |backend| backend).await
    }

    pub(super) async fn start_at(
        place: &Fresh,
        policy: Policy,
        max_batch: usize,
        now: Timestamp,
        wrap: impl FnOnce(Box<dyn Backend>) -> Box<dyn Backend>,
    ) -> Rig {
        let Opened { backend, read, export } = place.open().await;
        let clock = Arc::new(AtomicI64::new(now.0));
        let hand = clock.clone();
        let (sender, committed) = mpsc::unbounded_channel();
        let policy = PolicyHandle::new(policy);
        let (writer, task) = Writer::start_sized(
            max_batch,
            wrap(backend),
            policy.clone(),
            Arc::new(Facts),
            Arc::new(move || Timestamp(hand.load(Ordering::SeqCst))),
            sender,
        );
        Rig { writer, read, export, committed, policy, clock, task }
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp(self.clock.load(Ordering::SeqCst))
    }

    pub(super) fn advance(&self, by: Duration) {
        let now = self.now() + by;
        self.clock.store(now.0, Ordering::SeqCst);
    }

    /// Applies, and insists that it was new and did something.
    pub(super) async fn done(&self, apply: Apply) -> Arc<Conversation> {
        let what = format!("{apply:?}");
        match self.writer.apply(apply).await {
            Ok(Applied::Done { conversation, .. }) => conversation,
            other => panic!("{other:?} of {what}"),
        }
    }

    pub(super) async fn state(&self, id: ConversationId) -> Conversation {
        self.read.conversation(id).await.unwrap().unwrap_or_else(|| panic!("no conversation {id}"))
    }

    pub(super) async fn row(&self, id: EffectId) -> OutboxRow {
        let rows = self.read.deliveries(id.conversation).await.unwrap();
        rows.into_iter().find(|row| row.id == id).unwrap_or_else(|| panic!("no effect {id}"))
    }

    /// The queued rows of a conversation whose operation is like this.
    pub(super) async fn queued(&self, id: ConversationId, like: impl Fn(&Effect) -> bool) -> Vec<OutboxRow> {
        let rows = self.read.deliveries(id).await.unwrap();
        rows.into_iter().filter(|row| row.state == DeliveryState::Queued && like(&row.effect)).collect()
    }

    pub(super) async fn load_of(&self, technician: &str) -> u32 {
        self.technician(technician).await.load
    }

    pub(super) async fn technician(&self, technician: &str) -> TechnicianRow {
        let rows = self.read.technicians().await.unwrap();
        rows.into_iter()
            .find(|row| row.id.0 == technician)
            .unwrap_or_else(|| panic!("no technician {technician}"))
    }

    /// Everybody of the policy, available.
    pub(super) async fn everybody_on(&self) {
        let all: Vec<TechnicianId> = self.policy.current().policy.technicians.keys().cloned().collect();
        self.writer.admin(Admin::EnsureTechnicians(all.clone())).await.unwrap();
        for technician in all {
            let presence = Presence::Available;
            self.writer.admin(Admin::SetPresence { technician, presence }).await.unwrap();
        }
    }

    /// Attempts and ends everything that is open, as a runtime with a perfect platform would, until nothing is left.
    pub(super) async fn deliver_everything(&self) {
        loop {
            let rows = self.read.open_outbox(None, 1000).await.unwrap();
            if rows.is_empty() {
                return;
            }
            for row in rows {
                self.carry_out(&row).await;
            }
        }
    }

    pub(super) async fn carry_out(&self, row: &OutboxRow) {
        let lease_until = self.now() + Duration::from_secs(60);
        if self.writer.begin(Begin { effect: row.id, lease_until }).await.unwrap() == Begun::No {
            return;
        }
        match events::end_well(row, &self.state(row.conversation()).await, self.now()) {
            Some(apply) => drop(self.done(apply).await),
            None => assert!(self.writer.mark(events::marked(row, DeliveryState::Sent)).await.unwrap()),
        }
    }

    pub(super) async fn exported(&self) -> String {
        let mut bytes = Vec::new();
        self.export.export(&mut bytes).await.unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// Lets go of the last handle and waits for the writer's task.
    pub(super) async fn end_without_closing(self) {
        drop(self.writer);
        self.task.await.unwrap();
    }

    /// Ends the program in an orderly way.
    pub(super) async fn end(self) {
        self.writer.close().await;
        self.task.await.unwrap();
    }
}

pub(super) fn web() -> ChannelName {
    ChannelName::from("web")
}

pub(super) fn desk() -> ChannelName {
    ChannelName::from("desk")
}

/// Where the n-th requester writes from.
pub(super) fn home(who: u32) -> Address {
    Address::room(&web(), format!("u{who}"))
}

/// The desk room's thread of a conversation, once it is open.
pub(super) fn thread(conversation: ConversationId) -> Address {
    Address::room(&desk(), "it").thread(format!("t{}", conversation.0))
}

pub(super) fn remote(id: impl Into<String>) -> RemoteMessageId {
    RemoteMessageId(id.into())
}

pub(super) fn text(content: &str) -> Option<Content> {
    Some(Content::text(content))
}

pub(super) fn is_post(effect: &Effect, message: MessageId) -> bool {
    matches!(effect, Effect::Deliver(delivery) if delivery.op == DeliveryOp::Post { message })
}

pub(super) fn is_card(effect: &Effect) -> bool {
    matches!(effect, Effect::Deliver(delivery) if delivery.op == DeliveryOp::Card)
}

/// Three technicians, one desk room with threads, texts of technicians go out at once.
pub(super) fn policy() -> Policy {
    let mut policy = Policy { undo_window: Duration::ZERO, ..Policy::default() };
    for (name, capacity) in [("ana", 3), ("bob", 3), ("cem", 1)] {
        let id = TechnicianId::from(name);
        policy.technicians.insert(
            id.clone(),
            TechnicianPolicy {
                name: name.to_uppercase(),
                role: Default::default(),
                capacity,
                skills: Vec::new(),
                languages: Vec::new(),
                email: None,
                identities: Vec::new(),
                strangers: Vec::new(),
            },
        );
        for queue in policy.queues.values_mut() {
            queue.technicians.push(id.clone());
        }
    }
    policy.channels.insert(web(), ChannelPolicy { requesters: true, ..ChannelPolicy::default() });
    let room = DeskPolicy {
        room: "it".into(),
        queues: Vec::new(),
        reply_mode: ReplyMode::Airlock,
        requester_identity: RequesterIdentity::Name,
    };
    policy.channels.insert(desk(), ChannelPolicy { desks: vec![room], ..ChannelPolicy::default() });
    policy
}

/// As `policy`, and without an assistant: the first message puts the conversation into the queue.
pub(super) fn people_only() -> Policy {
    let mut policy = policy();
    policy.assistant.mode = deskbridge_conversation::policy::AssistantMode::Off;
    policy
}

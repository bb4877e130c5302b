//! Something goes wrong, or comes in between, at one moment inside the runtime; a double of the store or of a platform
//! chooses the moment (D49: production code has no hooks).
//!
//! Not here: whole talks (scenarios), moments by chance (simulation).

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use deskbridge::app::{Parts, Running, build};
use deskbridge_contract::{
    Adapter, Address, AttachmentSource, ByteStream, Capabilities, Content, Health, Inbox, Intake,
    Interaction, Limits, OperationKind, Outbound, RemoteFileId, RemoteUserId, Resend, SendError, Sent, Toast,
};
use deskbridge_conversation::{Author, ConversationId};
use deskbridge_sim::{SimAdapter, Style, World};
use deskbridge_store::StoreError;
use deskbridge_store::backend::{Backend, Changes, Keys, Loaded};
use deskbridge_store::memory::{Memory, MemoryBackend};
use deskbridge_store::open::{Kind, Opened};
use deskbridge_store::rows::MessageRow;
use metrics_exporter_prometheus::PrometheusBuilder;
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::harness::{config, virtual_clock};

struct House {
    running: Running,
    ana: World,
    store: Memory,
    _folder: TempDir,
}

/// A bridge between requesters and a desk, over these doubles.
async fn house(
    backend: impl FnOnce(MemoryBackend) -> Box<dyn Backend>,
    adapter: impl Fn(SimAdapter) -> Arc<dyn Adapter>,
) -> House {
    let config = config(
        r#"
        [channels.telegram]
        adapter = "sim"
        [channels.slack]
        adapter = "sim"
        requesters = false
        [channels.slack.desk]
        room = "desk"
        "#,
    );
    let (clock, store) = (virtual_clock(), Memory::new());
    let world = |name: &str, style: Style| {
        let world = World::new(name.into(), style);
        world.set_clock(clock.clone());
        world
    };
    let (ana, desk) = (world("telegram", Style::telegram()), world("slack", Style::slack()));
    let adapters: BTreeMap<_, _> =
        [&ana, &desk].map(|world| (world.channel().clone(), adapter(SimAdapter::over(world.clone())))).into();
    let opened = Opened {
        backend: backend(store.backend()),
        read: Arc::new(store.clone()),
        export: Arc::new(store.clone()),
        kind: Kind::Sqlite,
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (blobs, key) = (folder.path().join("blobs"), crate::harness::key());
    let parts = Parts { opened, adapters, blobs, key, clock, max_batch: 0 };
    let running = build(&config, parts).await.expect("the bridge starts");
    House { running, ana, store, _folder: folder }
}

impl House {
    /// What Ana said, as it is stored.
    async fn said(&self) -> Vec<MessageRow> {
        use deskbridge_store::Read as _;
        let rows = self.store.messages(ConversationId(1), 1, true, 100).await.expect("readable");
        rows.into_iter().filter(|row| matches!(row.author, Author::Requester { .. })).collect()
    }

    async fn texts(&self) -> Vec<String> {
        self.said().await.into_iter().map(|row| row.content.text).collect()
    }
}

/// The memory store, where one event can never be applied.
struct Cursed {
    inner: MemoryBackend,
    cause: &'static str,
}

#[async_trait]
impl Backend for Cursed {
    async fn load(&mut self, keys: &Keys) -> Result<Loaded, StoreError> {
        if keys.causes.iter().any(|cause| cause == self.cause) {
            return Err(StoreError::Corrupt("planned".to_owned()));
        }
        self.inner.load(keys).await
    }

    async fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.inner.commit(changes).await
    }

    async fn rollback(&mut self) {
        self.inner.rollback().await;
    }

    async fn index_search(&mut self, limit: u32) -> Result<u32, StoreError> {
        self.inner.index_search(limit).await
    }
}

/// S29: an event that can never be applied is kept for a person to look at, acknowledged and counted, and holds up neither
/// those that are stored in the same go nor those that come after it.
#[tokio::test(start_paused = true)]
async fn s29_an_event_that_cannot_be_applied_is_set_aside() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let counted = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let house =
        house(|inner| Box::new(Cursed { inner, cause: "in:telegram:s2" }), |adapter| Arc::new(adapter)).await;
    let at = house.ana.direct("ana");
    house.ana.say("ana", &at, "one").await.expect("taken");
    let elsewhere = house.ana.direct("eva");
    let (poison, beside) =
        tokio::join!(house.ana.say("ana", &at, "two"), house.ana.say("eva", &elsewhere, "beside"));
    assert_eq!(poison.expect("acknowledged").event, Some(2));
    beside.expect("taken");
    house.ana.say("ana", &at, "three").await.expect("taken");
    assert_eq!(house.texts().await, ["one", "three"]);
    let read = &house.running.read;
    let kept = read.quarantine(10).await.expect("readable");
    assert_eq!(kept.len(), 1, "{kept:?}");
    let raw = String::from_utf8_lossy(&kept[0].raw);
    assert!(raw.contains("two") && raw.contains("s2"), "{raw}");
    assert!(kept[0].why.contains("planned"), "{}", kept[0].why);
    assert!(counted.render().contains("deskbridge_quarantine_total 1"), "{}", counted.render());
    // Nothing is left for the platform to bring again.
    assert_eq!(house.ana.redeliver_unacknowledged().await, Ok(0));
    house.running.bridge.shutdown().await;
}

/// A simulated platform whose downloads take until they are let go.
struct Slow {
    inner: Arc<SimAdapter>,
    begun: Arc<Notify>,
    go_on: Arc<Notify>,
}

#[async_trait]
impl Adapter for Slow {
    fn channel(&self) -> &deskbridge_contract::ChannelName {
        self.inner.channel()
    }

    fn capabilities(&self, at: &Address) -> &Capabilities {
        self.inner.capabilities(at)
    }

    fn resend(&self, kind: OperationKind) -> Resend {
        self.inner.resend(kind)
    }

    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    fn intake(self: Arc<Self>, inbox: Inbox) -> Intake {
        self.inner.clone().intake(inbox)
    }

    async fn send(&self, out: &Outbound) -> Result<Sent, SendError> {
        self.inner.send(out).await
    }

    async fn find(&self, out: &Outbound) -> Result<Option<Sent>, SendError> {
        self.inner.find(out).await
    }

    async fn fetch(&self, file: &RemoteFileId) -> Result<ByteStream, SendError> {
        self.begun.notify_one();
        self.go_on.notified().await;
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

/// F37, L9: a file is copied while its message is edited: the newer words stay, and so does the copy.
#[tokio::test(start_paused = true)]
async fn an_edit_while_files_are_copied_stays() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (beginning, going) = (begun.clone(), go_on.clone());
    let house = house(
        |inner| Box::new(inner),
        move |adapter| {
            let (begun, go_on) = (beginning.clone(), going.clone());
            Arc::new(Slow { inner: Arc::new(adapter), begun, go_on })
        },
    )
    .await;
    let at = house.ana.direct("ana");
    house.ana.say("ana", &at, "I want to talk to a human").await.expect("taken");
    let file = house.ana.upload("screen.txt", "text/plain", "what the screen says");
    let content = Content { attachments: vec![file], ..Content::text("it is a mistery") };
    let posted = house.ana.post("ana", &at, content, None).await.expect("taken");
    begun.notified().await;
    let message = posted.message.expect("a message");
    house.ana.edit("ana", &at, &message, "it is a mystery").await.expect("taken");
    go_on.notify_one();
    let copied = |row: &MessageRow| {
        row.content.attachments.iter().any(|file| matches!(file.source, AttachmentSource::Blob { .. }))
    };
    let stored = tokio::time::timeout(std::time::Duration::from_secs(30), async {
        loop {
            if let Some(row) = house.said().await.into_iter().find(copied) {
                return row;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    });
    let stored = stored.await.expect("the copy is stored");
    assert_eq!(stored.content.text, "it is a mystery");
    assert_eq!(house.texts().await, ["I want to talk to a human", "it is a mystery"]);
    house.running.bridge.shutdown().await;
}

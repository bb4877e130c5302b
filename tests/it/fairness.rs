//! One room in trouble is nobody else's trouble (W1d, D34): in virtual time, where a wait is as long as it is said to be.
//!
//! Not here: what it costs on a real machine (`bench relay`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use deskbridge::app::{Parts, build_with};
use deskbridge_contract::{
    Adapter, Address, ByteStream, Capabilities, ChannelName, Health, Inbox, Intake, Limits, OperationKind,
    Outbound, RemoteFileId, RemoteUserId, Resend, SendError, Sent,
};
use deskbridge_sim::{Fault, On, SimAdapter, Style, World};
use deskbridge_store::memory::Memory;
use deskbridge_store::open::{Kind, Opened};

use crate::harness::{Town, config, virtual_clock, with_bob};

const PEOPLE: usize = 12;
/// Who waits for one room at a time.
const CROWD: usize = 20;
const ROUNDS: usize = 2;

/// Everybody has a conversation with Bob; the thread of each in the desk.
async fn everybody_assigned(requesters: &World, desk: &World, people: usize) -> Vec<Address> {
    for who in 0..people {
        let user = format!("u{who}");
        requesters.say(&user, &requesters.direct(&user), "I want to talk to a human").await.expect("taken");
    }
    // Shorter than any clock of a conversation.
    tokio::time::sleep(Duration::from_secs(200)).await;
    let room = desk.room("desk");
    let threads = desk.threads(&room);
    let of = |who: usize| {
        let thread = threads.iter().find(|thread| thread.title.requester == format!("U{who}"));
        room.thread(thread.unwrap_or_else(|| panic!("no thread of u{who}: {threads:#?}")).id.as_str())
    };
    (0..people).map(of).collect()
}

/// When each answer was there, in every room but the first, from when the round began.
async fn arrivals(channel: &str, trouble: Option<Fault>) -> Vec<Duration> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let town = Town::build_with(&with_bob(channel, folder.path()), None).await;
    let (requesters, desk) = (town.world(channel), town.world("slack"));
    let threads = everybody_assigned(requesters, desk, PEOPLE).await;
    if let Some(fault) = trouble {
        requesters.fail_always(On::room(requesters.direct("u0").room.0), fault);
    }
    let mut all = Vec::new();
    for round in 0..ROUNDS {
        let began = (town.clock)();
        for (who, thread) in threads.iter().enumerate() {
            desk.say("bob", thread, &format!("answer {round} to {who}.")).await.expect("taken");
        }
        tokio::time::sleep(Duration::from_secs(40)).await;
        for who in 1..PEOPLE {
            let at = requesters.direct(&format!("u{who}"));
            let wanted = format!("answer {round} to {who}.");
            let said = requesters.messages(&at).into_iter().find(|it| it.content.text.contains(&wanted));
            let said = said.unwrap_or_else(|| panic!("{channel}: “{wanted}” did not arrive"));
            all.push(said.at.since(began));
        }
    }
    all
}

/// Whatever a room does with what is sent to it: the others have theirs when they would have.
async fn nobody_else_waits(channel: &str) {
    let well = arrivals(channel, None).await;
    let second = Duration::from_secs(1);
    for trouble in [
        Fault::Retry { after: Some(second) },
        Fault::Retry { after: Some(3600 * second) },
        Fault::Hang { effect: false },
        Fault::Ambiguous { effect: false },
    ] {
        let ill = arrivals(channel, Some(trouble.clone())).await;
        for (nth, (well, ill)) in well.iter().zip(&ill).enumerate() {
            let late = ill.saturating_sub(*well);
            assert!(late < Duration::from_millis(50), "{channel}, {trouble:?}: {nth} is {late:?} late");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_telegram_chat_in_trouble_keeps_nobody_else_waiting() {
    nobody_else_waits("telegram-paced").await;
}

#[tokio::test(start_paused = true)]
async fn a_slack_room_in_trouble_keeps_nobody_else_waiting() {
    nobody_else_waits("slack-paced").await;
}

#[tokio::test(start_paused = true)]
async fn a_discord_room_in_trouble_keeps_nobody_else_waiting() {
    nobody_else_waits("discord-paced").await;
}

#[tokio::test(start_paused = true)]
async fn a_teams_chat_in_trouble_keeps_nobody_else_waiting() {
    nobody_else_waits("teams-paced").await;
}

#[tokio::test(start_paused = true)]
async fn a_widget_in_trouble_keeps_nobody_else_waiting() {
    nobody_else_waits("widget").await;
}

/// A simulated adapter that counts how often it is asked what it can do: once and more for everything that is drawn.
struct Counting {
    inner: Arc<SimAdapter>,
    asked: Arc<AtomicUsize>,
}

#[async_trait]
impl Adapter for Counting {
    fn channel(&self) -> &ChannelName {
        self.inner.channel()
    }
    fn capabilities(&self, at: &Address) -> &Capabilities {
        self.asked.fetch_add(1, Ordering::Relaxed);
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
        self.inner.fetch(file).await
    }
    async fn open_direct(&self, user: &RemoteUserId) -> Result<Address, SendError> {
        self.inner.open_direct(user).await
    }
    async fn probe(&self) -> Result<Health, SendError> {
        self.inner.probe().await
    }
}

/// Everybody who waits for one room wakes each time it may be written to again. Only whoever goes is read and drawn: the
/// work is that of what is sent, and not that of everybody who waits, every second anew.
#[tokio::test(start_paused = true)]
async fn what_waits_for_a_room_costs_nothing_meanwhile() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (clock, store) = (virtual_clock(), Memory::new());
    let world = |name: &str, style: Style| {
        let world = World::new(ChannelName::from(name), style);
        world.set_clock(clock.clone());
        world
    };
    let (requesters, desk) = (world("telegram", Style::telegram()), world("slack", Style::slack()));
    let asked = Arc::new(AtomicUsize::new(0));
    let counting =
        Counting { inner: Arc::new(SimAdapter::over(desk.clone()).with_limits()), asked: asked.clone() };
    let adapters: BTreeMap<ChannelName, Arc<dyn Adapter>> = BTreeMap::from([
        (desk.channel().clone(), Arc::new(counting) as _),
        (requesters.channel().clone(), Arc::new(SimAdapter::over(requesters.clone())) as _),
    ]);
    let opened = Opened {
        backend: Box::new(store.backend()),
        read: Arc::new(store.clone()),
        export: Arc::new(store.clone()),
        kind: Kind::Sqlite,
    };
    let (blobs, key) = (folder.path().join("blobs"), crate::harness::key());
    let parts = Parts { opened, adapters, blobs, key, clock: clock.clone(), max_batch: 0 };
    let _running = build_with(&config(&with_bob("telegram", folder.path())), parts, None)
        .await
        .expect("the bridge starts");
    everybody_assigned(&requesters, &desk, CROWD).await;
    let ask = async |who: usize| {
        let user = format!("u{who}");
        requesters.say(&user, &requesters.direct(&user), "does it take long?").await.expect("taken");
    };
    let before = asked.load(Ordering::Relaxed);
    ask(0).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let alone = asked.load(Ordering::Relaxed) - before;
    for who in 1..CROWD {
        ask(who).await;
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    let drawn = asked.load(Ordering::Relaxed) - before;
    let room = desk.room("desk");
    let said =
        desk.threads(&room).into_iter().flat_map(|thread| desk.messages(&room.thread(thread.id.as_str())));
    assert_eq!(said.filter(|it| it.content.text.contains("does it take long?")).count(), CROWD);
    assert!(alone > 0 && drawn <= 2 * CROWD * alone, "{drawn} drawings for {CROWD} posts, {alone} for one");
}

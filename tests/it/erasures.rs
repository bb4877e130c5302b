//! An erasure that is cut, wherever that is, is finished by whoever finds it; of several nodes one does it (S111, I17).
//!
//! Not here: what is erased (the store's suite, `e2e/erasure.rs`), cuts by chance (`simulation`, `e2e/kill9.rs`).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use deskbridge::runtime::erasure::ErasureError;
use deskbridge_contract::{Content, Timestamp};
use deskbridge_conversation::{Answer, ConversationId, Effect, RequesterId, TechnicianId};
use deskbridge_services::assistant::{Assistant, Progress, Reply, Request};
use deskbridge_store::backend::{Backend, Changes, Keys, Loaded};
use deskbridge_store::open::{Kind, OpenOptions, Opened, open};
use deskbridge_store::read::ConversationFilter;
use deskbridge_store::rows::{DeliveryState, KeptRow, OutboxRow};
use deskbridge_store::{Read, StoreError};
use tokio::sync::Notify;

use crate::e2e::bridge::Database;
use crate::harness::Town;

/// In the id, the name, the rooms, the words and the file of the one who is erased.
const CANARY: &str = "canary";

const CONFIG: &str = r#"
[assistant]
engine = "off"
[desk]
undo_window = "0s"
[channels.telegram]
adapter = "sim"
[channels.slack]
adapter = "sim"
requesters = false
[channels.slack.desk]
room = "desk"
[[technicians]]
name = "Ana"
"#;

fn person() -> RequesterId {
    RequesterId(format!("telegram:{CANARY}7"))
}

/// A store that goes away so many commits after an erasure was begun, and does not come back: what a crash leaves is what was
/// committed.
struct Dying {
    inner: Box<dyn Backend>,
    left: Arc<AtomicI64>,
    begun: bool,
}

impl Dying {
    fn new(inner: impl Backend + 'static, left: &Arc<AtomicI64>) -> Box<Dying> {
        Box::new(Dying { inner: Box::new(inner), left: left.clone(), begun: false })
    }

    fn gone(&self) -> Result<(), StoreError> {
        if self.left.load(Ordering::SeqCst) <= 0 {
            return Err(StoreError::Unavailable("planned".to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl Backend for Dying {
    async fn load(&mut self, keys: &Keys) -> Result<Loaded, StoreError> {
        self.gone()?;
        self.inner.load(keys).await
    }

    async fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.gone()?;
        self.begun |= changes.swapped.iter().any(|(_, row)| row.kind == KeptRow::ERASURE);
        self.left.fetch_sub(i64::from(self.begun), Ordering::SeqCst);
        self.inner.commit(changes).await
    }

    async fn rollback(&mut self) {
        self.inner.rollback().await;
    }

    async fn index_search(&mut self, limit: u32) -> Result<u32, StoreError> {
        self.gone()?;
        self.inner.index_search(limit).await
    }

    async fn scrub(&mut self) -> Result<(), StoreError> {
        self.gone()?;
        self.inner.scrub().await
    }
}

/// Somebody who is waited for by people, with a file and something that nobody could read.
async fn lived(town: &Town) {
    let world = town.world("telegram");
    let who = format!("{CANARY}7");
    let at = world.direct(&who);
    world.say(&who, &at, &format!("my {CANARY} needs a human")).await.expect("taken");
    let file = world.upload(&format!("{CANARY}.txt"), "text/plain", "sings");
    let content =
        Content { attachments: vec![file], ..Content::text(format!("the {CANARY} looks like this")) };
    world.post(&who, &at, content, None).await.expect("taken");
    let inbox = &town.running().bridge.writer;
    let raw = format!("{{\"from\":\"{CANARY}7\"}}").into_bytes();
    let (channel, why) = ("telegram".into(), "odd".to_owned());
    inbox.admin(deskbridge_store::Admin::Quarantine { channel, raw, why }).await.expect("stored");
    let read = town.running().read.clone();
    until("the file is copied and the ticket is there", async || {
        let copied = !read.blobs_of(ConversationId(1)).await.expect("read").is_empty();
        let open = read.open_outbox_of(ConversationId(1)).await.expect("read");
        copied && open.is_empty() && read.ticket_of(ConversationId(1)).await.expect("read").is_some()
    })
    .await;
}

async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    for _ in 0..6_000 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never: {what}");
}

async fn work(read: &dyn Read) -> Vec<KeptRow> {
    read.kept(KeptRow::ERASURE, "").await.expect("read")
}

async fn is_known(read: &dyn Read) -> bool {
    let filter =
        ConversationFilter { requester: Some(person().0), limit: 1, ..ConversationFilter::default() };
    !read.conversations(&filter).await.expect("read").is_empty()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

async fn end(town: &mut Town) {
    if let Some(running) = town.running.take() {
        running.bridge.shutdown().await;
    }
}

/// Lines of the export that name them or repeat their words.
fn named(export: &str) -> Vec<&str> {
    export.lines().filter(|line| line.to_lowercase().contains(CANARY)).collect()
}

#[tokio::test(start_paused = true)]
async fn s111_an_erasure_that_is_cut_goes_on_by_itself() {
    let mut cuts = 0;
    for commits in 1.. {
        let mut town = Town::build_with(CONFIG, None).await;
        lived(&town).await;
        assert!(!named(&town.exported().await).is_empty() && !files(&town.blobs()).is_empty());
        end(&mut town).await;
        let left = Arc::new(AtomicI64::new(i64::MAX));
        town.next = Some(Opened {
            backend: Dying::new(town.store.backend(), &left),
            read: Arc::new(town.store.clone()),
            export: Arc::new(town.store.clone()),
            kind: Kind::Sqlite,
        });
        town.start().await;
        left.store(commits, Ordering::SeqCst);
        let erased = town.running().bridge.erase(&person(), None, "token:t1").await;
        left.store(0, Ordering::SeqCst);
        end(&mut town).await;
        let is_done = matches!(&erased, Ok(Some(erased)) if erased.overwritten);
        cuts += i32::from(!is_done);
        // The next run is asked nothing.
        town.start().await;
        let read = town.running().read.clone();
        until("it is finished", async || work(read.as_ref()).await.is_empty()).await;
        assert!(!is_known(read.as_ref()).await, "cut after {commits}");
        let channel = town.world("telegram");
        for number in 1..=channel.events().len() as u64 {
            let _ = channel.redeliver(number).await;
        }
        tokio::time::sleep(Duration::from_secs(600)).await;
        let export = town.exported().await;
        assert_eq!(named(&export), Vec::<&str>::new(), "cut after {commits}");
        assert!(export.contains("erased a requester"), "cut after {commits}: it stands in the audit trail");
        assert_eq!(files(&town.blobs()), Vec::<PathBuf>::new(), "cut after {commits}");
        let desk = town.world("slack");
        let mut shown: Vec<_> = desk.messages(&desk.room("desk"));
        for thread in desk.threads(&desk.room("desk")) {
            let title = format!("{:?}", thread.title).to_lowercase();
            assert!(!title.contains(CANARY), "cut after {commits}: {title}");
            shown.extend(desk.messages(&desk.room("desk").thread(thread.id.0)));
        }
        // What it said before an edit, nobody sees any more.
        let there = shown.iter().filter(|said| !said.deleted);
        let there = there.map(|said| format!("{:?} {:?} {:?}", said.author, said.content, said.files));
        let named: Vec<String> = there.filter(|said| said.to_lowercase().contains(CANARY)).collect();
        assert!(named.is_empty(), "cut after {commits}: {named:#?}");
        end(&mut town).await;
        if is_done {
            break;
        }
    }
    assert!(cuts > 8, "{cuts} cuts prove little");
}

/// What nothing was written down of was not begun: it is asked for again.
#[tokio::test(start_paused = true)]
async fn s111_what_was_not_begun_is_not_done() {
    let mut town = Town::prepared(CONFIG, None);
    let left = Arc::new(AtomicI64::new(i64::MAX));
    town.next = Some(Opened {
        backend: Dying::new(town.store.backend(), &left),
        read: Arc::new(town.store.clone()),
        export: Arc::new(town.store.clone()),
        kind: Kind::Sqlite,
    });
    town.start().await;
    lived(&town).await;
    let bridge = town.running().bridge.clone();
    left.store(0, Ordering::SeqCst);
    assert!(bridge.erase(&person(), None, "").await.is_err());
    left.store(i64::MAX, Ordering::SeqCst);
    assert!(work(bridge.read.as_ref()).await.is_empty() && is_known(bridge.read.as_ref()).await);
    let erased = bridge.erase(&person(), None, "").await.expect("now").expect("they are known");
    assert_eq!((erased.conversations, erased.files), (1, 1));
    assert!(
        bridge.erase(&person(), None, "").await.expect("asked").is_none(),
        "nobody is known by that name"
    );
    end(&mut town).await;
}

/// An engine that is asked for a summary and never comes to an end with it.
struct Endless {
    begun: Arc<Notify>,
    given_up: Arc<AtomicI64>,
}

struct GivenUp(Arc<AtomicI64>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Assistant for Endless {
    async fn answer(&self, _request: &Request, _progress: &dyn Progress) -> Reply {
        Reply { answer: Answer::Failed { why: "off".to_owned() }, content: None }
    }

    async fn summarise(&self, _request: &Request) -> String {
        let _words = GivenUp(self.given_up.clone());
        self.begun.notify_one();
        std::future::pending().await
    }

    async fn suggest(&self, _request: &Request, _to: &TechnicianId) -> Option<Content> {
        None
    }
}

/// What is worked out for somebody is given up when they are erased, and nobody goes on with their words.
#[tokio::test(start_paused = true)]
async fn s111_what_is_worked_out_for_them_is_given_up() {
    let (begun, given_up) = (Arc::new(Notify::new()), Arc::new(AtomicI64::new(0)));
    let engine = Endless { begun: begun.clone(), given_up: given_up.clone() };
    let mut town = Town::build_with(CONFIG, Some(Arc::new(engine))).await;
    let who = format!("{CANARY}7");
    let world = town.world("telegram");
    world.say(&who, &world.direct(&who), &format!("my {CANARY} needs a human")).await.expect("taken");
    begun.notified().await;
    let bridge = town.running().bridge.clone();
    bridge.erase(&person(), None, "").await.expect("erased").expect("known");
    until("it is given up", async || given_up.load(Ordering::SeqCst) == 1).await;
    let rows = bridge.read.deliveries(ConversationId(1)).await.expect("read");
    let of_summary = |row: &&OutboxRow| matches!(row.effect, Effect::Summarise { .. });
    let states: Vec<DeliveryState> = rows.iter().filter(of_summary).map(|row| row.state).collect();
    assert_eq!(states, [DeliveryState::Cancelled]);
    end(&mut town).await;
}

/// A clock that the test moves, over the one on the wall.
fn moved(by: &Arc<AtomicI64>) -> deskbridge_store::writer::Clock {
    let (wall, by) = (deskbridge::app::clock(), by.clone());
    Arc::new(move || Timestamp(wall().0 + by.load(Ordering::SeqCst)))
}

/// A node that was cut holds its work for a while; then one of the others does it, and only one.
#[tokio::test]
async fn pg_s111_one_node_goes_on() {
    let Some(database) = Database::create().await else { return };
    let (left, ahead) = (Arc::new(AtomicI64::new(i64::MAX)), Arc::new(AtomicI64::new(0)));
    let node = async |left: Option<Arc<AtomicI64>>| {
        let mut town = Town::prepared(CONFIG, None);
        let mut opened = open(&database.url, OpenOptions::default()).await.expect("opened");
        if let Some(left) = left {
            opened.backend = Box::new(Dying { inner: opened.backend, left, begun: false });
        }
        town.next = Some(opened);
        town.clock = moved(&ahead);
        town.start().await;
        town
    };
    let mut first = node(Some(left.clone())).await;
    lived(&first).await;
    left.store(3, Ordering::SeqCst);
    assert!(first.running().bridge.erase(&person(), None, "token:t1").await.is_err());
    left.store(0, Ordering::SeqCst);
    let (mut second, mut third) = (node(None).await, node(None).await);
    let erase = |town: &Town| {
        let bridge = town.running().bridge.clone();
        async move { bridge.erase(&person(), None, "token:t2").await }
    };
    let refused = erase(&second).await;
    assert!(matches!(refused, Err(ErasureError::Elsewhere)), "{refused:?}");
    assert_eq!(work(second.running().read.as_ref()).await.len(), 1);
    // The first does not come back.
    ahead.store(400 * 1_000_000, Ordering::SeqCst);
    let (one, other) = tokio::join!(erase(&second), erase(&third));
    let done = [&one, &other].into_iter().filter(|done| matches!(done, Ok(Some(_)))).count();
    let rest = [&one, &other].into_iter().all(|done| matches!(done, Ok(_) | Err(ErasureError::Elsewhere)));
    // None of the two where a node's own look at what is left was faster.
    assert!(done <= 1 && rest, "{one:?} {other:?}");
    let read = third.running().read.clone();
    until("it is finished", async || work(read.as_ref()).await.is_empty()).await;
    assert!(!is_known(read.as_ref()).await);
    let audit: Vec<_> = read.audit(100).await.expect("read");
    let told = audit.iter().filter(|row| row.act == "erased a requester").count();
    assert_eq!(told, 1, "{audit:#?}");
    let mut export = Vec::new();
    third.running().export.export(&mut export).await.expect("exported");
    let export = String::from_utf8(export).expect("text");
    assert_eq!(named(&export), Vec::<&str>::new());
    for town in [&mut first, &mut second, &mut third] {
        end(town).await;
    }
}

//! What happens while one of several parts is on its way to the platform.
//!
//! Not here: what the platform makes of a part (`parts`).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use deskbridge_contract::Mark;
use deskbridge_conversation::RequesterId;
use deskbridge_sim::{Fault, World};
use deskbridge_store::StoreError;
use deskbridge_store::backend::{Backend, Changes, Keys, Loaded};
use deskbridge_store::memory::Memory;
use deskbridge_store::open::{Kind, Opened};
use deskbridge_store::rows::DeliveryState;

use super::pair::{Pair, assert_whole, long_text};
use super::{CLASSES, fail_part};

/// Whether the platform was asked to show this part.
fn was_tried(world: &World, part: usize) -> bool {
    world.attempts().iter().any(|attempt| attempt.delivery.0.ends_with(&format!("#{part}")))
}

impl Pair {
    /// The second part is on its way, here or there.
    async fn is_on_its_way(&self, world: &World) {
        self.until("it is on its way", |_| world.held() == 1).await;
    }

    /// It arrives after all.
    async fn arrives(&self, world: &World) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.release();
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.at_rest().await;
    }
}

/// A store that is away for a moment when a row that was begun, and has a part, is put back.
struct Hiccup {
    inner: Box<dyn Backend>,
    left: Arc<AtomicI64>,
}

#[async_trait]
impl Backend for Hiccup {
    async fn load(&mut self, keys: &Keys) -> Result<Loaded, StoreError> {
        self.inner.load(keys).await
    }

    async fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let mut updates = changes.outbox_updates.iter();
        let put_back = updates.any(|row| row.state == DeliveryState::Queued && !row.shown.is_empty());
        if put_back && self.left.fetch_sub(1, Ordering::SeqCst) > 0 {
            return Err(StoreError::Unavailable("planned".to_owned()));
        }
        self.inner.commit(changes).await
    }

    async fn rollback(&mut self) {
        self.inner.rollback().await;
    }

    async fn index_search(&mut self, limit: u32) -> Result<u32, StoreError> {
        self.inner.index_search(limit).await
    }

    async fn scrub(&mut self) -> Result<(), StoreError> {
        self.inner.scrub().await
    }
}

/// The store is away just when the rest of a message is put back to wait for its turn.
#[tokio::test(start_paused = true)]
async fn s43_the_rest_stays_in_its_lane_while_the_store_is_away() {
    let mut pair = Pair::assigned("telegram-paced").await;
    pair.at_rest().await;
    let running = pair.town.running.take().expect("the bridge runs");
    running.bridge.stop.cancel();
    pair.town.store = Memory::of(pair.town.store.snapshot());
    let (left, store) = (Arc::new(AtomicI64::new(3)), pair.town.store.clone());
    let backend = Hiccup { inner: Box::new(store.backend()), left: left.clone() };
    pair.town.next = Some(Opened {
        backend: Box::new(backend),
        read: Arc::new(store.clone()),
        export: Arc::new(store),
        kind: Kind::Sqlite,
    });
    pair.town.start().await;
    pair.answer(&long_text()).await;
    pair.until("it is delivered", |pair| pair.mark() == Some(Mark::Delivered)).await;
    assert!(left.load(Ordering::SeqCst) <= 0, "the store was away");
    pair.at_rest().await;
    assert_whole("away", &pair.answered());
    assert_eq!(pair.notices("twice"), 0, "there was no doubt about any part");
}

/// S111: of a long text that was being shown to the desk, nothing stays there.
#[tokio::test(start_paused = true)]
async fn s111_an_erasure_between_parts_leaves_none_of_them() {
    let pair = Pair::assigned("telegram").await;
    fail_part(pair.desk(), 1, Fault::Slow);
    let thread = pair.thread();
    pair.ask(&long_text()).await;
    pair.is_on_its_way(pair.desk()).await;
    assert_eq!(pair.parts(&thread, pair.desk()).len(), 1, "the first one is there");
    let ana = RequesterId("telegram:ana".to_owned());
    let bridge = pair.town.running().bridge.clone();
    let erased = tokio::spawn(async move { bridge.erase(&ana, None, "token:t1").await });
    pair.arrives(pair.desk()).await;
    erased.await.expect("no panic").expect("erased").expect("they are known");
    pair.at_rest().await;
    assert_eq!(pair.parts(&thread, pair.desk()), Vec::<String>::new());
    assert!(!was_tried(pair.desk(), 2), "nobody's words are sent any more");
}

/// D14: what its author deletes is not sent to its end first.
#[tokio::test(start_paused = true)]
async fn d14_what_is_deleted_while_a_part_is_on_its_way_is_not_sent_on() {
    for channel in CLASSES {
        let pair = Pair::assigned(channel).await;
        fail_part(pair.home(), 1, Fault::Slow);
        pair.answer(&long_text()).await;
        pair.is_on_its_way(pair.home()).await;
        pair.desk().delete("bob", &pair.thread(), &pair.said().id).await.expect("taken");
        pair.arrives(pair.home()).await;
        assert_eq!(pair.answered(), Vec::<String>::new(), "{channel}");
        assert!(!was_tried(pair.home(), 2), "{channel}");
    }
}

/// The same of words that an edit makes a note; the desk that reads them has all of them.
#[tokio::test(start_paused = true)]
async fn d14_what_becomes_a_note_while_a_part_is_on_its_way_is_not_sent_on() {
    for channel in CLASSES {
        let pair = Pair::assigned(channel).await;
        fail_part(pair.home(), 1, Fault::Slow);
        pair.answer(&long_text()).await;
        pair.is_on_its_way(pair.home()).await;
        let note = format!("note: for us alone, {}", long_text());
        pair.desk().edit("bob", &pair.thread(), &pair.said().id, &note).await.expect("taken");
        pair.arrives(pair.home()).await;
        assert_eq!(pair.answered(), Vec::<String>::new(), "{channel}");
        assert!(!was_tried(pair.home(), 2), "{channel}");
    }
}

/// What nobody took back arrives whole, however long a part takes.
#[tokio::test(start_paused = true)]
async fn s43_a_slow_part_is_followed_by_the_rest() {
    for channel in CLASSES {
        let pair = Pair::assigned(channel).await;
        fail_part(pair.home(), 1, Fault::Slow);
        pair.answer(&long_text()).await;
        pair.is_on_its_way(pair.home()).await;
        pair.arrives(pair.home()).await;
        assert_whole(channel, &pair.answered());
    }
}

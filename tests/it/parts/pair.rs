//! Ana, who asks on one channel, and Bob, who answers in a desk: what each was shown of a long message.
//!
//! Not here: what goes wrong between them.

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::{Address, Mark};
use deskbridge_services::assistant::Assistant;
use deskbridge_sim::{Message, World};
use deskbridge_store::memory::Memory;

use crate::harness::{Town, with_bob};

/// Words of a long message; six characters each.
pub(super) const WORDS: usize = 1_500;
/// Whatever is waited for is there by then; shorter than the clocks of a conversation.
const PATIENCE: Duration = Duration::from_secs(280);

pub(super) fn long_text() -> String {
    let words: Vec<String> = (0..WORDS).map(|n| format!("w{n:04}")).collect();
    words.chunks(40).map(|chunk| chunk.join(" ")).collect::<Vec<_>>().join("\n\n")
}

/// Ana, who asks on one channel, and Bob, who answers in a desk.
pub(super) struct Pair {
    pub(super) town: Town,
    requesters: String,
    _folder: tempfile::TempDir,
}

impl Pair {
    pub(super) async fn on(requesters: &str, engine: Option<Arc<dyn Assistant>>) -> Pair {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let town = Town::build_with(&with_bob(requesters, folder.path()), engine).await;
        Pair { town, requesters: requesters.to_owned(), _folder: folder }
    }

    /// Bob has Ana's conversation.
    pub(super) async fn assigned(requesters: &str) -> Pair {
        let pair = Pair::on(requesters, None).await;
        pair.ask("I want to talk to a human").await;
        pair.until("Bob has it", |pair| {
            pair.texts(&pair.ana(), pair.home()).iter().any(|text| text.contains("Bob** has joined"))
                && !pair.desk().threads(&pair.desk().room("desk")).is_empty()
        })
        .await;
        pair
    }

    pub(super) fn home(&self) -> &World {
        self.town.world(&self.requesters)
    }

    pub(super) fn desk(&self) -> &World {
        self.town.world("slack")
    }

    pub(super) fn ana(&self) -> Address {
        self.home().direct("ana")
    }

    pub(super) fn thread(&self) -> Address {
        let room = self.desk().room("desk");
        let threads = self.desk().threads(&room);
        self.desk().room("desk").thread(threads.last().expect("a thread").id.as_str())
    }

    pub(super) async fn ask(&self, text: &str) {
        self.home().say("ana", &self.ana(), text).await.expect("taken");
    }

    pub(super) async fn answer(&self, text: &str) {
        self.desk().say("bob", &self.thread(), text).await.expect("taken");
    }

    /// Bob's last message.
    pub(super) fn said(&self) -> Message {
        let said = self.desk().messages(&self.thread());
        said.into_iter().rev().find(|message| !message.is_by_bridge()).expect("Bob's words")
    }

    pub(super) fn texts(&self, at: &Address, world: &World) -> Vec<String> {
        let there =
            world.messages(at).into_iter().filter(|message| message.is_by_bridge() && !message.deleted);
        there.map(|message| message.content.text).collect()
    }

    /// Of a long message, the parts that are there, in order.
    pub(super) fn parts(&self, at: &Address, world: &World) -> Vec<String> {
        let is_part = |text: &String| text.split_whitespace().any(|word| number(word).is_some());
        self.texts(at, world).into_iter().filter(is_part).collect()
    }

    pub(super) fn answered(&self) -> Vec<String> {
        self.parts(&self.ana(), self.home())
    }

    pub(super) fn notices(&self, of: &str) -> usize {
        self.texts(&self.thread(), self.desk()).iter().filter(|text| text.contains(of)).count()
    }

    pub(super) fn mark(&self) -> Option<Mark> {
        self.said().mark
    }

    pub(super) async fn until(&self, what: &str, mut done: impl FnMut(&Pair) -> bool) {
        for _ in 0..PATIENCE.as_millis() / 20 {
            if done(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let all = (self.texts(&self.ana(), self.home()), self.texts(&self.thread(), self.desk()));
        panic!("{}: never: {what}; {all:#?}", self.requesters);
    }

    /// Nothing is left to be sent.
    pub(super) async fn at_rest(&self) {
        let read = self.town.running().read.clone();
        let mut quiet = 0;
        for _ in 0..PATIENCE.as_millis() / 100 {
            let open = read.open_outbox(None, 100).await.expect("readable");
            quiet = if open.is_empty() { quiet + 1 } else { 0 };
            if quiet > 3 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{}: never at rest: {:#?}", self.requesters, read.open_outbox(None, 100).await);
    }

    /// The bridge is gone as it stands; another one begins with what was committed.
    pub(super) async fn crash(&mut self) {
        let running = self.town.running.take().expect("the bridge runs");
        let committed = self.town.store.snapshot();
        running.bridge.stop.cancel();
        self.town.store = Memory::of(committed);
        for world in self.town.worlds.values() {
            world.heal();
            world.cut();
        }
        self.town.start().await;
    }
}

pub(super) fn number(word: &str) -> Option<usize> {
    let digits = word.strip_prefix('w').filter(|digits| digits.len() == 4)?;
    digits.parse().ok()
}

pub(super) fn words(parts: &[String]) -> Vec<usize> {
    parts.iter().flat_map(|part| part.split_whitespace()).filter_map(number).collect()
}

/// Every word once and in order, in parts that say which of how many they are.
#[track_caller]
pub(super) fn assert_whole(what: &str, parts: &[String]) {
    assert_eq!(words(parts), (0..WORDS).collect::<Vec<_>>(), "{what}");
    assert!(parts.len() > 1, "{what}: it should need several");
    for (nth, part) in parts.iter().enumerate() {
        assert!(part.ends_with(&format!("*({}/{})*", nth + 1, parts.len())), "{what}: part {nth}: {part}");
    }
}

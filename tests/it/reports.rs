//! What users of comparable systems reported, each report as a test that is named after its row (`T16` is `t16_…`).
//!
//! Not here: rows about one platform (beside its adapter), conversations as people see them (`scenarios`). Every test
//! plays steps as a talk does, in virtual time, and then looks at the platforms and at the store.

mod allocation;
mod answers;
mod places;
mod relay;
mod repeats;
mod silence;

use deskbridge_contract::Address;
use deskbridge_conversation::{Audience, Conversation, ConversationId, Effect, MessageId};
use deskbridge_sim::Message;
use deskbridge_store::Read as _;
use deskbridge_store::read::ConversationFilter;
use deskbridge_store::rows::{MessageRow, OutboxRow};

use crate::harness::Town;
use crate::scenarios::runner::Play;

/// Requesters on Telegram, the desk on Slack, nothing held back; technicians are added by each test.
const ROOMS: &str = r#"
[channels.telegram]
adapter = "sim"
[channels.slack]
adapter = "sim"
requesters = false
[channels.slack.desk]
room = "desk"
[desk]
undo_window = "0s"
"#;

const BOB: &str = r#"
[[technicians]]
name = "Bob"
identities = ["slack:bob"]
"#;

const CEM: &str = r#"
[[technicians]]
name = "Cem"
identities = ["slack:cem"]
"#;

/// The one before, until they say otherwise.
const OFFLINE: &str = "presence = \"offline\"\n";

/// A talk in progress, with everything that was seen in it.
struct Case {
    play: Play,
    seen: Vec<String>,
}

impl Case {
    async fn begin(parts: &[&str]) -> Case {
        Case { play: Play::begin(&parts.concat()).await, seen: Vec::new() }
    }

    /// Plays the steps, one a line; what was seen in them is in the answer.
    async fn plays(&mut self, steps: &str) -> Seen {
        let mut seen = Vec::new();
        for step in steps.lines().map(str::trim).filter(|step| !step.is_empty()) {
            seen.extend(self.play.step(step).await);
        }
        self.seen.extend(seen.iter().cloned());
        Seen(seen)
    }

    /// Everything that was seen so far.
    fn all(&self) -> Seen {
        Seen(self.seen.clone())
    }

    fn town(&self) -> &Town {
        &self.play.town
    }

    async fn conversations(&self) -> Vec<Conversation> {
        let filter = ConversationFilter { limit: 100, ..ConversationFilter::default() };
        let mut all = self.town().store.conversations(&filter).await.expect("readable");
        all.sort_by_key(|conversation| conversation.id);
        all
    }

    async fn conversation(&self, id: i64) -> Conversation {
        self.town().store.conversation(ConversationId(id)).await.expect("readable").expect("there is one")
    }

    /// Its stored messages, notices included, with their audience.
    async fn messages(&self, id: i64) -> Vec<MessageRow> {
        self.town().store.messages(ConversationId(id), 1, true, 1_000).await.expect("readable")
    }

    /// Public words of a conversation that hold this text.
    async fn public(&self, id: i64, text: &str) -> usize {
        let rows = self.messages(id).await;
        let fits = |row: &&MessageRow| row.audience == Audience::Public && row.content.text.contains(text);
        rows.iter().filter(fits).count()
    }

    async fn outbox(&self, id: i64) -> Vec<OutboxRow> {
        self.town().store.deliveries(ConversationId(id)).await.expect("readable")
    }

    /// How often the assistant was asked.
    async fn turns(&self, id: i64) -> usize {
        let rows = self.outbox(id).await;
        rows.iter().filter(|row| matches!(row.effect, Effect::AskAssistant { .. })).count()
    }

    /// What a requester sees in their private room.
    fn shown_to(&self, person: &str, channel: &str) -> Vec<Message> {
        let world = self.town().world(channel);
        world.messages(&world.direct(person)).into_iter().filter(|message| !message.deleted).collect()
    }

    /// What stands in the n-th thread of a desk room.
    fn thread(&self, channel: &str, n: usize) -> Vec<Message> {
        let world = self.town().world(channel);
        let room = world.room("desk");
        let threads = world.threads(&room);
        let at = Address { thread: Some(threads[n - 1].id.clone()), ..room };
        world.messages(&at)
    }

    async fn ends(self) {
        self.play.end().await;
    }
}

/// Lines as a talk shows them.
struct Seen(Vec<String>);

impl Seen {
    /// Lines that hold all of these words.
    fn count(&self, words: &[&str]) -> usize {
        self.0.iter().filter(|line| words.iter().all(|word| line.contains(word))).count()
    }

    #[track_caller]
    fn once(&self, words: &[&str]) {
        assert_eq!(self.count(words), 1, "{words:?} once in {:#?}", self.0);
    }

    #[track_caller]
    fn never(&self, words: &[&str]) {
        assert_eq!(self.count(words), 0, "{words:?} never in {:#?}", self.0);
    }
}

fn id(conversation: i64, seq: u64, n: u32) -> MessageId {
    MessageId { conversation: ConversationId(conversation), seq, n }
}

//! Slack in the matrix: a direct message, and threads of a channel.
//!
//! Not here: the conversation.

use async_trait::async_trait;
use deskbridge_platforms::slack::{Message, Post, Ts};

use super::super::bridge::Bridge;
use super::super::slack::{Office, Receive};
use super::{Desk, Requester, Said};

pub struct Slack(Office);

impl Slack {
    pub async fn open() -> Slack {
        Slack(Office::open().await)
    }

    fn of_app(&self, channel: &str) -> Vec<Message> {
        self.0.fake.read(|world| self.0.own(world, channel).into_iter().cloned().collect())
    }

    /// The root of the latest conversation's thread.
    fn root(&self) -> Option<Ts> {
        let all = self.of_app(&self.0.desk);
        let card = all.iter().rfind(|message| message.thread.is_none() && !message.buttons().is_empty());
        card.map(|card| card.ts.clone())
    }

    fn there(&self) -> Ts {
        self.root().expect("a conversation has a card")
    }

    fn kept(&self, messages: &[Message]) -> Vec<Vec<u8>> {
        self.0.fake.read(|world| {
            let ids = messages.iter().flat_map(|message| &message.files);
            let kept = |id: &str| world.files.kept.get(&(self.0.acme.team.clone(), id.to_owned()));
            let ids = ids.filter_map(|file| file["id"].as_str());
            ids.filter_map(kept).map(|file| file.bytes.to_vec()).collect()
        })
    }
}

fn words(messages: &[Message]) -> Vec<String> {
    messages.iter().map(Message::shown).collect()
}

#[async_trait(?Send)]
impl Requester for Slack {
    fn section(&self) -> String {
        self.0.channel("slack", Receive::Http)
    }

    async fn connect(&self, bridge: &Bridge) {
        self.0.connect(Receive::Http, bridge, "slack");
    }

    async fn says(&self, text: &str) -> Said {
        self.0.ask(text)
    }

    async fn corrects(&self, said: &Said, text: &str) {
        self.0.acme.edit(&self.0.ana, &self.0.im(), said, text);
    }

    async fn attaches(&self, text: &str) -> Vec<u8> {
        let log = b"the log of a printer\n".repeat(2_000);
        self.0.ask(Post::text(text).file("error.txt", log.clone()));
        log
    }

    async fn shown(&self) -> Vec<String> {
        words(&self.of_app(&self.0.im()))
    }

    async fn files(&self) -> Vec<Vec<u8>> {
        self.kept(&self.of_app(&self.0.im()))
    }

    fn violations(&self) -> Vec<String> {
        self.0.fake.violations()
    }
}

#[async_trait(?Send)]
impl Desk for Slack {
    fn section(&self) -> String {
        Requester::section(self)
    }

    fn desk(&self) -> String {
        self.0.desk_of("slack")
    }

    fn identity(&self) -> Option<String> {
        Some(format!("slack:{}", self.0.bob))
    }

    async fn connect(&self, bridge: &Bridge) {
        Requester::connect(self, bridge).await;
    }

    async fn accepts(&self) -> bool {
        let offered = words(&self.of_app(&self.0.desk)).iter().any(|text| text.contains("yours to accept"));
        let card = self.root().filter(|_| offered);
        if let Some(card) = &card {
            self.0.acme.press(&self.0.bob, &self.0.desk, card, "Accept");
        }
        card.is_some()
    }

    async fn says(&self, text: &str) -> Said {
        self.0.reply(&self.there(), text)
    }

    async fn corrects(&self, said: &Said, text: &str) {
        self.0.acme.edit(&self.0.bob, &self.0.desk, said, text);
    }

    async fn attaches(&self, text: &str) -> Vec<u8> {
        let manual = b"%PDF-1.4 how to pull a lever\n".repeat(2_000);
        self.0.reply(&self.there(), Post::text(text).file("manual.pdf", manual.clone()));
        manual
    }

    async fn resolves(&self) {
        self.0.reply(&self.there(), "!resolve");
    }

    async fn shown(&self) -> Vec<String> {
        words(&self.of_app(&self.0.desk))
    }

    async fn files(&self) -> Vec<Vec<u8>> {
        self.kept(&self.of_app(&self.0.desk))
    }

    fn violations(&self) -> Vec<String> {
        self.0.fake.violations()
    }
}

//! A requester, a technician and their places on the fake, and what is awaited there.
//!
//! Not here: the process (`bridge`).

use std::path::PathBuf;

use deskbridge_platforms::telegram::{FakeTelegram, Message, MessageId, Post, Settings, User, World};

use super::bridge::{Base, Bridge, PATIENCE, Way};

pub const MARIA: i64 = 100;
pub const BOB: i64 = 200;

/// The published descriptions: what the program sends is held against them wherever they can be had (D50).
pub fn specs() -> Option<PathBuf> {
    let given = std::env::var_os("DESKBRIDGE_TEST_SPECS").map(PathBuf::from);
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/specs");
    let found = Some(given.unwrap_or_else(beside)).filter(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("skipped: no API descriptions (DESKBRIDGE_TEST_SPECS is not set)");
    }
    found
}

/// How to start without the platform's pace: twenty messages a minute would be the only thing that is measured.
pub const UNPACED: [&str; 2] = ["bench", "serve"];

pub struct Talk {
    pub fake: FakeTelegram,
    pub desk: i64,
    pub bridge: Bridge,
}

impl Talk {
    /// A running bridge; `None` where the database cannot be had.
    pub async fn start(way: Way, base: Base) -> Option<Talk> {
        let mut talk = Talk::set_up(way, base).await?;
        talk.bridge.start().await;
        Some(talk)
    }

    pub async fn set_up(way: Way, base: Base) -> Option<Talk> {
        // Webhooks are tried again soon, and presses do not expire for that.
        let fake = FakeTelegram::with(Settings { time_scale: 0.1, ..Settings::default() }).await;
        for (id, name) in [(MARIA, "Maria"), (BOB, "Bob")] {
            fake.add_user(User { language_code: Some("en".into()), ..User::named(id, name) });
        }
        if let Some(specs) = specs() {
            fake.check_fields(specs.join("telegram_bot_api.json")).expect("a description of the API");
        }
        let desk = fake.forum("IT desk");
        let bridge = Bridge::set_up(&fake, desk, way, base).await?;
        Some(Talk { fake, desk, bridge })
    }

    pub fn say(&self, post: impl Into<Post>) -> MessageId {
        self.fake.private_message(MARIA, post)
    }

    pub fn reply(&self, topic: i64, post: impl Into<Post>) -> MessageId {
        self.fake.topic_message(BOB, self.desk, topic, post)
    }

    /// Waits for something in the world; a failure tells the log of the process, too.
    pub async fn wait<T>(&self, what: &str, look: impl FnMut(&World) -> Option<T>) -> T {
        match self.fake.wait_for(PATIENCE, look).await {
            Ok(found) => found,
            Err(story) => panic!("no {what}: {story}\nthe log:\n{}", self.bridge.log()),
        }
    }

    pub async fn until(&self, what: &str, mut look: impl FnMut(&World) -> bool) {
        self.wait(what, |world| look(world).then_some(())).await;
    }

    /// A message of the bot with this text in it, to the requester (`None`) or in a topic.
    pub async fn sees(&self, topic: Option<i64>, text: &str) -> Message {
        self.sees_in(self.place(topic), topic, text).await
    }

    pub async fn sees_in(&self, chat: i64, topic: Option<i64>, text: &str) -> Message {
        let bot = self.fake.bot_id();
        self.wait(&format!("“{text}”"), |world| {
            let from_bot = |message: &&Message| message.is_from(bot) && message.text().contains(text);
            world.messages_in(chat, topic).into_iter().rfind(from_bot).cloned()
        })
        .await
    }

    fn place(&self, topic: Option<i64>) -> i64 {
        if topic.is_some() { self.desk } else { MARIA }
    }

    /// How many messages of the bot have this text in them.
    pub fn count(&self, topic: Option<i64>, text: &str) -> usize {
        let (chat, bot) = (self.place(topic), self.fake.bot_id());
        let of_bot = |message: &&Message| message.is_from(bot) && message.text().contains(text);
        self.fake.messages_in(chat, topic).iter().filter(of_bot).count()
    }

    /// From the first words to an accepted conversation; returns the topic.
    pub async fn assigned(&self) -> i64 {
        self.say("I want to talk to a human");
        let topic = self.offered().await;
        let offer = self.sees(Some(topic), "yours to accept").await;
        self.fake.press(BOB, self.desk, offer.id, "Accept");
        self.sees(None, "has joined").await;
        self.sees(Some(topic), "accepted after").await;
        topic
    }

    /// The topic of the latest conversation.
    pub async fn offered(&self) -> i64 {
        let desk = self.desk;
        self.wait("topic", |world| world.topics(desk).last().map(|topic| topic.id)).await
    }

    /// Nothing was done that the platform frowns upon, nothing of the desk fell into the room itself.
    pub fn nothing_amiss(&self) {
        assert_eq!(self.fake.violations(), Vec::<String>::new());
        assert_eq!(self.fake.transcript(self.desk, None), Vec::<String>::new(), "fell into General");
    }
}

//! Telegram in the matrix: a private chat with the bot, and a forum.
//!
//! Not here: the conversation.

use async_trait::async_trait;
use deskbridge_platforms::telegram::{FakeTelegram, Message, Post, Settings, User};

use super::super::bridge::{Way, telegram};
use super::super::talk::{BOB, MARIA};
use super::{Desk, Requester, Said};

pub struct Telegram {
    fake: FakeTelegram,
    room: i64,
}

impl Telegram {
    pub async fn open() -> Telegram {
        let fake = FakeTelegram::with(Settings { time_scale: 0.1, ..Settings::default() }).await;
        for (id, name) in [(MARIA, "Maria"), (BOB, "Bob")] {
            fake.add_user(User { language_code: Some("en".into()), ..User::named(id, name) });
        }
        let room = fake.forum("IT desk");
        Telegram { fake, room }
    }

    fn topic(&self) -> Option<i64> {
        self.fake.read(|world| world.topics(self.room).last().map(|topic| topic.id))
    }

    fn there(&self) -> i64 {
        self.topic().expect("a conversation has a topic")
    }

    fn of_bot(&self, chat: i64, topic: Option<i64>) -> Vec<Message> {
        let bot = self.fake.bot_id();
        let mut all = self.fake.messages_in(chat, topic);
        all.retain(|message| message.is_from(bot));
        all
    }

    fn bytes(&self, messages: &[Message]) -> Vec<Vec<u8>> {
        self.fake.read(|world| {
            let ids = messages.iter().filter_map(|message| message.media().map(|(_, id)| id));
            ids.filter_map(|id| world.files.get(id).map(|file| file.bytes.to_vec())).collect()
        })
    }
}

fn words(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| message.text().to_owned()).collect()
}

#[async_trait(?Send)]
impl Requester for Telegram {
    fn section(&self) -> String {
        telegram(&self.fake, Way::Polling)
    }

    async fn says(&self, text: &str) -> Said {
        self.fake.private_message(MARIA, text).to_string()
    }

    async fn corrects(&self, said: &Said, text: &str) {
        self.fake.edit_message(MARIA, said.parse().expect("a number"), text);
    }

    async fn attaches(&self, text: &str) -> Vec<u8> {
        let log = b"the log of a printer\n".repeat(2_000);
        let post = Post::document("error.txt", "text/plain", log.clone()).caption(text);
        self.fake.private_message(MARIA, post);
        log
    }

    async fn shown(&self) -> Vec<String> {
        words(&self.of_bot(MARIA, None))
    }

    async fn files(&self) -> Vec<Vec<u8>> {
        self.bytes(&self.of_bot(MARIA, None))
    }

    fn violations(&self) -> Vec<String> {
        self.fake.violations()
    }
}

#[async_trait(?Send)]
impl Desk for Telegram {
    fn section(&self) -> String {
        Requester::section(self)
    }

    fn desk(&self) -> String {
        format!("[channels.telegram.desk]\nroom = \"{}\"\n", self.room)
    }

    fn identity(&self) -> Option<String> {
        Some(format!("telegram:{BOB}"))
    }

    async fn accepts(&self) -> bool {
        let Some(topic) = self.topic() else { return false };
        let all = self.of_bot(self.room, Some(topic));
        let Some(offer) = all.iter().rfind(|message| message.text().contains("yours to accept")) else {
            return false;
        };
        self.fake.press(BOB, self.room, offer.id, "Accept");
        true
    }

    async fn says(&self, text: &str) -> Said {
        self.fake.topic_message(BOB, self.room, self.there(), text).to_string()
    }

    async fn corrects(&self, said: &Said, text: &str) {
        self.fake.edit_message(self.room, said.parse().expect("a number"), text);
    }

    async fn attaches(&self, text: &str) -> Vec<u8> {
        let manual = b"%PDF-1.4 how to pull a lever\n".repeat(2_000);
        let post = Post::document("manual.pdf", "application/pdf", manual.clone()).caption(text);
        self.fake.topic_message(BOB, self.room, self.there(), post);
        manual
    }

    async fn resolves(&self) {
        self.fake.topic_message(BOB, self.room, self.there(), "/resolve");
    }

    async fn shown(&self) -> Vec<String> {
        self.topic().map(|topic| words(&self.of_bot(self.room, Some(topic)))).unwrap_or_default()
    }

    async fn files(&self) -> Vec<Vec<u8>> {
        self.bytes(&self.of_bot(self.room, self.topic()))
    }

    fn violations(&self) -> Vec<String> {
        self.fake.violations()
    }
}

//! Discord in the matrix: a direct message with the bot, and posts of a forum.
//!
//! Not here: the conversation.

use async_trait::async_trait;
use deskbridge_platforms::discord::{FakeDiscord, Installed, Message, Post, Snowflake};

use super::super::bridge::{Bridge, PATIENCE};
use super::{Desk, Requester, Said};

pub struct Discord {
    fake: FakeDiscord,
    app: Installed,
    maria: Snowflake,
    bob: Snowflake,
    forum: Snowflake,
}

impl Discord {
    pub async fn open() -> Discord {
        let fake = FakeDiscord::start().await;
        let server = fake.server("Acme");
        let app = server.install("IT Desk");
        let (maria, bob) = (server.user("Maria"), server.user("Bob"));
        let forum = server.forum("it-desk", &[]);
        Discord { fake, app, maria, bob, forum }
    }

    fn home(&self) -> Snowflake {
        self.fake.dm(self.maria, &self.app)
    }

    /// What the app shows there, by its bot or by its webhooks.
    fn own(&self, channel: Snowflake) -> Vec<Message> {
        let mut all = self.fake.messages_in(channel);
        all.retain(|message| ![self.maria, self.bob].contains(&message.author.id()) && !message.deleted);
        all
    }

    /// The latest conversation's post.
    fn post(&self) -> Option<Snowflake> {
        self.fake.threads_of(self.forum).iter().map(|thread| thread.id).max()
    }

    fn there(&self) -> Snowflake {
        self.post().expect("a conversation has a post")
    }

    fn bytes(&self, messages: &[Message]) -> Vec<Vec<u8>> {
        self.fake.read(|world| {
            let ids = messages.iter().flat_map(|message| &message.attachments);
            ids.filter_map(|id| world.files.get(id).map(|file| file.bytes.to_vec())).collect()
        })
    }
}

/// As it is read: bold names are names.
fn words(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| message.said().replace("**", "")).collect()
}

fn id(said: &Said) -> Snowflake {
    Snowflake(said.parse().expect("a number"))
}

#[async_trait(?Send)]
impl Requester for Discord {
    fn section(&self) -> String {
        let (token, api) = (&self.app.token, self.fake.api_url());
        format!("[channels.discord]\nadapter = \"discord\"\ntoken = \"{token}\"\napi_base = \"{api}/\"\n")
    }

    async fn connect(&self, bridge: &Bridge) {
        let connected = self.app.connected(PATIENCE).await;
        assert!(connected.is_ok(), "no connection:\n{}\n{}", self.fake.report(), bridge.log());
    }

    async fn says(&self, text: &str) -> Said {
        self.fake.say(self.maria, self.home(), text).to_string()
    }

    async fn corrects(&self, said: &Said, text: &str) {
        self.fake.edit(self.maria, self.home(), id(said), text);
    }

    async fn attaches(&self, text: &str) -> Vec<u8> {
        let log = b"the log of a printer\n".repeat(2_000);
        self.fake.say(self.maria, self.home(), Post::text(text).file("error.txt", log.clone()));
        log
    }

    async fn shown(&self) -> Vec<String> {
        words(&self.own(self.home()))
    }

    async fn files(&self) -> Vec<Vec<u8>> {
        self.bytes(&self.own(self.home()))
    }

    fn violations(&self) -> Vec<String> {
        self.fake.violations()
    }
}

#[async_trait(?Send)]
impl Desk for Discord {
    fn section(&self) -> String {
        Requester::section(self)
    }

    fn desk(&self) -> String {
        format!("[channels.discord.desk]\nroom = \"{}\"\n", self.forum)
    }

    fn identity(&self) -> Option<String> {
        Some(format!("discord:{}", self.bob))
    }

    async fn connect(&self, bridge: &Bridge) {
        Requester::connect(self, bridge).await;
    }

    async fn accepts(&self) -> bool {
        let Some(post) = self.post() else { return false };
        let all = self.own(post);
        let Some(offer) = all.iter().rfind(|message| message.said().contains("yours to accept")) else {
            return false;
        };
        self.fake.press(self.bob, post, offer.id, "Accept");
        true
    }

    async fn says(&self, text: &str) -> Said {
        self.fake.say(self.bob, self.there(), text).to_string()
    }

    async fn corrects(&self, said: &Said, text: &str) {
        self.fake.edit(self.bob, self.there(), id(said), text);
    }

    async fn attaches(&self, text: &str) -> Vec<u8> {
        let manual = b"%PDF-1.4 how to pull a lever\n".repeat(2_000);
        self.fake.say(self.bob, self.there(), Post::text(text).file("manual.pdf", manual.clone()));
        manual
    }

    async fn resolves(&self) {
        self.fake.say(self.bob, self.there(), "!resolve");
    }

    async fn shown(&self) -> Vec<String> {
        self.post().map(|post| words(&self.own(post))).unwrap_or_default()
    }

    async fn files(&self) -> Vec<Vec<u8>> {
        self.post().map(|post| self.bytes(&self.own(post))).unwrap_or_default()
    }

    fn violations(&self) -> Vec<String> {
        self.fake.violations()
    }
}

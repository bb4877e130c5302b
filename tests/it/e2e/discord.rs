//! The built program against a fake Discord: who is there, what is awaited there.
//!
//! Not here: what is tested, in the files of the folder; the process (`bridge`).

mod doors;
mod faults;
mod life;
mod pairs;
mod refused;
mod rows;
mod surfaces;

use std::time::Duration;

use deskbridge_platforms::discord::{
    Author, FakeDiscord, Installed, Message, Post, Server, Settings, Snowflake, World,
};

use super::bridge::{Base, Bridge, PATIENCE};
use super::talk::specs;

/// A server with a forum, somebody who asks, and somebody who answers.
struct Office {
    fake: FakeDiscord,
    acme: Server,
    app: Installed,
    ana: Snowflake,
    bob: Snowflake,
    /// On the server, and no technician.
    eve: Snowflake,
    forum: Snowflake,
}

impl Office {
    async fn open() -> Office {
        // Deadlines are long: the machine may be busy, and being late is a test of its own.
        let settings = Settings { interaction_deadline: Duration::from_secs(30), ..Settings::default() };
        let fake = FakeDiscord::with(settings).await;
        if let Some(specs) = specs() {
            fake.check_against(specs.join("discord_openapi.json")).expect("a description of the API");
        }
        let acme = fake.server("Acme");
        let app = acme.install("IT Desk");
        let (ana, bob, eve) = (acme.user("Ana"), acme.user("Bob"), acme.user("Eve"));
        let tags = ["Waiting", "Offered", "In progress", "Resolved", "default"];
        let forum = acme.forum("it-desk", &tags);
        Office { fake, acme, app, ana, bob, eve, forum }
    }

    /// Its section of the configuration; `http`: interactions come by HTTP.
    fn channel(&self, http: bool) -> String {
        let (token, api) = (&self.app.token, self.fake.api_url());
        let key = if http { format!("public_key = \"{}\"", self.app.public_key) } else { String::new() };
        format!(
            "[channels.discord]\nadapter = \"discord\"\ntoken = \"{token}\"\napi_base = \"{api}\"\n{key}\n"
        )
    }

    fn desk(&self) -> String {
        format!("[channels.discord.desk]\nroom = \"{}\"\n", self.forum)
    }

    fn dm(&self) -> Snowflake {
        self.fake.dm(self.ana, &self.app)
    }

    fn ask(&self, post: impl Into<Post>) -> Snowflake {
        self.fake.say(self.ana, self.dm(), post)
    }

    fn is_ours(&self, message: &Message) -> bool {
        match &message.author {
            Author::User(id) => *id == self.app.bot,
            Author::Webhook { app, .. } => *app == Some(self.app.id),
        }
    }

    fn own<'w>(&self, world: &'w World, channel: Snowflake) -> Vec<&'w Message> {
        world.messages_in(channel).into_iter().filter(|message| self.is_ours(message)).collect()
    }

    /// How many messages of ours have this text in them.
    fn count(&self, channel: Snowflake, text: &str) -> usize {
        self.fake.read(|world| {
            self.own(world, channel).iter().filter(|message| message.said().contains(text)).count()
        })
    }

    async fn wait<T>(&self, bridge: &Bridge, what: &str, look: impl FnMut(&World) -> Option<T>) -> T {
        match self.fake.wait_for(PATIENCE, look).await {
            Ok(found) => found,
            Err(story) => panic!("no {what}: {story}\nthe log:\n{}", bridge.log()),
        }
    }

    /// The latest message of ours with this text in it.
    async fn sees(&self, bridge: &Bridge, channel: Snowflake, text: &str) -> Message {
        self.wait(bridge, &format!("“{text}”"), |world| {
            self.own(world, channel).into_iter().rfind(|message| message.said().contains(text)).cloned()
        })
        .await
    }

    /// The post of the latest conversation.
    async fn post(&self, bridge: &Bridge) -> Snowflake {
        self.wait(bridge, "post", |world| world.threads_of(self.forum).last().map(|post| post.id)).await
    }

    /// A file of ours with exactly these bytes.
    async fn arrived(&self, bridge: &Bridge, channel: Snowflake, name: &str, bytes: &[u8]) {
        self.wait(bridge, name, |world| {
            let mut ids =
                self.own(world, channel).into_iter().flat_map(|message| message.attachments.clone());
            ids.any(|id| world.files.get(&id).is_some_and(|file| file.bytes == bytes)).then_some(())
        })
        .await;
    }

    /// Nothing was done that the platform frowns upon.
    fn nothing_amiss(&self) {
        assert_eq!(self.fake.violations(), Vec::<String>::new());
    }
}

/// An office with a bridge.
struct Talk {
    office: Office,
    bridge: Bridge,
}

impl std::ops::Deref for Talk {
    type Target = Office;

    fn deref(&self) -> &Office {
        &self.office
    }
}

impl Talk {
    /// Discord on both sides, running. `None` where the database cannot be had.
    async fn start(http: bool, base: Base) -> Option<Talk> {
        Talk::start_with(http, base, "", |text| text).await
    }

    /// The same with more in the configuration, which may be changed before it is read.
    async fn start_with(
        http: bool,
        base: Base,
        more: &str,
        change: impl FnOnce(String) -> String,
    ) -> Option<Talk> {
        Talk::start_in(Office::open().await, http, base, more, change).await
    }

    /// The same in an office where others were let in before.
    async fn start_in(
        office: Office,
        http: bool,
        base: Base,
        more: &str,
        change: impl FnOnce(String) -> String,
    ) -> Option<Talk> {
        let bob = technician("Bob", &format!("discord:{}", office.bob));
        let all = [office.channel(http), office.desk(), bob, more.to_owned()].concat();
        let mut bridge = Bridge::with(&all, base).await?;
        bridge.configure(change);
        bridge.start_as(&super::talk::UNPACED).await;
        let talk = Talk { office, bridge };
        if http {
            let url = talk.bridge.url("/hooks/discord");
            talk.app.enter_endpoint(&url).await.expect("the endpoint is taken");
        }
        talk.until("commands", |world| {
            let commands = &world.app(talk.app.id).commands;
            world.connections(talk.app.id) > 0 && commands.values().any(|all| !all.is_empty())
        })
        .await;
        Some(talk)
    }

    async fn until(&self, what: &str, mut look: impl FnMut(&World) -> bool) {
        self.office.wait(&self.bridge, what, |world| look(world).then_some(())).await;
    }

    async fn sees(&self, channel: Snowflake, text: &str) -> Message {
        self.office.sees(&self.bridge, channel, text).await
    }

    /// Something that only this person was shown.
    async fn whispered(&self, channel: Snowflake, user: Snowflake, text: &str) -> Message {
        self.office
            .wait(&self.bridge, &format!("whisper “{text}”"), |world| {
                world.whispers(channel, user).into_iter().rfind(|it| it.said().contains(text)).cloned()
            })
            .await
    }

    /// A reaction of the bot on a message.
    async fn marked(&self, channel: Snowflake, message: Snowflake, emoji: &str) {
        self.until(emoji, |world| {
            let found = world.message(channel, message);
            found.is_some_and(|it| {
                it.reactions.iter().any(|one| one.emoji == emoji && one.users.contains(&self.app.bot))
            })
        })
        .await;
    }

    /// From the first words to an accepted conversation; its post.
    async fn assigned(&self) -> Snowflake {
        self.ask("I want to talk to a human");
        let post = self.office.post(&self.bridge).await;
        self.sees(post, "yours to accept").await;
        self.fake.press(self.bob, post, post, "Accept");
        self.sees(self.dm(), "has joined").await;
        self.sees(post, "accepted after").await;
        post
    }
}

fn technician(name: &str, identity: &str) -> String {
    format!("[[technicians]]\nname = \"{name}\"\nidentities = [\"{identity}\"]\ncapacity = 100\n")
}

//! The built program against a fake Slack: who is there, what is awaited there.
//!
//! Not here: what is tested, in the files of the folder; the process (`bridge`).

mod agent;
mod apart;
mod doors;
mod emulated;
mod faults;
mod life;
mod mapping;
mod missed;
mod pairs;
mod parts;
mod rows;
mod surfaces;
mod words;

use std::time::Duration;

use deskbridge_platforms::slack::{
    Ephemeral, FakeSlack, Installed, Message, Post, Settings, Ts, Workspace, World,
};
use serde_json::Value;

use super::bridge::{Base, Bridge, PATIENCE, client};
use super::talk::specs;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Receive {
    Http,
    Socket,
}

/// A workspace with a desk channel, somebody who asks, and somebody who answers.
pub(super) struct Office {
    pub(super) fake: FakeSlack,
    pub(super) acme: Workspace,
    pub(super) app: Installed,
    pub(super) ana: String,
    pub(super) bob: String,
    /// In the desk's channel, and no technician.
    pub(super) eve: String,
    pub(super) desk: String,
}

impl Office {
    pub(super) async fn open() -> Office {
        // Retries come soon. Deadlines are long: the machine may be busy, and a second copy is a test of its own.
        let settings = Settings {
            time_scale: 0.002,
            ack_deadline: Duration::from_secs(20),
            trigger_life: Duration::from_secs(60),
            ..Settings::default()
        };
        let fake = FakeSlack::with(settings).await;
        if let Some(specs) = specs() {
            fake.check_fields(specs.join("slack_web_openapi_v2.json")).expect("a description of the API");
        }
        Office::of(&fake, "Acme")
    }

    pub(super) fn of(fake: &FakeSlack, name: &str) -> Office {
        let acme = fake.workspace(name);
        let app = acme.install("IT Desk");
        by_manifest(&app);
        let (ana, bob, eve) = (acme.user("Ana"), acme.user("Bob"), acme.user("Eve"));
        let desk = acme.channel("it-desk", &[&bob, &eve, &app.bot_user]);
        Office { fake: fake.clone(), acme, app, ana, bob, eve, desk }
    }

    /// Its section of the configuration.
    pub(super) fn channel(&self, name: &str, receive: Receive) -> String {
        let (bot, app, secret) = (&self.app.bot_token, &self.app.app_token, &self.app.signing_secret);
        let api = self.fake.api_url();
        let receive = match receive {
            Receive::Http => "http",
            Receive::Socket => "socket",
        };
        format!(
            r#"
            [channels.{name}]
            adapter = "slack"
            bot_token = "{bot}"
            app_token = "{app}"
            signing_secret = "{secret}"
            receive = "{receive}"
            api_base = "{api}/"
            "#
        )
    }

    pub(super) fn desk_of(&self, name: &str) -> String {
        format!("[channels.{name}.desk]\nroom = \"{}\"\n", self.desk)
    }

    /// Where the platform hands things in.
    pub(super) fn connect(&self, receive: Receive, bridge: &Bridge, name: &str) {
        match receive {
            Receive::Http => self.app.post_to(&bridge.url(&format!("/hooks/{name}"))),
            Receive::Socket => self.app.use_sockets(),
        }
    }

    /// The direct message of who asks.
    pub(super) fn im(&self) -> String {
        self.acme.im(&self.ana, &self.app)
    }

    pub(super) fn ask(&self, post: impl Into<Post>) -> Ts {
        self.acme.dm(&self.ana, &self.app, post)
    }

    /// Bob, in the thread of a conversation.
    pub(super) fn reply(&self, root: &str, post: impl Into<Post>) -> Ts {
        self.acme.reply(&self.bob, &self.desk, root, post)
    }

    pub(super) fn own<'w>(&self, world: &'w World, channel: &str) -> Vec<&'w Message> {
        let all = world.all_in(&self.acme.team, channel);
        all.into_iter().filter(|message| message.is_from_app(&self.app.id)).collect()
    }

    /// How many messages of the app have this text in them.
    pub(super) fn count(&self, channel: &str, text: &str) -> usize {
        self.fake.read(|world| {
            self.own(world, channel).iter().filter(|message| message.shown().contains(text)).count()
        })
    }
}

/// The app may, and is told, what our own manifest asks for, and no more.
fn by_manifest(app: &Installed) {
    let manifest = deskbridge_slack::Manifest::new(&deskbridge_slack::Wish::default()).json;
    let named = |at: &str| -> Vec<String> {
        let all = manifest.pointer(at).and_then(Value::as_array).expect("a list in the manifest");
        all.iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
    };
    let (scopes, events) =
        (named("/oauth_config/scopes/bot"), named("/settings/event_subscriptions/bot_events"));
    app.configure(|app| {
        app.scopes = scopes;
        app.subscriptions = events.into_iter().collect();
    });
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
    /// Slack on both sides, not started yet. `None` where the database cannot be had.
    async fn set_up(receive: Receive, base: Base) -> Option<Talk> {
        let office = Office::open().await;
        let technicians = technician("Bob", &format!("slack:{}", office.bob));
        let channels = [office.channel("slack", receive), office.desk_of("slack"), technicians].concat();
        let bridge = Bridge::with(&channels, base).await?;
        office.connect(receive, &bridge, "slack");
        Some(Talk { office, bridge })
    }

    async fn start(receive: Receive) -> Talk {
        let mut talk = Talk::set_up(receive, Base::Sqlite).await.expect("SQLite is always there");
        talk.run().await;
        talk
    }

    /// The platform's pace would be the only thing that is measured: `bench serve` has none.
    async fn run(&mut self) {
        self.bridge.start_as(&super::talk::UNPACED).await;
        if self.fake.read(|world| world.app(&self.acme.team, &self.app.id).socket_mode) {
            self.until("socket", |world| world.sockets_of(&self.app.id) > 0).await;
        }
    }

    async fn wait<T>(&self, what: &str, look: impl FnMut(&World) -> Option<T>) -> T {
        waited(&self.fake, &self.bridge, what, look).await
    }

    async fn until(&self, what: &str, mut look: impl FnMut(&World) -> bool) {
        self.wait(what, |world| look(world).then_some(())).await;
    }

    /// The latest message of the app with this text in it, threads included.
    async fn sees(&self, channel: &str, text: &str) -> Message {
        self.wait(&format!("“{text}”"), |world| {
            self.own(world, channel).into_iter().rfind(|message| message.shown().contains(text)).cloned()
        })
        .await
    }

    /// Something that only this person was shown.
    async fn whispered(&self, channel: &str, user: &str, text: &str) -> Ephemeral {
        self.wait(&format!("whisper “{text}”"), |world| {
            let all = world.whispers(&self.acme.team, channel, user);
            all.into_iter().rfind(|whisper| shown(whisper).contains(text)).cloned()
        })
        .await
    }

    /// A reaction of the app on a message.
    async fn marked(&self, channel: &str, ts: &str, name: &str) {
        self.until(&format!(":{name}:"), |world| {
            let message = world.message(&self.acme.team, channel, ts);
            message.is_some_and(|message| message.reacted(name).contains(&self.app.bot_user))
        })
        .await;
    }

    /// The root of the latest conversation's thread: its card.
    async fn card(&self) -> Message {
        self.wait("card", |world| {
            let mut all = self.own(world, &self.desk).into_iter();
            all.rfind(|message| message.thread.is_none() && !message.buttons().is_empty()).cloned()
        })
        .await
    }

    /// From the first words to an accepted conversation; the root of its thread.
    async fn assigned(&self) -> Ts {
        self.ask("I want to talk to a human");
        let root = self.card().await.ts;
        self.sees(&self.desk, "yours to accept").await;
        self.acme.press(&self.bob, &self.desk, &root, "Accept");
        self.sees(&self.im(), "has joined").await;
        self.sees(&self.desk, "accepted after").await;
        root
    }

    /// What is said of the channel to whoever looks after it.
    async fn health(&self) -> String {
        let answer = client().get(self.bridge.url("/readyz?verbose")).send().await.expect("answered");
        let ready: Value = serde_json::from_str(&answer.text().await.expect("read")).expect("JSON");
        ready["channels"]["slack"].to_string()
    }

    /// Waits until this is said of the channel.
    async fn health_says(&self, text: &str) {
        let told = tokio::time::timeout(PATIENCE, async {
            while !self.health().await.contains(text) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        assert!(told.await.is_ok(), "no “{text}”: {}\n{}", self.health().await, self.bridge.log());
    }

    /// Nothing was done that the platform frowns upon, nobody was pinged by what somebody else wrote.
    fn nothing_amiss(&self) {
        assert_eq!(self.fake.violations(), Vec::<String>::new());
    }
}

fn technician(name: &str, identity: &str) -> String {
    format!("[[technicians]]\nname = \"{name}\"\nidentities = [\"{identity}\"]\ncapacity = 100\n")
}

fn shown(whisper: &Ephemeral) -> String {
    let message = Message { blocks: whisper.blocks.clone(), ..told(&whisper.text) };
    message.shown()
}

fn told(text: &str) -> Message {
    let nobody = deskbridge_platforms::slack::Author::User(String::new());
    Message::new(String::new(), nobody, text.to_owned())
}

/// Waits for something in the world; a failure tells the log of the process, too.
async fn waited<T>(
    fake: &FakeSlack,
    bridge: &Bridge,
    what: &str,
    look: impl FnMut(&World) -> Option<T>,
) -> T {
    match fake.wait_for(PATIENCE, look).await {
        Ok(found) => found,
        Err(story) => panic!("no {what}: {story}\nthe log:\n{}", bridge.log()),
    }
}

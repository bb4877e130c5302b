//! Any channel with any: whoever asks and wherever technicians are, the main conversation is the same, on the built
//! program over the fakes.
//!
//! Not here: what is particular to one channel (`life`, `slack`, `teams`, `widget`), the fakes (tests/platforms).

mod console;
mod discord;
mod notices;
mod slack;
mod teams;
mod telegram;
mod widget;

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use super::bridge::{Base, Bridge, PATIENCE};
use super::talk::UNPACED;

/// Where somebody asks.
#[derive(Clone, Copy, Debug)]
enum From {
    Slack,
    Teams,
    Telegram,
    Discord,
    Widget,
}

/// Where technicians are.
#[derive(Clone, Copy, Debug)]
enum To {
    Slack,
    Teams,
    Telegram,
    Discord,
    Console,
    /// Told by a flow of Workflows; answered in the console.
    Notices,
}

/// A message as its platform names it.
type Said = String;

/// Somebody who asks, on some platform.
#[async_trait(?Send)]
trait Requester {
    /// The channel's section of the configuration, without a desk.
    fn section(&self) -> String;
    /// Once the bridge runs.
    async fn connect(&self, _bridge: &Bridge) {}
    async fn says(&self, text: &str) -> Said;
    async fn corrects(&self, said: &Said, text: &str);
    /// Sends a file with these words; what is in it.
    async fn attaches(&self, text: &str) -> Vec<u8>;
    /// What the bridge shows there, message by message.
    async fn shown(&self) -> Vec<String>;
    /// What is in the files that the bridge shows there.
    async fn files(&self) -> Vec<Vec<u8>>;
    /// What the platform frowns upon.
    fn violations(&self) -> Vec<String>;
}

/// Bob, the technician, and where he works. What is said there is said in the latest conversation.
#[async_trait(?Send)]
trait Desk {
    /// The channel's section, where there is one; the same as for requesters.
    fn section(&self) -> String;
    /// The desk's part of the channel.
    fn desk(&self) -> String;
    /// Who Bob is there.
    fn identity(&self) -> Option<String>;
    /// Before the bridge runs for the first time.
    async fn prepare(&self, _bridge: &Bridge) {}
    async fn connect(&self, _bridge: &Bridge) {}
    /// Whether the conversation can be accepted, which is then done.
    async fn accepts(&self) -> bool;
    async fn says(&self, text: &str) -> Said;
    async fn corrects(&self, said: &Said, text: &str);
    async fn attaches(&self, text: &str) -> Vec<u8>;
    async fn resolves(&self);
    async fn shown(&self) -> Vec<String>;
    async fn files(&self) -> Vec<Vec<u8>>;
    /// What a place is told where nobody can answer; `None`: there is no such place.
    fn notices(&self) -> Option<Vec<String>> {
        None
    }
    fn violations(&self) -> Vec<String>;
}

/// The platforms of one test, each opened once: both sides may be on the same.
#[derive(Default)]
struct Scene {
    slack: OnceCell<Rc<slack::Slack>>,
    teams: OnceCell<Rc<teams::Teams>>,
    telegram: OnceCell<Rc<telegram::Telegram>>,
    discord: OnceCell<Rc<discord::Discord>>,
}

impl Scene {
    async fn slack(&self) -> Rc<slack::Slack> {
        self.slack.get_or_init(async || Rc::new(slack::Slack::open().await)).await.clone()
    }

    async fn teams(&self) -> Rc<teams::Teams> {
        self.teams.get_or_init(async || Rc::new(teams::Teams::open().await)).await.clone()
    }

    async fn telegram(&self) -> Rc<telegram::Telegram> {
        self.telegram.get_or_init(async || Rc::new(telegram::Telegram::open().await)).await.clone()
    }

    async fn discord(&self) -> Rc<discord::Discord> {
        self.discord.get_or_init(async || Rc::new(discord::Discord::open().await)).await.clone()
    }

    async fn requester(&self, from: From) -> Rc<dyn Requester> {
        match from {
            From::Slack => self.slack().await,
            From::Teams => self.teams().await,
            From::Telegram => self.telegram().await,
            From::Discord => self.discord().await,
            From::Widget => Rc::new(widget::Widget::default()),
        }
    }

    async fn technician(&self, to: To) -> Rc<dyn Desk> {
        match to {
            To::Slack => self.slack().await,
            To::Teams => self.teams().await,
            To::Telegram => self.telegram().await,
            To::Discord => self.discord().await,
            To::Console => Rc::new(console::Console::default()),
            To::Notices => Rc::new(notices::Notices::open().await),
        }
    }
}

/// Both of them, and the bridge between.
struct Pair {
    maria: Rc<dyn Requester>,
    bob: Rc<dyn Desk>,
    bridge: Bridge,
}

impl Pair {
    /// `None` where the database cannot be had.
    async fn meet(from: From, to: To, base: Base) -> Option<Pair> {
        let scene = Scene::default();
        let (maria, bob) = (scene.requester(from).await, scene.technician(to).await);
        let asking = maria.section();
        let working = Some(bob.section()).filter(|section| *section != asking).unwrap_or_default();
        let identity = bob.identity().map(|id| format!("identities = [\"{id}\"]\n")).unwrap_or_default();
        let technician = format!("[[technicians]]\nname = \"Bob\"\n{identity}");
        let channels = [asking, working, bob.desk(), technician].join("\n");
        let mut bridge = Bridge::with(&channels, base).await?;
        bob.prepare(&bridge).await;
        bridge.start_as(&UNPACED).await;
        maria.connect(&bridge).await;
        bob.connect(&bridge).await;
        Some(Pair { maria, bob, bridge })
    }

    /// Waits for something; when it never comes, what both sides show and the log tell more.
    async fn until<F: Future<Output = bool>>(&self, what: &str, mut look: impl FnMut() -> F) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !look().await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        if waited.await.is_err() {
            let (asked, worked) = (self.maria.shown().await, self.bob.shown().await);
            let (notices, log) = (self.bob.notices(), self.bridge.log());
            panic!(
                "never: {what}\nthe requester: {asked:#?}\nthe desk: {worked:#?}\nnotices: {notices:#?}\nthe log:\n{log}"
            );
        }
    }

    async fn maria_reads(&self, words: &str) {
        let what = format!("the requester reads “{words}”");
        self.until(&what, async || count(&self.maria.shown().await, words) > 0).await;
    }

    async fn bob_reads(&self, words: &str) {
        let what = format!("the desk reads “{words}”");
        self.until(&what, async || count(&self.bob.shown().await, words) > 0).await;
    }

    async fn stop(mut self) {
        let nothing: Vec<String> = Vec::new();
        assert_eq!((self.maria.violations(), self.bob.violations()), (nothing.clone(), nothing));
        assert!(self.bridge.stop().await.success(), "{}", self.bridge.log());
    }
}

fn count(shown: &[String], words: &str) -> usize {
    shown.iter().filter(|text| text.contains(words)).count()
}

/// Arrival, assistant, handover, accept, replies, notes, edits and files both ways, resolve.
async fn main_conversation(from: From, to: To, base: Base) {
    let Some(pair) = Pair::meet(from, to, base).await else { return };
    let (maria, bob) = (&pair.maria, &pair.bob);
    maria.says("my printer is jammed").await;
    pair.maria_reads("Printer paper jam").await;
    maria.says("I want to talk to a human").await;
    pair.maria_reads("connecting you with a technician").await;
    pair.until("something to accept", || bob.accepts()).await;
    pair.maria_reads("Bob has joined").await;
    pair.bob_reads("my printer is jammed").await;
    let asked = maria.says("the tray is stuk").await;
    pair.bob_reads("the tray is stuk").await;
    maria.corrects(&asked, "the tray is stuck").await;
    pair.bob_reads("the tray is stuck").await;
    let told = bob.says("Pull the gren lever").await;
    pair.maria_reads("Pull the gren lever").await;
    bob.corrects(&told, "Pull the green lever").await;
    pair.maria_reads("Pull the green lever").await;
    bob.says("🔒 she writes a lot").await;
    let log = maria.attaches("the log").await;
    pair.bob_reads("the log").await;
    pair.until("the log at the desk", async || bob.files().await.contains(&log)).await;
    let manual = bob.attaches("the manual").await;
    pair.maria_reads("the manual").await;
    pair.until("the manual at the requester", async || maria.files().await.contains(&manual)).await;
    bob.resolves().await;
    pair.maria_reads("has marked this as resolved").await;
    if bob.notices().is_some() {
        // A card that waits for its turn is drawn once, as it stands then.
        for words in ["Bob accepted", "🟢 #1"] {
            let told = async || {
                // Whoever does not read is taken for gone after a while.
                maria.shown().await;
                count(&bob.notices().unwrap_or_default(), words) > 0
            };
            pair.until(&format!("a notice with {words}"), told).await;
        }
    }
    let (asked, worked) = (maria.shown().await, bob.shown().await);
    assert_eq!(count(&asked, "the manual"), 1, "{asked:#?}");
    assert_eq!(
        (count(&asked, "Pull the g"), count(&worked, "the tray is st")),
        (1, 1),
        "{asked:#?} {worked:#?}"
    );
    assert_eq!(count(&asked, "she writes"), 0, "{asked:#?}");
    pair.stop().await;
}

macro_rules! pairs {
    ($($name:ident, $on_postgres:ident: $from:ident, $to:ident;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                main_conversation(From::$from, To::$to, Base::Sqlite).await;
            }

            #[tokio::test]
            async fn $on_postgres() {
                main_conversation(From::$from, To::$to, Base::Postgres).await;
            }
        )*
    };
}

pairs! {
    slack_to_slack, pg_slack_to_slack: Slack, Slack;
    slack_to_teams, pg_slack_to_teams: Slack, Teams;
    slack_to_telegram, pg_slack_to_telegram: Slack, Telegram;
    slack_to_discord, pg_slack_to_discord: Slack, Discord;
    slack_to_console, pg_slack_to_console: Slack, Console;
    teams_to_slack, pg_teams_to_slack: Teams, Slack;
    teams_to_teams, pg_teams_to_teams: Teams, Teams;
    teams_to_telegram, pg_teams_to_telegram: Teams, Telegram;
    teams_to_discord, pg_teams_to_discord: Teams, Discord;
    teams_to_console, pg_teams_to_console: Teams, Console;
    telegram_to_slack, pg_telegram_to_slack: Telegram, Slack;
    telegram_to_teams, pg_telegram_to_teams: Telegram, Teams;
    telegram_to_telegram, pg_telegram_to_telegram: Telegram, Telegram;
    telegram_to_discord, pg_telegram_to_discord: Telegram, Discord;
    telegram_to_console, pg_telegram_to_console: Telegram, Console;
    discord_to_slack, pg_discord_to_slack: Discord, Slack;
    discord_to_teams, pg_discord_to_teams: Discord, Teams;
    discord_to_telegram, pg_discord_to_telegram: Discord, Telegram;
    discord_to_discord, pg_discord_to_discord: Discord, Discord;
    discord_to_console, pg_discord_to_console: Discord, Console;
    widget_to_slack, pg_widget_to_slack: Widget, Slack;
    widget_to_teams, pg_widget_to_teams: Widget, Teams;
    widget_to_telegram, pg_widget_to_telegram: Widget, Telegram;
    widget_to_discord, pg_widget_to_discord: Widget, Discord;
    widget_to_console, pg_widget_to_console: Widget, Console;
}

/// With a flow that is told in the desk's place.
macro_rules! told {
    ($($name:ident, $pg:ident: $from:ident;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                main_conversation(From::$from, To::Notices, Base::Sqlite).await;
            }

            #[tokio::test]
            async fn $pg() {
                main_conversation(From::$from, To::Notices, Base::Postgres).await;
            }
        )*
    };
}

told! {
    slack_to_notices, pg_slack_to_notices: Slack;
    teams_to_notices, pg_teams_to_notices: Teams;
    telegram_to_notices, pg_telegram_to_notices: Telegram;
    discord_to_notices, pg_discord_to_notices: Discord;
    widget_to_notices, pg_widget_to_notices: Widget;
}

//! Slack on one side and Telegram on the other, both ways round, over HTTP and Socket Mode.
//!
//! Not here: Slack on both sides (`life`).

use deskbridge_platforms::slack::Post;
use deskbridge_platforms::telegram::{self, FakeTelegram, MediaKind, User};

use super::super::bridge::{Base, Bridge, PATIENCE, Way, telegram as telegram_channel};
use super::{Office, Receive, technician, waited};

const BOB: i64 = 200;
const MARIA: i64 = 100;

/// Both platforms, one bridge.
struct Between {
    office: Office,
    tele: FakeTelegram,
    room: i64,
    bridge: Bridge,
}

impl Between {
    async fn start(receive: Receive, desk_in_slack: bool) -> Between {
        let office = Office::open().await;
        let settings = telegram::Settings { time_scale: 0.1, ..telegram::Settings::default() };
        let tele = FakeTelegram::with(settings).await;
        for (id, name) in [(MARIA, "Maria"), (BOB, "Bob")] {
            tele.add_user(User { language_code: Some("en".into()), ..User::named(id, name) });
        }
        let room = tele.forum("IT desk");
        let (desk, bob) = if desk_in_slack {
            (office.desk_of("slack"), format!("slack:{}", office.bob))
        } else {
            (format!("[channels.telegram.desk]\nroom = \"{room}\"\n"), format!("telegram:{BOB}"))
        };
        let channels = [
            office.channel("slack", receive),
            telegram_channel(&tele, Way::Polling),
            desk,
            technician("Bob", &bob),
        ];
        let mut bridge =
            Bridge::with(&channels.concat(), Base::Sqlite).await.expect("SQLite is always there");
        office.connect(receive, &bridge, "slack");
        bridge.start_as(&super::super::talk::UNPACED).await;
        let between = Between { office, tele, room, bridge };
        if receive == Receive::Socket {
            let open = |world: &deskbridge_platforms::slack::World| {
                (world.sockets_of(&between.office.app.id) > 0).then_some(())
            };
            between.slack("socket", open).await;
        }
        between
    }

    async fn slack<T>(
        &self,
        what: &str,
        look: impl FnMut(&deskbridge_platforms::slack::World) -> Option<T>,
    ) -> T {
        waited(&self.office.fake, &self.bridge, what, look).await
    }

    async fn telegram<T>(&self, what: &str, look: impl FnMut(&telegram::World) -> Option<T>) -> T {
        match self.tele.wait_for(PATIENCE, look).await {
            Ok(found) => found,
            Err(story) => panic!("no {what}: {story}\nthe log:\n{}", self.bridge.log()),
        }
    }

    async fn slack_sees(&self, channel: &str, text: &str) -> deskbridge_platforms::slack::Message {
        self.slack(&format!("“{text}” in Slack"), |world| {
            let own = self.office.own(world, channel);
            own.into_iter().rfind(|message| message.shown().contains(text)).cloned()
        })
        .await
    }

    async fn telegram_sees(&self, chat: i64, topic: Option<i64>, text: &str) -> telegram::Message {
        let bot = self.tele.bot_id();
        self.telegram(&format!("“{text}” in Telegram"), |world| {
            let from_bot =
                |message: &&telegram::Message| message.is_from(bot) && message.text().contains(text);
            world.messages_in(chat, topic).into_iter().rfind(from_bot).cloned()
        })
        .await
    }

    fn nothing_amiss(&self) {
        assert_eq!(self.office.fake.violations(), Vec::<String>::new());
        assert_eq!(self.tele.violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn slack_asks_and_telegram_answers_over_http() {
    asked_in_slack(Receive::Http).await;
}

#[tokio::test]
async fn slack_asks_and_telegram_answers_over_sockets() {
    asked_in_slack(Receive::Socket).await;
}

async fn asked_in_slack(receive: Receive) {
    let talk = Between::start(receive, false).await;
    let (office, im) = (&talk.office, talk.office.im());
    office.ask("my printer is jammed");
    let answer = talk.slack_sees(&im, "Printer paper jam").await;
    office.acme.press(&office.ana, &im, &answer.ts, "Talk to a human");
    let topic = talk.telegram("topic", |world| world.topics(talk.room).last().map(|topic| topic.id)).await;
    let offer = talk.telegram_sees(talk.room, Some(topic), "yours to accept").await;
    talk.tele.press(BOB, talk.room, offer.id, "Accept");
    talk.slack_sees(&im, "Bob has joined").await;
    // Formats, both ways.
    let asked = office.ask(Post::wire("the *tray* is `stuk`, see <https://example.org/jam|this page>"));
    let relayed = talk.telegram_sees(talk.room, Some(topic), "is stuk").await;
    assert!(relayed.text().contains("tray") && !relayed.text().contains('*'), "{}", relayed.text());
    let links = relayed.entities().iter().any(|entity| entity["url"] == "https://example.org/jam");
    assert!(links || relayed.text().contains("https://example.org/jam"), "{relayed:?}");
    office.acme.edit(&office.ana, &im, &asked, "the tray is stuck & hot <now>");
    talk.telegram_sees(talk.room, Some(topic), "the tray is stuck & hot <now>").await;
    let told = talk.tele.topic_message(BOB, talk.room, topic, "Pull the gren <!channel> lever & wait");
    let shown = talk.slack_sees(&im, "lever & wait").await;
    assert!(shown.text.contains("&lt;!channel&gt;"), "{}", shown.text);
    talk.tele.edit_message(talk.room, told, "Pull the green lever");
    talk.slack_sees(&im, "Pull the green lever").await;
    // Files, both ways.
    let log = vec![b'x'; 50_000];
    office.ask(Post::text("the log").file("error.txt", log.clone()));
    let has = |world: &telegram::World| {
        world.messages_in(talk.room, Some(topic)).iter().any(|message| {
            let file = message.media().filter(|(kind, _)| *kind == MediaKind::Document);
            file.and_then(|(_, id)| world.files.get(id)).is_some_and(|file| file.bytes == log)
        })
    };
    talk.telegram("the log in Telegram", |world| has(world).then_some(())).await;
    let manual = vec![b'y'; 60_000];
    let post =
        telegram::Post::document("manual.pdf", "application/pdf", manual.clone()).caption("the manual");
    talk.tele.topic_message(BOB, talk.room, topic, post);
    talk.slack("the manual in Slack", |world| {
        let files = world.files.kept.values();
        files.into_iter().any(|file| file.name == "manual.pdf" && file.bytes == manual).then_some(())
    })
    .await;
    talk.slack_sees(&im, "the manual").await;
    talk.tele.topic_message(BOB, talk.room, topic, "/resolve");
    talk.slack_sees(&im, "has marked this as resolved").await;
    assert!(office.fake.read(|world| world.pings.iter().all(|ping| ping.whom != "<!channel>")));
    talk.nothing_amiss();
}

#[tokio::test]
async fn telegram_asks_and_slack_answers_over_http() {
    slack_answers(Receive::Http).await;
}

#[tokio::test]
async fn telegram_asks_and_slack_answers_over_sockets() {
    slack_answers(Receive::Socket).await;
}

async fn slack_answers(receive: Receive) {
    let talk = Between::start(receive, true).await;
    let (office, desk) = (&talk.office, talk.office.desk.clone());
    talk.tele.private_message(MARIA, "my printer is jammed");
    let answer = talk.telegram_sees(MARIA, None, "Printer paper jam").await;
    talk.tele.press(MARIA, MARIA, answer.id, "Talk to a human");
    let card = talk.slack_sees(&desk, "Previous troubleshooting").await;
    talk.slack_sees(&desk, "yours to accept").await;
    office.acme.press(&office.bob, &desk, &card.ts, "Accept");
    talk.telegram_sees(MARIA, None, "Bob has joined").await;
    let asked = talk.tele.private_message(MARIA, "the tray is stuk <@U0000000001> <!here> @channel");
    let relayed = talk.slack_sees(&desk, "the tray is stuk").await;
    assert_eq!(relayed.thread.as_ref(), Some(&card.ts));
    let name = office.fake.read(|world| world.author_name(&office.acme.team, &relayed));
    assert!(name.contains("Maria"), "{name}");
    talk.tele.edit_message(MARIA, asked, "the tray is stuck");
    talk.slack_sees(&desk, "the tray is stuck").await;
    let told = office.reply(&card.ts, Post::wire("Pull the *gren* lever &amp; wait"));
    talk.telegram_sees(MARIA, None, "Pull the gren lever & wait").await;
    office.acme.edit(&office.bob, &desk, &told, "Pull the green lever & wait");
    talk.telegram_sees(MARIA, None, "Pull the green lever & wait").await;
    let photo = telegram::Post::photo(telegram::TINY_PNG).caption("how it looks");
    talk.tele.private_message(MARIA, photo);
    talk.slack("the photo in Slack", |world| {
        world.files.kept.values().any(|file| file.bytes == telegram::TINY_PNG).then_some(())
    })
    .await;
    talk.slack_sees(&desk, "how it looks").await;
    let manual = vec![b'z'; 40_000];
    office.reply(&card.ts, Post::text("the manual").file("manual.pdf", manual.clone()));
    talk.telegram("the manual in Telegram", |world| {
        let all = world.messages_in(MARIA, None);
        let bytes = |message: &&telegram::Message| {
            message.media().and_then(|(_, id)| world.files.get(id)).map(|file| file.bytes.clone())
        };
        all.iter().filter_map(bytes).any(|bytes| bytes == manual).then_some(())
    })
    .await;
    office.reply(&card.ts, "!resolve");
    talk.telegram_sees(MARIA, None, "has marked this as resolved").await;
    let loud = |whom: &str| whom.starts_with("<!") || whom.contains("U0000000001");
    assert!(office.fake.read(|world| world.pings.iter().all(|ping| !loud(&ping.whom))));
    talk.nothing_amiss();
}

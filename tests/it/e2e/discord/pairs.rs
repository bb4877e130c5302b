//! Discord on one side and Telegram on the other, both ways round.
//!
//! Not here: Discord on both sides (`life`).

use deskbridge_platforms::discord::{Author, Post};
use deskbridge_platforms::telegram::{self, FakeTelegram, User};

use super::super::bridge::{Base, Bridge, PATIENCE, Way, telegram as telegram_channel};
use super::{Office, technician};

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
    async fn start(desk_in_discord: bool) -> Between {
        let office = Office::open().await;
        let settings = telegram::Settings { time_scale: 0.1, ..telegram::Settings::default() };
        let tele = FakeTelegram::with(settings).await;
        for (id, name) in [(MARIA, "Maria"), (BOB, "Bob")] {
            tele.add_user(User { language_code: Some("en".into()), ..User::named(id, name) });
        }
        let room = tele.forum("IT desk");
        let (desk, bob) = if desk_in_discord {
            (office.desk(), format!("discord:{}", office.bob))
        } else {
            (format!("[channels.telegram.desk]\nroom = \"{room}\"\n"), format!("telegram:{BOB}"))
        };
        let channels = [
            office.channel(false),
            if desk_in_discord { desk.clone() } else { String::new() },
            telegram_channel(&tele, Way::Polling),
            if desk_in_discord { String::new() } else { desk },
            technician("Bob", &bob),
        ];
        let mut bridge =
            Bridge::with(&channels.concat(), Base::Sqlite).await.expect("SQLite is always there");
        bridge.start_as(&super::super::talk::UNPACED).await;
        let between = Between { office, tele, room, bridge };
        let app = between.office.app.id;
        let up = |world: &deskbridge_platforms::discord::World| (world.connections(app) > 0).then_some(());
        between.office.wait(&between.bridge, "connection", up).await;
        between
    }

    async fn telegram<T>(&self, what: &str, look: impl FnMut(&telegram::World) -> Option<T>) -> T {
        match self.tele.wait_for(PATIENCE, look).await {
            Ok(found) => found,
            Err(story) => panic!("no {what}: {story}\nthe log:\n{}", self.bridge.log()),
        }
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
}

#[tokio::test]
async fn discord_asks_and_telegram_answers() {
    let talk = Between::start(false).await;
    let (office, dm) = (&talk.office, talk.office.dm());
    office.ask("my printer is jammed");
    let answer = office.sees(&talk.bridge, dm, "Printer paper jam").await;
    office.fake.press(office.ana, dm, answer.id, "Talk to a human");
    let topic = talk.telegram("topic", |world| world.topics(talk.room).last().map(|topic| topic.id)).await;
    let offer = talk.telegram_sees(talk.room, Some(topic), "yours to accept").await;
    talk.tele.press(BOB, talk.room, offer.id, "Accept");
    office.sees(&talk.bridge, dm, "has joined").await;
    let asked = office.ask("the **tray** is `stuk`, see [this page](https://example.org/jam)");
    let relayed = talk.telegram_sees(talk.room, Some(topic), "is stuk").await;
    assert!(relayed.text().contains("tray") && !relayed.text().contains('*'), "{}", relayed.text());
    let links = relayed.entities().iter().any(|entity| entity["url"] == "https://example.org/jam");
    assert!(links, "{relayed:?}");
    office.fake.edit(office.ana, dm, asked, "the tray is stuck");
    talk.telegram_sees(talk.room, Some(topic), "the tray is stuck").await;
    talk.tele.topic_message(BOB, talk.room, topic, "Pull the green @everyone lever & wait");
    let shown = office.sees(&talk.bridge, dm, "lever & wait").await;
    assert!(!shown.content.contains("@everyone"), "{}", shown.content);
    let log = vec![b'x'; 50_000];
    office.ask(Post::text("the log").file("error.txt", log.clone()));
    talk.telegram_sees(talk.room, Some(topic), "the log").await;
    let manual = vec![b'y'; 60_000];
    let post =
        telegram::Post::document("manual.pdf", "application/pdf", manual.clone()).caption("the manual");
    talk.tele.topic_message(BOB, talk.room, topic, post);
    office.arrived(&talk.bridge, dm, "manual.pdf", &manual).await;
    talk.tele.topic_message(BOB, talk.room, topic, "/resolve");
    office.sees(&talk.bridge, dm, "has marked this as resolved").await;
    assert!(office.fake.read(|world| world.pings.is_empty()), "somebody was pinged");
    office.nothing_amiss();
}

#[tokio::test]
async fn telegram_asks_and_discord_answers() {
    let talk = Between::start(true).await;
    let office = &talk.office;
    talk.tele.private_message(MARIA, "my printer is jammed");
    let answer = talk.telegram_sees(MARIA, None, "Printer paper jam").await;
    talk.tele.press(MARIA, MARIA, answer.id, "Talk to a human");
    let post = office.post(&talk.bridge).await;
    office.sees(&talk.bridge, post, "yours to accept").await;
    office.fake.press(office.bob, post, post, "Accept");
    talk.telegram_sees(MARIA, None, "Bob has joined").await;
    let asked = talk.tele.private_message(MARIA, "the tray is stuk <@1> @here");
    let relayed = office.sees(&talk.bridge, post, "the tray is stuk").await;
    assert!(
        matches!(&relayed.author, Author::Webhook { name, .. } if name == "Maria"),
        "{:?}",
        relayed.author
    );
    talk.tele.edit_message(MARIA, asked, "the tray is stuck");
    office.sees(&talk.bridge, post, "the tray is stuck").await;
    office.fake.say(office.bob, post, "Pull the **green** lever & wait");
    talk.telegram_sees(MARIA, None, "Pull the green lever & wait").await;
    let photo = telegram::Post::photo(telegram::TINY_PNG).caption("how it looks");
    talk.tele.private_message(MARIA, photo);
    office.arrived(&talk.bridge, post, "the photo", telegram::TINY_PNG).await;
    office.sees(&talk.bridge, post, "how it looks").await;
    office.fake.press(office.bob, post, post, "Resolve");
    talk.telegram_sees(MARIA, None, "has marked this as resolved").await;
    let archived = |world: &deskbridge_platforms::discord::World| world.channel(post).archived.then_some(());
    office.wait(&talk.bridge, "archive", archived).await;
    office.nothing_amiss();
}

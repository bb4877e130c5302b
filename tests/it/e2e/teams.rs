//! The built program against a fake Teams: a requester in a chat with the bot, a technician in a channel of a team.
//!
//! Not here: single rules of the adapter (adapters/teams/tests), the platform (tests/platforms).

mod accepted;
mod doors;
mod faults;
mod life;
mod rows;
mod webhook;

use std::time::{SystemTime, UNIX_EPOCH};

use deskbridge_platforms::teams::{FakeTeams, Page, Settings, read};
use serde_json::{Value, json};

use super::bridge::{Base, Bridge, PATIENCE};

const MARIA: u32 = 501;
const BOB: u32 = 601;
const HOME: &str = "a:29:501";
const DESK: &str = "19:desk@thread.tacv2";

struct Office {
    fake: FakeTeams,
    bridge: Bridge,
    hook: String,
}

/// Seconds since 1970: the fake's clock stands where ours does.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    i64::try_from(now).expect("seconds")
}

/// The channel's section, without a desk.
pub(super) fn section(section: &Value) -> String {
    let keys = section.as_object().expect("keys").iter().map(|(key, value)| format!("{key} = {value}\n"));
    format!("[channels.teams]\nadapter = \"teams\"\n{}", keys.collect::<String>())
}

/// The channel, with its desk and the one technician.
fn channel(fake: &FakeTeams) -> String {
    let mut keys = fake.section();
    // Where to write is known by what came in alone: nobody listens at the port that the configuration names.
    keys["service_url"] = json!("http://127.0.0.1:9/teams/");
    let channel = section(&keys);
    let technician = format!("[[technicians]]\nname = \"Bob\"\nidentities = [\"teams:aad-{BOB}\"]\n");
    format!("{channel}[channels.teams.desk]\nroom = \"{DESK}\"\n{technician}")
}

impl Office {
    async fn open() -> Office {
        Office::on(Base::Sqlite).await.expect("SQLite is always there")
    }

    /// `None` where the database cannot be had.
    async fn on(base: Base) -> Option<Office> {
        let fake = FakeTeams::start(Settings { now: now(), ..Settings::default() }).await.expect("started");
        fake.install(HOME);
        fake.install(DESK);
        let mut bridge = Bridge::with(&channel(&fake), base).await?;
        bridge.start().await;
        let hook = bridge.url("/hooks/teams");
        Some(Office { fake, bridge, hook })
    }

    async fn wait<T>(&self, what: &str, look: impl Fn(&FakeTeams) -> Option<T>) -> T {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(found) = look(&self.fake) {
                    return found;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        });
        match waited.await {
            Ok(found) => found,
            Err(_) => panic!("{what} never came:\n{:#?}\n{}", self.everything(), self.bridge.log()),
        }
    }

    fn everything(&self) -> Vec<(String, Vec<String>)> {
        self.fake.read(|world| {
            let of = |activity: &Value| read(activity).map(|page| page.text).unwrap_or_else(|why| why);
            let rooms = world.conversations.iter();
            rooms.map(|(id, all)| (id.clone(), all.iter().map(|one| of(&one.activity)).collect())).collect()
        })
    }

    /// A message of the bot with these words, in conversations that begin like this: where, its id, how it looks.
    async fn sees(&self, place: &str, words: &str) -> (String, String, Page) {
        self.wait(words, |fake| {
            fake.read(|world| {
                let rooms = world.conversations.iter().filter(|(id, _)| id.starts_with(place));
                let all = rooms.flat_map(|(id, all)| all.iter().map(move |message| (id, message)));
                let mut own = all.filter(|(_, message)| message.own && !message.deleted);
                own.find_map(|(id, message)| {
                    let page = read(&message.activity).ok()?;
                    page.text.contains(words).then(|| (id.clone(), message.id.clone(), page))
                })
            })
        })
        .await
    }

    fn says(&self, who: u32, place: &str, words: &str) -> String {
        let activity = self.fake.say(who, place, words);
        self.fake.deliver(&self.hook, activity)
    }

    async fn press(&self, who: u32, place: &str, card: &str, label: &str, inputs: Value) {
        let verb = self.fake.read(|world| {
            let message = world.messages(place).iter().find(|message| message.id == card).expect("the card");
            verb(&message.activity, label).expect("the button")
        });
        let press = self.fake.press(who, place, card, &verb, &inputs);
        let handle = self.fake.deliver(&self.hook, press);
        self.wait(label, |fake| fake.acknowledged(&handle).then_some(())).await;
    }
}

/// The verb of a button by its label, wherever it is on the card.
pub(super) fn verb(value: &Value, label: &str) -> Option<String> {
    if value["type"] == "Action.Execute" && value["title"].as_str().is_some_and(|title| title.contains(label))
    {
        return value["verb"].as_str().map(str::to_owned);
    }
    match value {
        Value::Object(object) => object.values().find_map(|inner| verb(inner, label)),
        Value::Array(array) => array.iter().find_map(|inner| verb(inner, label)),
        _ => None,
    }
}

#[tokio::test]
async fn from_a_question_to_the_end_within_teams() {
    let mut office = Office::open().await;
    office.says(MARIA, HOME, "my vpn says 691");
    office.sees(HOME, "691").await;
    office.says(MARIA, HOME, "I want to talk to a human");
    let (thread, card, _) = office.sees(DESK, "#1").await;
    let (_, offer, _) = office.sees(&thread, "yours to accept").await;
    office.press(BOB, &thread, &offer, "Accept", json!({})).await;
    office.sees(HOME, "has joined").await;
    // A reply in the thread, delivered twice and once more as a copy under a new id: seen once.
    let reply = office.says(BOB, &thread, "try <b>this</b> & *that*");
    office.wait("the reply", |fake| fake.acknowledged(&reply).then_some(())).await;
    office.fake.redeliver(&office.hook, &reply);
    let copy = office.fake.copy(&office.hook, &reply).expect("a copy");
    office.wait("the copy", |fake| fake.acknowledged(&copy).then_some(())).await;
    office.sees(HOME, "try <b>this</b> & *that*").await;
    // The card's own text box; then the other way.
    office.press(BOB, &thread, &card, "Send", json!({ "teams_text": "by the card" })).await;
    office.sees(HOME, "by the card").await;
    office.says(MARIA, HOME, "that helped, it works");
    office.sees(&thread, "that helped, it works").await;
    let done = office.fake.call(BOB, &thread, "resolve");
    office.fake.deliver(&office.hook, done);
    office.sees(HOME, "resolved").await;
    office.sees(&thread, "🟢").await;
    let copies = office.everything().into_iter().filter(|(id, _)| id == HOME).flat_map(|(_, all)| all);
    assert_eq!(copies.filter(|text| text.contains("*that*")).count(), 1, "{:#?}", office.everything());
    assert_eq!(office.fake.read(|world| world.violations.clone()), Vec::<String>::new());
    assert!(office.bridge.stop().await.success());
}

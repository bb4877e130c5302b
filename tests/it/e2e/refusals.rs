//! A platform that is ill, and one that refuses the token: nothing is lost, nothing comes out of order, people see it.
//!
//! Not here: refusals of single messages (`faults`), which repetition is right for which operation (scenarios).

use deskbridge_platforms::telegram::{Call, Fault, FaultKind, World};
use serde_json::Value;

use super::bridge::{Base, Way, client};
use super::talk::{MARIA, Talk, UNPACED};

/// How often the bot was asked to send this text.
fn tries(talk: &Talk, text: &str) -> usize {
    let has = |call: &&Call| call.text("text").is_some_and(|said| said.contains(text));
    talk.fake.requests("sendMessage").iter().filter(has).count()
}

fn in_order(talk: &Talk, chat: i64, topic: Option<i64>, texts: &[&str]) {
    let bot = talk.fake.bot_id();
    let shown = talk.fake.read(|world| {
        let of_bot = world.messages_in(chat, topic).into_iter().filter(|message| message.is_from(bot));
        of_bot.map(|message| message.text().to_owned()).collect::<Vec<_>>()
    });
    let places: Vec<_> = texts.iter().map(|text| shown.iter().position(|said| said.contains(text))).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} in {shown:#?}");
}

/// F12, D33: after a 5xx nobody knows whether it was carried out. Words of people are sent once more, never a third time,
/// and what was written after them waits; where it was carried out, the technician is told that it may appear twice.
#[tokio::test]
async fn f12_d33_a_server_error() {
    let mut talk = Talk::set_up(Way::Polling, Base::Sqlite).await.expect("SQLite is always there");
    talk.bridge.start_as(&UNPACED).await;
    let topic = talk.assigned().await;
    let error = |code, effect| Fault::on("sendMessage", FaultKind::server_error(code, effect));
    talk.fake.fault(error(500, false).in_chat(talk.desk));
    talk.fake.fault(error(502, true).in_chat(MARIA));
    talk.fake.fault(Fault::on("getUpdates", FaultKind::server_error(500, false)));
    talk.say("from Maria, first");
    talk.say("from Maria, second");
    talk.reply(topic, "from Bob, first");
    talk.reply(topic, "from Bob, second");
    talk.sees(Some(topic), "from Maria, second").await;
    talk.sees(None, "from Bob, second").await;
    talk.sees(Some(topic), "may appear twice").await;
    in_order(&talk, talk.desk, Some(topic), &["from Maria, first", "from Maria, second"]);
    in_order(&talk, MARIA, None, &["from Bob, first", "from Bob, second"]);
    assert_eq!((tries(&talk, "from Maria, first"), talk.count(Some(topic), "from Maria, first")), (2, 1));
    assert_eq!((tries(&talk, "from Bob, first"), talk.count(None, "from Bob, first")), (2, 2));
    for text in ["from Maria, second", "from Bob, second"] {
        assert_eq!(tries(&talk, text), 1, "{text}");
    }
    talk.nothing_amiss();
}

/// D34: a token that is refused stops its channel and nothing else; people see it; when it is right again, everything goes
/// out once and in order.
#[tokio::test]
async fn d34_a_refused_token() {
    tokio::join!(refused(Way::Polling), refused(Way::Webhook));
}

async fn refused(way: Way) {
    let mut talk = Talk::set_up(way, Base::Sqlite).await.expect("SQLite is always there");
    let token = talk.bridge.token().await;
    talk.bridge.start_as(&UNPACED).await;
    let topic = talk.assigned().await;
    seen(&talk, &token, &["up"]).await;
    let good = exchanged(&talk, "123456789:AAnotherTokenThatNobodyKnows".to_owned());
    talk.say("from Maria, first");
    talk.reply(topic, "from Bob, first");
    // Sending is paused; where receiving was refused as well, that is said instead.
    seen(&talk, &token, &["paused", "down"]).await;
    talk.say("from Maria, second");
    talk.reply(topic, "from Bob, second");
    let held = |world: &World| {
        let all = [world.messages_in(MARIA, None), world.messages_in(talk.desk, Some(topic))].concat();
        let bot = world.bot.id;
        let relayed = |text: &str| text.contains("from Maria") || text.contains("from Bob");
        !all.iter().any(|message| message.is_from(bot) && relayed(message.text()))
    };
    assert!(talk.fake.read(held), "sent without a token");
    exchanged(&talk, good);
    for (place, name) in [(Some(topic), "from Maria"), (None, "from Bob")] {
        let chat = if place.is_some() { talk.desk } else { MARIA };
        let (first, second) = (format!("{name}, first"), format!("{name}, second"));
        talk.sees(place, &second).await;
        in_order(&talk, chat, place, &[&first, &second]);
        assert_eq!((talk.count(place, &first), talk.count(place, &second)), (1, 1), "{way:?}");
    }
    seen(&talk, &token, &["up"]).await;
    talk.nothing_amiss();
}

/// The platform knows the bot by another token from now on; returns the one before.
fn exchanged(talk: &Talk, token: String) -> String {
    talk.fake.change(|world| std::mem::replace(&mut world.settings.token, token))
}

/// Waits until the channel is in one of these states, and sees that all ways to look at it agree.
async fn seen(talk: &Talk, token: &str, states: &[&str]) {
    let up = states.contains(&"up");
    let waited = tokio::time::timeout(super::bridge::PATIENCE, async {
        loop {
            let (code, body) = text(talk, "/readyz?verbose").await;
            let ready: Value = serde_json::from_str(&body).expect("JSON");
            let channel = &ready["channels"]["telegram"];
            if states.iter().any(|state| channel["state"] == **state) && (code == 200) == up {
                assert!(up || channel["why"].as_str().is_some_and(|why| why.contains("401")), "{ready}");
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    if waited.await.is_err() {
        panic!("never {states:?}: {:?}\n{}", text(talk, "/readyz?verbose").await, talk.bridge.log());
    }
    let channels = talk.bridge.api("/channels", token).await;
    let state = &channels["data"][0]["health"]["state"];
    assert!(states.iter().any(|known| state == *known), "{channels}");
    let (_, metrics) = text(talk, "/metrics").await;
    let line = format!("deskbridge_channel_up{{channel=\"telegram\"}} {}", u8::from(up));
    assert!(metrics.contains(&line), "{line} is not in {metrics}");
}

async fn text(talk: &Talk, path: &str) -> (u16, String) {
    let answer = client().get(talk.bridge.url(path)).send().await.expect("answered");
    (answer.status().as_u16(), answer.text().await.expect("read"))
}

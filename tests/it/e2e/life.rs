//! The whole life of a conversation on the built program, by polling and by webhook, on SQLite and on PostgreSQL.
//!
//! Not here: single faults (`faults`), what the steps mean (scenarios).

use std::time::Duration;

use deskbridge_platforms::telegram::{Call, Fault, FaultKind, MediaKind, MessageId, Post, TINY_PNG};
use serde_json::Value;

use super::bridge::{Base, Way};
use super::judge::requests_fit;
use super::talk::{BOB, MARIA, Talk, UNPACED};

/// In the desk's group, and no technician.
const EVE: i64 = 300;

#[tokio::test]
async fn life_polling_sqlite() {
    live(Way::Polling, Base::Sqlite).await;
}

#[tokio::test]
async fn life_webhook_sqlite() {
    live(Way::Webhook, Base::Sqlite).await;
}

#[tokio::test]
async fn pg_life_polling() {
    live(Way::Polling, Base::Postgres).await;
}

#[tokio::test]
async fn pg_life_webhook() {
    live(Way::Webhook, Base::Postgres).await;
}

async fn live(way: Way, base: Base) {
    let Some(mut talk) = Talk::set_up(way, base).await else { return };
    let token = talk.bridge.token().await;
    talk.bridge.start_as(&UNPACED).await;
    let topic = handed_over(&talk).await;
    accepted(&talk, topic, way).await;
    words_and_edits(&talk, topic).await;
    files(&talk, topic).await;
    reactions(&talk, topic).await;
    told_to_wait(&talk, topic).await;
    let topic = topic_deleted(&talk, topic).await;
    blocked_and_back(&talk, topic).await;
    ended_and_reopened(&talk, topic).await;
    talk.nothing_amiss();
    group_moved(&mut talk, topic).await;
    resolved(&talk, topic).await;
    found(&talk, &token).await;
    kept_to_the_rules(&talk);
    remembered(&mut talk).await;
}

/// The assistant answers from the knowledge base; the requester asks for a person: topic, card with the summary, offer.
async fn handed_over(talk: &Talk) -> i64 {
    talk.say("/start");
    talk.sees(None, "Tell me what is not working").await;
    talk.say("my printer is jammed");
    let answer = talk.sees(None, "Printer paper jam").await;
    talk.fake.press(MARIA, MARIA, answer.id, "Talk to a human");
    talk.sees(None, "I am connecting you with a technician").await;
    let topic = talk.offered().await;
    let transcript = talk.sees(Some(topic), "Transcript").await;
    assert!(transcript.text().contains("my printer is jammed"), "{}", transcript.text());
    let card = talk.sees(Some(topic), "Previous troubleshooting").await;
    for part in ["📌 #1", "Maria", "Intent", "Conversation summary", "Service information"] {
        assert!(card.text().contains(part), "{part} is not on the card: {}", card.text());
    }
    assert!(card.button("Accept").is_some() && card.button("Decline").is_some(), "{card:?}");
    topic
}

/// The one it is offered to is mentioned and takes it: by the button, or by writing.
async fn accepted(talk: &Talk, topic: i64, way: Way) {
    let offer = talk.sees(Some(topic), "yours to accept").await;
    let mentioned = |entity: &Value| entity["user"]["id"] == BOB;
    assert!(offer.entities().iter().any(mentioned), "nobody is mentioned: {offer:?}");
    // Before the acceptance the topic is a place to talk about the case.
    let early = talk.reply(topic, "🔒 she sounds nervous");
    marked(talk, early).await;
    talk.fake.user(EVE, "Eve");
    talk.fake.topic_message(EVE, talk.desk, topic, "tell her not to be nervous");
    if way == Way::Polling {
        let query = talk.fake.press(BOB, talk.desk, offer.id, "Accept");
        talk.until("answer to the press", |world| {
            world.presses.get(&query).is_none_or(|press| press.answered)
        })
        .await;
    } else {
        talk.reply(topic, "I will have a look");
        talk.sees(None, "I will have a look").await;
    }
    talk.sees(None, "Bob has joined").await;
    talk.sees(Some(topic), "accepted after").await;
}

async fn words_and_edits(talk: &Talk, topic: i64) {
    let asked = talk.say("the tray is stuk");
    talk.sees(Some(topic), "the tray is stuk").await;
    let told = talk.reply(topic, "Pull the gren lever");
    talk.sees(None, "Pull the gren lever").await;
    marked(talk, told).await;
    let note = talk.reply(topic, "🔒 a very nervous person");
    marked(talk, note).await;
    talk.fake.edit_message(MARIA, asked, "the tray is stuck");
    talk.sees(Some(topic), "the tray is stuck").await;
    talk.fake.edit_message(talk.desk, told, "Pull the green lever");
    talk.sees(None, "Pull the green lever").await;
    assert_eq!(talk.count(None, "lever"), 1, "the edit became a message of its own");
    assert_eq!(talk.count(Some(topic), "the tray is st"), 1, "the edit became a message of its own");
    // An edit that makes a note of it takes it back (L9).
    let slip = talk.reply(topic, "one moment please");
    talk.sees(None, "one moment please").await;
    marked(talk, slip).await;
    talk.fake.edit_message(talk.desk, slip, "🔒 one moment please, this is hopeless");
    talk.until("taken back", |world| {
        world.messages_in(MARIA, None).iter().all(|message| !message.text().contains("one moment please"))
    })
    .await;
}

/// What became of a message in the topic is shown on it.
async fn marked(talk: &Talk, message: MessageId) {
    let bot = talk.fake.bot_id();
    talk.until("mark", |world| !world.reactions(talk.desk, message, bot).is_empty()).await;
}

async fn files(talk: &Talk, topic: i64) {
    let log: Vec<u8> = (0..70_000_u32).map(|n| (n % 251) as u8).collect();
    let manual: Vec<u8> = (0..90_000_u32).map(|n| (n % 241) as u8).collect();
    talk.say(Post::photo(TINY_PNG).caption("this is how it looks"));
    talk.say(Post::document("error log.pdf", "application/pdf", log.clone()));
    arrived(talk, Some(topic), MediaKind::Photo, TINY_PNG).await;
    arrived(talk, Some(topic), MediaKind::Document, &log).await;
    talk.sees(Some(topic), "this is how it looks").await;
    talk.reply(topic, Post::photo(TINY_PNG).caption("the lever"));
    talk.reply(topic, Post::document("manual.pdf", "application/pdf", manual.clone()));
    arrived(talk, None, MediaKind::Photo, TINY_PNG).await;
    arrived(talk, None, MediaKind::Document, &manual).await;
    talk.sees(None, "the lever").await;
}

/// A file of the bot with exactly these bytes.
async fn arrived(talk: &Talk, topic: Option<i64>, kind: MediaKind, bytes: &[u8]) {
    let (chat, bot) = (topic.map_or(MARIA, |_| talk.desk), talk.fake.bot_id());
    talk.until(&format!("{kind:?} in {chat}"), |world| {
        world.messages_in(chat, topic).iter().any(|message| {
            let file = message.media().filter(|(of, _)| *of == kind).and_then(|(_, id)| world.files.get(id));
            message.is_from(bot) && file.is_some_and(|file| file.bytes == bytes)
        })
    })
    .await;
}

async fn reactions(talk: &Talk, topic: i64) {
    let glad = talk.say("it works");
    talk.say("so far");
    // The next one of a lane goes when what became of the one before it is stored.
    talk.sees(Some(topic), "so far").await;
    let shown = talk.sees(Some(topic), "it works").await;
    talk.fake.react(BOB, talk.desk, shown.id, Some("🎉"));
    let bot = talk.fake.bot_id();
    talk.until("reaction", |world| world.reactions(MARIA, glad, bot) == ["🎉"]).await;
    talk.fake.react(BOB, talk.desk, shown.id, None);
    talk.until("reaction taken back", |world| world.reactions(MARIA, glad, bot).is_empty()).await;
}

/// The platform says how long to wait: nothing goes to that chat earlier, and then everything once and in order.
async fn told_to_wait(talk: &Talk, topic: i64) {
    talk.fake.fault(Fault::on("sendMessage", FaultKind::rate_limit(1)).in_chat(talk.desk));
    talk.say("one more lamp");
    talk.say("and another lamp");
    let second = talk.sees(Some(topic), "and another lamp").await;
    let first = talk.sees(Some(topic), "one more lamp").await;
    assert!(first.id < second.id, "out of order");
    assert_eq!(talk.count(Some(topic), "lamp"), 2);
    let calls = talk.fake.requests("sendMessage");
    let here: Vec<&Call> = calls.iter().filter(|call| call.chat() == Some(talk.desk)).collect();
    let refused = here.iter().position(|call| call.status == Some(429)).expect("the planned refusal");
    let (told, next) = (here[refused].answered_at.expect("answered"), here[refused + 1].at);
    assert!(next - told >= Duration::from_secs(1), "after {:?}", next - told);
}

/// An administrator deletes the topic: the next message finds a new one, with the transcript, and so does the answer.
async fn topic_deleted(talk: &Talk, topic: i64) -> i64 {
    talk.fake.delete_topic(talk.desk, topic);
    talk.say("are you there");
    let other = |world: &deskbridge_platforms::telegram::World| {
        world.topics(talk.desk).last().map(|found| found.id).filter(|id| *id != topic)
    };
    let again = talk.wait("new topic", other).await;
    talk.sees(Some(again), "📌 #1").await;
    let transcript = talk.sees(Some(again), "Transcript").await;
    assert!(transcript.text().contains("Pull the green lever"), "{}", transcript.text());
    talk.sees(Some(again), "are you there").await;
    talk.reply(again, "I am, in a new topic");
    talk.sees(None, "I am, in a new topic").await;
    again
}

/// Words that cannot reach the requester fail where the technician sees it, and can be sent when they are back.
async fn blocked_and_back(talk: &Talk, topic: i64) {
    talk.fake.block(MARIA);
    talk.sees(Some(topic), "left the chat").await;
    let told = talk.reply(topic, "did you turn it off?");
    let bot = talk.fake.bot_id();
    talk.until("mark of failure", |world| world.reactions(talk.desk, told, bot) == ["😱"]).await;
    let failure = talk.sees(Some(topic), "Not delivered").await;
    talk.fake.unblock(MARIA);
    talk.sees(Some(topic), "is back and can be reached again").await;
    assert_eq!(talk.count(None, "did you turn it off?"), 0, "a blocked bot wrote");
    talk.fake.press(BOB, talk.desk, failure.id, "Try again");
    talk.sees(None, "did you turn it off?").await;
    talk.say("yes, twice");
    talk.sees(Some(topic), "yes, twice").await;
}

async fn ended_and_reopened(talk: &Talk, topic: i64) {
    resolved(talk, topic).await;
    talk.say("it broke again");
    let question = talk.sees(None, "Is this about the same issue").await;
    talk.fake.press(MARIA, MARIA, question.id, "Same issue");
    talk.sees(None, "is open again").await;
    shut(talk, topic, false).await;
    talk.sees(Some(topic), "it broke again").await;
}

/// `/resolve` in the topic: the requester is told, the topic is closed.
async fn resolved(talk: &Talk, topic: i64) {
    let before = talk.count(None, "has marked this as resolved");
    talk.reply(topic, "/resolve");
    let bot = talk.fake.bot_id();
    talk.until("notice of the end", |world| {
        let ends = world.messages_in(MARIA, None);
        let end = |message: &&&deskbridge_platforms::telegram::Message| {
            message.is_from(bot) && message.text().contains("has marked this as resolved")
        };
        ends.iter().filter(end).count() > before
    })
    .await;
    shut(talk, topic, true).await;
}

async fn shut(talk: &Talk, topic: i64, closed: bool) {
    talk.until(if closed { "closed topic" } else { "open topic" }, |world| {
        world.topic(talk.desk, topic).is_some_and(|topic| topic.closed == closed)
    })
    .await;
}

/// The group becomes a supergroup with another id: both ways go on there, and nothing is sent to the old one any more.
async fn group_moved(talk: &mut Talk, topic: i64) {
    let old = talk.desk;
    talk.desk = talk.fake.migrate(old);
    talk.say("still here?");
    talk.sees(Some(topic), "still here?").await;
    talk.reply(topic, "yes, elsewhere");
    talk.sees(None, "yes, elsewhere").await;
    let calls = talk.fake.read(|world| world.ledger.calls.len());
    talk.say("good");
    talk.sees(Some(topic), "good").await;
    let late = talk
        .fake
        .read(|world| world.ledger.calls.iter().skip(calls).filter(|call| call.chat() == Some(old)).count());
    assert_eq!(late, 0, "the old id is still written to");
}

/// What was said is found over the API, and the ticket is there and resolved.
async fn found(talk: &Talk, token: &str) {
    let hits = talk.bridge.api("/search?q=lever", token).await;
    let hits = hits["data"].as_array().expect("a page");
    assert!(hits.iter().any(|hit| hit["conversation"] == 1), "{hits:?}");
    let nothing = talk.bridge.api("/search?q=unheardof", token).await;
    assert_eq!(nothing["data"].as_array().map(Vec::len), Some(0), "{nothing}");
    let tickets = talk.bridge.api("/tickets", token).await;
    let tickets = tickets["data"].as_array().expect("a page");
    assert_eq!(tickets.len(), 1, "{tickets:?}");
    assert_eq!((&tickets[0]["conversation"], &tickets[0]["status"]), (&1.into(), &"resolved".into()));
}

/// Notes and what was said before the acceptance never went out; everything else went out once.
fn kept_to_the_rules(talk: &Talk) {
    let methods = requests_fit(&talk.fake);
    for method in ["createForumTopic", "editMessageText", "sendMessage", "setMessageReaction", "getFile"] {
        assert!(
            methods.is_empty() || methods.iter().any(|sent| sent == method),
            "{method} is not in {methods:?}"
        );
    }
    assert_eq!(talk.fake.violations(), Vec::<String>::new());
    let private = talk.fake.transcript(MARIA, None).join("\n");
    assert!(!private.contains("nervous"), "a note went out: {private}");
    for text in ["I am, in a new topic", "did you turn it off?", "yes, elsewhere"] {
        assert_eq!(talk.count(None, text), 1, "{text}: {private}");
    }
}

/// The log leads to the stored state, and every message is stored once.
async fn remembered(talk: &mut Talk) {
    let rows = talk.bridge.rows("messages").await;
    for text in ["the tray is stuck", "Pull the green lever", "are you there", "still here?", "good"] {
        assert_eq!(rows.iter().filter(|row| row["content"]["text"] == text).count(), 1, "{text}");
    }
    // The log holds ids and facts, so that erasing a person's words leaves it whole.
    let log = talk.bridge.rows("log").await;
    let log = serde_json::to_string(&log).expect("JSON");
    for words in ["tray", "lever", "are you there", "still here", "nervous", "printer is jammed"] {
        assert!(!log.contains(words), "“{words}” is in the log");
    }
    let (same, report, said) = talk.bridge.run(&["replay", "1", "--json"]).await;
    assert!(same, "{report}{said}");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["same"], true, "{report}");
    assert!(report["events"].as_u64().is_some_and(|events| events > 30), "{report}");
}

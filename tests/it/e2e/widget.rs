//! L1–L9 once more on the built program, with a visitor on the widget's own protocol and the technician in a topic, on
//! SQLite and on PostgreSQL.
//!
//! Not here: the protocol's clauses (`widget_suite`), what a browser shows (`browser`), what the steps mean (scenarios).

pub mod visitor;

use serde_json::json;

use super::bridge::{Base, Way};
use super::talk::{BOB, Talk, UNPACED};
use visitor::{ORIGIN, Visitor};

#[tokio::test]
async fn widget_life_sqlite() {
    live(Base::Sqlite).await;
}

#[tokio::test]
async fn pg_widget_life() {
    live(Base::Postgres).await;
}

async fn live(base: Base) {
    let Some(mut talk) = Talk::set_up(Way::Polling, base).await else { return };
    talk.bridge.configure(|text| {
        let text = text.replace("[desk]", "[sessions]\nreopen_window = \"7d\"\n[desk]");
        format!(
            "{text}\n[channels.widget]\nadapter = \"widget\"\norigins = [\"{ORIGIN}\"]\nmessages_per_minute = 600\n"
        )
    });
    let token = talk.bridge.token().await;
    talk.bridge.start_as(&UNPACED).await;
    let mut maria = Visitor::arrive(talk.bridge.port).await;
    l1_stored_before_it_is_acknowledged(&mut talk, &mut maria, &token).await;
    l2_one_answer_per_turn(&mut maria).await;
    l4_an_inferred_wish_is_asked_about(&mut maria).await;
    let topic = l3_l5_handed_over(&talk, &mut maria, &token).await;
    l6_the_assistant_is_silent(&talk, &mut maria, topic).await;
    l9_edits_and_deletions(&talk, &mut maria, topic).await;
    l7_handed_back(&talk, &mut maria, topic).await;
    l8_asked_once_and_reopened(&talk, &mut maria, topic).await;
    l8_a_new_request(&talk, &mut maria, topic, &token).await;
    l8_after_the_window(&mut talk, &mut maria, &token).await;
    kept_to_the_rules(&mut talk, &maria).await;
}

/// L1: the ack is enough: killed right after it, the program has the message, answers it, and shows it once.
async fn l1_stored_before_it_is_acknowledged(talk: &mut Talk, maria: &mut Visitor, token: &str) {
    const FIRST: &str = "my printer has a paper jam";
    let id = maria.act(json!({ "t": "send", "text": FIRST })).await;
    talk.bridge.kill().await;
    talk.bridge.start_as(&UNPACED).await;
    maria.come_back().await;
    // A browser that never saw the ack says it again.
    maria.repeat(&id, FIRST).await;
    maria.sees("me", FIRST).await;
    maria.sees("assistant", "Printer paper jam").await;
    assert_eq!((maria.count(FIRST), maria.answers()), (1, 1), "{:#?}", maria.said());
    assert_eq!(conversations(talk, token).await, 1);
}

/// L2: what comes within the burst window is one turn, with one answer.
async fn l2_one_answer_per_turn(maria: &mut Visitor) {
    let before = maria.answers();
    let first = maria.begin(json!({ "t": "send", "text": "now my vpn" })).await;
    let second = maria.begin(json!({ "t": "send", "text": "says error 691" })).await;
    maria.acknowledged(&first).await;
    maria.acknowledged(&second).await;
    let one = maria.answered(before).await;
    assert!(one.text.contains("691"), "{one:?}");
    // Whatever else were to come, the next turn's answer comes after it.
    maria.say("how do I open a shared drive").await;
    let other = maria.answered(before + 1).await;
    assert!(other.text.contains("drive"), "{other:?}");
    assert_eq!(maria.answers(), before + 2, "{:#?}", maria.said());
}

/// L4: nothing good enough is known, so the assistant asks first; "no" goes on.
async fn l4_an_inferred_wish_is_asked_about(maria: &mut Visitor) {
    let before = maria.answers();
    maria.say("zygomorphic quinquereme flibbertigibbet").await;
    let mut question = maria.answered(before).await;
    // The first time it may ask what is meant.
    if !question.text.contains("Shall I connect you") {
        maria.say("brobdingnagian xylothermal snollygoster").await;
        question = maria.answered(before + 1).await;
    }
    assert!(question.text.contains("Shall I connect you"), "{question:?}");
    maria.press(&question, "No, keep going").await;
    maria.sees("desk", "we keep going").await;
    maria.stands("assistant").await;
}

/// L3, L5: asked for in plain words, acted on at once: one message with the place in the queue, the card with the summary,
/// the transcript, the ticket, the offer.
async fn l3_l5_handed_over(talk: &Talk, maria: &mut Visitor, token: &str) -> i64 {
    maria.say("I want to talk to a human").await;
    let told = maria.sees("desk", "connecting you with a technician").await;
    assert!(told.text.contains("You are next"), "{told:?}");
    maria.stands("waiting").await;
    let topic = talk.offered().await;
    let transcript = talk.sees(Some(topic), "Transcript").await;
    assert!(transcript.text().contains("paper jam"), "{}", transcript.text());
    let card = talk.sees(Some(topic), "Previous troubleshooting").await;
    for part in ["📌 #1", "Intent", "Conversation summary", "Service information"] {
        assert!(card.text().contains(part), "{part} is not on the card: {}", card.text());
    }
    talk.sees(Some(topic), "yours to accept").await;
    assert_eq!(maria.count("connecting you with a technician"), 1);
    let tickets = talk.bridge.api("/tickets", token).await;
    assert_eq!(tickets["data"][0]["conversation"], 1, "{tickets}");
    topic
}

/// L6: from the handover on only people speak; on acceptance it is said who joined.
async fn l6_the_assistant_is_silent(talk: &Talk, maria: &mut Visitor, topic: i64) {
    let before = maria.answers();
    maria.say("how do I reset my password, by the way").await;
    talk.sees(Some(topic), "by the way").await;
    let offer = talk.sees(Some(topic), "yours to accept").await;
    talk.fake.press(BOB, talk.desk, offer.id, "Accept");
    maria.sees("desk", "Bob has joined").await;
    let standing = maria.stands("human").await;
    assert_eq!(standing["technician"], "Bob", "{standing}");
    talk.sees(Some(topic), "accepted after").await;
    talk.reply(topic, "🔒 she writes a lot");
    talk.reply(topic, "I will have a look");
    maria.sees("technician", "I will have a look").await;
    maria.say("thank you so much").await;
    talk.sees(Some(topic), "thank you so much").await;
    assert_eq!(maria.answers(), before, "{:#?}", maria.said());
}

/// L9: both ways; a note never goes out. A bot is not told of deletions (D18).
async fn l9_edits_and_deletions(talk: &Talk, maria: &mut Visitor, topic: i64) {
    let asked = maria.say("the tray is stuk").await;
    talk.sees(Some(topic), "the tray is stuk").await;
    maria.act(json!({ "t": "edit", "message": asked.id, "text": "the tray is stuck" })).await;
    talk.sees(Some(topic), "the tray is stuck").await;
    assert_eq!(talk.count(Some(topic), "the tray is st"), 1, "the edit became a message of its own");
    let slip = maria.say("my password is hunter2").await;
    talk.sees(Some(topic), "hunter2").await;
    maria.act(json!({ "t": "delete", "message": slip.id })).await;
    let desk = talk.desk;
    talk.until("deletion", |world| {
        !world.messages_in(desk, Some(topic)).iter().any(|message| message.text().contains("hunter2"))
    })
    .await;
    let told = talk.reply(topic, "Pull the gren lever");
    let theirs = maria.sees("technician", "Pull the gren lever").await;
    // S66: words of others are not hers to change, whatever frame a made-up client sends.
    for act in [
        json!({ "t": "edit", "message": theirs.id, "text": "Your account is closed" }),
        json!({ "t": "delete", "message": theirs.id }),
    ] {
        assert_eq!(maria.dares(act).await, Some(404));
    }
    assert_eq!((maria.count("Pull the gren lever"), talk.count(Some(topic), "account is closed")), (1, 0));
    talk.fake.edit_message(talk.desk, told, "Pull the green lever");
    maria.sees("technician", "Pull the green lever").await;
    assert_eq!((maria.count("en lever"), maria.count("the tray is st")), (1, 1), "{:#?}", maria.said());
    let slip = talk.reply(topic, "one moment please");
    maria.sees("technician", "one moment please").await;
    talk.fake.edit_message(talk.desk, slip, "🔒 one moment please, this is hopeless");
    maria.lacks("one moment please").await;
}

/// L7: the assistant answers only what comes after.
async fn l7_handed_back(talk: &Talk, maria: &mut Visitor, topic: i64) {
    let before = maria.answers();
    maria.say("my wifi is slow").await;
    talk.sees(Some(topic), "my wifi is slow").await;
    talk.reply(topic, "/handback");
    maria.stands("assistant").await;
    let spoken: Vec<_> =
        maria.said().into_iter().filter(|one| one.from == "assistant").skip(before).collect();
    assert!(!spoken.iter().any(|one| one.text.to_lowercase().contains("wifi")), "{spoken:?}");
    let first = maria.answers();
    maria.say("the vpn says error 691 again").await;
    let answer = maria.answered(first).await;
    assert!(answer.text.contains("691"), "{answer:?}");
    assert_eq!(maria.answers(), first + 1, "the backlog was answered: {:#?}", maria.said());
}

/// L8, D5: asked once; the same issue reopens and goes to the last technician.
async fn l8_asked_once_and_reopened(talk: &Talk, maria: &mut Visitor, topic: i64) {
    maria.say("I want to talk to a human").await;
    taken_over_and_resolved(talk, maria, topic).await;
    maria.say("it broke again").await;
    let question = maria.sees("desk", "Is this about the same issue").await;
    maria.say("really").await;
    maria.press(&question, "Same issue").await;
    maria.sees("desk", "is open again").await;
    talk.sees(Some(topic), "it broke again").await;
    assert_eq!(maria.count("Is this about the same issue"), 1, "{:#?}", maria.said());
}

/// Accepts the latest offer in the topic, and resolves.
async fn taken_over_and_resolved(talk: &Talk, maria: &mut Visitor, topic: i64) {
    maria.stands("waiting").await;
    talk.reply(topic, "/accept");
    maria.stands("human").await;
    talk.reply(topic, "/resolve");
    maria.stands("closed").await;
}

/// L8, D5: something new is a conversation of its own.
async fn l8_a_new_request(talk: &Talk, maria: &mut Visitor, topic: i64, token: &str) {
    talk.reply(topic, "/accept");
    maria.stands("human").await;
    talk.reply(topic, "/resolve");
    maria.stands("closed").await;
    maria.say("how do I set up a meeting with audio").await;
    let question = maria.sees("desk", "Is this about the same issue").await;
    maria.press(&question, "New request").await;
    maria.stands("assistant").await;
    assert_eq!(maria.count("Is this about the same issue"), 2, "{:#?}", maria.said());
    assert_eq!(conversations(talk, token).await, 2);
}

/// L8: after the window nothing is asked. The window is none at all, so that nothing has to pass.
async fn l8_after_the_window(talk: &mut Talk, maria: &mut Visitor, token: &str) {
    maria.act(json!({ "t": "press", "action": "close" })).await;
    maria.stands("closed").await;
    assert!(talk.bridge.stop().await.success(), "{}", talk.bridge.log());
    talk.bridge.configure(|text| text.replace("reopen_window = \"7d\"", "reopen_window = \"0s\""));
    talk.bridge.start_as(&UNPACED).await;
    maria.come_back().await;
    maria.say("my outlook does not open").await;
    maria.stands("assistant").await;
    maria.sees("assistant", "utlook").await;
    assert_eq!(maria.count("Is this about the same issue"), 2, "{:#?}", maria.said());
    assert_eq!(conversations(talk, token).await, 3);
}

async fn conversations(talk: &Talk, token: &str) -> usize {
    let page = talk.bridge.api("/conversations", token).await;
    page["data"].as_array().expect("a page").len()
}

/// Internal words stayed internal, nothing was said twice, and every message is stored once.
async fn kept_to_the_rules(talk: &mut Talk, maria: &Visitor) {
    assert_eq!(talk.fake.violations(), Vec::<String>::new());
    for text in ["she writes a lot", "hunter2"] {
        assert_eq!(maria.count(text), 0, "{text}: {:#?}", maria.said());
    }
    for text in ["I will have a look", "Bob has joined and will help", "thank you so much", "my wifi is slow"]
    {
        assert!(maria.count(text) >= 1, "{text}: {:#?}", maria.said());
    }
    let rows = talk.bridge.rows("messages").await;
    for text in ["my printer has a paper jam", "the tray is stuck", "Pull the green lever", "really"] {
        assert_eq!(rows.iter().filter(|row| row["content"]["text"] == text).count(), 1, "{text}");
    }
}

//! What goes wrong between the built program and Slack, or its database, and that people see what they must.
//!
//! Not here: forged and odd calls of the door (`doors`), what users of other products met (`rows`).

use std::time::Duration;

use deskbridge_platforms::slack::{Fault, FaultKind, Message};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _};

use super::super::bridge::Base;
use super::{Receive, Talk};

/// Events of Slack, a thousand copies at once over HTTP (F15, S4, T1).
#[tokio::test]
async fn slack_f15_a_thousand_at_once_have_one_effect() {
    a_thousand(Receive::Http, Base::Sqlite).await;
}

#[tokio::test]
async fn slack_f15_a_thousand_at_once_through_sockets() {
    a_thousand(Receive::Socket, Base::Sqlite).await;
}

#[tokio::test]
async fn pg_slack_f15_a_thousand_at_once() {
    a_thousand(Receive::Http, Base::Postgres).await;
}

async fn a_thousand(receive: Receive, base: Base) {
    let Some(mut talk) = Talk::set_up(receive, base).await else { return };
    talk.run().await;
    let im = talk.im();
    talk.fake.pause(true);
    let ts = talk.ask("my printer is jammed");
    let event = talk.acme.events_about(&im, &ts).remove(0);
    talk.fake.redeliver(&event, 999);
    talk.fake.pause(false);
    talk.until("all copies", |world| world.outstanding() == 0).await;
    let attempts = talk.fake.attempts(&event);
    assert!(attempts.iter().all(|attempt| attempt.was_taken()), "refused: {attempts:?}");
    talk.sees(&im, "Printer paper jam").await;
    talk.fake.redeliver(&event, 10);
    talk.until("late copies", |world| world.outstanding() == 0).await;
    let root = talk.assigned().await;
    talk.reply(&root, "one of each");
    talk.sees(&im, "one of each").await;
    assert_eq!(talk.count(&im, "Printer paper jam"), 1);
    let transcript = talk.sees(&talk.desk, "Transcript").await.shown();
    assert_eq!(transcript.matches("my printer is jammed").count(), 1, "{transcript}");
    let rows = talk.bridge.rows("messages").await;
    assert_eq!(rows.iter().filter(|row| row["content"]["text"] == "my printer is jammed").count(), 1);
}

/// The database takes nothing for a while: events are refused, come again, and have one effect (F07, F09).
#[tokio::test]
async fn slack_f07_an_outage_of_the_database() {
    let mut talk = Talk::start(Receive::Http).await;
    let (im, file) = (talk.im(), talk.bridge.folder.path().join("deskbridge.db"));
    talk.ask("/start");
    talk.until("first words", |world| !talk.own(world, &im).is_empty()).await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let mut other = options.connect().await.expect("opened");
    sqlx::raw_sql("begin immediate").execute(&mut other).await.expect("locked");
    let ts = talk.ask("my printer is jammed");
    let event = talk.acme.events_about(&im, &ts).remove(0);
    let refused = |world: &deskbridge_platforms::slack::World| {
        world.ledger.attempts(&event).iter().any(|attempt| !attempt.was_taken())
    };
    talk.until("refusal", refused).await;
    sqlx::raw_sql("rollback").execute(&mut other).await.expect("unlocked");
    other.close().await.expect("closed");
    talk.sees(&im, "Printer paper jam").await;
    let attempts = talk.fake.attempts(&event);
    assert!(attempts.iter().any(|attempt| attempt.status == Some(503)), "{attempts:?}");
    assert_eq!(talk.count(&im, "Printer paper jam"), 1);
    talk.nothing_amiss();
    let rows = talk.bridge.rows("messages").await;
    assert_eq!(rows.iter().filter(|row| row["content"]["text"] == "my printer is jammed").count(), 1);
}

/// What was said while nothing could be taken is read back (an outage longer than the platform's retries).
#[tokio::test]
async fn slack_a_long_outage_is_caught_up() {
    let mut talk = Talk::start(Receive::Http).await;
    let (root, im) = (talk.assigned().await, talk.im());
    talk.ask("before");
    talk.sees(&talk.desk, "before").await;
    let typo = talk.reply(&root, "pull the gren lever");
    talk.sees(&im, "pull the gren lever").await;
    // At any moment: a room that something came from once is read on from there.
    talk.bridge.kill().await;
    let asked = talk.ask("said into the void");
    let told = talk.reply(&root, "answered into the void");
    talk.acme.edit(&talk.bob, &talk.desk, &typo, "pull the green lever");
    talk.until("end of the retries", |world| world.outstanding() == 0).await;
    assert!(talk.fake.read(|world| world.ledger.lost.len()) >= 2);
    talk.run().await;
    talk.sees(&talk.desk, "said into the void").await;
    talk.sees(&im, "answered into the void").await;
    talk.sees(&im, "pull the green lever").await;
    assert_eq!(talk.count(&im, "gren lever"), 0);
    // A late copy of what was read back changes nothing.
    for (channel, ts) in [(&im, asked), (&talk.desk, told)] {
        let event = talk.acme.events_about(channel, &ts).remove(0);
        talk.fake.redeliver(&event, 3);
    }
    talk.until("late copies", |world| world.outstanding() == 0).await;
    talk.ask("after");
    talk.sees(&talk.desk, "after").await;
    assert_eq!(talk.count(&talk.desk, "said into the void"), 1);
    assert_eq!(talk.count(&im, "answered into the void"), 1);
    talk.nothing_amiss();
}

/// The same words reach the thread once, whatever befell their first sending.
async fn arrives_once(talk: &Talk, text: &str, fault: FaultKind) {
    talk.fake.fault(Fault::on("chat.postMessage", fault).in_channel(&talk.desk));
    talk.ask(text);
    talk.sees(&talk.desk, text).await;
    talk.ask(format!("and after {text}"));
    talk.sees(&talk.desk, &format!("and after {text}")).await;
    let copies = talk.fake.read(|world| {
        let own = talk.own(world, &talk.desk);
        own.iter().filter(|message: &&&Message| message.shown() == text).count()
    });
    assert_eq!(copies, 1, "{text}: {:#?}", talk.acme.transcript(&talk.desk, None));
}

#[tokio::test]
async fn slack_f11_too_many_requests() {
    let talk = Talk::start(Receive::Http).await;
    talk.assigned().await;
    arrives_once(&talk, "one second", FaultKind::rate_limit(1)).await;
    let calls = talk.fake.requests("chat.postMessage");
    let at = calls.iter().position(|call| call.status == Some(429)).expect("the planned refusal");
    let told = calls[at].answered_at.expect("answered");
    let next = calls[at + 1..].iter().find(|call| call.text("channel") == Some(&talk.desk)).expect("again");
    assert!(next.at - told >= Duration::from_secs(1), "after {:?}", next.at - told);
    talk.nothing_amiss();
}

/// Sent or not? It is looked for before it is sent again (S4 of the contract's §8, I4).
#[tokio::test]
async fn slack_an_answer_that_got_lost_makes_no_copy() {
    let talk = Talk::start(Receive::Http).await;
    talk.assigned().await;
    arrives_once(&talk, "dropped after it", FaultKind::CloseAfterEffect).await;
    arrives_once(&talk, "dropped before it", FaultKind::CloseBeforeReading).await;
    arrives_once(&talk, "a gateway after it", FaultKind::Status { code: 502, effect: true }).await;
    arrives_once(&talk, "a gateway before it", FaultKind::Status { code: 503, effect: false }).await;
    arrives_once(&talk, "an answer in pieces", FaultKind::CutShort).await;
    arrives_once(&talk, "a page", FaultKind::Html { effect: true }).await;
    talk.nothing_amiss();
}

/// Warnings, refreshes and cuts of Socket Mode: nothing is missed, nothing comes twice (F20).
#[tokio::test]
async fn slack_f20_sockets_come_and_go() {
    let talk = Talk::start(Receive::Socket).await;
    // What was in a connection that is cut comes again after this.
    talk.fake.settings(|settings| settings.ack_deadline = Duration::from_secs(3));
    let (root, im) = (talk.assigned().await, talk.im());
    for (number, end) in ["warning", "refresh_requested", "cut", "refresh_requested"].into_iter().enumerate()
    {
        talk.ask(format!("line {number} before"));
        match end {
            "cut" => talk.app.cut_sockets(),
            reason => talk.app.disconnect(reason),
        }
        talk.ask(format!("line {number} after"));
        talk.reply(&root, format!("told {number}"));
        talk.sees(&talk.desk, &format!("line {number} after")).await;
        talk.sees(&im, &format!("told {number}")).await;
    }
    for number in 0..4 {
        for part in ["before", "after"] {
            assert_eq!(talk.count(&talk.desk, &format!("line {number} {part}")), 1);
        }
        assert_eq!(talk.count(&im, &format!("told {number}")), 1);
    }
    talk.nothing_amiss();
}

/// Somebody deletes the card of a thread that has replies: the conversation goes on in a new one, from which everything can
/// be read and pressed (D22, F41).
#[tokio::test]
async fn slack_f41_a_deleted_card_comes_again() {
    let talk = Talk::start(Receive::Http).await;
    let (root, im) = (talk.assigned().await, talk.im());
    talk.ask("before the card went");
    talk.sees(&talk.desk, "before the card went").await;
    talk.acme.delete(&talk.desk, &root);
    // What changes the card finds out.
    talk.reply(&root, "!snooze 2h");
    let card = talk
        .wait("new card", |world| {
            let mut all = talk.own(world, &talk.desk).into_iter();
            all.find(|it| it.thread.is_none() && it.ts != root && !it.buttons().is_empty()).cloned()
        })
        .await;
    let within = |world: &deskbridge_platforms::slack::World, text: &str| {
        let own = talk.own(world, &talk.desk);
        own.iter().any(|it| it.thread.as_ref() == Some(&card.ts) && it.shown().contains(text))
    };
    talk.until("transcript", |world| within(world, "before the card went")).await;
    talk.reply(&card.ts, "it goes on here");
    talk.sees(&im, "it goes on here").await;
    talk.ask("good to know");
    talk.until("words in the new thread", |world| within(world, "good to know")).await;
    talk.acme.press(&talk.bob, &talk.desk, &card.ts, "Resolve");
    talk.sees(&im, "has marked this as resolved").await;
    talk.until("end on the new card", |world| {
        world.message(&talk.acme.team, &talk.desk, &card.ts).is_some_and(|it| it.shown().contains("Resolved"))
    })
    .await;
    let cards = talk.fake.read(|world| {
        let own = talk.own(world, &talk.desk);
        own.iter().filter(|it| it.thread.is_none()).count()
    });
    assert_eq!(cards, 1, "{:#?}", talk.acme.transcript(&talk.desk, None));
    talk.nothing_amiss();
}

/// A bot that was thrown out says so where people look, and others go on (F41).
#[tokio::test]
async fn slack_f41_thrown_out_of_the_desk() {
    let mut talk = Talk::start(Receive::Http).await;
    let (root, im) = (talk.assigned().await, talk.im());
    assert!(!talk.health().await.contains("takes no messages"), "{}", talk.health().await);
    talk.acme.remove(&talk.desk, &talk.app.bot_user);
    talk.ask("can you see this?");
    let told = format!("the desk {} takes no messages: not_in_channel", talk.desk);
    talk.health_says(&told).await;
    // Asking goes on, also for people whose conversation is another.
    let dora = talk.acme.user("Dora");
    talk.acme.dm(&dora, &talk.app, "my printer is jammed");
    talk.sees(&talk.acme.im(&dora, &talk.app), "Printer paper jam").await;
    talk.acme.join(&talk.desk, &talk.app.bot_user);
    talk.reply(&root, "I can again");
    talk.sees(&im, "I can again").await;
    talk.ask("welcome back");
    talk.sees(&talk.desk, "welcome back").await;
    assert!(!talk.health().await.contains("takes no messages"), "{}", talk.health().await);
    assert_eq!(talk.count(&talk.desk, "can you see this?"), 0);
    let lost = delivery_of(&mut talk, "can you see this?").await;
    assert_eq!((&lost["state"], &lost["error"]), (&json!("failed"), &json!("not_in_channel")), "{lost}");
}

/// How the delivery of these words to the desk stands, in the export.
async fn delivery_of(talk: &mut Talk, text: &str) -> Value {
    let messages = talk.bridge.rows("messages").await;
    let id = messages.iter().find(|row| row["content"]["text"] == text).map(|row| row["id"].clone());
    let id = id.expect("it is stored");
    let rows = talk.bridge.rows("outbox").await;
    let post = |row: &&Value| row["effect"].to_string().contains(&format!("\"message\":{id}"));
    let found: Vec<&Value> = rows.iter().filter(post).collect();
    assert_eq!(found.len(), 1, "{id}: {found:#?}");
    found[0].clone()
}

/// A token that was taken back is noticed by the event and by the refusal, is said, and is asked about no more; what was to
/// be sent waits for the next one (F18).
#[tokio::test]
async fn slack_f18_a_revoked_token_is_noticed_and_asked_no_more() {
    let mut talk = Talk::start(Receive::Http).await;
    talk.assigned().await;
    talk.app.revoke_tokens();
    talk.ask("hello?");
    talk.until("refused call", |world| {
        let mut calls = world.ledger.calls.iter().filter(|call| call.method.starts_with("chat."));
        calls.any(|call| call.error() == Some("token_revoked"))
    })
    .await;
    talk.until("rest", |world| world.outstanding() == 0).await;
    // Whichever was first, the event or the refusal.
    talk.health_says("revoked").await;
    assert!(!talk.health().await.contains("\"up\""), "{}", talk.health().await);
    assert!(talk.bridge.log().contains("the bot token was revoked"), "{}", talk.bridge.log());
    let refused = talk
        .fake
        .read(|world| world.ledger.calls.iter().filter(|call| call.error() == Some("token_revoked")).count());
    assert!(refused < 10, "asked {refused} times with a dead token");
    let kept = delivery_of(&mut talk, "hello?").await;
    assert_eq!(kept["state"], "queued", "{kept}");
    talk.app.reinstall();
    talk.run().await;
    talk.sees(&talk.desk, "hello?").await;
    assert_eq!(talk.count(&talk.desk, "hello?"), 1);
}

/// The app was taken out of the workspace: people see it although nobody asked anything since (F18).
#[tokio::test]
async fn slack_f18_a_removed_app_is_told_by_the_channels_health() {
    for receive in [Receive::Http, Receive::Socket] {
        let talk = Talk::start(receive).await;
        talk.app.uninstall();
        talk.health_says("the app was uninstalled from the workspace").await;
        assert!(!talk.health().await.contains("\"up\""), "{}", talk.health().await);
    }
}

//! What goes wrong between the built program and the platform, and that people see what they must.
//!
//! Not here: forged and odd calls of the webhook (`webhook`), sudden death (`kill9`), a platform that answers with
//! errors of its own or refuses the token (`refusals`).

use std::time::{Duration, Instant};

use deskbridge_platforms::telegram::{Call, Fault, FaultKind};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::bridge::{Base, Way};
use super::talk::{MARIA, Talk};

/// F02: from SIGTERM to the end of the process.
const ENDED: Duration = Duration::from_secs(20);

async fn polled() -> Talk {
    Talk::start(Way::Polling, Base::Sqlite).await.expect("SQLite is always there")
}

/// The requester's own message reaches the topic once, whatever befell its first sending.
async fn arrives_once(talk: &Talk, topic: i64, text: &str, fault: Fault) {
    talk.fake.fault(fault.in_chat(talk.desk));
    talk.say(text);
    talk.sees(Some(topic), text).await;
    assert_eq!(talk.count(Some(topic), text), 1, "{text}");
}

#[tokio::test]
async fn f11_too_many_requests() {
    let talk = polled().await;
    let topic = talk.assigned().await;
    let odd = |retry_after| Fault::on("sendMessage", FaultKind::odd_rate_limit(retry_after));
    arrives_once(&talk, topic, "no figure", odd(None)).await;
    arrives_once(&talk, topic, "no number", odd(Some(json!("abc")))).await;
    let asked = Instant::now();
    arrives_once(&talk, topic, "one second", Fault::on("sendMessage", FaultKind::rate_limit(1))).await;
    assert!(asked.elapsed() >= Duration::from_secs(1), "earlier than told");
    talk.nothing_amiss();
}

/// D33: what may have been carried out is sent once more, and never a third time.
#[tokio::test]
async fn d33_f14_an_answer_that_was_lost() {
    let talk = polled().await;
    talk.assigned().await;
    let topic = talk.offered().await;
    talk.fake.fault(Fault::on("sendMessage", FaultKind::CloseAfterEffect).in_chat(MARIA));
    talk.reply(topic, "perhaps twice");
    talk.reply(topic, "after it");
    talk.sees(None, "after it").await;
    assert!((1..=2).contains(&talk.count(None, "perhaps twice")));
    talk.nothing_amiss();
}

/// F12, F14: a connection that broke before anything was read, in the lane of the requester.
#[tokio::test]
async fn f14_a_connection_that_broke() {
    let talk = polled().await;
    let topic = talk.assigned().await;
    talk.fake.fault(Fault::on("sendMessage", FaultKind::CloseBeforeReading));
    talk.reply(topic, "a connection was lost");
    talk.sees(None, "a connection was lost").await;
    assert_eq!(talk.count(None, "a connection was lost"), 1);
    talk.nothing_amiss();
}

#[tokio::test]
async fn a_blocked_bot_is_told_to_the_technician() {
    let talk = polled().await;
    let topic = talk.assigned().await;
    talk.fake.block(MARIA);
    let told = talk.reply(topic, "are you there?");
    let bot = talk.fake.bot_id();
    talk.until("mark of failure", |world| world.reactions(talk.desk, told, bot).contains(&"😱".to_owned()))
        .await;
    talk.nothing_amiss();
}

#[tokio::test]
async fn t44_a_deleted_topic_is_opened_again() {
    let talk = polled().await;
    let topic = talk.assigned().await;
    talk.fake.delete_topic(talk.desk, topic);
    talk.say("are you there");
    let again = talk
        .wait("new topic", |world| {
            world.topics(talk.desk).last().map(|found| found.id).filter(|id| *id != topic)
        })
        .await;
    talk.sees(Some(again), "📌 #1").await;
    talk.sees(Some(again), "Transcript").await;
    talk.sees(Some(again), "are you there").await;
    talk.reply(again, "I am, in a new topic");
    talk.sees(None, "I am, in a new topic").await;
    talk.nothing_amiss();
}

#[tokio::test]
async fn f41_a_group_that_moved_is_followed() {
    let talk = polled().await;
    let topic = talk.assigned().await;
    let moved = talk.fake.migrate(talk.desk);
    talk.say("still here?");
    talk.sees_in(moved, Some(topic), "still here?").await;
    talk.fake.topic_message(super::talk::BOB, moved, topic, "yes, elsewhere");
    talk.sees(None, "yes, elsewhere").await;
}

#[tokio::test]
async fn f21_a_second_poller_stops_nothing_for_good() {
    let talk = polled().await;
    talk.say("/start");
    talk.sees(None, "Tell me what is not working").await;
    let conflict = FaultKind::status(409, "Conflict: terminated by other getUpdates request");
    talk.fake.fault(Fault::on("getUpdates", conflict).times(2));
    talk.say("my printer is jammed");
    talk.sees(None, "Printer paper jam").await;
    talk.nothing_amiss();
}

#[tokio::test]
async fn f31_a_second_process_on_one_file_is_refused() {
    let mut talk = polled().await;
    let (good, _, said) = talk.bridge.run(&["serve", "--listen", "127.0.0.1:0"]).await;
    assert!(!good, "{said}");
    talk.say("/start");
    talk.sees(None, "Tell me what is not working").await;
    assert!(talk.bridge.stop().await.success());
}

#[tokio::test]
async fn sigterm_under_load_ends_in_order_and_loses_nothing() {
    let mut talk = polled().await;
    talk.assigned().await;
    let texts: Vec<String> = (0..60).map(|n| format!("word {n}.")).collect();
    for text in &texts[..40] {
        talk.say(text.as_str());
    }
    talk.until("some taken", |world| world.pending_updates() < 40).await;
    for text in &texts[40..] {
        talk.say(text.as_str());
    }
    let asked = Instant::now();
    let ended = talk.bridge.stop().await;
    assert!(ended.success(), "{ended:?} {}", talk.bridge.log());
    assert!(asked.elapsed() <= ENDED, "{:?}", asked.elapsed());
    talk.bridge.start().await;
    talk.until("everything taken", |world| world.pending_updates() == 0).await;
    let rows = talk.bridge.rows("messages").await;
    for text in &texts {
        assert_eq!(rows.iter().filter(|row| row["content"]["text"] == *text).count(), 1, "{text}");
    }
}

/// F02: a call that the platform does not answer, and a caller that does not hang up, hold up the end no longer.
#[tokio::test]
async fn sigterm_does_not_wait_for_others() {
    let mut talk = polled().await;
    let topic = talk.assigned().await;
    talk.fake.fault(
        Fault::on("sendMessage", FaultKind::stall(Duration::from_secs(60), false)).in_chat(MARIA).times(5),
    );
    talk.reply(topic, "will it arrive?");
    talk.until("call under way", |world| {
        let open = |call: &&Call| call.chat() == Some(MARIA) && call.status.is_none() && call.fault.is_some();
        world.requests("sendMessage").iter().copied().any(|call| open(&call))
    })
    .await;
    let mut caller = TcpStream::connect(("127.0.0.1", talk.bridge.port)).await.expect("connected");
    caller.write_all(b"POST /hooks/telegram HTTP/1.1\r\n").await.expect("written");
    let asked = Instant::now();
    let ended = talk.bridge.stop().await;
    assert!(ended.success(), "{ended:?} {}", talk.bridge.log());
    assert!(asked.elapsed() <= ENDED, "{:?}", asked.elapsed());
    talk.fake.clear_faults();
    talk.bridge.start().await;
    // Nobody knows whether the first attempt was carried out (D33).
    talk.sees(None, "will it arrive?").await;
    assert_eq!(talk.count(None, "will it arrive?"), 1);
    talk.nothing_amiss();
}

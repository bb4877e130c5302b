use std::time::{Duration, Instant};

use deskbridge_platforms::telegram::{FakeTelegram, Fault, FaultKind};
use serde_json::{Value, json};

use crate::client::{call, http, ok};

async fn with_ana() -> FakeTelegram {
    let fake = FakeTelegram::start().await;
    fake.user(7, "Ana");
    fake.user(8, "Bea");
    fake.private_message(7, "hi");
    fake.private_message(8, "hi");
    fake
}

async fn send(fake: &FakeTelegram, chat: i64, text: &str) -> (u16, Value) {
    call(fake, "sendMessage", json!({ "chat_id": chat, "text": text })).await
}

#[tokio::test]
async fn a_fault_hits_as_often_and_where_it_says() {
    let fake = with_ana().await;
    fake.fault(Fault::on("SendMessage", FaultKind::server_error(502, false)).in_chat(7).after(1).times(2));
    let mut got = Vec::new();
    for n in 0..4 {
        got.push((send(&fake, 8, "other").await.0, send(&fake, 7, &n.to_string()).await.0));
    }
    assert_eq!(got, [(200, 200), (200, 502), (200, 502), (200, 200)]);
    assert_eq!(fake.transcript(7, None), ["Ana: hi", "bot: 0", "bot: 3"]);
    assert_eq!(fake.read(|w| w.faults.left()), 0);
}

#[tokio::test]
async fn without_an_answer_the_effect_may_be_there_or_not() {
    let fake = with_ana().await;
    fake.fault(Fault::on("sendMessage", FaultKind::CloseBeforeReading));
    fake.fault(Fault::on("sendMessage", FaultKind::CloseAfterEffect));
    fake.fault(Fault::on("sendMessage", FaultKind::server_error(500, true)));
    assert_eq!(send(&fake, 7, "never").await.0, 0);
    assert_eq!(send(&fake, 7, "shown").await.0, 0);
    assert_eq!(send(&fake, 7, "shown, too").await.0, 500);
    assert_eq!(fake.transcript(7, None), ["Ana: hi", "bot: shown", "bot: shown, too"]);
    let calls = fake.requests("sendMessage");
    let seen: Vec<_> = calls.iter().map(|call| (call.status, call.effect, call.fault.as_deref())).collect();
    assert_eq!(
        seen,
        [
            (None, false, Some("close_before_reading")),
            (None, true, Some("close_after_effect")),
            (Some(500), true, Some("status"))
        ]
    );
}

#[tokio::test]
async fn rate_limits_come_well_and_badly_formed() {
    let fake = with_ana().await;
    let odd = [Some(json!(30)), Some(json!(-5)), Some(json!("abc")), None];
    fake.fault(Fault::on("sendMessage", FaultKind::rate_limit(30)));
    for value in &odd[1..] {
        fake.fault(Fault::on("sendMessage", FaultKind::odd_rate_limit(value.clone())));
    }
    for value in odd {
        let (status, body) = send(&fake, 7, "x").await;
        assert_eq!((status, body["parameters"].get("retry_after").cloned()), (429, value), "{body}");
    }
}

#[tokio::test]
async fn answers_that_are_none() {
    let fake = with_ana().await;
    fake.fault(Fault::on("sendMessage", FaultKind::Html { effect: false }));
    fake.fault(Fault::on("sendMessage", FaultKind::Garbage { body: "{\"ok\":tru".into(), effect: true }));
    fake.fault(Fault::on("sendMessage", FaultKind::CutShort));
    for text in ["html", "garbage", "cut"] {
        assert_eq!(send(&fake, 7, text).await, (200, Value::Null), "{text}");
    }
    assert_eq!(fake.transcript(7, None), ["Ana: hi", "bot: garbage", "bot: cut"]);
    fake.fault(Fault::on("sendMessage", FaultKind::Drip { every_ms: 0 }));
    fake.fault(Fault::on("sendMessage", FaultKind::HugeHeaders { bytes: 8_000 }));
    assert_eq!(send(&fake, 7, "drip").await.1["ok"], true);
    assert_eq!(send(&fake, 7, "headers").await.1["ok"], true);
}

#[tokio::test]
async fn a_stall_ends_in_an_answer_or_in_nothing() {
    let fake = with_ana().await;
    fake.fault(Fault::on("sendMessage", FaultKind::stall(Duration::from_millis(40), true)));
    fake.fault(Fault::on("sendMessage", FaultKind::stall(Duration::from_millis(40), false)));
    let began = Instant::now();
    assert_eq!(send(&fake, 7, "slow").await.0, 200);
    assert!(began.elapsed() >= Duration::from_millis(40));
    assert_eq!(send(&fake, 7, "lost").await.0, 0);
    assert_eq!(fake.transcript(7, None), ["Ana: hi", "bot: slow"]);
}

#[tokio::test]
async fn a_stalled_effect_is_there_before_its_answer() {
    let fake = with_ana().await;
    fake.fault(Fault::on("sendMessage", FaultKind::stall(Duration::from_secs(60), true)));
    let waiting = tokio::spawn({
        let fake = fake.clone();
        async move { send(&fake, 7, "x").await }
    });
    fake.wait_until(Duration::from_secs(5), |w| w.sent_to(7).len() == 1).await.expect("the effect");
    assert_eq!(fake.requests("sendMessage")[0].status, None);
    waiting.abort();
}

#[tokio::test]
async fn downloads_have_faults_of_their_own() {
    let fake = with_ana().await;
    let post =
        deskbridge_platforms::telegram::Post::document("a.bin", "application/octet-stream", vec![7; 5000]);
    let message = fake.private_message(7, post);
    let id = fake.read(|w| w.message(7, message).and_then(|m| m.media().map(|(_, id)| id.to_owned())));
    let path = ok(&fake, "getFile", json!({ "file_id": id })).await["file_path"].clone();
    let url = format!("{}/file/bot{}/{}", fake.base_url(), fake.token(), path.as_str().expect("a path"));
    fake.fault(Fault::on("download", FaultKind::CutShort));
    fake.fault(Fault::on("download", FaultKind::Html { effect: false }));
    fake.fault(Fault::on("download", FaultKind::status(404, "Not Found")));
    let get = || async { http().get(&url).send().await.expect("an answer") };
    assert!(get().await.bytes().await.is_err());
    assert!(get().await.text().await.expect("a page").starts_with("<!DOCTYPE"));
    assert_eq!(get().await.status(), 404);
    assert_eq!(get().await.bytes().await.expect("the bytes").len(), 5000);
    assert!(fake.violations().is_empty());
}

#[tokio::test]
async fn an_outage_drops_everything_until_it_ends() {
    let fake = with_ana().await;
    fake.outage(true);
    assert_eq!(send(&fake, 7, "x").await.0, 0);
    fake.outage(false);
    assert_eq!(send(&fake, 7, "x").await.0, 200);
    assert_eq!(fake.requests("sendMessage").len(), 1);
}

#[tokio::test]
async fn a_wait_that_fails_tells_the_story() {
    let fake = with_ana().await;
    send(&fake, 7, "hello").await;
    let error = fake.wait_until(Duration::from_millis(10), |_| false).await.expect_err("a timeout");
    let story = format!("{error:?}");
    assert!(story.contains("hello") && story.contains("call 0 sendMessage"), "{story}");
}

//! The webhook of the built program as anybody on the network can call it (S17, S25, S26, S29, S30, F15).
//!
//! Not here: the same door without a socket (the adapter's tests).

use deskbridge_platforms::telegram::FakeTelegram;
use futures_util::future::join_all;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};

use super::bridge::{Base, SECRET, Way, client};
use super::talk::{MARIA, Talk};

const HEADER: &str = "x-telegram-bot-api-secret-token";

async fn hooked() -> Talk {
    let talk = Talk::start(Way::Webhook, Base::Sqlite).await.expect("SQLite is always there");
    talk.until("webhook", |world| world.updates.webhook.is_some()).await;
    talk
}

fn update(id: i64, text: &str) -> Value {
    json!({ "update_id": id, "message": {
        "message_id": id, "date": 1_795_514_400, "text": text,
        "chat": { "id": MARIA, "type": "private", "first_name": "Maria" },
        "from": { "id": MARIA, "is_bot": false, "first_name": "Maria" } } })
}

fn knock(talk: &Talk, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
    let post = client().post(talk.bridge.url("/hooks/telegram")).header(CONTENT_TYPE, "application/json");
    post.body(body)
}

async fn status(request: reqwest::RequestBuilder) -> u16 {
    request.send().await.expect("answered").status().as_u16()
}

/// What the requester wrote, as it is stored.
async fn stored(talk: &mut Talk, text: &str) -> usize {
    let rows = talk.bridge.rows("messages").await;
    rows.iter().filter(|row| row["content"]["text"] == text).count()
}

#[tokio::test]
async fn s17_only_the_right_secret_comes_in() {
    let mut talk = hooked().await;
    let body = || update(500_001, "intruder").to_string();
    let wrong = format!("{}x", &SECRET[..SECRET.len() - 1]);
    assert_eq!(status(knock(&talk, body())).await, 401);
    for secret in [&wrong, &SECRET[..SECRET.len() - 1], "", &"x".repeat(257)] {
        assert_eq!(status(knock(&talk, body()).header(HEADER, secret)).await, 401, "{secret:?}");
    }
    assert_eq!(status(knock(&talk, body()).header(HEADER, SECRET).header(HEADER, SECRET)).await, 401);
    assert_eq!(status(knock(&talk, update(500_002, "friend").to_string()).header(HEADER, SECRET)).await, 200);
    assert_eq!(stored(&mut talk, "intruder").await, 0);
    assert_eq!(stored(&mut talk, "friend").await, 1);
}

#[tokio::test]
async fn s25_s26_s30_size_encoding_and_type() {
    let mut talk = hooked().await;
    let body = || update(500_001, "intruder").to_string();
    let with = |body: String| knock(&talk, body).header(HEADER, SECRET);
    let large = update(500_001, &"x".repeat((1 << 20) + 1)).to_string();
    assert_eq!(status(with(large)).await, 413);
    for encoding in ["gzip", "br", "gzip, gzip", "made-up"] {
        assert_eq!(status(with(body()).header(CONTENT_ENCODING, encoding)).await, 415, "{encoding}");
    }
    for kind in ["text/xml", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"] {
        let request = client().post(talk.bridge.url("/hooks/telegram")).header(HEADER, SECRET);
        assert_eq!(status(request.header(CONTENT_TYPE, kind).body(body())).await, 415, "{kind}");
    }
    assert_eq!(stored(&mut talk, "intruder").await, 0);
}

#[tokio::test]
async fn s29_what_cannot_be_understood_is_kept_and_holds_up_nobody() {
    let mut talk = hooked().await;
    let odd = [
        json!({ "update_id": 500_001, "message": { "message_id": "x" } }).to_string(),
        json!({ "update_id": 500_002, "made_up_kind": { "a": 1 } }).to_string(),
        "{ not JSON".to_owned(),
    ];
    for body in odd {
        let answer = knock(&talk, body.clone()).header(HEADER, SECRET).send().await.expect("answered");
        assert!(answer.status().is_success(), "{body}: {}", answer.status());
        assert!(answer.bytes().await.expect("read").is_empty());
    }
    talk.say("/start");
    talk.sees(None, "Tell me what is not working").await;
    talk.nothing_amiss();
    assert!(talk.bridge.rows("quarantine").await.len() >= 2);
}

#[tokio::test]
async fn f15_a_hundred_at_once_have_one_effect() {
    let mut talk = hooked().await;
    talk.say("/start");
    talk.sees(None, "Tell me what is not working").await;
    let body = update(500_001, "my printer is jammed").to_string();
    let all = join_all((0..100).map(|_| status(knock(&talk, body.clone()).header(HEADER, SECRET)))).await;
    assert!(all.iter().all(|status| *status == 200), "{all:?}");
    talk.sees(None, "Printer paper jam").await;
    assert_eq!(stored(&mut talk, "my printer is jammed").await, 1);
    assert_eq!(answers(&talk.fake), 1);
}

fn answers(fake: &FakeTelegram) -> usize {
    fake.sent_to(MARIA).iter().filter(|message| message.text().contains("Printer paper jam")).count()
}

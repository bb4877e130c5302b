use deskbridge_platforms::telegram::FakeTelegram;
use serde_json::{Value, json};

use crate::client::{call, http, updates};

async fn verb(fake: &FakeTelegram, verb: &str, given: Value) -> Value {
    let url = format!("{}/_control/{verb}", fake.base_url());
    let response = http().post(url).json(&given).send().await.expect("an answer");
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["ok"], true, "{verb}: {body}");
    body["result"].clone()
}

#[tokio::test]
async fn a_script_can_play_everything() {
    let fake = FakeTelegram::start().await;
    verb(&fake, "user", json!({ "id": 7, "name": "Ana", "language_code": "tr" })).await;
    let desk = verb(&fake, "forum", json!({ "title": "Desk" })).await;
    let thread = verb(&fake, "open_topic", json!({ "user": 7, "chat": desk, "name": "A topic" })).await;
    verb(&fake, "message", json!({ "user": 7, "chat": desk, "thread": thread, "text": "in topic" })).await;
    let file = json!({ "kind": "document", "name": "a.txt", "mime": "text/plain", "content": "A" });
    verb(&fake, "private_message", json!({ "user": 7, "text": "see", "file": file })).await;
    verb(&fake, "raw_update", json!({ "update": { "odd": 1 } })).await;
    assert_eq!(updates(&fake, 0).await.len(), 4);
    let fault = json!({ "method": "sendMessage", "times": 1, "fault": { "kind": "status", "code": 500 } });
    verb(&fake, "fault", fault).await;
    assert_eq!(call(&fake, "sendMessage", json!({ "chat_id": 7, "text": "x" })).await.0, 500);
    assert_eq!(call(&fake, "sendMessage", json!({ "chat_id": 7, "text": "x" })).await.0, 200);
    assert_eq!(verb(&fake, "wait_calls", json!({ "method": "sendMessage", "count": 2 })).await, 2);
    let calls = verb(&fake, "calls", json!({ "method": "sendMessage" })).await;
    assert_eq!((&calls[0]["status"], &calls[1]["status"]), (&json!(500), &json!(200)));
    let shown = verb(&fake, "messages", json!({ "chat": 7 })).await;
    assert_eq!((&shown[0]["caption"], &shown[1]["text"]), (&json!("see"), &json!("x")));
    verb(&fake, "settings", json!({ "privacy": false, "time_scale": 0.5 })).await;
    assert!(!fake.read(|w| w.settings.privacy));
    verb(&fake, "block", json!({ "user": 7 })).await;
    assert_eq!(call(&fake, "sendMessage", json!({ "chat_id": 7, "text": "x" })).await.0, 403);
}

#[tokio::test]
async fn a_mistake_is_told() {
    let fake = FakeTelegram::start().await;
    let url = format!("{}/_control/private_message", fake.base_url());
    let response = http().post(url).json(&json!({ "user": 9, "text": "x" })).send().await.expect("an answer");
    assert_eq!(response.status(), 400);
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["description"], "no user 9");
}

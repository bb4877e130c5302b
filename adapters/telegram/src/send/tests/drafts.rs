//! An answer that grows: a draft now and then, never in a group, and none for a while after a refusal.

use std::time::Duration;

use deskbridge_contract::{Adapter as _, SendError};
use serde_json::{Value, json};
use teloxide_core::types::ChatId;
use tokio::time::Instant;

use crate::send::draft::Drafts;
use crate::testing::{Fake, Reply, private, topic};

#[test]
fn an_answer_is_one_draft_and_not_faster_than_telegram_grants() {
    let (drafts, now) = (Drafts::default(), Instant::now());
    let at = |milliseconds| now + Duration::from_millis(milliseconds);
    assert_eq!(drafts.due(ChatId(501), 4, at(0)), Some(1));
    assert_eq!(drafts.due(ChatId(501), 8, at(1_400)), None, "too soon");
    assert_eq!(drafts.due(ChatId(502), 8, at(1_400)), Some(1), "another chat");
    assert_eq!(drafts.due(ChatId(501), 20, at(1_600)), Some(1), "the same answer, longer");
    // Another answer: Telegram would morph the old text into it.
    assert_eq!(drafts.due(ChatId(501), 3, at(3_200)), Some(2));
    drafts.pause(ChatId(501), at(60_000));
    assert_eq!(drafts.due(ChatId(501), 9, at(50_000)), None, "refused a moment ago");
    assert_eq!(drafts.due(ChatId(501), 9, at(60_000)), Some(2));
}

#[test]
fn what_is_remembered_of_chats_is_bounded() {
    let (drafts, now) = (Drafts::default(), Instant::now());
    let shown = (1..=5_000).filter(|chat| drafts.due(ChatId(*chat), 1, now).is_some()).count();
    assert_eq!(shown, 1_000);
    assert_eq!(drafts.due(ChatId(5_000), 1, now + Duration::from_secs(2)), Some(1), "old ones are forgotten");
}

#[tokio::test]
async fn a_draft_carries_the_text_so_far() {
    let fake = Fake::saying(|| Reply::Result(json!(true))).await;
    let adapter = fake.adapter();
    adapter.streaming(&private(), "Open the **VPN** client").await.unwrap();
    adapter.streaming(&private(), "Open the **VPN** client and").await.unwrap();
    let calls = fake.calls();
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!(call.method, "SendMessageDraft");
    let body: Value = serde_json::from_str(&call.body).unwrap();
    let bold = json!([{ "type": "bold", "offset": 9, "length": 3 }]);
    assert_eq!(
        body,
        json!({ "chat_id": 501, "draft_id": 1, "text": "Open the VPN client", "entities": bold })
    );
}

#[tokio::test]
async fn groups_have_no_drafts_and_nothing_is_no_draft() {
    let fake = Fake::saying(|| Reply::Result(json!(true))).await;
    let adapter = fake.adapter();
    adapter.streaming(&topic(), "Open").await.unwrap();
    adapter.streaming(&private(), " \n").await.unwrap();
    assert_eq!(fake.methods(), Vec::<String>::new());
}

#[tokio::test]
async fn a_refused_draft_is_not_tried_again_soon() {
    let fake = Fake::saying(|| Reply::No(404, "Not Found: method not found")).await;
    let adapter = fake.adapter();
    let refused = adapter.streaming(&private(), "Open").await;
    assert!(matches!(refused, Err(SendError::Rejected { .. })), "{refused:?}");
    adapter.streaming(&private(), "Open the client").await.unwrap();
    assert_eq!(fake.methods(), ["SendMessageDraft"]);
}

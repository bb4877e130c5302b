use std::time::{Duration, Instant};

use deskbridge_platforms::telegram::FakeTelegram;
use serde_json::json;

use crate::client::{call, ok, refused, updates};

async fn with_ana() -> FakeTelegram {
    let fake = FakeTelegram::start().await;
    fake.user(7, "Ana");
    fake
}

#[tokio::test]
async fn an_update_comes_until_its_offset_confirms_it() {
    let fake = with_ana().await;
    fake.private_message(7, "one");
    fake.private_message(7, "two");
    let first = updates(&fake, 0).await;
    assert_eq!(first.len(), 2);
    assert_eq!(first[0]["message"]["text"], "one");
    assert_eq!(first[0]["message"]["from"]["first_name"], "Ana");
    assert_eq!(updates(&fake, 0).await, first);
    let second = first[1]["update_id"].as_i64().expect("an id");
    assert_eq!(updates(&fake, second).await, first[1..]);
    assert!(updates(&fake, second + 1).await.is_empty());
    assert_eq!(fake.read(|w| w.ledger.confirmed.clone()), [second - 1, second]);
    assert_eq!(fake.read(|w| w.ledger.times_delivered(second)), 3);
}

#[tokio::test]
async fn a_long_poll_is_held_until_something_comes() {
    let fake = with_ana().await;
    let poll = tokio::spawn({
        let fake = fake.clone();
        async move { ok(&fake, "getUpdates", json!({ "timeout": 40 })).await }
    });
    fake.wait_until(Duration::from_secs(20), |w| w.requests("getUpdates").len() == 1).await.expect("a poll");
    let said = Instant::now();
    fake.private_message(7, "now");
    let got = poll.await.expect("no panic");
    assert_eq!(got[0]["message"]["text"], "now");
    assert!(said.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn an_empty_poll_lasts_its_timeout() {
    let fake = with_ana().await;
    let began = Instant::now();
    assert_eq!(ok(&fake, "getUpdates", json!({ "timeout": 1 })).await, json!([]));
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_second_poller_throws_out_the_first() {
    let fake = with_ana().await;
    let first = tokio::spawn({
        let fake = fake.clone();
        async move { call(&fake, "getUpdates", json!({ "timeout": 40 })).await }
    });
    fake.wait_until(Duration::from_secs(20), |w| w.requests("getUpdates").len() == 1).await.expect("a poll");
    let second = tokio::spawn({
        let fake = fake.clone();
        async move { ok(&fake, "getUpdates", json!({ "timeout": 40 })).await }
    });
    let (status, body) = first.await.expect("no panic");
    assert_eq!(status, 409);
    assert!(
        body["description"].as_str().is_some_and(|d| d.contains("terminated by other getUpdates request"))
    );
    fake.private_message(7, "for the second");
    assert_eq!(second.await.expect("no panic")[0]["message"]["text"], "for the second");
}

#[tokio::test]
async fn a_webhook_and_polling_exclude_each_other() {
    let fake = with_ana().await;
    ok(&fake, "setWebhook", json!({ "url": "http://127.0.0.1:1/x" })).await;
    let (status, why) = refused(&fake, "getUpdates", json!({})).await;
    assert_eq!(status, 409);
    assert!(why.contains("can't use getUpdates method while webhook is active"));
    ok(&fake, "deleteWebhook", json!({})).await;
    assert!(updates(&fake, 0).await.is_empty());
}

#[tokio::test]
async fn kinds_come_as_allowed_and_the_setting_stays() {
    let fake = with_ana().await;
    let message = fake.private_message(7, "x");
    fake.react(7, 7, message, Some("👍"));
    assert_eq!(updates(&fake, 0).await.len(), 1);
    ok(&fake, "getUpdates", json!({ "allowed_updates": ["message_reaction"] })).await;
    fake.react(7, 7, message, None);
    fake.private_message(7, "not asked for");
    let got = updates(&fake, 0).await;
    assert_eq!(got.len(), 2);
    assert_eq!(got[1]["message_reaction"]["old_reaction"][0]["emoji"], "👍");
    assert_eq!(fake.read(|w| w.ledger.withheld.clone()), ["message_reaction", "message"]);
}

#[tokio::test]
async fn redelivery_raw_updates_and_jumping_ids() {
    let fake = with_ana().await;
    fake.private_message(7, "one");
    let one = fake.last_update_id();
    assert!(updates(&fake, one + 1).await.is_empty());
    fake.redeliver(one);
    let again = updates(&fake, one + 1).await;
    assert_eq!(again[0]["update_id"], one);
    assert!(updates(&fake, one + 1).await.is_empty());

    let raw = fake.raw_update(json!({ "what_is_this": { "x": 1 } }));
    assert_eq!(updates(&fake, one + 1).await[0]["update_id"], raw);
    // Lower than the bot's offset: the platform starts from the head of its queue and loses nothing.
    updates(&fake, raw + 1).await;
    fake.jump_update_ids(500);
    fake.private_message(7, "after a week");
    let got = updates(&fake, raw + 1).await;
    assert_eq!((got.len(), &got[0]["update_id"]), (1, &json!(500)));
    assert!(updates(&fake, 501).await.is_empty());
}

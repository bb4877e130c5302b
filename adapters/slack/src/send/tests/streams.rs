//! Answers that grow, and what becomes of them.

use std::sync::Arc;

use deskbridge_contract::{Address, Content};
use serde_json::json;

use super::super::Sending;
use super::{by, class, numbered, post, ts};
use crate::api::fake::{Call, Fake, Reply, direct, out, thread};

fn chat() -> Address {
    direct().thread("1789990000.000100")
}

/// One hint after the other; a server without limits needs no time between them.
async fn grow(sending: &Arc<Sending>, at: &Address, texts: &[&str]) {
    for text in texts {
        sending.streaming(at, text, None).await.unwrap();
    }
}

fn unpaced(fake: &Fake) -> Arc<Sending> {
    let clock = Arc::new(|| deskbridge_contract::Timestamp::EPOCH);
    let config = fake.config(json!({})).without_pace();
    Sending::new(crate::api::Api::new("slack".into(), &config, clock).unwrap())
}

fn said(calls: &[Call], key: &str) -> Vec<(String, String)> {
    let text = |call: &Call| call.json()[key].as_str().unwrap_or_default().to_owned();
    calls.iter().map(|call| (call.method.clone(), text(call))).collect()
}

fn pairs<const N: usize>(expected: [(&str, &str); N]) -> Vec<(String, String)> {
    expected.map(|(method, text)| (method.to_owned(), text.to_owned())).to_vec()
}

#[tokio::test]
async fn a_stream_becomes_the_answer() {
    let fake = Fake::start(numbered()).await;
    let sending = unpaced(&fake);
    grow(&sending, &chat(), &["Try", "Try this", "Try this: <!here>"]).await;
    let sent = sending
        .perform(&out(chat(), by(Content::text("Try this: restart."), "Assistant", true)))
        .await
        .unwrap();
    assert_eq!((sent.message, sent.address), (Some(ts(1).as_str().into()), chat()));
    let calls = fake.calls();
    assert_eq!(
        said(&calls, "markdown_text"),
        pairs([
            ("chat.startStream", "Try"),
            ("chat.appendStream", " this"),
            ("chat.appendStream", ": <\u{2060}!here>"),
            ("chat.stopStream", ""),
            ("chat.update", ""),
        ])
    );
    assert_eq!(calls[0].json()["thread_ts"], "1789990000.000100");
    let last = calls[4].json();
    assert!(last.to_string().contains("restart"), "{last}");
    assert_eq!(last["metadata"]["event_payload"]["delivery_id"], "d1");
    // The next answer is a message of its own.
    fake.forget();
    sending.perform(&out(chat(), by(Content::text("More"), "Assistant", true))).await.unwrap();
    assert_eq!(fake.methods(), ["chat.postMessage"]);
}

/// Where Slack streams nothing (a room, a chat without threads, an app without the right), a message is edited.
#[tokio::test]
async fn elsewhere_a_message_is_edited() {
    let answer = numbered();
    let fake = Fake::start(move |call| match call.method.as_str() {
        "chat.startStream" => Reply::No("missing_scope"),
        _ => answer(call),
    })
    .await;
    let sending = unpaced(&fake);
    for (at, methods) in [
        (chat(), vec!["chat.startStream", "chat.postMessage", "chat.update", "chat.update"]),
        // Refused once, a stream is not tried again for an hour.
        (direct().thread("1789990000.000200"), vec!["chat.postMessage", "chat.update", "chat.update"]),
        (thread(), vec!["chat.postMessage", "chat.update", "chat.update"]),
    ] {
        grow(&sending, &at, &["Try", "Try this"]).await;
        let sent = sending
            .perform(&out(at.clone(), by(Content::text("Try that."), "Assistant", true)))
            .await
            .unwrap();
        assert_eq!(sent.address, at);
        assert_eq!(fake.methods(), methods);
        let texts = said(&fake.calls(), "text");
        assert!(texts[methods.len() - 3].1.ends_with('…') && texts[methods.len() - 2].1.ends_with('…'));
        assert!(!texts[methods.len() - 1].1.contains('…'), "{texts:?}");
        fake.forget();
    }
}

/// In a channel Slack wants to know for whom it is.
#[tokio::test]
async fn a_stream_in_a_channel() {
    let fake = Fake::start(numbered()).await;
    let sending = unpaced(&fake);
    sending.streaming(&thread(), "Try", Some("U0ANA")).await.unwrap();
    assert_eq!(fake.methods(), ["auth.test", "chat.startStream"]);
    let body = fake.calls()[1].json();
    assert_eq!((&body["recipient_user_id"], &body["recipient_team_id"]), (&json!("U0ANA"), &json!("T1")));
    // Whatever is no person's id is nobody.
    let other = thread().room.as_str().to_owned();
    let at = Address::room(&"slack".into(), other).thread("1789990000.000300");
    sending.streaming(&at, "Try", Some("")).await.unwrap();
    assert_eq!(fake.methods()[2], "chat.postMessage");
}

/// Hints come faster than Slack takes them; the latest one later says all that the others did.
#[tokio::test]
async fn hints_are_thinned_out() {
    let fake = Fake::start(numbered()).await;
    let sending = fake.sending();
    for nth in 1..30 {
        sending.streaming(&chat(), &"word ".repeat(nth), None).await.unwrap();
    }
    assert_eq!(fake.methods(), ["chat.startStream"]);
    tokio::time::sleep(super::super::streams::APPEND_EVERY).await;
    sending.streaming(&chat(), &"word ".repeat(30), None).await.unwrap();
    assert_eq!(fake.calls()[1].json()["markdown_text"], "word ".repeat(29));
}

/// D6: another turn's words are written over the old ones.
#[tokio::test]
async fn other_words_replace_what_was_begun() {
    let fake = Fake::start(numbered()).await;
    let sending = unpaced(&fake);
    grow(&sending, &chat(), &["Try this", "Wait, do that"]).await;
    assert_eq!(fake.methods(), ["chat.startStream", "chat.stopStream", "chat.update"]);
}

/// D1: after a handover what was shown ends with "…", and the notice is a message of its own.
#[tokio::test]
async fn somebody_else_speaks() {
    let fake = Fake::start(numbered()).await;
    let sending = unpaced(&fake);
    grow(&sending, &chat(), &["Try this"]).await;
    let sent = sending.perform(&out(chat(), post(Content::text("A technician comes.")))).await.unwrap();
    assert_eq!(sent.message, Some(ts(2).as_str().into()));
    assert_eq!(
        said(&fake.calls(), "markdown_text"),
        pairs([("chat.startStream", "Try this"), ("chat.stopStream", " …"), ("chat.postMessage", "")])
    );
}

/// An answer that could not replace what grew does so at the next attempt: never two messages.
#[tokio::test]
async fn failures_leave_one_message() {
    let (answer, fails) = (numbered(), std::sync::atomic::AtomicUsize::new(0));
    let fake = Fake::start(move |call| match call.method.as_str() {
        "chat.update" if fails.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 => {
            Reply::No("ratelimited")
        }
        _ => answer(call),
    })
    .await;
    let sending = unpaced(&fake);
    grow(&sending, &chat(), &["Try this"]).await;
    let answer = out(chat(), by(Content::text("Try that."), "Assistant", true));
    assert_eq!(class(&sending.perform(&answer).await.unwrap_err()), "retry 30");
    assert_eq!(sending.perform(&answer).await.unwrap().message, Some(ts(1).as_str().into()));
    assert!(!fake.methods().contains(&"chat.postMessage".to_owned()));
}

/// Somebody deleted what grew: the answer is posted.
#[tokio::test]
async fn what_grew_was_deleted() {
    let answer = numbered();
    let fake = Fake::start(move |call| match call.method.as_str() {
        "chat.update" | "chat.stopStream" => Reply::No("message_not_found"),
        _ => answer(call),
    })
    .await;
    let sending = unpaced(&fake);
    grow(&sending, &chat(), &["Try this"]).await;
    let answer = out(chat(), by(Content::text("Try that."), "Assistant", true));
    assert_eq!(sending.perform(&answer).await.unwrap().message, Some(ts(2).as_str().into()));
}

/// Whoever shows an answer growing is dropped when it is there. The message that the last hint made must be known.
#[tokio::test]
async fn a_dropped_hint_still_counts() {
    let fake = Fake::start(numbered()).await;
    let sending = unpaced(&fake);
    let (hinting, at) = (sending.clone(), chat());
    let hint = tokio::spawn(async move { hinting.streaming(&at, "Try this", None).await });
    while fake.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    hint.abort();
    let sent =
        sending.perform(&out(chat(), by(Content::text("Try that."), "Assistant", true))).await.unwrap();
    assert_eq!(sent.message, Some(ts(1).as_str().into()));
    assert_eq!(fake.methods(), ["chat.startStream", "chat.stopStream", "chat.update"]);
    assert_eq!(json!(fake.calls()[2].json()["ts"]), json!(ts(1)));
}

//! Reading back after an attempt of which nobody knows the outcome (D33).

use std::sync::Arc;
use std::sync::Mutex;

use deskbridge_contract::{CardState, Content, OutboundOp};
use serde_json::{Value, json};

use super::{card, class, post, title, ts};
use crate::api::fake::{Call, Fake, Reply, desk, direct, out, thread};

/// Keeps what is posted and shows it as Slack does: rooms from the end, threads from the beginning, in pages of two.
async fn remembering() -> Fake {
    let kept: Arc<Mutex<Vec<Value>>> = Arc::default();
    Fake::start(move |call: &Call| {
        let given = call.json();
        let mut kept = kept.lock().unwrap();
        match call.method.as_str() {
            "chat.postMessage" => {
                let mut message = given.clone();
                message["ts"] = json!(ts(kept.len() + 1));
                kept.push(message.clone());
                Reply::Yes(message)
            }
            method @ ("conversations.history" | "conversations.replies") => {
                if given["include_all_metadata"] != "true" {
                    return Reply::No("no metadata was asked for");
                }
                let thread = method == "conversations.replies";
                let mut there: Vec<Value> = kept
                    .iter()
                    .filter(|m| m["channel"] == given["channel"])
                    .filter(|m| if thread { m["thread_ts"] == given["ts"] } else { m["thread_ts"].is_null() })
                    .cloned()
                    .collect();
                if !thread {
                    there.reverse();
                }
                let from: usize = given["cursor"].as_str().and_then(|c| c.parse().ok()).unwrap_or(0);
                let page: Vec<Value> = there.iter().skip(from).take(2).cloned().collect();
                let next = if from + 2 < there.len() { (from + 2).to_string() } else { String::new() };
                Reply::Yes(json!({ "messages": page, "response_metadata": { "next_cursor": next } }))
            }
            _ => Reply::Yes(json!({})),
        }
    })
    .await
}

#[tokio::test]
async fn posts_are_found_in_rooms_and_threads() {
    let fake = remembering().await;
    let sending = fake.sending();
    for at in [direct(), thread()] {
        let mut ours = out(at.clone(), post(Content::text("mine")));
        ours.id = format!("ours in {at:?}").as_str().into();
        assert_eq!(sending.find(&ours).await.unwrap(), None);
        let sent = sending.perform(&ours).await.unwrap();
        for nth in 0..5 {
            let mut other = out(at.clone(), post(Content::text("other")));
            other.id = format!("other {nth} {at:?}").as_str().into();
            sending.perform(&other).await.unwrap();
        }
        assert_eq!(sending.find(&ours).await.unwrap(), Some(sent));
    }
}

#[tokio::test]
async fn all_parts_are_found_or_the_rest_is_sent() {
    let fake = remembering().await;
    let sending = fake.sending();
    let long = out(thread(), post(Content::text("word ".repeat(1500))));
    let sent = sending.perform(&long).await.unwrap();
    assert!(!sent.more.is_empty());
    assert_eq!(sending.find(&long).await.unwrap(), Some(sent.clone()));
    // The same delivery elsewhere, of which only the first part is there.
    let half = out(direct(), long.op.clone());
    let first = json!({
        "channel": "D024BE91L",
        "text": "half",
        "metadata": super::super::plan::metadata(&half.id, 1, 1 + sent.more.len()),
    });
    sending.api.post("chat.postMessage", &first).await.unwrap();
    fake.forget();
    assert_eq!(sending.find(&half).await.unwrap(), None);
    let rest = sending.perform(&half).await.unwrap();
    assert_eq!(rest.more.len(), sent.more.len());
    let posts = fake.methods().iter().filter(|method| *method == "chat.postMessage").count();
    assert_eq!(posts, sent.more.len(), "the first part was posted again");
}

#[tokio::test]
async fn cards_are_found_as_roots() {
    let fake = remembering().await;
    let sending = fake.sending();
    let open = out(desk(), OutboundOp::OpenThread { title: title(), card: card(), actions: Vec::new() });
    assert_eq!(sending.find(&open).await.unwrap(), None);
    let sent = sending.perform(&open).await.unwrap();
    assert_eq!(sending.find(&open).await.unwrap(), Some(sent));
    let set = OutboundOp::SetThread {
        title: super::ThreadTitle { state: CardState::Closed, ..title() },
        closed: true,
    };
    assert!(sending.find(&out(thread(), set)).await.is_err());
}

/// The caveat: where a bot may not read, that is no reason to stop sending, nor to look for ever.
#[tokio::test]
async fn where_nothing_can_be_read() {
    for (code, expected) in [
        ("missing_scope", "rejected"),
        ("not_allowed_token_type", "rejected"),
        ("channel_not_found", "gone"),
        ("ratelimited", "retry 30"),
        ("invalid_auth", "unauthorized"),
        ("internal_error", "retry"),
    ] {
        let fake = Fake::saying(move || Reply::No(code)).await;
        let error = fake.sending().find(&out(thread(), post(Content::text("x")))).await.unwrap_err();
        assert_eq!(class(&error), expected, "{code}");
    }
    let fake = Fake::saying(|| Reply::No("thread_not_found")).await;
    assert_eq!(fake.sending().find(&out(thread(), post(Content::text("x")))).await.unwrap(), None);
    let fake = Fake::saying(|| Reply::Close).await;
    let error = fake.sending().find(&out(thread(), post(Content::text("x")))).await.unwrap_err();
    assert_eq!(class(&error), "retry");
    // A thread without end is not read for ever.
    let endless = || Reply::Yes(json!({ "messages": [], "response_metadata": { "next_cursor": "more" } }));
    let fake = Fake::saying(endless).await;
    let error = fake.sending().find(&out(thread(), post(Content::text("x")))).await.unwrap_err();
    assert_eq!((class(&error).as_str(), fake.calls().len()), ("rejected", 10));
}

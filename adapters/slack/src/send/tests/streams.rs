//! Answers that grow, and what becomes of them.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use deskbridge_contract::{Address, Content};
use serde_json::{Value, json};

use super::super::Sending;
use super::super::streams::FORGOTTEN;
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

/// A workspace that keeps what is posted and streamed, and whose answers to the first calls that begin something get lost.
/// `kept`: whether they were carried out all the same.
struct Losing {
    fake: Fake,
    messages: Arc<Mutex<Vec<Value>>>,
    /// What reading back says instead.
    refusal: Arc<Mutex<Option<&'static str>>>,
}

impl Losing {
    async fn start(kept: bool) -> Losing {
        let messages: Arc<Mutex<Vec<Value>>> = Arc::default();
        let refusal: Arc<Mutex<Option<&'static str>>> = Arc::default();
        let (answer, kept_there, refused) = (numbered(), messages.clone(), refusal.clone());
        let lost = std::sync::atomic::AtomicBool::new(false);
        let fake = Fake::start(move |call| {
            let asked = call.json();
            match call.method.as_str() {
                "chat.postMessage" | "chat.startStream" => {
                    let first = !lost.swap(true, Ordering::Relaxed);
                    let reply = answer(call);
                    if let (Reply::Yes(said), true) = (&reply, kept || !first) {
                        let mut message = json!({ "type": "message", "ts": said["ts"], "bot_id": "B0BOT" });
                        message["text"] = asked.get("markdown_text").or(asked.get("text")).cloned().into();
                        message["metadata"] = asked["metadata"].clone();
                        if call.method == "chat.startStream" {
                            message["streaming_state"] = "in_progress".into();
                        }
                        kept_there.lock().unwrap().push(message);
                    }
                    if first { Reply::Close } else { reply }
                }
                "conversations.replies" | "conversations.history" => match *refused.lock().unwrap() {
                    Some(code) => Reply::No(code),
                    None => Reply::Yes(json!({ "messages": *kept_there.lock().unwrap() })),
                },
                _ => answer(call),
            }
        })
        .await;
        Losing { fake, messages, refusal }
    }
}

/// Slack began the stream or the post, and its answer got lost: the answer takes that message's place, and none is beside it.
#[tokio::test]
async fn a_beginning_whose_name_got_lost_becomes_the_answer() {
    for (at, expected) in [
        (
            chat(),
            vec!["chat.startStream", "auth.test", "conversations.replies", "chat.stopStream", "chat.update"],
        ),
        (direct(), vec!["chat.postMessage", "auth.test", "conversations.history", "chat.update"]),
    ] {
        let losing = Losing::start(true).await;
        // An older beginning, of a turn that was broken off.
        let old = json!({ "ts": "1789990000.000100", "bot_id": "B0BOT", "text": "Try this …",
            "metadata": { "event_type": "deskbridge_growing", "event_payload": { "mark": "1.1" } } });
        losing.messages.lock().unwrap().push(old);
        let sending = unpaced(&losing.fake);
        sending.streaming(&at, "Try this", None).await.unwrap_err();
        // Nothing more is shown until the answer is there.
        sending.streaming(&at, "Try this and that", None).await.unwrap();
        let answer = out(at.clone(), by(Content::text("Try that."), "Assistant", true));
        let sent = sending.perform(&answer).await.unwrap();
        assert_eq!((sent.message, sent.address), (Some(ts(1).as_str().into()), at));
        assert_eq!(losing.fake.methods(), expected);
        assert_eq!(losing.fake.calls().last().unwrap().json()["ts"], ts(1));
    }
}

#[tokio::test]
async fn a_beginning_that_never_came_about_is_not_waited_for() {
    for at in [chat(), direct()] {
        let losing = Losing::start(false).await;
        let sending = unpaced(&losing.fake);
        sending.streaming(&at, "Try this", None).await.unwrap_err();
        let answer = out(at, by(Content::text("Try that."), "Assistant", true));
        assert_eq!(sending.perform(&answer).await.unwrap().message, Some(ts(2).as_str().into()));
        assert_eq!(losing.messages.lock().unwrap().len(), 1);
    }
}

/// While Slack cannot be asked, the answer waits; where the app may not read, it does not.
#[tokio::test]
async fn looking_for_a_beginning_may_fail() {
    let losing = Losing::start(true).await;
    let sending = unpaced(&losing.fake);
    sending.streaming(&direct(), "Try this", None).await.unwrap_err();
    *losing.refusal.lock().unwrap() = Some("ratelimited");
    let answer = out(direct(), by(Content::text("Try that."), "Assistant", true));
    assert_eq!(class(&sending.perform(&answer).await.unwrap_err()), "retry 30");
    // However long that takes.
    tokio::time::pause();
    tokio::time::advance(FORGOTTEN * 2).await;
    tokio::time::resume();
    *losing.refusal.lock().unwrap() = None;
    assert_eq!(sending.perform(&answer).await.unwrap().message, Some(ts(1).as_str().into()));

    let losing = Losing::start(true).await;
    let sending = unpaced(&losing.fake);
    sending.streaming(&direct(), "Try this", None).await.unwrap_err();
    *losing.refusal.lock().unwrap() = Some("missing_scope");
    assert_eq!(sending.perform(&answer).await.unwrap().message, Some(ts(2).as_str().into()));
}

/// Somebody else speaks before the lost beginning became anything: it is ended, and their words are a message of their own.
#[tokio::test]
async fn a_lost_beginning_is_ended_for_somebody_else() {
    let losing = Losing::start(true).await;
    let sending = unpaced(&losing.fake);
    sending.streaming(&chat(), "Try this", None).await.unwrap_err();
    let sent = sending.perform(&out(chat(), post(Content::text("A technician comes.")))).await.unwrap();
    assert_eq!(sent.message, Some(ts(2).as_str().into()));
    let methods = losing.fake.methods();
    assert_eq!(methods[3..], ["chat.stopStream", "chat.postMessage"], "{methods:?}");
}

/// A turn that came to nothing left its beginning behind: the answer to what was asked much later is not written over it.
#[tokio::test]
async fn an_old_beginning_is_not_the_next_answer() {
    for at in [chat(), direct()] {
        let fake = Fake::start(numbered()).await;
        let sending = unpaced(&fake);
        let stream = at.thread.is_some();
        grow(&sending, &at, &["Try this"]).await;
        tokio::time::pause();
        tokio::time::advance(FORGOTTEN).await;
        tokio::time::resume();
        // Where the next turn grows, what grew before ends with "…"; a message that is edited does so anyway.
        grow(&sending, &at, &["Restart"]).await;
        let answer = out(at.clone(), by(Content::text("Restart it."), "Assistant", true));
        assert_eq!(sending.perform(&answer).await.unwrap().message, Some(ts(2).as_str().into()));
        let expected = match stream {
            true => {
                ["chat.startStream", "chat.stopStream", "chat.startStream", "chat.stopStream", "chat.update"]
                    .as_slice()
            }
            false => &["chat.postMessage", "chat.postMessage", "chat.update"],
        };
        assert_eq!(fake.methods(), expected);
        // And where it does not grow.
        grow(&sending, &at, &["Try this"]).await;
        tokio::time::pause();
        tokio::time::advance(FORGOTTEN).await;
        tokio::time::resume();
        let answer = out(at, by(Content::text("Something else."), "Assistant", true));
        assert_eq!(sending.perform(&answer).await.unwrap().message, Some(ts(4).as_str().into()));
        assert_eq!(fake.methods().last().map(String::as_str), Some("chat.postMessage"));
    }
}

/// A long answer keeps its message, although nothing of it is shown for a while.
#[tokio::test]
async fn hints_that_are_not_shown_keep_it_alive() {
    let fake = Fake::start(numbered()).await;
    let sending = unpaced(&fake);
    grow(&sending, &chat(), &["Try this"]).await;
    for _ in 0..3 {
        tokio::time::pause();
        tokio::time::advance(FORGOTTEN / 2).await;
        tokio::time::resume();
        grow(&sending, &chat(), &[&"word ".repeat(4_000)]).await;
    }
    let answer = out(chat(), by(Content::text("Try that."), "Assistant", true));
    assert_eq!(sending.perform(&answer).await.unwrap().message, Some(ts(1).as_str().into()));
}

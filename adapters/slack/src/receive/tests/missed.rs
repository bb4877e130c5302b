//! What was deleted while nothing could be received.
//!
//! Not here: what was said and edited meanwhile (`flow.rs`).

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn room(id: &str) -> Address {
    Address::room(&ChannelName::new("slack"), id)
}

fn said(at: &Address, ts: &str, user: &str) -> (Address, Known) {
    (at.clone(), Known { message: RemoteMessageId::new(ts), by: RemoteUserId::from(user) })
}

fn deleted(sink: &Sink) -> Vec<(String, String, Address)> {
    let events = sink.events.lock().unwrap();
    let of = |event: &Inbound| match &event.event {
        InboundEvent::Deleted { message } => {
            Some((message.to_string(), event.from.id.to_string(), event.address.clone()))
        }
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

/// Two people of a direct message and a thread of the desk; what was deleted there, and what only seems to be.
async fn bench(script: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> (Bench, Address, Address) {
    let bench = Bench::with(script).await;
    let (direct, thread) = (room("D1ANA"), room("C0DESK").thread(ROOT));
    bench.event(message("D1ANA", "1789999400.000100", "before")).await;
    let mut reply = message("C0DESK", "1789999401.000100", "seen");
    reply["thread_ts"] = ROOT.into();
    bench.event(reply).await;
    *bench.sink.known.lock().unwrap() = vec![
        said(&direct, "1789999390.000100", "U1ANA"),
        said(&direct, "1789999391.000100", "U1ANA"),
        said(&direct, "1789999400.000100", "U1ANA"),
        said(&thread, "1789999395.000100", "U5BOB"),
        said(&thread, "1789999401.000100", "U1ANA"),
    ];
    (bench, direct, thread)
}

fn page(messages: &[Value]) -> Reply {
    Reply::Yes(json!({ "messages": messages }))
}

/// Reads once and tells what of it are deletions.
async fn caught_up(bench: &Bench, last: &str) -> Vec<(String, String, Address)> {
    let connection = tokio::spawn(bench.adapter.clone().intake(bench.sink.inbox()).connect.unwrap());
    let sink = bench.sink.clone();
    until("the end of it", || sink.texts().contains(&last.to_owned())).await;
    connection.abort();
    deleted(&bench.sink)
}

/// The thread is read last: when its new message is there, everything before it was looked at.
fn last() -> Value {
    let mut last = message("C0DESK", "1789999500.000100", "missed");
    last["thread_ts"] = ROOT.into();
    last
}

#[tokio::test]
async fn deletions_of_an_outage_are_found() {
    let (bench, direct, thread) = bench(|call| {
        let asked = call.json();
        match (call.method.as_str(), asked["channel"].as_str(), asked["ts"].as_str()) {
            ("conversations.history", Some("D1ANA"), _) => {
                page(&[message("D1ANA", "1789999400.000100", "before")])
            }
            // Answered in a thread of a direct message: not in the history, but there.
            ("conversations.replies", Some("D1ANA"), Some("1789999391.000100")) => {
                page(&[message("D1ANA", "1789999391.000100", "in a thread")])
            }
            ("conversations.replies", Some("D1ANA"), _) => Reply::No("thread_not_found"),
            ("conversations.replies", Some("C0DESK"), Some(ROOT)) => page(&[
                message("C0DESK", ROOT, "the card"),
                message("C0DESK", "1789999401.000100", "seen"),
                last(),
            ]),
            _ => web_api(call),
        }
    })
    .await;
    let found = caught_up(&bench, "missed").await;
    let gone = |ts: &str, by: &str, at: &Address| (ts.to_owned(), by.to_owned(), at.clone());
    assert_eq!(
        found,
        [gone("1789999390.000100", "U1ANA", &direct), gone("1789999395.000100", "U5BOB", &thread)]
    );
    // The event itself comes late: told once.
    let late = json!({ "type": "message", "subtype": "message_deleted", "channel": "D1ANA",
        "deleted_ts": "1789999390.000100", "ts": "1789999600.000000", "event_ts": "1789999600.000000",
        "previous_message": { "type": "message", "user": "U1ANA", "text": "x", "ts": "1789999390.000100" } });
    bench.event(late).await;
    assert_eq!(deleted(&bench.sink).len(), 2);
}

/// A workspace keeps messages for a day at least, and takes them away by itself then: nobody deleted those.
#[tokio::test]
async fn what_slack_takes_away_by_itself_was_deleted_by_nobody() {
    let (bench, ..) = bench(|call| {
        let asked = call.json();
        match (call.method.as_str(), asked["channel"].as_str()) {
            ("conversations.history", Some("D1ANA")) => page(&[]),
            ("conversations.replies", Some("C0DESK")) => page(&[last()]),
            ("conversations.replies", _) => Reply::No("thread_not_found"),
            _ => web_api(call),
        }
    })
    .await;
    bench.fake.clock.fetch_add(25 * 3600, Ordering::Relaxed);
    assert_eq!(caught_up(&bench, "missed").await, []);
}

/// A root that people answered leaves a stone; that is no message any more, and none of ours to ask about.
#[tokio::test]
async fn a_stone_is_a_deletion() {
    let stone = |ts: &str| {
        json!({ "type": "message", "subtype": "tombstone", "user": "USLACKBOT",
            "text": "This message was deleted.", "ts": ts, "thread_ts": ts })
    };
    let (bench, direct, _) = bench(move |call| {
        let asked = call.json();
        match (call.method.as_str(), asked["channel"].as_str(), asked["ts"].as_str()) {
            ("conversations.history", Some("D1ANA"), _) => page(&[
                message("D1ANA", "1789999400.000100", "before"),
                message("D1ANA", "1789999391.000100", "there"),
                stone("1789999390.000100"),
                // Never known here.
                stone("1789999450.000100"),
            ]),
            ("conversations.replies", Some("D1ANA"), Some(ts)) => page(&[stone(ts)]),
            ("conversations.replies", Some("C0DESK"), Some(ROOT)) => page(&[
                message("C0DESK", "1789999395.000100", "there"),
                message("C0DESK", "1789999401.000100", "seen"),
                last(),
            ]),
            _ => web_api(call),
        }
    })
    .await;
    let found = caught_up(&bench, "missed").await;
    assert_eq!(found, [("1789999390.000100".to_owned(), "U1ANA".to_owned(), direct)]);
    assert!(bench.sink.quarantined.lock().unwrap().is_empty());
}

/// A thread of which nothing is left.
#[tokio::test]
async fn a_thread_that_is_gone_was_deleted_whole() {
    let (bench, _, thread) = bench(|call| {
        let asked = call.json();
        match (call.method.as_str(), asked["channel"].as_str()) {
            ("conversations.history", Some("D1ANA")) => page(&[
                message("D1ANA", "1789999390.000100", "there"),
                message("D1ANA", "1789999391.000100", "there"),
                message("D1ANA", "1789999400.000100", "before"),
            ]),
            ("conversations.replies", Some("C0DESK")) => Reply::No("thread_not_found"),
            _ => web_api(call),
        }
    })
    .await;
    let connection = tokio::spawn(bench.adapter.clone().intake(bench.sink.inbox()).connect.unwrap());
    let sink = bench.sink.clone();
    until("both deletions", || deleted(&sink).len() == 2).await;
    connection.abort();
    assert!(deleted(&bench.sink).iter().all(|(_, _, at)| *at == thread));
}

/// What could not be read, or not to its end, is no proof of anything.
#[tokio::test]
async fn a_page_that_failed_deletes_nothing() {
    let pages = Arc::new(AtomicUsize::new(0));
    let counted = pages.clone();
    let (bench, _, _) = bench(move |call| {
        let asked = call.json();
        match (call.method.as_str(), asked["channel"].as_str()) {
            // More pages than are read.
            ("conversations.history", Some("D1ANA")) => {
                counted.fetch_add(1, Ordering::Relaxed);
                Reply::Yes(json!({ "messages": [], "response_metadata": { "next_cursor": "more" } }))
            }
            ("conversations.replies", Some("C0DESK")) if asked["cursor"].is_null() => {
                let first = [message("C0DESK", ROOT, "the card")];
                Reply::Yes(json!({ "messages": first, "response_metadata": { "next_cursor": "second" } }))
            }
            ("conversations.replies", Some("C0DESK")) => Reply::Http(500, Vec::new(), Vec::new()),
            _ => web_api(call),
        }
    })
    .await;
    let connection = tokio::spawn(bench.adapter.clone().intake(bench.sink.inbox()).connect.unwrap());
    let fake = bench.fake.clone();
    until("the second page of the thread", move || {
        fake.calls().iter().any(|call| call.path.contains("cursor=second"))
    })
    .await;
    // The call is made three times; then the thread waits, and is read again by itself.
    let fake = bench.fake.clone();
    until("another reading", move || {
        fake.calls().iter().filter(|call| call.path.contains("cursor=second")).count() >= 4
    })
    .await;
    connection.abort();
    assert!(pages.load(Ordering::Relaxed) >= 10);
    assert_eq!(deleted(&bench.sink), Vec::new());
}

/// Slack does not say that a message is not there when it does not answer.
#[tokio::test]
async fn an_outage_of_slack_deletes_nothing() {
    let (bench, _, _) = bench(|call| {
        let asked = call.json();
        match (call.method.as_str(), asked["channel"].as_str(), asked["ts"].as_str()) {
            ("conversations.history", Some("D1ANA"), _) => page(&[]),
            ("conversations.replies", Some("D1ANA"), Some("1789999390.000100")) => {
                Reply::No("internal_error")
            }
            ("conversations.replies", Some("D1ANA"), Some("1789999391.000100")) => {
                Reply::No("not_in_channel")
            }
            ("conversations.replies", Some("D1ANA"), _) => page(&[]),
            ("conversations.replies", Some("C0DESK"), Some(ROOT)) => page(&[
                message("C0DESK", "1789999395.000100", "there"),
                message("C0DESK", "1789999401.000100", "seen"),
                last(),
            ]),
            _ => web_api(call),
        }
    })
    .await;
    assert_eq!(caught_up(&bench, "missed").await, Vec::new());
}

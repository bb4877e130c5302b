//! A place that could not be read stays to be read: whatever fails, comes in meanwhile, or ends the program.
//!
//! Not here: what is read (`flow.rs`, `missed.rs`, `elsewhere.rs`), what makes us look (`doubt.rs`).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;

const LAST: &str = "1789999400.000100";

fn attend(bench: &Bench) -> tokio::task::JoinHandle<Result<(), deskbridge_contract::SendError>> {
    tokio::spawn(bench.adapter.clone().intake(bench.sink.inbox()).connect.unwrap())
}

fn kept(bench: &Bench, key: &str) -> String {
    bench.sink.shelf.lock().unwrap().get(key).cloned().unwrap_or_default()
}

/// The history of `D1ANA` while `fails`, and what was missed in it.
fn room(fails: impl Fn() -> Option<Reply> + Send + Sync + 'static) -> impl Fn(&Call) -> Reply + Send + Sync {
    move |call| {
        let asked = call.json();
        let whole = asked["channel"] == "D1ANA" && asked["latest"].is_null();
        if call.method != "conversations.history" || !whole {
            return web_api(call);
        }
        fails().unwrap_or_else(|| {
            Reply::Yes(json!({ "messages": [message("D1ANA", "1789999450.000100", "missed")] }))
        })
    }
}

/// Right after an outage Slack itself answers so.
#[tokio::test]
async fn a_room_that_cannot_be_read_now_is_read_later() {
    let calls = Arc::new(AtomicUsize::new(0));
    // More often than the call is made again at once.
    let refused = move || {
        (calls.fetch_add(1, Ordering::Relaxed) < 4).then_some(Reply::Http(503, Vec::new(), Vec::new()))
    };
    let bench = Bench::with(room(refused)).await;
    bench.event(message("D1ANA", LAST, "before")).await;
    bench.event(message("D2EVE", "1789999401.000100", "hello")).await;
    let connection = attend(&bench);
    until("that the other room was read", || {
        kept(&bench, "unread").contains("D1ANA") && !kept(&bench, "unread").contains("D2EVE")
    })
    .await;
    // What comes in meanwhile hides nothing.
    bench.event(message("D1ANA", "1789999460.000100", "live")).await;
    until("what was missed", || bench.sink.texts().contains(&"missed".to_owned())).await;
    until("that nothing is left", || kept(&bench, "unread") == "{}").await;
    connection.abort();
    assert_eq!(bench.sink.texts(), ["before", "hello", "live", "missed"]);
}

/// Deployed in the middle of it: the next run reads from where the outage began.
#[tokio::test]
async fn the_end_of_the_program_forgets_no_gap() {
    let down = Arc::new(AtomicBool::new(true));
    let asked = down.clone();
    let refused = move || asked.load(Ordering::Relaxed).then_some(Reply::Http(503, Vec::new(), Vec::new()));
    let bench = Bench::with(room(refused)).await;
    bench.event(message("D1ANA", LAST, "before")).await;
    let connection = attend(&bench);
    until("the gap on the shelf", || kept(&bench, "unread").contains(LAST)).await;
    bench.event(message("D1ANA", "1789999460.000100", "live")).await;
    // A new room is noted at once, and the mark of the other with it.
    bench.event(message("D2EVE", "1789999461.000100", "hello")).await;
    until("the mark on the shelf", || kept(&bench, "seen").contains("1789999460.000100")).await;
    connection.abort();
    down.store(false, Ordering::Relaxed);
    let shelf = bench.sink.shelf.lock().unwrap().clone();
    let next = Bench::with(room(|| None)).await;
    *next.sink.shelf.lock().unwrap() = shelf;
    let connection = attend(&next);
    until("what was missed", || next.sink.texts() == ["missed"]).await;
    connection.abort();
    let asked = next.fake.calls();
    let from = |call: &&Call| call.method == "conversations.history" && call.json()["channel"] == "D1ANA";
    let oldest = asked.iter().find(from).map(|call| call.json()["oldest"].clone());
    assert_eq!(oldest, Some("1789998500.000100".into()), "a quarter of an hour before the outage");
}

/// A proxy was away while the program lived: what Slack brings again tells that it gave up on what was before.
#[tokio::test]
async fn what_is_brought_again_late_tells_of_an_outage_in_front_of_us() {
    let asks = Arc::new(AtomicUsize::new(0));
    let counted = asks.clone();
    // The first look finds nothing yet.
    let nothing =
        move || (counted.fetch_add(1, Ordering::Relaxed) == 0).then(|| Reply::Yes(json!({ "messages": [] })));
    let bench = Bench::with(room(nothing)).await;
    bench.event(message("D1ANA", LAST, "before")).await;
    let connection = attend(&bench);
    until("the first look", || asks.load(Ordering::Relaxed) == 1 && kept(&bench, "unread") == "{}").await;
    bench.event(message("D1ANA", "1789999465.000100", "live")).await;
    bench.retry(message("D1ANA", "1789999462.000100", "at the second try"), 1).await;
    bench.retry(message("D1ANA", LAST, "before"), 3).await;
    assert_eq!(asks.load(Ordering::Relaxed), 1, "nothing new in it, or brought again at once");
    bench.retry(message("D1ANA", "1789999461.000100", "late"), 2).await;
    until("what was missed", || bench.sink.texts().contains(&"missed".to_owned())).await;
    connection.abort();
    assert_eq!(bench.sink.texts(), ["before", "live", "at the second try", "late", "missed"]);
}

/// Slack lets some apps read no threads of channels: that is told, for what technicians wrote meanwhile is not read.
#[tokio::test]
async fn what_may_not_be_read_is_told() {
    let bench = Bench::with(|call| match call.method.as_str() {
        "conversations.replies" => Reply::No("not_allowed_token_type"),
        _ => web_api(call),
    })
    .await;
    let mut reply = message("C0DESK", LAST, "seen");
    reply["thread_ts"] = ROOT.into();
    bench.event(reply).await;
    let connection = attend(&bench);
    until("a warning", || !bench.adapter.warnings().is_empty()).await;
    until("that nothing is left", || kept(&bench, "unread") == "{}").await;
    connection.abort();
    let told = "what was said while deskbridge was away cannot all be read: conversations.replies: ";
    assert!(bench.adapter.warnings()[0].starts_with(told), "{:?}", bench.adapter.warnings());
}

/// The door is open before Slack can be asked anything: what comes in then hides nothing of hours before.
#[tokio::test]
async fn what_comes_in_first_hides_no_outage() {
    let bench = Bench::cold(room(|| None)).await;
    let earlier = json!({ "rooms": { "D1ANA": LAST }, "threads": {}, "newest": LAST });
    bench.sink.shelf.lock().unwrap().insert("seen".into(), earlier.to_string());
    bench.event(message("D1ANA", &format!("{}.000100", NOW - 5), "live")).await;
    bench.event(message("D2EVE", &format!("{}.000100", NOW - 4), "hello")).await;
    assert_eq!(
        kept(&bench, "seen"),
        earlier.to_string(),
        "nothing is noted before it is known what was missed"
    );
    let connection = attend(&bench);
    until("what was missed", || bench.sink.texts() == ["live", "hello", "missed"]).await;
    until("a look elsewhere", || bench.fake.methods().contains(&"users.conversations".to_owned())).await;
    until("the new marks", || kept(&bench, "seen").contains("D2EVE")).await;
    connection.abort();
}

/// The app was disabled in the middle of it: once it is let in again, the places are still to be read.
#[tokio::test]
async fn an_app_that_is_shut_out_keeps_its_gaps() {
    let calls = Arc::new(AtomicUsize::new(0));
    let refused =
        move || (calls.fetch_add(1, Ordering::Relaxed) < 2).then_some(Reply::No("account_inactive"));
    let bench = Bench::with(room(refused)).await;
    bench.event(message("D1ANA", LAST, "before")).await;
    let connection = attend(&bench);
    until("what was missed", || bench.sink.texts() == ["before", "missed"]).await;
    until("that nothing is left", || kept(&bench, "unread") == "{}").await;
    connection.abort();
}

/// One new room cannot be read: the others are, and it is itself later.
#[tokio::test]
async fn a_new_room_that_fails_holds_up_no_other() {
    let calls = Arc::new(AtomicUsize::new(0));
    let bench = Bench::with(move |call| match (call.method.as_str(), call.json()["channel"].as_str()) {
        ("users.conversations", _) if call.json()["types"] == "im" => Reply::Yes(
            json!({ "channels": [{ "id": "D7BAD", "created": 9 }, { "id": "D8NEW", "created": 1 }] }),
        ),
        ("conversations.history", Some("D7BAD")) if calls.fetch_add(1, Ordering::Relaxed) < 4 => {
            Reply::Http(503, Vec::new(), Vec::new())
        }
        ("conversations.history", Some(id @ ("D7BAD" | "D8NEW"))) => {
            Reply::Yes(json!({ "messages": [message(id, "1789999470.000100", &format!("in {id}"))] }))
        }
        _ => web_api(call),
    })
    .await;
    bench.event(message("D1ANA", LAST, "before")).await;
    let connection = attend(&bench);
    until("the other", || bench.sink.texts().contains(&"in D8NEW".to_owned())).await;
    until("the one that failed", || bench.sink.texts().contains(&"in D7BAD".to_owned())).await;
    until("that nothing is left", || kept(&bench, "unread") == "{}").await;
    connection.abort();
    assert_eq!(bench.sink.texts(), ["before", "in D8NEW", "in D7BAD"]);
}

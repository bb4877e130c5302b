//! What was said in an outage where nothing was noted before.
//!
//! Not here: known rooms and threads (`flow.rs`), deletions (`missed.rs`).

use super::*;

const OLD: &str = "1789000000.000100";

fn said(ts: &str, text: &str) -> Value {
    json!({ "type": "message", "user": "U1ANA", "text": text, "ts": ts })
}

/// A thread that began days before, a direct message that is new, a first call in a channel that the app was only ever in.
fn outage(call: &Call) -> Reply {
    let asked = call.json();
    let (channel, ts) = (asked["channel"].as_str(), asked["ts"].as_str());
    let until = asked["latest"].as_str();
    match (call.method.as_str(), channel, ts) {
        ("users.conversations", ..) if asked["types"] == "im" => match asked["cursor"].as_str() {
            None => Reply::Yes(
                json!({ "channels": [{ "id": "D1ANA", "created": 1 }, { "id": "D9NEW", "created": 3 }],
                "response_metadata": { "next_cursor": "more" } }),
            ),
            Some(_) => {
                Reply::Yes(json!({ "channels": [{ "id": "D8OLD", "created": 2 }, { "id": "no id" }, 7] }))
            }
        },
        ("users.conversations", ..) => Reply::Yes(json!({ "channels": [{ "id": "C7ALL", "created": 1 }] })),
        ("conversations.history", Some("D1ANA"), _) if until.is_some_and(|until| until > OLD) => {
            let mut root = said(OLD, "days ago");
            root["latest_reply"] = "1789999460.000100".into();
            let mut quiet = said("1789000001.000100", "answered before");
            quiet["latest_reply"] = "1789000002.000100".into();
            Reply::Yes(json!({ "messages": [quiet, root] }))
        }
        ("conversations.replies", Some("D1ANA"), Some(OLD)) => {
            let mut reply = said("1789999460.000100", "and another thing");
            reply["thread_ts"] = OLD.into();
            Reply::Yes(json!({ "messages": [said(OLD, "days ago"), reply] }))
        }
        ("conversations.history", Some("D9NEW"), _) => {
            Reply::Yes(json!({ "messages": [said("1789999470.000100", "my first words")] }))
        }
        ("conversations.history", Some("C7ALL"), _) => Reply::Yes(json!({ "messages": [
            said("1789999480.000100", "<@U0BOT> does anybody hear me?"), said("1789999481.000100", "lunch?") ] })),
        _ => web_api(call),
    }
}

#[tokio::test]
async fn old_threads_and_new_rooms_are_found() {
    let bench = Bench::with(outage).await;
    bench.event(message("D1ANA", "1789999400.000100", "before")).await;
    let connection = tokio::spawn(bench.adapter.clone().intake(bench.sink.inbox()).connect.unwrap());
    until("what was missed", || bench.sink.texts().len() == 5).await;
    connection.abort();
    let events = bench.sink.events.lock().unwrap().clone();
    let mut found: Vec<(String, String)> = events
        .iter()
        .filter_map(|event| match &event.event {
            InboundEvent::Posted { content, .. } => {
                Some((event.address.room.to_string(), content.text.clone()))
            }
            _ => None,
        })
        .collect();
    found.sort();
    let expected = [
        ("C7ALL", "does anybody hear me?"),
        // As with any event, the host asks whose it is, and drops it.
        ("C7ALL", "lunch?"),
        ("D1ANA", "and another thing"),
        ("D1ANA", "before"),
        ("D9NEW", "my first words"),
    ];
    assert_eq!(found, expected.map(|(room, text)| (room.to_owned(), text.to_owned())));
    assert!(!bench.sink.texts().contains(&"days ago".to_owned()), "what had been said before the outage");
}

/// Slack brings again what could not be taken within six minutes: nobody is asked for it.
#[tokio::test]
async fn a_short_outage_looks_nowhere_else() {
    let bench = Bench::with(outage).await;
    bench.event(message("D1ANA", &format!("{}.000100", NOW - 200), "before")).await;
    let connection = tokio::spawn(bench.adapter.clone().intake(bench.sink.inbox()).connect.unwrap());
    until("the look into the known room", || bench.fake.methods().contains(&"conversations.history".into()))
        .await;
    // Having read, it keeps its notes.
    until("the notes", || bench.sink.shelf.lock().unwrap().contains_key("seen")).await;
    connection.abort();
    assert!(!bench.fake.methods().contains(&"users.conversations".to_owned()));
}

/// Without the scope for direct messages the other rooms are still looked into.
#[tokio::test]
async fn a_missing_scope_hides_only_its_own_rooms() {
    let bench = Bench::with(|call| {
        if call.method == "users.conversations" && call.json()["types"] == "im" {
            return Reply::No("missing_scope");
        }
        outage(call)
    })
    .await;
    bench.event(message("D1ANA", "1789999400.000100", "before")).await;
    let connection = tokio::spawn(bench.adapter.clone().intake(bench.sink.inbox()).connect.unwrap());
    until("what was missed", || bench.sink.texts().len() == 4).await;
    connection.abort();
    assert!(bench.sink.texts().contains(&"does anybody hear me?".to_owned()));
}

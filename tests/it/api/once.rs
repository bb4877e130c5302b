//! `Idempotency-Key`: a repeat does nothing twice, also after a restart.
//!
//! Not here: who may do it at all.

use axum::body::Body;
use axum::http::Request;
use deskbridge::http::router;
use deskbridge_conversation::ConversationId;
use serde_json::{Value, json};

use super::office::{Office, post, put, with};

fn keyed(request: Request<Body>) -> Request<Body> {
    with(request, "idempotency-key", "9b1d-once")
}

async fn said(office: &Office, id: i64, text: &str) -> usize {
    let rows = office.bridge().read.messages(ConversationId(id), 0, true, 1_000).await.expect("read");
    rows.iter().filter(|row| row.content.text == text).count()
}

#[tokio::test]
async fn a_repeated_request_is_answered_and_not_done() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    let path = format!("/api/v1/conversations/{network}/messages");
    let reply = || keyed(post(&path, "ana", &json!({"text": "Once"})));
    let first = office.ask(reply()).await.must_be(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    let second = office.ask(reply()).await.must_be(200);
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(second.data()["message"]["id"], first.data()["message"]["id"]);
    assert_eq!(said(&office, network, "Once").await, 1);
    // The same key for something else, or by somebody else.
    let other = keyed(post(&path, "ana", &json!({"text": "Twice"})));
    assert_eq!(office.ask(other).await.must_be(422).code(), "idempotency-key-reused");
    let elsewhere =
        keyed(post(&format!("/api/v1/conversations/{network}/notes"), "ana", &json!({"text": "Once"})));
    office.ask(elsewhere).await.must_be(422);
    let hers =
        keyed(post(&format!("/api/v1/conversations/{network}/notes"), "bob", &json!({"text": "Once"})));
    office.ask(hers).await.must_be(201);
    let bad = with(post(&path, "ana", &json!({"text": "x"})), "idempotency-key", "a b");
    assert_eq!(office.ask(bad).await.must_be(400).code(), "idempotency-key");
}

#[tokio::test]
async fn what_stands_in_its_own_way_is_still_a_repeat() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    let accept =
        || keyed(post(&format!("/api/v1/conversations/{network}/actions/accept"), "ana", &Value::Null));
    let empty = |request: Request<Body>| request.map(|_| Body::empty());
    office.ask(empty(accept())).await.must_be(200);
    let again = office.ask(empty(accept())).await.must_be(200);
    assert_eq!(again.header("idempotency-replayed"), "true");
    // Another process over the same store remembers nothing, and the store does.
    let fresh = router(&office.town.config, office.town.running());
    let answer = super::office::ask(&fresh, empty(accept())).await.must_be(200);
    assert_eq!(answer.header("idempotency-replayed"), "true");
    // Without the key it is another claim.
    office.act(network, "accept", "ana", &json!({})).await.must_be(409);
}

#[tokio::test]
async fn what_is_no_event_is_answered_as_it_was() {
    let office = Office::open().await;
    let add = |text: &str| keyed(post("/api/v1/canned", "ana", &json!({"shortcut": "hi", "text": text})));
    let first = office.ask(add("Hello")).await.must_be(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = office.ask(add("Hello")).await.must_be(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(
        (again.bytes, again.headers["content-type"].clone()),
        (first.bytes, first.headers["content-type"].clone())
    );
    office.ask(add("Something else")).await.must_be(422);
    let kept = office.ask(super::office::get("/api/v1/canned", "ana")).await.data();
    assert_eq!(kept.as_array().unwrap().len(), 1);
    // A refusal is no answer that is kept: what was wrong may be put right.
    let wrong = || keyed(post("/api/v1/canned", "bob", &json!({"shortcut": "a b", "text": "x"})));
    office.ask(wrong()).await.must_be(400);
    office.ask(wrong()).await.must_be(400);
    // A file, too.
    let (network, _) = office.two().await;
    let path = format!("/api/v1/conversations/{network}/files?name=a.txt");
    let upload = || keyed(super::office::request("POST", &path, "sue", "hello".into()));
    let first = office.ask(upload()).await.must_be(201).data();
    assert_eq!(office.ask(upload()).await.must_be(201).data()["id"], first["id"]);
}

/// Another run over the same store: it knows what was answered, and of a secret only that it was told.
#[tokio::test]
async fn what_is_no_event_is_not_done_again_by_another_run() {
    let office = Office::open().await;
    let again = async |request: Request<Body>| {
        let fresh = router(&office.town.config, office.town.running());
        super::office::ask(&fresh, request).await
    };
    let add = |text: &str| keyed(post("/api/v1/canned", "ana", &json!({"shortcut": "hi", "text": text})));
    let first = office.ask(add("Hello")).await.must_be(201);
    let second = again(add("Hello")).await.must_be(201);
    assert_eq!(
        (second.header("idempotency-replayed"), second.header("content-type")),
        ("true", "application/json")
    );
    assert_eq!(second.bytes, first.bytes);
    assert_eq!(again(add("Something else")).await.must_be(422).code(), "idempotency-key-reused");
    let kept = office.ask(super::office::get("/api/v1/canned", "ana")).await.data();
    assert_eq!(kept.as_array().unwrap().len(), 1, "once, whoever was asked");
    // A refusal is not kept; a file is.
    let wrong = || keyed(post("/api/v1/canned", "bob", &json!({"shortcut": "a b", "text": "x"})));
    office.ask(wrong()).await.must_be(400);
    again(wrong()).await.must_be(400);
    let (network, _) = office.two().await;
    let path = format!("/api/v1/conversations/{network}/files?name=a.txt");
    let upload = || keyed(super::office::request("POST", &path, "sue", "hello".into()));
    let file = office.ask(upload()).await.must_be(201).data();
    assert_eq!(again(upload()).await.must_be(201).data()["id"], file["id"]);
    // What is shown once stands nowhere.
    let token = || keyed(post("/api/v1/tokens", "program", &json!({"name": "ci", "scopes": ["chats:read"]})));
    let made = office.ask(token()).await.must_be(201).data()["token"].as_str().expect("a token").to_owned();
    assert_eq!(again(token()).await.must_be(409).code(), "already-done");
    let rows = office.bridge().read.kept(deskbridge_store::rows::KeptRow::ANSWERED, "").await.expect("read");
    assert!(rows.len() >= 3 && rows.iter().all(|row| !format!("{row:?}").contains(&made)));
    assert!(!office.town.exported().await.contains("\"answered\""), "answers are in no export");
    // Cut in the middle by the end of the program: nobody knows, and that is said.
    let begun = rows
        .iter()
        .find(|row| row.value.as_deref().is_some_and(|value| value.contains("hi")))
        .expect("the first");
    let stored: Value = serde_json::from_str(begun.value.as_deref().expect("a value")).expect("JSON");
    let value = json!({"request": stored["request"], "done": false}).to_string();
    let row = deskbridge_store::rows::KeptRow { value: Some(value), ..begun.clone() };
    office.bridge().writer.admin(deskbridge_store::Admin::Keep(row)).await.expect("stored");
    assert_eq!(again(add("Hello")).await.must_be(409).code(), "outcome-unknown");
}

#[tokio::test]
async fn presence_too() {
    let office = Office::open().await;
    let set = |presence: &str| {
        keyed(put("/api/v1/technicians/ana/presence", "ana", &json!({"presence": presence})))
    };
    office.ask(set("available")).await.must_be(200);
    assert_eq!(office.ask(set("available")).await.must_be(200).header("idempotency-replayed"), "true");
    office.ask(set("busy")).await.must_be(422);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeats_at_the_same_time_do_it_once() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    let path = format!("/api/v1/conversations/{network}/notes");
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (router, note) =
                (office.router.clone(), keyed(post(&path, "ana", &json!({"text": "Together"}))));
            tokio::spawn(async move { super::office::ask(&router, note).await.status.as_u16() })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        let status = task.await.expect("no panic");
        assert!(status == 200 || status == 201, "{status}");
        made += usize::from(status == 201);
    }
    assert_eq!((made, said(&office, network, "Together").await), (1, 1));
}

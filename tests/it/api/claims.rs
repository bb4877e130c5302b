//! Verbs over the API: one winner, clean refusals, and nobody does what they may not (S72, Q15).
//!
//! Not here: repeats of the same request (`once`).

use std::collections::BTreeMap;

use deskbridge_conversation::{ConversationId, DeskEvent, EventBody, Verb};
use serde_json::json;

use super::office::{Office, ask, get, post, with};

async fn accepts_in_the_log(office: &Office, id: i64) -> usize {
    let log = office.bridge().read.log(ConversationId(id), 0, 10_000).await.expect("read");
    let is_accept = |body: &EventBody| {
        matches!(body, EventBody::Desk { what: DeskEvent::Verb { verb: Verb::Accept }, .. })
    };
    log.iter().filter(|row| is_accept(&row.event.body)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q15_one_winner_of_a_thousand_claims() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    let mut tasks = Vec::new();
    for n in 0..1_000 {
        let who = if n % 2 == 0 { "ana" } else { "bob" };
        let claim = post(&format!("/api/v1/conversations/{network}/actions/accept"), who, &json!({}));
        let router = office.router.clone();
        tasks.push(tokio::spawn(async move { (who, ask(&router, claim).await) }));
    }
    let mut outcomes: BTreeMap<u16, usize> = BTreeMap::new();
    let mut winner = None;
    for task in tasks {
        let (who, answer) = task.await.expect("no panic");
        *outcomes.entry(answer.status.as_u16()).or_default() += 1;
        if answer.status.is_success() {
            winner = Some(who.to_owned());
        } else {
            assert!(["taken", "already-yours"].contains(&answer.code().as_str()), "{}", answer.code());
        }
    }
    assert_eq!(outcomes, BTreeMap::from([(200, 1), (409, 999)]));
    let conversation = office.conversation(network).await;
    assert_eq!(conversation.assignee().map(|technician| technician.0.clone()), winner);
    assert_eq!(accepts_in_the_log(&office, network).await, 1);
}

#[tokio::test]
async fn s72_a_claim_without_the_right_or_with_an_old_state() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    let path = format!("/api/v1/conversations/{network}");
    let before = office.ask(get(&path, "ana")).await.header("etag").to_owned();
    // Not of this queue: as if it were not there.
    office.act(network, "accept", "cem", &json!({})).await.must_be(404);
    // Of the queue, but it is not theirs.
    office.accept(network, "ana").await;
    for verb in ["resolve", "handback", "snooze", "csat"] {
        assert_eq!(
            office.act(network, verb, "bob", &json!({})).await.must_be(403).code(),
            "not-permitted",
            "{verb}"
        );
    }
    let reply = post(&format!("{path}/messages"), "bob", &json!({"text": "me too"}));
    let refused = office.ask(reply).await.must_be(403);
    assert!(refused.json()["detail"].as_str().unwrap().starts_with("Ana owns"));
    // Decided on what was long ago.
    let late = with(post(&format!("{path}/actions/resolve"), "ana", &json!({})), "if-match", &before);
    assert_eq!(office.ask(late).await.must_be(409).code(), "moved");
    let fresh = office.ask(get(&path, "ana")).await.header("etag").to_owned();
    let now = with(post(&format!("{path}/actions/resolve"), "ana", &json!({})), "if-match", &fresh);
    office.ask(now).await.must_be(200);
    let wrong = with(post(&format!("{path}/actions/reopen"), "ana", &json!({})), "if-match", "seven");
    office.ask(wrong).await.must_be(400);
}

#[tokio::test]
async fn refusals_of_the_state_are_conflicts() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    // Bob is off: he would never see it.
    office.accept(network, "ana").await;
    let transfer = office.act(network, "transfer", "ana", &json!({"to": "@bob"})).await.must_be(409);
    assert_eq!(transfer.code(), "state");
    assert!(transfer.json()["detail"].as_str().unwrap().contains("Bob"));
    let undo = office.act(network, "undo", "ana", &json!({})).await.must_be(409);
    assert_eq!(undo.code(), "too-late");
    office.act(network, "reopen", "ana", &json!({})).await.must_be(409);
    office.act(network, "takeover", "bob", &json!({})).await.must_be(200);
    assert_eq!(office.conversation(network).await.assignee().unwrap().as_str(), "bob");
}

#[tokio::test]
async fn verbs_take_what_they_take() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    for (verb, body, status) in [
        ("nonsense", json!({}), 404),
        ("accept", json!({"to": "@bob"}), 400),
        ("transfer", json!({}), 400),
        ("transfer", json!({"to": "@nobody-canary"}), 400),
        ("snooze", json!({"for": "whenever-canary"}), 400),
        ("note", json!({}), 400),
        ("send", json!({"message": "1"}), 400),
        ("note", json!({"message": "just a note"}), 201),
        ("accept", json!({}), 200),
        ("snooze", json!({"for": "2h"}), 200),
        ("reply", json!({"message": "hello"}), 201),
        ("transfer", json!({"to": "#sap"}), 200),
    ] {
        let answer = office.act(network, verb, "ana", &body).await.must_be(status);
        assert!(!String::from_utf8_lossy(&answer.bytes).contains("-canary\""), "{verb} echoes");
    }
    // It went to others, and with it the right to see it.
    assert_eq!(office.conversation(network).await.queue.as_str(), "sap");
    office.ask(get(&format!("/api/v1/conversations/{network}"), "ana")).await.must_be(404);
    office.ask(get(&format!("/api/v1/conversations/{network}"), "cem")).await.must_be(200);
}

#[tokio::test]
async fn a_token_of_nobody_does_nothing_to_conversations() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    assert_eq!(
        office.act(network, "accept", "program", &json!({})).await.must_be(403).code(),
        "no-technician"
    );
    let note = post(&format!("/api/v1/conversations/{network}/notes"), "program", &json!({"text": "x"}));
    office.ask(note).await.must_be(403);
    office.ask(get(&format!("/api/v1/conversations/{network}"), "program")).await.must_be(200);
}

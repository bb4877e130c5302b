//! What stays inside stays inside (S68), and what is downloaded runs nowhere (S50).
//!
//! Not here: other queues (`sight`).

use deskbridge_conversation::ConversationId;
use serde_json::json;

use super::office::{Office, get, post};

#[tokio::test]
async fn s68_notes_and_drafts_reach_no_requester() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    let path = format!("/api/v1/conversations/{network}");
    office.accept(network, "ana").await;
    let note = office
        .ask(post(&format!("{path}/notes"), "bob", &json!({"text": "canary-note: he is the CEO"})))
        .await;
    assert_eq!(note.must_be(201).data()["message"]["audience"], "internal");
    office.ask(post(&format!("{path}/suggestions"), "ana", &json!({}))).await.must_be(202);
    office.act(network, "summary", "ana", &json!({})).await.must_be(200);
    let draft = office
        .until(async || {
            let said = office.ask(get(&format!("{path}/messages?limit=200"), "ana")).await.data();
            said.as_array().unwrap().iter().find(|message| message["audience"] == "private").cloned()
        })
        .await;
    assert_eq!(draft["author"]["kind"], "assistant");
    // Colleagues see notes, and not the draft that was made for somebody else.
    for who in ["bob", "sue", "program"] {
        let said = office.ask(get(&format!("{path}/messages?limit=200"), who)).await.data().to_string();
        assert!(said.contains("canary-note") && !said.contains("\"private\""), "{who}");
        let found = office.ask(get("/api/v1/search?q=canary-note", who)).await.data();
        assert_eq!(found.as_array().unwrap().len(), 1);
    }
    office.ask(post(&format!("{path}/messages"), "ana", &json!({"text": "Solved."}))).await.must_be(201);
    office.act(network, "resolve", "ana", &json!({})).await.must_be(200);
    let world = office.town.world("telegram");
    let direct = world.direct("maria");
    office
        .until(async || {
            world.messages(&direct).iter().any(|m| m.content.text.contains("Solved.")).then_some(())
        })
        .await;
    let shown = format!("{:?}", world.messages(&direct));
    let draft_text = draft["text"].as_str().unwrap();
    assert!(!shown.contains("canary-note") && !shown.contains(draft_text));
    let visible =
        office.bridge().read.messages(ConversationId(network), 0, false, 1_000).await.expect("read");
    assert!(visible.iter().all(|row| !row.content.text.contains("canary-note")));
    // The ticket's record for the requester.
    let ticket = office
        .until(async || {
            let ticket = office.ask(get(&format!("{path}/ticket"), "ana")).await.data()["ticket"].clone();
            (ticket["status"] == "resolved").then_some(ticket)
        })
        .await;
    for comment in ticket["comments"].as_array().unwrap().iter().filter(|comment| comment["public"] == true) {
        assert!(!comment["text"].as_str().unwrap().contains("canary-note"));
    }
}

#[tokio::test]
async fn a_lock_keeps_a_reply_inside() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    office.accept(network, "ana").await;
    let path = format!("/api/v1/conversations/{network}/messages");
    for (text, kept) in [
        ("🔒 canary-lock", "canary-lock"),
        ("canary-lock 🔒", "canary-lock"),
        ("note: canary-lock", "canary-lock"),
    ] {
        let made = office.ask(post(&path, "ana", &json!({"text": text}))).await.must_be(201).data();
        assert_eq!(
            (made["message"]["audience"].as_str(), made["message"]["text"].as_str()),
            (Some("internal"), Some(kept))
        );
    }
    // Everything else is said as it is written.
    let made = office
        .ask(post(&path, "ana", &json!({"text": "/var/log is full; type !help"})))
        .await
        .must_be(201)
        .data();
    assert_eq!(made["message"]["audience"], "public");
    let world = office.town.world("telegram");
    let direct = world.direct("maria");
    office
        .until(async || {
            world.messages(&direct).iter().any(|m| m.content.text.contains("/var/log")).then_some(())
        })
        .await;
    assert!(!format!("{:?}", world.messages(&direct)).contains("canary-lock"));
}

#[tokio::test]
async fn deleted_words_are_gone() {
    let office = Office::open().await;
    let (_, sap) = office.two().await;
    let world = office.town.world("widget");
    let direct = world.direct("joao");
    let sent =
        world.messages(&direct).into_iter().find(|m| m.content.text.contains("canary-sap")).expect("his");
    world.delete("joao", &direct, &sent.id).await.expect("taken");
    let said = office.ask(get(&format!("/api/v1/conversations/{sap}/messages"), "cem")).await.data();
    assert_eq!((said[0]["deleted"].as_bool(), said[0]["text"].is_null()), (Some(true), true));
    let found = office.ask(get("/api/v1/search?q=canary", "cem")).await.data();
    assert!(found.as_array().unwrap().iter().all(|hit| hit["message"] != said[0]["id"]));
}

#[tokio::test]
async fn s50_attachments_are_downloads() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    let id = office.blob(network, "../x\"\r\n<b>.html", b"<script>alert(1)</script>").await;
    let file = office.ask(get(&format!("/api/v1/blobs/{id}"), "ana")).await.must_be(200);
    assert_eq!(file.bytes, b"<script>alert(1)</script>");
    assert!(file.header("content-disposition").starts_with("attachment; filename=\"x__b_.html\""));
    assert!(file.header("content-security-policy").starts_with("sandbox"));
    assert_eq!(
        (file.header("x-content-type-options"), file.header("cache-control")),
        ("nosniff", "no-store")
    );
    for wrong in ["../../etc/passwd", "0123", "ABCDEF0123456789ABCDEF0123456789"] {
        office.ask(get(&format!("/api/v1/blobs/{}", wrong.replace('/', "%2F")), "ana")).await.must_be(404);
    }
}

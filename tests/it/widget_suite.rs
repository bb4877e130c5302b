//! The widget adapter against the numbered clauses of the contract, over its own surface by HTTP.
//!
//! Not here: the clauses (the contract's suite), the widget in a browser (`browser`).

mod files;
mod identity;
mod portal;
mod sockets;

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::suite::*;
use deskbridge_contract::*;
use serde_json::{Value, json};

use portal::{Lines, Portal, THREAD};

#[tokio::test]
async fn the_clauses() {
    let lines = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(|| Lines);
    let _ = tracing::subscriber::set_global_default(lines.finish());
    let _ = rustls::crypto::ring::default_provider().install_default();
    assert_conforms(&mut Portal::new()).await;
}

/// S55, S59: exact origins, by HTTP and at the handshake; nothing without one.
#[tokio::test]
async fn s55_s59_pages_elsewhere_are_refused() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut portal = Portal::new();
    let recorder = Arc::new(Recorder::default());
    portal.start(Inbox::new("widget".into(), recorder.clone(), recorder)).await;
    for origin in [
        None,
        Some("null"),
        Some(""),
        Some("https://portal.example.com.evil.test"),
        Some("https://evilportal.example.com"),
        Some("http://portal.example.com"),
        Some("https://portal.example.com:8443"),
    ] {
        for (method, path) in
            [("POST", "session"), ("POST", "act"), ("GET", "socket"), ("OPTIONS", "session")]
        {
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            let mut request = portal.http.request(method, format!("{}/{path}", portal.base)).body("{}");
            if path == "socket" {
                request = request
                    .header("connection", "upgrade")
                    .header("upgrade", "websocket")
                    .header("sec-websocket-version", "13")
                    .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
            }
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status().as_u16(), 403, "{origin:?} {path}");
            assert!(!answer.headers().contains_key("access-control-allow-origin"), "{origin:?} {path}");
        }
    }
}

/// S66: another visitor's conversation is as unknown as none; files of others cannot be sent.
#[tokio::test]
async fn s66_another_visitors_conversation_is_unknown() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut portal = Portal::new();
    let recorder = Arc::new(Recorder::default());
    portal.start(Inbox::new("widget".into(), recorder.clone(), recorder.clone())).await;
    let begun: Value = portal.post("session", &json!({})).send().await.unwrap().json().await.unwrap();
    portal.token = begun["token"].as_str().unwrap().to_owned();
    let before = recorder.pushed().len();
    let message = "0123456789.first-message-of-all";
    for frame in [
        json!({ "t": "send", "c": THREAD, "id": "m-00000001", "text": "let me in" }),
        json!({ "t": "edit", "c": THREAD, "id": "m-00000002", "message": message, "text": "changed" }),
        json!({ "t": "delete", "c": THREAD, "id": "m-00000003", "message": message }),
        json!({ "t": "press", "c": THREAD, "id": "m-00000004", "action": "close" }),
        json!({ "t": "react", "c": THREAD, "id": "m-00000005", "message": message, "emoji": "👍", "on": true }),
        json!({ "t": "read", "c": THREAD, "seq": 1 }),
        json!({ "t": "typing", "c": THREAD }),
        json!({ "t": "send", "c": "f".repeat(32), "id": "m-00000006", "text": "", "files": ["a".repeat(32)] }),
    ] {
        assert_eq!(portal.post("act", &frame).send().await.unwrap().status(), 404, "{frame}");
    }
    let resume = json!({ "t": "resume", "cursors": { THREAD: 0 } });
    let seen = portal.post("act", &resume).send().await.unwrap().text().await.unwrap();
    assert!(!seen.contains(THREAD), "{seen}");
    assert_eq!(recorder.pushed().len(), before);
}

/// F01: killed between the commit and the journal, a message is not lost for its author: the repetition puts it there.
#[tokio::test]
async fn f01_a_repetition_heals_the_journal() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut portal = Portal::new();
    let recorder = Arc::new(Recorder::default());
    portal.start(Inbox::new("widget".into(), recorder.clone(), recorder.clone())).await;
    let frame =
        json!({ "t": "send", "c": THREAD, "id": "m-00000009", "text": "committed, and then the end" });
    let known = portal.adapter.translate(frame.to_string().as_bytes()).unwrap().unwrap();
    Inbox::new("widget".into(), recorder.clone(), recorder).push(known).await.unwrap();
    for _ in 0..3 {
        assert_eq!(portal.post("act", &frame).send().await.unwrap().status(), 200);
    }
    let shown = portal.shown(&portal.home()).await;
    assert_eq!(shown.iter().filter(|one| one.text.contains("and then the end")).count(), 1);
}

/// How a request stands is told once, kept, and found again by whoever comes later; hints are only for those who look.
#[tokio::test]
async fn standings_are_kept_and_hints_are_not() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut portal = Portal::new();
    let recorder = Arc::new(Recorder::default());
    portal.start(Inbox::new("widget".into(), recorder.clone(), recorder)).await;
    let mut stream = portal.post("events", &json!({ "cursors": { THREAD: 0 } })).send().await.unwrap();
    let (home, adapter) = (portal.home(), portal.adapter.clone());
    let mut standing = Standing {
        reference: "#1042".into(),
        state: StandingState::Waiting,
        technician: None,
        ticket: None,
        position: Some(2),
        subject: "VPN".into(),
        rating: None,
    };
    adapter.standing(&home, &standing).await.unwrap();
    adapter.standing(&home, &standing).await.unwrap();
    adapter.streaming(&home, "so far **so** good").await.unwrap();
    standing.state = StandingState::Human;
    standing.technician = Some("Bob".into());
    adapter.standing(&home, &standing).await.unwrap();
    adapter.typing(&home).await.unwrap();
    let mut heard = String::new();
    while !heard.contains(r#""t":"typing""#) {
        let piece = tokio::time::timeout(Duration::from_secs(10), stream.chunk()).await;
        heard.push_str(&String::from_utf8_lossy(&piece.expect("in time").unwrap().expect("open")));
    }
    assert_eq!(heard.matches(r#""state":"waiting""#).count(), 1, "{heard}");
    assert!(heard.contains(r#"["strong",{},"so"]"#) && heard.contains(r#""name":"Bob""#), "{heard}");
    let resume = json!({ "t": "resume", "cursors": { THREAD: 0 } });
    let kept = portal.post("act", &resume).send().await.unwrap().text().await.unwrap();
    assert_eq!(kept.matches(r#""kind":"standing""#).count(), 2, "{kept}");
    assert!(!kept.contains("so far"), "{kept}");
    let elsewhere = Address::room(&"widget".into(), "v".repeat(33)).thread(THREAD);
    assert!(matches!(adapter.standing(&elsewhere, &standing).await, Err(SendError::Gone { .. })));
}

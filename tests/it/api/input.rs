//! What may be sent at all: encodings, kinds, fields (S25, S26, S28, S30, S65).
//!
//! Not here: sockets.

use axum::body::Body;
use axum::http::Request;
use futures_util::stream;
use serde_json::json;

use super::office::{Office, get, post, request, token_of, with};

#[tokio::test]
async fn s25_bodies_have_an_end() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    let notes = format!("/api/v1/conversations/{network}/notes");
    let endless = || {
        let piece = bytes::Bytes::from(vec![b'a'; 64 << 10]);
        Body::from_stream(stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone())))
    };
    let large = || Body::from(vec![b'a'; (1 << 20) + 1]);
    for path in [notes.as_str(), "/hooks/probe"] {
        office.ask(request("POST", path, "ana", large())).await.must_be(413);
        let told = with(request("POST", path, "ana", Body::empty()), "content-length", "10737418240");
        office.ask(told).await.must_be(413);
        office.ask(request("POST", path, "ana", endless())).await.must_be(413);
    }
    let fits = Body::from(vec![b'a'; 1 << 20]);
    office.ask(request("POST", "/hooks/probe", "", fits)).await.must_be(200);
    // Nobody's body is read.
    office.ask(request("POST", &notes, "nobody", endless())).await.must_be(401);
}

#[tokio::test]
async fn s26_no_encodings() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    let notes = format!("/api/v1/conversations/{network}/notes");
    for path in [notes.as_str(), "/hooks/probe"] {
        for encoding in ["gzip", "gzip, gzip", "deflate", "br", "zstd", "x-made-up"] {
            let body = request("POST", path, "ana", Body::from("{}"));
            office.ask(with(body, "content-encoding", encoding)).await.must_be(415);
        }
    }
    let plain = with(request("POST", "/hooks/probe", "", Body::from("{}")), "content-encoding", "identity");
    office.ask(plain).await.must_be(200);
}

#[tokio::test]
async fn s28_text_is_unicode_and_nothing_else() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    let path = format!("/api/v1/conversations/{network}/notes");
    let utf16: Vec<u8> = "{\"text\":\"hello\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for body in [
        b"{\"text\":\"\xff\"}".to_vec(),
        b"{\"text\":\"\xc0\xaf\"}".to_vec(),
        b"{\"text\":\"\xed\xa0\x80\"}".to_vec(),
        br#"{"text":"\ud800"}"#.to_vec(),
        br#"{"text":"\udc00\ud800"}"#.to_vec(),
        b"\xef\xbb\xbf{\"text\":\"a\"}".to_vec(),
        br#"{"text":"a\u0000b"}"#.to_vec(),
        utf16,
        b"".to_vec(),
        b"null".to_vec(),
        format!("{{\"text\":{}1{}}}", "[".repeat(65), "]".repeat(65)).into_bytes(),
        format!("{{\"text\":{}", "[".repeat(100_000)).into_bytes(),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let answer = office.ask(request("POST", &path, "ana", Body::from(body))).await;
        assert_eq!(answer.status.as_u16(), 400, "{shown}");
        assert!(answer.bytes.len() <= 300, "{}", String::from_utf8_lossy(&answer.bytes));
    }
    let fine = json!({"text": "🖨️ größer \u{202e}rtl \u{1f468}\u{200d}\u{1f469}"});
    office.ask(post(&path, "ana", &fine)).await.must_be(201);
    for path in ["/api/v1/conversations/%ff", "/api/v1/search?q=%ff", "/api/v1/tickets/%00"] {
        let status = office.ask(get(path, "ana")).await.status.as_u16();
        assert!(status == 400 || status == 404 || status == 200, "{path}: {status}");
    }
}

#[tokio::test]
async fn s30_only_the_kinds_that_platforms_send() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    let notes = format!("/api/v1/conversations/{network}/notes");
    for kind in
        ["application/xml", "text/plain", "multipart/form-data; boundary=x", "text/html", "application/jsonx"]
    {
        for path in [notes.as_str(), "/hooks/probe"] {
            let body =
                with(request("POST", path, "ana", Body::from("{\"text\":\"a\"}")), "content-type", kind);
            office.ask(body).await.must_be(415);
        }
    }
    let twice = Request::post("/hooks/probe").header("content-type", "application/json");
    let twice = twice.header("content-type", "text/xml").body(Body::empty()).unwrap();
    office.ask(twice).await.must_be(415);
    let form = with(
        request("POST", "/hooks/probe", "", Body::from("a=b")),
        "content-type",
        "application/x-www-form-urlencoded",
    );
    office.ask(form).await.must_be(200);
}

#[tokio::test]
async fn s65_nothing_but_the_fields() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    let path = format!("/api/v1/conversations/{network}/notes");
    for (name, value) in [
        ("sender", json!("agent")),
        ("author", json!({"kind": "requester"})),
        ("created_at", json!("2020-01-01")),
        ("assignee", json!("cem")),
        ("is_ai", json!(true)),
        ("audience", json!("public")),
        ("__proto__", json!({})),
    ] {
        let refused = office.ask(post(&path, "ana", &json!({"text": "x", name: value}))).await.must_be(400);
        assert_eq!(refused.code(), "unknown-field");
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("text, reply_to") && !detail.contains(name), "{detail}");
    }
    let long = json!({"text": "x".repeat(100_001)});
    office.ask(post(&path, "ana", &long)).await.must_be(400);
    office.ask(post(&path, "ana", &json!({"text": " \n"}))).await.must_be(400);
}

#[tokio::test]
async fn refusals_say_little() {
    let office = Office::open().await;
    office.two().await;
    let secret = "canary-<script>";
    for request in [
        get(&format!("/api/v1/{secret}").replace(['<', '>'], ""), "nobody"),
        get("/api/v1/conversations/1", "nobody"),
        with(get("/api/v1/conversations", "ana"), "authorization", "Basic Y2FuYXJ5"),
        request("DELETE", "/api/v1/conversations/1", "nobody", Body::empty()),
        request("POST", "/hooks/unknown", "", Body::from("canary")),
        with(
            get("/api/v1/me", ""),
            "authorization",
            &format!("Bearer {}{}", token_of("ana"), "0".repeat(10_000)),
        ),
    ] {
        let answer = office.ask(request).await;
        assert!(answer.status.is_client_error());
        assert!(answer.bytes.len() <= 200, "{}", String::from_utf8_lossy(&answer.bytes));
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let body = answer.json();
        assert_eq!(body["status"], answer.status.as_u16());
        assert_eq!(body["request_id"].as_str(), Some(answer.header("x-request-id")));
        assert!(!body.to_string().contains("canary"));
    }
    let wrong =
        office.ask(request("PATCH", "/api/v1/conversations", "ana", Body::empty())).await.must_be(405);
    assert_eq!((wrong.code().as_str(), wrong.header("allow")), ("method-not-allowed", "GET,HEAD"));
}

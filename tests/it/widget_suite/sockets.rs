//! Sockets of the widget under abuse, over real connections (S60 to S63, S65).
//!
//! Not here: how frames are cut and read (`wire`), how long the connection waits for what (its own tests, where time is
//! theirs to move), what frames do (the clauses).

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::suite::{Recorder, Subject as _};
use deskbridge_contract::{InboundEvent, Inbox};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::portal::{ORIGIN, Portal, THREAD};

/// Longer than any machine needs; reached only where something never comes.
const PATIENCE: Duration = Duration::from_secs(300);
const OTHER: &str = "fedcba9876543210fedcba9876543210";

async fn portal_with(more: Value) -> (Portal, Arc<Recorder>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut portal = Portal::with(more);
    let recorder = Arc::new(Recorder::default());
    portal.start(Inbox::new("widget".into(), recorder.clone(), recorder.clone())).await;
    (portal, recorder)
}

struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// A handshake; or the status that it was refused with.
    async fn open(portal: &Portal) -> Result<Socket, u16> {
        let address = portal.base.strip_prefix("http://").expect("an address").to_owned();
        let mut request = format!("ws://{address}/socket").into_client_request().expect("a request");
        request.headers_mut().insert("origin", ORIGIN.parse().expect("a header"));
        let extensions = "permessage-deflate; client_max_window_bits".parse().expect("a header");
        request.headers_mut().insert("sec-websocket-extensions", extensions);
        let host = address.split('/').next().expect("a host").to_owned();
        let stream = TcpStream::connect(host).await.expect("connected");
        match client_async(request, stream).await {
            Ok((socket, answer)) => {
                assert!(!answer.headers().contains_key("sec-websocket-extensions"), "nothing is compressed");
                Ok(Socket(socket))
            }
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// One that has said who it is, and is caught up.
    async fn known(portal: &Portal, token: &str) -> Socket {
        let mut socket = Socket::open(portal).await.expect("a socket");
        socket.say(&json!({ "t": "hello", "token": token, "cursors": {} })).await;
        socket.until("resumed").await;
        socket
    }

    async fn send(&mut self, message: Message) {
        self.0.send(message).await.expect("sent");
    }

    async fn say(&mut self, frame: &Value) {
        self.send(Message::text(frame.to_string())).await;
    }

    async fn next(&mut self) -> Option<Result<Message, Error>> {
        tokio::time::timeout(PATIENCE, self.0.next()).await.expect("something came")
    }

    /// Every frame up to the first of this kind.
    async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut heard = Vec::new();
        loop {
            match self.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    let found = frame["t"] == kind;
                    heard.push(frame);
                    if found {
                        return heard;
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("no {kind}: {other:?} after {heard:#?}"),
            }
        }
    }

    /// Why it was closed, whatever came before that.
    async fn closed(mut self) -> (u16, String) {
        loop {
            match self.next().await {
                Some(Ok(Message::Close(Some(why)))) => return (why.code.into(), why.reason.to_string()),
                Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("not closed in words: {other:?}"),
            }
        }
    }
}

/// Somebody else, unknown to the site.
async fn visitor(portal: &Portal) -> String {
    let begun: Value = portal.post("session", &json!({})).send().await.unwrap().json().await.unwrap();
    begun["token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn s60_who_does_not_say_who_they_are_is_closed() {
    let (portal, recorder) = portal_with(json!({})).await;
    let before = recorder.pushed().len();
    let silent = Socket::open(&portal).await.unwrap();
    assert_eq!(silent.closed().await, (4401, "no-hello".into()));
    // Whatever comes first and is no hello; and one that shows nothing good.
    for (first, reason) in [
        (json!({ "t": "send", "c": THREAD, "id": "m-00000001", "text": "let me in" }), "no-hello"),
        (json!({ "t": "resume", "cursors": { THREAD: 0 } }), "no-hello"),
        (json!("nonsense"), "no-hello"),
        (json!({ "t": "hello", "token": "" }), "session-ended"),
        (json!({ "t": "hello", "token": format!("dws_{}", "0".repeat(64)) }), "session-ended"),
    ] {
        let mut socket = Socket::open(&portal).await.unwrap();
        socket.say(&first).await;
        assert_eq!(socket.closed().await, (4401, reason.into()), "{first}");
    }
    assert_eq!(recorder.pushed().len(), before, "nothing was done");
}

#[tokio::test]
async fn s60_a_second_hello_and_a_foreign_conversation_leak_nothing() {
    let (portal, _recorder) = portal_with(json!({})).await;
    let stranger = visitor(&portal).await;
    let mut socket = Socket::known(&portal, &stranger).await;
    // With the token of the one who has that conversation.
    socket.say(&json!({ "t": "hello", "token": portal.token, "cursors": { THREAD: 0 } })).await;
    let heard = socket.until("refused").await;
    assert_eq!(heard.len(), 1, "{heard:#?}");
    socket.say(&json!({ "t": "resume", "cursors": { THREAD: 0 } })).await;
    let heard = socket.until("resumed").await;
    assert_eq!(heard.len(), 1, "{heard:#?}");
    // Nor is the socket theirs from now on.
    let said = json!({ "t": "send", "c": THREAD, "id": "m-00000001", "text": "nobody else reads this" });
    assert!(portal.post("act", &said).send().await.unwrap().status().is_success());
    for _ in 0..3 {
        socket.say(&json!({ "t": "ping" })).await;
        let heard = socket.until("pong").await;
        assert_eq!(heard.len(), 1, "{heard:#?}");
    }
}

#[tokio::test]
async fn s61_frames_that_no_browser_sends_are_closed_with_their_code() {
    let (portal, _recorder) = portal_with(json!({})).await;
    let token = visitor(&portal).await;
    let text = OpCode::Data(Data::Text);
    let piece = |code, last, bytes: Vec<u8>| Message::Frame(Frame::message(bytes, code, last));
    let mut squeezed = Frame::message(vec![0x2a, 0x49, 0x2d, 0x2e, 0x01, 0x00], text, true);
    squeezed.header_mut().rsv1 = true;
    let endless = (0..8).map(|n| {
        let code = if n == 0 { text } else { OpCode::Data(Data::Continue) };
        piece(code, false, vec![b'x'; 10 << 10])
    });
    for (what, code, messages) in [
        ("65 KB", 1009, vec![Message::text("x".repeat((64 << 10) + 1))]),
        ("fragments without end", 1009, endless.collect()),
        ("compressed", 1002, vec![Message::Frame(squeezed)]),
        ("not UTF-8", 1007, vec![piece(text, true, vec![0xc3, 0x28])]),
        ("binary", 1008, vec![Message::binary(vec![1, 2, 3])]),
    ] {
        let mut socket = Socket::known(&portal, &token).await;
        for message in messages {
            socket.send(message).await;
        }
        assert_eq!(socket.closed().await.0, code, "{what}");
    }
    let mut early = Socket::open(&portal).await.unwrap();
    early.send(Message::binary(vec![1])).await;
    assert_eq!(early.closed().await.0, 1008, "binary before anything else");
}

/// Whatever the frames are: nothing is free, not even a ping.
#[tokio::test]
async fn s61_a_flood_is_closed_with_1008() {
    let (portal, recorder) = portal_with(json!({ "messages_per_minute": 30 })).await;
    let before = recorder.pushed().len();
    let typing = json!({ "t": "typing", "c": OTHER }).to_string();
    let floods = [
        ("pings of the protocol", Message::Ping("p".into())),
        ("pongs that nobody asked for", Message::Pong("p".into())),
        ("pings in frames", Message::text(r#"{"t":"ping"}"#)),
        ("hints", Message::text(typing)),
    ];
    for (what, message) in floods {
        let token = visitor(&portal).await;
        let mut socket = Socket::known(&portal, &token).await;
        // Few enough to be read to their end by whoever is slow; by far more than twenty a second would let through.
        for _ in 0..2_000 {
            socket.0.feed(message.clone()).await.expect("taken");
        }
        socket.0.flush().await.expect("sent");
        assert_eq!(socket.closed().await, (1008, "too many frames".into()), "{what}");
    }
    assert_eq!(recorder.pushed().len(), before, "nothing of it went on");
    // Before anybody said who they are.
    let mut stranger = Socket::open(&portal).await.unwrap();
    for _ in 0..20 {
        stranger.0.feed(Message::Ping("p".into())).await.expect("taken");
    }
    stranger.0.flush().await.expect("sent");
    assert_eq!(stranger.closed().await.0, 1008);
}

#[tokio::test]
async fn s62_ten_sockets_of_a_visitor_and_the_oldest_stay() {
    let (portal, _recorder) = portal_with(json!({})).await;
    let mut open = Vec::new();
    for _ in 0..10 {
        open.push(Socket::known(&portal, &portal.token).await);
    }
    for _ in 0..5 {
        let mut one_more = Socket::open(&portal).await.unwrap();
        one_more.say(&json!({ "t": "hello", "token": portal.token, "cursors": {} })).await;
        assert_eq!(one_more.closed().await, (4503, "too many connections".into()));
    }
    for socket in &mut open {
        socket.say(&json!({ "t": "ping" })).await;
        socket.until("pong").await;
    }
    // A place that is given back is there for another.
    drop(open.pop());
    loop {
        let mut socket = Socket::open(&portal).await.unwrap();
        socket.say(&json!({ "t": "hello", "token": portal.token, "cursors": {} })).await;
        match socket.next().await {
            Some(Ok(Message::Text(_))) => break,
            Some(Ok(Message::Close(_))) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn s62_two_hundred_sockets_of_an_address_and_the_oldest_stay() {
    let (portal, _recorder) = portal_with(json!({})).await;
    let mut open = Vec::new();
    for n in 0..20 {
        let token = if n == 0 { portal.token.clone() } else { visitor(&portal).await };
        for _ in 0..10 {
            open.push(Socket::known(&portal, &token).await);
        }
    }
    // A thousand in all.
    for _ in 200..1_000 {
        assert_eq!(Socket::open(&portal).await.err(), Some(429));
    }
    for socket in &mut open {
        socket.say(&json!({ "t": "ping" })).await;
        socket.until("pong").await;
    }
}

/// Closed, and refused from then on; the person's other devices stay.
#[tokio::test]
async fn s63_a_session_that_ended_is_cut_at_once() {
    let (portal, recorder) = portal_with(json!({})).await;
    let other = visitor(&portal).await;
    let (mut stays, cut) =
        (Socket::known(&portal, &other).await, Socket::known(&portal, &portal.token).await);
    let logout = portal.post("act", &json!({ "t": "logout" })).send().await.unwrap();
    assert!(logout.status().is_success());
    assert_eq!(cut.closed().await, (4401, "session-ended".into()));
    let before = recorder.pushed().len();
    let next = json!({ "t": "send", "c": THREAD, "id": "m-00000001", "text": "still me" });
    assert_eq!(portal.post("act", &next).send().await.unwrap().status(), 401);
    assert_eq!(recorder.pushed().len(), before);
    stays.say(&json!({ "t": "ping" })).await;
    stays.until("pong").await;
}

/// What a browser says of itself beyond its words is not believed.
#[tokio::test]
async fn s65_a_frame_says_only_what_a_visitor_may_say() {
    let (portal, recorder) = portal_with(json!({})).await;
    let mut socket = Socket::known(&portal, &portal.token).await;
    let claims = json!({
        "from": "technician", "sender": "agent", "name": "Bob", "created_at": "2020-01-01T00:00:00Z", "at": 1, "seq": 999,
        "is_ai": true, "assistant": true, "assignee": "bob", "audience": "internal", "persona": { "assistant": true },
        "author": { "technician": "bob" }, "verified": true, "visitor": "v".repeat(33), "mine": false, "mark": "seen",
        "state": "closed", "email_verified": true, "kind": "message", "body": [["strong", {}, "bold"]],
    });
    let with = |frame: Value| {
        let mut all = claims.clone();
        all.as_object_mut().unwrap().extend(frame.as_object().unwrap().clone());
        all
    };
    let send = json!({ "t": "send", "c": OTHER, "id": "m-00000001", "text": "only my words" });
    socket.say(&with(send)).await;
    let event = socket.until("event").await.pop().unwrap();
    assert_eq!((&event["from"], &event["text"]), (&json!("me"), &json!("only my words")), "{event}");
    for claimed in ["name", "body", "is_ai", "created_at", "assignee", "persona", "author", "mark"] {
        assert!(event.get(claimed).is_none(), "{claimed}: {event}");
    }
    assert_eq!((&event["seq"], &event["at"]), (&json!(1), &json!(1_700_000_000_000_i64)), "{event}");
    socket.say(&with(json!({ "t": "profile", "name": "Maria" }))).await;
    socket.say(&with(json!({ "t": "send", "c": OTHER, "id": "m-00000002", "text": "and again" }))).await;
    loop {
        let event = socket.until("event").await.pop().unwrap();
        assert_eq!(event["from"], "me", "{event}");
        if event["text"] == "and again" {
            break;
        }
    }
    let came = recorder.pushed().into_iter().rev().take(2).collect::<Vec<_>>();
    assert_eq!(came[0].from.display_name.as_deref(), Some("Maria"));
    for inbound in &came {
        assert_eq!(inbound.at, deskbridge_contract::Timestamp::from_seconds(1_700_000_000));
        assert!(!inbound.from.email_verified && inbound.from.id.0 != "v".repeat(33), "{inbound:?}");
        assert!(matches!(&inbound.event, InboundEvent::Posted { .. }), "{inbound:?}");
    }
    // What is of another type than it should be is no frame at all.
    for bad in [
        json!({ "t": "send", "c": OTHER, "id": "m-00000003", "text": { "from": "technician" } }),
        json!({ "t": "marked", "c": OTHER, "id": "m-00000004", "mark": "seen" }),
        json!({ "t": "standing", "c": OTHER, "state": "closed" }),
    ] {
        socket.say(&bad).await;
        let refused = socket.until("refused").await.pop().unwrap();
        assert_eq!((&refused["status"], &refused["code"]), (&json!(400), &json!("malformed")), "{bad}");
    }
}

//! A bare Discord app: calls the HTTP API, and listens at the gateway through a plain WebSocket.

use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderMap;
use deskbridge_platforms::discord::{FakeDiscord, Installed, Server, Settings, Snowflake};
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::client::http;

pub const PATIENCE: Duration = Duration::from_secs(60);
/// Servers, messages with content, direct messages, reactions.
pub const INTENTS: u64 = 1 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15;

/// A server with people, an app, a text channel and a forum.
pub struct Scene {
    pub fake: FakeDiscord,
    pub acme: Server,
    pub app: Installed,
    pub ana: Snowflake,
    pub bob: Snowflake,
    pub help: Snowflake,
    pub desk: Snowflake,
}

impl Scene {
    pub async fn set(settings: Settings) -> Self {
        let fake = FakeDiscord::with(settings).await;
        if let Some(specs) = specs() {
            fake.check_against(specs.join("discord_openapi.json")).expect("the description");
        }
        let acme = fake.server("Acme");
        let app = acme.install("IT Desk");
        let (ana, bob) = (acme.user("Ana"), acme.user("Bob"));
        let (help, desk) = (acme.text("help"), acme.forum("desk", &["open", "urgent"]));
        Scene { fake, acme, app, ana, bob, help, desk }
    }

    /// As the vendor has it, but for the three seconds in which an interaction is answered: the machine may be slow.
    pub async fn usual() -> Self {
        Scene::set(Settings { interaction_deadline: PATIENCE, ..Settings::default() }).await
    }

    /// Posts a text and returns its id.
    pub async fn post(&self, channel: Snowflake, text: &str) -> Snowflake {
        let message = ok(&self.app, "POST", &messages(channel), json!({ "content": text })).await;
        Snowflake::of(&message["id"]).expect("an id")
    }

    /// Opens a post in the forum.
    pub async fn open(&self, name: &str, text: &str) -> Snowflake {
        let body = json!({ "name": name, "message": { "content": text } });
        let post = ok(&self.app, "POST", &format!("channels/{}/threads", self.desk), body).await;
        Snowflake::of(&post["id"]).expect("an id")
    }
}

/// Where the published descriptions are.
fn specs() -> Option<PathBuf> {
    let given = std::env::var_os("DESKBRIDGE_TEST_SPECS").map(PathBuf::from);
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/specs"));
    let found = given.unwrap_or_else(beside);
    if found.join("discord_openapi.json").is_file() {
        return Some(found);
    }
    eprintln!("skipped: no API descriptions (DESKBRIDGE_TEST_SPECS is not set)");
    None
}

pub fn messages(channel: Snowflake) -> String {
    format!("channels/{channel}/messages")
}

pub fn message(channel: Snowflake, id: Snowflake) -> String {
    format!("channels/{channel}/messages/{id}")
}

pub fn request(app: &Installed, verb: &str, path: &str) -> reqwest::RequestBuilder {
    let verb = Method::from_bytes(verb.as_bytes()).expect("a verb");
    let request = http().request(verb, format!("{}/{path}", app.fake.api_url()));
    let request = request.header("User-Agent", "DiscordBot (https://deskbridge.example, 1)");
    if path.starts_with("webhooks/") || path.starts_with("interactions/") {
        return request;
    }
    request.header("Authorization", format!("Bot {}", app.token))
}

/// Status, headers and JSON of a call; a body of `null` is none.
pub async fn call(app: &Installed, verb: &str, path: &str, body: Value) -> (u16, HeaderMap, Value) {
    let mut request = request(app, verb, path);
    if !body.is_null() {
        request = request.json(&body);
    }
    let answer = request.send().await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    (status, headers, answer.json().await.unwrap_or(Value::Null))
}

pub async fn ok(app: &Installed, verb: &str, path: &str, body: Value) -> Value {
    let (status, _, answer) = call(app, verb, path, body).await;
    assert!((200..300).contains(&status), "{verb} {path}: {status} {answer}");
    answer
}

pub async fn get(app: &Installed, path: &str) -> Value {
    ok(app, "GET", path, Value::Null).await
}

/// Status and code of a refusal.
pub async fn refused(app: &Installed, verb: &str, path: &str, body: Value) -> (u16, u64) {
    let (status, _, answer) = call(app, verb, path, body).await;
    assert!(status >= 400, "{verb} {path} was not refused: {answer}");
    (status, answer["code"].as_u64().unwrap_or_default())
}

/// A connection to the gateway.
pub struct Link {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub seq: u64,
    pub session: String,
    pub resume_url: String,
}

impl Link {
    /// Connects and takes Hello.
    pub async fn open(url: &str) -> Self {
        let (stream, _) = tokio_tungstenite::connect_async(format!("{url}?v=10&encoding=json"))
            .await
            .expect("a connection");
        let mut link = Link { stream, seq: 0, session: String::new(), resume_url: String::new() };
        assert_eq!(link.next().await["op"], 10);
        link
    }

    pub async fn to(app: &Installed) -> Self {
        let bot = get(app, "gateway/bot").await;
        Link::open(bot["url"].as_str().expect("a URL")).await
    }

    /// Connects, identifies, and takes READY.
    pub async fn identified(app: &Installed, intents: u64) -> Self {
        let mut link = Link::to(app).await;
        link.identify(&app.token, json!(intents)).await;
        let ready = link.event("READY").await;
        link.session = ready["session_id"].as_str().expect("a session").to_owned();
        link.resume_url = ready["resume_gateway_url"].as_str().expect("a URL").to_owned();
        link
    }

    pub async fn send(&mut self, payload: Value) {
        self.stream.send(Frame::Text(payload.to_string().into())).await.expect("sent");
    }

    pub async fn identify(&mut self, token: &str, intents: Value) {
        let properties = json!({ "os": "linux", "browser": "test", "device": "test" });
        self.send(json!({ "op": 2, "d": { "token": token, "intents": intents, "properties": properties } }))
            .await;
    }

    pub async fn resume(&mut self, token: &str, session: &str, seq: u64) {
        self.send(json!({ "op": 6, "d": { "token": token, "session_id": session, "seq": seq } })).await;
    }

    async fn frame(&mut self) -> Option<Frame> {
        tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("in time").and_then(Result::ok)
    }

    pub async fn next(&mut self) -> Value {
        loop {
            match self.frame().await {
                Some(Frame::Text(text)) => {
                    let payload: Value = serde_json::from_str(&text).expect("JSON");
                    self.seq = payload["s"].as_u64().unwrap_or(self.seq);
                    return payload;
                }
                Some(Frame::Ping(_) | Frame::Pong(_)) => {}
                other => panic!("the gateway went away: {other:?}"),
            }
        }
    }

    /// The data of the next event of this kind; others are passed over.
    pub async fn event(&mut self, kind: &str) -> Value {
        loop {
            let payload = self.next().await;
            if payload["t"] == kind {
                return payload["d"].clone();
            }
        }
    }

    /// The code that the connection is closed with; none when it is cut.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            match self.frame().await {
                Some(Frame::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Some(_) => {}
                None => return None,
            }
        }
    }

    pub async fn leave(mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.stream.close(Some(frame)).await.expect("closed");
        // Until the other side has seen it.
        while self.frame().await.is_some() {}
    }
}

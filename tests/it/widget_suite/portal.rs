//! The widget's surface served over a socket, and a visitor who uses it by HTTP: the subject of the suite.
//!
//! Not here: what is checked.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use deskbridge_contract::suite::*;
use deskbridge_contract::*;
use deskbridge_widget::{Config, EXAMPLE, WidgetAdapter};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

const NOW: i64 = 1_700_000_000;
pub const ORIGIN: &str = "https://portal.example.com";
pub const KEY: &str = "a-key-of-the-site-for-tests-only-0001";
pub const THREAD: &str = "0123456789abcdef0123456789abcdef";

pub struct Portal {
    pub adapter: Arc<WidgetAdapter>,
    pub base: String,
    pub token: String,
    /// The visitor whose conversation is looked at.
    room: OnceLock<String>,
    sent: Vec<Value>,
    answers: Arc<Mutex<Vec<Option<u16>>>>,
    pub http: reqwest::Client,
    jti: u32,
}

static LOG: LazyLock<Arc<Mutex<Vec<u8>>>> = LazyLock::new(Arc::default);

pub struct Lines;
impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn signed(header: &Value, claims: &Value, key: &str) -> String {
    let part = |bytes: &[u8]| base64(bytes);
    let message = format!("{}.{}", part(header.to_string().as_bytes()), part(claims.to_string().as_bytes()));
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    format!("{message}.{}", part(&mac.finalize().into_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            out.push(char::from(SIGNS[(n >> (18 - 6 * at)) as usize & 63]));
        }
    }
    out
}

impl Portal {
    pub fn new() -> Portal {
        Portal::with(json!({}))
    }

    /// With other keys of the section.
    pub fn with(more: Value) -> Portal {
        let mut section = json!({ "origins": [ORIGIN], "identity_key": KEY, "messages_per_minute": 600 });
        section.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let config = Config::from_value(section).ok().unwrap();
        let clock = Arc::new(|| Timestamp::from_seconds(NOW));
        Portal {
            adapter: Arc::new(WidgetAdapter::new("widget".into(), config, clock)),
            base: String::new(),
            token: String::new(),
            room: OnceLock::new(),
            sent: Vec::new(),
            answers: Arc::default(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            jti: 0,
        }
    }

    /// Serves it, with nobody there yet.
    pub async fn open(&mut self, inbox: Inbox) {
        let page = self.adapter.clone().intake(inbox).page.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.base = format!("http://{}/widget/v1/widget", listener.local_addr().unwrap());
        let app = axum::Router::new().nest("/widget/v1/widget", page);
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    }

    pub fn post(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let request = self.http.post(format!("{}/{path}", self.base)).header("origin", ORIGIN);
        request.bearer_auth(&self.token).header("content-type", "application/json").body(body.to_string())
    }

    /// Sends a frame; its answer's status is kept under the number that is returned.
    fn act(&self, frame: &Value) -> String {
        let answers = self.answers.clone();
        let number = answers.lock().unwrap().len();
        answers.lock().unwrap().push(None);
        let request = self.post("act", frame);
        tokio::spawn(async move {
            let status = request.send().await.map(|answer| answer.status().as_u16()).unwrap_or(0);
            answers.lock().unwrap()[number] = Some(status);
        });
        number.to_string()
    }

    fn caused(&mut self, frame: Value) -> Option<Caused> {
        let handle = self.act(&frame);
        self.sent.resize(handle.parse::<usize>().unwrap() + 1, Value::Null);
        *self.sent.last_mut().unwrap() = frame;
        Some(Caused { handle, at: Some(Timestamp::from_seconds(NOW)) })
    }

    /// What sites of old say for an id.
    pub fn hash(id: &str, key: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(id.as_bytes());
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn claims(&mut self) -> Value {
        self.jti += 1;
        json!({ "sub": "maria", "aud": "widget", "iss": "widget", "iat": NOW, "exp": NOW + 120,
            "jti": format!("token-number-{}", self.jti) })
    }
}

/// What a person reads of a message's tree.
fn read(node: &Value, text: &mut String, links: &mut Vec<String>) {
    match node {
        Value::String(piece) => text.push_str(piece),
        Value::Array(parts) => {
            match parts[0].as_str().unwrap() {
                "br" => text.push('\n'),
                "a" => links.push(parts[1]["href"].as_str().unwrap().to_owned()),
                _ => {}
            }
            parts.iter().skip(2).for_each(|part| read(part, text, links));
        }
        other => panic!("not a node: {other}"),
    }
}

#[async_trait]
impl Subject for Portal {
    fn name(&self) -> String {
        "widget".into()
    }
    fn adapter(&self) -> Arc<dyn Adapter> {
        self.adapter.clone()
    }
    fn exempt(&self) -> Vec<(Clause, &'static str)> {
        vec![(Clause::C8, "sending is writing to our own store: no request goes to anybody")]
    }
    fn home(&self) -> Address {
        let room = self.room.get().expect("started");
        Address::room(&"widget".into(), room.clone()).thread(THREAD)
    }
    fn desk(&self) -> Option<Address> {
        None
    }
    async fn start(&mut self, inbox: Inbox) {
        self.open(inbox).await;
        let begun: Value = self.post("session", &json!({})).send().await.unwrap().json().await.unwrap();
        self.token = begun["token"].as_str().unwrap().to_owned();
        self.room.set(begun["me"]["id"].as_str().unwrap().to_owned()).unwrap();
        let first = json!({ "t": "send", "c": THREAD, "id": "first-message-of-all", "text": "hello" });
        assert!(self.post("act", &first).send().await.unwrap().status().is_success());
    }
    async fn cause(&mut self, act: &Act) -> Option<Caused> {
        let id = format!("m-{:08}", self.sent.len());
        let frame = match act {
            Act::Say { text, reply_to, .. } => {
                json!({ "t": "send", "c": THREAD, "id": id, "text": text, "reply_to": reply_to })
            }
            Act::Edit { message, text, .. } => {
                json!({ "t": "edit", "c": THREAD, "id": id, "message": message, "text": text })
            }
            Act::Delete { message, .. } => {
                json!({ "t": "delete", "c": THREAD, "id": id, "message": message })
            }
            Act::React { message, emoji, on, .. } => {
                json!({ "t": "react", "c": THREAD, "id": id, "message": message, "emoji": emoji, "on": on })
            }
            Act::Press { message, action, .. } => {
                json!({ "t": "press", "c": THREAD, "id": id, "message": message, "action": action })
            }
            Act::Type { .. } => json!({ "t": "typing", "c": THREAD }),
            Act::Read { message, .. } => {
                json!({ "t": "read", "c": THREAD, "seq": self.sent.len(), "message": message })
            }
            Act::Start { .. }
            | Act::Leave
            | Act::Return
            | Act::CloseThread { .. }
            | Act::ReopenThread { .. } => {
                return None;
            }
        };
        self.caused(frame)
    }
    async fn redeliver(&mut self, caused: &Caused) {
        let number: usize = caused.handle.parse().unwrap();
        let again: usize = self.act(&self.sent[number].clone()).parse().unwrap();
        self.sent.resize(again + 1, Value::Null);
        self.settle().await;
        let status = self.answers.lock().unwrap()[again];
        self.answers.lock().unwrap()[number] = status;
    }
    async fn acknowledged(&mut self, caused: &Caused) -> bool {
        let status = self.answers.lock().unwrap()[caused.handle.parse::<usize>().unwrap()];
        // What cannot be read is refused for good, and the browser sends it no more.
        matches!(status, Some(200 | 400))
    }
    async fn settle(&mut self) {
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    async fn echo(&mut self, _: &Sent) -> bool {
        false
    }
    async fn deliver_raw(&mut self, payload: &[u8]) -> Option<Caused> {
        self.caused(serde_json::from_slice(payload).ok()?)
    }
    async fn forge(&mut self, forgery: Forgery) -> Option<Verdict> {
        let header = json!({ "alg": "HS256" });
        let mut claims = self.claims();
        let good = signed(&header, &claims, KEY);
        let (head, signature) = good.rsplit_once('.').unwrap();
        let jwt = match forgery {
            Forgery::NoSignature => head.to_owned(),
            Forgery::EmptySignature => format!("{head}."),
            Forgery::WrongSignature => format!("{head}.{}", base64(&[7; 32])),
            Forgery::OtherSecret => signed(&header, &claims, "another-key-of-another-site-000000001"),
            Forgery::TruncatedSignature => format!("{head}.{}", &signature[..signature.len() - 2]),
            Forgery::TamperedBody => {
                claims["sub"] = "bob".into();
                let other = signed(&header, &claims, "whatever-key-this-is-it-is-not-ours-1");
                format!("{}.{signature}", other.rsplit_once('.').unwrap().0)
            }
            Forgery::OldTimestamp => {
                claims["exp"] = (NOW - 600).into();
                signed(&header, &claims, KEY)
            }
            Forgery::FutureTimestamp => {
                claims["exp"] = (NOW + 86_400).into();
                signed(&header, &claims, KEY)
            }
        };
        let status = self.post("session", &json!({ "jwt": jwt })).send().await.unwrap().status().as_u16();
        // Nor does a token of nobody open anything.
        let stranger = self.http.post(format!("{}/act", self.base)).header("origin", ORIGIN);
        let frame = json!({ "t": "send", "c": THREAD, "id": "forged-message", "text": "x" }).to_string();
        let unknown = stranger.bearer_auth(format!("dws_{}", "0".repeat(64))).body(frame);
        let other = unknown.send().await.unwrap().status().as_u16();
        Some(if status == 401 && other == 401 { Verdict::Refused } else { Verdict::Taken })
    }
    fn fixtures(&self) -> Vec<Fixture> {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/adapters/widget/fixtures");
        std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| Fixture {
                name: path.file_stem().unwrap().to_string_lossy().into_owned(),
                payload: std::fs::read(&path).unwrap(),
            })
            .collect()
    }
    fn translate(&self, payload: &[u8]) -> Translated {
        match self.adapter.translate(payload) {
            Ok(Some(_)) => Translated::Events(1),
            Ok(None) => Translated::Ignored,
            Err(why) => Translated::Fault(why),
        }
    }
    async fn shown(&mut self, _: &Address) -> Vec<Shown> {
        let resume = json!({ "t": "resume", "cursors": { THREAD: 0 } });
        let answer: Value = self.post("act", &resume).send().await.unwrap().json().await.unwrap();
        let mut shown: Vec<Shown> = Vec::new();
        for frame in answer["frames"].as_array().unwrap().iter().filter(|frame| frame["t"] == "event") {
            let id: Option<RemoteMessageId> = frame["id"].as_str().map(RemoteMessageId::from);
            let words = || {
                let (mut text, mut links) = (String::new(), Vec::new());
                for node in frame["body"].as_array().into_iter().flatten() {
                    read(node, &mut text, &mut links);
                }
                if frame["from"] == "me" {
                    (frame["text"].as_str().unwrap().to_owned(), links)
                } else {
                    (text, links)
                }
            };
            let known = shown.iter().position(|one| one.message == id);
            match (frame["kind"].as_str().unwrap(), known) {
                ("message", None) => {
                    let (text, links) = words();
                    let label = |action: &Value| action["label"].as_str().unwrap().to_owned();
                    let buttons = frame["actions"].as_array().into_iter().flatten().map(label).collect();
                    shown.push(Shown { message: id, text, links, buttons, ..Shown::default() });
                }
                ("edited", Some(at)) => (shown[at].text, shown[at].links) = words(),
                ("deleted", Some(at)) => drop(shown.remove(at)),
                ("reacted", Some(at)) => {
                    let emoji = frame["emoji"].as_str().unwrap().to_owned();
                    shown[at].reactions.retain(|known| *known != emoji);
                    if frame["on"] == true {
                        shown[at].reactions.push(emoji);
                    }
                }
                _ => {}
            }
        }
        shown
    }
    async fn break_sends(&mut self, _: &Breakage) -> bool {
        false
    }
    async fn mend(&mut self) {}
    fn secrets(&self) -> Vec<String> {
        vec![KEY.to_owned(), self.token.clone()]
    }
    fn logs(&self) -> Option<String> {
        Some(String::from_utf8_lossy(&LOG.lock().unwrap()).into_owned())
    }
    fn example(&self) -> Option<String> {
        Some(EXAMPLE.to_owned())
    }
    fn parse_config(&self, text: &str) -> Result<(), String> {
        let tree: toml::Table = text.parse().map_err(|e: toml::de::Error| e.to_string())?;
        let mut section = serde_json::to_value(&tree["channels"]["widget"]).unwrap();
        for generic in ["adapter", "requesters", "queue", "desk", "desks"] {
            section.as_object_mut().unwrap().remove(generic);
        }
        Config::from_value(section).map(|_| ()).map_err(|faults| {
            faults.into_iter().map(|(k, w)| format!("{k}: {w}")).collect::<Vec<_>>().join("; ")
        })
    }
    fn hostile(&self) -> Vec<String> {
        vec![
            "<img src=x onerror=alert(1)>".into(),
            "<svg/onload=alert(1)>".into(),
            "javascript:alert(1)".into(),
        ]
    }
}

//! A visitor of the portal by the widget's own protocol: a session, a WebSocket, and the journal as a browser keeps it.
//!
//! Not here: what is said (`widget`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::super::bridge::{PATIENCE, client};

pub const ORIGIN: &str = "https://portal.example.com";

/// A message as it is shown now.
#[derive(Clone, Debug)]
pub struct Shown {
    pub id: String,
    pub from: String,
    pub text: String,
    pub actions: Vec<Value>,
    /// Where its files are.
    pub files: Vec<String>,
}

pub struct Visitor {
    port: u16,
    token: String,
    socket: WebSocketStream<TcpStream>,
    pub c: String,
    /// Every entry of the conversation by its number.
    journal: BTreeMap<u64, Value>,
    acked: BTreeSet<String>,
    synced: bool,
    sent: u32,
    /// What is done now ought to be refused.
    daring: bool,
    refused: Option<u64>,
    /// Came already, not looked at yet.
    ahead: Option<Option<Result<Message, WsError>>>,
}

impl Visitor {
    pub async fn arrive(port: u16) -> Visitor {
        let url = format!("http://127.0.0.1:{port}/widget/v1/widget/session");
        let asked = client().post(url).header("origin", ORIGIN).body(r#"{"language":"en"}"#).send().await;
        let begun: Value = asked.expect("answered").json().await.expect("JSON");
        let token = begun["token"].as_str().unwrap_or_else(|| panic!("no session: {begun}")).to_owned();
        let c = format!("{:032x}", 0xda7a);
        let socket = connect(port).await;
        let (journal, acked) = (BTreeMap::new(), BTreeSet::new());
        let mut visitor = Visitor {
            port,
            token,
            socket,
            c,
            journal,
            acked,
            synced: false,
            sent: 0,
            daring: false,
            refused: None,
            ahead: None,
        };
        visitor.greet().await;
        visitor
    }

    /// Of the session; what a browser keeps.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Another socket after the last one ended, with the cursor of what is known.
    pub async fn come_back(&mut self) {
        self.socket = connect(self.port).await;
        self.greet().await;
    }

    async fn greet(&mut self) {
        let cursor = self.journal.keys().next_back().copied().unwrap_or(0);
        let hello = json!({ "t": "hello", "token": self.token, "cursors": { &self.c: cursor } });
        self.synced = false;
        self.write(&hello).await;
        while !self.synced {
            self.read().await;
        }
    }

    async fn write(&mut self, frame: &Value) {
        self.socket.send(Message::text(frame.to_string())).await.expect("written");
    }

    /// One frame, put where it belongs.
    async fn read(&mut self) {
        // Pings are no progress.
        let end = tokio::time::Instant::now() + PATIENCE;
        let text = loop {
            let next = match self.ahead.take() {
                Some(next) => Ok(next),
                None => tokio::time::timeout_at(end, self.socket.next()).await,
            };
            match next.unwrap_or_else(|_| panic!("nothing came any more: {:#?}", self.said())) {
                Some(Ok(Message::Text(text))) => break text,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("the socket ended: {other:?}"),
            }
        };
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        match frame["t"].as_str().expect("a type") {
            "event" if frame["c"] == self.c => {
                let seq = frame["seq"].as_u64().expect("a number");
                let last = self.journal.keys().next_back().copied().unwrap_or(0);
                // What comes live while the journal is caught up with may come twice; a gap never.
                assert!(seq <= last + 1, "{seq} after {last}: {frame}");
                let known = self.journal.entry(seq).or_insert_with(|| frame.clone());
                assert_eq!(known["kind"], frame["kind"], "another entry under the same number");
            }
            "ack" => {
                self.acked.insert(frame["id"].as_str().expect("an id").to_owned());
            }
            "resumed" => self.synced = true,
            "refused" if self.daring => {
                self.acked.insert(frame["id"].as_str().expect("an id").to_owned());
                self.refused = Some(frame["status"].as_u64().expect("a status"));
            }
            "refused" => panic!("refused: {frame}"),
            "reset" | "bye" => panic!("{frame}"),
            _ => {}
        }
    }

    /// Does an act; returns its id when the ack is there, which is after the commit (L1).
    pub async fn act(&mut self, act: Value) -> String {
        let id = self.begin(act).await;
        self.acknowledged(&id).await;
        id
    }

    /// Does what nobody may; returns the status of the refusal.
    pub async fn dares(&mut self, act: Value) -> Option<u64> {
        self.daring = true;
        self.act(act).await;
        self.daring = false;
        self.refused.take()
    }

    /// Does an act without waiting.
    pub async fn begin(&mut self, mut act: Value) -> String {
        self.sent += 1;
        let id = format!("m-{:08}", self.sent);
        act["c"] = self.c.as_str().into();
        act["id"] = id.as_str().into();
        self.write(&act).await;
        id
    }

    pub async fn acknowledged(&mut self, id: &str) {
        while !self.acked.contains(id) {
            self.read().await;
        }
    }

    /// The same frame again, as a browser does that never saw the ack.
    pub async fn repeat(&mut self, id: &str, text: &str) {
        self.acked.remove(id);
        let frame = json!({ "t": "send", "c": self.c, "id": id, "text": text });
        self.write(&frame).await;
        self.acknowledged(id).await;
    }

    pub async fn say(&mut self, text: &str) -> Shown {
        self.act(json!({ "t": "send", "text": text })).await;
        self.sees("me", text).await
    }

    pub async fn press(&mut self, on: &Shown, label: &str) {
        let found = on.actions.iter().find(|action| action["label"] == label);
        let action = found.unwrap_or_else(|| panic!("no button {label:?}: {on:?}"))["id"].clone();
        self.act(json!({ "t": "press", "action": action, "message": on.id })).await;
    }

    /// Messages as they stand now, oldest first; what was deleted is gone.
    pub fn said(&self) -> Vec<Shown> {
        let mut said: Vec<Shown> = Vec::new();
        for entry in self.journal.values() {
            let id = entry["id"].as_str().unwrap_or_default().to_owned();
            let words = |entry: &Value| {
                let mut text = String::new();
                entry["body"].as_array().into_iter().flatten().for_each(|node| words_of(node, &mut text));
                if text.is_empty() { entry["text"].as_str().unwrap_or_default().to_owned() } else { text }
            };
            let actions = || entry["actions"].as_array().cloned().unwrap_or_default();
            let at = said.iter().position(|one| one.id == id);
            match (entry["kind"].as_str().expect("a kind"), at) {
                ("message", None) => {
                    let from = entry["from"].as_str().expect("somebody").to_owned();
                    let files = entry["files"].as_array().into_iter().flatten();
                    let files = files.filter_map(|file| file["url"].as_str().map(str::to_owned)).collect();
                    said.push(Shown { id, from, text: words(entry), actions: actions(), files });
                }
                ("message", Some(_)) => panic!("a message came twice: {entry}"),
                ("edited", Some(at)) => (said[at].text, said[at].actions) = (words(entry), actions()),
                ("deleted", Some(at)) => drop(said.remove(at)),
                _ => {}
            }
        }
        said
    }

    /// Reads whatever has come until now.
    pub async fn catch_up(&mut self) {
        // A short wait for the first byte: what is there is read to its end.
        while tokio::time::timeout(Duration::from_millis(20), self.waits()).await.is_ok() {
            // Behind a ping there may be nothing.
            if matches!(self.ahead, Some(Some(Ok(Message::Ping(_) | Message::Pong(_))))) {
                self.ahead = None;
                continue;
            }
            self.read().await;
        }
    }

    /// Until something is there to be read.
    async fn waits(&mut self) {
        self.ahead = Some(self.socket.next().await);
    }

    /// Hands in a file; its id, for a message.
    pub async fn upload(&self, name: &str, kind: &str, bytes: Vec<u8>) -> String {
        let url = format!("http://127.0.0.1:{}/widget/v1/widget/uploads?name={name}", self.port);
        let request = client().post(url).header("origin", ORIGIN).header("content-type", kind);
        let answer = request.bearer_auth(&self.token).body(bytes).send().await.expect("answered");
        let uploaded: Value = answer.json().await.expect("JSON");
        uploaded["id"].as_str().unwrap_or_else(|| panic!("refused: {uploaded}")).to_owned()
    }

    /// What is at the address of a file.
    pub async fn download(&self, url: &str) -> Vec<u8> {
        let url = format!("http://127.0.0.1:{}/widget/v1/widget/{url}", self.port);
        let answer = client().get(url).send().await.expect("answered");
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.bytes().await.expect("read").to_vec()
    }

    /// The latest message of `from` with this text in it, waited for.
    pub async fn sees(&mut self, from: &str, text: &str) -> Shown {
        loop {
            let fits = |one: &&Shown| one.from == from && one.text.contains(text);
            if let Some(found) = self.said().iter().rfind(fits) {
                return found.clone();
            }
            self.read().await;
        }
    }

    /// Until no message has this text in it any more.
    pub async fn lacks(&mut self, text: &str) {
        while self.count(text) > 0 {
            self.read().await;
        }
    }

    /// Until the request stands like this; the entry.
    pub async fn stands(&mut self, state: &str) -> Value {
        loop {
            let last = self.journal.values().rfind(|entry| entry["kind"] == "standing");
            if let Some(found) = last.filter(|entry| entry["state"] == state) {
                return found.clone();
            }
            self.read().await;
        }
    }

    pub fn count(&self, text: &str) -> usize {
        self.said().iter().filter(|one| one.text.contains(text)).count()
    }

    /// The assistant's next message after the first `before` ones.
    pub async fn answered(&mut self, before: usize) -> Shown {
        while self.answers() <= before {
            self.read().await;
        }
        self.said().into_iter().filter(|one| one.from == "assistant").nth(before).expect("counted")
    }

    /// How many messages there are of the assistant.
    pub fn answers(&self) -> usize {
        self.said().iter().filter(|one| one.from == "assistant").count()
    }
}

async fn connect(port: u16) -> WebSocketStream<TcpStream> {
    let url = format!("ws://127.0.0.1:{port}/widget/v1/widget/socket");
    let mut request = url.into_client_request().expect("a request");
    request.headers_mut().insert("origin", ORIGIN.parse().expect("a header"));
    let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("connected");
    client_async(request, stream).await.expect("a WebSocket").0
}

/// What a person reads of a message's tree.
fn words_of(node: &Value, text: &mut String) {
    match node {
        Value::String(piece) => text.push_str(piece),
        Value::Array(parts) => parts.iter().skip(2).for_each(|part| words_of(part, text)),
        other => panic!("not a node: {other}"),
    }
}

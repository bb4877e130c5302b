//! For tests: a server of a few lines that answers as it is told and remembers what it was asked.
//!
//! Not here: how Slack behaves. `tests/platforms` has a server that does.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use deskbridge_contract::{
    Address, ChannelName, DeliveryId, Inbound, Inbox, InboxSink, Outbound, OutboundOp, PushError, Receipt,
    ShelfError, ShelfStore, Timestamp, TranslateError,
};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The vendor's published descriptions and samples; they are not ours to ship. `None`: not at hand, which is said.
pub(crate) fn specs() -> Option<PathBuf> {
    let given = std::env::var_os("DESKBRIDGE_TEST_SPECS").map(PathBuf::from);
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/specs"));
    let found = Some(given.unwrap_or_else(beside)).filter(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("skipped: no API descriptions (DESKBRIDGE_TEST_SPECS is not set)");
    }
    found
}

use super::Api;
use crate::config::Config;
use crate::send::Sending;

pub(crate) const TOKEN: &str = "xoxb-planted-secret-bot";
pub(crate) const APP_TOKEN: &str = "xapp-planted-secret-app";
pub(crate) const NOW: i64 = 1_790_000_000;

/// One request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// `chat.postMessage`; of another path its last part.
    pub method: String,
    /// With the query.
    pub path: String,
    pub verb: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Call {
    /// What it was given, from the body or from the query.
    pub(crate) fn json(&self) -> Value {
        if let Ok(value) = serde_json::from_slice(&self.body) {
            return value;
        }
        let query = self.path.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        Value::Object(
            pairs
                .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())))
                .collect::<Map<_, _>>(),
        )
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

pub(crate) enum Reply {
    /// With `"ok": true`.
    Yes(Value),
    /// A refusal in Slack's form.
    No(&'static str),
    Http(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// The connection ends without a word.
    Close,
    Hang,
}

type Script = Arc<dyn Fn(&Call) -> Reply + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Fake {
    pub base: String,
    calls: Arc<Mutex<Vec<Call>>>,
    pub clock: Arc<AtomicI64>,
}

impl Fake {
    pub(crate) async fn start(script: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let fake = Fake { base, calls: Arc::default(), clock: Arc::new(AtomicI64::new(NOW)) };
        let (script, calls): (Script, _) = (Arc::new(script), fake.calls.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, script.clone(), calls.clone()));
            }
        });
        fake
    }

    /// Always the same answer.
    pub(crate) async fn saying(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Fake {
        Fake::start(move |_| reply()).await
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn methods(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.method).collect()
    }

    pub(crate) fn forget(&self) {
        self.calls.lock().unwrap().clear();
    }

    pub(crate) fn config(&self, more: Value) -> Config {
        let mut section = json!({
            "bot_token": TOKEN, "app_token": APP_TOKEN, "api_base": format!("{}/api", self.base),
        });
        section.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Config::from_value(section).ok().unwrap()
    }

    pub(crate) fn sending(&self) -> Arc<Sending> {
        self.sending_with(json!({}))
    }

    pub(crate) fn sending_with(&self, more: Value) -> Arc<Sending> {
        let now = self.clock.clone();
        let clock = Arc::new(move || Timestamp::from_seconds(now.load(Ordering::Relaxed)));
        Sending::new(Api::new(ChannelName::new("slack"), &self.config(more), clock).unwrap())
    }
}

async fn serve(mut socket: TcpStream, script: Script, calls: Arc<Mutex<Vec<Call>>>) {
    let mut buffer = Vec::new();
    loop {
        let Some((call, used)) = request(&mut socket, &mut buffer).await else { return };
        buffer.drain(..used);
        calls.lock().unwrap().push(call.clone());
        let (status, headers, body) = match script(&call) {
            Reply::Yes(mut result) => {
                result["ok"] = true.into();
                (200, vec![("content-type", "application/json".into())], result.to_string().into_bytes())
            }
            Reply::No(code) => {
                let body = json!({ "ok": false, "error": code }).to_string();
                (200, vec![("content-type", "application/json".into())], body.into_bytes())
            }
            Reply::Http(status, headers, body) => (status, headers, body),
            Reply::Close => return,
            Reply::Hang => std::future::pending().await,
        };
        let mut head = format!("HTTP/1.1 {status} X\r\n");
        if !headers.iter().any(|(name, _)| *name == "content-length") {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        if socket.write_all(head.as_bytes()).await.is_err() || socket.write_all(&body).await.is_err() {
            return;
        }
    }
}

async fn request(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(Call, usize)> {
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let headers: BTreeMap<String, String> = head
                .lines()
                .skip(1)
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect();
            let length: usize = headers.get("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
            if buffer.len() >= end + 4 + length {
                let mut words = head.split_whitespace();
                let (verb, path) = (words.next()?.to_owned(), words.next()?.to_owned());
                let bare = path.split('?').next().unwrap_or_default();
                let method = bare.rsplit('/').next().unwrap_or_default().to_owned();
                let body = buffer[end + 4..end + 4 + length].to_vec();
                return Some((Call { method, path, verb, headers, body }, end + 4 + length));
            }
        }
        if socket.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// A shelf in memory, which fails as told; and an inbox that takes nothing, because nothing is received here.
#[derive(Default)]
pub(crate) struct Memory {
    pub kept: Mutex<BTreeMap<String, String>>,
    pub broken: Mutex<bool>,
}

impl Memory {
    pub(crate) fn shelf(self: &Arc<Self>) -> deskbridge_contract::Shelf {
        Inbox::new(ChannelName::new("slack"), self.clone(), self.clone()).shelf()
    }
}

#[async_trait]
impl InboxSink for Memory {
    async fn push(&self, _: Inbound) -> Result<Receipt, PushError> {
        Err(PushError::Closed)
    }
    async fn quarantine(&self, _: &ChannelName, _: &[u8], _: &TranslateError) -> Result<(), PushError> {
        Err(PushError::Closed)
    }
}

#[async_trait]
impl ShelfStore for Memory {
    async fn get(&self, _: &ChannelName, key: &str) -> Result<Option<String>, ShelfError> {
        Ok(self.kept.lock().unwrap().get(key).cloned())
    }

    async fn put(&self, _: &ChannelName, key: &str, value: &str) -> Result<(), ShelfError> {
        if *self.broken.lock().unwrap() {
            return Err(ShelfError("as told".into()));
        }
        self.kept.lock().unwrap().insert(key.to_owned(), value.to_owned());
        Ok(())
    }
    async fn delete(&self, _: &ChannelName, keys: &[String]) -> Result<(), ShelfError> {
        self.kept.lock().unwrap().retain(|key, _| !keys.contains(key));
        Ok(())
    }

    async fn compare_and_swap(
        &self,
        _: &ChannelName,
        key: &str,
        expected: Option<&str>,
        value: &str,
    ) -> Result<bool, ShelfError> {
        if *self.broken.lock().unwrap() {
            return Err(ShelfError("as told".into()));
        }
        let mut kept = self.kept.lock().unwrap();
        let same = kept.get(key).map(String::as_str) == expected;
        if same {
            kept.insert(key.to_owned(), value.to_owned());
        }
        Ok(same)
    }

    async fn find(&self, _: &ChannelName, prefix: &str, word: &str) -> Result<Vec<String>, ShelfError> {
        let all = self.kept.lock().unwrap();
        let found = all.iter().filter(|(key, value)| key.starts_with(prefix) && value.contains(word));
        Ok(found.map(|(key, _)| key.clone()).collect())
    }
}

pub(crate) fn direct() -> Address {
    Address::room(&ChannelName::new("slack"), "D024BE91L")
}

pub(crate) fn desk() -> Address {
    Address::room(&ChannelName::new("slack"), "C024BE91L")
}

pub(crate) fn thread() -> Address {
    desk().thread("1789990000.000100")
}

pub(crate) fn out(to: Address, op: OutboundOp) -> Outbound {
    Outbound { id: DeliveryId::new("d1"), to, op }
}

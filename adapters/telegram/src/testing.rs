//! For tests: a Bot API server of a few lines that answers as it is told and remembers what it was asked.
//!
//! Not here: how Telegram behaves. `tests/platforms` has a server that does.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use deskbridge_contract::{
    Address, ChannelName, DeliveryId, Inbound, Inbox, InboxSink, Outbound, OutboundOp, PushError, Receipt,
    ShelfError, ShelfStore, Timestamp, Toast, TranslateError,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::{Config, TelegramAdapter};

pub(crate) const TOKEN: &str = "7001:AAE-planted-secret-xyz";
pub(crate) const NOW: i64 = 1_790_000_000;

/// One request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub method: String,
    pub path: String,
    pub body: String,
}

impl Call {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

pub(crate) enum Reply {
    Result(Value),
    /// A refusal in Telegram's form.
    No(u16, &'static str),
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
}

impl Fake {
    pub(crate) async fn start(script: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Fake { base: format!("http://{}", listener.local_addr().unwrap()), calls: Arc::default() };
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

    pub(crate) fn adapter(&self) -> TelegramAdapter {
        self.adapter_with(json!({}))
    }

    pub(crate) fn adapter_with(&self, more: Value) -> TelegramAdapter {
        let mut section = json!({ "token": TOKEN, "api_base": self.base });
        section.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let config = Config::from_value(section).ok().unwrap();
        let clock = Arc::new(|| Timestamp::from_seconds(NOW));
        TelegramAdapter::new(ChannelName::new("telegram"), config, clock).unwrap()
    }
}

async fn serve(mut socket: TcpStream, script: Script, calls: Arc<Mutex<Vec<Call>>>) {
    let mut buffer = Vec::new();
    loop {
        let Some((call, used)) = request(&mut socket, &mut buffer).await else { return };
        buffer.drain(..used);
        calls.lock().unwrap().push(call.clone());
        let (status, headers, body) = match script(&call) {
            Reply::Result(result) => {
                (200, Vec::new(), json!({ "ok": true, "result": result }).to_string().into_bytes())
            }
            Reply::No(code, words) => {
                let body = json!({ "ok": false, "error_code": code, "description": words });
                (code, Vec::new(), body.to_string().into_bytes())
            }
            Reply::Http(status, headers, body) => (status, headers, body),
            Reply::Close => return,
            Reply::Hang => std::future::pending().await,
        };
        let mut head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
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
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok()
                })
                .unwrap_or(0);
            if buffer.len() >= end + 4 + length {
                let path = head.split_whitespace().nth(1).unwrap_or_default().to_owned();
                let method = path.rsplit('/').next().unwrap_or_default().to_owned();
                let body = String::from_utf8_lossy(&buffer[end + 4..end + 4 + length]).into_owned();
                return Some((Call { method, path, body }, end + 4 + length));
            }
        }
        if socket.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

pub(crate) fn private() -> Address {
    Address::room(&ChannelName::new("telegram"), "501")
}

pub(crate) fn topic() -> Address {
    Address::room(&ChannelName::new("telegram"), "-1001900000001").thread("77")
}

pub(crate) fn out(to: Address, op: OutboundOp) -> Outbound {
    Outbound { id: DeliveryId::new("d1"), to, op }
}

/// What the runtime would be: remembers what it was given, and fails as told.
#[derive(Default)]
pub(crate) struct Sink {
    pub events: Mutex<Vec<Inbound>>,
    pub quarantined: Mutex<Vec<(String, String)>>,
    pub shelf: Mutex<Vec<(String, String)>>,
    pub fail: Mutex<Option<PushError>>,
    pub toast: Mutex<Option<Toast>>,
}

impl Sink {
    pub(crate) fn inbox(self: &Arc<Self>) -> Inbox {
        Inbox::new(ChannelName::new("telegram"), self.clone(), self.clone())
    }

    pub(crate) fn failing(why: PushError) -> Arc<Sink> {
        let sink = Arc::new(Sink::default());
        *sink.fail.lock().unwrap() = Some(why);
        sink
    }

    fn check(&self) -> Result<(), PushError> {
        self.fail.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl InboxSink for Sink {
    async fn push(&self, event: Inbound) -> Result<Receipt, PushError> {
        self.check()?;
        tokio::task::yield_now().await;
        let mut events = self.events.lock().unwrap();
        let duplicate = events.iter().any(|known| known.id == event.id);
        if !duplicate {
            events.push(event);
        }
        Ok(Receipt { duplicate, toast: self.toast.lock().unwrap().clone(), ..Receipt::default() })
    }

    async fn quarantine(&self, _: &ChannelName, raw: &[u8], why: &TranslateError) -> Result<(), PushError> {
        self.check()?;
        self.quarantined.lock().unwrap().push((String::from_utf8_lossy(raw).into_owned(), why.to_string()));
        Ok(())
    }
}

#[async_trait]
impl ShelfStore for Sink {
    async fn get(&self, _: &ChannelName, key: &str) -> Result<Option<String>, ShelfError> {
        let shelf = self.shelf.lock().unwrap();
        Ok(shelf.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value.clone()))
    }

    async fn put(&self, _: &ChannelName, key: &str, value: &str) -> Result<(), ShelfError> {
        self.shelf.lock().unwrap().push((key.to_owned(), value.to_owned()));
        Ok(())
    }
    async fn delete(&self, _: &ChannelName, keys: &[String]) -> Result<(), ShelfError> {
        self.shelf.lock().unwrap().retain(|(key, _)| !keys.contains(key));
        Ok(())
    }

    async fn find(&self, _: &ChannelName, prefix: &str, word: &str) -> Result<Vec<String>, ShelfError> {
        let all = self.shelf.lock().unwrap();
        let found = all.iter().filter(|(key, value)| key.starts_with(prefix) && value.contains(word));
        Ok(found.map(|(key, _)| key.clone()).collect())
    }
}

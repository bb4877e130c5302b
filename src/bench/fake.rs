//! The other side of the relay: answers every call of the Bot API, of Slack's Web API, of Teams' Connector or of Discord's
//! API at once, and notes when each marked text arrived.
//!
//! Not here: any of the platform's limits or refusals (`tests/platforms` has those), what was posted before (`kept`).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::discord::{self, gateway::Gateway};
use super::kept::{Kept, Order};
use super::teams;

/// Before a message's number, so that it can be found in whatever the text became.
pub(crate) const MARK: &str = "mid-";

/// Before a requester's number, in the words that their conversation begins with: the card has them.
pub(crate) const ROOT: &str = "from-";

/// What one of Slack's channels does to every post, while the others are well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    /// 429, `Retry-After: 1`.
    Limited,
    /// An answer after five seconds.
    Stalled,
}

const STALL: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(crate) struct Fake(Arc<Inner>);

struct Inner {
    next: AtomicI64,
    /// When each numbered text arrived, and how often.
    arrived: Mutex<Vec<(Option<Instant>, u32)>>,
    count: AtomicI64,
    more: Notify,
    /// The thread of each requester's conversation, by their number.
    roots: Mutex<HashMap<usize, String>>,
    trouble: Mutex<(String, Trouble)>,
    kept: Kept,
    /// Requesters whose first words came, until it is everybody: then nobody looks for them any more.
    met: Mutex<HashSet<usize>>,
    everybody: AtomicUsize,
    /// Where events do not come by HTTP.
    gateway: Gateway,
}

impl Fake {
    /// For texts with numbers below `numbers`, of so many requesters.
    pub(crate) async fn start(numbers: usize, requesters: usize) -> std::io::Result<(Fake, SocketAddr)> {
        let fake = Fake(Arc::new(Inner {
            next: AtomicI64::new(1),
            arrived: Mutex::new(vec![(None, 0); numbers]),
            count: AtomicI64::new(0),
            more: Notify::new(),
            roots: Mutex::default(),
            trouble: Mutex::new((String::new(), Trouble::None)),
            kept: Kept::default(),
            met: Mutex::default(),
            everybody: AtomicUsize::new(requesters),
            gateway: Gateway::default(),
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .route("/discord/gateway", any(discord::connect))
            .route("/discord/v10/{*route}", any(discord::rest))
            .route("/{bot}/{method}", any(call))
            .fallback(connector)
            .with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((fake, address))
    }

    pub(super) fn kept(&self) -> &Kept {
        &self.0.kept
    }

    pub(crate) fn gateway(&self) -> Gateway {
        self.0.gateway.clone()
    }

    /// Takes note of a call; a number that was not given out before.
    pub(super) fn called(&self, body: &[u8]) -> i64 {
        if self.0.everybody.load(Ordering::Relaxed) > 0
            && let Some(requester) = number(body, ROOT)
        {
            let mut met = self.0.met.lock().unwrap_or_else(PoisonError::into_inner);
            if met.insert(requester) {
                self.0.everybody.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.0.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Calls so far, and how many of the requesters that are waited for nobody told of yet.
    pub(crate) fn calls(&self) -> (i64, usize) {
        (self.0.next.load(Ordering::Relaxed), self.0.everybody.load(Ordering::Relaxed))
    }

    pub(crate) fn root_of(&self, requester: usize) -> Option<String> {
        self.0.roots.lock().unwrap_or_else(PoisonError::into_inner).get(&requester).cloned()
    }

    /// From now on, in one channel of Slack's.
    pub(crate) fn trouble(&self, channel: &str, what: Trouble) {
        *self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner) = (channel.to_owned(), what);
    }

    fn troubled(&self, body: &[u8]) -> Trouble {
        let trouble = self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let here = format!(r#""channel":"{}""#, trouble.0);
        if trouble.1 != Trouble::None && find(body, here.as_bytes()).is_some() {
            trouble.1
        } else {
            Trouble::None
        }
    }

    /// A post that begins a thread.
    fn note_root(&self, body: &[u8], ts: &str) {
        if find(body, b"thread_ts").is_some() {
            return;
        }
        if let Some(requester) = number(body, ROOT) {
            let mut roots = self.0.roots.lock().unwrap_or_else(PoisonError::into_inner);
            roots.entry(requester).or_insert_with(|| ts.to_owned());
        }
    }

    pub(crate) fn count(&self) -> usize {
        usize::try_from(self.0.count.load(Ordering::Relaxed)).unwrap_or(0)
    }

    pub(crate) fn arrivals(&self) -> Vec<(Option<Instant>, u32)> {
        self.0.arrived.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `count` different texts arrived, or nothing came for `patience`.
    pub(crate) async fn wait(&self, count: usize, patience: std::time::Duration) -> bool {
        loop {
            let more = self.0.more.notified();
            let seen = self.count();
            if seen >= count {
                return true;
            }
            if tokio::time::timeout(patience, more).await.is_err() && self.count() == seen {
                return false;
            }
        }
    }

    pub(super) fn note(&self, body: &[u8]) {
        let Some(number) = number(body, MARK) else { return };
        let mut arrived = self.0.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((when, times)) = arrived.get_mut(number) {
            *times += 1;
            if when.is_none() {
                *when = Some(Instant::now());
                self.0.count.fetch_add(1, Ordering::Relaxed);
                self.0.more.notify_waiters();
            }
        }
    }
}

/// The eight digits behind a mark.
fn number(body: &[u8], mark: &str) -> Option<usize> {
    let at = find(body, mark.as_bytes())?;
    let digits = body[at + mark.len()..].iter().take(8).take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0usize, |number, digit| number * 10 + usize::from(digit - b'0')))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

async fn call(
    State(fake): State<Fake>,
    Path((bot, method)): Path<(String, String)>,
    Query(asked): Query<HashMap<String, String>>,
    body: Bytes,
) -> Response {
    let id = fake.called(&body);
    if bot == "api" {
        let trouble = if method == "chat.postMessage" { fake.troubled(&body) } else { Trouble::None };
        match trouble {
            Trouble::None => {}
            Trouble::Limited => {
                let after = [("retry-after", "1"), ("content-type", "application/json")];
                return (StatusCode::TOO_MANY_REQUESTS, after, r#"{"ok":false,"error":"ratelimited"}"#)
                    .into_response();
            }
            Trouble::Stalled => tokio::time::sleep(STALL).await,
        }
        return ([("content-type", "application/json")], of_slack(&fake, &method, id, &asked, &body))
            .into_response();
    }
    let result = match method.to_ascii_lowercase().as_str() {
        "getme" => r#"{"id":1,"is_bot":true,"first_name":"bench","username":"bench_bot","can_join_groups":true,"can_read_all_group_messages":true,"supports_inline_queries":false,"has_main_web_app":false,"can_connect_to_business":false}"#.to_owned(),
        "createforumtopic" => format!(r#"{{"message_thread_id":{id},"name":"t","icon_color":7322096}}"#),
        "getforumtopiciconstickers" => "[]".to_owned(),
        "sendmessage" => {
            fake.note(&body);
            format!(r#"{{"message_id":{id},"date":1700000000,"chat":{{"id":-1001,"type":"supergroup","title":"desk"}},"text":"x"}}"#)
        }
        "editmessagetext" => format!(r#"{{"message_id":{id},"date":1700000000,"chat":{{"id":-1001,"type":"supergroup","title":"desk"}},"text":"x"}}"#),
        _ => "true".to_owned(),
    };
    ([("content-type", "application/json")], format!(r#"{{"ok":true,"result":{result}}}"#)).into_response()
}

/// Everything of Teams, whose paths are of other lengths.
async fn connector(State(fake): State<Fake>, request: axum::extract::Request) -> impl IntoResponse {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let host = head.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let id = fake.called(&body);
    let (answer, message) =
        teams::answer(head.method.as_str(), head.uri.path(), id, &format!("http://{host}"));
    if message {
        fake.note(&body);
    }
    axum::Json(answer)
}

/// Slack's answers lie beside `ok`.
fn of_slack(fake: &Fake, method: &str, id: i64, asked: &HashMap<String, String>, body: &[u8]) -> String {
    let ts = format!("{}.{:06}", 1_700_000_000 + id / 1_000_000, id % 1_000_000);
    let fields = match method {
        "auth.test" => r#","team_id":"T1","team":"Bench","user_id":"U1","user":"bench","bot_id":"B1","url":"https://bench.invalid/""#.to_owned(),
        "users.info" => r#","user":{"id":"U100000","team_id":"T1","name":"r","real_name":"R","locale":"en-US","profile":{"real_name":"R","display_name":"R"}}"#.to_owned(),
        "conversations.open" => format!(r#","channel":{{"id":"D{id}"}}"#),
        "conversations.history" => listed(fake, asked, None, Order::NewestFirst),
        "conversations.replies" => listed(fake, asked, asked.get("ts").map(String::as_str), Order::OldestFirst),
        "chat.postMessage" | "chat.update" => {
            if method == "chat.postMessage" {
                fake.note(body);
                fake.note_root(body, &ts);
                keep(fake, id, &ts, body);
            }
            format!(r#","channel":"C1001","ts":"{ts}","message":{{"type":"message","text":"x","ts":"{ts}"}}"#)
        }
        _ => String::new(),
    };
    format!(r#"{{"ok":true{fields}}}"#)
}

/// What a post is found by when it is read back: where it is, and what is written into it.
#[derive(Deserialize)]
struct Post<'p> {
    #[serde(borrow)]
    channel: Cow<'p, str>,
    #[serde(borrow)]
    thread_ts: Option<Cow<'p, str>>,
    #[serde(borrow)]
    metadata: Option<&'p RawValue>,
}

/// Of others' posts, which have no metadata, nobody asks again.
fn keep(fake: &Fake, id: i64, ts: &str, body: &[u8]) {
    if let Ok(Post { channel, thread_ts, metadata: Some(metadata) }) = serde_json::from_slice(body) {
        let message = format!(r#"{{"type":"message","bot_id":"B1","ts":"{ts}","metadata":{metadata}}}"#);
        fake.kept().keep(place(&channel, thread_ts.as_deref()), id, message);
    }
}

fn listed(fake: &Fake, asked: &HashMap<String, String>, thread: Option<&str>, order: Order) -> String {
    let channel = asked.get("channel").map(String::as_str).unwrap_or_default();
    let messages = fake.kept().after(&place(channel, thread), 0, order);
    format!(r#","messages":[{messages}],"has_more":false"#)
}

fn place(channel: &str, thread: Option<&str>) -> String {
    format!("{channel}/{}", thread.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Who reads back finds what was posted, and where it was posted only.
    #[tokio::test]
    async fn what_was_posted_to_slack_is_read_back() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (fake, address) = Fake::start(1, 1).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let base = format!("http://{address}/api");
        let post = async |body: Value| {
            let sent = http.post(format!("{base}/chat.postMessage")).json(&body).send().await.unwrap();
            let answer: Value = serde_json::from_slice(&sent.bytes().await.unwrap()).unwrap();
            answer["ts"].as_str().unwrap().to_owned()
        };
        let metadata = |delivery: &str| json!({ "event_type": "deskbridge_delivery", "event_payload": { "delivery_id": delivery } });
        let root = post(json!({ "channel": "C1001", "text": "\"card\"", "metadata": metadata("1.1") })).await;
        let reply =
            json!({ "channel": "C1001", "thread_ts": root, "text": "hi", "metadata": metadata("1.2") });
        let reply = post(reply).await;
        post(json!({ "channel": "C1001", "text": "somebody else's" })).await;
        let read = async |path: String| {
            let found = http.get(format!("{base}/{path}")).send().await.unwrap();
            let answer: Value = serde_json::from_slice(&found.bytes().await.unwrap()).unwrap();
            assert_eq!(answer["ok"], true);
            answer["messages"].as_array().unwrap().clone()
        };
        let room = read("conversations.history?channel=C1001&limit=200".into()).await;
        assert_eq!(room.len(), 1);
        assert_eq!((&room[0]["ts"], &room[0]["metadata"]), (&json!(root), &metadata("1.1")));
        let thread = read(format!("conversations.replies?channel=C1001&ts={root}")).await;
        assert_eq!(thread.len(), 1);
        assert_eq!((&thread[0]["ts"], &thread[0]["metadata"]), (&json!(reply), &metadata("1.2")));
        assert!(read("conversations.history?channel=D1".into()).await.is_empty());
        assert!(fake.calls().0 > 3);
    }
}

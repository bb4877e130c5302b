//! Not here: sockets (`socket/tests.rs`), what an event means (`translate/tests.rs`).

mod desks;
mod door;
mod elsewhere;
mod flow;
mod gaps;
mod missed;
mod surfaces;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use deskbridge_contract::{
    Adapter as _, Address, Card, ChannelName, Content, Duty, Inbound, InboundEvent, Inbox, InboxSink, Known,
    PushError, Receipt, RemoteMessageId, RemoteUserId, Sender, SenderKind, ShelfError, ShelfStore, Timestamp,
    Toast, TranslateError,
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::signature::sign;
use crate::SlackAdapter;
use crate::api::fake::{Call, Fake, NOW, Reply};

pub(crate) const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
pub(crate) const ROOT: &str = "1789999000.000100";

/// What the runtime would be: remembers what it was given, drops duplicates, and fails as told.
#[derive(Default)]
pub(crate) struct Sink {
    pub events: Mutex<Vec<Inbound>>,
    seen: Mutex<HashSet<String>>,
    pub pushes: Mutex<usize>,
    pub quarantined: Mutex<Vec<(String, String)>>,
    pub shelf: Mutex<BTreeMap<String, String>>,
    pub fail: Mutex<Option<PushError>>,
    pub toast: Mutex<Option<Toast>>,
    pub duty: Mutex<Option<Duty>>,
    /// What people said, and where.
    pub known: Mutex<Vec<(Address, Known)>>,
    /// What is to be read of a conversation, by technicians.
    pub history: Mutex<Option<(Card, Vec<String>)>>,
    pub question: Mutex<Option<Content>>,
}

impl Sink {
    pub(crate) fn inbox(self: &Arc<Self>) -> Inbox {
        Inbox::new(ChannelName::new("slack"), self.clone(), self.clone())
    }

    fn check(&self) -> Result<(), PushError> {
        self.fail.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        let texts = events.iter().filter_map(|event| match &event.event {
            InboundEvent::Posted { content, .. } => Some(content.text.clone()),
            _ => None,
        });
        texts.collect()
    }
}

#[async_trait]
impl InboxSink for Sink {
    async fn push(&self, event: Inbound) -> Result<Receipt, PushError> {
        self.check()?;
        *self.pushes.lock().unwrap() += 1;
        tokio::task::yield_now().await;
        let duplicate = !self.seen.lock().unwrap().insert(event.id.to_string());
        if !duplicate {
            self.events.lock().unwrap().push(event);
        }
        Ok(Receipt { duplicate, toast: self.toast.lock().unwrap().clone(), ..Receipt::default() })
    }

    async fn quarantine(&self, _: &ChannelName, raw: &[u8], why: &TranslateError) -> Result<(), PushError> {
        self.check()?;
        self.quarantined.lock().unwrap().push((String::from_utf8_lossy(raw).into_owned(), why.to_string()));
        Ok(())
    }

    async fn duty(&self, _: &ChannelName, _: &RemoteUserId) -> Option<Duty> {
        *self.duty.lock().unwrap()
    }

    async fn known(
        &self,
        at: &Address,
        after: &RemoteMessageId,
        until: &RemoteMessageId,
        except: &[RemoteMessageId],
    ) -> Result<Vec<Known>, PushError> {
        let known = self.known.lock().unwrap();
        let asked = |known: &&(Address, Known)| {
            let message = &known.1.message;
            known.0 == *at && message > after && message <= until && !except.contains(message)
        };
        Ok(known.iter().filter(asked).map(|known| known.1.clone()).collect())
    }

    async fn card(&self, _: &Address, reference: &str) -> Option<Card> {
        let card = self.history.lock().unwrap().clone()?.0;
        (card.reference == reference).then_some(card)
    }

    async fn history(&self, _: &Address, reference: &str, user: &RemoteUserId) -> Option<Vec<String>> {
        let (card, said) = self.history.lock().unwrap().clone()?;
        (card.reference == reference && user.as_str() == "U5BOB").then_some(said)
    }

    async fn identity_question(&self, _: &ChannelName, who: &Sender) -> Option<Content> {
        let question = self.question.lock().unwrap().clone();
        question.filter(|_| who.email_verified && who.kind == SenderKind::Human)
    }
}

#[async_trait]
impl ShelfStore for Sink {
    async fn get(&self, _: &ChannelName, key: &str) -> Result<Option<String>, ShelfError> {
        Ok(self.shelf.lock().unwrap().get(key).cloned())
    }

    async fn put(&self, _: &ChannelName, key: &str, value: &str) -> Result<(), ShelfError> {
        self.check().map_err(|error| ShelfError(error.to_string()))?;
        self.shelf.lock().unwrap().insert(key.to_owned(), value.to_owned());
        Ok(())
    }
    async fn compare_and_swap(
        &self,
        _: &ChannelName,
        key: &str,
        expected: Option<&str>,
        value: &str,
    ) -> Result<bool, ShelfError> {
        self.check().map_err(|error| ShelfError(error.to_string()))?;
        let mut shelf = self.shelf.lock().unwrap();
        let is = shelf.get(key).map(String::as_str) == expected;
        if is {
            shelf.insert(key.to_owned(), value.to_owned());
        }
        Ok(is)
    }
    async fn delete(&self, _: &ChannelName, keys: &[String]) -> Result<(), ShelfError> {
        self.shelf.lock().unwrap().retain(|key, _| !keys.contains(key));
        Ok(())
    }

    async fn find(&self, _: &ChannelName, prefix: &str, word: &str) -> Result<Vec<String>, ShelfError> {
        let all = self.shelf.lock().unwrap();
        let found = all.iter().filter(|(key, value)| key.starts_with(prefix) && value.contains(word));
        Ok(found.map(|(key, _)| key.clone()).collect())
    }
}

/// The Web API as far as receiving asks it.
pub(crate) fn web_api(call: &Call) -> Reply {
    match call.method.as_str() {
        "auth.test" => Reply::Yes(json!({ "url": "https://acme.slack.com/", "team": "Acme", "team_id": "T1",
            "user": "itdesk", "user_id": "U0BOT", "bot_id": "B0BOT" })),
        "users.info" => {
            let id = call.json()["user"].as_str().unwrap_or_default().to_owned();
            Reply::Yes(json!({ "user": { "id": id, "team_id": "T1", "locale": "pt-PT",
                "is_restricted": id == "U2GUEST", "is_email_confirmed": true,
                "profile": { "display_name": id.to_lowercase(), "email": format!("{id}@example.com") } } }))
        }
        "conversations.open" => Reply::Yes(json!({ "channel": { "id": "D1ANA" } })),
        "chat.postMessage" => Reply::Yes(json!({ "channel": "D1ANA", "ts": "1789999500.000100" })),
        "conversations.history" | "conversations.replies" => Reply::Yes(json!({ "messages": [] })),
        _ => Reply::Yes(json!({})),
    }
}

/// An adapter that receives by HTTP, its fake platform, and what it pushes into.
pub(crate) struct Bench {
    pub fake: Fake,
    pub sink: Arc<Sink>,
    pub adapter: Arc<SlackAdapter>,
    pub route: Router,
}

impl Bench {
    pub(crate) async fn new() -> Bench {
        Bench::with(web_api).await
    }

    pub(crate) async fn with(script: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Bench {
        let bench = Bench::cold(script).await;
        // It runs for a while already.
        let marks = bench.adapter.0.receiving.marks();
        marks.load(&bench.sink.inbox().shelf(), Timestamp::from_seconds(NOW)).await.unwrap();
        bench
    }

    /// Takes events, and has not asked yet what earlier runs left.
    pub(crate) async fn cold(script: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Bench {
        let fake = Fake::start(script).await;
        let config = fake.config(json!({ "receive": "http", "signing_secret": SECRET }));
        let config = config.without_pace().with_desks(vec!["C0DESK".into()]);
        let now = fake.clock.clone();
        let clock = Arc::new(move || Timestamp::from_seconds(now.load(std::sync::atomic::Ordering::Relaxed)));
        let adapter = Arc::new(SlackAdapter::new(ChannelName::new("slack"), config, clock).unwrap());
        let sink = Arc::new(Sink::default());
        let route = adapter.clone().intake(sink.inbox()).webhook.unwrap();
        Bench { fake, sink, adapter, route }
    }

    pub(crate) fn request(&self, body: &str, time: &str, signature: &str) -> Request<Body> {
        Request::post("/")
            .header("content-type", "application/json")
            .header("x-slack-request-timestamp", time)
            .header("x-slack-signature", signature)
            .body(Body::from(body.to_owned()))
            .unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> (StatusCode, String) {
        let response = self.route.clone().oneshot(request).await.unwrap();
        let status = response.status();
        assert!(!response.headers().contains_key("x-slack-no-retry"));
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    /// As Slack would, signed.
    pub(crate) async fn bring(&self, body: &str) -> (StatusCode, String) {
        let time = NOW.to_string();
        self.send(self.request(body, &time, &sign(SECRET, &time, body.as_bytes()))).await
    }

    /// As Slack would for the nth time.
    pub(crate) async fn retry(&self, event: Value, number: u32) -> StatusCode {
        let (time, body) = (NOW.to_string(), callback(event).to_string());
        let mut request = self.request(&body, &time, &sign(SECRET, &time, body.as_bytes()));
        request.headers_mut().insert("x-slack-retry-num", number.into());
        self.send(request).await.0
    }

    pub(crate) async fn event(&self, event: Value) -> StatusCode {
        self.bring(&callback(event).to_string()).await.0
    }

    pub(crate) async fn form(&self, fields: &[(&str, &str)]) -> (StatusCode, String) {
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.bring(&body).await
    }
}

pub(crate) fn callback(event: Value) -> Value {
    let id =
        format!("Ev{:x}", event.to_string().bytes().fold(7_u64, |n, b| n.wrapping_mul(31) + u64::from(b)));
    json!({ "type": "event_callback", "team_id": "T1", "api_app_id": "A0BOT", "event_id": id,
        "event_time": NOW, "event": event })
}

pub(crate) fn message(channel: &str, ts: &str, text: &str) -> Value {
    json!({ "type": "message", "channel": channel, "user": "U1ANA", "text": text, "ts": ts, "event_ts": ts })
}

/// Waits for what happens beside the answer.
pub(crate) async fn until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..500 {
        if done() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

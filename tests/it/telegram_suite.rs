//! The Telegram adapter against the numbered clauses of the contract, on the fake platform, by polling and by webhook.
//!
//! Not here: the clauses (the contract's suite), the platform (tests/platforms).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use deskbridge_contract::suite::*;
use deskbridge_contract::*;
use deskbridge_platforms::telegram::{FakeTelegram, Fault, FaultKind, Post, Settings};
use deskbridge_telegram::{Config, EXAMPLE, TelegramAdapter};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

const MARIA: i64 = 501;
const SECRET: &str = "a-webhook-secret-for-tests";

struct Subject_ {
    fake: FakeTelegram,
    adapter: Arc<TelegramAdapter>,
    webhook: bool,
    desk: i64,
    inbox: Option<Inbox>,
    running: Option<JoinHandle<()>>,
    door: Arc<Mutex<Option<axum::Router>>>,
    hook: String,
}

async fn subject(webhook: bool) -> Subject_ {
    let settings = Settings { time_scale: 0.001, clock_ahead: 86_400 * 30, ..Settings::default() };
    let fake = FakeTelegram::with(settings).await;
    fake.user(MARIA, "Maria");
    fake.user(601, "Bob");
    let desk = fake.forum("IT desk");
    // our own server for the webhook
    let door: Arc<Mutex<Option<axum::Router>>> = Arc::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = format!("http://{}", listener.local_addr().unwrap());
    let d = door.clone();
    let app = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let router = d.lock().unwrap().clone();
        async move {
            use tower::ServiceExt as _;
            let router = axum::Router::new().nest("/hooks/telegram", router.unwrap());
            router.oneshot(request).await.unwrap()
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let mut section = json!({ "token": fake.token(), "api_base": fake.base_url() });
    if webhook {
        section["receive"] = "webhook".into();
        section["webhook_secret"] = SECRET.into();
        section["public_url"] = hook.clone().into();
    }
    let config = Config::from_value(section).ok().unwrap().with_call_timeout(Duration::from_millis(700));
    let clock = Arc::new(|| Timestamp(1_700_000_000_000_000));
    let adapter = Arc::new(TelegramAdapter::new("telegram".into(), config, clock).unwrap());
    fake.private_message(MARIA, "first");
    Subject_ { fake, adapter, webhook, desk, inbox: None, running: None, door, hook }
}

impl Subject_ {
    fn parts(at: &Address) -> (i64, Option<i64>) {
        (at.room.as_str().parse().unwrap(), at.thread.as_ref().map(|t| t.as_str().parse().unwrap()))
    }
    fn run(&mut self) {
        let intake = self.adapter.clone().intake(self.inbox.clone().unwrap());
        if let Some(router) = intake.webhook {
            *self.door.lock().unwrap() = Some(router);
        }
        let connect = intake.connect.unwrap();
        self.running = Some(tokio::spawn(async move {
            let ended = connect.await;
            println!("ended: {ended:?}");
        }));
    }
}

#[async_trait]
impl Subject for Subject_ {
    fn name(&self) -> String {
        format!("telegram, {}", if self.webhook { "webhook" } else { "polling" })
    }
    fn adapter(&self) -> Arc<dyn Adapter> {
        self.adapter.clone()
    }
    fn exempt(&self) -> Vec<(Clause, &'static str)> {
        if self.webhook { vec![] } else { vec![(Clause::C14, "nobody calls us")] }
    }
    fn home(&self) -> Address {
        Address::room(&"telegram".into(), MARIA.to_string())
    }
    fn desk(&self) -> Option<Address> {
        Some(Address::room(&"telegram".into(), self.desk.to_string()))
    }
    async fn start(&mut self, inbox: Inbox) {
        self.inbox = Some(inbox);
        self.run();
        self.fake
            .wait_until(Duration::from_secs(10), |w| !w.ledger.confirmed.is_empty() && w.commands.len() >= 8)
            .await
            .unwrap();
    }
    async fn cause(&mut self, act: &Act) -> Option<Caused> {
        let f = &self.fake;
        let before = f.last_update_id();
        let id = |m: &RemoteMessageId| m.as_str().parse::<i64>().unwrap() as _;
        let mut timed = true;
        match act {
            Act::Say { at, text, reply_to } => {
                let mut post = Post::text(text.clone());
                if let Some(to) = reply_to {
                    post = post.reply_to(id(to));
                }
                match Self::parts(at) {
                    (chat, None) if chat > 0 => {
                        f.private_message(MARIA, post);
                    }
                    (chat, Some(thread)) => {
                        f.topic_message(601, chat, thread as _, post);
                    }
                    (chat, None) => {
                        f.general_message(601, chat, post);
                    }
                }
            }
            Act::Edit { at, message, text } => f.edit_message(Self::parts(at).0, id(message), text),
            Act::Delete { at, message } => {
                f.delete_message(Self::parts(at).0, id(message));
                return None;
            }
            Act::React { at, message, emoji, on } => {
                f.react(MARIA, Self::parts(at).0, id(message), on.then_some(*emoji))
            }
            Act::Press { at, message, action } => {
                timed = false;
                f.press(MARIA, Self::parts(at).0, id(message), action);
            }
            Act::Start { payload } => {
                let text = payload.as_ref().map_or("/start".to_owned(), |p| format!("/start {p}"));
                f.private_message(MARIA, text.as_str());
            }
            Act::Type { .. } | Act::Read { .. } => return None,
            Act::Leave => f.block(MARIA),
            Act::Return => f.unblock(MARIA),
            Act::CloseThread { at } => {
                let (c, t) = Self::parts(at);
                f.close_topic(601, c, t.unwrap() as _)
            }
            Act::ReopenThread { at } => {
                let (c, t) = Self::parts(at);
                f.reopen_topic(601, c, t.unwrap() as _)
            }
        }
        let update = f.last_update_id();
        if update == before {
            return None;
        }
        let body = f
            .read(|w| w.updates.queue.iter().find(|p| p.id == update).map(|p| p.body.clone()))
            .unwrap_or(Value::Null);
        let inner =
            body.as_object().and_then(|o| o.values().find(|v| v.is_object()).cloned()).unwrap_or(Value::Null);
        let date = inner["edit_date"].as_i64().or(inner["date"].as_i64());
        let at = if timed { date.map(Timestamp::from_seconds) } else { None };
        Some(Caused { handle: update.to_string(), at })
    }
    async fn redeliver(&mut self, caused: &Caused) {
        if self.running.as_ref().is_none_or(|r| r.is_finished()) {
            return self.run();
        }
        let id: i64 = caused.handle.parse().unwrap();
        self.fake.wait_until(Duration::from_secs(5), |w| w.ledger.confirmed.contains(&id)).await.unwrap();
        self.fake.redeliver(id);
    }
    async fn acknowledged(&mut self, caused: &Caused) -> bool {
        let id: i64 = caused.handle.parse().unwrap();
        self.fake.read(|w| w.ledger.confirmed.contains(&id))
    }
    async fn settle(&mut self) {
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    async fn echo(&mut self, _: &Sent) -> bool {
        false
    }
    async fn deliver_raw(&mut self, payload: &[u8]) -> Option<Caused> {
        let id = self.fake.raw_update(serde_json::from_slice(payload).ok()?);
        Some(Caused { handle: id.to_string(), at: None })
    }
    async fn forge(&mut self, forgery: Forgery) -> Option<Verdict> {
        if !self.webhook {
            return None;
        }
        let secret = match forgery {
            Forgery::NoSignature => None,
            Forgery::EmptySignature => Some(String::new()),
            Forgery::WrongSignature => Some("wrong-wrong-wrong-wrong".into()),
            Forgery::OtherSecret => Some("another-secret-of-tests".into()),
            Forgery::TruncatedSignature => Some(SECRET[..SECRET.len() - 1].into()),
            _ => return None,
        };
        let mut request = reqwest::Client::builder().no_proxy().build().unwrap().post(format!("{}/hooks/telegram", self.hook))
            .header("content-type", "application/json")
            .body(r#"{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":501},"from":{"id":501},"text":"x"}}"#);
        if let Some(secret) = secret {
            request = request.header("x-telegram-bot-api-secret-token", secret);
        }
        let status = request.send().await.unwrap().status().as_u16();
        Some(if matches!(status, 401 | 403) { Verdict::Refused } else { Verdict::Taken })
    }
    fn fixtures(&self) -> Vec<Fixture> {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/adapters/telegram/fixtures");
        std::fs::read_dir(dir)
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| p.is_file())
            .map(|p| Fixture {
                name: p.file_stem().unwrap().to_string_lossy().into_owned(),
                payload: std::fs::read(&p).unwrap(),
            })
            .collect()
    }
    fn translate(&self, payload: &[u8]) -> Translated {
        match self.adapter.translate(payload) {
            Ok(e) if e.is_empty() => Translated::Ignored,
            Ok(e) => Translated::Events(e.len()),
            Err(why) => Translated::Fault(why),
        }
    }
    async fn shown(&mut self, at: &Address) -> Vec<Shown> {
        let (chat, thread) = Self::parts(at);
        self.fake.read(|w| {
            w.messages_in(chat, thread.map(|t| t as _))
                .into_iter()
                .filter(|m| !m.deleted)
                .map(|m| {
                    let units: Vec<u16> = m.text().encode_utf16().collect();
                    let cover = |e: &Value| {
                        let o = e["offset"].as_u64().unwrap() as usize;
                        let l = e["length"].as_u64().unwrap() as usize;
                        String::from_utf16_lossy(&units[o..o + l])
                    };
                    let kind = |e: &&Value, k: &str| e["type"] == k;
                    Shown {
                        message: Some(m.id.to_string().as_str().into()),
                        text: m.text().replace('\u{2060}', "").replace('\u{a0}', " "),
                        buttons: m.buttons().into_iter().map(|b| b.text).collect(),
                        reactions: m.reactions.values().flatten().cloned().collect(),
                        pings: m
                            .entities()
                            .iter()
                            .filter(|e| kind(e, "mention") || kind(e, "text_mention"))
                            .map(cover)
                            .collect(),
                        links: m
                            .entities()
                            .iter()
                            .filter_map(|e| match e["type"].as_str() {
                                Some("text_link") => e["url"].as_str().map(str::to_owned),
                                Some("url") => Some(cover(e)),
                                _ => None,
                            })
                            .collect(),
                    }
                })
                .collect()
        })
    }
    async fn break_sends(&mut self, how: &Breakage) -> bool {
        let always = |f: FaultKind| self.fake.fault(Fault::on("sendMessage", f).times(1000));
        match how {
            Breakage::RateLimited { after } => always(FaultKind::rate_limit(after.as_secs())),
            Breakage::ServerError => always(FaultKind::server_error(502, false)),
            Breakage::NoAnswer => always(FaultKind::stall(Duration::from_secs(5), false)),
            Breakage::NoConnection => return false,
            Breakage::BadCredentials => always(FaultKind::status(401, "Unauthorized")),
            Breakage::Blocked => always(FaultKind::status(403, "Forbidden: bot was blocked by the user")),
            Breakage::ThreadDeleted => {
                always(FaultKind::status(400, "Bad Request: message thread not found"))
            }
            Breakage::BadFormatting => {
                always(FaultKind::status(400, "Bad Request: can't parse entities: suite C8"))
            }
            Breakage::RoomMoved { .. } => return false,
        }
        true
    }
    async fn mend(&mut self) {
        self.fake.clear_faults();
    }
    async fn requests(&mut self) -> Option<usize> {
        Some(self.fake.read(|w| w.requests("sendMessage").len()))
    }
    fn secrets(&self) -> Vec<String> {
        vec![self.fake.token().to_owned(), SECRET.to_owned()]
    }
    fn example(&self) -> Option<String> {
        Some(EXAMPLE.to_owned())
    }
    fn parse_config(&self, text: &str) -> Result<(), String> {
        let tree: toml::Table = text.parse().map_err(|e: toml::de::Error| e.to_string())?;
        let mut section = serde_json::to_value(&tree["channels"]["telegram"]).unwrap();
        for generic in ["adapter", "requesters", "queue", "desk", "desks"] {
            section.as_object_mut().unwrap().remove(generic);
        }
        Config::from_value(section)
            .map(|_| ())
            .map_err(|f| f.into_iter().map(|(k, w)| format!("{k}: {w}")).collect::<Vec<_>>().join("; "))
    }
    fn hostile(&self) -> Vec<String> {
        vec!["@bob_it hello @maria_costa".into(), "/resolve@deskbridge_bo".into(), "tg://user?id=601".into()]
    }
}

async fn go(webhook: bool) {
    // TLS needs a provider before the first client; the only error is that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut subject = subject(webhook).await;
    let reports = check(&mut subject).await;
    for r in &reports {
        println!("{r}");
    }
    let bad = subject.fake.read(|w| w.ledger.violations.clone());
    println!("violations: {bad:#?}");
    assert!(!reports.iter().any(ClauseReport::failed));
    assert!(bad.is_empty());
}

#[tokio::test]
async fn polling() {
    go(false).await
}
#[tokio::test]
async fn webhook() {
    go(true).await
}

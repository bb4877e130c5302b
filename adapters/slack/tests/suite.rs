//! Slack against the numbered clauses of the contract, on the fake platform, over HTTP and over Socket Mode.
//!
//! Not here: the clauses (the contract's suite), the platform (tests/platforms).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::StatusCode;
use deskbridge_contract::suite::{
    Act, Breakage, Caused, Clause, ClauseReport, Fixture, Forgery, Shown, Subject, Translated, Verdict, check,
};
use deskbridge_contract::{Adapter, Address, Inbox, RemoteMessageId, Sent, Timestamp};
use deskbridge_platforms::slack::{
    FakeSlack, Fault, FaultKind, Installed, Message, Post, Settings, Workspace, signature, unescaped,
};
use deskbridge_slack::{Config, EXAMPLE, SlackAdapter};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// What is between a person's message and our knowing of it.
const SOON: Duration = Duration::from_secs(10);

struct Office {
    fake: FakeSlack,
    acme: Workspace,
    app: Installed,
    adapter: Arc<SlackAdapter>,
    http: bool,
    ana: String,
    bob: String,
    im: String,
    desk: String,
    inbox: Option<Inbox>,
    running: Option<JoinHandle<()>>,
    hook: String,
}

async fn office(http: bool) -> Office {
    let hurried =
        Settings { time_scale: 0.001, ack_deadline: Duration::from_millis(400), ..Settings::default() };
    let fake = FakeSlack::with(hurried).await;
    let acme = fake.workspace("Acme");
    let app = acme.install("IT Desk");
    let (ana, bob) = (acme.user("Ana"), acme.user("Bob"));
    let desk = acme.channel("it-desk", &[&bob]);
    acme.join(&desk, &app.bot_user);
    let im = acme.im(&ana, &app);
    let config = Config::from_value(json!({
        "bot_token": app.bot_token, "app_token": app.app_token, "signing_secret": app.signing_secret,
        "receive": if http { "http" } else { "socket" }, "api_base": fake.api_url(),
    }));
    let Ok(config) = config else { panic!("the configuration of a test is sound") };
    let config =
        config.without_pace().with_desks(vec![desk.clone()]).with_call_timeout(Duration::from_millis(700));
    let world = fake.clone();
    let clock = Arc::new(move || Timestamp::from_seconds(world.read(|world| world.unix_now())));
    let adapter = Arc::new(SlackAdapter::new("slack".into(), config, clock).expect("an adapter"));
    let (inbox, running, hook) = (None, None, String::new());
    Office { fake, acme, app, adapter, http, ana, bob, im, desk, inbox, running, hook }
}

impl Office {
    async fn run(&mut self) {
        let intake = self.adapter.clone().intake(self.inbox.clone().expect("started"));
        if let Some(route) = intake.webhook {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            self.hook = format!("http://{}/", listener.local_addr().expect("bound"));
            tokio::spawn(async move { axum::serve(listener, route).await });
            self.app.post_to(&self.hook);
        } else {
            self.app.use_sockets();
        }
        let connect = intake.connect.expect("Slack is always connected to");
        self.running = Some(tokio::spawn(async move {
            // How it ends is told by what comes in, or does not.
            let _ = connect.await;
        }));
        if !self.http {
            let app = self.app.id.clone();
            self.fake.wait_until(SOON, move |world| world.sockets_of(&app) == 2).await.expect("two sockets");
        }
    }

    fn who(&self, at: &Address) -> &str {
        if at.room.as_str() == self.im { &self.ana } else { &self.bob }
    }

    fn latest(&self, room: &str, ts: &str, at: Option<&str>) -> Option<Caused> {
        let handle = self.acme.events_about(room, ts).pop()?;
        Some(Caused { handle, at: at.and_then(time) })
    }
}

/// Letter by letter: the client made nothing of it.
fn typed(text: &str) -> Post {
    let words = json!({ "type": "text", "text": text });
    let section = json!({ "type": "rich_text_section", "elements": [words] });
    Post::text(text).blocks(json!([{ "type": "rich_text", "elements": [section] }]))
}

fn time(ts: &str) -> Option<Timestamp> {
    let (seconds, micros) = ts.split_once('.')?;
    Some(Timestamp(seconds.parse::<i64>().ok()? * 1_000_000 + micros.parse::<i64>().ok()?))
}

fn name(emoji: &str) -> &str {
    match emoji {
        "👍" => "+1",
        "❤" | "❤️" => "heart",
        "👀" => "eyes",
        "✅" => "white_check_mark",
        other => panic!("the suite uses {other}"),
    }
}

fn emoji(name: &str) -> String {
    match name {
        "+1" => "👍".into(),
        "heart" => "❤️".into(),
        "eyes" => "👀".into(),
        "white_check_mark" => "✅".into(),
        "incoming_envelope" => "📨".into(),
        other => format!(":{other}:"),
    }
}

/// Where links lead and whom it pings: in the text where there are no blocks, else in the blocks.
fn references(message: &Message) -> (Vec<String>, Vec<String>) {
    let (mut links, mut pings) = (Vec::new(), Vec::new());
    match &message.blocks {
        Some(blocks) => gather(blocks, &mut links, &mut pings),
        None => in_text(&message.text, &mut links, &mut pings),
    }
    (links, pings)
}

fn gather(value: &Value, links: &mut Vec<String>, pings: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, links, pings)),
        Value::Object(fields) => {
            match value["type"].as_str() {
                Some("link") => links.extend(value["url"].as_str().map(str::to_owned)),
                Some("user" | "usergroup" | "broadcast") => pings.push(value.to_string()),
                Some("mrkdwn") => in_text(value["text"].as_str().unwrap_or_default(), links, pings),
                _ => {}
            }
            fields.values().for_each(|inner| gather(inner, links, pings));
        }
        _ => {}
    }
}

fn in_text(text: &str, links: &mut Vec<String>, pings: &mut Vec<String>) {
    for part in text.split('<').skip(1) {
        let Some((inside, _)) = part.split_once('>') else { continue };
        if inside.starts_with(['@', '!']) {
            pings.push(inside.to_owned());
        } else if !inside.starts_with('#') {
            links.push(inside.split('|').next().unwrap_or_default().to_owned());
        }
    }
}

#[async_trait]
impl Subject for Office {
    fn name(&self) -> String {
        format!("slack, {}", if self.http { "HTTP" } else { "Socket Mode" })
    }

    fn adapter(&self) -> Arc<dyn Adapter> {
        self.adapter.clone()
    }

    fn exempt(&self) -> Vec<(Clause, &'static str)> {
        if self.http { Vec::new() } else { vec![(Clause::C14, "nobody calls us")] }
    }

    fn home(&self) -> Address {
        Address::room(&"slack".into(), self.im.clone())
    }

    fn desk(&self) -> Option<Address> {
        Some(Address::room(&"slack".into(), self.desk.clone()))
    }

    async fn start(&mut self, inbox: Inbox) {
        self.inbox = Some(inbox);
        self.run().await;
        // The bot's coming into the desk is told, too.
        self.settle().await;
    }

    async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
    }

    async fn cause(&mut self, act: &Act) -> Option<Caused> {
        let acme = &self.acme;
        match act {
            Act::Say { at, text, reply_to } => {
                let thread = at.thread.as_ref().map(|thread| thread.as_str());
                let root = thread.or(reply_to.as_ref().map(RemoteMessageId::as_str));
                let (who, room) = (self.who(at), at.room.as_str());
                let ts = match root {
                    Some(root) => acme.reply(who, room, root, typed(text)),
                    None => acme.say(who, room, typed(text)),
                };
                self.latest(room, &ts, Some(&ts))
            }
            Act::Edit { at, message, text } => {
                let (room, ts) = (at.room.as_str(), message.as_str());
                acme.edit(self.who(at), room, ts, text);
                let edited = acme.message(room, ts).and_then(|message| message.edited);
                self.latest(room, ts, edited.as_ref().map(|(_, ts)| ts.as_str()))
            }
            Act::Delete { at, message } => {
                acme.delete(at.room.as_str(), message.as_str());
                self.latest(at.room.as_str(), message.as_str(), None)
            }
            Act::React { at, message, emoji, on } => {
                let (who, room, ts) = (self.who(at), at.room.as_str(), message.as_str());
                if *on {
                    acme.react(who, room, ts, name(emoji));
                } else {
                    acme.unreact(who, room, ts, name(emoji));
                }
                self.latest(room, ts, None)
            }
            Act::Press { at, message, action } => {
                let handle = acme.press(self.who(at), at.room.as_str(), message.as_str(), action);
                Some(Caused { handle, at: None })
            }
            Act::Start { payload: None } => {
                Some(Caused { handle: acme.open_tab(&self.ana, &self.app, "messages"), at: None })
            }
            // There are no deep links, no typing, no reading, and nobody can block an app.
            Act::Start { payload: Some(_) }
            | Act::Type { .. }
            | Act::Read { .. }
            | Act::Leave
            | Act::Return
            | Act::CloseThread { .. }
            | Act::ReopenThread { .. } => None,
        }
    }

    async fn redeliver(&mut self, caused: &Caused) {
        if self.running.as_ref().is_none_or(JoinHandle::is_finished) {
            return self.run().await;
        }
        self.fake.redeliver(&caused.handle, 1);
    }

    async fn acknowledged(&mut self, caused: &Caused) -> bool {
        self.fake.attempts(&caused.handle).iter().any(|attempt| attempt.was_taken())
    }

    async fn settle(&mut self) {
        // Everything that is on its way, retries included, is through, or given up; then whatever follows from it.
        let _ = self.fake.wait_until(Duration::from_secs(3), |world| world.outstanding() == 0).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    async fn echo(&mut self, sent: &Sent) -> bool {
        let Some(message) = &sent.message else { return false };
        let about = self.acme.events_about(sent.address.room.as_str(), message.as_str());
        for event in &about {
            self.fake.redeliver(event, 1);
        }
        !about.is_empty()
    }

    async fn deliver_raw(&mut self, payload: &[u8]) -> Option<Caused> {
        let handle = self.app.raw_event(serde_json::from_slice(payload).ok()?);
        Some(Caused { handle, at: None })
    }

    async fn forge(&mut self, forgery: Forgery) -> Option<Verdict> {
        if !self.http {
            return None;
        }
        let body = json!({ "type": "event_callback", "team_id": self.acme.team, "event_id": "EvFORGED",
            "event": { "type": "message", "channel": self.im, "user": self.ana, "text": "x", "ts": "1790000000.000100" } })
        .to_string();
        let secret = self.app.signing_secret.as_str();
        let now = self.fake.read(|world| world.unix_now());
        let signed = |secret: &str, time: i64| signature(secret, &time.to_string(), body.as_bytes());
        let (given, time) = match forgery {
            Forgery::NoSignature => (None, now),
            Forgery::EmptySignature => (Some(String::new()), now),
            Forgery::WrongSignature => (Some(format!("v0={}", "0".repeat(64))), now),
            Forgery::OtherSecret => (Some(signed("another-secret-of-another-app", now)), now),
            Forgery::TruncatedSignature => (signed(secret, now).get(..60).map(str::to_owned), now),
            Forgery::TamperedBody => (Some(signature(secret, &now.to_string(), b"{}")), now),
            Forgery::OldTimestamp => (Some(signed(secret, now - 400)), now - 400),
            Forgery::FutureTimestamp => (Some(signed(secret, now + 400)), now + 400),
        };
        let client = reqwest::Client::builder().no_proxy().build().ok()?;
        let mut request = client
            .post(&self.hook)
            .header("content-type", "application/json")
            .header("x-slack-request-timestamp", time.to_string())
            .body(body);
        if let Some(given) = given {
            request = request.header("x-slack-signature", given);
        }
        let status = request.send().await.ok()?.status();
        let refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        Some(if refused { Verdict::Refused } else { Verdict::Taken })
    }

    fn fixtures(&self) -> Vec<Fixture> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
        let files = std::fs::read_dir(folder).expect("fixtures").map(|entry| entry.expect("a file").path());
        files
            .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
            .map(|path| Fixture {
                name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
                payload: std::fs::read_to_string(&path)
                    .expect("readable")
                    .replace("T0FIXTURE", &self.acme.team)
                    .into_bytes(),
            })
            .collect()
    }

    fn translate(&self, payload: &[u8]) -> Translated {
        match self.adapter.translate(payload) {
            Ok(events) if events.is_empty() => Translated::Ignored,
            Ok(events) => Translated::Events(events.len()),
            Err(why) => Translated::Fault(why),
        }
    }

    async fn shown(&mut self, at: &Address) -> Vec<Shown> {
        let thread = at.thread.as_ref().map(|thread| thread.as_str());
        let all = self.acme.messages_in(at.room.as_str(), thread);
        let shown = all.iter().filter(|message| !message.deleted).map(|message| {
            let (links, pings) = references(message);
            let text = message.shown();
            let text = if message.blocks.is_some() { text } else { unescaped(&text) };
            Shown {
                message: Some(RemoteMessageId::new(message.ts.clone())),
                text: text.replace(['\u{2060}', '\u{200b}'], ""),
                buttons: message.buttons().into_iter().map(|button| button.label).collect(),
                reactions: message.reactions.iter().map(|(name, _)| emoji(name)).collect(),
                pings,
                links,
            }
        });
        shown.collect()
    }

    async fn break_sends(&mut self, how: &Breakage) -> bool {
        let kind = match how {
            Breakage::RateLimited { after } => FaultKind::rate_limit(after.as_secs()),
            Breakage::ServerError => FaultKind::Status { code: 502, effect: false },
            Breakage::NoAnswer => FaultKind::Stall { wait: Duration::from_secs(5), effect: false },
            Breakage::BadCredentials => FaultKind::refused("invalid_auth"),
            Breakage::Blocked => FaultKind::refused("channel_not_found"),
            Breakage::ThreadDeleted => FaultKind::refused("thread_not_found"),
            Breakage::BadFormatting => FaultKind::refused("invalid_blocks"),
            Breakage::NoConnection | Breakage::RoomMoved { .. } => return false,
        };
        self.fake.fault(Fault::on("chat.postMessage", kind).times(1000));
        true
    }

    async fn mend(&mut self) {
        self.fake.clear_faults();
    }

    async fn requests(&mut self) -> Option<usize> {
        Some(self.fake.requests("chat.postMessage").len())
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.app.bot_token.clone(), self.app.app_token.clone(), self.app.signing_secret.clone()]
    }

    fn example(&self) -> Option<String> {
        Some(EXAMPLE.to_owned())
    }

    fn parse_config(&self, text: &str) -> Result<(), String> {
        let tree: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let mut section =
            serde_json::to_value(&tree["channels"]["slack"]).map_err(|error| error.to_string())?;
        for generic in ["adapter", "requesters", "queue", "desk", "desks"] {
            section.as_object_mut().expect("a table").remove(generic);
        }
        let said = |faults: Vec<(String, String)>| {
            faults.into_iter().map(|(key, what)| format!("{key}: {what}")).collect::<Vec<_>>().join("; ")
        };
        Config::from_value(section).map(|_| ()).map_err(said)
    }

    fn hostile(&self) -> Vec<String> {
        vec![
            "<!channel> and <!here> and <!everyone>".into(),
            format!("<@{}> @channel", self.bob),
            "<!subteam^S1|@admins>".into(),
            "<https://evil.example|https://good.example>".into(),
        ]
    }
}

async fn conforms(http: bool) {
    let mut office = office(http).await;
    let reports = check(&mut office).await;
    let told: Vec<String> = reports.iter().map(ToString::to_string).collect();
    assert!(!reports.iter().any(ClauseReport::failed), "{}", told.join("\n"));
    assert_eq!(office.fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn over_http() {
    conforms(true).await;
}

#[tokio::test]
async fn over_sockets() {
    conforms(false).await;
}

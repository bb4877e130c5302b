//! Discord against the numbered clauses of the contract, on the fake platform, with interactions over the gateway and by HTTP.
//!
//! Not here: the clauses (the contract's suite), the platform (tests/platforms).

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use axum::http::StatusCode;
use deskbridge_contract::suite::{
    Act, Breakage, Caused, Clause, ClauseReport, Fixture, Forgery, Shown, Subject, Translated, Verdict, check,
};
use deskbridge_contract::{Adapter, Address, Inbox, RemoteMessageId, Sent, Timestamp};
use deskbridge_discord::{Config, DiscordAdapter, EXAMPLE};
use deskbridge_platforms::discord::{
    FakeDiscord, Fault, FaultKind, GatewayEntry, Installed, Message, Post, Scope, Server, Settings,
    Snowflake, Tamper, sign,
};
use serde_json::json;
use tokio::task::JoinHandle;

/// What is between a person's message and our knowing of it.
const SOON: Duration = Duration::from_secs(20);
/// The pulse of the fake's gateway; with every beat the adapter says how far all is stored.
const PULSE: Duration = Duration::from_millis(250);

struct Office {
    fake: FakeDiscord,
    acme: Server,
    app: Installed,
    adapter: Arc<DiscordAdapter>,
    http: bool,
    ana: Snowflake,
    bob: Snowflake,
    dm: Snowflake,
    forum: Snowflake,
    inbox: Option<Inbox>,
    running: Option<JoinHandle<()>>,
    hook: String,
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

async fn office(http: bool) -> Office {
    let fake = FakeDiscord::with(Settings { heartbeat: PULSE, ..Settings::default() }).await;
    let acme = fake.server("Acme");
    let app = acme.install("IT Desk");
    let (ana, bob) = (acme.user("Ana"), acme.user("Bob"));
    let forum = acme.forum("it-desk", &["Waiting", "Resolved"]);
    let dm = fake.dm(ana, &app);
    let mut section = json!({ "token": app.token, "api_base": fake.api_url() });
    if http {
        section["public_key"] = app.public_key.clone().into();
    }
    let Ok(config) = Config::from_value(section) else { panic!("the configuration of a test is sound") };
    let config = config
        .without_pace()
        .with_desks(vec![forum.to_string()])
        .with_call_timeout(Duration::from_millis(900))
        .with_pause(Duration::from_millis(50));
    let adapter = Arc::new(DiscordAdapter::new("discord".into(), config, Arc::new(now)).expect("an adapter"));
    let (inbox, running, hook) = (None, None, String::new());
    Office { fake, acme, app, adapter, http, ana, bob, dm, forum, inbox, running, hook }
}

impl Office {
    async fn run(&mut self) {
        let intake = self.adapter.clone().intake(self.inbox.clone().expect("started"));
        if let Some(route) = intake.webhook {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            self.hook = format!("http://{}/", listener.local_addr().expect("bound"));
            tokio::spawn(async move { axum::serve(listener, route).await });
            self.app.post_to(&self.hook);
        }
        let connect = intake.connect.expect("Discord is always connected to");
        self.running = Some(tokio::spawn(async move {
            // How it ends is told by what comes in, or does not.
            let _ = connect.await;
        }));
        self.app.connected(SOON).await.expect("connected");
    }

    fn who(&self, at: &Address) -> Snowflake {
        if at.thread.is_none() { self.ana } else { self.bob }
    }

    fn channel(&self, at: &Address) -> Snowflake {
        match &at.thread {
            Some(thread) => id(thread.as_str()),
            None => id(at.room.as_str().trim_start_matches('D')),
        }
    }

    /// The event that was just made.
    fn latest(&self, at: Option<Timestamp>) -> Option<Caused> {
        let app = self.app.id;
        let (session, seq) = self.fake.read(|world| world.last_event(app))?;
        let line = self.fake.read(|world| world.ledger.gateway.len());
        Some(Caused { handle: format!("{session}/{seq}/{line}"), at })
    }

    fn beats(&self) -> usize {
        let beat = |entry: &GatewayEntry| matches!(entry, GatewayEntry::Heartbeat { .. });
        self.fake.read(|world| world.ledger.gateway.iter().filter(|line| beat(&line.entry)).count())
    }
}

fn id(text: &str) -> Snowflake {
    text.parse().expect("an id of Discord's")
}

/// The session of an event, its number, and what had been said on the gateway when it was made.
fn parts(handle: &str) -> Option<(&str, u64, usize)> {
    let mut parts = handle.split('/');
    Some((parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Letter by letter: none of it means anything to Discord.
fn typed(text: &str) -> String {
    text.chars().flat_map(|c| c.is_ascii_punctuation().then_some('\\').into_iter().chain([c])).collect()
}

fn at(millis: u64) -> Option<Timestamp> {
    Some(Timestamp::from_millis(i64::try_from(millis).ok()?))
}

/// As Discord's client shows it: signs are gone, what is escaped stays. And where its links lead.
fn rendered(source: &str) -> (String, Vec<String>) {
    let (mut out, mut links) = (String::new(), Vec::new());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("https://") || rest.starts_with("http://") {
            let end = rest.find(|c: char| c.is_whitespace() || c == '<' || c == '>').unwrap_or(rest.len());
            let end = rest[..end].trim_end_matches(|c: char| ".,:;\"')]*_~|\\!?".contains(c)).len();
            links.push(rest[..end].to_owned());
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' if rest.starts_with(|c: char| c.is_ascii_punctuation()) => {
                out.extend(rest.chars().next());
                rest = &rest[1..];
            }
            '*' | '~' | '`' | '_' | '|' => {}
            '\u{2060}' => {}
            '\u{200b}' => {}
            c => out.push(c),
        }
    }
    (out, links)
}

#[async_trait]
impl Subject for Office {
    fn name(&self) -> String {
        format!("discord, interactions {}", if self.http { "by HTTP" } else { "over the gateway" })
    }

    fn adapter(&self) -> Arc<dyn Adapter> {
        self.adapter.clone()
    }

    fn exempt(&self) -> Vec<(Clause, &'static str)> {
        if self.http { Vec::new() } else { vec![(Clause::C14, "nobody calls us")] }
    }

    fn home(&self) -> Address {
        Address::room(&"discord".into(), format!("D{}", self.dm))
    }

    fn desk(&self) -> Option<Address> {
        Some(Address::room(&"discord".into(), self.forum.to_string()))
    }

    async fn start(&mut self, inbox: Inbox) {
        self.inbox = Some(inbox);
        self.run().await;
        self.settle().await;
    }

    async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
    }

    async fn cause(&mut self, act: &Act) -> Option<Caused> {
        let fake = self.fake.clone();
        // A connection that was lost for a refused event is coming back.
        self.app.connected(SOON).await.ok()?;
        match act {
            Act::Say { at: place, text, reply_to } => {
                let mut post = Post::text(typed(text));
                if let Some(message) = reply_to {
                    post = post.replying(id(message.as_str()));
                }
                let said = fake.say(self.who(place), self.channel(place), post);
                self.latest(at(said.at()))
            }
            Act::Edit { at: place, message, text } => {
                let (channel, message) = (self.channel(place), id(message.as_str()));
                fake.edit(self.who(place), channel, message, &typed(text));
                let edited =
                    fake.read(|world| world.message(channel, message).and_then(|message| message.edited_at));
                self.latest(edited.and_then(at))
            }
            Act::Delete { at: place, message } => {
                fake.delete(self.who(place), self.channel(place), id(message.as_str()));
                self.latest(None)
            }
            Act::React { at: place, message, emoji, on } => {
                let (who, channel, message) = (self.who(place), self.channel(place), id(message.as_str()));
                if *on {
                    fake.react(who, channel, message, emoji);
                } else {
                    fake.unreact(who, channel, message, emoji);
                }
                self.latest(None)
            }
            Act::Press { at: place, message, action } => {
                let (who, channel, message) = (self.who(place), self.channel(place), id(message.as_str()));
                let buttons = fake.read(|world| world.message(channel, message).map(Message::buttons))?;
                let label =
                    buttons.into_iter().find(|button| button.custom_id.as_deref() == Some(action))?.label;
                let pressed = fake.press(who, channel, message, &label);
                if self.http {
                    return Some(Caused { handle: pressed.to_string(), at: at(pressed.at()) });
                }
                self.latest(at(pressed.at()))
            }
            Act::Type { at: place } => {
                fake.type_in(self.who(place), self.channel(place));
                self.latest(None)
            }
            Act::CloseThread { at: place } => {
                fake.moderate(self.channel(place), |post| (post.archived, post.locked) = (true, true));
                self.latest(None)
            }
            Act::ReopenThread { at: place } => {
                fake.moderate(self.channel(place), |post| (post.archived, post.locked) = (false, false));
                self.latest(None)
            }
            // Nobody starts a bot, reading is not told, and nobody can be seen to block one.
            Act::Start { .. } | Act::Read { .. } | Act::Leave | Act::Return => None,
        }
    }

    async fn redeliver(&mut self, caused: &Caused) {
        if self.running.as_ref().is_none_or(JoinHandle::is_finished) {
            return self.run().await;
        }
        let _ = self.app.connected(SOON).await;
        if let Some((session, seq, _)) = parts(&caused.handle) {
            self.app.repeat(session, seq);
        }
    }

    async fn acknowledged(&mut self, caused: &Caused) -> bool {
        let Some((_, wanted, since)) = parts(&caused.handle) else {
            let handle = id(&caused.handle);
            return self.fake.read(|world| {
                world
                    .ledger
                    .deliveries
                    .iter()
                    .any(|d| d.id == handle && d.status.is_some_and(|s| (200..300).contains(&s)))
            });
        };
        let app = self.app.id;
        self.fake.read(|world| {
            let new = world.ledger.gateway.iter().skip(since);
            new.filter(|line| line.app == Some(app)).any(|line| match line.entry {
                GatewayEntry::Heartbeat { seq } => seq.is_some_and(|seq| seq >= wanted),
                GatewayEntry::Resumed { seq, .. } => seq >= wanted,
                _ => false,
            })
        })
    }

    async fn settle(&mut self) {
        // Two beats: with them it is said how far everything is stored.
        let before = self.beats();
        let beat = |entry: &GatewayEntry| matches!(entry, GatewayEntry::Heartbeat { .. });
        let beaten = self.fake.wait_until(Duration::from_secs(4), |world| {
            world.ledger.gateway.iter().filter(|line| beat(&line.entry)).count() >= before + 2
        });
        let _ = beaten.await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    async fn echo(&mut self, sent: &Sent) -> bool {
        let Some(message) = &sent.message else { return false };
        self.app.repeat_about(id(message.as_str())) > 0
    }

    async fn deliver_raw(&mut self, _: &[u8]) -> Option<Caused> {
        None
    }

    async fn forge(&mut self, forgery: Forgery) -> Option<Verdict> {
        if !self.http {
            return None;
        }
        let body = json!({ "id": "1290000000000000300", "application_id": self.app.id.to_string(), "type": 3,
            "token": "x", "channel_id": self.dm.to_string(), "data": { "custom_id": "human", "component_type": 2 },
            "user": { "id": self.ana.to_string(), "username": "ana" } })
        .to_string();
        let app = self.app.id;
        let key = self.fake.read(|world| world.app(app).key.clone());
        let second = u64::try_from(now().0 / 1_000_000).ok()?;
        let (second, tamper) = match forgery {
            Forgery::NoSignature => (second, Tamper::NoSignature),
            Forgery::EmptySignature => (second, Tamper::EmptySignature),
            Forgery::WrongSignature => (second, Tamper::FlippedBit),
            Forgery::OtherSecret => (second, Tamper::OtherKey),
            Forgery::TruncatedSignature => (second, Tamper::HalfLength),
            Forgery::TamperedBody => (second, Tamper::BodyChanged),
            Forgery::OldTimestamp => (second - 400, Tamper::None),
            Forgery::FutureTimestamp => (second + 400, Tamper::None),
        };
        let signed = sign(&key, second, &body, tamper);
        let client = reqwest::Client::builder().no_proxy().build().ok()?;
        let mut request =
            client.post(&self.hook).header("content-type", "application/json").body(signed.body);
        if let Some(signature) = signed.signature {
            request = request.header("x-signature-ed25519", signature);
        }
        if let Some(timestamp) = signed.timestamp {
            request = request.header("x-signature-timestamp", timestamp);
        }
        let refused = request.send().await.ok()?.status() == StatusCode::UNAUTHORIZED;
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
                    .replace("APPLICATION", &self.app.id.to_string())
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

    async fn shown(&mut self, place: &Address) -> Vec<Shown> {
        let channel = self.channel(place);
        let all = self.fake.messages_in(channel);
        let pings = self.fake.read(|world| world.pings.clone());
        let shown = all.iter().map(|message| {
            let (text, links) = rendered(&message.said());
            Shown {
                message: Some(RemoteMessageId::new(message.id.to_string())),
                text,
                buttons: message.buttons().into_iter().map(|button| button.label).collect(),
                reactions: message.reactions.iter().map(|reaction| reaction.emoji.clone()).collect(),
                pings: pings
                    .iter()
                    .filter(|ping| ping.message == message.id)
                    .map(|ping| ping.whom.clone())
                    .collect(),
                links,
            }
        });
        shown.collect()
    }

    async fn break_sends(&mut self, how: &Breakage) -> bool {
        let kind = match how {
            Breakage::RateLimited { after } => FaultKind::rate_limit(Scope::Shared, after.as_secs_f64()),
            Breakage::ServerError => FaultKind::Status { code: 502, effect: false },
            Breakage::NoAnswer => FaultKind::Stall { wait: Duration::from_secs(5), effect: false },
            Breakage::BadCredentials => FaultKind::refused(0),
            Breakage::Blocked => FaultKind::refused(50_007),
            Breakage::ThreadDeleted => FaultKind::refused(10_003),
            Breakage::BadFormatting => FaultKind::refused(50_035),
            Breakage::NoConnection | Breakage::RoomMoved { .. } => return false,
        };
        self.fake.fault(Fault::on("create_message", kind).times(1000));
        true
    }

    async fn mend(&mut self) {
        self.fake.clear_faults();
    }

    async fn requests(&mut self) -> Option<usize> {
        Some(self.fake.requests("create_message").len())
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.app.token.clone()]
    }

    fn example(&self) -> Option<String> {
        Some(EXAMPLE.to_owned())
    }

    fn parse_config(&self, text: &str) -> Result<(), String> {
        let tree: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let mut section =
            serde_json::to_value(&tree["channels"]["discord"]).map_err(|error| error.to_string())?;
        for generic in ["adapter", "requesters", "queue", "desk", "desks"] {
            section.as_object_mut().expect("a table").remove(generic);
        }
        let said = |faults: Vec<(String, String)>| {
            faults.into_iter().map(|(key, what)| format!("{key}: {what}")).collect::<Vec<_>>().join("; ")
        };
        Config::from_value(section).map(|_| ()).map_err(said)
    }

    fn hostile(&self) -> Vec<String> {
        let _ = &self.acme;
        vec![
            "@everyone and @here".into(),
            format!("<@{}> <@!{}> <@&1>", self.bob, self.bob),
            "<#1> </ask:1> <:party:1> <a:party:1> <t:0:R> <id:guide>".into(),
            "-# not small >>> not quoted".into(),
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
async fn with_interactions_by_http() {
    conforms(true).await;
}

#[tokio::test]
async fn with_interactions_over_the_gateway() {
    conforms(false).await;
}

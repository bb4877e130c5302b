//! Webhooks: the numbered clauses, signatures (S9), stale and repeated requests, answers within their time (T48), and a
//! flow's pace, size and end (T49).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbridge_contract::suite::*;
use deskbridge_contract::*;
use deskbridge_platforms::teams::{Answer, FakeTeams, Settings, WrongHmac};
use deskbridge_teams::{WEBHOOK_EXAMPLE, WebhookAdapter, WebhookConfig};
use serde_json::{Value, json};

use super::subject::{MARIA, caused, conversation, recorded, serve, settled};

const THREAD: &str = "19:help@thread.tacv2;messageid=1789000000000";

/// Requests by their handle, with what came of each.
type Asked = BTreeMap<String, (Value, Option<Result<Answer, String>>)>;

/// The webhook adapter, the fake, and a door between them.
struct Hooked {
    fake: FakeTeams,
    adapter: Arc<WebhookAdapter>,
    hook: String,
    door: Arc<std::sync::Mutex<Option<axum::Router>>>,
    asked: Arc<std::sync::Mutex<Asked>>,
}

fn thread() -> Address {
    Address::room(&"teams".into(), "19:help@thread.tacv2").thread("1789000000000")
}

fn notices() -> Address {
    Address::room(&"teams".into(), "it-notices")
}

fn out(id: &str, to: Address, op: OutboundOp) -> Outbound {
    Outbound { id: DeliveryId::new(id), to, op }
}

fn post(text: &str) -> OutboundOp {
    OutboundOp::Post { content: Content::text(text), files: vec![], persona: None, reply_to: None }
}

impl Hooked {
    /// With further keys; `flow`: with a flow for what comes later.
    async fn with(flow: bool, more: Value) -> Hooked {
        let fake = FakeTeams::start(Settings::default()).await.unwrap();
        let mut section = json!({ "security_token": fake.settings().security_token });
        if flow {
            section["webhook_url"] = json!(fake.flow_url());
            section["webhook_hosts"] = json!(["127.0.0.1"]);
        }
        section.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        section.as_object_mut().unwrap().remove("hurried");
        let config = WebhookConfig::from_value(section).ok().unwrap();
        let mut config = config.with_call_timeout(Duration::from_millis(700));
        if more["hurried"] == true {
            config = config.without_pace().with_ready(Duration::from_millis(30));
        }
        let now = Timestamp::from_seconds(fake.settings().now);
        let adapter = WebhookAdapter::new("teams".into(), config, Arc::new(move || now)).unwrap();
        let door = Arc::default();
        let hook = serve(Arc::clone(&door), Peer::at([127, 0, 0, 1].into())).await;
        Hooked { fake, adapter: Arc::new(adapter), hook, door, asked: Arc::default() }
    }

    fn open(&self, inbox: Inbox) {
        *self.door.lock().unwrap() = self.adapter.clone().intake(inbox).webhook;
    }

    async fn recording(flow: bool) -> (Hooked, Arc<Recorder>) {
        let (hooked, recorder) = (Hooked::with(flow, json!({})).await, Arc::new(Recorder::default()));
        hooked.open(Inbox::new("teams".into(), recorder.clone(), recorder.clone()));
        (hooked, recorder)
    }

    /// Behind the door somebody answers every question so quickly.
    fn answering(&self, words: &str) -> Arc<Quick> {
        let (adapter, words) = (self.adapter.clone(), words.to_owned());
        let quick = Arc::new(Quick { adapter, words, store: Arc::default() });
        self.open(Inbox::new("teams".into(), quick.clone(), quick.store.clone()));
        quick
    }

    async fn ask(&self, text: &str) -> Answer {
        let activity = self.fake.call_webhook(MARIA, THREAD, text);
        self.fake.ask(&self.hook, &activity).await.unwrap()
    }

    fn violations(&self) -> Vec<String> {
        self.fake.read(|world| world.violations.clone())
    }
}

/// An inbox whose bridge answers at once, by a delivery to the same address.
struct Quick {
    adapter: Arc<WebhookAdapter>,
    words: String,
    store: Arc<Recorder>,
}

#[async_trait]
impl InboxSink for Quick {
    async fn push(&self, event: Inbound) -> Result<Receipt, PushError> {
        let (adapter, to, words) = (self.adapter.clone(), event.address.clone(), self.words.clone());
        let receipt = self.store.push(event).await?;
        if !receipt.duplicate {
            tokio::spawn(async move {
                let sent = adapter.send(&out("answer", to, post(&words))).await;
                assert!(sent.is_ok(), "{sent:?}");
            });
        }
        Ok(Receipt { reference: (!receipt.duplicate).then(|| "#7".into()), ..receipt })
    }
    async fn quarantine(
        &self,
        channel: &ChannelName,
        raw: &[u8],
        why: &TranslateError,
    ) -> Result<(), PushError> {
        self.store.quarantine(channel, raw, why).await
    }
}

#[async_trait]
impl Subject for Hooked {
    fn name(&self) -> String {
        "teams, webhooks".into()
    }
    fn adapter(&self) -> Arc<dyn Adapter> {
        self.adapter.clone()
    }
    fn exempt(&self) -> Vec<(Clause, &'static str)> {
        // What of them is without a name has tests of its own below.
        [Clause::C1, Clause::C3, Clause::C5, Clause::C6, Clause::C7, Clause::C8, Clause::C12, Clause::C13]
            .map(|clause| (clause, "neither a response nor a flow names the message that it became"))
            .into()
    }
    fn home(&self) -> Address {
        thread()
    }
    fn desk(&self) -> Option<Address> {
        None
    }
    async fn start(&mut self, inbox: Inbox) {
        self.open(inbox);
    }
    async fn cause(&mut self, act: &Act) -> Option<Caused> {
        let Act::Say { at, text, .. } = act else { return None };
        let activity = self.fake.call_webhook(MARIA, &conversation(at), text);
        Some(self.bring(activity))
    }
    async fn redeliver(&mut self, caused: &Caused) {
        let activity = self.asked.lock().unwrap()[&caused.handle].0.clone();
        self.bring_as(caused.handle.clone(), activity);
    }
    async fn acknowledged(&mut self, caused: &Caused) -> bool {
        let asked = self.asked.lock().unwrap();
        matches!(&asked[&caused.handle].1, Some(Ok(answer)) if answer.status == 200)
    }
    async fn settle(&mut self) {
        settled(&self.fake).await;
    }
    async fn echo(&mut self, _: &Sent) -> bool {
        false
    }
    async fn deliver_raw(&mut self, payload: &[u8]) -> Option<Caused> {
        let mut activity: Value = serde_json::from_slice(payload).ok()?;
        // What is stale is another matter.
        if let Some(activity) = activity.as_object_mut() {
            activity.insert("timestamp".into(), json!("2026-09-21T14:13:20Z"));
        }
        Some(self.bring(activity))
    }
    async fn forge(&mut self, forgery: Forgery) -> Option<Verdict> {
        let mut activity = self.fake.call_webhook(MARIA, THREAD, "forged");
        let status = match forgery {
            Forgery::OldTimestamp | Forgery::FutureTimestamp => {
                let old = forgery == Forgery::OldTimestamp;
                activity["timestamp"] =
                    json!(if old { "2026-09-21T13:00:00Z" } else { "2026-09-21T15:00:00Z" });
                self.fake.ask(&self.hook, &activity).await.unwrap().status
            }
            other => {
                let wrong = match other {
                    Forgery::NoSignature => WrongHmac::Missing,
                    Forgery::EmptySignature => WrongHmac::Empty,
                    Forgery::OtherSecret => WrongHmac::OtherKey,
                    Forgery::TruncatedSignature => WrongHmac::CutShort,
                    Forgery::TamperedBody => WrongHmac::OtherBody,
                    _ => WrongHmac::NotBase64,
                };
                self.fake.forge_hmac(&self.hook, &activity, wrong).await.unwrap()
            }
        };
        Some(if matches!(status, 401 | 403) { Verdict::Refused } else { Verdict::Taken })
    }
    fn fixtures(&self) -> Vec<Fixture> {
        recorded("fixtures/webhook")
    }
    fn translate(&self, payload: &[u8]) -> Translated {
        match self.adapter.translate(payload) {
            Ok(events) => Translated::Events(events.len()),
            Err(why) => Translated::Fault(why),
        }
    }
    async fn shown(&mut self, _: &Address) -> Vec<Shown> {
        let shown = |text| Shown {
            message: None,
            text,
            buttons: Vec::new(),
            reactions: Vec::new(),
            pings: Vec::new(),
            links: Vec::new(),
        };
        self.fake.notices().into_iter().map(shown).collect()
    }
    async fn break_sends(&mut self, how: &Breakage) -> bool {
        let status = match how {
            Breakage::ServerError => 502,
            Breakage::BadCredentials => 401,
            _ => return false,
        };
        self.fake.break_flow(Some(status));
        true
    }
    async fn mend(&mut self) {
        self.fake.break_flow(None);
    }
    async fn requests(&mut self) -> Option<usize> {
        Some(self.fake.read(|world| world.flow_calls.len()))
    }
    fn secrets(&self) -> Vec<String> {
        vec![self.fake.settings().security_token.clone(), "planted-flow-signature".into()]
    }
    fn example(&self) -> Option<String> {
        Some(WEBHOOK_EXAMPLE.to_owned())
    }
    fn parse_config(&self, text: &str) -> Result<(), String> {
        let tree: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let mut section = serde_json::to_value(&tree["channels"]["teams-webhook"]).unwrap();
        for generic in ["adapter", "requesters", "queue", "desk", "desks"] {
            section.as_object_mut().unwrap().remove(generic);
        }
        let faults = WebhookConfig::from_value(section).err().unwrap_or_default();
        let words: Vec<String> = faults.into_iter().map(|(key, what)| format!("{key}: {what}")).collect();
        if words.is_empty() { Ok(()) } else { Err(words.join("; ")) }
    }
    fn hostile(&self) -> Vec<String> {
        vec!["<at>Bob</at> look".into(), "[x](javascript:alert(1))".into()]
    }
}

impl Hooked {
    fn bring(&self, activity: Value) -> Caused {
        let handle = format!("asked-{}", self.asked.lock().unwrap().len());
        self.bring_as(handle.clone(), activity.clone());
        caused(handle, &activity)
    }

    fn bring_as(&self, handle: String, activity: Value) {
        self.asked.lock().unwrap().insert(handle.clone(), (activity.clone(), None));
        let (asking, asked) = (self.fake.asking(&self.hook, &activity), self.asked.clone());
        tokio::spawn(async move {
            let answer = asking.await;
            if let Some(entry) = asked.lock().unwrap().get_mut(&handle) {
                entry.1 = Some(answer);
            }
        });
    }
}

#[tokio::test]
async fn the_contract_holds_for_webhooks() {
    let mut subject = Hooked::with(true, json!({ "hurried": true })).await;
    let reports = check(&mut subject).await;
    let failed: Vec<String> =
        reports.iter().filter(|report| report.failed()).map(ClauseReport::to_string).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(subject.violations(), Vec::<String>::new());
}

/// S9: every signature that is none. The key is the token decoded, over the very bytes.
#[tokio::test]
async fn s9_signatures() {
    let (hooked, recorder) = Hooked::recording(false).await;
    for wrong in WrongHmac::ALL {
        let activity = hooked.fake.call_webhook(MARIA, THREAD, "forged");
        assert_eq!(hooked.fake.forge_hmac(&hooked.hook, &activity, wrong).await.unwrap(), 401, "{wrong:?}");
    }
    assert!(recorder.pushed().is_empty() && recorder.quarantined().is_empty());
    assert_eq!(hooked.ask("genuine").await.status, 200);
    assert_eq!(recorder.pushed().len(), 1);
}

/// Signed, and ten minutes old: refused. A repeat within them is answered as before, and does nothing.
#[tokio::test]
async fn s9_stale_requests_and_repeats() {
    let hooked = Hooked::with(false, json!({})).await;
    let quick = hooked.answering("Restart it.");
    let mut stale = hooked.fake.call_webhook(MARIA, THREAD, "old");
    for time in ["2026-09-21T14:02:00Z", "2026-09-21T14:24:30Z"] {
        stale["timestamp"] = json!(time);
        assert_eq!(hooked.fake.ask(&hooked.hook, &stale).await.unwrap().status, 403, "{time}");
    }
    assert!(quick.store.pushed().is_empty());
    let activity = hooked.fake.call_webhook(MARIA, THREAD, "printer");
    let first = hooked.fake.ask(&hooked.hook, &activity).await.unwrap();
    assert!(first.body["text"].as_str().unwrap().contains("Restart it."), "{first:?}");
    for _ in 0..3 {
        assert_eq!(hooked.fake.ask(&hooked.hook, &activity).await.unwrap(), first);
    }
    let mut ids: Vec<_> = quick.store.pushed().into_iter().map(|event| event.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(hooked.violations(), Vec::<String>::new());
}

/// T48: within five seconds there is an answer in any case; the assistant's when it is quick, else that it arrived.
#[tokio::test]
async fn t48_an_answer_within_five_seconds() {
    let (hooked, _recorder) = Hooked::recording(false).await;
    let slow = hooked.ask("my VPN").await;
    let said = slow.body["text"].as_str().unwrap();
    assert!(said.starts_with("Received") && said.contains("Nothing can be written here later"), "{said}");
    // What comes now comes too late, and is not pretended to have been shown.
    let late = hooked.adapter.send(&out("late", thread(), post("Try again"))).await;
    assert!(matches!(late, Err(SendError::Rejected { fixable: false, .. })), "{late:?}");
    let hooked = Hooked::with(true, json!({})).await;
    hooked.answering("**Restart** it.");
    let quick = hooked.ask("my VPN").await;
    assert_eq!(quick.body["text"], "<p><b>Restart</b> it.</p>");
    assert_eq!(hooked.fake.notices(), Vec::<String>::new());
    // Nobody waits any more: the next words go by the flow, and say to whom and about what.
    let content = Content::text("Is it better?");
    let persona = Some(Persona { name: "Bob".into(), assistant: false, picture: None });
    let op = OutboundOp::Post { content, files: vec![], persona, reply_to: None };
    let sent = hooked.adapter.send(&out("later", thread(), op)).await.unwrap();
    assert!(sent.accepted && sent.note.is_none(), "202 is not 'delivered'");
    assert_eq!(hooked.fake.notices(), ["#7 · Person 501\nBob\nIs it better?"]);
    assert_eq!(hooked.violations(), Vec::<String>::new());
}

/// Nothing but the call is a call for help; two people at once get each their own answer.
#[tokio::test]
async fn questions_are_apart() {
    let (hooked, recorder) = Hooked::recording(false).await;
    hooked.ask("").await;
    let InboundEvent::Posted { content, .. } = recorder.pushed().remove(0).event else { panic!() };
    assert_eq!(content.text, "/help");
    let others = ["19:help@thread.tacv2;messageid=1", "19:help@thread.tacv2;messageid=2"];
    let asked = others.map(|thread| {
        let activity = hooked.fake.call_webhook(MARIA, thread, "x");
        tokio::spawn(hooked.fake.asking(&hooked.hook, &activity))
    });
    while recorder.pushed().len() < 3 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for nth in ["2", "1"] {
        let to = Address::room(&"teams".into(), "19:help@thread.tacv2").thread(nth);
        hooked.adapter.send(&out(nth, to, post(nth))).await.unwrap();
    }
    for (asked, nth) in asked.into_iter().zip(["1", "2"]) {
        assert_eq!(asked.await.unwrap().unwrap().body["text"], format!("<p>{nth}</p>"));
    }
}

/// S28: half an emoji in a signed request is no reason to lose the rest.
#[tokio::test]
async fn s28_half_an_emoji_is_repaired() {
    let (hooked, recorder) = Hooked::recording(false).await;
    let activity = hooked.fake.call_webhook(MARIA, THREAD, "half @@ an emoji");
    let body = activity.to_string().replace("@@", "\\ud83d").into_bytes();
    let answer = hooked.fake.asking_with(&hooked.hook, &activity, body).await.unwrap();
    assert_eq!(answer.status, 200);
    let InboundEvent::Posted { content, .. } = recorder.pushed().remove(0).event else { panic!() };
    assert_eq!(content.text, "half \u{fffd} an emoji");
    assert!(recorder.quarantined().is_empty());
}

/// T48: a store that does not answer costs the person an answer in words, and not the five seconds after which Teams shows an
/// error. On a clock of our own, and without a socket: how busy the machine is makes no difference.
#[tokio::test]
async fn t48_a_slow_store_is_answered_within_five_seconds() {
    /// Takes nothing, ever.
    struct Stuck(Arc<Recorder>);
    #[async_trait]
    impl InboxSink for Stuck {
        async fn push(&self, _: Inbound) -> Result<Receipt, PushError> {
            std::future::pending().await
        }
        async fn quarantine(
            &self,
            channel: &ChannelName,
            raw: &[u8],
            why: &TranslateError,
        ) -> Result<(), PushError> {
            self.0.quarantine(channel, raw, why).await
        }
    }
    use base64::Engine as _;
    use tower::ServiceExt as _;
    let hooked = Hooked::with(false, json!({})).await;
    let recorder = Arc::new(Recorder::default());
    hooked.open(Inbox::new("teams".into(), Arc::new(Stuck(recorder.clone())), recorder));
    let body = hooked.fake.call_webhook(MARIA, THREAD, "my VPN").to_string();
    let base64 = base64::engine::general_purpose::STANDARD;
    let key = base64.decode(&hooked.fake.settings().security_token).unwrap();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
    let signature = base64.encode(ring::hmac::sign(&key, body.as_bytes()));
    let request = axum::http::Request::post("/")
        .header("content-type", "application/json")
        .header("authorization", format!("HMAC {signature}"))
        .body(axum::body::Body::from(body))
        .unwrap();
    let router = hooked.door.lock().unwrap().clone().unwrap();
    tokio::time::pause();
    let came = tokio::time::Instant::now();
    let answer = router.oneshot(request).await.unwrap();
    let took = came.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(answer.status(), 200);
    let body = axum::body::to_bytes(answer.into_body(), 1 << 16).await.unwrap();
    let said: Value = serde_json::from_slice(&body).unwrap();
    assert!(said["text"].as_str().unwrap().contains("too long"), "{said}");
}

/// T49: one call in two seconds, and no more after a 429 than it says.
#[tokio::test]
async fn t49_a_flow_is_called_once_in_two_seconds() {
    let (hooked, _recorder) = Hooked::recording(true).await;
    for nth in 0..3 {
        hooked.adapter.send(&out(&nth.to_string(), notices(), post("x"))).await.unwrap();
    }
    let calls = hooked.fake.read(|world| world.flow_calls.clone());
    let least = calls.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap();
    // Neither clock is exact to the millisecond.
    assert!(least >= Duration::from_millis(1_950), "{least:?}");
    hooked.fake.break_flow(Some(429));
    let told = hooked.adapter.send(&out("4", notices(), post("x"))).await;
    assert!(
        matches!(told, Err(SendError::Retry { after: Some(after), .. }) if after.as_secs() == 30),
        "{told:?}"
    );
    hooked.fake.break_flow(None);
    let before = hooked.fake.read(|world| world.flow_calls.len());
    let told = hooked.adapter.send(&out("5", notices(), post("x"))).await;
    assert!(
        matches!(told, Err(SendError::Retry { after: Some(after), .. }) if after.as_secs() > 20),
        "{told:?}"
    );
    assert_eq!(hooked.fake.read(|world| world.flow_calls.len()), before);
}

/// A flow that is gone is the end of that notice, and of nothing else; the channel's health has words for whoever can mend it,
/// without its secret, until the flow posts again.
#[tokio::test]
async fn t50_a_dead_flow_is_terminal() {
    for status in [401, 404, 410] {
        let (hooked, _recorder) = Hooked::recording(true).await;
        hooked.fake.break_flow(Some(status));
        let told = hooked.adapter.send(&out("1", notices(), post("x"))).await.unwrap_err();
        let terminal =
            matches!(&told, SendError::Rejected { why, fixable: false } if why.contains("webhook_url"));
        assert!(terminal, "{told:?}");
        assert!(!format!("{told:?} {told}").contains("sig="), "{told}");
        let warnings = hooked.adapter.warnings();
        assert!(warnings.len() == 1 && warnings[0].contains(&format!("HTTP {status}")), "{warnings:?}");
        // Asked by the outgoing webhook, it is answered as ever.
        hooked.answering("**Restart** it.");
        assert_eq!(hooked.ask("my VPN").await.body["text"], "<p><b>Restart</b> it.</p>");
        hooked.fake.break_flow(None);
        hooked.adapter.send(&out("2", notices(), post("x"))).await.unwrap();
        assert_eq!(hooked.adapter.warnings(), Vec::<String>::new());
    }
}

/// A conversation in a room of notices: every state is a card of its own, with its number, and cut at 24 KB.
#[tokio::test]
async fn notices_are_cards() {
    let hooked = Hooked::with(true, json!({ "public_url": "https://desk.example.org" })).await;
    hooked.open(Inbox::new("teams".into(), Arc::new(Recorder::default()), Arc::new(Recorder::default())));
    let title = ThreadTitle {
        state: CardState::Waiting,
        reference: "#1042".into(),
        requester: "Maria".into(),
        subject: "VPN".into(),
    };
    let card = Card {
        reference: "#1042".into(),
        title: "VPN".into(),
        state: CardState::Waiting,
        status: "Waiting".into(),
        requester: "Maria".into(),
        facts: vec![Fact { label: "Queue".into(), value: "IT".into() }],
        summary: "long ".repeat(20_000),
        hint: String::new(),
    };
    let opened = OutboundOp::OpenThread { title, card: card.clone(), actions: vec![] };
    let opened = hooked.adapter.send(&out("1", notices(), opened)).await.unwrap();
    let at = opened.address.clone();
    assert_eq!(at.thread.as_ref().map(|thread| thread.as_str()), Some("#1042"));
    let content = Content { card: Some(Box::new(card)), ..Content::default() };
    let op = OutboundOp::Post { content, files: vec![], persona: None, reply_to: None };
    hooked.adapter.send(&out("2", at.clone(), op)).await.unwrap();
    hooked.adapter.send(&out("3", at.clone(), post("Nobody took it for 5 min."))).await.unwrap();
    let shown = hooked.fake.notices();
    assert!(shown[0].contains("🟡 #1042 Maria · VPN") && shown[0].contains("Queue: IT"), "{shown:?}");
    assert_eq!(shown[1], "#1042\nNobody took it for 5 min.");
    let largest = hooked.fake.read(|world| world.notices.iter().map(|(_, m)| m.to_string().len()).max());
    assert!(largest.unwrap() <= 24 << 10, "{largest:?}");
    let whisper = OutboundOp::Whisper { to: "x".into(), content: Content::text("x"), interaction: None };
    assert!(matches!(hooked.adapter.send(&out("4", at, whisper)).await, Err(SendError::Gone { .. })));
    assert_eq!(hooked.violations(), Vec::<String>::new());
}

/// With the bot's keys, later words are in the thread itself.
#[tokio::test]
async fn later_words_by_the_bot() {
    let bot = {
        let fake = FakeTeams::start(Settings::default()).await.unwrap();
        fake.install(THREAD);
        fake
    };
    let mut keys = bot.section();
    for other in ["openid_url", "graph_url"] {
        keys.as_object_mut().unwrap().remove(other);
    }
    let hooked = Hooked::with(false, keys).await;
    hooked.open(Inbox::new("teams".into(), Arc::new(Recorder::default()), Arc::new(Recorder::default())));
    let mut activity = hooked.fake.call_webhook(MARIA, THREAD, "my VPN");
    activity["serviceUrl"] = json!(bot.service_url());
    let said = hooked.fake.ask(&hooked.hook, &activity).await.unwrap();
    assert!(said.body["text"].as_str().unwrap().contains("in this thread"), "{said:?}");
    hooked.adapter.send(&out("1", thread(), post("Try again"))).await.unwrap();
    // Nobody can be told something alone there; the host says it in the thread.
    let whisper = OutboundOp::Whisper { to: "x".into(), content: Content::text("x"), interaction: None };
    assert!(matches!(hooked.adapter.send(&out("2", thread(), whisper)).await, Err(SendError::Gone { .. })));
    let texts = bot.read(|world| {
        let all = world.messages(THREAD).iter().map(|message| message.activity["text"].clone());
        all.collect::<Vec<_>>()
    });
    assert_eq!(texts, [json!("<p>Try again</p>")]);
}

#[tokio::test]
async fn doctor_and_health_say_what_cannot_be() {
    let (hooked, _recorder) = Hooked::recording(false).await;
    let health = hooked.adapter.probe().await.unwrap();
    assert!(
        health.summary.contains("nothing can be written later") && health.warnings.len() == 1,
        "{health:?}"
    );
    let checks = hooked.adapter.doctor(&[RoomId::new("it-notices"), RoomId::new("19:a@thread.tacv2")]).await;
    let outcomes: Vec<String> =
        checks.iter().map(|check| format!("{} {:?}", check.id, check.outcome)).collect();
    let expected = ["address Warn", "later Warn", "desk Fail", "desk Fail"];
    assert_eq!(outcomes, expected.map(|check| format!("teams-webhook.{check}")));
    let (hooked, _recorder) = Hooked::recording(true).await;
    let health = hooked.adapter.probe().await.unwrap();
    assert!(health.summary.contains("Workflows") && health.warnings.is_empty(), "{health:?}");
    let checks = hooked.adapter.doctor(&[RoomId::new("it-notices")]).await;
    assert!(
        checks
            .iter()
            .any(|check| check.id == "teams-webhook.flow" && format!("{:?}", check.outcome) == "Pass")
    );
}

/// C6 and C13 where nothing has a name: whatever the text, it is taken, and shown as text.
#[tokio::test]
async fn texts_are_taken_and_stay_text() {
    let hooked = Hooked::with(true, json!({ "hurried": true })).await;
    hooked.open(Inbox::new("teams".into(), Arc::new(Recorder::default()), Arc::new(Recorder::default())));
    let hostile = ["<at>Bob</at> look", "&lt;at&gt;Bob&lt;/at&gt;", "{{DATE(2026)}}", "${title}"];
    // What is no more than four in a second is not throttled.
    for (nth, text) in hostile.into_iter().enumerate() {
        let literal = text.replace('<', "\\<").replace('&', "\\&");
        hooked.adapter.send(&out(&nth.to_string(), notices(), post(&literal))).await.unwrap();
        assert_eq!(hooked.fake.notices().pop().unwrap(), text);
        hooked.fake.change(|world| world.flow_calls.clear());
    }
    for text in ["x".repeat(4000), "😀".repeat(2000), "**a** ".repeat(660), "\\\"".repeat(2000)] {
        hooked.adapter.send(&out("long", notices(), post(&text))).await.unwrap();
        hooked.fake.change(|world| world.flow_calls.clear());
    }
    assert_eq!(hooked.violations(), Vec::<String>::new());
    let all = hooked.fake.read(|world| world.notices.iter().map(|(_, m)| m.to_string()).collect::<String>());
    assert!(!all.contains("\"type\":\"TextBlock\"") && !all.contains("\"entities\""));
}

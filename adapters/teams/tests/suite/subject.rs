//! The adapter, the fake, and a door between them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use deskbridge_contract::suite::*;
use deskbridge_contract::*;
use deskbridge_platforms::teams::{FakeTeams, Fault, Forged, Page, Settings};
use deskbridge_teams::{Config, EXAMPLE, TeamsAdapter};
use serde_json::{Value, json};

pub const MARIA: u32 = 501;
pub const HOME: &str = "a:29:501";
pub const DESK: &str = "19:desk@thread.tacv2";

pub struct Bench {
    pub fake: FakeTeams,
    pub adapter: Arc<TeamsAdapter>,
    pub hook: String,
    door: Arc<Mutex<Option<axum::Router>>>,
    /// Microseconds; the adapter's clock.
    now: Arc<AtomicI64>,
    config: Config,
}

/// Serves whatever router is put behind the door, as the host does.
pub async fn serve(door: Arc<Mutex<Option<axum::Router>>>, peer: Peer) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = format!("http://{}/hooks/teams", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(move |mut request: axum::extract::Request| {
        let router = door.lock().unwrap().clone();
        request.extensions_mut().insert(peer);
        async move {
            use tower::ServiceExt as _;
            axum::Router::new().nest("/hooks/teams", router.unwrap()).oneshot(request).await.unwrap()
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    hook
}

fn adapter(config: Config, now: &Arc<AtomicI64>) -> Arc<TeamsAdapter> {
    let clock = now.clone();
    let clock = Arc::new(move || Timestamp(clock.load(Ordering::Relaxed)));
    Arc::new(TeamsAdapter::new("teams".into(), config, clock).unwrap())
}

impl Bench {
    pub async fn start() -> Bench {
        Bench::with(json!({}), Peer::at([127, 0, 0, 1].into())).await
    }

    /// With further keys, called from this address.
    pub async fn with(more: Value, peer: Peer) -> Bench {
        let settings = Settings { again_after: Duration::from_secs(4), ..Settings::default() };
        Bench::of(settings, more, peer).await
    }

    /// With a fake like this, and a recorder behind the door.
    pub async fn living(settings: Settings) -> Bench {
        let bench = Bench::of(settings, json!({}), Peer::at([127, 0, 0, 1].into())).await;
        let recorder = Arc::new(Recorder::default());
        bench.open(Inbox::new("teams".into(), recorder.clone(), recorder));
        bench
    }

    async fn of(settings: Settings, more: Value, peer: Peer) -> Bench {
        let fake = FakeTeams::start(settings).await.unwrap();
        fake.install(HOME);
        fake.install(DESK);
        let mut section = fake.section();
        section.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let config = Config::from_value(section).ok().unwrap();
        let config = config.with_call_timeout(Duration::from_millis(700)).with_desks(vec![DESK.into()]);
        let now = Arc::new(AtomicI64::new(fake.settings().now * 1_000_000));
        let adapter = adapter(config.clone(), &now);
        let door: Arc<Mutex<Option<axum::Router>>> = Arc::default();
        let hook = serve(door.clone(), peer).await;
        Bench { fake, adapter, hook, door, now, config }
    }

    /// The adapter's clock goes on; the fake's does not.
    pub fn pass(&self, time: Duration) {
        let micros = i64::try_from(time.as_micros()).unwrap();
        self.now.fetch_add(micros, Ordering::Relaxed);
    }

    /// The program ends and starts anew: of the adapter nothing is left but what is on the shelf.
    pub fn restart(&mut self, recorder: &Arc<Recorder>) {
        self.adapter = adapter(self.config.clone(), &self.now);
        self.open(Inbox::new("teams".into(), recorder.clone(), recorder.clone()));
    }

    /// The adapter's clock, in seconds since 1970.
    pub fn seconds(&self) -> i64 {
        self.now.load(Ordering::Relaxed) / 1_000_000
    }

    /// One request past the socket.
    pub async fn ask(&self, request: axum::extract::Request) -> axum::http::StatusCode {
        use tower::ServiceExt as _;
        let router = self.door.lock().unwrap().clone().unwrap();
        router.oneshot(request).await.unwrap().status()
    }

    pub fn open(&self, inbox: Inbox) {
        *self.door.lock().unwrap() = self.adapter.clone().intake(inbox).webhook;
    }

    /// With a recorder behind the door.
    pub async fn recording() -> (Bench, Arc<Recorder>) {
        let (bench, recorder) = (Bench::start().await, Arc::new(Recorder::default()));
        bench.open(Inbox::new("teams".into(), recorder.clone(), recorder.clone()));
        (bench, recorder)
    }

    pub async fn taken(&self, handle: &str) {
        for _ in 0..1000 {
            if self.fake.acknowledged(handle) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{handle} was not taken");
    }
}

pub fn home() -> Address {
    Address::room(&"teams".into(), HOME)
}

pub fn desk() -> Address {
    Address::room(&"teams".into(), DESK)
}

/// Every request that was made is answered, or waits for something that is held up on purpose.
pub async fn settled(fake: &FakeTeams) {
    // What was spawned a moment ago has begun.
    tokio::time::sleep(Duration::from_millis(80)).await;
    for _ in 0..100 {
        if fake.under_way() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The recorded payloads in a folder, those below it left out.
pub fn recorded(folder: &str) -> Vec<Fixture> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.is_file())
        .map(|path| Fixture {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            payload: std::fs::read(&path).unwrap(),
        })
        .collect()
}

pub fn conversation(at: &Address) -> String {
    match &at.thread {
        Some(root) => format!("{};messageid={root}", at.room),
        None => at.room.to_string(),
    }
}

pub fn caused(handle: String, activity: &Value) -> Caused {
    let at: Option<jiff::Timestamp> = activity["timestamp"].as_str().and_then(|at| at.parse().ok());
    Caused { handle, at: at.map(|at| Timestamp(at.as_microsecond())) }
}

#[async_trait]
impl Subject for Bench {
    fn name(&self) -> String {
        "teams".into()
    }
    fn adapter(&self) -> Arc<dyn Adapter> {
        self.adapter.clone()
    }
    fn home(&self) -> Address {
        home()
    }
    fn desk(&self) -> Option<Address> {
        Some(desk())
    }
    async fn start(&mut self, inbox: Inbox) {
        self.open(inbox);
    }
    async fn cause(&mut self, act: &Act) -> Option<Caused> {
        let fake = &self.fake;
        let bot = format!("28:{}", fake.settings().app_id);
        let activity = match act {
            Act::Say { at, text, .. } => fake.say(MARIA, &conversation(at), text),
            Act::Edit { at, message, text } => {
                let more = json!({ "id": message.as_str(), "text": text, "channelData": { "eventType": "editMessage" } });
                fake.activity("messageUpdate", MARIA, &conversation(at), &more)
            }
            Act::Delete { at, message } => {
                let more =
                    json!({ "id": message.as_str(), "channelData": { "eventType": "softDeleteMessage" } });
                fake.activity("messageDelete", MARIA, &conversation(at), &more)
            }
            Act::React { at, message, on, .. } => {
                let key = if *on { "reactionsAdded" } else { "reactionsRemoved" };
                let more = json!({ "replyToId": message.as_str(), key: [{ "type": "like" }] });
                fake.activity("messageReaction", MARIA, &conversation(at), &more)
            }
            Act::Press { at, message, action } => {
                fake.press(MARIA, &conversation(at), message.as_str(), action, &json!({}))
            }
            Act::Start { .. } => {
                fake.activity("conversationUpdate", MARIA, HOME, &json!({ "membersAdded": [{ "id": bot }] }))
            }
            Act::Type { at } => fake.activity("typing", MARIA, &conversation(at), &json!({})),
            Act::Read { at, message } => {
                let more = json!({
                    "name": "application/vnd.microsoft.readReceipt", "value": { "lastReadMessageId": message.as_str() },
                });
                fake.activity("event", MARIA, &conversation(at), &more)
            }
            Act::Leave => fake.activity("installationUpdate", MARIA, HOME, &json!({ "action": "remove" })),
            Act::Return => fake.activity("installationUpdate", MARIA, HOME, &json!({ "action": "add" })),
            Act::CloseThread { .. } | Act::ReopenThread { .. } => return None,
        };
        let handle = fake.deliver(&self.hook, activity.clone());
        Some(caused(handle, &activity))
    }
    async fn redeliver(&mut self, caused: &Caused) {
        self.fake.redeliver(&self.hook, &caused.handle);
    }
    async fn acknowledged(&mut self, caused: &Caused) -> bool {
        self.fake.acknowledged(&caused.handle)
    }
    async fn settle(&mut self) {
        settled(&self.fake).await;
    }
    async fn echo(&mut self, sent: &Sent) -> bool {
        let bot = format!("28:{}", self.fake.settings().app_id);
        let more = json!({ "from": { "id": bot, "name": "Desk" }, "text": "said by the bridge" });
        let activity = self.fake.activity("message", MARIA, &conversation(&sent.address), &more);
        self.fake.deliver(&self.hook, activity);
        true
    }
    async fn deliver_raw(&mut self, payload: &[u8]) -> Option<Caused> {
        let handle = self.fake.deliver(&self.hook, serde_json::from_slice(payload).ok()?);
        Some(Caused { handle, at: None })
    }
    async fn forge(&mut self, forgery: Forgery) -> Option<Verdict> {
        let forged = match forgery {
            Forgery::NoSignature => Forged::Missing,
            Forgery::EmptySignature => Forged::Empty,
            Forgery::WrongSignature => Forged::WrongSignature,
            Forgery::OtherSecret => Forged::OtherKey,
            Forgery::TruncatedSignature => Forged::CutShort,
            // The body is not signed; that the token is for its service address is.
            Forgery::TamperedBody => Forged::OtherServiceUrl,
            Forgery::OldTimestamp => Forged::Expired,
            Forgery::FutureTimestamp => Forged::NotYet,
        };
        let activity = self.fake.say(MARIA, HOME, "forged");
        let status = self.fake.forge(&self.hook, &activity, forged).await.unwrap();
        Some(if matches!(status, 401 | 403) { Verdict::Refused } else { Verdict::Taken })
    }
    fn fixtures(&self) -> Vec<Fixture> {
        recorded("fixtures")
    }
    fn translate(&self, payload: &[u8]) -> Translated {
        match self.adapter.translate(payload) {
            Ok(events) if events.is_empty() => Translated::Ignored,
            Ok(events) => Translated::Events(events.len()),
            Err(why) => Translated::Fault(why),
        }
    }
    async fn shown(&mut self, at: &Address) -> Vec<Shown> {
        let page =
            |activity: &Value| -> Page { deskbridge_platforms::teams::read(activity).unwrap_or_default() };
        self.fake.read(|world| {
            let there = world.messages(&conversation(at)).iter().filter(|message| !message.deleted);
            there
                .map(|message| {
                    let page = page(&message.activity);
                    Shown {
                        message: Some(RemoteMessageId::new(message.id.as_str())),
                        text: page.text,
                        buttons: page.buttons,
                        reactions: Vec::new(),
                        pings: page.pings,
                        links: page.links,
                    }
                })
                .collect()
        })
    }
    async fn break_sends(&mut self, how: &Breakage) -> bool {
        let refuse = |status, code| Fault::Refuse { status, retry_after: None, code };
        let fault = match how {
            Breakage::RateLimited { after } => {
                Fault::Refuse { status: 429, retry_after: Some(after.as_secs()), code: "TooManyRequests" }
            }
            Breakage::ServerError => Fault::DoneThen { status: 502 },
            Breakage::NoAnswer => Fault::Stall(Duration::from_secs(3)),
            Breakage::BadCredentials => refuse(401, "Unauthorized"),
            Breakage::Blocked => refuse(403, "BotNotInConversationRoster"),
            Breakage::BadFormatting => refuse(400, "BadSyntax"),
            Breakage::NoConnection | Breakage::ThreadDeleted | Breakage::RoomMoved { .. } => return false,
        };
        self.fake.fault(Some(fault));
        true
    }
    async fn mend(&mut self) {
        self.fake.fault(None);
    }
    async fn requests(&mut self) -> Option<usize> {
        Some(self.fake.read(|world| world.requests()))
    }
    fn secrets(&self) -> Vec<String> {
        let tokens = self.fake.read(|world| world.tokens.iter().cloned().collect::<Vec<_>>());
        tokens.into_iter().chain([self.fake.settings().secret.clone()]).collect()
    }
    fn example(&self) -> Option<String> {
        Some(EXAMPLE.to_owned())
    }
    fn parse_config(&self, text: &str) -> Result<(), String> {
        let tree: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let mut section = serde_json::to_value(&tree["channels"]["teams"]).unwrap();
        for generic in ["adapter", "requesters", "queue", "desk", "desks"] {
            section.as_object_mut().unwrap().remove(generic);
        }
        let faults = Config::from_value(section).err().unwrap_or_default();
        let words: Vec<String> = faults.into_iter().map(|(key, what)| format!("{key}: {what}")).collect();
        if words.is_empty() { Ok(()) } else { Err(words.join("; ")) }
    }
    fn hostile(&self) -> Vec<String> {
        vec![
            "<at>Bob</at> look".into(),
            "<at id=\"0\">everyone</at>".into(),
            "&lt;at&gt;Bob&lt;/at&gt;".into(),
        ]
    }
}

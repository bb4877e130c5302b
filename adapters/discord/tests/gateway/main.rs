//! The gateway's ways to end a connection, and how the adapter goes on after each (F19); posts whose only answer is their echo.
//!
//! Not here: the clauses of the contract (`suite.rs`).

mod acts;
mod catch_up;
mod doctor;
mod growing;
mod posts;
mod refused;
mod typing;
mod unreachable;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use deskbridge_contract::{
    Adapter, Address, ChannelName, Content, DeliveryId, Inbound, InboundEvent, Inbox, InboxSink, Outbound,
    OutboundOp, Persona, PushError, Receipt, RemoteMessageId, SendError, ShelfError, ShelfStore, Timestamp,
    TranslateError,
};
use deskbridge_discord::{Clock, Config, DiscordAdapter};
use deskbridge_platforms::discord::{
    FakeDiscord, Fault, FaultKind, GatewayEntry, Installed, Server, Settings, Snowflake,
};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const SOON: Duration = Duration::from_secs(60);

/// Keeps what came in, by its id; refuses, or lets wait, while it is told to.
#[derive(Default)]
struct Store {
    texts: watch::Sender<Vec<String>>,
    known: Mutex<BTreeMap<String, ()>>,
    refusing: AtomicBool,
    /// While it is true, nothing is answered.
    busy: watch::Sender<bool>,
    shelf: Mutex<BTreeMap<String, String>>,
}

#[async_trait]
impl InboxSink for Store {
    async fn push(&self, event: Inbound) -> Result<Receipt, PushError> {
        let _ = self.busy.subscribe().wait_for(|busy| !busy).await;
        if self.refusing.load(Ordering::SeqCst) {
            return Err(PushError::Unavailable);
        }
        let duplicate = self.known.lock().expect("whole").insert(event.id.to_string(), ()).is_some();
        let text = match event.event {
            InboundEvent::Posted { content, .. } => Some(content.text),
            InboundEvent::Edited { content, .. } => Some(format!("edited: {}", content.text)),
            InboundEvent::Reacted { emoji, .. } => Some(format!("reacted: {emoji}")),
            InboundEvent::Typing => Some(format!("typing in {}", event.address.room)),
            InboundEvent::Invoked { action, .. } => Some(format!("pressed: {action}")),
            _ => None,
        };
        if let (false, Some(text)) = (duplicate, text) {
            self.texts.send_modify(|texts| texts.push(text));
        }
        Ok(Receipt { duplicate, ..Receipt::default() })
    }

    async fn quarantine(&self, _: &ChannelName, _: &[u8], why: &TranslateError) -> Result<(), PushError> {
        panic!("not understood: {why}");
    }
}

#[async_trait]
impl ShelfStore for Store {
    async fn get(&self, _: &ChannelName, key: &str) -> Result<Option<String>, ShelfError> {
        Ok(self.shelf.lock().expect("whole").get(key).cloned())
    }
    async fn put(&self, _: &ChannelName, key: &str, value: &str) -> Result<(), ShelfError> {
        self.shelf.lock().expect("whole").insert(key.to_owned(), value.to_owned());
        Ok(())
    }
    async fn delete(&self, _: &ChannelName, keys: &[String]) -> Result<(), ShelfError> {
        self.shelf.lock().expect("whole").retain(|key, _| !keys.contains(key));
        Ok(())
    }
    async fn find(&self, _: &ChannelName, prefix: &str, word: &str) -> Result<Vec<String>, ShelfError> {
        let all = self.shelf.lock().expect("whole");
        let found = all.iter().filter(|(key, value)| key.starts_with(prefix) && value.contains(word));
        Ok(found.map(|(key, _)| key.clone()).collect())
    }
}

struct Office {
    fake: FakeDiscord,
    acme: Server,
    app: Installed,
    ana: Snowflake,
    forum: Snowflake,
    store: Arc<Store>,
}

impl Office {
    async fn open(settings: Settings) -> Office {
        let fake = FakeDiscord::with(settings).await;
        let acme = fake.server("Acme");
        let app = acme.install("IT Desk");
        let ana = acme.user("Ana");
        let forum = acme.forum("it-desk", &[]);
        Office { fake, acme, app, ana, forum, store: Arc::default() }
    }

    fn adapter(&self) -> Arc<DiscordAdapter> {
        self.adapter_by(json!({}))
    }

    /// With more in its section of the configuration.
    fn adapter_by(&self, more: Value) -> Arc<DiscordAdapter> {
        let clock = || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
        };
        self.adapter_at(more, Arc::new(clock))
    }

    fn adapter_at(&self, more: Value, clock: Clock) -> Arc<DiscordAdapter> {
        let mut section = json!({ "token": self.app.token, "api_base": self.fake.api_url() });
        for (key, value) in more.as_object().into_iter().flatten() {
            section[key] = value.clone();
        }
        let Ok(config) = Config::from_value(section) else { panic!("sound") };
        let config = config
            .with_desks(vec![self.forum.to_string()])
            .with_pause(Duration::from_millis(20))
            .with_renames_within(Duration::from_secs(4));
        Arc::new(DiscordAdapter::new("discord".into(), config, clock).expect("an adapter"))
    }

    fn start(&self) -> JoinHandle<Result<(), SendError>> {
        self.start_with(&self.adapter())
    }

    fn start_with(&self, adapter: &Arc<DiscordAdapter>) -> JoinHandle<Result<(), SendError>> {
        let inbox = Inbox::new("discord".into(), self.store.clone(), self.store.clone());
        tokio::spawn(adapter.clone().intake(inbox).connect.expect("a connection"))
    }

    /// As the supervisor: started again whenever it ends, until all of these were heard.
    async fn heard_at_last(
        &self,
        adapter: &Arc<DiscordAdapter>,
        mut running: JoinHandle<Result<(), SendError>>,
        texts: &[&str],
    ) -> JoinHandle<Result<(), SendError>> {
        for text in texts {
            let mut known = self.store.texts.subscribe();
            let all = async {
                while !known.borrow_and_update().iter().any(|known| known == text) {
                    tokio::select! {
                        _ = known.changed() => {}
                        _ = &mut running => running = self.start_with(adapter),
                    }
                }
            };
            assert!(tokio::time::timeout(SOON, all).await.is_ok(), "{text:?}: {}", self.fake.report());
        }
        running
    }

    fn refuse(&self, refusing: bool) {
        self.store.refusing.store(refusing, Ordering::SeqCst);
    }

    fn say(&self, text: &str) {
        self.fake.say(self.ana, self.fake.dm(self.ana, &self.app), text);
    }

    async fn heard(&self, text: &str) {
        let mut texts = self.store.texts.subscribe();
        let found =
            tokio::time::timeout(SOON, texts.wait_for(|texts| texts.iter().any(|known| known == text)));
        assert!(found.await.is_ok(), "{text:?} was not heard; {}", self.fake.report());
        assert_eq!(self.store.texts.borrow().iter().filter(|known| *known == text).count(), 1);
    }

    /// It is noted that everything up to now is stored.
    async fn noted(&self) {
        let (session, seq) = self.fake.read(|world| world.last_event(self.app.id)).expect("events");
        let done = tokio::time::timeout(SOON, async {
            while !(self.kept("session").contains(&session)
                && self.kept("session").contains(&format!("\"seq\":{seq}")))
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        assert!(done.await.is_ok(), "not {seq}: {}", self.kept("session"));
    }

    fn kept(&self, key: &str) -> String {
        self.store.shelf.lock().expect("whole").get(key).cloned().unwrap_or_default()
    }

    async fn lines(&self, what: &str, wanted: impl Fn(&GatewayEntry) -> bool, count: usize) {
        let found = self.fake.wait_until(SOON, |world| {
            world.ledger.gateway.iter().filter(|line| wanted(&line.entry)).count() >= count
        });
        assert!(found.await.is_ok(), "no {what}: {}", self.fake.report());
    }

    fn identifies(&self) -> usize {
        self.fake.read(|world| world.ledger.identifies())
    }
}

fn resumed(entry: &GatewayEntry) -> bool {
    matches!(entry, GatewayEntry::Resumed { .. })
}

fn identified(entry: &GatewayEntry) -> bool {
    matches!(entry, GatewayEntry::Identified { .. })
}

#[tokio::test]
async fn f19_a_session_outlives_connections_and_restarts() {
    let office = Office::open(Settings::default()).await;
    let running = office.start();
    office.app.connected(SOON).await.expect("connected");
    office.say("one");
    office.heard("one").await;
    // Cut, told to come back, interrupted: each is a resume.
    office.app.cut_sockets();
    office.lines("resume", resumed, 1).await;
    office.say("two");
    office.heard("two").await;
    office.app.tell_to_reconnect();
    office.lines("resume", resumed, 2).await;
    office.app.invalidate(true);
    office.lines("resume", resumed, 3).await;
    office.app.close_sockets(4000);
    office.lines("resume", resumed, 4).await;
    office.app.connected(SOON).await.expect("connected");
    office.say("three");
    office.heard("three").await;
    // Another process goes on with it.
    running.abort();
    let _ = running.await;
    office.say("while nobody was there");
    let running = office.start();
    office.lines("resume", resumed, 5).await;
    office.heard("while nobody was there").await;
    assert_eq!(office.identifies(), 1, "one session for all of it");
    running.abort();
}

#[tokio::test]
async fn f19_a_lost_session_is_begun_anew_and_the_gap_is_read() {
    let office = Office::open(Settings::default()).await;
    let running = office.start();
    office.app.connected(SOON).await.expect("connected");
    office.say("one");
    office.heard("one").await;
    office.app.refuse_connections(true);
    office.app.forget_sessions();
    office.app.cut_sockets();
    office.say("said in the gap");
    office.app.refuse_connections(false);
    office.lines("second session", identified, 2).await;
    office.heard("said in the gap").await;
    office.app.invalidate(false);
    office.lines("third session", identified, 3).await;
    office.say("two");
    office.heard("two").await;
    running.abort();
}

#[tokio::test]
async fn f19_what_is_left_of_a_gap_is_read_by_the_next_process() {
    let office = Office::open(Settings::default()).await;
    let running = office.start();
    office.app.connected(SOON).await.expect("connected");
    office.say("one");
    office.heard("one").await;
    let after_one = office.store.shelf.lock().expect("whole")["seen"].clone();
    office.app.refuse_connections(true);
    office.app.forget_sessions();
    office.app.cut_sockets();
    office.say("said in the gap");
    office.app.refuse_connections(false);
    office.heard("said in the gap").await;
    office.say("two");
    office.heard("two").await;
    let kept = |key: &str| office.kept(key);
    let until = |key: &'static str, parts: Vec<String>| async move {
        let done = tokio::time::timeout(SOON, async {
            while !parts.iter().all(|part| kept(key).contains(part.as_str())) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        assert!(done.await.is_ok(), "{key} stays {}", kept(key));
    };
    let read = || until("gap", vec!["{}".into()]);
    office.noted().await;
    // As if the process had ended before it read the room: the new session is noted, and so is what there is to read.
    running.abort();
    let _ = running.await;
    read().await;
    office.store.known.lock().expect("whole").clear();
    office.store.texts.send_replace(Vec::new());
    office.store.shelf.lock().expect("whole").insert("gap".into(), after_one);
    let running = office.start();
    office.heard("said in the gap").await;
    office.heard("two").await;
    read().await;
    assert!(!office.store.texts.borrow().contains(&"one".to_owned()), "from where it began");
    assert_eq!(office.identifies(), 2, "the session goes on");
    running.abort();
}

#[tokio::test]
async fn f19_a_zombie_is_noticed() {
    let office =
        Office::open(Settings { heartbeat: Duration::from_millis(300), ..Settings::default() }).await;
    let running = office.start();
    office.app.connected(SOON).await.expect("connected");
    office.app.mute_sockets();
    office.say("into the void");
    office.lines("resume", resumed, 1).await;
    office.heard("into the void").await;
    running.abort();
}

#[tokio::test]
async fn f19_what_cannot_be_mended_ends_with_its_reason() {
    let office = Office::open(Settings::default()).await;
    office.app.privileged(0);
    let ended = office.start().await.expect("no panic");
    let Err(SendError::Unauthorized { why }) = ended else { panic!("{ended:?}") };
    assert!(why.contains("Message Content Intent"), "{why}");
    assert_eq!(office.identifies(), 0, "asked before connecting");

    let office = Office::open(Settings::default()).await;
    let running = office.start();
    office.app.connected(SOON).await.expect("connected");
    office.app.close_sockets(4014);
    let ended = running.await.expect("no panic");
    assert!(matches!(ended, Err(SendError::Unauthorized { .. })), "{ended:?}");

    let office = Office::open(Settings::default()).await;
    let running = office.start();
    office.app.connected(SOON).await.expect("connected");
    office.app.reset_token();
    let ended = running.await.expect("no panic");
    assert!(matches!(ended, Err(SendError::Unauthorized { .. })), "{ended:?}");
}

/// Whatever ends sessions: never more than twenty new ones in an hour.
#[tokio::test]
async fn f19_a_loop_of_lost_sessions_ends() {
    let office = Office::open(Settings::default()).await;
    let mut running = office.start();
    let ended = loop {
        let before = office.identifies();
        let connected = office.fake.wait_until(SOON, |world| world.connections(office.app.id) > 0);
        tokio::select! {
            ended = &mut running => break ended.expect("no panic"),
            connected = connected => assert!(connected.is_ok(), "{}", office.fake.report()),
        }
        office.app.invalidate(false);
        let next = office.fake.wait_until(SOON, |world| world.ledger.identifies() > before);
        tokio::select! {
            ended = &mut running => break ended.expect("no panic"),
            next = next => assert!(next.is_ok(), "{}", office.fake.report()),
        }
    };
    assert!(matches!(ended, Err(SendError::Retry { after: Some(_), .. })), "{ended:?}");
    assert_eq!(office.identifies(), 20);
}

#[tokio::test]
async fn f19_a_budget_that_is_nearly_used_is_left() {
    let office = Office::open(Settings { identifies: 5, ..Settings::default() }).await;
    let ended = office.start().await.expect("no panic");
    assert!(matches!(ended, Err(SendError::Retry { after: Some(_), .. })), "{ended:?}");
    assert_eq!(office.identifies(), 0);
}

/// Sends words whose answer is lost, and looks for them.
async fn lost_and_found(persona: Option<Persona>, operation: &str) {
    let office = Office::open(Settings::default()).await;
    let thread = office.acme.thread(office.ana, office.forum, "printer");
    let adapter = office.adapter();
    let inbox = Inbox::new("discord".into(), office.store.clone(), office.store.clone());
    let running = tokio::spawn(adapter.clone().intake(inbox).connect.expect("a connection"));
    office.app.connected(SOON).await.expect("connected");
    let asked = office.fake.say(office.ana, thread, "which one?");
    let at = Address::room(&"discord".into(), office.forum.to_string()).thread(thread.to_string());
    let post = |id: &str| Outbound {
        id: DeliveryId(id.into()),
        to: at.clone(),
        op: OutboundOp::Post {
            content: Content::text("the red one"),
            files: Vec::new(),
            persona: persona.clone(),
            reply_to: Some(RemoteMessageId::new(asked.to_string())),
        },
    };
    let (known, lost, never) = (post("d1"), post("d2"), post("d3"));
    let known = adapter.send(&known).await.expect("sent").message;
    office.fake.fault(Fault::on(operation, FaultKind::CloseAfterEffect));
    assert!(matches!(adapter.send(&lost).await, Err(SendError::Ambiguous { .. })));
    // Behind it in the order of the post: its echo was seen.
    office.fake.say(office.ana, thread, "thanks");
    office.heard("thanks").await;
    let found = adapter.find(&lost).await.expect("looked").expect("found").message;
    let there = office.fake.messages_in(thread);
    let ours: Vec<_> = there.iter().filter(|it| it.said().contains("the red one")).collect();
    assert_eq!(ours.len(), 2);
    assert_eq!(
        [known, found].map(|id| id.map(|id| id.to_string())),
        [Some(ours[0].id.to_string()), Some(ours[1].id.to_string())]
    );
    // Nothing else is taken for one that did not arrive.
    assert!(adapter.find(&never).await.expect("looked").is_none());
    running.abort();
}

#[tokio::test]
async fn a_webhooks_post_without_an_answer_is_found() {
    lost_and_found(Some(Persona::person("Maria")), "execute_webhook").await;
}

#[tokio::test]
async fn a_bots_post_without_an_answer_is_found() {
    lost_and_found(None, "create_message").await;
}

#[tokio::test]
async fn what_a_deleted_webhook_wrote_is_not_edited_by_another() {
    let office = Office::open(Settings::default()).await;
    let thread = office.acme.thread(office.ana, office.forum, "printer");
    let adapter = office.adapter();
    let at = Address::room(&"discord".into(), office.forum.to_string()).thread(thread.to_string());
    let out = |id: &str, op: OutboundOp| Outbound { id: DeliveryId(id.into()), to: at.clone(), op };
    let (content, persona) = (Content::text("the red one"), Some(Persona::person("Maria")));
    let op = OutboundOp::Post {
        content: content.clone(),
        files: Vec::new(),
        persona: persona.clone(),
        reply_to: None,
    };
    let message = adapter.send(&out("d1", op)).await.expect("sent").message.expect("a message");
    office.fake.change(|world| world.webhooks.clear());
    let edit = OutboundOp::Edit { message: message.clone(), content, persona };
    assert!(matches!(adapter.send(&out("d2", edit.clone())).await, Err(SendError::Retry { .. })));
    assert!(matches!(adapter.send(&out("d2", edit)).await, Err(SendError::Rejected { .. })));
    adapter.send(&out("d3", OutboundOp::Delete { message })).await.expect("deleted by the bot");
    assert!(office.fake.messages_in(thread).is_empty());
}

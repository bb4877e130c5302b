//! The gateway cannot be reached while Discord's other calls answer: nothing is used up by trying, and the session is not
//! tied to an address that is gone.
//!
//! Not here: connections that end (`main.rs`).

use std::sync::atomic::AtomicI64;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;

use super::*;

impl Office {
    /// Tries to reach the gateway with a new session ask first where it is.
    async fn asked(&self, count: usize) {
        let found = self.fake.wait_until(SOON, |world| world.requests("get_bot_gateway").len() >= count);
        assert!(found.await.is_ok(), "{}", self.fake.report());
    }

    fn now() -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }
}

/// Only what was sent counts. With one new session left in the hour there is one when the gateway is back, however often it
/// was tried.
#[tokio::test]
async fn f19_who_cannot_reach_the_gateway_uses_up_no_session() {
    let office = Office::open(Settings::default()).await;
    let before = vec![Office::now(); 19];
    office.store.shelf.lock().expect("whole").insert("identifies".into(), json!(before).to_string());
    office.app.refuse_connections(true);
    let mut running = office.start();
    let ended = |ended| assert!(matches!(ended, Ok(Err(SendError::Retry { after: None, .. }))), "{ended:?}");
    tokio::select! {
        () = office.asked(3) => {}
        end = &mut running => ended(end),
    }
    assert_eq!(office.kept("identifies"), json!(before).to_string(), "nothing was sent");
    office.app.refuse_connections(false);
    if running.is_finished() {
        running = office.start();
    }
    office.app.connected(SOON).await.expect("connected");
    office.say("one");
    office.heard("one").await;
    let counted: Vec<i64> = serde_json::from_str(&office.kept("identifies")).expect("a list");
    assert_eq!((counted.len(), office.identifies()), (20, 1));
    running.abort();
    let _ = running.await;
    // And the next would be the twenty-first: it is not even tried.
    office.store.shelf.lock().expect("whole").remove("session");
    let opened = office.fake.read(|world| world.gateway.opened);
    let ended = office.start().await.expect("no panic");
    assert!(matches!(ended, Err(SendError::Retry { after: Some(_), .. })), "{ended:?}");
    assert_eq!(office.fake.read(|world| world.gateway.opened), opened);
}

/// Discord's other calls answer, and nothing comes in: who looks after it is told since when, until it is mended.
#[tokio::test]
async fn who_hears_nothing_says_since_when() {
    let office = Office::open(Settings::default()).await;
    let time = Arc::new(AtomicI64::new(1_800_000_000_000_000));
    let clock = time.clone();
    let adapter = office.adapter_at(json!({}), Arc::new(move || Timestamp(clock.load(Ordering::SeqCst))));
    let pass = |seconds: i64| time.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    let told = async |wanted: &str, seconds: i64| {
        let told = tokio::time::timeout(SOON, async {
            while !adapter.warnings().iter().any(|told| told.contains(wanted)) {
                tokio::time::sleep(Duration::from_millis(20)).await;
                pass(seconds);
            }
        });
        assert!(told.await.is_ok(), "{:?}", adapter.warnings());
    };
    office.app.refuse_connections(true);
    let mut running = office.start_with(&adapter);
    tokio::select! {
        () = office.asked(2) => {}
        _ = &mut running => {}
    }
    assert!(adapter.probe().await.is_ok());
    assert_eq!(adapter.warnings(), Vec::<String>::new(), "not for a moment");
    pass(11);
    told("since 2027-01-15 08:00:00 UTC: the gateway could not be reached: HTTP 503", 0).await;
    office.app.refuse_connections(false);
    if running.is_finished() {
        running = office.start_with(&adapter);
    }
    office.app.connected(SOON).await.expect("connected");
    office.say("one");
    office.heard("one").await;
    assert_eq!(adapter.warnings(), Vec::<String>::new());
    office.app.refuse_connections(true);
    office.app.cut_sockets();
    told("nothing is received since", 1).await;
    running.abort();
}

/// What ended the connection for good is told, and not what was the reason before.
#[tokio::test]
async fn who_is_refused_says_why_nothing_comes() {
    let why = async |office: &Office, before: Option<u16>| {
        let time = Arc::new(AtomicI64::new(1_800_000_000_000_000));
        let clock = time.clone();
        let adapter = office.adapter_at(json!({}), Arc::new(move || Timestamp(clock.load(Ordering::SeqCst))));
        let running = office.start_with(&adapter);
        if let Some(code) = before {
            office.app.connected(SOON).await.expect("connected");
            office.app.close_sockets(code);
        }
        let ended = tokio::time::timeout(SOON, running).await.expect("an end").expect("no panic");
        assert!(ended.is_err(), "{ended:?}");
        time.fetch_add(11_000_000, Ordering::SeqCst);
        adapter.warnings().into_iter().find(|told| told.contains("nothing is received")).expect("told")
    };
    let office = Office::open(Settings::default()).await;
    let told = why(&office, Some(4014)).await;
    assert!(told.contains("4014"), "{told}");
    let office = Office::open(Settings::default()).await;
    office.app.privileged(0);
    let told = why(&office, None).await;
    assert!(told.contains("Message Content Intent is off"), "{told}");
    let office = Office::open(Settings { identifies: 5, ..Settings::default() }).await;
    let told = why(&office, None).await;
    assert!(!told.contains("greet"), "{told}");
    let office = Office::open(Settings::default()).await;
    office.fake.fault(Fault::on("get_bot_gateway", FaultKind::Status { code: 503, effect: false }));
    let told = why(&office, None).await;
    assert!(told.contains("503"), "{told}");
}

/// The session's own address is gone, or is not one to which the token may be sent any more: the session goes on at the address
/// that Discord names.
#[tokio::test]
async fn a_session_outlives_its_address() {
    let office = Office::open(Settings::default()).await;
    let running = office.start();
    office.app.connected(SOON).await.expect("connected");
    office.say("one");
    office.heard("one").await;
    office.noted().await;
    running.abort();
    let _ = running.await;
    // Nobody listens at a port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    for (nth, url) in
        [format!("ws://{free}/"), "wss://gateway.example".into(), "no address".into()].into_iter().enumerate()
    {
        let kept: Value = serde_json::from_str(&office.kept("session")).expect("a session");
        let mut moved = kept.clone();
        moved["url"] = url.as_str().into();
        office.store.shelf.lock().expect("whole").insert("session".into(), moved.to_string());
        let text = format!("while it was at {url}");
        office.say(&text);
        let adapter = office.adapter();
        let running = office.start_with(&adapter);
        let running = office.heard_at_last(&adapter, running, &[text.as_str()]).await;
        office.lines("resume", resumed, nth + 1).await;
        running.abort();
        let _ = running.await;
    }
    assert_eq!(office.identifies(), 1);
}

/// A session hears what it was begun to hear: when that is not enough any more, another one is begun.
#[tokio::test]
async fn a_session_that_hears_too_little_is_begun_anew() {
    let office = Office::open(Settings::default()).await;
    let running = office.start();
    office.app.connected(SOON).await.expect("connected");
    office.say("one");
    office.heard("one").await;
    office.noted().await;
    running.abort();
    let _ = running.await;
    let mut kept: Value = serde_json::from_str(&office.kept("session")).expect("a session");
    let desks_were_none = kept["intents"].as_u64().expect("noted") & !(1 << 9 | 1 << 10 | 1 << 15);
    kept["intents"] = desks_were_none.into();
    office.store.shelf.lock().expect("whole").insert("session".into(), kept.to_string());
    office.say("meanwhile");
    let running = office.start();
    office.lines("another session", identified, 2).await;
    office.heard("meanwhile").await;
    running.abort();
}

/// A gateway that greets, listens to the first word, and hangs up.
struct Curt {
    url: String,
    words: watch::Sender<Vec<u64>>,
}

impl Curt {
    async fn start() -> Arc<Curt> {
        let door = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("ws://{}/", door.local_addr().expect("an address"));
        let curt = Arc::new(Curt { url, words: watch::Sender::default() });
        let here = curt.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = door.accept().await {
                let Ok(mut socket) = tokio_tungstenite::accept_async(socket).await else { continue };
                let hello = json!({ "op": 10, "d": { "heartbeat_interval": 600_000 } });
                let _ = socket.send(Message::text(hello.to_string())).await;
                let Some(Ok(said)) = socket.next().await else { continue };
                let said: Value =
                    serde_json::from_str(said.to_text().unwrap_or_default()).unwrap_or_default();
                here.words.send_modify(|words| words.push(said["op"].as_u64().unwrap_or_default()));
            }
        });
        curt
    }
}

/// A session that is never answered is given up at last; what was said meanwhile is read by the new one.
#[tokio::test]
async fn a_session_that_is_never_answered_is_given_up() {
    let office = Office::open(Settings::default()).await;
    let running = office.start();
    office.app.connected(SOON).await.expect("connected");
    office.say("one");
    office.heard("one").await;
    office.noted().await;
    running.abort();
    let _ = running.await;
    let curt = Curt::start().await;
    let mut moved: Value = serde_json::from_str(&office.kept("session")).expect("a session");
    moved["url"] = curt.url.as_str().into();
    office.store.shelf.lock().expect("whole").insert("session".into(), moved.to_string());
    let adapter = office.adapter_by(json!({ "gateway": curt.url }));
    let ended = office.start_with(&adapter).await.expect("no panic");
    assert!(matches!(ended, Err(SendError::Retry { after: None, .. })), "{ended:?}");
    let words = curt.words.borrow().clone();
    assert!(words.len() >= 5 && words.iter().all(|op| *op == 6), "it was tried to resume: {words:?}");
    office.say("meanwhile");
    let running = office.start();
    office.lines("another session", identified, 2).await;
    office.heard("meanwhile").await;
    running.abort();
}

//! The gateway cannot be reached while Discord's other calls answer: nothing is used up by trying, and the session is not
//! tied to an address that is gone.
//!
//! Not here: connections that end (`main.rs`).

use std::sync::atomic::AtomicI64;

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

    fn kept(&self, key: &str) -> String {
        self.store.shelf.lock().expect("whole").get(key).cloned().unwrap_or_default()
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
    let adapter = office.adapter_at(Arc::new(move || Timestamp(clock.load(Ordering::SeqCst))));
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

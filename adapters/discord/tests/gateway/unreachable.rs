//! The gateway cannot be reached while Discord's other calls answer: nothing is used up by trying, and the session is not
//! tied to an address that is gone.
//!
//! Not here: connections that end (`main.rs`).

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

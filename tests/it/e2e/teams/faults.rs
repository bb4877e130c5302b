//! What goes wrong between the built program and the Connector, and that people see what they must.
//!
//! Not here: keys and tokens of events (the adapter's own tests), an app that is removed (`life`).

use std::time::Duration;

use deskbridge_platforms::teams::Fault;
use serde_json::Value;

use super::super::bridge::{PATIENCE, client};
use super::{BOB, HOME, MARIA, Office};

impl Office {
    /// Until a call met the fault; then it is over.
    async fn befallen(&self, fault: Fault) {
        let before = self.fake.read(|world| world.calls.len());
        self.fake.fault(Some(fault));
        self.says(BOB, &self.latest_thread(), &format!("befallen {before}"));
        self.wait("a call", |fake| {
            fake.read(|world| {
                let posts = world.calls[before..].iter().filter(|call| call.is_connector());
                posts.clone().any(|call| call.body.to_string().contains("befallen")).then_some(())
            })
        })
        .await;
        self.fake.fault(None);
    }

    /// The thread in the desk that was opened last.
    fn latest_thread(&self) -> String {
        self.fake.read(|world| {
            let mut threads: Vec<&String> =
                world.conversations.keys().filter(|id| id.starts_with(super::DESK)).collect();
            threads.sort_by_key(|id| (id.len(), (*id).clone()));
            threads.last().map(|id| (*id).clone()).unwrap_or_default()
        })
    }

    fn times(&self, place: &str, words: &str) -> usize {
        self.fake.read(|world| {
            let own = world.messages(place).iter().filter(|message| message.own && !message.deleted);
            own.filter(|message| super::read(&message.activity).is_ok_and(|page| page.text.contains(words)))
                .count()
        })
    }
}

fn refuse(status: u16, retry_after: Option<u64>) -> Fault {
    Fault::Refuse { status, retry_after, code: "Throttled" }
}

/// F11: 429 and 412 are waited out, and what was refused arrives once; what was written after it comes after it.
#[tokio::test]
async fn teams_f11_too_many_requests() {
    let office = Office::open().await;
    let (thread, _) = office.assigned(HOME).await;
    for fault in [refuse(429, Some(1)), refuse(429, None), refuse(412, Some(1))] {
        office.befallen(fault).await;
        office.says(BOB, &thread, "and after it");
        office.wait("both", |_| (office.times(HOME, "and after it") == 1).then_some(())).await;
        assert_eq!(office.times(HOME, "befallen"), 1);
        office.fake.change(|world| {
            for message in world.conversations.get_mut(HOME).into_iter().flatten() {
                message.deleted = true;
            }
        });
    }
}

/// F12, D33: after a 502 or 504, or without an answer, nobody knows: the words are sent once more and never a third time; that
/// they may appear twice is said in the thread.
#[tokio::test]
async fn teams_f12_f14_d33_nobody_knows_whether_it_was_shown() {
    let office = Office::open().await;
    let (thread, _) = office.assigned(HOME).await;
    office.befallen(Fault::DoneThen { status: 502 }).await;
    office.says(BOB, &thread, "and after it");
    office.sees(HOME, "and after it").await;
    office.sees(&thread, "may appear twice").await;
    assert_eq!(office.times(HOME, "befallen"), 2, "shown, and sent once more");
    assert_eq!(office.times(HOME, "and after it"), 1);
}

/// F15, T6: the same activity again and again, and copies under new ids: one effect.
#[tokio::test]
async fn teams_f15_repeated_events_have_one_effect() {
    let mut office = Office::open().await;
    let (thread, _) = office.assigned(HOME).await;
    let asked = office.says(MARIA, HOME, "my printer is jammed");
    for _ in 0..50 {
        office.fake.redeliver(&office.hook, &asked);
    }
    let copies: Vec<String> =
        (0..10).map(|_| office.fake.copy(&office.hook, &asked).expect("a copy")).collect();
    for copy in &copies {
        office.wait("a copy", |fake| fake.acknowledged(copy).then_some(())).await;
    }
    office.sees(&thread, "my printer is jammed").await;
    office.says(MARIA, HOME, "and another");
    office.sees(&thread, "and another").await;
    assert_eq!(office.times(&thread, "is jammed"), 1);
    let rows = office.bridge.rows("messages").await;
    assert_eq!(rows.iter().filter(|row| row["content"]["text"] == "my printer is jammed").count(), 1);
}

/// F18, D34: a secret that Entra ID does not take any more stops the channel, is shown, and is not asked with for ever.
#[tokio::test]
async fn teams_f18_a_revoked_secret_is_noticed() {
    let office = Office::open().await;
    let (thread, _) = office.assigned(HOME).await;
    // All tokens are dead, and every new one is refused at once.
    office.fake.fault(Some(Fault::Refuse { status: 401, retry_after: None, code: "Unauthorized" }));
    office.says(BOB, &thread, "can you hear me?");
    let seen = tokio::time::timeout(PATIENCE, async {
        loop {
            let answer = client().get(office.bridge.url("/readyz?verbose")).send().await.expect("answered");
            let ready: Value = serde_json::from_str(&answer.text().await.expect("read")).expect("JSON");
            let state = &ready["channels"]["teams"]["state"];
            if *state == "paused" || *state == "down" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(seen.await.is_ok(), "not shown: {}", office.bridge.log());
    let refused = office.fake.read(|world| world.calls.iter().filter(|call| call.is_connector()).count());
    assert!(refused < 200, "{refused} calls");
    office.fake.fault(None);
    office.sees(HOME, "can you hear me?").await;
    assert_eq!(office.times(HOME, "can you hear me?"), 1);
}

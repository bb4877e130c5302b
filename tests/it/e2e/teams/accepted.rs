//! A requester whose later words go by a flow of Workflows, and a technician in a channel of a team: what a flow accepted is never
//! said to be delivered.
//!
//! Not here: the shortest way through either (`teams.rs`, `webhook.rs`).

use deskbridge_platforms::teams::{FakeTeams, Settings};
use serde_json::json;

use super::super::bridge::{Base, Bridge};
use super::{BOB, DESK, HOME, MARIA, Office, channel, now};

const THREAD: &str = "19:help@thread.tacv2;messageid=1789000000000";

#[tokio::test]
async fn accepted_is_never_called_delivered() {
    let fake = FakeTeams::start(Settings { now: now(), ..Settings::default() }).await.expect("started");
    fake.install(HOME);
    fake.install(DESK);
    let (token, flow) = (&fake.settings().security_token, fake.flow_url());
    let help = format!(
        "[channels.help]\nadapter = \"teams-webhook\"\nsecurity_token = \"{token}\"\n\
         webhook_url = \"{flow}\"\nwebhook_hosts = [\"127.0.0.1\"]\n"
    );
    let sections = format!("{help}{}", channel(&fake));
    let mut bridge = Bridge::with(&sections, Base::Sqlite).await.expect("SQLite is always there");
    bridge.start().await;
    let hook = bridge.url("/hooks/teams");
    let mut office = Office { fake, bridge, hook };
    // The desk's thread can be opened once something was heard of Teams.
    office.says(BOB, DESK, "good morning");
    let asked = office.fake.call_webhook(MARIA, THREAD, "I want to talk to a human");
    let answer = office.fake.ask(&office.bridge.url("/hooks/help"), &asked).await.expect("in time");
    assert_eq!(answer.status, 200);
    let (thread, card, _) = office.sees(DESK, "#1").await;
    let (_, offer, _) = office.sees(&thread, "yours to accept").await;
    office.press(BOB, &thread, &offer, "Accept", json!({})).await;
    office.sees(&thread, "Bob has it").await;
    office.says(BOB, &thread, "try it again, please");
    office
        .wait("the notice", |fake| fake.notices().into_iter().find(|one| one.contains("try it again")))
        .await;
    office.sees(&thread, "Accepted for posting").await;
    let all = office.everything();
    let of_thread = all.iter().filter(|(at, _)| *at == thread).flat_map(|(_, texts)| texts);
    assert!(of_thread.clone().count() > 3, "{all:#?}");
    for text in of_thread {
        assert!(!text.contains("Delivered") && !text.contains("was delivered"), "{text}");
    }
    let states = office.bridge.rows("outbox").await;
    let accepted = states.iter().filter(|row| row.to_string().contains("accepted")).count();
    assert!(accepted >= 1, "{states:#?}");
    assert!(!card.is_empty());
}

//! Who may bring events to the built program: what the host knows of a caller reaches the adapter.
//!
//! Not here: tokens (adapters/teams/tests).

use deskbridge_platforms::teams::{FakeTeams, Settings};

use super::super::bridge::{Base, Bridge};
use super::{HOME, MARIA, now, section};

/// Development mode is for this machine: what a proxy or a tunnel on it brings is somebody else's.
#[tokio::test]
async fn development_takes_nothing_by_a_proxy_on_this_machine() {
    let fake = FakeTeams::start(Settings { now: now(), ..Settings::default() }).await.expect("started");
    let channel = format!("{}development = true\n", section(&fake.section()));
    let mut bridge = Bridge::with(&channel, Base::Sqlite).await.expect("SQLite is always there");
    bridge.start().await;
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let ask = |header: Option<(&'static str, &'static str)>| {
        let activity = fake.say(MARIA, HOME, "who am I?");
        let request = http.post(bridge.url("/hooks/teams")).json(&activity);
        let request = header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        async move { request.send().await.expect("answered").status().as_u16() }
    };
    for header in [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "for=203.0.113.9"),
        ("x-forwarded-proto", "https"),
        ("via", "1.1 tunnel"),
        ("host", "desk.example.org"),
    ] {
        assert_eq!(ask(Some(header)).await, 403, "{header:?}");
    }
    assert_eq!(ask(None).await, 202);
    assert!(bridge.stop().await.success());
    // Nor is it served where others reach it, whatever the file says of the address.
    let (good, _, said) = bridge.run(&["serve", "--listen", "0.0.0.0:0"]).await;
    assert!(!good && said.contains("channels.teams.development"), "{said}");
}

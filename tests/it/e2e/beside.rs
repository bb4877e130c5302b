//! Commands beside a running `serve`: what they write is seen at once, what they read is whole, and the articles follow
//! their folder.
//!
//! Not here: the same commands with nothing running (`command_line`).

use std::fs;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

use super::bridge::{Base, Bridge, Way, client};
use super::talk::Talk;

async fn served() -> Talk {
    Talk::start(Way::Polling, Base::Sqlite).await.expect("SQLite is always there")
}

async fn api(bridge: &Bridge, token: &str) -> StatusCode {
    let answer = client().get(bridge.url("/api/v1/conversations")).bearer_auth(token).send().await;
    answer.expect("an answer").status()
}

#[tokio::test]
async fn tokens_are_made_and_revoked_while_it_serves() {
    let talk = served().await;
    talk.say("my vpn says 691");
    talk.sees(None, "691").await;
    let bridge = &talk.bridge;
    let ran = bridge.run(&["token", "create", "--name", "ci", "--scope", "chats:read"]).await;
    assert!(ran.0, "{}", ran.2);
    let token = ran.1.trim().to_owned();
    assert_eq!(api(bridge, &token).await, StatusCode::OK, "known without a restart");
    let (good, listed, said) = bridge.run(&["token", "list", "--json"]).await;
    assert!(good, "{said}");
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let id = listed[0]["id"].as_str().expect("an id");
    let ran = bridge.run(&["token", "revoke", id]).await;
    assert!(ran.0, "{}", ran.2);
    assert_eq!(api(bridge, &token).await, StatusCode::UNAUTHORIZED);

    let topic = talk.assigned().await;
    talk.reply(topic, "/resolve");
    talk.sees(None, "resolved").await;
    let (good, export, said) = talk.bridge.run(&["export"]).await;
    assert!(good, "{said}");
    assert!(export.contains("\"table\":\"messages\"") && export.contains("my vpn says 691"));
    let ran = talk.bridge.run(&["replay", "1"]).await;
    assert!(ran.0, "{} {}", ran.1, ran.2);
    talk.nothing_amiss();
}

#[tokio::test]
async fn a_second_serve_is_refused() {
    let talk = served().await;
    let (good, _, said) = talk.bridge.run(&["serve", "--listen", "127.0.0.1:0"]).await;
    assert!(!good && said.contains("in use by another deskbridge"), "{said}");
    let (good, _, said) = talk.bridge.run(&["migrate", "up"]).await;
    assert!(!good && said.contains("in use by another deskbridge"), "{said}");
    talk.say("my vpn says 691");
    talk.sees(None, "691").await;
    talk.nothing_amiss();
}

const KETTLE: &str =
    "# The pump room kettle\n\nWhen the kettle hums, do this:\n\n1. Press the blue button.\n";

#[tokio::test]
async fn a_changed_folder_is_followed() {
    let talk = served().await;
    let articles = talk.bridge.articles();
    fs::write(articles.join("kettle.md"), KETTLE).expect("written");
    let (good, told, said) = talk.bridge.run(&["kb", "sync", "--json", "--wait"]).await;
    assert!(good, "{said}");
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(
        told["added"].as_array().map(Vec::len),
        told["articles"].as_u64().map(|n| n as usize),
        "the first time"
    );
    talk.say("the pump room kettle hums");
    talk.sees(None, "Press the blue button").await;

    // A signal: at once, changed or not.
    let reads = || talk.bridge.log().matches("knowledge: read again").count();
    let before = reads();
    talk.bridge.hang_up().await;
    let told = async {
        while reads() == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(4), told)
        .await
        .expect("sooner than the next look at the folder");
    fs::write(articles.join("kettle.md"), KETTLE.replace("blue", "green")).expect("written");
    let (good, told, said) = talk.bridge.run(&["kb", "sync", "--wait"]).await;
    assert!(good, "{said}");
    assert!(told.contains("~ kettle.md") && told.contains("0 added · 1 changed · 0 removed"), "{told}");
    talk.nothing_amiss();
}

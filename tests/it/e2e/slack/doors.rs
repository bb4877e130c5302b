//! The door of Slack's events as anybody on the network can call it (S1–S8, S25, S26, S29, S30).
//!
//! Not here: the same door without a socket (the adapter's tests).

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use deskbridge_platforms::slack::{Installed, signature};
use reqwest::RequestBuilder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};

use super::super::bridge::{Base, Bridge, client};
use super::super::talk::specs;
use super::{Office, Receive, Talk, technician};

const STAMP: &str = "x-slack-request-timestamp";
const SIGNATURE: &str = "x-slack-signature";
const FORM: &str = "application/x-www-form-urlencoded";

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("a date")
}

/// A message that never went out by itself: its id.
fn held(office: &Office, text: &str) -> String {
    office.fake.pause(true);
    let ts = office.ask(text);
    office.acme.events_about(&office.im(), &ts).remove(0)
}

fn knock(bridge: &Bridge, channel: &str, body: &str) -> RequestBuilder {
    let post = client().post(bridge.url(&format!("/hooks/{channel}")));
    post.header(CONTENT_TYPE, "application/json").body(body.to_owned())
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.expect("answered").status().as_u16()
}

/// Messages with this text that are stored.
async fn stored(talk: &mut Talk, text: &str) -> usize {
    let rows = talk.bridge.rows("messages").await;
    rows.iter().filter(|row| row["content"]["text"] == text).count()
}

#[tokio::test]
async fn slack_s1_s2_only_the_right_signature_comes_in() {
    let mut talk = Talk::start(Receive::Http).await;
    let event = held(&talk, "intruder");
    let stamp = now().to_string();
    let (body, _, good) = talk.app.signed(&event, &stamp);
    let url = talk.bridge.url("/hooks/slack");
    let knock = || client().post(&url).header(CONTENT_TYPE, "application/json").body(body.clone());
    assert_eq!(status(knock()).await, 401, "nothing");
    assert_eq!(status(knock().header(SIGNATURE, &good)).await, 401, "no timestamp");
    assert_eq!(status(knock().header(STAMP, &stamp)).await, 401, "no signature");
    let last = if good.ends_with('0') { "1" } else { "0" };
    let others = [
        format!("{}{last}", &good[..good.len() - 1]),
        signature("8f742231b10e8888abcd99yyyzzz85a5", &stamp, body.as_bytes()),
        good.replace("v0=", "v1="),
        good.to_uppercase().replace("V0=", "v0="),
        good.trim_start_matches("v0=").to_owned(),
        String::new(),
        "v0=".to_owned(),
        format!("v0={}", "a".repeat(10_000)),
    ];
    for other in &others {
        assert_eq!(status(knock().header(STAMP, &stamp).header(SIGNATURE, other)).await, 401, "{other:.80}");
    }
    let altered = client().post(talk.bridge.url("/hooks/slack")).body(format!("{body} "));
    assert_eq!(status(altered.header(STAMP, &stamp).header(SIGNATURE, &good)).await, 401, "another body");
    assert_eq!(stored(&mut talk, "intruder").await, 0);
    talk.run().await;
    let request = knock().header(STAMP, &stamp).header(SIGNATURE, &good);
    assert_eq!(status(request).await, 200);
    assert_eq!(stored(&mut talk, "intruder").await, 1);
}

#[tokio::test]
async fn slack_s3_s4_timestamps_and_replays() {
    let mut talk = Talk::start(Receive::Http).await;
    let event = held(&talk, "intruder");
    let long = "1".repeat(20);
    let (old, new) = ((now() - 310).to_string(), (now() + 310).to_string());
    for stamp in [old.as_str(), &new, "abc", "-1", "1e9", &long, "", " 1795514400"] {
        let (body, _, mark) = talk.app.signed(&event, stamp);
        let request = knock(&talk.bridge, "slack", &body).header(STAMP, stamp).header(SIGNATURE, &mark);
        assert_eq!(status(request).await, 401, "{stamp}");
    }
    let stamp = now().to_string();
    let (body, _, mark) = talk.app.signed(&event, &stamp);
    let twice = knock(&talk.bridge, "slack", &body).header(STAMP, &stamp).header(STAMP, &stamp);
    assert_eq!(status(twice.header(SIGNATURE, &mark)).await, 401, "two timestamps");
    // Within five minutes both ways, and again with the same signature.
    for stamp in [(now() - 290).to_string(), (now() + 290).to_string(), stamp.clone(), stamp] {
        let (body, _, mark) = talk.app.signed(&event, &stamp);
        let request = knock(&talk.bridge, "slack", &body).header(STAMP, &stamp).header(SIGNATURE, &mark);
        assert_eq!(status(request).await, 200, "{stamp}");
    }
    assert_eq!(stored(&mut talk, "intruder").await, 1);
}

/// What is signed is the bytes, not what they mean: the same JSON in another spelling is somebody else's (S5).
#[tokio::test]
async fn slack_s5_the_bytes_are_signed_and_not_their_meaning() {
    let mut talk = Talk::start(Receive::Http).await;
    let event = held(&talk, "intruder");
    let stamp = now().to_string();
    let (body, _, mark) = talk.app.signed(&event, &stamp);
    let value: Value = serde_json::from_str(&body).expect("JSON");
    let pretty = serde_json::to_string_pretty(&value).expect("JSON");
    for altered in [pretty.clone(), format!("{body}\n"), format!("\u{feff}{body}"), body.replace(':', ": ")] {
        let request = knock(&talk.bridge, "slack", &altered).header(STAMP, &stamp).header(SIGNATURE, &mark);
        assert_eq!(status(request).await, 401, "{altered:.60}");
    }
    assert_eq!(stored(&mut talk, "intruder").await, 0);
    talk.run().await;
    // Signed as it stands, any spelling will do.
    let mark = signature(&talk.app.signing_secret, &stamp, pretty.as_bytes());
    let request = knock(&talk.bridge, "slack", &pretty).header(STAMP, &stamp).header(SIGNATURE, &mark);
    assert_eq!(status(request).await, 200);
    assert_eq!(stored(&mut talk, "intruder").await, 1);
}

#[tokio::test]
async fn slack_s6_a_signature_is_for_one_app() {
    let office = Office::open().await;
    let other = Office::of(&office.fake, "Other");
    let channels = [
        office.channel("acme", Receive::Http),
        office.desk_of("acme"),
        other.channel("other", Receive::Http),
        other.desk_of("other"),
        technician("Bob", &format!("acme:{}", office.bob)),
    ];
    let mut bridge = Bridge::with(&channels.concat(), Base::Sqlite).await.expect("SQLite is always there");
    bridge.start().await;
    let event = held(&office, "across");
    let stamp = now().to_string();
    let (body, _, mark) = office.app.signed(&event, &stamp);
    let to = |channel| knock(&bridge, channel, &body).header(STAMP, &stamp).header(SIGNATURE, &mark);
    assert_eq!(status(to("other")).await, 401);
    assert_eq!(status(to("acme")).await, 200);
}

#[tokio::test]
async fn slack_s7_the_address_is_verified_by_signature() {
    let talk = Talk::start(Receive::Http).await;
    talk.app.verify_url();
    talk.until("answer to the challenge", |world| world.outstanding() == 0).await;
    assert!(talk.app.verified());
    let body = json!({ "type": "url_verification", "challenge": "tell-me" }).to_string();
    let answer = knock(&talk.bridge, "slack", &body).send().await.expect("answered");
    assert_eq!(answer.status().as_u16(), 401);
    assert!(!answer.text().await.expect("read").contains("tell-me"));
}

/// Commands and what is pressed are forms, and signed as events are; the token inside of old days opens nothing (S8).
#[tokio::test]
async fn slack_s8_forms_are_signed_as_events_are() {
    let mut talk = Talk::start(Receive::Http).await;
    let im = talk.im();
    let (team, ana) = (talk.acme.team.clone(), talk.ana.clone());
    let command = |text: &str| {
        format!(
            "token=verification&team_id={team}&channel_id={im}&user_id={ana}&command=%2Fdesk&text={text}&trigger_id=1.2.3"
        )
    };
    let pressed = json!({ "type": "block_actions", "token": "verification", "team": { "id": talk.acme.team },
        "user": { "id": talk.ana, "team_id": talk.acme.team }, "channel": { "id": im }, "trigger_id": "1.2.4",
        "container": { "type": "message", "channel_id": im, "message_ts": "1900000000.000100" },
        "actions": [{ "type": "button", "action_id": "act:human", "value": "human", "action_ts": "1900000000.0002" }] });
    let pressed: String = form_urlencoded(&pressed.to_string());
    let send = |body: &str| {
        client().post(talk.bridge.url("/hooks/slack")).header(CONTENT_TYPE, FORM).body(body.to_owned())
    };
    let stamp = now().to_string();
    for body in [command("intruder"), pressed] {
        let wrong = signature("8f742231b10e8888abcd99yyyzzz85a5", &stamp, body.as_bytes());
        let other = signature(&talk.app.signing_secret, &stamp, command("other").as_bytes());
        assert_eq!(status(send(&body)).await, 401, "nothing");
        assert_eq!(status(send(&body).header(STAMP, &stamp)).await, 401, "no signature");
        for mark in [wrong, other] {
            assert_eq!(status(send(&body).header(STAMP, &stamp).header(SIGNATURE, mark)).await, 401);
        }
    }
    assert_eq!(talk.bridge.rows("messages").await.len(), 0);
    talk.run().await;
    let body = command("intruder");
    let mark = signature(&talk.app.signing_secret, &stamp, body.as_bytes());
    let request = client().post(talk.bridge.url("/hooks/slack")).header(CONTENT_TYPE, FORM).body(body);
    assert_eq!(status(request.header(STAMP, &stamp).header(SIGNATURE, mark)).await, 200);
    assert_eq!(stored(&mut talk, "intruder").await, 1);
}

fn form_urlencoded(payload: &str) -> String {
    let escaped: String = payload.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("payload={escaped}")
}

/// Slack sends JSON and forms; whatever else says it is something else, however well signed (S30).
#[tokio::test]
async fn slack_s30_only_the_kinds_that_slack_sends() {
    let mut talk = Talk::start(Receive::Http).await;
    let event = held(&talk, "intruder");
    let stamp = now().to_string();
    let (body, kind, mark) = talk.app.signed(&event, &stamp);
    let send = |kinds: &[&str]| {
        let post = client().post(talk.bridge.url("/hooks/slack")).body(body.clone());
        let post = kinds.iter().fold(post, |post, kind| post.header(CONTENT_TYPE, *kind));
        post.header(STAMP, &stamp).header(SIGNATURE, &mark)
    };
    for kind in
        ["application/xml", "text/xml", "multipart/form-data; boundary=x", "text/html", "application/jsonx"]
    {
        assert_eq!(status(send(&[kind])).await, 415, "{kind}");
    }
    assert_eq!(status(send(&["application/json", "text/xml"])).await, 415, "two of them");
    assert_eq!(stored(&mut talk, "intruder").await, 0);
    talk.run().await;
    let request = client().post(talk.bridge.url("/hooks/slack")).header(CONTENT_TYPE, kind).body(body);
    assert_eq!(status(request.header(STAMP, &stamp).header(SIGNATURE, &mark)).await, 200);
    assert_eq!(stored(&mut talk, "intruder").await, 1);
}

#[tokio::test]
async fn slack_s25_s26_size_and_encoding() {
    let mut talk = Talk::start(Receive::Http).await;
    let signed = |app: &Installed, body: &str| {
        let stamp = now().to_string();
        let mark = signature(&app.signing_secret, &stamp, body.as_bytes());
        knock(&talk.bridge, "slack", body).header(STAMP, stamp).header(SIGNATURE, mark)
    };
    let large = json!({ "type": "event_callback", "x": "x".repeat((1 << 20) + 1) }).to_string();
    assert_eq!(status(signed(&talk.app, &large)).await, 413);
    for encoding in ["gzip", "br", "gzip, gzip", "made-up"] {
        assert_eq!(
            status(signed(&talk.app, "{}").header(CONTENT_ENCODING, encoding)).await,
            415,
            "{encoding}"
        );
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = format!("{{\"type\":\"event_callback\",\"event\":{deep}}}");
    assert_eq!(status(signed(&talk.app, &deep)).await, 200, "kept in quarantine");
    talk.ask("still there?");
    talk.until("answer", |world| {
        !talk
            .own(world, &world.teams[&talk.acme.team].im(&talk.ana, &talk.app.bot_user).expect("a DM").id)
            .is_empty()
    })
    .await;
    assert_eq!(talk.bridge.rows("quarantine").await.len(), 1);
}

/// Every published shape of an event or an interaction, and shapes that nobody published.
#[tokio::test]
async fn slack_s29_what_is_not_understood_holds_up_nobody() {
    let mut talk = Talk::start(Receive::Http).await;
    let team = talk.acme.team.clone();
    let odd = [
        json!({ "type": "event_callback", "team_id": team, "event_id": "EvOdd1", "event": { "type": "made_up" } }),
        json!({ "type": "event_callback", "team_id": team, "event_id": "EvOdd2", "event": { "type": "message" } }),
        json!({ "type": "event_callback", "team_id": team, "event_id": "EvOdd3", "event": { "type": "message",
            "channel": 5, "ts": {}, "text": [] } }),
        json!({ "type": "never_heard_of" }),
        json!({}),
    ];
    let mut ids: Vec<String> = odd.into_iter().map(|payload| talk.app.raw_event(payload)).collect();
    ids.push(talk.app.raw_interaction(json!({ "type": "never_heard_of", "team": { "id": team } })));
    if let Some(specs) = specs() {
        let samples = specs.join("slack_samples");
        let read = |path: std::path::PathBuf| {
            serde_json::from_slice::<Value>(&fs::read(path).expect("read")).expect("JSON")
        };
        let listed = |folder: &str| {
            let entries = fs::read_dir(samples.join(folder)).expect("a folder");
            entries.map(|entry| entry.expect("an entry").path()).collect::<Vec<_>>()
        };
        let events = listed("events");
        assert_eq!(events.len(), 96);
        for (at, path) in events.into_iter().enumerate() {
            let mut payload = read(path);
            payload["event_id"] = json!(format!("EvSample{at}"));
            payload["type"] = json!("event_callback");
            payload["team_id"] = json!(team);
            ids.push(talk.app.raw_event(payload));
        }
        for folder in ["app-backend/interactive-components", "app-backend/views", "app-backend/dialogs"] {
            ids.extend(listed(folder).into_iter().map(|path| talk.app.raw_interaction(read(path))));
        }
    }
    talk.until("the end of it", |world| world.outstanding() == 0).await;
    for id in &ids {
        let attempts = talk.fake.attempts(id);
        assert!(attempts.len() == 1 && attempts[0].was_taken(), "{attempts:?}\n{}", talk.bridge.log());
    }
    let im = talk.im();
    talk.ask("my printer is jammed");
    talk.sees(&im, "Printer paper jam").await;
    talk.nothing_amiss();
    assert!(talk.bridge.rows("quarantine").await.len() >= 4);
}

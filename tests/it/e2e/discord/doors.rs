//! Who gets in at the interactions endpoint, and what becomes of bodies that are odd (S19, S20, S25–S30).
//!
//! Not here: what an interaction does (`life`).

use std::time::{SystemTime, UNIX_EPOCH};

use deskbridge_platforms::discord::{Tamper, sign};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::super::bridge::{Base, client};
use super::Talk;

async fn hooked() -> Talk {
    Talk::start(true, Base::Sqlite).await.expect("SQLite is always there")
}

fn second() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs()
}

/// This body as Discord would send it, signed at this second, and spoilt like this.
fn signed(talk: &Talk, body: &str, second: u64, tamper: Tamper) -> RequestBuilder {
    let key = talk.fake.read(|world| world.app(talk.app.id).key.clone());
    let signed = sign(&key, second, body, tamper);
    let mut request =
        client().post(talk.bridge.url("/hooks/discord")).header(CONTENT_TYPE, "application/json");
    if let Some(signature) = signed.signature {
        request = request.header("X-Signature-Ed25519", signature);
    }
    if let Some(timestamp) = signed.timestamp {
        request = request.header("X-Signature-Timestamp", timestamp);
    }
    request.body(signed.body)
}

async fn status(request: RequestBuilder) -> StatusCode {
    request.send().await.expect("answered").status()
}

/// An interaction of Bob's on the card, as it would be handed out.
fn press(talk: &Talk, post: deskbridge_platforms::discord::Snowflake, id: u64) -> Value {
    json!({
        "id": id.to_string(), "application_id": talk.app.id.to_string(), "type": 3, "token": "a-token", "version": 1,
        "channel_id": post.to_string(), "guild_id": talk.acme.id.to_string(),
        "channel": { "id": post.to_string(), "type": 11, "parent_id": talk.forum.to_string() },
        "member": { "user": { "id": talk.bob.to_string(), "username": "bob", "global_name": "Bob" } },
        "message": { "id": post.to_string() }, "data": { "custom_id": "resolve", "component_type": 2 },
    })
}

/// S19: a forged press does nothing, whatever is wrong with its signature; also when it is old. S20: the PING is answered.
#[tokio::test]
async fn discord_s19_forged_interactions_have_no_effect() {
    let talk = hooked().await;
    let post = talk.assigned().await;
    let body = press(&talk, post, 1_290_000_000_000_000_001).to_string();
    for tamper in Tamper::ALL {
        assert_eq!(status(signed(&talk, &body, second(), tamper)).await, 401, "{tamper:?}");
    }
    for away in [second() - 3600, second() + 3600] {
        assert_eq!(status(signed(&talk, &body, away, Tamper::None)).await, 401, "signed at another time");
    }
    talk.fake.say(talk.bob, post, "still mine");
    talk.sees(talk.dm(), "still mine").await;
    assert_eq!(talk.count(talk.dm(), "resolved"), 0);
    let ping = signed(&talk, "{\"type\":1}", second(), Tamper::None).send().await.expect("answered");
    assert_eq!(ping.status(), 200);
    assert_eq!(ping.json::<Value>().await.expect("JSON")["type"], 1);
    assert_eq!(status(signed(&talk, &body, second(), Tamper::None)).await, 200);
    talk.sees(talk.dm(), "resolved").await;
    // The same once more, within its time: nothing more happens (S4's likeness).
    assert_eq!(status(signed(&talk, &body, second(), Tamper::None)).await, 200);
}

/// S30: Discord sends JSON; whatever else says it is something else, however well signed.
#[tokio::test]
async fn discord_s30_only_json() {
    let talk = hooked().await;
    let post = talk.assigned().await;
    let body = press(&talk, post, 1_290_000_000_000_000_002).to_string();
    let key = talk.fake.read(|world| world.app(talk.app.id).key.clone());
    let send = |kinds: &[&str]| {
        let good = sign(&key, second(), &body, Tamper::None);
        let request = client().post(talk.bridge.url("/hooks/discord")).body(good.body);
        let request = kinds.iter().fold(request, |request, kind| request.header(CONTENT_TYPE, *kind));
        let request = request.header("X-Signature-Ed25519", good.signature.expect("signed"));
        request.header("X-Signature-Timestamp", good.timestamp.expect("stamped"))
    };
    for kind in ["application/xml", "multipart/form-data; boundary=x", "text/html", "application/jsonx"] {
        assert_eq!(status(send(&[kind])).await, 415, "{kind}");
    }
    assert_eq!(status(send(&[])).await, 415, "none");
    assert_eq!(status(send(&["application/json", "text/xml"])).await, 415, "two of them");
    assert_eq!(status(send(&["application/json; charset=utf-8"])).await, 200);
    talk.sees(talk.dm(), "resolved").await;
}

/// S25, S26, S28, S29: too large, packed, deep, no text, of a kind that nobody knows.
#[tokio::test]
async fn discord_s25_s26_s28_s29_odd_bodies() {
    let mut talk = hooked().await;
    let post = talk.assigned().await;
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat((1 << 20) + 1));
    assert_eq!(status(signed(&talk, &large, second(), Tamper::None)).await, 413);
    for encoding in ["gzip", "br", "gzip, gzip", "made-up"] {
        let request =
            signed(&talk, "{\"type\":1}", second(), Tamper::None).header(CONTENT_ENCODING, encoding);
        assert_eq!(status(request).await, 415, "{encoding}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(status(signed(&talk, &deep, second(), Tamper::None)).await, 400);
    assert_eq!(status(signed(&talk, "not JSON", second(), Tamper::None)).await, 400);
    // Signed, of this application, and not to be understood: kept, and whoever pressed is told.
    let odd = json!({ "id": "1290000000000000009", "application_id": talk.app.id.to_string(), "type": 77, "token": "t",
        "data": {}, "channel_id": post.to_string() });
    let answer = signed(&talk, &odd.to_string(), second(), Tamper::None).send().await.expect("answered");
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.expect("read").contains("could not be understood"));
    talk.fake.say(talk.bob, post, "nobody was held up");
    talk.sees(talk.dm(), "nobody was held up").await;
    assert_eq!(talk.bridge.rows("quarantine").await.len(), 3);
}

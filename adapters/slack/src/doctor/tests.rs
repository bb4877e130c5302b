use std::sync::atomic::{AtomicUsize, Ordering};

use deskbridge_contract::RoomId;
use serde_json::{Value, json};

use crate::api::fake::{APP_TOKEN, Call, Fake, Reply, TOKEN};
use crate::manifest::{Manifest, SCOPES, Wish};
use deskbridge_contract::check::{Check, Outcome};

const DESK: &str = "C024BE91L";

fn all_scopes() -> String {
    SCOPES.map(|scope| scope.name).join(",")
}

fn me() -> Value {
    json!({ "ok": true, "team": "Acme", "team_id": "T1", "user": "it_desk", "user_id": "U0BOT", "bot_id": "B0BOT" })
}

fn with_scopes(scopes: String) -> Reply {
    let headers = vec![("content-type", "application/json".into()), ("x-oauth-scopes", scopes)];
    Reply::Http(200, headers, me().to_string().into_bytes())
}

/// A workspace in which all is well: what is posted is there, with its metadata.
async fn workspace(replies: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static) -> Fake {
    let (posted, next) = (std::sync::Mutex::new(Vec::<Value>::new()), AtomicUsize::new(1));
    Fake::start(move |call| {
        if let Some(reply) = replies(call) {
            return reply;
        }
        match call.method.as_str() {
            "auth.test" => with_scopes(all_scopes()),
            "apps.connections.open" => {
                Reply::Yes(json!({ "url": "wss://wss.slack.com/link/?ticket=planted" }))
            }
            "conversations.info" => {
                Reply::Yes(json!({ "channel": { "name": "it-desk", "is_member": true } }))
            }
            "bots.info" => Reply::Yes(json!({ "bot": { "app_id": "A1" } })),
            "chat.postMessage" => {
                let mut message = call.json();
                message["ts"] = json!(format!("1790000000.{:06}", next.fetch_add(1, Ordering::Relaxed)));
                posted.lock().unwrap().push(message.clone());
                Reply::Yes(message)
            }
            "conversations.history" | "conversations.replies" => {
                Reply::Yes(json!({ "messages": *posted.lock().unwrap() }))
            }
            "chat.delete" => {
                let ts = call.json()["ts"].clone();
                posted.lock().unwrap().retain(|message| message["ts"] != ts);
                Reply::Yes(json!({}))
            }
            _ => Reply::Yes(json!({})),
        }
    })
    .await
}

async fn examined(fake: &Fake, config: Value) -> Vec<Check> {
    let (sending, config) = (fake.sending_with(config.clone()), fake.config(config));
    let checks = super::examine(&sending, &config, &[RoomId::new(DESK)]).await;
    sound(&checks);
    checks
}

/// Each failure says why and the next command; nothing says a token.
fn sound(checks: &[Check]) {
    for check in checks {
        let whole = format!("{check:?}");
        for secret in [TOKEN, APP_TOKEN, "planted"] {
            assert!(!whole.contains(secret), "{whole}");
        }
        let fine = matches!(check.outcome, Outcome::Pass | Outcome::Skip);
        assert_eq!(fine, check.fix.is_empty(), "{whole}");
        assert_eq!(fine, check.why.is_empty(), "{whole}");
    }
}

fn outcomes(checks: &[Check]) -> Vec<(&str, Outcome)> {
    checks.iter().map(|check| (check.id.as_str(), check.outcome)).collect()
}

async fn with(replies: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static) -> Vec<Check> {
    examined(&workspace(replies).await, json!({})).await
}

fn of<'c>(checks: &'c [Check], id: &str) -> &'c Check {
    checks.iter().find(|check| check.id == id).unwrap_or_else(|| panic!("no {id} in {checks:?}"))
}

#[tokio::test]
async fn all_is_well() {
    let fake = workspace(|_| None).await;
    let checks = examined(&fake, json!({})).await;
    assert_eq!(
        outcomes(&checks),
        [
            ("slack.auth", Outcome::Pass),
            ("slack.scopes", Outcome::Pass),
            ("slack.socket", Outcome::Pass),
            ("slack.manifest", Outcome::Skip),
            ("slack.channel", Outcome::Pass),
            ("slack.roundtrip", Outcome::Pass),
            ("slack.readback", Outcome::Pass),
        ]
    );
    assert_eq!(checks[0].detail, "bot @it_desk in Acme (T1)");
    assert!(checks[3].detail.contains("DESKBRIDGE__CHANNELS__SLACK__CONFIG_TOKEN"));
    // Nothing is left behind.
    let count = |method: &str| fake.methods().iter().filter(|known| *known == method).count();
    assert_eq!((count("chat.postMessage"), count("chat.delete")), (2, 2));
}

#[tokio::test]
async fn tokens_that_are_refused_end_the_examination() {
    for (code, word) in [
        ("invalid_auth", "OAuth & Permissions"),
        ("account_inactive", "Install App"),
        ("token_expired", "refresh_token"),
    ] {
        let checks = with(move |call| (call.method == "auth.test").then_some(Reply::No(code))).await;
        assert_eq!(outcomes(&checks), [("slack.auth", Outcome::Fail)], "{code}");
        assert!(checks[0].fix.contains(word), "{checks:?}");
    }
    let person = |call: &Call| {
        (call.method == "auth.test")
            .then(|| Reply::Yes(json!({ "user": "ana", "user_id": "U1", "team": "Acme" })))
    };
    assert_eq!(outcomes(&with(person).await), [("slack.auth", Outcome::Fail)]);
    let away = |call: &Call| (call.method == "auth.test").then_some(Reply::Close);
    assert!(with(away).await[0].fix.contains("network"));
}

/// With rotation the configured token may be long over; only the running bridge renews it.
#[tokio::test]
async fn a_rotated_token_is_not_renewed_from_here() {
    let fake = workspace(|call| (call.method == "auth.test").then_some(Reply::No("token_expired"))).await;
    let keys =
        json!({ "client_id": "1.2", "client_secret": "planted-client", "refresh_token": "xoxe-planted" });
    let checks = examined(&fake, keys).await;
    assert_eq!(outcomes(&checks), [("slack.auth", Outcome::Warn)]);
    assert!(!fake.methods().contains(&"oauth.v2.access".to_owned()));
}

#[tokio::test]
async fn scopes() {
    let seen = |scopes: String| async move {
        let checks =
            with(move |call| (call.method == "auth.test").then(|| with_scopes(scopes.clone()))).await;
        of(&checks, "slack.scopes").clone()
    };
    let without = |gone: &'static [&'static str]| {
        SCOPES.iter().map(|s| s.name).filter(|name| !gone.contains(name)).collect::<Vec<_>>().join(",")
    };
    assert_eq!(seen(without(&[])).await.outcome, Outcome::Pass);
    let minimal = seen(without(&["assistant:write", "channels:join", "links:read", "links:write"])).await;
    assert!(minimal.outcome == Outcome::Pass && minimal.detail.contains("assistant:write"), "{minimal:?}");
    let lacking = seen(without(&["files:read", "links:read"])).await;
    assert!(lacking.outcome == Outcome::Fail && lacking.detail.contains("files:read"), "{lacking:?}");
    assert!(!lacking.detail.contains("links:read") && lacking.fix.contains("deskbridge slack manifest"));
    let silent = with(|call| (call.method == "auth.test").then(|| Reply::Yes(me()))).await;
    assert_eq!(of(&silent, "slack.scopes").outcome, Outcome::Skip);
}

#[tokio::test]
async fn how_events_come() {
    for (code, word) in [
        ("invalid_auth", "App-Level Tokens"),
        ("missing_scope", "connections:write"),
        ("socket_mode_not_enabled", "Enable"),
    ] {
        let checks =
            with(move |call| (call.method == "apps.connections.open").then_some(Reply::No(code))).await;
        let socket = of(&checks, "slack.socket");
        assert!(socket.outcome == Outcome::Fail && socket.fix.contains(word), "{socket:?}");
    }
    let http = |more: Value| async move {
        let mut keys = json!({ "receive": "http", "signing_secret": "a-secret-of-some-length" });
        keys.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let checks = examined(&workspace(|_| None).await, keys).await;
        of(&checks, "slack.hook").clone()
    };
    assert_eq!(http(json!({})).await.outcome, Outcome::Fail);
    assert_eq!(http(json!({ "public_url": "http://desk.example" })).await.outcome, Outcome::Fail);
    let good = http(json!({ "public_url": "https://desk.example/x" })).await;
    assert!(
        good.outcome == Outcome::Pass && good.detail.contains("https://desk.example/x/hooks/slack"),
        "{good:?}"
    );
}

#[tokio::test]
async fn desks() {
    let seen = |channel: Value| async move {
        let checks = with(move |call| {
            (call.method == "conversations.info").then(|| Reply::Yes(json!({ "channel": channel })))
        })
        .await;
        checks.into_iter().find(|check| check.id == "slack.channel").unwrap()
    };
    let outside = seen(json!({ "name": "it-desk", "is_member": false })).await;
    assert!(outside.outcome == Outcome::Fail && outside.fix.contains("/invite @it_desk"), "{outside:?}");
    assert!(outside.fix.contains("deskbridge slack setup"));
    let private = seen(json!({ "name": "it", "is_member": false, "is_private": true })).await;
    assert!(!private.fix.contains("setup"), "{private:?}");
    assert_eq!(seen(json!({ "name": "it", "is_archived": true })).await.outcome, Outcome::Fail);
    let shared = json!({ "name": "it", "is_member": true, "is_ext_shared": true });
    assert_eq!(seen(shared).await.outcome, Outcome::Warn);
    let lost =
        with(|call| (call.method == "conversations.info").then_some(Reply::No("channel_not_found"))).await;
    assert_eq!(of(&lost, "slack.channel").outcome, Outcome::Fail);
    let fake = workspace(|_| None).await;
    let named = super::examine(&fake.sending(), &fake.config(json!({})), &[RoomId::new("#general")]).await;
    sound(&named);
    assert!(of(&named, "slack.channel").why.contains("C0123ABCD"));
}

#[tokio::test]
async fn round_trips() {
    for (method, code, word) in [
        ("chat.postMessage", "missing_scope", "post"),
        ("chat.postMessage", "restricted_action", "post"),
        ("reactions.add", "missing_scope", "react"),
        ("conversations.history", "missing_scope", "read"),
        ("chat.delete", "cant_delete_message", "delete"),
    ] {
        let checks = with(move |call| (call.method == method).then_some(Reply::No(code))).await;
        let trip = of(&checks, "slack.roundtrip");
        assert!(trip.outcome == Outcome::Fail && trip.detail.contains(word), "{method}: {trip:?}");
    }
    // The caveat of reading threads back is a warning, and says what it means.
    let checks =
        with(|call| (call.method == "conversations.replies").then_some(Reply::No("not_allowed_token_type")))
            .await;
    assert_eq!(of(&checks, "slack.roundtrip").outcome, Outcome::Pass);
    let back = of(&checks, "slack.readback");
    assert!(back.outcome == Outcome::Warn && back.why.contains("twice"), "{back:?}");
}

#[tokio::test]
async fn a_manifest_that_drifted() {
    let seen = |theirs: Value| async move {
        let fake = workspace(move |call| {
            (call.method == "apps.manifest.export").then(|| Reply::Yes(json!({ "manifest": theirs })))
        })
        .await;
        let checks = examined(&fake, json!({ "config_token": "xoxe.xoxp-planted" })).await;
        let call = fake.calls().into_iter().find(|call| call.method == "apps.manifest.export").unwrap();
        assert_eq!(call.header("authorization"), Some("Bearer xoxe.xoxp-planted"));
        assert_eq!(call.json()["app_id"], "A1");
        of(&checks, "slack.manifest").clone()
    };
    let ours = Manifest::new(&Wish::default()).json;
    assert_eq!(seen(ours.clone()).await.outcome, Outcome::Pass);
    let mut theirs = ours;
    theirs["settings"]["event_subscriptions"]["bot_events"] = json!(["message.im"]);
    let drifted = seen(theirs).await;
    assert!(drifted.outcome == Outcome::Fail && drifted.detail.contains("event app_mention"), "{drifted:?}");
}

#[tokio::test]
async fn setting_up() {
    let fake = workspace(|call| match call.method.as_str() {
        "conversations.info" => Some(Reply::Yes(json!({ "channel": { "name": "it", "is_member": false } }))),
        "conversations.join" => Some(Reply::Yes(json!({ "channel": { "name": "it" } }))),
        _ => None,
    })
    .await;
    let checks = super::setup(&fake.sending(), &[RoomId::new(DESK)]).await;
    sound(&checks);
    assert_eq!(outcomes(&checks), [("slack.auth", Outcome::Pass), ("slack.channel", Outcome::Pass)]);
    assert_eq!(checks[1].detail, "joined #it");
    let closed = workspace(|call| match call.method.as_str() {
        "conversations.info" => {
            Some(Reply::Yes(json!({ "channel": { "name": "it", "is_member": false, "is_private": true } })))
        }
        "conversations.join" => Some(Reply::No("method_not_supported_for_channel_type")),
        _ => None,
    })
    .await;
    let checks = super::setup(&closed.sending(), &[RoomId::new(DESK)]).await;
    assert_eq!(checks[1].outcome, Outcome::Fail);
}

//! What answers and silence mean (C8, C9, F11, F14).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deskbridge_contract::{Content, Mark, OutboundOp, SendError};
use serde_json::json;

use super::{assert_secret, class, post};
use crate::api::fake::{Fake, Reply, TOKEN, desk, direct, out, thread};

async fn fails(reply: impl Fn() -> Reply + Send + Sync + 'static, op: OutboundOp) -> SendError {
    let fake = Fake::saying(reply).await;
    let error = fake.sending().perform(&out(thread(), op)).await.unwrap_err();
    assert_secret(&error);
    error
}

fn hello() -> OutboundOp {
    post(Content::text("hello"))
}

/// The table of platform-contracts §7.
#[tokio::test]
async fn classes_of_refusals() {
    for (code, expected) in [
        ("invalid_auth", "unauthorized"),
        ("token_revoked", "unauthorized"),
        ("token_expired", "unauthorized"),
        ("account_inactive", "unauthorized"),
        ("missing_scope", "rejected"),
        ("not_allowed_token_type", "unauthorized"),
        ("channel_not_found", "gone"),
        ("is_archived", "gone"),
        ("not_in_channel", "gone"),
        ("user_not_found", "gone"),
        ("cannot_dm_bot", "gone"),
        ("thread_not_found", "thread gone"),
        ("cannot_reply_to_message", "thread gone"),
        ("ratelimited", "retry 30"),
        ("service_unavailable", "retry"),
        ("internal_error", "ambiguous"),
        ("fatal_error", "ambiguous"),
        ("msg_too_long", "fixable"),
        ("msg_blocks_too_long", "fixable"),
        ("invalid_blocks", "fixable"),
        ("something_nobody_has_seen", "rejected"),
    ] {
        assert_eq!(class(&fails(move || Reply::No(code), hello()).await), expected, "{code}");
    }
}

#[tokio::test]
async fn slowing_down() {
    let slow = |wait: Option<&str>| {
        let headers: Vec<(&'static str, String)> =
            wait.map(|wait| ("retry-after", wait.to_owned())).into_iter().collect();
        move || Reply::Http(429, headers.clone(), br#"{"ok":false,"error":"ratelimited"}"#.to_vec())
    };
    for (wait, expected) in [
        (Some("7"), "retry 7"),
        (Some("0"), "retry 1"),
        (Some("99999"), "retry 3600"),
        (Some("soon"), "retry 30"),
        (Some("-5"), "retry 30"),
        // node-slack-sdk#1421: 429 without a usable header.
        (None, "retry 30"),
    ] {
        assert_eq!(class(&fails(slow(wait), hello()).await), expected, "{wait:?}");
    }
    let page = || Reply::Http(429, vec![("content-type", "text/html".into())], b"<html>slow</html>".to_vec());
    assert_eq!(class(&fails(page, hello()).await), "retry 30");
}

#[tokio::test]
async fn answers_that_no_web_api_wrote() {
    for (status, body, expected) in [
        (500, "", "ambiguous"),
        (502, "<html>Bad Gateway</html>", "ambiguous"),
        (503, "", "ambiguous"),
        (503, r#"{"ok":false,"error":"service_unavailable"}"#, "retry"),
        (504, r#"{"ok":false,"error":"channel_not_found"}"#, "ambiguous"),
        (403, r#"{"ok":false,"error":"invalid_auth"}"#, "unauthorized"),
        (404, "nginx", "unauthorized"),
        (413, "", "fixable"),
        (302, "", "retry"),
        (400, "", "ambiguous"),
        (200, "<html>sign in</html>", "ambiguous"),
        (200, "", "ambiguous"),
        (200, "{", "ambiguous"),
        (200, "null", "ambiguous"),
        (200, "[]", "ambiguous"),
        (200, r#"{"ok":"yes"}"#, "ambiguous"),
        (200, r#"{"ok":true}"#, "ambiguous"),
        (200, r#"{"ok":false}"#, "ambiguous"),
        (200, r#"{"ok":false,"error":"is_archived","errors":"odd","warnings":7}"#, "gone"),
    ] {
        let reply = move || Reply::Http(status, Vec::new(), body.as_bytes().to_vec());
        assert_eq!(class(&fails(reply, hello()).await), expected, "{status} {body}");
    }
}

#[tokio::test]
async fn classes_of_silence() {
    assert_eq!(class(&fails(|| Reply::Close, hello()).await), "ambiguous");
    // Gathered in memory: there has to be an end to it.
    let endless = || Reply::Http(200, Vec::new(), vec![b' '; (32 << 20) + 1]);
    let error = fails(endless, hello()).await;
    assert!(class(&error) == "ambiguous" && error.to_string().contains("too long"), "{error}");
    let half = || {
        Reply::Http(200, vec![("content-length", "900".into())], br#"{"ok":true,"ts":"1.000001"}"#.to_vec())
    };
    assert_eq!(class(&fails_soon(half).await), "ambiguous");
}

/// With less patience than the twenty seconds of a running bridge.
async fn fails_soon(reply: impl Fn() -> Reply + Send + Sync + 'static) -> SendError {
    let fake = Fake::saying(reply).await;
    let config = fake.config(json!({})).with_call_timeout(Duration::from_millis(300));
    let clock = std::sync::Arc::new(|| deskbridge_contract::Timestamp::EPOCH);
    let api = crate::api::Api::new("slack".into(), &config, clock).unwrap();
    let error = super::super::Sending::new(api).perform(&out(direct(), hello())).await.unwrap_err();
    assert_secret(&error);
    error
}

#[tokio::test]
async fn a_silent_server_is_left_in_time() {
    assert_eq!(class(&fails_soon(|| Reply::Hang).await), "ambiguous");
}

#[tokio::test]
async fn what_was_not_connected_was_not_sent() {
    let mut fake = Fake::saying(|| Reply::Close).await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for base in
        [format!("http://{free}"), "http://name.invalid".to_owned(), format!("https://{}", &fake.base[7..])]
    {
        fake.base = base.clone();
        let error = fake.sending().perform(&out(direct(), hello())).await.unwrap_err();
        assert_secret(&error);
        assert_eq!(class(&error), "retry", "{base}: {error}");
    }
}

/// C9: a server that repeats what it was sent does not get it into our log.
#[tokio::test]
async fn errors_repeat_nothing() {
    let echo = || {
        Reply::Http(
            200,
            vec![("content-type", "application/json".into())],
            json!({ "ok": false, "error": format!("no {TOKEN} hello private talk") })
                .to_string()
                .into_bytes(),
        )
    };
    let error = fails(echo, hello()).await;
    assert!(!error.to_string().contains("private talk") && !error.to_string().contains("hello "), "{error}");
}

/// Slack's refusal for want of a scope.
fn lacks(scope: &str) -> Reply {
    let body = json!({ "ok": false, "error": "missing_scope", "needed": scope, "provided": "commands" });
    Reply::Http(200, vec![("content-type", "application/json".into())], body.to_string().into_bytes())
}

/// What one operation lacks is said of that one, and is no reason to stop the others; without the right to write there
/// are no others.
#[tokio::test]
async fn a_missing_scope_is_said_of_what_needs_it() {
    let mark = || OutboundOp::Mark { message: "1789990001.000100".into(), mark: Mark::Delivered };
    for (scope, op) in [
        ("chat:write.customize", hello()),
        ("reactions:write", mark()),
        (
            "reactions:write",
            OutboundOp::React { message: "1789990001.000100".into(), emoji: "👍".into(), on: true },
        ),
        ("<!channel> secret", hello()),
    ] {
        let error = fails(move || lacks(scope), op).await;
        assert_eq!(class(&error), "rejected", "{scope}: {error}");
        let told = if scope.contains('<') { "the app needs channelsecret" } else { scope };
        assert!(error.to_string().contains("missing_scope") && error.to_string().contains(told), "{error}");
    }
    for scope in ["chat:write", "chat:write:bot"] {
        let error = fails(move || lacks(scope), hello()).await;
        let told = format!("credentials refused: missing_scope: the app needs {scope}");
        assert_eq!(error.to_string(), told);
    }
}

/// Who looks after the channel is told of it until it works; what is asked for as comfort only is not missed.
#[tokio::test]
async fn missing_scopes_are_listed_until_they_are_there() {
    let granted = std::sync::Arc::new(AtomicBool::new(false));
    let installed = granted.clone();
    let fake = Fake::start(move |call| match call.method.as_str() {
        _ if installed.load(Ordering::Relaxed) => Reply::Yes(json!({})),
        "reactions.add" => lacks("reactions:write"),
        "assistant.threads.setStatus" => lacks("assistant:write"),
        _ => Reply::Yes(json!({})),
    })
    .await;
    let sending = fake.sending();
    let react = OutboundOp::React { message: "1789990001.000100".into(), emoji: "👍".into(), on: true };
    sending.typing(&direct().thread("1789990000.000100")).await.unwrap();
    assert_eq!(sending.api.lacking(), Vec::<String>::new());
    sending.perform(&out(thread(), react.clone())).await.unwrap_err();
    assert_eq!(sending.api.lacking(), ["reactions:write"]);
    granted.store(true, Ordering::Relaxed);
    sending.perform(&out(thread(), react)).await.unwrap();
    assert_eq!(sending.api.lacking(), Vec::<String>::new());
}

/// The socket's own right is the app-level token's, and nothing comes in without.
#[tokio::test]
async fn a_socket_needs_its_scope() {
    let fake = Fake::saying(|| lacks("connections:write")).await;
    assert_eq!(class(&fake.sending().api.open_connection().await.unwrap_err()), "unauthorized");
}

#[tokio::test]
async fn addresses_that_are_none() {
    let fake = Fake::saying(|| Reply::Yes(json!({}))).await;
    let sending = fake.sending();
    let mut bad = desk();
    bad.room = "#general".into();
    assert_eq!(class(&sending.perform(&out(bad, hello())).await.unwrap_err()), "rejected");
    let react = OutboundOp::React { message: "made:12.34".into(), emoji: "👍".into(), on: true };
    assert_eq!(class(&sending.perform(&out(desk(), react)).await.unwrap_err()), "rejected");
    assert!(fake.calls().is_empty());
}

#[tokio::test]
async fn sockets_are_opened_by_the_app_token() {
    let fake = Fake::start(|call| match call.header("authorization") {
        Some("Bearer xapp-planted-secret-app") => {
            Reply::Yes(json!({ "url": "wss://wss.slack.com/link/?ticket=1" }))
        }
        _ => Reply::No("not_allowed_token_type"),
    })
    .await;
    let url = fake.sending().api.open_connection().await.unwrap();
    assert_eq!(url.as_str(), "wss://wss.slack.com/link/?ticket=1");
}

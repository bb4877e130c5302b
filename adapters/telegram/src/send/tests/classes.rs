//! What answers and silence mean (C8, C9, F11, F14).

use std::time::Duration;

use deskbridge_contract::{Adapter as _, Content, OutboundOp, SendError, Timestamp};
use serde_json::{Value, json};

use super::{assert_secret, class, post};
use crate::send::api::Answer;
use crate::testing::{Fake, NOW, Reply, out, private, topic};

fn judged(status: u16, retry_after: Option<&str>, body: &str) -> String {
    let answer = Answer { status, retry_after, cut: false, body: body.as_bytes() };
    match answer.judge(Timestamp::from_seconds(NOW)) {
        Ok(result) => format!("ok {result}"),
        Err(fault) => class(&fault.error),
    }
}

/// C8, F11: the table of platform-contracts §7.
#[test]
fn classes_of_answers() {
    let no = |code: u16, words: &str| {
        judged(code, None, &json!({ "ok": false, "error_code": code, "description": words }).to_string())
    };
    let slow = |told: Value, header: Option<&str>| {
        let body = json!({ "ok": false, "error_code": 429, "description": "Too Many Requests: retry later", "parameters": { "retry_after": told } });
        judged(429, header, &body.to_string())
    };
    assert_eq!(judged(200, None, r#"{"ok":true,"result":{"message_id":5}}"#), r#"ok {"message_id":5}"#);
    assert_eq!(no(400, "Bad Request: chat not found"), "gone");
    assert_eq!(no(400, "Bad Request: message thread not found"), "thread gone");
    assert_eq!(no(400, "Bad Request: TOPIC_DELETED"), "thread gone");
    assert_eq!(no(400, "Bad Request: TOPIC_CLOSED"), "rejected");
    assert_eq!(no(400, "Bad Request: can't parse entities: Unsupported start tag"), "fixable");
    assert_eq!(no(400, "Bad Request: message is too long"), "fixable");
    assert_eq!(no(400, "Bad Request: something nobody has seen"), "fixable");
    assert_eq!(no(400, "Bad Request: message to edit not found"), "rejected");
    assert_eq!(no(400, "Bad Request: not enough rights to manage topics"), "rejected");
    assert_eq!(no(401, "Unauthorized"), "unauthorized");
    assert_eq!(no(403, "Forbidden: bot was blocked by the user"), "gone");
    assert_eq!(no(404, "Not Found"), "unauthorized");
    assert_eq!(no(404, "Not Found: method not found"), "rejected");
    assert_eq!(no(409, "Conflict: terminated by other getUpdates request"), "retry");
    assert_eq!(no(413, "Request Entity Too Large"), "rejected");
    for status in [500, 502, 503, 504] {
        assert_eq!(no(status, "Internal Server Error"), "ambiguous");
        assert_eq!(judged(status, None, "<html>Bad Gateway</html>"), "ambiguous");
    }
    for body in ["<html>login</html>", "", "{", "null", "[]", r#"{"ok":true}"#, r#"{"ok":"yes","result":1}"#]
    {
        assert_eq!(judged(200, None, body), "ambiguous", "{body}");
    }
    assert_eq!(judged(302, None, ""), "retry");
    assert_eq!(judged(404, None, "nginx"), "unauthorized");
    assert_eq!(judged(413, None, "<html>too large</html>"), "rejected");
    assert_eq!(judged(400, None, "<html>"), "ambiguous");
    let moved = json!({ "ok": false, "error_code": 400, "description": "Bad Request: group chat was upgraded to a supergroup chat", "parameters": { "migrate_to_chat_id": -1001900000002_i64 } });
    assert_eq!(judged(400, None, &moved.to_string()), "moved -1001900000002");
    for (told, header, wait) in [
        (json!(7), None, 7),
        (json!(7), Some("90"), 90),
        (json!("12"), None, 12),
        (json!(0), None, 1),
        (json!(1.2), None, 2),
        (json!(3600), None, 3600),
        (json!(9_999_999), None, 3600),
        (json!(1e300), None, 3600),
        (json!(-5), None, 30),
        (json!("abc"), None, 30),
        (Value::Null, None, 30),
        (json!({}), Some("abc"), 30),
        (Value::Null, Some("-1"), 30),
        // The clock here says 14:13:20.
        (Value::Null, Some("Mon, 21 Sep 2026 14:15:00 GMT"), 100),
        (json!(5), Some("Mon, 21 Sep 2026 19:00:00 GMT"), 3600),
        (Value::Null, Some("Mon, 21 Sep 2026 14:00:00 GMT"), 1),
        (Value::Null, Some("NaN"), 30),
        (Value::Null, Some("inf"), 30),
    ] {
        assert_eq!(slow(told.clone(), header), format!("retry {wait}"), "{told} {header:?}");
    }
}

async fn fails(reply: impl Fn() -> Reply + Send + Sync + 'static, op: OutboundOp) -> SendError {
    let fake = Fake::saying(reply).await;
    let error = fake.adapter().send(&out(topic(), op)).await.unwrap_err();
    assert_secret(&error);
    error
}

#[tokio::test]
async fn classes_of_silence() {
    let hello = || post(Content::text("hello"));
    assert_eq!(class(&fails(|| Reply::Close, hello()).await), "ambiguous");
    let endless = || Reply::Http(200, Vec::new(), vec![b' '; (1 << 20) + 1]);
    assert_eq!(class(&fails(endless, hello()).await), "ambiguous");
    let half = || {
        Reply::Http(
            200,
            vec![("content-length", "900".into())],
            br#"{"ok":true,"result":{"message_id":1}}"#.to_vec(),
        )
    };
    assert_eq!(class(&fails(half, hello()).await), "ambiguous");
    let html = || Reply::Http(200, Vec::new(), b"<html>hello</html>".to_vec());
    assert_eq!(class(&fails(html, hello()).await), "ambiguous");
    let shapeless = || Reply::Result(json!({ "id": 5 }));
    assert_eq!(class(&fails(shapeless, hello()).await), "ambiguous");
    let away = || Reply::Http(302, vec![("location", "http://127.0.0.1:1/".into())], Vec::new());
    assert_eq!(class(&fails(away, hello()).await), "retry");
    let echo =
        || Reply::No(400, "Bad Request: can't parse entities: 7001:AAE-planted-secret-xyz is private talk");
    let error = fails(echo, hello()).await;
    assert!(!error.to_string().contains("private talk"), "{error}");
    let echo = || Reply::No(401, "Unauthorized 7001:AAE-planted-secret-xyz");
    assert_eq!(class(&fails(echo, hello()).await), "unauthorized");
}

#[tokio::test]
async fn what_was_not_connected_was_not_sent() {
    let mut fake = Fake::saying(|| Reply::Close).await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for base in
        [format!("http://{free}"), "http://name.invalid".to_owned(), format!("https://{}", &fake.base[7..])]
    {
        fake.base = base.clone();
        let error = fake.adapter().send(&out(private(), post(Content::text("x")))).await.unwrap_err();
        assert_secret(&error);
        assert_eq!(class(&error), "retry", "{base}: {error}");
    }
}

#[tokio::test]
async fn a_silent_server_is_left_after_twenty_seconds() {
    let fake = Fake::saying(|| Reply::Hang).await;
    let adapter = fake.adapter();
    let sending = tokio::spawn(async move { adapter.send(&out(private(), post(Content::text("x")))).await });
    while fake.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(21)).await;
    let error = sending.await.unwrap().unwrap_err();
    assert_secret(&error);
    assert_eq!(class(&error), "ambiguous", "{error}");
}

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use deskbridge_contract::{
    Adapter as _, Content, InboundEvent, Interaction, OutboundOp, PushError, SendError, Toast,
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::parse;
use crate::testing::{Call, Fake, Reply, Sink, TOKEN, out, topic};

const SECRET: &str = "a-secret-of-some-length";

fn update(id: i64, chat: i64, text: &str) -> Value {
    json!({ "update_id": id, "message": {
        "message_id": id, "date": 1_780_000_000, "text": text,
        "chat": { "id": chat, "type": "private" }, "from": { "id": chat, "is_bot": false, "first_name": "M" } } })
}

fn usual(call: &Call) -> Reply {
    match call.method.as_str() {
        "GetMe" => Reply::Result(
            json!({ "id": 7001, "is_bot": true, "first_name": "IT", "username": "it_desk_bot" }),
        ),
        "GetUpdates" => Reply::Hang,
        _ => Reply::Result(json!(true)),
    }
}

/// Serves these batches, then waits for ever.
async fn polled(batches: Vec<Value>) -> Fake {
    let batches = Mutex::new(batches.into_iter());
    Fake::start(move |call| match call.method.as_str() {
        "GetUpdates" => batches.lock().unwrap().next().map_or(Reply::Hang, Reply::Result),
        _ => usual(call),
    })
    .await
}

fn polls(fake: &Fake) -> Vec<Value> {
    fake.calls().iter().filter(|call| call.method == "GetUpdates").map(Call::json).collect()
}

async fn until(condition: impl Fn() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    waited.await.expect("what was waited for did not happen");
}

/// Polls until so many polls were made; returns what the connection came to, if it ended.
async fn poll(fake: &Fake, sink: &Arc<Sink>, count: usize) -> Option<Result<(), SendError>> {
    let connect = Arc::new(fake.adapter()).intake(sink.inbox()).connect.unwrap();
    tokio::select! {
        ended = connect => Some(ended),
        () = until(|| polls(fake).len() >= count) => None,
    }
}

fn texts(sink: &Sink) -> Vec<(String, String)> {
    let events = sink.events.lock().unwrap();
    let text = |event: &InboundEvent| match event {
        InboundEvent::Posted { content, .. } => content.text.clone(),
        other => format!("{other:?}"),
    };
    events.iter().map(|event| (event.address.room.to_string(), text(&event.event))).collect()
}

#[tokio::test]
async fn a_batch_is_stored_and_then_confirmed() {
    let batch = json!([
        update(10, 1, "a"),
        update(11, 2, "x"),
        update(12, 1, "b"),
        update(13, 1, "c"),
        update(14, 2, "y")
    ]);
    let fake = polled(vec![batch, json!([])]).await;
    let sink = Arc::new(Sink::default());
    assert!(poll(&fake, &sink, 3).await.is_none());
    let stored = texts(&sink);
    let of = |room: &str| {
        stored.iter().filter(|(r, _)| r == room).map(|(_, text)| text.as_str()).collect::<Vec<_>>()
    };
    assert_eq!((of("1"), of("2")), (vec!["a", "b", "c"], vec!["x", "y"]));
    let polls = polls(&fake);
    assert_eq!(polls[0]["offset"], Value::Null);
    assert_eq!(polls[1]["offset"], 15);
    // An empty batch has confirmed everything: whatever number comes next is taken (F21).
    assert_eq!(polls[2]["offset"], Value::Null);
    assert_eq!(polls[0]["timeout"], 50);
    assert_eq!(
        polls[0]["allowed_updates"],
        json!(["message", "edited_message", "callback_query", "my_chat_member", "message_reaction"])
    );
    assert_eq!(
        sink.shelf.lock().unwrap().last(),
        Some(&(super::polling::OFFSET.to_owned(), "15".to_owned()))
    );
    let methods = fake.methods();
    let at = |method: &str| methods.iter().position(|m| m == method).unwrap();
    assert!(at("DeleteWebhook") < at("GetUpdates") && at("GetMe") < at("DeleteWebhook"));
}

/// C4: nothing is confirmed that is not stored, and the supervisor hears why.
#[tokio::test]
async fn a_batch_that_cannot_be_stored_is_not_confirmed() {
    let fake = polled(vec![json!([update(10, 1, "a")])]).await;
    let ended = poll(&fake, &Sink::failing(PushError::Unavailable), 2).await.unwrap();
    assert!(matches!(ended, Err(SendError::Retry { .. })), "{ended:?}");
    assert_eq!(polls(&fake).len(), 1);
    let fake = polled(vec![json!([update(10, 1, "a")])]).await;
    assert_eq!(poll(&fake, &Sink::failing(PushError::Closed), 2).await.unwrap(), Ok(()));
}

/// D39: an update that is news to us, or no update at all, is kept and does not hold up the rest.
#[tokio::test]
async fn odd_updates_are_kept_aside() {
    let raw = r#"{"ok":true,"result":[
        {"update_id":10,"thought":{"text":"hm"}}, 5, "x", {"update_id":"11"},
        {"update_id":12,"message":{"message_id":1,"date":1,"chat":{"id":1},"from":{"id":1},"text":"half \ud83d"}},
        {"update_id":13,"poll":{}}]}"#;
    let served = AtomicUsize::new(0);
    let fake = Fake::start(move |call| match call.method.as_str() {
        "GetUpdates" if served.fetch_add(1, Ordering::Relaxed) == 0 => {
            Reply::Http(200, Vec::new(), raw.as_bytes().to_vec())
        }
        _ => usual(call),
    })
    .await;
    let sink = Arc::new(Sink::default());
    assert!(poll(&fake, &sink, 2).await.is_none());
    assert_eq!(polls(&fake)[1]["offset"], 14);
    assert_eq!(texts(&sink), [("1".to_owned(), "half \u{fffd}".to_owned())]);
    let quarantined = sink.quarantined.lock().unwrap();
    assert_eq!(quarantined.len(), 5);
    assert!(quarantined.iter().any(|(raw, why)| raw == r#"{"update_id":10,"thought":{"text":"hm"}}"# && why.contains("thought")));
}

#[tokio::test]
async fn failures_of_the_poll_go_to_the_supervisor() {
    let with = |reply: fn() -> Reply| async move {
        let fake =
            Fake::start(move |call| if call.method == "GetUpdates" { reply() } else { usual(call) }).await;
        let ended = poll(&fake, &Arc::new(Sink::default()), 99).await.unwrap().unwrap_err();
        assert!(!ended.to_string().contains("planted"), "{ended}");
        ended
    };
    let conflict = with(|| Reply::No(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")).await;
    assert!(
        matches!(&conflict, SendError::Retry { why, .. } if why.contains("another program polls")),
        "{conflict}"
    );
    let revoked = with(|| Reply::No(401, "Unauthorized")).await;
    assert!(matches!(revoked, SendError::Unauthorized { .. }));
    let slow = with(|| Reply::Http(429, Vec::new(), br#"{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":9}}"#.to_vec())).await;
    assert!(matches!(slow, SendError::Retry { after: Some(after), .. } if after.as_secs() == 9));
    with(|| Reply::Close).await;
    with(|| Reply::Http(200, Vec::new(), b"<html>".to_vec())).await;
}

/// Menus are decoration: a refusal of them stops nothing, and they are set once per process.
#[tokio::test]
async fn menus_are_set_beside_the_poll() {
    let fake = polled(vec![json!([])]).await;
    let adapter = Arc::new(fake.adapter());
    let menus = |fake: &Fake| fake.methods().iter().filter(|m| *m == "SetMyCommands").count();
    for _ in 0..2 {
        let polled_before = polls(&fake).len();
        let connect = adapter.clone().intake(Arc::new(Sink::default()).inbox()).connect.unwrap();
        tokio::select! {
            ended = connect => panic!("{ended:?}"),
            () = until(|| adapter.0.menus.done() && polls(&fake).len() > polled_before) => {}
        }
    }
    assert_eq!(menus(&fake), 8);
    let first = fake.calls().into_iter().find(|call| call.method == "SetMyCommands").unwrap().json();
    assert_eq!(first["scope"], json!({ "type": "all_private_chats" }));
    assert_eq!(first["commands"][2], json!({ "command": "human", "description": "Talk to a human" }));
    let refusing = Fake::start(|call| {
        if call.method == "SetMyCommands" { Reply::No(400, "Bad Request: x") } else { usual(call) }
    })
    .await;
    assert!(poll(&refusing, &Arc::new(Sink::default()), 1).await.is_none());
}

fn webhook(fake: &Fake) -> Value {
    json!({ "receive": "webhook", "webhook_secret": SECRET, "public_url": format!("{}/base/", fake.base) })
}

async fn door(sink: &Arc<Sink>) -> (Fake, axum::Router) {
    let fake = Fake::start(usual).await;
    let intake = Arc::new(fake.adapter_with(webhook(&fake))).intake(sink.inbox());
    (fake, intake.webhook.unwrap())
}

fn knock(body: impl Into<Body>) -> axum::http::request::Request<Body> {
    Request::post("/")
        .header("content-type", "application/json")
        .header("x-telegram-bot-api-secret-token", SECRET)
        .body(body.into())
        .unwrap()
}

async fn answer(router: &axum::Router, request: Request<Body>) -> (StatusCode, Option<String>, Vec<u8>) {
    let response = router.clone().oneshot(request).await.unwrap();
    let after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, after, body.to_vec())
}

/// S17, C14.
#[tokio::test]
async fn s17_only_telegram_comes_in() {
    let sink = Arc::new(Sink::default());
    let (_fake, router) = door(&sink).await;
    let body = update(10, 1, "a").to_string();
    let with = |secrets: Vec<String>| {
        let mut request = Request::post("/").header("content-type", "application/json");
        for secret in secrets {
            request = request.header("x-telegram-bot-api-secret-token", secret);
        }
        request.body(Body::from(body.clone())).unwrap()
    };
    let wrong: Vec<Vec<String>> = vec![
        vec![],
        vec![String::new()],
        vec![SECRET[..SECRET.len() - 1].to_owned()],
        vec![format!("{SECRET}x")],
        vec![SECRET.replace('a', "b")],
        vec![SECRET.to_uppercase()],
        vec![format!("Bearer {SECRET}")],
        vec!["x".repeat(257)],
        vec![SECRET.to_owned(), SECRET.to_owned()],
        vec![SECRET.to_owned(), "x".to_owned()],
    ];
    for secrets in wrong {
        let (status, _, body) = answer(&router, with(secrets.clone())).await;
        assert_eq!((status, body.len()), (StatusCode::UNAUTHORIZED, 0), "{secrets:?}");
    }
    assert!(sink.events.lock().unwrap().is_empty() && sink.quarantined.lock().unwrap().is_empty());
    assert_eq!(answer(&router, knock(body.clone())).await, (StatusCode::OK, None, Vec::new()));
    assert_eq!(answer(&router, knock(body)).await.0, StatusCode::OK);
    assert_eq!(sink.events.lock().unwrap().len(), 1);
    let get =
        Request::get("/").header("x-telegram-bot-api-secret-token", SECRET).body(Body::empty()).unwrap();
    assert_eq!(answer(&router, get).await.0, StatusCode::METHOD_NOT_ALLOWED);
}

/// S26, S28, S29, S30.
#[tokio::test]
async fn s26_s28_s29_s30_bodies() {
    let sink = Arc::new(Sink::default());
    let (_fake, router) = door(&sink).await;
    let typed = |name: &'static str, value: &'static str| {
        let mut request = knock(update(10, 1, "a").to_string());
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    for (name, value) in [
        ("content-encoding", "gzip"),
        ("content-encoding", "identity"),
        ("content-type", "text/plain"),
        ("content-type", "multipart/form-data; boundary=x"),
        ("content-type", "application/jsonp"),
    ] {
        let (status, _, body) = answer(&router, typed(name, value)).await;
        assert_eq!((status, body.len()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, 0), "{name}: {value}");
    }
    let mut untyped = knock("{}");
    untyped.headers_mut().remove("content-type");
    assert_eq!(answer(&router, untyped).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(sink.events.lock().unwrap().is_empty() && sink.quarantined.lock().unwrap().is_empty());
    assert_eq!(
        answer(&router, typed("content-type", "Application/JSON; charset=utf-8")).await.0,
        StatusCode::OK
    );

    let odd: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"{".to_vec(),
        b"method=sendMessage&chat_id=1".to_vec(),
        b"\xff\xfe{\"update_id\":1}".to_vec(),
        b"\xef\xbb\xbf{\"update_id\":1}".to_vec(),
        "[".repeat(100_000).into_bytes(),
        json!({ "update_id": 1, "thought": {} }).to_string().into_bytes(),
        json!({ "update_id": 1, "message": { "chat": {} } }).to_string().into_bytes(),
    ];
    // What of a text is no UTF-8 is replaced; the rest of it is worth having.
    let torn = update(11, 1, "half a ?").to_string().replace('?', "\u{1}").into_bytes();
    let torn: Vec<u8> = torn.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
    let before = sink.events.lock().unwrap().len();
    assert_eq!(answer(&router, knock(torn)).await.0, StatusCode::OK);
    assert!(sink.quarantined.lock().unwrap().is_empty());
    assert_eq!(texts(&sink)[before].1, "half a \u{fffd}");
    for (nth, body) in odd.into_iter().enumerate() {
        assert_eq!(answer(&router, knock(body)).await, (StatusCode::OK, None, Vec::new()), "{nth}");
        assert_eq!(sink.quarantined.lock().unwrap().len(), nth + 1);
    }
    let long = vec![b' '; (1 << 20) + 1];
    assert_eq!(answer(&router, knock(long)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn telegram_brings_again_what_could_not_be_stored() {
    for why in [PushError::Unavailable, PushError::Closed] {
        let sink = Sink::failing(why);
        let (_fake, router) = door(&sink).await;
        for body in [update(10, 1, "a").to_string(), "{".to_owned()] {
            let expected = (StatusCode::SERVICE_UNAVAILABLE, Some("2".to_owned()), Vec::new());
            assert_eq!(answer(&router, knock(body)).await, expected);
        }
    }
}

#[tokio::test]
async fn a_toast_answers_the_press() {
    let sink = Arc::new(Sink::default());
    *sink.toast.lock().unwrap() = Some(Toast { text: "Accepted".into(), alert: false });
    let (fake, router) = door(&sink).await;
    let press = json!({ "update_id": 5, "callback_query": { "id": "q1", "from": { "id": 601, "first_name": "B" },
        "chat_instance": "1", "data": "accept:1", "message": { "message_id": 1, "date": 0, "chat": { "id": -5 } } } });
    for _ in 0..2 {
        assert_eq!(answer(&router, knock(press.to_string())).await.0, StatusCode::OK);
    }
    until(|| fake.methods().contains(&"AnswerCallbackQuery".to_owned())).await;
    let answers: Vec<Value> =
        fake.calls().iter().filter(|call| call.method == "AnswerCallbackQuery").map(Call::json).collect();
    assert_eq!(answers, [json!({ "callback_query_id": "q1", "text": "Accepted", "show_alert": false })]);
}

/// A press without a toast is answered with nothing, unless a whisper has taken the answer.
#[tokio::test]
async fn buttons_stop_spinning() {
    let fake = Fake::start(usual).await;
    let adapter = Arc::new(fake.adapter());
    let press = |id: &str| Interaction { id: id.into() };
    let quick = Duration::from_millis(1);
    super::stop_spinner(adapter.0.clone(), press("q1"), None, quick).await;
    let content = Content::text("For you only");
    let whisper = OutboundOp::Whisper { to: "601".into(), content, interaction: Some(press("q2")) };
    adapter.send(&out(topic(), whisper)).await.unwrap();
    super::stop_spinner(adapter.0.clone(), press("q2"), None, quick).await;
    adapter.answer(&press("q1"), None).await.unwrap();
    let answers: Vec<Value> = fake.calls().iter().map(Call::json).collect();
    assert_eq!(
        answers,
        [
            json!({ "callback_query_id": "q1" }),
            json!({ "callback_query_id": "q2", "text": "For you only", "show_alert": false }),
        ]
    );
}

#[tokio::test]
async fn the_webhook_is_set_and_watched() {
    let gone = AtomicUsize::new(0);
    let fake = Fake::start(move |call| match call.method.as_str() {
        "GetWebhookInfo" if gone.fetch_add(1, Ordering::Relaxed) == 0 => {
            Reply::Result(json!({ "url": "http://x.example/hooks/telegram", "pending_update_count": 0 }))
        }
        "GetWebhookInfo" => Reply::Result(json!({ "url": "", "pending_update_count": 3 })),
        _ => usual(call),
    })
    .await;
    let more = json!({ "receive": "webhook", "webhook_secret": SECRET, "public_url": "http://x.example" });
    let adapter = Arc::new(fake.adapter_with(more));
    let connect = adapter.clone().intake(Arc::new(Sink::default()).inbox()).connect.unwrap();
    tokio::select! {
        ended = connect => panic!("{ended:?}"),
        () = until(|| adapter.0.menus.done() && fake.methods().contains(&"GetWebhookInfo".to_owned())) => {}
    }
    let set = fake.calls().into_iter().find(|call| call.method == "SetWebhook").unwrap();
    assert_eq!(set.path, format!("/bot{TOKEN}/SetWebhook"));
    assert_eq!(
        set.json(),
        json!({
            "url": "http://x.example/hooks/telegram",
            "secret_token": SECRET,
            "allowed_updates": ["message", "edited_message", "callback_query", "my_chat_member", "message_reaction"],
        })
    );
    let often = Duration::from_millis(1);
    let ended = super::webhook::watch(&adapter.0, adapter.0.hook(), often).await.unwrap_err();
    assert!(matches!(&ended, SendError::Retry { why, .. } if why.contains("removed")), "{ended}");
}

#[test]
fn s28_lone_surrogates() {
    assert_eq!(parse(r#"{"a":"\udc00é"}"#).unwrap()["a"], "\u{fffd}é");
    assert!(parse("{").is_err() && parse("").is_err());
}

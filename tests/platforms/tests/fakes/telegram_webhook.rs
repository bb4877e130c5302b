use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Response;
use deskbridge_platforms::http::{Outage, Server, text};
use deskbridge_platforms::telegram::{FakeTelegram, Way};
use serde_json::{Value, json};

use crate::client::ok;

type Answers = HashMap<String, Vec<Response<Body>>>;

/// A bot's endpoint: answers by the text of the message, else 200.
struct Endpoint {
    server: Server,
    seen: Arc<Mutex<Vec<(String, Value)>>>,
}

fn text_of(update: &Value) -> String {
    let of = |kind: &str, field: &str| update[kind][field].as_str().map(str::to_owned);
    of("message", "text").or_else(|| of("callback_query", "data")).unwrap_or_default()
}

async fn endpoint(answers: Answers) -> Endpoint {
    let seen: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
    let answers = Arc::new(Mutex::new(answers));
    let noted = seen.clone();
    let answer = move |request: hyper::Request<hyper::body::Incoming>| {
        let (answers, noted) = (answers.clone(), noted.clone());
        async move {
            let secret = request.headers().get("x-telegram-bot-api-secret-token");
            let secret = secret.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
            assert_eq!(request.headers()["content-type"], "application/json");
            let bytes = to_bytes(Body::new(request.into_body()), 1 << 20).await.expect("a body");
            let update: Value = serde_json::from_slice(&bytes).expect("JSON");
            let answer = answers.lock().expect("a lock").get_mut(&text_of(&update)).and_then(Vec::pop);
            noted.lock().expect("a lock").push((secret, update));
            Ok(answer.unwrap_or_else(|| text(200, "text/plain", "")))
        }
    };
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = Server::start(anywhere, Outage::default(), answer).await.expect("a port");
    Endpoint { server, seen }
}

async fn wired(answers: Answers) -> (FakeTelegram, Endpoint) {
    let fake = FakeTelegram::hurried(0.001).await;
    fake.user(7, "Ana");
    fake.user(8, "Bea");
    let endpoint = endpoint(answers).await;
    let url = format!("http://{}/hooks/t", endpoint.server.address());
    ok(&fake, "setWebhook", json!({ "url": url, "secret_token": "s3cret_-", "max_connections": 5 })).await;
    (fake, endpoint)
}

async fn all_taken(fake: &FakeTelegram) {
    fake.wait_until(Duration::from_secs(5), |w| w.pending_updates() == 0).await.expect("an empty queue");
}

fn seen_texts(endpoint: &Endpoint) -> Vec<String> {
    endpoint.seen.lock().expect("a lock").iter().map(|(_, update)| text_of(update)).collect()
}

#[tokio::test]
async fn updates_are_posted_with_the_secret() {
    let (fake, endpoint) = wired(Answers::new()).await;
    fake.private_message(7, "one");
    all_taken(&fake).await;
    let seen = endpoint.seen.lock().expect("a lock").clone();
    assert_eq!((seen[0].0.as_str(), &seen[0].1["message"]["text"]), ("s3cret_-", &json!("one")));
    let info = ok(&fake, "getWebhookInfo", json!({})).await;
    assert_eq!((&info["pending_update_count"], &info["max_connections"]), (&json!(0), &json!(5)));
}

#[tokio::test]
async fn a_failing_head_holds_up_its_chat_and_nothing_else() {
    let refusals =
        vec![text(500, "text/plain", ""), text(503, "text/plain", ""), text(400, "text/plain", "")];
    let (fake, endpoint) = wired(Answers::from([("bad".to_owned(), refusals)])).await;
    fake.settings(|settings| settings.time_scale = 0.01);
    fake.private_message(7, "bad");
    fake.private_message(7, "after bad");
    let message = fake.private_message(8, "other chat");
    fake.press_forged(7, 8, message, "press");
    all_taken(&fake).await;
    let texts = seen_texts(&endpoint);
    assert_eq!(texts.iter().filter(|text| *text == "bad").count(), 4);
    assert_eq!(texts.last().map(String::as_str), Some("after bad"));
    let place = |wanted: &str| texts.iter().position(|text| text == wanted).expect(wanted);
    assert!(place("press") < texts.len() - 1 && place("other chat") < texts.len() - 1);
    let statuses: Vec<_> = fake.read(|world| {
        let first = world.ledger.deliveries.iter().map(|d| d.update_id).min().expect("a delivery");
        let of_first = world.ledger.deliveries.iter().filter(|d| d.update_id == first);
        of_first.map(|delivery| (delivery.way.clone(), delivery.at_ms)).collect()
    });
    let ways: Vec<_> = statuses.iter().map(|(way, _)| way.clone()).collect();
    let posted = |attempt, status| Way::Posted { attempt, status: Some(status) };
    assert_eq!(ways, [posted(1, 400), posted(2, 503), posted(3, 500), posted(4, 200)]);
    // At once, then 2 s, then 4 s, a hundred times faster.
    assert!(statuses[2].1 - statuses[1].1 >= 20 && statuses[3].1 - statuses[2].1 >= 40, "{statuses:?}");
    let info = ok(&fake, "getWebhookInfo", json!({})).await;
    assert_eq!(info["last_error_message"], "Wrong response from the webhook: 500 Internal Server Error");
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let mut busy = text(429, "text/plain", "");
    busy.headers_mut().insert("retry-after", 50.into());
    let (fake, endpoint) = wired(Answers::from([("x".to_owned(), vec![busy])])).await;
    fake.private_message(7, "x");
    all_taken(&fake).await;
    assert_eq!(seen_texts(&endpoint).len(), 2);
    let times: Vec<u64> = fake.read(|w| w.ledger.deliveries.iter().map(|d| d.at_ms).collect());
    assert!(times[1] - times[0] >= 50, "{times:?}");
}

#[tokio::test]
async fn a_method_in_the_answer_is_carried_out_and_written_down() {
    let call = json!({ "method": "sendMessage", "chat_id": 7, "text": "echoed" }).to_string();
    let get = json!({ "method": "getMe" }).to_string();
    let answer = |body: String| vec![text(200, "application/json", body)];
    let (fake, _endpoint) =
        wired(Answers::from([("a".to_owned(), answer(call)), ("b".to_owned(), answer(get))])).await;
    fake.private_message(7, "a");
    fake.private_message(7, "b");
    all_taken(&fake).await;
    assert_eq!(fake.sent_to(7).len(), 1);
    assert_eq!(fake.violations().len(), 2);
}

#[tokio::test]
async fn a_secret_is_checked_and_strictness_is_optional() {
    let fake = FakeTelegram::start().await;
    let set = |url: &str, secret: &str| json!({ "url": url, "secret_token": secret });
    let why = crate::client::refused(&fake, "setWebhook", set("https://x.y/", "no good")).await;
    assert_eq!(why.1, "Bad Request: secret token contains unallowed characters");
    fake.settings(|settings| settings.strict_webhook_urls = true);
    let why = crate::client::refused(&fake, "setWebhook", set("http://x.y/", "ok")).await;
    assert_eq!(why.1, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook");
}

#[tokio::test]
async fn what_waits_too_long_is_lost() {
    let refusals = (0..100).map(|_| text(500, "text/plain", "")).collect();
    let (fake, _endpoint) = wired(Answers::from([("press".to_owned(), refusals)])).await;
    let message = fake.private_message(7, "x");
    all_taken(&fake).await;
    // A press lives 150 s, here 150 ms.
    fake.press_forged(7, 7, message, "press");
    all_taken(&fake).await;
    assert_eq!(fake.read(|w| w.ledger.lost.len()), 1);
}

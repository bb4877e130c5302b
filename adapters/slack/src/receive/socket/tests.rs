//! Over real sockets, against a server of a few lines. Not here: how Slack behaves (`tests/platforms`).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{any, get};
use axum::{Json, Router};
use deskbridge_contract::{Adapter as _, ChannelName, PushError, SendError, Timestamp};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::receive::tests::{Sink, callback, message, until};
use crate::{Config, SlackAdapter};

/// One connection as the server sees it.
#[derive(Clone)]
struct Line {
    out: mpsc::UnboundedSender<Option<Value>>,
    heard: Arc<Mutex<Vec<Value>>>,
    open: Arc<AtomicBool>,
}

impl Line {
    fn say(&self, what: Value) {
        self.out.send(Some(what)).unwrap();
    }

    fn hang_up(&self) {
        self.out.send(None).unwrap();
    }

    fn envelope(&self, id: &str, kind: &str, payload: &Value) {
        self.say(json!({ "envelope_id": id, "type": kind, "payload": payload,
            "accepts_response_payload": kind != "events_api", "retry_attempt": 0 }));
    }

    fn acknowledged(&self, id: &str) -> Option<Value> {
        self.heard.lock().unwrap().iter().find(|said| said["envelope_id"] == id).cloned()
    }
}

#[derive(Default)]
struct Server {
    lines: Mutex<Vec<Line>>,
    /// What a hello says of its life, in seconds.
    lasts: AtomicU64,
    refuse: AtomicBool,
    port: AtomicU64,
    opened: AtomicU64,
    histories: AtomicU64,
}

impl Server {
    async fn start() -> Arc<Server> {
        let server = Arc::new(Server::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        server.port.store(listener.local_addr().unwrap().port().into(), Ordering::Relaxed);
        let router = Router::new()
            .route("/api/{method}", any(api))
            .route("/link/{ticket}", get(link))
            .with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    fn line(&self, nth: usize) -> Line {
        self.lines.lock().unwrap()[nth].clone()
    }

    fn count(&self) -> usize {
        self.lines.lock().unwrap().len()
    }
}

async fn api(State(server): State<Arc<Server>>, Path(method): Path<String>) -> Json<Value> {
    let port = server.port.load(Ordering::Relaxed);
    Json(match method.as_str() {
        "apps.connections.open" if server.refuse.load(Ordering::Relaxed) => {
            json!({ "ok": false, "error": "internal_error" })
        }
        "apps.connections.open" => {
            let ticket = server.opened.fetch_add(1, Ordering::Relaxed);
            json!({ "ok": true, "url": format!("ws://127.0.0.1:{port}/link/{ticket}?secret=planted") })
        }
        "auth.test" => json!({ "ok": true, "url": "https://acme.slack.com/", "team": "Acme", "team_id": "T1",
            "user": "itdesk", "user_id": "U0BOT", "bot_id": "B0BOT" }),
        "users.info" => {
            json!({ "ok": true, "user": { "id": "U1ANA", "profile": { "display_name": "Ana" } } })
        }
        "conversations.history" => {
            server.histories.fetch_add(1, Ordering::Relaxed);
            json!({ "ok": true, "messages": [] })
        }
        "conversations.open" => json!({ "ok": true, "channel": { "id": "D1ANA" } }),
        _ => json!({ "ok": true, "messages": [], "ts": "1789999500.000100" }),
    })
}

async fn link(State(server): State<Arc<Server>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| hold(server, socket))
}

async fn hold(server: Arc<Server>, mut socket: WebSocket) {
    let (out, mut saying) = mpsc::unbounded_channel();
    let line = Line { out, heard: Arc::default(), open: Arc::new(AtomicBool::new(true)) };
    let lasts = server.lasts.load(Ordering::Relaxed);
    let hello = json!({ "type": "hello", "num_connections": 1, "connection_info": { "app_id": "A0BOT" },
        "debug_info": { "host": "applink-1", "approximate_connection_time": lasts } });
    if socket.send(Message::text(hello.to_string())).await.is_err() {
        return;
    }
    server.lines.lock().unwrap().push(line.clone());
    loop {
        tokio::select! {
            said = saying.recv() => match said.flatten() {
                Some(said) => {
                    if socket.send(Message::text(said.to_string())).await.is_err() {
                        break;
                    }
                }
                None => break,
            },
            heard = socket.recv() => match heard {
                Some(Ok(Message::Text(heard))) => {
                    line.heard.lock().unwrap().push(serde_json::from_str(&heard).unwrap());
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    line.open.store(false, Ordering::Relaxed);
}

struct Running {
    server: Arc<Server>,
    sink: Arc<Sink>,
    task: JoinHandle<Result<(), SendError>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(server: Arc<Server>, sockets: usize) -> Running {
    let base = format!("http://127.0.0.1:{}/api", server.port.load(Ordering::Relaxed));
    let section =
        json!({ "bot_token": "xoxb-1", "app_token": "xapp-1", "api_base": base, "sockets": sockets });
    let config = Config::from_value(section).ok().unwrap().without_pace();
    let clock = Arc::new(|| Timestamp::from_seconds(1_790_000_000));
    let adapter = Arc::new(SlackAdapter::new(ChannelName::new("slack"), config, clock).unwrap());
    let sink = Arc::new(Sink::default());
    let task = tokio::spawn(adapter.intake(sink.inbox()).connect.unwrap());
    Running { server, sink, task }
}

async fn started(sockets: usize) -> Running {
    let running = run(Server::start().await, sockets).await;
    until("the sockets", || running.server.count() == sockets).await;
    running
}

async fn ended(mut running: Running) -> Result<(), SendError> {
    tokio::time::timeout(Duration::from_secs(20), &mut running.task).await.unwrap().unwrap()
}

fn said(n: usize) -> Value {
    callback(message("D1ANA", &format!("17899999{n:02}.000100"), &format!("number {n}")))
}

#[tokio::test]
async fn an_envelope_is_acknowledged_after_the_commit_and_not_without_one() {
    let running = started(1).await;
    let line = running.server.line(0);
    line.envelope("e1", "events_api", &said(1));
    until("the acknowledgement", || line.acknowledged("e1").is_some()).await;
    assert_eq!(running.sink.texts(), ["number 1"]);
    assert_eq!(line.acknowledged("e1"), Some(json!({ "envelope_id": "e1" })));
    *running.sink.fail.lock().unwrap() = Some(PushError::Unavailable);
    line.envelope("e2", "events_api", &said(2));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(line.acknowledged("e2"), None);
    // Slack brings it again.
    *running.sink.fail.lock().unwrap() = None;
    line.envelope("e3", "events_api", &said(2));
    until("the second attempt", || line.acknowledged("e3").is_some()).await;
    assert_eq!(running.sink.texts(), ["number 1", "number 2"]);
}

/// T1 over sockets: copies of an event on both of them, some said to be first attempts.
#[tokio::test]
async fn t1_copies_over_several_sockets_are_one_effect() {
    let running = started(2).await;
    for n in 0..50 {
        let line = running.server.line(n % 2);
        line.envelope(&format!("e{n}"), "events_api", &said(n / 5));
    }
    for n in 0..50 {
        let line = running.server.line(n % 2);
        until("every acknowledgement", || line.acknowledged(&format!("e{n}")).is_some()).await;
    }
    let mut texts = running.sink.texts();
    texts.sort();
    let expected: Vec<String> = (0..10).map(|n| format!("number {n}")).collect();
    assert_eq!(texts, expected);
}

#[tokio::test]
async fn messages_of_a_room_keep_their_order() {
    let running = started(1).await;
    let line = running.server.line(0);
    for n in 0..60 {
        line.envelope(&format!("e{n}"), "events_api", &said(n));
    }
    until("all of them", || running.sink.texts().len() == 60).await;
    assert_eq!(running.sink.texts(), (0..60).map(|n| format!("number {n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn f20_a_warned_socket_is_replaced_before_it_ends() {
    let running = started(1).await;
    let old = running.server.line(0);
    old.say(json!({ "type": "disconnect", "reason": "warning", "debug_info": { "host": "applink-1" } }));
    until("the next socket", || running.server.count() == 2).await;
    let new = running.server.line(1);
    // Both receive for a while: Slack may still send by the old one.
    old.envelope("e1", "events_api", &said(1));
    new.envelope("e2", "events_api", &said(2));
    until("both", || old.acknowledged("e1").is_some() && new.acknowledged("e2").is_some()).await;
    old.say(json!({ "type": "disconnect", "reason": "refresh_requested" }));
    old.hang_up();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(new.open.load(Ordering::Relaxed));
    assert_eq!(running.server.count(), 2, "the end of a replaced socket opens no third");
    assert!(!running.task.is_finished());
}

#[tokio::test]
async fn f20_a_socket_is_renewed_before_its_time_is_over() {
    let server = Server::start().await;
    server.lasts.store(1, Ordering::Relaxed);
    let running = run(server, 1).await;
    until("the first", || running.server.count() == 1).await;
    let first = running.server.line(0);
    running.server.lasts.store(3600, Ordering::Relaxed);
    until("the second", || running.server.count() == 2).await;
    assert!(first.open.load(Ordering::Relaxed), "no gap");
}

#[tokio::test]
async fn a_lost_socket_is_opened_again() {
    let running = started(1).await;
    running.server.line(0).hang_up();
    until("another", || running.server.count() == 2).await;
    let line = running.server.line(1);
    line.envelope("e1", "events_api", &said(1));
    until("the acknowledgement", || line.acknowledged("e1").is_some()).await;
    // Now there is a room in which something could be missed.
    line.hang_up();
    until("what was missed", || running.server.histories.load(Ordering::Relaxed) > 0).await;
}

#[tokio::test]
async fn when_slack_stays_away_the_channel_says_so_without_the_sockets_address() {
    let running = started(1).await;
    running.server.refuse.store(true, Ordering::Relaxed);
    running.server.line(0).hang_up();
    let why = ended(running).await.unwrap_err().to_string();
    assert!(!why.contains("planted"), "{why}");
}

#[tokio::test]
async fn a_disabled_link_is_not_tried_again() {
    let running = started(1).await;
    running.server.line(0).say(json!({ "type": "disconnect", "reason": "link_disabled" }));
    assert!(matches!(ended(running).await, Err(SendError::Unauthorized { .. })));
}

#[tokio::test]
async fn a_command_is_answered_by_its_acknowledgement() {
    let running = started(1).await;
    let line = running.server.line(0);
    let help = json!({ "command": "/desk", "text": "help", "team_id": "T1", "user_id": "U1ANA",
        "channel_id": "C1ALL", "trigger_id": "1.2.3" });
    line.envelope("e1", "slash_commands", &help);
    until("the answer", || line.acknowledged("e1").is_some()).await;
    let said = line.acknowledged("e1").unwrap();
    assert_eq!(said["payload"]["response_type"], "ephemeral");
    // What is unknown is kept, and acknowledged.
    let novelty = json!({ "type": "novelty", "team": { "id": "T1" }, "user": { "id": "U1ANA" } });
    line.envelope("e2", "interactive", &novelty);
    line.envelope("e3", "events_api", &json!({ "nothing": true }));
    until("both", || line.acknowledged("e2").is_some() && line.acknowledged("e3").is_some()).await;
    assert_eq!(running.sink.quarantined.lock().unwrap().len(), 2);
}

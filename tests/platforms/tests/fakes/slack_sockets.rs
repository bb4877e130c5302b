//! The fake's Socket Mode, met by `@slack/socket-mode`, the vendor's own client (peers.md).
//! Needs it among the npm peers: `cargo xtask with -- …`.

use std::process::Stdio;
use std::time::Duration;

use deskbridge_platforms::slack::{Settings, Way};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::slack_app::{PATIENCE, Scene, refused};

struct Client {
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Client {
    /// `None` where it cannot be had.
    async fn start(scene: &Scene) -> Option<Self> {
        let Some(modules) = std::env::var_os("DESKBRIDGE_TEST_NODE_MODULES") else {
            eprintln!("skipped: needs @slack/socket-mode (DESKBRIDGE_TEST_NODE_MODULES is not set)");
            return None;
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fakes/socket_mode.cjs");
        let mut command = Command::new("node");
        command.arg(script).arg(format!("{}/", scene.fake.api_url())).arg(&scene.app.app_token);
        command.env("NODE_PATH", modules).env("NO_PROXY", "127.0.0.1").kill_on_drop(true);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("node starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut client = Client { lines, _child: child };
        client.until(|line| line["state"] == "connected").await;
        Some(client)
    }

    async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.expect("in time");
        serde_json::from_str(&line.expect("read").expect("it runs")).expect("JSON")
    }

    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.next().await;
            if wanted(&line) {
                return line;
            }
        }
    }
}

async fn scene() -> Scene {
    let settings =
        Settings { time_scale: 0.001, ack_deadline: Duration::from_millis(700), ..Settings::default() };
    let scene = Scene::set(settings).await;
    scene.app.use_sockets();
    scene
}

#[tokio::test]
async fn the_vendors_client_takes_events_and_acknowledges_them() {
    let scene = scene().await;
    let Some(mut client) = Client::start(&scene).await else { return };
    scene.acme.dm(&scene.ana, &scene.app, "hello");
    let event = client.until(|line| line["type"] == "events_api").await;
    assert_eq!((&event["text"], &event["accepts_response_payload"]), (&json!("hello"), &json!(false)));
    scene.acme.command(&scene.ana, &scene.app, &scene.help, "/desk", "status");
    client.until(|line| line["type"] == "slash_commands").await;
    scene.acme.shortcut(&scene.ana, &scene.app, "ask");
    client.until(|line| line["type"] == "interactive").await;
    scene.quiet().await;
    assert_eq!(scene.acme.whispers(&scene.help, &scene.ana)[0].text, "two open requests");
    let by_socket = scene.fake.read(|world| world.ledger.deliveries.iter().all(|it| it.way == Way::Socket));
    assert!(by_socket && scene.receiver.got().is_empty());
    assert_eq!(scene.fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again() {
    let scene = scene().await;
    let Some(mut client) = Client::start(&scene).await else { return };
    scene.acme.dm(&scene.ana, &scene.app, "leave me");
    let first = client.until(|line| line["type"] == "events_api").await;
    let second = client.until(|line| line["type"] == "events_api").await;
    assert_eq!((&first["retry_num"], &second["retry_num"]), (&json!(0), &json!(1)));
    assert_eq!((&second["retry_reason"], &second["event_id"]), (&json!("timeout"), &first["event_id"]));
    scene.quiet().await;
    assert!(scene.fake.read(|world| world.ledger.lost.is_empty()));
}

#[tokio::test]
async fn a_refresh_brings_a_new_connection() {
    let scene = scene().await;
    let Some(mut client) = Client::start(&scene).await else { return };
    assert_eq!(scene.app.sockets(), 1);
    scene.app.disconnect("refresh_requested");
    client.until(|line| line["state"] == "connected").await;
    scene.acme.dm(&scene.ana, &scene.app, "still there?");
    assert_eq!(client.until(|line| line["type"] == "events_api").await["text"], "still there?");
    let opened = scene.fake.requests("apps.connections.open").len();
    assert!(opened >= 2, "{opened}");
    scene.app.cut_sockets();
    client.until(|line| line["state"] == "connected").await;
}

#[tokio::test]
async fn an_address_is_for_an_app_token_and_for_socket_mode() {
    let scene = scene().await;
    assert_eq!(refused(&scene.app, "apps.connections.open", json!({})).await, "not_allowed_token_type");
    let mut app = scene.app.clone();
    app.bot_token = scene.app.app_token.clone();
    scene.app.post_to("http://127.0.0.1:9/");
    assert_eq!(refused(&app, "apps.connections.open", json!({})).await, "socket_mode_not_enabled");
}

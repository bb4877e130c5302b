//! The main conversation against Slack as others play it: the npm package `emulate`, with its own Web API, threads, direct
//! messages, files, scopes and really signed events.
//!
//! Not here: what it does not play (buttons, commands, retries, limits, sockets): the fake in `tests/platforms` does.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::super::bridge::{Base, Bridge, PATIENCE, client, free_port};
use super::super::talk::UNPACED;
use super::technician;

const SECRET: &str = "emulated-signing-secret";

/// The emulator as a process, and who is there.
struct Emulated {
    base: String,
    who: Value,
    _child: Child,
}

impl Emulated {
    /// `None` where the package cannot be had.
    async fn start(events: &str) -> Option<Emulated> {
        let Some(modules) = std::env::var_os("DESKBRIDGE_TEST_NODE_MODULES") else {
            eprintln!("skipped: needs npm `emulate` (DESKBRIDGE_TEST_NODE_MODULES is not set)");
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/setup/emulate.mjs");
        let port = free_port();
        let mut child = Command::new("node")
            .arg(script)
            .args([PathBuf::from(modules), port.to_string().into(), events.into(), SECRET.into()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Node.js");
        let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
        let first = lines.next_line().await.expect("an output").expect("who is there");
        let who = serde_json::from_str(&first).expect("JSON");
        Some(Emulated { base: format!("http://127.0.0.1:{port}"), who, _child: child })
    }

    fn id(&self, name: &str) -> &str {
        self.who[name].as_str().expect("somebody")
    }

    /// A call of the Web API by a person; it must go well.
    async fn call(&self, name: &str, method: &str, body: Value) -> Value {
        let request =
            client().post(format!("{}/api/{method}", self.base)).bearer_auth(format!("xoxp-{name}"));
        let answer: Value = request.json(&body).send().await.expect("answered").json().await.expect("JSON");
        assert_eq!(answer["ok"], true, "{method} {body}: {answer}");
        answer
    }

    async fn say(&self, name: &str, channel: &str, thread: Option<&str>, text: &str) -> String {
        let body = json!({ "channel": channel, "thread_ts": thread, "text": text });
        let said = self.call(name, "chat.postMessage", body).await;
        said["ts"].as_str().expect("a message").to_owned()
    }

    /// All messages of a channel or a thread as a person reads them, oldest first.
    async fn read(&self, name: &str, channel: &str, thread: Option<&str>) -> Vec<Value> {
        let (method, order) =
            if thread.is_some() { ("conversations.replies", 1) } else { ("conversations.history", -1) };
        let body = json!({ "channel": channel, "ts": thread, "limit": 200 });
        let mut all = self.call(name, method, body).await["messages"].as_array().cloned().expect("messages");
        if order < 0 {
            all.reverse();
        }
        all
    }

    /// The latest message of the app that has this in it.
    async fn sees(&self, bridge: &Bridge, name: &str, at: (&str, Option<&str>), what: &str) -> Value {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let all = self.read(name, at.0, at.1).await;
            let own =
                |message: &&Value| message["user"] == self.who["bot"] && message.to_string().contains(what);
            if let Some(found) = all.iter().rev().find(own) {
                return found.clone();
            }
            assert!(tokio::time::Instant::now() < end, "no “{what}” in {all:#?}\nthe log:\n{}", bridge.log());
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// The three steps of an upload.
    async fn upload(&self, name: &str, at: (&str, Option<&str>), file: &str, bytes: &[u8]) {
        let wanted = json!({ "filename": file, "length": bytes.len() });
        let place = self.call(name, "files.getUploadURLExternal", wanted).await;
        let url = place["upload_url"].as_str().expect("an address");
        let sent = client().post(url).body(bytes.to_vec()).send().await.expect("answered");
        assert!(sent.status().is_success());
        let body = json!({ "files": [{ "id": place["file_id"], "title": file }], "channel_id": at.0, "thread_ts": at.1,
            "initial_comment": format!("see {file}") });
        self.call(name, "files.completeUploadExternal", body).await;
    }

    /// The bytes of the first file of a message, as that person gets them.
    async fn download(&self, name: &str, message: &Value) -> Vec<u8> {
        let url = message["files"][0]["url_private"].as_str().expect("an address");
        let answer = client().get(url).bearer_auth(format!("xoxp-{name}")).send().await.expect("answered");
        assert!(answer.status().is_success(), "{url}: {}", answer.status());
        answer.bytes().await.expect("bytes").to_vec()
    }
}

/// Signed events in, thread replies out, files both ways.
#[tokio::test]
async fn slack_the_main_conversation_with_the_emulator() {
    let mut bridge = Bridge::with("", Base::Sqlite).await.expect("SQLite is always there");
    let Some(slack) = Emulated::start(&bridge.url("/hooks/slack")).await else { return };
    let (desk, base) = (slack.id("desk").to_owned(), &slack.base);
    let channel = format!(
        "[channels.slack]\nadapter = \"slack\"\nbot_token = \"xoxb-desk\"\nsigning_secret = \"{SECRET}\"\n\
         receive = \"http\"\napi_base = \"{base}/api/\"\n[channels.slack.desk]\nroom = \"{desk}\"\n"
    );
    let bob = technician("Bob", &format!("slack:{}", slack.id("bob")));
    bridge.configure(|text| [text, channel, bob].join("\n"));
    bridge.start_as(&UNPACED).await;

    let opened = slack.call("ana", "conversations.open", json!({ "users": slack.id("bot") })).await;
    let im = opened["channel"]["id"].as_str().expect("a direct message").to_owned();
    let (to_ana, at_desk) = ((im.as_str(), None), (desk.as_str(), None));
    slack.say("ana", &im, None, "my printer is jammed").await;
    slack.sees(&bridge, "ana", to_ana, "Printer paper jam").await;
    slack.say("ana", &im, None, "I want to talk to a human").await;
    let card = slack.sees(&bridge, "bob", at_desk, "Previous troubleshooting").await;
    let root = card["ts"].as_str().expect("a card").to_owned();
    let thread = (desk.as_str(), Some(root.as_str()));
    slack.sees(&bridge, "bob", thread, "yours to accept").await;
    slack.say("bob", &desk, Some(&root), "!accept").await;
    slack.sees(&bridge, "ana", to_ana, "has joined").await;

    let told = slack.say("bob", &desk, Some(&root), "Pull the *gren* lever &amp; wait").await;
    let shown = slack.sees(&bridge, "ana", to_ana, "gren").await;
    assert_eq!(shown["username"], "Bob");
    let change = json!({ "channel": desk, "ts": told, "text": "Pull the *green* lever &amp; wait" });
    slack.call("bob", "chat.update", change).await;
    slack.sees(&bridge, "ana", to_ana, "green").await;
    slack.say("ana", &im, None, "it beeps now").await;
    let relayed = slack.sees(&bridge, "bob", thread, "it beeps now").await;
    assert_eq!(relayed["username"], "Ana");

    let (log, manual) = (vec![b'x'; 50_000], vec![b'y'; 60_000]);
    slack.upload("ana", to_ana, "error.txt", &log).await;
    let relayed = slack.sees(&bridge, "bob", thread, "error.txt").await;
    assert!(slack.download("bob", &relayed).await == log);
    slack.upload("bob", thread, "manual.txt", &manual).await;
    let relayed = slack.sees(&bridge, "ana", to_ana, "manual.txt").await;
    assert!(slack.download("ana", &relayed).await == manual);

    slack.say("bob", &desk, Some(&root), "!resolve").await;
    slack.sees(&bridge, "ana", to_ana, "has marked this as resolved").await;
    // Every post of ours came back as an event, and none was taken for somebody's words.
    let said: Vec<Value> = bridge.rows("messages").await;
    let by_people = said.iter().filter(|row| row["author"].to_string().contains("equester")).count();
    assert_eq!(by_people, 4, "{said:#?}");
    let once = |text: &str, all: &[Value]| {
        all.iter().filter(|message| message["text"].to_string().contains(text)).count()
    };
    let all = slack.read("ana", &im, None).await;
    assert_eq!((once("Printer paper jam", &all), once("lever", &all), once("gren", &all)), (1, 1, 0));
}

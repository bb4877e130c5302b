//! The fake Discord met by `discord.js`, the client that most bots are made of (peers.md): a fake that we wrote could be
//! wrong in the same way as the adapter that we wrote. Needs it among the npm peers: `cargo xtask with -- …`.

use std::process::Stdio;

use deskbridge_platforms::discord::{Post, World};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::discord_app::{PATIENCE, Scene};

struct Client {
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Client {
    /// `None` where it cannot be had.
    async fn start(scene: &Scene) -> Option<Self> {
        let Some(modules) = std::env::var_os("DESKBRIDGE_TEST_NODE_MODULES") else {
            eprintln!("skipped: needs discord.js (DESKBRIDGE_TEST_NODE_MODULES is not set)");
            return None;
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fakes/discord_js.cjs");
        let mut command = Command::new("node");
        command.arg(script).arg(format!("{}/api", scene.fake.base_url())).arg(&scene.app.token);
        command.env("NODE_PATH", modules).env("NO_PROXY", "127.0.0.1").kill_on_drop(true);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("node starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut client = Client { lines, _child: child };
        let ready = client.until(|line| line["state"] == "ready").await;
        assert_eq!((&ready["user"], &ready["guilds"]), (&json!("IT Desk"), &json!(["Acme"])));
        Some(client)
    }

    /// The first line that is wanted; a failure is never passed over.
    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut heard = Vec::new();
        loop {
            let Ok(line) = tokio::time::timeout(PATIENCE, self.lines.next_line()).await else {
                panic!("nothing more was said in time; before: {heard:?}");
            };
            let line: Value = serde_json::from_str(&line.expect("read").expect("it runs")).expect("JSON");
            assert_ne!(line["state"], "failed", "{line}");
            if wanted(&line) {
                return line;
            }
            heard.push(line);
        }
    }
}

#[tokio::test]
async fn it_hears_and_writes_messages() {
    let scene = Scene::usual().await;
    let Some(mut client) = Client::start(&scene).await else { return };
    let first = scene.fake.say(scene.ana, scene.help, Post::text("answer me").file("a.txt", "page"));
    let heard = client.until(|line| line["said"] == "answer me").await;
    assert_eq!((&heard["by"], &heard["files"]), (&json!(scene.ana), &json!(["a.txt"])));
    client.until(|line| line["said"] == "an answer").await;
    scene.fake.say(scene.ana, scene.help, "two files");
    client.until(|line| line["files"] == json!(["one.txt", "two.txt"])).await;
    let dm = scene.fake.dm(scene.bob, &scene.app);
    scene.fake.say(scene.bob, dm, "in private");
    assert_eq!(client.until(|line| line["said"] == "in private").await["dm"], true);
    scene.fake.edit(scene.ana, scene.help, first, "changed");
    client.until(|line| line["changed"] == "changed").await;
    scene.fake.react(scene.ana, scene.help, first, "👍");
    client.until(|line| line["reaction"] == "👍").await;
    scene.fake.delete(scene.ana, scene.help, first);
    client.until(|line| line["deleted"] == first).await;
    assert_eq!(scene.fake.transcript(scene.help)[0], "IT Desk: an answer");
    assert!(scene.fake.read(|world| world.pings.is_empty()));
    assert_eq!(scene.fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn it_opens_posts_and_answers_interactions() {
    let scene = Scene::usual().await;
    let Some(mut client) = Client::start(&scene).await else { return };
    scene.fake.say(scene.ana, scene.help, "open a post");
    let opened = client.until(|line| line["opened"].is_string()).await;
    let post = scene.fake.threads_of(scene.desk).remove(0);
    assert_eq!((&opened["opened"], post.archived, post.locked), (&json!(post.id), true, true));
    assert_eq!(scene.fake.read(|world| world.tags_of(post.id)), ["urgent"]);
    assert_eq!(scene.fake.transcript(post.id), ["IT Desk: broken | Ana | State: waiting [Accept]"]);
    scene.fake.moderate(post.id, |thread| (thread.archived, thread.locked) = (false, false));
    scene.fake.press(scene.bob, post.id, post.id, "Accept");
    client.until(|line| line["interaction"] == 3).await;
    assert_eq!(scene.fake.transcript(post.id), ["IT Desk: taken | Ana | State: waiting"]);
    let asked = scene.fake.command(scene.ana, &scene.app, scene.help, "ask", &[]);
    client.until(|line| line["interaction"] == 2).await;
    scene.fake.submit(asked, &[("what", "my printer")]);
    client.until(|line| line["interaction"] == 5).await;
    let whispers: Vec<String> =
        scene.fake.whispers(scene.help, scene.ana).into_iter().map(|message| message.content).collect();
    assert_eq!(whispers, ["asked: my printer", "and more"]);
    assert_eq!(scene.fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn it_resumes_and_begins_anew() {
    let scene = Scene::usual().await;
    let Some(mut client) = Client::start(&scene).await else { return };
    let counts = |world: &World| (world.ledger.identifies(), world.ledger.resumes());
    scene.app.tell_to_reconnect();
    client.until(|line| line["state"] == "resumed").await;
    scene.app.cut_sockets();
    scene.fake.wait_until(PATIENCE, |world| world.connections(scene.app.id) == 0).await.expect("cut");
    scene.fake.say(scene.ana, scene.help, "missed");
    client.until(|line| line["said"] == "missed").await;
    client.until(|line| line["state"] == "resumed").await;
    assert_eq!(scene.fake.read(counts), (1, 2));
    // The session is gone: a new one is begun, and only one.
    scene.app.invalidate(false);
    scene.fake.wait_until(PATIENCE, |world| counts(world) == (2, 2)).await.expect("a new session");
    scene.fake.say(scene.ana, scene.help, "still there?");
    client.until(|line| line["said"] == "still there?").await;
    // What cannot be mended is given up.
    scene.app.reset_token();
    assert_eq!(client.until(|line| line["state"] == "disconnected").await["code"], 4004);
    assert_eq!(scene.fake.violations(), Vec::<String>::new());
}

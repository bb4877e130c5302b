//! The fake Slack driven by `slack_sdk`, the vendor's own client (peers.md), which also judges its signatures: a fake that
//! we wrote could be wrong in the same way as the adapter that we wrote. Needs a Python that has it: `cargo xtask with -- …`.

use std::process::Stdio;

use deskbridge_platforms::slack::signature;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::slack_app::{PATIENCE, Scene};

/// What slack_sdk found; `None` where it cannot be had.
async fn judge(given: Value) -> Option<Value> {
    let Some(python) = std::env::var_os("DESKBRIDGE_TEST_PYTHON") else {
        eprintln!("skipped: needs slack_sdk (DESKBRIDGE_TEST_PYTHON is not set)");
        return None;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fakes/slack_sdk.py");
    // -P: the script's own name must not stand in for the package's.
    let mut command = Command::new(python);
    command.args(["-P", script]).env("NO_PROXY", "127.0.0.1").kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("python starts");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(given.to_string().as_bytes()).await.expect("written");
    drop(input);
    let done = child.wait_with_output().await.expect("ended");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    Some(serde_json::from_slice(&done.stdout).expect("an object"))
}

/// Everything that went out to the app, with its signature, and forgeries of it.
fn signed(scene: &Scene) -> (Vec<Value>, Vec<bool>) {
    let (mut all, mut expected) = (Vec::new(), Vec::new());
    let mut add = |body: &str, stamp: &str, signature: &str, good: bool| {
        all.push(json!([body, stamp, signature]));
        expected.push(good);
    };
    for got in scene.receiver.got() {
        let header = |name| got.header(name).expect("a header").to_owned();
        let (stamp, mark) = (header("x-slack-request-timestamp"), header("x-slack-signature"));
        add(&got.body, &stamp, &mark, true);
        // One digit is another; one byte more; signed by somebody else; too old.
        let last = if mark.ends_with('0') { '1' } else { '0' };
        add(&got.body, &stamp, &format!("{}{last}", &mark[..mark.len() - 1]), false);
        add(&format!("{} ", got.body), &stamp, &mark, false);
        add(&got.body, &stamp, &signature("another", &stamp, got.body.as_bytes()), false);
        let old = (stamp.parse::<i64>().expect("a number") - 301).to_string();
        add(&got.body, &old, &signature(&scene.app.signing_secret, &old, got.body.as_bytes()), false);
    }
    (all, expected)
}

#[tokio::test]
async fn the_vendors_client_finds_a_slack() {
    let scene = Scene::hurried().await;
    scene.acme.dm(&scene.ana, &scene.app, "grüße & <more>");
    scene.acme.command(&scene.ana, &scene.app, &scene.help, "/desk", "a+b c%20d ü");
    scene.acme.shortcut(&scene.ana, &scene.app, "ask");
    scene.quiet().await;
    let (signed, expected) = signed(&scene);
    assert_eq!(expected.len(), 15);
    let given = json!({
        "api": scene.fake.api_url(), "token": scene.app.bot_token, "channel": scene.help,
        "secret": scene.app.signing_secret, "signed": signed,
    });
    let Some(found) = judge(given).await else { return };
    assert_eq!(found["signed"], json!(expected));
    assert_eq!(found["me"]["user_id"], scene.app.bot_user.as_str());
    assert_eq!(found["uploaded"], json!(["a.txt"]));
    assert_eq!(found["thread"].as_array().expect("texts")[..2], ["card", "reply, edited"]);
    assert_eq!(found["history"][0]["metadata"]["event_payload"]["delivery_id"], "d1");
    assert_eq!(found["history"][0]["reactions"][0]["name"], "eyes");
    assert_eq!(found["members"], json!([scene.app.bot_user, scene.ana, scene.bob]));
    assert_eq!((&found["person"], &found["by_email"]), (&json!("ana@acme.example"), &json!(true)));
    assert_eq!((&found["streamed"], &found["home"]), (&json!("abc"), &json!("home")));
    assert_eq!(found["refusal"], "message_not_found");
    let wrong = found["messages"][0].as_str().expect("a text");
    assert!(wrong.contains("json-pointer:/blocks/0"), "{wrong}");
    let shared = |world: &deskbridge_platforms::slack::World| {
        let all = world.all_in(&scene.acme.team, &scene.help);
        all.iter().any(|message| message.file_names() == ["a.txt"] && message.text == "a file")
    };
    scene.fake.wait_until(PATIENCE, shared).await.expect("the file comes into the thread");
    assert_eq!(scene.fake.violations(), Vec::<String>::new());
}

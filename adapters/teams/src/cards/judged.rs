//! Every card as Microsoft's own library for them reads it (`adaptivecards`), by the schema's version that each names: a judge
//! by others, for our own checks could be wrong in the same way as our builders. Needs it: `cargo xtask with -- …`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::tests::samples;

/// What the library has against these, by their names; `None` where it cannot be had.
fn judge(given: &Value) -> Option<Vec<String>> {
    let Some(modules) = std::env::var_os("DESKBRIDGE_TEST_NODE_MODULES") else {
        eprintln!("skipped: needs adaptivecards (DESKBRIDGE_TEST_NODE_MODULES is not set)");
        return None;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cards/judged.cjs");
    let mut command = Command::new("node");
    command.arg(script).env("NODE_PATH", modules);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("node starts");
    child.stdin.take().expect("piped").write_all(given.to_string().as_bytes()).expect("written");
    let done = child.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    Some(serde_json::from_slice(&done.stdout).expect("a list"))
}

#[test]
fn every_card_is_one_to_adaptivecards() {
    let mut given: Vec<Value> =
        samples().into_iter().map(|(name, card)| json!({ "name": name, "card": card })).collect();
    // Some that are none, to see that the judge is awake.
    let planted = [
        json!({ "type": "Made.Up" }),
        json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": "x", "weight": "Heavy" }] }),
        json!({ "type": "ActionSet", "actions": [{ "type": "Action.Nope", "title": "x" }] }),
        json!({ "type": "Input.Text", "label": "without an id" }),
    ];
    for (nth, element) in planted.iter().enumerate() {
        let card = json!({ "type": "AdaptiveCard", "version": "1.5", "body": [element] });
        given.push(json!({ "name": format!("planted_{nth}"), "card": card }));
    }
    if let Some(found) = judge(&Value::Array(given)) {
        let (awake, found): (Vec<_>, Vec<_>) = found.iter().partition(|fault| fault.starts_with("planted_"));
        assert_eq!(found, Vec::<&String>::new());
        for nth in 0..planted.len() {
            let name = format!("planted_{nth}:");
            assert!(awake.iter().any(|fault| fault.starts_with(&name)), "{name} {awake:?}");
        }
    }
}

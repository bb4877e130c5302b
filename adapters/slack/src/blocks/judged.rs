//! Every sample as `slack_sdk` sees it, a judge by others: our own limits could be wrong in the same way as our builders.
//! Needs a Python that has it: `cargo xtask with -- …`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::limits::Surface;
use super::tests::samples;

/// What slack_sdk has against these; `None` where it cannot be had.
fn judge(given: &Value) -> Option<Vec<String>> {
    let Some(python) = std::env::var_os("DESKBRIDGE_TEST_PYTHON") else {
        eprintln!("skipped: needs slack_sdk (DESKBRIDGE_TEST_PYTHON is not set)");
        return None;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/blocks/judged.py");
    // -P: the script's own name must not stand in for a package's.
    let mut command = Command::new(python);
    command.args(["-P", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("python starts");
    child.stdin.take().expect("piped").write_all(given.to_string().as_bytes()).expect("written");
    let done = child.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    Some(serde_json::from_slice(&done.stdout).expect("a list"))
}

#[test]
fn every_sample_is_one_to_slack_sdk() {
    let mut given: Vec<Value> = samples()
        .into_iter()
        .map(|(name, surface, shown)| match surface {
            Surface::Message => json!({ "name": name, "blocks": shown }),
            Surface::Modal | Surface::Home => json!({ "name": name, "view": shown }),
        })
        .collect();
    // Two that are not, to see that the judge is awake.
    let long = json!({ "type": "header", "text": { "type": "plain_text", "text": "x".repeat(151) } });
    given.push(json!({ "name": "planted_header", "blocks": [long] }));
    let odd = json!({ "type": "divider", "made_up": 1 });
    given.push(json!({ "name": "planted_key", "blocks": [odd] }));
    if let Some(found) = judge(&Value::Array(given)) {
        let (planned, found): (Vec<_>, Vec<_>) =
            found.iter().partition(|fault| fault.starts_with("planted_"));
        assert_eq!((found, planned.len()), (Vec::new(), 2), "{planned:?}");
    }
}

//! Every token as Microsoft's own `botframework-connector` judges it, against the fake's metadata and keys: our verdicts are
//! the same. Needs a Python that has it: `cargo xtask with -- …`.

use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use deskbridge_platforms::teams::{Forged, Settings};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::subject::{Bench, HOME, MARIA};

/// Where we refuse and it does not, because the rows say so: a token without an end, or with one that is no number (S12).
const STRICTER: [Forged; 2] = [Forged::AbsentEnd, Forged::EndAsText];

/// Which of these it takes; `None` where it cannot be had.
async fn judge(given: &Value) -> Option<Vec<bool>> {
    let Some(python) = std::env::var_os("DESKBRIDGE_TEST_PYTHON") else {
        eprintln!("skipped: needs botframework-connector (DESKBRIDGE_TEST_PYTHON is not set)");
        return None;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/judged.py");
    // -P: the script's own name must not stand in for a package's.
    let mut command = Command::new(python);
    command.args(["-P", "-W", "ignore", script]).env("NO_PROXY", "127.0.0.1").kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("python starts");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(given.to_string().as_bytes()).await.expect("written");
    drop(input);
    let done = child.wait_with_output().await.expect("ended");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    Some(serde_json::from_slice(&done.stdout).expect("a list"))
}

/// One token with what it came with: who says so, for which address and channel.
struct Case {
    name: String,
    authorization: Option<String>,
    activity: Value,
    stricter: bool,
}

/// `now`: of the judge's clock, which cannot be set.
fn cases(bench: &Bench, now: i64) -> Vec<Case> {
    let service = bench.fake.service_url();
    let app = bench.fake.settings().app_id.clone();
    let sign = |service: &str, forged, now| bench.fake.signer().header(&app, service, now, forged);
    let activity = || bench.fake.say(MARIA, HOME, "judged");
    let mut all = Vec::new();
    for forged in Forged::ALL.into_iter().chain([Forged::Nothing]) {
        // Far enough away that a slow machine makes no difference.
        let now = if forged == Forged::NotYet { now + 3600 } else { now };
        all.push(Case {
            name: format!("{forged:?}"),
            authorization: sign(&service, forged, now),
            activity: activity(),
            stricter: STRICTER.contains(&forged),
        });
    }
    for (key, value) in [
        ("channelId", json!("webchat")),
        ("channelId", json!("")),
        ("serviceUrl", json!("https://evil.example/teams/")),
        ("serviceUrl", json!(service.trim_end_matches('/'))),
    ] {
        let mut activity = activity();
        activity[key] = value.clone();
        let authorization = sign(&service, Forged::Nothing, now);
        // An activity of no channel at all it lets pass; the contract has every key vouch for a channel.
        let stricter = key == "channelId" && value == "";
        all.push(Case { name: format!("{key} {value}"), authorization, activity, stricter });
    }
    all
}

#[tokio::test]
async fn s11_to_s16_the_verdicts_of_botframework_connector() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let now = i64::try_from(now).unwrap();
    let bench = Bench::living(Settings { now, ..Settings::default() }).await;
    let cases = cases(&bench, now);
    let tokens: Vec<Value> = cases
        .iter()
        .map(|case| {
            json!({
                "authorization": case.authorization, "service_url": case.activity["serviceUrl"],
                "channel_id": case.activity["channelId"],
            })
        })
        .collect();
    let given = json!({
        "metadata": format!("{}/openid", bench.fake.base()), "app_id": bench.fake.settings().app_id, "tokens": tokens,
    });
    let Some(verdicts) = judge(&given).await else { return };
    assert_eq!(verdicts.len(), cases.len());
    let mut taken = 0;
    for (case, theirs) in cases.iter().zip(verdicts) {
        let request = axum::http::Request::post("/").header("content-type", "application/json");
        let request = match &case.authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        };
        let peer = deskbridge_contract::Peer::at([127, 0, 0, 1].into());
        let request = request.extension(peer).body(case.activity.to_string().into()).unwrap();
        let status = bench.ask(request).await.as_u16();
        assert!([202, 401, 403].contains(&status), "{}: {status}", case.name);
        let ours = status == 202;
        if case.stricter {
            assert!(theirs && !ours, "{}: theirs {theirs}, ours {ours}", case.name);
        } else {
            assert_eq!(ours, theirs, "{}", case.name);
        }
        taken += usize::from(ours);
    }
    assert_eq!(taken, 1, "the good one, and no other");
}

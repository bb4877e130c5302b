//! The engine against `llmock`, a judge by others (peers.md). Needs a Python that has it: `cargo xtask with -- …`.

use std::net::TcpListener;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::*;
use crate::assistant::Unwatched;

struct Judge {
    _process: Child,
    root: String,
    http: reqwest::Client,
}

impl Judge {
    /// `None` where llmock cannot be had.
    async fn start() -> Option<Judge> {
        let python = std::env::var_os("DESKBRIDGE_TEST_PYTHON")?;
        install_provider();
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port().to_string();
        let process = Command::new(python)
            // The package has no `__main__`.
            .args(["-c", "from llmock.cli import app; app()", "serve", "-h", "127.0.0.1", "-p", &port])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        let http = reqwest::Client::builder().no_proxy().build().ok()?;
        let mut judge = Judge { _process: process, root: format!("http://127.0.0.1:{port}"), http };
        for _ in 0..300 {
            if judge.http.get(format!("{}/_llmock/verdict", judge.root)).send().await.is_ok() {
                return Some(judge);
            }
            if judge._process.try_wait().ok()?.is_some() {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        None
    }

    async fn script(&self, behaviors: Value) {
        self.post("reset", &json!({})).await;
        self.post("scenario", &json!({ "behaviors": behaviors })).await;
    }

    async fn post(&self, path: &str, body: &Value) {
        let sent =
            self.http.post(format!("{}/_llmock/{path}", self.root)).json(body).send().await.expect("sent");
        let status = sent.status();
        assert!(status.is_success(), "{path}: {status} {}", sent.text().await.unwrap_or_default());
    }

    /// What the judge has against the client.
    async fn findings(&self) -> Vec<String> {
        let sent = self.http.get(format!("{}/_llmock/verdict", self.root)).send().await.expect("sent");
        let verdict: Value = sent.json().await.expect("JSON");
        let findings = verdict["findings"].as_array().expect("findings").iter();
        findings.map(|finding| format!("{} ({})", finding["code"], finding["title"])).collect()
    }
}

fn judged(judge: &Judge) -> OpenAiEngine {
    let mut settings = OpenAiSettings::new(format!("{}/v1", judge.root), "gpt-4o-mini");
    settings.patience = Patience {
        idle: Duration::from_millis(150),
        backoff: Duration::from_millis(80),
        max_backoff: Duration::from_millis(200),
        ..quick()
    };
    engine(settings.with_key(SecretString::from("sk-test")))
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "a test that cannot run says so")]
async fn llmock_finds_nothing_wrong_with_the_client() {
    let Some(judge) = Judge::start().await else {
        eprintln!("skipped: needs llmock");
        return;
    };
    let engine = judged(&judge);
    let reply = |text: &str| json!({ "type": "reply", "text": text, "times": 3 });
    let fault =
        |kind: &str, after: u32| json!({ "type": "stream_fault", "kind": kind, "after_chunks": after });
    // Each of these passes by itself: the client must come through, and in the way that it should.
    let passing = [
        ("rate limit", json!({ "type": "fail", "status": 429, "retry_after": 0.1, "times": 2 })),
        ("5xx", json!({ "type": "fail", "status": 503, "times": 2 })),
        ("overloaded", json!({ "type": "fail", "status": 529, "times": 1 })),
        ("slow", json!({ "type": "delay", "seconds": 0.05 })),
        ("dropped at once", fault("disconnect", 0)),
        ("ended at once", fault("truncate", 0)),
        ("slow first token", json!({ "type": "slow_first_token", "seconds": 0.05 })),
    ];
    for (name, behavior) in passing {
        judge.script(json!([behavior, reply("Restart the client.")])).await;
        let answered = engine.answer(&request(&format!("{name}: VPN error 691")), &Unwatched).await;
        assert!(text(&answered).starts_with("Restart the client."), "{name}: {answered:?}");
        assert_eq!(judge.findings().await, Vec::<String>::new(), "{name}");
    }
    // A real loop over tools, with arguments and ids as another program makes them, and with broken calls.
    let search = json!({ "name": "search_knowledge", "arguments": { "query": "vpn" } });
    for (name, behavior) in [
        ("tools", json!({ "type": "reply", "tool_calls": [search] })),
        ("arguments", json!({ "type": "tool_fault", "kind": "malformed_arguments" })),
        ("unknown tool", json!({ "type": "tool_fault", "kind": "unknown_tool" })),
    ] {
        judge.script(json!([behavior])).await;
        let asked = request(&format!("{name}: VPN error 691"));
        let answered = engine.answer(&asked, &Unwatched).await;
        assert!(failed(&answered).is_none(), "{name}: {answered:?}");
        assert_eq!(judge.findings().await, Vec::<String>::new(), "{name}");
    }
    // None of these passes by itself.
    for status in [400, 401, 403, 404, 422] {
        judge.script(json!([{ "type": "fail", "status": status }])).await;
        let answered = engine.answer(&request(&format!("{status}: VPN error 691")), &Unwatched).await;
        assert!(failed(&answered).is_some(), "{status}: {answered:?}");
        assert_eq!(judge.findings().await, Vec::<String>::new(), "{status}");
        engine.breaker.succeeded();
    }
    // Broken after its beginning: never final, and never begun twice. The judge sees no second attempt and cannot see that
    // nothing of the first was used, so its word on that is not asked for; everything else it says counts.
    for kind in ["disconnect", "truncate", "malformed", "stall"] {
        judge.script(json!([fault(kind, 3), reply("One two three four five six seven.")])).await;
        let answered = engine.answer(&request(&format!("{kind}: VPN error 691")), &Unwatched).await;
        assert!(failed(&answered).is_some(), "{kind}: {answered:?}");
        let known = ["\"gave_up\"", "\"truncated_stream_accepted\"", "\"malformed_chunk_ignored\""];
        let other: Vec<String> = judge
            .findings()
            .await
            .into_iter()
            .filter(|found| !known.iter().any(|code| found.starts_with(code)))
            .collect();
        assert_eq!(other, Vec::<String>::new(), "{kind}");
        engine.breaker.succeeded();
    }
}

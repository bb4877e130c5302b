//! The built program held against its own description by schemathesis (PyPI): requests as the description allows them and
//! as it does not; every answer must be described, and none may be a failure of the program.
//!
//! Not here: that the description is made from the table (`http::openapi`), and what single routes do (`api`).

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::bridge::{Base, Way};
use super::talk::{Talk, UNPACED};

/// The machine may be busy; on an idle one it takes half a minute.
const PATIENCE: Duration = Duration::from_secs(280);

/// An interpreter that has it; `None` where it cannot be had.
async fn python() -> Option<OsString> {
    let Some(python) = std::env::var_os("DESKBRIDGE_TEST_PYTHON") else {
        eprintln!("skipped: needs schemathesis (DESKBRIDGE_TEST_PYTHON is not set)");
        return None;
    };
    let asked = Command::new(&python).args(["-c", "import schemathesis"]).output().await;
    if asked.is_ok_and(|asked| asked.status.success()) {
        return Some(python);
    }
    eprintln!("skipped: needs schemathesis (DESKBRIDGE_TEST_PYTHON has none; cargo xtask peers installs it)");
    None
}

#[tokio::test]
async fn schemathesis_finds_nothing_undocumented() {
    let Some(python) = python().await else { return };
    let Some(mut talk) = Talk::set_up(Way::Polling, Base::Sqlite).await else { return };
    talk.bridge.configure(|text| text.replace("name = \"Bob\"", "name = \"Bob\"\nrole = \"admin\""));
    let scopes = [
        "admin",
        "chats:read",
        "chats:write",
        "tickets:read",
        "tickets:write",
        "presence:write",
        "metrics:read",
    ];
    let mut args = vec!["--technician", "bob"];
    args.extend(scopes.iter().flat_map(|scope| ["--scope", *scope]));
    let token = talk.bridge.token_with(&args).await;
    talk.bridge.start_as(&UNPACED).await;
    // Something to be found: a conversation, its ticket, a person.
    talk.assigned().await;
    let mine = judge(&python, &talk, &token, &["--exclude-operation-id", REVOKE]).await;
    talk.bridge.api("/conversations", &token).await;
    // By itself, where no list tells it of the token that it goes by.
    let other = judge(&python, &talk, &token, &["--include-operation-id", REVOKE]).await;
    for said in [mine, other] {
        // A run that reached nothing finds nothing.
        assert!(said.contains("Operations:") && said.contains("passed"), "{said}");
    }
    talk.bridge.api("/conversations", &token).await;
}

/// What would take the token away from the run itself, which asks with what it was answered (`api::tokens`).
const REVOKE: &str = "delete_tokens_token";

/// What it said, when it found nothing.
async fn judge(python: &OsString, talk: &Talk, token: &str, which: &[&str]) -> String {
    let judged = Command::new(python)
        .args(["-m", "schemathesis.cli", "run"])
        .arg(talk.bridge.url("/openapi.json"))
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--checks", CHECKS, "--phases", "coverage,fuzzing", "--max-examples", "5", "--seed", "20"])
        .args(which)
        // A stream does not end, and a request that is given up says nothing about its description: all that it can say is
        // held against it in `api::events` (`every_event_is_as_described`).
        .args(["--exclude-path", "/api/v1/events"])
        // One worker: threads that parse Python at the same time end CPython 3.11 now and then (its issue 106905).
        .args(["--workers", "1", "--continue-on-failure", "--no-color", "--no-shrink"])
        .args(["--generation-database", "none", "--request-timeout", "30", "--warnings", "off"])
        // Wrong tokens would only show that an address that tries many is made to wait (S35; `api::tokens`).
        .args(["--generation-with-security-parameters", "false"])
        .current_dir(talk.bridge.folder.path())
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let judged = tokio::time::timeout(2 * PATIENCE, judged).await.expect("it ended").expect("it started");
    let said = String::from_utf8_lossy(&[judged.stdout, judged.stderr].concat()).into_owned();
    assert!(judged.status.success(), "{said}\nthe log:\n{}", talk.bridge.log());
    said
}

const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

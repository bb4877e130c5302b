//! Signing in with the company's provider in Chromium, driven by `web/console/tests/provider.mjs`: the built program, and the
//! npm package `oidc-provider`, which knows nothing of us.
//!
//! Not here: attacks (`api/console/oidc.rs`). Skipped where there is no node, or where the peers are not named: `cargo xtask
//! test` finds or installs them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::e2e::bridge::{Base, Bridge, free_port};

const MODULES: &str = "DESKBRIDGE_TEST_NODE_MODULES";
const CHROMIUM: &str = "DESKBRIDGE_TEST_CHROMIUM";
const SECRET: &str = "a planted secret: with & signs";

fn set_up(issuer: &str) -> String {
    format!(
        r#"
        [oidc]
        name = "Example Login"
        issuer = "{issuer}"
        client_id = "deskbridge"
        client_secret = "{SECRET}"
        scopes = ["openid", "email", "profile", "groups"]
        technician_groups = ["it"]
        [[technicians]]
        name = "Eva"
        email = "eva@example.com"
        [[technicians]]
        name = "Max"
        email = "max@example.com"
        role = "admin"
        "#
    )
}

/// The provider as a process; at its end it tells what it did not like.
async fn provider(modules: &Path, port: u16, redirect: &str) -> Child {
    let mut child = Command::new("node")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/setup/provider.mjs"))
        .args([modules.as_os_str(), port.to_string().as_ref(), redirect.as_ref(), SECRET.as_ref()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("Node.js");
    let mut lines = BufReader::new(child.stdout.take().expect("an output"));
    let mut first = String::new();
    lines.read_line(&mut first).await.expect("an output");
    let issuer: Value = serde_json::from_str(&first).expect("JSON");
    assert_eq!(issuer["issuer"], format!("http://localhost:{port}"));
    child.stdout = Some(lines.into_inner());
    child
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_company_account_in_a_browser() {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let (Some(modules), Some(chromium)) = (named(MODULES), named(CHROMIUM)) else {
        println!("skipped: needs node, npm packages and Chromium ({MODULES} or {CHROMIUM} is not set)");
        return;
    };
    let port = free_port();
    // Another site than 127.0.0.1, as providers are.
    let issuer = format!("http://localhost:{port}");
    let bridge = Bridge::with(&set_up(&issuer), Base::Sqlite).await.expect("SQLite is always there");
    let (away, said, _) = bridge.run(&["doctor", "oidc"]).await;
    assert!(!away && said.contains("✗ oidc.discovery"), "{said}");
    let mut provider = provider(&modules, port, &bridge.url("/console/oidc")).await;
    let (is_well, said, _) = bridge.run(&["doctor", "oidc"]).await;
    assert!(is_well && said.contains("✓ oidc.discovery") && said.contains("✓ oidc.keys"), "{said}");
    assert!(said.contains(&bridge.url("/console/oidc")) && !said.contains("oidc.pkce"), "{said}");

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/console/tests/provider.mjs");
    let script = Command::new("node")
        .arg(script)
        .env("BRIDGE_BIN", env!("CARGO_BIN_EXE_deskbridge"))
        .env("BRIDGE_FOLDER", bridge.folder.path())
        .env("BRIDGE_URL", bridge.url(""))
        .env("PROVIDER_URL", &issuer)
        .env("NODE_PEERS", modules)
        .env("CHROMIUM", chromium)
        .kill_on_drop(true)
        .output();
    let done =
        tokio::time::timeout(Duration::from_secs(600), script).await.expect("it ended").expect("it ran");
    let (said, faults) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}\n{faults}");
    drop(provider.stdin.take());
    let mut rest = String::new();
    provider.stdout.take().expect("an output").read_to_string(&mut rest).await.expect("read");
    // It says other things as well.
    assert!(rest.contains("the end") && !rest.contains("violation: "), "{rest}");
}

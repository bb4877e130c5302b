//! The console in Chromium, driven by `web/console/tests/browser.mjs` against the built program and the fake Telegram.
//!
//! Not here: what is looked at (the script), single routes (`api`). Skipped where there is no node, no Chromium, or where
//! `npm ci` was not run in `web/console`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::e2e::bridge::{Base, Way};
use crate::e2e::talk::Talk;

fn console() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("web/console")
}

/// Why it cannot be run here.
async fn lacking(chromium: &Path) -> Option<&'static str> {
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).status().await;
    if !node.is_ok_and(|status| status.success()) {
        return Some("there is no node");
    }
    if !chromium.is_file() {
        return Some("there is no Chromium (CHROMIUM)");
    }
    let tools = ["playwright-core", "axe-core"].map(|name| console().join("node_modules").join(name));
    (!tools.iter().all(|tool| tool.is_dir())).then_some("npm ci was not run in web/console")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_in_a_browser() {
    let chromium =
        std::env::var_os("CHROMIUM").map_or_else(|| PathBuf::from("/usr/bin/chromium"), PathBuf::from);
    if let Some(why) = lacking(&chromium).await {
        println!("skipped: {why}");
        return;
    }
    let talk = Talk::set_up(Way::Polling, Base::Sqlite).await.expect("SQLite is always there");
    let script = Command::new("node")
        .arg(console().join("tests/browser.mjs"))
        .env("BRIDGE_BIN", env!("CARGO_BIN_EXE_deskbridge"))
        .env("BRIDGE_FOLDER", talk.bridge.folder.path())
        .env("BRIDGE_URL", talk.bridge.url(""))
        .env("FAKE_URL", talk.fake.base_url())
        .env("DESK_ROOM", talk.desk.to_string())
        .env("CHROMIUM", &chromium)
        .kill_on_drop(true)
        .output();
    let done =
        tokio::time::timeout(Duration::from_secs(600), script).await.expect("it ended").expect("it ran");
    let (said, faults) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}\n{faults}");
    assert_eq!(talk.fake.violations(), Vec::<String>::new());
}

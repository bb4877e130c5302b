//! The console in Chromium, driven by `web/console/tests/browser.mjs` against the built program and the fake Telegram.
//!
//! Not here: what is looked at (the script), single routes (`api`). Skipped where there is no node, or where the peers
//! are not named: `cargo xtask test` finds or installs them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::e2e::bridge::{Base, Way};
use crate::e2e::talk::Talk;

const MODULES: &str = "DESKBRIDGE_TEST_NODE_MODULES";
const CHROMIUM: &str = "DESKBRIDGE_TEST_CHROMIUM";

async fn has_node() -> bool {
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).status().await;
    node.is_ok_and(|status| status.success())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_in_a_browser() {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let (Some(modules), Some(chromium), true) = (named(MODULES), named(CHROMIUM), has_node().await) else {
        println!("skipped: needs node, npm packages and Chromium ({MODULES} or {CHROMIUM} is not set)");
        return;
    };
    let talk = Talk::set_up(Way::Polling, Base::Sqlite).await.expect("SQLite is always there");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/console/tests/browser.mjs");
    let script = Command::new("node")
        .arg(script)
        .env("BRIDGE_BIN", env!("CARGO_BIN_EXE_deskbridge"))
        .env("BRIDGE_FOLDER", talk.bridge.folder.path())
        .env("BRIDGE_URL", talk.bridge.url(""))
        .env("FAKE_URL", talk.fake.base_url())
        .env("DESK_ROOM", talk.desk.to_string())
        .env("NODE_PEERS", modules)
        .env("CHROMIUM", chromium)
        .kill_on_drop(true)
        .output();
    let done =
        tokio::time::timeout(Duration::from_secs(600), script).await.expect("it ended").expect("it ran");
    let (said, faults) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}\n{faults}");
    assert_eq!(talk.fake.violations(), Vec::<String>::new());
}

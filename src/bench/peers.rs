//! The servers that deskbridge is measured beside, each a process of its own: installed on demand, ended with the value.
//!
//! Not here: who talks to them.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::limits;

/// `benches/peers`.
const FILES: [(&str, &str); 8] = [
    (".npmrc", include_str!("../../benches/peers/.npmrc")),
    ("package.json", include_str!("../../benches/peers/package.json")),
    ("package-lock.json", include_str!("../../benches/peers/package-lock.json")),
    ("server.mjs", include_str!("../../benches/peers/server.mjs")),
    ("ws.mjs", include_str!("../../benches/peers/ws.mjs")),
    ("socketio.mjs", include_str!("../../benches/peers/socketio.mjs")),
    ("bolt.mjs", include_str!("../../benches/peers/bolt.mjs")),
    ("botbuilder.mjs", include_str!("../../benches/peers/botbuilder.mjs")),
];
/// How long one may take to say where it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// Installed; the folder goes when this is dropped.
pub(super) struct Peers(tempfile::TempDir);

impl Peers {
    /// `Err`: why there is no comparison on this machine.
    pub(super) fn install() -> anyhow::Result<Peers> {
        let folder = tempfile::tempdir()?;
        for (name, text) in FILES {
            std::fs::write(folder.path().join(name), text)?;
        }
        let npm = Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output();
        let done = npm.context("npm is not there")?;
        let said = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "npm could not install them: {}", said.lines().next().unwrap_or(""));
        Ok(Peers(folder))
    }

    /// The version of a package, as `package.json` fixes it.
    pub(super) fn version(name: &str) -> Option<String> {
        let (_, manifest) = FILES.iter().find(|(file, _)| *file == "package.json")?;
        let manifest: serde_json::Value = serde_json::from_str(manifest).ok()?;
        manifest["dependencies"][name].as_str().map(str::to_owned)
    }

    /// Returns when it listens.
    pub(super) async fn start(&self, script: &str, args: &[String]) -> anyhow::Result<Peer> {
        let mut child = Command::new("node")
            .arg(script)
            .args(args)
            .current_dir(self.0.path())
            .env("NODE_ENV", "production")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("node is not there")?;
        let out = child.stdout.take().context("no output")?;
        // From here on it ends with this value.
        let mut peer = Peer { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let port = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(out).read_line(&mut line).map(|_| line)
        });
        let port = tokio::time::timeout(PATIENCE, port).await???;
        peer.address.set_port(port.trim().parse().context("it ended")?);
        Ok(peer)
    }
}

pub(super) struct Peer {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Peer {
    /// Resident MB and CPU seconds so far.
    pub(super) fn used(&self) -> Option<(f64, f64)> {
        limits::process(self.child.id())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! The bridge under test: this program again, as a child process of its own, so that its memory and CPU are its own.
//!
//! Not here: who talks to it (the workloads).

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::limits;

/// With its folder and its address; killed when it is dropped.
pub(super) struct Bridge {
    folder: tempfile::TempDir,
    child: Option<Child>,
    pub(super) address: SocketAddr,
}

impl Bridge {
    /// Not started yet. Every workload has the same desk of one technician who takes everything at once, so that nothing
    /// but the message is waited for; `channels` and `technician` are what differs.
    pub(super) fn new(channels: &str, technician: &str) -> anyhow::Result<Bridge> {
        let folder = tempfile::tempdir()?;
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let configuration = format!(
            r#"
[server]
listen = "{address}"
public_url = "https://bench.invalid"
[store]
url = "sqlite:bench.db"
blobs = "blobs"
{channels}
[assistant]
engine = "off"
[tickets]
create = "manual"
[desk]
undo_window = "0s"
[queues.default]
auto_accept = true
technicians = ["bench"]
[[technicians]]
name = "Bench"
id = "bench"
presence = "available"
capacity = 1000
{technician}
"#
        );
        std::fs::write(folder.path().join("bench.toml"), configuration)?;
        Ok(Bridge { folder, child: None, address })
    }

    fn program(&self) -> anyhow::Result<Command> {
        let mut command = Command::new(std::env::current_exe().context("where this program is")?);
        command.current_dir(self.folder.path()).env("DESKBRIDGE_LOG", "error").stdin(Stdio::null());
        Ok(command)
    }

    /// Another command on the same configuration, to its end; what it said.
    pub(super) fn finished(&self, args: &[&str]) -> anyhow::Result<String> {
        let done = self.program()?.args(args).args(["--config", "bench.toml"]).output()?;
        ensure!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        Ok(String::from_utf8(done.stdout)?)
    }

    /// Returns when it takes requests.
    pub(super) async fn start(&mut self, max_batch: usize) -> anyhow::Result<()> {
        let (listen, max_batch) = (self.address.to_string(), max_batch.to_string());
        let child = self
            .program()?
            .args([
                "bench",
                "serve",
                "--max-batch",
                &max_batch,
                "--listen",
                &listen,
                "--config",
                "bench.toml",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .context("starting the bridge under test")?;
        let child = self.child.insert(child);
        for _ in 0..600 {
            if let Some(status) = child.try_wait()? {
                anyhow::bail!("the bridge under test ended: {status}");
            }
            // Not readiness: the fake knows no more of its platform than the workload needs.
            let asked = reqwest::get(format!("http://{listen}/healthz")).await;
            if asked.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the bridge under test did not come up in 30 s")
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Resident MB and CPU seconds so far.
    pub(super) fn used(&self) -> Option<(f64, f64)> {
        limits::process(self.child.as_ref()?.id())
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.kill();
    }
}

//! What is measured: deskbridge, or one of the servers beside it, each as a process of its own with the same two surfaces:
//! visitors come by WebSocket, and what they are told comes in by HTTP.
//!
//! Not here: who talks to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::child::Bridge;
use super::super::client::Poster;
use super::super::fake::MARK;
use super::super::peers::{Peer, Peers};
use super::visitor::Tongue;
use super::{CHANNEL, ORIGIN};
use deskbridge_store::writer::MAX_BATCH;

/// Connections over which messages come in.
const LANES: usize = 64;

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Which {
    Deskbridge,
    Ws,
    SocketIo,
}

impl Which {
    pub(super) fn name(self) -> &'static str {
        match self {
            Which::Deskbridge => "deskbridge",
            Which::Ws => "ws",
            Which::SocketIo => "socket.io",
        }
    }

    pub(super) fn tongue(self) -> Tongue {
        match self {
            Which::Deskbridge => Tongue::Deskbridge,
            Which::Ws => Tongue::Plain,
            Which::SocketIo => Tongue::SocketIo,
        }
    }
}

/// What is to be told, and how fast.
#[derive(Clone, Copy)]
pub(super) struct Sending {
    /// The first one's number.
    pub from: usize,
    pub total: usize,
    /// Messages per second; `None`: as fast as they are taken.
    pub rate: Option<u64>,
    /// Bytes of a text.
    pub size: usize,
}

impl Sending {
    /// When a message is due: latency counts from there, whether it could be sent then or not.
    pub(super) fn due(&self, start: Instant, number: usize) -> Instant {
        let position = (number - self.from) as f64;
        start + Duration::from_secs_f64(self.rate.map_or(0.0, |rate| position / rate as f64))
    }
}

/// What became of it.
pub(super) struct Sent {
    pub start: Instant,
    pub refused: usize,
}

enum Running {
    Bridge(Bridge),
    Peer(Peer),
}

pub(super) struct Server {
    pub which: Which,
    pub address: SocketAddr,
    running: Running,
    headers: String,
}

impl Server {
    pub(super) async fn bridge() -> anyhow::Result<Server> {
        let mut bridge = Bridge::new(&channel(), "")?;
        bridge.finished(&["migrate", "up"])?;
        let created =
            ["token", "create", "--name", "bench", "--technician", "bench", "--scope", "chats:write"];
        let token = bridge.finished(&created)?.trim().to_owned();
        bridge.start(MAX_BATCH).await?;
        let (which, address) = (Which::Deskbridge, bridge.address);
        let headers = format!("authorization: Bearer {token}\r\n");
        Ok(Server { which, address, running: Running::Bridge(bridge), headers })
    }

    /// One that is not deskbridge.
    pub(super) async fn beside(peers: &Peers, which: Which) -> anyhow::Result<Server> {
        let script = if which == Which::Ws { "ws.mjs" } else { "socketio.mjs" };
        let peer = peers.start(script, &[]).await?;
        Ok(Server { which, address: peer.address, running: Running::Peer(peer), headers: String::new() })
    }

    /// Resident MB and CPU seconds so far.
    pub(super) fn used(&self) -> Option<(f64, f64)> {
        match &self.running {
            Running::Bridge(bridge) => bridge.used(),
            Running::Peer(peer) => peer.used(),
        }
    }

    fn path(&self, to: u64) -> String {
        match self.which {
            Which::Deskbridge => format!("/api/v1/conversations/{to}/messages"),
            Which::Ws | Which::SocketIo => format!("/to/{to}"),
        }
    }

    /// Tells message `n` to `recipients[pick(n)]`.
    pub(super) async fn send(
        &self,
        what: Sending,
        recipients: &Arc<Vec<u64>>,
        pick: fn(usize) -> usize,
    ) -> anyhow::Result<Sent> {
        let start = Instant::now() + Duration::from_millis(50);
        let mut tasks = tokio::task::JoinSet::new();
        for lane in 0..LANES.min(what.total) {
            let mut poster = Poster::connect(&self.address.to_string(), "/", &self.headers).await?;
            let letters: Vec<(usize, String)> = (lane..what.total)
                .step_by(LANES)
                .map(|n| (what.from + n, self.path(recipients[pick(what.from + n) % recipients.len()])))
                .collect();
            tasks.spawn(async move {
                let mut refused = 0;
                for (number, path) in letters {
                    tokio::time::sleep_until(what.due(start, number).into()).await;
                    let status = poster.post_to(&path, &body(number, what.size)).await?;
                    if status >= 300 {
                        eprintln!("message {number} was refused: {status}");
                        refused += 1;
                    }
                }
                Ok::<usize, std::io::Error>(refused)
            });
        }
        let mut refused = 0;
        while let Some(done) = tasks.join_next().await {
            refused += done??;
        }
        Ok(Sent { start, refused })
    }
}

fn body(number: usize, size: usize) -> String {
    let mut text = format!("{MARK}{number:08} ");
    while text.len() < size {
        text.push_str("the light on the second floor is green again ");
    }
    text.truncate(size);
    json!({ "text": text }).to_string()
}

fn channel() -> String {
    format!(
        r#"
[channels.{CHANNEL}]
adapter = "widget"
origins = ["{ORIGIN}"]
messages_per_minute = 600
sockets_per_address = 1000
"#
    )
}

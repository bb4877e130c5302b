//! Workload W2, the widget: N visitors with a WebSocket each, resident memory of an idle one, and messages of a technician
//! to single visitors at a fixed rate: through the API, the commit, the outbox and the journal to the socket. Beside it, in
//! the same rounds, servers on `ws` and `socket.io`, which keep nothing.
//!
//! Not here: the parts (`parts`), the servers (`server`).

mod crowd;
mod parts;
mod server;
mod visitor;

use std::collections::BTreeMap;

use serde_json::json;

use super::peers::Peers;
use super::spread::Spread;
use super::{limits, line};
use parts::{Latency, Stage};
use server::{Server, Which};

const CHANNEL: &str = "widget";
const ORIGIN: &str = "https://portal.bench.invalid";
/// What each process needs besides the sockets.
const OTHER_FILES: u64 = 256;

#[derive(Clone, Debug)]
pub struct Options {
    /// One measurement for each.
    pub sockets: Vec<usize>,
    /// Messages per second, one measurement for each.
    pub rates: Vec<u64>,
    /// Of each rate.
    pub seconds: u64,
    pub rounds: usize,
    /// Whether the other servers are measured too.
    pub peers: bool,
}

/// What a server showed in the rounds, by what was measured.
#[derive(Default)]
struct Seen(BTreeMap<(usize, String, Which), Vec<f64>>);

impl Seen {
    fn note(&mut self, sockets: usize, what: &str, which: Which, value: Option<f64>) {
        if let Some(value) = value {
            self.0.entry((sockets, what.to_owned(), which)).or_default().push(value);
        }
    }

    /// Spreads of all, and of deskbridge beside each other server in the same round.
    fn report(&self) {
        for ((sockets, what, which), values) in &self.0 {
            line(&json!({
                "bench": "W2", "sockets": sockets, "what": what, "server": which.name(),
                "spread": Spread::of(values), "rounds": values.len(),
            }));
            let ours = (*sockets, what.clone(), Which::Deskbridge);
            let Some(ours) = self.0.get(&ours).filter(|ours| ours.len() == values.len()) else { continue };
            if *which != Which::Deskbridge {
                let ratios: Vec<f64> = ours.iter().zip(values).map(|(a, b)| a / b).collect();
                line(&json!({
                    "bench": "W2", "sockets": sockets, "what": what,
                    "paired_ratio": format!("deskbridge / {}", which.name()), "spread": Spread::of(&ratios),
                }));
            }
        }
    }
}

pub async fn run(options: &Options) -> anyhow::Result<()> {
    let files = raise_files();
    let peers = if options.peers { beside() } else { None };
    let mut seen = Seen::default();
    for round in 0..options.rounds {
        line(&json!({"bench": "limits", "round": round, "files": files, "load": limits::load(),
            "flushes_per_s": limits::flushes_per_second(std::env::temp_dir().as_path()).unwrap_or(0.0)}));
        for sockets in &options.sockets {
            if files.is_some_and(|files| *sockets as u64 + OTHER_FILES > files) {
                line(&json!({"bench": "W2", "sockets": sockets, "skipped": "the limit of open files",
                    "files": files}));
                continue;
            }
            let stage = measure(Server::bridge().await?, *sockets, options, &mut seen).await?;
            drop(stage.resume().await?.slow().await?);
            for which in [Which::Ws, Which::SocketIo] {
                let Some(peers) = &peers else { continue };
                let server = Server::beside(peers, which).await?;
                measure(server, *sockets, options, &mut seen).await?;
            }
        }
    }
    seen.report();
    Ok(())
}

/// Without node there is no comparison, and that is said.
fn beside() -> Option<Peers> {
    match Peers::install() {
        Ok(peers) => Some(peers),
        Err(error) => {
            line(&json!({"bench": "W2", "servers": ["ws", "socket.io"], "skipped": format!("{error:#}")}));
            None
        }
    }
}

async fn measure(
    server: Server,
    sockets: usize,
    options: &Options,
    seen: &mut Seen,
) -> anyhow::Result<Stage> {
    let which = server.which;
    let (stage, kb) = Stage::open(server, sockets).await?;
    seen.note(sockets, "KB resident per idle visitor", which, kb);
    for rate in &options.rates {
        let Latency { p50, p99, cpu_us } = stage.unicast(*rate, options.seconds).await?;
        seen.note(sockets, &format!("p50 ms at {rate}/s"), which, Some(p50));
        seen.note(sockets, &format!("p99 ms at {rate}/s"), which, Some(p99));
        seen.note(sockets, &format!("CPU us per message at {rate}/s"), which, cpu_us);
    }
    let last = stage.everybody().await?;
    seen.note(sockets, "ms until everybody was told", which, Some(last));
    Ok(stage)
}

/// As many open files as may be had, for this process and those that it starts.
#[cfg(unix)]
fn raise_files() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let before = getrlimit(Resource::Nofile);
    // Where it may not be raised, the limit stays what it was.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: before.maximum, maximum: before.maximum });
    getrlimit(Resource::Nofile).current
}

#[cfg(not(unix))]
fn raise_files() -> Option<u64> {
    None
}

/// The same recipients in every run, in no order (the finaliser of SplitMix64).
fn scattered(number: usize) -> usize {
    let mut x = (number as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((x ^ (x >> 31)) >> 1).unwrap_or(0)
}

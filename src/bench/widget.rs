//! Workload W2, the widget: N visitors with a WebSocket each, resident memory of an idle one, and messages of a technician
//! to single visitors at a fixed rate: through the API, the commit, the outbox and the journal to the socket.
//!
//! Not here: the bridge (`child`).

mod visitor;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;
use tokio::sync::watch;

use super::child::Bridge;
use super::client::Poster;
use super::fake::MARK;
use super::spread::percentile;
use super::{limits, line};
use deskbridge_store::writer::MAX_BATCH;
use visitor::{Arrivals, PER_ADDRESS, Socket, arrive, begin, listen};

const CHANNEL: &str = "widget";
const ORIGIN: &str = "https://portal.bench.invalid";
/// Visitors who have a conversation, among whom each message's recipient is drawn.
const RECIPIENTS: usize = 1_000;
/// Bytes of a message's text.
const SIZE: usize = 240;
/// What each process needs besides the sockets.
const OTHER_FILES: u64 = 256;
const PATIENCE: Duration = Duration::from_secs(20);
const SETTLE: Duration = Duration::from_millis(1_500);

#[derive(Clone, Debug)]
pub struct Options {
    /// One measurement for each.
    pub sockets: Vec<usize>,
    /// Messages per second.
    pub rate: u64,
    pub seconds: u64,
}

pub async fn run(options: &Options) -> anyhow::Result<()> {
    let files = raise_files();
    line(&json!({"bench": "limits", "files": files, "load": limits::load(),
        "flushes_per_s": limits::flushes_per_second(std::env::temp_dir().as_path()).unwrap_or(0.0)}));
    for sockets in &options.sockets {
        if files.is_some_and(|files| *sockets as u64 + OTHER_FILES > files) {
            line(
                &json!({"bench": "W2", "sockets": sockets, "skipped": "the limit of open files", "files": files}),
            );
            continue;
        }
        measure(*sockets, options).await?;
    }
    Ok(())
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

async fn measure(sockets: usize, options: &Options) -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let memory = || rig.bridge.used().map(|(mb, _)| mb);
    let before = memory();
    let mut visitors = Vec::with_capacity(sockets);
    let began = Instant::now();
    for group in 0..sockets.div_ceil(PER_ADDRESS) {
        let count = PER_ADDRESS.min(sockets - group * PER_ADDRESS);
        visitors.extend(arrive(rig.bridge.address, group, count).await?);
    }
    let connected = began.elapsed().as_secs_f64();
    tokio::time::sleep(SETTLE).await;
    let after = memory();
    let each = before.zip(after).map(|(before, after)| (after - before) * 1024.0 / sockets as f64);
    line(&json!({
        "bench": "W2", "part": "idle", "sockets": sockets, "rss_before_mb": before, "rss_mb": after,
        "rss_kb_per_visitor": each, "connect_s": connected,
    }));
    unicast(&rig, visitors, options).await
}

/// Open loop: latency counts from the moment when a message was due.
async fn unicast(rig: &Rig, mut visitors: Vec<Socket>, options: &Options) -> anyhow::Result<()> {
    let sockets = visitors.len();
    let (known, mut rest) = (RECIPIENTS.min(sockets), Vec::new());
    if sockets > known {
        rest = visitors.split_off(known);
    }
    let mut conversations = Vec::with_capacity(known);
    for (number, visitor) in visitors.iter_mut().enumerate() {
        let begun = begin(visitor, number).await;
        conversations.push(begun.with_context(|| format!("conversation {number} of {known}"))?);
    }
    let total = usize::try_from(options.rate * options.seconds)?;
    let arrivals = Arrivals::of(total);
    let shared = watch::Sender::new(arrivals.clone());
    let mut tasks = tokio::task::JoinSet::new();
    for visitor in visitors.into_iter().chain(rest) {
        tasks.spawn(listen(visitor, shared.subscribe()));
    }
    let cpu = |rig: &Rig| rig.bridge.used().map(|(_, cpu)| cpu);
    let before = cpu(rig);
    let bad = rig.send(total, options.rate, Arc::new(conversations)).await?;
    let arrived = arrivals.wait(total, PATIENCE).await;
    let used = before.zip(cpu(rig)).map(|(before, after)| (after - before) * 1e6 / total as f64);
    let mut ms: Vec<f64> = (0..total)
        .filter_map(|number| {
            let due = bad.start + Duration::from_secs_f64(number as f64 / options.rate as f64);
            Some(arrivals.when(number)?.saturating_duration_since(due).as_secs_f64() * 1e3)
        })
        .collect();
    ms.sort_by(f64::total_cmp);
    line(&json!({
        "bench": "W2", "part": "unicast", "sockets": sockets, "recipients": known, "rate_per_s": options.rate,
        "messages": total, "bytes": SIZE, "p50_ms": percentile(&ms, 0.5), "p99_ms": percentile(&ms, 0.99),
        "refused": bad.refused, "lost": total - arrived, "twice": arrivals.twice(), "cpu_us_per_msg": used,
        "open": tasks.len(),
    }));
    ensure!(bad.refused == 0, "{} messages were refused", bad.refused);
    ensure!(arrived == total, "only {arrived} of {total} arrived");
    ensure!(arrivals.twice() == 0, "{} arrived twice", arrivals.twice());
    Ok(())
}

struct Rig {
    bridge: Bridge,
    token: String,
}

/// What became of the sending.
struct Round {
    start: Instant,
    refused: usize,
}

impl Rig {
    async fn start() -> anyhow::Result<Rig> {
        let mut bridge = Bridge::new(&channel(), "")?;
        bridge.finished(&["migrate", "up"])?;
        let created =
            ["token", "create", "--name", "bench", "--technician", "bench", "--scope", "chats:write"];
        let token = bridge.finished(&created)?.trim().to_owned();
        bridge.start(MAX_BATCH).await?;
        Ok(Rig { bridge, token })
    }

    /// `total` messages at `rate` to recipients drawn evenly.
    async fn send(&self, total: usize, rate: u64, conversations: Arc<Vec<u64>>) -> anyhow::Result<Round> {
        const LANES: usize = 64;
        let start = Instant::now() + Duration::from_millis(50);
        let mut tasks = tokio::task::JoinSet::new();
        for lane in 0..LANES {
            let (conversations, address) = (conversations.clone(), self.bridge.address.to_string());
            let headers = format!("authorization: Bearer {}\r\n", self.token);
            tasks.spawn(async move {
                let mut poster = Poster::connect(&address, "/", &headers).await?;
                let mut refused = 0;
                for number in (lane..total).step_by(LANES) {
                    let to = conversations[scattered(number) % conversations.len()];
                    let due = start + Duration::from_secs_f64(number as f64 / rate as f64);
                    tokio::time::sleep_until(due.into()).await;
                    let path = format!("/api/v1/conversations/{to}/messages");
                    if poster.post_to(&path, &body(number)).await? >= 300 {
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
        Ok(Round { start, refused })
    }
}

/// The same recipients in every run, in no order (the finaliser of SplitMix64).
fn scattered(number: usize) -> usize {
    let mut x = (number as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((x ^ (x >> 31)) >> 1).unwrap_or(0)
}

fn body(number: usize) -> String {
    let mut text = format!("{MARK}{number:08} ");
    while text.len() < SIZE {
        text.push_str("the light on the second floor is green again ");
    }
    text.truncate(SIZE);
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

//! Workload W1, the relay: a requester's message comes in by webhook or gateway, is committed with its outbox row,
//! acknowledged where the platform waits for that, and posted to the desk thread. W1a closed loop, W1b open loop, W1c
//! redeliveries and `kill -9`, W1d one channel in trouble.
//!
//! Not here: the bridge (`child`), the platform's words (`platform`).

mod fairness;
mod rig;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;

use super::peers::Peers;
use super::platform::Platform;
use super::spread::{Spread, percentile};
use super::{limits, line};
use rig::{Rig, Under};

/// Nothing arriving for this long ends a wait.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Clone, Debug)]
pub struct Options {
    pub platform: Platform,
    pub messages: usize,
    pub rounds: usize,
    pub connections: usize,
    /// Seconds of each open-loop part.
    pub open_seconds: u64,
    /// Whether other servers are measured beside.
    pub peers: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            platform: Platform::Telegram,
            messages: 20_000,
            rounds: 5,
            connections: 32,
            open_seconds: 6,
            peers: true,
        }
    }
}

/// How much less is sent to a server beside: it is slower, and a round should not take minutes (performance.md, W1a).
const LESS: usize = 10;

pub async fn run(options: &Options) -> anyhow::Result<()> {
    let peers = beside(options);
    let (mut grouped, mut single, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..options.rounds {
        let flushes = limits::flushes_per_second(std::env::temp_dir().as_path()).unwrap_or(0.0);
        line(&json!({"bench": "limits", "round": round, "flushes_per_s": flushes, "load": limits::load()}));
        grouped.push(closed(options, Under::Bridge { max_batch: 256 }, round).await?);
        if let Some((peers, name)) = &peers {
            let fewer = Options { messages: (options.messages / LESS).max(1), ..options.clone() };
            others.push(closed(&fewer, Under::Beside(peers, name), round).await?);
        }
        let fewer = Options { messages: (options.messages / 5).max(1), ..options.clone() };
        single.push(closed(&fewer, Under::Bridge { max_batch: 1 }, round).await?);
    }
    report(&grouped, &single, peers.as_ref().map(|(_, name)| (*name, others.as_slice())));
    for rate in [250u64, 2_000] {
        open(options, Under::Bridge { max_batch: 256 }, rate).await?;
        // The other one is full long before that.
        if let Some((peers, name)) = peers.as_ref().filter(|_| rate <= 250) {
            open(options, Under::Beside(peers, name), rate).await?;
        }
    }
    killed(options).await?;
    fairness::run(options).await
}

/// What is measured beside, installed, and its name. Without node there is no comparison, and that is said.
fn beside(options: &Options) -> Option<(Peers, &'static str)> {
    let beside = options.platform.beside("").filter(|_| options.peers)?;
    match Peers::install() {
        Ok(peers) => {
            let (name, version) = (beside.name, Peers::version(beside.name));
            line(&json!({"bench": "W1", "server": name, "version": version, "does": beside.does}));
            Some((peers, name))
        }
        Err(error) => {
            line(&json!({"bench": "W1", "servers": [beside.name], "skipped": format!("{error:#}")}));
            None
        }
    }
}

fn report(grouped: &[f64], single: &[f64], other: Option<(&str, &[f64])>) {
    let ratio =
        |others: &[f64]| Spread::of(&grouped.iter().zip(others).map(|(a, b)| a / b).collect::<Vec<_>>());
    let rates = |mode: &str, rates: &[f64]| {
        line(&json!({"bench": "W1a", "mode": mode, "unit": "msg/s", "spread": Spread::of(rates)}));
    };
    rates("durable, group commit", grouped);
    rates("durable, one commit per message", single);
    if let Some((name, others)) = other {
        rates(&format!("{name}, nothing kept"), others);
    }
    line(
        &json!({"bench": "W1a", "paired_ratio": "group commit / one commit per message", "spread": ratio(single)}),
    );
    if let Some((name, others)) = other {
        line(
            &json!({"bench": "W1a", "paired_ratio": format!("deskbridge / {name}"), "spread": ratio(others)}),
        );
    }
}

/// W1a: every connection sends its next message when the last was acknowledged.
async fn closed(options: &Options, under: Under<'_>, round: usize) -> anyhow::Result<f64> {
    let rig = Rig::start(options.platform, options.messages, under).await?;
    let before = rig.used();
    let started = Instant::now();
    let bad = rig.send_all(options.messages, options.connections).await?;
    ensure!(
        rig.fake.wait(options.messages, PATIENCE).await,
        "only {} of {} arrived",
        rig.fake.count(),
        options.messages
    );
    let seconds = started.elapsed().as_secs_f64();
    let after = rig.used();
    let twice = rig.fake.arrivals().iter().filter(|(_, times)| *times > 1).count();
    ensure!(bad == 0 && twice == 0, "{bad} bad acknowledgements, {twice} duplicates");
    let cpu = before.zip(after).map(|(b, a)| (a.1 - b.1) * 1e6 / options.messages as f64);
    let rate = options.messages as f64 / seconds;
    line(&json!({
        "bench": "W1a", "channel": options.platform.name(), "round": round, "server": under.name(), "max_batch": under.max_batch(), "messages": options.messages, "msg_per_s": rate,
        "cpu_us_per_msg": cpu, "rss_mb": after.map(|a| a.0), "lost": 0, "twice": 0,
    }));
    Ok(rate)
}

/// W1b: messages at a fixed rate; latency counts from the scheduled moment.
async fn open(options: &Options, under: Under<'_>, rate: u64) -> anyhow::Result<()> {
    let total = usize::try_from(rate * options.open_seconds)?;
    let rig = Arc::new(Rig::start(options.platform, total, under).await?);
    let acks = rig.send_at(rate, total, Rig::update).await?;
    ensure!(rig.fake.wait(total, PATIENCE).await, "only {} of {total} arrived", rig.fake.count());
    let arrivals = rig.fake.arrivals();
    let mut ack: Vec<f64> = acks.iter().map(|(_, _, ms)| *ms).collect();
    let mut whole: Vec<f64> = acks
        .iter()
        .filter_map(|(number, due, _)| {
            Some(arrivals[*number].0?.saturating_duration_since(*due).as_secs_f64() * 1e3)
        })
        .collect();
    ack.sort_by(f64::total_cmp);
    whole.sort_by(f64::total_cmp);
    // Over a gateway nothing is acknowledged.
    let ack = (!options.platform.has_gateway()).then(|| three(&ack));
    line(
        &json!({"bench": "W1b", "channel": options.platform.name(), "server": under.name(), "rate_per_s": rate, "messages": total, "ack_ms": ack, "end_to_end_ms": three(&whole)}),
    );
    Ok(())
}

fn three(sorted: &[f64]) -> serde_json::Value {
    json!({"p50": percentile(sorted, 0.5), "p99": percentile(sorted, 0.99), "p99.9": percentile(sorted, 0.999)})
}

/// W1c: 5 % of the messages come twice, the bridge is killed in the middle, and whatever was not acknowledged comes again.
async fn killed(options: &Options) -> anyhow::Result<()> {
    let total = options.messages;
    let mut rig = Rig::start(options.platform, total, Under::Bridge { max_batch: 256 }).await?;
    let acked = Arc::new((0..total).map(|_| AtomicUsize::new(0)).collect::<Vec<_>>());
    let half = total / 2;
    let sending = rig.send_some(0, half, options.connections, acked.clone());
    let stop = tokio::time::sleep(Duration::from_millis(700 + u64::from(std::process::id() % 700)));
    tokio::select! {
        () = sending => {}
        () = stop => {}
    }
    rig.kill_and_start().await?;
    let again: Vec<usize> =
        (0..total).filter(|number| acked[*number].load(Ordering::Relaxed) == 0 || number % 20 == 0).collect();
    rig.send_list(&again, options.connections, acked.clone()).await;
    // What was under way when it was killed waits for its one repetition (30 s).
    let complete = rig.fake.wait(total, Duration::from_secs(40)).await;
    let arrivals = rig.fake.arrivals();
    let lost = arrivals.iter().filter(|(when, _)| when.is_none()).count();
    // A gateway repeats by itself what was not stored yet.
    let redelivered = again.len() + rig.fake.gateway().repeated();
    let twice = arrivals.iter().filter(|(_, times)| *times > 1).count();
    line(
        &json!({"bench": "W1c", "channel": options.platform.name(), "messages": total, "killed": true, "redelivered": redelivered, "lost": lost, "visible_twice": twice}),
    );
    ensure!(complete && lost == 0, "{lost} messages were lost");
    Ok(())
}

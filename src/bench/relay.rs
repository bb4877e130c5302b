//! Workload W1, the relay: a requester's message comes in by webhook, is committed with its outbox row, acknowledged, and
//! posted to the desk thread. W1a closed loop, W1b open loop, W1c redeliveries and `kill -9`.
//!
//! Not here: the bridge (`child`), the platform's words (`platform`).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;

use super::child::Bridge;
use super::client::Poster;
use super::fake::{Fake, MARK};
use super::platform::Platform;
use super::spread::{Spread, percentile};
use super::{limits, line};

/// Requesters, each with a conversation that a technician has.
const REQUESTERS: usize = 1_000;
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
}

impl Default for Options {
    fn default() -> Self {
        Options {
            platform: Platform::Telegram,
            messages: 20_000,
            rounds: 5,
            connections: 32,
            open_seconds: 6,
        }
    }
}

/// One bridge under test with everything around it.
struct Rig {
    platform: Platform,
    fake: Fake,
    bridge: Bridge,
    next_update: AtomicUsize,
    /// Of the fake, as the platform names it in its events.
    api: String,
    token: String,
}

pub async fn run(options: &Options) -> anyhow::Result<()> {
    let mut grouped = Vec::new();
    let mut single = Vec::new();
    for round in 0..options.rounds {
        let flushes = limits::flushes_per_second(std::env::temp_dir().as_path()).unwrap_or(0.0);
        line(&json!({"bench": "limits", "round": round, "flushes_per_s": flushes, "load": limits::load()}));
        grouped.push(closed(options, 256, round).await?);
        single.push(closed(&Options { messages: options.messages / 5, ..options.clone() }, 1, round).await?);
    }
    let ratios: Vec<f64> = grouped.iter().zip(&single).map(|(a, b)| a / b).collect();
    line(
        &json!({"bench": "W1a", "mode": "durable, group commit", "unit": "msg/s", "spread": Spread::of(&grouped)}),
    );
    line(
        &json!({"bench": "W1a", "mode": "durable, one commit per message", "unit": "msg/s", "spread": Spread::of(&single)}),
    );
    line(
        &json!({"bench": "W1a", "paired_ratio": "group commit / one commit per message", "spread": Spread::of(&ratios)}),
    );
    for rate in [250u64, 2_000] {
        open(options, rate).await?;
    }
    killed(options).await
}

/// W1a: every connection sends its next message when the last was acknowledged.
async fn closed(options: &Options, max_batch: usize, round: usize) -> anyhow::Result<f64> {
    let rig = Rig::start(options.platform, options.messages, max_batch).await?;
    let before = rig.bridge.used();
    let started = Instant::now();
    let bad = rig.send_all(options.messages, options.connections).await?;
    ensure!(
        rig.fake.wait(options.messages, PATIENCE).await,
        "only {} of {} arrived",
        rig.fake.count(),
        options.messages
    );
    let seconds = started.elapsed().as_secs_f64();
    let after = rig.bridge.used();
    let twice = rig.fake.arrivals().iter().filter(|(_, times)| *times > 1).count();
    ensure!(bad == 0 && twice == 0, "{bad} bad acknowledgements, {twice} duplicates");
    let cpu = before.zip(after).map(|(b, a)| (a.1 - b.1) * 1e6 / options.messages as f64);
    let rate = options.messages as f64 / seconds;
    line(&json!({
        "bench": "W1a", "channel": options.platform.name(), "round": round, "max_batch": max_batch, "messages": options.messages, "msg_per_s": rate,
        "cpu_us_per_msg": cpu, "rss_mb": after.map(|a| a.0), "lost": 0, "twice": 0,
    }));
    Ok(rate)
}

/// W1b: messages at a fixed rate; latency counts from the scheduled moment.
async fn open(options: &Options, rate: u64) -> anyhow::Result<()> {
    let total = usize::try_from(rate * options.open_seconds)?;
    let rig = Arc::new(Rig::start(options.platform, total, 256).await?);
    let start = Instant::now() + Duration::from_millis(50);
    let lanes = 64;
    let mut tasks = Vec::new();
    for lane in 0..lanes {
        let rig = rig.clone();
        tasks.push(tokio::spawn(async move {
            let mut poster = rig.poster().await?;
            let mut acks = Vec::new();
            for number in (lane..total).step_by(lanes) {
                let due = start + Duration::from_secs_f64(number as f64 / rate as f64);
                tokio::time::sleep_until(due.into()).await;
                rig.post(&mut poster, &rig.update(number)).await?;
                acks.push((number, due, due.elapsed().as_secs_f64() * 1e3));
            }
            Ok::<_, std::io::Error>(acks)
        }));
    }
    let mut acks = Vec::new();
    for task in tasks {
        acks.extend(task.await??);
    }
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
    let three = |sorted: &[f64]| json!({"p50": percentile(sorted, 0.5), "p99": percentile(sorted, 0.99), "p99.9": percentile(sorted, 0.999)});
    line(
        &json!({"bench": "W1b", "channel": options.platform.name(), "rate_per_s": rate, "messages": total, "ack_ms": three(&ack), "end_to_end_ms": three(&whole)}),
    );
    Ok(())
}

/// W1c: 5 % of the messages come twice, the bridge is killed in the middle, and whatever was not acknowledged comes again.
async fn killed(options: &Options) -> anyhow::Result<()> {
    let total = options.messages;
    let mut rig = Rig::start(options.platform, total, 256).await?;
    let acked = Arc::new((0..total).map(|_| AtomicUsize::new(0)).collect::<Vec<_>>());
    let half = total / 2;
    let sending = rig.send_some(0, half, options.connections, acked.clone());
    let stop = tokio::time::sleep(Duration::from_millis(700 + u64::from(std::process::id() % 700)));
    tokio::select! {
        () = sending => {}
        () = stop => {}
    }
    rig.bridge.kill();
    rig.bridge.start(256).await?;
    let again: Vec<usize> =
        (0..total).filter(|number| acked[*number].load(Ordering::Relaxed) == 0 || number % 20 == 0).collect();
    rig.send_list(&again, options.connections, acked.clone()).await;
    // What was under way when it was killed waits for its one repetition (30 s).
    let complete = rig.fake.wait(total, Duration::from_secs(40)).await;
    let arrivals = rig.fake.arrivals();
    let lost = arrivals.iter().filter(|(when, _)| when.is_none()).count();
    let twice = arrivals.iter().filter(|(_, times)| *times > 1).count();
    line(
        &json!({"bench": "W1c", "channel": options.platform.name(), "messages": total, "killed": true, "redelivered": again.len(), "lost": lost, "visible_twice": twice}),
    );
    ensure!(complete && lost == 0, "{lost} messages were lost");
    Ok(())
}

/// Whether the platform would not send it again.
fn taken(status: u16) -> bool {
    (200..300).contains(&status)
}

impl Rig {
    async fn start(platform: Platform, messages: usize, max_batch: usize) -> anyhow::Result<Rig> {
        let (fake, api) = Fake::start(messages).await?;
        let api = format!("http://{api}");
        let token = platform.token(&api)?;
        let mut bridge = Bridge::new(&platform.channel(&api), platform.technician())?;
        bridge.start(max_batch).await?;
        let rig = Rig { platform, fake, bridge, next_update: AtomicUsize::new(1), api, token };
        rig.open_conversations().await?;
        Ok(rig)
    }

    async fn poster(&self) -> std::io::Result<Poster> {
        Poster::connect(&self.bridge.address.to_string(), &self.platform.path(), "").await
    }

    /// Status of one message, signed now.
    async fn post(&self, poster: &mut Poster, body: &str) -> std::io::Result<u16> {
        poster.post_with(&self.platform.proof(body, &self.token), body).await
    }

    fn first(&self, user: usize) -> String {
        let number = self.next_update.fetch_add(1, Ordering::Relaxed);
        self.platform.message(number, user, "hello, I need help", &self.api)
    }

    /// The n-th message; the same number gives the same bytes, so that sending it again is a redelivery.
    fn update(&self, number: usize) -> String {
        let user = 100_000 + number % REQUESTERS;
        let filler = "the printer on the second floor does not print and shows a red light ".repeat(8);
        self.platform.message(10_000_000 + number, user, &format!("{MARK}{number:08} {filler}"), &self.api)
    }

    /// One conversation per requester, accepted by the technician (`auto_accept`), its topic open.
    async fn open_conversations(&self) -> anyhow::Result<()> {
        let mut poster = self.poster().await?;
        for user in 0..REQUESTERS {
            let status = self.post(&mut poster, &self.first(100_000 + user)).await?;
            ensure!(taken(status), "set-up message {user} was answered {status}");
        }
        // Topics, cards and notices of all conversations go out before anything is measured.
        let mut last = 0.0;
        for _ in 0..240 {
            tokio::time::sleep(Duration::from_millis(250)).await;
            let cpu = self.bridge.used().map_or(0.0, |(_, cpu)| cpu);
            if (cpu - last).abs() < 0.02 && last > 0.0 {
                return Ok(());
            }
            last = cpu;
        }
        Ok(())
    }

    /// Numbers 0..total over the connections; how many were not taken.
    async fn send_all(&self, total: usize, connections: usize) -> anyhow::Result<usize> {
        let lanes = (0..connections).map(|lane| async move {
            let mut poster = self.poster().await?;
            let mut bad = 0;
            for number in (lane..total).step_by(connections) {
                if !taken(self.post(&mut poster, &self.update(number)).await?) {
                    bad += 1;
                }
            }
            Ok::<usize, std::io::Error>(bad)
        });
        let mut bad = 0;
        for lane in futures_util::future::join_all(lanes).await {
            bad += lane?;
        }
        Ok(bad)
    }

    async fn send_some(&self, from: usize, to: usize, connections: usize, acked: Arc<Vec<AtomicUsize>>) {
        let numbers: Vec<usize> = (from..to).collect();
        self.send_list(&numbers, connections, acked).await;
    }

    async fn send_list(&self, numbers: &[usize], connections: usize, acked: Arc<Vec<AtomicUsize>>) {
        let lanes = (0..connections).map(|lane| {
            let acked = acked.clone();
            async move {
                let Ok(mut poster) = self.poster().await else { return };
                for number in numbers.iter().skip(lane).step_by(connections) {
                    match self.post(&mut poster, &self.update(*number)).await {
                        Ok(status) if taken(status) => {
                            acked[*number].fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(_) => {}
                        Err(_) => return,
                    }
                }
            }
        });
        futures_util::future::join_all(lanes).await;
    }
}

//! The parts of W2: memory of an idle visitor, messages to single ones, one to everybody at once, everybody dropped and
//! back with their cursors, and readers that do not read.
//!
//! Not here: rounds and their spread (`widget`), servers and visitors.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::super::line;
use super::super::spread::percentile;
use super::crowd::{Arrivals, Crowd};
use super::scattered;
use super::server::{Sending, Sent, Server};
use super::visitor::PER_ADDRESS;

/// Visitors who have a conversation, among whom each message's recipient is drawn.
const RECIPIENTS: usize = 1_000;
/// Bytes of a message's text.
const SIZE: usize = 240;
/// Nothing arriving for so long ends a wait.
const PATIENCE: Duration = Duration::from_secs(20);
/// The source address of those who come and go before it begins: nobody else has it.
const WARM_UP: usize = 50_000;
const SETTLE: Duration = Duration::from_millis(1_500);
/// While everybody is away and comes back, so many messages per second go on being written to them.
const MEANWHILE: u64 = 200;
/// Readers that do not read, and what is written to each: more than any system's buffers take in. As many short ones per
/// second go to the others.
const SLOW: usize = 20;
const SLOW_SIZE: usize = 15_000;
const SLOW_EACH: usize = 120;
const SLOW_RATE: u64 = 200;

/// Latencies of one rate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Latency {
    pub p50: f64,
    pub p99: f64,
    pub cpu_us: Option<f64>,
}

/// One server with its visitors.
pub(super) struct Stage {
    server: Server,
    crowd: Crowd,
    sockets: usize,
    recipients: Arc<Vec<u64>>,
}

impl Stage {
    /// The first part: everybody arrives and is idle. Some come and go before that, so that what a server needs once is not
    /// counted as theirs.
    pub(super) async fn open(server: Server, sockets: usize) -> anyhow::Result<(Stage, Option<f64>)> {
        let tongue = server.which.tongue();
        drop(Crowd::arrive(server.address, tongue, WARM_UP, PER_ADDRESS).await?.call_back().await);
        tokio::time::sleep(SETTLE).await;
        let memory = || server.used().map(|(mb, _)| mb);
        let before = memory();
        let began = Instant::now();
        let crowd = Crowd::arrive(server.address, tongue, 0, sockets).await?;
        let connected = began.elapsed().as_secs_f64();
        tokio::time::sleep(SETTLE).await;
        let after = memory();
        let each = before.zip(after).map(|(before, after)| (after - before) * 1024.0 / sockets as f64);
        line(&json!({
            "bench": "W2", "part": "idle", "server": server.which.name(), "sockets": sockets,
            "rss_before_mb": before, "rss_mb": after, "rss_kb_per_visitor": each, "connect_s": connected,
        }));
        let (mut visitors, open) = crowd.call_back().await;
        ensure!(visitors.len() == open && open == sockets, "only {} of {sockets} stayed", visitors.len());
        let known = RECIPIENTS.min(sockets);
        let mut recipients = Vec::with_capacity(known);
        for (number, visitor) in visitors.iter_mut().take(known).enumerate() {
            visitor.begin(number).await.with_context(|| format!("conversation {number} of {known}"))?;
            recipients.push(visitor.number);
        }
        let crowd = Crowd::of(visitors);
        let stage = Stage { server, crowd, sockets, recipients: Arc::new(recipients) };
        Ok((stage, each))
    }

    fn report(&self, part: &str, more: Value) {
        let mut said = json!({
            "bench": "W2", "part": part, "server": self.server.which.name(), "sockets": self.sockets,
            "recipients": self.recipients.len(),
        });
        if let (Some(said), Value::Object(more)) = (said.as_object_mut(), more) {
            said.extend(more);
        }
        line(&said);
    }

    fn cpu(&self) -> Option<f64> {
        self.server.used().map(|(_, cpu)| cpu)
    }

    /// Open loop: latency counts from the moment when a message was due.
    pub(super) async fn unicast(&self, rate: u64, seconds: u64) -> anyhow::Result<Latency> {
        let total = usize::try_from(rate * seconds)?;
        let arrivals = Arc::new(Arrivals::of(total));
        self.crowd.expect(&arrivals);
        let before = self.cpu();
        let sending = Sending { from: 0, total, rate: Some(rate), size: SIZE };
        let sent = self.server.send(sending, &self.recipients, scattered).await?;
        let arrived = arrivals.wait(total, PATIENCE).await;
        let cpu_us = before.zip(self.cpu()).map(|(before, after)| (after - before) * 1e6 / total as f64);
        let ms = latencies(&sending, &sent, &arrivals);
        let (p50, p99) = (percentile(&ms, 0.5), percentile(&ms, 0.99));
        self.report(
            "unicast",
            json!({
                "rate_per_s": rate, "messages": total, "bytes": SIZE, "p50_ms": p50, "p99_ms": p99,
                "p99.9_ms": percentile(&ms, 0.999), "refused": sent.refused, "lost": total - arrived,
                "twice": arrivals.twice(), "gaps": arrivals.gaps(), "cpu_us_per_msg": cpu_us,
            }),
        );
        complete(&sent, &arrivals, arrived, total)?;
        Ok(Latency { p50, p99, cpu_us })
    }

    /// One message to everybody who has a conversation, as fast as they are taken.
    pub(super) async fn everybody(&self) -> anyhow::Result<f64> {
        let total = self.recipients.len();
        let arrivals = Arc::new(Arrivals::of(total));
        self.crowd.expect(&arrivals);
        let sending = Sending { from: 0, total, rate: None, size: SIZE };
        let sent = self.server.send(sending, &self.recipients, |number| number).await?;
        let arrived = arrivals.wait(total, PATIENCE).await;
        let ms = latencies(&sending, &sent, &arrivals);
        let last = ms.last().copied().unwrap_or(0.0);
        self.report(
            "everybody",
            json!({
                "messages": total, "median_ms": percentile(&ms, 0.5), "last_ms": last, "lost": total - arrived,
                "twice": arrivals.twice(), "gaps": arrivals.gaps(),
            }),
        );
        complete(&sent, &arrivals, arrived, total)?;
        Ok(last)
    }

    /// Every socket goes without a word and comes back with its cursor, while messages go on being written.
    pub(super) async fn resume(mut self) -> anyhow::Result<Stage> {
        let crowd = std::mem::replace(&mut self.crowd, Crowd::of(Vec::new()));
        let (visitors, open) = crowd.call_back().await;
        ensure!(visitors.len() == open, "{} of {open} sockets had ended", open - visitors.len());
        let away: Vec<_> = visitors.into_iter().map(super::visitor::Visitor::drop_out).collect();
        // Some while nobody is there, some while they come back, some after that.
        let seconds = 2 + u64::try_from(self.sockets / 1_000)?;
        let total = usize::try_from(MEANWHILE * seconds)?;
        let arrivals = Arc::new(Arrivals::of(total));
        let sending = Sending { from: 0, total, rate: Some(MEANWHILE), size: SIZE };
        let sending = self.server.send(sending, &self.recipients, scattered);
        let returning = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let began = Instant::now();
            let crowd = Crowd::come_back(away, &arrivals).await?;
            Ok::<_, anyhow::Error>((crowd, began.elapsed().as_secs_f64()))
        };
        let (sent, returned) = tokio::join!(sending, returning);
        let (sent, (crowd, took)) = (sent?, returned?);
        self.crowd = crowd;
        let arrived = arrivals.wait(total, PATIENCE).await;
        self.report(
            "resume",
            json!({
                "messages": total, "refused": sent.refused, "back_s": took, "back_per_s": self.sockets as f64 / took, "lost": total - arrived,
                "gaps": arrivals.gaps(), "rss_mb": self.server.used().map(|(mb, _)| mb),
            }),
        );
        // What is said while the journal is caught up with may come both ways; the page applies a number once.
        ensure!(sent.refused == 0, "{} messages were refused", sent.refused);
        ensure!(arrived == total, "only {arrived} of {total} arrived");
        ensure!(arrivals.gaps() == 0, "{} gaps", arrivals.gaps());
        Ok(self)
    }

    /// Some do not read: the others must not notice, memory must stay bounded, and whoever is cut catches up.
    pub(super) async fn slow(mut self) -> anyhow::Result<Stage> {
        let slow = SLOW.min(self.recipients.len() / 2);
        let crowd = std::mem::replace(&mut self.crowd, Crowd::of(Vec::new()));
        let (mut visitors, _) = crowd.call_back().await;
        let chosen: Vec<u64> = self.recipients[..slow].to_vec();
        let mut lazy = Vec::new();
        for at in (0..visitors.len()).rev() {
            if chosen.contains(&visitors[at].number) {
                lazy.push(visitors.swap_remove(at).slow_down().await?);
            }
        }
        self.crowd = Crowd::of(visitors);
        let (heavy, light) = (slow * SLOW_EACH, slow * SLOW_EACH);
        let arrivals = Arc::new(Arrivals::of(light + heavy));
        self.crowd.expect(&arrivals);
        let before = self.server.used().map(|(mb, _)| mb);
        let others = Arc::new(self.recipients[slow..].to_vec());
        let to_others = Sending { from: 0, total: light, rate: Some(SLOW_RATE), size: SIZE };
        let to_slow = Sending { from: light, total: heavy, rate: Some(SLOW_RATE), size: SLOW_SIZE };
        let chosen = Arc::new(chosen);
        let (one, two) = tokio::join!(
            self.server.send(to_others, &others, scattered),
            self.server.send(to_slow, &chosen, |number| number),
        );
        let (one, two) = (one?, two?);
        arrivals.wait(light, PATIENCE).await;
        let ms = latencies(&to_others, &one, &arrivals);
        let after = self.server.used().map(|(mb, _)| mb);
        // Now they look again: what their system took in, then the end, then everything else by the cursor.
        let mut cut = 0;
        let mut away = Vec::new();
        for mut visitor in lazy {
            let reading = async {
                while let Ok(text) = visitor.next().await {
                    visitor.take_note(&text, &arrivals);
                }
            };
            cut += usize::from(tokio::time::timeout(Duration::from_secs(5), reading).await.is_ok());
            away.push(visitor.drop_out());
        }
        let (back, total) = (Crowd::come_back(away, &arrivals).await?, light + heavy);
        let arrived = arrivals.wait(total, PATIENCE).await;
        self.report(
            "slow readers",
            json!({
                "slow": slow, "bytes_each": SLOW_EACH * SLOW_SIZE, "cut": cut, "rss_before_mb": before, "rss_mb": after,
                "others_p50_ms": percentile(&ms, 0.5), "others_p99_ms": percentile(&ms, 0.99), "lost": total - arrived,
                "lost_of_others": light - arrived_of(&arrivals, light), "gaps": arrivals.gaps(),
                "refused": one.refused + two.refused,
            }),
        );
        ensure!(one.refused + two.refused == 0, "{} messages were refused", one.refused + two.refused);
        ensure!(arrived == total, "only {arrived} of {total} arrived");
        ensure!(arrivals.gaps() == 0, "{} gaps", arrivals.gaps());
        back.call_back().await.0.into_iter().for_each(|visitor| self.crowd.add(visitor));
        Ok(self)
    }
}

/// How many of the first `count` arrived.
fn arrived_of(arrivals: &Arrivals, count: usize) -> usize {
    (0..count).filter(|number| arrivals.when(*number).is_some()).count()
}

/// Milliseconds from when each was due to when it arrived, sorted.
fn latencies(sending: &Sending, sent: &Sent, arrivals: &Arrivals) -> Vec<f64> {
    let one = |number: usize| {
        let due = sending.due(sent.start, number);
        Some(arrivals.when(number)?.saturating_duration_since(due).as_secs_f64() * 1e3)
    };
    let mut ms: Vec<f64> = (sending.from..sending.from + sending.total).filter_map(one).collect();
    ms.sort_by(f64::total_cmp);
    ms
}

/// A run with loss is no figure.
fn complete(sent: &Sent, arrivals: &Arrivals, arrived: usize, total: usize) -> anyhow::Result<()> {
    ensure!(sent.refused == 0, "{} messages were refused", sent.refused);
    ensure!(arrived == total, "only {arrived} of {total} arrived");
    ensure!(arrivals.twice() == 0, "{} arrived twice", arrivals.twice());
    ensure!(arrivals.gaps() == 0, "{} gaps", arrivals.gaps());
    Ok(())
}

//! One server under test with everything around it: the platform's other side, a thousand conversations, what is sent.
//!
//! Not here: what is measured (`relay`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::super::child::Bridge;
use super::super::client::Poster as Http;
use super::super::discord::gateway::Gateway;
use super::super::fake::{Fake, MARK, ROOT};
use super::super::peers::{Peer, Peers};
use super::super::platform::Platform;

/// Requesters, each with a conversation that a technician has.
pub(super) const REQUESTERS: usize = 1_000;
pub(super) const FIRST_USER: usize = 100_000;
/// The number of the first message that is measured.
pub(super) const FIRST: usize = 10_000_000;
/// Connections of the open loop.
const LANES: usize = 64;
/// Conversations stand when all of them are in the desk, and nothing was said for so long.
const CALM: Duration = Duration::from_secs(2);
/// Until then, at most.
const SET_UP: Duration = Duration::from_secs(600);
/// How long the bridge may take to come to the gateway.
const CAME_UP: Duration = Duration::from_secs(30);

/// What is measured.
#[derive(Clone, Copy)]
pub(super) enum Under<'a> {
    Bridge {
        max_batch: usize,
    },
    /// The platform's `beside`, by its name.
    Beside(&'a Peers, &'static str),
}

impl Under<'_> {
    pub(super) fn name(self) -> &'static str {
        match self {
            Under::Bridge { .. } => "deskbridge",
            Under::Beside(_, name) => name,
        }
    }

    pub(super) fn max_batch(self) -> Option<usize> {
        match self {
            Under::Bridge { max_batch } => Some(max_batch),
            Under::Beside(..) => None,
        }
    }
}

/// One message after another, each when the last one was taken.
pub(super) enum Poster {
    /// Taken is what was acknowledged.
    Http(Http),
    /// Taken is what the socket took: nothing is ever said of a single event.
    Gateway(Gateway),
}

enum Served {
    Bridge(Bridge),
    Peer(Peer),
}

pub(super) struct Rig {
    pub(super) platform: Platform,
    pub(super) fake: Fake,
    served: Served,
    address: SocketAddr,
    path: String,
    next_update: AtomicUsize,
    /// Of the fake, as the platform names it in its events.
    api: String,
    /// What is made once and goes into every proof; empty: nothing.
    token: String,
}

/// A text that the other side knows again, as long as the workload has it.
pub(super) fn words(number: usize) -> String {
    let filler = "the printer on the second floor does not print and shows a red light ".repeat(8);
    format!("{MARK}{number:08} {filler}")
}

/// Whether the platform would not send it again.
pub(super) fn taken(status: u16) -> bool {
    (200..300).contains(&status)
}

impl Rig {
    pub(super) async fn start(platform: Platform, messages: usize, under: Under<'_>) -> anyhow::Result<Rig> {
        let (fake, api) = Fake::start(messages, REQUESTERS).await?;
        let api = format!("http://{api}");
        let (served, address, path) = match under {
            Under::Bridge { max_batch } => {
                let mut bridge = Bridge::new(&platform.channel(&api), platform.technician())?;
                bridge.start(max_batch).await?;
                let address = bridge.address;
                (Served::Bridge(bridge), address, platform.path())
            }
            Under::Beside(peers, name) => {
                let beside = platform.beside(&api).with_context(|| format!("no {name}"))?;
                let peer = peers.start(beside.script, &beside.args).await?;
                let address = peer.address;
                (Served::Peer(peer), address, beside.path.to_owned())
            }
        };
        let token = platform.token(&api)?;
        let next_update = AtomicUsize::new(1);
        let rig = Rig { platform, fake, served, address, path, next_update, api, token };
        if platform.has_gateway() {
            ensure!(rig.fake.gateway().comes_up(CAME_UP).await, "nobody came to the gateway");
        }
        rig.open_conversations().await?;
        Ok(rig)
    }

    /// Resident MB and CPU seconds so far.
    pub(super) fn used(&self) -> Option<(f64, f64)> {
        match &self.served {
            Served::Bridge(bridge) => bridge.used(),
            Served::Peer(peer) => peer.used(),
        }
    }

    /// `kill -9`, and the same again; only the bridge comes back with what it had.
    pub(super) async fn kill_and_start(&mut self) -> anyhow::Result<()> {
        let Served::Bridge(bridge) = &mut self.served else { anyhow::bail!("it keeps nothing") };
        bridge.kill();
        bridge.start(256).await
    }

    async fn poster(&self) -> std::io::Result<Poster> {
        if self.platform.has_gateway() {
            return Ok(Poster::Gateway(self.fake.gateway()));
        }
        Http::connect(&self.address.to_string(), &self.path, "").await.map(Poster::Http)
    }

    /// Status of one message, signed now.
    pub(super) async fn post(&self, poster: &mut Poster, body: &str) -> std::io::Result<u16> {
        match poster {
            Poster::Http(poster) => poster.post_with(&self.platform.proof(body, &self.token), body).await,
            Poster::Gateway(gateway) => {
                gateway.dispatch(body).await;
                Ok(200)
            }
        }
    }

    fn first(&self, user: usize) -> String {
        let number = self.next_update.fetch_add(1, Ordering::Relaxed);
        self.platform.message(number, user, &format!("{ROOT}{user:08} hello, I need help"), &self.api)
    }

    /// The n-th message; the same number gives the same bytes, so that sending it again is a redelivery.
    pub(super) fn update(&self, number: usize) -> String {
        self.platform.message(FIRST + number, FIRST_USER + number % REQUESTERS, &words(number), &self.api)
    }

    /// One conversation per requester, accepted by the technician (`auto_accept`), its topic open.
    async fn open_conversations(&self) -> anyhow::Result<()> {
        let mut poster = self.poster().await?;
        for user in 0..REQUESTERS {
            let status = self.post(&mut poster, &self.first(FIRST_USER + user)).await?;
            ensure!(taken(status), "set-up message {user} was answered {status}");
        }
        // Topics, cards and notices of all conversations go out before anything is measured.
        let end = Instant::now() + SET_UP;
        let (mut before, mut calm) = (0, Instant::now());
        loop {
            let (calls, missing) = self.fake.calls();
            if calls != before || missing > 0 {
                (before, calm) = (calls, Instant::now());
            }
            if calm.elapsed() > CALM {
                return Ok(());
            }
            ensure!(Instant::now() < end, "{missing} of {REQUESTERS} conversations did not reach the desk");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Numbers 0..total over the connections; how many were not taken.
    pub(super) async fn send_all(&self, total: usize, connections: usize) -> anyhow::Result<usize> {
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

    pub(super) async fn send_some(
        &self,
        from: usize,
        to: usize,
        connections: usize,
        acked: Arc<Vec<AtomicUsize>>,
    ) {
        let numbers: Vec<usize> = (from..to).collect();
        self.send_list(&numbers, connections, acked).await;
    }

    pub(super) async fn send_list(
        &self,
        numbers: &[usize],
        connections: usize,
        acked: Arc<Vec<AtomicUsize>>,
    ) {
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

    /// Numbers 0..total at a fixed rate, whether they can be taken then or not: number, when it was due, milliseconds from
    /// then to its acknowledgement.
    pub(super) async fn send_at(
        self: &Arc<Self>,
        rate: u64,
        total: usize,
        body: impl Fn(&Rig, usize) -> String + Clone + Send + Sync + 'static,
    ) -> anyhow::Result<Vec<(usize, Instant, f64)>> {
        let start = Instant::now() + Duration::from_millis(50);
        let mut tasks = Vec::new();
        for lane in 0..LANES {
            let (rig, body) = (self.clone(), body.clone());
            tasks.push(tokio::spawn(async move {
                let mut poster = rig.poster().await?;
                let mut acks = Vec::new();
                for number in (lane..total).step_by(LANES) {
                    let due = start + Duration::from_secs_f64(number as f64 / rate as f64);
                    tokio::time::sleep_until(due.into()).await;
                    rig.post(&mut poster, &body(&rig, number)).await?;
                    acks.push((number, due, due.elapsed().as_secs_f64() * 1e3));
                }
                Ok::<_, std::io::Error>(acks)
            }));
        }
        let mut acks = Vec::new();
        for task in tasks {
            acks.extend(task.await??);
        }
        Ok(acks)
    }
}

//! Many visitors that wait, each in a task of its own, until they are called back; and when what they were sent arrived.
//!
//! Not here: a single visitor (`visitor`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::super::fake::MARK;
use super::visitor::{Away, PER_ADDRESS, Tongue, Visitor, arrive};

/// Source addresses whose visitors arrive at the same time.
const AT_ONCE: usize = 16;
/// Sockets that come back at the same time; more would measure the listen queue of the system.
const HANDSHAKES: usize = 512;

/// Visitors that read whatever comes.
pub(super) struct Crowd {
    tasks: JoinSet<Option<Visitor>>,
    leave: watch::Sender<bool>,
    arrivals: watch::Sender<Arc<Arrivals>>,
}

impl Crowd {
    pub(super) fn of(visitors: Vec<Visitor>) -> Crowd {
        let arrivals = watch::Sender::new(Arc::new(Arrivals::of(0)));
        let mut crowd = Crowd { tasks: JoinSet::new(), leave: watch::Sender::new(false), arrivals };
        visitors.into_iter().for_each(|visitor| crowd.add(visitor));
        crowd
    }

    /// `count` new ones, from the source addresses after `first`.
    pub(super) async fn arrive(
        server: SocketAddr,
        tongue: Tongue,
        first: usize,
        count: usize,
    ) -> anyhow::Result<Crowd> {
        let mut crowd = Crowd::of(Vec::new());
        let mut coming = JoinSet::new();
        for group in 0..count.div_ceil(PER_ADDRESS) {
            if coming.len() >= AT_ONCE {
                crowd.join(coming.join_next().await)?;
            }
            let here = PER_ADDRESS.min(count - group * PER_ADDRESS);
            coming.spawn(arrive(server, tongue, first + group, here));
        }
        while let Some(come) = coming.join_next().await {
            crowd.join(Some(come))?;
        }
        Ok(crowd)
    }

    fn join(
        &mut self,
        come: Option<Result<anyhow::Result<Vec<Visitor>>, tokio::task::JoinError>>,
    ) -> anyhow::Result<()> {
        if let Some(come) = come {
            come??.into_iter().for_each(|visitor| self.add(visitor));
        }
        Ok(())
    }

    pub(super) fn add(&mut self, visitor: Visitor) {
        self.tasks.spawn(stay(visitor, self.arrivals.subscribe(), self.leave.subscribe()));
    }

    /// From now on they look out for these texts.
    pub(super) fn expect(&self, arrivals: &Arc<Arrivals>) {
        self.arrivals.send_replace(arrivals.clone());
    }

    /// Everybody whose socket is still open, and how many there were.
    pub(super) async fn call_back(mut self) -> (Vec<Visitor>, usize) {
        let count = self.tasks.len();
        self.leave.send_replace(true);
        let mut visitors = Vec::with_capacity(count);
        while let Some(left) = self.tasks.join_next().await {
            visitors.extend(left.ok().flatten());
        }
        (visitors, count)
    }

    /// Those that were away, as fast as they are let in.
    pub(super) async fn come_back(away: Vec<Away>, arrivals: &Arc<Arrivals>) -> anyhow::Result<Crowd> {
        let mut coming = JoinSet::new();
        let mut crowd = Crowd::of(Vec::new());
        crowd.expect(arrivals);
        for one in away {
            if coming.len() >= HANDSHAKES
                && let Some(come) = coming.join_next().await
            {
                crowd.add(come??);
            }
            let arrivals = arrivals.clone();
            coming.spawn(async move { one.back(&arrivals).await });
        }
        while let Some(come) = coming.join_next().await {
            crowd.add(come??);
        }
        Ok(crowd)
    }
}

/// Reads until called back: a browser that is open. `None`: the socket ended.
async fn stay(
    mut visitor: Visitor,
    arrivals: watch::Receiver<Arc<Arrivals>>,
    mut leave: watch::Receiver<bool>,
) -> Option<Visitor> {
    loop {
        let text = tokio::select! {
            heard = visitor.next() => heard.ok()?,
            _ = leave.changed() => return Some(visitor),
        };
        let expected = arrivals.borrow().clone();
        visitor.take_note(&text, &expected);
    }
}

/// When each numbered text arrived, and how often.
pub(super) struct Arrivals {
    start: Instant,
    /// Microseconds after the start; 0: not yet.
    at: Vec<AtomicUsize>,
    times: Vec<AtomicUsize>,
    count: watch::Sender<usize>,
    gaps: AtomicUsize,
}

impl Arrivals {
    pub(super) fn of(numbers: usize) -> Arrivals {
        let zeros = || (0..numbers).map(|_| AtomicUsize::new(0)).collect();
        Arrivals {
            start: Instant::now(),
            at: zeros(),
            times: zeros(),
            count: watch::Sender::new(0),
            gaps: AtomicUsize::new(0),
        }
    }

    pub(super) fn note(&self, text: &str) {
        let Some(number) = text.split(MARK).nth(1).and_then(|rest| rest.get(..8)?.parse::<usize>().ok())
        else {
            return;
        };
        let (Some(at), Some(times)) = (self.at.get(number), self.times.get(number)) else { return };
        if times.fetch_add(1, Ordering::Relaxed) == 0 {
            let passed = usize::try_from(self.start.elapsed().as_micros()).unwrap_or(usize::MAX);
            at.store(passed.max(1), Ordering::Relaxed);
            self.count.send_modify(|count| *count += 1);
        }
    }

    /// An entry of a journal came after another one: what was said already may come again, a gap may not be.
    pub(super) fn followed(&self, before: u64, seq: u64) {
        if seq > before + 1 {
            self.gaps.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn gaps(&self) -> usize {
        self.gaps.load(Ordering::Relaxed)
    }

    pub(super) fn when(&self, number: usize) -> Option<Instant> {
        let micros = self.at.get(number)?.load(Ordering::Relaxed);
        (micros > 0).then(|| self.start + Duration::from_micros(micros as u64))
    }

    /// How many came twice or more.
    pub(super) fn twice(&self) -> usize {
        self.times.iter().filter(|times| times.load(Ordering::Relaxed) > 1).count()
    }

    /// Waits until `count` different ones arrived, or nothing came for `patience`; how many did.
    pub(super) async fn wait(&self, count: usize, patience: Duration) -> usize {
        let mut seen = self.count.subscribe();
        loop {
            let now = *seen.borrow_and_update();
            if now >= count || !matches!(tokio::time::timeout(patience, seen.changed()).await, Ok(Ok(()))) {
                return now;
            }
        }
    }
}

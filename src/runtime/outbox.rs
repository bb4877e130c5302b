//! The outbox: every effect in a lane, FIFO, one under way per lane (D34), so that a slow room stalls only itself.
//!
//! Not here: carrying out one effect (`perform`, `service`), pace (`pace`). Lanes are filled by hints from the writer
//! and, at the start, by a scan; what the database says wins.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::Timestamp;
use deskbridge_conversation::{ConversationId, EffectId};
use deskbridge_store::Committed;
use deskbridge_store::rows::{DeliveryState, OutboxRow};
use tokio::sync::mpsc;

use super::perform::{self, Verdict};
use super::{Bridge, joint};

/// Rows read in one go at the start.
const PAGE: u32 = 2_000;
/// How often open rows are read again, in case a hint was lost.
const SCAN: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Lane {
    queue: VecDeque<Arc<OutboxRow>>,
    /// The row under way.
    busy: Option<EffectId>,
}

#[derive(Default)]
struct Outbox {
    lanes: HashMap<String, Lane>,
    /// Lanes whose head may not go yet; those of one time in the order of their names, the same in every run.
    later: BTreeMap<Timestamp, BTreeSet<String>>,
}

struct Finished {
    lane: String,
    /// The head, and what went along with it.
    ends: perform::Ends,
}

pub async fn run(bridge: Arc<Bridge>, mut committed: mpsc::UnboundedReceiver<Arc<Committed>>) {
    let (done, mut finished) = mpsc::unbounded_channel();
    let mut outbox = Outbox::default();
    let mut scan = tokio::time::interval(SCAN);
    scan.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut draining = false;
    loop {
        let wait = outbox.later.first_key_value().map_or(SCAN, |(at, _)| at.since(bridge.now()));
        tokio::select! {
            () = bridge.stop.cancelled(), if !draining => draining = true,
            _ = scan.tick(), if !draining => fill(&bridge, &mut outbox).await,
            commit = committed.recv(), if !draining => match commit {
                Some(commit) => take_in(&bridge, &mut outbox, &commit).await,
                None => draining = true,
            },
            Some(end) = finished.recv() => outbox.finish(end),
            () = tokio::time::sleep(wait.max(Duration::from_millis(1))), if !draining => {}
        }
        if draining {
            if outbox.lanes.values().all(|lane| lane.busy.is_none()) {
                return;
            }
            continue;
        }
        outbox.start_ready(&bridge, &done);
    }
}

/// Reads every open row. Rows that are known already keep their place.
async fn fill(bridge: &Arc<Bridge>, outbox: &mut Outbox) {
    let mut after = None;
    loop {
        let page = match bridge.read.open_outbox(after, PAGE).await {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(%error, "outbox: the store could not be scanned; tried again later");
                return;
            }
        };
        let Some(last) = page.last().map(|row| row.id) else { return };
        let full = page.len() >= PAGE as usize;
        for row in page {
            outbox.add(Arc::new(row));
        }
        if !full {
            return;
        }
        after = Some(last);
    }
}

async fn take_in(bridge: &Arc<Bridge>, outbox: &mut Outbox, commit: &Committed) {
    for change in &commit.changes {
        if change.outbox_touched {
            reload(bridge, outbox, change.conversation.id).await;
        }
        for row in &change.enqueued {
            outbox.add(row.clone());
        }
    }
}

/// Rows of this conversation were cancelled, released or rewritten: what was known of them is dropped and read again.
async fn reload(bridge: &Arc<Bridge>, outbox: &mut Outbox, id: ConversationId) {
    match bridge.read.open_outbox_of(id).await {
        Ok(rows) => {
            // A lane is one conversation's: what others have waiting is not looked through.
            let of = |lane: &&mut Lane| lane.queue.front().is_some_and(|row| row.conversation() == id);
            for lane in outbox.lanes.values_mut().filter(of) {
                let busy = lane.busy;
                lane.queue.retain(|row| row.conversation() != id || Some(row.id) == busy);
            }
            for row in rows {
                outbox.add(Arc::new(row));
            }
        }
        // The attempt's own check in the store keeps cancelled rows from going out.
        Err(error) => tracing::warn!(%error, "outbox: a conversation's rows could not be read again"),
    }
}

impl Outbox {
    fn add(&mut self, row: Arc<OutboxRow>) {
        let lane = self.lanes.entry(row.lane.clone()).or_default();
        if lane.queue.iter().any(|known| known.id == row.id) {
            return;
        }
        // Hints come in order; a scan may bring older ones.
        let at = lane.queue.iter().rposition(|known| known.id < row.id).map_or(0, |at| at + 1);
        let at = if lane.busy.is_some() { at.max(1) } else { at };
        lane.queue.insert(at.min(lane.queue.len()), row);
        let name = lane.queue[0].lane.clone();
        self.later.entry(Timestamp::EPOCH).or_default().insert(name);
    }

    fn finish(&mut self, end: Finished) {
        let Some(lane) = self.lanes.get_mut(&end.lane) else { return };
        lane.busy = None;
        for (id, verdict) in end.ends {
            let Some(at) = lane.queue.iter().position(|row| row.id == id) else { continue };
            match verdict {
                Verdict::Done => drop(lane.queue.remove(at)),
                // Retry holds its lane (D34).
                Verdict::Again(row) => lane.queue[at] = row,
            }
        }
        if lane.queue.is_empty() {
            self.lanes.remove(&end.lane);
        } else {
            self.later.entry(Timestamp::EPOCH).or_default().insert(end.lane);
        }
    }

    /// Starts the head of every lane that may go.
    fn start_ready(&mut self, bridge: &Arc<Bridge>, done: &mpsc::UnboundedSender<Finished>) {
        let now = bridge.now();
        while let Some(entry) = self.later.first_entry() {
            if *entry.key() > now {
                break;
            }
            for name in entry.remove() {
                let Some(lane) = self.lanes.get_mut(&name) else { continue };
                if lane.busy.is_some() {
                    continue;
                }
                let Some(head) = lane.queue.front().cloned() else { continue };
                let ready = ready_at(bridge, &head);
                if ready > now {
                    self.later.entry(ready).or_default().insert(name);
                    continue;
                }
                lane.busy = Some(head.id);
                let behind = joint::behind(&lane.queue, |row| ready_at(bridge, row) <= now);
                start(bridge, head, behind, done.clone());
            }
        }
    }
}

/// When a row may be attempted. An attempt of another process is waited for until its lease is over.
fn ready_at(bridge: &Bridge, row: &OutboxRow) -> Timestamp {
    match (row.state, row.lease_until) {
        (DeliveryState::Attempting, Some(lease)) if !bridge.board.sole_owner() => {
            lease.max(row.not_before.unwrap_or(Timestamp::EPOCH))
        }
        _ => row.not_before.unwrap_or(Timestamp::EPOCH),
    }
}

fn start(
    bridge: &Arc<Bridge>,
    row: Arc<OutboxRow>,
    behind: Vec<Arc<OutboxRow>>,
    done: mpsc::UnboundedSender<Finished>,
) {
    let bridge = bridge.clone();
    let tasks = bridge.tasks.clone();
    tasks.spawn(async move {
        let (lane, id) = (row.lane.clone(), row.id);
        let work = tokio::spawn({
            let bridge = bridge.clone();
            let row = row.clone();
            async move { perform::perform(&bridge, row, &behind).await }
        });
        let ends = match work.await {
            Ok(ends) => ends,
            Err(panic) => {
                tracing::error!(effect = %id, error = %panic, "outbox: carrying out an effect panicked; tried again later");
                let mut again = (*row).clone();
                again.not_before = Some(bridge.now() + Duration::from_secs(60));
                vec![(id, Verdict::Again(Arc::new(again)))]
            }
        };
        // The loop is gone only at shutdown.
        let _ = done.send(Finished { lane, ends });
    });
}

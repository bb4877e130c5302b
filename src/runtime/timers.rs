//! Due clocks become events. The clocks themselves follow from each conversation's state.
//!
//! Not here: which clocks there are (`conversation/timers.rs`).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::Timestamp;
use deskbridge_conversation::{ConversationId, EventBody, timers};
use deskbridge_store::{Apply, Cause, Committed, Refs, Target};
use futures_util::stream::{self, StreamExt};
use tokio::sync::mpsc;

use super::Bridge;

/// How often the database is asked, in case a hint was lost.
const SCAN: Duration = Duration::from_secs(30);
/// Due conversations looked at in one go.
const AT_ONCE: u32 = 1024;
/// Events under way at once.
const CONCURRENT: usize = 256;

#[derive(Default)]
struct Clocks {
    by_time: BTreeSet<(Timestamp, ConversationId)>,
    of: HashMap<ConversationId, Timestamp>,
}

impl Clocks {
    fn set(&mut self, conversation: ConversationId, at: Option<Timestamp>) {
        if let Some(old) = self.of.remove(&conversation) {
            self.by_time.remove(&(old, conversation));
        }
        if let Some(at) = at {
            self.of.insert(conversation, at);
            self.by_time.insert((at, conversation));
        }
    }

    fn take_due(&mut self, now: Timestamp) -> Vec<ConversationId> {
        let later = self.by_time.split_off(&(now + Duration::from_micros(1), ConversationId(i64::MIN)));
        let due: Vec<ConversationId> =
            std::mem::replace(&mut self.by_time, later).into_iter().map(|(_, id)| id).collect();
        for conversation in &due {
            self.of.remove(conversation);
        }
        due
    }
}

pub async fn run(bridge: Arc<Bridge>, mut committed: mpsc::UnboundedReceiver<Arc<Committed>>) {
    let mut clocks = Clocks::default();
    let mut scan = tokio::time::interval(SCAN);
    scan.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let now = bridge.now();
        let next = clocks.by_time.first().map_or(Duration::from_secs(3600), |(at, _)| at.since(now));
        tokio::select! {
            () = bridge.stop.cancelled() => return,
            commit = committed.recv() => match commit {
                Some(commit) => {
                    for change in &commit.changes {
                        clocks.set(change.conversation.id, change.wake_at);
                    }
                    continue;
                }
                None => return,
            },
            _ = scan.tick() => {
                // What falls due before the next scan, so that clocks set before a restart are on time.
                match bridge.read.due(bridge.now() + SCAN, AT_ONCE).await {
                    Ok(due) => for (conversation, at) in due { clocks.set(conversation, Some(at)); },
                    Err(error) => tracing::warn!(%error, "timers: the store could not be scanned"),
                }
            }
            // A sub-millisecond remainder would spin.
            () = tokio::time::sleep(next.max(Duration::from_millis(1))) => {}
        }
        let due = clocks.take_due(bridge.now());
        stream::iter(due).for_each_concurrent(CONCURRENT, |conversation| fire(&bridge, conversation)).await;
    }
}

/// Applies every clock of one conversation that is due now.
async fn fire(bridge: &Arc<Bridge>, id: ConversationId) {
    // A step may make the next clock due at once (a burst that ends a deadline); a handful is plenty.
    for _ in 0..4 {
        let conversation = match bridge.board.conversation(bridge.read.as_ref(), id).await {
            Ok(Some(conversation)) => conversation,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "timers: a conversation could not be read; the next scan tries again");
                return;
            }
        };
        let policy = bridge.policy.current();
        let now = bridge.now();
        let Some((kind, due)) = timers::due(&conversation, &policy.policy, now) else { return };
        let apply = Apply {
            cause: Cause::Timer(id, kind, due),
            target: Target::Conversation(id),
            at: now,
            body: EventBody::Timer { kind, due },
            content: None,
            refs: Refs::default(),
            guard: None,
        };
        if let Err(error) = bridge.writer.apply(apply).await {
            tracing::warn!(%error, "timers: not applied; the next scan tries again");
            return;
        }
        // The board hears of the commit before the answer comes back or shortly after; look again only if it moved.
        tokio::task::yield_now().await;
    }
}

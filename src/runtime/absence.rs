//! Whom the platforms show as away, of those who are on: they are offered something only where nobody else can take it.
//!
//! Not here: presence itself, which no platform changes (D11: it may lower, never raise), and choosing (the allocator).

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::RemoteUserId;
use deskbridge_conversation::policy::TechnicianPolicy;

use super::Bridge;

/// How often is asked. A hint may be old.
const EVERY: Duration = Duration::from_secs(120);
/// Before the first time: who is on is known a moment after the start.
const FIRST: Duration = Duration::from_secs(5);

/// Runs until the program stops.
pub async fn run(bridge: Arc<Bridge>) {
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + FIRST, EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = bridge.stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        tokio::select! {
            () = bridge.stop.cancelled() => return,
            () = bridge.look_who_is_away() => {}
        }
    }
}

impl Bridge {
    async fn look_who_is_away(&self) {
        let policy = self.policy.current();
        for (id, technician) in &policy.policy.technicians {
            let is_away = self.board.is_available(id) && self.is_away_everywhere(technician).await;
            self.board.note_away(id, is_away);
        }
    }

    /// Wherever somebody could be seen, and at least in one place that tells.
    async fn is_away_everywhere(&self, technician: &TechnicianPolicy) -> bool {
        let mut is_away = false;
        for identity in &technician.identities {
            let Some((channel, user)) = identity.split_once(':') else { continue };
            let Some(adapter) = self.adapters.get(&channel.into()) else { continue };
            match adapter.is_away(&RemoteUserId::from(user)).await {
                Ok(Some(true)) => is_away = true,
                Ok(Some(false)) => return false,
                Ok(None) => {}
                Err(error) => tracing::debug!(channel, %error, "it is not known whether somebody is away"),
            }
        }
        is_away
    }
}

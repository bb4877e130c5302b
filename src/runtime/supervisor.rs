//! Runs each channel's intake, starts it again with back-off when it ends, and keeps the channel's health.
//!
//! Not here: reconnecting inside an adapter (they must not), sending (the outbox).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::{Adapter, ChannelName, Inbox, SendError};

use super::Bridge;
use super::health::State;
use super::intake::Sink;
use super::shelf::StoreShelf;
use super::uploads::Uploads;

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A connection that lasted this long was a good one: the next failure waits from the beginning.
const GOOD: Duration = Duration::from_secs(60);

/// What the channels receive by.
#[derive(Default)]
pub struct Routes {
    /// To be mounted at `/hooks/{channel}`.
    pub hooks: Vec<(ChannelName, axum::Router)>,
    /// To be mounted where people's own browsers come.
    pub pages: Vec<(ChannelName, axum::Router)>,
}

/// Starts every channel.
pub fn start(bridge: &Arc<Bridge>) -> Routes {
    let mut routes = Routes::default();
    for (channel, adapter) in &bridge.adapters {
        bridge.health.set(channel, State::Starting);
        let inbox = inbox(bridge, channel);
        let intake = adapter.clone().intake(inbox);
        if let Some(router) = intake.webhook {
            routes.hooks.push((channel.clone(), router));
        }
        if let Some(router) = intake.page {
            routes.pages.push((channel.clone(), router));
        }
        match intake.connect {
            Some(connection) => {
                bridge.tasks.spawn(keep(bridge.clone(), adapter.clone(), connection));
            }
            None => {
                bridge.tasks.spawn(check(bridge.clone(), adapter.clone()));
            }
        }
    }
    routes
}

pub(super) fn inbox(bridge: &Arc<Bridge>, channel: &ChannelName) -> Inbox {
    let shelf = StoreShelf { writer: bridge.writer.clone(), read: bridge.read.clone() };
    Inbox::new(channel.clone(), Arc::new(Sink { bridge: bridge.clone() }), Arc::new(shelf))
        .with_files(Arc::new(Uploads { bridge: bridge.clone() }))
}

type Connection = futures_util::future::BoxFuture<'static, Result<(), SendError>>;

/// One connection after another until the program stops.
async fn keep(bridge: Arc<Bridge>, adapter: Arc<dyn Adapter>, first: Connection) {
    let channel = adapter.channel().clone();
    let mut connection = Some(first);
    let mut wait = FIRST_WAIT;
    loop {
        let next = connection.take().or_else(|| adapter.clone().intake(inbox(&bridge, &channel)).connect);
        let Some(next) = next else { return };
        let started = bridge.now();
        let probe = bridge.tasks.spawn(check(bridge.clone(), adapter.clone()));
        let ended = tokio::select! {
            ended = next => ended,
            () = bridge.stop.cancelled() => {
                probe.abort();
                return;
            }
        };
        probe.abort();
        if bridge.now().since(started) > GOOD {
            wait = FIRST_WAIT;
        }
        let (why, at_least) = match ended {
            Ok(()) => ("the connection ended".to_owned(), Duration::ZERO),
            Err(SendError::Retry { after, why }) => (why, after.unwrap_or_default()),
            Err(SendError::Unauthorized { why }) => (format!("credentials refused: {why}"), LONGEST_WAIT),
            Err(error) => (error.to_string(), Duration::ZERO),
        };
        let pause = wait.max(at_least);
        tracing::warn!(channel = %channel, why, wait_s = pause.as_secs(), "channel: receiving ended; started again");
        let now = bridge.now();
        bridge.health.set(&channel, State::Down { since: now, why, retry_at: now + pause });
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = bridge.stop.cancelled() => return,
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

impl Bridge {
    /// How a channel is, with what its adapter knows to be broken while the rest works.
    pub fn health_of(&self, channel: &ChannelName) -> Option<State> {
        let mut state = self.health.get(channel)?;
        if let (State::Up { detail, .. }, Some(adapter)) = (&mut state, self.adapters.get(channel)) {
            adapter.warnings().iter().for_each(|warning| detail.push_str(&format!("; ⚠️ {warning}")));
        }
        Some(state)
    }

    /// The same of every channel.
    pub fn health_of_all(&self) -> BTreeMap<ChannelName, State> {
        let names = self.health.all().into_keys();
        names.filter_map(|name| self.health_of(&name).map(|state| (name, state))).collect()
    }
}

/// A live probe, repeated until it answers; says so in the channel's health.
async fn check(bridge: Arc<Bridge>, adapter: Arc<dyn Adapter>) {
    let channel = adapter.channel().clone();
    let mut wait = FIRST_WAIT;
    loop {
        match adapter.probe().await {
            Ok(health) => {
                for warning in &health.warnings {
                    tracing::warn!(channel = %channel, warning, "channel");
                }
                tracing::info!(channel = %channel, detail = health.summary, "channel up");
                bridge.health.set(&channel, State::Up { since: bridge.now(), detail: health.summary });
                return;
            }
            Err(error) => {
                let now = bridge.now();
                bridge
                    .health
                    .set(&channel, State::Down { since: now, why: error.to_string(), retry_at: now + wait });
            }
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = bridge.stop.cancelled() => return,
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

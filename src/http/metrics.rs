//! Metrics as Prometheus reads them: recorded everywhere with the `metrics` macros, shown here.
//!
//! Not here: who may read them (`ops.rs`). No label holds a name of a tenant, a person or a room (S109).

use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Duration;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::Instant;

use crate::runtime::Bridge;

/// Seconds. From a commit to a night in a queue.
const BUCKETS: [f64; 16] =
    [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0];
/// Counting in the store is not repeated for this long, however often somebody scrapes (F42).
const FRESH: Duration = Duration::from_secs(5);
const UPKEEP: Duration = Duration::from_secs(5);

/// What was recorded in this process.
pub type Handle = PrometheusHandle;

/// Installs the recorder, once for the process. `None`: another recorder was there first.
pub fn install() -> Option<Handle> {
    static INSTALLED: OnceLock<Option<Handle>> = OnceLock::new();
    INSTALLED.get_or_init(build).clone()
}

fn build() -> Option<Handle> {
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(seconds, &BUCKETS).ok()?;
    let handle = builder.install_recorder().ok()?;
    describe();
    metrics::gauge!("deskbridge_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Some(handle)
}

fn describe() {
    describe_gauge!("deskbridge_info", "The running version");
    describe_gauge!("deskbridge_outbox_depth", "Effects not yet carried out");
    describe_gauge!("deskbridge_outbox_failed", "Effects that failed for good");
    describe_gauge!("deskbridge_quarantine_kept", "Events that could not be read and are kept");
    describe_gauge!("deskbridge_conversations", "Conversations stored");
    describe_gauge!("deskbridge_messages_kept", "Messages stored");
    describe_gauge!("deskbridge_waiting", "Conversations that wait for a technician");
    describe_gauge!("deskbridge_channel_up", "Whether a channel receives");
    describe_counter!("deskbridge_messages_total", "Messages taken in or made");
    describe_counter!("deskbridge_http_requests_total", "Requests answered");
    describe_counter!("deskbridge_http_refused_total", "Requests refused before they were looked into");
    describe_counter!("deskbridge_http_accept_errors_total", "Connections that could not be accepted");
    describe_counter!("deskbridge_http_turned_away_total", "Connections above the limit");
    describe_histogram!("deskbridge_http_request_seconds", Unit::Seconds, "From the head to the answer");
}

/// The page at `/metrics`.
pub struct Page {
    handle: Option<Handle>,
    counted: std::sync::Mutex<Option<Instant>>,
}

impl Page {
    /// Histograms are folded now and then, also when nobody scrapes.
    pub fn start(bridge: &Arc<Bridge>) -> Page {
        let handle = install();
        if let Some(handle) = handle.clone() {
            let stop = bridge.stop.clone();
            bridge.tasks.spawn(async move {
                while tokio::time::timeout(UPKEEP, stop.cancelled()).await.is_err() {
                    handle.run_upkeep();
                }
            });
        }
        Page { handle, counted: std::sync::Mutex::default() }
    }

    pub async fn text(&self, bridge: &Bridge) -> String {
        if self.is_stale() {
            count(bridge).await;
        }
        self.handle.as_ref().map(Handle::render).unwrap_or_default()
    }

    fn is_stale(&self) -> bool {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let stale = counted.is_none_or(|at| now.duration_since(at) >= FRESH);
        if stale {
            *counted = Some(now);
        }
        stale
    }
}

async fn count(bridge: &Bridge) {
    let waiting: usize =
        bridge.policy.current().policy.queues.keys().map(|queue| bridge.board.waiting(queue)).sum();
    set("deskbridge_waiting", i64::try_from(waiting).unwrap_or(i64::MAX));
    // An unreachable store shows in `/readyz`; here the last figures stay.
    let Ok(counts) = bridge.read.counts().await else { return };
    set("deskbridge_outbox_depth", counts.outbox_open);
    set("deskbridge_outbox_failed", counts.outbox_failed);
    set("deskbridge_quarantine_kept", counts.quarantine);
    set("deskbridge_conversations", counts.conversations);
    set("deskbridge_messages_kept", counts.messages);
}

fn set(name: &'static str, value: i64) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge for people; exact below 2^53")]
    metrics::gauge!(name).set(value as f64);
}

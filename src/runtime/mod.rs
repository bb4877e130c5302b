//! Carries out what the core decides: takes events in, performs effects, keeps the clocks, watches the channels.
//!
//! Not here: any rule of the product (the core), any platform (the adapters), any SQL (the store).
//!
//! Flow: [`intake`] → the writer's `apply` → [`dispatch`] tells everybody what was committed → [`outbox`] performs →
//! `apply` of the result. The database is the truth; what a task forgets, a scan finds again.

pub mod absence;
pub mod allocator;
pub mod anew;
pub mod attachments;
pub mod board;
pub mod bus;
pub mod cleaning;
mod colleagues;
pub mod compose;
pub mod dispatch;
pub mod duty;
pub mod ending;
pub mod erasure;
pub mod health;
pub mod hints;
pub mod history;
pub mod identity;
pub mod intake;
pub mod joint;
pub mod known;
pub mod links;
pub mod outbox;
pub mod pace;
mod parts;
pub mod perform;
mod personal;
mod reading;
pub mod render;
pub mod rooms;
mod seen;
pub mod service;
pub mod shelf;
pub mod standing;
pub mod supervisor;
pub mod tickets;
pub mod timers;
pub mod uploads;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::{Adapter, ChannelName, Timestamp};
use deskbridge_services::assistant::Assistant;
use deskbridge_services::blobs::Blobs;
use deskbridge_services::tickets::TicketDesk;
use deskbridge_store::policy::PolicyHandle;
use deskbridge_store::writer::{Clock, Writer};
use deskbridge_store::{Committed, Read};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a graceful shutdown may take before what is left is abandoned (it is found again by a scan).
pub const SHUTDOWN: Duration = Duration::from_secs(10);

/// Everything the running parts share.
pub struct Bridge {
    pub writer: Writer,
    pub read: Arc<dyn Read>,
    pub policy: PolicyHandle,
    pub adapters: BTreeMap<ChannelName, Arc<dyn Adapter>>,
    pub clock: Clock,
    pub board: Arc<board::Board>,
    pub bus: Arc<dyn bus::Bus>,
    pub health: Arc<health::Health>,
    pub assistant: Arc<dyn Assistant>,
    pub tickets: Arc<dyn TicketDesk>,
    pub blobs: Arc<Blobs>,
    /// One change of what is in force at a time: what was checked is what is kept.
    pub changing: tokio::sync::Mutex<()>,
    pub erasing: erasure::Erasing,
    /// Set once: stop taking new work.
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
}

impl Bridge {
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Starts every running part but the adapters' intake (see [`supervisor`]). `committed` is the writer's stream.
    pub fn start(self: &Arc<Self>, committed: mpsc::UnboundedReceiver<Committed>) {
        let (outbox_wake, outbox_events) = mpsc::unbounded_channel();
        let (timers_wake, timers_events) = mpsc::unbounded_channel();
        let (allocator_wake, allocator_events) = mpsc::unbounded_channel();
        let listeners =
            dispatch::Listeners { outbox: outbox_wake, timers: timers_wake, allocator: allocator_wake };
        self.tasks.spawn(dispatch::run(self.clone(), committed, listeners));
        self.tasks.spawn(outbox::run(self.clone(), outbox_events));
        self.tasks.spawn(timers::run(self.clone(), timers_events));
        self.tasks.spawn(standing::run(self.clone()));
        self.tasks.spawn(absence::run(self.clone()));
        self.tasks.spawn(allocator::run(self.clone(), allocator_events));
        self.tasks.spawn(erasure::finish_all(self.clone()));
    }

    /// Stops taking work, lets what is under way finish, and closes the writer. At most [`SHUTDOWN`].
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(SHUTDOWN - Duration::from_secs(2), self.tasks.wait()).await.is_err() {
            tracing::warn!("shutdown: some work was still under way; it is found again at the next start");
        }
        if tokio::time::timeout(Duration::from_secs(2), self.writer.close()).await.is_err() {
            tracing::warn!("shutdown: the writer did not drain in time");
        }
    }
}

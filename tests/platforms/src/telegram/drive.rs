//! The handle a test holds: starts the fake, queues updates, looks at the outcome; playing people is in `acts`.
//! A mistake of the test itself (an unknown chat, a button that is not there) panics with its place.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::chat::{ChatId, ThreadId, UserId};
use super::faults::Fault;
use super::ledger::Call;
use super::message::Message;
use super::people::Drive;
use super::serve;
use super::spec::Fields;
use super::webhook;
use super::world::{Settings, Shared, World};
use crate::http::{Outage, Server};
use crate::shared::TimedOut;

/// A running fake; clones are the same one, the last to go stops it.
#[derive(Debug, Clone)]
pub struct FakeTelegram {
    pub(super) shared: Arc<Shared>,
    running: Arc<Running>,
}

#[derive(Debug)]
struct Running {
    server: Server,
    outage: Outage,
    postman: tokio::task::AbortHandle,
    token: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.postman.abort();
    }
}

/// Starting and setting up.
impl FakeTelegram {
    /// On a free port of 127.0.0.1, with everything as the vendor has it.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start() -> Self {
        FakeTelegram::with(Settings::default()).await
    }

    /// The platform's own waits take this part of the vendor's: 0.001 turns 2 s into 2 ms.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn hurried(time_scale: f64) -> Self {
        FakeTelegram::with(Settings { time_scale, ..Settings::default() }).await
    }

    /// # Panics
    /// When no port can be had.
    pub async fn with(settings: Settings) -> Self {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        FakeTelegram::listen(anywhere, settings).await.expect("a port on 127.0.0.1")
    }

    /// # Errors
    /// When the address cannot be bound.
    pub async fn listen(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        let token = settings.token.clone();
        let shared = Arc::new(Shared::new(World::new(settings)));
        let outage = Outage::default();
        let served = shared.clone();
        let server =
            Server::start(address, outage.clone(), move |request| serve::answer(served.clone(), request))
                .await?;
        let postman = tokio::spawn(webhook::run(shared.clone())).abort_handle();
        Ok(FakeTelegram { shared, running: Arc::new(Running { server, outage, postman, token }) })
    }

    /// What a client is given instead of `https://api.telegram.org`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.running.server.address())
    }

    pub fn token(&self) -> &str {
        &self.running.token
    }

    pub fn bot_id(&self) -> UserId {
        self.read(|world| world.bot.id)
    }

    /// Checks the parameter names of every call against `telegram_bot_api.json`; what is wrong becomes a violation.
    ///
    /// # Errors
    /// When the description cannot be read.
    pub fn check_fields(&self, description: impl AsRef<Path>) -> io::Result<()> {
        let fields = Fields::load(description.as_ref())?;
        self.shared.change(|world| world.fields = Some(fields));
        Ok(())
    }

    /// Changes how the platform behaves from now on. `token` and `bot_username` are fixed at the start.
    pub fn settings(&self, change: impl FnOnce(&mut Settings)) {
        self.shared.change(|world| {
            change(&mut world.settings);
            world.updates.time_scale = world.settings.time_scale;
        });
    }

    /// Privacy mode on or off (on is the vendor's default; administrators see everything either way).
    pub fn set_privacy(&self, on: bool) {
        self.settings(|settings| settings.privacy = on);
    }

    pub fn enforce_rate_limits(&self, on: bool) {
        self.settings(|settings| settings.enforce_rate_limits = on);
    }

    /// While on, nothing answers: connections are dropped unread, the bot's webhook still gets its posts.
    pub fn outage(&self, on: bool) {
        self.running.outage.set(on);
    }

    pub fn fault(&self, fault: Fault) {
        self.shared.change(|world| world.faults.add(fault));
    }

    pub fn clear_faults(&self) {
        self.shared.change(|world| world.faults.clear());
    }
}

/// The stream of updates.
impl FakeTelegram {
    #[track_caller]
    pub(super) fn drive<T>(&self, act: impl FnOnce(&mut World) -> Drive<T>) -> T {
        match self.shared.change(act) {
            Ok(done) => done,
            Err(mistake) => panic!("the test asks for something impossible: {mistake}"),
        }
    }

    /// Queues any JSON as an update; a missing `update_id` is filled in.
    pub fn raw_update(&self, update: Value) -> i64 {
        self.shared.change(|world| world.updates.push_raw(update))
    }

    /// Hands an update out once more, same id, same content, whatever the bot confirmed.
    #[track_caller]
    pub fn redeliver(&self, update_id: i64) {
        self.drive(|world| {
            world.updates.redeliver(update_id).then_some(()).ok_or_else(|| format!("no update {update_id}"))
        });
    }

    /// The next update gets this id, as after a week of silence.
    pub fn jump_update_ids(&self, next: i64) {
        self.shared.change(|world| world.updates.jump_to(next));
    }

    /// The id of the update that came last.
    pub fn last_update_id(&self) -> i64 {
        self.read(|world| world.updates.tail() - 1)
    }
}

/// Looking.
impl FakeTelegram {
    pub fn read<R>(&self, look: impl FnOnce(&World) -> R) -> R {
        self.shared.read(look)
    }

    /// Any change of the world that no other function makes.
    pub fn change<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        self.shared.change(change)
    }

    /// Waits, woken by every change, until `look` finds something. The error tells the whole story.
    pub fn wait_for<T>(
        &self,
        timeout: Duration,
        look: impl FnMut(&World) -> Option<T>,
    ) -> impl Future<Output = Result<T, TimedOut>> {
        self.shared.wait_for(timeout, look)
    }

    /// # Errors
    /// When `look` does not hold within `timeout`.
    pub async fn wait_until(
        &self,
        timeout: Duration,
        mut look: impl FnMut(&World) -> bool,
    ) -> Result<(), TimedOut> {
        self.wait_for(timeout, |world| look(world).then_some(())).await
    }

    pub fn messages_in(&self, chat: ChatId, thread: Option<ThreadId>) -> Vec<Message> {
        self.read(|world| world.messages_in(chat, thread).into_iter().cloned().collect())
    }

    pub fn transcript(&self, chat: ChatId, thread: Option<ThreadId>) -> Vec<String> {
        self.read(|world| world.transcript(chat, thread))
    }

    pub fn sent_to(&self, chat: ChatId) -> Vec<Message> {
        self.read(|world| world.sent_to(chat).into_iter().cloned().collect())
    }

    pub fn requests(&self, method: &str) -> Vec<Call> {
        self.read(|world| world.requests(method).into_iter().cloned().collect())
    }

    pub fn violations(&self) -> Vec<String> {
        self.read(|world| world.ledger.violations.clone())
    }

    pub fn report(&self) -> String {
        self.read(World::report)
    }
}

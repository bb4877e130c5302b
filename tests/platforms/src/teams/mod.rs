//! Microsoft Teams as a bot sees it: the Connector's REST, Entra ID's token endpoint, the OpenID metadata and keys, and the
//! sender of signed activities with its second and third tries; the outgoing webhook of a team, and a flow that takes notices. Written from the vendor's contract (platform-contracts §2.3
//! and the published Connector description) only.

mod connector;
mod flow;
mod outgoing;
mod page;
mod sender;
mod sign;
mod world;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

pub use outgoing::{Answer, WrongHmac};
pub use page::{Page, read};
pub use sign::{Forged, Signer};
pub use world::{Call, Fault, Message, World};

use crate::http::{Outage, Server};

/// How the fake is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    pub app_id: String,
    pub secret: String,
    pub tenant: String,
    /// Seconds since 1970 at which its clock stands at the start; it goes on by a second with every event.
    pub now: i64,
    /// After so long without an answer, an activity is sent again with the same id (15 s in Teams).
    pub again_after: Duration,
    /// How often it is sent at most.
    pub tries: usize,
    /// Of the outgoing webhook, in base64, as Teams shows it once.
    pub security_token: String,
    pub address: SocketAddr,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            app_id: "00000000-1111-2222-3333-444444444444".into(),
            secret: "planted-client-secret".into(),
            tenant: "99999999-8888-7777-6666-555555555555".into(),
            now: 1_790_000_000,
            again_after: Duration::from_secs(15),
            tries: 3,
            security_token: "cGxhbnRlZC1zZWN1cml0eS10b2tlbi1vZi0zMi1ieXRlcw==".into(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        }
    }
}

/// A running fake. Dropping it closes its listener.
#[derive(Debug)]
pub struct FakeTeams {
    server: Server,
    settings: Settings,
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) world: Mutex<World>,
    pub(crate) settings: Settings,
    pub(crate) signer: Signer,
    pub(crate) client: reqwest::Client,
    under_way: AtomicUsize,
}

impl Shared {
    /// One request to a hook, counted while it is under way.
    pub(crate) async fn post(
        &self,
        hook: &str,
        body: Vec<u8>,
        authorization: &[String],
    ) -> Result<reqwest::Response, reqwest::Error> {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let _ended = Ended(&self.under_way);
        let kind = "application/json; charset=utf-8";
        let mut request = self.client.post(hook).header("content-type", kind).body(body);
        for value in authorization {
            request = request.header("authorization", value);
        }
        request.send().await
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts down, however the request ends.
struct Ended<'a>(&'a AtomicUsize);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl FakeTeams {
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(settings: Settings) -> io::Result<FakeTeams> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().map_err(io::Error::other)?;
        let shared = Arc::new(Shared {
            world: Mutex::new(World::new(settings.now)),
            settings: settings.clone(),
            signer: Signer::new(),
            client,
            under_way: AtomicUsize::new(0),
        });
        let answering = shared.clone();
        let server = Server::start(settings.address, Outage::default(), move |request| {
            let shared = answering.clone();
            async move { connector::answer(shared, request).await }
        })
        .await?;
        let base = format!("http://{}", server.address());
        shared.world().base = base;
        Ok(FakeTeams { server, settings, shared })
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// The address by which activities name this Connector.
    pub fn service_url(&self) -> String {
        format!("{}/teams/", self.base())
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub fn signer(&self) -> &Signer {
        &self.shared.signer
    }

    /// The adapter's section of the configuration.
    pub fn section(&self) -> Value {
        serde_json::json!({
            "app_id": self.settings.app_id,
            "tenant": self.settings.tenant,
            "app_password": self.settings.secret,
            "service_url": self.service_url(),
            "service_hosts": ["127.0.0.1"],
            "token_url": format!("{}/token", self.base()),
            "openid_url": format!("{}/openid", self.base()),
            "graph_url": format!("{}/graph/v1.0/", self.base()),
        })
    }

    /// Requests to hooks that are not answered yet.
    pub fn under_way(&self) -> usize {
        self.shared.under_way.load(Ordering::SeqCst)
    }

    pub fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.shared.world())
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.shared.world())
    }

    /// From now on every call of the Connector goes wrong like this; `None` mends it.
    pub fn fault(&self, fault: Option<Fault>) {
        self.shared.world().fault = fault;
    }
}

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
}

impl Shared {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FakeTeams {
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(settings: Settings) -> io::Result<FakeTeams> {
        let shared = Arc::new(Shared {
            world: Mutex::new(World::new(settings.now)),
            settings: settings.clone(),
            signer: Signer::new(),
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
        })
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

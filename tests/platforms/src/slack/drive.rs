//! The handle a test holds: starts the fake, makes workspaces, looks at the outcome; playing people is in `acts`.
//! A mistake of the test itself (an unknown channel, a button that is not there) panics with its place.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::faults::Fault;
use super::ledger::{Call, Delivery};
use super::people::Drive;
use super::postman;
use super::serve;
use super::spec::Fields;
use super::team::{App, AppId, Kind, SCOPES, SUBSCRIPTIONS, Team, TeamId, User};
use super::world::{Settings, Shared, World};
use crate::http::{Outage, Server};
use crate::shared::TimedOut;

/// A running fake; clones are the same one, the last to go stops it.
#[derive(Debug, Clone)]
pub struct FakeSlack {
    pub(super) shared: Arc<Shared>,
    running: Arc<Running>,
}

#[derive(Debug)]
struct Running {
    server: Server,
    outage: Outage,
    postman: tokio::task::AbortHandle,
    shared: Arc<Shared>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.postman.abort();
        // Sockets are tasks of their own.
        self.shared.change(World::close_all);
    }
}

/// One workspace of a fake: where people are and act.
#[derive(Debug, Clone)]
pub struct Workspace {
    pub fake: FakeSlack,
    pub team: TeamId,
}

/// One app in one workspace, as its owner knows it.
#[derive(Debug, Clone)]
pub struct Installed {
    pub workspace: Workspace,
    pub id: AppId,
    pub bot_user: String,
    pub bot_id: String,
    pub signing_secret: String,
    pub app_token: String,
    /// The token of the installation; rotation makes others.
    pub bot_token: String,
    pub client_id: String,
    pub client_secret: String,
    pub refresh_token: String,
}

/// Starting and setting up.
impl FakeSlack {
    /// On a free port of 127.0.0.1, with everything as the vendor has it.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start() -> Self {
        FakeSlack::with(Settings::default()).await
    }

    /// The platform's own waits take this part of the vendor's: 0.001 turns a minute into 60 ms.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn hurried(time_scale: f64) -> Self {
        FakeSlack::with(Settings { time_scale, ..Settings::default() }).await
    }

    /// # Panics
    /// When no port can be had.
    pub async fn with(settings: Settings) -> Self {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        FakeSlack::listen(anywhere, settings).await.expect("a port on 127.0.0.1")
    }

    /// # Errors
    /// When the address cannot be bound.
    pub async fn listen(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(World::new(settings)));
        let outage = Outage::default();
        let served = shared.clone();
        let server =
            Server::start(address, outage.clone(), move |request| serve::answer(served.clone(), request))
                .await?;
        shared.change(|world| world.base = format!("http://{}", server.address()));
        let postman = tokio::spawn(postman::run(shared.clone())).abort_handle();
        let running = Running { server, outage, postman, shared: shared.clone() };
        Ok(FakeSlack { shared, running: Arc::new(running) })
    }

    /// Instead of `https://slack.com`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.running.server.address())
    }

    /// Instead of `https://slack.com/api`.
    pub fn api_url(&self) -> String {
        format!("{}/api", self.base_url())
    }

    /// A workspace with nobody in it.
    pub fn workspace(&self, name: &str) -> Workspace {
        let team = self.shared.change(|world| {
            let id = world.fresh("T");
            let team = Team {
                id: id.clone(),
                name: name.to_owned(),
                users: BTreeMap::new(),
                channels: BTreeMap::new(),
                apps: BTreeMap::new(),
                count: 0,
            };
            world.teams.insert(id.clone(), team);
            id
        });
        Workspace { fake: self.clone(), team }
    }

    /// Holds the parameters of every call against `slack_web_openapi_v2.json`; what is wrong becomes a violation.
    ///
    /// # Errors
    /// When the description cannot be read.
    pub fn check_fields(&self, description: impl AsRef<Path>) -> io::Result<()> {
        let fields = Fields::load(description.as_ref())?;
        self.shared.change(|world| world.fields = Some(fields));
        Ok(())
    }

    /// Changes how the platform behaves from now on.
    pub fn settings(&self, change: impl FnOnce(&mut Settings)) {
        self.shared.change(|world| change(&mut world.settings));
    }

    /// While on, nothing answers: connections are dropped unread; what the fake hands out still goes.
    pub fn outage(&self, on: bool) {
        self.running.outage.set(on);
    }

    /// While on, nothing is handed out; it waits.
    pub fn pause(&self, on: bool) {
        self.shared.change(|world| world.outgoing.paused = on);
    }

    pub fn fault(&self, fault: Fault) {
        self.shared.change(|world| world.faults.add(fault));
    }

    pub fn clear_faults(&self) {
        self.shared.change(|world| world.faults.clear());
    }
}

impl Workspace {
    /// Installs an app with the scopes and subscriptions of the manifest; it belongs to this workspace alone.
    pub fn install(&self, name: &str) -> Installed {
        self.fake.shared.change(|world| {
            let serial = world.next_serial();
            let (id, bot_id) = (world.fresh("A"), world.fresh("B"));
            let team = world.teams.get_mut(&self.team).expect("a workspace of this fake");
            let bot_user = team.next('U');
            let refresh_token = format!("xoxe-1-fake-first-{serial}");
            let app = App {
                id: id.clone(),
                name: name.to_owned(),
                bot_id: bot_id.clone(),
                bot_user: bot_user.clone(),
                signing_secret: format!("{serial:032x}"),
                client_id: format!("{serial}.{serial}"),
                client_secret: format!("client-secret-{serial}"),
                verification_token: format!("verification-{serial}"),
                app_token: format!("xapp-1-{id}-{serial}-fake"),
                tokens: vec![(format!("xoxb-{serial}-fake"), None)],
                revoked: Vec::new(),
                uninstalled: false,
                refresh_tokens: vec![refresh_token.clone()],
                scopes: SCOPES.map(str::to_owned).to_vec(),
                app_scopes: vec!["connections:write".into()],
                subscriptions: SUBSCRIPTIONS.map(str::to_owned).into(),
                events_url: None,
                interactivity_url: None,
                commands_url: None,
                socket_mode: false,
                unfurl_domains: Vec::new(),
            };
            let bot = User {
                id: bot_user.clone(),
                name: name.to_lowercase().replace(' ', "_"),
                real_name: name.to_owned(),
                email: None,
                email_confirmed: false,
                locale: "en-US".into(),
                kind: Kind::Bot { app: Some(id.clone()) },
                deleted: false,
                active: true,
            };
            let installed = Installed {
                workspace: self.clone(),
                id: id.clone(),
                bot_user: bot_user.clone(),
                bot_id,
                signing_secret: app.signing_secret.clone(),
                app_token: app.app_token.clone(),
                bot_token: app.bot_token(),
                client_id: app.client_id.clone(),
                client_secret: app.client_secret.clone(),
                refresh_token,
            };
            team.users.insert(bot_user, bot);
            team.apps.insert(id, app);
            installed
        })
    }

    #[track_caller]
    pub(super) fn drive<T>(&self, act: impl FnOnce(&mut World) -> Drive<T>) -> T {
        match self.fake.shared.change(act) {
            Ok(done) => done,
            Err(mistake) => panic!("the test asks for something impossible: {mistake}"),
        }
    }
}

impl Installed {
    /// Any change of the app: scopes, subscriptions, URLs.
    pub fn configure(&self, change: impl FnOnce(&mut App)) {
        self.workspace.fake.shared.change(|world| {
            let team = world.teams.get_mut(&self.workspace.team);
            if let Some(app) = team.and_then(|team| team.apps.get_mut(&self.id)) {
                change(app);
            }
        });
    }

    /// Events, interactions and commands are posted to this one URL.
    pub fn post_to(&self, url: &str) {
        self.configure(|app| {
            app.socket_mode = false;
            app.events_url = Some(url.to_owned());
            app.interactivity_url = Some(url.to_owned());
            app.commands_url = Some(url.to_owned());
        });
    }

    /// Everything goes through sockets.
    pub fn use_sockets(&self) {
        self.configure(|app| app.socket_mode = true);
    }
}

/// Looking.
impl FakeSlack {
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

    pub fn requests(&self, method: &str) -> Vec<Call> {
        self.read(|world| world.requests(method).into_iter().cloned().collect())
    }

    /// Attempts to hand something out, by its id.
    pub fn attempts(&self, id: &str) -> Vec<Delivery> {
        self.read(|world| world.ledger.attempts(id).into_iter().cloned().collect())
    }

    pub fn violations(&self) -> Vec<String> {
        self.read(|world| world.ledger.violations.clone())
    }

    pub fn report(&self) -> String {
        self.read(World::report)
    }
}

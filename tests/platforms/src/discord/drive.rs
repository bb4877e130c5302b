//! The handle a test holds: starts the fake, makes servers, looks at the outcome; playing people is in `acts`.
//! A mistake of the test itself (an unknown channel, a button that is not there) panics with its place.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;

use super::error::ApiError;
use super::events::PRIVILEGED;
use super::faults::Fault;
use super::gateway::EventFault;
use super::guild::{App, Guild, Member, Role, User};
use super::ledger::Call;
use super::permissions;
use super::postman;
use super::serve;
use super::sign::Tamper;
use super::snowflake::Snowflake;
use super::spec::Description;
use super::world::{Settings, Shared, World};
use crate::http::{self, Outage};
use crate::shared::TimedOut;

/// A running fake; clones are the same one, the last to go stops it.
#[derive(Debug, Clone)]
pub struct FakeDiscord {
    pub(super) shared: Arc<Shared>,
    running: Arc<Running>,
}

#[derive(Debug)]
struct Running {
    server: http::Server,
    outage: Outage,
    shared: Arc<Shared>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Gateway connections are tasks of their own.
        self.shared.change(World::close_all);
    }
}

/// One server of a fake (Discord's "guild"): where people are and act.
#[derive(Debug, Clone)]
pub struct Server {
    pub fake: FakeDiscord,
    pub id: Snowflake,
}

/// One app, as its owner knows it.
#[derive(Debug, Clone)]
pub struct Installed {
    pub fake: FakeDiscord,
    pub id: Snowflake,
    pub bot: Snowflake,
    /// As it was when the app was made; a reset makes another.
    pub token: String,
    /// Hexadecimal.
    pub public_key: String,
}

/// Starting and setting up.
impl FakeDiscord {
    /// On a free port of 127.0.0.1.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start() -> Self {
        FakeDiscord::with(Settings::default()).await
    }

    /// # Panics
    /// When no port can be had.
    pub async fn with(settings: Settings) -> Self {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        FakeDiscord::listen(anywhere, settings).await.expect("a port on 127.0.0.1")
    }

    /// # Errors
    /// When the address cannot be bound.
    pub async fn listen(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(World::new(settings)));
        let outage = Outage::default();
        let served = shared.clone();
        let answer = move |request| serve::answer(served.clone(), request);
        let server = http::Server::start(address, outage.clone(), answer).await?;
        shared.change(|world| world.base = format!("http://{}", server.address()));
        let running = Running { server, outage, shared: shared.clone() };
        Ok(FakeDiscord { shared, running: Arc::new(running) })
    }

    /// Instead of `https://discord.com`; the CDN is there, too.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.running.server.address())
    }

    /// Instead of `https://discord.com/api/v10`.
    pub fn api_url(&self) -> String {
        format!("{}/api/v10", self.base_url())
    }

    /// A server that belongs to somebody who never acts.
    pub fn server(&self, name: &str) -> Server {
        let id = self.shared.change(|world| {
            let owner = world.add_user("owner", false);
            let id = world.fresh();
            let everyone = Role {
                id,
                name: "@everyone".into(),
                permissions: permissions::EVERYONE,
                mentionable: false,
                managed: false,
            };
            let guild =
                Guild { id, name: name.to_owned(), owner, roles: vec![everyone], members: BTreeMap::new() };
            world.guilds.insert(id, guild);
            world.join(id, owner, BTreeSet::new());
            id
        });
        Server { fake: self.clone(), id }
    }

    /// An app with its bot, installed nowhere, with all privileged intents switched on.
    pub fn app(&self, name: &str) -> Installed {
        self.shared.change(|world| {
            let bot = world.add_user(name, true);
            // For apps of today both have the same id.
            let id = bot;
            let mut seed = [0; 32];
            seed[..8].copy_from_slice(&id.0.to_le_bytes());
            let app = App {
                id,
                name: name.to_owned(),
                bot,
                token: format!("{id}.fake.{:x}", id.0.rotate_left(13)),
                key: SigningKey::from_bytes(&seed),
                privileged: PRIVILEGED,
                endpoint: None,
                commands: BTreeMap::new(),
                identifies: 0,
                notices: Vec::new(),
            };
            let (token, public_key) = (app.token.clone(), app.public_key());
            world.apps.insert(id, app);
            Installed { fake: self.clone(), id, bot, token, public_key }
        })
    }

    /// Holds every request and every answer against `discord_openapi.json`; what is wrong becomes a violation.
    ///
    /// # Errors
    /// When the description cannot be read, or the fake has an operation that it has not.
    pub fn check_against(&self, description: impl AsRef<Path>) -> io::Result<()> {
        let description = Description::load(description.as_ref())?;
        self.shared.change(|world| world.description = Some(description));
        Ok(())
    }

    /// Changes how the platform behaves from now on.
    pub fn settings(&self, change: impl FnOnce(&mut Settings)) {
        self.shared.change(|world| change(&mut world.settings));
    }

    /// While on, nothing answers: connections are dropped unread; open gateway connections stay as they are.
    pub fn outage(&self, on: bool) {
        self.running.outage.set(on);
    }

    pub fn fault(&self, fault: Fault) {
        self.shared.change(|world| world.faults.add(fault));
    }

    pub fn clear_faults(&self) {
        self.shared.change(|world| world.faults.clear());
    }

    /// The next events of this kind (none: any) are lost, or come twice.
    pub fn event_fault(&self, kind: Option<&str>, fault: EventFault, times: u32) {
        self.shared.change(|world| world.gateway.add_trick(kind, fault, times));
    }

    #[track_caller]
    pub(super) fn drive<T>(&self, act: impl FnOnce(&mut World) -> Result<T, ApiError>) -> T {
        match self.shared.change(act) {
            Ok(done) => done,
            Err(mistake) => panic!("the test asks for something impossible: {mistake:?}"),
        }
    }
}

impl Server {
    /// Installs a new app with what it needs; `Installed::permissions` takes rights away.
    pub fn install(&self, name: &str) -> Installed {
        let app = self.fake.app(name);
        self.add_app(&app);
        app
    }

    /// Installs an app in one more server.
    pub fn add_app(&self, app: &Installed) {
        self.fake.shared.change(|world| {
            let role = world.fresh();
            let role = world.app(app.id).role(role);
            let id = role.id;
            if let Some(guild) = world.guilds.get_mut(&self.id) {
                guild.roles.push(role);
            }
            world.join(self.id, app.bot, [id].into());
            world.announce_guild(self.id, app.id);
        });
    }

    /// Throws an app out.
    pub fn remove_app(&self, app: &Installed) {
        self.fake.shared.change(|world| {
            if let Some(guild) = world.guilds.get_mut(&self.id) {
                guild.members.remove(&app.bot);
            }
            world.announce_removal(self.id, app.id);
        });
    }
}

/// The app in the portal, and its connections.
impl Installed {
    /// Any change of the app.
    pub fn configure(&self, change: impl FnOnce(&mut App)) {
        self.fake.shared.change(|world| {
            if let Some(app) = world.apps.get_mut(&self.id) {
                change(app);
            }
        });
    }

    /// The privileged intents that are switched on.
    pub fn privileged(&self, intents: u64) {
        self.configure(|app| app.privileged = intents);
    }

    /// What its own role grants it in a server.
    pub fn permissions(&self, server: &Server, permissions: u64) {
        self.fake.shared.change(|world| {
            let Some(guild) = world.guilds.get_mut(&server.id) else { return };
            let own = guild.members.get(&self.bot).map(|member| member.roles.clone()).unwrap_or_default();
            for role in guild.roles.iter_mut().filter(|role| role.managed && own.contains(&role.id)) {
                role.permissions = permissions;
            }
        });
    }

    /// Interactions are posted there from now on, unchecked.
    pub fn post_to(&self, url: &str) {
        self.configure(|app| app.endpoint = Some(url.to_owned()));
    }

    /// Enters an endpoint as the portal does: a good PING must be answered, bad ones refused with 401.
    ///
    /// # Errors
    /// What the endpoint did instead; it is then not taken.
    pub async fn enter_endpoint(&self, url: &str) -> Result<(), String> {
        self.post_to(url);
        let mut result = self.ping(Tamper::None).await;
        for tamper in [Tamper::FlippedBit, Tamper::NoSignature] {
            if result.is_ok() {
                result = self.ping(tamper).await;
            }
        }
        if result.is_err() {
            self.configure(|app| app.endpoint = None);
        }
        result
    }

    /// One PING; a bad one that passes has the endpoint removed, as Discord does.
    ///
    /// # Errors
    /// What the endpoint did instead of what it should.
    pub async fn ping(&self, tamper: Tamper) -> Result<(), String> {
        let result = postman::probe(&self.fake.shared, self.id, tamper).await;
        if let Err(why) = &result
            && tamper != Tamper::None
        {
            self.configure(|app| {
                app.endpoint = None;
                app.notices.push(format!("the endpoint was removed: {why}"));
            });
        }
        result
    }

    /// A new token; the old one is dead, connections are closed with 4004.
    pub fn reset_token(&self) -> String {
        self.fake.shared.change(|world| world.reset_token(self.id))
    }

    /// Connections that have identified or resumed.
    pub fn connections(&self) -> usize {
        self.fake.read(|world| world.connections(self.id))
    }

    /// Waits until the app is connected.
    ///
    /// # Errors
    /// When it is not within `timeout`.
    pub async fn connected(&self, timeout: Duration) -> Result<(), TimedOut> {
        self.fake.wait_until(timeout, |world| world.connections(self.id) > 0).await
    }

    /// Op 7.
    pub fn tell_to_reconnect(&self) {
        self.fake.shared.change(|world| world.tell_to_reconnect(self.id));
    }

    /// Op 9.
    pub fn invalidate(&self, resumable: bool) {
        self.fake.shared.change(|world| world.invalidate(self.id, resumable));
    }

    /// The sessions are gone as if too much time had passed: the next Resume is answered with op 9 `false`.
    pub fn forget_sessions(&self) {
        self.fake.shared.change(|world| world.forget_sessions(self.id));
    }

    /// Closes the connections with this code.
    pub fn close_sockets(&self, code: u16) {
        self.fake.shared.change(|world| world.close_sockets(self.id, code));
    }

    /// Cuts the connections without a word.
    pub fn cut_sockets(&self) {
        self.fake.shared.change(|world| world.cut_sockets(self.id));
    }

    /// The open connections become zombies: nothing comes through them any more.
    pub fn mute_sockets(&self) {
        self.fake.shared.change(|world| world.mute_sockets(self.id));
    }

    /// Op 1: the client is to beat at once.
    pub fn ask_for_heartbeat(&self) {
        self.fake.shared.change(|world| world.ask_for_heartbeat(self.id));
    }

    /// An event of a session (`World::last_event`) once more, as it was.
    pub fn repeat(&self, session: &str, seq: u64) {
        self.fake.shared.change(|world| world.repeat(session, seq));
    }

    /// Every event in which this id stands, once more; how many there were.
    pub fn repeat_about(&self, id: Snowflake) -> usize {
        self.fake.shared.change(|world| world.repeat_about(self.id, id))
    }

    /// While on, the gateway refuses handshakes.
    pub fn refuse_connections(&self, on: bool) {
        self.fake.shared.change(|world| world.gateway.refusing = on);
    }
}

impl World {
    pub(super) fn add_user(&mut self, name: &str, bot: bool) -> Snowflake {
        let id = self.fresh();
        let user = User {
            id,
            username: if bot { name.to_owned() } else { name.to_lowercase().replace(' ', "_") },
            global_name: (!bot).then(|| name.to_owned()),
            bot,
            locale: "en-US".into(),
            closed: false,
        };
        self.users.insert(id, user);
        id
    }

    pub(super) fn join(&mut self, guild: Snowflake, user: Snowflake, roles: BTreeSet<Snowflake>) {
        let joined = super::snowflake::now();
        if let Some(guild) = self.guilds.get_mut(&guild) {
            guild.members.insert(user, Member { user, nick: None, roles, joined });
        }
    }
}

/// Looking.
impl FakeDiscord {
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

    /// Calls of an operation, by its name in the published description.
    pub fn requests(&self, operation: &str) -> Vec<Call> {
        self.read(|world| world.requests(operation).into_iter().cloned().collect())
    }

    pub fn violations(&self) -> Vec<String> {
        self.read(|world| world.ledger.violations.clone())
    }

    pub fn report(&self) -> String {
        self.read(World::report)
    }
}

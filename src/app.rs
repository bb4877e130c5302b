//! The composition root: builds every part from the configuration and runs it. The only file that names a platform.
//!
//! Not here: what any part does.

mod demo;
pub mod kits;
mod knowledge;
pub mod settings;

pub use demo::{DemoOptions, demo, sample_knowledge};

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use deskbridge_contract::{Adapter, ChannelName, Timestamp};
use deskbridge_conversation::{Policy, Presence, TechnicianId};
use deskbridge_services::assistant::{
    Assistant, FallbackEngine, KnowledgeEngine, OpenAiEngine, OpenAiSettings, OwnTicket,
};
use deskbridge_services::blobs::Blobs;
use deskbridge_services::knowledge::KnowledgeBase;
use deskbridge_services::tickets::EmbeddedDesk;
use deskbridge_store::open::{Kind, OpenOptions, Opened, open};
use deskbridge_store::policy::PolicyHandle;
use deskbridge_store::writer::{Clock, MAX_BATCH, Writer};
use deskbridge_store::{Admin, Export, Read};
use secrecy::ExposeSecret as _;
use settings::Settings;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Config, Database, Engine};
use crate::http;
use crate::runtime::board::Board;
use crate::runtime::bus::InProcess;
use crate::runtime::health::Health;
use crate::runtime::{Bridge, identity, supervisor};
use crate::seal::{KeySource, Seal};

/// How `serve` was started.
#[derive(Clone, Debug, Default)]
pub struct ServeOptions {
    /// Instead of `server.listen`.
    pub listen: Option<SocketAddr>,
    /// Do not apply migrations; refuse to start where some are missing.
    pub no_migrate: bool,
    /// Without the platforms' pace, for benchmarks against a fake.
    pub unpaced: bool,
    /// Jobs that share a commit at most; 0: as many as the writer takes.
    pub max_batch: usize,
}

/// The wall clock, in microseconds.
pub fn clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    })
}

/// A bridge with everything around it, ready to take events.
pub struct Running {
    pub bridge: Arc<Bridge>,
    pub read: Arc<dyn Read>,
    pub export: Arc<dyn Export>,
    pub knowledge: Arc<KnowledgeBase>,
    pub hooks: Vec<(ChannelName, axum::Router)>,
    pub settings: Arc<Settings>,
    pub seal: Arc<Seal>,
    /// Surfaces for people's own browsers.
    pub pages: Vec<(ChannelName, axum::Router)>,
}

/// What a bridge is built from besides the configuration.
pub struct Parts {
    pub opened: Opened,
    pub adapters: BTreeMap<ChannelName, Arc<dyn Adapter>>,
    pub blobs: PathBuf,
    pub key: KeySource,
    pub clock: Clock,
    /// Jobs that share a commit at most; 0: as many as the writer takes.
    pub max_batch: usize,
}

/// Opens the store that the configuration names.
pub async fn open_store(config: &Config, no_migrate: bool) -> anyhow::Result<Opened> {
    let url = match &config.store.url {
        Database::Postgres(url) => url.expose_secret().to_owned(),
        Database::Sqlite(path) => {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("cannot create the folder {}", folder.display()))?;
            }
            format!("sqlite:{}", path.display())
        }
    };
    let options = OpenOptions { migrate: !no_migrate, ..OpenOptions::default() };
    open(&url, options).await.with_context(|| format!("cannot open the store {}", config.store.url.shown()))
}

/// The adapters of the configuration, by channel.
pub fn adapters(
    config: &Config,
    clock: &Clock,
    unpaced: bool,
) -> anyhow::Result<BTreeMap<ChannelName, Arc<dyn Adapter>>> {
    let mut adapters: BTreeMap<ChannelName, Arc<dyn Adapter>> = BTreeMap::new();
    for (name, channel) in &config.channels {
        let mut own = channel.own.clone();
        if let Some(public_url) = &config.server.public_url {
            own.add_default("public_url", public_url);
        }
        let adapter: Arc<dyn Adapter> = match channel.adapter {
            "telegram" => {
                let settings = deskbridge_telegram::Config::from_value(own.reveal())
                    .map_err(|faults| anyhow::anyhow!("[channels.{name}]: {faults:?}"))?;
                let settings = if unpaced { settings.without_pace() } else { settings };
                let adapter =
                    deskbridge_telegram::TelegramAdapter::new(name.clone(), settings, clock.clone())
                        .with_context(|| format!("[channels.{name}]"))?;
                Arc::new(adapter)
            }
            "slack" => {
                let settings = deskbridge_slack::Config::from_value(own.reveal())
                    .map_err(|faults| anyhow::anyhow!("[channels.{name}]: {faults:?}"))?;
                let settings = if unpaced { settings.without_pace() } else { settings };
                let desks = channel.desks.iter().map(|(_, desk)| desk.room.to_string()).collect();
                let settings = settings.with_desks(desks);
                let adapter = deskbridge_slack::SlackAdapter::new(name.clone(), settings, clock.clone())
                    .with_context(|| format!("[channels.{name}]"))?;
                Arc::new(adapter)
            }
            "teams" => {
                let desks = channel.desks.iter().map(|(_, desk)| desk.room.to_string()).collect();
                teams(name, own.reveal(), desks, clock, unpaced)?
            }
            "discord" => {
                let settings = deskbridge_discord::Config::from_value(own.reveal())
                    .map_err(|faults| anyhow::anyhow!("[channels.{name}]: {faults:?}"))?;
                let settings = if unpaced { settings.without_pace() } else { settings };
                let desks = channel.desks.iter().map(|(_, desk)| desk.room.to_string()).collect();
                let settings = settings.with_desks(desks);
                let adapter = deskbridge_discord::DiscordAdapter::new(name.clone(), settings, clock.clone())
                    .with_context(|| format!("[channels.{name}]"))?;
                Arc::new(adapter)
            }
            "teams-webhook" => teams_webhook(name, own.reveal(), clock, unpaced)?,
            "widget" => widget(name, own.reveal(), clock)?,
            other => anyhow::bail!("[channels.{name}]: there is no adapter called {other}"),
        };
        adapters.insert(name.clone(), adapter);
    }
    Ok(adapters)
}

fn teams(
    name: &ChannelName,
    keys: serde_json::Value,
    desks: Vec<String>,
    clock: &Clock,
    unpaced: bool,
) -> anyhow::Result<Arc<dyn Adapter>> {
    let settings = deskbridge_teams::Config::from_value(keys)
        .map_err(|faults| anyhow::anyhow!("[channels.{name}]: {faults:?}"))?;
    let settings = if unpaced { settings.without_pace() } else { settings };
    let settings = settings.with_desks(desks);
    let adapter = deskbridge_teams::TeamsAdapter::new(name.clone(), settings, clock.clone())
        .with_context(|| format!("[channels.{name}]"))?;
    Ok(Arc::new(adapter))
}

fn teams_webhook(
    name: &ChannelName,
    keys: serde_json::Value,
    clock: &Clock,
    unpaced: bool,
) -> anyhow::Result<Arc<dyn Adapter>> {
    let settings = deskbridge_teams::WebhookConfig::from_value(keys)
        .map_err(|faults| anyhow::anyhow!("[channels.{name}]: {faults:?}"))?;
    let settings = if unpaced { settings.without_pace() } else { settings };
    let adapter = deskbridge_teams::WebhookAdapter::new(name.clone(), settings, clock.clone())
        .with_context(|| format!("[channels.{name}]"))?;
    Ok(Arc::new(adapter))
}

fn widget(name: &ChannelName, keys: serde_json::Value, clock: &Clock) -> anyhow::Result<Arc<dyn Adapter>> {
    let settings = deskbridge_widget::Config::from_value(keys)
        .map_err(|faults| anyhow::anyhow!("[channels.{name}]: {faults:?}"))?;
    Ok(Arc::new(deskbridge_widget::WidgetAdapter::new(name.clone(), settings, clock.clone())))
}

fn assistant(
    config: &Config,
    knowledge: &Arc<KnowledgeBase>,
    read: &Arc<dyn Read>,
    clock: &Clock,
) -> anyhow::Result<Arc<dyn Assistant>> {
    let fallback = KnowledgeEngine::new(knowledge.clone());
    Ok(match config.assistant.engine {
        // Nothing is asked of it in mode `off`; technicians still get suggestions and summaries.
        Engine::Off | Engine::Knowledge => Arc::new(fallback),
        Engine::Openai => {
            let settings = &config.assistant;
            let model = settings.model.clone().context("assistant.model is needed for the engine openai")?;
            let mut endpoint = OpenAiSettings::new(&settings.base_url, model);
            if let Some(key) = &settings.api_key {
                endpoint = endpoint.with_key(key.clone());
            }
            let engine = OpenAiEngine::new(endpoint, knowledge.clone())
                .context("the engine openai cannot be set up")?
                .with_tools(OwnTicket::bind(read.clone()))
                .with_clock(clock.clone());
            Arc::new(FallbackEngine::new(Arc::new(engine), Arc::new(fallback)))
        }
    })
}

/// Builds a bridge and starts it. The adapters' intake starts last, when everything can take events.
pub async fn build(config: &Config, parts: Parts) -> anyhow::Result<Running> {
    build_with(config, parts, None).await
}

/// As [`build`], with an assistant of the caller's own instead of the configured engine.
pub async fn build_with(
    config: &Config,
    parts: Parts,
    engine: Option<Arc<dyn Assistant>>,
) -> anyhow::Result<Running> {
    let Parts { opened, adapters, blobs, key, clock, max_batch } = parts;
    let Opened { backend, read, export, kind } = opened;
    let (knowledge, problems) = KnowledgeBase::open(&config.assistant.knowledge);
    for problem in problems {
        tracing::warn!(%problem, "knowledge: an article was left out");
    }
    let knowledge = Arc::new(knowledge);
    let settings = Settings::open(config, read.as_ref()).await.context("the store cannot be read")?;
    let config = settings.current();
    let config = config.as_ref();
    let board = Arc::new(Board::new(Box::new(settings.hours.clone()), kind == Kind::Sqlite));
    board.fill(read.as_ref(), clock()).await.context("the store cannot be read")?;
    let policy: Policy =
        identity::in_force(read.as_ref(), config.policy()).await.context("the store cannot be read")?;
    let policy = PolicyHandle::new(policy);
    let (committed, commits) = mpsc::unbounded_channel();
    let max_batch = if max_batch == 0 { MAX_BATCH } else { max_batch };
    let (writer, _task) =
        Writer::start_sized(max_batch, backend, policy.clone(), board.clone(), clock.clone(), committed);
    ensure_technicians(config, &writer, read.as_ref()).await?;
    let seal = Seal::open(&key, read.as_ref(), &writer).await?;
    http::api::seal_all(read.as_ref(), &writer, &seal).await.context("second factors cannot be sealed")?;
    let engine = match engine {
        Some(engine) => engine,
        None => assistant(config, &knowledge, &read, &clock)?,
    };
    let bridge = Arc::new(Bridge {
        assistant: engine,
        tickets: Arc::new(EmbeddedDesk::new(writer.clone(), read.clone())),
        blobs: Arc::new(Blobs::open(&blobs).context("the folder for attachments cannot be used")?),
        bus: Arc::new(InProcess::new(4096)),
        changing: tokio::sync::Mutex::default(),
        erasing: Default::default(),
        health: Arc::new(Health::default()),
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
        read: read.clone(),
        writer,
        policy,
        adapters,
        clock,
        board,
    });
    bridge.start(commits);
    let supervisor::Routes { hooks, pages } = supervisor::start(&bridge);
    Ok(Running { bridge, read, export, knowledge, hooks, pages, settings, seal: Arc::new(seal) })
}

/// Technicians of the configuration that the store does not know yet come in with their configured presence.
async fn ensure_technicians(config: &Config, writer: &Writer, read: &dyn Read) -> anyhow::Result<()> {
    let known: HashSet<TechnicianId> = read.technicians().await?.into_iter().map(|row| row.id).collect();
    let all = config.technicians.iter().map(|technician| technician.id.clone()).collect();
    writer.admin(Admin::EnsureTechnicians(all)).await?;
    for technician in config.technicians.iter().filter(|technician| !known.contains(&technician.id)) {
        if technician.presence != Presence::Offline {
            let (technician, presence) = (technician.id.clone(), technician.presence);
            writer.admin(Admin::SetPresence { technician, presence }).await?;
        }
    }
    Ok(())
}

/// Runs until SIGINT or SIGTERM.
pub async fn serve(config: Config, options: ServeOptions) -> anyhow::Result<()> {
    // Before anything counts.
    http::metrics::install();
    let listen = options.listen.unwrap_or(config.server.listen);
    if let Some(why) = config.refuses_to_listen(listen) {
        anyhow::bail!("refusing to listen on {listen}: {why}");
    }
    let clock = clock();
    let opened = open_store(&config, options.no_migrate).await?;
    let adapters = adapters(&config, &clock, options.unpaced)?;
    let blobs = config.store.blobs.clone();
    let key = KeySource::of(&config);
    let parts = Parts { opened, adapters, blobs, key, clock, max_batch: options.max_batch };
    let running = build(&config, parts).await?;
    let listener = bind(listen).await?;
    let router = http::router(&config, &running);
    let (bridge, policy) = (&running.bridge, running.bridge.policy.current());
    let provider = config.oidc.as_ref().map(|_| &policy.policy);
    let first = http::api::first_link(running.read.as_ref(), &bridge.writer, bridge.now(), provider);
    let first = first.await.context("the store cannot be read")?;
    run(running, listener, router, |address| banner(&config, address, first.as_deref())).await
}

/// Where people find the console. The link that makes the first admin is for whoever started the program, and in no log.
fn banner(config: &Config, address: SocketAddr, first: Option<&str>) {
    tracing::info!(
        %address,
        version = env!("CARGO_PKG_VERSION"),
        store = config.store.url.shown(),
        channels = config.channels.len(),
        "deskbridge is listening"
    );
    let here = if address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    };
    let at = config.server.public_url.clone().unwrap_or(here);
    match first {
        Some(link) => crate::cli::say(&format!(
            "Console  {at}{link}\n         good once and for 10 minutes; it makes you admin"
        )),
        None => crate::cli::say(&format!("Console  {at}/console/")),
    }
}

async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}; another program may be using it (try --listen)"))
}

/// Serves HTTP until the program is told to stop, then shuts down in at most ten seconds.
pub async fn run(
    running: Running,
    listener: TcpListener,
    router: axum::Router,
    up: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    let bridge = running.bridge.clone();
    up(listener.local_addr()?);
    knowledge::keep_current(&running);
    let stop = bridge.stop.clone();
    let server = tokio::spawn(http::server::serve(listener, router, stop.clone()));
    signalled().await;
    tracing::info!("stopping: finishing what is under way");
    bridge.shutdown().await;
    if tokio::time::timeout(Duration::from_secs(2), server).await.is_err() {
        tracing::warn!("stopping: some connections were still open");
    }
    Ok(())
}

/// SIGINT or SIGTERM.
async fn signalled() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            },
            Err(_) => {
                let _ = interrupt.await;
            }
        }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
}

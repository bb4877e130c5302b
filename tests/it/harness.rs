//! A whole bridge in memory: real runtime, memory store, simulated platforms, virtual time.
//!
//! Not here: what is checked. Time is tokio's paused clock, so a day of waiting takes no time and no test sleeps.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use deskbridge::app::{Parts, Running, build_with};
use deskbridge::config::Config;
use deskbridge::seal::KeySource;
use deskbridge_contract::{Adapter, ChannelName, Timestamp};
use deskbridge_services::assistant::Assistant;
use deskbridge_sim::{SimAdapter, Style, World};
use deskbridge_store::memory::Memory;
use deskbridge_store::open::{Kind, Opened};
use deskbridge_store::writer::Clock;
use tokio::time::Instant;

/// Tuesday 2026-11-24 10:00:00 UTC.
pub const START: i64 = 1_795_514_400_000_000;

pub struct Town {
    pub running: Option<Running>,
    pub worlds: BTreeMap<String, World>,
    pub store: Memory,
    pub config: Config,
    pub clock: Clock,
    /// Instead of the configured engine.
    pub engine: Option<Arc<dyn Assistant>>,
    /// The next start's, instead of the store in memory.
    pub next: Option<Opened>,
    pub key: KeySource,
    folder: tempfile::TempDir,
}

/// By which every bridge of the tests seals.
pub fn key() -> KeySource {
    KeySource::Given("0123456789abcdef0123456789abcdef".to_owned().into())
}

/// The clock of the paused runtime.
pub fn virtual_clock() -> Clock {
    let began = Instant::now();
    Arc::new(move || {
        let passed = began.elapsed();
        Timestamp(START + i64::try_from(passed.as_micros()).unwrap_or(i64::MAX))
    })
}

/// Loads a configuration from text; every fault is shown.
pub fn config(text: &str) -> Config {
    let mut file = tempfile::NamedTempFile::with_suffix(".toml").expect("a temporary file");
    file.write_all(text.as_bytes()).expect("written");
    match Config::load_simulated(Some(file.path()), std::iter::empty()) {
        Ok(config) => config,
        Err(faults) => panic!("the scenario's configuration is wrong: {faults:#?}\n{text}"),
    }
}

/// The style a channel of a scenario plays, by its name. One that is called `…-paced` has its platform's limits.
fn style(channel: &str) -> Style {
    match channel.split('-').next().unwrap_or(channel) {
        "slack" => Style::slack(),
        "teams" => Style::teams(),
        "discord" => Style::discord(),
        "widget" => Style::widget(),
        _ => Style::telegram(),
    }
}

pub fn knowledge() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("knowledge")
}

impl Town {
    pub async fn build_with(text: &str, engine: Option<Arc<dyn Assistant>>) -> Town {
        let mut town = Town::prepared(text, engine);
        town.start().await;
        town
    }

    /// Not started yet.
    pub fn prepared(text: &str, engine: Option<Arc<dyn Assistant>>) -> Town {
        let config = config(text);
        let clock = virtual_clock();
        let worlds: BTreeMap<String, World> = config
            .channels
            .keys()
            .map(|name| {
                let world = World::new(name.clone(), style(name.as_str()));
                world.set_clock(clock.clone());
                (name.0.clone(), world)
            })
            .collect();
        Town {
            running: None,
            worlds,
            store: Memory::new(),
            config,
            clock,
            engine,
            next: None,
            key: key(),
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// Where files are kept.
    pub fn blobs(&self) -> PathBuf {
        self.folder.path().join("blobs")
    }

    /// Starts a bridge over what is stored and over the platforms as they are.
    pub async fn start(&mut self) {
        self.running = Some(self.begun().await.expect("the bridge starts"));
    }

    /// As [`Town::start`], where it may not come to it.
    pub async fn begun(&mut self) -> anyhow::Result<Running> {
        let adapters: BTreeMap<ChannelName, Arc<dyn Adapter>> = self
            .worlds
            .values()
            .map(|world| {
                let adapter = SimAdapter::over(world.clone());
                let is_paced = world.channel().as_str().ends_with("-paced");
                let adapter = if is_paced { adapter.with_limits() } else { adapter };
                (world.channel().clone(), Arc::new(adapter) as Arc<dyn Adapter>)
            })
            .collect();
        let in_memory = || Opened {
            backend: Box::new(self.store.backend()),
            read: Arc::new(self.store.clone()),
            export: Arc::new(self.store.clone()),
            kind: Kind::Sqlite,
        };
        let opened = self.next.take().unwrap_or_else(in_memory);
        let parts = Parts {
            opened,
            adapters,
            blobs: self.folder.path().join("blobs"),
            key: self.key.clone(),
            clock: self.clock.clone(),
            max_batch: 0,
        };
        build_with(&self.config, parts, self.engine.clone()).await
    }

    /// Everything that is stored, as `deskbridge export` writes it.
    pub async fn exported(&self) -> String {
        let mut export = Vec::new();
        deskbridge_store::Export::export(&self.store, &mut export).await.expect("exported");
        String::from_utf8(export).expect("text")
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().expect("the bridge runs")
    }

    pub fn world(&self, channel: &str) -> &World {
        self.worlds.get(channel).unwrap_or_else(|| panic!("no channel {channel}"))
    }
}

/// Requesters on one channel, Bob in the desk of another, nothing held back. `folder`: an empty one, so that no articles are read
/// at every start.
pub fn with_bob(requesters: &str, folder: &std::path::Path) -> String {
    format!(
        r#"
[channels.{requesters}]
adapter = "sim"
[channels.slack]
adapter = "sim"
requesters = false
[channels.slack.desk]
room = "desk"
[desk]
undo_window = "0s"
[queues.default]
auto_accept = true
[assistant]
knowledge = "{}"
[[technicians]]
name = "Bob"
identities = ["slack:bob"]
capacity = 1000
"#,
        folder.display()
    )
}

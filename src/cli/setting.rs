//! What every command shares: which configuration, which database.
//!
//! Not here: the arguments of single commands.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use deskbridge_contract::Timestamp;
use deskbridge_conversation::{QueueFacts, QueueId};
use deskbridge_store::{Export, FactSource, Opened, PolicyHandle, Read, StoreError, Writer};
use tokio::sync::mpsc;

use super::failure::Failure;
use crate::config::{Config, LogFormat};

/// Where a configuration is looked for when none is named.
const USUAL: &str = "deskbridge.toml";

/// Options of every command.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// The configuration file [default: deskbridge.toml, when there is one]
    #[arg(
        long,
        short,
        global = true,
        env = "DESKBRIDGE_CONFIG",
        value_name = "FILE",
        hide_env_values = true
    )]
    pub config: Option<PathBuf>,
    /// How to log: text for people, json for machines [default: as configured]
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    pub log_format: Option<Format>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
}

impl From<Format> for LogFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => LogFormat::Text,
            Format::Json => LogFormat::Json,
        }
    }
}

impl Common {
    /// The file that is read; `None` when none is named and the usual one is not there.
    pub fn file(&self) -> Option<PathBuf> {
        self.config.clone().or_else(|| Some(PathBuf::from(USUAL)).filter(|path| path.exists()))
    }

    pub fn load(&self) -> Result<Config, Failure> {
        let file = self.file();
        Config::load(file.as_deref(), environment()).map_err(|faults| {
            Failure::Config(file.map(|file| file.display().to_string()).unwrap_or_default(), faults)
        })
    }
}

/// Variables that are not text cannot be ours.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Opens the configured database for a short write; deskbridge may be serving from it meanwhile.
pub async fn beside(config: &Config) -> Result<Opened, Failure> {
    deskbridge_store::open::open_beside(&config.store.url.url()).await.map_err(|error| unopened(&error))
}

/// Opens the configured database for reading; deskbridge may be serving from it meanwhile.
pub async fn look(config: &Config) -> Result<(Arc<dyn Read>, Arc<dyn Export>), Failure> {
    deskbridge_store::open::look(&config.store.url.url()).await.map_err(|error| unopened(&error))
}

pub fn unopened(error: &StoreError) -> Failure {
    let next = match error {
        StoreError::Corrupt(_) => "restore a backup, see docs/operating.md",
        StoreError::Unavailable(_) | StoreError::Conflict(_) => {
            "deskbridge migrate status, or deskbridge doctor database"
        }
    };
    Failure::runtime("the database cannot be used", error, next)
}

pub fn failed(error: &StoreError) -> Failure {
    Failure::runtime("the database did not answer as it should", error, "deskbridge doctor database")
}

pub fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_microsecond())
}

/// A writer for jobs that step no conversation.
pub fn writer(opened: Opened, config: &Config) -> Writer {
    let (committed, _) = mpsc::unbounded_channel();
    let policy = PolicyHandle::new(config.policy());
    Writer::start(opened.backend, policy, Arc::new(NoFacts), Arc::new(now), committed).0
}

struct NoFacts;

impl FactSource for NoFacts {
    fn facts(&self, _queue: &QueueId, _now: Timestamp) -> QueueFacts {
        QueueFacts::default()
    }
}

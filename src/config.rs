//! The configuration: one TOML file with the environment laid over it, read completely, with all faults at once (D42–D45).
//!
//! Not here: what the rules do with the numbers (`deskbridge_conversation::policy`), or what an adapter's own keys mean.

mod channels;
mod cross;
mod duration;
pub mod example;
mod fault;
mod hours;
mod keys;
mod loading;
mod oidc;
mod overlay;
mod print;
mod queues;
mod section;
mod sections;
mod technicians;
mod tree;
mod warnings;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use deskbridge_contract::ChannelName;
use deskbridge_conversation::policy::{
    AssistantMode, ChannelPolicy, Policy, QueuePolicy, TechnicianPolicy, TicketPolicy,
};
use deskbridge_conversation::{QueueId, TechnicianId};
use deskbridge_store::Stamped;

pub use channels::{Channel, OwnKeys};
pub use duration::parse as parse_time;
pub use fault::{Fault, nearest};
pub use hours::Hours;
pub use oidc::{Oidc, RETURN};
pub use overlay::{Overlay, is_editable};
pub use print::{Show, Shown};
pub use queues::Queue;
pub use sections::{
    Assistant, Database, Engine, Log, LogFormat, Network, Rules, Server, Store, parse_listen,
};
pub use technicians::{Technician, slug};
pub use tree::{Origin, PREFIX};
pub use warnings::Warning;

use loading::{Loading, Setting};
use section::Section;

/// Everything that was read and found sound. `Debug` shows no secret; there is no `Serialize`.
#[derive(Clone, Debug)]
pub struct Config {
    /// `None`: nothing but the environment and defaults.
    pub file: Option<PathBuf>,
    pub server: Server,
    pub store: Store,
    pub channels: BTreeMap<ChannelName, Channel>,
    pub queues: BTreeMap<QueueId, Queue>,
    pub rules: Rules,
    pub assistant: Assistant,
    pub tickets: TicketPolicy,
    pub technicians: Vec<Technician>,
    pub oidc: Option<Oidc>,
    pub log: Log,
    /// Who is in which queue, in the order of the file.
    pub members: BTreeMap<QueueId, Vec<TechnicianId>>,
    settings: Vec<Setting>,
    secret_files: Vec<PathBuf>,
    secrets_inside: bool,
    source: overlay::Source,
}

impl Config {
    /// Reads the file and the environment. With any fault there is no configuration, but every fault.
    pub fn load(
        path: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Config, Vec<Fault>> {
        Config::read(path, env, false)
    }

    /// As `load`, and the simulated platform, which only the demo and the tests can run, may be an adapter.
    pub fn load_simulated(
        path: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Config, Vec<Fault>> {
        Config::read(path, env, true)
    }

    fn read(
        path: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
        simulated: bool,
    ) -> Result<Config, Vec<Fault>> {
        let mut faults = Vec::new();
        let tree = tree::read(path, env, &mut faults);
        let mut load = Loading {
            tree,
            file: path.map(tree::shown).unwrap_or_default(),
            faults,
            settings: Vec::new(),
            secret_files: Vec::new(),
            secrets_inside: false,
            simulated,
        };
        let table = load.tree.table.clone();
        let mut config = read(&mut load, &table, path);
        config.source = overlay::Source::new(std::mem::take(&mut load.tree));
        if load.faults.is_empty() { Ok(config) } else { Err(load.faults) }
    }

    /// The numbers that the rules need.
    pub fn policy(&self) -> Policy {
        Policy {
            queues: self
                .queues
                .iter()
                .map(|(name, queue)| (name.clone(), self.queue_policy(name, queue)))
                .collect(),
            channels: self
                .channels
                .iter()
                .map(|(name, channel)| (name.clone(), channel_policy(channel)))
                .collect(),
            technicians: self
                .technicians
                .iter()
                .map(|one| (one.id.clone(), technician_policy(one)))
                .collect(),
            confirm: self.rules.confirm,
            reopen_window: self.rules.reopen_window,
            assistant: self.assistant.policy,
            tickets: self.tickets,
            undo_window: self.rules.undo_window,
        }
    }

    fn queue_policy(&self, name: &QueueId, queue: &Queue) -> QueuePolicy {
        let mode = if self.assistant.engine == Engine::Off { Some(AssistantMode::Off) } else { queue.mode };
        QueuePolicy {
            allocation: queue.allocation,
            technicians: self.members.get(name).cloned().unwrap_or_default(),
            skills: queue.skills.clone(),
            priority: queue.priority,
            timers: queue.timers,
            overflow: queue.overflow.clone(),
            auto_accept: queue.auto_accept,
            mode,
        }
    }

    /// Names a policy in the log: 16 hexadecimal digits, the same for the same numbers.
    pub fn policy_hash(&self) -> String {
        Stamped::new(self.policy()).hash
    }

    /// The opening hours of a queue; one that is not configured is always open.
    pub fn hours(&self, queue: &QueueId) -> Hours {
        self.queues.get(queue).map_or_else(Hours::always, |queue| queue.hours.clone())
    }

    /// What is allowed but deserves a look.
    pub fn warnings(&self) -> Vec<Warning> {
        warnings::find(self)
    }

    /// The values in effect, as TOML with their origins.
    pub fn print(&self, show: Show) -> String {
        print::toml(&self.settings, &self.file_name(), show)
    }

    /// The values in effect, one by one.
    pub fn values(&self, show: Show) -> Vec<Shown> {
        print::values(&self.settings, &self.file_name(), show)
    }

    /// Why this configuration may not be served at such an address; `server.listen` itself was checked when it was read.
    pub fn refuses_to_listen(&self, listen: SocketAddr) -> Option<String> {
        let refused = self.channels.values().find_map(|channel| cross::unsigned(channel, listen));
        refused.map(|(path, expected)| format!("{path}: expected {expected}"))
    }

    /// The file's name for people.
    pub fn file_name(&self) -> String {
        self.file.as_deref().map(tree::shown).unwrap_or_default()
    }

    fn is_set(&self, section: &str, key: &str) -> bool {
        let mut settings = self.settings.iter();
        settings.any(|one| one.section == section && one.key == key && one.origin != Origin::Default)
    }
}

fn read(load: &mut Loading, table: &toml::Table, path: Option<&Path>) -> Config {
    Section::of(load, "", Some(table), keys::TOP);
    let server = sections::server(load, table);
    let store = sections::store(load, table);
    sections::bus(load, table);
    let channels = channels::channels(load, table, server.public_url.as_deref());
    let queues = queues::queues(load, table);
    let rules = sections::rules(load, table);
    let assistant = sections::assistant(load, table);
    let tickets = sections::tickets(load, table);
    let technicians = technicians::technicians(load, table);
    let oidc = oidc::oidc(load, table, server.public_url.as_deref());
    let log = sections::log(load, table);
    let everything = cross::Everything {
        channels: &channels,
        queues: &queues,
        technicians: &technicians,
        public_url: server.public_url.is_some(),
        listen: server.listen,
    };
    let members = cross::check(load, &everything);
    Config {
        file: path.map(Path::to_path_buf),
        server,
        store,
        channels,
        queues,
        rules,
        assistant,
        tickets,
        technicians,
        oidc,
        log,
        members,
        settings: std::mem::take(&mut load.settings),
        secret_files: std::mem::take(&mut load.secret_files),
        secrets_inside: load.secrets_inside,
        source: overlay::Source::default(),
    }
}

fn channel_policy(channel: &Channel) -> ChannelPolicy {
    ChannelPolicy {
        requesters: channel.requesters,
        queue: channel.queue.clone(),
        desks: channel.desks.iter().map(|(_, desk)| desk.clone()).collect(),
        answers_in_response: channel.answers_in_response,
    }
}

fn technician_policy(technician: &Technician) -> TechnicianPolicy {
    TechnicianPolicy {
        name: technician.name.clone(),
        role: technician.role,
        capacity: technician.capacity,
        skills: technician.skills.clone(),
        languages: technician.languages.clone(),
        email: technician.email.clone(),
        identities: technician.identities.clone(),
        strangers: Vec::new(),
    }
}

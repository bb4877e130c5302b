//! The sections that are there once: server, store, bus, sessions, handover, assistant, tickets, desk, log.
//!
//! Not here: channels, queues and technicians, which have names of their own.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use deskbridge_conversation::policy::{
    AssistantMode, AssistantPolicy, Confirm, Policy, TicketPolicy, TicketWhen,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::keys;
use super::loading::{Loading, one_of, quoted};
use super::section::Section;

/// Characters of `store.key`: 128 bits in hexadecimal.
const SHORTEST_KEY: usize = 32;
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);
pub const YEAR: Duration = Duration::from_secs(366 * 86_400);

pub const CONFIRM: &[&str] = &["when-inferred", "always", "never"];
pub const MODE: &[&str] = &["first", "choice", "draft-only", "off"];
pub const ENGINE: &[&str] = &["knowledge", "openai", "off"];
pub const CREATE: &[&str] = &["handover", "claim", "close", "manual"];
pub const FORMAT: &[&str] = &["text", "json"];

/// `[server]`
#[derive(Clone, Debug)]
pub struct Server {
    pub listen: SocketAddr,
    /// Without a slash at its end.
    pub public_url: Option<String>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
}

/// Addresses that share their first bits: `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    pub address: IpAddr,
    pub bits: u8,
}

impl Network {
    pub fn contains(&self, other: IpAddr) -> bool {
        let cut = |value: u128, width: u8| value.checked_shr(u32::from(width - self.bits)).unwrap_or(0);
        match (self.address, other.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => cut(a.to_bits().into(), 32) == cut(b.to_bits().into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => cut(a.to_bits(), 128) == cut(b.to_bits(), 128),
            _ => false,
        }
    }
}

/// Not an address, nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANetwork;

impl FromStr for Network {
    type Err = NotANetwork;
    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| NotANetwork)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        if bits > width { Err(NotANetwork) } else { Ok(Network { address, bits }) }
    }
}

/// `[store]`
#[derive(Clone, Debug)]
pub struct Store {
    pub url: Database,
    pub blobs: PathBuf,
    /// Seals secrets that the database keeps. `None`: a file of the program's own.
    pub key: Option<SecretString>,
}

/// Where everything is remembered. The URL of a server may hold a password, so it is a secret.
#[derive(Clone)]
pub enum Database {
    Sqlite(PathBuf),
    Postgres(SecretString),
}

impl Database {
    /// For the store, and for nothing else: it may hold a password in plain words.
    pub fn url(&self) -> String {
        match self {
            Database::Sqlite(path) => format!("sqlite:{}", path.display()),
            Database::Postgres(url) => url.expose_secret().to_owned(),
        }
    }

    /// For people: a path, or a URL without its user and password.
    pub fn shown(&self) -> String {
        match self {
            Database::Sqlite(path) => format!("sqlite:{}", path.display()),
            Database::Postgres(url) => {
                let url = url.expose_secret();
                let place =
                    url.rsplit_once('@').or_else(|| url.split_once("://")).map_or("", |(_, place)| place);
                format!("postgres://{}", place.split('?').next().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

/// `[assistant]`
#[derive(Clone, Debug)]
pub struct Assistant {
    pub engine: Engine,
    pub base_url: String,
    /// Set when `engine` is [`Engine::Openai`].
    pub model: Option<String>,
    pub api_key: Option<SecretString>,
    /// The folder of articles.
    pub knowledge: PathBuf,
    /// Two letters: of notices, until the requester's own language is known.
    pub language: String,
    pub policy: AssistantPolicy,
}

/// What answers requesters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    #[default]
    Knowledge,
    Openai,
    Off,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub format: LogFormat,
    /// `info`, or directives such as `info,deskbridge=debug`.
    pub level: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// `[sessions]`, `[handover]`, `[desk]`: one key each.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub reopen_window: Duration,
    pub confirm: Confirm,
    pub undo_window: Duration,
}

pub fn server(load: &mut Loading, tree: &Table) -> Server {
    let mut section = Section::open(load, "server", tree.get("server"), keys::SERVER);
    let default = SocketAddr::from(([127, 0, 0, 1], 8080));
    let written = section.text_or("listen", &default.to_string());
    let listen = parse_listen(&written).unwrap_or_else(|| {
        section.fault("listen", "an address and a port, like 127.0.0.1:8080 or :8080", quoted(&written));
        default
    });
    let public_url = section.url("public_url");
    let mut trusted_proxies = Vec::new();
    for (n, text) in section.texts("trusted_proxies").into_iter().enumerate() {
        match text.parse() {
            Ok(network) => trusted_proxies.push(network),
            Err(NotANetwork) => {
                section.fault(
                    &format!("trusted_proxies[{n}]"),
                    "an address or network, like 10.0.0.0/8",
                    quoted(&text),
                );
            }
        }
    }
    Server { listen, public_url, trusted_proxies }
}

/// `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, or `:8080` for every address of this machine.
pub fn parse_listen(text: &str) -> Option<SocketAddr> {
    if let Some(port) = text.strip_prefix(':') {
        return Some(SocketAddr::from(([0, 0, 0, 0], port.parse().ok()?)));
    }
    if let Some(port) = text.strip_prefix("localhost:") {
        return Some(SocketAddr::from(([127, 0, 0, 1], port.parse().ok()?)));
    }
    text.parse().ok()
}

pub fn store(load: &mut Loading, tree: &Table) -> Store {
    let mut section = Section::open(load, "store", tree.get("store"), keys::STORE);
    let url = database(&mut section);
    let blobs = section.text_or("blobs", "data/blobs").into();
    let key = section.secret("key");
    if key.as_ref().is_some_and(|key| key.expose_secret().trim().len() < SHORTEST_KEY) {
        section.fault("key", "at least 32 characters that nobody can guess", "fewer");
    }
    Store { url, blobs, key }
}

fn database(section: &mut Section<'_, '_>) -> Database {
    let default = Database::Sqlite("data/deskbridge.db".into());
    if !section.has("url") && !section.has("url_file") {
        section.note("url", default.shown());
        return default;
    }
    let inside = section.load.secrets_inside;
    let Some(url) = section.secret("url") else { return default };
    let text = url.expose_secret();
    let database = match text.split_once(':') {
        Some(("sqlite", path)) => {
            let path = path.split('?').next().unwrap_or_default().trim_start_matches("//");
            (!path.is_empty() && path != ":memory:").then(|| Database::Sqlite(path.into()))
        }
        Some(("postgres" | "postgresql", rest)) => {
            rest.strip_prefix("//").filter(|place| !place.is_empty()).map(|_| Database::Postgres(url.clone()))
        }
        _ => None,
    };
    let Some(database) = database else {
        section.fault("url", "sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME", "another address");
        return default;
    };
    // Only a password makes the address a secret.
    if matches!(&database, Database::Sqlite(_)) || !text.contains('@') {
        section.load.secrets_inside = inside;
    }
    if let Some(setting) = section.load.settings.last_mut() {
        setting.value = Some(Value::String(database.shown()).to_string());
    }
    database
}

/// There is one bus so far; the key is known so that a file which names another is refused and not half obeyed.
pub fn bus(load: &mut Loading, tree: &Table) {
    let mut section = Section::open(load, "bus", tree.get("bus"), keys::BUS);
    let url = section.text_or("url", "local:");
    if url != "local:" {
        section.fault(
            "url",
            "\"local:\", the bus inside the process; this build has no other",
            "another address",
        );
    }
}

pub fn rules(load: &mut Loading, tree: &Table) -> Rules {
    let default = Policy::default();
    let mut section = Section::open(load, "sessions", tree.get("sessions"), keys::SESSIONS);
    let reopen_window = section.time("reopen_window", default.reopen_window, Duration::ZERO..=YEAR);
    let mut section = Section::open(load, "handover", tree.get("handover"), keys::HANDOVER);
    let confirm = section.choice("confirm", CONFIRM, default.confirm);
    let mut section = Section::open(load, "desk", tree.get("desk"), keys::DESK);
    let undo_window = section.time("undo_window", default.undo_window, Duration::ZERO..=60 * SECOND);
    Rules { reopen_window, confirm, undo_window }
}

pub fn assistant(load: &mut Loading, tree: &Table) -> Assistant {
    let default = AssistantPolicy::default();
    let mut section = Section::open(load, "assistant", tree.get("assistant"), keys::ASSISTANT);
    let engine = section.choice("engine", ENGINE, Engine::default());
    let base_url = match section.has("base_url") {
        true => section.url("base_url").unwrap_or_default(),
        false => section.text_or("base_url", "https://api.openai.com/v1"),
    };
    let model = section.text("model");
    if engine == Engine::Openai && model.is_none() && !section.has("model") {
        section.fault("model", "the name of a model, because engine = \"openai\"", "nothing");
    }
    let api_key = section.secret("api_key");
    let knowledge = section.text_or("knowledge", "knowledge").into();
    let language = section.text_or("language", "en");
    if !(language.len() == 2 && language.bytes().all(|b| b.is_ascii_lowercase())) {
        section.fault("language", "two small letters, like \"en\"", quoted(&language));
    }
    let mut policy = AssistantPolicy {
        mode: section.choice("mode", MODE, default.mode),
        burst_window: section.time("burst_window", default.burst_window, Duration::ZERO..=30 * SECOND),
        max_turns: section.number("max_turns", default.max_turns, 1..=100),
        deadline: section.time("deadline", default.deadline, SECOND..=600 * SECOND),
    };
    if engine == Engine::Off {
        policy.mode = AssistantMode::Off;
    }
    Assistant { engine, base_url, model, api_key, knowledge, language, policy }
}

pub fn tickets(load: &mut Loading, tree: &Table) -> TicketPolicy {
    let default = TicketPolicy::default();
    let mut section = Section::open(load, "tickets", tree.get("tickets"), keys::TICKETS);
    let desk = section.text_or("desk", "embedded");
    if desk != "embedded" {
        section.fault("desk", one_of(&["embedded"]), quoted(&desk));
    }
    TicketPolicy {
        create: section.choice::<TicketWhen>("create", CREATE, default.create),
        auto_close: section.time("auto_close", default.auto_close, 60 * SECOND..=YEAR.max(DAY)),
    }
}

pub fn log(load: &mut Loading, tree: &Table) -> Log {
    let mut section = Section::open(load, "log", tree.get("log"), keys::LOG);
    let format = section.choice("format", FORMAT, LogFormat::default());
    let level = section.text_or("level", "info");
    if tracing_subscriber::EnvFilter::try_new(&level).is_err() {
        section.fault(
            "level",
            "error, warn, info, debug or trace, or directives like info,deskbridge=debug",
            quoted(&level),
        );
    }
    Log { format, level }
}

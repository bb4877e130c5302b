//! `[channels.X]`: a connection to a platform, and its desk rooms.
//!
//! Not here: what the adapter's own keys mean (the adapter's crate says), whether queues exist (`cross.rs`).

use std::collections::BTreeMap;
use std::fmt;

use deskbridge_contract::{ChannelName, RoomId};
use deskbridge_conversation::QueueId;
use deskbridge_conversation::policy::{DeskPolicy, ReplyMode, RequesterIdentity};
use secrecy::ExposeSecret;
use serde_json::{Map, Value as Json};
use toml::Table;

use super::fault::nearest;
use super::keys;
use super::loading::{Loading, is_secret, kind, one_of, quoted};
use super::section::Section;
use crate::kits::{self, Kit};

pub const REPLY_MODE: &[&str] = &["airlock", "direct", "explicit", "alerts"];
pub const IDENTITY: &[&str] = &["name", "alias", "anonymous"];

#[derive(Clone, Debug)]
pub struct Channel {
    pub path: String,
    pub adapter: &'static str,
    pub requesters: bool,
    pub queue: Option<QueueId>,
    /// Each with its path.
    pub desks: Vec<(String, DeskPolicy)>,
    /// `webhook` needs a public address; every other way comes from here to there.
    pub webhook: bool,
    /// The platform wants the answer in the response to the message.
    pub answers_in_response: bool,
    /// The own key by which it takes what nobody signed, where that is on.
    pub unsigned: Option<&'static str>,
    pub own: OwnKeys,
}

/// The adapter's own keys, with its secrets looked up. Shows no value in `Debug`, whatever the key is called.
#[derive(Clone, Default)]
pub struct OwnKeys(Map<String, Json>);

impl OwnKeys {
    /// For the adapter, and for nothing else: the secrets are in it in plain words.
    pub fn reveal(&self) -> Json {
        Json::Object(self.0.clone())
    }

    fn is_on(&self, key: &str) -> bool {
        self.0.get(key) == Some(&Json::Bool(true))
    }

    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// A value that is no secret.
    pub fn text(&self, key: &str) -> Option<&str> {
        if is_secret(key) { None } else { self.0.get(key)?.as_str() }
    }

    /// For a message: what is written, unless it is a secret.
    fn shown(&self, key: &str) -> String {
        match self.0.get(key) {
            None => "nothing".into(),
            Some(_) if is_secret(key) => String::new(),
            Some(Json::String(text)) => quoted(text),
            Some(other) => quoted(&other.to_string()),
        }
    }

    pub fn add_default(&mut self, key: &str, value: &str) {
        self.0.entry(key).or_insert_with(|| Json::String(value.to_owned()));
    }
}

impl fmt::Debug for OwnKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

pub fn channels(
    load: &mut Loading,
    tree: &Table,
    public_url: Option<&str>,
) -> BTreeMap<ChannelName, Channel> {
    let mut channels = BTreeMap::new();
    for (name, path, table) in load.named("channels", tree.get("channels")) {
        if let Some(channel) = channel(load, &name, path, table, public_url) {
            channels.insert(ChannelName(name), channel);
        }
    }
    channels
}

fn channel(
    load: &mut Loading,
    name: &str,
    path: String,
    table: &Table,
    public_url: Option<&str>,
) -> Option<Channel> {
    let kit = adapter(load, name, &path, table);
    // Without an adapter its keys are unknown to us: only our own can be checked.
    let known: Vec<&str> = match kit {
        Some(kit) => keys::CHANNEL
            .iter()
            .chain(kit.keys)
            .chain(kit.aliases.iter().map(|(alias, _)| alias))
            .copied()
            .collect(),
        None => table.keys().map(String::as_str).collect(),
    };
    let mut section = Section::of(load, &path, Some(table), &known);
    let requesters = section.flag("requesters", true);
    let queue = section.name("queue").map(QueueId);
    let own = own_keys(&mut section, table, kit?);
    let desks = desks(load, &path, table);
    let mut channel = Channel {
        adapter: kit?.name,
        requesters,
        queue,
        desks,
        webhook: matches!(own.text("receive"), Some("webhook" | "http")),
        answers_in_response: kit?.answers_in_response,
        unsigned: kit?.unsigned.filter(|key| own.is_on(key)),
        own,
        path,
    };
    if let Some(url) = public_url.filter(|_| kit.is_some_and(|kit| kit.keys.contains(&"public_url"))) {
        channel.own.add_default("public_url", url);
    }
    ask_adapter(load, kit?, &channel);
    Some(channel)
}

/// The adapter of a channel: the one that is named, or the one whose name the channel has.
fn adapter(load: &mut Loading, name: &str, path: &str, table: &Table) -> Option<&'static Kit> {
    let simulated = load.simulated;
    let mut section =
        Section::of(load, path, Some(table), &table.keys().map(String::as_str).collect::<Vec<_>>());
    let written = if section.has("adapter") { section.text("adapter")? } else { name.to_owned() };
    let kit = kits::find(&written).filter(|kit| simulated || kit.name != kits::SIM.name);
    match kit {
        Some(_) if !section.has("adapter") => section.note("adapter", written),
        Some(_) => {}
        None => {
            let names: Vec<&str> = kits::KITS.iter().map(|kit| kit.name).collect();
            let got = if section.has("adapter") { quoted(&written) } else { "nothing".into() };
            let near = nearest(&written, names.iter().copied());
            let mut expected = one_of(&names);
            if written == kits::SIM.name {
                expected.push_str("; the simulated platform runs in `deskbridge demo` alone");
            }
            load.fault_near(format!("{path}.adapter"), expected, got, near);
        }
    }
    kit
}

fn own_keys(section: &mut Section<'_, '_>, table: &Table, kit: &Kit) -> OwnKeys {
    let mut own = Map::new();
    for key in table.keys() {
        let stem = key.strip_suffix("_file").filter(|stem| is_secret(stem)).unwrap_or(key);
        let name = kit.aliases.iter().find(|(alias, _)| *alias == stem).map_or(stem, |(_, name)| name);
        if !kit.keys.contains(&name) {
            continue;
        }
        if own.contains_key(name) {
            // Both `x` and `x_file`: said once, by whichever was read first.
            if name != stem {
                section.fault(stem, format!("either `{stem}` or `{name}`"), "both");
            }
        } else if is_secret(stem) {
            let secret = section.secret(stem);
            own.insert(
                name.to_owned(),
                secret.map_or(Json::Null, |secret| Json::String(secret.expose_secret().into())),
            );
        } else if let Some(value) = section.value(key) {
            section.note(key, value.clone());
            own.insert(name.to_owned(), serde_json::to_value(value).unwrap_or(Json::Null));
        }
    }
    OwnKeys(own)
}

/// The adapter's own word on its keys, in our form.
fn ask_adapter(load: &mut Loading, kit: &Kit, channel: &Channel) {
    for (key, what) in (kit.check)(channel.own.reveal()) {
        let path = if key.is_empty() { channel.path.clone() } else { format!("{}.{key}", channel.path) };
        // A fault of this key was found already: the value was not readable at all.
        if load.faults.iter().any(|fault| fault.path == path || fault.path == format!("{path}_file")) {
            continue;
        }
        let what = what.strip_prefix("expected ").unwrap_or(&what);
        let (expected, got) = match what.split_once(", got ") {
            Some((expected, got)) => (expected, got.to_owned()),
            None => (what, channel.own.shown(&key)),
        };
        load.fault(path, expected, got);
    }
}

fn desks(load: &mut Loading, path: &str, table: &Table) -> Vec<(String, DeskPolicy)> {
    let mut rooms = Vec::new();
    if let Some(short) = table.get("desk") {
        if table.contains_key("desks") {
            load.fault(format!("{path}.desks"), "either `desk` or `desks`", "both");
        }
        let path = format!("{path}.desk");
        match short.as_table() {
            Some(table) => rooms.push((path, table)),
            None => load.fault(path, "a table: [channels.NAME.desk]", kind(short)),
        }
    }
    rooms.extend(load.items(&format!("{path}.desks"), table.get("desks")));
    rooms.into_iter().filter_map(|(path, table)| Some((path.clone(), room(load, &path, table)?))).collect()
}

fn room(load: &mut Loading, path: &str, table: &Table) -> Option<DeskPolicy> {
    let mut section = Section::of(load, path, Some(table), keys::ROOM);
    let room = section.text_or_number("room");
    if room.is_none() && !section.has("room") {
        section.fault("room", "the room's id on the platform", "nothing");
    }
    let queues = section.texts("queues").into_iter().map(QueueId).collect();
    let reply_mode = section.choice("reply_mode", REPLY_MODE, ReplyMode::default());
    let requester_identity = section.choice("requester_identity", IDENTITY, RequesterIdentity::default());
    Some(DeskPolicy { room: RoomId(room?), queues, reply_mode, requester_identity })
}

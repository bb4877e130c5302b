//! What is known of every adapter before a connection exists: its keys, its example, its checks.
//!
//! Not here: the adapters' kits themselves (`app/kits.rs`), making and running adapters (`app.rs`).

use std::fmt;

use deskbridge_contract::{ChannelName, RoomId, Shelf};
use futures_util::future::BoxFuture;
use serde_json::Value;

pub use deskbridge_contract::check::{Check, Outcome};

pub use crate::app::kits::{KITS, SIM};

/// One adapter's part in the configuration, in `check` and in `doctor` (D36).
pub struct Kit {
    /// The value of `adapter` in `[channels.X]`.
    pub name: &'static str,
    /// The adapter's own keys; those that end in token, secret, key or password are secrets.
    pub keys: &'static [&'static str],
    /// Other names for own keys: (alias, key).
    pub aliases: &'static [(&'static str, &'static str)],
    /// What is wrong with the own keys: (key, what). Offline, and never repeats a value.
    pub check: fn(Value) -> Vec<(String, String)>,
    /// The platform's own server, where the channel names no other.
    pub api_base: &'static str,
    /// The platform wants the answer to a message in the response to it (D35).
    pub answers_in_response: bool,
    /// The own key that, when it is true, takes events which nobody signed: the server must not be reachable by others then.
    pub unsigned: Option<&'static str>,
    /// The section for `config.example.toml`.
    pub example: &'static str,
    /// What `init` has to know before the section is of use.
    pub asks: &'static [Ask],
    /// Live checks of one channel. Leaves nothing behind on the platform.
    pub doctor: fn(Setup) -> BoxFuture<'static, Vec<Check>>,
    /// Does on the platform what can be set up from here, for `deskbridge <adapter> setup`.
    pub setup: fn(Setup) -> BoxFuture<'static, Vec<Check>>,
    /// The manifest of an app on the platform, for `deskbridge <adapter> manifest`; `None`: it has none. Offline.
    pub manifest: Option<MakeManifest>,
    /// The package that an administrator uploads to the platform, for `deskbridge <adapter> package`; `None`: it has
    /// none. Offline.
    pub package: Option<MakePackage>,
    /// The link that lets the bot into a place of the platform's, for `deskbridge <adapter> invite`; `None`: there is no such
    /// link. Offline.
    pub invite: Option<MakeInvite>,
}

/// Makes a package; the error, in words, is for whoever asked.
pub type MakePackage = fn(&PackageWish) -> Result<Vec<u8>, String>;

/// What a package is to be like.
#[derive(Clone, Debug)]
pub struct PackageWish {
    /// The own keys of the channel that it is for.
    pub keys: Value,
    /// What people will see as the app's name.
    pub name: String,
    /// Ask for the right to read a desk's whole channel.
    pub reads_channels: bool,
    /// Ask for the right to be told what was read.
    pub reads_receipts: bool,
    pub public_url: Option<String>,
}

impl fmt::Debug for Kit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// One thing that `init` asks about a channel.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// As in the channel's section; `desk.room` is `room` of its `desk`.
    pub key: &'static str,
    /// The question.
    pub says: &'static str,
    pub answer: Answer,
}

#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// Left out when it is empty.
    Optional,
    /// Several, with a comma between them; these unless others are named.
    Several(&'static str),
    /// Needed, and kept in a file of its own.
    Secret,
    /// Made by the system's random numbers, kept in a file of its own, and never asked.
    Random,
}

/// One channel as configured, for a live check.
#[derive(Clone)]
pub struct Setup {
    pub channel: ChannelName,
    /// The own keys in plain words (`OwnKeys::reveal`).
    pub keys: Value,
    pub desks: Vec<RoomId>,
    /// What the running adapter keeps, to be read only; `None` where the database cannot be looked into.
    pub shelf: Option<Shelf>,
}

/// Makes a manifest; the error, in words, is for whoever asked.
pub type MakeManifest = fn(&ManifestWish) -> Result<Manifest, String>;

/// For what an app is to be made.
#[derive(Clone, Debug)]
pub struct ManifestWish {
    /// Events come by HTTP to this public address; `None`: by a connection from here.
    pub http: Option<String>,
    /// As the configuration will name it.
    pub channel: ChannelName,
    /// Without rights that are only comfort.
    pub minimal: bool,
    /// `server.public_url`, where one is configured already.
    pub public_url: Option<String>,
}

/// What a platform has to be told to make an app for us.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    pub json: Value,
    /// Leads to the platform's form for new apps, filled in.
    pub link: String,
}

/// Makes a link; the error, in words, is for whoever asked.
pub type MakeInvite = fn(&InviteWish) -> Result<Invite, String>;

/// Whom to let in.
#[derive(Clone)]
pub struct InviteWish {
    /// By its id; `None`: the one that the configuration is of.
    pub application: Option<String>,
    /// The own keys of the channel in plain words, where one is configured.
    pub keys: Option<Value>,
}

/// A link for somebody who manages the place.
#[derive(Clone, Debug, PartialEq)]
pub struct Invite {
    pub link: String,
    /// What the bot will be allowed, and what for.
    pub permissions: Vec<(String, String)>,
}

pub fn find(adapter: &str) -> Option<&'static Kit> {
    KITS.iter().chain([&SIM]).find(|kit| kit.name == adapter)
}

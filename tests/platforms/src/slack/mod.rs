//! A fake Slack: workspaces, people and apps behind a Web API, an Events sender, interactivity, commands and Socket
//! Mode, all over real sockets, with a ledger and a plan of faults. Written from the vendor's pages, its published
//! description and samples; no adapter was looked at.

mod acts;
mod blocks;
mod compose;
mod drive;
mod error;
mod events;
mod faults;
mod files;
mod interact;
mod ledger;
mod message;
mod methods;
mod outgoing;
mod params;
mod people;
mod postman;
mod pressing;
mod serve;
mod sign;
mod sockets;
mod spec;
mod team;
mod world;

pub use crate::shared::TimedOut;
pub use compose::{escaped, unescaped};
pub use drive::{FakeSlack, Installed, Workspace};
pub use error::ApiError;
pub use faults::{Fault, FaultKind, FaultPlan};
pub use files::{MAX_UPLOAD, StoredFile};
pub use interact::View;
pub use ledger::{Call, Delivery, Ledger, Way};
pub use message::{Author, Button, Ephemeral, Message};
pub use outgoing::RETRY_AFTER;
pub use params::Encoding;
pub use people::Post;
pub use sign::signature;
pub use team::{
    App, AppId, Channel, ChannelId, ChannelKind, Kind, SCOPES, SUBSCRIPTIONS, Team, TeamId, Ts, User, UserId,
};
pub use world::{Ping, Settings, World};

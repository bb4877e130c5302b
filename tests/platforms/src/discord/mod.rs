//! A fake Discord: servers, people and apps behind the HTTP API v10, a gateway, interactions over both ways, webhooks
//! and a CDN, all over real sockets, with a ledger and a plan of faults. Written from the vendor's pages and its
//! published description; no adapter was looked at.

mod acts;
mod compose;
mod drive;
mod error;
mod events;
mod faults;
mod files;
mod gateway;
mod guild;
mod interact;
mod ledger;
mod limits;
mod message;
mod methods;
mod params;
mod parts;
mod people;
pub mod permissions;
mod post;
mod postman;
mod serve;
mod sign;
mod snowflake;
mod socket;
mod spec;
mod webhook;
mod world;

pub use crate::shared::TimedOut;
pub use drive::{FakeDiscord, Installed, Server};
pub use error::ApiError;
pub use events::{DIRECT_MESSAGES, GUILD_MEMBERS, GUILD_MESSAGES, GUILD_PRESENCES, GUILDS, MESSAGE_CONTENT};
pub use faults::{Fault, FaultKind, FaultPlan, Scope};
pub use files::{MAX_FILE, MAX_REQUEST, StoredFile};
pub use gateway::{EventFault, Gateway, Session};
pub use guild::{App, Channel, ChannelKind, Guild, Member, Overwrite, Role, Tag, User};
pub use interact::{Interaction, State};
pub use ledger::{Call, Delivery, GatewayEntry, GatewayLine, Ledger, Way};
pub use limits::Limit;
pub use message::{Author, Button, Mentions, Message, Reaction, Reference};
pub use params::{Encoding, Upload};
pub use people::Post;
pub use sign::{Signed, Tamper, sign};
pub use snowflake::Snowflake;
pub use webhook::Webhook;
pub use world::{Ping, Settings, World};

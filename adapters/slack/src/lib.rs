//! Slack: requesters in direct messages and channels, technicians in the threads of a desk channel.
//!
//! Not here: any rule about conversations. This file only wires the parts together; each speaks for itself.

// Their users follow: receiving, and the adapter itself.
#[allow(dead_code)]
mod api;
#[allow(dead_code, unused_imports)]
mod blocks;
mod config;
#[allow(dead_code)]
mod doctor;
#[allow(dead_code)]
mod files;
#[allow(dead_code)]
mod ids;
#[allow(dead_code)]
mod manifest;
#[allow(dead_code, unused_imports)]
mod markup;
#[allow(dead_code)]
mod send;
#[allow(dead_code, unused_imports)]
mod split;
#[allow(dead_code)]
mod tokens;

use std::sync::Arc;

use deskbridge_contract::Timestamp;

pub use config::{Config, Fault};
pub use doctor::{Check, Outcome, look};
pub use manifest::{Manifest, Wish};

/// This adapter's section of the configuration, with every key and its default.
pub const EXAMPLE: &str = include_str!("../example.toml");

/// The time of day, from whoever owns the clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The adapter could not be built; says why, without secrets.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be set up: {0}")]
pub struct ConfigError(pub(crate) String);

/// Where Slack brings events, commands and presses, when it does so by HTTP.
pub(crate) fn hook_url(config: &Config, channel: &deskbridge_contract::ChannelName) -> Option<url::Url> {
    hook(config.public_url.clone()?, channel)
}

/// The route of a channel below deskbridge's public address.
pub(crate) fn hook(mut public: url::Url, channel: &deskbridge_contract::ChannelName) -> Option<url::Url> {
    public.set_query(None);
    public.set_fragment(None);
    public.path_segments_mut().ok()?.pop_if_empty().push("hooks").push(channel.as_str());
    Some(public)
}

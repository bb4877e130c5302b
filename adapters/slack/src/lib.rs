//! Slack: requesters in direct messages and channels, technicians in the threads of a desk channel.
//!
//! Not here: any rule about conversations. This file only wires the parts together; each speaks for itself.

// Their users follow: receiving and sending.
#[cfg_attr(not(test), allow(dead_code, unused_imports))]
mod blocks;
mod config;
#[allow(dead_code)]
mod ids;
#[cfg_attr(not(test), allow(dead_code, unused_imports))]
mod markup;
#[cfg_attr(not(test), allow(dead_code, unused_imports))]
mod split;

use std::sync::Arc;

use deskbridge_contract::Timestamp;

pub use config::{Config, Fault};

/// This adapter's section of the configuration, with every key and its default.
pub const EXAMPLE: &str = include_str!("../example.toml");

/// The time of day, from whoever owns the clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The adapter could not be built; says why, without secrets.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be set up: {0}")]
pub struct ConfigError(pub(crate) String);

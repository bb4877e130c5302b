//! `deskbridge bench`: the workloads by which speed is published, each a ratio paired in one run.
//!
//! Not here: verdicts. Absolute figures depend on the machine and the minute; every run prints its own limits beside them.

pub mod apply;
mod child;
mod client;
mod discord;
mod fake;
mod kept;
pub mod limits;
mod peers;
pub mod platform;
mod recording;
pub mod relay;
mod spread;
mod teams;
pub mod widget;

pub use spread::Spread;

use std::io::Write as _;

/// One line of JSON per measurement, on standard output.
pub(crate) fn line(value: &serde_json::Value) {
    let mut out = std::io::stdout().lock();
    // A closed pipe ends the run's output, not the run.
    let _ = writeln!(out, "{value}");
}

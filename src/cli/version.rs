//! `deskbridge version`: which build this is.
//!
//! Not here: whether the database fits it (`migrate status`).

use serde::Serialize;

use super::failure::Outcome;
use super::out;
use crate::kits::KITS;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
    system: &'static str,
    machine: &'static str,
    adapters: Vec<&'static str>,
}

pub fn run(args: &Args) -> Outcome {
    let version = Version {
        name: "deskbridge",
        version: env!("CARGO_PKG_VERSION"),
        system: std::env::consts::OS,
        machine: std::env::consts::ARCH,
        adapters: KITS.iter().map(|kit| kit.name).collect(),
    };
    match args.json {
        true => out::json(&version),
        false => out::line(&format!("deskbridge {}", version.version)),
    }
    Ok(())
}

//! `deskbridge serve`: runs the bridge until it is told to stop.
//!
//! Not here: what it is made of (`app.rs`).

use std::net::SocketAddr;

use super::failure::Outcome;
use super::out;
use super::setting::Common;
use crate::app::{self, ServeOptions};
use crate::config::{Config, parse_listen};
use crate::kits;
use crate::telemetry;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Where to listen, instead of server.listen: an address and a port, or :8080 for every address
    #[arg(long, value_name = "ADDRESS", value_parser = listen)]
    listen: Option<SocketAddr>,
    /// Do not bring the database's schema up to date; refuse to start when it is not
    #[arg(long)]
    no_migrate: bool,
}

pub fn listen(text: &str) -> Result<SocketAddr, String> {
    parse_listen(text).ok_or_else(|| "expected an address and a port, like 127.0.0.1:8080 or :8080".into())
}

/// Logging begins as soon as the configuration says how.
pub async fn run(common: &Common, args: &Args) -> Outcome {
    let config = common.load()?;
    telemetry::init(common.log_format.map_or(config.log.format, Into::into), &config.log.level);
    warn(&config);
    app::serve(
        config,
        ServeOptions { listen: args.listen, no_migrate: args.no_migrate, ..ServeOptions::default() },
    )
    .await?;
    Ok(())
}

/// What deserves a look is said at every start, to the person on a terminal and to the log otherwise.
fn warn(config: &Config) {
    let person = std::io::IsTerminal::is_terminal(&std::io::stderr());
    for warning in config.warnings() {
        match person {
            true => out::note(&format!(
                "{} {}  {}\n    why  {}\n    fix  {}",
                out::mark(kits::Outcome::Warn),
                warning.id,
                warning.what,
                warning.why,
                warning.fix
            )),
            false => tracing::warn!(id = warning.id, what = warning.what, fix = warning.fix, "configuration"),
        }
    }
}

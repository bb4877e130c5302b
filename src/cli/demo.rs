//! `deskbridge demo`: the whole product in one process, with simulated platforms, and nothing leaves this machine.
//!
//! Not here: what is simulated (`app.rs`, `adapters/sim`).

use std::net::SocketAddr;

use super::failure::Outcome;
use super::serve::listen;
use super::setting::Common;
use crate::app::{self, DemoOptions};
use crate::config::LogFormat;
use crate::telemetry;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Where to listen: an address and a port
    #[arg(long, value_name = "ADDRESS", value_parser = listen, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Only another port; 0 takes one that is free
    #[arg(long)]
    port: Option<u16>,
    /// Open the page in the browser
    #[arg(long)]
    open: bool,
    /// The same number gives the same sample conversations
    #[arg(long, default_value_t = 42)]
    seed: u64,
}

/// Only problems are logged: what people shall see is the page.
const LEVEL: &str = "warn";

pub async fn run(common: &Common, args: &Args) -> Outcome {
    telemetry::init(common.log_format.map_or(LogFormat::Text, LogFormat::from), LEVEL);
    let mut listen = args.listen;
    if let Some(port) = args.port {
        listen.set_port(port);
    }
    app::demo(DemoOptions { listen, seed: args.seed, open: args.open }).await?;
    Ok(())
}

//! `deskbridge bench`: measures this build on this machine, loopback only.
//!
//! Not here: the workloads (`bench/`).

use std::net::SocketAddr;

use super::failure::Outcome;
use super::serve::listen;
use super::setting::Common;
use crate::app::{self, ServeOptions};
use crate::bench::{apply, platform, relay, widget};
use crate::config::LogFormat;
use crate::telemetry;

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// A requester's message in by webhook or gateway and out to the desk, durable: closed loop, open loop, kill -9, one
    /// channel in trouble; Slack beside `@slack/bolt`, Teams beside `botbuilder` (W1a-d)
    Relay {
        /// Whose messages they are
        #[arg(long, value_enum, default_value_t = platform::Platform::Telegram)]
        channel: platform::Platform,
        /// Messages of each closed-loop round
        #[arg(long, default_value_t = 20_000)]
        messages: usize,
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        #[arg(long, default_value_t = 32)]
        connections: usize,
        /// Seconds of each open-loop part
        #[arg(long, default_value_t = 6)]
        seconds: u64,
        /// Leave out what deskbridge is measured beside
        #[arg(long)]
        no_peers: bool,
    },
    /// The writer alone, paired with a plain set-based insert and with one commit per message
    Apply {
        #[arg(long, default_value_t = 40_000)]
        messages: usize,
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// Visitors of the widget with a WebSocket each, beside `ws` and `socket.io`: memory of an idle one, messages at fixed
    /// rates, everybody dropped and back, readers that do not read (W2)
    Widget {
        /// Visitors; may be given several times
        #[arg(long, default_values_t = [1_000, 5_000, 10_000])]
        sockets: Vec<usize>,
        /// Messages per second; may be given several times
        #[arg(long, default_values_t = [250, 500, 1_000])]
        rate: Vec<u64>,
        /// Of each rate
        #[arg(long, default_value_t = 20)]
        seconds: u64,
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Leave `ws` and `socket.io` out, for which npm and node are needed
        #[arg(long)]
        no_peers: bool,
    },
    /// The bridge that `relay` and `widget` measure: `serve` without the platforms' pace
    #[command(hide = true)]
    Serve {
        #[arg(long, default_value_t = 256)]
        max_batch: usize,
        #[arg(long, value_name = "ADDRESS", value_parser = listen)]
        listen: Option<SocketAddr>,
    },
}

pub async fn run(common: &Common, command: &Command) -> Outcome {
    telemetry::init(common.log_format.map_or(LogFormat::Text, LogFormat::from), "error");
    match command {
        Command::Relay { channel, messages, rounds, connections, seconds, no_peers } => {
            let options = relay::Options {
                platform: *channel,
                messages: *messages,
                rounds: *rounds,
                connections: *connections,
                open_seconds: *seconds,
                peers: !*no_peers,
            };
            relay::run(&options).await?;
        }
        Command::Apply { messages, rounds } => {
            apply::run(&apply::Options { messages: *messages, rounds: *rounds }).await?;
        }
        Command::Widget { sockets, rate, seconds, rounds, no_peers } => {
            let options = widget::Options {
                sockets: sockets.clone(),
                rates: rate.clone(),
                seconds: *seconds,
                rounds: *rounds,
                peers: !*no_peers,
            };
            widget::run(&options).await?;
        }
        Command::Serve { max_batch, listen } => {
            let config = common.load()?;
            let options = ServeOptions {
                listen: *listen,
                unpaced: true,
                max_batch: *max_batch,
                ..ServeOptions::default()
            };
            app::serve(config, options).await?;
        }
    }
    Ok(())
}

//! The command line: arguments to a subcommand, and a failure to its exit code.
//!
//! Not here: what the program does once it serves (`app.rs`). Data goes to standard output, messages to standard error.

mod adapter;
mod bench;
mod channels;
mod check;
mod completions;
mod config;
mod demo;
mod doctor;
mod erase;
mod export;
mod failure;
mod init;
mod invite;
mod kb;
mod manifest;
mod migrate;
mod openapi;
mod out;
mod package;
mod replay;
mod serve;
mod setting;
mod token;
mod user;
mod version;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::LogFormat;
use crate::kits::{self, KITS};
use crate::telemetry;
use failure::{Failure, Outcome, RUNTIME};
pub use out::say;
use setting::Common;
pub use token::PREFIX as TOKEN_PREFIX;

/// The level of commands that do not serve, unless `DESKBRIDGE_LOG` says otherwise: their output is their answer.
const QUIET: &str = "warn";

/// Chatbot integration bridge for IT service desks.
#[derive(Parser, Debug)]
#[command(name = "deskbridge", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Write a commented configuration to start from, and its secrets in files of their own
    Init(init::Args),
    /// Run the bridge until it is told to stop
    Serve(serve::Args),
    /// Show the whole product in the browser with simulated platforms: no account, no key, no network
    Demo(demo::Args),
    /// Check the configuration without starting anything: every fault at once, offline
    Check(check::Args),
    /// Look at everything that is known to go wrong, live
    Doctor(doctor::Args),
    /// Print an example configuration, or the one in effect
    #[command(subcommand)]
    Config(config::Command),
    /// Bring the database's schema up to date, or see whether it is
    #[command(subcommand)]
    Migrate(migrate::Command),
    /// Bring the articles that the assistant answers from up to date, and search them
    #[command(subcommand)]
    Kb(kb::Command),
    /// Make, list and revoke tokens for the API
    #[command(subcommand)]
    Token(token::Command),
    /// List who can sign in to the console, and make one-time links
    #[command(subcommand)]
    User(user::Command),
    /// Show a conversation event by event, and check that its log leads to its stored state
    Replay(replay::Args),
    /// Erase a person who wrote to the desk, for good: words, files, names, and whatever channels keep of them
    Erase(erase::Args),
    /// Write everything in the database but tokens and accounts as JSON lines
    Export(export::Args),
    /// Measure this build on this machine
    #[command(subcommand)]
    Bench(bench::Command),
    /// Print the description of the API (OpenAPI 3.1)
    Openapi(openapi::Args),
    /// Print what each channel can carry
    Channels(channels::Args),
    /// Print the version
    Version(version::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

/// Runs the program. The answer is its exit code.
pub fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            out::note(&Failure::runtime("the program cannot start its threads", error, "").to_string());
            return ExitCode::from(RUNTIME);
        }
    };
    match runtime.block_on(run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let said = failure.to_string();
            if !said.is_empty() {
                out::note(&said);
            }
            ExitCode::from(failure.code())
        }
    }
}

/// Every command, those of the adapters included.
fn command() -> clap::Command {
    KITS.iter().fold(Cli::command(), |command, kit| command.subcommand(adapter::command(kit)))
}

async fn run() -> Outcome {
    let matches = command().get_matches();
    if let Some((name, matches)) = matches.subcommand()
        && let Some(kit) = kits::find(name)
    {
        let common = Common::from_arg_matches(matches).unwrap_or_else(|error| error.exit());
        telemetry::init(common.log_format.map_or(LogFormat::Text, LogFormat::from), QUIET);
        return adapter::run(&common, kit, matches).await;
    }
    let Cli { common, command } = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if !matches!(command, Command::Serve(_) | Command::Demo(_) | Command::Bench(_)) {
        telemetry::init(common.log_format.map_or(LogFormat::Text, LogFormat::from), QUIET);
    }
    match command {
        Command::Init(args) => init::run(&args),
        Command::Serve(args) => serve::run(&common, &args).await,
        Command::Demo(args) => demo::run(&common, &args).await,
        Command::Bench(command) => bench::run(&common, &command).await,
        Command::Check(args) => check::run(&common, &args),
        Command::Doctor(args) => doctor::run(&common, &args).await,
        Command::Config(command) => config::run(&common, &command),
        Command::Migrate(command) => migrate::run(&common, &command).await,
        Command::Kb(command) => kb::run(&common, &command).await,
        Command::Token(command) => token::run(&common, &command).await,
        Command::User(command) => user::run(&common, &command).await,
        Command::Replay(args) => replay::run(&common, &args).await,
        Command::Erase(args) => erase::run(&common, &args).await,
        Command::Export(args) => export::run(&common, &args).await,
        Command::Openapi(args) => openapi::run(&args),
        Command::Channels(args) => channels::run(&args),
        Command::Version(args) => version::run(&args),
        Command::Completions(args) => completions::run(&args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        command().debug_assert();
    }

    #[test]
    fn everything_that_is_listed_says_what_it_does() {
        fn look(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{} has no description", command.get_name());
            for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
                look(below);
            }
        }
        look(&command());
    }

    #[test]
    fn usage_is_refused_with_2() {
        for args in [vec!["deskbridge", "serv"], vec!["deskbridge", "replay"], vec!["deskbridge", "telegram"]]
        {
            assert_eq!(command().try_get_matches_from(args).unwrap_err().exit_code(), 2);
        }
    }
}

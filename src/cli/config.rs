//! `deskbridge config`: an example with every key, or what is in effect and where it comes from.
//!
//! Not here: whether it is sound (`check`). Secrets are never printed.

use super::failure::Outcome;
use super::out;
use super::setting::Common;
use crate::config::{Show, example};

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Print a configuration with every key, its default and what it is for
    Example,
    /// Print what is set, with where it is set; never a secret
    Print(Print),
}

#[derive(clap::Args, Debug)]
pub struct Print {
    /// Also what nobody set
    #[arg(long)]
    effective: bool,
    /// Hide names, addresses and ids of people and rooms, so that the output can be given to others
    #[arg(long)]
    redact: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub fn run(common: &Common, command: &Command) -> Outcome {
    match command {
        Command::Example => out::data(&example::assemble()),
        Command::Print(args) => {
            let config = common.load()?;
            let show = Show { defaults: args.effective, redact: args.redact };
            match args.json {
                true => out::json(&config.values(show)),
                false => out::data(&config.print(show)),
            }
        }
    }
    Ok(())
}

//! `deskbridge <adapter> setup`: what can be set up on a platform from here.
//!
//! Not here: what that is (the adapter's `doctor.rs`), manifests (`manifest.rs`), packages (`package.rs`), invitations
//! (`invite.rs`).

use clap::{Arg, ArgMatches, Command};
use deskbridge_contract::ChannelName;

use super::failure::{DOCTOR_FAILED, Failure, Outcome};
use super::setting::Common;
use super::{invite, manifest, out, package};
use crate::config::Config;
use crate::kits::{self, Check, Kit, Setup};

/// The subcommand of one adapter.
pub fn command(kit: &Kit) -> Command {
    let channel = Arg::new("channel")
        .long("channel")
        .value_name("NAME")
        .help("Only this channel [default: all of this kind]");
    let setup =
        Command::new("setup").about("Set up on the platform what can be set up from here").arg(channel);
    Command::new(kit.name)
        .about(format!("Set up {} channels", kit.name))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(setup)
        .subcommands(kit.manifest.map(|_| manifest::command()))
        .subcommands(kit.package.map(|_| package::command()))
        .subcommands(kit.invite.map(|_| invite::command()))
}

pub async fn run(common: &Common, kit: &'static Kit, matches: &ArgMatches) -> Outcome {
    if let (Some(make), Some((manifest::NAME, matches))) = (kit.manifest, matches.subcommand()) {
        return manifest::run(common, kit, make, matches);
    }
    if let (Some(make), Some((invite::NAME, matches))) = (kit.invite, matches.subcommand()) {
        return invite::run(common, kit, make, matches);
    }
    let config = common.load()?;
    if let (Some(make), Some((package::NAME, matches))) = (kit.package, matches.subcommand()) {
        return package::run(&config, kit, make, matches);
    }
    let only = matches.subcommand().and_then(|(_, matches)| matches.get_one::<String>("channel"));
    let channels: Vec<Setup> = setups(&config)
        .filter(|(of, setup)| of.name == kit.name && only.is_none_or(|only| setup.channel.as_str() == only))
        .map(|(_, setup)| setup)
        .collect();
    if channels.is_empty() {
        let what = match only {
            Some(only) => format!("there is no {} channel {only:?}", kit.name),
            None => format!("there is no {} channel", kit.name),
        };
        return Err(Failure::runtime(what, "the configuration names none", "deskbridge config example"));
    }
    let mut failed = false;
    for setup in channels {
        out::line(setup.channel.as_str());
        for check in (kit.setup)(setup).await {
            failed |= check.outcome == kits::Outcome::Fail;
            out::data(&said(&check));
        }
    }
    if failed { Err(Failure::Said(DOCTOR_FAILED)) } else { Ok(()) }
}

/// Every configured channel with its kit.
pub fn setups(config: &Config) -> impl Iterator<Item = (&'static Kit, Setup)> {
    config.channels.iter().filter_map(|(name, channel)| {
        let kit = kits::find(channel.adapter)?;
        let channel_name: ChannelName = name.clone();
        let desks = channel.desks.iter().map(|(_, desk)| desk.room.clone()).collect();
        Some((kit, Setup { channel: channel_name, keys: channel.own.reveal(), desks, shelf: None }))
    })
}

/// One check for people; a failure with its reason and the next step.
pub fn said(check: &Check) -> String {
    let mut text = format!("  {} {:<22} {}\n", out::mark(check.outcome), check.id, check.detail);
    for (name, words) in [("why", &check.why), ("fix", &check.fix)] {
        if !words.is_empty() {
            text.push_str(&format!("      {name}  {words}\n"));
        }
    }
    text
}

//! `deskbridge <adapter> invite`: the link that lets the bot into a place of the platform's, with exactly what it needs.
//!
//! Not here: what that is (the adapter's `invite.rs`). Works before there is a configuration, when told the application.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::adapter::setups;
use super::failure::{Failure, Outcome};
use super::out;
use super::setting::Common;
use crate::kits::{InviteWish, Kit, MakeInvite};

pub const NAME: &str = "invite";

pub fn command() -> Command {
    let application = Arg::new("application")
        .long("application")
        .value_name("ID")
        .help("The application's id [default: the configured channel's]");
    let channel = Arg::new("channel")
        .long("channel")
        .value_name("NAME")
        .help("The channel whose application it is [default: the first of this kind]");
    let open = Arg::new("open").long("open").action(ArgAction::SetTrue).help("Open the link in the browser");
    Command::new(NAME)
        .about("Print the link that lets the bot in, with exactly the permissions it uses")
        .args([application, channel, open])
}

pub fn run(common: &Common, kit: &'static Kit, make: MakeInvite, matches: &ArgMatches) -> Outcome {
    let application = matches.get_one::<String>("application").cloned();
    let only = matches.get_one::<String>("channel");
    let keys = match &application {
        Some(_) => None,
        None => {
            let config = common.load()?;
            let mut ours = setups(&config).filter(|(of, _)| of.name == kit.name);
            ours.find(|(_, setup)| only.is_none_or(|only| setup.channel.as_str() == only))
                .map(|(_, setup)| setup.keys)
        }
    };
    let made = make(&InviteWish { application, keys }).map_err(|what| {
        Failure::runtime("there is no such link", what, format!("deskbridge {} invite --help", kit.name))
    })?;
    out::data(&format!("{}\n", made.link));
    out::note("\nThe bot asks for:");
    for (name, what) in &made.permissions {
        out::note(&format!("  {name:<24} {what}"));
    }
    if matches.get_flag("open") {
        crate::demo::open_browser(&made.link);
    }
    Ok(())
}

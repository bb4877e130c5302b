//! `deskbridge <adapter> package`: the file that an administrator uploads to a platform so that it knows our app.
//!
//! Not here: what is in it (the adapter's `package.rs`).

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::adapter::setups;
use super::failure::{Failure, Outcome};
use super::out;
use crate::config::Config;
use crate::kits::{Kit, MakePackage, PackageWish};

pub const NAME: &str = "package";

pub fn command() -> Command {
    let output = Arg::new("output")
        .short('o')
        .long("output")
        .value_name("FILE")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help("Where the package is written");
    let channel = Arg::new("channel")
        .long("channel")
        .value_name("NAME")
        .help("For this channel [default: the only one]");
    let name =
        Arg::new("name").long("name").value_name("NAME").default_value("IT Desk").help("What people see");
    let reads = Arg::new("read-channels")
        .long("read-channels")
        .action(ArgAction::SetTrue)
        .help("Ask for the right to read a channel, so that technicians may just write in a thread");
    let receipts = Arg::new("read-receipts")
        .long("read-receipts")
        .action(ArgAction::SetTrue)
        .help("Ask for the right to be told what was read, so that technicians see it");
    Command::new(NAME)
        .about("Write the package that an administrator uploads")
        .args([output, channel, name, reads, receipts])
}

pub fn run(config: &Config, kit: &Kit, make: MakePackage, matches: &ArgMatches) -> Outcome {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let only = text("channel");
    let mut channels = setups(config)
        .filter(|(of, setup)| of.name == kit.name && only.is_none_or(|only| setup.channel.as_str() == only));
    let (Some((_, setup)), None) = (channels.next(), channels.next()) else {
        let what = format!("there is not exactly one such {} channel", kit.name);
        return Err(Failure::runtime(
            what,
            "a package is for one",
            format!("deskbridge {} package --channel NAME", kit.name),
        ));
    };
    let wish = PackageWish {
        keys: setup.keys,
        name: text("name").unwrap_or("IT Desk").to_owned(),
        reads_channels: matches.get_flag("read-channels"),
        reads_receipts: matches.get_flag("read-receipts"),
        public_url: config.server.public_url.clone().map(|url| url.to_string()),
    };
    let fix = format!("deskbridge doctor --channel {}", setup.channel);
    let made = make(&wish).map_err(|why| Failure::runtime("there is no package", why, fix))?;
    let path = matches.get_one::<PathBuf>("output").cloned().unwrap_or_default();
    std::fs::write(&path, &made).map_err(|error| {
        Failure::runtime(format!("{} cannot be written", path.display()), error.to_string(), "another -o")
    })?;
    out::note(&format!("{}: {} bytes", path.display(), made.len()));
    Ok(())
}

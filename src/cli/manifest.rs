//! `deskbridge <adapter> manifest`: what a platform has to be told to make an app for us.
//!
//! Not here: what that is (the adapter's `manifest.rs`). Works before there is a configuration.

use clap::{Arg, ArgAction, ArgMatches, Command};
use deskbridge_contract::ChannelName;

use super::failure::{Failure, Outcome};
use super::out;
use super::setting::Common;
use crate::kits::{Kit, MakeManifest, ManifestWish};

pub const NAME: &str = "manifest";

pub fn command() -> Command {
    let http = Arg::new("http")
        .long("http")
        .value_name("URL")
        .help("Events come by HTTP to deskbridge's public address [default: by a connection from here]");
    let minimal = Arg::new("minimal")
        .long("minimal")
        .action(ArgAction::SetTrue)
        .help("Ask for no right that is only comfort");
    let open = Arg::new("open")
        .long("open")
        .action(ArgAction::SetTrue)
        .help("Open the platform's form for new apps, filled in, in the browser");
    let channel = Arg::new("channel")
        .long("channel")
        .value_name("NAME")
        .help("The channel as the configuration will name it [default: as the adapter]");
    Command::new(NAME)
        .about("Print the manifest of an app, and a link that makes one from it")
        .args([http, minimal, open, channel])
}

pub fn run(common: &Common, kit: &Kit, make: MakeManifest, matches: &ArgMatches) -> Outcome {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let wish = ManifestWish {
        http: text("http"),
        channel: ChannelName(text("channel").unwrap_or_else(|| kit.name.to_owned())),
        minimal: matches.get_flag("minimal"),
        // The first thing that somebody does has no configuration yet; a wrong one is another command's business.
        public_url: common.load().ok().and_then(|config| config.server.public_url),
    };
    let made = make(&wish).map_err(|what| {
        Failure::runtime(
            "there is no such manifest",
            what,
            format!("deskbridge {} manifest --help", kit.name),
        )
    })?;
    out::json(&made.json);
    out::note(&format!("\nOr make the app by this link, which has all of it:\n{}", made.link));
    if matches.get_flag("open") {
        crate::demo::open_browser(&made.link);
    }
    Ok(())
}

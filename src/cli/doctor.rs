//! `deskbridge doctor`: one check per known failure, live; each failure says why it matters and what to do.
//!
//! Not here: the checks of one platform (the adapter's `doctor.rs`), faults of the configuration (`check`).

mod assistant;
mod configuration;
mod database;
mod kept;
mod machine;
pub(crate) mod network;
mod provider;

use deskbridge_contract::Shelf;
use serde::Serialize;

use super::adapter::{said, setups};
use super::failure::{DOCTOR_FAILED, DOCTOR_WARNED, Failure, Outcome, USAGE};
use super::out;
use super::setting::Common;
use crate::config::{Config, nearest};
use crate::kits::{self, Check};

/// Areas that are always there; every channel's name and every adapter's is one too.
const AREAS: [&str; 6] = ["config", "database", "machine", "network", "assistant", "oidc"];

#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to look at: config, database, machine, network, assistant, oidc, a channel or an adapter [default: everything]
    areas: Vec<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// End with 4 when there are warnings
    #[arg(long)]
    strict: bool,
}

#[derive(Serialize)]
struct Area {
    area: String,
    checks: Vec<Check>,
}

#[derive(Serialize)]
struct Report {
    areas: Vec<Area>,
    passed: usize,
    warned: usize,
    failed: usize,
}

pub async fn run(common: &Common, args: &Args) -> Outcome {
    let config = common.load()?;
    known(&config, &args.areas)?;
    let areas = look(&config, &args.areas).await;
    let count =
        |outcome| areas.iter().flat_map(|area| &area.checks).filter(|check| check.outcome == outcome).count();
    let (passed, warned, failed) =
        (count(kits::Outcome::Pass), count(kits::Outcome::Warn), count(kits::Outcome::Fail));
    let report = Report { areas, passed, warned, failed };
    match args.json {
        true => out::json(&report),
        false => out::data(&text(&report)),
    }
    match (report.failed, report.warned) {
        (0, 0) => Ok(()),
        (0, _) if args.strict => Err(Failure::Said(DOCTOR_WARNED)),
        (0, _) => Ok(()),
        _ => Err(Failure::Said(DOCTOR_FAILED)),
    }
}

fn known(config: &Config, areas: &[String]) -> Outcome {
    let names: Vec<&str> = names(config);
    for area in areas {
        if !names.contains(&area.as_str()) {
            let why = format!("areas are {}", names.join(", "));
            let next = nearest(area, names.iter().copied()).map(|near| format!("deskbridge doctor {near}"));
            let what = format!("there is no area {area:?}");
            return Err(Failure::Told { code: USAGE, what, why, next: next.unwrap_or_default() });
        }
    }
    Ok(())
}

fn names(config: &Config) -> Vec<&str> {
    let mut names: Vec<&str> = AREAS.to_vec();
    for (name, channel) in &config.channels {
        names.push(name.as_str());
        if !names.contains(&channel.adapter) {
            names.push(channel.adapter);
        }
    }
    names
}

async fn look(config: &Config, only: &[String]) -> Vec<Area> {
    let wanted =
        |names: &[&str]| only.is_empty() || names.iter().any(|name| only.iter().any(|area| area == name));
    let mut areas = Vec::new();
    let mut add = |area: &str, checks: Vec<Check>| areas.push(Area { area: area.to_owned(), checks });
    if wanted(&["config"]) {
        add("config", configuration::checks(config));
    }
    if wanted(&["database"]) {
        add("database", database::checks(config).await);
    }
    if wanted(&["machine"]) {
        add("machine", machine::checks(config));
    }
    if wanted(&["network"]) {
        add("network", network::checks(config).await);
    }
    if wanted(&["assistant"]) {
        add("assistant", assistant::checks(config).await);
    }
    if wanted(&["oidc"]) && (config.oidc.is_some() || !only.is_empty()) {
        add("oidc", provider::checks(config).await);
    }
    let all = setups(config).filter(|(kit, setup)| wanted(&[setup.channel.as_str(), kit.name]));
    let channels: Vec<_> = all.collect();
    let store = if channels.is_empty() { None } else { kept::store(config).await };
    for (kit, mut setup) in channels {
        let name = setup.channel.0.clone();
        setup.shelf = store.clone().map(|store| Shelf::new(setup.channel.clone(), store));
        add(&name, (kit.doctor)(setup).await);
    }
    if config.channels.is_empty() && only.is_empty() {
        add(
            "channels",
            vec![Check::skip("channels", "none configured: only the console and the API can be used")],
        );
    }
    areas
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    for area in &report.areas {
        text.push_str(&format!("{}\n", area.area));
        for check in &area.checks {
            text.push_str(&said(check));
        }
    }
    text.push_str(&format!(
        "{} ok · {} · {} failed\n",
        report.passed,
        super::check::count(report.warned, "warning"),
        report.failed
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grouped_by_area_with_why_and_fix() {
        let areas = vec![Area {
            area: "telegram".into(),
            checks: vec![
                Check::pass("telegram.token", "bot @it_desk"),
                Check::fail(
                    "telegram.topics",
                    "topics are off",
                    "there is no place for conversations",
                    "turn Topics on",
                ),
                Check::skip("telegram.commands", "not looked at"),
            ],
        }];
        let said = text(&Report { areas, passed: 1, warned: 0, failed: 1 });
        let expected = "telegram\n  ✓ telegram.token         bot @it_desk\n  ✗ telegram.topics        topics are off\n      \
                        why  there is no place for conversations\n      fix  turn Topics on\n  – telegram.commands      not looked at\n\
                        1 ok · 0 warnings · 1 failed\n";
        assert_eq!(said, expected);
    }

    #[test]
    fn areas_are_known_by_name() {
        let config = Config::load(None, std::iter::empty()).unwrap();
        assert!(known(&config, &["config".into(), "database".into()]).is_ok());
        let Err(failure) = known(&config, &["datbase".into()]) else { panic!("taken") };
        assert_eq!(failure.code(), 2);
        assert!(failure.to_string().contains("deskbridge doctor database"));
    }

    #[tokio::test]
    async fn a_new_folder_has_nothing_that_fails() {
        // As `main` does; another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = Config::load(None, std::iter::empty()).unwrap();
        let only = ["config", "machine", "network"].map(String::from);
        for area in look(&config, &only).await {
            for check in area.checks {
                assert_ne!(check.outcome, kits::Outcome::Fail, "{check:?}");
                assert_eq!(check.outcome == kits::Outcome::Warn, !check.fix.is_empty(), "{check:?}");
            }
        }
    }
}

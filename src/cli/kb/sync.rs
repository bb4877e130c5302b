//! `deskbridge kb sync`: what is new, changed, gone or faulty in the folder of articles since the last time.
//!
//! Not here: reading the folder (`deskbridge_services::knowledge`). A running deskbridge follows the folder by itself
//! (`app/knowledge.rs`); `--wait` waits until it has.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use deskbridge_contract::ChannelName;
use deskbridge_services::knowledge::{Changes, Inventory, Knowledge, LoadFault, LoadProblem};
use deskbridge_store::Admin;
use serde::Serialize;
use serde_json::Value;

use crate::cli::doctor::network;
use crate::cli::failure::{Failure, Outcome, RUNTIME};
use crate::cli::{check, out, setting};
use crate::config::Config;
use crate::kits;

/// Where the last inventory is kept, among the adapters' shelves: no channel can have this name.
const SHELF: &str = "$knowledge";
const KEY: &str = "inventory";

/// How long `--wait` waits, and how often it asks.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Wait until the running deskbridge answers from these articles
    #[arg(long)]
    wait: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    folder: String,
    articles: usize,
    sections: usize,
    revision: String,
    #[serde(flatten)]
    changes: Changes,
    faulty: Vec<Faulty>,
}

#[derive(Serialize)]
struct Faulty {
    file: String,
    why: String,
}

pub async fn run(config: &Config, knowledge: &Knowledge, problems: &[LoadProblem], args: &Args) -> Outcome {
    if let Some(gone) = problems.iter().find(|problem| matches!(problem.fault, LoadFault::NoFolder(_))) {
        return Err(Failure::runtime(
            format!("there is nothing to read in {}", config.assistant.knowledge.display()),
            &gone.fault,
            "set assistant.knowledge to a folder of Markdown articles",
        ));
    }
    let inventory = Inventory::of(knowledge);
    let changes = record(config, &inventory).await?;
    let report = Report {
        folder: config.assistant.knowledge.display().to_string(),
        articles: knowledge.articles().len(),
        sections: knowledge.chunks(),
        revision: inventory.revision(),
        changes,
        faulty: problems.iter().map(faulty).collect(),
    };
    match args.json {
        true => out::json(&report),
        false => out::data(&said(&report)),
    }
    if args.wait {
        follow(config, &report.revision).await?;
    }
    if knowledge.articles().is_empty() { Err(Failure::Said(RUNTIME)) } else { Ok(()) }
}

fn faulty(problem: &LoadProblem) -> Faulty {
    Faulty { file: problem.path.display().to_string(), why: problem.fault.to_string() }
}

/// Compares with what was kept, and keeps this.
async fn record(config: &Config, inventory: &Inventory) -> Result<Changes, Failure> {
    let opened = setting::beside(config).await?;
    let shelf = ChannelName::from(SHELF);
    let kept = opened.read.shelf(&shelf, KEY).await.map_err(|error| setting::failed(&error))?;
    // One that this program cannot read is of another program: everything counts as new.
    let before = kept.and_then(|kept| serde_json::from_str::<Inventory>(&kept).ok()).unwrap_or_default();
    let changes = inventory.since(&before);
    if !changes.none() {
        let value = serde_json::to_string(inventory).unwrap_or_default();
        let writer = setting::writer(opened, config);
        let done = writer.admin(Admin::PutShelf { channel: shelf, key: KEY.into(), value }).await;
        writer.close().await;
        done.map_err(|error| setting::failed(&error))?;
    }
    Ok(changes)
}

fn said(report: &Report) -> String {
    let Report { changes, .. } = report;
    let mut text = String::new();
    for (mark, paths) in [("+", &changes.added), ("~", &changes.changed), ("-", &changes.removed)] {
        for path in paths {
            text.push_str(&format!("{mark} {path}\n"));
        }
    }
    for Faulty { file, why } in &report.faulty {
        text.push_str(&format!("{} {file}: {why}\n", out::mark(kits::Outcome::Warn)));
    }
    text.push_str(&format!(
        "{}: {}, {} · {} added · {} changed · {} removed · {} unchanged · {} faulty\n",
        report.folder,
        check::count(report.articles, "article"),
        check::count(report.sections, "section"),
        changes.added.len(),
        changes.changed.len(),
        changes.removed.len(),
        changes.unchanged,
        report.faulty.len(),
    ));
    text
}

/// Waits until the deskbridge that listens where the configuration says answers from the articles of `revision`.
async fn follow(config: &Config, revision: &str) -> Outcome {
    let address = here(config.server.listen);
    let unreachable = |why: String| {
        let next = "start deskbridge serve, or leave --wait out: it reads the articles when it starts";
        Failure::unreachable(format!("no deskbridge answers on {address}"), why, next)
    };
    let client = network::client().map_err(|error| unreachable(network::cause(&error)))?;
    let url = format!("http://{address}/readyz?verbose");
    let ask = async {
        loop {
            let answer =
                client.get(&url).send().await.map_err(|error| unreachable(network::cause(&error)))?;
            let body: Value = answer
                .json()
                .await
                .map_err(|_| unreachable("something answers there, but not as deskbridge does".into()))?;
            if body["knowledge"]["revision"] == revision {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(PATIENCE, ask).await.unwrap_or_else(|_| {
        Err(Failure::runtime(
            format!("the deskbridge on {address} still answers from other articles"),
            "it may read another folder, or the folder keeps changing",
            "compare assistant.knowledge of both",
        ))
    })
}

/// Where this machine reaches a listener.
fn here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

//! `deskbridge migrate`: the database's schema, looked at or brought up to date.
//!
//! Not here: the steps (`migrations/`). `serve` does this by itself unless it is told not to.

use deskbridge_store::migrate::Status;
use serde::Serialize;

use super::failure::{Failure, Outcome, RUNTIME};
use super::setting::{Common, unopened};
use super::{check, out};
use crate::config::Database;

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Say what is applied and what is pending; changes nothing. Fails when the database does not fit this program
    Status(Args),
    /// Apply what is pending; harmless when nothing is
    Up(Args),
}

#[derive(clap::Args, Debug)]
pub struct Args {
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    database: String,
    applied: Vec<i64>,
    pending: Vec<i64>,
    newer: Vec<i64>,
}

pub async fn run(common: &Common, command: &Command) -> Outcome {
    let config = common.load()?;
    let url = config.store.url.url();
    let (args, status) = match command {
        Command::Status(args) => {
            missing(&config.store.url)?;
            (args, deskbridge_store::open::status(&url).await)
        }
        Command::Up(args) => {
            make_folder(&config.store.url)?;
            (args, deskbridge_store::open::migrate(&url).await)
        }
    };
    let status = status.map_err(|error| unopened(&error))?;
    let fits = status.pending.is_empty() && status.newer.is_empty();
    let database = config.store.url.shown();
    match args.json {
        true => {
            let Status { applied, pending, newer } = status;
            out::json(&Report { database, applied, pending, newer });
        }
        false => out::line(&said(&database, &status)),
    }
    if fits { Ok(()) } else { Err(Failure::Said(RUNTIME)) }
}

/// A database that is not there yet is not a broken one, and gets its own words.
fn missing(database: &Database) -> Outcome {
    match database {
        Database::Sqlite(path) if !path.exists() => Err(Failure::runtime(
            format!("there is no {}", path.display()),
            "nothing was stored yet, or store.url names another place",
            "deskbridge migrate up",
        )),
        Database::Sqlite(_) | Database::Postgres(_) => Ok(()),
    }
}

fn make_folder(database: &Database) -> Outcome {
    let Database::Sqlite(path) = database else { return Ok(()) };
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|error| {
        let next = "choose another place in store.url, or make the folder yourself";
        Failure::runtime(format!("the folder {} cannot be made", folder.display()), error, next)
    })
}

fn said(database: &str, status: &Status) -> String {
    let applied = check::count(status.applied.len(), "migration");
    if !status.newer.is_empty() {
        return format!(
            "{database}: changed by a newer deskbridge (migrations {:?}); start that one, or restore a backup",
            status.newer
        );
    }
    match status.pending.len() {
        0 => format!("{database}: up to date, {applied}"),
        n => format!("{database}: {applied} applied, {n} pending; run: deskbridge migrate up"),
    }
}

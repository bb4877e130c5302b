//! `deskbridge check`: is the configuration sound? Offline, and every fault at once.
//!
//! Not here: whether tokens work and rooms exist (`doctor`).

use serde::Serialize;

use super::failure::{CONFIG, Failure, Outcome, invalid};
use super::out;
use super::setting::{Common, Format, environment};
use crate::config::{Config, Fault, Warning};
use crate::kits;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// How to say it
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// The same as --format json
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    file: Option<String>,
    valid: bool,
    faults: Vec<Fault>,
    warnings: Vec<Warning>,
}

pub fn run(common: &Common, args: &Args) -> Outcome {
    let file = common.file();
    let name = file.as_ref().map(|file| file.display().to_string());
    let read = Config::load(file.as_deref(), environment());
    if args.json || args.format == Format::Json {
        let (faults, warnings) = match &read {
            Ok(config) => (Vec::new(), config.warnings()),
            Err(faults) => (faults.clone(), Vec::new()),
        };
        out::json(&Report { file: name, valid: read.is_ok(), faults, warnings });
        return read.map(|_| ()).map_err(|_| Failure::Said(CONFIG));
    }
    match read {
        Ok(config) => {
            out::data(&sound(&config));
            Ok(())
        }
        Err(faults) => {
            out::line(&invalid(name.as_deref().unwrap_or_default(), &faults));
            Err(Failure::Said(CONFIG))
        }
    }
}

fn sound(config: &Config) -> String {
    let mark = out::mark(kits::Outcome::Pass);
    let name = match config.file_name() {
        name if name.is_empty() => "no file, defaults and environment only".to_owned(),
        name => name,
    };
    let mut text = format!(
        "{mark} {name}: valid · {} · {} · {}\n",
        count(config.channels.len(), "channel"),
        count(config.queues.len(), "queue"),
        count(config.technicians.len(), "technician"),
    );
    for warning in config.warnings() {
        let mark = out::mark(kits::Outcome::Warn);
        text.push_str(&format!(
            "{mark} {}  {}\n    why  {}\n    fix  {}\n",
            warning.id, warning.what, warning.why, warning.fix
        ));
    }
    text
}

/// `1 queue`, `2 queues`.
pub fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

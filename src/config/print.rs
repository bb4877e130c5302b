//! The configuration as it is in effect, every value with where it came from, for `config print`.
//!
//! Not here: secrets. Their values never get this far.

use std::fmt::Write;

use serde::Serialize;

use super::loading::Setting;
use super::tree::Origin;

/// What is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Show {
    /// Also what nobody set.
    pub defaults: bool,
    /// Hide names, addresses and ids of people and rooms, so that the output can be given to others.
    pub redact: bool,
}

/// Keys that say who people are, or where they write.
const PERSONAL: [&str; 6] = ["name", "id", "email", "identities", "room", "technicians"];

/// One value for `--json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub path: String,
    /// As TOML; absent for a secret.
    pub value: Option<String>,
    pub from: String,
}

/// The values to be shown, in the order of the file.
pub fn values(settings: &[Setting], file: &str, show: Show) -> Vec<Shown> {
    chosen(settings, show)
        .map(|setting| Shown {
            path: format!("{}.{}", setting.section, setting.key),
            value: value(setting, show),
            from: origin(&setting.origin, file),
        })
        .collect()
}

/// As TOML with comments; the output loads again except for its secrets, which are left out.
pub fn toml(settings: &[Setting], file: &str, show: Show) -> String {
    let mut out = String::new();
    let mut section = "";
    for setting in chosen(settings, show) {
        if setting.section != section {
            section = &setting.section;
            let _ = writeln!(out, "{}{}", if out.is_empty() { "" } else { "\n" }, header(section));
        }
        let from = origin(&setting.origin, file);
        let _ = match value(setting, show) {
            Some(value) => writeln!(out, "{} = {value}   # {from}", setting.key),
            None => writeln!(out, "# {} is set   # {from}", setting.key),
        };
    }
    out
}

fn chosen(settings: &[Setting], show: Show) -> impl Iterator<Item = &Setting> {
    settings.iter().filter(move |setting| show.defaults || setting.origin != Origin::Default)
}

fn value(setting: &Setting, show: Show) -> Option<String> {
    let hide = show.redact && PERSONAL.contains(&setting.key.as_str());
    if hide { Some("\"(redacted)\"".into()) } else { setting.value.clone() }
}

/// `technicians[0]` is `[[technicians]]`, and `channels.x.desks[1]` is `[[channels.x.desks]]`.
fn header(section: &str) -> String {
    match section.split_once('[') {
        Some((list, _)) => format!("[[{list}]]"),
        None => format!("[{section}]"),
    }
}

fn origin(origin: &Origin, file: &str) -> String {
    match origin {
        Origin::Default => "default".into(),
        Origin::Console => "the console".into(),
        Origin::File(line) => format!("{file}:{line}"),
        Origin::Variable(name) => name.clone(),
        Origin::SecretFile(path) => path.display().to_string(),
    }
}

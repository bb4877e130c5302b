//! What loading has come to so far: faults with their places, values with their origins.
//!
//! Not here: reading keys (`section.rs`), or where the tree comes from (`tree.rs`).

use std::path::PathBuf;

use toml::{Table, Value};

use super::fault::{Fault, nearest};
use super::tree::{Origin, Tree, join};
use crate::telemetry::redact;

/// One value as it is in effect, for `config print`. Never the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `server`, `technicians[0]`.
    pub section: String,
    pub key: String,
    /// As TOML; `None` for a secret.
    pub value: Option<String>,
    pub origin: Origin,
}

/// What loading has come to so far.
pub struct Loading {
    pub tree: Tree,
    /// The file's name for faults.
    pub file: String,
    pub faults: Vec<Fault>,
    pub settings: Vec<Setting>,
    /// Files with secrets, for the check of their modes.
    pub secret_files: Vec<PathBuf>,
    /// The configuration file itself holds a secret.
    pub secrets_inside: bool,
    /// The simulated platform may be an adapter.
    pub simulated: bool,
}

/// Keys that hold secrets, by how their names end. Whoever has the URL of a webhook may post by it.
pub fn is_secret(key: &str) -> bool {
    ["token", "secret", "key", "password", "webhook_url"].iter().any(|end| key.ends_with(end))
}

impl Loading {
    pub fn fault(&mut self, path: impl Into<String>, expected: impl Into<String>, got: impl Into<String>) {
        self.fault_near(path, expected, got, None);
    }

    pub fn fault_near(
        &mut self,
        path: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
        nearest: Option<&str>,
    ) {
        let path = path.into();
        let from = self.place(&path);
        let nearest = nearest.map(str::to_owned);
        self.faults.push(Fault { path, from, expected: expected.into(), got: got.into(), nearest });
    }

    /// Where a path is written; for a key that is not there, the table that it would be in.
    fn place(&self, path: &str) -> String {
        let mut at = path;
        loop {
            if let Some(set) = self.tree.set.get(at) {
                return set.variable.clone();
            }
            if let Some(line) = self.tree.lines.get(at) {
                return format!("{}:{line}", self.file);
            }
            match at.rfind(['.', '[']) {
                Some(end) => at = &at[..end],
                None => return String::new(),
            }
        }
    }

    pub fn origin(&self, path: &str) -> Origin {
        if let Some(set) = self.tree.set.get(path) {
            return Origin::Variable(set.variable.clone());
        }
        match self.tree.lines.get(path) {
            Some(line) => Origin::File(*line),
            None if self.tree.kept.contains(path) => Origin::Console,
            None => Origin::Default,
        }
    }

    /// The tables of a list, each with its path.
    pub fn items<'t>(&mut self, path: &str, value: Option<&'t Value>) -> Vec<(String, &'t Table)> {
        let Some(value) = value else { return Vec::new() };
        let Some(items) = value.as_array() else {
            self.fault(path, format!("a list: [[{path}]]"), kind(value));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (n, item) in items.iter().enumerate() {
            let path = format!("{path}[{n}]");
            match item.as_table() {
                Some(table) => tables.push((path, table)),
                None => self.fault(path, "a table", kind(item)),
            }
        }
        tables
    }

    /// The tables below a table of names, each with its name and path.
    pub fn named<'t>(&mut self, path: &str, value: Option<&'t Value>) -> Vec<(String, String, &'t Table)> {
        let Some(value) = value else { return Vec::new() };
        let Some(names) = value.as_table() else {
            self.fault(path, format!("tables: [{path}.NAME]"), kind(value));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (name, value) in names {
            let path = join(path, name);
            if !is_name(name) {
                self.fault(path, "a name of the characters a-z, 0-9 and -", format!("`{name}`"));
                continue;
            }
            match value.as_table() {
                Some(table) => tables.push((name.clone(), path, table)),
                None => self.fault(&path, format!("a table: [{path}]"), kind(value)),
            }
        }
        tables
    }
}

/// `[a-z0-9-]+` (D43).
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// What a value is, without the value.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

/// `a, b or c`, each quoted.
pub fn one_of(words: &[&str]) -> String {
    match words {
        [] => "nothing".into(),
        [only] => format!("\"{only}\""),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|word| format!("\"{word}\"")).collect();
            format!("{} or \"{last}\"", first.join(", "))
        }
    }
}

/// A value repeated in a message: short, and without anything that looks like a secret.
pub fn quoted(text: &str) -> String {
    let short: String = redact(text).chars().take(60).collect();
    let cut = if short.chars().count() < redact(text).chars().count() { "…" } else { "" };
    format!("{short:?}{cut}")
}

pub fn unknown(load: &mut Loading, path: &str, key: &str, known: &[&str]) {
    let near = nearest(key, known.iter().copied()).map(str::to_owned).or_else(|| super::keys::elsewhere(key));
    let expected = match known {
        [] => "no keys".to_owned(),
        known => format!("one of: {}", known.join(", ")),
    };
    load.fault_near(join(path, key), expected, "an unknown key", near.as_deref());
}

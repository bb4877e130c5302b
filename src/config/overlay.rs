//! What admins set in the console, laid under the file: whatever the file or the environment says wins (D45).
//!
//! Not here: where it is kept (the store), who may change it (the API).

use std::fmt;
use std::sync::Arc;

use toml::{Table, Value};

use super::fault::Fault;
use super::keys;
use super::loading::Loading;
use super::tree::{Tree, join};
use super::{Config, Origin, read, tree};

/// The tree that a configuration was read from. It may hold secrets, so it shows nothing.
#[derive(Clone, Default)]
pub struct Source(Arc<Tree>);

impl Source {
    pub fn new(tree: Tree) -> Self {
        Source(Arc::new(tree))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

/// Keys that the console can set, beside those of queues and technicians.
const SINGLE: &[&str] = &[
    "assistant.burst_window",
    "assistant.max_turns",
    "assistant.mode",
    "desk.undo_window",
    "handover.confirm",
    "sessions.reopen_window",
    "tickets.auto_close",
    "tickets.create",
];

/// Whether the console may set this key at all.
pub fn is_editable(path: &str) -> bool {
    let parts: Vec<&str> = path.split('.').collect();
    match parts.as_slice() {
        ["queues", name, key] => {
            super::loading::is_name(name) && *key != "timers" && keys::QUEUE.contains(key)
        }
        ["queues", name, "timers", key] => super::loading::is_name(name) && keys::TIMERS.contains(key),
        _ => SINGLE.contains(&path),
    }
}

/// What the console has set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overlay {
    /// By path: `queues.network.allocation`.
    pub values: Vec<(String, Value)>,
    /// As under `[[technicians]]`, each with its `id`.
    pub technicians: Vec<Table>,
}

impl Config {
    /// This configuration with `overlay` under it; with any fault there is none, but every fault.
    pub fn over(&self, overlay: &Overlay) -> Result<Config, Vec<Fault>> {
        let mut tree: Tree = (*self.source.0).clone();
        for (path, value) in &overlay.values {
            lay_under(&mut tree, path, value);
        }
        add_technicians(&mut tree, &overlay.technicians);
        let mut load = Loading {
            tree,
            file: self.file.as_deref().map(tree::shown).unwrap_or_default(),
            faults: Vec::new(),
            settings: Vec::new(),
            secret_files: Vec::new(),
            secrets_inside: false,
            // Its channels passed when the file was read.
            simulated: true,
        };
        let table = load.tree.table.clone();
        let mut config = read(&mut load, &table, self.file.as_deref());
        config.source = self.source.clone();
        if load.faults.is_empty() { Ok(config) } else { Err(load.faults) }
    }

    /// Whether the file or the environment says something about this key, so that the console cannot.
    pub fn is_fixed(&self, path: &str) -> bool {
        let tree = &self.source.0;
        let mut at = &tree.table;
        let mut parts = path.split('.').peekable();
        while let Some(part) = parts.next() {
            match at.get(part) {
                None => return false,
                Some(_) if parts.peek().is_none() => return true,
                Some(Value::Table(table)) => at = table,
                Some(_) => return true,
            }
        }
        false
    }

    /// Whether a technician stands in the file.
    pub fn has_fixed(&self, technician: &str) -> bool {
        let listed = self.technicians.iter().find(|one| one.id.as_str() == technician);
        let index =
            listed.and_then(|one| one.path.strip_prefix("technicians[")?.strip_suffix(']')?.parse().ok());
        let fixed = self.source.0.table.get("technicians").and_then(Value::as_array).map_or(0, Vec::len);
        index.is_some_and(|index: usize| index < fixed)
    }

    /// Path, value as TOML and origin of everything that is in effect.
    pub fn in_effect(&self) -> impl Iterator<Item = (String, Option<&str>, &Origin)> {
        self.settings
            .iter()
            .map(|one| (format!("{}.{}", one.section, one.key), one.value.as_deref(), &one.origin))
    }
}

fn lay_under(tree: &mut Tree, path: &str, value: &Value) {
    let mut at = &mut tree.table;
    let mut parts: Vec<&str> = path.split('.').collect();
    let Some(last) = parts.pop() else { return };
    for part in parts {
        let next = at.entry(part).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(table) = next else { return };
        at = table;
    }
    if !at.contains_key(last) {
        at.insert(last.to_owned(), value.clone());
        tree.kept.insert(path.to_owned());
    }
}

/// Behind those of the file.
fn add_technicians(tree: &mut Tree, technicians: &[Table]) {
    if technicians.is_empty() {
        return;
    }
    let list = tree.table.entry("technicians").or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(list) = list else { return };
    for technician in technicians {
        let path = format!("technicians[{}]", list.len());
        tree.kept.extend(technician.keys().map(|key| join(&path, key)));
        list.push(Value::Table(technician.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deskbridge.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(Some(&path), std::iter::empty()).unwrap()
    }

    fn overlay(values: &[(&str, Value)], technicians: &str) -> Overlay {
        let values = values.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect();
        let table: Table = technicians.parse().unwrap();
        let technicians = table.get("technicians").and_then(Value::as_array).cloned().unwrap_or_default();
        let technicians = technicians.into_iter().filter_map(|one| one.as_table().cloned()).collect();
        Overlay { values, technicians }
    }

    #[test]
    fn what_the_file_sets_wins() {
        let config =
            config("[queues.network]\nallocation = \"load-based\"\n[[technicians]]\nname = \"Ana\"\n");
        let over = overlay(
            &[
                ("queues.network.allocation", "round-robin".into()),
                ("queues.network.priority", 7.into()),
                ("queues.network.timers.offer", "90s".into()),
            ],
            "[[technicians]]\nid = \"bob\"\nname = \"Bob\"\n",
        );
        let merged = config.over(&over).unwrap();
        let policy = merged.policy();
        let queue = &policy.queues[&"network".into()];
        assert_eq!(queue.allocation, deskbridge_conversation::policy::Allocation::LoadBased);
        assert_eq!((queue.priority, queue.timers.offer.as_secs(), queue.technicians.len()), (7, 90, 2));
        assert!(merged.is_fixed("queues.network.allocation") && !merged.is_fixed("queues.network.priority"));
        assert!(merged.has_fixed("ana") && !merged.has_fixed("bob") && !merged.has_fixed("cem"));
        let origin = |path: &str| merged.in_effect().find(|one| one.0 == path).unwrap().2.clone();
        assert_eq!(origin("queues.network.priority"), Origin::Console);
        assert_eq!(origin("technicians[1].name"), Origin::Console);
        assert!(matches!(origin("queues.network.allocation"), Origin::File(2)));
        // And nothing of it stays when it is laid under again.
        assert_eq!(merged.over(&Overlay::default()).unwrap().policy(), config.policy());
    }

    #[test]
    fn faults_are_the_files_faults() {
        let config = config("[queues.network]\n");
        for (path, value) in [
            ("queues.network.allocation", Value::from("fair")),
            ("queues.network.priority", Value::from(-1)),
            ("queues.network.technicians", Value::from(vec!["nobody"])),
            ("queues.network.hours", Value::from("now and then")),
            ("queues.network.timers.offer", Value::from("soon")),
        ] {
            let faults = config.over(&overlay(&[(path, value)], "")).unwrap_err();
            assert!(faults[0].path.starts_with(path), "{faults:?}");
        }
    }

    #[test]
    fn keys_that_the_console_may_set() {
        for path in ["queues.a-b.hours", "queues.x.timers.offer", "desk.undo_window"] {
            assert!(is_editable(path), "{path}");
        }
        for path in
            ["queues.x.timers", "queues.X.hours", "server.listen", "assistant.api_key", "channels.x.token"]
        {
            assert!(!is_editable(path), "{path}");
        }
    }
}

//! The published description of the Web API as a list of parameters: what is called is held against it.
//! It is of 2021; what came later is listed here by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use serde_json::Value;

use super::params::Params;

/// Parameters that came after the description (docs.slack.dev, method pages).
const LATER: [(&str, &[&str]); 9] = [
    ("chat.postMessage", &["metadata", "markdown_text"]),
    ("chat.update", &["metadata", "markdown_text", "reply_broadcast", "file_ids"]),
    ("chat.postEphemeral", &["markdown_text"]),
    ("chat.unfurl", &["unfurl_id", "source", "metadata"]),
    ("conversations.history", &["include_all_metadata"]),
    ("conversations.replies", &["include_all_metadata"]),
    ("conversations.list", &["team_id"]),
    ("conversations.open", &["prevent_creation"]),
    ("views.open", &["interactivity_pointer"]),
];

#[derive(Debug)]
pub struct Fields {
    /// Required and known parameters by method.
    methods: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>,
}

impl Fields {
    /// # Errors
    /// When the description cannot be read.
    pub fn load(file: &Path) -> io::Result<Self> {
        let description: Value = serde_json::from_slice(&std::fs::read(file)?)?;
        let mut methods = BTreeMap::new();
        for (path, verbs) in description["paths"].as_object().into_iter().flatten() {
            let method = path.trim_start_matches('/').to_owned();
            let (mut required, mut known) = (BTreeSet::new(), BTreeSet::new());
            for operation in verbs.as_object().into_iter().flatten().map(|(_, operation)| operation) {
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    let name = parameter["name"].as_str().unwrap_or_default().to_owned();
                    // The token comes in a header.
                    if parameter["required"] == true && name != "token" {
                        required.insert(name.clone());
                    }
                    known.insert(name);
                }
            }
            let later = LATER.iter().filter(|(name, _)| *name == method).flat_map(|(_, names)| names.iter());
            known.extend(later.map(|name| (*name).to_owned()));
            methods.insert(method, (required, known));
        }
        Ok(Fields { methods })
    }

    /// What is wrong with a call of a method that the description knows.
    pub fn faults_of(&self, method: &str, params: &Params) -> Vec<String> {
        let Some((required, known)) = self.methods.get(method) else { return Vec::new() };
        let missing = required.iter().filter(|name| !params.has(name));
        let missing = missing.map(|name| format!("{method}: {name} is missing"));
        let unknown = params.values.keys().filter(|name| !known.contains(*name));
        missing.chain(unknown.map(|name| format!("{method}: {name} is not a parameter"))).collect()
    }
}

//! Compares the names of parameters with the published description of the Bot API, when a test gives its path.
//! Values are checked by the methods themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::params::Params;

#[derive(Deserialize)]
struct Description {
    methods: BTreeMap<String, MethodDescription>,
}

#[derive(Deserialize)]
struct MethodDescription {
    #[serde(default)]
    fields: Vec<FieldDescription>,
}

#[derive(Deserialize)]
struct FieldDescription {
    name: String,
    required: bool,
}

#[derive(Debug)]
pub(super) struct Fields {
    methods: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>,
}

impl Fields {
    pub fn load(path: &Path) -> io::Result<Self> {
        let description: Description = serde_json::from_slice(&std::fs::read(path)?)?;
        let names = |fields: &[FieldDescription], only_required: bool| {
            fields
                .iter()
                .filter(|field| field.required || !only_required)
                .map(|field| field.name.clone())
                .collect()
        };
        let methods = description.methods.iter().map(|(name, method)| {
            (name.to_ascii_lowercase(), (names(&method.fields, false), names(&method.fields, true)))
        });
        Ok(Fields { methods: methods.collect() })
    }

    /// What is wrong with a call's parameter names.
    pub fn faults_of(&self, method: &str, params: &Params) -> Vec<String> {
        let Some((known, required)) = self.methods.get(&method.to_ascii_lowercase()) else {
            return vec![format!("{method}: no such method in the description")];
        };
        let everything = serde_json::Value::Object(params.values.clone()).to_string();
        let is_attachment = |field: &str| everything.contains(&format!("attach://{field}"));
        let sent_files = params.files.iter().map(|file| &file.field).filter(|field| !is_attachment(field));
        let sent: BTreeSet<&String> = params.values.keys().chain(sent_files).collect();
        let unknown = sent.iter().filter(|name| !known.contains(**name));
        let missing = required.iter().filter(|name| !sent.contains(name));
        unknown
            .map(|name| format!("{method}: no parameter {name} in the description"))
            .chain(missing.map(|name| format!("{method}: required parameter {name} is missing")))
            .collect()
    }
}

//! The published description of the API: every request and every answer is held against it, when a test gives it.
//! Requests that it forbids become violations, of whoever sent them; so do answers, which are the fake's own mistakes.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::error::Good;
use super::methods;
use super::params::{Encoding, Params};
use super::world::World;

/// A validator, nothing where the description has none, or why it cannot be used.
type Compiled = Result<Option<Arc<Validator>>, String>;

#[derive(Debug)]
pub(super) struct Description {
    document: Value,
    /// Compiled on first use, by operation and what it is about.
    compiled: BTreeMap<(String, &'static str), Compiled>,
}

/// Is this operation there, under this verb and path?
fn is_there(document: &Value, (verb, path, operation): (&str, &str, &str)) -> bool {
    document["paths"][format!("/{path}")][verb.to_lowercase()]["operationId"] == operation
}

impl Description {
    /// # Errors
    /// When the description cannot be read, or the fake has an operation that it has not.
    pub fn load(file: &Path) -> io::Result<Self> {
        let document: Value = serde_json::from_slice(&std::fs::read(file)?)?;
        let unknown: Vec<&str> =
            methods::all().filter(|it| !is_there(&document, *it)).map(|it| it.2).collect();
        if !unknown.is_empty() {
            let text = format!("not in the description as the fake has it: {unknown:?}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok(Description { document, compiled: BTreeMap::new() })
    }

    fn operation(&self, name: &str) -> Option<&Value> {
        let verbs = self.document["paths"].as_object()?.values().filter_map(Value::as_object);
        verbs.flatten().map(|(_, operation)| operation).find(|operation| operation["operationId"] == name)
    }

    /// The schema of a request's body (`request`) or of an answer (its status).
    fn schema(&self, operation: &str, about: &str) -> Option<Value> {
        let found = self.operation(operation)?;
        let holder = if about == "request" { &found["requestBody"] } else { &found["responses"][about] };
        let schema = holder["content"]["application/json"].get("schema")?.clone();
        let components = self.document["components"].clone();
        Some(json!({ "allOf": [schema], "components": components }))
    }

    fn validator(&mut self, operation: &str, about: &'static str) -> Compiled {
        let key = (operation.to_owned(), about);
        if let Some(known) = self.compiled.get(&key) {
            return known.clone();
        }
        let compile =
            |schema| jsonschema::draft202012::new(&schema).map(Arc::new).map_err(|it| it.to_string());
        let made = self.schema(operation, about).map(compile).transpose();
        self.compiled.insert(key, made.clone());
        made
    }

    fn faults_of(&mut self, operation: &str, about: &'static str, value: &Value) -> Vec<String> {
        match self.validator(operation, about) {
            Ok(None) => Vec::new(),
            Ok(Some(validator)) => {
                let faults = validator.iter_errors(value);
                faults.map(|it| format!("{operation}, {about}, at {}: {it}", it.instance_path)).collect()
            }
            Err(why) => vec![format!("{operation}, {about}: the description cannot be used: {why}")],
        }
    }
}

impl World {
    /// Holds a request against the description.
    pub(super) fn check(&mut self, number: usize, operation: &str, params: &Params) {
        let Some(description) = &mut self.description else { return };
        if params.encoding == Encoding::Empty || params.body.is_null() {
            return;
        }
        let mut body = params.body.clone();
        name_files(&mut body);
        let mut faults = description.faults_of(operation, "request", &body);
        if description.operation(operation).is_none() {
            faults.push(format!("{operation}: not in the description"));
        }
        for fault in faults {
            self.ledger.violation(format!("call {number}: {fault}"));
        }
    }

    /// Holds an answer against the description.
    pub(super) fn check_answer(&mut self, operation: &str, good: &Good) {
        let Some(description) = &mut self.description else { return };
        let about = match good.status {
            200 => "200",
            201 => "201",
            _ => return,
        };
        let Some(body) = &good.body else { return };
        for fault in description.faults_of(operation, about, body) {
            self.ledger.violation(format!("the fake's own answer: {fault}"));
        }
    }
}

/// The vendor's own examples ("Uploading Files") number new files, where its description wants text.
fn name_files(body: &mut Value) {
    for holder in ["/attachments", "/message/attachments", "/data/attachments"] {
        for entry in body.pointer_mut(holder).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(number) = entry["id"].as_u64() {
                entry["id"] = json!(number.to_string());
            }
        }
    }
}

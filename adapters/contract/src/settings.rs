//! Reading an adapter's own keys of the configuration: every fault at once, and never a value in it, for it may be a secret.
//!
//! Not here: which keys an adapter has, what they mean (its `config.rs`), and the generic ones (the program's).

use serde_json::{Map, Value};
use url::Url;

/// What is wrong with a key: its name, and what. Values are never repeated.
pub type Fault = (String, String);

/// The section `[channels.X]` without the generic keys, and what was found wrong with it so far.
#[derive(Debug)]
pub struct Section {
    values: Map<String, Value>,
    faults: Vec<Fault>,
}

impl Section {
    /// `keys`: those that the adapter knows; any other is a fault.
    ///
    /// # Errors
    /// When it is no table, there is nothing to read.
    pub fn of(value: Value, keys: &[&str]) -> Result<Section, Vec<Fault>> {
        let Value::Object(values) = value else {
            return Err(vec![(String::new(), "expected a table".into())]);
        };
        let unknown = values.keys().filter(|key| !keys.contains(&key.as_str()));
        let what = format!("unknown key; known here: {}", keys.join(", "));
        let faults = unknown.map(|key| (key.clone(), what.clone())).collect();
        Ok(Section { values, faults })
    }

    /// As it was written. `None`: not there, or null.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key).filter(|value| !value.is_null())
    }

    pub fn fault(&mut self, key: &str, what: impl Into<String>) {
        self.faults.push((key.to_owned(), what.into()));
    }

    /// A fault of a key of which nothing else was said.
    pub fn missing(&mut self, key: &str, what: &str) {
        if self.faults.iter().all(|(known, _)| known != key) {
            self.fault(key, what);
        }
    }

    pub fn text(&mut self, key: &str) -> Option<String> {
        match self.get(key)? {
            Value::String(text) => Some(text.clone()),
            other => {
                let what = format!("expected text, got {}", kind(other));
                self.fault(key, what);
                None
            }
        }
    }

    /// Of a server, without a query and without a name or password in it.
    pub fn url(&mut self, key: &str) -> Option<Url> {
        let text = self.text(key)?;
        let is_plain = |url: &Url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.query().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        };
        let url = Url::parse(&text).ok().filter(is_plain);
        if url.is_none() {
            self.fault(key, "expected a URL like https://host, without a query");
        }
        url
    }

    /// What was read, when nothing was wrong with any of it; `None` has its fault already.
    ///
    /// # Errors
    /// Every fault.
    pub fn finish<T>(self, read: Option<T>) -> Result<T, Vec<Fault>> {
        read.filter(|_| self.faults.is_empty()).ok_or(self.faults)
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_fault_is_told_and_no_value() {
        let written = json!({ "a": 5, "b": "hunter2", "c": null, "d": "https://host/x", "x": "hunter2" });
        let mut section = Section::of(written, &["a", "b", "c", "d"]).unwrap();
        assert_eq!((section.text("a"), section.text("c"), section.text("e")), (None, None, None));
        assert_eq!(section.url("b"), None);
        assert_eq!(section.url("d").map(String::from).as_deref(), Some("https://host/x"));
        section.missing("a", "missing");
        section.missing("e", "missing");
        let faults = section.finish(Some(())).unwrap_err();
        let keys: Vec<&str> = faults.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["x", "a", "b", "e"]);
        assert_eq!(faults[1].1, "expected text, got a number");
        assert!(faults.iter().all(|(_, what)| !what.contains("hunter2")), "{faults:?}");
        assert!(Section::of(json!([]), &[]).is_err());
        assert_eq!(Section::of(json!({}), &[]).unwrap().finish(Some(7)), Ok(7));
    }

    #[test]
    fn urls_of_servers_alone() {
        for wrong in
            ["host", "ftp://host", "https://", "https://host?x", "https://me@host", "https://:pw@host"]
        {
            let mut section = Section::of(json!({ "url": wrong }), &["url"]).unwrap();
            assert_eq!(section.url("url"), None, "{wrong}");
        }
    }
}

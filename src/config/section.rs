//! Reads one table of the configuration key by key, collecting every fault and every value with its origin (D44).
//!
//! Not here: which keys there are and what they mean (`sections.rs`, `channels.rs`, `queues.rs`, `technicians.rs`).

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::de::value::{Error as WordError, StrDeserializer};
use toml::{Table, Value};

use super::duration;
use super::fault::nearest;
use super::loading::{Loading, Setting, is_name, is_secret, kind, one_of, quoted, unknown};
use super::tree::{Origin, join, read_text, shown};

/// In every secret of the example, so that nobody starts with one that is public (T59).
const PLACEHOLDER: &str = "replace-";

/// One table being read.
pub struct Section<'a, 't> {
    pub load: &'a mut Loading,
    pub path: String,
    table: Option<&'t Table>,
}

impl<'a, 't> Section<'a, 't> {
    /// `known`: every key of the section. Keys that are not known are faults, with the nearest that is.
    pub fn open(load: &'a mut Loading, path: &str, value: Option<&'t Value>, known: &[&str]) -> Self {
        let table = value.and_then(Value::as_table);
        if let (Some(value), None) = (value, table) {
            load.fault(path, format!("a table: [{path}]"), kind(value));
        }
        Self::of(load, path, table, known)
    }

    pub fn of(load: &'a mut Loading, path: &str, table: Option<&'t Table>, known: &[&str]) -> Self {
        for key in table.into_iter().flat_map(Table::keys) {
            let stem = key.strip_suffix("_file").filter(|stem| is_secret(stem));
            if !known.contains(&key.as_str()) && !stem.is_some_and(|stem| known.contains(&stem)) {
                unknown(load, path, key, known);
            }
        }
        Section { load, path: path.to_owned(), table }
    }

    pub fn value(&self, key: &str) -> Option<&'t Value> {
        self.table?.get(key)
    }

    pub fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    fn at(&self, key: &str) -> String {
        join(&self.path, key)
    }

    pub fn fault(&mut self, key: &str, expected: impl Into<String>, got: impl Into<String>) {
        let path = self.at(key);
        self.load.fault(path, expected, got);
    }

    /// Notes the value in effect.
    pub fn note(&mut self, key: &str, value: impl Into<Value>) {
        let origin = self.load.origin(&self.at(key));
        let (section, key) = (self.path.clone(), key.to_owned());
        self.load.settings.push(Setting { section, key, value: Some(value.into().to_string()), origin });
    }

    /// Text, or what the environment gave for it before it was taken for something else.
    fn raw(&self, key: &str) -> Option<Result<String, &'static str>> {
        let value = self.value(key)?;
        Some(match (value, self.load.tree.set.get(&self.at(key))) {
            (Value::String(text), _) => Ok(text.clone()),
            (_, Some(set)) => Ok(set.raw.clone()),
            (other, None) => Err(kind(other)),
        })
    }

    pub fn text(&mut self, key: &str) -> Option<String> {
        match self.raw(key)? {
            Ok(text) if !text.trim().is_empty() => {
                self.note(key, text.clone());
                Some(text)
            }
            Ok(_) => {
                self.fault(key, "text", "empty text");
                None
            }
            Err(got) => {
                self.fault(key, "text", got);
                None
            }
        }
    }

    pub fn text_or(&mut self, key: &str, default: &str) -> String {
        if !self.has(key) {
            self.note(key, default);
        }
        self.text(key).unwrap_or_else(|| default.to_owned())
    }

    /// Text, or a whole number meant as text (a room's id).
    pub fn text_or_number(&mut self, key: &str) -> Option<String> {
        match self.value(key)? {
            Value::Integer(number) => {
                let text = self.raw(key).and_then(Result::ok).unwrap_or_else(|| number.to_string());
                self.note(key, text.clone());
                Some(text)
            }
            _ => self.text(key),
        }
    }

    pub fn name(&mut self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        if is_name(&text) {
            return Some(text);
        }
        self.fault(key, "a name of the characters a-z, 0-9 and -", quoted(&text));
        None
    }

    pub fn flag(&mut self, key: &str, default: bool) -> bool {
        let read = match self.value(key) {
            None => default,
            Some(Value::Boolean(flag)) => *flag,
            Some(other) => {
                self.fault(key, "true or false", kind(other));
                default
            }
        };
        self.note(key, read);
        read
    }

    pub fn number(&mut self, key: &str, default: u32, allowed: RangeInclusive<u32>) -> u32 {
        let read = match self.value(key) {
            None => default,
            Some(Value::Integer(number)) => match u32::try_from(*number) {
                Ok(number) if allowed.contains(&number) => number,
                _ => {
                    let expected = format!("a whole number from {} to {}", allowed.start(), allowed.end());
                    self.fault(key, expected, number.to_string());
                    default
                }
            },
            Some(other) => {
                self.fault(key, "a whole number", kind(other));
                default
            }
        };
        self.note(key, i64::from(read));
        read
    }

    pub fn time(&mut self, key: &str, default: Duration, allowed: RangeInclusive<Duration>) -> Duration {
        let (read, got) = match self.value(key) {
            None => (Some(default), String::new()),
            Some(Value::Integer(seconds)) => {
                (u64::try_from(*seconds).ok().map(Duration::from_secs), seconds.to_string())
            }
            Some(Value::Float(seconds)) => (duration::from_seconds(*seconds), seconds.to_string()),
            Some(Value::String(text)) => (duration::parse(text), quoted(text)),
            Some(other) => (None, kind(other).to_owned()),
        };
        let read = read.filter(|time| allowed.contains(time)).unwrap_or_else(|| {
            let (low, high) = (duration::say(*allowed.start()), duration::say(*allowed.end()));
            self.fault(key, format!("a time from {low} to {high}, like \"90s\", \"10 min\" or \"7d\""), got);
            default
        });
        self.note(key, duration::say(read));
        read
    }

    /// One of a few words. `words` are those that `T` reads, for the message.
    pub fn choice<T>(&mut self, key: &str, words: &[&str], default: T) -> T
    where
        T: DeserializeOwned + Serialize,
    {
        let chosen = self.choice_if_set(key, words).unwrap_or(default);
        if !self.has(key) {
            let word = Value::try_from(&chosen).unwrap_or_else(|_| Value::String(String::new()));
            self.note(key, word);
        }
        chosen
    }

    pub fn choice_if_set<T: DeserializeOwned>(&mut self, key: &str, words: &[&str]) -> Option<T> {
        let text = self.text(key)?;
        match T::deserialize(StrDeserializer::<WordError>::new(&text)) {
            Ok(chosen) => Some(chosen),
            Err(_) => {
                let path = self.at(key);
                let near = nearest(&text, words.iter().copied());
                self.load.fault_near(path, one_of(words), quoted(&text), near);
                None
            }
        }
    }

    /// A list of texts; one text alone is a list of one, so that the environment needs no brackets.
    pub fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let mut texts = Vec::new();
        match value {
            Value::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    match item.as_str().map(str::trim).filter(|text| !text.is_empty()) {
                        Some(text) => texts.push(text.to_owned()),
                        None => {
                            let got = if item.is_str() { "empty text" } else { kind(item) };
                            self.fault(&format!("{key}[{n}]"), "text", got);
                        }
                    }
                }
            }
            Value::String(text) if !text.trim().is_empty() => texts.push(text.trim().to_owned()),
            other => self.fault(key, "a list of texts: [\"…\", \"…\"]", kind(other)),
        }
        self.note(key, texts.clone());
        texts
    }

    /// A secret: the key itself, or `key_file` with the name of a file that holds it and nothing else (D43).
    pub fn secret(&mut self, key: &str) -> Option<SecretString> {
        let file_key = format!("{key}_file");
        let (text, origin) = match (self.has(key), self.has(&file_key)) {
            (false, false) => return None,
            (true, true) => {
                self.fault(key, format!("either `{key}` or `{file_key}`"), "both");
                return None;
            }
            (true, false) => self.written_secret(key)?,
            (false, true) => self.filed_secret(key, &file_key)?,
        };
        if text.trim().is_empty() {
            self.fault(key, "a secret", "empty text");
            return None;
        }
        if text.contains(PLACEHOLDER) {
            self.fault(key, "a secret of your own", "the one of the example, which everybody knows");
            return None;
        }
        self.load.settings.push(Setting {
            section: self.path.clone(),
            key: key.to_owned(),
            value: None,
            origin,
        });
        Some(SecretString::from(text))
    }

    fn written_secret(&mut self, key: &str) -> Option<(String, Origin)> {
        let set = self.load.tree.set.get(&self.at(key)).cloned();
        match (self.raw(key)?, set) {
            (Ok(text), Some(set)) => {
                self.load.secret_files.extend(set.file);
                Some((text, Origin::Variable(set.variable)))
            }
            (Ok(text), None) => {
                self.load.secrets_inside = true;
                Some((text, self.load.origin(&self.at(key))))
            }
            (Err(got), _) => {
                self.fault(key, "text", got);
                None
            }
        }
    }

    fn filed_secret(&mut self, key: &str, file_key: &str) -> Option<(String, Origin)> {
        let file = match self.raw(file_key)? {
            Ok(name) => PathBuf::from(name),
            Err(got) => {
                self.fault(file_key, "the name of a file", got);
                return None;
            }
        };
        match read_text(&file) {
            Ok(text) => {
                self.load.secret_files.push(file.clone());
                Some((text.trim_end_matches(['\r', '\n']).to_owned(), Origin::SecretFile(file)))
            }
            Err(got) => {
                self.fault(
                    file_key,
                    format!("a file that holds the {key} and nothing else"),
                    format!("{got}: {}", shown(&file)),
                );
                None
            }
        }
    }

    /// An `http` or `https` address with a host and no query, without a slash at its end.
    pub fn url(&mut self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        let sound = text.parse::<axum::http::Uri>().ok().is_some_and(|uri| {
            let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
            scheme && uri.host().is_some_and(|host| !host.is_empty()) && uri.query().is_none()
        });
        if sound && !text.contains('@') {
            return Some(text.trim_end_matches('/').to_owned());
        }
        self.fault(
            key,
            "an address like https://desk.example.com, without a query or a password",
            quoted(&text),
        );
        None
    }
}

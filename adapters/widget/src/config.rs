//! The keys of a widget site, checked one by one so that all faults are reported together (D44).
//!
//! Not here: the keys that every channel has (`adapter`, `requesters`, `queue`, `desk`, `desks`), which the host reads and
//! takes out first, and files or environment variables with secrets, which the host has already looked up.

use std::time::Duration;

pub use deskbridge_contract::settings::Fault;
use deskbridge_contract::settings::Section;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

/// One site that shows the widget. There is no `Debug`, so that keys cannot reach a log by way of it.
#[derive(Clone)]
pub struct Config {
    /// Exact origins of pages that may show the widget.
    pub(crate) origins: Vec<String>,
    /// The program's own origin, where it is known.
    own: Option<String>,
    pub(crate) title: String,
    pub(crate) greeting: Option<String>,
    /// `#rrggbb`
    pub(crate) color: String,
    /// Quick starts on the first view.
    pub(crate) topics: Vec<String>,
    /// What unknown visitors are asked before their first message.
    pub(crate) ask: Vec<Ask>,
    pub(crate) verified_only: bool,
    /// The key of new tokens, then the one before it, if any.
    pub(crate) identity_keys: Vec<SecretString>,
    pub(crate) identity_lifetime: Duration,
    pub(crate) messages_per_minute: u32,
    pub(crate) sockets_per_visitor: u32,
    pub(crate) sockets_per_address: u32,
    pub(crate) max_file: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    Name,
    Email,
}

impl Config {
    /// Every key that [`Config::from_value`] knows.
    pub const KEYS: [&'static str; 15] = [
        "origins",
        "title",
        "greeting",
        "color",
        "topics",
        "ask",
        "verified_only",
        "identity_key",
        "previous_identity_key",
        "identity_lifetime",
        "messages_per_minute",
        "sockets_per_visitor",
        "sockets_per_address",
        "max_file_mb",
        "public_url",
    ];

    /// Reads the section `[channels.X]` without the generic keys. `public_url` is added by the host from `[server]`: the
    /// program's own page, where the widget can be tried out, may show it too.
    pub fn from_value(value: Value) -> Result<Config, Vec<Fault>> {
        let mut read = Section::of(value, &Self::KEYS)?;
        let mut config = Config {
            origins: origins(&mut read),
            title: words(&mut read, "title").unwrap_or_else(|| "IT support".into()),
            greeting: words(&mut read, "greeting"),
            color: color(&mut read),
            topics: texts(&mut read, "topics"),
            ask: ask(&mut read),
            verified_only: flag(&mut read, "verified_only"),
            identity_keys: ["identity_key", "previous_identity_key"]
                .iter()
                .filter_map(|k| key(&mut read, k))
                .collect(),
            identity_lifetime: time(&mut read, "identity_lifetime", 3600, 300..=86_400),
            messages_per_minute: count(&mut read, "messages_per_minute", 30, 1..=600),
            sockets_per_visitor: count(&mut read, "sockets_per_visitor", 10, 1..=100),
            sockets_per_address: count(&mut read, "sockets_per_address", 200, 1..=100_000),
            own: None,
            max_file: u64::from(count(&mut read, "max_file_mb", 25, 1..=50)) << 20,
        };
        if config.verified_only && config.identity_keys.is_empty() {
            read.fault("verified_only", "needs identity_key, or nobody could write");
        }
        config.topics.truncate(8);
        let own = read.get("public_url").and_then(Value::as_str).and_then(|url| Url::parse(url).ok());
        config.own = own.map(|url| url.origin().ascii_serialization());
        read.finish(Some(config))
    }

    /// Whether a page of this origin may show the widget: letter by letter, no patterns.
    pub(crate) fn admits(&self, origin: &str) -> bool {
        self.origins.iter().chain(&self.own).any(|known| known == origin)
    }
}

/// A text that is shown.
fn words(read: &mut Section, key: &str) -> Option<String> {
    let text = read.text(key)?;
    if text.chars().count() > 500 {
        read.fault(key, "expected at most 500 characters");
        return None;
    }
    Some(text)
}

fn texts(read: &mut Section, key: &str) -> Vec<String> {
    let Some(value) = read.get(key) else { return Vec::new() };
    let texts = value.as_array().and_then(|all| {
        all.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>()
    });
    if texts.is_none() {
        read.fault(key, "expected a list of texts");
    }
    texts.unwrap_or_default()
}

/// As browsers send it: scheme, host and port, and nothing after them.
fn origins(read: &mut Section) -> Vec<String> {
    if read.get("origins").is_none() {
        read.fault(
            "origins",
            "missing; the pages that show the widget, like [\"https://portal.example.com\"]",
        );
    }
    let texts = texts(read, "origins");
    for text in &texts {
        let sound = Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && !text.contains('*')
                && url.origin().ascii_serialization() == *text
        });
        if !sound {
            let what = "expected an exact origin like \"https://portal.example.com\": no path, no wildcard";
            read.fault("origins", what);
        }
    }
    texts
}

fn color(read: &mut Section) -> String {
    let color = words(read, "color").unwrap_or_else(|| "#1f5fbf".into()).to_ascii_lowercase();
    let digits = color.strip_prefix('#').unwrap_or_default();
    if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        read.fault("color", "expected a colour like \"#1f5fbf\"");
    }
    color
}

fn ask(read: &mut Section) -> Vec<Ask> {
    let mut asked = Vec::new();
    for word in texts(read, "ask") {
        match word.as_str() {
            "name" => asked.push(Ask::Name),
            "email" => asked.push(Ask::Email),
            _ => read.fault("ask", "expected any of \"name\", \"email\""),
        }
    }
    asked
}

fn flag(read: &mut Section, key: &str) -> bool {
    match read.get(key) {
        None => false,
        Some(Value::Bool(flag)) => *flag,
        Some(_) => {
            read.fault(key, "expected true or false");
            false
        }
    }
}

/// HS256 wants a key as long as its hash ("RFC 7518" 3.2).
fn key(read: &mut Section, key: &str) -> Option<SecretString> {
    let secret = SecretString::from(words(read, key)?);
    if secret.expose_secret().len() < 32 {
        read.fault(key, "expected at least 32 characters, for example from `openssl rand -hex 32`");
        return None;
    }
    Some(secret)
}

fn count(read: &mut Section, key: &str, default: u32, range: std::ops::RangeInclusive<u32>) -> u32 {
    let Some(value) = read.get(key) else { return default };
    match value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| range.contains(n)) {
        Some(n) => n,
        None => {
            read.fault(key, format!("expected a number from {} to {}", range.start(), range.end()));
            default
        }
    }
}

fn time(read: &mut Section, key: &str, default: u64, range: std::ops::RangeInclusive<u64>) -> Duration {
    let given = match read.get(key) {
        None => Some(default),
        Some(Value::Number(seconds)) => seconds.as_u64(),
        Some(Value::String(text)) => {
            let time = text.parse::<jiff::SignedDuration>().ok();
            time.and_then(|time| u64::try_from(time.as_secs()).ok())
        }
        Some(_) => None,
    };
    match given.filter(|seconds| range.contains(seconds)) {
        Some(seconds) => Duration::from_secs(seconds),
        None => {
            read.fault(key, "expected a time from 5m to 24h, like \"1h\"");
            Duration::from_secs(default)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faulty(value: Value) -> Vec<String> {
        Config::from_value(value).err().unwrap_or_default().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn origins_are_exact() {
        for bad in [
            "https://portal.example.com/",
            "https://*.example.com",
            "portal.example.com",
            "null",
            "https://portal.example.com:443",
            "ftp://x",
        ] {
            assert_eq!(faulty(json!({ "origins": [bad] })), ["origins"], "{bad}");
        }
        let config =
            Config::from_value(json!({ "origins": ["https://portal.example.com", "http://localhost:8080"] }));
        let config = config.ok().unwrap();
        assert!(config.admits("https://portal.example.com") && config.admits("http://localhost:8080"));
        for foreign in [
            "null",
            "",
            "https://portal.example.com.evil.test",
            "https://evilportal.example.com",
            "http://portal.example.com",
            "https://portal.example.com:8443",
            "HTTPS://PORTAL.EXAMPLE.COM",
        ] {
            assert!(!config.admits(foreign), "{foreign}");
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let value = json!({
            "origins": [], "color": "blue", "ask": ["phone"], "identity_key": "short", "messages_per_minute": 0,
            "identity_lifetime": "1s", "colour": 1, "verified_only": true,
        });
        let mut keys = faulty(value);
        keys.sort();
        assert_eq!(
            keys,
            [
                "ask",
                "color",
                "colour",
                "identity_key",
                "identity_lifetime",
                "messages_per_minute",
                "verified_only"
            ]
        );
        assert_eq!(faulty(json!({})), ["origins"]);
    }
}

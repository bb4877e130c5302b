//! The keys of a Teams channel, checked one by one so that all faults are reported together (D44).
//!
//! Not here: the keys that every channel has (`adapter`, `requesters`, `queue`, `desk`, `desks`), which the host reads
//! and takes out first, and files or environment variables with secrets, which the host has already looked up.

use std::net::IpAddr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::Url;

/// How long an ordinary call may take (F14).
const CALL: Duration = Duration::from_secs(20);

/// Hosts of the Connector in the public cloud and in those of governments; subdomains of the last two are meant.
const SERVICE_HOSTS: [&str; 6] = [
    "smba.trafficmanager.net",
    "smba.infra.gcc.teams.microsoft.com",
    "smba.infra.gov.teams.microsoft.us",
    "smba.infra.dod.teams.microsoft.us",
    ".botframework.com",
    ".botframework.azure.us",
];

/// One Teams bot. There is no `Debug`, so that the secret cannot reach a log by way of it.
#[derive(Clone)]
pub struct Config {
    pub(crate) app_id: String,
    pub(crate) tenant: String,
    pub(crate) app_password: SecretString,
    pub(crate) token_url: Url,
    pub(crate) openid_url: Url,
    pub(crate) jwks_url: Option<Url>,
    pub(crate) service_url: Url,
    pub(crate) service_hosts: Vec<String>,
    pub(crate) public_url: Option<Url>,
    pub(crate) development: bool,
    pub(crate) call_timeout: Duration,
    pub(crate) paced: bool,
}

/// A fault: the key, and what is wrong with it. Values are never repeated, they may be secrets.
pub type Fault = (String, String);

impl Config {
    /// Every key that [`Config::from_value`] knows.
    pub const KEYS: [&'static str; 10] = [
        "app_id",
        "tenant",
        "app_password",
        "service_url",
        "service_hosts",
        "token_url",
        "openid_url",
        "jwks_url",
        "public_url",
        "development",
    ];

    /// Waits this long for an answer to an ordinary call instead of 20 s; checks and tests do not have that patience.
    #[must_use]
    pub fn with_call_timeout(self, call_timeout: Duration) -> Config {
        Config { call_timeout, ..self }
    }

    /// Declares no limits of pace: only for benchmarks against a fake, which has none.
    #[must_use]
    pub fn without_pace(self) -> Config {
        Config { paced: false, ..self }
    }

    /// Reads the section `[channels.X]` without the generic keys. `public_url` is added by the host from `[server]`.
    pub fn from_value(value: Value) -> Result<Config, Vec<Fault>> {
        let Value::Object(section) = value else {
            return Err(vec![(String::new(), "expected a table".into())]);
        };
        let mut read = Reader { section: &section, faults: Vec::new() };
        for key in section.keys().filter(|key| !Self::KEYS.contains(&key.as_str())) {
            read.fault(key, format!("unknown key; known here: {}", Self::KEYS.join(", ")));
        }
        let app_id = read.id("app_id", "the application (client) id of the bot's registration");
        let tenant =
            read.id("tenant", "the directory (tenant) id; bots for several tenants are not made any more");
        let app_password = read.needed("app_password", "a client secret of the bot's registration");
        let token = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token");
        let token_url = read.url("token_url", &token);
        let openid_url =
            read.url("openid_url", "https://login.botframework.com/v1/.well-known/openidconfiguration");
        let service_url = read.url("service_url", "https://smba.trafficmanager.net/teams/");
        let jwks_url = section.contains_key("jwks_url").then(|| read.url("jwks_url", "")).flatten();
        let public_url = section.contains_key("public_url").then(|| read.url("public_url", "")).flatten();
        let service_hosts = read.hosts();
        let development = read.flag("development");
        if development && public_url.as_ref().is_some_and(|url| !is_loopback(url)) {
            read.fault(
                "development",
                "refused: server.public_url is reachable by others, and events would be unsigned",
            );
        }
        match (token_url, openid_url, service_url) {
            (Some(token_url), Some(openid_url), Some(service_url)) if read.faults.is_empty() => {
                let config = Config {
                    app_id,
                    tenant,
                    app_password: app_password.into(),
                    token_url,
                    openid_url,
                    jwks_url,
                    service_url,
                    service_hosts,
                    public_url,
                    development,
                    call_timeout: CALL,
                    paced: true,
                };
                if config.trusts(&config.service_url) {
                    return Ok(config);
                }
                Err(vec![(
                    "service_url".into(),
                    "not a host of Microsoft; name it in service_hosts as well".into(),
                )])
            }
            _ => Err(read.faults),
        }
    }

    /// Whether the bot's token may be sent there.
    pub(crate) fn trusts(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let known = SERVICE_HOSTS.iter().any(|known| match known.strip_prefix('.') {
            Some(domain) => host.strip_suffix(domain).is_some_and(|front| front.ends_with('.')),
            None => host == *known,
        });
        let named = self.service_hosts.iter().any(|named| named.eq_ignore_ascii_case(host));
        let private = url.scheme() == "https" || is_loopback(url);
        private && url.username().is_empty() && url.password().is_none() && (known || named)
    }
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

struct Reader<'a> {
    section: &'a Map<String, Value>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, key: &str, what: impl Into<String>) {
        self.faults.push((key.to_owned(), what.into()));
    }

    fn text(&mut self, key: &str) -> Option<String> {
        match self.section.get(key)? {
            Value::String(text) => Some(text.clone()),
            _ => {
                self.fault(key, "expected text");
                None
            }
        }
    }

    /// Empty when there is a fault.
    fn needed(&mut self, key: &str, what: &str) -> String {
        let text = if self.section.contains_key(key) { self.text(key) } else { Some(String::new()) };
        match text {
            Some(text) if text.trim().is_empty() => {
                self.fault(key, format!("missing; {what}"));
                String::new()
            }
            text => text.unwrap_or_default(),
        }
    }

    fn id(&mut self, key: &str, what: &str) -> String {
        let id = self.needed(key, what);
        let sound = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        if !sound {
            self.fault(key, format!("expected an id of letters, digits and `-`: {what}"));
        }
        id
    }

    fn url(&mut self, key: &str, default: &str) -> Option<Url> {
        let text = if self.section.contains_key(key) { self.text(key)? } else { default.to_owned() };
        match Url::parse(&text) {
            Ok(url)
                if url.has_host()
                    && (url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url)) =>
            {
                Some(url)
            }
            // Of a default there is no fault but that of the key it is made of.
            _ if !self.section.contains_key(key) => None,
            _ => {
                self.fault(key, "expected a URL like https://host (http only on this machine)");
                None
            }
        }
    }

    fn hosts(&mut self) -> Vec<String> {
        let given = match self.section.get("service_hosts") {
            None => return Vec::new(),
            Some(Value::Array(given)) => given.clone(),
            Some(_) => vec![Value::Null],
        };
        let host = |value: &Value| {
            let host = value.as_str()?.trim();
            let sound =
                !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b));
            sound.then(|| host.to_owned())
        };
        let hosts: Option<Vec<String>> = given.iter().map(host).collect();
        hosts.unwrap_or_else(|| {
            self.fault("service_hosts", "expected a list of host names, without scheme or port");
            Vec::new()
        })
    }

    fn flag(&mut self, key: &str) -> bool {
        match self.section.get(key) {
            None => false,
            Some(Value::Bool(on)) => *on,
            Some(_) => {
                self.fault(key, "expected true or false");
                false
            }
        }
    }
}

impl Config {
    pub(crate) fn secret(&self) -> &str {
        self.app_password.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(more: Value) -> Result<Config, Vec<Fault>> {
        let mut section = json!({ "app_id": "app-1", "tenant": "tenant-1", "app_password": "planted" });
        section.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Config::from_value(section)
    }

    fn faults(more: Value) -> Vec<String> {
        with(more).err().unwrap_or_default().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn three_keys_are_enough() {
        let config = with(json!({})).ok().unwrap();
        assert_eq!(config.token_url.as_str(), "https://login.microsoftonline.com/tenant-1/oauth2/v2.0/token");
        assert!(!config.development && config.jwks_url.is_none());
    }

    #[test]
    fn all_faults_at_once_and_no_value_repeated() {
        let bad = json!({ "tenannt": 1, "app_id": "a b", "tenant": "", "app_password": 5, "service_url": "ftp://x",
            "token_url": "http://example.org", "service_hosts": ["https://planted"], "development": "yes" });
        let found = with(bad).err().unwrap();
        let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
        for key in [
            "tenannt",
            "app_id",
            "tenant",
            "app_password",
            "service_url",
            "token_url",
            "service_hosts",
            "development",
        ] {
            assert!(keys.contains(&key), "{key} in {keys:?}");
        }
        assert!(!format!("{found:?}").contains("planted"));
        assert!(Config::from_value(json!([])).is_err());
    }

    /// There is no way to take unsigned events at a public address.
    #[test]
    fn development_is_for_this_machine() {
        assert_eq!(faults(json!({ "development": true })), Vec::<String>::new());
        assert_eq!(
            faults(json!({ "development": true, "public_url": "http://127.0.0.1:8080" })),
            Vec::<String>::new()
        );
        assert_eq!(
            faults(json!({ "development": true, "public_url": "https://desk.example.org" })),
            ["development"]
        );
    }

    #[test]
    fn the_token_goes_to_known_hosts_only() {
        let config = with(json!({ "service_hosts": ["127.0.0.1", "bots.example.org"] })).ok().unwrap();
        for (url, expected) in [
            ("https://smba.trafficmanager.net/teams/", true),
            ("https://europe.botframework.com/", true),
            ("http://127.0.0.1:4000/", true),
            ("https://bots.example.org/x", true),
            ("http://bots.example.org/x", false),
            ("http://smba.trafficmanager.net/teams/", false),
            ("https://smba.trafficmanager.net.evil.example/", false),
            ("https://evilbotframework.com/", false),
            ("https://smba.trafficmanager.net@evil.example/", false),
            ("https://user@smba.trafficmanager.net/", false),
            ("https://evil.example/smba.trafficmanager.net", false),
        ] {
            assert_eq!(config.trusts(&Url::parse(url).unwrap()), expected, "{url}");
        }
        assert_eq!(faults(json!({ "service_url": "https://evil.example/" })), ["service_url"]);
    }

    /// C11: the example parses, and so does every key that it shows commented out.
    #[test]
    fn the_example_parses() {
        let example = crate::EXAMPLE;
        let full: String =
            example.lines().map(|line| format!("{}\n", line.strip_prefix("#= ").unwrap_or(line))).collect();
        for text in [example.to_owned(), full] {
            let tree: toml::Table = text.parse().unwrap();
            let mut section = serde_json::to_value(&tree["channels"]["teams"]).unwrap();
            for generic in ["adapter", "requesters", "queue", "desk", "desks"] {
                section.as_object_mut().unwrap().remove(generic);
            }
            assert_eq!(Config::from_value(section).err(), None);
        }
        for key in Config::KEYS.iter().filter(|key| **key != "public_url") {
            assert!(example.contains(&format!("{key} = ")), "{key} is not in the example");
        }
    }
}

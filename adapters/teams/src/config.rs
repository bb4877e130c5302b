//! The keys of a Teams channel, checked one by one so that all faults are reported together (D44).
//!
//! Not here: the keys that every channel has (`adapter`, `requesters`, `queue`, `desk`, `desks`), which the host reads
//! and takes out first, and files or environment variables with secrets, which the host has already looked up.

use std::net::IpAddr;
use std::time::Duration;

use deskbridge_contract::RoomId;
use deskbridge_contract::settings::{Fault, Section};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

/// How long an ordinary call may take (F14).
const CALL: Duration = Duration::from_secs(20);

/// Where the Bot Connector tells its keys ("Authentication with the Bot Connector API").
const OPENID: &str = "https://login.botframework.com/v1/.well-known/openidconfiguration";
/// Only for `doctor`: which rights a team gave the app.
const GRAPH: &str = "https://graph.microsoft.com/v1.0/";
const SERVICE: &str = "https://smba.trafficmanager.net/teams/";

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
    pub(crate) graph_url: Url,
    pub(crate) service_url: Url,
    pub(crate) service_hosts: Vec<String>,
    pub(crate) public_url: Option<Url>,
    pub(crate) development: bool,
    pub(crate) call_timeout: Duration,
    pub(crate) paced: bool,
    pub(crate) desks: Vec<String>,
}

impl Config {
    /// Every key that [`Config::from_value`] knows.
    pub const KEYS: [&'static str; 11] = [
        "app_id",
        "tenant",
        "app_password",
        "service_url",
        "service_hosts",
        "token_url",
        "openid_url",
        "jwks_url",
        "graph_url",
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

    /// The channels of teams that are desks, by their ids: what is said to the bot there may be a verb.
    #[must_use]
    pub fn with_desks(self, desks: Vec<String>) -> Config {
        Config { desks, ..self }
    }

    pub(crate) fn is_desk(&self, room: &RoomId) -> bool {
        self.desks.iter().any(|desk| desk == room.as_str())
    }

    /// Reads the section `[channels.X]` without the generic keys. `public_url` is added by the host from `[server]`.
    pub fn from_value(value: Value) -> Result<Config, Vec<Fault>> {
        let mut read = Section::of(value, &Self::KEYS)?;
        let app_id = id(&mut read, "app_id", "the application (client) id of the bot's registration");
        let what = "the directory (tenant) id; bots for several tenants are not made any more";
        let tenant = id(&mut read, "tenant", what);
        let app_password = secret(&mut read);
        let token_url = match &tenant {
            Some(tenant) => url(&mut read, "token_url", &login(tenant)),
            None => url(&mut read, "token_url", ""),
        };
        let openid_url = url(&mut read, "openid_url", OPENID);
        let service_url = url(&mut read, "service_url", SERVICE);
        let jwks_url = url(&mut read, "jwks_url", "");
        let graph_url = url(&mut read, "graph_url", GRAPH);
        let public_url = read.url("public_url");
        let service_hosts = host_list(&mut read, "service_hosts");
        let development = development(&mut read, public_url.as_ref());
        let config = (|| {
            Some(Config {
                app_id: app_id?,
                tenant: tenant?,
                app_password: app_password?,
                token_url: token_url?,
                openid_url: openid_url?,
                jwks_url,
                graph_url: graph_url?,
                service_url: service_url?,
                service_hosts,
                public_url,
                development,
                call_timeout: CALL,
                paced: true,
                desks: Vec::new(),
            })
        })();
        if config.as_ref().is_some_and(|config| !config.trusts(&config.service_url)) {
            read.fault("service_url", "not a host of Microsoft; name it in service_hosts as well");
        }
        read.finish(config)
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

/// Where a tenant's bots get their tokens.
fn login(tenant: &str) -> String {
    format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token")
}

/// A text that has to be there; `what` says what it is.
fn needed(read: &mut Section, key: &str, what: &str) -> Option<String> {
    let text = read.text(key).filter(|text| !text.trim().is_empty());
    if text.is_none() {
        read.missing(key, &format!("missing; {what}"));
    }
    text
}

fn secret(read: &mut Section) -> Option<SecretString> {
    needed(read, "app_password", "a client secret of the bot's registration").map(SecretString::from)
}

fn id(read: &mut Section, key: &str, what: &str) -> Option<String> {
    let id = needed(read, key, what)?;
    if !is_guid(id.trim()) {
        read.fault(key, format!("expected a GUID like 00000000-1111-2222-3333-444444444444: {what}"));
        return None;
    }
    // Tokens and activities have it in small letters, and are compared with it.
    Some(id.trim().to_ascii_lowercase())
}

/// The ids of Entra ID. A tenant's domain would be as good for a token, and is in no activity.
pub(crate) fn is_guid(id: &str) -> bool {
    let groups = id.split('-').map(str::len);
    groups.eq([8, 4, 4, 4, 12]) && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// Where the bot's token or its keys are asked for: nobody on the way may read or change them. `default`, where the key
/// is not there.
fn url(read: &mut Section, key: &str, default: &str) -> Option<Url> {
    if read.get(key).is_none() {
        return Url::parse(default).ok();
    }
    let url = read.url(key)?;
    if url.scheme() != "https" && !is_loopback(&url) {
        read.fault(key, "expected a URL like https://host (http only on this machine)");
        return None;
    }
    Some(url)
}

/// Hosts by their names alone.
pub(crate) fn host_list(read: &mut Section, key: &str) -> Vec<String> {
    let given = match read.get(key) {
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
        read.fault(key, "expected a list of host names, without scheme or port");
        Vec::new()
    })
}

fn development(read: &mut Section, public_url: Option<&Url>) -> bool {
    let on = match read.get("development") {
        None => false,
        Some(Value::Bool(on)) => *on,
        Some(_) => {
            read.fault("development", "expected true or false");
            false
        }
    };
    if on && public_url.is_some_and(|url| !is_loopback(url)) {
        let what = "refused: server.public_url is reachable by others, and events would be unsigned";
        read.fault("development", what);
    }
    on
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

    const APP: &str = "00000000-1111-2222-3333-444444444444";
    const TENANT: &str = "99999999-8888-7777-6666-555555555555";

    /// What is compared with tokens and activities has their form; a tenant's domain would make a stranger of everybody.
    #[test]
    fn ids_are_guids_in_small_letters() {
        for (key, bad) in [
            ("tenant", "contoso.onmicrosoft.com"),
            ("tenant", "common"),
            ("app_id", "my-bot"),
            ("app_id", "00000000-1111-2222-3333-44444444444g"),
            ("app_id", "000000001111-2222-3333-4444-44444444"),
        ] {
            let found = with(json!({ key: bad })).err().unwrap();
            assert_eq!(found[0].0, key, "{bad}");
            assert!(found[0].1.contains("a GUID") && !found[0].1.contains(bad), "{}", found[0].1);
        }
        let upper = "ABCDEFAB-CDEF-ABCD-EFAB-CDEFABCDEFAB";
        let config = with(json!({ "app_id": format!(" {upper} "), "tenant": upper })).ok().unwrap();
        assert_eq!((config.app_id, config.tenant), (upper.to_lowercase(), upper.to_lowercase()));
    }

    fn with(more: Value) -> Result<Config, Vec<Fault>> {
        let mut section = json!({ "app_id": APP, "tenant": TENANT, "app_password": "planted" });
        section.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Config::from_value(section)
    }

    fn faults(more: Value) -> Vec<String> {
        with(more).err().unwrap_or_default().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn three_keys_are_enough() {
        let config = with(json!({})).ok().unwrap();
        assert_eq!(
            config.token_url.as_str(),
            "https://login.microsoftonline.com/99999999-8888-7777-6666-555555555555/oauth2/v2.0/token"
        );
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

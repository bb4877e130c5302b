//! The keys of a Discord channel, checked one by one so that all faults are reported together (D44).
//!
//! Not here: the keys that every channel has (`adapter`, `requesters`, `queue`, `desk`, `desks`), which the host reads
//! and takes out first, and files or environment variables with secrets, which the host has already looked up.

use std::time::Duration;

pub use deskbridge_contract::settings::Fault;
use deskbridge_contract::settings::Section;
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

use crate::ids;
use crate::receive::signature::PublicKey;

/// How long an ordinary call may take (F14).
const CALL: Duration = Duration::from_secs(20);

/// Before a new session, at most.
const PAUSE: Duration = Duration::from_secs(5);

/// In which the name of a channel may change twice.
const RENAMES: Duration = Duration::from_secs(600);

const API: &str = "https://discord.com/api/v10/";

/// One Discord application and its bot. There is no `Debug`, so that no token can reach a log by way of it.
#[derive(Clone)]
pub struct Config {
    pub(crate) token: SecretString,
    /// Of the application; the token says it too, for all but the oldest bots.
    pub(crate) application_id: Option<String>,
    /// Proves interactions that come by HTTP. Without it they come over the gateway.
    pub(crate) public_key: Option<PublicKey>,
    /// Ends with a slash, so that a route can be joined to it.
    pub(crate) api_base: Url,
    /// Instead of the one that Discord names.
    pub(crate) gateway: Option<Url>,
    pub(crate) public_url: Option<Url>,
    pub(crate) call_timeout: Duration,
    pub(crate) paced: bool,
    /// Before a new session ("Invalid Session": between one and five seconds).
    pub(crate) pause: Duration,
    /// In which the name of a post may change twice.
    pub(crate) renames: Duration,
    /// The forums that the host uses as desks.
    pub(crate) desks: Vec<String>,
}

impl Config {
    /// Every key that [`Config::from_value`] knows.
    pub const KEYS: [&'static str; 6] =
        ["token", "application_id", "public_key", "api_base", "gateway", "public_url"];

    /// Waits this long for an answer to an ordinary call instead of 20 s; checks and tests do not have that patience.
    #[must_use]
    pub fn with_call_timeout(self, call_timeout: Duration) -> Config {
        Config { call_timeout, ..self }
    }

    /// Waits at most this long before a new session, instead of 5 s: tests do not have that patience.
    #[must_use]
    pub fn with_pause(self, pause: Duration) -> Config {
        Config { pause, ..self }
    }

    /// The name of a post changes twice within this time, instead of ten minutes: tests do not have that patience.
    #[must_use]
    pub fn with_renames_within(self, renames: Duration) -> Config {
        Config { renames, ..self }
    }

    /// Declares no limits of pace, and waits for none that answers tell: only for benchmarks against a fake, which has none.
    #[must_use]
    pub fn without_pace(self) -> Config {
        Config { paced: false, ..self }
    }

    /// The forums that are desks, by their ids.
    #[must_use]
    pub fn with_desks(self, desks: Vec<String>) -> Config {
        Config { desks, ..self }
    }

    /// Reads the section `[channels.X]` without the generic keys. `public_url` is added by the host from `[server]`.
    ///
    /// # Errors
    /// Every fault, by key, and never with a value.
    pub fn from_value(value: Value) -> Result<Config, Vec<Fault>> {
        let mut read = Section::of(value, &Self::KEYS)?;
        let token = token(&mut read);
        let application_id = application_id(&mut read);
        let public_key = public_key(&mut read);
        let api_base = match read.get("api_base") {
            None => Url::parse(API).ok(),
            Some(_) => read.url("api_base").map(with_slash),
        };
        let gateway = gateway(&mut read);
        let public_url = read.url("public_url");
        let config = token.zip(api_base).map(|(token, api_base)| Config {
            token,
            application_id,
            public_key,
            api_base,
            gateway,
            public_url,
            call_timeout: CALL,
            paced: true,
            pause: PAUSE,
            renames: RENAMES,
            desks: Vec::new(),
        });
        read.finish(config)
    }
}

fn with_slash(mut url: Url) -> Url {
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    url
}

/// Three parts with points between; the first is the bot's id. What else lies in the portal is named for what it is.
fn token(read: &mut Section) -> Option<SecretString> {
    let Some(text) = read.text("token") else {
        read.missing("token", "missing: it is under Bot in the Discord developer portal");
        return None;
    };
    let text = text.trim();
    let text = text.strip_prefix("Bot ").unwrap_or(text);
    let what = if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        "this looks like the public key; the token is under Bot"
    } else if text.len() == 32 && !text.contains('.') {
        "this looks like the client secret; the token is under Bot"
    } else if text.split('.').count() == 3 && text.bytes().all(|b| b.is_ascii_graphic()) {
        return Some(text.to_owned().into());
    } else {
        "not a bot token: it has three parts with points between them; it is under Bot"
    };
    read.fault("token", what);
    None
}

fn application_id(read: &mut Section) -> Option<String> {
    let id = read.text("application_id")?;
    if ids::is_snowflake(&id) {
        return Some(id);
    }
    read.fault("application_id", "expected a number as text: it is under General Information");
    None
}

fn public_key(read: &mut Section) -> Option<PublicKey> {
    let text = read.text("public_key")?;
    let key = PublicKey::read(&text);
    if key.is_none() {
        read.fault("public_key", "expected 64 hexadecimal digits: it is under General Information");
    }
    key
}

fn gateway(read: &mut Section) -> Option<Url> {
    let text = read.text("gateway")?;
    let sound = |url: &Url| matches!(url.scheme(), "ws" | "wss") && url.has_host();
    let url = Url::parse(&text).ok().filter(sound);
    if url.is_none() {
        read.fault("gateway", "expected a URL like wss://host");
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TOKEN: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4.planted.planted-planted";

    fn faults(value: Value) -> Vec<String> {
        match Config::from_value(value) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.into_iter().map(|(key, _)| key).collect(),
        }
    }

    #[test]
    fn a_token_is_enough() {
        let config = Config::from_value(json!({ "token": TOKEN })).ok().unwrap();
        assert_eq!(config.api_base.as_str(), API);
        assert!(config.gateway.is_none() && config.public_key.is_none());
        let own =
            json!({ "token": TOKEN, "api_base": "http://127.0.0.1:9/api", "gateway": "ws://127.0.0.1:9/gw" });
        let config = Config::from_value(own).ok().unwrap();
        assert_eq!(config.api_base.as_str(), "http://127.0.0.1:9/api/");
        assert!(config.gateway.is_some());
    }

    #[test]
    fn all_faults_at_once() {
        let bad = json!({ "token": 5, "tokn": "x", "api_base": "ftp://x", "gateway": "https://x", "public_key": "12",
            "application_id": "me" });
        assert_eq!(faults(bad), ["tokn", "token", "application_id", "public_key", "api_base", "gateway"]);
        assert_eq!(faults(json!({})), ["token"]);
        assert_eq!(faults(json!([])), [""]);
    }

    #[test]
    fn what_is_no_token_is_named_and_never_repeated() {
        let key = "ab".repeat(32);
        for (text, word) in [
            (key.as_str(), "public key"),
            ("planted-planted-planted-planted-", "client secret"),
            ("planted", "three"),
        ] {
            let Err(faults) = Config::from_value(json!({ "token": text })) else { panic!("{text} accepted") };
            assert!(faults[0].1.contains(word), "{faults:?}");
            assert!(!format!("{faults:?}").contains("planted"));
        }
    }

    /// C11: the example parses, and so does every key that it shows commented out.
    #[test]
    fn the_example_parses() {
        let example = crate::EXAMPLE;
        let full: String =
            example.lines().map(|line| format!("{}\n", line.strip_prefix("#= ").unwrap_or(line))).collect();
        for text in [example.to_owned(), full] {
            let tree: toml::Table = text.parse().unwrap();
            let mut section = serde_json::to_value(&tree["channels"]["discord"]).unwrap();
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

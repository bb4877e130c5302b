//! The keys of a Slack channel, checked one by one so that all faults are reported together (D44).
//!
//! Not here: the keys that every channel has (`adapter`, `requesters`, `queue`, `desk`, `desks`), which the host reads
//! and takes out first, and files or environment variables with secrets, which the host has already looked up.

use std::time::Duration;

pub use deskbridge_contract::settings::Fault;
use deskbridge_contract::settings::Section;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

/// How long an ordinary call may take (F14).
const CALL: Duration = Duration::from_secs(20);

/// "Using Socket Mode": up to ten connections at once.
const MAX_SOCKETS: u64 = 10;
/// Two, so that one can be renewed while the other receives.
const SOCKETS: usize = 2;

const API: &str = "https://slack.com/api/";

/// One Slack workspace. There is no `Debug`, so that no token can reach a log by way of it.
#[derive(Clone)]
pub struct Config {
    pub(crate) bot_token: SecretString,
    /// Also kept where events come by HTTP: `doctor` looks at it.
    pub(crate) app_token: Option<SecretString>,
    /// For `doctor` alone, and for one run: an app configuration token lives for 12 hours.
    pub(crate) config_token: Option<SecretString>,
    pub(crate) receive: Receive,
    /// Ends with a slash, so that a method's name can be joined to it.
    pub(crate) api_base: Url,
    pub(crate) public_url: Option<Url>,
    pub(crate) rotation: Option<Rotation>,
    pub(crate) call_timeout: Duration,
    pub(crate) paced: bool,
    /// The rooms that the host uses as desks: for hints and for catching up, never for rules.
    pub(crate) desks: Vec<String>,
}

/// How events arrive.
#[derive(Clone)]
pub(crate) enum Receive {
    /// With `app_token`.
    Socket {
        sockets: usize,
    },
    Http {
        signing_secret: SecretString,
    },
}

/// What renews a bot token that expires after twelve hours ("Token rotation").
#[derive(Clone)]
pub(crate) struct Rotation {
    pub client_id: String,
    pub client_secret: SecretString,
    /// The first one; later ones are on the shelf.
    pub refresh_token: SecretString,
}

impl Config {
    /// Every key that [`Config::from_value`] knows.
    pub const KEYS: [&'static str; 11] = [
        "bot_token",
        "app_token",
        "signing_secret",
        "receive",
        "sockets",
        "api_base",
        "public_url",
        "client_id",
        "client_secret",
        "refresh_token",
        "config_token",
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

    /// The rooms that are desks.
    #[must_use]
    pub fn with_desks(self, desks: Vec<String>) -> Config {
        Config { desks, ..self }
    }

    /// Reads the section `[channels.X]` without the generic keys. `public_url` is added by the host from `[server]`.
    pub fn from_value(value: Value) -> Result<Config, Vec<Fault>> {
        let mut read = Section::of(value, &Self::KEYS)?;
        let bot_token = bot_token(&mut read);
        let app_token = app_token(&mut read);
        let receive = receive(&mut read, app_token.as_ref());
        let api_base = api_base(&mut read);
        let public_url = read.url("public_url");
        let rotation = rotation(&mut read);
        let config_token = secret(&mut read, "config_token");
        match (bot_token, receive, api_base) {
            (Some(bot_token), Some(receive), Some(api_base)) => read.finish(Some(Config {
                bot_token,
                app_token,
                config_token,
                receive,
                api_base,
                public_url,
                rotation,
                call_timeout: CALL,
                paced: true,
                desks: Vec::new(),
            })),
            _ => read.finish(None),
        }
    }
}

/// A secret of printable characters without spaces, as every token of Slack's is.
fn secret(read: &mut Section, key: &str) -> Option<SecretString> {
    let text = read.text(key)?;
    if text.len() > 512 || !text.bytes().all(|b| b.is_ascii_graphic()) || text.is_empty() {
        read.fault(key, "expected a text without spaces, of at most 512 characters");
        return None;
    }
    Some(text.into())
}

fn bot_token(read: &mut Section) -> Option<SecretString> {
    if read.get("bot_token").is_none() {
        read.fault("bot_token", "missing; it is under OAuth & Permissions of the app, and starts with xoxb-");
        return None;
    }
    let token = secret(read, "bot_token")?;
    let text = token.expose_secret();
    if text.starts_with("xoxb-") || text.starts_with("xoxe.xoxb-") {
        return Some(token);
    }
    let others = [
        ("xapp-", "this is an app token: it belongs into app_token"),
        ("xoxp-", "this is a person's token; a bot's starts with xoxb-"),
        ("xoxe-", "this is a refresh token: it belongs into refresh_token"),
    ];
    let what = others.into_iter().find(|(prefix, _)| text.starts_with(prefix));
    let what = what.map_or("not a bot token; it starts with xoxb-", |(_, what)| what);
    read.fault("bot_token", what);
    None
}

fn app_token(read: &mut Section) -> Option<SecretString> {
    let token = secret(read, "app_token")?;
    if !token.expose_secret().starts_with("xapp-") {
        read.fault("app_token", "not an app token; it starts with xapp-");
        return None;
    }
    Some(token)
}

fn receive(read: &mut Section, app_token: Option<&SecretString>) -> Option<Receive> {
    let signing_secret = secret(read, "signing_secret");
    let sockets = sockets(read);
    let how = read.text("receive").unwrap_or_else(|| "socket".into());
    match how.as_str() {
        "socket" => match app_token {
            Some(_) => Some(Receive::Socket { sockets }),
            None => {
                read.missing(
                    "app_token",
                    "needed for Socket Mode: Basic Information, App-Level Tokens, scope connections:write",
                );
                None
            }
        },
        "http" | "webhook" => match signing_secret {
            Some(secret) if secret.expose_secret().len() >= 16 => {
                Some(Receive::Http { signing_secret: secret })
            }
            Some(_) => {
                read.fault("signing_secret", "too short: copy all of it from Basic Information");
                None
            }
            None => {
                read.missing(
                    "signing_secret",
                    "needed when receive = \"http\": it is under Basic Information of the app",
                );
                None
            }
        },
        _ => {
            read.fault("receive", "expected \"socket\" or \"http\"");
            None
        }
    }
}

/// Says so once: a value that is there and wrong has been reported already.
fn sockets(read: &mut Section) -> usize {
    match read.get("sockets") {
        None => SOCKETS,
        Some(value) => match value.as_u64().filter(|count| (1..=MAX_SOCKETS).contains(count)) {
            Some(count) => usize::try_from(count).unwrap_or(SOCKETS),
            None => {
                read.fault("sockets", "expected a number from 1 to 10");
                SOCKETS
            }
        },
    }
}

fn api_base(read: &mut Section) -> Option<Url> {
    if read.get("api_base").is_none() {
        return Url::parse(API).ok();
    }
    let mut url = read.url("api_base")?;
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Some(url)
}

/// All three, or none of them.
fn rotation(read: &mut Section) -> Option<Rotation> {
    let (client_id, client_secret, refresh_token) =
        (read.text("client_id"), secret(read, "client_secret"), secret(read, "refresh_token"));
    match (client_id, client_secret, refresh_token) {
        (Some(client_id), Some(client_secret), Some(refresh_token)) => {
            Some(Rotation { client_id, client_secret, refresh_token })
        }
        (None, None, None) => None,
        (id, secret, token) => {
            let given = [
                ("client_id", id.is_some()),
                ("client_secret", secret.is_some()),
                ("refresh_token", token.is_some()),
            ];
            for (key, _) in given.into_iter().filter(|(_, given)| !given) {
                read.missing(key, "needed for token rotation, together with the other two");
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(value: Value) -> Vec<String> {
        match Config::from_value(value) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.into_iter().map(|(key, _)| key).collect(),
        }
    }

    #[test]
    fn two_tokens_are_enough() {
        let config =
            Config::from_value(json!({ "bot_token": "xoxb-1", "app_token": "xapp-1" })).ok().unwrap();
        assert_eq!(config.api_base.as_str(), "https://slack.com/api/");
        assert!(matches!(config.receive, Receive::Socket { sockets: 2, .. }));
        assert!(config.rotation.is_none());
    }

    #[test]
    fn http_needs_the_signing_secret_alone() {
        let section = json!({ "bot_token": "xoxb-1", "receive": "http", "signing_secret": "8f742231b10e8888abcd99yyy" });
        assert!(matches!(Config::from_value(section).ok().unwrap().receive, Receive::Http { .. }));
        assert_eq!(faults(json!({ "bot_token": "xoxb-1", "receive": "http" })), ["signing_secret"]);
        let short = json!({ "bot_token": "xoxb-1", "receive": "http", "signing_secret": "short" });
        assert_eq!(faults(short), ["signing_secret"]);
    }

    #[test]
    fn all_faults_at_once() {
        let bad =
            json!({ "bot_token": 5, "tokn": "x", "api_base": "ftp://x", "receive": "rtm", "sockets": 11 });
        assert_eq!(faults(bad), ["tokn", "bot_token", "sockets", "receive", "api_base"]);
        assert_eq!(faults(json!([])), [""]);
        assert_eq!(faults(json!({})), ["bot_token", "app_token"]);
        let half = json!({ "bot_token": "xoxb-1", "app_token": "xapp-1", "client_id": "1.2" });
        assert_eq!(faults(half), ["client_secret", "refresh_token"]);
    }

    #[test]
    fn a_token_in_the_wrong_place_is_named_and_never_repeated() {
        for (token, word) in
            [("xapp-planted", "app_token"), ("xoxp-planted", "person"), ("xoxe-planted", "refresh_token")]
        {
            let Err(faults) = Config::from_value(json!({ "bot_token": token, "app_token": "xapp-1" })) else {
                panic!("{token} accepted")
            };
            assert_eq!(faults[0].0, "bot_token");
            assert!(faults[0].1.contains(word), "{faults:?}");
            assert!(!format!("{faults:?}").contains("planted"));
        }
        assert_eq!(faults(json!({ "bot_token": "xoxb-1", "app_token": "xoxb-2" })), ["app_token"]);
    }

    #[test]
    fn another_server_may_be_named_without_its_slash() {
        let section =
            json!({ "bot_token": "xoxb-1", "app_token": "xapp-1", "api_base": "http://127.0.0.1:9/api" });
        assert_eq!(Config::from_value(section).ok().unwrap().api_base.as_str(), "http://127.0.0.1:9/api/");
    }

    /// C11: the example parses, and so does every key that it shows commented out.
    #[test]
    fn the_example_parses() {
        let example = crate::EXAMPLE;
        let full: String =
            example.lines().map(|line| format!("{}\n", line.strip_prefix("#= ").unwrap_or(line))).collect();
        for text in [example.to_owned(), full] {
            let tree: toml::Table = text.parse().unwrap();
            let mut section = serde_json::to_value(&tree["channels"]["slack"]).unwrap();
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

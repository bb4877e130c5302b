//! The keys of a Telegram channel, checked one by one so that all faults are reported together (D44).
//!
//! Not here: the keys that every channel has (`adapter`, `requesters`, `queue`, `desk`, `desks`), which the host reads
//! and takes out first, and files or environment variables with secrets, which the host has already looked up.

use std::time::Duration;

pub use deskbridge_contract::settings::Fault;
use deskbridge_contract::settings::Section;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use crate::ids;

/// The longest that Telegram keeps a long poll open ("getUpdates", server source).
const MAX_POLL: Duration = Duration::from_secs(50);

/// How long an ordinary call may take (F14).
const CALL: Duration = Duration::from_secs(20);

/// One Telegram bot. There is no `Debug`, so that the token cannot reach a log by way of it.
#[derive(Clone)]
pub struct Config {
    pub(crate) token: SecretString,
    pub(crate) bot: u64,
    pub(crate) api_base: Url,
    pub(crate) receive: Receive,
    pub(crate) public_url: Option<Url>,
    pub(crate) poll_timeout: Duration,
    pub(crate) call_timeout: Duration,
    pub(crate) paced: bool,
}

/// How updates arrive. The two exclude each other at Telegram too (409).
#[derive(Clone)]
pub(crate) enum Receive {
    Polling,
    Webhook { secret: SecretString },
}

impl Config {
    /// Every key that [`Config::from_value`] knows.
    pub const KEYS: [&'static str; 6] =
        ["token", "api_base", "receive", "webhook_secret", "public_url", "poll_timeout"];

    /// Waits this long for an answer to an ordinary call instead of 20 s; checks and tests do not have that patience.
    #[must_use]
    pub fn with_call_timeout(self, call_timeout: Duration) -> Config {
        Config { call_timeout, ..self }
    }

    /// Declares no limits of pace: only for benchmarks against a fake, which has none (D23).
    #[must_use]
    pub fn without_pace(self) -> Config {
        Config { paced: false, ..self }
    }

    /// Reads the section `[channels.X]` without the generic keys. `public_url` is added by the host from `[server]`.
    pub fn from_value(value: Value) -> Result<Config, Vec<Fault>> {
        let mut read = Section::of(value, &Self::KEYS)?;
        let token = token(&mut read);
        let api_base = read.url("api_base").or_else(|| Url::parse("https://api.telegram.org").ok());
        let public_url = read.url("public_url");
        let receive = receive(&mut read);
        let poll_timeout = poll_timeout(&mut read);
        match (token, api_base, receive) {
            (Some((token, bot)), Some(api_base), Some(receive)) => read.finish(Some(Config {
                token,
                bot,
                api_base,
                receive,
                public_url,
                poll_timeout,
                call_timeout: CALL,
                paced: true,
            })),
            _ => read.finish(None),
        }
    }
}

fn token(read: &mut Section) -> Option<(SecretString, u64)> {
    if read.get("token").is_none() {
        read.fault("token", "missing; @BotFather gives it: /newbot, or /mybots for an existing bot");
        return None;
    }
    let token = SecretString::from(read.text("token")?);
    match ids::bot_of_token(token.expose_secret()) {
        Some(bot) => Some((token, bot)),
        None => {
            read.fault("token", "not a bot token; it looks like 123456789:AAE… with no spaces");
            None
        }
    }
}

fn receive(read: &mut Section) -> Option<Receive> {
    let secret = read.text("webhook_secret");
    let how = read.text("receive").unwrap_or_else(|| "polling".into());
    match how.as_str() {
        "polling" => Some(Receive::Polling),
        "webhook" => webhook(read, secret),
        _ => {
            read.fault("receive", "expected \"polling\" or \"webhook\"");
            None
        }
    }
}

/// `secret_token` of "setWebhook": 1–256 characters `[A-Za-z0-9_-]`. Ours is never empty: an open route is refused.
fn webhook(read: &mut Section, secret: Option<String>) -> Option<Receive> {
    let Some(secret) = secret else {
        read.fault("webhook_secret", "needed when receive = \"webhook\": any random text of [A-Za-z0-9_-]");
        return None;
    };
    let sound = (16..=256).contains(&secret.len())
        && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if !sound {
        read.fault("webhook_secret", "expected 16 to 256 characters of [A-Za-z0-9_-]");
        return None;
    }
    Some(Receive::Webhook { secret: secret.into() })
}

fn poll_timeout(read: &mut Section) -> Duration {
    let given = match read.get("poll_timeout") {
        None => return MAX_POLL,
        Some(Value::Number(seconds)) => seconds.as_u64().map(Duration::from_secs),
        Some(Value::String(text)) => {
            text.parse::<jiff::SignedDuration>().ok().and_then(|d| Duration::try_from(d).ok())
        }
        Some(_) => None,
    };
    match given {
        Some(time) if (Duration::from_secs(1)..=MAX_POLL).contains(&time) => time,
        _ => {
            read.fault("poll_timeout", "expected a time from 1s to 50s, like \"50s\"");
            MAX_POLL
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
    fn a_token_is_enough() {
        let config = Config::from_value(json!({ "token": "7001:abc" })).ok().unwrap();
        assert_eq!(config.bot, 7001);
        assert_eq!(config.api_base.as_str(), "https://api.telegram.org/");
        assert_eq!(config.poll_timeout, MAX_POLL);
        assert!(matches!(config.receive, Receive::Polling));
    }

    #[test]
    fn all_faults_at_once() {
        let bad = json!({ "token": 5, "tokn": "x", "api_base": "ftp://x", "receive": "webhook", "poll_timeout": "2m" });
        assert_eq!(faults(bad), ["tokn", "token", "api_base", "webhook_secret", "poll_timeout"]);
        assert_eq!(faults(json!([])), [""]);
        assert_eq!(faults(json!({})), ["token"]);
        assert_eq!(faults(json!({ "token": "7001:abc", "receive": "socket" })), ["receive"]);
    }

    #[test]
    fn secrets_are_checked_and_never_repeated() {
        for secret in ["short", &"x".repeat(257), "has a space in it", "ümlaut-ümlaut-ümlaut"] {
            let value = json!({ "token": "7001:abc", "receive": "webhook", "webhook_secret": secret });
            let Err(faults) = Config::from_value(value) else { panic!("{secret} accepted") };
            assert_eq!(faults[0].0, "webhook_secret");
            assert!(!faults[0].1.contains(secret));
        }
        let Err(faults) = Config::from_value(json!({ "token": "planted secret" })) else { panic!() };
        assert!(!format!("{faults:?}").contains("planted"));
    }

    #[test]
    fn times() {
        for (given, seconds) in [(json!(30), 30), (json!("50s"), 50), (json!("1s"), 1), (json!("25 s"), 25)] {
            let value = json!({ "token": "7001:abc", "poll_timeout": given });
            assert_eq!(Config::from_value(value).ok().unwrap().poll_timeout.as_secs(), seconds);
        }
        for given in [json!(0), json!(51), json!(-1), json!("soon"), json!(true)] {
            assert_eq!(faults(json!({ "token": "7001:abc", "poll_timeout": given })), ["poll_timeout"]);
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
            let mut section = serde_json::to_value(&tree["channels"]["telegram"]).unwrap();
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

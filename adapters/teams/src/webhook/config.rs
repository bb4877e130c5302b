//! The keys of a channel of webhooks, checked one by one so that all faults are reported together (D44).
//!
//! Not here: the keys that every channel has, and the bot's (`crate::config`), which are passed on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deskbridge_contract::settings::{Fault, Section};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use std::time::Duration;
use url::Url;

use crate::config::{Config, host_list, is_loopback};

/// How long a call may take (F14).
const CALL: Duration = Duration::from_secs(20);
/// D35: what is ready within this is the answer; Teams gives up after five seconds.
const READY: Duration = Duration::from_secs(2);
/// Shortest key that is taken; Teams gives 32 bytes.
const MIN_KEY: usize = 16;
/// Where Workflows has its triggers (platform-contracts §2.2); subdomains are meant.
const FLOW_HOSTS: [&str; 2] = [".logic.azure.com", ".environment.api.powerplatform.com"];
/// Where connectors of Office 365 were, until they were retired in 2026 (T50).
const RETIRED: [&str; 2] = ["webhook.office.com", "outlook.office.com"];

const BOT: [&str; 7] =
    ["app_id", "tenant", "app_password", "service_url", "service_hosts", "token_url", "public_url"];

/// One channel of webhooks. There is no `Debug`, so that no secret can reach a log by way of it.
#[derive(Clone)]
pub struct WebhookConfig {
    /// The key of the signature: the security token, decoded.
    pub(crate) security: Option<Vec<u8>>,
    /// A secret as a whole: whoever has it may post.
    pub(crate) webhook_url: Option<SecretString>,
    pub(crate) bot: Option<Config>,
    pub(crate) public_url: Option<Url>,
    pub(crate) call_timeout: Duration,
    pub(crate) paced: bool,
    /// The assistant's answer is in the response when it is there so soon.
    pub(crate) ready: Duration,
    seed: SecretString,
}

impl WebhookConfig {
    /// Every key that [`WebhookConfig::from_value`] knows.
    pub const KEYS: [&'static str; 10] = [
        "security_token",
        "webhook_url",
        "webhook_hosts",
        "app_id",
        "tenant",
        "app_password",
        "service_url",
        "service_hosts",
        "token_url",
        "public_url",
    ];

    /// Waits this long for an answer of a flow instead of 20 s.
    #[must_use]
    pub fn with_call_timeout(self, call_timeout: Duration) -> WebhookConfig {
        WebhookConfig { call_timeout, ..self }
    }

    /// Waits so long for an answer before the request is only acknowledged; tests of other things do not have the patience.
    #[must_use]
    pub fn with_ready(self, ready: Duration) -> WebhookConfig {
        WebhookConfig { ready, ..self }
    }

    /// Keeps no pace: only for benchmarks against a fake.
    #[must_use]
    pub fn without_pace(self) -> WebhookConfig {
        WebhookConfig { paced: false, bot: self.bot.map(Config::without_pace), ..self }
    }

    /// Reads the section `[channels.X]` without the generic keys. `public_url` is added by the host from `[server]`.
    ///
    /// # Errors
    /// Every fault of every key.
    pub fn from_value(value: Value) -> Result<WebhookConfig, Vec<Fault>> {
        let bot = bot(&value);
        let mut read = Section::of(value, &Self::KEYS)?;
        let security = security(&mut read);
        let public_url = read.url("public_url");
        let hosts = host_list(&mut read, "webhook_hosts");
        let webhook_url = webhook(&mut read, &hosts);
        let bot = match bot {
            Some(Ok(bot)) => Some(bot),
            Some(Err(faults)) => {
                faults.into_iter().for_each(|(key, what)| read.fault(&key, what));
                None
            }
            None => None,
        };
        if read.get("security_token").is_none() && read.get("webhook_url").is_none() {
            let what = "missing; the token that Teams shows once when the outgoing webhook is made, \
                or webhook_url for notices only";
            read.missing("security_token", what);
        }
        if bot.is_some() && read.get("security_token").is_none() {
            read.fault(
                "app_id",
                "the bot is for an outgoing webhook's later answers: security_token is missing",
            );
        }
        let seed = match (&security, &webhook_url) {
            (Some(key), _) => SecretString::from(hex::encode(key)),
            (None, Some(url)) => url.clone(),
            (None, None) => SecretString::from(String::new()),
        };
        let (call_timeout, paced, ready) = (CALL, true, READY);
        read.finish(Some(WebhookConfig {
            security,
            webhook_url,
            bot,
            public_url,
            call_timeout,
            paced,
            ready,
            seed,
        }))
    }

    /// What links to files are signed with.
    pub(crate) fn secret(&self) -> &str {
        self.seed.expose_secret()
    }
}

/// The bot, where any of its keys is there.
fn bot(value: &Value) -> Option<Result<Config, Vec<Fault>>> {
    let given = value.as_object()?;
    let named = ["app_id", "tenant", "app_password"];
    if !named.iter().any(|key| given.get(*key).is_some_and(|value| !value.is_null())) {
        return None;
    }
    let own: Map<String, Value> = given
        .iter()
        .filter(|(key, _)| BOT.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    Some(Config::from_value(Value::Object(own)).map_err(|faults| {
        // It is read here as well, and told once.
        faults.into_iter().filter(|(key, _)| key != "public_url").collect()
    }))
}

fn security(read: &mut Section) -> Option<Vec<u8>> {
    let token = read.text("security_token")?;
    let key = STANDARD.decode(token.trim()).ok().filter(|key| key.len() >= MIN_KEY);
    if key.is_none() {
        read.fault("security_token", "expected the token in base64, as Teams shows it");
    }
    key
}

fn webhook(read: &mut Section, hosts: &[String]) -> Option<SecretString> {
    let text = read.text("webhook_url")?;
    let url = Url::parse(text.trim()).ok();
    let host = url.as_ref().and_then(Url::host_str).map(str::to_ascii_lowercase);
    let (Some(url), Some(host)) = (url, host) else {
        read.fault("webhook_url", "expected the URL that the flow shows under its trigger");
        return None;
    };
    let within = |domain: &str| host == domain || host.ends_with(&format!(".{domain}"));
    if RETIRED.iter().any(|domain| within(domain)) {
        let what =
            "connectors of Office 365 are retired; make a flow \"When a Teams webhook request is received\"";
        read.fault("webhook_url", what);
        return None;
    }
    let known =
        FLOW_HOSTS.iter().any(|domain| host.strip_suffix(domain).is_some_and(|front| !front.is_empty()))
            || hosts.iter().any(|named| named.eq_ignore_ascii_case(&host));
    let private = url.scheme() == "https" || is_loopback(&url);
    if !known || !private || !url.username().is_empty() || url.password().is_some() {
        read.fault("webhook_url", "not an https URL of Workflows; name its host in webhook_hosts as well");
        return None;
    }
    Some(SecretString::from(url.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "00000000-1111-2222-3333-444444444444";
    const TOKEN: &str = "cGxhbnRlZC1zZWN1cml0eS10b2tlbi1vZi0zMi1ieXRlcw==";
    const FLOW: &str =
        "https://prod-01.westeurope.logic.azure.com/workflows/1/triggers/manual/paths/invoke?sig=planted";

    fn faults(section: Value) -> Vec<(String, String)> {
        WebhookConfig::from_value(section).err().unwrap_or_default()
    }

    fn keys(section: Value) -> Vec<String> {
        faults(section).into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn one_of_both_is_enough() {
        for section in [
            json!({ "security_token": TOKEN }),
            json!({ "webhook_url": FLOW }),
            json!({ "security_token": TOKEN, "webhook_url": FLOW, "public_url": "https://desk.example.org" }),
            json!({ "security_token": TOKEN, "app_id": ID, "tenant": ID, "app_password": "p" }),
        ] {
            assert_eq!(faults(section.clone()), [], "{section}");
        }
        assert_eq!(keys(json!({})), ["security_token"]);
    }

    #[test]
    fn all_faults_at_once_and_no_value_repeated() {
        let bad = json!({ "security_token": "planted", "webhook_url": "https://planted.example/?sig=planted",
            "webhook_hosts": "planted", "app_id": "planted planted", "tenant": "t", "odd": "planted" });
        let found = faults(bad);
        let named: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
        for key in ["security_token", "webhook_url", "webhook_hosts", "app_id", "app_password", "odd"] {
            assert!(named.contains(&key), "{key} in {named:?}");
        }
        assert!(!format!("{found:?}").contains("planted"), "{found:?}");
        assert_eq!(
            keys(json!({ "webhook_url": FLOW, "app_id": ID, "tenant": ID, "app_password": "p" })),
            ["app_id"]
        );
    }

    /// T50: only the form that Workflows has; the retired one is named.
    #[test]
    fn t50_retired_connectors_are_refused() {
        let what =
            |url: &str| faults(json!({ "webhook_url": url })).pop().map(|(_, what)| what).unwrap_or_default();
        for retired in ["https://acme.webhook.office.com/webhookb2/x", "https://outlook.office.com/webhook/x"]
        {
            assert!(what(retired).contains("retired"), "{retired}: {}", what(retired));
        }
        for other in [
            "http://prod-01.westeurope.logic.azure.com/x?sig=1",
            "https://logic.azure.com.evil.example/x",
            "https://evillogic.azure.com/x",
            "https://user:pw@prod-01.westeurope.logic.azure.com/x",
            "https://.logic.azure.com/",
            "nonsense",
        ] {
            assert_ne!(what(other), "", "{other}");
        }
        for good in
            [FLOW, "https://abc.environment.api.powerplatform.com:443/powerautomate/automations/x?sig=1"]
        {
            assert_eq!(what(good), "", "{good}");
        }
    }

    /// C11: the example parses, and so does every key that it shows commented out.
    #[test]
    fn the_example_parses() {
        let example = crate::WEBHOOK_EXAMPLE;
        let full: String =
            example.lines().map(|line| format!("{}\n", line.strip_prefix("#= ").unwrap_or(line))).collect();
        for text in [example.to_owned(), full] {
            let tree: toml::Table = text.parse().unwrap();
            let mut section = serde_json::to_value(&tree["channels"]["teams-webhook"]).unwrap();
            for generic in ["adapter", "requesters", "queue", "desk", "desks"] {
                section.as_object_mut().unwrap().remove(generic);
            }
            assert_eq!(faults(section), []);
        }
        for key in WebhookConfig::KEYS.iter().filter(|key| **key != "public_url") {
            assert!(example.contains(&format!("{key} = ")), "{key} is not in the example");
        }
    }
}

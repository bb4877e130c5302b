//! Whose words the relay is measured in: how a message comes in, what the bridge is configured with.
//!
//! Not here: what is measured (`relay`), the other side's answers (`fake`).

use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use super::{discord, teams};

const SECRET: &str = "bench-secret-bench-secret-bench";
/// Slack's channel of the desk.
const DESK: &str = "C1001";
/// Characters of an event's JSON, as the workload has it (performance.md, W1).
const EVENT: usize = 1_040;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Platform {
    Telegram,
    Slack,
    Teams,
    Discord,
}

/// A server of others that is measured beside the bridge, in the same words.
pub(super) struct Beside {
    /// The package.
    pub name: &'static str,
    /// In `benches/peers`.
    pub script: &'static str,
    pub args: Vec<String>,
    /// Where it takes events.
    pub path: &'static str,
    /// What it does, and what it does not.
    pub does: &'static str,
}

impl Platform {
    pub(super) fn name(self) -> &'static str {
        match self {
            Platform::Telegram => "telegram",
            Platform::Slack => "slack",
            Platform::Teams => "teams",
            Platform::Discord => "discord",
        }
    }

    pub(super) fn path(self) -> String {
        format!("/hooks/{}", self.name())
    }

    pub(super) fn technician(self) -> &'static str {
        match self {
            Platform::Telegram => r#"identities = ["telegram:5"]"#,
            Platform::Slack => r#"identities = ["slack:U5"]"#,
            Platform::Teams => r#"identities = ["teams:u5"]"#,
            Platform::Discord => r#"identities = ["discord:5"]"#,
        }
    }

    /// Its section of the configuration, with a desk.
    pub(super) fn channel(self, api: &str) -> String {
        match self {
            Platform::Telegram => format!(
                r#"
[channels.telegram]
adapter = "telegram"
token = "1:benchbenchbenchbenchbenchbenchbench"
api_base = "{api}"
receive = "webhook"
webhook_secret = "{SECRET}"
[channels.telegram.desk]
room = "-1001"
"#
            ),
            Platform::Slack => format!(
                r#"
[channels.slack]
adapter = "slack"
bot_token = "xoxb-bench"
signing_secret = "{SECRET}"
receive = "http"
api_base = "{api}/api/"
[channels.slack.desk]
room = "{DESK}"
"#
            ),
            Platform::Teams => teams::channel(api),
            Platform::Discord => discord::channel(api),
        }
    }

    /// Whether its events come over a socket: then nothing is ever said of a single one.
    pub(super) fn has_gateway(self) -> bool {
        match self {
            Platform::Telegram | Platform::Slack | Platform::Teams => false,
            Platform::Discord => true,
        }
    }

    /// What is measured beside, with the platform's other side at `api`.
    pub(super) fn beside(self, api: &str) -> Option<Beside> {
        match self {
            Platform::Telegram | Platform::Discord => None,
            Platform::Slack => Some(Beside {
                name: "@slack/bolt",
                script: "bolt.mjs",
                args: vec![format!("{api}/api/"), SECRET.into(), DESK.into()],
                path: "/slack/events",
                does: "checks signatures, posts each message into its person's thread; keeps nothing, knows no message again",
            }),
            Platform::Teams => Some(teams::beside(api)),
        }
    }

    /// What is made once for a run of the bridge beside this server, and goes into every proof; empty: nothing.
    pub(super) fn token(self, api: &str) -> anyhow::Result<String> {
        match self {
            Platform::Telegram | Platform::Slack | Platform::Discord => Ok(String::new()),
            Platform::Teams => teams::token(api),
        }
    }

    /// What proves that a request is the platform's: complete lines with their line ends.
    pub(super) fn proof(self, body: &str, token: &str) -> String {
        match self {
            Platform::Telegram => format!("x-telegram-bot-api-secret-token: {SECRET}\r\n"),
            Platform::Slack => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
                let mark = hex::encode(hmac(SECRET, &format!("v0:{now}:{body}")));
                format!("x-slack-request-timestamp: {now}\r\nx-slack-signature: v0={mark}\r\n")
            }
            Platform::Teams => format!("authorization: Bearer {token}\r\n"),
            // The connection is.
            Platform::Discord => String::new(),
        }
    }

    /// The message with this number from this person, about 1 KB; the same number gives the same bytes.
    pub(super) fn message(self, number: usize, user: usize, text: &str, api: &str) -> String {
        match self {
            Platform::Telegram => format!(
                r#"{{"update_id":{number},"message":{{"message_id":{number},"date":1700000000,"from":{{"id":{user},"is_bot":false,"first_name":"R{user}"}},"chat":{{"id":{user},"type":"private","first_name":"R{user}"}},"text":"{text}"}}}}"#
            ),
            Platform::Slack => event(number, user, &format!("D{user}"), "im", None, text),
            Platform::Teams => teams::message(number, user, text, api),
            Platform::Discord => discord::message(number, user, text),
        }
    }
}

/// What the technician writes in a thread of the desk's channel.
pub(super) fn reply(number: usize, root: &str, text: &str) -> String {
    event(number, 5, DESK, "channel", Some(root), text)
}

fn event(number: usize, user: usize, channel: &str, kind: &str, root: Option<&str>, text: &str) -> String {
    let ts = format!("{}.{:06}", 1_700_000_000 + number / 1_000_000, number % 1_000_000);
    let thread = root.map(|root| format!(r#","thread_ts":"{root}""#)).unwrap_or_default();
    let of = |text: &str| {
        format!(
            r#"{{"token":"bench","team_id":"T1","api_app_id":"A1","event":{{"type":"message","user":"U{user}","text":"{text}","ts":"{ts}"{thread},"channel":"{channel}","event_ts":"{ts}","channel_type":"{kind}","team":"T1","client_msg_id":"00000000-0000-4000-8000-{number:012}"}},"type":"event_callback","event_id":"Ev{number:010}","event_time":1700000000,"authorizations":[{{"enterprise_id":null,"team_id":"T1","user_id":"U1","is_bot":true,"is_enterprise_install":false}}],"is_ext_shared_channel":false,"event_context":"4-bench"}}"#
        )
    };
    let room = EVENT.saturating_sub(of("").len());
    of(text.get(..room).unwrap_or(text))
}

/// HMAC-SHA256 with a key shorter than a block (RFC 2104).
fn hmac(key: &str, text: &str) -> [u8; 32] {
    let padded = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key.bytes()).for_each(|(place, byte)| *place ^= byte);
        block
    };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::{EVENT, Platform, hmac};

    /// RFC 4231, test case 2.
    #[test]
    fn the_signature_is_hmac_sha256() {
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex::encode(hmac("Jefe", "what do ya want for nothing?")), expected);
    }

    #[test]
    fn an_event_has_the_size_of_the_workload() {
        let long = "the printer does not print ".repeat(60);
        let event = Platform::Slack.message(10_000_123, 100_999, &long, "");
        assert_eq!(event.len(), EVENT);
        assert!(serde_json::from_str::<serde_json::Value>(&event).is_ok());
    }
}

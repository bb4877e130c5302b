//! What an answer, or none, means for the caller (platform-contracts §7). Pure.
//!
//! Not here: making calls (`api.rs`).

use std::error::Error;
use std::time::Duration;

use deskbridge_contract::SendError;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::limits::retry_after;

/// Waited after a 429 that does not say how long.
const DEFAULT_WAIT: Duration = Duration::from_secs(5);

/// Discord's own codes that somebody here knows a way round ("Opcodes and Status Codes › JSON").
pub(crate) mod code {
    pub(crate) const UNKNOWN_CHANNEL: u64 = 10003;
    pub(crate) const UNKNOWN_MESSAGE: u64 = 10008;
    pub(crate) const UNKNOWN_EMOJI: u64 = 10014;
    pub(crate) const UNKNOWN_WEBHOOK: u64 = 10015;
    pub(crate) const UNKNOWN_INTERACTION: u64 = 10062;
    pub(crate) const MOST_REACTIONS: u64 = 30010;
    pub(crate) const MOST_OLD_EDITS: u64 = 30046;
    pub(crate) const ACKNOWLEDGED: u64 = 40060;
    pub(crate) const WEBHOOK_TOKEN: u64 = 50027;
    pub(crate) const ARCHIVED: u64 = 50083;
    pub(crate) const REACTION_BLOCKED: u64 = 90001;
    pub(crate) const LOCKED: u64 = 160_005;
}

/// Why a call failed: the class for the caller, and Discord's own code for those who know a way round.
#[derive(Debug)]
pub(crate) struct Fault {
    pub error: SendError,
    /// 0 where Discord said nothing.
    pub code: u64,
}

impl From<Fault> for SendError {
    fn from(fault: Fault) -> Self {
        fault.error
    }
}

impl From<SendError> for Fault {
    fn from(error: SendError) -> Self {
        Fault { error, code: 0 }
    }
}

impl Fault {
    pub(crate) fn is(&self, codes: &[u64]) -> bool {
        codes.contains(&self.code)
    }

    /// As an operation that changes nothing, or not by being done twice: whoever does not know simply asks again.
    pub(crate) fn harmless(self) -> SendError {
        match self.error {
            SendError::Ambiguous { why } => SendError::Retry { after: None, why },
            other => other,
        }
    }
}

/// `bot`: the call carried the bot's token, so that 401 is about it.
pub(super) fn judged(status: u16, headers: &HeaderMap, body: Value, bot: bool) -> Result<Value, Fault> {
    if (200..300).contains(&status) {
        return Ok(body);
    }
    let code = body.get("code").and_then(Value::as_u64).unwrap_or(0);
    let says = body.get("message").is_some_and(Value::is_string) && body.get("code").is_some();
    let why = match words(code) {
        Some(words) => format!("{words} ({code})"),
        None if code > 0 => format!("HTTP {status}, code {code}"),
        None => format!("HTTP {status}"),
    };
    let error = match (status, class(code)) {
        (429, _) => SendError::Retry {
            after: Some(retry_after(headers, Some(&body)).unwrap_or(DEFAULT_WAIT)),
            why: "Discord asks to slow down".into(),
        },
        (500.., _) => SendError::Ambiguous { why },
        (_, Some(class)) => made(class, why),
        (401, _) if bot => SendError::Unauthorized { why: "the bot token is not accepted".into() },
        (413, _) => SendError::Rejected { why, fixable: true },
        // Redirects are not followed, so nothing was carried out.
        (300..=399, _) => SendError::Retry { after: None, why: format!("{why}; check api_base") },
        (403 | 404, _) if says => SendError::Gone { why },
        (403 | 404, _) => {
            SendError::Retry { after: None, why: format!("{why} without an answer of Discord's") }
        }
        _ => SendError::rejected(why),
    };
    Err(Fault { error, code })
}

enum Class {
    Gone,
    Fixable,
    Hopeless,
    Later,
    Unauthorized,
}

fn made(class: Class, why: String) -> SendError {
    match class {
        Class::Gone => SendError::Gone { why },
        Class::Fixable => SendError::Rejected { why, fixable: true },
        Class::Hopeless => SendError::Rejected { why, fixable: false },
        Class::Later => SendError::Retry { after: None, why },
        Class::Unauthorized => SendError::Unauthorized { why },
    }
}

fn class(code: u64) -> Option<Class> {
    Some(match code {
        // This room, or this person.
        10003 | 10004 | 10013 | 50001 | 50007 | 50013 | 20012 | 40007 => Class::Gone,
        // A plainer or shorter form may pass.
        40005 | 50006 | 50035 | 50109 | 50045 | 240_000 => Class::Fixable,
        // Slow mode, overload: it says so itself.
        20016 | 20022 | 20028 | 20029 | 40062 | 130_000 | 40004 => Class::Later,
        40001 | 40002 | 50014 => Class::Unauthorized,
        10008 | 10014 | 10015 | 10062 | 40060 | 50003 | 50005 | 50021 | 50027 | 50083 | 90001 | 160_005
        | 160_006 => Class::Hopeless,
        30_000..=30_999 => Class::Hopeless,
        _ => return None,
    })
}

/// Codes that people have to do something about, in words.
fn words(code: u64) -> Option<&'static str> {
    Some(match code {
        10003 => "the channel does not exist",
        10004 => "the server does not exist, or the bot is not on it",
        10008 => "the message does not exist",
        10013 => "there is no such person",
        10015 => "the webhook was deleted",
        20016 => "slow mode",
        30007 => "the channel has as many webhooks as it can",
        30010 => "the message has as many reactions as it can",
        30033 => "the post has as many members as it can",
        30046 => "old messages were edited too often in the last hour",
        40001 => "the application may not do that",
        40002 => "the bot's account has to be verified",
        40005 => "the request is too large",
        40060 => "the interaction was answered already",
        50001 => "the bot does not see the channel",
        50005 => "the message is somebody else's",
        50006 => "an empty message",
        50007 => "this person takes no direct messages from the bot",
        50013 => "the bot misses a permission here",
        50035 => "Discord refuses the form of it",
        50083 => "the post is archived",
        160_005 => "the post is locked",
        160_006 => "the server has as many open posts as it can",
        _ => return None,
    })
}

/// The innermost cause. Never the error itself: reqwest's would name the address.
pub(crate) fn root(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = "no further reason".to_owned();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text.chars().filter(|c| !c.is_control()).take(160).collect()
}

/// A request that got no answer: what was not connected was not sent; anything later may have been.
pub(crate) fn lost(error: &reqwest::Error, token: &str) -> SendError {
    let what = if error.is_connect() {
        "cannot connect"
    } else if error.is_timeout() {
        "no answer in time"
    } else {
        "connection lost"
    };
    let why = format!("{what}: {}", root(error));
    // A second lock on the same door: whatever a text is made of, the token is not in it.
    let why = if !token.is_empty() && why.contains(token) { why.replace(token, "[token]") } else { why };
    if error.is_connect() || error.is_builder() {
        SendError::Retry { after: None, why }
    } else {
        SendError::Ambiguous { why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn class_of(status: u16, body: Value) -> String {
        let Err(fault) = judged(status, &HeaderMap::new(), body, true) else { return "ok".into() };
        let name = format!("{:?}", fault.error);
        name.split([' ', '{']).next().unwrap_or_default().to_owned()
    }

    /// platform-contracts §7, the column of Discord.
    #[test]
    fn classes_of_answers() {
        let coded = |code: u64| json!({ "code": code, "message": "words of Discord's" });
        for (status, body, expected) in [
            (200, Value::Null, "ok"),
            (204, Value::Null, "ok"),
            (401, json!({ "message": "401: Unauthorized", "code": 0 }), "Unauthorized"),
            (404, coded(10003), "Gone"),
            (403, coded(50001), "Gone"),
            (403, coded(50013), "Gone"),
            (403, coded(50007), "Gone"),
            (400, coded(50035), "Rejected"),
            (413, coded(40005), "Rejected"),
            (400, coded(30046), "Rejected"),
            (429, json!({ "retry_after": 0.5, "global": false }), "Retry"),
            (500, Value::Null, "Ambiguous"),
            (502, Value::Null, "Ambiguous"),
            (404, Value::Null, "Retry"),
            (302, Value::Null, "Retry"),
            (400, coded(99999), "Rejected"),
        ] {
            assert_eq!(class_of(status, body.clone()), expected, "{status} {body}");
        }
    }

    #[test]
    fn nothing_of_the_answer_is_repeated() {
        let body = json!({ "code": 50035, "message": "planted", "errors": { "content": "planted" } });
        let Err(fault) = judged(400, &HeaderMap::new(), body, true) else { panic!("accepted") };
        assert!(!format!("{:?}", fault).contains("planted"));
        assert!(matches!(fault.error, SendError::Rejected { fixable: true, .. }));
    }
}

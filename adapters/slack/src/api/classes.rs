//! What an answer, or none, means for the caller (platform-contracts §7). Pure.
//!
//! Not here: making calls (`api.rs`).

use std::error::Error;
use std::time::Duration;

use deskbridge_contract::SendError;
use serde_json::Value;
use slack_morphism::errors::SlackClientError;

/// Waited after a 429 that does not say how long (node-slack-sdk#1421).
const DEFAULT_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// The scope of every message, as Slack's answers call it.
const WRITING: [&str; 2] = ["chat:write", "chat:write:bot"];

/// Why a call failed: the class for the caller, and Slack's own code for those who know a way round.
#[derive(Debug)]
pub(crate) struct Fault {
    pub error: SendError,
    /// `channel_not_found`; empty where Slack said nothing.
    pub said: String,
    /// Which scope `missing_scope` is about.
    pub scope: Option<String>,
}

impl From<Fault> for SendError {
    fn from(fault: Fault) -> Self {
        fault.error
    }
}

impl From<SendError> for Fault {
    fn from(error: SendError) -> Self {
        Fault { error, said: String::new(), scope: None }
    }
}

impl Fault {
    /// Refused for its form: a plainer one may pass.
    pub(crate) fn is_fixable(&self) -> bool {
        matches!(self.error, SendError::Rejected { fixable: true, .. })
    }

    pub(crate) fn is(&self, codes: &[&str]) -> bool {
        codes.contains(&self.said.as_str())
    }
}

/// The whole answer when it says `"ok": true`. HTTP 200 can still be a failure, and a page that is no JSON at all comes
/// from slack-morphism as an empty object.
pub(super) fn judged(answer: Result<Value, SlackClientError>, token: &str) -> Result<Value, Fault> {
    match answer {
        Ok(answer) if answer.get("ok") == Some(&Value::Bool(true)) => Ok(answer),
        Ok(_) => Err(garbage("an answer without \"ok\"")),
        Err(error) => Err(fault(error, token)),
    }
}

fn fault(error: SlackClientError, token: &str) -> Fault {
    match error {
        SlackClientError::ApiError(refused) => refusal(&refused.code, refused.http_response_body.as_deref()),
        SlackClientError::RateLimitError(slow) => slowed(slow.retry_after),
        SlackClientError::HttpError(odd) => {
            let status = odd.status_code.as_u16();
            match odd.http_response_body.as_deref().and_then(code_in) {
                Some(code) if status < 500 || code == "service_unavailable" => refusal(&code, None),
                _ => foreign(status).into(),
            }
        }
        SlackClientError::ProtocolError(odd) => match odd.json_body.as_deref().and_then(code_in) {
            Some(code) => refusal(&code, odd.json_body.as_deref()),
            None => garbage("an answer of another shape"),
        },
        SlackClientError::HttpProtocolError(broken) => unsent(broken.cause.as_deref().map(|c| c as _), token),
        SlackClientError::SystemError(broken) => {
            let why = redact(token, deepest(broken.cause.as_deref().map(|c| c as _)));
            SendError::Ambiguous { why: format!("connection lost: {why}") }.into()
        }
        SlackClientError::EndOfStream(_) | SlackClientError::SocketModeProtocolError(_) => {
            garbage("half an answer")
        }
    }
}

/// No answer: what was not connected was not sent; anything later may have been.
fn unsent(cause: Option<&(dyn Error + 'static)>, token: &str) -> Fault {
    let why = redact(token, deepest(cause.map(|cause| cause as _)));
    match cause.and_then(|cause| cause.downcast_ref::<hyper_util::client::legacy::Error>()) {
        Some(error) if error.is_connect() => {
            SendError::Retry { after: None, why: format!("cannot connect: {why}") }.into()
        }
        Some(_) => SendError::Ambiguous { why: format!("connection lost: {why}") }.into(),
        // The request could not be made: an address or a header that is none.
        None => SendError::rejected(format!("not a request: {why}")).into(),
    }
}

/// An answer that no Web API wrote: a proxy, a login page, half a body.
fn foreign(status: u16) -> SendError {
    let why = format!("HTTP {status} without a Web API answer");
    match status {
        // Redirects are not followed, so nothing was carried out.
        300..=399 => SendError::Retry { after: None, why: format!("{why}; check api_base") },
        401 | 403 | 404 => SendError::Unauthorized { why: format!("{why}; check the token and api_base") },
        413 => SendError::Rejected { why, fixable: true },
        _ => SendError::Ambiguous { why },
    }
}

fn slowed(told: Option<Duration>) -> Fault {
    let wait = told.unwrap_or(DEFAULT_WAIT).clamp(Duration::from_secs(1), LONGEST_WAIT);
    let error = SendError::Retry { after: Some(wait), why: "Slack asks to slow down".into() };
    Fault { error, said: "ratelimited".into(), scope: None }
}

/// `ok: false`: surely not carried out, but for the two codes that say so themselves.
fn refusal(code: &str, body: Option<&str>) -> Fault {
    let code = plain(code);
    let scope = needed(body).filter(|_| code == "missing_scope");
    let why = match &scope {
        Some(scope) => format!("{code}: the app needs {scope}"),
        None => code.clone(),
    };
    let class = match &scope {
        // Nothing at all can be sent: as good as no token.
        Some(scope) if WRITING.contains(&scope.as_str()) => Class::Unauthorized,
        _ => class(&code),
    };
    let error = match class {
        Class::Unauthorized => SendError::Unauthorized { why },
        Class::Gone => SendError::Gone { why },
        Class::ThreadGone => SendError::ThreadGone { why },
        Class::Slow => return Fault { said: code, scope: None, ..slowed(None) },
        Class::Later => SendError::Retry { after: None, why },
        Class::Unknown => SendError::Ambiguous { why },
        Class::Fixable => SendError::Rejected { why, fixable: true },
        Class::Hopeless => SendError::Rejected { why, fixable: false },
    };
    Fault { error, said: code, scope }
}

enum Class {
    Unauthorized,
    Gone,
    ThreadGone,
    /// With a time to wait.
    Slow,
    Later,
    Unknown,
    Fixable,
    Hopeless,
}

fn class(code: &str) -> Class {
    match code {
        // The token: the same for everything that is sent. A scope that is missing is missing for some operations only,
        // and each of these says so.
        "invalid_auth"
        | "not_authed"
        | "token_revoked"
        | "token_expired"
        | "account_inactive"
        | "not_allowed_token_type"
        | "org_login_required"
        | "team_access_not_granted"
        | "two_factor_setup_required"
        | "accesslimited"
        | "invalid_refresh_token"
        | "bad_client_secret"
        | "invalid_client_id" => Class::Unauthorized,
        // This room, or this person.
        "channel_not_found"
        | "is_archived"
        | "not_in_channel"
        | "user_not_found"
        | "users_not_found"
        | "cannot_dm_bot"
        | "user_disabled"
        | "user_not_in_channel"
        | "user_not_visible"
        | "user_is_bot"
        | "messages_tab_disabled"
        | "no_permission"
        | "access_denied"
        | "ekm_access_denied"
        | "restricted_action"
        | "restricted_action_read_only_channel"
        | "restricted_action_thread_only_channel"
        | "restricted_action_non_threadable_channel"
        | "channel_type_not_supported"
        | "team_not_found"
        | "channel_is_limited_access" => Class::Gone,
        "thread_not_found"
        | "cannot_reply_to_message"
        | "restricted_action_thread_locked"
        | "thread_locked" => Class::ThreadGone,
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => Class::Slow,
        "service_unavailable" | "team_added_to_org" | "request_timeout" => Class::Later,
        // "It's possible some aspect of the operation succeeded before the error was raised."
        "internal_error" | "fatal_error" => Class::Unknown,
        "msg_too_long"
        | "msg_blocks_too_long"
        | "invalid_blocks"
        | "invalid_blocks_format"
        | "no_text"
        | "too_many_attachments"
        | "invalid_arguments"
        | "invalid_attachments"
        | "markdown_text_conflict" => Class::Fixable,
        _ => Class::Hopeless,
    }
}

fn garbage(what: &str) -> Fault {
    SendError::Ambiguous { why: format!("Slack sent {what}") }.into()
}

/// Codes are words of `[a-z0-9_]`; whatever else a server writes there is not repeated (C9).
fn plain(code: &str) -> String {
    let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !code.is_empty() && code.len() <= 64 && code.chars().all(sound) {
        code.to_owned()
    } else {
        "an unknown error".to_owned()
    }
}

fn code_in(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    if body.get("ok") != Some(&Value::Bool(false)) {
        return None;
    }
    Some(body.get("error")?.as_str()?.to_owned())
}

fn needed(body: Option<&str>) -> Option<String> {
    let body: Value = serde_json::from_str(body?).ok()?;
    let scopes = body.get("needed")?.as_str()?;
    let sound = |c: char| c.is_ascii_lowercase() || "_:.,".contains(c);
    Some(scopes.chars().take(120).filter(|c| sound(*c)).collect())
}

/// The innermost cause. Never the error itself: reqwest's would name the address.
pub(crate) fn root(error: &reqwest::Error) -> String {
    deepest(error.source())
}

fn deepest(cause: Option<&dyn Error>) -> String {
    let mut cause = cause;
    let mut text = "no further reason".to_owned();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text.chars().filter(|c| !c.is_control()).take(160).collect()
}

/// A second lock on the same door: whatever a text is made of, the token is not in it.
fn redact(token: &str, text: String) -> String {
    if !token.is_empty() && text.contains(token) { text.replace(token, "[token]") } else { text }
}

/// A request by reqwest that got no answer.
pub(crate) fn lost(error: &reqwest::Error, token: &str) -> SendError {
    let what = if error.is_connect() {
        "cannot connect"
    } else if error.is_timeout() {
        "no answer in time"
    } else {
        "connection lost"
    };
    let why = redact(token, format!("{what}: {}", root(error)));
    if error.is_connect() || error.is_builder() {
        SendError::Retry { after: None, why }
    } else {
        SendError::Ambiguous { why }
    }
}

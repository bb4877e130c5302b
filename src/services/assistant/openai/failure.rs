//! What went wrong with one attempt, and whether and when another one makes sense.
//!
//! Not here: waiting (`call.rs`), counting (`breaker.rs`).

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::settings::Patience;

/// Characters of a server's own words in a log.
const WORDS: usize = 200;

/// One attempt's failure. `why` is for logs: the server's error message, never text of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) why: String,
    /// Another attempt may help, if nothing was shown yet.
    pub(super) retry: bool,
    /// The server's own word on when.
    pub(super) after: Option<Duration>,
    /// Counts against the model. A refusal of one odd request does not.
    pub(super) model: bool,
    /// The server cannot do tools with this model.
    pub(super) tools: bool,
}

impl Failure {
    /// The model's fault, and trying again at once would not help.
    pub(super) fn last(why: impl Into<String>) -> Self {
        Failure { why: why.into(), retry: false, after: None, model: true, tools: false }
    }

    /// The way to the server is broken.
    pub(super) fn connection(why: impl Into<String>) -> Self {
        Failure { retry: true, ..Failure::last(why) }
    }

    /// Ours or the requester's: nothing is wrong with the model.
    pub(super) fn ours(why: impl Into<String>) -> Self {
        Failure { model: false, ..Failure::last(why) }
    }

    /// An answer with another status than 2xx.
    pub(super) fn status(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let error = ServerError::read(body);
        let has_no_quota = error.codes.iter().any(|code| code == "insufficient_quota");
        let usual = matches!(status, 408 | 409 | 429) || status >= 500;
        let retry = match header(headers, "x-should-retry") {
            _ if has_no_quota => false,
            Some("true") => true,
            Some("false") => false,
            _ => usual,
        };
        Failure {
            why: format!("HTTP {status}{}", error.said()),
            retry,
            after: retry_after(headers),
            model: status != 400 && status != 413 && status != 422,
            tools: (status == 400 || status == 422) && error.message.to_lowercase().contains("tool"),
        }
    }

    /// Status 200 and an error inside, as some servers do.
    pub(super) fn inside(error: &Value) -> Self {
        let error = ServerError::of(error);
        // OpenRouter and others repeat the status of the server behind them.
        let status = error.codes.iter().find_map(|code| code.parse::<u16>().ok()).unwrap_or(0);
        let retry = matches!(status, 408 | 409 | 429) || (500..600).contains(&status);
        Failure { retry, ..Failure::last(format!("error in the answer{}", error.said())) }
    }

    /// How long to wait before attempt `next` (the first retry is 1); `None` when there is none. `jitter`: 0..1.
    pub(super) fn wait(&self, next: u32, patience: &Patience, jitter: f32) -> Option<Duration> {
        if !self.retry || next > patience.retries {
            return None;
        }
        let doubled = patience.backoff.saturating_mul(2_u32.saturating_pow(next.saturating_sub(1)));
        let usual = doubled.min(patience.max_backoff).mul_f32(1.0 - 0.25 * jitter.clamp(0.0, 1.0));
        Some(self.after.map_or(usual, |after| after.min(patience.max_retry_after)))
    }
}

/// An error object, however it looks.
#[derive(Debug, Default)]
struct ServerError {
    message: String,
    codes: Vec<String>,
}

impl ServerError {
    fn read(body: &[u8]) -> Self {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        ServerError::of(value.get("error").unwrap_or(&value))
    }

    fn of(error: &Value) -> Self {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let message = error.get("message").and_then(&text).or_else(|| text(error)).unwrap_or_default();
        let codes =
            ["code", "type", "status"].iter().filter_map(|key| error.get(*key).and_then(&text)).collect();
        ServerError { message, codes }
    }

    fn said(&self) -> String {
        let line: String = self.message.split_whitespace().collect::<Vec<_>>().join(" ");
        let code = self.codes.first().map(|code| format!(" ({code})")).unwrap_or_default();
        let said = format!("{line}{code}");
        let said: String = said.trim().chars().filter(|c| !c.is_control()).take(WORDS).collect();
        if said.is_empty() { said } else { format!(": {said}") }
    }
}

pub(super) fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// `retry-after-ms`, else `retry-after` in seconds or as a date. A date needs the wall clock; only the difference counts.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| {
        header(headers, name)?.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0)
    };
    if let Some(ms) = number("retry-after-ms") {
        return Duration::try_from_secs_f64(ms / 1_000.0).ok();
    }
    if let Some(seconds) = number("retry-after") {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::parse(header(headers, "retry-after")?).ok()?;
    let left = date.timestamp().duration_since(jiff::Timestamp::now());
    Some(Duration::try_from(left).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (reqwest::header::HeaderName::from_static(name), reqwest::header::HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    fn retries(status: u16, pairs: &[(&'static str, &'static str)], body: &str) -> bool {
        Failure::status(status, &headers(pairs), body.as_bytes()).retry
    }

    #[test]
    fn what_is_tried_again() {
        for status in [408, 409, 429, 500, 502, 503, 504, 529] {
            assert!(retries(status, &[], ""), "{status}");
            assert!(!retries(status, &[("x-should-retry", "false")], ""), "{status}");
        }
        for status in [301, 400, 401, 403, 404, 413, 422] {
            assert!(!retries(status, &[], ""), "{status}");
        }
        assert!(retries(400, &[("x-should-retry", "true")], ""));
        let quota = r#"{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}"#;
        assert!(!retries(429, &[("x-should-retry", "true")], quota));
    }

    #[test]
    fn the_server_says_when() {
        let after = |pairs: &[(&'static str, &'static str)]| Failure::status(429, &headers(pairs), b"").after;
        assert_eq!(
            after(&[("retry-after-ms", "250"), ("retry-after", "9")]),
            Some(Duration::from_millis(250))
        );
        assert_eq!(after(&[("retry-after", "2.5")]), Some(Duration::from_millis(2_500)));
        assert_eq!(after(&[("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")]), Some(Duration::ZERO));
        for odd in ["-1", "NaN", "inf", "soon", "1e999"] {
            assert_eq!(after(&[("retry-after", odd)]), None, "{odd}");
        }
    }

    #[test]
    fn waits_double_with_jitter_and_obey_up_to_a_limit() {
        let patience = Patience { retries: 9, ..Patience::default() };
        let failure = Failure::connection("refused");
        let waits: Vec<u128> =
            (1..=6).filter_map(|n| failure.wait(n, &patience, 0.0)).map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 8_000]);
        assert_eq!(failure.wait(1, &patience, 1.0), Some(Duration::from_millis(375)));
        let told = Failure { after: Some(Duration::from_secs(999)), ..failure.clone() };
        assert_eq!(told.wait(1, &patience, 0.0), Some(Duration::from_secs(120)));
        assert_eq!(failure.wait(3, &Patience::default(), 0.0), None);
        assert_eq!(Failure::last("x").wait(1, &patience, 0.0), None);
    }

    #[test]
    fn errors_are_read_in_any_shape() {
        for (body, expected) in [
            (
                r#"{"error":{"message":"no such model","code":"model_not_found"}}"#,
                "HTTP 404: no such model (model_not_found)",
            ),
            (r#"{"error":"plain words"}"#, "HTTP 404: plain words"),
            (r#"{"message":"top","code":7}"#, "HTTP 404: top (7)"),
            ("<html>", "HTTP 404"),
            ("", "HTTP 404"),
        ] {
            assert_eq!(Failure::status(404, &HeaderMap::new(), body.as_bytes()).why, expected);
        }
        assert!(Failure::inside(&serde_json::json!({ "code": 502, "message": "bad gateway" })).retry);
        assert!(!Failure::inside(&serde_json::json!("broken")).retry);
    }
}

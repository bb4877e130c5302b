//! One call to the Bot API: teloxide-core's payloads over our own HTTP, and what an answer means for the caller.
//!
//! Not here: what is sent and why. teloxide-core's own client is not used because it sleeps 10 s on every 5xx, hides the
//! HTTP status, and parses the whole answer strictly, so that a message that was sent could look like one that was not.

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use deskbridge_contract::{Address, ByteStream, ChannelName, SendError, Timestamp};
use futures_util::StreamExt as _;
use reqwest::multipart::Form;
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use teloxide_core::requests::Payload;

use crate::config::Config;
use crate::{Clock, ConfigError};

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER_CAP: usize = 1 << 20;
/// A hundred updates, each with the longest text and the longest quoted message.
const UPDATES_CAP: usize = 16 << 20;
/// Slowest upload or download that is waited for, in bytes per second.
const SLOWEST: u64 = 64 << 10;
/// Waited after a 429 that does not say how long.
const DEFAULT_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// Largest file that "getFile" gives out.
pub(crate) const MAX_DOWNLOAD: u64 = 20 << 20;

/// Why a call failed: the class for the caller, and Telegram's words in lower case for those who know a way round.
#[derive(Debug)]
pub(crate) struct Fault {
    pub error: SendError,
    pub said: String,
}

impl From<Fault> for SendError {
    fn from(fault: Fault) -> Self {
        fault.error
    }
}

impl From<SendError> for Fault {
    fn from(error: SendError) -> Self {
        Fault { error, said: String::new() }
    }
}

impl Fault {
    pub(crate) fn said(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.said.contains(word))
    }
}

pub(crate) struct Api {
    http: reqwest::Client,
    base: Url,
    token: SecretString,
    channel: ChannelName,
    clock: Clock,
    patience: Duration,
}

impl Api {
    pub(crate) fn new(channel: ChannelName, config: &Config, clock: Clock) -> Result<Self, ConfigError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // `main` installs it first; a library user who did not must not meet a panic. Losing the race is fine.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent(concat!("deskbridge/", env!("CARGO_PKG_VERSION")))
            // The URL holds the token: it is never followed elsewhere nor named as a referrer.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false);
        let host = config.api_base.host_str().unwrap_or_default();
        if host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| ConfigError(root(&error)))?;
        Ok(Api {
            http,
            base: config.api_base.clone(),
            token: config.token.clone(),
            channel,
            clock,
            patience: config.call_timeout,
        })
    }

    /// Calls a method with a typed payload.
    pub(crate) async fn call<P, T>(&self, payload: &P) -> Result<T, Fault>
    where
        P: Payload + Serialize,
        T: DeserializeOwned,
    {
        // teloxide-core names some methods twice, for messages in chats and for inline ones.
        let request = self.http.post(self.method(P::NAME.trim_end_matches("Inline"))).json(payload);
        self.perform(request.timeout(self.patience), ANSWER_CAP).await
    }

    /// A long poll: the answer may take as long as the payload says and be large.
    pub(crate) async fn poll<P: Payload + Serialize>(
        &self,
        payload: &P,
    ) -> Result<Vec<Box<RawValue>>, Fault> {
        let wait = payload.timeout_hint().unwrap_or_default() + Duration::from_secs(10);
        self.perform(self.http.post(self.method(P::NAME)).json(payload).timeout(wait), UPDATES_CAP).await
    }

    /// Calls a method with files; `size` is what will be written, in bytes.
    pub(crate) async fn upload<T: DeserializeOwned>(
        &self,
        method: &str,
        form: Form,
        size: u64,
    ) -> Result<T, Fault> {
        let wait = self.patience + Duration::from_secs(size / SLOWEST);
        self.perform(self.http.post(self.method(method)).multipart(form).timeout(wait), ANSWER_CAP).await
    }

    /// The bytes of a file. Its address holds the token, so it never leaves this function.
    pub(crate) async fn download(&self, path: &str) -> Result<ByteStream, Fault> {
        let mut url = self.base.clone();
        let sound = !path.is_empty() && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        match url.path_segments_mut() {
            Ok(mut segments) if sound => {
                segments.pop_if_empty().push("file").push(&format!("bot{}", self.token.expose_secret()));
                segments.extend(path.split('/'));
            }
            _ => return Err(SendError::rejected("Telegram named no file that can be fetched").into()),
        }
        let wait = self.patience + Duration::from_secs(MAX_DOWNLOAD / SLOWEST);
        let response = self.http.get(url).timeout(wait).send().await.map_err(|error| self.unsent(&error))?;
        if response.status() != StatusCode::OK {
            return Err(self
                .answer::<Value>(response, ANSWER_CAP)
                .await
                .err()
                .unwrap_or_else(|| garbage("a file")));
        }
        let mut total = 0;
        let token = self.token.clone();
        let bytes = response.bytes_stream().map(move |chunk| {
            let chunk = chunk.map_err(|error| retry(redact(&token, root(&error))))?;
            total += chunk.len() as u64;
            if total > MAX_DOWNLOAD {
                return Err(SendError::rejected("the file is larger than Telegram said"));
            }
            Ok(chunk)
        });
        Ok(Box::pin(bytes))
    }

    fn method(&self, name: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(&format!("bot{}", self.token.expose_secret())).push(name);
        }
        url
    }

    async fn perform<T: DeserializeOwned>(&self, request: RequestBuilder, cap: usize) -> Result<T, Fault> {
        let response = request.send().await.map_err(|error| self.unsent(&error))?;
        self.answer(response, cap).await
    }

    /// No answer: what was not connected was not sent; anything later may have been.
    fn unsent(&self, error: &reqwest::Error) -> Fault {
        let what = if error.is_connect() {
            "cannot connect"
        } else if error.is_timeout() {
            "no answer in time"
        } else {
            "connection lost"
        };
        let why = redact(&self.token, format!("{what}: {}", root(error)));
        if error.is_connect() || error.is_builder() {
            retry(why).into()
        } else {
            SendError::Ambiguous { why }.into()
        }
    }

    async fn answer<T: DeserializeOwned>(&self, mut response: Response, cap: usize) -> Result<T, Fault> {
        let status = response.status().as_u16();
        let wait =
            response.headers().get("retry-after").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        let cut = loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= cap => body.extend_from_slice(&chunk),
                Ok(Some(_)) => break Some("answer too long".to_owned()),
                Ok(None) => break None,
                Err(error) => break Some(redact(&self.token, root(&error))),
            }
        };
        let answer =
            Answer { status, retry_after: wait.as_deref(), cut: cut.is_some(), body: &Bytes::from(body) };
        let fault = match answer.judge((self.clock)()) {
            Ok(result) => {
                return serde_json::from_str(&result).map_err(|_| garbage("an answer of another shape"));
            }
            Err(fault) => fault,
        };
        let Fault { error, said } = fault;
        Err(match (error, cut) {
            (SendError::Ambiguous { .. }, Some(why)) => Fault { error: SendError::Ambiguous { why }, said },
            (SendError::Moved { to }, _) => {
                SendError::Moved { to: Address { channel: self.channel.clone(), ..to } }.into()
            }
            (error, _) => Fault { error: redacted(&self.token, error), said },
        })
    }
}

fn retry(why: String) -> SendError {
    SendError::Retry { after: None, why }
}

fn garbage(what: &str) -> Fault {
    SendError::Ambiguous { why: format!("Telegram sent {what}") }.into()
}

/// The innermost cause. Never the error itself: that would name the URL, and with it the token.
fn root(error: &reqwest::Error) -> String {
    let mut cause: Option<&dyn std::error::Error> = error.source();
    let mut text = "no further reason".to_owned();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}

/// A second lock on the same door: whatever a text is made of, the token is not in it.
fn redact(token: &SecretString, text: String) -> String {
    let secret = token.expose_secret();
    let key = secret.split_once(':').map_or(secret, |(_, key)| key);
    if text.contains(key) { text.replace(secret, "[token]").replace(key, "[token]") } else { text }
}

fn redacted(token: &SecretString, error: SendError) -> SendError {
    match error {
        SendError::Retry { after, why } => SendError::Retry { after, why: redact(token, why) },
        SendError::Rejected { why, fixable } => SendError::Rejected { why: redact(token, why), fixable },
        SendError::Unauthorized { why } => SendError::Unauthorized { why: redact(token, why) },
        SendError::Gone { why } => SendError::Gone { why: redact(token, why) },
        SendError::ThreadGone { why } => SendError::ThreadGone { why: redact(token, why) },
        SendError::Ambiguous { why } => SendError::Ambiguous { why: redact(token, why) },
        moved @ SendError::Moved { .. } => moved,
    }
}

/// An HTTP answer as it came.
pub(crate) struct Answer<'a> {
    pub status: u16,
    pub retry_after: Option<&'a str>,
    /// The body ended early or was too long.
    pub cut: bool,
    pub body: &'a [u8],
}

/// What every answer of the Bot API looks like ("Making requests", "ResponseParameters").
#[derive(Deserialize)]
struct Envelope {
    ok: bool,
    result: Option<Box<RawValue>>,
    error_code: Option<u16>,
    description: Option<String>,
    parameters: Option<Value>,
}

impl Answer<'_> {
    /// The result as JSON text, or the class of the failure (platform-contracts §7).
    pub(crate) fn judge(&self, now: Timestamp) -> Result<String, Fault> {
        let text = String::from_utf8_lossy(self.body);
        let envelope = if self.cut { None } else { serde_json::from_str::<Envelope>(&text).ok() };
        match envelope {
            Some(Envelope { ok: true, result: Some(result), .. }) if (200..300).contains(&self.status) => {
                Ok(result.get().to_owned())
            }
            Some(envelope) if !envelope.ok => Err(self.refusal(&envelope, now)),
            _ => Err(self.foreign(now).into()),
        }
    }

    /// An answer that no Bot API server wrote: a proxy, a login page, half a body.
    fn foreign(&self, now: Timestamp) -> SendError {
        let why = format!("HTTP {} without a Bot API answer", self.status);
        match self.status {
            // Redirects are not followed, so nothing was carried out.
            300..=399 => SendError::Retry { after: None, why: format!("{why}; check api_base") },
            401 | 404 => SendError::Unauthorized { why: format!("{why}; check token and api_base") },
            413 => SendError::rejected(why),
            429 => SendError::Retry { after: Some(self.wait(None, now)), why },
            _ => SendError::Ambiguous { why },
        }
    }

    fn refusal(&self, envelope: &Envelope, now: Timestamp) -> Fault {
        let parameters = envelope.parameters.as_ref();
        let said = envelope.description.as_deref().unwrap_or_default().to_lowercase();
        let code = envelope.error_code.unwrap_or(self.status);
        let why = shorten(envelope.description.as_deref().unwrap_or("no reason given"), code);
        let moved = parameters.and_then(|p| p.get("migrate_to_chat_id")).and_then(Value::as_i64);
        let error = match code {
            _ if moved.is_some() => {
                let to = Address::room(&ChannelName::new(""), moved.unwrap_or_default().to_string());
                SendError::Moved { to }
            }
            429 => {
                let told = parameters.and_then(|p| p.get("retry_after"));
                SendError::Retry { after: Some(self.wait(told, now)), why }
            }
            404 if said.contains("method not found") => SendError::rejected(why),
            401 | 404 => SendError::Unauthorized { why },
            403 => SendError::Gone { why },
            409 => SendError::Retry { after: None, why },
            413 => SendError::rejected(why),
            400 => bad_request(&said, why),
            _ => SendError::Ambiguous { why },
        };
        Fault { error, said }
    }

    /// Never earlier than told by either the answer or its header, and at most an hour (F11).
    fn wait(&self, told: Option<&Value>, now: Timestamp) -> Duration {
        let told = told.and_then(|value| value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()));
        let header = self.retry_after.and_then(|text| header_wait(text.trim(), now));
        let usable = |seconds: &f64| seconds.is_finite() && *seconds >= 0.0;
        match [told, header].into_iter().flatten().filter(usable).reduce(f64::max) {
            Some(seconds) => Duration::from_secs_f64(seconds.ceil().clamp(1.0, LONGEST_WAIT.as_secs_f64())),
            None => DEFAULT_WAIT,
        }
    }
}

/// `Retry-After`: seconds, or a date.
fn header_wait(text: &str, now: Timestamp) -> Option<f64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let until = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Timestamp::from_seconds(until.as_second()).since(now).as_secs_f64())
}

/// HTTP 400 was surely not carried out; what helps depends on the reason.
fn bad_request(said: &str, why: String) -> SendError {
    let any = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if any(&[
        "chat not found",
        "user not found",
        "peer_id_invalid",
        "group chat was deleted",
        "user is deactivated",
    ]) {
        return SendError::Gone { why };
    }
    if any(&["thread not found", "topic_deleted", "topic_id_invalid", "topic not found"]) {
        return SendError::ThreadGone { why };
    }
    // A plainer form of the same content would meet the same refusal.
    let hopeless = any(&[
        "message to edit not found",
        "message to delete not found",
        "message to react not found",
        "message can't be edited",
        "message can't be deleted",
        "message_id_invalid",
        "not enough rights",
        "have no rights",
        "need administrator rights",
        "chat_admin_required",
        "chat_write_forbidden",
        "topic_closed",
        "not a forum",
        "query is too old",
        "file is too big",
        "wrong file_id",
        "invalid file_id",
    ]);
    SendError::Rejected { why, fixable: !hopeless }
}

/// Telegram's reason without what follows a second colon, where parse errors quote the message (C9).
fn shorten(description: &str, code: u16) -> String {
    let mut parts = description.splitn(3, ':');
    let text: String = [parts.next(), parts.next()].into_iter().flatten().collect::<Vec<_>>().join(":");
    let text: String = text.chars().filter(|c| !c.is_control()).take(120).collect();
    format!("{code} {text}")
}

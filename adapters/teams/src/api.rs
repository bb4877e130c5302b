//! One call to the Connector: address, bot's token, and what an answer means for the caller.
//!
//! Not here: what is sent and why. Nothing is tried again here, but once with a new token (platform-contracts §7).

use std::error::Error as _;
use std::time::Duration;

use deskbridge_contract::{ByteStream, SendError};
use futures_util::StreamExt as _;
use reqwest::{Method, RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use crate::config::Config;
use crate::tokens::Tokens;
use crate::{Clock, ConfigError};

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER_CAP: usize = 1 << 20;
/// Waited after a 429 or 412 that does not say how long.
const DEFAULT_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// Largest file that is read from the platform.
pub(crate) const MAX_DOWNLOAD: u64 = 100 << 20;
/// Slowest download that is waited for, in bytes per second.
const SLOWEST: u64 = 64 << 10;

/// What a call is about: by it, and by the code, a refusal means one thing or another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// Something new in a conversation.
    Place,
    /// Something new in the thread of a desk, or its root card: what is not found is the thread.
    DeskThread,
    /// A message that is there already: what is not found is the message, and not the people.
    Message,
}

/// How the refusal begins of what is about a message that is not there any more.
pub(crate) const NOT_THERE: &str = "the message is not there any more";
/// Refusals of the place itself, whatever was to be done in it ("Status codes from bot conversational APIs").
const SHUT: [&str; 5] = [
    "BotNotInConversationRoster",
    "ConversationBlockedByUser",
    "BotDisabledByAdmin",
    "ForbiddenOperationException",
    "NotEnoughPermissions",
];

/// What is not there, by Teams' own words: a thread that is no longer available (msteams-docs#1697), or its root. A 404 of no
/// such code came from in between, or from a server that does not have the conversation, and says nothing of the place
/// (BotFramework-Services#349).
const LOST: [&str; 2] = ["ConversationNotFound", "ActivityNotFoundInConversation"];

pub(crate) struct Api {
    pub(crate) config: Config,
    http: reqwest::Client,
    tokens: Tokens,
}

impl Api {
    pub(crate) fn new(config: Config, clock: Clock) -> Result<Self, ConfigError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // `main` installs it first; a library user who did not must not meet a panic. Losing the race is fine.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent(concat!("deskbridge/", env!("CARGO_PKG_VERSION")))
            // A redirect would take the token elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false);
        if crate::config::is_loopback(&config.service_url) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| ConfigError(root(&error)))?;
        let tokens = Tokens::new(config.clone(), http.clone(), clock);
        Ok(Api { config, http, tokens })
    }

    /// Calls the Connector with the bot's token; a refused token is renewed once.
    pub(crate) async fn call(
        &self,
        method: Method,
        url: Url,
        body: Option<&Value>,
    ) -> Result<Value, SendError> {
        self.call_about(About::Place, method, url, body).await
    }

    pub(crate) async fn call_about(
        &self,
        about: About,
        method: Method,
        url: Url,
        body: Option<&Value>,
    ) -> Result<Value, SendError> {
        let response = self.authorized(method, &url, body, self.config.call_timeout).await?;
        answer(response, about).await
    }

    /// The bytes of a file; `token`: with the bot's token, which goes to trusted hosts only.
    pub(crate) async fn download(&self, url: &Url, token: bool) -> Result<ByteStream, SendError> {
        let wait = self.config.call_timeout + Duration::from_secs(MAX_DOWNLOAD / SLOWEST);
        let response = if token {
            self.authorized(Method::GET, url, None, wait).await?
        } else {
            self.http.get(url.clone()).timeout(wait).send().await.map_err(|error| unsent(&error))?
        };
        if !response.status().is_success() {
            return Err(answer(response, About::Place)
                .await
                .err()
                .unwrap_or_else(|| SendError::rejected("no file")));
        }
        let mut total = 0;
        let bytes = response.bytes_stream().map(move |chunk| {
            let chunk = chunk.map_err(|error| retry(None, root(&error)))?;
            total += chunk.len() as u64;
            if total > MAX_DOWNLOAD {
                return Err(SendError::rejected("the file is too large"));
            }
            Ok(chunk)
        });
        Ok(Box::pin(bytes))
    }

    /// How an address of our own answers an event without a token: its status.
    pub(crate) async fn knock(&self, url: &Url) -> Result<u16, SendError> {
        let asked =
            self.http.post(url.clone()).timeout(self.config.call_timeout).json(&serde_json::json!({}));
        let answer = asked.send().await.map_err(|error| unsent(&error))?;
        Ok(answer.status().as_u16())
    }

    /// A public document, such as the set of keys.
    pub(crate) async fn get_public(&self, url: &Url) -> Result<Value, SendError> {
        let request = self.http.get(url.clone()).timeout(self.config.call_timeout);
        answer(request.send().await.map_err(|error| unsent(&error))?, About::Place).await
    }

    async fn authorized(
        &self,
        method: Method,
        url: &Url,
        body: Option<&Value>,
        wait: Duration,
    ) -> Result<Response, SendError> {
        if !self.config.trusts(url) {
            return Err(SendError::rejected(
                "not a service address of Teams: the bot's token is not sent there",
            ));
        }
        let request = |token: &SecretString| -> RequestBuilder {
            let request = self.http.request(method.clone(), url.clone()).bearer_auth(token.expose_secret());
            let request = request.timeout(wait);
            match body {
                Some(body) => request.json(body),
                None => request,
            }
        };
        let token = self.token(None).await?;
        let response = request(&token).send().await.map_err(|error| unsent(&error))?;
        if response.status().as_u16() != 401 {
            return Ok(response);
        }
        let token = self.token(Some(&token)).await?;
        request(&token).send().await.map_err(|error| unsent(&error))
    }

    /// An address of Microsoft Graph.
    pub(crate) fn graph(&self, path: &[&str]) -> Result<Url, SendError> {
        let mut url = self.config.graph_url.clone();
        match url.path_segments_mut() {
            Ok(mut segments) => drop(segments.pop_if_empty().extend(path)),
            Err(()) => return Err(SendError::rejected("graph_url cannot be used")),
        }
        Ok(url)
    }

    /// Reads from Graph with a token of its own, made for this: only `doctor` asks.
    pub(crate) async fn ask_graph(&self, url: Url) -> Result<Value, SendError> {
        let scope = format!("{}/.default", self.config.graph_url.origin().ascii_serialization());
        let token = self.tokens.other(&scope).await?;
        let request = self.http.get(url).bearer_auth(token.expose_secret()).timeout(self.config.call_timeout);
        answer(request.send().await.map_err(|error| unsent(&error))?, About::Place).await
    }

    /// The bot's token; another than `refused`.
    pub(crate) async fn token(&self, refused: Option<&SecretString>) -> Result<SecretString, SendError> {
        self.tokens.get(refused).await
    }
}

/// Whether something new in a place was answered with a 404 that says nothing of the place: it may be taken a moment later.
pub(crate) fn is_astray(error: &SendError) -> bool {
    let SendError::Rejected { why, .. } = error else { return false };
    ["HTTP 404", "HTTP 410"].iter().any(|status| why.starts_with(status))
}

pub(crate) fn retry(after: Option<Duration>, why: String) -> SendError {
    SendError::Retry { after, why }
}

/// No answer: what was not connected was not sent; anything later may have been.
pub(crate) fn unsent(error: &reqwest::Error) -> SendError {
    if error.is_connect() || error.is_builder() {
        return retry(None, format!("cannot connect: {}", root(error)));
    }
    let what = if error.is_timeout() { "no answer in time" } else { "connection lost" };
    SendError::Ambiguous { why: format!("{what}: {}", root(error)) }
}

/// The innermost cause: the outer ones quote the URL, which names an address.
pub(crate) fn root(error: &reqwest::Error) -> String {
    let mut cause: Option<&dyn std::error::Error> = error.source();
    let mut words = String::from("no details");
    while let Some(inner) = cause {
        words = inner.to_string();
        cause = inner.source();
    }
    words
}

pub(crate) async fn answer(mut response: Response, about: About) -> Result<Value, SendError> {
    let status = response.status().as_u16();
    let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let wait = wait.and_then(|text| text.trim().parse::<u64>().ok()).map(Duration::from_secs);
    let mut body = Vec::new();
    let cut = loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_CAP => body.extend_from_slice(&chunk),
            Ok(Some(_)) => break Some("answer too long".to_owned()),
            Ok(None) => break None,
            Err(error) => break Some(root(&error)),
        }
    };
    if (200..300).contains(&status) {
        // The Connector answers a deletion with nothing.
        return match (cut, body.is_empty()) {
            (None, true) => Ok(Value::Null),
            (None, false) => serde_json::from_slice(&body)
                .map_err(|_| SendError::Ambiguous { why: "the answer is not JSON".into() }),
            (Some(why), _) => Err(SendError::Ambiguous { why }),
        };
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let code = body.pointer("/error/code").and_then(Value::as_str).unwrap_or_default();
    Err(class(status, wait, code, about))
}

/// What a refusal means (platform-contracts §2.3 and §7). Only the code is quoted: their words may quote ours.
pub(crate) fn class(status: u16, wait: Option<Duration>, code: &str, about: About) -> SendError {
    let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
    let why = if code.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status} {code}") };
    match status {
        // 412 is a lock on their side that was not had in time: nothing was done.
        412 | 429 => retry(Some(wait.unwrap_or(DEFAULT_WAIT).min(LONGEST_WAIT)), why),
        401 => SendError::Unauthorized { why },
        // To change what somebody deleted is 404, or 403 with no word of the place (BotFramework-Services#269); and a change
        // is told "ConversationNotFound" now and then where the next post arrives (msteams-docs#9425).
        403 if about == About::Message && !SHUT.contains(&code.as_str()) => {
            SendError::Rejected { why, fixable: false }
        }
        404 | 410 if about == About::Message => {
            SendError::Rejected { why: format!("{NOT_THERE}: {why}"), fixable: false }
        }
        404 | 410 if !LOST.contains(&code.as_str()) => SendError::Rejected { why, fixable: false },
        // Where the whole channel is gone, the thread cannot be opened again, and that is told as such (D22).
        404 | 410 if about == About::DeskThread => SendError::ThreadGone { why },
        403 | 404 | 410 => SendError::Gone { why },
        413 => SendError::Rejected { why, fixable: true },
        400 => {
            let form = [
                "BadSyntax",
                "BadArgument",
                "MessageSizeTooBig",
                "ActivityMalformed",
                "InvalidBotApiRequest",
            ];
            SendError::Rejected { fixable: form.contains(&code.as_str()), why }
        }
        // 502 and 504 may follow a message that was delivered: never sent again blindly.
        500..=599 | 408 => SendError::Ambiguous { why },
        _ => SendError::Rejected { why, fixable: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        let waits = |status, secs: Option<u64>| match class(
            status,
            secs.map(Duration::from_secs),
            "",
            About::Place,
        ) {
            SendError::Retry { after, .. } => after,
            other => panic!("{other:?}"),
        };
        assert_eq!(waits(429, Some(7)), Some(Duration::from_secs(7)));
        assert_eq!(waits(412, None), Some(DEFAULT_WAIT));
        assert_eq!(waits(429, Some(u64::MAX)), Some(LONGEST_WAIT));
        for status in [500, 502, 503, 504] {
            assert!(matches!(class(status, None, "", About::Place), SendError::Ambiguous { .. }), "{status}");
        }
        assert!(matches!(class(401, None, "", About::Place), SendError::Unauthorized { .. }));
        assert!(matches!(
            class(403, None, "BotNotInConversationRoster", About::Place),
            SendError::Gone { .. }
        ));
        assert!(matches!(class(404, None, "ConversationNotFound", About::Place), SendError::Gone { .. }));
        assert!(matches!(
            class(413, None, "MessageSizeTooBig", About::Place),
            SendError::Rejected { fixable: true, .. }
        ));
        assert!(matches!(
            class(400, None, "BadSyntax", About::Place),
            SendError::Rejected { fixable: true, .. }
        ));
        assert!(matches!(
            class(400, None, "Other", About::Place),
            SendError::Rejected { fixable: false, .. }
        ));
        assert!(matches!(class(302, None, "", About::Place), SendError::Rejected { fixable: false, .. }));
    }

    /// A message that is gone says nothing of the people; a place that is shut says it for whatever was to be done there.
    #[test]
    fn a_lost_message_is_not_a_lost_place() {
        for (status, code) in [
            (404, "ActivityNotFoundInConversation"),
            (404, "ConversationNotFound"),
            (404, ""),
            (403, "ServiceError"),
            (403, ""),
        ] {
            let told = class(status, None, code, About::Message);
            assert!(matches!(told, SendError::Rejected { fixable: false, .. }), "{status} {code}: {told:?}");
        }
        for code in SHUT {
            assert!(matches!(class(403, None, code, About::Message), SendError::Gone { .. }), "{code}");
        }
        for code in ["", "NotFound", "ResourceNotFound"] {
            for about in [About::DeskThread, About::Place] {
                let told = class(404, None, code, about);
                assert!(matches!(told, SendError::Rejected { fixable: false, .. }), "{code}: {told:?}");
            }
        }
        for (about, astray) in [(About::Place, true), (About::DeskThread, true), (About::Message, false)] {
            assert_eq!(is_astray(&class(404, None, "", about)), astray, "{about:?}");
        }
        assert!(!is_astray(&class(400, None, "BadArgument", About::Place)));
        for code in LOST {
            assert!(!is_astray(&class(404, None, code, About::Place)), "{code}");
            assert!(matches!(class(404, None, code, About::DeskThread), SendError::ThreadGone { .. }));
            assert!(matches!(class(404, None, code, About::Place), SendError::Gone { .. }));
        }
        let shut = class(403, None, "BotNotInConversationRoster", About::DeskThread);
        assert!(matches!(shut, SendError::Gone { .. }));
    }
}

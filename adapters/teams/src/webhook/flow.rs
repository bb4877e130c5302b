//! Posting by a flow of Workflows: one call every two seconds, and what its answer means. "Create an Incoming Webhook".
//!
//! Not here: what is posted (`notice.rs`). The URL is a secret as a whole and is in no log and no error.

use std::sync::PoisonError;
use std::time::Duration;

use deskbridge_contract::{ChannelName, SendError};
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::WebhookConfig;
use crate::ConfigError;
use crate::api::{root, unsent};
use crate::config::is_loopback;

/// Longest text of one notice, in UTF-16 units; the whole is cut at 24 KB beside.
pub(super) const MAX_TEXT: usize = 4000;
/// "More than 4 requests per second are throttled", and for hours where it goes on (T49): one in two seconds.
const PACE: Duration = Duration::from_secs(2);
/// Longest wait for one's turn here; beyond it the outbox waits instead.
const PATIENCE: Duration = Duration::from_secs(10);
/// Waited after a 429 that does not say how long.
const DEFAULT_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
const CONNECT: Duration = Duration::from_secs(5);
/// How trouble begins that is over once the host answers anything.
const UNREACHED: &str = "the flow's host cannot be reached";

pub(super) struct Flow {
    channel: ChannelName,
    url: SecretString,
    http: reqwest::Client,
    timeout: Duration,
    paced: bool,
    /// Before it nothing is posted.
    next: Mutex<Option<Instant>>,
    /// Why nothing is posted, until something is again.
    trouble: std::sync::Mutex<Option<String>>,
}

impl Flow {
    pub(super) fn new(
        channel: ChannelName,
        url: SecretString,
        config: &WebhookConfig,
    ) -> Result<Flow, ConfigError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent(concat!("deskbridge/", env!("CARGO_PKG_VERSION")))
            // A redirect would take the secret elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false);
        if Url::parse(url.expose_secret()).is_ok_and(|url| is_loopback(&url)) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| ConfigError(root(&error)))?;
        let (timeout, paced) = (config.call_timeout, config.paced);
        Ok(Flow {
            channel,
            url,
            http,
            timeout,
            paced,
            next: Mutex::default(),
            trouble: std::sync::Mutex::default(),
        })
    }

    /// Whether its host can be reached; nothing can be asked of a flow that does not post (T50).
    pub(super) async fn reach(&self) -> Result<(), SendError> {
        let asked = self.http.request(Method::HEAD, self.url.expose_secret()).timeout(self.timeout);
        let why = match asked.send().await {
            // Whether it posts is not known by that; what was in the way of posting still is, if it was another thing.
            Ok(_) => {
                if self.trouble().is_some_and(|why| why.starts_with(UNREACHED)) {
                    self.note(None);
                }
                return Ok(());
            }
            Err(error) => format!("{UNREACHED}: {}", root(&error)),
        };
        self.note(Some(&why));
        Err(SendError::Retry { after: None, why })
    }

    /// Why nothing is posted now.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Told once in the log, and to whoever looks at the channel's health.
    fn note(&self, why: Option<&str>) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.as_deref() != why {
            match why {
                Some(why) => {
                    tracing::error!(channel = %self.channel, why, "a flow of Workflows posts nothing")
                }
                None => tracing::info!(channel = %self.channel, "a flow of Workflows posts again"),
            }
            *trouble = why.map(str::to_owned);
        }
    }

    pub(super) async fn post(&self, message: &Value) -> Result<(), SendError> {
        self.turn().await?;
        let asked = self.http.post(self.url.expose_secret()).timeout(self.timeout).json(message);
        let answer = asked.send().await.map_err(|error| unsent(&error)).inspect_err(|error| {
            // Of what was begun nobody knows.
            if let SendError::Retry { why, .. } = error {
                self.note(Some(&format!("{UNREACHED}: {why}")));
            }
        })?;
        let wait = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let wait = wait.and_then(|text| text.trim().parse::<u64>().ok()).map(Duration::from_secs);
        let status = answer.status().as_u16();
        let result = class(status, wait);
        match &result {
            Ok(()) => self.note(None),
            Err(error) if is_dead(status) => self.note(Some(&error.to_string())),
            // It was reached, and does not like this one.
            Err(_) => {}
        }
        if let Err(SendError::Retry { after: Some(after), .. }) = &result {
            let mut next = self.next.lock().await;
            *next = (*next).max(Some(Instant::now() + *after));
        }
        result
    }

    /// Waits for one's turn. Whoever would have to wait long is told so instead.
    async fn turn(&self) -> Result<(), SendError> {
        let now = Instant::now();
        let at = {
            let mut next = self.next.lock().await;
            let at = next.map_or(now, |next| next.max(now));
            let wait = at - now;
            if wait > PATIENCE {
                return Err(SendError::Retry { after: Some(wait), why: "the flow's pace".into() });
            }
            *next = Some(at + if self.paced { PACE } else { Duration::ZERO });
            at
        };
        tokio::time::sleep_until(at).await;
        Ok(())
    }
}

/// It stays so until somebody makes a flow anew (platform-contracts §2.2).
fn is_dead(status: u16) -> bool {
    matches!(status, 401 | 403 | 404 | 410)
}

/// 202 is "accepted by the flow", not "posted". A flow that is gone stays gone until somebody makes it anew.
fn class(status: u16, wait: Option<Duration>) -> Result<(), SendError> {
    let why = format!("HTTP {status} from the flow");
    match status {
        200..=299 => Ok(()),
        // The end of this notice, and of no other: an outgoing webhook beside it goes on.
        dead if is_dead(dead) => Err(SendError::rejected(format!(
            "{why}: it is deleted, switched off, or its owner has left; make one anew and set webhook_url"
        ))),
        429 => {
            let after = Some(wait.unwrap_or(DEFAULT_WAIT).min(LONGEST_WAIT));
            Err(SendError::Retry { after, why })
        }
        // It may have been started before it failed.
        500..=599 | 408 => Err(SendError::Ambiguous { why }),
        _ => Err(SendError::rejected(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        assert_eq!(class(202, None), Ok(()));
        for status in [401, 403, 404, 410] {
            assert!(
                matches!(class(status, None), Err(SendError::Rejected { fixable: false, .. })),
                "{status}"
            );
        }
        for (wait, expected) in [(None, 30), (Some(7), 7), (Some(u64::MAX), 3600)] {
            let Err(SendError::Retry { after, .. }) = class(429, wait.map(Duration::from_secs)) else {
                panic!()
            };
            assert_eq!(after, Some(Duration::from_secs(expected)));
        }
        for status in [500, 502, 503, 504] {
            assert!(matches!(class(status, None), Err(SendError::Ambiguous { .. })), "{status}");
        }
        for status in [302, 400, 413] {
            assert!(matches!(class(status, None), Err(SendError::Rejected { .. })), "{status}");
        }
    }
}

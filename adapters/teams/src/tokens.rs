//! The bot's own token from Entra ID: fetched once for all who need it, and kept until shortly before its end.
//!
//! Not here: where it is sent (`api.rs`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deskbridge_contract::{SendError, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::watch;

use crate::Clock;
use crate::api::{About, answer, retry, root};
use crate::config::Config;

/// A token is renewed so long before its end, in seconds.
const EARLY: u64 = 600;
const SCOPE: &str = "https://api.botframework.com/.default";
/// Longest wait for a token. It and the call that it is for are over before the lease of an attempt is (30 s).
const LONGEST: Duration = Duration::from_secs(8);

type Got = Result<SecretString, SendError>;

#[derive(Default)]
struct Kept {
    token: Option<(SecretString, Timestamp)>,
    /// The fetch that is under way, and what it comes to.
    flight: Option<watch::Receiver<Option<Got>>>,
}

struct Source {
    config: Config,
    http: reqwest::Client,
    clock: Clock,
    kept: Mutex<Kept>,
}

pub(crate) struct Tokens(Arc<Source>);

impl Tokens {
    pub(crate) fn new(config: Config, http: reqwest::Client, clock: Clock) -> Tokens {
        Tokens(Arc::new(Source { config, http, clock, kept: Mutex::default() }))
    }

    /// The bot's token; another than `refused`. One fetch at a time, whose end, good or bad, is everybody's who waits.
    pub(crate) async fn get(&self, refused: Option<&SecretString>) -> Got {
        let mut flight = {
            let mut kept = self.0.kept();
            let now = (self.0.clock)();
            if let Some((token, until)) = &kept.token {
                let other = refused.is_none_or(|old| old.expose_secret() != token.expose_secret());
                if other && now < *until {
                    return Ok(token.clone());
                }
            }
            kept.token = None;
            match &kept.flight {
                Some(flight) => flight.clone(),
                None => self.fetch(&mut kept),
            }
        };
        match flight.wait_for(Option::is_some).await.ok().and_then(|got| got.clone()) {
            Some(got) => got,
            None => Err(retry(None, "no token: its fetch was given up".into())),
        }
    }

    /// A token for something else than the Connector; not kept.
    pub(crate) async fn other(&self, scope: &str) -> Got {
        self.0.ask(scope).await.map(|(token, _)| token)
    }

    /// By itself: whoever asked may give up, and the others have it all the same.
    fn fetch(&self, kept: &mut Kept) -> watch::Receiver<Option<Got>> {
        let (end, flight) = watch::channel(None);
        kept.flight = Some(flight.clone());
        let source = self.0.clone();
        tokio::spawn(async move {
            let longest = LONGEST.min(source.config.call_timeout);
            let got = tokio::time::timeout(longest, source.ask(SCOPE)).await;
            let got = got.unwrap_or_else(|_| Err(retry(None, "no token: no answer in time".into())));
            let mut kept = source.kept();
            kept.flight = None;
            let got = got.map(|(token, lasts)| {
                kept.token = Some((token.clone(), (source.clock)() + lasts));
                token
            });
            drop(kept);
            end.send_replace(Some(got));
        });
        flight
    }
}

impl Source {
    /// Never held over a wait.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whatever happens here, the message itself was not sent.
    async fn ask(&self, scope: &str) -> Result<(SecretString, Duration), SendError> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", self.config.app_id.as_str()),
            ("client_secret", self.config.secret()),
            ("scope", scope),
        ];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http.post(self.config.token_url.clone()).timeout(self.config.call_timeout);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let response =
            request.send().await.map_err(|error| retry(None, format!("no token: {}", root(&error))))?;
        if matches!(response.status().as_u16(), 400 | 401 | 403) {
            return Err(SendError::Unauthorized {
                why: "Entra ID gives no token for this app and secret".into(),
            });
        }
        let body = answer(response, About::Place).await.map_err(|error| match error {
            SendError::Retry { after, why } => retry(after, format!("no token: {why}")),
            other => retry(None, format!("no token: {other}")),
        })?;
        let Some(secret) = body.get("access_token").and_then(Value::as_str) else {
            return Err(retry(None, "no token: the answer has none".into()));
        };
        let lasts = body.get("expires_in").and_then(Value::as_u64).unwrap_or(3600);
        let lasts = lasts.saturating_sub(EARLY.min(lasts / 2));
        Ok((SecretString::from(secret.to_owned()), Duration::from_secs(lasts)))
    }
}

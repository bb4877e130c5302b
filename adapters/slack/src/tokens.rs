//! Whose words Slack takes ours for: the bot's token and, where the app has token rotation on, its renewal.
//!
//! Not here: what the token is used for. "Token rotation": access tokens live 12 h, refresh tokens are good once, and two
//! renewals at the same time leave one dead pair (node-slack-sdk#2504) — so there is one refresher, under a lock within the
//! process and a lease on the shelf between processes, which writes the new pair down before anybody uses it; the old
//! token serves until then, and who was not the one takes the pair from the shelf.

#[cfg(test)]
mod tests;

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use deskbridge_contract::{SendError, Shelf, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::Clock;
use crate::api::classes;
use crate::config::{Config, Rotation};

/// Where the pair is kept between starts; as a secret ([`Shelf::SECRET`]) it is in no export.
const KEY: &str = "secret:tokens";
/// What only one process may do at a time.
const RENEWAL: &str = "tokens";
/// How long beyond the patience for Slack's answer a renewal is one process's own: writing it down takes a moment.
const MARGIN: Duration = Duration::from_secs(30);
/// How often it is looked whether another process is done, by whoever has no living token meanwhile.
const LOOK: Duration = Duration::from_millis(250);
/// Life of an access token, where Slack does not say, in seconds.
const LIFE: i64 = 43_200;
/// A renewal that failed is not tried again before, in seconds.
const PAUSE: i64 = 60;
/// An answer with a pair of tokens is short.
const ANSWER_CAP: usize = 64 << 10;

/// A pair as it lies on the shelf.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pair {
    access: String,
    refresh: String,
    /// Seconds since the epoch.
    issued: i64,
    expires: i64,
    /// Which configured refresh token it descends from: another one in the configuration starts anew.
    origin: u64,
}

impl Pair {
    /// At 50 to 75 % of its life, spread by the token itself, so that many channels do not renew at once.
    fn due(&self) -> i64 {
        let life = (self.expires - self.issued).max(0);
        let spread = i64::try_from(fingerprint(&self.access) % 256).unwrap_or_default();
        self.issued + life / 2 + life / 4 * spread / 255
    }
}

/// Cheap to clone. Renewing runs in a task of its own: whoever asked may be gone before Slack answers, and a pair that is
/// not written down then would be lost with its refresh token.
#[derive(Clone)]
pub(crate) struct Tokens(Arc<Inner>);

struct Inner {
    configured: SecretString,
    rotation: Option<Rotation>,
    http: reqwest::Client,
    url: String,
    patience: Duration,
    clock: Clock,
    /// Whose lease on a renewal it is.
    holder: String,
    /// There from the first intake on. Without it nothing is renewed: a new pair that is not written down is lost.
    shelf: RwLock<Option<Shelf>>,
    pair: RwLock<Option<Pair>>,
    /// Held while renewing; within, a pair that Slack gave and the shelf did not take yet, and when to try again.
    refresher: Mutex<Refresher>,
}

#[derive(Default)]
struct Refresher {
    unsaved: Option<Pair>,
    not_before: i64,
}

impl Tokens {
    pub(crate) fn new(config: &Config, http: reqwest::Client, clock: Clock) -> Tokens {
        let (shelf, pair, refresher) = (RwLock::default(), RwLock::default(), Mutex::default());
        Tokens(Arc::new(Inner {
            configured: config.bot_token.clone(),
            rotation: config.rotation.clone(),
            http,
            url: format!("{}/oauth.v2.access", config.api_base.as_str().trim_end_matches('/')),
            patience: config.call_timeout,
            clock,
            // No two of them anywhere: a hasher's keys are random.
            holder: format!("{:016x}", RandomState::new().hash_one(std::process::id())),
            shelf,
            pair,
            refresher,
        }))
    }

    /// From now on pairs can be kept.
    pub(crate) fn keep_on(&self, shelf: Shelf) {
        *self.0.shelf.write().unwrap_or_else(PoisonError::into_inner) = Some(shelf);
    }

    /// Whether an expired token can be had anew here.
    pub(crate) fn rotates(&self) -> bool {
        self.0.rotation.is_some() && self.0.shelf().is_some()
    }

    /// Whether the configured token expires, whoever renews it.
    pub(crate) fn expires(&self) -> bool {
        self.0.rotation.is_some()
    }

    /// The token to use now. Renews it when it is time; while that goes on, and when it fails, the old one serves.
    pub(crate) async fn bearer(&self) -> SecretString {
        let inner = &self.0;
        // Who has a living token does not wait for whoever renews it.
        if self.rotates() && inner.is_due() && (!inner.is_usable() || inner.refresher.try_lock().is_ok()) {
            let renewal = inner.clone();
            let task = tokio::spawn(async move { renewal.renew_if_due().await });
            if let Ok(Err(error)) = task.await {
                tracing::warn!(%error, "the Slack token could not be renewed yet; the old one is used");
            }
        }
        inner.current().map_or_else(|| inner.configured.clone(), |pair| pair.access.into())
    }

    /// The token after `old`, which Slack says is over.
    pub(crate) async fn renewed(&self, old: &SecretString) -> Result<SecretString, SendError> {
        let (inner, old) = (self.0.clone(), old.clone());
        let task = tokio::spawn(async move { inner.renew_after(&old).await });
        task.await.unwrap_or_else(|_| Err(retry("renewing the token was broken off")))
    }
}

impl Inner {
    fn shelf(&self) -> Option<Shelf> {
        self.shelf.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_due(&self) -> bool {
        self.current().is_none_or(|pair| self.now() >= pair.due())
    }

    /// Of the configured token's age nothing is known: it is taken to live until Slack says otherwise.
    fn is_usable(&self) -> bool {
        self.current().is_some_and(|pair| self.now() < pair.expires)
    }

    async fn renew_after(&self, old: &SecretString) -> Result<SecretString, SendError> {
        let (Some(rotation), Some(shelf)) = (&self.rotation, self.shelf()) else {
            return Err(SendError::Unauthorized { why: "token_expired".into() });
        };
        let mut refresher = self.refresher.lock().await;
        let other = |pair: &Pair| pair.access != old.expose_secret();
        // Somebody else was faster, here or in another process.
        self.load(rotation, &shelf).await?;
        if let Some(pair) = self.current().filter(other) {
            return Ok(pair.access.into());
        }
        if self.now() < refresher.not_before {
            return Err(SendError::Unauthorized {
                why: "token_expired, and it could not be renewed a moment ago".into(),
            });
        }
        refresher.not_before = self.now() + PAUSE;
        if self.has_turn(rotation, &shelf, &other).await? {
            self.renew_alone(&mut refresher, rotation, &shelf, &other).await?;
        }
        refresher.not_before = 0;
        self.current()
            .filter(other)
            .map(|pair| pair.access.into())
            .ok_or_else(|| SendError::Unauthorized { why: "token_expired, and no other could be had".into() })
    }

    async fn renew_if_due(&self) -> Result<(), SendError> {
        let (Some(rotation), Some(shelf)) = (&self.rotation, self.shelf()) else { return Ok(()) };
        let mut refresher = self.refresher.lock().await;
        if !self.is_due() || self.now() < refresher.not_before {
            return Ok(());
        }
        // Another process of the same store may have renewed it.
        self.load(rotation, &shelf).await?;
        if !self.is_due() {
            return Ok(());
        }
        refresher.not_before = self.now() + PAUSE;
        // Whoever is at it in another process is waited for only without a token that lives.
        let good = |pair: &Pair| self.now() < pair.expires;
        if self.has_turn(rotation, &shelf, &good).await? {
            self.renew_alone(&mut refresher, rotation, &shelf, &|pair| self.now() < pair.due()).await?;
        }
        if !self.is_due() {
            refresher.not_before = 0;
        }
        Ok(())
    }

    /// Takes the right to renew, over all processes of the store. While it is another's, waits for the pair that comes of
    /// it, at most as long as that may take. False: there is a pair that will do.
    async fn has_turn(
        &self,
        rotation: &Rotation,
        shelf: &Shelf,
        will_do: &(dyn Fn(&Pair) -> bool + Sync),
    ) -> Result<bool, SendError> {
        let mut left = self.patience + MARGIN + LOOK;
        loop {
            let now = (self.clock)();
            let until = Timestamp(now.0 + micros(self.patience + MARGIN));
            let ours = shelf.lease(RENEWAL, &self.holder, now, until).await;
            if ours.map_err(|error| retry(error.to_string()))? {
                return Ok(true);
            }
            self.load(rotation, shelf).await?;
            if self.current().as_ref().is_some_and(will_do) {
                return Ok(false);
            }
            if left.is_zero() {
                return Err(retry("another process is renewing the token, and does not come to an end"));
            }
            tokio::time::sleep(LOOK).await;
            left = left.saturating_sub(LOOK);
        }
    }

    /// Renews under the lease, unless somebody did so just before it was ours.
    async fn renew_alone(
        &self,
        refresher: &mut Refresher,
        rotation: &Rotation,
        shelf: &Shelf,
        will_do: &(dyn Fn(&Pair) -> bool + Sync),
    ) -> Result<(), SendError> {
        self.load(rotation, shelf).await?;
        // Another process has a younger pair: one that could not be written down here is worth nothing by now.
        if refresher
            .unsaved
            .as_ref()
            .is_some_and(|ours| self.current().is_some_and(|pair| pair.issued >= ours.issued))
        {
            refresher.unsaved = None;
        }
        let done = if self.current().as_ref().is_some_and(will_do) {
            Ok(())
        } else {
            self.renew(refresher, rotation, shelf).await
        };
        // While there is a pair that nobody else can read, nobody may spend the old refresh token: the lease runs out.
        if refresher.unsaved.is_none()
            && let Err(error) = shelf.release(RENEWAL, &self.holder).await
        {
            tracing::debug!(%error, "the right to renew the Slack token was not given back");
        }
        done
    }

    async fn load(&self, rotation: &Rotation, shelf: &Shelf) -> Result<(), SendError> {
        let kept = shelf.get(KEY).await.map_err(|error| retry(error.to_string()))?;
        let kept = kept.and_then(|text| serde_json::from_str::<Pair>(&text).ok());
        let origin = fingerprint(rotation.refresh_token.expose_secret());
        // What is used was written there before: the shelf is behind only where it was put back to an older state.
        let newer = |kept: &Pair| self.current().is_none_or(|pair| kept.issued >= pair.issued);
        if let Some(kept) = kept.filter(|kept| kept.origin == origin).filter(newer) {
            self.set(kept);
        }
        Ok(())
    }

    /// Asks for a new pair, writes it down, and only then uses it.
    async fn renew(
        &self,
        refresher: &mut Refresher,
        rotation: &Rotation,
        shelf: &Shelf,
    ) -> Result<(), SendError> {
        if refresher.unsaved.is_none() {
            let refresh = self.current().map_or_else(|| rotation.refresh_token.clone(), |p| p.refresh.into());
            refresher.unsaved = Some(self.ask(rotation, &refresh).await?);
        }
        let Some(pair) = &refresher.unsaved else { return Ok(()) };
        let text = serde_json::to_string(pair).map_err(|_| retry("a pair of tokens of another shape"))?;
        shelf.put(KEY, &text).await.map_err(|error| retry(error.to_string()))?;
        self.set(pair.clone());
        refresher.unsaved = None;
        refresher.not_before = 0;
        Ok(())
    }

    /// "oauth.v2.access" with a refresh token. A form in the body, so that no secret is in an address.
    async fn ask(&self, rotation: &Rotation, refresh: &SecretString) -> Result<Pair, SendError> {
        let form: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("refresh_token", refresh.expose_secret())
            .finish();
        let request = self
            .http
            .post(&self.url)
            .basic_auth(&rotation.client_id, Some(rotation.client_secret.expose_secret()))
            .header("content-type", "application/x-www-form-urlencoded")
            .timeout(self.patience)
            .body(form);
        let mut answer =
            request.send().await.map_err(|error| classes::lost(&error, refresh.expose_secret()))?;
        let mut body = Vec::new();
        while let Some(chunk) =
            answer.chunk().await.map_err(|error| classes::lost(&error, refresh.expose_secret()))?
        {
            if body.len() + chunk.len() > ANSWER_CAP {
                return Err(retry("a pair of tokens that is far too long"));
            }
            body.extend_from_slice(&chunk);
        }
        self.pair_in(&body, rotation)
    }

    fn pair_in(&self, body: &[u8], rotation: &Rotation) -> Result<Pair, SendError> {
        let body: Value = serde_json::from_slice(body).map_err(|_| retry("no answer of the Web API"))?;
        let text = |key: &str| body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        match (body.get("ok"), text("access_token"), text("refresh_token")) {
            (Some(Value::Bool(true)), Some(access), Some(refresh)) => {
                let life = body.get("expires_in").and_then(Value::as_i64).unwrap_or(LIFE);
                let issued = self.now();
                Ok(Pair {
                    access: access.to_owned(),
                    refresh: refresh.to_owned(),
                    issued,
                    expires: issued + life.clamp(60, 4 * LIFE),
                    origin: fingerprint(rotation.refresh_token.expose_secret()),
                })
            }
            _ => Err(match text("error") {
                Some("ratelimited") => retry("ratelimited"),
                Some(code @ ("invalid_refresh_token" | "bad_client_secret" | "invalid_client_id")) => {
                    SendError::Unauthorized { why: format!("{code}; install the app again for a new pair") }
                }
                _ => retry("Slack gave no new pair of tokens"),
            }),
        }
    }

    fn current(&self) -> Option<Pair> {
        self.pair.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, pair: Pair) {
        *self.pair.write().unwrap_or_else(PoisonError::into_inner) = Some(pair);
    }

    fn now(&self) -> i64 {
        (self.clock)().0 / 1_000_000
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX / 2)
}

fn retry(why: impl Into<String>) -> SendError {
    SendError::Retry { after: None, why: why.into() }
}

/// FNV-1a: to tell tokens apart without keeping or comparing them; nothing rests on it being hard to invert.
fn fingerprint(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

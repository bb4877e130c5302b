//! The keys with which the Connector signs: fetched once a day, and for an unknown key at most once in a while (D41).
//!
//! Not here: what is done with them (`jwt.rs`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deskbridge_contract::{SendError, Timestamp};
use serde_json::Value;
use tokio::sync::watch;
use url::Url;

use crate::api::Api;
use crate::jwt::Key;

/// The reference implementation's: a set is good for a day.
const FRESH: Duration = Duration::from_secs(24 * 3600);
/// F22: after that, and while no newer set can be had, it is believed for another day and no longer.
const LAST: Duration = Duration::from_secs(48 * 3600);
/// D41: between two fetches, whatever is asked for.
const AGAIN: Duration = Duration::from_secs(300);
/// The same while there is no set at all, and nobody's events can be taken: so soon at first, then twice as late each time.
const AGAIN_EMPTY: Duration = Duration::from_secs(10);
/// How long an event whose key was known yesterday waits for today's set; Teams waits 15 s for all of it.
const PATIENCE_OLD: Duration = Duration::from_secs(3);
/// The same of an event whose key is not known. Then it is asked to come again.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Cache {
    keys: Vec<Key>,
    fetched: Option<Timestamp>,
    tried: Option<Timestamp>,
    /// Fetches that failed, one after another.
    failed: u32,
    /// Closed when the fetch that is under way has ended.
    flight: Option<watch::Receiver<()>>,
}

impl Cache {
    fn known(&self, kid: &str) -> Option<Box<Key>> {
        self.keys.iter().find(|key| key.id == kid).cloned().map(Box::new)
    }

    fn age(&self, now: Timestamp) -> Option<Duration> {
        self.fetched.map(|at| now.since(at))
    }

    fn may_fetch(&self, now: Timestamp) -> bool {
        let rest = if self.keys.is_empty() {
            AGAIN_EMPTY.saturating_mul(1 << self.failed.saturating_sub(1).min(5)).min(AGAIN)
        } else {
            AGAIN
        };
        self.tried.is_none_or(|at| now.since(at) >= rest)
    }

    fn found(&self, kid: &str) -> Found {
        match self.known(kid) {
            Some(key) => Found::Key(key),
            None if self.keys.is_empty() => Found::Unavailable,
            None => Found::Unknown,
        }
    }
}

#[derive(Clone, Default)]
pub(crate) struct Keys(Arc<Mutex<Cache>>);

/// What asking for a key came to.
pub(crate) enum Found {
    Key(Box<Key>),
    /// The set was had, and the key is not in it.
    Unknown,
    /// There is no set: the event must come again.
    Unavailable,
}

impl Keys {
    /// The key of that name. A key of a fresh set is answered at once, whatever else is under way; everybody else waits for
    /// the one fetch. When it fails, the old keys stay for a while (F22); when it succeeds, they are gone.
    pub(crate) async fn find(&self, api: &Arc<Api>, kid: &str, now: Timestamp) -> Found {
        let (mut flight, old) = {
            let mut cache = self.cache();
            if cache.age(now).is_some_and(|age| age >= LAST) && !cache.keys.is_empty() {
                cache.keys.clear();
                cache.failed = 0;
            }
            let known = cache.known(kid);
            if cache.age(now).is_some_and(|age| age < FRESH)
                && let Some(key) = known
            {
                return Found::Key(key);
            }
            let flight = match cache.flight.clone() {
                Some(flight) => flight,
                None if cache.may_fetch(now) => self.fetch(&mut cache, api, now),
                None => return cache.found(kid),
            };
            (flight, known)
        };
        let patience = if old.is_some() { PATIENCE_OLD } else { PATIENCE };
        // Nothing is ever told: it ends.
        let ended =
            tokio::time::timeout(patience, async { while flight.changed().await.is_ok() {} }).await.is_ok();
        match old {
            Some(key) if !ended => Found::Key(key),
            None if !ended => Found::Unavailable,
            _ => self.cache().found(kid),
        }
    }

    /// Starts a fetch of its own: whoever asked for it may hang up, and it is known to the others all the same.
    fn fetch(&self, cache: &mut Cache, api: &Arc<Api>, now: Timestamp) -> watch::Receiver<()> {
        let (under_way, flight) = watch::channel(());
        cache.tried = Some(now);
        cache.flight = Some(flight.clone());
        let (keys, api) = (self.clone(), api.clone());
        tokio::spawn(async move {
            let fetched = fetch(&api).await;
            let mut cache = keys.cache();
            cache.flight = None;
            match fetched {
                Ok(keys) => {
                    cache.keys = keys;
                    cache.fetched = Some(now);
                    cache.failed = 0;
                }
                Err(error) => {
                    cache.failed = cache.failed.saturating_add(1);
                    tracing::warn!(%error, "the keys of the Bot Connector could not be fetched");
                }
            }
            drop(cache);
            drop(under_way);
        });
        flight
    }

    /// Never held over a wait.
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The set as it is published now, for `doctor` as well.
pub(crate) async fn fetch(api: &Api) -> Result<Vec<Key>, SendError> {
    let url = match &api.config.jwks_url {
        Some(url) => url.clone(),
        None => {
            let metadata = api.get_public(&api.config.openid_url).await?;
            let url = metadata.get("jwks_uri").and_then(Value::as_str).and_then(|url| Url::parse(url).ok());
            let sound = |url: &Url| url.scheme() == "https" || crate::config::is_loopback(url);
            url.filter(sound).ok_or_else(|| SendError::rejected("the metadata names no set of keys"))?
        }
    };
    let set = api.get_public(&url).await?;
    let keys = set.get("keys").and_then(Value::as_array);
    let keys: Vec<Key> = keys.into_iter().flatten().filter_map(Key::from_jwk).collect();
    if keys.is_empty() { Err(SendError::rejected("the set of keys is empty")) } else { Ok(keys) }
}

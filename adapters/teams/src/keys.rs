//! The keys with which the Connector signs: fetched once a day, and for an unknown key at most once in a while (D41).
//!
//! Not here: what is done with them (`jwt.rs`).

use std::time::Duration;

use deskbridge_contract::{SendError, Timestamp};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use crate::api::Api;
use crate::jwt::Key;

/// The reference implementation's: a set is good for a day.
const FRESH: Duration = Duration::from_secs(24 * 3600);
/// D41: between two fetches, whatever is asked for.
const AGAIN: Duration = Duration::from_secs(300);
/// The same while there is no set at all, and nobody's events can be taken.
const AGAIN_EMPTY: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Cache {
    keys: Vec<Key>,
    fetched: Option<Timestamp>,
    tried: Option<Timestamp>,
}

#[derive(Default)]
pub(crate) struct Keys(Mutex<Cache>);

/// What asking for a key came to.
pub(crate) enum Found {
    Key(Box<Key>),
    /// The set was had, and the key is not in it.
    Unknown,
    /// There is no set: the event must come again.
    Unavailable,
}

impl Keys {
    /// The key of that name. While a fetch is under way everybody waits for it; when it fails, the old keys stay (F22).
    pub(crate) async fn find(&self, api: &Api, kid: &str, now: Timestamp) -> Found {
        let mut cache = self.0.lock().await;
        let known = cache.keys.iter().find(|key| key.id == kid).cloned();
        let stale = cache.fetched.is_none_or(|at| now.since(at) >= FRESH);
        let rest = if cache.keys.is_empty() { AGAIN_EMPTY } else { AGAIN };
        let rested = cache.tried.is_none_or(|at| now.since(at) >= rest);
        if let Some(key) = known.clone().filter(|_| !stale || !rested) {
            return Found::Key(Box::new(key));
        }
        if rested {
            cache.tried = Some(now);
            match fetch(api).await {
                Ok(keys) => {
                    cache.keys = keys;
                    cache.fetched = Some(now);
                }
                Err(error) => tracing::warn!(%error, "the keys of the Bot Connector could not be fetched"),
            }
        }
        match cache.keys.iter().find(|key| key.id == kid).cloned().or(known) {
            Some(key) => Found::Key(Box::new(key)),
            None if cache.keys.is_empty() => Found::Unavailable,
            None => Found::Unknown,
        }
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

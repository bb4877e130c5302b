//! The keys that the provider signs with: fetched once a day, and for an unknown one at most once in a while (D41).
//!
//! Not here: what is done with them (`jwt.rs`).

use std::time::Duration;

use deskbridge_contract::Timestamp;
use reqwest::Client;
use serde_json::Value;
use tokio::sync::Mutex;

use super::Refusal;
use super::discovery::Metadata;
use super::fetch;
use super::jwt::{Flaw, Key, Unverified};

const FRESH: Duration = Duration::from_secs(24 * 3600);
/// D41: between two fetches, whatever is asked for.
const AGAIN: Duration = Duration::from_secs(300);
/// The same while there is no set at all.
const AGAIN_EMPTY: Duration = Duration::from_secs(10);
/// Keys of a set that are looked at.
const MOST: usize = 100;

#[derive(Default)]
struct Cache {
    keys: Vec<Key>,
    fetched: Option<Timestamp>,
    tried: Option<Timestamp>,
}

#[derive(Default)]
pub(super) struct Keys(Mutex<Cache>);

impl Keys {
    /// The key that a token names. While a fetch is under way everybody waits for it; where it fails, the old ones stay.
    pub(super) async fn find(
        &self,
        client: &Client,
        metadata: &Metadata,
        token: &Unverified<'_>,
        now: Timestamp,
    ) -> Result<Key, Refusal> {
        let mut cache = self.0.lock().await;
        let known = named(&cache.keys, token);
        let stale = cache.fetched.is_none_or(|at| now.since(at) >= FRESH);
        let rest = if cache.keys.is_empty() { AGAIN_EMPTY } else { AGAIN };
        let rested = cache.tried.is_none_or(|at| now.since(at) >= rest);
        if let Some(key) = known.clone().filter(|_| !stale || !rested) {
            return Ok(key);
        }
        if rested {
            cache.tried = Some(now);
            match fetch(client, metadata).await {
                Ok(keys) => (cache.keys, cache.fetched) = (keys, Some(now)),
                Err(refusal) => tracing::warn!(%refusal, "the OpenID provider's keys could not be fetched"),
            }
        }
        match named(&cache.keys, token).or(known) {
            Some(key) => Ok(key),
            None if cache.keys.is_empty() => Err(Refusal::Unreachable("its keys cannot be had".into())),
            None => Err(Flaw::UnknownKey.into()),
        }
    }
}

/// By its name; a token without a name is meant for the only key that fits (Core §10.1).
fn named(keys: &[Key], token: &Unverified<'_>) -> Option<Key> {
    let mut fitting = keys.iter().filter(|key| key.fits(token.algorithm));
    match &token.kid {
        Some(kid) => fitting.find(|key| key.id.as_ref() == Some(kid)).cloned(),
        None => match (fitting.next(), fitting.next()) {
            (Some(only), None) => Some(only.clone()),
            _ => None,
        },
    }
}

/// The set as it is published now.
pub(super) async fn fetch(client: &Client, metadata: &Metadata) -> Result<Vec<Key>, Refusal> {
    let answer = fetch::json(client.get(metadata.jwks_uri.clone())).await?;
    if answer.status != 200 {
        return Err(Refusal::Unreachable(format!("its set of keys answered {}", answer.status)));
    }
    let keys = answer.body.get("keys").and_then(Value::as_array);
    let keys: Vec<Key> = keys.into_iter().flatten().take(MOST).filter_map(Key::from_jwk).collect();
    if keys.is_empty() { Err(Refusal::Description("its set of keys is empty")) } else { Ok(keys) }
}

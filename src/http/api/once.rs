//! `Idempotency-Key`: the same request twice does a thing once; the same key with another request is refused.
//!
//! Not here: the guarantee itself. That is the cause, which the store keeps for good; this only remembers, for a day, what a
//! key was used for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use deskbridge_conversation::MessageId;
use deskbridge_store::Cause;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::routes::Route;
use crate::http::auth::Caller;
use crate::http::problem::Problem;

const HEADER: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const LONGEST: usize = 255;
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Keys that are remembered; the older half goes when there are more.
const KEYS: usize = 50_000;

/// What makes a request the same one again.
#[derive(Clone, Debug)]
pub struct Key {
    /// Of the token and its key; random where the caller gave none.
    cause: String,
    given: bool,
    /// Of method, address and body.
    request: [u8; 32],
}

impl Key {
    pub fn of(
        route: &Route,
        uri: &Uri,
        headers: &HeaderMap,
        caller: &Caller,
        body: &[u8],
    ) -> Result<Key, Problem> {
        let mut hash = Sha256::new();
        for part in [route.method.name().as_bytes(), uri.path().as_bytes(), body] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let request = hash.finalize().into();
        let Some(value) = headers.get(HEADER) else {
            let mut random = [0; 16];
            getrandom::fill(&mut random).map_err(|_| Problem::internal())?;
            // Keys that callers give have another form, so none is ever taken for this one.
            return Ok(Key {
                cause: format!("{}::{}", caller.token, hex::encode(random)),
                given: false,
                request,
            });
        };
        let text = value.to_str().unwrap_or_default();
        let sound = !text.is_empty() && text.len() <= LONGEST && text.bytes().all(|b| b.is_ascii_graphic());
        if !sound {
            let detail = format!("Idempotency-Key is 1 to {LONGEST} visible characters");
            return Err(Problem::bad("idempotency-key", detail));
        }
        // Hashed: a cause stays in the log, and nobody knows what callers put into their keys.
        let own = hex::encode(Sha256::digest(text));
        Ok(Key { cause: format!("{}:{own}", caller.token), given: true, request })
    }

    pub fn cause(&self) -> Cause {
        Cause::Console(self.cause.clone())
    }

    /// Whether the caller may send this again and mean the same.
    pub fn is_given(&self) -> bool {
        self.given
    }
}

struct Used {
    request: [u8; 32],
    at: Instant,
    /// The message that the request made.
    made: Option<MessageId>,
    finished: bool,
}

#[derive(Default)]
pub struct Onces {
    used: Mutex<HashMap<String, Used>>,
}

impl Onces {
    /// Refuses a key that was used for something else.
    pub fn begin(&self, key: &Key) -> Result<(), Problem> {
        if !key.given {
            return Ok(());
        }
        let now = Instant::now();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= KEYS {
            used.retain(|_, one| now.duration_since(one.at) < DAY);
            if used.len() >= KEYS {
                let mut ages: Vec<Instant> = used.values().map(|one| one.at).collect();
                ages.sort_unstable();
                let middle = ages[ages.len() / 2];
                used.retain(|_, one| one.at > middle);
            }
        }
        match used.get(&key.cause) {
            Some(one) if one.request != key.request && now.duration_since(one.at) < DAY => {
                let detail = "this Idempotency-Key was used for another request";
                Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", detail))
            }
            Some(_) => Ok(()),
            None => {
                used.insert(
                    key.cause.clone(),
                    Used { request: key.request, at: now, made: None, finished: false },
                );
                Ok(())
            }
        }
    }

    pub fn made(&self, key: &Key, message: MessageId) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = used.get_mut(&key.cause) {
            one.made = Some(message);
        }
    }

    /// For requests that are no events of a conversation: done, so not done again.
    pub fn finished(&self, key: &Key) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = used.get_mut(&key.cause) {
            one.finished = true;
        }
    }

    pub fn was_finished(&self, key: &Key) -> bool {
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key.cause)
            .is_some_and(|one| one.finished)
    }

    pub fn made_before(&self, key: &Key) -> Option<MessageId> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).get(&key.cause).and_then(|one| one.made)
    }
}

/// Says that nothing was done this time.
pub fn replayed(mut response: Response) -> Response {
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(cause: &str, request: u8) -> Key {
        Key { cause: cause.into(), given: true, request: [request; 32] }
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_means_one_request_for_a_day() {
        let onces = Onces::default();
        let made = MessageId { conversation: deskbridge_conversation::ConversationId(1), seq: 2, n: 0 };
        assert!(onces.begin(&key("t:a", 1)).is_ok() && onces.begin(&key("t:a", 1)).is_ok());
        onces.made(&key("t:a", 1), made);
        assert_eq!(onces.made_before(&key("t:a", 1)), Some(made));
        assert_eq!(onces.begin(&key("t:a", 2)).unwrap_err().status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(onces.begin(&key("u:a", 2)).is_ok());
        tokio::time::advance(DAY).await;
        assert!(onces.begin(&key("t:a", 2)).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_memory_is_bounded() {
        let onces = Onces::default();
        for n in 0..=KEYS {
            tokio::time::advance(Duration::from_millis(1)).await;
            onces.begin(&key(&n.to_string(), 0)).unwrap();
        }
        assert!(onces.used.lock().unwrap().len() <= KEYS);
        assert!(onces.begin(&key(&KEYS.to_string(), 1)).is_err(), "the newest is remembered");
    }
}

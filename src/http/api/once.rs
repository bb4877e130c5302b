//! `Idempotency-Key`: the same request twice does a thing once; the same key with another request is refused.
//!
//! Not here: the guarantee itself. That is the cause, which the store keeps for good, or the answer that it keeps for a day
//! where that is no state of a conversation (`answered.rs`); this remembers, in memory, what keys were used for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use bytes::Bytes;
use deskbridge_conversation::MessageId;
use deskbridge_store::Cause;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::routes::Route;
use crate::http::auth::Caller;
use crate::http::problem::Problem;

const HEADER: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const LONGEST: usize = 255;
pub const DAY: Duration = Duration::from_secs(24 * 3600);
/// Keys that are remembered; the older half goes when there are more.
const KEYS: usize = 50_000;
/// Bytes of an answer that is kept.
const LARGEST: usize = 16 << 10;

/// How fingerprints begin that are kept. Those of before were not keyed, and are compared with nothing any more.
pub const KEYED: &str = "keyed:";

/// What makes a request the same one again.
#[derive(Clone, Debug)]
pub struct Key {
    /// Of the token and its key; random where the caller gave none.
    cause: String,
    given: bool,
    /// Of method, address and body; keyed, so that nobody who reads it can try what was sent.
    request: [u8; 32],
}

impl Key {
    pub fn of(
        route: &Route,
        uri: &Uri,
        headers: &HeaderMap,
        caller: &Caller,
        body: &[u8],
        secret: &str,
    ) -> Result<Key, Problem> {
        let mut hash = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| Problem::internal())?;
        for part in [route.method.name().as_bytes(), uri.path().as_bytes(), body] {
            hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let request = hash.finalize().into_bytes().into();
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

    /// Under which the answer is kept, and of what request.
    pub fn named(&self) -> (&str, String) {
        (&self.cause, format!("{KEYED}{}", hex::encode(self.request)))
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
    stage: Stage,
}

/// How far a request is that is no event of a conversation.
enum Stage {
    Begun,
    /// It was under way here, and whoever asked went away: it may be sent again.
    Cut,
    UnderWay,
    /// `None`: the answer was too large to keep.
    Done(Option<Kept>),
}

/// An answer as it was given.
#[derive(Clone)]
pub struct Kept {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Kept {
    fn response(&self) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        response.headers_mut().clone_from(&self.headers);
        response
    }
}

/// What becomes of a request.
pub enum Started {
    /// It was carried out before; this is what it answered.
    Before(Response),
    Now(Doing),
}

/// One request under way. Dropped before its end, it may be sent again.
pub struct Doing {
    key: String,
    onces: Arc<Mutex<HashMap<String, Used>>>,
    ended: bool,
    /// Nothing is known here of an earlier try; another run of the program may know.
    pub first: bool,
}

impl Drop for Doing {
    fn drop(&mut self) {
        if !self.ended {
            set(&self.onces, &self.key, Stage::Cut);
        }
    }
}

impl Doing {
    /// It was carried out by an earlier run; `None`: what it answered is not known.
    pub fn was_done(mut self, kept: Option<Kept>) -> Result<Response, Problem> {
        let answer = kept.as_ref().map(Kept::response);
        set(&self.onces, &self.key, Stage::Done(kept));
        self.ended = true;
        answer.ok_or_else(already_done)
    }

    /// Keeps the answer, and gives it, with what there is to keep of it elsewhere.
    pub async fn finish(mut self, response: Response) -> Result<(Response, Option<Kept>), Problem> {
        let (head, body) = response.into_parts();
        // Answers of these routes are small JSON, in memory already.
        let body = to_bytes(body, usize::MAX).await.map_err(|_| Problem::internal())?;
        let kept = (body.len() <= LARGEST).then(|| Kept {
            status: head.status,
            headers: head.headers.clone(),
            body: body.clone(),
        });
        set(&self.onces, &self.key, Stage::Done(kept.clone()));
        self.ended = true;
        Ok((Response::from_parts(head, Body::from(body)), kept))
    }
}

fn set(onces: &Mutex<HashMap<String, Used>>, key: &str, stage: Stage) {
    if let Some(one) = onces.lock().unwrap_or_else(PoisonError::into_inner).get_mut(key) {
        one.stage = stage;
    }
}

#[derive(Default)]
pub struct Onces {
    used: Arc<Mutex<HashMap<String, Used>>>,
    answers: AtomicUsize,
    /// Erasures that this has heard of.
    erasures: AtomicU64,
}

impl Onces {
    /// With every so-many-th answer, the first among them.
    pub fn is_time_to_sweep(&self, every: usize) -> bool {
        self.answers.fetch_add(1, Ordering::Relaxed).is_multiple_of(every)
    }

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
            Some(one) if one.request != key.request && now.duration_since(one.at) < DAY => Err(reused()),
            Some(_) => Ok(()),
            None => {
                used.insert(
                    key.cause.clone(),
                    Used { request: key.request, at: now, made: None, stage: Stage::Begun },
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
        set(&self.used, &key.cause, Stage::Done(None));
    }

    /// After [`Onces::begin`]: one of those that come together does it, the others are told to come again.
    pub fn start(&self, key: &Key) -> Result<Started, Problem> {
        let mut first = true;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = used.get_mut(&key.cause) {
            match &one.stage {
                Stage::Begun | Stage::Cut => {
                    first = matches!(one.stage, Stage::Begun);
                    one.stage = Stage::UnderWay;
                }
                Stage::UnderWay => {
                    let problem = Problem::conflict("under-way", "the same request is being carried out");
                    return Err(problem.with(header::RETRY_AFTER, 1));
                }
                Stage::Done(None) => return Err(already_done()),
                Stage::Done(Some(kept)) => return Ok(Started::Before(kept.response())),
            }
        }
        Ok(Started::Now(Doing { key: key.cause.clone(), onces: self.used.clone(), ended: false, first }))
    }

    /// Somebody was erased since it was asked the last time: nothing that was answered before is repeated.
    pub fn know(&self, erasures: u64) {
        if self.erasures.swap(erasures, Ordering::SeqCst) != erasures {
            self.forget_answers();
        }
    }

    /// What was done stays done; what was answered may name somebody who is erased now.
    pub fn forget_answers(&self) {
        for one in self.used.lock().unwrap_or_else(PoisonError::into_inner).values_mut() {
            if matches!(one.stage, Stage::Done(Some(_))) {
                one.stage = Stage::Done(None);
            }
        }
    }

    pub fn was_finished(&self, key: &Key) -> bool {
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key.cause)
            .is_some_and(|one| matches!(one.stage, Stage::Done(_)))
    }

    pub fn made_before(&self, key: &Key) -> Option<MessageId> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).get(&key.cause).and_then(|one| one.made)
    }
}

pub fn reused() -> Problem {
    let detail = "this Idempotency-Key was used for another request";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", detail)
}

fn already_done() -> Problem {
    Problem::conflict("already-done", "this request was carried out before")
}

/// Says that nothing was done this time.
pub fn replayed(mut response: Response) -> Response {
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_of_a_body_with_a_password() {
        let own = || super::super::routes::TABLE.iter().filter(|route| route.path.starts_with("/session"));
        assert!(own().count() > 5 && own().all(|route| !route.is_once()));
    }

    #[test]
    fn a_fingerprint_needs_its_key() {
        let route = super::super::routes::TABLE.iter().find(|route| route.is_once()).unwrap();
        let of = |body: &str, secret: &str| {
            let uri = Uri::from_static("/api/v1/tokens");
            let key = Key::of(route, &uri, &HeaderMap::new(), &Caller::unknown(), body.as_bytes(), secret);
            key.unwrap().named().1
        };
        assert_eq!(of("a", "one"), of("a", "one"));
        assert_ne!(of("a", "one"), of("b", "one"));
        assert_ne!(of("a", "one"), of("a", "another"));
    }

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

//! Discord's limits as its answers tell them: buckets by route, the global limit, and the count of refused calls that ends
//! in a ban of the address ("Rate Limits").
//!
//! Not here: pacing by declared figures, which the outbox does.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deskbridge_contract::SendError;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::time::Instant;

use super::Fault;

/// So long a call waits for its bucket by itself; beyond, the caller is told when to come again.
const PATIENT: Duration = Duration::from_secs(3);
const LONGEST: Duration = Duration::from_secs(3600);
/// A wait of which the channel's health tells.
const WORTH_SAYING: Duration = Duration::from_secs(120);
/// "10 000 invalid requests per 10 minutes" end in a ban; we stop at half.
const MOST_INVALID: usize = 5_000;
const INVALID_WINDOW: Duration = Duration::from_secs(600);
/// Routes of which something is known.
const MOST_ROUTES: usize = 4_000;

/// What a limit belongs to: the route without its ids, but with its first one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    route: String,
    /// Channel, guild or webhook: buckets are apart by it.
    top: String,
    apart: &'static str,
    /// "Interaction endpoints are not bound to the bot's global limit".
    exempt: bool,
}

impl Key {
    pub(super) fn of(method: &Method, route: &str, apart: &'static str) -> Key {
        let mut parts = Vec::new();
        let mut top = String::new();
        for (nth, part) in route.split('/').enumerate() {
            let before = parts.last().copied().unwrap_or_default();
            if nth == 1 && matches!(before, "channels" | "guilds" | "webhooks") {
                top = format!("{before}/{part}");
                parts.push(":top");
            } else if part.bytes().all(|b| b.is_ascii_digit()) {
                parts.push(":id");
            } else if nth == 2 && parts.first() == Some(&"webhooks") {
                // A token: it belongs to the bucket, and is not kept.
                parts.push(":token");
            } else if before == "reactions" {
                parts.push(":emoji");
            } else {
                parts.push(part);
            }
        }
        let exempt = parts.first() == Some(&"interactions");
        Key { route: format!("{method} {}", parts.join("/")), top, apart, exempt }
    }
}

#[derive(Default)]
struct Inner {
    /// The bucket's own name by route; several routes may share one.
    names: HashMap<Key, String>,
    /// Calls left, and until when, by bucket and top.
    buckets: HashMap<(String, String), (u64, Instant)>,
    everything_until: Option<Instant>,
    invalid: VecDeque<Instant>,
}

#[derive(Default)]
pub(super) struct Buckets(Mutex<Inner>);

impl Buckets {
    /// Waits until the call may go, when that is soon.
    pub(super) async fn enter(&self, key: &Key) -> Result<(), Fault> {
        let mut left = PATIENT;
        loop {
            let wait = self.wait(key);
            if wait.is_zero() {
                return Ok(());
            }
            if wait > left {
                return Err(
                    SendError::Retry { after: Some(wait), why: "Discord's limit is reached".into() }.into()
                );
            }
            left = left.saturating_sub(wait);
            tokio::time::sleep(wait).await;
        }
    }

    /// How long until a call may go; takes a place in the bucket when that is now.
    fn wait(&self, key: &Key) -> Duration {
        let now = Instant::now();
        let mut inner = self.lock();
        while inner.invalid.front().is_some_and(|at| now.duration_since(*at) > INVALID_WINDOW) {
            inner.invalid.pop_front();
        }
        if inner.invalid.len() >= MOST_INVALID {
            return inner.invalid.front().map_or(PATIENT, |at| (*at + INVALID_WINDOW).duration_since(now));
        }
        if let Some(until) = inner.everything_until.filter(|until| *until > now && !key.exempt) {
            return until.duration_since(now);
        }
        let bucket = inner.bucket_of(key);
        match inner.buckets.get_mut(&bucket) {
            Some((0, until)) if *until > now => until.duration_since(now),
            Some((left, until)) if *until > now => {
                *left -= 1;
                Duration::ZERO
            }
            _ => Duration::ZERO,
        }
    }

    /// Whether a call would go at once, with this many left after it in its bucket. Takes no place.
    pub(super) fn has_room(&self, key: &Key, spare: u64) -> bool {
        let now = Instant::now();
        let inner = self.lock();
        if inner.everything_until.is_some_and(|until| until > now) || inner.invalid.len() >= MOST_INVALID {
            return false;
        }
        let bucket = inner.bucket_of(key);
        inner.buckets.get(&bucket).is_none_or(|(left, until)| *until <= now || *left > spare)
    }

    pub(super) fn learn(&self, key: &Key, status: u16, headers: &HeaderMap, body: Option<&Value>) {
        let now = Instant::now();
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let seconds = |name: &str| text(name).and_then(|text| text.parse::<f64>().ok()).map(duration);
        let shared = text("x-ratelimit-scope") == Some("shared");
        let mut inner = self.lock();
        if matches!(status, 401 | 403) || (status == 429 && !shared) {
            inner.invalid.push_back(now);
        }
        if inner.names.len() > MOST_ROUTES {
            inner.names.clear();
        }
        if inner.buckets.len() > MOST_ROUTES {
            inner.buckets.retain(|_, (_, until)| *until > now);
        }
        if let Some(name) = text("x-ratelimit-bucket") {
            inner.names.insert(key.clone(), name.to_owned());
        }
        let bucket = inner.bucket_of(key);
        if status == 429 {
            let until = now + retry_after(headers, body).unwrap_or(PATIENT);
            let global = text("x-ratelimit-global").is_some()
                || text("x-ratelimit-scope") == Some("global")
                || body.and_then(|body| body.get("global")) == Some(&Value::Bool(true));
            if global {
                inner.everything_until = Some(until);
            } else {
                inner.buckets.insert(bucket, (0, until));
            }
            return;
        }
        let left = text("x-ratelimit-remaining").and_then(|text| text.parse::<u64>().ok());
        if let Some((left, after)) = left.zip(seconds("x-ratelimit-reset-after")) {
            inner.note(bucket, left, now + after);
        }
    }

    /// What waits so long that somebody has to know (F11); without ids: those are nobody's business.
    pub(super) fn warnings(&self) -> Vec<String> {
        let now = Instant::now();
        let inner = self.lock();
        let long = |until: &Instant| until.saturating_duration_since(now) >= WORTH_SAYING;
        let minutes = |until: Instant| until.saturating_duration_since(now).as_secs().div_ceil(60);
        if let Some(until) = inner.everything_until.filter(long) {
            return vec![format!("Discord takes nothing from the bot for {} minutes", minutes(until))];
        }
        let waiting = inner.buckets.values().filter(|(left, until)| *left == 0 && long(until));
        let waiting: Vec<Instant> = waiting.map(|(_, until)| *until).collect();
        let last = waiting.iter().max().copied().map(minutes);
        last.map(|last| {
            format!("Discord's limits hold up {} of its buckets, for up to {last} minutes", waiting.len())
        })
        .into_iter()
        .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn bucket_of(&self, key: &Key) -> (String, String) {
        let name = self.names.get(key).cloned().unwrap_or_else(|| key.route.clone());
        (format!("{name}{}", key.apart), key.top.clone())
    }

    /// Answers of one window may overtake each other: the smaller number is the later one.
    fn note(&mut self, bucket: (String, String), left: u64, until: Instant) {
        match self.buckets.get_mut(&bucket) {
            Some((known, end)) if *end + Duration::from_millis(50) >= until && *end > Instant::now() => {
                *known = left.min(*known);
            }
            _ => {
                self.buckets.insert(bucket, (left, until));
            }
        }
    }
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(LONGEST).min(LONGEST)
}

/// How long to wait after a 429; the body says it to the millisecond. At most an hour (F11).
pub(super) fn retry_after(headers: &HeaderMap, body: Option<&Value>) -> Option<Duration> {
    let usable = |seconds: &f64| seconds.is_finite() && *seconds >= 0.0;
    let told = body.and_then(|body| body.get("retry_after")?.as_f64()).filter(usable);
    let header = || header_wait(headers).filter(usable);
    told.or_else(header).map(duration).map(|wait| wait.max(Duration::from_millis(1)))
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3), which counts from the answer's own: clocks may differ.
fn header_wait(headers: &HeaderMap) -> Option<f64> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let told = text("retry-after")?.trim();
    if let Ok(seconds) = told.parse() {
        return Some(seconds);
    }
    let date = |text: &str| Some(jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp());
    let now = text("date").and_then(date).unwrap_or_else(jiff::Timestamp::now);
    Some(date(told)?.duration_since(now).as_secs_f64().max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn routes_share_what_discord_shares() {
        let key = |method: Method, route: &str| Key::of(&method, route, "");
        let one = key(Method::POST, "channels/1/messages");
        assert_eq!(one, key(Method::POST, "channels/1/messages"));
        assert_ne!(one, key(Method::POST, "channels/2/messages"));
        assert_eq!(key(Method::PATCH, "channels/1/messages/5"), key(Method::PATCH, "channels/1/messages/6"));
        assert_eq!(
            key(Method::PUT, "channels/1/messages/5/reactions/%F0/@me"),
            key(Method::PUT, "channels/1/messages/6/reactions/%E2/@me")
        );
        assert!(!format!("{:?}", key(Method::POST, "webhooks/1/s3cret")).contains("s3cret"));
        assert!(key(Method::POST, "interactions/1/tok/callback").exempt);
    }

    /// F11: whatever is told, in whichever form; never earlier, and an hour at most.
    #[tokio::test(start_paused = true)]
    async fn f11_as_long_as_told() {
        let date = ("date", "Fri, 31 Jul 2026 23:59:30 GMT");
        let later = ("retry-after", "Sat, 01 Aug 2026 00:00:00 GMT");
        let body = |told: Value| json!({ "retry_after": told, "global": false });
        let none = Value::Null;
        for (told, pairs, seconds) in [
            (body(json!(1.0)), vec![], Some(1.0)),
            (body(json!(30)), vec![("retry-after", "29")], Some(30.0)),
            (body(json!(3600)), vec![], Some(3600.0)),
            (body(json!(7200)), vec![], Some(3600.0)),
            (none.clone(), vec![("retry-after", "30")], Some(30.0)),
            (none.clone(), vec![date, later], Some(30.0)),
            (none.clone(), vec![("date", "Sat, 01 Aug 2026 00:00:10 GMT"), later], Some(0.001)),
            (body(json!(-5)), vec![("retry-after", "7")], Some(7.0)),
            (body(json!("abc")), vec![("retry-after", "abc")], None),
            (none.clone(), vec![("retry-after", "-5")], None),
            (none.clone(), vec![("retry-after", "NaN")], None),
            (none, vec![], None),
        ] {
            let headers = headers(&pairs);
            let wait = retry_after(&headers, Some(&told));
            assert_eq!(wait.map(|wait| wait.as_secs_f64()), seconds, "{told} {pairs:?}");
            // Nothing goes earlier, and what goes elsewhere does not wait.
            let buckets = Buckets::default();
            let key = Key::of(&Method::POST, "channels/1/messages", "");
            buckets.learn(&key, 429, &headers, Some(&told));
            let left = wait.unwrap_or(PATIENT).saturating_sub(Duration::from_millis(1));
            tokio::time::advance(left).await;
            assert!(!buckets.has_room(&key, 0), "{told} {pairs:?}");
            assert!(buckets.has_room(&Key::of(&Method::POST, "channels/2/messages", ""), 0));
            tokio::time::advance(Duration::from_millis(2)).await;
            assert!(buckets.has_room(&key, 0), "{told} {pairs:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_long_is_said() {
        let buckets = Buckets::default();
        let key = Key::of(&Method::POST, "webhooks/1/token", "");
        let wait = |seconds: u64| {
            buckets.learn(&key, 429, &HeaderMap::new(), Some(&json!({ "retry_after": seconds })));
            buckets.warnings()
        };
        assert_eq!(wait(30), Vec::<String>::new());
        assert_eq!(wait(3600).len(), 1);
        assert!(wait(7200)[0].contains("60 minutes"), "{:?}", buckets.warnings());
        tokio::time::advance(Duration::from_secs(3601)).await;
        assert_eq!(buckets.warnings(), Vec::<String>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_bucket_is_waited_for_or_told() {
        let buckets = Buckets::default();
        let key = Key::of(&Method::POST, "channels/1/messages", "");
        let other = Key::of(&Method::POST, "channels/2/messages", "");
        let told = |left: &str, after: &str| {
            headers(&[
                ("x-ratelimit-bucket", "b"),
                ("x-ratelimit-remaining", left),
                ("x-ratelimit-reset-after", after),
            ])
        };
        buckets.learn(&key, 200, &told("1", "2.5"), None);
        assert!(buckets.has_room(&key, 0) && !buckets.has_room(&key, 1) && buckets.has_room(&other, 1));
        assert!(buckets.enter(&key).await.is_ok());
        let before = Instant::now();
        assert!(buckets.enter(&other).await.is_ok() && before.elapsed().is_zero(), "another channel");
        assert!(buckets.enter(&key).await.is_ok());
        assert!(before.elapsed() >= Duration::from_secs(2), "waited");
        buckets.learn(&key, 200, &told("0", "60"), None);
        let Err(fault) = buckets.enter(&key).await else { panic!("went") };
        assert!(
            matches!(fault.error, SendError::Retry { after: Some(wait), .. } if wait > Duration::from_secs(50))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_global_limit_stops_everything_but_interactions() {
        let buckets = Buckets::default();
        let key = Key::of(&Method::POST, "channels/1/messages", "");
        let body = json!({ "retry_after": 10.5, "global": true });
        buckets.learn(&key, 429, &HeaderMap::new(), Some(&body));
        assert!(buckets.enter(&Key::of(&Method::GET, "gateway/bot", "")).await.is_err());
        assert!(buckets.enter(&Key::of(&Method::POST, "interactions/1/t/callback", "")).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn refused_calls_are_counted_before_they_end_in_a_ban() {
        let buckets = Buckets::default();
        let key = Key::of(&Method::POST, "channels/1/messages", "");
        for _ in 0..MOST_INVALID {
            buckets.learn(&key, 403, &HeaderMap::new(), None);
        }
        assert!(buckets.enter(&key).await.is_err());
        tokio::time::advance(INVALID_WINDOW + Duration::from_secs(1)).await;
        assert!(buckets.enter(&key).await.is_ok());
        for _ in 0..MOST_INVALID {
            let shared = headers(&[("x-ratelimit-scope", "shared"), ("retry-after", "0")]);
            buckets.learn(&key, 429, &shared, None);
        }
        tokio::time::advance(Duration::from_secs(4)).await;
        assert!(buckets.enter(&key).await.is_ok(), "shared limits do not count");
    }
}

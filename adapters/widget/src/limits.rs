//! How much one visitor, and one address, may do.
//!
//! Not here: what is answered to somebody who did too much.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, MonotonicClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::config::Config;

/// Let through at once before the rate counts.
const BURST: u32 = 10;
/// Frames of one visitor in a second, whatever they say and over however many connections (S61).
const FRAMES: u32 = 20;
/// Frames let through at once: ten tabs that come back, each with its cursors and read marks.
const FRAMES_AT_ONCE: u32 = 100;
/// Files of one visitor in an hour, and their bytes in a day (S92).
const FILES: u32 = 20;
const BYTES_PER_DAY: u64 = 100 << 20;
/// What bytes are counted in.
const GRAIN: u64 = 64 << 10;
/// New sessions of one address in a minute; an office shares one.
const SESSIONS: u32 = 120;
/// Failed authentications of one address in a minute.
const FAILURES: u32 = 30;
/// After so many answers what is idle is forgotten.
const TIDY: u32 = 4096;

type Keyed<K> = RateLimiter<K, HashMapStateStore<K>, MonotonicClock>;

fn keyed<K: Hash + Eq + Clone>(quota: Quota) -> Keyed<K> {
    RateLimiter::new(quota, HashMapStateStore::default(), MonotonicClock)
}

pub struct Limits {
    frames: Keyed<String>,
    messages: Keyed<String>,
    hints: Keyed<String>,
    files: Keyed<String>,
    bytes: Keyed<String>,
    sessions: Keyed<IpAddr>,
    failures: Keyed<IpAddr>,
    asked: std::sync::atomic::AtomicU32,
}

const fn at_least_one(n: u32) -> NonZeroU32 {
    match NonZeroU32::new(n) {
        Some(n) => n,
        None => NonZeroU32::MIN,
    }
}

/// `Err`: after this time it would be let through.
pub type Allowed = Result<(), Duration>;

impl Limits {
    pub fn new(config: &Config) -> Limits {
        let per_minute = |n| Quota::per_minute(at_least_one(n));
        let grains = u32::try_from(BYTES_PER_DAY / GRAIN).unwrap_or(u32::MAX);
        let grain = Duration::from_secs(24 * 3600) / grains;
        let bytes = Quota::with_period(grain).unwrap_or(Quota::per_minute(NonZeroU32::MIN));
        // Whoever may say so many messages at once may send as many frames.
        let at_once = FRAMES_AT_ONCE.max(config.messages_per_minute);
        Limits {
            frames: keyed(Quota::per_second(at_least_one(FRAMES)).allow_burst(at_least_one(at_once))),
            messages: keyed(
                per_minute(config.messages_per_minute)
                    .allow_burst(at_least_one(config.messages_per_minute.max(BURST))),
            ),
            hints: keyed(Quota::per_second(at_least_one(5)).allow_burst(at_least_one(60))),
            files: keyed(Quota::per_hour(at_least_one(FILES))),
            bytes: keyed(bytes.allow_burst(at_least_one(grains))),
            sessions: keyed(per_minute(SESSIONS)),
            failures: keyed(per_minute(FAILURES)),
            asked: std::sync::atomic::AtomicU32::new(0),
        }
    }

    /// Anything at all.
    pub fn frame(&self, visitor: &str) -> Allowed {
        self.tidy();
        ask(&self.frames, &visitor.to_owned(), NonZeroU32::MIN)
    }

    /// A message, a pressed button, an edit.
    pub fn message(&self, visitor: &str) -> Allowed {
        ask(&self.messages, &visitor.to_owned(), NonZeroU32::MIN)
    }

    /// What costs little: typing, read marks, catching up.
    pub fn hint(&self, visitor: &str) -> Allowed {
        ask(&self.hints, &visitor.to_owned(), NonZeroU32::MIN)
    }

    pub fn file(&self, visitor: &str, size: u64) -> Allowed {
        let grains = u32::try_from(size.div_ceil(GRAIN)).unwrap_or(u32::MAX).max(1);
        ask(&self.files, &visitor.to_owned(), NonZeroU32::MIN)?;
        ask(&self.bytes, &visitor.to_owned(), at_least_one(grains))
    }

    pub fn session(&self, from: IpAddr) -> Allowed {
        self.tidy();
        ask(&self.sessions, &group(from), NonZeroU32::MIN)
    }

    /// Counts a failed authentication.
    pub fn failure(&self, from: IpAddr) -> Allowed {
        ask(&self.failures, &group(from), NonZeroU32::MIN)
    }

    fn tidy(&self) {
        let asked = self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if asked % TIDY == TIDY - 1 {
            for one in [&self.frames, &self.messages, &self.hints, &self.files, &self.bytes] {
                one.retain_recent();
            }
            self.sessions.retain_recent();
            self.failures.retain_recent();
        }
    }
}

fn ask<K: Hash + Eq + Clone>(limiter: &Keyed<K>, key: &K, n: NonZeroU32) -> Allowed {
    match limiter.check_key_n(key, n) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(not_until)) => Err(not_until.wait_time_from(MonotonicClock.now())),
        // More than could ever be let through.
        Err(_) => Err(Duration::from_secs(24 * 3600)),
    }
}

/// One customer of a provider has a whole /64 of addresses.
fn group(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX))),
    }
}

/// Open connections by key; a place is given back when it is dropped.
pub struct Places<K: Hash + Eq> {
    taken: Arc<Mutex<HashMap<K, u32>>>,
    most: u32,
}

pub struct Place<K: Hash + Eq> {
    taken: Arc<Mutex<HashMap<K, u32>>>,
    key: K,
}

impl<K: Hash + Eq + Clone> Places<K> {
    pub fn new(most: u32) -> Places<K> {
        Places { taken: Arc::default(), most }
    }

    pub fn take(&self, key: K) -> Option<Place<K>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(key.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { taken: self.taken.clone(), key })
    }
}

impl Places<IpAddr> {
    pub fn take_address(&self, from: IpAddr) -> Option<Place<IpAddr>> {
        self.take(group(from))
    }
}

impl<K: Hash + Eq> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s92_a_visitor_has_twenty_files_an_hour() {
        let config = Config::from_value(serde_json::json!({ "origins": [] })).ok().unwrap();
        let limits = Limits::new(&config);
        let taken = (0..10_000).filter(|_| limits.file("v1", 1000).is_ok()).count();
        assert_eq!(taken, 20);
        assert!(limits.file("v2", 60 << 20).is_ok());
        assert!(limits.file("v2", 60 << 20).is_err(), "a hundred megabytes a day");
    }

    #[test]
    fn places_come_back() {
        let places = Places::new(2);
        let (one, _two) = (places.take("a").unwrap(), places.take("a").unwrap());
        assert!(places.take("a").is_none() && places.take("b").is_some());
        drop(one);
        assert!(places.take("a").is_some());
    }
}

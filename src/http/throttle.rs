//! How often somebody may try to sign in (S76): slower and slower per account and address, without locking an account.
//!
//! Not here: whether a password is right.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{StatusCode, header};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::edge::group;
use super::problem::Problem;

/// Wrong ones before one has to wait.
const FREE: u32 = 5;
const LONGEST: Duration = Duration::from_secs(300);
/// A pair of account and address is forgotten after this.
const FORGOTTEN: Duration = Duration::from_secs(900);
/// From all addresses together, for one account in one `FORGOTTEN`: after that only addresses that were right before go on.
const SPREAD: u32 = 30;
/// From one address, for all accounts.
const SPRAYED: u32 = 40;
/// Sign-ins with the company's provider that one address may begin in one `BEGINNING`: each is a row in the store. A whole
/// office may be behind one address.
const BEGUN: u32 = 120;
const BEGINNING: Duration = Duration::from_secs(60);
/// Things that are remembered.
const REMEMBERED: usize = 20_000;

#[derive(Default)]
pub struct Throttle {
    all: Mutex<HashMap<Key, Tries>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Pair([u8; 32], IpAddr),
    Account([u8; 32]),
    Address(IpAddr),
    /// Sent to the provider; `last` is when its time began.
    Begun(IpAddr),
    /// Was right from there.
    Known([u8; 32], IpAddr),
}

struct Tries {
    wrong: u32,
    last: Instant,
}

fn hashed(login: &str) -> [u8; 32] {
    Sha256::digest(login).into()
}

impl Throttle {
    fn all(&self) -> MutexGuard<'_, HashMap<Key, Tries>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a try is allowed now; asked before anything is compared, whether the account exists or not.
    pub fn may(&self, login: &str, from: IpAddr) -> Result<(), Problem> {
        let (who, from, now) = (hashed(login), group(from), Instant::now());
        let all = self.all();
        let wrong = |key: &Key| all.get(key).filter(|one| now.duration_since(one.last) < FORGOTTEN);
        if let Some(pair) = wrong(&Key::Pair(who, from)).filter(|pair| pair.wrong >= FREE) {
            let wait = Duration::from_secs(1 << (pair.wrong - FREE).min(9)).min(LONGEST);
            let left = wait.saturating_sub(now.duration_since(pair.last));
            if !left.is_zero() {
                return Err(too_many(left));
            }
        }
        let known = all.contains_key(&Key::Known(who, from));
        let spread = wrong(&Key::Account(who)).is_some_and(|one| one.wrong >= SPREAD);
        let sprayed = wrong(&Key::Address(from)).is_some_and(|one| one.wrong >= SPRAYED);
        if !known && (spread || sprayed) { Err(too_many(Duration::from_secs(60))) } else { Ok(()) }
    }

    /// Counts a sign-in that begins, and refuses one too many.
    pub fn may_begin(&self, from: IpAddr) -> Result<(), Problem> {
        let now = Instant::now();
        let mut all = self.all();
        make_room(&mut all, now);
        let one = all.entry(Key::Begun(group(from))).or_insert(Tries { wrong: 0, last: now });
        let passed = now.duration_since(one.last);
        if passed >= BEGINNING {
            (one.wrong, one.last) = (0, now);
        } else if one.wrong >= BEGUN {
            return Err(too_many(BEGINNING.saturating_sub(passed)));
        }
        one.wrong += 1;
        Ok(())
    }

    pub fn was_wrong(&self, login: &str, from: IpAddr) {
        let (who, from, now) = (hashed(login), group(from), Instant::now());
        let mut all = self.all();
        make_room(&mut all, now);
        for key in [Key::Pair(who, from), Key::Account(who), Key::Address(from)] {
            let one = all.entry(key).or_insert(Tries { wrong: 0, last: now });
            if now.duration_since(one.last) >= FORGOTTEN {
                one.wrong = 0;
            }
            one.wrong = one.wrong.saturating_add(1);
            one.last = now;
        }
    }

    pub fn was_right(&self, login: &str, from: IpAddr) {
        let (who, from) = (hashed(login), group(from));
        let mut all = self.all();
        all.remove(&Key::Pair(who, from));
        all.insert(Key::Known(who, from), Tries { wrong: 0, last: Instant::now() });
    }
}

fn make_room(all: &mut HashMap<Key, Tries>, now: Instant) {
    if all.len() >= REMEMBERED {
        all.retain(|key, one| matches!(key, Key::Known(..)) || now.duration_since(one.last) < FORGOTTEN);
        if all.len() >= REMEMBERED {
            all.clear();
        }
    }
}

fn too_many(left: Duration) -> Problem {
    let seconds = left.as_secs() + 1;
    let detail = "too many tries; wait a moment";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-tries", detail).with(header::RETRY_AFTER, seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(n: u8) -> IpAddr {
        IpAddr::from([203, 0, 113, n])
    }

    #[tokio::test(start_paused = true)]
    async fn s76_guessing_gets_slower_and_locks_nobody_out() {
        let throttle = Throttle::default();
        for _ in 0..FREE {
            throttle.may("ana", ip(1)).unwrap();
            throttle.was_wrong("ana", ip(1));
        }
        let mut tried = 0;
        for _ in 0..3600 {
            tokio::time::advance(Duration::from_secs(1)).await;
            if throttle.may("ana", ip(1)).is_ok() {
                tried += 1;
                throttle.was_wrong("ana", ip(1));
            }
        }
        assert!(tried < 25, "{tried} tries in an hour");
        // From elsewhere she gets in, and from there she always does.
        throttle.may("ana", ip(2)).unwrap();
        throttle.was_right("ana", ip(2));
        for n in 0..200 {
            throttle.was_wrong("ana", ip(3 + n));
        }
        assert!(throttle.may("ana", ip(250)).is_err(), "spread over many addresses");
        throttle.may("ana", ip(2)).unwrap();
        throttle.may("bob", ip(250)).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn sign_ins_elsewhere_begin_so_often_and_no_oftener() {
        let throttle = Throttle::default();
        let begun = (0..1_000).filter(|_| throttle.may_begin(ip(1)).is_ok()).count();
        assert_eq!(begun, BEGUN as usize);
        assert!(throttle.may_begin(ip(2)).is_ok() && throttle.may("ana", ip(1)).is_ok());
        tokio::time::advance(BEGINNING).await;
        assert!(throttle.may_begin(ip(1)).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn s76_one_password_for_many_accounts() {
        let throttle = Throttle::default();
        let allowed = (0..1_000).filter(|n| {
            let login = format!("user{n}");
            let may = throttle.may(&login, ip(9)).is_ok();
            if may {
                throttle.was_wrong(&login, ip(9));
            }
            may
        });
        assert_eq!(allowed.count(), SPRAYED as usize);
        assert!(throttle.may("bob", ip(8)).is_ok());
    }
}

//! Counts failed authentications per address, and answers 429 where there are too many (S35).
//!
//! Not here: authentication. Requests that authenticate well are never counted and never held up, whatever else comes
//! from their address: behind a proxy that nobody configured, everybody shares one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{StatusCode, header};
use tokio::time::Instant;

use super::problem::Problem;

/// The whole budget comes back in this time.
const WINDOW: Duration = Duration::from_secs(10);
/// Addresses that are remembered.
const ADDRESSES: usize = 10_000;
/// An address under attack is named in the log once in this time.
const SAID: Duration = Duration::from_secs(60);

pub struct Edge {
    budget: f64,
    failing: Mutex<HashMap<IpAddr, Failing>>,
}

struct Failing {
    left: f64,
    at: Instant,
    said: Option<Instant>,
    unsaid: u64,
}

impl Edge {
    /// `budget`: failures at once, and in ten seconds.
    pub fn new(budget: u32) -> Self {
        Edge { budget: f64::from(budget.max(1)), failing: Mutex::default() }
    }

    /// Takes note of a failure. `Some`: too many; the answer to give instead.
    pub fn failed(&self, from: IpAddr) -> Option<Problem> {
        metrics::counter!("deskbridge_http_refused_total", "reason" => "unauthorized").increment(1);
        let (now, from) = (Instant::now(), group(from));
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if failing.len() >= ADDRESSES && !failing.contains_key(&from) {
            failing.retain(|_, one| now.duration_since(one.at) < WINDOW);
            if failing.len() >= ADDRESSES {
                failing.clear();
            }
        }
        let one =
            failing.entry(from).or_insert(Failing { left: self.budget, at: now, said: None, unsaid: 0 });
        let per_second = self.budget / WINDOW.as_secs_f64();
        one.left = (one.left + now.duration_since(one.at).as_secs_f64() * per_second).min(self.budget);
        one.at = now;
        if one.left >= 1.0 {
            one.left -= 1.0;
            return None;
        }
        one.unsaid += 1;
        if one.said.is_none_or(|said| now.duration_since(said) >= SAID) {
            one.said = Some(now);
            let times = std::mem::take(&mut one.unsaid);
            tracing::warn!(%from, times, "too many failed authentications from one address");
        }
        let wait = ((1.0 - one.left) / per_second).ceil().clamp(1.0, WINDOW.as_secs_f64());
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-failures", "");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=10")]
        Some(problem.with(header::RETRY_AFTER, wait as u64))
    }
}

/// One customer of a provider has a whole /64 of addresses.
pub fn group(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_budget_per_address_that_comes_back() {
        let edge = Edge::new(20);
        let (one, other) = (IpAddr::from([203, 0, 113, 1]), IpAddr::from([203, 0, 113, 2]));
        assert!((0..20).all(|_| edge.failed(one).is_none()));
        let refused = edge.failed(one).unwrap();
        assert_eq!(refused.headers, [(header::RETRY_AFTER, 1_u64.into())]);
        assert!(edge.failed(other).is_none());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(edge.failed(one).is_none() && edge.failed(one).is_none() && edge.failed(one).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn many_addresses_take_no_more_memory() {
        let edge = Edge::new(1);
        for n in 0..(ADDRESSES as u32 + 50) {
            edge.failed(IpAddr::V4(n.into()));
        }
        assert!(edge.failing.lock().unwrap().len() <= ADDRESSES);
        let six = |text: &str| group(text.parse().unwrap());
        assert_eq!(six("2001:db8::1"), six("2001:db8::ffff:1"));
        assert_ne!(six("2001:db8::1"), six("2001:db8:0:1::1"));
    }
}

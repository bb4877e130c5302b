//! Stops asking a model that fails again and again, and tries it again later.
//!
//! Not here: what counts as the model's fault (`failure.rs`), what is said meanwhile (the fallback).

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So many failures within the window open the circuit, for as long as the window.
const FAILURES: usize = 5;
const WINDOW: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: VecDeque<Instant>,
    /// When it opened, or when the last trial began.
    open_since: Option<Instant>,
}

impl Breaker {
    /// Whether the model may be asked. While open, one trial is let through per window; a trial that never reports (its
    /// turn was superseded) only delays the next one.
    pub(super) fn allows(&self, now: Instant) -> bool {
        let mut state = self.lock();
        match state.open_since {
            None => true,
            Some(since) if now.duration_since(since) >= WINDOW => {
                state.open_since = Some(now);
                true
            }
            Some(_) => false,
        }
    }

    pub(super) fn succeeded(&self) {
        *self.lock() = State::default();
    }

    pub(super) fn failed(&self, now: Instant) {
        let mut state = self.lock();
        state.failures.retain(|at| now.duration_since(*at) < WINDOW);
        state.failures.push_back(now);
        if state.open_since.is_some() || state.failures.len() >= FAILURES {
            state.open_since = Some(now);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn five_failures_open_it_and_one_trial_closes_it() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for second in 0..4 {
            breaker.failed(at(start, second));
        }
        assert!(breaker.allows(at(start, 4)));
        breaker.failed(at(start, 4));
        assert!(!breaker.allows(at(start, 5)));
        assert!(!breaker.allows(at(start, 33)));
        // Half open: one trial only.
        assert!(breaker.allows(at(start, 34)));
        assert!(!breaker.allows(at(start, 35)));
        breaker.failed(at(start, 36));
        assert!(!breaker.allows(at(start, 65)));
        assert!(breaker.allows(at(start, 66)));
        breaker.succeeded();
        assert!(breaker.allows(at(start, 67)) && breaker.allows(at(start, 67)));
    }

    #[test]
    fn failures_far_apart_do_not_add_up() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for n in 0..20 {
            breaker.failed(at(start, n * 10));
            assert!(breaker.allows(at(start, n * 10)), "{n}");
        }
    }

    #[test]
    fn a_success_forgets() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for _ in 0..3 {
            (0..4).for_each(|_| breaker.failed(start));
            breaker.succeeded();
        }
        assert!(breaker.allows(start));
    }
}

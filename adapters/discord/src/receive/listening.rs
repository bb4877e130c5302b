//! Whether anything can come over the gateway, and since when nothing can: that Discord's other calls answer says nothing
//! of it.
//!
//! Not here: connecting (`gateway.rs`, `link.rs`).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deskbridge_contract::Timestamp;

/// Losses that are mended sooner are nobody's worry: a resume takes less, and so does a new session.
const SHORT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nobody listens here: this one only sends.
    #[default]
    Idle,
    Listening,
    Deaf {
        since: Timestamp,
        why: Option<String>,
    },
}

#[derive(Default)]
pub(crate) struct Listening(Mutex<State>);

impl Listening {
    /// A connection is looked for; it was perhaps looked for before.
    pub(super) fn begins(&self, now: Timestamp) {
        let mut state = self.lock();
        if !matches!(*state, State::Deaf { .. }) {
            *state = State::Deaf { since: now, why: None };
        }
    }

    /// READY or RESUMED.
    pub(super) fn hears(&self) {
        *self.lock() = State::Listening;
    }

    /// The connection ended, or none came about.
    pub(super) fn lost(&self, now: Timestamp, why: &str) {
        let mut state = self.lock();
        let since = match *state {
            State::Deaf { since, .. } => since,
            State::Idle | State::Listening => now,
        };
        *state = State::Deaf { since, why: Some(why.to_owned()) };
    }

    /// What whoever looks after it has to know.
    pub(crate) fn said(&self, now: Timestamp) -> Option<String> {
        let state = self.lock().clone();
        let State::Deaf { since, why } = state else { return None };
        if now.since(since) < SHORT {
            return None;
        }
        let at = jiff::Timestamp::from_microsecond(since.0).unwrap_or_default();
        let at = at.strftime("%Y-%m-%d %H:%M:%S");
        let why = why.unwrap_or_else(|| "the gateway did not greet yet".into());
        Some(format!("nothing is received since {at} UTC: {why}"))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_the_first_loss_and_not_for_a_short_one() {
        let listening = Listening::default();
        let at = |seconds: i64| Timestamp::from_seconds(1_800_000_000 + seconds);
        assert_eq!(listening.said(at(0)), None, "nobody listens");
        listening.begins(at(0));
        assert_eq!(listening.said(at(9)), None);
        let told = listening.said(at(10)).expect("deaf");
        assert_eq!(told, "nothing is received since 2027-01-15 08:00:00 UTC: the gateway did not greet yet");
        listening.hears();
        assert_eq!(listening.said(at(100)), None);
        listening.lost(at(100), "cut");
        listening.lost(at(108), "not reached");
        listening.begins(at(109));
        assert_eq!(listening.said(at(109)), None);
        let told = listening.said(at(110)).expect("deaf");
        assert_eq!(told, "nothing is received since 2027-01-15 08:01:40 UTC: not reached");
    }
}

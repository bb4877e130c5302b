//! How often the model may be asked: per requester and altogether, by day (S101).
//!
//! Not here: how much one question may cost; prompts and answers have their own limits.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use deskbridge_contract::Timestamp;

const DAY: i64 = 86_400_000_000;

/// Calls of the model in one day (UTC). Every tool step is a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    pub per_requester: u32,
    pub per_day: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { per_requester: 100, per_day: 5_000 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spent {
    Requester,
    Day,
}

/// Counts in memory: a restart forgives.
#[derive(Debug)]
pub(super) struct Purse {
    budget: Budget,
    today: Mutex<Today>,
}

#[derive(Debug, Default)]
struct Today {
    day: i64,
    calls: u32,
    /// Never longer than `calls`.
    of: HashMap<String, u32>,
}

impl Purse {
    pub(super) fn new(budget: Budget) -> Self {
        Purse { budget, today: Mutex::default() }
    }

    /// Whether this requester has none left today; takes nothing.
    pub(super) fn is_empty_for(&self, requester: &str, now: Timestamp) -> bool {
        self.today(now).of.get(requester).copied().unwrap_or(0) >= self.budget.per_requester
    }

    /// Takes one call, or says whose budget is used up.
    pub(super) fn take(&self, requester: &str, now: Timestamp) -> Result<(), Spent> {
        let mut today = self.today(now);
        if today.of.get(requester).copied().unwrap_or(0) >= self.budget.per_requester {
            return Err(Spent::Requester);
        }
        if today.calls >= self.budget.per_day {
            return Err(Spent::Day);
        }
        today.calls += 1;
        *today.of.entry(requester.to_owned()).or_default() += 1;
        Ok(())
    }

    fn today(&self, now: Timestamp) -> MutexGuard<'_, Today> {
        let mut today = self.today.lock().unwrap_or_else(PoisonError::into_inner);
        let day = now.0.div_euclid(DAY);
        if today.day != day {
            *today = Today { day, ..Today::default() };
        }
        today
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s101_a_day_has_an_end_and_a_next_one() {
        let purse = Purse::new(Budget { per_requester: 2, per_day: 3 });
        let monday = Timestamp::from_seconds(1_767_600_000);
        let take = |who: &str, now: Timestamp| purse.take(who, now);
        assert_eq!([take("ana", monday), take("ana", monday)], [Ok(()), Ok(())]);
        assert_eq!(take("ana", monday), Err(Spent::Requester));
        assert_eq!(take("bob", monday), Ok(()));
        assert_eq!(take("cem", monday), Err(Spent::Day));
        let tuesday = monday + std::time::Duration::from_secs(86_400);
        assert_eq!(take("ana", tuesday), Ok(()));
    }

    #[test]
    fn nobody_can_fill_the_memory() {
        let purse = Purse::new(Budget { per_requester: 1, per_day: 10 });
        for n in 0..10_000 {
            let _ = purse.take(&n.to_string(), Timestamp::EPOCH);
        }
        assert_eq!(purse.today.lock().unwrap().of.len(), 10);
    }
}

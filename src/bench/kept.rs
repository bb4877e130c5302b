//! What was posted to the other side of the relay, for whoever reads it back after an attempt of which nobody knows the outcome.
//!
//! Not here: how a platform tells of it (`fake`, `discord`).

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The latest messages of each place; what is looked for is a moment old.
const MOST: usize = 256;

/// Messages by place, each with its id, as the platform answers them.
#[derive(Default)]
pub(super) struct Kept(Mutex<HashMap<String, VecDeque<(i64, String)>>>);

impl Kept {
    pub(super) fn keep(&self, place: String, id: i64, message: String) {
        let mut places = self.lock();
        let messages = places.entry(place).or_default();
        if messages.len() >= MOST {
            messages.pop_front();
        }
        messages.push_back((id, message));
    }

    /// Those above this id, as the elements of a JSON list.
    pub(super) fn after(&self, place: &str, id: i64, order: Order) -> String {
        let places = self.lock();
        let messages = places.get(place).into_iter().flatten().filter(|(own, _)| *own > id);
        let mut found: Vec<&str> = messages.map(|(_, message)| message.as_str()).collect();
        if order == Order::NewestFirst {
            found.reverse();
        }
        found.join(",")
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, VecDeque<(i64, String)>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    OldestFirst,
    NewestFirst,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_of_each_place() {
        let kept = Kept::default();
        for id in 0..300 {
            kept.keep("a".into(), id, id.to_string());
        }
        kept.keep("b".into(), 1, "other".into());
        assert_eq!(kept.after("a", 297, Order::OldestFirst), "298,299");
        assert_eq!(kept.after("a", 297, Order::NewestFirst), "299,298");
        assert_eq!(kept.after("a", -1, Order::OldestFirst).split(',').count(), MOST);
        assert_eq!(kept.after("b", 0, Order::NewestFirst), "other");
        assert_eq!(kept.after("nowhere", 0, Order::NewestFirst), "");
    }
}

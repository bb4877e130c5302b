//! One event of a room after another, in the order in which they came, and rooms beside each other.
//!
//! Not here: what is done with an event, and which order a platform promises: none is lost here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

#[derive(Debug, Default)]
struct Inner {
    /// Of each room the end of its queue, and whose it is.
    tails: HashMap<String, (u64, oneshot::Receiver<()>)>,
    next: u64,
}

/// The queues of one connection's rooms.
#[derive(Clone, Debug, Default)]
pub struct Lanes(Arc<Mutex<Inner>>);

/// A place in a room's queue. Whoever comes after waits until it is dropped.
#[derive(Debug)]
pub struct Turn {
    lanes: Lanes,
    room: String,
    number: u64,
    before: Option<oneshot::Receiver<()>>,
    /// Dropping it lets the next one in.
    _mine: oneshot::Sender<()>,
}

impl Lanes {
    /// Takes the next place. Nothing is waited for yet, so that places are taken in the order of calls.
    pub fn queue(&self, room: &str) -> Turn {
        let (mine, done) = oneshot::channel();
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = inner.next;
        inner.next += 1;
        let before = inner.tails.insert(room.to_owned(), (number, done)).map(|(_, before)| before);
        Turn { lanes: self.clone(), room: room.to_owned(), number, before, _mine: mine }
    }

    #[cfg(test)]
    fn rooms(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).tails.len()
    }
}

impl Turn {
    /// Waits until everybody who came before is done, or gone.
    pub async fn come(&mut self) {
        if let Some(before) = self.before.take() {
            // An error says that the other one was dropped: that is being done as well.
            let _ = before.await;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut inner = self.lanes.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.tails.get(&self.room).is_some_and(|(last, _)| *last == self.number) {
            inner.tails.remove(&self.room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_after_another_in_a_room() {
        let lanes = Lanes::default();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for n in 0..50 {
            let (mut turn, order) = (lanes.queue(["a", "b"][n % 2]), order.clone());
            tasks.push(tokio::spawn(async move {
                turn.come().await;
                for _ in 0..(50 - n) % 7 {
                    tokio::task::yield_now().await;
                }
                order.lock().unwrap().push(n);
                drop(turn);
            }));
        }
        for task in tasks.into_iter().rev() {
            task.await.unwrap();
        }
        let order = order.lock().unwrap().clone();
        for room in 0..2 {
            let of_room: Vec<usize> = order.iter().copied().filter(|n| n % 2 == room).collect();
            assert!(of_room.is_sorted() && of_room.len() == 25, "{of_room:?}");
        }
        assert_eq!(lanes.rooms(), 0);
    }

    #[tokio::test]
    async fn who_leaves_the_queue_holds_nobody_up() {
        let lanes = Lanes::default();
        let (first, second, mut third) = (lanes.queue("a"), lanes.queue("a"), lanes.queue("a"));
        drop(first);
        drop(second);
        third.come().await;
        drop(third);
        assert_eq!(lanes.rooms(), 0);
    }
}

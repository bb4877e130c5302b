//! One event of a room after another, in the order in which they came, and rooms beside each other.
//!
//! Not here: what is done with an event, and which order a platform promises: none is lost here.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The places of one room, by their numbers; each is called by what stands here when it has become the first.
type Queue = BTreeMap<u64, Option<oneshot::Sender<()>>>;

#[derive(Debug, Default)]
struct Inner {
    rooms: HashMap<String, Queue>,
    next: u64,
}

/// The queues of one connection's rooms.
#[derive(Clone, Debug, Default)]
pub struct Lanes(Arc<Mutex<Inner>>);

/// A place in a room's queue. Whoever comes after waits until it is dropped, and until everything before it is: giving up a
/// place moves nobody past those who are still in front.
#[derive(Debug)]
pub struct Turn {
    lanes: Lanes,
    room: String,
    number: u64,
    /// `None`: it has come.
    called: Option<oneshot::Receiver<()>>,
}

impl Lanes {
    /// Takes the next place. Nothing is waited for yet, so that places are taken in the order of calls.
    pub fn queue(&self, room: &str) -> Turn {
        let mut inner = self.lock();
        let number = inner.next;
        inner.next += 1;
        let queue = inner.rooms.entry(room.to_owned()).or_default();
        let (call, called) = if queue.is_empty() {
            (None, None)
        } else {
            let (call, called) = oneshot::channel();
            (Some(call), Some(called))
        };
        queue.insert(number, call);
        drop(inner);
        Turn { lanes: self.clone(), room: room.to_owned(), number, called }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    fn rooms(&self) -> usize {
        self.lock().rooms.len()
    }
}

impl Turn {
    /// Waits until everybody who came before is done, or gone. Giving up the wait gives up nothing: it may be asked again.
    pub async fn come(&mut self) {
        if let Some(called) = &mut self.called {
            // Nobody is forgotten: whoever leaves calls the next one, and a place is in its queue until it is dropped.
            let _ = called.await;
        }
        self.called = None;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let call = {
            let mut inner = self.lanes.lock();
            let Some(queue) = inner.rooms.get_mut(&self.room) else { return };
            let first = queue.keys().next() == Some(&self.number);
            queue.remove(&self.number);
            let next = queue.first_entry().filter(|_| first).and_then(|mut next| next.get_mut().take());
            if queue.is_empty() {
                inner.rooms.remove(&self.room);
            }
            next
        };
        // Not under the lock: whoever is woken may leave at once.
        if let Some(call) = call {
            // It is there: it would have left the queue.
            let _ = call.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use futures_util::future::{AbortHandle, Abortable, BoxFuture};
    use futures_util::stream::FuturesUnordered;
    use futures_util::{FutureExt as _, StreamExt as _};
    use proptest::prelude::*;

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
        drop(second);
        assert!(third.come().now_or_never().is_none(), "the first is still under way");
        drop(first);
        third.come().await;
        drop(third);
        assert_eq!(lanes.rooms(), 0);
    }

    /// The end of the queue is given up: whoever comes next is behind those who are left.
    #[tokio::test]
    async fn who_leaves_from_the_end_lets_nobody_in() {
        let lanes = Lanes::default();
        let first = lanes.queue("a");
        drop(lanes.queue("a"));
        let mut third = lanes.queue("a");
        assert!(third.come().now_or_never().is_none(), "the first is still under way");
        assert!(
            third.come().now_or_never().is_none(),
            "and whoever asked once and gave it up waits as before"
        );
        drop(first);
        third.come().await;
        third.come().await;
    }

    /// What may befall a place in a queue.
    #[derive(Clone, Debug)]
    enum Step {
        /// Somebody takes a place in one of the rooms; true: it is only held, and never waited with.
        Take(usize, bool),
        /// Whoever holds a place gives it up: one that only holds it, one that waits, one that is in.
        Leave(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let take = (0..ROOMS.len(), any::<bool>()).prop_map(|(room, idle)| Step::Take(room, idle));
        let leave = any::<usize>().prop_map(Step::Leave);
        prop::collection::vec(prop_oneof![3 => take, 2 => leave], 1..60)
    }

    const ROOMS: [&str; 3] = ["a", "b", "c"];

    /// Whoever waits for their turn, is in, and stays until they are told to go. Only polled when woken.
    type Waiting = FuturesUnordered<Abortable<BoxFuture<'static, ()>>>;

    struct Place {
        number: usize,
        room: usize,
        held: Option<Turn>,
        leave: AbortHandle,
    }

    /// A queue, and who has a place in it, in order.
    #[derive(Default)]
    struct Model {
        lanes: Lanes,
        places: Vec<Place>,
        waiting: Waiting,
        entered: Arc<Mutex<BTreeSet<usize>>>,
        next: usize,
    }

    impl Model {
        fn step(&mut self, step: Step) {
            match step {
                Step::Take(room, idle) => self.take(room, idle),
                Step::Leave(which) if !self.places.is_empty() => {
                    let gone = self.places.remove(which % self.places.len());
                    gone.leave.abort();
                    drop(gone.held);
                }
                Step::Leave(_) => {}
            }
            // Whoever was woken goes on until nobody can; those that were sent away are dropped.
            while self.waiting.next().now_or_never().flatten().is_some() {}
        }

        fn take(&mut self, room: usize, idle: bool) {
            let (leave, left) = AbortHandle::new_pair();
            let (number, mut turn) = (self.next, self.lanes.queue(ROOMS[room]));
            self.next += 1;
            let mut place = Place { number, room, held: None, leave };
            if idle {
                place.held = Some(turn);
            } else {
                let entered = self.entered.clone();
                let stay = async move {
                    turn.come().await;
                    entered.lock().unwrap().insert(number);
                    std::future::pending::<()>().await;
                    drop(turn);
                };
                self.waiting.push(Abortable::new(stay.boxed(), left));
            }
            self.places.push(place);
        }

        /// In is who is the first of their room, and nobody else.
        fn holds(&self) -> Result<(), TestCaseError> {
            let entered = self.entered.lock().unwrap();
            for room in 0..ROOMS.len() {
                let mut places = self.places.iter().filter(|place| place.room == room);
                if let Some(first) = places.next() {
                    let waits = first.held.is_none();
                    prop_assert_eq!(waits, entered.contains(&first.number), "{} is the first", first.number);
                }
                for later in places {
                    prop_assert!(!entered.contains(&later.number), "{} overtook", later.number);
                }
            }
            Ok(())
        }
    }

    proptest! {
        /// In whatever order places are taken and given up, waiting or not: no later one is let in while an earlier one is
        /// still there, and nobody is left waiting for ever.
        #[test]
        fn nobody_overtakes_and_nobody_is_forgotten(steps in steps()) {
            let mut model = Model::default();
            for step in steps {
                model.step(step);
                model.holds()?;
            }
            while !model.places.is_empty() {
                model.step(Step::Leave(0));
                model.holds()?;
            }
            prop_assert_eq!(model.lanes.rooms(), 0);
        }
    }
}

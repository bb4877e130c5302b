//! Signs that something may not have come: Slack gave up on us, left events out, could not reach us for a while, or no
//! socket was open. And the look back once in an hour, where events come by HTTP: of an outage in front of us (a proxy, a
//! certificate, a name) in which Slack gave up on everything, nothing tells.
//!
//! Not here: how far rooms were read (`marks.rs`), reading (`catch_up.rs`).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deskbridge_contract::Timestamp;
use tokio::sync::Notify;

use super::marks::{Marks, Seen, before, seconds};

/// After this long some events are not brought again: the first retry is at once, the others after one and five minutes.
pub(super) const GIVEN_UP: Duration = Duration::from_secs(300);
/// "app_rate_limited" comes once for each minute in which events were left out, in seconds, with one to spare.
const LIMITED: i64 = 120;
/// The second retry comes a minute after the first: for that long nothing came through.
const UNREACHABLE: u32 = 2;
/// Events that were brought again come within six minutes after an outage, among others that came at once: what is known of
/// before it is what was known this long ago, at least.
const OLD: Duration = Duration::from_secs(600);
/// How often everything is read once more that came within it, by HTTP.
const SWEEP: Duration = Duration::from_secs(3600);
/// Places in which nothing was said for this long are not looked into each hour, in seconds.
const ACTIVE: i64 = 24 * 3600;

#[derive(Default)]
pub(super) struct Doubts {
    pub marks: Marks,
    /// There is something to be read.
    pub missed: Notify,
    /// Sockets that receive.
    live: AtomicUsize,
    times: Mutex<Times>,
}

#[derive(Default)]
struct Times {
    /// How far rooms had been read when the last socket ended.
    down: Option<(Timestamp, Seen)>,
    /// Since when nothing could be stored, and how far rooms had been read then.
    refusing: Option<(Timestamp, Seen)>,
    /// How far rooms had been read at two moments, [`OLD`] apart; the first is at least that old.
    older: Option<Seen>,
    old: Option<(Timestamp, Seen)>,
    /// When an event was last brought again late.
    unreachable: Option<Timestamp>,
    /// When everything was last read once more, and how far rooms had been read then.
    swept: Option<(Timestamp, Seen)>,
}

impl Doubts {
    /// Reading begins: what earlier runs left is in the marks.
    pub fn attend(&self, now: Timestamp) {
        let mut times = self.times();
        let seen = self.marks.snapshot();
        times.older = Some(seen.clone());
        times.old = Some((now, seen.clone()));
        times.swept = Some((now, seen));
    }

    /// `elsewhere`: for so long that Slack gave up on events of rooms in which nothing was noted, too.
    fn doubt(&self, then: &Seen, elsewhere: bool) {
        self.marks.doubt(then, elsewhere);
        self.missed.notify_one();
    }

    /// Slack brings an event three times more within six minutes, and then never again: whoever could not take any for
    /// longer has to ask.
    pub fn settled(&self, taken: bool, now: Timestamp) {
        let over = {
            let mut times = self.times();
            match (taken, times.refusing.take()) {
                (false, None) => {
                    times.refusing = Some((now, self.marks.snapshot()));
                    None
                }
                (false, known) => {
                    times.refusing = known;
                    None
                }
                (true, refused) => refused.filter(|(since, _)| now.since(*since) > GIVEN_UP),
            }
        };
        if let Some((_, seen)) = over {
            self.doubt(&seen, true);
        }
    }

    /// Slack says that it left out what came in the last minutes.
    pub fn left_out(&self) {
        self.doubt(&self.marks.snapshot().earlier(LIMITED), false);
    }

    /// An event that nobody had seen was brought for the nth time again. What it was told before that is lost, unless it is
    /// asked for.
    pub fn late(&self, retry: u32, now: Timestamp) {
        let then = {
            let mut times = self.times();
            let known = times.unreachable.is_some_and(|at| now.since(at) < GIVEN_UP);
            if retry < UNREACHABLE || known {
                return;
            }
            times.unreachable = Some(now);
            times.older.clone().unwrap_or_default()
        };
        tracing::info!(retry, "Slack could not reach us for a while: what was said meanwhile is read");
        self.doubt(&from(&self.marks.snapshot(), &then, OLD * 2), true);
    }

    /// A socket receives. What came when none did is to be read.
    pub fn up(&self, now: Timestamp) {
        let down =
            if self.live.fetch_add(1, Ordering::AcqRel) == 0 { self.times().down.take() } else { None };
        if let Some((since, then)) = down {
            self.doubt(&then, now.since(since) > GIVEN_UP);
        }
    }

    /// A socket that received does not any more.
    pub fn down(&self, now: Timestamp) {
        if self.live.fetch_sub(1, Ordering::AcqRel) == 1 {
            let seen = self.marks.snapshot();
            self.times().down.get_or_insert((now, seen));
        }
    }

    /// Called every few seconds while somebody reads. `by_http`: nothing else tells of an outage in front of us.
    pub fn tick(&self, now: Timestamp, by_http: bool) {
        let seen = self.marks.snapshot();
        if seen.is_empty() {
            return;
        }
        let sweep = {
            let mut times = self.times();
            if times.old.as_ref().is_none_or(|(at, _)| now.since(*at) >= OLD) {
                times.older =
                    Some(times.old.replace((now, seen.clone())).map_or_else(|| seen.clone(), |(_, old)| old));
            }
            let due = times.swept.as_ref().is_none_or(|(at, _)| now.since(*at) >= SWEEP);
            (by_http && due).then(|| {
                times.swept.replace((now, seen.clone())).map_or_else(Seen::default, |(_, seen)| seen)
            })
        };
        if let Some(then) = sweep {
            self.doubt(&from(&active(seen, now), &then, SWEEP), false);
        }
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From where places are read: from where they had been read then; those that were not known yet, from `back` before their
/// last message.
fn from(seen: &Seen, then: &Seen, back: Duration) -> Seen {
    let of = |(key, ts): (&String, &String), then: Option<&String>| {
        (key.clone(), then.cloned().unwrap_or_else(|| before(ts, seconds_of(back))))
    };
    Seen {
        rooms: seen.rooms.iter().map(|room| of(room, then.rooms.get(room.0))).collect(),
        threads: seen.threads.iter().map(|thread| of(thread, then.threads.get(thread.0))).collect(),
        // Whatever else came in since then is no sign that all did.
        newest: then.newest().map(str::to_owned).or_else(|| Some(before(seen.newest()?, seconds_of(back)))),
    }
}

fn seconds_of(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

/// Places in which something was said within a day.
fn active(mut seen: Seen, now: Timestamp) -> Seen {
    let lately = now.0 / 1_000_000 - ACTIVE;
    let is = |ts: &String| seconds(ts).is_some_and(|at| at > lately);
    seen.rooms.retain(|_, ts| is(ts));
    seen.threads.retain(|_, ts| is(ts));
    seen
}

#[cfg(test)]
mod tests {
    use super::super::marks::Place;
    use super::*;

    const START: i64 = 1_790_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(START + seconds)
    }

    fn ts(seconds: i64) -> String {
        format!("{}.000100", START + seconds)
    }

    fn attended(rooms: &[(&str, i64)]) -> Doubts {
        let doubts = Doubts::default();
        for (room, said) in rooms {
            doubts.marks.note(room, None, &ts(*said));
        }
        doubts.attend(at(0));
        doubts
    }

    fn after(doubts: &Doubts, room: &str) -> Option<String> {
        let gaps = doubts.marks.gaps();
        gaps.into_iter().find(|(place, _)| *place == Place::Room(room.into())).map(|(_, gap)| gap.after)
    }

    #[test]
    fn what_slack_gave_up_on_is_asked_for() {
        let doubts = attended(&[("D1", -10)]);
        let missed = || futures_util::FutureExt::now_or_never(doubts.missed.notified()).is_some();
        doubts.settled(false, at(0));
        doubts.settled(false, at(200));
        doubts.settled(true, at(300));
        assert!(!missed(), "Slack itself brings it again");
        doubts.settled(false, at(400));
        doubts.marks.note("D1", None, &ts(450));
        doubts.settled(true, at(701));
        assert!(missed());
        assert_eq!(after(&doubts, "D1"), Some(ts(-10)));
        doubts.settled(true, at(2000));
        assert!(!missed());
    }

    /// The proxy was away for half an hour. What is brought again comes after what came at once.
    #[test]
    fn an_outage_in_front_of_us_is_seen_by_what_is_brought_again() {
        let doubts = attended(&[("D1", -10), ("D2", -20)]);
        // A technician's card is posted in it, which says nothing of what comes in.
        doubts.marks.begin("C0DESK", &ts(100));
        (0..30).for_each(|minute| doubts.tick(at(minute * 60), false));
        doubts.marks.note("D1", None, &ts(1800));
        doubts.late(1, at(1801));
        assert_eq!(after(&doubts, "D1"), None, "brought again at once: a hiccup");
        doubts.late(2, at(1802));
        assert_eq!((after(&doubts, "D1"), after(&doubts, "D2")), (Some(ts(-10)), Some(ts(-20))));
        // Everywhere else from before the outage, whatever came in or was begun since.
        let elsewhere = |doubts: &Doubts| {
            let gaps = doubts.marks.gaps();
            gaps.into_iter().find(|(place, _)| *place == Place::Elsewhere).map(|(_, gap)| gap.after)
        };
        assert_eq!(elsewhere(&doubts), Some(ts(-10)));
        // The others that come late were missed in the same outage.
        for (place, gap) in doubts.marks.gaps() {
            doubts.marks.closed(&place, &gap);
        }
        doubts.late(3, at(1900));
        assert!(doubts.marks.gaps().is_empty());
        // A room that was new after the last look at all of them.
        doubts.marks.note("D3", None, &ts(2000));
        doubts.late(3, at(1802 + 300));
        assert_eq!(after(&doubts, "D3"), Some(ts(2000 - 1200)));
    }

    /// Nothing came late, since nothing was said in its last minutes.
    #[test]
    fn an_outage_that_nothing_tells_of_is_seen_within_the_hour() {
        let doubts = attended(&[("D1", -10), ("D2", -ACTIVE - 10)]);
        doubts.marks.note("D1", None, &ts(3000));
        doubts.marks.note("D3", None, &ts(3100));
        doubts.tick(at(3599), true);
        assert!(doubts.marks.gaps().is_empty());
        doubts.tick(at(3600), true);
        assert_eq!(after(&doubts, "D1"), Some(ts(-10)), "as far as the last time");
        assert_eq!(after(&doubts, "D3"), Some(ts(3100 - 3600)), "new since then");
        assert_eq!(after(&doubts, "D2"), None, "nothing for a day");
        let sockets = attended(&[("D1", -10)]);
        sockets.tick(at(3600), false);
        assert!(sockets.marks.gaps().is_empty(), "who receives by sockets knows when none was open");
    }

    #[test]
    fn rooms_are_read_on_when_sockets_are_back() {
        for (away, elsewhere) in [(20, false), (400, true)] {
            let doubts = attended(&[("D1", -10)]);
            doubts.up(at(0));
            doubts.up(at(1));
            doubts.down(at(100));
            doubts.up(at(110));
            assert!(doubts.marks.gaps().is_empty(), "there always was one");
            doubts.down(at(120));
            doubts.down(at(121));
            // What is read meanwhile moves marks.
            doubts.marks.note("D1", None, &ts(150));
            doubts.up(at(121 + away));
            assert_eq!(after(&doubts, "D1"), Some(ts(-10)));
            assert_eq!(doubts.marks.gaps().iter().any(|(place, _)| *place == Place::Elsewhere), elsewhere);
        }
    }
}

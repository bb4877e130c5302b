//! The pace that the Teams adapter declares, against a platform that counts its windows itself ("Optimize your bot with rate
//! limiting in Teams"): as fast as may be, and nothing is ever refused. Two hours, on a clock of its own.
//!
//! Not here: the windows as such (`runtime/pace.rs`).

use std::collections::VecDeque;
use std::time::Duration;

use deskbridge::runtime::pace::Pacer;
use deskbridge_contract::{Adapter as _, Address, OperationKind, Timestamp};
use deskbridge_teams::{Config, TeamsAdapter};
use tokio::time::Instant;

/// The vendor's table, written down once more: per bot and conversation, so many in so many seconds.
const ALLOWED: [(usize, u64); 4] = [(7, 1), (8, 2), (60, 30), (1800, 3600)];

/// One conversation of the platform.
#[derive(Default)]
struct Conversation {
    taken: VecDeque<Instant>,
}

impl Conversation {
    /// Whether one more is taken now; else it would be a 429.
    fn takes(&mut self, now: Instant) -> bool {
        let within = |seconds: u64| {
            let window = Duration::from_secs(seconds);
            self.taken.iter().rev().take_while(|at| now.duration_since(**at) < window).count()
        };
        let free = ALLOWED.iter().all(|(count, seconds)| within(*seconds) < *count);
        if free {
            self.taken.push_back(now);
        }
        free
    }
}

fn adapter() -> TeamsAdapter {
    let id = "00000000-1111-2222-3333-444444444444";
    let keys = serde_json::json!({ "app_id": id, "tenant": id, "app_password": "planted" });
    let config = Config::from_value(keys).unwrap_or_else(|faults| panic!("{faults:?}"));
    TeamsAdapter::new("teams".into(), config, std::sync::Arc::new(|| Timestamp(0))).expect("made")
}

#[test]
fn nothing_is_refused_by_a_conversation_that_counts() {
    let mut pacer = Pacer::new(adapter().limits());
    let room = Address::room(&"teams".into(), "19:desk@thread.tacv2");
    let start = Instant::now();
    let (mut now, mut conversation, mut most) = (start, Conversation::default(), [0_usize; 2]);
    while now < start + Duration::from_secs(7200) {
        // Threads of a channel share its pace, and every kind of message counts.
        let at = room.thread(format!("{}", conversation.taken.len() % 5).as_str());
        let kind =
            [OperationKind::Post, OperationKind::Edit, OperationKind::Whisper][conversation.taken.len() % 3];
        match pacer.take(&at, kind, now) {
            Ok(()) => {
                assert!(conversation.takes(now), "refused after {:?}", now - start);
                most[usize::from(now >= start + Duration::from_secs(3600))] += 1;
            }
            Err(free) => {
                assert!(free > now, "it waits for nothing");
                now = free;
            }
        }
    }
    // It waits no longer than it must: each hour is used up.
    assert_eq!(most, [1800, 1800]);
}

/// Conversations do not wait for each other, until all of the app's together are too many.
#[test]
fn the_app_has_fifty_a_second() {
    let mut pacer = Pacer::new(adapter().limits());
    let now = Instant::now();
    let at = |nth: usize| Address::room(&"teams".into(), format!("a:{nth}"));
    let sent = (0..60).filter(|nth| pacer.take(&at(*nth), OperationKind::Post, now).is_ok()).count();
    assert_eq!(sent, 50);
    assert!(pacer.take(&at(99), OperationKind::Post, now + Duration::from_secs(1)).is_ok());
}

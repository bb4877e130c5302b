//! Threads that Teams called lost once. "ConversationNotFound" is what it answers for a thread that is no longer there
//! (msteams-docs#1697), and, now and then, for one that is (msteams-docs#9425, botframework-sdk#6097): a thread is taken for
//! lost when it is called so again after a while, and nothing arrived in it in between.
//!
//! Not here: which answers call a thread lost (`api.rs`), and what is done about it (the host, D22).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deskbridge_contract::{Address, SendError, Timestamp};

/// How long after the first answer the second one counts. In the case that is told most exactly the thread was there again
/// within twenty seconds; everybody in the desk waits for as long.
const AGAIN: Duration = Duration::from_secs(10);
/// An answer that is older says nothing about now.
const OLD: Duration = Duration::from_secs(600);
/// More are forgotten, which costs each another wait.
const MOST: usize = 1000;

#[derive(Default)]
pub(crate) struct Doubts(Mutex<HashMap<String, Timestamp>>);

impl Doubts {
    /// What came of something in this thread, as the host may take it: the first loss is one to try again after.
    pub(crate) fn judge<T>(
        &self,
        thread: &Address,
        came: Result<T, SendError>,
        now: Timestamp,
    ) -> Result<T, SendError> {
        let mut doubts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = thread.key();
        match came {
            Ok(done) => {
                doubts.remove(&key);
                Ok(done)
            }
            Err(SendError::ThreadGone { why }) => {
                if doubts.len() > MOST {
                    doubts.clear();
                }
                let first = doubts.get(&key).copied().filter(|first| now.since(*first) < OLD);
                let since = now.since(first.unwrap_or(now));
                if first.is_some() && since >= AGAIN {
                    doubts.remove(&key);
                    return Err(SendError::ThreadGone { why });
                }
                doubts.insert(key, first.unwrap_or(now));
                let after = Some(AGAIN.saturating_sub(since));
                Err(SendError::Retry { after, why: format!("the thread may be gone: {why}") })
            }
            Err(other) => Err(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use deskbridge_contract::ChannelName;

    use super::*;

    #[test]
    fn a_thread_is_lost_when_it_is_said_twice() {
        let doubts = Doubts::default();
        let room = Address::room(&ChannelName("teams".into()), "19:desk@thread.tacv2".to_owned());
        let (one, other) = (room.thread("1"), room.thread("2"));
        let at = |second: i64| Timestamp::from_seconds(1_000 + second);
        let lost = || Err::<(), _>(SendError::ThreadGone { why: "HTTP 404".into() });
        let wait = |told: Result<(), SendError>| match told {
            Err(SendError::Retry { after: Some(after), .. }) => after.as_secs(),
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(doubts.judge(&one, lost(), at(0))), 10);
        assert_eq!(wait(doubts.judge(&one, lost(), at(4))), 6, "too soon to say anything new");
        assert_eq!(wait(doubts.judge(&other, lost(), at(11))), 10, "another thread");
        assert!(matches!(doubts.judge(&one, lost(), at(11)), Err(SendError::ThreadGone { .. })));
        // What arrives is there; what was said long ago is not said again.
        assert_eq!(wait(doubts.judge(&one, lost(), at(12))), 10);
        assert_eq!(doubts.judge(&one, Ok(()), at(13)), Ok(()));
        assert_eq!(wait(doubts.judge(&one, lost(), at(30))), 10);
        assert_eq!(wait(doubts.judge(&one, lost(), at(1_000))), 10);
        let refused = doubts.judge(&one, Err::<(), _>(SendError::rejected("no")), at(1_001));
        assert!(matches!(refused, Err(SendError::Rejected { .. })));
    }
}

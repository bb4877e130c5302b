//! Threads that Teams called lost once. "ConversationNotFound" is what it answers for a thread that is no longer there
//! (msteams-docs#1697), and, now and then, for one that is (msteams-docs#9425, botframework-sdk#6097): a thread is taken for
//! lost when it is called so again after a while, and nothing arrived in it in between. And words of which a 404 came that says
//! nothing of their place, from in between or from a server that does not have the conversation (BotFramework-Services#349).
//!
//! Not here: which answers call a thread lost (`api.rs`), and what is done about it (the host, D22).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deskbridge_contract::{Address, DeliveryId, SendError, Timestamp};

use crate::api::{is_astray, retry};

/// How long after the first answer the second one counts. In the case that is told most exactly the thread was there again
/// within twenty seconds; everybody in the desk waits for as long.
const AGAIN: Duration = Duration::from_secs(10);
/// An answer that is older says nothing about now.
const OLD: Duration = Duration::from_secs(600);
/// More are forgotten, which costs each another wait.
const MOST: usize = 1000;

/// What was said once, and when.
#[derive(Default)]
struct Once(HashMap<String, Timestamp>);

impl Once {
    /// How long is to be waited until it is asked again; `None`: it was said again after that.
    fn again(&mut self, key: String, now: Timestamp) -> Option<Duration> {
        if self.0.len() > MOST {
            self.0.clear();
        }
        let first = self.0.get(&key).copied().filter(|first| now.since(*first) < OLD);
        let since = now.since(first.unwrap_or(now));
        if first.is_some() && since >= AGAIN {
            self.0.remove(&key);
            return None;
        }
        self.0.insert(key, first.unwrap_or(now));
        Some(AGAIN.saturating_sub(since))
    }
}

#[derive(Default)]
pub(crate) struct Doubts {
    threads: Mutex<Once>,
    deliveries: Mutex<Once>,
}

impl Doubts {
    /// What came of something in this thread, as the host may take it: the first loss is one to try again after.
    pub(crate) fn judge<T>(
        &self,
        thread: &Address,
        came: Result<T, SendError>,
        now: Timestamp,
    ) -> Result<T, SendError> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let key = thread.key();
        match came {
            Ok(done) => {
                threads.0.remove(&key);
                Ok(done)
            }
            Err(SendError::ThreadGone { why }) => match threads.again(key, now) {
                Some(wait) => Err(retry(Some(wait), format!("the thread may be gone: {why}"))),
                None => Err(SendError::ThreadGone { why }),
            },
            Err(other) => Err(other),
        }
    }

    /// What came of something new, by its delivery: a 404 that says nothing of the place counts when it is said again.
    pub(crate) fn heed<T>(
        &self,
        delivery: &DeliveryId,
        came: Result<T, SendError>,
        now: Timestamp,
    ) -> Result<T, SendError> {
        match came {
            Err(error) if is_astray(&error) => {
                let mut deliveries = self.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
                match deliveries.again(delivery.as_str().to_owned(), now) {
                    Some(wait) => Err(retry(Some(wait), format!("it may have gone astray: {error}"))),
                    None => Err(error),
                }
            }
            other => other,
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
    #[test]
    fn what_went_astray_is_refused_when_it_is_said_twice() {
        let doubts = Doubts::default();
        let at = |second: i64| Timestamp::from_seconds(1_000 + second);
        let (one, other) = (DeliveryId("1".into()), DeliveryId("2".into()));
        let astray = || Err::<(), _>(SendError::rejected("HTTP 404"));
        let wait = |told: Result<(), SendError>| match told {
            Err(SendError::Retry { after: Some(after), .. }) => after.as_secs(),
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(doubts.heed(&one, astray(), at(0))), 10);
        assert_eq!(wait(doubts.heed(&other, astray(), at(10))), 10, "each by itself");
        assert_eq!(doubts.heed(&one, astray(), at(10)), astray());
        assert_eq!(doubts.heed(&other, Ok(()), at(20)), Ok(()));
        let refused = || Err::<(), _>(SendError::rejected("HTTP 400 Other"));
        assert_eq!(doubts.heed(&other, refused(), at(30)), refused());
    }
}

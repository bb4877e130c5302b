//! Socket Mode: several connections at once, each renewed before it ends, every envelope acknowledged after the commit.
//!
//! Not here: one connection (`socket/link.rs`); starting over when all of this ends, which the supervisor does.

mod link;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::{Inbox, SendError};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::Slack;
use crate::config::Receive;

/// Losses of one slot in a row, before anything came, after which the channel starts over with the supervisor's patience.
const MOST_LOSSES: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// A new connection is opened this long before the old one is expected to end, or at nine tenths of a short life.
const AHEAD: Duration = Duration::from_secs(60);

/// What a connection tells its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// It receives; `lasts` is how long Slack expects it to.
    Up { lasts: Option<Duration> },
    /// Slack says that it ends soon.
    Ending,
}

/// Which connection says what.
type Told = (u64, Sign);

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// Another one took over.
    Retired,
    Lost(String),
    /// Trying again would not help: `Unauthorized`, mostly.
    Refused(SendError),
    /// The inbox takes nothing any more.
    Closed,
}

/// Keeps all connections; ends with the first slot that gives up.
pub(super) async fn run(slack: Arc<Slack>, inbox: Inbox) -> Result<(), SendError> {
    let Receive::Socket { sockets, .. } = &slack.config.receive else { return Ok(()) };
    let mut slots = JoinSet::new();
    for _ in 0..*sockets {
        slots.spawn(Slot::new(slack.clone(), inbox.clone()).keep());
    }
    match slots.join_next().await {
        Some(Ok(ended)) => ended,
        Some(Err(error)) => {
            Err(SendError::Retry { after: None, why: format!("a connection broke down: {error}") })
        }
        None => Ok(()),
    }
}

/// One place for a connection. While it is renewed, two connections are in it.
struct Slot {
    slack: Arc<Slack>,
    inbox: Inbox,
    links: JoinSet<(u64, End)>,
    told: mpsc::UnboundedSender<Told>,
    telling: mpsc::UnboundedReceiver<Told>,
    /// Connections below this number have been replaced.
    serving: watch::Sender<u64>,
    /// The one that was opened last.
    newest: u64,
    losses: u32,
    renew: Option<Instant>,
}

impl Slot {
    fn new(slack: Arc<Slack>, inbox: Inbox) -> Slot {
        let (told, telling) = mpsc::unbounded_channel();
        Slot {
            slack,
            inbox,
            links: JoinSet::new(),
            told,
            telling,
            serving: watch::Sender::new(0),
            newest: 0,
            losses: 0,
            renew: None,
        }
    }

    async fn keep(mut self) -> Result<(), SendError> {
        self.open();
        loop {
            let due = self.renew;
            tokio::select! {
                sign = self.telling.recv() => {
                    if let Some((number, sign)) = sign {
                        self.hear(number, sign);
                    }
                }
                ended = self.links.join_next() => match ended {
                    Some(Ok((number, end))) => self.ended(number, end).await?,
                    Some(Err(error)) => {
                        let why = format!("a connection broke down: {error}");
                        self.ended(self.newest, End::Lost(why)).await?;
                    }
                    None => self.open(),
                },
                () = until(due) => self.replace(),
            }
            if *self.serving.borrow() == u64::MAX {
                return Ok(());
            }
        }
    }

    fn open(&mut self) {
        self.newest += 1;
        let number = self.newest;
        let work = link::run(
            self.slack.clone(),
            self.inbox.clone(),
            number,
            self.told.clone(),
            self.serving.subscribe(),
        );
        self.links.spawn(async move { (number, work.await) });
    }

    /// Opens the next connection while this one goes on receiving.
    fn replace(&mut self) {
        self.renew = None;
        self.open();
    }

    fn hear(&mut self, number: u64, sign: Sign) {
        match sign {
            Sign::Up { lasts } => {
                self.losses = 0;
                if number >= *self.serving.borrow() {
                    // Only now may the older ones leave: nothing falls into a gap.
                    self.serving.send_replace(number);
                }
                if number == self.newest {
                    self.renew = lasts.map(|lasts| Instant::now() + ahead(lasts));
                }
            }
            // Of older ones it is known, and their successor is on its way.
            Sign::Ending if number == self.newest => self.replace(),
            Sign::Ending => {}
        }
    }

    async fn ended(&mut self, number: u64, end: End) -> Result<(), SendError> {
        match end {
            End::Closed => {
                self.serving.send_replace(u64::MAX);
                Ok(())
            }
            End::Refused(error) => Err(error),
            End::Retired => Ok(()),
            // An old one, whose work the newest has, or is about to have.
            End::Lost(_) if number != self.newest => Ok(()),
            End::Lost(why) => {
                self.losses += 1;
                self.renew = None;
                if self.losses > MOST_LOSSES {
                    return Err(SendError::Retry { after: None, why });
                }
                tracing::debug!(channel = %self.slack.channel, why, "a socket was lost; opened again");
                let wait = FIRST_WAIT.saturating_mul(1 << (self.losses - 1).min(8)).min(LONGEST_WAIT);
                // The first loss in a while is mostly a restart at the other end: no need to wait.
                if self.losses > 1 {
                    tokio::time::sleep(wait).await;
                }
                self.open();
                Ok(())
            }
        }
    }
}

fn ahead(lasts: Duration) -> Duration {
    lasts.saturating_sub(AHEAD.min(lasts / 10)).max(Duration::from_millis(100))
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

//! What waits to be handed to apps, and what has been: events, interactions, commands.
//! Carrying it out is in `postman` and `sockets`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::team::{AppId, ChannelId, TeamId, Ts, UserId};

/// How often an event goes out at most: once, and again at once, after a minute, after five.
pub const RETRY_AFTER: [Duration; 3] = [Duration::ZERO, Duration::from_secs(60), Duration::from_secs(300)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope {
    Events,
    Interactive,
    Command,
}

impl Envelope {
    /// `type` of a Socket Mode envelope.
    pub fn name(self) -> &'static str {
        match self {
            Envelope::Events => "events_api",
            Envelope::Interactive => "interactive",
            Envelope::Command => "slash_commands",
        }
    }
}

/// What the answer to it is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Then {
    Nothing,
    /// The answer may hold a message.
    Command {
        channel: ChannelId,
        user: UserId,
    },
    /// The answer may hold a `response_action`.
    Submission {
        view: String,
    },
    /// The answer holds the `challenge`.
    Challenge {
        challenge: String,
    },
}

#[derive(Debug, Clone)]
pub struct Letter {
    pub ticket: u64,
    pub id: String,
    pub team: TeamId,
    pub app: AppId,
    pub kind: String,
    pub envelope: Envelope,
    pub payload: Value,
    pub then: Then,
    /// First attempts of a lane go out one by one.
    pub lane: Option<String>,
    pub attempts: u32,
    pub reason: &'static str,
    pub wake_at: Instant,
    pub in_flight: bool,
}

#[derive(Debug, Default)]
pub struct Outgoing {
    pub queue: Vec<Letter>,
    /// Every letter that was ever queued, by id, to hand it out once more.
    pub archive: BTreeMap<String, Letter>,
    /// Where events appear: channel and message, for tests that look an event up by its message.
    pub by_message: BTreeMap<(TeamId, ChannelId, Ts), Vec<String>>,
    /// URLs whose challenge came back.
    pub verified: BTreeSet<(AppId, String)>,
    tickets: u64,
    pub paused: bool,
}

impl Outgoing {
    pub fn add(&mut self, mut letter: Letter) {
        self.tickets += 1;
        letter.ticket = self.tickets;
        self.archive.entry(letter.id.clone()).or_insert_with(|| letter.clone());
        self.queue.push(letter);
    }

    /// Copies of something that went out before, as if for the first time, all at once.
    pub fn again(&mut self, id: &str, copies: usize) -> bool {
        let Some(kept) = self.archive.get(id).cloned() else { return false };
        for _ in 0..copies {
            let now = Instant::now();
            self.add(Letter {
                lane: None,
                attempts: 0,
                reason: "",
                wake_at: now,
                in_flight: false,
                ..kept.clone()
            });
        }
        true
    }

    /// What can go out now, marked as under way, and when to look again.
    pub fn due(&mut self, in_order: bool) -> (Vec<Letter>, Option<Instant>) {
        let now = Instant::now();
        let mut ready = Vec::new();
        let mut wake_at: Option<Instant> = None;
        if self.paused {
            return (ready, None);
        }
        let mut held = BTreeSet::new();
        for letter in &mut self.queue {
            // A retry holds nobody up, and is held up by nobody.
            let lane = letter.lane.clone().filter(|_| in_order && letter.attempts == 0);
            let free = lane.is_none_or(|lane| held.insert(lane));
            if letter.in_flight || !free {
                continue;
            }
            if letter.wake_at > now {
                wake_at = Some(wake_at.map_or(letter.wake_at, |at| at.min(letter.wake_at)));
            } else {
                letter.in_flight = true;
                ready.push(letter.clone());
            }
        }
        (ready, wake_at)
    }

    pub fn settle(&mut self, ticket: u64) {
        self.queue.retain(|letter| letter.ticket != ticket);
    }

    /// Puts it back for the next attempt; `false` when there is none.
    pub fn postpone(&mut self, ticket: u64, reason: &'static str, scale: f64) -> bool {
        let Some(letter) = self.queue.iter_mut().find(|letter| letter.ticket == ticket) else { return true };
        let Some(wait) = RETRY_AFTER.get(letter.attempts as usize) else {
            self.settle(ticket);
            return false;
        };
        letter.attempts += 1;
        letter.reason = reason;
        letter.in_flight = false;
        letter.wake_at = Instant::now() + wait.mul_f64(scale);
        true
    }
}

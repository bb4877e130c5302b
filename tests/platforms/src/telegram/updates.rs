//! The queue of updates for the bot: numbering, filter, confirmation, time to live.
//! How they leave is in `polling` and `webhook`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::chat::{ChatId, UserId};

/// Kinds that come only when asked for by name (vendor's page, `allowed_updates`).
const ONLY_ON_REQUEST: &[&str] = &["chat_member", "message_reaction", "message_reaction_count"];

const LIFE: Duration = Duration::from_secs(24 * 3600);
const LIFE_OF_A_PRESS: Duration = Duration::from_secs(150);

/// How long an update of this kind is kept.
pub(super) fn life_of(kind: &str) -> Duration {
    if kind == "callback_query" { LIFE_OF_A_PRESS } else { LIFE }
}

/// Updates of one lane go out one at a time over a webhook; lanes do not wait for one another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// Messages and edits of a chat.
    Chat(ChatId),
    /// Another kind, by the user or chat it is about.
    Other(String, i64),
}

impl Lane {
    pub fn press(user: UserId) -> Self {
        Lane::Other("callback_query".into(), user)
    }
}

#[derive(Debug, Clone)]
pub struct Pending {
    pub id: i64,
    /// Unlike the id, never the same twice in the queue.
    pub(super) ticket: u64,
    pub kind: String,
    pub lane: Lane,
    /// The whole `Update`.
    pub body: Value,
    pub born: Instant,
    /// Played again on request: handed out once whatever the offset says.
    pub(super) forced: bool,
    pub(super) in_flight: bool,
    pub(super) failures: u32,
    pub(super) delay: Duration,
    pub(super) wake_at: Instant,
}

#[derive(Debug, Clone)]
pub struct Webhook {
    pub url: String,
    pub secret_token: Option<String>,
    pub max_connections: usize,
    pub last_error: Option<(i64, String)>,
    pub(super) gone_since: Option<Instant>,
}

#[derive(Debug)]
pub struct Updates {
    next_id: i64,
    tickets: u64,
    pub queue: Vec<Pending>,
    /// Everything ever handed over, for `redeliver`.
    history: BTreeMap<i64, Pending>,
    /// `None`: the default set.
    pub allowed: Option<Vec<String>>,
    pub webhook: Option<Webhook>,
    /// Counts long polls; the one that waits with an older number was replaced.
    pub(super) poll: u64,
    pub(super) time_scale: f64,
}

impl Updates {
    pub(super) fn new(time_scale: f64) -> Self {
        Updates {
            next_id: 10_000,
            tickets: 0,
            queue: Vec::new(),
            history: BTreeMap::new(),
            allowed: None,
            webhook: None,
            poll: 0,
            time_scale,
        }
    }

    pub fn is_allowed(&self, kind: &str) -> bool {
        match &self.allowed {
            Some(kinds) if !kinds.is_empty() => kinds.iter().any(|allowed| allowed == kind),
            _ => !ONLY_ON_REQUEST.contains(&kind),
        }
    }

    /// Queues an update if the bot asked for its kind.
    pub(super) fn push(&mut self, kind: &str, lane: Lane, payload: Value) -> Option<i64> {
        if !self.is_allowed(kind) {
            return None;
        }
        let id = self.next_id;
        self.next_id += 1;
        let body = json!({ "update_id": id, kind: payload });
        self.enqueue(id, kind, lane, body);
        Some(id)
    }

    /// Queues any JSON as it is. An `update_id` in it is kept; a missing one is filled in for objects.
    pub(super) fn push_raw(&mut self, mut body: Value) -> i64 {
        let given = body["update_id"].as_i64();
        let id = given.unwrap_or(self.next_id);
        self.next_id = self.next_id.max(id.saturating_add(1));
        if given.is_none() && body.is_object() && body.get("update_id").is_none() {
            body["update_id"] = json!(id);
        }
        let kind = body.as_object().and_then(|map| map.keys().find(|key| *key != "update_id").cloned());
        let kind = kind.unwrap_or_default();
        let chat = body[&kind]["chat"]["id"].as_i64();
        let lane = chat.map_or_else(|| Lane::Other("raw".into(), id), Lane::Chat);
        self.enqueue(id, &kind, lane, body);
        id
    }

    fn enqueue(&mut self, id: i64, kind: &str, lane: Lane, body: Value) {
        let now = Instant::now();
        self.tickets += 1;
        let pending = Pending {
            id,
            ticket: self.tickets,
            kind: kind.to_owned(),
            lane,
            body,
            born: now,
            forced: false,
            in_flight: false,
            failures: 0,
            delay: Duration::from_secs(1),
            wake_at: now,
        };
        self.history.insert(id, pending.clone());
        self.queue.push(pending);
    }

    /// Queues an earlier update again, same id, same content.
    pub(super) fn redeliver(&mut self, id: i64) -> bool {
        let Some(mut again) = self.history.get(&id).cloned() else { return false };
        self.tickets += 1;
        again.ticket = self.tickets;
        again.forced = true;
        again.born = Instant::now();
        again.wake_at = again.born;
        self.queue.push(again);
        true
    }

    pub fn get(&self, id: i64) -> Option<&Value> {
        self.history.get(&id).map(|pending| &pending.body)
    }

    /// The id that the next update gets.
    pub fn tail(&self) -> i64 {
        self.next_id
    }

    /// What the platform does after a week of silence: the next id is another one.
    pub(super) fn jump_to(&mut self, next: i64) {
        self.next_id = next;
    }

    /// Removes what `offset` confirms and returns the ids. An offset beyond the tail is "in the future" for the
    /// vendor's queue, which then starts at its head and confirms nothing (`Client::do_get_updates`).
    pub(super) fn confirm(&mut self, offset: i64) -> Vec<i64> {
        if offset < 0 {
            let keep = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            let cut = self.queue.len().saturating_sub(keep);
            return self.queue.drain(..cut).map(|pending| pending.id).collect();
        }
        if offset > self.next_id {
            return Vec::new();
        }
        let confirmed = |pending: &Pending| pending.id < offset && !pending.forced;
        let ids = self.queue.iter().filter(|pending| confirmed(pending)).map(|pending| pending.id).collect();
        self.queue.retain(|pending| !confirmed(pending));
        ids
    }

    /// The oldest `limit` updates. Those played again leave the queue with this.
    pub(super) fn batch(&mut self, limit: usize) -> Vec<Pending> {
        let batch: Vec<Pending> = self.queue.iter().take(limit).cloned().collect();
        let mut left = limit;
        self.queue.retain(|pending| {
            let taken = left > 0;
            left = left.saturating_sub(1);
            !(taken && pending.forced)
        });
        batch
    }

    /// Removes what has waited too long and returns the ids.
    pub(super) fn expire(&mut self) -> Vec<i64> {
        let (scale, now) = (self.time_scale, Instant::now());
        let mut ids = Vec::new();
        self.queue.retain(|pending| {
            let age = now.saturating_duration_since(pending.born);
            let expired = !pending.in_flight && age > life_of(&pending.kind).mul_f64(scale);
            if expired {
                ids.push(pending.id);
            }
            !expired
        });
        ids
    }

    pub(super) fn drop_all(&mut self) -> Vec<i64> {
        self.queue.drain(..).map(|pending| pending.id).collect()
    }
}

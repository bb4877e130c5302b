//! `queues` and `channels`: where conversations wait, and where they come from.
//!
//! Not here: changing them; they are configuration.

use std::sync::Arc;

use deskbridge_store::FactSource as _;
use serde::Serialize;

use super::Api;
use super::call::{Answer, Call};
use super::page::one;
use super::sight::sees_queue;
use super::view::time;
use crate::http::problem::Problem;
use crate::runtime::health::State;

#[derive(Serialize)]
struct QueueView {
    name: String,
    waiting: u32,
    /// Seconds; `null` while too few waits are known.
    expected_wait: Option<u64>,
    open: bool,
    /// As said to people; `null` while it is open.
    reopens: Option<String>,
    technicians: Vec<String>,
    priority: u8,
}

pub async fn queues(api: Arc<Api>, call: Call) -> Answer {
    let policy = api.bridge.policy.current();
    let now = api.bridge.now();
    let seen = policy.policy.queues.iter().filter(|(name, _)| sees_queue(&call.caller, name, &policy.policy));
    let views = seen.map(|(name, queue)| {
        let facts = api.bridge.board.facts(name, now);
        QueueView {
            name: name.0.clone(),
            waiting: facts.waiting,
            expected_wait: facts.expected_wait.map(|wait| wait.as_secs()),
            open: facts.reopening.is_none(),
            reopens: facts.reopening.map(|reopening| reopening.said),
            technicians: queue.technicians.iter().map(|technician| technician.0.clone()).collect(),
            priority: queue.priority,
        }
    });
    Ok(one(views.collect::<Vec<_>>()))
}

#[derive(Serialize)]
struct ChannelView {
    name: String,
    requesters: bool,
    desks: usize,
    health: HealthView,
}

#[derive(Serialize)]
struct HealthView {
    state: &'static str,
    since: Option<String>,
    /// For those who can do something about it.
    detail: Option<String>,
    retry_at: Option<String>,
}

pub async fn channels(api: Arc<Api>, call: Call) -> Answer {
    let policy = api.bridge.policy.current();
    let views = policy.policy.channels.iter().map(|(name, channel)| ChannelView {
        name: name.0.clone(),
        requesters: channel.requesters,
        desks: channel.desks.len(),
        health: health(api.bridge.health_of(name), call.caller.oversees()),
    });
    Ok(one(views.collect::<Vec<_>>()))
}

fn health(state: Option<State>, everything: bool) -> HealthView {
    let (state, since, detail, retry_at) = match state {
        None | Some(State::Starting) => ("starting", None, None, None),
        Some(State::Up { since, detail }) => ("up", Some(since), Some(detail), None),
        Some(State::Down { since, why, retry_at }) => ("down", Some(since), Some(why), Some(retry_at)),
        Some(State::Paused { since, why }) => ("paused", Some(since), Some(why), None),
    };
    let detail = detail.filter(|_| everything);
    HealthView { state, since: since.map(time), detail, retry_at: retry_at.map(time) }
}

#[derive(Serialize)]
struct ArticleView {
    id: String,
    title: String,
    section: String,
    anchor: String,
    text: String,
    score: f32,
}

/// Articles at most.
const ARTICLES: usize = 10;
const EXCERPT: usize = 600;

/// `kb/search`
pub async fn articles(api: Arc<Api>, call: Call) -> Answer {
    let query = call.asked("q").ok_or_else(|| Problem::bad("query", "`q` is missing"))?;
    let hits = api.knowledge.current().search(query, ARTICLES);
    let views = hits.into_iter().map(|hit| ArticleView {
        id: hit.article.id.to_string(),
        title: hit.article.title.clone(),
        section: hit.chunk.heading.join(" › "),
        anchor: hit.chunk.anchor.clone(),
        text: crate::runtime::render::cut(&hit.chunk.text, EXCERPT),
        score: hit.score,
    });
    Ok(one(views.collect::<Vec<_>>()))
}

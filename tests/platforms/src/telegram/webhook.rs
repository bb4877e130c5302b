//! Posts updates to the bot's webhook: one at a time per lane, again after failures, obeying Retry-After
//! (tdlib/telegram-bot-api `WebhookActor.cpp`). Setting the webhook is in `methods`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::{Map, Value};
use tokio::task::JoinSet;

use super::ledger::Way;
use super::methods;
use super::params::Params;
use super::updates::{Webhook, life_of};
use super::world::{Shared, World};
use crate::encoding::url_decoded;

const TIMEOUT: Duration = Duration::from_secs(60);
/// The vendor draws the longest delay between 60 and 120 s.
const LONGEST_DELAY: Duration = Duration::from_secs(90);
const LONGEST_RETRY_AFTER: u64 = 3600;
/// So long nothing but 410 removes the webhook.
const GONE: Duration = Duration::from_secs(23 * 3600);

struct Letter {
    ticket: u64,
    id: i64,
    kind: String,
    attempt: u32,
    body: String,
    webhook: Webhook,
    timeout: Duration,
}

enum Outcome {
    Taken { body: String, is_form: bool },
    Refused { status: Option<u16>, retry_after: u64, error: String },
}

/// Runs as long as the fake does.
pub(super) async fn run(shared: Arc<Shared>) {
    // Plain HTTP needs no provider, but the client will not be built without one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
    let Ok(client) = client else { return };
    let mut bell = shared.bell();
    let mut letters = JoinSet::new();
    loop {
        let (ready, wake_at, expired) = shared.quietly(|world| {
            let expired = world.updates.expire();
            world.ledger.lost.extend(&expired);
            let (ready, wake_at) = due(world);
            (ready, wake_at, !expired.is_empty())
        });
        if expired {
            shared.ring();
        }
        for letter in ready {
            letters.spawn(post(shared.clone(), client.clone(), letter));
        }
        let wake_at = wake_at.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
        tokio::select! {
            _ = bell.changed() => {}
            () = tokio::time::sleep_until(wake_at.into()) => {}
            Some(_) = letters.join_next() => {}
        }
    }
}

/// What can go out now, marked as under way, and when to look again.
fn due(world: &mut World) -> (Vec<Letter>, Option<Instant>) {
    let Some(webhook) = world.updates.webhook.clone() else { return (Vec::new(), None) };
    let timeout = TIMEOUT.mul_f64(world.settings.time_scale).max(Duration::from_millis(500));
    let now = Instant::now();
    let mut under_way = world.updates.queue.iter().filter(|pending| pending.in_flight).count();
    // The first of a lane holds up the rest, under way or waiting.
    let mut heads = BTreeSet::new();
    let mut ready = Vec::new();
    let mut wake_at: Option<Instant> = None;
    for pending in &mut world.updates.queue {
        // No connection is free; the next answer wakes us.
        if under_way >= webhook.max_connections {
            break;
        }
        if !heads.insert(pending.lane.clone()) || pending.in_flight {
            continue;
        }
        if pending.wake_at > now {
            wake_at = Some(wake_at.map_or(pending.wake_at, |at| at.min(pending.wake_at)));
        } else {
            under_way += 1;
            pending.in_flight = true;
            ready.push(Letter {
                ticket: pending.ticket,
                id: pending.id,
                kind: pending.kind.clone(),
                attempt: pending.failures + 1,
                body: pending.body.to_string(),
                webhook: webhook.clone(),
                timeout,
            });
        }
    }
    (ready, wake_at)
}

async fn post(shared: Arc<Shared>, client: reqwest::Client, letter: Letter) {
    let mut request = client.post(&letter.webhook.url).header(CONTENT_TYPE, "application/json");
    if let Some(secret) = &letter.webhook.secret_token {
        request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
    }
    let outcome = match request.timeout(letter.timeout).body(letter.body.clone()).send().await {
        Ok(response) => read(response).await,
        Err(_) => {
            Outcome::Refused { status: None, retry_after: 0, error: "Webhook connection closed".into() }
        }
    };
    shared.change(|world| settle(world, &letter, outcome));
}

async fn read(response: reqwest::Response) -> Outcome {
    let status = response.status();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let retry_after = header(RETRY_AFTER).and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
    let is_form =
        header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if status.is_success() {
        return Outcome::Taken { body: response.text().await.unwrap_or_default(), is_form };
    }
    let error = format!("Wrong response from the webhook: {status}");
    Outcome::Refused {
        status: Some(status.as_u16()),
        retry_after: retry_after.min(LONGEST_RETRY_AFTER),
        error,
    }
}

fn settle(world: &mut World, letter: &Letter, outcome: Outcome) {
    let status = match &outcome {
        Outcome::Taken { .. } => Some(200),
        Outcome::Refused { status, .. } => *status,
    };
    world.ledger.delivered(letter.id, &letter.kind, Way::Posted { attempt: letter.attempt, status });
    match outcome {
        Outcome::Taken { body, is_form } => {
            world.updates.queue.retain(|pending| pending.ticket != letter.ticket);
            world.ledger.confirmed.push(letter.id);
            if let Some(webhook) = &mut world.updates.webhook {
                webhook.gone_since = None;
            }
            carry_out(world, &body, is_form);
        }
        Outcome::Refused { status, retry_after, error } => {
            note_error(world, status, error);
            postpone(world, letter, retry_after);
        }
    }
}

fn note_error(world: &mut World, status: Option<u16>, error: String) {
    let (now, gone) = (world.unix_now(), GONE.mul_f64(world.settings.time_scale));
    let Some(webhook) = &mut world.updates.webhook else { return };
    webhook.last_error = Some((now, error));
    if status != Some(410) {
        webhook.gone_since = None;
        return;
    }
    let since = *webhook.gone_since.get_or_insert_with(Instant::now);
    if since.elapsed() > gone {
        world.updates.webhook = None;
    }
}

/// The first retry comes at once, then after 2 s, doubling.
fn postpone(world: &mut World, letter: &Letter, retry_after: u64) {
    let scale = world.settings.time_scale;
    let Some(pending) = world.updates.queue.iter_mut().find(|pending| pending.ticket == letter.ticket) else {
        return;
    };
    let mut wait = Duration::from_secs(retry_after);
    if retry_after == 0 && pending.failures > 0 {
        pending.delay = (pending.delay * 2).min(LONGEST_DELAY);
        wait = pending.delay;
    }
    pending.failures += 1;
    pending.in_flight = false;
    pending.wake_at = Instant::now() + wait.mul_f64(scale);
    if pending.wake_at > pending.born + life_of(&pending.kind).mul_f64(scale) {
        world.updates.queue.retain(|pending| pending.ticket != letter.ticket);
        world.ledger.lost.push(letter.id);
    }
}

/// A 2xx body that names a method is an API call; the contract of our own side forbids it.
fn carry_out(world: &mut World, body: &str, is_form: bool) {
    let values: Map<String, Value> = if is_form {
        let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(name, value)| (url_decoded(name.as_bytes()), url_decoded(value.as_bytes()).into()))
            .collect()
    } else {
        serde_json::from_str(body).unwrap_or_default()
    };
    let Some(named) = values.get("method").and_then(Value::as_str).map(str::to_owned) else { return };
    world.ledger.violation(format!("the webhook's answer was taken for a call of {named}"));
    let lower = named.to_ascii_lowercase();
    if lower.starts_with("get")
        || ["deletewebhook", "setwebhook", "close", "logout"].contains(&lower.as_str())
    {
        return;
    }
    let params = Params::from_map(values);
    let number = world.ledger.open(methods::spelling(&named).unwrap_or(&named), &named, &params);
    let answer = methods::call(world, &named, &params);
    world.ledger.amend(number, |call| call.effect = answer.is_ok());
}

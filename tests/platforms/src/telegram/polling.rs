//! `getUpdates`: held until something comes, replaced by a second one, refused while a webhook is set.
//! The queue itself is in `updates`.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::error::{Answer, ApiError};
use super::ledger::Way;
use super::methods;
use super::params::Params;
use super::world::{Shared, World};

/// The longest the vendor's server holds a call.
const MAX_TIMEOUT: i64 = 50;

pub(super) async fn get_updates(shared: &Shared, call: usize, params: &Params) -> Answer {
    let limit = params.int("limit").unwrap_or(100).clamp(1, 100) as usize;
    let timeout = params.int("timeout").unwrap_or(0).clamp(0, MAX_TIMEOUT);
    let mut bell = shared.bell();
    let first = shared.change(|world| {
        if world.updates.webhook.is_some() {
            return Err(ApiError::conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
            ));
        }
        methods::remember_allowed(world, params)?;
        let expired = world.updates.expire();
        world.ledger.lost.extend(expired);
        let confirmed = world.updates.confirm(params.int("offset").unwrap_or(0));
        world.ledger.confirmed.extend(confirmed);
        Ok(take(world, call, limit))
    })?;
    if !first.is_empty() || timeout == 0 {
        return Ok(Value::Array(first));
    }
    let mine = shared.change(|world| {
        world.updates.poll += 1;
        world.updates.poll
    });
    let deadline = Instant::now() + Duration::from_secs(timeout as u64);
    while timeout_at(deadline, bell.changed()).await.is_ok() {
        let batch = shared.quietly(|world| {
            if world.updates.poll == mine { Ok(take(world, call, limit)) } else { Err(replaced(world)) }
        })?;
        if !batch.is_empty() {
            shared.ring();
            return Ok(Value::Array(batch));
        }
    }
    Ok(Value::Array(Vec::new()))
}

fn replaced(world: &World) -> ApiError {
    ApiError::conflict(if world.updates.webhook.is_some() {
        "terminated by setWebhook request"
    } else {
        "terminated by other getUpdates request; make sure that only one bot instance is running"
    })
}

fn take(world: &mut World, call: usize, limit: usize) -> Vec<Value> {
    let batch = world.updates.batch(limit);
    for pending in &batch {
        world.ledger.delivered(pending.id, &pending.kind, Way::Polled { call });
    }
    batch.into_iter().map(|pending| pending.body).collect()
}

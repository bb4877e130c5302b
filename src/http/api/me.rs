//! `me`: what the token is.
//!
//! Not here: the token itself; it is shown once, when it is made.

use std::sync::Arc;

use deskbridge_conversation::policy::Role;
use serde::Serialize;

use super::Api;
use super::call::{Answer, Call};
use super::page::one;
use super::sight::sees_queue;

#[derive(Serialize)]
struct Me {
    token: Token,
    technician: Option<Own>,
    queues: Vec<String>,
}

#[derive(Serialize)]
struct Token {
    id: String,
    name: String,
    scopes: Vec<String>,
}

#[derive(Serialize)]
struct Own {
    id: String,
    name: String,
    role: Role,
}

pub async fn get(api: Arc<Api>, call: Call) -> Answer {
    let policy = api.bridge.policy.current();
    let queues = policy.policy.queues.keys().filter(|queue| sees_queue(&call.caller, queue, &policy.policy));
    let queues = queues.map(|queue| queue.0.clone()).collect();
    let technician = call.caller.technician.as_ref().map(|id| Own {
        id: id.0.clone(),
        name: policy.policy.name(id),
        role: call.caller.role,
    });
    let token = Token { id: call.caller.token, name: call.caller.name, scopes: call.caller.scopes };
    Ok(one(Me { token, technician, queues }))
}

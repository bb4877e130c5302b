//! `me`: what the token or the session is.
//!
//! Not here: the token itself; it is shown once, when it is made.

use std::sync::Arc;

use deskbridge_conversation::policy::Role;
use serde::Serialize;

use super::Api;
use super::call::{Answer, Call};
use super::page::one;
use super::sight::sees_queue;
use crate::http::auth::How;
use crate::http::session::Presented;

#[derive(Serialize)]
struct Me {
    token: Token,
    technician: Option<Own>,
    queues: Vec<String>,
    /// For the header `x-csrf-token`; `null` where a token was sent.
    csrf: Option<String>,
    /// Seconds in which a reply can be taken back.
    undo_window: u64,
    /// Whether drafts can be rewritten: a model is configured.
    rewrites: bool,
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
    let csrf = match call.caller.how {
        How::Session => Presented::of(&call.headers, api.site.plain_allowed()).map(|one| one.csrf),
        How::Token | How::Unknown => None,
    };
    let undo_window = policy.policy.undo_window.as_secs();
    let rewrites = api.bridge.assistant.rewrites();
    Ok(one(Me { token, technician, queues, csrf, undo_window, rewrites }))
}

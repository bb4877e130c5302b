//! The first answer to an interaction, and its `@original` ("Receiving and Responding").
//! What an answer does is in `interact`; follow-ups come through `webhooks`.

use super::webhooks::{delete_message, get_message, update_message};
use super::{Caller, Method, method};
use crate::discord::error::{Answer, Good, refuse};
use crate::discord::params::Params;
use crate::discord::world::World;

const ORIGINAL: &str = "webhooks/{webhook_id}/{webhook_token}/messages/@original";

pub(super) const METHODS: &[Method] = &[
    method(
        "POST",
        "interactions/{interaction_id}/{interaction_token}/callback",
        "create_interaction_response",
        callback,
    ),
    method("GET", ORIGINAL, "get_original_webhook_message", get),
    method("PATCH", ORIGINAL, "update_original_webhook_message", update),
    method("DELETE", ORIGINAL, "delete_original_webhook_message", delete),
];

fn callback(world: &mut World, _: Caller, params: &Params) -> Answer {
    let id = params.id("interaction_id")?;
    let token = params.at("interaction_token");
    if world.interactions.get(&id).is_none_or(|it| it.token != token) {
        return refuse(10_062);
    }
    world.respond(id, &params.body, &params.files)?;
    if params.flag("with_response") {
        let kind = params.body["type"].as_u64().unwrap_or(0);
        return Good::with(world.callback_json(id, kind));
    }
    Good::empty()
}

/// The path names no message, `@original` does.
fn original(params: &Params) -> Params {
    let mut params = params.clone();
    params.path.push(("message_id", "@original".into()));
    params
}

fn get(world: &mut World, caller: Caller, params: &Params) -> Answer {
    get_message(world, caller, &original(params))
}

fn update(world: &mut World, caller: Caller, params: &Params) -> Answer {
    update_message(world, caller, &original(params))
}

fn delete(world: &mut World, caller: Caller, params: &Params) -> Answer {
    delete_message(world, caller, &original(params))
}

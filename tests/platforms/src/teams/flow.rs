//! A flow "When a Teams webhook request is received": takes a card, answers 202, and posts it to its channel some time
//! later ("Create an Incoming Webhook", and the known issues of the connector).

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Response, Uri};
use serde_json::{Value, json};

use super::world::World;
use super::{FakeTeams, Shared, page};
use crate::http::json as answer_json;

/// The secret in its URL.
const SIGNATURE: &str = "planted-flow-signature";
const MAX_MESSAGE: usize = 28 << 10;
/// More than four requests in a second are throttled.
const THROTTLED: usize = 4;

impl FakeTeams {
    /// What its owner copies from the trigger.
    pub fn flow_url(&self) -> String {
        format!(
            "{}/workflows/f1/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig={SIGNATURE}",
            self.base()
        )
    }

    /// Words of every card that the flow posted, in order.
    pub fn notices(&self) -> Vec<String> {
        self.read(|world| world.notices.iter().map(|(_, card)| words(card)).collect())
    }

    /// From now on the flow answers with this status and posts nothing; `None` mends it.
    pub fn break_flow(&self, status: Option<u16>) {
        self.change(|world| world.flow_fault = status);
    }
}

fn words(message: &Value) -> String {
    let card = &message["attachments"][0];
    let shown = json!({ "textFormat": "plain", "attachments": [card] });
    page::read(&shown).map(|page| page.text).unwrap_or_else(|why| why)
}

fn refusal(status: u16, code: &str) -> Response<Body> {
    answer_json(status, &json!({ "error": { "code": code, "message": "as a flow says it" } }))
}

pub(super) fn answer(shared: &Shared, method: &str, uri: &Uri, raw: &[u8]) -> Response<Body> {
    let mut world = shared.world();
    if method != "POST" {
        return refusal(404, "ResourceNotFound");
    }
    world.flow_calls.push(Instant::now());
    if let Some(status) = world.flow_fault {
        return refusal(status, "WorkflowFault");
    }
    if !uri.query().is_some_and(|query| query.split('&').any(|pair| pair == format!("sig={SIGNATURE}"))) {
        return refusal(401, "DirectApiAuthorizationRequired");
    }
    let second = Instant::now().checked_sub(Duration::from_secs(1));
    let lately = world.flow_calls.iter().filter(|at| second.is_none_or(|second| **at > second)).count();
    if lately > THROTTLED {
        return refusal(429, "TooManyRequests");
    }
    if raw.len() > MAX_MESSAGE {
        return refusal(413, "RequestEntityTooLarge");
    }
    let message: Value = serde_json::from_slice(raw).unwrap_or_default();
    if let Err(why) = sound(&message) {
        note(&mut world, &why);
        return refusal(400, "InvalidRequestContent");
    }
    world.notices.push((Instant::now(), message));
    // Accepted by the flow; whether it posts is another matter.
    answer_json(202, &Value::Null)
}

fn note(world: &mut World, why: &str) {
    world.violations.push(format!("a flow was given {why}"));
}

fn sound(message: &Value) -> Result<(), String> {
    let all = message["attachments"].as_array().ok_or("no attachments")?;
    if message["type"] != "message" || all.len() != 1 {
        return Err("something else than a message with one card".into());
    }
    if all[0]["contentType"] != "application/vnd.microsoft.card.adaptive" || !all[0]["contentUrl"].is_null() {
        return Err("something else than an Adaptive Card".into());
    }
    page::read(&json!({ "textFormat": "plain", "attachments": all })).map(drop)
}

//! Events by HTTP: one route that looks at size, time and signature, stores the payload and answers.
//!
//! Not here: where the route is mounted, and the host's own limits in front of it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use deskbridge_contract::{Inbox, TranslateError};
use secrecy::SecretString;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::signature::Claim;
use super::{AGAIN, Answer, take};
use crate::Slack;
use crate::translate::text;

/// The largest payload: a message of 40 000 characters in rich text with its files stays far below.
const MAX_BODY: usize = 1 << 20;
/// A body is parsed with its depth bounded by serde_json; fields of a form are few.
const MAX_FIELDS: usize = 64;

struct Door {
    slack: Arc<Slack>,
    inbox: Inbox,
    secret: SecretString,
}

pub(super) fn route(slack: Arc<Slack>, inbox: Inbox, secret: SecretString) -> Router {
    Router::new().route("/", post(receive)).with_state(Arc::new(Door { slack, inbox, secret }))
}

async fn receive(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if declared(&head.headers).is_some_and(|length| length > MAX_BODY) {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    let Some(claim) = Claim::read(&head.headers, (door.slack.clock)()) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    if head.headers.contains_key(header::CONTENT_ENCODING) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    if !claim.holds(&door.secret, &body) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let retry = head.headers.get("x-slack-retry-num").and_then(|number| number.to_str().ok()?.parse().ok());
    // Slack hangs up after three seconds; what was begun is finished, and its copy then is a duplicate.
    match tokio::spawn(async move { admit(&door, &body, retry.unwrap_or(0)).await }).await {
        Ok(response) => response,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A payload that is Slack's.
async fn admit(door: &Door, body: &[u8], retry: u32) -> Response {
    let payload = match parse(body) {
        Ok(payload) => payload,
        Err(why) => {
            return match door.inbox.quarantine(body, &why).await {
                Ok(()) => StatusCode::OK.into_response(),
                Err(_) => again(),
            };
        }
    };
    if text(&payload, "type") == Some("url_verification") {
        let challenge = text(&payload, "challenge").unwrap_or_default().to_owned();
        return ([(header::CONTENT_TYPE, "text/plain")], challenge).into_response();
    }
    // "Slash commands": Slack looks now and then whether the certificate is good.
    if payload.get("ssl_check").is_some() && payload.get("command").is_none() {
        return StatusCode::OK.into_response();
    }
    let turn = door.slack.receiving.turn(&payload);
    match take(&door.slack, &door.inbox, (body, retry), &payload, turn).await {
        Ok(Answer::Empty) => (StatusCode::OK, Body::empty()).into_response(),
        Ok(Answer::Json(said)) => {
            ([(header::CONTENT_TYPE, "application/json")], said.to_string()).into_response()
        }
        Err(_) => again(),
    }
}

/// Without `X-Slack-No-Retry`: Slack shall bring it again.
fn again() -> Response {
    let after = HeaderValue::from(AGAIN.as_secs());
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, after)]).into_response()
}

fn declared(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Events are JSON; interactions are a form with JSON in its field `payload`; commands are a form. They tell themselves
/// apart: JSON begins with a brace, a form never does.
pub(super) fn parse(body: &[u8]) -> Result<Value, TranslateError> {
    let broken = |what: &str| TranslateError::Malformed(what.to_owned());
    let said = std::str::from_utf8(body).map_err(|_| broken("not UTF-8"))?;
    let json = |text: &str| {
        serde_json::from_str::<Value>(text)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| broken("not a JSON object"))
    };
    if said.trim_start().starts_with(['{', '[', '"']) {
        return json(said);
    }
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(said.as_bytes()).take(MAX_FIELDS) {
        if name == "payload" {
            return json(&value);
        }
        fields.insert(name.into_owned(), Value::String(value.into_owned()));
    }
    if fields.contains_key("command") || fields.contains_key("ssl_check") {
        return Ok(Value::Object(fields));
    }
    Err(broken("neither JSON nor a form of Slack's"))
}

//! Interactions by HTTP: one route that looks at size, time and signature, stores what was asked and answers.
//!
//! Not here: where the route is mounted, and the host's own limits in front of it; what an interaction asks for.

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use deskbridge_contract::{Inbox, TranslateError};
use serde_json::{Value, json};

use super::acts;
use super::signature::{Claim, PublicKey};
use crate::Discord;

/// The largest payload: a form of five fields and the message under which it was opened stay far below.
const MAX_BODY: usize = 1 << 20;

struct Door {
    discord: Arc<Discord>,
    inbox: Inbox,
    key: PublicKey,
}

pub(super) fn route(discord: Arc<Discord>, inbox: Inbox, key: PublicKey) -> Router {
    Router::new().route("/", post(receive)).with_state(Arc::new(Door { discord, inbox, key }))
}

async fn receive(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if declared(&head.headers).is_some_and(|length| length > MAX_BODY) {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    let Some(claim) = Claim::read(&head.headers, (door.discord.clock)()) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    if head.headers.contains_key(header::CONTENT_ENCODING) || !is_json(&head.headers) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    if !claim.holds(&door.key, &body) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    // Discord hangs up after three seconds; what was begun is finished.
    match tokio::spawn(async move { admit(&door, &body).await }).await {
        Ok(response) => response,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A payload that is Discord's.
async fn admit(door: &Door, body: &[u8]) -> Response {
    let payload = match serde_json::from_slice::<Value>(body) {
        Ok(payload) if payload.is_object() => payload,
        _ => {
            let why = TranslateError::Malformed("not a JSON object".into());
            return match door.inbox.quarantine(body, &why).await {
                Ok(()) => StatusCode::BAD_REQUEST.into_response(),
                Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            };
        }
    };
    // "Interactions Endpoint URL": whether we are there, also before the token is known to be good.
    if payload["type"] == 1 {
        return answered(&json!({ "type": 1 }));
    }
    match acts::by_http(&door.discord, &door.inbox, &payload).await {
        Ok(Some(answer)) => answered(&answer),
        Ok(None) => StatusCode::BAD_REQUEST.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn answered(answer: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], answer.to_string()).into_response()
}

/// By its own word (S30).
fn is_json(headers: &HeaderMap) -> bool {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let (kind, more) = (kinds.next().and_then(|kind| kind.to_str().ok()), kinds.next());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    more.is_none() && kind.trim().eq_ignore_ascii_case("application/json")
}

fn declared(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

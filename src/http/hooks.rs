//! In front of every adapter's hook: size, time, media type, and how many at once.
//!
//! Not here: signatures and payloads (the adapters).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use deskbridge_contract::ChannelName;
use tokio::sync::Semaphore;

use super::body::{self, Room};
use super::limits::Limits;
use super::problem::Problem;

/// What platforms send.
const KINDS: [&str; 2] = ["application/json", "application/x-www-form-urlencoded"];

struct Front {
    limits: Limits,
    room: Room,
    places: Semaphore,
}

/// The adapters' routes at `/hooks/{channel}`.
pub fn router(hooks: &[(ChannelName, Router)], limits: &Limits, room: &Room) -> Router {
    let places = Semaphore::new(limits.hooks);
    let front = Arc::new(Front { limits: limits.clone(), room: room.clone(), places });
    let mut router = Router::new();
    for (channel, hook) in hooks {
        router = router.nest(&format!("/hooks/{channel}"), hook.clone());
    }
    router.layer(from_fn_with_state(front, guarded))
}

async fn guarded(State(front): State<Arc<Front>>, request: Request, next: Next) -> Response {
    if let Some(problem) = body::refused(request.headers(), &front.limits) {
        return problem.into_response();
    }
    if !is_known_kind(request.headers()) {
        return Problem::of(StatusCode::UNSUPPORTED_MEDIA_TYPE).into_response();
    }
    // Above what can be carried the platform is told at once to send again: never accepted and dropped (Q14).
    let Ok(_place) = front.places.try_acquire() else { return overloaded() };
    let (request, guard) = body::guard(request, &front.limits, &front.room);
    let Ok(response) = tokio::time::timeout(front.limits.answer, next.run(request)).await else {
        return overloaded();
    };
    guard.problem().map_or(response, Problem::into_response)
}

fn overloaded() -> Response {
    metrics::counter!("deskbridge_http_refused_total", "reason" => "overload").increment(1);
    Problem::busy(1).into_response()
}

/// Without a declared kind it is the adapter's to judge.
fn is_known_kind(headers: &HeaderMap) -> bool {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let (first, second) = (kinds.next(), kinds.next());
    let Some(kind) = first else { return true };
    let essence = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    second.is_none() && KINDS.iter().any(|known| essence.eq_ignore_ascii_case(known))
}

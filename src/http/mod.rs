//! The HTTP surface: health, metrics, the adapters' hooks, the API.
//!
//! Not here: what an adapter accepts (its own route), any rule of the product.

pub mod server;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::app::Running;
use crate::config::Config;
use crate::runtime::Bridge;

/// Every route. `extra` is merged in at the root (the demo page).
pub fn router(_config: &Config, running: &Running, extra: Option<Router>) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .with_state(running.bridge.clone());
    for (channel, hook) in &running.hooks {
        router = router.nest(&format!("/hooks/{channel}"), hook.clone());
    }
    match extra {
        Some(extra) => router.merge(extra),
        None => router,
    }
}

async fn ready(State(bridge): State<Arc<Bridge>>) -> impl IntoResponse {
    match bridge.read.ping().await {
        Ok(()) => (StatusCode::OK, "ready"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read"),
    }
}

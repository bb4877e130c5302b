//! The HTTP surface: health, metrics, the adapters' hooks, the API and its description.
//!
//! Not here: what an adapter accepts (its own route), any rule of the product.

mod answer;
pub mod api;
mod auth;
mod body;
mod console;
mod docs;
pub mod door;
mod edge;
mod factor;
mod hooks;
pub mod limits;
pub mod metrics;
pub mod openapi;
mod ops;
mod passwords;
mod peer;
mod problem;
pub mod server;
pub mod session;
mod throttle;
mod widget;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;

use crate::app::Running;
use crate::config::Config;
use answer::Surroundings;
pub use auth::Scope;
use body::Room;
use console::Framing;
use edge::Edge;
use limits::Limits;
use peer::Proxies;

/// Every route.
pub fn router(config: &Config, running: &Running) -> Router {
    router_with(config, running, &Limits::default())
}

/// As `router`, with the demo's page at the root, which alone has the console in a frame.
pub fn router_of_demo(config: &Config, running: &Running, page: Router) -> Router {
    assembled(config, running, page, Framing::OwnPages, &Limits::default())
}

/// As `router`, with other limits.
pub fn router_with(config: &Config, running: &Running, limits: &Limits) -> Router {
    assembled(config, running, Router::new(), Framing::Nobody, limits)
}

fn assembled(config: &Config, running: &Running, extra: Router, framing: Framing, limits: &Limits) -> Router {
    let bridge = &running.bridge;
    let room = Room::new(limits.bodies);
    let around = Surroundings {
        proxies: Proxies(config.server.trusted_proxies.as_slice().into()),
        edge: Edge::new(limits.failures),
    };
    Router::new()
        .merge(ops::router(bridge, &running.knowledge))
        .merge(docs::router())
        .merge(console::router(framing))
        .merge(hooks::router(&running.hooks, limits, &room))
        .merge(api::router(running, config, limits, &room))
        .merge(widget::router(&running.pages))
        .merge(extra)
        .layer(from_fn_with_state(Arc::new(around), answer::surround))
}

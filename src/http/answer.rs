//! What every answer carries, whoever gives it: an id, security headers, a body for problems, a line in the metrics.
//!
//! Not here: what is answered. A panic below becomes a problem here.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;

use super::edge::Edge;
use super::peer::Proxies;
use super::problem::Problem;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SECURITY: [(HeaderName, HeaderValue); 2] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];
/// Of everything that is no page: no cache keeps it (S58), no browser runs it.
const PRIVATE: [(HeaderName, HeaderValue); 2] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
];

pub struct Surroundings {
    pub proxies: Proxies,
    pub edge: Edge,
}

/// The label of requests that no route took.
const UNKNOWN: &str = "-";

/// The part of the surface that a path belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Area {
    Hooks,
    Api,
    Other,
}

impl Area {
    fn of(path: &str) -> Area {
        let within =
            |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        match () {
            () if within("/hooks") => Area::Hooks,
            () if within("/api") => Area::Api,
            () => Area::Other,
        }
    }
}

/// The outermost layer.
pub async fn surround(State(around): State<Arc<Surroundings>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = request_id();
    let area = Area::of(request.uri().path());
    let route = route(area, request.extensions().get::<MatchedPath>());
    let method = request.method().clone();
    let peer = around.proxies.peer(request.extensions(), request.headers());
    request.extensions_mut().insert(peer);
    request.extensions_mut().insert(deskbridge_contract::Peer { address: peer.address, local: peer.local });
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|_| Problem::internal().into_response());
    if is_failed_authentication(area, response.status())
        && let Some(problem) = around.edge.failed(peer.address)
    {
        response = problem.into_response();
    }
    // Where no adapter answered, nothing is an adapter's business.
    let ours = area != Area::Hooks || route == UNKNOWN;
    response = with_body(response, ours, &id);
    add(response.headers_mut(), SECURITY);
    if area != Area::Other {
        add(response.headers_mut(), PRIVATE);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let status = response.status();
    metrics::counter!(
        "deskbridge_http_requests_total",
        "method" => method_label(&method), "route" => route.clone(), "status" => status.as_str().to_owned()
    )
    .increment(1);
    metrics::histogram!("deskbridge_http_request_seconds", "route" => route.clone()).record(began.elapsed());
    // Neither the path nor the query: they may hold what nobody should read later.
    tracing::debug!(request_id = id, %method, route, status = status.as_u16(), "answered");
    response
}

/// A layer for routes that are no pages.
pub async fn private(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    add(response.headers_mut(), PRIVATE);
    response
}

fn add<const N: usize>(headers: &mut HeaderMap, wanted: [(HeaderName, HeaderValue); N]) {
    for (name, value) in wanted {
        headers.entry(name).or_insert(value);
    }
}

/// Platforms that sign with keys of their own are refused with 403, everybody else with 401.
fn is_failed_authentication(area: Area, status: StatusCode) -> bool {
    status == StatusCode::UNAUTHORIZED || (area == Area::Hooks && status == StatusCode::FORBIDDEN)
}

/// Problems get their body here. What adapters answer to their platforms stays as it is.
fn with_body(mut response: Response, ours: bool, id: &str) -> Response {
    let carried = response.extensions_mut().remove::<Problem>();
    let bare = response.status().is_client_error() || response.status().is_server_error();
    let problem = match carried {
        Some(problem) => problem,
        None if bare && ours && is_empty(response.body()) => Problem::of(response.status()),
        None => return response,
    };
    let mut written = problem.written(id);
    if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
        written.headers_mut().insert(header::ALLOW, allow);
    }
    add(written.headers_mut(), PRIVATE);
    written
}

fn is_empty(body: &Body) -> bool {
    body.size_hint().exact() == Some(0)
}

/// 16 hexadecimal digits; never taken from the request.
fn request_id() -> String {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => hex::encode(bytes),
        // The id only helps to find a line in the log.
        Err(_) => "unknown".to_owned(),
    }
}

/// The route as declared: no ids, no names of channels (S109).
fn route(area: Area, matched: Option<&MatchedPath>) -> String {
    match (area, matched) {
        (_, None) => UNKNOWN.to_owned(),
        (Area::Hooks, Some(_)) => "/hooks/{channel}".to_owned(),
        (Area::Api | Area::Other, Some(path)) => path.as_str().to_owned(),
    }
}

/// Methods can be invented; their labels cannot.
fn method_label(method: &axum::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

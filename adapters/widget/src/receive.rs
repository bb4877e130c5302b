//! The widget's own surface: routes, and who may come in by them.
//!
//! Not here: what a frame does (`act`), the connections (`socket`, `wire`, `stream`), files (`files`), sessions (`session`).

mod act;
mod files;
mod session;
mod socket;
mod stream;
mod wire;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use deskbridge_contract::{Peer, ShelfError};
use serde_json::{Value, json};

use crate::Widget;
use crate::ids::Token;
use crate::people::Session;

/// Largest frame, and largest JSON body.
pub(crate) const MAX_FRAME: usize = 64 << 10;
/// How long a body may take.
const BODY: Duration = Duration::from_secs(10);

/// Why somebody is refused, in words for programs and for people.
pub(crate) struct Refusal {
    pub status: StatusCode,
    pub code: &'static str,
    pub detail: &'static str,
    pub retry: Option<Duration>,
}

impl Refusal {
    pub fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Refusal {
        Refusal { status, code, detail, retry: None }
    }

    pub fn unauthorized() -> Refusal {
        Refusal::new(StatusCode::UNAUTHORIZED, "session-ended", "This session is not valid any more.")
    }

    pub fn slow(retry: Duration) -> Refusal {
        let refusal = Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many",
            "Too much at once; please wait a moment.",
        );
        Refusal { retry: Some(retry), ..refusal }
    }

    pub fn unavailable() -> Refusal {
        let refusal = Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Not possible at the moment; it is tried again.",
        );
        Refusal { retry: Some(Duration::from_secs(2)), ..refusal }
    }

    pub fn malformed() -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, "malformed", "This cannot be read.")
    }

    pub fn not_found() -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing.")
    }

    fn seconds(&self) -> Option<u64> {
        self.retry.map(|retry| retry.as_secs() + u64::from(retry.subsec_nanos() > 0))
    }

    /// As a frame, answering the act `id`.
    pub fn frame(&self, id: &str) -> Value {
        json!({ "t": "refused", "id": id, "status": self.status.as_u16(), "code": self.code, "detail": self.detail,
            "retry": self.seconds() })
    }
}

impl From<ShelfError> for Refusal {
    fn from(error: ShelfError) -> Self {
        tracing::warn!(%error, "the widget's shelf is unavailable");
        Refusal::unavailable()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "type": "about:blank", "title": self.code, "code": self.code, "detail": self.detail,
            "status": self.status.as_u16() });
        let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let mut response = (self.status, [kind], body.to_string()).into_response();
        if let Some(seconds) = self.seconds() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

pub(crate) type Answer = Result<Response, Refusal>;

/// The routes under `/widget/v1/{channel}`.
pub(crate) fn page(widget: Arc<Widget>) -> Router {
    Router::new()
        .route("/session", post(session::open))
        .route("/act", post(act::by_http))
        .route("/events", post(stream::open))
        .route("/uploads", post(files::upload))
        .route("/socket", any(socket::open))
        .layer(from_fn_with_state(widget.clone(), from_known_pages))
        // A picture's request names no origin; its address is the key (S69).
        .route("/files/{file}", get(files::show))
        .with_state(widget)
}

/// Browsers name the page's origin truly and pages cannot change it: exact comparison, nothing without one (S55, S59).
async fn from_known_pages(State(widget): State<Arc<Widget>>, request: Request, next: Next) -> Response {
    let origin = origin(request.headers()).filter(|origin| widget.admits(origin, request.headers()));
    let Some(origin) = origin.and_then(|origin| HeaderValue::from_str(origin).ok()) else {
        let detail = "This page may not show the widget: its origin is not in the site's list.";
        return Refusal::new(StatusCode::FORBIDDEN, "foreign-origin", detail).into_response();
    };
    let mut response =
        if request.method() == Method::OPTIONS { preflight() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// The one origin that is named.
fn origin(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(header::ORIGIN).iter();
    match (given.next(), given.next()) {
        (Some(origin), None) => origin.to_str().ok(),
        _ => None,
    }
}

impl Widget {
    /// The site's pages; and pages of a program that runs on the visitor's own machine, for trying it out.
    fn admits(&self, origin: &str, headers: &HeaderMap) -> bool {
        self.config.admits(origin) || is_own_machine(origin, headers)
    }

    /// The session of a token; a failure costs the address of its budget.
    pub(crate) async fn session_by(
        &self,
        token: Option<Token>,
        from: IpAddr,
    ) -> Result<Arc<Session>, Refusal> {
        let shelf = self.shelf().map_err(|_| Refusal::unavailable())?;
        if let Some(token) = token
            && let Some(session) = self.people.find(&shelf, &token, (self.clock)()).await?
        {
            return Ok(session);
        }
        self.limits.failure(from).map_err(Refusal::slow)?;
        Err(Refusal::unauthorized())
    }
}

/// `http://127.0.0.1:8080` on `127.0.0.1:8080`. No name can be made to point there: the origin is the address itself.
fn is_own_machine(origin: &str, headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let near = ["127.0.0.1", "[::1]", "localhost"];
    let bare = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let name = bare.map_or(host, |(name, _)| name);
    near.contains(&name) && origin.strip_prefix("http://") == Some(host)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// What a request shows of its session, and where it comes from.
fn shown(request: &Request) -> (Option<Token>, IpAddr) {
    (bearer(request.headers()).and_then(Token::parse), peer(request))
}

pub(crate) fn peer(request: &Request) -> IpAddr {
    request.extensions().get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.address)
}

/// A JSON body, within its limits of size and time.
async fn body(body: Body) -> Result<axum::body::Bytes, Refusal> {
    let too_large = Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "This is too much at once.");
    match tokio::time::timeout(BODY, to_bytes(body, MAX_FRAME)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(too_large),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "This took too long.")),
    }
}

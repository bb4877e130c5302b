//! What goes wrong, as people and programs are told: `application/problem+json` (RFC 9457), once for the whole surface.
//!
//! Not here: when something is wrong. A problem never repeats what was sent, and holds no text of the store's.

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use deskbridge_store::StoreError;
use serde_json::{Map, Value, json};

/// One refusal. Becomes an empty answer that carries it; `answer.rs` writes the body, with the request's id.
#[derive(Clone, Debug)]
pub struct Problem {
    pub status: StatusCode,
    /// Stable, for programs: `not-found`.
    pub code: &'static str,
    /// For people; may be empty.
    pub detail: String,
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Problem { status, code, detail: detail.into(), headers: Vec::new() }
    }

    pub fn with(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The token is missing, unknown, expired or revoked: always the same words.
    pub fn unauthorized() -> Self {
        let how = HeaderValue::from_static("Bearer");
        Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "").with(header::WWW_AUTHENTICATE, how)
    }

    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// Not there, or not for this caller: nobody learns which (S66).
    pub fn not_found() -> Self {
        Problem::new(StatusCode::NOT_FOUND, "not-found", "")
    }

    pub fn bad(code: &'static str, detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::CONFLICT, code, detail)
    }

    /// Nothing was stored; the same request may be sent again.
    pub fn busy(seconds: u64) -> Self {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "").with(header::RETRY_AFTER, seconds)
    }

    pub fn internal() -> Self {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "")
    }

    /// For answers of the router itself, which have a status alone.
    pub fn of(status: StatusCode) -> Self {
        let code = match status {
            StatusCode::NOT_FOUND => "not-found",
            StatusCode::METHOD_NOT_ALLOWED => "method-not-allowed",
            StatusCode::PAYLOAD_TOO_LARGE => "too-large",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported-media-type",
            StatusCode::REQUEST_TIMEOUT => "too-slow",
            StatusCode::TOO_MANY_REQUESTS => "too-many",
            status if status.is_server_error() => "internal",
            _ => "refused",
        };
        Problem::new(status, code, "")
    }

    /// The whole answer, headers of `Problem::headers` included.
    pub fn written(&self, request_id: &str) -> Response {
        let mut body = Map::new();
        body.insert("type".into(), "about:blank".into());
        body.insert("title".into(), self.status.canonical_reason().unwrap_or("Refused").into());
        body.insert("status".into(), self.status.as_u16().into());
        if !self.detail.is_empty() {
            body.insert("detail".into(), self.detail.as_str().into());
        }
        body.insert("code".into(), self.code.into());
        body.insert("request_id".into(), request_id.into());
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (self.status, Json(Value::Object(body))).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        self.add_headers(response.headers_mut());
        response
    }

    fn add_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        self.add_headers(response.headers_mut());
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "a request could not be served");
        match error {
            StoreError::Conflict(_) | StoreError::Unavailable(_) => Problem::busy(1),
            StoreError::Corrupt(_) => Problem::internal(),
        }
    }
}

/// The schema that the API's description gives for every problem.
pub fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "code", "request_id"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string", "description": "Stable, for programs"},
            "request_id": {"type": "string", "description": "Also in the header x-request-id, and in the log"}
        }
    })
}

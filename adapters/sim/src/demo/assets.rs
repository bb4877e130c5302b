//! The page itself, built into the program.
//!
//! Not here: what it shows; that comes by `/state` and `/events`.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};

use super::Demo;

const PAGE: &str = include_str!("../../../../web/demo/demo.html");
const CSS: &str = include_str!("../../../../web/demo/demo.css");
const PORTAL: &str = include_str!("../../../../web/demo/portal.html");
const PORTAL_CSS: &str = include_str!("../../../../web/demo/portal.css");
const ICON: &str = include_str!("../../../../web/demo/icon.svg");
const DEMO_JS: &str = include_str!("../../../../web/demo/demo.js");
const VIEW_JS: &str = include_str!("../../../../web/demo/view.js");
const GUIDE_JS: &str = include_str!("../../../../web/demo/guide.js");
const MARKDOWN_JS: &str = include_str!("../../../../web/demo/markdown.js");

/// Nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The page with the widget: only the demo page has it in a frame.
const PORTAL_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                             img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// Where the host serves the widget's loader.
const LOADER: &str = "/widget/v1/deskbridge.js";
const REFERRER_POLICY: HeaderName = HeaderName::from_static("referrer-policy");

/// The page is mounted as `/demo` as well as `/demo/`, so its links are written from the path that was asked for.
pub(super) async fn page(OriginalUri(uri): OriginalUri) -> impl IntoResponse {
    let base = base(uri.path());
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, PAGE.replace("{base}", &base))
}

/// A page of somebody's own with the widget on it; not there where the demo has no such channel.
pub(super) async fn portal(State(demo): State<Arc<Demo>>, OriginalUri(uri): OriginalUri) -> Response {
    let Some(site) = &demo.portal else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, PORTAL_POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-cache"),
    ];
    let base = base(uri.path().trim_end_matches("/portal"));
    let page = PORTAL.replace("{base}", &base).replace("{loader}", LOADER).replace("{site}", site.as_str());
    (headers, page).into_response()
}

pub(super) async fn portal_css() -> impl IntoResponse {
    asset("text/css; charset=utf-8", PORTAL_CSS)
}

/// Links are written from the path that was asked for.
pub(super) fn base(path: &str) -> String {
    let path = path.trim_end_matches('/');
    let plain = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.".contains(&b));
    if plain { format!("{path}/") } else { "/".to_owned() }
}

pub(super) async fn css() -> impl IntoResponse {
    asset("text/css; charset=utf-8", CSS)
}

pub(super) async fn icon() -> impl IntoResponse {
    asset("image/svg+xml", ICON)
}

pub(super) async fn demo_js() -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", DEMO_JS)
}

pub(super) async fn view_js() -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", VIEW_JS)
}

pub(super) async fn guide_js() -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", GUIDE_JS)
}

pub(super) async fn markdown_js() -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", MARKDOWN_JS)
}

fn asset(kind: &'static str, body: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (CACHE_CONTROL, "no-cache")], body)
}

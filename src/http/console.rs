//! The technician's console: its built files, out of the program itself, under a policy that lets nothing else run.
//!
//! Not here: what it does (web/console), the API that it stands on.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use sha2::{Digest as _, Sha256};

use super::problem::Problem;
use crate::config::RETURN;

/// One built file. Their names stay the same, so browsers ask whether they changed.
struct File {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

macro_rules! file {
    ($name:literal, $kind:literal) => {
        File { name: $name, kind: $kind, bytes: include_bytes!(concat!("../../web/dist/console/", $name)) }
    };
}

const PAGE: &str = "index.html";
static FILES: &[File] = &[
    file!("index.html", "text/html; charset=utf-8"),
    file!("app.js", "text/javascript; charset=utf-8"),
    file!("settings.js", "text/javascript; charset=utf-8"),
    file!("app.css", "text/css; charset=utf-8"),
    file!("icon.svg", "image/svg+xml"),
];

/// Who may have the console in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// S53: what is pressed is pressed by somebody who sees the whole page.
    Nobody,
    /// The demo's own page, which has nothing of anybody else on it. `serve` never has it so.
    OwnPages,
}

/// No inline script or style, nothing from elsewhere; what scripts make of text is checked by the browser once more.
macro_rules! policy {
    ($ancestors:literal) => {
        concat!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; ",
            "connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; base-uri 'none'; ",
            "form-action 'none'; frame-ancestors ",
            $ancestors,
            "; require-trusted-types-for 'script'; trusted-types 'none'"
        )
    };
}

impl Framing {
    fn headers(self) -> [(HeaderName, &'static str); 2] {
        let (policy, options) = match self {
            Framing::Nobody => (policy!("'none'"), "DENY"),
            Framing::OwnPages => (policy!("'self'"), "SAMEORIGIN"),
        };
        [(header::CONTENT_SECURITY_POLICY, policy), (header::X_FRAME_OPTIONS, options)]
    }
}

const HEADERS: [(HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "no-cache"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
];

pub fn router(framing: Framing) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/console/") }))
        .route("/console", get(|| async { Redirect::permanent("/console/") }))
        .route("/console/", get(move |headers: HeaderMap| async move { answer(PAGE, &headers, framing) }))
        // Where the company's provider sends people back to; the page brings the rest to the API.
        .route(RETURN, get(move |headers: HeaderMap| async move { answer(PAGE, &headers, framing) }))
        .route(
            "/console/{file}",
            get(move |Path(file): Path<String>, headers: HeaderMap| async move {
                answer(&file, &headers, framing)
            }),
        )
}

fn answer(name: &str, asked: &HeaderMap, framing: Framing) -> Response {
    let Some(file) = FILES.iter().find(|file| file.name == name) else {
        return Problem::not_found().into_response();
    };
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(file.bytes)[..16]));
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { file.bytes.into_response() };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
    for (name, value) in HEADERS.into_iter().chain(framing.headers()) {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_only_files_that_are_there() {
        let page = std::str::from_utf8(FILES[0].bytes).unwrap();
        assert!(!page.contains("<style") && !page.contains("style=") && !page.contains("http"));
        for piece in page.split(['"', '\'']).filter(|piece| piece.starts_with("/console/")) {
            let name = piece.trim_start_matches("/console/");
            assert!(FILES.iter().any(|file| file.name == name), "{name}");
        }
        assert!(page.matches("<script").count() == 1 && page.contains("src="));
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        let first = answer(PAGE, &HeaderMap::new(), Framing::Nobody);
        let mut asked = HeaderMap::new();
        asked.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(answer(PAGE, &asked, Framing::Nobody).status(), StatusCode::NOT_MODIFIED);
        let outside = answer("../index.html", &HeaderMap::new(), Framing::Nobody);
        assert_eq!(outside.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn only_the_demos_own_page_has_it_in_a_frame() {
        let told = |framing: Framing| {
            let answer = answer(PAGE, &HeaderMap::new(), framing);
            let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
            let others = policy.replace("frame-ancestors 'none'", "").replace("frame-ancestors 'self'", "");
            let own = policy.contains("frame-ancestors 'self'");
            (own, answer.headers()[header::X_FRAME_OPTIONS].to_str().unwrap().to_owned(), others)
        };
        let (nobody, demo) = (told(Framing::Nobody), told(Framing::OwnPages));
        assert_eq!((nobody.0, nobody.1.as_str()), (false, "DENY"));
        assert_eq!((demo.0, demo.1.as_str()), (true, "SAMEORIGIN"));
        assert_eq!(nobody.2, demo.2, "and nothing else of it is weaker");
        assert!(!nobody.2.contains("frame-ancestors"));
    }
}

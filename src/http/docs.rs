//! The API's description: `/openapi.json` for programs, `/docs` for people. No script, nothing from elsewhere.
//!
//! Not here: making the description (`openapi`).

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use super::api::ROOT;
use super::api::routes::{Route, Shape, TABLE};
use super::openapi;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
color-scheme:light dark}code{font:14px ui-monospace,monospace}section{border-top:1px solid #8886;padding:.5rem 0}\
h2{font-size:1rem;margin:.5rem 0}p,ul{margin:.25rem 0}";
/// Sent with the page; the style is inside it and is allowed by its hash alone.
const NO_CACHE: &str = "no-cache";

pub fn router() -> Router {
    Router::new().route("/openapi.json", get(description)).route("/docs", get(page))
}

async fn description() -> Response {
    let kind = (header::CONTENT_TYPE, "application/json");
    ([kind, (header::CACHE_CONTROL, NO_CACHE)], openapi::text()).into_response()
}

async fn page() -> Response {
    let mut response = Html(html()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(NO_CACHE));
    if let Ok(policy) = HeaderValue::from_str(&policy()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn policy() -> String {
    use sha2::{Digest as _, Sha256};
    let hash = base64(&Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for piece in bytes.chunks(3) {
        let group =
            piece.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - piece.len()));
        for n in 0..4 {
            let letter = LETTERS[(group >> (18 - 6 * n) & 63) as usize];
            text.push(if n <= piece.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

fn html() -> String {
    let routes: String = TABLE.iter().map(section).collect();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>deskbridge API</title><style>{STYLE}</style></head><body>\
<h1>deskbridge API</h1><p>Programs send a token with every call: <code>Authorization: Bearer dbp_…</code> \
(<code>deskbridge token create</code>). Browsers have a session: <code>POST {ROOT}/session</code> answers with the cookie \
<code>__Host-deskbridge</code>, which goes with every call by itself; writes carry <code>x-csrf-token</code> besides, as \
<code>GET {ROOT}/me</code> gives it, and come from the same origin. Both may do what the person behind them may; a token \
also needs the route's scope.</p><p>Lists answer <code>{{data, next_cursor}}</code>, refusals \
<code>application/problem+json</code>. POST and PUT take <code>Idempotency-Key</code>; writes to a conversation take \
<code>If-Match</code>. For programs: <a href=\"/openapi.json\">openapi.json</a>.</p>{routes}</body></html>"
    )
}

fn section(route: &Route) -> String {
    let mut text = format!(
        "<section><h2><code>{} {ROOT}{}</code></h2><p>{}</p><ul>",
        route.method.name(),
        escaped(route.path),
        escaped(route.summary)
    );
    if let Some(scope) = route.scope {
        text.push_str(&format!("<li>scope <code>{}</code></li>", scope.name()));
    }
    for param in route.query {
        text.push_str(&format!("<li>query <code>{}</code>: {}</li>", param.name, escaped(param.about)));
    }
    for field in route.fields.unwrap_or_default() {
        let needed = if field.required { ", required" } else { "" };
        text.push_str(&format!(
            "<li>body <code>{}</code>{needed}: {}</li>",
            field.name,
            escaped(field.about)
        ));
    }
    let answer = match route.shape {
        Shape::One(name) => format!("{{data: {name}}}"),
        Shape::List(name) => format!("{{data: [{name}]}}"),
        Shape::Page(name) => format!("{{data: [{name}], next_cursor}}"),
        Shape::Bytes => "the bytes".into(),
        Shape::Stream => "text/event-stream".into(),
    };
    text.push_str(&format!("<li>answers {} <code>{answer}</code></li></ul></section>", route.status));
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_everybody_writes_it() {
        for (plain, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn the_page_names_every_route_and_runs_nothing() {
        let page = html();
        assert!(TABLE.iter().all(|route| page.contains(&escaped(route.path))));
        assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
    }
}

//! Health, metrics, versions, caches: what those who run it see, and nobody else (S58, S109, S113).
//!
//! Not here: what is measured.

use axum::Router;
use axum::body::Body;
use axum::routing::get as on_get;
use deskbridge::http::router_of_demo;

use super::office::{OUTSIDE, Office, ask, from, get, request, with};

const HERE: &str = "127.0.0.1:5000";

#[tokio::test]
async fn s109_figures_are_for_this_machine_and_for_tokens() {
    let office = Office::open().await;
    office.two().await;
    office.give("scraper", &["metrics:read"], None).await;
    office.give("reader", &["chats:read"], None).await;
    let metrics = async |who: &str, peer: &str| office.ask(from(get("/metrics", who), peer)).await;
    metrics("nobody", OUTSIDE).await.must_be(401);
    metrics("reader", OUTSIDE).await.must_be(403);
    metrics("scraper", OUTSIDE).await.must_be(200);
    let page = metrics("nobody", HERE).await.must_be(200);
    assert!(page.header("content-type").starts_with("text/plain; version=0.0.4"));
    let text = String::from_utf8_lossy(&page.bytes).into_owned();
    for name in [
        "deskbridge_outbox_depth",
        "deskbridge_waiting 2",
        "deskbridge_quarantine_kept 0",
        "deskbridge_http_requests_total",
    ] {
        assert!(text.contains(name), "{name} is missing:\n{text}");
    }
    for secret in ["maria", "joao", "canary", "conversations/1", "dbp_"] {
        assert!(!text.contains(secret), "{secret}");
    }
    // By way of a proxy on this machine it is not this machine that asks.
    let proxied = with(from(get("/metrics", "nobody"), HERE), "x-forwarded-for", "127.0.0.1");
    office.ask(proxied).await.must_be(401);
    let unconnected = office.ask(get("/metrics", "nobody")).await;
    assert_eq!(unconnected.status.as_u16(), 401);
}

#[tokio::test]
async fn readiness() {
    let office = Office::open().await;
    office.ask(from(get("/healthz", "nobody"), OUTSIDE)).await.must_be(200);
    let ready = office
        .until(async || {
            let answer = office.ask(from(get("/readyz", "nobody"), OUTSIDE)).await;
            answer.status.is_success().then_some(answer)
        })
        .await;
    assert_eq!(ready.bytes, b"ready");
    let verbose = office.ask(from(get("/readyz?verbose", "nobody"), HERE)).await.must_be(200).json();
    assert_eq!((verbose["store"].as_str(), verbose["writer"].as_str()), (Some("ok"), Some("ok")));
    assert_eq!(verbose["channels"]["telegram"]["state"], "up");
    let outside = office.ask(from(get("/readyz?verbose", "nobody"), OUTSIDE)).await.must_be(200);
    assert_eq!(outside.bytes, b"ready", "who is outside learns no more");
    office.bridge().writer.close().await;
    tokio::time::sleep(std::time::Duration::from_millis(550)).await;
    let gone = office.ask(from(get("/readyz", "nobody"), OUTSIDE)).await.must_be(503);
    assert!(String::from_utf8_lossy(&gone.bytes).contains("the store"));
    office.ask(from(get("/healthz", "nobody"), OUTSIDE)).await.must_be(200);
}

#[tokio::test]
async fn s113_nothing_tells_what_runs_here() {
    let office = Office::open().await;
    let version = env!("CARGO_PKG_VERSION");
    for path in [
        "/.git/config",
        "/.env",
        "/src/",
        "/app.js.map",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/hooks/",
        "/server-status",
        "/debug",
    ] {
        let answer = office.ask(from(get(path, "nobody"), OUTSIDE)).await.must_be(404);
        assert_eq!(answer.code(), "not-found", "{path}");
    }
    for path in ["/version", "/healthz", "/readyz", "/openapi.json", "/docs", "/api/v1/me", "/nothing"] {
        let answer = office.ask(from(get(path, "nobody"), OUTSIDE)).await;
        assert!(!answer.headers.contains_key("server") && !answer.headers.contains_key("x-powered-by"));
        let text = String::from_utf8_lossy(&answer.bytes).into_owned();
        assert!(!text.contains(version) && !text.contains("axum") && !text.contains("hyper"), "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
    office.ask(from(get("/version", "nobody"), OUTSIDE)).await.must_be(401);
    let here = office.ask(from(get("/version", "nobody"), HERE)).await.must_be(200);
    assert_eq!(here.json()["version"], version);
    let trace = office.ask(request("TRACE", "/api/v1/me", "ana", Body::empty())).await;
    assert_eq!(trace.status.as_u16(), 405);
}

#[tokio::test]
async fn s58_nothing_is_kept_by_caches() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    for path in [
        "/api/v1/me",
        &format!("/api/v1/conversations/{network}"),
        "/api/v1/nothing",
        "/readyz",
        "/metrics",
        "/hooks/probe",
    ] {
        for who in ["ana", "nobody"] {
            assert_eq!(office.ask(get(path, who)).await.header("cache-control"), "no-store", "{path}");
        }
    }
}

#[tokio::test]
async fn a_panic_is_an_answer() {
    let office = Office::open().await;
    let broken = Router::new().route("/broken", on_get(|| async { broken() }));
    let router = router_of_demo(&office.town.config, office.town.running(), broken);
    let answer = ask(&router, get("/broken", "ana")).await.must_be(500);
    assert_eq!((answer.code().as_str(), answer.bytes.len() < 200), ("internal", true));
    assert!(!String::from_utf8_lossy(&answer.bytes).contains("canary"));
    ask(&router, get("/api/v1/me", "ana")).await.must_be(200);
}

fn broken() -> &'static str {
    panic!("canary: a secret on the stack")
}

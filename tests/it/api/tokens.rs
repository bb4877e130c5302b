//! Tokens and addresses: what is no good, and what happens to those who keep trying (S34, S35, S82).
//!
//! Not here: what a good token sees.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use deskbridge_store::Admin;
use deskbridge_store::rows::TokenRow;
use sha2::{Digest as _, Sha256};

use super::office::{OUTSIDE, Office, from, get, request, token_of, with};

#[tokio::test]
async fn s82_tokens_that_are_no_good() {
    let office = Office::open().await;
    let path = "/api/v1/conversations";
    office.ask(get(path, "ana")).await.must_be(200);
    let same = office.ask(get(path, "nobody")).await.must_be(401).json();
    // In the address, even beside a good header.
    for query in ["access_token=x", "token=x", "api_key=x", "stage=dbp_0123", "q=%64bp_0123"] {
        office.ask(get(&format!("{path}?{query}"), "ana")).await.must_be(401);
    }
    for header in ["", "Bearer", "Bearer ", "dbp_1", "Bearer dbq_1", "Token x", "Bearer dbp_\u{e9}"] {
        let answer = office.ask(with(get(path, "ana"), "authorization", header)).await.must_be(401);
        assert_eq!(
            (answer.json()["code"].clone(), answer.json()["title"].clone()),
            (same["code"].clone(), same["title"].clone())
        );
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let twice = Request::get(path).header("authorization", format!("Bearer {}", token_of("ana")));
    let twice =
        twice.header("authorization", format!("Bearer {}", token_of("ana"))).body(Body::empty()).unwrap();
    office.ask(twice).await.must_be(401);
    // Expired, then revoked.
    let row = |id: &str, expires| TokenRow {
        id: id.into(),
        name: id.into(),
        sha256: hex::encode(Sha256::digest(token_of(id))),
        scopes: vec!["chats:read".into()],
        technician: None,
        created: office.bridge().now(),
        expires,
        revoked: false,
    };
    let writer = &office.bridge().writer;
    writer.admin(Admin::CreateToken(row("old", Some(office.bridge().now())))).await.expect("stored");
    assert_eq!(office.ask(get(path, "old")).await.must_be(401).code(), "unauthorized");
    let later = office.bridge().now() + Duration::from_secs(60);
    writer.admin(Admin::CreateToken(row("young", Some(later)))).await.expect("stored");
    office.ask(get(path, "young")).await.must_be(200);
    let refused = office.ask(get("/api/v1/tickets", "young")).await.must_be(403);
    assert_eq!(
        (refused.code().as_str(), refused.json()["detail"].as_str()),
        ("scope", Some("this needs the scope tickets:read"))
    );
    writer.admin(Admin::RevokeToken { id: "young".into() }).await.expect("stored");
    office.ask(get(path, "young")).await.must_be(401);
    // Nothing shows a token, or its hash.
    let me = office.ask(get("/api/v1/me", "ana")).await.must_be(200);
    let shown = String::from_utf8_lossy(&me.bytes).into_owned();
    assert!(!shown.contains("dbp_") && !shown.contains(&hex::encode(Sha256::digest(token_of("ana")))));
}

fn forged() -> Request<Body> {
    request("POST", "/hooks/probe", "", Body::from("{\"signature\":\"bad\"}"))
}

#[tokio::test]
async fn s35_a_thousand_bad_signatures() {
    let office = Office::open().await;
    for (bad, good) in [
        (
            forged as fn() -> Request<Body>,
            (|| request("POST", "/hooks/probe", "", Body::from("{}"))) as fn() -> Request<Body>,
        ),
        (|| get("/api/v1/me", "nobody"), || get("/api/v1/me", "ana")),
    ] {
        let peer = if bad().uri().path().starts_with("/api") { "198.51.100.1:5" } else { "198.51.100.2:5" };
        let (mut refused, mut limited) = (0, 0);
        for _ in 0..1_000 {
            let answer = office.ask(from(bad(), peer)).await;
            match answer.status.as_u16() {
                401 => refused += 1,
                429 => {
                    limited += 1;
                    let wait: u64 = answer.header("retry-after").parse().unwrap();
                    assert!((1..=10).contains(&wait));
                    assert!(answer.bytes.len() <= 200);
                }
                other => panic!("{other}"),
            }
        }
        assert!((20..60).contains(&refused) && limited > 900, "{refused} and {limited}");
        // Good traffic goes on, from there and from elsewhere.
        office.ask(from(good(), peer)).await.must_be(200);
        office.ask(from(good(), OUTSIDE)).await.must_be(200);
        assert_eq!(office.ask(from(bad(), OUTSIDE)).await.status.as_u16(), 401);
    }
}

#[tokio::test]
async fn s34_forwarded_addresses_are_believed_from_proxies_alone() {
    let office =
        Office::open_with("[server]\ntrusted_proxies = [\"10.0.0.0/8\"]\n", Default::default()).await;
    let exhaust = async |peer: &str, forwarded: &dyn Fn(usize) -> String| {
        let mut limited = 0;
        for n in 0..60 {
            let bad = with(from(get("/api/v1/me", "nobody"), peer), "x-forwarded-for", &forwarded(n));
            limited += usize::from(office.ask(bad).await.status.as_u16() == 429);
        }
        limited
    };
    // One attacker with a new address in every header is still one attacker.
    assert!(exhaust("203.0.113.50:1", &|n| format!("192.0.2.{n}")).await > 30);
    // A proxy tells many people apart.
    assert_eq!(exhaust("10.1.1.1:1", &|n| format!("192.0.2.{n}")).await, 0);
    assert!(exhaust("10.1.1.1:1", &|n| format!("1.2.3.{n}, 203.0.113.77")).await > 30);
    // Nobody is near because a header says so.
    let near = with(from(get("/metrics", "nobody"), OUTSIDE), "x-forwarded-for", "127.0.0.1");
    office.ask(near).await.must_be(401);
    let host = with(from(get("/api/v1/conversations", "ana"), OUTSIDE), "host", "evil.test");
    let answer = office.ask(host).await.must_be(200);
    assert!(!String::from_utf8_lossy(&answer.bytes).contains("evil.test"));
}

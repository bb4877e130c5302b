//! S79: everything that somebody may try at a sign-in with the company's provider.
//!
//! Not here: what a sign-in comes to when all is well (`oidc.rs`).

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use deskbridge_platforms::oidc::{Settings, Wrong};
use deskbridge_store::Admin;
use deskbridge_store::rows::{LoginKind, LoginRow};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::{PASSWORD, admin, invited};
use super::{HOME, House, PENDING, SESSION, Visitor};

#[tokio::test]
async fn s79_state_is_this_browsers_own() {
    let house = House::open().await;
    let mut eva = Visitor::default();
    for wrong in [Wrong::NoState, Wrong::OtherState] {
        house.fake.is_wrong(wrong);
        let back = eva.sent(&house).await;
        assert!(eva.finish(&house, &back).await.status.is_client_error(), "{wrong:?}");
    }
    house.fake.is_wrong(Wrong::Nothing);
    // An attacker's answer, which a link brings into the victim's browser: with none, with another begun there.
    let mut attacker = Visitor::default();
    let planted = attacker.sent(&house).await;
    let mut victim = Visitor::default();
    assert_eq!(victim.finish(&house, &planted).await.must_be(400).code(), "sign-in-again");
    let own = victim.sent(&house).await;
    assert_eq!(victim.finish(&house, &planted).await.must_be(400).code(), "sign-in-again");
    victim.must_be_nobody(&house).await;
    assert_eq!(house.fake.asked("/token"), 0, "no code was tried");
    // What somebody planted did not use up what was begun.
    victim.finish(&house, &own).await.must_be(201);
}

#[tokio::test]
async fn s79_nonce_and_every_other_flaw_of_a_token() {
    let house = House::open().await;
    for wrong in Wrong::TOKENS.into_iter().chain([Wrong::OtherAccessHash]) {
        house.fake.is_wrong(wrong);
        let mut eva = Visitor::default();
        let refused = eva.sign_in(&house).await.must_be(403);
        assert_eq!(refused.code(), "sign-in-untrusted", "{wrong:?}");
        let said = String::from_utf8(refused.bytes.clone()).expect("text");
        for secret in ["planted", "token", "key", "nonce", "subject"] {
            assert!(!said.contains(secret), "{wrong:?} says {secret}: {said}");
        }
        eva.must_be_nobody(&house).await;
    }
    house.was_audited("a sign-in with Example Login was refused: the ID token is not to be trusted").await;
    assert!(house.audited().await.iter().all(|act| !act.contains("planted")));
    house.fake.is_wrong(Wrong::Nothing);
    Visitor::default().sign_in(&house).await.must_be(201);
}

#[tokio::test]
async fn s79_a_stolen_code_is_worth_nothing_in_another_browser() {
    let house = House::open().await;
    let stolen = Visitor::default().sent(&house).await;
    let mut attacker = Visitor::default();
    let mut own = attacker.sent(&house).await;
    own.insert("code".into(), stolen["code"].clone());
    // The state is the attacker's own; the verifier of PKCE is not that of the code.
    assert_eq!(attacker.finish(&house, &own).await.must_be(403).code(), "sign-in-untrusted");
    attacker.must_be_nobody(&house).await;
    house.was_audited("the provider did not take the code (invalid_grant)").await;
    assert_eq!(house.fake.read(|world| world.violations.clone()), Vec::<String>::new(), "PKCE, every time");
}

#[tokio::test]
async fn s79_mix_up_nobody_else_speaks_for_the_provider() {
    let house = House::open().await;
    for wrong in [Wrong::NoIssuer, Wrong::OtherIssuerInAnswer] {
        house.fake.is_wrong(wrong);
        let mut eva = Visitor::default();
        assert_eq!(eva.sign_in(&house).await.must_be(403).code(), "sign-in-untrusted", "{wrong:?}");
        eva.must_be_nobody(&house).await;
    }
    // Nor for its refusals.
    house.fake.is_wrong(Wrong::Nothing);
    let mut eva = Visitor::default();
    let mut back = eva.sent(&house).await;
    back.remove("iss");
    back.insert("error".into(), "access_denied".into());
    assert_eq!(eva.finish(&house, &back).await.must_be(403).code(), "sign-in-untrusted");
    assert_eq!(house.fake.asked("/token"), 0, "no code went anywhere");
}

#[tokio::test]
async fn s79_other_tenants_issuer() {
    for wrong in [Wrong::DescribesAnother, Wrong::DescribesTemplate, Wrong::TokensInTheOpen] {
        let house = House::open().await;
        house.fake.is_wrong(wrong);
        let refused = Visitor::default().ask(&house, "POST", "/session/oidc", &json!({})).await.must_be(502);
        assert_eq!(refused.code(), "provider", "{wrong:?}");
        assert!(refused.header("set-cookie").is_empty());
        assert_eq!(house.fake.asked("/token"), 0);
    }
    // And the issuer of the token itself: `OtherTenant` and `IssuerWithSlash` are among the flaws of a token.
    assert!(Wrong::TOKENS.contains(&Wrong::OtherTenant) && Wrong::TOKENS.contains(&Wrong::IssuerWithSlash));
}

#[tokio::test]
async fn s79_email_verified_false() {
    let house = House::open().await;
    for value in [json!(false), json!("false"), json!(0), json!("no"), json!([]), Value::Null] {
        house.claims("email_verified", value.clone());
        let mut eva = Visitor::default();
        assert_eq!(eva.sign_in(&house).await.must_be(403).code(), "email-unverified", "{value}");
        eva.must_be_nobody(&house).await;
    }
    house.was_audited("the provider does not vouch for the e-mail address").await;
    // Whoever has an account there with the address of an admin here, and nobody's word for it.
    house.fake.change(|world| world.person = json!({"sub": "mallory", "email": "max@example.com"}));
    Visitor::default().sign_in(&house).await.must_be(403);
    house.claims("email_verified", json!(true));
    house.claims("email", json!("nobody@example.com"));
    assert_eq!(Visitor::default().sign_in(&house).await.must_be(403).code(), "no-access");
    house.was_audited("no technician has this e-mail address").await;
}

#[tokio::test]
async fn s79_code_replay() {
    let house = House::open().await;
    let mut eva = Visitor::default();
    let back = eva.sent(&house).await;
    let jar = eva.cookies.clone();
    eva.finish(&house, &back).await.must_be(201);
    // The same request once more, with the very same cookies.
    let mut replay = Visitor { cookies: jar, ..Visitor::default() };
    assert_eq!(replay.finish(&house, &back).await.must_be(400).code(), "sign-in-again");
    replay.must_be_nobody(&house).await;
    assert_eq!(house.fake.read(|world| world.replayed), 0, "the code was not even tried");
    // The code in a sign-in of its own.
    let mut other = Visitor::default();
    let mut own = other.sent(&house).await;
    own.insert("code".into(), back["code"].clone());
    other.finish(&house, &own).await.must_be(403);
    // Two at the same time: one of them.
    let mut one = Visitor::default();
    let back = one.sent(&house).await;
    let mut two = one.clone();
    let (first, second) = tokio::join!(one.finish(&house, &back), two.finish(&house, &back));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 400]);
}

#[tokio::test]
async fn s79_what_was_begun_is_good_for_ten_minutes_and_for_nothing_else() {
    let house = House::open().await;
    let mut eva = Visitor::default();
    let back = eva.sent(&house).await;
    let sha256 = hex::encode(Sha256::digest(&eva.cookies[PENDING]));
    let bridge = house.office.bridge();
    let row = bridge.read.login(&sha256).await.expect("read").expect("it is remembered");
    assert_eq!((row.kind, row.expires.since(row.created)), (LoginKind::Oidc, Duration::from_secs(600)));
    // Its secret is no session and no one-time link.
    let mut odd = Visitor::default();
    odd.cookies.insert(SESSION.into(), eva.cookies[PENDING].clone());
    odd.ask(&house, "GET", "/me", &Value::Null).await.must_be(401);
    let link =
        json!({"link": eva.cookies[PENDING], "password": PASSWORD, "name": "Eva", "login": "e@example.com"});
    odd.ask(&house, "POST", "/session/claim", &link).await.must_be(404);
    let late = LoginRow { expires: bridge.now(), ..row };
    bridge.writer.admin(Admin::PutLogin(late)).await.expect("stored");
    assert_eq!(eva.finish(&house, &back).await.must_be(400).code(), "sign-in-again");
}

#[tokio::test]
async fn s79_the_provider_leads_nowhere_and_keeps_nobody_waiting() {
    for (wrong, status) in [
        (Wrong::RedirectsTokens, 502),
        (Wrong::EndlessTokens, 502),
        (Wrong::SilentTokens, 502),
        (Wrong::ServerError, 502),
        (Wrong::RedirectsKeys, 502),
        (Wrong::EndlessKeys, 502),
    ] {
        let house = House::open().await;
        let mut eva = Visitor::default();
        let back = eva.sent(&house).await;
        house.fake.is_wrong(wrong);
        let refused = eva.finish(&house, &back).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (status, "provider"), "{wrong:?}");
        assert_eq!(house.fake.read(|world| world.led_astray), 0, "{wrong:?}");
        eva.must_be_nobody(&house).await;
    }
    let house = House::built(Settings { claims_in_token: false, ..Settings::default() }, "").await;
    house.fake.is_wrong(Wrong::OtherPersonsInfo);
    assert_eq!(Visitor::default().sign_in(&house).await.must_be(403).code(), "sign-in-untrusted");
    house.fake.is_wrong(Wrong::Denied);
    assert_eq!(Visitor::default().sign_in(&house).await.must_be(403).code(), "sign-in-denied");
}

#[tokio::test]
async fn s79_only_our_own_page_begins_and_ends_one() {
    let house = House::open().await;
    let mut eva = Visitor::default();
    let back = eva.sent(&house).await;
    for (name, value) in [("origin", "https://evil.test"), ("sec-fetch-site", "cross-site")] {
        for (path, body) in [("/session/oidc", json!({})), ("/session/oidc/finish", json!(back))] {
            let mut request = eva.request("POST", path, &body);
            request.headers_mut().insert(name, value.parse().expect("a header"));
            assert_eq!(house.office.ask(request).await.must_be(403).code(), "origin");
        }
    }
    // By another address of ours the way back would lead elsewhere.
    let mut request = eva.request("POST", "/session/oidc", &json!({}));
    request.headers_mut().insert("origin", "http://desk.test".parse().expect("a header"));
    let refused = house.office.ask(request).await.must_be(409);
    assert!(refused.code() == "elsewhere" && refused.json()["detail"].as_str().unwrap().contains(HOME));
    // Whatever comes with it, the way back is our page, and leads on to nowhere.
    for query in
        ["", "?next=https://evil.test", "?code=x&state=y&redirect_uri=//evil.test", "?error=%3Cscript%3E"]
    {
        let request = Request::get(format!("/console/oidc{query}")).body(Body::empty()).expect("a request");
        let page = house.office.ask(request).await.must_be(200);
        assert!(
            page.header("location").is_empty() && page.header("content-security-policy").contains("'none'")
        );
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert!(!String::from_utf8_lossy(&page.bytes).contains("evil"));
    }
    eva.finish(&house, &back).await.must_be(201);
    // Each is a row: so many from one address and no more. The clock stands still: on a slow machine a minute would pass.
    tokio::time::pause();
    let mut last = 201;
    for _ in 0..130 {
        last = Visitor::default().ask(&house, "POST", "/session/oidc", &json!({})).await.status.as_u16();
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn s79_a_disabled_account_stays_disabled() {
    let house = House::open().await;
    let ada = admin(&house.office).await;
    let mut eva = Visitor::default();
    eva.sign_in(&house).await.must_be(201);
    let put = json!({"disabled": true});
    let disabled = ada.ask(&house.office, "PUT", "/technicians/eva/account", &put).await.must_be(200).data();
    assert_eq!((&disabled["state"], &disabled["provider"]), (&json!("disabled"), &json!(true)));
    eva.ask(&house, "GET", "/me", &Value::Null).await.must_be(401);
    assert_eq!(Visitor::default().sign_in(&house).await.must_be(403).code(), "no-access");
    house.was_audited("eva: was refused to sign in with Example Login: the account is disabled").await;
    ada.ask(&house.office, "PUT", "/technicians/eva/account", &json!({"disabled": false})).await.must_be(200);
    Visitor::default().sign_in(&house).await.must_be(201);
}

/// An address that the company gives to somebody new does not give them the technician of before.
#[tokio::test]
async fn s79_an_address_that_changed_hands() {
    let house = House::open().await;
    let ada = admin(&house.office).await;
    Visitor::default().sign_in(&house).await.must_be(201);
    house.claims("sub", json!("subject-of-another-eva"));
    assert_eq!(Visitor::default().sign_in(&house).await.must_be(403).code(), "no-access");
    house.was_audited("signs in by another account of the provider").await;
    // Until an admin says so.
    ada.ask(&house.office, "DELETE", "/technicians/eva/provider", &Value::Null).await.must_be(200);
    ada.ask(&house.office, "DELETE", "/technicians/eva/provider", &Value::Null).await.must_be(404);
    Visitor::default().sign_in(&house).await.must_be(201);
    // One's own, by a session alone, not.
    house.is("max");
    let mut max = Visitor::default();
    max.sign_in(&house).await.must_be(201);
    let own = max.ask(&house, "DELETE", "/technicians/max/provider", &Value::Null).await.must_be(403);
    assert_eq!(own.code(), "own-account");
}

/// What people typed to sign in with is nobody's word: only the address that an admin gave counts.
#[tokio::test]
async fn s79_nobody_is_found_by_an_address_that_they_chose_themselves() {
    let house = House::open().await;
    let ada = admin(&house.office).await;
    // Ana has no address in the file, and typed somebody else's.
    invited(&house.office, &ada, "ana").await;
    house.is("ana");
    assert_eq!(Visitor::default().sign_in(&house).await.must_be(403).code(), "no-access");
}

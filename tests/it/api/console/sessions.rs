//! Sessions: how they begin and end, and what other sites' pages cannot do with them (S54, S63, S76–S78, S81).
//!
//! Not here: what is done in one.

use std::time::Duration;

use deskbridge::http::api::routes::{Method, TABLE};
use serde_json::{Value, json};

use super::super::answers::sample;
use super::super::events::Stream;
use super::super::office::{Office, with};
use super::{Browser, PASSWORD, admin, invited, sign_in};

#[tokio::test]
async fn s81_the_first_admin_comes_by_a_link_that_is_good_once() {
    let office = Office::open().await;
    let ada = admin(&office).await;
    assert!(ada.cookie.starts_with("deskbridge="), "plain http on a network: {}", ada.cookie);
    let me = ada.ask(&office, "GET", "/me", &Value::Null).await.must_be(200).data();
    assert_eq!(
        (me["technician"]["id"].as_str(), me["technician"]["role"].as_str()),
        (Some("ada-byron"), Some("admin"))
    );
    assert_eq!(me["csrf"], ada.csrf.as_str());
    let bridge = office.bridge();
    let again = deskbridge::http::api::first_link(bridge.read.as_ref(), &bridge.writer, bridge.now(), None);
    assert_eq!(again.await.expect("read"), None);
    // A link that was made before somebody had a password is worth nothing either.
    let row = deskbridge_store::rows::LoginRow {
        sha256: deskbridge::http::session::hash("old"),
        kind: deskbridge_store::rows::LoginKind::Link,
        technician: None,
        created: bridge.now(),
        seen: bridge.now(),
        expires: bridge.now() + Duration::from_secs(600),
    };
    bridge.writer.admin(deskbridge_store::Admin::PutLogin(row)).await.expect("stored");
    Browser::default().ask(&office, "POST", "/session/link", &json!({"link": "old"})).await.must_be(404);
}

#[tokio::test]
async fn s54_no_other_sites_page_changes_anything() {
    let office = Office::open().await;
    let ada = admin(&office).await;
    let mut tried = 0;
    for route in TABLE.iter().filter(|route| route.method != Method::Get) {
        let path = route
            .path
            .replace("{conversation}", "1")
            .replace("{technician}", "ana")
            .replace("{verb}", "note");
        let path = path.replace("{token}", "t").replace("{canned}", "c");
        let body = sample(route);
        let forged: [(&str, &'static str, &str); 5] = [
            ("another origin", "origin", "https://evil.test"),
            ("no origin", "origin", "null"),
            ("a look-alike", "origin", "http://desk.test.evil.test"),
            ("another site", "sec-fetch-site", "cross-site"),
            ("a sub-domain", "sec-fetch-site", "same-site"),
        ];
        for (what, name, value) in forged {
            let request = with(ada.request(route.method.name(), &path, &body), name, value);
            let refused = office.ask(request).await.must_be(403);
            assert_eq!(refused.code(), "origin", "{what}: {} {path}", route.method.name());
            assert!(refused.header("access-control-allow-origin").is_empty());
            tried += 1;
        }
        if !route.open {
            for token in ["", "0000", &"0".repeat(64)] {
                let request = with(ada.request(route.method.name(), &path, &body), "x-csrf-token", token);
                assert_eq!(office.ask(request).await.must_be(403).code(), "csrf", "{path}");
            }
        }
        // As a form would send it.
        if route.fields.is_some_and(|fields| fields.iter().any(|field| field.required)) {
            for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
            {
                let request = with(ada.request(route.method.name(), &path, &body), "content-type", kind);
                let refused = office.ask(request).await;
                assert!(refused.status.as_u16() == 415, "{kind}: {path}: {}", refused.status);
            }
        }
    }
    assert!(tried > 50, "{tried}");
    // Nothing changes by GET.
    for route in TABLE.iter().filter(|route| route.method == Method::Get) {
        assert!(route.fields.is_none(), "{}", route.path);
    }
}

#[tokio::test]
async fn s77_a_session_starts_with_a_new_secret() {
    let office = Office::open().await;
    let ada = admin(&office).await;
    let planted = Browser { cookie: format!("deskbridge={}", "a".repeat(64)), csrf: String::new() };
    let body = json!({"login": "ada@example.com", "password": PASSWORD});
    let answer = planted.ask(&office, "POST", "/session", &body).await.must_be(201);
    let signed_in = Browser::signed_in(&answer);
    assert_ne!(signed_in.cookie, planted.cookie);
    planted.ask(&office, "GET", "/me", &Value::Null).await.must_be(401);
    // Signing in again in the same browser ends what it had.
    let again = ada.ask(&office, "POST", "/session", &body).await.must_be(201);
    assert_ne!(Browser::signed_in(&again).cookie, ada.cookie);
    ada.ask(&office, "GET", "/me", &Value::Null).await.must_be(401);
    let set = again.header("set-cookie").to_owned();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Path=/"), "{set}");
}

#[tokio::test(start_paused = true)]
async fn s78_sessions_end() {
    let office = Office::open().await;
    let ada = admin(&office).await;
    let me = async |browser: &Browser| browser.ask(&office, "GET", "/me", &Value::Null).await.status.as_u16();
    // Signed out.
    let other = Browser::signed_in(&sign_in(&office, "ada@example.com", PASSWORD).await.must_be(201));
    other.ask(&office, "DELETE", "/session", &Value::Null).await.must_be(200);
    assert_eq!((me(&other).await, me(&ada).await), (401, 200));
    // The password changed: every session but the one that did it.
    let other = Browser::signed_in(&sign_in(&office, "ada@example.com", PASSWORD).await.must_be(201));
    let change = |old: &str, new: &str| json!({"old": old, "new": new});
    ada.ask(&office, "PUT", "/session/password", &change("wrong wrong wrong", "another fine phrase"))
        .await
        .must_be(403);
    ada.ask(&office, "PUT", "/session/password", &change(PASSWORD, "short")).await.must_be(400);
    ada.ask(&office, "PUT", "/session/password", &change(PASSWORD, "another fine phrase")).await.must_be(200);
    assert_eq!((me(&other).await, me(&ada).await), (401, 200));
    sign_in(&office, "ada@example.com", PASSWORD).await.must_be(401);
    // Eight hours without anything.
    let hours = |n: u64| Duration::from_secs(n * 3600);
    tokio::time::advance(hours(7)).await;
    assert_eq!(me(&ada).await, 200);
    tokio::time::advance(hours(7)).await;
    assert_eq!(me(&ada).await, 200);
    tokio::time::advance(hours(8)).await;
    assert_eq!(me(&ada).await, 401);
    // A day, whatever is done.
    let ada =
        Browser::signed_in(&sign_in(&office, "ada@example.com", "another fine phrase").await.must_be(201));
    for _ in 0..4 {
        assert_eq!(me(&ada).await, 200);
        tokio::time::advance(hours(6)).await;
    }
    assert_eq!(me(&ada).await, 401);
}

#[tokio::test]
async fn s63_rights_that_are_gone_are_gone_at_once() {
    let office = Office::open().await;
    let ada = admin(&office).await;
    let ana = invited(&office, &ada, "ana").await;
    ana.ask(&office, "GET", "/me", &Value::Null).await.must_be(200);
    let path = "/technicians/ana/account";
    ada.ask(&office, "PUT", path, &json!({"disabled": true})).await.must_be(200);
    ana.ask(&office, "GET", "/me", &Value::Null).await.must_be(401);
    sign_in(&office, "ana@example.com", PASSWORD).await.must_be(401);
    ada.ask(&office, "PUT", path, &json!({"disabled": false})).await.must_be(200);
    ana.ask(&office, "GET", "/me", &Value::Null).await.must_be(401);
    sign_in(&office, "ana@example.com", PASSWORD).await.must_be(201);
}

/// The clock stands still: on a slow machine the wait would be over before the next try.
#[tokio::test(start_paused = true)]
async fn s76_whatever_is_wrong_the_answer_is_the_same() {
    let office = Office::open().await;
    let ada = admin(&office).await;
    invited(&office, &ada, "ana").await;
    ada.ask(&office, "PUT", "/technicians/ana/account", &json!({"disabled": true})).await.must_be(200);
    let mut told = Vec::new();
    for (login, password) in [
        ("ada@example.com", "not her password"),
        ("nobody@example.com", PASSWORD),
        ("ana@example.com", PASSWORD),
        ("' or 1=1 --", "x"),
    ] {
        let mut body = sign_in(&office, login, password).await.must_be(401).json();
        body["request_id"] = Value::Null;
        told.push(body);
    }
    assert!(told.windows(2).all(|two| two[0] == two[1]), "{told:#?}");
    // And after a few, one waits; whether there is such an account or not.
    for login in ["ada@example.com", "nobody@example.com"] {
        let mut last = 401;
        for _ in 0..6 {
            last = sign_in(&office, login, "wrong wrong wrong").await.status.as_u16();
        }
        assert_eq!(last, 429, "{login}");
    }
    let refused = sign_in(&office, "ada@example.com", PASSWORD).await.must_be(429);
    assert!(!refused.header("retry-after").is_empty());
}

#[tokio::test]
async fn s77_another_role_is_another_session() {
    let office = Office::open().await;
    let ada = admin(&office).await;
    let person = |role: &str, capacity: u32| json!({"name": "Zoe", "email": "zoe@example.com", "role": role, "capacity": capacity});
    ada.ask(&office, "POST", "/technicians", &person("technician", 2)).await.must_be(201);
    let zoe = invited(&office, &ada, "zoe").await;
    let link = ada.ask(&office, "POST", "/technicians/zoe/login-link", &json!({})).await.must_be(201).data();
    let link = link["path"].as_str().unwrap().split('=').nth(1).unwrap().to_owned();
    let change = async |body: Value| {
        ada.ask(&office, "PUT", "/technicians/zoe", &body).await.must_be(200);
    };
    let me = async |browser: &Browser| browser.ask(&office, "GET", "/me", &Value::Null).await.status.as_u16();
    // In the same role everything goes on.
    change(person("technician", 7)).await;
    assert_eq!(me(&zoe).await, 200);
    // Up and down alike: nothing that was had before is worth more, or as much.
    let mut zoe = zoe;
    for role in ["supervisor", "admin", "technician"] {
        change(person(role, 7)).await;
        assert_eq!((me(&zoe).await, me(&ada).await), (401, 200), "{role}");
        zoe = Browser::signed_in(&sign_in(&office, "zoe@example.com", PASSWORD).await.must_be(201));
        let known = zoe.ask(&office, "GET", "/me", &Value::Null).await.must_be(200).data();
        assert_eq!(known["technician"]["role"], role);
    }
    // A link to choose a password by says nothing about a role.
    Browser::default().ask(&office, "POST", "/session/link", &json!({"link": link})).await.must_be(200);
}

#[tokio::test(start_paused = true)]
async fn s63_an_open_stream_ends_with_the_right_to_it() {
    let office = Office::open().await;
    let ada = admin(&office).await;
    let ana = invited(&office, &ada, "ana").await;
    let (network, sap) = office.two().await;
    let mut stream = Stream::open(&office, ana.request("GET", "/events", &Value::Null)).await;
    // Who looks at what is told to those who may see it, and to nobody else.
    for (who, conversation) in [("cem", sap), ("bob", network)] {
        let path = format!("/api/v1/conversations/{conversation}/attention");
        let doing = json!({"doing": "replying"});
        office.ask(super::super::office::post(&path, who, &doing)).await.must_be(200);
    }
    let told = stream.next().await.expect("told");
    assert_eq!(
        (told.name.as_str(), told.data["conversation"].as_i64()),
        ("conversation.attention", Some(network))
    );
    assert_eq!(told.data["watchers"][0]["technician"], "bob");
    ada.ask(&office, "PUT", "/technicians/ana/account", &json!({"disabled": true})).await.must_be(200);
    is_over(stream, "disabled").await;
}

/// The clock stands still while anything can be done, so that a stream that is over before its next look at its rights was
/// told so.
async fn is_over(mut stream: Stream, what: &str) {
    let began = tokio::time::Instant::now();
    while stream.next().await.is_some() {}
    assert!(began.elapsed() < Duration::from_secs(1), "{what}: {:?}", began.elapsed());
}

/// Whatever takes a right away, on the way people take it: not at the next look, and nobody else's stream.
#[tokio::test(start_paused = true)]
async fn s63_a_stream_is_cut_the_moment_its_right_is_gone() {
    let office = Office::open().await;
    let ada = admin(&office).await;
    let person = |role: &str| json!({"name": "Zoe", "email": "zoe@example.com", "role": role});
    ada.ask(&office, "POST", "/technicians", &person("supervisor")).await.must_be(201);
    let again =
        async || Browser::signed_in(&sign_in(&office, "zoe@example.com", PASSWORD).await.must_be(201));
    let listening = async |request: axum::http::Request<axum::body::Body>| {
        let mut stream = Stream::open(&office, request).await;
        // Its first look at its rights is over: what is told then is told between two looks.
        office.opened("telegram", "maria", "the vpn says 691").await;
        stream.next().await.expect("told");
        stream
    };
    let listen = async |browser: &Browser| listening(browser.request("GET", "/events", &Value::Null)).await;
    let mut others = listen(&ada).await;
    let zoe = invited(&office, &ada, "zoe").await;

    let stream = listen(&zoe).await;
    ada.ask(&office, "PUT", "/technicians/zoe", &person("technician")).await.must_be(200);
    is_over(stream, "another role").await;

    ada.ask(&office, "PUT", "/technicians/zoe", &person("supervisor")).await.must_be(200);
    let (one, two) = (again().await, again().await);
    let (first, second) = (listen(&one).await, listen(&two).await);
    one.ask(&office, "DELETE", "/session", &Value::Null).await.must_be(200);
    is_over(first, "signed out").await;
    let change = json!({"old": PASSWORD, "new": "another fine phrase"});
    let three = again().await;
    three.ask(&office, "PUT", "/session/password", &change).await.must_be(200);
    is_over(second, "another password").await;

    let stream = listen(&three).await;
    ada.ask(&office, "DELETE", "/technicians/zoe", &Value::Null).await.must_be(200);
    is_over(stream, "removed").await;

    let stream = listening(super::super::office::get("/api/v1/events", "bob")).await;
    ada.ask(&office, "DELETE", "/tokens/t-bob", &Value::Null).await.must_be(200);
    is_over(stream, "a token that was revoked").await;

    // The admin's own goes on.
    let last = office.opened("widget", "joao", "sap is slow").await;
    others.wait_for("conversation.created", last).await;
}

//! S80: a second factor, from setting it up to losing it.
//!
//! Not here: single codes (unit tests beside them), what the console shows (`console_browser`).

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha1::Sha1;

use super::super::office::{Answer, Office};
use super::{Browser, PASSWORD, admin, invited};

/// RFC 6238 from the key that is typed into an authenticator, so many steps from now.
pub(super) fn code(office: &Office, key: &str, from: i64) -> String {
    let value = |letter: char| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).expect("base 32");
    let bits: String = key.chars().map(|letter| format!("{:05b}", value(letter))).collect();
    let whole = bits.as_bytes().chunks_exact(8);
    let bytes =
        whole.map(|bits| u8::from_str_radix(std::str::from_utf8(bits).expect("bits"), 2).expect("a byte"));
    let secret: Vec<u8> = bytes.collect();
    let step = office.bridge().now().0 / 1_000_000 / 30 + from;
    let mut mac = Hmac::<Sha1>::new_from_slice(&secret).expect("any length");
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    let word = u32::from_be_bytes([hash[at], hash[at + 1], hash[at + 2], hash[at + 3]]) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}

async fn sign_in(office: &Office, login: &str, code: Option<&str>) -> Answer {
    let mut body = json!({"login": login, "password": PASSWORD});
    if let Some(code) = code {
        body["code"] = code.into();
    }
    Browser::default().ask(office, "POST", "/session", &body).await
}

async fn enrolled(office: &Office, who: &Browser) -> (String, Vec<String>) {
    let begun =
        who.ask(office, "POST", "/session/factor", &json!({"password": PASSWORD})).await.must_be(200).data();
    let key = begun["secret"].as_str().expect("a key").to_owned();
    assert!(begun["uri"].as_str().is_some_and(|uri| uri.contains(&key)) && begun["size"].as_i64() > Some(20));
    let shown = json!({"code": code(office, &key, 0)});
    let codes = who.ask(office, "PUT", "/session/factor", &shown).await.must_be(200).data();
    let codes =
        codes["codes"].as_array().expect("codes").iter().filter_map(|code| code.as_str().map(str::to_owned));
    (key, codes.collect())
}

/// The clock of tries stands still: on a slow machine a wait would be over before the next try.
#[tokio::test(start_paused = true)]
async fn s80_codes_are_good_once_and_cannot_be_guessed() {
    let office = Office::open().await;
    let ada = admin(&office).await;
    let nothing = Value::Null;
    let wrong = json!({"password": "another one altogether"});
    assert_eq!(ada.ask(&office, "POST", "/session/factor", &wrong).await.must_be(403).code(), "password");
    // Begun and not shown to be there: it is not asked for.
    ada.ask(&office, "POST", "/session/factor", &json!({"password": PASSWORD})).await.must_be(200);
    ada.ask(&office, "PUT", "/session/factor", &json!({"code": "000000"})).await.must_be(401);
    let other = Browser::signed_in(&sign_in(&office, "ada@example.com", None).await.must_be(201));
    let (key, recovery) = enrolled(&office, &ada).await;
    assert_eq!(recovery.len(), 10);
    other.ask(&office, "GET", "/me", &nothing).await.must_be(401);
    let state = ada.ask(&office, "GET", "/session/factor", &nothing).await.must_be(200).data();
    assert_eq!((&state["enabled"], &state["recovery"]), (&true.into(), &10.into()));
    let again = ada.ask(&office, "POST", "/session/factor", &json!({"password": PASSWORD})).await;
    assert_eq!(again.must_be(409).code(), "enabled");

    // The password alone, a code that was used (to turn it on), one of two steps ahead.
    assert_eq!(sign_in(&office, "ada@example.com", None).await.must_be(401).code(), "second-factor");
    for bad in [code(&office, &key, 0), code(&office, &key, 2), code(&office, &key, -2)] {
        let refused = sign_in(&office, "ada@example.com", Some(&bad)).await.must_be(401);
        assert_eq!(refused.code(), "second-factor-wrong");
    }
    let next = code(&office, &key, 1);
    sign_in(&office, "ada@example.com", Some(&next)).await.must_be(201);
    sign_in(&office, "ada@example.com", Some(&next)).await.must_be(401);
    // A recovery code, once.
    sign_in(&office, "ada@example.com", Some(&recovery[0])).await.must_be(201);
    sign_in(&office, "ada@example.com", Some(&recovery[0])).await.must_be(401);

    // Whoever guesses has to wait, also with the right password and then with the right code.
    let mut last = 401;
    for n in 0..6 {
        last = sign_in(&office, "ada@example.com", Some(&format!("{n:06}"))).await.status.as_u16();
    }
    assert_eq!(last, 429);
    let refused = sign_in(&office, "ada@example.com", Some(&recovery[1])).await.must_be(429);
    assert!(!refused.header("retry-after").is_empty());

    // What is kept tells nobody anything by way of an export.
    let export = office.town.exported().await;
    assert!(
        !export.contains(&key)
            && !export.contains("\"factor\"")
            && export.contains("turned the second factor on")
    );
}

#[tokio::test]
async fn s80_a_link_does_not_get_around_it_and_an_admin_takes_a_lost_one_away() {
    let office = Office::open().await;
    let ada = admin(&office).await;
    let ana = invited(&office, &ada, "ana").await;
    let (key, recovery) = enrolled(&office, &ana).await;
    // A new password by a link does not make the phone superfluous.
    let link = ada.ask(&office, "POST", "/technicians/ana/login-link", &json!({})).await.must_be(201).data();
    let secret = link["path"].as_str().expect("a path").split('=').nth(1).expect("a secret").to_owned();
    let mut claim = json!({"link": secret, "password": "another good long phrase"});
    let nobody = Browser::default();
    assert_eq!(
        nobody.ask(&office, "POST", "/session/claim", &claim).await.must_be(401).code(),
        "second-factor"
    );
    claim["code"] = recovery[0].as_str().into();
    let ana = Browser::signed_in(&nobody.ask(&office, "POST", "/session/claim", &claim).await.must_be(201));
    // Turning it off takes both.
    let off = json!({"password": "another good long phrase", "code": "123456"});
    ana.ask(&office, "DELETE", "/session/factor", &off).await.must_be(401);
    assert!(!key.is_empty());
    // Only an admin resets it, and only where there is one.
    ana.ask(&office, "DELETE", "/technicians/ana/factor", &json!({})).await.must_be(403);
    ada.ask(&office, "DELETE", "/technicians/ana/factor", &json!({})).await.must_be(200);
    ada.ask(&office, "DELETE", "/technicians/ana/factor", &json!({})).await.must_be(404);
    ana.ask(&office, "GET", "/me", &Value::Null).await.must_be(401);
    let body = json!({"login": "ana@example.com", "password": "another good long phrase"});
    nobody.ask(&office, "POST", "/session", &body).await.must_be(201);
    // Tokens have no second factor.
    let by_token = office.ask(super::super::office::get("/api/v1/session/factor", "bob")).await;
    assert_eq!(by_token.must_be(403).code(), "session");
}

/// A session that somebody left open is no way to the account behind it: no new password, no factor less (S80).
#[tokio::test]
async fn s80_nobody_takes_their_own_factor_away_by_a_session_alone() {
    let office = Office::open().await;
    let ada = admin(&office).await;
    let me = ada.ask(&office, "GET", "/me", &Value::Null).await.must_be(200).data();
    let own = me["technician"]["id"].as_str().expect("an id").to_owned();
    enrolled(&office, &ada).await;
    for (method, what) in [("DELETE", "factor"), ("POST", "login-link")] {
        let refused = ada.ask(&office, method, &format!("/technicians/{own}/{what}"), &json!({})).await;
        assert_eq!(refused.must_be(403).code(), "own-account", "{what}");
    }
    let state = ada.ask(&office, "GET", "/session/factor", &Value::Null).await.must_be(200).data();
    assert_eq!(state["enabled"], true, "{state}");
}

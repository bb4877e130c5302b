//! S80: a second factor, from setting it up to losing it.
//!
//! Not here: single codes (unit tests beside them), what the console shows (`console_browser`).

use deskbridge::http::api::forget_factors;
use deskbridge::seal::KeySource;
use deskbridge_contract::Timestamp;
use deskbridge_store::Admin;
use deskbridge_store::open::{OpenOptions, Opened, open};
use deskbridge_store::rows::KeptRow;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha1::Sha1;

use super::super::office::{Answer, Office};
use super::{Browser, PASSWORD, admin, invited};
use crate::e2e::bridge::Database;

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

/// Two nodes over one store: of two who come at once with one code, one is let in.
async fn one_is_let_in(office: &Office, other: &Office) {
    let ada = admin(office).await;
    let (key, recovery) = enrolled(office, &ada).await;
    let mut codes = vec![code(office, &key, 1)];
    codes.extend(recovery.into_iter().take(5));
    for code in codes {
        let nodes = [office, other, office, other];
        let tries = nodes.map(|node| sign_in(node, "ada@example.com", Some(&code)));
        let answers = futures_util::future::join_all(tries).await;
        let came: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        assert_eq!(came.iter().filter(|status| **status == 201).count(), 1, "{code}: {came:?}");
        assert!(came.iter().all(|status| [201, 401, 429].contains(status)), "{code}: {came:?}");
    }
}

async fn sqlite(folder: &std::path::Path) -> Opened {
    let url = format!("sqlite:{}", folder.join("bridge.db").display());
    for _ in 0..500 {
        // The run before lets go of the file a moment after it has ended.
        match open(&url, OpenOptions { relaxed: true, ..OpenOptions::default() }).await {
            Ok(opened) => return opened,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
    panic!("the database stays locked");
}

#[tokio::test]
async fn s80_one_code_lets_one_in_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let office = Office::over(sqlite(folder.path()).await).await;
    let beside = Office::beside(&office);
    one_is_let_in(&office, &beside).await;
}

#[tokio::test]
async fn pg_s80_one_code_lets_one_in() {
    let Some(database) = Database::create().await else { return };
    let node = async || {
        let opened = open(&database.url, OpenOptions::default()).await.expect("opened");
        Office::over(opened).await
    };
    let (office, other) = (node().await, node().await);
    one_is_let_in(&office, &other).await;
    for office in [office, other] {
        office.bridge().shutdown().await;
    }
}

/// What the database holds is of no use without the key, also where a version before stored it as it was.
#[tokio::test]
async fn s80_secrets_are_sealed_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    sealed(async || Some(sqlite(folder.path()).await)).await;
    let file = std::fs::read(folder.path().join("bridge.db")).expect("read");
    let holds = |word: &str| file.windows(word.len()).any(|window| window == word.as_bytes());
    assert!(holds("sealed") && !holds(PLAIN), "the file is written anew after the change");
}

#[tokio::test]
async fn pg_s80_secrets_are_sealed() {
    let Some(database) = Database::create().await else { return };
    sealed(async || open(&database.url, OpenOptions::default()).await.ok()).await;
}

/// RFC 6238's own, as it stood in the database.
const PLAIN: &str = "3132333435363738393031323334353637383930";
const PLAIN_BASE32: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

async fn sealed(opened: impl AsyncFn() -> Option<Opened>) {
    let mut office = Office::over(opened().await.expect("opened")).await;
    let ada = admin(&office).await;
    let (key, _) = enrolled(&office, &ada).await;
    let me = ada.ask(&office, "GET", "/me", &Value::Null).await.must_be(200).data();
    let own = me["technician"]["id"].as_str().expect("an id").to_owned();
    let kept = async |office: &Office, whose: &str| {
        let row = office.bridge().read.kept_one(KeptRow::FACTOR, whose, "totp").await.expect("read");
        row.and_then(|row| row.value).expect("a factor")
    };
    let stored = kept(&office, &own).await;
    let secret = data_of(&key);
    assert!(!stored.contains(&secret) && !stored.contains(&key) && stored.contains("sealed"), "{stored}");
    // As a version before stored it.
    let open = format!(r#"{{"secret":"{PLAIN}","confirmed":true,"step":5,"recovery":[]}}"#);
    let row = KeptRow {
        kind: KeptRow::FACTOR.into(),
        owner: own.clone(),
        key: "totp".into(),
        value: Some(open),
        updated: Timestamp(0),
    };
    office.bridge().writer.admin(Admin::Keep(row)).await.expect("stored");
    office.bridge().shutdown().await;
    office.restart(opened().await.expect("opened")).await.expect("the bridge starts");
    let stored = kept(&office, &own).await;
    assert!(!stored.contains(PLAIN) && stored.contains("sealed"), "{stored}");
    let now = code(&office, PLAIN_BASE32, 0);
    sign_in(&office, "ada@example.com", Some(&now)).await.must_be(201);
    sign_in(&office, "ada@example.com", Some(&now)).await.must_be(401);
    // Another key, and none at all: said at the start, where somebody looks.
    let right = std::mem::replace(&mut office.town.key, KeySource::Given("another key ".repeat(4).into()));
    office.bridge().shutdown().await;
    let refused = office.restart(opened().await.expect("opened")).await.unwrap_err().to_string();
    assert!(refused.contains("store.key") && refused.contains("forget-factors"), "{refused}");
    let empty = tempfile::tempdir().expect("a folder");
    office.town.key = KeySource::File(empty.path().join("deskbridge.key"));
    let refused = office.restart(opened().await.expect("opened")).await.unwrap_err().to_string();
    assert!(refused.contains("missing") && refused.contains("store.key_file"), "{refused}");
    assert!(!empty.path().join("deskbridge.key").exists(), "a new one would help nobody");
    // The right one again; and where it is lost, everybody begins anew.
    office.town.key = right;
    office.restart(opened().await.expect("opened")).await.expect("the bridge starts");
    assert_eq!(sign_in(&office, "ada@example.com", None).await.must_be(401).code(), "second-factor");
    let bridge = office.bridge().clone();
    let whose = forget_factors(bridge.read.as_ref(), &bridge.writer).await.expect("forgotten");
    assert_eq!(whose.iter().map(|one| one.as_str()).collect::<Vec<_>>(), [own.as_str()]);
    bridge.shutdown().await;
    office.town.key = KeySource::File(empty.path().join("deskbridge.key"));
    office.restart(opened().await.expect("opened")).await.expect("the bridge starts");
    sign_in(&office, "ada@example.com", None).await.must_be(201);
    assert!(empty.path().join("deskbridge.key").exists(), "made where nothing is sealed");
    office.bridge().shutdown().await;
}

/// The hexadecimal form of what is typed.
fn data_of(key: &str) -> String {
    let value = |letter: char| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).expect("base 32");
    let bits: String = key.chars().map(|letter| format!("{:05b}", value(letter))).collect();
    let nibbles = bits.as_bytes().chunks_exact(4).map(|bits| std::str::from_utf8(bits).expect("bits"));
    nibbles.map(|bits| format!("{:x}", u8::from_str_radix(bits, 2).expect("a nibble"))).collect()
}

//! Against the fake provider: what a client may be configured as, what keys do with time; and that reading is total.
//!
//! Not here: what an answer comes to at the API (`tests/it/api/console/oidc.rs`).

use deskbridge_platforms::oidc::{FakeProvider, Settings as Setup, Wrong};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Seconds since 1970.
const NOW: i64 = 1_790_000_000;
const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

struct Rig {
    fake: FakeProvider,
    provider: Provider,
}

/// What the browser brings back.
struct Back(Vec<(String, String)>);

impl Back {
    fn part(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn returned(&self) -> Returned<'_> {
        Returned {
            state: self.part("state").unwrap_or_default(),
            code: self.part("code"),
            issuer: self.part("iss"),
            error: self.part("error"),
        }
    }
}

impl Rig {
    async fn start(setup: Setup) -> Rig {
        Rig::start_with(setup, |_| {}).await
    }

    async fn start_with(setup: Setup, change: impl FnOnce(&mut Settings)) -> Rig {
        let fake = FakeProvider::start(setup.clone()).await.unwrap();
        fake.change(|world| world.now = Some(NOW));
        let mut settings = Settings {
            issuer: fake.issuer(),
            client_id: setup.client_id,
            client_secret: setup.client_secret.map(SecretString::from),
            redirect_uri: setup.redirect_uri,
            scopes: vec!["openid".into(), "email".into()],
            email_verified_claim: "email_verified".into(),
            groups_claim: None,
            required: Vec::new(),
        };
        change(&mut settings);
        // As `main` does; another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Rig { provider: Provider::new(settings), fake }
    }

    async fn back(&self, secret: &str, at: Timestamp) -> Back {
        let address = self.provider.address(secret, at).await.unwrap();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = client.get(address).send().await.unwrap();
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        let url = url::Url::parse(&location).unwrap();
        assert!(location.starts_with(&self.fake.settings().redirect_uri), "{location}");
        Back(url.query_pairs().into_owned().collect())
    }

    async fn sign_in(&self, at: Timestamp) -> Result<Person, Refusal> {
        let back = self.back(SECRET, at).await;
        self.provider.finish(SECRET, &back.returned(), at).await
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp((NOW + seconds) * 1_000_000)
}

#[tokio::test]
async fn every_kind_of_client_gets_in() {
    let usual = Setup::default();
    let public = Setup { client_secret: None, ..usual.clone() };
    for setup in [
        usual.clone(),
        Setup { only_post: true, ..usual.clone() },
        public,
        Setup { elliptic: true, ..usual.clone() },
        Setup { claims_in_token: false, ..usual.clone() },
        Setup { names_itself: false, path: String::new(), ..usual.clone() },
    ] {
        let rig = Rig::start(setup.clone()).await;
        let person = rig.sign_in(at(0)).await.unwrap_or_else(|refusal| panic!("{refusal}: {setup:?}"));
        assert_eq!((person.subject.as_str(), person.is_email_verified), ("subject-of-ana", true));
        assert_eq!(person.email.as_deref(), Some("ana@example.com"));
        assert_eq!(rig.fake.read(|world| world.violations.clone()), Vec::<String>::new());
        let info = usize::from(!setup.claims_in_token);
        assert_eq!(rig.fake.asked("/userinfo"), info, "it is asked where the token says too little");
    }
}

#[tokio::test]
async fn keys_are_fetched_seldom_and_changed_ones_are_found() {
    let rig = Rig::start(Setup::default()).await;
    for n in 0..5 {
        rig.sign_in(at(n)).await.unwrap();
    }
    assert_eq!((rig.fake.asked("/keys"), rig.fake.asked("/.well-known/openid-configuration")), (1, 1));
    // Whoever invents names of keys makes nobody ask again and again (D41).
    rig.fake.is_wrong(Wrong::UnknownKey);
    for n in 10..30 {
        assert_eq!(rig.sign_in(at(n)).await, Err(Refusal::Token(Flaw::UnknownKey)));
    }
    assert_eq!(rig.fake.asked("/keys"), 1);
    rig.fake.is_wrong(Wrong::Nothing);
    rig.fake.change(|world| world.kid = "key-2".into());
    assert_eq!(rig.sign_in(at(40)).await, Err(Refusal::Token(Flaw::UnknownKey)), "not five minutes yet");
    rig.fake.change(|world| world.now = Some(NOW + 301));
    rig.sign_in(at(301)).await.unwrap();
    assert_eq!(rig.fake.asked("/keys"), 2);
}

#[tokio::test]
async fn a_provider_that_is_away_is_away_and_comes_back() {
    let rig = Rig::start(Setup::default()).await;
    rig.fake.outage().set(true);
    for _ in 0..3 {
        assert!(matches!(rig.provider.address(SECRET, at(0)).await, Err(Refusal::Unreachable(_))));
    }
    assert!(matches!(rig.provider.describe().await, Err(Refusal::Unreachable(_))));
    rig.fake.outage().set(false);
    assert!(rig.provider.address(SECRET, at(1)).await.is_err(), "it is left alone for a moment");
    rig.fake.change(|world| world.now = Some(NOW + 11));
    rig.sign_in(at(11)).await.unwrap();
    // What is known of it outlives its bad days.
    rig.fake.outage().set(true);
    rig.provider.address(SECRET, at(2 * 3600)).await.unwrap();
    rig.fake.outage().set(false);
    let found = rig.provider.describe().await.unwrap();
    assert_eq!((found.keys, found.algorithms, found.has_pkce), (1, vec!["RS256"], true));
    // One that is another's now is not the same provider on a bad day.
    rig.fake.is_wrong(Wrong::DescribesTemplate);
    let refused = rig.provider.address(SECRET, at(4 * 3600)).await;
    assert!(matches!(refused, Err(Refusal::Description(_))), "{refused:?}");
}

#[tokio::test]
async fn claims_that_must_be_so() {
    let required = |text: &str| {
        let (claim, value) = text.split_once('=').unwrap();
        Required { claim: claim.into(), value: value.into() }
    };
    let rig = Rig::start_with(Setup::default(), |settings| {
        settings.required = vec![required("hd=example.com"), required("amr=mfa")];
        settings.groups_claim = Some("realm.roles".into());
        settings.email_verified_claim = "xms_edov".into();
    })
    .await;
    let refused = |claim: &str| Err(Refusal::Claim(claim.to_owned()));
    assert_eq!(rig.sign_in(at(0)).await, refused("hd"));
    rig.fake.change(|world| world.person["hd"] = json!("example.com"));
    assert_eq!(rig.sign_in(at(0)).await, refused("amr"));
    rig.fake.change(|world| {
        world.person["amr"] = json!(["pwd", "mfa"]);
        world.person["realm"] = json!({"roles": ["a", "b", 7]});
        world.person["xms_edov"] = json!("1");
        world.person["email_verified"] = json!(false);
    });
    let person = rig.sign_in(at(0)).await.unwrap();
    assert_eq!((person.groups, person.is_email_verified), (vec!["a".to_owned(), "b".into()], true));
}

/// What is unsigned fills gaps; who says an address also says whether it is verified.
#[test]
fn s79_the_user_info_overrules_nothing() {
    let settings = Settings {
        issuer: "https://login.example.com".into(),
        client_id: "desk".into(),
        client_secret: None,
        redirect_uri: String::new(),
        scopes: Vec::new(),
        email_verified_claim: "email_verified".into(),
        groups_claim: Some("groups".into()),
        required: Vec::new(),
    };
    let object = |value: Value| value.as_object().cloned().unwrap_or_default();
    let person =
        |token: Value, info: Value| claims::person(&object(token), &object(info), &settings).unwrap();
    let found = person(
        json!({"sub": "a", "email": "ANA@example.com", "email_verified": false, "groups": []}),
        json!({"sub": "a", "email": "root@example.com", "email_verified": true, "groups": ["admins"]}),
    );
    assert_eq!((found.email.as_deref(), found.is_email_verified), (Some("ana@example.com"), false));
    assert!(found.groups.is_empty());
    // The token's address with the user info's word for another one.
    let found = person(
        json!({"sub": "a", "email": "root@example.com"}),
        json!({"sub": "a", "email": "ana@example.com", "email_verified": true}),
    );
    assert_eq!((found.email.as_deref(), found.is_email_verified), (Some("ana@example.com"), true));
    for (value, is_verified) in [
        (json!(true), true),
        (json!("true"), true),
        (json!(1), true),
        (json!(false), false),
        (json!("yes"), false),
        (json!("TRUE"), false),
        (json!(null), false),
        (json!({"true": true}), false),
        (json!([true]), false),
    ] {
        let found = person(json!({"email": "ana@example.com", "email_verified": value}), json!({}));
        assert_eq!(found.is_email_verified, is_verified, "{value}");
    }
    for odd in ["", "ana", "@example.com", "ana@", "a na@example.com", "a@b@c", "a@b\u{0}"] {
        assert_eq!(person(json!({"email": odd, "email_verified": true}), json!({})).email, None, "{odd:?}");
    }
}

/// Of nothing that a browser has seen, anything else follows.
#[test]
fn s79_what_belongs_to_one_browser_is_of_no_use_in_another() {
    let (one, other) = (Attempt::of(SECRET), Attempt::of("another"));
    let values = [&one.state, &one.nonce, &one.verifier, &other.state, &other.nonce, &other.verifier];
    for (n, value) in values.iter().enumerate() {
        assert_eq!(value.len(), 43);
        assert!(!values[..n].contains(value));
    }
    assert!(one.is_state(&one.state) && !one.is_state(&other.state) && !one.is_state(""));
    assert!(one.is_nonce(&one.nonce) && !one.is_nonce(&one.state));
    assert_ne!(one.challenge(), one.verifier);
}

proptest! {
    #[test]
    fn reading_is_total(text in ".{0,200}", json in "[\\[\\]{}\",:a-z0-9.-]{0,200}") {
        let all = jwt::Algorithm::ALL;
        let _ = jwt::read(&text, &all);
        let _ = jwt::read(&format!("{text}.{text}.{text}"), &all);
        let value: Value = serde_json::from_str(&json).unwrap_or_default();
        let _ = jwt::Key::from_jwk(&value);
        let _ = discovery::read(&value, &text);
        let _ = fetch::code_of(&text);
    }

    #[test]
    fn claims_are_read_whatever_they_are(
        name in prop::sample::select(vec!["iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "sub", "at_hash"]),
        value in prop_oneof![
            Just(Value::Null), any::<bool>().prop_map(Value::from), any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from), ".{0,40}".prop_map(Value::from),
            prop::collection::vec(".{0,9}", 0..4).prop_map(Value::from),
        ],
    ) {
        let settings = Settings {
            issuer: "https://login.example.com".into(),
            client_id: "desk".into(),
            client_secret: None,
            redirect_uri: String::new(),
            scopes: Vec::new(),
            email_verified_claim: "email_verified".into(),
            groups_claim: Some("a.b".into()),
            required: Vec::new(),
        };
        let attempt = Attempt::of(SECRET);
        let good = json!({
            "iss": settings.issuer, "aud": "desk", "iat": NOW, "exp": NOW + 60, "nonce": attempt.nonce, "sub": "a",
        });
        let mut claims = good.as_object().cloned().unwrap_or_default();
        prop_assert!(claims::check(&claims, &settings, &attempt, at(0)).is_ok());
        claims.insert(name.into(), value);
        let _ = claims::check(&claims, &settings, &attempt, at(0));
        let _ = claims::check_access(&claims, jwt::Algorithm::EdDsa, Some("x"));
        let _ = claims::person(&claims, &claims, &settings);
    }
}

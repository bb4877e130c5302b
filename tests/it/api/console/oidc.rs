//! Signing in with the company's provider: who gets in, as whom, and what that may.
//!
//! Not here: what somebody may try instead (`attacks`), single parts (`deskbridge_services::oidc`), a provider by others
//! (`console_provider.rs`).

mod attacks;

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::Query;
use axum::http::{Request, Uri};
use deskbridge::http::limits::Limits;
use deskbridge_platforms::oidc::{FakeProvider, Settings};
use serde_json::{Value, json};

use super::super::office::{Answer, Office};
use super::{Browser, PASSWORD, admin, invited};

const HOME: &str = "https://desk.test";
const SESSION: &str = "__Host-deskbridge";
const PENDING: &str = "__Host-deskbridge-oidc";

const TECHNICIANS: &str = r#"
[[technicians]]
name = "Eva"
email = "eva@example.com"
presence = "offline"
[[technicians]]
name = "Max"
email = "max@example.com"
role = "admin"
presence = "offline"
"#;

struct House {
    office: Office,
    fake: FakeProvider,
}

impl House {
    async fn open() -> House {
        House::open_with("").await
    }

    /// `more`: of the section `[oidc]`.
    async fn open_with(more: &str) -> House {
        House::built(Settings::default(), more).await
    }

    async fn built(settings: Settings, more: &str) -> House {
        let fake = FakeProvider::start(settings.clone()).await.expect("it listens");
        let secret = settings.client_secret.unwrap_or_default();
        let text = format!(
            "[server]\npublic_url = \"{HOME}\"\n[oidc]\nname = \"Example Login\"\nissuer = \"{}\"\nclient_id = \"{}\"\n\
             client_secret = \"{secret}\"\n{more}\n{TECHNICIANS}",
            fake.issuer(),
            settings.client_id,
        );
        // Each attack is looked at for itself, however fast the machine tries them all.
        let limits = Limits { failures: 1_000, ..Limits::default() };
        let office = Office::open_with(&text, limits).await;
        let house = House { office, fake };
        house.is("eva");
        house
    }

    /// Who is signed in at the provider.
    fn is(&self, who: &str) {
        let person = json!({
            "sub": format!("subject-of-{who}"), "email": format!("{who}@example.com"), "email_verified": true,
            "name": who,
        });
        self.fake.change(|world| world.person = person);
    }

    fn claims(&self, name: &str, value: Value) {
        self.fake.change(|world| world.person[name] = value);
    }

    async fn audited(&self) -> Vec<String> {
        let rows = self.office.bridge().read.audit(200).await.expect("read");
        rows.into_iter().map(|row| format!("{}: {}", row.by.unwrap_or_default(), row.act)).collect()
    }

    async fn was_audited(&self, what: &str) {
        let all = self.audited().await;
        assert!(all.iter().any(|act| act.contains(what)), "{what:?} is not among {all:#?}");
    }
}

/// A browser with a jar of cookies.
#[derive(Clone, Default)]
struct Visitor {
    cookies: BTreeMap<String, String>,
    csrf: String,
}

/// What the provider sends the browser back with.
type Back = BTreeMap<String, String>;

impl Visitor {
    fn request(&self, method: &str, path: &str, body: &Value) -> Request<Body> {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("host", "desk.test")
            .header("origin", HOME)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/json")
            .header("cookie", cookies.join("; "))
            .header("x-csrf-token", &self.csrf);
        request.body(body).expect("a request")
    }

    async fn ask(&mut self, house: &House, method: &str, path: &str, body: &Value) -> Answer {
        house.fake.change(|world| world.now = Some(house.office.bridge().now().0 / 1_000_000));
        let answer = house.office.ask(self.request(method, path, body)).await;
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().expect("text");
            let (name, value) =
                set.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            assert!(
                set.ends_with("; Secure; HttpOnly; SameSite=Strict") && set.contains("; Path=/;"),
                "{set}"
            );
            match value {
                "" => drop(self.cookies.remove(name)),
                _ => drop(self.cookies.insert(name.into(), value.into())),
            }
        }
        if let Some(csrf) = answer.data()["csrf"].as_str() {
            self.csrf = csrf.to_owned();
        }
        answer
    }

    /// Begins, and goes to the provider and back.
    async fn sent(&mut self, house: &House) -> Back {
        let begun = self.ask(house, "POST", "/session/oidc", &json!({})).await.must_be(201).data();
        assert!(self.cookies[PENDING].len() == 64);
        let address = begun["address"].as_str().expect("an address").to_owned();
        assert!(address.starts_with(&format!("{}/authorize?", house.fake.issuer())), "{address}");
        assert!(!address.contains(&self.cookies[PENDING]), "the browser's secret goes nowhere");
        brought(&address).await
    }

    async fn finish(&mut self, house: &House, back: &Back) -> Answer {
        self.ask(house, "POST", "/session/oidc/finish", &json!(back)).await
    }

    async fn sign_in(&mut self, house: &House) -> Answer {
        let back = self.sent(house).await;
        self.finish(house, &back).await
    }

    /// Nobody is signed in, by whatever is in the jar.
    async fn must_be_nobody(&mut self, house: &House) {
        assert!(!self.cookies.contains_key(SESSION));
        self.ask(house, "GET", "/me", &Value::Null).await.must_be(401);
    }
}

/// Follows the provider's redirect by hand: it leads to an address that is not there.
async fn brought(address: &str) -> Back {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let answer = client.build().expect("a client").get(address).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 302);
    let location = answer.headers()["location"].to_str().expect("text").to_owned();
    assert!(location.starts_with(&format!("{HOME}/console/oidc?")), "{location}");
    let uri: Uri = location.parse().expect("an address");
    let Query(back) = Query::<Back>::try_from_uri(&uri).expect("a query");
    back
}

#[tokio::test]
async fn somebody_of_the_file_signs_in_with_the_company_account() {
    let house = House::open().await;
    let mut eva = Visitor::default();
    let ways = eva.ask(&house, "GET", "/session/ways", &Value::Null).await.must_be(200).data();
    assert_eq!(ways, json!({"provider": "Example Login"}));
    let back = eva.sent(&house).await;
    let signed = eva.finish(&house, &back).await.must_be(201).data();
    assert_eq!((&signed["technician"], &signed["role"]), (&json!("eva"), &json!("technician")));
    assert!(!eva.cookies.contains_key(PENDING), "it is over");
    assert_ne!(signed["csrf"], json!(""));
    eva.ask(&house, "PUT", "/technicians/eva/presence", &json!({"presence": "busy"})).await.must_be(200);
    house.was_audited("eva: is signed in with Example Login from now on").await;
    house.was_audited("eva: signed in with Example Login").await;
    assert_eq!(house.fake.read(|world| world.violations.clone()), Vec::<String>::new());

    // Bound to the account there, and not to what it is called: a new name and an address that nobody vouches for.
    house.claims("email", json!("eva.married@example.com"));
    house.claims("email_verified", json!(false));
    let before = eva.cookies[SESSION].clone();
    let again = eva.sign_in(&house).await.must_be(201).data();
    assert_eq!(again["technician"], json!("eva"));
    // S77: a new session, and the one before is over.
    assert_ne!(eva.cookies[SESSION], before);
    let mut old = Visitor { cookies: BTreeMap::from([(SESSION.to_owned(), before)]), ..Visitor::default() };
    old.ask(&house, "GET", "/me", &Value::Null).await.must_be(401);
    // No password was made on the way.
    let login = json!({"login": "eva@example.com", "password": PASSWORD});
    Visitor::default().ask(&house, "POST", "/session", &login).await.must_be(401);
    assert!(!house.office.town.exported().await.contains("subject-of"), "who that is there stays here");
}

#[tokio::test]
async fn without_a_provider_there_is_none() {
    let office = Office::open().await;
    let nobody = Browser::default();
    let ways = nobody.ask(&office, "GET", "/session/ways", &Value::Null).await.must_be(200).data();
    assert_eq!(ways, json!({"provider": null}));
    nobody.ask(&office, "POST", "/session/oidc", &json!({})).await.must_be(404);
    nobody.ask(&office, "POST", "/session/oidc/finish", &json!({"state": "x"})).await.must_be(404);
}

#[tokio::test]
async fn an_admin_by_the_provider_is_an_admin() {
    let house = House::open().await;
    house.is("max");
    let mut max = Visitor::default();
    let signed = max.sign_in(&house).await.must_be(201).data();
    assert_eq!(signed["role"], json!("admin"));
    let accounts = max.ask(&house, "GET", "/accounts", &Value::Null).await.must_be(200).data();
    let own = accounts.as_array().expect("a list").iter().find(|one| one["technician"] == "max").cloned();
    let own = own.expect("they are there");
    assert_eq!(
        (&own["state"], &own["provider"], &own["factor"]),
        (&json!("active"), &json!(true), &json!(false))
    );
    // The link that makes the first admin is worth nothing any more, and none is made (S81).
    let bridge = house.office.bridge();
    let (policy, now) = (bridge.policy.current(), bridge.now());
    let link = |policy| deskbridge::http::api::first_link(bridge.read.as_ref(), &bridge.writer, now, policy);
    assert_eq!(link(Some(&policy.policy)).await.expect("read"), None);
    let worthless = link(None).await.expect("read").expect("nobody has a password");
    let secret = worthless.split('=').nth(1).expect("a secret");
    Visitor::default().ask(&house, "POST", "/session/link", &json!({"link": secret})).await.must_be(404);
}

#[tokio::test]
async fn groups_decide_on_roles_where_some_are_named() {
    let more = "admin_groups = [\"leads\"]\nsupervisor_groups = [\"shift leads\"]\ntechnician_groups = [\"it\"]\ncreate = true";
    let house = House::open_with(more).await;
    // Of the file, in no group: refused. In one: in, with the role of the file.
    assert_eq!(Visitor::default().sign_in(&house).await.must_be(403).code(), "no-access");
    house.was_audited("in none of the groups").await;
    house.claims("groups", json!(["it", "leads"]));
    let mut eva = Visitor::default();
    assert_eq!(eva.sign_in(&house).await.must_be(201).data()["role"], json!("technician"));
    // Somebody new is made, as their groups say; the highest counts.
    house.is("zoe");
    house.claims("groups", json!(["other", "it", "shift leads"]));
    let mut zoe = Visitor::default();
    let made = zoe.sign_in(&house).await.must_be(201).data();
    assert_eq!((&made["technician"], &made["role"]), (&json!("zoe"), &json!("supervisor")));
    house.was_audited("added the technician zoe").await;
    // The company changes its mind: at the next sign-in, for all of their sessions.
    house.claims("groups", json!("leads"));
    let mut again = Visitor::default();
    assert_eq!(again.sign_in(&house).await.must_be(201).data()["role"], json!("admin"));
    zoe.ask(&house, "GET", "/me", &Value::Null).await.must_be(401);
    again.ask(&house, "GET", "/settings", &Value::Null).await.must_be(200);
    house.claims("groups", json!(["it"]));
    let mut last = Visitor::default();
    assert_eq!(last.sign_in(&house).await.must_be(201).data()["role"], json!("technician"));
    again.ask(&house, "GET", "/me", &Value::Null).await.must_be(401);
    last.ask(&house, "GET", "/settings", &Value::Null).await.must_be(403);
    house.was_audited("zoe: has another role by the provider's groups").await;
    house.claims("groups", json!([]));
    Visitor::default().sign_in(&house).await.must_be(403);
    last.ask(&house, "GET", "/me", &Value::Null).await.must_be(401);
}

#[tokio::test]
async fn whoever_was_removed_does_not_come_back_by_themselves() {
    let house =
        House::open_with("create = true\ndomains = [\"Example.com\"]\ndefault_role = \"technician\"").await;
    let ada = admin(&house.office).await;
    house.is("zoe");
    house.claims("email", json!("Zoe@Example.COM"));
    assert_eq!(Visitor::default().sign_in(&house).await.must_be(201).data()["role"], json!("technician"));
    ada.ask(&house.office, "DELETE", "/technicians/zoe", &Value::Null).await.must_be(200);
    assert_eq!(Visitor::default().sign_in(&house).await.must_be(403).code(), "no-access");
    house.was_audited("the account is disabled").await;
    // Nor by another address of the same account of the provider.
    house.claims("email", json!("zoe.new@example.com"));
    assert_eq!(Visitor::default().sign_in(&house).await.must_be(403).code(), "no-access");
    // Nor does somebody new with the name get what was hers.
    let named = json!({"name": "Zoe"});
    let added = ada.ask(&house.office, "POST", "/technicians", &named).await.must_be(201).data();
    assert_eq!(added["path"], json!("technicians.zoe-2"));
    assert_eq!(Visitor::default().sign_in(&house).await.must_be(403).code(), "no-access");
    // Another with the same name is somebody else.
    house.claims("sub", json!("subject-of-another-zoe"));
    house.claims("email", json!("zoe.b@example.com"));
    assert_eq!(Visitor::default().sign_in(&house).await.must_be(201).data()["technician"], json!("zoe-3"));
    // Of another company, nobody.
    house.claims("sub", json!("subject-of-an-outsider"));
    for email in ["zoe@evil.test", "zoe@example.com.evil.test", "zoe@evilexample.com"] {
        house.claims("email", json!(email));
        assert_eq!(Visitor::default().sign_in(&house).await.must_be(403).code(), "no-access", "{email}");
    }
    house.was_audited("of none of the domains").await;
}

/// The company's provider asks for a second factor itself, or it does not: ours guards passwords.
#[tokio::test]
async fn the_second_factor_of_a_password_is_not_asked_for() {
    let house = House::open().await;
    let ada = admin(&house.office).await;
    let eva = invited(&house.office, &ada, "eva").await;
    let begun = eva.ask(&house.office, "POST", "/session/factor", &json!({"password": PASSWORD})).await;
    let key = begun.must_be(200).data()["secret"].as_str().expect("a key").to_owned();
    let code = json!({"code": super::factor::code(&house.office, &key, 0)});
    eva.ask(&house.office, "PUT", "/session/factor", &code).await.must_be(200);
    Visitor::default().sign_in(&house).await.must_be(201);
    let accounts = ada.ask(&house.office, "GET", "/accounts", &Value::Null).await.must_be(200).data();
    let own = accounts.as_array().expect("a list").iter().find(|one| one["technician"] == "eva").cloned();
    assert_eq!(own.expect("they are there")["factor"], json!(true));
    let login = json!({"login": "eva@example.com", "password": PASSWORD});
    let refused = Visitor::default().ask(&house, "POST", "/session", &login).await.must_be(401);
    assert_eq!(refused.code(), "second-factor");
}

//! Signing in, accounts, settings, tokens, canned replies and drafts, as a browser uses them (S53, S73).
//!
//! Not here: what the console looks like (`browser`).

mod factor;
mod oidc;
mod sessions;

use axum::body::Body;
use axum::http::Request;
use deskbridge::http::api::routes::{Method, Route, TABLE};
use deskbridge::http::openapi;
use serde_json::{Value, json};

use super::answers::sample;
use super::office::{Answer, Office, get, post, with};
use super::schema::faults;

const ORIGIN: &str = "http://desk.test";
const PASSWORD: &str = "correct horse battery";

/// Routes that need a session, an account or an id of their own; each is asked in this file.
pub fn is_shown_there(route: &Route) -> bool {
    let own = ["/session", "{token}", "{canned}", "{requester}"].iter().any(|part| route.path.contains(part));
    let staff = route.path.starts_with("/technicians/{technician}") && !route.path.ends_with("presence");
    own || staff
        || (route.path == "/settings" && route.method == Method::Put)
        || route.method == Method::Delete
}

/// A browser: its cookie, and what the page knows.
#[derive(Clone, Default)]
pub struct Browser {
    cookie: String,
    csrf: String,
}

impl Browser {
    pub fn request(&self, method: &str, path: &str, body: &Value) -> Request<Body> {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("host", "desk.test")
            .header("origin", ORIGIN)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/json")
            .header("cookie", &self.cookie)
            .header("x-csrf-token", &self.csrf);
        request.body(body).expect("a request")
    }

    /// Asks, and holds the answer against its description.
    pub async fn ask(&self, office: &Office, method: &str, path: &str, body: &Value) -> Answer {
        let mut request = self.request(method, path, body);
        // Where people are told to open it.
        if let Some(home) = &office.town.config.server.public_url {
            request.headers_mut().insert("origin", home.parse().expect("a header"));
        }
        let answer = office.ask(request).await;
        let document = openapi::document();
        let asked: Vec<&str> = path.split('/').collect();
        let fits = |route: &&Route| {
            let parts: Vec<&str> = route.path.split('/').collect();
            let same = parts.iter().zip(&asked).all(|(part, asked)| part == asked || part.starts_with('{'));
            route.method.name() == method && parts.len() == asked.len() && same
        };
        if answer.status.is_success()
            && let Some(route) = TABLE.iter().find(fits)
        {
            assert_eq!(answer.status.as_u16(), route.status, "{method} {path}");
            let schema = &document["paths"][format!("/api/v1{}", route.path)][method.to_lowercase()]["responses"]
                [route.status.to_string()]["content"]["application/json"]["schema"];
            let found = faults(&answer.json(), schema, &document);
            assert!(found.is_empty(), "{method} {path}: {found:#?}");
        }
        answer
    }

    fn signed_in(answer: &Answer) -> Browser {
        let set = answer.header("set-cookie");
        let cookie = set.split(';').next().unwrap_or_default().to_owned();
        Browser { cookie, csrf: answer.data()["csrf"].as_str().unwrap_or_default().to_owned() }
    }
}

/// The first admin, by the link that the start prints.
pub async fn admin(office: &Office) -> Browser {
    let bridge = office.bridge();
    let link = deskbridge::http::api::first_link(bridge.read.as_ref(), &bridge.writer, bridge.now(), None);
    let link = link.await.expect("read").expect("nobody has a password");
    let secret = link.split('=').nth(1).expect("a secret").to_owned();
    let nobody = Browser::default();
    let what =
        nobody.ask(office, "POST", "/session/link", &json!({"link": secret})).await.must_be(200).data();
    assert_eq!((what["first"].as_bool(), what["login"].is_null()), (Some(true), true));
    let claim =
        json!({"link": secret, "name": "Ada Byron", "login": "ADA@example.com", "password": PASSWORD});
    let weak = json!({"link": secret, "name": "Ada", "login": "ada@example.com", "password": "password1234"});
    nobody.ask(office, "POST", "/session/claim", &weak).await.must_be(400);
    let answer = nobody.ask(office, "POST", "/session/claim", &claim).await.must_be(201);
    // Good once, and the page is gone.
    nobody.ask(office, "POST", "/session/claim", &claim).await.must_be(404);
    nobody.ask(office, "POST", "/session/link", &json!({"link": secret})).await.must_be(404);
    Browser::signed_in(&answer)
}

/// Somebody of the configuration, by a link of the admin's.
pub async fn invited(office: &Office, admin: &Browser, who: &str) -> Browser {
    let path = format!("/technicians/{who}/login-link");
    let link = admin.ask(office, "POST", &path, &json!({})).await.must_be(201).data();
    let secret = link["path"].as_str().expect("a path").split('=').nth(1).expect("a secret").to_owned();
    let claim = json!({"link": secret, "login": format!("{who}@example.com"), "password": PASSWORD});
    let answer = Browser::default().ask(office, "POST", "/session/claim", &claim).await.must_be(201);
    Browser::signed_in(&answer)
}

async fn sign_in(office: &Office, login: &str, password: &str) -> Answer {
    let body = json!({"login": login, "password": password});
    Browser::default().ask(office, "POST", "/session", &body).await
}

#[tokio::test]
async fn s73_roles_hold_on_every_route() {
    let office = Office::open().await;
    let ada = admin(&office).await;
    let (ana, sue) = (invited(&office, &ada, "ana").await, invited(&office, &ada, "sue").await);
    for route in TABLE.iter().filter(|route| route.scope.is_some_and(|scope| scope.name() == "admin")) {
        let path = route.path.replace("{technician}", "cem").replace("{token}", "t-cem");
        for who in [&ana, &sue] {
            let refused = who.ask(&office, route.method.name(), &path, &sample(route)).await;
            assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "scope"), "{path}");
        }
    }
    // Nobody changes their own role, and one admin is always left.
    let own = json!({"name": "Ada Byron", "email": "ada@example.com", "role": "technician"});
    assert_eq!(ada.ask(&office, "PUT", "/technicians/ada-byron", &own).await.must_be(403).code(), "own-role");
    ada.ask(&office, "DELETE", "/technicians/ada-byron", &Value::Null).await.must_be(403);
    ada.ask(&office, "PUT", "/technicians/ada-byron/account", &json!({"disabled": true})).await.must_be(403);
    let token = json!({"name": "x", "scopes": ["admin"], "technician": "ana"});
    assert_eq!(ada.ask(&office, "POST", "/tokens", &token).await.must_be(403).code(), "role");
    // A second admin may do it to the first.
    let new = json!({"name": "Zoe", "email": "zoe@example.com", "role": "admin"});
    ada.ask(&office, "POST", "/technicians", &new).await.must_be(201);
    let zoe = invited(&office, &ada, "zoe").await;
    zoe.ask(&office, "PUT", "/technicians/ada-byron", &own).await.must_be(200);
    // What she had is worth nothing; signed in anew, she is what she is now.
    ada.ask(&office, "GET", "/me", &Value::Null).await.must_be(401);
    let ada = Browser::signed_in(&sign_in(&office, "ada@example.com", PASSWORD).await.must_be(201));
    ada.ask(&office, "GET", "/settings", &Value::Null).await.must_be(403);
    ada.ask(&office, "GET", "/me", &Value::Null).await.must_be(200);
}

#[tokio::test]
async fn settings_that_the_file_leaves_open() {
    let office = Office::open().await;
    let ada = admin(&office).await;
    let all = ada.ask(&office, "GET", "/settings", &Value::Null).await.must_be(200).data();
    let one = |path: &str| all.as_array().unwrap().iter().find(|one| one["path"] == path).cloned().unwrap();
    assert_eq!(one("queues.network.technicians")["editable"], false);
    assert_eq!(one("queues.network.technicians")["from"], "file");
    assert_eq!(one("queues.network.allocation")["editable"], true);
    assert!(!all.to_string().contains("api_key\",\"value\":\""));
    let set = async |path: &str, value: Value| {
        ada.ask(&office, "PUT", "/settings", &json!({"path": path, "value": value})).await
    };
    let changed = set("queues.network.allocation", json!("load-based")).await.must_be(200).data();
    assert_eq!((changed["value"].as_str(), changed["from"].as_str()), (Some("load-based"), Some("console")));
    let policy = office.bridge().policy.current();
    let queue = &policy.policy.queues[&"network".into()];
    assert_eq!(queue.allocation, deskbridge_conversation::policy::Allocation::LoadBased);
    set("queues.network.timers.offer", json!("90s")).await.must_be(200);
    set("queues.network.hours", json!({"mon-fri": "08:00-18:00"})).await.must_be(200);
    assert_eq!(set("queues.network.allocation", json!("fair")).await.must_be(400).code(), "setting");
    assert_eq!(set("queues.network.technicians", json!(["Cem"])).await.must_be(409).code(), "fixed");
    assert_eq!(set("server.listen", json!(":1")).await.must_be(400).code(), "setting");
    let back = set("queues.network.allocation", Value::Null).await.must_be(200).data();
    assert_eq!((back["value"].as_str(), back["from"].as_str()), (Some("round-robin"), Some("default")));
    // And it is there again after a restart.
    let mut office = office;
    office.town.running = None;
    office.town.start().await;
    let policy = office.bridge().policy.current();
    assert_eq!(policy.policy.queues[&"network".into()].timers.offer.as_secs(), 90);
    assert!(policy.policy.technicians.contains_key(&"ada-byron".into()));
}

#[tokio::test]
async fn technicians_of_the_file_and_of_the_console() {
    let office = Office::open().await;
    let ada = admin(&office).await;
    let new = json!({"name": "Zoë López", "email": "zoe@example.com", "capacity": 2, "skills": ["vpn"]});
    let made = ada.ask(&office, "POST", "/technicians", &new).await.must_be(201).data();
    assert_eq!(made["path"], "technicians.zoe-lopez");
    let twice = ada.ask(&office, "POST", "/technicians", &new).await.must_be(400);
    assert!(twice.json()["detail"].as_str().unwrap().contains("address"), "the address is somebody's");
    let changed = json!({"name": "Zoë", "email": "zoe@example.com", "capacity": 7});
    ada.ask(&office, "PUT", "/technicians/zoe-lopez", &changed).await.must_be(200);
    let policy = office.bridge().policy.current();
    assert_eq!(policy.policy.technicians[&"zoe-lopez".into()].capacity, 7);
    assert_eq!(ada.ask(&office, "PUT", "/technicians/ana", &changed).await.must_be(409).code(), "fixed");
    let accounts = ada.ask(&office, "GET", "/accounts", &Value::Null).await.must_be(200).data();
    let fixed = |id: &str| {
        accounts.as_array().unwrap().iter().find(|one| one["technician"] == id).unwrap()["fixed"].clone()
    };
    assert_eq!((fixed("ana"), fixed("zoe-lopez")), (true.into(), false.into()));
    let zoe = invited(&office, &ada, "zoe-lopez").await;
    zoe.ask(&office, "GET", "/me", &Value::Null).await.must_be(200);
    ada.ask(&office, "DELETE", "/technicians/zoe-lopez", &Value::Null).await.must_be(200);
    zoe.ask(&office, "GET", "/me", &Value::Null).await.must_be(401);
    ada.ask(&office, "DELETE", "/technicians/zoe-lopez", &Value::Null).await.must_be(404);
}

#[tokio::test]
async fn tokens_are_shown_once() {
    let office = Office::open().await;
    let ada = admin(&office).await;
    let made = ada
        .ask(&office, "POST", "/tokens", &json!({"name": "ci", "scopes": ["chats:read"], "days": 1}))
        .await;
    let made = made.must_be(201).data();
    let (token, id) = (made["token"].as_str().unwrap(), made["id"].as_str().unwrap());
    let bearer = |path: &str| with(get(path, "x"), "authorization", &format!("Bearer {token}"));
    office.ask(bearer("/api/v1/conversations")).await.must_be(200);
    office.ask(bearer("/api/v1/tickets")).await.must_be(403);
    let listed = ada.ask(&office, "GET", "/tokens", &Value::Null).await.must_be(200).data().to_string();
    assert!(listed.contains(id) && !listed.contains(token));
    ada.ask(&office, "DELETE", &format!("/tokens/{id}"), &Value::Null).await.must_be(200);
    office.ask(bearer("/api/v1/conversations")).await.must_be(401);
    ada.ask(&office, "DELETE", "/tokens/nothing", &Value::Null).await.must_be(404);
    ada.ask(&office, "POST", "/tokens", &json!({"name": "ci", "scopes": ["everything"]})).await.must_be(400);
    // A session is no token, and a token no session.
    office
        .ask(with(ada.request("GET", "/me", &Value::Null), "authorization", "Bearer dbp_x"))
        .await
        .must_be(401);
    let change = json!({"old": "x", "new": "y"});
    office.ask(super::office::put("/api/v1/session/password", "ana", &change)).await.must_be(403);
}

#[tokio::test]
async fn canned_replies_and_drafts_are_ones_own() {
    let office = Office::open().await;
    let ada = admin(&office).await;
    let (ana, bob, sue) = (
        invited(&office, &ada, "ana").await,
        invited(&office, &ada, "bob").await,
        invited(&office, &ada, "sue").await,
    );
    let reply = |shortcut: &str, shared: bool| json!({"shortcut": shortcut, "text": "Hello {{requester}}", "shared": shared});
    ana.ask(&office, "POST", "/canned", &reply("hi", true)).await.must_be(403);
    let shared = sue.ask(&office, "POST", "/canned", &reply("/hi", true)).await.must_be(201).data();
    assert_eq!(shared["shortcut"], "hi");
    let own = ana.ask(&office, "POST", "/canned", &reply("mine", false)).await.must_be(201).data();
    let own = format!("/canned/{}", own["id"].as_str().unwrap());
    let count = async |who: &Browser| {
        who.ask(&office, "GET", "/canned", &Value::Null).await.data().as_array().unwrap().len()
    };
    assert_eq!((count(&ana).await, count(&bob).await), (2, 1));
    let everybodys = format!("/canned/{}", shared["id"].as_str().unwrap());
    for (method, body) in [("PUT", reply("x", false)), ("DELETE", Value::Null)] {
        bob.ask(&office, method, &own, &body).await.must_be(404);
        ana.ask(&office, method, &everybodys, &body).await.must_be(403);
    }
    // The same request twice makes one.
    let again = || with(ana.request("POST", "/canned", &reply("once", false)), "idempotency-key", "k1");
    let once = office.ask(again()).await.must_be(201).data();
    assert_eq!(office.ask(again()).await.must_be(201).data(), once);
    let once = format!("/canned/{}", once["id"].as_str().unwrap());
    ana.ask(&office, "DELETE", &once, &Value::Null).await.must_be(200);
    ana.ask(&office, "PUT", &own, &reply("x", false)).await.must_be(200);
    ana.ask(&office, "DELETE", &own, &Value::Null).await.must_be(200);
    assert_eq!(count(&ana).await, 1);

    let (network, _) = office.two().await;
    let draft = format!("/conversations/{network}/draft");
    ana.ask(&office, "PUT", &draft, &json!({"reply": "half a"})).await.must_be(200);
    ana.ask(&office, "PUT", &draft, &json!({"note": "psst"})).await.must_be(200);
    let seen = ana.ask(&office, "GET", &draft, &Value::Null).await.must_be(200).data();
    assert_eq!(seen, json!({"reply": "half a", "note": "psst"}));
    let others = bob.ask(&office, "GET", &draft, &Value::Null).await.must_be(200).data();
    assert_eq!(others, json!({"reply": "", "note": ""}));
}

#[tokio::test]
async fn a_file_goes_with_a_message_of_its_own_conversation() {
    let office = Office::open().await;
    let (network, sap) = office.two().await;
    office.accept(network, "ana").await;
    office.accept(sap, "cem").await;
    let upload = |conversation: i64, who: &str| {
        let path = format!("/api/v1/conversations/{conversation}/files?name=..%2Fa.txt");
        with(super::office::request("POST", &path, who, Body::from("hello")), "content-type", "text/plain")
    };
    let file = office.ask(upload(network, "ana")).await.must_be(201).data();
    assert_eq!((file["name"].as_str(), file["size"].as_i64()), (Some("a.txt"), Some(5)));
    let message = |id: &Value| json!({"attachments": [id]});
    let path = format!("/api/v1/conversations/{network}/messages");
    let sent = office.ask(post(&path, "ana", &message(&file["id"]))).await.must_be(201).data();
    assert_eq!(sent["message"]["attachments"][0]["name"], "a.txt");
    office.ask(post(&path, "ana", &json!({}))).await.must_be(400);
    let foreign = office.ask(upload(sap, "cem")).await.must_be(201).data();
    office.ask(post(&path, "ana", &message(&foreign["id"]))).await.must_be(400);
    let world = office.town.world("telegram");
    let direct = world.direct("maria");
    office
        .until(async || {
            world
                .messages(&direct)
                .iter()
                .any(|m| m.content.attachments.iter().any(|a| a.name == "a.txt"))
                .then_some(())
        })
        .await;
    let large =
        Request::builder().method("POST").uri(format!("/api/v1/conversations/{network}/files?name=x"));
    let large = large.header("authorization", format!("Bearer {}", super::office::token_of("ana")));
    office.ask(large.header("content-length", "99999999999").body(Body::empty()).unwrap()).await.must_be(413);
}

#[tokio::test]
async fn s53_the_console_is_in_nobodys_frame() {
    let office = Office::open().await;
    let bare = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let page = office.ask(bare("/console/")).await.must_be(200);
    let policy = page.header("content-security-policy").to_owned();
    for part in ["default-src 'none'", "frame-ancestors 'none'", "script-src 'self'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'));
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert_eq!(office.ask(bare("/")).await.must_be(307).header("location"), "/console/");
    for name in ["app.js", "app.css", "settings.js", "icon.svg"] {
        office.ask(bare(&format!("/console/{name}"))).await.must_be(200);
    }
    office.ask(bare("/console/nothing.js")).await.must_be(404);
}

//! Nobody reaches what is not theirs: generated from the table of routes, so that none is missed (S66, S70, T58).
//!
//! Not here: what may be done with what one sees.

use std::collections::BTreeSet;

use axum::body::Body;
use deskbridge::http::api::routes::{Method, Route, TABLE};
use deskbridge::http::limits::Limits;
use serde_json::{Value, json};

use super::answers::{Ids, Said, filled, sample};
use super::console::{Browser, admin, invited};
use super::office::{Answer, ORDINARY, Office, get, post, request, with};

/// Everything that belongs to one queue, or to one person of it, by the name of its place in a path.
struct Theirs {
    conversation: String,
    ticket: String,
    blob: String,
    said: Said,
    canned: String,
    technician: &'static str,
    token: &'static str,
    requester: &'static str,
}

impl Theirs {
    async fn of(office: &Office, conversation: i64, technician: &'static str) -> Theirs {
        let (token, requester) = match technician {
            "cem" => ("t-cem", "widget:joao"),
            _ => ("t-ana", "telegram:maria"),
        };
        let ticket = office
            .until(async || {
                let path = format!("/api/v1/conversations/{conversation}/ticket");
                let found = office.ask(get(&path, technician)).await.data();
                found["ticket"]["number"].as_str().map(str::to_owned)
            })
            .await;
        let blob = office.blob(conversation, "canary-sap.txt", b"canary-sap").await;
        let said = Said::by(office, conversation, technician).await;
        let reply = json!({"shortcut": "mine", "text": "canary-sap", "shared": false});
        let canned = office.ask(post("/api/v1/canned", technician, &reply)).await.must_be(201).data();
        let canned = canned["id"].as_str().expect("an id").to_owned();
        Theirs {
            conversation: conversation.to_string(),
            ticket,
            blob,
            said,
            canned,
            technician,
            token,
            requester,
        }
    }

    fn ids(&self, route: &Route) -> Ids<'_> {
        Ids::from([
            ("conversation", self.conversation.as_str()),
            ("message", self.said.of(route)),
            ("ticket", &self.ticket),
            ("blob", &self.blob),
            ("canned", &self.canned),
            ("technician", self.technician),
            ("token", self.token),
            ("requester", self.requester),
            ("verb", "note"),
        ])
    }
}

/// Made like the others, and nobody's.
fn unknown() -> Ids<'static> {
    Ids::from([
        ("conversation", "999999"),
        ("message", "999999.1.0"),
        ("ticket", "T-999999"),
        ("blob", "00000000000000000000000000000000"),
        ("canned", "00000000000000000000000000000000"),
        ("technician", "nobody"),
        ("token", "00000000"),
        ("requester", "widget:nobody"),
        ("verb", "note"),
    ])
}

fn body_for(route: &Route) -> Value {
    match (route.method, route.path.ends_with("{verb}")) {
        (Method::Get, _) => Value::Null,
        (_, true) => json!({"message": "canary-sample"}),
        (_, false) => sample(route),
    }
}

async fn reach(office: &Office, route: &Route, path: &str, who: &str) -> Answer {
    let body = body_for(route);
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let path = if route.upload { format!("{path}?name=a.txt") } else { path.to_owned() };
    office.ask(request(route.method.name(), &format!("/api/v1{path}"), who, body.into())).await
}

/// All of a refusal but its number.
fn told(answer: &Answer) -> (u16, Value) {
    let mut body = answer.json();
    body["request_id"] = Value::Null;
    (answer.status.as_u16(), body)
}

async fn sap(office: &Office) -> Theirs {
    let (_, sap) = office.two().await;
    Theirs::of(office, sap, "cem").await
}

#[tokio::test]
async fn s66_every_route_with_every_foreign_id() {
    let office = Office::open_with("", Limits { failures: 10_000, ..Limits::default() }).await;
    let foreign = sap(&office).await;
    let strangers = Strangers::of(&office).await;
    let mut tried = BTreeSet::new();
    let id: i64 = foreign.conversation.parse().unwrap();
    let deliveries = office.conversation(id).await.sessions.len();
    for route in TABLE {
        let Some(path) = filled(route, &foreign.ids(route)) else { continue };
        let refused = reach(&office, route, &path, "ana").await;
        let missing = reach(&office, route, &filled(route, &unknown()).expect("a place"), "ana").await;
        assert_eq!(told(&refused), told(&missing), "{} {path}", route.method.name());
        strangers.reach(&office, route, &path).await;
        if route.scope.is_some_and(|scope| scope.name() == "admin") {
            // What only admins may, others may with no id at all.
            assert_eq!(refused.status.as_u16(), 403, "{} {path}", route.method.name());
            continue;
        }
        tried.insert(format!("{} {}", route.method.name(), route.path));
        assert_eq!(refused.status.as_u16(), 404, "{} {path}", route.method.name());
        // And whose it is reaches it: the test would not notice a wrong path otherwise.
        let own = reach(&office, route, &path, "cem").await;
        let no_model = own.code() == "no-model";
        assert!(own.status.is_success() || no_model, "{} {path}: {}", route.method.name(), own.status);
    }
    assert!(tried.len() >= 22, "{tried:#?}");
    assert_eq!(office.conversation(id).await.sessions.len(), deliveries);
    let audited = office
        .until(async || {
            let rows = office.bridge().read.audit(1_000).await.expect("read");
            let refused = rows
                .iter()
                .filter(|row| row.act.starts_with("refused: ") && row.by.as_deref() == Some("ana"));
            let refused: Vec<String> = refused.map(|row| row.act.clone()).collect();
            (refused.len() >= tried.len()).then_some(refused)
        })
        .await;
    assert_eq!(audited.len(), tried.len(), "one row for each, and not one for each attempt: {audited:#?}");
    for one in &tried {
        assert!(audited.iter().any(|act| act.starts_with(&format!("refused: {one} "))), "{one}");
    }
}

/// Whoever may nothing any more, or never might, by what they hold.
struct Strangers {
    disabled: Browser,
}

impl Strangers {
    async fn of(office: &Office) -> Strangers {
        // Somebody who was deleted from the configuration, with everything a token can have.
        office.give("ghost", &[ORDINARY, &["admin"]].concat(), Some("ghost")).await;
        // A supervisor, who saw every queue until the account was disabled.
        let ada = admin(office).await;
        let disabled = invited(office, &ada, "sue").await;
        office.ask(get("/api/v1/conversations", "sue")).await.must_be(200);
        let off = json!({"disabled": true});
        ada.ask(office, "PUT", "/technicians/sue/account", &off).await.must_be(200);
        Strangers { disabled }
    }

    async fn reach(&self, office: &Office, route: &Route, path: &str) {
        let method = route.method.name();
        // Deleted, disabled, and somebody with a token that never was.
        for who in ["ghost", "sue", ""] {
            assert_eq!(reach(office, route, path, who).await.status.as_u16(), 401, "{who}: {method} {path}");
        }
        let query = if route.upload { "?name=a.txt" } else { "" };
        let refused = self.disabled.ask(office, method, &format!("{path}{query}"), &body_for(route)).await;
        assert_eq!(refused.status.as_u16(), 401, "by the session: {method} {path}");
        // What a visitor of the widget holds looks like this; `e2e/visitors` tries a real one.
        let visitors = format!("Bearer dws_{}", "a".repeat(64));
        let asked = request(method, &format!("/api/v1{path}{query}"), "", Body::empty());
        let refused = office.ask(with(asked, "authorization", &visitors)).await;
        assert_eq!(refused.status.as_u16(), 401, "a visitor: {method} {path}");
    }
}

/// T58: one's own in front does not open what is somebody else's behind it, nor the other way round.
#[tokio::test]
async fn s66_ones_own_and_a_foreign_id_in_one_path() {
    let office = Office::open_with("", Limits { failures: 10_000, ..Limits::default() }).await;
    let (network, sap) = office.two().await;
    let theirs = Theirs::of(&office, sap, "cem").await;
    let own = Theirs::of(&office, network, "ana").await;
    // Another one of her own queue, which she sees as well.
    let beside = office.opened("telegram", "eva", "the vpn is down").await;
    let beside = Theirs::of(&office, beside, "ana").await;
    let mut tried = 0;
    for route in TABLE.iter().filter(|route| route.path.matches('{').count() > 1) {
        let (mine, foreign, second, none) = (own.ids(route), theirs.ids(route), beside.ids(route), unknown());
        let places = mine.keys().copied().filter(|name| route.path.contains(&format!("{{{name}}}")));
        for name in places.filter(|name| *name != "verb") {
            let missing = but_one(route, &mine, name, none[name]);
            let missing = reach(&office, route, &missing, "ana").await.must_be(404);
            let mut others = vec![&foreign];
            // Hers, and not of this conversation.
            if name == "message" {
                others.push(&second);
            }
            for other in others {
                let path = but_one(route, &mine, name, other[name]);
                let refused = reach(&office, route, &path, "ana").await;
                assert_eq!(told(&refused), told(&missing), "{} {path}", route.method.name());
                tried += 1;
            }
        }
        let path = filled(route, &mine).expect("a place");
        let answer = reach(&office, route, &path, "ana").await;
        assert!(answer.status.is_success(), "{} {path}: {}", route.method.name(), answer.status);
    }
    assert!(tried >= 10, "{tried}");
    // Nothing of theirs was touched.
    let said = office.ask(get(&format!("/api/v1/conversations/{sap}/messages"), "cem")).await.data();
    for one in said.as_array().expect("a list").iter().filter(|one| one["author"]["id"] == "cem") {
        assert_eq!((&one["text"], &one["deleted"]), (&json!("canary-own"), &json!(false)), "{one}");
    }
    // Each way to a message is on record.
    office
        .until(async || {
            let rows = office.bridge().read.audit(1_000).await.expect("read");
            let refused = rows.iter().filter(|row| row.act.starts_with("refused: "));
            let reached = refused.filter(|row| row.act.contains("{message}"));
            (reached.count() >= 3).then_some(())
        })
        .await;
}

/// One's own everywhere but in one place.
fn but_one<'a>(route: &Route, mine: &Ids<'a>, name: &'static str, other: &'a str) -> String {
    let mut ids = mine.clone();
    ids.insert(name, other);
    filled(route, &ids).expect("a place")
}

#[tokio::test]
async fn s66_foreign_messages_inside_ones_own() {
    let office = Office::open().await;
    let (network, sap) = office.two().await;
    let theirs = office.ask(get(&format!("/api/v1/conversations/{sap}/messages"), "cem")).await.data();
    let theirs = theirs[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/conversations/{network}");
    office.accept(network, "ana").await;
    let reply = json!({"text": "x", "reply_to": theirs});
    office.ask(post(&format!("{path}/messages"), "ana", &reply)).await.must_be(400);
    // "Send anyway" is for words that were kept inside, and not for notes.
    office.act(network, "send", "ana", &json!({"message": theirs})).await.must_be(400);
    let bobs =
        office.ask(post(&format!("{path}/notes"), "bob", &json!({"text": "canary-note"}))).await.data();
    let bobs = bobs["message"]["id"].clone();
    office.act(network, "send", "ana", &json!({"message": bobs})).await.must_be(409);
}

#[tokio::test]
async fn s70_lists_searches_and_counts_are_scoped() {
    let office = Office::open().await;
    let foreign = sap(&office).await;
    let labels = json!({"labels": "canary-sap-label"});
    office.act(foreign.conversation.parse().unwrap(), "label", "cem", &labels).await.must_be(200);
    for path in [
        "conversations",
        "conversations?queue=sap",
        "conversations?requester=widget:joao",
        "tickets",
        "tickets?q=sap",
        "people?q=joao",
        "conversations?label=canary-sap-label",
        "search?q=canary",
        "search?q=sap",
        "queues",
        "technicians",
        "me",
    ] {
        let seen = office.ask(get(&format!("/api/v1/{path}"), "ana")).await.must_be(200);
        let text = String::from_utf8_lossy(&seen.bytes).into_owned();
        for secret in ["canary-sap", "sap\"", "joao", "cem", &foreign.blob] {
            assert!(!text.contains(secret), "{path} tells of {secret}: {text}");
        }
        let counted = seen.json()["next_cursor"].is_null();
        assert!(counted, "{path} tells that there is more");
    }
    let waiting = office.ask(get("/api/v1/queues", "ana")).await.data();
    assert_eq!(waiting.as_array().unwrap().len(), 1);
    assert_eq!(waiting[0]["waiting"], 1);
    let found = async |who: &str| {
        let hits = office.ask(get("/api/v1/search?q=canary", who)).await.data();
        let hits = hits.as_array().unwrap().iter().map(|hit| hit["conversation"].to_string());
        hits.collect::<BTreeSet<String>>().len()
    };
    assert_eq!((found("ana").await, found("sue").await), (1, 2));
    let people = office.ask(get("/api/v1/people?q=joao", "sue")).await.data();
    assert_eq!(people[0]["id"], "widget:joao");
}

#[tokio::test]
async fn whoever_is_invited_sees_it() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    office.accept(network, "ana").await;
    let path = format!("/api/v1/conversations/{network}");
    office.ask(get(&path, "cem")).await.must_be(404);
    office.act(network, "invite", "ana", &json!({"to": "@cem"})).await.must_be(200);
    office.ask(get(&path, "cem")).await.must_be(200);
    office
        .ask(post(&format!("{path}/messages"), "cem", &json!({"text": "I know this one"})))
        .await
        .must_be(201);
    office.act(network, "leave", "cem", &json!({})).await.must_be(200);
    office.ask(get(&path, "cem")).await.must_be(404);
}

#[tokio::test]
async fn s73_no_token_is_more_than_its_owner() {
    let office = Office::open().await;
    office.two().await;
    office.give("climber", &[ORDINARY, &["admin"]].concat(), Some("ana")).await;
    office.give("only-admin", &["admin"], Some("bob")).await;
    office.give("chief", &["admin"], Some("root")).await;
    for path in ["quarantine", "audit"] {
        let path = format!("/api/v1/{path}");
        for who in ["ana", "sue", "climber", "only-admin"] {
            assert_eq!(office.ask(get(&path, who)).await.must_be(403).code(), "scope", "{who}");
        }
        for who in ["program", "chief"] {
            office.ask(get(&path, who)).await.must_be(200);
        }
    }
    office.ask(get("/api/v1/conversations", "only-admin")).await.must_be(403);
    // An admin's scope in a technician's hands shows no other queue.
    let seen = office.ask(get("/api/v1/conversations", "climber")).await.must_be(200).data();
    assert_eq!(seen.as_array().unwrap().len(), 1);
}

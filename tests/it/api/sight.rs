//! Nobody reaches what is not theirs: generated from the table of routes, so that none is missed (S66, S70, T58).
//!
//! Not here: what may be done with what one sees.

use std::collections::BTreeSet;

use deskbridge::http::api::routes::{Method, Route, TABLE};
use deskbridge::http::limits::Limits;
use serde_json::{Value, json};

use super::answers::{Said, sample};
use super::office::{Answer, ORDINARY, Office, get, post, request};

/// Everything that belongs to `sap`, by the name of its place in a path.
struct Foreign {
    conversation: String,
    ticket: String,
    blob: String,
    said: Said,
}

impl Foreign {
    fn in_path(&self, route: &Route) -> Option<String> {
        let path = route.path.replace("{message}", self.said.of(route));
        let path = path.replace("{conversation}", &self.conversation).replace("{ticket}", &self.ticket);
        let path =
            path.replace("{blob}", &self.blob).replace("{technician}", "cem").replace("{verb}", "note");
        (path != route.path).then_some(path)
    }
}

fn unknown(route: &Route) -> String {
    let path = route
        .path
        .replace("{conversation}", "999999")
        .replace("{message}", "999999.1.0")
        .replace("{ticket}", "T-999999")
        .replace("{verb}", "note");
    path.replace("{blob}", "00000000000000000000000000000000").replace("{technician}", "nobody")
}

async fn reach(office: &Office, route: &Route, path: &str, who: &str) -> Answer {
    let mut body = sample(route);
    if route.path.ends_with("{verb}") {
        body = json!({"message": "canary-sample"});
    }
    let body = if route.method == Method::Get { String::new() } else { body.to_string() };
    let path = if route.upload { format!("{path}?name=a.txt") } else { path.to_owned() };
    office.ask(request(route.method.name(), &format!("/api/v1{path}"), who, body.into())).await
}

/// All of a refusal but its number.
fn told(answer: &Answer) -> (u16, Value) {
    let mut body = answer.json();
    body["request_id"] = Value::Null;
    (answer.status.as_u16(), body)
}

async fn sap(office: &Office) -> Foreign {
    let (_, sap) = office.two().await;
    let ticket = office
        .until(async || {
            let tickets = office.ask(get("/api/v1/tickets", "cem")).await.data();
            tickets[0]["number"].as_str().map(str::to_owned)
        })
        .await;
    let blob = office.blob(sap, "canary-sap.txt", b"canary-sap").await;
    let said = Said::by(office, sap, "cem").await;
    Foreign { conversation: sap.to_string(), ticket, blob, said }
}

#[tokio::test]
async fn s66_every_route_with_every_foreign_id() {
    let office = Office::open_with("", Limits { failures: 10_000, ..Limits::default() }).await;
    let foreign = sap(&office).await;
    // Somebody who was deleted from the configuration, with everything a token can have.
    office.give("ghost", &[ORDINARY, &["admin"]].concat(), Some("ghost")).await;
    let mut tried = 0;
    let id: i64 = foreign.conversation.parse().unwrap();
    let deliveries = office.conversation(id).await.sessions.len();
    for route in TABLE {
        let Some(path) = foreign.in_path(route) else { continue };
        let refused = reach(&office, route, &path, "ana").await;
        let missing = reach(&office, route, &unknown(route), "ana").await;
        if route.scope.is_some_and(|scope| scope.name() == "admin") {
            // What only admins may, others may with no id at all.
            assert_eq!(told(&refused), told(&missing), "{} {path}", route.method.name());
            assert_eq!(refused.status.as_u16(), 403, "{} {path}", route.method.name());
            assert_eq!(reach(&office, route, &path, "ghost").await.status.as_u16(), 401);
            continue;
        }
        tried += 1;
        assert_eq!(told(&refused), told(&missing), "{} {path}", route.method.name());
        assert_eq!(refused.status.as_u16(), 404, "{} {path}", route.method.name());
        assert_eq!(reach(&office, route, &path, "ghost").await.status.as_u16(), 401);
        assert_eq!(reach(&office, route, &path, "").await.status.as_u16(), 401);
        // And whose it is reaches it: the test would not notice a wrong path otherwise.
        let own = reach(&office, route, &path, "cem").await;
        let no_model = own.code() == "no-model";
        assert!(own.status.is_success() || no_model, "{} {path}: {}", route.method.name(), own.status);
    }
    assert!(tried >= 14, "{tried}");
    assert_eq!(office.conversation(id).await.sessions.len(), deliveries);
    let audited = office
        .until(async || {
            let rows = office.bridge().read.audit(1_000).await.expect("read");
            let refused = rows
                .iter()
                .filter(|row| row.act.starts_with("refused: ") && row.by.as_deref() == Some("ana"));
            let count = refused.count();
            (count >= tried).then_some(count)
        })
        .await;
    assert_eq!(audited, tried, "one row for each, and not one for each attempt");
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

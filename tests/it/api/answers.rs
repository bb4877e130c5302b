//! Every route answers as it is described, and the description is the committed one.
//!
//! Not here: refusals.

use std::collections::BTreeMap;

use deskbridge::http::api::routes::{Field, Method, Route, TABLE};
use deskbridge::http::openapi;
use serde_json::{Value, json};

use super::office::{Office, get, post, request};
use super::schema::faults;

/// What stands in the braces of paths, by their names.
pub type Ids<'a> = BTreeMap<&'static str, &'a str>;

/// A route's path with something in every place; `None` where it has none. A place that no test knows is a route that no test
/// tries, so it fails.
pub fn filled(route: &Route, ids: &Ids) -> Option<String> {
    let mut named = false;
    let parts = route.path.split('/').map(|part| {
        let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else { return part };
        named = true;
        ids.get(name).unwrap_or_else(|| panic!("{}: what is {{{name}}}?", route.path))
    });
    let path = parts.collect::<Vec<&str>>().join("/");
    assert!(!path.contains(['{', '}']), "{path}");
    named.then_some(path)
}

fn asked(route: &Route, ids: &Ids) -> String {
    let path = filled(route, ids).unwrap_or_else(|| route.path.to_owned());
    let query = match route.query.first().map(|param| param.name) {
        Some("q") => "?q=vpn",
        Some("name") => "?name=a.txt",
        _ => "",
    };
    format!("/api/v1{path}{query}")
}

/// Messages of one conversation that one person can do something with.
pub struct Said {
    own: String,
    draft: String,
}

impl Said {
    /// Writes one, and has one suggested.
    pub async fn by(office: &Office, conversation: i64, who: &str) -> Said {
        let path = format!("/api/v1/conversations/{conversation}");
        let note = office.ask(post(&format!("{path}/notes"), who, &json!({"text": "canary-own"}))).await;
        let own = note.must_be(201).data()["message"]["id"].as_str().expect("an id").to_owned();
        office.ask(post(&format!("{path}/suggestions"), who, &json!({}))).await.must_be(202);
        let draft = office
            .until(async || {
                let all = office.ask(get(&format!("{path}/messages?limit=200"), who)).await.data();
                let draft = all.as_array()?.iter().find(|one| one["audience"] == "private")?;
                draft["id"].as_str().map(str::to_owned)
            })
            .await;
        Said { own, draft }
    }

    pub fn of(&self, route: &Route) -> &str {
        if route.path.contains("/suggestions/") { &self.draft } else { &self.own }
    }
}

/// A body with every required field.
pub fn sample(route: &Route) -> Value {
    let mut body = json!({});
    let wanted = |field: &&Field| field.required || field.name == "text";
    for field in route.fields.unwrap_or_default().iter().filter(wanted) {
        body[field.name] = match field.name {
            "presence" => "busy".into(),
            "doing" => "viewing".into(),
            "how" => "shorten".into(),
            "helpful" => true.into(),
            "scopes" => json!(["chats:read"]),
            "disabled" => true.into(),
            _ => "canary-sample".into(),
        };
    }
    body
}

fn schema_of<'d>(document: &'d Value, route: &Route) -> Option<&'d Value> {
    let operation = &document["paths"][format!("/api/v1{}", route.path)][route.method.name().to_lowercase()];
    let content = &operation["responses"][route.status.to_string()]["content"]["application/json"];
    content.get("schema")
}

#[tokio::test]
async fn every_answer_is_as_described() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    office.accept(network, "ana").await;
    office.act(network, "suggest", "ana", &json!({})).await.must_be(200);
    let said = Said::by(&office, network, "ana").await;
    let blob = office.blob(network, "log.txt", b"hello").await;
    let ticket = office
        .until(async || {
            office.ask(get("/api/v1/tickets", "ana")).await.data()[0]["number"].as_str().map(str::to_owned)
        })
        .await;
    let document = openapi::document();
    let id = network.to_string();
    // What is written first is there to be read.
    for method in [Method::Post, Method::Put, Method::Get] {
        for route in TABLE.iter().filter(|route| route.method == method) {
            let who =
                if route.scope.is_some_and(|scope| scope.name() == "admin") { "program" } else { "ana" };
            // There is no model here; what one says is in `workplace`.
            let no_model = route.path.ends_with("/rewrite");
            if route.path == "/events" || no_model || super::console::is_shown_there(route) {
                continue;
            }
            let ids = Ids::from([
                ("conversation", id.as_str()),
                ("message", said.of(route)),
                ("blob", &blob),
                ("ticket", &ticket),
                ("technician", "ana"),
                ("verb", "info"),
            ]);
            let path = asked(route, &ids);
            let body = if method == Method::Get { String::new() } else { sample(route).to_string() };
            let answer =
                office.ask(request(method.name(), &path, who, body.into())).await.must_be(route.status);
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            if let Some(schema) = schema_of(&document, route) {
                let found = faults(&answer.json(), schema, &document);
                assert!(found.is_empty(), "{path}: {found:#?}");
            }
        }
    }
}

#[tokio::test]
async fn the_committed_description_is_current() {
    let office = Office::open().await;
    let committed = include_str!("../../../docs/openapi.json");
    assert_eq!(committed, openapi::text(), "cargo xtask generated --write");
    let served = office.ask(get("/openapi.json", "nobody")).await.must_be(200);
    assert_eq!(served.bytes, committed.as_bytes());
    let page = office.ask(get("/docs", "nobody")).await.must_be(200);
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
}

#[tokio::test]
async fn lists_come_in_pages() {
    let office = Office::open().await;
    for n in 0..7 {
        office.opened("telegram", &format!("p{n}"), "the vpn is down").await;
        office.opened("widget", &format!("q{n}"), "the vpn is down").await;
    }
    // Summaries are found as well; they come a moment later.
    office
        .until(async || {
            let found = office.ask(get("/api/v1/search?q=vpn&limit=200", "program")).await.data();
            (found.as_array().unwrap().len() == 28).then_some(())
        })
        .await;
    for (path, name) in [("/api/v1/conversations", "id"), ("/api/v1/search?q=vpn", "message")] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let page = office.ask(get(&format!("{path}{joint}limit=3{cursor}"), "ana")).await.must_be(200);
            seen.extend(page.data().as_array().unwrap().iter().map(|one| one[name].to_string()));
            let Some(next) = page.json()["next_cursor"].as_str().map(str::to_owned) else { break };
            cursor = format!("&cursor={next}");
        }
        let joint = if path.contains('?') { '&' } else { '?' };
        let all = office.ask(get(&format!("{path}{joint}limit=200"), "ana")).await.must_be(200);
        let all: Vec<String> =
            all.data().as_array().unwrap().iter().map(|one| one[name].to_string()).collect();
        assert!(all.len() >= 7);
        assert_eq!(seen, all, "{path}: in the same order, none twice, none left out");
    }
    for wrong in
        ["limit=0", "limit=201", "limit=x", "cursor=zz", "stage=waiting", "nonsense=1", "limit=1&limit=2"]
    {
        let refused = office.ask(get(&format!("/api/v1/conversations?{wrong}"), "ana")).await.must_be(400);
        assert!(!refused.json()["detail"].as_str().unwrap().contains("nonsense"));
    }
}

#[tokio::test]
async fn filters_and_states() {
    let office = Office::open().await;
    let (network, sap) = office.two().await;
    let count = async |query: &str| {
        let answer = office.ask(get(&format!("/api/v1/conversations?{query}"), "sue")).await.must_be(200);
        answer.data().as_array().unwrap().len()
    };
    assert_eq!(count("stage=handover").await, 2);
    office.accept(network, "ana").await;
    assert_eq!((count("stage=handover").await, count("stage=assigned&assignee=ana").await), (1, 1));
    assert_eq!((count("queue=sap").await, count("requester=widget:joao").await), (1, 1));
    let one = office.ask(get(&format!("/api/v1/conversations/{network}"), "ana")).await.must_be(200);
    let data = one.data();
    assert_eq!((data["state"].as_str(), data["status"].as_str()), (Some("assigned"), Some("Ana has it")));
    assert_eq!(one.header("etag"), format!("\"{}\"", data["seq"]));
    let buttons: Vec<&str> =
        data["actions"].as_array().unwrap().iter().filter_map(|a| a["id"].as_str()).collect();
    assert!(buttons.contains(&"resolve"), "{buttons:?}");
    // A colleague who does not have it may press less.
    let others = office.ask(get(&format!("/api/v1/conversations/{network}"), "bob")).await.data();
    assert!(!others["actions"].as_array().unwrap().iter().any(|action| action["id"] == "resolve"));
    let waiting = office.ask(get(&format!("/api/v1/conversations/{sap}"), "sue")).await.data();
    assert_eq!(waiting["state"], "waiting");
    // The queue's longest wait, counted from the handover.
    let at = |name: &str| waiting[name].as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time");
    assert_eq!(at("answer_by").as_second() - at("waiting_since").as_second(), 600);
    assert!(data["answer_by"].is_null() && data["waiting_since"].is_null(), "nobody waits");
}

#[tokio::test]
async fn articles_are_found() {
    let office = Office::open().await;
    let found = office.ask(get("/api/v1/kb/search?q=printer%20paper%20jam", "ana")).await.must_be(200).data();
    assert!(found[0]["title"].as_str().unwrap().to_lowercase().contains("jam"), "{found}");
    office.ask(get("/api/v1/kb/search", "ana")).await.must_be(400);
}

#[tokio::test]
async fn presence_is_ones_own() {
    let office = Office::open().await;
    let set = async |who: &str, whom: &str| {
        let path = format!("/api/v1/technicians/{whom}/presence");
        office.ask(super::office::put(&path, who, &json!({"presence": "available"}))).await
    };
    assert_eq!(set("ana", "ana").await.must_be(200).data()["presence"], "available");
    assert_eq!(set("ana", "bob").await.must_be(403).code(), "not-permitted");
    assert_eq!(set("ana", "cem").await.must_be(404).code(), "not-found");
    set("sue", "cem").await.must_be(200);
    set("program", "bob").await.must_be(200);
    office.give("weak", &["presence:write"], None).await;
    set("weak", "bob").await.must_be(403);
    let team = office.ask(get("/api/v1/technicians", "ana")).await.must_be(200).data();
    let names: Vec<&str> = team.as_array().unwrap().iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(names, ["ana", "bob"]);
}

#[tokio::test]
async fn a_talk_from_first_word_to_last() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    let path = format!("/api/v1/conversations/{network}/messages");
    let made = office.ask(post(&path, "ana", &json!({"text": "On my way"}))).await.must_be(201).data();
    assert_eq!(
        (made["conversation"]["assignee"].as_str(), made["message"]["audience"].as_str()),
        (Some("ana"), Some("public"))
    );
    let world = office.town.world("telegram");
    let direct = world.direct("maria");
    office
        .until(async || {
            world.messages(&direct).iter().any(|m| m.content.text.contains("On my way")).then_some(())
        })
        .await;
    let deliveries = office
        .until(async || {
            let listed = office.ask(get(&path, "ana")).await.must_be(200).data();
            let message = listed
                .as_array()
                .unwrap()
                .iter()
                .find(|m| m["id"] == made["message"]["id"])
                .cloned()
                .unwrap();
            (message["deliveries"][0]["state"] != "queued").then_some(message["deliveries"].clone())
        })
        .await;
    assert_eq!(deliveries[0]["channel"], "telegram");
    let reply = json!({"text": "Better?", "reply_to": made["message"]["id"]});
    let second = office.ask(post(&path, "ana", &reply)).await.must_be(201).data();
    assert_eq!(second["message"]["reply_to"], made["message"]["id"]);
    office.act(network, "resolve", "ana", &json!({"silently": true})).await.must_be(200);
    let closed = office.ask(post(&path, "ana", &json!({"text": "One more thing"}))).await.must_be(409);
    assert_eq!(closed.code(), "closed");
    let timeline =
        office.ask(get(&format!("/api/v1/conversations/{network}/timeline?limit=200"), "ana")).await.data();
    let kinds: Vec<&str> =
        timeline.as_array().unwrap().iter().filter_map(|one| one["kind"].as_str()).collect();
    assert!(
        kinds.contains(&"requester.posted") && kinds.contains(&"desk.posted") && kinds.contains(&"desk.verb"),
        "{kinds:?}"
    );
    assert!(!timeline.to_string().contains("On my way") && !timeline.to_string().contains("remote"));
}

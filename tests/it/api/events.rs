//! The event stream: live, scoped, replayed, and over when the right to it is.
//!
//! Not here: what changes.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use deskbridge::http::limits::Limits;
use deskbridge::http::openapi;
use deskbridge_store::Admin;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::office::{Office, get, post, put, with};
use super::schema::faults;

pub struct Stream {
    body: BodyDataStream,
    text: String,
}

#[derive(Debug, PartialEq)]
pub struct Event {
    pub id: String,
    pub name: String,
    pub data: Value,
}

impl Stream {
    pub async fn open(office: &Office, request: Request<Body>) -> Stream {
        let response = office.router.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Stream { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// `None`: the stream is over.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_owned();
                let field = |name: &str| {
                    let line = block.lines().find_map(|line| line.strip_prefix(name));
                    line.map(|value| value.trim_start_matches(':').trim().to_owned()).unwrap_or_default()
                };
                if !field("event").is_empty() {
                    let data = serde_json::from_str(&field("data")).expect("JSON");
                    return Some(Event { id: field("id"), name: field("event"), data });
                }
            }
            let piece = timeout(Duration::from_secs(30), self.body.next()).await.expect("in time")?;
            self.text.push_str(std::str::from_utf8(&piece.expect("a piece")).expect("text"));
        }
    }

    /// The next event of this conversation with this name.
    pub async fn wait_for(&mut self, name: &str, conversation: i64) -> Event {
        loop {
            let event = self.next().await.expect("goes on");
            if event.name == name && event.data["conversation"] == conversation {
                return event;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn changes_come_as_they_happen_and_only_ones_own() {
    let office = Office::open().await;
    let mut ana = Stream::open(&office, get("/api/v1/events", "ana")).await;
    let mut sue = Stream::open(&office, get("/api/v1/events", "sue")).await;
    let (network, sap) = office.two().await;
    let created = ana.wait_for("conversation.created", network).await;
    assert_eq!(
        (created.data["stage"].as_str(), created.data["queue"].as_str()),
        (Some("handover"), Some("network"))
    );
    assert!(created.id.starts_with(&format!("{network}.")));
    sue.wait_for("conversation.created", sap).await;
    office.accept(network, "ana").await;
    let accepted = ana.wait_for("conversation.status_changed", network).await;
    assert_eq!(
        (accepted.data["before"].as_str(), accepted.data["stage"].as_str()),
        (Some("handover"), Some("assigned"))
    );
    // It goes to the others: one last word, without anything about it.
    office.act(network, "transfer", "ana", &json!({"to": "#sap"})).await.must_be(200);
    let gone = ana.wait_for("conversation.hidden", network).await;
    assert_eq!(gone.data, json!({"conversation": network}));
    office.act(network, "accept", "cem", &json!({})).await.must_be(200);
    let last = office.opened("telegram", "eva", "me too").await;
    loop {
        let event = ana.next().await.expect("goes on");
        assert_ne!(event.data["conversation"], sap);
        assert_ne!(event.data["conversation"], network, "{event:?}");
        if event.data["conversation"] == last {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_break_is_made_up_for() {
    let office = Office::open().await;
    let mut first = Stream::open(&office, get("/api/v1/events", "ana")).await;
    let (network, _) = office.two().await;
    let seen = first.wait_for("conversation.created", network).await;
    drop(first);
    let missed = office.opened("telegram", "eva", "the printer too").await;
    let again = with(get("/api/v1/events", "ana"), "last-event-id", &seen.id);
    let mut second = Stream::open(&office, again).await;
    second.wait_for("conversation.created", missed).await;
    // Too long ago, or of another process.
    let mut third = Stream::open(&office, with(get("/api/v1/events", "ana"), "last-event-id", "7.7")).await;
    assert_eq!(third.next().await.unwrap().name, "resync");
}

#[tokio::test(start_paused = true)]
async fn s63_a_revoked_token_hears_nothing_more() {
    let office = Office::open().await;
    let mut stream = Stream::open(&office, get("/api/v1/events", "ana")).await;
    let (network, _) = office.two().await;
    stream.wait_for("conversation.created", network).await;
    office.bridge().writer.admin(Admin::RevokeToken { id: "t-ana".into() }).await.expect("stored");
    let began = tokio::time::Instant::now();
    while stream.next().await.is_some() {}
    assert!(began.elapsed() <= Duration::from_millis(2_100), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn streams_end_with_the_program_and_are_not_endless_in_number() {
    let office = Office::open_with("", Limits { streams_each: 2, ..Limits::default() }).await;
    let mut one = Stream::open(&office, get("/api/v1/events", "ana")).await;
    let two = Stream::open(&office, get("/api/v1/events", "ana")).await;
    assert_eq!(office.ask(get("/api/v1/events", "ana")).await.must_be(429).code(), "too-many-streams");
    drop(two);
    let mut three = Stream::open(&office, get("/api/v1/events", "ana")).await;
    office.bridge().stop.cancel();
    while one.next().await.is_some() {}
    while three.next().await.is_some() {}
}

/// schemathesis cannot ask for a stream (it has no end); so everything that it can say is heard here, and held against the
/// description. Refusals are problems, as everywhere.
#[tokio::test(start_paused = true)]
async fn every_event_is_as_described() {
    let office = Office::open_with("", Limits { streams_each: 1, ..Limits::default() }).await;
    let document = openapi::document();
    let content =
        &document["paths"]["/api/v1/events"]["get"]["responses"]["200"]["content"]["text/event-stream"];
    let described = content["x-events"].as_object().expect("events are described");
    assert_eq!(described.len(), openapi::stream::EVENTS.len());
    let mut heard = std::collections::BTreeSet::new();
    let mut hear = |event: &Event| {
        let data = &described.get(&event.name).unwrap_or_else(|| panic!("undescribed: {event:?}"))["data"];
        let found = faults(&event.data, data, &document);
        assert!(found.is_empty(), "{event:?}: {found:#?}");
        heard.insert(event.name.clone());
    };
    let mut ana = Stream::open(&office, get("/api/v1/events", "ana")).await;
    let problem = &document["paths"]["/api/v1/events"]["get"]["responses"]["default"]["content"]["application/problem+json"]
        ["schema"];
    for (request, status) in [
        (get("/api/v1/events", "nobody"), 401),
        (get("/api/v1/events", "ana"), 429),
        (get("/api/v1/events?odd=1", "bob"), 400),
    ] {
        let refused = office.ask(request).await.must_be(status);
        assert_eq!(refused.header("content-type"), "application/problem+json");
        assert_eq!(faults(&refused.json(), problem, &document), Vec::<String>::new());
    }
    let (network, _) = office.two().await;
    office.accept(network, "ana").await;
    let world = office.town.world("telegram");
    world.type_something("maria", &world.direct("maria")).await.expect("taken");
    let looks = format!("/api/v1/conversations/{network}/attention");
    office.ask(post(&looks, "bob", &json!({"doing": "replying"}))).await.must_be(200);
    office
        .ask(put("/api/v1/technicians/bob/presence", "bob", &json!({"presence": "available"})))
        .await
        .must_be(200);
    office.act(network, "label", "ana", &json!({"labels": "vpn"})).await.must_be(200);
    office.act(network, "transfer", "ana", &json!({"to": "#sap"})).await.must_be(200);
    office.act(network, "accept", "cem", &json!({})).await.must_be(200);
    loop {
        let event = ana.next().await.expect("goes on");
        hear(&event);
        if event.name == "conversation.hidden" {
            break;
        }
    }
    drop(ana);
    let mut again = Stream::open(&office, with(get("/api/v1/events", "ana"), "last-event-id", "7.7")).await;
    hear(&again.next().await.expect("a first word"));
    let missing: Vec<&String> = described.keys().filter(|name| !heard.contains(*name)).collect();
    assert!(missing.is_empty(), "never heard: {missing:?}");
}

//! S66: what a visitor of the widget holds opens the widget and nothing else: every route of the API, with the token of a
//! session that lives, in every place where a token could stand, and the ids of the visitor's own conversation.
//!
//! Not here: the widget's own routes (`widget_suite`), technicians and their queues (`api/sight`).

use deskbridge::http::api::routes::{Method, TABLE};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;

use super::bridge::{Base, PATIENCE, Way, client};
use super::talk::{Talk, UNPACED};
use super::widget::visitor::{ORIGIN, Visitor};
use crate::api::answers::{Ids, filled, sample};

/// Ids of what the visitor made, as technicians see them.
struct Own {
    conversation: String,
    message: String,
    requester: String,
    ticket: String,
}

async fn own(talk: &Talk, token: &str) -> Own {
    let look = async || {
        let all = talk.bridge.api("/conversations", token).await;
        let one = all["data"][0].clone();
        let ticket = one["ticket"]["number"].as_str()?.to_owned();
        let conversation = one["id"].as_i64()?.to_string();
        let said = talk.bridge.api(&format!("/conversations/{conversation}/messages"), token).await;
        Some(Own {
            message: said["data"][0]["id"].as_str()?.to_owned(),
            requester: one["requester"]["id"].as_str()?.to_owned(),
            conversation,
            ticket,
        })
    };
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(own) = look().await {
                return own;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    waited.await.expect("a conversation with a ticket")
}

#[tokio::test]
async fn s66_a_visitors_token_opens_no_route() {
    let Some(mut talk) = Talk::set_up(Way::Polling, Base::Sqlite).await else { return };
    talk.bridge.configure(|text| {
        // Each attempt comes from somewhere else: how often one may fail is another test's matter.
        let text = text.replacen("[server]", "[server]\ntrusted_proxies = [\"127.0.0.1\"]", 1);
        format!("{text}\n[channels.widget]\nadapter = \"widget\"\norigins = [\"{ORIGIN}\"]\n")
    });
    let token = talk.bridge.token().await;
    talk.bridge.start_as(&UNPACED).await;
    let mut visitor = Visitor::arrive(talk.bridge.port).await;
    visitor.say("I want to talk to a human").await;
    let own = own(&talk, &token).await;
    let http = client();
    let mut tried = 0;
    let mut ask = async |route: &deskbridge::http::api::routes::Route,
                         path: &str,
                         hold: &dyn Fn(RequestBuilder) -> RequestBuilder| {
        tried += 1;
        let from = format!("198.51.{}.{}", tried / 250, tried % 250 + 1);
        let method = route.method.name().parse().expect("a method");
        let body = if route.method == Method::Get { Value::Null } else { sample(route) };
        let request = http.request(method, talk.bridge.url(&format!("/api/v1{path}")));
        let request = request.header("x-forwarded-for", from).header("content-type", "application/json");
        let request = if body.is_null() { request } else { request.body(body.to_string()) };
        let answer = hold(request).send().await.expect("answered");
        let status = answer.status();
        let said = answer.text().await.expect("read");
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{} {path}: {said}", route.method.name());
        assert!(!said.contains("talk to a human"), "{said}");
    };
    let held = visitor.token();
    for route in TABLE.iter().filter(|route| !route.open) {
        let ids = Ids::from([
            ("conversation", own.conversation.as_str()),
            ("message", &own.message),
            ("requester", &own.requester),
            ("ticket", &own.ticket),
            ("technician", "bob"),
            ("blob", "00000000000000000000000000000000"),
            ("canned", "00000000000000000000000000000000"),
            ("token", "00000000"),
            ("verb", "info"),
        ]);
        let path = filled(route, &ids).unwrap_or_else(|| route.path.to_owned());
        ask(route, &path, &|request| request.bearer_auth(held)).await;
        ask(route, &path, &|request| request.header("cookie", format!("__Host-deskbridge={held}"))).await;
        ask(route, &path, &|request| request.query(&[("token", held), ("access_token", held)])).await;
    }
    assert!(tried > 100, "{tried}");
    // It is still good for what it is for.
    visitor.say("and I am still here").await;
}

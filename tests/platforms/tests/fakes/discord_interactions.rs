//! The fake Discord's commands, buttons, modals and webhooks; interactions by both ways.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use deskbridge_platforms::Outage;
use deskbridge_platforms::discord::{Author, Snowflake, State, Tamper};
use deskbridge_platforms::http::{self, Hangup, Server};
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::{Value, json};

use crate::discord_app::{Link, PATIENCE, Scene, call, get, message, messages, ok, refused};

async fn commands(scene: &Scene) {
    let path = format!("applications/{}/commands", scene.app.id);
    let detail = json!({ "type": 3, "name": "detail", "description": "More", "autocomplete": true });
    let verb = json!({ "type": 1, "name": "note", "description": "A note", "options": [detail] });
    let body = json!([
        { "name": "ask", "description": "Ask for help" },
        { "name": "desk", "description": "Verbs", "options": [verb] },
        { "name": "Take over", "type": 3 },
    ]);
    ok(&scene.app, "PUT", &path, body).await;
}

fn callback(event: &Value) -> String {
    let text = |name: &str| event[name].as_str().expect("text").to_owned();
    format!("interactions/{}/{}/callback", text("id"), text("token"))
}

fn follow_up(scene: &Scene, event: &Value) -> String {
    format!("webhooks/{}/{}", scene.app.id, event["token"].as_str().expect("a token"))
}

#[tokio::test]
async fn a_command_opens_a_modal_and_its_answer_is_seen_by_one() {
    let scene = Scene::usual().await;
    commands(&scene).await;
    let mut link = Link::identified(&scene.app, 1).await;
    let asked = scene.fake.command(scene.ana, &scene.app, scene.help, "ask", &[]);
    let event = link.event("INTERACTION_CREATE").await;
    assert_eq!((&event["type"], &event["data"]["name"]), (&json!(2), &json!("ask")));
    assert_eq!(event["member"]["user"]["id"], scene.ana);
    let input = json!({ "type": 4, "custom_id": "what", "label": "What?", "style": 2 });
    let modal = json!({
        "type": 9,
        "data": { "custom_id": "m", "title": "Ask", "components": [{ "type": 1, "components": [input] }] },
    });
    ok(&scene.app, "POST", &callback(&event), modal.clone()).await;
    assert_eq!(refused(&scene.app, "POST", &callback(&event), modal).await, (400, 40_060));
    scene.fake.submit(asked, &[("what", "my printer")]);
    let event = link.event("INTERACTION_CREATE").await;
    assert_eq!(event["data"]["components"][0]["components"][0]["value"], "my printer");
    let answer = json!({ "type": 4, "data": { "content": "got it", "flags": 64 } });
    let answered = ok(&scene.app, "POST", &format!("{}?with_response=true", callback(&event)), answer).await;
    assert_eq!(answered["interaction"]["response_message_ephemeral"], true);
    assert_eq!(scene.fake.whispers(scene.help, scene.ana)[0].content, "got it");
    assert!(scene.fake.transcript(scene.help).is_empty());
    let original = format!("{}/messages/@original", follow_up(&scene, &event));
    ok(&scene.app, "PATCH", &original, json!({ "content": "got it, #1" })).await;
    assert_eq!(get(&scene.app, &original).await["content"], "got it, #1");
    assert_eq!(scene.fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_deferred_answer_takes_the_place_of_thinking() {
    let scene = Scene::usual().await;
    commands(&scene).await;
    let mut link = Link::identified(&scene.app, 1).await;
    let id = scene.fake.command(scene.bob, &scene.app, scene.help, "ask", &[]);
    let event = link.event("INTERACTION_CREATE").await;
    let follow = follow_up(&scene, &event);
    assert_eq!(refused(&scene.app, "POST", &follow, json!({ "content": "x" })).await, (404, 10_015));
    ok(&scene.app, "POST", &callback(&event), json!({ "type": 5 })).await;
    assert_eq!(scene.fake.interaction(id).state, State::Deferred);
    ok(&scene.app, "POST", &follow, json!({ "content": "here" })).await;
    ok(&scene.app, "POST", &follow, json!({ "content": "and more" })).await;
    assert_eq!(scene.fake.transcript(scene.help), ["IT Desk: here", "IT Desk: and more"]);
    scene.fake.settings(|settings| settings.interaction_life = Duration::ZERO);
    assert_eq!(refused(&scene.app, "POST", &follow, json!({ "content": "x" })).await, (401, 50_027));
    scene.fake.settings(|settings| settings.interaction_deadline = Duration::ZERO);
    scene.fake.command(scene.bob, &scene.app, scene.help, "ask", &[]);
    let event = link.event("INTERACTION_CREATE").await;
    assert_eq!(refused(&scene.app, "POST", &callback(&event), json!({ "type": 5 })).await, (404, 10_062));
}

#[tokio::test]
async fn buttons_selects_and_completions_come_with_what_was_chosen() {
    let scene = Scene::usual().await;
    commands(&scene).await;
    let mut link = Link::identified(&scene.app, 1).await;
    let button = json!({ "type": 2, "style": 3, "label": "Accept", "custom_id": "accept:1" });
    let option = |value: &str| json!({ "label": value, "value": value });
    let select = json!({ "type": 3, "custom_id": "who", "options": [option("bob"), option("cem")] });
    let rows = json!([{ "type": 1, "components": [button] }, { "type": 1, "components": [select] }]);
    let sent =
        ok(&scene.app, "POST", &messages(scene.help), json!({ "content": "card", "components": rows })).await;
    let card = Snowflake::of(&sent["id"]).expect("an id");
    scene.fake.press(scene.bob, scene.help, card, "Accept");
    let event = link.event("INTERACTION_CREATE").await;
    assert_eq!((&event["data"]["custom_id"], &event["message"]["id"]), (&json!("accept:1"), &json!(card)));
    let update = json!({ "type": 7, "data": { "content": "taken", "components": [] } });
    ok(&scene.app, "POST", &callback(&event), update).await;
    assert_eq!(scene.fake.transcript(scene.help), ["IT Desk: taken"]);
    ok(&scene.app, "PATCH", &message(scene.help, card), json!({ "components": rows })).await;
    scene.fake.select(scene.bob, scene.help, card, "who", &["cem"]);
    let event = link.event("INTERACTION_CREATE").await;
    assert_eq!(event["data"]["values"], json!(["cem"]));
    ok(&scene.app, "POST", &callback(&event), json!({ "type": 6 })).await;
    let typed =
        scene.fake.complete(scene.bob, &scene.app, scene.help, "desk note", &[("detail", json!("pr"))]);
    let event = link.event("INTERACTION_CREATE").await;
    assert_eq!(event["data"]["options"][0]["options"][0]["focused"], true);
    assert_eq!(refused(&scene.app, "POST", &callback(&event), json!({ "type": 5 })).await, (400, 50_035));
    let choices = json!({ "type": 8, "data": { "choices": [{ "name": "printer", "value": "printer" }] } });
    ok(&scene.app, "POST", &callback(&event), choices).await;
    assert_eq!(scene.fake.interaction(typed).choices.expect("choices")[0]["name"], "printer");
    scene.fake.command_on(scene.bob, &scene.app, scene.help, "Take over", card);
    let event = link.event("INTERACTION_CREATE").await;
    assert_eq!(event["data"]["resolved"]["messages"][card.to_string()]["content"], "taken");
    assert_eq!(scene.fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn commands_that_break_the_rules_are_refused() {
    let scene = Scene::usual().await;
    let path = format!("applications/{}/guilds/{}/commands", scene.app.id, scene.acme.id);
    let option = |name: &str, required: bool| json!({ "type": 3, "name": name, "description": "d", "required": required });
    let cases = [
        json!([{ "name": "Ask", "description": "d" }]),
        json!([{ "name": "ask" }]),
        json!([{ "name": "ask", "description": "d" }, { "name": "ask", "description": "d" }]),
        json!([{ "name": "ask", "description": "d", "options": [option("a", false), option("b", true)] }]),
        json!([{ "name": "ask", "description": "x".repeat(101) }]),
        json!([{ "name": "menu", "type": 3, "description": "d" }]),
    ];
    for body in cases {
        assert_eq!(refused(&scene.app, "PUT", &path, body.clone()).await, (400, 50_035), "{body}");
    }
    let ask = json!([{ "name": "ask", "description": "d" }]);
    let first = ok(&scene.app, "PUT", &path, ask.clone()).await;
    let second = ok(&scene.app, "PUT", &path, ask).await;
    assert_eq!(first[0]["id"], second[0]["id"], "the same command keeps its id");
    let foreign = "applications/1/commands";
    assert_eq!(refused(&scene.app, "GET", foreign, Value::Null).await, (403, 20_012));
}

#[tokio::test]
async fn a_webhook_writes_under_any_name_into_any_thread_of_its_channel() {
    let scene = Scene::usual().await;
    let post = scene.open("one", "first").await;
    let made =
        ok(&scene.app, "POST", &format!("channels/{}/webhooks", scene.desk), json!({ "name": "Desk" })).await;
    let path = format!(
        "webhooks/{}/{}",
        made["id"].as_str().expect("an id"),
        made["token"].as_str().expect("a token")
    );
    let body = json!({ "content": "hello", "username": "Ana", "allowed_mentions": { "parse": [] } });
    let sent = ok(&scene.app, "POST", &format!("{path}?wait=true&thread_id={post}"), body.clone()).await;
    assert_eq!((&sent["author"]["username"], &sent["webhook_id"]), (&json!("Ana"), &made["id"]));
    assert_eq!(sent["application_id"], scene.app.id);
    let silent = call(&scene.app, "POST", &format!("{path}?thread_id={post}"), body.clone()).await;
    assert_eq!((silent.0, silent.2), (204, Value::Null));
    let one = format!("{path}/messages/{}?thread_id={post}", sent["id"].as_str().expect("an id"));
    ok(&scene.app, "PATCH", &one, json!({ "content": "changed" })).await;
    assert_eq!(get(&scene.app, &one).await["content"], "changed");
    assert_eq!(scene.fake.transcript(post), ["IT Desk: first", "Ana: changed", "Ana: hello"]);
    ok(&scene.app, "DELETE", &one, Value::Null).await;
    assert_eq!(refused(&scene.app, "POST", &path, body.clone()).await, (400, 220_001));
    let wrong = format!("{path}x?thread_id={post}");
    assert_eq!(refused(&scene.app, "POST", &wrong, body).await, (401, 50_027));
    let clyde = json!({ "content": "x", "username": "discord support" });
    let place = format!("{path}?thread_id={post}");
    assert_eq!(refused(&scene.app, "POST", &place, clyde).await, (400, 50_035));
    let listed = get(&scene.app, &format!("channels/{}/webhooks", scene.desk)).await;
    assert_eq!(listed[0]["token"], made["token"]);
    assert!(
        matches!(&scene.fake.messages_in(post)[1].author, Author::Webhook { app: Some(app), .. } if *app == scene.app.id)
    );
    ok(&scene.app, "DELETE", &path, Value::Null).await;
    assert_eq!(scene.fake.violations(), Vec::<String>::new());
    assert_eq!(refused(&scene.app, "GET", &path, Value::Null).await, (404, 10_015));
    assert!(scene.fake.violations().is_empty());
    assert_eq!(refused(&scene.app, "GET", &path, Value::Null).await, (404, 10_015));
    assert_eq!(scene.fake.violations().len(), 1, "who is told 404 does not ask again");
}

/// An endpoint that checks signatures, or believes everybody, and answers every interaction with a text.
struct Endpoint {
    server: Server,
    seen: Arc<Mutex<Vec<u64>>>,
}

impl Endpoint {
    async fn start(public_key: &str, careful: bool) -> Self {
        let key: [u8; 32] = hex::decode(public_key).expect("hex").try_into().expect("32 bytes");
        let key = VerifyingKey::from_bytes(&key).expect("a key");
        let seen: Arc<Mutex<Vec<u64>>> = Arc::default();
        let noted = seen.clone();
        let anywhere = ([127, 0, 0, 1], 0).into();
        let server = Server::start(anywhere, Outage::default(), move |request| {
            let noted = noted.clone();
            async move {
                let (parts, body) = request.into_parts();
                let Ok(body) = to_bytes(Body::new(body), 1 << 20).await else { return Err(Hangup) };
                let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
                let signature = header("x-signature-ed25519").and_then(|text| hex::decode(text).ok());
                let signature = signature.and_then(|bytes| Signature::from_slice(&bytes).ok());
                let signed = [header("x-signature-timestamp").unwrap_or_default().as_bytes(), &body].concat();
                let good = signature.is_some_and(|it| key.verify_strict(&signed, &it).is_ok());
                if careful && !good {
                    return Ok(http::text(401, "text/plain", "bad signature"));
                }
                let interaction: Value = serde_json::from_slice(&body).expect("JSON");
                let kind = interaction["type"].as_u64().expect("a type");
                noted.lock().expect("unpoisoned").push(kind);
                let answer = match kind {
                    1 => json!({ "type": 1 }),
                    _ => json!({ "type": 4, "data": { "content": "done", "flags": 64 } }),
                };
                Ok(http::json(200, &answer))
            }
        });
        Endpoint { server: server.await.expect("a port"), seen }
    }

    fn url(&self) -> String {
        format!("http://{}/hooks/discord", self.server.address())
    }
}

#[tokio::test]
async fn interactions_come_signed_to_an_endpoint_that_checks() {
    let scene = Scene::usual().await;
    commands(&scene).await;
    let endpoint = Endpoint::start(&scene.app.public_key, true).await;
    scene.app.enter_endpoint(&endpoint.url()).await.expect("a good endpoint");
    for tamper in Tamper::ALL {
        scene.app.ping(tamper).await.expect("401");
    }
    let id = scene.fake.command(scene.ana, &scene.app, scene.help, "ask", &[]);
    let answered =
        |world: &deskbridge_platforms::discord::World| world.interactions[&id].state == State::Answered;
    scene.fake.wait_until(PATIENCE, answered).await.expect("an answer");
    assert_eq!(scene.fake.whispers(scene.help, scene.ana)[0].content, "done");
    assert_eq!(*endpoint.seen.lock().expect("unpoisoned"), [1, 2]);
    assert_eq!(scene.fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn an_endpoint_that_believes_everybody_is_not_taken() {
    let scene = Scene::usual().await;
    let endpoint = Endpoint::start(&scene.app.public_key, false).await;
    let why = scene.app.enter_endpoint(&endpoint.url()).await.expect_err("it believes everybody");
    assert!(why.contains("instead of 401"), "{why}");
    let (url, notices) = scene.fake.read(|world| {
        let app = world.app(scene.app.id);
        (app.endpoint.clone(), app.notices.len())
    });
    assert_eq!((url, notices), (None, 1));
}

//! The fake Slack's Events sender, interactivity, commands and files.

use std::time::Duration;

use deskbridge_platforms::slack::{Post, Settings, signature};
use serde_json::{Value, json};

use crate::client::http;
use crate::slack_app::{PATIENCE, Reply, Scene, ask, encoded, ok, refused};

fn subtypes(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["subtype"].as_str().unwrap_or("-")).collect()
}

#[tokio::test]
async fn what_is_posted_to_an_app_is_signed() {
    let scene = Scene::hurried().await;
    scene.acme.dm(&scene.ana, &scene.app, "hi & bye");
    scene.quiet().await;
    let got = &scene.receiver.got()[0];
    let stamp = got.header("x-slack-request-timestamp").expect("a timestamp");
    let expected = signature(&scene.app.signing_secret, stamp, got.body.as_bytes());
    assert_eq!(got.header("x-slack-signature"), Some(expected.as_str()));
    assert_eq!(got.event()["text"], "hi &amp; bye");
    assert_eq!(got.event()["blocks"][0]["elements"][0]["elements"][0]["text"], "hi & bye");
    scene.receiver.plan([Reply::ok("nonsense")]);
    scene.app.verify_url();
    scene.quiet().await;
    assert!(!scene.app.verified());
    scene.app.verify_url();
    scene.quiet().await;
    let challenge = scene.receiver.got().last().expect("one").json()["challenge"].clone();
    assert!(challenge.is_string() && !scene.app.verified(), "an empty answer is no answer");
}

#[tokio::test]
async fn an_event_that_fails_comes_three_times_more() {
    let scene = Scene::hurried().await;
    scene.receiver.plan([Reply::status(500), Reply::Drop, Reply::status(503), Reply::status(500)]);
    let ts = scene.acme.dm(&scene.ana, &scene.app, "hello");
    scene.quiet().await;
    let got = scene.receiver.got();
    let numbers: Vec<Option<&str>> = got.iter().map(|got| got.header("x-slack-retry-num")).collect();
    assert_eq!(numbers, [None, Some("1"), Some("2"), Some("3")]);
    let reasons: Vec<Option<&str>> = got.iter().map(|got| got.header("x-slack-retry-reason")).collect();
    assert_eq!(reasons, [None, Some("http_error"), Some("connection_failed"), Some("http_error")]);
    let ids: Vec<Value> = got.iter().map(|got| got.json()["event_id"].clone()).collect();
    assert!(ids.iter().all(|id| id == &ids[0]));
    let im = scene.acme.im(&scene.ana, &scene.app);
    assert_eq!(scene.fake.read(|world| world.ledger.lost.clone()), scene.acme.events_about(&im, &ts));
}

#[tokio::test]
async fn a_slow_answer_and_one_that_says_no_retry() {
    let settings =
        Settings { ack_deadline: Duration::from_millis(200), time_scale: 0.001, ..Settings::default() };
    let scene = Scene::set(settings).await;
    scene.receiver.plan([Reply::Hang(Duration::from_millis(600))]);
    scene.acme.dm(&scene.ana, &scene.app, "one");
    scene.quiet().await;
    assert_eq!(scene.receiver.got()[1].header("x-slack-retry-reason"), Some("http_timeout"));
    scene.receiver.plan([Reply::Say(500, String::new(), Some(("x-slack-no-retry", "1")))]);
    scene.acme.dm(&scene.ana, &scene.app, "two");
    scene.quiet().await;
    assert_eq!(scene.receiver.got().len(), 3);
}

#[tokio::test]
async fn an_app_hears_itself_and_what_it_is_called() {
    let scene = Scene::hurried().await;
    scene.post(&scene.help, "mine").await;
    let maria = json!({ "channel": scene.help, "text": "hers", "username": "Maria" });
    ok(&scene.app, "chat.postMessage", maria).await;
    scene.acme.say(&scene.ana, &scene.help, Post::text("help me").mentioning(&scene.app.bot_user));
    scene.quiet().await;
    let messages = scene.receiver.events("message");
    assert_eq!(subtypes(&messages), ["-", "bot_message", "-"]);
    assert_eq!(
        (&messages[0]["bot_id"], &messages[0]["user"]),
        (&json!(scene.app.bot_id), &json!(scene.app.bot_user))
    );
    assert_eq!((&messages[1]["app_id"], &messages[1]["user"]), (&json!(scene.app.id), &Value::Null));
    // A mention is two events about one message.
    let mentions = scene.receiver.events("app_mention");
    assert_eq!((mentions.len(), &mentions[0]["ts"]), (1, &messages[2]["ts"]));
    let theirs = scene.acme.bot("Weather");
    let elsewhere = scene.acme.channel("weather", &[&theirs, &scene.app.bot_user]);
    scene.acme.say(&theirs, &elsewhere, "rain");
    scene.quiet().await;
    assert!(scene.receiver.events("message").last().expect("one")["bot_id"].is_string());
}

#[tokio::test]
async fn changes_are_told_in_their_own_shapes() {
    let scene = Scene::hurried().await;
    let (acme, help) = (&scene.acme, scene.help.as_str());
    let root = acme.say(&scene.ana, help, Post::wire("see <https://example.org/a>"));
    acme.preview(help, &root);
    acme.edit(&scene.ana, help, &root, "never mind");
    let reply = acme.reply(&scene.bob, help, &root, "ok");
    acme.delete(help, &root);
    acme.delete(help, &reply);
    scene.quiet().await;
    let events = scene.receiver.events("message");
    let changed = ["-", "message_changed", "message_changed", "-", "message_changed", "message_deleted"];
    assert_eq!(subtypes(&events), changed);
    assert!(events[1]["message"]["edited"].is_null() && events[1]["message"]["attachments"].is_array());
    assert!(events[2]["message"]["edited"].is_object() && events[2]["hidden"] == true);
    assert_eq!(events[2]["previous_message"]["text"], "see <https://example.org/a>");
    assert_eq!(events[4]["message"]["subtype"], "tombstone");
    assert_eq!(events[5]["deleted_ts"], reply.as_str());
}

#[tokio::test]
async fn a_button_brings_a_trigger_and_a_way_to_answer() {
    let scene = Scene::hurried().await;
    let (app, acme, help) = (&scene.app, &scene.acme, scene.help.as_str());
    let accept = json!({ "type": "button", "action_id": "accept", "value": "1042",
        "text": { "type": "plain_text", "text": "Accept" } });
    let blocks = json!([{ "type": "actions", "elements": [accept] }]);
    let card =
        ok(app, "chat.postMessage", json!({ "channel": help, "text": "card", "blocks": blocks })).await;
    let ts = card["ts"].as_str().expect("a ts");
    acme.press(&scene.bob, help, ts, "Accept");
    scene.quiet().await;
    let pressed = scene.receiver.got().last().expect("one").json();
    assert_eq!(pressed["actions"][0]["value"], "1042");
    assert_eq!(pressed["message"]["ts"], ts);
    let url = pressed["response_url"].as_str().expect("a URL");
    let answer = async |body: Value| {
        let response = http().post(url).json(&body).send().await.expect("an answer");
        (response.status().as_u16(), response.json::<Value>().await.expect("JSON"))
    };
    assert_eq!(answer(json!({ "text": "only you" })).await.0, 200);
    assert_eq!(answer(json!({ "text": "all", "response_type": "in_channel" })).await.0, 200);
    assert_eq!(answer(json!({ "text": "taken", "replace_original": true })).await.0, 200);
    assert_eq!(answer(json!({ "text": "four" })).await.0, 200);
    assert_eq!(answer(json!({ "delete_original": true })).await.0, 200);
    assert_eq!(answer(json!({ "text": "six" })).await, (404, json!({ "ok": false, "error": "used_url" })));
    assert_eq!(acme.transcript(help, None), ["IT Desk: all"]);
    assert_eq!(acme.whispers(help, &scene.bob).len(), 2);
    // A trigger works once.
    let modal = json!({ "type": "modal", "title": { "type": "plain_text", "text": "T" }, "blocks": [] });
    let open = json!({ "trigger_id": pressed["trigger_id"], "view": modal });
    ok(app, "views.open", open.clone()).await;
    assert_eq!(refused(app, "views.open", open).await, "exchanged_trigger_id");
}

fn note_modal() -> Value {
    let plain = |text: &str| json!({ "type": "plain_text", "text": text });
    let input = json!({ "type": "plain_text_input", "action_id": "text", "multiline": true });
    json!({ "type": "modal", "callback_id": "note", "private_metadata": "1042", "title": plain("Note"),
        "submit": plain("Save"),
        "blocks": [{ "type": "input", "block_id": "n", "label": plain("What?"), "element": input }] })
}

#[tokio::test]
async fn a_modal_is_filled_in_corrected_and_closed() {
    let scene = Scene::hurried().await;
    let (app, acme) = (&scene.app, &scene.acme);
    acme.command(&scene.bob, app, &scene.help, "/desk", "status");
    scene.quiet().await;
    let command = scene.receiver.got().last().expect("one").clone();
    assert_eq!((command.field("command"), command.field("text")), ("/desk".into(), "status".into()));
    let open = json!({ "trigger_id": command.field("trigger_id"), "view": note_modal() });
    ok(app, "views.open", open).await;
    let view = acme.views(&scene.bob).pop().expect("open");
    let errors = json!({ "response_action": "errors", "errors": { "n": "too short" } });
    scene.receiver.plan([Reply::ok(errors.to_string())]);
    acme.submit(&view.id, &[("text", json!("x"))]);
    scene.quiet().await;
    let sent = scene.receiver.got().last().expect("one").json();
    assert_eq!(sent["view"]["state"]["values"]["n"]["text"]["value"], "x");
    assert_eq!(acme.views(&scene.bob)[0].errors["n"], "too short");
    acme.submit(&view.id, &[("text", json!("long enough"))]);
    scene.quiet().await;
    assert!(acme.views(&scene.bob).is_empty());
    assert_eq!(scene.fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn an_answer_to_a_command_is_seen_by_who_gave_it() {
    let scene = Scene::hurried().await;
    scene.receiver.plan([Reply::ok(r#"{"text":"two open requests"}"#), Reply::ok("plain words")]);
    for text in ["status", "help"] {
        scene.acme.command(&scene.ana, &scene.app, &scene.help, "/desk", text);
        scene.quiet().await;
    }
    let whispers = scene.acme.whispers(&scene.help, &scene.ana);
    let texts: Vec<&str> = whispers.iter().map(|whisper| whisper.text.as_str()).collect();
    assert_eq!(texts, ["two open requests", "plain words"]);
}

#[tokio::test]
async fn the_home_tab_and_links_and_shortcuts() {
    let scene = Scene::hurried().await;
    let (app, acme) = (&scene.app, &scene.acme);
    acme.open_tab(&scene.ana, app, "home");
    scene.quiet().await;
    assert_eq!(scene.receiver.events("app_home_opened")[0]["tab"], "home");
    let home = json!({ "type": "home", "blocks": [{ "type": "actions", "elements": [
        { "type": "button", "action_id": "on", "text": { "type": "plain_text", "text": "On duty" } }] }] });
    ok(app, "views.publish", json!({ "user_id": scene.ana, "view": home })).await;
    acme.press_on_home(&scene.ana, app, "On duty");
    app.configure(|app| app.unfurl_domains = vec!["desk.example".into()]);
    let ts = acme.say(&scene.ana, &scene.help, Post::wire("<https://desk.example/c/1042>"));
    acme.message_shortcut(&scene.ana, app, "ticket", &scene.help, &ts);
    acme.shortcut(&scene.ana, app, "ask");
    scene.quiet().await;
    let shared = &scene.receiver.events("link_shared")[0];
    assert_eq!(shared["links"][0]["url"], "https://desk.example/c/1042");
    let unfurls = json!({ "https://desk.example/c/1042": { "title": "#1042" } });
    ok(app, "chat.unfurl", json!({ "channel": scene.help, "ts": ts, "unfurls": unfurls })).await;
    scene.quiet().await;
    let kinds: Vec<Value> = scene.receiver.got().iter().map(|got| got.json()["type"].clone()).collect();
    for kind in ["block_actions", "message_action", "shortcut"] {
        assert!(kinds.contains(&json!(kind)), "{kinds:?}");
    }
    let changed = scene.receiver.events("message").pop().expect("one");
    assert_eq!(
        (&changed["message"]["user"], &changed["message"]["edited"]),
        (&json!(scene.ana), &Value::Null)
    );
    assert_eq!(changed["message"]["attachments"][0]["bot_id"], app.bot_id.as_str());
}

#[tokio::test]
async fn files_go_both_ways() {
    let scene = Scene::hurried().await;
    let (app, acme, fake) = (&scene.app, &scene.acme, &scene.fake);
    let post = Post::text("two").file("a.png", &b"png"[..]).file("b.log", &b"log"[..]);
    acme.dm(&scene.ana, app, post);
    scene.quiet().await;
    let event = &scene.receiver.events("message")[0];
    assert_eq!((&event["subtype"], event["files"].as_array().map(Vec::len)), (&json!("file_share"), Some(2)));
    let url = event["files"][1]["url_private_download"].as_str().expect("a URL");
    let fetch = async |token: &str| http().get(url).bearer_auth(token).send().await.expect("an answer");
    assert_eq!(fetch(&app.bot_token).await.bytes().await.expect("bytes"), "log");
    let page = fetch("xoxb-nobody").await;
    assert_eq!(page.status(), 200);
    assert!(page.text().await.expect("text").starts_with("<!DOCTYPE html>"));
    let asked = ask(app, "files.getUploadURLExternal", &[("filename", "c.txt"), ("length", "5")]).await;
    let (file, place) = (&asked["file_id"], asked["upload_url"].as_str().expect("a URL"));
    assert_eq!(http().post(place).body("four").send().await.expect("an answer").status(), 400);
    assert_eq!(http().post(place).body("fives").send().await.expect("an answer").status(), 200);
    let done = json!({ "files": [{ "id": file }], "channel_id": scene.help, "initial_comment": "here" });
    ok(app, "files.completeUploadExternal", done).await;
    let there =
        fake.wait_until(PATIENCE, |world| !world.messages_in(&acme.team, &scene.help, None).is_empty());
    there.await.expect("shared a little later");
    assert_eq!(acme.transcript(&scene.help, None), ["IT Desk: here <c.txt>"]);
    scene.quiet().await;
    let echo = scene.receiver.events("message").pop().expect("one");
    assert_eq!((&echo["user"], &echo["bot_id"]), (&json!(app.bot_user), &Value::Null));
}

#[tokio::test]
async fn a_token_is_rotated() {
    let settings = Settings { time_scale: 0.00001, ..Settings::default() };
    let scene = Scene::set(settings).await;
    let url = format!("{}/oauth.v2.access", scene.fake.api_url());
    let refresh = async |token: &str| {
        let form = [
            ("client_id", scene.app.client_id.as_str()),
            ("client_secret", &scene.app.client_secret),
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
        ];
        let request = http().post(&url).header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(encoded(&form)).send().await.expect("an answer");
        answer.json::<Value>().await.expect("JSON")
    };
    let fresh = refresh(&scene.app.refresh_token).await;
    let mut app = scene.app.clone();
    app.bot_token = fresh["access_token"].as_str().expect("a token").to_owned();
    ok(&app, "auth.test", json!({})).await;
    assert_eq!(refresh(&scene.app.refresh_token).await["error"], "invalid_refresh_token");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(refused(&app, "auth.test", json!({})).await, "token_expired");
}

#[tokio::test]
async fn a_thousand_copies_of_one_event() {
    let scene = Scene::hurried().await;
    let ts = scene.acme.dm(&scene.ana, &scene.app, "once");
    scene.quiet().await;
    let im = scene.acme.im(&scene.ana, &scene.app);
    let id = scene.acme.events_about(&im, &ts).remove(0);
    scene.fake.redeliver(&id, 1000);
    scene.quiet().await;
    let got = scene.receiver.got();
    assert_eq!(got.len(), 1001);
    assert!(got.iter().all(|got| got.json()["event_id"] == id.as_str()));
}

//! The fake Slack's `chat.*`, `conversations.*`, `users.*`, `reactions.*`.

use deskbridge_platforms::slack::{Fault, FaultKind, Post};
use serde_json::{Value, json};

use crate::client::http;
use crate::slack_app::{Scene, ask, call, ok, refused};

fn texts(answer: &Value) -> Vec<&str> {
    answer["messages"].as_array().expect("messages").iter().filter_map(|it| it["text"].as_str()).collect()
}

#[tokio::test]
async fn a_token_has_an_owner_and_scopes() {
    let scene = Scene::hurried().await;
    let (_, headers, me) = call(&scene.app, "auth.test", json!({})).await;
    assert_eq!((&me["user_id"], &me["bot_id"]), (&json!(scene.app.bot_user), &json!(scene.app.bot_id)));
    assert!(headers["x-oauth-scopes"].to_str().expect("text").contains("chat:write"));
    let mut other = scene.app.clone();
    other.bot_token = "xoxb-nobody".into();
    assert_eq!(refused(&other, "auth.test", json!({})).await, "invalid_auth");
    other.bot_token = scene.app.app_token.clone();
    assert_eq!(refused(&other, "chat.postMessage", json!({})).await, "not_allowed_token_type");
    scene.app.configure(|app| app.scopes.retain(|scope| scope != "users:read"));
    let answer = ask(&scene.app, "users.info", &[("user", &scene.ana)]).await;
    assert_eq!((&answer["error"], &answer["needed"]), (&json!("missing_scope"), &json!("users:read")));
    scene.app.revoke_tokens();
    assert_eq!(refused(&scene.app, "auth.test", json!({})).await, "token_revoked");
    let nobody = http().post(format!("{}/auth.test", scene.fake.api_url())).send().await.expect("an answer");
    assert_eq!(nobody.json::<Value>().await.expect("JSON")["error"], "not_authed");
}

#[tokio::test]
async fn messages_are_read_back_as_the_vendor_does() {
    let scene = Scene::hurried().await;
    let (app, help) = (&scene.app, scene.help.as_str());
    let root = scene.post(help, "one").await;
    let metadata = json!({ "event_type": "delivery", "event_payload": { "delivery_id": "d1" } });
    let reply = json!({ "channel": help, "thread_ts": root, "text": "two", "metadata": metadata });
    ok(app, "chat.postMessage", reply).await;
    let shouted = json!({ "channel": help, "thread_ts": root, "text": "three", "reply_broadcast": true, "username": "Maria" });
    let shouted = ok(app, "chat.postMessage", shouted).await;
    assert_eq!(shouted["message"]["subtype"], "bot_message");
    assert_eq!(
        (&shouted["message"]["username"], &shouted["message"]["user"]),
        (&json!("Maria"), &Value::Null)
    );
    // Newest first, no replies but those that were sent to the channel, too.
    let history = ask(app, "conversations.history", &[("channel", help)]).await;
    assert_eq!(texts(&history), ["three", "one"]);
    assert_eq!(history["messages"][1]["reply_count"], 2);
    let thread = [("channel", help), ("ts", &root), ("include_all_metadata", "true")];
    let thread = ask(app, "conversations.replies", &thread).await;
    assert_eq!(texts(&thread), ["one", "two", "three"]);
    assert_eq!(thread["messages"][1]["metadata"]["event_payload"]["delivery_id"], "d1");
    let without = ask(app, "conversations.replies", &[("channel", help), ("ts", &root)]).await;
    assert_eq!(without["messages"][1]["metadata"], Value::Null);
    // Pages.
    let first = ask(app, "conversations.replies", &[("channel", help), ("ts", &root), ("limit", "2")]).await;
    let cursor = first["response_metadata"]["next_cursor"].as_str().expect("a cursor");
    assert_eq!((texts(&first), &first["has_more"]), (vec!["one", "two"], &json!(true)));
    let rest = [("channel", help), ("ts", &root), ("limit", "2"), ("cursor", cursor)];
    assert_eq!(texts(&ask(app, "conversations.replies", &rest).await), ["three"]);
    // Since.
    let since = ask(app, "conversations.history", &[("channel", help), ("oldest", &root)]).await;
    assert_eq!(texts(&since), ["three"]);
    scene.fake.settings(|settings| settings.threads_readable = false);
    let refusal = ask(app, "conversations.replies", &[("channel", help), ("ts", &root)]).await;
    assert_eq!(refusal["error"], "not_allowed_token_type");
}

#[tokio::test]
async fn a_method_that_takes_no_json_does_not_see_it() {
    let scene = Scene::hurried().await;
    assert_eq!(refused(&scene.app, "users.info", json!({ "user": scene.ana })).await, "user_not_found");
    let good = ask(&scene.app, "users.info", &[("user", &scene.ana)]).await;
    assert_eq!(good["user"]["profile"]["email"], "ana@acme.example");
}

#[tokio::test]
async fn what_is_posted_may_be_changed_and_removed_by_its_owner_only() {
    let scene = Scene::hurried().await;
    let (app, help) = (&scene.app, scene.help.as_str());
    let blocks = json!([{ "type": "section", "text": { "type": "mrkdwn", "text": "a card" } }]);
    let sent =
        ok(app, "chat.postMessage", json!({ "channel": help, "text": "card", "blocks": blocks })).await;
    let ts = sent["ts"].as_str().expect("a ts");
    // Blocks that are not sent again stay, and they are what people see.
    ok(app, "chat.update", json!({ "channel": help, "ts": ts, "text": "changed" })).await;
    assert_eq!(scene.acme.message(help, ts).expect("there").shown(), "a card");
    ok(app, "chat.update", json!({ "channel": help, "ts": ts, "text": "changed", "blocks": [] })).await;
    assert_eq!(scene.acme.message(help, ts).expect("there").shown(), "changed");
    let hers = scene.acme.say(&scene.ana, help, "hello");
    let theirs = json!({ "channel": help, "ts": hers, "text": "x" });
    assert_eq!(refused(app, "chat.update", theirs.clone()).await, "cant_update_message");
    assert_eq!(refused(app, "chat.delete", theirs).await, "cant_delete_message");
    ok(app, "chat.delete", json!({ "channel": help, "ts": ts })).await;
    let gone = json!({ "channel": help, "ts": ts, "text": "y" });
    assert_eq!(refused(app, "chat.update", gone).await, "message_not_found");
    assert_eq!(scene.acme.transcript(help, None), ["Ana: hello"]);
}

#[tokio::test]
async fn where_a_bot_may_not_write_it_is_told_so() {
    let scene = Scene::hurried().await;
    let (app, acme) = (&scene.app, &scene.acme);
    let post = |channel: &str| json!({ "channel": channel, "text": "x" });
    let elsewhere = acme.channel("elsewhere", &[&scene.ana]);
    assert_eq!(refused(app, "chat.postMessage", post(&elsewhere)).await, "not_in_channel");
    ok(app, "conversations.join", json!({ "channel": elsewhere })).await;
    ok(app, "chat.postMessage", post(&elsewhere)).await;
    let secret = acme.private_channel("secret", &[&scene.ana]);
    assert_eq!(refused(app, "chat.postMessage", post(&secret)).await, "channel_not_found");
    acme.archive(&elsewhere, &scene.ana);
    assert_eq!(refused(app, "chat.postMessage", post(&elsewhere)).await, "is_archived");
    assert_eq!(refused(app, "chat.postMessage", post("C404")).await, "channel_not_found");
    assert_eq!(refused(app, "chat.postMessage", json!({ "channel": scene.help })).await, "no_text");
    // A person's id is their direct message.
    let sent = ok(app, "chat.postMessage", post(&scene.ana)).await;
    assert_eq!(sent["channel"], acme.im(&scene.ana, app).as_str());
    let whisper = json!({ "channel": scene.help, "user": acme.user("Eve"), "text": "psst" });
    assert_eq!(refused(app, "chat.postEphemeral", whisper).await, "user_not_in_channel");
    ok(app, "chat.postEphemeral", json!({ "channel": scene.help, "user": scene.ana, "text": "psst" })).await;
    assert_eq!(acme.whispers(&scene.help, &scene.ana)[0].text, "psst");
    assert!(acme.messages_in(&scene.help, None).is_empty());
}

#[tokio::test]
async fn limits_are_kept() {
    let scene = Scene::hurried().await;
    let section =
        |n: usize| json!({ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(n) } });
    let button = |n: usize| json!({ "type": "button", "action_id": format!("b{n}"), "text": { "type": "plain_text", "text": "B" } });
    let actions = |n: usize| json!({ "type": "actions", "elements": (0..n).map(button).collect::<Vec<_>>() });
    let options = |n: usize| {
        let option = |n| json!({ "text": { "type": "plain_text", "text": "O" }, "value": format!("{n}") });
        let all: Vec<Value> = (0..n).map(option).collect();
        json!({ "type": "actions", "elements": [{ "type": "overflow", "action_id": "o", "options": all }] })
    };
    let cases = [
        (json!([section(3000)]), "ok"),
        (json!([section(3001)]), "invalid_blocks"),
        (json!([section(0)]), "invalid_blocks"),
        (json!((0..50).map(|_| json!({ "type": "divider" })).collect::<Vec<_>>()), "ok"),
        (json!((0..51).map(|_| json!({ "type": "divider" })).collect::<Vec<_>>()), "invalid_blocks"),
        (json!([actions(25)]), "ok"),
        (json!([actions(26)]), "invalid_blocks"),
        (json!([options(5)]), "ok"),
        (json!([options(6)]), "invalid_blocks"),
        (
            json!([section(3000), section(3000), section(3000), section(3000), section(1001)]),
            "msg_blocks_too_long",
        ),
        (json!([{ "type": "markdown", "text": "x".repeat(12_001) }]), "invalid_blocks"),
        (json!([{ "type": "header", "text": { "type": "mrkdwn", "text": "h" } }]), "invalid_blocks"),
        (json!([{ "type": "surprise" }]), "invalid_blocks"),
        (json!({ "type": "divider" }), "invalid_blocks_format"),
    ];
    for (blocks, expected) in cases {
        let post = json!({ "channel": scene.help, "text": "t", "blocks": blocks });
        let (_, _, answer) = call(&scene.app, "chat.postMessage", post).await;
        let found = answer["error"].as_str().unwrap_or("ok");
        assert_eq!(found, expected, "{blocks} {answer}");
    }
    let long = json!({ "channel": scene.help, "text": "x".repeat(40_001) });
    assert_eq!(refused(&scene.app, "chat.postMessage", long).await, "msg_too_long");
    let bad = json!({ "channel": scene.help, "text": "x", "metadata": { "event_type": "x" } });
    assert_eq!(refused(&scene.app, "chat.postMessage", bad).await, "invalid_metadata_format");
}

#[tokio::test]
async fn a_streamed_answer_grows_and_ends() {
    let scene = Scene::hurried().await;
    let (app, acme) = (&scene.app, &scene.acme);
    let question = acme.dm(&scene.ana, app, "why?");
    let im = acme.im(&scene.ana, app);
    let loose = json!({ "channel": im, "markdown_text": "Be" });
    assert_eq!(refused(app, "chat.startStream", loose).await, "invalid_thread_ts");
    let begun = json!({ "channel": im, "thread_ts": question, "markdown_text": "Be" });
    let begun = ok(app, "chat.startStream", begun).await;
    let piece = |text: &str| json!({ "channel": im, "ts": begun["ts"], "markdown_text": text });
    ok(app, "chat.appendStream", piece("cau")).await;
    ok(app, "chat.stopStream", piece("se.")).await;
    assert_eq!(refused(app, "chat.appendStream", piece("!")).await, "message_not_in_streaming_state");
    assert_eq!(acme.transcript(&im, Some(&question)), ["Ana: why?", "IT Desk: Because."]);
    let public = json!({ "channel": scene.help, "markdown_text": "x" });
    assert_eq!(refused(app, "chat.startStream", public).await, "missing_recipient_user_id");
}

#[tokio::test]
async fn reactions_are_counted_once() {
    let scene = Scene::hurried().await;
    let ts = scene.post(&scene.help, "card").await;
    let eyes = json!({ "channel": scene.help, "timestamp": ts, "name": "eyes" });
    ok(&scene.app, "reactions.add", eyes.clone()).await;
    assert_eq!(refused(&scene.app, "reactions.add", eyes.clone()).await, "already_reacted");
    let glyph = json!({ "channel": scene.help, "timestamp": ts, "name": "👀" });
    assert_eq!(refused(&scene.app, "reactions.add", glyph).await, "invalid_name");
    scene.acme.react(&scene.bob, &scene.help, &ts, "eyes");
    let read = ask(&scene.app, "reactions.get", &[("channel", &scene.help), ("timestamp", &ts)]).await;
    assert_eq!(read["message"]["reactions"][0]["count"], 2);
    ok(&scene.app, "reactions.remove", eyes.clone()).await;
    assert_eq!(refused(&scene.app, "reactions.remove", eyes).await, "no_reaction");
}

#[tokio::test]
async fn a_pinging_text_and_a_hasty_sender_are_written_down() {
    let scene = Scene::hurried().await;
    scene.post(&scene.help, "hello &lt;!channel&gt; @here").await;
    assert!(scene.fake.read(|world| world.pings.is_empty()));
    scene.post(&scene.help, "hello <!channel>").await;
    assert_eq!(scene.fake.read(|world| world.pings[0].whom.clone()), "<!channel>");
    assert_eq!(scene.fake.read(|world| world.ledger.over_pace.len()), 1);
    scene.fake.settings(|settings| settings.enforce_rate_limits = true);
    let post = json!({ "channel": scene.help, "text": "again" });
    let (status, headers, body) = call(&scene.app, "chat.postMessage", post).await;
    assert_eq!(
        (status, headers["retry-after"].as_bytes(), &body["error"]),
        (429, &b"1"[..], &json!("ratelimited"))
    );
}

#[tokio::test]
async fn faults_befall_calls_as_planned() {
    let scene = Scene::hurried().await;
    let post = json!({ "channel": scene.help, "text": "x" });
    let on = |fault| scene.fake.fault(Fault::on("chat.postMessage", fault));
    on(FaultKind::RateLimit { retry_after: None });
    let (status, headers, _) = call(&scene.app, "chat.postMessage", post.clone()).await;
    assert_eq!((status, headers.get("retry-after")), (429, None));
    on(FaultKind::refused("fatal_error"));
    assert_eq!(refused(&scene.app, "chat.postMessage", post.clone()).await, "fatal_error");
    on(FaultKind::Status { code: 503, effect: true });
    assert_eq!(call(&scene.app, "chat.postMessage", post.clone()).await.0, 503);
    on(FaultKind::CloseAfterEffect);
    let url = format!("{}/chat.postMessage", scene.fake.api_url());
    let lost = http().post(url).bearer_auth(&scene.app.bot_token).json(&post).send().await;
    assert!(lost.is_err());
    let calls = scene.fake.requests("chat.postMessage");
    let effects: Vec<bool> = calls.iter().map(|call| call.effect).collect();
    assert_eq!(effects, [false, false, true, true]);
    assert_eq!(scene.acme.messages_in(&scene.help, None).len(), 2);
}

#[tokio::test]
async fn two_workspaces_share_ids_and_nothing_else() {
    let scene = Scene::hurried().await;
    let other = scene.fake.workspace("Other");
    let app = other.install("IT Desk");
    let (ana, bob) = (other.user("Ana"), other.user("Bob"));
    let help = other.channel("help", &[&ana, &bob, &app.bot_user]);
    assert_eq!((&help, &ana), (&scene.help, &scene.ana), "ids are unique inside a workspace only");
    ok(&app, "chat.postMessage", json!({ "channel": help, "text": "over here" })).await;
    assert!(scene.acme.messages_in(&scene.help, None).is_empty());
    scene.acme.say(&scene.ana, &scene.help, Post::text("a < b").mentioning(&scene.app.bot_user));
    assert_eq!(other.transcript(&help, None), ["IT Desk: over here"]);
    scene.quiet().await;
    let teams: Vec<Value> = scene.receiver.got().iter().map(|got| got.json()["team_id"].clone()).collect();
    assert_eq!(teams, [json!(scene.acme.team), json!(scene.acme.team)]);
}

//! The fake Discord's messages, threads, direct messages, reactions, files, limits and faults.

use deskbridge_platforms::discord::{Fault, FaultKind, Limit, Post, Scope, Settings, Snowflake, permissions};
use serde_json::{Value, json};

use crate::client::http;
use crate::discord_app::{PATIENCE, Scene, call, get, message, messages, ok, refused, request};

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().filter_map(|it| it["content"].as_str()).collect()
}

#[tokio::test]
async fn a_message_is_written_read_changed_and_deleted() {
    let scene = Scene::usual().await;
    let first = scene.post(scene.help, "hello").await;
    scene.post(scene.help, "second").await;
    let path = message(scene.help, first);
    ok(&scene.app, "PATCH", &path, json!({ "content": "hello, edited" })).await;
    let read = get(&scene.app, &path).await;
    assert_eq!((&read["content"], &read["author"]["id"]), (&json!("hello, edited"), &json!(scene.app.bot)));
    assert!(read["edited_timestamp"].is_string());
    let after = get(&scene.app, &format!("{}?after={first}", messages(scene.help))).await;
    assert_eq!(texts(&after), ["second"]);
    assert_eq!(texts(&get(&scene.app, &messages(scene.help)).await), ["second", "hello, edited"]);
    ok(&scene.app, "DELETE", &path, Value::Null).await;
    assert_eq!(refused(&scene.app, "GET", &path, Value::Null).await, (404, 10_008));
    assert_eq!(scene.fake.transcript(scene.help), ["IT Desk: second"]);
    assert_eq!(scene.fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn the_same_nonce_is_one_message_where_it_is_enforced() {
    let scene = Scene::usual().await;
    let body = json!({ "content": "once", "nonce": "abc", "enforce_nonce": true });
    scene.fake.fault(Fault::on("create_message", FaultKind::CloseAfterEffect));
    let lost = request(&scene.app, "POST", &messages(scene.help)).json(&body).send().await;
    assert!(lost.is_err());
    let again = ok(&scene.app, "POST", &messages(scene.help), body.clone()).await;
    assert_eq!(again["nonce"], "abc");
    let ids: Vec<Snowflake> = scene.fake.messages_in(scene.help).iter().map(|it| it.id).collect();
    assert_eq!(json!(ids), json!([again["id"]]));
    // Without the switch, a nonce is an ornament.
    ok(&scene.app, "POST", &messages(scene.help), json!({ "content": "twice", "nonce": "abc" })).await;
    // After some minutes it is forgotten.
    scene.fake.settings(|settings| settings.nonce_life = std::time::Duration::ZERO);
    ok(&scene.app, "POST", &messages(scene.help), body).await;
    let all = scene.fake.transcript(scene.help);
    assert_eq!(all, ["IT Desk: once", "IT Desk: twice", "IT Desk: once"]);
    let long = json!({ "content": "x", "nonce": "x".repeat(26) });
    assert_eq!(refused(&scene.app, "POST", &messages(scene.help), long).await, (400, 50_035));
}

#[tokio::test]
async fn a_post_in_a_forum_is_a_thread_with_a_first_message() {
    let scene = Scene::usual().await;
    let tags = scene.fake.read(|world| world.channel(scene.desk).tags.clone());
    let body = json!({
        "name": "Ana · printer", "applied_tags": [tags[0].id], "message": { "content": "the printer is broken" },
    });
    let path = format!("channels/{}/threads", scene.desk);
    let post = ok(&scene.app, "POST", &path, body).await;
    let id = Snowflake::of(&post["id"]).expect("an id");
    assert_eq!((&post["message"]["id"], &post["type"]), (&post["id"], &json!(11)));
    assert_eq!(scene.fake.read(|world| world.tags_of(id)), ["open"]);
    scene.post(id, "in the thread").await;
    assert_eq!(scene.fake.transcript(id), ["IT Desk: the printer is broken", "IT Desk: in the thread"]);
    assert_eq!(
        refused(&scene.app, "POST", &messages(scene.desk), json!({ "content": "x" })).await,
        (400, 50_008)
    );
    let wrong = json!({ "name": "x", "applied_tags": [scene.help], "message": { "content": "x" } });
    assert_eq!(refused(&scene.app, "POST", &path, wrong).await, (400, 50_035));
    let without = json!({ "name": "x" });
    assert_eq!(refused(&scene.app, "POST", &path, without).await, (400, 50_035));
    let found = get(&scene.app, &format!("guilds/{}/threads/active", scene.acme.id)).await;
    assert_eq!(found["threads"][0]["name"], "Ana · printer");
    let wrong: Vec<String> =
        scene.fake.violations().into_iter().filter(|it| it.starts_with("the fake's own")).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn an_archived_thread_comes_back_unless_it_is_locked() {
    let scene = Scene::usual().await;
    let post = scene.open("one", "first").await;
    let path = format!("channels/{post}");
    let closed = json!({ "archived": true });
    ok(&scene.app, "PATCH", &path, closed.clone()).await;
    let first = message(post, post);
    assert_eq!(refused(&scene.app, "PATCH", &first, json!({ "content": "x" })).await, (400, 50_083));
    assert_eq!(refused(&scene.app, "PATCH", &path, json!({ "name": "x" })).await, (400, 50_083));
    scene.post(post, "again").await;
    assert!(!scene.fake.read(|world| world.channel(post).archived));
    ok(&scene.app, "PATCH", &path, json!({ "archived": true, "locked": true })).await;
    assert_eq!(refused(&scene.app, "POST", &messages(post), json!({ "content": "x" })).await, (400, 50_083));
    let open = json!({ "archived": false, "locked": false, "name": "two" });
    assert_eq!(ok(&scene.app, "PATCH", &path, open).await["name"], "two");
    scene.app.permissions(&scene.acme, permissions::EVERYONE);
    assert_eq!(refused(&scene.app, "PATCH", &path, json!({ "locked": true })).await, (403, 50_013));
    scene.fake.moderate(post, |thread| thread.locked = true);
    assert_eq!(refused(&scene.app, "POST", &messages(post), json!({ "content": "x" })).await, (403, 160_005));
    assert_eq!(scene.fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_direct_message_reaches_who_takes_it() {
    let scene = Scene::usual().await;
    let open =
        |user: Snowflake| ok(&scene.app, "POST", "users/@me/channels", json!({ "recipient_id": user }));
    let dm = open(scene.ana).await;
    assert_eq!((&dm["type"], &dm["recipients"][0]["id"]), (&json!(1), &json!(scene.ana)));
    let id = scene.fake.dm(scene.ana, &scene.app);
    assert_eq!(dm["id"], id);
    scene.post(id, "hello").await;
    scene.fake.close_dms(scene.ana, true);
    assert_eq!(refused(&scene.app, "POST", &messages(id), json!({ "content": "x" })).await, (403, 50_007));
    scene.fake.close_dms(scene.ana, false);
    scene.acme.leave(scene.ana);
    assert_eq!(refused(&scene.app, "POST", &messages(id), json!({ "content": "x" })).await, (403, 50_007));
}

#[tokio::test]
async fn what_a_bot_does_not_see_it_cannot_touch() {
    let scene = Scene::usual().await;
    let other = scene.fake.server("Other").text("secret");
    assert_eq!(refused(&scene.app, "POST", &messages(other), json!({ "content": "x" })).await, (403, 50_001));
    scene.app.permissions(&scene.acme, permissions::VIEW_CHANNEL);
    scene.fake.change(|world| {
        let guild = world.guilds.get_mut(&scene.acme.id).expect("there");
        guild.roles[0].permissions = permissions::VIEW_CHANNEL;
    });
    assert_eq!(
        refused(&scene.app, "POST", &messages(scene.help), json!({ "content": "x" })).await,
        (403, 50_013)
    );
    assert_eq!(refused(&scene.app, "GET", "channels/1", Value::Null).await, (404, 10_003));
    let mut stranger = scene.app.clone();
    stranger.token = "nobody".into();
    assert_eq!(refused(&stranger, "GET", "users/@me", Value::Null).await, (401, 0));
    assert_eq!(scene.fake.read(|world| world.ledger.invalid_requests), 3);
}

#[tokio::test]
async fn limits_of_a_message_are_checked_where_they_are() {
    let scene = Scene::usual().await;
    let button = |id: &str| json!({ "type": 2, "style": 1, "label": "x", "custom_id": id });
    let row = |components: Value| json!({ "type": 1, "components": components });
    let embed = |field: &str, length: usize| json!({ "embeds": [{ field: "x".repeat(length) }] });
    let buttons = |count: usize| (0..count).map(|n| button(&n.to_string())).collect::<Value>();
    let cases = [
        (json!({ "content": "x".repeat(2001) }), "content"),
        (embed("title", 257), "embeds.0.title"),
        (embed("description", 4097), "embeds.0.description"),
        (json!({ "embeds": [{ "fields": [{ "name": "", "value": "x" }] }] }), "embeds.0.fields.0.name"),
        (
            json!({ "embeds": [{ "description": "x".repeat(4000) }, { "description": "x".repeat(2001) }] }),
            "embeds",
        ),
        (json!({ "embeds": vec![json!({ "title": "x" }); 11] }), "embeds"),
        (json!({ "components": [row(buttons(6))] }), "components.0.components"),
        (json!({ "components": vec![row(json!([])); 1] }), "components.0.components"),
        (
            json!({ "components": [row(json!([button("a"), button("a")]))] }),
            "components.0.components.1.custom_id",
        ),
        (json!({ "components": [button("a")] }), "components.0.type"),
        (
            json!({ "components": [row(json!([button(&"x".repeat(101))]))] }),
            "components.0.components.0.custom_id",
        ),
        (
            json!({ "content": "x", "allowed_mentions": { "parse": ["users"], "users": ["1"] } }),
            "allowed_mentions",
        ),
        (json!({ "content": "x", "message_reference": { "message_id": "1" } }), "message_reference"),
    ];
    for (body, place) in cases {
        let (status, _, answer) = call(&scene.app, "POST", &messages(scene.help), body.clone()).await;
        assert_eq!((status, &answer["code"]), (400, &json!(50_035)), "{body} {answer}");
        let pointer = format!("/{}/_errors/0/code", place.replace('.', "/"));
        assert!(answer["errors"].pointer(&pointer).is_some(), "{place}: {answer}");
    }
    assert_eq!(
        refused(&scene.app, "POST", &messages(scene.help), json!({ "content": " " })).await,
        (400, 50_006)
    );
    let lenient =
        json!({ "content": "x", "message_reference": { "message_id": "1", "fail_if_not_exists": false } });
    ok(&scene.app, "POST", &messages(scene.help), lenient).await;
    assert_eq!(scene.fake.messages_in(scene.help).len(), 1);
}

#[tokio::test]
async fn pings_are_written_down_as_allowed_mentions_has_them() {
    let scene = Scene::usual().await;
    let text = format!("@everyone @here <@&{}> <@{}>", scene.acme.id, scene.ana);
    let quiet = json!({ "content": text, "allowed_mentions": { "parse": [], "replied_user": false } });
    let shown = ok(&scene.app, "POST", &messages(scene.help), quiet).await;
    assert_eq!((&shown["mentions"], &shown["mention_everyone"]), (&json!([]), &json!(false)));
    assert!(scene.fake.read(|world| world.pings.is_empty()));
    let loud = ok(&scene.app, "POST", &messages(scene.help), json!({ "content": text })).await;
    assert_eq!(loud["mention_everyone"], true);
    let whom = |scene: &Scene| -> Vec<String> {
        scene.fake.read(|world| world.pings.iter().map(|ping| ping.whom.clone()).collect())
    };
    assert_eq!(
        whom(&scene),
        [format!("<@{}>", scene.ana), format!("<@&{}>", scene.acme.id), "@everyone".into()]
    );
}

#[tokio::test]
async fn files_come_in_a_form_and_leave_by_links_that_die() {
    let scene = Scene::usual().await;
    let payload = json!({ "content": "see", "attachments": [{ "id": 0, "description": "a page" }] });
    let file = |bytes: Vec<u8>| reqwest::multipart::Part::bytes(bytes).file_name("a b.txt");
    let form = |bytes: Vec<u8>| {
        reqwest::multipart::Form::new()
            .text("payload_json", payload.to_string())
            .part("files[0]", file(bytes))
    };
    let path = messages(scene.help);
    let sent =
        request(&scene.app, "POST", &path).multipart(form(b"page".to_vec())).send().await.expect("an answer");
    let sent: Value = sent.json().await.expect("JSON");
    let attachment = &sent["attachments"][0];
    assert_eq!((&attachment["filename"], &attachment["size"]), (&json!("a_b.txt"), &json!(4)));
    assert_eq!(attachment["description"], "a page");
    let fetch = |url: String| async move {
        let answer = http().get(url).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    };
    let url = attachment["url"].as_str().expect("a URL").to_owned();
    assert_eq!(fetch(url.clone()).await, (200, "page".into()));
    assert_eq!(fetch(url.replace("hm=", "hm=0")).await.0, 404);
    scene.fake.settings(|settings| settings.link_life = std::time::Duration::ZERO);
    let again = get(&scene.app, &message(scene.help, Snowflake::of(&sent["id"]).expect("an id"))).await;
    assert_eq!(fetch(again["attachments"][0]["url"].as_str().expect("a URL").to_owned()).await.0, 404);
    let large = form(vec![0; (10 << 20) + 1]);
    let refused = request(&scene.app, "POST", &path).multipart(large).send().await.expect("an answer");
    assert_eq!(refused.status().as_u16(), 413);
    assert_eq!(scene.fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn reactions_are_put_and_taken() {
    let scene = Scene::usual().await;
    let id = scene.fake.say(scene.ana, scene.help, "hello");
    let mine = format!("{}/reactions/%F0%9F%91%80/@me", message(scene.help, id));
    ok(&scene.app, "PUT", &mine, Value::Null).await;
    ok(&scene.app, "PUT", &mine, Value::Null).await;
    scene.fake.react(scene.bob, scene.help, id, "👀");
    let read = get(&scene.app, &message(scene.help, id)).await;
    assert_eq!((&read["reactions"][0]["count"], &read["reactions"][0]["me"]), (&json!(2), &json!(true)));
    let word = format!("{}/reactions/eyes/@me", message(scene.help, id));
    assert_eq!(refused(&scene.app, "PUT", &word, Value::Null).await, (400, 10_014));
    ok(&scene.app, "DELETE", &mine, Value::Null).await;
    assert_eq!(refused(&scene.app, "DELETE", &mine, Value::Null).await, (400, 10_014));
    assert_eq!(scene.fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_route_has_its_limit_and_says_so() {
    let hour = std::time::Duration::from_secs(3600);
    let limits = [("create_message".to_owned(), Limit { requests: 2, per: hour })].into();
    let scene = Scene::set(Settings { limits, ..Settings::default() }).await;
    let body = json!({ "content": "x" });
    let post = |channel: Snowflake| {
        let (app, body) = (scene.app.clone(), body.clone());
        async move { call(&app, "POST", &messages(channel), body).await }
    };
    let (_, headers, _) = post(scene.help).await;
    let header = |name: &str| headers[name].to_str().expect("text").to_owned();
    assert_eq!((header("x-ratelimit-limit"), header("x-ratelimit-remaining")), ("2".into(), "1".into()));
    post(scene.help).await;
    let (status, headers, answer) = post(scene.help).await;
    assert_eq!((status, &answer["global"]), (429, &json!(false)));
    assert!(answer["retry_after"].as_f64().is_some_and(|wait| wait > 3000.0), "{answer}");
    assert_eq!((headers["x-ratelimit-scope"].as_bytes(), headers["retry-after"].len()), (&b"user"[..], 4));
    // Another channel has its own.
    let other = scene.acme.text("other");
    assert_eq!(post(other).await.0, 200);
    scene.fake.settings(|settings| settings.global_limit = Some(0));
    let (status, headers, answer) = call(&scene.app, "GET", "users/@me", Value::Null).await;
    assert_eq!((status, &answer["global"]), (429, &json!(true)));
    assert_eq!(headers["x-ratelimit-scope"].as_bytes(), b"global");
    assert_eq!(scene.fake.messages_in(scene.help).len(), 2);
}

#[tokio::test]
async fn faults_befall_calls_as_planned() {
    let scene = Scene::usual().await;
    let path = messages(scene.help);
    let post = json!({ "content": "x" });
    let on = |fault| scene.fake.fault(Fault::on("create_message", fault).in_channel(&scene.help.to_string()));
    on(FaultKind::rate_limit(Scope::Shared, 0.25));
    let (status, headers, answer) = call(&scene.app, "POST", &path, post.clone()).await;
    assert_eq!((status, &answer["retry_after"]), (429, &json!(0.25)));
    assert_eq!(headers["x-ratelimit-scope"].as_bytes(), b"shared");
    assert_eq!(scene.fake.read(|world| world.ledger.invalid_requests), 0, "shared limits do not count");
    on(FaultKind::refused(50_013));
    assert_eq!(refused(&scene.app, "POST", &path, post.clone()).await, (403, 50_013));
    on(FaultKind::Status { code: 503, effect: true });
    assert_eq!(call(&scene.app, "POST", &path, post.clone()).await.0, 503);
    on(FaultKind::CloseBeforeReading);
    assert!(request(&scene.app, "POST", &path).json(&post).send().await.is_err());
    on(FaultKind::CloseAfterEffect);
    assert!(request(&scene.app, "POST", &path).json(&post).send().await.is_err());
    let effects: Vec<bool> = scene.fake.requests("create_message").iter().map(|call| call.effect).collect();
    // A client may try once more by itself what it has not written; what is planned befalls one call each.
    assert_eq!(effects.iter().filter(|effect| **effect).count(), 2);
    assert_eq!(scene.fake.messages_in(scene.help).len(), 2);
}

#[tokio::test]
async fn pins_and_typing_are_seen() {
    let scene = Scene::usual().await;
    let id = scene.post(scene.help, "card").await;
    let pin = format!("channels/{}/messages/pins/{id}", scene.help);
    ok(&scene.app, "PUT", &pin, Value::Null).await;
    let pins = get(&scene.app, &format!("channels/{}/messages/pins", scene.help)).await;
    assert_eq!(pins["items"][0]["message"]["content"], "card");
    let before = get(&scene.app, &format!("channels/{}/pins", scene.help)).await;
    assert_eq!(before[0]["id"], id);
    ok(&scene.app, "DELETE", &pin, Value::Null).await;
    ok(&scene.app, "POST", &format!("channels/{}/typing", scene.help), Value::Null).await;
    let typed = |world: &deskbridge_platforms::discord::World| world.ledger.typing.len() == 1;
    scene.fake.wait_until(PATIENCE, typed).await.expect("typing");
    scene.fake.say(scene.ana, scene.help, Post::text("a reply").replying(id));
    let last = scene.fake.messages_in(scene.help).pop().expect("a reply");
    let read = get(&scene.app, &message(scene.help, last.id)).await;
    assert_eq!((&read["type"], &read["referenced_message"]["id"]), (&json!(19), &json!(id)));
    assert_eq!(scene.fake.violations(), Vec::<String>::new());
}

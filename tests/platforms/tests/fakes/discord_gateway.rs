//! The fake Discord's gateway: Hello to RESUMED, what events hold, and every way that it ends.

use std::time::Duration;

use deskbridge_platforms::discord::{
    EventFault, GUILD_MEMBERS, MESSAGE_CONTENT, Overwrite, Post, Settings, permissions,
};
use serde_json::{Value, json};

use crate::discord_app::{INTENTS, Link, PATIENCE, Scene, get, message, messages, ok, refused};

#[tokio::test]
async fn identify_brings_ready_and_the_servers() {
    let scene = Scene::usual().await;
    scene.open("a post", "first").await;
    let mut link = Link::to(&scene.app).await;
    link.identify(&scene.app.token, json!(INTENTS)).await;
    let ready = link.event("READY").await;
    assert_eq!((&ready["v"], &ready["user"]["id"]), (&json!(10), &json!(scene.app.bot)));
    assert_eq!(ready["guilds"], json!([{ "id": scene.acme.id, "unavailable": true }]));
    let guild = link.event("GUILD_CREATE").await;
    let names = |list: &Value| -> Vec<String> {
        list.as_array()
            .expect("a list")
            .iter()
            .map(|it| it["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(
        (names(&guild["channels"]), names(&guild["threads"])),
        (vec!["help".to_owned(), "desk".to_owned()], vec!["a post".to_owned()])
    );
    link.send(json!({ "op": 1, "d": link.seq })).await;
    assert_eq!(link.next().await["op"], 11);
    let limits = &get(&scene.app, "gateway/bot").await["session_start_limit"];
    assert_eq!((&limits["total"], &limits["remaining"]), (&json!(1000), &json!(999)));
}

#[tokio::test]
async fn messages_come_in_full_where_the_intent_allows_it() {
    let scene = Scene::usual().await;
    let mut link = Link::identified(&scene.app, INTENTS).await;
    scene.fake.say(scene.ana, scene.help, Post::text("hello").file("a.txt", "page"));
    let event = link.event("MESSAGE_CREATE").await;
    assert_eq!((&event["content"], &event["author"]["global_name"]), (&json!("hello"), &json!("Ana")));
    assert_eq!(
        (&event["guild_id"], &event["attachments"][0]["filename"]),
        (&json!(scene.acme.id), &json!("a.txt"))
    );
    assert!(event["member"]["joined_at"].is_string());
    scene.post(scene.help, "own").await;
    let own = link.event("MESSAGE_CREATE").await;
    assert_eq!((&own["content"], &own["author"]["id"]), (&json!("own"), &json!(scene.app.bot)));
    let dm = scene.fake.dm(scene.ana, &scene.app);
    let id = scene.fake.say(scene.ana, dm, "in private");
    let event = link.event("MESSAGE_CREATE").await;
    assert_eq!((&event["content"], &event["guild_id"]), (&json!("in private"), &Value::Null));
    scene.fake.edit(scene.ana, dm, id, "changed");
    assert_eq!(link.event("MESSAGE_UPDATE").await["content"], "changed");
    scene.fake.react(scene.ana, dm, id, "👍");
    assert_eq!(link.event("MESSAGE_REACTION_ADD").await["emoji"]["name"], "👍");
    scene.fake.unreact(scene.ana, dm, id, "👍");
    assert_eq!(link.event("MESSAGE_REACTION_REMOVE").await["user_id"], scene.ana);
    scene.fake.delete(scene.ana, dm, id);
    assert_eq!(link.event("MESSAGE_DELETE").await["id"], id);
    scene.fake.type_in(scene.ana, dm);
    assert_eq!(link.event("TYPING_START").await["user_id"], scene.ana);
}

#[tokio::test]
async fn without_the_intent_texts_are_empty_but_for_own_mentioned_and_private_ones() {
    let scene = Scene::usual().await;
    let mut link = Link::identified(&scene.app, INTENTS & !MESSAGE_CONTENT).await;
    scene.fake.say(scene.ana, scene.help, Post::text("hello").file("a.txt", "page"));
    let event = link.event("MESSAGE_CREATE").await;
    assert_eq!((&event["content"], &event["attachments"]), (&json!(""), &json!([])));
    scene.fake.say(scene.ana, scene.help, Post::text(format!("<@{}> hello", scene.app.bot)));
    assert!(link.event("MESSAGE_CREATE").await["content"].as_str().expect("text").ends_with("hello"));
    let dm = scene.fake.dm(scene.ana, &scene.app);
    scene.fake.say(scene.ana, dm, "private");
    assert_eq!(link.event("MESSAGE_CREATE").await["content"], "private");
    scene.post(scene.help, "own").await;
    assert_eq!(link.event("MESSAGE_CREATE").await["content"], "own");
}

#[tokio::test]
async fn threads_are_announced() {
    let scene = Scene::usual().await;
    let mut link = Link::identified(&scene.app, INTENTS).await;
    let post = scene.open("a post", "first").await;
    let thread = link.event("THREAD_CREATE").await;
    assert_eq!((&thread["id"], &thread["newly_created"]), (&json!(post), &json!(true)));
    assert_eq!(link.event("MESSAGE_CREATE").await["id"], post);
    ok(&scene.app, "PATCH", &format!("channels/{post}"), json!({ "archived": true, "locked": true })).await;
    assert_eq!(link.event("THREAD_UPDATE").await["thread_metadata"]["archived"], true);
    scene.fake.delete_channel(post);
    assert_eq!(link.event("THREAD_DELETE").await["parent_id"], scene.desk);
}

#[tokio::test]
async fn a_resume_replays_what_was_missed_in_order() {
    let scene = Scene::usual().await;
    let mut link = Link::identified(&scene.app, INTENTS).await;
    let (session, url) = (link.session.clone(), link.resume_url.clone());
    scene.fake.say(scene.ana, scene.help, "one");
    link.event("MESSAGE_CREATE").await;
    let seq = link.seq;
    scene.app.cut_sockets();
    assert_eq!(link.closed().await, None);
    scene.fake.wait_until(PATIENCE, |world| world.connections(scene.app.id) == 0).await.expect("cut");
    for text in ["two", "three"] {
        scene.fake.say(scene.ana, scene.help, text);
    }
    let mut link = Link::open(&url).await;
    link.resume(&scene.app.token, &session, seq).await;
    let missed = [link.next().await, link.next().await, link.next().await];
    let texts: Vec<&Value> = missed[..2].iter().map(|payload| &payload["d"]["content"]).collect();
    assert_eq!((texts[0], texts[1], &missed[2]["t"]), (&json!("two"), &json!("three"), &json!("RESUMED")));
    assert_eq!((&missed[0]["s"], &missed[1]["s"]), (&json!(seq + 1), &json!(seq + 2)));
    scene.fake.say(scene.ana, scene.help, "four");
    assert_eq!(link.event("MESSAGE_CREATE").await["content"], "four");
    assert_eq!(scene.fake.read(|world| (world.ledger.identifies(), world.ledger.resumes())), (1, 1));
}

#[tokio::test]
async fn a_session_that_is_gone_is_told_so() {
    let scene = Scene::usual().await;
    let mut link = Link::identified(&scene.app, INTENTS).await;
    let (session, url) = (link.session.clone(), link.resume_url.clone());
    scene.app.tell_to_reconnect();
    while link.next().await["op"] != 7 {}
    scene.app.invalidate(true);
    assert_eq!(link.next().await, json!({ "op": 9, "d": true }));
    // 1000 ends the session; what comes after it finds nothing.
    link.leave(1000).await;
    let mut link = Link::open(&url).await;
    link.resume(&scene.app.token, &session, 1).await;
    assert_eq!(link.next().await, json!({ "op": 9, "d": false }));
    // On the same connection a new session may begin.
    link.identify(&scene.app.token, json!(INTENTS)).await;
    let fresh = link.event("READY").await["session_id"].as_str().expect("a session").to_owned();
    link.leave(4000).await;
    let mut link = Link::open(&url).await;
    link.resume(&scene.app.token, &fresh, 9999).await;
    assert_eq!(link.closed().await, Some(4007));
    scene.fake.settings(|settings| settings.session_life = Duration::ZERO);
    let mut link = Link::identified(&scene.app, INTENTS).await;
    let session = link.session.clone();
    scene.app.cut_sockets();
    link.closed().await;
    scene.fake.wait_until(PATIENCE, |world| world.connections(scene.app.id) == 0).await.expect("cut");
    let mut link = Link::open(&url).await;
    link.resume(&scene.app.token, &session, 1).await;
    assert_eq!(link.next().await, json!({ "op": 9, "d": false }));
}

#[tokio::test]
async fn who_is_not_welcome_is_told_why() {
    let scene = Scene::usual().await;
    scene.app.privileged(0);
    let refusal = async |first: Value| {
        let mut link = Link::to(&scene.app).await;
        link.send(first).await;
        link.closed().await
    };
    let identify =
        |token: &str, intents: Value| json!({ "op": 2, "d": { "token": token, "intents": intents } });
    assert_eq!(refusal(identify("nobody", json!(1))).await, Some(4004));
    assert_eq!(refusal(identify(&scene.app.token, json!(1 << 30))).await, Some(4013));
    assert_eq!(refusal(identify(&scene.app.token, Value::Null)).await, Some(4013));
    assert_eq!(refusal(identify(&scene.app.token, json!(INTENTS))).await, Some(4014));
    assert_eq!(refusal(json!({ "op": 3, "d": {} })).await, Some(4003));
    assert_eq!(refusal(json!({ "op": 77 })).await, Some(4001));
    assert_eq!(refusal(json!({ "op": 1, "d": "x".repeat(5000) })).await, Some(4002));
    assert_eq!(refusal(json!(["no payload"])).await, Some(4002));
    let mut link = Link::identified(&scene.app, 1).await;
    link.identify(&scene.app.token, json!(1)).await;
    assert_eq!(link.closed().await, Some(4005));
    let mut chatty = Link::to(&scene.app).await;
    for _ in 0..=120 {
        chatty.send(json!({ "op": 1, "d": null })).await;
    }
    assert_eq!(chatty.closed().await, Some(4008));
    let flags = get(&scene.app, "applications/@me").await;
    assert_eq!(flags["flags"], 0);
    scene.app.privileged(MESSAGE_CONTENT);
    assert_eq!(get(&scene.app, "applications/@me").await["flags"], 1 << 19);
    assert_eq!(scene.fake.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_budget_that_is_overdrawn_costs_the_token() {
    let scene = Scene::set(Settings { identifies: 1, ..Settings::default() }).await;
    let _first = Link::identified(&scene.app, 1).await;
    assert_eq!(get(&scene.app, "gateway/bot").await["session_start_limit"]["remaining"], 0);
    let mut second = Link::to(&scene.app).await;
    second.identify(&scene.app.token, json!(1)).await;
    assert_eq!(second.closed().await, Some(4004));
    let now = scene.fake.read(|world| world.app(scene.app.id).token.clone());
    assert_ne!(now, scene.app.token);
    assert_eq!(scene.fake.read(|world| world.app(scene.app.id).notices.len()), 1);
}

#[tokio::test]
async fn two_identifies_too_close_are_one_too_many() {
    let scene =
        Scene::set(Settings { identify_spacing: Duration::from_secs(3600), ..Settings::default() }).await;
    let _first = Link::identified(&scene.app, 1).await;
    let mut second = Link::to(&scene.app).await;
    second.identify(&format!("Bot {}", scene.app.token), json!(1)).await;
    assert_eq!(second.next().await, json!({ "op": 9, "d": false }));
}

#[tokio::test]
async fn a_zombie_says_nothing_and_forgets_nothing() {
    let scene = Scene::usual().await;
    let mut link = Link::identified(&scene.app, INTENTS).await;
    link.event("GUILD_CREATE").await;
    let (session, url, seq) = (link.session.clone(), link.resume_url.clone(), link.seq);
    scene.app.mute_sockets();
    link.send(json!({ "op": 1, "d": seq })).await;
    scene.fake.say(scene.ana, scene.help, "unheard");
    let beaten = |world: &deskbridge_platforms::discord::World| {
        use deskbridge_platforms::discord::GatewayEntry::Heartbeat;
        world.ledger.gateway.iter().any(|line| matches!(line.entry, Heartbeat { .. }))
    };
    scene.fake.wait_until(PATIENCE, beaten).await.expect("a heartbeat");
    let mut fresh = Link::open(&url).await;
    fresh.resume(&scene.app.token, &session, seq).await;
    assert_eq!(fresh.next().await["d"]["content"], "unheard");
    assert_eq!(link.closed().await, None);
}

#[tokio::test]
async fn a_client_that_does_not_beat_is_left() {
    let scene = Scene::set(Settings { heartbeat: Duration::from_millis(40), ..Settings::default() }).await;
    let mut link = Link::to(&scene.app).await;
    assert_eq!(link.closed().await, Some(4009));
}

#[tokio::test]
async fn events_may_be_lost_or_come_twice() {
    let scene = Scene::usual().await;
    let mut link = Link::identified(&scene.app, INTENTS).await;
    scene.fake.event_fault(Some("MESSAGE_CREATE"), EventFault::Lost, 1);
    scene.fake.event_fault(Some("MESSAGE_CREATE"), EventFault::Twice, 1);
    for text in ["lost", "twice", "once"] {
        scene.fake.say(scene.ana, scene.help, text);
    }
    let mut texts = Vec::new();
    for _ in 0..3 {
        texts.push(link.event("MESSAGE_CREATE").await["content"].clone());
    }
    assert_eq!(texts, ["twice", "twice", "once"]);
    // What was lost is found over HTTP.
    let all = get(&scene.app, &messages(scene.help)).await;
    assert_eq!(all[2]["content"], "lost");
    let id = scene.fake.messages_in(scene.help)[0].id;
    assert_eq!(get(&scene.app, &message(scene.help, id)).await["content"], "lost");
}

#[tokio::test]
async fn what_a_bot_may_not_see_it_is_not_told() {
    let scene = Scene::usual().await;
    let hidden = scene.acme.text("hidden");
    let overwrite = Overwrite { id: scene.app.bot, member: true, allow: 0, deny: permissions::VIEW_CHANNEL };
    scene.acme.overwrite(hidden, overwrite);
    assert_eq!(refused(&scene.app, "GET", &messages(hidden), Value::Null).await, (403, 50_001));
    let mut link = Link::identified(&scene.app, INTENTS).await;
    let guild = link.event("GUILD_CREATE").await;
    assert_eq!(guild["channels"].as_array().expect("a list").len(), 2);
    scene.fake.say(scene.ana, hidden, "secret");
    scene.fake.say(scene.ana, scene.help, "open");
    assert_eq!(link.event("MESSAGE_CREATE").await["content"], "open");
    let id = scene.fake.messages_in(scene.help)[0].id;
    scene.fake.react(scene.ana, scene.help, id, "👍");
    let all = format!("{}/reactions", message(scene.help, id));
    ok(&scene.app, "DELETE", &all, Value::Null).await;
    assert_eq!(link.event("MESSAGE_REACTION_REMOVE_ALL").await["message_id"], id);
    scene.acme.remove_app(&scene.app);
    assert_eq!(link.event("GUILD_DELETE").await["id"], scene.acme.id);
}

#[tokio::test]
async fn members_come_and_go_for_those_with_the_intent() {
    let scene = Scene::usual().await;
    let mut plain = Link::identified(&scene.app, 1).await;
    let mut link = Link::identified(&scene.app, 1 | GUILD_MEMBERS).await;
    let cem = scene.acme.user("Cem");
    assert_eq!(link.event("GUILD_MEMBER_ADD").await["user"]["id"], cem);
    scene.acme.leave(cem);
    assert_eq!(link.event("GUILD_MEMBER_REMOVE").await["user"]["id"], cem);
    assert_eq!(plain.event("GUILD_CREATE").await["member_count"], 4);
    // What came in between would have been next.
    scene.acme.text("new");
    assert_eq!(plain.next().await["t"], "CHANNEL_CREATE");
}

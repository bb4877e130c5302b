//! What happens with what was let in: people, threads, commands, forms, catching up.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use deskbridge_contract::{Outbound, Standing, StandingState};

use super::*;
use crate::api::fake::out;

fn first(bench: &Bench) -> Inbound {
    bench.sink.events.lock().unwrap()[0].clone()
}

#[tokio::test]
async fn people_are_looked_up_once_and_their_names_are_in_the_text() {
    let bench = Bench::new().await;
    for n in 1..4 {
        let said = message("D1ANA", &format!("178999990{n}.000100"), "please ask <@U2GUEST>");
        assert_eq!(bench.event(said).await, StatusCode::OK);
    }
    let inbound = first(&bench);
    assert_eq!(inbound.from.display_name.as_deref(), Some("u1ana"));
    assert_eq!(inbound.from.email.as_deref(), Some("U1ANA@example.com"));
    assert_eq!(inbound.from.language.as_deref(), Some("pt-PT"));
    assert!(bench.sink.texts()[0].contains("u2guest"), "{:?}", bench.sink.texts());
    assert_eq!(bench.fake.methods().iter().filter(|method| *method == "users.info").count(), 2);
    let changed =
        json!({ "type": "user_change", "user": { "id": "U1ANA" }, "event_ts": "1789999910.000000" });
    assert_eq!(bench.event(changed).await, StatusCode::OK);
    bench.event(message("D1ANA", "1789999911.000100", "again")).await;
    assert_eq!(bench.fake.methods().iter().filter(|method| *method == "users.info").count(), 3);
}

/// S74: a guest in the desk channel is from outside.
#[tokio::test]
async fn s74_a_guest_is_external() {
    let bench = Bench::new().await;
    let mut said = message("C0DESK", "1789999900.000100", "let me help");
    said["user"] = "U2GUEST".into();
    said["thread_ts"] = ROOT.into();
    bench.event(said).await;
    assert_eq!(first(&bench).from.kind, SenderKind::External);
}

/// T13: who cannot be looked up is still heard.
#[tokio::test]
async fn t13_an_outage_of_slack_loses_no_message() {
    let down = Arc::new(AtomicBool::new(false));
    let flag = down.clone();
    let bench = Bench::with(move |call| match (flag.load(Ordering::Relaxed), call.method.as_str()) {
        (true, _) => Reply::Http(503, Vec::new(), Vec::new()),
        (false, _) => web_api(call),
    })
    .await;
    bench.event(message("D9", "1789999900.000100", "before")).await;
    down.store(true, Ordering::Relaxed);
    let mut said = message("D9", "1789999901.000100", "during");
    said["user"] = "U9NEW".into();
    assert_eq!(bench.event(said).await, StatusCode::OK);
    assert_eq!(bench.sink.texts(), ["before", "during"]);
    assert_eq!(bench.sink.events.lock().unwrap()[1].from.display_name.as_deref(), Some("U9NEW"));
}

#[tokio::test]
async fn a_called_thread_takes_requesters_also_after_a_restart() {
    let bench = Bench::new().await;
    let at = |root: &str| Address::room(&ChannelName::new("slack"), "C1ALL").thread(root);
    bench.event(message("C1ALL", ROOT, "<@U0BOT> my VPN")).await;
    assert!(bench.adapter.takes_requesters(&at(ROOT)));
    assert!(!bench.adapter.takes_requesters(&at("1789999000.000200")));
    assert!(!bench.adapter.takes_requesters(&Address::room(&ChannelName::new("slack"), "C1ALL")));
    assert!(bench.adapter.takes_requesters(&Address::room(&ChannelName::new("slack"), "D1ANA")));
    // Another run with the same shelf.
    let again = Bench::new().await;
    *again.sink.shelf.lock().unwrap() = bench.sink.shelf.lock().unwrap().clone();
    assert!(!again.adapter.takes_requesters(&at(ROOT)));
    let mut reply = message("C1ALL", "1789999001.000100", "still broken");
    reply["thread_ts"] = ROOT.into();
    again.event(reply).await;
    assert!(again.adapter.takes_requesters(&at(ROOT)));
    assert_eq!(first(&again).address, at(ROOT));
}

#[tokio::test]
async fn unknown_events_and_interactions_are_kept_and_acknowledged() {
    let bench = Bench::new().await;
    assert_eq!(bench.event(json!({ "type": "novelty" })).await, StatusCode::OK);
    let novelty = json!({ "type": "novelty", "team": { "id": "T1" }, "user": { "id": "U1ANA" } }).to_string();
    assert_eq!(bench.form(&[("payload", &novelty)]).await, (StatusCode::OK, String::new()));
    assert_eq!(bench.bring("{\"type\":\"app_rate_limited\",\"team_id\":\"T1\"}").await.0, StatusCode::OK);
    let mut elsewhere = callback(message("D1ANA", "1789999900.000100", "hello"));
    elsewhere["team_id"] = "T9".into();
    assert_eq!(bench.bring(&elsewhere.to_string()).await.0, StatusCode::OK);
    assert_eq!(bench.sink.quarantined.lock().unwrap().len(), 4);
    assert!(bench.sink.events.lock().unwrap().is_empty());
    assert_eq!(bench.form(&[("ssl_check", "1"), ("token", "x")]).await.0, StatusCode::OK);
}

async fn command(bench: &Bench, text: &str, trigger: &str) -> (StatusCode, String) {
    let url = format!("{}/commands/1", bench.fake.base);
    let fields = [
        ("command", "/desk"),
        ("text", text),
        ("team_id", "T1"),
        ("channel_id", "C1ALL"),
        ("user_id", "U1ANA"),
        ("trigger_id", trigger),
        ("response_url", &url),
    ];
    bench.form(&fields).await
}

#[tokio::test]
async fn a_question_by_command_is_answered_in_the_direct_message() {
    let bench = Bench::new().await;
    let (status, said) = command(&bench, "my VPN is *down*", "1.2.a").await;
    assert_eq!(status, StatusCode::OK);
    assert!(said.contains("direct messages") && said.contains("ephemeral"), "{said}");
    let inbound = first(&bench);
    assert_eq!(inbound.address.room.as_str(), "D1ANA");
    assert_eq!(bench.sink.texts(), ["my VPN is **down**"]);
    until("the question is shown", || bench.fake.methods().contains(&"chat.postMessage".to_owned())).await;
    // Once more with the same trigger: a replay.
    command(&bench, "my VPN is *down*", "1.2.a").await;
    assert_eq!(bench.sink.events.lock().unwrap().len(), 1);
    let (_, usage) = command(&bench, "", "1.2.b").await;
    assert!(usage.contains("/desk status"), "{usage}");
    *bench.sink.fail.lock().unwrap() = Some(PushError::Unavailable);
    assert_eq!(command(&bench, "again", "1.2.c").await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_switch_by_command_is_invoked_and_its_answer_said_at_once() {
    let bench = Bench::new().await;
    *bench.sink.toast.lock().unwrap() =
        Some(Toast { text: "Only technicians can do that.".into(), alert: false });
    let (status, said) = command(&bench, "on", "1.2.a").await;
    assert_eq!(status, StatusCode::OK);
    assert!(said.contains("Only technicians"), "{said}");
    assert!(matches!(first(&bench).event, InboundEvent::Invoked { action, .. } if action == "on"));
}

pub(super) fn press(bench: &Bench, action: Value) -> String {
    json!({ "type": "block_actions", "team": { "id": "T1" }, "user": { "id": "U1ANA" }, "trigger_id": "7.8.c",
        "response_url": format!("{}/actions/1", bench.fake.base), "channel": { "id": "C0DESK" },
        "container": { "type": "message", "message_ts": ROOT, "channel_id": "C0DESK" }, "actions": [action] })
    .to_string()
}

#[tokio::test]
async fn a_press_is_pushed_and_its_toast_goes_to_the_response_url() {
    let bench = Bench::new().await;
    *bench.sink.toast.lock().unwrap() = Some(Toast { text: "A ticket is being opened".into(), alert: false });
    let body =
        press(&bench, json!({ "type": "button", "action_id": "ticket", "action_ts": "1790000000.000000" }));
    assert_eq!(bench.form(&[("payload", &body)]).await, (StatusCode::OK, String::new()));
    assert_eq!(first(&bench).address.thread.unwrap().as_str(), ROOT);
    let fake = bench.fake.clone();
    until("the toast", move || {
        fake.calls().iter().any(|call| call.text().contains("A ticket is being opened"))
    })
    .await;
}

#[tokio::test]
async fn a_form_is_opened_with_its_trigger() {
    let bench = Bench::new().await;
    let menu =
        json!({ "type": "overflow", "action_id": "more", "selected_option": { "value": "open:snooze" } });
    let body = press(&bench, menu);
    assert_eq!(bench.form(&[("payload", &body)]).await, (StatusCode::OK, String::new()));
    let fake = bench.fake.clone();
    until("the form", move || {
        fake.calls().iter().any(|call| call.method == "views.open" && call.json()["trigger_id"] == "7.8.c")
    })
    .await;
    assert!(bench.sink.events.lock().unwrap().is_empty());
}

fn note(text: &str) -> String {
    let anchor = json!({ "address": Address::room(&ChannelName::new("slack"), "C0DESK").thread(ROOT) });
    json!({ "type": "view_submission", "team": { "id": "T1" }, "user": { "id": "U1ANA" }, "trigger_id": "9.9",
        "view": { "id": "V1", "callback_id": "note", "private_metadata": anchor.to_string(),
            "blocks": [{ "type": "input", "block_id": "text" }],
            "state": { "values": { "text": { "field": { "type": "plain_text_input", "value": text } } } } } })
    .to_string()
}

#[tokio::test]
async fn a_note_by_form_stands_in_the_thread_and_is_stored_as_its_writers() {
    let bench = Bench::new().await;
    assert_eq!(bench.form(&[("payload", &note("ask the vendor"))]).await, (StatusCode::OK, String::new()));
    assert_eq!(bench.sink.texts(), ["🔒 ask the vendor"]);
    let inbound = first(&bench);
    assert_eq!(inbound.from.id.as_str(), "U1ANA");
    assert!(
        matches!(&inbound.event, InboundEvent::Posted { message, .. } if message.as_str() == "1789999500.000100")
    );
    let calls = bench.fake.calls();
    let posted = calls.iter().find(|call| call.method == "chat.postMessage").unwrap().json();
    assert_eq!((posted["thread_ts"].as_str(), posted["username"].as_str()), (Some(ROOT), Some("u1ana")));
    // What could not be stored does not stay.
    *bench.sink.fail.lock().unwrap() = Some(PushError::Unavailable);
    assert_eq!(bench.form(&[("payload", &note("again"))]).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert!(bench.fake.methods().contains(&"chat.delete".to_owned()));
}

#[tokio::test]
async fn the_home_tab_shows_requests_and_the_switch_to_technicians() {
    let bench = Bench::new().await;
    bench.event(message("D1ANA", "1789999900.000100", "my VPN")).await;
    let standing = Standing {
        reference: "#7".into(),
        state: StandingState::Waiting,
        technician: None,
        ticket: None,
        position: Some(1),
        subject: "my VPN".into(),
        rating: None,
    };
    let at = Address::room(&ChannelName::new("slack"), "D1ANA");
    bench.adapter.standing(&at, &standing).await.unwrap();
    assert!(!bench.fake.methods().contains(&"views.publish".to_owned()), "nobody looks yet");
    let opened = json!({ "type": "app_home_opened", "user": "U1ANA", "channel": "D1ANA", "tab": "home",
        "event_ts": "1789999901.000000" });
    bench.event(opened.clone()).await;
    let published = |bench: &Bench| {
        let calls = bench.fake.calls();
        let published = calls.iter().filter(|call| call.method == "views.publish");
        published.map(|call| call.text()).collect::<Vec<_>>()
    };
    until("the page", || published(&bench).len() == 1).await;
    assert!(published(&bench)[0].contains("#7") && !published(&bench)[0].contains("Your presence"));
    let human = Standing { state: StandingState::Human, technician: Some("Bob".into()), ..standing };
    bench.adapter.standing(&at, &human).await.unwrap();
    until("the page again", || published(&bench).len() == 2).await;
    *bench.sink.duty.lock().unwrap() = Some(Duty::On);
    bench.event(opened).await;
    until("the switch", || published(&bench).iter().any(|page| page.contains("Your presence"))).await;
}

#[tokio::test]
async fn f18_a_revoked_token_ends_the_channel_and_says_why() {
    let bench = Bench::new().await;
    let connection = bench.adapter.clone().intake(bench.sink.inbox()).connect.unwrap();
    let connection = tokio::spawn(connection);
    let fake = bench.fake.clone();
    until("it is known who we are", move || fake.methods().contains(&"auth.test".to_owned())).await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    bench.event(json!({ "type": "tokens_revoked", "tokens": { "bot": ["U0BOT"] } })).await;
    let ended = tokio::time::timeout(std::time::Duration::from_secs(5), connection).await.unwrap().unwrap();
    assert!(
        matches!(ended, Err(deskbridge_contract::SendError::Unauthorized { why }) if why.contains("revoked"))
    );
}

/// What was said in an outage is read from the history, threads included, and what was known already changes nothing.
#[tokio::test]
async fn an_outage_is_caught_up_with() {
    let history = |call: &Call| {
        let asked = call.json();
        let said = |ts: &str, user: &str, text: &str| json!({ "type": "message", "user": user, "text": text, "ts": ts });
        match (call.method.as_str(), asked["channel"].as_str(), asked["ts"].as_str()) {
            ("conversations.history", Some("D1ANA"), _) => Reply::Yes(json!({ "messages": [
                said("1789999990.000100", "U1ANA", "in the outage"),
                said("1789999980.000100", "U0BOT", "our own"),
            ] })),
            ("conversations.replies", Some("C0DESK"), Some(ROOT)) => Reply::Yes(json!({ "messages": [
                said(ROOT, "U0BOT", "the card"),
                { "type": "message", "user": "U5BOB", "text": "On my way", "ts": "1789999991.000100", "thread_ts": ROOT },
            ] })),
            _ => web_api(call),
        }
    };
    let bench = Bench::with(history).await;
    bench.event(message("D1ANA", "1789999900.000100", "before")).await;
    let mut reply = message("C0DESK", "1789999901.000100", "seen");
    reply["thread_ts"] = ROOT.into();
    bench.event(reply).await;
    let connection = tokio::spawn(bench.adapter.clone().intake(bench.sink.inbox()).connect.unwrap());
    let sink = bench.sink.clone();
    until("what was missed", move || sink.events.lock().unwrap().len() == 4).await;
    connection.abort();
    assert_eq!(bench.sink.texts(), ["before", "seen", "in the outage", "On my way"]);
    let last = bench.sink.events.lock().unwrap()[3].clone();
    assert_eq!(last.address.thread.unwrap().as_str(), ROOT);
    // The event itself comes late.
    bench.event(message("D1ANA", "1789999990.000100", "in the outage")).await;
    assert_eq!(bench.sink.events.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn what_slack_left_out_is_asked_for() {
    let bench = Bench::new().await;
    bench.event(message("D1ANA", "1789999900.000100", "before")).await;
    let connection = tokio::spawn(bench.adapter.clone().intake(bench.sink.inbox()).connect.unwrap());
    let asked = || bench.fake.methods().iter().filter(|method| *method == "conversations.history").count();
    until("the first look", || asked() == 1).await;
    bench.bring("{\"type\":\"app_rate_limited\",\"team_id\":\"T1\",\"minute_rate_limited\":1}").await;
    until("the second", || asked() == 2).await;
    connection.abort();
}

/// What we say ourselves is no proof that everything was heard before it.
#[tokio::test]
async fn own_posts_hide_nothing_that_was_missed() {
    let bench = Bench::with(|call| match call.method.as_str() {
        // A quarter of an hour earlier: for what was edited since.
        "conversations.history" if call.json()["oldest"] == "1789998500.000100" => {
            Reply::Yes(json!({ "messages": [message("D1ANA", "1789999450.000100", "missed")] }))
        }
        _ => web_api(call),
    })
    .await;
    bench.event(message("D1ANA", "1789999400.000100", "before")).await;
    let op = deskbridge_contract::OutboundOp::Post {
        content: deskbridge_contract::Content::text("our answer"),
        files: Vec::new(),
        persona: None,
        reply_to: None,
    };
    let at = Address::room(&ChannelName::new("slack"), "D1ANA");
    bench.adapter.send(&out(at, op)).await.unwrap();
    let connection = tokio::spawn(bench.adapter.clone().intake(bench.sink.inbox()).connect.unwrap());
    until("what was missed", || bench.sink.texts().len() == 2).await;
    connection.abort();
    assert_eq!(bench.sink.texts(), ["before", "missed"]);
}

/// Edited while nothing could be received: told once, as the event would have. What was edited before says nothing new.
#[tokio::test]
async fn edits_of_an_outage_are_read() {
    let edited = |ts: &str, text: &str, at: &str| {
        let mut message = message("D1ANA", ts, text);
        message["edited"] = json!({ "user": "U1ANA", "ts": at });
        message
    };
    let history = json!({ "messages": [
        edited("1789999400.000100", "after", "1789999460.000000"),
        edited("1789999300.000100", "long since", "1789999350.000000"),
        message("D1ANA", "1789999470.000100", "missed"),
    ] });
    let bench = Bench::with(move |call| match call.method.as_str() {
        "conversations.history" => Reply::Yes(history.clone()),
        _ => web_api(call),
    })
    .await;
    bench.event(message("D1ANA", "1789999400.000100", "before")).await;
    let connection = tokio::spawn(bench.adapter.clone().intake(bench.sink.inbox()).connect.unwrap());
    until("what was missed", || bench.sink.events.lock().unwrap().len() == 3).await;
    connection.abort();
    let events = bench.sink.events.lock().unwrap().clone();
    let InboundEvent::Edited { message, content } = &events[1].event else { panic!("{:?}", events[1]) };
    assert_eq!((message.as_str(), content.text.as_str()), ("1789999400.000100", "after"));
    assert!(matches!(&events[2].event, InboundEvent::Posted { content, .. } if content.text == "missed"));
}

#[tokio::test]
async fn what_was_sent_leads_reactions_to_its_thread() {
    let bench = Bench::new().await;
    let thread = Address::room(&ChannelName::new("slack"), "C1ALL").thread(ROOT);
    bench.event(message("C1ALL", ROOT, "<@U0BOT> help")).await;
    let op = deskbridge_contract::OutboundOp::Post {
        content: deskbridge_contract::Content::text("Did you restart it?"),
        files: Vec::new(),
        persona: None,
        reply_to: None,
    };
    let answer: Outbound = out(thread.clone(), op);
    bench.adapter.send(&answer).await.unwrap();
    bench
        .event(json!({ "type": "reaction_added", "user": "U1ANA", "reaction": "+1", "event_ts": "1789999950.000000",
            "item": { "type": "message", "channel": "C1ALL", "ts": "1789999500.000100" } }))
        .await;
    let last = bench.sink.events.lock().unwrap().last().unwrap().clone();
    assert!(matches!(last.event, InboundEvent::Reacted { .. }));
    assert_eq!(last.address, thread);
}

#[tokio::test]
async fn a_person_can_be_forgotten() {
    let bench = Bench::new().await;
    bench.event(message("D1ANA", "1789999000.000100", "my canary")).await;
    let mention = json!({ "type": "app_mention", "channel": "C2ALL", "user": "U1ANA", "text": "<@U0BOT> help",
        "ts": "1789999001.000100", "event_ts": "1789999001.000100" });
    bench.event(mention).await;
    let opened = json!({ "type": "app_home_opened", "user": "U1ANA", "channel": "D1ANA", "tab": "home",
        "event_ts": "1789999002.000100" });
    bench.event(opened).await;
    let shelf = bench.sink.inbox().shelf();
    let at = Address::room(&"slack".into(), "D1ANA");
    let standing = Standing {
        reference: "#1".into(),
        state: StandingState::Waiting,
        technician: None,
        ticket: None,
        position: None,
        subject: "my canary".into(),
        rating: None,
    };
    bench.adapter.standing(&at, &standing).await.unwrap();
    let named = |who: &str| {
        let shelf = bench.sink.shelf.lock().unwrap();
        shelf.iter().filter(|(key, value)| key.contains(who) || value.contains(who)).count()
    };
    until("the page, the thread and the marks are kept", || named("U1ANA") >= 3 && named("D1ANA") >= 1).await;
    until("it is published", || shown_homes(&bench).iter().any(|home| home.contains("my canary"))).await;
    let user = RemoteUserId("U1ANA".into());
    for _ in 0..2 {
        let stays = bench.adapter.forget(&shelf, &user, std::slice::from_ref(&at)).await.unwrap();
        assert_eq!(stays.len(), 1, "only the messages: {stays:?}");
        assert_eq!((named("U1ANA"), named("D1ANA")), (0, 0));
    }
    // Slack keeps showing what was published last.
    let shown = shown_homes(&bench);
    assert!(shown.last().is_some_and(|home| !home.contains("canary")), "{shown:?}");
    // A change that was being told meanwhile finds nobody.
    bench.adapter.standing(&at, &standing).await.unwrap();
    assert_eq!((named("U1ANA"), named("D1ANA")), (0, 0));
}

/// What was published to home tabs, one after another.
fn shown_homes(bench: &Bench) -> Vec<String> {
    let calls = bench.fake.calls().into_iter().filter(|call| call.method == "views.publish");
    calls.map(|call| call.text()).collect()
}

/// A home tab that cannot be emptied now is tried again, and one that Slack refuses is told about.
#[tokio::test]
async fn a_home_tab_that_stays_is_said() {
    let mood = Arc::new(AtomicUsize::new(0));
    let says = mood.clone();
    let bench = Bench::with(move |call| match (call.method.as_str(), says.load(Ordering::Relaxed)) {
        ("views.publish", 1) => Reply::Http(503, Vec::new(), Vec::new()),
        ("views.publish", 2) => Reply::No("not_enabled"),
        _ => web_api(call),
    })
    .await;
    let opened = json!({ "type": "app_home_opened", "user": "U1ANA", "channel": "D1ANA", "tab": "home",
        "event_ts": "1789999002.000100" });
    bench.event(opened).await;
    until("the tab was drawn", || !shown_homes(&bench).is_empty()).await;
    let (shelf, user) = (bench.sink.inbox().shelf(), RemoteUserId("U1ANA".into()));
    let kept = || bench.sink.shelf.lock().unwrap().keys().any(|key| key.contains("home:U1ANA"));
    mood.store(1, Ordering::Relaxed);
    assert!(bench.adapter.forget(&shelf, &user, &[]).await.is_err());
    assert!(kept(), "else it would not be known that there is a tab");
    mood.store(2, Ordering::Relaxed);
    let stays = bench.adapter.forget(&shelf, &user, &[]).await.unwrap();
    assert!(stays.iter().any(|what| what.contains("home tab")) && !kept(), "{stays:?}");
}

//! What opens beside messages: the history behind a card, the question on App Home.
//!
//! Not here: how they look (`blocks/tests.rs`).

use deskbridge_contract::{Action, CardState};

use super::flow::press;
use super::*;

fn card() -> Card {
    Card {
        reference: "#7".into(),
        title: "VPN".into(),
        state: CardState::Waiting,
        status: "Waiting".into(),
        requester: "Ana".into(),
        facts: Vec::new(),
        summary: "it ends here".into(),
        hint: String::new(),
    }
}

fn button(page: usize, value: &str) -> Value {
    json!({ "type": "button", "action_id": "open:history|after", "value": format!("{page} {value}"),
        "action_ts": "1790000000.000000" })
}

fn by(body: &str, user: &str) -> String {
    body.replace("U1ANA", user)
}

async fn calls_of(bench: &Bench, method: &str, count: usize) -> Vec<Value> {
    let of = |bench: &Bench| {
        let calls = bench.fake.calls();
        calls.iter().filter(|call| call.method == method).map(Call::json).collect::<Vec<_>>()
    };
    until(method, || of(bench).len() >= count).await;
    of(bench)
}

#[tokio::test]
async fn more_of_a_conversation_opens_and_its_pages_turn() {
    let bench = Bench::new().await;
    let said = (0..150).map(|nth| format!("**Ana:** line {nth} {}", "of it ".repeat(40))).collect();
    *bench.sink.history.lock().unwrap() = Some((card(), said));
    let body = by(&press(&bench, button(0, "#7")), "U5BOB");
    assert_eq!(bench.form(&[("payload", &body)]).await, (StatusCode::OK, String::new()));
    let opened = calls_of(&bench, "views.open", 1).await.remove(0);
    assert_eq!(opened["trigger_id"], "7.8.c");
    let view = &opened["view"];
    assert!(view.to_string().contains("it ends here") && view.to_string().contains("line 0 "));
    let blocks = view["blocks"].as_array().unwrap();
    let turn = blocks.last().unwrap()["elements"][0].clone();
    let mut action = turn.clone();
    action["action_ts"] = "1790000001.000000".into();
    let turned = json!({ "type": "block_actions", "team": { "id": "T1" }, "user": { "id": "U5BOB" }, "trigger_id": "7.9.c",
        "container": { "type": "view", "view_id": "V1" }, "actions": [action],
        "view": { "id": "V1", "hash": "h1", "private_metadata": view["private_metadata"] } })
    .to_string();
    assert_eq!(bench.form(&[("payload", &turned)]).await, (StatusCode::OK, String::new()));
    let updated = calls_of(&bench, "views.update", 1).await.remove(0);
    assert_eq!((updated["view_id"].as_str(), updated["hash"].as_str()), (Some("V1"), Some("h1")));
    let second = updated["view"].to_string();
    assert!(second.contains("Page 2 of") && !second.contains("line 0 "));
    assert!(bench.sink.events.lock().unwrap().is_empty(), "reading changes nothing");
}

/// D11: a hint, as Slack gives it.
#[tokio::test]
async fn slack_tells_who_is_away() {
    let bench = Bench::with(|call| match (call.method.as_str(), call.json()["user"].as_str()) {
        ("users.getPresence", Some("U1ANA")) => Reply::Yes(json!({ "presence": "away" })),
        ("users.getPresence", Some("U5BOB")) => Reply::Yes(json!({ "presence": "active" })),
        ("users.getPresence", Some("U6CEM")) => Reply::Yes(json!({})),
        _ => Reply::No("user_not_found"),
    })
    .await;
    for (user, away) in [("U1ANA", Some(true)), ("U5BOB", Some(false)), ("U6CEM", None)] {
        assert_eq!(bench.adapter.is_away(&RemoteUserId::from(user)).await, Ok(away), "{user}");
    }
    for user in ["U7NOBODY", "../x"] {
        assert!(bench.adapter.is_away(&RemoteUserId::from(user)).await.is_err(), "{user}");
    }
}

/// Whoever is no technician is told so, and a modal of another place leads nowhere.
#[tokio::test]
async fn more_of_a_conversation_is_for_the_desk_alone() {
    let bench = Bench::new().await;
    *bench.sink.history.lock().unwrap() = Some((card(), vec!["**Ana:** a canary".into()]));
    let body = press(&bench, button(0, "#7"));
    bench.form(&[("payload", &body)]).await;
    let fake = bench.fake.clone();
    until("the refusal", move || fake.calls().iter().any(|call| call.text().contains("Only technicians")))
        .await;
    let elsewhere = by(&press(&bench, button(0, "#7")), "U5BOB").replace("C0DESK", "C1ALL");
    bench.form(&[("payload", &elsewhere)]).await;
    assert_eq!(bench.sink.quarantined.lock().unwrap().len(), 1);
    assert!(!bench.fake.methods().contains(&"views.open".to_owned()));
    assert!(bench.fake.calls().iter().all(|call| !call.text().contains("canary")));
}

/// The question stands on App Home until it is answered; the answer is a press like any other.
#[tokio::test]
async fn the_home_tab_asks_who_somebody_is() {
    let bench = Bench::new().await;
    let question = Content::text("Is that you?")
        .with_actions(vec![Action::new("identity:yes", "Yes, that is me"), Action::new("identity:no", "No")]);
    *bench.sink.question.lock().unwrap() = Some(question);
    let opened = |user: &str| {
        json!({ "type": "app_home_opened", "user": user, "channel": "D1ANA", "tab": "home",
            "event_ts": "1789999901.000000" })
    };
    bench.event(opened("U1ANA")).await;
    let page = calls_of(&bench, "views.publish", 1).await.remove(0);
    assert_eq!(page["user_id"], "U1ANA");
    assert!(page.to_string().contains("Is that you?") && page.to_string().contains("My requests"));
    // Nobody asks a guest.
    bench.event(opened("U2GUEST")).await;
    let page = calls_of(&bench, "views.publish", 2).await.remove(1);
    assert!(page["user_id"] == "U2GUEST" && !page.to_string().contains("Is that you?"));
    *bench.sink.question.lock().unwrap() = None;
    *bench.sink.duty.lock().unwrap() = Some(Duty::Off);
    let pressed = json!({ "type": "block_actions", "team": { "id": "T1" }, "user": { "id": "U1ANA" },
        "trigger_id": "7.7.c", "container": { "type": "view", "view_id": "V1" }, "view": { "id": "V1" },
        "actions": [{ "type": "button", "action_id": "identity:yes", "action_ts": "1790000000.000000" }] })
    .to_string();
    assert_eq!(bench.form(&[("payload", &pressed)]).await, (StatusCode::OK, String::new()));
    let event = bench.sink.events.lock().unwrap()[0].clone();
    assert!(matches!(event.event, InboundEvent::Invoked { action, .. } if action == "identity:yes"));
    assert!(event.from.email_verified);
    let page = calls_of(&bench, "views.publish", 3).await.remove(2);
    assert!(page.to_string().contains("Your presence") && !page.to_string().contains("Is that you?"));
}

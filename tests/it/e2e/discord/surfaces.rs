//! Discord's own surfaces: what is suggested while somebody types, answers that grow.
//!
//! Not here: how they look (the adapter's own tests).

use std::time::Duration;

use deskbridge_platforms::discord::{Fault, FaultKind, Message, Snowflake, State};
use deskbridge_platforms::openai::{FakeOpenAi, Reply};
use serde_json::{Value, json};

use super::super::bridge::Base;
use super::{Office, Talk, technician};

const SLOWLY: &str =
    "Please open the **VPN client**, choose *Repair*, wait for a minute and then sign in again.";

/// What somebody who types is offered, as names and values.
async fn offered(
    talk: &Talk,
    user: Snowflake,
    post: Snowflake,
    command: &str,
    typed: (&str, &str),
) -> Vec<(String, String)> {
    let typing = talk.fake.complete(user, &talk.app, post, command, &[(typed.0, json!(typed.1))]);
    let choices = talk
        .office
        .wait(&talk.bridge, "suggestions", |world| world.interactions.get(&typing)?.choices.clone())
        .await;
    let text = |choice: &Value, key: &str| choice[key].as_str().unwrap_or_default().to_owned();
    let all = choices.as_array().cloned().unwrap_or_default();
    all.iter().map(|choice| (text(choice, "name"), text(choice, "value"))).collect()
}

/// `/transfer` and `/invite` know the technicians and the queues, by name; and only technicians hear of them (S70).
#[tokio::test]
async fn discord_names_are_suggested_to_technicians() {
    over(false).await;
}

#[tokio::test]
async fn discord_names_are_suggested_by_http() {
    over(true).await;
}

async fn over(http: bool) {
    let queues =
        "[queues.default]\ntechnicians = [\"bob\", \"cem-oz\"]\n[queues.network]\ntechnicians = [\"nora\"]\n";
    let more = [
        technician("Cem Öz", "discord:1").replace("name =", "id = \"cem-oz\"\nname ="),
        technician("Nora", "discord:2"),
        queues.to_owned(),
    ];
    let talk = Talk::start_with(http, Base::Sqlite, &more.concat(), |text| text).await.expect("SQLite");
    talk.ask("I want to talk to a human");
    let post = talk.office.post(&talk.bridge).await;
    talk.sees(post, "yours to accept").await;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let cem = pair("🟢 Cem Öz", "@cem-oz");
    assert_eq!(offered(&talk, talk.bob, post, "transfer", ("to", "cem")).await, std::slice::from_ref(&cem));
    assert_eq!(offered(&talk, talk.bob, post, "transfer", ("to", "#")).await, [pair("#network", "#network")]);
    let both = offered(&talk, talk.bob, post, "transfer", ("to", "n")).await;
    assert_eq!(both, [pair("🟢 Nora", "@nora"), pair("#network", "#network")]);
    let invited = offered(&talk, talk.bob, post, "invite", ("who", "")).await;
    assert_eq!(invited, [cem, pair("🟢 Nora", "@nora")]);
    assert_eq!(offered(&talk, talk.eve, post, "transfer", ("to", "")).await, []);
    assert_eq!(offered(&talk, talk.ana, post, "invite", ("who", "")).await, []);
    // What was chosen is what happens.
    talk.fake.command(talk.bob, &talk.app, post, "transfer", &[("to", json!("#network"))]);
    talk.until("queue", |world| {
        let card = world.message(post, post);
        card.is_some_and(|card| card.said().contains("network"))
    })
    .await;
    talk.nothing_amiss();
}

/// The answer of a model grows in one message, which becomes the answer.
#[tokio::test]
async fn discord_an_answer_grows_and_comes_once() {
    let model = FakeOpenAi::start().await;
    model.rule(|_| Reply::text(SLOWLY).between(Duration::from_millis(250)).into());
    let settings = format!(
        "[assistant]\nengine = \"openai\"\nbase_url = \"{}\"\nmodel = \"a-model\"\napi_key = \"{}\"\n",
        model.base_url(),
        model.key()
    );
    let change = |text: String| text.replace("[assistant]\n", &settings);
    let talk = Talk::start_with(false, Base::Sqlite, "", change).await.expect("SQLite is always there");
    let dm = talk.dm();
    talk.ask("my vpn says 691");
    let begun = talk
        .office
        .wait(&talk.bridge, "beginning", |world| {
            let own = talk.own(world, dm);
            own.into_iter().find(|message| message.said().ends_with('…')).cloned()
        })
        .await;
    let whole = talk.sees(dm, "sign in again.").await;
    assert_eq!(whole.id, begun.id, "{:?}", talk.fake.transcript(dm));
    assert_eq!(talk.fake.read(|world| talk.own(world, dm).len()), 1);
    talk.nothing_amiss();
}

/// D24: what is for one person is shown to them alone where they asked, with its buttons; and where that cannot be, in the
/// direct messages, where the buttons mean the same.
#[tokio::test]
async fn discord_whispers_are_shown_where_it_was_asked() {
    whispered(false).await;
}

#[tokio::test]
async fn discord_whispers_are_shown_by_http() {
    whispered(true).await;
}

async fn whispered(http: bool) {
    let office = Office::open().await;
    let cem = office.acme.user("Cem");
    let more = technician("Cem", &format!("discord:{cem}"));
    let talk = Talk::start_in(office, http, Base::Sqlite, &more, |text| text).await.expect("SQLite");
    let dm = talk.dm();
    talk.ask("I want to talk to a human");
    let post = talk.office.post(&talk.bridge).await;
    talk.sees(post, "yours to accept").await;
    talk.fake.press(talk.bob, post, post, "Accept");
    talk.sees(dm, "has joined").await;
    talk.fake.command(cem, &talk.app, post, "help", &[]);
    talk.whispered(post, cem, "handback").await;
    talk.fake.command(cem, &talk.app, post, "reply", &[("text", json!("Pull the lever"))]);
    let kept = talk.whispered(post, cem, "Kept internal").await;
    assert_eq!(labels(&kept), ["Send anyway", "Take over"]);
    assert_eq!(talk.count(dm, "Pull the lever"), 0);
    talk.fake.press(cem, post, kept.id, "Send anyway");
    talk.sees(dm, "Pull the lever").await;
    talk.fake.press(cem, post, kept.id, "Take over");
    talk.sees(post, "took this over").await;
    assert_eq!(
        talk.fake.read(|world| world.whispers(post, cem).len()),
        2,
        "{:?}",
        talk.fake.transcript(post)
    );
    // What is simply written can be answered by a direct message only.
    let private = talk.fake.dm(talk.bob, &talk.app);
    talk.fake.say(talk.bob, post, "I have it in my hands");
    let kept = talk.sees(private, "Kept internal").await;
    assert_eq!(labels(&kept), ["Send anyway", "Take over"]);
    talk.fake.press(talk.bob, private, kept.id, "Send anyway");
    talk.sees(dm, "in my hands").await;
    talk.fake.press(talk.bob, private, kept.id, "Take over");
    talk.until("card of Bob's", |world| {
        talk.own(world, post).iter().filter(|message| message.said().contains("took this over")).count() == 2
    })
    .await;
    talk.nothing_amiss();
}

fn labels(message: &Message) -> Vec<String> {
    message.buttons().into_iter().map(|button| button.label).collect()
}

/// Whatever takes longer than Discord waits is answered before it is done: "did not respond" would have people write it twice.
#[tokio::test]
async fn discord_a_slow_reply_by_http() {
    let talk = Talk::start(true, Base::Sqlite).await.expect("SQLite is always there");
    let post = talk.assigned().await;
    let slow = FaultKind::Stall { wait: Duration::from_secs(8), effect: true };
    talk.fake.fault(Fault::on("execute_webhook", slow));
    let typed = talk.fake.command(talk.bob, &talk.app, post, "note", &[("text", json!("not so fast"))]);
    talk.until("answer at first", |world| {
        world.interactions.get(&typed).is_some_and(|it| it.state == State::Deferred)
    })
    .await;
    let calls = talk.fake.requests("execute_webhook");
    assert!(calls.last().is_some_and(|call| call.answered_at.is_none()), "it was done already");
    talk.whispered(post, talk.bob, "Kept in this post").await;
    assert_eq!(talk.count(post, "not so fast"), 1);
    talk.nothing_amiss();
}

/// The verbs that `/help` lists can be typed, and do what it says.
#[tokio::test]
async fn discord_labels_priority_and_company_by_command() {
    let office = Office::open().await;
    let cem = office.acme.user("Cem");
    let more = technician("Cem", &format!("discord:{cem}"));
    let talk = Talk::start_in(office, false, Base::Sqlite, &more, |text| text).await.expect("SQLite");
    let post = talk.assigned().await;
    let levels = offered(&talk, talk.bob, post, "priority", ("level", "ur")).await;
    assert_eq!(levels, [("urgent".to_owned(), "urgent".to_owned())]);
    talk.fake.command(talk.bob, &talk.app, post, "priority", &[("level", json!("urgent"))]);
    talk.whispered(post, talk.bob, "The priority is 2 now").await;
    talk.fake.command(talk.bob, &talk.app, post, "label", &[("words", json!("vpn floor-2"))]);
    talk.whispered(post, talk.bob, "vpn").await;
    talk.fake.command(talk.bob, &talk.app, post, "backup", &[]);
    talk.sees(post, "another pair of eyes").await;
    talk.fake.command(cem, &talk.app, post, "join", &[]);
    talk.sees(post, "Cem").await;
    talk.fake.command(cem, &talk.app, post, "reply", &[("text", json!("Together we manage"))]);
    talk.sees(talk.dm(), "Together we manage").await;
    talk.nothing_amiss();
}

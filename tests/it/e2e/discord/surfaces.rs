//! Discord's own surfaces: what is suggested while somebody types, answers that grow.
//!
//! Not here: how they look (the adapter's own tests).

use std::time::Duration;

use deskbridge_platforms::discord::Snowflake;
use deskbridge_platforms::openai::{FakeOpenAi, Reply};
use serde_json::{Value, json};

use super::super::bridge::Base;
use super::{Talk, technician};

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

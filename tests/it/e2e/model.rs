//! A model behind the built program: its answer grows as a draft, its tool call brings people, and when it is away the
//! articles answer.
//!
//! Not here: oddities of models (src/services/assistant/openai), whole lives of conversations (`life`).

use std::time::Duration;

use deskbridge_platforms::openai::{Answer, FakeOpenAi, Reply};
use serde_json::{Value, json};

use super::bridge::{Base, Way};
use super::talk::{MARIA, Talk};

const SLOWLY: &str =
    "Please open the **VPN client**, choose *Repair*, wait for a minute and then sign in again.";

const SUMMARY: &str = "**Intent**\nA printer with striped pages\n\n**Conversation summary**\n- reported by chat\n\n\
    **Service information**\n- floor 2\n\n**Previous troubleshooting**\n- nothing yet";

async fn with_model(model: &FakeOpenAi) -> Talk {
    let mut talk = Talk::set_up(Way::Polling, Base::Sqlite).await.expect("SQLite is always there");
    let settings = format!(
        "[assistant]\nengine = \"openai\"\nbase_url = \"{}\"\nmodel = \"a-model\"\napi_key = \"{}\"\n",
        model.base_url(),
        model.key()
    );
    talk.bridge.configure(|text| text.replace("[assistant]\n", &settings));
    talk.bridge.start().await;
    talk
}

fn asks_for_a_summary(body: &Value) -> bool {
    body["tools"].is_null()
}

#[tokio::test]
async fn an_answer_grows_as_a_draft_and_comes_once() {
    let model = FakeOpenAi::start().await;
    model.rule(|_| Reply::text(SLOWLY).between(Duration::from_millis(250)).into());
    let talk = with_model(&model).await;
    talk.say("my vpn says 691");
    let drafted = talk
        .wait("draft", |world| world.ledger.drafts.iter().find(|(chat, _)| *chat == MARIA).cloned())
        .await
        .1;
    let plain = "Please open the VPN client, choose Repair, wait for a minute and then sign in again.";
    assert!(plain.starts_with(drafted.trim_end()) && drafted.len() < plain.len(), "{drafted:?}");
    talk.sees(None, plain).await;
    assert_eq!(talk.count(None, plain), 1);
    talk.nothing_amiss();
}

#[tokio::test]
async fn the_model_hands_over_and_sums_up() {
    let model = FakeOpenAi::start().await;
    model.rule(|body| {
        if asks_for_a_summary(body) {
            return Reply::text(SUMMARY).into();
        }
        Reply::tool_call("hand_over", &json!({ "reason": "needs hands on site" })).into()
    });
    let talk = with_model(&model).await;
    let bot = talk.fake.bot_id();
    talk.say("the printer on floor 2 prints stripes");
    let asked = talk
        .wait("way to people", |world| {
            let said = world.messages_in(MARIA, None);
            said.into_iter().rfind(|message| message.is_from(bot) && !message.buttons().is_empty()).cloned()
        })
        .await;
    let button = asked.buttons().first().cloned().expect("a button");
    talk.fake.press(MARIA, MARIA, asked.id, &button.text);
    let topic = talk.offered().await;
    talk.sees(Some(topic), "A printer with striped pages").await;
    talk.nothing_amiss();
}

#[tokio::test]
async fn articles_answer_while_the_model_is_away() {
    let model = FakeOpenAi::start().await;
    model.rule(|_| Answer::Close);
    let talk = with_model(&model).await;
    talk.say("my vpn says 691");
    talk.sees(None, "691").await;
    assert!(!model.chats().is_empty(), "the model was asked first");
    talk.nothing_amiss();
}

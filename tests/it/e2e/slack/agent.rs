//! The agent view: what it offers to ask, the status while the assistant thinks, answers that grow.
//!
//! Not here: models that go wrong (`e2e/model`), a stream call by call (the adapter).

use std::time::Duration;

use deskbridge_platforms::openai::{FakeOpenAi, Reply};
use deskbridge_platforms::slack::{Message, Post, World};
use serde_json::json;

use super::super::bridge::Base;
use super::{Receive, Talk};

const SLOWLY: &str =
    "Please open the **VPN client**, choose *Repair*, wait for a minute and then sign in again.";
const PLAIN: &str = "Please open the VPN client, choose Repair, wait for a minute and then sign in again.";

/// A model that takes some seconds: a busy machine has to see its answer half written, too.
async fn with_model(model: &FakeOpenAi) -> Talk {
    model.rule(|_| Reply::text(SLOWLY).between(Duration::from_millis(600)).into());
    let mut talk = Talk::set_up(Receive::Http, Base::Sqlite).await.expect("SQLite is always there");
    let settings = format!(
        "[assistant]\nengine = \"openai\"\nbase_url = \"{}\"\nmodel = \"a-model\"\napi_key = \"{}\"\n",
        model.base_url(),
        model.key()
    );
    talk.bridge.configure(|text| text.replace("[assistant]\n", &settings));
    talk.run().await;
    talk
}

impl Talk {
    /// A message of the app in this thread that is being streamed, and has not come to its end.
    async fn streams(&self, channel: &str, root: &str) -> Message {
        self.wait("stream", |world| {
            let mut all =
                self.own(world, channel).into_iter().filter(|it| it.thread.as_deref() == Some(root));
            all.find(|it| it.streaming && !it.text.is_empty() && it.text.len() < SLOWLY.len()).cloned()
        })
        .await
    }

    /// The answer took the place of what was streamed, and stands nowhere else.
    async fn answered_by(&self, channel: &str, root: &str, streamed: &Message) {
        self.until("whole answer", |world| {
            let message = world.message(&self.acme.team, channel, &streamed.ts);
            message.is_some_and(|it| !it.streaming && it.shown().contains(PLAIN))
        })
        .await;
        let within = |world: &World| {
            let own = self.own(world, channel);
            own.iter()
                .filter(|it| it.thread.as_deref() == Some(root) && it.shown().contains("VPN client"))
                .count()
        };
        assert_eq!(self.fake.read(within), 1, "{:#?}", self.acme.transcript(channel, Some(root)));
        let typed = (channel.to_owned(), root.to_owned(), "is typing…".to_owned());
        assert!(self.fake.read(|world| world.ledger.statuses.contains(&typed)), "no status before it");
    }
}

/// In the messages tab there are suggestions, and one of them is asked: without a thread Slack streams nothing and has no
/// status; the answer is a message that is edited, and it is one.
#[tokio::test]
async fn slack_a_suggestion_is_asked_and_its_answer_grows() {
    let model = FakeOpenAi::start().await;
    let talk = with_model(&model).await;
    let im = talk.im();
    talk.acme.open_tab(&talk.ana, &talk.app, "messages");
    let offered = talk.wait("suggestions", |world| world.ledger.prompts.first().cloned()).await;
    // "thread_ts … should only be used in the legacy assistant messaging experience".
    assert_eq!((offered.0.as_str(), offered.1.as_str()), (im.as_str(), ""));
    let prompts = offered.2.as_array().expect("a list").clone();
    assert!((1..=4).contains(&prompts.len()), "{prompts:?}");
    talk.ask(prompts[0]["message"].as_str().expect("a message"));
    let answer = talk.sees(&im, PLAIN).await;
    assert!(answer.earlier.first().is_some_and(|begun| begun.trim_end().ends_with('…')), "{answer:?}");
    assert_eq!((answer.thread.as_ref(), talk.count(&im, "VPN client")), (None, 1));
    assert_eq!(talk.fake.read(|world| world.ledger.statuses.clone()), Vec::new());
    assert!(talk.fake.requests("chat.startStream").is_empty());
    talk.nothing_amiss();
}

/// The older assistant view begins a thread of its own in the direct message: it offers there, has a status, then Slack's own
/// stream, and the answer takes its place.
#[tokio::test]
async fn slack_in_an_assistants_thread_the_answer_is_streamed() {
    let model = FakeOpenAi::start().await;
    let talk = with_model(&model).await;
    let im = talk.im();
    let root = talk.ask("hello");
    talk.sees(&im, PLAIN).await;
    talk.app.event(json!({ "type": "assistant_thread_started", "event_ts": "1900000000.000100",
        "assistant_thread": { "user_id": talk.ana, "channel_id": im, "thread_ts": root, "context": {} } }));
    talk.until("suggestions in the thread", |world| {
        world.ledger.prompts.iter().any(|(channel, thread, _)| (channel, thread) == (&im, &root))
    })
    .await;
    talk.acme.reply(&talk.ana, &im, &root, "my vpn says 691");
    let streamed = talk.streams(&im, &root).await;
    talk.answered_by(&im, &root, &streamed).await;
    talk.nothing_amiss();
}

/// Under a mention in a channel it is the same; Slack wants to know for whom it streams there.
#[tokio::test]
async fn slack_under_a_mention_the_answer_is_streamed() {
    let model = FakeOpenAi::start().await;
    let talk = with_model(&model).await;
    let help = talk.acme.channel("help", &[&talk.ana, &talk.app.bot_user]);
    let question = Post::text("my vpn says 691").mentioning(&talk.app.bot_user);
    let root = talk.acme.say(&talk.ana, &help, question);
    let streamed = talk.streams(&help, &root).await;
    talk.answered_by(&help, &root, &streamed).await;
    let begun = talk.fake.requests("chat.startStream");
    assert_eq!(begun.len(), 1);
    let told = (begun[0].text("recipient_user_id"), begun[0].text("recipient_team_id"));
    assert_eq!(told, (Some(talk.ana.as_str()), Some(talk.acme.team.as_str())));
    talk.nothing_amiss();
}

//! What was taken back while the program was not there.
//!
//! Not here: what was said and edited meanwhile (`faults`).

use deskbridge_platforms::slack::Settings;

use super::{Receive, Talk};

/// Words that both sides deleted in an outage go from the other side, too; words that stay do.
#[tokio::test]
async fn slack_deletions_of_an_outage_are_brought_up_to_date() {
    let mut talk = Talk::start(Receive::Http).await;
    let (root, im) = (talk.assigned().await, talk.im());
    let slip = talk.ask("my password is a canary");
    talk.ask("words that stay");
    // In a thread of the direct message: the history does not tell of it.
    let answer = talk.sees(&im, "has joined").await;
    talk.acme.reply(&talk.ana, &im, &answer.ts, "an answer that stays");
    talk.sees(&talk.desk, "an answer that stays").await;
    // Before the others: what was said first is looked at first.
    let note = talk.reply(&root, "🔒 a note for colleagues");
    talk.marked(&talk.desk, &note, "lock").await;
    let told = talk.reply(&root, "pull the wrong lever");
    talk.reply(&root, "advice that stays");
    talk.sees(&im, "advice that stays").await;
    talk.bridge.kill().await;
    talk.acme.reply(&talk.ana, &im, &answer.ts, "an answer that was missed");
    talk.acme.delete(&im, &slip);
    talk.acme.delete(&talk.desk, &told);
    talk.acme.delete(&talk.desk, &note);
    talk.until("end of the retries", |world| world.outstanding() == 0).await;
    assert_eq!((talk.count(&talk.desk, "canary"), talk.count(&im, "wrong lever")), (1, 1));
    talk.run().await;
    talk.until("deletions on the other side", |world| {
        let shows = |channel: &str, text: &str| {
            talk.own(world, channel).iter().any(|message| message.shown().contains(text))
        };
        !shows(&talk.desk, "canary") && !shows(&im, "wrong lever")
    })
    .await;
    // Everything was read; what is still there stays, and goes on.
    talk.sees(&talk.desk, "an answer that was missed").await;
    talk.ask("after");
    talk.sees(&talk.desk, "after").await;
    for text in ["words that stay", "an answer that stays", "an answer that was missed"] {
        assert_eq!(talk.count(&talk.desk, text), 1, "{text}");
    }
    assert_eq!(talk.count(&im, "advice that stays"), 1);
    talk.nothing_amiss();
    let rows = talk.bridge.rows("messages").await;
    let deleted = |text: &str| {
        let of =
            |row: &&serde_json::Value| row["content"]["text"].as_str().is_some_and(|it| it.contains(text));
        rows.iter().filter(of).map(|row| row["deleted"].as_bool()).collect::<Vec<_>>()
    };
    assert_eq!(deleted("a note for colleagues"), [Some(true)], "{rows:?}");
    assert_eq!(deleted("words that stay"), [Some(false)]);
}

/// Where threads cannot be read (`conversations.replies` asks for a user's token in channels), nothing is taken for deleted.
#[tokio::test]
async fn slack_what_cannot_be_read_is_not_deleted() {
    let mut talk = Talk::start(Receive::Http).await;
    let (root, im) = (talk.assigned().await, talk.im());
    let told = talk.reply(&root, "advice that stays");
    talk.sees(&im, "advice that stays").await;
    talk.marked(&talk.desk, &told, "incoming_envelope").await;
    talk.bridge.kill().await;
    talk.fake.settings(|settings: &mut Settings| settings.threads_readable = false);
    let missed = talk.ask("said into the void");
    talk.until("end of the retries", |world| world.outstanding() == 0).await;
    talk.run().await;
    talk.sees(&talk.desk, "said into the void").await;
    talk.until("a refused reading", |world| {
        world
            .requests("conversations.replies")
            .iter()
            .any(|call| call.error() == Some("not_allowed_token_type"))
    })
    .await;
    talk.ask("after");
    talk.sees(&talk.desk, "after").await;
    assert_eq!(talk.count(&im, "advice that stays"), 1, "{missed}");
}

/// The proxy in front of deskbridge is away while the program lives: Slack gives up on one message, and brings the next one
/// only at its third or fourth try. By then others came at once.
#[tokio::test]
async fn slack_an_outage_of_the_proxy_is_caught_up() {
    let talk = Talk::start(Receive::Http).await;
    let (root, im) = (talk.assigned().await, talk.im());
    talk.ask("before");
    talk.sees(&talk.desk, "before").await;
    let proxy = talk.bridge.url("/hooks/slack");
    // Nobody listens there.
    talk.app.post_to("http://127.0.0.1:1/hooks/slack");
    talk.ask("said into the void");
    talk.reply(&root, "answered into the void");
    talk.until("end of the retries", |world| world.outstanding() == 0).await;
    assert!(talk.fake.read(|world| world.ledger.lost.len()) >= 2);
    // Long enough for somebody to look between the tries.
    talk.fake.settings(|settings: &mut Settings| settings.time_scale = 0.05);
    let late = talk.ask("said at its end");
    let of = talk.acme.events_about(&im, &late);
    talk.until("its second try", |world| {
        world.ledger.deliveries.iter().any(|delivery| delivery.attempt == 2 && of.contains(&delivery.id))
    })
    .await;
    talk.app.post_to(&proxy);
    talk.ask("after it");
    for text in ["after it", "said at its end", "said into the void"] {
        talk.sees(&talk.desk, text).await;
        assert_eq!(talk.count(&talk.desk, text), 1, "{text}");
    }
    talk.sees(&im, "answered into the void").await;
    talk.nothing_amiss();
}

//! Words that have to wait for a group share a post on the built program (D23).
//!
//! Not here: what becomes of joint posts afterwards (scenarios, the store's suite), faults (simulation).

use std::collections::BTreeSet;

use deskbridge_platforms::telegram::{Message, World};

use super::bridge::{Base, Way};
use super::talk::{MARIA, Talk};

const QUICK: [&str; 6] = ["quick one", "quick two", "quick three", "quick four", "quick five", "quick six"];

/// The bot's posts in the topic that show any of these words now.
fn posts(world: &World, (desk, topic, bot): (i64, i64, i64)) -> Vec<Message> {
    let shows =
        |message: &&Message| message.is_from(bot) && QUICK.iter().any(|words| message.text().contains(words));
    world.messages_in(desk, Some(topic)).into_iter().filter(shows).cloned().collect()
}

async fn six_quick_messages(base: Base) {
    let Some(mut talk) = Talk::start(Way::Polling, base).await else { return };
    let topic = talk.assigned().await;
    // One message in six seconds, and the group has had that by now.
    talk.fake.settings(|settings| {
        settings.group_pace = 1;
        settings.enforce_rate_limits = true;
    });
    let said = QUICK.map(|words| talk.say(words));
    let place = (talk.desk, topic, talk.fake.bot_id());
    let shown = talk
        .wait("all six", |world| {
            let posts = posts(world, place);
            let all = QUICK.iter().all(|words| posts.iter().any(|post| post.text().contains(words)));
            all.then_some(posts)
        })
        .await;
    assert!(shown.len() < QUICK.len(), "{} posts", shown.len());
    let text: Vec<&str> = shown.iter().map(|post| post.text()).collect();
    let text = text.join("\n");
    let at: Vec<usize> = QUICK.iter().map(|words| text.find(words).expect("shown")).collect();
    assert!(at.is_sorted(), "{text}");
    assert!(QUICK.iter().all(|words| text.matches(words).count() == 1), "{text}");

    // An edit of the last of them changes its post and no other.
    talk.fake.settings(|settings| settings.enforce_rate_limits = false);
    talk.fake.edit_message(MARIA, said[5], "quick six, and slow seven");
    let edited = talk.sees(Some(topic), "slow seven").await;
    let joint = shown.last().expect("a post");
    assert_eq!(edited.id, joint.id);
    assert_eq!(edited.text(), joint.text().replace("quick six", "quick six, and slow seven"));
    talk.nothing_amiss();

    // An attempt each, all of those in one post begun at once; a message of ours that the post belongs to.
    let joints = talk.bridge.rows("joints").await;
    assert_eq!(joints.len(), QUICK.len() - shown.len());
    let leads: BTreeSet<String> = joints.iter().map(|row| row["lead"].to_string()).collect();
    assert!(!leads.is_empty() && leads.len() <= shown.len(), "{joints:?}");
}

#[tokio::test]
async fn d23_six_quick_messages_need_fewer_posts() {
    six_quick_messages(Base::Sqlite).await;
}

#[tokio::test]
async fn pg_d23_six_quick_messages_need_fewer_posts() {
    six_quick_messages(Base::Postgres).await;
}

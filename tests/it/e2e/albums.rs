//! Several files sent at once on Telegram, by long poll and by webhook.
//!
//! Not here: parts that come late or twice (scenarios, the store's suite).

use deskbridge_platforms::telegram::Post;

use super::bridge::{Base, Way};
use super::talk::{MARIA, Talk};

async fn one_message(way: Way) {
    let mut talk = Talk::start(way, Base::Sqlite).await.expect("SQLite is always there");
    let topic = talk.assigned().await;
    let document = |n: u8| Post::document(&format!("log-{n}.txt"), "text/plain", format!("log {n}"));
    let first = document(1).caption("three logs");
    talk.fake.album(MARIA, MARIA, None, vec![first, document(2), document(3)]);
    let bot = talk.fake.bot_id();
    let files = |world: &deskbridge_platforms::telegram::World| {
        let of_bot = |message: &&deskbridge_platforms::telegram::Message| {
            message.is_from(bot) && message.media().is_some()
        };
        world.messages_in(talk.desk, Some(topic)).into_iter().filter(of_bot).count()
    };
    talk.until("three files", |world| files(world) == 3).await;
    talk.sees(Some(topic), "three logs").await;
    talk.nothing_amiss();
    let rows = talk.bridge.rows("messages").await;
    let sent: Vec<usize> = rows
        .iter()
        .filter_map(|row| row["content"]["attachments"].as_array().map(Vec::len))
        .filter(|files| *files > 0)
        .collect();
    assert_eq!(sent, [3]);
}

#[tokio::test]
async fn an_album_by_long_poll() {
    one_message(Way::Polling).await;
}

#[tokio::test]
async fn an_album_by_webhook() {
    one_message(Way::Webhook).await;
}

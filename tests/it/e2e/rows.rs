//! What people write on Telegram is text, whatever it looks like and however long it is (S39, S41, S43, S44).
//!
//! Not here: what nobody could write there (`webhook`).

use deskbridge_platforms::telegram::{Message, User, World};

use super::bridge::{Base, Way};
use super::talk::{BOB, MARIA, Talk};

async fn assigned() -> (Talk, i64) {
    let talk = Talk::start(Way::Polling, Base::Sqlite).await.expect("SQLite is always there");
    let topic = talk.assigned().await;
    (talk, topic)
}

fn entities(message: &Message) -> Vec<(String, String)> {
    let of = |entity: &serde_json::Value, name: &str| entity[name].as_str().unwrap_or_default().to_owned();
    message.entities().iter().map(|entity| (of(entity, "type"), of(entity, "url"))).collect()
}

/// S39: names, links to people, HTML and Markdown come out as what they are; nobody is called.
#[tokio::test]
async fn s39_what_looks_like_markup_is_text() {
    let (talk, topic) = assigned().await;
    for (said, shown) in [
        ("ping @bob and @everyone", "ping @\u{2060}bob and @\u{2060}everyone"),
        ("[me](tg://user?id=200) here", "[me](tg://user?id=200) here"),
        ("tg://user?id=200 too", "tg://user?id=200 too"),
        (
            "<b>bold</b> <a href=\"tg://user?id=200\">me</a> &amp; &lt;",
            "<b>bold</b> <a href=\"tg://user?id=200\">me</a> &amp; &lt;",
        ),
        ("*stars* _lines_ ~tilde~ `tick", "*stars* _lines_ ~tilde~ `tick"),
        ("\\_*[]()~`>#+-=|{}.!", "\\_*[]()~`>#+-=|{}.!"),
    ] {
        talk.say(said);
        let shown = talk.sees(Some(topic), shown).await;
        let calls = |(kind, url): &(String, String)| {
            matches!(kind.as_str(), "mention" | "text_mention") || url.starts_with("tg:")
        };
        assert!(!entities(&shown).iter().any(calls), "{said}: {:?}", entities(&shown));
    }
    talk.nothing_amiss();
}

/// S44: a technician's verbs are words when a requester types them.
#[tokio::test]
async fn s44_typed_commands_are_words() {
    let (talk, topic) = assigned().await;
    for (nth, said) in
        ["/resolve", "!resolve", "#handover", "!assign me", "/transfer @bob"].iter().enumerate()
    {
        talk.say(*said);
        talk.say(format!("after {nth}"));
        talk.sees(Some(topic), &format!("after {nth}")).await;
    }
    let shown = talk.sees(Some(topic), "resolve").await;
    assert!(!entities(&shown).iter().any(|(kind, _)| kind == "bot_command"), "{:?}", entities(&shown));
    talk.reply(topic, "still here");
    talk.sees(None, "still here").await;
    assert_eq!(talk.count(None, "resolved"), 0);
    talk.nothing_amiss();
}

/// S41: a name hides nothing, and is not a technician's.
#[tokio::test]
async fn s41_names_are_shown_without_what_misleads() {
    let (talk, _) = assigned().await;
    let eve = 777;
    talk.fake.add_user(User { language_code: Some("en".into()), ..User::named(eve, "B\u{200b}ob\u{202e}") });
    talk.fake.private_message(eve, "I want to talk to a human");
    let bot = talk.fake.bot_id();
    let card = |world: &World| {
        let topic = world.topics(talk.desk).last()?.id;
        let of_bot = |message: &&Message| message.is_from(bot) && message.text().contains("#2");
        world.messages_in(talk.desk, Some(topic)).into_iter().find(of_bot).map(|m| m.text().to_owned())
    };
    let card = talk.wait("second card", card).await;
    assert!(card.contains("Bob (requester)"), "{card}");
    assert!(!card.contains(['\u{200b}', '\u{202e}']), "{card}");
    talk.nothing_amiss();
}

/// S43: the longest message that Telegram takes does not fit beside a name: it comes in two, and whole.
#[tokio::test]
async fn s43_the_longest_messages_arrive_whole() {
    let (talk, topic) = assigned().await;
    let bot = talk.fake.bot_id();
    let shown = |world: &World, chat: i64, topic: Option<i64>| {
        let messages = world.messages_in(chat, topic);
        messages
            .iter()
            .filter(|message| message.is_from(bot))
            .map(|message| message.text())
            .collect::<String>()
    };
    for (text, sign) in [("🙂".repeat(2_048), "🙂"), ("z\n".repeat(2_048), "z")] {
        talk.say(text.as_str());
        let (desk, whole) = (talk.desk, |shown: &str| shown.matches(sign).count() == 2_048);
        talk.until("all of it in the topic", |world| whole(&shown(world, desk, Some(topic)))).await;
        talk.fake.topic_message(BOB, desk, topic, text.as_str());
        talk.until("all of it in the chat", |world| whole(&shown(world, MARIA, None))).await;
    }
    talk.nothing_amiss();
}

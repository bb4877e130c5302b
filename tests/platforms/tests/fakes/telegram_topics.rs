use deskbridge_platforms::telegram::{ChatKind, FakeTelegram, Rights, Standing};
use serde_json::json;

use crate::client::{ok, refused, updates};

async fn desk() -> (FakeTelegram, i64, i64) {
    let fake = FakeTelegram::start().await;
    fake.user(20, "Bob");
    let desk = fake.forum("Desk");
    let topic = ok(&fake, "createForumTopic", json!({ "chat_id": desk, "name": "Ana · printer" })).await;
    let thread = topic["message_thread_id"].as_i64().expect("a thread");
    (fake, desk, thread)
}

#[tokio::test]
async fn a_topic_is_opened_written_to_renamed_closed_and_deleted() {
    let (fake, desk, thread) = desk().await;
    let into = |text: &str| json!({ "chat_id": desk, "message_thread_id": thread, "text": text });
    let shown = ok(&fake, "sendMessage", into("card")).await;
    assert_eq!((&shown["message_thread_id"], &shown["is_topic_message"]), (&json!(thread), &json!(true)));
    assert!(shown["reply_to_message"]["forum_topic_created"]["name"].is_string());
    let named = |name: &str| json!({ "chat_id": desk, "message_thread_id": thread, "name": name });
    ok(&fake, "editForumTopic", named("Ana · solved")).await;
    assert_eq!(
        refused(&fake, "editForumTopic", named("Ana · solved")).await.1,
        "Bad Request: TOPIC_NOT_MODIFIED"
    );
    let topic = json!({ "chat_id": desk, "message_thread_id": thread });
    ok(&fake, "closeForumTopic", topic.clone()).await;
    assert_eq!(refused(&fake, "closeForumTopic", topic.clone()).await.1, "Bad Request: TOPIC_NOT_MODIFIED");
    ok(&fake, "sendMessage", into("an administrator may")).await;
    ok(&fake, "reopenForumTopic", topic.clone()).await;
    assert_eq!(fake.transcript(desk, Some(thread)), ["bot: card", "bot: an administrator may"]);
    ok(&fake, "deleteForumTopic", topic.clone()).await;
    assert_eq!(refused(&fake, "sendMessage", into("x")).await.1, "Bad Request: message thread not found");
    assert_eq!(refused(&fake, "closeForumTopic", topic).await.1, "Bad Request: TOPIC_ID_INVALID");
    // The vendor tells a bot nothing of what it did itself.
    assert!(updates(&fake, 0).await.is_empty());
}

#[tokio::test]
async fn people_write_in_topics_and_in_general() {
    let (fake, desk, thread) = desk().await;
    fake.topic_message(20, desk, thread, "on my way");
    let general = fake.general_message(20, desk, "lunch?");
    fake.general_message(20, desk, deskbridge_platforms::telegram::Post::text("pizza").reply_to(general));
    fake.anonymous_admin_message(desk, Some(thread), "from the top");
    let got = updates(&fake, 0).await;
    assert_eq!(got[0]["message"]["is_topic_message"], true);
    assert!(got[0]["message"]["reply_to_message"]["forum_topic_created"].is_object());
    assert!(got[1]["message"].get("message_thread_id").is_none());
    // A reply chain has a thread id but is no topic.
    assert_eq!(got[2]["message"]["message_thread_id"], general);
    assert!(got[2]["message"].get("is_topic_message").is_none());
    assert_eq!(got[3]["message"]["from"]["username"], "GroupAnonymousBot");
    assert_eq!(got[3]["message"]["sender_chat"]["id"], desk);
    let general =
        refused(&fake, "sendMessage", json!({ "chat_id": desk, "message_thread_id": 1, "text": "x" })).await;
    assert_eq!(general.1, "Bad Request: message thread not found");
}

#[tokio::test]
async fn rights_are_needed() {
    let (fake, desk, thread) = desk().await;
    let bot = fake.bot_id();
    fake.appoint(desk, bot, Some(Rights { can_manage_topics: false, ..Rights::default() }));
    let why = refused(&fake, "createForumTopic", json!({ "chat_id": desk, "name": "x" })).await;
    assert_eq!(why.1, "Bad Request: not enough rights to create a topic");
    fake.close_topic(20, desk, thread);
    let closed =
        refused(&fake, "sendMessage", json!({ "chat_id": desk, "message_thread_id": thread, "text": "x" }))
            .await;
    assert_eq!(closed.1, "Bad Request: TOPIC_CLOSED");
    let plain = fake.group(ChatKind::Supergroup, "Plain");
    let why = refused(&fake, "createForumTopic", json!({ "chat_id": plain, "name": "x" })).await;
    assert_eq!(why.1, "Bad Request: the chat is not a forum");
    let member = ok(&fake, "getChatMember", json!({ "chat_id": desk, "user_id": bot })).await;
    assert_eq!((&member["status"], &member["can_manage_topics"]), (&json!("administrator"), &json!(false)));
}

#[tokio::test]
async fn icons_come_from_the_list() {
    let (fake, desk, _) = desk().await;
    let icons = ok(&fake, "getForumTopicIconStickers", json!({})).await;
    let check = icons
        .as_array()
        .and_then(|icons| icons.iter().find(|icon| icon["emoji"] == "✅"))
        .expect("a check mark");
    let with = |icon: &str| json!({ "chat_id": desk, "name": "x", "icon_custom_emoji_id": icon });
    ok(&fake, "createForumTopic", with(check["custom_emoji_id"].as_str().expect("an id"))).await;
    assert_eq!(refused(&fake, "createForumTopic", with("12345")).await.0, 400);
}

#[tokio::test]
async fn migration_and_kicking_end_a_chat() {
    let (fake, desk, _) = desk().await;
    let new = fake.migrate(desk);
    let (status, body) =
        crate::client::call(&fake, "sendMessage", json!({ "chat_id": desk, "text": "x" })).await;
    assert_eq!((status, &body["parameters"]["migrate_to_chat_id"]), (400, &json!(new)));
    assert_eq!(body["description"], "Bad Request: group chat was upgraded to a supergroup chat");
    ok(&fake, "sendMessage", json!({ "chat_id": new, "text": "x" })).await;
    let got = updates(&fake, 0).await;
    assert_eq!(got[0]["message"]["migrate_to_chat_id"], new);
    assert_eq!(got[1]["message"]["migrate_from_chat_id"], desk);
    fake.set_bot_standing(new, 20, Standing::Kicked);
    let why = refused(&fake, "sendMessage", json!({ "chat_id": new, "text": "x" })).await;
    assert_eq!(why, (403, "Forbidden: bot was kicked from the supergroup chat".into()));
    assert_eq!(updates(&fake, 0).await[2]["my_chat_member"]["new_chat_member"]["status"], "kicked");
}

use deskbridge_platforms::telegram::{ChatKind, FakeTelegram, Post, TINY_PNG};
use teloxide_core::Bot;
use teloxide_core::net::Download;
use teloxide_core::payloads::{CreateForumTopicSetters, GetUpdatesSetters, SendMessageSetters};
use teloxide_core::requests::Requester;
use teloxide_core::types::{
    ChatId, FileId, InlineKeyboardButton, InlineKeyboardMarkup, InputFile, MessageId, ReactionType, Rgb,
    ThreadId, UpdateKind, UserId,
};
use teloxide_core::{ApiError, RequestError};

fn bot(fake: &FakeTelegram) -> Bot {
    let client = {
        crate::client::http();
        Bot::new(fake.token())
    };
    client.set_api_url(url::Url::parse(&fake.base_url()).expect("a URL"))
}

#[tokio::test]
async fn a_real_client_reads_every_answer() {
    let fake = FakeTelegram::start().await;
    let bot = bot(&fake);
    fake.user(7, "Ana");
    fake.private_message(7, "hi");
    let ana = ChatId(7);
    assert_eq!(bot.get_me().await.expect("me").username(), "deskbridge_bot");
    let keyboard = InlineKeyboardMarkup::new([[InlineKeyboardButton::callback("Yes", "y")]]);
    let sent = bot.send_message(ana, "hello").reply_markup(keyboard).await.expect("a message");
    bot.edit_message_text(ana, sent.id, "bye").await.expect("an edit");
    let same = bot.edit_message_text(ana, sent.id, "bye").await.expect_err("no change");
    assert!(matches!(same, RequestError::Api(ApiError::MessageNotModified)), "{same:?}");
    bot.send_document(ana, InputFile::memory("log").file_name("a.log")).await.expect("a document");
    bot.send_photo(ana, InputFile::memory(TINY_PNG)).await.expect("a photo");
    let reaction = ReactionType::Emoji { emoji: "👀".into() };
    let mut react = bot.set_message_reaction(ana, MessageId(1));
    react.reaction = Some(vec![reaction]);
    react.await.expect("a reaction");
    bot.get_chat(ana).await.expect("a chat");
    fake.block(7);
    let blocked = bot.send_message(ana, "x").await.expect_err("blocked");
    assert!(matches!(blocked, RequestError::Api(ApiError::BotBlocked)), "{blocked:?}");
}

#[tokio::test]
async fn a_real_client_reads_topics_and_members() {
    let fake = FakeTelegram::start().await;
    let bot = bot(&fake);
    fake.user(20, "Bob");
    let desk = ChatId(fake.forum("Desk"));
    let colour = Rgb::from_u32(0x6F_B9_F0);
    let topic = bot.create_forum_topic(desk, "Ana").icon_color(colour).await.expect("a topic");
    let thread = topic.thread_id;
    bot.send_message(desk, "card").message_thread_id(thread).await.expect("a message");
    bot.close_forum_topic(desk, thread).await.expect("closed");
    bot.get_forum_topic_icon_stickers().await.expect("icons");
    bot.get_chat_administrators(desk).await.expect("administrators");
    bot.get_chat_member(desk, UserId(fake.bot_id() as u64)).await.expect("a member");
    bot.get_chat(desk).await.expect("a chat");
    fake.delete_topic(desk.0, thread.0.0.into());
    let gone = bot.send_message(desk, "x").message_thread_id(ThreadId(thread.0)).await.expect_err("gone");
    assert!(gone.to_string().contains("message thread not found"), "{gone}");
    let new = fake.migrate(desk.0);
    let moved = bot.send_message(desk, "x").await.expect_err("moved");
    assert!(matches!(moved, RequestError::MigrateToChatId(id) if id.0 == new), "{moved:?}");
}

#[tokio::test]
async fn a_real_client_reads_every_update() {
    let fake = FakeTelegram::start().await;
    let bot = bot(&fake);
    fake.user(7, "Ana");
    let kinds = ["message", "edited_message", "callback_query", "my_chat_member", "message_reaction"];
    fake.change(|w| w.updates.allowed = Some(kinds.iter().map(ToString::to_string).collect()));
    let desk = fake.forum("Desk");
    let thread = fake.open_topic(7, desk, "A topic");
    fake.topic_message(7, desk, thread, "/help @somebody https://example.org");
    fake.anonymous_admin_message(desk, Some(thread), "anonymous");
    let id = fake.private_message(7, "hi");
    fake.edit_message(7, id, "hello");
    fake.react(7, 7, id, Some("👍"));
    fake.press_forged(7, 7, id, "data");
    for post in [Post::photo(TINY_PNG), Post::document("a.txt", "text/plain", "A"), Post::voice("ogg")] {
        fake.private_message(7, post.caption("see"));
    }
    fake.album(7, 7, None, vec![Post::photo(TINY_PNG), Post::photo(TINY_PNG)]);
    let group = fake.group(ChatKind::Group, "Old");
    fake.migrate(group);
    fake.block(7);
    fake.raw_update(serde_json::json!({ "message": "nonsense" }));
    let updates = bot.get_updates().timeout(0).await.expect("updates");
    let odd: Vec<_> = updates.iter().filter(|u| matches!(u.kind, UpdateKind::Error(_))).collect();
    assert_eq!(odd.len(), 1, "{odd:#?}");
    assert_eq!(updates.len(), 16);

    let file = fake.read(|w| w.messages_in(7, None)[2].media().map(|(_, id)| id.to_owned())).expect("a file");
    let file = bot.get_file(FileId(file)).await.expect("a file");
    let mut bytes = Vec::new();
    bot.download_file(&file.path, &mut bytes).await.expect("the bytes");
    assert_eq!(bytes, b"A");
}

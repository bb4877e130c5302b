//! What the fake sends and answers, read by `aiogram`, a judge by others (peers.md): a fake that we wrote could be wrong in
//! the same way as the adapter that we wrote. Needs a Python that has it: `cargo xtask with -- …`.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use deskbridge_platforms::telegram::{
    ChatKind, FakeTelegram, MediaKind, Post, Rights, Settings, Standing, TINY_PNG,
};
use serde_json::{Value, json};

use crate::client::{call, multipart};

/// What aiogram has against these; `None` where it cannot be had.
fn judge(updates: &[Value], answers: &[(String, Value)]) -> Option<Vec<String>> {
    let Some(python) = std::env::var_os("DESKBRIDGE_TEST_PYTHON") else {
        eprintln!("skipped: needs aiogram (DESKBRIDGE_TEST_PYTHON is not set)");
        return None;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fakes/aiogram.py");
    // -P: the script's own name must not stand in for the package's.
    let mut command = Command::new(python);
    command.args(["-P", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("python starts");
    let given = json!({ "updates": updates, "answers": answers }).to_string();
    child.stdin.take().expect("piped").write_all(given.as_bytes()).expect("written");
    let done = child.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    Some(serde_json::from_slice(&done.stdout).expect("a list"))
}

fn world() -> Settings {
    Settings { echo_own_service_messages: true, ..Settings::default() }
}

const KINDS: [&str; 5] =
    ["message", "edited_message", "callback_query", "my_chat_member", "message_reaction"];

/// Every kind of update that the fake can send, and every kind of message in it.
async fn every_update() -> Vec<Value> {
    let fake = FakeTelegram::with(world()).await;
    fake.change(|world| world.updates.allowed = Some(KINDS.map(str::to_owned).to_vec()));
    fake.user(7, "Ana");
    let desk = fake.forum("Desk");
    let thread = fake.open_topic(7, desk, "A topic");
    let first = fake.topic_message(7, desk, thread, "/help@deskbridge_bot @somebody https://example.org");
    fake.topic_message(7, desk, thread, Post::text("an answer").reply_to(first));
    fake.anonymous_admin_message(desk, Some(thread), "anonymous");
    fake.general_message(7, desk, "in General");
    fake.rename_topic(7, desk, thread, "Another name");
    fake.close_topic(7, desk, thread);
    fake.reopen_topic(7, desk, thread);
    let id = fake.private_message(7, "hi");
    fake.edit_message(7, id, "hello");
    fake.touch_message(7, id);
    fake.react(7, 7, id, Some("👍"));
    fake.react(7, 7, id, None);
    fake.press_forged(7, 7, id, "data");
    for kind in [
        MediaKind::Photo,
        MediaKind::Document,
        MediaKind::Video,
        MediaKind::Audio,
        MediaKind::Voice,
        MediaKind::Animation,
        MediaKind::Sticker,
        MediaKind::VideoNote,
    ] {
        let post = Post::file(kind, Some("a.bin"), Some("application/octet-stream"), TINY_PNG);
        fake.private_message(7, if kind == MediaKind::Sticker { post } else { post.caption("see") });
    }
    fake.private_message(7, Post::other(json!({ "contact": { "phone_number": "+1", "first_name": "Bea" } })));
    fake.private_message(7, Post::other(json!({ "dice": { "emoji": "🎲", "value": 3 } })));
    fake.album(7, 7, None, vec![Post::photo(TINY_PNG), Post::photo(TINY_PNG)]);
    let group = fake.group(ChatKind::Group, "Old");
    fake.appoint(group, fake.bot_id(), Some(Rights::default()));
    fake.general_message(7, group, "in a group");
    let group = fake.migrate(group);
    for standing in [Standing::Member, Standing::Left, Standing::Kicked] {
        fake.set_bot_standing(group, 7, standing);
    }
    fake.block(7);
    fake.unblock(7);
    let (_, answer) = call(&fake, "getUpdates", json!({ "timeout": 0, "allowed_updates": KINDS })).await;
    answer["result"].as_array().cloned().expect("updates")
}

#[tokio::test]
async fn every_update_is_one_to_aiogram() {
    let updates = every_update().await;
    let kinds: BTreeSet<&str> = updates
        .iter()
        .flat_map(|update| update.as_object().expect("an object").keys().map(String::as_str))
        .filter(|key| *key != "update_id")
        .collect();
    assert_eq!(kinds, KINDS.into_iter().collect(), "a kind is missing");
    // Two that are not, to see that the judge is awake.
    let broken = json!({ "update_id": 1, "message": { "message_id": "x", "date": 1, "chat": { "id": 7 } } });
    let odd = json!({ "update_id": 1, "message": { "message_id": 1, "date": 1, "made_up": 1,
        "chat": { "id": 7, "type": "private" } } });
    let given = [updates, vec![broken, odd]].concat();
    if let Some(found) = judge(&given, &[]) {
        let awake = |found: &&String| found.contains("chat.type") || found.contains("made_up is not known");
        let (planned, found): (Vec<_>, Vec<_>) = found.iter().partition(awake);
        assert_eq!((found, planned.len()), (Vec::new(), 2));
    }
}

/// Calls that together use every method which the fake has, each at least once with success.
fn calls(desk: i64, thread: i64, message: i64, photo: &str, press: &str) -> Vec<(&'static str, Value)> {
    let there = json!({ "chat_id": desk, "message_thread_id": thread });
    let here = json!({ "chat_id": 7, "message_id": message });
    let with = |base: &Value, more: Value| {
        let mut all = base.clone();
        let fields = more.as_object().into_iter().flatten();
        fields.for_each(|(name, value)| all[name.as_str()] = value.clone());
        all
    };
    let keyboard = json!({ "inline_keyboard": [[{ "text": "Yes", "callback_data": "y" }]] });
    let commands = json!([{ "command": "new", "description": "Begin anew" }]);
    let album = json!([{ "type": "photo", "media": photo }, { "type": "photo", "media": photo }]);
    vec![
        ("getMe", json!({})),
        ("setWebhook", json!({ "url": "https://example.org/hook" })),
        ("getWebhookInfo", json!({})),
        ("deleteWebhook", json!({})),
        ("getUpdates", json!({ "timeout": 0 })),
        ("sendMessage", json!({ "chat_id": 7, "text": "hello", "reply_markup": keyboard })),
        ("sendMessage", with(&there, json!({ "text": "a card" }))),
        ("sendMessageDraft", json!({ "chat_id": 7, "draft_id": 1, "text": "Let me" })),
        ("sendChatAction", json!({ "chat_id": 7, "action": "typing" })),
        ("forwardMessage", json!({ "chat_id": 7, "from_chat_id": 7, "message_id": 1 })),
        ("copyMessage", json!({ "chat_id": 7, "from_chat_id": 7, "message_id": 1 })),
        ("sendPhoto", json!({ "chat_id": 7, "photo": photo })),
        ("sendMediaGroup", json!({ "chat_id": 7, "media": album })),
        ("getFile", json!({ "file_id": photo })),
        ("editMessageText", with(&here, json!({ "text": "bye" }))),
        ("editMessageReplyMarkup", with(&here, json!({ "reply_markup": keyboard }))),
        ("setMessageReaction", with(&here, json!({ "reaction": [{ "type": "emoji", "emoji": "👀" }] }))),
        ("answerCallbackQuery", json!({ "callback_query_id": press, "text": "done" })),
        ("deleteMessage", here.clone()),
        ("deleteMessages", json!({ "chat_id": 7, "message_ids": [message] })),
        ("createForumTopic", json!({ "chat_id": desk, "name": "Ana" })),
        ("editForumTopic", with(&there, json!({ "name": "Bea" }))),
        ("closeForumTopic", there.clone()),
        ("reopenForumTopic", there.clone()),
        ("getForumTopicIconStickers", json!({})),
        ("getChat", json!({ "chat_id": desk })),
        ("getChat", json!({ "chat_id": 7 })),
        ("getChatMember", json!({ "chat_id": desk, "user_id": 7 })),
        ("getChatMemberCount", json!({ "chat_id": desk })),
        ("getChatAdministrators", json!({ "chat_id": desk })),
        ("setMyCommands", json!({ "commands": commands })),
        ("getMyCommands", json!({})),
        ("deleteMyCommands", json!({})),
        ("setMyName", json!({ "name": "Desk" })),
        ("getMyName", json!({})),
        ("setMyDescription", json!({ "description": "IT" })),
        ("getMyDescription", json!({})),
        ("setMyShortDescription", json!({ "short_description": "IT" })),
        ("getMyShortDescription", json!({})),
        ("setChatMenuButton", json!({})),
        ("setMyDefaultAdministratorRights", json!({})),
        ("deleteForumTopic", there),
        // Refusals have a shape, too.
        ("sendMessage", json!({ "chat_id": 99, "text": "to nobody" })),
        ("editMessageText", with(&here, json!({ "text": "too late" }))),
    ]
}

#[tokio::test]
async fn every_answer_is_one_to_aiogram() {
    let fake = FakeTelegram::with(world()).await;
    fake.user(7, "Ana");
    fake.private_message(7, "hi");
    let desk = fake.forum("Desk");
    let thread = fake.open_topic(7, desk, "A topic");
    fake.topic_message(7, desk, thread, "hi");
    let mut answers: Vec<(String, Value)> = Vec::new();
    for (method, field) in [
        ("sendPhoto", "photo"),
        ("sendDocument", "document"),
        ("sendVideo", "video"),
        ("sendAudio", "audio"),
        ("sendVoice", "voice"),
        ("sendAnimation", "animation"),
        ("sendSticker", "sticker"),
        ("sendVideoNote", "video_note"),
    ] {
        let file = vec![(field, "a.png", TINY_PNG.to_vec())];
        let (status, answer) = multipart(&fake, method, &[("chat_id", "7")], file).await;
        assert_eq!(status, 200, "{method}: {answer}");
        answers.push((method.to_owned(), answer));
    }
    let photo = answers[0].1["result"]["photo"][0]["file_id"].as_str().expect("a file").to_owned();
    let (_, sent) = call(&fake, "sendMessage", json!({ "chat_id": 7, "text": "one" })).await;
    let message = sent["result"]["message_id"].as_i64().expect("a message");
    let press = fake.press_forged(7, 7, message, "data");
    for (method, params) in calls(desk, thread, message, &photo, &press) {
        let (status, answer) = call(&fake, method, params.clone()).await;
        let refusal = params["chat_id"] == 99 || params["text"] == "too late";
        assert_eq!(status == 200, !refusal, "{method}: {answer}");
        answers.push((method.to_owned(), answer));
    }
    let moved = fake.group(ChatKind::Group, "Old");
    fake.migrate(moved);
    answers.push((
        "sendMessage".to_owned(),
        call(&fake, "sendMessage", json!({ "chat_id": moved, "text": "moved" })).await.1,
    ));
    if let Some(found) = judge(&[], &answers) {
        assert_eq!(found, Vec::<String>::new());
    }
}

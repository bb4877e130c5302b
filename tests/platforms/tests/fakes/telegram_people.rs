use deskbridge_platforms::telegram::{ChatKind, FakeTelegram, Post};
use serde_json::json;

use crate::client::{ok, refused, updates};

async fn with_ana() -> FakeTelegram {
    let fake = FakeTelegram::start().await;
    fake.user(7, "Ana");
    fake.private_message(7, "/start");
    fake
}

#[tokio::test]
async fn a_pressed_button_waits_for_its_answer() {
    let fake = with_ana().await;
    let keyboard = json!({ "inline_keyboard": [[{ "text": "Talk to a human", "callback_data": "h:1" }]] });
    let sent =
        ok(&fake, "sendMessage", json!({ "chat_id": 7, "text": "Did it help?", "reply_markup": keyboard }))
            .await;
    let message = sent["message_id"].as_i64().expect("an id");
    let query = fake.press(7, 7, message, "Talk to a human");
    let update = updates(&fake, 0).await.pop().expect("an update");
    assert_eq!(update["callback_query"]["data"], "h:1");
    assert_eq!(update["callback_query"]["message"]["message_id"], message);
    ok(&fake, "answerCallbackQuery", json!({ "callback_query_id": query, "text": "Coming" })).await;
    assert!(fake.read(|w| w.presses[&query].answered && w.ledger.toasts[0].1["text"] == "Coming"));
    fake.expire_press(&query);
    let late = refused(&fake, "answerCallbackQuery", json!({ "callback_query_id": query })).await;
    assert_eq!(late.1, "Bad Request: query is too old and response timeout expired or query ID is invalid");
    // Taking the keyboard away is an edit, too.
    ok(&fake, "editMessageReplyMarkup", json!({ "chat_id": 7, "message_id": message })).await;
    assert!(fake.sent_to(7)[0].buttons().is_empty());
    fake.press_forged(7, 7, message, "x:99");
    fake.delete_message(7, message);
    fake.press_forged(7, 7, message, "h:1");
    let got = updates(&fake, 0).await;
    assert_eq!(got[2]["callback_query"]["data"], "x:99");
    assert_eq!(got[3]["callback_query"]["message"]["date"], 0);
}

#[tokio::test]
async fn edits_files_and_albums_of_people() {
    let fake = with_ana().await;
    let id = fake.private_message(7, "printr");
    fake.edit_message(7, id, "printer");
    fake.private_message(7, Post::photo("\u{0}").caption("look"));
    fake.album(
        7,
        7,
        None,
        vec![Post::document("a.txt", "text/plain", "A"), Post::document("b.txt", "text/plain", "B")],
    );
    fake.private_message(7, Post::other(json!({ "location": { "latitude": 1.5, "longitude": 2.5 } })));
    let got = updates(&fake, 0).await;
    assert_eq!(got[0]["message"]["entities"][0]["type"], "bot_command");
    assert_eq!(got[2]["edited_message"]["text"], "printer");
    assert!(got[2]["edited_message"]["edit_date"].is_i64());
    assert_eq!(got[3]["message"]["photo"].as_array().map(Vec::len), Some(2));
    assert_eq!(got[4]["message"]["media_group_id"], got[5]["message"]["media_group_id"]);
    assert_eq!(got[6]["message"]["location"]["latitude"], 1.5);
}

#[tokio::test]
async fn blocking_refuses_until_it_is_undone() {
    let fake = with_ana().await;
    let send = json!({ "chat_id": 7, "text": "x" });
    fake.block(7);
    let why = refused(&fake, "sendMessage", send.clone()).await;
    assert_eq!(why, (403, "Forbidden: bot was blocked by the user".into()));
    fake.unblock(7);
    ok(&fake, "sendMessage", send.clone()).await;
    fake.deactivate(7);
    assert_eq!(refused(&fake, "sendMessage", send).await.1, "Forbidden: user is deactivated");
    let statuses: Vec<_> = updates(&fake, 0).await[1..]
        .iter()
        .map(|update| update["my_chat_member"]["new_chat_member"]["status"].clone())
        .collect();
    assert_eq!(statuses, ["kicked", "member"]);
}

#[tokio::test]
async fn privacy_hides_what_is_not_for_the_bot() {
    let fake = with_ana().await;
    let group = fake.group(ChatKind::Supergroup, "Office");
    let from_bot = ok(&fake, "sendMessage", json!({ "chat_id": group, "text": "hello" })).await;
    let from_bot = from_bot["message_id"].as_i64().expect("an id");
    fake.general_message(7, group, "nobody listens");
    fake.general_message(7, group, "/help me");
    fake.general_message(7, group, Post::text("to you").reply_to(from_bot));
    fake.set_privacy(false);
    fake.general_message(7, group, "somebody listens");
    let texts: Vec<_> = updates(&fake, 0).await[1..].iter().map(|u| u["message"]["text"].clone()).collect();
    assert_eq!(texts, ["/help me", "to you", "somebody listens"]);
}

#[tokio::test]
async fn bots_do_not_hear_bots() {
    let fake = with_ana().await;
    let mut other = deskbridge_platforms::telegram::User::named(99, "Other");
    other.is_bot = true;
    fake.add_user(other);
    let forum = fake.forum("Desk");
    fake.general_message(99, forum, "beep");
    assert_eq!(updates(&fake, 0).await.len(), 1);
}

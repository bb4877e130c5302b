use deskbridge_platforms::telegram::{ChatKind, FakeTelegram, Post, TINY_PNG};
use serde_json::{Value, json};

use crate::client::{call, http, multipart, ok, refused};

async fn with_ana() -> FakeTelegram {
    let fake = FakeTelegram::start().await;
    fake.user(7, "Ana");
    fake.private_message(7, "printer broken");
    fake
}

#[tokio::test]
async fn methods_are_found_in_any_case_and_by_any_encoding() {
    let fake = with_ana().await;
    assert_eq!(ok(&fake, "GetMe", json!({})).await["is_bot"], true);
    ok(&fake, "sendmessage", json!({ "chat_id": 7, "text": "json" })).await;
    let url = format!("{}/bot{}/SendMessage", fake.base_url(), fake.token());
    let form = http().post(&url).header("content-type", "application/x-www-form-urlencoded");
    let form = form.body("chat_id=7&text=form+%26+more").send().await;
    assert_eq!(form.expect("an answer").status(), 200);
    let query = http().get(format!("{url}?chat_id=7&text=query%21+and+blank")).send().await;
    assert_eq!(query.expect("an answer").status(), 200);
    multipart(&fake, "sendMessage", &[("chat_id", "7"), ("text", "multipart")], vec![]).await;
    let lines = fake.transcript(7, None);
    let expected =
        ["Ana: printer broken", "bot: json", "bot: form & more", "bot: query! and blank", "bot: multipart"];
    assert_eq!(lines, expected);
    assert_eq!(fake.requests("sendMessage").len(), 4);
}

#[tokio::test]
async fn token_method_and_chat_must_exist() {
    let fake = with_ana().await;
    let wrong = http().get(format!("{}/bot1:x/getMe", fake.base_url())).send().await.expect("an answer");
    assert_eq!(wrong.status(), 401);
    assert_eq!(refused(&fake, "makeCoffee", json!({})).await, (404, "Not Found".into()));
    let unknown = refused(&fake, "sendMessage", json!({ "chat_id": 99, "text": "x" })).await;
    assert_eq!(unknown, (400, "Bad Request: chat not found".into()));
    fake.user(8, "Bea");
    let first = refused(&fake, "sendMessage", json!({ "chat_id": 8, "text": "x" })).await;
    assert_eq!(first, (403, "Forbidden: bot can't initiate conversation with a user".into()));
}

#[tokio::test]
async fn length_is_counted_in_utf16_units() {
    let fake = with_ana().await;
    let fits = "😀".repeat(2048);
    ok(&fake, "sendMessage", json!({ "chat_id": 7, "text": fits })).await;
    let long = refused(&fake, "sendMessage", json!({ "chat_id": 7, "text": format!("{fits}x") })).await;
    assert_eq!(long.1, "Bad Request: message is too long");
    let empty = refused(&fake, "sendMessage", json!({ "chat_id": 7, "text": " \n " })).await;
    assert_eq!(empty.1, "Bad Request: message text is empty");
}

#[tokio::test]
async fn entities_must_fit_the_text() {
    let fake = with_ana().await;
    let send = |offset: i64, length: i64| {
        json!({ "chat_id": 7, "text": "a😀b",
        "entities": [{ "type": "bold", "offset": offset, "length": length }] })
    };
    let shown = ok(&fake, "sendMessage", send(1, 2)).await;
    assert_eq!(shown["entities"], json!([{ "type": "bold", "offset": 1, "length": 2 }]));
    assert!(refused(&fake, "sendMessage", send(1, 9)).await.1.contains("ends after the end of the text"));
    assert!(refused(&fake, "sendMessage", send(2, 1)).await.1.contains("middle of a UTF-16 symbol"));
}

#[tokio::test]
async fn parse_modes_yield_text_and_entities_or_a_refusal() {
    let fake = with_ana().await;
    let html = json!({ "chat_id": 7, "parse_mode": "HTML", "text": "<b>1 &lt; 2</b> <a href=\"https://x.y/\">z</a>" });
    let shown = ok(&fake, "sendMessage", html).await;
    assert_eq!(shown["text"], "1 < 2 z");
    assert_eq!(
        shown["entities"][1],
        json!({ "type": "text_link", "offset": 6, "length": 1, "url": "https://x.y/" })
    );
    let v2 = json!({ "chat_id": 7, "parse_mode": "MarkdownV2", "text": "*bold _both_* `c_d` \\." });
    let shown = ok(&fake, "sendMessage", v2).await;
    assert_eq!(shown["text"], "bold both c_d .");
    assert_eq!(shown["entities"].as_array().map(Vec::len), Some(3));
    for (mode, broken) in [
        ("HTML", "<b>x"),
        ("HTML", "<what>x</what>"),
        ("MarkdownV2", "done."),
        ("MarkdownV2", "*x"),
        ("Markdown", "*x"),
    ] {
        let params = json!({ "chat_id": 7, "parse_mode": mode, "text": broken });
        let (status, why) = refused(&fake, "sendMessage", params).await;
        assert_eq!(status, 400);
        assert!(why.starts_with("Bad Request: can't parse entities"), "{mode} {broken}: {why}");
    }
}

#[tokio::test]
async fn buttons_are_checked() {
    let fake = with_ana().await;
    let send = |button: Value| json!({ "chat_id": 7, "text": "x", "reply_markup": { "inline_keyboard": [[button]] } });
    ok(&fake, "sendMessage", send(json!({ "text": "ok", "callback_data": "d".repeat(64) }))).await;
    let long =
        refused(&fake, "sendMessage", send(json!({ "text": "ok", "callback_data": "d".repeat(65) }))).await;
    assert_eq!(long.1, "Bad Request: BUTTON_DATA_INVALID");
    assert_eq!(
        refused(&fake, "sendMessage", send(json!({ "text": "ok", "callback_data": "" }))).await.0,
        400
    );
    assert_eq!(refused(&fake, "sendMessage", send(json!({ "text": "ok" }))).await.0, 400);
    assert_eq!(
        refused(&fake, "sendMessage", send(json!({ "text": "ok", "url": "javascript:1" }))).await.0,
        400
    );
    let buttons = fake.sent_to(7)[0].buttons();
    assert_eq!((buttons.len(), buttons[0].text.as_str()), (1, "ok"));
}

#[tokio::test]
async fn replies_need_their_original_unless_allowed() {
    let fake = with_ana().await;
    let send = |reply: Value| json!({ "chat_id": 7, "text": "x", "reply_parameters": reply });
    let shown = ok(&fake, "sendMessage", send(json!({ "message_id": 1 }))).await;
    assert_eq!(shown["reply_to_message"]["text"], "printer broken");
    let gone = refused(&fake, "sendMessage", send(json!({ "message_id": 55 }))).await;
    assert_eq!(gone.1, "Bad Request: message to be replied not found");
    ok(&fake, "sendMessage", send(json!({ "message_id": 55, "allow_sending_without_reply": true }))).await;
}

#[tokio::test]
async fn edits_and_deletions_change_what_is_seen() {
    let fake = with_ana().await;
    let sent = ok(&fake, "sendMessage", json!({ "chat_id": 7, "text": "one" })).await;
    let id = sent["message_id"].clone();
    let edit = |text: &str| json!({ "chat_id": 7, "message_id": id, "text": text });
    assert_eq!(ok(&fake, "editMessageText", edit("two")).await["text"], "two");
    assert!(refused(&fake, "editMessageText", edit("two")).await.1.contains("message is not modified"));
    assert_eq!(fake.sent_to(7)[0].earlier, ["one"]);
    let other = json!({ "chat_id": 7, "message_id": 1, "text": "mine" });
    assert_eq!(refused(&fake, "editMessageText", other).await.1, "Bad Request: message can't be edited");
    ok(&fake, "deleteMessage", json!({ "chat_id": 7, "message_id": id })).await;
    assert_eq!(
        refused(&fake, "editMessageText", edit("three")).await.1,
        "Bad Request: message to edit not found"
    );
    assert_eq!(fake.transcript(7, None), ["Ana: printer broken"]);
}

#[tokio::test]
async fn only_listed_reactions_are_taken() {
    let fake = with_ana().await;
    let react = |emoji: &str| json!({ "chat_id": 7, "message_id": 1, "reaction": [{ "type": "emoji", "emoji": emoji }] });
    ok(&fake, "setMessageReaction", react("👀")).await;
    assert_eq!(fake.read(|w| w.reactions(7, 1, w.bot.id)), ["👀"]);
    assert_eq!(refused(&fake, "setMessageReaction", react("✅")).await.1, "Bad Request: REACTION_INVALID");
    ok(&fake, "setMessageReaction", json!({ "chat_id": 7, "message_id": 1, "reaction": [] })).await;
    assert!(fake.read(|w| w.reactions(7, 1, w.bot.id)).is_empty());
}

#[tokio::test]
async fn files_go_up_and_come_down() {
    let fake = with_ana().await;
    let fields = [("chat_id", "7"), ("caption", "the log")];
    let sent = multipart(&fake, "sendDocument", &fields, vec![("document", "a.log", b"line".to_vec())]).await;
    assert_eq!(sent.0, 200, "{}", sent.1);
    assert_eq!(sent.1["result"]["document"]["file_name"], "a.log");
    let call = &fake.requests("sendDocument")[0];
    assert_eq!((call.files[0].name.as_str(), call.files[0].bytes.as_ref()), ("a.log", b"line".as_slice()));
    let fields = [("chat_id", "7"), ("photo", "attach://p")];
    let photo = multipart(&fake, "sendPhoto", &fields, vec![("p", "x.png", TINY_PNG.to_vec())]).await;
    assert_eq!(photo.0, 200, "{}", photo.1);
    let broken = multipart(&fake, "sendPhoto", &fields, vec![("p", "x.png", b"<svg/>".to_vec())]).await;
    assert_eq!(broken.1["description"], "Bad Request: IMAGE_PROCESS_FAILED");
    let big =
        multipart(&fake, "sendDocument", &[("chat_id", "7")], vec![("document", "b", vec![0; 51 << 20])])
            .await;
    assert_eq!(big.0, 413);

    let id = sent.1["result"]["document"]["file_id"].clone();
    let file = ok(&fake, "getFile", json!({ "file_id": id })).await;
    let path = file["file_path"].as_str().expect("a path").replace('/', "%2F");
    let url = format!("{}/file/bot{}/{path}", fake.base_url(), fake.token());
    let bytes = http().get(url).send().await.expect("an answer").bytes().await.expect("a body");
    assert_eq!(bytes.as_ref(), b"line");
}

#[tokio::test]
async fn large_incoming_files_cannot_be_fetched() {
    let fake = with_ana().await;
    let post =
        Post::document("dump.bin", "application/octet-stream", "x").declared_size(20 * 1024 * 1024 + 1);
    let message = fake.private_message(7, post);
    let id = fake.read(|w| w.message(7, message).and_then(|m| m.media().map(|(_, id)| id.to_owned())));
    let why = refused(&fake, "getFile", json!({ "file_id": id })).await;
    assert_eq!(why, (400, "Bad Request: file is too big".into()));
}

#[tokio::test]
async fn albums_are_several_messages_of_one_group() {
    let fake = with_ana().await;
    let media = json!([
        { "type": "document", "media": "attach://a", "caption": "first" },
        { "type": "document", "media": "attach://b" },
    ]);
    let fields = [("chat_id", "7"), ("media", &media.to_string())];
    let files = vec![("a", "a.txt", b"A".to_vec()), ("b", "b.txt", b"B".to_vec())];
    let (status, body) = multipart(&fake, "sendMediaGroup", &fields, files).await;
    assert_eq!(status, 200, "{body}");
    let shown = body["result"].as_array().expect("messages");
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[0]["media_group_id"], shown[1]["media_group_id"]);
    let one = json!([{ "type": "photo", "media": "attach://a" }]).to_string();
    let lonely = multipart(&fake, "sendMediaGroup", &[("chat_id", "7"), ("media", &one)], vec![]).await;
    assert_eq!(lonely.0, 400);
}

#[tokio::test]
async fn pace_is_written_down_and_enforced_on_demand() {
    let fake = FakeTelegram::start().await;
    fake.user(7, "Ana");
    let group = fake.group(ChatKind::Supergroup, "IT");
    for n in 0..21 {
        ok(&fake, "sendMessage", json!({ "chat_id": group, "text": n.to_string() })).await;
    }
    assert_eq!(fake.read(|w| w.ledger.over_pace.len()), 1);
    fake.enforce_rate_limits(true);
    let (status, body) = call(&fake, "sendMessage", json!({ "chat_id": group, "text": "x" })).await;
    assert_eq!(status, 429);
    assert!(body["parameters"]["retry_after"].as_u64().is_some_and(|seconds| (1..=60).contains(&seconds)));
}

#[tokio::test]
async fn previews_and_actions_are_kept_in_the_ledger() {
    let fake = with_ana().await;
    ok(&fake, "sendMessageDraft", json!({ "chat_id": 7, "draft_id": 3, "text": "Let me" })).await;
    ok(&fake, "sendChatAction", json!({ "chat_id": 7, "action": "typing" })).await;
    assert_eq!(refused(&fake, "sendChatAction", json!({ "chat_id": 7, "action": "dancing" })).await.0, 400);
    fake.read(|world| {
        assert_eq!(world.ledger.drafts, [(7, "Let me".to_owned())]);
        assert_eq!(world.ledger.actions, [(7, "typing".to_owned())]);
        assert_eq!(world.chats[&7].draft.as_deref(), Some("Let me"));
    });
    ok(&fake, "sendMessage", json!({ "chat_id": 7, "text": "Let me look" })).await;
    assert!(fake.read(|world| world.chats[&7].draft.is_none()));
}

#[tokio::test]
async fn parameter_names_can_be_checked_against_the_description() {
    let fake = with_ana().await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/specs/telegram_bot_api.json");
    if fake.check_fields(path).is_err() {
        eprintln!("skipped: no API descriptions");
        return;
    }
    ok(&fake, "sendMessage", json!({ "chat_id": 7, "text": "x", "thread": 5 })).await;
    multipart(&fake, "sendDocument", &[("chat_id", "7")], vec![("document", "a", b"a".to_vec())]).await;
    call(&fake, "getFile", json!({})).await;
    assert_eq!(
        fake.violations(),
        [
            "sendMessage: no parameter thread in the description",
            "getFile: required parameter file_id is missing"
        ]
    );
}

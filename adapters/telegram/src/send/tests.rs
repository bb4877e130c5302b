//! Operations and the calls that they become.

mod classes;
mod drafts;
mod files;

use std::sync::atomic::{AtomicUsize, Ordering};

use deskbridge_contract::{
    Action, Adapter as _, Card, CardState, Content, Interaction, Mark, OutboundOp, Persona, SendError,
    ThreadTitle,
};
use serde_json::{Value, json};

use crate::testing::{Call, Fake, Reply, TOKEN, out, private, topic};

fn post(content: Content) -> OutboundOp {
    OutboundOp::Post { content, files: Vec::new(), persona: None, reply_to: None }
}

fn title() -> ThreadTitle {
    ThreadTitle {
        state: CardState::Waiting,
        reference: "#1042".into(),
        requester: "Maria".into(),
        subject: "VPN".into(),
    }
}

fn card() -> Card {
    Card {
        reference: "#1042".into(),
        title: "VPN".into(),
        state: CardState::Waiting,
        status: "Waiting".into(),
        requester: "Maria".into(),
        facts: Vec::new(),
        summary: "It fails.".into(),
        hint: String::new(),
    }
}

/// A message with the next number.
fn numbered() -> impl Fn(&Call) -> Reply + Send + Sync {
    let next = AtomicUsize::new(100);
    move |_| {
        Reply::Result(json!({ "message_id": next.fetch_add(1, Ordering::Relaxed), "news": { "of": 2031 } }))
    }
}

fn class(error: &SendError) -> String {
    match error {
        SendError::Retry { after: Some(after), .. } => format!("retry {}", after.as_secs()),
        SendError::Retry { after: None, .. } => "retry".into(),
        SendError::Rejected { fixable: true, .. } => "fixable".into(),
        SendError::Rejected { fixable: false, .. } => "rejected".into(),
        SendError::Unauthorized { .. } => "unauthorized".into(),
        SendError::Gone { .. } => "gone".into(),
        SendError::ThreadGone { .. } => "thread gone".into(),
        SendError::Moved { to } => format!("moved {}", to.room),
        SendError::Ambiguous { .. } => "ambiguous".into(),
    }
}

/// C9: neither the token nor its second half is in anything that is shown.
fn assert_secret(error: &SendError) {
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains("planted") && !text.contains("bot7001"), "{text}");
    }
}

#[tokio::test]
async fn a_post() {
    let fake = Fake::start(numbered()).await;
    let content = Content::text("Hello **you** @bob").with_actions(vec![
        Action { id: "csat:1042".into(), label: "Good".into(), value: Some("5".into()) },
        Action::new("human", "Talk to a human"),
    ]);
    let persona = Some(Persona::person("Maria"));
    let op = OutboundOp::Post { content, files: Vec::new(), persona, reply_to: Some("91".into()) };
    let sent = fake.adapter().send(&out(topic(), op)).await.unwrap();
    assert_eq!((sent.message, sent.more, sent.address), (Some("100".into()), Vec::new(), topic()));
    let call = &fake.calls()[0];
    assert_eq!(call.path, format!("/bot{TOKEN}/SendMessage"));
    assert_eq!(
        call.json(),
        json!({
            "chat_id": -1001900000001_i64,
            "message_thread_id": 77,
            "text": "Maria: Hello you @\u{2060}bob",
            "entities": [
                { "type": "bold", "offset": 0, "length": 6 },
                { "type": "bold", "offset": 13, "length": 3 },
            ],
            "link_preview_options": { "is_disabled": true },
            "reply_parameters": { "message_id": 91, "allow_sending_without_reply": true },
            "reply_markup": { "inline_keyboard": [[
                { "text": "Good", "callback_data": "csat:1042|5" },
                { "text": "Talk to a human", "callback_data": "human" },
            ]] },
        })
    );
}

#[tokio::test]
async fn an_edit() {
    let fake = Fake::start(|call| match call.method.as_str() {
        "EditMessageText" if call.body.contains("same") => {
            Reply::No(400, "Bad Request: message is not modified: exactly the same")
        }
        "EditMessageText" if call.body.contains("photo") => {
            Reply::No(400, "Bad Request: there is no text in the message to edit")
        }
        "EditMessageText" if call.body.contains("lost") => {
            Reply::No(400, "Bad Request: message to edit not found")
        }
        _ => Reply::Result(json!({ "message_id": 5 })),
    })
    .await;
    let adapter = fake.adapter();
    let edit = |text: &str| {
        out(private(), OutboundOp::Edit { message: "5".into(), content: Content::text(text), persona: None })
    };
    for text in ["new", "same", "photo"] {
        let sent = adapter.send(&edit(text)).await.unwrap();
        assert_eq!(sent.message, Some("5".into()));
    }
    assert_eq!(class(&adapter.send(&edit("lost")).await.unwrap_err()), "rejected");
    assert_eq!(
        fake.methods(),
        ["EditMessageText", "EditMessageText", "EditMessageText", "EditMessageCaption", "EditMessageText"]
    );
    assert_eq!(fake.calls()[0].json()["message_id"], 5);
    assert_eq!(fake.calls()[3].json()["caption"], "photo");
    let card = Content { card: Some(Box::new(card())), ..Content::text("fallback") };
    adapter
        .send(&out(topic(), OutboundOp::Edit { message: "5".into(), content: card, persona: None }))
        .await
        .unwrap();
    let text = fake.calls().last().unwrap().json()["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("📌 #1042 · Maria · VPN") && !text.contains("fallback"), "{text}");
}

#[tokio::test]
async fn deletions_reactions_and_marks() {
    let fake = Fake::start(|call| match call.method.as_str() {
        "DeleteMessage" if call.json()["message_id"] == 6 => {
            Reply::No(400, "Bad Request: message to delete not found")
        }
        "SetMessageReaction" if call.body.contains("🔥") => Reply::No(400, "Bad Request: REACTION_INVALID"),
        _ => Reply::Result(json!(true)),
    })
    .await;
    let adapter = fake.adapter();
    for id in ["5", "6"] {
        adapter.send(&out(private(), OutboundOp::Delete { message: id.into() })).await.unwrap();
    }
    let react = |emoji: &str, on| OutboundOp::React { message: "5".into(), emoji: emoji.into(), on };
    assert_eq!(adapter.send(&out(private(), react("❤️", true))).await.unwrap().note, None);
    assert_eq!(adapter.send(&out(private(), react("❤️", false))).await.unwrap().note, None);
    assert!(adapter.send(&out(private(), react("🎫", true))).await.unwrap().note.is_some());
    assert!(adapter.send(&out(private(), react("🔥", true))).await.unwrap().note.is_some());
    adapter
        .send(&out(topic(), OutboundOp::Mark { message: "91".into(), mark: Mark::Internal }))
        .await
        .unwrap();
    let reactions: Vec<Value> =
        fake.calls()[2..].iter().map(|call| call.json()["reaction"].clone()).collect();
    let one = |emoji: &str| json!([{ "type": "emoji", "emoji": emoji }]);
    assert_eq!(reactions, [one("❤"), json!([]), one("🔥"), one("🙈")]);
}

#[tokio::test]
async fn topics() {
    let fake = Fake::start(|call| match call.method.as_str() {
        "GetForumTopicIconStickers" => Reply::Result(json!([
            { "emoji": "🔥", "custom_emoji_id": "fire" }, { "emoji": "❗️", "custom_emoji_id": "bang" }, { "emoji": "✅", "custom_emoji_id": "done" },
        ])),
        "CreateForumTopic" => Reply::Result(json!({ "message_thread_id": 88, "name": "x", "icon_color": 1 })),
        "ReopenForumTopic" => Reply::No(400, "Bad Request: TOPIC_NOT_MODIFIED"),
        _ => Reply::Result(json!(true)),
    })
    .await;
    let adapter = fake.adapter();
    let desk = deskbridge_contract::Address { thread: None, ..topic() };
    let open = OutboundOp::OpenThread { title: title(), card: card(), actions: Vec::new() };
    let sent = adapter.send(&out(desk.clone(), open)).await.unwrap();
    assert_eq!((sent.message, sent.address), (None, desk.thread("88")));
    adapter.send(&out(topic(), OutboundOp::SetThread { title: title(), closed: false })).await.unwrap();
    let resolved = ThreadTitle { state: CardState::Resolved, ..title() };
    // Known to be open by now: it is not said again.
    adapter.send(&out(topic(), OutboundOp::SetThread { title: title(), closed: false })).await.unwrap();
    adapter
        .send(&out(desk.thread("88"), OutboundOp::SetThread { title: title(), closed: false }))
        .await
        .unwrap();
    adapter.send(&out(topic(), OutboundOp::SetThread { title: resolved, closed: true })).await.unwrap();
    adapter.send(&out(topic(), OutboundOp::SetThread { title: title(), closed: false })).await.unwrap();
    assert_eq!(
        fake.methods(),
        [
            "GetForumTopicIconStickers",
            "CreateForumTopic",
            "EditForumTopic",
            "ReopenForumTopic",
            "EditForumTopic",
            "EditForumTopic",
            "EditForumTopic",
            "CloseForumTopic",
            "EditForumTopic",
            "ReopenForumTopic"
        ]
    );
    let calls = fake.calls();
    assert_eq!(
        calls[1].json(),
        json!({ "chat_id": -1001900000001_i64, "name": "🟡 #1042 Maria · VPN", "icon_custom_emoji_id": "bang" })
    );
    assert_eq!(calls[6].json()["icon_custom_emoji_id"], "done");
    assert_eq!(calls[7].json(), json!({ "chat_id": -1001900000001_i64, "message_thread_id": 77 }));
    let error =
        adapter.send(&out(desk, OutboundOp::SetThread { title: title(), closed: true })).await.unwrap_err();
    assert_eq!(class(&error), "rejected");
}

/// Icons are decoration: without them the topic still opens.
#[tokio::test]
async fn a_topic_without_icons() {
    let fake = Fake::start(|call| match call.method.as_str() {
        "GetForumTopicIconStickers" => Reply::No(500, "Internal"),
        _ => Reply::Result(json!({ "message_thread_id": 88 })),
    })
    .await;
    let open = OutboundOp::OpenThread { title: title(), card: card(), actions: Vec::new() };
    fake.adapter().send(&out(topic(), open)).await.unwrap();
    assert_eq!(
        fake.calls()[1].json(),
        json!({ "chat_id": -1001900000001_i64, "name": "🟡 #1042 Maria · VPN" })
    );
}

/// D22: a requester's chat goes on without its thread; a desk's topic is opened again by the host.
#[tokio::test]
async fn lost_threads() {
    let fake = Fake::start(|call| match call.json()["message_thread_id"] {
        Value::Null => Reply::Result(json!({ "message_id": 5 })),
        _ => Reply::No(400, "Bad Request: message thread not found"),
    })
    .await;
    let adapter = fake.adapter();
    let hello = || post(Content::text("hello"));
    let sent = adapter.send(&out(private().thread("3"), hello())).await.unwrap();
    assert_eq!((sent.address, sent.note.as_deref()), (private(), Some("thread lost")));
    assert_eq!(fake.calls().len(), 2);
    assert_eq!(class(&adapter.send(&out(topic(), hello())).await.unwrap_err()), "thread gone");
}

#[tokio::test]
async fn a_moved_group() {
    let body = json!({ "ok": false, "error_code": 400, "description": "Bad Request: group chat was upgraded to a supergroup chat", "parameters": { "migrate_to_chat_id": -1001900000002_i64 } });
    let fake = Fake::saying(move || Reply::Http(400, Vec::new(), body.to_string().into_bytes())).await;
    let error = fake.adapter().send(&out(topic(), post(Content::text("x")))).await.unwrap_err();
    let SendError::Moved { to } = error else { panic!("{error}") };
    assert_eq!(to, deskbridge_contract::Address { room: "-1001900000002".into(), thread: None, ..topic() });
}

/// D24.
#[tokio::test]
async fn whispers() {
    let fake = Fake::start(|call| match call.method.as_str() {
        "AnswerCallbackQuery" if call.body.contains("late") => Reply::No(
            400,
            "Bad Request: query is too old and response timeout expired or query ID is invalid",
        ),
        "SendMessage" if call.json()["chat_id"] == 602 => {
            Reply::No(403, "Forbidden: bot can't initiate conversation with a user")
        }
        "SendMessage" => Reply::Result(json!({ "message_id": 5 })),
        _ => Reply::Result(json!(true)),
    })
    .await;
    let adapter = fake.adapter();
    let whisper = |to: &str, text: &str, interaction: Option<&str>, actions: Vec<Action>| {
        let interaction = interaction.map(|id| Interaction { id: id.into() });
        out(
            topic(),
            OutboundOp::Whisper {
                to: to.into(),
                content: Content::text(text).with_actions(actions),
                interaction,
            },
        )
    };
    let toast = adapter.send(&whisper("601", "Kept *internal*", Some("q1"), Vec::new())).await.unwrap();
    assert_eq!((toast.message, toast.address), (None, topic()));
    let direct = adapter.send(&whisper("601", "Kept internal", None, Vec::new())).await.unwrap();
    assert_eq!(direct.address, deskbridge_contract::Address { room: "601".into(), thread: None, ..topic() });
    adapter.send(&whisper("601", "x", Some("late"), Vec::new())).await.unwrap();
    adapter.send(&whisper("601", &"x".repeat(201), Some("q2"), Vec::new())).await.unwrap();
    adapter
        .send(&whisper("601", "x", Some("q3"), vec![Action::new("send-anyway:1", "Send anyway")]))
        .await
        .unwrap();
    assert_eq!(class(&adapter.send(&whisper("602", "x", None, Vec::new())).await.unwrap_err()), "gone");
    assert_eq!(
        fake.methods(),
        [
            "AnswerCallbackQuery",
            "SendMessage",
            "AnswerCallbackQuery",
            "SendMessage",
            "SendMessage",
            "SendMessage",
            "SendMessage"
        ]
    );
    assert_eq!(
        fake.calls()[0].json(),
        json!({ "callback_query_id": "q1", "text": "Kept internal", "show_alert": false })
    );
}

#[tokio::test]
async fn typing_answers_and_probe() {
    let fake = Fake::start(|call| match call.method.as_str() {
        "GetMe" => Reply::Result(
            json!({ "id": 7001, "is_bot": true, "first_name": "IT", "username": "it_desk_bot" }),
        ),
        "AnswerCallbackQuery" => Reply::No(
            400,
            "Bad Request: query is too old and response timeout expired or query ID is invalid",
        ),
        _ => Reply::Result(json!(true)),
    })
    .await;
    let adapter = fake.adapter();
    adapter.typing(&topic()).await.unwrap();
    assert_eq!(
        fake.calls()[0].json(),
        json!({ "chat_id": -1001900000001_i64, "message_thread_id": 77, "action": "typing" })
    );
    adapter.answer(&Interaction { id: "q".into() }, None).await.unwrap();
    assert_eq!(fake.calls()[1].json(), json!({ "callback_query_id": "q" }));
    assert_eq!(adapter.probe().await.unwrap().summary, "bot @it_desk_bot, polling");
    assert_eq!(adapter.open_direct(&"601".into()).await.unwrap().room.as_str(), "601");
    assert!(adapter.open_direct(&"-100".into()).await.is_err());
}

#[tokio::test]
async fn long_texts_become_several_messages() {
    let fake = Fake::start(numbered()).await;
    let sent = fake.adapter().send(&out(private(), post(Content::text("word ".repeat(1000))))).await.unwrap();
    assert_eq!((sent.message, sent.more), (Some("100".into()), vec!["101".into()]));
}

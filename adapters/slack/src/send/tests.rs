//! Operations and the calls that they become.

mod classes;
mod files;
mod reads;
mod spec;
mod streams;

use std::sync::atomic::{AtomicUsize, Ordering};

use deskbridge_contract::{
    Action, Card, CardState, Content, Interaction, Mark, Mention, OutboundOp, Persona, SendError,
    ThreadTitle, Toast,
};
use serde_json::{Map, Value, json};

use crate::api::fake::{APP_TOKEN, Call, Fake, Reply, TOKEN, desk, direct, out, thread};
use crate::ids::Handle;

pub(super) fn post(content: Content) -> OutboundOp {
    OutboundOp::Post { content, files: Vec::new(), persona: None, reply_to: None }
}

pub(super) fn by(content: Content, name: &str, assistant: bool) -> OutboundOp {
    let persona = Some(Persona { name: name.into(), assistant, picture: None });
    OutboundOp::Post { content, files: Vec::new(), persona, reply_to: None }
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

/// `ts` of the n-th message that the fake made.
pub(super) fn ts(nth: usize) -> String {
    format!("1790000000.{nth:06}")
}

/// Messages with the next number; everything else is done.
pub(super) fn numbered() -> impl Fn(&Call) -> Reply + Send + Sync {
    let next = AtomicUsize::new(1);
    move |call| match call.method.as_str() {
        "chat.postMessage" | "chat.startStream" => {
            let ts = ts(next.fetch_add(1, Ordering::Relaxed));
            Reply::Yes(json!({ "channel": "C024BE91L", "ts": ts, "message": { "news": { "of": 2031 } } }))
        }
        "auth.test" => Reply::Yes(json!({
            "url": "https://acme.slack.com/", "team": "Acme", "team_id": "T1", "user": "it_desk", "user_id": "U0BOT",
            "bot_id": "B0BOT",
        })),
        "conversations.open" => Reply::Yes(json!({ "channel": { "id": "D0ANA" } })),
        _ => Reply::Yes(json!({})),
    }
}

pub(super) fn class(error: &SendError) -> String {
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

/// C9: no token is in anything that is shown.
pub(super) fn assert_secret(error: &SendError) {
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains("planted") && !text.contains(TOKEN) && !text.contains(APP_TOKEN), "{text}");
    }
}

#[tokio::test]
async fn a_post() {
    let fake = Fake::start(numbered()).await;
    let op = by(Content::text("Hello **you** <!here>"), "Maria", false);
    let sent = fake.sending().perform(&out(thread(), op)).await.unwrap();
    assert_eq!((sent.message, sent.more, sent.address), (Some(ts(1).as_str().into()), Vec::new(), thread()));
    let call = &fake.calls()[0];
    assert_eq!((call.verb.as_str(), call.path.as_str()), ("POST", "/api/chat.postMessage"));
    assert_eq!(call.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    let body = call.json();
    for (key, value) in [
        ("channel", json!("C024BE91L")),
        ("thread_ts", json!("1789990000.000100")),
        ("username", json!("Maria")),
        ("icon_emoji", json!(":bust_in_silhouette:")),
        ("unfurl_links", json!(false)),
        ("unfurl_media", json!(false)),
        (
            "metadata",
            json!({ "event_type": "deskbridge_delivery", "event_payload": { "delivery_id": "d1", "part": 1, "parts": 1 } }),
        ),
    ] {
        assert_eq!(body[key], value, "{key}");
    }
    // S37: nothing of relayed words may call anybody.
    assert!(body.get("link_names").is_none() && body.get("parse").is_none());
    assert!(!body["text"].as_str().unwrap().contains("<!here>"), "{body}");
}

/// D22: a card that somebody deleted takes its thread with it; any other message that is gone is only that.
#[tokio::test]
async fn a_deleted_card() {
    let fake = Fake::saying(|| Reply::No("message_not_found")).await;
    let sending = fake.sending();
    let root = "1789990000.000100";
    let edit = |message: &str, card: Option<Card>| OutboundOp::Edit {
        message: message.into(),
        content: Content { card: card.map(Box::new), ..Content::text("Waiting") },
        persona: None,
    };
    for (op, expected) in [
        (edit(root, Some(card())), "thread gone"),
        (
            OutboundOp::SetThread {
                title: ThreadTitle { state: CardState::Closed, ..title() },
                closed: true,
            },
            "thread gone",
        ),
        (edit("1789990001.000100", Some(card())), "rejected"),
        (edit("1789990001.000100", None), "rejected"),
    ] {
        let error = sending.perform(&out(thread(), op)).await.unwrap_err();
        assert_eq!(class(&error), expected, "{error}");
    }
}

/// A requester's own picture; what is no public address is never handed to Slack.
#[tokio::test]
async fn a_requesters_picture() {
    let fake = Fake::start(numbered()).await;
    let good = "https://avatars.slack-edge.com/2026/ana_192.png";
    for (address, assistant) in [(good, false), ("https://169.254.169.254/x", false), (good, true)] {
        let picture = Some(address.to_owned());
        let persona = Some(Persona { picture, assistant, ..Persona::person("Ana") });
        let op =
            OutboundOp::Post { content: Content::text("Hi"), files: Vec::new(), persona, reply_to: None };
        fake.sending().perform(&out(thread(), op)).await.unwrap();
    }
    let shown: Vec<(Value, Value)> = fake
        .calls()
        .iter()
        .map(|call| (call.json()["icon_url"].clone(), call.json()["icon_emoji"].clone()))
        .collect();
    let expected = [
        (json!(good), Value::Null),
        (Value::Null, json!(":bust_in_silhouette:")),
        (Value::Null, json!(":sparkles:")),
    ];
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn the_assistant_is_marked() {
    let fake = Fake::start(numbered()).await;
    fake.sending().perform(&out(direct(), by(Content::text("Hi"), "Assistant", true))).await.unwrap();
    let body = fake.calls()[0].json();
    assert_eq!((&body["username"], &body["icon_emoji"]), (&json!("✨ Assistant"), &json!(":sparkles:")));
    assert!(body.get("thread_ts").is_none());
}

/// C13: only the bridge's own words call people, and then they do.
#[tokio::test]
async fn only_our_own_words_call_people() {
    let fake = Fake::start(numbered()).await;
    let sending = fake.sending();
    let mut notice = Content::text("**Ana** is offered this");
    notice.mentions = vec![Mention { who: "ana".into(), name: "Ana".into(), user: Some("U0ANA".into()) }];
    sending.perform(&out(thread(), post(notice.clone()))).await.unwrap();
    sending.perform(&out(thread(), by(notice, "Maria", false))).await.unwrap();
    let calls: Vec<String> = fake.calls().iter().map(Call::text).collect();
    assert!(calls[0].contains("U0ANA"), "{}", calls[0]);
    assert!(!calls[1].contains("U0ANA"), "{}", calls[1]);
}

#[tokio::test]
async fn buttons_come_as_blocks() {
    let fake = Fake::start(numbered()).await;
    let content = Content::text("How was it?").with_actions(vec![
        Action { id: "csat:1042".into(), label: "Good".into(), value: Some("5".into()) },
        Action::new("human", "Talk to a human"),
    ]);
    fake.sending().perform(&out(direct(), post(content))).await.unwrap();
    let blocks = fake.calls()[0].json()["blocks"].to_string();
    for word in ["actions", "csat:1042", "Good", "\"5\"", "Talk to a human"] {
        assert!(blocks.contains(word), "{word} is not in {blocks}");
    }
}

#[tokio::test]
async fn long_texts_become_several_messages() {
    let fake = Fake::start(numbered()).await;
    let sent =
        fake.sending().perform(&out(direct(), post(Content::text("word ".repeat(1000))))).await.unwrap();
    assert_eq!((sent.message, sent.more), (Some(ts(1).as_str().into()), vec![ts(2).as_str().into()]));
    let payloads: Vec<Value> =
        fake.calls().iter().map(|call| call.json()["metadata"]["event_payload"].clone()).collect();
    assert_eq!(payloads[1], json!({ "delivery_id": "d1", "part": 2, "parts": 2 }));
}

/// What was already shown is not shown again when the rest is tried once more.
#[tokio::test]
async fn a_half_sent_post_goes_on() {
    let (answer, failures) = (numbered(), AtomicUsize::new(0));
    let fake = Fake::start(move |call| {
        if call.text().contains("\"part\":2") && failures.fetch_add(1, Ordering::Relaxed) == 0 {
            return Reply::No("invalid_blocks");
        }
        answer(call)
    })
    .await;
    let sending = fake.sending();
    let out = out(direct(), post(Content::text("word ".repeat(1000))));
    let error = sending.perform(&out).await.unwrap_err();
    assert_eq!(class(&error), "rejected", "a plainer form would show the first part twice: {error}");
    let sent = sending.perform(&out).await.unwrap();
    assert_eq!((sent.message, sent.more), (Some(ts(1).as_str().into()), vec![ts(2).as_str().into()]));
    assert_eq!(fake.calls().len(), 3);
}

#[tokio::test]
async fn answers_name_what_they_answer() {
    let fake = Fake::start(numbered()).await;
    let reply = |reply_to: String| OutboundOp::Post {
        content: Content::text("Yes"),
        files: Vec::new(),
        persona: None,
        reply_to: Some(reply_to.as_str().into()),
    };
    let sending = fake.sending();
    sending.perform(&out(direct(), reply(ts(7)))).await.unwrap();
    let last = fake.calls().pop().unwrap();
    assert!(
        last.text().contains("https://acme.slack.com/archives/D024BE91L/p1790000000000007"),
        "{}",
        last.text()
    );
    // Below its root a message answers it already.
    sending.perform(&out(thread(), reply("1789990000.000100".into()))).await.unwrap();
    assert!(!fake.calls().pop().unwrap().text().contains("archives"));
}

/// D22: in a requester's own chat the words matter more than the thread; in a desk the thread matters.
#[tokio::test]
async fn a_lost_thread() {
    let answer = numbered();
    let fake = Fake::start(move |call| {
        if call.json()["thread_ts"].is_string() { Reply::No("thread_not_found") } else { answer(call) }
    })
    .await;
    let sending = fake.sending();
    let private = direct().thread(ts(3));
    let sent = sending.perform(&out(private, post(Content::text("x")))).await.unwrap();
    assert_eq!((sent.note.as_deref(), sent.address), (Some("thread lost"), direct()));
    let error = sending.perform(&out(thread(), post(Content::text("x")))).await.unwrap_err();
    assert_eq!(class(&error), "thread gone");
}

#[tokio::test]
async fn edits_and_deletions() {
    let fake = Fake::start(|call| match call.method.as_str() {
        "chat.delete" if call.text().contains("000002") => Reply::No("message_not_found"),
        "chat.delete" if call.text().contains("000003") => Reply::No("cant_delete_message"),
        _ => Reply::Yes(json!({})),
    })
    .await;
    let sending = fake.sending();
    let edit =
        OutboundOp::Edit { message: ts(1).as_str().into(), content: Content::text("new"), persona: None };
    let sent = sending.perform(&out(thread(), edit)).await.unwrap();
    assert_eq!((sent.message, sent.address), (Some(ts(1).as_str().into()), thread()));
    let body = fake.calls()[0].json();
    assert_eq!((&body["channel"], &body["ts"]), (&json!("C024BE91L"), &json!(ts(1))));
    // Left out, the buttons of before would stay.
    assert!(body["blocks"].is_array() && body.get("thread_ts").is_none());
    for (nth, fine) in [(1, true), (2, true), (3, false)] {
        let delete = OutboundOp::Delete { message: ts(nth).as_str().into() };
        assert_eq!(sending.perform(&out(thread(), delete)).await.is_ok(), fine, "{nth}");
    }
}

#[tokio::test]
async fn reactions() {
    let fake = Fake::start(|call| match (call.method.as_str(), call.json()["timestamp"].as_str()) {
        ("reactions.add", Some("1790000000.000002")) => Reply::No("already_reacted"),
        ("reactions.remove", Some("1790000000.000002")) => Reply::No("no_reaction"),
        (_, Some("1790000000.000003")) => Reply::No("too_many_reactions"),
        _ => Reply::Yes(json!({})),
    })
    .await;
    let sending = fake.sending();
    let react = |nth, emoji: &str, on| OutboundOp::React {
        message: ts(nth).as_str().into(),
        emoji: emoji.into(),
        on,
    };
    for (nth, on) in [(1, true), (2, true), (2, false)] {
        let sent = sending.perform(&out(thread(), react(nth, "👍", on))).await.unwrap();
        assert_eq!(sent.note, None);
    }
    assert!(sending.perform(&out(thread(), react(3, "👍", true))).await.unwrap().note.is_some());
    assert!(sending.perform(&out(thread(), react(1, "not an emoji", true))).await.unwrap().note.is_some());
    assert_eq!(fake.calls()[0].json(), json!({ "channel": "C024BE91L", "timestamp": ts(1), "name": "+1" }));
    assert_eq!(fake.methods(), ["reactions.add", "reactions.add", "reactions.remove", "reactions.add"]);
}

/// D21: a message carries one mark of ours, and a new one replaces the old, also one of before a restart.
#[tokio::test]
async fn marks() {
    let fake = Fake::start(|call| match call.method.as_str() {
        "auth.test" => Reply::Yes(json!({ "user_id": "U0BOT", "bot_id": "B0BOT" })),
        "reactions.get" => Reply::Yes(json!({ "message": { "reactions": [
            { "name": "lock", "users": ["U0ANA", "U0BOT"] },
            { "name": "eye", "users": ["U0ANA"] },
            { "name": "tada", "users": ["U0BOT"] },
        ] } })),
        _ => Reply::Yes(json!({})),
    })
    .await;
    let sending = fake.sending();
    let mark = |nth, mark| OutboundOp::Mark { message: ts(nth).as_str().into(), mark };
    for state in [Mark::Held, Mark::Delivered, Mark::Seen, Mark::Seen, Mark::Failed] {
        sending.perform(&out(thread(), mark(1, state))).await.unwrap();
    }
    let seen: Vec<(String, String)> = fake
        .calls()
        .iter()
        .map(|call| (call.method.clone(), call.json()["name"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [
        ("reactions.add", "hourglass_flowing_sand"),
        ("reactions.add", "incoming_envelope"),
        ("reactions.remove", "hourglass_flowing_sand"),
        ("reactions.add", "eye"),
        ("reactions.remove", "incoming_envelope"),
        ("reactions.add", "eye"),
        ("reactions.add", "warning"),
        ("reactions.remove", "eye"),
    ];
    assert_eq!(seen, expected.map(|(method, name)| (method.to_owned(), name.to_owned())));
    fake.forget();
    // Of this one nothing is known here: people's reactions and others of ours stay.
    sending.perform(&out(thread(), mark(2, Mark::Delivered))).await.unwrap();
    assert_eq!(fake.methods(), ["auth.test", "reactions.get", "reactions.add", "reactions.remove"]);
    assert_eq!(fake.calls()[3].json()["name"], "lock");
}

#[tokio::test]
async fn a_thread_has_its_card_as_root() {
    let fake = Fake::start(numbered()).await;
    let sending = fake.sending();
    let actions = vec![Action::new("accept:1042", "Accept")];
    let open = OutboundOp::OpenThread { title: title(), card: card(), actions: actions.clone() };
    let sent = sending.perform(&out(desk(), open)).await.unwrap();
    assert_eq!(sent.message, Some(ts(1).as_str().into()));
    assert_eq!(sent.address, desk().thread(ts(1)));
    let body = fake.calls()[0].json();
    assert!(body["blocks"].as_array().is_some_and(|blocks| !blocks.is_empty()));
    assert!(body.get("thread_ts").is_none());
    // What the card says already needs no call; what it does not say is drawn on it.
    let set = |title| OutboundOp::SetThread { title, closed: false };
    sending.perform(&out(sent.address.clone(), set(title()))).await.unwrap();
    assert_eq!(fake.calls().len(), 1);
    let solved = ThreadTitle { state: CardState::Resolved, ..title() };
    sending.perform(&out(sent.address.clone(), set(solved))).await.unwrap();
    let last = fake.calls().pop().unwrap();
    assert_eq!((last.method.as_str(), &last.json()["ts"]), ("chat.update", &json!(ts(1))));
    assert!(sending.perform(&out(desk(), set(title()))).await.is_err());
}

/// A card whose looks are refused is still there, as words.
#[tokio::test]
async fn a_card_that_is_refused_is_words() {
    let answer = numbered();
    let fake = Fake::start(move |call| match call.json()["blocks"].as_array() {
        Some(blocks) if !blocks.is_empty() => Reply::No("invalid_blocks"),
        _ => answer(call),
    })
    .await;
    let open = OutboundOp::OpenThread { title: title(), card: card(), actions: Vec::new() };
    let sent = fake.sending().perform(&out(desk(), open)).await.unwrap();
    assert_eq!(sent.address, desk().thread(ts(1)));
    assert!(fake.calls()[1].text().contains("VPN"));
}

#[tokio::test]
async fn whispers() {
    let answer = numbered();
    let fake = Fake::start(move |call| match call.method.as_str() {
        "chat.postEphemeral" if call.text().contains("U0OUT") => Reply::No("user_not_in_channel"),
        "expired" => Reply::Http(404, Vec::new(), b"expired_url".to_vec()),
        "good" => Reply::Http(200, Vec::new(), b"ok".to_vec()),
        _ => answer(call),
    })
    .await;
    let sending = fake.sending();
    let whisper = |to: &str, interaction: Option<String>| OutboundOp::Whisper {
        to: to.into(),
        content: Content::text("Kept internal"),
        interaction: interaction.map(|path| {
            Handle { response_url: Some(format!("{}/hook/{path}", fake.base)), trigger_id: None }
                .interaction()
        }),
    };
    let sent = sending.perform(&out(thread(), whisper("U0ANA", None))).await.unwrap();
    assert_eq!((sent.message, sent.note, sent.address), (None, None, thread()));
    let body = fake.calls()[0].json();
    assert_eq!(
        (&body["channel"], &body["user"], &body["thread_ts"]),
        (&json!("C024BE91L"), &json!("U0ANA"), &json!("1789990000.000100"))
    );
    fake.forget();
    // Somebody who is not there gets it privately.
    let sent = sending.perform(&out(thread(), whisper("U0OUT", None))).await.unwrap();
    assert_eq!(sent.address.room.as_str(), "D0ANA");
    assert_eq!(sent.note.as_deref(), Some("by private message"));
    assert_eq!(fake.methods(), ["chat.postEphemeral", "conversations.open", "chat.postMessage"]);
    fake.forget();
    sending.perform(&out(thread(), whisper("U0ANA", Some("good".into())))).await.unwrap();
    let call = &fake.calls()[0];
    assert_eq!((call.method.as_str(), call.header("authorization")), ("good", None));
    assert_eq!(
        (&call.json()["response_type"], &call.json()["replace_original"]),
        (&json!("ephemeral"), &json!(false))
    );
    fake.forget();
    sending.perform(&out(thread(), whisper("U0ANA", Some("expired".into())))).await.unwrap();
    assert_eq!(fake.methods(), ["expired", "chat.postEphemeral"]);
}

/// An answer goes to Slack only, whatever a handle names.
#[tokio::test]
async fn answers_to_presses() {
    let fake = Fake::saying(|| Reply::Http(200, Vec::new(), b"ok".to_vec())).await;
    let other = Fake::saying(|| Reply::Http(200, Vec::new(), b"ok".to_vec())).await;
    let sending = fake.sending();
    let toast = Toast { text: "Accepted".into(), alert: false };
    let at =
        |base: &str| Handle { response_url: Some(format!("{base}/hook")), trigger_id: None }.interaction();
    sending.answer(&at(&fake.base), Some(&toast)).await.unwrap();
    assert_eq!(fake.calls()[0].json()["text"], "Accepted");
    sending.answer(&at(&fake.base), None).await.unwrap();
    sending.answer(&at(&other.base), Some(&toast)).await.unwrap();
    sending.answer(&at("http://hooks.slack.com.evil.example"), Some(&toast)).await.unwrap();
    sending.answer(&Interaction { id: "x".into() }, Some(&toast)).await.unwrap();
    assert_eq!((fake.calls().len(), other.calls().len()), (1, 0));
}

#[tokio::test]
async fn direct_messages_are_opened_once() {
    let fake = Fake::start(numbered()).await;
    let sending = fake.sending();
    for _ in 0..2 {
        assert_eq!(sending.open_direct(&"U0ANA".into()).await.unwrap().room.as_str(), "D0ANA");
    }
    assert_eq!(fake.calls().len(), 1);
    assert_eq!(fake.calls()[0].json(), json!({ "users": "U0ANA" }));
    assert!(sending.open_direct(&"not a person".into()).await.is_err());
}

#[tokio::test]
async fn other_surfaces() {
    let fake = Fake::start(|call| match call.method.as_str() {
        "views.publish" if call.text().contains("old") => Reply::No("hash_conflict"),
        "assistant.threads.setStatus" if call.text().contains("000009") => Reply::No("missing_scope"),
        _ => Reply::Yes(json!({})),
    })
    .await;
    let sending = fake.sending();
    let view = json!({ "type": "home", "blocks": [] });
    sending.publish_home(&"U0ANA".into(), &view, Some("old")).await.unwrap();
    sending.open_modal("12.34.abc", &json!({ "type": "modal" })).await.unwrap();
    let mut unfurls = Map::new();
    unfurls.insert("https://desk.example/c/1042".into(), json!({ "blocks": [] }));
    sending.unfurl("C1", &ts(1), unfurls).await.unwrap();
    let prompts = vec![("Password".to_owned(), "I forgot it".to_owned()); 9];
    sending.suggest_prompts(&direct().thread(ts(1)), "Ask IT", &prompts).await.unwrap();
    let calls = fake.calls();
    assert_eq!(
        fake.methods(),
        ["views.publish", "views.open", "chat.unfurl", "assistant.threads.setSuggestedPrompts"]
    );
    assert_eq!(calls[0].json()["user_id"], "U0ANA");
    assert_eq!(calls[1].json()["trigger_id"], "12.34.abc");
    assert!(calls[2].json()["unfurls"]["https://desk.example/c/1042"].is_object());
    assert_eq!(calls[3].json()["prompts"].as_array().unwrap().len(), 4);
    fake.forget();
    // "is typing" exists in threads, and where the app may show it.
    sending.typing(&direct()).await.unwrap();
    sending.typing(&desk()).await.unwrap();
    assert!(fake.calls().is_empty());
    sending.typing(&thread()).await.unwrap();
    sending.typing(&direct().thread(ts(1))).await.unwrap();
    assert_eq!(fake.calls()[1].json()["thread_ts"], ts(1));
    sending.typing(&direct().thread(ts(9))).await.unwrap();
    sending.typing(&direct().thread(ts(1))).await.unwrap();
    assert_eq!(fake.calls().len(), 3);
}

/// A trigger is over after three seconds, and so is waiting for it.
#[tokio::test]
async fn a_modal_that_is_late_is_none() {
    let fake = Fake::saying(|| Reply::Hang).await;
    let sending = fake.sending();
    let opening = tokio::spawn(async move { sending.open_modal("12.34.abc", &json!({})).await });
    while fake.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(4)).await;
    assert_eq!(class(&opening.await.unwrap().unwrap_err()), "rejected");
}

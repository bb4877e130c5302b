//! Requests against the vendor's published description of the Web API (D50), where it knows the method.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use deskbridge_contract::{
    Action, AttachmentKind, BlobId, Content, Mark, OutboundFile, OutboundOp, Persona, RoomId,
};
use serde_json::{Map, Value, json};

use super::{by, card, numbered, post, title, ts};
use crate::api::fake::{Call, Fake, Reply, desk, direct, out, specs, thread};

/// Parameters that are younger than the description, each by the page of its method.
const YOUNGER: [(&str, &[&str]); 5] = [
    ("chat.postMessage", &["metadata"]),
    ("chat.update", &["metadata"]),
    ("conversations.history", &["include_all_metadata"]),
    ("conversations.replies", &["include_all_metadata"]),
    ("bots.info", &[]),
];

/// Methods that are younger than the description.
const UNKNOWN: [&str; 9] = [
    "apps.connections.open",
    "apps.manifest.export",
    "assistant.threads.setStatus",
    "assistant.threads.setSuggestedPrompts",
    "chat.appendStream",
    "chat.startStream",
    "chat.stopStream",
    "files.completeUploadExternal",
    "files.getUploadURLExternal",
];

fn description() -> Option<Value> {
    let file = specs()?.join("slack_web_openapi_v2.json");
    Some(serde_json::from_slice(&std::fs::read(file).expect("a description")).expect("JSON"))
}

/// What is wrong with a call, in words.
fn faults(description: &Value, call: &Call) -> Vec<String> {
    let method = call.method.as_str();
    let Some(path) = description["paths"].get(format!("/{method}")).and_then(Value::as_object) else {
        let known = UNKNOWN.contains(&method);
        return if known { Vec::new() } else { vec![format!("{method} is not in the description")] };
    };
    let Some(operation) = path.values().next() else { return vec![format!("{method} has no operation")] };
    let given = call.json();
    let given = given.as_object().cloned().unwrap_or_default();
    let mut faults = Vec::new();
    let empty = Vec::new();
    let parameters = operation["parameters"].as_array().unwrap_or(&empty);
    let younger = YOUNGER.iter().find(|(known, _)| *known == method).map_or(&[][..], |(_, names)| names);
    for (name, value) in &given {
        match parameters.iter().find(|parameter| parameter["name"] == name.as_str()) {
            Some(parameter) if !fits(parameter["type"].as_str().unwrap_or_default(), value) => {
                faults.push(format!("{method}: {name} is no {}", parameter["type"]));
            }
            Some(_) => {}
            None if younger.contains(&name.as_str()) => {}
            None => faults.push(format!("{method}: no parameter {name} in the description")),
        }
    }
    for parameter in parameters.iter().filter(|parameter| parameter["required"] == true) {
        let name = parameter["name"].as_str().unwrap_or_default();
        // It goes in the header that the description calls "token".
        let there =
            if name == "token" { call.header("authorization").is_some() } else { given.contains_key(name) };
        if !there {
            faults.push(format!("{method}: required parameter {name} is missing"));
        }
    }
    if call.verb == "POST" && !json!(operation["consumes"]).to_string().contains("application/json") {
        faults.push(format!("{method} takes no JSON"));
    }
    faults
}

/// The description calls structures strings, because forms carry them so; JSON carries them as they are.
fn fits(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string() || value.is_array() || value.is_object(),
        "boolean" => value.is_boolean() || matches!(value.as_str(), Some("true" | "false")),
        "integer" => value.is_u64() || value.as_str().is_some_and(|text| text.parse::<u64>().is_ok()),
        "number" => value.is_number() || value.as_str().is_some_and(|text| text.parse::<f64>().is_ok()),
        _ => true,
    }
}

fn file() -> OutboundFile {
    OutboundFile {
        blob: BlobId::new("b"),
        name: "a.txt".into(),
        mime: "text/plain".into(),
        size: 1,
        sha256: String::new(),
        kind: AttachmentKind::File,
        open: Arc::new(|| {
            Box::pin(async {
                Ok(Box::pin(futures_util::stream::iter(vec![Ok(Bytes::from_static(b"x"))])) as _)
            })
        }),
    }
}

/// Everything that is sent, at least once.
async fn everything() -> Vec<Call> {
    let answer = numbered();
    let base: Arc<std::sync::Mutex<String>> = Arc::default();
    let told = base.clone();
    let fake = Fake::start(move |call| match call.method.as_str() {
        "files.getUploadURLExternal" => Reply::Yes(
            json!({ "upload_url": format!("{}/elsewhere/F1", told.lock().unwrap()), "file_id": "F1" }),
        ),
        "F1" => Reply::Http(200, Vec::new(), Vec::new()),
        "files.info" => {
            Reply::Yes(json!({ "file": { "shares": { "public": { "C024BE91L": [{ "ts": ts(9) }] } } } }))
        }
        "conversations.info" => Reply::Yes(json!({ "channel": { "name": "it", "is_member": true } })),
        "conversations.history" | "conversations.replies" => Reply::Yes(json!({ "messages": [] })),
        "bots.info" => Reply::Yes(json!({ "bot": { "app_id": "A1" } })),
        "chat.postEphemeral" if call.text().contains("U0OUT") => Reply::No("user_not_in_channel"),
        _ => answer(call),
    })
    .await;
    *base.lock().unwrap() = fake.base.clone();
    let sending = fake.sending();
    let message = || ts(1).as_str().into();
    let persona = || Some(Persona::person("Maria"));
    let buttons = Content::text("?").with_actions(vec![Action::new("yes", "Yes")]);
    let operations = [
        (thread(), post(Content::text("plain"))),
        (direct(), post(buttons.clone())),
        (thread(), by(Content::text("relayed"), "Maria", false)),
        (
            thread(),
            OutboundOp::Post {
                content: Content::text("with a file"),
                files: vec![file()],
                persona: persona(),
                reply_to: Some(message()),
            },
        ),
        (desk(), OutboundOp::OpenThread { title: title(), card: card(), actions: buttons.actions.clone() }),
        (thread(), OutboundOp::Edit { message: message(), content: buttons, persona: persona() }),
        (thread(), OutboundOp::Delete { message: message() }),
        (thread(), OutboundOp::React { message: message(), emoji: "👍".into(), on: true }),
        (thread(), OutboundOp::React { message: message(), emoji: "👍".into(), on: false }),
        (thread(), OutboundOp::Mark { message: message(), mark: Mark::Delivered }),
        (
            thread(),
            OutboundOp::Whisper { to: "U0OUT".into(), content: Content::text("psst"), interaction: None },
        ),
    ];
    for (at, op) in operations {
        sending.perform(&out(at, op)).await.unwrap();
    }
    for at in [direct(), thread()] {
        sending.find(&out(at, post(Content::text("?")))).await.unwrap();
    }
    let chat = direct().thread(ts(1));
    sending.streaming(&chat, "Try", None).await.unwrap();
    sending.typing(&chat).await.unwrap();
    sending.suggest_prompts(&chat, "Ask", &[("a".into(), "b".into())]).await.unwrap();
    sending.publish_home(&"U0ANA".into(), &json!({ "type": "home" }), None).await.unwrap();
    sending.open_modal("1.2.a", &json!({ "type": "modal" })).await.unwrap();
    sending.unfurl("C1", &ts(1), Map::new()).await.unwrap();
    sending.api.open_connection().await.unwrap_err();
    let config = fake.config(json!({ "config_token": "xoxe.xoxp-1" }));
    crate::doctor::examine(&sending, &config, &[RoomId::new("C024BE91L")]).await;
    crate::doctor::setup(&sending, &[RoomId::new("C024BE91L")]).await;
    let file = crate::ids::FileRef { id: "F1".into(), size: 0, mime: String::new(), url: None };
    assert!(sending.api.fetch(&file.remote()).await.is_err());
    fake.calls().into_iter().filter(|call| call.path.starts_with("/api/")).collect()
}

#[tokio::test]
async fn requests_are_as_described() {
    let calls = everything().await;
    let Some(description) = description() else { return };
    let faults: BTreeSet<String> = calls.iter().flat_map(|call| faults(&description, call)).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let methods: BTreeSet<&str> = calls.iter().map(|call| call.method.as_str()).collect();
    assert!(methods.len() >= 20, "{methods:?}");
}

//! The vendor's own shapes of events and interactions, and arbitrary damage to them.

use std::path::PathBuf;

use deskbridge_contract::TranslateError;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::World;
use crate::api::fake::specs;
use crate::translate::interactions::act;
use crate::translate::{Envelope, translate};

/// The samples are shapes: their texts are empty. `None` where they are not at hand.
fn samples(folder: &str) -> Option<Vec<(String, Value)>> {
    let mut files = Vec::new();
    let mut folders = vec![specs()?.join("slack_samples").join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("samples") {
            let path = entry.expect("a sample").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        (name, serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    };
    Some(files.into_iter().map(read).collect())
}

/// Fills the empty texts with what Slack would put there.
fn filled(value: &mut Value, key: &str) {
    match value {
        Value::String(text) => {
            let empty = text.is_empty() || text.starts_with("0000000000.");
            if empty {
                *text = match key {
                    "ts" | "event_ts" | "thread_ts" | "deleted_ts" | "message_ts" | "action_ts" => {
                        "1790000001.000200"
                    }
                    "user" | "user_id" | "inviter" | "item_user" | "actor_id" => "U1ANA",
                    "channel" | "channel_id" | "old_channel_id" | "new_channel_id" => "C1ALL",
                    "team" | "team_id" => "T1",
                    "event_id" => "Ev1",
                    "api_app_id" => "A0BOT",
                    "trigger_id" => "1.2.3",
                    "reaction" => "eyes",
                    "command" => "/desk",
                    "callback_id" => "ask",
                    "id" => "V1AB",
                    "subtype" | "app_id" => "",
                    "bot_id" => "B7OTHER",
                    _ => "words",
                }
                .to_owned();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| filled(item, key)),
        Value::Object(fields) => {
            for (name, inner) in fields.iter_mut() {
                filled(inner, name);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn event(sample: &Value) -> Value {
    let kind = sample["event"]["type"].clone();
    let mut body = sample.clone();
    filled(&mut body, "");
    body["type"] = "event_callback".into();
    body["event"]["type"] = kind;
    body
}

#[test]
fn every_sample_of_an_event_passes_with_its_envelope() {
    let Some(samples) = samples("events") else { return };
    assert_eq!(samples.len(), 96);
    let world = World::new();
    let mut told = Vec::new();
    for (name, sample) in &samples {
        let body = event(sample);
        let envelope = Envelope::read(&body).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(envelope.event_id, "Ev1", "{name}");
        assert!(envelope.teams.iter().any(|team| team == "T1"), "{name}");
        assert_eq!(envelope.app.as_deref(), Some("A0BOT"), "{name}");
        assert!(envelope.time.is_some(), "{name}");
        assert_eq!(envelope.kind, sample["event"]["type"].as_str().unwrap(), "{name}");
        match translate(&world.view(), &body) {
            Ok(events) => told.extend(events.into_iter().map(|event| (name.clone(), event))),
            Err(why) => panic!("{name}: {why}"),
        }
    }
    let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    for name in [
        "AppMentionPayload",
        "ChannelArchivePayload",
        "ChannelIdChangedPayload",
        "ChannelUnarchivePayload",
        "MessageBotPayload",
        "MessageDeletedPayload",
        "MessageFileSharePayload",
        "MessageMePayload",
        "MessagePayload",
        "MessageThreadBroadcastPayload",
        "ReactionAddedPayload",
        "ReactionRemovedPayload",
    ] {
        assert!(names.contains(&name), "{name} says nothing; {names:?}");
    }
}

#[test]
fn every_sample_of_an_interaction_passes() {
    let Some(samples) = samples("app-backend") else { return };
    assert_eq!(samples.len(), 9);
    let world = World::new();
    for (name, sample) in &samples {
        let mut payload = sample.clone();
        let kind = payload.get("type").cloned();
        filled(&mut payload, "");
        payload["user"]["id"] = "U1ANA".into();
        if payload.get("team").is_some() {
            payload["team"]["id"] = "T1".into();
        }
        if payload.get("channel").is_some() {
            payload["channel"]["id"] = "C1ALL".into();
        }
        if kind.is_some() {
            payload["type"] = kind.into();
        } else {
            payload.as_object_mut().unwrap().remove("user");
        }
        let known = !name.starts_with("Dialog")
            && name != "AttachmentActionPayload"
            && name != "ViewSubmissionPayload";
        match act(&world.view(), &payload) {
            Ok(_) => assert!(known, "{name}"),
            Err(TranslateError::Unknown(_)) => assert!(!known, "{name}"),
            Err(why) => panic!("{name}: {why}"),
        }
    }
}

#[derive(Clone, Debug)]
enum Damage {
    Drop,
    Null,
    Number(i64),
    Text(String),
    Nest(usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        Just(Damage::Drop),
        Just(Damage::Null),
        any::<i64>().prop_map(Damage::Number),
        ".{0,40}".prop_map(Damage::Text),
        (0_usize..100).prop_map(Damage::Nest),
    ]
}

/// Does something to the `nth` value below this one.
fn hurt(value: &mut Value, nth: &mut usize, damage: &Damage) -> bool {
    let struck = |inner: &mut Value, nth: &mut usize| {
        if *nth == 0 {
            match damage {
                Damage::Drop | Damage::Null => *inner = Value::Null,
                Damage::Number(number) => *inner = json!(number),
                Damage::Text(text) => *inner = json!(text),
                Damage::Nest(depth) => {
                    for _ in 0..*depth {
                        *inner = json!({ "elements": [inner.take()], "type": "rich_text" });
                    }
                }
            }
            return true;
        }
        *nth -= 1;
        hurt(inner, nth, damage)
    };
    match value {
        Value::Array(items) => items.iter_mut().any(|item| struck(item, nth)),
        Value::Object(fields) => {
            if *nth == 0
                && matches!(damage, Damage::Drop)
                && let Some(first) = fields.keys().next().cloned()
            {
                fields.remove(&first);
                return true;
            }
            fields.values_mut().any(|inner| struck(inner, nth))
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn damaged_samples_never_panic(
        which in any::<prop::sample::Index>(),
        hurts in prop::collection::vec((0_usize..400, damage()), 1..6),
    ) {
        let (Some(events), Some(others)) = (samples("events"), samples("app-backend")) else { return Ok(()) };
        let world = World::new();
        let all = events.len() + others.len();
        let at = which.index(all);
        let mut payload = if at < events.len() { event(&events[at].1) } else { others[at - events.len()].1.clone() };
        for (nth, damage) in &hurts {
            hurt(&mut payload, &mut nth.clone(), damage);
        }
        let _ = translate(&world.view(), &payload);
        let _ = act(&world.view(), &payload);
        let _ = crate::translate::room_of(&payload);
    }
}

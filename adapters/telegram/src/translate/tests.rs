use std::fmt::Write as _;

use deskbridge_contract::{AttachmentSource, Content, Inbound, InboundEvent, SenderKind};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::receive::parse;

/// Name and text of every recorded update, sorted by name; those in `odd` are the ones that end in quarantine.
fn fixtures() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let list =
        |folder: &std::path::Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<(String, String)> = list(&folder)
        .chain(list(&folder.join("odd")))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                std::fs::read_to_string(&path).unwrap(),
            )
        })
        .collect();
    found.sort();
    found
}

fn look(update: &Value) -> Found {
    let channel = ChannelName::new("telegram");
    let view = Viewpoint {
        channel: &channel,
        bot: 7_001_234_567,
        username: Some("it_desk_bot"),
        received: Timestamp::from_seconds(1_790_000_000),
    };
    translate(&view, update)
}

fn said(content: &Content) -> String {
    let mut out = format!("{:?}", content.text);
    for file in &content.attachments {
        let AttachmentSource::Remote(id) = &file.source else { panic!("not remote") };
        write!(out, " + {:?} {} {:?} {} B {id}", file.kind, file.mime, file.name, file.size).unwrap();
    }
    if let Some(album) = &content.album {
        write!(out, " of album {}", album.id).unwrap();
    }
    out
}

/// One line per event, so that a change of meaning is one line of a diff.
fn line(inbound: &Inbound) -> String {
    let what = match &inbound.event {
        InboundEvent::Posted { message, content, reply_to } => {
            let reply = reply_to.as_ref().map(|to| format!(" re {to}")).unwrap_or_default();
            format!("posted {message}{reply} {}", said(content))
        }
        InboundEvent::Edited { message, content } => format!("edited {message} {}", said(content)),
        other => format!("{other:?}"),
    };
    let from = &inbound.from;
    let kind = match from.kind {
        SenderKind::Human => "",
        SenderKind::Bot => "bot ",
        SenderKind::External => "external ",
    };
    let name = from.display_name.as_deref().unwrap_or("-");
    let language = from.language.as_deref().map(|l| format!(" [{l}]")).unwrap_or_default();
    let token = inbound.interaction.as_ref().map(|i| format!(" answer {}", i.id)).unwrap_or_default();
    let seconds = inbound.at.0 / 1_000_000;
    format!(
        "{} {seconds} {:?} {kind}{}={name:?}{language}: {what}{token}",
        inbound.id, inbound.address, from.id
    )
}

#[test]
fn every_fixture() {
    let mut table = String::new();
    for (name, raw) in fixtures() {
        writeln!(table, "{name}").unwrap();
        match parse(&raw).and_then(|update| look(&update)) {
            Ok(events) if events.is_empty() => writeln!(table, "    nothing for us").unwrap(),
            Ok(events) => events.iter().for_each(|event| writeln!(table, "    {}", line(event)).unwrap()),
            Err(why) => writeln!(table, "    {why}").unwrap(),
        }
    }
    insta::assert_snapshot!(table);
}

/// Where a payload lies says whether it translates.
#[test]
fn odd_ones_are_kept_apart() {
    let odd = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/odd");
    for (name, raw) in fixtures() {
        let translates = parse(&raw).and_then(|update| look(&update)).is_ok();
        assert_eq!(translates, !odd.join(format!("{name}.json")).exists(), "{name}");
    }
}

/// C1: a redelivered update is the same events with the same ids.
#[test]
fn a_repeat_is_the_same() {
    for (name, raw) in fixtures() {
        let Ok(update) = parse(&raw) else { continue };
        assert_eq!(look(&update), look(&update), "{name}");
        if let Ok(events) = look(&update) {
            let mut ids: Vec<_> = events.iter().map(|event| &event.id).collect();
            ids.dedup();
            assert_eq!(ids.len(), events.len(), "{name}: one id, two events");
        }
    }
}

#[test]
fn the_chat_of_an_update() {
    let chat = |name: &str| {
        let found = fixtures().into_iter().find(|(known, _)| known == name).unwrap();
        chat_of(&parse(&found.1).unwrap())
    };
    assert_eq!(chat("private_text"), Some(501));
    assert_eq!(chat("callback"), Some(-1_001_900_000_001));
    assert_eq!(chat("reaction_changed"), Some(-1_001_900_000_001));
    assert_eq!(chat("callback_inline"), Some(501));
    assert_eq!(chat("malformed_message_not_object"), None);
}

/// While `getMe` has not answered yet, a command with any name counts as ours: it must not be relayed as text.
#[test]
fn commands_before_the_name_is_known() {
    let channel = ChannelName::new("telegram");
    let view = Viewpoint { channel: &channel, bot: 1, username: None, received: Timestamp::EPOCH };
    let update = serde_json::json!({ "update_id": 1, "message": {
        "message_id": 1, "date": 1, "chat": { "id": -5 }, "from": { "id": 2, "first_name": "B" },
        "text": "/note@some_bot secret" } });
    let events = translate(&view, &update).unwrap();
    let InboundEvent::Posted { content, .. } = &events[0].event else { panic!() };
    assert_eq!(content.text, "/note secret");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop_oneof!["message", "bold", "left", "/start@x y", "👩‍💻*_`"].prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let keys = prop_oneof![
            "update_id|message|edited_message|callback_query|message_reaction|my_chat_member|chat|from|id|date|text",
            "entities|offset|length|type|photo|document|file_id|message_id|data|new_chat_member|old_chat_member|status",
            "old_reaction|new_reaction|emoji|poll|rich_message|blocks|migrate_to_chat_id|forum_topic_closed|[a-z]{1,6}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(keys, inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Puts `with` where the walk ends: `path` picks a child at each level.
fn mutate(value: &mut Value, path: &[usize], with: Value) {
    let Some((first, rest)) = path.split_first() else {
        *value = with;
        return;
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let at = first % fields.len();
            if let Some((_, inner)) = fields.iter_mut().nth(at) {
                mutate(inner, rest, with);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let at = first % items.len();
            mutate(&mut items[at], rest, with);
        }
        other => *other = with,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// C2: total over anything.
    #[test]
    fn total_over_any_json(value in any_json()) {
        let _ = look(&value);
        let _ = chat_of(&value);
    }

    /// C2: total over recorded updates with something changed in them.
    #[test]
    fn total_over_mutated_fixtures(
        which in any::<prop::sample::Index>(),
        path in prop::collection::vec(0usize..8, 1..5),
        with in any_json(),
    ) {
        let all = fixtures();
        if let Ok(mut update) = parse(&all[which.index(all.len())].1) {
            mutate(&mut update, &path, with);
            let _ = look(&update);
            let _ = chat_of(&update);
        }
    }

    #[test]
    fn total_over_any_text(raw in ".{0,200}|(\\\\u[dD][89a-fA-F][0-9a-f]{2}|\\\\|\"|x){0,20}") {
        let _ = parse(&raw).map(|update| look(&update));
        let _ = parse(&format!("{{\"update_id\":1,\"message\":{{\"text\":\"{raw}\"}}}}")).map(|update| look(&update));
    }
}

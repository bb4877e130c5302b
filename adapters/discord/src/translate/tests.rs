use deskbridge_contract::{InboundEvent, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::Config;
use crate::api::Api;

const FORUM: &str = "600";
const POST: &str = "700";

fn sending() -> std::sync::Arc<Sending> {
    let section = json!({ "token": "a.b.c", "api_base": "http://127.0.0.1:9/" });
    let Ok(config) = Config::from_value(section) else { panic!("sound") };
    let api = Api::new("discord".into(), &config).expect("a client");
    let sending = Sending::new(api, vec![FORUM.into()], std::time::Duration::ZERO);
    sending.forums.note(POST, Lies::In(FORUM.into()));
    sending
}

fn events(sending: &Sending, kind: &str, d: Value) -> Vec<Inbound> {
    let me = Me { application: "1".into(), user: "2".into(), name: "IT Desk".into(), flags: 0 };
    let channel = "discord".into();
    let view = View { channel: &channel, me: &me, sending, received: Timestamp::from_seconds(1_790_000_000) };
    translate(&view, &json!({ "t": kind, "s": 7, "session": "s", "d": d })).expect("understood")
}

fn message(change: Value) -> Value {
    let mut message = json!({ "id": "1290000000000000001", "channel_id": "900", "type": 0, "content": "hi",
        "author": { "id": "5", "username": "ana", "global_name": "Ana" }, "timestamp": "2026-08-01T10:00:00.123000+00:00" });
    for (key, value) in change.as_object().into_iter().flatten() {
        message[key] = value.clone();
    }
    message
}

#[test]
fn where_a_message_belongs() {
    let sending = sending();
    let direct = events(&sending, "MESSAGE_CREATE", message(json!({})));
    assert_eq!((direct[0].address.room.as_str(), direct[0].address.thread.as_ref()), ("D900", None));
    assert_eq!(direct[0].at.0 % 1_000_000, 123_000, "the platform's time");
    let in_post = events(&sending, "MESSAGE_CREATE", message(json!({ "channel_id": POST, "guild_id": "8" })));
    assert_eq!(in_post[0].address, Address::room(&"discord".into(), FORUM).thread(POST));
    let elsewhere =
        events(&sending, "MESSAGE_CREATE", message(json!({ "channel_id": "901", "guild_id": "8" })));
    assert!(elsewhere.is_empty(), "a channel that is nobody's business");
}

/// C3, T5: neither the bot's own words nor those of its application come in; other bots are told to be bots.
#[test]
fn own_words_stay_out() {
    let sending = sending();
    let own = json!({ "author": { "id": "2", "username": "IT Desk", "bot": true } });
    assert!(events(&sending, "MESSAGE_CREATE", message(own)).is_empty());
    assert!(
        events(&sending, "MESSAGE_CREATE", message(json!({ "application_id": "1", "webhook_id": "3" })))
            .is_empty()
    );
    let other = json!({ "webhook_id": "3", "author": { "id": "3", "username": "x", "bot": true } });
    assert_eq!(events(&sending, "MESSAGE_CREATE", message(other))[0].from.kind, SenderKind::Bot);
    let joined = events(&sending, "MESSAGE_CREATE", message(json!({ "type": 7 })));
    assert!(joined.is_empty(), "somebody joined: nothing was said");
}

#[test]
fn edits_are_told_from_previews() {
    let sending = sending();
    assert!(events(&sending, "MESSAGE_UPDATE", message(json!({ "embeds": [{}] }))).is_empty());
    let edited = json!({ "edited_timestamp": "2026-08-01T10:01:00.456000+00:00", "content": "ho" });
    let first = events(&sending, "MESSAGE_UPDATE", message(edited.clone()));
    assert_eq!(first, events(&sending, "MESSAGE_UPDATE", message(edited)), "the same edit has the same id");
    assert!(matches!(&first[0].event, InboundEvent::Edited { content, .. } if content.text == "ho"));
}

/// Discord does not say whose message it was.
#[test]
fn deletions_by_whom_is_remembered() {
    let sending = sending();
    let deleted = |id: &str, place: Value| {
        let mut d = json!({ "id": id, "channel_id": "900" });
        for (key, value) in place.as_object().into_iter().flatten() {
            d[key] = value.clone();
        }
        events(&sending, "MESSAGE_DELETE", d)
    };
    assert!(deleted("10", json!({})).is_empty(), "nobody is known there");
    sending.note_direct("5", "900");
    assert_eq!(deleted("10", json!({}))[0].from.id.as_str(), "5");
    sending.authors.note("11", Author::Us);
    assert!(deleted("11", json!({})).is_empty(), "our own");
    let post = json!({ "channel_id": POST, "guild_id": "8" });
    assert_eq!(deleted("12", post.clone())[0].from.kind, SenderKind::External);
    sending.authors.note("12", Author::Person { id: "6".into(), name: None });
    assert_eq!(deleted("12", post)[0].from.id.as_str(), "6");
}

#[test]
fn posts_that_fall_asleep_were_closed_by_nobody() {
    let sending = sending();
    let post = |archived: bool, locked: bool, when: &str| {
        json!({ "id": POST, "parent_id": FORUM, "guild_id": "8", "last_message_id": "175928847299117063",
            "thread_metadata": { "archived": archived, "locked": locked, "auto_archive_duration": 60, "archive_timestamp": when } })
    };
    assert!(events(&sending, "THREAD_UPDATE", post(false, false, "2016-04-30T11:00:00+00:00")).is_empty());
    // An hour after its last word, which was at 11:18.
    assert!(events(&sending, "THREAD_UPDATE", post(true, false, "2016-04-30T12:20:00+00:00")).is_empty());
    assert_eq!(events(&sending, "THREAD_UPDATE", post(false, false, "2016-04-30T12:30:00+00:00")).len(), 1);
    let closed = events(&sending, "THREAD_UPDATE", post(true, true, "2016-04-30T12:40:00+00:00"));
    assert!(matches!(closed[0].event, InboundEvent::ThreadChanged { change: ThreadChange::Closed }));
}

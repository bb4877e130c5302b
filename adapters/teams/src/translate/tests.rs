use deskbridge_contract::AttachmentSource;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const BOT: &str = "28:app-1";

fn activity(more: Value) -> Value {
    let mut made = json!({
        "type": "message", "id": "1700000000001", "timestamp": "2026-11-30T08:00:00.123Z", "channelId": "msteams",
        "serviceUrl": "https://smba.trafficmanager.net/teams/",
        "from": { "id": "29:ana", "aadObjectId": "aad-ana", "name": "Ana" },
        "recipient": { "id": BOT, "name": "Desk" },
        "conversation": { "id": "a:1", "conversationType": "personal", "tenantId": "tenant-1" },
        "channelData": { "tenant": { "id": "tenant-1" } }, "text": "hello",
    });
    made.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    made
}

fn heard(activity: &Value) -> Result<Heard, TranslateError> {
    let channel = ChannelName::new("teams");
    let view =
        View { channel: &channel, app_id: "app-1", tenant: "tenant-1", received: Timestamp::from_seconds(5) };
    translate(&view, activity)
}

fn event(activity: &Value) -> Inbound {
    heard(activity).unwrap().events.remove(0)
}

#[test]
fn a_message() {
    let came = event(&activity(json!({})));
    assert_eq!(came.at, Timestamp(1_796_025_600_123_000));
    assert_eq!((came.from.id.as_str(), came.from.kind), ("aad-ana", SenderKind::Human));
    let InboundEvent::Posted { message, content, .. } = came.event else { panic!() };
    assert_eq!((message.as_str(), content.text.as_str()), ("1700000000001", "hello"));
}

/// Teams brings an event again with its id, and now and then a copy under a new one.
#[test]
fn copies_under_new_ids_are_the_same_event() {
    let first = event(&activity(json!({})));
    assert_eq!(event(&activity(json!({ "id": "f:other" }))).id, first.id);
    for other in [
        json!({ "text": "hello!" }),
        json!({ "timestamp": "2026-11-30T08:00:00.124Z" }),
        json!({ "from": { "id": "29:bob" } }),
        json!({ "conversation": { "id": "a:2" } }),
        json!({ "type": "messageUpdate" }),
    ] {
        assert_ne!(event(&activity(other.clone())).id, first.id, "{other}");
    }
    // Without a time only the id can tell.
    let timeless = |id: &str| event(&activity(json!({ "timestamp": null, "id": id }))).id;
    assert_ne!(timeless("1"), timeless("2"));
}

#[test]
fn strangers_are_external_and_the_bot_is_nobody() {
    let guest = json!({ "channelData": { "tenant": { "id": "another" } } });
    assert_eq!(event(&activity(guest)).from.kind, SenderKind::External);
    let nameless = json!({ "from": { "id": "29:x" } });
    assert_eq!(event(&activity(nameless)).from.kind, SenderKind::External);
    let own = json!({ "from": { "id": BOT } });
    assert!(heard(&activity(own)).unwrap().events.is_empty());
}

#[test]
fn a_call_for_the_bot() {
    let at = |text: &str, thread: &str| {
        activity(json!({
            "conversation": { "id": format!("19:c@thread.tacv2;messageid={thread}"), "conversationType": "channel" },
            "text": text,
            "entities": [{ "type": "mention", "text": "<at>Desk</at>", "mentioned": { "id": BOT, "name": "Desk" } }],
        }))
    };
    let words = |heard: &Heard| match &heard.events[0].event {
        InboundEvent::Posted { content, .. } => content.text.clone(),
        other => panic!("{other:?}"),
    };
    let came = heard(&at("<at>Desk</at> my VPN is broken", "1")).unwrap();
    assert_eq!((words(&came).as_str(), came.called, came.verb.clone()), ("my VPN is broken", true, None));
    assert_eq!(came.address.thread.as_ref().map(|root| root.as_str()), Some("1"));
    let came = heard(&at("<at>Desk</at> transfer @bob", "1")).unwrap();
    assert_eq!(came.verb.as_deref(), Some("!transfer @bob"));
    // Not in front, and only like a verb.
    assert_eq!(heard(&at("accept <at>Desk</at>", "1")).unwrap().verb, None);
    assert_eq!(heard(&at("<at>Desk</at> accepted by whom?", "1")).unwrap().verb, None);
}

#[test]
fn files() {
    let made = activity(json!({ "attachments": [
        { "contentType": "application/vnd.microsoft.teams.file.download.info", "name": "a.pdf",
          "content": { "downloadUrl": "https://x.sharepoint.com/a", "fileType": "pdf" } },
        { "contentType": "image/*", "contentUrl": "https://smba.trafficmanager.net/v3/attachments/1/views/original" },
        { "contentType": "application/vnd.microsoft.card.adaptive", "content": {} },
        { "contentType": "text/html", "content": "<p>with <b>files</b></p>" },
    ] }));
    let InboundEvent::Posted { content, .. } = event(&made).event else { panic!() };
    assert_eq!(content.text, "with **files**");
    let sources: Vec<&AttachmentSource> = content.attachments.iter().map(|file| &file.source).collect();
    assert_eq!(
        sources,
        [
            &AttachmentSource::Remote(ids::direct_file("https://x.sharepoint.com/a")),
            &AttachmentSource::Remote(ids::service_file(
                "https://smba.trafficmanager.net/v3/attachments/1/views/original"
            )),
        ]
    );
}

#[test]
fn everything_else_that_happens() {
    let edited = json!({ "type": "messageUpdate", "channelData": { "eventType": "editMessage" } });
    assert!(matches!(event(&activity(edited)).event, InboundEvent::Edited { .. }));
    assert!(matches!(
        event(&activity(json!({ "type": "messageDelete" }))).event,
        InboundEvent::Deleted { .. }
    ));
    let reacted = json!({ "type": "messageReaction", "replyToId": "7", "reactionsRemoved": [{ "type": "like" }],
        "reactionsAdded": [{ "type": "1f440_eyes" }, { "type": "nonsense" }] });
    let reactions: Vec<(String, bool)> = heard(&activity(reacted))
        .unwrap()
        .events
        .into_iter()
        .map(|event| match event.event {
            InboundEvent::Reacted { emoji, added, .. } => (emoji, added),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(reactions, [("👍".to_owned(), false), ("👀".to_owned(), true)]);
    let started = json!({ "type": "conversationUpdate", "membersAdded": [{ "id": BOT }] });
    assert_eq!(event(&activity(started)).event, InboundEvent::Started { payload: None });
    // T53: an uninstalled app is gone, whatever later sends are answered.
    for removed in [
        json!({ "type": "conversationUpdate", "membersRemoved": [{ "id": BOT }] }),
        json!({ "type": "installationUpdate", "action": "remove" }),
    ] {
        let came = heard(&activity(removed)).unwrap();
        assert!(came.change == Change::Removed && came.events[0].event == InboundEvent::Left);
    }
    let back = json!({ "type": "installationUpdate", "action": "add" });
    assert_eq!(event(&activity(back)).event, InboundEvent::Returned);
    let others = json!({ "type": "conversationUpdate", "membersAdded": [{ "id": "29:new" }] });
    assert!(heard(&activity(others)).unwrap().events.is_empty());
    for unknown in [
        json!({ "type": "handoff" }),
        json!({ "type": "invoke", "name": "composeExtension/query" }),
        json!({ "type": "event", "name": "meetingStart" }),
        json!({ "type": "messageUpdate", "channelData": { "eventType": "new" } }),
    ] {
        assert!(matches!(heard(&activity(unknown.clone())), Err(TranslateError::Unknown(_))), "{unknown}");
    }
}

#[test]
fn presses_and_the_cards_own_box() {
    let invoke = |verb: &str, data: Value| {
        activity(json!({ "type": "invoke", "name": "adaptiveCard/action", "replyToId": "7",
            "value": { "action": { "type": "Action.Execute", "verb": verb, "data": data } } }))
    };
    let came = event(&invoke("desk:accept", json!({ "value": "1" })));
    assert!(came.interaction.is_some());
    let InboundEvent::Invoked { action, value, message } = came.event else { panic!() };
    assert_eq!((action.as_str(), value.as_deref()), ("desk:accept", Some("1")));
    assert_eq!(message.unwrap().as_str(), "7");
    let said = event(&invoke(cards::SAY, json!({ cards::SAID: "On *my* way" })));
    let InboundEvent::Posted { content, .. } = said.event else { panic!() };
    assert_eq!(content.text, "On \\*my\\* way");
    assert!(heard(&invoke(cards::SAY, json!({ cards::SAID: "  " }))).unwrap().events.is_empty());
    assert!(heard(&invoke("", json!({}))).is_err());
}

proptest! {
    /// C2: nothing that comes may stop the program.
    #[test]
    fn translating_is_total(kind in "message|invoke|messageReaction|conversationUpdate|installationUpdate|event|.{0,8}",
                            text in ".{0,60}", odd in 0_usize..6) {
        let odd = [json!(null), json!(1), json!([]), json!({}), json!("x"), json!([{"type": "mention"}])][odd].clone();
        for key in ["from", "recipient", "conversation", "entities", "attachments", "value", "id", "timestamp"] {
            let mut made = activity(json!({ "type": kind, "text": text }));
            made[key] = odd.clone();
            let _ = heard(&made);
        }
    }
}

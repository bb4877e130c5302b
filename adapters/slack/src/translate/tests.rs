//! Not here: requests and acknowledgements (`receive/tests.rs`), what rich text becomes (`markup/tests.rs`).

mod samples;

use std::sync::Arc;

use async_trait::async_trait;
use deskbridge_contract::{
    AttachmentSource, ChannelName, Inbound, InboundEvent, Inbox, InboxSink, PushError, Receipt, SenderKind,
    ShelfError, ShelfStore, Timestamp, TranslateError,
};
use serde_json::{Value, json};

use super::interactions::{Act, act};
use super::{Found, View, translate};
use crate::Me;
use crate::people::{Known, Person};
use crate::threads::Threads;

pub(super) const ROOT: &str = "1790000000.000100";
pub(super) const TS: &str = "1790000001.000200";

/// Everything that a view looks at.
pub(super) struct World {
    channel: ChannelName,
    me: Me,
    people: Known,
    pub threads: Threads,
    desks: Vec<String>,
}

impl World {
    pub(super) fn new() -> World {
        let person = |name: &str, kind| Person {
            name: Some(name.to_owned()),
            email: Some("ana@example.com".into()),
            email_verified: true,
            picture: None,
            language: Some("pt-PT".into()),
            kind,
        };
        World {
            channel: ChannelName::new("slack"),
            me: Me {
                team_id: "T1".into(),
                user_id: "U0BOT".into(),
                bot_id: Some("B0BOT".into()),
                name: Some("IT Desk".into()),
                enterprise_id: None,
            },
            people: Known::of([
                ("U1ANA", person("Ana", SenderKind::Human)),
                ("U2GUEST", person("Guest", SenderKind::External)),
            ]),
            threads: Threads::default(),
            desks: vec!["C0DESK".into()],
        }
    }

    pub(super) fn view(&self) -> View<'_> {
        View {
            channel: &self.channel,
            me: &self.me,
            people: &self.people,
            threads: &self.threads,
            desks: &self.desks,
            received: Timestamp::from_seconds(1_790_000_009),
        }
    }

    /// A thread that began with a call.
    async fn conversation(&self, channel: &str, root: &str) {
        let nothing = Arc::new(Nothing);
        let inbox = Inbox::new(self.channel.clone(), nothing.clone(), nothing);
        self.threads.begin(&inbox.shelf(), channel, root, "U1ANA").await.unwrap();
    }

    fn event(&self, event: Value) -> Found {
        translate(&self.view(), &callback(event))
    }

    fn one(&self, event: Value) -> Inbound {
        let mut events = self.event(event).unwrap();
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }

    fn act(&self, payload: Value) -> Result<Act, TranslateError> {
        act(&self.view(), &payload)
    }
}

struct Nothing;

#[async_trait]
impl InboxSink for Nothing {
    async fn push(&self, _: Inbound) -> Result<Receipt, PushError> {
        Err(PushError::Closed)
    }
    async fn quarantine(&self, _: &ChannelName, _: &[u8], _: &TranslateError) -> Result<(), PushError> {
        Err(PushError::Closed)
    }
}

#[async_trait]
impl ShelfStore for Nothing {
    async fn get(&self, _: &ChannelName, _: &str) -> Result<Option<String>, ShelfError> {
        Ok(None)
    }
    async fn put(&self, _: &ChannelName, _: &str, _: &str) -> Result<(), ShelfError> {
        Ok(())
    }
    async fn delete(&self, _: &ChannelName, _: &[String]) -> Result<(), ShelfError> {
        Ok(())
    }
    async fn find(&self, _: &ChannelName, _: &str, _: &str) -> Result<Vec<String>, ShelfError> {
        Ok(Vec::new())
    }
}

pub(super) fn callback(event: Value) -> Value {
    json!({
        "type": "event_callback", "team_id": "T1", "api_app_id": "A0BOT", "event_id": "Ev1",
        "event_time": 1_790_000_005, "event": event,
    })
}

fn said(channel: &str, text: &str) -> Value {
    json!({ "type": "message", "channel": channel, "user": "U1ANA", "text": text, "ts": TS })
}

fn with(mut event: Value, more: Value) -> Value {
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

fn words(inbound: &Inbound) -> &str {
    match &inbound.event {
        InboundEvent::Posted { content, .. } | InboundEvent::Edited { content, .. } => &content.text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_direct_message_is_its_room() {
    let world = World::new();
    let inbound = world.one(said("D1ANA", "my *printer*"));
    assert_eq!(inbound.id.as_str(), "T1.m.D1ANA.1790000001.000200");
    assert_eq!(inbound.at, Timestamp(1_790_000_001_000_200));
    assert_eq!((inbound.address.room.as_str(), inbound.address.thread.as_ref()), ("D1ANA", None));
    assert_eq!(words(&inbound), "my **printer**");
    assert_eq!(inbound.from.display_name.as_deref(), Some("Ana"));
    assert_eq!(inbound.from.language.as_deref(), Some("pt-PT"));
    // A reply in a thread is a quotation, not another conversation.
    let reply = world.one(with(said("D1ANA", "that one"), json!({ "thread_ts": ROOT })));
    assert_eq!(reply.address.thread, None);
    let InboundEvent::Posted { reply_to, .. } = reply.event else { panic!() };
    assert_eq!(reply_to.unwrap().as_str(), ROOT);
}

#[tokio::test]
async fn an_assistants_thread_is_a_conversation_of_its_own() {
    let world = World::new();
    let started = json!({ "type": "assistant_thread_started", "event_ts": TS, "assistant_thread": {
        "user_id": "U1ANA", "channel_id": "D1ANA", "thread_ts": ROOT } });
    let inbound = world.one(started);
    assert_eq!(inbound.event, InboundEvent::Started { payload: None });
    assert_eq!(inbound.address.thread.as_ref().unwrap().as_str(), ROOT);
    world.conversation("D1ANA", ROOT).await;
    let inbound = world.one(with(said("D1ANA", "hello"), json!({ "thread_ts": ROOT })));
    assert_eq!(inbound.address.thread.unwrap().as_str(), ROOT);
}

/// T1 in one of its forms: the same message by two kinds of event is one fact.
#[test]
fn t1_a_call_in_a_channel_begins_a_thread_and_is_one_event_in_both_forms() {
    let world = World::new();
    let text = "<@U0BOT> my VPN is down";
    let message = world.one(with(said("C1ALL", text), json!({ "channel_type": "channel" })));
    let mention = world.one(with(said("C1ALL", text), json!({ "type": "app_mention" })));
    assert_eq!(message, mention);
    assert_eq!(message.address.thread.as_ref().unwrap().as_str(), TS);
    assert_eq!(words(&message), "my VPN is down");
    let rich = json!({ "blocks": [{ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [
        { "type": "user", "user_id": "U0BOT" }, { "type": "text", "text": ", my VPN is down" } ] }] }] });
    assert_eq!(words(&world.one(with(said("C1ALL", text), rich))), "my VPN is down");
    // Called inside a thread: that thread.
    let inside = world.one(with(said("C1ALL", text), json!({ "thread_ts": ROOT })));
    assert_eq!(inside.address.thread.unwrap().as_str(), ROOT);
    // Called without a word.
    assert_eq!(world.one(said("C1ALL", "<@U0BOT>")).event, InboundEvent::Started { payload: None });
}

#[test]
fn in_the_desk_a_call_begins_nothing_and_a_thread_is_a_thread() {
    let world = World::new();
    assert_eq!(world.one(said("C0DESK", "<@U0BOT> !on")).address.thread, None);
    let reply = world.one(with(said("C0DESK", "On my way"), json!({ "thread_ts": ROOT })));
    assert_eq!(reply.address.thread.unwrap().as_str(), ROOT);
    let InboundEvent::Posted { reply_to, .. } = reply.event else { panic!() };
    assert_eq!(reply_to, None);
    let broadcast =
        with(said("C0DESK", "solved"), json!({ "thread_ts": ROOT, "subtype": "thread_broadcast" }));
    assert_eq!(world.one(broadcast).address.thread.unwrap().as_str(), ROOT);
}

/// T5: whatever form Slack gives to our own posts, they never come in.
#[test]
fn t5_own_posts_never_come_back() {
    let world = World::new();
    let own = [
        json!({ "user": "U0BOT" }),
        json!({ "user": "U9", "bot_id": "B0BOT" }),
        json!({ "user": "U9", "bot_id": "B7", "app_id": "A0BOT" }),
        json!({ "subtype": "bot_message", "bot_id": "B7", "bot_profile": { "app_id": "A0BOT" }, "username": "Ana" }),
        json!({ "user": "U0BOT", "subtype": "file_share", "files": [{ "id": "F1", "mode": "hosted" }] }),
    ];
    for form in own {
        let message = with(said("C0DESK", "hello"), form);
        assert_eq!(world.event(message.clone()), Ok(Vec::new()), "{message}");
        let changed = json!({ "type": "message", "subtype": "message_changed", "channel": "C0DESK",
            "message": with(message.clone(), json!({ "edited": { "user": "U0BOT", "ts": TS } })),
            "previous_message": message });
        assert_eq!(world.event(changed), Ok(Vec::new()));
        let deleted = json!({ "type": "message", "subtype": "message_deleted", "channel": "C0DESK",
            "deleted_ts": TS, "previous_message": message });
        assert_eq!(world.event(deleted), Ok(Vec::new()));
    }
    let reaction = json!({ "type": "reaction_added", "user": "U0BOT", "reaction": "eyes", "event_ts": TS,
        "item": { "type": "message", "channel": "C0DESK", "ts": ROOT } });
    assert_eq!(world.event(reaction), Ok(Vec::new()));
}

/// T5 with two bridges in one channel: the other one's posts are a bot's.
#[test]
fn t5_another_bridge_is_a_bot() {
    let other = json!({ "user": "U7BOT", "bot_id": "B7", "app_id": "A7",
        "bot_profile": { "name": "Other desk", "app_id": "A7" } });
    let inbound = World::new().one(with(said("C0DESK", "hello"), other));
    assert_eq!(inbound.from.kind, SenderKind::Bot);
    assert_eq!(inbound.from.display_name.as_deref(), Some("Other desk"));
}

/// S74: guests and people of other organisations are from outside, also when nobody could be asked about them.
#[test]
fn s74_guests_and_connected_people_are_external() {
    let world = World::new();
    let kind = |more: Value| world.one(with(said("C0DESK", "let me in"), more)).from.kind;
    assert_eq!(kind(json!({ "user": "U2GUEST" })), SenderKind::External);
    assert_eq!(kind(json!({ "user": "U8", "user_team": "T9" })), SenderKind::External);
    assert_eq!(
        kind(json!({ "user": "U8", "user_profile": { "is_restricted": true } })),
        SenderKind::External
    );
    let unknown = world.one(with(said("D8", "hello"), json!({ "user": "U8" })));
    assert_eq!(unknown.from.kind, SenderKind::Human);
    assert_eq!(unknown.from.display_name.as_deref(), Some("U8"));
}

/// S41: names are cleaned of what is not seen.
#[test]
fn s41_a_name_has_nothing_invisible() {
    let named =
        json!({ "user": "U8", "user_profile": { "display_name": "Sup\u{200b}port\u{202e} (Admin)\n" } });
    let inbound = World::new().one(with(said("D8", "hello"), named));
    assert_eq!(inbound.from.display_name.as_deref(), Some("Support (Admin)"));
}

fn changed(edited: Option<&str>, before: Option<&str>) -> Value {
    let message = |text: &str, edited: Option<&str>| {
        let mut message = json!({ "type": "message", "user": "U1ANA", "text": text, "ts": TS });
        if let Some(edited) = edited {
            message["edited"] = json!({ "user": "U1ANA", "ts": edited });
        }
        message
    };
    json!({ "type": "message", "subtype": "message_changed", "channel": "D1ANA", "event_ts": "1790000003.000000",
        "message": message("new", edited), "previous_message": message("old", before) })
}

/// T7: an edit is an edit of its message; unfurls and reply counts change a message as well, and are nothing.
#[test]
fn t7_only_a_persons_edit_is_an_edit() {
    let world = World::new();
    let inbound = world.one(changed(Some("1790000002.000000"), None));
    assert_eq!(inbound.id.as_str(), "T1.e.D1ANA.1790000001.000200.1790000002.000000");
    assert_eq!(inbound.at, Timestamp::from_seconds(1_790_000_002));
    assert!(matches!(&inbound.event, InboundEvent::Edited { message, .. } if message.as_str() == TS));
    assert_eq!(words(&inbound), "new");
    assert_eq!(world.event(changed(None, None)), Ok(Vec::new()));
    assert_eq!(world.event(changed(Some("1790000002.000000"), Some("1790000002.000000"))), Ok(Vec::new()));
    let again = world.one(changed(Some("1790000004.000000"), Some("1790000002.000000")));
    assert_ne!(again.id, inbound.id);
}

#[test]
fn deletions_in_both_forms() {
    let world = World::new();
    let previous = said("D1ANA", "oops");
    let plain = json!({ "type": "message", "subtype": "message_deleted", "channel": "D1ANA", "hidden": true,
        "deleted_ts": TS, "previous_message": previous, "event_ts": "1790000003.000000" });
    let inbound = world.one(plain);
    assert!(matches!(&inbound.event, InboundEvent::Deleted { message } if message.as_str() == TS));
    assert_eq!(inbound.at, Timestamp::from_seconds(1_790_000_003));
    let stone = json!({ "type": "message", "subtype": "message_changed", "channel": "D1ANA",
        "message": { "subtype": "tombstone", "ts": TS, "user": "USLACKBOT" }, "previous_message": previous });
    assert_eq!(world.one(stone).id, inbound.id);
}

/// T10, T11: one message with several files is one message, with or without text.
#[test]
fn t10_several_files_are_one_message() {
    let file = |id: &str, name: &str, mime: &str| {
        json!({ "id": id, "name": name, "mimetype": mime, "size": 7, "mode": "hosted",
            "url_private_download": format!("https://files.slack.com/{id}") })
    };
    let files = json!({ "subtype": "file_share", "files": [
        file("F1", "a.png", "image/png"), file("F2", "b.txt", "text/plain"), file("F3", "c.webm", "audio/webm"),
        { "id": "F4", "name": "gone.txt", "mode": "tombstone" },
        { "id": "F5", "name": "Plan", "is_external": true, "url_private": "https://docs.example.com/x?a=(1)" },
        { "id": "F6", "name": "stub.bin", "mimetype": "application/zip", "file_access": "check_file_info",
          "url_private": "https://files.slack.com/F6" },
    ] });
    let world = World::new();
    let inbound = world.one(with(said("D1ANA", "look"), files.clone()));
    let InboundEvent::Posted { content, .. } = &inbound.event else { panic!() };
    assert!(
        content.text.starts_with("look\n\n[Plan](<https://docs.example.com/x?a=(1)>)"),
        "{}",
        content.text
    );
    let names: Vec<&str> = content.attachments.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["a.png", "b.txt", "c.webm", "gone.txt", "stub.bin"]);
    assert!(matches!(&content.attachments[3].source, AttachmentSource::Missing { .. }));
    let AttachmentSource::Remote(stub) = &content.attachments[4].source else { panic!() };
    assert_eq!(crate::ids::FileRef::of(stub).unwrap().url, None);
    assert_eq!(world.event(with(said("D1ANA", ""), files)).unwrap().len(), 1);
}

#[tokio::test]
async fn reactions_find_their_thread() {
    let world = World::new();
    world.threads.note("C1ALL", TS, ROOT);
    let reaction = |name: &str, kind: &str| {
        json!({ "type": kind, "user": "U1ANA", "reaction": name, "event_ts": "1790000003.000000",
            "item": { "type": "message", "channel": "C1ALL", "ts": TS } })
    };
    let added = world.one(reaction("white_check_mark", "reaction_added"));
    assert_eq!(added.address.thread.as_ref().unwrap().as_str(), ROOT);
    assert!(matches!(&added.event, InboundEvent::Reacted { emoji, added: true, .. } if emoji == "✅"));
    let removed = world.one(reaction("white_check_mark", "reaction_removed"));
    assert!(matches!(&removed.event, InboundEvent::Reacted { added: false, .. }));
    assert_ne!(added.id, removed.id);
    for (name, emoji) in [("eyes", "👀"), ("ticket", "🎫"), ("zzz", "💤"), ("alarm_clock", "⏰")] {
        let inbound = world.one(reaction(name, "reaction_added"));
        assert!(matches!(&inbound.event, InboundEvent::Reacted { emoji: e, .. } if e == emoji), "{name}");
    }
    assert_eq!(world.event(reaction("our-own-parrot", "reaction_added")), Ok(Vec::new()));
}

#[test]
fn rooms_come_and_go() {
    let world = World::new();
    let event = |kind: &str, more: Value| world.event(with(json!({ "type": kind, "event_ts": TS }), more));
    let is = |found: Found, expected: InboundEvent| {
        let found = found.unwrap();
        assert!(found.len() == 1 && found[0].event == expected, "{found:?}");
    };
    let bot = json!({ "user": "U0BOT", "channel": "C0DESK" });
    is(event("member_left_channel", bot.clone()), InboundEvent::Left);
    is(event("member_joined_channel", bot), InboundEvent::Returned);
    assert_eq!(event("member_left_channel", json!({ "user": "U1ANA", "channel": "C0DESK" })), Ok(Vec::new()));
    is(event("channel_archive", json!({ "user": "U1ANA", "channel": "C0DESK" })), InboundEvent::Left);
    is(event("channel_unarchive", json!({ "user": "U1ANA", "channel": "C0DESK" })), InboundEvent::Returned);
    let renamed = json!({ "channel": { "id": "C0DESK", "name": "new", "created": 1 } });
    assert_eq!(event("channel_rename", renamed), Ok(Vec::new()));
    let moved = json!({ "old_channel_id": "C1ALL", "new_channel_id": "C2ALL" });
    let moved = event("channel_id_changed", moved).unwrap();
    assert!(matches!(&moved[0].event, InboundEvent::RoomMoved { to } if to.room.as_str() == "C2ALL"));
}

#[test]
fn an_opened_messages_tab_is_a_beginning_once() {
    let world = World::new();
    let opened = |tab: &str, event_id: &str| {
        let mut body = callback(json!({ "type": "app_home_opened", "user": "U1ANA", "channel": "D1ANA",
            "tab": tab, "event_ts": TS }));
        body["event_id"] = event_id.into();
        translate(&world.view(), &body).unwrap()
    };
    let (first, second) = (opened("messages", "Ev1"), opened("messages", "Ev2"));
    assert_eq!(first[0].event, InboundEvent::Started { payload: None });
    assert_eq!(first[0].id, second[0].id);
    assert_eq!(opened("home", "Ev3"), Vec::new());
}

#[test]
fn workspaces_are_never_mixed() {
    let world = World::new();
    let mut body = callback(said("D1ANA", "hello"));
    body["team_id"] = "T9".into();
    assert!(matches!(translate(&world.view(), &body), Err(TranslateError::Malformed(_))));
    // A shared channel: it happened elsewhere, and is told by our installation.
    body["authorizations"] = json!([{ "team_id": "T1", "user_id": "U0BOT", "is_bot": true }]);
    assert_eq!(translate(&world.view(), &body).unwrap().len(), 1);
    let press = json!({ "type": "block_actions", "team": { "id": "T9" }, "user": { "id": "U1ANA" } });
    assert!(matches!(world.act(press), Err(TranslateError::Malformed(_))));
}

#[test]
fn what_is_unknown_is_said_to_be() {
    let world = World::new();
    assert_eq!(world.event(json!({ "type": "novelty" })), Err(TranslateError::Unknown("novelty".into())));
    let subtype = with(said("D1ANA", "x"), json!({ "subtype": "novelty" }));
    assert_eq!(world.event(subtype), Err(TranslateError::Unknown("message subtype novelty".into())));
    assert!(matches!(
        world.act(json!({ "type": "novelty", "team": { "id": "T1" } })),
        Err(TranslateError::Unknown(_))
    ));
    assert!(matches!(
        translate(&world.view(), &json!({ "type": "app_rate_limited" })),
        Err(TranslateError::Unknown(_))
    ));
}

fn command(text: &str) -> Value {
    json!({ "command": "/desk", "text": text, "team_id": "T1", "channel_id": "C1ALL", "user_id": "U1ANA",
        "user_name": "ana", "trigger_id": "13345224609.738474920.8088930838d88f008e0",
        "response_url": "https://hooks.slack.com/commands/1234/5678" })
}

#[test]
fn a_command_is_a_question_or_a_wish() {
    let world = World::new();
    let direct = |text: &str| match world.act(command(text)).unwrap() {
        Act::Direct(direct) => direct,
        other => panic!("{other:?}"),
    };
    let asked = direct("my VPN &amp; more");
    assert!(matches!(&asked.event, InboundEvent::Posted { content, .. } if content.text.contains("VPN")));
    assert!(asked.shown.is_some());
    for (text, word) in
        [("status", "/status"), ("Human", "/human"), ("talk to a human", "/human"), ("close", "/close")]
    {
        let wish = direct(text);
        assert!(
            matches!(&wish.event, InboundEvent::Posted { content, .. } if content.text == word),
            "{text}"
        );
        assert_eq!(wish.shown, None);
    }
    for word in ["on", "busy", "off"] {
        let switch = direct(word);
        assert!(matches!(&switch.event, InboundEvent::Invoked { action, .. } if action == word));
        assert!(switch.interaction.is_some());
    }
    for text in ["", "help", "  "] {
        assert!(matches!(world.act(command(text)), Ok(Act::Tell(_))));
    }
}

fn pressed(action: Value, container: Value) -> Value {
    json!({ "type": "block_actions", "team": { "id": "T1" }, "user": { "id": "U1ANA", "team_id": "T1" },
        "trigger_id": "12.34.ab", "response_url": "https://hooks.slack.com/actions/x",
        "channel": { "id": container["channel_id"] }, "container": container, "actions": [action] })
}

#[test]
fn a_press_on_the_card_is_in_its_thread() {
    let world = World::new();
    let accept = json!({ "type": "button", "action_id": "accept", "action_ts": "1790000007.500000" });
    let card = json!({ "type": "message", "message_ts": ROOT, "channel_id": "C0DESK" });
    let Ok(Act::Push(inbound)) = world.act(pressed(accept.clone(), card)) else { panic!() };
    assert_eq!(inbound.address.thread.as_ref().unwrap().as_str(), ROOT);
    assert_eq!(inbound.at, Timestamp(1_790_000_007_500_000));
    assert!(matches!(&inbound.event,
        InboundEvent::Invoked { action, message: Some(message), .. } if action == "accept" && message.as_str() == ROOT));
    assert_eq!(inbound.id.as_str(), "T1.i.12.34.ab");
    let handle = crate::ids::Handle::of(inbound.interaction.as_ref().unwrap());
    assert_eq!(handle.response_url.as_deref(), Some("https://hooks.slack.com/actions/x"));
    // A hint that one person sees stands in the thread, and is no message of it.
    let hint = json!({ "type": "message", "message_ts": TS, "channel_id": "C0DESK", "thread_ts": ROOT, "is_ephemeral": true });
    let Ok(Act::Push(inbound)) = world.act(pressed(accept.clone(), hint)) else { panic!() };
    assert_eq!(inbound.address.thread.unwrap().as_str(), ROOT);
    assert!(matches!(inbound.event, InboundEvent::Invoked { message: None, .. }));
    // In a direct message there is no thread.
    let direct = json!({ "type": "message", "message_ts": TS, "channel_id": "D1ANA" });
    let Ok(Act::Push(inbound)) = world.act(pressed(accept, direct)) else { panic!() };
    assert_eq!(inbound.address.thread, None);
}

#[test]
fn verbs_that_need_more_open_a_form_and_the_form_is_the_verb() {
    let world = World::new();
    let menu = json!({ "type": "overflow", "action_id": "more", "action_ts": TS,
        "selected_option": { "value": "open:transfer" } });
    let card = json!({ "type": "message", "message_ts": ROOT, "channel_id": "C0DESK" });
    let Ok(Act::Open { trigger_id, view }) = world.act(pressed(menu, card)) else { panic!() };
    assert_eq!(trigger_id, "12.34.ab");
    let submit = |view: &Value, values: Value| {
        let mut view = view.clone();
        view["id"] = "V1".into();
        view["state"] = json!({ "values": values });
        world.act(json!({ "type": "view_submission", "team": { "id": "T1" }, "user": { "id": "U1ANA" }, "view": view }))
    };
    let chosen = json!({ "person": { "field": { "type": "users_select", "selected_user": "U5BOB" } } });
    let Ok(Act::Push(inbound)) = submit(&view, chosen.clone()) else { panic!() };
    assert_eq!(inbound.address.thread.as_ref().unwrap().as_str(), ROOT);
    assert!(matches!(&inbound.event,
        InboundEvent::Invoked { action, value: Some(who), .. } if action == "transfer" && who == "@U5BOB"));
    assert_eq!(
        submit(&view, chosen).map(|act| matches!(act, Act::Push(again) if again.id == inbound.id)),
        Ok(true)
    );
    assert!(matches!(submit(&view, json!({})), Ok(Act::Unfilled(_))));
    // A form that says it is about somewhere else than a desk does nothing there.
    let mut forged = view;
    forged["private_metadata"] =
        json!({ "address": { "channel": "slack", "room": "C1ALL" } }).to_string().into();
    let chosen = json!({ "person": { "field": { "type": "users_select", "selected_user": "U5BOB" } } });
    assert!(submit(&forged, chosen).is_err());
}

#[test]
fn shortcuts_on_messages() {
    let world = World::new();
    let shortcut = |channel: &str, action: &str| {
        world.act(json!({ "type": "message_action", "callback_id": action, "team": { "id": "T1" },
            "user": { "id": "U1ANA" }, "channel": { "id": channel }, "trigger_id": "5.6", "action_ts": TS,
            "message": { "ts": TS, "thread_ts": ROOT, "text": "the printer burns", "user": "U8" } }))
    };
    let Ok(Act::Push(inbound)) = shortcut("C0DESK", "ticket") else { panic!() };
    assert_eq!(inbound.address.thread.unwrap().as_str(), ROOT);
    let Ok(Act::Open { view, .. }) = shortcut("C1ALL", "ticket") else { panic!() };
    assert!(view.to_string().contains("the printer burns"));
    assert!(matches!(shortcut("C1ALL", "summary"), Ok(Act::Tell(_))));
}

/// S44: what a requester types is text, whatever it looks like.
#[test]
fn s44_typed_commands_are_words() {
    let world = World::new();
    for text in ["/close", "!assign @bob", "#handover", "!on"] {
        let inbound = world.one(said("D1ANA", text));
        assert!(matches!(&inbound.event, InboundEvent::Posted { .. }), "{text}");
    }
}

//! Events come in: once each, to the conversation and the messages that they are about.
//!
//! Not here: what goes out.

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::Content;
use deskbridge_conversation::{
    Author, ConversationId, DeskEvent, EventBody, Gist, MessageId, ReactionTarget, RequesterEvent,
    RequesterVerb, Stage, Verb, Wish,
};
use futures_util::future::join_all;

use super::events::*;
use super::rig::{Fresh, Rig, START, people_only, remote, text, thread, web};
use crate::*;

const FIRST: ConversationId = ConversationId(1);

fn message(conversation: i64, seq: u64) -> MessageId {
    MessageId { conversation: ConversationId(conversation), seq, n: 0 }
}

pub(super) async fn a_message_opens_a_conversation(place: Fresh) {
    let rig = Rig::start(&place).await;
    match rig.writer.apply(posted(1, "m1", "printer broken")).await.unwrap() {
        Applied::Done { conversation, seq: 1, opened: true, .. } => assert_eq!(conversation.id, FIRST),
        other => panic!("{other:?}"),
    }
    let state = rig.state(FIRST).await;
    assert_eq!((state.seq, state.requester.name.as_str()), (1, "Requester 1"));
    let stored = rig.read.message(message(1, 1)).await.unwrap().unwrap();
    assert_eq!(stored.content, Content::text("printer broken"));
    assert_eq!(stored.author, Author::Requester(requester(1).id));
    assert_eq!((stored.now, stored.at, stored.edited, stored.deleted), (START, START, None, false));
    let links = rig.read.links(FIRST, state.sessions[0].id, Some(stored.id)).await.unwrap();
    assert_eq!(links.len(), 1);
    assert_eq!((&links[0].channel, &links[0].remote, links[0].part), (&web(), &remote("m1"), 0));
    rig.end().await;
}

pub(super) async fn the_same_event_twice_is_one(place: Fresh) {
    let rig = Rig::start(&place).await;
    rig.done(posted(1, "m1", "printer broken")).await;
    let before = rig.exported().await;
    for _ in 0..2 {
        assert!(matches!(rig.writer.apply(posted(1, "m1", "printer broken")).await, Ok(Applied::Duplicate)));
    }
    assert_eq!(rig.exported().await, before);
    rig.end().await;
    // A day later, in another run of the program.
    let rig = Rig::start(&place).await;
    rig.advance(Duration::from_secs(24 * 3600 - 60));
    assert!(matches!(rig.writer.apply(posted(1, "m1", "printer broken")).await, Ok(Applied::Duplicate)));
    assert_eq!(rig.exported().await, before);
    rig.end().await;
}

pub(super) async fn a_thousand_at_once_are_one(place: Fresh) {
    let rig = Rig::start(&place).await;
    let answers = join_all((0..1000).map(|_| rig.writer.apply(posted(1, "m1", "printer broken")))).await;
    let done = answers.iter().filter(|answer| matches!(answer, Ok(Applied::Done { .. }))).count();
    let duplicates = answers.iter().filter(|answer| matches!(answer, Ok(Applied::Duplicate))).count();
    assert_eq!((done, duplicates), (1, 999));
    assert_eq!(rig.read.counts().await.unwrap().messages, 1);
    assert_eq!(rig.state(FIRST).await.seq, 1);
    rig.end().await;
}

pub(super) async fn an_address_finds_its_conversation(place: Fresh) {
    let rig = Rig::start(&place).await;
    // One batch: the second of each finds what the first opened.
    let jobs = [
        posted(1, "a1", "one"),
        posted(2, "b1", "two"),
        posted(1, "a2", "one more"),
        posted(2, "b2", "again"),
    ];
    let answers = join_all(jobs.map(|job| rig.writer.apply(job))).await;
    let ids: Vec<i64> = answers
        .into_iter()
        .map(|answer| match answer {
            Ok(Applied::Done { conversation, .. }) => conversation.id.0,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, [1, 2, 1, 2]);
    // And so does a later batch.
    assert_eq!(rig.done(posted(2, "b3", "still")).await.id.0, 2);
    assert_eq!(rig.state(ConversationId(2)).await.seq, 3);
    rig.end().await;
}

pub(super) async fn a_late_message_finds_its_conversation(place: Fresh) {
    let rig = Rig::start(&place).await;
    rig.done(posted(1, "m1", "printer broken")).await;
    let closed = rig.done(pressed(1, "p1", RequesterVerb::Close)).await;
    assert!(matches!(closed.stage, Stage::Closed(_)));
    let window = rig.policy.current().policy.reopen_window;
    rig.advance(window);
    // The closed stage asks whether it is the same issue.
    assert_eq!(rig.done(posted(1, "m2", "broken again")).await.id, FIRST);
    rig.advance(Duration::from_micros(1));
    // Too old to come back to; but it can still be rated.
    assert_eq!(rig.done(pressed(1, "p2", RequesterVerb::Rate { score: 5 })).await.id, FIRST);
    assert_eq!(rig.state(FIRST).await.rating, Some(5));
    assert_eq!(rig.done(posted(1, "m3", "and again")).await.id.0, 2);
    assert_eq!(rig.done(posted(1, "m4", "hello?")).await.id.0, 2);
    rig.end().await;
}

pub(super) async fn another_is_opened_when_asked_for(place: Fresh) {
    let rig = Rig::start(&place).await;
    rig.done(posted(1, "m1", "printer broken")).await;
    let mut anew = posted(1, "m2", "and my phone");
    let Target::Requester { force_new, .. } = &mut anew.target else { panic!("not by address") };
    *force_new = true;
    assert_eq!(rig.done(anew).await.id.0, 2);
    assert_eq!(rig.done(posted(1, "m3", "it rings")).await.id.0, 2);
    // Nothing is opened for what is about something earlier that we never had.
    for unknown in [
        edited(7, "x1", "nothing", "words"),
        deleted(7, "x2", "nothing"),
        by_requester(7, "x3", RequesterEvent::Left),
        by_requester(7, "x4", RequesterEvent::Reacted { message: None, emoji: "👍".into(), added: true }),
    ] {
        assert!(matches!(rig.writer.apply(unknown.clone()).await, Ok(Applied::Ignored)));
        assert!(matches!(rig.writer.apply(unknown).await, Ok(Applied::Duplicate)));
    }
    assert_eq!(rig.read.counts().await.unwrap().conversations, 2);
    rig.end().await;
}

pub(super) async fn numbers_have_no_gaps(place: Fresh) {
    let rig = Rig::start(&place).await;
    let mut poisoned = posted(1, "m1", "printer broken");
    let Target::Requester { queue, .. } = &mut poisoned.target else { panic!("not by address") };
    *queue = "poison".into();
    let answers = join_all([poisoned, posted(2, "m2", "mine too")].map(|job| rig.writer.apply(job))).await;
    assert!(matches!(answers[0], Err(StoreError::Corrupt(_))));
    match &answers[1] {
        Ok(Applied::Done { conversation, opened: true, .. }) => assert_eq!(conversation.id, FIRST),
        other => panic!("{other:?}"),
    }
    rig.end().await;
    let rig = Rig::start(&place).await;
    assert_eq!(rig.done(posted(3, "m3", "and mine")).await.id.0, 2);
    rig.end().await;
}

pub(super) async fn edits_and_deletions_find_their_message(place: Fresh) {
    let rig = Rig::start(&place).await;
    rig.done(posted(1, "m1", "printer broken")).await;
    rig.advance(Duration::from_secs(1));
    rig.done(edited(1, "e1", "m1", "printer on fire")).await;
    let row = rig.read.message(message(1, 1)).await.unwrap().unwrap();
    assert_eq!((row.content, row.edited), (Content::text("printer on fire"), Some(rig.now())));
    // Link previews and the like: nothing changes, and the second time it is not even looked at.
    let before = rig.state(FIRST).await.seq;
    assert!(matches!(rig.writer.apply(edited(1, "e2", "m1", "printer on fire")).await, Ok(Applied::Ignored)));
    assert!(matches!(
        rig.writer.apply(edited(1, "e2", "m1", "printer on fire")).await,
        Ok(Applied::Duplicate)
    ));
    assert!(matches!(rig.writer.apply(edited(1, "e3", "m9", "what?")).await, Ok(Applied::Ignored)));
    assert!(matches!(rig.writer.apply(deleted(1, "e4", "m9")).await, Ok(Applied::Ignored)));
    assert_eq!(rig.state(FIRST).await.seq, before);
    // In one batch with the message itself; the last words stand.
    let jobs = [
        posted(1, "m2", "first"),
        edited(1, "e5", "m2", "second"),
        edited(1, "e6", "m2", "second"),
        edited(1, "e7", "m2", "third"),
        posted(1, "m3", "oops"),
        deleted(1, "e8", "m3"),
    ];
    let answers = join_all(jobs.map(|job| rig.writer.apply(job))).await;
    assert!(matches!(answers[2], Ok(Applied::Ignored)));
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Ok(Applied::Done { .. }))).count(), 5);
    let rows = rig.read.messages(FIRST, 3, true, 100).await.unwrap();
    let seen: Vec<(&str, bool, bool)> =
        rows.iter().map(|row| (row.content.text.as_str(), row.edited.is_some(), row.deleted)).collect();
    assert_eq!(seen, [("third", true, false), ("oops", false, true)]);
    rig.end().await;
}

pub(super) async fn edits_go_where_the_message_is(place: Fresh) {
    let rig = Rig::start(&place).await;
    rig.done(posted(1, "m1", "printer broken")).await;
    rig.done(pressed(1, "p1", RequesterVerb::Close)).await;
    rig.advance(rig.policy.current().policy.reopen_window + Duration::from_secs(1));
    assert_eq!(rig.done(posted(1, "m2", "phone broken")).await.id.0, 2);
    assert_eq!(rig.done(edited(1, "e1", "m1", "printer was broken")).await.id, FIRST);
    assert_eq!(rig.done(edited(1, "e2", "m2", "phone is broken")).await.id.0, 2);
    // A made-up button of somebody else's conversation stays in one's own, and leaves nothing there.
    rig.done(posted(2, "m3", "mine")).await;
    let theirs = RequesterVerb::Feedback { message: message(1, 1), helpful: false };
    assert_eq!(rig.done(pressed(2, "p2", theirs)).await.id.0, 3);
    assert!(!rig.exported().await.contains("\"table\":\"feedback\""));
    rig.end().await;
}

pub(super) async fn replies_name_our_messages(place: Fresh) {
    let rig = Rig::start(&place).await;
    let answers = join_all(
        [
            posted(1, "m1", "printer broken"),
            reply(1, "m2", "m1", "this one"),
            reply(1, "m3", "m9", "that one"),
        ]
        .map(|job| rig.writer.apply(job)),
    )
    .await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Applied::Done { .. }))));
    rig.done(reply(1, "m4", "m2", "the same")).await;
    let rows = rig.read.messages(FIRST, 0, true, 100).await.unwrap();
    let replies: Vec<Option<MessageId>> = rows.iter().map(|row| row.reply_to).collect();
    assert_eq!(replies, [None, Some(message(1, 1)), None, Some(message(1, 2))]);
    // Somebody else's message with the same name on the platform is another message.
    rig.done(reply(2, "m5", "m1", "me too")).await;
    assert_eq!(rig.read.message(message(2, 1)).await.unwrap().unwrap().reply_to, None);
    rig.end().await;
}

pub(super) async fn desk_rooms_find_their_conversation(place: Fresh) {
    let rig = Rig::start_with(&place, people_only()).await;
    rig.everybody_on().await;
    rig.done(posted(1, "m1", "printer broken")).await;
    // The room is not the conversation while the thread is being opened.
    let mut early = said_in_thread(FIRST, "d0", "ana", "good morning all");
    early.target = Target::Desk { address: deskbridge_contract::Address::room(&super::rig::desk(), "it") };
    assert!(matches!(rig.writer.apply(early.clone()).await, Ok(Applied::Unknown)));
    rig.deliver_everything().await;
    assert!(matches!(rig.writer.apply(early).await, Ok(Applied::Unknown)));
    let state = rig.state(FIRST).await;
    let desk = state.desk_sessions().next().unwrap();
    assert_eq!(desk.address, thread(FIRST));
    let after = rig.done(said_in_thread(FIRST, "d1", "ana", "same printer as yesterday")).await;
    assert_eq!(after.id, FIRST);
    let log = rig.read.log(FIRST, after.seq, 1).await.unwrap();
    match &log[0].event.body {
        EventBody::Desk { via: deskbridge_conversation::Via::Room { session, .. }, .. } => {
            assert_eq!(*session, desk.id)
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        rig.writer.apply(said_in_thread(ConversationId(9), "d2", "ana", "lost")).await,
        Ok(Applied::Unknown)
    ));
    // A reaction on the card is a verb, also where the platform names only the room.
    let card = rig.read.links(FIRST, desk.id, None).await.unwrap();
    let mut accept = reacted(FIRST, "d3", "ana", card[0].remote.as_str(), "👀");
    accept.target = Target::Desk { address: deskbridge_contract::Address { thread: None, ..thread(FIRST) } };
    let after = rig.done(accept).await;
    assert!(matches!(&after.stage, Stage::Assigned(assigned) if assigned.technician.0 == "ana"));
    let log = rig.read.log(FIRST, after.seq, 1).await.unwrap();
    assert!(matches!(
        &log[0].event.body,
        EventBody::Desk { what: DeskEvent::Reacted { target: ReactionTarget::Card, .. }, .. }
    ));
    rig.end().await;
}

pub(super) async fn names_are_refreshed(place: Fresh) {
    let rig = Rig::start(&place).await;
    rig.done(posted(1, "m1", "hello")).await;
    let rename = |apply: Apply, id: &str, name: &str, language: &str| {
        let mut apply = apply;
        let Target::Requester { requester, .. } = &mut apply.target else { panic!("not by address") };
        requester.id.0 = id.to_owned();
        requester.name = name.to_owned();
        requester.language = language.to_owned();
        apply
    };
    let after = rig.done(rename(posted(1, "m2", "olá"), "web:1", "Ana Lopes", "pt")).await;
    assert_eq!((after.requester.name.as_str(), after.requester.language.as_str()), ("Ana Lopes", "pt"));
    let after = rig.done(rename(posted(1, "m3", "?"), "web:1", "", "")).await;
    assert_eq!((after.requester.name.as_str(), after.requester.language.as_str()), ("Ana Lopes", "pt"));
    // Somebody else in the same thread.
    let after = rig.done(rename(posted(1, "m4", "me too"), "web:8", "Bruno", "en")).await;
    assert_eq!(after.requester.name, "Ana Lopes");
    rig.end().await;
}

pub(super) async fn the_log_says_why(place: Fresh) {
    let rig = Rig::start(&place).await;
    let gist = Gist { wish: Some(Wish::Human), wordless: false };
    let what = RequesterEvent::Posted { remote: remote("m1"), gist, reply_to: None };
    rig.done(Apply { content: text("a human please"), ..by_requester(1, "m1", what) }).await;
    rig.advance(Duration::from_secs(5));
    let after = rig.done(verb(FIRST, "c1", "ana", Verb::Accept)).await;
    let log = rig.read.log(FIRST, 0, 100).await.unwrap();
    assert_eq!(log.iter().map(|row| row.seq).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((log[0].cause.as_str(), log[1].cause.as_str()), ("in:web:m1", "co:c1"));
    assert_eq!(log[1].event.now, rig.now());
    assert_eq!(log[0].policy, rig.policy.current().hash);
    assert!(!serde_json::to_string(&log).unwrap().contains("a human please"));
    // Replayed, the log gives the same state: nothing that a step needs is outside it.
    let policy = rig.policy.current();
    let mut again = deskbridge_conversation::Conversation::open(
        FIRST,
        requester(1),
        super::rig::home(1),
        "default".into(),
        0,
        START,
    );
    for row in &log {
        again = deskbridge_conversation::step(again, &row.event, &policy.policy).0;
    }
    assert_eq!(Arc::new(again), after);
    rig.end().await;
}

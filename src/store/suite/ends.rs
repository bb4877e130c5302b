//! How deliveries end: once, with a reason, with the platform's names for what was shown.
//!
//! Not here: queueing and permission (`deliveries`).

use deskbridge_conversation::{
    ConversationId, DeliveryOp, DeskThread, Effect, Outcome, SessionId, SessionRole, Verb,
};
use futures_util::future::join_all;

use super::events::*;
use super::rig::{Fresh, Rig, people_only, remote, thread};
use crate::rows::*;
use crate::*;

const FIRST: ConversationId = ConversationId(1);

pub(super) async fn marks_go_forward(place: Fresh) {
    use crate::rows::DeliveryState::{
        Accepted, Attempting, Cancelled, Delivered, Failed, Queued, Seen, Sent, Unknown,
    };
    let rig = Rig::start_with(&place, people_only()).await;
    rig.done(posted(1, "m1", "printer broken")).await;
    let ask = rig.queued(FIRST, |effect| matches!(effect, Effect::Summarise { .. })).await.remove(0);
    let steps = [
        (Attempting, false),
        (Queued, true),
        (Accepted, true),
        (Queued, false),
        (Sent, true),
        (Accepted, false),
        (Delivered, true),
        (Sent, false),
        (Seen, true),
        (Delivered, false),
        (Failed, false),
        (Cancelled, false),
        (Unknown, false),
    ];
    for (state, goes) in steps {
        let before = rig.row(ask.id).await.state;
        assert_eq!(rig.writer.mark(marked(&ask, state)).await.unwrap(), goes, "{before:?} to {state:?}");
        assert_eq!(rig.row(ask.id).await.state, if goes { state } else { before });
    }
    // A failed delivery stays failed; a later attempt is another effect.
    let told =
        rig.queued(FIRST, |effect| matches!(effect, Effect::Deliver(d) if d.session == SessionId(0))).await;
    assert!(
        rig.writer.mark(Mark { error: Some("blocked".into()), ..marked(&told[0], Failed) }).await.unwrap()
    );
    assert!(!rig.writer.mark(marked(&told[0], Sent)).await.unwrap());
    let row = rig.row(told[0].id).await;
    assert_eq!((row.state, row.error.as_deref()), (Failed, Some("blocked")));
    let nothing = deskbridge_conversation::EffectId { conversation: FIRST, seq: 99, n: 0 };
    assert!(!rig.writer.mark(Mark { effect: nothing, ..marked(&told[0], Sent) }).await.unwrap());
    rig.end().await;
}

pub(super) async fn an_effect_ends_once(place: Fresh) {
    let rig = Rig::waiting(&place).await;
    rig.done(posted(1, "m2", "hello?")).await;
    let row = rig.queued(FIRST, |effect| matches!(effect, Effect::Deliver(_))).await.remove(0);
    assert_eq!(rig.begin(&row).await, Begun::Go { attempt: 1 });
    let end = sent(&row, &rig.state(FIRST).await);
    let answers = join_all((0..20).map(|_| rig.writer.apply(end.clone()))).await;
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Ok(Applied::Done { .. }))).count(), 1);
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Ok(Applied::Duplicate))).count(), 19);
    // Neither another word later, nor after a failure.
    let failed = ended(&row, Outcome::Failed { why: "late".into() });
    assert!(matches!(rig.writer.apply(failed).await, Ok(Applied::Duplicate)));
    let after = rig.row(row.id).await;
    assert_eq!((after.state, after.error, after.lease_until), (DeliveryState::Sent, None, None));
    let mut unknown = row.clone();
    unknown.id.n = 77;
    let end = ended(&unknown, Outcome::Failed { why: "never was".into() });
    assert!(matches!(rig.writer.apply(end).await, Ok(Applied::Unknown)));
    rig.end().await;
}

/// A platform's later word may overtake the answer to the call; and what was cancelled too late is known all the same.
pub(super) async fn ends_say_how(place: Fresh) {
    let rig = Rig::waiting(&place).await;
    let post = |id: &'static str| {
        let rig = &rig;
        async move {
            rig.done(posted(1, id, id)).await;
            rig.queued(FIRST, |effect| matches!(effect, Effect::Deliver(_))).await.remove(0)
        }
    };
    let at = thread(FIRST);
    let outcomes = [
        (Outcome::Failed { why: "too long".into() }, DeliveryState::Failed, "failed: too long"),
        (Outcome::Unknown { why: "timeout".into() }, DeliveryState::Unknown, "unknown: timeout"),
        (Outcome::Gone { why: "kicked".into() }, DeliveryState::Failed, "failed: kicked"),
        (
            Outcome::Sent {
                remote: Some(remote("x1")),
                more: vec![],
                address: at,
                accepted: false,
                note: Some("lesser".into()),
            },
            DeliveryState::Sent,
            "sent: lesser",
        ),
        (
            Outcome::Sent { remote: None, more: vec![], address: thread(FIRST), accepted: true, note: None },
            DeliveryState::Accepted,
            "accepted",
        ),
    ];
    for (nr, (outcome, state, said)) in outcomes.into_iter().enumerate() {
        let row = post(["a", "b", "c", "d", "g"][nr]).await;
        rig.begin(&row).await;
        rig.done(ended(&row, outcome)).await;
        assert_eq!(rig.row(row.id).await.state, state);
        let attempts = rig.read.attempts(FIRST).await.unwrap();
        let attempt = attempts.iter().find(|attempt| attempt.effect == row.id).unwrap();
        assert_eq!(attempt.outcome.as_deref(), Some(said));
        for row in rig.queued(FIRST, |_| true).await {
            rig.writer.mark(marked(&row, DeliveryState::Sent)).await.unwrap();
        }
    }
    let early = post("e").await;
    rig.begin(&early).await;
    assert!(rig.writer.mark(marked(&early, DeliveryState::Seen)).await.unwrap());
    rig.done(sent(&early, &rig.state(FIRST).await)).await;
    assert_eq!(rig.row(early.id).await.state, DeliveryState::Seen);
    let late = post("f").await;
    rig.done(deleted(1, "f-", "f")).await;
    assert_eq!(rig.row(late.id).await.state, DeliveryState::Cancelled);
    rig.done(sent(&late, &rig.state(FIRST).await)).await;
    assert_eq!(rig.row(late.id).await.state, DeliveryState::Sent);
    rig.end().await;
}

pub(super) async fn what_was_sent_is_linked(place: Fresh) {
    let rig = Rig::waiting(&place).await;
    let desk = rig.state(FIRST).await.desk_sessions().next().unwrap().id;
    assert_eq!(rig.read.links(FIRST, desk, None).await.unwrap().len(), 1, "the card");
    rig.done(posted(1, "m2", "a long story")).await;
    let row = rig.queued(FIRST, |effect| matches!(effect, Effect::Deliver(_))).await.remove(0);
    let more = vec![remote("part-2"), remote("part-3")];
    let outcome = Outcome::Sent {
        remote: Some(remote("part-1")),
        more,
        address: thread(FIRST),
        accepted: false,
        note: None,
    };
    rig.done(ended(&row, outcome)).await;
    let Effect::Deliver(delivery) = &row.effect else { panic!("no delivery") };
    let message = delivery.op.message().unwrap();
    let links = rig.read.links(FIRST, desk, Some(message)).await.unwrap();
    let parts: Vec<(&str, u16)> = links.iter().map(|link| (link.remote.as_str(), link.part)).collect();
    assert_eq!(parts, [("part-1", 0), ("part-2", 1), ("part-3", 2)]);
    // A reaction on any part is one on the message; the requester sees it.
    rig.done(verb(FIRST, "c1", "ana", Verb::Accept)).await;
    rig.done(reacted(FIRST, "d1", "ana", "part-3", "👍")).await;
    let reactions = rig
        .queued(
            FIRST,
            |effect| matches!(effect, Effect::Deliver(d) if matches!(d.op, DeliveryOp::React { .. })),
        )
        .await;
    assert_eq!(reactions.len(), 1);
    assert!(matches!(&reactions[0].effect, Effect::Deliver(d) if d.op.message() == Some(message)));
    rig.end().await;
}

pub(super) async fn a_lost_thread_is_unlinked(place: Fresh) {
    let rig = Rig::waiting(&place).await;
    let desk = rig.state(FIRST).await.desk_sessions().next().unwrap().id;
    rig.done(posted(1, "m2", "hello?")).await;
    let row = rig.queued(FIRST, |effect| matches!(effect, Effect::Deliver(_))).await.remove(0);
    rig.begin(&row).await;
    let after = rig.done(ended(&row, Outcome::ThreadGone { why: "topic deleted".into() })).await;
    assert!(matches!(
        after.session(desk).unwrap().role,
        SessionRole::Desk { thread: DeskThread::Opening, .. }
    ));
    assert!(rig.read.links(FIRST, desk, None).await.unwrap().is_empty());
    // Queued again in the new thread: not failed.
    let old = rig.row(row.id).await;
    assert_eq!((old.state, old.error.as_deref()), (DeliveryState::Cancelled, Some("topic deleted")));
    let lost = said_in_thread(FIRST, "d1", "ana", "where am I?");
    assert!(matches!(rig.writer.apply(lost.clone()).await, Ok(Applied::Unknown)));
    rig.deliver_everything().await;
    assert_eq!(rig.done(lost).await.id, FIRST);
    rig.end().await;
}

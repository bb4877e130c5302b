//! What goes out: queued once, in order, held, cancelled, attempted with permission, ended once.
//!
//! Not here: sending.

use std::time::Duration;

use deskbridge_conversation::{
    ConversationId, DeliveryOp, DeskThread, Effect, Outcome, RequesterVerb, SessionId, SessionRole,
    TimerKind, Verb,
};
use futures_util::future::join_all;

use super::events::*;
use super::rig::{Fresh, Rig, is_card, is_post, people_only, remote, thread};
use crate::rows::*;
use crate::*;

const FIRST: ConversationId = ConversationId(1);

impl Rig {
    /// One conversation in the queue, its desk room's card and thread delivered.
    async fn waiting(place: &Fresh) -> Rig {
        let rig = Rig::start_with(place, people_only()).await;
        rig.everybody_on().await;
        rig.done(posted(1, "m1", "printer broken")).await;
        rig.deliver_everything().await;
        rig
    }

    /// One conversation where the assistant thinks.
    async fn thinking(place: &Fresh) -> (Rig, OutboxRow) {
        let rig = Rig::start(place).await;
        rig.done(posted(1, "m1", "printer broken")).await;
        rig.advance(Duration::from_secs(2));
        let (_, due) = rig.read.due(rig.now(), 1).await.unwrap()[0];
        rig.done(timer(FIRST, TimerKind::Burst, due)).await;
        let asked = rig.queued(FIRST, |effect| matches!(effect, Effect::AskAssistant { .. })).await.remove(0);
        (rig, asked)
    }

    async fn begin(&self, row: &OutboxRow) -> Begun {
        let lease_until = self.now() + Duration::from_secs(60);
        self.writer.begin(Begin { effect: row.id, lease_until }).await.unwrap()
    }
}

pub(super) async fn cards_are_needed_once(place: Fresh) {
    let rig = Rig::waiting(&place).await;
    let cards = || rig.queued(FIRST, is_card);
    // Three changes of what the card shows: one card.
    let state = rig.done(proposed(&rig.state(FIRST).await, "ana", 3)).await;
    rig.done(verb(FIRST, "c1", "ana", Verb::Decline)).await;
    assert_eq!(cards().await.len(), 1);
    let card = cards().await.remove(0);
    assert_eq!(card.id.seq, state.seq);
    // In one batch, too.
    let (a, b) = (verb(FIRST, "c2", "bob", Verb::Accept), verb(FIRST, "c3", "ana", Verb::TakeOver));
    join_all([a, b].map(|job| rig.writer.apply(job))).await.into_iter().for_each(|answer| drop(answer.unwrap()));
    assert_eq!(cards().await.len(), 1);
    // A card that is being sent shows what was; the next change needs another. Even in the same batch.
    let (begun, after) = tokio::join!(rig.begin(&card), rig.writer.apply(verb(FIRST, "c4", "ana", Verb::Handback)));
    assert_eq!(begun, Begun::Go { attempt: 1 });
    after.unwrap();
    assert_eq!(cards().await.len(), 1);
    assert_eq!(rig.row(card.id).await.state, DeliveryState::Attempting);
    // Put back for a retry beside the newer one: both may stay.
    let back = Mark { error: Some("busy".into()), ..marked(&card, DeliveryState::Queued) };
    assert!(rig.writer.mark(back).await.unwrap());
    assert_eq!(cards().await.len(), 2);
    rig.deliver_everything().await;
    rig.end().await;
}

pub(super) async fn the_assistant_falls_silent(place: Fresh) {
    let (rig, asked) = Rig::thinking(&place).await;
    rig.carry_out(&asked).await;
    let answer = rig.queued(FIRST, |effect| matches!(effect, Effect::Deliver(_))).await.remove(0);
    assert_eq!(answer.turn, Some(1));
    // A second turn is asked for when a person is wanted: neither is said any more.
    rig.done(posted(1, "m2", "and?")).await;
    rig.advance(Duration::from_secs(2));
    let (_, due) = rig.read.due(rig.now(), 1).await.unwrap()[0];
    rig.done(timer(FIRST, TimerKind::Burst, due)).await;
    let again = rig.queued(FIRST, |effect| matches!(effect, Effect::AskAssistant { .. })).await.remove(0);
    rig.done(pressed(1, "p1", RequesterVerb::Human)).await;
    assert_eq!(rig.row(answer.id).await.state, DeliveryState::Cancelled);
    assert_eq!(rig.row(again.id).await.state, DeliveryState::Cancelled);
    assert_eq!(rig.begin(&answer).await, Begun::No);
    // What the step itself says to the requester is not cancelled.
    let told = rig.queued(FIRST, |effect| matches!(effect, Effect::Deliver(d) if d.session == SessionId(0))).await;
    assert_eq!(told.len(), 1);
    rig.end().await;
    // In one batch: cancelled before it was written.
    let rig = Rig::start(&place).await;
    rig.advance(Duration::from_secs(3600));
    rig.done(posted(2, "n1", "phone broken")).await;
    let id = ConversationId(2);
    rig.advance(Duration::from_secs(2));
    let due = rig.read.due(rig.now(), 10).await.unwrap().into_iter().find(|(of, _)| *of == id).unwrap().1;
    let (burst, human) = (timer(id, TimerKind::Burst, due), pressed(2, "p2", RequesterVerb::Human));
    join_all([burst, human].map(|job| rig.writer.apply(job))).await.into_iter().for_each(|answer| drop(answer.unwrap()));
    let rows = rig.read.deliveries(id).await.unwrap();
    let asked = rows.iter().find(|row| matches!(row.effect, Effect::AskAssistant { .. })).unwrap();
    assert_eq!(asked.state, DeliveryState::Cancelled);
    rig.end().await;
}

/// Words that may not be said any more get no permission, even where no cancellation met them.
pub(super) async fn permission_is_given_once(place: Fresh) {
    let (rig, asked) = Rig::thinking(&place).await;
    assert_eq!(rig.begin(&asked).await, Begun::Go { attempt: 1 });
    assert_eq!(rig.begin(&asked).await, Begun::No);
    let lease = rig.row(asked.id).await.lease_until;
    assert_eq!(lease, Some(rig.now() + Duration::from_secs(60)));
    rig.done(pressed(1, "p1", RequesterVerb::Human)).await;
    // An attempt under way is not cancelled; but it is not repeated either.
    assert_eq!(rig.row(asked.id).await.state, DeliveryState::Attempting);
    let retry = Mark { error: Some("timeout".into()), ..marked(&asked, DeliveryState::Queued) };
    assert!(rig.writer.mark(retry).await.unwrap());
    assert_eq!(rig.begin(&asked).await, Begun::No);
    assert_eq!(rig.row(asked.id).await.state, DeliveryState::Cancelled);
    let attempts = rig.read.attempts(FIRST).await.unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!((attempts[0].attempt, attempts[0].started), (1, rig.now()));
    assert_eq!((attempts[0].ended, attempts[0].outcome.as_deref()), (Some(rig.now()), Some("timeout")));
    // Of several that ask at once, one gets it.
    let told = rig.queued(FIRST, |effect| matches!(effect, Effect::Deliver(d) if d.session == SessionId(0))).await;
    let answers = join_all((0..50).map(|_| rig.begin(&told[0]))).await;
    assert_eq!(answers.iter().filter(|begun| **begun == Begun::Go { attempt: 1 }).count(), 1);
    assert_eq!(answers.iter().filter(|begun| **begun == Begun::No).count(), 49);
    rig.end().await;
}

fn with_undo() -> deskbridge_conversation::Policy {
    deskbridge_conversation::Policy { undo_window: Duration::from_secs(5), ..people_only() }
}

impl Rig {
    /// Ana has it, and said something that is held.
    async fn holding(place: &Fresh) -> (Rig, OutboxRow) {
        let rig = Rig::start_with(place, with_undo()).await;
        rig.everybody_on().await;
        rig.done(posted(1, "m1", "printer broken")).await;
        rig.done(verb(FIRST, "c1", "ana", Verb::Accept)).await;
        rig.deliver_everything().await;
        let said = rig.done(said(FIRST, "c2", "ana", "try again now")).await;
        let message = deskbridge_conversation::MessageId { conversation: FIRST, seq: said.seq, n: 0 };
        let held = rig.queued(FIRST, |effect| is_post(effect, message)).await;
        let held = held.into_iter().find(|row| row.not_before.is_some()).unwrap();
        assert_eq!(held.not_before, Some(rig.now() + Duration::from_secs(5)));
        (rig, held)
    }
}

pub(super) async fn held_deliveries_wait(place: Fresh) {
    let (rig, held) = Rig::holding(&place).await;
    assert_eq!(rig.begin(&held).await, Begun::No);
    assert_eq!(rig.row(held.id).await, held);
    rig.advance(Duration::from_micros(4_999_000));
    assert_eq!(rig.begin(&held).await, Begun::Go { attempt: 1 });
    // A retry waits, too.
    let later = rig.now() + Duration::from_secs(30);
    let back = Mark { not_before: Some(later), error: Some("429".into()), ..marked(&held, DeliveryState::Queued) };
    assert!(rig.writer.mark(back).await.unwrap());
    let row = rig.row(held.id).await;
    assert_eq!((row.not_before, row.error.as_deref(), row.attempts), (Some(later), Some("429"), 1));
    assert_eq!(rig.begin(&held).await, Begun::No);
    rig.advance(Duration::from_secs(30));
    assert_eq!(rig.begin(&held).await, Begun::Go { attempt: 2 });
    rig.end().await;
}

pub(super) async fn held_words_are_released(place: Fresh) {
    let (rig, held) = Rig::holding(&place).await;
    rig.done(verb(FIRST, "c3", "ana", Verb::Resolve { silently: false })).await;
    let row = rig.row(held.id).await;
    assert_eq!((row.state, row.not_before), (DeliveryState::Queued, None));
    assert_eq!(rig.begin(&held).await, Begun::Go { attempt: 1 });
    rig.end().await;
    // In one batch.
    let rig = Rig::start_with(&place, with_undo()).await;
    rig.done(posted(2, "n1", "phone broken")).await;
    let id = ConversationId(2);
    rig.done(verb(id, "d1", "ana", Verb::Accept)).await;
    let jobs = [said(id, "d2", "ana", "done"), verb(id, "d3", "ana", Verb::Resolve { silently: false })];
    join_all(jobs.map(|job| rig.writer.apply(job))).await.into_iter().for_each(|answer| drop(answer.unwrap()));
    assert!(rig.read.deliveries(id).await.unwrap().iter().all(|row| row.not_before.is_none()));
    rig.end().await;
}

pub(super) async fn taken_back_words_are_cancelled(place: Fresh) {
    let (rig, held) = Rig::holding(&place).await;
    rig.done(verb(FIRST, "c3", "ana", Verb::Undo)).await;
    assert_eq!(rig.row(held.id).await.state, DeliveryState::Cancelled);
    let Effect::Deliver(delivery) = &held.effect else { panic!("no delivery") };
    let message = delivery.op.message().unwrap();
    let row = rig.read.message(message).await.unwrap().unwrap();
    assert_eq!(row.audience, deskbridge_conversation::Audience::Internal);
    rig.end().await;
    // A deletion by the requester, with the message itself in the same batch.
    let rig = Rig::start_with(&place, people_only()).await;
    let jobs = [posted(2, "n1", "oops"), deleted(2, "n2", "n1")];
    join_all(jobs.map(|job| rig.writer.apply(job))).await.into_iter().for_each(|answer| drop(answer.unwrap()));
    let gone = deskbridge_conversation::MessageId { conversation: ConversationId(2), seq: 1, n: 0 };
    assert!(rig.queued(ConversationId(2), |effect| is_post(effect, gone)).await.is_empty());
    assert!(rig.read.message(gone).await.unwrap().unwrap().deleted);
    rig.end().await;
}

pub(super) async fn marks_go_forward(place: Fresh) {
    use crate::rows::DeliveryState::{Accepted, Attempting, Cancelled, Delivered, Failed, Queued, Seen, Sent, Unknown};
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
    let told = rig.queued(FIRST, |effect| matches!(effect, Effect::Deliver(d) if d.session == SessionId(0))).await;
    assert!(rig.writer.mark(Mark { error: Some("blocked".into()), ..marked(&told[0], Failed) }).await.unwrap());
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
            Outcome::Sent { remote: Some(remote("x1")), more: vec![], address: at, note: Some("lesser".into()) },
            DeliveryState::Sent,
            "sent: lesser",
        ),
    ];
    for (nr, (outcome, state, said)) in outcomes.into_iter().enumerate() {
        let row = post(["a", "b", "c", "d"][nr]).await;
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
    let outcome = Outcome::Sent { remote: Some(remote("part-1")), more, address: thread(FIRST), note: None };
    rig.done(ended(&row, outcome)).await;
    let Effect::Deliver(delivery) = &row.effect else { panic!("no delivery") };
    let message = delivery.op.message().unwrap();
    let links = rig.read.links(FIRST, desk, Some(message)).await.unwrap();
    let parts: Vec<(&str, u16)> = links.iter().map(|link| (link.remote.as_str(), link.part)).collect();
    assert_eq!(parts, [("part-1", 0), ("part-2", 1), ("part-3", 2)]);
    // A reaction on any part is one on the message; the requester sees it.
    rig.done(verb(FIRST, "c1", "ana", Verb::Accept)).await;
    rig.done(reacted(FIRST, "d1", "ana", "part-3", "👍")).await;
    let reactions =
        rig.queued(FIRST, |effect| matches!(effect, Effect::Deliver(d) if matches!(d.op, DeliveryOp::React { .. }))).await;
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

pub(super) async fn lanes_are_in_order(place: Fresh) {
    let rig = Rig::start_with(&place, people_only()).await;
    let jobs = (0..10).flat_map(|n| (1..=5).map(move |who| posted(who, &format!("m{who}-{n}"), "words")));
    join_all(jobs.map(|job| rig.writer.apply(job))).await.into_iter().for_each(|answer| drop(answer.unwrap()));
    let all = rig.read.open_outbox(None, 10_000).await.unwrap();
    assert!(all.windows(2).all(|pair| pair[0].id < pair[1].id));
    let mut paged = Vec::new();
    loop {
        let page = rig.read.open_outbox(paged.last().map(|row: &OutboxRow| row.id), 7).await.unwrap();
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, all);
    let mine = rig.read.open_outbox_of(FIRST).await.unwrap();
    assert_eq!(mine, all.iter().filter(|row| row.conversation() == FIRST).cloned().collect::<Vec<_>>());
    assert!(mine.iter().all(|row| match &row.effect {
        Effect::Deliver(delivery) => row.lane == format!("d:1:{}", delivery.session.0),
        _ => row.lane.starts_with("s:1:"),
    }));
    // What has ended is not in it; what is under way is.
    assert_eq!(rig.begin(&all[0]).await, Begun::Go { attempt: 1 });
    rig.writer.mark(marked(&all[1], DeliveryState::Sent)).await.unwrap();
    let left = rig.read.open_outbox(None, 10_000).await.unwrap();
    assert_eq!((left.len(), left[0].id, left[0].state), (all.len() - 1, all[0].id, DeliveryState::Attempting));
    rig.end().await;
}

//! What goes out: queued once, in order, held, cancelled, attempted with permission, ended once.
//!
//! Not here: sending.

use std::time::Duration;

use deskbridge_conversation::{ConversationId, Effect, RequesterVerb, SessionId, TimerKind, Verb};
use futures_util::future::join_all;

use super::events::*;
use super::rig::{Fresh, Rig, is_card, is_post, people_only};
use crate::rows::*;
use crate::*;

const FIRST: ConversationId = ConversationId(1);

impl Rig {
    /// One conversation in the queue, its desk room's card and thread delivered.
    pub(super) async fn waiting(place: &Fresh) -> Rig {
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

    pub(super) async fn begin(&self, row: &OutboxRow) -> Begun {
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
    join_all([a, b].map(|job| rig.writer.apply(job)))
        .await
        .into_iter()
        .for_each(|answer| drop(answer.unwrap()));
    assert_eq!(cards().await.len(), 1);
    // A card that is being sent shows what was; the next change needs another. Even in the same batch.
    let (begun, after) = tokio::join!(
        rig.begin(&card),
        rig.writer.apply(verb(FIRST, "c4", "ana", Verb::Resolve { silently: true }))
    );
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
    // Even an attempt that is asked for in the same commit, a moment later.
    let human = rig.writer.apply(pressed(1, "p1", RequesterVerb::Human));
    let (human, begun) = tokio::join!(human, rig.begin(&answer));
    assert!(matches!(human, Ok(Applied::Done { .. })) && begun == Begun::No);
    assert_eq!(rig.row(answer.id).await.state, DeliveryState::Cancelled);
    assert_eq!(rig.row(again.id).await.state, DeliveryState::Cancelled);
    assert_eq!(rig.begin(&answer).await, Begun::No);
    // What the step itself says to the requester is not cancelled.
    let told =
        rig.queued(FIRST, |effect| matches!(effect, Effect::Deliver(d) if d.session == SessionId(0))).await;
    assert_eq!(told.len(), 1);
    rig.end().await;
    // In one batch: cancelled before it was written.
    let mut rig = Rig::start(&place).await;
    rig.advance(Duration::from_secs(3600));
    rig.done(posted(2, "n1", "phone broken")).await;
    let id = ConversationId(2);
    rig.advance(Duration::from_secs(2));
    let due = rig.read.due(rig.now(), 10).await.unwrap().into_iter().find(|(of, _)| *of == id).unwrap().1;
    let (burst, human) = (timer(id, TimerKind::Burst, due), pressed(2, "p2", RequesterVerb::Human));
    join_all([burst, human].map(|job| rig.writer.apply(job)))
        .await
        .into_iter()
        .for_each(|answer| drop(answer.unwrap()));
    let rows = rig.read.deliveries(id).await.unwrap();
    let asked = rows.iter().find(|row| matches!(row.effect, Effect::AskAssistant { .. })).unwrap();
    assert_eq!(asked.state, DeliveryState::Cancelled);
    // And nobody was told to send it.
    while let Ok(committed) = rig.committed.try_recv() {
        assert!(committed.changes.iter().flat_map(|change| &change.enqueued).all(|row| row.id != asked.id));
    }
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
    let told =
        rig.queued(FIRST, |effect| matches!(effect, Effect::Deliver(d) if d.session == SessionId(0))).await;
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
    let back =
        Mark { not_before: Some(later), error: Some("429".into()), ..marked(&held, DeliveryState::Queued) };
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
    let resolve = rig.writer.apply(verb(FIRST, "c3", "ana", Verb::Resolve { silently: false }));
    let (resolved, begun) = tokio::join!(resolve, rig.begin(&held));
    assert!(matches!(resolved, Ok(Applied::Done { .. })));
    assert_eq!(begun, Begun::Go { attempt: 1 });
    assert_eq!(rig.row(held.id).await.not_before, None);
    rig.end().await;
    // In one batch.
    let rig = Rig::start_with(&place, with_undo()).await;
    rig.done(posted(2, "n1", "phone broken")).await;
    let id = ConversationId(2);
    rig.done(verb(id, "d1", "ana", Verb::Accept)).await;
    let jobs = [said(id, "d2", "ana", "done"), verb(id, "d3", "ana", Verb::Resolve { silently: false })];
    join_all(jobs.map(|job| rig.writer.apply(job)))
        .await
        .into_iter()
        .for_each(|answer| drop(answer.unwrap()));
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
    join_all(jobs.map(|job| rig.writer.apply(job)))
        .await
        .into_iter()
        .for_each(|answer| drop(answer.unwrap()));
    let gone = deskbridge_conversation::MessageId { conversation: ConversationId(2), seq: 1, n: 0 };
    assert!(rig.queued(ConversationId(2), |effect| is_post(effect, gone)).await.is_empty());
    assert!(rig.read.message(gone).await.unwrap().unwrap().deleted);
    rig.end().await;
}

pub(super) async fn lanes_are_in_order(place: Fresh) {
    let rig = Rig::start_with(&place, people_only()).await;
    let jobs = (0..10).flat_map(|n| (1..=5).map(move |who| posted(who, &format!("m{who}-{n}"), "words")));
    join_all(jobs.map(|job| rig.writer.apply(job)))
        .await
        .into_iter()
        .for_each(|answer| drop(answer.unwrap()));
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
    assert_eq!(
        (left.len(), left[0].id, left[0].state),
        (all.len() - 1, all[0].id, DeliveryState::Attempting)
    );
    rig.end().await;
}

//! Many jobs in one commit: each answered for itself, none before it is stored (D30).
//!
//! Not here: what the jobs do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use deskbridge_conversation::{ConversationId, Verb};
use futures_util::FutureExt;
use futures_util::future::join_all;

use super::events::*;
use super::faults::Plan;
use super::rig::{Fresh, Rig, START, people_only, policy};
use crate::rows::*;
use crate::writer::MAX_BATCH;
use crate::*;

async fn faulty(place: &Fresh, max_batch: usize) -> (Rig, Arc<Plan>) {
    let plan = Arc::new(Plan::default());
    let wrap = plan.clone();
    let rig = Rig::start_at(place, policy(), max_batch, START, |backend| wrap.wrap(backend)).await;
    (rig, plan)
}

fn ids(range: std::ops::RangeInclusive<u32>) -> impl Iterator<Item = Apply> {
    range.map(|who| posted(who, &format!("m{who}"), "printer broken"))
}

pub(super) async fn a_poisoned_job_is_alone(place: Fresh) {
    let (rig, plan) = faulty(&place, MAX_BATCH).await;
    let jobs = ids(1..=20).map(|mut job| {
        if let Target::Requester { queue, address, .. } = &mut job.target
            && address.room.as_str() == "u7"
        {
            *queue = "poison".into();
        }
        job
    });
    let answers = join_all(jobs.map(|job| rig.writer.apply(job))).await;
    for (nr, answer) in answers.iter().enumerate() {
        match answer {
            Ok(Applied::Done { opened: true, .. }) => assert_ne!(nr, 6),
            Err(StoreError::Corrupt(why)) => assert!(nr == 6 && !why.contains("printer"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(plan.commits.load(SeqCst), 1);
    assert_eq!(rig.read.counts().await.unwrap().conversations, 19);
    // What was not stored may come again.
    rig.done(posted(7, "m7", "printer broken")).await;
    rig.end().await;
}

pub(super) async fn a_job_that_cannot_be_committed_is_alone(place: Fresh) {
    let (rig, plan) = faulty(&place, MAX_BATCH).await;
    let jobs =
        ids(1..=64).chain([posted(65, "unwritable", "x"), posted(66, "contended", "y")]).chain(ids(67..=99));
    let answers = join_all(jobs.map(|job| rig.writer.apply(job))).await;
    for (nr, answer) in answers.iter().enumerate() {
        match answer {
            Ok(Applied::Done { .. }) => assert!(nr != 64 && nr != 65),
            Err(StoreError::Corrupt(_)) => assert_eq!(nr, 64),
            Err(StoreError::Conflict(_)) => assert_eq!(nr, 65),
            other => panic!("{other:?}"),
        }
    }
    // Halved again and again, not taken apart into single jobs.
    assert!(plan.commits.load(SeqCst) < 30, "{}", plan.commits.load(SeqCst));
    let counts = rig.read.counts().await.unwrap();
    assert_eq!((counts.conversations, counts.messages), (97, 97));
    rig.end().await;
}

pub(super) async fn nothing_is_acknowledged_when_nothing_is_stored(place: Fresh) {
    let (mut rig, plan) = faulty(&place, MAX_BATCH).await;
    rig.done(posted(1, "m1", "printer broken")).await;
    rig.committed.try_recv().unwrap();
    let before = rig.exported().await;
    for fault in [&plan.full, &plan.away] {
        fault.store(true, SeqCst);
        let tries = plan.tries.load(SeqCst);
        let answers = join_all(ids(2..=50).map(|job| rig.writer.apply(job))).await;
        assert!(answers.iter().all(|answer| matches!(answer, Err(StoreError::Unavailable(_)))));
        // A database that is away is not asked again for every half.
        assert!(plan.tries.load(SeqCst) - tries < 5);
        assert!(rig.committed.try_recv().is_err());
        assert_eq!(rig.exported().await, before);
        fault.store(false, SeqCst);
    }
    let answers = join_all(ids(2..=50).map(|job| rig.writer.apply(job))).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Applied::Done { opened: true, .. }))));
    assert_eq!(rig.read.counts().await.unwrap().messages, 50);
    rig.end().await;
}

pub(super) async fn conflicts_are_tried_again(place: Fresh) {
    let (rig, plan) = faulty(&place, MAX_BATCH).await;
    for conflicts in 1..=4 {
        plan.conflicts.store(conflicts, SeqCst);
        let jobs = ids(conflicts * 10..=conflicts * 10 + 5);
        let answers = join_all(jobs.map(|job| rig.writer.apply(job))).await;
        assert!(answers.iter().all(|answer| matches!(answer, Ok(Applied::Done { .. }))), "{conflicts}");
        assert_eq!(plan.conflicts.load(SeqCst), 0);
    }
    rig.end().await;
}

pub(super) async fn closing_answers_everybody(place: Fresh) {
    let rig = Rig::start(&place).await;
    let other = rig.writer.clone();
    let jobs = join_all(ids(1..=60).map(|job| rig.writer.apply(job)));
    let (answers, ()) = tokio::join!(jobs, other.close());
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Applied::Done { .. }))));
    let late = rig.writer.apply(posted(99, "m99", "late")).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))));
    assert_eq!(rig.read.counts().await.unwrap().messages, 60);
    rig.end().await;
}

pub(super) async fn nobody_need_wait(place: Fresh) {
    let rig = Rig::start(&place).await;
    // Asked, and gone before the answer.
    assert!(rig.writer.apply(posted(1, "m1", "printer broken")).now_or_never().is_none());
    assert_eq!(rig.done(posted(1, "m2", "still broken")).await.seq, 2);
    // Even the last handle: the writer drains what it has.
    assert!(rig.writer.apply(posted(1, "m3", "hello?")).now_or_never().is_none());
    let read = rig.read.clone();
    rig.end_without_closing().await;
    assert_eq!(read.counts().await.unwrap().messages, 3);
}

pub(super) async fn commits_are_told_in_order(place: Fresh) {
    let mut rig = Rig::start_with(&place, people_only()).await;
    rig.everybody_on().await;
    let mut told = Vec::new();
    let jobs = (0..200).map(|n| posted(n % 7, &format!("m{n}"), "words"));
    join_all(jobs.map(|job| rig.writer.apply(job)))
        .await
        .into_iter()
        .for_each(|answer| drop(answer.unwrap()));
    rig.done(verb(ConversationId(1), "c1", "ana", Verb::Accept)).await;
    rig.writer
        .admin(Admin::PutShelf { channel: "web".into(), key: "k".into(), value: "v".into() })
        .await
        .unwrap();
    while let Ok(committed) = rig.committed.try_recv() {
        told.push(committed);
    }
    assert!(told.last().unwrap().roster, "ana has more to do; the shelf is nobody's business");
    let mut seqs: BTreeMap<ConversationId, u64> = BTreeMap::new();
    let mut messages = 0;
    for change in told.iter().flat_map(|committed| &committed.changes) {
        let conversation = &change.conversation;
        let seq = seqs.entry(conversation.id).or_default();
        assert_eq!(change.before.is_none(), *seq == 0);
        assert!(conversation.seq > *seq);
        assert!(change.messages.iter().all(|row| row.id.seq > *seq && row.id.seq <= conversation.seq));
        assert!(change.enqueued.iter().all(|row| row.id.seq > *seq && row.state == DeliveryState::Queued));
        *seq = conversation.seq;
        messages += change.messages.iter().filter(|row| row.content.text == "words").count();
    }
    assert_eq!((seqs.len(), messages), (7, 200));
    for (id, seq) in &seqs {
        assert_eq!(rig.state(*id).await.seq, *seq);
    }
    let accepted = &told.last().unwrap().changes[0];
    assert_eq!((accepted.before, accepted.conversation.stage_name()), (Some("handover"), "assigned"));
    assert!(accepted.outbox_touched || !accepted.enqueued.is_empty());
    assert_eq!(
        accepted.wake_at,
        rig.read
            .due(accepted.wake_at.unwrap(), 100)
            .await
            .unwrap()
            .iter()
            .find(|(id, _)| id.0 == 1)
            .map(|(_, at)| *at)
    );
    rig.end().await;
}

pub(super) async fn jobs_share_commits(place: Fresh) {
    let (rig, plan) = faulty(&place, MAX_BATCH).await;
    join_all(ids(1..=500).map(|job| rig.writer.apply(job)))
        .await
        .into_iter()
        .for_each(|answer| drop(answer.unwrap()));
    assert!(plan.commits.load(SeqCst) < 50, "{}", plan.commits.load(SeqCst));
    // Nothing to write, nothing to commit.
    let commits = plan.commits.load(SeqCst);
    rig.writer.apply(posted(1, "m1", "printer broken")).await.unwrap();
    assert_eq!(plan.commits.load(SeqCst), commits);
    rig.end().await;
    let (rig, plan) = faulty(&place, 1).await;
    join_all(ids(501..=550).map(|job| rig.writer.apply(job)))
        .await
        .into_iter()
        .for_each(|answer| drop(answer.unwrap()));
    assert_eq!(plan.commits.load(SeqCst), 50);
    rig.end().await;
}

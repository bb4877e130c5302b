//! Made-up histories, the same again on every run: what one store makes of them, every store makes of them.
//!
//! Not here: whether it is right; the other groups say that.

use std::time::Duration;

use futures_util::future::join_all;

use super::author::{Author, Step, answer};
use super::places;
use super::rig::{Fresh, Rig, START, policy};
use crate::Job;
use crate::writer::MAX_BATCH;

fn rules() -> deskbridge_conversation::Policy {
    deskbridge_conversation::Policy { undo_window: Duration::from_secs(2), ..policy() }
}

/// A history and what memory makes of it, one job at a time.
async fn made_up(seed: u64, length: u32) -> (Vec<Step>, String) {
    let place = places::memory();
    let rig = Rig::start_at(&place, rules(), 1, START, |backend| backend).await;
    let mut author = Author::new(seed, rig);
    author.begin().await;
    for _ in 0..length {
        author.step().await;
    }
    let exported = author.rig.exported().await;
    assert!(author.rig.read.counts().await.unwrap().conversations > 3, "nothing happened");
    author.rig.end().await;
    (author.steps, exported)
}

/// Lives through it again, `together` jobs at once.
async fn again(place: &Fresh, steps: &[Step], together: usize) -> String {
    let rig = Rig::start_at(place, rules(), MAX_BATCH, START, |backend| backend).await;
    let mut crowd: Vec<Job> = Vec::new();
    for step in steps {
        match step {
            Step::Do(job) => crowd.push(job.clone()),
            Step::Alone(_) | Step::Wait(_) => {}
        }
        if crowd.len() >= together || !matches!(step, Step::Do(_)) {
            join_all(crowd.drain(..).map(|job| answer(&rig, job))).await;
        }
        match step {
            Step::Do(_) => {}
            Step::Alone(job) => answer(&rig, job.clone()).await,
            Step::Wait(by) => rig.advance(*by),
        }
    }
    join_all(crowd.drain(..).map(|job| answer(&rig, job))).await;
    let exported = rig.exported().await;
    rig.end().await;
    exported
}

fn same(one: &str, other: &str, what: &str) {
    for (nr, (a, b)) in one.lines().zip(other.lines()).enumerate() {
        assert_eq!(a, b, "{what}: line {nr}");
    }
    assert_eq!(one.lines().count(), other.lines().count(), "{what}");
}

pub(super) async fn the_same_history_is_the_same_export(place: Fresh) {
    let (steps, expected) = made_up(7, 700).await;
    same(&again(&place, &steps, 1).await, &expected, "one by one");
}

pub(super) async fn a_batch_is_what_its_jobs_are(place: Fresh) {
    let (steps, expected) = made_up(11, 700).await;
    same(&again(&place, &steps, 9).await, &expected, "nine at once");
}

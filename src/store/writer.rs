//! The single writer: drains its queue into one transaction, commits, then answers everybody who waits.
//!
//! Not here: what a job does (`batch`), SQL (the backends), sending (the runtime).
//!
//! There is no timer in front of a commit: a lone job is committed at once, and whatever arrives meanwhile shares the
//! next commit. Nothing is acknowledged before it is on disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::backend::Backend;
use crate::batch::{Answer, Batch, keys};
use crate::job::{
    Admin, AdminDone, Advance, Applied, Apply, Begin, Begun, Committed, FactSource, Job, Mark, StoreError,
};
use crate::policy::PolicyHandle;

/// Jobs that share a commit at most.
pub const MAX_BATCH: usize = 256;
/// Jobs that may wait; further callers wait for a place (back-pressure).
pub const QUEUE: usize = 4096;
/// New messages are indexed for search when nothing happened for this long, else this often while batches are small
/// (there is room beside them), and under full load only when so many wait that search would fall far behind.
const QUIET: Duration = Duration::from_millis(250);
const INDEX_EVERY: Duration = Duration::from_millis(500);
const INDEX_BACKLOG: u32 = 131_072;
const INDEX_STEP: u32 = 512;
/// How often a batch is tried again because somebody else changed the same rows, before it is taken apart.
const CONFLICTS: u32 = 2;

/// Reads the clock; the only place where the store does.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The way to the writer. Cheap to clone; when the last one is dropped, the writer drains its queue and ends.
///
/// A job that is in the queue is done even if the caller stops waiting for the answer.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::Sender<Entry>,
}

#[derive(Debug)]
enum Entry {
    Job(Waiting),
    /// Index everything committed so far, then answer.
    Index(oneshot::Sender<()>),
    /// Overwrite what was deleted so far, then answer.
    Scrub(oneshot::Sender<Result<(), StoreError>>),
    /// Take no more, drain, end.
    Close(oneshot::Sender<()>),
}

#[derive(Debug)]
struct Waiting {
    job: Job,
    answer: oneshot::Sender<Result<Answer, StoreError>>,
}

impl Writer {
    /// Starts the writer's task. `committed` is told after every commit, in commit order, before the waiters are.
    pub fn start(
        backend: Box<dyn Backend>,
        policy: PolicyHandle,
        facts: Arc<dyn FactSource>,
        clock: Clock,
        committed: mpsc::UnboundedSender<Committed>,
    ) -> (Writer, JoinHandle<()>) {
        Writer::start_sized(MAX_BATCH, backend, policy, facts, clock, committed)
    }

    /// As `start`, with at most `max_batch` jobs in a commit; 1 is what group commit is measured against.
    pub fn start_sized(
        max_batch: usize,
        backend: Box<dyn Backend>,
        policy: PolicyHandle,
        facts: Arc<dyn FactSource>,
        clock: Clock,
        committed: mpsc::UnboundedSender<Committed>,
    ) -> (Writer, JoinHandle<()>) {
        let (queue, entries) = mpsc::channel(QUEUE);
        // What an earlier run left unindexed is not known; the first quiet moment finds out.
        let (max_batch, indexed) = (max_batch.max(1), Instant::now());
        let task = Task { max_batch, backend, policy, facts, clock, committed, unindexed: 1, indexed };
        (Writer { queue }, tokio::spawn(task.run(entries)))
    }

    /// Returns after the event, and all that it caused, is committed.
    pub async fn apply(&self, apply: Apply) -> Result<Applied, StoreError> {
        match self.ask(Job::Apply(Box::new(apply))).await? {
            Answer::Applied(applied) => Ok(applied),
            _ => Err(crossed()),
        }
    }

    /// Returns after the attempt's row is committed; only then may the attempt be made (D31).
    pub async fn begin(&self, begin: Begin) -> Result<Begun, StoreError> {
        match self.ask(Job::Begin(begin)).await? {
            Answer::Begun(begun) => Ok(begun),
            _ => Err(crossed()),
        }
    }

    /// As [`Writer::begin`] for deliveries that are attempted as one, an answer for each, in one transaction. None
    /// begins where the first may not.
    pub async fn begin_joint(&self, begins: Vec<Begin>) -> Result<Vec<Begun>, StoreError> {
        match self.ask(Job::BeginJoint(begins)).await? {
            Answer::BegunJoint(begun) => Ok(begun),
            _ => Err(crossed()),
        }
    }

    /// Remembers what is on the platform of a delivery; whether the next of its operations may be sent.
    pub async fn advance(&self, advance: Advance) -> Result<Begun, StoreError> {
        match self.ask(Job::Advance(Box::new(advance))).await? {
            Answer::Begun(begun) => Ok(begun),
            _ => Err(crossed()),
        }
    }

    /// Whether the state was changed; it never goes back, except from an attempt to the queue.
    pub async fn mark(&self, mark: Mark) -> Result<bool, StoreError> {
        match self.ask(Job::Mark(mark)).await? {
            Answer::Marked(changed) => Ok(changed),
            _ => Err(crossed()),
        }
    }

    pub async fn admin(&self, admin: Admin) -> Result<AdminDone, StoreError> {
        match self.ask(Job::Admin(Box::new(admin))).await? {
            Answer::Admin(done) => Ok(done),
            _ => Err(crossed()),
        }
    }

    /// Returns when everything that was committed before the call can be found by search.
    pub async fn index_search(&self) {
        let (answer, done) = oneshot::channel();
        if self.queue.send(Entry::Index(answer)).await.is_ok() {
            let _ = done.await;
        }
    }

    /// Returns when nothing that was deleted before the call can be found in the database's files any more, as far as the
    /// database lets us. Jobs wait meanwhile: on SQLite about a second for every 100 MB.
    pub async fn scrub(&self) -> Result<(), StoreError> {
        let (answer, done) = oneshot::channel();
        self.queue.send(Entry::Scrub(answer)).await.map_err(|_| closed())?;
        done.await.map_err(|_| closed())?
    }

    /// Takes no more jobs, does those that wait, and returns when the last one is answered.
    pub async fn close(&self) {
        let (answer, done) = oneshot::channel();
        if self.queue.send(Entry::Close(answer)).await.is_ok() {
            let _ = done.await;
        }
    }

    async fn ask(&self, job: Job) -> Result<Answer, StoreError> {
        let (answer, done) = oneshot::channel();
        self.queue.send(Entry::Job(Waiting { job, answer })).await.map_err(|_| closed())?;
        done.await.map_err(|_| closed())?
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the writer has ended".to_owned())
}

/// Cannot happen: a job is answered in its own kind.
fn crossed() -> StoreError {
    StoreError::Unavailable("the writer answered another question".to_owned())
}

struct Task {
    max_batch: usize,
    backend: Box<dyn Backend>,
    policy: PolicyHandle,
    facts: Arc<dyn FactSource>,
    clock: Clock,
    committed: mpsc::UnboundedSender<Committed>,
    /// Messages that search may not know yet; an upper bound.
    unindexed: u32,
    /// When it was last brought up to date, or was being.
    indexed: Instant,
}

impl Task {
    async fn run(mut self, mut queue: mpsc::Receiver<Entry>) {
        let mut entries = Vec::with_capacity(self.max_batch);
        let mut closers = Vec::new();
        while self.receive(&mut queue, &mut entries).await {
            let mut batch = Vec::with_capacity(entries.len());
            let (mut indexers, mut scrubbers) = (Vec::new(), Vec::new());
            for entry in entries.drain(..) {
                match entry {
                    Entry::Job(waiting) => batch.push(waiting),
                    Entry::Index(answer) => indexers.push(answer),
                    Entry::Scrub(answer) => scrubbers.push(answer),
                    Entry::Close(answer) => {
                        queue.close();
                        closers.push(answer);
                    }
                }
            }
            let roomy = batch.len() < self.max_batch.div_ceil(8);
            self.settle(batch).await;
            if !indexers.is_empty() {
                self.index(u32::MAX).await;
            } else if self.unindexed > INDEX_BACKLOG
                || (roomy && self.unindexed > 0 && self.indexed.elapsed() > INDEX_EVERY)
            {
                self.index(INDEX_STEP).await;
            }
            for answer in indexers {
                let _ = answer.send(());
            }
            if !scrubbers.is_empty() {
                let scrubbed = self.backend.scrub().await;
                scrubbers.into_iter().for_each(|answer| drop(answer.send(scrubbed.clone())));
            }
        }
        for answer in closers {
            let _ = answer.send(());
        }
    }

    /// Everything that is waiting, or the next entry; a quiet moment is used for the search index. False: no more will
    /// come.
    async fn receive(&mut self, queue: &mut mpsc::Receiver<Entry>, entries: &mut Vec<Entry>) -> bool {
        loop {
            if self.unindexed == 0 {
                return queue.recv_many(entries, self.max_batch).await > 0;
            }
            match timeout(QUIET, queue.recv_many(entries, self.max_batch)).await {
                Ok(count) => return count > 0,
                Err(_) => self.index(INDEX_STEP).await,
            }
        }
    }

    /// Indexes at least `at_least` messages, or all there are.
    async fn index(&mut self, at_least: u32) {
        self.indexed = Instant::now();
        let mut done = 0_u32;
        while self.unindexed > 0 && done < at_least {
            match self.backend.index_search(INDEX_STEP).await {
                Ok(count) if count < INDEX_STEP => self.unindexed = 0,
                Ok(count) => {
                    done = done.saturating_add(count);
                    self.unindexed = self.unindexed.saturating_sub(count).max(1);
                }
                Err(error) => {
                    // The next commit wakes it again; until then trying more often helps nobody.
                    tracing::warn!(%error, "messages could not be indexed for search");
                    self.unindexed = 0;
                }
            }
        }
    }

    /// Answers every job. A batch that fails is halved and tried again, down to single jobs (D30).
    async fn settle(&mut self, batch: Vec<Waiting>) {
        let mut parts = vec![batch];
        let mut conflicts = 0;
        while let Some(mut part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            match self.attempt(&part).await {
                Ok(answers) => {
                    conflicts = 0;
                    for (waiting, answer) in part.into_iter().zip(answers) {
                        let _ = waiting.answer.send(answer);
                    }
                }
                Err(error @ StoreError::Unavailable(_)) => {
                    tracing::warn!(%error, "nothing is acknowledged");
                    refuse(part, &error);
                    parts.drain(..).rev().for_each(|part| refuse(part, &error));
                }
                Err(StoreError::Conflict(_)) if conflicts < CONFLICTS => {
                    conflicts += 1;
                    parts.push(part);
                }
                Err(error) if part.len() == 1 => {
                    conflicts = 0;
                    tracing::error!(%error, "a job cannot be committed");
                    refuse(part, &error);
                }
                Err(error) => {
                    tracing::warn!(%error, jobs = part.len(), "a batch cannot be committed and is halved");
                    conflicts = 0;
                    let rest = part.split_off(part.len() / 2);
                    parts.push(rest);
                    parts.push(part);
                }
            }
        }
    }

    /// One transaction: all of `part` or nothing.
    async fn attempt(&mut self, part: &[Waiting]) -> Result<Vec<Result<Answer, StoreError>>, StoreError> {
        let keys = keys::of(part.iter().map(|waiting| &waiting.job));
        let loaded = match self.backend.load(&keys).await {
            Ok(loaded) => loaded,
            Err(error) => {
                self.backend.rollback().await;
                return Err(error);
            }
        };
        let policy = self.policy.current();
        let now = (self.clock)();
        // A panic of a step is caught inside and concerns one job; this is for faults of our own, and finds the job
        // by halving.
        let work = AssertUnwindSafe(|| {
            let mut batch = Batch::new(loaded, &policy, self.facts.as_ref(), now);
            let answers: Vec<_> = part.iter().map(|waiting| batch.work(&waiting.job)).collect();
            (answers, batch.finish())
        });
        let Ok((answers, (changes, committed))) = catch_unwind(work) else {
            self.backend.rollback().await;
            return Err(StoreError::Corrupt("the batch could not be worked out".to_owned()));
        };
        if changes.is_empty() {
            self.backend.rollback().await;
            return Ok(answers);
        }
        self.backend.commit(&changes).await?;
        let texts =
            changes.messages.len() + changes.edits.len() + changes.deletes.len() + changes.audiences.len();
        self.unindexed = self.unindexed.saturating_add(u32::try_from(texts).unwrap_or(u32::MAX));
        if !committed.changes.is_empty() || committed.roster {
            // Nobody listens any more only while shutting down.
            let _ = self.committed.send(committed);
        }
        Ok(answers)
    }
}

fn refuse(part: Vec<Waiting>, error: &StoreError) {
    for waiting in part {
        let _ = waiting.answer.send(Err(error.clone()));
    }
}

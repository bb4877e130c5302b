//! `apply` through the writer (SQLite, FULL, 1 000 conversations), paired in every round with the plainest set-based insert
//! and with one commit per message.
//!
//! Not here: HTTP, adapters, sending.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use deskbridge_contract::{Address, ChannelName, Content, RemoteEventId, RemoteMessageId, RoomId, Timestamp};
use deskbridge_conversation::policy::{
    AssistantMode, ChannelPolicy, DeskPolicy, TechnicianPolicy, TicketWhen,
};
use deskbridge_conversation::{
    DeskActor, DeskEvent, EventBody, Gist, Policy, QueueFacts, QueueId, Requester, RequesterEvent,
    RequesterId, SessionId, TechnicianId, Verb, Via,
};
use deskbridge_store::open::{OpenOptions, open};
use deskbridge_store::policy::PolicyHandle;
use deskbridge_store::writer::Writer;
use deskbridge_store::{Apply, Backend, Cause, FactSource, Keys, Refs, Target, yardstick};
use serde_json::json;
use tokio::sync::mpsc;

use super::recording::Recording;
use super::spread::Spread;
use super::{limits, line};

const CONVERSATIONS: usize = 1_000;
/// Jobs under way: enough to fill every batch.
const AT_ONCE: usize = 2_048;

#[derive(Clone, Debug)]
pub struct Options {
    pub messages: usize,
    pub rounds: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { messages: 40_000, rounds: 5 }
    }
}

struct NoFacts;
impl FactSource for NoFacts {
    fn facts(&self, _queue: &QueueId, _now: Timestamp) -> QueueFacts {
        QueueFacts::default()
    }
}

pub async fn run(options: &Options) -> anyhow::Result<()> {
    let body = "the printer on the second floor does not print ".repeat(9);
    let (mut raw, mut grouped, mut single, mut rows) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..options.rounds {
        let folder = tempfile::tempdir()?;
        let flushes = limits::flushes_per_second(folder.path()).unwrap_or(0.0);
        let plain =
            yardstick::plain_inserts(&folder.path().join("raw.db"), options.messages, 256, &body).await?;
        let plain = options.messages as f64 / plain.as_secs_f64();
        let same = same_rows(folder.path(), options.messages, &body).await?;
        let backend = fresh(&folder.path().join("grouped.db")).await?;
        let through = writer(backend, options.messages, 256, &body).await?;
        let backend = fresh(&folder.path().join("single.db")).await?;
        let one = writer(backend, options.messages / 10, 1, &body).await?;
        line(&json!({
            "bench": "apply", "round": round, "flushes_per_s": flushes, "load": limits::load(), "messages": options.messages,
            "raw_set_based_per_s": plain, "raw_same_rows_per_s": same, "writer_per_s": through,
            "writer_one_commit_each_per_s": one,
        }));
        rows.push(same);
        raw.push(plain);
        grouped.push(through);
        single.push(one);
    }
    let ratio = |a: &[f64], b: &[f64]| Spread::of(&a.iter().zip(b).map(|(a, b)| a / b).collect::<Vec<_>>());
    line(
        &json!({"bench": "apply", "raw_set_based_per_s": Spread::of(&raw), "writer_per_s": Spread::of(&grouped)}),
    );
    line(
        &json!({"bench": "apply", "paired_ratio": "writer / raw set-based insert of three rows", "spread": ratio(&grouped, &raw)}),
    );
    line(
        &json!({"bench": "apply", "paired_ratio": "writer / raw set-based insert of the same rows", "spread": ratio(&grouped, &rows)}),
    );
    line(
        &json!({"bench": "apply", "paired_ratio": "group commit / one commit per message", "spread": ratio(&grouped, &single)}),
    );
    Ok(())
}

fn policy() -> Policy {
    let bench = TechnicianId::from("bench");
    let mut policy = Policy::default();
    let desk = DeskPolicy {
        room: RoomId::from("desk"),
        queues: Vec::new(),
        reply_mode: Default::default(),
        requester_identity: Default::default(),
    };
    let channel = ChannelPolicy { requesters: true, desks: vec![desk], ..ChannelPolicy::default() };
    policy.channels.insert(ChannelName::from("bench"), channel);
    policy.technicians.insert(
        bench.clone(),
        TechnicianPolicy {
            name: "Bench".to_owned(),
            role: Default::default(),
            capacity: 1_000_000,
            skills: Vec::new(),
            languages: Vec::new(),
            email: None,
            identities: Vec::new(),
            strangers: Vec::new(),
        },
    );
    for queue in policy.queues.values_mut() {
        queue.technicians.push(bench.clone());
        queue.mode = Some(AssistantMode::Off);
    }
    policy.tickets.create = TicketWhen::Manual;
    policy
}

async fn fresh(file: &Path) -> anyhow::Result<Box<dyn Backend>> {
    Ok(open(&format!("sqlite:{}", file.display()), OpenOptions::default()).await?.backend)
}

/// The very rows that the writer writes, batch by batch, into the same tables: without look-ups, steps, queue, answers.
async fn same_rows(folder: &Path, messages: usize, body: &str) -> anyhow::Result<f64> {
    let (recording, batches) = Recording::of(fresh(&folder.join("recorded.db")).await?);
    writer(recording, messages, 256, body).await?;
    let mut backend = fresh(&folder.join("same.db")).await?;
    let (mut written, mut seconds) = (0_usize, 0.0);
    for changes in batches.take() {
        backend.load(&Keys::default()).await?;
        let started = Instant::now();
        backend.commit(&changes).await?;
        // What came before is the opening of the conversations, one by one.
        if changes.conversations.len() > 1 {
            seconds += started.elapsed().as_secs_f64();
            written += changes.messages.len();
        }
    }
    Ok(written as f64 / seconds)
}

/// Requesters' messages in conversations that a technician has; each is stored, logged, and queued for the desk.
async fn writer(
    backend: Box<dyn Backend>,
    messages: usize,
    max_batch: usize,
    body: &str,
) -> anyhow::Result<f64> {
    let (committed, mut commits) = mpsc::unbounded_channel();
    let drain = tokio::spawn(async move { while commits.recv().await.is_some() {} });
    let facts = Arc::new(NoFacts);
    let (writer, task) = Writer::start_sized(
        max_batch,
        backend,
        PolicyHandle::new(policy()),
        facts,
        crate::app::clock(),
        committed,
    );
    for conversation in 0..CONVERSATIONS {
        writer.apply(said(conversation, 0, "hello")).await?;
        writer.apply(accepted(conversation)).await?;
    }
    let started = Instant::now();
    let lanes = (0..AT_ONCE).map(|lane| {
        let writer = writer.clone();
        async move {
            for number in (lane..messages).step_by(AT_ONCE) {
                writer.apply(said(number % CONVERSATIONS, number + 1, body)).await?;
            }
            Ok::<(), deskbridge_store::StoreError>(())
        }
    });
    for lane in futures_util::future::join_all(lanes).await {
        lane?;
    }
    let seconds = started.elapsed().as_secs_f64();
    writer.close().await;
    task.await.context("the writer")?;
    drain.abort();
    Ok(messages as f64 / seconds)
}

fn said(conversation: usize, number: usize, text: &str) -> Apply {
    let channel = ChannelName::from("bench");
    let requester = Requester {
        id: RequesterId(format!("bench:{conversation}")),
        name: format!("R{conversation}"),
        language: "en".to_owned(),
        picture: None,
        away: false,
    };
    // Platforms number their events; the first word of each conversation has a number of its own.
    let event = if number == 0 { format!("first-{conversation}") } else { format!("event-{number}") };
    let what = RequesterEvent::Posted {
        remote: RemoteMessageId::new(number.to_string()),
        gist: Gist::default(),
        reply_to: None,
    };
    Apply {
        cause: Cause::Inbound(channel.clone(), RemoteEventId::new(event)),
        target: Target::Requester {
            address: Address::room(&channel, conversation.to_string()),
            requester,
            queue: QueueId::from("default"),
            priority: 0,
            force_new: false,
            shared: false,
        },
        at: Timestamp::from_seconds(1_700_000_000),
        body: EventBody::Requester { session: SessionId(0), what },
        content: Some(Content::text(text)),
        refs: Refs::default(),
        guard: None,
    }
}

fn accepted(conversation: usize) -> Apply {
    let id = i64::try_from(conversation).unwrap_or(0) + 1;
    Apply {
        cause: Cause::Console(format!("accept-{conversation}")),
        target: Target::Conversation(deskbridge_conversation::ConversationId(id)),
        at: Timestamp::from_seconds(1_700_000_000),
        body: EventBody::Desk {
            by: DeskActor::Technician(TechnicianId::from("bench")),
            via: Via::Console,
            what: DeskEvent::Verb { verb: Verb::Accept },
        },
        content: None,
        refs: Refs::default(),
        guard: None,
    }
}

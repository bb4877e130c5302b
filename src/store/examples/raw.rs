//! How fast batches are written: `cargo run --release -p deskbridge-store --example raw [URL] [batches]`.
//!
//! Not here: the writer and its queue (`deskbridge bench`). Prints messages a second through `Backend::commit`, and, on
//! SQLite, through the plainest set-based insert of the same rows, as a yardstick.

use std::time::{Duration, Instant};

use deskbridge_contract::{Address, ChannelName, Content, RemoteMessageId, Timestamp};
use deskbridge_conversation::{
    Audience, Author, Conversation, ConversationId, Delivery, DeliveryOp, Effect, Event, EventBody, Gist,
    MessageId, QueueFacts, QueueId, Requester, RequesterEvent, RequesterId, SessionId, Weight,
};
use deskbridge_store::rows::*;
use deskbridge_store::{Changes, Keys, OpenOptions, open};
use sqlx::{ConnectOptions, Executor};

const BATCH: usize = 256;
const CONVERSATIONS: usize = 2048;

fn conversation(id: i64) -> Conversation {
    let requester = Requester {
        id: RequesterId(format!("sim:{id}")),
        name: "Ana López".into(),
        language: "en".into(),
        picture: None,
        away: false,
    };
    let address = Address::room(&ChannelName("sim".into()), id.to_string());
    Conversation::open(ConversationId(id), requester, address, QueueId("default".into()), 0, Timestamp(1))
}

/// One message of a requester: what the writer makes of it.
fn add(changes: &mut Changes, state: &mut Conversation, event: usize, body: &str) {
    let now = Timestamp(1_700_000_000_000_000 + i64::try_from(event).unwrap_or(0));
    let loaded = state.seq;
    state.seq += 1;
    let id = MessageId { conversation: state.id, seq: state.seq, n: 0 };
    let remote = RemoteMessageId(event.to_string());
    let what = RequesterEvent::Posted { remote, gist: Gist::default(), reply_to: None };
    let body_of = EventBody::Requester { session: SessionId(0), what };
    let cause = format!("in:sim:event-{event}");
    changes.causes.push((cause.clone(), state.id.0, now));
    changes.loaded_seqs.push(loaded);
    changes.messages.push(MessageRow {
        id,
        author: Author::Requester(state.requester.id.clone()),
        audience: Audience::Public,
        content: Content::text(body),
        reply_to: None,
        now,
        at: now,
        edited: None,
        deleted: false,
    });
    changes.log.push(LogRow {
        conversation: state.id,
        seq: state.seq,
        cause,
        event: Event { now, at: now, facts: QueueFacts::default(), body: body_of },
        policy: "0123456789abcdef".into(),
    });
    let delivery = Delivery {
        session: SessionId(1),
        op: DeliveryOp::Post { message: id },
        not_before: None,
        turn: None,
        weight: Weight::Person,
    };
    changes.outbox.push(OutboxRow {
        id,
        lane: format!("d:{}:1", state.id.0),
        effect: Effect::Deliver(delivery),
        state: DeliveryState::Queued,
        not_before: None,
        turn: None,
        weight: Weight::Person,
        attempts: 0,
        error: None,
        lease_until: None,
        created: now,
        updated: now,
        shown: Vec::new(),
    });
    let wake_at = Some(Timestamp(now.0 + 600_000_000));
    changes.conversations.push(ConversationRow {
        state: std::sync::Arc::new(state.clone()),
        wake_at,
        updated: now,
    });
}

/// Messages a second, and the time within which 99 of 100 batches are durable.
async fn through_commit(
    url: &str,
    batches: usize,
    size: usize,
    body: &str,
) -> Result<(f64, Duration), Box<dyn std::error::Error>> {
    let mut opened = open(url, OpenOptions::default()).await?;
    let loaded = opened.backend.load(&Keys::default()).await?;
    opened.backend.rollback().await;
    let first = usize::try_from(loaded.last_conversation)? + 1;
    let mut states: Vec<Conversation> =
        (first..first + CONVERSATIONS).map(|id| conversation(i64::try_from(id).unwrap_or(0))).collect();
    let mut event = first * 1_000_000;
    let mut times = Vec::new();
    for batch in 0..batches + CONVERSATIONS / BATCH {
        let mut changes = Changes::default();
        let size = if batch < CONVERSATIONS / BATCH { BATCH } else { size };
        for nr in 0..size {
            let at = (batch * size + nr) % CONVERSATIONS;
            add(&mut changes, &mut states[at], event, body);
            event += 1;
        }
        let keys = Keys {
            causes: changes.causes.iter().map(|cause| cause.0.clone()).collect(),
            conversations: changes.conversations.iter().map(|row| row.state.id).collect(),
            ..Keys::default()
        };
        let began = Instant::now();
        opened.backend.load(&keys).await?;
        opened.backend.commit(&changes).await?;
        // The first batches open the conversations.
        if batch >= CONVERSATIONS / BATCH {
            times.push(began.elapsed());
        }
    }
    let total: f64 = times.iter().map(Duration::as_secs_f64).sum();
    times.sort_unstable();
    let late = times[times.len() * 99 / 100];
    Ok((f64::from(u32::try_from(times.len() * size)?) / total, late))
}

/// causes, messages and outbox only, three statements a batch.
async fn plain(
    path: &std::path::Path,
    batches: usize,
    body: &str,
) -> Result<f64, Box<dyn std::error::Error>> {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
        .disable_statement_logging();
    let mut conn = options.connect().await?;
    conn.execute(
        "create table causes (key text primary key) without rowid;
         create table messages (id integer primary key, conversation integer, seq integer, body text);
         create unique index messages_id on messages (conversation, seq);
         create index messages_body on messages (seq);
         create table outbox (id integer primary key, message integer, state text)",
    )
    .await?;
    let began = Instant::now();
    for batch in 0..batches {
        let rows = (0..BATCH).map(|nr| batch * BATCH + nr);
        let causes: Vec<String> = rows.clone().map(|nr| format!("in:sim:event-{nr}")).collect();
        let messages: Vec<_> = rows.clone().map(|nr| (nr % CONVERSATIONS, nr, body)).collect();
        let outbox: Vec<_> = rows.map(|nr| (nr, "queued")).collect();
        conn.execute("begin immediate").await?;
        for (text, rows) in [
            ("insert into causes select value from json_each($1)", serde_json::to_string(&causes)?),
            (
                "insert into messages (conversation, seq, body) select value->>0, value->>1, value->>2 from json_each($1)",
                serde_json::to_string(&messages)?,
            ),
            (
                "insert into outbox (message, state) select value->>0, value->>1 from json_each($1)",
                serde_json::to_string(&outbox)?,
            ),
        ] {
            conn.execute(sqlx::query(text).bind(rows)).await?;
        }
        conn.execute("commit").await?;
    }
    Ok(f64::from(u32::try_from(batches * BATCH)?) / began.elapsed().as_secs_f64())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stdout, reason = "a program that prints figures")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let folder = tempfile::tempdir()?;
    let url = args.next().unwrap_or_else(|| format!("sqlite:{}", folder.path().join("raw.db").display()));
    let batches: usize = args.next().map_or(Ok(200), |text| text.parse())?;
    let body = "The printer on the second floor shows error 49. ".repeat(450 / 48 + 1);
    let body = &body[..450];
    for size in [1, 10, 50, 256] {
        let (rate, late) = through_commit(&url, batches, size, body).await?;
        println!(
            "load and commit, {size:>3} messages per batch: {rate:>8.0} messages/s, 99 % within {late:.1?}"
        );
    }
    if url.starts_with("sqlite:") {
        let rate = plain(&folder.path().join("plain.db"), batches, body).await?;
        println!("plain inserts (3 tables), 256 per batch:   {rate:>8.0} messages/s");
    }
    Ok(())
}

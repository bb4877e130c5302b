//! `deskbridge replay`: a conversation's timeline, and whether its log still leads to its stored state.
//!
//! Not here: the step. A difference means that a rule changed, that the configuration did, or that the store is damaged.

use deskbridge_contract::Address;
use deskbridge_conversation::{Conversation, ConversationId, EventBody, QueueId, SessionId, step};
use deskbridge_store::rows::LogRow;
use deskbridge_store::{Read, Stamped};
use serde::Serialize;
use serde_json::Value;

use super::failure::{Failure, Outcome, RUNTIME};
use super::out;
use super::setting::{self, Common};
use crate::runtime::{identity, rooms};

/// Events read at once.
const PAGE: u32 = 500;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The conversation's number, like 1042 or #1042
    #[arg(value_parser = id)]
    id: ConversationId,
    /// As JSON
    #[arg(long)]
    json: bool,
}

fn id(text: &str) -> Result<ConversationId, String> {
    let number = text.strip_prefix('#').unwrap_or(text).parse::<i64>().ok().filter(|number| *number > 0);
    number.map(ConversationId).ok_or_else(|| "expected a number like 1042".into())
}

/// One event and what it did.
#[derive(Serialize)]
struct Point {
    seq: u64,
    now: String,
    cause: String,
    event: String,
    stage: &'static str,
    effects: usize,
}

#[derive(Serialize)]
struct Report {
    conversation: i64,
    events: usize,
    same: bool,
    /// Events that were made with other numbers than the configuration has now.
    other_policy: usize,
    differences: Vec<Difference>,
    timeline: Vec<Point>,
}

#[derive(Serialize, Debug, PartialEq)]
struct Difference {
    path: String,
    stored: Value,
    replayed: Value,
}

pub async fn run(common: &Common, args: &Args) -> Outcome {
    let config = common.load()?;
    let (read, _) = setting::look(&config).await?;
    let Some(stored) = read.conversation(args.id).await.map_err(|error| setting::failed(&error))? else {
        let why = "the database has none with this number";
        return Err(Failure::runtime(
            format!("there is no conversation {}", args.id),
            why,
            "deskbridge export | grep conversations",
        ));
    };
    let log = log(read.as_ref(), args.id).await?;
    // As `serve` used it when the conversation began: with the rooms that had moved by then, and no others.
    let later: Vec<&Address> = log.iter().filter_map(|row| Some(rooms::told(&row.event.body)?.1)).collect();
    let policy = rooms::moved_before(read.as_ref(), config.policy(), &later).await;
    let mut policy = policy.map_err(|error| setting::failed(&error))?;
    let confirmed = identity::confirmed(read.as_ref(), &mut policy).await;
    confirmed.map_err(|error| setting::failed(&error))?;
    let report = replay(&Stamped::new(policy), &stored, &log);
    match args.json {
        true => out::json(&report),
        false => out::data(&said(&report)),
    }
    if report.same { Ok(()) } else { Err(Failure::Said(RUNTIME)) }
}

async fn log(read: &dyn Read, id: ConversationId) -> Result<Vec<LogRow>, Failure> {
    let mut log: Vec<LogRow> = Vec::new();
    loop {
        let from = log.last().map_or(0, |row| row.seq + 1);
        let page = read.log(id, from, PAGE).await.map_err(|error| setting::failed(&error))?;
        let done = page.len() < PAGE as usize;
        log.extend(page);
        if done {
            return Ok(log);
        }
    }
}

fn replay(stamped: &Stamped, stored: &Conversation, log: &[LogRow]) -> Report {
    let policy = &stamped.policy;
    // The log does not say which queue the conversation was opened in: the channel's, unless somebody asked for its own.
    let first = stored.session(SessionId(0));
    let opened_in =
        first.map_or_else(|| stored.queue.clone(), |first| policy.queue_of(&first.address.channel));
    let tried = |queue: QueueId| {
        let folded = fold(stored, queue, stamped, log);
        let found = differences(stored, &folded.end);
        (folded, found)
    };
    let (mut folded, mut found) = tried(opened_in);
    if !found.is_empty()
        && let (other, none) = tried(stored.queue.clone())
        && none.is_empty()
    {
        (folded, found) = (other, none);
    }
    Report {
        conversation: stored.id.0,
        events: log.len(),
        same: found.is_empty(),
        other_policy: folded.other_policy,
        differences: found,
        timeline: folded.timeline,
    }
}

/// What a log leads to, and on which way.
struct Folded {
    timeline: Vec<Point>,
    other_policy: usize,
    end: Conversation,
}

fn fold(stored: &Conversation, queue: QueueId, began: &Stamped, log: &[LogRow]) -> Folded {
    let (mut timeline, mut other_policy) = (Vec::new(), 0);
    let Some(first) = stored.session(SessionId(0)) else {
        return Folded { timeline, other_policy, end: stored.clone() };
    };
    let address = first.address.clone();
    let mut stamped = began.clone();
    let priority = stamped.policy.queue(&queue).priority;
    let mut conversation =
        Conversation::open(stored.id, stored.requester.clone(), address, queue, priority, stored.opened);
    // `away` is of the end, not of the beginning.
    conversation.requester.away = false;
    conversation.familiar = stored.familiar.clone();
    for row in log {
        other_policy += usize::from(row.policy != stamped.hash);
        let moved = rooms::told(&row.event.body)
            .and_then(|(session, to)| Some((conversation.session(session)?.address.clone(), to)));
        let (after, made) = step(conversation, &row.event, &stamped.policy);
        conversation = after;
        if let Some((from, to)) = moved {
            // The configuration followed, too.
            rooms::follow(&mut stamped.policy, &from, to);
            stamped = Stamped::new(stamped.policy);
        }
        timeline.push(Point {
            seq: row.seq,
            now: jiff::Timestamp::from_microsecond(row.event.now.0)
                .map(|at| format!("{at:.3}"))
                .unwrap_or_default(),
            cause: row.cause.clone(),
            event: name(&row.event.body),
            stage: conversation.stage_name(),
            effects: made.effects.len(),
        });
    }
    Folded { timeline, other_policy, end: conversation }
}

/// `requester posted`, `desk verb accept`: the names in an event's stored form, without its ids.
fn name(body: &EventBody) -> String {
    let value = serde_json::to_value(body).unwrap_or_default();
    let mut words = Vec::new();
    let mut at = &value;
    loop {
        match at {
            Value::Object(fields) => {
                let next = ["what", "verb", "kind", "outcome"].iter().find_map(|inner| fields.get(*inner));
                let only = (fields.len() == 1).then(|| fields.iter().next()).flatten();
                match (next, only) {
                    (Some(next), _) => at = next,
                    (None, Some((name, inner))) => {
                        words.push(name.clone());
                        at = inner;
                    }
                    (None, None) => break,
                }
            }
            Value::String(word) => {
                words.push(word.clone());
                break;
            }
            _ => break,
        }
        if words.len() > 3 {
            break;
        }
    }
    words.join(" ")
}

/// Where the two differ, field by field.
fn differences(stored: &Conversation, replayed: &Conversation) -> Vec<Difference> {
    let mut replayed = replayed.clone();
    // Names and languages follow the platform's profile, outside the log.
    replayed.requester.name.clone_from(&stored.requester.name);
    replayed.requester.language.clone_from(&stored.requester.language);
    let value = |conversation: &Conversation| serde_json::to_value(conversation).unwrap_or_default();
    let mut found = Vec::new();
    compare("", &value(stored), &value(&replayed), &mut found);
    found
}

fn compare(path: &str, stored: &Value, replayed: &Value, found: &mut Vec<Difference>) {
    match (stored, replayed) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&path, a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (n, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{n}]"), a, b, found);
            }
        }
        (a, b) if a == b => {}
        (a, b) => found.push(Difference { path: path.to_owned(), stored: a.clone(), replayed: b.clone() }),
    }
}

fn said(report: &Report) -> String {
    let rows: Vec<Vec<String>> = report
        .timeline
        .iter()
        .map(|point| {
            let effects = if point.effects == 0 { String::new() } else { format!("+{}", point.effects) };
            vec![
                point.seq.to_string(),
                point.now.clone(),
                point.event.clone(),
                point.stage.into(),
                effects,
                point.cause.clone(),
            ]
        })
        .collect();
    let mut text = out::table(&["SEQ", "TIME", "EVENT", "STAGE", "EFFECTS", "CAUSE"], &rows);
    if report.same {
        text.push_str(&format!(
            "#{}: {} events lead to the stored state\n",
            report.conversation, report.events
        ));
        return text;
    }
    text.push_str(&format!("#{}: the log does NOT lead to the stored state\n", report.conversation));
    for difference in &report.differences {
        text.push_str(&format!(
            "  {}\n    stored    {}\n    replayed  {}\n",
            difference.path, difference.stored, difference.replayed
        ));
    }
    if report.other_policy > 0 {
        text.push_str(&format!(
            "  {} of {} events were made with another configuration; replay with that one before you look further\n",
            report.other_policy, report.events
        ));
    }
    text
}

#[cfg(test)]
mod tests;

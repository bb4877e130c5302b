//! `conversations/{conversation}/timeline`: the log, event by event.
//!
//! Not here: what was said (the log holds no text; `messages` has it).

use std::sync::Arc;

use deskbridge_store::rows::LogRow;
use serde::Serialize;
use serde_json::Value;

use super::Api;
use super::call::{Answer, Call};
use super::page::{Cursor, page};
use super::view::time;

/// The platforms' own handles and ids say nothing to people, and some open doors for a short while.
const OF_PLATFORMS: [&str; 6] = ["interaction", "remote", "more", "address", "user", "to_address"];

#[derive(Serialize)]
struct Entry {
    seq: u64,
    at: String,
    stored: String,
    /// `desk.verb`, `requester.posted`, `timer`.
    kind: String,
    event: Value,
}

pub async fn list(api: Arc<Api>, call: Call) -> Answer {
    let (cursor, limit) = (call.cursor()?, call.limit()?);
    let conversation = api.seen(&call).await?;
    let from = u64::try_from(cursor.map_or(0, |cursor| cursor.at)).unwrap_or(0);
    let mut rows = api.bridge.read.log(conversation.id, from, limit + 1).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let next = rows.get(limit).map(|row| Cursor { at: i64::try_from(row.seq).unwrap_or(i64::MAX), shown: 0 });
    rows.truncate(limit);
    Ok(page(rows.iter().map(entry).collect(), next))
}

fn entry(row: &LogRow) -> Entry {
    let mut event = serde_json::to_value(&row.event.body).unwrap_or_default();
    clean(&mut event);
    Entry { seq: row.seq, at: time(row.event.at), stored: time(row.event.now), kind: kind(&event), event }
}

fn clean(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|name, _| !OF_PLATFORMS.contains(&name.as_str()));
            map.values_mut().for_each(clean);
        }
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The names of the event's variants, as serialised.
fn kind(event: &Value) -> String {
    let Some((outer, inner)) = event.as_object().and_then(|map| map.iter().next()) else {
        return event.as_str().unwrap_or("event").to_owned();
    };
    let what = inner.get("what").unwrap_or(inner);
    let name =
        what.as_str().or_else(|| what.as_object().and_then(|map| map.keys().next()).map(String::as_str));
    match (outer.as_str(), name) {
        ("timer" | "delivery", _) | (_, None) => outer.clone(),
        (outer, Some(name)) => format!("{outer}.{name}"),
    }
}

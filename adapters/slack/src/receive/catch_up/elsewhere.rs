//! What the known places do not tell of an outage: threads of direct messages that began long before it (the history of a
//! direct message leaves replies out), and rooms in which nobody had said anything to us, or not for long.
//!
//! Not here: rooms and threads that are known (`catch_up.rs`).

use serde_json::Value;

use super::super::marks::{self, Gap, Place, Seen};
use super::{EDITABLE, PAGE, Unread, is_for_later, patient};
use crate::translate::text;
use crate::{Slack, ids};

/// How long before the last known message a thread may have begun, in seconds: 30 days.
const THREADS: i64 = 30 * 24 * 3600;
/// Pages of a direct message in which threads are looked for.
const THREAD_PAGES: usize = 2;
/// Rooms that are read though nothing was noted of them; the youngest. With Slack's 50 calls a minute that takes ten minutes.
const MOST_ROOMS: usize = 500;
/// Pages of the list of rooms, of 200 each.
const ROOM_PAGES: usize = 10;
/// Slack refuses a list as a whole when the scope of one kind is missing.
const KINDS: [&str; 2] = ["im", "public_channel,private_channel"];

/// Finds where else there is something to be read: each of these places then is one of its own. `gap`: after the last message
/// of all before the outage.
pub(super) async fn look(slack: &Slack, gap: &Gap) -> Result<usize, Unread> {
    let marks = &slack.receiving.doubts.marks;
    let seen = marks.snapshot();
    marks.also(unnoted(slack, &seen, &gap.after).await?.into_iter().map(Place::Unnoted), gap);
    let direct = seen.rooms.keys().filter(|room| room.starts_with('D')).cloned();
    marks.also(direct.map(Place::OldThreads), gap);
    Ok(0)
}

/// Roots of a direct message that were answered after the last known message, and are older than what was read already.
pub(super) async fn old_threads(slack: &Slack, room: &str, gap: &Gap) -> Result<usize, Unread> {
    let last = gap.after.as_str();
    let query = vec![
        ("channel", room.to_owned()),
        ("oldest", marks::before(last, THREADS)),
        ("latest", marks::before(last, EDITABLE)),
        ("inclusive", "true".to_owned()),
    ];
    let messages = pages(slack, "conversations.history", &query, "messages", THREAD_PAGES).await?;
    let answered = messages.iter().filter(|root| text(root, "latest_reply").is_some_and(|at| at > last));
    let roots = answered.filter_map(|root| text(root, "ts")).filter(|ts| ids::is_ts(ts));
    let threads = roots.map(|root| Place::Thread(room.to_owned(), root.to_owned()));
    slack.receiving.doubts.marks.also(threads, gap);
    Ok(0)
}

/// Rooms that the app is in and nothing was noted of, the youngest first: who wrote for the first time did so there.
async fn unnoted(slack: &Slack, seen: &Seen, newest: &str) -> Result<Vec<String>, Unread> {
    let mut rooms = Vec::new();
    for kinds in KINDS {
        let query = vec![("types", kinds.to_owned()), ("exclude_archived", "true".to_owned())];
        rooms.extend(pages(slack, "users.conversations", &query, "channels", ROOM_PAGES).await?);
    }
    let created = |room: &Value| room.get("created").and_then(Value::as_i64).unwrap_or_default();
    rooms.sort_by_key(|room| std::cmp::Reverse(created(room)));
    let ids = rooms.iter().filter_map(|room| text(room, "id"));
    let mut unnoted: Vec<String> = ids
        .filter(|id| ids::is_channel(id) && is_unnoted(seen.rooms.get(*id), newest))
        .map(str::to_owned)
        .collect();
    if unnoted.len() > MOST_ROOMS {
        let left = unnoted.len() - MOST_ROOMS;
        tracing::warn!(channel = %slack.channel, left, "not all rooms are read after the outage");
        unnoted.truncate(MOST_ROOMS);
    }
    Ok(unnoted)
}

/// What came in after the outage may be the first that was noted of a room.
fn is_unnoted(last: Option<&String>, newest: &str) -> bool {
    last.is_none_or(|last| last.as_str() > newest)
}

/// What Slack lists, as far as the app may see it.
async fn pages(
    slack: &Slack,
    method: &str,
    query: &[(&'static str, String)],
    list: &str,
    most: usize,
) -> Result<Vec<Value>, Unread> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..most {
        let mut query = query.to_vec();
        query.push(("limit", PAGE.to_string()));
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let answer = match patient(slack, method, &query).await {
            Ok(answer) => answer,
            Err(error) if is_for_later(&error) => return Err(Unread::Later(error)),
            Err(error) => {
                tracing::debug!(channel = %slack.channel, method, %error, "places cannot be listed after an outage");
                break;
            }
        };
        let page = answer.get(list).and_then(Value::as_array);
        found.extend(page.into_iter().flatten().filter(|item| item.is_object()).cloned());
        match answer.get("response_metadata").and_then(|more| text(more, "next_cursor")) {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    Ok(found)
}

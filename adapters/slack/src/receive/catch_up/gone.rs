//! What was deleted while nothing could be received: the host knows it, and the history that was read as a whole does not
//! have it any more. Where the history leaves things out (what was answered in a thread of a direct message), Slack is
//! asked for the very message, and only its word that there is none counts.
//!
//! Not here: reading the history (`catch_up.rs`); what a deletion means, which comes as the event that was missed.

use std::sync::Arc;

use deskbridge_contract::{Address, Inbox, Known, PushError, RemoteMessageId, SendError};
use serde_json::{Value, json};

use super::{EDITABLE, marks, one, patient};
use crate::translate::text;
use crate::{Me, Slack};

/// Slack deletes by itself what is older than a workspace keeps, a day at least ("Customize message and file retention"), and
/// hides what is older than its plan shows. What is missing from later than that, a person deleted.
const KEPT_FOR: i64 = 20 * 3600;

/// `messages`: everything that the place has since [`EDITABLE`] before `last`. Answers how many were new.
pub(super) async fn read(
    slack: &Arc<Slack>,
    inbox: &Inbox,
    me: &Me,
    (room, root): (&str, Option<&str>),
    messages: &[Value],
    last: &str,
) -> Result<usize, PushError> {
    let at = Address::room(&slack.channel, room);
    let at = root.map_or_else(|| at.clone(), |root| at.thread(root));
    // What came in while the history was read need not be in it.
    let newest = messages.iter().filter_map(|message| text(message, "ts")).max();
    let until = newest.map_or(last, |newest| newest.max(last));
    let there: Vec<RemoteMessageId> = messages
        .iter()
        .filter(|message| !is_stone(message))
        .filter_map(|message| text(message, "ts").map(RemoteMessageId::from))
        .collect();
    let after = RemoteMessageId(marks::before(last, EDITABLE));
    let known = inbox.known(&at, &after, &RemoteMessageId::new(until), &there).await?;
    let mut new = 0;
    let kept = (slack.clock)().0 / 1_000_000 - KEPT_FOR;
    for known in known.into_iter().filter(|known| marks::seconds(known.message.as_str()) > Some(kept)) {
        if is_gone(slack, (room, root), known.message.as_str()).await {
            new += one(slack, inbox, me, room, &deletion(&known, root)).await?;
        }
    }
    Ok(new)
}

/// The event that would have told so.
fn deletion(known: &Known, root: Option<&str>) -> Value {
    let ts = known.message.as_str();
    let mut before = json!({ "type": "message", "user": known.by.as_str(), "ts": ts });
    if let Some(root) = root {
        before["thread_ts"] = root.into();
    }
    json!({ "subtype": "message_deleted", "hidden": true, "deleted_ts": ts, "previous_message": before })
}

/// A root that has replies leaves a stone behind.
fn is_stone(message: &Value) -> bool {
    text(message, "subtype") == Some("tombstone")
}

/// Asks for the very message, in its thread where that is known. "conversations.replies" takes any message, a reply too; of
/// none it says so. Any other failure says nothing.
async fn is_gone(slack: &Slack, (room, root): (&str, Option<&str>), ts: &str) -> bool {
    let query = [
        ("channel", room.to_owned()),
        ("ts", root.unwrap_or(ts).to_owned()),
        ("oldest", ts.to_owned()),
        ("latest", ts.to_owned()),
        ("inclusive", "true".to_owned()),
        ("limit", "2".to_owned()),
    ];
    match patient(slack, "conversations.replies", &query).await {
        Ok(answer) => {
            let mut found = answer.get("messages").and_then(Value::as_array).into_iter().flatten();
            match found.find(|message| text(message, "ts") == Some(ts)) {
                Some(message) => is_stone(message),
                // A thread that is there, and does not have it.
                None => root.is_some(),
            }
        }
        Err(SendError::ThreadGone { .. }) => true,
        Err(_) => false,
    }
}

//! What can be wrong with a desk channel: not there, archived, not joined; and a message's whole way through it.
//!
//! Not here: what is the same for the whole workspace (`doctor.rs`).

use std::sync::Arc;
use std::time::Instant;

use deskbridge_contract::{DeliveryId, RoomId, SendError};
use serde_json::{Value, json};

use super::{CHANNEL, Check, REACH, name_of};
use crate::api::Fault;
use crate::blocks::Message;
use crate::ids::{self, Place};
use crate::send::plan::{self, EVENT};
use crate::send::{Identity, Sending};

const ROUND_TRIP: &str = "slack.roundtrip";
const READ_BACK: &str = "slack.readback";

pub(super) async fn examine(sending: &Arc<Sending>, identity: &Identity, room: &RoomId) -> Vec<Check> {
    match look(sending, identity, room).await {
        Ok((channel, check)) => {
            let mut checks = vec![check];
            checks.extend(round_trip(sending, room, &name_of(&channel)).await);
            checks
        }
        Err(check) => vec![check],
    }
}

/// Public channels can be joined from here; into private ones somebody has to invite the bot.
pub(super) async fn join(sending: &Arc<Sending>, identity: &Identity, room: &RoomId) -> Check {
    let check = match look(sending, identity, room).await {
        Ok((_, check)) => return check,
        Err(check) => check,
    };
    match sending.api.post("conversations.join", &json!({ "channel": room.as_str() })).await {
        Ok(answer) => Check::pass(CHANNEL, format!("joined {}", name_of(&answer["channel"]))),
        Err(_) => check,
    }
}

async fn look(sending: &Arc<Sending>, identity: &Identity, room: &RoomId) -> Result<(Value, Check), Check> {
    let bot = &identity.user;
    if !ids::is_channel(room.as_str()) {
        let why = "a desk is named by the channel's id, such as C0123ABCD; names change";
        let fix = "the channel's name, About: the id is at the bottom; put it into room";
        return Err(Check::fail(CHANNEL, format!("{room} is not a channel's id"), why, fix));
    }
    let query = [("channel", room.as_str().to_owned())];
    let channel = match sending.api.get("conversations.info", &query).await {
        Ok(answer) => answer["channel"].clone(),
        Err(fault) if fault.is(&["channel_not_found"]) => {
            let why = "there is no such channel, or it is private and the bot is not in it";
            let fix = format!("in that channel: /invite @{bot}; or correct room");
            return Err(Check::fail(CHANNEL, format!("{room} is not found"), why, &fix));
        }
        Err(fault) => {
            let why = "the desk's channel cannot be looked at";
            return Err(Check::fail(CHANNEL, fault.error.to_string(), why, REACH));
        }
    };
    let name = name_of(&channel);
    if channel["is_archived"] == true {
        let why = "nobody can write in an archived channel";
        return Err(Check::fail(
            CHANNEL,
            format!("{name} is archived"),
            why,
            "unarchive it, or name another room",
        ));
    }
    if channel["is_member"] == false {
        let why = "the bot hears nothing there and cannot post cards";
        let fix = if channel["is_private"] == true {
            format!("in {name}: /invite @{bot}")
        } else {
            format!("deskbridge slack setup, or in {name}: /invite @{bot}")
        };
        return Err(Check::fail(CHANNEL, format!("the bot is not in {name}"), why, &fix));
    }
    if channel["is_ext_shared"] == true {
        let why =
            "people of other organisations read there; they are never technicians, but they see the cards";
        let fix = "use a channel that is not shared for the desk";
        return Ok((channel, Check::warn(CHANNEL, format!("{name} is shared by Slack Connect"), why, fix)));
    }
    Ok((channel, Check::pass(CHANNEL, format!("{name}: the bot is in it"))))
}

/// A test message and a reply to it: posted, reacted to, read back, deleted.
async fn round_trip(sending: &Arc<Sending>, room: &RoomId, name: &str) -> Vec<Check> {
    let began = Instant::now();
    let place = Place { channel: room.as_str(), thread: None };
    let root = match write(sending, place, "root").await {
        Ok(ts) => ts,
        Err(fault) => return vec![broken(fault, "the bot cannot post in", name)],
    };
    let thread = Place { thread: Some(&root), ..place };
    let reply = write(sending, thread, "reply").await;
    let reacted = sending.set_reaction(place, &root, "white_check_mark", true).await;
    let read = read_back(sending, place, "root").await;
    let thread_read = read_back(sending, thread, "reply").await;
    let mut undeleted = None;
    for ts in reply.as_ref().ok().into_iter().chain([&root]) {
        let body = json!({ "channel": place.channel, "ts": ts });
        if let Err(fault) = sending.api.post("chat.delete", &body).await {
            undeleted = Some(fault);
        }
    }
    let took = began.elapsed().as_millis();
    let trip = if let Err(fault) = reply {
        broken(fault, "the bot cannot reply in threads of", name)
    } else if let Err(fault) = reacted {
        broken(fault, "the bot cannot react in", name)
    } else if let Err(fault) = read {
        broken(fault, "the bot cannot read", name)
    } else if let Some(fault) = undeleted {
        broken(fault, "the bot cannot delete its own message in", name)
    } else {
        Check::pass(ROUND_TRIP, format!("{name}: posted, reacted, read and deleted in {took} ms"))
    };
    vec![trip, doubt(matches!(thread_read, Ok(true)), name)]
}

async fn write(sending: &Arc<Sending>, place: Place<'_>, what: &str) -> Result<String, Fault> {
    let text = "deskbridge doctor: a test message, deleted in a moment".to_owned();
    let metadata = plan::metadata(&DeliveryId::new(format!("doctor.{what}")), 1, 1);
    sending.put(place, &Message { text, blocks: Vec::new() }, None, Some(metadata)).await
}

/// Whether what was just written is seen again, with what marks it as ours.
async fn read_back(sending: &Arc<Sending>, place: Place<'_>, what: &str) -> Result<bool, Fault> {
    let mut query = vec![
        ("channel", place.channel.to_owned()),
        ("limit", "20".to_owned()),
        ("include_all_metadata", "true".to_owned()),
    ];
    let method = match place.thread {
        Some(thread) => {
            query.push(("ts", thread.to_owned()));
            "conversations.replies"
        }
        None => "conversations.history",
    };
    let answer = sending.api.get(method, &query).await?;
    let messages = answer["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ours = |message: &Value| {
        let metadata = &message["metadata"];
        metadata["event_type"] == EVENT
            && metadata["event_payload"]["delivery_id"] == format!("doctor.{what}").as_str()
    };
    Ok(messages.iter().any(ours))
}

fn doubt(seen: bool, name: &str) -> Check {
    if seen {
        return Check::pass(READ_BACK, format!("{name}: replies can be read back after a doubtful attempt"));
    }
    Check::warn(
        READ_BACK,
        format!("{name}: replies in threads cannot be read back"),
        "when Slack does not answer, nobody can look whether a message arrived: a technician's is then sent once more and \
         may appear twice; and what technicians answer while deskbridge is away is not found afterwards",
        "nothing has to be done; docs/channels/slack.md says what it means",
    )
}

fn broken(fault: Fault, what: &str, name: &str) -> Check {
    let (why, fix) = match &fault.error {
        _ if fault.is(&["missing_scope"]) => {
            ("a scope is missing, or the app was not installed again after adding it", super::MANIFEST)
        }
        SendError::Unauthorized { .. } => ("the token is not good any more", super::MANIFEST),
        SendError::Gone { .. } => {
            ("only some people may write there", "channel settings, Posting permissions: let the app post")
        }
        SendError::Retry { .. } => ("Slack asks to wait, or cannot be reached", "try again in a minute"),
        SendError::Rejected { .. }
        | SendError::ThreadGone { .. }
        | SendError::Moved { .. }
        | SendError::Ambiguous { .. } => {
            ("Slack refuses it or does not answer", "status.slack.com, then try again")
        }
    };
    Check::fail(ROUND_TRIP, format!("{what} {name}: {}", fault.error), why, fix)
}

//! The only place that mints and reads this platform's ids.
//!
//! Not here: what the ids stand for.

use deskbridge_contract::{RemoteEventId, RemoteFileId, RemoteMessageId, RoomId, ThreadId};

/// The user id of the bridge itself. Events by it never come in (clause C3).
pub const BRIDGE: &str = "bridge";

/// Message ids count per room, so the same id exists in many rooms: whoever forgets the room gets the wrong message.
pub(crate) fn message(index: usize) -> RemoteMessageId {
    RemoteMessageId(format!("m{}", index + 1))
}

pub(crate) fn message_index(id: &RemoteMessageId) -> Option<usize> {
    id.as_str().strip_prefix('m')?.parse::<usize>().ok()?.checked_sub(1)
}

/// A thread whose root is a message carries that message's id, as on Slack.
pub(crate) fn thread_of_root(root: &RemoteMessageId) -> ThreadId {
    ThreadId(root.0.clone())
}

pub(crate) fn thread(index: usize) -> ThreadId {
    ThreadId(format!("t{}", index + 1))
}

pub(crate) fn event(number: u64) -> RemoteEventId {
    RemoteEventId(format!("s{number}"))
}

pub(crate) fn interaction(event: u64) -> String {
    format!("i{event}")
}

pub(crate) fn file(index: usize) -> RemoteFileId {
    RemoteFileId(format!("f{}", index + 1))
}

pub(crate) fn direct(user: &str) -> RoomId {
    RoomId(format!("dm-{user}"))
}

pub(crate) fn is_direct(room: &RoomId) -> bool {
    room.as_str().starts_with("dm-")
}

//! What became of the desk channels: archived, deleted, left by the app, so that they take nothing; or called otherwise by now.
//!
//! Not here: what was wrong from the beginning (`doctor.rs`), what becomes of a message (the core).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deskbridge_contract::{SendError, Sent, Shelf, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Slack;
use crate::translate::text;

/// How long it is told that a channel has another name. It is known by its id, so nobody has to do anything about it.
const NEWS: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Default)]
pub(crate) struct Desks(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Those that take nothing, each with why.
    shut: BTreeMap<String, String>,
    names: BTreeMap<String, Name>,
}

/// What a channel is called, and when that became another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Name {
    now: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<(String, Timestamp)>,
}

impl Name {
    fn becomes(self, name: &str, at: Timestamp) -> Name {
        if self.now == name {
            return self;
        }
        Name { now: name.to_owned(), before: Some((self.now, at)) }
    }
}

impl Desks {
    /// What came of something that was sent there. Where anything arrives, the channel is open again.
    pub(crate) fn note(&self, room: &str, outcome: &Result<Sent, SendError>) {
        match outcome {
            Ok(_) => self.open(room),
            Err(SendError::Gone { why }) => self.shut(room, why),
            Err(_) => {}
        }
    }

    fn open(&self, room: &str) {
        if self.lock().shut.remove(room).is_some() {
            tracing::info!(room, "a desk channel takes messages again");
        }
    }

    fn shut(&self, room: &str, why: &str) {
        if self.lock().shut.insert(room.to_owned(), why.to_owned()).is_none() {
            tracing::error!(room, why, "a desk channel takes no messages any more");
        }
    }

    /// For whoever looks after the channel.
    pub(crate) fn said(&self, now: Timestamp) -> Vec<String> {
        let inner = self.lock();
        let shut = inner.shut.iter().map(|(room, why)| format!("the desk {room} takes no messages: {why}"));
        let renamed = inner.names.iter().filter_map(|(room, name)| {
            let (before, at) = name.before.as_ref()?;
            (now.since(*at) < NEWS)
                .then(|| format!("the desk {room} is called #{} now, before #{before}: it goes on", name.now))
        });
        shut.chain(renamed).collect()
    }

    /// What the channel is called. Answers what is to be kept of it, where that is new.
    fn called(&self, room: &str, kept: Option<Name>, name: &str, at: Timestamp) -> Option<Name> {
        let mut inner = self.lock();
        let known = inner.names.get(room).cloned().or(kept);
        let named = match known.clone() {
            Some(known) => known.becomes(name, at),
            None => Name { now: name.to_owned(), before: None },
        };
        inner.names.insert(room.to_owned(), named.clone());
        let new = known.as_ref() != Some(&named);
        if new && let Some((before, _)) = &named.before {
            tracing::warn!(room, name, before, "a desk channel has another name; it goes on by its id");
        }
        new.then_some(named)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks how the desk channels are: events of an outage may not have come.
pub(crate) async fn look(slack: &Slack, shelf: &Shelf) {
    for room in &slack.config.desks {
        let query = [("channel", room.clone())];
        match slack.sending.api.get("conversations.info", &query).await {
            Ok(answer) => stands(slack, shelf, room, &answer["channel"]).await,
            // The next delivery tells, or the next start.
            Err(fault) => {
                tracing::debug!(channel = %slack.channel, room, error = %fault.error, "a desk channel cannot be looked at");
            }
        }
    }
}

async fn stands(slack: &Slack, shelf: &Shelf, room: &str, channel: &Value) {
    if channel["is_archived"] == true {
        slack.desks.shut(room, "it is archived");
    } else if channel["is_member"] == false {
        slack.desks.shut(room, "the app is not in it");
    } else {
        slack.desks.open(room);
    }
    if let Some(name) = text(channel, "name") {
        renamed(slack, shelf, room, name).await;
    }
}

async fn renamed(slack: &Slack, shelf: &Shelf, room: &str, name: &str) {
    let key = format!("desk-name:{room}");
    let noted = async {
        let kept = shelf.get(&key).await?.and_then(|kept| serde_json::from_str(&kept).ok());
        match slack.desks.called(room, kept, name, (slack.clock)()) {
            Some(named) => shelf.put(&key, &serde_json::to_string(&named).unwrap_or_default()).await,
            None => Ok(()),
        }
    };
    if let Err(error) = noted.await {
        tracing::debug!(channel = %slack.channel, room, %error, "it was not noted what a desk channel is called");
    }
}

/// Events that say what became of a channel. Only those of desks matter: other rooms tell when something is sent to them.
pub(crate) async fn heard(slack: &Slack, shelf: &Shelf, kind: &str, event: &Value) {
    let channel = event.get("channel").unwrap_or(&Value::Null);
    let room = channel.as_str().or_else(|| text(channel, "id")).unwrap_or_default();
    if !slack.config.desks.iter().any(|desk| desk == room) {
        return;
    }
    let ours = || {
        let me = slack.known_me();
        me.is_some_and(|me| text(event, "user") == Some(me.user_id.as_str()))
    };
    match kind {
        "channel_archive" | "group_archive" => slack.desks.shut(room, "it is archived"),
        "channel_deleted" | "group_deleted" => slack.desks.shut(room, "it was deleted"),
        "channel_left" | "group_left" => slack.desks.shut(room, "the app is not in it"),
        "member_left_channel" if ours() => slack.desks.shut(room, "the app is not in it"),
        "channel_unarchive" | "group_unarchive" => slack.desks.open(room),
        "member_joined_channel" if ours() => slack.desks.open(room),
        "channel_rename" | "group_rename" => {
            if let Some(name) = text(channel, "name") {
                renamed(slack, shelf, room, name).await;
            }
        }
        _ => {}
    }
}

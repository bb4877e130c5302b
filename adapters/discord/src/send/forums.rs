//! What is known of the forums that are desks: their server, their tags; and of channels in general, which lies in which.
//!
//! Not here: which tags a post gets (`cards.rs`), posts themselves (`threads.rs`).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::Sending;
use crate::api::Fault;
use crate::ids;

/// How long a forum is remembered; "Channel Update" ends it earlier.
const FRESH: Duration = Duration::from_secs(600);
/// Channels of which it is known where they lie.
const MOST: usize = 50_000;

/// "Channel Types".
pub(crate) const FORUM: u64 = 15;
pub(crate) const MEDIA: u64 = 16;
const DIRECT: u64 = 1;
/// "Channel Flags": a post needs a tag.
const REQUIRE_TAG: u64 = 1 << 4;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Forum {
    pub guild: String,
    pub name: String,
    pub kind: u64,
    /// Name and id, those that only moderators set included.
    pub tags: Vec<(String, String)>,
    pub needs_tag: bool,
}

impl Forum {
    pub(crate) fn read(channel: &Value) -> Forum {
        let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let tags = channel["available_tags"].as_array().into_iter().flatten();
        Forum {
            guild: text(channel, "guild_id"),
            name: text(channel, "name"),
            kind: channel["type"].as_u64().unwrap_or_default(),
            tags: tags.map(|tag| (text(tag, "name"), text(tag, "id"))).collect(),
            needs_tag: channel["flags"].as_u64().unwrap_or_default() & REQUIRE_TAG != 0,
        }
    }
}

/// Where a channel lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lies {
    Direct,
    Room,
    /// A thread or post of this channel.
    In(String),
}

#[derive(Default)]
struct Inner {
    forums: HashMap<String, (Forum, Instant)>,
    places: HashMap<String, Lies>,
    names: HashMap<String, String>,
    roles: HashMap<String, String>,
}

#[derive(Default)]
pub(crate) struct Forums(Mutex<Inner>);

impl Forums {
    /// Learns from a channel or thread as Discord describes it.
    pub(crate) fn learn(&self, channel: &Value) {
        let Some(id) = channel["id"].as_str().filter(|id| ids::is_snowflake(id)) else { return };
        let Some(kind) = channel["type"].as_u64() else { return };
        let lies = match (kind, channel["parent_id"].as_str()) {
            (10..=12, Some(parent)) => Lies::In(parent.to_owned()),
            (DIRECT, _) => Lies::Direct,
            _ => Lies::Room,
        };
        let mut inner = self.lock();
        if inner.places.len() >= MOST {
            inner.places.clear();
            inner.names.clear();
        }
        inner.places.insert(id.to_owned(), lies);
        if let Some(name) = channel["name"].as_str() {
            inner.names.insert(id.to_owned(), name.to_owned());
        }
        if matches!(kind, FORUM | MEDIA) {
            inner.forums.remove(id);
        }
    }

    /// What a role is called, for texts that mention it.
    pub(crate) fn learn_role(&self, role: &Value) {
        if let (Some(id), Some(name)) = (role["id"].as_str(), role["name"].as_str()) {
            let mut inner = self.lock();
            if inner.roles.len() < MOST {
                inner.roles.insert(id.to_owned(), name.to_owned());
            }
        }
    }

    pub(crate) fn place_of(&self, channel: &str) -> Option<Lies> {
        self.lock().places.get(channel).cloned()
    }

    pub(crate) fn note(&self, channel: &str, lies: Lies) {
        self.lock().places.insert(channel.to_owned(), lies);
    }

    pub(crate) fn name_of(&self, channel: &str) -> Option<String> {
        self.lock().names.get(channel).cloned()
    }

    pub(crate) fn role(&self, id: &str) -> Option<String> {
        self.lock().roles.get(id).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sending {
    /// A forum, asked every ten minutes.
    pub(crate) async fn forum(&self, id: &str) -> Result<Forum, Fault> {
        let known = self.forums.lock().forums.get(id).cloned();
        if let Some((forum, at)) = known
            && at.elapsed() < FRESH
        {
            return Ok(forum);
        }
        let channel = self.api.get(format!("channels/{id}"), &[]).await?;
        let forum = Forum::read(&channel);
        self.forums.learn(&channel);
        self.forums.lock().forums.insert(id.to_owned(), (forum.clone(), Instant::now()));
        Ok(forum)
    }

    /// Where a channel lies that something came from. One that cannot be seen is none of ours.
    pub(crate) async fn locate(&self, channel: &str) -> Result<Lies, Fault> {
        if let Some(known) = self.forums.place_of(channel) {
            return Ok(known);
        }
        match self.api.get(format!("channels/{channel}"), &[]).await {
            Ok(found) => self.forums.learn(&found),
            Err(fault) if matches!(fault.error, deskbridge_contract::SendError::Gone { .. }) => {}
            Err(fault) => return Err(fault),
        }
        let lies = self.forums.place_of(channel).unwrap_or(Lies::Room);
        self.forums.note(channel, lies.clone());
        Ok(lies)
    }
}

//! Which notes of forms and commands were put into their posts, so that an interaction that comes again puts none there twice.
//!
//! Not here: putting them there, and looking whether one is there already (`send/posts.rs`, `send/find.rs`).

use std::collections::BTreeMap;

use deskbridge_contract::{RemoteMessageId, Shelf, ShelfError};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, MutexGuard};

use crate::ids;

/// Where the shelf keeps them.
const KEY: &str = "notes";
/// The latest interactions that are remembered; Discord repeats what is a few minutes old at most.
const MOST: usize = 256;

/// How far one came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Put {
    /// It may be there.
    Begun,
    There(String),
    /// Discord did not take it, and its writer was told.
    Refused,
}

/// By the interaction's number, which grows with time.
type All = BTreeMap<u64, Put>;

#[derive(Default)]
pub(crate) struct Notes(Mutex<Option<All>>);

impl Notes {
    /// What is known of it; for a new one it is on disk, when this returns, that it was begun.
    pub(super) async fn begin(&self, shelf: &Shelf, interaction: &str) -> Result<Option<Put>, ShelfError> {
        let mut inner = self.open(shelf).await?;
        let all = inner.get_or_insert_default();
        if let Some(known) = all.get(&ids::number(interaction)) {
            return Ok(Some(known.clone()));
        }
        all.insert(ids::number(interaction), Put::Begun);
        while all.len() > MOST {
            all.pop_first();
        }
        let done = write(shelf, all).await;
        if done.is_err() {
            all.remove(&ids::number(interaction));
        }
        done.map(|()| None)
    }

    /// Best effort: what is not written is looked for, should the interaction come again.
    pub(super) async fn end(&self, shelf: &Shelf, interaction: &str, put: Put) -> Result<(), ShelfError> {
        let mut inner = self.open(shelf).await?;
        let all = inner.get_or_insert_default();
        all.insert(ids::number(interaction), put);
        write(shelf, all).await
    }

    /// The messages of all others.
    pub(super) async fn messages(&self, shelf: &Shelf) -> Result<Vec<RemoteMessageId>, ShelfError> {
        let inner = self.open(shelf).await?;
        let there = |put: &Put| match put {
            Put::There(id) => Some(RemoteMessageId::from(id.as_str())),
            Put::Begun | Put::Refused => None,
        };
        Ok(inner.iter().flat_map(BTreeMap::values).filter_map(there).collect())
    }

    /// Reads what an earlier run left, once.
    async fn open(&self, shelf: &Shelf) -> Result<MutexGuard<'_, Option<All>>, ShelfError> {
        let mut inner = self.0.lock().await;
        if inner.is_none() {
            let kept = shelf.get(KEY).await?;
            // Written by another version, it says nothing.
            *inner = Some(kept.and_then(|kept| serde_json::from_str(&kept).ok()).unwrap_or_default());
        }
        Ok(inner)
    }
}

async fn write(shelf: &Shelf, all: &All) -> Result<(), ShelfError> {
    shelf.put(KEY, &serde_json::to_string(all).unwrap_or_default()).await
}

//! An erasure as it is written down: what is left to be done, and who does it.
//!
//! Not here: doing it (`erasure`). Between nodes each change of what is written is conditional on what was read: of two who
//! want to go on with one, one does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deskbridge_contract::{Address, ChannelName, Timestamp};
use deskbridge_conversation::{Conversation, ConversationId, RequesterId, SessionRole, TechnicianId};
use deskbridge_store::rows::KeptRow;
use deskbridge_store::{Admin, AdminDone, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex, MutexGuard};

use super::ErasureError;
use crate::runtime::Bridge;

const KIND: &str = KeptRow::ERASURE;
/// Nobody's name is in it: rows were deleted, and the database's files still have their bytes.
const OVERWRITE: &str = "overwrite";
/// After this another node may go on. Each step renews it; the longest are removing somebody's files and asking a platform.
const LEASE: Duration = Duration::from_secs(300);
/// How often it is looked for what was cut.
const LOOK: Duration = Duration::from_secs(30);
/// Overwriting a database takes a while; where somebody was in the way it is tried again with every so-many-th look.
const OVERWRITE_EVERY: u32 = 20;

/// Everything by which a person is known, and what came of it so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Work {
    /// Tells the events of this erasure from those of another.
    pub(super) once: String,
    pub(super) channel: ChannelName,
    pub(super) names: BTreeSet<RequesterId>,
    pub(super) addresses: BTreeSet<Address>,
    /// Those that are left.
    pub(super) conversations: BTreeSet<ConversationId>,
    pub(super) by: Option<TechnicianId>,
    pub(super) known_as: String,
    /// Nothing old of theirs comes in any more, and `conversations` are all there are.
    pub(super) buried: bool,
    pub(super) erased: usize,
    pub(super) messages: usize,
    pub(super) files: usize,
    node: String,
    until: Timestamp,
}

impl Work {
    pub(super) fn of(channel: ChannelName, name: RequesterId) -> Result<Work, ErasureError> {
        let mut once = [0_u8; 8];
        getrandom::fill(&mut once).map_err(|_| ErasureError::Random)?;
        Ok(Work {
            once: hex::encode(once),
            channel,
            names: BTreeSet::from([name]),
            addresses: BTreeSet::new(),
            conversations: BTreeSet::new(),
            by: None,
            known_as: String::new(),
            buried: false,
            erased: 0,
            messages: 0,
            files: 0,
            node: String::new(),
            until: Timestamp(0),
        })
    }

    pub(super) fn has(&mut self, conversation: &Conversation) {
        self.names.insert(conversation.requester.id.clone());
        self.conversations.insert(conversation.id);
        let own = conversation.sessions.iter().filter(|session| match session.role {
            SessionRole::Requester { .. } => true,
            SessionRole::Desk { .. } => false,
        });
        self.addresses.extend(own.map(|session| session.address.clone()));
    }
}

/// Work that is this node's, as it is stored.
pub(super) struct Held {
    pub(super) work: Work,
    key: String,
    stored: Option<String>,
}

/// What the erasures of one node share.
#[derive(Debug)]
pub struct Erasing {
    one: Mutex<()>,
    begun: AtomicU64,
    /// This run of the program.
    node: String,
}

impl Default for Erasing {
    fn default() -> Self {
        let mut node = [0_u8; 8];
        let node = match getrandom::fill(&mut node) {
            Ok(()) => hex::encode(node),
            Err(_) => std::process::id().to_string(),
        };
        Erasing { one: Mutex::default(), begun: AtomicU64::new(0), node }
    }
}

impl Erasing {
    pub(super) async fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        self.one.lock().await
    }

    pub(super) fn begins(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
    }

    /// Whoever keeps words outside the store asks before and after: another number says that they may be of somebody who was
    /// erased meanwhile.
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }
}

/// The same for everybody who asks for it at once. It is overwritten with what is in it.
fn key_of(requester: &RequesterId) -> String {
    hex::encode(Sha256::digest(requester.as_str()))
}

fn row(key: &str, value: Option<String>) -> KeptRow {
    KeptRow { kind: KIND.into(), owner: String::new(), key: key.to_owned(), value, updated: Timestamp(0) }
}

impl Bridge {
    /// One that was begun before, taken over. `Elsewhere`: another node is at it.
    pub(super) async fn unfinished(&self, requester: &RequesterId) -> Result<Option<Held>, ErasureError> {
        match self.read.kept_one(KIND, "", &key_of(requester)).await? {
            Some(row) => self.take_over(row).await.map(Some),
            None => Ok(None),
        }
    }

    async fn take_over(&self, row: KeptRow) -> Result<Held, ErasureError> {
        let stored = row.value.unwrap_or_default();
        let work: Work = serde_json::from_str(&stored)
            .map_err(|error| StoreError::Corrupt(format!("an erasure cannot be read: {error}")))?;
        let is_free = work.node == self.erasing.node || self.board.sole_owner() || work.until <= self.now();
        if !is_free {
            return Err(ErasureError::Elsewhere);
        }
        let mut held = Held { work, key: row.key, stored: Some(stored) };
        self.save(&mut held).await?;
        Ok(held)
    }

    /// Before anything is done.
    pub(super) async fn write_down(&self, of: &RequesterId, work: Work) -> Result<Held, ErasureError> {
        let mut held = Held { work, key: key_of(of), stored: None };
        self.save(&mut held).await?;
        Ok(held)
    }

    /// What is left now, for another while.
    pub(super) async fn save(&self, held: &mut Held) -> Result<(), ErasureError> {
        held.work.node.clone_from(&self.erasing.node);
        held.work.until = self.now() + LEASE;
        let value = serde_json::to_string(&held.work)
            .map_err(|error| StoreError::Corrupt(format!("an erasure cannot be written: {error}")))?;
        self.swap(&held.key, held.stored.take(), Some(value.clone())).await?;
        held.stored = Some(value);
        Ok(())
    }

    async fn swap(
        &self,
        key: &str,
        before: Option<String>,
        value: Option<String>,
    ) -> Result<(), ErasureError> {
        match self.writer.admin(Admin::Swap { before, row: row(key, value) }).await? {
            AdminDone::Done | AdminDone::Ticket { .. } => Ok(()),
            AdminDone::Unknown => Err(ErasureError::Elsewhere),
        }
    }

    /// Nothing is left of it but bytes of deleted rows, which is written down without a name.
    pub(super) async fn strike_out(&self, held: Held) -> Result<(), ErasureError> {
        self.writer.admin(Admin::Keep(row(OVERWRITE, Some("{}".to_owned())))).await?;
        self.swap(&held.key, held.stored, None).await
    }

    /// False: somebody read from the files all the time; it is tried again later.
    pub(super) async fn overwrite(&self) -> Result<bool, ErasureError> {
        if let Err(error) = self.writer.scrub().await {
            tracing::warn!(%error, "erased, but the database's files were not overwritten; tried again later");
            return Ok(false);
        }
        self.writer.admin(Admin::Keep(row(OVERWRITE, None))).await?;
        Ok(true)
    }

    async fn finish_erasures(self: &Arc<Self>, overwrite: bool) -> Result<(), ErasureError> {
        let _one = self.erasing.one_at_a_time().await;
        let (mut is_due, mut failed) = (false, None);
        for row in self.read.kept(KIND, "").await? {
            if row.key == OVERWRITE {
                is_due = true;
                continue;
            }
            match self.take_over(row).await {
                Ok(held) => {
                    tracing::info!("an erasure that was cut goes on");
                    // One that cannot go on does not hold up the others.
                    failed = self.go_on(held).await.err().or(failed);
                }
                Err(ErasureError::Elsewhere) => {}
                Err(error) => failed = Some(error),
            }
        }
        if is_due && overwrite {
            self.overwrite().await?;
        }
        failed.map_or(Ok(()), Err)
    }
}

/// Goes on with what an earlier run, or another node, has left; until the program stops.
pub async fn finish_all(bridge: Arc<Bridge>) {
    let mut look = 0_u32;
    loop {
        let done = tokio::select! {
            done = bridge.finish_erasures(look.is_multiple_of(OVERWRITE_EVERY)) => done,
            () = bridge.stop.cancelled() => return,
        };
        if let Err(error) = done {
            tracing::warn!(%error, "an erasure could not be finished yet; tried again soon");
        }
        look = look.wrapping_add(1);
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = bridge.stop.cancelled() => return,
        }
    }
}

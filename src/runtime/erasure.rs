//! Erasing a requester, wherever something of them is (S111, I17).
//!
//! Not here: what a conversation without its requester is (the core), which rows and bytes go (the store), what adapters
//! keep (each forgets for itself), who may ask for it (the API), what is left of one that was cut (`work`).
//!
//! It may be cut anywhere: what is to be done is written down before anything is, each step may be done twice, and whoever
//! finds it later goes on. First nothing old comes in any more, then the conversations one by one, each with its files, then
//! what the channel keeps.

mod report;
mod traces;
mod work;

use std::collections::BTreeSet;
use std::sync::Arc;

use deskbridge_contract::{Address, AttachmentSource, ChannelName, RemoteUserId, ShelfError};
use deskbridge_conversation::identity::Said;
use deskbridge_conversation::{
    Audience, Author, Conversation, ConversationId, DeliveryOp, Effect, EventBody, MessageId, RequesterId,
    SessionId, TechnicianId,
};
use deskbridge_services::blobs::BlobError;
use deskbridge_store::read::ConversationFilter;
use deskbridge_store::rows::{DeliveryState, KeptRow, MessageRow, OutboxRow};
use deskbridge_store::{Admin, Applied, Apply, Cause, Forgotten, Refs, StoreError, Target};

use super::{Bridge, supervisor};
pub use report::Erased;
pub use work::{Erasing, finish_all};
use work::{Held, Work};

/// Conversations, messages and events that are read at once.
const PAGE: u32 = 500;
/// How often a conversation that another node holds is tried again.
const CONFLICTS: u32 = 5;
/// What is kept with a conversation beside it: kind and, as key, its number.
const KEPT: [&str; 1] = [KeptRow::DRAFT];

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErasureError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    #[error("a file could not be removed: {0}")]
    Blob(#[from] BlobError),
    /// Another node does it, or has done it meanwhile.
    #[error("another node is erasing this requester")]
    Elsewhere,
    #[error("no random number can be had")]
    Random,
}

impl Bridge {
    /// `None`: nobody is known by this name. `known_as`: who asked, for the audit trail. One that was cut before goes on.
    pub async fn erase(
        self: &Arc<Self>,
        requester: &RequesterId,
        by: Option<&TechnicianId>,
        known_as: &str,
    ) -> Result<Option<Erased>, ErasureError> {
        let _one = self.erasing.one_at_a_time().await;
        let held = match self.unfinished(requester).await? {
            Some(held) => held,
            None => {
                let Some(mut work) = self.everything_of(requester).await? else { return Ok(None) };
                work.by = by.cloned();
                known_as.clone_into(&mut work.known_as);
                self.write_down(requester, work).await?
            }
        };
        self.go_on(held).await.map(Some)
    }

    /// Where somebody is found. `None`: nowhere.
    async fn everything_of(self: &Arc<Self>, requester: &RequesterId) -> Result<Option<Work>, ErasureError> {
        let Some((channel, user)) = requester.as_str().split_once(':') else { return Ok(None) };
        let (channel, user) = (ChannelName(channel.to_owned()), RemoteUserId(user.to_owned()));
        let first = self.conversations_of(requester).await?;
        let also = match self.adapters.get(&channel) {
            Some(adapter) => adapter.also_at(&supervisor::inbox(self, &channel).shelf(), &user).await?,
            None => Vec::new(),
        };
        if first.is_empty()
            && also.is_empty()
            && self.read.requester(requester).await?.is_none()
            && self.read.spoke_in(requester).await?.is_empty()
        {
            return Ok(None);
        }
        let mut work = Work::of(channel, requester.clone())?;
        first.iter().for_each(|conversation| work.has(conversation));
        for at in &also {
            for id in self.read.conversations_at(&at.key()).await? {
                if let Some(conversation) = self.read.conversation(id).await?.filter(|c| !c.is_erased()) {
                    work.has(&conversation);
                }
            }
        }
        work.addresses.extend(also);
        Ok(Some(work))
    }

    /// Everything that is left of it. An error leaves it to be gone on with.
    async fn go_on(self: &Arc<Self>, mut held: Held) -> Result<Erased, ErasureError> {
        // Answers given before may hold what they said; those that go now are overwritten with the rest.
        self.erasing.begins();
        self.forget_answers().await?;
        if !held.work.buried {
            let requesters: Vec<RequesterId> = held.work.names.iter().cloned().collect();
            self.writer.admin(Admin::Bury { requesters: requesters.clone() }).await?;
            // What came in while they were read is theirs as well.
            for name in &requesters {
                let theirs = self.conversations_of(name).await?;
                theirs.iter().for_each(|conversation| held.work.has(conversation));
            }
            held.work.buried = true;
            self.save(&mut held).await?;
        }
        let mut report = Erased::default();
        loop {
            while let Some(id) = held.work.conversations.first().copied() {
                self.erase_conversation(id, &mut held.work, &mut report).await?;
                held.work.conversations.remove(&id);
                self.save(&mut held).await?;
            }
            // Another node may have opened one at a known address before it knew.
            for name in held.work.names.clone() {
                let theirs = self.conversations_of(&name).await?;
                theirs.iter().for_each(|conversation| held.work.has(conversation));
            }
            if held.work.conversations.is_empty() {
                break;
            }
        }
        self.forget_elsewhere(&mut held.work, &mut report).await?;
        // Those that were given meanwhile.
        self.forget_answers().await?;
        let act = "erased a requester".to_owned();
        let by = Some(held.work.known_as.clone()).filter(|by| !by.is_empty());
        self.writer.admin(Admin::Audit { by, act, conversation: None }).await?;
        report.counts(&held.work);
        let held_names = held.work.names.clone();
        self.strike_out(held).await?;
        report.overwritten = self.overwrite().await?;
        let elsewhere = self.spoke_in(&held_names).await?;
        report.says_what_stays(self, &elsewhere);
        tracing::info!(conversations = report.conversations, files = report.files, "a requester was erased");
        Ok(report)
    }

    /// What is in no conversation: the channel's own, unreadable events, who they were.
    async fn forget_elsewhere(
        self: &Arc<Self>,
        work: &mut Work,
        report: &mut Erased,
    ) -> Result<(), ErasureError> {
        let requesters: Vec<RequesterId> = work.names.iter().cloned().collect();
        let at: Vec<Address> = work.addresses.iter().cloned().collect();
        if let Some(adapter) = self.adapters.get(&work.channel) {
            let shelf = supervisor::inbox(self, &work.channel).shelf();
            for name in &requesters {
                let user = name.as_str().split_once(':').map_or("", |(_, user)| user);
                let user = RemoteUserId(user.to_owned());
                // The bytes first: once the adapter has forgotten, nobody knows which they were.
                for file in adapter.handed_in(&shelf, &user, &at).await? {
                    self.blobs.remove(file.as_str()).await?;
                    work.files += 1;
                }
                report.stays.extend(adapter.forget(&shelf, &user, &at).await?);
            }
        }
        let quarantine = self.quarantined(&work.channel, &requesters, &at).await?;
        let kept = self.strangers(&requesters).await?;
        let gone = Forgotten { requesters, quarantine, kept, ..Forgotten::default() };
        self.writer.admin(Admin::Forget(gone)).await?;
        Ok(())
    }

    /// Where they spoke beside others' requests, as people name these.
    async fn spoke_in(&self, names: &BTreeSet<RequesterId>) -> Result<Vec<String>, StoreError> {
        let mut all = BTreeSet::new();
        for name in names {
            all.extend(self.read.spoke_in(name).await?);
        }
        Ok(all.into_iter().map(|id| format!("#{}", id.0)).collect())
    }

    /// Those that are erased already have another requester.
    async fn conversations_of(&self, requester: &RequesterId) -> Result<Vec<Conversation>, StoreError> {
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let filter = ConversationFilter {
                requester: Some(requester.0.clone()),
                before,
                limit: PAGE,
                ..ConversationFilter::default()
            };
            let page = self.read.conversations(&filter).await?;
            let Some(last) = page.last() else { return Ok(all) };
            before = Some(last.id);
            all.extend(page.into_iter().filter(|conversation| !conversation.is_erased()));
        }
    }

    /// What is kept of those who said that they are nobody who works here.
    async fn strangers(&self, requesters: &[RequesterId]) -> Result<Vec<(String, String)>, StoreError> {
        let mut kept = Vec::new();
        for name in requesters {
            let row = self.read.kept_one(KeptRow::IDENTITY, "", name.as_str()).await?;
            let said = row.and_then(|row| serde_json::from_str::<Said>(row.value.as_deref()?).ok());
            if said.is_some_and(|said| !said.is_me) {
                kept.push((KeptRow::IDENTITY.to_owned(), name.0.clone()));
            }
        }
        Ok(kept)
    }

    /// Again and again the same: an erased one only loses what came late.
    async fn erase_conversation(
        &self,
        id: ConversationId,
        work: &mut Work,
        report: &mut Erased,
    ) -> Result<(), ErasureError> {
        let Some(before) = self.read.conversation(id).await? else { return Ok(()) };
        report.notes_ticket(&before, self.tickets.as_ref());
        let deliveries = self.read.deliveries(id).await?;
        report.notes_deliveries(&before, &deliveries);
        if !before.is_erased() {
            let messages = self.all_messages(id).await?;
            let mut files: BTreeSet<String> = messages.iter().flat_map(files_of).collect();
            files.extend(self.read.blobs_of(id).await?.into_iter().map(|row| row.id));
            self.remove(&files).await?;
            let apply = Apply {
                cause: Cause::Console(format!("erasure:{}:{}", work.once, id.0)),
                target: Target::Conversation(id),
                at: self.now(),
                body: EventBody::Erased {
                    by: work.by.clone(),
                    messages: messages.iter().filter(|row| is_shown_by_us(row)).map(|row| row.id).collect(),
                    relayed: relayed(&before, &messages, &deliveries),
                },
                content: None,
                refs: Refs::default(),
                guard: None,
            };
            self.applied(apply).await?;
            messages.iter().for_each(|row| self.board.forget_message(row.id));
            work.erased += 1;
            work.messages += messages.len();
            work.files += files.len();
        }
        // What was copied meanwhile; from now on nothing is (the store refuses it).
        let late: BTreeSet<String> = self.read.blobs_of(id).await?.into_iter().map(|row| row.id).collect();
        self.remove(&late).await?;
        work.files += late.len();
        let after = self.read.conversation(id).await?.unwrap_or(before);
        self.scrub_log(&after).await?;
        let kept = KEPT.iter().map(|kind| ((*kind).to_owned(), id.0.to_string())).collect();
        self.writer.admin(Admin::Forget(Forgotten { kept, ..Forgotten::default() })).await?;
        Ok(())
    }

    /// The bytes first: as long as the rows are there, it is known what is to be removed.
    async fn remove(&self, files: &BTreeSet<String>) -> Result<(), ErasureError> {
        if files.is_empty() {
            return Ok(());
        }
        for file in files {
            self.blobs.remove(file).await?;
        }
        let blobs = files.iter().cloned().collect();
        self.writer.admin(Admin::Forget(Forgotten { blobs, ..Forgotten::default() })).await?;
        Ok(())
    }

    async fn applied(&self, apply: Apply) -> Result<(), StoreError> {
        let mut conflicts = 0;
        loop {
            match self.writer.apply(apply.clone()).await {
                Ok(Applied::Done { conversation, .. }) => {
                    self.board.learn(conversation);
                    return Ok(());
                }
                Ok(Applied::Duplicate | Applied::Ignored | Applied::Refused | Applied::Unknown) => {
                    return Ok(());
                }
                Err(StoreError::Conflict(_)) if conflicts < CONFLICTS => conflicts += 1,
                Err(error) => return Err(error),
            }
        }
    }

    async fn all_messages(&self, id: ConversationId) -> Result<Vec<MessageRow>, StoreError> {
        let mut all: Vec<MessageRow> = Vec::new();
        loop {
            let from = all.last().map_or(0, |row| row.id.seq + 1);
            // A page may end amid an event's messages; those come again with the next one.
            let page = self.read.messages(id, from, true, PAGE).await?;
            let whole = page.len() < PAGE as usize;
            all.extend(page);
            if whole {
                return Ok(all);
            }
            let last = all.last().map_or(0, |row| row.id.seq);
            if all.first().is_some_and(|row| row.id.seq < last) {
                all.retain(|row| row.id.seq < last);
            }
        }
    }
}

/// Desk rooms show it, and nobody of the desk wrote it there.
fn is_shown_by_us(row: &MessageRow) -> bool {
    match row.author {
        // Also what was deleted: that may have been under way, and was cancelled with the rest.
        Author::Requester(_) | Author::Bystander { .. } | Author::Assistant => true,
        // What was said to the requester alone is on no desk.
        Author::Desk => row.audience != Audience::Requester,
        Author::Technician(_) | Author::Outsider => false,
    }
}

/// What people of the desk wrote, in the rooms where the bridge posted it for them.
fn relayed(
    conversation: &Conversation,
    messages: &[MessageRow],
    deliveries: &[OutboxRow],
) -> Vec<(SessionId, MessageId)> {
    let desks: BTreeSet<SessionId> = conversation.desk_sessions().map(|session| session.id).collect();
    let by_people = messages.iter().filter(|row| match row.author {
        Author::Technician(_) | Author::Outsider => true,
        Author::Requester(_) | Author::Bystander { .. } | Author::Assistant | Author::Desk => false,
    });
    let by_people: BTreeSet<MessageId> = by_people.map(|row| row.id).collect();
    let posted = deliveries.iter().filter(|row| row.state != DeliveryState::Cancelled);
    let posted = posted.filter_map(|row| match &row.effect {
        Effect::Deliver(delivery) => match delivery.op {
            DeliveryOp::Post { message }
                if desks.contains(&delivery.session) && by_people.contains(&message) =>
            {
                Some((delivery.session, message))
            }
            _ => None,
        },
        _ => None,
    });
    posted.collect::<BTreeSet<_>>().into_iter().collect()
}

fn files_of(row: &MessageRow) -> Vec<String> {
    let kept = row.content.attachments.iter().filter_map(|attachment| match &attachment.source {
        AttachmentSource::Blob { id, .. } => Some(id.0.clone()),
        AttachmentSource::Remote(_) | AttachmentSource::Missing { .. } => None,
    });
    kept.collect()
}

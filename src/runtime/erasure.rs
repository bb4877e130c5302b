//! Erasing a requester, wherever something of them is (S111, I17).
//!
//! Not here: what a conversation without its requester is (the core), which rows and bytes go (the store), what adapters
//! keep (each forgets for itself), who may ask for it (the API).
//!
//! The order makes it safe to be cut anywhere: first nothing old comes in any more, then the conversations one by one, each
//! with its files; who it was goes last, and as long as that is there it can be begun again.

use std::collections::BTreeSet;
use std::sync::Arc;

use deskbridge_contract::{Address, AttachmentSource, ChannelName, RemoteUserId, ShelfError};
use deskbridge_conversation::identity::Said;
use deskbridge_conversation::{
    Author, Conversation, ConversationId, EventBody, MessageId, Outcome, RequesterEvent, RequesterId,
    SessionId, SessionRole, TechnicianId, erasure,
};
use deskbridge_services::blobs::BlobError;
use deskbridge_store::read::ConversationFilter;
use deskbridge_store::rows::{KeptRow, LogRow, MessageRow};
use deskbridge_store::{Admin, Applied, Apply, Cause, Forgotten, Refs, StoreError, Target};

use super::{Bridge, supervisor};

/// Conversations, messages and events that are read at once.
const PAGE: u32 = 500;
/// Events in quarantine that are looked through.
const QUARANTINE: u32 = 100_000;
/// How often a conversation that another node holds is tried again.
const CONFLICTS: u32 = 5;
/// What is kept with a conversation beside it: kind and, as key, its number.
const KEPT: [&str; 1] = [KeptRow::DRAFT];

/// What was erased, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Erased {
    pub conversations: usize,
    pub messages: usize,
    pub files: usize,
    /// What was deleted is overwritten in the database's files, too. False: somebody read from them all the time, and the
    /// next time somebody is erased it is tried again.
    pub overwritten: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErasureError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    #[error("a file could not be removed: {0}")]
    Blob(#[from] BlobError),
}

impl Bridge {
    /// `None`: nobody is known by this name. `once` tells one request from another; the same one again goes on where it was cut.
    pub async fn erase(
        self: &Arc<Self>,
        requester: &RequesterId,
        by: Option<&TechnicianId>,
        once: &str,
    ) -> Result<Option<Erased>, ErasureError> {
        let Some((channel, user)) = requester.as_str().split_once(':') else { return Ok(None) };
        let (channel, user) = (ChannelName(channel.to_owned()), RemoteUserId(user.to_owned()));
        let first = self.conversations_of(requester).await?;
        let adapter = self.adapters.get(&channel).cloned();
        let shelf = supervisor::inbox(self, &channel).shelf();
        let also = match &adapter {
            Some(adapter) => adapter.also_at(&shelf, &user).await?,
            None => Vec::new(),
        };
        if first.is_empty() && also.is_empty() && self.read.requester(requester).await?.is_none() {
            return Ok(None);
        }
        let mut person = Person::new(requester.clone());
        for conversation in first {
            person.has(&conversation);
        }
        person.addresses.extend(also.iter().cloned());
        for at in &also {
            for id in self.read.conversations_at(&at.key()).await? {
                if let Some(conversation) = self.read.conversation(id).await?.filter(|c| !c.is_erased()) {
                    person.has(&conversation);
                }
            }
        }
        let requesters: Vec<RequesterId> = person.names.iter().cloned().collect();
        self.writer.admin(Admin::Bury { requesters: requesters.clone() }).await?;
        let mut erased = Erased::default();
        // What came in while they were read is theirs as well.
        for name in &requesters {
            for conversation in self.conversations_of(name).await? {
                person.has(&conversation);
            }
        }
        for id in &person.conversations {
            self.erase_conversation(*id, by, once, &mut erased).await?;
        }
        let at: Vec<Address> = person.addresses.into_iter().collect();
        if let Some(adapter) = &adapter {
            for name in &requesters {
                let user = name.as_str().split_once(':').map_or("", |(_, user)| user);
                for file in adapter.forget(&shelf, &RemoteUserId(user.to_owned()), &at).await? {
                    self.blobs.remove(file.as_str()).await?;
                    erased.files += 1;
                }
            }
        }
        let quarantine = self.quarantined(&channel, &requesters, &at).await?;
        let kept = self.strangers(&requesters).await?;
        self.writer
            .admin(Admin::Forget(Forgotten { requesters, quarantine, kept, ..Forgotten::default() }))
            .await?;
        erased.overwritten = match self.writer.scrub().await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "erased, but the database's files were not overwritten");
                false
            }
        };
        tracing::info!(conversations = erased.conversations, files = erased.files, "a requester was erased");
        Ok(Some(erased))
    }

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
            all.extend(page);
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

    async fn erase_conversation(
        &self,
        id: ConversationId,
        by: Option<&TechnicianId>,
        once: &str,
        erased: &mut Erased,
    ) -> Result<(), ErasureError> {
        let Some(before) = self.read.conversation(id).await? else { return Ok(()) };
        let messages = self.all_messages(id).await?;
        let shown = |row: &&MessageRow| {
            !row.deleted && matches!(row.author, Author::Requester(_) | Author::Assistant)
        };
        let shown: Vec<MessageId> = messages.iter().filter(shown).map(|row| row.id).collect();
        let mut files: BTreeSet<String> = messages.iter().flat_map(files_of).collect();
        files.extend(self.read.blobs_of(id).await?.into_iter().map(|row| row.id));
        self.remove(&files).await?;
        self.scrub_log(&before, 0).await?;
        let seq = before.seq;
        let apply = Apply {
            cause: Cause::Console(format!("{once}:erase:{}:{seq}", id.0)),
            target: Target::Conversation(id),
            at: self.now(),
            body: EventBody::Erased { by: by.cloned(), messages: shown },
            content: None,
            refs: Refs::default(),
            guard: None,
        };
        self.applied(apply).await?;
        // What was copied meanwhile; from now on nothing is (the store refuses it).
        let late: BTreeSet<String> = self.read.blobs_of(id).await?.into_iter().map(|row| row.id).collect();
        self.remove(&late).await?;
        files.extend(late);
        // And what was logged.
        self.scrub_log(&before, seq + 1).await?;
        let kept = KEPT.iter().map(|kind| ((*kind).to_owned(), id.0.to_string())).collect();
        self.writer.admin(Admin::Forget(Forgotten { kept, ..Forgotten::default() })).await?;
        messages.iter().for_each(|row| self.board.forget_message(row.id));
        erased.conversations += 1;
        erased.messages += messages.len();
        erased.files += files.len();
        Ok(())
    }

    /// The bytes first: as long as the rows are there, it is known what is to be removed.
    async fn remove(&self, files: &BTreeSet<String>) -> Result<(), ErasureError> {
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

    /// Blanks in the log what says where somebody was, or a word of theirs.
    async fn scrub_log(&self, of: &Conversation, from: u64) -> Result<(), StoreError> {
        let mut from = from;
        loop {
            let page = self.read.log(of.id, from, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            from = last.seq + 1;
            let log: Vec<LogRow> = page.into_iter().filter_map(|row| scrubbed(of, row)).collect();
            if !log.is_empty() {
                self.writer.admin(Admin::Forget(Forgotten { log, ..Forgotten::default() })).await?;
            }
        }
    }

    /// Unreadable events that name the person or a place of theirs.
    async fn quarantined(
        &self,
        channel: &ChannelName,
        requesters: &[RequesterId],
        at: &[Address],
    ) -> Result<Vec<i64>, StoreError> {
        let users = requesters.iter().filter_map(|name| name.as_str().split_once(':')).map(|(_, user)| user);
        let rooms = at.iter().flat_map(|at| {
            [Some(at.room.as_str()), at.thread.as_ref().map(|thread| thread.as_str())].into_iter().flatten()
        });
        let words: BTreeSet<&str> = users.chain(rooms).filter(|word| !word.is_empty()).collect();
        let rows = self.read.quarantine(QUARANTINE).await?;
        let theirs = rows.iter().filter(|row| row.channel == *channel);
        Ok(theirs.filter(|row| words.iter().any(|word| names(&row.raw, word))).map(|row| row.id).collect())
    }
}

/// Everything by which a person is known here.
struct Person {
    names: BTreeSet<RequesterId>,
    conversations: BTreeSet<ConversationId>,
    addresses: BTreeSet<Address>,
}

impl Person {
    fn new(name: RequesterId) -> Person {
        Person { names: BTreeSet::from([name]), conversations: BTreeSet::new(), addresses: BTreeSet::new() }
    }

    fn has(&mut self, conversation: &Conversation) {
        self.names.insert(conversation.requester.id.clone());
        self.conversations.insert(conversation.id);
        let own = conversation.sessions.iter().filter(|session| match session.role {
            SessionRole::Requester { .. } => true,
            SessionRole::Desk { .. } => false,
        });
        self.addresses.extend(own.map(|session| session.address.clone()));
    }
}

fn files_of(row: &MessageRow) -> Vec<String> {
    let kept = row.content.attachments.iter().filter_map(|attachment| match &attachment.source {
        AttachmentSource::Blob { id, .. } => Some(id.0.clone()),
        AttachmentSource::Remote(_) | AttachmentSource::Missing { .. } => None,
    });
    kept.collect()
}

/// As a word of its own: `17` does not name whom `1723` does.
fn names(raw: &[u8], word: &str) -> bool {
    let word = word.as_bytes();
    let inside = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    raw.windows(word.len()).enumerate().any(|(at, window)| {
        window == word
            && !inside(at.checked_sub(1).and_then(|at| raw.get(at)))
            && !inside(raw.get(at + word.len()))
    })
}

/// The row as it may stay, when it may not stay as it is.
fn scrubbed(of: &Conversation, mut row: LogRow) -> Option<LogRow> {
    let place = |session| {
        let session = of.session(session)?;
        matches!(session.role, SessionRole::Requester { .. }).then(|| erasure::nowhere(of.id, session))
    };
    let before = row.event.body.clone();
    let body = &mut row.event.body;
    erasure::without_words(body);
    let (session, at) = match body {
        EventBody::Requester { session, what: RequesterEvent::RoomMoved { to } } => (*session, Some(to)),
        EventBody::Delivery(delivery) => match &mut delivery.outcome {
            Outcome::Sent { address: to, .. } | Outcome::Moved { to } => (delivery.session, Some(to)),
            Outcome::Failed { .. }
            | Outcome::Unknown { .. }
            | Outcome::Gone { .. }
            | Outcome::ThreadGone { .. } => (delivery.session, None),
        },
        EventBody::Requester { session, .. } => (*session, None),
        EventBody::Desk { .. }
        | EventBody::Assistant(_)
        | EventBody::Roster(_)
        | EventBody::Ticket(_)
        | EventBody::Timer { .. }
        | EventBody::Erased { .. } => (SessionId(0), None),
    };
    if let (Some(at), Some(nowhere)) = (at, place(session)) {
        *at = nowhere;
    }
    (row.event.body != before).then_some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_words() {
        for (raw, word, is) in [
            (r#"{"from":{"id":17},"text":"x"}"#, "17", true),
            (r#"{"from":{"id":1723}}"#, "17", false),
            (r#"{"user":"U1ANA"}"#, "U1ANA", true),
            (r#"{"user":"XU1ANA"}"#, "U1ANA", false),
            ("17", "17", true),
            ("", "17", false),
        ] {
            assert_eq!(names(raw.as_bytes(), word), is, "{raw} {word}");
        }
    }
}

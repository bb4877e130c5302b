//! Copies attachments into our own blobs, once, whoever needs them first. Files are never hot-linked.
//!
//! Not here: where the bytes are kept (services/blobs).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Duration;

use deskbridge_contract::{Adapter, Attachment, AttachmentSource, BlobId, Content, RemoteFileId, SendError};
use deskbridge_conversation::policy::ALBUM_OPEN;
use deskbridge_conversation::{Conversation, DeliveryOp, MessageId};
use deskbridge_services::blobs::{BlobError, Stored};
use deskbridge_store::rows::{BlobRow, MessageRow};
use deskbridge_store::{Admin, AdminDone, Change, Committed, Forgotten, StoreError};
use tokio::sync::Mutex as AsyncMutex;

use super::Bridge;

/// Largest file that is copied, bytes.
pub const MAX_FILE: u64 = 50 << 20;
/// A whole copy may take this long; a requester's text must not wait for a dying download (F37).
const COPY_LIMIT: Duration = Duration::from_secs(60);
/// How often a download is tried again that may go better then; pauses grow fourfold: 1, 4, 16 s.
const TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Why a file did not come, and whether and after which time it may.
struct Unfetched {
    why: String,
    again: Option<Duration>,
}

fn unfetched(error: SendError) -> Unfetched {
    match error {
        SendError::Retry { after, why } => Unfetched { why, again: Some(after.unwrap_or_default()) },
        SendError::Ambiguous { why } => Unfetched { why, again: Some(Duration::ZERO) },
        SendError::Rejected { why, .. }
        | SendError::Unauthorized { why }
        | SendError::Gone { why }
        | SendError::ThreadGone { why } => Unfetched { why, again: None },
        SendError::Moved { .. } => Unfetched { why: error.to_string(), again: None },
    }
}

/// One lock per message being copied.
static COPYING: LazyLock<Mutex<HashMap<MessageId, Weak<AsyncMutex<()>>>>> = LazyLock::new(Mutex::default);

fn lock_of(id: MessageId) -> Arc<AsyncMutex<()>> {
    let mut copying = COPYING.lock().unwrap_or_else(PoisonError::into_inner);
    copying.retain(|_, lock| lock.strong_count() > 0);
    if let Some(lock) = copying.get(&id).and_then(Weak::upgrade) {
        return lock;
    }
    let lock = Arc::new(AsyncMutex::new(()));
    copying.insert(id, Arc::downgrade(&lock));
    lock
}

fn is_remote(row: &MessageRow) -> bool {
    row.content.attachments.iter().any(|a| matches!(a.source, AttachmentSource::Remote(_)))
}

fn erased() -> AttachmentSource {
    AttachmentSource::Missing { why: "erased".to_owned() }
}

/// Nobody is left who could fetch it: the channel is not configured any more, or the thread is gone.
fn nowhere(attachment: &mut Attachment) {
    if matches!(attachment.source, AttachmentSource::Remote(_)) {
        let why = "the channel or thread that it came from is gone".to_owned();
        attachment.source = AttachmentSource::Missing { why };
    }
}

/// Messages that are being copied for nobody in particular, so that a page that asks often starts one copy.
static UNDER_WAY: LazyLock<Mutex<HashSet<MessageId>>> = LazyLock::new(Mutex::default);

/// The place of one of them, which it leaves however the copy ends.
struct UnderWay(MessageId);

impl UnderWay {
    /// `None`: it is under way already.
    fn enter(id: MessageId) -> Option<UnderWay> {
        let entered = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        // Made only when it was entered: dropped, it would leave for another, and wait for the lock.
        entered.then(|| UnderWay(id))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

impl Bridge {
    /// Copies a message's files in the background: a platform's own address may not last, and the console shows copies
    /// only. What a crash interrupts is copied when somebody looks at the message.
    pub fn copy_soon(self: &Arc<Self>, conversation: &Conversation, row: &MessageRow) {
        if !is_remote(row) || row.deleted || self.stop.is_cancelled() {
            return;
        }
        let Some(under_way) = UnderWay::enter(row.id) else { return };
        let (bridge, conversation, row) = (self.clone(), conversation.clone(), Arc::new(row.clone()));
        self.tasks.spawn(async move {
            let id = row.id;
            let copied = tokio::select! {
                copied = bridge.with_files(&conversation, row) => copied,
                () = bridge.stop.cancelled() => return,
            };
            drop(under_way);
            match copied {
                // What still waits for its files would be asked for again by every page that is told.
                Ok(copied) if is_remote(&copied) => {}
                Ok(_) => bridge.tell_of_files(conversation, id).await,
                Err(error) => tracing::warn!(%error, message = %id, "files could not be copied yet"),
            }
        });
    }

    /// Pages that show the message read it again.
    async fn tell_of_files(&self, conversation: Conversation, id: MessageId) {
        let latest = self.read.conversation(conversation.id).await.ok().flatten();
        let conversation = Arc::new(latest.unwrap_or(conversation));
        let change = Change {
            before: Some(conversation.stage_name()),
            conversation,
            wake_at: None,
            now: self.now(),
            messages: Vec::new(),
            enqueued: Vec::new(),
            outbox_touched: false,
            edited: vec![id],
        };
        self.bus.publish(Arc::new(Committed { changes: vec![change], roster: false }));
    }

    /// The message with every attachment copied, or said to be missing. The stored message is replaced with it.
    pub async fn with_files(
        &self,
        conversation: &Conversation,
        row: Arc<MessageRow>,
    ) -> Result<Arc<MessageRow>, StoreError> {
        if !is_remote(&row) {
            return Ok(row);
        }
        self.until_whole(&row).await;
        let lock = lock_of(row.id);
        let _copying = lock.lock().await;
        self.board.forget_message(row.id);
        let Some(row) = self.read.message(row.id).await? else { return Ok(row) };
        if !is_remote(&row) {
            return Ok(Arc::new(row));
        }
        let origin = self.origin(conversation, row.id).await?;
        let mut attachments = row.content.attachments.clone();
        for attachment in &mut attachments {
            match &origin {
                Some(adapter) => self.copy(conversation, adapter, attachment).await?,
                None => nowhere(attachment),
            }
        }
        // A copy takes its time: the words may have been edited meanwhile, and the newer ones stay. Were the files changed
        // as well, the next look copies those.
        let replace = Admin::ReplaceAttachments {
            message: row.id,
            from: row.content.attachments.clone(),
            to: attachments.clone(),
        };
        self.writer.admin(replace).await?;
        self.board.forget_message(row.id);
        let latest = self.read.message(row.id).await?.unwrap_or(row);
        Ok(Arc::new(MessageRow { content: Content { attachments, ..latest.content }, ..latest }))
    }

    /// While further parts of an album may join a message, its files are not replaced.
    async fn until_whole(&self, row: &MessageRow) {
        let Some(since) = row.content.album.as_ref().and_then(|album| album.since) else { return };
        let left = (since + ALBUM_OPEN).since(self.now());
        if !left.is_zero() {
            // One more moment for what was committed in the last one.
            tokio::time::sleep(left + Duration::from_millis(100)).await;
        }
    }

    /// What a post had to leave out, for its author: "without a.txt: the download took too long".
    pub async fn missing_files(&self, op: &DeliveryOp) -> Result<Option<String>, StoreError> {
        let DeliveryOp::Post { message } = op else { return Ok(None) };
        let Some(row) = self.stored(*message).await? else { return Ok(None) };
        let missing: Vec<String> = row
            .content
            .attachments
            .iter()
            .filter_map(|attachment| match &attachment.source {
                AttachmentSource::Missing { why } => {
                    Some(format!("{}: {why}", super::compose::file_name(&attachment.name)))
                }
                AttachmentSource::Remote(_) | AttachmentSource::Blob { .. } => None,
            })
            .collect();
        Ok((!missing.is_empty()).then(|| format!("without {}", missing.join(", "))))
    }

    /// The channel that a message was written on: the one session that has a link to it before anything was relayed.
    async fn origin(
        &self,
        conversation: &Conversation,
        id: MessageId,
    ) -> Result<Option<Arc<dyn Adapter>>, StoreError> {
        for session in &conversation.sessions {
            if !self.links(conversation, session, Some(id)).await?.is_empty() {
                return Ok(self.adapters.get(&session.address.channel).cloned());
            }
        }
        Ok(None)
    }

    async fn fetch(
        &self,
        adapter: &Arc<dyn Adapter>,
        attachment: &Attachment,
        file: &RemoteFileId,
        id: BlobId,
    ) -> Result<Stored, Unfetched> {
        let bytes = adapter.fetch(file).await.map_err(unfetched)?;
        let stored = self.blobs.put_as(id, &attachment.name, &attachment.mime, bytes, MAX_FILE).await;
        stored.map_err(|error| match error {
            BlobError::TooLarge { max } => {
                Unfetched { why: format!("larger than {} MB", max >> 20), again: None }
            }
            BlobError::Source(error) => unfetched(error),
            // The disk did not take them.
            other => Unfetched { why: other.to_string(), again: Some(Duration::ZERO) },
        })
    }

    /// Again, where it may go better then. `Err`: why it did not come.
    async fn fetch_patiently(
        &self,
        adapter: &Arc<dyn Adapter>,
        attachment: &Attachment,
        file: &RemoteFileId,
        id: &BlobId,
    ) -> Result<Stored, String> {
        let fetched = async {
            let mut tries = 0;
            loop {
                match self.fetch(adapter, attachment, file, id.clone()).await {
                    Err(Unfetched { why, again: Some(after) }) if tries < TRIES => {
                        tries += 1;
                        tracing::debug!(why, tries, "a file could not be fetched; once more soon");
                        tokio::time::sleep(after.max(FIRST_PAUSE * (1 << (2 * (tries - 1))))).await;
                    }
                    Err(Unfetched { why, .. }) => return Err(why),
                    Ok(stored) => return Ok(stored),
                }
            }
        };
        let fetched = tokio::time::timeout(COPY_LIMIT, fetched).await;
        fetched.unwrap_or_else(|_| Err("the download took too long".to_owned()))
    }

    async fn copy(
        &self,
        conversation: &Conversation,
        adapter: &Arc<dyn Adapter>,
        attachment: &mut Attachment,
    ) -> Result<(), StoreError> {
        let AttachmentSource::Remote(file) = attachment.source.clone() else { return Ok(()) };
        let id = match self.blobs.reserve().await {
            Ok(id) => id,
            Err(error) => {
                attachment.source = AttachmentSource::Missing { why: error.to_string() };
                return Ok(());
            }
        };
        // The row before the bytes: of whatever a crash leaves on the disk it is known whose it is.
        let row = BlobRow {
            id: id.0.clone(),
            conversation: Some(conversation.id),
            name: attachment.name.clone(),
            mime: attachment.mime.clone(),
            size: 0,
            sha256: String::new(),
            created: self.now(),
        };
        if self.writer.admin(Admin::PutBlob(row.clone())).await? == AdminDone::Unknown {
            attachment.source = erased();
            return Ok(());
        }
        let stored = match self.fetch_patiently(adapter, attachment, &file, &id).await {
            Ok(stored) => stored,
            Err(why) => {
                let gone = Forgotten { blobs: vec![row.id], ..Forgotten::default() };
                self.writer.admin(Admin::Forget(gone)).await?;
                attachment.source = AttachmentSource::Missing { why };
                return Ok(());
            }
        };
        let blob =
            BlobRow { mime: stored.mime.clone(), size: stored.size, sha256: stored.sha256.clone(), ..row };
        if self.writer.admin(Admin::PutBlob(blob)).await? == AdminDone::Unknown {
            // Whose file it was is erased meanwhile.
            let _ = self.blobs.remove(stored.id.as_str()).await;
            attachment.source = erased();
            return Ok(());
        }
        attachment.size = stored.size;
        attachment.mime = stored.mime;
        attachment.source = AttachmentSource::Blob { id: stored.id, sha256: stored.sha256 };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use deskbridge_conversation::ConversationId;

    use super::*;

    /// Asked for while it is under way, it is neither begun twice nor forgotten, and nobody waits.
    #[test]
    fn one_copy_at_a_time() {
        let id = MessageId { conversation: ConversationId(i64::MAX), seq: 1, n: 0 };
        let first = UnderWay::enter(id);
        assert!(first.is_some() && UnderWay::enter(id).is_none() && UnderWay::enter(id).is_none());
        drop(first);
        assert!(UnderWay::enter(id).is_some());
    }
}

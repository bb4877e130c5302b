//! Attachment bytes, copied from wherever they came from and kept under random names.
//!
//! Not here: which message a blob belongs to (the store's `blobs` rows), how bytes are served (the API, the adapters).

mod kind;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::DirBuilder;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use deskbridge_contract::{BlobId, ByteStream, SendError};
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Location;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use sha2::{Digest, Sha256};

/// What is held in memory of one upload before it goes to the disk, in bytes.
const PART: usize = 1 << 20;
/// What the type is recognised by, in bytes; office documents show themselves late.
const HEAD: usize = 8 << 10;

/// A folder of attachment bytes. A clone is the same one.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    folder: Arc<Path>,
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blobs").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// What was kept. All of it was measured here; nothing is taken from what the sender said but a type that the bytes
/// do not contradict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// 32 hexadecimal digits.
    pub id: BlobId,
    /// Bytes.
    pub size: u64,
    /// Hexadecimal.
    pub sha256: String,
    pub mime: String,
}

/// Classed by what the caller does next. In none of these cases anything is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// The sender is told the limit.
    #[error("larger than {max} bytes")]
    TooLarge { max: u64 },
    /// The bytes could not be had; as the adapter said.
    #[error("{0}")]
    Source(#[from] SendError),
    /// No such blob, or not a name of one.
    #[error("no such file")]
    NotFound,
    /// The disk: a person has to look.
    #[error("the file store failed: {0}")]
    Storage(String),
}

impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => BlobError::NotFound,
            // Paths stay out of messages that people may see.
            object_store::Error::Generic { source, .. } => BlobError::Storage(kind_of(source.as_ref())),
            other => BlobError::Storage(kind_of(&other)),
        }
    }
}

/// The operating system's reason alone: "No space left on device".
fn kind_of(error: &(dyn std::error::Error + 'static)) -> String {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return io.kind().to_string();
        }
        next = error.source();
    }
    "unexpected answer".to_owned()
}

impl Blobs {
    /// Opens the folder, and makes it (readable by us alone) when it is not there. Blocks on the disk; call it at start.
    pub fn open(dir: &Path) -> Result<Blobs, BlobError> {
        let made = private_folder(dir).map_err(|e| BlobError::Storage(e.kind().to_string()));
        made?;
        // The row that names a blob survives a power cut, so the bytes must too.
        let store = LocalFileSystem::new_with_prefix(dir)?.with_fsync(true);
        Ok(Blobs { store: Arc::new(store), folder: dir.into() })
    }

    /// Copies a file piece by piece. `name` and `declared_mime` are the sender's words: they only help to name the type
    /// of what the bytes themselves do not show. Dropping the future, or an error, leaves nothing behind.
    pub async fn put(
        &self,
        name: &str,
        declared_mime: &str,
        bytes: ByteStream,
        max: u64,
    ) -> Result<Stored, BlobError> {
        let id = self.reserve().await?;
        self.put_as(id, name, declared_mime, bytes, max).await
    }

    /// As [`Blobs::put`], under an id of [`Blobs::reserve`] that nothing is kept under yet.
    pub async fn put_as(
        &self,
        id: BlobId,
        name: &str,
        declared_mime: &str,
        bytes: ByteStream,
        max: u64,
    ) -> Result<Stored, BlobError> {
        let mut upload = self.store.put_multipart(&location(&id)?).await?;
        match copy(upload.as_mut(), bytes, max).await {
            Ok(copied) => {
                upload.complete().await?;
                let mime = kind::of(&copied.head, declared_mime, name);
                Ok(Stored { id, size: copied.size, sha256: hex::encode(copied.digest), mime })
            }
            Err(error) => {
                // What cannot be removed now is an unnamed leftover; the reason why the copy failed matters more.
                let _ = upload.abort().await;
                Err(error)
            }
        }
    }

    /// The bytes, in order. Ids come from outside too: anything but 32 hexadecimal digits is no blob.
    pub async fn get(&self, id: &str) -> Result<ByteStream, BlobError> {
        let found = self.store.get(&location(&BlobId(id.to_owned()))?).await?;
        let bytes = found.into_stream().map_err(|error| {
            let why = BlobError::from(error).to_string();
            SendError::Retry { after: None, why }
        });
        Ok(bytes.boxed())
    }

    /// Removes the bytes; it is no error when they are gone already.
    pub async fn remove(&self, id: &str) -> Result<(), BlobError> {
        match self.store.delete(&location(&BlobId(id.to_owned()))?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// An id for a file that is still to come: whoever writes it down first knows of the bytes whatever happens.
    pub async fn reserve(&self) -> Result<BlobId, BlobError> {
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random).map_err(|e| BlobError::Storage(e.to_string()))?;
        let id = hex::encode(random);
        // The store would make the missing sub-folder readable by everybody.
        let folder = self.folder.join(&id[..2]);
        let made = tokio::task::spawn_blocking(move || private_folder(&folder)).await;
        made.map_err(|e| BlobError::Storage(e.to_string()))?
            .map_err(|e| BlobError::Storage(e.kind().to_string()))?;
        Ok(BlobId(id))
    }
}

fn private_folder(dir: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// `ab/abcdef…`: a folder of a million files is slow to list.
fn location(id: &BlobId) -> Result<Location, BlobError> {
    let id = id.as_str();
    let is_id = id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_id {
        return Err(BlobError::NotFound);
    }
    Location::parse(format!("{}/{id}", &id[..2])).map_err(|_| BlobError::NotFound)
}

struct Copied {
    size: u64,
    digest: [u8; 32],
    head: Vec<u8>,
}

async fn copy(
    upload: &mut dyn MultipartUpload,
    mut bytes: ByteStream,
    max: u64,
) -> Result<Copied, BlobError> {
    let mut size = 0_u64;
    let mut hash = Sha256::new();
    let mut head = Vec::new();
    let mut waiting: Vec<Bytes> = Vec::new();
    let mut held = 0;
    while let Some(piece) = bytes.next().await {
        let piece = piece?;
        size = size.saturating_add(piece.len() as u64);
        if size > max {
            return Err(BlobError::TooLarge { max });
        }
        hash.update(&piece);
        head.extend_from_slice(&piece[..piece.len().min(HEAD.saturating_sub(head.len()))]);
        held += piece.len();
        waiting.push(piece);
        if held >= PART {
            upload.put_part(waiting.drain(..).collect::<PutPayload>()).await?;
            held = 0;
        }
    }
    if held > 0 {
        upload.put_part(waiting.into_iter().collect::<PutPayload>()).await?;
    }
    Ok(Copied { size, digest: hash.finalize().into(), head })
}

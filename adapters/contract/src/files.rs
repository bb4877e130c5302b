//! Where an adapter keeps files that people hand to it directly, and reads those it shows.
//!
//! Not here: files that a platform holds for us ([`crate::Adapter::fetch`]).

use async_trait::async_trait;

use crate::adapter::ByteStream;
use crate::address::BlobId;
use crate::error::SendError;

/// What was kept of an upload. All of it was measured, nothing taken from what the sender said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    pub id: BlobId,
    /// Bytes.
    pub size: u64,
    /// As the bytes themselves show it.
    pub mime: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("larger than {max} bytes")]
    TooLarge { max: u64 },
    #[error("the file could not be read: {0}")]
    Source(String),
    #[error("the file store is unavailable: {0}")]
    Unavailable(String),
}

/// The host's store of attachment bytes.
#[async_trait]
pub trait FileStore: Send + Sync {
    /// Copies a file piece by piece; nothing is left behind when the future is dropped.
    async fn put(
        &self,
        name: &str,
        declared: &str,
        bytes: ByteStream,
        max: u64,
    ) -> Result<StoredFile, FileError>;

    /// The bytes of a file that [`crate::OutboundFile::blob`] or `put` named.
    async fn open(&self, id: &BlobId) -> Result<ByteStream, SendError>;
}

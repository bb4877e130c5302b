//! Files that people hand to an adapter directly, kept among the blobs.
//!
//! Not here: files of messages (`attachments`), which are copied from here when somebody needs them.

use std::sync::Arc;

use async_trait::async_trait;
use deskbridge_contract::{BlobId, ByteStream, FileError, FileStore, SendError, StoredFile};
use deskbridge_services::blobs::BlobError;

use super::Bridge;

pub struct Uploads {
    pub bridge: Arc<Bridge>,
}

#[async_trait]
impl FileStore for Uploads {
    async fn put(
        &self,
        name: &str,
        declared: &str,
        bytes: ByteStream,
        max: u64,
    ) -> Result<StoredFile, FileError> {
        let stored =
            self.bridge.blobs.put(name, declared, bytes, max).await.map_err(|error| match error {
                BlobError::TooLarge { max } => FileError::TooLarge { max },
                BlobError::Source(why) => FileError::Source(why.to_string()),
                BlobError::NotFound | BlobError::Storage(_) => FileError::Unavailable(error.to_string()),
            })?;
        Ok(StoredFile { id: stored.id, size: stored.size, mime: stored.mime })
    }

    async fn open(&self, id: &BlobId) -> Result<ByteStream, SendError> {
        self.bridge.blobs.get(id.as_str()).await.map_err(|error| match error {
            BlobError::NotFound => SendError::rejected("no such file"),
            BlobError::TooLarge { .. } | BlobError::Source(_) | BlobError::Storage(_) => {
                SendError::Retry { after: None, why: error.to_string() }
            }
        })
    }
}

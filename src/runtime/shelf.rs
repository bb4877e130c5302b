//! The adapters' shelf, kept in the store.
//!
//! Not here: what adapters put there.

use std::sync::Arc;

use async_trait::async_trait;
use deskbridge_contract::{ChannelName, ShelfError, ShelfStore};
use deskbridge_store::writer::Writer;
use deskbridge_store::{Admin, AdminDone, Read};

pub struct StoreShelf {
    pub writer: Writer,
    pub read: Arc<dyn Read>,
}

#[async_trait]
impl ShelfStore for StoreShelf {
    async fn get(&self, channel: &ChannelName, key: &str) -> Result<Option<String>, ShelfError> {
        self.read.shelf(channel, key).await.map_err(|e| ShelfError(e.to_string()))
    }

    async fn get_many(
        &self,
        channel: &ChannelName,
        keys: &[String],
    ) -> Result<Vec<Option<String>>, ShelfError> {
        let mut found = self.read.shelf_many(channel, keys).await.map_err(|e| ShelfError(e.to_string()))?;
        Ok(keys.iter().map(|key| found.remove(key)).collect())
    }

    async fn put(&self, channel: &ChannelName, key: &str, value: &str) -> Result<(), ShelfError> {
        let put = Admin::PutShelf { channel: channel.clone(), key: key.to_owned(), value: value.to_owned() };
        self.writer.admin(put).await.map(|_| ()).map_err(|e| ShelfError(e.to_string()))
    }

    async fn compare_and_swap(
        &self,
        channel: &ChannelName,
        key: &str,
        expected: Option<&str>,
        value: &str,
    ) -> Result<bool, ShelfError> {
        let swap = Admin::SwapShelf {
            channel: channel.clone(),
            key: key.to_owned(),
            expected: expected.map(str::to_owned),
            value: value.to_owned(),
        };
        match self.writer.admin(swap).await {
            Ok(done) => Ok(done == AdminDone::Done),
            Err(error) => Err(ShelfError(error.to_string())),
        }
    }

    async fn delete(&self, channel: &ChannelName, keys: &[String]) -> Result<(), ShelfError> {
        let drop = Admin::DropShelf { channel: channel.clone(), keys: keys.to_vec() };
        self.writer.admin(drop).await.map(|_| ()).map_err(|e| ShelfError(e.to_string()))
    }

    async fn find(&self, channel: &ChannelName, prefix: &str, word: &str) -> Result<Vec<String>, ShelfError> {
        self.read.shelf_find(channel, prefix, word).await.map_err(|e| ShelfError(e.to_string()))
    }
}

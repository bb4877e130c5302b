//! What adapters keep, for checks that look at it beside a bridge that runs: read, and never written.
//!
//! Not here: what is kept, and what it means (the adapters).

use std::sync::Arc;

use async_trait::async_trait;
use deskbridge_contract::{ChannelName, ShelfError, ShelfStore};
use deskbridge_store::{Read, StoreError};

use crate::cli::setting;
use crate::config::Config;

/// `None` where the database cannot be looked into; that is told by its own checks.
pub async fn store(config: &Config) -> Option<Arc<dyn ShelfStore>> {
    let (read, _) = setting::look(config).await.ok()?;
    Some(Arc::new(Kept(read)))
}

struct Kept(Arc<dyn Read>);

fn told(error: &StoreError) -> ShelfError {
    ShelfError(error.to_string())
}

fn only_read<T>() -> Result<T, ShelfError> {
    Err(ShelfError("checks write nothing".to_owned()))
}

#[async_trait]
impl ShelfStore for Kept {
    async fn get(&self, channel: &ChannelName, key: &str) -> Result<Option<String>, ShelfError> {
        self.0.shelf(channel, key).await.map_err(|error| told(&error))
    }

    async fn put(&self, _channel: &ChannelName, _key: &str, _value: &str) -> Result<(), ShelfError> {
        only_read()
    }

    async fn delete(&self, _channel: &ChannelName, _keys: &[String]) -> Result<(), ShelfError> {
        only_read()
    }

    async fn find(&self, channel: &ChannelName, prefix: &str, word: &str) -> Result<Vec<String>, ShelfError> {
        self.0.shelf_find(channel, prefix, word).await.map_err(|error| told(&error))
    }
}

//! An adapter's shelf: its small durable memory, which every process of a store shares.
//!
//! Not here: where it is kept (the host).

use std::sync::Arc;

use async_trait::async_trait;

use crate::address::ChannelName;
use crate::time::Timestamp;

/// An adapter's small durable memory: cursors, tokens, references (D36).
#[async_trait]
pub trait ShelfStore: Send + Sync {
    async fn get(&self, channel: &ChannelName, key: &str) -> Result<Option<String>, ShelfError>;
    async fn put(&self, channel: &ChannelName, key: &str, value: &str) -> Result<(), ShelfError>;
    /// Removes values for good; it is no fault when there are none.
    async fn delete(&self, channel: &ChannelName, keys: &[String]) -> Result<(), ShelfError>;
    /// Keys that begin with `prefix` and whose value contains `word`. Looks at every one of them: for rare questions.
    async fn find(&self, channel: &ChannelName, prefix: &str, word: &str) -> Result<Vec<String>, ShelfError>;

    /// Writes `value` where the key's value is `expected` (`None`: there is none), in one step over every process of the
    /// store; false: it is another, and nothing is written.
    async fn compare_and_swap(
        &self,
        _channel: &ChannelName,
        _key: &str,
        _expected: Option<&str>,
        _value: &str,
    ) -> Result<bool, ShelfError> {
        Err(ShelfError("this shelf cannot compare and swap".to_owned()))
    }

    /// Several values at once, one for each key and in their order. Stores answer it with one look.
    async fn get_many(
        &self,
        channel: &ChannelName,
        keys: &[String],
    ) -> Result<Vec<Option<String>>, ShelfError> {
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            values.push(self.get(channel, key).await?);
        }
        Ok(values)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store is unavailable: {0}")]
pub struct ShelfError(pub String);

/// The adapter's view of its shelf.
#[derive(Clone)]
pub struct Shelf {
    channel: ChannelName,
    store: Arc<dyn ShelfStore>,
}

impl Shelf {
    /// A channel's part of a store.
    pub fn new(channel: ChannelName, store: Arc<dyn ShelfStore>) -> Shelf {
        Shelf { channel, store }
    }

    /// A key that begins like this holds a secret: it is in no export.
    pub const SECRET: &'static str = "secret:";

    pub async fn get(&self, key: &str) -> Result<Option<String>, ShelfError> {
        self.store.get(&self.channel, key).await
    }
    pub async fn put(&self, key: &str, value: &str) -> Result<(), ShelfError> {
        self.store.put(&self.channel, key, value).await
    }
    pub async fn delete(&self, keys: &[String]) -> Result<(), ShelfError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.store.delete(&self.channel, keys).await
    }
    /// Keys that begin with `prefix` and whose value contains `word`; looks at all of them.
    pub async fn find(&self, prefix: &str, word: &str) -> Result<Vec<String>, ShelfError> {
        self.store.find(&self.channel, prefix, word).await
    }
    pub async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<String>>, ShelfError> {
        self.store.get_many(&self.channel, keys).await
    }

    /// See [`ShelfStore::compare_and_swap`].
    pub async fn compare_and_swap(
        &self,
        key: &str,
        expected: Option<&str>,
        value: &str,
    ) -> Result<bool, ShelfError> {
        self.store.compare_and_swap(&self.channel, key, expected, value).await
    }

    /// Takes, or prolongs, the right to do something that only one process of the store may do at a time. True: until
    /// `until` it is this holder's, as far as the clocks of the processes agree. Whoever does not come back loses it then.
    pub async fn lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, ShelfError> {
        let key = lease_key(name);
        let held = self.get(&key).await?;
        let others = held.as_deref().and_then(Lease::read).is_some_and(|lease| lease.binds(holder, now));
        if others {
            return Ok(false);
        }
        self.compare_and_swap(&key, held.as_deref(), &Lease { until, holder }.written()).await
    }

    /// Gives a lease back before its time. Nothing happens where it is somebody else's by now.
    pub async fn release(&self, name: &str, holder: &str) -> Result<(), ShelfError> {
        let key = lease_key(name);
        let Some(held) = self.get(&key).await? else { return Ok(()) };
        if Lease::read(&held).is_some_and(|lease| lease.holder == holder) {
            let free = Lease { until: Timestamp::EPOCH, holder }.written();
            self.compare_and_swap(&key, Some(&held), &free).await?;
        }
        Ok(())
    }
}

fn lease_key(name: &str) -> String {
    format!("lease:{name}")
}

/// `<microseconds> <holder>`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lease<'a> {
    until: Timestamp,
    holder: &'a str,
}

impl<'a> Lease<'a> {
    /// `None`: not written by us; it binds nobody.
    fn read(text: &'a str) -> Option<Lease<'a>> {
        let (until, holder) = text.split_once(' ')?;
        Some(Lease { until: Timestamp(until.parse().ok()?), holder })
    }

    fn written(self) -> String {
        format!("{} {}", self.until.0, self.holder)
    }

    fn binds(self, other: &str, now: Timestamp) -> bool {
        self.holder != other && self.until > now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_binds_others_until_its_end() {
        let lease = Lease { until: Timestamp(10), holder: "a b" };
        let text = lease.written();
        assert_eq!(Lease::read(&text), Some(lease));
        assert!(lease.binds("c", Timestamp(9)));
        assert!(!lease.binds("a b", Timestamp(9)) && !lease.binds("c", Timestamp(10)));
        for odd in ["", "x", "x y", "99999999999999999999 a"] {
            assert_eq!(Lease::read(odd), None, "{odd}");
        }
    }
}

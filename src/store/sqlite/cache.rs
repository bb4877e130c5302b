//! Hot conversations in memory: on SQLite the backend is the only writer, so what it wrote last is what is stored.
//!
//! Not here: when it must be forgotten (a failed commit; `sqlite.rs`).

use std::collections::HashMap;
use std::sync::Arc;

use deskbridge_conversation::{Conversation, ConversationId};

/// Conversations kept; some 2 KB each.
const MOST: usize = 20_000;

#[derive(Debug, Default)]
pub(super) struct Cache {
    entries: HashMap<ConversationId, Entry>,
    /// Counts uses; the entries with the lowest numbers go first.
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    state: Arc<Conversation>,
    used: u64,
}

impl Cache {
    pub(super) fn put(&mut self, state: Arc<Conversation>) {
        self.clock += 1;
        self.entries.insert(state.id, Entry { state, used: self.clock });
        if self.entries.len() > MOST {
            self.forget_oldest();
        }
    }

    /// A look that counts as use.
    pub(super) fn get(&mut self, id: ConversationId) -> Option<&Arc<Conversation>> {
        self.clock += 1;
        let entry = self.entries.get_mut(&id)?;
        entry.used = self.clock;
        Some(&entry.state)
    }

    pub(super) fn peek(&self, id: ConversationId) -> Option<&Conversation> {
        self.entries.get(&id).map(|entry| &*entry.state)
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// A quarter at once, so that a full cache is not sorted at every insert.
    fn forget_oldest(&mut self) {
        let mut used: Vec<u64> = self.entries.values().map(|entry| entry.used).collect();
        let (_, limit, _) = used.select_nth_unstable(MOST / 4);
        let limit = *limit;
        self.entries.retain(|_, entry| entry.used > limit);
    }
}

#[cfg(test)]
mod tests {
    use deskbridge_contract::{Address, ChannelName, Timestamp};
    use deskbridge_conversation::{QueueId, Requester, RequesterId};

    use super::*;

    fn conversation(id: i64) -> Arc<Conversation> {
        let requester = Requester {
            id: RequesterId("sim:1".into()),
            name: "Ana".into(),
            language: "en".into(),
            picture: None,
            away: false,
        };
        let address = Address::room(&ChannelName("sim".into()), "1");
        let queue = QueueId("default".into());
        Arc::new(Conversation::open(ConversationId(id), requester, address, queue, 0, Timestamp(0)))
    }

    #[test]
    fn the_least_used_go_first() {
        let mut cache = Cache::default();
        for id in 0..i64::try_from(MOST).unwrap() {
            cache.put(conversation(id));
        }
        assert!(cache.get(ConversationId(0)).is_some());
        cache.put(conversation(-1));
        assert!(cache.entries.len() <= MOST);
        assert!(cache.peek(ConversationId(0)).is_some() && cache.peek(ConversationId(-1)).is_some());
        assert!(cache.peek(ConversationId(1)).is_none());
    }
}

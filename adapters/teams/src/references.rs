//! What must be known of a conversation to write to it: the server, and whether the bot is still there. Kept on the shelf.
//!
//! Not here: what is written. "Send proactive messages": the service address may change and is taken from every activity.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use deskbridge_contract::{Address, RoomId, Shelf, ShelfError};
use serde::{Deserialize, Serialize};

use crate::ids;

/// Rooms that are remembered in memory; all others are looked up again.
const MOST: usize = 20_000;
/// The server that was heard of last, for rooms that never were.
const LATEST: &str = "service";
/// Whose a thread is.
const CALLED: &str = "requester";
const OURS: &str = "desk";
/// That words in a channel come in without a call.
const READS: &str = "reads";

/// One conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reference {
    pub service: String,
    /// The app was removed there: what is sent would be answered 200 and be seen by nobody (T53).
    #[serde(default)]
    pub removed: bool,
}

#[derive(Default)]
struct Inner {
    shelf: Option<Shelf>,
    rooms: HashMap<RoomId, Reference>,
    latest: Option<String>,
    users: HashMap<String, String>,
    /// Threads in which somebody called the bot, outside of desks.
    called: HashMap<String, bool>,
    reads: Option<bool>,
}

#[derive(Default)]
pub(crate) struct References(RwLock<Inner>);

fn room_key(room: &RoomId) -> String {
    format!("room:{room}")
}

fn user_key(user: &str) -> String {
    format!("user:{user}")
}

impl References {
    pub(crate) fn open(&self, shelf: Shelf) {
        self.write(|inner| inner.shelf = Some(shelf));
    }

    pub(crate) fn shelf(&self) -> Option<Shelf> {
        self.read(|inner| inner.shelf.clone())
    }

    fn write<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if inner.rooms.len() > MOST {
            inner.rooms.clear();
        }
        if inner.users.len() > MOST {
            inner.users.clear();
        }
        if inner.called.len() > MOST {
            inner.called.clear();
        }
        change(&mut inner)
    }

    fn read<T>(&self, look: impl FnOnce(&Inner) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn recall(&self, key: &str) -> Result<Option<String>, ShelfError> {
        match self.read(|inner| inner.shelf.clone()) {
            Some(shelf) => shelf.get(key).await,
            None => Ok(None),
        }
    }

    async fn keep(&self, key: &str, value: &str) -> Result<(), ShelfError> {
        match self.read(|inner| inner.shelf.clone()) {
            Some(shelf) => shelf.put(key, value).await,
            None => Ok(()),
        }
    }

    /// What is known of a room.
    pub(crate) async fn room(&self, room: &RoomId) -> Result<Option<Reference>, ShelfError> {
        if let Some(known) = self.read(|inner| inner.rooms.get(room).cloned()) {
            return Ok(Some(known));
        }
        let Some(text) = self.recall(&room_key(room)).await? else { return Ok(None) };
        let known: Option<Reference> = serde_json::from_str(&text).ok();
        if let Some(known) = &known {
            self.write(|inner| inner.rooms.insert(room.clone(), known.clone()));
        }
        Ok(known)
    }

    /// An activity came from there. Written only when it is news.
    pub(crate) async fn heard(&self, room: &RoomId, service: &str, removed: bool) -> Result<(), ShelfError> {
        let now = Reference { service: service.to_owned(), removed };
        if self.room(room).await?.as_ref() != Some(&now) {
            let text = serde_json::to_string(&now).unwrap_or_default();
            self.keep(&room_key(room), &text).await?;
            self.write(|inner| inner.rooms.insert(room.clone(), now));
        }
        if self.read(|inner| inner.latest.as_deref() != Some(service)) {
            self.keep(LATEST, service).await?;
            self.write(|inner| inner.latest = Some(service.to_owned()));
        }
        Ok(())
    }

    /// The server that was heard of last.
    pub(crate) async fn latest(&self) -> Result<Option<String>, ShelfError> {
        if let Some(known) = self.read(|inner| inner.latest.clone()) {
            return Ok(Some(known));
        }
        let known = self.recall(LATEST).await?;
        self.write(|inner| inner.latest.clone_from(&known));
        Ok(known)
    }

    /// The bot's own name for a person whom the directory knows by `user`.
    pub(crate) async fn met(&self, user: &str, id: &str) -> Result<(), ShelfError> {
        if user == id || self.read(|inner| inner.users.get(user).is_some_and(|known| known == id)) {
            return Ok(());
        }
        if self.recall(&user_key(user)).await?.as_deref() != Some(id) {
            self.keep(&user_key(user), id).await?;
        }
        self.write(|inner| inner.users.insert(user.to_owned(), id.to_owned()));
        Ok(())
    }

    pub(crate) async fn person(&self, user: &str) -> Result<String, ShelfError> {
        if let Some(known) = self.read(|inner| inner.users.get(user).cloned()) {
            return Ok(known);
        }
        Ok(self.recall(&user_key(user)).await?.unwrap_or_else(|| user.to_owned()))
    }

    /// Nothing of a person stays: the bot's name for them, and where their chats are. `at`: where they had conversations.
    pub(crate) async fn forget(&self, shelf: &Shelf, user: &str, at: &[Address]) -> Result<(), ShelfError> {
        let chats = at.iter().filter(|at| ids::kind(at.room.as_str()) == ids::Kind::Personal);
        let mut keys: Vec<String> = chats.map(|at| room_key(&at.room)).collect();
        keys.extend(at.iter().map(|at| format!("called:{}", at.key())));
        keys.push(user_key(user));
        shelf.delete(&keys).await?;
        self.write(|inner| {
            inner.users.remove(user);
            at.iter().for_each(|at| drop(inner.rooms.remove(&at.room)));
            inner.called.retain(|thread, _| !keys.contains(&format!("called:{thread}")));
        });
        Ok(())
    }

    /// From now on a thread is a conversation of a requester, also after a restart; but not one that we opened.
    pub(crate) async fn call(&self, thread: &str) -> Result<(), ShelfError> {
        let key = format!("called:{thread}");
        if !self.was_called(thread).await? && self.recall(&key).await?.is_none() {
            self.keep(&key, CALLED).await?;
            self.write(|inner| inner.called.insert(thread.to_owned(), true));
        }
        Ok(())
    }

    /// A thread that we opened in a desk: a call for the bot in it is no request.
    pub(crate) async fn opened(&self, thread: &str) -> Result<(), ShelfError> {
        self.keep(&format!("called:{thread}"), OURS).await?;
        self.write(|inner| inner.called.insert(thread.to_owned(), false));
        Ok(())
    }

    /// Whether we opened it in a desk.
    pub(crate) async fn is_ours(&self, thread: &str) -> Result<bool, ShelfError> {
        Ok(self.recall(&format!("called:{thread}")).await?.as_deref() == Some(OURS))
    }

    pub(crate) async fn was_called(&self, thread: &str) -> Result<bool, ShelfError> {
        if let Some(known) = self.read(|inner| inner.called.get(thread).copied()) {
            return Ok(known);
        }
        let known = self.recall(&format!("called:{thread}")).await?.as_deref() == Some(CALLED);
        self.write(|inner| inner.called.insert(thread.to_owned(), known));
        Ok(known)
    }

    /// Something was said in a channel without a call of the bot, and came in: the app may read it (RSC).
    pub(crate) async fn overheard(&self) -> Result<(), ShelfError> {
        if !self.reads().await? {
            self.keep(READS, "1").await?;
            self.write(|inner| inner.reads = Some(true));
        }
        Ok(())
    }

    /// Whether that has happened ever; Teams does not say which rights it gave.
    pub(crate) async fn reads(&self) -> Result<bool, ShelfError> {
        if let Some(known) = self.read(|inner| inner.reads) {
            return Ok(known);
        }
        let known = self.recall(READS).await?.is_some();
        self.write(|inner| inner.reads = Some(known));
        Ok(known)
    }

    /// As far as it is known in memory; receiving looks it up first.
    pub(crate) fn holds_call(&self, thread: &str) -> bool {
        self.read(|inner| inner.called.get(thread).copied().unwrap_or(false))
    }
}

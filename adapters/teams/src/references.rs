//! What must be known of a conversation to write to it: the server, and whether the bot is still there. Kept on the shelf.
//!
//! Not here: what is written. "Send proactive messages": the service address may change and is taken from every activity.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use deskbridge_contract::{Address, RoomId, Shelf, ShelfError, Timestamp};
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
/// In microseconds.
const DAY: i64 = 24 * 3600 * 1_000_000;

/// One conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reference {
    pub service: String,
    /// The team that a channel is of; the app is installed in a team as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[serde(flatten)]
    pub standing: Standing,
}

/// Whether the app is installed: what is sent where it was removed is answered 200 and seen by nobody (T53).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    #[serde(default)]
    pub removed: bool,
    /// When it was said, by the platform's clock: what is older and comes late, or once more, changes nothing.
    #[serde(default, skip_serializing_if = "is_epoch")]
    since: i64,
}

fn is_epoch(at: &i64) -> bool {
    *at == 0
}

/// What an activity says of the app's being installed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing by itself; but where something comes from, the app is.
    #[default]
    None,
    Added,
    Removed,
}

impl Standing {
    fn after(self, change: Change, at: Timestamp) -> Standing {
        let news = at.0 > self.since;
        match change {
            Change::Removed if news => Standing { removed: true, since: at.0 },
            Change::Added if news => Standing { removed: false, since: at.0 },
            Change::None if news && self.removed => Standing { removed: false, since: at.0 },
            _ => self,
        }
    }
}

/// What is known by an activity of the place that it came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sign<'a> {
    pub service: &'a str,
    pub team: Option<&'a str>,
    pub change: Change,
    /// The platform's time.
    pub at: Timestamp,
}

#[derive(Default)]
struct Inner {
    shelf: Option<Shelf>,
    rooms: HashMap<RoomId, Reference>,
    teams: HashMap<String, Standing>,
    latest: Option<String>,
    users: HashMap<String, String>,
    /// People's own chats with the bot.
    chats: HashMap<String, RoomId>,
    /// Threads in which somebody called the bot, outside of desks.
    called: HashMap<String, bool>,
    reads: Option<bool>,
    /// When words without a call came in last, by the key of the team.
    heard: HashMap<String, Timestamp>,
}

#[derive(Default)]
pub(crate) struct References {
    inner: RwLock<Inner>,
    /// Changes of teams one after another: their channels have lanes of their own.
    changing: tokio::sync::Mutex<()>,
}

fn room_key(room: &RoomId) -> String {
    format!("room:{room}")
}

fn team_key(team: &str) -> String {
    format!("team:{team}")
}

fn chat_key(user: &str) -> String {
    format!("chat:{user}")
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
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if inner.rooms.len() > MOST {
            inner.rooms.clear();
        }
        if inner.teams.len() > MOST {
            inner.teams.clear();
        }
        if inner.users.len() > MOST {
            inner.users.clear();
        }
        if inner.chats.len() > MOST {
            inner.chats.clear();
        }
        if inner.called.len() > MOST {
            inner.called.clear();
        }
        if inner.heard.len() > MOST {
            inner.heard.clear();
        }
        change(&mut inner)
    }

    fn read<T>(&self, look: impl FnOnce(&Inner) -> T) -> T {
        look(&self.inner.read().unwrap_or_else(PoisonError::into_inner))
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
    pub(crate) async fn heard(&self, room: &RoomId, sign: Sign<'_>) -> Result<(), ShelfError> {
        let known = self.room(room).await?;
        let was = known.clone().unwrap_or_default();
        let mut now = Reference { service: sign.service.to_owned(), ..was };
        if ids::kind(room.as_str()) == ids::Kind::Channel {
            now.team = sign.team.map(str::to_owned).or(now.team);
            // An event of the team as a whole comes from its first channel, which has the team's own id.
            let team = now.team.clone().unwrap_or_else(|| room.to_string());
            self.changed(&team, sign.change, sign.at).await?;
            now.standing = Standing::default();
        } else {
            now.standing = now.standing.after(sign.change, sign.at);
        }
        if known.as_ref() != Some(&now) {
            let text = serde_json::to_string(&now).unwrap_or_default();
            self.keep(&room_key(room), &text).await?;
            self.write(|inner| inner.rooms.insert(room.clone(), now));
        }
        let service = sign.service;
        if self.read(|inner| inner.latest.as_deref() != Some(service)) {
            self.keep(LATEST, service).await?;
            self.write(|inner| inner.latest = Some(service.to_owned()));
        }
        Ok(())
    }

    async fn changed(&self, team: &str, change: Change, at: Timestamp) -> Result<(), ShelfError> {
        let was = self.team(team).await?;
        if was.after(change, at) == was {
            return Ok(());
        }
        let _alone = self.changing.lock().await;
        let now = self.team(team).await?.after(change, at);
        self.keep(&team_key(team), &serde_json::to_string(&now).unwrap_or_default()).await?;
        self.write(|inner| inner.teams.insert(team.to_owned(), now));
        Ok(())
    }

    async fn team(&self, team: &str) -> Result<Standing, ShelfError> {
        if let Some(known) = self.read(|inner| inner.teams.get(team).copied()) {
            return Ok(known);
        }
        let kept = self.recall(&team_key(team)).await?;
        let known: Standing = kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        self.write(|inner| inner.teams.insert(team.to_owned(), known));
        Ok(known)
    }

    /// Whether the app was removed there, or from the team that it is a channel of.
    pub(crate) async fn is_removed(&self, room: &RoomId) -> Result<bool, ShelfError> {
        let known = self.room(room).await?.unwrap_or_default();
        if ids::kind(room.as_str()) != ids::Kind::Channel {
            return Ok(known.standing.removed);
        }
        // One of earlier versions knows no team, and was marked itself.
        let team = known.team.as_deref().unwrap_or(room.as_str());
        Ok(known.standing.removed || self.team(team).await?.removed)
    }

    /// The same as far as it is known in memory.
    pub(crate) fn holds_removed(&self, room: &RoomId) -> bool {
        self.read(|inner| {
            let known = inner.rooms.get(room);
            let team = known.and_then(|known| known.team.as_deref()).unwrap_or(room.as_str());
            known.is_some_and(|known| known.standing.removed)
                || inner.teams.get(team).is_some_and(|team| team.removed)
        })
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

    /// A person's own chat with the bot, which is always the same one.
    pub(crate) async fn in_chat(&self, user: &str, room: &RoomId) -> Result<(), ShelfError> {
        if self.chat(user).await?.as_ref() != Some(room) {
            self.keep(&chat_key(user), room.as_str()).await?;
            self.write(|inner| inner.chats.insert(user.to_owned(), room.clone()));
        }
        Ok(())
    }

    pub(crate) async fn chat(&self, user: &str) -> Result<Option<RoomId>, ShelfError> {
        if let Some(known) = self.read(|inner| inner.chats.get(user).cloned()) {
            return Ok(Some(known));
        }
        let Some(known) = self.recall(&chat_key(user)).await?.map(RoomId) else { return Ok(None) };
        self.write(|inner| inner.chats.insert(user.to_owned(), known.clone()));
        Ok(Some(known))
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
        keys.extend([user_key(user), chat_key(user)]);
        shelf.delete(&keys).await?;
        self.write(|inner| {
            inner.users.remove(user);
            inner.chats.remove(user);
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

    /// Something was said in a channel without a call of the bot, and came in: the app may read it (RSC). `at`: the
    /// platform's time; of each team it is kept on which day that was last.
    pub(crate) async fn overheard(&self, room: &RoomId, at: Timestamp) -> Result<(), ShelfError> {
        if !self.reads().await? {
            self.keep(READS, "1").await?;
            self.write(|inner| inner.reads = Some(true));
        }
        let key = self.heard_key(room).await?;
        let known = self.read(|inner| inner.heard.get(&key).copied());
        if known.is_none_or(|known| at.0.saturating_sub(known.0) >= DAY) {
            self.keep(&key, &at.0.to_string()).await?;
            self.write(|inner| inner.heard.insert(key, at));
        }
        Ok(())
    }

    /// When that was last, within a day, in the team of a room.
    pub(crate) async fn overheard_at(&self, room: &RoomId) -> Result<Option<Timestamp>, ShelfError> {
        let kept = self.recall(&self.heard_key(room).await?).await?;
        Ok(kept.and_then(|text| text.parse().ok()).map(Timestamp))
    }

    /// The right is a team's.
    async fn heard_key(&self, room: &RoomId) -> Result<String, ShelfError> {
        let known = self.room(room).await?;
        let team = known.and_then(|known| known.team).unwrap_or_else(|| room.to_string());
        Ok(format!("{READS}:{team}"))
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

//! The cards of conversations in a desk's channel, beyond the words of each: who sees a view of their own, and the
//! status line that stands for marks, which bots cannot set on messages (D21).
//!
//! Not here: how a card looks (`cards.rs`).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deskbridge_contract::{
    Action, Address, Card, Mark, RemoteMessageId, RemoteUserId, RoomId, SendError, Sent, Timestamp,
};
use reqwest::Method;
use serde_json::Value;

use crate::cards::{self, Extras};
use crate::translate::{list, text};
use crate::{Teams, ids};

/// "User Specific Views": at most so many people have one.
pub(crate) const MOST_VIEWERS: usize = 60;
/// Members that are looked at; the Connector gives so many in one page.
const MOST_MEMBERS: usize = 500;
/// Who is in a channel is asked again after this; and sooner where it could not be had.
const KNOWN: Duration = Duration::from_secs(600);
const UNKNOWN: Duration = Duration::from_secs(60);
/// Longest wait for them: a card goes without, and somebody may be waiting for theirs.
const PATIENCE: Duration = Duration::from_secs(2);
/// Cards that are remembered; a mark on an older one waits for its next change.
const MOST_CARDS: usize = 2000;

#[derive(Default)]
struct Shown {
    card: Option<(Card, Vec<Action>)>,
    mark: Option<Mark>,
}

struct Viewers {
    users: Vec<String>,
    until: Timestamp,
}

#[derive(Default)]
struct Inner {
    shown: HashMap<String, Shown>,
    viewers: HashMap<RoomId, Viewers>,
}

#[derive(Default)]
pub(crate) struct Boards(Mutex<Inner>);

impl Boards {
    fn with<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.shown.len() > MOST_CARDS {
            inner.shown.clear();
        }
        if inner.viewers.len() > MOST_CARDS {
            inner.viewers.clear();
        }
        look(&mut inner)
    }

    /// The card of a thread is this now; the line under it stays.
    pub(crate) fn keep(&self, thread: &Address, card: &Card, actions: &[Action]) {
        let card = Some((card.clone(), actions.to_vec()));
        self.with(|inner| inner.shown.entry(thread.key()).or_default().card = card);
    }

    pub(crate) fn mark(&self, thread: &Address) -> Option<Mark> {
        self.with(|inner| inner.shown.get(&thread.key()).and_then(|shown| shown.mark))
    }
}

/// The line that stands for a mark on the latest message of a technician.
pub(crate) fn line(mark: Mark) -> &'static str {
    match mark {
        Mark::Delivered => "📨 The latest reply was delivered.",
        Mark::Seen => "👁️ The latest reply was seen.",
        Mark::Internal => "🔒 The latest message was kept internal.",
        Mark::Held => "⏳ The latest reply is held for a moment; undo takes it back.",
        Mark::Failed => "⚠️ The latest reply was not delivered; the reason is in the thread.",
    }
}

impl Teams {
    /// The card as an attachment, with all that a channel shows of it.
    pub(crate) async fn drawn(&self, at: &Address, card: &Card, actions: &[Action]) -> Value {
        let viewers = self.viewers(&at.room).await;
        let line = self.boards.mark(at).map(line);
        cards::conversation(card, actions, &Extras { viewers: &viewers, line, may_write: true })
    }

    /// A mark is a line on the root card of the thread.
    pub(crate) async fn mark(&self, at: &Address, mark: Mark) -> Result<Sent, SendError> {
        let Some(root) = at.thread.as_ref().map(|root| RemoteMessageId::new(root.as_str())) else {
            return Err(SendError::rejected("there is no card for a mark here"));
        };
        let known = self.boards.with(|inner| {
            let shown = inner.shown.entry(at.key()).or_default();
            shown.mark = Some(mark);
            shown.card.clone()
        });
        // It is on the card from its next change on; nothing of it was lost that could not be read in the thread.
        let Some((card, actions)) = known else { return Ok(Sent::at(at, None)) };
        self.edit_card(at, &root, &card, &actions).await?;
        Ok(Sent::at(at, None))
    }

    /// The technicians of a channel, by the names that the Connector has for them. Best effort: without it everybody sees
    /// the same card.
    async fn viewers(&self, room: &RoomId) -> Vec<String> {
        let now = (self.clock)();
        let known = self.boards.with(|inner| {
            let known = inner.viewers.get(room)?;
            (now < known.until).then(|| known.users.clone())
        });
        if let Some(users) = known {
            return users;
        }
        let asked = tokio::time::timeout(PATIENCE, self.technicians_of(room)).await;
        let asked =
            asked.unwrap_or_else(|_| Err(SendError::Retry { after: None, why: "no answer in time".into() }));
        let (users, lasts) = match asked {
            Ok(users) => (users, KNOWN),
            Err(error) => {
                tracing::debug!(channel = %self.channel, %error, "who is in a channel could not be asked");
                let old = self.boards.with(|inner| inner.viewers.get(room).map(|known| known.users.clone()));
                (old.unwrap_or_default(), UNKNOWN)
            }
        };
        let kept = Viewers { users: users.clone(), until: now + lasts };
        self.boards.with(|inner| inner.viewers.insert(room.clone(), kept));
        users
    }

    async fn technicians_of(&self, room: &RoomId) -> Result<Vec<String>, SendError> {
        let Some(inbox) = self.inbox() else { return Ok(Vec::new()) };
        let at = Address::room(&self.channel, room.as_str());
        let mut url = self.conversations(&at, &[&ids::conversation(&at), "pagedmembers"]).await?;
        url.query_pairs_mut().append_pair("pageSize", &MOST_MEMBERS.to_string());
        let page = self.api.call(Method::GET, url, None).await?;
        let mut users = Vec::new();
        for member in list(&page, "/members").iter().take(MOST_MEMBERS) {
            let directory = text(member, "/aadObjectId").or_else(|| text(member, "/objectId"));
            let (Some(id), Some(directory)) = (text(member, "/id"), directory) else { continue };
            if inbox.duty(&RemoteUserId::new(directory)).await.is_some() {
                users.push(id.to_owned());
            }
            if users.len() == MOST_VIEWERS {
                break;
            }
        }
        Ok(users)
    }

    /// The card as one person may see it; `None` where there is none for them.
    pub(crate) async fn personal(&self, at: &Address, reference: &str, user: &RemoteUserId) -> Option<Value> {
        let seen = self.inbox()?.personal_card(at, reference, user).await?;
        let viewers = self.viewers(&at.room).await;
        let line = self.boards.mark(at).map(line);
        let extras = Extras { viewers: &viewers, line, may_write: seen.may_write };
        Some(cards::conversation(&seen.card, &seen.actions, &extras)["content"].take())
    }
}

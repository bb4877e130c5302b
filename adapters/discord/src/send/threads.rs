//! Posts of a forum: opened with the card, named and tagged by their state, archived and locked when all is done.
//!
//! Not here: how title, card and tags look (`cards.rs`), which tags it has in the end (`tags.rs`), when a name may change
//! (`names.rs`).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deskbridge_contract::{
    Action, Address, Card, Content, DeliveryId, RemoteMessageId, SendError, Sent, ThreadTitle,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Author, Sending, plan, tags};
use crate::api::Fault;
use crate::cards;
use crate::ids::{self, Place};

/// Posts that are remembered.
const MOST: usize = 4096;
/// So long after a change of ours Discord may tell of it.
const ECHO: Duration = Duration::from_secs(30);
/// A week, in minutes: the longest there is ("Start Thread in Forum").
const AUTO_ARCHIVE: u64 = 10_080;

#[derive(Clone, Debug, Default)]
pub(super) struct Post {
    /// What its card said last.
    pub carded: Option<tags::Carded>,
    /// The tags as we last wished them, without other people's; `None`: not known.
    pub tags: Option<Vec<String>>,
    /// Of queues that it was in before, and whose tag it may have.
    pub left: Vec<String>,
    /// Its name; empty: not known.
    pub title: String,
    /// When we changed its name.
    pub renamed: VecDeque<Instant>,
    /// As we last wished it, or saw it; `None`: not known.
    closed: Option<bool>,
    /// Changes of ours of which Discord is about to tell, in their order.
    told_soon: VecDeque<(bool, Instant)>,
    /// This process knows which delivery opened it.
    known: bool,
}

#[derive(Default)]
pub(crate) struct Threads(Mutex<(HashMap<String, Post>, VecDeque<String>)>);

impl Threads {
    /// We are about to archive or open it: what Discord then tells is no news.
    pub(crate) fn expect(&self, thread: &str, closed: bool) {
        self.with(thread, |post| {
            post.closed = Some(closed);
            post.told_soon.push_back((closed, Instant::now()));
        });
    }

    /// Something was written: Discord opens a post that sleeps by itself.
    pub(crate) fn wrote(&self, thread: &str) {
        self.with(thread, |post| {
            if post.closed == Some(true) {
                post.told_soon.push_back((false, Instant::now()));
            }
        });
    }

    /// What Discord tells of a post; whether that changes it against what was known, and was not our doing.
    pub(crate) fn saw(&self, thread: &str, closed: bool) -> bool {
        self.with(thread, |post| {
            while post.told_soon.front().is_some_and(|(_, at)| at.elapsed() > ECHO) {
                post.told_soon.pop_front();
            }
            let ours = post.told_soon.iter().position(|(state, _)| *state == closed);
            if let Some(at) = ours {
                post.told_soon.drain(..=at);
                if post.told_soon.is_empty() {
                    post.closed = Some(closed);
                }
                return false;
            }
            let news = post.closed.is_some_and(|known| known != closed);
            post.closed = Some(closed);
            news
        })
    }

    /// Whether this process opened it, and was told so.
    pub(super) fn is_known(&self, thread: &str) -> bool {
        self.with(thread, |post| post.known)
    }

    pub(super) fn with<T>(&self, thread: &str, change: impl FnOnce(&mut Post) -> T) -> T {
        let mut inner = self.lock();
        let (posts, order) = &mut *inner;
        if !posts.contains_key(thread) {
            order.push_back(thread.to_owned());
            if order.len() > MOST
                && let Some(oldest) = order.pop_front()
            {
                posts.remove(&oldest);
            }
        }
        change(posts.entry(thread.to_owned()).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, (HashMap<String, Post>, VecDeque<String>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sending {
    /// The card is the first message, and its id is the post's.
    pub(super) async fn open_thread(
        &self,
        delivery: &DeliveryId,
        at: &Address,
        title: &ThreadTitle,
        card: &Card,
        actions: &[Action],
    ) -> Result<Sent, Fault> {
        let place = ids::place(at)?;
        if place.direct {
            return Err(SendError::rejected("a direct message has no posts").into());
        }
        let room = place.forum.unwrap_or(place.channel);
        let forum =
            self.forum(room).await.map_err(|fault| Fault { code: fault.code, error: fault.harmless() })?;
        let says = tags::Carded::of(card);
        let own = says.tags(card.state, &forum);
        let mut tags = own.clone();
        if tags.is_empty() && forum.needs_tag {
            tags.extend(forum.tags.first().map(|(_, id)| id.clone()));
        }
        let mut content = Content::default().with_actions(actions.to_vec());
        content.card = Some(Box::new(card.clone()));
        let mut message = plan::single(&content, None)?;
        if let Some(message) = message.as_object_mut() {
            message.remove("content");
        }
        let name = cards::title(title);
        let body = json!({
            "name": name, "auto_archive_duration": AUTO_ARCHIVE, "applied_tags": tags, "message": message,
        });
        let answer = self.api.post(format!("channels/{room}/threads"), body).await?;
        let id = answer["id"].as_str().filter(|id| ids::is_snowflake(id));
        let id = id.ok_or_else(|| SendError::Ambiguous { why: "Discord did not name the post".into() })?;
        self.forums.note(id, super::forums::Lies::In(room.to_owned()));
        self.authors.note(id, Author::Us);
        self.threads.with(id, |post| {
            post.closed = Some(false);
            post.title = name;
            post.tags = Some(own);
            post.known = true;
        });
        let place = Place { channel: id, forum: Some(room), direct: false };
        self.note_card(place, &content);
        self.remember(delivery, at, &[id.to_owned()]);
        let at = Address { thread: None, ..at.clone() }.thread(id);
        Ok(Sent::at(&at, Some(RemoteMessageId::from(id))))
    }

    pub(super) async fn set_thread(
        self: &Arc<Self>,
        at: &Address,
        title: &ThreadTitle,
        closed: bool,
    ) -> Result<Sent, Fault> {
        let place = ids::place(at)?;
        let Some(forum) = place.forum else {
            return Err(SendError::rejected("this address has no post").into());
        };
        let done = Sent::at(at, Some(RemoteMessageId::from(place.channel)));
        let known = self.threads.with(place.channel, |post| post.closed);
        // A post that is archived takes no change but to be opened.
        if known != Some(false) && !closed {
            self.shut(place, false).await?;
        }
        let later = self.name(place, forum, title).await?;
        self.tag(place, forum, title.state).await?;
        if closed && known != Some(true) {
            self.shut(place, true).await?;
        }
        let note = later.map(|wait| {
            format!(
                "its name changes in {} minutes: twice in ten is all that Discord takes",
                wait.as_secs().div_ceil(60)
            )
        });
        Ok(Sent { note, ..done })
    }

    async fn shut(&self, place: Place<'_>, closed: bool) -> Result<(), Fault> {
        let mut turn = self.shutting.queue(place.channel);
        turn.come().await;
        self.threads.expect(place.channel, closed);
        let body = json!({ "archived": closed, "locked": closed });
        self.api.patch(format!("channels/{}", place.channel), body).await.map(|_: Value| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_what_others_do_is_news() {
        let threads = Threads::default();
        assert!(!threads.saw("1", false), "nothing was known");
        // Opened for a word, and closed again: told later, in that order.
        threads.expect("1", false);
        threads.expect("1", true);
        assert!(!threads.saw("1", false));
        assert!(!threads.saw("1", true));
        assert!(threads.saw("1", false), "somebody opened it");
        assert!(!threads.saw("1", false));
        assert!(threads.saw("1", true), "somebody closed it");
        threads.wrote("1");
        assert!(!threads.saw("1", false), "it was opened by our own words");
        threads.expect("1", true);
        tokio::time::advance(ECHO * 2).await;
        assert!(threads.saw("1", false), "long after that");
    }
}

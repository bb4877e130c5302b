//! Posts of a forum: opened with the card, named and tagged by their state, archived and locked when all is done.
//!
//! Not here: how title, card and tags look (`cards.rs`).

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deskbridge_contract::{
    Action, Address, Card, CardState, Content, DeliveryId, RemoteMessageId, SendError, Sent, ThreadTitle,
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Author, Sending, plan};
use crate::api::{Call, Fault};
use crate::cards;
use crate::ids::{self, Place};

/// Posts that are remembered.
const MOST: usize = 4096;
/// Names of a channel may change twice in ten minutes.
const RENAMES: usize = 2;
const RENAME_WINDOW: Duration = Duration::from_secs(600);
/// So long after a change of ours Discord may tell of it.
const ECHO: Duration = Duration::from_secs(30);
/// A week, in minutes: the longest there is ("Start Thread in Forum").
const AUTO_ARCHIVE: u64 = 10_080;

#[derive(Clone, Debug, Default)]
struct Post {
    state: Option<CardState>,
    queue: Option<String>,
    priority: bool,
    title: String,
    renamed: VecDeque<Instant>,
    /// As we last wished it, or saw it; `None`: not known.
    closed: Option<bool>,
    /// The tags as we last set them.
    tags: Option<Vec<String>>,
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

    pub(crate) fn is_locked(&self, thread: &str) -> bool {
        self.with(thread, |post| post.closed == Some(true))
    }

    /// Whether this process opened it, and was told so.
    pub(super) fn is_known(&self, thread: &str) -> bool {
        self.with(thread, |post| post.known)
    }

    fn with<T>(&self, thread: &str, change: impl FnOnce(&mut Post) -> T) -> T {
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

fn fact<'c>(card: &'c Card, label: &str) -> Option<&'c str> {
    card.facts.iter().find(|fact| fact.label == label).map(|fact| fact.value.as_str())
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
        let (queue, priority) = (fact(card, "Queue"), fact(card, "Priority").is_some());
        let mut tags = cards::tags(card.state, queue, priority, &forum.tags);
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
            post.tags = Some(tags);
            post.known = true;
        });
        let place = Place { channel: id, forum: Some(room), direct: false };
        self.note_card(place, &content);
        self.remember(delivery, at, &[id.to_owned()]);
        let at = Address { thread: None, ..at.clone() }.thread(id);
        Ok(Sent::at(&at, Some(RemoteMessageId::from(id))))
    }

    /// What a card says of queue and priority becomes tags.
    pub(super) fn note_card(&self, place: Place<'_>, content: &Content) {
        if let (Some(card), Some(_)) = (&content.card, place.forum) {
            self.threads.with(place.channel, |post| {
                post.state = Some(card.state);
                post.queue = fact(card, "Queue").map(str::to_owned);
                post.priority = fact(card, "Priority").is_some();
            });
        }
    }

    /// Best effort: the card says it as well.
    pub(super) async fn retag(&self, place: Place<'_>, content: &Content) {
        let (Some(forum), Some(card)) = (place.forum, &content.card) else { return };
        let done = async {
            let Some(tags) = self.tags_for(place, forum, card.state).await? else { return Ok(()) };
            let body = json!({ "applied_tags": tags });
            let call = Call::new(Method::PATCH, format!("channels/{}", place.channel)).with(body);
            self.in_place(place, &call).await?;
            self.threads.with(place.channel, |post| post.tags = Some(tags));
            Ok::<(), Fault>(())
        };
        if let Err(fault) = done.await {
            tracing::debug!(channel = %self.api.channel(), error = %fault.error, "a post kept its tags");
        }
    }

    /// The tags as they should be; `None`: as they are. Other people's stay.
    async fn tags_for(
        &self,
        place: Place<'_>,
        forum: &str,
        state: CardState,
    ) -> Result<Option<Vec<String>>, Fault> {
        let forum = self.forum(forum).await?;
        let (queue, priority, set) =
            self.threads.with(place.channel, |post| (post.queue.clone(), post.priority, post.tags.clone()));
        let mut wanted = cards::tags(state, queue.as_deref(), priority, &forum.tags);
        let set = match set {
            Some(set) => set,
            None => {
                let thread = self.api.get(format!("channels/{}", place.channel), &[]).await?;
                let tags = thread["applied_tags"].as_array().into_iter().flatten();
                tags.filter_map(|tag| tag.as_str().map(str::to_owned)).collect()
            }
        };
        let others = set.iter().filter(|id| {
            let name = forum.tags.iter().find(|(_, known)| known == *id).map(|(name, _)| name.as_str());
            name.is_some_and(|name| !cards::is_ours(name))
        });
        for other in others {
            if !wanted.contains(other) && wanted.len() < 5 {
                wanted.push(other.clone());
            }
        }
        Ok((wanted != set && !(wanted.is_empty() && forum.needs_tag)).then_some(wanted))
    }

    pub(super) async fn set_thread(
        &self,
        at: &Address,
        title: &ThreadTitle,
        closed: bool,
    ) -> Result<Sent, Fault> {
        let place = ids::place(at)?;
        let Some(forum) = place.forum else {
            return Err(SendError::rejected("this address has no post").into());
        };
        let done = Sent::at(at, Some(RemoteMessageId::from(place.channel)));
        let name = cards::title(title);
        let known = self.threads.with(place.channel, |post| (post.closed, post.title.clone()));
        // A post that is archived takes no change but to be opened.
        if known.0 != Some(false) && !closed {
            self.shut(place, false).await?;
        }
        let renamed = name == known.1 || self.rename(place, &name).await?;
        if let Some(tags) = self.tags_for(place, forum, title.state).await? {
            let call = Call::new(Method::PATCH, format!("channels/{}", place.channel));
            self.in_place(place, &call.with(json!({ "applied_tags": tags }))).await?;
            self.threads.with(place.channel, |post| post.tags = Some(tags));
        }
        if closed && known.0 != Some(true) {
            self.shut(place, true).await?;
        }
        let note = (!renamed)
            .then(|| "its name changes later: twice in ten minutes is all that Discord takes".into());
        Ok(Sent { note, ..done })
    }

    async fn shut(&self, place: Place<'_>, closed: bool) -> Result<(), Fault> {
        self.threads.expect(place.channel, closed);
        let body = json!({ "archived": closed, "locked": closed });
        self.api.patch(format!("channels/{}", place.channel), body).await.map(|_: Value| ())
    }

    /// False: not now. The state is in the tags, too, and the next change takes the name along.
    async fn rename(&self, place: Place<'_>, name: &str) -> Result<bool, Fault> {
        let may = self.threads.with(place.channel, |post| {
            while post.renamed.front().is_some_and(|at| at.elapsed() > RENAME_WINDOW) {
                post.renamed.pop_front();
            }
            post.renamed.len() < RENAMES
        });
        if !may {
            return Ok(false);
        }
        let call =
            Call::new(Method::PATCH, format!("channels/{}", place.channel)).with(json!({ "name": name }));
        match self.in_place(place, &Call { apart: " name", ..call }).await {
            Ok(_) => {
                self.threads.with(place.channel, |post| {
                    post.renamed.push_back(Instant::now());
                    name.clone_into(&mut post.title);
                });
                Ok(true)
            }
            Err(Fault { error: SendError::Retry { after: Some(after), .. }, .. })
                if after > Duration::from_secs(5) =>
            {
                Ok(false)
            }
            Err(fault) => Err(fault),
        }
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
        assert!(!threads.saw("1", false) && threads.is_locked("1"));
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

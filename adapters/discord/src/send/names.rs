//! Names of posts that have to wait: a channel's name may change twice in ten minutes, and the last one must not be lost.
//!
//! Not here: what a post is called (`cards.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::lanes::Lanes;
use deskbridge_contract::{SendError, Shelf, ShelfError, ThreadTitle};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::Sending;
use crate::api::{Call, Fault};
use crate::cards;
use crate::ids::{self, Place};

/// Where the shelf keeps them.
const KEY: &str = "names";
/// Posts whose names may wait at once; of more, the oldest keep what they have.
const MOST: usize = 512;
/// Changes within the window.
const RENAMES: usize = 2;
/// Longer than this a delivery does not wait for its bucket.
const PATIENT: Duration = Duration::from_secs(5);
/// Between attempts that failed, and how many there are.
const AGAIN: Duration = Duration::from_secs(60);
const ATTEMPTS: usize = 10;

/// A name that is to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Wish {
    forum: String,
    /// Empty: it was forgotten, for people's names stand in it.
    name: String,
    /// What stands in front of it, and names nobody; empty: it was not noted.
    #[serde(default)]
    head: String,
}

/// By the post's number.
type Wishes = BTreeMap<u64, Wish>;

#[derive(Default)]
struct Inner {
    /// `None`: what an earlier process left was not read yet.
    wishes: Option<Wishes>,
    /// Posts for which somebody waits here.
    waiting: BTreeSet<u64>,
}

pub(super) struct Names {
    window: Duration,
    inner: Mutex<Inner>,
    /// One change of a post's name after the other.
    lanes: Lanes,
}

impl Names {
    pub(super) fn new(window: Duration) -> Names {
        Names { window, inner: Mutex::default(), lanes: Lanes::default() }
    }

    async fn open(&self, shelf: Option<&Shelf>) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().await;
        if let (None, Some(shelf)) = (&inner.wishes, shelf)
            && let Ok(kept) = shelf.get(KEY).await
        {
            // Written by another version, it says nothing.
            inner.wishes = Some(kept.and_then(|kept| serde_json::from_str(&kept).ok()).unwrap_or_default());
        }
        inner
    }
}

async fn write(shelf: Option<&Shelf>, wishes: &Wishes) -> Result<(), ShelfError> {
    match shelf {
        Some(shelf) => shelf.put(KEY, &serde_json::to_string(wishes).unwrap_or_default()).await,
        None => Ok(()),
    }
}

impl Sending {
    /// Names a post, or sees to it that it is named when Discord takes it: `Some` says how long that is from now.
    pub(super) async fn name(
        self: &Arc<Self>,
        place: Place<'_>,
        forum: &str,
        title: &ThreadTitle,
    ) -> Result<Option<Duration>, Fault> {
        let mut turn = self.names.lanes.queue(place.channel);
        turn.come().await;
        let (name, head) = (cards::title(title), cards::head(title));
        let wait = self.rename(place, &name).await?;
        let wish = wait.map(|_| Wish { forum: forum.to_owned(), name, head });
        let waits = self.wish(place.channel, wish).await;
        if let (Some(wait), false) = (wait, waits) {
            self.wait(ids::number(place.channel), wait);
        }
        Ok(wait)
    }

    /// What this post is to be called later, in place of what was wished before; whether somebody waits for it already.
    async fn wish(&self, post: &str, wish: Option<Wish>) -> bool {
        let (post, shelf) = (ids::number(post), self.shelf());
        let mut inner = self.names.open(shelf.as_ref()).await;
        let (is_wish, wishes) = (wish.is_some(), inner.wishes.get_or_insert_default());
        let changed = match wish {
            Some(wish) => wishes.insert(post, wish.clone()) != Some(wish),
            None => wishes.remove(&post).is_some(),
        };
        while wishes.len() > MOST {
            wishes.pop_first();
        }
        if changed && let Err(error) = write(shelf.as_ref(), wishes).await {
            tracing::debug!(channel = %self.api.channel(), %error, "a name would not outlive this process");
        }
        is_wish && !inner.waiting.insert(post)
    }

    /// The names that an earlier process left. Called at every intake.
    pub(super) fn go_on_naming(self: &Arc<Self>) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let sending = self.clone();
        runtime.spawn(async move {
            let left: Vec<u64> = {
                let shelf = sending.shelf();
                let mut inner = sending.names.open(shelf.as_ref()).await;
                let all: Vec<u64> = inner.wishes.iter().flat_map(BTreeMap::keys).copied().collect();
                all.into_iter().filter(|post| inner.waiting.insert(*post)).collect()
            };
            left.into_iter().for_each(|post| sending.wait(post, Duration::ZERO));
        });
    }

    /// Waits without holding on to anything that ends before.
    fn wait(self: &Arc<Self>, post: u64, mut wait: Duration) {
        let sending = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut attempts = ATTEMPTS;
            loop {
                tokio::time::sleep(wait).await;
                let Some(sending) = sending.upgrade() else { return };
                wait = match sending.name_waiting(post, attempts).await {
                    Ok(None) => return,
                    Ok(Some(wait)) => wait.max(Duration::from_millis(100)),
                    Err(error) => {
                        tracing::debug!(channel = %sending.api.channel(), %error, "a post keeps its name for now");
                        attempts -= 1;
                        AGAIN
                    }
                };
            }
        });
    }

    /// `None`: nothing is left to be done for this post.
    async fn name_waiting(&self, post: u64, attempts: usize) -> Result<Option<Duration>, SendError> {
        let id = post.to_string();
        let mut turn = self.names.lanes.queue(&id);
        turn.come().await;
        let wish = {
            let mut inner = self.names.open(None).await;
            let wish = inner.wishes.as_ref().and_then(|wishes| wishes.get(&post)).cloned();
            if wish.is_none() {
                inner.waiting.remove(&post);
            }
            wish
        };
        let Some(wish) = wish else { return Ok(None) };
        let place = Place { channel: &id, forum: Some(&wish.forum), direct: false };
        match self.grant(place, &wish).await {
            Ok(Some(wait)) => return Ok(Some(wait)),
            Ok(None) => {}
            Err(Fault { error: SendError::Gone { .. } | SendError::Rejected { .. }, .. }) => {}
            Err(fault) if attempts > 1 => return Err(fault.error),
            Err(fault) => {
                tracing::warn!(channel = %self.api.channel(), error = %fault.error, "a post keeps an old name");
            }
        }
        self.wish(&id, None).await;
        self.names.open(None).await.waiting.remove(&post);
        Ok(None)
    }

    /// Names it as it was wished; where that was forgotten, only the state in front changes.
    async fn grant(&self, place: Place<'_>, wish: &Wish) -> Result<Option<Duration>, Fault> {
        if !wish.name.is_empty() {
            return self.rename(place, &wish.name).await;
        }
        let post = self.api.get(format!("channels/{}", place.channel), &[]).await?;
        match cards::headed(post["name"].as_str().unwrap_or_default(), &wish.head) {
            Some(name) => self.rename(place, &name).await,
            // People called it something else.
            None => Ok(None),
        }
    }

    /// Names it now; `Some`: not yet.
    async fn rename(&self, place: Place<'_>, name: &str) -> Result<Option<Duration>, Fault> {
        let window = self.names.window;
        let wait = self.threads.with(place.channel, |post| {
            while post.renamed.front().is_some_and(|at| at.elapsed() >= window) {
                post.renamed.pop_front();
            }
            let first = post.renamed.front().filter(|_| post.renamed.len() >= RENAMES);
            let wait = first.map(|at| window.saturating_sub(at.elapsed()));
            if post.title == name { None } else { Some(wait.unwrap_or_default()) }
        });
        match wait {
            None => return Ok(None),
            Some(wait) if !wait.is_zero() => return Ok(Some(wait)),
            Some(_) => {}
        }
        let call =
            Call::new(Method::PATCH, format!("channels/{}", place.channel)).with(json!({ "name": name }));
        match self.in_place(place, &Call { apart: " name", ..call }).await {
            Ok(_) => {
                self.threads.with(place.channel, |post| {
                    post.renamed.push_back(Instant::now());
                    name.clone_into(&mut post.title);
                });
                Ok(None)
            }
            Err(Fault { error: SendError::Retry { after: Some(after), .. }, .. }) if after > PATIENT => {
                Ok(Some(after))
            }
            Err(fault) => Err(fault),
        }
    }

    /// Requesters' names stand in them: none is kept when somebody is forgotten, only the states of those posts.
    pub(crate) async fn forget_names(&self, shelf: &Shelf) -> Result<(), ShelfError> {
        let mut inner = self.names.open(Some(shelf)).await;
        let Some(wishes) = &mut inner.wishes else { return shelf.delete(&[KEY.to_owned()]).await };
        wishes.retain(|_, wish| !wish.head.is_empty());
        wishes.values_mut().for_each(|wish| wish.name.clear());
        if wishes.is_empty() {
            return shelf.delete(&[KEY.to_owned()]).await;
        }
        write(Some(shelf), wishes).await
    }
}

//! What App Home shows: to everybody their own requests, to technicians whether they are on. Kept on the shelf, so that
//! it can be drawn whenever somebody looks.
//!
//! Not here: how pages and forms look (`blocks`), how requests stand (the core tells).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use deskbridge_contract::{
    Address, DeskHours, Duty, RemoteUserId, SendError, Sender, Shelf, ShelfError, Standing,
};
use serde::{Deserialize, Serialize};

use crate::{Slack, blocks, ids};

/// What is offered to somebody who opens an empty chat: title, message.
pub(crate) const PROMPTS: [(&str, &str); 3] = [
    ("VPN does not connect", "My VPN does not connect"),
    ("Reset my password", "I need a password reset"),
    ("Talk to a technician", "Talk to a technician"),
];

/// Requests of one person that are shown; the latest.
const MOST: usize = 10;
/// People whose direct message is remembered in memory.
const OWNERS: usize = 20_000;

/// A person's page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Page {
    /// Whether they ever looked: nobody else's page is drawn.
    #[serde(default)]
    pub opened: bool,
    /// The latest first.
    #[serde(default)]
    pub requests: Vec<Standing>,
}

#[derive(Default)]
pub(crate) struct Homes {
    /// One change of a page at a time.
    changing: tokio::sync::Mutex<()>,
    /// Whoever draws a page reads it within: what was drawn from one that is gone is not shown any more.
    publishing: tokio::sync::RwLock<()>,
    /// Whose direct message it is.
    owners: Mutex<HashMap<String, String>>,
}

/// The direct message is with this person. Losing that costs only a line on a page.
pub(crate) async fn owns(slack: &Slack, user: &RemoteUserId, at: &Address) {
    let room = at.room.as_str();
    if slack.homes.owner(room).as_deref() == Some(user.as_str()) {
        return;
    }
    slack.homes.keep(room, user.as_str());
    if let Some(shelf) = slack.shelf()
        && let Err(error) = shelf.put(&format!("owner:{room}"), user.as_str()).await
    {
        tracing::debug!(channel = %slack.channel, %error, "it was not noted whose direct message it is");
    }
}

/// A request stands differently: it goes to the top of its person's page.
pub(crate) async fn stands(slack: &Arc<Slack>, at: &Address, standing: &Standing) -> Result<(), SendError> {
    let Some(shelf) = slack.shelf() else { return Ok(()) };
    let (user, page) = {
        let _one = slack.homes.changing.lock().await;
        // Within: whoever was forgotten meanwhile owns nothing.
        let Some(user) = owner(slack, &shelf, at).await.map_err(not_now)? else { return Ok(()) };
        let mut page = load(&shelf, &user).await.map_err(not_now)?;
        if page.requests.first() == Some(standing) {
            return Ok(());
        }
        page.requests.retain(|known| known.reference != standing.reference);
        page.requests.insert(0, standing.clone());
        page.requests.truncate(MOST);
        save(&shelf, &user, &page).await.map_err(not_now)?;
        (RemoteUserId(user), page)
    };
    if page.opened {
        let slack = slack.clone();
        tokio::spawn(async move {
            if let Err(error) = draw(&slack, &shelf, &user).await {
                tracing::debug!(channel = %slack.channel, %error, "a home tab was not brought up to date");
            }
        });
    }
    Ok(())
}

/// Somebody looks.
pub(crate) async fn show(slack: &Slack, user: &RemoteUserId) -> Result<(), SendError> {
    let Some(shelf) = slack.shelf() else { return Ok(()) };
    let _before_it_goes = slack.homes.publishing.read().await;
    let page = {
        let _one = slack.homes.changing.lock().await;
        let mut page = load(&shelf, user.as_str()).await.map_err(not_now)?;
        if !std::mem::replace(&mut page.opened, true) {
            save(&shelf, user.as_str(), &page).await.map_err(not_now)?;
        }
        page
    };
    publish(slack, user, &page).await
}

/// As it is by then; nothing, where they were forgotten meanwhile.
async fn draw(slack: &Slack, shelf: &Shelf, user: &RemoteUserId) -> Result<(), SendError> {
    let _before_it_goes = slack.homes.publishing.read().await;
    let page = load(shelf, user.as_str()).await.map_err(not_now)?;
    if page.opened { publish(slack, user, &page).await } else { Ok(()) }
}

async fn publish(slack: &Slack, user: &RemoteUserId, page: &Page) -> Result<(), SendError> {
    let Some(inbox) = slack.inbox() else { return Ok(()) };
    let hours = inbox.desk_hours().await;
    let view = match inbox.duty(user).await {
        Some(duty) => blocks::of_technician(Some(shown(duty)), &page.requests, &hours),
        None => {
            let question = match who(slack, user).await {
                Ok(who) => inbox.identity_question(&who).await,
                Err(_) => None,
            };
            blocks::of_requester(question.as_ref(), &page.requests, &hours)
        }
    };
    slack.sending.publish_home(user, &view, None).await
}

/// As Slack knows them, with the address that it vouches for.
async fn who(slack: &Slack, user: &RemoteUserId) -> Result<Sender, SendError> {
    let me = slack.me().await?;
    let named = serde_json::json!({ "user": user.as_str() });
    let people = slack.people.named_in(&slack.sending.api, &me, &named, (slack.clock)()).await;
    Ok(people.sender(user.as_str()))
}

/// The switch has three places: whoever is away is not offered anything, and neither is who is off.
fn shown(duty: Duty) -> blocks::Duty {
    match duty {
        Duty::On => blocks::Duty::On,
        Duty::Busy | Duty::Away => blocks::Duty::Busy,
        Duty::Off => blocks::Duty::Off,
    }
}

async fn owner(slack: &Slack, shelf: &Shelf, at: &Address) -> Result<Option<String>, ShelfError> {
    let room = at.room.as_str();
    if !ids::is_direct(at) {
        let Some(root) = &at.thread else { return Ok(None) };
        slack.threads.recall(shelf, room, root.as_str()).await?;
        return Ok(slack.threads.owner(room, root.as_str()).filter(|user| ids::is_user(user)));
    }
    if let Some(user) = slack.homes.owner(room) {
        return Ok(Some(user));
    }
    let user = shelf.get(&format!("owner:{room}")).await?;
    if let Some(user) = &user {
        slack.homes.keep(room, user);
    }
    Ok(user)
}

async fn load(shelf: &Shelf, user: &str) -> Result<Page, ShelfError> {
    let kept = shelf.get(&format!("home:{user}")).await?;
    // A page of another version is drawn anew from what comes.
    Ok(kept.and_then(|kept| serde_json::from_str(&kept).ok()).unwrap_or_default())
}

async fn save(shelf: &Shelf, user: &str, page: &Page) -> Result<(), ShelfError> {
    shelf.put(&format!("home:{user}"), &serde_json::to_string(page).unwrap_or_default()).await
}

/// Nothing of a person stays: what their home tab shows, their page, whose direct messages and threads these are, how far
/// their rooms were read.
pub(crate) async fn forget(
    slack: &Slack,
    shelf: &Shelf,
    user: &RemoteUserId,
    at: &[Address],
) -> Result<Vec<String>, ShelfError> {
    // Whatever is on its way to their home tab is there before it is emptied.
    let _last = slack.homes.publishing.write().await;
    let _one = slack.homes.changing.lock().await;
    let mut stays = vec![format!(
        "Slack ({}): their direct messages with the app, and what they wrote in channels.",
        slack.channel
    )];
    if load(shelf, user.as_str()).await?.opened {
        stays.extend(emptied(slack, user).await?);
    }
    let mut rooms: Vec<String> =
        at.iter().filter(|at| ids::is_direct(at)).map(|at| at.room.0.clone()).collect();
    let mut keys = vec![format!("home:{user}")];
    for (prefix, key) in [("owner:", true), ("thread:", false)] {
        for found in shelf.find(prefix, user.as_str()).await? {
            // A longer id may contain this one.
            if shelf.get(&found).await?.as_deref() != Some(user.as_str()) {
                continue;
            }
            rooms.extend(found.strip_prefix(prefix).filter(|_| key).map(str::to_owned));
            keys.push(found);
        }
    }
    rooms.sort();
    rooms.dedup();
    shelf.delete(&keys).await?;
    slack
        .homes
        .owners
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .retain(|_, owner| owner != user.as_str());
    slack.threads.forget(user.as_str());
    slack.people.forget(user.as_str());
    slack.receiving.marks().forget(shelf, &rooms).await?;
    Ok(stays)
}

/// Their home tab as somebody sees it who never asked for anything. What does not go better later is said.
async fn emptied(slack: &Slack, user: &RemoteUserId) -> Result<Option<String>, ShelfError> {
    let view = blocks::of_requester(None, &[], &DeskHours::default());
    match slack.sending.publish_home(user, &view, None).await {
        Ok(()) => Ok(None),
        // Called again: the page is still there.
        Err(error @ (SendError::Retry { .. } | SendError::Ambiguous { .. })) => {
            Err(ShelfError(format!("a home tab could not be emptied yet: {error}")))
        }
        Err(error) => {
            tracing::warn!(channel = %slack.channel, %error, "a home tab could not be emptied");
            Ok(Some(format!("Slack ({}): their home tab, which Slack did not let us change.", slack.channel)))
        }
    }
}

fn not_now(error: ShelfError) -> SendError {
    SendError::Retry { after: None, why: error.to_string() }
}

impl Homes {
    fn owner(&self, room: &str) -> Option<String> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner).get(room).cloned()
    }

    fn keep(&self, room: &str, user: &str) {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        if owners.len() >= OWNERS {
            owners.clear();
        }
        owners.insert(room.to_owned(), user.to_owned());
    }
}

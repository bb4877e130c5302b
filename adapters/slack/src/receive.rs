//! How events come in: over sockets that are kept open, or brought by HTTP; stored, then acknowledged (clause C4).
//!
//! Not here: what an event means (`translate.rs`), and starting over after a failure, which the supervisor does.

mod acts;
mod catch_up;
mod door;
mod doubt;
mod marks;
pub(crate) mod signature;
mod socket;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::lanes::{Lanes, Turn};
use deskbridge_contract::{Address, Inbound, Inbox, Intake, PushError, SendError, TranslateError};
use futures_util::FutureExt as _;
use serde_json::Value;

use crate::config::Receive;
use crate::people::Known;
use crate::translate::interactions::{self, Act};
use crate::translate::{self, Envelope, View, text};
use crate::{Slack, desks, home, ids};
pub(crate) use marks::Marks;

/// When Slack should bring an event again that could not be stored.
const AGAIN: Duration = Duration::from_secs(2);

/// Everything that receiving keeps in memory.
#[derive(Default)]
pub(crate) struct Receiving {
    lanes: Lanes,
    doubts: doubt::Doubts,
    /// What cannot be read back after an outage, by the method that would.
    unreadable: catch_up::Unreadable,
    /// Set once the app was uninstalled or its token revoked: nothing will come any more.
    fallen: tokio::sync::watch::Sender<Option<String>>,
}

impl Receiving {
    pub(crate) fn marks(&self) -> &Marks {
        &self.doubts.marks
    }

    /// For whoever looks after the channel.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.unreadable.said()
    }

    /// A place in the order of the payload's room: taken at once, in the order in which payloads arrive.
    fn turn(&self, payload: &Value) -> Turn {
        self.lanes.queue(translate::room_of(payload).unwrap_or_default())
    }
}

pub(crate) fn intake(slack: Arc<Slack>, inbox: Inbox) -> Intake {
    slack.attach(inbox.clone());
    match &slack.config.receive {
        Receive::Socket { .. } => {
            let work = socket::run(slack.clone(), inbox.clone()).boxed();
            Intake { connect: Some(attend(slack, inbox, work).boxed()), ..Intake::default() }
        }
        Receive::Http { signing_secret } => {
            let route = door::route(slack.clone(), inbox.clone(), signing_secret.clone());
            let work = std::future::pending().boxed();
            Intake {
                connect: Some(attend(slack, inbox, work).boxed()),
                webhook: Some(route),
                ..Intake::default()
            }
        }
    }
}

/// Receives by `work`; beside it reads what was missed and notes how far it came. Ends when the connection ends, or when
/// the app is not installed any more.
async fn attend(
    slack: Arc<Slack>,
    inbox: Inbox,
    work: futures_util::future::BoxFuture<'static, Result<(), SendError>>,
) -> Result<(), SendError> {
    slack.receiving.fallen.send_replace(None);
    catch_up::know(&slack, &inbox).await;
    slack.meet().await?;
    let mut fallen = slack.receiving.fallen.subscribe();
    let why = tokio::select! {
        ended = work => return ended,
        ended = async {
            desks::look(&slack, &inbox.shelf()).await;
            catch_up::keep(&slack, &inbox).await
        } => return ended,
        why = fallen.wait_for(Option::is_some) => why.ok().and_then(|why| why.clone()),
    };
    Err(SendError::Unauthorized { why: why.unwrap_or_else(|| "the app is not installed any more".into()) })
}

/// What is said to the platform when something was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Empty,
    /// As the body of the response, or the payload of the acknowledgement.
    Json(Value),
}

/// Stores one payload, or the raw text of it for a person to look at. Returns after the commit. `retry`: how often Slack had
/// tried to bring it before.
async fn take(
    slack: &Arc<Slack>,
    inbox: &Inbox,
    (raw, retry): (&[u8], u32),
    payload: &Value,
    mut turn: Turn,
) -> Result<Answer, PushError> {
    turn.come().await;
    let now = (slack.clock)();
    if payload.get("event").is_some() || text(payload, "type") == Some("app_rate_limited") {
        let taken = event(slack, inbox, raw, payload).await;
        slack.receiving.doubts.settled(taken.is_ok(), now);
        if taken == Ok(true) {
            slack.receiving.doubts.late(retry, now);
        }
        taken.map(|_| Answer::Empty)
    } else {
        let taken = interaction(slack, inbox, raw, payload).await;
        slack.receiving.doubts.settled(taken.is_ok(), now);
        taken
    }
}

/// True: there was something in it that nobody had seen.
async fn event(slack: &Arc<Slack>, inbox: &Inbox, raw: &[u8], body: &Value) -> Result<bool, PushError> {
    let me = slack.me().await.map_err(unavailable)?;
    let envelope = match Envelope::read(body).and_then(|envelope| {
        envelope.check(&me)?;
        Ok(envelope)
    }) {
        Ok(envelope) => envelope,
        Err(why) => {
            if text(body, "type") == Some("app_rate_limited") {
                tracing::warn!(channel = %slack.channel, "Slack left events out: more than 30 000 in an hour");
                slack.receiving.doubts.left_out();
            }
            return inbox.quarantine(raw, &why).await.map(|()| false);
        }
    };
    let event = &body["event"];
    notice(slack, inbox, &envelope.kind, event);
    desks::heard(slack, &inbox.shelf(), &envelope.kind, event).await;
    prepare(slack, inbox, &me.user_id, event).await?;
    let people = slack.people.named_in(&slack.sending.api, &me, event, (slack.clock)()).await;
    match translate::translate(&view(slack, &me, &people), body) {
        Ok(events) => {
            let mut new = false;
            for event in events {
                new |= !push(slack, inbox, event).await?.duplicate;
            }
            Ok(new)
        }
        Err(why) => inbox.quarantine(raw, &why).await.map(|()| false),
    }
}

async fn interaction(
    slack: &Arc<Slack>,
    inbox: &Inbox,
    raw: &[u8],
    payload: &Value,
) -> Result<Answer, PushError> {
    let me = slack.me().await.map_err(unavailable)?;
    if let Some(container) = payload.get("container") {
        let root = text(container, "thread_ts").or_else(|| text(payload.get("message")?, "thread_ts"));
        if let (Some(channel), Some(root)) = (text(container, "channel_id"), root) {
            slack.threads.recall(&inbox.shelf(), channel, root).await.map_err(unavailable)?;
        }
    }
    let people = slack.people.named_in(&slack.sending.api, &me, payload, (slack.clock)()).await;
    let act = interactions::act(&view(slack, &me, &people), payload);
    match act {
        Ok(act) => acts::perform(slack, inbox, payload, act).await,
        Err(why) => inbox.quarantine(raw, &why).await.map(|()| Answer::Empty),
    }
}

fn view<'a>(slack: &'a Slack, me: &'a crate::Me, people: &'a Known) -> View<'a> {
    View {
        channel: &slack.channel,
        me,
        people,
        threads: &slack.threads,
        desks: &slack.config.desks,
        received: (slack.clock)(),
    }
}

/// Events that change what is known here.
fn notice(slack: &Arc<Slack>, inbox: &Inbox, kind: &str, event: &Value) {
    match kind {
        "user_change" | "user_profile_changed" | "user_status_changed" => {
            if let Some(user) = event.get("user").and_then(|user| text(user, "id")) {
                slack.people.forget(user);
            }
        }
        "app_uninstalled" => fall(slack, "the app was uninstalled from the workspace"),
        "tokens_revoked" => {
            let bots = event.pointer("/tokens/bot").and_then(Value::as_array);
            if bots.is_some_and(|bots| !bots.is_empty()) {
                fall(slack, "the bot token was revoked");
            }
        }
        "app_home_opened" if text(event, "tab") != Some("messages") => acts::show_home(slack, event),
        "assistant_thread_started" | "app_home_opened" => acts::suggest(slack, event),
        "link_shared" => slack.sending.unfold(inbox, &slack.config, event),
        _ => {}
    }
}

fn fall(slack: &Slack, why: &str) {
    tracing::error!(channel = %slack.channel, why, "nothing can be received or sent any more");
    slack.receiving.fallen.send_replace(Some(why.to_owned()));
}

/// Makes sure that what translating asks is in memory; a call for us in a channel begins a thread before it is pushed.
async fn prepare(slack: &Slack, inbox: &Inbox, me: &str, event: &Value) -> Result<(), PushError> {
    let shelf = inbox.shelf();
    if let Some(thread) = event.get("assistant_thread").filter(|thread| thread.get("thread_ts").is_some())
        && let (Some(channel), Some(root)) = (text(thread, "channel_id"), text(thread, "thread_ts"))
        && ids::is_channel(channel)
        && ids::is_ts(root)
    {
        let owner = text(thread, "user_id").unwrap_or_default();
        return slack.threads.begin(&shelf, channel, root, owner).await.map_err(unavailable);
    }
    let item = event.get("item").unwrap_or(event);
    let Some(channel) = text(item, "channel").filter(|id| ids::is_channel(id)) else { return Ok(()) };
    // Edits and deletions carry the message inside.
    let inner = ["message", "previous_message"].into_iter().find_map(|key| event.get(key));
    let message = inner.unwrap_or(item);
    let ts = text(message, "ts").filter(|ts| ids::is_ts(ts));
    let root = text(message, "thread_ts").filter(|root| ids::is_ts(root));
    let direct = channel.starts_with('D');
    let fresh = inner.is_none() && matches!(text(event, "type"), Some("message" | "app_mention"));
    let calls = fresh
        && !direct
        && text(message, "bot_id").is_none()
        && translate::calls(message, me)
        && !slack.config.desks.iter().any(|desk| desk == channel);
    // A new message outside of threads can begin one, and be in none: the shelf need not be asked about it.
    let root = match (root, ts) {
        (Some(root), _) => root,
        (None, Some(ts)) if calls || !(fresh || direct) => ts,
        (None, _) => return Ok(()),
    };
    let done = if calls {
        slack.threads.begin(&shelf, channel, root, text(message, "user").unwrap_or_default()).await
    } else {
        slack.threads.recall(&shelf, channel, root).await
    };
    done.map_err(unavailable)
}

/// Pushes one event, and remembers where its message is.
async fn push(
    slack: &Slack,
    inbox: &Inbox,
    event: Inbound,
) -> Result<deskbridge_contract::Receipt, PushError> {
    let place = event.address.clone();
    let said = translate::said(&event.event).cloned();
    if said.is_some() && ids::is_direct(&place) {
        home::owns(slack, &event.from.id, &place).await;
    }
    let receipt = inbox.push(event).await?;
    if let Some(ts) = said.as_ref().map(|message| message.as_str()).filter(|ts| ids::is_ts(ts))
        && slack.came(&place, ts)
        && let Err(error) = slack.receiving.marks().flush(&inbox.shelf()).await
    {
        tracing::warn!(channel = %slack.channel, %error, "after an outage now, a room would not be read");
    }
    Ok(receipt)
}

fn unavailable(error: impl std::fmt::Display) -> PushError {
    tracing::debug!(%error, "an event could not be taken");
    PushError::Unavailable
}

impl Slack {
    /// A message of ours is there. It leads to its thread, and says nothing of what others wrote before it.
    pub(crate) fn sent(&self, at: &Address, ts: &str) {
        let Some(root) = at.thread.as_ref().map(|thread| thread.as_str()) else { return };
        self.threads.note(at.room.as_str(), ts, root);
        if self.config.desks.iter().any(|desk| desk == at.room.as_str()) {
            self.receiving.marks().begin(at.room.as_str(), root);
        }
    }

    /// A message is there: where replies to it and reactions on it belong, and how far the room was read.
    /// True: nothing was read of it before.
    pub(crate) fn came(&self, at: &Address, ts: &str) -> bool {
        let (room, thread) = (at.room.as_str(), at.thread.as_ref().map(|thread| thread.as_str()));
        if let Some(root) = thread {
            self.threads.note(room, ts, root);
        }
        let ours = ids::is_direct(at)
            || self.config.desks.iter().any(|desk| desk == room)
            || thread.is_some_and(|root| self.threads.holds(room, root));
        ours && self.receiving.marks().note(room, thread, ts)
    }

    /// Events of a raw payload, without asking anybody: for replays, and for whoever looks into the quarantine.
    pub(crate) fn translated(&self, raw: &[u8]) -> Result<Vec<Inbound>, TranslateError> {
        let payload = door::parse(raw)?;
        let me = self.known_me().unwrap_or_default();
        // Whose workspace it is may not be known yet; a replay is not the place to refuse it.
        let me = if me.team_id.is_empty() { me.of(&payload) } else { me };
        let people = Known::default();
        let view = view(self, &me, &people);
        if payload.get("event").is_some() {
            return translate::translate(&view, &payload);
        }
        if text(&payload, "type") == Some("app_rate_limited") {
            return Err(TranslateError::Unknown("app_rate_limited".into()));
        }
        Ok(match interactions::act(&view, &payload)? {
            Act::Push(inbound) => vec![*inbound],
            Act::Direct(direct) => {
                // Which direct message it is would have to be asked: it is named by its person.
                let room = direct.from.id.to_string();
                vec![direct.at(Address::room(&self.channel, room))]
            }
            Act::Open { .. }
            | Act::Show(_)
            | Act::Note { .. }
            | Act::Unfilled(_)
            | Act::Tell(_)
            | Act::Nothing => Vec::new(),
        })
    }
}

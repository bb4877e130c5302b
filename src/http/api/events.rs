//! `events`: what changes, as it changes (server-sent events), with replay of what a short break missed.
//!
//! Not here: the changes themselves; an event names what to read again. The bus only hints, so a stream that may have
//! missed something says `resync`.

use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{HeaderName, StatusCode, header};
use axum::response::IntoResponse as _;
use axum::response::sse::{Event, KeepAlive, Sse};
use deskbridge_conversation::{Audience, Conversation, ConversationId, MessageId, TechnicianId};
use deskbridge_store::{Change, Committed};
use futures_util::{Stream, stream};
use serde::Serialize;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};

use super::Api;
use super::attention::Watcher;
use super::call::{Answer, Call};
use super::sight::sees;
use crate::http::auth::{Caller, Scope};
use crate::http::limits::Limits;
use crate::http::problem::Problem;
use crate::runtime::Bridge;
use crate::runtime::board::Typing;

/// Changes that a returning listener can be given again.
const REMEMBERED: usize = 2_048;
/// Changes that a listener may be behind.
const BEHIND: usize = 1_024;
/// How long a right that is gone still hears, where nobody said so: it expired, or another process took it (S63).
const CHECKED: Duration = Duration::from_secs(2);
const KEPT_ALIVE: Duration = Duration::from_secs(15);
const RETRY: Duration = Duration::from_secs(2);
/// For proxies that would collect the stream before they pass it on.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Where the streams get their events from.
pub struct Hub {
    ring: Mutex<VecDeque<Arc<Happening>>>,
    sender: broadcast::Sender<Arc<Happening>>,
    open: Mutex<HashMap<String, usize>>,
    /// Somebody's rights are others than before: every stream asks for its own again.
    rights: watch::Sender<()>,
    limits: Limits,
}

enum Happening {
    Changed(Changed),
    Roster,
    /// Who looks at it now, and who writes.
    Watched(Arc<Conversation>, Vec<Watcher>),
    Typing(Arc<Typing>),
    /// Something may have been missed.
    Resync,
}

struct Changed {
    conversation: Arc<Conversation>,
    before: Option<&'static str>,
    messages: Vec<MessageId>,
    edited: Vec<MessageId>,
}

impl Changed {
    /// Named by what it is about: the conversation and its state's number.
    fn id(&self) -> String {
        format!("{}.{}", self.conversation.id.0, self.conversation.seq)
    }
}

impl From<&Change> for Changed {
    fn from(change: &Change) -> Self {
        // Private messages are for one person, who finds them among the conversation's messages.
        let shown = change.messages.iter().filter(|row| row.audience != Audience::Private);
        Changed {
            conversation: change.conversation.clone(),
            before: change.before,
            messages: shown.map(|row| row.id).collect(),
            edited: change.edited.clone(),
        }
    }
}

impl Hub {
    pub fn start(bridge: &Arc<Bridge>, limits: &Limits) -> Arc<Hub> {
        let hub = Arc::new(Hub {
            ring: Mutex::default(),
            sender: broadcast::channel(BEHIND).0,
            open: Mutex::default(),
            rights: watch::Sender::new(()),
            limits: limits.clone(),
        });
        let (feeding, mut bus, stop) = (hub.clone(), bridge.bus.subscribe(), bridge.stop.clone());
        let mut typing = bridge.board.typing();
        bridge.tasks.spawn(async move {
            loop {
                let next = tokio::select! {
                    next = bus.recv() => next,
                    typing = typing.recv() => {
                        // What was missed of it is over by now.
                        if let Ok(typing) = typing {
                            let _ = feeding.sender.send(Arc::new(Happening::Typing(typing)));
                        }
                        continue;
                    }
                    () = stop.cancelled() => return,
                };
                match next {
                    Ok(committed) => feeding.take(&committed),
                    Err(RecvError::Lagged(_)) => feeding.missed(),
                    Err(RecvError::Closed) => return,
                }
            }
        });
        hub
    }

    fn ring(&self) -> MutexGuard<'_, VecDeque<Arc<Happening>>> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, committed: &Committed) {
        let mut ring = self.ring();
        for change in &committed.changes {
            let happening = Arc::new(Happening::Changed(change.into()));
            if ring.len() == REMEMBERED {
                ring.pop_front();
            }
            ring.push_back(happening.clone());
            let _ = self.sender.send(happening);
        }
        if committed.roster {
            let _ = self.sender.send(Arc::new(Happening::Roster));
        }
    }

    /// Told to those who are here now; never replayed.
    pub fn watched(&self, conversation: Arc<Conversation>, watchers: Vec<Watcher>) {
        let _ = self.sender.send(Arc::new(Happening::Watched(conversation, watchers)));
    }

    /// A session or token was ended, or somebody's role changed: their streams are over now, not at the next look (S63).
    pub fn rights_changed(&self) {
        self.rights.send_replace(());
    }

    fn missed(&self) {
        self.ring().clear();
        let _ = self.sender.send(Arc::new(Happening::Resync));
    }

    /// Everything after `last`, then everything from now on; nothing falls between.
    fn listen(&self, last: Option<&str>) -> (VecDeque<Arc<Happening>>, broadcast::Receiver<Arc<Happening>>) {
        let ring = self.ring();
        let receiver = self.sender.subscribe();
        let Some(last) = last else { return (VecDeque::new(), receiver) };
        let at = ring.iter().position(|happening| match happening.as_ref() {
            Happening::Changed(changed) => changed.id() == last,
            Happening::Roster | Happening::Watched(..) | Happening::Typing(_) | Happening::Resync => false,
        });
        let missed = match at {
            Some(at) => ring.iter().skip(at + 1).cloned().collect(),
            None => VecDeque::from([Arc::new(Happening::Resync)]),
        };
        (missed, receiver)
    }

    fn enter(self: &Arc<Self>, token: &str) -> Result<Place, Problem> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.get(token).copied().unwrap_or_default();
        if all >= self.limits.streams || own >= self.limits.streams_each {
            let problem =
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-streams", "close another stream first");
            return Err(problem.with(header::RETRY_AFTER, 10));
        }
        open.insert(token.to_owned(), own + 1);
        Ok(Place { hub: self.clone(), token: token.to_owned() })
    }
}

/// One open stream.
struct Place {
    hub: Arc<Hub>,
    token: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.hub.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.token) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                open.remove(&self.token);
            }
        }
    }
}

pub async fn listen(api: Arc<Api>, call: Call) -> Answer {
    let place = api.hub.enter(&call.caller.token)?;
    let (missed, receiver) = api.hub.listen(call.last_event.as_deref());
    let mut check = tokio::time::interval(CHECKED);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let listener = Listener {
        bridge: api.bridge.clone(),
        caller: call.caller,
        missed,
        receiver,
        rights: api.hub.rights.subscribe(),
        shown: HashSet::new(),
        check,
        greeted: false,
        _place: place,
    };
    let answer = Sse::new(events(listener)).keep_alive(KeepAlive::new().interval(KEPT_ALIVE));
    Ok(([(UNBUFFERED, "no")], answer).into_response())
}

struct Listener {
    bridge: Arc<Bridge>,
    caller: Caller,
    missed: VecDeque<Arc<Happening>>,
    receiver: broadcast::Receiver<Arc<Happening>>,
    rights: watch::Receiver<()>,
    /// Conversations that this stream spoke of, so that it can say when one is out of sight.
    shown: HashSet<ConversationId>,
    check: Interval,
    greeted: bool,
    _place: Place,
}

fn events(listener: Listener) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    })
}

#[derive(Serialize)]
struct Said<'a> {
    conversation: i64,
    seq: u64,
    stage: &'a str,
    before: Option<&'a str>,
    queue: &'a str,
    messages: Vec<String>,
    edited: Vec<String>,
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        if !self.greeted {
            self.greeted = true;
            return Some(Event::default().retry(RETRY).comment("deskbridge"));
        }
        loop {
            // Also before what was missed is told.
            if self.rights.has_changed().unwrap_or(false) {
                self.rights.mark_unchanged();
                self.still_may().await?;
            }
            if let Some(missed) = self.missed.pop_front() {
                match self.event(&missed) {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            tokio::select! {
                // Rights first: a busy desk must not put the look at them off.
                biased;
                () = self.bridge.stop.cancelled() => return None,
                Ok(()) = self.rights.changed() => self.still_may().await?,
                _ = self.check.tick() => self.still_may().await?,
                happening = self.receiver.recv() => match happening {
                    Ok(happening) => self.missed.push_back(happening),
                    Err(RecvError::Lagged(_)) => return Some(resync()),
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    /// `None`, whatever the reason: who may not now hears nothing more. In another role it is another stream's turn, which
    /// begins with what that role sees.
    async fn still_may(&mut self) -> Option<()> {
        let now = self.caller.again(&self.bridge).await.ok()?;
        now.needs(Scope::ChatsRead).ok()?;
        let same = now.role == self.caller.role;
        self.caller = now;
        same.then_some(())
    }

    fn watched(&self, conversation: &Conversation, watchers: &[Watcher]) -> Option<Event> {
        let policy = self.bridge.policy.current();
        let data = serde_json::json!({"conversation": conversation.id.0, "watchers": watchers});
        let shown = sees(&self.caller, conversation, &policy.policy);
        if shown { Event::default().event("conversation.attention").json_data(data).ok() } else { None }
    }

    /// Shown for a few seconds; there is no word about the end of it.
    fn typing(&self, typing: &Typing) -> Option<Event> {
        let policy = self.bridge.policy.current();
        let conversation = &typing.conversation;
        if !sees(&self.caller, conversation, &policy.policy) {
            return None;
        }
        let name = match &typing.by {
            Some(technician) => policy.policy.name(technician),
            None => conversation.requester.name.clone(),
        };
        let data = serde_json::json!({
            "conversation": conversation.id.0,
            "technician": typing.by.as_ref().map(TechnicianId::as_str),
            "name": name,
        });
        Event::default().event("conversation.typing").json_data(data).ok()
    }

    fn event(&mut self, happening: &Happening) -> Option<Event> {
        let changed = match happening {
            Happening::Changed(changed) => changed,
            Happening::Roster => return Some(Event::default().event("roster.changed").data("{}")),
            Happening::Resync => return Some(resync()),
            Happening::Watched(conversation, watchers) => return self.watched(conversation, watchers),
            Happening::Typing(typing) => return self.typing(typing),
        };
        let conversation = &changed.conversation;
        let policy = self.bridge.policy.current();
        if !sees(&self.caller, conversation, &policy.policy) {
            // It went to a queue of others; nothing of it is told, only that it is gone.
            let gone = self.shown.remove(&conversation.id);
            let data = format!("{{\"conversation\":{}}}", conversation.id.0);
            return gone.then(|| Event::default().event("conversation.hidden").data(data));
        }
        self.shown.insert(conversation.id);
        let stage = conversation.stage_name();
        let name = match changed.before {
            None => "conversation.created",
            Some(before) if before != stage => "conversation.status_changed",
            Some(_) => "conversation.updated",
        };
        let texts = |ids: &[MessageId]| ids.iter().map(MessageId::to_string).collect();
        let said = Said {
            conversation: conversation.id.0,
            seq: conversation.seq,
            stage,
            before: changed.before,
            queue: conversation.queue.as_str(),
            messages: texts(&changed.messages),
            edited: texts(&changed.edited),
        };
        Event::default().id(changed.id()).event(name).json_data(said).ok()
    }
}

/// Read again whatever is shown.
fn resync() -> Event {
    Event::default().event("resync").data("{}")
}

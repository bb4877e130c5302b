//! One connection to the gateway, from its address to its end ("Gateway › Connection Lifecycle").
//!
//! Not here: what comes after it (`gateway.rs`), what an event means (`receive::take`).

mod learn;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use deskbridge_contract::{Inbox, PushError, Timestamp};
use futures_util::{SinkExt as _, StreamExt as _};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use serenity::all::GatewayIntents;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use url::Url;

use super::gateway::{End, Ended, Session, began, resumed};
use super::{Slot, budget, take};
use crate::Discord;
use crate::send::Me;
use crate::translate::{room_of, text};

use wire::{Progress, Socket, closed, connect, leave, plain, until};

pub(super) use wire::jittered;

/// From the address to the first word.
const HELLO: Duration = Duration::from_secs(20);
/// From our first word to READY or RESUMED.
const GREETED: Duration = Duration::from_secs(60);
/// How often it is noted how far was read.
const NOTE: Duration = Duration::from_secs(2);
/// How long what was begun is waited for at the end.
const LINGER: Duration = Duration::from_secs(10);
/// Events under way at once; beyond, nothing is read until one is done.
const MOST: usize = 256;

type Done = (Which, Result<(), PushError>);

/// An event that is being stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    /// Of this session, by its number.
    New(u64),
    /// From a session that is over, by its place among those.
    Owed(usize),
}

pub(super) async fn run(
    discord: &Arc<Discord>,
    inbox: &Inbox,
    me: &Me,
    url: &Url,
    session: Option<Session>,
    since: Timestamp,
    intents: GatewayIntents,
) -> Ended {
    let socket = match tokio::time::timeout(HELLO, connect(url)).await {
        Ok(Ok(socket)) => socket,
        Ok(Err(why)) => return unreached(session, why),
        Err(_) => return unreached(session, "no connection in time".into()),
    };
    let (done, finished) = mpsc::unbounded_channel();
    let resumes = session.is_some();
    let highest = session.as_ref().map_or(0, |session| session.seq);
    let progress = Progress { highest, at: since, ..Progress::default() };
    let link = Link {
        discord,
        inbox,
        me,
        intents,
        session,
        since,
        resumes,
        progress,
        introduced: false,
        came_up: false,
        began: false,
        refused: None,
        halted: Arc::default(),
        owed: BTreeMap::new(),
        expected: Vec::new(),
        here: Arc::new(()),
        work: JoinSet::new(),
        tell: done,
    };
    link.serve(socket, finished).await
}

fn unreached(session: Option<Session>, why: String) -> Ended {
    Ended { session, came_up: false, unanswered: false, end: End::Lost(why) }
}

struct Link<'a> {
    discord: &'a Arc<Discord>,
    inbox: &'a Inbox,
    me: &'a Me,
    intents: GatewayIntents,
    session: Option<Session>,
    /// When all that had happened was stored, before this connection.
    since: Timestamp,
    resumes: bool,
    progress: Progress,
    /// We said who we are.
    introduced: bool,
    came_up: bool,
    /// A session began, and it is not noted yet what has to be read before it.
    began: bool,
    /// An event could not be stored: it has to come again.
    refused: Option<PushError>,
    /// The same, for those that wait behind it.
    halted: Arc<AtomicBool>,
    /// What an earlier session brought and could not be stored, under way.
    owed: BTreeMap<usize, Arc<Value>>,
    /// What this session brought and could not be stored: it comes again before RESUMED.
    expected: Vec<Arc<Value>>,
    /// As long as the connection lasts.
    here: Arc<()>,
    work: JoinSet<()>,
    tell: mpsc::UnboundedSender<Done>,
}

/// The pulse: when to beat next, and whether the last beat was heard.
struct Pulse {
    every: Duration,
    next: Instant,
    heard: bool,
    /// For some time since the last beat nothing was read: what was answered may not have been heard yet.
    held: bool,
}

impl Link<'_> {
    async fn serve(mut self, socket: Socket, mut finished: mpsc::UnboundedReceiver<Done>) -> Ended {
        let (mut sink, mut stream) = socket.split();
        let mut pulse: Option<Pulse> = None;
        let mut note = tokio::time::interval(NOTE);
        note.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let patience = tokio::time::sleep(HELLO);
        tokio::pin!(patience);
        let mut noted = 0;
        let end = loop {
            let beat = pulse.as_ref().map(|pulse| pulse.next);
            let mut out: Vec<Value> = Vec::new();
            let full = self.progress.under_way.len() >= MOST;
            if let Some(pulse) = &mut pulse {
                pulse.held |= full;
            }
            tokio::select! {
                frame = stream.next(), if !full => {
                    let frame = match self.said(frame) {
                        Ok(Some(frame)) => frame,
                        Ok(None) => continue,
                        Err(end) => break end,
                    };
                    match self.follow(&frame, &mut pulse, &mut out).await {
                        Ok(true) => patience.as_mut().reset(Instant::now() + GREETED),
                        Ok(false) => {}
                        Err(end) => break end,
                    }
                }
                Some((which, result)) = finished.recv() => {
                    if let Err(end) = self.done(which, result) {
                        break end;
                    }
                }
                () = until(beat) => {
                    let Some(pulse) = pulse.as_mut() else { continue };
                    if !pulse.heard && !pulse.held {
                        break End::Lost("the gateway does not answer any more".into());
                    }
                    (pulse.heard, pulse.held) = (false, full);
                    pulse.next += pulse.every;
                    out.push(self.beat());
                }
                _ = note.tick() => {
                    noted = self.note(noted).await;
                }
                () = &mut patience, if !self.came_up => break End::Lost("the gateway did not greet in time".into()),
            }
            let mut broken = None;
            for frame in out {
                if let Err(error) = sink.send(Message::text(frame.to_string())).await {
                    broken = Some(End::Lost(plain(&error)));
                }
            }
            if let Some(end) = broken {
                break end;
            }
        };
        leave(sink).await;
        self.finish(finished, end).await
    }

    /// Takes one message, and does what has to be done before the next one. True: it greeted.
    async fn follow(
        &mut self,
        frame: &Value,
        pulse: &mut Option<Pulse>,
        out: &mut Vec<Value>,
    ) -> Result<bool, End> {
        let greeted = self.heard(frame, pulse, out)?;
        if greeted {
            out.push(self.introduce().await?);
        }
        // Before anything of the new session is taken, or the session itself is noted.
        if std::mem::take(&mut self.began) {
            if let Err(error) = began(self.discord, self.inbox, self.me, &self.here, self.since).await {
                self.session = None;
                return Err(End::Lost(error.to_string()));
            }
            // At once: what is refused in its first moments comes again only to who knows it.
            if let Some(session) = &self.session {
                session.keep(&self.inbox.shelf()).await;
            }
        }
        Ok(greeted)
    }

    /// One event is stored, or was refused: then it has to come again.
    fn done(&mut self, which: Which, result: Result<(), PushError>) -> Result<(), End> {
        match result {
            Ok(()) => {
                self.end(which);
                Ok(())
            }
            Err(error) => {
                let end = match error {
                    PushError::Closed => End::Closed,
                    PushError::Unavailable => End::Lost("an event could not be stored".into()),
                };
                self.refused = Some(error);
                Err(end)
            }
        }
    }

    fn end(&mut self, which: Which) {
        match which {
            Which::New(seq) => self.progress.end(seq),
            Which::Owed(nth) => {
                self.owed.remove(&nth);
            }
        }
    }

    /// Notes how far all is stored; returns how far that is.
    async fn note(&mut self, noted: u64) -> u64 {
        let stored = self.progress.stored();
        let shelf = self.inbox.shelf();
        if stored != noted
            && let Some(session) = &mut self.session
        {
            self.progress.mark(session);
            session.keep(&shelf).await;
        }
        if let Err(error) = self.discord.receiving.marks.flush(&shelf).await {
            tracing::debug!(%error, "how far rooms were read was not noted");
        }
        stored
    }

    /// What was begun is finished. What could not be stored comes again, or, should the session be over, is taken from here.
    async fn finish(mut self, mut finished: mpsc::UnboundedReceiver<Done>, end: End) -> Ended {
        let deadline = Instant::now() + LINGER;
        // Dropping ours ends the wait with the last of them.
        self.tell = mpsc::unbounded_channel().0;
        while let Ok(Some((which, result))) = tokio::time::timeout_at(deadline, finished.recv()).await {
            if result.is_ok() {
                self.end(which);
            }
        }
        self.work.shutdown().await;
        if let Some(session) = &mut self.session {
            self.progress.mark(session);
        }
        let of_this = self.expected.into_iter().chain(self.progress.under_way.into_values());
        let left: Vec<Arc<Value>> = self.owed.into_values().chain(of_this).collect();
        if !left.is_empty() {
            super::owed::keep(self.discord, &self.inbox.shelf(), left).await;
        }
        let came_up = self.came_up && self.refused.is_none();
        let unanswered = self.introduced && self.resumes && !self.came_up && self.refused.is_none();
        Ended { session: self.session, came_up, unanswered, end }
    }

    /// One message of the socket; `None`: nothing to look at.
    fn said(
        &self,
        frame: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
    ) -> Result<Option<Value>, End> {
        match frame {
            Some(Ok(Message::Text(said))) => match serde_json::from_str(said.as_str()) {
                Ok(frame) => Ok(Some(frame)),
                Err(_) => Err(End::Lost("the gateway sent something that is not JSON".into())),
            },
            Some(Ok(Message::Close(frame))) => Err(closed(frame.map(|frame| u16::from(frame.code)))),
            None => Err(closed(None)),
            Some(Ok(_)) => Ok(None),
            Some(Err(error)) => Err(End::Lost(plain(&error))),
        }
    }

    /// True: it greeted, and we have to introduce ourselves.
    fn heard(&mut self, frame: &Value, pulse: &mut Option<Pulse>, out: &mut Vec<Value>) -> Result<bool, End> {
        match frame["op"].as_u64() {
            Some(0) => self.dispatch(frame).map(|()| false),
            Some(1) => {
                out.push(self.beat());
                Ok(false)
            }
            Some(7) => Err(End::Lost("the gateway asks to come back".into())),
            Some(9) if frame["d"] == Value::Bool(true) => {
                Err(End::Lost("the session was interrupted".into()))
            }
            Some(9) => Err(End::Fresh("the session is over".into())),
            Some(10) => {
                let every = frame["d"]["heartbeat_interval"].as_u64().unwrap_or(41_250).clamp(50, 600_000);
                let every = Duration::from_millis(every);
                // "heartbeat_interval * jitter": not all clients of the world at once.
                *pulse =
                    Some(Pulse { every, next: Instant::now() + jittered(every), heard: true, held: false });
                Ok(true)
            }
            Some(11) => {
                if let Some(pulse) = pulse {
                    pulse.heard = true;
                }
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    /// How far all is stored, so that nothing is forgotten at the other end which we may ask for again.
    fn beat(&self) -> Value {
        match self.progress.stored() {
            0 => json!({ "op": 1, "d": null }),
            stored => json!({ "op": 1, "d": stored }),
        }
    }

    /// What we say first. A new session is counted only now: nothing is used up by a gateway that is not there.
    async fn introduce(&mut self) -> Result<Value, End> {
        if self.session.is_none() {
            let now = (self.discord.clock)();
            budget::spend(&self.inbox.shelf(), now).await.map_err(End::Refused)?;
        }
        self.recover();
        self.introduced = true;
        Ok(self.introduction())
    }

    fn introduction(&self) -> Value {
        let token = self.discord.sending.api.token().expose_secret();
        match &self.session {
            Some(session) => {
                json!({ "op": 6, "d": { "token": token, "session_id": session.id, "seq": session.seq } })
            }
            None => json!({ "op": 2, "d": {
                "token": token,
                "intents": self.intents.bits(),
                "properties": { "os": std::env::consts::OS, "browser": "deskbridge", "device": "deskbridge" },
            } }),
        }
    }

    fn dispatch(&mut self, frame: &Value) -> Result<(), End> {
        let Some(seq) = frame["s"].as_u64() else { return Ok(()) };
        let (kind, d) = (text(frame, "t").unwrap_or_default(), &frame["d"]);
        if self.came_up {
            // Before, what comes is what was missed, and older.
            self.progress.at = (self.discord.clock)();
        }
        match kind {
            "READY" => {
                let (Some(id), Some(url)) = (text(d, "session_id"), text(d, "resume_gateway_url")) else {
                    return Err(End::Fresh("READY without a session".into()));
                };
                let (id, url) = (id.to_owned(), url.to_owned());
                let known = self.since != Timestamp::EPOCH;
                let at = if known { self.since } else { (self.discord.clock)() };
                self.session = Some(Session { id, url, seq, at, intents: self.intents.bits() });
                self.progress = Progress { highest: seq, at: (self.discord.clock)(), ..Progress::default() };
                self.came_up();
                self.began = true;
                return Ok(());
            }
            "RESUMED" => {
                self.came_up();
                self.expected.clear();
                resumed(self.discord, self.inbox, self.me, &self.here);
                tracing::debug!(channel = %self.discord.channel, resumed = self.resumes, "the session goes on");
            }
            _ => {}
        }
        if learn::learn(self.discord, kind, d) {
            self.progress.pass(seq);
            return Ok(());
        }
        let mut frame = frame.clone();
        if let Some(session) = &self.session {
            frame["session"] = session.id.clone().into();
        }
        let event = Arc::new(frame);
        self.progress.begin(seq, event.clone());
        self.store(Which::New(seq), event);
        Ok(())
    }

    fn came_up(&mut self) {
        self.came_up = true;
        self.discord.receiving.listening.hears();
    }

    /// What could not be stored before. Nobody sends again what a session brought that is over: it is taken now, so that its
    /// places come before those of whatever was said since.
    fn recover(&mut self) {
        let goes_on = self.session.as_ref().map(|session| session.id.clone());
        for event in self.discord.receiving.owed.take() {
            if goes_on.is_some() && text(&event, "session") == goes_on.as_deref() {
                self.expected.push(event);
                continue;
            }
            let nth = self.owed.last_key_value().map_or(0, |(last, _)| last + 1);
            self.owed.insert(nth, event.clone());
            self.store(Which::Owed(nth), event);
        }
    }

    /// The place in the room's order is taken here, in the order of arrival.
    fn store(&mut self, which: Which, event: Arc<Value>) {
        let (discord, inbox, me) = (self.discord.clone(), self.inbox.clone(), self.me.clone());
        let done = self.tell.clone();
        let turn = discord.receiving.lanes.queue(room_of(&event).unwrap_or_default());
        let mut slot = Slot::new(turn, self.halted.clone());
        self.work.spawn(async move {
            let result = take(&discord, &inbox, &me, &event, &mut slot).await;
            if result.is_err() {
                // Before the next one of the room is let in: nothing is stored past it.
                slot.halt();
            }
            let _ = done.send((which, result));
        });
        while self.work.try_join_next().is_some() {}
    }
}

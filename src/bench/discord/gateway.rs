//! The gateway: one session, whose events go to the connection that came last and are repeated to it from where it resumes
//! ("Gateway › Connection Lifecycle", "Gateway › Resuming").
//!
//! Not here: what the events hold (`discord.rs`); shards, intents, close codes and limits (`tests/platforms` has those).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::APPLICATION;

const SESSION: &str = "bench";
/// As Discord's own.
const HEARTBEAT_MS: u64 = 41_250;
/// Events that are written to a connection before its own words are looked at again.
const TOGETHER: usize = 64;

/// Opcodes that are spoken here.
mod op {
    pub(super) const DISPATCH: u64 = 0;
    pub(super) const HEARTBEAT: u64 = 1;
    pub(super) const IDENTIFY: u64 = 2;
    pub(super) const RESUME: u64 = 6;
    pub(super) const INVALID_SESSION: u64 = 9;
    pub(super) const HELLO: u64 = 10;
    pub(super) const HEARTBEAT_ACK: u64 = 11;
}

#[derive(Clone, Default)]
pub(crate) struct Gateway(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    /// Something changed in it.
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// Every event of the session; the first has the number 1.
    events: Vec<Utf8Bytes>,
    /// How many of them the newest connection was given.
    given: usize,
    /// Connections that began or resumed a session; only the last one counts.
    connections: usize,
    connected: bool,
    /// Events that were written a second time after a Resume.
    repeated: usize,
}

impl Gateway {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `done` says so of the state.
    async fn until<T>(&self, done: impl Fn(&State) -> Option<T>) -> T {
        loop {
            let changed = self.0.changed.notified();
            if let Some(found) = done(&self.state()) {
                return found;
            }
            changed.await;
        }
    }

    /// Whether somebody came up within this time.
    pub(crate) async fn comes_up(&self, patience: Duration) -> bool {
        let up = self.until(|state| state.connected.then_some(()));
        tokio::time::timeout(patience, up).await.is_ok()
    }

    /// Events that were repeated after a Resume.
    pub(crate) fn repeated(&self) -> usize {
        self.state().repeated
    }

    /// A message as an event of the session. Returns when the connection's socket took it: no more is ever said of an event.
    /// Without a connection it returns at once, and the event waits for a Resume.
    pub(crate) async fn dispatch(&self, d: &str) {
        let number = self.push("MESSAGE_CREATE", d);
        self.until(|state| (!state.connected || state.given >= number).then_some(())).await;
    }

    /// Its number.
    fn push(&self, kind: &str, d: &str) -> usize {
        let number = {
            let mut state = self.state();
            let number = state.events.len() + 1;
            let event = format!(r#"{{"op":{},"t":"{kind}","s":{number},"d":{d}}}"#, op::DISPATCH);
            state.events.push(event.into());
            number
        };
        self.0.changed.notify_waiters();
        number
    }

    /// One connection, from its first word to its end.
    pub(super) async fn serve(self, mut socket: WebSocket, address: &str) {
        let hello = json!({ "op": op::HELLO, "d": { "heartbeat_interval": HEARTBEAT_MS } });
        if socket.send(Message::text(hello.to_string())).await.is_err() {
            return;
        }
        let Some(number) = self.greet(&mut socket, address).await else { return };
        self.talk(socket, number).await;
        let mut state = self.state();
        if state.connections == number {
            state.connected = false;
        }
        drop(state);
        self.0.changed.notify_waiters();
    }

    /// Until it is known which session it is; the connection's number.
    async fn greet(&self, socket: &mut WebSocket, address: &str) -> Option<usize> {
        loop {
            let said = heard(socket.recv().await?.ok()?);
            match said["op"].as_u64() {
                Some(op::HEARTBEAT) => socket.send(acknowledged()).await.ok()?,
                Some(op::IDENTIFY) => return Some(self.begin(address)),
                Some(op::RESUME) => match self.resume(&said["d"]) {
                    Some(number) => return Some(number),
                    None => {
                        let invalid = json!({ "op": op::INVALID_SESSION, "d": false });
                        socket.send(Message::text(invalid.to_string())).await.ok()?;
                    }
                },
                _ => {}
            }
        }
    }

    fn begin(&self, address: &str) -> usize {
        let number = {
            let mut state = self.state();
            if !state.events.is_empty() {
                // What it missed would be in Discord's history, which is not played here: then it counts as lost.
                eprintln!("the bridge began a new session; it could have resumed the one before");
            }
            (state.events, state.given) = (Vec::new(), 0);
            state.connections += 1;
            state.connected = true;
            state.connections
        };
        let ready = json!({
            "v": 10, "session_id": SESSION, "resume_gateway_url": address, "guilds": [],
            "user": { "id": APPLICATION, "username": "desk", "bot": true }, "application": { "id": APPLICATION },
        });
        self.push("READY", &ready.to_string());
        number
    }

    /// `None`: there is no such session, or it is not so long.
    fn resume(&self, d: &Value) -> Option<usize> {
        let from = usize::try_from(d["seq"].as_u64()?).ok()?;
        let mut state = self.state();
        if d["session_id"] != SESSION || from > state.events.len() || state.events.is_empty() {
            return None;
        }
        state.repeated += state.given.saturating_sub(from);
        state.given = from;
        state.connections += 1;
        state.connected = true;
        let number = state.connections;
        drop(state);
        self.push("RESUMED", "{}");
        Some(number)
    }

    /// Events go out and heartbeats are answered until one of the two ends it, or another connection comes.
    async fn talk(&self, socket: WebSocket, number: usize) {
        let (mut out, mut back) = socket.split();
        loop {
            tokio::select! {
                said = back.next() => {
                    let Some(Ok(said)) = said else { return };
                    if matches!(said, Message::Close(_)) {
                        return;
                    }
                    if heard(said)["op"].as_u64() == Some(op::HEARTBEAT) && out.send(acknowledged()).await.is_err() {
                        return;
                    }
                }
                events = self.until(|state| state.next(number)) => {
                    if events.is_empty() {
                        return;
                    }
                    let count = events.len();
                    for event in events {
                        if out.feed(Message::Text(event)).await.is_err() {
                            return;
                        }
                    }
                    if out.flush().await.is_err() || !self.gave(number, count) {
                        return;
                    }
                }
            }
        }
    }

    /// False: another connection came meanwhile.
    fn gave(&self, number: usize, count: usize) -> bool {
        let mut state = self.state();
        if state.connections != number {
            return false;
        }
        state.given += count;
        drop(state);
        self.0.changed.notify_waiters();
        true
    }
}

impl State {
    /// What this connection is to be given next; empty: nothing any more, for another one came.
    fn next(&self, number: usize) -> Option<Vec<Utf8Bytes>> {
        if self.connections != number {
            return Some(Vec::new());
        }
        let rest = self.events.get(self.given..).unwrap_or_default();
        (!rest.is_empty()).then(|| rest.iter().take(TOGETHER).cloned().collect())
    }
}

fn acknowledged() -> Message {
    Message::text(json!({ "op": op::HEARTBEAT_ACK }).to_string())
}

/// Anything but JSON is nothing.
fn heard(said: Message) -> Value {
    match said {
        Message::Text(text) => serde_json::from_str(text.as_str()).unwrap_or(Value::Null),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(events: usize) -> Gateway {
        let gateway = Gateway::default();
        gateway.begin("ws://127.0.0.1:1/discord/gateway");
        for _ in 1..events {
            gateway.push("MESSAGE_CREATE", "{}");
        }
        gateway
    }

    #[test]
    fn a_resume_goes_on_behind_the_last_event_that_was_taken() {
        let gateway = begun(5);
        assert!(gateway.gave(1, 5));
        assert_eq!(gateway.resume(&json!({ "session_id": "another", "seq": 2 })), None);
        assert_eq!(gateway.resume(&json!({ "session_id": SESSION, "seq": 6 })), None);
        assert_eq!(gateway.resume(&json!({ "session_id": SESSION, "seq": 2 })), Some(2));
        assert_eq!(gateway.repeated(), 3);
        assert!(!gateway.gave(1, 1), "the older connection is none any more");
        let again = gateway.state().next(2).unwrap();
        assert!(again[0].as_str().contains(r#""s":3,"#), "{}", again[0]);
        assert_eq!(again.len(), 4, "three again, and that it resumed");
        assert_eq!(gateway.state().next(1), Some(Vec::new()));
    }

    #[tokio::test]
    async fn without_a_connection_nobody_waits() {
        let gateway = begun(1);
        gateway.state().connected = false;
        gateway.dispatch("{}").await;
        assert_eq!(gateway.state().events.len(), 2);
        assert!(!gateway.comes_up(Duration::ZERO).await);
    }
}

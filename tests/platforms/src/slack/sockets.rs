//! Socket Mode: one-time addresses, envelopes, acknowledgements, refreshes (docs.slack.dev, "Using Socket Mode").
//! What is in an envelope is decided elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts as _;
use axum::extract::ws::{Message as Frame, WebSocket, WebSocketUpgrade};
use axum::http::Request;
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::ledger::Way;
use super::outgoing::{Envelope, Letter};
use super::postman::Outcome;
use super::team::{AppId, TeamId};
use super::world::{Shared, World};
use crate::encoding::pairs;
use crate::http::{self, Reply};

const PING_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) enum Order {
    Say(String),
    /// Ends the connection: with a close frame, or by cutting it.
    Close,
    Cut,
}

/// One connection of an app.
#[derive(Debug)]
pub struct Socket {
    pub app: AppId,
    /// No more payloads come through it: it was told to go.
    pub leaving: bool,
    pub(super) orders: mpsc::UnboundedSender<Order>,
}

#[derive(Debug, Default)]
pub struct Sockets {
    pub open: BTreeMap<u64, Socket>,
    /// How many were ever opened.
    pub opened: u64,
    /// One-time tickets of `apps.connections.open`.
    tickets: BTreeMap<String, (TeamId, AppId)>,
    waiting: BTreeMap<String, oneshot::Sender<Value>>,
    /// Which one got the last payload; the next one is next.
    turn: u64,
}

impl World {
    /// `apps.connections.open`.
    pub(super) fn socket_url(&mut self, team: &str, app: &str) -> String {
        let ticket = self.fresh("ticket");
        self.sockets.tickets.insert(ticket.clone(), (team.to_owned(), app.to_owned()));
        let host = self.base.trim_start_matches("http://");
        format!("ws://{host}/link/?ticket={ticket}&app_id={app}")
    }

    /// The connections of an app.
    pub fn sockets_of(&self, app: &str) -> usize {
        self.sockets.open.values().filter(|socket| socket.app == app).count()
    }

    fn next_socket(&mut self, app: &str) -> Option<mpsc::UnboundedSender<Order>> {
        let sockets = &mut self.sockets;
        let usable = |(_, socket): &(&u64, &Socket)| socket.app == app && !socket.leaving;
        let after = sockets.open.range(sockets.turn + 1..).find(usable);
        let (number, socket) = after.or_else(|| sockets.open.iter().find(usable))?;
        let (number, orders) = (*number, socket.orders.clone());
        sockets.turn = number;
        Some(orders)
    }

    /// Says `disconnect` with this reason to every connection of an app; a refresh ends them, too.
    pub(super) fn disconnect(&mut self, app: &str, reason: &str) {
        let text =
            json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "applink-fake" } });
        for socket in self.sockets.open.values_mut().filter(|socket| socket.app == app) {
            let _ = socket.orders.send(Order::Say(text.to_string()));
            if reason != "warning" {
                socket.leaving = true;
                let _ = socket.orders.send(Order::Close);
            }
        }
    }

    /// Cuts every connection of an app without a word.
    pub(super) fn cut_sockets(&mut self, app: &str) {
        for socket in self.sockets.open.values_mut().filter(|socket| socket.app == app) {
            socket.leaving = true;
            let _ = socket.orders.send(Order::Cut);
        }
    }

    pub(super) fn close_all(&mut self) {
        self.closed = true;
        for socket in self.sockets.open.values() {
            let _ = socket.orders.send(Order::Cut);
        }
    }
}

/// Through any connection; the answer is the acknowledgement.
pub(super) async fn deliver(shared: &Arc<Shared>, letter: &Letter, deadline: Duration) -> Outcome {
    let (tell, told) = oneshot::channel();
    let sent = shared.quietly(|world| {
        let id = world.fresh("envelope-");
        let orders = world.next_socket(&letter.app)?;
        let mut envelope = json!({
            "envelope_id": id, "type": letter.envelope.name(), "payload": letter.payload,
            "accepts_response_payload": letter.envelope != Envelope::Events,
        });
        if letter.envelope == Envelope::Events {
            envelope["retry_attempt"] = json!(letter.attempts);
            envelope["retry_reason"] = json!(letter.reason);
        }
        orders.send(Order::Say(envelope.to_string())).ok()?;
        world.sockets.waiting.insert(id.clone(), tell);
        Some(id)
    });
    let Some(id) = sent else { return Outcome::failed(Way::Socket, "connection_failed") };
    let ack = tokio::time::timeout(deadline, told).await;
    shared.quietly(|world| world.sockets.waiting.remove(&id));
    match ack {
        Ok(Ok(payload)) => {
            let body = match payload {
                Value::Null => String::new(),
                Value::String(text) => text,
                other => other.to_string(),
            };
            Outcome { way: Way::Socket, status: Some(200), body, reason: "", no_retry: false }
        }
        _ => Outcome::failed(Way::Socket, "timeout"),
    }
}

/// The handshake.
pub(super) async fn connect(shared: Arc<Shared>, request: Request<Incoming>) -> Reply {
    let (mut parts, _) = request.into_parts();
    let query = pairs(parts.uri.query().unwrap_or_default().as_bytes());
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let ticket = value("ticket").unwrap_or_default();
    let Some((_, app)) = shared.change(|world| world.sockets.tickets.remove(&ticket)) else {
        return Ok(http::text(403, "text/plain", "invalid ticket"));
    };
    let hurried = value("debug_reconnects").is_some_and(|it| it == "true");
    match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => Ok(upgrade.on_upgrade(move |socket| serve(shared, app, socket, hurried))),
        Err(refusal) => Ok(refusal.into_response()),
    }
}

async fn serve(shared: Arc<Shared>, app: AppId, mut socket: WebSocket, hurried: bool) {
    let (orders, mut ordered) = mpsc::unbounded_channel();
    let seconds = if hurried { 360 } else { 3600 };
    let (number, others, most) = shared.change(|world| {
        world.sockets.opened += 1;
        let (number, others) = (world.sockets.opened, world.sockets_of(&app));
        if others < world.settings.max_sockets && !world.closed {
            world.sockets.open.insert(number, Socket { app: app.clone(), leaving: false, orders });
        }
        (number, others, world.settings.max_sockets)
    });
    let hello = if others >= most {
        json!({ "type": "disconnect", "reason": "too_many_websockets", "debug_info": { "host": "applink-fake" } })
    } else {
        json!({
            "type": "hello", "num_connections": others + 1, "connection_info": { "app_id": app },
            "debug_info": { "host": "applink-fake", "build_number": 1, "approximate_connection_time": seconds },
        })
    };
    let greeted = socket.send(Frame::Text(hello.to_string().into())).await;
    if greeted.is_ok() && others < most {
        talk(&shared, &mut socket, &mut ordered).await;
    }
    shared.change(|world| world.sockets.open.remove(&number));
}

async fn talk(shared: &Arc<Shared>, socket: &mut WebSocket, ordered: &mut mpsc::UnboundedReceiver<Order>) {
    let mut pings = tokio::time::interval(PING_EVERY);
    loop {
        let sent = tokio::select! {
            order = ordered.recv() => match order {
                Some(Order::Say(text)) => socket.send(Frame::Text(text.into())).await,
                Some(Order::Close) => {
                    let _ = socket.send(Frame::Close(None)).await;
                    // What was acknowledged before the close frame arrived counts; a client that stays is cut.
                    let _ = tokio::time::timeout(PING_EVERY, drain(shared, socket)).await;
                    return;
                }
                Some(Order::Cut) | None => return,
            },
            _ = pings.tick() => socket.send(Frame::Ping("Ping from applink-fake".into())).await,
            frame = socket.recv() => match frame {
                Some(Ok(Frame::Text(text))) => { heard(shared, &text); Ok(()) }
                Some(Ok(Frame::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => Ok(()),
            },
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn drain(shared: &Arc<Shared>, socket: &mut WebSocket) {
    while let Some(Ok(frame)) = socket.recv().await {
        if let Frame::Text(text) = frame {
            heard(shared, &text);
        }
    }
}

fn heard(shared: &Arc<Shared>, text: &str) {
    shared.change(|world| {
        let Ok(ack) = serde_json::from_str::<Value>(text) else {
            world.ledger.violation(format!("a socket said what is no JSON: {text}"));
            return;
        };
        let Some(id) = ack["envelope_id"].as_str() else {
            world.ledger.violation(format!("an acknowledgement names no envelope: {text}"));
            return;
        };
        // After the deadline nobody waits any more.
        if let Some(waiting) = world.sockets.waiting.remove(id) {
            let _ = waiting.send(ack["payload"].clone());
        }
    });
}

//! One connection to the gateway: Hello, heartbeats, Identify and Resume, close codes ("Gateway › Connections").
//! What a session is and keeps is in `gateway`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts as _;
use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, WebSocketUpgrade};
use axum::http::Request;
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::gateway::{Order, Socket, close};
use super::ledger::GatewayEntry;
use super::world::{Shared, World};
use crate::encoding::pairs;
use crate::http::{self, Reply};

/// The longest payload that a client may send.
const MAX_PAYLOAD: usize = 4096;
/// What a client may send in a minute.
const MAX_SENDS: usize = 120;
const MINUTE: Duration = Duration::from_secs(60);
/// A client that was told to go and stays is cut.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a connection ends.
enum End {
    /// By the fake, with this code.
    Close(u16),
    Cut,
    /// By the client.
    Left(Option<u16>),
}

/// The handshake.
pub(super) async fn connect(shared: Arc<Shared>, request: Request<Incoming>) -> Reply {
    let (mut parts, _) = request.into_parts();
    let query = pairs(parts.uri.query().unwrap_or_default().as_bytes());
    if shared.read(|world| world.gateway.refusing) {
        return Ok(http::text(503, "text/plain", "no gateway"));
    }
    match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => Ok(upgrade.on_upgrade(move |socket| serve(shared, socket, query))),
        Err(refusal) => Ok(refusal.into_response()),
    }
}

/// What is wrong with the address that the client came by.
fn unwelcome(query: &[(String, String)]) -> Option<(u16, &'static str)> {
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if value("v").is_some_and(|version| version != "10") {
        return Some((close::INVALID_VERSION, "the gateway was asked for another version than 10"));
    }
    if value("encoding").is_some_and(|encoding| encoding != "json") {
        return Some((close::DECODE_ERROR, "the fake speaks JSON only"));
    }
    value("compress").map(|_| (close::DECODE_ERROR, "the fake does not compress"))
}

async fn serve(shared: Arc<Shared>, mut socket: WebSocket, query: Vec<(String, String)>) {
    let (orders, mut ordered) = mpsc::unbounded_channel();
    let (number, beat) = shared.change(|world| {
        world.gateway.opened += 1;
        let number = world.gateway.opened;
        world.gateway.sockets.insert(number, Socket { app: None, session: None, mute: false, orders });
        world.ledger.note(number, None, GatewayEntry::Connected);
        (number, world.settings.heartbeat)
    });
    let millis = u64::try_from(beat.as_millis()).unwrap_or(u64::MAX);
    let hello =
        json!({ "op": 10, "d": { "heartbeat_interval": millis, "_trace": [] }, "s": null, "t": null });
    let end = if let Some((code, why)) = unwelcome(&query) {
        shared.change(|world| world.ledger.violation(why));
        End::Close(code)
    } else if socket.send(Frame::Text(hello.to_string().into())).await.is_err() {
        End::Left(None)
    } else {
        talk(&shared, number, &mut socket, &mut ordered, beat).await
    };
    let code = shared.change(|world| finish(world, number, &end));
    if let Some(code) = code {
        let _ = socket.send(Frame::Close(Some(CloseFrame { code, reason: "".into() }))).await;
        let _ =
            tokio::time::timeout(PATIENCE, async { while let Some(Ok(_)) = socket.recv().await {} }).await;
    }
}

/// Writes the end down; the code to close with.
fn finish(world: &mut World, number: u64, end: &End) -> Option<u16> {
    let app = world.gateway.sockets.get(&number).and_then(|socket| socket.app);
    let (left, code) = match end {
        End::Close(code) => {
            world.ledger.note(number, app, GatewayEntry::Closed(*code));
            // These say that there is nothing to resume.
            if matches!(*code, close::INVALID_SEQ | close::SESSION_TIMED_OUT) {
                let session = world.gateway.sockets.get(&number).and_then(|socket| socket.session.clone());
                session.map(|id| world.gateway.sessions.remove(&id));
            }
            (None, Some(*code))
        }
        End::Cut => (None, None),
        End::Left(code) => {
            world.ledger.note(number, app, GatewayEntry::Left(*code));
            (*code, None)
        }
    };
    world.gone(number, left);
    code
}

async fn talk(
    shared: &Arc<Shared>,
    number: u64,
    socket: &mut WebSocket,
    ordered: &mut mpsc::UnboundedReceiver<Order>,
    beat: Duration,
) -> End {
    let mut sends: VecDeque<Instant> = VecDeque::new();
    // A beat may be late by half of its interval.
    let grace = beat + beat / 2;
    let mut overdue = tokio::time::Instant::now() + grace;
    loop {
        tokio::select! {
            order = ordered.recv() => match order {
                Some(Order::Say(text)) => {
                    if socket.send(Frame::Text(text.into())).await.is_err() {
                        return End::Left(None);
                    }
                }
                Some(Order::Close(code)) => return End::Close(code),
                Some(Order::Cut) | None => return End::Cut,
            },
            () = tokio::time::sleep_until(overdue) => return End::Close(close::SESSION_TIMED_OUT),
            frame = socket.recv() => {
                let text = match frame {
                    Some(Ok(Frame::Text(text))) => text,
                    Some(Ok(Frame::Close(frame))) => return End::Left(frame.map(|frame| frame.code)),
                    Some(Err(_)) | None => return End::Left(None),
                    Some(Ok(Frame::Binary(_))) => return End::Close(close::DECODE_ERROR),
                    Some(Ok(_)) => continue,
                };
                let now = Instant::now();
                sends.retain(|at| now.duration_since(*at) < MINUTE);
                sends.push_back(now);
                if sends.len() > MAX_SENDS {
                    return End::Close(close::RATE_LIMITED);
                }
                match shared.change(|world| heard(world, number, text.as_str())) {
                    Ok(true) => overdue = tokio::time::Instant::now() + grace,
                    Ok(false) => {}
                    Err(code) => return End::Close(code),
                }
            }
        }
    }
}

/// Does what a payload asks for; `true` for a heartbeat.
fn heard(world: &mut World, number: u64, text: &str) -> Result<bool, u16> {
    if text.len() > MAX_PAYLOAD {
        return Err(close::DECODE_ERROR);
    }
    let payload: Value = serde_json::from_str(text).map_err(|_| close::DECODE_ERROR)?;
    let data = &payload["d"];
    match payload["op"].as_u64() {
        Some(1) => {
            world.beat(number, data.as_u64());
            return Ok(true);
        }
        Some(2) => world.identify(number, data)?,
        Some(6) => world.resume(number, data)?,
        Some(op @ (3 | 4 | 8)) => {
            let session = world.gateway.sockets.get(&number).and_then(|socket| socket.session.clone());
            let session = session.ok_or(close::NOT_AUTHENTICATED)?;
            // Presence and voice have no effect that anybody sees here.
            if op == 8 {
                world.send_members(&session, data);
            }
        }
        Some(_) => return Err(close::UNKNOWN_OPCODE),
        None => return Err(close::DECODE_ERROR),
    }
    Ok(false)
}

impl World {
    fn beat(&mut self, number: u64, seq: Option<u64>) {
        let Some(socket) = self.gateway.sockets.get(&number) else { return };
        let app = socket.app;
        if !socket.mute {
            let _ = socket.orders.send(Order::Say(json!({ "op": 11 }).to_string()));
        }
        self.ledger.note(number, app, GatewayEntry::Heartbeat { seq });
    }

    /// "Request Guild Members": by ids or by the beginning of a name.
    fn send_members(&mut self, session: &str, wanted: &Value) {
        let guild = super::snowflake::Snowflake::of(&wanted["guild_id"]).and_then(|id| self.guilds.get(&id));
        let Some(guild) = guild else { return };
        let ids: Option<Vec<String>> = match &wanted["user_ids"] {
            Value::Array(ids) => Some(ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect()),
            Value::String(id) => Some(vec![id.clone()]),
            _ => None,
        };
        let start = wanted["query"].as_str().unwrap_or_default();
        let fits = |member: &&super::guild::Member| match &ids {
            Some(ids) => ids.contains(&member.user.to_string()),
            None => self.users.get(&member.user).is_some_and(|user| user.username.starts_with(start)),
        };
        let json = |member: &super::guild::Member| {
            let mut json = member.json();
            json["user"] = self.user_json(member.user);
            json
        };
        let members: Vec<Value> = guild.members.values().filter(fits).map(json).collect();
        let mut chunk = json!({
            "guild_id": guild.id, "members": members, "chunk_index": 0, "chunk_count": 1, "not_found": [],
        });
        if !wanted["nonce"].is_null() {
            chunk["nonce"] = wanted["nonce"].clone();
        }
        self.push(session, "GUILD_MEMBERS_CHUNK", chunk);
    }
}

//! One WebSocket: small buffers, a first frame that says who it is, and an end at once when rights end.
//!
//! Not here: what frames do (`act`).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::IntoResponse as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Answer, MAX_FRAME, Refusal, peer};
use crate::Widget;
use crate::hub::Listener;
use crate::ids::Token;
use crate::limits::Place;
use crate::people::Session;
use crate::translate::{self, Frame};

/// Ten thousand idle visitors cost what their buffers cost.
const READ_BUFFER: usize = 2 << 10;
/// Every frame goes out at once.
const WRITE_BUFFER: usize = 0;
const MAX_WRITE_BUFFER: usize = 256 << 10;
/// A socket that says nothing about itself is closed.
const HELLO: Duration = Duration::from_secs(10);
/// Keeps proxies from closing what is merely quiet, and finds those who are gone.
const PING: Duration = Duration::from_secs(27);
/// Without a sign of life for so long, nobody is there.
const SILENCE: Duration = Duration::from_secs(75);
/// Writing to somebody who does not read ends.
const WRITE: Duration = Duration::from_secs(20);
/// Frames that cannot be read, before the connection ends.
const NONSENSE: u32 = 5;

/// Close codes of our own ("RFC 6455" 7.4.2).
const UNAUTHORIZED: u16 = 4401;
const TRY_AGAIN: u16 = 4503;
const MISBEHAVED: u16 = 4400;

pub(super) async fn open(State(widget): State<Arc<Widget>>, request: Request) -> Answer {
    let from = peer(&request);
    let address =
        widget.addresses.take_address(from).ok_or_else(|| Refusal::slow(Duration::from_secs(30)))?;
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return Ok(rejection.into_response()),
    };
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(MAX_FRAME)
        .max_frame_size(MAX_FRAME);
    Ok(upgrade.on_upgrade(move |socket| serve(widget, socket, from, address)))
}

/// Why a connection ends, for the browser.
struct End(u16, &'static str);

async fn serve(widget: Arc<Widget>, mut socket: WebSocket, from: IpAddr, _address: Place<IpAddr>) {
    let stop = widget.stopping.clone();
    let end = match greet(&widget, &mut socket, from).await {
        Ok((session, place, listener)) => {
            let talk = talk(&widget, &mut socket, &session, listener);
            let end = tokio::select! {
                end = talk => end,
                () = stop.notified() => Some(End(TRY_AGAIN, "restarting")),
            };
            drop(place);
            end
        }
        Err(end) => end,
    };
    if let Some(End(code, reason)) = end {
        let close = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        // It is closed either way.
        let _ = tokio::time::timeout(WRITE, socket.send(Message::Close(Some(close)))).await;
    }
}

type Greeted = (Arc<Session>, Place<String>, Listener);

/// The first frame, and everything that was missed.
async fn greet(widget: &Arc<Widget>, socket: &mut WebSocket, from: IpAddr) -> Result<Greeted, Option<End>> {
    let first = tokio::time::timeout(HELLO, next_text(socket)).await;
    let Ok(Some(text)) = first else { return Err(Some(End(MISBEHAVED, "no hello"))) };
    let Ok(frame @ Frame::Hello { .. }) = translate::frame(text.as_bytes()) else {
        return Err(Some(End(MISBEHAVED, "no hello")));
    };
    let Frame::Hello { token, .. } = &frame else { return Err(None) };
    let session = widget.session_by(Token::parse(token), from).await.map_err(|refusal| {
        Some(if refusal.status.is_server_error() {
            End(TRY_AGAIN, "unavailable")
        } else {
            End(UNAUTHORIZED, refusal.code)
        })
    })?;
    let place = widget
        .visitors
        .take(session.visitor.0.clone())
        .ok_or(Some(End(TRY_AGAIN, "too many connections")))?;
    // Listening begins before what was missed is read: nothing falls between.
    let listener = widget.hub.listen(&session.visitor, &session.digest);
    match widget.carry_out(&session, frame).await {
        Ok(outcome) => write_all(socket, &outcome.frames).await.map_err(|()| None)?,
        Err(refusal) => {
            let code = if refusal.status.as_u16() == 401 { UNAUTHORIZED } else { TRY_AGAIN };
            return Err(Some(End(code, refusal.code)));
        }
    }
    Ok((session, place, listener))
}

async fn next_text(socket: &mut WebSocket) -> Option<Utf8Bytes> {
    loop {
        match socket.recv().await?.ok()? {
            Message::Text(text) => return Some(text),
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Binary(_) | Message::Close(_) => return None,
        }
    }
}

async fn write(socket: &mut WebSocket, message: Message) -> Result<(), ()> {
    tokio::time::timeout(WRITE, socket.send(message)).await.map_err(|_| ())?.map_err(|_| ())
}

async fn write_all(socket: &mut WebSocket, frames: &[Value]) -> Result<(), ()> {
    for frame in frames {
        write(socket, Message::Text(frame.to_string().into())).await?;
    }
    Ok(())
}

/// Until somebody leaves, or the session's rights end. `None`: the other side is gone already.
async fn talk(
    widget: &Arc<Widget>,
    socket: &mut WebSocket,
    session: &Session,
    mut listener: Listener,
) -> Option<End> {
    let mut nonsense = 0;
    let mut heard = Instant::now();
    let mut ping = tokio::time::interval_at(Instant::now() + PING, PING);
    let rights = tokio::time::sleep(session.until.since((widget.clock)()));
    tokio::pin!(rights);
    loop {
        tokio::select! {
            () = listener.cut.notified() => {
                let ended = !session.holds((widget.clock)());
                return Some(if ended { End(UNAUTHORIZED, "session-ended") } else { End(TRY_AGAIN, "behind") });
            }
            () = &mut rights => return Some(End(UNAUTHORIZED, "session-ended")),
            Some(frame) = listener.frames.recv() => {
                write(socket, Message::Text(frame.as_ref().into())).await.ok()?;
            }
            _ = ping.tick() => {
                if heard.elapsed() > SILENCE {
                    return None;
                }
                write(socket, Message::Ping(Vec::new().into())).await.ok()?;
            }
            message = socket.recv() => {
                heard = Instant::now();
                let text = match message?.ok()? {
                    Message::Text(text) => text,
                    Message::Ping(_) | Message::Pong(_) => continue,
                    Message::Binary(_) => return Some(End(MISBEHAVED, "binary")),
                    Message::Close(_) => return None,
                };
                match answer(widget, session, text.as_bytes(), &mut nonsense).await {
                    Ok((frames, ends)) => {
                        write_all(socket, &frames).await.ok()?;
                        if ends {
                            return Some(End(UNAUTHORIZED, "logged-out"));
                        }
                    }
                    Err(end) => return Some(end),
                }
            }
        }
    }
}

async fn answer(
    widget: &Arc<Widget>,
    session: &Session,
    payload: &[u8],
    nonsense: &mut u32,
) -> Result<(Vec<Value>, bool), End> {
    let id = id_of(payload);
    let refused = match translate::frame(payload) {
        Ok(Frame::Hello { .. }) | Err(_) => Refusal::malformed(),
        Ok(frame) => match widget.carry_out(session, frame).await {
            Ok(outcome) => return Ok((outcome.frames, outcome.ends)),
            Err(refusal) if refusal.status.as_u16() == 401 => return Err(End(UNAUTHORIZED, "session-ended")),
            Err(refusal) => refusal,
        },
    };
    if refused.code == "malformed" {
        *nonsense += 1;
        if *nonsense >= NONSENSE {
            return Err(End(MISBEHAVED, "unreadable frames"));
        }
    }
    Ok((vec![refused.frame(&id)], false))
}

/// What the browser called the act, so that it knows what was refused.
fn id_of(payload: &[u8]) -> String {
    let value: Value = serde_json::from_slice(payload).unwrap_or_else(|_| json!({}));
    value.get("id").and_then(Value::as_str).map(|id| id.chars().take(64).collect()).unwrap_or_default()
}

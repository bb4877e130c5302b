//! One WebSocket: a first frame that says who it is, and an end at once when rights end. What ten thousand idle visitors
//! cost is what this task holds while nothing is said: no buffer, and no frame of a future that only acts need.
//!
//! Not here: frames of the protocol (`wire`), what frames do (`act`).

use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::wire::{Broken, Said, Wire};
use super::{Answer, MAX_FRAME, Refusal, peer};
use crate::Widget;
use crate::hub::{Cut, Listener};
use crate::ids::Token;
use crate::limits::Place;
use crate::people::Session;
use crate::translate::{self, Frame};

/// A socket that says nothing about itself is closed (S60).
const HELLO: Duration = Duration::from_secs(5);
/// Keeps proxies from closing what is merely quiet, and finds those who are gone.
const PING: Duration = Duration::from_secs(27);
/// Without a sign of life for so long, nobody is there.
const SILENCE: Duration = Duration::from_secs(75);
/// Writing to somebody who does not read ends.
const WRITE: Duration = Duration::from_secs(20);
/// What somebody has to take the goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// Frames that cannot be read, before the connection ends.
const NONSENSE: u32 = 5;
/// Pings of somebody who has not said who they are, before the connection ends.
const STRANGE: u32 = 10;

/// Close codes of our own ("RFC 6455" 7.4.2), and those of the protocol (7.4.1).
const UNAUTHORIZED: u16 = 4401;
const TRY_AGAIN: u16 = 4503;
const MISBEHAVED: u16 = 4400;
const NORMAL: u16 = 1000;
const PROTOCOL: u16 = 1002;
const GARBLED: u16 = 1007;
const POLICY: u16 = 1008;
const TOO_LONG: u16 = 1009;
/// The reason of a 4401 that says nothing about the session: none was shown in time, or not as the first thing.
const NO_HELLO: &str = "no-hello";

pub(super) async fn open(State(widget): State<Arc<Widget>>, request: Request) -> Answer {
    let from = peer(&request);
    let address =
        widget.addresses.take_address(from).ok_or_else(|| Refusal::slow(Duration::from_secs(30)))?;
    let (mut parts, _) = request.into_parts();
    let upgrade = parts.extensions.get::<OnUpgrade>().cloned();
    // It knows what a handshake has to look like; the connection itself is ours, for it would buffer.
    if let Err(rejection) = WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        return Ok(rejection.into_response());
    }
    let key = parts.headers.get(header::SEC_WEBSOCKET_KEY).ok_or_else(Refusal::malformed)?;
    let accept = derive_accept_key(key.as_bytes());
    let upgrade = upgrade.ok_or_else(Refusal::malformed)?;
    tokio::spawn(async move {
        // They may be gone before it comes to that.
        if let Ok(upgraded) = upgrade.await {
            serve(widget, Wire::new(TokioIo::new(upgraded), MAX_FRAME), from, address).await;
        }
    });
    let headers = [
        (header::CONNECTION, "upgrade"),
        (header::UPGRADE, "websocket"),
        (header::SEC_WEBSOCKET_ACCEPT, accept.as_str()),
    ];
    let response: Response = (StatusCode::SWITCHING_PROTOCOLS, headers, Body::empty()).into_response();
    Ok(response)
}

/// Why a connection ends, for the browser. `None`: it cannot be told any more.
struct End(u16, &'static str);
type Ended = Option<End>;

impl From<Cut> for End {
    fn from(cut: Cut) -> End {
        match cut {
            Cut::Ended => End(UNAUTHORIZED, "session-ended"),
            Cut::Behind => End(TRY_AGAIN, "behind"),
            Cut::Stopping => End(TRY_AGAIN, "restarting"),
        }
    }
}

fn broken(how: &Broken) -> Ended {
    match how {
        Broken::Gone => None,
        Broken::Protocol => Some(End(PROTOCOL, "protocol")),
        Broken::Garbled => Some(End(GARBLED, "not UTF-8")),
        Broken::TooLong => Some(End(TOO_LONG, "too long")),
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send>(
    widget: Arc<Widget>,
    mut wire: Wire<S>,
    from: IpAddr,
    _address: Place<IpAddr>,
) {
    let end = match Box::pin(greet(&widget, &mut wire, from)).await {
        Ok(here) => talk(&widget, &mut wire, here).await,
        Err(end) => end,
    };
    if let Some(End(code, reason)) = end {
        // It is closed either way.
        let _ = timeout(GOODBYE, Box::pin(wire.close(code, reason))).await;
    }
}

/// Somebody who said who they are.
struct Here {
    session: Arc<Session>,
    listener: Listener,
    _place: Place<String>,
}

/// The first frame, and everything that was missed.
async fn greet<S: AsyncRead + AsyncWrite + Unpin + Send>(
    widget: &Arc<Widget>,
    wire: &mut Wire<S>,
    from: IpAddr,
) -> Result<Here, Ended> {
    let first = timeout(HELLO, first_text(wire)).await;
    let text = first.map_err(|_| Some(End(UNAUTHORIZED, NO_HELLO)))??;
    let Ok(frame @ Frame::Hello { .. }) = translate::frame(text.as_bytes()) else {
        return Err(Some(End(UNAUTHORIZED, NO_HELLO)));
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
    let here = Here { listener: widget.hub.listen(&session), session, _place: place };
    match widget.carry_out(&here.session, frame).await {
        Ok(outcome) => {
            for frame in &outcome.frames {
                write(&here, wire.text(&frame.to_string())).await?;
            }
            Ok(here)
        }
        Err(refusal) => {
            let code = if refusal.status.as_u16() == 401 { UNAUTHORIZED } else { TRY_AGAIN };
            Err(Some(End(code, refusal.code)))
        }
    }
}

async fn first_text<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>) -> Result<String, Ended> {
    for _ in 0..STRANGE {
        match wire.next().await.map_err(|how| broken(&how))? {
            Said::Text(text) => return Ok(text),
            Said::Ping(_) | Said::Pong => {}
            Said::Binary => return Err(Some(End(POLICY, "binary"))),
            Said::Close => return Err(None),
        }
    }
    Err(Some(End(POLICY, "too many frames")))
}

/// Writes, for as long as somebody has to read it and rights do not end.
async fn write(here: &Here, writing: impl Future<Output = io::Result<()>>) -> Result<(), Ended> {
    tokio::select! {
        biased;
        written = timeout(WRITE, writing) => match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(None),
        },
        cut = here.listener.cut() => Err(Some(cut.into())),
    }
}

/// What there is to do next.
enum Next {
    Tell(Result<Arc<str>, Cut>),
    Said(Result<Said, Broken>),
    Due,
}

/// Until somebody leaves, or the session's rights end.
async fn talk<S: AsyncRead + AsyncWrite + Unpin + Send>(
    widget: &Arc<Widget>,
    wire: &mut Wire<S>,
    here: Here,
) -> Ended {
    let mut nonsense = 0;
    let mut heard = Instant::now();
    let rights = heard + here.session.until.since((widget.clock)());
    let mut ping = heard + PING;
    let mut due = pin!(sleep_until(ping.min(rights)));
    loop {
        let next = tokio::select! {
            next = here.listener.next() => Next::Tell(next),
            said = wire.next() => Next::Said(said),
            () = due.as_mut() => Next::Due,
        };
        // On the heap for as long as it takes: an idle visitor waits above.
        let done = match next {
            Next::Tell(Err(cut)) => return Some(cut.into()),
            Next::Tell(Ok(frame)) => Box::pin(write(&here, wire.text(&frame))).await,
            Next::Said(said) => {
                heard = Instant::now();
                Box::pin(hear(widget, wire, &here, said, &mut nonsense)).await
            }
            Next::Due => {
                let now = Instant::now();
                if now >= rights {
                    return Some(End(UNAUTHORIZED, "session-ended"));
                }
                if heard.elapsed() > SILENCE {
                    return None;
                }
                ping = now + PING;
                due.as_mut().reset(ping.min(rights));
                Box::pin(write(&here, wire.ping())).await
            }
        };
        if let Err(end) = done {
            return end;
        }
    }
}

/// Does what somebody said, and answers.
async fn hear<S: AsyncRead + AsyncWrite + Unpin + Send>(
    widget: &Arc<Widget>,
    wire: &mut Wire<S>,
    here: &Here,
    said: Result<Said, Broken>,
    nonsense: &mut u32,
) -> Result<(), Ended> {
    let said = said.map_err(|how| broken(&how))?;
    // Whatever it is: a ping costs an answer, too (S61).
    if !matches!(said, Said::Close) && widget.limits.frame(&here.session.visitor.0).is_err() {
        return Err(Some(End(POLICY, "too many frames")));
    }
    let text = match said {
        Said::Text(text) => text,
        Said::Ping(payload) => return write(here, wire.pong(&payload)).await,
        Said::Pong => return Ok(()),
        Said::Binary => return Err(Some(End(POLICY, "binary"))),
        Said::Close => return Err(Some(End(NORMAL, ""))),
    };
    let (frames, ends) = answer(widget, &here.session, text.as_bytes(), nonsense).await.map_err(Some)?;
    for frame in frames {
        write(here, wire.text(&frame.to_string())).await?;
    }
    if ends { Err(Some(End(UNAUTHORIZED, "logged-out"))) } else { Ok(()) }
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

#[cfg(test)]
mod tests;

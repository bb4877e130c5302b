//! The same events by HTTP, for networks that let no WebSocket through: a stream of frames; acts go by `/act`.
//!
//! Not here: what frames say.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::IntoResponse as _;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream;
use serde::Deserialize;

use super::{Answer, Refusal, body, shown};
use crate::Widget;
use crate::hub::Listener;
use crate::people::Session;
use crate::translate::Frame;

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    cursors: BTreeMap<String, u64>,
}

pub(super) async fn open(State(widget): State<Arc<Widget>>, request: Request) -> Answer {
    let (token, from) = shown(&request);
    let session = widget.session_by(token, from).await?;
    let busy = || Refusal::slow(Duration::from_secs(30));
    let address = widget.addresses.take_address(from).ok_or_else(busy)?;
    let place = widget.visitors.take(session.visitor.0.clone()).ok_or_else(busy)?;
    let bytes = body(request.into_body()).await?;
    let wanted: Wanted = serde_json::from_slice(&bytes).map_err(|_| Refusal::malformed())?;
    let listener = widget.hub.listen(&session);
    let missed = widget.carry_out(&session, Frame::Resume { cursors: wanted.cursors }).await?;
    let missed: Vec<Arc<str>> = missed.frames.iter().map(|frame| frame.to_string().into()).collect();
    let state =
        Streaming { missed: missed.into_iter(), listener, session, widget, _places: (address, place) };
    let frames = stream::unfold(state, |mut state| async move {
        let frame = state.next().await?;
        Some((Ok::<_, Infallible>(Event::default().data(frame.as_ref())), state))
    });
    let alive = KeepAlive::new().interval(Duration::from_secs(20));
    Ok(Sse::new(frames).keep_alive(alive).into_response())
}

struct Streaming<P> {
    missed: std::vec::IntoIter<Arc<str>>,
    listener: Listener,
    session: Arc<Session>,
    widget: Arc<Widget>,
    _places: P,
}

impl<P> Streaming<P> {
    /// `None`: it ends, because rights ended or somebody is too far behind.
    async fn next(&mut self) -> Option<Arc<str>> {
        if let Some(frame) = self.missed.next() {
            return Some(frame);
        }
        let left = self.session.until.since((self.widget.clock)());
        tokio::select! {
            next = self.listener.next() => next.ok(),
            () = tokio::time::sleep(left) => None,
        }
    }
}

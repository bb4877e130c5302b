//! One connection from its first byte to its last.
//!
//! Not here: which connection has to go (`register`), which heads are let through (`strict`).

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::register::{Busy, Line};
use super::strict::Strict;
use crate::http::limits::Limits;

/// Streams that one HTTP/2 connection may have open.
const STREAMS: u32 = 100;
/// An HTTP/2 peer that answers no ping is gone.
const PING: Duration = Duration::from_secs(20);
/// What an idle peer has to take the news that the connection ends.
const GOODBYE: Duration = Duration::from_secs(1);

/// Serves until the peer leaves, stays silent for too long, or the program stops.
pub(super) async fn serve(
    stream: TcpStream,
    line: Line,
    router: Router,
    limits: Arc<Limits>,
    stop: CancellationToken,
) {
    let line = Arc::new(line);
    let serving = line.clone();
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        answer(router.clone(), serving.clone(), request)
    });
    let builder = builder(&limits);
    let io = TokioIo::new(Strict::new(stream, limits.head, limits.head_read));
    let mut connection = pin!(builder.serve_connection_with_upgrades(io, service));
    let mut ending = None;
    let mut look = tokio::time::Instant::now() + limits.first_request;
    loop {
        tokio::select! {
            // What goes wrong on one connection is the peer's: resets, broken heads, wrong frames.
            _ = connection.as_mut() => return,
            () = line.closed() => return,
            () = stop.cancelled(), if ending.is_none() => {
                connection.as_mut().graceful_shutdown();
                ending = Some(limits.drain);
                look = tokio::time::Instant::now() + limits.drain;
            }
            () = tokio::time::sleep_until(look) => {
                if ending.is_some() {
                    return;
                }
                let left = line.patience(&limits).unwrap_or_else(|| {
                    connection.as_mut().graceful_shutdown();
                    ending = Some(GOODBYE);
                    GOODBYE
                });
                look = tokio::time::Instant::now() + left;
            }
        }
    }
}

fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // `Strict` keeps this time: here it would also end connections that proxies keep for later.
        .header_read_timeout(None)
        .max_buf_size(limits.head.max(8 << 10))
        .max_headers(100);
    let list = u32::try_from(limits.head).unwrap_or(u32::MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(list)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

async fn answer(
    router: Router,
    line: Arc<Line>,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let busy = line.begin();
    request.extensions_mut().insert(ConnectInfo(line.peer));
    let upgrade = request.headers().contains_key(header::UPGRADE);
    let mut response = router.oneshot(request.map(Body::new)).await?;
    // After a head with `Upgrade`, `Strict` looks no further; the connection must not carry another request.
    if upgrade && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|inner| Body::new(Tracked { inner, _busy: busy })))
}

/// An answer's body that keeps its connection busy until it is handed over.
struct Tracked {
    inner: Body,
    _busy: Busy,
}

impl HttpBody for Tracked {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Poll::Ready(ready!(Pin::new(&mut self.inner).poll_frame(cx)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

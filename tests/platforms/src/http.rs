//! A small HTTP/1 server for fakes: unlike a framework's, its answer may be "drop the connection".
//! What is asked and what is answered is not here.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The answer "close the socket, say nothing".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hangup;

impl fmt::Display for Hangup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection closed on purpose")
    }
}

impl std::error::Error for Hangup {}

pub type Reply = Result<Response<Body>, Hangup>;

/// While on, every new connection and every new request on an old one is dropped unread: the platform is down.
#[derive(Debug, Clone, Default)]
pub struct Outage(Arc<AtomicBool>);

impl Outage {
    pub fn set(&self, down: bool) {
        self.0.store(down, Ordering::SeqCst);
    }

    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A listening fake. Dropping it closes the listener and every connection.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    accepting: tokio::task::AbortHandle,
}

impl Server {
    /// Listens on `address` (port 0 picks a free one) and answers every request with `answer`.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start<F, Fut>(address: SocketAddr, outage: Outage, answer: F) -> io::Result<Server>
    where
        F: Fn(Request<Incoming>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Reply> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, outage, answer)).abort_handle();
        Ok(Server { address, accepting })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept<F, Fut>(listener: TcpListener, outage: Outage, answer: F)
where
    F: Fn(Request<Incoming>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Reply> + Send + 'static,
{
    // The set owns the connections: aborting this task aborts them too.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                if !outage.is_on() {
                    connections.spawn(serve(stream, outage.clone(), answer.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve<F, Fut>(stream: TcpStream, outage: Outage, answer: F)
where
    F: Fn(Request<Incoming>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Reply> + Send + 'static,
{
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let down = outage.is_on();
        let answered = (!down).then(|| answer(request));
        async move {
            match answered {
                Some(answered) => answered.await,
                None => Err(Hangup),
            }
        }
    });
    // An error here is a client that went away or a hang-up we asked for.
    let _ = hyper::server::conn::http1::Builder::new()
        .max_buf_size(1 << 20)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

/// A JSON answer.
pub fn json(status: u16, body: &serde_json::Value) -> Response<Body> {
    text(status, "application/json", body.to_string())
}

/// An answer with any text body.
pub fn text(status: u16, content_type: &str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(value) = header::HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}

/// The page that a proxy or a login wall answers with instead of the API.
pub fn html_page(status: u16) -> Response<Body> {
    let page = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>";
    text(status, "text/html; charset=utf-8", page)
}

/// The connection's end in the middle of a body: what was written before must leave first, which the server does
/// only while it waits for more.
pub async fn after_flush() -> Hangup {
    tokio::time::sleep(Duration::from_millis(5)).await;
    Hangup
}

/// Promises more bytes than it sends, then drops the connection.
pub fn cut_short(body: Bytes) -> Response<Body> {
    let promised = body.len() + 1000;
    let start = body.slice(..body.len() / 2);
    let parts = futures_util::stream::unfold(Some(start), |start| async move {
        match start {
            Some(start) => Some((Ok(start), None)),
            None => Some((Err(after_flush().await), None)),
        }
    });
    let mut response = text(200, "application/json", Body::from_stream(parts));
    response.headers_mut().insert(header::CONTENT_LENGTH, promised.into());
    response
}

/// Sends `body` one byte at a time.
pub fn dripping(body: Bytes, every: Duration) -> Response<Body> {
    let drops = futures_util::stream::unfold((body, 0), move |(body, at)| async move {
        if at >= body.len() {
            return None;
        }
        tokio::time::sleep(every).await;
        let drop = body.slice(at..=at);
        Some((Ok::<_, Infallible>(drop), (body, at + 1)))
    });
    text(200, "application/json", Body::from_stream(drops))
}

/// A body that never ends: the reader must have a cap.
pub fn endless() -> Response<Body> {
    let piece = Bytes::from(vec![b' '; 16 * 1024]);
    let pieces = futures_util::stream::repeat_with(move || Ok::<_, Infallible>(piece.clone()));
    text(200, "application/json", Body::from_stream(pieces))
}

/// An answer with `size` bytes of headers.
pub fn huge_headers(body: String, size: usize) -> Response<Body> {
    let mut response = text(200, "application/json", body);
    let line = "x".repeat(4000);
    for n in 0..size.div_ceil(line.len()) {
        let name = header::HeaderName::from_bytes(format!("x-filler-{n}").as_bytes());
        let value = header::HeaderValue::from_str(&line);
        if let (Ok(name), Ok(value)) = (name, value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

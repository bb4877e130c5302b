//! Over real sockets: slow, silent, too long, ambiguous (S25, S31, S32, Q14).
//!
//! Not here: HTTP/2 (`http2`).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use axum::routing::{get, post};
use deskbridge::http::limits::Limits;
use deskbridge::http::server::serve_with;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::office::Office;

/// A hook that reads whatever comes, and knows a bad signature when it sees one.
pub fn hook() -> Router {
    async fn receive(body: Body) -> StatusCode {
        match to_bytes(body, usize::MAX).await {
            Ok(bytes) if bytes.windows(3).any(|word| word == b"bad") => StatusCode::UNAUTHORIZED,
            Ok(_) => StatusCode::OK,
            // As if it were the platform's fault; the answer must say what it really was.
            Err(_) => StatusCode::OK,
        }
    }
    async fn slow() -> StatusCode {
        tokio::time::sleep(Duration::from_millis(500)).await;
        StatusCode::OK
    }
    Router::new().route("/", post(receive)).route("/slow", get(slow))
}

pub fn quick() -> Limits {
    Limits {
        head_read: Duration::from_millis(200),
        first_request: Duration::from_millis(200),
        idle: Duration::from_millis(400),
        body_read: Duration::from_millis(300),
        ..Limits::default()
    }
}

pub struct Served {
    _office: Office,
    pub address: SocketAddr,
    pub stop: CancellationToken,
}

pub async fn served(limits: Limits) -> Served {
    let office = Office::open_with("", limits.clone()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    let stop = CancellationToken::new();
    tokio::spawn(serve_with(listener, office.router.clone(), stop.clone(), limits));
    Served { _office: office, address, stop }
}

impl Served {
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connected")
    }

    /// Sends, and reads until the other side closes or says nothing for a while.
    pub async fn say(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.expect("sent");
        until_closed(&mut stream).await
    }
}

pub async fn until_closed(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is a way of closing, too.
    let _ = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer))
        .await
        .expect("closed in time");
    String::from_utf8_lossy(&answer).into_owned()
}

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn an_ordinary_request() {
    let served = served(Limits::default()).await;
    let answer = served.say(HEALTH).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nok"), "{answer}");
    assert!(!answer.to_lowercase().contains("\r\nserver:"));
    // Two on one connection, sent at once.
    let two = [b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".as_slice(), HEALTH].concat();
    assert_eq!(served.say(&two).await.matches("200 OK").count(), 2);
}

#[tokio::test]
async fn s31_slow_heads_and_silent_connections_end() {
    let served = served(quick()).await;
    let mut silent = served.connect().await;
    let mut drip = served.connect().await;
    let began = Instant::now();
    let dripping = tokio::spawn(async move {
        for byte in b"GET /healthz HTTP/1.1\r\nX-Slow: ".iter().chain(std::iter::repeat(&b'a')) {
            if drip.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert_eq!(until_closed(&mut silent).await, "");
    dripping.await.expect("ended");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    // After an answer a connection may rest, for a while.
    let mut kept = served.connect().await;
    kept.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("sent");
    let began = Instant::now();
    assert!(until_closed(&mut kept).await.ends_with("ok"));
    assert!(began.elapsed() >= Duration::from_millis(350), "{:?}", began.elapsed());
}

#[tokio::test]
async fn s31_slow_bodies_end() {
    let served = served(quick()).await;
    let head = "POST /hooks/probe HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    let answer = served.say(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("application/problem+json"));
}

#[tokio::test]
async fn s31_silent_connections_keep_nobody_out() {
    let limits = Limits { connections: 50, ..Limits::default() };
    let served = served(limits).await;
    let mut crowd = Vec::new();
    for _ in 0..200 {
        crowd.push(served.connect().await);
    }
    // Who has just come may have a request on the way, and is not the first to go.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let began = Instant::now();
    assert!(served.say(HEALTH).await.ends_with("ok"));
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

#[tokio::test]
async fn q14_too_many_at_work_are_told_at_once() {
    let served = served(Limits { connections: 2, hooks: 1, ..Limits::default() }).await;
    let slow = b"GET /hooks/probe/slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mut working = Vec::new();
    for _ in 0..2 {
        let mut stream = served.connect().await;
        stream.write_all(slow).await.expect("sent");
        working.push(stream);
    }
    // The second of the two finds the hooks' one place taken; the third connection finds no place at all.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let second = until_closed(&mut working[1]).await;
    assert!(second.starts_with("HTTP/1.1 503 ") && second.contains("retry-after: 1"), "{second}");
    let mut third = served.connect().await;
    third.write_all(slow).await.expect("sent");
    let mut fourth = served.connect().await;
    fourth.write_all(HEALTH).await.expect("sent");
    assert!(until_closed(&mut working[0]).await.starts_with("HTTP/1.1 200 "));
    for mut stream in [third, fourth] {
        let answer = until_closed(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 503 ") || answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[tokio::test]
async fn s25_endless_chunks_are_cut() {
    let served = served(Limits::default()).await;
    let mut stream = served.connect().await;
    let head = "POST /hooks/probe HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let piece = format!("4000\r\n{}\r\n", "a".repeat(0x4000));
    let mut sent = 0;
    while sent < 64 << 20 && stream.write_all(piece.as_bytes()).await.is_ok() {
        sent += piece.len();
    }
    assert!(sent < 16 << 20, "{sent} bytes were taken");
    let told = served
        .say(b"POST /hooks/probe HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10737418240\r\n\r\n")
        .await;
    assert!(told.starts_with("HTTP/1.1 413 "), "{told}");
}

#[tokio::test]
async fn s32_ambiguous_requests_are_refused() {
    let served = served(Limits::default()).await;
    for bad in [
        "POST /hooks/probe HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
        "POST /hooks/probe HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG",
        "POST /hooks/probe HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /hooks/probe HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
        "POST /hooks/probe HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na",
        "POST /hooks/probe HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
        "POST /hooks/probe HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /hooks/probe HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST /hooks/probe HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /healthz HTTP/1.1\nHost: a\n\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nX: b\nTransfer-Encoding: chunked\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nX: b\r\n folded\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nBad Name: b\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
        "GET\t/healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\n\n",
    ] {
        let answer = served.say(bad.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{bad:?}: {answer}");
        assert!(answer.matches("HTTP/1.1").count() <= 1, "{bad:?} became two requests: {answer}");
    }
    let long = format!("GET /healthz HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "a".repeat(20 << 10));
    assert!(served.say(long.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    let many = format!("GET /healthz HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: a\r\n".repeat(200));
    assert!(served.say(many.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    assert!(served.say(HEALTH).await.ends_with("ok"), "others are served");
}

#[tokio::test]
async fn an_upgrade_that_is_none_ends_the_connection() {
    let served = served(Limits::default()).await;
    let smuggled = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nGET /healthz HTTP/1.1\nHost: a\n\n";
    let answer = served.say(smuggled).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
}

#[tokio::test]
async fn stopping_lets_open_requests_finish() {
    let served = served(Limits::default()).await;
    let mut idle = served.connect().await;
    let mut working = served.connect().await;
    working.write_all(b"GET /hooks/probe/slow HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("sent");
    tokio::time::sleep(Duration::from_millis(50)).await;
    served.stop.cancel();
    assert!(until_closed(&mut working).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(until_closed(&mut idle).await, "");
    assert!(TcpStream::connect(served.address).await.is_err());
}

//! HTTP/2 in frames written by hand: ordinary, and as attackers write them (S32).
//!
//! Not here: HTTP/1.

use std::time::Duration;

use deskbridge::http::limits::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::sockets::{Served, quick, served};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header that is in no table.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let short = |text: &str| u8::try_from(text.len()).unwrap();
    [&[0, short(name)], name.as_bytes(), &[short(value)], value.as_bytes()].concat()
}

/// `GET /healthz` over plain HTTP, with more headers.
fn head(more: &[Vec<u8>]) -> Vec<u8> {
    [&[0x82, 0x86][..], &literal(":path", "/healthz"), &literal(":authority", "a"), &more.concat()].concat()
}

async fn begin(served: &Served) -> TcpStream {
    let mut stream = served.connect().await;
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await.expect("sent");
    stream
}

/// (kind, flags, stream, payload); `None` at the end.
async fn next(stream: &mut TcpStream) -> Option<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload).await.ok()?;
    Some((head[3], head[4], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload))
}

/// What ended it: a stream's or the connection's error code, or nothing but the end.
async fn ended(stream: &mut TcpStream) -> String {
    let reading = async {
        while let Some((kind, _, id, payload)) = next(stream).await {
            match kind {
                GOAWAY => return format!("goaway {}", payload[7]),
                RESET => return format!("reset {}", payload[3]),
                HEADERS => return format!("answered {id}"),
                _ => {}
            }
        }
        "closed".to_owned()
    };
    tokio::time::timeout(Duration::from_secs(20), reading).await.expect("in time")
}

#[tokio::test]
async fn an_ordinary_request() {
    let served = served(Limits::default()).await;
    let mut stream = begin(&served).await;
    stream.write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &head(&[]))).await.expect("sent");
    assert_eq!(ended(&mut stream).await, "answered 1");
}

#[tokio::test]
async fn s32_pseudo_headers_and_hop_headers_are_refused() {
    let served = served(Limits::default()).await;
    for (what, block) in [
        ("two paths", head(&[literal(":path", "/metrics")])),
        ("unknown pseudo-header", head(&[literal(":status", "200")])),
        ("pseudo-header after a header", [head(&[literal("x", "y")]), literal(":method", "POST")].concat()),
        ("upper case", head(&[literal("X-Upper", "y")])),
        ("connection", head(&[literal("connection", "close")])),
        ("transfer-encoding", head(&[literal("transfer-encoding", "chunked")])),
        ("no path", [&[0x82, 0x86][..], &literal(":authority", "a")].concat()),
        ("line end in a value", head(&[literal("x", "a\r\nb: c")])),
    ] {
        let mut stream = begin(&served).await;
        stream.write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &block)).await.expect("sent");
        let how = ended(&mut stream).await;
        assert!(!how.starts_with("answered"), "{what}: {how}");
    }
}

#[tokio::test]
async fn s32_rapid_resets_end_the_connection() {
    let served = served(Limits::default()).await;
    let mut stream = begin(&served).await;
    let mut flood = Vec::new();
    for n in 0..3_000_u32 {
        let id = 2 * n + 1;
        flood.extend(frame(HEADERS, END_STREAM | END_HEADERS, id, &head(&[])));
        flood.extend(frame(RESET, 0, id, &8_u32.to_be_bytes()));
    }
    // Refused in the middle of it.
    let _ = stream.write_all(&flood).await;
    let how = loop {
        let how = ended(&mut stream).await;
        if !how.starts_with("answered") && !how.starts_with("reset") {
            break how;
        }
    };
    assert!(how == "goaway 11" || how == "closed", "{how}");
    let mut other = begin(&served).await;
    other.write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &head(&[]))).await.expect("sent");
    assert_eq!(ended(&mut other).await, "answered 1");
}

#[tokio::test]
async fn s32_continuations_without_end() {
    let served = served(Limits::default()).await;
    let mut stream = begin(&served).await;
    stream.write_all(&frame(HEADERS, 0, 1, &head(&[]))).await.expect("sent");
    let more = frame(CONTINUATION, 0, 1, &literal("x", &"a".repeat(100)));
    let mut sent = 0;
    for _ in 0..10_000 {
        if stream.write_all(&more).await.is_err() {
            break;
        }
        sent += 1;
    }
    let how = ended(&mut stream).await;
    assert!(!how.starts_with("answered"), "{how} after {sent} frames");
}

#[tokio::test]
async fn s31_silent_http2_connections_end() {
    let served = served(quick()).await;
    let mut stream = begin(&served).await;
    let how = ended(&mut stream).await;
    assert!(how == "goaway 0" || how == "closed", "{how}");
}

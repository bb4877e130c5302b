//! The built program among those who want its places and its memory, not its service (S25, S31).
//!
//! Not here: the limits one by one, made small (`api::sockets`).

use std::io::ErrorKind;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::bridge::{Base, Bridge, Way, client};
use super::talk::Talk;

const HEAD: &str = "POST /hooks/telegram HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
/// Longer than any limit of the program, however slow the machine.
const PATIENCE: Duration = Duration::from_secs(120);

async fn hooked() -> Talk {
    let talk = Talk::start(Way::Webhook, Base::Sqlite).await.expect("SQLite is always there");
    talk.until("webhook", |world| world.updates.webhook.is_some()).await;
    talk
}

async fn connect(bridge: &Bridge) -> TcpStream {
    TcpStream::connect(("127.0.0.1", bridge.port)).await.expect("connected")
}

/// The most that the program has ever had in memory, in KiB.
#[cfg(target_os = "linux")]
fn peak(bridge: &Bridge) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", bridge.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}

/// Sends chunks for as long as they are taken: how many bytes that was.
async fn endless(bridge: &Bridge, most: usize) -> usize {
    let mut stream = connect(bridge).await;
    stream.write_all(HEAD.as_bytes()).await.expect("sent");
    let piece = format!("4000\r\n{}\r\n", "a".repeat(0x4000));
    let mut sent = 0;
    while sent < most && stream.write_all(piece.as_bytes()).await.is_ok() {
        sent += piece.len();
    }
    sent
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn s25_what_has_no_end_takes_no_memory() {
    const ROW: u64 = 2 << 10;
    let talk = hooked().await;
    let bridge = &talk.bridge;
    // What the first request of a kind brings into memory for good is no part of the row.
    let large = "x".repeat((1 << 20) - 1);
    for _ in 0..3 {
        let refused = client().post(bridge.url("/hooks/telegram")).body(large.clone()).send().await;
        assert!(refused.is_ok_and(|answer| answer.status().is_client_error()));
        endless(bridge, 64 << 20).await;
    }
    let before = peak(bridge);
    for _ in 0..20 {
        let sent = endless(bridge, 64 << 20).await;
        assert!(sent < 64 << 20, "cut before the end of what was sent");
        let mut stream = connect(bridge).await;
        let head = HEAD.replace("Transfer-Encoding: chunked", "Content-Length: 10737418240");
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("closed");
        assert!(
            read.is_err() || answer.starts_with(b"HTTP/1.1 413 "),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    let more = peak(bridge).saturating_sub(before);
    assert!(more < ROW, "{more} KiB more than before");
}

/// As many files as the system lets this process have: a place for each connection.
#[cfg(unix)]
fn files() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let now = if raised.is_ok() { limit.maximum } else { limit.current };
    now.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX))
}

#[cfg(unix)]
#[tokio::test]
async fn s31_ten_thousand_silent_connections_end_and_others_are_served() {
    // The program inherits the limit.
    let many = files().saturating_sub(500).min(10_000);
    if many < 10_000 {
        eprintln!("the limit on open files leaves {many} connections of 10 000");
    }
    let talk = hooked().await;
    let bridge = &talk.bridge;
    let mut silent = Vec::with_capacity(many);
    for number in 0..many {
        silent.push(connect(bridge).await);
        if number % 1_000 == 999 {
            let answer = client().get(bridge.url("/healthz")).send().await.expect("served");
            assert!(answer.status().is_success(), "after {number}: {}", answer.status());
        }
    }
    // Nobody who says nothing keeps a place: each is closed from the other side, without a word.
    let ended = join_all(silent.into_iter().map(|mut stream| async move {
        let mut byte = [0];
        match stream.read(&mut byte).await {
            Ok(read) => read == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }));
    let ended = tokio::time::timeout(PATIENCE, ended).await.expect("all are closed");
    assert!(ended.iter().all(|ended| *ended), "somebody was told something");
    talk.say("/start");
    talk.sees(None, "Tell me what is not working").await;
    talk.nothing_amiss();
}

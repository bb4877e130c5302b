//! The listening loop: connections with limits of time, size and number, and an orderly end.
//!
//! Not here: routes.

mod connection;
mod framing;
mod register;
mod strict;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::limits::Limits;
use register::Register;

/// File descriptors that are left for the store, the blobs and the adapters.
const OTHER_FILES: usize = 128;
/// Connections above the limit that are told so; more are closed without a word.
const TURNED_AWAY: usize = 64;
const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 1\r\nconnection: close\r\n\r\n";

/// Serves until `stop`, then lets open requests finish.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let mut limits = Limits::default();
    if let Some(files) = file_limit() {
        limits.connections = limits.connections.min(files.saturating_sub(OTHER_FILES).max(OTHER_FILES));
    }
    serve_with(listener, router, stop, limits).await;
}

/// As `serve`, with other limits.
pub async fn serve_with(listener: TcpListener, router: Router, stop: CancellationToken, limits: Limits) {
    let limits = Arc::new(limits);
    let register = Arc::new(Register::default());
    let tasks = TaskTracker::new();
    let turned_away = Arc::new(Semaphore::new(TURNED_AWAY));
    let mut pause = Pause::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause.after(&error).await;
                continue;
            }
        };
        pause = Pause::default();
        if !register.make_room(limits.connections) {
            turn_away(&tasks, &turned_away, stream, peer);
            continue;
        }
        // Answers are small and people wait for them.
        let _ = stream.set_nodelay(true);
        let line = register.open(peer);
        let (router, limits, stop) = (router.clone(), limits.clone(), stop.clone());
        tasks.spawn(connection::serve(stream, line, router, limits, stop));
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(limits.drain, tasks.wait()).await.is_err() {
        tracing::warn!(open = register.len(), "stopping: some connections were still open");
        register.close_all();
    }
}

/// How long the loop waits after it could not accept: descriptors come back when connections end (F33).
#[derive(Default)]
struct Pause(u32);

impl Pause {
    async fn after(&mut self, error: &io::Error) {
        // The peer was gone before it was accepted: nothing is wrong with us.
        let gone = matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionRefused
        );
        if gone {
            return;
        }
        if self.0 == 0 {
            tracing::warn!(%error, "no connection can be accepted at the moment");
        }
        metrics::counter!("deskbridge_http_accept_errors_total").increment(1);
        self.0 = (self.0 + 1).min(8);
        tokio::time::sleep(Duration::from_millis(5 << self.0)).await;
    }
}

/// Every place is taken by somebody with a request under way: the peer is told at once to come again (Q14).
fn turn_away(tasks: &TaskTracker, places: &Arc<Semaphore>, mut stream: TcpStream, peer: SocketAddr) {
    metrics::counter!("deskbridge_http_turned_away_total").increment(1);
    let Ok(place) = places.clone().try_acquire_owned() else { return };
    tracing::debug!(%peer, "too many connections; one is turned away");
    tasks.spawn(async move {
        let _place = place;
        let told = async {
            stream.write_all(BUSY).await?;
            stream.shutdown().await?;
            // Closing before the request is read would reset the connection, and the answer would be lost with it.
            let mut ignored = [0; 1024];
            while stream.read(&mut ignored).await? > 0 {}
            io::Result::Ok(())
        };
        let _ = tokio::time::timeout(Duration::from_millis(500), told).await;
    });
}

/// How many files this process may have open, where the system says so.
fn file_limit() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

//! The listening loop: connections with limits of time and size, and an orderly end.
//!
//! Not here: routes.

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves until `stop`, then lets open requests finish.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let ended = axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await });
    if let Err(error) = ended.await {
        tracing::error!(%error, "the HTTP server ended");
    }
}

//! Connections for slack-morphism's client: by https or, to a server of one's own, plain http; with limits of time and size.
//!
//! Not here: what goes over them.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower::Service;

use crate::ConfigError;

/// How long a connection may take to come about, the TLS handshake included.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
/// Longest answer, in bytes: two hundred messages of the longest kind.
pub(super) const ANSWER_CAP: usize = 32 << 20;

/// What did not come so far was not sent, and may be tried again; so connecting has its own, shorter time.
#[derive(Clone)]
pub(crate) struct Wire(HttpsConnector<HttpConnector>);

type Https = MaybeHttpsStream<TokioIo<TcpStream>>;
type Failure = Box<dyn Error + Send + Sync>;

impl Wire {
    /// slack-morphism's own connector speaks https only.
    pub(super) fn new(provider: rustls::crypto::CryptoProvider) -> Result<Wire, ConfigError> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.enforce_http(false);
        let https = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(provider)
            .map_err(|error| ConfigError(error.to_string()))?
            .https_or_http()
            // One request at a time on a connection: what is read belongs to what was written last.
            .enable_http1()
            .wrap_connector(connector);
        Ok(Wire(https))
    }
}

impl Service<Uri> for Wire {
    type Response = TokioIo<Capped>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = self.0.call(to);
        Box::pin(async move {
            match tokio::time::timeout(CONNECT, connecting).await {
                Ok(done) => Ok(TokioIo::new(Capped { inner: TokioIo::new(done?), read: 0 })),
                Err(_) => Err("no connection in time".into()),
            }
        })
    }
}

/// A connection that ends when one answer gets too long: slack-morphism gathers answers without a limit.
pub(crate) struct Capped {
    inner: TokioIo<Https>,
    /// Bytes since something was last written.
    read: usize,
}

impl Connection for Capped {
    fn connected(&self) -> Connected {
        self.inner.inner().connected()
    }
}

impl AsyncRead for Capped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let done = Pin::new(&mut self.inner).poll_read(context, buffer);
        self.read += buffer.filled().len() - before;
        if self.read > ANSWER_CAP {
            Poll::Ready(Err(io::Error::other("the answer is too long")))
        } else {
            done
        }
    }
}

impl AsyncWrite for Capped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.read = 0;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.read = 0;
        Pin::new(&mut self.inner).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

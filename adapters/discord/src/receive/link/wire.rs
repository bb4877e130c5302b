//! What a connection to the gateway is made of: the socket, how far its events are stored, what a close code means, and time.
//!
//! Not here: what is said on it (`link.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::{SendError, Timestamp};
use futures_util::SinkExt as _;
use futures_util::stream::SplitSink;
use hyper_rustls::ConfigBuilderExt as _;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};
use url::Url;

use crate::receive::gateway::{End, Session};

/// Any but 1000 and 1001, which would end the session.
const COME_BACK: u16 = 4000;
/// The description of a large server is long.
const MAX_MESSAGE: usize = 64 << 20;

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(super) async fn connect(url: &Url) -> Result<Socket, String> {
    let connector = match url.scheme() {
        "wss" => {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let tls = rustls::ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?
                .with_webpki_roots()
                .with_no_client_auth();
            Connector::Rustls(Arc::new(tls))
        }
        _ => Connector::Plain,
    };
    let limits =
        WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
    match connect_async_tls_with_config(url.as_str(), Some(limits), true, Some(connector)).await {
        Ok((socket, _)) => Ok(socket),
        Err(error) => Err(format!("the gateway could not be reached: {}", plain(&error))),
    }
}

/// Which events are stored: all up to a number, whatever their order.
#[derive(Default)]
pub(super) struct Progress {
    pub highest: u64,
    pub under_way: BTreeMap<u64, Arc<Value>>,
    /// When the highest came.
    pub at: Timestamp,
}

impl Progress {
    pub(super) fn begin(&mut self, seq: u64, event: Arc<Value>) {
        self.pass(seq);
        self.under_way.insert(seq, event);
    }

    /// There is nothing in it to be stored.
    pub(super) fn pass(&mut self, seq: u64) {
        self.highest = self.highest.max(seq);
    }

    pub(super) fn end(&mut self, seq: u64) {
        self.under_way.remove(&seq);
    }

    /// How far a session may go on from; nothing is noted past what is missing.
    pub(super) fn mark(&self, session: &mut Session) {
        session.seq = self.stored();
        if self.under_way.is_empty() {
            session.at = self.at;
        }
    }

    /// The last event up to which nothing is missing.
    pub(super) fn stored(&self) -> u64 {
        self.under_way.keys().next().map_or(self.highest, |first| first.saturating_sub(1))
    }
}

/// "Gateway Close Event Codes".
pub(super) fn closed(code: Option<u16>) -> End {
    let refused = |why: &str| End::Refused(SendError::Unauthorized { why: why.to_owned() });
    match code {
        Some(4004) => refused("the gateway does not accept the bot token (4004)"),
        Some(4013) => refused("the gateway does not know an intent (4013)"),
        Some(4014) => refused("an intent is not allowed (4014): switch on Message Content Intent, under Bot"),
        Some(code @ 4010..=4012) => refused(&format!(
            "the gateway does not take this connection ({code}): the bot needs shards, or an update"
        )),
        Some(code @ (4003 | 4007 | 4009)) => End::Fresh(format!("the session is over ({code})")),
        Some(code) => End::Lost(format!("the gateway closed the connection ({code})")),
        None => End::Lost("the gateway closed the connection".into()),
    }
}

/// Closes with a code that leaves the session as it is.
pub(super) async fn leave(mut sink: SplitSink<Socket, Message>) {
    let frame = CloseFrame { code: CloseCode::from(COME_BACK), reason: "".into() };
    let closing = async {
        // It may be gone already.
        let _ = sink.send(Message::Close(Some(frame))).await;
        let _ = sink.close().await;
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), closing).await;
}

/// Between nothing and the whole of it.
pub(in crate::receive) fn jittered(whole: Duration) -> Duration {
    let mut bytes = [0; 4];
    // Without random numbers all is as good as half.
    let share = match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    };
    whole.mul_f64(share)
}

pub(super) async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// An error in words, without the address that it may be about.
pub(super) fn plain(error: &tokio_tungstenite::tungstenite::Error) -> String {
    use tokio_tungstenite::tungstenite::Error;
    match error {
        Error::Io(error) => error.kind().to_string(),
        Error::Http(response) => format!("HTTP {}", response.status().as_u16()),
        Error::Tls(_) => "no trust in the other end's certificate".into(),
        Error::ConnectionClosed | Error::AlreadyClosed => "the socket was closed".into(),
        Error::Protocol(error) => error.to_string(),
        Error::Capacity(_) => "a message was too large".into(),
        _ => "the socket broke".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_stored_past_what_was_refused() {
        let mut progress = Progress::default();
        (1..=5).for_each(|seq| progress.begin(seq, Arc::default()));
        for seq in [1, 2, 4, 5] {
            progress.end(seq);
        }
        progress.at = Timestamp(7);
        let mut session = Session { at: Timestamp(1), ..Session::default() };
        progress.mark(&mut session);
        assert_eq!((session.seq, session.at), (2, Timestamp(1)), "3 is missing");
        progress.end(3);
        progress.mark(&mut session);
        assert_eq!((session.seq, session.at), (5, Timestamp(7)));
    }

    /// F19: what must not be tried again, and what needs a new session.
    #[test]
    fn close_codes() {
        for code in [4004, 4010, 4011, 4012, 4013, 4014] {
            assert!(matches!(closed(Some(code)), End::Refused(SendError::Unauthorized { .. })), "{code}");
        }
        for code in [4003, 4007, 4009] {
            assert!(matches!(closed(Some(code)), End::Fresh(_)), "{code}");
        }
        for code in [1000, 1001, 1006, 4000, 4001, 4002, 4005, 4008] {
            assert!(matches!(closed(Some(code)), End::Lost(_)), "{code}");
        }
        assert!(matches!(closed(None), End::Lost(_)));
    }

    #[test]
    fn jitter_stays_within() {
        for _ in 0..100 {
            assert!(jittered(Duration::from_secs(1)) <= Duration::from_secs(1));
        }
    }
}

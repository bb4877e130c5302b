//! One connection of Socket Mode, from `apps.connections.open` to its end.
//!
//! Not here: when it is replaced (`socket.rs`), what an envelope's payload means (`receive::take`).

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::{Inbox, PushError, SendError};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper_rustls::ConfigBuilderExt as _;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};
use url::Url;

use super::{End, Sign, Told};
use crate::Slack;
use crate::receive::{Answer, take};
use crate::translate::text;

/// From the address to the first word.
const HELLO: Duration = Duration::from_secs(20);
/// Slack pings every few seconds; a connection that is silent for so long is dead, whatever TCP thinks.
const SILENCE: Duration = Duration::from_secs(60);
const PING: Duration = Duration::from_secs(20);
/// How long a replaced connection still takes what was on its way.
const LINGER: Duration = Duration::from_secs(10);
/// Envelopes under way at once; beyond, nothing is read until one is done.
const MOST: usize = 256;
const MAX_MESSAGE: usize = 4 << 20;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(super) async fn run(
    slack: Arc<Slack>,
    inbox: Inbox,
    number: u64,
    signs: mpsc::UnboundedSender<Told>,
    serving: watch::Receiver<u64>,
) -> End {
    let socket = match tokio::time::timeout(HELLO, connect(&slack)).await {
        Ok(Ok(socket)) => socket,
        Ok(Err(error @ SendError::Unauthorized { .. })) => return End::Refused(error),
        Ok(Err(error)) => return End::Lost(error.to_string()),
        Err(_) => return End::Lost("no connection in time".into()),
    };
    let (done, finished) = mpsc::unbounded_channel();
    let link = Link { slack, inbox, number, signs, work: JoinSet::new(), done, up: None };
    link.serve(socket, serving, finished).await
}

async fn connect(slack: &Slack) -> Result<Socket, SendError> {
    let lost = |why: String| SendError::Retry { after: None, why };
    let url = slack.sending.api.open_connection().await?;
    let connector = connector(&slack.config.api_base, &url)?;
    let limits =
        WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
    // The address is a secret while it lives: no error repeats it.
    match connect_async_tls_with_config(url.as_str(), Some(limits), true, Some(connector)).await {
        Ok((socket, _)) => Ok(socket),
        Err(error) => Err(lost(format!("the socket could not be opened: {}", plain(&error)))),
    }
}

/// Plain sockets only from a server that is itself reached in plain: a test's, or one on this machine.
fn connector(api: &Url, url: &Url) -> Result<Connector, SendError> {
    match (api.scheme(), url.scheme()) {
        (_, "wss") => {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let tls = rustls::ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|error| SendError::rejected(error.to_string()))?
                .with_webpki_roots()
                .with_no_client_auth();
            Ok(Connector::Rustls(Arc::new(tls)))
        }
        ("http", "ws") => Ok(Connector::Plain),
        _ => Err(SendError::rejected("Slack named an address for the socket that is not wss")),
    }
}

/// One socket more that receives, for as long as it is there.
struct Up(Arc<Slack>);

impl Up {
    fn new(slack: &Arc<Slack>) -> Up {
        slack.receiving.doubts.up((slack.clock)());
        Up(slack.clone())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.0.receiving.doubts.down((self.0.clock)());
    }
}

struct Link {
    slack: Arc<Slack>,
    inbox: Inbox,
    number: u64,
    signs: mpsc::UnboundedSender<Told>,
    work: JoinSet<()>,
    done: mpsc::UnboundedSender<Result<String, PushError>>,
    up: Option<Up>,
}

impl Link {
    async fn serve(
        mut self,
        socket: Socket,
        mut serving: watch::Receiver<u64>,
        mut finished: mpsc::UnboundedReceiver<Result<String, PushError>>,
    ) -> End {
        let (mut sink, mut stream) = socket.split();
        let mut ping = tokio::time::interval(PING);
        ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let silence = tokio::time::sleep(HELLO);
        tokio::pin!(silence);
        let retired = tokio::time::sleep(Duration::MAX / 4);
        tokio::pin!(retired);
        let mut leaving = false;
        let mut under_way = 0_usize;
        let end = loop {
            tokio::select! {
                frame = stream.next(), if under_way < MOST => {
                    if self.up.is_some() {
                        silence.as_mut().reset(tokio::time::Instant::now() + SILENCE);
                    }
                    match frame {
                        Some(Ok(Message::Text(said))) => match self.read(said.as_str()) {
                            Ok(begun) => under_way += usize::from(begun),
                            Err(end) => break end,
                        },
                        // The answer to a ping is written with the next flush.
                        Some(Ok(Message::Ping(_))) => {
                            if let Err(error) = sink.flush().await {
                                break End::Lost(plain(&error));
                            }
                        }
                        Some(Ok(Message::Close(_))) | None => break End::Lost("Slack closed the socket".into()),
                        Some(Ok(_)) => {}
                        Some(Err(error)) => break End::Lost(plain(&error)),
                    }
                }
                Some(result) = finished.recv() => {
                    under_way -= 1;
                    match result {
                        Ok(acknowledgement) => {
                            if let Err(error) = sink.send(Message::text(acknowledgement)).await {
                                break End::Lost(plain(&error));
                            }
                        }
                        // Not acknowledged: Slack brings it again.
                        Err(PushError::Unavailable) => {}
                        Err(PushError::Closed) => break End::Closed,
                    }
                }
                _ = ping.tick() => {
                    if let Err(error) = sink.send(Message::Ping(Vec::new().into())).await {
                        break End::Lost(plain(&error));
                    }
                }
                replaced = overtaken(&mut serving, self.number), if !leaving => {
                    if !replaced {
                        break End::Retired;
                    }
                    leaving = true;
                    retired.as_mut().reset(tokio::time::Instant::now() + LINGER);
                }
                () = &mut retired, if leaving => break End::Retired,
                () = &mut silence => break End::Lost("the socket was silent for too long".into()),
            }
        };
        self.up = None;
        self.finish(sink, finished).await;
        if leaving && matches!(end, End::Lost(_)) { End::Retired } else { end }
    }

    /// What was begun is finished; what can still be acknowledged is.
    async fn finish(
        mut self,
        mut sink: futures_util::stream::SplitSink<Socket, Message>,
        mut finished: mpsc::UnboundedReceiver<Result<String, PushError>>,
    ) {
        drop(self.done);
        let rest = async {
            while let Some(result) = finished.recv().await {
                if let Ok(acknowledgement) = result {
                    // The socket may be gone; the copy that then comes is a duplicate.
                    let _ = sink.send(Message::text(acknowledgement)).await;
                }
            }
            let _ = sink.close().await;
        };
        let _ = tokio::time::timeout(LINGER, rest).await;
        self.work.shutdown().await;
    }

    /// One message of Slack's. True: an envelope is under way.
    fn read(&mut self, said: &str) -> Result<bool, End> {
        let Ok(envelope) = serde_json::from_str::<Value>(said) else {
            tracing::warn!(channel = %self.slack.channel, bytes = said.len(), "a socket brought something that is not JSON");
            return Ok(false);
        };
        match text(&envelope, "type") {
            Some("hello") => {
                self.up.get_or_insert_with(|| Up::new(&self.slack));
                let lasts = envelope.pointer("/debug_info/approximate_connection_time");
                let lasts = lasts.and_then(Value::as_u64).filter(|lasts| *lasts > 0);
                self.sign(Sign::Up { lasts: lasts.map(Duration::from_secs) });
                Ok(false)
            }
            Some("disconnect") => match text(&envelope, "reason") {
                Some("link_disabled") => Err(End::Refused(SendError::Unauthorized {
                    why: "Socket Mode is switched off for the app".into(),
                })),
                _ => {
                    self.sign(Sign::Ending);
                    Ok(false)
                }
            },
            _ if text(&envelope, "envelope_id").is_some() => {
                self.begin(envelope);
                Ok(true)
            }
            other => {
                let kind = other.unwrap_or_default();
                tracing::debug!(channel = %self.slack.channel, kind, "a socket brought something unknown");
                Ok(false)
            }
        }
    }

    fn sign(&self, sign: Sign) {
        // Nobody listens any more: then the slot is ending as well.
        let _ = self.signs.send((self.number, sign));
    }

    fn begin(&mut self, mut envelope: Value) {
        let (slack, inbox, done) = (self.slack.clone(), self.inbox.clone(), self.done.clone());
        let payload = envelope.get_mut("payload").map(Value::take).unwrap_or_default();
        // The place in the room's order is taken here, in the order of arrival.
        let turn = slack.receiving.turn(&payload);
        let retry = envelope.get("retry_attempt").and_then(Value::as_u64).unwrap_or_default();
        let retry = u32::try_from(retry).unwrap_or(u32::MAX);
        self.work.spawn(async move {
            let raw = payload.to_string();
            let taken = take(&slack, &inbox, (raw.as_bytes(), retry), &payload, turn).await;
            let _ = done.send(taken.map(|answer| acknowledgement(&envelope, answer)));
        });
        while self.work.try_join_next().is_some() {}
    }
}

/// Waits until a newer connection receives. False: the slot is gone.
async fn overtaken(serving: &mut watch::Receiver<u64>, number: u64) -> bool {
    serving.wait_for(|serving| *serving > number).await.is_ok()
}

fn acknowledgement(envelope: &Value, answer: Answer) -> String {
    let id = &envelope["envelope_id"];
    let takes_answers = envelope.get("accepts_response_payload") == Some(&Value::Bool(true));
    match answer {
        Answer::Json(said) if takes_answers => json!({ "envelope_id": id, "payload": said }).to_string(),
        Answer::Json(_) | Answer::Empty => json!({ "envelope_id": id }).to_string(),
    }
}

/// An error in words, without the address that it may be about.
fn plain(error: &tokio_tungstenite::tungstenite::Error) -> String {
    use tokio_tungstenite::tungstenite::Error;
    match error {
        Error::Io(error) => error.kind().to_string(),
        Error::Http(response) => format!("HTTP {}", response.status().as_u16()),
        Error::Url(_) => "not an address of a socket".into(),
        Error::Tls(_) => "no trust in the other end's certificate".into(),
        Error::ConnectionClosed | Error::AlreadyClosed => "the socket was closed".into(),
        Error::Protocol(error) => error.to_string(),
        Error::Capacity(_) => "a message was too large".into(),
        _ => "the socket broke".into(),
    }
}

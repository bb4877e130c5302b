//! Visitors that cost next to nothing: a WebSocket with small buffers, and the moment when each marked text arrived. The
//! same ones come to deskbridge and to the servers that it is measured beside.
//!
//! Not here: what is measured (`parts`), where many wait (`crowd`).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::crowd::Arrivals;
use super::{CHANNEL, ORIGIN};

/// Visitors behind one source address: fewer than the sessions that one address may open in a minute.
pub(super) const PER_ADDRESS: usize = 100;
const PATIENCE: Duration = Duration::from_secs(60);
/// What a slow reader's system takes in before it reads.
const SMALL_WINDOW: u32 = 4 << 10;

/// Whose words a visitor speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tongue {
    Deskbridge,
    /// Frames of JSON, and nothing around them.
    Plain,
    /// Engine.IO 4 and Socket.IO 5 over a WebSocket.
    SocketIo,
}

pub(super) struct Visitor {
    socket: WebSocketStream<TcpStream>,
    tongue: Tongue,
    server: SocketAddr,
    group: usize,
    token: String,
    /// Their conversation, once it began, and the latest number of its journal that they saw.
    c: String,
    seq: u64,
    /// By what others write to them.
    pub number: u64,
}

/// 127.1.1.2, 127.1.2.2, …
pub(super) fn source(group: usize) -> IpAddr {
    let part = |n: usize| u8::try_from(1 + n % 250).unwrap_or(1);
    IpAddr::V4(Ipv4Addr::new(127, part(group / 250), part(group), 2))
}

async fn connect(
    server: SocketAddr,
    group: usize,
    tongue: Tongue,
    window: Option<u32>,
) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let (socket, from) = (TcpSocket::new_v4()?, source(group));
    socket.set_reuseaddr(true)?;
    if let Some(bytes) = window {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.bind(SocketAddr::new(from, 0)).with_context(|| format!("no source address {from}"))?;
    let stream = socket.connect(server).await?;
    stream.set_nodelay(true)?;
    let path = match tongue {
        Tongue::Deskbridge => format!("/widget/v1/{CHANNEL}/socket"),
        Tongue::Plain => "/".to_owned(),
        Tongue::SocketIo => "/socket.io/?EIO=4&transport=websocket".to_owned(),
    };
    let mut request = format!("ws://{server}{path}").into_client_request()?;
    request.headers_mut().insert("origin", ORIGIN.parse()?);
    // The driver holds as many ends as the server: large buffers would be all that is measured of the machine.
    let small = WebSocketConfig::default().read_buffer_size(2 << 10).write_buffer_size(0);
    Ok(client_async_with_config(request, stream, Some(small)).await?.0)
}

/// Sessions and sockets of one source address.
pub(super) async fn arrive(
    server: SocketAddr,
    tongue: Tongue,
    group: usize,
    count: usize,
) -> anyhow::Result<Vec<Visitor>> {
    let http = reqwest::Client::builder().no_proxy().local_address(source(group)).build()?;
    let url = format!("http://{server}/widget/v1/{CHANNEL}/session");
    let mut visitors = Vec::with_capacity(count);
    for _ in 0..count {
        let mut token = String::new();
        if tongue == Tongue::Deskbridge {
            let asked = http.post(&url).header("origin", ORIGIN).body("{}").send().await?;
            let begun: Value = serde_json::from_str(&asked.text().await?)?;
            begun["token"].as_str().with_context(|| format!("no session: {begun}"))?.clone_into(&mut token);
        }
        let socket = connect(server, group, tongue, None).await?;
        let c = String::new();
        let mut visitor = Visitor { socket, tongue, server, group, token, c, seq: 0, number: 0 };
        visitor.greet(&Arrivals::of(0)).await?;
        visitors.push(visitor);
    }
    Ok(visitors)
}

impl Visitor {
    async fn say(&mut self, text: String) -> anyhow::Result<()> {
        Ok(self.socket.send(Message::text(text)).await?)
    }

    /// The next text; pings are answered on the way. Whoever stops waiting loses nothing.
    pub(super) async fn next(&mut self) -> anyhow::Result<String> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) if self.tongue == Tongue::SocketIo && text.as_str() == "2" => {
                    self.say("3".to_owned()).await?;
                }
                Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => bail!("a visitor's socket ended: {other:?}"),
            }
        }
    }

    pub(super) fn take_note(&mut self, text: &str, arrivals: &Arrivals) {
        arrivals.note(text);
        if let Some(seq) = self.seq_of(text) {
            arrivals.followed(self.seq, seq);
            self.seq = self.seq.max(seq);
        }
    }

    /// The number of an entry of their conversation's journal.
    fn seq_of(&self, text: &str) -> Option<u64> {
        if self.c.is_empty() || !text.contains(r#""t":"event""#) || !text.contains(&self.c) {
            return None;
        }
        let digits = text.split(r#""seq":"#).nth(1)?;
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        digits[..end].parse().ok()
    }

    async fn until(
        &mut self,
        arrivals: &Arrivals,
        fits: impl Fn(&Value) -> bool + Send,
    ) -> anyhow::Result<Value> {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let text = self.next().await?;
                self.take_note(&text, arrivals);
                // Socket.IO puts digits before what it says, and a name around it.
                let text = text.trim_start_matches(|c: char| c.is_ascii_digit());
                let mut frame: Value = serde_json::from_str(text).unwrap_or_default();
                if self.tongue == Tongue::SocketIo {
                    frame = frame.get(1).cloned().unwrap_or(frame);
                }
                ensure!(frame["t"] != "refused", "a visitor was refused: {frame}");
                if fits(&frame) {
                    return Ok(frame);
                }
            }
        });
        waited.await.context("a visitor waited in vain")?
    }

    /// From an open socket to where idle visitors wait, with everything that was missed.
    async fn greet(&mut self, arrivals: &Arrivals) -> anyhow::Result<()> {
        match self.tongue {
            Tongue::Deskbridge => {
                let mut cursors = serde_json::Map::new();
                if !self.c.is_empty() {
                    cursors.insert(self.c.clone(), self.seq.into());
                }
                let hello = json!({ "t": "hello", "token": self.token, "cursors": cursors });
                self.say(hello.to_string()).await?;
                self.until(arrivals, |frame| frame["t"] == "resumed").await?;
            }
            Tongue::Plain => {
                let you = self.until(arrivals, |frame| frame["t"] == "you").await?;
                self.number = you["number"].as_u64().context("no number")?;
            }
            Tongue::SocketIo => {
                self.until(arrivals, |frame| frame["pingInterval"].is_u64()).await?;
                self.say("40".to_owned()).await?;
                let you = self.until(arrivals, |frame| frame["t"] == "you").await?;
                self.number = you["number"].as_u64().context("no number")?;
            }
        }
        Ok(())
    }

    /// Begins a conversation and waits until the technician has it.
    pub(super) async fn begin(&mut self, number: usize) -> anyhow::Result<()> {
        if self.tongue != Tongue::Deskbridge {
            return Ok(());
        }
        // Its first digits tell conversations apart, as with those that browsers make up.
        self.c = format!("{:016x}{number:016x}", super::scattered(number));
        let send = json!({ "t": "send", "c": self.c, "id": "first-message", "text": "hello, I need help" });
        self.say(send.to_string()).await?;
        let human = |frame: &Value| frame["kind"] == "standing" && frame["state"] == "human";
        let human = self.until(&Arrivals::of(0), human).await?;
        let reference = human["reference"].as_str().unwrap_or_default();
        self.number =
            reference.trim_start_matches('#').parse().with_context(|| format!("no number in {human}"))?;
        Ok(())
    }

    /// The socket goes without a word, as when a network does; the rest comes back by `come_back`.
    pub(super) fn drop_out(self) -> Away {
        let Visitor { tongue, server, group, token, c, seq, number, .. } = self;
        Away { tongue, server, group, token, c, seq, number }
    }

    /// Reads no more than what is asked for: a socket of a system that takes in little.
    pub(super) async fn slow_down(self) -> anyhow::Result<Visitor> {
        self.drop_out().come_back(&Arrivals::of(0), Some(SMALL_WINDOW)).await
    }
}

/// A visitor without a socket.
pub(super) struct Away {
    tongue: Tongue,
    server: SocketAddr,
    group: usize,
    token: String,
    c: String,
    seq: u64,
    number: u64,
}

impl Away {
    /// With the cursor of what was seen.
    pub(super) async fn back(self, arrivals: &Arrivals) -> anyhow::Result<Visitor> {
        self.come_back(arrivals, None).await
    }

    async fn come_back(self, arrivals: &Arrivals, window: Option<u32>) -> anyhow::Result<Visitor> {
        let Away { tongue, server, group, token, c, seq, number } = self;
        let socket = connect(server, group, tongue, window).await?;
        let mut visitor = Visitor { socket, tongue, server, group, token, c, seq, number };
        visitor.greet(arrivals).await?;
        visitor.number = number;
        Ok(visitor)
    }
}

//! Visitors of the widget that cost next to nothing: a session, a WebSocket with small buffers, and the moment when each
//! marked text arrived.
//!
//! Not here: what is measured (`widget`).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::super::fake::MARK;
use super::{CHANNEL, ORIGIN};

/// Visitors behind one source address: fewer than the sessions that one address may open in a minute.
pub(super) const PER_ADDRESS: usize = 100;
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) type Socket = WebSocketStream<TcpStream>;

/// 127.1.1.2, 127.1.2.2, …
pub(super) fn source(group: usize) -> IpAddr {
    let part = |n: usize| u8::try_from(1 + n % 250).unwrap_or(1);
    IpAddr::V4(Ipv4Addr::new(127, part(group / 250), part(group), 2))
}

/// Sessions and sockets of one source address.
pub(super) async fn arrive(server: SocketAddr, group: usize, count: usize) -> anyhow::Result<Vec<Socket>> {
    let http = reqwest::Client::builder().no_proxy().local_address(source(group)).build()?;
    let url = format!("http://{server}/widget/v1/{CHANNEL}/session");
    let mut sockets = Vec::with_capacity(count);
    for _ in 0..count {
        let asked = http.post(&url).header("origin", ORIGIN).body("{}").send().await?;
        let begun: Value = serde_json::from_str(&asked.text().await?)?;
        let token = begun["token"].as_str().with_context(|| format!("no session: {begun}"))?;
        let mut socket = connect(server, source(group)).await?;
        let hello = json!({ "t": "hello", "token": token, "cursors": {} });
        socket.send(Message::text(hello.to_string())).await?;
        until(&mut socket, |frame| frame["t"] == "resumed").await?;
        sockets.push(socket);
    }
    Ok(sockets)
}

async fn connect(server: SocketAddr, from: IpAddr) -> anyhow::Result<Socket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::new(from, 0)).with_context(|| format!("no source address {from}"))?;
    let stream = socket.connect(server).await?;
    stream.set_nodelay(true)?;
    let mut request = format!("ws://{server}/widget/v1/{CHANNEL}/socket").into_client_request()?;
    request.headers_mut().insert("origin", ORIGIN.parse()?);
    // The driver holds as many ends as the bridge: large buffers would be all that is measured of the machine.
    let small = WebSocketConfig::default().read_buffer_size(2 << 10).write_buffer_size(0);
    Ok(client_async_with_config(request, stream, Some(small)).await?.0)
}

async fn next(socket: &mut Socket) -> anyhow::Result<String> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => bail!("a visitor's socket ended: {other:?}"),
        }
    }
}

async fn until(socket: &mut Socket, fits: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            let frame: Value = serde_json::from_str(&next(socket).await?)?;
            ensure!(frame["t"] != "refused", "a visitor was refused: {frame}");
            if fits(&frame) {
                return Ok(frame);
            }
        }
    });
    waited.await.context("a visitor waited in vain")?
}

/// Begins a conversation and waits until the technician has it; its number.
pub(super) async fn begin(socket: &mut Socket, number: usize) -> anyhow::Result<u64> {
    // Its first digits tell conversations apart, as with those that browsers make up.
    let c = format!("{:016x}{number:016x}", super::scattered(number));
    let send = json!({ "t": "send", "c": c, "id": "first-message", "text": "hello, I need help" });
    socket.send(Message::text(send.to_string())).await?;
    let human = until(socket, |frame| frame["kind"] == "standing" && frame["state"] == "human").await?;
    let reference = human["reference"].as_str().unwrap_or_default();
    reference.trim_start_matches('#').parse().with_context(|| format!("no number in {human}"))
}

/// When each numbered text arrived, and how often.
pub(super) struct Arrivals {
    start: Instant,
    /// Microseconds after the start; 0: not yet.
    at: Vec<AtomicUsize>,
    times: Vec<AtomicUsize>,
    count: watch::Sender<usize>,
}

impl Arrivals {
    pub(super) fn of(numbers: usize) -> Arc<Arrivals> {
        let zeros = || (0..numbers).map(|_| AtomicUsize::new(0)).collect();
        Arc::new(Arrivals {
            start: Instant::now(),
            at: zeros(),
            times: zeros(),
            count: watch::Sender::new(0),
        })
    }

    fn note(&self, text: &str) {
        let Some(number) = text.split(MARK).nth(1).and_then(|rest| rest.get(..8)?.parse::<usize>().ok())
        else {
            return;
        };
        let (Some(at), Some(times)) = (self.at.get(number), self.times.get(number)) else { return };
        if times.fetch_add(1, Ordering::Relaxed) == 0 {
            let passed = usize::try_from(self.start.elapsed().as_micros()).unwrap_or(usize::MAX);
            at.store(passed.max(1), Ordering::Relaxed);
            self.count.send_modify(|count| *count += 1);
        }
    }

    pub(super) fn when(&self, number: usize) -> Option<Instant> {
        let micros = self.at.get(number)?.load(Ordering::Relaxed);
        (micros > 0).then(|| self.start + Duration::from_micros(micros as u64))
    }

    /// How many came twice or more.
    pub(super) fn twice(&self) -> usize {
        self.times.iter().filter(|times| times.load(Ordering::Relaxed) > 1).count()
    }

    /// Waits until `count` different ones arrived, or nothing came for `patience`; how many did.
    pub(super) async fn wait(&self, count: usize, patience: Duration) -> usize {
        let mut seen = self.count.subscribe();
        loop {
            let now = *seen.borrow_and_update();
            if now >= count || !matches!(tokio::time::timeout(patience, seen.changed()).await, Ok(Ok(()))) {
                return now;
            }
        }
    }
}

/// Reads until the socket ends: a browser that is open. Answers to pings are written by reading.
pub(super) async fn listen(mut socket: Socket, arrivals: watch::Receiver<Arc<Arrivals>>) {
    while let Ok(text) = next(&mut socket).await {
        if text.contains(MARK) {
            let arrivals = arrivals.borrow().clone();
            arrivals.note(&text);
        }
    }
}

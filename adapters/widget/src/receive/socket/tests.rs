//! The connection's own clocks, which tests do not wait for: no network, and time moves on when nobody has anything to do.
//!
//! Not here: what a real socket is told (`tests/it/widget_suite`).

use std::net::Ipv4Addr;

use deskbridge_contract::suite::Recorder;
use deskbridge_contract::{Adapter as _, Inbox, Timestamp};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{DuplexStream, duplex};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Message, Role};

use super::*;
use crate::WidgetAdapter;
use crate::config::Config;
use crate::ids::Visitor;

/// A program that has just been started, at a time of day that stands.
fn started() -> Arc<Widget> {
    let config = Config::from_value(json!({ "origins": ["https://portal.example.com"] })).ok().unwrap();
    let adapter = Arc::new(WidgetAdapter::new("widget".into(), config, Arc::new(|| Timestamp(0))));
    let recorder = Arc::new(Recorder::default());
    drop(adapter.clone().intake(Inbox::new("widget".into(), recorder.clone(), recorder)));
    adapter.0.clone()
}

/// A browser, and the connection at its other end.
async fn connected(widget: &Arc<Widget>) -> WebSocketStream<DuplexStream> {
    let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let address = widget.addresses.take_address(from).unwrap();
    let (near, far) = duplex(1 << 20);
    tokio::spawn(serve(widget.clone(), Wire::new(near, MAX_FRAME), from, address));
    WebSocketStream::from_raw_socket(far, Role::Client, None).await
}

/// One that has said hello, with a session of so many seconds.
async fn known(widget: &Arc<Widget>, seconds: u64) -> (WebSocketStream<DuplexStream>, Arc<Session>) {
    let shelf = widget.shelf().unwrap();
    let visitor = Visitor::unknown().unwrap();
    let lifetime = Some(Duration::from_secs(seconds));
    let opened = widget.people.open(&shelf, visitor, lifetime, Timestamp(0)).await.unwrap();
    let (token, session) = opened.unwrap();
    let mut browser = connected(widget).await;
    let hello = json!({ "t": "hello", "token": token.reveal(), "cursors": {} });
    browser.send(Message::text(hello.to_string())).await.unwrap();
    let heard = browser.next().await.unwrap().unwrap();
    assert_eq!(heard, Message::text(r#"{"t":"resumed"}"#));
    (browser, session)
}

/// The code that it is closed with, after answering whatever was asked before that.
async fn closed(mut browser: WebSocketStream<DuplexStream>) -> (u16, String) {
    loop {
        match browser.next().await {
            Some(Ok(Message::Close(Some(why)))) => return (why.code.into(), why.reason.to_string()),
            Some(Ok(_)) => {}
            other => panic!("not closed in words: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn s60_a_silent_connection_has_five_seconds() {
    let widget = started();
    let browser = connected(&widget).await;
    let began = Instant::now();
    assert_eq!(closed(browser).await, (4401, "no-hello".into()));
    assert_eq!(began.elapsed().as_secs(), 5);
    // Pings are no greeting.
    let mut browser = connected(&widget).await;
    let began = Instant::now();
    browser.send(Message::Ping("p".into())).await.unwrap();
    assert_eq!(closed(browser).await, (4401, "no-hello".into()));
    assert_eq!(began.elapsed().as_secs(), 5);
}

/// S63: what ends a session ends its connection without any time going by.
#[tokio::test(start_paused = true)]
async fn s63_a_session_that_ended_is_cut_at_once() {
    let widget = started();
    let (browser, session) = known(&widget, 3600).await;
    let (mut stays, _) = known(&widget, 3600).await;
    let shelf = widget.shelf().unwrap();
    let began = Instant::now();
    widget.people.end(&shelf, &session).await.unwrap();
    widget.hub.cut(&session.visitor, &session.digest);
    assert_eq!(closed(browser).await, (4401, "session-ended".into()));
    assert_eq!(began.elapsed(), Duration::ZERO);
    stays.send(Message::text(r#"{"t":"ping"}"#)).await.unwrap();
    assert_eq!(stays.next().await.unwrap().unwrap(), Message::text(r#"{"t":"pong"}"#));
}

/// S63: and one that runs out, when it does; a browser that answers pings is held until then.
#[tokio::test(start_paused = true)]
async fn s63_a_session_that_runs_out_is_cut_when_it_does() {
    let widget = started();
    let began = Instant::now();
    let (browser, _) = known(&widget, 600).await;
    assert_eq!(closed(browser).await, (4401, "session-ended".into()));
    assert_eq!(began.elapsed().as_secs(), 600);
}

/// S61: twenty a second, after what browsers say when they come back.
#[tokio::test(start_paused = true)]
async fn s61_a_flood_ends() {
    let widget = started();
    let (mut browser, _) = known(&widget, 3600).await;
    for _ in 0..1_000 {
        browser.send(Message::text(r#"{"t":"ping"}"#)).await.unwrap();
    }
    assert_eq!(closed(browser).await, (1008, "too many frames".into()));
}

/// Ten thousand of them wait at one time, so every byte here is ten kilobytes.
#[tokio::test]
async fn an_idle_visitors_task_is_small() {
    let widget = started();
    let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let address = widget.addresses.take_address(from).unwrap();
    let (near, _far) = duplex(64);
    let task = serve(widget, Wire::new(near, MAX_FRAME), from, address);
    let size = std::mem::size_of_val(&task);
    assert!(size <= 900, "{size} bytes");
}

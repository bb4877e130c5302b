//! Two queues that must not see each other, a token for everybody, and requests without a socket.
//!
//! Not here: what is checked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use deskbridge::app::Running;
use deskbridge::http::limits::Limits;
use deskbridge::http::router_with;
use deskbridge::runtime::Bridge;
use deskbridge_contract::ChannelName;
use deskbridge_conversation::{Conversation, ConversationId, TechnicianId};
use deskbridge_services::assistant::Assistant;
use deskbridge_store::Admin;
use deskbridge_store::open::Opened;
use deskbridge_store::rows::{BlobRow, TokenRow};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

use crate::harness::Town;

const CONFIG: &str = r#"
[assistant]
engine = "off"
knowledge = "KNOWLEDGE"
[desk]
undo_window = "0s"
[channels.telegram]
adapter = "sim"
queue = "network"
[channels.widget]
adapter = "sim"
queue = "sap"
[queues.network]
technicians = ["Ana", "Bob"]
[queues.sap]
technicians = ["Cem"]
[[technicians]]
name = "Ana"
presence = "offline"
[[technicians]]
name = "Bob"
presence = "offline"
[[technicians]]
name = "Cem"
presence = "offline"
[[technicians]]
name = "Sue"
role = "supervisor"
presence = "offline"
[[technicians]]
name = "Root"
role = "admin"
presence = "offline"
"#;

/// Every scope but `admin`.
pub const ORDINARY: &[&str] =
    &["chats:read", "chats:write", "tickets:read", "tickets:write", "presence:write", "metrics:read"];
/// Somewhere in the world.
pub const OUTSIDE: &str = "203.0.113.9:4711";

pub struct Office {
    pub town: Town,
    pub router: Router,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    /// `null` where the body is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    pub fn data(&self) -> Value {
        self.json()["data"].clone()
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().expect("text")).unwrap_or_default()
    }

    #[track_caller]
    pub fn must_be(self, status: u16) -> Answer {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }
}

/// Tokens as people have them: told apart by whose they are.
pub fn token_of(who: &str) -> String {
    format!("dbp_{}", hex::encode(Sha256::digest(who)))
}

pub fn get(path: &str, who: &str) -> Request<Body> {
    request("GET", path, who, Body::empty())
}

pub fn post(path: &str, who: &str, body: &Value) -> Request<Body> {
    request("POST", path, who, Body::from(body.to_string()))
}

pub fn put(path: &str, who: &str, body: &Value) -> Request<Body> {
    request("PUT", path, who, Body::from(body.to_string()))
}

pub fn request(method: &str, path: &str, who: &str, body: Body) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    request.header("authorization", format!("Bearer {}", token_of(who))).body(body).expect("a request")
}

pub fn with(mut request: Request<Body>, name: &'static str, value: &str) -> Request<Body> {
    request.headers_mut().insert(name, value.parse().expect("a header"));
    request
}

/// As if it came over a socket from there.
pub fn from(mut request: Request<Body>, peer: &str) -> Request<Body> {
    request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().expect("an address")));
    request
}

impl Office {
    pub async fn open() -> Office {
        Office::open_with("", Limits::default()).await
    }

    /// With more configuration in front, and other limits. Everybody has a token of their name with every ordinary
    /// scope; `program` belongs to nobody and may everything.
    pub async fn open_with(more: &str, limits: Limits) -> Office {
        Office::built(more, limits, None).await
    }

    /// With an assistant of one's own.
    pub async fn open_by(engine: Option<Arc<dyn Assistant>>) -> Office {
        Office::built("", Limits::default(), engine).await
    }

    /// Over another store than the one in memory.
    pub async fn over(opened: Opened) -> Office {
        let mut town = Town::prepared(&CONFIG.replace("KNOWLEDGE", &knowledge()), None);
        town.clock = deskbridge::app::clock();
        town.next = Some(opened);
        Office::of(town, Limits::default()).await
    }

    /// As another process over the same store and the same bridge.
    pub fn beside(other: &Office) -> Office {
        let mut town = Town::prepared(&CONFIG.replace("KNOWLEDGE", &knowledge()), None);
        town.clock = other.town.clock.clone();
        let Running { bridge, read, export, knowledge, settings, seal, .. } = other.town.running();
        town.running = Some(Running {
            bridge: bridge.clone(),
            read: read.clone(),
            export: export.clone(),
            knowledge: knowledge.clone(),
            settings: settings.clone(),
            seal: seal.clone(),
            hooks: Vec::new(),
            pages: Vec::new(),
        });
        let router = router_with(&town.config, town.running(), &Limits::default());
        Office { town, router }
    }

    /// The next run of the program.
    pub async fn restart(&mut self, opened: Opened) -> anyhow::Result<()> {
        self.town.running = None;
        self.town.next = Some(opened);
        self.town.running = Some(self.town.begun().await?);
        self.router = router_with(&self.town.config, self.town.running(), &Limits::default());
        Ok(())
    }

    async fn built(more: &str, limits: Limits, engine: Option<Arc<dyn Assistant>>) -> Office {
        let text = format!("{more}{}", CONFIG.replace("KNOWLEDGE", &knowledge()));
        Office::of(Town::prepared(&text, engine), limits).await
    }

    async fn of(mut town: Town, limits: Limits) -> Office {
        town.start().await;
        let running = town.running.as_mut().expect("it runs");
        running.hooks.push((ChannelName::from("probe"), super::sockets::hook()));
        let router = router_with(&town.config, town.running(), &limits);
        let office = Office { town, router };
        for who in ["ana", "bob", "cem", "sue", "root"] {
            office.give(who, ORDINARY, Some(who)).await;
        }
        office.give("program", &["admin"], None).await;
        office
    }

    pub fn bridge(&self) -> &Arc<Bridge> {
        &self.town.running().bridge
    }

    pub async fn give(&self, name: &str, scopes: &[&str], technician: Option<&str>) {
        let row = TokenRow {
            id: format!("t-{name}"),
            name: name.to_owned(),
            sha256: hex::encode(Sha256::digest(token_of(name))),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            technician: technician.map(TechnicianId::from),
            created: self.bridge().now(),
            expires: None,
            revoked: false,
        };
        self.bridge().writer.admin(Admin::CreateToken(row)).await.expect("stored");
    }

    /// Somebody writes; the conversation waits in the channel's queue.
    pub async fn opened(&self, channel: &str, person: &str, text: &str) -> i64 {
        let world = self.town.world(channel);
        let pushed = world.say(person, &world.direct(person), text).await.expect("taken");
        assert!(!format!("{pushed:?}").is_empty());
        let filter = deskbridge_store::read::ConversationFilter { limit: 1, ..Default::default() };
        self.bridge().read.conversations(&filter).await.expect("read")[0].id.0
    }

    /// One in `network`, one in `sap`.
    pub async fn two(&self) -> (i64, i64) {
        let network = self.opened("telegram", "maria", "the vpn says 691 canary-network").await;
        let sap = self.opened("widget", "joao", "sap is slow canary-sap").await;
        (network, sap)
    }

    pub async fn conversation(&self, id: i64) -> Conversation {
        self.bridge().read.conversation(ConversationId(id)).await.expect("read").expect("there")
    }

    pub async fn blob(&self, conversation: i64, name: &str, bytes: &'static [u8]) -> String {
        use futures_util::{StreamExt as _, stream};
        let stream = stream::iter([Ok(bytes::Bytes::from_static(bytes))]).boxed();
        let stored = self.bridge().blobs.put(name, "text/html", stream, 1 << 20).await.expect("kept");
        let row = BlobRow {
            id: stored.id.0.clone(),
            conversation: Some(ConversationId(conversation)),
            name: name.to_owned(),
            mime: stored.mime,
            size: stored.size,
            sha256: stored.sha256,
            created: self.bridge().now(),
        };
        self.bridge().writer.admin(Admin::PutBlob(row)).await.expect("stored");
        stored.id.0
    }

    pub async fn ask(&self, request: Request<Body>) -> Answer {
        ask(&self.router, request).await
    }

    pub async fn act(&self, conversation: i64, verb: &str, who: &str, body: &Value) -> Answer {
        let path = format!("/api/v1/conversations/{conversation}/actions/{verb}");
        self.ask(post(&path, who, body)).await
    }

    pub async fn accept(&self, conversation: i64, who: &str) {
        self.act(conversation, "accept", who, &json!({})).await.must_be(200);
    }

    /// Looks until it is so, for what happens after a commit.
    pub async fn until<T>(&self, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        for _ in 0..500 {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it never happened");
    }
}

pub async fn ask(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.expect("infallible");
    let (head, body) = response.into_parts();
    let bytes = to_bytes(body, 64 << 20).await.expect("a body").to_vec();
    Answer { status: head.status, headers: head.headers, bytes }
}

fn knowledge() -> String {
    crate::harness::knowledge().display().to_string()
}

//! For those who run it: `/healthz`, `/readyz`, `/metrics`, `/version`.
//!
//! Not here: the API. What tells anything about this installation is for this machine, or for a token (S109, S113).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use deskbridge_contract::{ChannelName, Timestamp};
use deskbridge_conversation::{ConversationId, EffectId};
use deskbridge_services::knowledge::{Inventory, KnowledgeBase};
use deskbridge_store::Begin;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::answer;
use super::auth::{Caller, Scope};
use super::metrics::Page;
use super::peer::Peer;
use super::problem::Problem;
use crate::runtime::Bridge;
use crate::runtime::health::State as Channel;

/// A look at the store and the writer is good for this long, so that probes are no load.
const FRESH: Duration = Duration::from_millis(500);
/// A store that takes longer counts as gone.
const PROMPT: Duration = Duration::from_secs(1);
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

struct Ops {
    bridge: Arc<Bridge>,
    knowledge: Arc<KnowledgeBase>,
    page: Page,
    looked: Mutex<Option<(Instant, Checks)>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Checks {
    store: bool,
    writer: bool,
}

/// `/readyz?verbose`
#[derive(Serialize)]
struct Verbose {
    ready: bool,
    store: &'static str,
    writer: &'static str,
    channels: BTreeMap<ChannelName, Channel>,
    knowledge: Known,
}

/// What the assistant answers from.
#[derive(Serialize)]
struct Known {
    articles: usize,
    /// Another one whenever an article is another one (`Inventory::revision`).
    revision: String,
}

impl Known {
    fn now(knowledge: &KnowledgeBase) -> Known {
        let current = knowledge.current();
        Known { articles: current.articles().len(), revision: Inventory::of(&current).revision() }
    }
}

pub fn router(bridge: &Arc<Bridge>, knowledge: &Arc<KnowledgeBase>) -> Router {
    let (bridge, knowledge) = (bridge.clone(), knowledge.clone());
    let ops = Ops { page: Page::start(&bridge), bridge, knowledge, looked: Mutex::default() };
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/version", get(version))
        .with_state(Arc::new(ops))
        .layer(from_fn(answer::private))
}

impl Ops {
    async fn checks(&self) -> Checks {
        let mut looked = self.looked.lock().await;
        if let Some((at, checks)) = *looked
            && at.elapsed() < FRESH
        {
            return checks;
        }
        let store = tokio::time::timeout(PROMPT, self.bridge.read.ping());
        // An attempt at nothing: it goes all the way through the writer and back, and leaves nothing.
        let nothing = EffectId { conversation: ConversationId(0), seq: 0, n: 0 };
        let begin = Begin { effect: nothing, lease_until: Timestamp(0) };
        let writer = tokio::time::timeout(PROMPT, self.bridge.writer.begin(begin));
        let (store, writer) = tokio::join!(store, writer);
        let checks = Checks { store: matches!(store, Ok(Ok(()))), writer: matches!(writer, Ok(Ok(_))) };
        *looked = Some((Instant::now(), checks));
        checks
    }

    /// Whether this caller may know how the installation is doing.
    async fn may_look(&self, peer: Option<Extension<Peer>>, headers: &HeaderMap) -> Result<(), Problem> {
        if peer.is_some_and(|Extension(peer)| peer.local) {
            return Ok(());
        }
        let caller = Caller::of(&self.bridge, headers).await?;
        caller.needs(Scope::MetricsRead)
    }
}

/// Ready: the store answers, the writer commits, and, where there are channels, at least one of them works.
async fn ready(
    State(ops): State<Arc<Ops>>,
    peer: Option<Extension<Peer>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let checks = ops.checks().await;
    let channels = ops.bridge.health_of_all();
    let one_up = channels.is_empty() || channels.values().any(|state| matches!(state, Channel::Up { .. }));
    let ready = checks.store && checks.writer && one_up && !ops.bridge.stop.is_cancelled();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let verbose = uri.query().is_some_and(|query| query.starts_with("verbose"));
    if verbose && ops.may_look(peer, &headers).await.is_ok() {
        let word = |fine| if fine { "ok" } else { "unavailable" };
        let (store, writer) = (word(checks.store), word(checks.writer));
        let knowledge = Known::now(&ops.knowledge);
        return (status, Json(Verbose { ready, store, writer, channels, knowledge })).into_response();
    }
    let word = match (checks.store && checks.writer, one_up, ready) {
        (false, _, _) => "not ready: the store cannot be reached",
        (true, false, _) => "not ready: no channel is up",
        (true, true, false) => "not ready: stopping",
        (true, true, true) => "ready",
    };
    (status, word).into_response()
}

async fn metrics(
    State(ops): State<Arc<Ops>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    ops.may_look(peer, &headers).await?;
    Ok(([(header::CONTENT_TYPE, TEXT)], ops.page.text(&ops.bridge).await).into_response())
}

async fn version(
    State(ops): State<Arc<Ops>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !peer.is_some_and(|Extension(peer)| peer.local) {
        Caller::of(&ops.bridge, &headers).await?;
    }
    let version = serde_json::json!({"name": "deskbridge", "version": env!("CARGO_PKG_VERSION")});
    Ok(Json(version).into_response())
}

//! REST under `/api/v1`: one table of routes, from which the router, the checks and the description are made.
//!
//! Not here: rules. Reads go through the store's read side; writes are events and jobs for the writer, with the same
//! verbs and the same permission check as every other surface.

mod actions;
mod admin;
mod apply;
mod blobs;
pub mod call;
mod conversations;
mod deliveries;
pub mod events;
mod input;
mod me;
mod messages;
mod once;
mod page;
mod queues;
pub mod routes;
mod search;
mod sight;
mod technicians;
mod tickets;
mod timeline;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Path, Request};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, on};
use deskbridge_services::knowledge::KnowledgeBase;

use super::auth::Caller;
use super::body::{self, Room};
use super::limits::Limits;
use super::problem::Problem;
use crate::runtime::Bridge;
pub use actions::verbs;
pub use conversations::STAGES;
pub use technicians::PRESENCES;

use call::Call;
use events::Hub;
use once::Onces;
use routes::{Route, TABLE};
use sight::Refusals;

/// Below this every route of the table.
pub const ROOT: &str = "/api/v1";

/// What every route works with.
pub struct Api {
    pub bridge: Arc<Bridge>,
    pub knowledge: Arc<KnowledgeBase>,
    limits: Limits,
    room: Room,
    hub: Arc<Hub>,
    onces: Onces,
    refusals: Refusals,
}

pub fn router(bridge: &Arc<Bridge>, knowledge: &Arc<KnowledgeBase>, limits: &Limits, room: &Room) -> Router {
    let api = Arc::new(Api {
        bridge: bridge.clone(),
        knowledge: knowledge.clone(),
        limits: limits.clone(),
        room: room.clone(),
        hub: Hub::start(bridge, limits),
        onces: Onces::default(),
        refusals: Refusals::default(),
    });
    TABLE.iter().fold(Router::new(), |router, route| {
        router.route(&format!("{ROOT}{}", route.path), method(api.clone(), route))
    })
}

fn method(api: Arc<Api>, route: &'static Route) -> MethodRouter {
    on(route.method.filter(), move |Path(path): Path<BTreeMap<String, String>>, request: Request| {
        let api = api.clone();
        async move {
            let served =
                tokio::time::timeout(api.limits.answer, api.clone().serve(route, path, request)).await;
            served.unwrap_or_else(|_| Problem::busy(1).into_response())
        }
    })
}

impl Api {
    async fn serve(
        self: Arc<Self>,
        route: &'static Route,
        path: BTreeMap<String, String>,
        request: Request,
    ) -> Response {
        if let Some(problem) = body::refused(request.headers(), &self.limits) {
            return problem.into_response();
        }
        let (request, guard) = body::guard(request, &self.limits, &self.room);
        let answer = match self.call(route, path, request).await {
            Ok(call) => (route.act)(self, call).await,
            Err(problem) => Err(problem),
        };
        let answer = guard.problem().map_or(answer, Err);
        answer.unwrap_or_else(Problem::into_response)
    }

    /// Who calls comes first: nobody learns anything else without a good token, and no body is read for them.
    async fn call(
        &self,
        route: &'static Route,
        path: BTreeMap<String, String>,
        request: Request,
    ) -> Result<Call, Problem> {
        let (head, body) = request.into_parts();
        let query = call::query(&head.uri)?;
        let caller = Caller::of(&self.bridge, &head.headers).await?;
        if let Some(scope) = route.scope {
            caller.needs(scope)?;
        }
        call::known(route, &query)?;
        let bytes = match route.fields {
            Some(_) => to_bytes(body, self.limits.body).await.map_err(|_| Problem::bad("body", ""))?,
            None => bytes::Bytes::new(),
        };
        let fields = match route.fields {
            Some(fields) => input::read(&head.headers, &bytes, fields)?,
            None => serde_json::Map::new(),
        };
        let once = once::Key::of(route, &head.uri, &head.headers, &caller, &bytes)?;
        let if_match = call::if_match(&head.headers)?;
        let last_event = call::last_event(&head.headers);
        Ok(Call { caller, route, path, query, fields, once, if_match, last_event, at: self.bridge.now() })
    }
}

//! REST under `/api/v1`: one table of routes, from which the router, the checks and the description are made.
//!
//! Not here: rules. Reads go through the store's read side; writes are events and jobs for the writer, with the same
//! verbs and the same permission check as every other surface.

mod accounts;
mod actions;
mod admin;
mod admitted;
mod answered;
mod apply;
mod attention;
mod blobs;
pub mod call;
mod canned;
mod conversations;
mod deliveries;
mod drafting;
mod drafts;
mod edits;
pub mod events;
mod factor;
mod input;
mod me;
mod messages;
mod oidc;
mod once;
mod page;
mod people;
mod queues;
pub mod routes;
mod search;
mod settings;
mod sight;
mod signin;
mod sites;
mod technicians;
mod tickets;
mod timeline;
mod tokens;
mod uploads;
mod view;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Path, Request};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, on};
use bytes::Bytes;
use deskbridge_services::knowledge::KnowledgeBase;
use tokio::sync::{Mutex, OnceCell};

use super::auth::Caller;
use super::body::{self, Room};
use super::limits::Limits;
use super::peer::Peer;
use super::problem::Problem;
use super::session::Site;
use super::throttle::Throttle;
use crate::app::Running;
use crate::app::settings::Settings;
use crate::config::Config;
use crate::runtime::Bridge;
use crate::seal::Seal;
pub use accounts::{first_link, link_for};
pub use actions::verbs;
pub use admitted::bound;
pub use attention::DOINGS;
pub use conversations::STAGES;
pub use factor::forget_all as forget_factors;
pub(crate) use factor::seal_all;
pub use technicians::PRESENCES;

use answered::Answered;
use attention::Watching;
use call::Call;
use events::Hub;
use oidc::Single;
use once::{Onces, Started, replayed};
use routes::{Method, Route, TABLE};
use sight::Refusals;

/// Below this every route of the table.
pub const ROOT: &str = "/api/v1";

/// How much longer a slow route may take than others.
const SLOW: u32 = 20;

/// What every route works with.
pub struct Api {
    pub bridge: Arc<Bridge>,
    pub knowledge: Arc<KnowledgeBase>,
    limits: Limits,
    room: Room,
    hub: Arc<Hub>,
    onces: Onces,
    /// By what requests are told apart; read with the first of them.
    fingerprints: OnceCell<String>,
    refusals: Refusals,
    site: Site,
    settings: Arc<Settings>,
    seal: Arc<Seal>,
    /// Where people may sign in beside passwords.
    single: Option<Single>,
    throttle: Throttle,
    /// Links and accounts change one at a time: a link is good for one of two who come together.
    accounts: Mutex<()>,
    watching: Watching,
}

pub fn router(running: &Running, config: &Config, limits: &Limits, room: &Room) -> Router {
    let bridge = &running.bridge;
    let api = Arc::new(Api {
        bridge: bridge.clone(),
        knowledge: running.knowledge.clone(),
        site: Site { public_url: config.server.public_url.clone() },
        settings: running.settings.clone(),
        seal: running.seal.clone(),
        single: config.oidc.as_ref().map(Single::new),
        throttle: Throttle::default(),
        accounts: Mutex::default(),
        watching: Watching::default(),
        limits: limits.clone(),
        room: room.clone(),
        hub: Hub::start(bridge, limits),
        onces: Onces::default(),
        fingerprints: OnceCell::new(),
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
            let answer = api.limits.answer;
            let patience = if route.slow { answer * SLOW } else { answer };
            let served = tokio::time::timeout(patience, api.clone().serve(route, path, request)).await;
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
        let limits = if route.upload { self.limits.for_files() } else { self.limits.clone() };
        if let Some(problem) = body::refused(request.headers(), &limits) {
            return problem.into_response();
        }
        let (request, guard) = body::guard(request, &limits, &self.room);
        let answer = match self.call(route, path, request).await {
            Ok(call) if route.is_once() && call.once.is_given() => self.act_once(route, call).await,
            Ok(call) => (route.act)(self, call).await,
            Err(problem) => Err(problem),
        };
        let answer = guard.problem().map_or(answer, Err);
        answer.unwrap_or_else(Problem::into_response)
    }

    /// For what is no event of a conversation: what was done is not done again, and answered as it was; also after a
    /// restart.
    async fn act_once(self: Arc<Self>, route: &'static Route, call: Call) -> call::Answer {
        let key = call.once.clone();
        let erasures = self.bridge.erasing.begun();
        self.onces.know(erasures);
        self.onces.begin(&key)?;
        let doing = match self.onces.start(&key)? {
            Started::Before(answer) => return Ok(replayed(answer)),
            Started::Now(doing) => doing,
        };
        if doing.first
            && let Some(known) = self.answered(&key).await?
        {
            return match known {
                Answered::Done(kept) => doing.was_done(kept).map(replayed),
                Answered::Begun => Err(answered::unknown()),
            };
        }
        self.note_begun(&key).await?;
        let answer = match (route.act)(self.clone(), call).await {
            Ok(answer) => answer,
            Err(problem) => {
                self.forget_begun(&key).await?;
                return Err(problem);
            }
        };
        let (answer, kept) = doing.finish(answer).await?;
        self.note_done(&key, kept.filter(|_| !route.tells_a_secret())).await?;
        // The answer to an erasure itself names nobody.
        let erases = matches!(route.shape, routes::Shape::One("Erased"));
        if self.bridge.erasing.begun() != erasures && !erases {
            self.forget_answer(&key).await?;
        }
        Ok(answer)
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
        let caller = if route.open {
            self.site.must_be_own(&head.headers)?;
            Caller::unknown()
        } else {
            let writes = route.method != Method::Get;
            Caller::of_browser(&self.bridge, &self.site, &head.headers, writes).await?
        };
        if let Some(scope) = route.scope {
            caller.needs(scope)?;
        }
        call::known(route, &query)?;
        let most = if route.upload { self.limits.file } else { self.limits.body };
        let bytes = match route.fields {
            _ if route.upload => to_bytes(body, most).await.map_err(|_| Problem::bad("body", ""))?,
            Some(_) => to_bytes(body, most).await.map_err(|_| Problem::bad("body", ""))?,
            None => Bytes::new(),
        };
        let fields = match route.fields {
            Some(_) if route.upload => serde_json::Map::new(),
            Some(fields) => input::read(&head.headers, &bytes, fields)?,
            None => serde_json::Map::new(),
        };
        let secret = self.fingerprints.get_or_try_init(|| self.bridge.read.fingerprint_key()).await?;
        let once = once::Key::of(route, &head.uri, &head.headers, &caller, &bytes, secret)?;
        let if_match = call::if_match(&head.headers)?;
        let last_event = call::last_event(&head.headers);
        let peer =
            head.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.address);
        let (bytes, headers, at) =
            (if route.upload { bytes } else { Bytes::new() }, head.headers, self.bridge.now());
        Ok(Call { caller, route, path, query, fields, once, if_match, last_event, at, peer, headers, bytes })
    }
}

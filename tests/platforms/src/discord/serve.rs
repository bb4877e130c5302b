//! The HTTP side: routes, the ledger's entry for every call, limits, and the carrying out of faults.
//! What the operations do is in `methods`; the gateway's side is in `socket`.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Request, Response, header};
use bytes::Bytes;
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::error::{Answer, ApiError};
use super::faults::{FaultKind, Scope};
use super::files::MAX_REQUEST;
use super::limits::Standing;
use super::methods::{self, Method};
use super::params::{Params, PathParts};
use super::socket;
use super::world::{Shared, World};
use crate::encoding::{pairs, percent_decoded};
use crate::http::{self, Hangup, Reply};

const MAX_BODY: usize = 2 * MAX_REQUEST;

pub(super) async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Reply {
    let path = percent_decoded(request.uri().path().as_bytes());
    if matches!(path.trim_end_matches('/'), "/gateway" | "/resume") {
        return socket::connect(shared, request).await;
    }
    if path.starts_with("/attachments/") {
        return download(&shared, &path, &request).await;
    }
    let rest = path.strip_prefix("/api/").unwrap_or_default();
    // Webhook URLs that were handed out name no version.
    let rest = rest.strip_prefix("v10/").unwrap_or(rest);
    match methods::find(request.method().as_str(), rest) {
        Ok((method, parts)) => call(shared, method, parts, request).await,
        Err(known) => {
            let line = format!("{} {path}", request.method());
            let error = if known { ApiError::method_not_allowed() } else { ApiError::not_found() };
            shared.change(|world| {
                world.ledger.violation(format!("the fake does not know {line}"));
                let number = world.ledger.open("unknown", &line, None, "");
                world.ledger.close(number, error.status, Some(error.body()));
            });
            Ok(http::json(error.status, &error.body()))
        }
    }
}

/// One call under way.
struct Task {
    shared: Arc<Shared>,
    number: usize,
    method: &'static Method,
    params: Params,
    standing: Standing,
}

async fn call(
    shared: Arc<Shared>,
    method: &'static Method,
    path: PathParts,
    request: Request<Incoming>,
) -> Reply {
    let (parts, body) = request.into_parts();
    let mut params = Params::new(&parts, path);
    let agent =
        parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let line = format!("{} {}", parts.method, parts.uri);
    let (number, fault) = shared.change(|world| {
        let app = methods::caller(world, &params).ok().map(|caller| caller.app);
        let number = world.ledger.open(method.operation, &line, app, agent);
        if !agent.starts_with("DiscordBot (") {
            world.ledger.violation(format!("{line}: User-Agent {agent:?} is not DiscordBot (url, version)"));
        }
        let channel = params.path.iter().find(|(name, _)| *name == "channel_id").map(|(_, id)| id.as_str());
        (number, world.faults.take(method.operation, channel))
    });
    if fault == Some(FaultKind::CloseBeforeReading) {
        shared.change(|world| world.ledger.amend(number, |call| call.fault = Some("close_before_reading")));
        return Err(Hangup);
    }
    let Ok(body) = to_bytes(Body::new(body), MAX_BODY).await else { return Err(Hangup) };
    let unreadable = params.take_body(&parts, body).await.err();
    let standing = shared.change(|world| {
        world.ledger.fill(number, &params);
        world.check(number, method.operation, &params);
        let app = methods::caller(world, &params).map(|caller| caller.app).unwrap_or_default();
        world.count(method.operation, &methods::major(&params), app)
    });
    let task = Task { shared, number, method, params, standing };
    match (fault, unreadable) {
        (Some(fault), _) => task.faulty(fault).await,
        (None, _) if task.standing.exceeded.is_some() => Ok(task.limited()),
        (None, Some(error)) => Ok(task.respond(Err(error))),
        (None, None) => Ok(task.respond(task.perform())),
    }
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn status_and_body(answer: &Answer) -> (u16, Option<Value>) {
    match answer {
        Ok(good) => (good.status, good.body.clone()),
        Err(error) => (error.status, Some(error.body())),
    }
}

impl Task {
    fn perform(&self) -> Answer {
        self.shared.change(|world| {
            let answer = methods::call(world, self.method, &self.params);
            world.ledger.amend(self.number, |call| call.effect = answer.is_ok());
            if let Ok(good) = &answer {
                world.check_answer(self.method.operation, good);
            }
            answer
        })
    }

    fn perform_if(&self, effect: bool) {
        if effect {
            let _ = self.perform();
        }
    }

    fn close(&self, status: u16, answer: Option<Value>) {
        self.shared.change(|world| world.closed(self.number, status, answer, false));
    }

    fn respond(&self, answer: Answer) -> Response<Body> {
        let (status, body) = status_and_body(&answer);
        let mut response = match &body {
            Some(body) => http::json(status, body),
            None => empty(status),
        };
        self.put_limits(response.headers_mut());
        self.close(status, body);
        response
    }

    fn put_limits(&self, headers: &mut HeaderMap) {
        let standing = &self.standing;
        put(headers, "x-ratelimit-limit", &standing.limit.to_string());
        put(headers, "x-ratelimit-remaining", &standing.remaining.to_string());
        put(headers, "x-ratelimit-reset", &format!("{:.3}", standing.reset));
        put(headers, "x-ratelimit-reset-after", &format!("{:.3}", standing.reset_after.as_secs_f64()));
        put(headers, "x-ratelimit-bucket", &standing.bucket);
    }

    /// The 429 of a limit that was really reached.
    fn limited(&self) -> Response<Body> {
        let scope = self.standing.exceeded.unwrap_or(Scope::User);
        let wait = self.standing.reset_after.as_secs_f64();
        let mut response = self.too_many(scope, Some(json!(wait)), Some(format!("{}", wait.ceil())));
        if scope != Scope::Global {
            self.put_limits(response.headers_mut());
        }
        response
    }

    fn too_many(&self, scope: Scope, retry_after: Option<Value>, header: Option<String>) -> Response<Body> {
        let text = match scope {
            Scope::Shared => "The resource is being rate limited.",
            Scope::User | Scope::Global => "You are being rate limited.",
        };
        let mut body = json!({ "message": text, "global": scope == Scope::Global });
        if let Some(wait) = retry_after {
            body["retry_after"] = wait;
        }
        let mut response = http::json(429, &body);
        let headers = response.headers_mut();
        put(headers, "x-ratelimit-scope", scope.name());
        put(headers, "via", "1.1 google");
        if scope == Scope::Global {
            put(headers, "x-ratelimit-global", "true");
        }
        if let Some(value) = header {
            put(headers, "retry-after", &value);
        }
        self.shared.change(|world| world.closed(self.number, 429, Some(body), scope == Scope::Shared));
        response
    }

    /// The real answer's bytes, for faults that only spoil how it travels.
    fn real_body(&self) -> Bytes {
        let (status, body) = status_and_body(&self.perform());
        self.close(status, body.clone());
        Bytes::from(body.unwrap_or_default().to_string())
    }

    fn plain(&self, status: u16, effect: bool, response: Response<Body>) -> Reply {
        self.perform_if(effect);
        self.close(status, None);
        Ok(response)
    }

    async fn faulty(&self, fault: FaultKind) -> Reply {
        self.shared.change(|world| world.ledger.amend(self.number, |call| call.fault = Some(fault.name())));
        match fault {
            FaultKind::Refused { code: 0 } => Ok(self.respond(Err(ApiError::unauthorized()))),
            FaultKind::Refused { code } => Ok(self.respond(Err(ApiError::coded(code)))),
            FaultKind::Status { code, effect } => {
                self.plain(code, effect, http::text(code, "text/plain", "upstream connect error"))
            }
            FaultKind::RateLimit { scope, retry_after, header } => {
                Ok(self.too_many(scope, retry_after, header))
            }
            FaultKind::Banned => self.plain(429, false, http::html_page(429)),
            FaultKind::Html { effect } => self.plain(200, effect, http::html_page(200)),
            FaultKind::CloseBeforeReading => Err(Hangup),
            FaultKind::CloseAfterEffect => {
                self.perform_if(true);
                Err(Hangup)
            }
            FaultKind::Stall { wait, effect } => {
                let answer = effect.then(|| self.perform());
                tokio::time::sleep(wait).await;
                answer.map(|answer| self.respond(answer)).ok_or(Hangup)
            }
            FaultKind::Garbage { body, effect } => {
                self.plain(200, effect, http::text(200, "application/json", body))
            }
            FaultKind::CutShort => Ok(http::cut_short(self.real_body())),
            FaultKind::Drip { every } => Ok(http::dripping(self.real_body(), every)),
            FaultKind::Endless { effect } => self.plain(200, effect, http::endless()),
        }
    }
}

fn empty(status: u16) -> Response<Body> {
    let mut response = http::text(status, "application/json", Body::empty());
    response.headers_mut().remove(header::CONTENT_TYPE);
    response
}

impl World {
    /// Closes a call's entry and counts it among the invalid ones if it is one.
    fn closed(&mut self, number: usize, status: u16, answer: Option<Value>, shared_limit: bool) {
        if matches!(status, 401 | 403 | 429) && !shared_limit {
            self.ledger.invalid_requests += 1;
        }
        self.ledger.close(number, status, answer);
    }
}

/// A file's bytes, while its link lives.
async fn download(shared: &Arc<Shared>, path: &str, request: &Request<Incoming>) -> Reply {
    let query = pairs(request.uri().query().unwrap_or_default().as_bytes());
    let line = format!("GET {}", request.uri());
    let (number, fault, found) = shared.change(|world| {
        let number = world.ledger.open("download", &line, None, "");
        if request.headers().contains_key(header::AUTHORIZATION) {
            world.ledger.violation("a token was sent to the CDN");
        }
        let fault = world.faults.take("download", None);
        world.ledger.amend(number, |call| call.fault = fault.as_ref().map(FaultKind::name));
        (number, fault, world.linked(path, &query).cloned())
    });
    let close = |status| shared.change(|world| world.ledger.close(number, status, None));
    let Some(file) = found else {
        close(404);
        return Ok(http::text(404, "text/plain", "This content is no longer available."));
    };
    match fault {
        None => {
            shared.change(|world| world.ledger.amend(number, |call| call.effect = true));
            close(200);
            Ok(http::text(200, &file.mime, file.bytes))
        }
        Some(FaultKind::Status { code, .. }) => {
            close(code);
            Ok(http::text(code, "text/plain", "upstream connect error"))
        }
        Some(FaultKind::CutShort) => Ok(http::cut_short(file.bytes)),
        Some(FaultKind::Drip { every }) => Ok(http::dripping(file.bytes, every)),
        Some(FaultKind::Endless { .. }) => Ok(http::endless()),
        Some(FaultKind::Stall { wait, effect }) => {
            tokio::time::sleep(wait).await;
            close(200);
            if effect { Ok(http::text(200, &file.mime, file.bytes)) } else { Err(Hangup) }
        }
        Some(_) => Err(Hangup),
    }
}

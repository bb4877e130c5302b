//! The HTTP side: routes, the ledger's entry for every call, and the carrying out of faults.
//! What the methods do is in `methods`.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart};
use axum::http::{HeaderMap, HeaderValue, Request, Response, header, request::Parts};
use bytes::Bytes;
use hyper::body::Incoming;
use serde_json::{Map, Value, json};

use super::error::{Answer, ApiError};
use super::faults::FaultKind;
use super::files::MAX_UPLOAD;
use super::methods::{self, Caller};
use super::params::{Params, bearer};
use super::sockets;
use super::world::Shared;
use crate::encoding::percent_decoded;
use crate::http::{self, Hangup, Reply};

const MAX_BODY: usize = MAX_UPLOAD as usize + (8 << 20);

pub(super) async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Reply {
    let path = percent_decoded(request.uri().path().as_bytes());
    if path == "/link/" || path == "/link" {
        return sockets::connect(shared, request).await;
    }
    if let Some(method) = path.strip_prefix("/api/") {
        return call(shared, method.to_owned(), request).await;
    }
    if let Some(ticket) = path.strip_prefix("/upload/v1/") {
        return upload(shared, ticket.to_owned(), request).await;
    }
    if path.starts_with("/actions/") {
        return respond(shared, path, request).await;
    }
    let file = path.strip_prefix("/files-pri/").map(|rest| (rest, false));
    match file.or_else(|| path.strip_prefix("/cdn/").map(|rest| (rest, true))) {
        Some((rest, at_cdn)) => download(&shared, rest, at_cdn, request.headers()).await,
        None => Ok(http::text(404, "text/plain", "not found")),
    }
}

/// One call under way.
struct Task {
    shared: Arc<Shared>,
    number: usize,
    method: String,
    params: Params,
}

async fn read(request: Request<Incoming>) -> Option<(Parts, Bytes)> {
    let (parts, body) = request.into_parts();
    Some((parts, to_bytes(Body::new(body), MAX_BODY).await.ok()?))
}

/// Opens the entry; the fault for it, if any.
fn begin(shared: &Arc<Shared>, method: &str, params: Params) -> (Task, Option<FaultKind>) {
    let (number, fault) = shared.change(|world| {
        let team = methods::caller(world, &params).ok().map(|caller| caller.team);
        let number = world.ledger.open(method, team.as_deref(), &params);
        let channel = params.text("channel").or_else(|| params.text("channel_id"));
        let wrong = world.fields.as_ref().map(|fields| fields.faults_of(method, &params)).unwrap_or_default();
        world.ledger.violations.extend(wrong);
        (number, world.faults.take(method, channel.as_deref()))
    });
    (Task { shared: shared.clone(), number, method: method.to_owned(), params }, fault)
}

async fn call(shared: Arc<Shared>, method: String, request: Request<Incoming>) -> Reply {
    let Some((parts, body)) = read(request).await else { return Err(Hangup) };
    let (params, unreadable) = match Params::read(&parts, &body, methods::takes_json(&method)) {
        Ok(params) => (params, None),
        Err(error) => (Params::empty(), Some(error)),
    };
    let (task, fault) = begin(&shared, &method, params);
    match (unreadable, fault) {
        (Some(error), _) => Ok(task.respond(None, Err(error))),
        (None, Some(fault)) => task.faulty(fault).await,
        (None, None) => {
            let (caller, answer) = task.perform();
            Ok(task.respond(caller, answer))
        }
    }
}

fn body_of(answer: &Answer) -> Value {
    match answer {
        Ok(result) => {
            let mut body = result.clone();
            body["ok"] = json!(true);
            body
        }
        Err(error) => error.body(),
    }
}

impl Task {
    fn perform(&self) -> (Option<Caller>, Answer) {
        self.shared.change(|world| {
            if !methods::is_known(&self.method) {
                world.ledger.violation(format!("{}: the fake does not know this method", self.method));
            }
            let (caller, answer) = methods::call(world, &self.method, &self.params);
            world.ledger.amend(self.number, |call| call.effect = answer.is_ok());
            (caller, answer)
        })
    }

    fn perform_if(&self, effect: bool) {
        if effect {
            let _ = self.perform();
        }
    }

    fn close(&self, status: u16, answer: Option<Value>) {
        self.shared.change(|world| world.ledger.close(self.number, status, answer));
    }

    fn respond(&self, caller: Option<Caller>, answer: Answer) -> Response<Body> {
        let body = body_of(&answer);
        let limited = body["error"] == "ratelimited";
        let status = if limited { 429 } else { 200 };
        let mut response = http::json(status, &body);
        let headers = response.headers_mut();
        if limited {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Some(caller) = caller {
            put(headers, "x-oauth-scopes", &caller.scopes.join(","));
            put(headers, "x-accepted-oauth-scopes", &methods::accepted_scopes(&self.method));
        }
        put(headers, "x-slack-req-id", &format!("fake{:08}", self.number));
        self.close(status, Some(body));
        response
    }

    /// The real answer's bytes, for faults that only spoil how it travels.
    fn real_body(&self) -> Bytes {
        let body = body_of(&self.perform().1);
        self.close(200, Some(body.clone()));
        Bytes::from(body.to_string())
    }

    async fn faulty(&self, fault: FaultKind) -> Reply {
        self.shared.change(|world| world.ledger.amend(self.number, |call| call.fault = Some(fault.name())));
        match fault {
            FaultKind::Refused { error } => Ok(self.respond(None, Err(ApiError::new(error)))),
            FaultKind::Status { code, effect } => {
                self.perform_if(effect);
                self.close(code, None);
                Ok(http::text(code, "text/plain", "upstream error"))
            }
            FaultKind::RateLimit { retry_after } => {
                let body = ApiError::new("ratelimited").body();
                let mut response = http::json(429, &body);
                if let Some(value) = retry_after {
                    put(response.headers_mut(), "retry-after", &value);
                }
                self.close(429, Some(body));
                Ok(response)
            }
            FaultKind::Html { effect } => {
                self.perform_if(effect);
                self.close(200, None);
                Ok(http::html_page(200))
            }
            FaultKind::CloseBeforeReading => Err(Hangup),
            FaultKind::CloseAfterEffect => {
                self.perform_if(true);
                Err(Hangup)
            }
            FaultKind::Stall { wait, effect } => {
                let answer = effect.then(|| self.perform());
                tokio::time::sleep(wait).await;
                answer.map(|(caller, answer)| self.respond(caller, answer)).ok_or(Hangup)
            }
            FaultKind::Garbage { body, effect } => {
                self.perform_if(effect);
                self.close(200, None);
                Ok(http::text(200, "application/json", body))
            }
            FaultKind::CutShort => Ok(http::cut_short(self.real_body())),
            FaultKind::Drip { every } => Ok(http::dripping(self.real_body(), every)),
            FaultKind::Endless { effect } => {
                self.perform_if(effect);
                self.close(200, None);
                Ok(http::endless())
            }
        }
    }
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The second step of an upload: the bytes, plain or as the one file of a form.
async fn upload(shared: Arc<Shared>, ticket: String, request: Request<Incoming>) -> Reply {
    let Some((parts, body)) = read(request).await else { return Err(Hangup) };
    let mut params = Params::from_map(Map::from_iter([("ticket".to_owned(), json!(ticket))]));
    params.token = bearer(&parts.headers);
    let (task, fault) = begin(&shared, "upload", params);
    let bytes = file_of(&parts, body).await;
    let taken = || {
        task.shared.change(|world| {
            let taken = world.take_upload(&ticket, bytes.clone());
            world.ledger.amend(task.number, |call| call.effect = taken.is_ok());
            taken
        })
    };
    match fault {
        None => {
            let (status, text) = match taken() {
                Ok(length) => (200, format!("OK - {length}")),
                Err(error) => (400, error.name),
            };
            task.close(status, Some(json!(text)));
            Ok(http::text(status, "text/plain", text))
        }
        Some(FaultKind::CloseAfterEffect) => {
            let _ = taken();
            Err(Hangup)
        }
        Some(fault) => task.faulty(fault).await,
    }
}

async fn file_of(parts: &Parts, body: Bytes) -> Bytes {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("multipart/form-data")) {
        return body;
    }
    let mut request = Request::new(Body::from(body));
    *request.headers_mut() = parts.headers.clone();
    DefaultBodyLimit::disable().apply(&mut request);
    let Ok(mut form) = Multipart::from_request(request, &()).await else { return Bytes::new() };
    while let Ok(Some(field)) = form.next_field().await {
        if field.file_name().is_some() {
            return field.bytes().await.unwrap_or_default();
        }
    }
    Bytes::new()
}

/// A POST to a response URL.
async fn respond(shared: Arc<Shared>, path: String, request: Request<Incoming>) -> Reply {
    let Some((parts, body)) = read(request).await else { return Err(Hangup) };
    let message = serde_json::from_slice::<Value>(&body);
    let mut params =
        Params::from_map(message.as_ref().ok().and_then(Value::as_object).cloned().unwrap_or_default());
    params.token = bearer(&parts.headers);
    let (task, fault) = begin(&shared, "response_url", params);
    let perform = || {
        shared.change(|world| {
            if task.params.token.is_some() {
                world.ledger.violation("a token was sent to a response URL");
            }
            match &message {
                Ok(message) => world.use_hook(&path, message),
                Err(_) => (400, json!({ "ok": false, "error": "invalid_payload" })),
            }
        })
    };
    match fault {
        None => {
            let (status, body) = perform();
            shared.change(|world| world.ledger.amend(task.number, |call| call.effect = status == 200));
            task.close(status, Some(body.clone()));
            Ok(http::json(status, &body))
        }
        Some(FaultKind::CloseAfterEffect) => {
            let _ = perform();
            Err(Hangup)
        }
        Some(fault) => task.faulty(fault).await,
    }
}

/// A file's bytes; for a token that is no good 200 and the page where one signs in.
async fn download(shared: &Arc<Shared>, path: &str, at_cdn: bool, headers: &HeaderMap) -> Reply {
    let mut params = Params::from_map(Map::from_iter([("path".to_owned(), json!(path))]));
    params.token = bearer(headers);
    let (task, fault) = begin(shared, "download", params);
    let (found, redirect) = shared.read(|world| {
        let file = world.files.at_path(path);
        let caller = methods::caller(world, &task.params).ok();
        let may = caller.zip(file.as_ref()).is_some_and(|(caller, file)| {
            caller.team == file.team && caller.scopes.iter().any(|scope| scope == "files:read")
        });
        let elsewhere = world.settings.redirect_downloads && !at_cdn;
        (file.filter(|_| may).cloned(), elsewhere.then(|| format!("{}/cdn/{path}", world.base)))
    });
    let Some(file) = found else {
        task.close(200, None);
        return Ok(http::html_page(200));
    };
    if let Some(fault) = fault {
        // What spoils the way of the bytes is done here: there is no JSON to spoil.
        return match fault {
            FaultKind::CutShort => Ok(http::cut_short(file.bytes)),
            FaultKind::Drip { every } => Ok(http::dripping(file.bytes, every)),
            FaultKind::CloseAfterEffect => Err(Hangup),
            fault => task.faulty(fault).await,
        };
    }
    if let Some(url) = redirect {
        let mut response = http::text(302, "text/plain", "");
        put(response.headers_mut(), "location", &url);
        task.close(302, None);
        return Ok(response);
    }
    shared.change(|world| world.ledger.amend(task.number, |call| call.effect = true));
    task.close(200, None);
    Ok(http::text(200, &file.mime, file.bytes))
}

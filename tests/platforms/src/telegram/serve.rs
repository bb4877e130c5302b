//! The HTTP side: routes, the ledger's entry for every call, and the carrying out of faults.
//! What the methods do is in `methods`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request, Response, header};
use bytes::Bytes;
use hyper::body::Incoming;
use serde_json::{Map, Value, json};

use super::control;
use super::error::{Answer, ApiError};
use super::faults::FaultKind;
use super::files::MAX_UPLOAD;
use super::methods;
use super::params::Params;
use super::polling;
use super::world::Shared;
use crate::encoding::percent_decoded;
use crate::http::{self, Hangup, Reply};

const MAX_BODY: usize = MAX_UPLOAD as usize + (8 << 20);

pub(super) async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Reply {
    let path = percent_decoded(request.uri().path().as_bytes());
    if let Some(verb) = path.strip_prefix("/_control/") {
        return control::answer(&shared, verb, request).await;
    }
    let (is_file, rest) = match path.strip_prefix("/file/bot") {
        Some(rest) => (true, Some(rest)),
        None => (false, path.strip_prefix("/bot")),
    };
    let Some((token, rest)) = rest.and_then(|rest| rest.split_once('/')) else {
        return Ok(http::json(404, &ApiError::not_found().body()));
    };
    if shared.read(|world| world.settings.token != token) {
        return Ok(http::json(401, &ApiError::unauthorized().body()));
    }
    if is_file { download(shared, rest).await } else { call(shared, rest, request).await }
}

/// One call under way.
struct Task {
    shared: Arc<Shared>,
    number: usize,
    method: String,
    params: Params,
}

async fn call(shared: Arc<Shared>, as_sent: &str, request: Request<Incoming>) -> Reply {
    let method = methods::spelling(as_sent).unwrap_or(as_sent).to_owned();
    let unread = shared.change(|world| {
        let unread = world.faults.take_unread(&method);
        if unread {
            let number = world.ledger.open(&method, as_sent, &Params::from_map(Map::new()));
            world.ledger.amend(number, |call| call.fault = Some("close_before_reading".into()));
        }
        unread
    });
    if unread {
        return Err(Hangup);
    }
    let (parts, body) = request.into_parts();
    let read = match to_bytes(Body::new(body), MAX_BODY).await {
        Ok(body) => Params::read(&parts, body).await,
        Err(_) => Err(ApiError::too_large()),
    };
    let (params, unreadable) = match read {
        Ok(params) => (params, None),
        Err(error) => (Params::from_map(Map::new()), Some(error)),
    };
    let (number, fault) = shared.change(|world| {
        let number = world.ledger.open(&method, as_sent, &params);
        let faults =
            world.fields.as_ref().map(|fields| fields.faults_of(&method, &params)).unwrap_or_default();
        world.ledger.violations.extend(faults);
        (number, world.faults.take(&method, params.int("chat_id")))
    });
    let task = Task { shared, number, method, params };
    match (unreadable, fault) {
        (Some(error), _) => Ok(task.respond(Err(error))),
        (None, Some(fault)) => task.faulty(fault).await,
        (None, None) => {
            let answer = task.perform().await;
            Ok(task.respond(answer))
        }
    }
}

fn body_of(method: &str, answer: &Answer) -> Value {
    match answer {
        Ok(result) => {
            let mut body = json!({ "ok": true, "result": result });
            match method {
                "setWebhook" => body["description"] = json!("Webhook was set"),
                "deleteWebhook" => body["description"] = json!("Webhook was deleted"),
                _ => {}
            }
            body
        }
        Err(error) => error.body(),
    }
}

impl Task {
    async fn perform(&self) -> Answer {
        let answer = if self.method == methods::GET_UPDATES {
            polling::get_updates(&self.shared, self.number, &self.params).await
        } else {
            self.shared.change(|world| {
                if methods::spelling(&self.method).is_none() && self.method != "download" {
                    world.ledger.violation(format!("{}: the fake does not know this method", self.method));
                }
                methods::call(world, &self.method, &self.params)
            })
        };
        self.shared.change(|world| world.ledger.amend(self.number, |call| call.effect = answer.is_ok()));
        answer
    }

    async fn perform_if(&self, effect: bool) {
        if effect {
            let _ = self.perform().await;
        }
    }

    fn close(&self, status: Option<u16>, answer: Option<Value>) {
        self.shared.change(|world| world.ledger.close(self.number, status, answer));
    }

    fn respond(&self, answer: Answer) -> Response<Body> {
        let status = answer.as_ref().err().map_or(200, |error| error.code);
        let body = body_of(&self.method, &answer);
        let mut response = http::json(status, &body);
        let retry_after = body["parameters"]["retry_after"].as_u64();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        self.close(Some(status), Some(body));
        response
    }

    /// The real answer's bytes, for faults that only spoil how it travels.
    async fn real_body(&self) -> String {
        let answer = self.perform().await;
        let body = body_of(&self.method, &answer);
        self.close(Some(200), Some(body.clone()));
        body.to_string()
    }

    async fn faulty(&self, fault: FaultKind) -> Reply {
        let name =
            serde_json::to_value(&fault).ok().and_then(|fault| fault["kind"].as_str().map(str::to_owned));
        self.shared.change(|world| world.ledger.amend(self.number, |call| call.fault = name));
        match fault {
            FaultKind::Status { code, description, parameters, effect } => {
                self.perform_if(effect).await;
                Ok(self.respond(Err(ApiError { code, description, parameters })))
            }
            FaultKind::RateLimit { retry_after, header } => Ok(self.rate_limited(retry_after, header)),
            FaultKind::Html { effect } => {
                self.perform_if(effect).await;
                self.close(Some(200), None);
                Ok(http::html_page(200))
            }
            FaultKind::CloseBeforeReading => Err(Hangup),
            FaultKind::CloseAfterEffect => {
                self.perform_if(true).await;
                Err(Hangup)
            }
            FaultKind::Stall { wait_ms, effect } => self.stall(Duration::from_millis(wait_ms), effect).await,
            FaultKind::Garbage { body, effect } => {
                self.perform_if(effect).await;
                self.close(Some(200), None);
                Ok(http::text(200, "application/json", body))
            }
            FaultKind::CutShort => Ok(http::cut_short(Bytes::from(self.real_body().await))),
            FaultKind::Drip { every_ms } => {
                let body = Bytes::from(self.real_body().await);
                Ok(http::dripping(body, Duration::from_millis(every_ms)))
            }
            FaultKind::Endless { effect } => {
                self.perform_if(effect).await;
                self.close(Some(200), None);
                Ok(http::endless())
            }
            FaultKind::HugeHeaders { bytes } => Ok(http::huge_headers(self.real_body().await, bytes)),
        }
    }

    async fn stall(&self, wait: Duration, effect: bool) -> Reply {
        let answer = if effect { Some(self.perform().await) } else { None };
        tokio::time::sleep(wait).await;
        answer.map(|answer| self.respond(answer)).ok_or(Hangup)
    }

    fn rate_limited(&self, retry_after: Option<Value>, retry_header: Option<String>) -> Response<Body> {
        let seconds = retry_after.as_ref().map(ToString::to_string).unwrap_or_default();
        let description = format!("Too Many Requests: retry after {seconds}");
        let parameters = retry_after.map(|seconds| json!({ "retry_after": seconds }));
        let body = ApiError { code: 429, description, parameters }.body();
        let mut response = http::json(429, &body);
        if let Some(value) = retry_header.and_then(|value| HeaderValue::from_str(&value).ok()) {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        self.close(Some(429), Some(body));
        response
    }
}

/// A file's bytes. Written down and spoilt like a method named `download`.
async fn download(shared: Arc<Shared>, path: &str) -> Reply {
    let params = Params::from_map(Map::from_iter([("path".to_owned(), json!(path))]));
    let (number, fault, file) = shared.change(|world| {
        let number = world.ledger.open("download", path, &params);
        (number, world.faults.take("download", None), world.files.at_path(path).cloned())
    });
    let task = Task { shared, number, method: "download".into(), params };
    let bytes = file.map(|file| file.bytes);
    match (fault, bytes) {
        // What spoils the way of the bytes is done here: there is no JSON to spoil.
        (Some(FaultKind::CutShort), Some(bytes)) => Ok(http::cut_short(bytes)),
        (Some(FaultKind::Drip { every_ms }), Some(bytes)) => {
            Ok(http::dripping(bytes, Duration::from_millis(every_ms)))
        }
        (Some(FaultKind::Stall { wait_ms, effect }), Some(bytes)) => {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            if effect { Ok(task.hand_out(bytes)) } else { Err(Hangup) }
        }
        (Some(FaultKind::CloseAfterEffect), _) => Err(Hangup),
        (Some(fault), _) => task.faulty(fault).await,
        (None, Some(bytes)) => Ok(task.hand_out(bytes)),
        (None, None) => Ok(task.respond(Err(ApiError::not_found()))),
    }
}

impl Task {
    fn hand_out(&self, bytes: Bytes) -> Response<Body> {
        self.shared.change(|world| world.ledger.amend(self.number, |call| call.effect = true));
        self.close(Some(200), None);
        http::text(200, "application/octet-stream", bytes)
    }
}

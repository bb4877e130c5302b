//! The HTTP side: routes, the key, what the vendor refuses by itself, and the answers by script.
//! The script is in `script`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, Request, Response, header};
use bytes::Bytes;
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::body::Frame;
use super::drive::Shared;
use super::ledger::content_text;
use super::script::{Answer, Reply};
use super::stream;
use crate::http::{self, Hangup, Reply as Served};

const MAX_BODY: usize = 64 << 20;

pub(super) async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Served {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().trim_end_matches('/').to_owned();
    let bytes = to_bytes(Body::new(body), MAX_BODY).await.map_err(|_| Hangup)?;
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let key = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let authorized = key.and_then(|key| key.strip_prefix("Bearer ")) == Some(shared.key());
    let headers = parts.headers.iter().filter(|(name, _)| *name != header::AUTHORIZATION);
    let headers =
        headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()));
    let number = shared.open(&path, body.clone(), headers.collect(), authorized);
    if !authorized && shared.wants_key() {
        return deliver(&shared, number, &body, Answer::unauthorized()).await;
    }
    let what = path.rsplit_once("/v1/").map_or(path.as_str(), |(_, what)| what);
    match what {
        "chat/completions" => {
            let answer = match refusal(&body) {
                Some(refusal) => refusal,
                None => shared.next_answer(&body),
            };
            deliver(&shared, number, &body, answer).await
        }
        "models" => Ok(plain(&shared, number, &models())),
        "embeddings" => Ok(plain(&shared, number, &embeddings(&body))),
        _ => {
            let message = format!("Invalid URL ({} {path})", parts.method);
            let body = json!({ "error": {
                "message": message, "type": "invalid_request_error", "param": null, "code": null,
            }});
            shared.amend(number, |asked| asked.status = Some(404));
            Ok(http::json(404, &body))
        }
    }
}

fn plain(shared: &Shared, number: usize, body: &Value) -> Response<Body> {
    shared.amend(number, |asked| {
        asked.status = Some(200);
        asked.finished = true;
    });
    http::json(200, body)
}

/// What the vendor would not even give to the model.
fn refusal(body: &Value) -> Option<Answer> {
    if body["model"].as_str().is_none_or(str::is_empty) {
        return Some(Answer::bad_request("you must provide a model parameter"));
    }
    let messages = body["messages"].as_array().filter(|messages| !messages.is_empty());
    let Some(messages) = messages else {
        return Some(Answer::bad_request("Invalid 'messages': empty array."));
    };
    // Calls of the last assistant message that have no answer yet.
    let mut open: BTreeSet<&str> = BTreeSet::new();
    for message in messages {
        let role = message["role"].as_str().unwrap_or_default();
        if !["system", "developer", "user", "assistant", "tool"].contains(&role) {
            return Some(Answer::bad_request(&format!("Invalid value: '{role}'.")));
        }
        if role == "tool" {
            if !open.remove(message["tool_call_id"].as_str().unwrap_or_default()) {
                return Some(Answer::bad_request(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
                ));
            }
            continue;
        }
        if !open.is_empty() {
            break;
        }
        let calls = message["tool_calls"].as_array().into_iter().flatten();
        open.extend(calls.filter_map(|call| call["id"].as_str()));
    }
    (!open.is_empty()).then(|| {
        Answer::bad_request(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.",
        )
    })
}

async fn deliver(shared: &Arc<Shared>, number: usize, body: &Value, answer: Answer) -> Served {
    let status = |code| shared.amend(number, |asked| asked.status = Some(code));
    match answer {
        Answer::Reply(reply) => reply_with(shared, number, body, &reply).await,
        Answer::Status { code, body, headers } => {
            status(code);
            let mut response = http::json(code, &body);
            for (name, value) in headers {
                let name = HeaderName::from_bytes(name.as_bytes());
                if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
                    response.headers_mut().insert(name, value);
                }
            }
            Ok(identified(response, number))
        }
        Answer::Html => {
            status(200);
            Ok(http::html_page(200))
        }
        Answer::Text(text) => {
            status(200);
            Ok(http::text(200, "application/json", text))
        }
        Answer::Close => Err(Hangup),
        Answer::Hang(wait) => {
            tokio::time::sleep(wait).await;
            Err(Hangup)
        }
        Answer::Endless => {
            status(200);
            Ok(http::endless())
        }
    }
}

fn identified(mut response: Response<Body>, number: usize) -> Response<Body> {
    if let Ok(value) = HeaderValue::from_str(&format!("req_fake_{number}")) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

async fn reply_with(shared: &Arc<Shared>, number: usize, body: &Value, reply: &Reply) -> Served {
    let id = format!("chatcmpl-fake{number}");
    let asked = body["messages"].as_array().into_iter().flatten();
    let frame = Frame {
        id: &id,
        model: body["model"].as_str().unwrap_or("fake"),
        created: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64),
        reply,
        asked: asked.map(|message| content_text(&message["content"]).len()).sum(),
        wants_usage: body["stream_options"]["include_usage"] == true,
    };
    shared.amend(number, |asked| asked.status = Some(200));
    if body["stream"] == true {
        let events = stream::events(shared.clone(), number, reply, frame.chunks());
        return Ok(identified(http::text(200, "text/event-stream; charset=utf-8", events), number));
    }
    let whole = frame.whole();
    tokio::time::sleep(reply.first_delay).await;
    if reply.cut_after.is_some() {
        return Ok(http::cut_short(Bytes::from(whole)));
    }
    let whole = if reply.malformed_at.is_some() { whole[..whole.len() / 2].to_owned() } else { whole };
    shared.amend(number, |asked| asked.finished = true);
    Ok(identified(http::text(200, "application/json", whole), number))
}

fn models() -> Value {
    let model =
        |id: &str| json!({ "id": id, "object": "model", "created": 1_700_000_000, "owned_by": "fake" });
    json!({ "object": "list", "data": [model("fake-small"), model("fake-large")] })
}

/// Vectors that depend on the text only: alike texts, alike vectors, no meaning beyond that.
fn embeddings(body: &Value) -> Value {
    let inputs: Vec<String> = match &body["input"] {
        Value::Array(many) => many.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect(),
    };
    let size = body["dimensions"].as_u64().unwrap_or(16).clamp(1, 4096) as usize;
    let vector = |text: &str| {
        let mut counts = vec![0.0_f64; size];
        for word in text.to_lowercase().split_whitespace() {
            let place = word.bytes().fold(5381_usize, |hash, byte| hash.wrapping_mul(33) ^ usize::from(byte));
            counts[place % size] += 1.0;
        }
        let length = counts.iter().map(|count| count * count).sum::<f64>().sqrt().max(1.0);
        counts.iter().map(|count| count / length).collect::<Vec<f64>>()
    };
    let row = |(index, text): (usize, &String)| json!({ "object": "embedding", "index": index, "embedding": vector(text) });
    let tokens = inputs.iter().map(|text| text.len() / 4 + 1).sum::<usize>();
    json!({
        "object": "list", "data": inputs.iter().enumerate().map(row).collect::<Vec<_>>(),
        "model": body["model"], "usage": { "prompt_tokens": tokens, "total_tokens": tokens },
    })
}

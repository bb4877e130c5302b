//! One request to the API after everything that is the same for all routes was checked.
//!
//! Not here: bodies (`input`), what a route does with it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::extract::Query;
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;
use bytes::Bytes;
use deskbridge_contract::Timestamp;
use deskbridge_conversation::{ConversationId, MessageId};
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::once::Key;
use super::routes::Route;
use crate::cli::TOKEN_PREFIX;
use crate::http::auth::Caller;
use crate::http::problem::Problem;

pub type Answer = Result<Response, Problem>;
pub type Acting = BoxFuture<'static, Answer>;

pub struct Call {
    pub caller: Caller,
    pub route: &'static Route,
    pub path: BTreeMap<String, String>,
    pub query: BTreeMap<String, String>,
    /// The body's fields; checked against the route's.
    pub fields: Map<String, Value>,
    pub once: Key,
    /// `If-Match: "7"`: only while the conversation is as the caller saw it (S72).
    pub if_match: Option<u64>,
    pub last_event: Option<String>,
    /// When it came in.
    pub at: Timestamp,
    /// Where it came from.
    pub peer: IpAddr,
    pub headers: HeaderMap,
    /// Of an upload.
    pub bytes: Bytes,
}

impl Call {
    pub fn part(&self, name: &str) -> &str {
        self.path.get(name).map(String::as_str).unwrap_or_default()
    }

    pub fn asked(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        let items = self.fields.get(name)?.as_array()?;
        Some(items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
    }

    pub fn flag(&self, name: &str) -> bool {
        self.fields.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Anything but digits is no conversation of ours.
    pub fn conversation(&self) -> Result<ConversationId, Problem> {
        let text = self.part("conversation");
        let digits = !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit());
        let id = if digits { text.parse().ok() } else { None };
        id.map(ConversationId).ok_or_else(Problem::not_found)
    }

    /// A message id in the body, of this very conversation.
    pub fn message_of(&self, name: &str, of: ConversationId) -> Result<Option<MessageId>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let id = text.parse::<MessageId>().ok().filter(|id| id.conversation == of);
        let wrong = || Problem::bad("field", format!("`{name}` is the id of a message of this conversation"));
        id.map(Some).ok_or_else(wrong)
    }
}

/// The query, every name at most once. A token in it is refused, even beside a good header: addresses end up in the logs
/// of others (S82).
pub fn query(uri: &Uri) -> Result<BTreeMap<String, String>, Problem> {
    let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
        return Err(Problem::bad("query", "the query cannot be read"));
    };
    let named = |name: &str| matches!(name, "access_token" | "token" | "api_key" | "authorization");
    if pairs.iter().any(|(name, value)| named(name) || value.contains(TOKEN_PREFIX)) {
        return Err(Problem { detail: "send the token in the header".into(), ..Problem::unauthorized() });
    }
    let count = pairs.len();
    let query: BTreeMap<String, String> = pairs.into_iter().collect();
    if query.len() < count || query.values().any(|value| value.contains('\0')) {
        return Err(Problem::bad("query", "the query cannot be read"));
    }
    Ok(query)
}

/// A misspelt filter must not look like one that filters nothing.
pub fn known(route: &Route, query: &BTreeMap<String, String>) -> Result<(), Problem> {
    if query.keys().all(|name| route.query.iter().any(|param| param.name == name)) {
        return Ok(());
    }
    let known: Vec<&str> = route.query.iter().map(|param| param.name).collect();
    let detail = if known.is_empty() {
        "takes no query".into()
    } else {
        format!("the query knows {}", known.join(", "))
    };
    Err(Problem::bad("query", detail))
}

/// The ETag of a conversation is its seq.
pub fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let seq =
        text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).and_then(|text| text.parse().ok());
    seq.map(Some).ok_or_else(|| Problem::bad("if-match", "If-Match takes one ETag of a conversation"))
}

pub fn last_event(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("last-event-id")?.to_str().ok()?;
    (!value.is_empty() && value.len() <= 64).then(|| value.to_owned())
}

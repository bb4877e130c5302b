//! Asking the provider: bounded in time and size, and never led elsewhere.
//!
//! Not here: what is asked, what an answer means.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use url::form_urlencoded;

use super::Refusal;

/// From the first byte sent to the last one read.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer. Sets of keys have some thousand.
const LARGEST: usize = 256 << 10;
/// Characters of an error's code that are repeated.
const CODE: usize = 60;

/// Without redirects: a code, a secret or a token goes to the address that the provider's description names.
pub(super) fn client() -> Option<Client> {
    let client = Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build();
    client.inspect_err(|error| tracing::error!(%error, "no client for the OpenID provider")).ok()
}

pub(super) struct Answer {
    pub status: u16,
    /// `null` where it is no JSON.
    pub body: Value,
}

impl Answer {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(Value::as_str)
    }
}

pub(super) async fn json(request: RequestBuilder) -> Result<Answer, Refusal> {
    let failed = |error: reqwest::Error| Refusal::Unreachable(said(&error));
    let mut answer =
        request.header(reqwest::header::ACCEPT, "application/json").send().await.map_err(failed)?;
    let status = answer.status().as_u16();
    let mut bytes = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(failed)? {
        if bytes.len() + piece.len() > LARGEST {
            return Err(Refusal::Unreachable("its answer has no end".into()));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or_default() })
}

/// The last cause says most, and holds no address.
fn said(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let mut said: &dyn std::error::Error = error;
    while let Some(below) = said.source() {
        said = below;
    }
    said.to_string()
}

pub(super) fn with_form(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
}

pub(super) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// An error's code as it may stand in a log: anybody can write what an answer says.
pub(super) fn code_of(error: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let code: String = error.chars().filter(plain).take(CODE).collect();
    if code.is_empty() { "unnamed".into() } else { code }
}

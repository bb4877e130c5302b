//! One request to the endpoint: built with async-openai's types and configuration, sent with reqwest.
//!
//! Not here: trying again, waiting, reading the answer. async-openai's own sending is not used: it retries by itself, its
//! stream keeps whatever a server sends without a limit, and it logs pieces of answers that it cannot read.

use std::fmt;

use async_openai::config::{Config, OpenAIConfig};
use async_openai::types::chat::CreateChatCompletionRequest;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use secrecy::ExposeSecret;

use super::failure::Failure;
use super::settings::{OpenAiSettings, SettingsError};

/// An answer's beginning; the body comes piece by piece.
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: BoxStream<'static, Result<Bytes, Failure>>,
}

/// The way to a model. Tests have their own, with a clock that they move.
#[async_trait]
pub(super) trait Wire: Send + Sync {
    /// Sends, and returns when the answer's head is there. Forbidden: trying again.
    async fn post(&self, request: &CreateChatCompletionRequest) -> Result<Answered, Failure>;
}

/// The way over HTTP.
pub(super) struct Http {
    client: reqwest::Client,
    url: String,
    headers: HeaderMap,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Http {
    pub(super) fn new(settings: &OpenAiSettings) -> Result<Self, SettingsError> {
        let base = settings.base_url.trim().trim_end_matches('/');
        let address = reqwest::Url::parse(base).map_err(|e| SettingsError::BaseUrl(e.to_string()))?;
        if !matches!(address.scheme(), "http" | "https") {
            return Err(SettingsError::BaseUrl("neither http nor https".to_owned()));
        }
        let key = settings.api_key.as_ref().map(|key| key.expose_secret().trim().to_owned());
        let key = key.filter(|key| !key.is_empty());
        // The configuration below would panic on a key that is no header.
        if key.as_ref().is_some_and(|key| HeaderValue::from_str(&format!("Bearer {key}")).is_err()) {
            return Err(SettingsError::Key);
        }
        // Everything is said here, so that nothing comes from OPENAI_* variables that were meant for something else.
        let config = OpenAIConfig::new()
            .with_api_base(base)
            .with_api_key(key.clone().unwrap_or_default())
            .with_org_id("")
            .with_project_id("");
        let mut headers = config.headers();
        match key {
            Some(_) => {
                headers.values_mut().for_each(|value| value.set_sensitive(true));
            }
            None => {
                headers.remove(AUTHORIZATION);
            }
        }
        let mut client = reqwest::Client::builder()
            .connect_timeout(settings.patience.connect)
            // A redirect would carry the conversation, and perhaps the key, to a place that nobody named.
            .redirect(Policy::none())
            .user_agent(concat!("deskbridge/", env!("CARGO_PKG_VERSION")));
        if is_this_machine(&address) {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|e| SettingsError::Client(e.without_url().to_string()))?;
        Ok(Http { client, url: config.url("/chat/completions"), headers })
    }
}

fn is_this_machine(address: &reqwest::Url) -> bool {
    let host = address.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[async_trait]
impl Wire for Http {
    async fn post(&self, request: &CreateChatCompletionRequest) -> Result<Answered, Failure> {
        let sent = self.client.post(&self.url).headers(self.headers.clone()).json(request).send().await;
        let response = sent.map_err(broken)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes_stream().map(|piece| piece.map_err(broken)).boxed();
        Ok(Answered { status, headers, body })
    }
}

/// Without the address: people may put a key into it.
fn broken(error: reqwest::Error) -> Failure {
    let kind = if error.is_connect() { "cannot connect" } else { "the connection broke" };
    let mut why = format!("{kind}: {}", error.without_url());
    why.truncate(why.char_indices().nth(200).map_or(why.len(), |(end, _)| end));
    Failure::connection(why)
}

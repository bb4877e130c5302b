//! One call of Discord's HTTP API: under our deadline, within its limits, and what the answer means for the caller.
//!
//! Not here: what is sent and why (`send.rs`), bytes of files (`files.rs`), the classes of answers (`api/classes.rs`).

pub(crate) mod classes;
mod limits;

use std::time::Duration;

use deskbridge_contract::{ChannelName, OutboundFile, SendError};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use crate::config::Config;
use crate::{ConfigError, files};
pub(crate) use classes::{Fault, code};
use limits::Buckets;

const CONNECT: Duration = Duration::from_secs(5);
/// Idle connections are closed before Discord's balancers do, so that no request runs into a closed one.
const IDLE: Duration = Duration::from_secs(30);
/// Longest answer that is read, in bytes: a hundred messages of the longest kind.
const ANSWER_CAP: usize = 16 << 20;

pub(crate) struct Api {
    http: reqwest::Client,
    base: Url,
    channel: ChannelName,
    token: SecretString,
    patience: Duration,
    buckets: Buckets,
    paced: bool,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Call<'r> {
    pub method: Method,
    /// Below the base, without a slash in front: `channels/1/messages`.
    pub route: String,
    pub query: Vec<(&'static str, String)>,
    pub body: Option<Value>,
    pub files: &'r [OutboundFile],
    /// Whether it carries the bot's token. Webhooks and interactions have one of their own in the route.
    pub bot: bool,
    /// Discord counts it apart from its route ("name": two changes in ten minutes).
    pub apart: &'static str,
}

impl<'r> Call<'r> {
    pub(crate) fn new(method: Method, route: String) -> Call<'r> {
        Call { method, route, query: Vec::new(), body: None, files: &[], bot: true, apart: "" }
    }

    pub(crate) fn with(self, body: Value) -> Call<'r> {
        Call { body: Some(body), ..self }
    }

    pub(crate) fn by_token(self) -> Call<'r> {
        Call { bot: false, ..self }
    }
}

impl Api {
    pub(crate) fn new(channel: ChannelName, config: &Config) -> Result<Self, ConfigError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // `main` installs it first; a library user who did not must not meet a panic. Losing the race is fine.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let home = config.public_url.as_ref().map_or("https://localhost", Url::as_str);
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            // "API Reference › User Agent": without one of this form, the edge refuses.
            .user_agent(format!("DiscordBot ({home}, {})", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false);
        let host = config.api_base.host_str().unwrap_or_default();
        if host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| ConfigError(classes::root(&error)))?;
        Ok(Api {
            http,
            base: config.api_base.clone(),
            channel,
            token: config.token.clone(),
            patience: config.call_timeout,
            buckets: Buckets::default(),
            paced: config.paced,
        })
    }

    pub(crate) fn channel(&self) -> &ChannelName {
        &self.channel
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Whether Discord's limits are kept; off only where a test's own server has none.
    pub(crate) fn is_paced(&self) -> bool {
        self.paced
    }

    /// Whether a call may go now and leaves `spare` others in its bucket, as far as answers told.
    pub(crate) fn has_room(&self, call: &Call<'_>, spare: u64) -> bool {
        !self.paced || self.buckets.has_room(&limits::Key::of(&call.method, &call.route, call.apart), spare)
    }

    /// What Discord's limits hold up for long.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.buckets.warnings()
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    pub(crate) fn token(&self) -> &SecretString {
        &self.token
    }

    pub(crate) async fn get(&self, route: String, query: &[(&'static str, String)]) -> Result<Value, Fault> {
        self.call(&Call { query: query.to_vec(), ..Call::new(Method::GET, route) }).await
    }

    pub(crate) async fn post(&self, route: String, body: Value) -> Result<Value, Fault> {
        self.call(&Call::new(Method::POST, route).with(body)).await
    }

    pub(crate) async fn patch(&self, route: String, body: Value) -> Result<Value, Fault> {
        self.call(&Call::new(Method::PATCH, route).with(body)).await
    }

    pub(crate) async fn put(&self, route: String, body: Value) -> Result<Value, Fault> {
        self.call(&Call::new(Method::PUT, route).with(body)).await
    }

    pub(crate) async fn call(&self, call: &Call<'_>) -> Result<Value, Fault> {
        let key = limits::Key::of(&call.method, &call.route, call.apart);
        if self.paced {
            self.buckets.enter(&key).await?;
        }
        let mut url = self.base.join(&call.route).map_err(|_| SendError::rejected("not a route"))?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let size: u64 = call.files.iter().map(|file| file.size).sum();
        let patience = self.patience + Duration::from_secs(size / files::SLOWEST);
        let mut request = self.http.request(call.method.clone(), url).timeout(patience);
        if call.bot {
            request = request.header(AUTHORIZATION, format!("Bot {}", self.token.expose_secret()));
        }
        let broken = files::Broken::default();
        request = match &call.body {
            Some(body) if call.files.is_empty() => request.json(body),
            Some(body) => request.multipart(files::form(body, call.files, &broken).await?),
            // "411": a PUT or POST without a body still says how long it is.
            None if matches!(call.method, Method::PUT | Method::POST) => request.header(CONTENT_LENGTH, 0),
            None => request,
        };
        let sent = request.send().await;
        if let Some(error) = files::taken(&broken) {
            // Our own bytes broke off: that error says what to do.
            return Err(error.into());
        }
        let answer = sent.map_err(|error| Fault::from(classes::lost(&error, self.token.expose_secret())))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = read(answer).await;
        self.note(&key, status, &headers, body.as_ref().ok());
        match body {
            Ok(body) => classes::judged(status, &headers, body, call.bot),
            Err(_) if !(200..300).contains(&status) => {
                classes::judged(status, &headers, Value::Null, call.bot)
            }
            Err(why) => Err(SendError::Ambiguous { why }.into()),
        }
    }

    fn note(&self, key: &limits::Key, status: u16, headers: &HeaderMap, body: Option<&Value>) {
        self.buckets.learn(key, status, headers, body);
        if matches!(status, 401 | 403 | 429) {
            tracing::debug!(channel = %self.channel, status, "Discord refused a call");
        }
    }
}

/// The whole answer, within bounds. Nothing at all is a sound answer: 204.
async fn read(mut answer: reqwest::Response) -> Result<Value, String> {
    let mut bytes = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > ANSWER_CAP => {
                return Err("the answer is too long".into());
            }
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Err(format!("the answer broke off: {}", classes::root(&error))),
        }
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&bytes).map_err(|_| "an answer that is not JSON".to_owned())
}

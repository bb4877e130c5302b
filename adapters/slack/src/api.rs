//! One call of Slack's Web API: slack-morphism's client under our deadlines, and what an answer means for the caller.
//!
//! Not here: what is sent and why (`send.rs`), bytes of files (`files.rs`), how long a token lives (`tokens.rs`), the
//! classes of answers (`api/classes.rs`).

pub(crate) mod classes;
#[cfg(test)]
pub(crate) mod fake;
mod wire;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deskbridge_contract::{ChannelName, SendError};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::Value;
use slack_morphism::prelude::SlackClientHyperConnector;
use slack_morphism::{SlackApiToken, SlackApiTokenValue, SlackClient};
use url::Url;

use crate::config::Config;
use crate::manifest::SCOPES;
use crate::tokens::Tokens;
use crate::{Clock, ConfigError};
pub(crate) use classes::Fault;
use wire::{CONNECT, Wire};

/// Idle connections are closed before Slack's balancers do, so that no request runs into a closed one.
const IDLE: Duration = Duration::from_secs(30);

pub(crate) struct Api {
    client: SlackClient<SlackClientHyperConnector<Wire>>,
    /// For what the Web API's client does not do: bytes of files, headers, forms.
    http: reqwest::Client,
    base: Url,
    channel: ChannelName,
    tokens: Tokens,
    app_token: Option<SecretString>,
    patience: Duration,
    paced: bool,
    /// Methods that were refused for want of a scope, and have not worked since: which one.
    lacking: Mutex<BTreeMap<String, String>>,
}

/// One request: most methods take JSON, those that only read take a query.
enum Request<'r> {
    Post(&'r Value),
    Get(&'r [(&'r str, String)]),
}

impl Api {
    pub(crate) fn new(channel: ChannelName, config: &Config, clock: Clock) -> Result<Self, ConfigError> {
        let (api_base, patience) = (config.api_base.clone(), config.call_timeout);
        let provider = rustls::crypto::ring::default_provider();
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // `main` installs it first; a library user who did not must not meet a panic. Losing the race is fine.
            let _ = provider.clone().install_default();
        }
        let base = api_base.as_str().trim_end_matches('/').to_owned();
        let http = http_client(&api_base)?;
        let tokens = Tokens::new(config, http.clone(), clock.clone());
        let connector = SlackClientHyperConnector::with_connector(Wire::new(provider)?);
        let client = SlackClient::new(connector.with_slack_api_url(&base));
        let app_token = config.app_token.clone();
        Ok(Api {
            client,
            http,
            base: api_base,
            channel,
            tokens,
            app_token,
            patience,
            paced: config.paced,
            lacking: Mutex::default(),
        })
    }

    pub(crate) fn channel(&self) -> &ChannelName {
        &self.channel
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// Whether the platform's limits are kept; a benchmark's server has none.
    pub(crate) fn is_paced(&self) -> bool {
        self.paced
    }

    /// Calls a method that takes JSON.
    pub(crate) async fn post(&self, method: &str, body: &impl Serialize) -> Result<Value, Fault> {
        let body = serde_json::to_value(body)
            .map_err(|_| Fault::from(SendError::rejected("the request cannot be written as JSON")))?;
        self.call(method, Request::Post(&body)).await
    }

    /// Calls a method that takes a query: it reads, and may be repeated.
    pub(crate) async fn get(&self, method: &str, query: &[(&str, String)]) -> Result<Value, Fault> {
        self.call(method, Request::Get(query)).await
    }

    /// The one-time address of a socket ("apps.connections.open"), by the app-level token.
    pub(crate) async fn open_connection(&self) -> Result<Url, SendError> {
        let Some(token) = &self.app_token else {
            return Err(SendError::Unauthorized { why: "Socket Mode needs app_token (xapp-…)".into() });
        };
        let body = Value::Object(serde_json::Map::new());
        let answer = self.perform("apps.connections.open", &Request::Post(&body), token).await;
        let answer = answer.map_err(|fault| match fault.error {
            // All that this token is for.
            SendError::Rejected { why, .. } if fault.said == "missing_scope" => {
                SendError::Unauthorized { why }
            }
            other => other,
        })?;
        let url = answer["url"].as_str().and_then(|url| Url::parse(url).ok());
        // The address is a secret while it lives: it is not repeated in the error.
        url.ok_or_else(|| SendError::Retry {
            after: None,
            why: "Slack named no address for the socket".into(),
        })
    }

    /// Which scopes the token has ("x-oauth-scopes" of any answer); `None` where the server does not say.
    pub(crate) async fn granted_scopes(&self) -> Result<Option<Vec<String>>, SendError> {
        let token = self.tokens.bearer().await;
        let url = format!("{}/auth.test", self.base.as_str().trim_end_matches('/'));
        let request = self.http.get(url).bearer_auth(token.expose_secret()).timeout(self.patience);
        let answer = request.send().await.map_err(|error| classes::lost(&error, token.expose_secret()))?;
        let scopes = answer.headers().get("x-oauth-scopes").and_then(|scopes| scopes.to_str().ok());
        Ok(scopes.map(|all| all.split(',').map(|scope| scope.trim().to_owned()).collect()))
    }

    /// What the app has been told to be ("apps.manifest.export"), by an app configuration token.
    pub(crate) async fn exported_manifest(
        &self,
        token: &SecretString,
        bot_id: &str,
    ) -> Result<Value, SendError> {
        let bot = self.get("bots.info", &[("bot", bot_id.to_owned())]).await?;
        let app = bot["bot"]["app_id"].as_str().unwrap_or_default();
        let query = [("app_id", app.to_owned())];
        let mut answer = self.perform("apps.manifest.export", &Request::Get(&query), token).await?;
        Ok(answer["manifest"].take())
    }

    /// A credential may be refreshed once; nothing else is tried again inside.
    async fn call(&self, method: &str, request: Request<'_>) -> Result<Value, Fault> {
        let token = self.tokens.bearer().await;
        let done = match self.perform(method, &request, &token).await {
            Err(fault) if fault.said == "token_expired" && self.tokens.rotates() => {
                let fresh = self.tokens.renewed(&token).await?;
                self.perform(method, &request, &fresh).await
            }
            other => other,
        };
        self.note_scope(method, &done);
        done
    }

    fn note_scope(&self, method: &str, done: &Result<Value, Fault>) {
        let mut lacking = self.lacking.lock().unwrap_or_else(PoisonError::into_inner);
        match done {
            Ok(_) => {
                lacking.remove(method);
            }
            Err(Fault { scope: Some(scope), .. }) => {
                if lacking.insert(method.to_owned(), scope.clone()).is_none() {
                    tracing::warn!(channel = %self.channel, method, scope, "the app lacks a scope");
                }
            }
            Err(_) => {}
        }
    }

    /// Scopes for want of which something that was to be done lately was refused. Those of mere comfort are not missed.
    pub(crate) fn lacking(&self) -> Vec<String> {
        let comfort = |scope: &str| SCOPES.iter().any(|known| known.optional && known.name == scope);
        let lacking = self.lacking.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scopes: Vec<String> = lacking.values().filter(|scope| !comfort(scope)).cloned().collect();
        scopes.sort();
        scopes.dedup();
        scopes
    }

    async fn perform(
        &self,
        method: &str,
        request: &Request<'_>,
        token: &SecretString,
    ) -> Result<Value, Fault> {
        let token = SlackApiToken::new(SlackApiTokenValue(token.expose_secret().to_owned()));
        let session = self.client.open_session(&token);
        let call = async {
            match request {
                Request::Post(body) => session.http_session_api.http_post(method, body, None).await,
                Request::Get(query) => {
                    let query: Vec<(&str, Option<&String>)> =
                        query.iter().map(|(name, value)| (*name, Some(value))).collect();
                    session.http_session_api.http_get(method, &query, None).await
                }
            }
        };
        match tokio::time::timeout(self.patience, call).await {
            Ok(answer) => classes::judged(answer, token.token_value.0.as_str()),
            Err(_) => Err(SendError::Ambiguous { why: "no answer in time".into() }.into()),
        }
    }
}

fn http_client(base: &Url) -> Result<reqwest::Client, ConfigError> {
    let mut http = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .user_agent(concat!("deskbridge/", env!("CARGO_PKG_VERSION")))
        // Every hop of a redirect is looked at before a token goes there (`files.rs`).
        .redirect(reqwest::redirect::Policy::none())
        .referer(false);
    let host = base.host_str().unwrap_or_default();
    if host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()) {
        http = http.no_proxy();
    }
    http.build().map_err(|error| ConfigError(classes::root(&error)))
}

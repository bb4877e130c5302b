//! The webhook: one route that checks the secret, stores the update and answers with nothing.
//!
//! Not here: limits of size and time, which the host puts in front, and where the route is mounted.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use deskbridge_contract::{Inbox, SendError};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use teloxide_core::payloads::{GetWebhookInfo, SetWebhook};
use teloxide_core::types::AllowedUpdate;
use url::Url;

use super::{AGAIN, ALLOWED_UPDATES, beside_menus, take, text};
use crate::Telegram;

const SECRET: &str = "x-telegram-bot-api-secret-token";
const MAX_SECRET: usize = 256;
const MAX_BODY: usize = 1 << 20;
/// How often it is looked whether the webhook is still ours (F18: an alert within two minutes).
const WATCH: Duration = Duration::from_secs(60);

struct Door {
    telegram: Arc<Telegram>,
    inbox: Inbox,
    /// Digests have one length, so comparing them tells nothing about the secret's.
    secret: [u8; 32],
}

pub(super) fn route(telegram: Arc<Telegram>, inbox: Inbox, secret: &SecretString) -> Router {
    let secret = Sha256::digest(secret.expose_secret().as_bytes()).into();
    Router::new().route("/", post(receive)).with_state(Arc::new(Door { telegram, inbox, secret }))
}

async fn receive(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if !door.admits(&head.headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if head.headers.contains_key(header::CONTENT_ENCODING) || !is_json(&head.headers) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    match take(&door.telegram, &door.inbox, &body, text(&body)).await {
        // Empty, always: a body with `method=` in it would be carried out as an API call.
        Ok(()) => (StatusCode::OK, Body::empty()).into_response(),
        Err(_) => {
            let after = HeaderValue::from(AGAIN.as_secs());
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, after)]).into_response()
        }
    }
}

impl Door {
    /// Exactly one header of a sensible length with the right secret.
    fn admits(&self, headers: &HeaderMap) -> bool {
        let mut given = headers.get_all(SECRET).iter();
        let (Some(secret), None) = (given.next(), given.next()) else { return false };
        if secret.is_empty() || secret.len() > MAX_SECRET {
            return false;
        }
        let digest: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
        digest.ct_eq(&self.secret).into()
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut given = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(kind), None) = (given.next(), given.next()) else { return false };
    let essence = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// All that is read of "WebhookInfo", leniently: kinds of updates may be news to us.
#[derive(Deserialize)]
pub(crate) struct WebhookInfo {
    pub url: String,
    #[serde(default)]
    pub pending_update_count: u64,
    pub last_error_date: Option<i64>,
    pub last_error_message: Option<String>,
    #[serde(default)]
    allowed_updates: Vec<Value>,
}

impl WebhookInfo {
    pub(crate) fn brings(&self, kind: &AllowedUpdate) -> bool {
        serde_json::to_value(kind).is_ok_and(|kind| self.allowed_updates.contains(&kind))
    }
}

impl Telegram {
    /// Where Telegram shall bring updates; `None` when nobody said under which address we are reached.
    pub(crate) fn hook(&self) -> Option<Url> {
        let mut url = self.config.public_url.clone()?;
        url.path_segments_mut().ok()?.pop_if_empty().push("hooks").push(self.channel.as_str());
        Some(url)
    }

    pub(crate) async fn set_webhook(&self, url: Url, secret: &SecretString) -> Result<(), SendError> {
        let mut set = SetWebhook::new(url);
        set.secret_token = Some(secret.expose_secret().to_owned());
        set.allowed_updates = Some(ALLOWED_UPDATES.to_vec());
        self.sending.api.call::<_, bool>(&set).await?;
        Ok(())
    }

    pub(crate) async fn webhook_info(&self) -> Result<WebhookInfo, SendError> {
        Ok(self.sending.api.call(&GetWebhookInfo::new()).await?)
    }
}

/// Sets the webhook and watches it. Ends when it is not ours any more; the supervisor then starts over.
pub(super) async fn keep(telegram: Arc<Telegram>) -> Result<(), SendError> {
    telegram.meet().await?;
    let hook = telegram.hook();
    if let (Some(url), crate::config::Receive::Webhook { secret }) = (&hook, &telegram.config.receive) {
        telegram.set_webhook(url.clone(), secret).await?;
    }
    beside_menus(&telegram, watch(&telegram, hook, WATCH)).await
}

pub(super) async fn watch(telegram: &Telegram, hook: Option<Url>, every: Duration) -> Result<(), SendError> {
    loop {
        let info = telegram.webhook_info().await?;
        let ours = hook.as_ref().map_or(!info.url.is_empty(), |hook| info.url == hook.as_str());
        if !ours {
            let why = "the webhook was removed or points elsewhere; is another program using this bot?";
            return Err(SendError::Retry { after: None, why: why.into() });
        }
        tokio::time::sleep(every).await;
    }
}

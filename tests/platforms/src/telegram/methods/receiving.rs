//! How the bot wants its updates: setWebhook and its kin.
//! Sending them is in `polling` and `webhook`.

use axum::http::Uri;
use serde_json::{Value, json};

use super::super::error::{Answer, ApiError};
use super::super::params::Params;
use super::super::updates::Webhook;
use super::super::world::World;
use super::done;

/// Remembers `allowed_updates` when it is given; the setting stays until changed.
///
/// # Errors
/// 400 when it is no list of names.
pub(in crate::telegram) fn remember_allowed(world: &mut World, params: &Params) -> Result<(), ApiError> {
    if let Some(kinds) = params.structured::<Vec<String>>("allowed_updates")? {
        world.updates.allowed = Some(kinds);
    }
    Ok(())
}

pub(super) fn set_webhook(world: &mut World, params: &Params) -> Answer {
    let url = params.text("url").unwrap_or_default();
    if url.is_empty() {
        return delete_webhook(world, params);
    }
    let parsed: Uri = url.parse().map_err(|_| ApiError::bad("invalid webhook URL specified"))?;
    let scheme = parsed.scheme_str().unwrap_or_default();
    if parsed.host().is_none() || !matches!(scheme, "http" | "https") {
        return Err(ApiError::bad("invalid webhook URL specified"));
    }
    if world.settings.strict_webhook_urls {
        if scheme != "https" {
            return Err(ApiError::bad("bad webhook: An HTTPS URL must be provided for webhook"));
        }
        if !matches!(parsed.port_u16().unwrap_or(443), 443 | 80 | 88 | 8443) {
            return Err(ApiError::bad(
                "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
            ));
        }
    }
    let secret_token = params.text("secret_token").filter(|secret| !secret.is_empty());
    let secret = secret_token.as_deref().unwrap_or_default();
    if secret.len() > 256 {
        return Err(ApiError::bad("secret token is too long"));
    }
    if !secret.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return Err(ApiError::bad("secret token contains unallowed characters"));
    }
    remember_allowed(world, params)?;
    if params.flag("drop_pending_updates") {
        drop_pending(world);
    }
    let max_connections = params.int("max_connections").unwrap_or(40).clamp(1, 100) as usize;
    world.updates.webhook =
        Some(Webhook { url, secret_token, max_connections, last_error: None, gone_since: None });
    // The long poll that waits is thrown out.
    world.updates.poll += 1;
    done()
}

pub(super) fn delete_webhook(world: &mut World, params: &Params) -> Answer {
    if params.flag("drop_pending_updates") {
        drop_pending(world);
    }
    world.updates.webhook = None;
    done()
}

fn drop_pending(world: &mut World) {
    let dropped = world.updates.drop_all();
    world.ledger.lost.extend(dropped);
}

pub(super) fn webhook_info(world: &mut World, _: &Params) -> Answer {
    let updates = &world.updates;
    let mut info =
        json!({ "url": "", "has_custom_certificate": false, "pending_update_count": updates.queue.len() });
    if let Some(webhook) = &updates.webhook {
        info["url"] = json!(webhook.url);
        info["max_connections"] = json!(webhook.max_connections);
        info["ip_address"] = json!("127.0.0.1");
        if let Some((date, message)) = &webhook.last_error {
            info["last_error_date"] = json!(date);
            info["last_error_message"] = json!(message);
        }
    }
    if let Some(allowed) = updates.allowed.as_ref().filter(|kinds| !kinds.is_empty()) {
        info["allowed_updates"] = Value::from(allowed.clone());
    }
    Ok(info)
}

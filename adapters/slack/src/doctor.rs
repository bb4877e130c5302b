//! Live checks of a Slack channel, one per known set-up failure, and what can be put right from here.
//!
//! Not here: how results are shown; the checks of a desk channel (`doctor/desk.rs`).

mod desk;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use deskbridge_contract::check::Check;
use deskbridge_contract::{RoomId, SendError};
use serde_json::Value;

use crate::config::{Config, Receive};
use crate::manifest::{self, Manifest, SCOPES, Wish};
use crate::send::{Identity, Sending};

const AUTH: &str = "slack.auth";
const SCOPE: &str = "slack.scopes";
const SOCKET: &str = "slack.socket";
const HOOK: &str = "slack.hook";
const DRIFT: &str = "slack.manifest";
const CHANNEL: &str = "slack.channel";
const REACH: &str = "check the network, a proxy, and api_base";
const MANIFEST: &str = "deskbridge slack manifest, paste it under App Manifest, then Install App";

pub(crate) async fn examine(sending: &Arc<Sending>, config: &Config, desks: &[RoomId]) -> Vec<Check> {
    let (auth, identity) = auth(sending).await;
    let Some(identity) = identity else {
        // Everything else would fail for the same reason.
        return vec![auth];
    };
    let mut checks = vec![auth, scopes(sending).await, receiving(sending, config).await];
    checks.push(drift(sending, config, &identity).await);
    for room in desks {
        checks.extend(desk::examine(sending, &identity, room).await);
    }
    checks
}

/// Joins the desk channels that are public: all that can be set up from here.
pub(crate) async fn setup(sending: &Arc<Sending>, desks: &[RoomId]) -> Vec<Check> {
    let (auth, identity) = auth(sending).await;
    let Some(identity) = identity else { return vec![auth] };
    let mut checks = vec![auth];
    for room in desks {
        checks.push(desk::join(sending, &identity, room).await);
    }
    checks
}

async fn auth(sending: &Arc<Sending>) -> (Check, Option<Identity>) {
    match sending.meet().await {
        Ok(me) if me.bot_id.is_empty() => {
            let why =
                "messages would appear as that person's, and people's own words would be taken for ours";
            let fix = "OAuth & Permissions, Bot User OAuth Token (xoxb-…); put it into bot_token";
            (Check::fail(AUTH, "this is a person's token, not a bot's", why, fix), None)
        }
        Ok(me) => {
            let detail = format!("bot @{} in {} ({})", me.user, me.team, me.team_id);
            (Check::pass(AUTH, detail), Some(me))
        }
        Err(SendError::Unauthorized { why }) => {
            let rotated = why.contains("token_expired") && sending.api.tokens().expires();
            let check = if rotated {
                // Only the running bridge may renew it: a second renewal would leave one of two pairs dead.
                Check::warn(
                    AUTH,
                    "the configured token has expired, as it does with token rotation",
                    "the running bridge has a newer one, which cannot be seen from here",
                    "look at the channel's health in the console, or start deskbridge serve",
                )
            } else {
                let (because, fix) = blame(&why);
                Check::fail(AUTH, why, because, fix)
            };
            (check, None)
        }
        Err(error) => {
            (Check::fail(AUTH, error.to_string(), "Slack cannot be reached from here", REACH), None)
        }
    }
}

fn blame(said: &str) -> (&'static str, &'static str) {
    if said.contains("account_inactive") || said.contains("token_revoked") {
        (
            "the app was removed from the workspace",
            "Install App, Install to Workspace; put the new token into bot_token",
        )
    } else if said.contains("token_expired") {
        (
            "the app has token rotation on, and the configuration no refresh_token",
            "set client_id, client_secret and refresh_token beside bot_token",
        )
    } else if said.contains("HTTP") {
        ("what answers there is no Slack", "check api_base")
    } else {
        (
            "Slack does not know this token: mistyped, revoked, or of another app",
            "OAuth & Permissions, Bot User OAuth Token (xoxb-…); put it into bot_token",
        )
    }
}

/// The scopes that the token really has are in a header of every answer.
async fn scopes(sending: &Arc<Sending>) -> Check {
    let granted = match sending.api.granted_scopes().await {
        Ok(Some(granted)) => granted,
        Ok(None) => return Check::skip(SCOPE, "this server does not say which scopes the token has"),
        Err(error) => return Check::fail(SCOPE, error.to_string(), "the scopes cannot be read", REACH),
    };
    let missing = SCOPES.iter().filter(|scope| !granted.iter().any(|name| name == scope.name));
    let (comfort, needed): (Vec<_>, Vec<_>) = missing.partition(|scope| scope.optional);
    let named = |scopes: &[&manifest::Scope]| {
        scopes
            .iter()
            .map(|scope| format!("{} ({})", scope.name, scope.purpose))
            .collect::<Vec<_>>()
            .join(", ")
    };
    if !needed.is_empty() {
        let why = "without them the bridge cannot do what is in brackets";
        return Check::fail(SCOPE, format!("missing: {}", named(&needed)), why, MANIFEST);
    }
    if !comfort.is_empty() {
        // As `--minimal` leaves it.
        return Check::pass(SCOPE, format!("{} granted; without {}", granted.len(), named(&comfort)));
    }
    Check::pass(SCOPE, format!("all {} of the manifest", SCOPES.len()))
}

async fn receiving(sending: &Arc<Sending>, config: &Config) -> Check {
    match &config.receive {
        Receive::Socket { .. } => socket(sending).await,
        Receive::Http { .. } => hook(sending, config),
    }
}

async fn socket(sending: &Arc<Sending>) -> Check {
    match sending.api.open_connection().await {
        Ok(_) => Check::pass(SOCKET, "Socket Mode answers"),
        Err(SendError::Unauthorized { why }) => Check::fail(
            SOCKET,
            why,
            "nothing comes in: the app token is refused, or lacks connections:write",
            "Basic Information, App-Level Tokens, Generate with connections:write; put it into app_token",
        ),
        Err(SendError::Rejected { why, .. } | SendError::Gone { why }) => Check::fail(
            SOCKET,
            why,
            "nothing comes in: Socket Mode is off in the app",
            "Settings, Socket Mode, Enable; or receive = \"http\"",
        ),
        Err(error) => Check::fail(SOCKET, error.to_string(), "Slack cannot be reached from here", REACH),
    }
}

/// Whether Slack reaches us shows only when something happens there; what can be wrong on our side is looked at.
fn hook(sending: &Arc<Sending>, config: &Config) -> Check {
    let Some(url) = crate::hook_url(config, sending.api.channel()) else {
        return Check::fail(
            HOOK,
            "server.public_url is not set",
            "Slack has nowhere to bring events to",
            "set server.public_url = \"https://…\", or receive = \"socket\"",
        );
    };
    if url.scheme() != "https" {
        let why = "Slack brings events to https only";
        return Check::fail(
            HOOK,
            format!("{url} is not https"),
            why,
            "set server.public_url = \"https://…\"",
        );
    }
    Check::pass(HOOK, format!("Slack has to bring events to {url}"))
}

/// What the installed app has been told, against what it should have been ("apps.manifest.export").
async fn drift(sending: &Arc<Sending>, config: &Config, identity: &Identity) -> Check {
    let Some(token) = &config.config_token else {
        let channel = sending.api.channel().as_str().to_uppercase().replace('-', "_");
        return Check::skip(
            DRIFT,
            format!(
                "can only be compared with an app configuration token (api.slack.com/apps, Your App Configuration \
                 Tokens), given for one run in DESKBRIDGE__CHANNELS__{channel}__CONFIG_TOKEN"
            ),
        );
    };
    let theirs = match sending.api.exported_manifest(token, &identity.bot_id).await {
        Ok(theirs) => theirs,
        Err(error) => {
            let why = "the app's manifest cannot be read; configuration tokens live for 12 hours";
            let fix = "api.slack.com/apps, Your App Configuration Tokens, Generate Token";
            return Check::warn(DRIFT, error.to_string(), why, fix);
        }
    };
    let request_url = match &config.receive {
        Receive::Socket { .. } => None,
        Receive::Http { .. } => crate::hook_url(config, sending.api.channel()),
    };
    // What an app has besides, or leaves out as comfort, is its owner's business.
    let ours = Manifest::new(&Wish { request_url, minimal: true, link_domain: None }).json;
    let missing = manifest::drift(&ours, &theirs);
    if missing.is_empty() {
        return Check::pass(DRIFT, "the app has everything that the manifest names");
    }
    let why = "the app was set up by an older manifest or by hand";
    Check::fail(DRIFT, format!("the app lacks: {}", missing.join(", ")), why, MANIFEST)
}

/// Only text of Slack's that cannot be ours to hide: names of rooms.
fn name_of(channel: &Value) -> String {
    let name: String =
        channel["name"].as_str().unwrap_or_default().chars().filter(|c| !c.is_control()).take(80).collect();
    if name.is_empty() { "a channel without a name".into() } else { format!("#{name}") }
}

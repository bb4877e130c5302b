//! `oauth.v2.access` for token rotation, and `auth.revoke`.
//! What a token may do is in `mod`.

use std::time::Instant;

use serde_json::json;

use super::Caller;
use crate::slack::error::{Answer, ApiError, refuse};
use crate::slack::params::Params;
use crate::slack::world::World;

/// No more are active at a time: the oldest dies.
const MAX_TOKENS: usize = 2;

/// Spends a refresh token for a new pair.
pub(super) fn access(world: &mut World, params: &Params) -> Answer {
    if params.text("grant_type").as_deref() != Some("refresh_token") {
        return refuse("invalid_grant_type");
    }
    let (id, secret) = (params.text("client_id"), params.text("client_secret"));
    let given = params.text("refresh_token").unwrap_or_default();
    let (serial, life) = (world.next_serial(), world.settings.token_life.mul_f64(world.settings.time_scale));
    for team in world.teams.values_mut() {
        let (team_id, team_name) = (team.id.clone(), team.name.clone());
        if let Some(app) = team.apps.values_mut().find(|app| Some(&app.client_id) == id.as_ref()) {
            if Some(&app.client_secret) != secret.as_ref() {
                return refuse("bad_client_secret");
            }
            let Some(at) = app.refresh_tokens.iter().position(|kept| *kept == given) else {
                return refuse("invalid_refresh_token");
            };
            app.refresh_tokens.remove(at);
            let (token, refresh) = (format!("xoxe.xoxb-1-fake-{serial}"), format!("xoxe-1-fake-{serial}"));
            app.tokens.push((token.clone(), Some(Instant::now() + life)));
            app.refresh_tokens.push(refresh.clone());
            while app.tokens.len() > MAX_TOKENS {
                let (old, _) = app.tokens.remove(0);
                app.revoked.push(old);
            }
            return Ok(json!({
                "access_token": token, "refresh_token": refresh, "expires_in": life.as_secs(), "token_type": "bot",
                "scope": app.scopes.join(","), "bot_user_id": app.bot_user, "app_id": app.id,
                "team": { "id": team_id, "name": team_name }, "enterprise": null, "is_enterprise_install": false,
            }));
        }
    }
    refuse("invalid_client_id")
}

pub(super) fn revoke(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let token = params.token.clone().unwrap_or_default();
    let team = world.known_mut(&caller.team)?;
    let app = team.apps.get_mut(&caller.app).ok_or_else(|| ApiError::new("invalid_auth"))?;
    app.tokens.retain(|(kept, _)| *kept != token);
    app.revoked.push(token);
    Ok(json!({ "revoked": true }))
}

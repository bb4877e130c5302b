//! `tokens`: keys to the API for programs, made and ended by admins.
//!
//! Not here: what a scope allows (`http/auth.rs`).

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use deskbridge_conversation::TechnicianId;
use deskbridge_conversation::policy::Role;
use deskbridge_store::Admin;
use deskbridge_store::rows::TokenRow;
use serde::Serialize;

use super::Api;
use super::call::{Answer, Call};
use super::page::one;
use super::signin::done;
use super::view::time;
use crate::cli::TOKEN_PREFIX;
use crate::http::auth::Scope;
use crate::http::problem::Problem;
use crate::http::session;

#[derive(Serialize)]
struct TokenView {
    id: String,
    name: String,
    scopes: Vec<String>,
    technician: Option<String>,
    created: String,
    expires: Option<String>,
    state: &'static str,
}

#[derive(Serialize)]
struct NewToken {
    /// Shown now and never again.
    token: String,
    id: String,
}

pub async fn list(api: Arc<Api>, call: Call) -> Answer {
    let rows = api.bridge.read.tokens().await?;
    let views = rows.into_iter().map(|row| TokenView {
        state: match row.expires {
            _ if row.revoked => "revoked",
            Some(at) if at <= call.at => "expired",
            Some(_) | None => "good",
        },
        id: row.id,
        name: row.name,
        scopes: row.scopes,
        technician: row.technician.map(|technician| technician.0),
        created: time(row.created),
        expires: row.expires.map(time),
    });
    Ok(one(views.collect::<Vec<_>>()))
}

/// No token is worth more than the technician it acts for (S73).
pub async fn create(api: Arc<Api>, call: Call) -> Answer {
    let scopes = call.texts("scopes").unwrap_or_default();
    let known = |scope: &String| Scope::ALL.iter().any(|known| known.name() == scope);
    if scopes.is_empty() || !scopes.iter().all(known) {
        let names: Vec<&str> = Scope::ALL.iter().map(|scope| scope.name()).collect();
        return Err(Problem::bad("field", format!("`scopes` are some of {}", names.join(", "))));
    }
    let technician = call.text("technician").map(TechnicianId::from);
    let policy = api.bridge.policy.current();
    if let Some(id) = &technician {
        let Some(found) = policy.policy.technicians.get(id) else {
            return Err(Problem::bad("field", "`technician` is the id of a technician"));
        };
        if found.role != Role::Admin && scopes.iter().any(|scope| scope == Scope::Admin.name()) {
            return Err(Problem::forbidden("role", "a token gives nobody more than their role"));
        }
    }
    let secret = session::secret()?;
    let token = format!("{TOKEN_PREFIX}{}", &secret[..48]);
    let id = secret[48..56].to_owned();
    let days = call.fields.get("days").and_then(serde_json::Value::as_u64).filter(|days| *days > 0);
    let row = TokenRow {
        id: id.clone(),
        name: call.text("name").unwrap_or_default().to_owned(),
        sha256: session::hash(&token),
        scopes,
        technician,
        created: api.bridge.now(),
        expires: days.map(|days| api.bridge.now() + Duration::from_secs(days * 24 * 3600)),
        revoked: false,
    };
    let act = format!("token {id} ({}) created in the console", row.name);
    api.bridge.writer.admin(Admin::CreateToken(row)).await?;
    api.audit(Some(call.caller.known_as()), act).await?;
    let body = Json(serde_json::json!({"data": NewToken { token, id }}));
    Ok((StatusCode::CREATED, body).into_response())
}

pub async fn revoke(api: Arc<Api>, call: Call) -> Answer {
    let id = call.part("token").to_owned();
    if !api.bridge.read.tokens().await?.iter().any(|row| row.id == id) {
        return Err(Problem::not_found());
    }
    api.bridge.writer.admin(Admin::RevokeToken { id: id.clone() }).await?;
    api.hub.rights_changed();
    api.audit(Some(call.caller.known_as()), format!("token {id} revoked in the console")).await?;
    done()
}

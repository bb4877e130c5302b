//! The demo's way into the console: whoever opens it on this machine is signed in, without a password.
//!
//! Not here: signing in anywhere else (`api/signin.rs`). `serve` never mounts this.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use deskbridge_conversation::TechnicianId;
use deskbridge_store::Admin;
use deskbridge_store::rows::{AccountRow, LoginKind, LoginRow};

use super::problem::Problem;
use super::session::{self, Presented, Site};
use crate::runtime::Bridge;

/// Signs in as `technician` at `path`, and goes on to the console.
pub fn router(bridge: Arc<Bridge>, technician: TechnicianId, path: &str) -> Router {
    Router::new().route(
        path,
        get(move |headers: HeaderMap| {
            let (bridge, technician) = (bridge.clone(), technician.clone());
            async move { enter(&bridge, technician, &headers).await.unwrap_or_else(Problem::into_response) }
        }),
    )
}

async fn enter(bridge: &Bridge, technician: TechnicianId, headers: &HeaderMap) -> Result<Response, Problem> {
    let site = Site::default();
    // Another site's page cannot change who somebody is here.
    site.must_be_own(headers)?;
    let now = bridge.now();
    let account = AccountRow {
        technician: technician.clone(),
        login: format!("{technician}@demo"),
        password: None,
        disabled: false,
        created: now,
        changed: now,
    };
    let secret = session::secret()?;
    let login = LoginRow {
        sha256: Presented::new(&secret).sha256,
        kind: LoginKind::Session,
        technician: Some(technician),
        created: now,
        seen: now,
        expires: now + session::WHOLE,
    };
    bridge.writer.admin(Admin::PutAccount(account)).await?;
    bridge.writer.admin(Admin::PutLogin(login)).await?;
    let mut response = Redirect::to("/console/").into_response();
    response.headers_mut().append(header::SET_COOKIE, site.cookie(headers, &secret)?);
    Ok(response)
}

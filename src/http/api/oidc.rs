//! `session/oidc`: signing in by the company's OpenID provider, from our own page and back to it (S79).
//!
//! Not here: what the provider's answer is worth (`deskbridge_services::oidc`), whose account it is (`admitted.rs`).
//!
//! The provider sends the browser to the console's own page, and that page brings here what it was given. So both ends of a
//! sign-in are requests that only our page can send, and what binds them to one browser is a cookie as strict as the
//! session's: another site can neither begin one nor end one.

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse as _;
use deskbridge_services::oidc::{Provider, Refusal, Returned};
use deskbridge_store::Admin;
use deskbridge_store::rows::{LoginKind, LoginRow};
use serde::Serialize;

use super::Api;
use super::admitted::Denial;
use super::call::{Answer, Call};
use super::page::one;
use crate::config::Oidc;
use crate::http::problem::Problem;
use crate::http::session::{self, Pending};

/// The provider, and what its people may become here.
pub struct Single {
    pub config: Oidc,
    pub provider: Provider,
}

impl Single {
    pub fn new(config: &Oidc) -> Single {
        Single { config: config.clone(), provider: Provider::new(config.settings()) }
    }

    /// The provider sends people back to the public address alone; begun elsewhere, the cookie would not be there.
    fn must_be_at_home(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let home = session::origin_of(&self.config.redirect_uri);
        match headers.get(header::ORIGIN) {
            Some(origin) if origin.as_bytes() != home.as_bytes() => {
                let detail = format!("open {home}/console/ to sign in with {}", self.config.name);
                Err(Problem::conflict("elsewhere", detail))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// In plain words, without anything that was sent or that the provider said.
    fn refused(&self, refusal: &Refusal) -> Problem {
        let name = &self.config.name;
        let (status, code, detail) = match refusal {
            Refusal::State => return again(),
            Refusal::Denied(_) => {
                (StatusCode::FORBIDDEN, "sign-in-denied", format!("{name} did not let you in"))
            }
            Refusal::Unreachable(_) => {
                let detail = format!("{name} cannot be reached just now; try again in a moment");
                (StatusCode::BAD_GATEWAY, "provider", detail)
            }
            Refusal::Description(_) | Refusal::Client(_) => {
                let detail = format!("signing in with {name} is not set up rightly; ask an admin");
                (StatusCode::BAD_GATEWAY, "provider", detail)
            }
            Refusal::Claim(_) => (StatusCode::FORBIDDEN, "no-access", NO_ACCESS.to_owned()),
            Refusal::ResponseIssuer | Refusal::Code(_) | Refusal::Token(_) | Refusal::UserInfo => {
                let detail =
                    format!("the answer of {name} could not be trusted, so nothing was done; try again");
                (StatusCode::FORBIDDEN, "sign-in-untrusted", detail)
            }
        };
        Problem::new(status, code, detail)
    }
}

const NO_ACCESS: &str = "you have no access to this desk; ask an admin";

fn again() -> Problem {
    let detail = "this sign-in was not begun in this browser, or it is too long ago; begin again";
    Problem::bad("sign-in-again", detail)
}

#[derive(Serialize)]
struct Ways {
    /// What people know the provider by; `null`: there is none.
    provider: Option<String>,
}

#[derive(Serialize)]
struct Address {
    /// Where the browser is to go.
    address: String,
}

pub async fn ways(api: Arc<Api>, _: Call) -> Answer {
    Ok(one(Ways { provider: api.single.as_ref().map(|single| single.config.name.clone()) }))
}

/// Answers with the provider's address, and a cookie that the way back needs.
pub async fn start(api: Arc<Api>, call: Call) -> Answer {
    let single = api.single.as_ref().ok_or_else(Problem::not_found)?;
    single.must_be_at_home(&call.headers)?;
    api.throttle.may_begin(call.peer)?;
    let (secret, now) = (session::secret()?, api.bridge.now());
    let address = single.provider.address(&secret, now).await.map_err(|refusal| {
        tracing::warn!(%refusal, "a sign-in could not begin");
        single.refused(&refusal)
    })?;
    api.sweep(Pending::of(&call.headers).map(|before| session::hash(&before))).await?;
    let begun = LoginRow {
        sha256: session::hash(&secret),
        kind: LoginKind::Oidc,
        technician: None,
        created: now,
        seen: now,
        expires: now + Pending::GOOD_FOR,
    };
    api.bridge.writer.admin(Admin::PutLogin(begun)).await?;
    let cookie = Pending::cookie(&secret)?;
    let body = Json(serde_json::json!({"data": Address { address }}));
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], body).into_response())
}

/// What the provider's answer comes to: a session like any other, or a refusal in plain words.
pub async fn finish(api: Arc<Api>, call: Call) -> Answer {
    let single = api.single.as_ref().ok_or_else(Problem::not_found)?;
    let secret = Pending::of(&call.headers).ok_or_else(again)?;
    let returned = Returned {
        state: call.text("state").unwrap_or_default(),
        code: call.text("code"),
        issuer: call.text("iss"),
        error: call.text("error"),
    };
    // Before anything is used up: whatever page sent the browser here with a state of its own ends nobody's sign-in.
    if !single.provider.is_own(&secret, &returned) {
        return Err(again());
    }
    api.spend(&secret).await?;
    let finished = single.provider.finish(&secret, &returned, api.bridge.now()).await;
    let _one = api.accounts.lock().await;
    let answer = match finished {
        Ok(person) => match api.admit(single, &person).await {
            Ok(technician) => {
                let act = format!("signed in with {}", single.config.name);
                api.audit(Some(technician.0.clone()), act).await?;
                api.begin(&call, &technician).await
            }
            Err(Denial::Failed(problem)) => Err(problem),
            Err(Denial::NoAccess(who, why)) => {
                let act = format!("was refused to sign in with {}: {why}", single.config.name);
                api.audit(who.map(|who| who.0), act).await?;
                let said = why.said(&single.config.name).unwrap_or_else(|| NO_ACCESS.to_owned());
                Err(Problem::forbidden(why.code(), said))
            }
        },
        Err(refusal) => {
            tracing::warn!(%refusal, "a sign-in was refused");
            if !matches!(refusal, Refusal::Unreachable(_)) {
                let act = format!("a sign-in with {} was refused: {refusal}", single.config.name);
                api.audit(None, act).await?;
            }
            Err(single.refused(&refusal))
        }
    };
    match answer {
        Ok(mut answer) => {
            answer.headers_mut().append(header::SET_COOKIE, Pending::ended());
            Ok(answer)
        }
        Err(problem) => Err(problem.with(header::SET_COOKIE, Pending::ended())),
    }
}

impl Api {
    /// One sign-in that was begun ends once, whatever it comes to.
    async fn spend(&self, secret: &str) -> Result<(), Problem> {
        let _one = self.accounts.lock().await;
        let sha256 = session::hash(secret);
        let row = self.bridge.read.login(&sha256).await?;
        let good = |row: &LoginRow| row.kind == LoginKind::Oidc && row.expires > self.bridge.now();
        let row = row.filter(good).ok_or_else(again)?;
        self.bridge.writer.admin(Admin::EndLogins(vec![row.sha256])).await?;
        Ok(())
    }
}

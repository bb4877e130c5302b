//! `session/factor`: one's own second factor, from the QR code to the recovery codes; and who lost theirs.
//!
//! Not here: codes (`http/factor.rs`), signing in (`signin.rs`, which asks [`Api::second`]).

use std::sync::Arc;

use deskbridge_contract::Timestamp;
use deskbridge_conversation::TechnicianId;
use deskbridge_store::Admin;
use deskbridge_store::rows::{AccountRow, KeptRow};
use serde::Serialize;

use super::Api;
use super::call::{Answer, Call};
use super::page::one;
use super::signin::done;
use crate::http::auth::How;
use crate::http::factor::{self, Factor, Taken};
use crate::http::passwords;
use crate::http::problem::Problem;
use axum::http::StatusCode;

/// Kept for one technician, under this kind; in no export.
const KIND: &str = KeptRow::FACTOR;
const KEY: &str = "totp";

#[derive(Serialize)]
struct FactorView {
    enabled: bool,
    /// Recovery codes that are left.
    recovery: usize,
}

#[derive(Serialize)]
struct Enrolment {
    secret: String,
    uri: String,
    /// The `d` of an SVG path.
    path: String,
    /// Modules on each side of it.
    size: i32,
}

#[derive(Serialize)]
struct Recovery {
    codes: Vec<String>,
}

pub async fn get(api: Arc<Api>, call: Call) -> Answer {
    let factor = api.factor(own(&call)?).await?.filter(|factor| factor.confirmed);
    let recovery = factor.as_ref().map_or(0, Factor::left);
    Ok(one(FactorView { enabled: factor.is_some(), recovery }))
}

/// A new secret, which is asked for only once it was shown that somebody has it.
pub async fn begin(api: Arc<Api>, call: Call) -> Answer {
    let own = own(&call)?.clone();
    let _one = api.accounts.lock().await;
    let account = api.by_password(&call, &own).await?;
    if api.factor(&own).await?.is_some_and(|factor| factor.confirmed) {
        return Err(Problem::conflict("enabled", "turn the one you have off first"));
    }
    let factor = Factor::new()?;
    let uri = factor.uri(&account.login);
    let (path, size) = factor::qr(&uri)?;
    let answer = Enrolment { secret: factor.secret(), uri, path, size };
    api.keep_factor(&own, Some(&factor)).await?;
    Ok(one(answer))
}

/// The authenticator has it: from now on it is asked for. Other sessions end (S77).
pub async fn confirm(api: Arc<Api>, call: Call) -> Answer {
    let own = own(&call)?.clone();
    let _one = api.accounts.lock().await;
    let account = api.bridge.read.account(&own).await?.ok_or_else(Problem::not_found)?;
    let mut factor = api.factor(&own).await?.ok_or_else(Problem::not_found)?;
    if factor.confirmed {
        return Err(Problem::conflict("enabled", "it is on already"));
    }
    api.take(&mut factor, &account, &call).await?;
    factor.confirmed = true;
    let codes = factor.renew()?;
    api.keep_factor(&own, Some(&factor)).await?;
    api.end_all(&own, Some(&call.caller.sha256)).await?;
    api.audit(Some(own.0), "turned the second factor on").await?;
    Ok(one(Recovery { codes }))
}

pub async fn turn_off(api: Arc<Api>, call: Call) -> Answer {
    let own = own(&call)?.clone();
    let _one = api.accounts.lock().await;
    let account = api.by_password(&call, &own).await?;
    let mut factor = api.factor(&own).await?.ok_or_else(Problem::not_found)?;
    if factor.confirmed {
        api.take(&mut factor, &account, &call).await?;
    }
    api.keep_factor(&own, None).await?;
    api.audit(Some(own.0), "turned the second factor off").await?;
    done()
}

/// For somebody whose authenticator is gone. Their sessions end; their password stays.
pub async fn reset(api: Arc<Api>, call: Call) -> Answer {
    let id = api.technician_of(&call)?;
    // A session alone takes nothing from its own account: one turns one's own off by password and code.
    if call.caller.technician.as_ref() == Some(&id) {
        return Err(Problem::forbidden("own-account", "somebody else has to take away your second factor"));
    }
    let _one = api.accounts.lock().await;
    api.factor(&id).await?.ok_or_else(Problem::not_found)?;
    api.keep_factor(&id, None).await?;
    api.end_all(&id, Some(&call.caller.sha256)).await?;
    api.audit(Some(call.caller.known_as()), format!("took away the second factor of {id}")).await?;
    done()
}

fn own(call: &Call) -> Result<&TechnicianId, Problem> {
    if call.caller.how != How::Session {
        return Err(Problem::forbidden("session", "a second factor is set up in the console"));
    }
    call.caller.acts()
}

fn wrong() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "second-factor-wrong", "the code is wrong, or was used before")
}

/// Codes are tried apart from passwords: a right password gives no new tries.
fn tried_as(account: &AccountRow) -> String {
    format!("code of {}", account.login)
}

impl Api {
    async fn factor(&self, of: &TechnicianId) -> Result<Option<Factor>, Problem> {
        let Some(row) = self.bridge.read.kept_one(KIND, of.as_str(), KEY).await? else { return Ok(None) };
        let value = row.value.unwrap_or_default();
        // Unreadable is not the same as none: nobody comes in by damage.
        serde_json::from_str(&value).map(Some).map_err(|_| Problem::internal())
    }

    /// Whether one is asked for; one that was only begun is not.
    pub async fn has_factor(&self, of: &TechnicianId) -> Result<bool, Problem> {
        Ok(self.factor(of).await?.is_some_and(|factor| factor.confirmed))
    }

    pub async fn keep_factor(&self, of: &TechnicianId, factor: Option<&Factor>) -> Result<(), Problem> {
        let value = factor.map(serde_json::to_string).transpose().map_err(|_| Problem::internal())?;
        let row =
            KeptRow { kind: KIND.into(), owner: of.0.clone(), key: KEY.into(), value, updated: Timestamp(0) };
        self.bridge.writer.admin(Admin::Keep(row)).await?;
        Ok(())
    }

    /// The password once more, for what must not be done on a screen that somebody left.
    async fn by_password(&self, call: &Call, of: &TechnicianId) -> Result<AccountRow, Problem> {
        let account = self.bridge.read.account(of).await?.ok_or_else(Problem::not_found)?;
        self.throttle.may(&account.login, call.peer)?;
        let given = call.text("password").unwrap_or_default().to_owned();
        if !passwords::is_right(given, account.password.clone()).await? {
            self.throttle.was_wrong(&account.login, call.peer);
            return Err(Problem::forbidden("password", "the password is another"));
        }
        Ok(account)
    }

    /// Takes the code of a request, or says that it was wrong; the factor is to be kept afterwards.
    async fn take(&self, factor: &mut Factor, account: &AccountRow, call: &Call) -> Result<Taken, Problem> {
        let who = tried_as(account);
        self.throttle.may(&who, call.peer)?;
        let Some(taken) = factor.take(call.text("code").unwrap_or_default(), self.bridge.now()) else {
            self.throttle.was_wrong(&who, call.peer);
            return Err(wrong());
        };
        self.throttle.was_right(&who, call.peer);
        Ok(taken)
    }

    /// After the right password: the second factor, where the account has one. The code is used up when this returns. The
    /// caller holds `accounts`, so that one code is good for one of two who come together.
    pub async fn second(&self, account: &AccountRow, call: &Call) -> Result<(), Problem> {
        let own = &account.technician;
        let Some(mut factor) = self.factor(own).await?.filter(|factor| factor.confirmed) else {
            return Ok(());
        };
        if call.text("code").is_none() {
            let detail = "a code of the second factor is needed";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "second-factor", detail));
        }
        let taken = self.take(&mut factor, account, call).await?;
        self.keep_factor(own, Some(&factor)).await?;
        if taken == Taken::Recovery {
            let act = format!("used a recovery code; {} are left", factor.left());
            self.audit(Some(own.0.clone()), act).await?;
        }
        Ok(())
    }
}

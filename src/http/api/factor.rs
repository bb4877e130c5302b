//! `session/factor`: one's own second factor, from the QR code to the recovery codes; and who lost theirs.
//!
//! Not here: codes (`http/factor.rs`), signing in (`signin.rs`, which asks [`Api::second`]).

use std::sync::Arc;

use deskbridge_contract::Timestamp;
use deskbridge_conversation::TechnicianId;
use deskbridge_store::rows::{AccountRow, KeptRow};
use deskbridge_store::{Admin, AdminDone, Read, StoreError, Writer};
use serde::Serialize;

use super::Api;
use super::call::{Answer, Call};
use super::page::one;
use super::signin::done;
use crate::http::auth::How;
use crate::http::factor::{self, Factor, Taken};
use crate::http::passwords;
use crate::http::problem::Problem;
use crate::seal::Seal;
use axum::http::StatusCode;

/// Kept for one technician, under this kind; in no export.
const KIND: &str = KeptRow::FACTOR;
const KEY: &str = "totp";
/// Others change the same factor only by codes of their own: nobody comes between so often.
const TRIES: u32 = 8;

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
    let factor = api.factor(own(&call)?).await?.map(|held| held.factor).filter(|factor| factor.confirmed);
    let recovery = factor.as_ref().map_or(0, Factor::left);
    Ok(one(FactorView { enabled: factor.is_some(), recovery }))
}

/// A new secret, which is asked for only once it was shown that somebody has it.
pub async fn begin(api: Arc<Api>, call: Call) -> Answer {
    let own = own(&call)?.clone();
    let _one = api.accounts.lock().await;
    let account = api.by_password(&call, &own).await?;
    let before = api.factor(&own).await?;
    if before.as_ref().is_some_and(|held| held.factor.confirmed) {
        return Err(Problem::conflict("enabled", "turn the one you have off first"));
    }
    let factor = Factor::new()?;
    let uri = factor.uri(&account.login);
    let (path, size) = factor::qr(&uri)?;
    let answer = Enrolment { secret: factor.secret(), uri, path, size };
    if !api.replace_factor(&own, before.map(|held| held.stored), &factor).await? {
        return Err(Problem::conflict("enabled", "it was changed meanwhile, somewhere else"));
    }
    Ok(one(answer))
}

/// The authenticator has it: from now on it is asked for. Other sessions end (S77).
pub async fn confirm(api: Arc<Api>, call: Call) -> Answer {
    let own = own(&call)?.clone();
    let _one = api.accounts.lock().await;
    let account = api.bridge.read.account(&own).await?.ok_or_else(Problem::not_found)?;
    let confirmed = |factor: &mut Factor| {
        if std::mem::replace(&mut factor.confirmed, true) {
            return Err(Problem::conflict("enabled", "it is on already"));
        }
        factor.renew()
    };
    let codes = api.take(&account, &call, confirmed).await?.1;
    api.end_all(&own, Some(&call.caller.sha256)).await?;
    api.audit(Some(own.0), "turned the second factor on").await?;
    Ok(one(Recovery { codes }))
}

pub async fn turn_off(api: Arc<Api>, call: Call) -> Answer {
    let own = own(&call)?.clone();
    let _one = api.accounts.lock().await;
    let account = api.by_password(&call, &own).await?;
    let held = api.factor(&own).await?.ok_or_else(Problem::not_found)?;
    if held.factor.confirmed {
        api.take(&account, &call, |_| Ok(())).await?;
    }
    api.drop_factor(&own).await?;
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
    // Also one that cannot be read: that is a way out for whoever it locks out.
    api.stored_factor(&id).await?.ok_or_else(Problem::not_found)?;
    api.drop_factor(&id).await?;
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

/// A factor, and what it was read from.
struct Held {
    factor: Factor,
    stored: String,
}

impl Api {
    async fn stored_factor(&self, of: &TechnicianId) -> Result<Option<String>, Problem> {
        let row = self.bridge.read.kept_one(KIND, of.as_str(), KEY).await?;
        Ok(row.map(|row| row.value.unwrap_or_default()))
    }

    async fn factor(&self, of: &TechnicianId) -> Result<Option<Held>, Problem> {
        let Some(stored) = self.stored_factor(of).await? else { return Ok(None) };
        // Unreadable is not the same as none: nobody comes in by damage.
        let factor = Factor::read(&stored, &self.seal, of.as_str()).map_err(|error| {
            tracing::error!(technician = of.as_str(), %error, "an admin can take it away");
            Problem::internal()
        })?;
        Ok(Some(Held { factor, stored }))
    }

    /// False: what is stored is not `before` any more.
    async fn replace_factor(
        &self,
        of: &TechnicianId,
        before: Option<String>,
        factor: &Factor,
    ) -> Result<bool, Problem> {
        let row = row(of, Some(factor.stored(&self.seal, of.as_str())?));
        Ok(self.bridge.writer.admin(Admin::Swap { before, row }).await? == AdminDone::Done)
    }

    pub async fn drop_factor(&self, of: &TechnicianId) -> Result<(), Problem> {
        self.bridge.writer.admin(Admin::Keep(row(of, None))).await?;
        Ok(())
    }

    /// Whether one is asked for; one that was only begun is not.
    pub async fn has_factor(&self, of: &TechnicianId) -> Result<bool, Problem> {
        Ok(self.factor(of).await?.is_some_and(|held| held.factor.confirmed))
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

    /// Takes the code of a request for good, with what `also` changes, or says that it was wrong. Of several who come with one
    /// code, to whatever node, one is let in: what is stored is replaced only where it is what was read.
    async fn take<T: Send>(
        &self,
        account: &AccountRow,
        call: &Call,
        also: impl Fn(&mut Factor) -> Result<T, Problem> + Send,
    ) -> Result<(Taken, T, usize), Problem> {
        let who = tried_as(account);
        self.throttle.may(&who, call.peer)?;
        for _ in 0..TRIES {
            let own = &account.technician;
            let Held { mut factor, stored } = self.factor(own).await?.ok_or_else(Problem::not_found)?;
            let Some(taken) = factor.take(call.text("code").unwrap_or_default(), self.bridge.now()) else {
                self.throttle.was_wrong(&who, call.peer);
                return Err(wrong());
            };
            let done = also(&mut factor)?;
            if self.replace_factor(own, Some(stored), &factor).await? {
                self.throttle.was_right(&who, call.peer);
                return Ok((taken, done, factor.left()));
            }
        }
        Err(Problem::busy(1))
    }

    /// After the right password: the second factor, where the account has one. The code is used up when this returns.
    pub async fn second(&self, account: &AccountRow, call: &Call) -> Result<(), Problem> {
        let own = &account.technician;
        if !self.factor(own).await?.is_some_and(|held| held.factor.confirmed) {
            return Ok(());
        }
        if call.text("code").is_none() {
            let detail = "a code of the second factor is needed";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "second-factor", detail));
        }
        let (taken, (), left) = self.take(account, call, |_| Ok(())).await?;
        if taken == Taken::Recovery {
            let act = format!("used a recovery code; {left} are left");
            self.audit(Some(own.0.clone()), act).await?;
        }
        Ok(())
    }
}

fn row(of: &TechnicianId, value: Option<String>) -> KeptRow {
    KeptRow { kind: KIND.into(), owner: of.0.clone(), key: KEY.into(), value, updated: Timestamp(0) }
}

/// Factors that a version before this one stored as they were. Answers how many.
pub async fn seal_all(read: &dyn Read, writer: &Writer, seal: &Seal) -> Result<usize, StoreError> {
    let mut sealed = 0;
    for account in read.accounts().await? {
        let whose = &account.technician;
        let stored = read.kept_one(KIND, whose.as_str(), KEY).await?.and_then(|row| row.value);
        let Some(stored) = stored.filter(|stored| Factor::is_open(stored)) else { continue };
        let Ok(factor) = Factor::read(&stored, seal, whose.as_str()) else { continue };
        let value = factor.stored(seal, whose.as_str());
        let value = value.map_err(|_| StoreError::Unavailable("a second factor cannot be sealed".into()))?;
        // Where it was changed meanwhile, by another node that starts, it is sealed.
        let swap = Admin::Swap { before: Some(stored), row: row(whose, Some(value)) };
        sealed += usize::from(writer.admin(swap).await? == AdminDone::Done);
    }
    if sealed > 0 {
        tracing::info!(sealed, "second factors are sealed now");
        if let Err(error) = writer.scrub().await {
            tracing::warn!(%error, "the database's files still have them as they were");
        }
    }
    Ok(sealed)
}

/// Every factor, and that there was a key: for whoever lost it. Answers whose they were.
pub async fn forget_all(read: &dyn Read, writer: &Writer) -> Result<Vec<TechnicianId>, StoreError> {
    let mut whose = Vec::new();
    for account in read.accounts().await? {
        if read.kept_one(KIND, account.technician.as_str(), KEY).await?.is_some() {
            writer.admin(Admin::Keep(row(&account.technician, None))).await?;
            whose.push(account.technician);
        }
    }
    let act = format!("took away the second factors of {} people: their key is lost", whose.len());
    writer.admin(Admin::Audit { by: None, act, conversation: None }).await?;
    Seal::forget(writer).await?;
    Ok(whose)
}

//! `accounts`: who can sign in, and how somebody new comes to a password.
//!
//! Not here: signing in (`signin.rs`), who is a technician (`settings.rs`).

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use deskbridge_contract::Timestamp;
use deskbridge_conversation::TechnicianId;
use deskbridge_conversation::policy::{Policy, Role};
use deskbridge_store::rows::{AccountRow, LoginKind, LoginRow};
use deskbridge_store::writer::Writer;
use deskbridge_store::{Admin, Read, StoreError};
use serde::Serialize;

use super::call::{Answer, Call};
use super::page::one;
use super::signin::done;
use super::view::time;
use super::{Api, admitted};
use crate::http::problem::Problem;
use crate::http::session;

/// How long a link for a colleague is good.
const INVITED: Duration = Duration::from_secs(3 * 24 * 3600);
/// And the one that makes the first admin.
const FIRST: Duration = Duration::from_secs(600);
/// Where the console reads a link: behind the `#`, so that no server and no log ever sees it.
pub const WELCOME: &str = "/console/#welcome=";

#[derive(Serialize)]
struct AccountView {
    technician: String,
    name: String,
    role: Role,
    login: Option<String>,
    state: &'static str,
    /// The technician stands in the file.
    fixed: bool,
    /// Asked for a second factor when they sign in by their password.
    factor: bool,
    /// Signs in by the company's provider.
    provider: bool,
}

/// What accounts have beside their rows.
#[derive(Default)]
struct Extras {
    factors: Vec<TechnicianId>,
    bound: Vec<TechnicianId>,
}

#[derive(Serialize)]
struct LoginLink {
    /// Path and fragment, behind the console's own address.
    path: String,
    expires: String,
}

pub async fn list(api: Arc<Api>, _: Call) -> Answer {
    let accounts = api.bridge.read.accounts().await?;
    let policy = api.bridge.policy.current();
    let extras = api.extras(policy.policy.technicians.keys()).await?;
    let views = policy.policy.technicians.keys().map(|id| {
        let account = accounts.iter().find(|account| account.technician == *id);
        api.account(id, account, &extras)
    });
    Ok(one(views.collect::<Vec<_>>()))
}

/// One's own cannot be disabled, so somebody who can enable it again is always left (S73).
pub async fn disable(api: Arc<Api>, call: Call) -> Answer {
    let id = api.technician_of(&call)?;
    let _one = api.accounts.lock().await;
    let account = api.bridge.read.account(&id).await?.ok_or_else(Problem::not_found)?;
    let disabled = call.flag("disabled");
    if disabled && call.caller.technician.as_ref() == Some(&id) {
        return Err(Problem::forbidden("own-account", "somebody else has to disable your account"));
    }
    if disabled && !api.has_admin(Some(&id)).await? {
        return Err(Problem::conflict("last-admin", "nobody else could sign in as admin"));
    }
    let account = AccountRow { disabled, ..account };
    api.bridge.writer.admin(Admin::PutAccount(account.clone())).await?;
    if disabled {
        api.end_all(&id, None).await?;
    }
    let act = format!("{} the account of {id}", if disabled { "disabled" } else { "enabled" });
    api.audit(Some(call.caller.known_as()), act).await?;
    let extras = api.extras([&id].into_iter()).await?;
    Ok(one(api.account(&id, Some(&account), &extras)))
}

/// For somebody who has another account with the provider now: the next sign-in goes by the e-mail address again.
pub async fn unbind(api: Arc<Api>, call: Call) -> Answer {
    let id = api.technician_of(&call)?;
    // A session alone takes nothing from its own account.
    if call.caller.technician.as_ref() == Some(&id) {
        return Err(Problem::forbidden("own-account", "somebody else has to do this for you"));
    }
    let _one = api.accounts.lock().await;
    if !api.unbind(&id).await? {
        return Err(Problem::not_found());
    }
    api.end_all(&id, Some(&call.caller.sha256)).await?;
    let act = format!("took away by which account of the provider {id} signs in");
    api.audit(Some(call.caller.known_as()), act).await?;
    done()
}

pub async fn link(api: Arc<Api>, call: Call) -> Answer {
    let id = api.technician_of(&call)?;
    // Else a session alone would be worth a new password.
    if call.caller.technician.as_ref() == Some(&id) {
        return Err(Problem::forbidden("own-account", "your own password is changed with the one you have"));
    }
    let _one = api.accounts.lock().await;
    let path = link_for(&api.bridge.writer, api.bridge.now(), id.clone()).await?;
    api.audit(Some(call.caller.known_as()), format!("made a one-time link for {id}")).await?;
    let expires = time(api.bridge.now() + INVITED);
    let link = LoginLink { path, expires };
    Ok((StatusCode::CREATED, Json(serde_json::json!({"data": link}))).into_response())
}

async fn made(
    writer: &Writer,
    now: Timestamp,
    technician: Option<TechnicianId>,
    good: Duration,
) -> Result<String, StoreError> {
    let unlucky = |_| StoreError::Unavailable("the system gives no random numbers".into());
    let secret = session::secret().map_err(unlucky)?;
    let sha256 = session::hash(&secret);
    let (kind, expires) = (LoginKind::Link, now + good);
    let row = LoginRow { sha256, kind, technician, created: now, seen: now, expires };
    writer.admin(Admin::PutLogin(row)).await?;
    Ok(secret)
}

/// Path and fragment of the link that makes the first admin; `None` once somebody has a password. `policy`, where there is
/// a provider to sign in by: an admin who does is as good.
pub async fn first_link(
    read: &dyn Read,
    writer: &Writer,
    now: Timestamp,
    policy: Option<&Policy>,
) -> Result<Option<String>, StoreError> {
    if read.accounts().await?.iter().any(|account| account.password.is_some()) {
        return Ok(None);
    }
    if let Some(policy) = policy
        && admitted::bound(read).await?.iter().any(|one| policy.role(one) == Role::Admin)
    {
        return Ok(None);
    }
    let link = made(writer, now, None, FIRST).await?;
    Ok(Some(format!("{WELCOME}{link}")))
}

/// Path and fragment of a link by which a technician chooses a password.
pub async fn link_for(
    writer: &Writer,
    now: Timestamp,
    technician: TechnicianId,
) -> Result<String, StoreError> {
    let link = made(writer, now, Some(technician), INVITED).await?;
    Ok(format!("{WELCOME}{link}"))
}

impl Api {
    async fn extras(&self, of: impl Iterator<Item = &TechnicianId> + Send) -> Result<Extras, Problem> {
        let mut extras = Extras { bound: self.bound().await?, ..Extras::default() };
        for id in of {
            // One that cannot be read is one, too: it has to be shown to be taken away.
            if self.has_factor(id).await.unwrap_or(true) {
                extras.factors.push(id.clone());
            }
        }
        Ok(extras)
    }

    fn account(&self, id: &TechnicianId, account: Option<&AccountRow>, extras: &Extras) -> AccountView {
        let provider = extras.bound.contains(id);
        let policy = self.bridge.policy.current();
        AccountView {
            technician: id.0.clone(),
            name: policy.policy.name(id),
            role: policy.policy.role(id),
            login: account.map(|account| account.login.clone()),
            state: match account {
                None => "none",
                Some(account) if account.disabled => "disabled",
                Some(account) if account.password.is_none() && !provider => "invited",
                Some(_) => "active",
            },
            fixed: self.settings.current().has_fixed(id.as_str()),
            factor: extras.factors.contains(id),
            provider,
        }
    }

    /// The technician that the path names.
    pub fn technician_of(&self, call: &Call) -> Result<TechnicianId, Problem> {
        let id = TechnicianId::from(call.part("technician"));
        let policy = self.bridge.policy.current();
        if policy.policy.technicians.contains_key(&id) { Ok(id) } else { Err(Problem::not_found()) }
    }
}

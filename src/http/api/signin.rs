//! `session`: signing in and out, one-time links, one's own password.
//!
//! Not here: other people's accounts (`accounts.rs`), the cookie (`http/session.rs`).

use std::sync::Arc;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use deskbridge_conversation::TechnicianId;
use deskbridge_conversation::policy::Role;
use deskbridge_store::Admin;
use deskbridge_store::rows::{AccountRow, LoginKind, LoginRow};
use serde::Serialize;

use super::call::{Answer, Call};
use super::page::one;
use super::{Api, admitted};
use crate::http::auth::How;
use crate::http::passwords;
use crate::http::problem::Problem;
use crate::http::session::{self, Presented, Site};

/// Old rows that a sign-in clears away.
const SWEPT: u32 = 100;

#[derive(Serialize)]
pub struct Done {
    done: bool,
}

pub fn done() -> Answer {
    Ok(one(Done { done: true }))
}

#[derive(Serialize)]
struct SignedIn {
    technician: String,
    name: String,
    role: Role,
    /// For the header `x-csrf-token`.
    csrf: String,
}

#[derive(Serialize)]
struct Invitation {
    /// It makes the first admin.
    first: bool,
    name: Option<String>,
    /// `null`: it has to be given.
    login: Option<String>,
}

fn wrong() -> Problem {
    let detail = "the e-mail address or the password is wrong";
    Problem::new(StatusCode::UNAUTHORIZED, "sign-in", detail)
}

/// As they are compared.
pub fn login_of(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Whatever is wrong, the answer and the time it takes are the same.
pub async fn sign_in(api: Arc<Api>, call: Call) -> Answer {
    let login = login_of(call.text("login").unwrap_or_default());
    let password = call.text("password").unwrap_or_default().to_owned();
    api.throttle.may(&login, call.peer)?;
    let account = api.bridge.read.account_by_login(&login).await?;
    let kept =
        account.as_ref().filter(|account| !account.disabled).and_then(|account| account.password.clone());
    let right = passwords::is_right(password, kept).await?;
    let policy = api.bridge.policy.current();
    let known = account.filter(|account| policy.policy.technicians.contains_key(&account.technician));
    let (true, Some(account)) = (right, known) else {
        api.throttle.was_wrong(&login, call.peer);
        return Err(wrong());
    };
    let _one = api.accounts.lock().await;
    // It may have been disabled, or its password changed, while the password was compared.
    let now = api.bridge.read.account(&account.technician).await?;
    if !now.is_some_and(|now| is_same(&account, &now)) {
        return Err(wrong());
    }
    api.second(&account, &call).await?;
    api.throttle.was_right(&login, call.peer);
    api.audit(Some(account.technician.0.clone()), "signed in").await?;
    api.begin(&call, &account.technician).await
}

/// Whether what let somebody in still does.
fn is_same(before: &AccountRow, now: &AccountRow) -> bool {
    !now.disabled
        && (&now.login, &now.password, now.changed) == (&before.login, &before.password, before.changed)
}

pub async fn sign_out(api: Arc<Api>, call: Call) -> Answer {
    if call.caller.how != How::Session {
        return Err(Problem::bad("session", "this is no session"));
    }
    api.end(vec![call.caller.sha256.clone()]).await?;
    api.audit(Some(call.caller.known_as()), "signed out").await?;
    let mut answer = done()?;
    for cookie in Site::cookies_ended() {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(answer)
}

pub async fn invitation(api: Arc<Api>, call: Call) -> Answer {
    let link = api.link(&call).await?;
    let policy = api.bridge.policy.current();
    let technician = link.technician.as_ref().and_then(|id| policy.policy.technicians.get(id));
    let account = match &link.technician {
        Some(id) => api.bridge.read.account(id).await?,
        None => None,
    };
    let login = account.map(|account| account.login).or_else(|| technician.and_then(|one| one.email.clone()));
    let name = technician.map(|one| one.name.clone());
    Ok(one(Invitation { first: link.technician.is_none(), name, login }))
}

/// Good once. The first admin's link is worth nothing as soon as somebody can sign in as admin (S81).
pub async fn claim(api: Arc<Api>, call: Call) -> Answer {
    let _one = api.accounts.lock().await;
    let link = api.link(&call).await?;
    let given = call.text("login").map(login_of);
    let (technician, login) = match &link.technician {
        Some(technician) => (technician.clone(), api.login_for(technician, given).await?),
        None => api.first_admin(&call, given).await?,
    };
    let password = call.text("password").unwrap_or_default().to_owned();
    passwords::fit(&password, &login).map_err(|why| Problem::bad("password", why))?;
    if link.technician.is_none() {
        api.make_first(&call, &technician, &login).await?;
    }
    let password = Some(passwords::keep(password).await?);
    let now = api.bridge.now();
    let before = api.bridge.read.account(&technician).await?;
    if let Some(account) = &before {
        api.second(account, &call).await?;
    }
    let created = before.map_or(now, |account| account.created);
    let account = AccountRow {
        technician: technician.clone(),
        login,
        password,
        disabled: false,
        created,
        changed: now,
    };
    // The link goes first: whatever happens next, nobody comes in by it again.
    api.bridge.writer.admin(Admin::EndLogins(vec![link.sha256])).await?;
    api.end_all(&technician, None).await?;
    api.bridge.writer.admin(Admin::PutAccount(account)).await?;
    api.audit(Some(technician.0.clone()), "chose a password by a one-time link").await?;
    api.begin(&call, &technician).await
}

pub async fn change_password(api: Arc<Api>, call: Call) -> Answer {
    if call.caller.how != How::Session {
        return Err(Problem::forbidden("session", "a password is changed in the console"));
    }
    let _one = api.accounts.lock().await;
    let account = api.bridge.read.account(call.caller.acts()?).await?.ok_or_else(Problem::not_found)?;
    api.throttle.may(&account.login, call.peer)?;
    let old = call.text("old").unwrap_or_default().to_owned();
    if !passwords::is_right(old, account.password.clone()).await? {
        api.throttle.was_wrong(&account.login, call.peer);
        return Err(Problem::forbidden("password", "the password so far is another"));
    }
    let new = call.text("new").unwrap_or_default().to_owned();
    passwords::fit(&new, &account.login).map_err(|why| Problem::bad("password", why))?;
    let password = Some(passwords::keep(new).await?);
    let technician = account.technician.clone();
    let changed = AccountRow { password, changed: api.bridge.now(), ..account };
    api.bridge.writer.admin(Admin::PutAccount(changed)).await?;
    api.end_all(&technician, Some(&call.caller.sha256)).await?;
    api.audit(Some(technician.0), "changed the password").await?;
    done()
}

impl Api {
    pub async fn audit(&self, by: Option<String>, act: impl Into<String>) -> Result<(), Problem> {
        self.bridge.writer.admin(Admin::Audit { by, act: act.into(), conversation: None }).await?;
        Ok(())
    }

    /// Ends what is too old, and one more.
    pub async fn sweep(&self, and: Option<String>) -> Result<(), Problem> {
        let old = self.bridge.read.logins_expired(self.bridge.now(), SWEPT).await?;
        let ended = old.into_iter().map(|row| row.sha256).chain(and).collect();
        self.end(ended).await
    }

    /// A new session with a new secret, whatever the browser had before (S77).
    pub async fn begin(&self, call: &Call, technician: &TechnicianId) -> Answer {
        let now = self.bridge.now();
        self.sweep(Presented::of(&call.headers, self.site.plain_allowed()).map(|one| one.sha256)).await?;
        let secret = session::secret()?;
        let presented = Presented::new(&secret);
        let login = LoginRow {
            sha256: presented.sha256,
            kind: LoginKind::Session,
            technician: Some(technician.clone()),
            created: now,
            seen: now,
            expires: now + session::WHOLE,
        };
        self.bridge.writer.admin(Admin::PutLogin(login)).await?;
        let policy = self.bridge.policy.current();
        let signed_in = SignedIn {
            technician: technician.0.clone(),
            name: policy.policy.name(technician),
            role: policy.policy.role(technician),
            csrf: presented.csrf,
        };
        let cookie = self.site.cookie(&call.headers, &secret)?;
        let body = Json(serde_json::json!({"data": signed_in}));
        Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], body).into_response())
    }

    /// The link that was sent, if it is good now.
    async fn link(&self, call: &Call) -> Result<LoginRow, Problem> {
        let sha256 = session::hash(call.text("link").unwrap_or_default());
        let row = self.bridge.read.login(&sha256).await?;
        let good = |row: &LoginRow| row.kind == LoginKind::Link && row.expires > self.bridge.now();
        let row = row.filter(good).ok_or_else(Problem::not_found)?;
        let useless = match &row.technician {
            Some(technician) => !self.bridge.policy.current().policy.technicians.contains_key(technician),
            None => self.has_admin(None).await?,
        };
        if useless { Err(Problem::not_found()) } else { Ok(row) }
    }

    /// Whether somebody else than `but` can sign in as admin.
    pub async fn has_admin(&self, but: Option<&TechnicianId>) -> Result<bool, Problem> {
        let policy = self.bridge.policy.current();
        let bound = self.bound().await?;
        let is_admin = |account: &AccountRow| {
            let opens = account.password.is_some() || bound.contains(&account.technician);
            let usable = opens && !account.disabled && Some(&account.technician) != but;
            usable
                && policy
                    .policy
                    .technicians
                    .get(&account.technician)
                    .is_some_and(|one| one.role == Role::Admin)
        };
        Ok(self.bridge.read.accounts().await?.iter().any(is_admin))
    }

    /// Technicians who can sign in by the provider that is configured.
    pub async fn bound(&self) -> Result<Vec<TechnicianId>, Problem> {
        match self.single {
            Some(_) => Ok(admitted::bound(self.bridge.read.as_ref()).await?),
            None => Ok(Vec::new()),
        }
    }

    /// By which a technician signs in: as it was, else their address, else what they give.
    async fn login_for(&self, technician: &TechnicianId, given: Option<String>) -> Result<String, Problem> {
        if let Some(account) = self.bridge.read.account(technician).await? {
            return Ok(account.login);
        }
        let policy = self.bridge.policy.current();
        let email = policy.policy.technicians.get(technician).and_then(|one| one.email.clone());
        let login = email.or(given).ok_or_else(|| Problem::bad("field", "`login` is missing"))?;
        self.free_login(&login).await?;
        Ok(login)
    }

    async fn free_login(&self, login: &str) -> Result<(), Problem> {
        let sound = login.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
        if !sound || login.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(Problem::bad("field", "`login` is an e-mail address"));
        }
        if self.bridge.read.account_by_login(login).await?.is_some() {
            return Err(Problem::conflict("login", "another account has this e-mail address"));
        }
        Ok(())
    }

    /// Ends every session and link of a technician but one.
    pub async fn end_all(&self, technician: &TechnicianId, but: Option<&str>) -> Result<(), Problem> {
        let own = self.bridge.read.logins_of(technician).await?;
        let ended = own.into_iter().map(|row| row.sha256).filter(|sha256| Some(sha256.as_str()) != but);
        self.end(ended.collect()).await
    }

    /// Ends every session of a technician whose rights are others from now on; links stay good (S77).
    pub async fn end_sessions(&self, technician: &TechnicianId) -> Result<(), Problem> {
        let own = self.bridge.read.logins_of(technician).await?;
        let sessions = own.into_iter().filter(|row| row.kind == LoginKind::Session);
        self.end(sessions.map(|row| row.sha256).collect()).await
    }

    /// And what they hear of is over at once (S63).
    async fn end(&self, logins: Vec<String>) -> Result<(), Problem> {
        if logins.is_empty() {
            return Ok(());
        }
        self.bridge.writer.admin(Admin::EndLogins(logins)).await?;
        self.hub.rights_changed();
        Ok(())
    }

    /// Who becomes the first admin: an admin of the file with this address, else somebody new.
    async fn first_admin(
        &self,
        call: &Call,
        login: Option<String>,
    ) -> Result<(TechnicianId, String), Problem> {
        let login = login.ok_or_else(|| Problem::bad("field", "`login` is missing"))?;
        self.free_login(&login).await?;
        let policy = self.bridge.policy.current();
        let same = policy.policy.technicians.iter().find(|(_, one)| one.email.as_deref() == Some(&login));
        match same {
            Some((id, one)) if one.role == Role::Admin => Ok((id.clone(), login)),
            Some((_, one)) => {
                let why = format!("{} is no admin in the file; set role = \"admin\" there", one.name);
                Err(Problem::conflict("role", why))
            }
            None => {
                let name = call.text("name").ok_or_else(|| Problem::bad("field", "`name` is missing"))?;
                Ok((self.fresh_id(name).await?, login))
            }
        }
    }

    async fn make_first(&self, call: &Call, technician: &TechnicianId, login: &str) -> Result<(), Problem> {
        if self.bridge.policy.current().policy.technicians.contains_key(technician) {
            return Ok(());
        }
        let name = call.text("name").unwrap_or_default();
        let value = serde_json::json!({"name": name, "email": login, "role": "admin"});
        self.keep_technician(technician, Some(&value)).await
    }
}

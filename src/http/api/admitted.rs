//! Whose account it is that the company's provider vouches for: found by what was bound before, else by a verified e-mail
//! address, once; else made, where the configuration says so (S79).
//!
//! Not here: whether the provider is to be believed (`deskbridge_services::oidc`), the session (`signin.rs`).

use deskbridge_contract::Timestamp;
use deskbridge_conversation::TechnicianId;
use deskbridge_conversation::policy::Role;
use deskbridge_services::oidc::Person;
use deskbridge_store::rows::{AccountRow, KeptRow};
use deskbridge_store::{Admin, Read, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Api;
use super::oidc::Single;
use crate::app::settings::TECHNICIAN;
use crate::http::problem::Problem;

/// Why somebody whom the provider vouches for does not get in; for the audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAccess {
    #[error("the provider does not vouch for the e-mail address")]
    Unverified,
    #[error("the e-mail address is of none of the domains in oidc.domains")]
    Domain,
    #[error("no technician has this e-mail address")]
    Unknown,
    #[error("in none of the groups that oidc lists")]
    Group,
    #[error("the account is disabled")]
    Disabled,
    #[error("the technician signs in by another account of the provider")]
    Other,
    #[error("the e-mail address belongs to another technician's account")]
    Taken,
}

impl NoAccess {
    pub fn code(self) -> &'static str {
        match self {
            NoAccess::Unverified => "email-unverified",
            _ => "no-access",
        }
    }

    /// What the person can do something about; the rest is an admin's business.
    pub fn said(self, provider: &str) -> Option<String> {
        let said = || format!("{provider} does not vouch for your e-mail address; have it verified there");
        (self == NoAccess::Unverified).then(said)
    }
}

/// Why nobody was admitted.
pub enum Denial {
    /// Who it was, where that is known.
    NoAccess(Option<TechnicianId>, NoAccess),
    Failed(Problem),
}

impl From<Problem> for Denial {
    fn from(problem: Problem) -> Self {
        Denial::Failed(problem)
    }
}

impl From<StoreError> for Denial {
    fn from(error: StoreError) -> Self {
        Denial::Failed(error.into())
    }
}

impl From<NoAccess> for Denial {
    fn from(why: NoAccess) -> Self {
        Denial::NoAccess(None, why)
    }
}

/// That a technician signs in by one account of one provider; kept by the hash of both.
#[derive(Serialize, Deserialize)]
struct Bound {
    technician: String,
    issuer: String,
}

impl Bound {
    fn of(row: &KeptRow) -> Option<Bound> {
        row.value.as_deref().and_then(|value| serde_json::from_str(value).ok())
    }
}

/// Subjects are unique at their issuer, and nowhere else.
fn key(issuer: &str, subject: &str) -> String {
    let mut hash = Sha256::new();
    for part in [issuer, subject] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// Technicians who sign in by a provider.
pub async fn bound(read: &dyn Read) -> Result<Vec<TechnicianId>, StoreError> {
    let rows = read.kept(KeptRow::SUBJECT, "").await?;
    Ok(rows.iter().filter_map(|row| Some(TechnicianId(Bound::of(row)?.technician))).collect())
}

impl Api {
    /// The technician that somebody is from now on. What it takes was done when this returns. `accounts` is held by the
    /// caller, over the session that follows: whoever is shut out meanwhile has none.
    pub(super) async fn admit(&self, single: &Single, person: &Person) -> Result<TechnicianId, Denial> {
        let config = &single.config;
        let email = person.email.as_deref().filter(|_| person.is_email_verified);
        let key = key(&config.issuer, &person.subject);
        let before = self.bound_before(&key).await?;
        let known = before.clone();
        let refuse = |why| Denial::NoAccess(known.clone(), why);
        if !config.domains.is_empty() {
            let email = email.ok_or_else(|| refuse(NoAccess::Unverified))?;
            if !config.takes(email) {
                return Err(refuse(NoAccess::Domain));
            }
        }
        let technician = match before {
            Some(technician) => Some(technician),
            None => self.with_email(email.ok_or(NoAccess::Unverified)?),
        };
        let role = match config.role(&person.groups) {
            Some(role) => config.decides_roles().then_some(role),
            None if config.decides_roles() => return Err(self.no_group(technician).await?),
            None => None,
        };
        let technician = match (technician, email) {
            (Some(technician), _) => technician,
            (None, Some(_)) if config.create && self.was_bound(&key).await? => {
                return Err(NoAccess::Disabled.into());
            }
            (None, Some(email)) if config.create => {
                self.make(person, email, role.or(config.others).unwrap_or_default()).await?
            }
            (None, _) => return Err(NoAccess::Unknown.into()),
        };
        if known.is_none() {
            self.must_be_free(&config.issuer, &technician).await?;
        }
        self.open_account(&technician, email).await?;
        if known.is_none() {
            self.bind(single, &key, &technician).await?;
        }
        if let Some(role) = role {
            self.give_role(&technician, role).await?;
        }
        Ok(technician)
    }

    /// Whom this account of the provider was bound to; somebody who is no technician any more is nobody.
    async fn bound_before(&self, key: &str) -> Result<Option<TechnicianId>, Problem> {
        let row = self.bridge.read.kept_one(KeptRow::SUBJECT, "", key).await?;
        let bound = row.as_ref().and_then(Bound::of).map(|bound| TechnicianId(bound.technician));
        let policy = self.bridge.policy.current();
        Ok(bound.filter(|technician| policy.policy.technicians.contains_key(technician)))
    }

    /// To whomever, a technician or not any more.
    async fn was_bound(&self, key: &str) -> Result<bool, Problem> {
        Ok(self.bridge.read.kept_one(KeptRow::SUBJECT, "", key).await?.is_some_and(|row| row.value.is_some()))
    }

    /// By the address that an admin gave the technician; never by one that somebody typed to sign in with.
    fn with_email(&self, email: &str) -> Option<TechnicianId> {
        let policy = self.bridge.policy.current();
        let mut all = policy.policy.technicians.iter();
        all.find(|(_, one)| one.email.as_deref() == Some(email)).map(|(id, _)| id.clone())
    }

    /// The company took the groups away: whatever session is left ends.
    async fn no_group(&self, technician: Option<TechnicianId>) -> Result<Denial, Problem> {
        if let Some(technician) = &technician {
            self.end_all(technician, None).await?;
        }
        Ok(Denial::NoAccess(technician, NoAccess::Group))
    }

    /// A technician of the console's, not of the file's.
    async fn make(&self, person: &Person, email: &str, role: Role) -> Result<TechnicianId, Denial> {
        // Whoever was removed here does not come back by themselves.
        if let Some(account) = self.bridge.read.account_by_login(email).await? {
            let why = if account.disabled { NoAccess::Disabled } else { NoAccess::Taken };
            return Err(Denial::NoAccess(Some(account.technician), why));
        }
        let user = email.split('@').next().unwrap_or(email);
        let name = person.name.clone().unwrap_or_else(|| user.to_owned());
        let id = match self.fresh_id(&name).await {
            Ok(id) => id,
            // Of a name without a letter of a to z nothing is made.
            Err(_) => self.fresh_id(user).await?,
        };
        let value = json!({"name": name, "email": email, "role": role});
        self.keep_technician(&id, Some(&value)).await?;
        self.audit(None, format!("added the technician {id}, who signed in for the first time")).await?;
        Ok(id)
    }

    /// Without an account nobody has a session. This one has no password, so nothing but the provider opens it.
    async fn open_account(&self, technician: &TechnicianId, email: Option<&str>) -> Result<(), Denial> {
        let refuse = |why| Denial::NoAccess(Some(technician.clone()), why);
        if let Some(account) = self.bridge.read.account(technician).await? {
            return if account.disabled { Err(refuse(NoAccess::Disabled)) } else { Ok(()) };
        }
        let policy = self.bridge.policy.current();
        let own = policy.policy.technicians.get(technician).and_then(|one| one.email.clone());
        let login = own.or_else(|| email.map(str::to_owned)).ok_or_else(|| refuse(NoAccess::Unverified))?;
        if self.bridge.read.account_by_login(&login).await?.is_some() {
            return Err(refuse(NoAccess::Taken));
        }
        let now = self.bridge.now();
        let account = AccountRow {
            technician: technician.clone(),
            login,
            password: None,
            disabled: false,
            created: now,
            changed: now,
        };
        self.bridge.writer.admin(Admin::PutAccount(account)).await?;
        Ok(())
    }

    /// One technician has one account of a provider: an address that the company gives to somebody else does not give them
    /// the technician.
    async fn must_be_free(&self, issuer: &str, technician: &TechnicianId) -> Result<(), Denial> {
        let rows = self.bridge.read.kept(KeptRow::SUBJECT, "").await?;
        let mut all = rows.iter().filter_map(Bound::of);
        match all.any(|bound| bound.technician == technician.0 && bound.issuer == issuer) {
            true => Err(Denial::NoAccess(Some(technician.clone()), NoAccess::Other)),
            false => Ok(()),
        }
    }

    /// From now on the account of the provider is what counts, whatever becomes of the e-mail address.
    async fn bind(&self, single: &Single, key: &str, technician: &TechnicianId) -> Result<(), Problem> {
        let bound = Bound { technician: technician.0.clone(), issuer: single.config.issuer.clone() };
        let row = subject(key.to_owned(), Some(json!(bound).to_string()));
        self.bridge.writer.admin(Admin::Keep(row)).await?;
        let act = format!("is signed in with {} from now on", single.config.name);
        self.audit(Some(technician.0.clone()), act).await
    }

    /// What the file says about a technician wins (D45).
    async fn give_role(&self, technician: &TechnicianId, role: Role) -> Result<(), Problem> {
        let is_so = self.bridge.policy.current().policy.role(technician) == role;
        if is_so || self.settings.current().has_fixed(technician.as_str()) {
            return Ok(());
        }
        let row = self.bridge.read.kept_one(TECHNICIAN, "", technician.as_str()).await?;
        let Some(Ok(mut value)) =
            row.and_then(|row| row.value).map(|value| serde_json::from_str::<Value>(&value))
        else {
            return Ok(());
        };
        value["role"] = json!(role);
        self.keep_technician(technician, Some(&value)).await?;
        // What was open before goes by the rights of before (S77).
        self.end_sessions(technician).await?;
        let act = format!("has another role by the provider's groups: {}", value["role"]);
        self.audit(Some(technician.0.clone()), act).await
    }

    /// The provider's account is forgotten: the next sign-in with it begins with the e-mail address again.
    pub async fn unbind(&self, technician: &TechnicianId) -> Result<bool, Problem> {
        let rows = self.bridge.read.kept(KeptRow::SUBJECT, "").await?;
        let own =
            rows.into_iter().filter(|row| Bound::of(row).is_some_and(|one| one.technician == technician.0));
        let own: Vec<KeptRow> = own.collect();
        for row in &own {
            self.bridge.writer.admin(Admin::Keep(subject(row.key.clone(), None))).await?;
        }
        Ok(!own.is_empty())
    }
}

fn subject(key: String, value: Option<String>) -> KeptRow {
    KeptRow { kind: KeptRow::SUBJECT.into(), owner: String::new(), key, value, updated: Timestamp(0) }
}

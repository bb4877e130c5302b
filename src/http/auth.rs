//! Who calls: a token or a browser's session, what it allows, and the technician on whose behalf it acts.
//!
//! Not here: which conversations a caller may see (`api/sight.rs`), making tokens (`cli/token.rs`).

use axum::http::{HeaderMap, header};
use deskbridge_conversation::TechnicianId;
use deskbridge_conversation::policy::Role;
use deskbridge_store::Admin;
use deskbridge_store::rows::{LoginKind, LoginRow};
use sha2::{Digest as _, Sha256};

use super::problem::Problem;
use super::session::{self, Presented, Site};
use crate::cli::TOKEN_PREFIX;
use crate::runtime::Bridge;

/// Longer ones are not even hashed.
const LONGEST: usize = 256;

/// What a token may be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    ChatsRead,
    ChatsWrite,
    TicketsRead,
    TicketsWrite,
    PresenceWrite,
    MetricsRead,
    /// Everything, quarantine and audit included.
    Admin,
}

impl Scope {
    pub const ALL: [Scope; 7] = [
        Scope::ChatsRead,
        Scope::ChatsWrite,
        Scope::TicketsRead,
        Scope::TicketsWrite,
        Scope::PresenceWrite,
        Scope::MetricsRead,
        Scope::Admin,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Scope::ChatsRead => "chats:read",
            Scope::ChatsWrite => "chats:write",
            Scope::TicketsRead => "tickets:read",
            Scope::TicketsWrite => "tickets:write",
            Scope::PresenceWrite => "presence:write",
            Scope::MetricsRead => "metrics:read",
            Scope::Admin => "admin",
        }
    }
}

/// How the caller showed who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Token,
    Session,
    /// Not at all: before signing in.
    Unknown,
}

/// Somebody whose token or session is good now.
#[derive(Clone, Debug)]
pub struct Caller {
    pub how: How,
    /// The token's or the session's id; never the secret.
    pub token: String,
    pub name: String,
    pub scopes: Vec<String>,
    pub technician: Option<TechnicianId>,
    pub role: Role,
    /// Of the secret, in hexadecimal: to ask again whether it is still good.
    pub sha256: String,
}

/// What a signed-in person may do.
fn scopes_of(role: Role) -> Vec<String> {
    let ordinary =
        [Scope::ChatsRead, Scope::ChatsWrite, Scope::TicketsRead, Scope::TicketsWrite, Scope::PresenceWrite];
    let more: &[Scope] = match role {
        Role::Technician => &[],
        Role::Supervisor => &[Scope::MetricsRead],
        Role::Admin => &[Scope::MetricsRead, Scope::Admin],
    };
    ordinary.iter().chain(more).map(|scope| scope.name().to_owned()).collect()
}

impl Caller {
    /// Exactly one `Authorization: Bearer dbp_…`. Whatever is wrong, the refusal is the same.
    pub async fn of(bridge: &Bridge, headers: &HeaderMap) -> Result<Caller, Problem> {
        let sha256 = presented(headers).ok_or_else(Problem::unauthorized)?;
        Caller::by_hash(bridge, sha256).await
    }

    /// A token where one is sent; else the session of the cookie, for which a write also needs our own page's header.
    pub async fn of_browser(
        bridge: &Bridge,
        site: &Site,
        headers: &HeaderMap,
        writes: bool,
    ) -> Result<Caller, Problem> {
        if headers.contains_key(header::AUTHORIZATION) {
            return Caller::of(bridge, headers).await;
        }
        let presented = Presented::of(headers, site.plain_allowed()).ok_or_else(Problem::unauthorized)?;
        let (caller, row) = Caller::by_session(bridge, &presented.sha256).await?;
        if writes {
            site.must_be_own(headers)?;
            presented.must_prove(headers)?;
        }
        let now = bridge.now();
        if now.since(row.seen) >= session::SEEN {
            bridge.writer.admin(Admin::PutLogin(LoginRow { seen: now, ..row })).await?;
        }
        Ok(caller)
    }

    /// Somebody who is about to sign in.
    pub fn unknown() -> Caller {
        Caller {
            how: How::Unknown,
            token: "sign-in".into(),
            name: String::new(),
            scopes: Vec::new(),
            technician: None,
            role: Role::Technician,
            sha256: String::new(),
        }
    }

    async fn by_session(bridge: &Bridge, sha256: &str) -> Result<(Caller, LoginRow), Problem> {
        let row = bridge.read.login(sha256).await?.ok_or_else(Problem::unauthorized)?;
        let now = bridge.now();
        let over = row.expires <= now || now.since(row.seen) >= session::IDLE;
        let (Some(technician), LoginKind::Session, false) = (&row.technician, row.kind, over) else {
            return Err(Problem::unauthorized());
        };
        let account = bridge.read.account(technician).await?.filter(|account| !account.disabled);
        let policy = bridge.policy.current();
        let (Some(_), Some(known)) = (account, policy.policy.technicians.get(technician)) else {
            return Err(Problem::unauthorized());
        };
        let caller = Caller {
            how: How::Session,
            token: format!("session-{}", &row.sha256[..12.min(row.sha256.len())]),
            name: known.name.clone(),
            scopes: scopes_of(known.role),
            technician: Some(technician.clone()),
            role: known.role,
            sha256: row.sha256.clone(),
        };
        Ok((caller, row))
    }

    /// Whether it is still good, with what it allows by now.
    pub async fn again(&self, bridge: &Bridge) -> Result<Caller, Problem> {
        match self.how {
            How::Token => Caller::by_hash(bridge, self.sha256.clone()).await,
            How::Session => Ok(Caller::by_session(bridge, &self.sha256).await?.0),
            How::Unknown => Err(Problem::unauthorized()),
        }
    }

    async fn by_hash(bridge: &Bridge, sha256: String) -> Result<Caller, Problem> {
        let row = bridge.read.token_by_hash(&sha256).await?.ok_or_else(Problem::unauthorized)?;
        if row.revoked || row.expires.is_some_and(|at| at <= bridge.now()) {
            return Err(Problem::unauthorized());
        }
        let policy = bridge.policy.current();
        let role = match &row.technician {
            // Nobody acts for somebody who is not there any more.
            Some(who) if !policy.policy.technicians.contains_key(who) => return Err(Problem::unauthorized()),
            // Nor for somebody who may not come in themselves (S63).
            Some(who) if bridge.read.account(who).await?.is_some_and(|account| account.disabled) => {
                return Err(Problem::unauthorized());
            }
            Some(who) => policy.policy.role(who),
            None => Role::Admin,
        };
        Ok(Caller {
            how: How::Token,
            token: row.id,
            name: row.name,
            scopes: row.scopes,
            technician: row.technician,
            role,
            sha256,
        })
    }

    fn has(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|own| own == scope.name())
    }

    /// The scope `admin` is worth nothing in the hands of a technician who is none (S73).
    pub fn is_admin(&self) -> bool {
        self.has(Scope::Admin) && self.role == Role::Admin
    }

    pub fn may(&self, scope: Scope) -> bool {
        self.is_admin() || (scope != Scope::Admin && self.has(scope))
    }

    pub fn needs(&self, scope: Scope) -> Result<(), Problem> {
        if self.may(scope) {
            return Ok(());
        }
        Err(Problem::forbidden("scope", format!("this needs the scope {}", scope.name())))
    }

    /// The technician who acts.
    pub fn acts(&self) -> Result<&TechnicianId, Problem> {
        self.technician
            .as_ref()
            .ok_or_else(|| Problem::forbidden("no-technician", "this token belongs to no technician"))
    }

    /// Sees every queue: supervisors, admins, and tokens of programs.
    pub fn oversees(&self) -> bool {
        self.role >= Role::Supervisor
    }

    /// For the audit trail.
    pub fn known_as(&self) -> String {
        match &self.technician {
            Some(technician) => technician.0.clone(),
            None => format!("token:{}", self.token),
        }
    }
}

/// The hash of the one token presented.
fn presented(headers: &HeaderMap) -> Option<String> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim_start();
    let sound =
        scheme.eq_ignore_ascii_case("bearer") && token.starts_with(TOKEN_PREFIX) && token.len() <= LONGEST;
    sound.then(|| hex::encode(Sha256::digest(token)))
}

//! Who calls: a token, what it allows, and the technician on whose behalf it acts.
//!
//! Not here: which conversations a caller may see (`api/sight.rs`), making tokens (`cli/token.rs`).

use axum::http::{HeaderMap, header};
use deskbridge_conversation::TechnicianId;
use deskbridge_conversation::policy::Role;
use sha2::{Digest as _, Sha256};

use super::problem::Problem;
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

/// A token that is good now.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The token's id; never the token.
    pub token: String,
    pub name: String,
    pub scopes: Vec<String>,
    pub technician: Option<TechnicianId>,
    pub role: Role,
    /// Of the token, in hexadecimal: to ask again whether it is still good.
    sha256: String,
}

impl Caller {
    /// Exactly one `Authorization: Bearer dbp_…`. Whatever is wrong, the refusal is the same.
    pub async fn of(bridge: &Bridge, headers: &HeaderMap) -> Result<Caller, Problem> {
        let sha256 = presented(headers).ok_or_else(Problem::unauthorized)?;
        Caller::by_hash(bridge, sha256).await
    }

    /// Whether it is still good, with what it allows by now.
    pub async fn again(&self, bridge: &Bridge) -> Result<Caller, Problem> {
        Caller::by_hash(bridge, self.sha256.clone()).await
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
            Some(who) => policy.policy.role(who),
            None => Role::Admin,
        };
        Ok(Caller {
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

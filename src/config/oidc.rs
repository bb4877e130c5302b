//! `[oidc]`: the company's OpenID provider, by which technicians may sign in to the console.
//!
//! Not here: speaking to it (`deskbridge_services::oidc`), what a sign-in comes to (`http/api/oidc.rs`).

use std::net::IpAddr;

use axum::http::Uri;
use deskbridge_conversation::policy::Role;
use deskbridge_services::oidc::{Required, Settings};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use toml::Table;

use super::keys;
use super::loading::{Loading, quoted};
use super::section::Section;

pub const OTHERS: &[&str] = &["none", "technician", "supervisor"];
/// Where the provider sends people back to, behind `server.public_url`.
pub const RETURN: &str = "/console/oidc";
const CALLED: &str = "your company account";
const SCOPES: [&str; 3] = ["openid", "email", "profile"];
/// Characters of the name on the button.
const NAME: usize = 60;

/// `[oidc]`
#[derive(Clone, Debug)]
pub struct Oidc {
    /// What people know it by: the button says "Sign in with …".
    pub name: String,
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Option<SecretString>,
    /// Registered with the provider, letter by letter.
    pub redirect_uri: String,
    pub scopes: Vec<String>,
    pub email_verified_claim: String,
    pub claims: Vec<Required>,
    /// Of e-mail addresses, in small letters; empty: any.
    pub domains: Vec<String>,
    /// Whoever is let in and is no technician becomes one.
    pub create: bool,
    pub groups_claim: String,
    /// Group and what it makes of its members.
    pub groups: Vec<(String, Role)>,
    /// Of those in none of the groups; `None`: they are refused.
    pub others: Option<Role>,
}

/// What `default_role` may be. An admin is made by a group, or by an admin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Others {
    #[default]
    None,
    Technician,
    Supervisor,
}

impl Oidc {
    pub fn settings(&self) -> Settings {
        Settings {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            redirect_uri: self.redirect_uri.clone(),
            scopes: self.scopes.clone(),
            email_verified_claim: self.email_verified_claim.clone(),
            groups_claim: self.decides_roles().then(|| self.groups_claim.clone()),
            required: self.claims.clone(),
        }
    }

    /// Whether roles follow from groups.
    pub fn decides_roles(&self) -> bool {
        !self.groups.is_empty()
    }

    /// The highest that these groups give, else what others get.
    pub fn role(&self, groups: &[String]) -> Option<Role> {
        let given = self.groups.iter().filter(|(group, _)| groups.contains(group)).map(|(_, role)| *role);
        given.max().or(self.others)
    }

    /// Whether an address is of one of the companies.
    pub fn takes(&self, email: &str) -> bool {
        let host = email.rsplit_once('@').map_or("", |(_, host)| host);
        self.domains.is_empty() || self.domains.iter().any(|domain| domain == host)
    }
}

/// `None` where there is no such section, or where it has faults.
pub fn oidc(load: &mut Loading, tree: &Table, public_url: Option<&str>) -> Option<Oidc> {
    tree.get("oidc")?;
    let redirect_uri = public(load, public_url);
    let mut section = Section::open(load, "oidc", tree.get("oidc"), keys::OIDC);
    let name = section.text_or("name", CALLED);
    if name.chars().count() > NAME || name.chars().any(char::is_control) {
        section.fault("name", format!("at most {NAME} characters in one line"), quoted(&name));
    }
    let issuer = issuer(&mut section);
    let client_id = needed(&mut section, "client_id", "the id that the provider gave this program");
    let client_secret = section.secret("client_secret");
    let scopes = scopes(&mut section);
    let email_verified_claim = section.text_or("email_verified_claim", "email_verified");
    let claims = claims(&mut section);
    let domains = domains(&mut section);
    let create = section.flag("create", false);
    let groups_claim = section.text_or("groups_claim", "groups");
    let mut groups = Vec::new();
    for (key, role) in [
        ("admin_groups", Role::Admin),
        ("supervisor_groups", Role::Supervisor),
        ("technician_groups", Role::Technician),
    ] {
        groups.extend(section.texts(key).into_iter().map(|group| (group, role)));
    }
    let others = match section.choice("default_role", OTHERS, Others::default()) {
        Others::None => None,
        Others::Technician => Some(Role::Technician),
        Others::Supervisor => Some(Role::Supervisor),
    };
    // A provider that the whole world has accounts at would make the whole world technicians.
    let world = others.is_some() && domains.is_empty() && (groups.is_empty() || claims.is_empty());
    if create && (world || (groups.is_empty() && others.is_none())) {
        let expected = "groups (technician_groups, …) without default_role, or both domains and default_role, because create = true";
        section.fault("create", expected, "neither");
    }
    Some(Oidc {
        name,
        issuer: issuer?,
        client_id: client_id?,
        client_secret,
        redirect_uri: redirect_uri?,
        scopes,
        email_verified_claim,
        claims,
        domains,
        create,
        groups_claim,
        groups,
        others,
    })
}

/// The provider sends people back by a whole address, and what it sends must not travel in the open.
fn public(load: &mut Loading, public_url: Option<&str>) -> Option<String> {
    let expected = "an https address, or http://localhost for development, because [oidc] is set";
    match public_url {
        Some(url) if is_safe(url) => return Some(format!("{url}{RETURN}")),
        Some(url) => load.fault("server.public_url", expected, quoted(url)),
        // One with faults of its own is named already.
        None if load.tree.table.get("server").is_none_or(|server| server.get("public_url").is_none()) => {
            load.fault("server.public_url", expected, "nothing");
        }
        None => {}
    }
    None
}

fn needed(section: &mut Section<'_, '_>, key: &str, expected: &str) -> Option<String> {
    if !section.has(key) {
        section.fault(key, expected, "nothing");
    }
    section.text(key)
}

fn issuer(section: &mut Section<'_, '_>) -> Option<String> {
    let expected = "the provider's issuer, letter by letter, like https://login.example.com/realms/staff";
    let issuer = needed(section, "issuer", expected)?;
    if issuer.contains(['{', '}']) || issuer.contains("/.well-known") || !is_safe(&issuer) {
        section.fault("issuer", expected, quoted(&issuer));
        return None;
    }
    Some(issuer)
}

/// https with nothing behind the path; http on this machine only, for development.
fn is_safe(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_local = host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let scheme = match uri.scheme_str() {
        Some("https") => !host.is_empty(),
        Some("http") => is_local,
        _ => false,
    };
    scheme && uri.query().is_none() && !address.contains(['@', '#'])
}

fn scopes(section: &mut Section<'_, '_>) -> Vec<String> {
    if !section.has("scopes") {
        section.note("scopes", SCOPES.map(str::to_owned).to_vec());
        return SCOPES.map(str::to_owned).to_vec();
    }
    let scopes = section.texts("scopes");
    let is_sound = |scope: &String| scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
    if !scopes.iter().all(is_sound) || !scopes.iter().any(|scope| scope == "openid") {
        section.fault("scopes", "words without spaces, \"openid\" among them", quoted(&scopes.join(" ")));
    }
    scopes
}

fn claims(section: &mut Section<'_, '_>) -> Vec<Required> {
    let mut claims = Vec::new();
    for (n, text) in section.texts("claims").into_iter().enumerate() {
        match text.split_once('=').filter(|(claim, value)| !claim.is_empty() && !value.is_empty()) {
            Some((claim, value)) => {
                claims.push(Required { claim: claim.to_owned(), value: value.to_owned() })
            }
            None => {
                section.fault(&format!("claims[{n}]"), "claim=value, like \"hd=example.com\"", quoted(&text))
            }
        }
    }
    claims
}

fn domains(section: &mut Section<'_, '_>) -> Vec<String> {
    let mut domains = Vec::new();
    for (n, text) in section.texts("domains").into_iter().enumerate() {
        let domain = text.to_lowercase();
        let sound = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
        match domain.chars().all(sound) && domain.contains('.') {
            true => domains.push(domain),
            false => section.fault(&format!("domains[{n}]"), "a domain, like example.com", quoted(&text)),
        }
    }
    domains
}
